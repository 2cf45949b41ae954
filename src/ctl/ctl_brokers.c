/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_brokers.c - HQ's brokers as collect and publish are given them: --broker, else [hq].
 */
#include "ctl/ctl_brokers.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "core/conf_broker.h"

static int
of_conf(struct ctl *ctl, struct ctl_brokers *brokers)
{
	struct broker_options *options = &brokers->options;
	struct conf *conf = &brokers->conf;
	conf_done(conf);
	int rc = ctl_conf(ctl, true, conf);
	if (rc == EX_OK && conf->hq_host == NULL)
		rc = ctl_fail(EX_CONFIG, "no --broker, and no [hq] host in the configuration");
	if (rc != EX_OK)
		return rc;
	options->user = conf->hq_user;
	options->password_file = conf->hq_password_file;
	options->ca = conf->hq_ca;
	options->cert = conf->hq_cert;
	options->key = conf->hq_key;
	struct conf_broker list[CONF_BROKERS_MAX];
	size_t count = conf_brokers(conf, list);
	for (size_t i = 0; i < count && options->count < BROKERS_MAX; i++) {
		char *url = brokers->urls[options->count];
		bool v6 = strchr(list[i].host, ':') != NULL;
		snprintf(url, BROKER_URL_SIZE, "mqtt%s://%s%.255s%s:%d",
		    conf->hq_ca != NULL ? "s" : "", v6 ? "[" : "", list[i].host, v6 ? "]" : "",
		    list[i].port);
		options->urls[options->count++] = url;
	}
	return EX_OK;
}

int
ctl_brokers(struct ctl *ctl, struct ctl_brokers *brokers)
{
	struct broker_options *options = &brokers->options;
	const char *url;
	*options = (struct broker_options){ .user = ctl_option(ctl, "--user"),
		.password_file = ctl_option(ctl, "--password-file"),
		.ca = ctl_option(ctl, "--ca"),
		.cert = ctl_option(ctl, "--cert"),
		.key = ctl_option(ctl, "--key") };
	conf_init(&brokers->conf);
	while ((url = ctl_option(ctl, "--broker")) != NULL) {
		if (options->count == BROKERS_MAX)
			return ctl_fail(EX_USAGE, "expected at most %d of --broker", BROKERS_MAX);
		options->urls[options->count++] = url;
	}
	return options->count > 0 ? EX_OK : of_conf(ctl, brokers);
}

void
ctl_brokers_done(struct ctl_brokers *brokers)
{
	conf_done(&brokers->conf);
}
