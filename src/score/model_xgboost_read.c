/* SPDX-License-Identifier: Apache-2.0
 *
 * model_xgboost_read.c - reads XGBoost's JSON, or the same as UBJSON.
 *
 * DESIGN
 *   Keys come in any order and new ones appear with each version: what is not
 *   known is skipped. What says a thing twice, or counts what is not there, is
 *   refused.
 */
#include "score/model_xgboost.h"

#include <stdlib.h>
#include <string.h>

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
	char text[PARAM_MAX] = "";
	read_text(x, text, sizeof(text));
	char *end;
	double value = strtod(text, &end);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || !(value <= 1e15) ||
	    value != (double)(int64_t)value)
		jsonr_fail(&x->r, "expected a count as text");
	return x->r.failed ? 0 : value;
}

/* Of a tree, or of all. */
static void
read_leaf_size(struct xgb *x)
{
	if (read_param(x) > 1)
		jsonr_fail(&x->r,
		    "vector leaves (multi_strategy multi_output_tree) are not supported");
}

/* The parameters of a tree, or of all: how many there are under these names. */
static void
read_sizes(struct xgb *x, const char *name, double *ret_count, double *ret_parallel)
{
	const char *const keys[] = { name, "size_leaf_vector", "num_parallel_tree" };
	struct jsonr *r = &x->r;
	uint32_t seen = 0;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		int key = jsonr_pick(r, keys, ARRAY_LEN(keys), &seen);
		if (key == 0)
			*ret_count = read_param(x);
		else if (key == 1)
			read_leaf_size(x);
		else if (key == 2 && ret_parallel != NULL)
			*ret_parallel = read_param(x);
		else
			jsonr_skip(r);
	}
}

static void
read_tree(struct xgb *x)
{
	static const char *const keys[] = { "left_children", "right_children", "split_indices",
		"split_conditions", "default_left", "split_type", "categories", "categories_nodes",
		"categories_segments", "categories_sizes", "sum_hessian", "tree_param", "id" };
	struct numbers *const arrays[] = { &x->left, &x->right, &x->index, &x->condition,
		&x->default_left, &x->split_type, &x->category, &x->category_node,
		&x->category_first, &x->category_size, &x->cover };
	struct jsonr *r = &x->r;
	uint32_t seen = 0;
	for (size_t i = 0; i < ARRAY_LEN(arrays); i++)
		arrays[i]->count = 0;
	x->tree_id = x->num_nodes = -1;

	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		int key = jsonr_pick(r, keys, ARRAY_LEN(keys), &seen);
		/* Thresholds and covers are float32; an index above 2^24 would not survive it. */
		if (key >= 0 && key < (int)ARRAY_LEN(arrays))
			jsonr_numbers(r, arrays[key] == &x->condition || arrays[key] == &x->cover,
			    MODEL_NODES_MAX, arrays[key]);
		else if (key == (int)ARRAY_LEN(arrays))
			read_sizes(x, "num_nodes", &x->num_nodes, NULL);
		else if (key > 0)
			x->tree_id = jsonr_number(r, false);
		else
			jsonr_skip(r);
	}
	if (!r->failed && xgboost_build_tree(x) < 0)
		r->failed = true;
}

/* ---- names of categories ---- */

/* Those of one feature: texts one behind the other, and where each begins and ends. */
static bool
add_texts(struct xgb *x, const struct numbers *offsets, const struct numbers *bytes,
    struct dictionary *dictionary)
{
	for (size_t i = 1; i < offsets->count; i++) {
		double first = offsets->at[i - 1], end = offsets->at[i];
		if (!(first >= 0 && first <= end && end <= (double)bytes->count) ||
		    first != (double)(size_t)first || end != (double)(size_t)end)
			return jsonr_fail(&x->r, "names of categories outside of their array");
		buf_clear(&x->r.word);
		for (size_t k = (size_t)first; k < (size_t)end; k++) {
			if (!(bytes->at[k] >= -128 && bytes->at[k] <= 255) || bytes->at[k] == 0)
				return jsonr_fail(&x->r, "a category's name that is no text");
			buf_addc(&x->r.word, (char)(int)bytes->at[k]);
		}
		buf_addc(&x->r.word, '\0');
		if (!dictionary_add_text(dictionary, x->r.word.data))
			return jsonr_fail(&x->r, "too many categories");
	}
	return true;
}

static void
add_dictionary(struct xgb *x, struct dictionary *dictionary)
{
	if (dictionary->count == 0) {
		dictionary_free(dictionary);
		dictionary = NULL;
	}
	if (dictionary != NULL)
		x->category_total += dictionary->count;
	if (x->dictionary_count == MODEL_INPUTS_MAX || x->category_total > MODEL_TERMS_MAX) {
		jsonr_fail(&x->r, "too many categories");
		dictionary_free(dictionary);
		return;
	}
	x->dictionaries = builder_grow(x->dictionaries, &x->dictionary_cap, x->dictionary_count,
	    sizeof(*x->dictionaries));
	x->dictionaries[x->dictionary_count++] = dictionary;
}

/* {"offsets":[0,4],"values":[103,111,108,100]}, or {"type":…,"values":[7,8]} where they are
 * numbers; of a feature without categories both are empty. */
static void
read_dictionary(struct xgb *x)
{
	static const char *const keys[] = { "offsets", "values" };
	struct jsonr *r = &x->r;
	struct numbers *offsets = &x->category_first, *values = &x->category;
	uint32_t seen = 0;
	offsets->count = values->count = 0;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		int key = jsonr_pick(r, keys, ARRAY_LEN(keys), &seen);
		if (key >= 0)
			jsonr_numbers(r, false, MODEL_NODES_MAX, key == 0 ? offsets : values);
		else
			jsonr_skip(r);
	}
	struct dictionary *dictionary = mem_zero(sizeof(*dictionary));
	if ((seen & 1) != 0)
		add_texts(x, offsets, values, dictionary);
	for (size_t i = 0; (seen & 1) == 0 && i < values->count; i++)
		if (!dictionary_add_number(dictionary, values->at[i])) {
			jsonr_fail(r, "too many categories");
			break;
		}
	add_dictionary(x, dictionary);
}

static void
read_dictionaries(struct xgb *x)
{
	static const char *const keys[] = { "enc" };
	struct jsonr *r = &x->r;
	uint32_t seen = 0;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		if (jsonr_pick(r, keys, ARRAY_LEN(keys), &seen) < 0) {
			jsonr_skip(r);
			continue;
		}
		jsonr_enter(r, '[');
		while (jsonr_item(r))
			read_dictionary(x);
	}
}

/* ---- the booster ---- */

/* Beside the booster's name, or since 3.4 inside of its model. */
static void
read_weight_drop(struct xgb *x)
{
	if (x->has_weight_drop)
		jsonr_fail(&x->r, "\"weight_drop\" is there twice");
	x->has_weight_drop = true;
	jsonr_numbers(&x->r, true, MODEL_TREES_MAX, &x->weight_drop);
}

static void
read_trees(struct xgb *x)
{
	jsonr_enter(&x->r, '[');
	for (; jsonr_item(&x->r); x->trees_seen++)
		if (x->trees_seen < x->tree_limit)
			read_tree(x);
		else
			jsonr_skip(&x->r);
}

static void
read_model(struct xgb *x)
{
	static const char *const keys[] = { "trees", "tree_info", "weight_drop", "weights", "cats",
		"gbtree_model_param", "iteration_indptr" };
	struct jsonr *r = &x->r;
	uint32_t seen = 0;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		int key = jsonr_pick(r, keys, ARRAY_LEN(keys), &seen);
		if (x->trees_only && key == 0)
			read_trees(x);
		else if (x->trees_only || key <= 0)
			jsonr_skip(r);
		else if (key == 1)
			jsonr_numbers(r, false, MODEL_TREES_MAX, &x->tree_info);
		else if (key == 2)
			read_weight_drop(x);
		else if (key == 3)
			jsonr_numbers(r, true, MODEL_TERMS_MAX, &x->weights);
		else if (key == 4)
			read_dictionaries(x);
		else if (key == 5)
			read_sizes(x, "num_trees", &x->num_trees, &x->num_parallel);
		else
			jsonr_numbers(r, false, MODEL_TREES_MAX + 1, &x->iteration);
	}
}

/* {"name","model"} or, for dart, {"name","gbtree":{"name","model"},"weight_drop"}. */
static void
read_booster(struct xgb *x, bool inner)
{
	static const char *const keys[] = { "model", "gbtree", "weight_drop", "name" };
	struct jsonr *r = &x->r;
	uint32_t seen = 0;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		int key = jsonr_pick(r, keys, ARRAY_LEN(keys), &seen);
		if (key == 0 && x->has_model && !x->trees_only) {
			jsonr_fail(r, "\"model\" is there twice");
		} else if (key == 0) {
			x->has_model = true;
			read_model(x);
		} else if (key == 1 && !inner) {
			read_booster(x, true);
		} else if (key == 2 && !x->trees_only) {
			read_weight_drop(x);
		} else if (key == 3 && !inner) {
			read_text(x, x->booster, sizeof(x->booster));
		} else {
			jsonr_skip(r);
		}
	}
}

/* ---- the learner ---- */

/* Of what training noted: the best iteration, where it stopped early. */
static void
read_attributes(struct xgb *x)
{
	static const char *const keys[] = { "best_iteration" };
	struct jsonr *r = &x->r;
	uint32_t seen = 0;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		if (jsonr_pick(r, keys, ARRAY_LEN(keys), &seen) == 0)
			x->best = read_param(x);
		else
			jsonr_skip(r);
	}
}

static void
read_params(struct xgb *x)
{
	static const char *const keys[] = { "num_class", "num_target", "num_feature",
		"base_score" };
	double *const counts[] = { &x->num_class, &x->num_target, &x->num_feature };
	struct jsonr *r = &x->r;
	uint32_t seen = 0;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		int key = jsonr_pick(r, keys, ARRAY_LEN(keys), &seen);
		if (key >= 0 && key < (int)ARRAY_LEN(counts))
			*counts[key] = read_param(x);
		else if (key > 0)
			read_text(x, x->base_score, sizeof(x->base_score));
		else
			jsonr_skip(r);
	}
	if (!r->failed && !(x->num_feature <= MODEL_INPUTS_MAX))
		jsonr_fail(r, "too many features, expected at most 65535");
}

static void
read_objective(struct xgb *x)
{
	static const char *const keys[] = { "name" };
	struct jsonr *r = &x->r;
	uint32_t seen = 0;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		if (jsonr_pick(r, keys, ARRAY_LEN(keys), &seen) == 0)
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

/* Trees need to know the features, and which of them count, first: so in two passes. */
static void
read_learner(struct xgb *x)
{
	static const char *const keys[] = { "gradient_booster", "learner_model_param", "objective",
		"feature_names", "attributes" };
	struct jsonr *r = &x->r;
	uint32_t seen = 0;
	x->has_learner = true;
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		int key = jsonr_pick(r, keys, ARRAY_LEN(keys), &seen);
		if (key == 0)
			read_booster(x, false);
		else if (x->trees_only || key < 0)
			jsonr_skip(r);
		else if (key == 1)
			read_params(x);
		else if (key == 2)
			read_objective(x);
		else if (key == 3)
			read_names(x);
		else
			read_attributes(x);
	}
}

int
xgboost_read(struct xgb *x, const char *text, size_t len, bool trees_only)
{
	static const char *const keys[] = { "learner", "version" };
	struct jsonr *r = &x->r;
	uint32_t seen = 0;
	x->trees_only = trees_only;
	jsonr_init(r, x->form, text, len, x->b.name, x->b.err);
	jsonr_enter(r, '{');
	while (jsonr_key(r)) {
		int key = jsonr_pick(r, keys, ARRAY_LEN(keys), &seen);
		if (key == 0)
			read_learner(x);
		else if (!trees_only && key == 1)
			jsonr_numbers(r, false, 3, &x->version);
		else
			jsonr_skip(r);
	}
	jsonr_end(r);
	jsonr_done(r);
	return r->failed ? AISLE_E_INVALID : 0;
}
