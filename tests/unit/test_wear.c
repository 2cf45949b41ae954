/* SPDX-License-Identifier: Apache-2.0
 *
 * test_wear.c - how many days of decisions fit, and how long the flash lasts.
 */
#include "store_fixture.h"

#include "daemon/daemon.h"
#include "store/store_internal.h"

#define DAY INT64_C(86400000)
#define A_DAY 60 /* decisions */

static int
setup(void **state)
{
	int rc = fixture_setup(state);
	struct fixture *f = *state;

	fixture_close(f);
	f->max_mib = 8;
	f->recording_mib = 1;
	fixture_open(f);
	return rc;
}

static void
a_day(struct fixture *f, int64_t day)
{
	char body[1200];

	noise(body, sizeof(body));
	for (int i = 0; i < A_DAY; i++) {
		int64_t now_ms = day * DAY + i * (DAY / A_DAY);
		struct id key = ulid_of(now_ms, (uint32_t)i);

		begin(f);
		assert_int_equal(store_put(f->store, STORE_DECISION, &key, NULL, now_ms, 0, body,
				     sizeof(body)),
		    0);
		assert_int_equal(store_recording_add(f->store, now_ms, NULL, body, 200), 0);
		commit(f);
	}
	begin(f);
	assert_int_equal(store_settle(f->store), 0);
	commit(f);
}

static void
what_fits_is_known_after_a_day_and_true(void **state)
{
	struct fixture *f = *state;
	double said = 0;
	int64_t day = 1;

	assert_true(store_days_fit(f->store, DAY) < 0);
	a_day(f, day);
	assert_true(store_days_fit(f->store, 2 * DAY - 1) < 0);
	assert_true(store_days_fit(f->store, 2 * DAY) > 0);
	while (!store_pressed(f->store)) {
		a_day(f, ++day);
		if (day == 20)
			said = store_days_fit(f->store, 21 * DAY);
	}
	/* So many days it was until the store had to give up the oldest, or a few less: the ring of turns counts as if it grew. */
	assert_true(day > 40);
	assert_true(said > 0.85 * (double)day && said < 1.1 * (double)day);
	/* From then on it says what is there. */
	said = store_days_fit(f->store, (day + 1) * DAY);
	assert_true(said > 0.85 * (double)day && said < 1.1 * (double)day);
}

static void
a_state_without_a_bound_does_not_say(void **state)
{
	struct fixture *f = *state;

	fixture_close(f);
	f->max_mib = 0;
	fixture_open(f);
	a_day(f, 1);
	assert_true(store_days_fit(f->store, 30 * DAY) < 0);
}

static void
flash_lasts_as_its_data_sheet_says(void **state)
{
	struct daemon *daemon = mem_zero(sizeof(*daemon));

	(void)state;
	assert_true(daemon_flash_years(daemon, 1000000000) < 0);
	daemon->conf.flash_tb = 73;
	assert_true(daemon_flash_years(daemon, -1) < 0);
	assert_true(daemon_flash_years(daemon, 0) < 0);
	assert_int_equal((int)(daemon_flash_years(daemon, 10000000000) + 0.5), 20);
	free(daemon);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_fits_is_known_after_a_day_and_true),
		TEST(a_state_without_a_bound_does_not_say),
		TEST(flash_lasts_as_its_data_sheet_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
