/* SPDX-License-Identifier: Apache-2.0
 *
 * test_keys.c - keys are durable before what they seal, and destroyed keys are gone for good.
 */
#include "store_fixture.h"

#include "profile/keys_internal.h"

#include <sqlite3.h>

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
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
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
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_subject_has_no_key_until_one_is_made_and_then_always_the_same),
		STORE_TEST(a_key_that_was_not_committed_is_not_there_after_a_restart),
		STORE_TEST(a_destroyed_key_leaves_a_tombstone_and_none_of_its_bytes),
		STORE_TEST(a_remembered_key_goes_when_it_is_destroyed_or_a_full_disk_takes_it_back),
		STORE_TEST(data_key_and_pepper_are_random_once_and_then_stay),
		STORE_TEST(a_credential_is_the_data_key_and_does_not_go_into_the_file),
		STORE_TEST(newer_keys_are_refused),
		cmocka_unit_test(in_memory_nothing_is_random_and_tombstones_hold),
		STORE_TEST(the_sealer_uses_the_subjects_key_and_the_data_key_for_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
