/* SPDX-License-Identifier: Apache-2.0
 *
 * model_explain.c - how much each input moved a row's margin.
 *
 * DESIGN
 *   Path attribution (Saabas 2014, "treeinterpreter"; XGBoost calls it
 *   approx_contribs): a node is expected to say the mean of its leaves, weighted by
 *   how much training saw of each (sum_hessian, leaf_count; without them both sides
 *   count the same). Going down, what the expectation changes by is the doing of the
 *   input that was asked. A linear model's input does what its terms add more than
 *   they would if it were missing. Shapley values share more fairly between inputs
 *   that act together, but cost a hundred times as much; these are for every card.
 *
 *   The parts are integers, so that they can be added in any order, and do add up.
 *   The margin is a sum of rounded floats, the parts are not: what the rounding made
 *   (for float32, about a millionth of the margin) goes to the largest part.
 */
#include <stdlib.h>
#include <string.h>

#include "score/model_impl.h"

#define FLOAT_MAX 3.40282346638528859812e38

/* ---- expectations, when a model is built ---- */

static double
mean(double left, double right, double left_cover, double right_cover)
{
	double sum = left_cover + right_cover;
	if (!(left_cover > 0 && right_cover > 0) || sum - sum != 0)
		return left / 2 + right / 2;
	return left * (left_cover / sum) + right * (right_cover / sum);
}

void
model_expect(struct model *model, const double *covers)
{
	double *means = mem_calloc(model->node_count + 1u, sizeof(*means));
	free(model->expected);
	model->expected = mem_calloc(model->node_count + 1u, sizeof(*model->expected));
	for (uint32_t i = model->node_count; i-- > 0;) { /* children before parents */
		const struct node *node = &model->nodes[i];
		uint32_t left = node->left, right = left + 1;
		means[i] = node->column == 0
		    ? node->value
		    : mean(means[left], means[right], covers[left], covers[right]);
		double bound = means[i] < -FLOAT_MAX ? -FLOAT_MAX : means[i];
		model->expected[i] = (float)(bound > FLOAT_MAX ? FLOAT_MAX : bound);
	}
	free(means);
}

/* ---- one row ---- */

struct explaining {
	const struct model *model;
	int64_t *parts, base, sum; /* sum: of base and parts */
	uint32_t last;		   /* input that was asked last; UINT32_MAX: none */
	bool fits;
};

/* Cut to a whole number of units; what is too large to be told so makes `fits` false. */
static int64_t
units(struct explaining *e, double x)
{
	if (x > -(double)(1 << 30) && x < (double)(1 << 30))
		return (int64_t)(x * MODEL_UNITS);
	e->fits = false;
	return 0;
}

static void
give(struct explaining *e, int64_t *to, int64_t amount)
{
	if (__builtin_add_overflow(*to, amount, to) ||
	    __builtin_add_overflow(e->sum, amount, &e->sum))
		e->fits = false;
}

static void
explain_tree(struct explaining *e, const struct tree *tree)
{
	const struct model *model = e->model;
	uint32_t at = tree->root;
	int64_t before = units(e, (double)model->expected[at]);
	give(e, &e->base, before);
	while (model->nodes[at].column != 0) {
		const struct node *node = &model->nodes[at];
		at = node->left + !model_goes_left(model, node);
		int64_t after = units(e,
		    model->nodes[at].column != 0 ? (double)model->expected[at]
						 : model_leaf_value(model, at));
		e->last = model->columns[node->column & NODE_COLUMN].input;
		give(e, &e->parts[e->last], after - before);
		before = after;
	}
}

static void
explain_term(struct explaining *e, const struct term *term, const struct value *value)
{
	struct value missing = value_missing();
	double with = 0, without = 0;
	if (!model_term_value(e->model, term, value, &with))
		with = 0;
	if (!model_term_value(e->model, term, &missing, &without))
		without = 0;
	int64_t before = units(e, without);
	give(e, &e->base, before);
	give(e, &e->parts[term->input], units(e, with) - before);
	e->last = term->input;
}

static int64_t *
largest(struct explaining *e)
{
	uint32_t best = e->last;
	if (best == UINT32_MAX)
		return &e->base;
	for (uint32_t i = 0; i < e->model->input_count; i++)
		if (llabs(e->parts[i]) > llabs(e->parts[best]))
			best = i;
	return &e->parts[best];
}

int
model_explain(const struct model *model, const struct value *inputs, size_t class,
    int64_t *ret_parts, int64_t *ret_base)
{
	double margins[MODEL_CLASSES_MAX];
	struct explaining e = {
		.model = model, .parts = ret_parts, .last = UINT32_MAX, .fits = true
	};
	CHECK(class < model->class_count);
	memset(ret_parts, 0, model->input_count * sizeof(*ret_parts));
	model_margin(model, inputs, margins);
	give(&e, &e.base, units(&e, model->base[class]));
	if (model->tree_count > 0)
		model_fill_row(model, inputs);
	for (uint32_t t = 0; t < model->tree_count; t++)
		if (model->trees[t].group == class)
			explain_tree(&e, &model->trees[t]);
	for (uint32_t i = 0; model->tree_count == 0 && i < model->term_count; i++)
		if (model->terms[i].group == class)
			explain_term(&e, &model->terms[i], &inputs[model->terms[i].input]);
	give(&e, largest(&e), units(&e, margins[class]) - e.sum);
	*ret_base = e.base;
	return e.fits ? 0 : AISLE_E_FULL;
}
