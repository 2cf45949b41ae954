/* SPDX-License-Identifier: Apache-2.0
 *
 * instead.c - an override that says what was done instead.
 *
 * DESIGN
 *   The associate has decided: what they chose is recorded with the override
 *   whatever it is. Where it is an offer of the policy at one of its depths,
 *   and the basket is open, it becomes a card of its own, accepted by a
 *   person: it has a token and a command to the till like any accepted offer,
 *   counts in caps and budget, and has no p_log, for no draw chose it. A
 *   stopped action and an empty budget are not a matter of opinion.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/metrics.h"
#include "decide/decide.h"
#include "policy/policy_load.h"

static const struct action *
offered_by(const struct engine *engine, const struct event *event)
{
	const struct action *action = engine->policy != NULL && event->instead_action != NULL
	    ? policy_action(engine->policy, event->instead_action)
	    : NULL;

	return action != NULL && action->has_offer ? action : NULL;
}

bool
instead_needs_manager(const struct engine *engine, const struct event *event)
{
	const struct action *action = offered_by(engine, event);

	return action != NULL && action->gate == GATE_MANAGER;
}

/* 0: not one of its depths. Without a depth in the answer, the only one. */
static int64_t
depth_of(const struct offer *offer, int64_t wanted)
{
	if (wanted == 0 && offer->ladder_count == 1 && offer->tier_count == 0)
		return offer->ladder[0];
	for (size_t i = 0; i < offer->ladder_count; i++) {
		if (offer->ladder[i] == wanted)
			return wanted;
	}
	for (size_t i = 0; i < offer->tier_count; i++) {
		if (offer->tiers[i].depth == wanted)
			return wanted;
	}
	return 0;
}

static bool
budget_bears(struct engine *engine, const struct action *action, int64_t hold_minor)
{
	const struct budget_use use = hold_today(engine, action->id);

	return budget_clause(&action->budget, &use, engine->time_uncertain, hold_minor) == NULL;
}

/* The words that the tablet showed for it; else its own name. */
static const char *
headline_of(const json_t *shown, const char *action, int64_t depth)
{
	const json_t *other;
	size_t i;

	json_array_foreach(json_object_get(shown, "alternatives"), i, other) {
		const char *id = json_string_value(json_object_get(other, "action"));
		int64_t d = 0;

		(void)json_int(json_object_get(other, "depth"), &d);
		if (id != NULL && strcmp(id, action) == 0 && d == depth)
			return json_string_value(json_object_get(other, "headline"));
	}
	return NULL;
}

static char *
card_text(const struct engine *engine, const struct card *from, const struct action *action,
    const struct id *prompt, int64_t depth, int64_t worth_minor)
{
	json_t *shown = json_loads(from->json, 0, NULL);
	const char *headline = headline_of(shown, action->id, depth);
	struct buf out = { 0 };
	struct json_writer *w = JSON_OBJECT(&out);

	json_add_id(w, "prompt", prompt);
	json_add_str(w, "action", action->id);
	json_add_str(w, "treatment", "");
	json_add_str(w, "kind", NAME_OF(kind_names, action->kind));
	json_add_str(w, "headline", headline != NULL ? headline : action->id);
	json_add_list(w, "why");
	json_end(w);
	json_add_str(w, "by", "person");
	json_add_str(w, "gate", NAME_OF(gate_names, action->gate));
	offer_json(engine->policy, &action->offer, depth, worth_minor, w);
	json_end(w);
	json_decref(shown);
	return buf_steal(&out);
}

/* NULL: no room. Pointers to other cards of the visit are stale after it. */
static struct card *
add_card(struct engine *engine, struct visit *visit, const struct card *from,
    const struct action *action, int64_t depth)
{
	struct offer_value value = offer_value(&action->offer, depth, visit);
	struct id prompt = engine_id(engine, "prompt/instead");
	struct card made = {
		.prompt = prompt,
		.decision = from->decision,
		.guidance = from->guidance,
		.placement = from->placement,
		.slot = from->slot,
		.kind = (int)action->kind,
		.gate = (int)action->gate,
		.depth = depth,
		.worth_minor = value.worth_minor,
		.hold_minor = value.hold_minor,
		.state = CARD_ANSWERED,
		.answer = ANSWER_ACCEPT,
		.sent_ms = engine->now_ms,
		.answered_ms = engine->now_ms,
		.expires_ms = engine->now_ms,
		.shown = true,
		.shown_ms = engine->now_ms,
	};
	char text[ID_TEXT_SIZE], *json;
	struct card *card;

	if (visit_card_room(visit) <= VISIT_CARDS_RESERVED) {
		metrics_add(METRIC_LIMIT_CARDS, 1);
		return NULL;
	}
	json = card_text(engine, from, action, &prompt, depth, value.worth_minor);
	card = visit_add_card(visit);
	CHECK(card != NULL);
	*card = made;
	card->action = mem_strdup(action->id);
	card->group = mem_strdup(action->group);
	card->issue = mem_strdup(action->issue);
	card->treatment = mem_strdup("");
	card->answer_body = mem_strdup("{}");
	card->json = json;
	if (action->goal_within_ms > 0) {
		card->outcome_due_ms = engine->now_ms + action->goal_within_ms;
		timer_add(engine, "window", &card->prompt, card->outcome_due_ms);
	}
	id_text(&card->prompt, text);
	engine_ref(engine, "prompt", text, visit);
	return card;
}

void
instead_apply(struct engine *engine, struct visit *visit, struct card *card,
    const struct event *event)
{
	const struct action *action = offered_by(engine, event);
	int64_t depth = action != NULL ? depth_of(&action->offer, event->instead_depth) : 0;
	struct id overridden = card->prompt;
	struct card *chosen = NULL;

	if (depth != 0 && visit->state == VISIT_OPEN && visit->basket != NULL && !visit->training &&
	    !order_is_stopped(engine, action->id) &&
	    budget_bears(engine, action, offer_value(&action->offer, depth, visit).hold_minor))
		chosen = add_card(engine, visit, card, action, depth);
	card = visit_card(visit, &overridden);
	outcome_record_instead(engine, visit, card, OUTCOME_OVERRIDDEN, event->reason,
	    &(struct instead){ event->instead_action, depth != 0 ? depth : event->instead_depth,
		chosen != NULL ? &chosen->prompt : NULL });
	if (chosen == NULL)
		return;
	hold_take(engine, chosen);
	outcome_record(engine, visit, chosen, OUTCOME_DECIDED, NULL, false, 0);
	outcome_record_instead(engine, visit, chosen, OUTCOME_ACCEPTED, NULL,
	    &(struct instead){ action->id, depth, NULL });
	card_accept_offer(engine, visit, chosen);
}
