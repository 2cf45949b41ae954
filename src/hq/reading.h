/* SPDX-License-Identifier: Apache-2.0
 *
 * reading.h - what collect wrote, read and never changed: all records of one type.
 */
#ifndef AISLE_HQ_READING_H
#define AISLE_HQ_READING_H

#include "hq/records.h"

/* Each record of that lane and type in sqlite:FILE or postgres:DSN, in the order of store, epoch
 * and sequence, the same from both; or of FILE.jsonl, which replay wrote, in its own order. AISLE_E_INVALID: from is no such name. AISLE_E_IO. */
int reading(const char *from, const char *lane, const char *type, record_fn each, void *ctx,
    struct err *err) AISLE_MUST_CHECK;
/* Those only whose body has this member, and of lines all; NULL: all. */
int reading_having(const char *from, const char *lane, const char *type, const char *member,
    record_fn each, void *ctx, struct err *err) AISLE_MUST_CHECK;
/* Is it a file of lines, in which a replay has no health? */
bool reading_lines(const char *from);

#endif
