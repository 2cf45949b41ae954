/* SPDX-License-Identifier: Apache-2.0
 *
 * days.c - the business days before today, by the hour: what today's figures are held beside.
 *
 * DESIGN
 *   A day that is over is kept as its hours (today.c), and written once, with the
 *   turn that begins the next. So a day can be told up to the hour that it is
 *   today: a morning beside a whole day says nothing.
 *
 *   Yesterday, and the same day last week, are business days by the store's
 *   clock. One with no figures of its own was no day of this store, and is left
 *   out.
 *
 * LAYOUT (all varint)
 *   "days": the number of days, then of each start_ms and its hours
 *   hours: a bit per hour that has something, then its figures
 *
 * LIMITS
 *   PAST_DAYS days.
 */
#include "spine/spine.h"

#include <string.h>

#include "core/calendar.h"
#include "core/json_write.h"
#include "core/when.h"

#define FIGURES 5 /* of an hour */

static int64_t *
figure(struct hour_figures *hour, int i)
{
	int64_t *const all[FIGURES] = { &hour->prompts, &hour->shown, &hour->accepted,
		&hour->redeemed, &hour->redeemed_minor };

	return all[i];
}

static void
add(struct hour_figures *sum, struct hour_figures hour)
{
	for (int i = 0; i < FIGURES; i++)
		*figure(sum, i) += *figure(&hour, i);
}

/* ---- as bytes ---- */

static bool
has_figures(struct hour_figures hour)
{
	bool has = false;

	for (int i = 0; i < FIGURES; i++)
		has = has || *figure(&hour, i) != 0;
	return has;
}

void
hour_write(struct hour_figures hour, struct buf *buf)
{
	for (int i = 0; i < FIGURES; i++)
		buf_i64(buf, *figure(&hour, i));
}

void
hour_read(struct rd *rd, struct hour_figures *hour)
{
	for (int i = 0; i < FIGURES; i++)
		*figure(hour, i) = rd_i64(rd);
}

void
hours_write(const struct hour_figures *hours, struct buf *buf)
{
	int64_t used = 0;

	for (int i = 0; i < TODAY_HOURS; i++)
		used |= (int64_t)has_figures(hours[i]) << i;
	buf_i64(buf, used);
	for (int i = 0; i < TODAY_HOURS; i++) {
		if (used >> i & 1)
			hour_write(hours[i], buf);
	}
}

void
hours_read(struct rd *rd, struct hour_figures *hours)
{
	int64_t used = rd_i64(rd);

	for (int i = 0; i < TODAY_HOURS; i++) {
		if (used >> i & 1)
			hour_read(rd, &hours[i]);
	}
}

/* ---- kept ---- */

void
days_end(struct engine *engine, const struct tally *day)
{
	struct past_day *past = engine->past;

	if (day->start_ms == 0)
		return;
	if (engine->past_count == PAST_DAYS) {
		memmove(past, past + 1, (PAST_DAYS - 1) * sizeof(*past));
		engine->past_count--;
	}
	past[engine->past_count].start_ms = day->start_ms;
	memcpy(past[engine->past_count].hours, day->hours, sizeof(day->hours));
	engine->past_count++;
	engine->past_dirty = true;
}

void
days_save(struct engine *engine, struct buf *buf)
{
	if (!engine->past_dirty)
		return;
	buf_clear(buf);
	buf_i64(buf, (int64_t)engine->past_count);
	for (size_t i = 0; i < engine->past_count; i++) {
		buf_i64(buf, engine->past[i].start_ms);
		hours_write(engine->past[i].hours, buf);
	}
	engine_check(engine, store_meta_set(engine->store, "days", buf->data, buf->len));
	engine->past_dirty = false;
}

void
days_load(struct engine *engine)
{
	struct buf buf = { 0 };
	bool there = store_meta_get(engine->store, "days", &buf) == 0;
	struct rd rd = rd_init(buf.data, buf.len);
	int64_t count = rd_i64(&rd);

	days_drop(engine);
	for (int64_t i = 0; there && i < count && i < PAST_DAYS && rd.ok; i++) {
		struct past_day *day = &engine->past[engine->past_count++];

		memset(day, 0, sizeof(*day));
		day->start_ms = rd_i64(&rd);
		hours_read(&rd, day->hours);
	}
	if (!rd_done(&rd))
		days_drop(engine);
	buf_done(&buf);
}

void
days_drop(struct engine *engine)
{
	engine->past_count = 0;
	engine->past_dirty = false;
}

/* ---- told ---- */

/* The hours of the day that began then; NULL: it has none. */
static const struct hour_figures *
hours_of(const struct engine *engine, int64_t start_ms)
{
	for (size_t i = 0; i < engine->past_count; i++) {
		if (engine->past[i].start_ms == start_ms)
			return engine->past[i].hours;
	}
	/* Nothing has happened since: it has not been laid aside yet. */
	return engine->today.start_ms == start_ms ? engine->today.hours : NULL;
}

size_t
day_hour(const struct engine *engine, int64_t start_ms, int64_t ms)
{
	int64_t first_ms = start_ms + zone_offset_s(engine->zone, start_ms) * S_MS;
	int64_t at_ms = ms + zone_offset_s(engine->zone, ms) * S_MS;
	int64_t hour = floor_div(at_ms, H_MS) - floor_div(first_ms, H_MS);

	return hour < 0 ? 0 : hour >= TODAY_HOURS ? TODAY_HOURS - 1 : (size_t)hour;
}

static void
add_sum(struct json_writer *w, const char *name, const struct hour_figures *hours, size_t count)
{
	struct hour_figures sum = { 0 };

	for (size_t i = 0; i < count; i++)
		add(&sum, hours[i]);
	json_add_object(w, name);
	json_add_int(w, "prompts", sum.prompts);
	json_add_int(w, "shown", sum.shown);
	json_add_int(w, "accepted", sum.accepted);
	json_add_int(w, "redeemed", sum.redeemed);
	json_add_int(w, "redeemed_minor", sum.redeemed_minor);
	json_end(w);
}

void
days_report(const struct engine *engine, int64_t day_ms, int64_t now_ms, struct json_writer *w)
{
	static const int before[] = { 1, 7 };
	/* Up to the full hour that is nearest. */
	size_t until = day_hour(engine, day_ms, now_ms + H_MS / 2);
	int first = zone_local(engine->zone, day_ms).hour;

	json_add_list(w, "before");
	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		/* At noon of that day, or near it, also where a day has 23 hours or 25. */
		int64_t start_ms = engine_day_start(engine, day_ms - before[i] * D_MS + D_MS / 2);
		const struct hour_figures *hours = hours_of(engine, start_ms);

		if (hours == NULL)
			continue;
		json_add_object(w, NULL);
		json_add_int(w, "days", before[i]);
		json_add_when(w, "day", start_ms);
		json_add_int(w, "hour", (first + (int)until) % 24);
		add_sum(w, "by_hour", hours, until);
		add_sum(w, "whole", hours, TODAY_HOURS);
		json_end(w);
	}
	json_end(w);
}
