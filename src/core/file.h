/* SPDX-License-Identifier: Apache-2.0
 *
 * file.h - small files as a whole: read once, written so that a reader or a power cut finds the old one or the new one.
 */
#ifndef AISLE_CORE_FILE_H
#define AISLE_CORE_FILE_H

#include "core/buf.h"

/* Appends what is in the file, a pipe or a device ("-": stdin): read from its begin to its end, once. AISLE_E_NONE: there is none;
 * AISLE_E_INVALID: more than max bytes. out has a NUL behind it and was never copied while it grew. */
int file_read(const char *path, size_t max, struct buf *out, struct err *err) AISLE_MUST_CHECK;
/* Beside it, synced, renamed, and the folder synced. fresh: AISLE_E_REFUSED if there is one of that name already;
 * AISLE_E_FULL: no room. A kill in between leaves a file that is called like it with seven characters more. What is a pipe
 * or a device stays one, and is written into. */
int file_write(const char *path, const void *bytes, size_t len, int mode, bool fresh,
    struct err *err) AISLE_MUST_CHECK;
/* For who writes a file beside and renames it alone. AISLE_E_INVALID: a pipe or a device is there, which would be gone. */
int file_replaceable(const char *path, struct err *err) AISLE_MUST_CHECK;
/* A file that somebody wrote comes to its place, whether there is one or not: synced, renamed, and the folder synced. from may
 * be to: what a kill or an error left there before. */
int file_move(const char *from, const char *to, struct err *err) AISLE_MUST_CHECK;
/* Its bytes reach the disk, as far as can be without a word: whoever syncs it then has little left to wait for. */
void file_settle(const char *path);
/* All of it, at that place of an open file. false: errno; of file_read_at() 0 where the file ends before. */
bool file_write_at(int fd, const void *bytes, size_t len, int64_t at);
bool file_read_at(int fd, void *bytes, size_t len, int64_t at);

#endif
