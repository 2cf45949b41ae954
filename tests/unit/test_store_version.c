/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_version.c - a state folder of another schema is refused before anything of it is opened or mended.
 */
#include "store_fixture.h"

#include <sqlite3.h>

#include "core/conf.h"
#include "core/file.h"
#include "spine/engine.h"
#include "store/store_internal.h"

#define FILES 16

/* ---- a folder, byte for byte ---- */

struct seen {
	size_t count;
	char names[FILES][64];
	uint8_t hashes[FILES][32];
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
look(const char *dir, struct seen *seen)
{
	DIR *entries = opendir(dir);

	memset(seen, 0, sizeof(*seen));
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
		if (entry->d_name[0] != '.' && seen->count < FILES)
			snprintf(seen->names[seen->count++], sizeof(seen->names[0]), "%.63s",
			    entry->d_name);
	closedir(entries);
	qsort(seen->names, seen->count, sizeof(seen->names[0]), by_name);
	for (size_t i = 0; i < seen->count; i++) {
		char path[200];
		struct buf bytes = { 0 };
		struct err err = { 0 };

		snprintf(path, sizeof(path), "%s/%s", dir, seen->names[i]);
		assert_int_equal(file_read(path, 64 << 20, &bytes, &err), 0);
		hash_bytes(seen->hashes[i], 32, bytes.data, bytes.len, NULL, 0);
		buf_done(&bytes);
	}
}

static void
assert_untouched(const char *dir, const struct seen *before)
{
	struct seen after;

	look(dir, &after);
	for (size_t i = 0; i < before->count; i++)
		assert_string_equal(after.names[i], before->names[i]);
	assert_int_equal(after.count, before->count);
	for (size_t i = 0; i < before->count; i++)
		if (memcmp(after.hashes[i], before->hashes[i], 32) != 0)
			fail_msg("%s is another", before->names[i]);
}

/* ---- what is done to it ---- */

/* in_log: as a kill leaves it. */
static void
set_version(const struct fixture *f, int version, bool in_log)
{
	char sql[60];
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(path_in(f, "state.db"), &db, SQLITE_OPEN_READWRITE,
			     store_vfs(NULL)),
	    SQLITE_OK);
	sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	if (in_log)
		sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(db);
}

static void
flip(const struct fixture *f, const char *name, off_t at, uint8_t bits)
{
	int fd = open(path_in(f, name), O_RDWR);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= bits;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void
put_file(const struct fixture *f, const char *name, const char *text)
{
	int fd = open(path_in(f, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int
open_engine(const struct fixture *f, struct err *err)
{
	struct conf conf;
	struct engine *engine = NULL;

	conf_init(&conf);
	free(conf.store_id);
	conf.store_id = mem_strdup("0042");
	struct engine_options options = { .conf = &conf, .state_dir = f->dir, .sealed = true };
	int rc = engine_open(&options, &engine, err);
	engine_close(engine);
	conf_done(&conf);
	return rc;
}

/* ---- tests ---- */

/* The one before, a mark that damage was met, damage, a log that a kill left, keys with damage in them: alone, and all of it. */
static void
a_state_of_another_schema_is_left_byte_for_byte_damaged_or_not(void **state)
{
	struct fixture *f = *state;
	struct seen before;
	struct id anna = id_of(1);
	uint8_t key[32];

	assert_int_equal(keys_subject(f->keys, &anna, true, key), 0);
	begin(f);
	assert_int_equal(store_put(f->store, STORE_VISIT, &anna, &anna, 1, 0, "x", 1), 0);
	commit(f);
	fixture_close(f);
	for (int i = 0; i < 32; i++) {
		bool newer = i % 2 == 0, mark = i & 2, damage = i & 4, in_log = i & 8,
		     keys = i & 16;
		struct err err = { 0 };

		set_version(f, newer ? STORE_SCHEMA + 1 : STORE_SCHEMA_BEFORE - 1, in_log);
		if (mark)
			put_file(f, "state.db.suspect", "3\n");
		if (damage)
			flip(f, "state.db", 5 * 512 + 77, 4);
		/* The log has the first page whole. */
		if (damage && in_log)
			flip(f, "state.db", 200, 4);
		if (keys)
			flip(f, "keys.db", 3 * 512 + 40, 4);
		look(f->dir, &before);
		for (int round = 0; round < 2; round++) {
			err = (struct err){ 0 };
			if (open_engine(f, &err) != AISLE_E_REFUSED)
				fail_msg("%d: %s", i, err.text);
			assert_non_null(strstr(err.text,
			    newer ? "a newer aisled" : "an older aisled"));
			assert_non_null(strstr(err.text, "unchanged"));
			assert_untouched(f->dir, &before);
		}
		/* As it was. */
		if (damage)
			flip(f, "state.db", 5 * 512 + 77, 4);
		if (damage && in_log)
			flip(f, "state.db", 200, 4);
		if (keys)
			flip(f, "keys.db", 3 * 512 + 40, 4);
		unlink(path_in(f, "state.db.suspect"));
		set_version(f, STORE_SCHEMA, false);
	}
	fixture_open(f);
	assert_int_equal(store_damaged(f->store), 0);
}

/* One bit is no other schema: the page's sum says so. */
static void
a_flipped_bit_in_the_number_of_the_schema_is_damage(void **state)
{
	struct fixture *f = *state;
	struct id visit = ulid_of(1, 1);
	struct buf body = { 0 };

	for (int bit = 0; bit < 32; bit += 3) {
		begin(f);
		assert_int_equal(store_put(f->store, STORE_VISIT, &visit, NULL, 1, 0, "x", 1), 0);
		commit(f);
		fixture_close(f);
		flip(f, "state.db", 60 + bit / 8, (uint8_t)(1 << bit % 8));
		fixture_open(f);
		assert_int_not_equal(store_damaged(f->store), 0);
		buf_clear(&body);
		assert_int_equal(store_get(f->store, STORE_VISIT, &visit, &body, NULL), 0);
	}
	fixture_close(f);
	flip(f, "keys.db", 63, 2);
	fixture_open(f);
	assert_int_equal(keys_mended(f->keys), 1);
	buf_done(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_state_of_another_schema_is_left_byte_for_byte_damaged_or_not),
		STORE_TEST(a_flipped_bit_in_the_number_of_the_schema_is_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
