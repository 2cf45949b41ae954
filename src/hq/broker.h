/* SPDX-License-Identifier: Apache-2.0
 *
 * broker.h - HQ's brokers, as the command line or the configuration names them.
 */
#ifndef AISLE_HQ_BROKER_H
#define AISLE_HQ_BROKER_H

#include "aisle/base.h"

#define BROKERS_MAX 16

struct broker_options {
	const char *urls[BROKERS_MAX]; /* mqtt[s]://HOST:PORT, nats://HOST:PORT,HOST:PORT … */
	size_t count;
	const char *user, *password_file, *ca, *cert, *key; /* the same for all */
};

#endif
