/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_models.c - models/models.json: which models there are and what they read.
 */
#include "policy/policy_internal.h"

#include <string.h>

#include "score/model.h"

/* clang-format off */
static const struct member model_members[] = {
    {"model", T_STRING | T_REQUIRED},
    {"file", T_STRING | T_REQUIRED},
    {"trees", T_STRING},
    {"inputs", T_OBJECT},
    {"calibration", T_OBJECT},
    {"exam", T_STRING},
    {"exam_tolerance", T_NUMBER},
    {"target", T_STRING},
    {"window_days", T_NUMBER},
    {"population", T_STRING},
};
/* clang-format on */

#define ISOTONIC_MAX 4096

/* A plain name: parts are found by it, and a bundle must not name files elsewhere. */
static bool
file_valid(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && strlen(name) <= 128 &&
	    strchr(name, '/') == NULL;
}

static const char *
read_file_name(struct compile *c, const struct at *at, const char *key)
{
	struct at here = at_member(at, key);
	const char *name = json_string_value(here.json);

	if (name == NULL || file_valid(name))
		return name;
	mistake(c, &here, "\"%.64s\" is not a file name, expected one of a file in models/", name);
	return NULL;
}

/* A model of a folder may be imported already. */
static int
read_model(struct compile *c, const struct at *at, const struct policy_part *part,
    struct policy_model *model, struct err *err)
{
	static const char *const names[] = { "all", "best" };
	static const enum model_trees meant[] = { MODEL_TREES_ALL, MODEL_TREES_BEST };
	struct at said = at_member(at, "trees");
	int trees = read_choice(c, at, "trees", names, ARRAY_LEN(names));

	if (c->parts->built)
		return model_load(part->bytes, part->len, part->name, &model->model, err);
	if (!model_is_flat(part->bytes, part->len))
		return model_import_trees(part->bytes, part->len, part->name,
		    trees >= 0 ? meant[trees] : MODEL_TREES_UNSAID, &model->model, err);
	if (said.json != NULL)
		mistake(c, &said, "the file is imported already, expected no \"trees\" for it");
	return model_load(part->bytes, part->len, part->name, &model->model, err);
}

static void
load(struct compile *c, const struct at *at, struct policy_model *model)
{
	struct at here = at_member(at, "file");
	const char *file = read_file_name(c, at, "file");
	const struct policy_part *part;
	struct err err = { 0 };
	int status;

	if (file == NULL)
		return;
	part = part_find(c->parts, arena_printf(c->scratch, "models/%s", file));
	if (part == NULL)
		part =
		    part_find(c->parts, arena_printf(c->scratch, "models/%s.model", model->name));
	if (part == NULL) {
		mistake(c, &here, "there is no file models/%.128s, expected the model", file);
		return;
	}
	status = read_model(c, at, part, model, &err);
	if (status != 0) {
		mistake(c, &here, "models/%.64s%s%.0d: %s", file, err.line > 0 ? ", line " : "",
		    err.line, err.text);
		model->model = NULL;
		return;
	}
	if (model_class_count(model->model) != 1)
		mistake(c, &here, "model has %zu classes, expected a single score",
		    model_class_count(model->model));
}

/* [a, b] of p = 1/(1+exp(-(a*margin+b))). */
static bool
read_platt(struct compile *c, const struct at *at, struct calibration *calibration)
{
	json_t *a = json_array_get(at->json, 0), *b = json_array_get(at->json, 1);

	if (json_array_size(at->json) != 2 || !json_is_number(a) || !json_is_number(b)) {
		mistake(c, at,
		    "not a platt calibration, expected [a, b] of p = 1/(1+exp(-(a*margin+b)))");
		return false;
	}
	calibration->kind = CALIBRATION_PLATT;
	calibration->a = json_number_value(a);
	calibration->b = json_number_value(b);
	return true;
}

static bool
is_point(const json_t *point, const double *margins, const double *ps, size_t i)
{
	return json_array_size(point) == 2 && json_is_number(json_array_get(point, 0)) &&
	    json_is_number(json_array_get(point, 1)) && ps[i] >= 0 && ps[i] <= 1 &&
	    (i == 0 || (margins[i] > margins[i - 1] && ps[i] >= ps[i - 1]));
}

/* [[margin, p], ...] */
static bool
read_isotonic(struct compile *c, const struct at *at, struct calibration *calibration)
{
	size_t count = json_array_size(at->json);
	double *margins, *ps;

	if (count < 1 || count > ISOTONIC_MAX) {
		mistake(c, at, "%zu points, expected 1 to %d of [margin, p]", count, ISOTONIC_MAX);
		return false;
	}
	margins = arena_alloc(c->arena, count * sizeof(*margins));
	ps = arena_alloc(c->arena, count * sizeof(*ps));
	for (size_t i = 0; i < count; i++) {
		struct at here = at_index(at, i);

		margins[i] = json_number_value(json_array_get(here.json, 0));
		ps[i] = json_number_value(json_array_get(here.json, 1));
		if (!is_point(here.json, margins, ps, i)) {
			mistake(c, &here,
			    "not an isotonic point, expected [margin, p], margins rising, p from 0 "
			    "to 1 "
			    "and never falling");
			return false;
		}
	}
	calibration->kind = CALIBRATION_ISOTONIC;
	calibration->margins = margins;
	calibration->ps = ps;
	calibration->count = count;
	return true;
}

static void
calibrate(struct compile *c, const struct at *at, struct policy_model *model)
{
	static const struct member members[] = { { "platt", T_ARRAY }, { "isotonic", T_ARRAY } };
	struct at platt = at_member(at, "platt"), isotonic = at_member(at, "isotonic");
	struct calibration calibration = { 0 };

	if (!json_is_object(at->json) || !READ_MEMBERS(c, at, members))
		return;
	if ((platt.json == NULL) == (isotonic.json == NULL)) {
		mistake(c, at,
		    "calibration is none or both, expected either \"platt\" or \"isotonic\"");
		return;
	}
	if (platt.json != NULL ? !read_platt(c, &platt, &calibration)
			       : !read_isotonic(c, &isotonic, &calibration))
		return;
	if (model->model != NULL && model_set_calibration(model->model, &calibration) != 0)
		mistake(c, at,
		    "calibration does not fit the model, expected finite, rising numbers");
	model->calibration = arena_alloc(c->arena, sizeof(calibration));
	*model->calibration = calibration;
}

static void
read_one(struct compile *c, const struct at *at, unsigned index)
{
	struct policy_model *model = &c->policy->models[index];
	struct at name = at_member(at, "model"), calibration = at_member(at, "calibration");
	struct at exam = at_member(at, "exam"), inputs = at_member(at, "inputs");
	int notes = (at_member(at, "target").json != NULL) +
	    (at_member(at, "window_days").json != NULL) +
	    (at_member(at, "population").json != NULL);
	const char *file, *key;
	json_t *value;

	model->name = "";
	if (!READ_MEMBERS(c, at, model_members))
		return;
	if (read_id(c, at, "model") != NULL) {
		model->name = read_string(c, at, "model");
		if (!file_valid(model->name))
			mistake(c, &name,
			    "\"%s\" is not a model name, expected one that can name a file",
			    model->name);
		else if (!name_map_add(&c->models, model->name, index))
			mistake(c, &name, "model \"%s\" is there twice, expected it once",
			    model->name);
	}
	load(c, at, model);
	calibrate(c, &calibration, model);
	read_number(c, at, "exam_tolerance", 0, 1, 0);
	read_number(c, at, "window_days", 0, 3660, 0);
	json_object_foreach(inputs.json, key, value) {
		struct at here = at_member(&inputs, key);

		if (!json_is_string(value))
			mistake(c, &here,
			    "input \"%.64s\" has the wrong type, expected the name of a feature",
			    key);
	}
	file = read_file_name(c, at, "exam");
	if (file != NULL &&
	    part_find(c->parts, arena_printf(c->scratch, "models/%s", file)) == NULL)
		mistake(c, &exam, "there is no file models/%.128s, expected the exam's rows", file);
	if (exam.json == NULL)
		warning(c, at, "model \"%.64s\" has no exam, expected rows with their margin",
		    model->name);
	if (notes != 0 && notes != 3)
		warning(c, at,
		    "model \"%.64s\" says in part what it predicts, expected target, window_days "
		    "and population",
		    model->name);
}

/* ---- inputs ---- */

static void
check_type(struct compile *c, const struct at *at, const struct policy_model *model, size_t i,
    const struct feature *feature)
{
	bool text = feature->type == VALUE_STRING;

	if (text != model_input_is_string(model->model, i))
		mistake(c, at, "feature \"%.64s\" is %s, expected %s for input \"%.64s\"",
		    feature->name, text ? "a string" : "a number", text ? "a number" : "a string",
		    model_input(model->model, i));
}

static void
resolve_inputs(struct compile *c, const struct at *at, struct policy_model *model)
{
	struct at map = at_member(at, "inputs");
	size_t count = model_input_count(model->model);
	struct name_map names = { 0 };
	const char *key;
	json_t *value;

	model->input_count = count;
	model->inputs = arena_alloc(c->arena, (count + 1) * sizeof(*model->inputs));
	for (size_t i = 0; i < count; i++) {
		const char *name = model_input(model->model, i);
		struct at here = at_member(&map, name);
		const char *target =
		    json_is_string(here.json) ? json_string_value(here.json) : name;
		const struct at *place = here.json != NULL ? &here : at;
		int slot = name_map_get(&c->features, target);

		name_map_add(&names, name, (unsigned)i);
		if (slot < 0) {
			mistake(c, place,
			    "model input \"%.64s\" finds no feature \"%.64s\", expected one of "
			    "features.json, named in \"inputs\"",
			    name, target);
			continue;
		}
		if (c->policy->features[slot].compliance)
			mistake(c, place,
			    "input \"%.64s\" is for compliance, expected none of it in a "
			    "model",
			    c->policy->features[slot].name);
		model->inputs[i] = (uint16_t)slot;
		check_type(c, place, model, i, &c->policy->features[slot]);
	}
	json_object_foreach(map.json, key, value) {
		struct at here = at_member(&map, key);

		if (name_map_get(&names, key) < 0)
			mistake(c, &here,
			    "the model has no input \"%.64s\", expected only inputs that it reads",
			    key);
	}
	name_map_done(&names);
}

static void
resolve_features(struct compile *c, const struct at *features)
{
	struct at list = at_member(features, "features");
	struct policy *policy = c->policy;

	for (size_t i = 0; i < policy->feature_count; i++) {
		struct feature *feature = &policy->features[i];
		struct at here = at_index(&list, i);
		struct at from = at_member(&here, "from");
		int model;

		if (feature->source != FEATURE_MODEL)
			continue;
		model = feature->field_name != NULL ? name_map_get(&c->models, feature->field_name)
						    : -1;
		if (model >= 0)
			feature->model = (unsigned)model;
		else {
			mistake(c, &from, "no model \"%.64s\", expected one of models/models.json",
			    feature->field_name);
			feature->source = FEATURE_VISIT;
		}
	}
}

/* ---- models that read models ---- */

enum colour { WHITE, GREY, BLACK };

/* Depth is at most POLICY_MODELS_MAX: a grey model is not entered again. false: a cycle. */
static bool
walk(struct policy *policy, uint8_t *colour, unsigned index)
{
	struct policy_model *model = &policy->models[index];

	if (colour[index] != WHITE)
		return colour[index] == BLACK;
	colour[index] = GREY;
	for (size_t i = 0; model->inputs != NULL && i < model->input_count; i++) {
		struct feature *feature = &policy->features[model->inputs[i]];

		if (feature->source == FEATURE_MODEL) {
			if (!walk(policy, colour, feature->model))
				return false;
			feature->per_action = policy->models[feature->model].per_action;
			feature->personal = policy->models[feature->model].personal;
		}
		model->per_action |= feature->per_action;
		model->personal |= feature->personal;
		if (feature->source == FEATURE_MODEL)
			model->reads |= policy->models[feature->model].reads;
	}
	if (model->per_action)
		model->reads |= UINT64_C(1) << index;
	colour[index] = BLACK;
	return true;
}

static void
order_models(struct compile *c, const struct at *list)
{
	struct policy *policy = c->policy;
	uint8_t colour[POLICY_MODELS_MAX] = { 0 };

	for (size_t i = 0; i < policy->model_count; i++) {
		struct at here = at_index(list, i);

		if (!walk(policy, colour, (unsigned)i)) {
			mistake(c, &here,
			    "model \"%.64s\" reads its own score, expected no cycle of models",
			    policy->models[i].name);
			return;
		}
	}
	for (size_t i = 0; i < policy->feature_count; i++) {
		struct feature *feature = &policy->features[i];

		if (feature->source != FEATURE_MODEL)
			continue;
		feature->per_action = policy->models[feature->model].per_action;
		feature->personal = policy->models[feature->model].personal;
	}
}

void
models_read(struct compile *c, const struct at *at)
{
	static const struct member members[] = { { "models", T_ARRAY | T_REQUIRED } };
	struct at list = at_member(at, "models");
	struct policy *policy = c->policy;
	size_t count = json_array_size(list.json);

	if (at->json == NULL || !READ_MEMBERS(c, at, members))
		return;
	if (count > POLICY_MODELS_MAX) {
		mistake(c, &list, "%zu models, expected at most %d", count, POLICY_MODELS_MAX);
		count = POLICY_MODELS_MAX;
	}
	policy->models = arena_alloc(c->arena, (count + 1) * sizeof(*policy->models));
	policy->model_count = count;
	for (size_t i = 0; i < count; i++) {
		struct at here = at_index(&list, i);

		read_one(c, &here, (unsigned)i);
	}
}

void
models_finish(struct compile *c, const struct at *at)
{
	struct at features =
	    at_root("features.json", json_object_get(c->policy->source, "features"));
	struct at list = at_member(at, "models");

	resolve_features(c, &features);
	for (size_t i = 0; i < c->policy->model_count; i++) {
		struct at here = at_index(&list, i);

		if (c->policy->models[i].model != NULL)
			resolve_inputs(c, &here, &c->policy->models[i]);
	}
	order_models(c, &list);
}
