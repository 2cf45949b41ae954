/* SPDX-License-Identifier: Apache-2.0
 *
 * basis.h - a basket as offers are valued on it: basis.c makes it, offer.c asks it.
 */
#ifndef AISLE_DECIDE_BASIS_H
#define AISLE_DECIDE_BASIS_H

#include "decide/decide.h"

/* Of each length of a beginning, a bit for each beginning of that length that one of the lines has
 * (or shares its bit with one). */
#define SEEN_BITS 256u
struct begins {
	uint64_t *of; /* of each line's category */
	uint64_t seen[8][SEEN_BITS / 64];
};

/* What an accepted offer will still take off the lines as they stand here. */
struct taking {
	const struct offer *offer; /* NULL: the policy has forgotten it */
	int64_t minor;
};

struct basis {
	const struct visit *visit;
	bool *touchable; /* of each line: it counts, and is not marked */
	struct begins begins;
	bool has_coupons;    /* lines with a negative amount */
	int64_t total_minor; /* of what is touchable, coupons off */
	struct taking *takings;
	size_t taking_count;
	int64_t taken_minor; /* by all of them */
};

/* What lies in the basket for offers about the same goods, offer_lines.c. */
struct offer_lines {
	const uint16_t *line; /* those that qualify */
	size_t count;
	int64_t qualifying_minor, margin_minor; /* what they cost and bring */
	bool margins;				/* each states its margin */
	int64_t coupons_minor;			/* that are on the goods; not positive */
	int64_t taken_minor;			/* by accepted offers */
};
/* room: for as many as the basket has. */
void offer_lines_find(const struct offer *offer, const struct basis *basis, uint16_t *room,
    struct offer_lines *ret);
struct offer_value offer_value_on(const struct offer *offer, int64_t depth,
    const struct basis *basis, const struct offer_lines *lines);

/* Is the line of the goods that the offer is about? */
bool basis_concerns(const struct basis *basis, const struct offer *offer, size_t line);
/* And does it cost anything? */
bool basis_qualifies(const struct basis *basis, const struct offer *offer, size_t line);
/* The first line from one on that qualifies; none: line_count. */
size_t basis_next(const struct basis *basis, const struct offer *offer, size_t line);

#endif
