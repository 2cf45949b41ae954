/* SPDX-License-Identifier: Apache-2.0
 *
 * records.h - HQ's table `record`: what all stores sent, once each, in SQLite or PostgreSQL.
 */
#ifndef AISLE_HQ_RECORDS_H
#define AISLE_HQ_RECORDS_H

#include "hq/batch.h"
#include "hq/erasure.h"
#include "hq/keep.h"

struct records_kind;
struct records {
	const struct records_kind *kind;
	bool live; /* what is written comes from stores now, and the table heard says when */
};
/* into: "sqlite:FILE", made if it is not there, or "postgres:…", as pg.h has it. keep NULL:
 * everything for good. 0, AISLE_E_INVALID, AISLE_E_IO. */
int records_open(const char *into, const struct keep *keep, struct records **ret_records,
    struct err *err) AISLE_MUST_CHECK;
void records_close(struct records *records);
/* All of them in one transaction, durable when it returns 0. Rows that are there already stay as
 * they are; what is no longer kept, or of customers that were forgotten, does not come in.
 * AISLE_E_IO: nothing is kept, open anew. AISLE_E_INVALID: nothing is kept, for one of the batches
 * is not to be had. */
int records_write(struct records *records, const struct batch *const *batches, size_t count)
    AISLE_MUST_CHECK;
/* Makes room: drops a part of what is no longer kept, makes partitions ahead. *ret_more: there is
 * more of it. AISLE_E_IO: open anew. */
int records_tend(struct records *records, bool *ret_more) AISLE_MUST_CHECK;
/* Forgets those whom the database does not know as forgotten since that time: from now on in everything that is written, and
 * in what is there. Says how many of them were new and how many records changed. AISLE_E_IO. */
int records_erase(struct records *records, const struct erasures *erasures, long long *ret_new,
    long long *ret_records) AISLE_MUST_CHECK;
/* Each record that names the subject, and the outcomes of decisions that do; at as RFC 3339. AISLE_E_IO. */
struct record {
	const char *store, *epoch, *lane, *type, *at, *body;
	int64_t seq;
};
typedef void (*record_fn)(void *ctx, const struct record *record);
int records_of(struct records *records, const char *subject, record_fn each, void *ctx)
    AISLE_MUST_CHECK;
const char *records_error(struct records *records);

#endif
