/* SPDX-License-Identifier: Apache-2.0
 *
 * recent.c - the cards that were sent last, and what became of each: a manager takes one of them to ask
 * why.
 *
 * DESIGN
 *   Ids alone: the words of a card, and whose it was, stay with its visit and its
 *   decision, which go with the customer. In memory, and written as seldom as who
 *   was heard of: after a kill the list lacks the cards of the last five minutes.
 *   What became of the others since is in the ledger, and read from there.
 *
 * LAYOUT (all varint)
 *   "recent": of each, oldest first, prompt decision action station sent_ms outcome
 *
 * LIMITS
 *   RECENT_MAX cards.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/when.h"

#define SAVE_MS (5 * MIN_MS)

static struct recent *
find(struct engine *engine, const struct id *prompt)
{
	for (size_t i = engine->recent_count; i-- > 0;) {
		if (id_equal(&engine->recent[i].prompt, prompt))
			return &engine->recent[i];
	}
	return NULL;
}

/* The oldest gives way. */
static void
push(struct engine *engine, const struct recent *card)
{
	struct recent *all = engine->recent;

	if (engine->recent_count == RECENT_MAX) {
		free(all[0].action);
		memmove(all, all + 1, (RECENT_MAX - 1) * sizeof(*all));
		engine->recent_count--;
	}
	all[engine->recent_count++] = *card;
}

void
recent_note(struct engine *engine, const struct visit *visit, const struct card *card,
    enum outcome outcome)
{
	struct recent *known;

	if (card->withheld)
		return;
	engine->recent_dirty = true;
	known = find(engine, &card->prompt);
	if (known != NULL)
		known->outcome = outcome;
	else if (outcome == OUTCOME_DECIDED) {
		struct recent recent = { .prompt = card->prompt,
			.decision = card->decision,
			.action = mem_strdup(card->action),
			.sent_ms = engine->now_ms,
			.outcome = outcome };

		snprintf(recent.station, sizeof(recent.station), "%s", visit->station);
		push(engine, &recent);
	}
}

void
recent_report(const struct engine *engine, struct json_writer *w)
{
	json_add_list(w, "cards");
	for (size_t i = engine->recent_count; i-- > 0;) {
		const struct recent *recent = &engine->recent[i];

		json_add_object(w, NULL);
		json_add_id(w, "decision", &recent->decision);
		json_add_id(w, "prompt", &recent->prompt);
		json_add_str(w, "station", recent->station);
		json_add_str(w, "action", recent->action);
		headline_add(engine, recent->action, w);
		json_add_when(w, "at", recent->sent_ms);
		json_add_str(w, "outcome", outcome_name(recent->outcome));
		json_end(w);
	}
	json_end(w);
}

/* ---- on disk ---- */

void
recent_save(struct engine *engine, struct buf *buf)
{
	int64_t since_ms = engine->now_ms - engine->recent_saved_ms;

	if (!engine->recent_dirty || (since_ms >= 0 && since_ms < SAVE_MS))
		return;
	buf_clear(buf);
	for (size_t i = 0; i < engine->recent_count; i++) {
		const struct recent *recent = &engine->recent[i];

		buf_id(buf, &recent->prompt);
		buf_id(buf, &recent->decision);
		buf_str(buf, recent->action);
		buf_str(buf, recent->station);
		buf_i64(buf, recent->sent_ms);
		buf_i64(buf, recent->outcome);
	}
	engine_check(engine, store_meta_set(engine->store, "recent", buf->data, buf->len));
	engine->recent_saved_ms = engine->now_ms;
	engine->recent_dirty = false;
}

static bool
read_one(struct rd *rd, struct recent *ret)
{
	char *station;
	int64_t outcome;

	*ret = (struct recent){ .prompt = rd_id(rd) };
	ret->decision = rd_id(rd);
	ret->action = rd_str(rd);
	station = rd_str(rd);
	snprintf(ret->station, sizeof(ret->station), "%s", station != NULL ? station : "");
	free(station);
	ret->sent_ms = rd_i64(rd);
	outcome = rd_i64(rd);
	ret->outcome = (enum outcome)outcome;
	if (rd->ok && ret->action != NULL && outcome >= 0 && outcome < OUTCOME_COUNT)
		return true;
	free(ret->action);
	return false;
}

/* A row of its decision in the ledger, which has all of its prompts. Goods that come back are no word
 * of the card's. */
static int
take_outcome(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	struct recent *recent = ctx;
	json_t *json = json_loadb(body, len, 0, NULL);
	const char *text = json_string_value(json_object_get(json, "prompt"));
	struct id prompt;

	(void)n;
	(void)at_ms;
	if (text != NULL && id_parse(text, &prompt) && id_equal(&prompt, &recent->prompt) &&
	    kind >= 0 && kind < OUTCOME_COUNT && kind != OUTCOME_RETURNED)
		recent->outcome = (enum outcome)kind;
	json_decref(json);
	return 0;
}

void
recent_load(struct engine *engine)
{
	struct buf buf = { 0 };
	bool there = store_meta_get(engine->store, "recent", &buf) == 0;
	struct rd rd = rd_init(buf.data, buf.len);
	struct recent recent;

	recent_drop(engine);
	while (there && rd.at < rd.end && engine->recent_count < RECENT_MAX &&
	    read_one(&rd, &recent)) {
		/* What cannot be read leaves it as it was written. */
		int rc = store_log_each(engine->store, STORE_LOG_OUTCOME, &recent.decision,
		    take_outcome, &recent);

		(void)rc;
		push(engine, &recent);
	}
	buf_done(&buf);
}

void
recent_drop(struct engine *engine)
{
	for (size_t i = 0; i < engine->recent_count; i++)
		free(engine->recent[i].action);
	engine->recent_count = 0;
	engine->recent_saved_ms = 0;
	engine->recent_dirty = false;
}
