/* SPDX-License-Identifier: Apache-2.0
 *
 * model_xgboost_tree.c - one tree of an XGBoost file to nodes.
 *
 * DESIGN
 *   Leaf: left_children is -1, its value is in split_conditions. Numeric split:
 *   x < split_conditions goes left. Categorical split: a listed category goes
 *   right. All is compared in float32.
 */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "score/model_xgboost.h"

#define CATEGORY_END 16777216.0 /* float32 counts no further */

/* x < t is x <= the float32 before t. */
static void
set_threshold(struct raw_node *raw, double threshold)
{
	float t = (float)threshold;
	uint32_t bits;
	if (t < -FLT_MAX) {
		/* Nothing is below -inf: all that is there goes right, so with the sides
		 * exchanged all that is there goes left. */
		int32_t left = raw->left;
		raw->left = raw->right;
		raw->right = left;
		raw->fill = raw->default_left ? FILL_RAW : FILL_LEFT;
		raw->value = __builtin_inf();
		return;
	}
	memcpy(&bits, &t, sizeof(bits));
	/* 0 and -0 alike: what lies before them is the same. */
	bits = t == 0 ? 0x80000001u : t < 0 ? bits + 1 : bits - 1;
	memcpy(&t, &bits, sizeof(t));
	raw->value = (double)t;
}

static bool
is_index(double x, double limit)
{
	return x >= 0 && x < limit && x == (double)(uint32_t)x;
}

static int
word_order(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static int
read_set(struct xgb *x, size_t k)
{
	struct builder *b = &x->b;
	double node = x->category_node.at[k], first = x->category_first.at[k],
	       size = x->category_size.at[k];
	double end = (double)x->category.count + 1;
	if (!is_index(node, (double)x->left.count) || !is_index(first, end) ||
	    !is_index(size, end) || first + size >= end)
		return builder_refuse(b, "tree %u: categories outside of their array",
		    b->model->tree_count);
	size_t count = 0;
	if (x->word_cap < x->category.count) {
		x->word_cap = x->category.count;
		x->words = mem_realloc(x->words, x->word_cap * sizeof(*x->words));
	}
	for (size_t i = 0; i < (size_t)size; i++) {
		double category = x->category.at[(size_t)first + i];
		if (!(category >= 0 && category < CATEGORY_END) ||
		    category != (double)(uint32_t)category)
			return builder_refuse(b, "tree %u: category %g, expected 0 to 16777215",
			    b->model->tree_count, category);
		x->words[count++] = (uint32_t)category;
	}
	if (count > 0)
		qsort(x->words, count, sizeof(*x->words), word_order);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || x->words[i] != x->words[kept - 1])
			x->words[kept++] = x->words[i];
	struct raw_node *raw = &x->raw[(size_t)node];
	if (raw->categorical)
		return builder_refuse(b, "tree %u, node %.0f: categories twice",
		    b->model->tree_count, node);
	raw->set = builder_add_set(b, x->words, kept);
	raw->categorical = true;
	raw->value = 0;
	return 0;
}

static int
split_of(struct xgb *x, size_t i, struct raw_node *ret)
{
	struct builder *b = &x->b;
	double left = x->left.at[i], right = x->right.at[i], input = x->index.at[i];
	double limit = (double)x->left.count;
	*ret = (struct raw_node){ .left = -1, .right = -1, .value = x->condition.at[i] };
	if (x->cover.count == x->left.count && x->cover.at[i] > 0 && x->cover.at[i] <= DBL_MAX)
		ret->cover = x->cover.at[i];
	if (left == -1)
		return 0;
	if (!is_index(left, limit) || !is_index(right, limit))
		return builder_refuse(b, "tree %u, node %zu: child outside of the tree",
		    b->model->tree_count, i);
	if (!is_index(input, x->num_feature))
		return builder_refuse(b, "tree %u, node %zu: feature outside of num_feature",
		    b->model->tree_count, i);
	ret->left = (int32_t)left;
	ret->right = (int32_t)right;
	ret->input = (uint32_t)input;
	ret->default_left = x->default_left.at[i] != 0;
	ret->fill = ret->default_left ? FILL_LEFT : FILL_RAW;
	/* The threshold of a categorical split is no number and is not read. */
	if (i < x->split_type.count && x->split_type.at[i] == 1)
		ret->value = 0;
	else if (ret->value == ret->value)
		set_threshold(ret, ret->value);
	return 0; /* a NaN is refused if the node is reached */
}

int
xgboost_build_tree(struct xgb *x)
{
	struct builder *b = &x->b;
	size_t count = x->left.count;
	if (x->tree_id >= 0 && x->tree_id != b->model->tree_count)
		return builder_refuse(b, "tree %u has the id %.0f, expected trees in order of id",
		    b->model->tree_count, x->tree_id);
	if (x->num_nodes >= 0 && x->num_nodes != (double)count)
		return builder_refuse(b, "tree %u: num_nodes is %.0f, but there are %zu",
		    b->model->tree_count, x->num_nodes, count);
	if (count == 0)
		return builder_refuse(b, "tree %u: no nodes", b->model->tree_count);
	if (x->right.count != count || x->index.count != count || x->condition.count != count ||
	    x->default_left.count != count ||
	    (x->split_type.count != 0 && x->split_type.count != count))
		return builder_refuse(b, "tree %u: arrays of different lengths",
		    b->model->tree_count);
	size_t sets = x->category_node.count;
	if (x->category_first.count != sets || x->category_size.count != sets)
		return builder_refuse(b, "tree %u: arrays of categories of different lengths",
		    b->model->tree_count);
	if (x->raw_cap < count) {
		x->raw_cap = count;
		x->raw = mem_realloc(x->raw, count * sizeof(*x->raw));
	}
	for (size_t i = 0; i < count; i++)
		if (split_of(x, i, &x->raw[i]) < 0)
			return AISLE_E_INVALID;
	/* Side by side, or a small file could claim the same million categories a million times. */
	double claimed = 0;
	for (size_t k = 0; k < sets; k++)
		claimed += x->category_size.at[k];
	if (!(claimed <= (double)x->category.count))
		return builder_refuse(b, "tree %u: %.0f categories, but there are %zu",
		    b->model->tree_count, claimed, x->category.count);
	for (size_t k = 0; k < sets; k++)
		if (read_set(x, k) < 0)
			return AISLE_E_INVALID;
	for (size_t i = 0; i < x->split_type.count; i++)
		if (x->split_type.at[i] == 1 && x->raw[i].left >= 0 && !x->raw[i].categorical)
			return builder_refuse(b,
			    "tree %u, node %zu: categorical split without categories",
			    b->model->tree_count, i);
	return builder_add_tree(b, x->raw, count, 0);
}
