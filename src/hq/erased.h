/* SPDX-License-Identifier: Apache-2.0
 *
 * erased.h - the file of those whom HQ has forgotten. It lies beside the database and the archive, so that a copy that is
 * put back does not bring anybody back.
 */
#ifndef AISLE_HQ_ERASED_H
#define AISLE_HQ_ERASED_H

#include "hq/erasure.h"

#define ERASED_FILE_MAX (64u << 20)

/* Where it lies: given, else in the archive, else beside the SQLite file. false: nowhere. */
bool erased_path(const char *given, const char *archive, const char *into, struct buf *ret_path);
/* Adds what it says; a file that is not there says nothing. 0, AISLE_E_IO, AISLE_E_INVALID. */
int erased_read(const char *path, struct erasures *erasures, struct err *err) AISLE_MUST_CHECK;
/* What it says now, where it has changed since. seen: zero at first. */
struct erased_seen {
	struct erasures erasures;
	int64_t size, changed_ns;
	uint64_t inode;
};
int erased_refresh(const char *path, struct erased_seen *seen, struct err *err) AISLE_MUST_CHECK;
/* One more, on disk when it returns 0. */
int erased_add(const char *path, const struct erasure *erasure, struct err *err) AISLE_MUST_CHECK;

#endif
