/* SPDX-License-Identifier: Apache-2.0
 *
 * learning.c - what was expected of each action and what came, told to headquarters each week.
 *
 * DESIGN
 *   A row is taught when it settles, at its first word: all outcomes are of one
 *   age. Shown is T, and p1 was expected; not shown, nor another card of its
 *   group, or withheld is U, and p0 was: both as the gain had them. Whole
 *   numbers, so that headquarters may add them up (hq/merged.c).
 *
 *   A cell leaves when group_min people stand behind it, else it waits for the
 *   next week. Who they are is a few 64-bit hashes under the pepper, which is
 *   sealed with the data key: of who is forgotten they go, and nobody who has
 *   the state can try a subject. Once there are enough none is added; when the
 *   cell has left all go. A stranger's visit is a person. Rejected: a mark in each
 *   customer's own row, which strangers do not have, and a sketch, which nobody
 *   can be taken out of.
 *
 *   Cells are of one bundle in one week; another bundle begins cells of its own,
 *   and what has not left of a former one at the week's end never does. A row
 *   of disk for each action, so that a visit writes those that it taught.
 *
 * LIMITS
 *   LEARNING_BUNDLES a week, POLICY_ACTIONS_MAX actions of all of them.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "core/metrics.h"
#include "core/when.h"
#include "learn/learner.h"
#include "learn/shrink.h"

static const char *const arm_names[2] = { "U", "T" };

/* ---- weeks ---- */

/* Of its Monday, in days since 1970. */
static int32_t
monday_of(const struct engine *engine, int64_t day_ms)
{
	struct local_time day = zone_local(engine->zone, day_ms);

	return day.days - (day.weekday - 1);
}

static void
set_timer(struct engine *engine)
{
	static const struct id none;
	int64_t day_ms = engine_day_start(engine, engine->now_ms);
	int32_t monday = monday_of(engine, day_ms);

	while (monday_of(engine, day_ms) == monday)
		day_ms = engine_day_start(engine, day_ms + 30 * H_MS);
	timer_add(engine, "learned", &none, day_ms);
}

void
learning_restore(struct engine *engine)
{
	if (engine->learning.count > 0)
		set_timer(engine);
}

/* ---- teaching ---- */

static int
bundle_of(struct learning *learning, const char *hash)
{
	size_t i = 0;

	while (i < learning->bundle_count && strcmp(learning->bundles[i], hash) != 0)
		i++;
	if (i == LEARNING_BUNDLES)
		return -1;
	if (i == learning->bundle_count) {
		snprintf(learning->bundles[i], sizeof(learning->bundles[i]), "%s", hash);
		learning->bundle_count++;
		learning->dirty = true;
	}
	return (int)i;
}

/* NULL: no room. */
static struct learned_action *
action_row(struct engine *engine, int bundle, const char *action)
{
	struct learning *learning = &engine->learning;
	struct learned_action *row;

	for (size_t i = 0; i < learning->count; i++) {
		row = &learning->actions[i];
		if (row->bundle == bundle && strcmp(row->action, action) == 0)
			return row;
	}
	if (learning->count == POLICY_ACTIONS_MAX)
		return NULL;
	learning->actions = mem_grow(learning->actions, learning->count, &learning->capacity,
	    sizeof(*learning->actions));
	row = &learning->actions[learning->count++];
	*row = (struct learned_action){ .action = mem_strdup(action), .bundle = bundle };
	learning->dirty = true;
	return row;
}

static uint64_t
person_of(const struct engine *engine, const struct id *id)
{
	uint64_t person;

	hash_bytes(&person, sizeof(person), id->b, sizeof(id->b), keys_pepper(engine->keys), 32);
	return person;
}

static void
add_person(const struct engine *engine, struct learned_cell *cell, uint64_t person)
{
	for (int i = 0; i < cell->people_count; i++)
		if (cell->people[i] == person)
			return;
	if (cell->people_count < engine->conf->group_min)
		cell->people[cell->people_count++] = person;
}

/* As the gain had them. */
static double
expected(const struct listing *listing, const struct action *action, bool treated)
{
	double p1 = listing->p1, p0 = listing->p0, p;

	if (action->has_shrink)
		shrink_apply(&action->shrink, p1, p0, &p1, &p0);
	p = treated ? p1 : p0;
	return p < 0 ? 0 : p > 1 ? 1 : p;
}

void
learning_note(struct engine *engine, const struct visit *visit, const struct listing *listing,
    const struct action *action)
{
	const struct id *subject = visit->has_subject ? &visit->subject : NULL;
	bool treated = listing->shown && !listing->withheld;
	struct learned_action *row;
	struct learned_cell *cell;
	int64_t q16;
	int bundle;

	/* Neither with the card nor without one like it; who does not agree to be known is not learned from. */
	if ((!listing->shown && listing->other && !listing->withheld) ||
	    (subject != NULL && engine_remembered(engine, subject) == NULL))
		return;
	q16 = q16_of(expected(listing, action, treated));
	learner_teach(engine, action, treated, listing->bought, q16);
	bundle = bundle_of(&engine->learning, engine->policy->hash);
	row = bundle >= 0 ? action_row(engine, bundle, listing->action) : NULL;
	if (row == NULL) {
		metrics_add(METRIC_LIMIT_LEARNED, 1);
		return;
	}
	if (engine->learning.week == 0) {
		engine->learning.week = monday_of(engine, engine_day_start(engine, engine->now_ms));
		set_timer(engine);
	}
	cell = &row->arms[treated];
	cell->n++;
	cell->y += listing->bought;
	cell->p += q16;
	add_person(engine, cell, person_of(engine, subject != NULL ? subject : &visit->id));
	row->dirty = true;
}

void
learning_forget(struct engine *engine, const struct id *subject)
{
	uint64_t person = person_of(engine, subject);

	for (size_t i = 0; i < engine->learning.count; i++) {
		struct learned_action *row = &engine->learning.actions[i];

		for (int arm = 0; arm < 2; arm++) {
			struct learned_cell *cell = &row->arms[arm];

			for (int p = 0; p < cell->people_count; p++) {
				if (cell->people[p] != person)
					continue;
				cell->people[p] = cell->people[--cell->people_count];
				row->dirty = true;
				break;
			}
		}
	}
}

/* ---- the week is over ---- */

static bool
may_leave(const struct engine *engine, const struct learned_cell *cell)
{
	return cell->n > 0 && cell->people_count >= engine->conf->group_min;
}

static void
add_cell(struct json_writer *w, const char *action, int arm, const struct learned_cell *cell)
{
	json_add_list(w, NULL);
	json_add_str(w, NULL, action);
	json_add_str(w, NULL, "");
	json_add_str(w, NULL, arm_names[arm]);
	json_add_int(w, NULL, cell->n);
	json_add_int(w, NULL, cell->y);
	json_add_int(w, NULL, cell->p);
	json_end(w);
}

static void
tell(struct engine *engine, int bundle)
{
	struct learning *learning = &engine->learning;
	char monday[WHEN_TEXT_SIZE];
	struct buf json = { 0 };
	struct json_writer *w = JSON_OBJECT(&json);
	size_t count = 0;

	when_text(learning->week * D_MS, monday);
	json_add_str(w, "bundle", learning->bundles[bundle]);
	json_addf(w, "week", "%.10s", monday);
	json_add_int(w, "rev", 0);
	json_add_list(w, "cells");
	for (size_t i = 0; i < learning->count; i++) {
		struct learned_action *row = &learning->actions[i];

		for (int arm = 0; arm < 2 && row->bundle == bundle; arm++) {
			if (!may_leave(engine, &row->arms[arm]))
				continue;
			add_cell(w, row->action, arm, &row->arms[arm]);
			row->arms[arm] = (struct learned_cell){ 0 };
			count++;
		}
	}
	json_end_all(w);
	if (count > 0)
		engine_uplink(engine, LANE_TELEMETRY, "learner", NULL, &json);
	buf_done(&json);
}

/* What waits for the next week: of the bundle in force, what has not left. */
static void
keep_waiting(struct engine *engine)
{
	struct learning *learning = &engine->learning;
	size_t kept = 0;

	for (size_t i = 0; i < learning->count; i++) {
		struct learned_action *row = &learning->actions[i];

		if (engine->policy == NULL || row->arms[0].n + row->arms[1].n == 0 ||
		    strcmp(learning->bundles[row->bundle], engine->policy->hash) != 0) {
			free(row->action);
			continue;
		}
		row->bundle = 0;
		row->dirty = true;
		learning->actions[kept++] = *row;
	}
	learning->count = kept;
	learning->bundle_count = kept > 0;
	if (kept > 0)
		snprintf(learning->bundles[0], sizeof(learning->bundles[0]), "%s",
		    engine->policy->hash);
}

void
learning_week_over(struct engine *engine)
{
	struct learning *learning = &engine->learning;

	for (size_t i = 0; i < learning->bundle_count; i++)
		tell(engine, (int)i);
	keep_waiting(engine);
	learning->dirty = true;
	learning->week = 0;
	if (learning->count == 0)
		return;
	learning->week = monday_of(engine, engine_day_start(engine, engine->now_ms));
	set_timer(engine);
}

/* ---- on disk ---- */

static const char *
row_name(size_t i, char out[static 32])
{
	snprintf(out, 32, "learned/%zu", i);
	return out;
}

static void
save_row(struct engine *engine, size_t i, struct buf *buf)
{
	struct learned_action *row = &engine->learning.actions[i];
	char name[32];

	buf_clear(buf);
	buf_str(buf, row->action);
	buf_u8(buf, (uint8_t)row->bundle);
	for (int arm = 0; arm < 2; arm++) {
		const struct learned_cell *cell = &row->arms[arm];

		buf_i64(buf, cell->n);
		buf_i64(buf, cell->y);
		buf_i64(buf, cell->p);
		buf_u8(buf, (uint8_t)cell->people_count);
		for (int p = 0; p < cell->people_count; p++)
			buf_i64(buf, (int64_t)cell->people[p]);
	}
	engine_check(engine, store_meta_set(engine->store, row_name(i, name), buf->data, buf->len));
	row->dirty = false;
}

void
learning_save(struct engine *engine, struct buf *buf)
{
	struct learning *learning = &engine->learning;

	for (size_t i = 0; i < learning->count; i++)
		if (learning->actions[i].dirty)
			save_row(engine, i, buf);
	if (!learning->dirty)
		return;
	buf_clear(buf);
	buf_i64(buf, learning->week);
	buf_i64(buf, (int64_t)learning->count);
	buf_u8(buf, (uint8_t)learning->bundle_count);
	for (size_t i = 0; i < learning->bundle_count; i++)
		buf_str(buf, learning->bundles[i]);
	engine_check(engine, store_meta_set(engine->store, "learned", buf->data, buf->len));
	learning->dirty = false;
}

static bool
read_cell(struct rd *rd, struct learned_cell *ret)
{
	ret->n = rd_i64(rd);
	ret->y = rd_i64(rd);
	ret->p = rd_i64(rd);
	ret->people_count = rd_u8(rd);
	for (int p = 0; p < ret->people_count && p < LEARNED_PEOPLE_MAX && rd->ok; p++)
		ret->people[p] = (uint64_t)rd_i64(rd);
	return rd->ok && ret->people_count <= LEARNED_PEOPLE_MAX && ret->n >= 0 && ret->y >= 0 &&
	    ret->y <= ret->n && ret->p >= 0 && ret->p <= ret->n * Q16_ONE;
}

/* One that is damaged is left out: its week is lost, and no more. */
static void
load_row(struct engine *engine, size_t i)
{
	struct learning *learning = &engine->learning;
	struct learned_action row = { 0 };
	struct buf buf = { 0 };
	char name[32];
	bool there = store_meta_get(engine->store, row_name(i, name), &buf) == 0, good;
	struct rd rd = rd_init(buf.data, buf.len);

	row.action = there ? rd_str(&rd) : NULL;
	row.bundle = rd_u8(&rd);
	good = row.action != NULL && row.bundle < (int)learning->bundle_count &&
	    read_cell(&rd, &row.arms[0]) && read_cell(&rd, &row.arms[1]) && rd_done(&rd);
	if (!good) {
		free(row.action);
		row = (struct learned_action){ .action = mem_strdup("") };
	}
	learning->actions = mem_grow(learning->actions, learning->count, &learning->capacity,
	    sizeof(*learning->actions));
	learning->actions[learning->count++] = row;
	buf_done(&buf);
}

void
learning_load(struct engine *engine)
{
	struct learning *learning = &engine->learning;
	struct buf buf = { 0 };
	bool there = store_meta_get(engine->store, "learned", &buf) == 0;
	struct rd rd = rd_init(buf.data, buf.len);
	int64_t week = rd_i64(&rd), count = rd_i64(&rd);
	size_t bundles = rd_u8(&rd);

	learning_drop(engine);
	for (size_t i = 0; there && i < bundles && i < LEARNING_BUNDLES && rd.ok; i++) {
		char *hash = rd_str(&rd);

		snprintf(learning->bundles[i], sizeof(learning->bundles[i]), "%s",
		    hash != NULL ? hash : "");
		free(hash);
	}
	if (there && rd_done(&rd) && bundles <= LEARNING_BUNDLES && week >= 0 &&
	    week <= INT32_MAX && count >= 0 && count <= POLICY_ACTIONS_MAX) {
		learning->week = (int32_t)week;
		learning->bundle_count = bundles;
		for (size_t i = 0; i < (size_t)count; i++)
			load_row(engine, i);
	}
	buf_done(&buf);
}

void
learning_drop(struct engine *engine)
{
	for (size_t i = 0; i < engine->learning.count; i++)
		free(engine->learning.actions[i].action);
	free(engine->learning.actions);
	engine->learning = (struct learning){ 0 };
}
