/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_brokers.h - HQ's brokers as collect and publish are given them: --broker, else [hq].
 */
#ifndef AISLE_CTL_CTL_BROKERS_H
#define AISLE_CTL_CTL_BROKERS_H

#include "ctl/ctl.h"
#include "hq/broker.h"

#define BROKER_URL_SIZE 300

struct ctl_brokers {
	struct broker_options options;
	struct conf conf; /* what the options may point into */
	char urls[BROKERS_MAX][BROKER_URL_SIZE];
};
/* Takes the options out of argv. A sysexits code; ctl_brokers_done() in any case. */
int ctl_brokers(struct ctl *ctl, struct ctl_brokers *brokers);
void ctl_brokers_done(struct ctl_brokers *brokers);

#endif
