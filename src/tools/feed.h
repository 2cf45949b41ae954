/* SPDX-License-Identifier: Apache-2.0
 *
 * feed.h - is this till feed good enough to go live?
 */
#ifndef AISLE_TOOLS_FEED_H
#define AISLE_TOOLS_FEED_H

#include "core/buf.h"

/* now_ms: what is later and has no recordedtime is still to come. Reads recorded events (one CloudEvent a line) from path, NULL: stdin, and appends a report to
 * out: one line a check with its grade and, where it is not ok, its mend in one sentence; at last
 * the verdict: ready, ready-with-warnings or not-ready. store NULL: events of any store. json: one
 * object instead of text.
 * *ret_ready: the verdict was not not-ready. 0 whatever it was; AISLE_E_NONE: no such file; AISLE_E_IO; AISLE_E_INVALID: no line in
 * it. */
int feed_check(const char *path, const char *store, int64_t now_ms, bool json, struct buf *out,
    bool *ret_ready, struct err *err);

#endif
