/* SPDX-License-Identifier: Apache-2.0
 *
 * records_internal.h - what the two databases have to offer.
 */
#ifndef AISLE_HQ_RECORDS_INTERNAL_H
#define AISLE_HQ_RECORDS_INTERNAL_H

#include "hq/records.h"

struct records_kind {
	void (*close)(struct records *records);
	int (*write)(struct records *records, const struct batch *const *batches, size_t count);
	int (*tend)(struct records *records, bool *ret_more);
	int (*erase)(struct records *records, const struct erasures *erasures, long long *ret_new,
	    long long *ret_records);
	int (*of)(struct records *records, const char *subject, record_fn each, void *ctx);
	const char *(*error)(struct records *records);
};

int records_sqlite(const char *path, const struct keep *keep, struct records **ret_records,
    struct err *err) AISLE_MUST_CHECK;
int records_postgres(const char *into, const struct keep *keep, struct records **ret_records,
    struct err *err) AISLE_MUST_CHECK;

#endif
