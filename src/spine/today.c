/* SPDX-License-Identifier: Apache-2.0
 *
 * today.c - the business day's sums that the manager sees: of the store, by hour, by action.
 *
 * DESIGN
 *   Written with the turn that changed them: a restart loses none, and nobody
 *   scans the ledger to make a page. Actions stand on racks, a few to each,
 *   and a turn writes the racks that it changed: some 200 bytes, however many
 *   actions had their day.
 *
 *   The outcomes of a prompt overlap: an accepted one may be withdrawn, one
 *   that ran out may be denied by its tablet. So that a day's prompts can be
 *   cut into parts, `unanswered` counts those that ran out or were withdrawn
 *   while they were open and that no tablet denied.
 *
 * LAYOUT (all varint)
 *   "today": start_ms decisions withheld outcome × OUTCOME_COUNT, the hour that it is and its figures, the
 *   number of actions
 *   "today/hours": start_ms, the hours (days.c), written when one is over; of another day's start likewise
 *   "today/N", actions N × RACK …: start_ms, then of each its id, a bit per figure, the figures.
 *   One of another day's start is left over from that day.
 *
 * LIMITS
 *   TODAY_ACTIONS_MAX actions; the others of the day are one row without a name.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/when.h"

#define FIGURE_UNANSWERED OUTCOME_COUNT
#define FIGURE_REDEEMED (OUTCOME_COUNT + 1)
#define FIGURE_REASONS (OUTCOME_COUNT + 2)
#define FIGURE_COUNT (FIGURE_REASONS + ANSWER_REASONS)
#define RACK 8

_Static_assert(TODAY_ACTIONS_MAX / RACK < 64, "a bit a rack");

static void
clear(struct tally *day)
{
	for (size_t i = 0; i < day->action_count; i++)
		free(day->actions[i].action);
	free(day->actions);
	memset(day, 0, sizeof(*day));
}

static struct tally *
today(struct engine *engine)
{
	int64_t day_ms = engine_day_start(engine, engine->now_ms);

	if (engine->today.start_ms != day_ms) {
		days_end(engine, &engine->today);
		clear(&engine->today);
		engine->today.start_ms = day_ms;
	}
	engine->today_dirty = true;
	return &engine->today;
}

static struct tally_action *
add_action(struct tally *day, char *action)
{
	struct tally_action *row;

	day->actions = mem_realloc(day->actions, (day->action_count + 1) * sizeof(*day->actions));
	row = &day->actions[day->action_count++];
	*row = (struct tally_action){ .action = action };
	return row;
}

static struct tally_action *
action_row(struct tally *day, const char *action)
{
	for (size_t i = 0; i < day->action_count && i < TODAY_ACTIONS_MAX; i++) {
		if (strcmp(day->actions[i].action, action) == 0)
			return &day->actions[i];
	}
	if (day->action_count > TODAY_ACTIONS_MAX)
		return &day->actions[TODAY_ACTIONS_MAX];
	return add_action(day, mem_strdup(day->action_count < TODAY_ACTIONS_MAX ? action : ""));
}

void
today_decision(struct engine *engine)
{
	today(engine)->decisions++;
}

/* Ran out or was withdrawn while it was open, or its tablet says only now that nobody saw it. */
static int
unanswered(const struct tally *day, const struct card *card, enum outcome outcome)
{
	bool denied = card->shown_ms != 0 && !card->shown;

	if ((outcome == OUTCOME_EXPIRED || outcome == OUTCOME_WITHDRAWN) && !denied)
		return card->state == CARD_OPEN;
	if (outcome == OUTCOME_NOT_SHOWN && card->state == CARD_GONE &&
	    card->answer == ANSWER_NONE && card->sent_ms >= day->start_ms)
		return -1;
	return 0;
}

static struct hour_figures *
this_hour(const struct engine *engine, struct tally *day)
{
	size_t hour = day_hour(engine, day->start_ms, engine->now_ms);

	day->hours_dirty = day->hours_dirty || hour != day->hour;
	day->hour = hour;
	return &day->hours[hour];
}

/* Of a no, why. */
static void
add_reason(struct tally_action *row, enum outcome outcome, const char *reason)
{
	if (reason == NULL || (outcome != OUTCOME_DISMISSED && outcome != OUTCOME_OVERRIDDEN))
		return;
	for (size_t i = 0; i < ANSWER_REASONS; i++)
		row->reasons[i] += strcmp(reason, answer_reasons[i]) == 0;
}

/* What the card gave, or took back of what it gave. */
static int64_t
given(const struct card *card, enum outcome outcome, int64_t amount_minor)
{
	if (outcome == OUTCOME_REDEEMED)
		return amount_minor;
	return outcome == OUTCOME_REVERSED && card->redeemed ? -amount_minor : 0;
}

void
today_outcome(struct engine *engine, const struct card *card, enum outcome outcome,
    const char *reason, int64_t amount_minor)
{
	struct tally *day = today(engine);
	struct hour_figures *hour = this_hour(engine, day);
	struct tally_action *row;

	if (card->withheld) {
		day->withheld += outcome == OUTCOME_DECIDED;
		return;
	}
	day->outcomes[outcome]++;
	hour->prompts += outcome == OUTCOME_DECIDED;
	hour->shown += outcome == OUTCOME_SHOWN;
	hour->accepted += outcome == OUTCOME_ACCEPTED;
	hour->redeemed += outcome == OUTCOME_REDEEMED;
	hour->redeemed_minor += given(card, outcome, amount_minor);
	row = action_row(day, card->action);
	day->dirty_racks |= UINT64_C(1) << (row - day->actions) / RACK;
	row->outcomes[outcome]++;
	row->unanswered += unanswered(day, card, outcome);
	row->redeemed_minor += given(card, outcome, amount_minor);
	add_reason(row, outcome, reason);
}

/* ---- on disk ---- */

static int64_t *
figure(struct tally_action *row, int i)
{
	return i >= FIGURE_REASONS   ? &row->reasons[i - FIGURE_REASONS]
	    : i == FIGURE_UNANSWERED ? &row->unanswered
	    : i == FIGURE_REDEEMED   ? &row->redeemed_minor
				     : &row->outcomes[i];
}

static void
add_row(struct tally_action *row, struct buf *buf)
{
	int64_t used = 0;

	for (int i = 0; i < FIGURE_COUNT; i++)
		used |= (int64_t)(*figure(row, i) != 0) << i;
	buf_str(buf, row->action);
	buf_i64(buf, used);
	for (int i = 0; i < FIGURE_COUNT; i++) {
		if (used >> i & 1)
			buf_i64(buf, *figure(row, i));
	}
}

static void
save_rack(struct engine *engine, size_t rack, struct buf *buf)
{
	struct tally *day = &engine->today;
	char name[32];

	snprintf(name, sizeof(name), "today/%zu", rack);
	buf_clear(buf);
	buf_i64(buf, day->start_ms);
	for (size_t i = rack * RACK; i < (rack + 1) * RACK && i < day->action_count; i++)
		add_row(&day->actions[i], buf);
	engine_check(engine, store_meta_set(engine->store, name, buf->data, buf->len));
}

static void
save_hours(struct engine *engine, struct buf *buf)
{
	struct tally *day = &engine->today;

	buf_clear(buf);
	buf_i64(buf, day->start_ms);
	hours_write(day->hours, buf);
	engine_check(engine, store_meta_set(engine->store, "today/hours", buf->data, buf->len));
	day->hours_dirty = false;
}

void
today_save(struct engine *engine, struct buf *buf)
{
	struct tally *day = &engine->today;

	buf_clear(buf);
	buf_i64(buf, day->start_ms);
	buf_i64(buf, day->decisions);
	buf_i64(buf, day->withheld);
	for (int o = 0; o < OUTCOME_COUNT; o++)
		buf_i64(buf, day->outcomes[o]);
	buf_i64(buf, (int64_t)day->hour);
	hour_write(day->hours[day->hour], buf);
	buf_i64(buf, (int64_t)day->action_count);
	engine_check(engine, store_meta_set(engine->store, "today", buf->data, buf->len));
	for (size_t rack = 0; rack * RACK < day->action_count; rack++) {
		if (day->dirty_racks >> rack & 1)
			save_rack(engine, rack, buf);
	}
	if (day->hours_dirty)
		save_hours(engine, buf);
	day->dirty_racks = 0;
	engine->today_dirty = false;
}

static void
read_action(struct rd *rd, struct tally *day)
{
	char *action = rd_str(rd);
	struct tally_action *row;
	int64_t used;

	if (action == NULL) {
		rd->ok = false;
		return;
	}
	row = add_action(day, action);
	used = rd_i64(rd);
	for (int i = 0; i < FIGURE_COUNT; i++) {
		if (used >> i & 1)
			*figure(row, i) = rd_i64(rd);
	}
}

/* false: the rack is not there, or not of this day. */
static bool
load_rack(struct engine *engine, size_t rack, int64_t count, struct tally *day)
{
	struct buf buf = { 0 };
	struct rd rd;
	char name[32];
	bool good;

	snprintf(name, sizeof(name), "today/%zu", rack);
	good = store_meta_get(engine->store, name, &buf) == 0;
	rd = rd_init(buf.data, buf.len);
	good = good && rd_i64(&rd) == day->start_ms;
	for (int i = 0; good && rd.ok && i < RACK && (int64_t)day->action_count < count; i++)
		read_action(&rd, day);
	good = good && rd_done(&rd);
	buf_done(&buf);
	return good;
}

/* Those before this one; of another day: none. */
static void
load_hours(struct engine *engine, struct tally *day)
{
	struct hour_figures hours[TODAY_HOURS] = { 0 };
	struct buf buf = { 0 };
	bool good = store_meta_get(engine->store, "today/hours", &buf) == 0;
	struct rd rd = rd_init(buf.data, buf.len);

	good = good && rd_i64(&rd) == day->start_ms;
	hours_read(&rd, hours);
	good = good && rd_done(&rd);
	for (size_t i = 0; i < TODAY_HOURS && good; i++) {
		if (i != day->hour)
			day->hours[i] = hours[i];
	}
	buf_done(&buf);
}

void
today_load(struct engine *engine)
{
	struct buf buf = { 0 };
	struct rd rd;
	struct tally day = { 0 };
	int64_t count, hour;
	bool good = store_meta_get(engine->store, "today", &buf) == 0;

	rd = rd_init(buf.data, buf.len);
	day.start_ms = rd_i64(&rd);
	day.decisions = rd_i64(&rd);
	day.withheld = rd_i64(&rd);
	for (int o = 0; o < OUTCOME_COUNT; o++)
		day.outcomes[o] = rd_i64(&rd);
	hour = rd_i64(&rd);
	hour_read(&rd, &day.hours[hour >= 0 && hour < TODAY_HOURS ? hour : 0]);
	count = rd_i64(&rd);
	good = good && rd_done(&rd) && hour >= 0 && hour < TODAY_HOURS && count >= 0 &&
	    count <= TODAY_ACTIONS_MAX + 1;
	buf_done(&buf);
	day.hour = good ? (size_t)hour : 0;
	load_hours(engine, &day);
	for (size_t rack = 0; good && (int64_t)day.action_count < count; rack++)
		good = load_rack(engine, rack, count, &day);
	if (good)
		engine->today = day;
	else
		clear(&day);
}

void
today_drop(struct engine *engine)
{
	clear(&engine->today);
}
