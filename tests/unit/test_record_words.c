/* SPDX-License-Identifier: Apache-2.0
 *
 * test_record_words.c - what records of a policy have in common is told to the store, and they are read by it afterwards.
 */
#include "spine_rig.h"

#include "decide/decide.h"
#include "store/pack.h"
#include "store/store_internal.h"

#define ACTIONS 30

static char dir[] = "/tmp/aisle-words-XXXXXX";

static int
setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	rig_open(dir);
	rig_policy_begin("{\"tablet\":{\"slots\":2}}", "");
	rig_part("features.json",
	    "{\"features\":[{\"name\":\"basket_total\",\"type\":\"number\",\"from\":\"basket.total("
	    ")\"},"
	    "{\"name\":\"basket_lines\",\"type\":\"number\",\"from\":\"basket.lines()\"}]}");
	for (int i = 0; i < ACTIONS; i++) {
		char id[16];

		snprintf(id, sizeof(id), "action-%d", i);
		rig_action(id,
		    ",\"kind\":\"service\",\"gate\":\"associate\",\"expires\":\"60s\","
		    "\"incremental\":0.5,"
		    "\"outcome\":{\"is\":\"none\"},\"eligible\":{\">\":[{\"var\":\"basket_total\"},"
		    "%d]},"
		    "\"margin\":50,\"propensity\":0.5",
		    1000 * i);
	}
	rig_policy_set();
	return 0;
}

static int
teardown(void **state)
{
	char line[64];

	(void)state;
	rig_close();
	snprintf(line, sizeof(line), "rm -rf %s", dir);
	return system(line);
}

static void
they_hold_each_action_and_its_rule_and_nobody(void **state)
{
	struct buf words = { 0 };

	(void)state;
	record_words(rig.engine->policy, &words);
	assert_non_null(strstr(words.data, "\"basket_lines\":0"));
	for (int i = 0; i < ACTIONS; i++) {
		char text[160];

		snprintf(text, sizeof(text),
		    "{\"action\":\"action-%d\",\"fate\":\"eligibility\",\"clause\":\"{\\\">\\\":[{"
		    "\\\"var\\\":\\\"basket_total\\\"},%d]}\"}",
		    i, 1000 * i);
		assert_non_null(strstr(words.data, text));
	}
	buf_done(&words);
}

static void
a_record_is_a_fifth_of_what_it_was_and_is_read(void **state)
{
	struct err err = { 0 };
	struct buf shown = { 0 }, plain = { 0 }, with = { 0 }, without = { 0 };
	const char *decision;
	struct id key;

	(void)state;
	assert_non_null(rig.engine->store->words_now);
	assert_int_equal(rig_send("pos/7/event", "basket.opened",
			     "{\"basket\":\"b\",\"terminal\":\"7\"}"),
	    0);
	assert_int_equal(rig_send("pos/7/event", "basket.item-added",
			     "{\"basket\":\"b\",\"line\":1,\"sku\":\"s\",\"category\":\"c\","
			     "\"qty\":1,\"amount\":500,"
			     "\"currency\":\"EUR\"}"),
	    0);
	decision = json_string_value(json_object_get(rig.record, "decision"));
	assert_true(id_parse(decision, &key));
	assert_int_equal(store_get(rig.engine->store, STORE_DECISION, &key, &plain, NULL), 0);
	pack(plain.data, plain.len, &without);
	pack_with(rig.engine->store->words_now, true, plain.data, plain.len, &with);
	assert_true(with.len < without.len);
	assert_true(with.len < plain.len / 5);
	/* After the engine was opened again the words are in force, and what lies in its table is read. */
	assert_int_equal(engine_reopen(rig.engine, &err), 0);
	assert_non_null(rig.engine->store->words_now);
	assert_int_equal(query_decision(rig.engine, decision, &shown), 0);
	assert_non_null(strstr(shown.data, "action-29"));
	buf_done(&shown);
	buf_done(&plain);
	buf_done(&with);
	buf_done(&without);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_hold_each_action_and_its_rule_and_nobody),
		cmocka_unit_test(a_record_is_a_fifth_of_what_it_was_and_is_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
