/* SPDX-License-Identifier: Apache-2.0
 *
 * test_returns.c - goods that come back: the customer is known as if they had never been sold.
 */
#include "core/when.h"
#include "random_fixture.h"
#include "spine_story.h"

/* AISLE_SEQUENCES: how many stories of chance; more than the default in long runs. */
#define SEQUENCES 150

/* ---- words ---- */

static void
buy(const char *basket, int line_number, const char *sku, int qty, int amount)
{
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'%s','line':%d,'sku':'%s','category':'c/%s','qty':%d,'amount':%d,"
	    "'currency':'EUR'}",
	    basket, line_number, sku, sku, qty, amount);
}

/* more: members such as "'basket':'b'," */
static void
give_back(const char *number, const char *more, const char *sku, double qty, int amount)
{
	tell("pos/7/event", "return.completed",
	    "{'return':'%s',%s'items':[{'sku':'%s','category':'c/%s','qty':%g,'amount':%d}],"
	    "'total':%d,'currency':'EUR'}",
	    number, more, sku, sku, qty, amount, amount);
}

#define OF(basket) "'basket':'" basket "',"
#define BY(subject) "'subject':'" subject "',"

/* Anna may be remembered, and is at till 7 with this basket. */
static void
anna_with(const char *basket)
{
	now_ms += S_MS;
	open_basket(basket);
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" ANNA "','station':'7','basket':'%s'}", basket);
}

static void
anna_agrees(void)
{
	grant(ANNA, "personalise");
	grant(ANNA, "profile");
}

/* Her purchases, the oldest first: "sku qty amount, …=total; …" */
static const char *
kept_by(const char *subject)
{
	const struct subject *who = customer(subject);
	struct buf text = { 0 };
	const char *copy;

	for (size_t i = 0; i < who->purchase_count; i++) {
		const struct purchase *purchase = &who->purchases[i];

		buf_adds(&text, i > 0 ? "; " : "");
		for (size_t l = 0; l < purchase->line_count; l++)
			buf_addf(&text, "%s%s %g %lld", l > 0 ? ", " : "", purchase->lines[l].item,
			    (double)purchase->lines[l].qty_milli / 1000,
			    (long long)purchase->lines[l].amount_minor);
		buf_addf(&text, "=%lld", (long long)purchase->total_minor);
	}
	copy = arena_strdup(texts, text.len > 0 ? text.data : "");
	buf_done(&text);
	return copy;
}
#define assert_kept(subject, text) assert_string_equal(kept_by(subject), text)

static size_t
returns_of(const char *subject)
{
	const struct subject *who = customer(subject);
	size_t returns = 0;

	for (size_t i = 0; i < who->incident_count; i++)
		returns += who->incidents[i].kind == INCIDENT_RETURN;
	return returns;
}

/* Anna bought two of a for 500 and one of b for 300 in basket 1. */
static void
anna_bought(void)
{
	anna_agrees();
	anna_with("1");
	buy("1", 1, "a", 2, 500);
	buy("1", 2, "b", 1, 300);
	close_basket("1", 800);
	now_ms += MIN_MS;
}

/* ---- what leaves ---- */

static void
goods_that_come_back_leave_the_history(void **state)
{
	(void)state;
	anna_bought();
	give_back("r", OF("1") BY(ANNA), "a", 2, 500);
	assert_kept(ANNA, "b 1 300=300");
	assert_int_equal(returns_of(ANNA), 1);
}

/* The article, whatever the scanner made of its code. */
static void
what_was_bought_in_one_writing_comes_back_in_any_other(void **state)
{
	static const char *const coffee[] = { "'gtin':'4006381333931'", "'gtin':4006381333931",
		"'gtin':'04006381333931','sku':'of the till'",
		"'gtin':'(01)04006381333931(10)A1(17)270131'",
		"'gtin':']d201040063813339311727013110A1'", "'gtin':'400-6381-33393-1'",
		"'gtin':'https://id.gs1.org/01/04006381333931/10/A1'" };
	static const char *const apples[] = { "'gtin':'2012345002005','sku':'apples'",
		"'gtin':'2012345008700','sku':'apples '", "'sku':'apples'",
		"'gtin':'0212345008706','sku':'apples'", "'gtin':'not a code','sku':'apples'" };

	(void)state;
	anna_agrees();
	for (size_t n = 0; n < ARRAY_LEN(coffee) * ARRAY_LEN(coffee); n++) {
		const char *bought = coffee[n % ARRAY_LEN(coffee)],
			   *back = coffee[n / ARRAY_LEN(coffee)];
		const char *loose = apples[n % ARRAY_LEN(apples)],
			   *loose_back = apples[n / ARRAY_LEN(apples) % ARRAY_LEN(apples)];
		char basket[16];

		snprintf(basket, sizeof(basket), "w%zu", n);
		anna_with(basket);
		tell("pos/7/event", "basket.item-added",
		    "{'basket':'%s','line':1,%s,'category':'c','qty':1,'amount':500,"
		    "'currency':'EUR'}",
		    basket, bought);
		tell("pos/7/event", "basket.item-added",
		    "{'basket':'%s','line':2,%s,'category':'c','qty':1,'amount':200,"
		    "'currency':'EUR'}",
		    basket, loose);
		close_basket(basket, 700);
		assert_string_equal(strrchr(kept_by(ANNA), ';') != NULL
			? strrchr(kept_by(ANNA), ';') + 2
			: kept_by(ANNA),
		    "04006381333931 1 500, apples 1 200=700");
		now_ms += MIN_MS;
		tell("pos/7/event", "return.completed",
		    "{'return':'%s',%s'basket':'%s','items':[{%s,'category':'c','qty':1,'amount':"
		    "500},"
		    "{%s,'category':'c','qty':1,'amount':200}],'total':700,'currency':'EUR'}",
		    basket, BY(ANNA), basket, back, loose_back);
		assert_non_null(strstr(kept_by(ANNA), "=0"));
		assert_null(strstr(kept_by(ANNA), "=700"));
	}
}

static void
part_of_a_line_leaves_its_share(void **state)
{
	(void)state;
	anna_bought();
	give_back("r", OF("1"), "a", 0.5, 125);
	assert_kept(ANNA, "a 1.5 375, b 1 300=675");
}

static void
of_lines_of_one_article_the_one_that_is_named_best_leaves(void **state)
{
	(void)state;
	anna_agrees();
	anna_with("1");
	buy("1", 1, "a", 1, 100);
	buy("1", 2, "a", 1, 80);
	buy("1", 3, "a", 3, 290);
	close_basket("1", 470);
	give_back("r1", OF("1"), "a", 1, 80);
	assert_kept(ANNA, "a 1 100, a 3 290=390");
	give_back("r2", OF("1"), "a", 3, 1);
	assert_kept(ANNA, "a 1 100=100");
}

static void
a_visit_of_which_all_came_back_stays_a_visit(void **state)
{
	(void)state;
	anna_bought();
	give_back("r1", OF("1"), "a", 2, 500);
	give_back("r2", OF("1"), "b", 1, 300);
	assert_kept(ANNA, "=0");
	restart();
	assert_int_equal(customer(ANNA)->purchase_count, 1);
}

static void
a_return_counts_once_whatever_its_event_is_called(void **state)
{
	(void)state;
	anna_bought();
	give_back("r", OF("1") BY(ANNA), "a", 1, 250);
	give_back("r", OF("1") BY(ANNA), "a", 1, 250);
	assert_kept(ANNA, "a 1 250, b 1 300=550");
	assert_int_equal(returns_of(ANNA), 1);
}

static void
no_more_comes_back_than_was_sold(void **state)
{
	(void)state;
	anna_bought();
	give_back("r1", OF("1"), "a", 5, 1250);
	give_back("r2", OF("1"), "a", 1, 250);
	assert_kept(ANNA, "b 1 300=300");
}

static void
who_bought_it_is_without_it_whoever_brings_it_back(void **state)
{
	(void)state;
	anna_bought();
	grant(BEN, "profile");
	give_back("r", OF("1") BY(BEN), "a", 2, 500);
	assert_kept(ANNA, "b 1 300=300");
	assert_int_equal(returns_of(BEN), 1);
	assert_int_equal(returns_of(ANNA), 0);
}

static void
without_a_card_the_return_is_of_who_bought_it(void **state)
{
	(void)state;
	anna_bought();
	give_back("r", OF("1"), "a", 2, 500);
	assert_int_equal(returns_of(ANNA), 1);
}

/* ---- which sale ---- */

static void
with_a_card_alone_the_newest_purchases_that_have_it_are_without_it(void **state)
{
	(void)state;
	anna_bought();
	anna_with("2");
	buy("2", 1, "a", 1, 240);
	close_basket("2", 240);
	anna_with("3");
	buy("3", 1, "c", 1, 10);
	close_basket("3", 10);
	give_back("r", BY(ANNA), "a", 2, 490);
	assert_kept(ANNA, "a 1 250, b 1 300=550; =0; c 1 10=10");
}

static void
a_sale_that_the_state_has_let_go_is_reduced_by_its_purchase(void **state)
{
	(void)state;
	anna_bought();
	now_ms += 100 * D_MS;
	while (room_make(engine, now_ms) > 0)
		;
	give_back("r1", BY(ANNA), "a", 1, 250);
	assert_kept(ANNA, "a 1 250, b 1 300=550");
	restart();
	give_back("r2", BY(ANNA), "a", 1, 250);
	assert_kept(ANNA, "b 1 300=300");
}

static void
a_sale_is_known_by_its_number_as_long_as_its_decisions(void **state)
{
	(void)state;
	anna_bought();
	now_ms += 34 * D_MS;
	while (room_make(engine, now_ms) > 0)
		;
	give_back("r", OF("1"), "a", 2, 500);
	assert_kept(ANNA, "b 1 300=300");
}

static void
a_number_that_is_too_old_is_found_by_the_card_once_the_wait_is_over(void **state)
{
	(void)state;
	anna_bought();
	now_ms += 100 * D_MS;
	while (room_make(engine, now_ms) > 0)
		;
	give_back("r", OF("1") BY(ANNA), "a", 2, 500);
	assert_kept(ANNA, "a 2 500, b 1 300=800");
	wait_for(72 * H_MS);
	assert_kept(ANNA, "b 1 300=300");
}

/* ---- in whichever order ---- */

static void
a_return_waits_for_its_sale(void **state)
{
	(void)state;
	anna_agrees();
	anna_with("1");
	give_back("r", OF("1"), "a", 2, 500);
	buy("1", 1, "a", 2, 500);
	buy("1", 2, "b", 1, 300);
	restart();
	close_basket("1", 800);
	assert_kept(ANNA, "b 1 300=300");
	wait_for(72 * H_MS);
	assert_kept(ANNA, "b 1 300=300");
}

static void
a_line_that_comes_after_the_close_and_the_return_is_without_it_too(void **state)
{
	(void)state;
	anna_agrees();
	anna_with("1");
	buy("1", 1, "b", 1, 300);
	close_basket("1", 800);
	give_back("r", OF("1"), "a", 1, 250);
	assert_kept(ANNA, "b 1 300=800");
	buy("1", 2, "a", 2, 500);
	assert_kept(ANNA, "b 1 300, a 1 250=550");
}

/* Heard now, at_ms by the till's clock. */
static void
close_late(const char *basket, int total, int64_t at_ms)
{
	char at_text[WHEN_TEXT_SIZE];
	struct buf text = { 0 };
	struct input input = { .kind = INPUT_MESSAGE, .topic = "aisle/v1/0042/pos/7/event" };

	when_text(at_ms, at_text);
	buf_addf(&text,
	    "{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"close-%s\",\"type\":"
	    "\"aisle.basket.closed\",\"time\":\"%s\",\"data\":{\"basket\":\"%s\",\"total\":%d,"
	    "\"currency\":\"EUR\"}}",
	    basket, at_text, basket, total);
	input.payload = text.data;
	input.len = text.len;
	turn(&input);
	buf_done(&text);
}

static void
a_return_by_card_waits_for_a_purchase_that_is_heard_of_later(void **state)
{
	int64_t sold_ms;

	(void)state;
	anna_agrees();
	anna_with("1");
	buy("1", 1, "a", 2, 500);
	sold_ms = now_ms;
	now_ms += H_MS;
	give_back("r", BY(ANNA), "a", 1, 250);
	now_ms += MIN_MS;
	close_late("1", 500, sold_ms);
	assert_kept(ANNA, "a 1 250=250");
}

static void
what_is_bought_in_exchange_is_not_what_came_back(void **state)
{
	(void)state;
	anna_agrees();
	give_back("r", BY(ANNA), "a", 1, 250);
	anna_with("1");
	buy("1", 1, "a", 2, 500);
	close_basket("1", 500);
	assert_kept(ANNA, "a 2 500=500");
}

static void
what_finds_no_sale_in_three_days_is_given_up(void **state)
{
	(void)state;
	anna_agrees();
	give_back("r", OF("1"), "a", 1, 250);
	assert_int_equal(engine->stray_count, 1);
	wait_for(72 * H_MS - 1);
	assert_int_equal(engine->stray_count, 1);
	wait_for(1);
	assert_int_equal(engine->stray_count, 0);
	restart();
	assert_int_equal(engine->stray_count, 0);
}

static void
what_can_find_no_sale_does_not_wait(void **state)
{
	(void)state;
	give_back("r", "", "a", 1, 250);
	assert_int_equal(engine->stray_count, 0);
}

static void
of_a_customer_who_is_forgotten_nothing_waits(void **state)
{
	struct input input = { .kind = INPUT_FORGET, .subject = subject_of(ANNA) };

	(void)state;
	give_back("r", BY(ANNA), "a", 1, 250);
	assert_int_equal(engine->stray_count, 1);
	turn(&input);
	assert_int_equal(engine->stray_count, 0);
}

static void
a_sale_that_is_cancelled_takes_its_purchase_with_its_returns(void **state)
{
	(void)state;
	anna_bought();
	give_back("r", OF("1"), "a", 1, 250);
	tell("pos/7/event", "basket.cancelled", "{'basket':'1'}");
	assert_kept(ANNA, "");
}

static void
a_return_by_number_finds_whose_card_it_became(void **state)
{
	(void)state;
	anna_bought();
	grant(BEN, "profile");
	tell("care/event", "customer.merged", "{'subject':'" ANNA "','into':'" BEN "'}");
	give_back("r", OF("1"), "a", 2, 500);
	assert_kept(BEN, "b 1 300=300");
	restart();
	assert_kept(BEN, "b 1 300=300");
}

/* What waits for the purchases of a card waits for those of the card that it became; heard of before
 * the merge or after it. */
static void
a_return_by_card_waits_for_whose_card_it_became(void **state)
{
	int64_t sold_ms;

	(void)state;
	anna_bought();
	anna_with("2");
	buy("2", 1, "c", 2, 400);
	sold_ms = now_ms;
	now_ms += H_MS;
	give_back("r", BY(BEN), "a", 1, 250);
	give_back("s", BY(BEN), "c", 1, 200);
	assert_kept(ANNA, "a 2 500, b 1 300=800");
	tell("care/event", "customer.merged", "{'subject':'" BEN "','into':'" ANNA "'}");
	assert_kept(ANNA, "a 1 250, b 1 300=550");
	restart();
	close_late("2", 400, sold_ms);
	assert_kept(ANNA, "a 1 250, b 1 300=550; c 1 200=200");
}

static void
cards_that_are_merged_again_do_not_bring_back_what_came_back(void **state)
{
	(void)state;
	anna_bought();
	grant(BEN, "profile");
	tell("loyalty/desk/event", "customer.merged", "{'subject':'" ANNA "','into':'" BEN "'}");
	give_back("r", BY(BEN), "a", 2, 500);
	assert_kept(BEN, "b 1 300=300");
	tell("loyalty/desk/event", "customer.merged", "{'subject':'" ANNA "','into':'" BEN "'}");
	assert_kept(BEN, "b 1 300=300");
	engine_drop_subjects(engine);
	assert_kept(BEN, "b 1 300=300");
}

/* ---- outcomes ---- */

#define ADVISE_A_WITHIN \
	"{'kind':'recommend','outcome':{'is':'bought','within':'7d','item':{'category':'c/a'}}"
#define ADVISE_A "'kind':'recommend','outcome':{'is':'bought','item':{'category':'c/a'}}"

static int
rows_of(const char *subject, enum outcome outcome)
{
	const struct contacts *contacts = &customer(subject)->contacts;
	int rows = 0;

	for (size_t i = 0; i < contacts->count; i++)
		rows += contacts->rows[i].outcome == outcome;
	return rows;
}

/* Anna was advised to buy a, and did. */
static void
anna_followed(const char *patch)
{
	only("advise", patch);
	anna_agrees();
	anna_with("1");
	buy("1", 1, "b", 1, 300);
	now_ms += S_MS;
	buy("1", 2, "a", 2, 500);
	close_basket("1", 800);
	now_ms += MIN_MS;
	heard(LANE_DECISION);
	heard(LANE_MONEY);
}

static void
what_was_bought_and_came_back_is_returned_with_its_amount(void **state)
{
	(void)state;
	anna_followed("{" ADVISE_A "}");
	assert_int_equal(rows_of(ANNA, OUTCOME_BOUGHT), 1);
	give_back("r", OF("1"), "a", 2, 500);
	assert_heard(LANE_MONEY, "returned 500; sale");
	assert_int_equal(rows_of(ANNA, OUTCOME_RETURNED), 1);
	give_back("r2", OF("1"), "a", 2, 500);
	/* The second is a return without a sale. */
	assert_heard(LANE_MONEY, "sale");
}

/* Some of the same were there before the advice: of what came back the amount is what they cost. */
static void
what_came_back_of_two_lines_is_returned_with_what_came_back_of_each(void **state)
{
	(void)state;
	only("advise", "{" ADVISE_A "}");
	anna_agrees();
	anna_with("1");
	buy("1", 1, "a", 4, 1000);
	now_ms += S_MS;
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'1','line':2,'sku':'a2','category':'c/a','qty':1,'amount':300,'currency':"
	    "'EUR'}");
	close_basket("1", 1300);
	now_ms += MIN_MS;
	heard(LANE_MONEY);
	assert_int_equal(rows_of(ANNA, OUTCOME_BOUGHT), 1);
	tell("pos/7/event", "return.completed",
	    "{'return':'r','basket':'1','items':[{'sku':'a','category':'c/a','qty':1,'amount':250},"
	    "{'sku':'a2','category':'c/a','qty':1,'amount':300}],'total':550,'currency':'EUR'}");
	assert_heard(LANE_MONEY, "returned 550; sale");
}

static void
what_stays_in_part_was_bought(void **state)
{
	(void)state;
	anna_followed("{" ADVISE_A "}");
	give_back("r", OF("1"), "a", 1, 250);
	assert_int_equal(rows_of(ANNA, OUTCOME_RETURNED), 0);
	give_back("r2", OF("1"), "b", 1, 300);
	assert_int_equal(rows_of(ANNA, OUTCOME_RETURNED), 0);
	assert_heard(LANE_MONEY, "sale; sale");
}

static void
what_comes_back_before_the_window_ends_was_not_bought(void **state)
{
	(void)state;
	only("advise", ADVISE_A_WITHIN "}");
	anna_agrees();
	anna_with("1");
	buy("1", 1, "b", 1, 300);
	close_basket("1", 300);
	now_ms += D_MS;
	anna_with("2");
	buy("2", 1, "a", 1, 250);
	close_basket("2", 250);
	give_back("r", OF("2"), "a", 1, 250);
	wait_for(7 * D_MS);
	assert_int_equal(rows_of(ANNA, OUTCOME_BOUGHT), 0);
	assert_int_equal(rows_of(ANNA, OUTCOME_RETURNED), 0);
}

static void
what_was_bought_later_for_a_card_and_came_back_is_returned_too(void **state)
{
	(void)state;
	only("advise", ADVISE_A_WITHIN "}");
	anna_agrees();
	anna_with("1");
	buy("1", 1, "b", 1, 300);
	close_basket("1", 300);
	now_ms += 6 * D_MS;
	memset(&parts, 0, sizeof(parts));
	only("advise", ADVISE_A_WITHIN ",'on':['aisle.loyalty.balance']}");
	anna_with("2");
	buy("2", 1, "a", 1, 250);
	close_basket("2", 250);
	memset(&parts, 0, sizeof(parts));
	only("advise", ADVISE_A_WITHIN "}");
	wait_for(2 * D_MS);
	assert_int_equal(rows_of(ANNA, OUTCOME_BOUGHT), 1);
	heard(LANE_MONEY);
	give_back("r", OF("2"), "a", 1, 250);
	assert_heard(LANE_MONEY, "returned 250; sale");
	assert_int_equal(rows_of(ANNA, OUTCOME_RETURNED), 1);
}

/* Anna paid with an offer of 40 on a; b has nothing to do with it. */
static void
anna_redeemed(void)
{
	only("off",
	    "{" OFFER_OF(",'include':{'category':'c/a'}") ",'caps':[{'per':'customer','outcome':"
							  "'redeemed','max':1,'within':'30d'}]}");
	anna_agrees();
	anna_with("1");
	buy("1", 1, "b", 1, 300);
	buy("1", 2, "a", 2, 500);
	assert_int_equal(answer("off", "accept"), 200);
	tell("pos/7/event", "offer.applied", "{'basket':'1','token':'%s','amount':40}", token);
	tell("pos/7/event", "offer.redeemed", "{'basket':'1','token':'%s','amount':40}", token);
	close_basket("1", 760);
	now_ms += MIN_MS;
	heard(LANE_MONEY);
}

static void
what_was_redeemed_is_returned_by_its_share(void **state)
{
	(void)state;
	anna_redeemed();
	give_back("r1", OF("1"), "b", 1, 300);
	assert_heard(LANE_MONEY, "sale");
	give_back("r2", OF("1"), "a", 1, 230);
	assert_heard(LANE_MONEY, "returned 20; sale");
	assert_int_equal(rows_of(ANNA, OUTCOME_RETURNED), 0);
	give_back("r3", OF("1"), "a", 1, 230);
	assert_heard(LANE_MONEY, "returned 20; sale");
	assert_int_equal(rows_of(ANNA, OUTCOME_RETURNED), 1);
}

static void
what_came_back_uses_up_no_cap(void **state)
{
	(void)state;
	anna_redeemed();
	anna_with("2");
	buy("2", 1, "a", 1, 250);
	assert_string_equal(fate_in_record("off"), "contact");
	give_back("r", OF("1"), "a", 2, 460);
	buy("2", 2, "a", 1, 250);
	assert_string_equal(fate_in_record("off"), "offered");
}

static void
the_till_may_reverse_what_was_returned(void **state)
{
	(void)state;
	anna_redeemed();
	give_back("r", OF("1"), "a", 2, 460);
	tell("pos/7/event", "offer.reversed", "{'basket':'1','token':'%s','amount':40}", token);
	assert_int_equal(dead_letters(), 0);
	assert_heard(LANE_MONEY, "returned 40; sale; reversed 40; sale");
}

static void
a_cancelled_sale_has_nothing_that_was_bought(void **state)
{
	(void)state;
	anna_followed("{" ADVISE_A "}");
	tell("pos/7/event", "basket.cancelled", "{'basket':'1'}");
	assert_heard(LANE_MONEY, "returned 500; sale");
	assert_int_equal(rows_of(ANNA, OUTCOME_RETURNED), 1);
}

/* ---- of a sale that was recalled ---- */

static void
at_8(const char *type, const char *data)
{
	now_ms += S_MS;
	tell("pos/8/event", type, "%s", data);
}

#define LINE_AT_8 \
	"{'basket':'1','line':9,'sku':'a','category':'c/a','qty':1,'amount':100,'currency':'EUR'}"
#define CLOSE_AT_8 "{'basket':'1','total':100,'currency':'EUR'}"

/* Ben bought one of a at till 8. Anna's sale of that number, begun at till 7, is recalled and paid there, and
 * till 7 says only then that it was suspended. */
static void
anna_bought_over_two_tills(void)
{
	anna_agrees();
	grant(BEN, "profile");
	at_8("basket.opened", "{'basket':'1'}");
	at_8("customer.identified", "{'subject':'" BEN "','station':'8','basket':'1'}");
	at_8("basket.item-added", LINE_AT_8);
	at_8("basket.closed", CLOSE_AT_8);
	now_ms += H_MS;
	anna_with("1");
	now_ms += 10 * S_MS;
	at_8("basket.resumed", "{'basket':'1'}");
	at_8("basket.item-added", LINE_AT_8);
	at_8("basket.closed", CLOSE_AT_8);
	late_ms = 10 * S_MS;
	tell("pos/7/event", "basket.suspended", "{'basket':'1'}");
	late_ms = 0;
	assert_kept(ANNA, "a 1 100=100");
	assert_kept(BEN, "a 1 100=100");
}

static void
a_sale_that_was_found_to_be_recalled_was_sold_when_it_was_closed(void **state)
{
	(void)state;
	anna_bought_over_two_tills();
	give_back("r", OF("1") "'terminal':'8',", "a", 1, 100);
	assert_kept(ANNA, "=0");
	assert_kept(BEN, "a 1 100=100");
}

static void
its_number_and_those_of_before_are_found_though_its_second_half_is_gone(void **state)
{
	(void)state;
	anna_bought_over_two_tills();
	give_back("r", OF("1"), "a", 1, 100);
	assert_kept(ANNA, "=0");
	assert_kept(BEN, "a 1 100=100");
	give_back("s", OF("1"), "a", 1, 100);
	assert_kept(BEN, "=0");
}

/* Anna bought two of a in basket 1; the number was given again, and Ben bought three of a and one of
 * b in it, of which the till says one of a before its close. */
static void
more_than_a_sale_had_is_taken_off_no_other_of_its_number(void **state)
{
	(void)state;
	anna_bought();
	grant(BEN, "profile");
	open_basket("1");
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" BEN "','station':'7','basket':'1'}");
	buy("1", 1, "a", 1, 250);
	close_basket("1", 1050);
	now_ms += S_MS;
	give_back("r", OF("1"), "a", 4, 1000);
	assert_kept(BEN, "=0");
	assert_kept(ANNA, "a 2 500, b 1 300=800");
	restart();
	buy("1", 2, "b", 1, 300);
	assert_kept(BEN, "b 1 300=800");
	assert_kept(ANNA, "a 2 500, b 1 300=800");
	buy("1", 3, "a", 2, 500);
	assert_kept(BEN, "b 1 300=300");
	assert_kept(ANNA, "a 2 500, b 1 300=800");
	give_back("s", OF("1"), "a", 1, 250);
	assert_kept(ANNA, "a 1 250, b 1 300=550");
}

static void
more_than_a_sale_had_waits_for_none_of_its_number_at_another_till(void **state)
{
	(void)state;
	anna_bought();
	grant(BEN, "profile");
	at_8("basket.opened", "{'basket':'1'}");
	at_8("customer.identified", "{'subject':'" BEN "','station':'8','basket':'1'}");
	at_8("basket.item-added", LINE_AT_8);
	give_back("r", OF("1"), "a", 3, 750);
	assert_kept(ANNA, "b 1 300=300");
	at_8("basket.closed", CLOSE_AT_8);
	assert_kept(BEN, "a 1 100=100");
}

/* The till's line came before the word that it had recalled the sale; there was no basket of that number before. */
static void
a_line_before_the_recall_is_part_of_the_sale_and_comes_back_by_its_number(void **state)
{
	(void)state;
	anna_agrees();
	anna_with("1");
	tell("pos/7/event", "basket.suspended", "{'basket':'1'}");
	now_ms += 10 * S_MS;
	at_8("basket.item-added", LINE_AT_8);
	late_ms = 5 * S_MS;
	at_8("basket.resumed", "{'basket':'1'}");
	late_ms = 0;
	at_8("basket.closed", CLOSE_AT_8);
	assert_kept(ANNA, "a 1 100=100");
	give_back("r", OF("1"), "a", 1, 100);
	assert_kept(ANNA, "=0");
}

/* ---- stories of chance ---- */

#define SALES_MAX 5
#define LINES_MAX 5
#define STEPS_MAX 128

struct told_line {
	int number, article, qty, unit, voided; /* unit: what one costs */
	int back;				/* of qty */
};
struct told_sale {
	struct told_line lines[LINES_MAX];
	int line_count;
};
/* Of a sale, what happens in its turn; returns come whenever they like. */
enum told { TOLD_OPEN, TOLD_CARD, TOLD_LINE, TOLD_VOID, TOLD_CLOSE, TOLD_RETURN };
struct told_step {
	enum told what;
	int sale, line, number, qty, late;
};
struct told_story {
	struct told_sale sales[SALES_MAX];
	int sale_count, step_count, returns;
	struct told_step steps[STEPS_MAX];
};

static void
add_step(struct told_story *story, struct told_step step)
{
	assert_true(story->step_count < STEPS_MAX);
	story->steps[story->step_count++] = step;
}

static void
make_sale(struct dice *dice, struct told_story *story, int s)
{
	struct told_sale *sale = &story->sales[s];
	int prices[4];

	for (int a = 0; a < 4; a++)
		prices[a] = 50 + (int)dice_below(dice, 200);
	sale->line_count = 1 + (int)dice_below(dice, LINES_MAX);
	add_step(story, (struct told_step){ TOLD_OPEN, s, 0, 0, 0, 0 });
	add_step(story, (struct told_step){ TOLD_CARD, s, 0, 0, 0, 0 });
	for (int l = 0; l < sale->line_count; l++) {
		/* One line an article, as a return does not say which line it is of. */
		int article = l == 0 ? 9 : (l + s) % 4;

		/* The first, a bag, never comes back: the visit would have no twin. */
		sale->lines[l] = (struct told_line){ l + 1, article, 1 + (int)dice_below(dice, 3),
			l == 0 ? 10 : prices[article], l > 0 && dice_below(dice, 6) == 0, 0 };
	}
	for (int late = 0; late < 2; late++) {
		for (int l = 0; l < sale->line_count; l++) {
			bool is_late = l > 0 && (l + s) % 3 == 0;

			if (is_late != (late == 1))
				continue;
			add_step(story, (struct told_step){ TOLD_LINE, s, l, 0, 0, 0 });
			if (sale->lines[l].voided)
				add_step(story, (struct told_step){ TOLD_VOID, s, l, 0, 0, 0 });
		}
		if (late == 0)
			add_step(story, (struct told_step){ TOLD_CLOSE, s, 0, 0, 0, 0 });
	}
}

static void
make_returns(struct dice *dice, struct told_story *story)
{
	for (int n = (int)dice_below(dice, 8); n > 0; n--) {
		int s = (int)dice_below(dice, (uint64_t)story->sale_count);
		struct told_sale *sale = &story->sales[s];
		int l = (int)dice_below(dice, (uint64_t)sale->line_count);
		struct told_line *told = &sale->lines[l];
		int left = told->voided || l == 0 ? 0 : told->qty - told->back, qty;

		if (left == 0)
			continue;
		qty = 1 + (int)dice_below(dice, (uint64_t)left);
		told->back += qty;
		story->returns++;
		for (int twice = dice_below(dice, 3) == 0; twice >= 0; twice--)
			add_step(story,
			    (struct told_step){ TOLD_RETURN, s, l, story->returns, qty, 0 });
	}
}

/* Any order that keeps that of each sale. */
static void
shuffle(struct dice *dice, struct told_story *story)
{
	struct told_step out[STEPS_MAX];
	bool used[STEPS_MAX] = { false };

	for (int n = 0; n < story->step_count; n++) {
		int pick;

		do {
			pick = (int)dice_below(dice, (uint64_t)story->step_count);
		} while (used[pick]);
		/* The first of its sale that is left; a return is of no sale. */
		for (int i = 0; i < pick; i++) {
			if (!used[i] && story->steps[pick].what != TOLD_RETURN &&
			    story->steps[i].what != TOLD_RETURN &&
			    story->steps[i].sale == story->steps[pick].sale) {
				pick = i;
				break;
			}
		}
		used[pick] = true;
		out[n] = story->steps[pick];
	}
	memcpy(story->steps, out, sizeof(out));
}

/* net: as if what came back had never been sold, and nothing came back. */
static int
sale_total(const struct told_sale *sale, bool net)
{
	int total = 0;

	for (int l = 0; l < sale->line_count; l++)
		total += sale->lines[l].voided
		    ? 0
		    : (sale->lines[l].qty - (net ? sale->lines[l].back : 0)) * sale->lines[l].unit;
	return total;
}

static void
tell_step(const struct told_story *story, const struct told_step *step, bool net)
{
	const struct told_sale *sale = &story->sales[step->sale];
	const struct told_line *told = &sale->lines[step->line];
	char basket[8], sku[8], number[8], of[32];
	int qty = told->qty - (net ? told->back : 0);

	snprintf(basket, sizeof(basket), "b%d", step->sale);
	snprintf(sku, sizeof(sku), "s%d", told->article);
	snprintf(number, sizeof(number), "r%d", step->number);
	snprintf(of, sizeof(of), "'basket':'%s',", basket);
	switch (step->what) {
	case TOLD_OPEN:
		tell("pos/7/event", "basket.opened", "{'basket':'%s','terminal':'7'}", basket);
		break;
	case TOLD_CARD:
		tell("pos/7/event", "customer.identified",
		    "{'subject':'" ANNA "','station':'7','basket':'%s'}", basket);
		break;
	case TOLD_LINE:
		if (qty > 0)
			buy(basket, told->number, sku, qty, qty * told->unit);
		break;
	case TOLD_VOID:
		tell("pos/7/event", "basket.item-voided", "{'basket':'%s','line':%d}", basket,
		    told->number);
		break;
	case TOLD_CLOSE: close_basket(basket, sale_total(sale, net)); break;
	case TOLD_RETURN:
		if (!net)
			give_back(number, of, sku, step->qty, step->qty * told->unit);
		break;
	}
}

static void
features_policy(void)
{
	a_policy("{}");
	parts.count--; /* its own features, the last part */
	add_part(texts, &parts, "features.json",
	    quoted("{'features':["
		   "{'name':'sum','type':'number','from':'local.sum(half_life=30d)'},"
		   "{'name':'total','type':'number','from':'local.total()'},"
		   "{'name':'visits','type':'number','from':'local.visits()'},"
		   "{'name':'count','type':'number','from':'local.count()'},"
		   "{'name':'q0','type':'number','from':'local.qty(item=s0)'},"
		   "{'name':'v1','type':'number','from':'local.visits(category=c/s1)'},"
		   "{'name':'r2','type':'number','from':'local.recency(item=s2)'},"
		   "{'name':'g3','type':'number','from':'local.gap(category=c/s3)'},"
		   "{'name':'has','type':'bool','from':'local.has(item=s1)'}]}"));
	an_action("look",
	    "{'on':['aisle.basket.item-added'],'personal':true,'applicable':{'missing':['sum','"
	    "total','visits',"
	    "'count','q0','v1','r2','g3','has']}}");
	in_force();
}

/* What a decision reads of her at the end. */
static const char *
features_after(const struct told_story *story, bool net, int restart_at)
{
	json_t *json;
	char *dump;
	const char *copy;

	set_up(NULL);
	anna_agrees();
	for (int i = 0; i < story->step_count; i++) {
		now_ms = T0 + H_MS + i * S_MS;
		tell_step(story, &story->steps[i], net);
		if (i == restart_at)
			assert_int_equal(engine_reload(engine), 0);
	}
	features_policy();
	now_ms = T0 + 2 * D_MS;
	anna_with("now");
	buy("now", 1, "x", 1, 1);
	json = json_loads(record.data, 0, NULL);
	dump =
	    json_dumps(json_object_get(json, "features"), JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
	assert_non_null(dump);
	copy = strdup(dump);
	free(dump);
	json_decref(json);
	tear_down(NULL);
	return copy;
}

/* A sale that closes asks each return that waits for it: neither their number nor their length may
 * hold the turn up. */
static void
many_long_returns_of_one_number_are_bounded_and_asked_in_time(void **state)
{
	struct buf text = { 0 };

	(void)state;
	for (int r = 0; r < 40; r++) {
		struct input input = { .kind = INPUT_MESSAGE,
			.topic = "aisle/v1/0042/pos/7/event" };
		char at[WHEN_TEXT_SIZE];

		when_text(now_ms, at);
		buf_clear(&text);
		buf_addf(&text,
		    "{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"long%d\",\"type\":"
		    "\"aisle.return.completed\",\"time\":\"%s\",\"data\":{\"return\":\"r%d\","
		    "\"basket\":\"b\",\"items\":[",
		    r, at, r);
		for (int i = 0; i < 500; i++)
			buf_addf(&text,
			    "%s{\"sku\":\"s%d\",\"category\":\"c\",\"qty\":1,\"amount\":1}",
			    i > 0 ? "," : "", 400 + i);
		buf_addf(&text, "],\"total\":500,\"currency\":\"EUR\"}}");
		input.payload = text.data;
		input.len = text.len;
		turn(&input);
	}
	buf_done(&text);
	assert_int_equal(dead_letters(), 0);
	assert_int_equal(engine->stray_count, 32);
	open_basket("b");
	for (int i = 0; i < 410; i++)
		buy("b", i + 1, arena_printf(texts, "s%d", i), 2, 10);
	close_basket("b", 4100);
	/* Of ten articles two each came back, of the oldest returns that still wait. */
	assert_int_equal(engine_basket_newest(engine, "7", "b")->back_count, 20);
}

static void
after_any_story_she_is_known_as_if_what_came_back_had_never_been_sold(void **state)
{
	const char *asked = getenv("AISLE_SEQUENCES");
	int sequences = asked != NULL ? atoi(asked) : SEQUENCES, returns = 0;

	(void)state;
	for (int seed = 0; seed < sequences; seed++) {
		struct dice dice = { (uint64_t)seed };
		struct told_story story = { .sale_count = 1 + (int)dice_below(&dice, SALES_MAX) };
		const char *told, *never;

		for (int s = 0; s < story.sale_count; s++)
			make_sale(&dice, &story, s);
		make_returns(&dice, &story);
		shuffle(&dice, &story);
		told = features_after(&story, false, (int)dice_below(&dice, STEPS_MAX));
		never = features_after(&story, true, -1);
		if (strcmp(told, never) != 0)
			fail_msg("seed %d\n%s\n%s", seed, told, never);
		returns += story.returns;
		free((void *)(uintptr_t)told);
		free((void *)(uintptr_t)never);
	}
	assert_true(returns > sequences);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(goods_that_come_back_leave_the_history),
		SPINE_TEST(what_was_bought_in_one_writing_comes_back_in_any_other),
		SPINE_TEST(part_of_a_line_leaves_its_share),
		SPINE_TEST(of_lines_of_one_article_the_one_that_is_named_best_leaves),
		SPINE_TEST_ON_DISK(a_visit_of_which_all_came_back_stays_a_visit),
		SPINE_TEST(a_return_counts_once_whatever_its_event_is_called),
		SPINE_TEST(no_more_comes_back_than_was_sold),
		SPINE_TEST(who_bought_it_is_without_it_whoever_brings_it_back),
		SPINE_TEST(without_a_card_the_return_is_of_who_bought_it),
		SPINE_TEST(with_a_card_alone_the_newest_purchases_that_have_it_are_without_it),
		SPINE_TEST_ON_DISK(a_sale_that_the_state_has_let_go_is_reduced_by_its_purchase),
		SPINE_TEST(a_sale_is_known_by_its_number_as_long_as_its_decisions),
		SPINE_TEST(a_number_that_is_too_old_is_found_by_the_card_once_the_wait_is_over),
		SPINE_TEST_ON_DISK(a_return_waits_for_its_sale),
		SPINE_TEST(a_line_that_comes_after_the_close_and_the_return_is_without_it_too),
		SPINE_TEST(a_return_by_card_waits_for_a_purchase_that_is_heard_of_later),
		SPINE_TEST(what_is_bought_in_exchange_is_not_what_came_back),
		SPINE_TEST_ON_DISK(what_finds_no_sale_in_three_days_is_given_up),
		SPINE_TEST(what_can_find_no_sale_does_not_wait),
		SPINE_TEST(of_a_customer_who_is_forgotten_nothing_waits),
		SPINE_TEST(a_sale_that_is_cancelled_takes_its_purchase_with_its_returns),
		SPINE_TEST_ON_DISK(a_return_by_number_finds_whose_card_it_became),
		SPINE_TEST_ON_DISK(a_return_by_card_waits_for_whose_card_it_became),
		SPINE_TEST(cards_that_are_merged_again_do_not_bring_back_what_came_back),
		SPINE_TEST(what_was_bought_and_came_back_is_returned_with_its_amount),
		SPINE_TEST(what_came_back_of_two_lines_is_returned_with_what_came_back_of_each),
		SPINE_TEST(what_stays_in_part_was_bought),
		SPINE_TEST(what_comes_back_before_the_window_ends_was_not_bought),
		SPINE_TEST(what_was_bought_later_for_a_card_and_came_back_is_returned_too),
		SPINE_TEST(what_was_redeemed_is_returned_by_its_share),
		SPINE_TEST(many_long_returns_of_one_number_are_bounded_and_asked_in_time),
		SPINE_TEST(what_came_back_uses_up_no_cap),
		SPINE_TEST(the_till_may_reverse_what_was_returned),
		SPINE_TEST(a_cancelled_sale_has_nothing_that_was_bought),
		SPINE_TEST(a_sale_that_was_found_to_be_recalled_was_sold_when_it_was_closed),
		SPINE_TEST(its_number_and_those_of_before_are_found_though_its_second_half_is_gone),
		SPINE_TEST_ON_DISK(more_than_a_sale_had_is_taken_off_no_other_of_its_number),
		SPINE_TEST(more_than_a_sale_had_waits_for_none_of_its_number_at_another_till),
		SPINE_TEST(
		    a_line_before_the_recall_is_part_of_the_sale_and_comes_back_by_its_number),
		cmocka_unit_test(
		    after_any_story_she_is_known_as_if_what_came_back_had_never_been_sold),
	};

	hear_sales = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
