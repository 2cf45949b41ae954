/* SPDX-License-Identifier: Apache-2.0
 *
 * folder.h - folders of the simulated disk, as they lie in memory: past what is noted and what fails.
 */
#ifndef AISLE_TESTS_SIM_FOLDER_H
#define AISLE_TESTS_SIM_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#define FOLDER_PATH 96

struct buf;

/* Where a program's folders are, in memory if that can be; each of them, empty; and all of them gone. */
void folder_begin(const char *program);
void folder_new(const char *name, char ret_path[static FOLDER_PATH]);
void folder_end(void);
/* A file's bytes, added to out. */
void folder_file(const char *folder, const char *name, struct buf *out);
void folder_put(const char *folder, const char *name, const struct buf *bytes);
void folder_clear(const char *folder);
/* Of a file; 0: there is none. */
int64_t folder_size(const char *folder, const char *name);
int64_t folder_bytes(const char *folder);
void folder_copy(const char *from, const char *to);
/* Turns one bit of a file; false: there is no such byte. */
bool folder_flip(const char *folder, const char *name, int64_t byte, int bit);

#endif
