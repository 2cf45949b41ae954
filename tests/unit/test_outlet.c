/* SPDX-License-Identifier: Apache-2.0
 *
 * test_outlet.c - what a turn makes is queued for who takes it: receivers, headquarters, nobody.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/log.h"
#include "spine/spine.h"

#define T0 INT64_C(1795255200000) /* 2026-11-21T10:00:00Z */

struct made {
	size_t listed;
	int64_t outbox, id, uplink;
};

/* A customer's consent, and an event that cannot be used: a dead letter, and a receipt to the till. */
static struct made
run(const char *hq_host, bool aggregates, bool no_outlets)
{
	static const char consent[] =
	    "{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"1\",\"type\":"
	    "\"aisle.consent.changed\",\"time\":\"2026-11-21T10:00:00Z\",\"data\":{\"subject\":"
	    "\"00000000000000000000000000000001\",\"purpose\":\"profile\",\"state\":\"granted\"}}";
	static const char refused[] =
	    "{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"2\",\"type\":"
	    "\"aisle.basket.cleared\",\"time\":\"2026-11-21T10:00:00Z\",\"data\":{}}";
	struct input inputs[] = {
		{ .kind = INPUT_MESSAGE,
		    .now_ms = T0,
		    .topic = "aisle/v1/0042/loyalty/r7/event",
		    .payload = consent,
		    .len = sizeof(consent) - 1 },
		{ .kind = INPUT_MESSAGE,
		    .now_ms = T0,
		    .topic = "aisle/v1/0042/pos/7/event",
		    .payload = refused,
		    .len = sizeof(refused) - 1 },
	};
	struct conf conf;
	struct engine_options options = {
		.conf = &conf, .no_outlets = no_outlets, .recorded = true
	};
	struct engine *engine;
	struct err err = { 0 };
	struct made made;

	log_set_level(LOG_ERROR);
	conf_init(&conf);
	conf.store_id = mem_strdup("0042");
	conf.hq_host = hq_host != NULL ? mem_strdup(hq_host) : NULL;
	conf.uplink_aggregates = aggregates;
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	assert_int_equal(turn_run(engine, inputs, 2), 0);
	const struct output *outputs = engine_outputs(engine, &made.listed);
	assert_true(made.listed > 0);
	assert_int_equal(outputs[0].kind, OUTPUT_DEAD_LETTER);
	made.id = outputs[0].id;
	made.outbox = store_outbox_last(engine_store(engine));
	made.uplink = store_uplink_count(engine_store(engine));
	engine_close(engine);
	conf_done(&conf);
	return made;
}

static void
a_store_queues_for_its_receivers_and_for_headquarters_if_there_is_one(void **state)
{
	struct made alone = run(NULL, false, false), with = run("hq", false, false);

	(void)state;
	assert_int_equal(alone.outbox, alone.listed);
	assert_int_equal(alone.id, 1);
	assert_int_equal(alone.uplink, 0);
	assert_int_equal(with.outbox, with.listed);
	assert_int_equal(with.uplink, 1);
}

static void
consent_goes_up_also_where_only_sums_may(void **state)
{
	(void)state;
	assert_int_equal(run("hq", true, false).uplink, 1);
}

static void
a_replay_lists_the_same_and_queues_for_nobody(void **state)
{
	struct made made = run("hq", false, true);

	(void)state;
	assert_int_equal(made.listed, run("hq", false, false).listed);
	assert_int_equal(made.id, 0);
	assert_int_equal(made.outbox, 0);
	assert_int_equal(made.uplink, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_store_queues_for_its_receivers_and_for_headquarters_if_there_is_one),
		cmocka_unit_test(consent_goes_up_also_where_only_sums_may),
		cmocka_unit_test(a_replay_lists_the_same_and_queues_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
