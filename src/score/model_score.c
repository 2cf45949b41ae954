/* SPDX-License-Identifier: Apache-2.0
 *
 * model_score.c - one row through a model.
 *
 * DESIGN
 *   A walk down a tree waits for memory at each level, so eight trees are walked
 *   at once and their waits overlap: as a heap where they are bushy (model_grove.c
 *   has the figures), else by their nodes. A leaf leads to itself: no test for
 *   having arrived, a tree is walked as many steps as it is deep. Lopsided trees
 *   (LightGBM grows them) are looked at every few steps, and left when all eight
 *   have arrived. Leaves are summed in the order of the file, in the type that
 *   the origin sums in: the margin has its bits.
 */
#include "score/model.h"

#include <string.h>

#include "core/fmath.h"
#include "score/model_impl.h"

#define STRIDE 4		/* steps between looks in a lopsided tree */
#define CATEGORY_END 16777216.0 /* XGBoost: float32 counts no further */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* ---- eight trees at once ---- */

/* The slots of a grove, and the row that they are compared with. */
struct heap {
	const void *keys, *columns, *row;
	bool wide_keys, wide_columns;
};

static ALWAYS_INLINE size_t
fall(const struct heap *heap, size_t i)
{
	size_t column = heap->wide_columns ? ((const uint16_t *)heap->columns)[i]
					   : ((const uint8_t *)heap->columns)[i];
	bool right = heap->wide_keys
	    ? ((const uint64_t *)heap->keys)[i] < ((const uint64_t *)heap->row)[column]
	    : ((const uint32_t *)heap->keys)[i] < ((const uint32_t *)heap->row)[column];
	/* 2 i + right. That the two are the same is hidden from the compiler: so it adds both
	 * and the carry of the comparison in one instruction, which saves a sixth of all. */
	size_t twin = i;
	__asm__("" : "+r"(twin));
	return i + twin + right;
}

/* The upper levels of the grove that comes next: on their way while this one is walked. */
static ALWAYS_INLINE void
prefetch(uintptr_t keys, uintptr_t columns)
{
	for (int i = 0; i < 8; i++)
		__builtin_prefetch((const void *)(keys + (uintptr_t)i * 64));
	for (int i = 0; i < 2; i++)
		__builtin_prefetch((const void *)(columns + (uintptr_t)i * 64));
}

/* The slots below the last level where the eight arrive. */
static ALWAYS_INLINE void
fall_eight(const struct heap *heap, uint32_t depth, size_t *at)
{
	size_t a = 8, b = 9, c = 10, d = 11, e = 12, f = 13, g = 14, h = 15;
	for (; depth > 0; depth--) {
		a = fall(heap, a);
		b = fall(heap, b);
		c = fall(heap, c);
		d = fall(heap, d);
		e = fall(heap, e);
		f = fall(heap, f);
		g = fall(heap, g);
		h = fall(heap, h);
	}
	at[0] = a, at[1] = b, at[2] = c, at[3] = d, at[4] = e, at[5] = f, at[6] = g, at[7] = h;
}

/* ---- lopsided trees, eight at once ---- */

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

	for (uint32_t i = 0; i < GROVE_TREES; i++) {
		at[i] = trees[i < count ? i : count - 1].root;
		if (trees[i < count ? i : count - 1].depth > depth)
			depth = trees[i < count ? i : count - 1].depth;
	}
	uint32_t a = at[0], b = at[1], c = at[2], d = at[3], e = at[4], f = at[5], g = at[6],
		 h = at[7];
	for (uint32_t level = 0; level < depth; level++) {
		if (level > 2 * STRIDE && level % STRIDE == 0) {
			uint32_t moving = nodes[a].column | nodes[b].column | nodes[c].column |
			    nodes[d].column | nodes[e].column | nodes[f].column | nodes[g].column |
			    nodes[h].column;
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

/* ---- one tree of any kind ---- */

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

bool
model_goes_left(const struct model *model, const struct node *node)
{
	double x = model->row[node->column & NODE_COLUMN];
	return (node->column & NODE_CATEGORICAL) != 0 ? category_left(model, node, x)
						      : x <= node->value;
}

static uint32_t
walk_one(const struct model *model, uint32_t at)
{
	while (model->nodes[at].column != 0) {
		const struct node *node = &model->nodes[at];
		at = node->left + !model_goes_left(model, node);
	}
	return at;
}

/* A linear leaf; with a missing term, its plain value. */
double
model_leaf_value(const struct model *model, uint32_t at)
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

/* ---- sums ---- */

static ALWAYS_INLINE void
add(const struct model *model, double *sum, double x)
{
	*sum = model->float32 ? (double)((float)*sum + (float)x) : *sum + x;
}

/* Leaves of a grove, by place; the sum of one class stays in a register: through memory it would
 * cost as much as the walks. */
static ALWAYS_INLINE void
add_leaves(const struct model *model, const struct grove *grove, const size_t *at, bool wide,
    double *margins, float *sum32, double *sum64)
{
	size_t bottom = (size_t)GROVE_TREES << grove->depth;
	const float *leaves32 = (const float *)model->slot_leaves + grove->at - bottom;
	const double *leaves64 = (const double *)model->slot_leaves + grove->at - bottom;
	if (model->class_count == 1 && grove->count == GROVE_TREES) {
		/* Unrolled, so that the eight places stay in registers too. */
#pragma GCC unroll 8
		for (uint32_t i = 0; i < GROVE_TREES; i++) {
			if (wide)
				*sum64 += leaves64[at[i]];
			else
				*sum32 += leaves32[at[i]];
		}
		return;
	}
	for (uint32_t i = 0; i < grove->count; i++) {
		double leaf = wide ? leaves64[at[i]] : (double)leaves32[at[i]];
		if (model->class_count > 1)
			add(model, &margins[model->trees[grove->first + i].group], leaf);
		else if (wide)
			*sum64 += leaf;
		else
			*sum32 += (float)leaf;
	}
}

/* A grove that is no heap. */
static void
sum_by_nodes(const struct model *model, const struct grove *grove, double *margins)
{
	uint32_t at[GROVE_TREES];
	const struct tree *trees = &model->trees[grove->first];
	if (grove->kind == GROVE_NODES)
		walk_eight(model, trees, grove->count, at);
	for (uint32_t i = 0; i < grove->count; i++)
		add(model, &margins[trees[i].group],
		    grove->kind == GROVE_NODES
			? model->nodes[at[i]].value
			: model_leaf_value(model, walk_one(model, trees[i].root)));
}

static ALWAYS_INLINE void
sum_groves(const struct model *model, bool wide_keys, bool wide_columns, double *margins)
{
	struct heap heap = {
		.row = model->key_row, .wide_keys = wide_keys, .wide_columns = wide_columns
	};
	const size_t key_size = wide_keys ? 8 : 4, column_size = wide_columns ? 2 : 1;
	size_t at[GROVE_TREES];
	double sum64 = margins[0];
	float sum32 = (float)margins[0];
	for (uint32_t g = 0; g < model->grove_count; g++) {
		const struct grove *grove = &model->groves[g];
		if (grove->kind != GROVE_HEAP) {
			if (model->class_count == 1)
				margins[0] = wide_keys ? sum64 : (double)sum32;
			sum_by_nodes(model, grove, margins);
			sum64 = margins[0];
			sum32 = (float)margins[0];
			continue;
		}
		size_t slots = (size_t)GROVE_TREES << grove->depth;
		heap.keys = (const uint8_t *)model->keys + grove->at * key_size;
		heap.columns = (const uint8_t *)model->key_columns + grove->at * column_size;
		prefetch((uintptr_t)heap.keys + slots * key_size,
		    (uintptr_t)heap.columns + slots * column_size);
		fall_eight(&heap, grove->depth, at);
		add_leaves(model, grove, at, wide_keys, margins, &sum32, &sum64);
	}
	if (model->class_count == 1)
		margins[0] = wide_keys ? sum64 : (double)sum32;
}

static void
sum_trees(const struct model *model, const struct value *inputs, double *margins)
{
	if (model->reads_row)
		model_fill_row(model, inputs);
	if (model->reads_keys)
		model_fill_keys(model, inputs);
	if (model->wide_keys && model->wide_columns)
		sum_groves(model, true, true, margins);
	else if (model->wide_keys)
		sum_groves(model, true, false, margins);
	else if (model->wide_columns)
		sum_groves(model, false, true, margins);
	else
		sum_groves(model, false, false, margins);
}

/* ---- linear models ---- */

static double
input_number(const struct value *value)
{
	if (value->tag == VALUE_NUMBER)
		return value->number;
	return value->tag == VALUE_BOOL ? (double)value->truth : __builtin_nan("");
}

/* Whether an input has this level: as text, or as the number that the level spells. */
static bool
has_level(const struct input *input, const struct value *value, const struct term *term)
{
	switch (value->tag) {
	case VALUE_STRING: return strcmp(value->str, term->level) == 0;
	case VALUE_BOOL: return strcmp(value->truth ? "true" : "false", term->level) == 0;
	case VALUE_NUMBER:
		if (value->number == value->number)
			return value->number == term->level_number;
		/* fall through */
	default:
		return input->missing_text != NULL && strcmp(input->missing_text, term->level) == 0;
	}
}

bool
model_term_value(const struct model *model, const struct term *term, const struct value *value,
    double *ret)
{
	const struct input *input = &model->inputs[term->input];
	if (term->level != NULL) {
		*ret = term->weight;
		return has_level(input, value, term);
	}
	double x = input_number(value);
	if (x == x && input->log1p)
		x = fmath_signed_log1p(x);
	if (x != x)
		x = input->missing;
	if (x != x)
		return false;
	*ret = model->float32 ? (double)((float)term->weight * (float)x) : term->weight * x;
	return true;
}

static void
sum_terms(const struct model *model, const struct value *inputs, double *margins)
{
	double x;
	for (uint32_t i = 0; i < model->term_count; i++) {
		const struct term *term = &model->terms[i];
		if (model_term_value(model, term, &inputs[term->input], &x))
			add(model, &margins[term->group], x);
	}
}

/* ---- a row ---- */

void
model_margin(const struct model *model, const struct value *inputs, double *ret_margins)
{
	memcpy(ret_margins, model->base, model->class_count * sizeof(*ret_margins));
	if (model->kind == KIND_XGBOOST_TREES || model->kind == KIND_LIGHTGBM_TREES)
		sum_trees(model, inputs, ret_margins);
	else
		sum_terms(model, inputs, ret_margins);
}
