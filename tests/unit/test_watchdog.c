/* SPDX-License-Identifier: Apache-2.0
 *
 * test_watchdog.c - the watchdog is fed by what is sound, and by nothing else.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/store_internal.h"
#include "daemon/watch.h"

static struct conf conf;
static struct watch watch;
static struct engine *engine;

static int
set_up(void **state)
{
	struct engine_options options = { .conf = &conf };
	struct err err = { 0 };

	(void)state;
	conf_init(&conf);
	conf.store_id = mem_strdup("0042");
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	if (watch_init(&watch, &err) != 0)
		fail_msg("%s", err.text);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	watch_done(&watch);
	engine_close(engine);
	conf_done(&conf);
	return 0;
}

static void
a_sound_daemon_is_fed_again_and_again(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_null(watch_look(&watch, engine, 0));
}

static void
a_turn_that_failed_starves_it_but_a_full_disk_does_not(void **state)
{
	(void)state;
	assert_string_equal(watch_look(&watch, engine, AISLE_E_IO),
	    "the last turn could not be committed");
	assert_null(watch_look(&watch, engine, AISLE_E_FULL));
}

static void
a_store_that_cannot_be_read_starves_it(void **state)
{
	(void)state;
	assert_int_equal(sqlite3_exec(engine_store(engine)->db, "DROP TABLE meta", NULL, NULL,
			     NULL),
	    SQLITE_OK);
	assert_string_equal(watch_look(&watch, engine, 0), "the state cannot be read");
}

#define WRONG "the self-check's decision is not what it must be"

static void
a_rule_that_no_longer_holds_starves_it(void **state)
{
	(void)state;
	watch.line.amount_minor = 500; /* "far" applies from here on */
	assert_string_equal(watch_look(&watch, engine, 0), WRONG);
	watch.line.amount_minor = 499;
	assert_null(watch_look(&watch, engine, 0));
}

static void
another_score_by_the_least_amount_starves_it(void **state)
{
	(void)state;
	watch.line.amount_minor = 498;
	assert_string_equal(watch_look(&watch, engine, 0), WRONG);
}

static void
another_draw_starves_it(void **state)
{
	int wrong = 0;

	(void)state;
	for (int i = 0; i < 64; i++) {
		watch.visit.id.b[15] = (uint8_t)i;
		wrong += watch_look(&watch, engine, 0) != NULL;
	}
	assert_in_range(wrong, 1, 63);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_sound_daemon_is_fed_again_and_again, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_turn_that_failed_starves_it_but_a_full_disk_does_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_store_that_cannot_be_read_starves_it, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(a_rule_that_no_longer_holds_starves_it, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(another_score_by_the_least_amount_starves_it,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_draw_starves_it, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
