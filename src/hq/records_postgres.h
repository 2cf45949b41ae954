/* SPDX-License-Identifier: Apache-2.0
 *
 * records_postgres.h - what the files of the PostgreSQL sink share.
 */
#ifndef AISLE_HQ_RECORDS_POSTGRES_H
#define AISLE_HQ_RECORDS_POSTGRES_H

#include "hq/partitions.h"
#include "hq/records_internal.h"

struct postgres {
	struct records base;
	PGconn *pg;
	struct keep keep;
	struct partitions days;
	struct erasures erasures;
	int64_t erasures_seen; /* erased.n */
	char error[300];
};

/* records_erased.c: those that were forgotten since the last look. */
int postgres_read_erased(struct postgres *postgres) AISLE_MUST_CHECK;
int postgres_erase(struct records *records, const struct erasures *erasures, long long *ret_new,
    long long *ret_records);
int postgres_of(struct records *records, const char *subject, record_fn each, void *ctx);

#endif
