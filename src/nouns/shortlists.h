/* SPDX-License-Identifier: Apache-2.0
 *
 * shortlists.h - what a visit remembers of its drawn shortlists, until it is known what came of them.
 */
#ifndef AISLE_NOUNS_SHORTLISTS_H
#define AISLE_NOUNS_SHORTLISTS_H

#include "aisle/visit.h"
#include "core/buf.h"

size_t visit_listings(const struct visit *visit); /* of all its lists */
/* Was anything listed there before? This action? */
bool visit_drew(const struct visit *visit, int placement, int slot);
bool visit_listed(const struct visit *visit, int placement, int slot, const char *action);
/* Copies of what is given, behind those of its time; the list without listings, which follow at once. There must be
 * room. Pointers to other lists are stale after it. */
struct shortlist *visit_add_shortlist(struct visit *visit, const struct shortlist *list);
void shortlist_add(struct shortlist *list, const struct listing *listing);
/* The two visits are one: what was listed first in a place stands, and what was told to headquarters stays as it was
 * told. What there is no room for goes. */
void visit_unite_shortlists(struct visit *into, struct visit *from);
/* The visit is two, of which rest has begun then: what was not told yet goes along. */
void visit_part_shortlists(struct visit *rest, struct visit *former, int64_t since_ms);
/* What was not told. all: and what was. */
void visit_drop_shortlists(struct visit *visit, bool all);
void shortlists_encode(const struct visit *visit, struct buf *out);
bool shortlists_decode(struct rd *rd, struct visit *visit); /* false: cut short, out of range */

#endif
