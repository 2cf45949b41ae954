/* SPDX-License-Identifier: Apache-2.0
 *
 * assigned.c - how many customers were first seen in each arm: what says whether an experiment has the shares that it
 * should have.
 *
 * DESIGN
 *   A customer is counted when they are recognised, before anything is said, so that what an arm does cannot change the
 *   count; only who grants `profile`, as in sales. Their own row says which experiments they were counted in, and goes
 *   with them when they are forgotten; counts stay. Told at the end of the business day, in aggregates too: figures of
 *   an arm, and nobody's.
 *
 * LIMITS
 *   SUBJECT_SEEN_MAX experiments a customer, ASSIGNED_MAX arms; what a policy has no more goes.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "core/when.h"
#include "profile/subject_io.h"

static const struct experiment *
experiment_of(const struct engine *engine, const char *name)
{
	for (size_t i = 0; engine->policy != NULL && i < engine->policy->experiment_count; i++) {
		if (strcmp(engine->policy->experiments[i].name, name) == 0)
			return &engine->policy->experiments[i];
	}
	return NULL;
}

/* By its salt: drawn anew it is another one. */
static struct id
key_of(const struct experiment *experiment)
{
	char salt[65];
	const char *parts[2] = { NULL, salt };

	CHECK(experiment != NULL);
	parts[0] = experiment->name;
	hash_hex(salt, experiment->salt, sizeof(experiment->salt));
	return hash_parts(parts, ARRAY_LEN(parts));
}

/* ---- who was seen ---- */

static bool
is_of_policy(const struct engine *engine, const struct id *key)
{
	for (size_t i = 0; i < engine->policy->experiment_count; i++) {
		struct id own = key_of(&engine->policy->experiments[i]);

		if (id_equal(&own, key))
			return true;
	}
	return false;
}

static void
make_room(const struct engine *engine, struct subject *subject)
{
	size_t kept = 0;

	for (size_t i = 0; i < subject->seen_count; i++) {
		if (is_of_policy(engine, &subject->seen[i]))
			subject->seen[kept++] = subject->seen[i];
	}
	subject->seen_count = kept;
}

/* true: they are new in it. */
static bool
see(const struct engine *engine, struct subject *subject, const struct experiment *experiment)
{
	struct id key = key_of(experiment);
	bool is_new;

	if (subject->seen_count == SUBJECT_SEEN_MAX)
		make_room(engine, subject);
	is_new = subject_see(subject, &key);
	subject->dirty = subject->dirty || is_new;
	return is_new;
}

/* ---- the day ---- */

static struct assigned_arm *
arm_row(struct engine *engine, const struct arm_choice *choice)
{
	struct assigned_arm *row;

	for (size_t i = 0; i < engine->assigned_count; i++) {
		row = &engine->assigned[i];
		if (strcmp(row->experiment, choice->experiment) == 0 &&
		    strcmp(row->arm, choice->arm) == 0)
			return row;
	}
	if (engine->assigned_count == ASSIGNED_MAX)
		return NULL;
	row = &engine->assigned[engine->assigned_count++];
	*row = (struct assigned_arm){ .experiment = mem_strdup(choice->experiment),
		.arm = mem_strdup(choice->arm) };
	return row;
}

void
assigned_restore(struct engine *engine)
{
	static const struct id none;

	if (engine->assigned_day_ms != 0)
		timer_add(engine, "assigned", &none,
		    engine_day_start(engine, engine->assigned_day_ms + 30 * H_MS));
}

static void
tell(struct engine *engine, const struct assigned_arm *row)
{
	struct buf json = { 0 };
	struct json_writer *w = JSON_OBJECT(&json);
	struct local_time day = zone_local(engine->zone, engine->assigned_day_ms);

	json_addf(w, "day", "%04d-%02d-%02d", day.year, day.month, day.day);
	json_add_str(w, "experiment", row->experiment);
	json_add_str(w, "arm", row->arm);
	json_add_int(w, "new", row->fresh);
	json_add_int(w, "total", row->total);
	json_end(w);
	engine_uplink(engine, LANE_MONEY, "assigned", NULL, &json);
	buf_done(&json);
}

static void
drop_row(struct assigned_arm *row)
{
	free(row->experiment);
	free(row->arm);
}

void
assigned_day_over(struct engine *engine)
{
	size_t kept = 0;

	for (size_t i = 0; i < engine->assigned_count; i++) {
		struct assigned_arm *row = &engine->assigned[i];

		if (row->fresh > 0)
			tell(engine, row);
		row->fresh = 0;
		if (engine->policy == NULL || experiment_of(engine, row->experiment) != NULL)
			engine->assigned[kept++] = *row;
		else
			drop_row(row);
	}
	engine->assigned_count = kept;
	engine->assigned_day_ms = 0;
	engine->assigned_dirty = true;
}

static void
count(struct engine *engine, struct subject *subject, const struct arm_choice *choice)
{
	int64_t day_ms = engine_day_start(engine, engine->now_ms);
	struct assigned_arm *row = arm_row(engine, choice);

	if (row == NULL || !see(engine, subject, experiment_of(engine, choice->experiment)))
		return;
	row->fresh++;
	row->total++;
	engine->assigned_dirty = true;
	if (engine->assigned_day_ms != 0)
		return;
	engine->assigned_day_ms = day_ms;
	assigned_restore(engine);
}

void
assigned_note(struct engine *engine, const struct visit *visit)
{
	const struct id *id = visit->has_subject ? &visit->subject : NULL;
	struct arm_choice *arms = NULL;
	bool withholds;
	size_t arm_count;

	if (engine->uplink == UPLINK_NONE || engine->policy == NULL ||
	    engine->policy->experiment_count == 0 || visit->training ||
	    engine_remembered(engine, id) == NULL || staff_visit(engine, visit))
		return;
	arm_count = experiments_assign(engine->arena, engine->policy, id, &visit->id,
	    visit->station, engine->conf->store_id, engine_day_start(engine, engine->now_ms), &arms,
	    &withholds);
	for (size_t i = 0; i < arm_count; i++) {
		const struct experiment *experiment = experiment_of(engine, arms[i].experiment);

		if (experiment != NULL && experiment->unit == UNIT_CUSTOMER)
			count(engine, engine_subject(engine, id), &arms[i]);
	}
}

/* ---- on disk ---- */

void
assigned_save(struct engine *engine, struct buf *buf)
{
	if (!engine->assigned_dirty)
		return;
	buf_clear(buf);
	buf_i64(buf, engine->assigned_day_ms);
	buf_i64(buf, (int64_t)engine->assigned_count);
	for (size_t i = 0; i < engine->assigned_count; i++) {
		buf_str(buf, engine->assigned[i].experiment);
		buf_str(buf, engine->assigned[i].arm);
		buf_i64(buf, engine->assigned[i].fresh);
		buf_i64(buf, engine->assigned[i].total);
	}
	engine_check(engine, store_meta_set(engine->store, "assigned", buf->data, buf->len));
	engine->assigned_dirty = false;
}

void
assigned_load(struct engine *engine)
{
	struct buf buf = { 0 };
	bool there = store_meta_get(engine->store, "assigned", &buf) == 0;
	struct rd rd = rd_init(buf.data, buf.len);
	int64_t day_ms = rd_i64(&rd), rows = rd_i64(&rd);

	assigned_drop(engine);
	for (int64_t i = 0; there && i < rows && i < ASSIGNED_MAX && rd.ok; i++) {
		struct assigned_arm *row = &engine->assigned[engine->assigned_count++];

		row->experiment = rd_str(&rd);
		row->arm = rd_str(&rd);
		row->fresh = rd_i64(&rd);
		row->total = rd_i64(&rd);
		if (row->experiment == NULL || row->arm == NULL)
			rd.ok = false;
	}
	if (there && rd_done(&rd))
		engine->assigned_day_ms = day_ms;
	else
		assigned_drop(engine);
	buf_done(&buf);
}

void
assigned_drop(struct engine *engine)
{
	for (size_t i = 0; i < engine->assigned_count; i++)
		drop_row(&engine->assigned[i]);
	engine->assigned_count = 0;
	engine->assigned_day_ms = 0;
	engine->assigned_dirty = false;
}
