/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_doom.c - a write that fails dooms its transaction: whichever
 * function it was, and whatever it failed of.
 */
#include "store_fixture.h"

#include <sqlite3.h>

#include "store/store_internal.h"

#define GIANT (STORE_BODY_MAX + 1)

static char giant[GIANT];
static const struct id anna = { { 1 } }, thing = { { 2 } };

/* ---- each function that writes ---- */

static int
put(struct store *store)
{
	return store_put(store, STORE_VISIT, &thing, &anna, 1, 0, "x", 1);
}

static int
put_decision(struct store *store)
{
	return store_put(store, STORE_DECISION, &thing, &anna, 1, 0, "x", 1);
}

static int delete (struct store *store)
{
	return store_delete(store, STORE_VISIT, &thing);
}

static int
log_add(struct store *store)
{
	return store_log_add(store, STORE_LOG_OUTCOME, &thing, &anna, 1, 1, "x", 1);
}

static int
log_drop(struct store *store)
{
	return store_log_drop(store, STORE_LOG_OUTCOME, &thing, 1, "x", 1);
}

static int
log_prune(struct store *store)
{
	return store_log_prune(store, STORE_LOG_OUTCOME, INT64_MAX, 10);
}

static int
seen_put(struct store *store)
{
	return store_seen_put(store, &thing, &anna, 1);
}

static int
ref_put(struct store *store)
{
	return store_ref_put(store, &thing, &anna, 1);
}

static int
timer_add(struct store *store)
{
	return store_timer_add(store, 1, "card/a/1");
}

static int
timer_delete(struct store *store)
{
	return store_timer_delete(store, 1, "card/a/1");
}

static int
outbox_add(struct store *store)
{
	return store_outbox_add(store, "t", NULL, false, "x", 1, NULL);
}

static int
outbox_delete(struct store *store)
{
	return store_outbox_delete(store, 1);
}

static int
uplink_add(struct store *store)
{
	return store_uplink_add(store, LANE_MONEY, "t", 1, &anna, "{}", 2);
}

static int
uplink_ack(struct store *store)
{
	return store_uplink_ack(store, LANE_MONEY, 1);
}

static int
dead_add(struct store *store)
{
	return store_dead_add(store, 1, "t", "not-json", "d", NULL, "x", 1);
}

static int
dead_drop(struct store *store)
{
	return store_dead_drop(store, 1);
}

static int
meta_set(struct store *store)
{
	return store_meta_set(store, "floor", "1", 1);
}

static int
forget(struct store *store)
{
	return store_forget(store, &anna);
}

static int
prune(struct store *store)
{
	return store_prune(store, INT64_MAX / 2, 1, 1, 1, 10);
}

/* ---- bodies that are too large, windows that are full ---- */

static int
put_giant(struct store *store)
{
	return store_put(store, STORE_VISIT, &thing, NULL, 1, 0, giant, GIANT);
}

static int
log_add_giant(struct store *store)
{
	return store_log_add(store, STORE_LOG_OUTCOME, &thing, NULL, 1, 1, giant, GIANT);
}

static int
outbox_add_giant(struct store *store)
{
	return store_outbox_add(store, "t", NULL, false, giant, GIANT, NULL);
}

static int
uplink_add_giant(struct store *store)
{
	return store_uplink_add(store, LANE_MONEY, "t", 1, NULL, giant, GIANT);
}

static int
dead_add_giant(struct store *store)
{
	return store_dead_add(store, 1, "t", "not-json", "d", NULL, giant, GIANT);
}

static int
meta_set_giant(struct store *store)
{
	return store_meta_set(store, "floor", giant, GIANT);
}

static int
fill_window(struct store *store, int (*one)(struct store *store, const struct id *name))
{
	struct id name = { { 3 } };
	int error = 0;
	for (int i = 0; i <= STORE_WINDOW && error == 0; i++) {
		name.b[14] = (uint8_t)(i >> 8);
		name.b[15] = (uint8_t)i;
		error = one(store, &name);
		if (i < STORE_WINDOW)
			assert_int_equal(error, 0);
	}
	return error;
}

static int
one_ref(struct store *store, const struct id *name)
{
	return store_ref_put(store, name, &anna, 1);
}

static int
one_visit(struct store *store, const struct id *name)
{
	return store_put(store, STORE_VISIT, name, NULL, 1, 0, "x", 1);
}

static int
put_too_many(struct store *store)
{
	return fill_window(store, one_visit);
}

static int
ref_put_too_many(struct store *store)
{
	return fill_window(store, one_ref);
}

struct writer {
	const char *name;
	int (*write)(struct store *store);
};
#define W(function) \
	{ \
#function, function \
	}

/* ---- the tests ---- */

static int
interrupt(void *ctx)
{
	return ++*(int *)ctx > 0;
}

static void
assert_doomed(struct store *store, const char *name, int error, int want)
{
	if (error != want)
		fail_msg("%s: %d, not %d", name, error, want);
	/* Not even what would succeed by itself. */
	assert_int_equal(store_meta_set(store, "after", "1", 1), want);
	assert_int_equal(store_commit(store), want);
	store_rollback(store);
}

static void
assert_nothing_stayed(struct store *store)
{
	struct buf value = { 0 };
	assert_int_equal(store_meta_get(store, "before", &value), AISLE_E_NONE);
	assert_int_equal(store_meta_get(store, "after", &value), AISLE_E_NONE);
	buf_done(&value);
}

static int
give(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	(void)ctx, (void)seq, (void)type, (void)at_ms, (void)body, (void)len;
	return 0;
}

/* The rows that the rest of them need. */
static void
write_rows(struct fixture *f, const struct writer *writers, size_t count)
{
	begin(f);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(writers[i].write(f->store), 0);
	commit(f);
	assert_int_equal(store_uplink_each(f->store, LANE_MONEY, 0, 10, give, NULL), 0);
}

static void
a_write_that_the_disk_fails_dooms_whichever_it_was(void **state)
{
	static const struct writer writers[] = { W(put), W(put_decision), W(log_add), W(seen_put),
		W(ref_put), W(timer_add), W(outbox_add), W(uplink_add), W(dead_add), W(meta_set),
		W(log_drop), W(log_prune), W(uplink_ack), W(dead_drop), W(timer_delete),
		W(outbox_delete), W(delete), W(prune), W(forget) };
	struct fixture *f = *state;
	write_rows(f, writers, 10);
	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		int asked = 0;
		begin(f);
		assert_int_equal(store_meta_set(f->store, "before", "1", 1), 0);
		sqlite3_progress_handler(f->store->db, 1, interrupt, &asked);
		int error = writers[i].write(f->store);
		/* What goes to its table later reaches the disk with the turn's row. */
		if (error == 0)
			error = store_commit(f->store);
		sqlite3_progress_handler(f->store->db, 0, NULL, NULL);
		assert_true(asked > 0);
		assert_doomed(f->store, writers[i].name, error, AISLE_E_IO);
		assert_nothing_stayed(f->store);
	}
}

static void
a_write_that_is_refused_for_its_size_dooms_as_well(void **state)
{
	static const struct writer writers[] = { W(put_giant), W(log_add_giant),
		W(outbox_add_giant), W(uplink_add_giant), W(dead_add_giant), W(meta_set_giant),
		W(put_too_many), W(ref_put_too_many) };
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		begin(f);
		assert_int_equal(store_meta_set(f->store, "before", "1", 1), 0);
		assert_doomed(f->store, writers[i].name, writers[i].write(f->store),
		    AISLE_E_TOO_BIG);
		assert_nothing_stayed(f->store);
	}
}

static void
a_write_about_somebody_forgotten_writes_nothing_and_dooms_nothing(void **state)
{
	static const struct writer writers[] = { W(put), W(put_decision), W(log_add),
		W(uplink_add) };
	struct fixture *f = *state;
	assert_int_equal(keys_destroy(f->keys, &anna), 0);
	begin(f);
	for (size_t i = 0; i < ARRAY_LEN(writers); i++)
		assert_int_equal(writers[i].write(f->store), AISLE_E_NONE);
	assert_int_equal(store_uplink_count(f->store), 0);
	commit(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_write_that_the_disk_fails_dooms_whichever_it_was),
		STORE_TEST(a_write_that_is_refused_for_its_size_dooms_as_well),
		STORE_TEST(a_write_about_somebody_forgotten_writes_nothing_and_dooms_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
