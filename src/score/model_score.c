/* SPDX-License-Identifier: Apache-2.0
 *
 * model_score.c - one row through a model.
 *
 * DESIGN
 *   A walk down a tree waits for memory at each level, so eight trees are walked
 *   at once and their waits overlap. A leaf leads to itself: no test for having
 *   arrived, a tree is walked as many steps as it is deep. Lopsided trees
 *   (LightGBM grows them) are looked at every few steps, and left when all eight
 *   have arrived. Leaves are summed in the order of the file, in the type that
 *   the origin sums in: the margin has its bits.
 */
#include "score/model.h"

#include <string.h>

#include "core/fmath.h"
#include "score/model_impl.h"

#define ZERO_MAX ((double)1e-35f)	/* LightGBM's kZeroThreshold: what is this small is zero */
#define LANES 8
#define STRIDE 4			/* steps between looks in a lopsided tree */
#define CATEGORY_END 16777216.0		/* XGBoost: float32 counts no further */

/* ---- inputs ---- */

static double
input_number(const struct value *value)
{
	if (value->tag == VALUE_NUMBER)
		return value->number;
	if (value->tag == VALUE_BOOL)
		return value->truth;
	return __builtin_nan("");
}

static double
filled(enum fill fill, double x)
{
	switch (fill) {
	case FILL_LEFT:
		return x != x ? -__builtin_inf() : x;
	case FILL_ZERO:
		return x != x ? 0 : x;
	case FILL_ZERO_LEFT:
		return x != x || (x >= -ZERO_MAX && x <= ZERO_MAX) ? -__builtin_inf() : x;
	case FILL_ZERO_RIGHT:
		return x != x || (x >= -ZERO_MAX && x <= ZERO_MAX) ? __builtin_nan("") : x;
	default:
		return x;
	}
}

static void
fill_row(const struct model *model, const struct value *inputs)
{
	double x = 0;
	uint32_t last = UINT32_MAX;
	model->row[0] = -__builtin_inf();
	for (uint32_t i = 1; i < model->column_count; i++) {
		const struct column *column = &model->columns[i];
		if (column->input != last) {
			last = column->input;
			x = input_number(&inputs[last]);
			if (model->float32)
				x = (double)(float)x;
			else if (x >= -ZERO_MAX && x <= ZERO_MAX)
				x = 0;	/* so LightGBM's own prediction reads a row */
		}
		model->row[i] = filled(column->fill, x);
	}
}

/* ---- trees ---- */

static inline uint32_t
step(const struct node *nodes, const double *row, uint32_t at)
{
	const struct node *node = &nodes[at];
	return node->left + !(row[node->column] <= node->value);
}

static void
walk_eight(const struct model *model, const struct tree *trees, uint32_t count, uint32_t *at)
{
	const struct node *nodes = model->nodes;
	const double *row = model->row;
	uint32_t depth = 0;

	for (uint32_t i = 0; i < LANES; i++) {
		at[i] = trees[i < count ? i : count - 1].root;
		if (trees[i < count ? i : count - 1].depth > depth)
			depth = trees[i < count ? i : count - 1].depth;
	}
	uint32_t a = at[0], b = at[1], c = at[2], d = at[3], e = at[4], f = at[5], g = at[6],
		 h = at[7];
	for (uint32_t level = 0; level < depth; level++) {
		if (level > 2 * STRIDE && level % STRIDE == 0) {
			uint32_t moving = nodes[a].column | nodes[b].column | nodes[c].column |
					  nodes[d].column | nodes[e].column | nodes[f].column |
					  nodes[g].column | nodes[h].column;
			if (moving == 0)
				break;
		}
		a = step(nodes, row, a);
		b = step(nodes, row, b);
		c = step(nodes, row, c);
		d = step(nodes, row, d);
		e = step(nodes, row, e);
		f = step(nodes, row, f);
		g = step(nodes, row, g);
		h = step(nodes, row, h);
	}
	at[0] = a, at[1] = b, at[2] = c, at[3] = d, at[4] = e, at[5] = f, at[6] = g, at[7] = h;
}

/* In the set: left in LightGBM, right in XGBoost. Each origin's own rule for what is no category.
 */
static bool
category_left(const struct model *model, const struct node *node, double x)
{
	const struct set *set = &model->sets[(uint32_t)node->value];
	const uint32_t *words = set->count > 0 ? model->words + set->first : NULL;

	if (model->kind == KIND_LIGHTGBM_TREES) {
		if (x != x || !(x > -1) || x >= 2147483648.0)
			return false;
		uint32_t category = (uint32_t)x;
		return category / 32 < set->count &&
		       (words[category / 32] >> category % 32 & 1) != 0;
	}
	if (x != x)
		return (node->column & NODE_DEFAULT_LEFT) != 0;
	if (x < 0 || x >= CATEGORY_END)
		return true;
	uint32_t category = (uint32_t)x, low = 0, high = set->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (words[middle] < category)
			low = middle + 1;
		else
			high = middle;
	}
	return low == set->count || words[low] != category;
}

static uint32_t
walk_one(const struct model *model, uint32_t at)
{
	while (model->nodes[at].column != 0) {
		const struct node *node = &model->nodes[at];
		double x = model->row[node->column & NODE_COLUMN];
		bool left = (node->column & NODE_CATEGORICAL) != 0 ? category_left(model, node, x) :
								     x <= node->value;
		at = node->left + !left;
	}
	return at;
}

/* A linear leaf; with a missing term, its plain value. */
static double
leaf_value(const struct model *model, uint32_t at)
{
	uint32_t leaf = model->leaf_of != NULL ? model->leaf_of[at] : 0;
	if (leaf == 0)
		return model->nodes[at].value;
	const struct leaf_model *linear = &model->leaves[leaf - 1];
	double sum = linear->constant;
	for (uint32_t i = 0; i < linear->count; i++) {
		const struct term *term = &model->terms[linear->first + i];
		double x = model->row[term->input];
		if (x != x)
			return model->nodes[at].value;
		sum += term->weight * x;
	}
	return sum;
}

static inline void
add(const struct model *model, double *sum, double x)
{
	*sum = model->float32 ? (double)((float)*sum + (float)x) : *sum + x;
}

/* Trees with categories or linear leaves. */
static void
sum_general(const struct model *model, double *margins)
{
	for (uint32_t t = 0; t < model->tree_count; t++)
		add(model, &margins[model->trees[t].group],
		    leaf_value(model, walk_one(model, model->trees[t].root)));
}

/* The sum stays in a register: through memory it would cost as much as the walks. */
static void
sum_one_class(const struct model *model, double *margin)
{
	uint32_t at[LANES];
	float sum32 = (float)*margin;
	double sum64 = *margin;
	for (uint32_t t = 0; t < model->tree_count; t += LANES) {
		uint32_t count = model->tree_count - t < LANES ? model->tree_count - t : LANES;
		walk_eight(model, &model->trees[t], count, at);
		for (uint32_t i = 0; model->float32 && i < count; i++)
			sum32 += (float)model->nodes[at[i]].value;
		for (uint32_t i = 0; !model->float32 && i < count; i++)
			sum64 += model->nodes[at[i]].value;
	}
	*margin = model->float32 ? (double)sum32 : sum64;
}

static void
sum_classes(const struct model *model, double *margins)
{
	uint32_t at[LANES];
	for (uint32_t t = 0; t < model->tree_count; t += LANES) {
		const struct tree *trees = &model->trees[t];
		uint32_t count = model->tree_count - t < LANES ? model->tree_count - t : LANES;
		walk_eight(model, trees, count, at);
		for (uint32_t i = 0; i < count; i++)
			add(model, &margins[trees[i].group], model->nodes[at[i]].value);
	}
}

/* ---- linear models ---- */

/* Whether an input has this level: as text, or as the number that the level spells. */
static bool
has_level(const struct input *input, const struct value *value, const struct term *term)
{
	switch (value->tag) {
	case VALUE_STRING:
		return strcmp(value->str, term->level) == 0;
	case VALUE_BOOL:
		return strcmp(value->truth ? "true" : "false", term->level) == 0;
	case VALUE_NUMBER:
		if (value->number == value->number)
			return value->number == term->level_number;
		/* fall through */
	default:
		return input->missing_text != NULL && strcmp(input->missing_text, term->level) == 0;
	}
}

static void
sum_terms(const struct model *model, const struct value *inputs, double *margins)
{
	for (uint32_t i = 0; i < model->term_count; i++) {
		const struct term *term = &model->terms[i];
		const struct input *input = &model->inputs[term->input];
		const struct value *value = &inputs[term->input];
		if (term->level != NULL) {
			if (has_level(input, value, term))
				add(model, &margins[term->group], term->weight);
			continue;
		}
		double x = input_number(value);
		if (x != x)
			x = input->missing;
		if (x != x)
			continue;
		double product =
		    model->float32 ? (double)((float)term->weight * (float)x) : term->weight * x;
		add(model, &margins[term->group], product);
	}
}

void
model_margin(const struct model *model, const struct value *inputs, double *ret_margins)
{
	memcpy(ret_margins, model->base, model->class_count * sizeof(*ret_margins));
	if (model->kind == KIND_XGBOOST_TREES || model->kind == KIND_LIGHTGBM_TREES) {
		fill_row(model, inputs);
		if (model->set_count > 0 || model->leaf_of != NULL)
			sum_general(model, ret_margins);
		else if (model->class_count == 1)
			sum_one_class(model, ret_margins);
		else
			sum_classes(model, ret_margins);
	} else {
		sum_terms(model, inputs, ret_margins);
	}
}

/* ---- links ---- */

/* XGBoost's own form: 88.7 keeps exp finite, 1e-16 keeps the quotient below 1. */
static float
logistic_float(float x)
{
	float power = -x < 88.7f ? -x : 88.7f;
	return 1.0f / (1.0f + fmath_expf(power) + 1e-16f);
}

static void
softmax(const struct model *model, double *margins)
{
	double largest = margins[0], sum = 0;
	for (uint32_t i = 1; i < model->class_count; i++)
		if (margins[i] > largest)
			largest = margins[i];
	for (uint32_t i = 0; i < model->class_count; i++) {
		double x = margins[i] - largest;
		margins[i] = model->float32 ? (double)fmath_expf((float)x) : fmath_exp(x);
		sum += margins[i];
	}
	for (uint32_t i = 0; i < model->class_count; i++)
		margins[i] =
		    model->float32 ? (double)((float)margins[i] / (float)sum) : margins[i] / sum;
}

static double
argmax(const struct model *model, const double *margins)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < model->class_count; i++)
		if (margins[i] > margins[best])
			best = i;
	return best;
}

/* log(1 + e) without losing a small e: what the rounded sum is too large or small by is divided
 * out. */
static double
log1p_exp(double x)
{
	double e = fmath_exp(x), sum = 1 + e;
	if (sum == 1)
		return e;
	return sum > 1e300 ? x : fmath_log(sum) * (e / (sum - 1));
}

static double
link_one(const struct model *model, double x)
{
	switch (model->link) {
	case LINK_LOGISTIC:
		return model->float32 ? (double)logistic_float((float)x) :
					1 / (1 + fmath_exp(-(model->link_a * x)));
	case LINK_EXP:
		return model->float32 ? (double)fmath_expf((float)x) : fmath_exp(x);
	case LINK_SIGN:
		return x > 0;
	case LINK_SQUARE:
		return x < 0 ? -(x * x) : x * x;
	case LINK_LOG1P_EXP:
		return log1p_exp(x);
	default:
		return x;
	}
}

void
model_link(const struct model *model, double *margins)
{
	for (uint32_t i = 0; i < model->class_count; i++)
		margins[i] /= model->divisor;
	if (model->link == LINK_SOFTMAX) {
		softmax(model, margins);
	} else if (model->link == LINK_ARGMAX) {
		margins[0] = argmax(model, margins);
	} else {
		for (uint32_t i = 0; i < model->class_count; i++)
			margins[i] = link_one(model, margins[i]);
	}
}

double
model_score(const struct model *model, const struct value *inputs)
{
	double margin;
	CHECK(model->class_count == 1);
	model_margin(model, inputs, &margin);
	if (model->calibration.kind != CALIBRATION_NONE)
		return calibration_apply(&model->calibration, margin / model->divisor);
	model_link(model, &margin);
	return margin;
}
