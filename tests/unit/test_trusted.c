/* SPDX-License-Identifier: Apache-2.0
 *
 * test_trusted.c - the sequences that were taken outlive damage to one of their two rows.
 */
#include "store_fixture.h"

#include <sqlite3.h>

#include "daemon/daemon.h"

static struct fixture *fixture;

struct store *
engine_store(const struct engine *engine)
{
	(void)engine;
	return fixture->store;
}

void
daemon_hq_hear(struct daemon *daemon, const char *words, bool own, hq_fn take)
{
	(void)daemon;
	(void)words;
	(void)own;
	(void)take;
}

void
daemon_hq_subscribe(struct daemon *daemon, const char *topic)
{
	(void)daemon;
	(void)topic;
}

void
daemon_hq_unsubscribe(struct daemon *daemon, const char *topic)
{
	(void)daemon;
	(void)topic;
}

void
daemon_hq_refused(struct daemon *daemon, const char *format, ...)
{
	(void)daemon;
	(void)format;
}

static void
damage(const char *name)
{
	char sql[120];
	sqlite3 *db;
	char path[128];

	fixture_close(fixture);
	snprintf(path, sizeof(path), "%s/state.db", fixture->dir);
	snprintf(sql, sizeof(sql), "DELETE FROM meta WHERE name = '%s'", name);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_close(db);
	fixture_open(fixture);
}

static int64_t
sequence_after_a_start(void)
{
	struct daemon daemon = { 0 };
	struct err err = { 0 };
	int64_t last;

	assert_int_equal(daemon_trusted_start(&daemon, &err), 0);
	last = sequences_last(daemon_seen(&daemon), "order:0042");
	daemon_trusted_stop(&daemon);
	return last;
}

/* What was damaged and set aside is gone at the next start: that is no reason to begin at 0, which would let all that
 * was ever signed in once more. */
static void
a_row_that_was_set_aside_does_not_take_the_sequences_with_it(void **state)
{
	static const char *const rows[] = { "trust", "copy/trust" };
	struct daemon daemon = { 0 };
	uint8_t digest[32] = { 1 };

	fixture = *state;
	assert_int_equal(sequence_after_a_start(), 0);
	sequences_take(daemon_seen(&daemon), "order:0042", 7, digest, true);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(daemon_seen_save(&daemon), 0);
		damage(rows[i]);
		assert_int_equal(sequence_after_a_start(), 7);
	}
	daemon_trusted_stop(&daemon);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_row_that_was_set_aside_does_not_take_the_sequences_with_it, fixture_setup,
		    fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
