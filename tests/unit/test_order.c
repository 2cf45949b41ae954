/* SPDX-License-Identifier: Apache-2.0
 *
 * test_order.c - what people order: an action stopped, a customer forgotten; and cards that a new policy does not know.
 */
#include "core/metrics.h"
#include "store/store_internal.h"
#include "spine_story.h"

static void
order(const char *action, bool stop)
{
	struct input input = { .kind = INPUT_STOP, .text = action, .flag = stop };

	turn(&input);
}

/* As the daemon does it; what it said is of the turn in which they leave. */
static void
forget(const char *subject)
{
	struct input input = { .kind = INPUT_LEAVE, .subject = subject_of(subject) };
	char *first;

	turn(&input);
	first = arena_strdup(texts, said());
	assert_int_equal(keys_destroy(engine->keys, &input.subject), 0);
	input.kind = INPUT_FORGET;
	turn(&input);
	assert_said("");
	buf_clear(&line);
	buf_adds(&line, first);
}

static const char *
stopped(void)
{
	struct buf list = { 0 };
	const char *text;

	for (size_t i = 0; i < engine->stopped_count; i++)
		buf_addf(&list, "%s ", engine->stopped[i]);
	text = arena_strdup(texts, list.len > 0 ? list.data : "");
	buf_done(&list);
	return text;
}

/* ---- stop ---- */

static void
a_stop_takes_the_action_off_every_screen_at_once_and_the_others_stay(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", "{}");
	an_action("k", "{'group':'h'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	tell("pos/8/event", "basket.opened", "{'basket':'d','terminal':'8'}");
	tell("pos/8/event", "basket.item-added",
	    "{'basket':'d','line':1,'sku':'s','category':'c','qty':1,'amount':100,'currency':'EUR'"
	    "}");
	tell("pos/9/event", "basket.opened", "{'basket':'e','terminal':'9'}");
	heard(LANE_DECISION);
	order("a", true);
	assert_said("guidance 7: k; guidance 8: k");
	assert_heard(LANE_DECISION, "order; withdrawn (stopped); withdrawn (stopped)");
	order("k", true);
	assert_said("withdraw 7 stopped; withdraw 8 stopped");
	scan("b", "c", 100);
	assert_said("");
	assert_string_equal(fate_in_record("a"), "stopped");
	order("a", false);
	scan("b", "c", 100);
	assert_said("guidance 7: a");
}

static void
a_stop_of_everything_takes_all_cards_and_its_end_leaves_the_others_stopped(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", "{}");
	an_action("k", "{'group':'h'}");
	in_force();
	order("k", true);
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	order("*", true);
	assert_said("withdraw 7 stopped");
	scan("b", "c", 100);
	assert_string_equal(fate_in_record("a"), "stopped");
	assert_string_equal(stopped(), "* k ");
	order("*", false);
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	assert_string_equal(fate_in_record("k"), "stopped");
}

static void
of_hq(const char *action, bool stop, enum order_from from)
{
	struct input input = { .kind = INPUT_STOP, .text = action, .flag = stop, .from = from };

	turn(&input);
	assert_int_equal(input.result.status, 200);
}

static void
each_lifts_what_it_stopped_itself(void **state)
{
	static const struct {
		bool stop;
		enum order_from from;
		const char *left;
	} orders[] = {
		{ true, ORDER_HERE, "a " },
		{ true, ORDER_TO_ALL, "a " },
		{ true, ORDER_TO_RING, "a " },
		{ false, ORDER_HERE, "a " },
		{ false, ORDER_TO_STORE, "a " }, /* it never stopped it */
		{ false, ORDER_TO_ALL, "a " },
		{ true, ORDER_HERE, "a " },
		{ false, ORDER_TO_RING, "a " },
		{ false, ORDER_HERE, "" },
		{ true, ORDER_TO_STORE, "a " },
		{ false, ORDER_HERE, "a " },
		{ false, ORDER_TO_STORE, "" },
		{ false, ORDER_TO_ALL, "" },
	};

	(void)state;
	a_policy("{}");
	an_action("a", "{}");
	in_force();
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		of_hq("a", orders[i].stop, orders[i].from);
		assert_string_equal(stopped(), orders[i].left);
		restart();
		assert_string_equal(stopped(), orders[i].left);
	}
}

static void
who_stopped_and_since_when_outlives_a_restart(void **state)
{
	struct input here = { .kind = INPUT_STOP, .text = "b", .flag = true, .manager = "anna" };
	struct input clock = { .kind = INPUT_CLOCK };
	char key[SUBJECT_TEXT_SIZE];

	(void)state;
	a_policy("{}");
	an_action("a", "{}");
	in_force();
	here.until_ms = now_ms + H_MS;
	turn(&here);
	of_hq("b", true, ORDER_TO_RING);
	of_hq("a", true, ORDER_TO_ALL);
	person_key(engine, "manager", "anna", key);
	restart();
	assert_string_equal(stopped(), "a b ");
	assert_false(engine->stops[0].here);
	assert_int_equal(engine->stops[0].hq, ORDER_TO_ALL);
	assert_string_equal(engine->stops[0].by, "");
	assert_int_equal(engine->stops[0].since_ms, 0);
	assert_true(engine->stops[0].hq_since_ms > 0);
	assert_true(engine->stops[1].here);
	assert_int_equal(engine->stops[1].hq, ORDER_TO_RING);
	assert_string_equal(engine->stops[1].by, key);
	assert_int_equal(engine->stops[1].since_ms, here.now_ms);
	/* The store's own end leaves headquarters' word. */
	now_ms = here.until_ms;
	turn(&clock);
	assert_string_equal(stopped(), "a b ");
	assert_false(engine->stops[1].here);
	of_hq("b", false, ORDER_TO_RING);
	assert_string_equal(stopped(), "a ");
}

static void
a_line_of_the_list_of_before_is_the_stores_own(void **state)
{
	static const char old[] = "a\nb\t99999999999999\n";

	(void)state;
	a_policy("{}");
	an_action("a", "{}");
	in_force();
	assert_int_equal(store_begin(engine->store), 0);
	assert_int_equal(store_meta_set(engine->store, "stopped", old, strlen(old)), 0);
	assert_int_equal(store_commit(engine->store), 0);
	restart();
	assert_string_equal(stopped(), "a b ");
	assert_true(engine->stops[0].here && engine->stops[1].here);
	assert_int_equal(engine->stops[1].until_ms, 99999999999999);
	/* It stays that, also beside headquarters' word. */
	of_hq("a", true, ORDER_TO_ALL);
	restart();
	of_hq("a", false, ORDER_TO_ALL);
	assert_string_equal(stopped(), "a b ");
	order("a", false);
	order("b", false);
	assert_string_equal(stopped(), "");
}

static void
a_stop_takes_accepted_offers_along_and_leaves_what_was_paid_with(void **state)
{
	(void)state;
	only("o", "{" OFFER_OF("") "}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("o", "accept"), 200);
	order("o", true);
	assert_said("till 7 withdraw-offer; withdraw 7 stopped");
	order("o", false);
	close_basket("b", 100);
	open_basket("c");
	scan("c", "c", 100);
	assert_int_equal(answer("o", "accept"), 200);
	tell("pos/7/event", "offer.redeemed", "{'basket':'c','token':'%s','amount':40}", token);
	order("o", true);
	assert_said("");
	assert_int_equal(visit_of("c")->cards[0].state, CARD_APPLIED);
}

static void
what_is_stopped_is_known_once_in_order_and_after_a_restart(void **state)
{
	(void)state;
	order("m", true);
	order("z", true);
	order("a", true);
	order("m", true);
	order("n", false);
	assert_string_equal(stopped(), "a m z ");
	restart();
	assert_string_equal(stopped(), "a m z ");
	assert_true(order_is_stopped(engine, "m"));
	assert_false(order_is_stopped(engine, "n"));
	order("m", false);
	assert_string_equal(stopped(), "a z ");
	order("z", false);
	order("a", false);
	assert_string_equal(stopped(), "");
	restart();
	assert_string_equal(stopped(), "");
	assert_int_equal(metrics_get(METRIC_DAMAGED), 0);
	open_basket("b"); /* and the store goes on */
	assert_non_null(visit_of("b"));
}

/* ---- another policy ---- */

static void
cards_that_a_new_policy_does_not_know_go_and_answered_ones_stay(void **state)
{
	struct input input = { .kind = INPUT_POLICY };

	(void)state;
	a_policy("{'placements':{'tablet':{'slots':3}}}");
	an_action("a", "{}");
	an_action("k", "{'group':'h'}");
	an_action("l", "{'group':'l'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a k l");
	assert_int_equal(answer("l", "accept"), 200);
	memset(&parts, 0, sizeof(parts));
	only("k", "{'group':'h'}");
	turn(&input);
	assert_said("guidance 7: k l(answered)");
	turn(&input);
	assert_said("");
}

/* ---- a customer is forgotten ---- */

static void
who_is_forgotten_is_taken_off_the_screen_and_the_basket_goes_on_without_them(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified','aisle.basket.item-added']}");
	grant(ANNA, "profile");
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7: a");
	forget(ANNA);
	assert_said("withdraw 7 customer");
	assert_false(visit_of("b")->has_subject);
	assert_true(customer(ANNA)->forgotten);
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	close_basket("b", 100);
	engine_drop_subjects(engine);
	assert_true(customer(ANNA)->forgotten);
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	assert_int_equal(customer(ANNA)->contacts.count, 0);
}

static void
the_card_of_somebody_forgotten_waits_for_nothing(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified']}");
	identify(ANNA);
	forget(ANNA);
	assert_said("withdraw 7 customer");
	assert_int_equal(sessions_count(engine->sessions), 0);
	identify(ANNA);
	assert_said("");
	assert_int_equal(sessions_count(engine->sessions), 0);
	open_basket("b");
	identify(ANNA);
	assert_false(visit_of("b")->has_subject);
	grant(ANNA, "profile");
	tell("loyalty/r1/event", "customer.merged", "{'subject':'" ANNA "','into':'" BEN "'}");
	tell("loyalty/r1/event", "customer.merged", "{'subject':'" BEN "','into':'" ANNA "'}");
	assert_false(consent_granted(customer(ANNA), CONSENT_PROFILE, now_ms));
	assert_true(customer(ANNA)->forgotten);
}

/* Does a row of a visit on disk have these bytes? */
static int
has_text(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	const char **text = ctx;

	(void)key;
	(void)subject;
	(void)at_ms;
	if (memmem(body, len, *text, strlen(*text)) != NULL)
		*text = "";
	return 0;
}

static bool
visits_say(const char *text)
{
	assert_int_equal(store_each(engine->store, STORE_VISIT, -1, has_text, &text), 0);
	return *text == '\0';
}

static void
the_words_of_their_cards_leave_with_them_also_of_those_that_were_answered(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':4}}}");
	an_action("a", "{}");
	an_action("k", "{'group':'h'}");
	an_action("o", "{'group':'l'," OFFER_OF("") "}");
	an_action("p", "{'group':'m'," OFFER_OF("") "}");
	in_force();
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_int_equal(answer("p", "accept"), 200);
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	assert_int_equal(answer("k", "accept"), 200);
	assert_int_equal(answer("o", "dismiss"), 200);
	assert_said("guidance 7: a k(answered) o(answered) p(applied)");
	assert_true(visits_say("Do k") && visits_say("Do o") && visits_say("Do p"));
	forget(ANNA);
	assert_said("withdraw 7 customer");
	assert_false(visits_say("Do a"));
	assert_false(visits_say("Do k"));
	assert_false(visits_say("Do o"));
	assert_false(visits_say("Do p"));
	assert_int_equal(visit_of("b")->contacts.count, 0);
	/* What was paid with it may still be taken back. */
	tell("pos/7/event", "offer.reversed", "{'basket':'b','token':'%s','amount':40}", token);
	assert_said("");
}

/* The key is gone with the last turn that could read their rows. */
static void
a_turn_that_fails_after_the_key_is_gone_leaves_no_card_on_a_screen(void **state)
{
	struct input input = { .kind = INPUT_LEAVE, .subject = subject_of(ANNA) };
	struct err err = { 0 };

	(void)state;
	engine_close(engine);
	options.sealed = true;
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	only("a", "{'on':['aisle.customer.identified']}");
	identify(ANNA);
	assert_said("guidance 7: a");
	turn(&input);
	assert_said("withdraw 7 customer");
	assert_int_equal(keys_destroy(engine->keys, &input.subject), 0);
	assert_int_equal(store_begin(engine->store), 0);
	store_rollback(engine->store);
	assert_int_equal(engine_reload(engine), 0);
	assert_int_equal(sessions_count(engine->sessions), 0);
	input.kind = INPUT_FORGET;
	turn(&input);
	assert_said("");
	assert_true(customer(ANNA)->forgotten);
}

/* A row's number is what the disk says it is. */
static void
a_record_that_waits_in_no_lane_is_damage_and_nothing_is_counted_by_it(void **state)
{
	struct input input = { .kind = INPUT_FORGET, .subject = subject_of(ANNA), .now_ms = T0 };

	(void)state;
	only("a", "{}");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_int_equal(store_settle(engine->store), 0);
	assert_int_equal(sqlite3_exec(engine->store->db, "UPDATE uplink SET id = id | (99 << 48)",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(turn_run(engine, &input, 1), AISLE_E_IO);
	assert_true(store_suspect(engine->store));
}

static void
another_customer_is_not_forgotten_with_them(void **state)
{
	(void)state;
	grant(BEN, "profile");
	open_basket("b");
	identify(BEN);
	scan("b", "c", 100);
	close_basket("b", 100);
	open_basket("c");
	identify(BEN);
	forget(ANNA);
	assert_said("");
	assert_true(visit_of("c")->has_subject);
	engine_drop_subjects(engine);
	assert_int_equal(customer(BEN)->purchase_count, 1);
}

/* ---- dead letters that speak of somebody who is forgotten ---- */

static void
letter(const char *topic, const char *payload)
{
	struct input input = { .kind = INPUT_MESSAGE, .topic = topic, .payload = quoted(payload) };

	input.len = strlen(payload);
	turn(&input);
	assert_non_null(strstr(said(), "dead"));
}

/* Of a shop whose cards are no numbers, in a member that is called something else. */
static void
letters_that_speak_of_who_is_forgotten_go_wherever_they_do_and_others_stay(void **state)
{
	static const char *const theirs[] = { "{'who':'c1'}", "['c1']", "[{'x':[1,{'y':'c1'}]}]",
		"{'a':'b','c':{'d':'c1'}}", "[['x'],['y','c1']]" };
	static const char *const others[] = { "{'who':'c2'}", "[]", "{}", "['c11']", "{'c1':1}",
		"[null,1,true]" };
	struct input input = { .kind = INPUT_LEAVE };
	const char *text = "c1";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(theirs); i++)
		letter("aisle/v1/0042/pos/7/event", theirs[i]);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		letter("aisle/v1/0042/pos/7/event", others[i]);
	/* More than are looked at at once. */
	for (int i = 0; i < 300; i++)
		letter("aisle/v1/0042/pos/7/event", theirs[0]);
	assert_int_equal(dead_letters(), ARRAY_LEN(theirs) + ARRAY_LEN(others) + 300);
	input.subject = subject_of_card(keys_pepper(engine->keys), text, strlen(text));
	turn(&input);
	assert_int_equal(keys_destroy(engine->keys, &input.subject), 0);
	input.kind = INPUT_FORGET;
	turn(&input);
	assert_int_equal(dead_letters(), ARRAY_LEN(others));
}

static void
forgotten_of_a_basket(const char *basket, const struct id *subject)
{
	const struct visit *visit = visit_of(basket);

	for (size_t i = 0; i < visit->card_count; i++)
		assert_memory_not_equal(&visit->cards[i].former, subject, sizeof(*subject));
	for (size_t i = 0; i < visit->read_count; i++)
		assert_memory_not_equal(&visit->reads[i].subject, subject, sizeof(*subject));
}

/* Ben's card came after Anna's; what she paid with is in his basket. */
static void
who_is_forgotten_is_so_in_a_basket_that_is_anothers_by_then(void **state)
{
	struct id anna = subject_of(ANNA);

	(void)state;
	only("o", "{" OFFER_OF("") "}");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 500);
	assert_int_equal(answer("o", "accept"), 200);
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	now_ms += 1000;
	identify(BEN);
	assert_memory_equal(&visit_of("b")->cards[0].former, &anna, sizeof(anna));
	assert_int_equal(visit_of("b")->read_count, 1);
	forget(ANNA);
	forgotten_of_a_basket("b", &anna);
	assert_int_equal(visit_of("b")->read_count, 0);
	restart();
	forgotten_of_a_basket("b", &anna);
	/* It is nobody's now, and not Ben's. */
	heard(LANE_MONEY);
	tell("pos/7/event", "offer.reversed", "{'basket':'b','token':'%s','amount':15}", token);
	assert_heard(LANE_MONEY, "reversed 15");
	assert_int_equal(customer(BEN)->contacts.count, 0);
	assert_int_equal(visit_of("b")->contacts.count, 0);
	assert_int_equal(visit_of("b")->has_subject, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(
		    letters_that_speak_of_who_is_forgotten_go_wherever_they_do_and_others_stay),
		SPINE_TEST(a_stop_takes_the_action_off_every_screen_at_once_and_the_others_stay),
		SPINE_TEST(
		    a_stop_of_everything_takes_all_cards_and_its_end_leaves_the_others_stopped),
		SPINE_TEST_ON_DISK(each_lifts_what_it_stopped_itself),
		SPINE_TEST_ON_DISK(who_stopped_and_since_when_outlives_a_restart),
		SPINE_TEST_ON_DISK(a_line_of_the_list_of_before_is_the_stores_own),
		SPINE_TEST(a_stop_takes_accepted_offers_along_and_leaves_what_was_paid_with),
		SPINE_TEST_ON_DISK(what_is_stopped_is_known_once_in_order_and_after_a_restart),
		SPINE_TEST(cards_that_a_new_policy_does_not_know_go_and_answered_ones_stay),
		SPINE_TEST(
		    who_is_forgotten_is_taken_off_the_screen_and_the_basket_goes_on_without_them),
		SPINE_TEST(the_card_of_somebody_forgotten_waits_for_nothing),
		SPINE_TEST(
		    the_words_of_their_cards_leave_with_them_also_of_those_that_were_answered),
		SPINE_TEST_ON_DISK(
		    a_turn_that_fails_after_the_key_is_gone_leaves_no_card_on_a_screen),
		SPINE_TEST(a_record_that_waits_in_no_lane_is_damage_and_nothing_is_counted_by_it),
		SPINE_TEST(another_customer_is_not_forgotten_with_them),
		SPINE_TEST_ON_DISK(who_is_forgotten_is_so_in_a_basket_that_is_anothers_by_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
