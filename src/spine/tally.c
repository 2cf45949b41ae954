/* SPDX-License-Identifier: Apache-2.0
 *
 * tally.c - what is counted of decisions and outcomes: the day's sums (today.c), and
 * those of the hour for headquarters where only aggregates may go up.
 *
 * DESIGN
 *   Sums only, written with the turn that changed them: a restart loses none.
 *   The hour's are of each action and leave as one record when the hour is over
 *   ([privacy] uplink = aggregates).
 *
 * LIMITS
 *   TALLY_ACTIONS_MAX actions an hour; what is beyond is counted under "other".
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json_write.h"

#define TALLY_ACTIONS_MAX 512

/* ---- the hour ---- */

static void
clear_hour(struct engine *engine)
{
	for (size_t i = 0; i < engine->hour_count; i++)
		free(engine->hour[i].action);
	free(engine->hour);
	engine->hour = NULL;
	engine->hour_count = 0;
	engine->hour_ms = 0;
	engine->hour_dirty = true;
}

void
tally_restore(struct engine *engine)
{
	static const struct id none;

	if (engine->hour_ms != 0)
		timer_add(engine, "hour", &none, engine->hour_ms + H_MS);
}

static struct tally_action *
hour_row(struct engine *engine, const char *action)
{
	struct tally_action *row;

	if (engine->hour_ms == 0) {
		engine->hour_ms = engine->now_ms - engine->now_ms % H_MS;
		tally_restore(engine);
	}
	for (size_t i = 0; i < engine->hour_count; i++) {
		if (strcmp(engine->hour[i].action, action) == 0)
			return &engine->hour[i];
	}
	if (engine->hour_count == TALLY_ACTIONS_MAX)
		return hour_row(engine, engine->hour[TALLY_ACTIONS_MAX - 1].action);
	engine->hour = mem_realloc(engine->hour, (engine->hour_count + 1) * sizeof(*engine->hour));
	row = &engine->hour[engine->hour_count++];
	/* The last place is for whatever does not fit. */
	if (engine->hour_count == TALLY_ACTIONS_MAX)
		action = "other";
	*row = (struct tally_action){ .action = mem_strdup(action) };
	return row;
}

void
tally_decision(struct engine *engine)
{
	today_decision(engine);
	if (engine->uplink == UPLINK_SUMS) {
		hour_row(engine, "")->decisions++;
		engine->hour_dirty = true;
	}
}

void
tally_outcome(struct engine *engine, const struct card *card, enum outcome outcome,
    const char *reason, int64_t amount_minor)
{
	today_outcome(engine, card, outcome, reason, amount_minor);
	if (engine->uplink != UPLINK_SUMS)
		return;
	struct tally_action *row = hour_row(engine, card->action);

	engine->hour_dirty = true;
	if (card->withheld)
		row->withheld += outcome == OUTCOME_DECIDED;
	else
		row->outcomes[outcome]++;
	if (outcome == OUTCOME_REDEEMED)
		row->redeemed_minor += amount_minor;
	else if (outcome == OUTCOME_REVERSED && card->redeemed)
		row->reversed_minor += amount_minor;
}

/* A record for headquarters: no customer, no basket, no decision. */
void
tally_hour_over(struct engine *engine)
{
	struct buf json = { 0 };
	struct json_writer *w = JSON_WRITER(&json);
	int64_t decisions = 0;

	if (engine->hour_count == 0)
		return;
	json_add_object(w, NULL);
	json_add_when(w, "from", engine->hour_ms);
	json_add_when(w, "until", engine->hour_ms + H_MS);
	json_add_list(w, "actions");
	for (size_t i = 0; i < engine->hour_count; i++) {
		const struct tally_action *row = &engine->hour[i];

		decisions += row->decisions;
		if (row->action[0] == '\0')
			continue;
		json_add_object(w, NULL);
		json_add_str(w, "action", row->action);
		json_add_int(w, "withheld", row->withheld);
		for (int o = 0; o < OUTCOME_COUNT; o++) {
			if (row->outcomes[o] != 0)
				json_add_int(w, outcome_name((enum outcome)o), row->outcomes[o]);
		}
		json_add_int(w, "redeemed_amount", row->redeemed_minor);
		if (row->outcomes[OUTCOME_REVERSED] != 0)
			json_add_int(w, "reversed_amount", row->reversed_minor);
		json_end(w);
	}
	json_end(w);
	json_add_int(w, "decisions", decisions);
	json_end(w);
	engine_uplink(engine, LANE_TELEMETRY, "aggregate", NULL, &json);
	buf_done(&json);
	clear_hour(engine);
}

/* ---- on disk ---- */

static void
save_hour(struct engine *engine, struct buf *buf)
{
	buf_clear(buf);
	buf_i64(buf, engine->hour_ms);
	buf_u32(buf, (uint32_t)engine->hour_count);
	for (size_t i = 0; i < engine->hour_count; i++) {
		const struct tally_action *row = &engine->hour[i];

		buf_str(buf, row->action);
		buf_i64(buf, row->decisions);
		buf_i64(buf, row->withheld);
		buf_i64(buf, row->redeemed_minor);
		for (int o = 0; o < OUTCOME_COUNT; o++)
			buf_i64(buf, row->outcomes[o]);
	}
	for (size_t i = 0; i < engine->hour_count; i++)
		buf_i64(buf, engine->hour[i].reversed_minor);
	engine_check(engine, store_meta_set(engine->store, "hour", buf->data, buf->len));
	engine->hour_dirty = false;
}

void
tally_save(struct engine *engine, struct buf *buf)
{
	if (engine->today_dirty)
		today_save(engine, buf);
	days_save(engine, buf);
	if (engine->hour_dirty)
		save_hour(engine, buf);
	promise_save(engine, buf);
}

static void
load_hour(struct engine *engine, const struct buf *buf)
{
	struct rd rd = rd_init(buf->data, buf->len);
	uint32_t count;

	engine->hour_ms = rd_i64(&rd);
	count = rd_u32(&rd);
	for (uint32_t i = 0; i < count && i < TALLY_ACTIONS_MAX && rd.ok; i++) {
		struct tally_action row = { .action = rd_str(&rd) };

		row.decisions = rd_i64(&rd);
		row.withheld = rd_i64(&rd);
		row.redeemed_minor = rd_i64(&rd);
		for (int o = 0; o < OUTCOME_COUNT; o++)
			row.outcomes[o] = rd_i64(&rd);
		if (!rd.ok || row.action == NULL) {
			free(row.action);
			break;
		}
		engine->hour =
		    mem_realloc(engine->hour, (engine->hour_count + 1) * sizeof(*engine->hour));
		engine->hour[engine->hour_count++] = row;
	}
	/* Behind the rows: an older daemon wrote none. */
	for (size_t i = 0; i < engine->hour_count; i++)
		engine->hour[i].reversed_minor = rd_i64(&rd);
}

void
tally_load(struct engine *engine)
{
	struct buf buf = { 0 };

	days_load(engine);
	today_load(engine);
	promise_load(engine);
	if (store_meta_get(engine->store, "hour", &buf) == 0)
		load_hour(engine, &buf);
	buf_done(&buf);
}

void
tally_drop(struct engine *engine)
{
	clear_hour(engine);
	engine->hour_dirty = false;
	today_drop(engine);
	days_drop(engine);
	promise_drop(engine);
}
