/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_report.c - aislectl report: what experiments brought, over all stores.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "core/file.h"
#include "core/when.h"
#include "ctl/ctl.h"
#include "tools/report.h"

static int
read_number(const char *option, const char *text, double least, double most, double *ret)
{
	char *end;
	double number;

	if (text == NULL)
		return EX_OK;
	number = strtod(text, &end);
	if (*text == '\0' || *end != '\0' || !(number >= least && number <= most))
		return ctl_fail(EX_USAGE, "%s %s: expected a number from %g to %g", option, text,
		    least, most);
	*ret = number;
	return EX_OK;
}

/* A day, or an instant. */
static int
read_start(const char *text, int64_t *ret_ms)
{
	int32_t days;

	if (text == NULL || when_parse(text, ret_ms))
		return EX_OK;
	if (!when_date(text, &days))
		return ctl_fail(EX_USAGE,
		    "--start %s: expected a day, as in 2026-10-05, or RFC 3339 with a zone", text);
	*ret_ms = days * D_MS;
	return EX_OK;
}

static int
read_options(struct ctl *ctl, struct report_options *options)
{
	const char *start = ctl_option(ctl, "--start"), *weeks = ctl_option(ctl, "--weeks"),
		   *effect = ctl_option(ctl, "--effect");
	double number = 0;
	int rc;

	options->from = ctl_option(ctl, "--from");
	options->bundle = ctl_option(ctl, "--bundle");
	rc = read_start(start, &options->start_ms);
	if (rc == EX_OK)
		rc = read_number("--weeks", weeks, 1, SALES_WEEKS_MAX, &number);
	options->weeks = (int)number;
	if (rc == EX_OK)
		rc = read_number("--effect", effect, 0.01, 1e9, &options->effect);
	if (rc == EX_OK && (start == NULL) != (weeks == NULL))
		rc = ctl_fail(EX_USAGE, "--start and --weeks go together");
	if (rc == EX_OK && options->from != NULL && options->bundle == NULL && start == NULL)
		rc = ctl_fail(EX_USAGE,
		    "expected --bundle with a plan in it, or --start and --weeks: when treatment "
		    "began");
	return rc;
}

static int
write_file(const char *page, const char *ending, const struct buf *text)
{
	size_t stem = strlen(page) - strlen(".html");
	struct err err = { 0 };
	struct buf path = { 0 };
	int rc = EX_OK;

	buf_add(&path, page, stem);
	buf_adds(&path, ending);
	if (file_write(path.data, text->data, text->len, 0644, false, &err) != 0)
		rc = ctl_fail_err(&err);
	buf_done(&path);
	return rc;
}

static int
write_all(const char *page, const struct report *report)
{
	struct buf html = { 0 }, json = { 0 }, csv = { 0 }, figures = { 0 };
	int rc;

	report_page(report, &html);
	report_json(report, &json);
	buf_addc(&json, '\n');
	lift_report_csv(&report->lift, &csv);
	report_csv(report, &figures);
	rc = write_file(page, ".html", &html);
	if (rc == EX_OK)
		rc = write_file(page, ".json", &json);
	if (rc == EX_OK)
		rc = write_file(page, ".csv", &csv);
	if (rc == EX_OK)
		rc = write_file(page, "-figures.csv", &figures);
	buf_done(&html);
	buf_done(&json);
	buf_done(&csv);
	buf_done(&figures);
	return rc;
}

static void
print_sentences(const struct report *report)
{
	for (size_t i = 0; i < report->lift.count; i++) {
		const struct lift_comparison *comparison = &report->lift.comparisons[i];
		struct buf sentence = { 0 };

		lift_sentence(comparison, &report->money, &sentence);
		printf("%s%s%s, %s against %s: %s\n", comparison->plan.experiment,
		    comparison->plan.ring != NULL ? ", ring " : "",
		    comparison->plan.ring != NULL ? comparison->plan.ring : "",
		    comparison->arms[1].name, comparison->arms[0].name, sentence.data);
		buf_done(&sentence);
	}
}

static void
print_json(const struct report *report)
{
	struct buf json = { 0 };

	report_json(report, &json);
	puts(json.data);
	buf_done(&json);
}

int
ctl_report(struct ctl *ctl)
{
	const char *page = ctl_option(ctl, "-o");
	struct report_options options = { 0 };
	struct report report = { 0 };
	struct err err = { 0 };
	int rc = read_options(ctl, &options);

	if (rc == EX_OK)
		rc = ctl_words(ctl, 0, 0);
	if (rc == EX_OK && options.from == NULL)
		rc = ctl_usage(ctl);
	if (rc == EX_OK && page != NULL &&
	    (strlen(page) < 6 || strcmp(page + strlen(page) - 5, ".html") != 0))
		rc = ctl_fail(EX_USAGE, "-o %s: expected a name that ends in .html", page);
	if (rc == EX_OK && report_run(&options, &report, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK && report.notes.len > 0)
		fputs(report.notes.data, stderr);
	if (rc == EX_OK && page != NULL)
		rc = write_all(page, &report);
	else if (rc == EX_OK && ctl->json)
		print_json(&report);
	else if (rc == EX_OK)
		print_sentences(&report);
	report_done(&report);
	return rc;
}
