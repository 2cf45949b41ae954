/* SPDX-License-Identifier: Apache-2.0
 *
 * settled.c - what came of the actions on shortlists, and how far their chances may be believed.
 *
 * DESIGN
 *   Treated is what was shown, by whatever decision; untreated what was not,
 *   nor another card of its group, or was withheld. Only rows whose draw could
 *   have gone either way say anything. Of a row that was told again the highest
 *   revision counts.
 *
 *   Where nothing was random the means are still known, and the default takes
 *   three tenths of the spread about them. One action alone with little behind
 *   it gets the default, too: what all actions have in common is then itself.
 */
#include "hq/settled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fmath.h"
#include "core/id.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/when.h"

#define SAME_SHARE 1e-9

void
settled_init(struct settled *settled, int64_t since_ms)
{
	*settled = (struct settled){ .since_ms = since_ms };
}

void
settled_done(struct settled *settled)
{
	for (size_t i = 0; i < settled->action_count; i++)
		free(settled->actions[i].name);
	free(settled->actions);
	free(settled->rows);
	*settled = (struct settled){ 0 };
}

/* ---- reading ---- */

static uint32_t
action_of(struct settled *settled, const char *name)
{
	size_t i = 0;

	while (i < settled->action_count && strcmp(settled->actions[i].name, name) != 0)
		i++;
	if (i == SHRINK_ACTIONS_MAX) {
		settled->full = true;
		return 0;
	}
	if (i == settled->action_count) {
		settled->actions = mem_grow(settled->actions, settled->action_count,
		    &settled->action_capacity, sizeof(*settled->actions));
		settled->actions[settled->action_count++] =
		    (struct settled_action){ .name = mem_strdup(name) };
	}
	return (uint32_t)i;
}

static bool
chance_at(const json_t *row, const char *name, double *ret)
{
	const json_t *number = json_object_get(row, name);

	if (!json_is_number(number))
		return false;
	*ret = json_number_value(number);
	return *ret >= 0 && *ret <= 1;
}

/* The record's own part of a row's key. */
struct listed {
	const char *visit, *placement;
	char slot[24];
	int64_t rev;
};

static void
take_row(struct settled *settled, const struct listed *listed, const json_t *json)
{
	const char *action = json_string_value(json_object_get(json, "action"));
	const char *parts[] = { listed->visit, listed->placement, listed->slot, action };
	bool shown = json_is_true(json_object_get(json, "shown")),
	     other = json_is_true(json_object_get(json, "other")),
	     withheld = json_is_true(json_object_get(json, "withheld"));
	struct settled_row row = { .rev = listed->rev };
	double p;
	int64_t y;

	if (action != NULL && json_object_get(json, "p1") == NULL)
		return; /* nothing */
	if (action == NULL || !chance_at(json, "p", &p) || !chance_at(json, "p1", &row.p1) ||
	    !chance_at(json, "p0", &row.p0)) {
		settled->unread++;
		return;
	}
	if (settled->row_count == SETTLED_MAX) {
		settled->full = true;
		return;
	}
	row.key = hash_parts(parts, 4);
	row.order = (uint32_t)settled->row_count;
	row.action = action_of(settled, action);
	row.treated = shown && !withheld;
	row.random = p > 0 && p < 1 && (shown || !other || withheld) &&
	    json_int(json_object_get(json, "y"), &y);
	row.y = row.random && y == 1;
	settled->rows = mem_grow(settled->rows, settled->row_count, &settled->row_capacity,
	    sizeof(*settled->rows));
	settled->rows[settled->row_count++] = row;
}

void
settled_take(void *ctx, const struct record *record)
{
	struct settled *settled = ctx;
	struct err err = { 0 };
	json_t *body = json_read(record->body, strlen(record->body), "settled", &err), *row;
	const char *at = json_string_value(json_object_get(body, "at"));
	struct listed listed = { json_string_value(json_object_get(body, "visit")),
		json_string_value(json_object_get(body, "placement")), "", 0 };
	int64_t slot, at_ms;
	size_t i;

	if (at == NULL || !when_parse(at, &at_ms) || listed.visit == NULL ||
	    listed.placement == NULL || !json_int(json_object_get(body, "slot"), &slot) ||
	    !json_int(json_object_get(body, "rev"), &listed.rev)) {
		settled->unread++;
	} else if (at_ms >= settled->since_ms) {
		snprintf(listed.slot, sizeof(listed.slot), "%lld", (long long)slot);
		json_array_foreach(json_object_get(body, "rows"), i, row)
			take_row(settled, &listed, row);
	}
	json_decref(body);
}

/* ---- estimating ---- */

/* Of one row its last word comes last; then by action. */
static int
by_key(const void *a_pointer, const void *b_pointer)
{
	const struct settled_row *a = a_pointer, *b = b_pointer;
	int order = id_compare(&a->key, &b->key);

	if (order == 0)
		order = (a->rev > b->rev) - (a->rev < b->rev);
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static int
by_action(const void *a_pointer, const void *b_pointer)
{
	const struct settled_row *a = a_pointer, *b = b_pointer;

	if (a->action != b->action)
		return a->action < b->action ? -1 : 1;
	return id_compare(&a->key, &b->key);
}

static void
keep_last(struct settled *settled)
{
	size_t kept = 0;

	if (settled->row_count > 1)
		qsort(settled->rows, settled->row_count, sizeof(*settled->rows), by_key);
	for (size_t i = 0; i < settled->row_count; i++)
		if (i + 1 == settled->row_count ||
		    !id_equal(&settled->rows[i].key, &settled->rows[i + 1].key))
			settled->rows[kept++] = settled->rows[i];
	settled->row_count = kept;
	if (kept > 1)
		qsort(settled->rows, kept, sizeof(*settled->rows), by_action);
}

static void
look_through(struct settled_action *action, const struct settled_row *rows, size_t count)
{
	double low = 2, high = -1;

	action->rows = count;
	for (size_t i = 0; i < count; i++) {
		double share = rows[i].p1 > 0 ? rows[i].p0 / rows[i].p1 : 0;

		low = share < low ? share : low;
		high = share > high ? share : high;
	}
	action->constant = high - low < SAME_SHARE;
}

static void
estimate(struct settled_action *action, const struct settled_row *rows, size_t count)
{
	struct shrink_row *list = mem_calloc(count, sizeof(*list));
	size_t random = 0;

	for (size_t i = 0; i < count; i++)
		if (rows[i].random)
			list[random++] = (struct shrink_row){ rows[i].p1, rows[i].p0,
				rows[i].treated, rows[i].y };
	action->estimated = shrink_estimate(list, random, &action->fit);
	/* The means, for the default. */
	for (size_t i = 0; i < count && !action->estimated; i++)
		list[i] = (struct shrink_row){ rows[i].p1, rows[i].p0, false, false };
	if (!action->estimated)
		action->fit.shrink = shrink_default(list, count);
	free(list);
}

static void
pool(struct settled *settled)
{
	struct shrink_fit *fits = mem_calloc(settled->action_count, sizeof(*fits));
	size_t count = 0;

	for (size_t i = 0; i < settled->action_count; i++)
		if (settled->actions[i].estimated)
			fits[count++] = settled->actions[i].fit;
	if (count > 0)
		shrink_together(fits, count);
	for (size_t i = 0, at = 0; i < settled->action_count; i++) {
		struct settled_action *action = &settled->actions[i];

		if (!action->estimated)
			continue;
		if (count == 1 && shrink_is_thin(&fits[at])) {
			action->estimated = false;
			action->fit.shrink = (struct shrink){ fits[at].shrink.mid,
				fits[at].shrink.d, 0, 1, 0, SHRINK_DEFAULT_LAMBDA };
		} else {
			action->fit = fits[at];
		}
		at++;
	}
	free(fits);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct settled_action *)a)->name,
	    ((const struct settled_action *)b)->name);
}

void
settled_estimate(struct settled *settled)
{
	keep_last(settled);
	for (size_t at = 0, end; at < settled->row_count; at = end) {
		struct settled_action *action = &settled->actions[settled->rows[at].action];

		for (end = at; end < settled->row_count &&
		     settled->rows[end].action == settled->rows[at].action;)
			end++;
		look_through(action, &settled->rows[at], end - at);
		estimate(action, &settled->rows[at], end - at);
	}
	/* By name before they are pooled: sums add up in one order, whoever was read first. */
	if (settled->action_count > 1)
		qsort(settled->actions, settled->action_count, sizeof(*settled->actions), by_name);
	pool(settled);
}

/* ---- telling ---- */

/* A constant share of a chance is no second model that could be noise. */
static bool
is_told(const struct settled_action *action)
{
	return action->rows > 0 && (action->estimated || !action->constant);
}

void
settled_json(const struct settled *settled, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_object(w, "shrink");
	for (size_t i = 0; i < settled->action_count; i++) {
		const struct settled_action *action = &settled->actions[i];
		const struct shrink *shrink = &action->fit.shrink;

		if (!is_told(action))
			continue;
		json_space(w, "\n ");
		json_add_object(w, action->name);
		json_add_double(w, "mid", shrink->mid);
		json_add_double(w, "d", shrink->d);
		json_add_double(w, "a", shrink->a);
		json_add_double(w, "beta", shrink->beta);
		json_add_double(w, "delta", shrink->delta);
		json_add_double(w, "lambda", shrink->lambda);
		json_add_int(w, "rows",
		    (int64_t)(action->estimated ? action->fit.rows : action->rows));
		json_add_str(w, "from", action->estimated ? "settled" : "default");
		json_end(w);
	}
	json_end_all(w);
	buf_addc(out, '\n');
}

void
settled_text(const struct settled *settled, struct buf *out)
{
	for (size_t i = 0; i < settled->action_count; i++) {
		const struct settled_action *action = &settled->actions[i];
		const struct shrink *shrink = &action->fit.shrink;

		buf_addf(out, "%s: %zu rows, ", action->name, action->rows);
		if (action->estimated)
			buf_addf(out,
			    "%zu randomised, outcomes %zu with and %zu without; of a difference of "
			    "%.3f %.3f is left, of a customer's own part %.2f%s\n",
			    action->fit.rows, action->fit.outcomes[1], action->fit.outcomes[0],
			    shrink->d, shrink->d + shrink->delta, shrink->lambda,
			    shrink_is_thin(&action->fit) ? " (too few: as all actions)" : "");
		else if (action->constant)
			buf_adds(out, "none randomised, and no second model: left out\n");
		else
			buf_addf(out,
			    "none randomised, or too few: the default, %.1f of a customer's own "
			    "part\n",
			    shrink->lambda);
	}
}
