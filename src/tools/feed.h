/* SPDX-License-Identifier: Apache-2.0
 *
 * feed.h - is this till feed good enough to go live?
 */
#ifndef AISLE_TOOLS_FEED_H
#define AISLE_TOOLS_FEED_H

#include "core/buf.h"

struct feed_source {
	const char *path;    /* recorded events, one CloudEvent a line; NULL: stdin */
	const char *store;   /* NULL: events of any */
	const char *catalog; /* what tills do not say is looked up in it; NULL: nothing is */
	int64_t now_ms;	     /* what is later and has no recordedtime is still to come */
};
/* Appends a report to out: one line a check with its grade and, where it is not ok, its mend in one
 * sentence; at last the verdict: ready, ready-with-warnings or not-ready. json: one object instead of
 * text. *ret_ready: the verdict was not not-ready. 0 whatever it was; AISLE_E_NONE: no such file;
 * AISLE_E_IO; AISLE_E_INVALID: no line in it. Those of the catalog are catalog_load's. */
int feed_check(const struct feed_source *source, bool json, struct buf *out, bool *ret_ready,
    struct err *err);

#endif
