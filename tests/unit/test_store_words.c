/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_words.c - records of decisions that are packed with the words of their policy are read as long as they are kept.
 */
#include "store_fixture.h"

#include <sqlite3.h>

#include "store/store_internal.h"

#define WORDS \
	"\"candidates\":[{\"action\":\"coffee-off\",\"fate\":\"eligibility\",\"clause\":\"bought " \
	"it twice\"}," \
	"{\"action\":\"tea-off\",\"fate\":\"eligibility\",\"clause\":\"never bought it before\"}," \
	"{\"action\":\"bread-reminder\",\"fate\":\"applicability\",\"clause\":\"none in the " \
	"basket\"}," \
	"{\"action\":\"welcome-back\",\"fate\":\"suitability\",\"clause\":\"was here all the " \
	"time\"}," \
	"{\"action\":\"recall\",\"fate\":\"validity\",\"clause\":\"is over since the spring\"}]"
#define RECORD "{\"decision\":1," WORDS ",\"of\":%d}"
#define DAY INT64_C(86400000)

static void
tell(struct fixture *f, int64_t now_ms, const char *more)
{
	char text[600];

	snprintf(text, sizeof(text), WORDS "%s", more);
	store_words(f->store, now_ms, text, strlen(text));
}

static struct id
decide_at(struct fixture *f, int64_t now_ms, int n)
{
	struct id key = ulid_of(now_ms, (uint32_t)n), anna = id_of(7);
	char text[600];

	snprintf(text, sizeof(text), RECORD, n);
	begin(f);
	assert_int_equal(store_put(f->store, STORE_DECISION, &key, n % 2 == 0 ? &anna : NULL,
			     now_ms, 0, text, strlen(text)),
	    0);
	commit(f);
	return key;
}

static bool
is_read(struct fixture *f, struct id key, int n)
{
	struct buf body = { 0 };
	char text[600];
	int error = store_get(f->store, STORE_DECISION, &key, &body, NULL);
	bool same;

	snprintf(text, sizeof(text), RECORD, n);
	same = error == 0 && body.len == strlen(text) && memcmp(body.data, text, body.len) == 0;
	buf_done(&body);
	return same;
}

/* Behind the store's back. */
static int64_t
sql(struct fixture *f, const char *text)
{
	struct err err = { 0 };
	int64_t number = -1;

	if (strncmp(text, "SELECT", 6) != 0)
		assert_int_equal(sqlite3_exec(f->store->db, text, NULL, NULL, NULL), SQLITE_OK);
	else
		assert_int_equal(store_read_number(f->store, text, &number, &err), 0);
	return number;
}

static void
a_record_takes_less_room_with_its_words_and_is_read_after_a_start(void **state)
{
	struct fixture *f = *state;
	struct id without = decide_at(f, DAY, 1), with, other;
	int64_t plain, packed;

	tell(f, DAY, "");
	with = decide_at(f, DAY + 1, 2);
	assert_true(is_read(f, without, 1) && is_read(f, with, 2));
	/* Of turns that are not folded, too. */
	fixture_close(f);
	fixture_open(f);
	assert_true(is_read(f, without, 1) && is_read(f, with, 2));
	plain = sql(f, "SELECT length(body) FROM decision WHERE at = 86400000");
	packed = sql(f, "SELECT length(body) FROM decision WHERE at = 86400001");
	assert_true(packed < plain - 100);
	/* Another policy's. */
	tell(f, 2 * DAY, "other");
	other = decide_at(f, 2 * DAY, 3);
	fixture_reopen(f);
	assert_true(is_read(f, without, 1) && is_read(f, with, 2) && is_read(f, other, 3));
	assert_int_equal(store_damaged(f->store), 0);
}

static void
what_is_told_again_is_not_written_again(void **state)
{
	struct fixture *f = *state;
	int changes;

	tell(f, DAY, "");
	fixture_reopen(f);
	changes = sqlite3_total_changes(f->store->db);
	tell(f, 2 * DAY, "");
	assert_int_equal(sqlite3_total_changes(f->store->db), changes);
	/* But one that comes back is in force anew. */
	tell(f, 2 * DAY, "other");
	tell(f, 3 * DAY, "");
	assert_true(sqlite3_total_changes(f->store->db) > changes + 2);
}

static void
one_lost_copy_costs_nothing_and_is_written_again(void **state)
{
	struct fixture *f = *state;
	static const char *const lost[] = { "DELETE FROM meta WHERE name LIKE 'words/%'",
		"DELETE FROM meta WHERE name LIKE 'copy/words/%'",
		"UPDATE meta SET value = x'0101' WHERE name LIKE 'words/%'",
		"UPDATE meta SET sum = sum + 1 WHERE name LIKE 'words/%'" };
	struct id key;

	tell(f, DAY, "");
	key = decide_at(f, DAY, 1);
	for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
		sql(f, lost[i]);
		fixture_reopen(f);
		assert_true(is_read(f, key, 1));
		tell(f, DAY, "");
		assert_int_equal(sql(f, "SELECT count(*) FROM meta WHERE name LIKE '%words/%'"), 2);
	}
}

static void
both_lost_the_policy_in_force_brings_them_back(void **state)
{
	struct fixture *f = *state;
	struct buf body = { 0 };
	struct id key;

	tell(f, DAY, "");
	key = decide_at(f, DAY, 1);
	fixture_close(f);
	fixture_open(f);
	sql(f, "DELETE FROM meta WHERE name LIKE '%words/%'");
	assert_int_equal(store_get(f->store, STORE_DECISION, &key, &body, NULL), AISLE_E_DAMAGED);
	assert_int_equal(body.len, 0);
	tell(f, DAY, "");
	assert_true(is_read(f, key, 1));
	buf_done(&body);
}

static void
they_go_with_the_last_record_that_needs_them(void **state)
{
	struct fixture *f = *state;
	char name[16];

	for (int day = 1; day <= 5; day++) {
		snprintf(name, sizeof(name), "policy %d", day);
		tell(f, day * DAY, name);
		decide_at(f, day * DAY + 1, day);
	}
	assert_int_equal(sql(f, "SELECT count(*) FROM meta WHERE name LIKE 'words/%'"), 5);
	begin(f);
	assert_int_equal(store_settle(f->store), 0);
	while (store_prune(f->store, 100 * DAY, 100 * DAY, 100 * DAY, 97 * DAY, 100) > 0)
		;
	commit(f);
	/* Those of the first two days are gone; the second's served until the third's came, before the oldest record. */
	tell(f, 6 * DAY, "policy 6");
	assert_int_equal(sql(f, "SELECT count(*) FROM meta WHERE name LIKE 'words/%'"), 4);
	for (int day = 3; day <= 5; day++)
		assert_true(is_read(f, ulid_of(day * DAY + 1, (uint32_t)day), day));
}

static int
is_first(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	char text[600];

	(void)seq, (void)type, (void)at_ms;
	snprintf(text, sizeof(text), RECORD, 1);
	*(bool *)ctx = len == strlen(text) && memcmp(body, text, len) == 0;
	return 1;
}

/* On a disk that is nearly full the decisions are gone long before headquarters answers again. */
static void
they_stay_for_what_headquarters_does_not_have(void **state)
{
	struct fixture *f = *state;
	bool same = false;
	char text[600];

	snprintf(text, sizeof(text), RECORD, 1);
	tell(f, DAY, "");
	assert_int_equal(store_uplink_add(f->store, LANE_DECISION, "decision", DAY + 1, NULL, text,
			     strlen(text)),
	    0);
	tell(f, 2 * DAY, "policy 2");
	decide_at(f, 60 * DAY, 2);
	tell(f, 61 * DAY, "policy 3");
	assert_int_equal(sql(f, "SELECT count(*) FROM meta WHERE name LIKE 'words/%'"), 3);
	fixture_reopen(f);
	assert_true(store_uplink_each(f->store, LANE_DECISION, 0, 10, is_first, &same) >= 0 &&
	    same);
	assert_int_equal(store_uplink_ack(f->store, LANE_DECISION, 1), 0);
	tell(f, 62 * DAY, "policy 4");
	assert_int_equal(sql(f, "SELECT count(*) FROM meta WHERE name LIKE 'words/%'"), 3);
}

static void
there_are_never_more_than_there_is_place_for(void **state)
{
	struct fixture *f = *state;
	struct id key = decide_at(f, 1, 0);
	char name[16];

	for (int day = 1; day <= 40; day++) {
		snprintf(name, sizeof(name), "policy %d", day);
		tell(f, day * DAY, name);
		key = decide_at(f, day * DAY + 1, day);
		assert_true(is_read(f, key, day));
	}
	assert_true(sql(f, "SELECT count(*) FROM meta WHERE name LIKE 'words/%'") <= 32);
	fixture_reopen(f);
	for (int day = 1; day <= 40; day++)
		assert_true(is_read(f, ulid_of(day * DAY + 1, (uint32_t)day), day));
	assert_int_equal(store_damaged(f->store), 0);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_record_takes_less_room_with_its_words_and_is_read_after_a_start),
		TEST(what_is_told_again_is_not_written_again),
		TEST(one_lost_copy_costs_nothing_and_is_written_again),
		TEST(both_lost_the_policy_in_force_brings_them_back),
		TEST(they_go_with_the_last_record_that_needs_them),
		TEST(they_stay_for_what_headquarters_does_not_have),
		TEST(there_are_never_more_than_there_is_place_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
