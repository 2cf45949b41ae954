/* SPDX-License-Identifier: Apache-2.0
 *
 * marks.h - goods that no offer, sum or training row touches, by what they are.
 *
 * DESIGN
 *   Asked of each line where it is met, not of whoever names its category: an
 *   offer on the whole basket, a sum over a parent and a brand reach such
 *   goods as well. Two lists: the policy's own (`sensitive`, `no_promotion`),
 *   each a category with all below it, and the product's, by country. That
 *   one knows no store's tree, so its words mark a path in which they stand as
 *   a step, at any depth, with all below. Not kept with the line: a new policy
 *   marks what is on record. What the chain's catalog marks is an article, not
 *   a category; that is kept, and only adds to what its category says.
 */
#ifndef AISLE_NOUNS_MARKS_H
#define AISLE_NOUNS_MARKS_H

#include "aisle/policy.h"
#include "aisle/visit.h"

/* Which marks there are for whom. */
struct marks {
	const struct marked *list; /* the policy's own */
	size_t count;
	uint32_t off; /* groups of the product's list that the country does not have */
};

/* policy NULL: the product's own only. off: of marks_off_in() */
struct marks marks_of(const struct policy *policy, uint32_t off);
/* country: ISO 3166-1, two letters; NULL or unknown: it has all. */
uint32_t marks_off_in(const char *country);

enum mark mark_of(const struct marks *marks, const char *category);
/* Of an article that has a mark of its own: the stronger. */
static inline enum mark
goods_mark(const struct marks *marks, const char *category, enum mark own)
{
	enum mark mark = own != MARK_SENSITIVE ? mark_of(marks, category) : own;

	return mark > own ? mark : own;
}
/* Voided or not. */
static inline enum mark
line_mark(const struct marks *marks, const struct line *line)
{
	return goods_mark(marks, line->category, line->mark);
}
static inline enum mark
item_mark(const struct marks *marks, const struct event_item *item)
{
	return goods_mark(marks, item->category, item->mark);
}

/* The lines that are not marked, voided ones left out: what there is to speak of. Those with a
 * negative amount (coupons, returns) among them. */
int64_t marks_total(const struct marks *marks, const struct visit *visit);

/* Each mark that goods of match could have: category, and whether it stands anywhere in a path.
 * match without set: all. */
typedef void (*mark_fn)(void *ctx, const char *category, bool anywhere);
void marks_meet(const struct marks *marks, const struct match *match, mark_fn each, void *ctx);

#endif
