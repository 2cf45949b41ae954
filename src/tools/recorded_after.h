/* SPDX-License-Identifier: Apache-2.0
 *
 * recorded_after.h - a recording replayed from its middle: on a copy of the state as it was then.
 *
 * DESIGN
 *   The state has its own recording, so it knows the number of the last line
 *   that it was told: what is up to that is passed over, and the line behind it
 *   must be the one that comes next. The folder itself is not written to.
 */
#ifndef AISLE_TOOLS_RECORDED_AFTER_H
#define AISLE_TOOLS_RECORDED_AFTER_H

#include "core/buf.h"
#include "store/store.h"
#include "tools/state_copy.h"

struct recorded_after {
	const char *dir; /* borrowed; NULL: after no state, and all that follows does nothing */
	struct state_copy copy;
	char epoch[17];
	int64_t known, next; /* of its recording: the last number, and the one that comes next */
};

int recorded_after_open(struct recorded_after *after, const char *dir, struct err *err)
    AISLE_MUST_CHECK;
/* store: of the copy. */
int recorded_after_look(struct recorded_after *after, const struct store *store, struct err *err)
    AISLE_MUST_CHECK;
/* Appends DIR/below/HASH, of the hash that the state has under this name, and a zero byte. */
void recorded_after_path(const struct recorded_after *after, struct store *store, const char *meta,
    const char *below, struct buf *out);
/* Of line n of the file: 1: it is to be taken; 0: the state was told it; AISLE_E_INVALID. */
int recorded_after_takes(struct recorded_after *after, const char *line, size_t len, int64_t n,
    struct err *err);
void recorded_after_close(struct recorded_after *after);

#endif
