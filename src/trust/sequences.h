/* SPDX-License-Identifier: Apache-2.0
 *
 * sequences.h - the highest sequences that a store has taken, and what they stood for: so that nothing old comes twice,
 * and nothing comes back in another form. Pure; the daemon keeps the bytes, twice, in the meta of state.db.
 */
#ifndef AISLE_TRUST_SEQUENCES_H
#define AISLE_TRUST_SEQUENCES_H

#include "core/buf.h"
#include "trust/refusal.h"

#define SEQUENCES_NAME_SIZE 48		       /* "release:stable", "order:ring:early" */
#define SEQUENCES_MAX 32		       /* counters */
#define SEQUENCES_RECENT 256		       /* digests of orders taken, kept per counter */
#define SEQUENCES_AHEAD_MAX (INT64_C(1) << 31) /* beyond: fast-forward */
#define SEQUENCE_MAX (INT64_C(1) << 53)

struct sequences_counter {
	char name[SEQUENCES_NAME_SIZE];
	int64_t sequence;
	uint8_t digest[32];
	uint64_t *recent; /* first 8 bytes of digests, oldest first */
	size_t recent_count;
};
struct sequences {
	int64_t root; /* version in force; 0: none */
	struct sequences_counter counters[SEQUENCES_MAX];
	size_t count;
};

/* Zero-initialised: nothing seen. */
void sequences_done(struct sequences *seen);
/* May this be taken? *ret_new false: it is what was taken last (list: or before). sequence-older, sequence-same (another
 * content), fast-forward, full (of counters). list: it comes in a list that is sent again as a whole (orders), so what was
 * taken before is nothing new, not a rollback. */
int sequences_check(const struct sequences *seen, const char *name, int64_t sequence,
    const uint8_t digest[static 32], bool list, bool *ret_new, enum refusal *ret_refusal,
    struct err *err) AISLE_MUST_CHECK;
/* Was this taken in a list before? */
bool sequences_known(const struct sequences *seen, const char *name,
    const uint8_t digest[static 32]);
/* After sequences_check() said that it is new. */
void sequences_take(struct sequences *seen, const char *name, int64_t sequence,
    const uint8_t digest[static 32], bool list);
int64_t sequences_last(const struct sequences *seen, const char *name); /* 0: none */
void sequences_encode(const struct sequences *seen, struct buf *out);
/* AISLE_E_DAMAGED: not what encode made; ret is empty then. */
int sequences_decode(const void *bytes, size_t len, struct sequences *ret) AISLE_MUST_CHECK;

#endif
