/* SPDX-License-Identifier: Apache-2.0
 *
 * model_lightgbm.c - reads LightGBM's text, versions 2 to 4.
 *
 * DESIGN
 *   "key=value" lines, a block for each tree. A tree's inner nodes and leaves are
 *   numbered apart; here leaf l of a tree with n leaves is node n - 1 + l.
 *   Doubles, x <= threshold goes left. Leaves already contain the shrinkage and
 *   the average that boosting started from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "score/model_impl.h"
#include "score/model_json.h"

enum missing_kind { MISSING_NONE, MISSING_ZERO, MISSING_NAN };

static const struct {
	const char *name;
	enum model_link_kind link;
} objectives[] = {
	{ "regression", LINK_IDENTITY },
	{ "regression_l1", LINK_IDENTITY },
	{ "huber", LINK_IDENTITY },
	{ "fair", LINK_IDENTITY },
	{ "quantile", LINK_IDENTITY },
	{ "mape", LINK_IDENTITY },
	{ "poisson", LINK_EXP },
	{ "gamma", LINK_EXP },
	{ "tweedie", LINK_EXP },
	{ "binary", LINK_LOGISTIC },
	{ "multiclass", LINK_SOFTMAX },
	{ "multiclassova", LINK_LOGISTIC },
	{ "cross_entropy", LINK_LOGISTIC },
	{ "xentropy", LINK_LOGISTIC },
	{ "cross_entropy_lambda", LINK_LOG1P_EXP },
	{ "xentlambda", LINK_LOG1P_EXP },
	{ "lambdarank", LINK_IDENTITY },
	{ "rank_xendcg", LINK_IDENTITY },
	{ "custom", LINK_IDENTITY },
	{ "none", LINK_IDENTITY },
};

struct lgb {
	struct builder b;
	char *at, *end;			/* of a copy with zero bytes for line ends */
	int line;
	uint32_t features, per_iteration, expected_trees;
	bool averages, ended, has_objective;
	/* one tree */
	uint32_t leaves, cats;
	bool linear;
	struct numbers feature, threshold, decision, left, right, leaf, cat_first, cat_word;
	struct numbers leaf_const, leaf_features, leaf_feature, leaf_coeff;
	struct raw_node *raw;
	size_t raw_cap;
	uint32_t *words;
};

static int
refuse(const struct lgb *l, const char *what)
{
	return err_at(l->b.err, AISLE_E_INVALID, l->b.name, l->line, 0, "%s", what);
}

/* The next line, or NULL. */
static char *
next_line(struct lgb *l)
{
	if (l->at >= l->end)
		return NULL;
	char *line = l->at;
	size_t len = strcspn(line, "\r\n");
	l->at = line + len;
	if (*l->at == '\r')
		*l->at++ = '\0';
	if (*l->at == '\n')
		*l->at++ = '\0';
	l->line++;
	return line;
}

/* The value if line is "key=value". */
static const char *
value_of(const char *line, const char *key)
{
	size_t len = strlen(key);
	return strncmp(line, key, len) == 0 && line[len] == '=' ? line + len + 1 : NULL;
}

/* Numbers with blanks between; LightGBM writes two blanks where a leaf has no features. */
static int
read_numbers(struct lgb *l, const char *text, struct numbers *ret)
{
	ret->count = 0;
	for (;;) {
		text += strspn(text, " ");
		if (*text == '\0')
			return 0;
		char *end;
		double number = strtod(text, &end);
		if (end == text || (*end != ' ' && *end != '\0'))
			return refuse(l, "expected numbers");
		if (ret->count == MODEL_NODES_MAX)
			return refuse(l, "array too long");
		ret->at = builder_grow(ret->at, &ret->cap, ret->count, sizeof(*ret->at));
		ret->at[ret->count++] = number;
		text = end;
	}
}

static int
read_count(struct lgb *l, const char *text, uint32_t max, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || n > max)
		return refuse(l, "expected a count in range");
	*ret = (uint32_t)n;
	return 0;
}

/* ---- header ---- */

static int
read_objective(struct lgb *l, char *text)
{
	struct model *model = l->b.model;
	char *rest = NULL, *word = strtok_r(text, " ", &rest);
	size_t i = 0;
	while (word != NULL && i < ARRAY_LEN(objectives) && strcmp(objectives[i].name, word) != 0)
		i++;
	if (word == NULL || i == ARRAY_LEN(objectives))
		return builder_refuse(
		    &l->b, "objective \"%s\" is not supported", word != NULL ? word : "");
	model->link = objectives[i].link;
	l->has_objective = true;
	while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
		char *end;
		if (strncmp(word, "sigmoid:", 8) == 0) {
			model->link_a = strtod(word + 8, &end);
			if (*end != '\0' || !(model->link_a > 0) ||
			    model->link_a - model->link_a != 0)
				return refuse(l, "sigmoid is not a positive number");
		} else if (strcmp(word, "sqrt") == 0 && model->link == LINK_IDENTITY) {
			model->link = LINK_SQUARE;
		}
	}
	return 0;
}

static int
read_names(struct lgb *l, char *text)
{
	char *rest = NULL;
	for (char *word = strtok_r(text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		if (builder_add_input(&l->b, word) < 0)
			return AISLE_E_INVALID;
	return 0;
}

static int
read_header_line(struct lgb *l, char *line)
{
	const char *value;
	uint32_t n;
	if ((value = value_of(line, "version")) != NULL) {
		if (strcmp(value, "v2") != 0 && strcmp(value, "v3") != 0 &&
		    strcmp(value, "v4") != 0)
			return builder_refuse(&l->b, "version %.20s, expected v2, v3 or v4", value);
	} else if ((value = value_of(line, "num_tree_per_iteration")) != NULL) {
		return read_count(l, value, MODEL_CLASSES_MAX, &l->per_iteration);
	} else if ((value = value_of(line, "max_feature_idx")) != NULL) {
		if (read_count(l, value, MODEL_INPUTS_MAX - 1, &n) < 0)
			return AISLE_E_INVALID;
		l->features = n + 1;
	} else if ((value = value_of(line, "objective")) != NULL) {
		return read_objective(l, line + (value - line));
	} else if ((value = value_of(line, "feature_names")) != NULL) {
		return read_names(l, line + (value - line));
	} else if ((value = value_of(line, "tree_sizes")) != NULL) {
		if (read_numbers(l, value, &l->leaf) < 0)
			return AISLE_E_INVALID;
		l->expected_trees = (uint32_t)l->leaf.count;
	} else if (strcmp(line, "average_output") == 0) {
		l->averages = true;
	}
	return 0;
}

static int
finish_header(struct lgb *l)
{
	if (l->features == 0 || l->per_iteration == 0)
		return refuse(l, "header without max_feature_idx or num_tree_per_iteration");
	if (l->b.model->input_count != l->features)
		return builder_refuse(&l->b, "%u feature names for %u features",
		    l->b.model->input_count, l->features);
	return builder_set_classes(&l->b, l->per_iteration);
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
	if (!is_index(k, l->cats) || l->cat_first.count != l->cats + 1u)
		return refuse(l, "categorical split without categories");
	double first = l->cat_first.at[(size_t)k], end = l->cat_first.at[(size_t)k + 1];
	if (!is_index(first, 1e9) || !is_index(end, 1e9) || first > end ||
	    end > (double)l->cat_word.count)
		return refuse(l, "categories outside of their array");
	raw->set = builder_add_set(&l->b, l->words + (size_t)first, (size_t)(end - first));
	raw->value = 0;
	raw->categorical = true;
	return 0;
}

/* A child is an inner node, or ~leaf. */
static bool
child_of(const struct lgb *l, double child, int32_t *ret)
{
	uint32_t inner = l->leaves - 1;
	if (!(child >= -(double)l->leaves && child < (double)inner) || child != (double)(int32_t)child)
		return false;
	*ret = child >= 0 ? (int32_t)child : (int32_t)inner + ~(int32_t)child;
	return true;
}

static int
split_of(struct lgb *l, size_t i)
{
	static const uint8_t fills[3][2] = {	/* by missing kind and default left */
		[MISSING_NONE] = { FILL_ZERO, FILL_ZERO },
		[MISSING_ZERO] = { FILL_ZERO_RIGHT, FILL_ZERO_LEFT },
		[MISSING_NAN] = { FILL_RAW, FILL_LEFT },
	};
	struct raw_node *raw = &l->raw[i];
	double decision = l->decision.at[i];
	if (!is_index(decision, 16) || ((unsigned)decision >> 2) > MISSING_NAN)
		return refuse(l, "decision_type that is not known");
	if (!is_index(l->feature.at[i], l->features))
		return refuse(l, "split_feature outside of the features");
	unsigned bits = (unsigned)decision;
	bool default_left = (bits & 2) != 0;
	*raw = (struct raw_node){ .input = (uint32_t)l->feature.at[i],
		.fill = fills[bits >> 2][default_left],
		.value = l->threshold.at[i] };
	if (!child_of(l, l->left.at[i], &raw->left) || !child_of(l, l->right.at[i], &raw->right))
		return refuse(l, "child outside of the tree");
	return (bits & 1) != 0 ? read_set(l, i, raw) : 0;
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
		return refuse(l, "linear leaves of different lengths");
	for (uint32_t k = 0; k < l->leaves; k++) {
		double count = l->leaf_features.at[k];
		if (!is_index(count, 1e9) || count > (double)(l->leaf_feature.count - at))
			return refuse(l, "linear leaves of different lengths");
		uint32_t leaf;
		if (builder_add_leaf(b, l->leaf_const.at[k], &leaf) < 0)
			return AISLE_E_INVALID;
		for (size_t i = 0; i < (size_t)count; i++, at++) {
			if (!is_index(l->leaf_feature.at[at], l->features))
				return refuse(l, "leaf_features outside of the features");
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

static int
finish_tree(struct lgb *l)
{
	size_t inner = l->leaves > 0 ? l->leaves - 1 : 0;
	if (l->leaves == 0 || l->leaf.count != l->leaves || l->feature.count != inner ||
	    l->threshold.count != inner || l->decision.count != inner || l->left.count != inner ||
	    l->right.count != inner)
		return refuse(l, "arrays of different lengths in a tree");
	size_t count = inner + l->leaves;
	if (l->raw_cap < count) {
		l->raw_cap = count;
		l->raw = mem_realloc(l->raw, count * sizeof(*l->raw));
	}
	free(l->words);
	l->words = mem_calloc(l->cat_word.count + 1, sizeof(*l->words));
	for (size_t i = 0; i < l->cat_word.count; i++) {
		if (!is_index(l->cat_word.at[i], 4294967296.0))
			return refuse(l, "cat_threshold that is no bit map");
		l->words[i] = (uint32_t)l->cat_word.at[i];
	}
	for (size_t i = 0; i < inner; i++)
		if (split_of(l, i) < 0)
			return AISLE_E_INVALID;
	for (size_t k = 0; k < l->leaves; k++)
		l->raw[inner + k] =
		    (struct raw_node){ .left = -1, .right = -1, .value = l->leaf.at[k] };
	if (l->linear && add_linear_leaves(l) < 0)
		return AISLE_E_INVALID;
	return builder_add_tree(&l->b, l->raw, count, l->b.model->tree_count % l->per_iteration);
}

static void
begin_tree(struct lgb *l)
{
	struct numbers *all[] = { &l->feature, &l->threshold, &l->decision, &l->left, &l->right,
		&l->leaf, &l->cat_first, &l->cat_word, &l->leaf_const, &l->leaf_features,
		&l->leaf_feature, &l->leaf_coeff };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		all[i]->count = 0;
	l->leaves = l->cats = 0;
	l->linear = false;
}

static int
read_tree_line(struct lgb *l, const char *line)
{
	const struct {
		const char *key;
		struct numbers *to;
	} arrays[] = {
		{ "split_feature", &l->feature },
		{ "threshold", &l->threshold },
		{ "decision_type", &l->decision },
		{ "left_child", &l->left },
		{ "right_child", &l->right },
		{ "leaf_value", &l->leaf },
		{ "cat_boundaries", &l->cat_first },
		{ "cat_threshold", &l->cat_word },
		{ "leaf_const", &l->leaf_const },
		{ "num_features", &l->leaf_features },
		{ "leaf_features", &l->leaf_feature },
		{ "leaf_coeff", &l->leaf_coeff },
	};
	const char *value;
	if ((value = value_of(line, "num_leaves")) != NULL)
		return read_count(l, value, MODEL_NODES_MAX / 2, &l->leaves);
	if ((value = value_of(line, "num_cat")) != NULL)
		return read_count(l, value, MODEL_NODES_MAX, &l->cats);
	if ((value = value_of(line, "is_linear")) != NULL) {
		l->linear = strcmp(value, "0") != 0;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(arrays); i++)
		if ((value = value_of(line, arrays[i].key)) != NULL)
			return read_numbers(l, value, arrays[i].to);
	return 0;
}

/* ---- the file ---- */

static int
read_trees(struct lgb *l)
{
	bool in_header = true, in_tree = false;
	for (char *line; (line = next_line(l)) != NULL; ) {
		bool begins = strncmp(line, "Tree=", 5) == 0,
		     ends = strcmp(line, "end of trees") == 0;
		int r = 0;
		if (in_header)
			r = begins || ends ? finish_header(l) : read_header_line(l, line);
		else if (in_tree)
			r = begins || ends ? finish_tree(l) : read_tree_line(l, line);
		if (r < 0)
			return r;
		if (ends) {
			l->ended = true;
			return 0;
		}
		if (begins) {
			in_header = false;
			in_tree = true;
			begin_tree(l);
		}
	}
	return refuse(l, "the file is cut off, expected \"end of trees\"");
}

static int
import(struct lgb *l)
{
	struct model *model = l->b.model;
	int r = read_trees(l);
	if (r < 0)
		return r;
	if (model->tree_count == 0 || model->tree_count % l->per_iteration != 0)
		return builder_refuse(&l->b, "%u trees, expected a multiple of %u",
		    model->tree_count, l->per_iteration);
	if (l->expected_trees != 0 && l->expected_trees != model->tree_count)
		return builder_refuse(&l->b, "%u trees, expected %u as tree_sizes says",
		    model->tree_count, l->expected_trees);
	if (l->averages)
		model->divisor = (double)(model->tree_count / l->per_iteration);
	return 0;
}

int
model_import_lightgbm(
    const char *text, size_t len, const char *name, struct model **ret_model, struct err *err)
{
	struct lgb *l = mem_calloc(1, sizeof(*l));
	char *copy = mem_alloc(len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	l->at = copy;
	l->end = copy + len;
	builder_init(&l->b, KIND_LIGHTGBM_TREES, name, err);
	int r = memchr(copy, '\0', len) != NULL ? refuse(l, "zero byte") : import(l);
	r = builder_done(&l->b, r, ret_model);
	struct numbers *all[] = { &l->feature, &l->threshold, &l->decision, &l->left, &l->right,
		&l->leaf, &l->cat_first, &l->cat_word, &l->leaf_const, &l->leaf_features,
		&l->leaf_feature, &l->leaf_coeff };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(all[i]->at);
	free(l->raw);
	free(l->words);
	free(l);
	free(copy);
	return r;
}
