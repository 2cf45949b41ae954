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
 *
 *   Where all gates are open, what is left is who is worth more: the others of the placement are asked alike, unless they
 *   are too many to be asked between two turns.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "decide/decide.h"
#include "nouns/visit.h"
#include "policy/policy_load.h"

#define ABOVE_MAX 5   /* that are named */
#define ASKED_MAX 512 /* actions of a policy: more are not asked, a turn would wait for it */

struct rival {
	const char *action;
	double priority;
	bool open;
};
struct rivals {
	struct rival best[ABOVE_MAX + 1];
	size_t kept, count;
};

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
	if (candidate->learned1 != 0) {
		json_add_list(w, "learned");
		json_add_int(w, NULL, candidate->learned1);
		json_add_int(w, NULL, candidate->learned0);
		json_end(w);
	}
	json_add_double(w, "p1", candidate->p1);
	json_add_double(w, "p0", candidate->p0);
	json_add_double(w, "margin", candidate->margin);
	json_add_double(w, "cost", candidate->cost);
	json_add_double(w, "gain", candidate->gain);
	json_add_double(w, "priority", candidate->priority);
}

static void
ask(struct arena *arena, const struct decide_input *input, const struct action *action,
    enum placement place, struct door *ret_door, struct decision *ret_decision)
{
	*ret_door = (struct door){ .way = DOOR_ASKED, .action = action, .place = place };
	decide_named(arena, input, ret_door, ret_decision);
}

/* Its card is open: that is no gate for who wants its place. */
static bool
only_open(const struct door *door)
{
	return door->closed_count == 1 && door->closed[0].gate == FATE_CONTACT &&
	    door->closed[0].clause != NULL &&
	    strcmp(door->closed[0].clause, VISIT_OPEN_CLAUSE) == 0;
}

/* Into its place among the best. */
static void
keep_rival(struct rivals *rivals, struct rival rival)
{
	size_t at = rivals->kept;

	for (; at > 0 && rivals->best[at - 1].priority < rival.priority; at--)
		rivals->best[at] = rivals->best[at - 1];
	rivals->best[at] = rival;
	rivals->kept += rivals->kept < ABOVE_MAX;
	rivals->count++;
}

/* Those of the placement that may be there, with a higher priority. */
static void
find_rivals(struct engine *engine, struct visit *visit, const struct door *of, double priority,
    struct rivals *rivals)
{
	struct arena *arena = arena_new();
	struct decide_input input;

	choose_input(engine, visit, NULL, &input);
	for (size_t i = 0; i < input.sources.policy->action_count; i++) {
		const struct action *action = &input.sources.policy->actions[i];
		const struct candidate *candidate;
		struct decision decision;
		struct door door;

		if (action == of->action || (action->placements & 1u << of->place) == 0)
			continue;
		arena_reset(arena);
		ask(arena, &input, action, of->place, &door, &decision);
		candidate = &decision.candidates[0];
		if ((door.closed_count == 0 || only_open(&door)) && candidate->scored &&
		    candidate->priority > priority)
			keep_rival(rivals,
			    (struct rival){
				action->id, candidate->priority, door.closed_count > 0 });
	}
	arena_free(arena);
}

static void
add_above(const struct rivals *rivals, struct json_writer *w)
{
	json_add_int(w, "above_count", (int64_t)rivals->count);
	json_add_list(w, "above");
	for (size_t i = 0; i < rivals->kept; i++) {
		json_add_object(w, NULL);
		json_add_str(w, "action", rivals->best[i].action);
		json_add_double(w, "priority", rivals->best[i].priority);
		json_add_bool(w, "open", rivals->best[i].open);
		json_end(w);
	}
	json_end(w);
}

/* In the policy of the arms that the customer is in. */
static int
tell(struct engine *engine, struct visit *visit, const char *name, bool is_open,
    struct json_writer *w)
{
	const struct policy *policy;
	struct decide_input input;
	struct rivals rivals = { 0 };
	struct decision decision;
	struct door door;

	arena_reset(engine->scratch);
	choose_input(engine, visit, NULL, &input);
	policy = input.sources.policy;
	if (policy_action(policy, name) == NULL)
		return AISLE_E_NONE;
	ask(engine->scratch, &input, policy_action(policy, name),
	    first_placement(policy_action(policy, name)), &door, &decision);
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
	json_add_double(w, "interrupt", door.interrupt);
	json_add_bool(w, "mandatory", door.action->mandatory);
	json_add_int(w, "slots", policy->places[door.place].slots);
	if (door.closed_count == 0 && decision.candidates[0].scored &&
	    policy->action_count <= ASKED_MAX) {
		find_rivals(engine, visit, &door, decision.candidates[0].priority, &rivals);
		add_above(&rivals, w);
	}
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
