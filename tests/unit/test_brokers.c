/* SPDX-License-Identifier: Apache-2.0
 *
 * test_brokers.c - which of headquarters' brokers a store is at: home, on, and home again.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/random.h"
#include "sync/brokers.h"

static struct conf conf;
static struct brokers brokers;

static void
begin(const char *store, const char *hosts)
{
	conf_init(&conf);
	conf.store_id = mem_strdup(store);
	conf.hq_host = mem_strdup(hosts);
	brokers_init(&brokers, &conf);
	conf_done(&conf);
}

static void
stores_have_their_homes_spread_over_the_list(void **state)
{
	(void)state;
	int homes[4] = { 0 };
	for (int i = 0; i < 2000; i++) {
		char store[12];
		snprintf(store, sizeof(store), "%04d", i);
		begin(store, "a b c d");
		size_t home = brokers.home;
		assert_ptr_equal(brokers_at(&brokers), brokers_home(&brokers));
		homes[home]++;
		begin(store, "a b c d");
		assert_int_equal(brokers.home, home);
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(homes[i], 400, 600);
}

/* It fails before it was up; the pause before the next. */
static int64_t
fails(int64_t now)
{
	return brokers_lost(&brokers, now) - now;
}

static void
each_of_the_list_is_tried_and_the_pauses_grow_with_the_rounds(void **state)
{
	(void)state;
	begin("0042", "a b c");
	size_t at = brokers.home;
	for (int round = 0; round < 8; round++) {
		int64_t most = 5000 << round < 60000 ? 5000 << round : 60000;
		for (int i = 0; i < 3; i++) {
			int64_t pause = fails(1000000);
			at = (at + 1) % 3;
			assert_int_equal(brokers.at, at);
			/* That of the last is the first of the next round. */
			if (i == 2)
				most = most * 2 < 60000 ? most * 2 : 60000;
			assert_in_range(pause, most / 4, most);
		}
	}
	brokers_up(&brokers, 0);
	assert_in_range(fails(1), 1250, 5000);
}

static void
one_that_was_there_for_a_minute_is_tried_once_more(void **state)
{
	(void)state;
	begin("0042", "a b c");
	size_t home = brokers.home;
	brokers_up(&brokers, 1000);
	assert_in_range(fails(61000), 1250, 5000);
	assert_int_equal(brokers.at, home);
	fails(70000);
	assert_int_equal(brokers.at, (home + 1) % 3);
	/* What was there for less is no better than one that refuses. */
	brokers_up(&brokers, 80000);
	fails(139999);
	assert_int_equal(brokers.at, (home + 2) % 3);
	begin("0042", "a");
	fails(0);
	assert_int_equal(brokers.at, 0);
}

static void
home_is_looked_for_after_an_hour(void **state)
{
	(void)state;
	begin("0042", "a b c");
	brokers_up(&brokers, 0);
	assert_false(brokers_home_due(&brokers, 100 * H_MS)); /* it is there */
	fails(0);
	assert_false(brokers_home_due(&brokers, 100 * H_MS)); /* it is nowhere */
	brokers_up(&brokers, 0);
	assert_false(brokers_home_due(&brokers, 45 * MIN_MS - 1));
	int64_t now = 45 * MIN_MS;
	while (!brokers_home_due(&brokers, now))
		now += S_MS;
	assert_in_range(now, 45 * MIN_MS, 75 * MIN_MS + S_MS);
	/* It was away: an hour later again. */
	assert_false(brokers_home_due(&brokers, now + 45 * MIN_MS - 1));
	assert_true(brokers_home_due(&brokers, now + 75 * MIN_MS + 1));
	brokers_go_home(&brokers);
	assert_ptr_equal(brokers_at(&brokers), brokers_home(&brokers));
	assert_false(brokers_home_due(&brokers, now + 1000 * H_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_have_their_homes_spread_over_the_list),
		cmocka_unit_test(each_of_the_list_is_tried_and_the_pauses_grow_with_the_rounds),
		cmocka_unit_test(one_that_was_there_for_a_minute_is_tried_once_more),
		cmocka_unit_test(home_is_looked_for_after_an_hour),
	};
	struct err err = { 0 };
	return random_begin(&err) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
