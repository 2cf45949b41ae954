/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_policy.c - commands for authors: policies, bundles, profiles, models.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <time.h>

#include "core/arena.h"
#include "core/when.h"
#include "ctl/ctl.h"
#include "sync/bundle.h"
#include "tools/model_tool.h"
#include "tools/goods_seen.h"
#include "tools/preview.h"

#define JSON_FILE_MAX (16u << 20)

/* ---- policies and bundles ---- */

/* One line of a report, "file:line:column: what, expected what"; mistakes, warnings and notes alike. */
static json_t *
finding_of(char *line)
{
	char *colon = strstr(line, ": "), *text = colon != NULL ? colon + 2 : line,
	     *number[2] = { 0 };
	bool warns = strncmp(text, "warning: ", 9) == 0, notes = strncmp(text, "note: ", 6) == 0;
	char *expected, *found = NULL;

	if (colon == NULL)
		return json_pack("{s:s}", "what", line);
	text += warns ? 9 : notes ? 6 : 0;
	*colon = '\0';
	for (int i = 1; i >= 0; i--)
		if ((colon = strrchr(line, ':')) != NULL) {
			*colon = '\0';
			number[i] = colon + 1;
		}
	for (expected = strstr(text, ", expected "); expected != NULL;
	     expected = strstr(expected + 1, ", expected "))
		found = expected;
	if (found != NULL)
		*found = '\0';
	return json_pack("{s:s, s:i, s:i, s:s, s:s, s:s*}", "file", line, "line",
	    number[0] != NULL ? atoi(number[0]) : 1, "column",
	    number[1] != NULL ? atoi(number[1]) : 1, "is",
	    warns	? "warning"
		: notes ? "note"
			: "mistake",
	    "what", text, "expected", found != NULL ? found + 11 : NULL);
}

static json_t *
findings_of(const char *report)
{
	json_t *findings = json_array();

	CHECK(findings != NULL);
	for (const char *line = report; *line != '\0'; line += strcspn(line, "\n") + 1) {
		char *copy = strndup(line, strcspn(line, "\n"));

		CHECK(copy != NULL);
		json_array_append_new(findings, finding_of(copy));
		free(copy);
	}
	return findings;
}

/* Prints the report. Mistakes, or warnings where strict: they are counted. */
static void
check_print(struct ctl *ctl, const struct buf *report, size_t *ret_warnings)
{
	json_t *findings = findings_of(report->data != NULL ? report->data : ""), *finding;
	size_t i;

	*ret_warnings = 0;
	json_array_foreach(findings, i, finding)
		*ret_warnings += strcmp(ctl_text(finding, "is"), "warning") == 0;
	if (ctl->json)
		ctl_print_json(findings);
	else if (report->len > 0)
		fputs(report->data, stderr);
	json_decref(findings);
}

/* What the tills of a recording have sold; path NULL: *ret_goods is NULL. */
static int
read_goods(const char *path, struct arena *arena, struct policy_goods **ret_goods)
{
	struct policy_goods *goods;
	struct err err = { 0 };
	FILE *events;
	int rc;

	*ret_goods = NULL;
	if (path == NULL)
		return EX_OK;
	events = fopen(path, "r");
	if (events == NULL)
		return ctl_fail(EX_NOINPUT, "%s: %s", path, strerror(errno));
	goods = arena_alloc(arena, sizeof(*goods));
	rc = goods_seen(events, arena, goods, &err);
	fclose(events);
	if (rc != 0)
		return ctl_fail(EX_DATAERR, "%s: %s", path, err.text);
	*ret_goods = goods;
	return EX_OK;
}

static int
check_dir(struct ctl *ctl, int64_t now_ms, const struct policy_goods *goods, bool strict)
{
	struct buf report = { 0 };
	struct err err = { 0 };
	size_t warnings;
	int rc, status = policy_check_dir(ctl->argv[0], now_ms, goods, &report, &err);

	if (status != 0 && report.len == 0) {
		rc = ctl_fail_err(&err);
	} else {
		check_print(ctl, &report, &warnings);
		rc = status != 0 || (strict && warnings > 0) ? EX_DATAERR : EX_OK;
		if (status == 0 && !ctl->json && warnings > 0)
			printf("%s: no mistakes, %zu warning%s\n", ctl->argv[0], warnings,
			    warnings == 1 ? "" : "s");
		else if (status == 0 && !ctl->json)
			printf("%s: no mistakes\n", ctl->argv[0]);
	}
	buf_done(&report);
	return rc;
}

int
ctl_policy_check(struct ctl *ctl)
{
	bool strict = ctl_flag(ctl, "--strict");
	const char *at = ctl_option(ctl, "--at"), *events = ctl_option(ctl, "--events");
	int64_t now_ms = (int64_t)time(NULL) * S_MS;
	struct arena *arena;
	struct policy_goods *goods;
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (at != NULL && !when_parse(at, &now_ms))
		return ctl_fail(EX_USAGE,
		    "--at %s: not a time, expected one such as 2026-11-21T10:15:00Z", at);
	arena = arena_new();
	rc = read_goods(events, arena, &goods);
	if (rc == EX_OK)
		rc = check_dir(ctl, now_ms, goods, strict);
	arena_free(arena);
	return rc;
}

static int
write_page(const struct bundle *bundle, const char *output)
{
	struct buf report = { 0 }, page = { 0 };
	struct policy *policy = NULL;
	FILE *file = NULL;
	int rc = EX_OK;

	if (bundle_policy(bundle, &policy, &report) != 0) {
		rc = ctl_fail(EX_DATAERR, "%s",
		    report.len > 0 ? report.data : "the policy does not compile");
	} else {
		preview_page(policy, bundle_parts(bundle), &page);
		file = fopen(output, "w");
		if (file == NULL || fwrite(page.data, 1, page.len, file) != page.len)
			rc = EX_IOERR;
		if (file != NULL && fclose(file) != 0)
			rc = EX_IOERR;
		if (rc != EX_OK)
			ctl_fail(rc, "%s: cannot write: %s", output, strerror(errno));
		policy_free(policy);
	}
	buf_done(&report);
	buf_done(&page);
	return rc;
}

/* By way of a bundle: what is looked at is what stores would get. */
int
ctl_policy_preview(struct ctl *ctl)
{
	const char *output = ctl_option(ctl, "-o");
	struct buf report = { 0 };
	struct err err = { 0 };
	struct bundle *bundle = NULL;
	char path[4096];
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK || output == NULL)
		return rc != EX_OK ? rc : ctl_usage(ctl);
	if (snprintf(path, sizeof(path), "%s.bundle-%d", output, (int)getpid()) >=
	    (int)sizeof(path))
		return ctl_fail(EX_USAGE, "-o: name too long");
	if (bundle_build(ctl->argv[0], path, &report, &err) != 0)
		rc = report.len > 0 ? EX_DATAERR : ctl_fail_err(&err);
	if (report.len > 0)
		fputs(report.data, stderr);
	if (rc == EX_OK && bundle_open(path, "policy", &bundle, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK)
		rc = write_page(bundle, output);
	if (bundle != NULL)
		bundle_close(bundle);
	unlink(path);
	buf_done(&report);
	return rc;
}

int
ctl_bundle_build(struct ctl *ctl)
{
	const char *output = ctl_option(ctl, "-o");
	struct buf report = { 0 };
	struct err err = { 0 };
	struct bundle *bundle;
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (output == NULL)
		return ctl_usage(ctl);
	if (bundle_build(ctl->argv[0], output, &report, &err) != 0)
		rc = report.len > 0 ? EX_DATAERR : ctl_fail_err(&err);
	if (report.len > 0)
		fputs(report.data, stderr);
	if (rc == EX_OK && bundle_open(output, "policy", &bundle, &err) == 0) {
		printf("%s %lld bytes %s\n", output, (long long)bundle_bytes(bundle),
		    bundle_hash(bundle));
		bundle_close(bundle);
	}
	buf_done(&report);
	return rc;
}

int
ctl_bundle_inspect(struct ctl *ctl)
{
	struct buf out = { 0 };
	struct err err = { 0 };
	struct bundle *bundle;
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (bundle_open(ctl->argv[0], NULL, &bundle, &err) != 0)
		return ctl_fail_err(&err);
	bundle_inspect(bundle, ctl->json, &out);
	fputs(out.data, stdout);
	if (out.len > 0 && out.data[out.len - 1] != '\n')
		putchar('\n');
	buf_done(&out);
	bundle_close(bundle);
	return EX_OK;
}

int
ctl_bundle_examine(struct ctl *ctl)
{
	struct buf report = { 0 };
	struct err err = { 0 };
	struct bundle *bundle;
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (bundle_open(ctl->argv[0], "policy", &bundle, &err) != 0)
		return ctl_fail_err(&err);
	if (bundle_examine(bundle, &report, &err) != 0)
		rc = ctl_fail_err(&err);
	if (report.len > 0)
		fputs(report.data, rc == EX_OK ? stdout : stderr);
	else if (rc == EX_OK)
		puts("passed");
	buf_done(&report);
	bundle_close(bundle);
	return rc;
}

/* ---- models ---- */

/* --trees: which count of a file whose training stopped early. */
static bool
read_trees(struct ctl *ctl, enum model_trees *ret)
{
	const char *said = ctl_option(ctl, "--trees");

	*ret = said == NULL		? MODEL_TREES_UNSAID
	    : strcmp(said, "best") == 0 ? MODEL_TREES_BEST
					: MODEL_TREES_ALL;
	return said == NULL || *ret == MODEL_TREES_BEST || strcmp(said, "all") == 0;
}

int
ctl_model_import(struct ctl *ctl)
{
	const char *output = ctl_option(ctl, "-o");
	enum model_trees trees;
	struct err err = { 0 };
	bool said = read_trees(ctl, &trees);
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (output == NULL || !said)
		return ctl_usage(ctl);
	return model_tool_import(ctl->argv[0], trees, output, &err) == 0 ? EX_OK
									 : ctl_fail_err(&err);
}

int
ctl_model_inspect(struct ctl *ctl)
{
	struct buf out = { 0 };
	enum model_trees trees;
	struct err err = { 0 };
	bool said = read_trees(ctl, &trees);
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (!said)
		return ctl_usage(ctl);
	if (model_tool_inspect(ctl->argv[0], trees, ctl->json, &out, &err) != 0)
		rc = ctl_fail_err(&err);
	else
		fputs(out.data, stdout);
	buf_done(&out);
	return rc;
}

int
ctl_model_score(struct ctl *ctl)
{
	bool margin = ctl_flag(ctl, "--margin"), explain = ctl_flag(ctl, "--explain");
	enum model_trees trees;
	struct err err = { 0 };
	bool said = read_trees(ctl, &trees);
	int rc = ctl_words(ctl, 1, 2);
	const char *rows = ctl->argc > 1 ? ctl->argv[1] : NULL;

	if (rc != EX_OK)
		return rc;
	if (!said)
		return ctl_usage(ctl);
	if ((explain ? model_tool_explain(ctl->argv[0], trees, rows, stdout, &err)
		     : model_tool_score(ctl->argv[0], trees, rows, margin, stdout, &err)) != 0)
		rc = ctl_fail_err(&err);
	return rc;
}
