/* SPDX-License-Identifier: Apache-2.0
 *
 * test_bundle_image.c - what a bundle compiled to is believed only from this device, for this file.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy_fixture.h"
#include "sync/bundle_image.h"
#include "sync/bundle_internal.h"

static const uint8_t key[32] = "this device's", other_key[32] = "another's";

struct bench {
	char dir[64], bundle[80], image[96];
};

static void
write_file(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static char *
read_file(const char *path, size_t *ret_len)
{
	char *bytes = malloc(1 << 20);
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	*ret_len = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

/* A bundle of the good policy. */
static void
build(const struct bench *bench)
{
	static const char *const folders[] = { "", "/actions", "/models" };
	char path[200];
	struct buf report = { 0 };
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s/policy%s", bench->dir, folders[i]);
		mkdir(path, 0755);
	}
	for (size_t i = 0; i < GOOD_COUNT; i++) {
		if (strcmp(good_parts[i].name, "zones.json") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/policy/%s", bench->dir, good_parts[i].name);
		write_file(path, good_parts[i].text, strlen(good_parts[i].text));
	}
	snprintf(path, sizeof(path), "%s/policy", bench->dir);
	if (bundle_build(path, bench->bundle, &report, &err) != 0)
		fail_msg("%s\n%s", err.text, report.data);
	buf_done(&report);
}

static void
update(sqlite3 *db, const char *sql, const char *value)
{
	sqlite3_stmt *stmt = NULL;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	sqlite3_bind_text(stmt, 1, value, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
}

/* What no build makes: a whole bundle with an exam that its model fails. */
static void
spoil_exam(const struct bench *bench)
{
	static const char exam[] = "f0,f1,margin\n2,4,0.75\n", name[] = "models/churn.exam.csv";
	struct bundle *bundle = NULL;
	struct err err = { 0 };
	char digest[65];
	struct bundle_meta_row meta[] = {
		{ (char[]){ "digest" }, digest },
		{ (char[]){ "kind" }, (char[]){ "policy" } },
		{ (char[]){ "name" }, (char[]){ "spring" } },
		{ (char[]){ "version" }, (char[]){ "12" } },
	};
	sqlite3 *db;

	assert_int_equal(bundle_open(bench->bundle, "policy", &bundle, &err), 0);
	for (size_t i = 0; i < bundle_parts(bundle)->count; i++)
		if (strcmp(bundle_parts(bundle)->part[i].name, name) == 0) {
			free((void *)(uintptr_t)bundle_parts(bundle)->part[i].bytes);
			bundle_parts(bundle)->part[i].bytes = strdup(exam);
			bundle_parts(bundle)->part[i].len = strlen(exam);
		}
	bundle_digest(meta, ARRAY_LEN(meta), bundle_parts(bundle), digest);
	bundle_close(bundle);
	assert_int_equal(sqlite3_open(bench->bundle, &db), SQLITE_OK);
	update(db, "UPDATE part SET body = CAST(? AS BLOB) WHERE name = 'models/churn.exam.csv'",
	    exam);
	update(db, "UPDATE meta SET value = ? WHERE name = 'digest'", digest);
	sqlite3_close(db);
}

static int
set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	snprintf(bench->dir, sizeof(bench->dir), "/tmp/aisle-image-XXXXXX");
	assert_non_null(mkdtemp(bench->dir));
	snprintf(bench->bundle, sizeof(bench->bundle), "%s/b", bench->dir);
	snprintf(bench->image, sizeof(bench->image), "%s" BUNDLE_IMAGE_TAIL, bench->bundle);
	build(bench);
	*state = bench;
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *bench = *state;
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", bench->dir);
	assert_int_equal(system(command), 0);
	free(bench);
	return 0;
}

static int
make(const struct bench *bench, char hash[static 65])
{
	enum refusal why;
	struct err err = { 0 };

	return bundle_image_make(bench->bundle, key, hash, &why, &err);
}

/* 0: there is one, and it is whole. */
static int
look(const struct bench *bench, const uint8_t with[static 32])
{
	struct policy *policy = NULL;
	struct err err = { 0 };
	int status = bundle_image_open(bench->bundle, with, &policy, &err);

	if (status == 0) {
		assert_int_equal(policy->action_count, 4);
		policy_free(policy);
	} else {
		assert_int_equal(err.code, status);
	}
	return status;
}

static void
the_image_of_a_bundle_is_its_policy(void **state)
{
	struct bench *bench = *state;
	struct policy *policy = NULL;
	struct err err = { 0 };
	char hash[65];

	assert_int_equal(look(bench, key), AISLE_E_NONE);
	assert_int_equal(make(bench, hash), 0);
	assert_int_equal(bundle_image_open(bench->bundle, key, &policy, &err), 0);
	assert_string_equal(policy->hash, hash);
	assert_string_equal(policy->name, "spring");
	assert_non_null(policy_action(policy, "coffee-off"));
	assert_non_null(policy->models[0].model);
	policy_free(policy);
}

static void
an_image_that_another_device_wrote_is_none(void **state)
{
	struct bench *bench = *state;
	char hash[65];

	assert_int_equal(make(bench, hash), 0);
	assert_int_equal(look(bench, other_key), AISLE_E_NONE);
	assert_int_equal(look(bench, key), 0);
}

static void
a_flipped_bit_anywhere_is_found(void **state)
{
	struct bench *bench = *state;
	char hash[65], *bytes;
	size_t len;

	assert_int_equal(make(bench, hash), 0);
	bytes = read_file(bench->image, &len);
	/* Every bit of the head, and a few of the rest. */
	for (size_t bit = 0; bit < len * 8; bit += bit < 128 * 8 ? 1 : 977) {
		bytes[bit / 8] ^= (char)(1 << bit % 8);
		write_file(bench->image, bytes, len);
		assert_int_equal(look(bench, key), AISLE_E_NONE);
		bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	write_file(bench->image, bytes, len);
	assert_int_equal(look(bench, key), 0);
	free(bytes);
}

static void
an_image_that_is_cut_short_is_none(void **state)
{
	struct bench *bench = *state;
	char hash[65], *bytes;
	size_t len;

	assert_int_equal(make(bench, hash), 0);
	bytes = read_file(bench->image, &len);
	for (size_t cut = 0; cut < len; cut += 131) {
		write_file(bench->image, bytes, cut);
		assert_int_equal(look(bench, key), AISLE_E_NONE);
	}
	free(bytes);
}

/* The two lengths at the end of the head are believed by nobody: a bit of them would be room for half a gibibyte. */
static void
room_is_made_for_what_is_there_and_not_for_what_the_head_says(void **state)
{
	enum { LENGTHS = 8 + 32 + 8 + 8 + 8 };
	struct bench *bench = *state;
	struct policy *policy = NULL;
	char hash[65], *bytes;
	size_t len;

	assert_int_equal(make(bench, hash), 0);
	bytes = read_file(bench->image, &len);
	for (size_t at = LENGTHS; at < LENGTHS + 16; at++) {
		struct err err = { 0 };

		bytes[at] ^= 16;
		write_file(bench->image, bytes, len);
		assert_int_equal(bundle_image_open(bench->bundle, key, &policy, &err),
		    AISLE_E_NONE);
		assert_non_null(strstr(err.text, "not as long as it says"));
		bytes[at] ^= 16;
	}
	free(bytes);
}

static void
another_file_in_the_bundles_place_has_no_image(void **state)
{
	struct bench *bench = *state;
	char hash[65], *bytes;
	size_t len;

	assert_int_equal(make(bench, hash), 0);
	bytes = read_file(bench->bundle, &len);
	bytes[len / 2] ^= 1;
	write_file(bench->bundle, bytes, len);
	assert_int_equal(look(bench, key), AISLE_E_NONE);
	free(bytes);
	unlink(bench->bundle);
	assert_int_equal(look(bench, key), AISLE_E_NONE);
}

static void
a_bundle_that_may_not_be_used_leaves_no_image(void **state)
{
	struct bench *bench = *state;
	char hash[65];

	spoil_exam(bench);
	assert_int_equal(make(bench, hash), AISLE_E_REFUSED);
	assert_int_not_equal(access(bench->image, F_OK), 0);
	write_file(bench->bundle, "no bundle", 9);
	assert_int_equal(make(bench, hash), AISLE_E_INVALID);
	unlink(bench->bundle);
	assert_int_equal(make(bench, hash), AISLE_E_IO);
}

static void
where_no_image_can_be_written_the_bundle_is_still_good(void **state)
{
	struct bench *bench = *state;
	char hash[65] = "", folder[120];

	snprintf(folder, sizeof(folder), "%s.tmp", bench->image);
	mkdir(folder, 0755);
	assert_int_equal(make(bench, hash), AISLE_E_NONE);
	assert_int_equal(strlen(hash), 64);
}

static void
a_child_does_the_same(void **state)
{
	struct bench *bench = *state;
	struct beside job;
	enum refusal why;
	struct err err = { 0 };
	char hash[65] = "";

	assert_int_equal(bundle_job_start(bench->bundle, key, 60 * S_MS, &job, &err), 0);
	assert_int_equal(bundle_job_finish(&job, hash, &why, &err), 0);
	assert_int_equal(strlen(hash), 64);
	assert_int_equal(look(bench, key), 0);
	spoil_exam(bench);
	assert_int_equal(bundle_job_start(bench->bundle, key, 60 * S_MS, &job, &err), 0);
	assert_int_equal(bundle_job_finish(&job, hash, &why, &err), AISLE_E_REFUSED);
	assert_int_equal(why, REFUSED_EXAM);
	assert_non_null(strstr(err.text, "gives margin"));
}

static void
a_child_that_is_stopped_is_gone(void **state)
{
	struct bench *bench = *state;
	struct beside job;
	struct err err = { 0 };
	pid_t child;

	assert_int_equal(bundle_job_start(bench->bundle, key, 60 * S_MS, &job, &err), 0);
	child = job.pid;
	beside_stop(&job);
	assert_int_not_equal(kill(child, 0), 0);
	assert_int_equal(job.pid, -1);
}

#define IMAGE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IMAGE_TEST(the_image_of_a_bundle_is_its_policy),
		IMAGE_TEST(an_image_that_another_device_wrote_is_none),
		IMAGE_TEST(a_flipped_bit_anywhere_is_found),
		IMAGE_TEST(an_image_that_is_cut_short_is_none),
		IMAGE_TEST(room_is_made_for_what_is_there_and_not_for_what_the_head_says),
		IMAGE_TEST(another_file_in_the_bundles_place_has_no_image),
		IMAGE_TEST(a_bundle_that_may_not_be_used_leaves_no_image),
		IMAGE_TEST(where_no_image_can_be_written_the_bundle_is_still_good),
		IMAGE_TEST(a_child_does_the_same),
		IMAGE_TEST(a_child_that_is_stopped_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
