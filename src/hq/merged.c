/* SPDX-License-Identifier: Apache-2.0
 *
 * merged.c - what stores learned, added up.
 *
 * DESIGN
 *   A store tells what a week added, never what is left of it after forgetting:
 *   sums of whole numbers are the same in any order. They become the day of one
 *   store, whose weeks turn as a store's own do (learn/cells.c): k stores are to
 *   the bit what one with all their rows would have.
 *
 *   Who is odd is judged by the week and arm, against the other stores of it.
 *   Below FEDERATION_STORES_MIN nobody is left out: two cannot outvote a third.
 */
#include "hq/merged.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/when.h"

void
merged_done(struct merged *merged)
{
	for (size_t i = 0; i < merged->store_count; i++)
		free(merged->stores[i]);
	for (size_t i = 0; i < merged->by_week_count; i++)
		cells_done(&merged->by_week[i]);
	free(merged->stores);
	free(merged->weeks);
	free(merged->by_week);
	cells_done(&merged->cells);
	*merged = (struct merged){ 0 };
}

/* ---- a record ---- */

#define NO_STORE UINT32_MAX

/* Records come store by store, in each reading: it is the last one, or the next, or else looked for. */
static uint32_t
find_store(struct merged *merged, const char *name)
{
	for (size_t i = merged->last_store; i < merged->last_store + 2; i++)
		if (i < merged->store_count && strcmp(merged->stores[i], name) == 0)
			return (uint32_t)(merged->last_store = i);
	if (merged->store_count == 0 || strcmp(merged->stores[merged->store_count - 1], name) < 0)
		return NO_STORE;
	for (size_t i = 0; i < merged->store_count; i++)
		if (strcmp(merged->stores[i], name) == 0)
			return (uint32_t)(merged->last_store = i);
	return NO_STORE;
}

static uint32_t
store_of(struct merged *merged, const char *name)
{
	uint32_t found = find_store(merged, name);

	if (found != NO_STORE || merged->judged)
		return found;
	if (merged->store_count == MERGED_STORES_MAX) {
		merged->full = true;
		return NO_STORE;
	}
	merged->stores = mem_grow(merged->stores, merged->store_count, &merged->store_capacity,
	    sizeof(*merged->stores));
	merged->last_store = merged->store_count;
	merged->stores[merged->store_count++] = mem_strdup(name);
	return (uint32_t)merged->last_store;
}

/* 1970 began on a Thursday. */
static bool
week_at(const json_t *body, int32_t *ret)
{
	const char *day = json_string_value(json_object_get(body, "week"));
	int32_t days;

	if (day == NULL || !when_date(day, &days) || days < 0 || (days + 3) % 7 != 0)
		return false;
	*ret = (days + 3) / 7;
	return true;
}

/* [action, segment, "T" or "U", n, y, sum of p in Q16]: sums that could be, whether or not they are odd. */
static bool
read_cell(const json_t *cell, struct federation_sum *ret, bool *ret_treated)
{
	const char *action = json_string_value(json_array_get(cell, 0)),
		   *segment = json_string_value(json_array_get(cell, 1)),
		   *arm = json_string_value(json_array_get(cell, 2));
	const int64_t rows_max = LEARNER_SUM_MAX / Q16_ONE;

	if (json_array_size(cell) != 6 || action == NULL || segment == NULL || arm == NULL ||
	    (strcmp(arm, "T") != 0 && strcmp(arm, "U") != 0) || action[0] == '\0' ||
	    !json_int(json_array_get(cell, 3), &ret->n) ||
	    !json_int(json_array_get(cell, 4), &ret->y) ||
	    !json_int(json_array_get(cell, 5), &ret->p) || ret->n < 0 || ret->n > rows_max ||
	    ret->y < 0 || ret->y > rows_max || ret->p < 0 || ret->p > LEARNER_SUM_MAX)
		return false;
	ret->y *= Q16_ONE;
	*ret_treated = arm[0] == 'T';
	return true;
}

static bool
read_cells(const json_t *cells, struct merged_week *week)
{
	struct federation_sum sum;
	bool treated;
	json_t *cell;
	size_t i;

	if (!json_is_array(cells))
		return false;
	json_array_foreach(cells, i, cell) {
		if (!read_cell(cell, &sum, &treated) ||
		    !federation_add(&week->arms[treated].sum, &sum))
			return false;
		week->bad |= sum.y > sum.n * Q16_ONE ? ODD_MORE_YES_THAN_ROWS : 0;
		week->bad |= sum.p > sum.n * Q16_ONE ? ODD_MORE_EXPECTED_THAN_ROWS : 0;
	}
	return true;
}

/* A record of the bundle's; NULL: it is none. To be freed. */
static json_t *
record_of(struct merged *merged, const struct record *record, struct merged_week *ret)
{
	struct err err = { 0 };
	json_t *body = json_read(record->body, strlen(record->body), "learner", &err);
	const char *bundle = json_string_value(json_object_get(body, "bundle"));

	*ret = (struct merged_week){ .seq = record->seq, .epoch = hash_parts(&record->epoch, 1) };
	if (bundle == NULL || !week_at(body, &ret->week) ||
	    !json_int(json_object_get(body, "rev"), &ret->rev) ||
	    !read_cells(json_object_get(body, "cells"), ret)) {
		merged->unread++;
	} else if (strcmp(bundle, merged->bundle) != 0) {
		merged->others++;
	} else {
		ret->store = store_of(merged, record->store);
		if (ret->store != NO_STORE)
			return body;
	}
	json_decref(body);
	return NULL;
}

void
merged_look(void *ctx, const struct record *record)
{
	struct merged *merged = ctx;
	struct merged_week week;
	json_t *body = record_of(merged, record, &week);

	json_decref(body);
	if (body == NULL)
		return;
	if (merged->week_count == MERGED_RECORDS_MAX) {
		merged->full = true;
		return;
	}
	merged->weeks = mem_grow(merged->weeks, merged->week_count, &merged->week_capacity,
	    sizeof(*merged->weeks));
	merged->weeks[merged->week_count++] = week;
}

/* ---- who is odd ---- */

/* Of one store's week the record that counts comes last. */
static int
by_week(const void *a_pointer, const void *b_pointer)
{
	const struct merged_week *a = a_pointer, *b = b_pointer;
	int order;

	if (a->week != b->week)
		return a->week < b->week ? -1 : 1;
	if (a->store != b->store)
		return a->store < b->store ? -1 : 1;
	order = id_compare(&a->epoch, &b->epoch);
	if (order == 0)
		order = (a->rev > b->rev) - (a->rev < b->rev);
	return order != 0 ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

static bool
is_same(const struct merged_week *a, const struct merged_week *b)
{
	return a->week == b->week && a->store == b->store && id_equal(&a->epoch, &b->epoch);
}

static void
keep_last(struct merged *merged)
{
	size_t kept = 0;

	if (merged->week_count > 1)
		qsort(merged->weeks, merged->week_count, sizeof(*merged->weeks), by_week);
	for (size_t i = 0; i < merged->week_count; i++)
		if (i + 1 == merged->week_count ||
		    !is_same(&merged->weeks[i], &merged->weeks[i + 1]))
			merged->weeks[kept++] = merged->weeks[i];
	merged->week_count = kept;
}

static void
judge_arm(struct merged_week *weeks, size_t count, int arm)
{
	struct federation_store *stores = mem_calloc(count, sizeof(*stores));
	size_t told = 0;

	for (size_t i = 0; i < count; i++)
		if (weeks[i].arms[arm].sum.n > 0)
			stores[told++] = weeks[i].arms[arm];
	if (told > 0)
		federation_judge(stores, told);
	told = 0;
	for (size_t i = 0; i < count; i++) {
		if (weeks[i].arms[arm].sum.n > 0)
			weeks[i].arms[arm] = stores[told++];
		weeks[i].arms[arm].odd |= weeks[i].bad;
		/* Of one alone all is its own. */
		if (count == 1)
			weeks[i].arms[arm].odd &= ~(unsigned)ODD_DOMINANT;
	}
	free(stores);
}

void
merged_judge(struct merged *merged)
{
	merged->judged = true;
	keep_last(merged);
	for (size_t at = 0, end; at < merged->week_count; at = end) {
		struct merged_week *weeks = &merged->weeks[at];

		for (end = at + 1;
		     end < merged->week_count && merged->weeks[end].week == merged->weeks[at].week;)
			end++;
		for (int arm = 0; arm < 2; arm++)
			judge_arm(weeks, end - at, arm);
		for (size_t i = at; i < end && end - at >= FEDERATION_STORES_MIN; i++)
			merged->weeks[i].out =
			    ((merged->weeks[i].arms[0].odd | merged->weeks[i].arms[1].odd) &
				ODD_LEFT_OUT) != 0;
	}
	if (merged->week_count == 0)
		return;
	merged->first = merged->weeks[0].week;
	merged->by_week_count =
	    (size_t)(merged->weeks[merged->week_count - 1].week - merged->first) + 1;
	if (merged->by_week_count > MERGED_WEEKS_MAX) {
		merged->full = true;
		merged->by_week_count = 0;
	}
	merged->by_week = mem_calloc(merged->by_week_count, sizeof(*merged->by_week));
}

/* ---- adding up ---- */

/* NULL: it came between the two readings, or a later word of it counts. */
static const struct merged_week *
find_week(const struct merged *merged, const struct merged_week *week)
{
	size_t low = 0, high = merged->week_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_week(&merged->weeks[middle], week) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < merged->week_count && by_week(&merged->weeks[low], week) == 0
	    ? &merged->weeks[low]
	    : NULL;
}

static void
add_cell(struct merged *merged, const struct merged_week *week, const json_t *cell)
{
	const char *action = json_string_value(json_array_get(cell, 0)),
		   *segment = json_string_value(json_array_get(cell, 1)), *group;
	struct federation_sum sum;
	bool treated;

	if (!read_cell(cell, &sum, &treated))
		return;
	group = merged->group(merged->ctx, action);
	cells_add(&merged->by_week[week->week - merged->first], action, group != NULL ? group : "",
	    segment, treated, &sum);
}

void
merged_take(void *ctx, const struct record *record)
{
	struct merged *merged = ctx;
	/* These were counted at the first reading. */
	long long unread = merged->unread, others = merged->others;
	const struct merged_week *found;
	struct merged_week week;
	json_t *body = record_of(merged, record, &week), *cell;
	size_t i;

	merged->unread = unread;
	merged->others = others;
	found = body != NULL ? find_week(merged, &week) : NULL;
	if (found != NULL && !found->out)
		json_array_foreach(json_object_get(body, "cells"), i, cell)
			add_cell(merged, found, cell);
	json_decref(body);
}

void
merged_conclude(struct merged *merged)
{
	for (size_t w = 0; w < merged->by_week_count; w++) {
		const struct cells *week = &merged->by_week[w];

		for (size_t i = 0; i < week->count; i++)
			cells_add(&merged->cells, week->list[i].action, week->list[i].group,
			    week->list[i].segment, week->list[i].treated, &week->list[i].day);
		cells_turn(&merged->cells, w > 0 ? 1 : 0);
		merged->full = merged->full || week->full;
	}
	merged->full = merged->full || merged->cells.full;
}
