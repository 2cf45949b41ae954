/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_settle.c - what of an action is the same in every decision, worked out once.
 *
 * A decision looks at thousands of actions; what hangs on no customer and no
 * clock it need not work out again for each. No text and no pointer to one:
 * the policy is no larger for it than by a few numbers.
 */
#include "policy/policy_internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/text_prefix.h"
#include "logic/logic.h"
#include "policy/policy_load.h"
#include "score/model.h"

/* The values that the texts of a treatment have, and those of them that are features. */
struct values {
	size_t count, features;
};

static void
count_values(const struct template *text, struct values *values)
{
	for (size_t i = 0; i < text->count; i++) {
		values->count += text->parts[i].has_value;
		values->features += text->parts[i].has_value &&
		    (text->parts[i].var == TEMPLATE_FEATURE || text->parts[i].var == TEMPLATE_ITEM);
	}
}

static struct values
values_of(const struct treatment *treatment)
{
	struct values values = { 0 };

	count_values(&treatment->headline, &values);
	count_values(&treatment->say, &values);
	count_values(&treatment->body, &values);
	for (size_t i = 0; i < treatment->why_count; i++)
		count_values(&treatment->why[i], &values);
	for (size_t i = 0; i < treatment->step_count; i++)
		count_values(&treatment->steps[i], &values);
	return values;
}

static bool
text_fits(const struct template *text, int max)
{
	struct values values = { 0 };

	count_values(text, &values);
	return max == 0 || text->chars + NUMBER_CHARS_MAX * values.count <= (size_t)max;
}

/* With any depth and worth, for whoever is spoken to in the policy's first language. */
static bool
treatment_fits(const struct policy *policy, const struct treatment *treatment, int place)
{
	const struct placement_rules *rules = &policy->places[place];
	size_t bytes = treatment->text_bytes +
	    JSON_BYTES_OF_BYTE * NUMBER_CHARS_MAX * values_of(treatment).count;

	return (treatment->placement < 0 || treatment->placement == place) &&
	    policy->language_count > 0 && strcmp(treatment->language, policy->languages[0]) == 0 &&
	    text_fits(&treatment->headline, rules->headline_max) &&
	    text_fits(&treatment->say, rules->say_max) &&
	    text_fits(&treatment->body, rules->body_max) &&
	    (treatment->plain || bytes <= CARD_TEXT_BYTES_MAX);
}

static void
settle_treatments(const struct policy *policy, struct action *action)
{
	size_t features = 0;

	for (size_t i = 0; i < action->treatment_count; i++) {
		struct values values = values_of(&action->treatments[i]);

		action->treatments[i].plain = values.count == 0;
		features += values.features;
	}
	for (int place = 0; features == 0 && place < PLACE_COUNT; place++)
		for (size_t i = 0; i < action->treatment_count; i++)
			if (treatment_fits(policy, &action->treatments[i], place))
				action->fits |= (uint8_t)(1u << place);
}

struct readers {
	const struct policy *policy;
	uint64_t models;
};

static void
add_slot(void *ctx, unsigned slot)
{
	struct readers *readers = ctx;
	const struct feature *feature = &readers->policy->features[slot];

	if (feature->source == FEATURE_MODEL)
		readers->models |= readers->policy->models[feature->model].reads;
}

static uint64_t
models_of(const struct policy *policy, const struct expr *expr)
{
	struct readers readers = { policy, 0 };

	if (expr->kind == EXPR_MODEL)
		return policy->models[expr->index].reads;
	if (expr->kind == EXPR_CLAUSE && policy->clauses[expr->index].per_action)
		logic_slots(policy->clauses[expr->index].program, add_slot, &readers);
	return readers.models;
}

static void
settle_models(const struct policy *policy, struct action *action)
{
	uint64_t models = models_of(policy, &action->context) |
	    models_of(policy, &action->lever_expr) | models_of(policy, &action->propensity);

	if (action->has_uplift)
		models |= policy->models[action->uplift_treated].reads |
		    policy->models[action->uplift_control].reads;
	action->margin_asks = models_of(policy, &action->margin);
	action->factors_ask = models;
}

/* What the lines' categories must begin with. */
void
offer_settle(struct offer *offer)
{
	const struct match *include = &offer->include;

	offer->aim = offer->aim_mask = 0;
	if (!include->set || include->next != NULL || include->category == NULL)
		return;
	offer->aim = text_prefix(include->category);
	for (int i = 0; i < 8; i++)
		if ((offer->aim >> (8 * i) & 0xff) != 0)
			offer->aim_mask |= UINT64_C(0xff) << (8 * i);
}

static void
settle_action(const struct policy *policy, struct action *action)
{
	action->keys[BY_ACTION] = text_prefix(action->id);
	action->keys[BY_GROUP] = text_prefix(action->group);
	action->keys[BY_ISSUE] = text_prefix(action->issue);
	action->always = action->valid_from_ms == 0 && action->valid_until_ms == INT64_MAX &&
	    action->valid_days == 0x7f && action->valid_minute_from == 0 &&
	    action->valid_minute_until == 1440 && action->stores == NULL;
	action->lever_settled = action->lever_expr.kind == EXPR_CONST;
	levers_settle(policy, action);
	if (action->has_offer)
		offer_settle(&action->offer);
	settle_models(policy, action);
	settle_treatments(policy, action);
}

/* n: a type of event, or EV_COUNT for the timer. */
static bool
names(const struct action *action, int n)
{
	return n == EV_COUNT ? action->on_timer : (action->on & UINT32_C(1) << n) != 0;
}

static void
settle_names(struct policy *policy)
{
	for (int n = 0; n <= EV_COUNT; n++) {
		size_t count = 0;

		for (size_t i = 0; i < policy->action_count; i++)
			count += names(&policy->actions[i], n);
		policy->named[n].actions =
		    arena_alloc(policy->memory, (count + 1) * sizeof(*policy->named[n].actions));
		for (size_t i = 0; i < policy->action_count; i++)
			if (names(&policy->actions[i], n))
				policy->named[n].actions[policy->named[n].count++] = (uint16_t)i;
	}
}

static int
text_order(const char *a, const char *b)
{
	return a == NULL || b == NULL ? (a != NULL) - (b != NULL) : strcmp(a, b);
}

static int
match_order(const struct match *a, const struct match *b)
{
	int order = 0;

	for (; order == 0 && a != NULL && b != NULL; a = a->next, b = b->next) {
		order = (int)a->set - (int)b->set;
		order = order != 0 ? order : text_order(a->category, b->category);
		order = order != 0 ? order : text_order(a->brand, b->brand);
		order = order != 0 ? order : text_order(a->item, b->item);
	}
	return order != 0 ? order : (a != NULL) - (b != NULL);
}

static int
goods_order(const void *a, const void *b)
{
	const struct offer *x = *(struct offer *const *)a, *y = *(struct offer *const *)b;
	int order = match_order(&x->include, &y->include);

	return order != 0 ? order : match_order(&x->exclude, &y->exclude);
}

/* What lies in a basket for an offer is looked for once for all that are about the same goods. */
static void
settle_matches(struct policy *policy)
{
	struct offer **offers = mem_calloc(policy->action_count + 1, sizeof(struct offer *));
	size_t count = 0;

	for (size_t i = 0; i < policy->action_count; i++)
		if (policy->actions[i].has_offer)
			offers[count++] = &policy->actions[i].offer;
	qsort(offers, count, sizeof(struct offer *), goods_order);
	for (size_t i = 0; i < count; i++) {
		policy->match_count += i == 0 || goods_order(&offers[i - 1], &offers[i]) != 0;
		offers[i]->match = (uint32_t)policy->match_count - 1;
	}
	free(offers);
}

void
policy_settle(struct policy *policy)
{
	settle_names(policy);
	settle_matches(policy);
	for (size_t i = 0; i < policy->action_count; i++)
		settle_action(policy, &policy->actions[i]);
	columns_settle(policy);
}

static struct model_context *
context_of(const struct policy *policy, const struct policy_model *model)
{
	bool *varies = mem_calloc(model->input_count + 1, sizeof(*varies));
	struct model_context *context;

	for (size_t i = 0; i < model->input_count; i++)
		varies[i] = policy->features[model->inputs[i]].per_action;
	context = model_context_new(model->model, varies);
	free(varies);
	return context;
}

void
policy_contexts(struct policy *policy)
{
	for (size_t i = 0; i < policy->model_count; i++)
		if (policy->models[i].per_action)
			policy->models[i].context = context_of(policy, &policy->models[i]);
}
