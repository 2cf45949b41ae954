/* SPDX-License-Identifier: Apache-2.0
 *
 * model_xgboost.c - reads XGBoost's JSON: gbtree, dart, gblinear; versions 1 to 3.
 *
 * DESIGN
 *   Keys come in any order and new ones appear with each version: what is not
 *   known is skipped, what would change the meaning (an objective, vector leaves,
 *   dictionaries of category names) is refused by name.
 *
 *   base_score is a mean, before the link: the sum starts at the link of it. It is
 *   worked out in double and rounded once; XGBoost's own logf is in rare cases one
 *   unit in the last place off that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fmath.h"
#include "score/model_xgboost.h"

enum base_link { BASE_IDENTITY, BASE_LOGIT, BASE_LOG };

static const struct {
	const char *name;
	enum model_link_kind link;
	enum base_link base;
} objectives[] = {
	{ "reg:squarederror", LINK_IDENTITY, BASE_IDENTITY },
	{ "reg:linear", LINK_IDENTITY, BASE_IDENTITY },
	{ "reg:squaredlogerror", LINK_IDENTITY, BASE_IDENTITY },
	{ "reg:pseudohubererror", LINK_IDENTITY, BASE_IDENTITY },
	{ "reg:absoluteerror", LINK_IDENTITY, BASE_IDENTITY },
	{ "reg:quantileerror", LINK_IDENTITY, BASE_IDENTITY },
	{ "reg:logistic", LINK_LOGISTIC, BASE_LOGIT },
	{ "binary:logistic", LINK_LOGISTIC, BASE_LOGIT },
	{ "binary:logitraw", LINK_IDENTITY, BASE_IDENTITY },
	{ "binary:hinge", LINK_SIGN, BASE_IDENTITY },
	{ "count:poisson", LINK_EXP, BASE_LOG },
	{ "reg:gamma", LINK_EXP, BASE_LOG },
	{ "reg:tweedie", LINK_EXP, BASE_LOG },
	{ "survival:cox", LINK_EXP, BASE_LOG },
	{ "survival:aft", LINK_EXP, BASE_LOG },
	{ "multi:softprob", LINK_SOFTMAX, BASE_IDENTITY },
	{ "multi:softmax", LINK_ARGMAX, BASE_IDENTITY },
	{ "rank:pairwise", LINK_IDENTITY, BASE_IDENTITY },
	{ "rank:ndcg", LINK_IDENTITY, BASE_IDENTITY },
	{ "rank:map", LINK_IDENTITY, BASE_IDENTITY },
};

/* ---- the file ---- */

static void
read_tree_param(struct xgb *x)
{
	struct jsonr *r = &x->r;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		if (!jsonr_is(r, "size_leaf_vector"))
			jsonr_skip(r);
		else if (jsonr_string(r) && atoi(r->word.data) > 1)
			jsonr_fail(r,
			    "vector leaves (multi_strategy multi_output_tree) are not supported");
	}
}

static void
read_tree(struct xgb *x)
{
	struct jsonr *r = &x->r;
	const struct {
		const char *name;
		struct numbers *to;
	} arrays[] = {
		{ "left_children", &x->left },
		{ "right_children", &x->right },
		{ "split_indices", &x->index },
		{ "split_conditions", &x->condition },
		{ "default_left", &x->default_left },
		{ "split_type", &x->split_type },
		{ "categories", &x->category },
		{ "categories_nodes", &x->category_node },
		{ "categories_segments", &x->category_first },
		{ "categories_sizes", &x->category_size },
	};
	for (size_t i = 0; i < ARRAY_LEN(arrays); i++)
		arrays[i].to->count = 0;

	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		size_t i = 0;
		while (i < ARRAY_LEN(arrays) && !jsonr_is(r, arrays[i].name))
			i++;
		if (i < ARRAY_LEN(arrays)) {
			/* Only thresholds are float32; an index above 2^24 would not survive it. */
			jsonr_numbers(
			    r, arrays[i].to == &x->condition, MODEL_NODES_MAX, arrays[i].to);
		} else if (jsonr_is(r, "tree_param")) {
			read_tree_param(x);
		} else {
			jsonr_skip(r);
		}
	}
	if (!r->failed && xgboost_build_tree(x) < 0)
		r->failed = true;
}

static void
read_text(struct xgb *x, char *out, size_t size)
{
	if (!jsonr_string(&x->r))
		return;
	if (x->r.word.len >= size)
		jsonr_fail(&x->r, "text too long");
	else
		memcpy(out, x->r.word.data, x->r.word.len + 1);
}

/* Parameters are texts, even numbers. */
static double
read_param(struct xgb *x)
{
	char text[TEXT_MAX] = "";
	read_text(x, text, sizeof(text));
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end != '\0' || !(value >= 0 && value <= 1e9) ||
	    value != (double)(int64_t)value)
		jsonr_fail(&x->r, "expected a count as text");
	return x->r.failed ? 0 : value;
}

/* Names of categories that a data frame gave: {"enc":[{"values":[…]}…]}. An empty one is no
 * dictionary. */
static void
read_dictionaries(struct xgb *x)
{
	struct jsonr *r = &x->r;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		if (!jsonr_is(r, "enc")) {
			jsonr_skip(r);
			continue;
		}
		jsonr_enter(r, '[');
		while (jsonr_item(r)) {
			jsonr_enter(r, '{');
			while (jsonr_key(r)) {
				bool values = jsonr_is(r, "values");
				const char *before = r->at;
				jsonr_skip(r);
				if (values &&
				    memchr(before, '[', (size_t)(r->at - before)) != NULL &&
				    r->at - before - (ptrdiff_t)strspn(before, " \t\r\n[]") > 0)
					x->has_dictionary = true;
			}
		}
	}
}

static void
read_model(struct xgb *x)
{
	struct jsonr *r = &x->r;
	x->has_model = true;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		if (jsonr_is(r, "trees")) {
			jsonr_enter(r, '[');
			while (jsonr_item(r))
				read_tree(x);
		} else if (jsonr_is(r, "tree_info")) {
			jsonr_numbers(r, false, MODEL_TREES_MAX, &x->tree_info);
		} else if (jsonr_is(r, "weight_drop")) {
			jsonr_numbers(r, true, MODEL_TREES_MAX, &x->weight_drop);
		} else if (jsonr_is(r, "weights")) {
			jsonr_numbers(r, true, MODEL_TERMS_MAX, &x->weights);
		} else if (jsonr_is(r, "cats")) {
			read_dictionaries(x);
		} else {
			jsonr_skip(r);
		}
	}
}

/* {"name","model"} or, for dart, {"name","gbtree":{"name","model"},"weight_drop"}. */
static void
read_booster(struct xgb *x, bool inner)
{
	struct jsonr *r = &x->r;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		if (jsonr_is(r, "model")) {
			read_model(x);
		} else if (jsonr_is(r, "gbtree") && !inner) {
			read_booster(x, true);
		} else if (jsonr_is(r, "weight_drop")) {
			jsonr_numbers(r, true, MODEL_TREES_MAX, &x->weight_drop);
		} else if (jsonr_is(r, "name") && !inner) {
			read_text(x, x->booster, sizeof(x->booster));
		} else {
			jsonr_skip(r);
		}
	}
}

static void
read_params(struct xgb *x)
{
	struct jsonr *r = &x->r;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		if (jsonr_is(r, "num_class"))
			x->num_class = read_param(x);
		else if (jsonr_is(r, "num_target"))
			x->num_target = read_param(x);
		else if (jsonr_is(r, "num_feature"))
			x->num_feature = read_param(x);
		else if (jsonr_is(r, "base_score"))
			read_text(x, x->base_score, sizeof(x->base_score));
		else
			jsonr_skip(r);
	}
	if (!r->failed && !(x->num_feature >= 0 && x->num_feature <= MODEL_INPUTS_MAX))
		jsonr_fail(r, "too many features, expected at most 65535");
}

static void
read_objective(struct xgb *x)
{
	struct jsonr *r = &x->r;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		if (jsonr_is(r, "name"))
			read_text(x, x->objective, sizeof(x->objective));
		else
			jsonr_skip(r);
	}
}

static void
read_names(struct xgb *x)
{
	jsonr_enter(&x->r, '[');
	while (jsonr_item(&x->r))
		if (jsonr_string(&x->r) && builder_add_input(&x->b, x->r.word.data) < 0)
			x->r.failed = true;
}

/* The parts of the learner in two passes: trees need to know the features first. */
static void
read_learner(struct xgb *x, bool trees)
{
	struct jsonr *r = &x->r;
	x->has_learner = true;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		if (trees && jsonr_is(r, "gradient_booster"))
			read_booster(x, false);
		else if (!trees && jsonr_is(r, "learner_model_param"))
			read_params(x);
		else if (!trees && jsonr_is(r, "objective"))
			read_objective(x);
		else if (!trees && jsonr_is(r, "feature_names"))
			read_names(x);
		else
			jsonr_skip(r);
	}
}

static int
read_file(struct xgb *x, const char *text, size_t len, bool trees)
{
	struct jsonr *r = &x->r;
	jsonr_init(r, text, len, x->b.name, x->b.err);
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		if (jsonr_is(r, "learner"))
			read_learner(x, trees);
		else if (!trees && jsonr_is(r, "version"))
			jsonr_numbers(r, false, 3, &x->version);
		else
			jsonr_skip(r);
	}
	jsonr_end(r);
	jsonr_done(r);
	return r->failed ? AISLE_E_INVALID : 0;
}

/* ---- putting it together ---- */

static int
base_margin(const struct xgb *x, double score, enum base_link link, double *ret)
{
	float mean = (float)score;
	if (link == BASE_IDENTITY) {
		*ret = (double)mean;
		return mean - mean == 0 ? 0 : AISLE_E_INVALID;
	}
	if (!(mean > 0) || (link == BASE_LOGIT && !(mean < 1)) || mean - mean != 0)
		return builder_refuse(
		    &x->b, "base_score %s is outside of the objective's range", x->base_score);
	double log = fmath_log(link == BASE_LOG ? (double)mean : (double)(1.0f / mean - 1.0f));
	*ret = (double)(float)(link == BASE_LOG ? log : -log);
	return 0;
}

/* "5E-1", since 3.1 "[5E-1]" or one for each output. */
static int
read_base_score(struct xgb *x, enum base_link link)
{
	struct model *model = x->b.model;
	const char *at = x->base_score;
	uint32_t count = 0;
	bool list = *at == '[';
	if (*at == '\0')
		at = "0.5";
	for (at += list; *at != '\0' && *at != ']'; at += *at == ',') {
		char *end;
		double score = (double)strtof(at, &end), margin = 0;
		if (end == at || count == model->class_count)
			return builder_refuse(&x->b,
			    "base_score %s, expected a number or one for each class",
			    x->base_score);
		if (base_margin(x, score, link, &margin) < 0)
			return builder_refuse(
			    &x->b, "base_score %s is not a finite number", x->base_score);
		model->base[count++] = margin;
		at = end + strspn(end, " ");
		if (*at != ',' && *at != ']' && *at != '\0')
			return builder_refuse(&x->b,
			    "base_score %s, expected a number or one for each class",
			    x->base_score);
	}
	if (list != (*at == ']') || (count != 1 && count != model->class_count))
		return builder_refuse(
		    &x->b, "base_score %s, expected a number or one for each class", x->base_score);
	for (uint32_t i = 1; count == 1 && i < model->class_count; i++)
		model->base[i] = model->base[0];
	return 0;
}

/* Versions whose meaning is known. */
static int
check_version(const struct xgb *x)
{
	if (x->version.count != 3)
		return builder_refuse(&x->b, "no version, expected [1,0,0] or later");
	double major = x->version.at[0], minor = x->version.at[1];
	if (!(major >= 1 && major <= 3))
		return builder_refuse(&x->b, "version %g.%g, expected 1 to 3", major, minor);
	/* Older ones took its base_score as a mean, newer ones as a margin. */
	if (major < 2 && minor < 7 && strcmp(x->objective, "binary:logitraw") == 0)
		return builder_refuse(&x->b,
		    "objective \"binary:logitraw\" of version %g.%g, expected 1.7 or later", major,
		    minor);
	return 0;
}

static int
set_objective(struct xgb *x)
{
	struct builder *b = &x->b;
	size_t i = 0;
	while (i < ARRAY_LEN(objectives) && strcmp(objectives[i].name, x->objective) != 0)
		i++;
	if (i == ARRAY_LEN(objectives))
		return builder_refuse(b, "objective \"%s\" is not supported", x->objective);
	b->model->link = objectives[i].link;
	double classes = x->num_class > x->num_target ? x->num_class : x->num_target;
	if (x->num_class > 1 && x->num_target > 1)
		return builder_refuse(b, "several targets of several classes are not supported");
	if (classes > MODEL_CLASSES_MAX)
		return builder_refuse(b, "%g classes, expected at most %u", classes, MODEL_CLASSES_MAX);
	if (builder_set_classes(b, classes < 1 ? 1 : (uint32_t)classes) < 0)
		return AISLE_E_INVALID;
	return read_base_score(x, objectives[i].base);
}

static int
name_inputs(struct xgb *x)
{
	struct builder *b = &x->b;
	uint32_t count = (uint32_t)x->num_feature;
	if (b->model->input_count != 0 && b->model->input_count != count)
		return builder_refuse(
		    b, "%u feature names for %u features", b->model->input_count, count);
	for (uint32_t i = b->model->input_count; i < count; i++) {
		char name[16];
		snprintf(name, sizeof(name), "f%u", i);
		if (builder_add_input(b, name) < 0)
			return AISLE_E_INVALID;
	}
	return 0;
}

/* Class and, for dart, weight of each tree: known only when the whole file was read. */
static int
place_trees(struct xgb *x)
{
	struct builder *b = &x->b;
	struct model *model = b->model;
	if (x->tree_info.count != model->tree_count)
		return builder_refuse(
		    b, "tree_info names %zu trees of %u", x->tree_info.count, model->tree_count);
	if (x->weight_drop.count != 0 && x->weight_drop.count != model->tree_count)
		return builder_refuse(b, "weight_drop has %zu weights for %u trees",
		    x->weight_drop.count, model->tree_count);
	for (uint32_t t = 0; t < model->tree_count; t++) {
		struct tree *tree = &model->trees[t];
		if (!(x->tree_info.at[t] >= 0 && x->tree_info.at[t] < model->class_count))
			return builder_refuse(b, "tree %u: class outside of num_class", t);
		tree->group = (uint32_t)x->tree_info.at[t];
		for (uint32_t i = tree->root; i < tree->end && x->weight_drop.count > 0; i++) {
			struct node *node = &model->nodes[i];
			if (node->column == 0)
				node->value =
				    (double)((float)node->value * (float)x->weight_drop.at[t]);
		}
	}
	return 0;
}

/* gblinear: features by classes, then the bias of each class, which is added first. */
static int
place_weights(struct xgb *x)
{
	struct builder *b = &x->b;
	struct model *model = b->model;
	size_t classes = model->class_count, features = model->input_count;
	if (x->weights.count != (features + 1) * classes)
		return builder_refuse(
		    b, "%zu weights, expected %zu", x->weights.count, (features + 1) * classes);
	model->kind = KIND_XGBOOST_LINEAR;
	for (size_t i = 0; i < features * classes; i++) {
		struct term term = { .weight = x->weights.at[i], .level_number = __builtin_nan(""),
			.input = (uint32_t)(i / classes), .group = (uint32_t)(i % classes) };
		if (builder_add_term(b, &term) < 0)
			return AISLE_E_INVALID;
	}
	for (size_t k = 0; k < classes; k++)
		model->base[k] =
		    (double)((float)x->weights.at[features * classes + k] + (float)model->base[k]);
	return 0;
}

static int
import(struct xgb *x, const char *text, size_t len)
{
	struct builder *b = &x->b;
	if (read_file(x, text, len, false) < 0 || name_inputs(x) < 0 ||
	    read_file(x, text, len, true) < 0)
		return AISLE_E_INVALID;
	if (!x->has_learner || !x->has_model)
		return builder_refuse(
		    b, "no learner with a model, expected XGBoost's save_model as JSON");
	if (x->has_dictionary)
		return builder_refuse(b,
		    "names of categories (a data frame's dictionary) are not supported, "
		    "train on category codes");
	if (strcmp(x->booster, "gbtree") != 0 && strcmp(x->booster, "dart") != 0 &&
	    strcmp(x->booster, "gblinear") != 0)
		return builder_refuse(b, "booster \"%s\" is not supported", x->booster);
	if (check_version(x) < 0 || set_objective(x) < 0)
		return AISLE_E_INVALID;
	return strcmp(x->booster, "gblinear") == 0 ? place_weights(x) : place_trees(x);
}

int
model_import_xgboost(
    const char *text, size_t len, const char *name, struct model **ret_model, struct err *err)
{
	struct xgb *x = mem_calloc(1, sizeof(*x));
	builder_init(&x->b, KIND_XGBOOST_TREES, name, err);
	int r = builder_done(&x->b, import(x, text, len), ret_model);
	struct numbers *all[] = { &x->version, &x->tree_info, &x->weight_drop, &x->weights,
		&x->left, &x->right, &x->index, &x->condition, &x->default_left, &x->split_type,
		&x->category, &x->category_node, &x->category_first, &x->category_size };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(all[i]->at);
	free(x->raw);
	free(x->words);
	free(x);
	return r;
}
