/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_policy.c - commands for authors: rules, policies, bundles, profiles, models.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/ctl.h"
#include "logic/logic.h"
#include "profile/profiles.h"
#include "sync/bundle.h"
#include "tools/model_tool.h"

#define JSON_FILE_MAX (16u << 20)

/* ---- rules ---- */

int
ctl_rule_eval(struct ctl *ctl)
{
	json_t *rule, *data = NULL, *result = NULL;
	struct logic *logic = NULL;
	struct err err = { 0 };
	struct buf out = { 0 };
	int rc = ctl_words(ctl, 2, 2);

	if (rc != EX_OK)
		return rc;
	rule = json_read_file(ctl->argv[0], JSON_FILE_MAX, &err);
	if (rule != NULL)
		data = json_read_file(ctl->argv[1], JSON_FILE_MAX, &err);
	if (data == NULL) {
		rc = ctl_fail_err(&err);
	} else if (logic_compile(rule, NULL, NULL, &logic, &err) != 0) {
		fprintf(stderr, "%s:1:1: %s\n", ctl->argv[0], err.text);
		rc = EX_DATAERR;
	} else if (logic_run_json(logic, data, &result) != LOGIC_OK) {
		rc = ctl_fail(EX_DATAERR, "%s: the rule takes more than %d steps", ctl->argv[0],
		    LOGIC_STEPS_MAX);
	} else {
		json_write(result, &out);
		puts(out.data);
	}
	buf_done(&out);
	logic_free(logic);
	json_decref(rule);
	json_decref(data);
	json_decref(result);
	return rc;
}

/* ---- policies and bundles ---- */

int
ctl_policy_check(struct ctl *ctl)
{
	struct buf report = { 0 };
	struct err err = { 0 };
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (policy_check_dir(ctl->argv[0], &report, &err) != 0)
		rc = report.len > 0 ? EX_DATAERR : ctl_fail_err(&err);
	if (report.len > 0)
		fputs(report.data, stderr);
	if (rc == EX_OK)
		printf("%s: no mistakes\n", ctl->argv[0]);
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

/* ---- profiles ---- */

int
ctl_profiles_build(struct ctl *ctl)
{
	struct profiles_build what = { .store = ctl_option(ctl, "--store"),
		.output = ctl_option(ctl, "-o") };
	const char *pepper_file = ctl_option(ctl, "--pepper"), *to = ctl_option(ctl, "--to");
	struct conf *conf;
	uint8_t pepper[32];
	struct err err = { 0 };
	int64_t rows = 0;
	bool has_pepper;
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (what.store == NULL || what.output == NULL)
		return ctl_usage(ctl);
	if (to != NULL)
		return ctl_fail(EX_UNAVAILABLE,
		    "--to: files encrypted to a device are not made by this version");
	conf = mem_alloc(sizeof(*conf));
	rc = ctl_conf(ctl, false, conf);
	if (rc == EX_OK)
		rc = ctl_pepper(ctl, pepper_file != NULL ? pepper_file : conf->pepper_file, pepper,
		    &has_pepper);
	if (rc == EX_OK) {
		what.input = ctl->argv[0];
		what.pepper = has_pepper ? pepper : NULL;
		if (profiles_build(&what, &rows, &err) != 0)
			rc = ctl_fail_err(&err);
		else
			printf("%s %lld profiles\n", what.output, (long long)rows);
	}
	explicit_bzero(pepper, sizeof(pepper));
	conf_done(conf);
	free(conf);
	return rc;
}

/* ---- models ---- */

int
ctl_model_import(struct ctl *ctl)
{
	const char *output = ctl_option(ctl, "-o");
	struct err err = { 0 };
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (output == NULL)
		return ctl_usage(ctl);
	return model_tool_import(ctl->argv[0], output, &err) == 0 ? EX_OK : ctl_fail_err(&err);
}

int
ctl_model_inspect(struct ctl *ctl)
{
	struct buf out = { 0 };
	struct err err = { 0 };
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (model_tool_inspect(ctl->argv[0], ctl->json, &out, &err) != 0)
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
	struct err err = { 0 };
	int rc = ctl_words(ctl, 1, 2);
	const char *rows = ctl->argc > 1 ? ctl->argv[1] : NULL;

	if (rc != EX_OK)
		return rc;
	if ((explain ? model_tool_explain(ctl->argv[0], rows, stdout, &err)
		     : model_tool_score(ctl->argv[0], rows, margin, stdout, &err)) != 0)
		rc = ctl_fail_err(&err);
	return rc;
}
