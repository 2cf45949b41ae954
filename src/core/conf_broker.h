/* SPDX-License-Identifier: Apache-2.0
 *
 * conf_broker.h - [hq] host: the brokers of headquarters.
 */
#ifndef AISLE_CORE_CONF_BROKER_H
#define AISLE_CORE_CONF_BROKER_H

#include "core/conf.h"

#define CONF_BROKERS_MAX 16

struct conf_broker {
	char host[256]; /* an IPv6 address without its brackets */
	int port;	/* 0: none was given */
};

/* "HOST", "HOST:PORT", "[IPv6]" or "[IPv6]:PORT". An IPv6 address without brackets is none: what would be its port? */
bool conf_broker_parse(const char *text, struct conf_broker *ret);
/* Those of conf, in its order, each with its port; 0: there is no headquarters. */
size_t conf_brokers(const struct conf *conf, struct conf_broker ret[static CONF_BROKERS_MAX]);

#endif
