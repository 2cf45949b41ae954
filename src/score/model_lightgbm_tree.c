/* SPDX-License-Identifier: Apache-2.0
 *
 * model_lightgbm_tree.c - one tree of a LightGBM file to nodes.
 *
 * DESIGN
 *   A tree's inner nodes and leaves are numbered apart; here leaf l of a tree with n
 *   leaves is node n - 1 + l. Doubles, x <= threshold goes left; a category whose
 *   bit is set goes left.
 */
#include "score/model_lightgbm.h"

#include <stdlib.h>
#include <string.h>

enum missing_kind { MISSING_NONE, MISSING_ZERO, MISSING_NAN };

/* ---- lines ---- */

int
lgb_refuse(const struct lgb *l, const char *what)
{
	return err_at(l->b.err, AISLE_E_INVALID, l->b.name, l->line, 0, "%s", what);
}

/* The value if line is "key=value" with one of the keys, else NULL. Twice is a mistake. */
char *
lgb_pick(struct lgb *l, char *line, const char *const *keys, size_t count, size_t *ret_key,
    int *ret_status)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(keys[i]);
		if (strncmp(line, keys[i], len) != 0 || line[len] != '=')
			continue;
		if ((l->seen >> i & 1) != 0)
			*ret_status = err_at(l->b.err, AISLE_E_INVALID, l->b.name, l->line, 0,
			    "%s is there twice", keys[i]);
		l->seen |= UINT32_C(1) << i;
		*ret_key = i;
		return line + len + 1;
	}
	return NULL;
}

/* strtod, without what only C writes. "inf" is a threshold that all is below. */
static bool
read_number(const char *text, char **ret_end, double *ret)
{
	*ret = strtod(text, ret_end);
	size_t len = (size_t)(*ret_end - text);
	bool digits = len > 0 && strspn(text, "+-.0123456789eE") >= len;
	bool word = len >= 3 && strspn(text, "+-infaINFA") >= len;
	return (**ret_end == ' ' || **ret_end == '\0') && (digits ? *ret - *ret == 0 : word);
}

/* Numbers with blanks between; LightGBM writes two blanks where a leaf has no features. */
int
lgb_numbers(struct lgb *l, const char *text, struct numbers *ret)
{
	ret->count = 0;
	for (;;) {
		text += strspn(text, " ");
		if (*text == '\0')
			return 0;
		char *end;
		double number;
		if (!read_number(text, &end, &number))
			return lgb_refuse(l, "expected numbers");
		if (ret->count == MODEL_NODES_MAX)
			return lgb_refuse(l, "array too long");
		ret->at = builder_grow(ret->at, &ret->cap, ret->count, sizeof(*ret->at));
		ret->at[ret->count++] = number;
		text = end;
	}
}

int
lgb_count(struct lgb *l, const char *text, uint32_t max, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || n > max)
		return lgb_refuse(l, "expected a count in range");
	*ret = (uint32_t)n;
	return 0;
}

/* ---- one tree ---- */

static bool
is_index(double x, double limit)
{
	return x >= 0 && x < limit && x == (double)(uint32_t)x;
}

static int
read_set(struct lgb *l, size_t i, struct raw_node *raw)
{
	double k = l->threshold.at[i];
	if (!is_index(k, l->cats))
		return lgb_refuse(l, "categorical split without categories");
	/* Or a small file could claim the same million categories a million times. */
	if (l->taken[(size_t)k])
		return lgb_refuse(l, "two splits share their categories");
	l->taken[(size_t)k] = true;
	size_t first = (size_t)l->cat_first.at[(size_t)k],
	       end = (size_t)l->cat_first.at[(size_t)k + 1];
	raw->set = builder_add_set(&l->b, l->words + first, end - first);
	raw->value = 0;
	raw->categorical = true;
	return 0;
}

/* A child is an inner node, or ~leaf. */
static bool
child_of(const struct lgb *l, double child, int32_t *ret)
{
	uint32_t inner = l->leaves - 1;
	if (!(child >= -(double)l->leaves && child < (double)inner) ||
	    child != (double)(int32_t)child)
		return false;
	*ret = child >= 0 ? (int32_t)child : (int32_t)inner + ~(int32_t)child;
	return true;
}

/* Rows that training saw; 0: it does not say. */
static double
count_of(const struct numbers *counts, size_t i)
{
	return i < counts->count && is_index(counts->at[i], 4e9) ? counts->at[i] : 0;
}

static int
split_of(struct lgb *l, size_t i)
{
	static const uint8_t fills[3][2] = {
		/* by missing kind and default left */
		[MISSING_NONE] = { FILL_ZERO, FILL_ZERO },
		[MISSING_ZERO] = { FILL_ZERO_RIGHT, FILL_ZERO_LEFT },
		[MISSING_NAN] = { FILL_RAW, FILL_LEFT },
	};
	struct raw_node *raw = &l->raw[i];
	double decision = l->decision.count > 0 ? l->decision.at[i] : 0;
	if (!is_index(decision, 16) || ((unsigned)decision >> 2) > MISSING_NAN)
		return lgb_refuse(l, "decision_type that is not known");
	if (!is_index(l->feature.at[i], l->features))
		return lgb_refuse(l, "split_feature outside of the features");
	unsigned bits = (unsigned)decision;
	bool default_left = (bits & 2) != 0;
	*raw = (struct raw_node){ .input = (uint32_t)l->feature.at[i],
		.fill = fills[bits >> 2][default_left],
		.cover = count_of(&l->inner_count, i),
		.value = l->threshold.at[i] };
	if (!child_of(l, l->left.at[i], &raw->left) || !child_of(l, l->right.at[i], &raw->right))
		return lgb_refuse(l, "child outside of the tree");
	if ((bits & 1) == 0)
		return 0;
	l->categorical[raw->input] = true;
	return read_set(l, i, raw);
}

/* Linear leaves: for each leaf its constant, and its features and coefficients in one row for all.
 */
static int
add_linear_leaves(struct lgb *l)
{
	struct builder *b = &l->b;
	size_t at = 0;
	if (l->leaf_const.count != l->leaves || l->leaf_features.count != l->leaves ||
	    l->leaf_feature.count != l->leaf_coeff.count)
		return lgb_refuse(l, "linear leaves of different lengths");
	for (uint32_t k = 0; k < l->leaves; k++) {
		double count = l->leaf_features.at[k];
		if (!is_index(count, 1e9) || count > (double)(l->leaf_feature.count - at))
			return lgb_refuse(l, "linear leaves of different lengths");
		uint32_t leaf;
		if (builder_add_leaf(b, l->leaf_const.at[k], &leaf) < 0)
			return AISLE_E_INVALID;
		for (size_t i = 0; i < (size_t)count; i++, at++) {
			if (!is_index(l->leaf_feature.at[at], l->features))
				return lgb_refuse(l, "leaf_features outside of the features");
			struct term term = { .weight = l->leaf_coeff.at[at],
				.input =
				    builder_column(b, (uint32_t)l->leaf_feature.at[at], FILL_RAW) };
			if (builder_add_term(b, &term) < 0)
				return AISLE_E_INVALID;
		}
		b->model->leaves[leaf - 1].count = (uint32_t)count;
		l->raw[l->leaves - 1 + k].leaf = leaf;
	}
	return 0;
}

/* The bit maps of a tree, side by side: map k is from boundary k to boundary k + 1. */
static int
read_maps(struct lgb *l)
{
	free(l->words);
	free(l->taken);
	l->words = mem_calloc(l->cat_word.count + 1, sizeof(*l->words));
	l->taken = mem_calloc(l->cats + 1u, sizeof(*l->taken));
	for (size_t i = 0; i < l->cat_word.count; i++) {
		if (!is_index(l->cat_word.at[i], 4294967296.0))
			return lgb_refuse(l, "cat_threshold that is no bit map");
		l->words[i] = (uint32_t)l->cat_word.at[i];
	}
	if (l->cats > 0 && l->cat_first.count != l->cats + 1u)
		return lgb_refuse(l, "cat_boundaries of another length than num_cat");
	for (size_t i = 0; l->cats > 0 && i <= l->cats; i++)
		if (!is_index(l->cat_first.at[i], (double)l->cat_word.count + 1) ||
		    (i > 0 && l->cat_first.at[i] < l->cat_first.at[i - 1]))
			return lgb_refuse(l, "categories outside of their array");
	return 0;
}

int
lgb_finish_tree(struct lgb *l)
{
	if (l->leaves == 0)
		return lgb_refuse(l, "tree without num_leaves");
	size_t inner = l->leaves - 1, count = inner + l->leaves;
	if (l->leaf.count != l->leaves || l->feature.count != inner ||
	    l->threshold.count != inner || l->left.count != inner || l->right.count != inner ||
	    (l->decision.count != 0 && l->decision.count != inner))
		return lgb_refuse(l, "arrays of different lengths in a tree");
	if (l->raw_cap < count) {
		l->raw_cap = count;
		l->raw = mem_realloc(l->raw, count * sizeof(*l->raw));
	}
	if (read_maps(l) < 0)
		return AISLE_E_INVALID;
	for (size_t i = 0; i < inner; i++)
		if (split_of(l, i) < 0)
			return AISLE_E_INVALID;
	for (size_t k = 0; k < l->leaves; k++)
		l->raw[inner + k] = (struct raw_node){ .left = -1,
			.right = -1,
			.cover = count_of(&l->leaf_count, k),
			.value = l->leaf.at[k] };
	if (l->linear != 0 && add_linear_leaves(l) < 0)
		return AISLE_E_INVALID;
	return builder_add_tree(&l->b, l->raw, count, l->b.model->tree_count % l->per_iteration);
}

void
lgb_begin_tree(struct lgb *l)
{
	struct numbers *all[] = LGB_ARRAYS(l);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		all[i]->count = 0;
	l->leaves = l->cats = l->linear = 0;
	l->seen = 0;
}

int
lgb_tree_line(struct lgb *l, char *line)
{
	static const char *const keys[] = { "split_feature", "threshold", "decision_type",
		"left_child", "right_child", "leaf_value", "cat_boundaries", "cat_threshold",
		"leaf_const", "num_features", "leaf_features", "leaf_coeff", "leaf_count",
		"internal_count", "num_leaves", "num_cat", "is_linear" };
	struct numbers *arrays[] = LGB_ARRAYS(l);
	uint32_t *counts[] = { &l->leaves, &l->cats, &l->linear };
	static const uint32_t most[] = { MODEL_NODES_MAX / 2, MODEL_NODES_MAX, 1 };
	size_t key;
	int r = 0;
	const char *value = lgb_pick(l, line, keys, ARRAY_LEN(keys), &key, &r);
	if (value == NULL || r < 0)
		return r;
	if (key < ARRAY_LEN(arrays))
		return lgb_numbers(l, value, arrays[key]);
	key -= ARRAY_LEN(arrays);
	return lgb_count(l, value, most[key], counts[key]);
}
