/* SPDX-License-Identifier: Apache-2.0
 *
 * model_xgboost.c - an XGBoost model: gbtree, dart, gblinear; versions 1 to 3.
 *
 * DESIGN
 *   What would change the meaning (an objective, vector leaves) is refused by name.
 */
#include "score/model_xgboost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	{ "reg:expectileerror", LINK_IDENTITY, BASE_IDENTITY },
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
		return builder_refuse(b, "%g classes, expected at most %u", classes,
		    MODEL_CLASSES_MAX);
	if (builder_set_classes(b, classes < 1 ? 1 : (uint32_t)classes) < 0)
		return AISLE_E_INVALID;
	/* The second and later expectiles are distances from the one before. */
	if (classes > 1 && strcmp(x->objective, "reg:expectileerror") == 0)
		return builder_refuse(b,
		    "reg:expectileerror of several expectiles is not supported");
	return xgboost_base(x, objectives[i].base);
}

static int
name_inputs(struct xgb *x)
{
	struct builder *b = &x->b;
	uint32_t count = (uint32_t)x->num_feature;
	if (b->model->input_count != 0 && b->model->input_count != count)
		return builder_refuse(b, "%u feature names for %u features", b->model->input_count,
		    count);
	for (uint32_t i = b->model->input_count; i < count; i++) {
		char name[16];
		snprintf(name, sizeof(name), "f%u", i);
		if (builder_add_input(b, name) < 0)
			return AISLE_E_INVALID;
	}
	return 0;
}

/* The dictionaries' features are known when all but the trees was read. */
static int
name_categories(struct xgb *x)
{
	struct builder *b = &x->b;
	for (uint32_t i = 0; i < x->dictionary_count; i++) {
		struct dictionary *dictionary = x->dictionaries[i];
		if (dictionary == NULL)
			continue;
		if (x->dictionary_count != b->model->input_count)
			return builder_refuse(b, "categories of %u features, expected of %u",
			    x->dictionary_count, b->model->input_count);
		x->dictionaries[i] = NULL;
		if (builder_set_dictionary(b, i, dictionary) < 0)
			return AISLE_E_INVALID;
	}
	return 0;
}

/* How many trees there are up to the best iteration and in it; UINT32_MAX: it does not say. */
static uint32_t
best_trees(const struct xgb *x)
{
	double classes = x->num_class > x->num_target ? x->num_class : x->num_target;
	double step = (classes < 1 ? 1 : classes) * (x->num_parallel < 1 ? 1 : x->num_parallel);
	double end = (x->best + 1) * step;
	if (x->best < 0)
		return UINT32_MAX;
	if (x->iteration.count > 0)
		end = x->best + 1 < (double)x->iteration.count
		    ? x->iteration.at[(size_t)x->best + 1]
		    : (double)x->tree_info.count;
	return end >= 1 && end < UINT32_MAX ? (uint32_t)end : UINT32_MAX;
}

/* Booster.predict() takes all trees, the scikit-learn wrapper those up to the best: what the file's
 * owner measured is not known, so it has to be said. */
static int
choose_trees(struct xgb *x)
{
	struct builder *b = &x->b;
	uint32_t best = best_trees(x);
	bool stopped = strcmp(x->booster, "gblinear") != 0 && best < x->tree_info.count;
	x->tree_limit = UINT32_MAX;
	if (x->which == MODEL_TREES_BEST && (x->best < 0 || strcmp(x->booster, "gblinear") == 0))
		return builder_refuse(b,
		    "the best trees are asked for, but the file names no best "
		    "iteration of trees");
	if (stopped && x->which == MODEL_TREES_UNSAID)
		return builder_refuse(b,
		    "iteration %.0f was the best and %zu of %zu trees come behind it, expected "
		    "\"best\" or "
		    "\"all\" as \"trees\" in models.json, or behind --trees",
		    x->best, x->tree_info.count - best, x->tree_info.count);
	if (stopped && x->which == MODEL_TREES_BEST)
		x->tree_limit = best;
	return 0;
}

/* Class and, for dart, weight of each tree: known only when the whole file was read. */
static int
place_trees(struct xgb *x)
{
	struct builder *b = &x->b;
	struct model *model = b->model;
	if (x->num_trees >= 0 && x->num_trees != x->trees_seen)
		return builder_refuse(b, "num_trees is %.0f, but there are %u", x->num_trees,
		    x->trees_seen);
	if (x->tree_info.count != x->trees_seen)
		return builder_refuse(b, "tree_info names %zu trees of %u", x->tree_info.count,
		    x->trees_seen);
	if (model->tree_count == 0)
		return builder_refuse(b,
		    "no trees: it was saved before training or after no round of it, expected at "
		    "least one");
	if (strcmp(x->booster, "dart") == 0 && !x->has_weight_drop)
		return builder_refuse(b, "booster \"dart\" without weight_drop");
	if (x->weight_drop.count != 0 && x->weight_drop.count != x->trees_seen)
		return builder_refuse(b, "weight_drop has %zu weights for %u trees",
		    x->weight_drop.count, x->trees_seen);
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
		return builder_refuse(b, "%zu weights, expected %zu", x->weights.count,
		    (features + 1) * classes);
	model->kind = KIND_XGBOOST_LINEAR;
	for (size_t i = 0; i < features * classes; i++) {
		struct term term = { .weight = x->weights.at[i],
			.level_number = __builtin_nan(""),
			.input = (uint32_t)(i / classes),
			.group = (uint32_t)(i % classes) };
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
	if (xgboost_read(x, text, len, false) < 0 || name_inputs(x) < 0 || name_categories(x) < 0 ||
	    choose_trees(x) < 0 || xgboost_read(x, text, len, true) < 0)
		return AISLE_E_INVALID;
	if (!x->has_learner || !x->has_model)
		return builder_refuse(b, "no learner with a model, expected XGBoost's save_model");
	if (strcmp(x->booster, "gbtree") != 0 && strcmp(x->booster, "dart") != 0 &&
	    strcmp(x->booster, "gblinear") != 0)
		return builder_refuse(b, "booster \"%s\" is not supported", x->booster);
	if (check_version(x) < 0 || set_objective(x) < 0)
		return AISLE_E_INVALID;
	return strcmp(x->booster, "gblinear") == 0 ? place_weights(x) : place_trees(x);
}

int
model_import_xgboost(const char *text, size_t len, bool binary, const char *name,
    enum model_trees trees, struct model **ret_model, struct err *err)
{
	struct xgb *x = mem_zero(sizeof(*x));
	x->which = trees;
	x->best = -1;
	x->form = binary ? &jsonr_binary : &jsonr_text;
	x->num_trees = -1;
	builder_init(&x->b, KIND_XGBOOST_TREES, name, err);
	int r = builder_done(&x->b, import(x, text, len), ret_model);
	struct numbers *all[] = { &x->iteration, &x->version, &x->tree_info, &x->weight_drop,
		&x->weights, &x->left, &x->right, &x->index, &x->condition, &x->default_left,
		&x->split_type, &x->category, &x->category_node, &x->category_first,
		&x->category_size, &x->cover };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(all[i]->at);
	for (uint32_t i = 0; i < x->dictionary_count; i++)
		dictionary_free(x->dictionaries[i]);
	free(x->dictionaries);
	free(x->raw);
	free(x->words);
	free(x);
	return r;
}
