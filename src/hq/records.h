/* SPDX-License-Identifier: Apache-2.0
 *
 * records.h - HQ's table `record` in SQLite: what all stores sent, once each.
 */
#ifndef AISLE_HQ_RECORDS_H
#define AISLE_HQ_RECORDS_H

#include "hq/batch.h"

struct records;
/* into: "sqlite:FILE"; made if it is not there. 0, AISLE_E_INVALID, AISLE_E_IO. */
int records_open(const char *into, struct records **ret_records, struct err *err) AISLE_MUST_CHECK;
void records_close(struct records *records);
/* A transaction begins with the first add. Rows that are there already stay as they are. */
int records_add(struct records *records, const struct batch *batch) AISLE_MUST_CHECK;
int records_commit(struct records *records) AISLE_MUST_CHECK; /* durable when it returns 0 */
void records_rollback(struct records *records);
const char *records_error(const struct records *records);

#endif
