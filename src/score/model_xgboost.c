/* SPDX-License-Identifier: Apache-2.0
 *
 * model_xgboost.c - an XGBoost model: gbtree, dart, gblinear; versions 1 to 3.
 *
 * DESIGN
 *   What would change the meaning (an objective, vector leaves, dictionaries of
 *   category names) is refused by name.
 *
 *   All trees count, as they do for XGBoost's own predict() on a Booster: the
 *   best_iteration that early stopping leaves among the attributes is not applied.
 *   (The scikit-learn wrapper applies it; whoever trains with that saves the slice.)
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

/* Class and, for dart, weight of each tree: known only when the whole file was read. */
static int
place_trees(struct xgb *x)
{
	struct builder *b = &x->b;
	struct model *model = b->model;
	if (x->num_trees >= 0 && x->num_trees != model->tree_count)
		return builder_refuse(b, "num_trees is %.0f, but there are %u", x->num_trees,
		    model->tree_count);
	if (x->tree_info.count != model->tree_count)
		return builder_refuse(b, "tree_info names %zu trees of %u", x->tree_info.count,
		    model->tree_count);
	if (strcmp(x->booster, "dart") == 0 && !x->has_weight_drop && model->tree_count > 0)
		return builder_refuse(b, "booster \"dart\" without weight_drop");
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
	if (xgboost_read(x, text, len, false) < 0 || name_inputs(x) < 0 ||
	    xgboost_read(x, text, len, true) < 0)
		return AISLE_E_INVALID;
	if (!x->has_learner || !x->has_model)
		return builder_refuse(b, "no learner with a model, expected XGBoost's save_model");
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
model_import_xgboost(const char *text, size_t len, bool binary, const char *name,
    struct model **ret_model, struct err *err)
{
	struct xgb *x = mem_zero(sizeof(*x));
	x->form = binary ? &jsonr_binary : &jsonr_text;
	x->num_trees = -1;
	builder_init(&x->b, KIND_XGBOOST_TREES, name, err);
	int r = builder_done(&x->b, import(x, text, len), ret_model);
	struct numbers *all[] = { &x->version, &x->tree_info, &x->weight_drop, &x->weights,
		&x->left, &x->right, &x->index, &x->condition, &x->default_left, &x->split_type,
		&x->category, &x->category_node, &x->category_first, &x->category_size, &x->cover };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(all[i]->at);
	free(x->raw);
	free(x->words);
	free(x);
	return r;
}
