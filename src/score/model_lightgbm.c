/* SPDX-License-Identifier: Apache-2.0
 *
 * model_lightgbm.c - reads LightGBM's text, versions 2 to 4.
 *
 * DESIGN
 *   "key=value" lines, a block for each tree. Leaves already contain the shrinkage
 *   and the average that boosting started from. Keys that are not known are skipped;
 *   those that older versions did not write have LightGBM's own defaults.
 */
#include "score/model_lightgbm.h"

#include <stdlib.h>
#include <string.h>

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
		return builder_refuse(&l->b, "objective \"%s\" is not supported",
		    word != NULL ? word : "");
	model->link = objectives[i].link;
	while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
		char *end;
		if (strncmp(word, "sigmoid:", 8) == 0) {
			model->link_a = strtod(word + 8, &end);
			if (*end != '\0' || !(model->link_a > 0) ||
			    model->link_a - model->link_a != 0)
				return lgb_refuse(l, "sigmoid is not a positive number");
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
read_version(struct lgb *l, const char *value)
{
	if (value[0] == 'v' && value[1] >= '2' && value[1] <= '4' && value[2] == '\0') {
		l->version = (unsigned)(value[1] - '0');
		return 0;
	}
	return builder_refuse(&l->b, "version %.20s, expected v2, v3 or v4", value);
}

/* In bytes, of each tree. */
static int
read_sizes(struct lgb *l, const char *value)
{
	double sum = 0;
	if (lgb_numbers(l, value, &l->leaf) < 0)
		return AISLE_E_INVALID;
	l->expected_trees = (uint32_t)l->leaf.count;
	for (size_t i = 0; i < l->leaf.count; i++)
		sum += l->leaf.at[i];
	l->sizes = sum >= 0 && sum < MODEL_BYTES_MAX ? (size_t)sum : 0;
	return 0;
}

static int
read_header_line(struct lgb *l, char *line)
{
	static const char *const keys[] = { "version", "num_class", "num_tree_per_iteration",
		"max_feature_idx", "objective", "feature_names", "tree_sizes", "feature_infos" };
	size_t key;
	int r = 0;
	char *value = lgb_pick(l, line, keys, ARRAY_LEN(keys), &key, &r);
	if (strcmp(line, "average_output") == 0)
		l->averages = true;
	if (value == NULL || r < 0)
		return r;
	switch (key) {
	case 0: return read_version(l, value);
	case 1: return lgb_count(l, value, MODEL_CLASSES_MAX, &l->classes);
	case 2: return lgb_count(l, value, MODEL_CLASSES_MAX, &l->per_iteration);
	case 3:
		r = lgb_count(l, value, MODEL_INPUTS_MAX - 1, &l->features);
		l->features++;
		return r;
	case 4: return read_objective(l, value);
	case 5: return read_names(l, value);
	case 6: return read_sizes(l, value);
	default: l->infos = value; return 0;
	}
}

static int
finish_header(struct lgb *l)
{
	if (l->per_iteration == 0)
		l->per_iteration = l->classes;
	if ((l->seen & 1) == 0)
		return lgb_refuse(l, "header without version");
	if (l->features == 0 || l->per_iteration == 0)
		return lgb_refuse(l, "header without max_feature_idx or num_tree_per_iteration");
	if (l->b.model->input_count != l->features)
		return builder_refuse(&l->b, "%u feature names for %u features",
		    l->b.model->input_count, l->features);
	l->categorical = mem_calloc(l->features, sizeof(*l->categorical));
	return builder_set_classes(&l->b, l->per_iteration);
}

/* ---- the file ---- */

static int
no_second(const struct lgb *l, const char *line)
{
	if (strcmp(line, "tree") != 0)
		return 0;
	return lgb_refuse(l, "a second model begins here, expected one model a file");
}

/* Behind the trees. */
static int
read_tail(struct lgb *l)
{
	static const char frame[] = "pandas_categorical:";
	bool open = false;
	int r = 0;
	for (char *line; r == 0 && (line = next_line(l)) != NULL;) {
		r = no_second(l, line);
		if (r < 0)
			return r;
		if (strcmp(line, "parameters:") == 0)
			open = true;
		else if (strcmp(line, "end of parameters") == 0)
			open = false;
		else if (open)
			lgb_categorical_parameter(l, line);
		else if (strncmp(line, frame, strlen(frame)) == 0 &&
		    strcmp(line + strlen(frame), "null") != 0)
			r = lgb_pandas(l, line + strlen(frame));
	}
	if (r == 0 && open)
		r = lgb_refuse(l, "the file is cut off, expected \"end of parameters\"");
	return r;
}

/* Version 2 has no "end of trees" at first: what stands behind all of them shows that they are whole,
 * or that they are as long as the header says. */
static bool
ends_without_saying(const struct lgb *l, const char *line)
{
	if (l->version != 2)
		return false;
	if (line != NULL)
		return strcmp(line, "feature importances:") == 0;
	if (l->sizes == 0 || (size_t)(l->end - l->first) < l->sizes)
		return false;
	/* Line ends are zero bytes by now. */
	for (const char *at = l->first + l->sizes; at < l->end; at++)
		if (*at != '\0' && *at != ' ')
			return false;
	return true;
}

static int
read_trees(struct lgb *l)
{
	bool in_header = true, in_tree = false;
	for (;;) {
		char *line = next_line(l);
		bool begins = line != NULL && strncmp(line, "Tree=", 5) == 0,
		     ends = line != NULL && strcmp(line, "end of trees") == 0;
		int r = 0;
		if (in_tree && !begins && !ends)
			ends = ends_without_saying(l, line);
		if (line == NULL && !ends)
			return lgb_refuse(l, "the file is cut off, expected \"end of trees\"");
		if (in_header)
			r = begins || ends ? finish_header(l) : read_header_line(l, line);
		else if (in_tree)
			r = begins || ends	     ? lgb_finish_tree(l)
			    : no_second(l, line) < 0 ? AISLE_E_INVALID
						     : lgb_tree_line(l, line);
		if (r < 0)
			return r;
		if (ends)
			return read_tail(l);
		if (begins) {
			if (in_header)
				l->first = line;
			in_header = false;
			in_tree = true;
			lgb_begin_tree(l);
		}
	}
}

/* Until 2.2.2 the leaves of a forest were what its objective makes of a sum; since 2.2.3 they are what
 * it is made of. Both say v2. */
static int
check_forest(const struct lgb *l)
{
	if (!l->averages || l->version != 2 || l->b.model->link == LINK_IDENTITY)
		return 0;
	return builder_refuse(&l->b,
	    "a random forest of version v2 with this objective: before LightGBM "
	    "2.2.3 its leaves meant something else, and the file does not say "
	    "which it is; train it anew with 2.3 or later");
}

static int
import(struct lgb *l)
{
	struct model *model = l->b.model;
	if (read_trees(l) < 0 || check_forest(l) < 0)
		return AISLE_E_INVALID;
	if (model->tree_count == 0 || model->tree_count % l->per_iteration != 0)
		return builder_refuse(&l->b, "%u trees, expected a multiple of %u",
		    model->tree_count, l->per_iteration);
	if (l->expected_trees != 0 && l->expected_trees != model->tree_count)
		return builder_refuse(&l->b, "%u trees, expected %u as tree_sizes says",
		    model->tree_count, l->expected_trees);
	uint32_t iterations = model->tree_count / l->per_iteration;
	if (l->averages)
		model->divisor = (double)iterations;
	return 0;
}

int
model_import_lightgbm(const char *text, size_t len, const char *name, struct model **ret_model,
    struct err *err)
{
	struct lgb *l = mem_zero(sizeof(*l));
	char *copy = mem_alloc(len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	l->at = copy;
	l->end = copy + len;
	builder_init(&l->b, KIND_LIGHTGBM_TREES, name, err);
	int r = memchr(copy, '\0', len) != NULL ? lgb_refuse(l, "zero byte") : import(l);
	r = builder_done(&l->b, r, ret_model);
	struct numbers *all[] = LGB_ARRAYS(l);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(all[i]->at);
	free(l->raw);
	free(l->categorical);
	free(l->words);
	free(l->taken);
	free(l);
	free(copy);
	return r;
}
