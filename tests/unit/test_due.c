/* SPDX-License-Identifier: Apache-2.0
 *
 * test_due.c - what is due: it comes at its time, also after timers were lost, and also when the store was started
 * again in between.
 */
#include "spine_story.h"

/* ---- the rows ---- */

/* As a damaged page takes them. */
static void
lose_timers(void)
{
	int64_t due_ms;
	char id[128];

	assert_int_equal(store_begin(engine->store), 0);
	while (store_timer_first(engine->store, &due_ms, id) == 0)
		assert_int_equal(store_timer_delete(engine->store, due_ms, id), 0);
	assert_int_equal(store_commit(engine->store), 0);
}

/* Kinds and seconds from now, in their order; they stay as they are. */
static const char *
timers(void)
{
	int64_t due_ms;
	char id[128];
	struct buf list = { 0 };
	const char *text;

	assert_int_equal(store_begin(engine->store), 0);
	while (store_timer_first(engine->store, &due_ms, id) == 0) {
		buf_addf(&list, "%s%.*s %lld", list.len > 0 ? ", " : "", (int)strcspn(id, "/"), id,
		    (long long)(due_ms - now_ms) / S_MS);
		assert_int_equal(store_timer_delete(engine->store, due_ms, id), 0);
	}
	store_rollback(engine->store);
	text = arena_strdup(texts, list.len > 0 ? list.data : "");
	buf_done(&list);
	return text;
}

/* ---- after damage ---- */

static void
timers_that_were_lost_are_there_again_after_a_start(void **state)
{
	(void)state;
	conf.uplink_aggregates = true;
	restart();
	a_policy("{}");
	an_action("a",
	    "{'outcome':{'is':'bought','within':'1d','item':{'category':'m'}},'kind':'remind'}");
	an_action("o", "{'group':'h'," OFFER_OF("") "}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("o", "accept"), 200);
	tell("loyalty/r9/event", "customer.identified", "{'subject':'" ANNA "','station':'9'}");
	assert_string_equal(timers(),
	    "ask 5, card 120, wait 120, hour 3600, idle 43200, window 86400");
	lose_timers();
	assert_string_equal(timers(), "");
	restart();
	assert_string_equal(timers(),
	    "ask 5, card 120, wait 120, hour 3600, idle 43200, window 86400");
	/* None is there twice, and what has no timer gets none. */
	restart();
	wait_for(120 * S_MS);
	restart();
	assert_string_equal(timers(), "hour 3480, idle 43080, window 86280");
	wait_for(D_MS);
	assert_string_equal(timers(), "");
	assert_int_equal(sessions_count(engine->sessions), 0);
	restart();
	assert_string_equal(timers(), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST_ON_DISK(timers_that_were_lost_are_there_again_after_a_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
