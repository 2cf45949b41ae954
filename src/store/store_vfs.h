/* SPDX-License-Identifier: Apache-2.0
 *
 * store_vfs.h - what state.db and keys.db stand on: a VFS that joins writes and has a sum in each page.
 */
#ifndef AISLE_STORE_STORE_VFS_H
#define AISLE_STORE_STORE_VFS_H

#include <sqlite3.h>

#include "aisle/base.h"

/* The name of a VFS over real_name (NULL: the default one) that joins writes. */
const char *store_vfs(const char *real_name);
/* By tests/bench/loop.py, KiB written an event that changes a card, one event a turn and about seven: 12.8 and
 * 8.2 with 512-byte pages, 20 and 11 with 1 KiB, 27 and 14 with 2 KiB. Processor time does not differ: the
 * writes are joined. */
#define STORE_PAGE_BYTES 512
#define STORE_PAGE_SUM 8 /* bytes at the end of each page of the database */
/* Room for the sums, in a database that is yet to be made; an SQLite result. */
int store_vfs_reserve(sqlite3 *db);
/* How many pages without a sum were read in this process: another program wrote them. */
int64_t store_vfs_foreign(void);
/* Reads pages first_page (from 0) … of the file; *ret_bad are not what was written, and those of another program get
 * their sum. An SQLite result. */
int store_vfs_check(sqlite3 *db, int64_t first_page, int64_t count, int64_t *ret_bad);
/* Is the page that was read from that place of a file what was written there, or another program's? */
bool store_vfs_whole(const uint8_t page[static STORE_PAGE_BYTES], int64_t at);
/* The user_version that the file at path has, as its log says it; -1: there is no such file, or its first page is damaged. */
int store_file_version(const char *path);
/* Transactions in the log at path that lie behind a frame which is not what was written; 1 may be the last one,
 * which a power cut left half. *ret_frames: pages that the log has before it, of whole transactions. */
int store_wal_lost(const char *path, int64_t *ret_frames);

#endif
