/* SPDX-License-Identifier: Apache-2.0
 *
 * model_forest.h - random forests, rows that go to their edges, and margins as their origin would
 * sum them: a walk without any of the model's code.
 */
#ifndef AISLE_TEST_MODEL_FOREST_H
#define AISLE_TEST_MODEL_FOREST_H

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "score/model_impl.h"

#define FOREST_TREES 70
#define FOREST_NODES 1200
#define FOREST_INPUTS 300

struct forest {
	struct raw_node nodes[FOREST_TREES][FOREST_NODES];
	int sizes[FOREST_TREES], count, inputs, classes;
	bool float32;
	double base[3];
	struct model *model;
};

static uint64_t forest_seed;

static inline uint32_t
forest_random(uint32_t below)
{
	forest_seed = forest_seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(forest_seed >> 33) % below;
}

static inline double
forest_number(bool float32)
{
	static const double edges[] = { 0, -0.0, 1e-45, -1e-45, 5e-324, -5e-324, 1e-38, -1e-39, 1,
		-1, 16777217, 3.4e38, -3.4e38, 0.1, 1e-35, -1e-36 };
	double x = forest_random(4) == 0 ? edges[forest_random(ARRAY_LEN(edges))]
					 : ((double)forest_random(2000) - 1000) / 512;
	return float32 ? (double)(float)x : x;
}

/* Bushy trees are full to their depth but for a few leaves; lopsided ones are mostly a chain. */
static inline int
forest_grow(struct forest *f, struct raw_node *nodes, int depth, bool lopsided)
{
	int count = 1, levels[FOREST_NODES] = { 0 };
	for (int i = 0; i < count; i++) {
		bool leaf = levels[i] == depth || count + 2 > FOREST_NODES ||
		    (lopsided ? i % 2 == 0 && i > 0 : forest_random(12) == 0);
		nodes[i] = (struct raw_node){ .left = -1,
			.right = -1,
			.value = ((double)forest_random(4001) - 2000) / 3000 };
		nodes[i].cover = 1 + forest_random(50);
		if (f->float32)
			nodes[i].value = (double)(float)nodes[i].value;
		if (leaf)
			continue;
		static const uint8_t fills[] = { FILL_RAW, FILL_LEFT, FILL_ZERO, FILL_ZERO_LEFT,
			FILL_ZERO_RIGHT };
		nodes[i].left = count++;
		nodes[i].right = count++;
		nodes[i].input = forest_random((uint32_t)f->inputs);
		nodes[i].fill = fills[forest_random(f->float32 ? 2 : 5)];
		nodes[i].value = forest_number(f->float32);
		levels[nodes[i].left] = levels[nodes[i].right] = levels[i] + 1;
	}
	return count;
}

/* The model of the forest; the trees' first nodes lie as they were grown. */
static inline void
forest_plant(struct forest *f)
{
	struct builder b;
	struct err err = { 0 };
	char name[20];
	int r = 0;
	builder_init(&b, f->float32 ? KIND_XGBOOST_TREES : KIND_LIGHTGBM_TREES, "forest", &err);
	for (int i = 0; i < f->inputs && r == 0; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		r = builder_add_input(&b, name);
	}
	if (r == 0)
		r = builder_set_classes(&b, (uint32_t)f->classes);
	for (int k = 0; k < f->classes && r == 0; k++)
		b.model->base[k] = f->base[k];
	for (int t = 0; t < f->count && r == 0; t++)
		r = builder_add_tree(&b, f->nodes[t], (size_t)f->sizes[t],
		    (uint32_t)(t % f->classes));
	if (builder_done(&b, r, &f->model) < 0)
		fail_msg("%s", err.text);
}

/* depth < 0: lopsided. */
static inline struct forest *
forest_new(int count, int depth, int inputs, int classes, bool float32)
{
	struct forest *f = mem_calloc(1, sizeof(*f));
	f->count = count;
	f->inputs = inputs;
	f->classes = classes;
	f->float32 = float32;
	for (int k = 0; k < classes; k++)
		f->base[k] = 0.25 - k;
	for (int t = 0; t < count; t++)
		f->sizes[t] = forest_grow(f, f->nodes[t], depth < 0 ? -depth : depth, depth < 0);
	forest_plant(f);
	return f;
}

static inline void
forest_free(struct forest *f)
{
	model_free(f->model);
	free(f);
}

/* Missing, of the wrong kind, special, a threshold or right beside one. */
static inline struct value
forest_value(const struct forest *f, int input)
{
	static const struct value odd[] = { { .tag = VALUE_MISSING }, { .tag = VALUE_NULL },
		{ .tag = VALUE_STRING, .str = "1" }, { .tag = VALUE_BOOL, .truth = true },
		{ .tag = VALUE_BOOL }, { .tag = VALUE_NUMBER, .number = (double)NAN },
		{ .tag = VALUE_NUMBER, .number = -(double)NAN },
		{ .tag = VALUE_NUMBER, .number = (double)INFINITY },
		{ .tag = VALUE_NUMBER, .number = -(double)INFINITY },
		{ .tag = VALUE_NUMBER, .number = DBL_MAX } };
	if (forest_random(5) == 0)
		return odd[forest_random(ARRAY_LEN(odd))];
	int t = (int)forest_random((uint32_t)f->count);
	int i = (int)forest_random((uint32_t)f->sizes[t]);
	const struct raw_node *node = &f->nodes[t][i];
	if (node->left < 0 || (int)node->input != input || forest_random(3) == 0)
		return value_number(forest_number(false));
	double away = forest_random(2) == 0 ? (double)INFINITY : -(double)INFINITY;
	if (forest_random(2) == 0)
		return value_number(node->value);
	return value_number(f->float32 ? (double)nextafterf((float)node->value, (float)away)
				       : nextafter(node->value, away));
}

static inline bool
forest_left(const struct forest *f, const struct raw_node *node, const struct value *value)
{
	double x = value->tag == VALUE_NUMBER ? value->number
	    : value->tag == VALUE_BOOL	      ? (value->truth ? 1 : 0)
					      : (double)NAN;
	if (f->float32)
		return isnan(x) ? node->fill == FILL_LEFT : (float)x <= (float)node->value;
	bool zero = fabs(x) <= (double)1e-35f; /* to LightGBM this is zero */
	x = zero ? 0 : x;
	switch (node->fill) {
	case FILL_ZERO_LEFT: return zero || isnan(x) || x <= node->value;
	case FILL_ZERO_RIGHT: return !zero && !isnan(x) && x <= node->value;
	case FILL_ZERO: return (isnan(x) ? 0 : x) <= node->value;
	default: return isnan(x) ? node->fill == FILL_LEFT : x <= node->value;
	}
}

static inline void
forest_margins(const struct forest *f, const struct value *row, double *margins)
{
	for (int k = 0; k < f->classes; k++)
		margins[k] = f->base[k];
	for (int t = 0; t < f->count; t++) {
		const struct raw_node *node = f->nodes[t];
		while (node->left >= 0) {
			bool left = forest_left(f, node, &row[node->input]);
			node = &f->nodes[t][left ? node->left : node->right];
		}
		double *sum = &margins[t % f->classes];
		if (f->float32)
			*sum = (double)((float)*sum + (float)node->value);
		else
			*sum += node->value;
	}
}

#endif
