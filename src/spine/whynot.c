/* SPDX-License-Identifier: Apache-2.0
 *
 * whynot.c - why a customer would not get an action now: every gate that is closed, not only the first.
 *
 * DESIGN
 *   The gates of a decision are tried by the very code that decides
 *   (decide/door.c), and each that is closed is written down instead of
 *   ending it. Nothing is drawn, recorded or shown. Asked of the customer's open
 *   visit; where there is none, of one that begins now at the station, without goods.
 *   There is no event: a rule that reads one is among what cannot be said.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "decide/decide.h"
#include "nouns/visit.h"
#include "policy/policy_load.h"

struct visit_search {
	const struct id *subject;
	struct visit *found;
};

static void
keep_newest(void *ctx, struct visit *visit)
{
	struct visit_search *search = ctx;

	if (visit->has_subject && id_equal(&visit->subject, search->subject) &&
	    !visit_over(visit) &&
	    (search->found == NULL || visit->last_ms > search->found->last_ms))
		search->found = visit;
}

static struct visit *
begin_visit(const struct engine *engine, const struct id *subject, const char *station)
{
	struct visit *visit = visit_new(&(struct id){ 0 });

	snprintf(visit->station, sizeof(visit->station), "%s", station);
	visit->state = VISIT_WAITING;
	visit->has_subject = true;
	visit->subject = *subject;
	visit->opened_ms = visit->last_ms = engine->now_ms;
	return visit;
}

static enum placement
first_placement(const struct action *action)
{
	int place = 0;

	while (place + 1 < PLACE_COUNT && (action->placements & 1u << place) == 0)
		place++;
	return (enum placement)place;
}

static void
add_triggers(const struct action *action, struct json_writer *w)
{
	json_add_list(w, "on");
	for (int type = 0; type < EV_COUNT; type++)
		if ((action->on & (UINT32_C(1) << type)) != 0)
			json_add_str(w, NULL, event_type_name((enum event_type)type));
	json_end(w);
}

static void
add_gates(const struct door *door, struct json_writer *w)
{
	json_add_list(w, "closed");
	for (size_t i = 0; i < door->closed_count; i++) {
		const struct closed_gate *closed = &door->closed[i];

		json_add_object(w, NULL);
		json_add_str(w, "gate", NAME_OF(fate_names, closed->gate));
		if (closed->clause != NULL)
			json_add_str(w, "clause", closed->clause);
		json_end(w);
	}
	json_end(w);
}

static void
add_score(const struct candidate *candidate, struct json_writer *w)
{
	if (candidate->action->has_offer) {
		json_add_int(w, "depth", candidate->depth);
		json_add_int(w, "worth", candidate->worth_minor);
	}
	if (!candidate->scored)
		return;
	json_add_double(w, "p1", candidate->p1);
	json_add_double(w, "p0", candidate->p0);
	json_add_double(w, "margin", candidate->margin);
	json_add_double(w, "cost", candidate->cost);
	json_add_double(w, "gain", candidate->gain);
	json_add_double(w, "priority", candidate->priority);
}

/* In the policy of the arms that the customer is in. */
static int
tell(struct engine *engine, struct visit *visit, const char *name, bool is_open,
    struct json_writer *w)
{
	struct door door = { .way = DOOR_ASKED };
	struct decide_input input;
	struct decision decision;

	arena_reset(engine->scratch);
	choose_input(engine, visit, NULL, &input);
	door.action = policy_action(input.sources.policy, name);
	if (door.action == NULL)
		return AISLE_E_NONE;
	door.place = first_placement(door.action);
	decide_named(engine->scratch, &input, &door, &decision);
	json_add_object(w, NULL);
	json_add_str(w, "action", door.action->id);
	json_add_str(w, "placement", NAME_OF(placement_names, door.place));
	json_add_str(w, "station", visit->station);
	json_add_str(w, "basket", is_open ? visit->basket : NULL);
	json_add_bool(w, "visit", is_open);
	json_add_bool(w, "known", input.known);
	add_triggers(door.action, w);
	add_gates(&door, w);
	add_score(&decision.candidates[0], w);
	json_end(w);
	return 0;
}

int
query_why_not(struct engine *engine, const struct id *subject, const char *station,
    const char *action, struct buf *out)
{
	struct id person = engine_person(engine, subject)->id;
	struct visit_search search = { .subject = &person };
	struct visit *visit, *made = NULL;
	int rc;

	if (engine->policy == NULL)
		return AISLE_E_NONE;
	sessions_each(engine->sessions, keep_newest, &search);
	visit = search.found;
	if (visit == NULL)
		visit = made = begin_visit(engine, &person, station);
	rc = tell(engine, visit, action, made == NULL, JSON_WRITER(out));
	visit_free(made);
	return rc;
}
