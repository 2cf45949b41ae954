/* SPDX-License-Identifier: Apache-2.0
 *
 * drawn.c - the draws of all stores, each with what came of every action that it could have shown.
 *
 * DESIGN
 *   Actions of a draw are told when their windows end, in as many records. They are put together by
 *   decision, placement and slot; of an action that was told again the highest revision counts.
 *   Names are kept once: a million rows name a few hundred actions.
 */
#include "hq/drawn.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/id.h"
#include "core/json.h"
#include "core/when.h"

/* ---- names ---- */

struct drawn_names {
	const char **at; /* open addressing; NULL: free */
	size_t room, count;
};

static size_t
place_of(const struct drawn_names *names, const char *name)
{
	uint64_t mix = UINT64_C(14695981039346656037);
	size_t at;

	for (const char *p = name; *p != '\0'; p++)
		mix = (mix ^ (unsigned char)*p) * UINT64_C(1099511628211);
	at = (size_t)mix & (names->room - 1);
	while (names->at[at] != NULL && strcmp(names->at[at], name) != 0)
		at = (at + 1) & (names->room - 1);
	return at;
}

static void
grow(struct drawn_names *names)
{
	struct drawn_names old = *names;

	names->room = old.room > 0 ? 2 * old.room : 256;
	names->at = mem_calloc(names->room, sizeof(*names->at));
	for (size_t i = 0; i < old.room; i++)
		if (old.at[i] != NULL)
			names->at[place_of(names, old.at[i])] = old.at[i];
	free(old.at);
}

static const char *
name_kept(struct drawn_list *list, const char *name)
{
	struct drawn_names *names = list->names;
	size_t at;

	if (name == NULL)
		return NULL;
	if (names->count * 2 >= names->room)
		grow(names);
	at = place_of(names, name);
	if (names->at[at] == NULL) {
		names->at[at] = arena_strdup(list->memory, name);
		names->count++;
	}
	return names->at[at];
}

void
drawn_init(struct drawn_list *list)
{
	*list = (struct drawn_list){ .memory = arena_new(),
		.names = mem_zero(sizeof(struct drawn_names)) };
}

void
drawn_done(struct drawn_list *list)
{
	if (list->names != NULL)
		free(list->names->at);
	free(list->names);
	free(list->draws);
	free(list->rows);
	arena_free(list->memory);
	*list = (struct drawn_list){ 0 };
}

/* ---- reading ---- */

static bool
number_at(const json_t *json, const char *name, double low, double high, double *ret)
{
	const json_t *number = json_object_get(json, name);

	if (!json_is_number(number))
		return false;
	*ret = json_number_value(number);
	return *ret >= low && *ret <= high;
}

static bool
read_row(struct drawn_list *list, const json_t *json, struct drawn_row *row)
{
	int64_t y;

	row->action = name_kept(list, json_string_value(json_object_get(json, "action")));
	row->drawn = json_is_true(json_object_get(json, "drawn"));
	if (row->action == NULL || !number_at(json, "p", 0, 1, &row->p))
		return false;
	row->nothing = json_object_get(json, "p1") == NULL;
	if (row->nothing)
		return true;
	row->treatment = name_kept(list, json_string_value(json_object_get(json, "treatment")));
	row->shown = json_is_true(json_object_get(json, "shown"));
	row->other = json_is_true(json_object_get(json, "other"));
	row->withheld = json_is_true(json_object_get(json, "withheld"));
	row->told = json_int(json_object_get(json, "y"), &y);
	row->y = row->told && y == 1;
	(void)json_int(json_object_get(json, "depth"), &row->depth);
	(void)json_int(json_object_get(json, "amount"), &row->amount_minor);
	return number_at(json, "p1", 0, 1, &row->p1) && number_at(json, "p0", 0, 1, &row->p0) &&
	    number_at(json, "margin", -1e15, 1e15, &row->margin) &&
	    number_at(json, "cost", -1e15, 1e15, &row->cost);
}

static bool
read_draw(struct drawn_list *list, const json_t *body, struct drawn *draw, int64_t *ret_rev)
{
	const char *at = json_string_value(json_object_get(body, "at")),
		   *decision = json_string_value(json_object_get(body, "decision")),
		   *visit = json_string_value(json_object_get(body, "visit")),
		   *subject = json_string_value(json_object_get(body, "subject"));
	int64_t slot;

	draw->placement = name_kept(list, json_string_value(json_object_get(body, "placement")));
	draw->bundle = name_kept(list, json_string_value(json_object_get(body, "bundle")));
	draw->counted = json_is_true(json_object_get(body, "counted"));
	if (at == NULL || decision == NULL || visit == NULL || draw->placement == NULL ||
	    draw->bundle == NULL || !when_parse(at, &draw->at_ms) ||
	    !id_parse(decision, &draw->decision) || !id_parse(visit, &draw->visit) ||
	    !json_int(json_object_get(body, "slot"), &slot) || slot < 1 || slot > 99 ||
	    !json_int(json_object_get(body, "rev"), ret_rev))
		return false;
	draw->slot = (int)slot;
	draw->has_subject = subject != NULL && subject_parse(subject, &draw->subject);
	return number_at(body, "cost_max", 0, 1e15, &draw->cost_max);
}

void
drawn_take(void *ctx, const struct record *record)
{
	struct drawn_list *list = ctx;
	struct drawn draw = { .store = name_kept(list, record->store), .order = list->draw_count };
	struct err err = { 0 };
	json_t *body = json_read(record->body, strlen(record->body), "settled", &err), *json;
	int64_t rev;
	size_t i;

	if (body == NULL || !read_draw(list, body, &draw, &rev)) {
		list->unread++;
		json_decref(body);
		return;
	}
	json_array_foreach(json_object_get(body, "rows"), i, json) {
		struct drawn_row row = {
			.draw = list->draw_count, .order = list->row_count, .rev = rev
		};

		if (list->row_count == DRAWN_MAX) {
			list->full = true;
			break;
		}
		if (!read_row(list, json, &row)) {
			list->unread++;
			continue;
		}
		list->rows =
		    mem_grow(list->rows, list->row_count, &list->row_capacity, sizeof(*list->rows));
		list->rows[list->row_count++] = row;
	}
	list->draws =
	    mem_grow(list->draws, list->draw_count, &list->draw_capacity, sizeof(*list->draws));
	list->draws[list->draw_count++] = draw;
	json_decref(body);
}

/* ---- settling ---- */

static int
by_place(const void *a_pointer, const void *b_pointer)
{
	const struct drawn *a = a_pointer, *b = b_pointer;
	int order = id_compare(&a->decision, &b->decision);

	if (order == 0)
		order = strcmp(a->store, b->store);
	if (order == 0)
		order = strcmp(a->placement, b->placement);
	if (order == 0)
		order = a->slot - b->slot;
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static bool
same_place(const struct drawn *a, const struct drawn *b)
{
	return id_equal(&a->decision, &b->decision) && strcmp(a->store, b->store) == 0 &&
	    strcmp(a->placement, b->placement) == 0 && a->slot == b->slot;
}

static int
by_order(const void *a_pointer, const void *b_pointer)
{
	const struct drawn *a = a_pointer, *b = b_pointer;

	return (a->order > b->order) - (a->order < b->order);
}

/* Each record's draw becomes the first one's that was told of the same place; first[order] is whose. */
static size_t *
unite(struct drawn_list *list)
{
	size_t *first = mem_calloc(list->draw_count + 1, sizeof(*first)), kept = 0, head = 0;

	if (list->draw_count > 1)
		qsort(list->draws, list->draw_count, sizeof(*list->draws), by_place);
	for (size_t i = 0; i < list->draw_count; i++) {
		if (i == 0 || !same_place(&list->draws[head], &list->draws[i]))
			head = i;
		first[list->draws[i].order] = list->draws[head].order;
	}
	for (size_t i = 0; i < list->draw_count; i++)
		if (first[list->draws[i].order] == list->draws[i].order)
			list->draws[kept++] = list->draws[i];
	list->draw_count = kept;
	if (kept > 1)
		qsort(list->draws, kept, sizeof(*list->draws), by_order);
	return first;
}

static int
by_action(const void *a_pointer, const void *b_pointer)
{
	const struct drawn_row *a = a_pointer, *b = b_pointer;
	int order;

	if (a->draw != b->draw)
		return a->draw < b->draw ? -1 : 1;
	if (a->nothing != b->nothing)
		return a->nothing ? 1 : -1;
	order = strcmp(a->action, b->action);
	if (order == 0)
		order = (a->rev > b->rev) - (a->rev < b->rev);
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

void
drawn_settle(struct drawn_list *list)
{
	size_t *first = unite(list), kept = 0, at = 0;

	for (size_t i = 0; i < list->row_count; i++)
		list->rows[i].draw = first[list->rows[i].draw];
	free(first);
	if (list->row_count > 1)
		qsort(list->rows, list->row_count, sizeof(*list->rows), by_action);
	for (size_t i = 0; i < list->row_count; i++) {
		const struct drawn_row *row = &list->rows[i], *next = row + 1;

		if (i + 1 == list->row_count || next->draw != row->draw ||
		    next->action != row->action || next->nothing != row->nothing)
			list->rows[kept++] = *row;
	}
	list->row_count = kept;
	for (size_t i = 0; i < list->draw_count; i++) {
		struct drawn *draw = &list->draws[i];

		draw->rows = &list->rows[at];
		while (at < kept && list->rows[at].draw == draw->order)
			at++;
		draw->row_count = (size_t)(&list->rows[at] - draw->rows);
	}
}
