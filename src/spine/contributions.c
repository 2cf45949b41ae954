/* SPDX-License-Identifier: Apache-2.0
 *
 * contributions.c - what each input did to the scores of a decision on record.
 *
 * DESIGN
 *   Computed again from the values on record when somebody asks: kept with each decision
 *   they would be most of it. So they are by the models in force now, which may be others
 *   ("same" says), and of what hangs on the candidate only depth, worth, margin, group and
 *   issue are known; "exact" says whether the chance on record comes out to the last bit.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/json_write.h"
#include "decide/decide.h"
#include "policy/policy_load.h"
#include "learn/learner.h"
#include "learn/shrink.h"
#include "score/model.h"

#define ARMS_MAX 32

struct asking {
	const struct policy *policy;
	json_t *features; /* of the record; so are all texts */
	const json_t *candidate;
	const struct action *action;
};

/* ---- the row as it was ---- */

static struct value
recorded(const json_t *json, enum value_tag type)
{
	if (type == VALUE_NUMBER && json_is_number(json))
		return value_number(json_number_value(json));
	if (type == VALUE_STRING && json_is_string(json))
		return value_string(json_string_value(json));
	if (type == VALUE_BOOL && json_is_boolean(json))
		return value_bool(json_is_true(json));
	return value_missing();
}

/* 0: not on record, as a depth of nothing. */
static double
factor(const struct asking *ask, const char *name)
{
	return json_number_value(json_object_get(ask->candidate, name));
}

/* The record has our share of the saving: the saving is a whole number. */
static struct value
worth(const struct asking *ask)
{
	double share = 1.0 - ask->action->offer.funded, cost = factor(ask, "cost");

	return share > 0 ? value_number((double)(int64_t)(cost / share + 0.5)) : value_missing();
}

static struct value
of_candidate(const struct asking *ask, enum action_field field)
{
	switch (field) {
	case ACTION_DEPTH:
		return ask->action->has_offer ? value_number(factor(ask, "depth"))
					      : value_missing();
	case ACTION_WORTH: return ask->action->has_offer ? worth(ask) : value_missing();
	case ACTION_MARGIN: return value_number(factor(ask, "margin"));
	case ACTION_LINE_MARGIN:
		return json_object_get(ask->candidate, "line_margin") != NULL
		    ? value_number(factor(ask, "line_margin"))
		    : value_missing();
	case ACTION_GROUP: return value_string(ask->action->group);
	case ACTION_ISSUE: return value_string(ask->action->issue);
	case ACTION_ITEM: {
		const char *item = json_string_value(json_object_get(ask->candidate, "item"));

		return item != NULL ? value_string(item) : value_missing();
	}
	case ACTION_CHANCE:
		return json_object_get(ask->candidate, "chance") != NULL
		    ? value_number(factor(ask, "chance"))
		    : value_missing();
	}
	return value_missing();
}

static struct value *row_of(const struct asking *ask, const struct policy_model *model);

/* No model reads its own score by any way, so this ends. */
static struct value
score_of(const struct asking *ask, const struct policy_model *model)
{
	struct value *row = row_of(ask, model);
	double score = model_score(model->model, row);

	free(row);
	return score - score == 0 ? value_number(score) : value_missing();
}

static struct value
value_of(const struct asking *ask, const struct feature *feature)
{
	json_t *json = json_object_get(ask->features, feature->name);
	struct value value = value_missing();

	if (json != NULL)
		return recorded(json, feature->type);
	if (feature->source == FEATURE_ACTION)
		value = of_candidate(ask, (enum action_field)feature->field);
	else if (feature->source == FEATURE_MODEL)
		value = score_of(ask, &ask->policy->models[feature->model]);
	return value.tag == feature->type ? value : feature->dflt;
}

static struct value *
row_of(const struct asking *ask, const struct policy_model *model)
{
	struct value *row = mem_calloc(model->input_count + 1, sizeof(*row));

	for (size_t i = 0; i < model->input_count; i++)
		row[i] = value_of(ask, &ask->policy->features[model->inputs[i]]);
	return row;
}

/* ---- as JSON ---- */

static void
add_value(const struct value *value, struct json_writer *w)
{
	if (value->tag == VALUE_NUMBER)
		json_add_double(w, "value", value->number);
	else if (value->tag == VALUE_STRING)
		json_add_str(w, "value", value->str);
	else if (value->tag == VALUE_BOOL)
		json_add_bool(w, "value", value->truth);
	else
		json_add_null(w, "value");
}

static void
add_units(const char *member, int64_t units, struct json_writer *w)
{
	json_add_double(w, member, (double)units / MODEL_UNITS);
}

struct part {
	int64_t units;
	size_t input;
};

/* The largest first, whichever way it moved; of equal ones in the model's order. */
static int
by_size(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	uint64_t size_x = x->units < 0 ? 0 - (uint64_t)x->units : (uint64_t)x->units;
	uint64_t size_y = y->units < 0 ? 0 - (uint64_t)y->units : (uint64_t)y->units;

	if (size_x != size_y)
		return size_x > size_y ? -1 : 1;
	return (x->input > y->input) - (x->input < y->input);
}

static void
add_parts(const struct asking *ask, const struct policy_model *model, const struct value *row,
    const int64_t *units, struct json_writer *w)
{
	struct part *parts = mem_calloc(model->input_count + 1, sizeof(*parts));
	size_t count = 0;

	for (size_t i = 0; i < model->input_count; i++)
		if (units[i] != 0)
			parts[count++] = (struct part){ units[i], i };
	qsort(parts, count, sizeof(*parts), by_size);
	json_add_list(w, "parts");
	for (size_t i = 0; i < count; i++) {
		size_t input = parts[i].input;

		json_add_object(w, NULL);
		json_add_str(w, "input", model_input(model->model, input));
		json_add_str(w, "feature", ask->policy->features[model->inputs[input]].name);
		add_value(&row[input], w);
		add_units("part", parts[i].units, w);
		json_end(w);
	}
	json_end(w);
	free(parts);
}

/* Cut to 0..1, as for the decision. */
static double
chance_of(const struct policy_model *model, const struct value *row)
{
	double p = model_score(model->model, row);

	return p < 0 ? 0 : p > 1 ? 1 : p;
}

static double
chance_without(const struct asking *ask, double p1)
{
	const struct action *action = ask->action;
	const struct policy_model *control = &ask->policy->models[action->uplift_control];
	struct value *row;
	double p0;

	if (!action->has_uplift)
		return (1.0 - action->incremental) * p1;
	row = row_of(ask, control);
	p0 = chance_of(control, row);
	free(row);
	return p0;
}

/* The store's ratio of it, Q16; 0: none was in force. */
static int32_t
learned_of(const struct asking *ask)
{
	int64_t ratio;

	return json_int(json_array_get(json_object_get(ask->candidate, "learned"), 0), &ratio) &&
		ratio > 0 && ratio <= 4 * Q16_ONE
	    ? (int32_t)ratio
	    : 0;
}

/* Does the chance on record come out? */
static bool
is_exact(const struct asking *ask, const struct policy_model *model, const struct value *row)
{
	double p1 = chance_of(model, row), p0;

	if (ask->action->has_shrink) {
		p0 = chance_without(ask, p1);
		shrink_apply(&ask->action->shrink, p1, p0, &p1, &p0);
	}
	if (learned_of(ask) != 0)
		p1 = learner_chance(p1, learned_of(ask));
	return p1 == factor(ask, "p1");
}

static void
add_model(const struct asking *ask, const struct policy_model *model, struct json_writer *w)
{
	struct value *row = row_of(ask, model);
	int64_t *units = mem_calloc(model->input_count + 1, sizeof(*units)), base, margin;

	if (model_explain(model->model, row, 0, units, &base) == 0) {
		margin = base;
		for (size_t i = 0; i < model->input_count; i++)
			margin += units[i];
		json_add_object(w, NULL);
		json_add_str(w, "action", ask->action->id);
		json_add_str(w, "model", model->name);
		json_add_bool(w, "exact", is_exact(ask, model, row));
		add_units("margin", margin, w);
		add_units("base", base, w);
		add_parts(ask, model, row, units, w);
		json_end(w);
	}
	free(units);
	free(row);
}

/* ---- which ---- */

static const json_t *
scored_candidate(const json_t *record, const char *action)
{
	const json_t *list = json_object_get(record, "candidates"), *candidate;
	size_t i;

	json_array_foreach(list, i, candidate) {
		const char *id = json_string_value(json_object_get(candidate, "action"));

		if (id != NULL && strcmp(id, action) == 0)
			return json_object_get(candidate, "p1") != NULL ? candidate : NULL;
	}
	return NULL;
}

static void
add_slot(struct asking *ask, const json_t *record, const json_t *slot, struct json_writer *w)
{
	const char *action = json_string_value(json_object_get(slot, "action"));
	int model;

	if (action == NULL || (ask->action = policy_action(ask->policy, action)) == NULL ||
	    (ask->candidate = scored_candidate(record, action)) == NULL)
		return;
	model = action_model(ask->action);
	if (model >= 0)
		add_model(ask, &ask->policy->models[model], w);
}

static bool
is_same(const struct policy *policy, const json_t *recorded_policy)
{
	const char *name = json_string_value(json_object_get(recorded_policy, "name"));
	const char *hash = json_string_value(json_object_get(recorded_policy, "hash"));
	int64_t version = 0;

	return json_int(json_object_get(recorded_policy, "version"), &version) &&
	    version == policy->version && name != NULL && strcmp(name, policy->name) == 0 &&
	    hash != NULL && strcmp(hash, policy->hash) == 0;
}

/* Its arms may have had other models, or other chances, than the policy as it is. */
static const struct policy *
policy_of(struct engine *engine, const json_t *record)
{
	json_t *arms = json_object_get(record, "arms"), *arm;
	struct arm_choice list[ARMS_MAX];
	size_t count = 0;
	const char *experiment;

	json_object_foreach(arms, experiment, arm)
		if (json_is_string(arm) && count < ARMS_MAX)
			list[count++] = (struct arm_choice){ experiment, json_string_value(arm) };
	return engine_policy_for(engine, list, count);
}

void
contributions_json(struct engine *engine, const char *text, size_t len, struct json_writer *w)
{
	struct err err = { 0 };
	json_t *record = json_read(text, len, "record", &err), *slot;
	struct asking ask = { .features = json_object_get(record, "features") };
	struct buf models = { 0 };
	struct json_writer *list = JSON_WRITER(&models);
	bool same = false;
	size_t i;

	if (engine->policy != NULL && ask.features != NULL) {
		same = is_same(engine->policy, json_object_get(record, "policy"));
		ask.policy = same ? policy_of(engine, record) : engine->policy;
		json_add_list(list, NULL);
		json_array_foreach(json_object_get(record, "slots"), i, slot)
			add_slot(&ask, record, slot, list);
		json_end(list);
	}
	if (models.len > strlen("[]")) {
		json_add_object(w, "contributions");
		json_add_object(w, "policy");
		json_add_str(w, "name", ask.policy->name);
		json_add_int(w, "version", ask.policy->version);
		json_end(w);
		json_add_bool(w, "same", same);
		json_add_raw(w, "models", models.data, models.len);
		json_end(w);
	}
	buf_done(&models);
	json_decref(record);
}
