/* SPDX-License-Identifier: Apache-2.0
 *
 * test_keys.c - keys are durable before what they seal, and destroyed keys are gone for good.
 */
#include "store_fixture.h"

#include "profile/keys_internal.h"
#include "profile/vault.h"
#include "store/store_vfs.h"

#include <sqlite3.h>

/* As another program would, but with right sums. */
static int
open_raw(const char *path, sqlite3 **ret_db)
{
	int rc = sqlite3_open_v2(path, ret_db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	    store_vfs(NULL));
	return rc != SQLITE_OK
	    ? rc
	    : sqlite3_exec(*ret_db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
}

static void
write_file(const char *dir, const char *name, const void *bytes, size_t len)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static void
a_subject_has_no_key_until_one_is_made_and_then_always_the_same(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1), ben = id_of(2);
	uint8_t a[32], again[32], b[32];
	assert_int_equal(keys_subject(f->keys, &anna, false, a), AISLE_E_NONE);
	assert_int_equal(keys_subject(f->keys, &anna, true, a), 0);
	assert_int_equal(keys_subject(f->keys, &anna, true, again), 0);
	assert_memory_equal(a, again, 32);
	assert_int_equal(keys_subject(f->keys, &ben, true, b), 0);
	assert_memory_not_equal(a, b, 32);
	assert_int_equal(keys_commit(f->keys), 0);
	assert_int_equal(keys_commit(f->keys), 0);
	fixture_reopen(f);
	assert_int_equal(keys_subject(f->keys, &anna, false, again), 0);
	assert_memory_equal(a, again, 32);
	assert_false(dir_contains(f->dir, a, 32));
}

static void
a_key_that_was_not_committed_is_not_there_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1);
	uint8_t a[32];
	assert_int_equal(keys_subject(f->keys, &anna, true, a), 0);
	fixture_reopen(f);
	assert_int_equal(keys_subject(f->keys, &anna, false, a), AISLE_E_NONE);
}

static void
a_destroyed_key_leaves_a_tombstone_and_none_of_its_bytes(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1);
	uint8_t a[32], sealed[72];
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *stmt;
	assert_int_equal(keys_subject(f->keys, &anna, true, a), 0);
	assert_int_equal(keys_commit(f->keys), 0);
	assert_false(keys_forgotten(f->keys, &anna));
	fixture_close(f);
	snprintf(path, sizeof(path), "%s/keys.db", f->dir);
	assert_int_equal(open_raw(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT key FROM subject", -1, &stmt, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_int_equal(sqlite3_column_bytes(stmt, 0), 72);
	memcpy(sealed, sqlite3_column_blob(stmt, 0), 72);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	fixture_open(f);
	assert_true(dir_contains(f->dir, sealed + 24, 32));
	assert_int_equal(keys_destroy(f->keys, &anna), 0);
	assert_false(dir_contains(f->dir, sealed + 24, 32));
	for (int round = 0; round < 2; round++) {
		assert_true(keys_forgotten(f->keys, &anna));
		assert_int_equal(keys_subject(f->keys, &anna, true, a), AISLE_E_NONE);
		assert_int_equal(keys_subject(f->keys, &anna, false, a), AISLE_E_NONE);
		fixture_reopen(f);
	}
	/* One who was never known can be blocked as well, and twice. */
	struct id ben = id_of(2);
	assert_int_equal(keys_destroy(f->keys, &ben), 0);
	assert_int_equal(keys_destroy(f->keys, &ben), 0);
	assert_true(keys_forgotten(f->keys, &ben));
}

static void
a_remembered_key_goes_when_it_is_destroyed_or_a_full_disk_takes_it_back(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1), ben = id_of(2);
	uint8_t key[32], again[32];
	assert_int_equal(keys_subject(f->keys, &anna, true, key), 0);
	assert_int_equal(keys_commit(f->keys), 0);
	assert_int_equal(keys_subject(f->keys, &anna, false, again), 0);
	assert_memory_equal(key, again, 32);
	assert_int_equal(keys_subject(f->keys, &ben, true, key), 0);
	/* Not committed yet: the disk is full. */
	assert_int_equal(keys_error(f->keys, SQLITE_FULL), AISLE_E_FULL);
	assert_int_equal(keys_losses(f->keys), 1);
	assert_int_equal(keys_subject(f->keys, &ben, false, key), AISLE_E_NONE);
	assert_int_equal(keys_subject(f->keys, &anna, false, key), 0);
	assert_int_equal(keys_destroy(f->keys, &anna), 0);
	assert_true(keys_forgotten(f->keys, &anna));
	assert_int_equal(keys_subject(f->keys, &anna, true, key), AISLE_E_NONE);
}

static void
data_key_and_pepper_are_random_once_and_then_stay(void **state)
{
	struct fixture *f = *state;
	uint8_t data[32], pepper[32], zero[32] = { 0 };
	memcpy(data, keys_data(f->keys), 32);
	memcpy(pepper, keys_pepper(f->keys), 32);
	assert_memory_not_equal(data, zero, 32);
	assert_memory_not_equal(pepper, zero, 32);
	assert_memory_not_equal(data, pepper, 32);
	fixture_reopen(f);
	assert_memory_equal(keys_data(f->keys), data, 32);
	assert_memory_equal(keys_pepper(f->keys), pepper, 32);
	assert_false(dir_contains(f->dir, pepper, 32));
	keys_set_pepper(f->keys, zero);
	assert_memory_equal(keys_pepper(f->keys), zero, 32);
	fixture_reopen(f);
	assert_memory_equal(keys_pepper(f->keys), pepper, 32);
}

static void
a_credential_is_the_data_key_and_does_not_go_into_the_file(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	uint8_t raw[32], kept[32];
	char hex[66];
	memset(raw, 0x5a, sizeof(raw));
	hash_hex(hex, raw, 32);
	hex[64] = '\n';
	memcpy(kept, keys_data(f->keys), 32);
	assert_true(dir_contains(f->dir, kept, 32));
	fixture_close(f);
	setenv("CREDENTIALS_DIRECTORY", f->dir, 1);
	/* Another key than the file's own is a mistake, not a new beginning. */
	write_file(f->dir, "aisle-data-key", raw, 32);
	assert_int_equal(fixture_try_open(f, &err), AISLE_E_CONFIG);
	/* The same one: the copy in the file goes. */
	write_file(f->dir, "aisle-data-key", kept, 32);
	fixture_open(f);
	fixture_close(f);
	char path[128];
	snprintf(path, sizeof(path), "%s/aisle-data-key", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_false(dir_contains(f->dir, kept, 32));
	err = (struct err){ 0 };
	assert_int_equal(fixture_try_open(f, &err), AISLE_E_CONFIG);
	/* A new folder with a credential in hex. */
	snprintf(path, sizeof(path), "%s/keys.db", f->dir);
	assert_int_equal(unlink(path), 0);
	write_file(f->dir, "aisle-data-key", hex, 65);
	fixture_open(f);
	assert_memory_equal(keys_data(f->keys), raw, 32);
	fixture_close(f);
	write_file(f->dir, "aisle-data-key", kept, 32);
	err = (struct err){ 0 };
	assert_int_equal(fixture_try_open(f, &err), AISLE_E_DAMAGED);
	write_file(f->dir, "aisle-data-key", raw, 31);
	err = (struct err){ 0 };
	assert_int_equal(fixture_try_open(f, &err), AISLE_E_CONFIG);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void
newer_keys_are_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	char path[128];
	sqlite3 *db;
	fixture_close(f);
	snprintf(path, sizeof(path), "%s/keys.db", f->dir);
	assert_int_equal(open_raw(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 2", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(fixture_try_open(f, &err), AISLE_E_REFUSED);
	assert_non_null(strstr(err.text, "newer"));
}

static void
in_memory_nothing_is_random_and_tombstones_hold(void **state)
{
	(void)state;
	struct keys *keys;
	struct err err = { 0 };
	struct id anna = id_of(1), ben = id_of(2);
	uint8_t a[2][32], zero[32] = { 0 };
	for (int i = 0; i < 2; i++) {
		assert_int_equal(keys_open(NULL, NULL, &keys, &err), 0);
		assert_memory_equal(keys_data(keys), zero, 32);
		assert_memory_equal(keys_pepper(keys), zero, 32);
		assert_int_equal(keys_subject(keys, &anna, true, a[i]), 0);
		assert_int_equal(keys_commit(keys), 0);
		assert_int_equal(keys_destroy(keys, &ben), 0);
		assert_true(keys_forgotten(keys, &ben));
		assert_int_equal(keys_subject(keys, &ben, true, zero), AISLE_E_NONE);
		assert_false(keys_forgotten(keys, &anna));
		keys_close(keys);
	}
	assert_memory_equal(a[0], a[1], 32);
}

static void
the_sealer_uses_the_subjects_key_and_the_data_key_for_nobody(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1), ben = id_of(2);
	struct buf a = { 0 }, none = { 0 }, plain = { 0 };
	struct sealer *s = &f->sealer;
	assert_int_equal(s->seal(s->ctx, "t", "k", 1, &anna, "hi", 2, &a), 0);
	assert_int_equal(s->seal(s->ctx, "t", "k", 1, NULL, "ho", 2, &none), 0);
	assert_int_equal(s->commit(s->ctx), 0);
	assert_int_equal(s->open(s->ctx, "t", "k", 1, &anna, a.data, a.len, &plain), 0);
	assert_int_equal(s->open(s->ctx, "t", "k", 1, NULL, none.data, none.len, &plain), 0);
	assert_string_equal(plain.data, "hiho");
	assert_int_equal(vault_open(keys_data(f->keys), "t", "k", 1, 1, none.data, none.len,
			     &plain),
	    0);
	assert_int_equal(s->open(s->ctx, "t", "k", 1, NULL, a.data, a.len, &plain),
	    AISLE_E_DAMAGED);
	assert_int_equal(s->open(s->ctx, "t", "k", 1, &ben, a.data, a.len, &plain), AISLE_E_NONE);
	/* Opening makes no key. */
	uint8_t key[32];
	assert_int_equal(keys_subject(f->keys, &ben, false, key), AISLE_E_NONE);
	assert_int_equal(keys_destroy(f->keys, &anna), 0);
	assert_int_equal(s->open(s->ctx, "t", "k", 1, &anna, a.data, a.len, &plain), AISLE_E_NONE);
	assert_int_equal(s->seal(s->ctx, "t", "k", 1, &anna, "hi", 2, &a), AISLE_E_NONE);
	buf_done(&a);
	buf_done(&none);
	buf_done(&plain);
}

static void
keys_of_subjects_that_share_a_place_in_memory_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct id ids[3] = { id_of(1), id_of(2), id_of(3) };
	uint8_t first[3][32], again[32];
	for (int i = 0; i < 3; i++) {
		ids[i].b[15] = (uint8_t)(7 + 128 * (i % 2)); /* one place for all three */
		assert_int_equal(keys_subject(f->keys, &ids[i], true, first[i]), 0);
	}
	for (int i = 0; i < 12; i++) {
		assert_int_equal(keys_subject(f->keys, &ids[i % 3], false, again), 0);
		assert_memory_equal(again, first[i % 3], 32);
		assert_false(keys_forgotten(f->keys, &ids[(i + 1) % 3]));
	}
	/* Each of its own place. */
	for (int i = 0; i < 300; i++) {
		struct id id = id_of((uint64_t)i);
		id.b[15] = (uint8_t)i;
		assert_int_equal(keys_subject(f->keys, &id, true, again), 0);
		assert_int_equal(keys_subject(f->keys, &id, false, first[0]), 0);
		assert_memory_equal(again, first[0], 32);
	}
	assert_int_equal(keys_commit(f->keys), 0);
}

static void
change_keys(struct fixture *f, const char *sql)
{
	char path[128];
	sqlite3 *db;
	fixture_close(f);
	snprintf(path, sizeof(path), "%s/keys.db", f->dir);
	assert_int_equal(open_raw(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
a_key_that_cannot_be_read_is_damaged_and_its_customer_as_if_forgotten(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1);
	struct buf sealed = { 0 };
	uint8_t key[32], data[32];
	char sql[512], hex[200];
	assert_int_equal(keys_subject(f->keys, &anna, true, key), 0);
	assert_int_equal(keys_commit(f->keys), 0);
	memcpy(data, keys_data(f->keys), 32);
	change_keys(f, "UPDATE subject SET key = x'00'");
	fixture_open(f);
	assert_int_equal(keys_subject(f->keys, &anna, true, key), AISLE_E_DAMAGED);
	assert_true(keys_forgotten(f->keys, &anna));
	/* Sealed rightly, and no key: a byte too few, a byte too many. */
	for (size_t len = 31; len <= 33; len++) {
		buf_clear(&sealed);
		vault_seal(data, "subject", anna.b, 16, KEYS_VERSION,
		    "0123456789012345678901234567890123", len, &sealed);
		hash_hex(hex, (const uint8_t *)sealed.data, sealed.len);
		snprintf(sql, sizeof(sql), "UPDATE subject SET key = x'%s'", hex);
		change_keys(f, sql);
		fixture_open(f);
		assert_int_equal(keys_subject(f->keys, &anna, true, key),
		    len == 32 ? 0 : AISLE_E_DAMAGED);
	}
	buf_done(&sealed);
}

static void
a_folder_in_use_is_said_to_be(void **state)
{
	struct fixture *f = *state;
	struct keys *second = NULL;
	struct err err = { 0 };
	assert_int_equal(keys_open(f->dir, NULL, &second, &err), AISLE_E_IO);
	assert_null(second);
	assert_non_null(strstr(err.text, "in use by another process"));
	assert_non_null(strstr(err.text, f->dir));
}

static void
the_file_is_made_for_its_owner_alone_and_is_no_link(void **state)
{
	struct fixture *f = *state;
	struct keys *keys = NULL;
	struct err err = { 0 };
	struct stat st;
	char dir[100], path[128];
	snprintf(dir, sizeof(dir), "%s/new", f->dir);
	assert_int_equal(keys_open(dir, NULL, &keys, &err), 0);
	keys_close(keys);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(path, sizeof(path), "%s/keys.db", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	keys = NULL;
	assert_int_equal(keys_open(dir, NULL, &keys, &err), AISLE_E_IO);
	assert_null(keys);
	assert_non_null(strstr(err.text, "/new/keys.db: "));
	assert_int_equal(unlink(path), 0);
	/* The log stays, with nothing in it: without a free inode no start could make one. */
	snprintf(path, sizeof(path), "%s/keys.db-wal", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	write_file(f->dir, "new", "x", 1); /* no folder */
	err = (struct err){ 0 };
	assert_int_equal(keys_open(dir, NULL, &keys, &err), AISLE_E_IO);
	snprintf(dir, sizeof(dir), "%s/none/new", f->dir);
	err = (struct err){ 0 };
	assert_int_equal(keys_open(dir, NULL, &keys, &err), AISLE_E_IO);
	assert_non_null(strstr(err.text, "none/new: No such file"));
	keys_close(NULL);
}

/* Whatever took them: nothing is made anew beside what was sealed. */
static void
a_file_without_one_of_its_tables_does_not_open(void **state)
{
	static const char *const drops[] = { "DROP TABLE subject", "DROP TABLE secret" };
	struct fixture *f = *state;
	char dir[100], path[128];

	snprintf(dir, sizeof(dir), "%s/tables", f->dir);
	snprintf(path, sizeof(path), "%s/keys.db", dir);
	for (size_t i = 0; i < ARRAY_LEN(drops); i++) {
		struct keys *keys = NULL;
		struct err err = { 0 };
		sqlite3 *db;

		assert_int_equal(keys_open(dir, NULL, &keys, &err), 0);
		keys_close(keys);
		keys = NULL;
		assert_int_equal(open_raw(path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, drops[i], NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		assert_int_equal(keys_open(dir, NULL, &keys, &err), AISLE_E_IO);
		assert_int_equal(err.code, AISLE_E_IO);
		assert_null(keys);
		assert_non_null(strstr(err.text, "keys.db: no such table"));
		assert_int_equal(unlink(path), 0);
	}
	write_file(dir, "keys.db", "this is no database, however long it may be", 43);
	assert_int_equal(keys_open(dir, NULL, &(struct keys *){ NULL }, &(struct err){ 0 }),
	    AISLE_E_IO);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/keys.db-wal", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
secrets_that_are_not_whole_do_not_open(void **state)
{
	static const char *const tricks[] = {
		"UPDATE secret SET value = x'00' WHERE name = 'check'",
		"DELETE FROM secret WHERE name = 'check'",
		"UPDATE secret SET value = x'00' WHERE name = 'pepper'",
		"DELETE FROM secret WHERE name = 'pepper'",
		("UPDATE secret SET value = (SELECT value FROM secret WHERE name = 'check') "
		 "WHERE name = 'pepper'"),
		"UPDATE secret SET value = zeroblob(32) WHERE name = 'data'",
	};
	struct fixture *f = *state;
	char path[128];
	snprintf(path, sizeof(path), "%s/keys.db", f->dir);
	for (size_t i = 0; i < ARRAY_LEN(tricks); i++) {
		struct err err = { 0 };
		change_keys(f, tricks[i]);
		assert_int_equal(fixture_try_open(f, &err), AISLE_E_DAMAGED);
		assert_non_null(strstr(err.text, "keys.db: does not open with this data key"));
		assert_int_equal(unlink(path), 0);
		fixture_open(f);
	}
	/* Neither here nor in a credential. */
	for (int i = 0; i < 2; i++) {
		struct err err = { 0 };
		change_keys(f,
		    i == 0 ? "DELETE FROM secret WHERE name = 'data'"
			   : "UPDATE secret SET value = zeroblob(31) WHERE name = 'data'");
		assert_int_equal(fixture_try_open(f, &err), AISLE_E_CONFIG);
		assert_non_null(strstr(err.text, "no data key; expected the credential"));
		assert_int_equal(unlink(path), 0);
		fixture_open(f);
	}
	/* A pepper that is sealed rightly, and none. */
	for (size_t len = 31; len <= 33; len++) {
		struct buf sealed = { 0 };
		struct err err = { 0 };
		char sql[512], hex[200];
		vault_seal(keys_data(f->keys), "secret", "pepper", 6, KEYS_VERSION,
		    "0123456789012345678901234567890123", len, &sealed);
		hash_hex(hex, (const uint8_t *)sealed.data, sealed.len);
		snprintf(sql, sizeof(sql), "UPDATE secret SET value = x'%s' WHERE name = 'pepper'",
		    hex);
		change_keys(f, sql);
		assert_int_equal(fixture_try_open(f, &err), len == 32 ? 0 : AISLE_E_DAMAGED);
		if (len != 32) {
			change_keys(f, "SELECT 1");
			unlink(path);
			fixture_open(f);
		} else {
			assert_memory_equal(keys_pepper(f->keys),
			    "01234567890123456789012345678901", 32);
		}
		buf_done(&sealed);
	}
}

static void
a_credential_is_32_bytes_or_64_hex_digits(void **state)
{
	static const char hex[] =
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	struct fixture *f = *state;
	uint8_t raw[33];
	char path[128], bytes[81];
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)i;
	memset(bytes, 'a', sizeof(bytes));
	memcpy(bytes, hex, 64);
	fixture_close(f);
	snprintf(path, sizeof(path), "%s/keys.db", f->dir);
	setenv("CREDENTIALS_DIRECTORY", f->dir, 1);
	const struct {
		const void *bytes;
		size_t len;
		char last; /* 0: as it is */
		bool good;
	} cases[] = {
		{ raw, 32, 0, true },
		{ raw, 33, 0, false },
		{ raw, 31, 0, false },
		{ raw, 0, 0, false },
		{ bytes, 64, 0, true },
		{ bytes, 65, '\n', true },
		{ bytes, 65, 'a', false },
		{ bytes, 65, '\r', false },
		{ bytes, 66, '\n', false },
		{ bytes, 63, 0, false },
		{ bytes, 64, 'g', false },
		{ bytes, 81, 0, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };
		char text[81];
		memcpy(text, cases[i].bytes, cases[i].len);
		if (cases[i].last != 0)
			text[cases[i].len - 1] = cases[i].last;
		write_file(f->dir, "aisle-data-key", text, cases[i].len);
		unlink(path);
		if (fixture_try_open(f, &err) != (cases[i].good ? 0 : AISLE_E_CONFIG))
			fail_msg("case %zu: %s", i, err.text);
		if (cases[i].good)
			assert_memory_equal(keys_data(f->keys), raw, 32);
		else
			assert_non_null(strstr(err.text, "aisle-data-key: not a key"));
		fixture_close(f);
	}
	/* It is there, and cannot be read. */
	struct err err = { 0 };
	snprintf(path, sizeof(path), "%s/aisle-data-key", f->dir);
	unlink(path);
	assert_int_equal(symlink("aisle-data-key", path), 0);
	assert_int_equal(fixture_try_open(f, &err), AISLE_E_IO);
	assert_non_null(strstr(err.text, "aisle-data-key: Too many"));
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void
a_pepper_file_has_64_hex_digits_and_may_end_a_line(void **state)
{
	static const char hex[] =
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	static const struct {
		const char *more;
		size_t len; /* of the digits */
		bool good;
	} cases[] = { { "", 64, true }, { "\n", 64, true }, { "\r\n", 64, true },
		{ " # ours\n", 64, true }, { "\t\n", 64, true }, { "0\n", 64, false },
		{ "", 63, false }, { "\n", 62, false }, { "g\n", 63, false }, { "", 0, false },
		{ "\n", 0, false } };
	struct fixture *f = *state;
	uint8_t pepper[32] = { 0xff };
	struct err err = { 0 };
	char path[128], text[128];
	snprintf(path, sizeof(path), "%s/pepper", f->dir);
	assert_int_equal(keys_read_pepper(path, pepper, &err), AISLE_E_NONE);
	assert_int_equal(err.code, AISLE_E_NONE);
	assert_non_null(strstr(err.text, "pepper: No such file"));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(text, sizeof(text), "%.*s%s", (int)cases[i].len, hex, cases[i].more);
		write_file(f->dir, "pepper", text, strlen(text));
		err = (struct err){ 0 };
		assert_int_equal(keys_read_pepper(path, pepper, &err),
		    cases[i].good ? 0 : AISLE_E_CONFIG);
		if (cases[i].good)
			assert_int_equal(pepper[31], 0x1f);
		else
			assert_non_null(strstr(err.text, "expected 64 hex digits"));
		pepper[31] = 0;
	}
}

static void
the_session_is_kept_and_in_memory_there_is_none(void **state)
{
	struct fixture *f = *state;
	struct keys *keys;
	struct err err = { 0 };
	int64_t session = 7;
	assert_int_equal(keys_session(f->keys, &session), 0);
	assert_int_equal(session, 0);
	assert_int_equal(keys_set_session(f->keys, 12), 0);
	assert_int_equal(keys_set_session(f->keys, 13), 0);
	fixture_reopen(f);
	assert_int_equal(keys_session(f->keys, &session), 0);
	assert_int_equal(session, 13);
	change_keys(f, "UPDATE secret SET value = x'00' WHERE name = 'session'");
	fixture_open(f);
	assert_int_equal(keys_session(f->keys, &session), AISLE_E_DAMAGED);
	assert_int_equal(session, 0);
	assert_int_equal(keys_open(NULL, NULL, &keys, &err), 0);
	session = 7;
	assert_int_equal(keys_set_session(keys, 12), 0);
	assert_int_equal(keys_session(keys, &session), 0);
	assert_int_equal(session, 0);
	keys_close(keys);
}

static int
interrupt(void *ctx)
{
	return ++*(int *)ctx > 0;
}

/* Taken for forgotten, their rows are left out; so what is left out must not be acknowledged. */
static void
a_key_that_the_disk_does_not_give_now_takes_the_turn_back(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1);
	uint8_t key[32];
	int asked = 0;
	assert_int_equal(keys_subject(f->keys, &anna, true, key), 0);
	assert_int_equal(keys_commit(f->keys), 0);
	fixture_reopen(f);
	begin(f);
	sqlite3_progress_handler(f->keys->db, 1, interrupt, &asked);
	assert_true(keys_forgotten(f->keys, &anna));
	sqlite3_progress_handler(f->keys->db, 0, NULL, NULL);
	assert_true(asked > 0);
	assert_int_equal(store_meta_set(f->store, "without", "1", 1), 0);
	assert_int_equal(store_commit(f->store), AISLE_E_IO);
	store_rollback(f->store);
	begin(f);
	assert_false(keys_forgotten(f->keys, &anna));
	assert_int_equal(store_put(f->store, STORE_VISIT, &anna, &anna, 1, 0, "x", 1), 0);
	commit(f);
}

/* ---- damage ---- */

#define CUSTOMERS 100
#define FORGOTTEN 5 /* the first ones */

struct known {
	uint8_t keys[CUSTOMERS][32], pepper[32];
	uint8_t *file;
	size_t len;
};

static size_t
read_whole(const char *path, uint8_t **ret_bytes)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	*ret_bytes = malloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, *ret_bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	return (size_t)st.st_size;
}

/* A file with customers, some of them forgotten, that was closed. */
static void
make_customers(struct fixture *f, struct known *known)
{
	for (uint64_t i = 0; i < CUSTOMERS; i++) {
		struct id id = id_of(i);
		assert_int_equal(keys_subject(f->keys, &id, true, known->keys[i]), 0);
	}
	assert_int_equal(keys_set_session(f->keys, 41), 0);
	assert_int_equal(keys_commit(f->keys), 0);
	for (uint64_t i = 0; i < FORGOTTEN; i++) {
		struct id id = id_of(i);
		assert_int_equal(keys_destroy(f->keys, &id), 0);
	}
	memcpy(known->pepper, keys_pepper(f->keys), 32);
	fixture_close(f);
	known->len = read_whole(path_in(f, "keys.db"), &known->file);
}

/* How many have lost their key; whoever has one has the right one, and nobody who was forgotten has any. */
static int
count_lost(struct fixture *f, const struct known *known)
{
	int lost = 0;
	for (uint64_t i = 0; i < CUSTOMERS; i++) {
		struct id id = id_of(i);
		uint8_t key[32] = { 0 };
		int error = keys_subject(f->keys, &id, false, key);
		if (i < FORGOTTEN) {
			assert_int_not_equal(error, 0);
			assert_true(keys_forgotten(f->keys, &id));
			assert_int_not_equal(keys_subject(f->keys, &id, true, key), 0);
		} else if (error == 0) {
			assert_memory_equal(key, known->keys[i], 32);
		} else {
			lost++;
		}
	}
	return lost;
}

static void
put_back(struct fixture *f, const struct known *known)
{
	write_file(f->dir, "keys.db", known->file, known->len);
	write_file(f->dir, "keys.db-wal", "", 0);
}

static void
try_keys(struct fixture *f, struct err *err, int *ret)
{
	*err = (struct err){ 0 };
	*ret = keys_open(f->dir, NULL, &f->keys, err);
	if (*ret == 0)
		sealer_init(&f->sealer, f->keys);
}

/* Whatever it hits: it opens, or says so by name; one customer is lost at the most, and is somebody new; nobody is
 * forgotten that was not, nor known again that was. */
static void
a_bit_of_it_that_flips_takes_one_customer_at_the_most(void **state)
{
	const int flips = getenv("FLIPS") != NULL ? atoi(getenv("FLIPS")) : 12;
	struct fixture *f = *state;
	struct known known = { .file = NULL };
	int mended = 0, refused = 0, took = 0;
	struct err err;

	make_customers(f, &known);
	for (int n = 0; n < flips; n++) {
		struct id chance = id_of(1000000 + (uint64_t)n);
		uint64_t at;
		int error, lost;

		memcpy(&at, chance.b, sizeof(at));
		at %= known.len * 8;
		known.file[at / 8] ^= (uint8_t)(1 << at % 8);
		put_back(f, &known);
		known.file[at / 8] ^= (uint8_t)(1 << at % 8);
		try_keys(f, &err, &error);
		if (error != 0) {
			assert_non_null(strstr(err.text, "keys.db"));
			refused++;
			continue;
		}
		if (memcmp(known.pepper, keys_pepper(f->keys), 32) != 0)
			fail_msg("bit %llu: another pepper", (unsigned long long)at);
		lost = count_lost(f, &known);
		if (keys_suspect(f->keys)) {
			assert_int_equal(keys_mend(f->keys, &err), 0);
			assert_false(keys_suspect(f->keys));
			lost = count_lost(f, &known);
			assert_false(keys_suspect(f->keys));
		}
		if (lost > 1)
			fail_msg("bit %llu: %d lost", (unsigned long long)at, lost);
		mended += keys_mended(f->keys) > 0;
		took += lost;
		for (uint64_t i = FORGOTTEN; i < CUSTOMERS && lost > 0; i++) {
			struct id id = id_of(i);
			uint8_t key[32];
			assert_int_equal(keys_subject(f->keys, &id, true, key), 0);
			assert_false(keys_forgotten(f->keys, &id));
		}
		assert_int_equal(keys_commit(f->keys), 0);
		fixture_close(f);
	}
	print_message("flips %d: mended %d, refused %d, customers lost %d\n", flips, mended,
	    refused, took);
	assert_true(mended > 0);
	assert_true(refused <= flips / 50 + 2);
	free(known.file);
}

/* Each page in turn has a kind that is none, and nothing of it can be found by its structure. */
static void
a_page_without_a_structure_takes_nobody(void **state)
{
	struct fixture *f = *state;
	struct known known = { .file = NULL };
	struct err err;
	int error;
	int64_t session = 0;

	uint8_t public[32], again[32], secret[32];
	assert_int_equal(keys_make_device(f->keys, public), 0);
	make_customers(f, &known);
	for (size_t at = 0; at < known.len; at += at < 4 * 512 ? 512 : 13 * 512) {
		size_t head = at == 0 ? 100 : at;
		uint8_t kind = known.file[head];

		known.file[head] ^= 0x40;
		put_back(f, &known);
		known.file[head] = kind;
		try_keys(f, &err, &error);
		if (error != 0)
			fail_msg("page at %zu: %s", at, err.text);
		if (keys_mended(f->keys) == 0) {
			/* Whether anybody asks for what stands there or not. */
			keys_scrub(f->keys, 1000);
			assert_true(keys_suspect(f->keys));
			assert_int_equal(keys_mend(f->keys, &err), 0);
			assert_int_equal(keys_mended(f->keys), 1);
		}
		assert_int_equal(count_lost(f, &known), 0);
		keys_scrub(f->keys, 1000);
		assert_false(keys_suspect(f->keys));
		assert_memory_equal(keys_pepper(f->keys), known.pepper, 32);
		assert_int_equal(keys_session(f->keys, &session), 0);
		assert_int_equal(session, 41);
		assert_int_equal(keys_device(f->keys, again, secret), 0);
		assert_memory_equal(public, again, 32);
		fixture_close(f);
		/* None of the file that was given up is left over. */
		assert_int_not_equal(access(path_in(f, "keys.db.salvaged"), F_OK), 0);
		assert_int_not_equal(access(path_in(f, "keys.db.salvaged.tmp"), F_OK), 0);
	}
	free(known.file);
}

/* The chain's own pepper is not in the file, and is the same one after it. Without a copy the damaged file serves on. */
static void
a_key_that_does_not_open_goes_when_keys_are_mended_and_its_customer_is_new(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1), ben = id_of(2);
	struct err err = { 0 };
	uint8_t key[32], given[32], bens[32];
	memset(given, 7, sizeof(given));
	assert_int_equal(keys_subject(f->keys, &anna, true, key), 0);
	assert_int_equal(keys_commit(f->keys), 0);
	change_keys(f, "UPDATE subject SET key = x'00'");
	fixture_open(f);
	keys_set_pepper(f->keys, given);
	assert_false(keys_suspect(f->keys));
	assert_int_equal(keys_subject(f->keys, &anna, true, key), AISLE_E_DAMAGED);
	assert_true(keys_suspect(f->keys));
	assert_int_equal(mkdir(path_in(f, "keys.db.salvaged.tmp"), 0700), 0);
	assert_int_equal(keys_mend(f->keys, &err), 0);
	assert_int_equal(keys_mended(f->keys), 0);
	assert_true(keys_suspect(f->keys));
	assert_true(keys_forgotten(f->keys, &anna));
	assert_int_equal(keys_subject(f->keys, &ben, true, bens), 0);
	assert_int_equal(keys_commit(f->keys), 0);
	assert_int_equal(rmdir(path_in(f, "keys.db.salvaged.tmp")), 0);
	assert_int_equal(keys_mend(f->keys, &err), 0);
	assert_false(keys_suspect(f->keys));
	assert_int_equal(keys_mended(f->keys), 1);
	assert_memory_equal(keys_pepper(f->keys), given, 32);
	assert_false(keys_forgotten(f->keys, &anna));
	assert_int_equal(keys_subject(f->keys, &anna, true, key), 0);
	assert_int_equal(keys_subject(f->keys, &ben, false, key), 0);
	assert_memory_equal(key, bens, 32);
	/* Not committed when it is mended: the turn that needs it must fail. */
	int64_t losses = keys_losses(f->keys);
	f->keys->suspect = true;
	assert_int_equal(keys_mend(f->keys, &err), 0);
	assert_int_equal(keys_losses(f->keys), losses + 1);
	assert_int_equal(keys_subject(f->keys, &anna, false, key), AISLE_E_NONE);
}

/* The same rows in a file as the version before made it, left by a kill: some of them are in its log alone. */
static void
make_before(struct fixture *f)
{
	static const char *const steps[] = {
		("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA user_version = 1;"
		 "CREATE TABLE secret(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
		 "CREATE TABLE subject(id BLOB PRIMARY KEY, key BLOB) WITHOUT ROWID;"
		 "CREATE INDEX stone ON subject(id) WHERE key IS NULL;"
		 "INSERT INTO secret SELECT * FROM now.secret;"
		 "INSERT INTO subject SELECT * FROM now.subject WHERE id < x'80';"
		 "PRAGMA wal_checkpoint(TRUNCATE)"),
		"INSERT INTO subject SELECT * FROM now.subject WHERE id >= x'80'",
	};
	sqlite3 *db;
	char sql[256];
	assert_int_equal(sqlite3_open(path_in(f, "before"), &db), SQLITE_OK);
	/* Copied for it: of the file as it is now, only reading needs no sums. */
	snprintf(sql, sizeof(sql), "ATTACH '%s' AS now", path_in(f, "keys.db"));
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (sqlite3_exec(db, steps[i], NULL, NULL, NULL) != SQLITE_OK)
			fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_file_control(db, NULL, SQLITE_FCNTL_PERSIST_WAL, &(int){ 1 });
	sqlite3_close(db);
	assert_int_equal(rename(path_in(f, "before"), path_in(f, "keys.db")), 0);
	assert_int_equal(rename(path_in(f, "before-wal"), path_in(f, "keys.db-wal")), 0);
}

/* As the version before made it: pages of 4 KiB without a sum. */
static void
keys_of_before_there_were_sums_are_taken_over_whole(void **state)
{
	struct fixture *f = *state;
	struct known known = { .file = NULL };
	struct err err;
	int error;
	int64_t session = 0;

	make_customers(f, &known);
	make_before(f);
	try_keys(f, &err, &error);
	if (error != 0)
		fail_msg("%s", err.text);
	assert_int_equal(count_lost(f, &known), 0);
	assert_memory_equal(keys_pepper(f->keys), known.pepper, 32);
	assert_int_equal(keys_session(f->keys, &session), 0);
	assert_int_equal(session, 41);
	assert_int_equal(keys_mended(f->keys), 0);
	assert_false(keys_suspect(f->keys));
	fixture_close(f);
	free(known.file);
}

/* A power cut between the copy and its taking the place. */
static void
a_copy_that_was_made_takes_its_place_at_the_next_start(void **state)
{
	struct fixture *f = *state;
	struct known known = { .file = NULL };
	struct err err;
	int error;

	make_customers(f, &known);
	write_file(f->dir, "keys.db.salvaged", known.file, known.len);
	write_file(f->dir, "keys.db.salvaged.tmp", known.file, 4096);
	write_file(f->dir, "keys.db", "damaged", 7);
	write_file(f->dir, "keys.db-wal", known.file, 4096);
	try_keys(f, &err, &error);
	assert_int_equal(error, 0);
	assert_int_equal(count_lost(f, &known), 0);
	assert_int_equal(keys_mended(f->keys), 0);
	assert_int_not_equal(access(path_in(f, "keys.db.salvaged"), F_OK), 0);
	assert_int_not_equal(access(path_in(f, "keys.db.salvaged.tmp"), F_OK), 0);
	fixture_close(f);
	free(known.file);
}

/* Headquarters knows it: it is not made anew without a word. */
static void
damage_in_the_stores_own_key_is_refused_by_name(void **state)
{
	struct fixture *f = *state;
	struct known known = { .file = NULL };
	struct err err;
	uint8_t public[32];
	int error;

	assert_int_equal(keys_make_device(f->keys, public), 0);
	make_customers(f, &known);
	uint8_t *at = memmem(known.file, known.len, "device", 6);
	assert_non_null(at);
	at[20] ^= 4;
	put_back(f, &known);
	try_keys(f, &err, &error);
	assert_int_not_equal(error, 0);
	assert_non_null(strstr(err.text, "keys.db"));
	free(known.file);
}

/* It lies there in clear, and which bit it was the rest of the file tells. */
static void
a_bit_of_the_data_key_itself_is_found_again(void **state)
{
	struct fixture *f = *state;
	struct known known = { .file = NULL };
	struct err err;
	uint8_t data[32];

	memcpy(data, keys_data(f->keys), 32);
	make_customers(f, &known);
	uint8_t *at = memmem(known.file, known.len, data, 32);
	assert_non_null(at);
	for (int bit = 0; bit < 256; bit += 85) {
		int error;

		at[bit / 8] ^= (uint8_t)(1 << bit % 8);
		put_back(f, &known);
		at[bit / 8] ^= (uint8_t)(1 << bit % 8);
		try_keys(f, &err, &error);
		if (error != 0)
			fail_msg("bit %d: %s", bit, err.text);
		assert_memory_equal(keys_data(f->keys), data, 32);
		assert_int_equal(count_lost(f, &known), 0);
		fixture_close(f);
	}
	/* Two of them are nobody's key. */
	int error;
	at[0] ^= 1;
	at[31] ^= 1;
	put_back(f, &known);
	try_keys(f, &err, &error);
	assert_int_not_equal(error, 0);
	free(known.file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_bit_of_it_that_flips_takes_one_customer_at_the_most),
		STORE_TEST(a_page_without_a_structure_takes_nobody),
		STORE_TEST(
		    a_key_that_does_not_open_goes_when_keys_are_mended_and_its_customer_is_new),
		STORE_TEST(a_bit_of_the_data_key_itself_is_found_again),
		STORE_TEST(damage_in_the_stores_own_key_is_refused_by_name),
		STORE_TEST(keys_of_before_there_were_sums_are_taken_over_whole),
		STORE_TEST(a_copy_that_was_made_takes_its_place_at_the_next_start),
		STORE_TEST(a_key_that_the_disk_does_not_give_now_takes_the_turn_back),
		STORE_TEST(a_subject_has_no_key_until_one_is_made_and_then_always_the_same),
		STORE_TEST(a_key_that_was_not_committed_is_not_there_after_a_restart),
		STORE_TEST(a_destroyed_key_leaves_a_tombstone_and_none_of_its_bytes),
		STORE_TEST(a_remembered_key_goes_when_it_is_destroyed_or_a_full_disk_takes_it_back),
		STORE_TEST(data_key_and_pepper_are_random_once_and_then_stay),
		STORE_TEST(a_credential_is_the_data_key_and_does_not_go_into_the_file),
		STORE_TEST(newer_keys_are_refused),
		cmocka_unit_test(in_memory_nothing_is_random_and_tombstones_hold),
		STORE_TEST(the_sealer_uses_the_subjects_key_and_the_data_key_for_nobody),
		STORE_TEST(keys_of_subjects_that_share_a_place_in_memory_are_told_apart),
		STORE_TEST(a_key_that_cannot_be_read_is_damaged_and_its_customer_as_if_forgotten),
		STORE_TEST(a_folder_in_use_is_said_to_be),
		STORE_TEST(the_file_is_made_for_its_owner_alone_and_is_no_link),
		STORE_TEST(secrets_that_are_not_whole_do_not_open),
		STORE_TEST(a_file_without_one_of_its_tables_does_not_open),
		STORE_TEST(a_credential_is_32_bytes_or_64_hex_digits),
		STORE_TEST(a_pepper_file_has_64_hex_digits_and_may_end_a_line),
		STORE_TEST(the_session_is_kept_and_in_memory_there_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
