/* SPDX-License-Identifier: Apache-2.0
 *
 * crash.h - the mark that a bug leaves behind, so that the input it died of is
 * set aside at the next start. A plain kill leaves none.
 */
#ifndef AISLE_CORE_CRASH_H
#define AISLE_CORE_CRASH_H

#include "aisle/base.h"

#define CRASH_SOURCE_SIZE 1024 /* longer ones are cut, and compare as cut: see crash_is */
#define CRASH_ID_SIZE 512

struct crash {
	char source[CRASH_SOURCE_SIZE], id[CRASH_ID_SIZE]; /* "" when between inputs */
	char what[400];					   /* the CHECK, or "signal 11" */
};

/* Opens dir/crash, allocates it, and catches SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT.
 * Take an older mark first. 0 or AISLE_E_IO. */
int crash_open(const char *dir, struct err *err) AISLE_MUST_CHECK;
void crash_close(void);
/* What is being worked on from now on: two copies in memory. NULL, NULL: nothing. */
void crash_input(const char *source, const char *id);
/* Writes the mark; async-signal-safe; only the first call counts; nothing before crash_open. */
void crash_write(const char *what);
/* Reads and clears the mark of the last run. 0, AISLE_E_NONE when there is none, AISLE_E_IO. */
int crash_take(const char *dir, struct crash *ret_crash) AISLE_MUST_CHECK;
/* Is this the input that the mark names? */
bool crash_is(const struct crash *crash, const char *source, const char *id);

#endif
