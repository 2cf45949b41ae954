/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_hq.c - the HQ end, and the check of a till feed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "ctl/ctl.h"
#include "hq/collect.h"
#include "tools/feed.h"

int
ctl_collect(struct ctl *ctl)
{
	struct collect_options options = {
		.broker = {
			.url = ctl_option(ctl, "--broker"), .user = ctl_option(ctl, "--user"),
			.password_file = ctl_option(ctl, "--password-file"),
			.ca = ctl_option(ctl, "--ca"), .cert = ctl_option(ctl, "--cert"),
			.key = ctl_option(ctl, "--key"),
		},
		.into = ctl_option(ctl, "--into"),
		.once = ctl_flag(ctl, "--once"),
	};
	struct conf *conf = mem_alloc(sizeof(*conf));
	struct err err = { 0 };
	char url[300];
	int rc = ctl_words(ctl, 0, 0);

	conf_init(conf);
	if (rc == EX_OK && options.into == NULL)
		rc = ctl_usage(ctl);
	if (rc == EX_OK && options.broker.url == NULL) {
		conf_done(conf);
		rc = ctl_conf(ctl, true, conf);
		if (rc == EX_OK && conf->hq_host == NULL)
			rc = ctl_fail(EX_CONFIG,
			    "no --broker, and no [hq] host in the configuration");
		if (rc == EX_OK) {
			snprintf(url, sizeof(url), "mqtt%s://%s:%d", conf->hq_ca != NULL ? "s" : "",
			    conf->hq_host, conf->hq_port);
			options.broker = (struct broker_options){ url, conf->hq_user,
				conf->hq_password_file, conf->hq_ca, conf->hq_cert, conf->hq_key };
		}
	}
	if (rc == EX_OK && collect_run(&options, &err) != 0)
		rc = err.code == AISLE_E_IO ? (ctl_fail_err(&err), EX_UNAVAILABLE)
					    : ctl_fail_err(&err);
	conf_done(conf);
	free(conf);
	return rc;
}

int
ctl_feed_check(struct ctl *ctl)
{
	const char *store = ctl_option(ctl, "--store");
	struct buf out = { 0 };
	struct err err = { 0 };
	bool ready;
	int rc = ctl_words(ctl, 0, 1);

	if (rc != EX_OK)
		return rc;
	if (feed_check(ctl->argc > 0 ? ctl->argv[0] : NULL, store, (int64_t)time(NULL) * S_MS,
		ctl->json, &out, &ready, &err) != 0)
		rc = ctl_fail_err(&err);
	else if (!ready)
		rc = EX_DATAERR;
	if (out.len > 0)
		fputs(out.data, stdout);
	buf_done(&out);
	return rc;
}
