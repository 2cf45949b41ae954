/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_hq.c - the HQ end, and the check of a till feed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "ctl/ctl.h"
#include "ctl/ctl_brokers.h"
#include "hq/collect.h"
#include "tools/feed.h"

int
ctl_collect(struct ctl *ctl)
{
	struct collect_options options = {
		.into = ctl_option(ctl, "--into"),
		.archive = ctl_option(ctl, "--archive"),
		.erased = ctl_option(ctl, "--erased"),
		.once = ctl_flag(ctl, "--once"),
	};
	struct ctl_brokers *brokers = mem_zero(sizeof(*brokers));
	struct err err = { 0 };
	const char *keep = ctl_option(ctl, "--keep");
	int rc = options.into != NULL ? ctl_brokers(ctl, brokers) : ctl_usage(ctl);

	if (rc == EX_OK)
		rc = ctl_words(ctl, 0, 0);
	if (rc == EX_OK && keep != NULL && keep_read(keep, &options.keep, &err) != 0)
		rc = ctl_fail(EX_USAGE, "%s", err.text);
	options.broker = brokers->options;
	if (rc == EX_OK && collect_run(&options, &err) != 0)
		rc = err.code == AISLE_E_IO ? (ctl_fail_err(&err), EX_UNAVAILABLE)
					    : ctl_fail_err(&err);
	ctl_brokers_done(brokers);
	free(brokers);
	return rc;
}

int
ctl_feed_check(struct ctl *ctl)
{
	struct feed_source source = { .store = ctl_option(ctl, "--store"),
		.catalog = ctl_option(ctl, "--catalog"),
		.now_ms = (int64_t)time(NULL) * S_MS };
	struct buf out = { 0 };
	struct err err = { 0 };
	bool ready;
	int rc = ctl_words(ctl, 0, 1);

	if (rc != EX_OK)
		return rc;
	source.path = ctl->argc > 0 ? ctl->argv[0] : NULL;
	if (feed_check(&source, ctl->json, &out, &ready, &err) != 0)
		rc = ctl_fail_err(&err);
	else if (!ready)
		rc = EX_DATAERR;
	if (out.len > 0)
		fputs(out.data, stdout);
	buf_done(&out);
	return rc;
}
