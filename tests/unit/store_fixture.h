/* SPDX-License-Identifier: Apache-2.0
 *
 * store_fixture.h - a folder, keys, a sealer and a store over them, for tests.
 */
#ifndef AISLE_TESTS_STORE_FIXTURE_H
#define AISLE_TESTS_STORE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "core/log.h"
#include "store/store.h"
#include "profile/keys.h"
#include "profile/sealer.h"

struct fixture {
	char dir[64];
	struct keys *keys;
	struct sealer sealer;
	struct store *store;
	int max_mib, recording_mib;
};

/* Bytes that do not pack. */
static inline void
noise(char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += 32) {
		uint8_t hash[32];
		uint64_t n = i;
		hash_bytes(hash, sizeof(hash), &n, sizeof(n), NULL, 0);
		memcpy(bytes + i, hash, len - i < 32 ? len - i : 32);
	}
}

static inline void
fixture_close(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	if (f->keys != NULL) {
		sealer_done(&f->sealer);
		keys_close(f->keys);
	}
	f->keys = NULL;
}

static inline int
fixture_try_open(struct fixture *f, struct err *err)
{
	int error = keys_open(f->dir, NULL, &f->keys, err);
	if (error != 0)
		return error;
	sealer_init(&f->sealer, f->keys);
	const struct store_options options = { .dir = f->dir,
		.max_mib = f->max_mib,
		.recording_mib = f->recording_mib,
		.sealer = &f->sealer };
	error = store_open(&options, &f->store, err);
	if (error != 0)
		fixture_close(f);
	return error;
}

static inline void
fixture_open(struct fixture *f)
{
	struct err err = { 0 };
	int error = fixture_try_open(f, &err);
	if (error != 0)
		fail_msg("open: %d %s", error, err.text);
}

static inline void
fixture_reopen(struct fixture *f)
{
	fixture_close(f);
	fixture_open(f);
}

/* Of a file in the folder; good until the eighth after it. */
static inline char *
path_in(const struct fixture *f, const char *name)
{
	static char paths[8][128];
	static int at;

	at = (at + 1) % 8;
	snprintf(paths[at], sizeof(paths[at]), "%s/%s", f->dir, name);
	return paths[at];
}

static inline int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	snprintf(f->dir, sizeof(f->dir), "/tmp/aisle-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	log_set_level((enum log_level)0);
	fixture_open(f);
	*state = f;
	return 0;
}

static inline void
remove_dir(const char *dir)
{
	DIR *entries = opendir(dir);
	if (entries == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(entries), entry->d_name, 0);
	}
	closedir(entries);
	rmdir(dir);
}

static inline int
fixture_teardown(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	remove_dir(f->dir);
	free(f);
	return 0;
}

static inline struct id
id_of(uint64_t n)
{
	struct id id;
	hash_bytes(id.b, sizeof(id.b), &n, sizeof(n), NULL, 0);
	return id;
}

/* A ULID of ms, told apart by n. */
static inline struct id
ulid_of(int64_t ms, uint32_t n)
{
	struct id id = { 0 };
	for (int i = 0; i < 6; i++)
		id.b[i] = (uint8_t)((uint64_t)ms >> (40 - 8 * i));
	for (int i = 0; i < 4; i++)
		id.b[6 + i] = (uint8_t)(n >> (24 - 8 * i));
	return id;
}

static inline void
begin(struct fixture *f)
{
	assert_int_equal(store_begin(f->store), 0);
}

static inline void
commit(struct fixture *f)
{
	assert_int_equal(store_commit(f->store), 0);
}

/* Is the text anywhere in any file of the folder? */
static inline bool
dir_contains(const char *dir, const void *text, size_t len)
{
	bool found = false;
	DIR *entries = opendir(dir);
	for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
		struct stat st;
		int fd = openat(dirfd(entries), entry->d_name, O_RDONLY);
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
			char *bytes = malloc((size_t)st.st_size);
			ssize_t got = read(fd, bytes, (size_t)st.st_size);
			found = found || (got > 0 && memmem(bytes, (size_t)got, text, len) != NULL);
			free(bytes);
		}
		if (fd >= 0)
			close(fd);
	}
	if (entries != NULL)
		closedir(entries);
	return found;
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
