/* SPDX-License-Identifier: Apache-2.0
 *
 * test_spine.c - the spine with what an outsider may send: no input stops the turns for good, no
 * bound leaves somebody out.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/crash.h"
#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "core/when.h"
#include "ingest/rate.h"
#include "profile/subject_io.h"
#include "spine/spine.h"
#include "daemon/watch.h"

#define T0 INT64_C(1795255200000) /* 2026-11-21T10:00:00Z */
#define ANNA "00000000000000000000000000000001"
#define BEN "00000000000000000000000000000002"

static struct conf conf;
static struct engine *engine;
static int64_t now_ms;
static int count; /* of the messages so far: their ids */

static int
set_up(void **state)
{
	struct engine_options options = { .conf = &conf, .recorded = true };
	struct err err = { 0 };

	(void)state;
	log_set_level(LOG_ERROR);
	conf_init(&conf);
	conf.store_id = mem_strdup("0042");
	conf.terminal_rate = 0;
	now_ms = T0;
	count = 0;
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	engine_close(engine);
	conf_done(&conf);
	return 0;
}

/* ---- what is sent ---- */

static int
send_named(const char *topic, const char *id, const char *type, const char *data)
{
	char at[WHEN_TEXT_SIZE], full[128];
	struct buf text = { 0 };
	struct input input = { .kind = INPUT_MESSAGE, .now_ms = now_ms, .topic = full };
	int rc;

	snprintf(full, sizeof(full), "aisle/v1/0042/%s", topic);
	when_text(now_ms, at);
	buf_addf(&text,
	    "{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"%s\",\"type\":\"aisle.%s\","
	    "\"time\":\"%s\",\"data\":%s}",
	    id, type, at, data);
	input.payload = text.data;
	input.len = text.len;
	rc = turn_run(engine, &input, 1);
	buf_done(&text);
	return rc;
}

__attribute__((format(printf, 3, 4))) static void
tell(const char *topic, const char *type, const char *format, ...)
{
	char id[24], data[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(data, sizeof(data), format, args);
	va_end(args);
	snprintf(id, sizeof(id), "m%d", ++count);
	assert_int_equal(send_named(topic, id, type, data), 0);
}

static struct id
subject_of(const char *text)
{
	struct id id;

	assert_true(subject_parse(text, &id));
	return id;
}

/* ---- ids ---- */

/* Until a policy brings its salt, everybody can compute what an event's visit will be called. */
static void
visits_whose_ids_were_chosen_to_fall_together_are_all_kept(void **state)
{
	static const uint8_t none[32];
	char id[24], data[64];
	int found = 0;

	(void)state;
	for (unsigned i = 0; found < 12; i++) {
		struct id visit;

		snprintf(id, sizeof(id), "%u", i);
		visit = id_derive(none, now_ms, "/s", id, "visit");
		if (visit.b[6] != 0 || visit.b[7] != 0)
			continue;
		snprintf(data, sizeof(data), "{\"basket\":\"b%d\",\"terminal\":\"7\"}", found++);
		assert_int_equal(send_named("pos/7/event", id, "basket.opened", data), 0);
	}
	assert_int_equal(sessions_count(engine->sessions), found);
}

/* ---- an input that a bug dies of ---- */

static void
what_the_last_run_died_of_is_set_aside_whatever_kind_of_input_it_was(void **state)
{
	static const char text[] = "{\"stations\":[]}";
	struct crash crash = { .source = "t1", .what = "signal 11" };
	struct input hello = { .kind = INPUT_MESSAGE,
		.now_ms = T0,
		.topic = "aisle/v1/0042/tablet/t1/hello",
		.payload = text,
		.len = sizeof(text) - 1 };
	struct input answer = { .kind = INPUT_ANSWER,
		.now_ms = T0,
		.text = "t1",
		.guidance = "G",
		.prompt = "P",
		.is_shown = true };
	uint8_t digest[16];

	(void)state;
	engine->poison = &crash;
	/* One that could not even be read: its name is its bytes. */
	hash_bytes(digest, sizeof(digest), text, sizeof(text) - 1, keys_pepper(engine->keys), 32);
	hash_hex(crash.id, digest, sizeof(digest));
	assert_int_equal(turn_run(engine, &hello, 1), 0);
	assert_int_equal(engine->output_count, 1);
	hello.payload = "{\"stations\": []}";
	hello.len++;
	assert_int_equal(turn_run(engine, &hello, 1), 0);
	assert_int_equal(engine->output_count, 0);
	assert_int_equal(turn_run(engine, &answer, 1), 0);
	assert_int_equal(answer.result.status, 404);
	snprintf(crash.source, sizeof(crash.source), "tablet/t1");
	snprintf(crash.id, sizeof(crash.id), "P/shown");
	assert_int_equal(turn_run(engine, &answer, 1), 0);
	assert_int_equal(answer.result.status, 500);
}

/* ---- an answer over HTTP ---- */

static int
answered_with(const char *text, const char **ret_detail)
{
	struct err err = { 0 };
	struct input answer = { .kind = INPUT_ANSWER,
		.now_ms = T0,
		.text = "t1",
		.guidance = "G",
		.prompt = "P",
		.answer = json_read(text, strlen(text), "answer", &err) };

	assert_non_null(answer.answer);
	assert_int_equal(turn_run(engine, &answer, 1), 0);
	json_decref(answer.answer);
	*ret_detail = answer.result.detail;
	return answer.result.status;
}

/* It is read as the event would be that says the same. */
static void
an_answer_that_no_event_could_give_is_refused_with_its_member(void **state)
{
	const char *detail;

	(void)state;
	assert_int_equal(answered_with("{\"decision\":\"accept\"}", &detail), 404);
	assert_int_equal(answered_with("{\"decision\":\"perhaps\"}", &detail), 400);
	assert_non_null(strstr(detail, "/data/decision: expected"));
	assert_int_equal(answered_with("{\"decision\":\"override\",\"instead\":{\"action\":"
				       "\"a\",\"depth\":1000000000001}}",
			     &detail),
	    400);
	assert_non_null(strstr(detail, "instead/depth"));
}

/* ---- everybody's visits ---- */

static void
count_of(void *ctx, struct visit *visit)
{
	size_t *left = ctx;
	struct id anna = subject_of(ANNA);

	*left += id_equal(&visit->subject, &anna);
}

static void
a_customer_with_many_open_baskets_is_forgotten_in_all_of_them(void **state)
{
	struct input forget = {
		.kind = INPUT_FORGET, .now_ms = now_ms, .subject = subject_of(ANNA)
	};
	size_t left = 0;

	(void)state;
	for (int i = 0; i < 70; i++) {
		tell("pos/7/event", "basket.opened", "{\"basket\":\"b%d\",\"terminal\":\"7\"}", i);
		tell("pos/7/event", "customer.identified",
		    "{\"subject\":\"" ANNA "\",\"basket\":\"b%d\",\"station\":\"7\"}", i);
	}
	assert_int_equal(keys_destroy(engine->keys, &forget.subject), 0);
	assert_int_equal(turn_run(engine, &forget, 1), 0);
	sessions_each(engine->sessions, count_of, &left);
	assert_int_equal(left, 0);
}

static void
a_till_that_ends_no_basket_has_no_more_than_1024_and_its_neighbour_keeps_its_own(void **state)
{
	(void)state;
	tell("pos/8/event", "basket.opened", "{\"basket\":\"other\",\"terminal\":\"8\"}");
	for (int i = 0; i < 1024; i++) {
		now_ms++;
		tell("pos/7/event", "basket.opened", "{\"basket\":\"b%d\",\"terminal\":\"7\"}", i);
	}
	assert_int_equal(sessions_count(engine->sessions), 1025);
	now_ms++;
	tell("pos/7/event", "basket.suspended", "{\"basket\":\"b0\"}"); /* spoken of since */
	tell("pos/7/event", "basket.opened", "{\"basket\":\"b1024\",\"terminal\":\"7\"}");
	assert_int_equal(sessions_count(engine->sessions), 1025);
	assert_non_null(sessions_by_basket(engine->sessions, "other"));
	assert_non_null(sessions_by_basket(engine->sessions, "b0"));
	assert_null(sessions_by_basket(engine->sessions, "b1"));
	assert_non_null(sessions_by_basket(engine->sessions, "b1024"));
}

/* Of those that wait for a basket that is never opened; the first one's comes after all. */
static void
cards_that_wait_are_64_at_a_station_and_who_has_waited_longest_is_still_found(void **state)
{
	(void)state;
	tell("loyalty/r8/event", "customer.identified",
	    "{\"subject\":\"%032x\",\"station\":\"8\",\"basket\":\"other\"}", 1000);
	for (int i = 1; i <= 200; i++) {
		now_ms++;
		tell("loyalty/r7/event", "customer.identified",
		    "{\"subject\":\"%032x\",\"station\":\"7\",\"basket\":\"b%d\"}", i, i);
		assert_int_equal(sessions_count(engine->sessions), (i < 64 ? i : 64) + 1);
	}
	assert_null(sessions_by_basket(engine->sessions, "b136"));
	assert_non_null(sessions_by_basket(engine->sessions, "b137"));
	assert_int_equal(sessions_by_basket(engine->sessions, "other")->state, VISIT_WAITING);
	for (int i = 200; i > 0; i -= 199) {
		char subject[SUBJECT_TEXT_SIZE];
		struct visit *visit;
		struct id id;

		now_ms++;
		snprintf(subject, sizeof(subject), "%032x", i);
		id = subject_of(subject);
		tell("pos/7/event", "basket.opened", "{\"basket\":\"b%d\",\"terminal\":\"7\"}", i);
		visit = sessions_at_terminal(engine->sessions, "7");
		assert_true(visit->has_subject);
		assert_true(id_equal(&visit->subject, &id));
	}
}

static void
cards_that_wait_are_1024_in_the_store_wherever_they_were_read(void **state)
{
	(void)state;
	for (int i = 1; i <= 1100; i++)
		tell("loyalty/r7/event", "customer.identified",
		    "{\"subject\":\"%032x\",\"station\":\"s%d\",\"basket\":\"b\"}", i, i);
	assert_int_equal(sessions_count(engine->sessions), 1024);
}

/* ---- what is kept of a person ---- */

static void
two_cards_that_are_merged_twice_have_each_contact_once_also_after_a_restart(void **state)
{
	struct id ben = subject_of(BEN);

	(void)state;
	for (int i = 0; i < 3; i++)
		tell("loyalty/r1/event", "contact.recorded",
		    "{\"subject\":\"" ANNA "\","
		    "\"channel\":\"mail\",\"at\":\"2026-11-20T10:00:0%d.000Z\"}",
		    i);
	for (int i = 0; i < 2; i++)
		tell("loyalty/r1/event", "customer.merged",
		    "{\"subject\":\"" ANNA "\",\"into\":\"" BEN "\"}");
	assert_int_equal(engine_subject(engine, &ben)->contacts.count, 3);
	engine_drop_subjects(engine);
	assert_int_equal(engine_subject(engine, &ben)->contacts.count, 3);
}

static int
count_dead(void *ctx, int64_t n, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const void *payload, size_t len)
{
	(void)n;
	(void)at_ms;
	(void)topic;
	(void)reason;
	(void)detail;
	(void)payload;
	(void)len;
	++*(int *)ctx;
	return 0;
}

static int
dead_letters(void)
{
	int dead = 0;

	assert_int_equal(store_dead_each(engine->store, -1, count_dead, &dead), 0);
	return dead;
}

static void
who_is_forgotten_leaves_the_dead_letters_too(void **state)
{
	struct input forget = { .kind = INPUT_FORGET, .now_ms = now_ms };

	(void)state;
	/* No station: refused, and kept as it came. */
	for (int i = 0; i < 300; i++)
		tell("loyalty/r1/event", "customer.identified", "{\"card\":\"9780000012345\"}");
	tell("loyalty/r1/event", "customer.identified", "{\"card\":\"9780000012346\"}");
	assert_int_equal(dead_letters(), 301);
	forget.subject = subject_of_card(keys_pepper(engine->keys), "9780000012345", 13);
	assert_int_equal(keys_destroy(engine->keys, &forget.subject), 0);
	assert_int_equal(turn_run(engine, &forget, 1), 0);
	assert_int_equal(dead_letters(), 1);
}

static int
count_row(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	(void)n;
	(void)kind;
	(void)at_ms;
	(void)body;
	(void)len;
	++*(int *)ctx;
	return 0;
}

static void
late_lines_change_the_purchase_and_do_not_pile_up(void **state)
{
	struct id anna = subject_of(ANNA);
	const struct subject *subject;
	int rows = 0;

	(void)state;
	tell("loyalty/r7/event", "consent.changed",
	    "{\"subject\":\"" ANNA "\",\"purpose\":\"profile\",\"state\":\"granted\"}");
	tell("pos/7/event", "basket.opened", "{\"basket\":\"b\",\"terminal\":\"7\"}");
	tell("pos/7/event", "customer.identified",
	    "{\"subject\":\"" ANNA "\",\"basket\":\"b\",\"station\":\"7\"}");
	tell("pos/7/event", "basket.closed",
	    "{\"basket\":\"b\",\"total\":500,\"currency\":\"EUR\"}");
	for (int i = 0; i < 50; i++)
		tell("pos/7/event", "basket.item-added",
		    "{\"basket\":\"b\",\"line\":%d,\"sku\":\"s\","
		    "\"category\":\"c\",\"qty\":1,\"amount\":10,\"currency\":\"EUR\"}",
		    i);
	assert_int_equal(store_log_each(engine->store, STORE_LOG_SUBJECT, &anna, count_row, &rows),
	    0);
	assert_int_equal(rows, 1);
	engine_drop_subjects(engine);
	subject = engine_subject(engine, &anna);
	assert_int_equal(subject->purchase_count, 1);
	assert_int_equal(subject->purchases[0].line_count, 50);
}

/* ---- what became of a card ---- */

/* With the self-check's policy: milk is recommended at coffee, and bought within seven days. */
static int64_t
bought_after(const char *end, const char *data)
{
	struct watch watch;
	struct err err = { 0 };
	struct input clock = { .kind = INPUT_CLOCK };
	int64_t bought;

	assert_int_equal(watch_init(&watch, &err), 0);
	engine->policy = watch.policy;
	tell("pos/7/event", "basket.item-added",
	    "{\"basket\":\"b\",\"line\":1,\"sku\":\"c\","
	    "\"category\":\"grocery/coffee\",\"qty\":1,\"amount\":499,\"currency\":\"EUR\"}");
	assert_int_equal(engine->today.outcomes[OUTCOME_DECIDED], 1);
	now_ms += MIN_MS;
	tell("pos/7/event", "basket.item-added",
	    "{\"basket\":\"b\",\"line\":2,\"sku\":\"m\","
	    "\"category\":\"grocery/milk\",\"qty\":1,\"amount\":99,\"currency\":\"EUR\"}");
	tell("pos/7/event", end, "%s", data);
	clock.now_ms = T0 + 7 * D_MS;
	assert_int_equal(turn_run(engine, &clock, 1), 0);
	bought = engine->today.outcomes[OUTCOME_BOUGHT];
	engine->policy = NULL;
	watch_done(&watch);
	return bought;
}

static void
what_was_in_a_basket_that_was_paid_was_bought(void **state)
{
	(void)state;
	assert_int_equal(bought_after("basket.closed",
			     "{\"basket\":\"b\",\"total\":598,\"currency\":\"EUR\"}"),
	    1);
}

/* However many digits the policy has it with: lines have 14. */
static void
a_goals_item_is_credited_with_13_digits_and_with_14(void **state)
{
	static const char *const items[] = { "4006381333931", "04006381333931" };

	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		struct watch watch;
		struct err err = { 0 };

		assert_int_equal(watch_init(&watch, &err), 0);
		engine->policy = watch.policy;
		for (size_t a = 0; a < watch.policy->action_count; a++) {
			watch.policy->actions[a].goal_item =
			    (struct match){ .set = true, .item = items[i] };
			watch.policy->actions[a].goal_within_ms = 0;
		}
		tell("pos/7/event", "basket.item-added",
		    "{\"basket\":\"b\",\"line\":1,\"sku\":\"c\",\"category\":\"grocery/coffee\","
		    "\"qty\":1,\"amount\":499,\"currency\":\"EUR\"}");
		now_ms += MIN_MS;
		tell("pos/7/event", "basket.item-added",
		    "{\"basket\":\"b\",\"line\":2,\"gtin\":\"4006381333931\",\"category\":\"x\","
		    "\"qty\":1,\"amount\":99,\"currency\":\"EUR\"}");
		tell("pos/7/event", "basket.closed",
		    "{\"basket\":\"b\",\"total\":598,\"currency\":\"EUR\"}");
		assert_int_equal(engine->today.outcomes[OUTCOME_BOUGHT], 1);
		engine->policy = NULL;
		watch_done(&watch);
		tear_down(state);
		set_up(state);
	}
}

static void
what_was_in_a_basket_that_was_cancelled_was_not(void **state)
{
	(void)state;
	assert_int_equal(bought_after("basket.cancelled", "{\"basket\":\"b\"}"), 0);
}

/* A card whose offer was paid with: its token. */
static struct card *
redeemed_card(char token[static ID_TEXT_SIZE])
{
	struct visit *visit;
	struct card *card;

	tell("pos/7/event", "basket.opened", "{\"basket\":\"b\",\"terminal\":\"7\"}");
	visit = sessions_by_basket(engine->sessions, "b");
	card = visit_add_card(visit);
	*card = (struct card){ .prompt = { { 1 } },
		.token = { { 2 } },
		.action = mem_strdup("a"),
		.group = mem_strdup("g"),
		.issue = mem_strdup("i"),
		.depth = 10,
		.hold_minor = 300,
		.most_minor = 300,
		.sent_ms = now_ms,
		.state = CARD_APPLIED };
	id_text(&card->token, token);
	assert_int_equal(store_begin(engine->store), 0);
	engine_ref(engine, "token", token, visit);
	hold_take(engine, card);
	assert_int_equal(store_commit(engine->store), 0);
	tell("pos/7/event", "offer.redeemed", "{\"basket\":\"b\",\"token\":\"%s\",\"amount\":120}",
	    token);
	return card;
}

static void
money_that_was_paid_out_is_not_given_back_by_a_refusal(void **state)
{
	char token[ID_TEXT_SIZE];
	struct card *card = redeemed_card(token);

	(void)state;
	assert_int_equal(hold_today(engine, "a").all_money_minor, 120);
	tell("pos/7/event", "offer.refused",
	    "{\"basket\":\"b\",\"token\":\"%s\",\"reason\":\"no\"}", token);
	assert_int_equal(hold_today(engine, "a").all_money_minor, 120);
	assert_true(card->redeemed);
	assert_int_equal(dead_letters(), 1);
}

static void
money_comes_back_once_however_often_it_is_reversed(void **state)
{
	char token[ID_TEXT_SIZE];

	(void)state;
	(void)redeemed_card(token);
	for (int i = 0; i < 2; i++)
		tell("pos/7/event", "offer.reversed",
		    "{\"basket\":\"b\",\"token\":\"%s\",\"amount\":120}", token);
	assert_int_equal(hold_today(engine, "a").all_money_minor, 0);
	assert_int_equal(engine->today.actions[0].redeemed_minor, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define SPINE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		SPINE_TEST(visits_whose_ids_were_chosen_to_fall_together_are_all_kept),
		SPINE_TEST(what_the_last_run_died_of_is_set_aside_whatever_kind_of_input_it_was),
		SPINE_TEST(an_answer_that_no_event_could_give_is_refused_with_its_member),
		SPINE_TEST(a_customer_with_many_open_baskets_is_forgotten_in_all_of_them),
		SPINE_TEST(
		    a_till_that_ends_no_basket_has_no_more_than_1024_and_its_neighbour_keeps_its_own),
		SPINE_TEST(
		    cards_that_wait_are_64_at_a_station_and_who_has_waited_longest_is_still_found),
		SPINE_TEST(cards_that_wait_are_1024_in_the_store_wherever_they_were_read),
		SPINE_TEST(
		    two_cards_that_are_merged_twice_have_each_contact_once_also_after_a_restart),
		SPINE_TEST(who_is_forgotten_leaves_the_dead_letters_too),
		SPINE_TEST(late_lines_change_the_purchase_and_do_not_pile_up),
		SPINE_TEST(what_was_in_a_basket_that_was_paid_was_bought),
		SPINE_TEST(a_goals_item_is_credited_with_13_digits_and_with_14),
		SPINE_TEST(what_was_in_a_basket_that_was_cancelled_was_not),
		SPINE_TEST(money_that_was_paid_out_is_not_given_back_by_a_refusal),
		SPINE_TEST(money_comes_back_once_however_often_it_is_reversed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
