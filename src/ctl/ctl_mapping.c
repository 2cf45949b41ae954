/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_mapping.c - a till's own messages through a mapping, without a store.
 */
#include "ctl/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "tools/mapping_try.h"

int
ctl_mapping_try(struct ctl *ctl)
{
	const char *topic = ctl_option(ctl, "--topic");
	struct conf *conf = mem_zero(sizeof(*conf));
	struct buf out = { 0 }, report = { 0 };
	int rc = ctl_words(ctl, 1, 2);

	conf_init(conf);
	if (rc == EX_OK && ctl->conf_given)
		rc = ctl_conf(ctl, true, conf);
	if (rc == EX_OK) {
		struct mapping_try options = { .mapping = ctl->argv[0],
			.payload =
			    ctl->argc > 1 && strcmp(ctl->argv[1], "-") != 0 ? ctl->argv[1] : NULL,
			.topic = topic,
			.currency = conf->currency,
			.zone = conf->zone,
			.json = ctl->json };
		int tried = mapping_try(&options, &out, &report);

		rc = tried == 0 ? EX_OK : tried == AISLE_E_IO ? EX_NOINPUT : EX_DATAERR;
	}
	if (out.len > 0)
		fputs(out.data, stdout);
	if (report.len > 0)
		fputs(report.data, stderr);
	buf_done(&out);
	buf_done(&report);
	conf_done(conf);
	free(conf);
	return rc;
}
