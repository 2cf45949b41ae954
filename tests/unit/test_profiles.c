/* SPDX-License-Identifier: Apache-2.0
 *
 * test_profiles.c - lines to a bundle, a bundle to sealed rows, whatever happens in between.
 */
#include "store_fixture.h"

#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "core/beside.h"
#include "core/metrics.h"
#include "profile/profiles_internal.h"

static const uint8_t pepper[32] = { 9, 8, 7 };

static void
write_lines(const struct fixture *f, const char *name, const char *text)
{
	FILE *file = fopen(path_in(f, name), "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int
build(const struct fixture *f, const char *lines, const uint8_t *with, struct err *err)
{
	static char input[128], output[128];
	int64_t rows = -1;
	write_lines(f, "p.jsonl", lines);
	snprintf(input, sizeof(input), "%s", path_in(f, "p.jsonl"));
	snprintf(output, sizeof(output), "%s", path_in(f, "p.bundle"));
	const struct profiles_build what = {
		.input = input, .store = "0042", .output = output, .pepper = with
	};
	int error = profiles_build(&what, &rows, err);
	return error != 0 ? error : (int)rows;
}

/* count customers with the word and their number, as a bundle */
static void
build_many(const struct fixture *f, const char *name, int count, const char *word)
{
	struct err err = { 0 };
	static char input[128], output[128];
	int64_t rows;
	FILE *file = fopen(path_in(f, "many.jsonl"), "w");
	for (int i = 0; i < count; i++) {
		struct id subject = id_of((uint64_t)i);
		char text[SUBJECT_TEXT_SIZE];
		subject_text(&subject, text);
		fprintf(file, "{\"subject\":\"%s\",\"attributes\":{\"word\":\"%s\",\"n\":%d}}\n",
		    text, word, i);
	}
	fclose(file);
	snprintf(input, sizeof(input), "%s", path_in(f, "many.jsonl"));
	snprintf(output, sizeof(output), "%s", path_in(f, name));
	const struct profiles_build what = { .input = input, .store = "0042", .output = output };
	assert_int_equal(profiles_build(&what, &rows, &err), 0);
	assert_int_equal(rows, count);
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
begin_install(struct profiles *profiles, const char *bundle, const char *store, struct err *err)
{
	struct profiles_install_what what = { .bundle = bundle, .store = store };
	return profiles_install_begin(profiles, &what, err);
}

static int
step(struct profiles *profiles, struct err *err)
{
	bool swapped;
	return profiles_install_step(profiles, &swapped, err);
}

static int
install_as(struct profiles *profiles, const char *bundle, const char *store, struct err *err)
{
	int error = begin_install(profiles, bundle, store, err);
	while (error == 0)
		error = step(profiles, err);
	assert_null(profiles->install);
	return error;
}

static int
install(struct profiles *profiles, const char *bundle, struct err *err)
{
	return install_as(profiles, bundle, "0042", err);
}

static void
assert_profile(struct profiles *profiles, int i, const char *word)
{
	struct id subject = id_of((uint64_t)i);
	struct buf body = { 0 };
	char want[128];
	int error = profiles_get(profiles, &subject, &body);
	if (word == NULL) {
		assert_int_equal(error, AISLE_E_NONE);
		assert_int_equal(body.len, 0);
	} else {
		snprintf(want, sizeof(want),
		    "{\"attributes\":{\"n\":%d,\"word\":\"%s\"},\"consent\":{}}", i, word);
		assert_int_equal(error, 0);
		assert_string_equal(body.data, want);
	}
	buf_done(&body);
}

static int
count_files(const struct fixture *f, const char *prefix)
{
	int count = 0;
	DIR *entries = opendir(f->dir);
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(entries);
	return count;
}

/* ---- build ---- */

static void
a_line_becomes_the_canonical_row_of_its_subject(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct profiles_bundle *bundle;
	struct buf body = { 0 };
	assert_int_equal(
	    build(f,
		"{\"card\":\"4711\",\"line\":\"Gold\",\"language\":\"de\",\"consent\":{\"profile\":"
		"\"denied\","
		"\"personalise\":\"granted\"},\"attributes\":{\"z\":true,\"a\":1.5}}\n\n"
		"{\"subject\":\"00112233445566778899aabbccddeeff\"}\r\n",
		pepper, &err),
	    2);
	assert_int_equal(profiles_bundle_open(path_in(f, "p.bundle"), &bundle, &err), 0);
	assert_string_equal(profiles_bundle_store(bundle), "0042");
	struct id subject = subject_of_card(pepper, "4711", 4);
	assert_int_equal(profiles_bundle_get(bundle, &subject, &body), 0);
	assert_string_equal(body.data,
	    "{\"attributes\":{\"a\":1.5,\"z\":true},\"consent\":{\"personalise\":\"granted\","
	    "\"profile\":\"denied\"},\"language\":\"de\",\"line\":\"Gold\"}");
	buf_clear(&body);
	assert_true(subject_parse("00112233445566778899aabbccddeeff", &subject));
	assert_int_equal(profiles_bundle_get(bundle, &subject, &body), 0);
	assert_string_equal(body.data, "{\"attributes\":{},\"consent\":{}}");
	subject.b[15] ^= 1;
	assert_int_equal(profiles_bundle_get(bundle, &subject, &body), AISLE_E_NONE);
	buf_done(&body);
	profiles_bundle_close(bundle);
}

static void
the_same_lines_in_another_order_give_the_same_bytes(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	char hex[2][65];
	static char bytes[1 << 16];
	static const char *const orders[] = {
		"{\"card\":\"1\"}\n{\"card\":\"2\"}\n{\"card\":\"3\"}\n",
		"{\"card\":\"3\"}\n{\"card\":\"1\"}\n{\"card\":\"2\"}"
	};
	for (int i = 0; i < 2; i++) {
		uint8_t hash[32];
		assert_int_equal(build(f, orders[i], pepper, &err), 3);
		int fd = open(path_in(f, "p.bundle"), O_RDONLY);
		ssize_t len = read(fd, bytes, sizeof(bytes));
		close(fd);
		assert_true(len > 0);
		hash_bytes(hash, 32, bytes, (size_t)len, NULL, 0);
		hash_hex(hex[i], hash, 32);
	}
	assert_string_equal(hex[0], hex[1]);
}

static void
a_line_that_a_store_would_not_understand_is_refused_with_its_place(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *line, *word;
	} bad[] = {
		{ "{\"card\":\"1\",\"colour\":\"red\"}", "unknown member" },
		{ "{\"card\":\"1\",\"subject\":\"00112233445566778899aabbccddeeff\"}",
		    "either card or subject" },
		{ "{}", "either card or subject" },
		{ "[]", "object" },
		{ "{\"card\":\"1\"", "" },
		{ "{\"card\":\"1\",\"card\":\"2\"}", "" },
		{ "{\"card\":\"1\"} {}", "" },
		{ "{\"card\":1}", "card" },
		{ "{\"card\":\"\"}", "card" },
		{ "{\"card\":\"\xc3\xa4\"}", "printable" },
		{ "{\"subject\":\"00112233445566778899AABBCCDDEEFF\"}", "hex" },
		{ "{\"subject\":\"0011\"}", "hex" },
		{ "{\"card\":\"1\",\"consent\":{\"personalise\":\"yes\"}}", "granted" },
		{ "{\"card\":\"1\",\"consent\":{\"personalise\":true}}", "granted" },
		{ "{\"card\":\"1\",\"consent\":{\"marketing\":\"granted\"}}", "purpose" },
		{ "{\"card\":\"1\",\"consent\":[]}", "consent" },
		{ "{\"card\":\"1\",\"attributes\":{\"a\":null}}", "number" },
		{ "{\"card\":\"1\",\"attributes\":{\"a\":[1]}}", "number" },
		{ "{\"card\":\"1\",\"attributes\":{\"\":1}}", "name" },
		{ "{\"card\":\"1\",\"attributes\":3}", "attributes" },
		{ "{\"card\":\"1\",\"line\":5}", "line" },
		{ "{\"card\":\"1\",\"language\":\"\"}", "language" },
		{ "{\"card\":\"zero\"}", "line 1" },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = { 0 };
		char lines[512], text[700];
		snprintf(lines, sizeof(lines), "{\"card\":\"zero\"}\n%s\n", bad[i].line);
		unlink(path_in(f, "p.bundle"));
		assert_int_equal(build(f, lines, pepper, &err), AISLE_E_INVALID);
		err_format(&err, text, sizeof(text));
		assert_int_equal(err.line, 2);
		assert_non_null(strstr(text, "p.jsonl:2"));
		if (strstr(text, bad[i].word) == NULL)
			fail_msg("%s: %s", bad[i].line, text);
		assert_int_equal(access(path_in(f, "p.bundle"), F_OK), -1);
		assert_int_equal(count_files(f, "p.bundle"), 0);
	}
}

static void
a_card_without_pepper_is_a_matter_of_configuration(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	assert_int_equal(build(f, "{\"card\":\"4711\"}", NULL, &err), AISLE_E_CONFIG);
	assert_null(strstr(err.text, "4711"));
	err = (struct err){ 0 };
	assert_int_equal(build(f, "{\"subject\":\"00112233445566778899aabbccddeeff\"}", NULL, &err),
	    1);
	assert_int_equal(build(f, "", NULL, &err), 0);
}

static void
subjects_that_share_their_first_half_are_kept_apart(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct profiles_bundle *bundle;
	static const char *const subjects[] = { "ff112233445566770000000000000003",
		"ff112233445566770000000000000001", "ff112233445566780000000000000002",
		"7fffffffffffffff0000000000000000", "7fffffffffffffff0000000000000001" };
	char lines[512] = "";
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
		sprintf(lines + strlen(lines), "{\"subject\":\"%s\",\"attributes\":{\"n\":%zu}}\n",
		    subjects[i], i);
	assert_int_equal(build(f, lines, NULL, &err), ARRAY_LEN(subjects));
	assert_int_equal(profiles_bundle_open(path_in(f, "p.bundle"), &bundle, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		struct id subject;
		struct buf body = { 0 };
		char want[64];
		assert_true(subject_parse(subjects[i], &subject));
		assert_int_equal(profiles_bundle_get(bundle, &subject, &body), 0);
		snprintf(want, sizeof(want), "{\"attributes\":{\"n\":%zu},\"consent\":{}}", i);
		assert_string_equal(body.data, want);
		buf_done(&body);
	}
	profiles_bundle_close(bundle);
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "p.bundle"), &err), 1);
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		struct id subject;
		struct buf body = { 0 };
		assert_true(subject_parse(subjects[i], &subject));
		assert_int_equal(profiles_get(profiles, &subject, &body), 0);
		buf_done(&body);
	}
	profiles_close(profiles);
}

static void
a_slot_is_the_first_half_of_the_subject_with_room_behind_it(void **state)
{
	static const struct {
		const char *subject;
		int64_t slot;
	} slots[] = {
		{ "0102030405060708ffffffffffffffff", INT64_C(0x0102030405060708) },
		{ "00000000000000010000000000000000", 1 },
		{ "ffffffffffffffff0000000000000000", -1 },
		{ "80000000000000000000000000000000", INT64_MIN },
		{ "7ffffffffffffff80000000000000000", INT64_MAX - 7 },
		{ "7ffffffffffffff90000000000000000", INT64_MAX - 7 },
		{ "7fffffffffffffffffffffffffffffff", INT64_MAX - 7 },
	};
	struct id subject;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
		assert_true(subject_parse(slots[i].subject, &subject));
		assert_int_equal(profiles_slot(&subject), slots[i].slot);
	}
}

/* Their table grows by doubling: it is exactly full. */
static void
any_number_of_customers_is_in_a_bundle(void **state)
{
	struct fixture *f = *state;

	for (int count = 1; count <= 1024; count *= 2)
		build_many(f, "full", count, "word");
}

/* ---- install ---- */

static void
no_file_is_an_empty_set(void **state)
{
	struct fixture *f = *state;
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(profiles_count(profiles), 0);
	assert_profile(profiles, 1, NULL);
	profiles_close(profiles);
}

static void
twenty_thousand_rows_are_installed_and_replaced_whole(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	build_many(f, "one", 20000, "one");
	build_many(f, "two", 100, "two");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(begin_install(profiles, path_in(f, "one"), "0042", &err), 0);
	bool swapped = false;
	int done = 0;
	while (done == 0) {
		bool now;
		/* Nothing of the new set before all of it. */
		assert_profile(profiles, 5, swapped ? "one" : NULL);
		done = profiles_install_step(profiles, &now, &err);
		swapped = swapped || now;
		assert_profile(profiles, 5, swapped ? "one" : NULL);
	}
	assert_int_equal(done, 1);
	assert_true(swapped);
	assert_int_equal(profiles_count(profiles), 20000);
	for (int i = 0; i < 20000; i += 37)
		assert_profile(profiles, i, "one");
	assert_profile(profiles, 20000, NULL);
	assert_int_equal(install(profiles, path_in(f, "two"), &err), 1);
	assert_int_equal(profiles_count(profiles), 100);
	assert_profile(profiles, 99, "two");
	assert_profile(profiles, 100, NULL);
	assert_int_equal(count_files(f, "profiles-"), 2);
	profiles_close(profiles);
	fixture_reopen(f);
	profiles = open_profiles(f);
	assert_profile(profiles, 99, "two");
	profiles_close(profiles);
}

static void
the_rows_on_disk_are_sealed(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	build_many(f, "one", 10, "needleword");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	unlink(path_in(f, "one"));
	unlink(path_in(f, "many.jsonl"));
	assert_profile(profiles, 3, "needleword");
	assert_false(dir_contains(f->dir, "needleword", 10));
	profiles_close(profiles);
}

/* Killed at any write to a file of the set: by the kernel's own count of them. */
static void
a_parent_killed_in_the_middle_leaves_whole_profiles(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	int old = 0, new = 0;
	build_many(f, "one", 300, "one");
	build_many(f, "two", 6000, "two");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	profiles_close(profiles);
	for (int moment = 0; moment < 30; moment++) {
		fixture_close(f);
		pid_t pid = fork();
		if (pid == 0) {
			struct err why = { 0 };
			int rc = 0;
			if (keys_open(f->dir, NULL, &f->keys, &why) != 0 ||
			    profiles_open(f->dir, f->keys, &profiles, &why) != 0 ||
			    begin_install(profiles, path_in(f, moment % 2 == 0 ? "two" : "one"),
				"0042", &why) != 0)
				_exit(1);
			/* In the first half by the clock, in the second between two words. */
			if (moment < 20)
				usleep((useconds_t)moment * 2000);
			for (int words = 0; rc == 0 && moment >= 20 && words < (moment - 20) / 3;
			     words++)
				rc = step(profiles, &why);
			kill(getpid(), SIGKILL);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		usleep(2000); /* its child goes with it */
		fixture_open(f);
		profiles = open_profiles(f);
		assert_int_equal(count_files(f, "profiles-"), 2);
		int64_t count = profiles_count(profiles);
		assert_true(count == 300 || count == 6000);
		for (int i = 0; i < count; i += 13)
			assert_profile(profiles, i, count == 300 ? "one" : "two");
		assert_profile(profiles, (int)count, NULL);
		old += count == 300;
		new += count == 6000;
		profiles_close(profiles);
	}
	assert_true(old > 0 && new > 0);
	profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "two"), &err), 1);
	assert_profile(profiles, 5999, "two");
	profiles_close(profiles);
}

static void
an_abandoned_install_leaves_no_file(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	build_many(f, "one", 300, "one");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(begin_install(profiles, path_in(f, "one"), "0042", &err), 0);
	assert_int_equal(step(profiles, &err), 0);
	assert_int_equal(begin_install(profiles, path_in(f, "one"), "0042", &err), 0);
	profiles_close(profiles);
	assert_int_equal(count_files(f, "profiles-"), 0);
}

static void
the_wrong_bundle_is_refused_and_the_old_set_stays(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	static const uint8_t other[32] = { 1 };
	build_many(f, "one", 10, "one");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	assert_int_equal(install_as(profiles, path_in(f, "one"), "0043", &err), AISLE_E_REFUSED);
	err = (struct err){ 0 };
	assert_int_equal(build(f, "{\"card\":\"1\"}", pepper, &err), 1);
	keys_set_pepper(f->keys, other);
	assert_int_equal(install(profiles, path_in(f, "p.bundle"), &err), AISLE_E_REFUSED);
	assert_non_null(strstr(err.text, "pepper"));
	keys_set_pepper(f->keys, pepper);
	err = (struct err){ 0 };
	assert_int_equal(install(profiles, path_in(f, "none"), &err), AISLE_E_IO);
	err = (struct err){ 0 };
	write_lines(f, "text",
	    "this is no bundle, however long it may be, and it never will be one");
	assert_int_equal(install(profiles, path_in(f, "text"), &err), AISLE_E_INVALID);
	assert_profile(profiles, 9, "one");
	err = (struct err){ 0 };
	assert_int_equal(install(profiles, path_in(f, "p.bundle"), &err), 1);
	assert_int_equal(profiles_count(profiles), 1);
	profiles_close(profiles);
}

static void
a_bundle_with_anything_more_in_it_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const tricks[] = {
		"CREATE TRIGGER t AFTER INSERT ON row BEGIN DELETE FROM row; END",
		"CREATE VIEW v AS SELECT * FROM row",
		"CREATE TABLE t(a)",
		"CREATE INDEX i ON row(subject)",
		"ALTER TABLE row ADD COLUMN c",
		"DROP TABLE row",
		"PRAGMA application_id = 1",
		"PRAGMA user_version = 2",
		"UPDATE meta SET value = 'policy' WHERE name = 'kind'",
		"DELETE FROM meta WHERE name = 'store'",
	};
	struct profiles *profiles = open_profiles(f);
	for (size_t i = 0; i < ARRAY_LEN(tricks); i++) {
		struct err err = { 0 };
		struct profiles_bundle *bundle = NULL;
		sqlite3 *db;
		unlink(path_in(f, "one"));
		build_many(f, "one", 10, "one");
		assert_int_equal(sqlite3_open(path_in(f, "one"), &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, tricks[i], NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		if (profiles_bundle_open(path_in(f, "one"), &bundle, &err) == 0)
			fail_msg("accepted: %s", tricks[i]);
		err = (struct err){ 0 };
		assert_true(install(profiles, path_in(f, "one"), &err) < 0);
	}
	profiles_close(profiles);
}

static void
lives_on(void *ctx, void *answer)
{
	(void)ctx;
	(void)answer;
	for (;;)
		pause();
}

/* After a kill a child may be there a little longer, in the kernel or behind others on the processor: the next start
 * does not find the state in use. */
static void
a_child_that_lives_on_holds_no_lock_of_the_state(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct beside job;

	build_many(f, "one", 100, "one");
	assert_int_equal(beside_start(lives_on, NULL, 1, 60 * S_MS, &job, &err), 0);
	fixture_close(f);
	/* It has only just begun. */
	for (int i = 0; i < 500 && fixture_try_open(f, &err) != 0; i++)
		usleep(10000);
	assert_non_null(f->store);
	beside_stop(&job);

	struct profiles *profiles = open_profiles(f);
	assert_int_equal(begin_install(profiles, path_in(f, "one"), "0042", &err), 0);
	pid_t pid = profiles_install_pid(profiles);
	/* It waits for a word. */
	assert_int_equal(poll(&(struct pollfd){ .fd = profiles_install_fd(profiles),
				  .events = POLLIN },
			     1, -1),
	    1);
	store_close(f->store);
	f->store = NULL;
	const struct store_options options = { .dir = f->dir, .sealer = &f->sealer };
	assert_int_equal(store_open(&options, &f->store, &err), 0);
	assert_int_equal(kill(pid, 0), 0);
	profiles_close(profiles);
}

static void
make_unusable(const struct fixture *f, const char *name)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path_in(f, name), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* As after an upgrade, or damage to its first page. */
static void
a_set_that_cannot_be_used_is_said_and_goes_with_the_next(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	build_many(f, "one", 10, "one");
	struct profiles *profiles = open_profiles(f);
	assert_string_equal(profiles_trouble(profiles), "");
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	profiles_close(profiles);
	make_unusable(f, "profiles-1.db");
	profiles = open_profiles(f);
	assert_int_equal(profiles_count(profiles), 0);
	assert_non_null(strstr(profiles_trouble(profiles), "profiles-1.db: not a profiles file"));
	build_many(f, "two", 12, "two");
	assert_int_equal(install(profiles, path_in(f, "two"), &err), 1);
	assert_string_equal(profiles_trouble(profiles), "");
	assert_int_equal(access(path_in(f, "profiles-2.db"), F_OK), 0);
	assert_int_equal(access(path_in(f, "profiles-1.db"), F_OK), -1);
	assert_int_equal(access(path_in(f, "profiles-1.keys"), F_OK), -1);
	profiles_close(profiles);
	profiles = open_profiles(f);
	assert_profile(profiles, 3, "two");
	profiles_close(profiles);
}

static void
who_is_forgotten_is_in_no_set_that_cannot_be_used(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct id gone = id_of(3);
	build_many(f, "one", 10, "one");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	profiles_close(profiles);
	make_unusable(f, "profiles-1.db");
	profiles = open_profiles(f);
	assert_int_equal(access(path_in(f, "profiles-1.keys"), F_OK), 0);
	assert_int_equal(profiles_forget(profiles, &gone), 0);
	assert_int_equal(access(path_in(f, "profiles-1.keys"), F_OK), -1);
	assert_int_equal(access(path_in(f, "profiles-1.db"), F_OK), -1);
	profiles_close(profiles);
}

static void
a_row_of_another_customer_or_file_does_not_open(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct buf body = { 0 };
	struct id a = id_of(3), b = id_of(4);
	int64_t unreadable;
	sqlite3 *db;
	sqlite3_stmt *stmt;
	build_many(f, "one", 10, "one");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	profiles_close(profiles);
	assert_int_equal(sqlite3_open(path_in(f, "profiles-1.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
			     "UPDATE row SET body = (SELECT body FROM row WHERE subject = ?1)"
			     " WHERE subject = ?2",
			     -1, &stmt, NULL),
	    SQLITE_OK);
	sqlite3_bind_blob(stmt, 1, a.b, 16, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 2, b.b, 16, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	profiles = open_profiles(f);
	assert_string_equal(profiles_trouble(profiles), "");
	unreadable = metrics_get(METRIC_PROFILES_UNREADABLE);
	assert_int_equal(profiles_get(profiles, &b, &body), AISLE_E_DAMAGED);
	assert_int_equal(body.len, 0);
	assert_profile(profiles, 3, "one");
	/* It is counted, said, and mended by the next whole set. */
	assert_int_equal(metrics_get(METRIC_PROFILES_UNREADABLE), unreadable + 1);
	assert_string_equal(profiles_trouble(profiles), "a row of it does not open");
	assert_int_equal(profiles_get(profiles, &(struct id){ { 9, 9 } }, &body), AISLE_E_NONE);
	assert_int_equal(metrics_get(METRIC_PROFILES_UNREADABLE), unreadable + 1);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	assert_string_equal(profiles_trouble(profiles), "");
	assert_profile(profiles, 4, "one");
	buf_done(&body);
	profiles_close(profiles);
	/* An old file under a new name. */
	assert_int_equal(rename(path_in(f, "profiles-2.db"), path_in(f, "profiles-3.db")), 0);
	assert_int_equal(rename(path_in(f, "profiles-2.keys"), path_in(f, "profiles-3.keys")), 0);
	profiles = open_profiles(f);
	assert_int_equal(profiles_count(profiles), 0);
	profiles_close(profiles);
}

/* Each hides a row from its customer. */
static void
a_row_that_nobody_finds_is_noticed_by_walking(void **state)
{
	static const char *const hides[] = {
		"DELETE FROM row WHERE id = (SELECT MIN(id) FROM row)",
		"DELETE FROM row WHERE id = (SELECT MAX(id) FROM row)",
		"DELETE FROM row WHERE id = (SELECT id FROM row ORDER BY id LIMIT 1 OFFSET 5)",
		"UPDATE row SET id = id - 256 WHERE id = (SELECT MIN(id) FROM row)",
		"UPDATE row SET id = id + 256 WHERE id = (SELECT MAX(id) FROM row)",
		"UPDATE row SET subject = zeroblob(16) WHERE id = (SELECT MIN(id) FROM row)",
		"UPDATE row SET subject = NULL WHERE id = (SELECT MIN(id) FROM row)",
		"UPDATE row SET body = NULL WHERE id = (SELECT MAX(id) FROM row)",
	};
	struct fixture *f = *state;
	struct id gone[] = { id_of(1), id_of(5), id_of(6), id_of(10) };

	build_many(f, "one", 10, "one");
	for (size_t i = 0; i < ARRAY_LEN(hides); i++) {
		struct err err = { 0 };
		struct profiles *profiles = open_profiles(f);
		char path[40];
		int64_t unreadable;
		sqlite3 *db;

		assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
		snprintf(path, sizeof(path), "profiles-%zu.db", i + 1);
		for (int step = 0; step < 9; step++)
			profiles_walk(profiles, step % 2 == 0 ? 4 : 64);
		assert_string_equal(profiles_trouble(profiles), "");
		profiles_close(profiles);
		assert_int_equal(sqlite3_open(path_in(f, path), &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, hides[i], NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		profiles = open_profiles(f);
		assert_string_equal(profiles_trouble(profiles), "");
		unreadable = metrics_get(METRIC_PROFILES_UNREADABLE);
		for (int step = 0; step < 9; step++)
			profiles_walk(profiles, 4);
		if (strcmp(profiles_trouble(profiles), "a row of it does not open") != 0)
			fail_msg("not noticed: %s", hides[i]);
		assert_int_equal(metrics_get(METRIC_PROFILES_UNREADABLE), unreadable + 1);
		profiles_close(profiles);
	}
	/* Who was forgotten is not missed. */
	struct err err = { 0 };
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
		assert_int_equal(keys_destroy(f->keys, &gone[i]), 0);
		assert_int_equal(profiles_forget(profiles, &gone[i]), 0);
		for (int step = 0; step < 9; step++)
			profiles_walk(profiles, 4);
	}
	assert_string_equal(profiles_trouble(profiles), "");
	profiles_close(profiles);
}

static void
a_newest_file_that_is_not_whole_gives_way_to_the_one_before(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	build_many(f, "one", 10, "one");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	profiles_close(profiles);
	write_lines(f, "profiles-7.db", "not a database");
	profiles = open_profiles(f);
	assert_profile(profiles, 9, "one");
	profiles_close(profiles);
}

/* ---- what the disk does not give ---- */

static void
what_is_no_file_of_profiles_is_said_to_be_none(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	sqlite3 *db = NULL;
	static char deep[6000];
	size_t at = (size_t)snprintf(deep, sizeof(deep), "%s", f->dir);

	assert_int_equal(profiles_open_file(path_in(f, "none"), PROFILES_PLAIN, &db, &err),
	    AISLE_E_IO);
	assert_non_null(strstr(err.text, "none: No such file"));
	err = (struct err){ 0 };
	assert_int_equal(profiles_open_file(f->dir, PROFILES_PLAIN, &db, &err), AISLE_E_IO);
	assert_non_null(strstr(err.text, f->dir));
	/* A path that is longer, percent signs and all, than is read: of blanks, each of which is three. */
	for (int i = 0; i < 11; i++) {
		deep[at++] = '/';
		memset(deep + at, ' ', 250);
		at += 250;
		deep[at] = '\0';
		if (mkdir(deep, 0700) != 0)
			break;
	}
	err = (struct err){ 0 };
	assert_int_equal(profiles_open_file(deep, PROFILES_PLAIN, &db, &err), AISLE_E_INVALID);
	assert_null(db);
	while (strlen(deep) > strlen(f->dir)) {
		rmdir(deep);
		*strrchr(deep, '/') = '\0';
	}
	assert_int_equal(profiles_sync_path(f->dir, O_DIRECTORY), 0);
	assert_int_equal(profiles_sync_path(path_in(f, "none"), 0), AISLE_E_IO);
	assert_int_equal(profiles_sync_path(path_in(f, "keys.db"), 0), 0);
	assert_int_equal(profiles_sync_path(path_in(f, "keys.db"), O_DIRECTORY), AISLE_E_IO);
	profiles_close(NULL);
}

static void
a_set_that_finds_no_place_leaves_the_old_one(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	char blocked[128];

	build_many(f, "one", 10, "one");
	build_many(f, "two", 20, "two");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	/* Something stands where the file would be made, and where it would lie in the end. */
	snprintf(blocked, sizeof(blocked), "%s", path_in(f, "profiles-2.db.tmp"));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mkdir(blocked, 0700), 0);
		err = (struct err){ 0 };
		assert_int_equal(install(profiles, path_in(f, "two"), &err), AISLE_E_IO);
		assert_int_equal(err.code, AISLE_E_IO);
		assert_non_null(strstr(err.text, "profiles-2.db"));
		assert_int_equal(profiles_count(profiles), 10);
		assert_profile(profiles, 9, "one");
		assert_int_equal(rmdir(blocked), 0);
		assert_int_equal(count_files(f, "profiles-"), 2);
		snprintf(blocked, sizeof(blocked), "%s", path_in(f, "profiles-2.db"));
	}
	err = (struct err){ 0 };
	assert_int_equal(install(profiles, path_in(f, "two"), &err), 1);
	assert_profile(profiles, 19, "two");
	profiles_close(profiles);
}

static void
a_bundle_that_cannot_be_written_is_not_there(void **state)
{
	struct fixture *f = *state;
	static char input[128], output[128], tmp[140];
	struct profiles_build what = { .input = input, .store = "0042", .output = output };
	struct err err = { 0 };

	write_lines(f, "p.jsonl", "{\"subject\":\"000102030405060708090a0b0c0d0e0f\"}\n");
	snprintf(input, sizeof(input), "%s", path_in(f, "p.jsonl"));
	snprintf(output, sizeof(output), "%s", path_in(f, "none/p.bundle"));
	assert_int_equal(profiles_build(&what, NULL, &err), AISLE_E_IO);
	assert_int_equal(err.code, AISLE_E_IO);
	/* A folder stands in its place. */
	err = (struct err){ 0 };
	snprintf(output, sizeof(output), "%s", path_in(f, "p.bundle"));
	snprintf(tmp, sizeof(tmp), "%s.tmp", output);
	assert_int_equal(mkdir(output, 0700), 0);
	assert_int_equal(profiles_build(&what, NULL, &err), AISLE_E_IO);
	assert_int_equal(access(tmp, F_OK), -1);
	assert_int_equal(rmdir(output), 0);
	err = (struct err){ 0 };
	assert_int_equal(profiles_build(&what, NULL, &err), 0);
	assert_int_equal(access(tmp, F_OK), -1);
	snprintf(input, sizeof(input), "%s", path_in(f, "none.jsonl"));
	err = (struct err){ 0 };
	assert_int_equal(profiles_build(&what, NULL, &err), AISLE_E_IO);
	assert_non_null(strstr(err.text, "none.jsonl"));
}

static void
a_file_that_is_not_the_one_it_is_named_is_damaged(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	build_many(f, "one", 10, "one");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	assert_int_equal(rename(path_in(f, "profiles-1.db"), path_in(f, "profiles-2.db")), 0);
	assert_int_equal(profiles_use(profiles, 2, &err), AISLE_E_DAMAGED);
	assert_int_equal(err.code, AISLE_E_DAMAGED);
	assert_non_null(strstr(err.text, "profiles-2.db: not the file it is named"));
	assert_int_equal(profiles_count(profiles), 10); /* the one before stays */
	assert_profile(profiles, 9, "one");
	profiles_close(profiles);
}

static void
without_its_file_nobody_is_left(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct id gone = id_of(3);

	build_many(f, "one", 10, "one");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	assert_int_equal(unlink(path_in(f, "profiles-1.db")), 0);
	assert_true(profiles_forget(profiles, &gone) < 0);
	assert_int_equal(profiles_count(profiles), 0);
	assert_profile(profiles, 2, NULL);
	assert_int_equal(profiles_forget(profiles, &gone), 0); /* there is nothing to forget */
	profiles_close(profiles);
}

static bool
dir_has_subject(const struct fixture *f, const char *name, const struct id *subject)
{
	static char bytes[1 << 16];
	int fd = open(path_in(f, name), O_RDONLY);
	ssize_t len = read(fd, bytes, sizeof(bytes));
	close(fd);
	return memmem(bytes, (size_t)len, subject->b, 16) != NULL;
}

static void
the_forgotten_are_left_out_now_and_of_the_next_set(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct id gone = id_of(3), also = id_of(4);
	build_many(f, "one", 10, "one");
	build_many(f, "two", 10, "two");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	unlink(path_in(f, "many.jsonl"));
	assert_int_equal(keys_destroy(f->keys, &gone), 0);
	assert_profile(profiles, 3, NULL);
	assert_int_equal(profiles_forget(profiles, &gone), 0);
	assert_int_equal(profiles_forget(profiles, &gone), 0);
	assert_profile(profiles, 3, NULL);
	assert_profile(profiles, 2, "one");
	assert_false(dir_has_subject(f, "profiles-1.db", &gone));
	/* One leaves while the next set is being made, one when it was made. */
	struct id last = id_of(6);
	assert_int_equal(begin_install(profiles, path_in(f, "two"), "0042", &err), 0);
	assert_int_equal(keys_destroy(f->keys, &also), 0);
	assert_int_equal(profiles_forget(profiles, &also), 0);
	assert_int_equal(step(profiles, &err), 0); /* made: it hears of that one */
	assert_int_equal(step(profiles, &err), 0); /* made again */
	assert_int_equal(keys_destroy(f->keys, &last), 0);
	assert_int_equal(profiles_forget(profiles, &last), 0);
	int done;
	while ((done = step(profiles, &err)) == 0)
		;
	assert_int_equal(done, 1);
	assert_false(dir_has_subject(f, "profiles-2.db", &also) ||
	    dir_has_subject(f, "profiles-2.db", &last) ||
	    dir_has_subject(f, "profiles-2.db", &gone));
	assert_profile(profiles, 6, NULL);
	assert_profile(profiles, 3, NULL);
	assert_profile(profiles, 4, NULL);
	assert_profile(profiles, 5, "two");
	profiles_close(profiles);
}

static void
of_the_folder_only_what_is_older_or_half_made_is_removed(void **state)
{
	static const struct {
		const char *name;
		bool stays;
	} files[] = {
		{ "profiles-1.db", false }, /* older than the one that serves */
		{ "profiles-1.db-journal", false },
		{ "profiles-9.db", true }, /* newer, and not whole: the one before it serves */
		{ "profiles-9.db.tmp", false }, { "profiles-3.db.tmp", false },
		{ "profiles-1.keys", false }, { "profiles-3.keys.tmp", false },
		{ "profiles-9.db.tmp-journal", false }, { "profiles-0.db", true },
		{ "profiles--1.db", true }, { "profiles-1.dbx", true },
		{ "profiles-1.db.tmp2", true }, { "profiles-1.txt", true },
		{ "profiles-.db", true }, { "profiles-1", true }, { "profile-1.db", true },
		{ "profiles-1234567890123456789.db", true }, /* no number of ours */
	};
	struct fixture *f = *state;
	struct err err = { 0 };

	build_many(f, "one", 10, "one");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	profiles_close(profiles);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		write_lines(f, files[i].name, "no profiles");
	profiles = open_profiles(f);
	assert_profile(profiles, 9, "one");
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		assert_int_equal(access(path_in(f, files[i].name), F_OK) == 0, files[i].stays);
	assert_int_equal(access(path_in(f, "profiles-2.db"), F_OK), 0);
	profiles_close(profiles);
}

/* The first meta and row that SQL gives, as one text. */
static const char *
ask(const struct fixture *f, const char *name, const char *sql)
{
	static char text[512];
	sqlite3 *db;
	sqlite3_stmt *stmt;

	text[0] = '\0';
	assert_int_equal(sqlite3_open(path_in(f, name), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s=%s ",
		    (const char *)sqlite3_column_text(stmt, 0),
		    (const char *)sqlite3_column_text(stmt, 1));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return text;
}

static void
what_a_bundle_and_a_set_are_is_written_in_them(void **state)
{
	static const uint8_t none[32] = { 0 };
	struct fixture *f = *state;
	struct err err = { 0 };

	assert_int_equal(build(f, "{\"card\":\"1\"}\n{\"card\":\"2\"}\n", none, &err), 2);
	assert_string_equal(ask(f, "p.bundle", "SELECT name, value FROM meta ORDER BY name"),
	    "from=0 kind=profiles pepper=89eb0d6a rows=2 store=0042 to=1 ");
	assert_int_equal(build(f, "{\"subject\":\"00112233445566778899aabbccddeeff\"}", NULL, &err),
	    1);
	assert_string_equal(ask(f, "p.bundle", "SELECT name, value FROM meta ORDER BY name"),
	    "from=0 kind=profiles rows=1 store=0042 to=1 ");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "p.bundle"), &err), 1);
	assert_string_equal(ask(f, "profiles-1.db", "SELECT name, value FROM meta ORDER BY name"),
	    "from=0 number=1 rows=1 store=0042 to=1 ");
	profiles_close(profiles);
}

static void
a_row_that_is_no_profile_of_its_place_ends_the_install(void **state)
{
	static const struct {
		const char *sql, *word;
	} tricks[] = {
		{ "UPDATE row SET subject = substr(subject, 1, 15)", "is not a profile" },
		{ "UPDATE row SET subject = subject || x'00'", "is not a profile" },
		{ "UPDATE row SET subject = NULL", "is not a profile" },
		{ "UPDATE row SET body = NULL", "is not a profile" },
		{ "UPDATE row SET body = zeroblob(262145)", "is not a profile" },
		{ "UPDATE row SET id = id - 1", "not where its subject belongs" },
		{ "UPDATE row SET id = id + 8", "not where its subject belongs" },
		{ "UPDATE row SET id = id + 7", NULL },
		{ "UPDATE row SET body = zeroblob(262144)", NULL },
		{ "UPDATE meta SET value = 'policy' WHERE name = 'kind'", "kind profiles" },
		{ "DELETE FROM meta WHERE name = 'kind'", "kind profiles" },
		{ "DELETE FROM meta WHERE name = 'store'", "profiles of store ?, expected 0042" },
		{ "UPDATE meta SET value = '0' WHERE name = 'store'", "profiles of store 0" },
		{ "INSERT INTO meta VALUES('pepper', '12345678')",
		    "another pepper (mark 12345678" },
	};
	struct fixture *f = *state;
	struct profiles *profiles = open_profiles(f);

	for (size_t i = 0; i < ARRAY_LEN(tricks); i++) {
		struct err err = { 0 };
		sqlite3 *db;
		int error;

		unlink(path_in(f, "one"));
		build_many(f, "one", 1, "one");
		assert_int_equal(sqlite3_open(path_in(f, "one"), &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, tricks[i].sql, NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		error = install(profiles, path_in(f, "one"), &err);
		if (tricks[i].word == NULL) {
			assert_int_equal(error, 1);
			continue;
		}
		assert_true(error == AISLE_E_INVALID || error == AISLE_E_REFUSED);
		if (strstr(err.text, tricks[i].word) == NULL)
			fail_msg("%s: %s", tricks[i].sql, err.text);
		assert_null(profiles->install);
	}
	profiles_close(profiles);
}

static void
a_large_old_set_goes_and_so_does_a_bundle_that_is_taken(void **state)
{
	static const off_t sizes[] = { 4 << 20, (4 << 20) + 1, 9 << 20 };
	struct fixture *f = *state;
	struct err err = { 0 };

	build_many(f, "one", 10, "one");
	struct profiles *profiles = open_profiles(f);
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char old[32];

		snprintf(old, sizeof(old), "profiles-%zu.db", i + 1);
		assert_int_equal(truncate(path_in(f, old), sizes[i]), 0);
		assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
		assert_int_equal(count_files(f, "profiles-"), 2);
		assert_int_equal(access(path_in(f, old), F_OK), -1);
		assert_profile(profiles, 9, "one");
	}
	struct profiles_install_what what = {
		.bundle = path_in(f, "one"), .store = "0042", .take = true
	};
	assert_int_equal(profiles_install_begin(profiles, &what, &err), 0);
	int done;
	while ((done = step(profiles, &err)) == 0)
		;
	assert_int_equal(done, 1);
	assert_int_equal(access(path_in(f, "one"), F_OK), -1);
	profiles_close(profiles);
}

/* Whatever ends it, the old set serves, and says why there is no new one. */
static void
a_child_that_is_killed_leaves_the_old_set(void **state)
{
	struct fixture *f = *state;

	build_many(f, "one", 300, "one");
	build_many(f, "two", 20000, "two");
	struct profiles *profiles = open_profiles(f);
	struct err err = { 0 };
	assert_int_equal(install(profiles, path_in(f, "one"), &err), 1);
	assert_int_equal(begin_install(profiles, path_in(f, "two"), "0042", &err), 0);
	usleep(5000);
	assert_int_equal(kill(profiles_install_pid(profiles), SIGKILL), 0);
	assert_int_equal(step(profiles, &err), AISLE_E_IO);
	assert_non_null(strstr(err.text, "installer died"));
	assert_int_equal(count_files(f, "profiles-"), 2);
	assert_profile(profiles, 299, "one");
	err = (struct err){ 0 };
	assert_int_equal(install(profiles, path_in(f, "two"), &err), 1);
	assert_profile(profiles, 19999, "two");
	profiles_close(profiles);
}

static void
a_bundle_may_lie_under_any_name(void **state)
{
	struct fixture *f = *state;
	struct profiles_bundle *bundle;
	struct err err = { 0 };
	static const char name[] = "a b?mode=rw#c%41\xc3\xa4&.bundle";

	build_many(f, name, 3, "one");
	assert_int_equal(profiles_bundle_open(path_in(f, name), &bundle, &err), 0);
	profiles_bundle_close(bundle);
	profiles_bundle_close(NULL);
	assert_int_equal(profiles_bundle_open(path_in(f, "none"), &bundle, &err), AISLE_E_IO);
	assert_non_null(strstr(err.text, "none: No such file"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_line_becomes_the_canonical_row_of_its_subject),
		STORE_TEST(the_same_lines_in_another_order_give_the_same_bytes),
		STORE_TEST(a_line_that_a_store_would_not_understand_is_refused_with_its_place),
		STORE_TEST(a_card_without_pepper_is_a_matter_of_configuration),
		STORE_TEST(subjects_that_share_their_first_half_are_kept_apart),
		STORE_TEST(a_slot_is_the_first_half_of_the_subject_with_room_behind_it),
		STORE_TEST(any_number_of_customers_is_in_a_bundle),
		STORE_TEST(no_file_is_an_empty_set),
		STORE_TEST(twenty_thousand_rows_are_installed_and_replaced_whole),
		STORE_TEST(the_rows_on_disk_are_sealed),
		STORE_TEST(a_parent_killed_in_the_middle_leaves_whole_profiles),
		STORE_TEST(an_abandoned_install_leaves_no_file),
		STORE_TEST(the_wrong_bundle_is_refused_and_the_old_set_stays),
		STORE_TEST(a_bundle_with_anything_more_in_it_is_refused),
		STORE_TEST(a_child_that_lives_on_holds_no_lock_of_the_state),
		STORE_TEST(a_set_that_cannot_be_used_is_said_and_goes_with_the_next),
		STORE_TEST(who_is_forgotten_is_in_no_set_that_cannot_be_used),
		STORE_TEST(a_row_of_another_customer_or_file_does_not_open),
		STORE_TEST(a_row_that_nobody_finds_is_noticed_by_walking),
		STORE_TEST(a_newest_file_that_is_not_whole_gives_way_to_the_one_before),
		STORE_TEST(without_its_file_nobody_is_left),
		STORE_TEST(a_file_that_is_not_the_one_it_is_named_is_damaged),
		STORE_TEST(what_is_no_file_of_profiles_is_said_to_be_none),
		STORE_TEST(a_set_that_finds_no_place_leaves_the_old_one),
		STORE_TEST(a_bundle_that_cannot_be_written_is_not_there),
		STORE_TEST(the_forgotten_are_left_out_now_and_of_the_next_set),
		STORE_TEST(of_the_folder_only_what_is_older_or_half_made_is_removed),
		STORE_TEST(what_a_bundle_and_a_set_are_is_written_in_them),
		STORE_TEST(a_row_that_is_no_profile_of_its_place_ends_the_install),
		STORE_TEST(a_large_old_set_goes_and_so_does_a_bundle_that_is_taken),
		STORE_TEST(a_child_that_is_killed_leaves_the_old_set),
		STORE_TEST(a_bundle_may_lie_under_any_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
