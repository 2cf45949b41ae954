/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_actions.c - actions/ANY.json: what the store could do for a customer now.
 */
#include "policy/policy_internal.h"

#include <stdlib.h>
#include <string.h>

#include "logic/logic.h"

/* clang-format off */
static const struct member action_members[] = {
    {"action", T_STRING | T_REQUIRED},
    {"kind", T_STRING | T_REQUIRED},
    {"issue", T_STRING | T_REQUIRED},
    {"group", T_STRING | T_REQUIRED},
    {"on", T_ARRAY | T_REQUIRED},
    {"valid", T_OBJECT},
    {"eligible", T_RULE},
    {"applicable", T_RULE},
    {"suitable", T_RULE},
    {"propensity", T_EXPR},
    {"incremental", T_NUMBER},
    {"uplift", T_OBJECT},
    {"context", T_EXPR},
    {"margin", T_EXPR},
    {"lever", T_EXPR},
    {"outcome", T_OBJECT},
    {"offer", T_OBJECT},
    {"placements", T_ARRAY | T_REQUIRED},
    {"gate", T_STRING | T_REQUIRED},
    {"expires", T_STRING | T_REQUIRED},
    {"mandatory", T_BOOL},
    {"personal", T_BOOL},
    {"wallet", T_BOOL},
    {"caps", T_ARRAY},
    {"budget", T_OBJECT},
    {"treatments", T_ARRAY | T_REQUIRED},
};
/* clang-format on */

#define MARGIN_MAX 1e12

/* Which outcomes a kind may be judged by: bit per enum outcome_goal. */
/* clang-format off */
static const uint8_t kind_goals[KIND_COUNT] = {
    [KIND_OFFER] = 1u << GOAL_REDEEMED,
    [KIND_RECOMMEND] = 1u << GOAL_BOUGHT,
    [KIND_SERVICE] = 1u << GOAL_CASE_CLOSED | 1u << GOAL_NONE,
    [KIND_RETAIN] = 1u << GOAL_REDEEMED,
    [KIND_REMIND] = 1u << GOAL_BOUGHT,
    [KIND_COACH] = 1u << GOAL_GOAL,
    [KIND_INFORM] = 1u << GOAL_NONE,
    [KIND_ALERT] = 1u << GOAL_NONE,
};
/* clang-format on */

static void
read_on(struct compile *c, const struct at *at, struct action *action)
{
	if (json_is_array(at->json) && json_array_size(at->json) == 0)
		mistake(c, at, "no trigger, expected at least one event type or \"timer\"");
	for (size_t i = 0; i < json_array_size(at->json); i++) {
		struct at here = at_index(at, i);
		const char *name = json_string_value(here.json);
		enum event_type type = name != NULL ? event_type_by_name(name) : EV_NONE;

		if (name != NULL && strcmp(name, "timer") == 0)
			action->on_timer = true;
		else if (type == EV_NONE)
			mistake(c, &here,
			    "\"%.64s\" is no trigger, expected an event type such as "
			    "\"aisle.customer.identified\", or \"timer\"",
			    name != NULL ? name : "(not a string)");
		else
			action->on |= UINT32_C(1) << type;
	}
}

/* ---- outcome and chances ---- */

/* {"from":"table","name":"basket"} */
static void
read_family(struct compile *c, const struct at *at, struct action *action)
{
	static const struct member members[] = { { "from", T_STRING | T_REQUIRED },
		{ "name", T_STRING | T_REQUIRED } };
	struct at from = at_member(at, "from"), name = at_member(at, "name");
	int family;

	if (!READ_MEMBERS(c, at, members))
		return;
	if (json_is_string(from.json) && strcmp(json_string_value(from.json), "table") != 0)
		mistake(c, &from, "\"%.64s\" is nothing to take items from, expected \"table\"",
		    json_string_value(from.json));
	family = choice(c, &name, family_names + 1, FAMILY_COUNT - 1);
	if (family < 0)
		return;
	action->family = (uint8_t)(family + 1);
	if (c->policy->tables[action->family] == NULL)
		mistake(c, &name, "there is no table tables/%s.table, expected one",
		    NAME_OF(family_names, action->family));
	if (action->family == FAMILY_OWN && !action->personal)
		mistake(c, &name,
		    "a customer's own items for strangers, expected \"personal\" to be true");
}

static void
read_outcome_goal(struct compile *c, const struct at *at, struct action *action)
{
	static const struct member members[] = {
		{ "is", T_STRING | T_REQUIRED },
		{ "within", T_STRING },
		{ "item", T_OBJECT | T_ARRAY },
	};
	struct at is = at_member(at, "is"), within = at_member(at, "within"),
		  item = at_member(at, "item");
	int goal;

	if (!json_is_object(at->json) || !READ_MEMBERS(c, at, members))
		return;
	goal = read_choice(c, at, "is", goal_names, ARRAY_LEN(goal_names));
	action->goal_within_ms = read_duration(c, at, "within", 0, DURATION_MAX, 0);
	if (json_object_get(item.json, "from") != NULL)
		read_family(c, &item, action);
	else
		read_match(c, at, "item", &action->goal_item);
	if (goal < 0)
		return;
	action->goal = (enum outcome_goal)goal;
	CHECK((unsigned)action->kind < ARRAY_LEN(kind_goals));
	if ((kind_goals[action->kind] & 1u << goal) == 0)
		mistake(c, &is,
		    "\"%s\" is no outcome of kind %s, expected the one that this kind is judged by",
		    NAME_OF(goal_names, goal), NAME_OF(kind_names, action->kind));
	if (goal == GOAL_BOUGHT && item.json == NULL)
		mistake(c, at,
		    "\"item\" is missing, expected the category, brand or item that is bought");
	if (goal != GOAL_BOUGHT && item.json != NULL)
		mistake(c, &item, "\"item\" says nothing here, expected it with \"bought\" only");
	if (goal == GOAL_REDEEMED && !action->has_offer)
		mistake(c, &is, "\"redeemed\" without offer, expected \"offer\"");
	if (action->has_offer && action->goal_within_ms < action->offer.until_ms)
		mistake(c, within.json != NULL ? &within : at,
		    "\"within\" is shorter than the offer's \"until\", expected at least as long");
}

static unsigned
read_model_name(struct compile *c, const struct at *at, const char *key)
{
	struct at here = at_member(at, key);
	const char *name = json_string_value(here.json);
	int model = name != NULL ? name_map_get(&c->models, name) : -1;

	if (name != NULL && model < 0)
		mistake(c, &here, "no model \"%.64s\", expected one of models/models.json", name);
	return model < 0 ? 0 : (unsigned)model;
}

static void
read_chances(struct compile *c, const struct at *at, struct action *action)
{
	static const struct member members[] = {
		{ "treated", T_STRING | T_REQUIRED },
		{ "control", T_STRING | T_REQUIRED },
	};
	struct at propensity = at_member(at, "propensity"), uplift = at_member(at, "uplift");
	struct at incremental = at_member(at, "incremental");

	action->propensity = expr_read(c, &propensity, 0, 1, 0);
	if (action->family != FAMILY_NONE && propensity.json == NULL)
		action->propensity = (struct expr){ .kind = EXPR_CHANCE };
	action->incremental = read_number(c, at, "incremental", 0, 1, 0);
	if (json_is_object(uplift.json) && READ_MEMBERS(c, &uplift, members)) {
		action->has_uplift = true;
		action->uplift_treated = read_model_name(c, &uplift, "treated");
		action->uplift_control = read_model_name(c, &uplift, "control");
	}
	if (uplift.json != NULL && (propensity.json != NULL || incremental.json != NULL))
		mistake(c, &uplift,
		    "\"uplift\" beside \"propensity\" or \"incremental\", expected one or the "
		    "other");
	if (action->mandatory)
		return;
	if (uplift.json == NULL && incremental.json != NULL && propensity.json == NULL &&
	    action->family != FAMILY_NONE)
		return; /* the table's */
	if (uplift.json == NULL && (propensity.json == NULL || incremental.json == NULL))
		mistake(c, at,
		    "no chance with and without the action, expected \"propensity\" with "
		    "\"incremental\", "
		    "or \"uplift\"");
	if (action->goal == GOAL_NONE && json_object_get(at->json, "outcome") != NULL &&
	    (action->has_uplift || action->propensity.kind != EXPR_CONST))
		mistake(c, uplift.json != NULL ? &uplift : &propensity,
		    "an outcome of none cannot be predicted, expected \"propensity\" as a number");
}

/* A number or a rule; or {"lines":true,"else":N}: what the till states for the lines. */
static void
read_margin(struct compile *c, const struct at *at, struct action *action)
{
	static const struct member members[] = { { "lines", T_BOOL | T_REQUIRED },
		{ "else", T_NUMBER | T_REQUIRED } };
	struct at lines = at_member(at, "lines"), other = at_member(at, "else");

	if (lines.json == NULL) {
		action->margin = expr_read(c, at, -MARGIN_MAX, MARGIN_MAX, 0);
		return;
	}
	if (!READ_MEMBERS(c, at, members))
		return;
	action->margin = expr_read(c, &other, -MARGIN_MAX, MARGIN_MAX, 0);
	action->margin_lines = read_bool(at, "lines", false);
	if (!action->has_offer)
		mistake(c, at,
		    "the margin of lines without \"offer\", expected a number or a rule: "
		    "no line qualifies for anything");
}

static void
read_value(struct compile *c, const struct at *at, struct action *action)
{
	struct at context = at_member(at, "context"), margin = at_member(at, "margin");
	struct at lever = at_member(at, "lever"), outcome = at_member(at, "outcome");

	action->context = expr_read(c, &context, 0, 1e6, 1);
	read_margin(c, &margin, action);
	action->lever_expr = expr_read(c, &lever, 0, 1e6, 1);
	read_outcome_goal(c, &outcome, action);
	read_chances(c, at, action);
	if (action->mandatory)
		return;
	if (margin.json == NULL)
		mistake(c, at,
		    "\"margin\" is missing, expected the minor units that the outcome brings, or a "
		    "rule");
	if (outcome.json == NULL)
		mistake(c, at, "\"outcome\" is missing, expected what the action is judged by");
}

/* ---- placements, gate, consent ---- */

static void
read_placements(struct compile *c, const struct at *at, struct action *action)
{
	if (json_is_array(at->json) && json_array_size(at->json) == 0)
		mistake(c, at, "no placement, expected at least one");
	for (size_t i = 0; i < json_array_size(at->json); i++) {
		struct at here = at_index(at, i);
		int place = choice(c, &here, placement_names, PLACE_COUNT);

		if (place < 0)
			continue;
		if (!c->policy->places[place].present)
			mistake(c, &here,
			    "placement %s has no rules, expected it in \"placements\" of "
			    "policy.json",
			    NAME_OF(placement_names, place));
		if ((action->placements & 1u << place) != 0)
			mistake(c, &here, "placement %s is there twice, expected it once",
			    NAME_OF(placement_names, place));
		action->placements |= (uint8_t)(1u << place);
	}
}

static void
check_gate(struct compile *c, const struct at *at, const struct action *action)
{
	struct at gate = at_member(at, "gate");

	if (action->gate == GATE_AUTO && action->kind != KIND_COACH)
		mistake(c, &gate, "gate auto for kind %s, expected it for coach only",
		    NAME_OF(kind_names, action->kind));
	if (action->gate == GATE_CUSTOMER &&
	    (action->placements == 0 || (action->placements & ~PLACES_FACING_CUSTOMER) != 0))
		mistake(c, &gate,
		    "gate customer needs the customer's own screen, expected placement customer "
		    "alone");
	if ((action->placements & PLACES_FACING_CUSTOMER) != 0 && action->gate != GATE_CUSTOMER &&
	    action->gate != GATE_NONE)
		mistake(c, &gate,
		    "on the customer's screen nobody else can answer, expected gate customer or "
		    "none");
}

struct slot_check {
	const struct policy *policy;
	const char *personal; /* a feature that needs consent; NULL: none was read */
};

static void
check_slot(void *ctx, unsigned slot)
{
	struct slot_check *check = ctx;

	if (check->policy->features[slot].personal)
		check->personal = check->policy->features[slot].name;
}

/* A recall must reach everyone, so it may not hang on what only consent opens. */
static uint32_t
read_rule(struct compile *c, const struct at *up, const char *key, const struct action *action)
{
	struct at here = at_member(up, key);
	uint32_t clause = clause_read(c, &here);
	struct slot_check check = { .policy = c->policy };

	if (!action->mandatory)
		clause_no_compliance(c, &here, clause);
	if (clause == CLAUSE_TRUE || !action->mandatory || action->personal)
		return clause;
	logic_slots(c->clause[clause].program, check_slot, &check);
	if (check.personal != NULL)
		mistake(c, &here,
		    "\"%s\" reads \"%.64s\", expected a mandatory action without consent to read "
		    "only basket, "
		    "visit, event, time and store",
		    key, check.personal);
	return clause;
}

static void
check_offer_kind(struct compile *c, const struct at *at, const struct action *action)
{
	struct at offer = at_member(at, "offer");

	if (action->kind == KIND_OFFER && !action->has_offer)
		mistake(c, at, "\"offer\" is missing, expected one in an action of kind offer");
	if (action->has_offer && action->kind != KIND_OFFER && action->kind != KIND_RETAIN)
		mistake(c, &offer,
		    "kind %s gives an offer, expected it in kind offer or retain only",
		    NAME_OF(kind_names, action->kind));
	if (action->has_offer && action->mandatory)
		mistake(c, &offer,
		    "a mandatory action gives an offer, expected none: it is never scored");
}

/* It stands before what is new, so that it cannot be something new itself. */
static void
check_wallet(struct compile *c, const struct at *at, const struct action *action)
{
	struct at wallet = at_member(at, "wallet");

	if (action->wallet && (action->kind != KIND_REMIND || action->mandatory))
		mistake(c, &wallet,
		    "\"wallet\" in a %s card of kind %s, expected it in one of kind remind that is "
		    "not mandatory",
		    action->mandatory ? "mandatory" : "drawn", NAME_OF(kind_names, action->kind));
	if (action->wallet && !action->personal)
		mistake(c, &wallet,
		    "\"wallet\" in an action for strangers, expected \"personal\" to be true");
}

/* ---- one action ---- */

static void
read_names(struct compile *c, const struct at *at, const char *key, struct action *action)
{
	struct at id = at_member(at, "action");
	const char *text = read_id(c, at, "action");

	action->id = text != NULL ? text : keep(c, key);
	action->group = read_id(c, at, "group");
	action->issue = read_id(c, at, "issue");
	if (action->group == NULL)
		action->group = "";
	if (action->issue == NULL)
		action->issue = "";
	/* A draw's, and that of all of them. */
	if (strcmp(action->id, "nothing") == 0 || strcmp(action->id, "*") == 0)
		mistake(c, &id, "no action may be called \"%s\", expected another name",
		    action->id);
	if (c->patched && strcmp(action->id, key) != 0)
		mistake(c, &id, "the patch renames action \"%.64s\", expected its name to stay",
		    key);
}

static void
read_action(struct compile *c, const struct at *at, const char *key, struct action *action)
{
	struct at on = at_member(at, "on"), valid = at_member(at, "valid"),
		  offer = at_member(at, "offer");
	struct at placements = at_member(at, "placements"), caps = at_member(at, "caps");
	struct at budget = at_member(at, "budget"), treatments = at_member(at, "treatments");
	int kind, gate;

	action->id = key;
	action->group = action->issue = "";
	if (!READ_MEMBERS(c, at, action_members))
		return;
	read_names(c, at, key, action);
	kind = read_choice(c, at, "kind", kind_names, KIND_COUNT);
	action->kind = kind >= 0 ? (enum kind)kind : KIND_INFORM;
	action->mandatory = read_bool(at, "mandatory", false);
	action->personal = read_bool(at, "personal", true);
	action->wallet = read_bool(at, "wallet", false);
	if (kind >= 0)
		check_wallet(c, at, action);
	read_on(c, &on, action);
	valid_read(c, &valid, action);
	read_placements(c, &placements, action);
	gate = read_choice(c, at, "gate", gate_names, GATE_COUNT);
	action->gate = gate >= 0 ? (enum gate)gate : GATE_NONE;
	check_gate(c, at, action);
	action->expires_ms = read_duration(c, at, "expires", 1, 366 * D_MS, MIN_MS);
	offer_read(c, &offer, action);
	if (kind >= 0)
		check_offer_kind(c, at, action);
	action->eligible = read_rule(c, at, "eligible", action);
	action->applicable = read_rule(c, at, "applicable", action);
	action->suitable = read_rule(c, at, "suitable", action);
	read_value(c, at, action);
	action->cap_count = caps_read(c, &caps, true, &action->caps);
	budget_read(c, &budget, action);
	treatments_read(c, &treatments, action);
	c->policy->triggers |= action->on;
}

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
actions_read(struct compile *c)
{
	struct policy *policy = c->policy;
	json_t *actions = json_object_get(policy->source, "actions"), *value;
	json_t *files = json_object_get(policy->source, "files");
	size_t count = json_object_size(actions), i = 0;
	const char **keys = mem_calloc(count + 1, sizeof(*keys));
	const char *key;

	json_object_foreach(actions, key, value)
		keys[i++] = key;
	qsort(keys, count, sizeof(*keys), compare_keys);
	policy->actions = arena_alloc(c->arena, (count + 1) * sizeof(*policy->actions));
	policy->action_count = count;
	for (i = 0; i < count; i++) {
		const char *file = json_string_value(json_object_get(files, keys[i]));
		struct at here = at_root(file, json_object_get(actions, keys[i]));

		read_action(c, &here, keys[i], &policy->actions[i]);
	}
	free(keys);
}
