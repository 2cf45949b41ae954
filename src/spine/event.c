/* SPDX-License-Identifier: Apache-2.0
 *
 * event.c - one event through the stages, in their order: session, customer, decision; or an answer
 * to a card.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "core/metrics.h"

void
event_about(struct engine *engine, const struct visit *visit)
{
	if (visit != NULL && visit->has_subject)
		engine->about = visit->subject;
}

static const char *
event_station(const struct engine *engine, const struct event *event)
{
	return event->station != NULL ? event->station : conf_station(engine->conf, event->origin);
}

static struct visit *
waiting_visit(struct engine *engine, const struct event *event, const char *station)
{
	struct id id = engine_id(engine, "visit");
	struct visit *visit = visit_new(&id);

	visit->state = VISIT_WAITING;
	snprintf(visit->station, sizeof(visit->station), "%s", station);
	if (event->channel == CHANNEL_POS)
		snprintf(visit->terminal, sizeof(visit->terminal), "%s", event->origin);
	visit->has_subject = true;
	visit->subject = event->subject;
	visit->opened_ms = visit->last_ms = engine->now_ms;
	sessions_add(engine->sessions, visit);
	engine_touch(engine, visit);
	return visit;
}

/* An event about a customer who is at no till: a service desk's return, a card at a kiosk. */
static struct visit *
visit_for_subject(struct engine *engine, const struct event *event, const char *station)
{
	struct subject_visits w = { .subject = &event->subject };
	struct visit *visit;

	subject_visits_find(engine, &w);
	if (w.count > 0)
		return w.visits[w.count - 1];
	if (event->channel == CHANNEL_CARE)
		return NULL;
	visit = waiting_visit(engine, event, station);
	if (!visit_join_subject(engine, visit)) {
		engine_remove_visit(engine, visit);
		return NULL;
	}
	timer_add(engine, "wait", &visit->id, engine->now_ms + CARD_WAIT_MS);
	visit_bound_waiting(engine, visit);
	return visit;
}

static bool
triggers(const struct engine *engine, const struct event *event)
{
	return engine->policy != NULL && (engine->policy->triggers & (1u << event->type)) != 0;
}

/* What happened long ago is no reason to speak to somebody now: the customer has left, the till sends what it kept. */
static bool
is_stale(const struct engine *engine, const struct event *event)
{
	return !engine->time_uncertain && event->now_ms - event->time_ms > engine->conf->stale_ms;
}

/* Where a decision for this event would be shown; NULL: nowhere. */
static struct visit *
visit_to_decide(struct engine *engine, const struct event *event,
    const struct session_result *result, const char *station)
{
	struct visit *visit = result->visit;

	if (visit == NULL && event->has_subject && triggers(engine, event) &&
	    !is_stale(engine, event))
		visit = visit_for_subject(engine, event, station);
	if (visit == NULL && !event->has_subject && event->channel != CHANNEL_CARE)
		visit = sessions_at_station(engine->sessions, station);
	if (visit == NULL || visit->training ||
	    result->effects & (EFFECT_LATE_LINES | EFFECT_LEFT | EFFECT_IGNORED))
		return NULL;
	if (visit->state == VISIT_CANCELLED ||
	    (visit->state == VISIT_CLOSED && !(result->effects & EFFECT_CLOSED)))
		return NULL;
	return visit;
}

/* A till's promotion may look like a token of ours: only what was given out is one. */
static const char *
given_out(struct engine *engine, const char *own)
{
	struct buf kept = { 0 };
	const char *text = NULL;

	while (own != NULL) {
		const char *end = strchrnul(own, ' ');
		const char *token = arena_strndup(engine->arena, own, strcspn(own, "="));

		if (engine_ref_known(engine, "token", token))
			buf_addf(&kept, "%s%.*s", kept.len > 0 ? " " : "", (int)(end - own), own);
		own = *end == ' ' ? end + 1 : NULL;
	}
	if (kept.len > 0)
		text = arena_strdup(engine->arena, kept.data);
	buf_done(&kept);
	return text;
}

static void
apply_to_session(struct engine *engine, const struct event *event, struct session_result *result,
    struct rejected *rejected)
{
	const char *station = event_station(engine, event);
	struct id visit_id = engine_id(engine, "visit");
	struct event ours = *event;

	ours.item.own = given_out(engine, event->item.own);
	memset(result, 0, sizeof(*result));
	engine_baskets_load(engine, event, station);
	session_apply(engine->sessions, &ours, station, &visit_id, result);
	if (result->reject != REJECT_NONE) {
		rejected->reason = result->reject;
		snprintf(rejected->detail, sizeof(rejected->detail), "%s", result->detail);
		return;
	}
	if (event->type == EV_RETURN_COMPLETED && result->visit != NULL &&
	    !engine_may_tell(engine, event))
		result->visit->returns--;
	event_about(engine, result->visit);
	visit_effects(engine, event, result);
}

static void
apply_answer(struct engine *engine, const struct event *event, struct rejected *rejected)
{
	const struct visit *visit = engine_visit_by_ref(engine, "prompt", event->prompt);
	struct reply reply = { 0 };

	if (!native_may(engine, event->origin, visit != NULL ? visit->station : NULL)) {
		rejected->reason = REJECT_NOT_YOURS;
		snprintf(rejected->detail, sizeof(rejected->detail),
		    "expected a tablet that is paired or added, and a card of its own stations");
		return;
	}
	heard_of(engine, CHANNEL_TABLET, event->origin, engine->now_ms);
	event_about(engine, visit);
	if (event->type == EV_GUIDANCE_SHOWN)
		answer_shown(engine, event, &reply);
	else
		answer_decided(engine, event, &reply);
	/* Too late, also for a limit: the tablet hears of it by the withdrawal. */
	if (reply.status < 400 || reply.status == 410 ||
	    (reply.clause != NULL && strcmp(event->decision, "accept") == 0))
		return;
	rejected->reason = REJECT_BAD_VALUE;
	snprintf(rejected->detail, sizeof(rejected->detail), "%s%s%s", reply.detail,
	    reply.clause != NULL ? ": " : "", reply.clause != NULL ? reply.clause : "");
}

/* What the till says of an offer may be a trigger, and changes what the others are worth. */
static void
apply_word(struct engine *engine, const struct event *event, struct rejected *rejected)
{
	struct visit *basket = till_offer(engine, event, rejected);

	event_about(engine, basket);
	if (basket != NULL)
		choose_on_word(engine, basket, event);
}

/* The stages in their order. */
static void
apply_stages(struct engine *engine, const struct event *event, struct rejected *rejected)
{
	struct session_result result;
	struct visit *visit;
	size_t before;

	if (!customer_may_say(engine, event, rejected) ||
	    !customer_may_merge(engine, event, rejected))
		return;
	/* Told again under another event's name: it counts once. */
	if (event->type == EV_RETURN_COMPLETED && !returns_is_new(engine, event))
		return;
	apply_to_session(engine, event, &result, rejected);
	if (rejected->reason != REJECT_NONE)
		return;
	if (event->type == EV_SENSOR_READING && strcmp(event->kind, "queue") == 0)
		sensor_note(engine, event_station(engine, event), event->value);
	if (event->type == EV_STOCK_CHANGED)
		stock_event(engine, event);
	care_event(engine, event);
	if (event->has_subject && event->type != EV_CUSTOMER_IDENTIFIED)
		customer_event(engine, event);
	if (event->type == EV_CUSTOMER_MERGED &&
	    id_equal(&engine_person(engine, &event->subject)->id, &event->into))
		returns_merged(engine, &event->subject, &event->into);
	if (event->type == EV_RETURN_COMPLETED)
		returns_take(engine, event, event_station(engine, event));
	if (event->type == EV_RETURN_COMPLETED && result.visit == NULL && !event->has_subject)
		result.visit = sessions_at_terminal(engine->sessions, event->origin);
	visit = visit_to_decide(engine, event, &result, event_station(engine, event));
	if (is_stale(engine, event))
		metrics_add(METRIC_STALE, 1);
	if (visit == NULL || engine->policy == NULL)
		return;
	before = visit->card_count;
	if (is_stale(engine, event))
		choose_again(engine, visit, event);
	else
		choose(engine, visit, event);
	visit_bound_prompts(engine, visit, before);
}

void
event_apply(struct engine *engine, const struct event *event, struct rejected *rejected)
{
	struct event known = *event;

	goods_look_up(engine, &known);
	switch (event_way(event->type)) {
	case WAY_STAGES: apply_stages(engine, &known, rejected); break;
	case WAY_ANSWER: apply_answer(engine, &known, rejected); break;
	case WAY_OFFER: apply_word(engine, &known, rejected); break;
	}
}
