/* SPDX-License-Identifier: Apache-2.0
 *
 * promise.c - is what was promised honoured? What a customer was told that an offer saves, beside
 * what the till took off.
 *
 * DESIGN
 *   A promise is what the till was asked for when the offer was accepted, as far
 *   as goods are there that it is for: what the customer put back is owed to
 *   nobody. Of a till that refuses nothing is taken off. Who is silent may still
 *   speak until the sale is closed, a coupon may stay in the pocket, and points
 *   are no money.
 *
 *   It is counted once, when nothing can change it any more: five minutes after
 *   the close. By till and offer, for the business day, as today.c does: rows
 *   stand on racks, and a turn writes the one that it changed.
 *
 * LAYOUT (all varint)
 *   "promises/N", rows N × RACK …: start_ms of the day, then of each its till, its action, the
 *   figures. A rack of another day, or none, is the end.
 *
 * LIMITS
 *   PROMISES_MAX pairs of till and action; the others of the day are one row without names.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "core/metrics.h"
#include "decide/decide.h"
#include "nouns/visit.h"
#include "policy/policy_load.h"

#define RACK 8
#define PROMISES_MAX 256

/* ---- one promise ---- */

/* Has the till had its say, and would the customer expect the money off? */
static bool
is_due(const struct visit *visit, const struct card *card)
{
	if (card->promised_minor <= 0 || card_of_former(visit, card) || card->voided ||
	    card->spent || card->elsewhere || card->withheld)
		return false;
	return card->denied || card->state == CARD_APPLIED ||
	    (visit_over(visit) && card->asked_ms != 0 &&
		(card->silent || card->state == CARD_ASKED));
}

static int64_t
taken_minor(const struct card *card)
{
	if (card->redeemed)
		return card->redeemed_minor;
	return card->state == CARD_APPLIED ? card->worth_minor : 0;
}

/* What the customer may expect, with the goods that are there. */
static int64_t
due_minor(struct engine *engine, const struct visit *visit, const struct card *card)
{
	const struct action *action =
	    engine->policy != NULL ? policy_action(engine->policy, card->action) : NULL;
	struct marks marks = engine_marks(engine);
	int64_t could;

	if (action == NULL || !action->has_offer)
		return card->promised_minor;
	if (action->offer.type == OFFER_POINTS)
		return 0;
	could = offer_on_goods(&action->offer, card->depth, &marks, visit);
	return could < card->promised_minor ? could : card->promised_minor;
}

void
promise_made(struct card *card)
{
	card->promised_minor = card->worth_minor;
}

int64_t
promise_owed(struct engine *engine, const struct visit *visit)
{
	int64_t owed = 0, minor;

	for (size_t i = 0; i < visit->card_count; i++) {
		const struct card *card = &visit->cards[i];

		if (!is_due(visit, card))
			continue;
		minor = due_minor(engine, visit, card) - taken_minor(card);
		owed += minor > 0 ? minor : 0;
	}
	return owed;
}

/* ---- the day's figures ---- */

static void
clear(struct promises *day)
{
	for (size_t i = 0; i < day->count; i++) {
		free(day->rows[i].terminal);
		free(day->rows[i].action);
	}
	free(day->rows);
	memset(day, 0, sizeof(*day));
}

static struct promise_row *
add_row(struct promises *day, const char *terminal, const char *action)
{
	day->rows = mem_realloc(day->rows, (day->count + 1) * sizeof(*day->rows));
	day->rows[day->count] =
	    (struct promise_row){ .terminal = mem_strdup(terminal), .action = mem_strdup(action) };
	return &day->rows[day->count++];
}

static struct promise_row *
row_of(struct engine *engine, const char *terminal, const char *action)
{
	int64_t day_ms = engine_day_start(engine, engine->now_ms);
	struct promises *day = &engine->promises;

	if (day->start_ms != day_ms) {
		clear(day);
		day->start_ms = day_ms;
	}
	for (size_t i = 0; i < day->count && i < PROMISES_MAX; i++)
		if (strcmp(day->rows[i].terminal, terminal) == 0 &&
		    strcmp(day->rows[i].action, action) == 0)
			return &day->rows[i];
	if (day->count < PROMISES_MAX)
		return add_row(day, terminal, action);
	return day->count > PROMISES_MAX ? &day->rows[PROMISES_MAX] : add_row(day, "", "");
}

static void
count(struct engine *engine, const struct visit *visit, const struct card *card)
{
	int64_t taken = taken_minor(card), due = due_minor(engine, visit, card);
	struct promise_row *row;

	if (due == 0 && taken == 0)
		return;
	row = row_of(engine, visit->terminal, card->action);
	row->made++;
	if (taken < due) {
		row->less++;
		row->less_minor += due - taken;
	} else if (taken > card->promised_minor) {
		row->more++;
		row->more_minor += taken - card->promised_minor;
	}
	engine->promises.dirty_racks |= UINT64_C(1) << (row - engine->promises.rows) / RACK;
	metrics_add(taken < due		       ? METRIC_PROMISES_LESS
		: taken > card->promised_minor ? METRIC_PROMISES_MORE
					       : METRIC_PROMISES_KEPT,
	    1);
}

void
promise_wait(struct engine *engine, const struct visit *visit)
{
	int64_t due_ms = visit->closed_ms + LATE_WORD_MS;

	/* Of a basket that turned out to be two all was counted when it was thought to be one. */
	if (due_ms <= engine->now_ms)
		return;
	for (size_t i = 0; i < visit->card_count; i++) {
		if (visit->cards[i].promised_minor <= 0)
			continue;
		timer_add(engine, "promise", &visit->id, due_ms);
		return;
	}
}

void
promise_due(struct engine *engine, const char *text)
{
	struct visit *visit;
	struct id id;

	if (!id_parse(text, &id) || (visit = engine_visit(engine, &id)) == NULL ||
	    visit->state != VISIT_CLOSED || visit->training)
		return;
	for (size_t i = 0; i < visit->card_count; i++)
		if (is_due(visit, &visit->cards[i]))
			count(engine, visit, &visit->cards[i]);
}

/* ---- for the manager ---- */

static void
add_figures(const struct promise_row *row, struct json_writer *w)
{
	json_add_int(w, "made", row->made);
	json_add_int(w, "less", row->less);
	json_add_int(w, "less_minor", row->less_minor);
	json_add_int(w, "more", row->more);
	json_add_int(w, "more_minor", row->more_minor);
}

void
promise_report(const struct engine *engine, int64_t day_ms, struct json_writer *w)
{
	const struct promises *day = &engine->promises;
	size_t rows = day->start_ms == day_ms ? day->count : 0;
	struct promise_row all = { 0 };

	for (size_t i = 0; i < rows; i++) {
		all.made += day->rows[i].made;
		all.less += day->rows[i].less;
		all.less_minor += day->rows[i].less_minor;
		all.more += day->rows[i].more;
		all.more_minor += day->rows[i].more_minor;
	}
	json_add_object(w, "promises");
	add_figures(&all, w);
	json_add_list(w, "by");
	for (size_t i = 0; i < rows; i++) {
		json_add_object(w, NULL);
		json_add_str(w, "terminal", day->rows[i].terminal);
		json_add_str(w, "action", day->rows[i].action);
		add_figures(&day->rows[i], w);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

/* ---- on disk ---- */

static void
save_rack(struct engine *engine, size_t rack, struct buf *buf)
{
	const struct promises *day = &engine->promises;
	char name[32];

	snprintf(name, sizeof(name), "promises/%zu", rack);
	buf_clear(buf);
	buf_i64(buf, day->start_ms);
	for (size_t i = rack * RACK; i < (rack + 1) * RACK && i < day->count; i++) {
		const struct promise_row *row = &day->rows[i];

		buf_str(buf, row->terminal);
		buf_str(buf, row->action);
		buf_i64(buf, row->made);
		buf_i64(buf, row->less);
		buf_i64(buf, row->less_minor);
		buf_i64(buf, row->more);
		buf_i64(buf, row->more_minor);
	}
	engine_check(engine, store_meta_set(engine->store, name, buf->data, buf->len));
}

void
promise_save(struct engine *engine, struct buf *buf)
{
	for (size_t rack = 0; engine->promises.dirty_racks >> rack != 0; rack++)
		if (engine->promises.dirty_racks >> rack & 1)
			save_rack(engine, rack, buf);
	engine->promises.dirty_racks = 0;
}

/* false: it is of another day, or there is none. */
static bool
load_rack(struct engine *engine, size_t rack)
{
	struct promises *day = &engine->promises;
	struct buf buf = { 0 };
	char name[32];
	struct rd rd;
	int64_t start_ms;
	bool good;

	snprintf(name, sizeof(name), "promises/%zu", rack);
	good = store_meta_get(engine->store, name, &buf) == 0;
	rd = rd_init(buf.data, buf.len);
	start_ms = rd_i64(&rd);
	good = good && rd.ok && (rack == 0 || start_ms == day->start_ms);
	day->start_ms = good ? start_ms : day->start_ms;
	for (int i = 0; good && i < RACK && rd.ok && rd.at < rd.end; i++) {
		char *terminal = rd_str(&rd), *action = rd_str(&rd);

		if (rd.ok && terminal != NULL && action != NULL) {
			struct promise_row *row = add_row(day, terminal, action);

			row->made = rd_i64(&rd);
			row->less = rd_i64(&rd);
			row->less_minor = rd_i64(&rd);
			row->more = rd_i64(&rd);
			row->more_minor = rd_i64(&rd);
		}
		free(terminal);
		free(action);
	}
	buf_done(&buf);
	return good && rd.ok && day->count == (rack + 1) * RACK;
}

void
promise_load(struct engine *engine)
{
	size_t rack = 0;

	while (rack <= PROMISES_MAX / RACK && load_rack(engine, rack))
		rack++;
}

void
promise_drop(struct engine *engine)
{
	clear(&engine->promises);
}
