/* SPDX-License-Identifier: Apache-2.0
 *
 * subject_merge.c - two cards turn out to be one person: their rows unite.
 *
 * DESIGN
 *   Every part is joined by a rule that does not ask which came first: sets
 *   unite by key, and where both sides know a key the larger by a total order
 *   stays; times, states and numbers take the larger or the smaller. So the
 *   result is the same in any order and after any repeat. Sums need no rule:
 *   they are computed from rows.
 *
 *   Denied consent, erasure and the larger severity win. Of HQ's profiles the
 *   card's own comes first, and what it does not say is taken of the others.
 *   The card that was merged is a name of the other from then on: it keeps
 *   nothing but that.
 */
#include "profile/subject_io.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/of_two.h"
#include "profile/subject_rows.h"
#include "nouns/contact.h"

#define KEEP_LARGER(into, from, member) \
	do { \
		if ((from)->member > (into)->member) \
			(into)->member = (from)->member; \
	} while (0)

/* The same from whichever of them it is merged, and however often. */
static void
merge_baskets(struct subject *into, const struct subject *from)
{
	if (from->baskets_day_ms > into->baskets_day_ms)
		into->baskets = 0;
	if (from->baskets_day_ms >= into->baskets_day_ms)
		KEEP_LARGER(into, from, baskets);
	KEEP_LARGER(into, from, baskets_day_ms);
}

/* Of two times the earlier, where 0 is "not known". */
static int64_t
first_of(int64_t a_ms, int64_t b_ms)
{
	if (a_ms == 0 || b_ms == 0)
		return a_ms == 0 ? b_ms : a_ms;
	return smaller_of(a_ms, b_ms);
}

static void
larger_text(char *into, const char *from, size_t size)
{
	if (strcmp(from, into) > 0)
		memcpy(into, from, size);
}

/* ---- purchases ---- */

/* Of what a basket may be known as one counts, whichever comes first: the one closed later, then the
 * one of which more came back, then the longer row, then the larger of its bytes. */
static bool
counts_before(const struct purchase *a, const struct purchase *b)
{
	struct buf a_row = { 0 }, b_row = { 0 };
	bool larger;

	if (a->at_ms != b->at_ms)
		return a->at_ms > b->at_ms;
	if (a->back_milli != b->back_milli)
		return a->back_milli > b->back_milli;
	purchase_encode(a, &a_row);
	purchase_encode(b, &b_row);
	larger = a_row.len != b_row.len ? a_row.len > b_row.len
					: memcmp(a_row.data, b_row.data, a_row.len) > 0;
	buf_done(&a_row);
	buf_done(&b_row);
	return larger;
}

static const struct purchase *
purchase_of(const struct subject *subject, const struct id *visit)
{
	for (size_t i = 0; i < subject->purchase_count; i++) {
		if (id_equal(&subject->purchases[i].visit, visit))
			return &subject->purchases[i];
	}
	return NULL;
}

static void
merge_purchases(struct subject *into, const struct subject *from)
{
	struct buf row = { 0 };
	const struct purchase *known;

	for (size_t i = 0; i < from->purchase_count; i++) {
		known = purchase_of(into, &from->purchases[i].visit);
		if (known != NULL && !counts_before(&from->purchases[i], known))
			continue;
		buf_clear(&row);
		purchase_encode(&from->purchases[i], &row);
		CHECK(subject_add_log(into, SUBJECT_LOG_PURCHASE, row.data, row.len) == 0);
	}
	buf_done(&row);
}

/* ---- contacts ---- */

static int
text_compare(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

/* What is redeemed, reversed and redeemed again is three rows: the time is part of the key. */
static int
contact_key_compare(const struct contact *a, const struct contact *b)
{
	int order = id_compare(&a->prompt, &b->prompt);

	if (order == 0)
		order = (int)a->outcome - (int)b->outcome;
	if (order == 0)
		order = (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
	/* Of two in one millisecond the second may be what ends it. */
	return order != 0 ? order : (int)a->ends - (int)b->ends;
}

/* By key, and under one key the one to keep first. */
static int
by_key(const void *a_pointer, const void *b_pointer)
{
	const struct contact *a = a_pointer, *b = b_pointer;
	int order = contact_key_compare(a, b);

	if (order != 0)
		return order;
	if ((order = id_compare(&a->decision, &b->decision)) != 0)
		return order;
	if (a->withheld != b->withheld)
		return a->withheld ? 1 : -1;
	if (a->placement != b->placement)
		return a->placement - b->placement;
	if ((order = text_compare(a->action, b->action)) != 0)
		return order;
	if ((order = text_compare(a->group, b->group)) != 0)
		return order;
	if ((order = text_compare(a->issue, b->issue)) != 0)
		return order;
	return text_compare(a->reason, b->reason);
}

static int
by_time(const void *a_pointer, const void *b_pointer)
{
	const struct contact *a = a_pointer, *b = b_pointer;

	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	return by_key(a, b);
}

static void
merge_contacts(struct contacts *into, const struct contacts *from)
{
	size_t count = into->count + from->count, kept = 0, first;
	struct contact *rows = mem_calloc(count, sizeof(*rows));
	struct contacts merged = { 0 };

	if (into->count > 0)
		memcpy(rows, into->rows, into->count * sizeof(*rows));
	if (from->count > 0)
		memcpy(rows + into->count, from->rows, from->count * sizeof(*rows));
	qsort(rows, count, sizeof(*rows), by_key);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || contact_key_compare(&rows[kept - 1], &rows[i]) != 0)
			rows[kept++] = rows[i];
	}
	qsort(rows, kept, sizeof(*rows), by_time);
	first = kept > VISIT_CONTACTS_MAX ? kept - VISIT_CONTACTS_MAX : 0;
	for (size_t i = first; i < kept; i++)
		contacts_add(&merged, &rows[i]);
	free(rows);
	contacts_done(into);
	*into = merged;
}

/* ---- cases, wallet, incidents ---- */

static int
case_order(const void *a_pointer, const void *b_pointer)
{
	const struct care_case *a = a_pointer, *b = b_pointer;

	return strcmp(a->id, b->id);
}

static void
merge_cases(struct subject *into, const struct subject *from)
{
	for (size_t i = 0; i < from->case_count; i++) {
		const struct care_case *other = &from->cases[i];
		struct care_case *kase = subject_case(into, other->id);

		if (kase == NULL) {
			*subject_add_case(into, other->id) = *other;
			continue;
		}
		KEEP_LARGER(kase, other, severity);
		if (other->at_ms > kase->at_ms)
			kase->closed_ms = other->closed_ms;
		else if (other->at_ms == kase->at_ms)
			KEEP_LARGER(kase, other, closed_ms);
		KEEP_LARGER(kase, other, at_ms);
		kase->opened_ms = first_of(kase->opened_ms, other->opened_ms);
		larger_text(kase->topic, other->topic, sizeof(kase->topic));
	}
	qsort(into->cases, into->case_count, sizeof(into->cases[0]), case_order);
}

static int
wallet_order(const void *a_pointer, const void *b_pointer)
{
	const struct wallet_entry *a = a_pointer, *b = b_pointer;

	return strcmp(a->offer, b->offer);
}

static void
merge_wallet(struct subject *into, const struct subject *from)
{
	for (size_t i = 0; i < from->wallet_count; i++) {
		const struct wallet_entry *other = &from->wallet[i];
		struct wallet_entry *entry = subject_wallet(into, other->offer);

		if (entry == NULL) {
			*subject_add_wallet(into, other->offer) = *other;
			continue;
		}
		if (other->at_ms > entry->at_ms)
			*entry = *other;
		if (other->at_ms != entry->at_ms)
			continue;
		KEEP_LARGER(entry, other, until_ms);
		KEEP_LARGER(entry, other, worth_minor);
		larger_text(entry->state, other->state, sizeof(entry->state));
	}
	qsort(into->wallet, into->wallet_count, sizeof(into->wallet[0]), wallet_order);
}

static int
incident_order(const void *a_pointer, const void *b_pointer)
{
	const struct incident *a = a_pointer, *b = b_pointer;

	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	return (int)a->kind - (int)b->kind;
}

static void
merge_incidents(struct subject *into, const struct subject *from)
{
	struct incident rows[2 * SUBJECT_INCIDENTS_MAX];
	size_t count = into->incident_count + from->incident_count, kept = 0, first;

	memcpy(rows, into->incidents, into->incident_count * sizeof(rows[0]));
	memcpy(rows + into->incident_count, from->incidents,
	    from->incident_count * sizeof(rows[0]));
	qsort(rows, count, sizeof(rows[0]), incident_order);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || incident_order(&rows[kept - 1], &rows[i]) != 0)
			rows[kept++] = rows[i];
	}
	first = kept > SUBJECT_INCIDENTS_MAX ? kept - SUBJECT_INCIDENTS_MAX : 0;
	into->incident_count = kept - first;
	memcpy(into->incidents, rows + first, into->incident_count * sizeof(rows[0]));
}

/* ---- the whole ---- */

static void
merge_balance(struct subject *into, const struct subject *from)
{
	bool same = from->points_at_ms == into->points_at_ms;

	if (!from->has_points)
		return;
	if (!into->has_points || from->points_at_ms > into->points_at_ms ||
	    (same && from->points > into->points) ||
	    (same && from->points == into->points &&
		from->points_expire_ms > into->points_expire_ms)) {
		into->points = from->points;
		into->points_expire_ms = from->points_expire_ms;
		into->points_at_ms = from->points_at_ms;
	}
	into->has_points = true;
}

/* ---- cards ---- */

static void
add_card(struct subject *into, const struct id *id)
{
	size_t at = 0;

	while (at < into->merged_count && id_compare(&into->merged[at], id) < 0)
		at++;
	if (id_equal(&into->id, id) || into->merged_count == SUBJECT_MERGED_MAX ||
	    (at < into->merged_count && id_equal(&into->merged[at], id)))
		return;
	memmove(into->merged + at + 1, into->merged + at,
	    (into->merged_count - at) * sizeof(into->merged[0]));
	into->merged[at] = *id;
	into->merged_count++;
}

bool
subject_may_merge(const struct subject *into, const struct subject *from)
{
	return into->merged_count + from->merged_count < SUBJECT_MERGED_MAX;
}

/* ---- HQ's part ---- */

static bool
has_attribute(const struct subject *subject, const char *name)
{
	for (size_t i = 0; i < subject->attribute_count; i++) {
		if (strcmp(subject->attributes[i].name, name) == 0)
			return true;
	}
	return false;
}

void
subject_merge_profile(struct subject *into, const struct subject *from)
{
	if (!from->has_profile)
		return;
	into->has_profile = true;
	into->staff = into->staff || from->staff;
	if (into->language == NULL && from->language != NULL)
		into->language = mem_strdup(from->language);
	if (into->line == NULL && from->line != NULL)
		into->line = mem_strdup(from->line);
	told_merge(into, from);
	for (size_t i = 0; i < from->attribute_count; i++) {
		struct attribute copy = from->attributes[i];

		if (has_attribute(into, copy.name))
			continue;
		copy.name = mem_strdup(copy.name);
		copy.str = copy.str != NULL ? mem_strdup(copy.str) : NULL;
		into->attributes =
		    mem_realloc(into->attributes, ++into->attribute_count * sizeof(copy));
		into->attributes[into->attribute_count - 1] = copy;
	}
}

void
subject_forward(struct subject *from, const struct id *into)
{
	struct id id = from->id;

	purchases_done(from);
	contacts_done(&from->contacts);
	subject_drop_profile(from);
	*from = (struct subject){
		.id = id, .merged_into = *into, .known = true, .mixed = true, .dirty = true
	};
}

static void
erase(struct subject *subject)
{
	struct id id = subject->id;

	purchases_done(subject);
	contacts_done(&subject->contacts);
	subject_drop_profile(subject);
	*subject = (struct subject){ .id = id, .forgotten = true, .mixed = true, .dirty = true };
}

/* The first. */
static void
merge_enrolment(struct subject *into, const struct subject *from)
{
	if (from->enrolled_ms == into->enrolled_ms)
		larger_text(into->enrolled_at, from->enrolled_at, sizeof(into->enrolled_at));
	else if (first_of(into->enrolled_ms, from->enrolled_ms) == from->enrolled_ms)
		memcpy(into->enrolled_at, from->enrolled_at, sizeof(into->enrolled_at));
	into->enrolled_ms = first_of(into->enrolled_ms, from->enrolled_ms);
}

/* In the order of the ids, so that it does not matter who is merged into whom. */
bool
subject_see(struct subject *subject, const struct id *key)
{
	size_t at = subject->seen_count;

	for (size_t i = 0; i < subject->seen_count; i++) {
		if (id_equal(&subject->seen[i], key))
			return false;
	}
	if (at == SUBJECT_SEEN_MAX)
		return false;
	for (; at > 0 && memcmp(&subject->seen[at - 1], key, sizeof(*key)) > 0; at--)
		subject->seen[at] = subject->seen[at - 1];
	subject->seen[at] = *key;
	subject->seen_count++;
	return true;
}

void
subject_merge(struct subject *into, const struct subject *from)
{
	CHECK(into != from);
	if (into->forgotten || from->forgotten) {
		erase(into);
		return;
	}
	merge_purchases(into, from);
	merge_contacts(&into->contacts, &from->contacts);
	merge_cases(into, from);
	merge_wallet(into, from);
	merge_incidents(into, from);
	merge_balance(into, from);
	for (int i = 0; i < CONSENT_COUNT; i++)
		into->consent[i] = consent_merge(&into->consent[i], &from->consent[i]);
	into->known = into->known || from->known;
	merge_enrolment(into, from);
	KEEP_LARGER(into, from, last_visit_ms);
	merge_baskets(into, from);
	if (from->tier_at_ms > into->tier_at_ms)
		memcpy(into->tier, from->tier, sizeof(into->tier));
	else if (from->tier_at_ms == into->tier_at_ms)
		larger_text(into->tier, from->tier, sizeof(into->tier));
	KEEP_LARGER(into, from, tier_at_ms);
	subject_merge_profile(into, from);
	for (size_t i = 0; i < from->seen_count; i++)
		(void)subject_see(into, &from->seen[i]);
	add_card(into, &from->id);
	for (size_t i = 0; i < from->merged_count; i++)
		add_card(into, &from->merged[i]);
	into->mixed = true;
	into->dirty = true;
}
