/* SPDX-License-Identifier: Apache-2.0
 *
 * beside.h - work in a child process, bounded in time and memory.
 */
#ifndef AISLE_CORE_BESIDE_H
#define AISLE_CORE_BESIDE_H

#include "aisle/base.h"

/* More memory than this process has, at most. */
#define BESIDE_BYTES_MAX (192u << 20)
#define BESIDE_ANSWER_MAX 4096 /* PIPE_BUF: one write */

struct beside {
	int pid, fd;	/* fd: readable when it is done */
	int64_t end_ms; /* monotonic: no answer counts after it */
	int64_t max_ms;
};
/* run fills answer, of size bytes and zeroed, in the child. AISLE_E_NONE: there is no room for a process. */
typedef void (*beside_fn)(void *ctx, void *answer);
int beside_start(beside_fn run, void *ctx, size_t size, int64_t max_ms, struct beside *ret,
    struct err *err) AISLE_MUST_CHECK;
/* Waits for its answer; what the child had it may still be giving back. AISLE_E_FULL: it took too long or too much memory, and is gone;
 * AISLE_E_IO: it died. what: its name for people, "compiling and examining it". */
int beside_finish(struct beside *beside, void *answer, size_t size, const char *what,
    struct err *err) AISLE_MUST_CHECK;
void beside_stop(struct beside *beside); /* instead */
/* In a child: all files are closed but the standard three and these; -1: none. */
void beside_close_others(int a, int b);
/* Now and then: those that have answered are waited for, if they are gone by now; wait: until all are. */
void beside_tidy(bool wait);

#endif
