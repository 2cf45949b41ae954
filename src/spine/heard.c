/* SPDX-License-Identifier: Apache-2.0
 *
 * heard.c - who was heard of when: tills, readers and tablets, and which of them is silent at an hour
 * at which it never is.
 *
 * DESIGN
 *   Nobody tells a store its opening hours, and a till that is not needed is
 *   silent for good reasons. So each is held beside itself: it is silent when a
 *   whole hour of the clock went by without a word in which it had one on most
 *   of the days of the last week on which it was in use. On its first two days
 *   nothing is usual, and nobody is called silent.
 *
 *   What is a sender's word does not matter: a till that says what cannot be used
 *   is heard of, and has its dead letters. A tablet is heard of by its answers, by a
 *   hello, and as long as its page is open.
 *
 *   Written with a turn, at most every five minutes: a kill forgets as much.
 *
 * LAYOUT (all varint)
 *   "heard": of each its name, last_ms, day_ms, then a bit per hour of HEARD_DAYS days
 *
 * LIMITS
 *   HEARD_MAX senders; of one more the one that was not heard of for longest goes. So
 *   does one that was not heard of for HEARD_DAYS days.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_write.h"
#include "core/when.h"
#include "nouns/event_key.h"

#define SAVE_MS (5 * MIN_MS)
#define USUAL_DAYS 2 /* in use, before anything is usual */

/* Today's bits are the first: those of another day move behind. */
static void
turn_page(struct heard *heard, int64_t day_ms)
{
	/* Half a day more, for a day of 23 hours. */
	int64_t days = heard->day_ms == 0 ? HEARD_DAYS : (day_ms - heard->day_ms + D_MS / 2) / D_MS;

	if (days <= 0)
		return;
	for (int i = HEARD_DAYS - 1; i >= 0; i--)
		heard->hours[i] = i >= days ? heard->hours[i - days] : 0;
	heard->day_ms = day_ms;
}

static struct heard *
place(struct engine *engine, const char *name)
{
	struct heard *oldest = NULL;

	for (size_t i = 0; i < engine->heard_count; i++) {
		struct heard *heard = &engine->heard[i];

		if (strcmp(heard->name, name) == 0)
			return heard;
		if (oldest == NULL || heard->last_ms < oldest->last_ms)
			oldest = heard;
	}
	if (engine->heard_count < HEARD_MAX)
		oldest = &engine->heard[engine->heard_count++];
	*oldest = (struct heard){ 0 };
	snprintf(oldest->name, sizeof(oldest->name), "%s", name);
	return oldest;
}

void
heard_of(struct engine *engine, enum channel channel, const char *origin, int64_t now_ms)
{
	int64_t day_ms = engine_day_start(engine, now_ms);
	struct heard *heard;
	char name[HEARD_NAME_SIZE];

	if (channel == CHANNEL_CARE)
		return;
	snprintf(name, sizeof(name), "%s/%s", event_channel_name(channel), origin);
	heard = place(engine, name);
	turn_page(heard, day_ms);
	heard->last_ms = now_ms;
	heard->hours[0] |= UINT32_C(1) << day_hour(engine, day_ms, now_ms);
	engine->heard_dirty = true;
}

void
engine_heard_tablet(struct engine *engine, const char *tablet, int64_t now_ms)
{
	heard_of(engine, CHANNEL_TABLET, tablet, now_ms);
}

/* ---- silent ---- */

static bool
is_usual(const struct heard *heard, size_t hour)
{
	int used = 0, then = 0;

	for (int day = 1; day < HEARD_DAYS; day++) {
		used += heard->hours[day] != 0;
		then += heard->hours[day] >> hour & 1;
	}
	return used >= USUAL_DAYS && 2 * then > used;
}

static bool
is_silent(const struct engine *engine, const struct heard *kept, int64_t day_ms, int64_t now_ms)
{
	struct heard heard = *kept;
	size_t now = day_hour(engine, day_ms, now_ms), hour = 0;

	turn_page(&heard, day_ms);
	if (heard.last_ms >= day_ms)
		hour = day_hour(engine, day_ms, heard.last_ms) + 1;
	while (hour < now && !is_usual(&heard, hour))
		hour++;
	return hour < now;
}

void
heard_report(const struct engine *engine, int64_t day_ms, int64_t now_ms, struct json_writer *w)
{
	json_add_list(w, "heard");
	for (size_t i = 0; i < engine->heard_count; i++) {
		const struct heard *heard = &engine->heard[i];
		const char *origin = strchr(heard->name, '/');

		if (origin == NULL || heard->last_ms < day_ms - HEARD_DAYS * D_MS)
			continue;
		json_add_object(w, NULL);
		json_add_str(w, "who", heard->name);
		if (strncmp(heard->name, "tablet/", 7) != 0)
			json_add_str(w, "station", conf_station(engine->conf, origin + 1));
		json_add_when(w, "at", heard->last_ms);
		if (is_silent(engine, heard, day_ms, now_ms))
			json_add_bool(w, "silent", true);
		json_end(w);
	}
	json_end(w);
}

/* ---- on disk ---- */

void
heard_save(struct engine *engine, struct buf *buf)
{
	int64_t since_ms = engine->now_ms - engine->heard_saved_ms;

	if (!engine->heard_dirty || (since_ms >= 0 && since_ms < SAVE_MS))
		return;
	buf_clear(buf);
	for (size_t i = 0; i < engine->heard_count; i++) {
		const struct heard *heard = &engine->heard[i];

		buf_str(buf, heard->name);
		buf_i64(buf, heard->last_ms);
		buf_i64(buf, heard->day_ms);
		for (int day = 0; day < HEARD_DAYS; day++)
			buf_i64(buf, heard->hours[day]);
	}
	engine_check(engine, store_meta_set(engine->store, "heard", buf->data, buf->len));
	engine->heard_saved_ms = engine->now_ms;
	engine->heard_dirty = false;
}

void
heard_load(struct engine *engine)
{
	struct buf buf = { 0 };
	bool there = store_meta_get(engine->store, "heard", &buf) == 0;
	struct rd rd = rd_init(buf.data, buf.len);

	heard_drop(engine);
	while (there && rd.ok && rd.at < rd.end && engine->heard_count < HEARD_MAX) {
		struct heard heard = { 0 };
		char *name = rd_str(&rd);

		snprintf(heard.name, sizeof(heard.name), "%s", name != NULL ? name : "");
		free(name);
		heard.last_ms = rd_i64(&rd);
		heard.day_ms = rd_i64(&rd);
		for (int day = 0; day < HEARD_DAYS; day++)
			heard.hours[day] = (uint32_t)rd_i64(&rd);
		if (rd.ok)
			engine->heard[engine->heard_count++] = heard;
	}
	buf_done(&buf);
}

void
heard_drop(struct engine *engine)
{
	engine->heard_count = 0;
	engine->heard_saved_ms = 0;
	engine->heard_dirty = false;
}
