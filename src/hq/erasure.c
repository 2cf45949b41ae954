/* SPDX-License-Identifier: Apache-2.0
 *
 * erasure.c - customers that HQ has forgotten, and what becomes of the records that name them.
 *
 * DESIGN
 *   A record keeps its place and its figures and loses the person: each member whose value is
 *   the subject goes, and with it what a till or a reader could tell them by (`basket`,
 *   `trigger`), what was known of them (`features`, `counters`) and what somebody wrote (`note`).
 *   A consent says nothing without its subject: the whole record goes.
 *
 *   Subjects are found in the text, as 32 hex digits between quotes: most records name nobody
 *   that was forgotten, and are not parsed for it.
 */
#include "hq/erasure.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"

static size_t
place_of(const struct erasures *erasures, const char *subject)
{
	size_t from = 0, to = erasures->count;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (strcmp(erasures->items[mid].subject, subject) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

const struct erasure *
erasures_find(const struct erasures *erasures, const char *subject)
{
	size_t place = place_of(erasures, subject);
	return place < erasures->count && strcmp(erasures->items[place].subject, subject) == 0
	    ? &erasures->items[place]
	    : NULL;
}

void
erasures_add(struct erasures *erasures, const char *subject, int64_t at_ms)
{
	CHECK(strlen(subject) == 32);
	size_t place = place_of(erasures, subject);
	struct erasure *found = (struct erasure *)erasures_find(erasures, subject);
	if (found != NULL) {
		found->at_ms = at_ms > found->at_ms ? at_ms : found->at_ms;
		return;
	}
	erasures->items = mem_grow(erasures->items, erasures->count, &erasures->capacity,
	    sizeof(*erasures->items));
	memmove(&erasures->items[place + 1], &erasures->items[place],
	    (erasures->count - place) * sizeof(*erasures->items));
	erasures->items[place].at_ms = at_ms;
	memcpy(erasures->items[place].subject, subject, 33);
	erasures->count++;
}

void
erasures_unknown(const struct erasures *all, const struct erasures *known,
    struct erasures *ret_unknown)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct erasure *one = &all->items[i];
		const struct erasure *found = erasures_find(known, one->subject);
		if (found == NULL || found->at_ms < one->at_ms)
			erasures_add(ret_unknown, one->subject, one->at_ms);
	}
}

void
erasures_done(struct erasures *erasures)
{
	free(erasures->items);
	*erasures = (struct erasures){ .items = NULL };
}

/* The first forgotten subject that the text names. */
static const struct erasure *
named(const struct erasures *erasures, int64_t at_ms, const char *body)
{
	for (const char *at = strchr(body, '"'); at != NULL; at = strchr(at + 1, '"')) {
		char subject[33];
		if (strspn(at + 1, "0123456789abcdef") != 32 || at[33] != '"')
			continue;
		memcpy(subject, at + 1, 32);
		subject[32] = '\0';
		const struct erasure *found = erasures_find(erasures, subject);
		if (found != NULL && at_ms <= found->at_ms)
			return found;
	}
	return NULL;
}

static bool
is_subject(const json_t *json, const char *subject)
{
	const char *text = json_string_value(json);
	return text != NULL && strcmp(text, subject) == 0;
}

static void
remove_subject(json_t *json, const char *subject)
{
	const char *name;
	void *next;
	json_t *value;
	json_object_foreach_safe(json, next, name, value) {
		if (is_subject(value, subject) || is_subject(json_object_get(json, name), subject))
			json_object_del(json, name);
		else
			remove_subject(value, subject);
	}
	for (size_t i = json_array_size(json); i-- > 0;) {
		if (is_subject(json_array_get(json, i), subject))
			json_array_remove(json, i);
		else
			remove_subject(json_array_get(json, i), subject);
	}
}

static bool
clear(const char *body, const char *subject, struct buf *ret_body)
{
	static const char *const telling[] = { "basket", "trigger", "features", "counters",
		"note" };
	struct err err = { 0 };
	json_t *json = json_read(body, strlen(body), "", &err);
	if (json == NULL)
		return false;
	remove_subject(json, subject);
	for (size_t i = 0; i < ARRAY_LEN(telling); i++)
		json_object_del(json, telling[i]);
	buf_clear(ret_body);
	json_write(json, ret_body);
	json_decref(json);
	return true;
}

enum erased
erasures_apply(const struct erasures *erasures, const char *type, int64_t at_ms, const char *body,
    struct buf *ret_body)
{
	enum erased erased = ERASED_NOT;
	struct buf rest = { 0 };
	if (erasures->count == 0)
		return ERASED_NOT;
	for (const struct erasure *who; (who = named(erasures, at_ms, body)) != NULL;) {
		struct buf next = { 0 };
		/* As a name of a member, or in what is no JSON: there is nothing to keep. */
		bool left = strcmp(type, "consent") != 0 && clear(body, who->subject, &next) &&
		    strstr(next.data, who->subject) == NULL;
		buf_done(&rest);
		rest = next;
		body = rest.data;
		erased = left ? ERASED_BODY : ERASED_ROW;
		if (!left)
			break;
	}
	if (erased == ERASED_BODY)
		*ret_body = rest;
	else
		buf_done(&rest);
	return erased;
}
