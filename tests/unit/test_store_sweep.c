/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_sweep.c - what is looked for among rows without an order of time costs what goes out of date, not what is there.
 */
#include "store_fixture.h"

#include <sqlite3.h>

#include "store/store_internal.h"

#define ROWS 6000
#define AT_ONCE 200
#define REFS STORE_LOG_COUNT

static void
add_refs(struct fixture *f, uint64_t from, uint64_t count, int64_t at_ms)
{
	begin(f);
	for (uint64_t n = from; n < from + count; n++) {
		struct id name = id_of(n);

		assert_int_equal(store_ref_put(f->store, &name, &name, at_ms), 0);
	}
	assert_int_equal(store_settle(f->store), 0);
	commit(f);
}

static int
prune(struct fixture *f, int64_t now_ms)
{
	begin(f);
	int removed = store_prune(f->store, now_ms, 100, 100, 100, AT_ONCE);
	assert_true(removed >= 0);
	commit(f);
	return removed;
}

/* Calls until the cursor is at the begin again. */
static int
calls_of_a_round(struct fixture *f, int64_t now_ms)
{
	int calls = 0;

	while (f->store->sweep[REFS].cursor != 0)
		prune(f, now_ms);
	do {
		prune(f, now_ms);
		calls++;
	} while (f->store->sweep[REFS].cursor != 0);
	return calls;
}

static void
where_nothing_is_old_few_rows_are_looked_at(void **state)
{
	struct fixture *f = *state;

	add_refs(f, 0, ROWS, 1000);
	assert_true(calls_of_a_round(f, 1000) < ROWS / 64 - 20);
	for (int i = 0; i < 10; i++)
		prune(f, 1000);
	/* 64 at once from then on. */
	assert_in_range(calls_of_a_round(f, 1000), ROWS / 64, ROWS / 64 + 2);
}

static void
where_much_is_old_all_of_it_goes_soon(void **state)
{
	struct fixture *f = *state;
	int calls = 0, gone = 0;

	add_refs(f, 0, ROWS, 1000);
	for (int i = 0; i < 10; i++)
		prune(f, 1000);
	while (gone < ROWS) {
		gone += prune(f, 2000);
		calls++;
		assert_true(calls < ROWS / AT_ONCE + 10);
	}
	assert_int_equal(gone, ROWS);
}

static void
as_much_goes_as_comes(void **state)
{
	struct fixture *f = *state;
	int left = ROWS;

	/* Twenty at a time; each is old after a hundred times. */
	for (int hour = 0; hour < 900; hour++) {
		add_refs(f, (uint64_t)hour * 20, 20, hour);
		left = hour * 20 + 20;
		prune(f, hour);
	}
	/* Of those that are not old there are 2,000; of old ones never many more. */
	struct err err = { 0 };
	int64_t rows = 0;
	assert_int_equal(store_read_number(f->store, "SELECT count(*) FROM ref", &rows, &err), 0);
	assert_true(left == 18000 && rows >= 2000 && rows < 3000);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(where_nothing_is_old_few_rows_are_looked_at),
		TEST(where_much_is_old_all_of_it_goes_soon),
		TEST(as_much_goes_as_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
