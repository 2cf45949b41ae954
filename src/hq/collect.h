/* SPDX-License-Identifier: Apache-2.0
 *
 * collect.h - the HQ end: batches from all stores into a database, acknowledged after its own
 * commit.
 */
#ifndef AISLE_HQ_COLLECT_H
#define AISLE_HQ_COLLECT_H

#include "aisle/base.h"

struct broker_options {
	const char *url; /* mqtt[s]://HOST:PORT */
	const char *user, *password_file, *ca, *cert, *key;
};
struct collect_options {
	struct broker_options broker;
	const char *into; /* "sqlite:FILE" */
	bool once;	  /* leave after 2 s without a record */
};
int collect_run(const struct collect_options *options, struct err *err) AISLE_MUST_CHECK;

#endif
