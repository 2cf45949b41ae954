/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_catalog.c - catalogs, for headquarters: built from a table, and asked what a store would find.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "core/country.h"
#include "ctl/ctl.h"
#include "sync/catalog.h"

static int
read_version(const char *text, int64_t *ret)
{
	char again[32];

	*ret = text != NULL ? strtoll(text, NULL, 10) : 0;
	snprintf(again, sizeof(again), "%" PRId64, *ret);
	if (text != NULL && *ret > 0 && strcmp(text, again) == 0)
		return EX_OK;
	return ctl_fail(EX_USAGE, "--version: expected a whole number from 1");
}

static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= 64 &&
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
	    len;
}

static void
tell_built(const struct catalog_build *what, const struct catalog_built *built)
{
	struct bundle *bundle;
	struct err err = { 0 };

	if (bundle_open(what->output, "catalog", &bundle, &err) != 0)
		return;
	printf("%s %lld bytes %s\n%zu articles, %zu images", what->output,
	    (long long)bundle_bytes(bundle), bundle_hash(bundle), built->articles, built->pictures);
	if (built->left_out > 0)
		printf(", %zu left out that no action shows", built->left_out);
	putchar('\n');
	bundle_close(bundle);
}

int
ctl_catalog_build(struct ctl *ctl)
{
	struct catalog_build what = { .output = ctl_option(ctl, "-o"),
		.images = ctl_option(ctl, "--images"),
		.policy = ctl_option(ctl, "--policy"),
		.name = ctl_option(ctl, "--name") };
	const char *version = ctl_option(ctl, "--version");
	struct catalog_built built;
	struct buf report = { 0 };
	struct err err = { 0 };
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (what.output == NULL)
		return ctl_usage(ctl);
	if (what.name == NULL)
		what.name = "catalog";
	if (!is_name(what.name))
		return ctl_fail(EX_USAGE,
		    "--name: expected 1 to 64 of letters, digits, dot, - and _");
	rc = read_version(version, &what.version);
	if (rc != EX_OK)
		return rc;
	what.table = ctl->argv[0];
	if (catalog_build(&what, &built, &report, &err) != 0)
		rc = report.len > 0 ? EX_DATAERR : ctl_fail_err(&err);
	if (report.len > 0)
		fputs(report.data, stderr);
	if (rc == EX_OK)
		tell_built(&what, &built);
	buf_done(&report);
	return rc;
}

int
ctl_catalog_find(struct ctl *ctl)
{
	const char *country = ctl_option(ctl, "--country");
	struct buf out = { 0 };
	struct err err = { 0 };
	int rc = ctl_words(ctl, 2, 1000);

	if (rc != EX_OK)
		return rc;
	if (country != NULL && !country_is_one(country))
		return ctl_fail(EX_USAGE, "--country: expected two letters of ISO 3166, as DE");
	if (catalog_show(ctl->argv[0], country, (const char *const *)ctl->argv + 1,
		(size_t)ctl->argc - 1, ctl->json, &out, &err) != 0)
		rc = ctl_fail_err(&err);
	else
		fputs(out.data, stdout);
	buf_done(&out);
	return rc;
}
