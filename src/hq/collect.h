/* SPDX-License-Identifier: Apache-2.0
 *
 * collect.h - the HQ end: batches from all stores into a database, acknowledged after its own
 * commit.
 */
#ifndef AISLE_HQ_COLLECT_H
#define AISLE_HQ_COLLECT_H

#include "hq/broker.h"
#include "hq/keep.h"

struct collect_options {
	struct broker_options broker;
	const char *into;    /* as records_open() has it */
	const char *archive; /* a folder for the batches as they came; NULL: none */
	const char
	    *erased; /* the file of those who were forgotten; NULL: as erased_path() has it */
	struct keep keep;
	bool once; /* leave after 2 s without a record */
};
int collect_run(const struct collect_options *options, struct err *err) AISLE_MUST_CHECK;

#endif
