/* SPDX-License-Identifier: Apache-2.0
 *
 * model_context.c - one context, many candidates: what they share is asked once.
 *
 * DESIGN
 *   The candidates of a decision differ in a few inputs (the depth of an offer, what it
 *   is worth). With the others known, most splits are decided: a tree shrinks to the
 *   splits on inputs that vary, often to one or none, and a tree without any is a
 *   constant. What is left is a program (model_columns.c) that candidates go through in
 *   columns. Constants are not added up beforehand: float sums depend on their order,
 *   and the margin must have the bits of model_margin.
 *
 *   To shrink the trees costs about as much as to walk some rows, and where much
 *   varies little shrinks: few candidates, and trees that keep more than SELECTS_A_TREE
 *   splits in the mean, are walked row by row (model_score.c).
 */
#include <stdlib.h>
#include <string.h>

#include "score/model_columns.h"
#include "score/model_key.h"

#define SELECTS_A_TREE 16u
#define ROWS_FEW 12u	/* fewer are walked */
#define CHUNK_SLOTS 48u /* a chunk of trees ends here, so that its results stay near */
#define BLOCK_FLOATS (COLUMNS_VECTORS * 4)
#define BLOCK_DOUBLES (COLUMNS_VECTORS * 2)
#define AHEAD 3u	   /* trees: so long does their memory take */
#define NOTHING UINT32_MAX /* operand: the tree does not fit */

struct model_context {
	const struct model *model;
	uint32_t *varying; /* inputs that vary, ascending */
	uint32_t varying_count;
	uint32_t *columns; /* their columns */
	uint32_t column_count;
	uint32_t *place_of;   /* per column of the model: 1 + place in columns, or 0 */
	struct value *inputs; /* of the decision */
	struct program program;
	uint32_t select_cap, constant_cap, constant_count, slots;
	bool begun, compiled, fits;
	bool codes_vary; /* an input that varies has a dictionary: rows are walked */
	columns_run *run;
	uint8_t *block; /* columns of a block of candidates */
};

/* ---- making ---- */

static void
find_varying(struct model_context *context, const bool *varies)
{
	const struct model *model = context->model;
	context->varying = mem_calloc(model->input_count + 1u, sizeof(*context->varying));
	context->columns = mem_calloc(model->column_count + 1u, sizeof(*context->columns));
	context->place_of = mem_calloc(model->column_count + 1u, sizeof(*context->place_of));
	for (uint32_t i = 0; i < model->input_count; i++)
		if (varies[i]) {
			context->varying[context->varying_count++] = i;
			context->codes_vary |= model->inputs[i].dictionary != NULL;
		}
	for (uint32_t i = 1; i < model->column_count; i++) {
		if (!varies[model->columns[i].input])
			continue;
		context->columns[context->column_count++] = i;
		context->place_of[i] = context->column_count;
	}
}

static void
make_room(struct model_context *context)
{
	const struct model *model = context->model;
	struct program *program = &context->program;
	size_t selects = 0, most = (size_t)SELECTS_A_TREE * model->tree_count;
	for (uint32_t i = 0; i < model->node_count; i++)
		selects += context->place_of[model->nodes[i].column & NODE_COLUMN] != 0;
	context->select_cap = (uint32_t)(selects < most ? selects : most);
	context->constant_cap = context->select_cap + model->tree_count;
	program->selects = mem_calloc(context->select_cap + 1u, sizeof(*program->selects));
	program->trees = mem_calloc(model->tree_count + 1u, sizeof(*program->trees));
	program->chunks = mem_calloc(model->tree_count + 1u, sizeof(*program->chunks));
	size_t pool = ((size_t)COLUMNS_SLOTS * COLUMNS_VECTORS + context->constant_cap) * 16;
	size_t block = (size_t)(context->column_count + 1) * COLUMNS_VECTORS * 16;
	program->pool = aligned_alloc(64, (pool + 63) / 64 * 64);
	context->block = aligned_alloc(64, block);
	CHECK(program->pool != NULL && context->block != NULL);
	memset(context->block, 0, block);
}

struct model_context *
model_context_new(const struct model *model, const bool *varies)
{
	struct model_context *context = mem_zero(sizeof(*context));
	context->model = model;
	context->inputs = mem_calloc(model->input_count + 1u, sizeof(*context->inputs));
	find_varying(context, varies);
	make_room(context);
	for (int path = MODEL_PATH_COUNT; context->run == NULL && path-- > 0;)
		context->run = columns_runner((enum model_path)path, model->float32);
	return context;
}

void
model_context_free(struct model_context *context)
{
	if (context == NULL)
		return;
	free(context->varying);
	free(context->columns);
	free(context->place_of);
	free(context->inputs);
	free(context->program.selects);
	free(context->program.trees);
	free(context->program.chunks);
	free(context->program.pool);
	free(context->block);
	free(context);
}

bool
model_context_use(struct model_context *context, enum model_path path)
{
	columns_run *run = columns_runner(path, context->model->float32);
	if (run != NULL)
		context->run = run;
	return run != NULL;
}

size_t
model_context_varying(const struct model_context *context)
{
	return context->varying_count;
}

/* ---- from trees to a program ---- */

static operand
add_constant(struct model_context *context, double value)
{
	uint32_t place = COLUMNS_SLOTS * COLUMNS_VECTORS + context->constant_count;
	if (context->constant_count == context->constant_cap)
		return NOTHING;
	context->constant_count++;
	uint64_t splat[2] = { 0 };
	float narrow = (float)value;
	memcpy(&splat[0], context->model->float32 ? (void *)&narrow : (void *)&value,
	    context->model->float32 ? sizeof(narrow) : sizeof(value));
	if (context->model->float32) /* both halves, whichever end comes first */
		splat[0] = (splat[0] | splat[0] << 32 | splat[0] >> 32);
	splat[1] = splat[0];
	memcpy(context->program.pool + (size_t)place * 16, splat, sizeof(splat));
	return place << 1;
}

/* A leaf is a constant if nothing in it varies. */
static operand
compile_leaf(struct model_context *context, uint32_t at)
{
	const struct model *model = context->model;
	uint32_t leaf = model->leaf_of != NULL ? model->leaf_of[at] : 0;
	if (leaf == 0)
		return add_constant(context, model->nodes[at].value);
	const struct leaf_model *linear = &model->leaves[leaf - 1];
	for (uint32_t i = 0; i < linear->count; i++)
		if (context->place_of[model->terms[linear->first + i].input] != 0)
			return NOTHING;
	return add_constant(context, model_leaf_value(model, at));
}

static int64_t
key_of(const struct model *model, double x)
{
	if (model->float32)
		return (int32_t)(key_float((float)x) ^ UINT32_C(1) << 31);
	return (int64_t)(key_double(x) ^ UINT64_C(1) << 63);
}

/* What the tree below a node comes to. Goes into itself once for each split that varies, at most
 * MODEL_DEPTH_MAX deep. */
static operand
compile_node(struct model_context *context, uint32_t at)
{
	const struct model *model = context->model;
	struct program *program = &context->program;
	const struct node *node = &model->nodes[at];
	uint32_t place;
	while ((place = context->place_of[node->column & NODE_COLUMN]) == 0) {
		if (node->column == 0)
			return compile_leaf(context, (uint32_t)(node - model->nodes));
		bool left = (node->column & NODE_CATEGORICAL) != 0
		    ? model_goes_left(model, node)
		    : model->row[node->column] <= node->value;
		node = &model->nodes[node->left + !left];
	}
	if ((node->column & NODE_CATEGORICAL) != 0)
		return NOTHING;
	operand a = compile_node(context, node->left);
	if (a == NOTHING)
		return NOTHING;
	operand b = compile_node(context, node->left + 1);
	if (b == NOTHING || context->slots == COLUMNS_SLOTS ||
	    program->select_count == context->select_cap)
		return NOTHING;
	program->selects[program->select_count++] = (struct select){
		.key = key_of(model, node->value), .column = place - 1, .a = a, .b = b
	};
	return (context->slots++ * COLUMNS_VECTORS) << 1 | 1;
}

static void
close_chunk(struct model_context *context)
{
	struct program *program = &context->program;
	program->chunks[program->chunk_count++] =
	    (struct chunk){ program->select_count, program->tree_count };
	context->slots = 0;
}

/* Whether it fits: else the rows are walked. */
static bool
compile(struct model_context *context)
{
	const struct model *model = context->model;
	struct program *program = &context->program;
	program->select_count = program->tree_count = program->chunk_count = 0;
	context->constant_count = context->slots = 0;
	program->start = model->base[0];
	model_fill_row(model, context->inputs);
	for (uint32_t t = 0; t < model->tree_count; t++) {
		uint32_t soon = model->trees[t + AHEAD < model->tree_count ? t + AHEAD : t].root;
		for (uint32_t i = 0; i < 4; i++) /* lines of four nodes: the upper levels */
			__builtin_prefetch((const void *)((uintptr_t)&model->nodes[soon] + 64 * i));
		operand tree = compile_node(context, model->trees[t].root);
		if (tree == NOTHING)
			return false;
		program->trees[program->tree_count++] = tree;
		if (context->slots >= CHUNK_SLOTS)
			close_chunk(context);
	}
	close_chunk(context);
	return true;
}

void
model_context_begin(struct model_context *context, const struct value *inputs)
{
	size_t count = context->model->input_count;
	if (count > 0)
		memcpy(context->inputs, inputs, count * sizeof(*inputs));
	for (uint32_t i = 0; i < context->varying_count; i++)
		context->inputs[context->varying[i]] = value_missing();
	context->begun = true;
	context->compiled = false;
}

/* ---- candidates ---- */

static void
walk_rows(struct model_context *context, const struct value *rows, size_t count, double *margins)
{
	for (size_t i = 0; i < count; i++) {
		for (uint32_t k = 0; k < context->varying_count; k++)
			context->inputs[context->varying[k]] = rows[i * context->varying_count + k];
		model_margin(context->model, context->inputs,
		    margins + i * context->model->class_count);
	}
}

/* Columns of a block from rows: the keys of model_row.c, but signed. */
static void
fill_paired(struct model_context *context, const struct value *rows, size_t count)
{
	const struct model *model = context->model;
	int32_t *at = (int32_t *)context->block;
	uint32_t input = 0;
	for (uint32_t c = 0; c < context->column_count; c += 2, at += 2 * BLOCK_FLOATS) {
		while (context->varying[input] != model->columns[context->columns[c]].input)
			input++;
		const struct value *value = &rows[input];
		for (size_t i = 0; i < count; i++, value += context->varying_count) {
			uint32_t key = key_value(value);
			at[i] = (int32_t)(key ^ UINT32_C(1) << 31);
			at[BLOCK_FLOATS + i] = key == UINT32_MAX ? INT32_MIN : at[i];
		}
	}
}

static void
fill_any(struct model_context *context, const struct value *rows, size_t count)
{
	const struct model *model = context->model;
	uint32_t input = 0;
	for (uint32_t c = 0; c < context->column_count; c++) {
		const struct column *column = &model->columns[context->columns[c]];
		while (context->varying[input] != column->input)
			input++;
		for (size_t i = 0; i < count; i++) {
			const struct value *value = &rows[i * context->varying_count + input];
			enum fill fill = (enum fill)column->fill;
			if (model->float32)
				((int32_t *)context->block)[c * BLOCK_FLOATS + i] =
				    (int32_t)key_of(model,
					model_filled(fill, model_number(model, value)));
			else
				((int64_t *)context->block)[c * BLOCK_DOUBLES + i] =
				    (int64_t)(key_value_wide(fill, value) ^ UINT64_C(1) << 63);
		}
	}
}

static void
run_blocks(struct model_context *context, const struct value *rows, size_t count, double *margins)
{
	bool narrow = context->model->float32;
	size_t block = narrow ? BLOCK_FLOATS : BLOCK_DOUBLES;
	union {
		float narrow[BLOCK_FLOATS];
		double wide[BLOCK_DOUBLES];
	} sums;
	for (size_t first = 0; first < count; first += block) {
		size_t here = count - first < block ? count - first : block;
		(context->model->paired ? fill_paired : fill_any)(context,
		    rows + first * context->varying_count, here);
		context->run(&context->program, context->block, &sums);
		for (size_t i = 0; i < here; i++)
			margins[first + i] = narrow ? (double)sums.narrow[i] : sums.wide[i];
	}
}

void
model_context_margins(struct model_context *context, const struct value *rows, size_t count,
    double *ret_margins)
{
	const struct model *model = context->model;
	CHECK(context->begun);
	if (count < ROWS_FEW || model->class_count > 1 || model->tree_count == 0 ||
	    context->codes_vary) {
		walk_rows(context, rows, count, ret_margins);
		return;
	}
	if (!context->compiled) {
		context->fits = compile(context);
		context->compiled = true;
	}
	if (context->fits)
		run_blocks(context, rows, count, ret_margins);
	else
		walk_rows(context, rows, count, ret_margins);
}

void
model_context_scores(struct model_context *context, const struct value *rows, size_t count,
    double *ret_scores)
{
	CHECK(context->model->class_count == 1);
	model_context_margins(context, rows, count, ret_scores);
	for (size_t i = 0; i < count; i++)
		ret_scores[i] = model_score_of(context->model, ret_scores[i]);
}
