/* SPDX-License-Identifier: Apache-2.0
 *
 * test_settle.c - what came of the actions that were listed: told once each, whatever was shown, and again where it
 * turns out to have been other.
 */
#include "core/metrics.h"
#include "nouns/shortlists.h"
#include "spine_story.h"

#define ONE_SLOT "{'placements':{'tablet':{'slots':1}}}"
#define MILK "'kind':'recommend','outcome':{'is':'bought','item':{'category':'milk'}}"
#define TEA(within) \
	"'kind':'recommend','margin':100,'outcome':{'is':'bought','within':'" within \
	"','item':{'category':'tea'}}"
#define LATE_WORD (5 * MIN_MS)

/* ---- what was told ---- */

static struct buf told;
static char told_visit[ID_TEXT_SIZE], told_subject[33], told_decision[ID_TEXT_SIZE];

static void
say_row(const json_t *row)
{
	int64_t y;

	buf_addf(&told, " %s %g", text_of(row, "action"),
	    json_number_value(json_object_get(row, "p")));
	if (json_object_get(row, "depth") != NULL)
		buf_addf(&told, " depth");
	if (json_object_get(row, "treatment") != NULL)
		buf_addf(&told, " %s", text_of(row, "treatment"));
	if (json_is_true(json_object_get(row, "drawn")))
		buf_adds(&told, " drawn");
	if (json_is_true(json_object_get(row, "shown")))
		buf_adds(&told, " shown");
	if (json_is_true(json_object_get(row, "other")))
		buf_adds(&told, " other");
	if (json_is_true(json_object_get(row, "withheld")))
		buf_adds(&told, " withheld");
	if (json_int(json_object_get(row, "y"), &y))
		buf_addf(&told, " %s", y == 1 ? "yes" : y == 0 ? "no" : "?");
	if (json_int(json_object_get(row, "amount"), &y))
		buf_addf(&told, " %lld", (long long)y);
}

static int
say_settled(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	json_t *json, *row;
	int64_t slot = 0, rev = 0;
	size_t i;

	(void)at_ms;
	*(int64_t *)ctx = seq;
	if (strcmp(type, "settled") != 0)
		return 0;
	json = json_loadb(body, len, 0, NULL);
	assert_non_null(json);
	assert_true(json_int(json_object_get(json, "slot"), &slot));
	assert_true(json_int(json_object_get(json, "rev"), &rev));
	snprintf(told_visit, sizeof(told_visit), "%s", text_of(json, "visit"));
	snprintf(told_subject, sizeof(told_subject), "%s", text_of(json, "subject"));
	snprintf(told_decision, sizeof(told_decision), "%s", text_of(json, "decision"));
	buf_addf(&told, "%s%s/%lld", told.len > 0 ? "; " : "", text_of(json, "placement"),
	    (long long)slot);
	if (rev != 0)
		buf_addf(&told, " rev %lld", (long long)rev);
	if (json_is_true(json_object_get(json, "counted")))
		buf_adds(&told, " counted");
	buf_adds(&told, ":");
	json_array_foreach(json_object_get(json, "rows"), i, row)
		say_row(row);
	json_decref(json);
	return 0;
}

/* New records, a text for each: "PLACE/SLOT [rev N] [counted]: ACTION P …". */
static const char *
settled(void)
{
	const char *text;

	assert_int_equal(store_uplink_each(engine->store, LANE_DECISION, heard_upto[LANE_DECISION],
			     1000, say_settled, &heard_upto[LANE_DECISION]),
	    0);
	text = arena_strdup(texts, told.len > 0 ? told.data : "");
	buf_done(&told);
	return text;
}
#define assert_settled(text) assert_string_equal(settled(), text)

/* ---- the store ---- */

/* One place, milk worth more than tea, both of a group. */
static void
milk_and_tea(const char *patch)
{
	a_policy(patch);
	an_action("milk", "{" MILK "}");
	an_action("tea", "{" TEA("0d") "}");
	in_force();
}

static void
first_line(const char *basket)
{
	open_basket(basket);
	scan(basket, "bread", 100);
	now_ms += S_MS;
}

static void
late_word_is_over(void)
{
	wait_for(LATE_WORD);
}

static void
give_back(const char *number, const char *basket, const char *sku, const char *category, int amount)
{
	tell("pos/7/event", "return.completed",
	    "{'return':'%s','basket':'%s','items':[{'sku':'%s','category':'%s','qty':1,'amount':%d}"
	    "],'total':%d,'currency':'EUR'}",
	    number, basket, sku, category, amount, amount);
}

static void
a_line(const char *basket, int number, const char *category, int amount)
{
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'%s','line':%d,'sku':'s%d','category':'%s','qty':1,'amount':%d,"
	    "'currency':'EUR'}",
	    basket, number, number, category, amount);
}

/* ---- once, when its window is over ---- */

static void
each_action_of_the_list_is_told_once_when_no_late_line_can_come(void **state)
{
	(void)state;
	milk_and_tea(ONE_SLOT);
	first_line("b");
	scan("b", "tea/green", 250);
	close_basket("b", 350);
	wait_for(LATE_WORD - 1);
	assert_settled("");
	wait_for(1);
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no tea 0 other yes nothing 0");
	wait_for(40 * D_MS);
	assert_settled("");
}

static void
the_record_says_what_was_expected_and_by_whom_it_was_decided(void **state)
{
	json_t *decision;

	(void)state;
	hear_settled = true;
	milk_and_tea(ONE_SLOT);
	open_basket("b");
	scan("b", "bread", 100);
	decision = json_loads(record.data, 0, NULL);
	close_basket("b", 100);
	late_word_is_over();
	heard(LANE_DECISION);
	hear_settled = false;
	assert_non_null(strstr(heard_last,
	    quoted("'placement':'tablet','slot':1,'at':'2026-11-21T10:00:00.000Z','bundle':'',"
		   "'rev':0,'counted':true,'cost_max':0,'rows':[{'action':'milk','segment':'',"
		   "'treatment':'plain','p':1,'p1':0.5,'p0':0.25,'margin':200,'cost':0,"
		   "'drawn':true,'shown':true,'other':false,'y':0},{'action':'tea',")));
	heard_upto[LANE_DECISION] = 0;
	settled();
	assert_string_equal(told_decision, text_of(decision, "decision"));
	assert_string_equal(told_subject, "");
	json_decref(decision);
}

static void
what_a_later_decision_lists_first_is_its_own_and_not_counted(void **state)
{
	(void)state;
	a_policy(ONE_SLOT);
	an_action("milk", "{" MILK "}");
	an_action("tea", "{" TEA("0d") ",'applicable':{'>':[{'var':'total'},150]}}");
	in_force();
	first_line("b");
	a_line("b", 50, "milk", 100);
	now_ms += S_MS;
	a_line("b", 51, "tea", 100);
	close_basket("b", 300);
	late_word_is_over();
	/* Milk was listed twice, and is told of the first list; tea came in with line 50. */
	assert_settled("tablet/1 counted: milk 1 plain drawn shown yes nothing 0; "
		       "tablet/1: tea 0 other yes");
}

static void
what_another_decision_shows_later_is_shown_and_was_not_drawn(void **state)
{
	(void)state;
	milk_and_tea(ONE_SLOT);
	first_line("b");
	assert_int_equal(answer("milk", "dismiss"), 200);
	now_ms += S_MS;
	scan("b", "bread", 100);
	assert_said("guidance 7: tea");
	close_basket("b", 200);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown other no tea 0 shown other no "
		       "nothing 0");
}

static void
what_its_tablet_did_not_show_is_not_shown(void **state)
{
	(void)state;
	milk_and_tea(ONE_SLOT);
	first_line("b");
	assert_int_equal(show("milk", false), 200);
	close_basket("b", 100);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn no tea 0 no nothing 0");
}

static void
a_list_of_nothing_alone_is_none_and_the_first_with_a_card_is_counted(void **state)
{
	(void)state;
	only("milk", "{" MILK ",'applicable':{'>':[{'var':'total'},150]}}");
	first_line("b");
	scan("b", "bread", 100);
	close_basket("b", 200);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no nothing 0");
}

static void
what_was_there_before_the_list_was_not_bought_for_it(void **state)
{
	(void)state;
	only("milk", "{" MILK "}");
	open_basket("b");
	scan("b", "milk", 89);
	close_basket("b", 89);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no nothing 0");
}

static void
two_places_are_two_rows(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':2}}}");
	an_action("milk", "{" MILK ",'placements':['tablet','receipt']}");
	an_action("tea", "{" TEA("0d") "}");
	in_force();
	first_line("b");
	scan("b", "tea", 100);
	close_basket("b", 100);
	late_word_is_over();
	/* Milk is on the tablet, and so no more for the receipt; tea was listed beside it, and won the second place. */
	assert_settled("tablet/1 counted: milk 1 plain drawn shown other no tea 0 shown other yes "
		       "nothing 0; tablet/2 counted: tea 1 plain drawn shown other yes nothing 0");
}

static void
a_service_that_no_line_speaks_of_has_no_y(void **state)
{
	(void)state;
	only("a", "{}");
	first_line("b");
	close_basket("b", 100);
	late_word_is_over();
	assert_settled("tablet/1 counted: a 1 plain drawn shown nothing 0");
}

static void
a_cancelled_basket_bought_nothing_and_one_that_nobody_ends_neither(void **state)
{
	(void)state;
	milk_and_tea(ONE_SLOT);
	first_line("b");
	scan("b", "tea", 100);
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no tea 0 other no nothing 0");
	first_line("c");
	scan("c", "tea", 100);
	wait_for(12 * H_MS);
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no tea 0 other no nothing 0");
}

/* That it was training is heard of at the end, or later. */
static void
a_trainee_teaches_nothing(void **state)
{
	(void)state;
	milk_and_tea(ONE_SLOT);
	a_line("b", 1, "bread", 100);
	now_ms += S_MS;
	a_line("b", 2, "tea", 100);
	close_basket("b", 200);
	tell("pos/7/event", "basket.opened", "{'basket':'b','terminal':'7','training':true}");
	wait_for(40 * D_MS);
	assert_settled("");
	a_line("c", 1, "bread", 100);
	now_ms += S_MS;
	a_line("c", 2, "tea", 100);
	close_basket("c", 200);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no tea 0 other yes nothing 0");
	late_ms = LATE_WORD;
	tell("pos/7/event", "basket.opened", "{'basket':'c','terminal':'7','training':true}");
	late_ms = 0;
	assert_settled("tablet/1 rev 1 counted: tea 0 other no");
}

static void
what_no_policy_knows_any_more_is_never_told_nor_waited_for(void **state)
{
	int64_t before;

	(void)state;
	milk_and_tea(ONE_SLOT);
	first_line("b");
	close_basket("b", 100);
	memset(&parts, 0, sizeof(parts));
	a_policy(ONE_SLOT);
	an_action("tea", "{" TEA("0d") "}");
	in_force();
	late_word_is_over();
	assert_settled("tablet/1 counted: tea 0 other no nothing 0");
	wait_for(D_MS);
	before = metrics_get(METRIC_TIMERS);
	wait_for(30 * D_MS);
	assert_int_equal(metrics_get(METRIC_TIMERS) - before, 0);
	assert_settled("");
}

/* ---- by chance, withheld, by a person ---- */

static void
chance_is_the_decisions_own(void **state)
{
	(void)state;
	milk_and_tea("{'placements':{'tablet':{'slots':1}},'explore':{'unit':100,'gamma':0}}");
	first_line("b");
	close_basket("b", 100);
	late_word_is_over();
	/* Of three alike; which one it was hangs on the visit. */
	assert_non_null(strstr(settled(), "milk 0.333333 "));
}

static void
what_is_withheld_from_a_control_customer_is_told_with_what_they_bought(void **state)
{
	(void)state;
	milk_and_tea("{'placements':{'tablet':{'slots':1}},'control':{'share':1}}");
	grant(ANNA, "profile");
	open_basket("b");
	identify(ANNA);
	scan("b", "bread", 100);
	assert_said("");
	now_ms += S_MS;
	scan("b", "milk", 89);
	close_basket("b", 189);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn withheld yes tea 0 withheld no "
		       "nothing 0");
	assert_string_equal(told_subject, ANNA);
}

static void
who_does_not_want_to_be_remembered_is_no_subject(void **state)
{
	(void)state;
	milk_and_tea(ONE_SLOT);
	open_basket("b");
	identify(ANNA);
	scan("b", "bread", 100);
	close_basket("b", 100);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no tea 0 other no nothing 0");
	assert_string_equal(told_subject, "");
}

static void
an_accepted_card_that_is_kept_lists_nothing_again(void **state)
{
	(void)state;
	milk_and_tea("{'placements':{'tablet':{'slots':2}}}");
	first_line("b");
	assert_int_equal(answer("milk", "accept"), 200);
	scan("b", "milk", 89);
	scan("b", "bread", 89);
	close_basket("b", 278);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown other yes tea 0 shown other no "
		       "nothing 0; tablet/2 counted: tea 1 plain drawn shown other no nothing 0");
}

static void
what_a_person_gives_instead_was_shown_by_no_draw(void **state)
{
	(void)state;
	milk_and_tea(ONE_SLOT);
	first_line("b");
	assert_int_equal(answer_with("milk",
			     "{'decision':'override','reason':'not-relevant',"
			     "'instead':{'action':'tea'}}",
			     NULL),
	    200);
	scan("b", "tea", 50);
	close_basket("b", 150);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown other no tea 0 shown other yes "
		       "nothing 0");
}

/* ---- offers ---- */

static void
an_offer(const char *more)
{
	a_policy(ONE_SLOT);
	an_action("o",
	    arena_printf(texts, "{" OFFER_OF(",'include':{'category':'tea'}%s") ",'margin':400}",
		more));
	an_action("milk", "{" MILK "}");
	in_force();
}

static void
an_offer_has_its_goods_and_what_it_took_off(void **state)
{
	(void)state;
	an_offer("");
	first_line("b");
	assert_int_equal(answer("o", "accept"), 200);
	scan("b", "tea", 250);
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':35}", token);
	close_basket("b", 350);
	late_word_is_over();
	assert_settled("tablet/1 counted: o 1 depth plain drawn shown yes 35 milk 0 other no "
		       "nothing 0");
}

static void
an_offer_that_nobody_was_shown_has_its_goods_all_the_same(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':1}}}");
	an_action("o", "{" OFFER_OF(",'include':{'category':'tea'}") ",'margin':150}");
	an_action("milk", "{" MILK "}");
	in_force();
	open_basket("b");
	scan("b", "tea", 250);
	close_basket("b", 250);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no o 0 depth other yes nothing "
		       "0");
}

/* ---- windows beyond the visit ---- */

static void
tea_within_two_days(void)
{
	a_policy(ONE_SLOT);
	an_action("milk", "{" MILK "}");
	an_action("tea", "{" TEA("2d") "}");
	in_force();
	grant(ANNA, "personalise");
	grant(ANNA, "profile");
}

static void
annas(const char *basket)
{
	open_basket(basket);
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" ANNA "','station':'7','basket':'%s'}", basket);
	a_line(basket, 1, "bread", 100);
	now_ms += S_MS;
}

static void
rows_of_one_list_whose_windows_end_apart_are_told_apart(void **state)
{
	(void)state;
	tea_within_two_days();
	annas("b");
	close_basket("b", 100);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no nothing 0");
	wait_for(D_MS);
	annas("c");
	a_line("c", 2, "tea", 250);
	close_basket("c", 350);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no nothing 0");
	/* The tea of the second visit is for both lists; only milk was shown, in both. */
	wait_for(D_MS);
	assert_settled("tablet/1 counted: tea 0 other yes");
	wait_for(D_MS);
	assert_settled("tablet/1 counted: tea 0 other yes");
}

static void
goods_of_a_later_visit_that_come_back_correct_the_earlier_one(void **state)
{
	(void)state;
	tea_within_two_days();
	annas("b");
	close_basket("b", 100);
	wait_for(D_MS);
	annas("c");
	a_line("c", 2, "tea", 250);
	close_basket("c", 350);
	wait_for(2 * D_MS);
	settled();
	give_back("r1", "c", "s2", "tea", 250);
	/* Both windows were told with a yes. */
	assert_settled("tablet/1 rev 1 counted: tea 0 other no; "
		       "tablet/1 rev 1 counted: tea 0 other no");
	give_back("r2", "c", "s1", "bread", 100);
	assert_settled("");
}

static void
what_is_bought_when_the_window_is_over_comes_too_late(void **state)
{
	(void)state;
	tea_within_two_days();
	annas("b");
	close_basket("b", 100);
	late_word_is_over();
	settled();
	wait_for(2 * D_MS - LATE_WORD - S_MS);
	assert_settled("tablet/1 counted: tea 0 other no");
	annas("c");
	a_line("c", 2, "tea", 250);
	close_basket("c", 350);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no nothing 0");
}

/* ---- told again ---- */

static void
tea_and_its_return(void)
{
	milk_and_tea(ONE_SLOT);
	first_line("b");
	a_line("b", 51, "tea", 250);
	a_line("b", 52, "tea", 90);
	close_basket("b", 440);
}

static void
goods_that_come_back_are_told_once_with_the_next_number(void **state)
{
	(void)state;
	tea_and_its_return();
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no tea 0 other yes nothing 0");
	give_back("r1", "b", "s51", "tea", 250);
	assert_settled(""); /* there is other tea in it */
	give_back("r2", "b", "s52", "tea", 90);
	assert_settled("tablet/1 rev 1 counted: tea 0 other no");
	give_back("r2", "b", "s52", "tea", 90);
	assert_settled("");
	wait_for(D_MS);
	assert_settled("");
}

static void
what_came_back_before_it_was_told_is_no_correction(void **state)
{
	(void)state;
	tea_and_its_return();
	give_back("r1", "b", "s51", "tea", 250);
	give_back("r2", "b", "s52", "tea", 90);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no tea 0 other no nothing 0");
}

static void
a_late_line_and_a_reversal_are_told_again_and_nothing_after_35_days(void **state)
{
	(void)state;
	an_offer("");
	first_line("b");
	assert_int_equal(answer("o", "accept"), 200);
	scan("b", "tea", 250);
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':35}", token);
	close_basket("b", 350);
	late_word_is_over();
	settled();
	now_ms += H_MS;
	late_ms = now_ms - T0 - 2 * S_MS; /* it happened before the close */
	a_line("b", 60, "milk", 89);
	late_ms = 0;
	assert_settled("tablet/1 rev 1 counted: milk 0 other yes");
	tell("pos/7/event", "offer.reversed", "{'basket':'b','token':'%s','amount':35}", token);
	assert_settled("tablet/1 rev 1 counted: o 1 depth plain drawn shown yes");
	wait_for(35 * D_MS + H_MS);
	give_back("r1", "b", "s60", "milk", 89);
	assert_settled("");
}

static void
a_sale_that_is_cancelled_after_its_close_bought_nothing(void **state)
{
	(void)state;
	tea_and_its_return();
	late_word_is_over();
	settled();
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	assert_settled("tablet/1 rev 1 counted: tea 0 other no");
}

/* ---- restarts ---- */

static void
a_store_that_is_killed_in_between_tells_it_once(void **state)
{
	(void)state;
	milk_and_tea(ONE_SLOT);
	first_line("b");
	restart();
	scan("b", "tea", 250);
	restart();
	close_basket("b", 350);
	restart();
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no tea 0 other yes nothing 0");
	restart();
	wait_for(D_MS);
	assert_settled("");
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	restart();
	assert_settled("tablet/1 rev 1 counted: tea 0 other no");
}

/* ---- two that are one ---- */

static void
at_till(const char *terminal, const char *type, const char *more)
{
	tell(arena_printf(texts, "pos/%s/event", terminal), type, "{'basket':'b'%s}", more);
}

#define LINE_OF(number, category) \
	",'line':" number ",'sku':'s" number "','category':'" category \
	"','qty':1,'amount':100,'currency':'EUR'"

static void
a_part_of_a_recalled_sale_goes_on_in_the_sale(void **state)
{
	char sale[ID_TEXT_SIZE];

	(void)state;
	milk_and_tea(ONE_SLOT);
	first_line("b");
	id_text(&visit_of("b")->id, sale);
	at_till("7", "basket.suspended", "");
	now_ms += 2 * S_MS;
	/* The recall is heard of last. */
	at_till("9", "basket.item-added", LINE_OF("2", "bread"));
	assert_int_equal(sessions_count(engine->sessions), 2);
	now_ms += S_MS;
	at_till("9", "basket.item-added", LINE_OF("3", "tea"));
	late_ms = 2 * S_MS;
	at_till("9", "basket.resumed", ",'from':'7'");
	late_ms = 0;
	assert_int_equal(sessions_count(engine->sessions), 1);
	at_till("9", "basket.closed", ",'total':300,'currency':'EUR'");
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no tea 0 other yes nothing 0");
	assert_string_equal(told_visit, sale);
}

/* ---- who it is ---- */

static void
what_was_drawn_for_another_customer_says_nothing_of_who_came(void **state)
{
	(void)state;
	milk_and_tea(ONE_SLOT);
	grant(BEN, "profile");
	open_basket("b");
	identify(ANNA);
	scan("b", "bread", 100);
	now_ms += S_MS;
	identify(BEN);
	scan("b", "bread", 100);
	close_basket("b", 200);
	late_word_is_over();
	assert_settled("tablet/1 counted: milk 1 plain drawn shown no tea 0 other no nothing 0");
	assert_string_equal(told_subject, BEN);
}

static void
forget(const char *subject)
{
	struct input input = { .kind = INPUT_LEAVE, .subject = subject_of(subject) };

	turn(&input);
	assert_int_equal(keys_destroy(engine->keys, &input.subject), 0);
	input.kind = INPUT_FORGET;
	turn(&input);
}

static void
nothing_is_told_of_who_is_forgotten(void **state)
{
	(void)state;
	milk_and_tea(ONE_SLOT);
	grant(ANNA, "profile");
	annas("b");
	forget(ANNA);
	close_basket("b", 100);
	late_word_is_over();
	assert_settled("");
	grant(BEN, "profile");
	open_basket("c");
	identify(BEN);
	scan("c", "bread", 100);
	close_basket("c", 100);
	forget(BEN);
	late_word_is_over();
	assert_settled("");
}

static void
a_card_that_waited_for_its_basket_brings_its_lists_along(void **state)
{
	(void)state;
	a_policy(ONE_SLOT);
	an_action("milk", "{" MILK ",'on':['aisle.customer.identified']}");
	an_action("tea", "{" TEA("0d") "}");
	in_force();
	grant(ANNA, "profile");
	identify(ANNA);
	now_ms += S_MS;
	open_basket("b");
	scan("b", "milk", 89);
	now_ms += S_MS;
	close_basket("b", 89);
	late_word_is_over();
	/* It stays on the screen, and wins the second list as well. */
	assert_settled("tablet/1 counted: milk 1 plain drawn shown yes nothing 0; "
		       "tablet/1: tea 0 other no");
}

/* ---- the bound ---- */

static void
a_visit_lists_so_many_and_a_list_that_has_no_room_is_left_out_whole(void **state)
{
	int64_t before = metrics_get(METRIC_LIMIT_LISTINGS);
	const struct visit *visit;

	(void)state;
	a_policy("{'explore':{'unit':100,'gamma':1,'shortlist':64},'interrupt':0,'placements':"
		 "{'tablet':{'slots':8},'till':{'slots':2}}}");
	for (int i = 0; i < 64; i++)
		an_action(arena_printf(texts, "a%02d", i),
		    "{" MILK ",'placements':['tablet','till'],'margin':2}");
	in_force();
	first_line("b");
	visit = visit_of("b");
	assert_true(visit_listings(visit) <= VISIT_LISTINGS_MAX);
	for (size_t i = 0; i < visit->shortlist_count; i++)
		assert_true(visit->shortlists[i].counted);
	/* 64 + 63 + … of the tablet's eight places are 484; the till's two would be 56 and 55 more. */
	assert_int_equal(visit_listings(visit), 484);
	assert_int_equal(metrics_get(METRIC_LIMIT_LISTINGS) - before, 2);
}

static void
what_a_list_of_eight_costs(void **state)
{
	struct buf with = { 0 }, without = { 0 };
	struct visit *visit;

	(void)state;
	a_policy("{'placements':{'tablet':{'slots':1}}}");
	for (int i = 0; i < 8; i++)
		an_action(arena_printf(texts, "action-%d", i), "{" MILK "}");
	in_force();
	first_line("b");
	visit = visit_of("b");
	assert_int_equal(visit_listings(visit), 8);
	visit_encode(visit, &with);
	visit_drop_shortlists(visit, true);
	visit_encode(visit, &without);
	/* docs/headquarters.md says so */
	if (with.len - without.len > 640)
		fail_msg("%zu bytes", with.len - without.len);
	buf_done(&with);
	buf_done(&without);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(each_action_of_the_list_is_told_once_when_no_late_line_can_come),
		SPINE_TEST(the_record_says_what_was_expected_and_by_whom_it_was_decided),
		SPINE_TEST(what_a_later_decision_lists_first_is_its_own_and_not_counted),
		SPINE_TEST(what_another_decision_shows_later_is_shown_and_was_not_drawn),
		SPINE_TEST(what_its_tablet_did_not_show_is_not_shown),
		SPINE_TEST(a_list_of_nothing_alone_is_none_and_the_first_with_a_card_is_counted),
		SPINE_TEST(what_was_there_before_the_list_was_not_bought_for_it),
		SPINE_TEST(two_places_are_two_rows),
		SPINE_TEST(a_service_that_no_line_speaks_of_has_no_y),
		SPINE_TEST(a_cancelled_basket_bought_nothing_and_one_that_nobody_ends_neither),
		SPINE_TEST(a_trainee_teaches_nothing),
		SPINE_TEST(what_no_policy_knows_any_more_is_never_told_nor_waited_for),
		SPINE_TEST(chance_is_the_decisions_own),
		SPINE_TEST(what_is_withheld_from_a_control_customer_is_told_with_what_they_bought),
		SPINE_TEST(who_does_not_want_to_be_remembered_is_no_subject),
		SPINE_TEST(an_accepted_card_that_is_kept_lists_nothing_again),
		SPINE_TEST(what_a_person_gives_instead_was_shown_by_no_draw),
		SPINE_TEST(an_offer_has_its_goods_and_what_it_took_off),
		SPINE_TEST(an_offer_that_nobody_was_shown_has_its_goods_all_the_same),
		SPINE_TEST(rows_of_one_list_whose_windows_end_apart_are_told_apart),
		SPINE_TEST(goods_of_a_later_visit_that_come_back_correct_the_earlier_one),
		SPINE_TEST(what_is_bought_when_the_window_is_over_comes_too_late),
		SPINE_TEST(goods_that_come_back_are_told_once_with_the_next_number),
		SPINE_TEST(what_came_back_before_it_was_told_is_no_correction),
		SPINE_TEST(a_late_line_and_a_reversal_are_told_again_and_nothing_after_35_days),
		SPINE_TEST(a_sale_that_is_cancelled_after_its_close_bought_nothing),
		SPINE_TEST_ON_DISK(a_store_that_is_killed_in_between_tells_it_once),
		SPINE_TEST(a_part_of_a_recalled_sale_goes_on_in_the_sale),
		SPINE_TEST(what_was_drawn_for_another_customer_says_nothing_of_who_came),
		SPINE_TEST_ON_DISK(nothing_is_told_of_who_is_forgotten),
		SPINE_TEST(a_card_that_waited_for_its_basket_brings_its_lists_along),
		SPINE_TEST(a_visit_lists_so_many_and_a_list_that_has_no_room_is_left_out_whole),
		SPINE_TEST(what_a_list_of_eight_costs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
