/* SPDX-License-Identifier: Apache-2.0
 *
 * due.c - what is due: a card expires, a till stays silent, a card scan found no basket, an
 * outcome's window ends, a return has waited for its sale.
 */
#include "spine/spine.h"

#include <string.h>

#include "core/id.h"
#include "core/log.h"

static void
card_due(struct engine *engine, const char *prompt)
{
	struct visit *visit = engine_visit_by_ref(engine, "prompt", prompt);
	struct card *card;
	struct id id;

	if (visit == NULL || !id_parse(prompt, &id) || (card = visit_card(visit, &id)) == NULL ||
	    card->state != CARD_OPEN)
		return;
	engine_touch(engine, visit);
	card_withdraw(engine, visit, card, WITHDRAW_EXPIRED);
	if (!card->withheld && !id_is_zero(&visit->guidance))
		visit_guide(engine, visit, NULL, WITHDRAW_EXPIRED);
}

/* No word from the till: the hold is free. If it applied the offer after all, its word still
 * counts. */
static void
ask_due(struct engine *engine, const char *prompt)
{
	struct visit *visit = engine_visit_by_ref(engine, "prompt", prompt);
	struct card *card;
	struct id id;

	if (visit == NULL || !id_parse(prompt, &id) || (card = visit_card(visit, &id)) == NULL ||
	    card->state != CARD_ASKED)
		return;
	engine_touch(engine, visit);
	card_silent(engine, visit, card);
	if (!id_is_zero(&visit->guidance))
		visit_guide(engine, visit, NULL, WITHDRAW_REPLACED);
}

/* ---- snoozed ---- */

#define SNOOZE_MAX_MS (3 * D_MS) /* no visit lives longer */

void
due_snooze(struct engine *engine, const struct card *card)
{
	if (card->snooze_until_ms - card->answered_ms <= SNOOZE_MAX_MS)
		timer_add(engine, "snooze", &card->prompt, card->snooze_until_ms);
}

static bool
is_newest(const struct visit *visit, const struct card *card)
{
	for (const struct card *other = card + 1; other < visit->cards + visit->card_count; other++)
		if (strcmp(other->action, card->action) == 0)
			return false;
	return true;
}

static void
snooze_due(struct engine *engine, const char *prompt)
{
	struct visit *visit = engine_visit_by_ref(engine, "prompt", prompt);
	struct card *card;
	struct id id;

	if (visit == NULL || !id_parse(prompt, &id) || (card = visit_card(visit, &id)) == NULL)
		return;
	if (card->overdue)
		engine_touch(engine, visit);
	card->overdue = false; /* else the next event sets the timer again */
	if (card->answer != ANSWER_SNOOZE || visit_over(visit) || visit->training ||
	    engine->policy == NULL || !is_newest(visit, card))
		return;
	card->overdue = snooze_must_wait(engine, visit);
	engine_touch(engine, visit);
	if (!card->overdue)
		choose_back(engine, visit, card);
}

static void
wait_due(struct engine *engine, const char *text)
{
	struct visit *visit;
	struct id id;

	if (!id_parse(text, &id))
		return;
	visit = engine_visit(engine, &id);
	if (visit == NULL || visit->state != VISIT_WAITING)
		return;
	if (!session_wait_over(visit, engine->now_ms)) {
		timer_add(engine, "wait", &visit->id, visit->identified_ms + CARD_WAIT_MS);
		return;
	}
	/* The customer went away. */
	visit_missed(engine, visit);
}

/* A basket that was never closed nor cancelled: its till has forgotten it. */
static void
idle_due(struct engine *engine, const char *text)
{
	struct visit *visit;
	struct id id;

	if (!id_parse(text, &id) || (visit = engine_visit(engine, &id)) == NULL ||
	    visit_over(visit))
		return;
	if (visit->state == VISIT_SUSPENDED) {
		timer_add(engine, "idle", &visit->id, engine->now_ms + IDLE_MS);
		return;
	}
	if (engine->now_ms - visit->last_ms < IDLE_MS) {
		timer_add(engine, "idle", &visit->id, visit->last_ms + IDLE_MS);
		return;
	}
	visit_give_up(engine, visit);
}

/* Nobody has come back for it. */
static void
suspended_due(struct engine *engine, const char *text)
{
	struct visit *visit;
	struct id id;

	if (!id_parse(text, &id) || (visit = engine_visit(engine, &id)) == NULL ||
	    visit->state != VISIT_SUSPENDED)
		return;
	/* Something late was heard of it, or its customer's card was read. */
	if (engine->now_ms - visit->last_ms < SUSPENDED_MS)
		timer_add(engine, "suspended", &visit->id, visit->last_ms + SUSPENDED_MS);
	else
		visit_cancel(engine, visit);
}

static void
consent_end_due(struct engine *engine, const char *text)
{
	struct visit *visit;
	struct id id;

	if (id_parse(text, &id) && (visit = engine_visit(engine, &id)) != NULL &&
	    !visit_over(visit))
		consent_due(engine, visit);
}

/* ---- after damage ---- */

/* A page of the file that is lost takes timers along, and what waits for one would wait for ever. Those that are
 * there are not added twice; one of a window that has ended does not come again. */
void
due_restore(struct engine *engine, const struct visit *visit)
{
	if (visit->state == VISIT_WAITING)
		timer_add(engine, "wait", &visit->id,
		    (visit->identified_ms != 0 ? visit->identified_ms : visit->opened_ms) +
			CARD_WAIT_MS);
	else if (!visit_over(visit))
		timer_add(engine, "idle", &visit->id, visit->last_ms + IDLE_MS);
	if (visit->state == VISIT_SUSPENDED)
		timer_add(engine, "suspended", &visit->id, visit->last_ms + SUSPENDED_MS);
	if (visit->has_subject)
		consent_timers(engine, visit);
	for (size_t i = 0; i < visit->card_count; i++) {
		const struct card *card = &visit->cards[i];

		if (card->state == CARD_OPEN)
			timer_add(engine, "card", &card->prompt, card->expires_ms);
		if (card->state == CARD_ASKED)
			timer_add(engine, "ask", &card->prompt, card->asked_ms + ASK_MS);
		if (card->answer == ANSWER_SNOOZE && card->snooze_until_ms > engine->now_ms)
			due_snooze(engine, card);
		if (card->outcome_due_ms > engine->now_ms)
			timer_add(engine, "window", &card->prompt, card->outcome_due_ms);
	}
}

void
due_apply(struct engine *engine, const char *id)
{
	char object[128];
	const char *slash = strchr(id, '/'), *end = slash != NULL ? strchr(slash + 1, '/') : NULL;
	size_t kind_len = slash != NULL ? (size_t)(slash - id) : 0;

	if (end == NULL || (size_t)(end - slash) > sizeof(object)) {
		log_warning("a timer with a bad name was dropped id=%s", LOG_VALUE(id));
		return;
	}
	memcpy(object, slash + 1, (size_t)(end - slash - 1));
	object[end - slash - 1] = '\0';
	if (strncmp(id, "card", kind_len) == 0)
		card_due(engine, object);
	else if (strncmp(id, "ask", kind_len) == 0)
		ask_due(engine, object);
	else if (strncmp(id, "snooze", kind_len) == 0)
		snooze_due(engine, object);
	else if (strncmp(id, "consent", kind_len) == 0)
		consent_end_due(engine, object);
	else if (strncmp(id, "wait", kind_len) == 0)
		wait_due(engine, object);
	else if (strncmp(id, "idle", kind_len) == 0)
		idle_due(engine, object);
	else if (strncmp(id, "suspended", kind_len) == 0)
		suspended_due(engine, object);
	else if (strncmp(id, "window", kind_len) == 0)
		outcome_window(engine, object);
	else if (strncmp(id, "return", kind_len) == 0)
		returns_due(engine, object);
	else if (strncmp(id, "settle", kind_len) == 0)
		settle_due(engine, object);
	else if (strncmp(id, "promise", kind_len) == 0)
		promise_due(engine, object);
	else if (strncmp(id, "stop", kind_len) == 0)
		stops_due(engine);
	else if (strncmp(id, "lever", kind_len) == 0)
		levers_due(engine);
	else if (strncmp(id, "assigned", kind_len) == 0)
		assigned_day_over(engine);
	else if (strncmp(id, "learned", kind_len) == 0)
		learning_week_over(engine);
	else if (strncmp(id, "taught", kind_len) == 0)
		learner_day_over(engine);
	else if (strncmp(id, "hour", kind_len) == 0)
		tally_hour_over(engine);
}
