/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_publish.c - aislectl publish: what HQ sends, onto its brokers.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "ctl/ctl.h"
#include "ctl/ctl_brokers.h"
#include "hq/publish_goods.h"

#define RATE_KIB_S 8192

static int
read_rate(const char *text, int64_t *ret)
{
	char *end;

	*ret = RATE_KIB_S;
	if (text == NULL)
		return EX_OK;
	*ret = strtol(text, &end, 10);
	if (*end != '\0' || *ret < 64 || *ret > 1 << 20)
		return ctl_fail(EX_USAGE, "--rate %s: expected KiB a second, from 64", text);
	return EX_OK;
}

int
ctl_publish(struct ctl *ctl)
{
	struct ctl_brokers *brokers = mem_zero(sizeof(*brokers));
	struct publish_options options = { .dir = ctl_option(ctl, "--dir"),
		.from = ctl_option(ctl, "--from"),
		.serve = ctl_flag(ctl, "--serve") };
	struct err err = { 0 };
	int rc = read_rate(ctl_option(ctl, "--rate"), &options.rate_kib_s);

	if (rc == EX_OK)
		rc = ctl_brokers(ctl, brokers);
	if (rc == EX_OK)
		rc = ctl_words(ctl, 0, PUBLISH_FILES_MAX);
	if (rc == EX_OK && ctl->argc == 0 && options.dir == NULL)
		rc = ctl_usage(ctl);
	if (rc == EX_OK && options.dir != NULL && goods_folder(options.dir, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK) {
		options.broker = brokers->options;
		options.files = (const char *const *)ctl->argv;
		options.file_count = (size_t)ctl->argc;
		if (publish_run(&options, &err) != 0)
			rc = err.code == AISLE_E_IO ? (ctl_fail_err(&err), EX_UNAVAILABLE)
						    : ctl_fail_err(&err);
	}
	ctl_brokers_done(brokers);
	free(brokers);
	return rc;
}
