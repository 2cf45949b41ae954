/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_policy_diff.c - aislectl policy diff: what a release means, before anybody signs it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "sync/bundle.h"
#include "tools/policy_diff.h"

struct side {
	struct bundle *bundle;
	struct policy *policy;
	char built[4096]; /* the bundle that was made of a folder, to be taken away */
};

/* A folder by way of a bundle: what is compared is what stores would get. */
static int
build(const char *dir, struct side *side, struct err *err)
{
	struct buf report = { 0 };
	const char *place = getenv("TMPDIR");
	int fd, rc;

	snprintf(side->built, sizeof(side->built), "%s/aisle-diff-XXXXXX",
	    place != NULL ? place : "/tmp");
	fd = mkstemp(side->built);
	if (fd < 0)
		return err_set(err, AISLE_E_IO, "%s: cannot write", side->built);
	close(fd);
	rc = bundle_build(dir, side->built, &report, err);
	if (rc != 0 && report.len > 0) {
		fputs(report.data, stderr);
		err_set(err, AISLE_E_INVALID, "%s: is no policy without mistakes", dir);
	}
	buf_done(&report);
	return rc;
}

static int
open_side(const char *path, struct side *side)
{
	struct stat st;
	struct buf report = { 0 };
	struct err err = { 0 };
	int rc = 0;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		rc = build(path, side, &err);
	if (rc == 0)
		rc = bundle_open(side->built[0] != '\0' ? side->built : path, "policy",
		    &side->bundle, &err);
	if (rc == 0 && bundle_policy(side->bundle, &side->policy, &report) != 0) {
		fputs(report.data != NULL ? report.data : "", stderr);
		rc = err_set(&err, AISLE_E_INVALID, "%s: the policy does not compile", path);
	}
	buf_done(&report);
	return rc == 0 ? EX_OK : ctl_fail_err(&err);
}

static void
close_side(struct side *side)
{
	policy_free(side->policy);
	if (side->bundle != NULL)
		bundle_close(side->bundle);
	if (side->built[0] != '\0')
		unlink(side->built);
}

static void
print_line(const json_t *line)
{
	const char *was = json_string_value(json_object_get(line, "was")),
		   *now = json_string_value(json_object_get(line, "now")),
		   *what = ctl_text(line, "what");

	if (was != NULL && now != NULL)
		printf("    %s: %s → %s\n", what, was, now);
	else if (was != NULL)
		printf("    - %s: %s\n", what, was);
	else
		printf("    + %s: %s\n", what, now != NULL ? now : "");
}

static void
print_changes(const json_t *changes)
{
	const json_t *change, *line;
	size_t i, j;

	json_array_foreach(changes, i, change) {
		const char *says = json_string_value(json_object_get(change, "says"));

		printf("%-7s %s %s%s%s%s\n", ctl_text(change, "is"), ctl_text(change, "of"),
		    ctl_text(change, "name"), says != NULL ? "  \"" : "", says != NULL ? says : "",
		    says != NULL ? "\"" : "");
		json_array_foreach(json_object_get(change, "lines"), j, line)
			print_line(line);
	}
}

/* What the models of the newer one score on their exams; its own sentence where it fails. */
static json_t *
exam_of(const struct side *side)
{
	struct buf report = { 0 };
	struct err err = { 0 };
	json_t *exam;
	bool passed = bundle_examine_policy(side->bundle, side->policy, &report, &err) == 0;

	exam = json_pack("{s:b,s:i,s:s*}", "passed", passed, "models",
	    (int)side->policy->model_count, "why", passed ? NULL : err.text);
	CHECK(exam != NULL);
	buf_done(&report);
	return exam;
}

static json_t *
name_of_side(const struct side *side)
{
	return json_pack("{s:s,s:I,s:s}", "name", side->policy->name, "version",
	    (json_int_t)side->policy->version, "hash", bundle_hash(side->bundle));
}

static void
print_text(const struct side *was, const struct side *now, const json_t *changes,
    const json_t *exam)
{
	printf("%s %lld → %s %lld: ", was->policy->name, (long long)was->policy->version,
	    now->policy->name, (long long)now->policy->version);
	if (json_array_size(changes) == 0)
		puts("no difference");
	else
		printf("%zu difference%s\n", json_array_size(changes),
		    json_array_size(changes) == 1 ? "" : "s");
	print_changes(changes);
	if (!json_is_true(json_object_get(exam, "passed")))
		printf("the exam fails: %s\n", ctl_text(exam, "why"));
	else if (now->policy->model_count > 0)
		printf("the exam of %zu model%s is passed\n", now->policy->model_count,
		    now->policy->model_count == 1 ? "" : "s");
}

int
ctl_policy_diff(struct ctl *ctl)
{
	struct side was = { 0 }, now = { 0 };
	json_t *changes, *exam;
	int rc = ctl_words(ctl, 2, 2);

	if (rc != EX_OK)
		return rc;
	rc = open_side(ctl->argv[0], &was);
	if (rc == EX_OK)
		rc = open_side(ctl->argv[1], &now);
	if (rc == EX_OK) {
		changes = policy_diff(was.policy, bundle_parts(was.bundle), now.policy,
		    bundle_parts(now.bundle));
		exam = exam_of(&now);
		if (ctl->json) {
			json_t *all = json_pack("{s:o,s:o,s:o,s:o}", "from", name_of_side(&was),
			    "to", name_of_side(&now), "exam", json_incref(exam), "changes",
			    json_incref(changes));

			ctl_print_json(all);
			json_decref(all);
		} else {
			print_text(&was, &now, changes, exam);
		}
		json_decref(exam);
		json_decref(changes);
	}
	close_side(&was);
	close_side(&now);
	return rc;
}
