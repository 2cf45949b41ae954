/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_faults.c - the disk full, cut off, flipped, shared, newer: never
 * a wrong byte served, never a committed one lost.
 */
#include "store_fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "core/file.h"
#include "store/store_internal.h"

static void
state_path(const struct fixture *f, char path[static 128])
{
	snprintf(path, 128, "%s/state.db", f->dir);
}

/* SQL on the closed file, as somebody with the card in a reader would who also mends the pages' sums. */
static void
tamper(const struct fixture *f, const char *sql)
{
	char path[128];
	sqlite3 *db;
	state_path(f, path);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, store_vfs(NULL)),
	    SQLITE_OK);
	/* Without shared memory the log needs the file for itself. */
	sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* ---- two daemons, newer state ---- */

static void
a_second_opener_is_told_that_the_folder_is_in_use(void **state)
{
	struct fixture *f = *state;
	struct store *second = NULL;
	struct err err = { 0 };
	const struct store_options options = { .dir = f->dir };
	assert_int_equal(store_open(&options, &second, &err), AISLE_E_IO);
	assert_null(second);
	assert_non_null(strstr(err.text, "state folder is in use"));
	/* The first goes on. */
	struct id key = id_of(1);
	begin(f);
	assert_int_equal(store_put(f->store, STORE_VISIT, &key, NULL, 1, 0, "x", 1), 0);
	commit(f);
	store_close(f->store);
	f->store = NULL;
	err = (struct err){ 0 };
	assert_int_equal(store_open(&options, &second, &err), 0);
	store_close(second);
}

/* No migration yet: what another schema means is not guessed at. */
static void
state_of_another_schema_is_refused_and_not_a_byte_of_it_changes(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	char path[128], before[65], after[65];
	fixture_close(f);
	state_path(f, path);
	static const struct {
		const char *pragma, *says;
	} others[] = { { "PRAGMA user_version = 6", "newer" },
		{ "PRAGMA user_version = 3", "older" } };
	for (size_t other = 0; other < ARRAY_LEN(others); other++) {
		tamper(f, others[other].pragma);
		for (int i = 0; i < 2; i++) {
			int fd = open(path, O_RDONLY);
			struct stat st;
			assert_int_equal(fstat(fd, &st), 0);
			char *bytes = malloc((size_t)st.st_size);
			uint8_t hash[32];
			assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
			hash_bytes(hash, 32, bytes, (size_t)st.st_size, NULL, 0);
			hash_hex(i == 0 ? before : after, hash, 32);
			free(bytes);
			close(fd);
			if (i == 0)
				assert_int_equal(fixture_try_open(f, &err), AISLE_E_REFUSED);
		}
		assert_non_null(strstr(err.text, others[other].says));
		assert_string_equal(before, after);
		err = (struct err){ 0 };
	}
	tamper(f, "PRAGMA user_version = 5");
	fixture_open(f);
}

static void
the_files_are_for_their_owner_only(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char path[128];
	struct id key = id_of(1);
	begin(f);
	assert_int_equal(store_put(f->store, STORE_VISIT, &key, &key, 1, 0, "x", 1), 0);
	commit(f);
	static const char *const names[] = { "state.db", "state.db-wal", "keys.db", "keys.db-wal",
		"lock" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

/* ---- rows in the wrong place ---- */

static void
assert_damaged(struct fixture *f, const struct id *key, const char *why)
{
	struct buf body = { 0 };
	struct id subject;
	int64_t before = store_damaged(f->store);
	/* Whoever only reads changes nothing, however often. */
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			begin(f);
		assert_int_equal(store_damaged(f->store), before);
		int error = store_get(f->store, STORE_VISIT, key, &body, &subject);
		if (error != AISLE_E_DAMAGED)
			fail_msg("%s: %d", why, error);
		assert_int_equal(body.len, 0);
	}
	assert_int_equal(store_damaged(f->store), before + 1);
	/* Set aside: absent from now on. */
	assert_int_equal(store_get(f->store, STORE_VISIT, key, &body, &subject), AISLE_E_NONE);
	commit(f);
	buf_done(&body);
}

static void
a_body_beside_other_columns_does_not_open(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1), ben = id_of(2), v1 = ulid_of(1000, 1), v2 = ulid_of(1000, 2);
	static const char *const tricks[] = {
		"UPDATE visit SET body = (SELECT body FROM visit ORDER BY id DESC "
		"LIMIT 1)", /* another customer's */
		"UPDATE visit SET body = (SELECT body FROM decision LIMIT 1)", /* another table's */
		"UPDATE visit SET at = at + 1",
		"UPDATE visit SET flag = 0",
		"UPDATE visit SET subject = (SELECT subject FROM visit ORDER BY id "
		"DESC LIMIT 1)",
		"UPDATE visit SET subject = NULL",
		"UPDATE visit SET body = substr(body, 1, length(body) - 1)",
		"UPDATE visit SET body = x''",
		"UPDATE visit SET body = zeroblob(length(body))",
	};
	for (size_t i = 0; i < ARRAY_LEN(tricks); i++) {
		begin(f);
		assert_int_equal(store_put(f->store, STORE_VISIT, &v1, &anna, 1, 1, "anna", 4), 0);
		assert_int_equal(store_put(f->store, STORE_DECISION, &v1, &anna, 1, 1, "deci", 4),
		    0);
		assert_int_equal(store_put(f->store, STORE_VISIT, &v2, &ben, 1, 1, "ben", 3), 0);
		commit(f);
		fixture_close(f);
		tamper(f, tricks[i]);
		fixture_open(f);
		assert_damaged(f, &v1, tricks[i]);
	}
	/* Set aside counts survive. */
	int64_t damaged = store_damaged(f->store);
	assert_int_equal(damaged, ARRAY_LEN(tricks));
	fixture_reopen(f);
	assert_int_equal(store_damaged(f->store), damaged);
}

static int
fail_if_called(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	(void)ctx, (void)key, (void)subject, (void)at_ms, (void)body, (void)len;
	fail_msg("a damaged row was given out");
	return 0;
}

static void
rows_that_are_not_sealed_are_summed(void **state)
{
	struct fixture *f = *state;
	struct id name = id_of(1), value = id_of(2), got;
	struct buf text = { 0 };
	int64_t due;
	char id[128];
	begin(f);
	assert_int_equal(store_meta_set(f->store, "floor", "41", 2), 0);
	assert_int_equal(store_seen_put(f->store, &name, &value, 1000), 0);
	assert_int_equal(store_ref_put(f->store, &name, &value, 1000), 0);
	assert_int_equal(store_timer_add(f->store, 1000, "expire/a/1000"), 0);
	assert_int_equal(store_timer_add(f->store, 2000, "expire/b/2000"), 0);
	commit(f);
	fixture_close(f);
	tamper(f,
	    "UPDATE meta SET value = x'3432' WHERE name = 'floor'; UPDATE seen SET body = "
	    "CAST(substr(body, 1, 47) || x'00' AS BLOB); "
	    "UPDATE "
	    "ref SET value ="
	    " zeroblob(16); UPDATE timer SET due = 900 WHERE due = 1000");
	fixture_open(f);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_meta_get(f->store, "floor", &text), AISLE_E_DAMAGED);
		assert_int_equal(store_seen_get(f->store, &name, &got, &due), AISLE_E_DAMAGED);
		assert_int_equal(store_ref_get(f->store, &name, &got), AISLE_E_DAMAGED);
		assert_int_equal(store_timer_first(f->store, &due, id), AISLE_E_DAMAGED);
		assert_int_equal(store_damaged(f->store), 0);
	}
	begin(f);
	assert_int_equal(store_meta_get(f->store, "floor", &text), AISLE_E_DAMAGED);
	assert_int_equal(store_meta_get(f->store, "floor", &text), AISLE_E_NONE);
	/* It was here, so its name stays. */
	assert_int_equal(store_seen_get(f->store, &name, &got, &due), AISLE_E_DAMAGED);
	assert_int_equal(store_seen_put(f->store, &name, &value, 1000), 0);
	assert_int_equal(store_seen_get(f->store, &name, &got, &due), 0);
	assert_int_equal(store_ref_get(f->store, &name, &got), AISLE_E_DAMAGED);
	assert_int_equal(store_timer_first(f->store, &due, id), 0);
	assert_string_equal(id, "expire/b/2000");
	commit(f);
	assert_int_equal(store_damaged(f->store), 4);
	buf_done(&text);
}

static void
a_damaged_epoch_or_counter_makes_a_new_epoch(void **state)
{
	struct fixture *f = *state;
	static const char *const tricks[] = {
		"UPDATE meta SET value = x'30303030303030303030303030303030' WHERE name = 'epoch'",
		"DELETE FROM meta WHERE name = 'epoch'",
		"UPDATE meta SET value = x'31' WHERE name = 'uplink/money'",
		/* The next id of the outbox: not again what tablets have seen as another. */
		"UPDATE meta SET value = x'37' WHERE name = 'outbox'",
		"DELETE FROM meta WHERE name = 'outbox'",
	};
	begin(f);
	assert_int_equal(store_uplink_add(f->store, LANE_MONEY, "t", 1, NULL, "{}", 2), 0);
	commit(f);
	fixture_reopen(f);
	begin(f);
	assert_int_equal(store_uplink_ack(f->store, LANE_MONEY, 1), 0);
	commit(f);
	for (size_t i = 0; i < ARRAY_LEN(tricks); i++) {
		char before[17], after[17];
		store_epoch(f->store, before);
		fixture_close(f);
		tamper(f, tricks[i]);
		fixture_open(f);
		store_epoch(f->store, after);
		assert_string_not_equal(before, after);
		assert_string_not_equal(after, "0000000000000000");
		fixture_reopen(f);
		store_epoch(f->store, before);
		assert_string_equal(before, after);
	}
}

/* Rows whose order is broken: the first timer is read from the front and not found by its name. */
static void
a_first_timer_that_does_not_go_fails_and_the_next_opening_mends_the_file(void **state)
{
	struct fixture *f = *state;
	int64_t due;
	char id[128];
	begin(f);
	assert_int_equal(store_timer_add(f->store, 1000, "card/a/1000"), 0);
	assert_int_equal(store_timer_add(f->store, 2000, "card/b/2000"), 0);
	commit(f);
	fixture_close(f);
	/* Sorted the other way, both rows are where nobody looks for them. */
	tamper(f,
	    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'due, id)', "
	    "'due DESC, id)') WHERE name = 'timer'");
	fixture_open(f);
	begin(f);
	assert_int_equal(store_timer_first(f->store, &due, id), 0);
	int error = store_timer_delete(f->store, due, id);
	assert_int_equal(error, AISLE_E_IO);
	assert_int_equal(store_commit(f->store), AISLE_E_IO);
	store_rollback(f->store);
	assert_true(store_suspect(f->store));
	fixture_reopen(f);
	begin(f);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_timer_first(f->store, &due, id), 0);
		assert_int_equal(due, 1000 * (i + 1));
		assert_int_equal(store_timer_delete(f->store, due, id), 0);
	}
	assert_int_equal(store_timer_first(f->store, &due, id), AISLE_E_NONE);
	commit(f);
}

/* A bit of a row's header flips, and its id is bytes that read the same. What is copied out of the page has no such row. */
static void
a_timer_whose_id_became_bytes_holds_nothing_up(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "card/a/1000";
	int64_t due;
	char id[128], path[128];
	begin(f);
	assert_int_equal(store_timer_add(f->store, 1000, text), 0);
	assert_int_equal(store_timer_add(f->store, 2000, "card/b/2000"), 0);
	commit(f);
	store_checkpoint(f->store);
	fixture_close(f);
	state_path(f, path);
	struct buf file = { 0 };
	struct err err = { 0 };
	assert_int_equal(file_read(path, 1 << 24, &file, &err), 0);
	char *at = memmem(file.data, file.len, text, strlen(text)), *type = at;
	assert_non_null(at);
	while (*type !=
	    13 + 2 * (int)strlen(text)) /* a text of so many bytes, in SQLite's writing */
		assert_true(--type > at - 16);
	*type ^= 1;
	assert_int_equal(file_write(path, file.data, file.len, 0600, false, &err), 0);
	buf_done(&file);
	fixture_open(f);
	/* As a daemon does: what fails is opened again. */
	for (int tries = 0; tries < 3; tries++) {
		begin(f);
		int error = store_timer_first(f->store, &due, id);
		if (error == 0)
			error = store_timer_delete(f->store, due, id);
		if (error == 0) {
			assert_int_equal(due, 2000);
			commit(f);
			return;
		}
		store_rollback(f->store);
		fixture_reopen(f);
	}
	fail_msg("the timer behind it is never reached");
}

/* ---- flipped bits ---- */

#define ROWS 200

static void
body_text(uint32_t n, char out[static 256])
{
	size_t len = (size_t)snprintf(out, 256, "row %u ", n);
	memset(out + len, 'a' + (int)(n % 26), 200 - len);
	out[200] = '\0';
}

static void
fill(struct fixture *f)
{
	char text[256];
	f->recording_mib = 1;
	fixture_reopen(f);
	begin(f);
	for (uint32_t i = 0; i < ROWS; i++) {
		struct id key = ulid_of(1000 + i, i), subject = id_of(i % 10),
			  name = id_of(1000 + i);
		body_text(i, text);
		assert_int_equal(store_put(f->store, STORE_VISIT, &key, &subject, i, i % 4 == 0,
				     text, 200),
		    0);
		assert_int_equal(store_put(f->store, STORE_DECISION, &key, &subject, i, 0, text,
				     200),
		    0);
		assert_int_equal(store_log_add(f->store, STORE_LOG_SUBJECT, &subject, &subject, 1,
				     i, text, 200),
		    0);
		assert_int_equal(store_uplink_add(f->store, LANE_DECISION, "decision", i, &subject,
				     text, 200),
		    0);
		assert_int_equal(store_seen_put(f->store, &name, &subject, i), 0);
		assert_int_equal(store_recording_add(f->store, i, &subject, text, 200), 0);
	}
	commit(f);
}

static int
check_row(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	char text[256];
	struct id want_key = ulid_of(1000 + at_ms, (uint32_t)at_ms),
		  want_subject = id_of((uint64_t)at_ms % 10);
	(void)ctx;
	assert_in_range(at_ms, 0, ROWS - 1);
	body_text((uint32_t)at_ms, text);
	assert_true(id_equal(key, &want_key));
	assert_true(id_equal(subject, &want_subject));
	assert_int_equal(len, 200);
	assert_memory_equal(body, text, 200);
	++*(int *)ctx;
	return 0;
}

static int
check_log(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	char text[256];
	(void)n;
	++*(int *)ctx;
	assert_in_range(at_ms, 0, ROWS - 1);
	body_text((uint32_t)at_ms, text);
	assert_int_equal(kind, 1);
	assert_int_equal(len, 200);
	assert_memory_equal(body, text, 200);
	return 0;
}

static int
check_uplink(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	char text[256];
	int64_t *expect = ctx;
	if (strcmp(type, "gap") == 0) {
		long long from, to;
		assert_int_equal(sscanf(body, "{\"lane\":\"decision\",\"from\":%lld,\"to\":%lld}",
				     &from, &to),
		    2);
		assert_int_equal(from, *expect);
		assert_int_equal(to, seq);
	} else {
		assert_int_equal(seq, *expect);
		assert_int_equal(at_ms, seq - 1);
		body_text((uint32_t)at_ms, text);
		assert_int_equal(len, 200);
		assert_memory_equal(body, text, 200);
	}
	*expect = seq + 1;
	return 0;
}

static int
check_recorded(void *ctx, int64_t n, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	char text[256];
	struct id want_subject = id_of((uint64_t)at_ms % 10);
	(void)n;
	if (body == NULL)
		return 0;
	body_text((uint32_t)at_ms, text);
	assert_true(id_equal(subject, &want_subject));
	assert_int_equal(len, 200);
	assert_memory_equal(body, text, 200);
	++*(int *)ctx;
	return 0;
}

/* Everything is read; nothing may differ from what was written. How many of the rows were missed. */
static int
read_all(struct fixture *f)
{
	int rows = 0, missed = 0;
	int64_t expect = 1;
	struct buf body = { 0 };
	(void)!store_each(f->store, STORE_VISIT, -1, check_row, &rows);
	(void)!store_each(f->store, STORE_DECISION, -1, check_row, &rows);
	missed += 2 * ROWS - rows;
	rows = 0;
	(void)!store_each(f->store, STORE_VISIT, 1, check_row, &rows);
	for (uint32_t i = 0; i < ROWS; i++) {
		struct id key = ulid_of(1000 + i, i), subject, name = id_of(1000 + i), digest;
		int64_t now_ms;
		buf_clear(&body);
		if (store_get(f->store, STORE_VISIT, &key, &body, &subject) == 0)
			check_row(&rows, &key, &subject, i, body.data, body.len);
		if (store_seen_get(f->store, &name, &digest, &now_ms) == 0) {
			struct id want = id_of(i % 10);
			assert_true(id_equal(&digest, &want));
			assert_int_equal(now_ms, i);
		} else {
			missed++;
		}
	}
	rows = 0;
	for (uint64_t i = 0; i < 10; i++) {
		struct id subject = id_of(i);
		(void)!store_log_each(f->store, STORE_LOG_SUBJECT, &subject, check_log, &rows);
	}
	missed += ROWS - rows;
	rows = 0;
	(void)!store_recording_each(f->store, 0, 0, INT64_MAX, 10000, check_recorded, &rows);
	missed += ROWS - rows;
	(void)!store_uplink_each(f->store, LANE_DECISION, 0, 10000, check_uplink, &expect);
	buf_done(&body);
	return missed;
}

static void
copy_file(const char *from, const char *to, int64_t flip_bit)
{
	static char bytes[4 << 20];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t len = read(in, bytes, sizeof(bytes));
	assert_true(len > 0 && out >= 0);
	if (flip_bit >= 0)
		bytes[flip_bit / 8] = (char)(bytes[flip_bit / 8] ^ 1 << (flip_bit % 8));
	assert_int_equal(write(out, bytes, (size_t)len), len);
	close(in);
	close(out);
}

static void
a_thousand_flipped_bits_of_a_thousand_are_found_and_never_served(void **state)
{
	struct fixture *f = *state;
	char path[128], kept[128];
	struct stat st;
	fill(f);
	assert_int_equal(read_all(f), 0);
	fixture_close(f);
	state_path(f, path);
	snprintf(kept, sizeof(kept), "%s/kept", f->dir);
	copy_file(path, kept, -1);
	assert_int_equal(stat(kept, &st), 0);
	int found = 0, at_open = 0, rows = 0;
	for (uint64_t i = 0; i < 1000; i++) {
		struct id at = id_of(424242 + i); /* the same flips each time */
		uint64_t bit;
		memcpy(&bit, at.b, sizeof(bit));
		char mark[160];
		snprintf(mark, sizeof(mark), "%s.suspect", path);
		unlink(mark);
		copy_file(kept, path, (int64_t)(bit % ((uint64_t)st.st_size * 8)));
		fixture_open(f);
		at_open += store_damaged(f->store) > 0;
		store_scrub(f->store, 1 << 20);
		found += store_damaged(f->store) > 0;
		rows += 5 * ROWS - read_all(f);
		fixture_close(f);
	}
	print_message("flips: %d found, %d of them at open; %d rows served of %d\n", found, at_open,
	    rows, 5000 * ROWS);
	assert_int_equal(found, 1000);
	copy_file(kept, path, -1);
	char mark[160];
	snprintf(mark, sizeof(mark), "%s.suspect", path);
	unlink(mark);
	fixture_open(f);
	assert_int_equal(read_all(f), 0);
}

static void
a_file_that_is_no_database_is_moved_away_and_a_new_one_begun(void **state)
{
	struct fixture *f = *state;
	char path[128], moved[256];
	struct id key = id_of(1);
	struct buf body = { 0 };
	fill(f);
	fixture_close(f);
	state_path(f, path);
	int fd = open(path, O_WRONLY);
	assert_int_equal(write(fd, "this is not a database file at all", 34), 34);
	close(fd);
	fixture_open(f);
	assert_true(store_is_new(f->store));
	assert_int_equal(store_damaged(f->store), 1);
	fixture_reopen(f);
	assert_int_equal(store_damaged(f->store), 1);
	snprintf(moved, sizeof(moved), "%s.damaged", path);
	assert_int_equal(access(moved, F_OK), 0);
	begin(f);
	assert_int_equal(store_put(f->store, STORE_VISIT, &key, &key, 1, 0, "x", 1), 0);
	commit(f);
	assert_int_equal(store_get(f->store, STORE_VISIT, &key, &body, NULL), 0);
	buf_done(&body);
}

#define PAGE 512 /* of the file */

/* Every page with row ROWS / 2 in it, of whichever table, becomes noise. */
static void
spoil_a_page(const struct fixture *f)
{
	char path[128];
	static char bytes[4 << 20];
	state_path(f, path);
	int fd = open(path, O_RDWR);
	ssize_t len = read(fd, bytes, sizeof(bytes));
	struct id key = ulid_of(1000 + ROWS / 2, ROWS / 2);
	char *at;
	int pages = 0;
	while ((at = memmem(bytes, (size_t)len, key.b, 16)) != NULL) {
		off_t page = (at - bytes) / PAGE * PAGE;
		memset(bytes + page, 0xee, PAGE);
		assert_int_equal(pwrite(fd, bytes + page, PAGE, page), PAGE);
		pages++;
	}
	assert_true(pages >= 2);
	close(fd);
}

static void
a_damaged_page_costs_its_rows_and_the_next_opening_mends_the_file(void **state)
{
	struct fixture *f = *state;
	char path[128], moved[256], before[17], after[17];
	struct id key = ulid_of(1000 + ROWS / 2, ROWS / 2), fresh = id_of(777);
	fill(f);
	store_epoch(f->store, before);
	fixture_close(f);
	spoil_a_page(f);
	fixture_open(f);
	assert_true(read_all(f) > 0);
	assert_true(store_damaged(f->store) > 0);
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(store_put(f->store, STORE_VISIT, &key, NULL, 1, 0, "x", 1), 0);
	int error = store_settle(f->store);
	assert_int_equal(store_commit(f->store), error);
	assert_int_equal(error, AISLE_E_IO);
	store_rollback(f->store);
	assert_true(store_suspect(f->store));
	int64_t counted = store_damaged(f->store);
	fixture_reopen(f);
	assert_false(store_suspect(f->store));
	assert_true(store_damaged(f->store) >= counted);
	store_epoch(f->store, after);
	assert_string_not_equal(before, after);
	int missed = read_all(f);
	assert_in_range(missed, 2, 40);
	/* It takes rows again, those too that it could not. */
	begin(f);
	assert_int_equal(store_put(f->store, STORE_VISIT, &key, NULL, 1, 0, "x", 1), 0);
	assert_int_equal(store_put(f->store, STORE_VISIT, &fresh, &fresh, 1, 0, "x", 1), 0);
	assert_int_equal(store_delete(f->store, STORE_VISIT, &key), 0);
	assert_int_equal(store_delete(f->store, STORE_VISIT, &fresh), 0);
	commit(f);
	fixture_reopen(f);
	store_epoch(f->store, before);
	assert_string_equal(before, after);
	assert_int_equal(read_all(f), missed);
	state_path(f, path);
	snprintf(moved, sizeof(moved), "%s.damaged", path);
	assert_int_equal(access(moved, F_OK), 0);
	snprintf(moved, sizeof(moved), "%s.suspect", path);
	assert_int_equal(access(moved, F_OK), -1);
}

static void
a_copy_that_was_complete_when_the_power_went_is_put_in_place(void **state)
{
	struct fixture *f = *state;
	char path[128], copy[256];
	fill(f);
	fixture_close(f);
	state_path(f, path);
	snprintf(copy, sizeof(copy), "%s.salvaged", path);
	copy_file(path, copy, -1);
	spoil_a_page(f);
	fixture_open(f);
	assert_int_equal(read_all(f), 0);
	assert_int_equal(access(copy, F_OK), -1);
}

/* ---- full ---- */

static void
a_full_store_refuses_keeps_what_it_has_and_still_forgets(void **state)
{
	struct fixture *f = *state;
	static char body[20000];
	struct id anna = id_of(1), last = { { 0 } };
	struct buf text = { 0 };
	uint32_t n = 0;
	int error = 0;
	noise(body, sizeof(body));
	fixture_close(f);
	f->max_mib = 1;
	fixture_open(f);
	while (error == 0 && n < 1000) {
		struct id key = ulid_of(1000 + n, n);
		begin(f);
		error = store_put(f->store, STORE_VISIT, &key, &anna, 1, 0, body, sizeof(body));
		if (error == 0)
			error = store_commit(f->store);
		if (error == 0) {
			last = key;
			n++;
		} else {
			/* Doomed: not even a row that would fit can be committed now. */
			assert_int_equal(store_meta_set(f->store, "x", "y", 1), AISLE_E_FULL);
			assert_int_equal(store_commit(f->store), AISLE_E_FULL);
			store_rollback(f->store);
		}
	}
	assert_int_equal(error, AISLE_E_FULL);
	assert_true(n > 30 && n < 60);
	assert_int_equal(store_get(f->store, STORE_VISIT, &last, &text, NULL), 0);
	assert_int_equal(text.len, sizeof(body));
	struct id key = ulid_of(9000, 1);
	begin(f);
	assert_int_equal(store_forget(f->store, &anna), 0);
	commit(f);
	store_checkpoint(f->store);
	/* And heals by itself. */
	begin(f);
	assert_int_equal(store_put(f->store, STORE_VISIT, &key, NULL, 1, 0, body, sizeof(body)), 0);
	commit(f);
	buf_done(&text);
}

/* ---- killed ---- */

static void
write_until_killed(const struct fixture *f, int out)
{
	struct fixture child = *f;
	struct err err = { 0 };
	child.store = NULL;
	child.keys = NULL;
	if (fixture_try_open(&child, &err) != 0)
		_exit(9);
	for (uint32_t n = 0;; n++) {
		struct id subject = id_of(n);
		if (store_begin(child.store) != 0)
			_exit(8);
		for (uint32_t i = 0; i < 5; i++) {
			struct id key = ulid_of(1000 + n, i);
			if (store_put(child.store, STORE_VISIT, &key, &subject, n, 0, &n,
				sizeof(n)) != 0 ||
			    store_uplink_add(child.store, LANE_MONEY, "t", n, &subject, "{}", 2) !=
				0)
				_exit(7);
		}
		if (store_commit(child.store) != 0)
			_exit(6);
		if (write(out, &n, sizeof(n)) != sizeof(n))
			_exit(5);
		if (n % 7 == 3)
			store_checkpoint(child.store);
	}
}

static void
a_kill_at_any_moment_loses_nothing_committed_and_keeps_nothing_half(void **state)
{
	struct fixture *f = *state;
	for (int round = 0; round < 12; round++) {
		fixture_close(f);
		remove_dir(f->dir);
		assert_int_equal(mkdir(f->dir, 0700), 0);
		int pipes[2];
		assert_int_equal(pipe(pipes), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			close(pipes[0]);
			write_until_killed(f, pipes[1]);
		}
		close(pipes[1]);
		/* After some commits, at some point of the next. */
		uint32_t n = 0, committed = 0;
		for (int i = 0; i < 3 + 5 * round; i++)
			assert_int_equal(read(pipes[0], &n, sizeof(n)), sizeof(n));
		usleep((useconds_t)(137 * round % 1000));
		kill(pid, SIGKILL);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		committed = n;
		while (read(pipes[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
			committed = n;
		close(pipes[0]);
		fixture_open(f);
		for (uint32_t i = 0; i < 5 * (committed + 1); i++) {
			struct id key = ulid_of(1000 + i / 5, i % 5);
			struct buf body = { 0 };
			assert_int_equal(store_get(f->store, STORE_VISIT, &key, &body, NULL), 0);
			assert_int_equal(body.len, 4);
			buf_done(&body);
		}
		/* One more transaction may have been whole; never a part of one. */
		int64_t count = store_uplink_count(f->store);
		assert_true(count == 5 * ((int64_t)committed + 1) ||
		    count == 5 * ((int64_t)committed + 2));
		assert_int_equal(store_damaged(f->store), 0);
	}
}

static void
outbox_ids_rise_after_a_kill(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct err err = { 0 };
		int64_t id = 0;
		if (fixture_try_open(f, &err) != 0 || store_begin(f->store) != 0)
			_exit(1);
		for (int i = 0; i < 100; i++) {
			if (store_outbox_add(f->store, "t", NULL, false, "x", 1, &id) != 0 ||
			    store_outbox_delete(f->store, id) != 0)
				_exit(2);
		}
		if (store_commit(f->store) != 0 || write(pipes[1], &id, sizeof(id)) != sizeof(id))
			_exit(3);
		kill(getpid(), SIGKILL);
	}
	close(pipes[1]);
	int64_t before, after;
	assert_int_equal(read(pipes[0], &before, sizeof(before)), sizeof(before));
	close(pipes[0]);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fixture_open(f);
	assert_true(store_outbox_last(f->store) >= before);
	begin(f);
	assert_int_equal(store_outbox_add(f->store, "t", NULL, false, "x", 1, &after), 0);
	commit(f);
	assert_true(after > before);
}

static void
a_row_whose_key_was_flipped_is_not_given_out(void **state)
{
	struct fixture *f = *state;
	struct id key = ulid_of(1000, 1);
	begin(f);
	assert_int_equal(store_put(f->store, STORE_VISIT, &key, NULL, 1, 1, "x", 1), 0);
	commit(f);
	fixture_close(f);
	tamper(f, "UPDATE visit SET key = zeroblob(16)");
	fixture_open(f);
	assert_int_equal(store_each(f->store, STORE_VISIT, -1, fail_if_called, NULL), 0);
	assert_int_equal(store_damaged(f->store), 0);
	begin(f);
	assert_int_equal(store_each(f->store, STORE_VISIT, -1, fail_if_called, NULL), 0);
	assert_int_equal(store_damaged(f->store), 1);
	assert_int_equal(store_each(f->store, STORE_VISIT, -1, fail_if_called, NULL), 0);
	assert_int_equal(store_damaged(f->store), 1);
	commit(f);
}

static void
a_state_of_no_length_is_told_and_counted_once(void **state)
{
	struct fixture *f = *state;
	char path[128], wal[140], before[17], after[17];
	state_path(f, path);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	store_epoch(f->store, before);
	assert_int_equal(store_damaged(f->store), 0);
	fixture_close(f);
	unlink(wal);
	assert_int_equal(truncate(path, 0), 0);
	for (int i = 0; i < 2; i++) {
		fixture_open(f);
		assert_int_equal(store_damaged(f->store), 1);
		store_epoch(f->store, after);
		assert_int_equal(strcmp(before, after) != 0, i == 0);
		memcpy(before, after, sizeof(before));
		fixture_close(f);
	}
	/* As a cut at the first start leaves it: nothing was there yet. */
	snprintf(wal, sizeof(wal), "%s/lock", f->dir);
	assert_int_equal(truncate(wal, 0), 0);
	assert_int_equal(truncate(path, 0), 0);
	fixture_open(f);
	assert_int_equal(store_damaged(f->store), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_state_of_no_length_is_told_and_counted_once),
		STORE_TEST(a_second_opener_is_told_that_the_folder_is_in_use),
		STORE_TEST(state_of_another_schema_is_refused_and_not_a_byte_of_it_changes),
		STORE_TEST(the_files_are_for_their_owner_only),
		STORE_TEST(a_body_beside_other_columns_does_not_open),
		STORE_TEST(rows_that_are_not_sealed_are_summed),
		STORE_TEST(a_timer_whose_id_became_bytes_holds_nothing_up),
		STORE_TEST(
		    a_first_timer_that_does_not_go_fails_and_the_next_opening_mends_the_file),
		STORE_TEST(a_damaged_epoch_or_counter_makes_a_new_epoch),
		STORE_TEST(a_row_whose_key_was_flipped_is_not_given_out),
		STORE_TEST(a_thousand_flipped_bits_of_a_thousand_are_found_and_never_served),
		STORE_TEST(a_file_that_is_no_database_is_moved_away_and_a_new_one_begun),
		STORE_TEST(a_damaged_page_costs_its_rows_and_the_next_opening_mends_the_file),
		STORE_TEST(a_copy_that_was_complete_when_the_power_went_is_put_in_place),
		STORE_TEST(a_full_store_refuses_keeps_what_it_has_and_still_forgets),
		STORE_TEST(a_kill_at_any_moment_loses_nothing_committed_and_keeps_nothing_half),
		STORE_TEST(outbox_ids_rise_after_a_kill),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
