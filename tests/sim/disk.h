/* SPDX-License-Identifier: Apache-2.0
 *
 * disk.h - a disk of our own under SQLite: it remembers what was written in which order, and what of it was synced.
 *
 * DESIGN
 *   SQLite's default VFS lies over the real one, on a folder in memory, and notes each call that changes something.
 *   The few calls that the product makes itself (a copy renamed into its place, a folder synced) are noted by the
 *   linker's --wrap. From these notes, up to any of them, a state of the disk is made as a power cut may leave it:
 *   of what was not synced, each 512 bytes are there or not, in any order, twice or torn; names are there up to any
 *   of them, in their order, as a file system's journal has them.
 *
 *   The same calls fail when they are told to: the n-th, once or from then on, or when the disk is full.
 *
 *   What chance there is, also libsodium's and SQLite's, comes from the seed.
 */
#ifndef AISLE_TESTS_SIM_DISK_H
#define AISLE_TESTS_SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_SECTOR 512

/* ---- chance ---- */

struct chance {
	uint64_t state;
};
uint64_t chance_next(struct chance *chance);
uint64_t chance_below(struct chance *chance, uint64_t n);

/* ---- the disk ---- */

/* Once, before anything is opened. */
void disk_install(void);
/* From here on what libsodium and SQLite draw follows from the seed. */
void disk_seed(uint64_t seed);

/* What is below folder is noted from now on; it begins with what is there, synced. One at a time. */
struct trace;
struct trace *trace_begin(const char *folder);
void trace_end(void);
void trace_free(struct trace *trace);
size_t trace_len(const struct trace *trace);

/* Walks through a trace; at never goes back. */
struct replay;
struct replay *replay_new(const struct trace *trace);
void replay_free(struct replay *replay);
/* The disk after the first at notes and a power cut, written to an empty folder. */
void replay_cut(struct replay *replay, size_t at, uint64_t seed, const char *folder);

/* ---- faults ---- */

/* Calls that can fail, since disk_mend(). */
int64_t disk_calls(void);
/* The n-th of them (from 1) fails, with the disk full or not; for_good: and all after it. */
void disk_fail(int64_t n, bool full, bool for_good);
/* So many bytes more in all files below folder, and the disk is full: at any byte. */
void disk_fill(const char *folder, int64_t bytes);
void disk_mend(void);

#endif
