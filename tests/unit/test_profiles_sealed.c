/* SPDX-License-Identifier: Apache-2.0
 *
 * test_profiles_sealed.c - bundles that one store alone can read, whatever was done to them on their way; deltas upon the set
 * that is here, and upon one that is not.
 *
 * test_profiles_sealed all: every byte is flipped, some 15 s; else the first kilobyte and each sixteenth.
 */
#include "store_fixture.h"

#include <sodium.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "profile/profiles_internal.h"

static uint8_t device[32]; /* the store's public key */

static int
set_up(void **state)
{
	int rc = fixture_setup(state);
	struct fixture *f = *state;

	assert_int_equal(keys_make_device(f->keys, device), 0);
	return rc;
}

/* Customers first to last with the word; a word of "-": removed. */
static void
build(const struct fixture *f, const char *name, struct profiles_build what, int first, int last,
    const char *word)
{
	struct err err = { 0 };
	int64_t rows = 0;
	FILE *file = fopen(path_in(f, "lines"), "w");

	for (int i = first; i <= last; i++) {
		struct id subject = id_of((uint64_t)i);
		char text[SUBJECT_TEXT_SIZE];

		subject_text(&subject, text);
		if (strcmp(word, "-") == 0)
			fprintf(file, "{\"subject\":\"%s\",\"removed\":true}\n", text);
		else
			fprintf(file, "{\"subject\":\"%s\",\"line\":\"%s %d\"}\n", text, word, i);
	}
	fclose(file);
	what.input = path_in(f, "lines");
	what.output = path_in(f, name);
	if (what.store == NULL)
		what.store = "0042";
	if (profiles_build(&what, &rows, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(rows, last - first + 1);
}

static struct profiles *
open_profiles(struct fixture *f)
{
	struct profiles *profiles;
	struct err err = { 0 };

	assert_int_equal(profiles_open(f->dir, f->keys, &profiles, &err), 0);
	return profiles;
}

static int
install(const struct fixture *f, struct profiles *profiles, const char *name, bool sealed,
    struct err *err)
{
	struct profiles_install_what what = {
		.bundle = path_in(f, name), .store = "0042", .sealed = sealed
	};
	bool swapped;
	int rc;

	*err = (struct err){ 0 };
	rc = profiles_install_begin(profiles, &what, err);
	while (rc == 0)
		rc = profiles_install_step(profiles, &swapped, err);
	return rc;
}

static void
assert_line(struct profiles *profiles, int i, const char *word)
{
	struct id subject = id_of((uint64_t)i);
	struct buf body = { 0 };
	char want[64];

	assert_int_equal(profiles_get(profiles, &subject, &body), word != NULL ? 0 : AISLE_E_NONE);
	snprintf(want, sizeof(want), "\"line\":\"%s %d\"", word == NULL ? "" : word, i);
	if (word != NULL && strstr(body.data, want) == NULL)
		fail_msg("%s, expected %s", body.data, want);
	buf_done(&body);
}

/* ---- encrypted ---- */

static void
what_is_encrypted_to_the_store_is_served_there_and_read_nowhere_else(void **state)
{
	struct fixture *f = *state;
	struct profiles *profiles = open_profiles(f);
	struct profiles_bundle *bundle;
	struct err err;

	build(f, "one", (struct profiles_build){ .to = device, .version = 7 }, 0, 9999,
	    "needleword");
	unlink(path_in(f, "lines"));
	assert_false(dir_contains(f->dir, "needleword", 10));
	assert_int_equal(install(f, profiles, "one", true, &err), 1);
	assert_int_equal(profiles_count(profiles), 10000);
	assert_int_equal(profiles_version(profiles), 7);
	for (int i = 0; i < 10000; i += 7)
		assert_line(profiles, i, "needleword");
	assert_line(profiles, 10000, NULL);
	assert_false(dir_contains(f->dir, "needleword", 10));
	profiles_close(profiles);
	fixture_reopen(f);
	profiles = open_profiles(f);
	assert_int_equal(profiles_version(profiles), 7);
	assert_line(profiles, 9999, "needleword");
	profiles_close(profiles);
	err = (struct err){ 0 };
	assert_int_equal(profiles_bundle_open(path_in(f, "one"), &bundle, &err), AISLE_E_INVALID);
	assert_non_null(strstr(err.text, "encrypted to a store"));
}

static void
nothing_at_all_can_be_encrypted(void **state)
{
	struct fixture *f = *state;
	struct profiles *profiles = open_profiles(f);
	struct err err;

	build(f, "one", (struct profiles_build){ .to = device }, 0, -1, "x");
	assert_int_equal(install(f, profiles, "one", true, &err), 1);
	assert_int_equal(profiles_count(profiles), 0);
	assert_int_equal(profiles_version(profiles), 1);
	profiles_close(profiles);
}

static void
of_another_store_key_or_pepper_it_is_refused_by_its_own_name(void **state)
{
	static const uint8_t pepper[32] = { 5 }, not_a_key[32] = { 0 };
	struct fixture *f = *state;
	struct profiles *profiles = open_profiles(f);
	uint8_t other[32], secret[32];
	struct err err;

	crypto_box_keypair(other, secret);
	build(f, "here", (struct profiles_build){ .to = device }, 0, 9, "old");
	assert_int_equal(install(f, profiles, "here", true, &err), 1);
	build(f, "plain", (struct profiles_build){ 0 }, 0, 9, "new");
	assert_int_equal(install(f, profiles, "plain", true, &err), AISLE_E_REFUSED);
	assert_non_null(strstr(err.text, "a plain profiles file is not accepted"));
	build(f, "store", (struct profiles_build){ .to = device, .store = "0043" }, 0, 9, "new");
	assert_int_equal(install(f, profiles, "store", true, &err), AISLE_E_REFUSED);
	assert_non_null(strstr(err.text, "profiles of store 0043, expected 0042"));
	build(f, "key", (struct profiles_build){ .to = other }, 0, 9, "new");
	assert_int_equal(install(f, profiles, "key", true, &err), AISLE_E_REFUSED);
	assert_non_null(strstr(err.text, "another key than this store's"));
	build(f, "pepper", (struct profiles_build){ .to = device, .pepper = pepper }, 0, 9, "new");
	assert_int_equal(install(f, profiles, "pepper", true, &err), AISLE_E_REFUSED);
	assert_non_null(strstr(err.text, "another pepper"));
	for (int i = 0; i < 10; i++)
		assert_line(profiles, i, "old");
	profiles_close(profiles);
	struct profiles_build what = { .input = path_in(f, "lines"),
		.output = path_in(f, "none"),
		.store = "0042",
		.to = not_a_key };
	err = (struct err){ 0 };
	assert_int_equal(profiles_build(&what, NULL, &err), AISLE_E_IO);
	assert_non_null(strstr(err.text, "not a key"));
	assert_int_equal(access(path_in(f, "none"), F_OK), -1);
}

static void
a_store_without_a_key_is_told_to_enroll(void **state)
{
	struct fixture *f = *state;
	struct profiles *profiles = open_profiles(f);
	uint8_t key[32], secret[32];
	struct err err;

	assert_int_equal(keys_device(f->keys, key, secret), AISLE_E_NONE);
	crypto_box_keypair(key, secret);
	build(f, "one", (struct profiles_build){ .to = key }, 0, 9, "x");
	assert_int_equal(install(f, profiles, "one", false, &err), AISLE_E_REFUSED);
	assert_non_null(strstr(err.text, "aislectl enroll"));
	profiles_close(profiles);
}

static void
a_store_has_one_key_for_good(void **state)
{
	struct fixture *f = *state;
	uint8_t again[32], public[32], secret[32];

	assert_int_equal(keys_make_device(f->keys, again), 0);
	assert_memory_equal(again, device, 32);
	fixture_reopen(f);
	assert_int_equal(keys_device(f->keys, public, secret), 0);
	assert_memory_equal(public, device, 32);
	crypto_scalarmult_base(again, secret);
	assert_memory_equal(again, device, 32);
	assert_false(dir_contains(f->dir, (const char *)secret, 32)); /* sealed */
}

/* ---- changed on its way ---- */

static char *
read_file(const struct fixture *f, const char *name, size_t *ret_len)
{
	FILE *file = fopen(path_in(f, name), "rb");
	char *bytes = malloc(1 << 20);

	*ret_len = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

static void
write_file(const struct fixture *f, const char *name, const char *bytes, size_t len)
{
	FILE *file = fopen(path_in(f, name), "wb");

	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

/* Read to its last row, as the child does. */
static bool
accepted(const char *path, const struct keys *keys)
{
	struct profiles_install_what what = { .bundle = path, .store = "0042", .sealed = true };
	struct profiles_reader *reader = NULL;
	struct profiles_row row;
	struct err err = { 0 };
	int rc = profiles_reader_open(&what, keys, &reader, &err);

	if (rc == 0) {
		while ((rc = profiles_reader_next(reader, &row, &err)) == 1)
			;
		profiles_reader_close(reader);
	}
	assert_true(rc == 0 || err.text[0] != '\0');
	return rc == 0;
}

#define WORKERS 2
#define HEAD 1024

static size_t apart = 16; /* behind the head */

/* Every WORKERSth byte from first on, and behind the head those that are so far apart; how many were accepted. */
static int
flip_each(const struct fixture *f, const char *bytes, size_t len, size_t first)
{
	char name[32];
	int taken = 0, fd;

	snprintf(name, sizeof(name), "flipped-%zu", first);
	write_file(f, name, bytes, len);
	fd = open(path_in(f, name), O_WRONLY);
	for (size_t i = first, n = 0; i < len; i += WORKERS * (i < HEAD ? 1 : apart), n++) {
		char flipped = (char)(bytes[i] ^ (1 << n % 8));

		if (pwrite(fd, &flipped, 1, (off_t)i) != 1)
			return -1;
		taken += accepted(path_in(f, name), f->keys);
		if (pwrite(fd, &bytes[i], 1, (off_t)i) != 1)
			return -1;
	}
	taken += !accepted(path_in(f, name), f->keys); /* as it was it is taken */
	close(fd);
	return taken;
}

static void
no_byte_of_it_can_be_flipped(void **state)
{
	struct fixture *f = *state;
	size_t len;
	char *bytes, random[65] = "";
	pid_t pids[WORKERS];

	/* Lines that do not pack: some 100 KB. */
	FILE *file = fopen(path_in(f, "lines"), "w");
	for (int i = 0; i < 1000; i++) {
		struct id subject = id_of((uint64_t)i);
		char text[SUBJECT_TEXT_SIZE];
		uint8_t hash[32];

		hash_bytes(hash, sizeof(hash), &i, sizeof(i), NULL, 0);
		hash_hex(random, hash, sizeof(hash));
		subject_text(&subject, text);
		fprintf(file, "{\"subject\":\"%s\",\"line\":\"%s\",\"household\":\"%.24s\"}\n",
		    text, random, random + 30);
	}
	fclose(file);
	struct profiles_build what = { .input = path_in(f, "lines"),
		.output = path_in(f, "one"),
		.store = "0042",
		.to = device };
	struct err err = { 0 };
	assert_int_equal(profiles_build(&what, NULL, &err), 0);
	bytes = read_file(f, "one", &len);
	assert_in_range(len, 64 << 10, 160 << 10);
	for (size_t n = 0; n < WORKERS; n++) {
		pids[n] = fork();
		if (pids[n] == 0)
			_exit(flip_each(f, bytes, len, n) == 0 ? 0 : 1);
	}
	for (size_t n = 0; n < WORKERS; n++) {
		int status;

		assert_int_equal(waitpid(pids[n], &status, 0), pids[n]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	free(bytes);
}

static void
no_end_of_it_can_be_cut_off_nor_anything_added(void **state)
{
	struct fixture *f = *state;
	size_t len;
	char *bytes;

	build(f, "one", (struct profiles_build){ .to = device }, 0, 2999, "word");
	bytes = read_file(f, "one", &len);
	assert_true(len > 8192);
	for (size_t cut = 0; cut < len; cut += cut < 200 || len - cut <= 200 ? 1 : 97) {
		write_file(f, "cut", bytes, cut);
		if (accepted(path_in(f, "cut"), f->keys))
			fail_msg("the first %zu of %zu bytes were accepted", cut, len);
	}
	bytes = realloc(bytes, len + 4096);
	memset(bytes + len, 0, 4096);
	for (size_t more = 1; more <= 4096; more *= 2) {
		write_file(f, "cut", bytes, len + more);
		assert_false(accepted(path_in(f, "cut"), f->keys));
	}
	free(bytes);
}

static void
chunks_cannot_change_places_nor_go_nor_come_from_another_bundle(void **state)
{
	static const char *const tricks[] = {
		("UPDATE chunk SET n = -1 WHERE n = 0; UPDATE chunk SET n = 0 WHERE n = 1;"
		 "UPDATE chunk SET n = 1 WHERE n = -1"),
		"UPDATE chunk SET body = (SELECT body FROM chunk WHERE n = 1) WHERE n = 0",
		"DELETE FROM chunk WHERE n = 1",
		"UPDATE meta SET value = '3' WHERE name = 'to'",
		"UPDATE meta SET value = '1' WHERE name = 'from'",
		"UPDATE meta SET value = '999' WHERE name = 'rows'",
		"UPDATE meta SET value = '1' WHERE name = 'chunks'",
		"UPDATE meta SET value = value || 'x' WHERE name = 'store'",
		"UPDATE meta SET value = substr(value, 2) || '0' WHERE name = 'mac'",
		"DELETE FROM meta WHERE name = 'mac'",
		"DELETE FROM meta WHERE name = 'box'",
		"DELETE FROM meta WHERE name = 'chunks'",
		"INSERT INTO meta VALUES('more', '1')",
		"CREATE TABLE t(a)",
		"VACUUM",
	};
	struct fixture *f = *state;
	struct profiles_seal a = { { 1 }, { 0 } }, b = { { 1 }, { 0 } };
	struct buf rows = { 0 }, sealed = { 0 }, out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(tricks); i++) {
		sqlite3 *db;

		build(f, "one", (struct profiles_build){ .to = device }, 0, 9999, "word");
		assert_true(accepted(path_in(f, "one"), f->keys));
		assert_int_equal(sqlite3_open(path_in(f, "one"), &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, tricks[i], NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		if (accepted(path_in(f, "one"), f->keys))
			fail_msg("%s", tricks[i]);
	}
	/* By themselves, too. */
	buf_adds(&rows, "rows");
	profiles_seal_bind(&a, "0042", 0, 1, 10, 2);
	profiles_chunk_seal(&a, 0, &rows, &sealed);
	assert_int_equal(profiles_chunk_open(&a, 0, sealed.data, sealed.len, &out), 0);
	assert_string_equal(out.data, "rows");
	assert_int_equal(profiles_chunk_open(&a, 1, sealed.data, sealed.len, &out),
	    AISLE_E_DAMAGED);
	const struct {
		const char *store;
		int64_t from, to, rows, chunks;
	} others[] = { { "0043", 0, 1, 10, 2 }, { "0042", 1, 2, 10, 2 }, { "0042", 0, 2, 10, 2 },
		{ "0042", 0, 1, 11, 2 }, { "0042", 0, 1, 10, 3 } };
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		profiles_seal_bind(&b, others[i].store, others[i].from, others[i].to,
		    others[i].rows, others[i].chunks);
		assert_int_equal(profiles_chunk_open(&b, 0, sealed.data, sealed.len, &out),
		    AISLE_E_DAMAGED);
	}
	assert_int_equal(profiles_chunk_open(&a, 0, NULL, 0, &out), AISLE_E_DAMAGED);
	buf_done(&rows);
	buf_done(&sealed);
	buf_done(&out);
}

/* ---- deltas ---- */

static void
a_delta_adds_changes_and_removes_upon_its_version(void **state)
{
	struct fixture *f = *state;
	struct err err;

	for (int sealed = 0; sealed < 2; sealed++) {
		const uint8_t *to = sealed ? device : NULL;
		struct profiles *profiles = open_profiles(f);

		build(f, "one", (struct profiles_build){ .to = to, .version = 5 }, 0, 2999, "old");
		build(f, "more", (struct profiles_build){ .to = to, .from = 5, .version = 8 }, 2990,
		    3009, "new");
		build(f, "less", (struct profiles_build){ .to = to, .from = 8, .version = 9 }, 100,
		    2995, "-");
		assert_int_equal(install(f, profiles, "one", sealed, &err), 1);
		assert_int_equal(install(f, profiles, "more", sealed, &err), 1);
		assert_int_equal(profiles_version(profiles), 8);
		assert_int_equal(profiles_count(profiles), 3010);
		assert_line(profiles, 0, "old");
		assert_line(profiles, 2989, "old");
		assert_line(profiles, 2990, "new");
		assert_line(profiles, 3009, "new");
		assert_line(profiles, 3010, NULL);
		assert_int_equal(install(f, profiles, "less", sealed, &err), 1);
		assert_int_equal(profiles_version(profiles), 9);
		assert_int_equal(profiles_count(profiles), 114);
		assert_line(profiles, 99, "old");
		assert_line(profiles, 100, NULL);
		assert_line(profiles, 2995, NULL);
		assert_line(profiles, 2996, "new");
		/* Removed is not forgotten: it may come again. */
		build(f, "again", (struct profiles_build){ .to = to, .from = 9, .version = 10 },
		    100, 100, "again");
		assert_int_equal(install(f, profiles, "again", sealed, &err), 1);
		assert_line(profiles, 100, "again");
		profiles_close(profiles);
	}
}

static void
a_delta_upon_another_version_asks_for_a_snapshot(void **state)
{
	struct fixture *f = *state;
	struct profiles *profiles = open_profiles(f);
	struct profiles_bundle *bundle;
	struct err err;

	build(f, "delta", (struct profiles_build){ .to = device, .from = 5, .version = 6 }, 0, 9,
	    "new");
	assert_int_equal(install(f, profiles, "delta", true, &err), AISLE_E_REFUSED);
	assert_true(profiles_gap(profiles));
	assert_non_null(strstr(err.text,
	    "upon version 5, and version 0 is here; expected a snapshot"));
	build(f, "one", (struct profiles_build){ .to = device, .version = 4 }, 0, 9, "old");
	assert_int_equal(install(f, profiles, "one", true, &err), 1);
	assert_false(profiles_gap(profiles));
	assert_int_equal(install(f, profiles, "delta", true, &err), AISLE_E_REFUSED);
	assert_true(profiles_gap(profiles));
	build(f, "one", (struct profiles_build){ .to = device, .version = 6 }, 0, 9, "old");
	assert_int_equal(install(f, profiles, "one", true, &err), 1);
	assert_int_equal(install(f, profiles, "delta", true, &err), AISLE_E_REFUSED);
	assert_line(profiles, 9, "old");
	/* A snapshot goes back, too: that it may is the release's to say. */
	build(f, "one", (struct profiles_build){ .to = device, .version = 5 }, 0, 9, "back");
	assert_int_equal(install(f, profiles, "one", true, &err), 1);
	assert_int_equal(install(f, profiles, "delta", true, &err), 1);
	assert_int_equal(profiles_version(profiles), 6);
	profiles_close(profiles);
	build(f, "plain", (struct profiles_build){ .from = 5, .version = 6 }, 0, 9, "new");
	err = (struct err){ 0 };
	assert_int_equal(profiles_bundle_open(path_in(f, "plain"), &bundle, &err), AISLE_E_INVALID);
	assert_non_null(strstr(err.text, "a delta, expected a snapshot"));
}

static void
who_was_forgotten_comes_back_with_no_snapshot_and_no_delta(void **state)
{
	struct fixture *f = *state;
	struct profiles *profiles = open_profiles(f);
	struct id gone = id_of(3), later = id_of(7);
	struct err err;

	build(f, "one", (struct profiles_build){ .to = device, .version = 1 }, 0, 9, "one");
	build(f, "two", (struct profiles_build){ .to = device, .from = 1, .version = 2 }, 0, 5,
	    "two");
	assert_int_equal(install(f, profiles, "one", true, &err), 1);
	assert_int_equal(keys_destroy(f->keys, &gone), 0);
	assert_int_equal(profiles_forget(profiles, &gone), 0);
	assert_int_equal(install(f, profiles, "two", true, &err), 1);
	assert_line(profiles, 2, "two");
	assert_line(profiles, 3, NULL);
	assert_line(profiles, 6, "one");
	assert_int_equal(install(f, profiles, "one", true, &err), 1);
	assert_line(profiles, 3, NULL);
	assert_int_equal(profiles_count(profiles), 9);
	/* Killed between the tombstone and the row: the next start takes it out. */
	assert_int_equal(keys_destroy(f->keys, &later), 0);
	assert_line(profiles, 7, NULL);
	profiles_close(profiles);
	assert_true(dir_contains(f->dir, (const char *)later.b, 16));
	profiles = open_profiles(f);
	int fd = open(path_in(f, "profiles-3.db"), O_RDONLY);
	static char bytes[1 << 16];
	ssize_t len = read(fd, bytes, sizeof(bytes));
	close(fd);
	assert_true(len > 0);
	assert_null(memmem(bytes, (size_t)len, later.b, 16));
	assert_null(memmem(bytes, (size_t)len, gone.b, 16));
	assert_line(profiles, 6, "one");
	profiles_close(profiles);
}

/* Forgetting is the word's end: with all other files as they were, and the data key, the row is noise. */
static void
a_copy_of_the_rows_is_noise_without_the_word(void **state)
{
	struct fixture *f = *state;
	struct profiles *profiles = open_profiles(f);
	struct id gone = id_of(3);
	struct err err;
	size_t len;
	char *copy;

	build(f, "one", (struct profiles_build){ 0 }, 0, 9, "one");
	assert_int_equal(install(f, profiles, "one", false, &err), 1);
	copy = read_file(f, "profiles-1.db", &len);
	assert_int_equal(profiles_forget(profiles, &gone), 0);
	profiles_close(profiles);
	write_file(f, "profiles-1.db", copy, len);
	profiles = open_profiles(f);
	assert_line(profiles, 3, NULL);
	assert_line(profiles, 4, "one");
	profiles_close(profiles);
	free(copy);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_teardown)
		T(what_is_encrypted_to_the_store_is_served_there_and_read_nowhere_else),
		T(nothing_at_all_can_be_encrypted),
		T(of_another_store_key_or_pepper_it_is_refused_by_its_own_name),
		STORE_TEST(a_store_without_a_key_is_told_to_enroll),
		T(a_store_has_one_key_for_good),
		T(no_byte_of_it_can_be_flipped),
		T(no_end_of_it_can_be_cut_off_nor_anything_added),
		T(chunks_cannot_change_places_nor_go_nor_come_from_another_bundle),
		T(a_delta_adds_changes_and_removes_upon_its_version),
		T(a_delta_upon_another_version_asks_for_a_snapshot),
		T(who_was_forgotten_comes_back_with_no_snapshot_and_no_delta),
		T(a_copy_of_the_rows_is_noise_without_the_word),
#undef T
	};

	if (argc > 1 && strcmp(argv[1], "all") == 0)
		apart = 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
