/* SPDX-License-Identifier: Apache-2.0
 *
 * test_profile_disk.c - keys and profiles on a disk that takes no more, from any write on: each says so, what was there
 * stays, and with room again all goes on.
 */
#include "store_fixture.h"

#include <sys/wait.h>

#include "failing_disk.h"
#include "profile/keys_internal.h"
#include "profile/profiles_internal.h"

#define WRITES_MAX 200 /* more than any of these needs */

static int
set_up(void **state)
{
	int error = fixture_setup(state);
	struct fixture *f = *state;

	/* Keys of its own, on this disk; the fixture's go. */
	fixture_close(f);
	remove_dir(f->dir);
	assert_int_equal(mkdir(f->dir, 0700), 0);
	disk_use(true);
	return error;
}

static int
tear_down(void **state)
{
	disk_mend();
	disk_use(false);
	return fixture_teardown(state);
}

static int
files(const struct fixture *f, const char *prefix)
{
	DIR *entries = opendir(f->dir);
	int count = 0;

	for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(entries);
	return count;
}

static struct keys *
open_keys(const struct fixture *f)
{
	struct err err = { 0 };
	struct keys *keys;

	assert_int_equal(keys_open(f->dir, FAILING_DISK, &keys, &err), 0);
	return keys;
}

/* ---- keys ---- */

static void
keys_that_could_not_be_made_are_made_when_there_is_room(void **state)
{
	struct fixture *f = *state;
	int writes = 0, failed = 0;

	for (; writes < WRITES_MAX; writes++) {
		struct err err = { 0 };
		struct keys *keys = NULL;
		uint8_t data[32];
		int error;

		disk_break(writes);
		error = keys_open(f->dir, FAILING_DISK, &keys, &err);
		disk_mend();
		if (error == 0) {
			memcpy(data, keys_data(keys), 32);
			keys_close(keys);
			keys = open_keys(f);
			assert_memory_equal(keys_data(keys), data, 32);
			keys_close(keys);
			break;
		}
		assert_int_equal(error, AISLE_E_FULL);
		assert_null(keys);
		assert_true(err.text[0] != '\0');
		failed++;
		unlink(path_in(f, "keys.db"));
		unlink(path_in(f, "keys.db-wal"));
	}
	assert_true(failed > 1 && writes < WRITES_MAX);
}

static void
a_key_that_is_not_on_the_disk_is_told_and_counted(void **state)
{
	struct fixture *f = *state;
	struct keys *keys = open_keys(f);
	struct id anna = id_of(1), ben = id_of(2);
	uint8_t key[32], again[32];
	struct sealer sealer;
	struct buf sealed = { 0 };

	sealer_init(&sealer, keys);
	assert_int_equal(keys_subject(keys, &ben, true, key), 0);
	assert_int_equal(sealer.commit(sealer.ctx), 0);
	assert_int_equal(sealer.seal(sealer.ctx, "t", "k", 1, &anna, "hi", 2, &sealed), 0);
	disk_break(0);
	assert_int_equal(sealer.commit(sealer.ctx), AISLE_E_FULL);
	disk_mend();
	assert_int_equal(keys_losses(keys), 1);
	assert_int_equal(keys_subject(keys, &anna, false, again), AISLE_E_NONE);
	assert_int_equal(keys_subject(keys, &ben, false, again), 0);
	assert_memory_equal(key, again, 32);
	assert_int_equal(sealer.commit(sealer.ctx), 0);
	/* Lost between: what was sealed with it must not be committed, once. */
	assert_int_equal(keys_subject(keys, &anna, true, again), 0);
	assert_int_equal(keys_error(keys, SQLITE_IOERR), AISLE_E_IO);
	assert_int_equal(keys_losses(keys), 2);
	assert_int_equal(sealer.commit(sealer.ctx), AISLE_E_IO);
	assert_int_equal(sealer.commit(sealer.ctx), 0);
	assert_int_equal(keys_error(keys, SQLITE_IOERR), AISLE_E_IO); /* nothing waited */
	assert_int_equal(keys_losses(keys), 2);
	buf_done(&sealed);
	sealer_done(&sealer);
	sealer_done(&sealer);
	keys_close(keys);
}

static void
a_session_that_is_not_on_the_disk_is_not_said_to_be(void **state)
{
	struct fixture *f = *state;
	struct keys *keys = open_keys(f);
	int64_t session = -1;

	assert_int_equal(keys_session(keys, &session), 0);
	assert_int_equal(session, 0);
	assert_int_equal(keys_set_session(keys, INT64_MAX), 0);
	disk_break(0);
	assert_int_equal(keys_set_session(keys, 1), AISLE_E_FULL);
	disk_mend();
	keys_close(keys);
	keys = open_keys(f);
	assert_int_equal(keys_session(keys, &session), 0);
	assert_true(session == INT64_MAX);
	keys_close(keys);
}

static void
nobody_is_said_to_be_forgotten_who_is_not(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1);
	int writes = 0;

	for (; writes < WRITES_MAX; writes++) {
		struct keys *keys = open_keys(f);
		uint8_t key[32];
		int error;

		assert_int_equal(keys_subject(keys, &anna, true, key), 0);
		assert_int_equal(keys_commit(keys), 0);
		disk_break(writes);
		error = keys_destroy(keys, &anna);
		disk_mend();
		if (error != 0)
			assert_int_equal(error, AISLE_E_FULL);
		else
			assert_true(keys_forgotten(keys, &anna));
		assert_int_equal(keys_destroy(keys, &anna), 0);
		assert_true(keys_forgotten(keys, &anna));
		keys_close(keys);
		unlink(path_in(f, "keys.db"));
		unlink(path_in(f, "keys.db-wal"));
		if (error == 0)
			break;
	}
	assert_in_range(writes, 2, WRITES_MAX - 1);
}

/* ---- profiles ---- */

static int
build(const struct fixture *f, int count, const char *word, struct err *err)
{
	static char input[128], output[128];
	FILE *file = fopen(path_in(f, "lines"), "w");

	for (int i = 0; i < count; i++) {
		struct id subject = id_of((uint64_t)i);
		char text[SUBJECT_TEXT_SIZE];

		subject_text(&subject, text);
		fprintf(file, "{\"subject\":\"%s\",\"line\":\"%s\"}\n", text, word);
	}
	fclose(file);
	snprintf(input, sizeof(input), "%s", path_in(f, "lines"));
	snprintf(output, sizeof(output), "%s", path_in(f, "bundle"));
	const struct profiles_build what = { .input = input, .store = "0042", .output = output };
	return profiles_build(&what, NULL, err);
}

static struct profiles *
open_profiles(struct fixture *f, struct keys *keys)
{
	struct profiles *profiles;
	struct err err = { 0 };

	assert_int_equal(profiles_open(f->dir, keys, &profiles, &err), 0);
	return profiles;
}

static int
install(const struct fixture *f, struct profiles *profiles, struct err *err)
{
	struct profiles_install_what what = { .bundle = path_in(f, "bundle"), .store = "0042" };
	int error = profiles_install_begin(profiles, &what, err);
	bool swapped;

	while (error == 0)
		error = profiles_install_step(profiles, &swapped, err);
	return error;
}

static void
assert_line(struct profiles *profiles, int i, const char *word)
{
	struct id subject = id_of((uint64_t)i);
	struct buf body = { 0 };

	assert_int_equal(profiles_get(profiles, &subject, &body), word != NULL ? 0 : AISLE_E_NONE);
	if (word != NULL)
		assert_non_null(strstr(body.data, word));
	buf_done(&body);
}

static void
a_bundle_that_does_not_fit_leaves_the_old_one_and_no_piece(void **state)
{
	struct fixture *f = *state;
	struct profiles_bundle *bundle;
	struct buf body = { 0 };
	struct id first = id_of(0);
	struct err err = { 0 };
	int writes = 0, failed = 0;

	assert_int_equal(build(f, 1, "old", &err), 0);
	for (; writes < WRITES_MAX; writes++) {
		int error;

		err = (struct err){ 0 };
		disk_break(writes);
		error = build(f, 100, "new", &err);
		disk_mend();
		if (error == 0)
			break;
		assert_int_equal(error, AISLE_E_IO);
		assert_non_null(strstr(err.text, "bundle.tmp"));
		assert_int_equal(files(f, "bundle"), 1);
		failed++;
	}
	assert_true(failed > 1 && writes < WRITES_MAX);
	assert_int_equal(profiles_bundle_open(path_in(f, "bundle"), &bundle, &err), 0);
	assert_int_equal(profiles_bundle_get(bundle, &first, &body), 0);
	assert_non_null(strstr(body.data, "new"));
	profiles_bundle_close(bundle);
	buf_done(&body);
}

static void
an_install_that_does_not_fit_leaves_the_old_set_and_can_be_begun_again(void **state)
{
	struct fixture *f = *state;
	struct keys *keys = open_keys(f);
	struct profiles *profiles = open_profiles(f, keys);
	struct err err = { 0 };
	int writes = 0, failed = 0;

	assert_int_equal(build(f, 5, "old", &err), 0);
	assert_int_equal(install(f, profiles, &err), 1);
	assert_int_equal(build(f, 120, "new", &err), 0);
	for (; writes < WRITES_MAX; writes++) {
		int error;

		err = (struct err){ 0 };
		disk_break(writes);
		error = install(f, profiles, &err);
		disk_mend();
		if (error == 1)
			break;
		assert_true(error == AISLE_E_IO || error == AISLE_E_FULL);
		assert_int_equal(err.code, error);
		assert_true(err.text[0] != '\0');
		assert_null(profiles->install);
		assert_int_equal(files(f, "profiles-"), 2);
		assert_int_equal(profiles_count(profiles), 5);
		assert_line(profiles, 4, "old");
		assert_line(profiles, 5, NULL);
		failed++;
	}
	assert_true(failed > 1 && writes < WRITES_MAX);
	assert_int_equal(profiles_count(profiles), 120);
	assert_line(profiles, 119, "new");
	profiles_close(profiles);
	keys_close(keys);
}

static void
a_row_that_cannot_be_taken_out_stays_as_noise_and_the_others_are_served(void **state)
{
	struct fixture *f = *state;
	struct keys *keys = open_keys(f);
	struct profiles *profiles = open_profiles(f, keys);
	struct err err = { 0 };
	struct id gone = id_of(3);
	struct buf body = { 0 };
	int writes = 0;

	assert_int_equal(build(f, 10, "word", &err), 0);
	assert_int_equal(install(f, profiles, &err), 1);
	assert_int_equal(keys_destroy(keys, &gone), 0);
	for (; writes < WRITES_MAX; writes++) {
		disk_break(writes);
		assert_int_equal(profiles_forget(profiles, &gone), 0);
		if (disk.left > 0)
			break;
		disk_mend();
		assert_line(profiles, 2, "word");
		assert_int_equal(profiles_get(profiles, &gone, &body), AISLE_E_NONE);
	}
	disk_mend();
	assert_in_range(writes, 2, WRITES_MAX - 1);
	profiles_close(profiles);
	profiles = open_profiles(f, keys);
	assert_line(profiles, 2, "word");
	assert_int_equal(profiles_get(profiles, &gone, &body), AISLE_E_NONE);
	assert_int_equal(files(f, "profiles-"), 2); /* no journal is left */
	buf_done(&body);
	profiles_close(profiles);
	keys_close(keys);
}

/* A journal is left behind by it; the next start rolls it back before anything is read. */
static void
killed_at_any_write_while_somebody_is_forgotten_the_others_are_there(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct id gone = id_of(3);
	bool done = false;
	int writes = 0, journals = 0;

	for (; writes < WRITES_MAX && !done; writes++) {
		struct keys *keys = open_keys(f);
		struct profiles *profiles = open_profiles(f, keys);
		int status;
		pid_t pid;

		if (writes == 0) {
			assert_int_equal(build(f, 200, "word", &err), 0);
			assert_int_equal(install(f, profiles, &err), 1);
		}
		for (int i = 0; i < 200; i++)
			if (i != 3)
				assert_line(profiles, i, "word");
		profiles_close(profiles);
		keys_close(keys);
		pid = fork();
		if (pid == 0) {
			keys = open_keys(f);
			profiles = open_profiles(f, keys);
			disk_break(writes);
			disk.kills = true;
			_exit(profiles_forget(profiles, &gone) == 0 ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		done = WIFEXITED(status);
		if (done)
			assert_int_equal(WEXITSTATUS(status), 0);
		journals += files(f, "profiles-1.db-journal");
	}
	assert_true(done);
	assert_true(journals > 0);
}

static void
what_cannot_be_read_is_not_taken_for_nothing(void **state)
{
	struct fixture *f = *state;
	struct keys *keys = open_keys(f);
	struct profiles *profiles = open_profiles(f, keys);
	struct profiles_bundle *bundle;
	struct err err = { 0 };
	struct id anna = id_of(150);
	struct buf body = { 0 };
	uint8_t key[32];

	assert_int_equal(build(f, 400, "word", &err), 0);
	assert_int_equal(install(f, profiles, &err), 1);
	profiles_close(profiles);
	assert_int_equal(keys_subject(keys, &anna, true, key), 0);
	assert_int_equal(keys_commit(keys), 0);
	keys_close(keys);
	keys = open_keys(f);
	profiles = open_profiles(f, keys);
	disk.blind = true;
	assert_int_equal(profiles_get(profiles, &anna, &body), AISLE_E_IO);
	assert_int_equal(keys_subject(keys, &anna, false, key), AISLE_E_IO);
	assert_int_equal(keys_subject(keys, &anna, true, key), AISLE_E_IO);
	assert_true(keys_forgotten(keys, &anna)); /* the safe answer about a person */
	assert_int_equal(body.len, 0);
	disk.blind = false;
	assert_int_equal(keys_subject(keys, &anna, false, key), 0);
	assert_false(keys_forgotten(keys, &anna));
	assert_line(profiles, 150, "word");
	assert_int_equal(profiles_bundle_open(path_in(f, "bundle"), &bundle, &err), 0);
	disk.blind = true;
	assert_int_equal(profiles_bundle_get(bundle, &anna, &body), AISLE_E_IO);
	disk.blind = false;
	buf_clear(&body);
	assert_int_equal(profiles_bundle_get(bundle, &anna, &body), 0);
	profiles_bundle_close(bundle);
	/* A bundle that cannot be read. */
	disk.blind = true;
	assert_true(install(f, profiles, &err) < 0);
	assert_true(err.text[0] != '\0');
	disk.blind = false;
	assert_null(profiles->install);
	assert_line(profiles, 150, "word");
	buf_done(&body);
	profiles_close(profiles);
	keys_close(keys);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(keys_that_could_not_be_made_are_made_when_there_is_room),
		T(a_key_that_is_not_on_the_disk_is_told_and_counted),
		T(a_session_that_is_not_on_the_disk_is_not_said_to_be),
		T(nobody_is_said_to_be_forgotten_who_is_not),
		T(a_bundle_that_does_not_fit_leaves_the_old_one_and_no_piece),
		T(an_install_that_does_not_fit_leaves_the_old_set_and_can_be_begun_again),
		T(a_row_that_cannot_be_taken_out_stays_as_noise_and_the_others_are_served),
		T(killed_at_any_write_while_somebody_is_forgotten_the_others_are_there),
		T(what_cannot_be_read_is_not_taken_for_nothing),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
