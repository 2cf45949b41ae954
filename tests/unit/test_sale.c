/* SPDX-License-Identifier: Apache-2.0
 *
 * test_sale.c - what headquarters hears of every sale: its figures, whose it was, in which arm.
 */
#include "random_fixture.h"
#include "spine_story.h"

/* AISLE_SEQUENCES: how many stories of chance; more than the default in long runs. */
#define SEQUENCES 100

static void
line_of(const char *basket, int number, const char *category, int qty, int amount, const char *more)
{
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'%s','line':%d,'sku':'s%d','category':'%s','qty':%d,'amount':%d,"
	    "'currency':'EUR'%s}",
	    basket, number, number, category, qty, amount, more);
}

static void
give_back(const char *number, const char *more, int line_number, int qty, int amount)
{
	tell("pos/7/event", "return.completed",
	    "{'return':'%s',%s'items':[{'sku':'s%d','category':'c','qty':%d,'amount':%d}],"
	    "'total':%d,'currency':'EUR'}",
	    number, more, line_number, qty, amount, amount);
}

/* The figures of the last sale that was heard of. */
static const char *
figures(void)
{
	static const char *const names[] = { "gross", "discount", "margin", "returned", "lines",
		"shown" };
	json_t *json;
	struct buf text = { 0 };
	const char *copy, *name;
	int64_t number;

	heard(LANE_MONEY);
	json = json_loads(heard_last, 0, NULL);
	assert_non_null(json);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		name = names[i];
		if (json_int(json_object_get(json, name), &number))
			buf_addf(&text, "%s%s %lld", text.len > 0 ? ", " : "", name,
			    (long long)number);
	}
	copy = arena_strdup(texts, text.data);
	buf_done(&text);
	json_decref(json);
	return copy;
}
#define assert_figures(text) assert_string_equal(figures(), text)

static void
assert_in_record(const char *part)
{
	heard(LANE_MONEY);
	if (strstr(heard_last, quoted(part)) == NULL)
		fail_msg("%s\nis not in\n%s", part, heard_last);
}

static void
assert_not_in_record(const char *part)
{
	heard(LANE_MONEY);
	assert_null(strstr(heard_last, quoted(part)));
}

/* Two lines with a margin, the second with a discount of the till's own. */
static void
sold(const char *basket)
{
	open_basket(basket);
	line_of(basket, 1, "c", 2, 500, ",'margin':150");
	line_of(basket, 2, "d", 1, 270,
	    ",'margin':70,'discounts':[{'ref':'happy-hour','amount':30}]");
	close_basket(basket, 770);
}

static void
anna_at(const char *basket)
{
	open_basket(basket);
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" ANNA "','station':'7','basket':'%s'}", basket);
}

/* ---- its figures ---- */

static void
a_silent_sale_to_a_stranger_is_heard_of_whole(void **state)
{
	(void)state;
	sold("b");
	assert_heard(LANE_MONEY, "sale");
	assert_figures("gross 800, discount 30, margin 220, lines 2, shown 0");
	assert_in_record("'basket':'b','at':'2026-11-21T10:00:00.000Z','station':'7','gross':800,'"
			 "discount':30,"
			 "'margin':220,'lines':2,'arms':{},'control':false,'shown':0}");
}

static void
a_line_without_a_margin_leaves_the_sale_without_one(void **state)
{
	(void)state;
	open_basket("b");
	line_of("b", 1, "c", 1, 100, ",'margin':40");
	line_of("b", 2, "c", 1, 100, "");
	close_basket("b", 200);
	assert_figures("gross 200, discount 0, lines 2, shown 0");
}

static void
what_changes_after_the_close_is_told_with_the_whole_new_figures(void **state)
{
	(void)state;
	sold("b");
	line_of("b", 3, "e", 1, 30, ",'margin':10");
	assert_figures("gross 830, discount 30, margin 230, lines 3, shown 0");
	tell("pos/7/event", "basket.item-voided", "{'basket':'b','line':1}");
	assert_figures("gross 330, discount 30, margin 80, lines 2, shown 0");
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	assert_figures("gross 0, discount 0, margin 0, lines 0, shown 0");
}

/* Heard of after the close: what was told, bought and paid with is taken back. */
static void
a_sale_that_turns_out_to_be_training_is_taken_back_with_its_money(void **state)
{
	(void)state;
	only("off",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'2d'},'offer':{'type':'amount',"
	    "'depth':40,'max':40,'apply':'till-code','until':'0d'},"
	    "'budget':{'money':1000,'per':'store-day'}}");
	line_of("b", 1, "c", 2, 500, ",'margin':150");
	assert_int_equal(answer("off", "accept"), 200);
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	close_basket("b", 460);
	assert_figures("gross 500, discount 40, margin 110, lines 1, shown 0");
	assert_int_equal(hold_today(engine, "off").day_money_minor, 40);
	tell("pos/7/event", "basket.opened", "{'basket':'b','terminal':'7','training':true}");
	assert_heard(LANE_MONEY, "reversed 40; sale");
	assert_figures("gross 0, discount 0, margin 0, lines 0, shown 0");
	assert_int_equal(hold_today(engine, "off").day_money_minor, 0);
}

static void
a_basket_that_was_not_paid_or_was_for_training_is_no_sale(void **state)
{
	(void)state;
	open_basket("b");
	scan("b", "c", 100);
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	tell("pos/7/event", "basket.opened", "{'basket':'t','terminal':'7','training':true}");
	scan("t", "c", 100);
	close_basket("t", 100);
	assert_heard(LANE_MONEY, "");
}

static void
goods_that_are_marked_are_in_no_figure(void **state)
{
	(void)state;
	a_policy("{'sensitive':['category=beer'],'no_promotion':['category=lottery']}");
	an_action("a", "{}");
	in_force();
	open_basket("b");
	line_of("b", 3, "lottery", 1, 200, ",'margin':20");
	line_of("b", 1, "c", 1, 100, ",'margin':40");
	line_of("b", 2, "beer/pils", 1, 90, "");
	close_basket("b", 390);
	assert_figures("gross 100, discount 0, margin 40, lines 1, shown 0");
	tell("pos/7/event", "return.completed",
	    "{'return':'r','basket':'b','items':[{'sku':'s2','category':'beer/pils','qty':1,"
	    "'amount':90}],'total':90,'currency':'EUR'}");
	assert_figures("gross 100, discount 0, margin 40, lines 1, shown 0");
	tell("pos/7/event", "return.completed",
	    "{'return':'q','items':[{'sku':'s9','category':'beer','qty':1,'amount':90}],'total':90,"
	    "'currency':'EUR'}");
	assert_heard(LANE_MONEY, "");
}

/* ---- goods that come back ---- */

static void
what_came_back_is_in_no_other_figure(void **state)
{
	(void)state;
	sold("b");
	give_back("r", "'basket':'b',", 1, 1, 250);
	assert_figures("gross 550, discount 30, margin 145, returned 250, lines 2, shown 0");
	give_back("q", "'basket':'b',", 2, 1, 270);
	assert_figures("gross 250, discount 0, margin 75, returned 520, lines 1, shown 0");
}

static void
a_return_without_its_sale_stands_alone_until_it_finds_it(void **state)
{
	(void)state;
	give_back("r", "'basket':'b',", 1, 2, 500);
	assert_in_record("{'visit':'r','basket':'b','at':'2026-11-21T10:00:00.000Z','station':'7',"
			 "'gross':-500,'discount':0,'margin':0,'returned':500,'lines':0,'arms':{},"
			 "'control':false,'shown':0}");
	sold("b");
	assert_heard(LANE_MONEY, "sale; sale; sale");
	assert_in_record("{'visit':'r','basket':'b','at':'2026-11-21T10:00:00.000Z','station':'7',"
			 "'gross':0,'discount':0,'margin':0,'lines':0,");
}

static void
a_return_of_a_sale_that_is_not_kept_any_more_stands_alone_for_good(void **state)
{
	(void)state;
	grant(ANNA, "profile");
	anna_at("b");
	line_of("b", 1, "c", 1, 100, "");
	close_basket("b", 100);
	now_ms += 100 * D_MS;
	while (room_make(engine, now_ms) > 0)
		;
	give_back("r", "'subject':'" ANNA "',", 1, 1, 100);
	assert_int_equal(customer(ANNA)->purchases[0].line_count, 0);
	assert_in_record("{'visit':'r','basket':'','at':");
	assert_in_record("'subject':'" ANNA "','station':'7','gross':-100,'discount':0,");
}

/* ---- offers ---- */

/* What the till took off by a token, before or after the close. */
static void
paid_with_an_offer(void)
{
	only("off", "{" OFFER_OF("") "}");
	anna_at("b");
	line_of("b", 1, "c", 2, 500, ",'margin':150");
	assert_int_equal(show("off", true), 200);
	assert_int_equal(answer("off", "accept"), 200);
	tell("pos/7/event", "offer.applied", "{'basket':'b','token':'%s','amount':40}", token);
}

static void
what_an_offer_took_off_beside_the_lines_is_discount_and_costs_margin(void **state)
{
	(void)state;
	paid_with_an_offer();
	close_basket("b", 460);
	assert_figures("gross 500, discount 0, margin 150, lines 1, shown 1");
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	assert_figures("gross 500, discount 40, margin 110, lines 1, shown 1");
	tell("pos/7/event", "offer.reversed", "{'basket':'b','token':'%s','amount':15}", token);
	assert_figures("gross 500, discount 25, margin 125, lines 1, shown 1");
}

static void
what_an_offer_took_off_in_a_line_is_counted_once(void **state)
{
	(void)state;
	paid_with_an_offer();
	line_of("b", 1, "c", 2, 460,
	    arena_printf(texts,
		",'margin':110,'discounts':[{'ref':'%s','amount':40},{'ref':'x','amount':0}]",
		token));
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	close_basket("b", 460);
	assert_figures("gross 500, discount 40, margin 110, lines 1, shown 1");
}

/* A promotion of the till's own whose name looks like a token. */
#define LIKE_A_TOKEN "01ARZ3NDEKTSV4RRFFQ69G5FAV"

static void
a_tills_own_promotion_is_none_of_ours_whatever_its_name(void **state)
{
	(void)state;
	paid_with_an_offer();
	line_of("b", 2, "d", 1, 270,
	    ",'margin':70,'discounts':[{'ref':'" LIKE_A_TOKEN "','amount':30}]");
	assert_null(visit_of("b")->lines[1].own);
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	close_basket("b", 730);
	assert_figures("gross 800, discount 70, margin 180, lines 2, shown 1");
}

/* What one token took off in lines is nothing of what another took off beside them. */
static void
each_offer_is_in_the_lines_or_beside_them_for_itself(void **state)
{
	char first[ID_TEXT_SIZE];

	(void)state;
	paid_with_an_offer();
	memcpy(first, token, sizeof(first));
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", first);
	line_of("b", 2, "d", 1, 240,
	    arena_printf(texts, ",'margin':70,'discounts':[{'ref':'%s','amount':60}]", first));
	/* More than it was booked at is nobody else's. */
	visit_of("b")->elsewhere_minor = 25;
	close_basket("b", 715);
	assert_figures("gross 800, discount 85, margin 195, lines 2, shown 1");
}

static void
a_token_of_an_earlier_basket_that_is_in_a_line_is_counted_once(void **state)
{
	(void)state;
	only("off",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'2d'},'offer':{'type':'amount',"
	    "'depth':40,'max':40,'apply':'till-code','until':'2d'}}");
	anna_at("b");
	line_of("b", 1, "c", 2, 500, ",'margin':150");
	assert_int_equal(answer("off", "accept"), 200);
	close_basket("b", 500);
	now_ms += H_MS;
	open_basket("d");
	line_of("d", 1, "c", 1, 260,
	    arena_printf(texts, ",'margin':50,'discounts':[{'ref':'%s','amount':40}]", token));
	tell("pos/7/event", "offer.redeemed", "{'basket':'d','token':'%s','amount':40}", token);
	close_basket("d", 260);
	assert_figures("gross 300, discount 40, margin 50, lines 1, shown 0");
}

static void
a_token_that_is_redeemed_in_a_later_basket_is_discount_of_that(void **state)
{
	(void)state;
	only("off",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'2d'},'offer':{'type':'amount',"
	    "'depth':40,'max':40,'apply':'till-code','until':'2d'}}");
	anna_at("b");
	line_of("b", 1, "c", 2, 500, ",'margin':150");
	assert_int_equal(answer("off", "accept"), 200);
	close_basket("b", 500);
	heard(LANE_MONEY);
	now_ms += H_MS;
	open_basket("d");
	line_of("d", 1, "c", 1, 300, ",'margin':90");
	tell("pos/7/event", "offer.redeemed", "{'basket':'d','token':'%s','amount':40}", token);
	close_basket("d", 260);
	assert_figures("gross 300, discount 40, margin 50, lines 1, shown 0");
	assert_in_record("'basket':'d'");
	tell("pos/7/event", "offer.reversed", "{'basket':'d','token':'%s','amount':40}", token);
	assert_heard(LANE_MONEY, "reversed 40; sale; sale");
}

/* Of its own cards; less what came back of it before. */
static void
what_a_sale_was_paid_with_stands_when_the_next_of_its_number_is_cancelled(void **state)
{
	(void)state;
	paid_with_an_offer();
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	tell("pos/7/event", "offer.reversed", "{'basket':'b','token':'%s','amount':15}", token);
	tell("pos/7/event", "offer.applied", "{'basket':'b','token':'%s','amount':30}", token);
	heard(LANE_MONEY);
	close_after_the_next_is_cancelled("b", 475);
	assert_heard(LANE_MONEY, "reversed 25; redeemed 25; sale");
	assert_figures("gross 500, discount 25, margin 125, lines 1, shown 1");
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	assert_figures("gross 500, discount 25, margin 125, lines 1, shown 1");
}

/* Of a card of an earlier basket, whichever of the two it was used in. */
static void
a_token_that_lives_on_is_taken_back_with_the_sale_that_it_was_used_in(void **state)
{
	for (int next = 0; next < 2; next++) {
		tear_down(state);
		set_up(state);
		only("off",
		    "{'kind':'offer','outcome':{'is':'redeemed','within':'2d'},'offer':{'type':"
		    "'amount','depth':40,'max':40,'apply':'till-code','until':'2d'}}");
		anna_at("b");
		line_of("b", 1, "c", 2, 500, ",'margin':150");
		assert_int_equal(answer("off", "accept"), 200);
		close_basket("b", 500);
		now_ms += H_MS;
		open_basket("d");
		line_of("d", 1, "c", 1, 300, ",'margin':90");
		now_ms += next ? 2 : 0;
		if (next)
			open_basket("d");
		tell("pos/7/event", "offer.redeemed", "{'basket':'d','token':'%s','amount':40}",
		    token);
		now_ms++;
		if (next)
			tell("pos/7/event", "basket.cancelled", "{'basket':'d'}");
		late_ms = next ? 2 : 0;
		if (next)
			close_basket("d", 300);
		else
			close_after_the_next_is_cancelled("d", 260);
		late_ms = 0;
		assert_figures(next ? "gross 300, discount 0, margin 90, lines 1, shown 0"
				    : "gross 300, discount 40, margin 50, lines 1, shown 0");
	}
}

static void
the_discount_that_lay_on_what_came_back_comes_back_once(void **state)
{
	(void)state;
	paid_with_an_offer();
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	close_basket("b", 460);
	give_back("r", "'basket':'b',", 1, 1, 230);
	assert_figures("gross 250, discount 20, margin 55, returned 250, lines 1, shown 1");
	tell("pos/7/event", "offer.reversed", "{'basket':'b','token':'%s','amount':20}", token);
	assert_figures("gross 250, discount 20, margin 55, returned 250, lines 1, shown 1");
	tell("pos/7/event", "offer.reversed", "{'basket':'b','token':'%s','amount':20}", token);
	assert_figures("gross 250, discount 0, margin 75, returned 250, lines 1, shown 1");
}

/* ---- whose it was ---- */

static void
only_who_wants_to_be_remembered_is_named(void **state)
{
	(void)state;
	anna_at("b");
	scan("b", "c", 100);
	close_basket("b", 100);
	assert_not_in_record("subject");
	grant(ANNA, "profile");
	anna_at("d");
	scan("d", "c", 100);
	close_basket("d", 100);
	assert_in_record("'subject':'" ANNA "','station'");
	assert_not_in_record("mixed");
	tell("loyalty/desk/event", "customer.merged", "{'subject':'" BEN "','into':'" ANNA "'}");
	anna_at("e");
	scan("e", "c", 100);
	close_basket("e", 100);
	assert_in_record("'shown':0,'mixed':true}");
}

static int
count_named(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	int *counts = ctx;

	(void)seq;
	(void)at_ms;
	counts[0] += strcmp(type, "sale") == 0;
	counts[1] += memmem(body, len, ANNA, strlen(ANNA)) != NULL;
	counts[2] += memmem(body, len, BEN, strlen(BEN)) != NULL;
	return 0;
}

static void
who_is_forgotten_leaves_the_sales_that_wait_and_the_sales_stay(void **state)
{
	struct input input = { .kind = INPUT_FORGET, .subject = subject_of(ANNA) };
	int counts[3] = { 0 };
	char basket[16];

	(void)state;
	grant(ANNA, "profile");
	grant(BEN, "profile");
	for (int i = 0; i < 200; i++) {
		snprintf(basket, sizeof(basket), "b%d", i);
		open_basket(basket);
		tell("pos/7/event", "customer.identified",
		    "{'subject':'%s','station':'7','basket':'%s'}", i % 2 == 0 ? ANNA : BEN,
		    basket);
		scan(basket, "c", 100);
		close_basket(basket, 100);
	}
	turn(&input);
	assert_int_equal(store_uplink_each(engine->store, LANE_MONEY, 0, 1000, count_named, counts),
	    0);
	assert_int_equal(counts[0], 200);
	assert_int_equal(counts[1], 0);
	assert_int_equal(counts[2], 100);
}

static void
arms_and_control_are_those_of_the_close(void **state)
{
	static const char tests[] =
	    "{'experiments':[{'experiment':'x','unit':'customer','salt':'" SALT "','share':1,"
	    "'arms':{'%s':{'weight':1}}}]}";

	(void)state;
	for (int later = 0; later < 2; later++) {
		parts.count = 0;
		a_policy(later ? "{}" : "{'control':{'share':1}}");
		an_action("a", "{}");
		add_part(texts, &parts, "experiments.json",
		    quoted(arena_printf(texts, tests, later ? "new" : "old")));
		in_force();
		if (later == 0) {
			anna_at("b");
			scan("b", "c", 100);
			close_basket("b", 100);
		} else {
			line_of("b", 9999, "c", 1, 100, "");
		}
		assert_in_record("'arms':{'x':'old'},'control':true,");
	}
}

static void
where_only_aggregates_go_up_no_sale_does(void **state)
{
	struct err err = { 0 };

	(void)state;
	engine_close(engine);
	conf.uplink_aggregates = true;
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	sold("b");
	give_back("r", "", 1, 1, 250);
	assert_heard(LANE_MONEY, "");
}

/* ---- in two halves ---- */

static void
at_8(const char *type, const char *more)
{
	now_ms += S_MS;
	tell("pos/8/event", type, "{'basket':'b'%s}", more);
}

static void
line_at_8(void)
{
	at_8("basket.item-added",
	    ",'line':9,'sku':'s9','category':'c','qty':1,'amount':300,'margin':90,'currency':'"
	    "EUR'");
}

/* Till 7 is cut off; its sale goes on at till 8, where an offer is taken that is good until it ends. */
static void
an_offer_in_the_second_half(const char *until)
{
	only("off",
	    arena_printf(texts,
		"{'kind':'offer','outcome':{'is':'redeemed','within':'2d'},'offer':{'type':'amount'"
		",'depth':40,"
		"'max':40,'apply':'till-code','until':'%s'}}",
		until));
	open_basket("b");
	line_of("b", 1, "c", 2, 500, ",'margin':150");
	now_ms += 10 * S_MS;
	at_8("basket.resumed", "");
	line_at_8();
	assert_said("guidance 8: off");
	assert_int_equal(show("off", true), 200);
	assert_int_equal(answer("off", "accept"), 200);
	heard(LANE_MONEY);
}

static void
till_7_is_heard_again(void)
{
	late_ms = now_ms - (T0 + 5 * S_MS);
	tell("pos/7/event", "basket.suspended", "{'basket':'b'}");
	late_ms = 0;
}

static void
pay_at_8(void)
{
	at_8("offer.redeemed", arena_printf(texts, ",'token':'%s','amount':40", token));
	at_8("basket.closed", ",'total':760,'currency':'EUR'");
}

#define WHOLE "gross 800, discount 40, margin 200, lines 2, shown 1"

static void
what_was_paid_in_the_second_half_is_of_the_sale_whichever_half_was_heard_of_first(void **state)
{
	const char *own;

	(void)state;
	an_offer_in_the_second_half("0d");
	own = arena_strdup(texts, token);
	pay_at_8();
	assert_figures("gross 300, discount 40, margin 50, lines 1, shown 1");
	till_7_is_heard_again();
	/* The half is none any more. */
	assert_heard(LANE_MONEY, "sale; sale");
	assert_string_equal(token, own);
	at_8("offer.reversed", arena_printf(texts, ",'token':'%s','amount':15", token));
	assert_heard(LANE_MONEY, "reversed 15; sale");
	assert_figures("gross 800, discount 25, margin 215, lines 2, shown 1");
	at_8("basket.cancelled", "");
	assert_heard(LANE_MONEY, "reversed 25; sale");
	assert_figures("gross 0, discount 0, margin 0, lines 0, shown 1");
	assert_int_equal(hold_today(engine, "off").day_money_minor, 0);
}

static void
what_was_agreed_in_the_second_half_still_is(void **state)
{
	(void)state;
	an_offer_in_the_second_half("0d");
	till_7_is_heard_again();
	assert_said("withdraw 7 replaced; withdraw 8 replaced; guidance 8: off(asked)");
	pay_at_8();
	assert_figures(WHOLE);
}

/* Who the customer is, till 7 had known: what was said to a stranger was said to them, and is bought once. */
static void
what_was_said_in_the_second_half_was_said_to_the_customer_of_the_first(void **state)
{
	const struct contacts *contacts;
	int bought = 0;

	(void)state;
	only("a",
	    "{'kind':'remind','outcome':{'is':'bought','within':'0d','item':{'category':'m'}}}");
	anna_at("b");
	now_ms += 10 * S_MS;
	at_8("basket.resumed", "");
	line_at_8();
	assert_said("guidance 8: a");
	at_8("basket.item-added",
	    ",'line':10,'sku':'m','category':'m','qty':1,'amount':100,'currency':'EUR'");
	at_8("basket.closed", ",'total':400,'currency':'EUR'");
	assert_heard(LANE_DECISION, "decision; decision; bought 100; withdrawn (closed)");
	assert_int_equal(customer(ANNA)->contacts.count, 0);
	till_7_is_heard_again();
	assert_heard(LANE_DECISION, "");
	contacts = &customer(ANNA)->contacts;
	for (size_t i = 0; i < contacts->count; i++)
		bought += contacts->rows[i].outcome == OUTCOME_BOUGHT;
	assert_int_equal(bought, 1);
}

/* Paid with in a later basket: the post-void of that takes it back. */
static void
a_token_of_the_second_half_is_followed_to_where_it_was_paid_with(void **state)
{
	(void)state;
	an_offer_in_the_second_half("2d");
	at_8("basket.closed", ",'total':800,'currency':'EUR'");
	open_basket("d");
	line_of("d", 1, "c", 1, 300, ",'margin':90");
	tell("pos/7/event", "offer.redeemed", "{'basket':'d','token':'%s','amount':40}", token);
	close_basket("d", 260);
	till_7_is_heard_again();
	heard(LANE_MONEY);
	tell("pos/7/event", "basket.cancelled", "{'basket':'d'}");
	assert_heard(LANE_MONEY, "reversed 40; sale; sale; sale");
	assert_figures("gross 0, discount 0, margin 0, lines 0, shown 0");
}

/* And one of before that was paid with in it. */
static void
a_token_that_was_paid_with_in_the_second_half_comes_back_with_the_sale(void **state)
{
	(void)state;
	only("off",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'2d'},'offer':{'type':'amount',"
	    "'depth':40,'max':40,'apply':'till-code','until':'2d'}}");
	open_basket("a");
	line_of("a", 1, "c", 1, 10, "");
	assert_int_equal(answer("off", "accept"), 200);
	close_basket("a", 10);
	open_basket("b");
	line_of("b", 1, "c", 2, 500, ",'margin':150");
	now_ms += 10 * S_MS;
	at_8("basket.resumed", "");
	line_at_8();
	pay_at_8();
	till_7_is_heard_again();
	assert_figures("gross 800, discount 40, margin 200, lines 2, shown 0");
	at_8("basket.cancelled", "");
	assert_figures("gross 0, discount 0, margin 0, lines 0, shown 0");
}

/* ---- stories of chance ---- */

#define BASKETS_MAX 6
#define LINES_MAX 6

struct own_line {
	int qty, amount, margin, discount, back;
	bool voided, marked;
};

/* What the tills themselves know. */
struct own_basket {
	struct own_line lines[LINES_MAX];
	int count;
};

static void
a_basket_of_chance(struct dice *dice, int b, struct own_basket *own)
{
	char basket[8], more[96];
	int total = 0;

	snprintf(basket, sizeof(basket), "b%d", b);
	own->count = 1 + (int)dice_below(dice, LINES_MAX - 1);
	open_basket(basket);
	for (int l = 0; l < own->count; l++) {
		struct own_line *one = &own->lines[l];
		int qty = 1 + (int)dice_below(dice, 4);

		*one = (struct own_line){ .qty = qty,
			.amount = qty * (50 + (int)dice_below(dice, 300)),
			.margin = qty * (int)dice_below(dice, 90),
			.discount = qty * (int)dice_below(dice, 20),
			.marked = dice_below(dice, 4) == 0 };
		total += one->amount;
		snprintf(more, sizeof(more), ",'margin':%d,'discounts':[{'ref':'d','amount':%d}]",
		    one->margin, one->discount);
		line_of(basket, l + 1, one->marked ? "beer" : "c", one->qty, one->amount, more);
	}
	close_basket(basket, total);
}

static void
something_happens(struct dice *dice, int step, int b, struct own_basket *own)
{
	int l = (int)dice_below(dice, (uint64_t)own->count), left, qty;
	struct own_line *one = &own->lines[l];
	char basket[32], number[16];

	left = one->voided ? 0 : one->qty - one->back;
	if (left == 0)
		return;
	snprintf(basket, sizeof(basket), "'basket':'b%d',", b);
	snprintf(number, sizeof(number), "r%d", step);
	if (one->back == 0 && dice_below(dice, 3) == 0) {
		tell("pos/7/event", "basket.item-voided", "{%s'line':%d}", basket, l + 1);
		one->voided = true;
		return;
	}
	qty = 1 + (int)dice_below(dice, (uint64_t)left);
	give_back(number, basket, l + 1, qty, qty * one->amount / one->qty);
	one->back += qty;
}

struct newest {
	struct {
		char visit[64];
		int64_t margin, takings;
	} sales[BASKETS_MAX + 64];
	size_t count;
};

static int
take_sale(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	struct newest *newest = ctx;
	json_t *json = json_loadb(body, len, 0, NULL);
	size_t i = 0;

	(void)seq;
	(void)at_ms;
	if (strcmp(type, "sale") == 0) {
		while (i < newest->count &&
		    strcmp(newest->sales[i].visit, text_of(json, "visit")) != 0)
			i++;
		snprintf(newest->sales[i].visit, sizeof(newest->sales[i].visit), "%s",
		    text_of(json, "visit"));
		newest->sales[i].margin = json_integer_value(json_object_get(json, "margin"));
		newest->sales[i].takings = json_integer_value(json_object_get(json, "gross")) -
		    json_integer_value(json_object_get(json, "discount"));
		newest->count = i == newest->count ? i + 1 : newest->count;
	}
	json_decref(json);
	return 0;
}

static void
the_newest_records_add_up_to_what_the_tills_own_lines_say(void **state)
{
	const char *asked = getenv("AISLE_SEQUENCES");
	int sequences = asked != NULL ? atoi(asked) : SEQUENCES;

	(void)state;
	for (int seed = 0; seed < sequences; seed++) {
		struct dice dice = { (uint64_t)seed };
		struct own_basket own[BASKETS_MAX] = { 0 };
		struct newest newest = { .count = 0 };
		int64_t margin = 0, takings = 0;

		set_up(NULL);
		a_policy("{'sensitive':['category=beer']}");
		an_action("a", "{}");
		in_force();
		for (int b = 0; b < BASKETS_MAX; b++)
			a_basket_of_chance(&dice, b, &own[b]);
		for (int step = 0; step < 12; step++) {
			int b = (int)dice_below(&dice, BASKETS_MAX);

			something_happens(&dice, step, b, &own[b]);
		}
		for (int b = 0; b < BASKETS_MAX; b++) {
			for (int l = 0; l < own[b].count; l++) {
				const struct own_line *one = &own[b].lines[l];
				int kept = one->qty - one->back;

				if (one->voided || one->marked)
					continue;
				margin += one->margin / one->qty * kept;
				takings += one->amount / one->qty * kept;
			}
		}
		assert_int_equal(store_uplink_each(engine->store, LANE_MONEY, 0, 1000, take_sale,
				     &newest),
		    0);
		for (size_t i = 0; i < newest.count; i++) {
			margin -= newest.sales[i].margin;
			takings -= newest.sales[i].takings;
		}
		if (margin != 0 || takings != 0)
			fail_msg("seed %d: margin off by %lld, takings by %lld", seed,
			    (long long)margin, (long long)takings);
		tear_down(NULL);
	}
}

/* In one line or in many: each token's part is reckoned for itself. */
static void
what_two_offers_took_off_in_many_lines_is_counted_once_for_each(void **state)
{
	char first[ID_TEXT_SIZE], second[ID_TEXT_SIZE];

	(void)state;
	a_policy("{}");
	an_action("off", "{" OFFER_OF("") "}");
	an_action("too", "{'group':'h'," OFFER_OF("") "}");
	in_force();
	anna_at("b");
	line_of("b", 1, "c", 1, 500, "");
	assert_int_equal(answer("off", "accept"), 200);
	snprintf(first, sizeof(first), "%s", token);
	assert_int_equal(answer("too", "accept"), 200);
	snprintf(second, sizeof(second), "%s", token);
	line_of("b", 1, "c", 1, 475,
	    arena_printf(texts, ",'discounts':[{'ref':'%s','amount':15},{'ref':'%s','amount':10}]",
		first, second));
	line_of("b", 2, "c", 1, 480,
	    arena_printf(texts, ",'discounts':[{'ref':'%s','amount':20}]", first));
	for (int i = 0; i < 20; i++)
		line_of("b", 3 + i, "c", 1, 10,
		    arena_printf(texts, ",'discounts':[{'ref':'%s','amount':1}]", second));
	close_basket("b", 1155);
	assert_figures("gross 1220, discount 65, lines 22, shown 0");
	/* Of 40 each 35 and 30 are in the lines. */
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", first);
	assert_figures("gross 1220, discount 70, lines 22, shown 0");
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", second);
	assert_figures("gross 1220, discount 80, lines 22, shown 0");
	tell("pos/7/event", "offer.reversed", "{'basket':'b','token':'%s','amount':8}", second);
	assert_figures("gross 1220, discount 72, lines 22, shown 0");
	tell("pos/7/event", "offer.reversed", "{'basket':'b','token':'%s','amount':9}", second);
	assert_figures("gross 1220, discount 70, lines 22, shown 0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(what_two_offers_took_off_in_many_lines_is_counted_once_for_each),
		SPINE_TEST(a_silent_sale_to_a_stranger_is_heard_of_whole),
		SPINE_TEST(a_line_without_a_margin_leaves_the_sale_without_one),
		SPINE_TEST(what_changes_after_the_close_is_told_with_the_whole_new_figures),
		SPINE_TEST(a_sale_that_turns_out_to_be_training_is_taken_back_with_its_money),
		SPINE_TEST(a_basket_that_was_not_paid_or_was_for_training_is_no_sale),
		SPINE_TEST(goods_that_are_marked_are_in_no_figure),
		SPINE_TEST(what_came_back_is_in_no_other_figure),
		SPINE_TEST(a_return_without_its_sale_stands_alone_until_it_finds_it),
		SPINE_TEST(a_return_of_a_sale_that_is_not_kept_any_more_stands_alone_for_good),
		SPINE_TEST(
		    what_was_paid_in_the_second_half_is_of_the_sale_whichever_half_was_heard_of_first),
		SPINE_TEST(what_was_agreed_in_the_second_half_still_is),
		SPINE_TEST(what_was_said_in_the_second_half_was_said_to_the_customer_of_the_first),
		SPINE_TEST(a_token_of_the_second_half_is_followed_to_where_it_was_paid_with),
		SPINE_TEST(a_token_that_was_paid_with_in_the_second_half_comes_back_with_the_sale),
		SPINE_TEST(what_an_offer_took_off_beside_the_lines_is_discount_and_costs_margin),
		SPINE_TEST(what_an_offer_took_off_in_a_line_is_counted_once),
		SPINE_TEST(a_tills_own_promotion_is_none_of_ours_whatever_its_name),
		SPINE_TEST(each_offer_is_in_the_lines_or_beside_them_for_itself),
		SPINE_TEST(a_token_of_an_earlier_basket_that_is_in_a_line_is_counted_once),
		SPINE_TEST(a_token_that_is_redeemed_in_a_later_basket_is_discount_of_that),
		SPINE_TEST(
		    what_a_sale_was_paid_with_stands_when_the_next_of_its_number_is_cancelled),
		SPINE_TEST(a_token_that_lives_on_is_taken_back_with_the_sale_that_it_was_used_in),
		SPINE_TEST(the_discount_that_lay_on_what_came_back_comes_back_once),
		SPINE_TEST(only_who_wants_to_be_remembered_is_named),
		SPINE_TEST(who_is_forgotten_leaves_the_sales_that_wait_and_the_sales_stay),
		SPINE_TEST_ON_DISK(who_is_forgotten_leaves_the_sales_that_wait_and_the_sales_stay),
		SPINE_TEST(arms_and_control_are_those_of_the_close),
		SPINE_TEST(where_only_aggregates_go_up_no_sale_does),
		cmocka_unit_test(the_newest_records_add_up_to_what_the_tills_own_lines_say),
	};

	hear_sales = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
