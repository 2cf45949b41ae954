/* SPDX-License-Identifier: Apache-2.0
 *
 * store_check.h - every page and every row of a state looked at: what is sound, what is not.
 */
#ifndef AISLE_STORE_STORE_CHECK_H
#define AISLE_STORE_STORE_CHECK_H

#include "store/store.h"

#define STORE_CHECK_TABLES 15

struct store_checked {
	int64_t pages, bad_pages; /* of the file; bad: not what was written there */
	bool
	    new_epoch; /* the open has begun one: it copied what could be read, or lost part of the log */
	int log_lost; /* transactions behind damage in the log; 1 may be what a power cut left half */
	size_t count;
	struct {
		const char *name;
		int64_t rows, damaged; /* damaged: they do not open, and would be set aside */
	} tables[STORE_CHECK_TABLES];
	int64_t uplink, outbox; /* rows that wait for headquarters, and for the store's broker */
};

/* The pages of a file that nobody has open; before it is opened, which mends what it meets. 0 or AISLE_E_IO. */
int store_check_pages(const char *path, struct store_checked *checked) AISLE_MUST_CHECK;
/* The rows, in a transaction of its own that sets aside what does not open: for a copy, not for a state that serves. */
int store_check_rows(struct store *store, struct store_checked *checked, struct err *err)
    AISLE_MUST_CHECK;

#endif
