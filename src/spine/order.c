/* SPDX-License-Identifier: Apache-2.0
 *
 * order.c - what follows for what is open: of a stop, of a customer who is forgotten, of a policy
 * that does not know a card.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "decide/decide.h"
#include "nouns/shortlists.h"
#include "policy/policy_load.h"

/* ---- cards that must leave ---- */

#define GROWTH_BYTES (1u << 20) /* more than a sweep adds to a visit */

struct sweep {
	struct visit **visits;
	size_t count;
};

/* Must this card leave? Its action was stopped, or the policy in force does not know it. */
static bool
is_swept(struct engine *engine, const struct card *card, enum withdraw_reason reason)
{
	if (card->state == CARD_GONE || card->redeemed)
		return false;
	if (reason == WITHDRAW_STOPPED)
		return order_is_stopped(engine, card->action);
	return card->state == CARD_OPEN &&
	    (engine->policy == NULL || policy_action(engine->policy, card->action) == NULL);
}

static void
sweep_collect(void *ctx, struct visit *visit)
{
	struct sweep *sweep = ctx;

	if (visit->card_count > 0)
		sweep->visits[sweep->count++] = visit;
}

/* Of an order that was set aside, because something in it is larger than a row may be: that one stays as it is. */
static bool
may_grow(const struct engine *engine, const struct visit *visit)
{
	struct buf row = { 0 };
	size_t len;

	if (!engine->aside)
		return true;
	visit_encode(visit, &row);
	len = row.len;
	buf_done(&row);
	return len < STORE_BODY_MAX - GROWTH_BYTES;
}

/* A stop withdraws open cards and unredeemed tokens at once. */
void
order_sweep(struct engine *engine, enum withdraw_reason reason)
{
	struct sweep sweep = { .visits = arena_alloc(engine->arena,
				   (sessions_count(engine->sessions) + 1) *
				       sizeof(*sweep.visits)) };

	sessions_each(engine->sessions, sweep_collect, &sweep);
	for (size_t i = 0; i < sweep.count; i++) {
		struct visit *visit = sweep.visits[i];
		bool changed = false;

		if (!may_grow(engine, visit))
			continue;
		for (size_t c = 0; c < visit->card_count; c++) {
			if (!is_swept(engine, &visit->cards[c], reason))
				continue;
			card_withdraw(engine, visit, &visit->cards[c], reason);
			changed = true;
		}
		if (changed) {
			engine_touch(engine, visit);
			visit_guide(engine, visit, NULL, reason);
		}
	}
}

/* ---- a customer is forgotten ---- */

struct dead_letters {
	const struct engine *engine;
	const struct id *subject;
	int64_t rows[256]; /* those that speak of them */
	size_t count;
};

/* Is one of its texts, wherever it stands, their card number or their subject? */
static bool
speaks_of(const struct dead_letters *letters, json_t *json)
{
	const char *text = json_string_value(json), *name;
	json_t *value;
	struct id id;
	size_t i;

	if (text != NULL) {
		id = subject_of_card(keys_pepper(letters->engine->keys), text,
		    json_string_length(json));
		return id_equal(&id, letters->subject) ||
		    (subject_parse(text, &id) && id_equal(&id, letters->subject));
	}
	json_array_foreach(json, i, value) {
		if (speaks_of(letters, value))
			return true;
	}
	json_object_foreach(json, name, value) {
		if (speaks_of(letters, value))
			return true;
	}
	return false;
}

static int
look_at_letter(void *ctx, int64_t n, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const void *payload, size_t len)
{
	struct dead_letters *letters = ctx;
	json_t *json = json_read(payload, len, "letter", NULL);

	(void)at_ms;
	(void)topic;
	(void)reason;
	(void)detail;
	if (speaks_of(letters, json))
		letters->rows[letters->count++] = n;
	json_decref(json);
	return letters->count == ARRAY_LEN(letters->rows);
}

/* A till's message that could not be used has the card number as it came. */
static void
forget_dead_letters(struct engine *engine, const struct id *subject)
{
	struct dead_letters letters = { .engine = engine, .subject = subject };

	letters_tell(engine, true); /* those in memory are rows like the others */
	do {
		letters.count = 0;
		engine_check(engine, store_dead_each(engine->store, -1, look_at_letter, &letters));
		for (size_t i = 0; i < letters.count; i++)
			engine_check(engine, store_dead_drop(engine->store, letters.rows[i]));
	} while (letters.count == ARRAY_LEN(letters.rows) && engine->failed == 0);
}

struct leaving {
	struct engine *engine;
	const struct id *subject;
};

static void
leave_others(void *ctx, struct visit *visit)
{
	const struct leaving *leaving = ctx;

	if (visit_forget_former(visit, leaving->subject))
		engine_touch(leaving->engine, visit);
}

/* Their open visits go on without them: what is written from now on is about nobody, and so are the words of their
 * cards. */
static void
leave_visits(struct engine *engine, const struct id *subject)
{
	struct subject_visits w = { .subject = subject };

	sessions_each(engine->sessions, leave_others, &(struct leaving){ engine, subject });
	subject_visits_find(engine, &w);
	for (size_t i = 0; i < w.count; i++) {
		struct visit *visit = w.visits[i];

		/* Of nobody: what tells a tablet to clear its screen must not go with the key. */
		visit_withdraw_of(engine, visit, visit->station, NULL, WITHDRAW_CUSTOMER);
		/* Nor is it a contact of who comes next. */
		contacts_done(&visit->contacts);
		visit_drop_shortlists(visit, true);
		for (size_t c = 0; c < visit->card_count; c++)
			card_unword(&visit->cards[c]);
		if (visit->state == VISIT_WAITING) {
			engine_remove_visit(engine, visit);
			continue;
		}
		visit_disown(visit);
		engine_touch(engine, visit);
	}
}

/* In a turn of its own, while their rows can be read: if it fails, nobody is forgotten and it can be tried again. With
 * the key gone, the card on a screen would be in no row that opens. */
void
order_leave(struct engine *engine, const struct input *input)
{
	store_open_reserve(engine->store);
	leave_visits(engine, &input->subject);
}

/* A turn's row that cannot be read any more hides nothing of before. In its table a row has the place of the one before. */
void
engine_before_key_goes(struct engine *engine)
{
	int rc = store_settle(engine->store);

	if (rc != 0)
		log_warning(
		    "what a customer wrote is not in its tables before their key goes rc=%d", rc);
}

void
order_forget(struct engine *engine, const struct input *input)
{
	leave_visits(engine, &input->subject);
	engine_forget_subject(engine, &input->subject);
	engine_check(engine, store_forget(engine->store, &input->subject));
	forget_dead_letters(engine, &input->subject);
	strays_forget(engine, &input->subject);
	sale_forget(engine, &input->subject);
	learning_forget(engine, &input->subject);
	buf_wipe(&engine->record); /* it may be theirs */
}
