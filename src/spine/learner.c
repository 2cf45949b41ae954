/* SPDX-License-Identifier: Apache-2.0
 *
 * learner.c - what the store makes of its own answers: a ratio for each action, shown or not, by which the
 * chances of headquarters' models are multiplied.
 *
 * DESIGN
 *   learn/cells.c is the arithmetic, and decides by the past whether any of it is
 *   in force. Ratios are a day's: what is taught today is first heard of at the
 *   next business day's start, by a timer, before anything is decided in it.
 *   When a week is over by then all is a sixteenth less.
 *
 *   Cells are of one bundle; another begins anew, also one that comes back:
 *   what was expected then was another model's.
 *
 *   On disk each cell is a row, so that a visit writes those that it taught; at
 *   the day's start all are written. Ratios are made again from sums at a start:
 *   a cell that nobody has taught yet changes no other's.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_write.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"

/* ---- days ---- */

static int32_t
monday_of(const struct engine *engine, int64_t day_ms)
{
	struct local_time day = zone_local(engine->zone, day_ms);

	return day.days - (day.weekday - 1);
}

void
learner_restore(struct engine *engine)
{
	static const struct id none;

	if (engine->learner.day_ms != 0)
		timer_add(engine, "taught", &none,
		    engine_day_start(engine, engine->learner.day_ms + 30 * H_MS));
}

void
learner_day_over(struct engine *engine)
{
	struct learner *learner = &engine->learner;
	int32_t monday = monday_of(engine, engine_day_start(engine, engine->now_ms));
	enum learner_kappa before = learner->cells.kappa;

	if (learner->day_ms == 0)
		return;
	cells_turn(&learner->cells, learner->week < monday ? (monday - learner->week) / 7 : 0);
	learner->week = monday;
	learner->day_ms = 0;
	learner->dirty = learner->taught = true;
	for (size_t i = 0; i < learner->cells.count; i++)
		learner->cells.list[i].dirty = true;
	if (learner->cells.kappa != before)
		log_notice("%s",
		    learner->cells.kappa == LEARNER_HQ_ALONE
			? "the store's own answers bear out no correction of the models' chances "
			  "any "
			  "more: headquarters alone"
			: "the store's own answers correct the models' chances from today on");
}

/* ---- teaching, and what is in force ---- */

static bool
is_of_bundle(const struct engine *engine)
{
	return engine->policy != NULL && strcmp(engine->learner.bundle, engine->policy->hash) == 0;
}

static void
begin_bundle(struct engine *engine)
{
	struct learner *learner = &engine->learner;

	cells_done(&learner->cells);
	*learner = (struct learner){ .dirty = true };
	snprintf(learner->bundle, sizeof(learner->bundle), "%s", engine->policy->hash);
}

void
learner_teach(struct engine *engine, const struct action *action, bool treated, bool y, int64_t q16)
{
	struct learner *learner = &engine->learner;
	struct federation_sum row = { 1, y ? Q16_ONE : 0, q16 };
	size_t count;
	struct cell *cell;

	if (!is_of_bundle(engine))
		begin_bundle(engine);
	count = learner->cells.count;
	cell = cells_get(&learner->cells, action->id, action->group != NULL ? action->group : "",
	    "", treated);
	if (cell == NULL || !federation_add(&cell->day, &row)) {
		metrics_add(METRIC_LIMIT_LEARNED, 1);
		return;
	}
	if (learner->cells.count != count) {
		cell->row = (uint32_t)count;
		learner->dirty = true;
	}
	cell->dirty = learner->taught = true;
	if (learner->day_ms != 0)
		return;
	learner->day_ms = engine_day_start(engine, engine->now_ms);
	if (learner->week == 0)
		learner->week = monday_of(engine, learner->day_ms);
	learner->dirty = true;
	learner_restore(engine);
}

const struct cells *
learner_in_force(const struct engine *engine)
{
	return is_of_bundle(engine) && engine->learner.cells.kappa != LEARNER_HQ_ALONE
	    ? &engine->learner.cells
	    : NULL;
}

/* ---- on disk ---- */

static void
put_sum(struct buf *buf, const struct federation_sum *sum)
{
	buf_i64(buf, sum->n);
	buf_i64(buf, sum->y);
	buf_i64(buf, sum->p);
}

static void
save_cell(struct engine *engine, struct cell *cell, struct buf *buf)
{
	char name[32];

	snprintf(name, sizeof(name), "taught/%u", (unsigned)cell->row);
	buf_clear(buf);
	buf_str(buf, cell->action);
	buf_str(buf, cell->group);
	buf_u8(buf, cell->treated);
	put_sum(buf, &cell->sum);
	put_sum(buf, &cell->day);
	engine_check(engine, store_meta_set(engine->store, name, buf->data, buf->len));
}

static void
save_head(struct engine *engine, struct buf *buf)
{
	struct learner *learner = &engine->learner;

	buf_clear(buf);
	buf_str(buf, learner->bundle);
	buf_i64(buf, learner->week);
	buf_i64(buf, learner->day_ms);
	buf_i64(buf, learner->cells.scores[LEARNER_80]);
	buf_i64(buf, learner->cells.scores[LEARNER_20]);
	buf_i64(buf, (int64_t)learner->cells.count);
	engine_check(engine, store_meta_set(engine->store, "taught", buf->data, buf->len));
}

void
learner_save(struct engine *engine, struct buf *buf)
{
	struct learner *learner = &engine->learner;

	for (size_t i = 0; learner->taught && i < learner->cells.count; i++) {
		if (!learner->cells.list[i].dirty)
			continue;
		save_cell(engine, &learner->cells.list[i], buf);
		learner->cells.list[i].dirty = false;
	}
	if (learner->dirty)
		save_head(engine, buf);
	learner->dirty = learner->taught = false;
}

static bool
read_sum(struct rd *rd, struct federation_sum *ret)
{
	ret->n = rd_i64(rd);
	ret->y = rd_i64(rd);
	ret->p = rd_i64(rd);
	return rd->ok && ret->n >= 0 && ret->n <= LEARNER_SUM_MAX && ret->y >= 0 &&
	    ret->y <= LEARNER_SUM_MAX && ret->p >= 0 && ret->p <= LEARNER_SUM_MAX;
}

static bool
load_cell(struct engine *engine, size_t i)
{
	struct federation_sum sum, day;
	struct buf buf = { 0 };
	struct cell *cell;
	char name[32];
	bool good;

	snprintf(name, sizeof(name), "taught/%zu", i);
	good = store_meta_get(engine->store, name, &buf) == 0;

	struct rd rd = rd_init(buf.data, buf.len);
	char *action = good ? rd_str(&rd) : NULL, *group = good ? rd_str(&rd) : NULL;
	bool treated = rd_u8(&rd) == 1;

	good = action != NULL && group != NULL && read_sum(&rd, &sum) && read_sum(&rd, &day) &&
	    rd_done(&rd);
	cell = good ? cells_get(&engine->learner.cells, action, group, "", treated) : NULL;
	if (cell != NULL) {
		cell->sum = sum;
		cell->day = day;
		cell->row = (uint32_t)i;
	}
	free(action);
	free(group);
	buf_done(&buf);
	return cell != NULL;
}

/* What is damaged is learned anew: half of it would be another store's. */
void
learner_load(struct engine *engine)
{
	struct learner *learner = &engine->learner;
	struct buf buf = { 0 };
	bool good = store_meta_get(engine->store, "taught", &buf) == 0;
	struct rd rd = rd_init(buf.data, buf.len);
	char *bundle = good ? rd_str(&rd) : NULL;
	int64_t week = rd_i64(&rd), day_ms = rd_i64(&rd), score_80 = rd_i64(&rd),
		score_20 = rd_i64(&rd), count = rd_i64(&rd);

	learner_drop(engine);
	good = bundle != NULL && rd_done(&rd) && strlen(bundle) < sizeof(learner->bundle) &&
	    week >= 0 && week <= INT32_MAX && count >= 0 && count <= CELLS_MAX;
	for (size_t i = 0; good && i < (size_t)count; i++)
		good = load_cell(engine, i);
	if (good) {
		memcpy(learner->bundle, bundle, strlen(bundle) + 1);
		learner->week = (int32_t)week;
		learner->day_ms = day_ms;
		learner->cells.scores[LEARNER_80] = score_80;
		learner->cells.scores[LEARNER_20] = score_20;
		learner->cells.kappa = learner_choose(score_80, score_20);
		cells_weigh(&learner->cells);
	} else {
		learner_drop(engine);
	}
	free(bundle);
	buf_done(&buf);
}

void
learner_drop(struct engine *engine)
{
	cells_done(&engine->learner.cells);
	engine->learner = (struct learner){ 0 };
}
