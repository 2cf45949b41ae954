/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_train.c - train: models from recorded events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/ctl_recorded.h"
#include "tools/train.h"

static int
run(struct ctl *ctl, struct ctl_recorded *from, struct train_options *options)
{
	struct buf summary = { 0 }, report = { 0 };
	struct ctl_progress progress = ctl_progress_start();
	struct err err = { 0 };
	uint8_t pepper[32] = { 0 };
	bool has_pepper = false;
	int rc = ctl_recorded_conf(ctl, from);

	if (rc == EX_OK)
		rc = ctl_pepper(ctl, from->pepper != NULL ? from->pepper : from->conf->pepper_file,
		    pepper, &has_pepper);
	if (rc == EX_OK) {
		options->conf = from->conf;
		options->store_named = from->store_named;
		options->policy_currency = !ctl->conf_given;
		options->pepper = has_pepper ? pepper : NULL;
		options->progress = isatty(STDERR_FILENO) ? ctl_progress_show : NULL;
		options->progress_ctx = &progress;
		rc = train_run(options, &summary, &report, &err);
		ctl_progress_end(&progress);
		if (summary.len > 0)
			fputs(summary.data, stdout);
		if (report.len > 0)
			fputs(report.data, stderr);
		rc = rc == 0 ? EX_OK : ctl_fail_err(&err);
	}
	if (rc == EX_OK)
		printf("%s: read CARD.md\n", options->output);
	options->pepper = NULL;
	options->progress_ctx = NULL;
	explicit_bzero(pepper, sizeof(pepper));
	buf_done(&summary);
	buf_done(&report);
	ctl_recorded_close(from);
	return rc;
}

/* A pipe ("<(zcat …)") would be empty the second time. */
static bool
read_once(const char *path)
{
	struct stat at;

	return strcmp(path, "-") == 0 || (stat(path, &at) == 0 && !S_ISREG(at.st_mode));
}

int
ctl_train(struct ctl *ctl)
{
	struct train_options options = { .output = ctl_option(ctl, "-o"),
		.policy = ctl_option(ctl, "--policy") };
	struct ctl_recorded from = { 0 };
	int rc = ctl_recorded_options(ctl, &from);

	if (rc == EX_OK)
		rc = ctl_words(ctl, 1, 1);
	if (rc != EX_OK)
		return rc;
	if (options.output == NULL || from.bundle != NULL || from.events != NULL)
		return ctl_usage(ctl);
	options.events = ctl->argv[0];
	options.profiles = from.profiles;
	options.turn = from.turn;
	if (read_once(options.events))
		return ctl_fail(EX_USAGE, "%s: the events are read twice: expected a file",
		    options.events);
	return run(ctl, &from, &options);
}
