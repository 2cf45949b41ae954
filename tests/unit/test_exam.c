/* SPDX-License-Identifier: Apache-2.0
 *
 * test_exam.c - a model counts only if it gives its trainer's margins: when the policy is written,
 * when somebody asks, when it is installed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy_fixture.h"
#include "sync/bundle.h"
#include "sync/bundle_internal.h"

#define CHURN "models/churn.exam.csv"

static void
expect_part(const char *text, const char *part)
{
	if (text == NULL || strstr(text, part) == NULL)
		fail_msg("\"%s\", expected \"%s\"", text != NULL ? text : "", part);
}

/* The good policy with one part changed, examined; report may be NULL. */
static int
examine(const char *part, const char *text, struct buf *report, struct err *err)
{
	struct fixture fixture;
	struct policy *policy = NULL;
	struct buf mistakes = { 0 }, words = { 0 };
	int status;

	fixture_init(&fixture);
	fixture_set(&fixture, part, text);
	if (policy_compile(&fixture.parts, &policy, &mistakes) != 0)
		fail_msg("%s", mistakes.data);
	*err = (struct err){ 0 };
	status = exam_margins(policy, &fixture.parts, &words, err);
	if (report != NULL)
		buf_add(report, words.data, words.len);
	policy_free(policy);
	buf_done(&mistakes);
	buf_done(&words);
	return status;
}

static void
a_model_that_gives_its_margins_passes(void **state)
{
	struct buf report = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(examine(CHURN, "f0,f1,margin\n2,4,0.5\n,4,-0.5\n", &report, &err), 0);
	expect_part(report.data, "model churn: 2 exam rows agree\n");
	expect_part(report.data, "model coffee: 2 exam rows agree\n");
	buf_done(&report);
}

static void
columns_are_found_by_name_and_never_by_position(void **state)
{
	struct err err;

	(void)state;
	/* Other order, other line ends, the features' names, words for yes and no. */
	assert_int_equal(examine(CHURN, "margin,f1,f0\n0.5,4,2\n", NULL, &err), 0);
	assert_int_equal(examine(CHURN, "margin,recency,coffee_spend\r\n0.5,4,2\r\n", NULL, &err),
	    0);
	assert_int_equal(examine(CHURN, "f1,f0,margin\ntrue,false,-1.25", NULL, &err), 0);
	/* By position these would be 2 and 4, and agree. */
	assert_int_equal(examine(CHURN, "f1,f0,margin\n2,4,0.5\n", NULL, &err), AISLE_E_REFUSED);
	expect_part(err.text, "gives margin 1, expected 0.5");
}

static void
another_margin_is_refused_with_row_expected_and_got(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(examine(CHURN, "f0,f1,margin\n2,4,0.5\n2,4,0.50000000000000011\n", NULL,
			     &err),
	    AISLE_E_REFUSED);
	assert_string_equal(err.file, CHURN);
	assert_int_equal(err.line, 3);
	assert_string_equal(err.text,
	    "row 2: model \"churn\" gives margin 0.5, expected 0.50000000000000011 within 0");
}

static void
an_exam_that_cannot_be_read_fails(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "not a text" },
		{ "f0,f1,margin\n", "no rows" },
		{ "f0,margin\n2,0.5\n", "a column is missing" },
		{ "f0,f1,f2,margin\n1,2,3,4\n", "\"f2\"" },
		{ "f0,f0,margin\n1,2,3\n", "\"f0\"" },
		{ "f0,coffee_spend,margin\n1,2,3\n", "\"coffee_spend\"" },
		{ "f0,f1,margin\n2,4\n", "too few cells" },
		{ "f0,f1,margin\n2,4,0.5,1\n", "too many cells" },
		{ "f0,f1,margin\n2,x,0.5\n", "row 1: \"x\" is not a number" },
		{ "f0,f1,margin\n2,4,0.5\n2,0x4,0.5\n", "row 2: \"0x4\" is not a number" },
		{ "f0,f1,margin\n2,4,\n", "row 1: \"\" is not a number" },
		{ "f0,f1,margin\n2,4,nan\n", "\"nan\" is not a number" },
		{ "f0,f1,margin\n2,4,1e999\n", "\"1e999\" is not a number" },
		{ "f0,f1\n2,4\n", "a column is missing" },
		{ "f0,f1,margin\n\n", "too few cells" },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(examine(CHURN, bad[i].text, NULL, &err), AISLE_E_REFUSED);
		expect_part(err.text, bad[i].why);
		assert_true(err.line >= 1);
	}
}

static void
a_tolerance_is_the_last_difference_that_passes(void **state)
{
	static const char *const exams[] = { "f0,f1,margin\n2,4,0.75\n2,4,0.25\n",
		"f0,f1,margin\n2,4,0.7500000000000001\n2,4,0.25\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(exams); i++) {
		struct fixture fixture;
		struct policy *policy = NULL;
		struct buf report = { 0 };
		struct err err = { 0 };

		fixture_init(&fixture);
		fixture_replace(&fixture, "models/models.json", "\"exam_tolerance\":0",
		    "\"exam_tolerance\":0.25");
		fixture_set(&fixture, CHURN, exams[i]);
		assert_int_equal(policy_compile(&fixture.parts, &policy, &report), 0);
		assert_int_equal(exam_margins(policy, &fixture.parts, &report, &err),
		    i == 0 ? 0 : AISLE_E_REFUSED);
		policy_free(policy);
		fixture_done(&fixture);
		buf_done(&report);
	}
}

static void
a_model_without_exam_is_said_to_have_none(void **state)
{
	struct fixture fixture;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	struct err err = { 0 };

	(void)state;
	fixture_init(&fixture);
	fixture_replace(&fixture, "models/models.json",
	    ",\"exam\":\"churn.exam.csv\",\"exam_tolerance\":0", "");
	assert_int_equal(policy_compile(&fixture.parts, &policy, &report), 0);
	expect_part(report.data, "warning: model \"churn\" has no exam");
	buf_clear(&report);
	assert_int_equal(exam_margins(policy, &fixture.parts, &report, &err), 0);
	expect_part(report.data, "model churn: warning: no exam\n");
	policy_free(policy);
	fixture_done(&fixture);
	buf_done(&report);
}

static void
a_model_that_says_in_part_what_it_predicts_is_warned_of(void **state)
{
	static const char *const parts[] = { "\"target\":\"redeemed\",", "\"window_days\":0,",
		"\"population\":\"shown\"," };

	(void)state;
	for (size_t i = 0; i <= ARRAY_LEN(parts); i++) {
		struct fixture fixture;
		struct policy *policy = NULL;
		struct buf report = { 0 };

		fixture_init(&fixture);
		if (i < ARRAY_LEN(parts))
			fixture_replace(&fixture, "models/models.json", parts[i], "");
		assert_int_equal(policy_compile(&fixture.parts, &policy, &report), 0);
		/* churn says nothing of it, which may be. */
		if (i < ARRAY_LEN(parts))
			expect_part(report.data, "warning: model \"coffee\" says in part");
		else
			assert_true(report.len == 0);
		policy_free(policy);
		fixture_done(&fixture);
		buf_done(&report);
	}
}

/* ---- before it counts ---- */

static void
write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* The good policy as a folder, with the exam of churn that is given. */
static void
write_folder(const char *dir, const char *exam)
{
	char path[300];

	mkdir(dir, 0755);
	snprintf(path, sizeof(path), "%s/actions", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/models", dir);
	mkdir(path, 0755);
	for (size_t i = 0; i < GOOD_COUNT; i++) {
		if (strcmp(good_parts[i].name, "zones.json") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, good_parts[i].name);
		write_text(path,
		    strcmp(good_parts[i].name, CHURN) == 0 ? exam : good_parts[i].text);
	}
}

static void
the_author_sees_it_at_check_and_build_and_no_bundle_is_made(void **state)
{
	static const char *const line =
	    CHURN ":2:1: row 1: model \"churn\" gives margin 0.5, expected 0.625 within 0\n";
	const char *dir = *state;
	char folder[100], file[100];
	struct buf report = { 0 };
	struct err err = { 0 };

	snprintf(folder, sizeof(folder), "%s/wrong", dir);
	snprintf(file, sizeof(file), "%s/wrong.bundle", dir);
	write_folder(folder, "f0,f1,margin\n2,4,0.625\n");
	assert_int_equal(policy_check_dir(folder, 0, NULL, &report, &err), AISLE_E_INVALID);
	expect_part(report.data, line);
	buf_clear(&report);
	err = (struct err){ 0 };
	assert_int_equal(bundle_build(folder, file, &report, &err), AISLE_E_INVALID);
	expect_part(report.data, line);
	assert_int_not_equal(access(file, F_OK), 0);
	buf_clear(&report);
	err = (struct err){ 0 };
	write_folder(folder, "f0,f1,margin\n2,4,0.5\n");
	assert_int_equal(bundle_build(folder, file, &report, &err), 0);
	if (report.len > 0 && strstr(report.data, "agree") != NULL)
		fail_msg("agreement needs no words: %s", report.data);
	buf_done(&report);
}

static void
run(sqlite3 *db, const char *sql, const char *name, const char *value, int len)
{
	sqlite3_stmt *stmt = NULL;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	if (len >= 0)
		sqlite3_bind_blob(stmt, 1, value, len, SQLITE_STATIC);
	else
		sqlite3_bind_text(stmt, 1, value, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
}

/* What no build of ours makes: a bundle, whole by its digest, with another part of that name inside. */
static void
forge(const char *file, const char *name, const char *text)
{
	struct bundle *bundle = NULL;
	struct err err = { 0 };
	char digest[65];
	sqlite3 *db;

	assert_int_equal(bundle_open(file, "policy", &bundle, &err), 0);
	struct bundle_meta_row meta[] = {
		{ (char[]){ "digest" }, digest },
		{ (char[]){ "kind" }, (char[]){ "policy" } },
		{ (char[]){ "name" }, (char *)(uintptr_t)bundle_meta(bundle, "name") },
		{ (char[]){ "version" }, (char *)(uintptr_t)bundle_meta(bundle, "version") },
	};
	const struct policy_parts *parts = bundle_parts(bundle);
	struct policy_part *part = parts->part;
	while (strcmp(part->name, name) != 0)
		part++;
	const struct policy_part whole = *part;
	*part = (struct policy_part){ whole.name, text, strlen(text) };
	bundle_digest(meta, ARRAY_LEN(meta), parts, digest);
	*part = whole;
	bundle_close(bundle);
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	run(db, "UPDATE part SET body = ? WHERE name = ?", name, text, (int)strlen(text));
	run(db, "UPDATE meta SET value = ? WHERE name = ?", "digest", digest, -1);
	sqlite3_close(db);
}

static void
a_gateway_does_not_take_the_builders_word(void **state)
{
	const char *dir = *state;
	char folder[100], file[100];
	struct bundle *bundle = NULL;
	struct buf report = { 0 };
	struct err err = { 0 };

	snprintf(folder, sizeof(folder), "%s/forged", dir);
	snprintf(file, sizeof(file), "%s/forged.bundle", dir);
	write_folder(folder, "f0,f1,margin\n2,4,0.5\n");
	assert_int_equal(bundle_build(folder, file, &report, &err), 0);
	assert_int_equal(bundle_open(file, "policy", &bundle, &err), 0);
	assert_int_equal(bundle_examine(bundle, &report, &err), 0);
	bundle_close(bundle);

	forge(file, CHURN, "f0,f1,margin\n2,4,0.25\n");
	assert_int_equal(bundle_open(file, "policy", &bundle, &err), 0);
	assert_int_equal(bundle_examine(bundle, &report, &err), AISLE_E_REFUSED);
	assert_string_equal(err.file, CHURN);
	expect_part(err.text, "row 1: model \"churn\" gives margin 0.5, expected 0.25");
	bundle_close(bundle);
	buf_done(&report);
}

static void
a_gateway_reads_no_model_that_was_not_built(void **state)
{
	const char *dir = *state;
	char folder[100], file[100];
	struct bundle *bundle = NULL;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	struct err err = { 0 };

	snprintf(folder, sizeof(folder), "%s/source", dir);
	snprintf(file, sizeof(file), "%s/source.bundle", dir);
	write_folder(folder, "f0,f1,margin\n2,4,0.5\n");
	assert_int_equal(bundle_build(folder, file, &report, &err), 0);
	forge(file, "models/churn.model",
	    "{\"format\":\"aisle-linear\",\"link\":\"logit\",\"bias\":0,\"weights\":{\"f0\":1,"
	    "\"f1\":1}}");
	assert_int_equal(bundle_open(file, "policy", &bundle, &err), 0);
	assert_int_not_equal(bundle_policy(bundle, &policy, &report), 0);
	expect_part(report.data, "not a model, expected the flat form");
	bundle_close(bundle);
	buf_done(&report);
}

static int
set_up(void **state)
{
	char *dir = strdup("/tmp/aisle-exam-XXXXXX");

	*state = mkdtemp(dir);
	return *state == NULL;
}

static int
tear_down(void **state)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
	int status = system(command);
	free(*state);
	return status;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_that_gives_its_margins_passes),
		cmocka_unit_test(columns_are_found_by_name_and_never_by_position),
		cmocka_unit_test(another_margin_is_refused_with_row_expected_and_got),
		cmocka_unit_test(an_exam_that_cannot_be_read_fails),
		cmocka_unit_test(a_tolerance_is_the_last_difference_that_passes),
		cmocka_unit_test(a_model_without_exam_is_said_to_have_none),
		cmocka_unit_test(a_model_that_says_in_part_what_it_predicts_is_warned_of),
		cmocka_unit_test(the_author_sees_it_at_check_and_build_and_no_bundle_is_made),
		cmocka_unit_test(a_gateway_does_not_take_the_builders_word),
		cmocka_unit_test(a_gateway_reads_no_model_that_was_not_built),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
