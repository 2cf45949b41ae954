/* SPDX-License-Identifier: Apache-2.0
 *
 * shortlists.c - what a visit remembers of its drawn shortlists, until it is known what came of them.
 *
 * DESIGN
 *   Of each placement and slot an action is kept once, with its first listing:
 *   a basket of 200 lines is decided about 200 times, and the visit holds as
 *   many listings as it had different actions. The first list of a place that
 *   has a card is kept whole, which is what measuring needs. Rejected: the
 *   decision's own record read again; it may be gone by then.
 *
 * INVARIANTS
 *   Lists ascend by time, and each has a listing. An action is listed once in a
 *   place, but for what two visits told before it was known that they are one.
 *
 * Layout: number of lists, each one's fields, number of its listings, each one's fields.
 */
#include "nouns/shortlists.h"

#include <stdlib.h>
#include <string.h>

#include "aisle/placement.h"
#include "core/id.h"
#include "nouns/visit_fields.h"

/* clang-format off */
const struct field shortlist_fields[] = {
	FIELD(struct shortlist, ID, decision),
	FIELD(struct shortlist, ID, bundle[0]),
	FIELD(struct shortlist, ID, bundle[1]),
	FIELD(struct shortlist, ID, visit),
	FIELD_TO(struct shortlist, placement, PLACE_COUNT),
	FIELD(struct shortlist, INT, slot),
	FIELD(struct shortlist, I64, at_ms),
	FIELD(struct shortlist, F64, cost_max),
	FIELD(struct shortlist, F64, p_nothing),
	FIELD(struct shortlist, BOOL, counted),
	FIELD(struct shortlist, BOOL, nothing),
};
const struct field listing_fields[] = {
	FIELD(struct listing, STR, action),
	FIELD(struct listing, STR, treatment),
	FIELD(struct listing, I64, depth),
	FIELD(struct listing, F64, p),
	FIELD(struct listing, F64, p1),
	FIELD(struct listing, F64, p0),
	FIELD(struct listing, F64, margin),
	FIELD(struct listing, F64, cost),
	FIELD(struct listing, BOOL, drawn),
	FIELD(struct listing, BOOL, withheld),
	FIELD(struct listing, I64, due_ms),
	FIELD(struct listing, I64, told_ms),
	FIELD(struct listing, INT, rev),
	FIELD(struct listing, BOOL, shown),
	FIELD(struct listing, BOOL, other),
	FIELD(struct listing, BOOL, bought),
	FIELD(struct listing, I64, amount_minor),
};
/* clang-format on */
const size_t shortlist_field_count = ARRAY_LEN(shortlist_fields);
const size_t listing_field_count = ARRAY_LEN(listing_fields);

size_t
visit_listings(const struct visit *visit)
{
	size_t count = 0;

	for (size_t i = 0; i < visit->shortlist_count; i++)
		count += visit->shortlists[i].listing_count;
	return count;
}

static bool
is_at(const struct shortlist *list, int placement, int slot)
{
	return list->placement == placement && list->slot == slot;
}

bool
visit_drew(const struct visit *visit, int placement, int slot)
{
	for (size_t i = 0; i < visit->shortlist_count; i++) {
		if (is_at(&visit->shortlists[i], placement, slot))
			return true;
	}
	return false;
}

static bool
lists(const struct shortlist *list, const char *action)
{
	for (size_t i = 0; i < list->listing_count; i++) {
		if (strcmp(list->listings[i].action, action) == 0)
			return true;
	}
	return false;
}

bool
visit_listed(const struct visit *visit, int placement, int slot, const char *action)
{
	for (size_t i = 0; i < visit->shortlist_count; i++) {
		if (is_at(&visit->shortlists[i], placement, slot) &&
		    lists(&visit->shortlists[i], action))
			return true;
	}
	return false;
}

/* ---- add, drop ---- */

/* Its listings are taken over. */
static struct shortlist *
insert(struct visit *visit, const struct shortlist *list)
{
	size_t at = visit->shortlist_count;

	visit->shortlists = mem_realloc(visit->shortlists,
	    (visit->shortlist_count + 1) * sizeof(*visit->shortlists));
	for (; at > 0 && visit->shortlists[at - 1].at_ms > list->at_ms; at--)
		visit->shortlists[at] = visit->shortlists[at - 1];
	visit->shortlists[at] = *list;
	visit->shortlist_count++;
	return &visit->shortlists[at];
}

struct shortlist *
visit_add_shortlist(struct visit *visit, const struct shortlist *list)
{
	struct shortlist *added = insert(visit, list);

	added->listings = NULL;
	added->listing_count = 0;
	return added;
}

void
shortlist_add(struct shortlist *list, const struct listing *listing)
{
	struct listing *at;

	list->listings =
	    mem_realloc(list->listings, (list->listing_count + 1) * sizeof(*list->listings));
	at = &list->listings[list->listing_count++];
	*at = *listing;
	codec_own(listing_fields, listing_field_count, at);
}

static void
drop_listing(struct shortlist *list, size_t index)
{
	codec_done(listing_fields, listing_field_count, &list->listings[index]);
	list->listing_count--;
	memmove(&list->listings[index], &list->listings[index + 1],
	    (list->listing_count - index) * sizeof(*list->listings));
}

static void
shortlist_done(struct shortlist *list)
{
	while (list->listing_count > 0)
		drop_listing(list, list->listing_count - 1);
	free(list->listings);
	list->listings = NULL;
}

/* Those that have lost all their listings. */
static void
drop_empty(struct visit *visit)
{
	size_t kept = 0;

	for (size_t i = 0; i < visit->shortlist_count; i++) {
		if (visit->shortlists[i].listing_count > 0)
			visit->shortlists[kept++] = visit->shortlists[i];
		else
			shortlist_done(&visit->shortlists[i]);
	}
	visit->shortlist_count = kept;
	if (kept > 0)
		return;
	free(visit->shortlists);
	visit->shortlists = NULL;
}

void
visit_drop_shortlists(struct visit *visit, bool all)
{
	for (size_t i = 0; i < visit->shortlist_count; i++) {
		struct shortlist *list = &visit->shortlists[i];

		for (size_t l = list->listing_count; l > 0; l--) {
			if (all || list->listings[l - 1].told_ms == 0)
				drop_listing(list, l - 1);
		}
	}
	drop_empty(visit);
}

/* ---- two that are one, one that is two ---- */

static bool
is_told(const struct shortlist *list)
{
	for (size_t i = 0; i < list->listing_count; i++) {
		if (list->listings[i].told_ms != 0)
			return true;
	}
	return false;
}

/* Of an action that was listed before it in its place only what was told stays; and the list is counted no more. */
static void
give_way(struct visit *visit, size_t index)
{
	struct shortlist *list = &visit->shortlists[index];

	for (size_t i = 0; i < index; i++) {
		const struct shortlist *before = &visit->shortlists[i];

		if (!is_at(before, list->placement, list->slot))
			continue;
		list->counted = list->counted && is_told(list);
		for (size_t l = list->listing_count; l > 0; l--) {
			if (list->listings[l - 1].told_ms == 0 &&
			    lists(before, list->listings[l - 1].action))
				drop_listing(list, l - 1);
		}
	}
}

void
visit_unite_shortlists(struct visit *into, struct visit *from)
{
	size_t count = visit_listings(into);

	into->drew |= from->drew;
	for (size_t i = 0; i < from->shortlist_count; i++) {
		struct shortlist *list = &from->shortlists[i];

		count += list->listing_count;
		if (count > VISIT_LISTINGS_MAX) {
			count -= list->listing_count;
			shortlist_done(list);
			continue;
		}
		if (!is_told(list))
			list->visit = into->id;
		insert(into, list);
	}
	free(from->shortlists);
	from->shortlists = NULL;
	from->shortlist_count = 0;
	for (size_t i = 1; i < into->shortlist_count; i++)
		give_way(into, i);
	drop_empty(into);
}

void
visit_part_shortlists(struct visit *rest, struct visit *former, int64_t since_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < former->shortlist_count; i++) {
		struct shortlist *list = &former->shortlists[i];

		if (list->at_ms < since_ms || is_told(list)) {
			former->shortlists[kept++] = *list;
			continue;
		}
		list->visit = rest->id;
		insert(rest, list);
	}
	former->shortlist_count = kept;
}

/* ---- bytes ---- */

void
shortlists_encode(const struct visit *visit, struct buf *out)
{
	buf_i64(out, (int64_t)visit->shortlist_count);
	for (size_t i = 0; i < visit->shortlist_count; i++) {
		const struct shortlist *list = &visit->shortlists[i];

		codec_write(shortlist_fields, shortlist_field_count, list, out);
		buf_i64(out, (int64_t)list->listing_count);
		for (size_t l = 0; l < list->listing_count; l++)
			codec_write(listing_fields, listing_field_count, &list->listings[l], out);
	}
}

static bool
read_listing(struct rd *rd, struct shortlist *list)
{
	struct listing row = { 0 };
	bool ok = codec_read(listing_fields, listing_field_count, &row, rd) && row.action != NULL;

	if (ok)
		shortlist_add(list, &row);
	codec_done(listing_fields, listing_field_count, &row);
	return ok;
}

bool
shortlists_decode(struct rd *rd, struct visit *visit)
{
	int64_t count = rd_i64(rd), left = VISIT_LISTINGS_MAX;

	for (int64_t i = 0; rd->ok && i < count; i++) {
		struct shortlist row = { 0 }, *list;
		int64_t listings;

		if (!codec_read(shortlist_fields, shortlist_field_count, &row, rd))
			return false;
		listings = rd_i64(rd);
		if (!rd->ok || listings < 1 || listings > SHORTLIST_LISTINGS_MAX || listings > left)
			return false;
		left -= listings;
		list = visit_add_shortlist(visit, &row);
		for (int64_t l = 0; l < listings; l++) {
			if (!read_listing(rd, list))
				return false;
		}
	}
	return rd->ok && count >= 0;
}
