/* SPDX-License-Identifier: Apache-2.0
 *
 * model_build.c - how an importer makes a model.
 *
 * DESIGN
 *   Trees of all formats become one kind of node: 16 bytes, "row[column] <= value
 *   goes left", children side by side. What differs between the formats is moved
 *   out of the walk. XGBoost's "x < t" in float32 is "x <= the float before t".
 *   A missing value is written into the row as what takes the node's default way
 *   (-inf, NaN), so an input has a column for each treatment that its nodes ask
 *   for (enum fill). Doubles hold float32 exactly, so both formats
 *   compare doubles; only the sums are rounded as the origin rounds them.
 *
 * INVARIANTS
 *   A child's index is larger than its parent's, so no walk can go round.
 *   Leaves are finite and no threshold is NaN: -inf always goes left, NaN always right.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "score/model_impl.h"

void
builder_init(struct builder *b, enum model_kind kind, const char *name, struct err *err)
{
	struct model *model = mem_zero(sizeof(*model));
	*b = (struct builder){ .model = model, .name = name, .err = err };
	model->kind = kind;
	model->link_a = 1;
	model->divisor = 1;
	model->float32 = kind == KIND_XGBOOST_TREES || kind == KIND_XGBOOST_LINEAR;
}

int
builder_refuse(const struct builder *b, const char *format, ...)
{
	char text[300];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_at(b->err, AISLE_E_INVALID, b->name, 0, 0, "%s", text);
}

void *
builder_grow(void *items, size_t *cap, size_t count, size_t size)
{
	if (count < *cap)
		return items;
	*cap = *cap > 0 ? 2 * *cap : 64;
	return mem_realloc(items, *cap * size);
}

static bool
name_is_fit(const char *name)
{
	size_t len = strlen(name);
	for (const char *at = name; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20)
			return false;
	return len > 0 && len <= MODEL_NAME_MAX;
}

int
builder_add_input(struct builder *b, const char *name)
{
	struct model *model = b->model;
	if (model->input_count == MODEL_INPUTS_MAX)
		return builder_refuse(b, "too many inputs, expected at most %u", MODEL_INPUTS_MAX);
	if (!name_is_fit(name))
		return builder_refuse(b,
		    "input %u has no fit name, expected 1 to %u printable characters",
		    model->input_count, MODEL_NAME_MAX);
	size_t cap = model->input_count == 0 ? 0 : 64;
	while (cap > 0 && cap < model->input_count)
		cap *= 2;
	model->inputs =
	    builder_grow(model->inputs, &cap, model->input_count, sizeof(*model->inputs));
	model->inputs[model->input_count++] =
	    (struct input){ .name = mem_strdup(name), .missing = __builtin_nan("") };
	return 0;
}

int
builder_set_dictionary(struct builder *b, uint32_t input, struct dictionary *dictionary)
{
	struct input *to = &b->model->inputs[input];
	CHECK(input < b->model->input_count && to->dictionary == NULL);
	to->dictionary = dictionary;
	to->is_string = dictionary_is_text(dictionary);
	const char *what = dictionary_settle(dictionary);
	return what == NULL ? 0 : builder_refuse(b, "input \"%s\" has %s", to->name, what);
}

int
builder_set_classes(struct builder *b, uint32_t count)
{
	if (count < 1 || count > MODEL_CLASSES_MAX)
		return builder_refuse(b, "%u classes, expected 1 to %u", count, MODEL_CLASSES_MAX);
	free(b->model->base);
	b->model->base = mem_calloc(count, sizeof(double));
	b->model->class_count = count;
	return 0;
}

static uint32_t
add_column(struct builder *b, uint32_t input, enum fill fill)
{
	struct model *model = b->model;
	uint32_t *column = &b->column_of[(size_t)input * FILL_COUNT + fill];
	if (*column == 0) {
		model->columns = builder_grow(model->columns, &b->column_cap, model->column_count,
		    sizeof(*model->columns));
		*column = model->column_count;
		model->columns[model->column_count++] =
		    (struct column){ .input = input, .fill = fill };
	}
	return *column;
}

uint32_t
builder_column(struct builder *b, uint32_t input, enum fill fill)
{
	struct model *model = b->model;
	CHECK(input < model->input_count);
	if (b->column_of == NULL) {
		b->column_of =
		    mem_calloc((size_t)model->input_count * FILL_COUNT, sizeof(*b->column_of));
		model->columns = builder_grow(NULL, &b->column_cap, 0, sizeof(*model->columns));
		model->columns[model->column_count++] = (struct column){ 0 };
	}
	/* XGBoost asks for no other two, and a row is filled faster with both than with either. */
	if (model->float32) {
		add_column(b, input, FILL_RAW);
		add_column(b, input, FILL_LEFT);
	}
	return add_column(b, input, fill);
}

uint32_t
builder_add_set(struct builder *b, const uint32_t *words, size_t count)
{
	struct model *model = b->model;
	model->sets =
	    builder_grow(model->sets, &b->set_cap, model->set_count, sizeof(*model->sets));
	model->sets[model->set_count] =
	    (struct set){ .first = model->word_count, .count = (uint32_t)count };
	for (size_t i = 0; i < count; i++) {
		model->words = builder_grow(model->words, &b->word_cap, model->word_count,
		    sizeof(*model->words));
		model->words[model->word_count++] = words[i];
	}
	return model->set_count++;
}

int
builder_add_leaf(struct builder *b, double constant, uint32_t *ret_leaf)
{
	struct model *model = b->model;
	if (constant - constant != 0)
		return builder_refuse(b, "leaf that is not a finite number");
	model->leaves =
	    builder_grow(model->leaves, &b->leaf_cap, model->leaf_count, sizeof(*model->leaves));
	model->leaves[model->leaf_count] =
	    (struct leaf_model){ .constant = constant, .first = model->term_count };
	*ret_leaf = ++model->leaf_count;
	return 0;
}

int
builder_add_term(struct builder *b, const struct term *term)
{
	struct model *model = b->model;
	if (term->weight - term->weight != 0)
		return builder_refuse(b, "weight that is not a finite number");
	if (model->term_count == MODEL_TERMS_MAX)
		return builder_refuse(b, "too many weights, expected at most %u", MODEL_TERMS_MAX);
	model->terms =
	    builder_grow(model->terms, &b->term_cap, model->term_count, sizeof(*model->terms));
	model->terms[model->term_count] = *term;
	if (term->level != NULL)
		model->terms[model->term_count].level = mem_strdup(term->level);
	model->term_count++;
	return 0;
}

/* ---- trees ---- */

static int
check_raw(struct builder *b, const struct raw_node *node, size_t i, size_t count)
{
	uint32_t tree = b->model->tree_count;
	/* An infinite threshold has a meaning (LightGBM writes "inf"), an infinite leaf has none.
	 */
	if (node->left < 0 ? node->value - node->value != 0 : node->value != node->value)
		return builder_refuse(b, "tree %u, node %zu: %s that is not a finite number", tree,
		    i, node->left < 0 ? "leaf" : "threshold");
	if (node->left < 0)
		return 0;
	if (node->right < 0 || (size_t)node->left >= count || (size_t)node->right >= count)
		return builder_refuse(b, "tree %u, node %zu: child outside of the tree", tree, i);
	if (node->input >= b->model->input_count)
		return builder_refuse(b, "tree %u, node %zu: input %u of %u", tree, i, node->input,
		    b->model->input_count);
	return 0;
}

static struct node
flat_node(struct builder *b, const struct raw_node *raw, uint32_t self, uint32_t left)
{
	if (raw->left < 0)
		return (struct node){ .value = raw->value, .column = 0, .left = self };
	struct node node = { .value = raw->value,
		.left = left,
		.column = builder_column(b, raw->input,
		    raw->categorical ? FILL_RAW : (enum fill)raw->fill) };
	if (raw->categorical) {
		node.value = raw->set;
		node.column |= NODE_CATEGORICAL | (raw->default_left ? NODE_DEFAULT_LEFT : 0);
	}
	return node;
}

static void
add_node(struct builder *b, const struct node *node, uint32_t leaf, double cover)
{
	struct model *model = b->model;
	size_t cap = b->node_cap;
	model->nodes =
	    builder_grow(model->nodes, &b->node_cap, model->node_count, sizeof(*model->nodes));
	if (b->node_cap != cap || model->leaf_of == NULL) {
		model->leaf_of = mem_realloc(model->leaf_of, b->node_cap * sizeof(*model->leaf_of));
		b->covers = mem_realloc(b->covers, b->node_cap * sizeof(*b->covers));
	}
	b->covers[model->node_count] = cover;
	model->leaf_of[model->node_count] = leaf;
	model->nodes[model->node_count++] = *node;
}

static void
reserve_queue(struct builder *b, size_t count)
{
	if (count <= b->queue_cap)
		return;
	free(b->queue);
	free(b->queue_depth);
	free(b->seen);
	b->queue = mem_calloc(count, sizeof(*b->queue));
	b->queue_depth = mem_calloc(count, sizeof(*b->queue_depth));
	b->seen = mem_calloc(count, sizeof(*b->seen));
	b->queue_cap = count;
}

/* A node that is met again: is it its own child, further up the way to it, or elsewhere? Parents
 * come earlier in the queue, so one look back is enough. */
static const char *
seen_why(const struct builder *b, const struct raw_node *nodes, uint32_t at, uint32_t child)
{
	uint32_t self = b->queue[at];
	if (self == child)
		return "it is its own child";
	while (at-- > 0) {
		const struct raw_node *raw = &nodes[b->queue[at]];
		if (raw->left < 0 || ((uint32_t)raw->left != self && (uint32_t)raw->right != self))
			continue;
		self = b->queue[at];
		if (self == child)
			return "it is below itself";
	}
	return "two ways lead to it";
}

/* Breadth first from node 0: children come side by side behind all before them, and nodes
 * that nothing leads to (pruned ones that stayed in the file) are left behind. */
int
builder_add_tree(struct builder *b, const struct raw_node *nodes, size_t count, uint32_t group)
{
	struct model *model = b->model;
	if (model->tree_count == MODEL_TREES_MAX)
		return builder_refuse(b, "too many trees, expected at most %u", MODEL_TREES_MAX);
	if (count == 0 || count > MODEL_NODES_MAX - model->node_count)
		return builder_refuse(b, "tree %u: %zu nodes, expected 1 to %u in all trees",
		    model->tree_count, count, MODEL_NODES_MAX);
	reserve_queue(b, count);
	memset(b->seen, 0, count * sizeof(*b->seen));

	uint32_t root = model->node_count, queued = 1;
	b->queue[0] = 0;
	b->queue_depth[0] = 0;
	b->seen[0] = true;
	for (uint32_t at = 0; at < queued; at++) {
		const struct raw_node *raw = &nodes[b->queue[at]];
		if (check_raw(b, raw, b->queue[at], count) < 0)
			return AISLE_E_INVALID;
		struct node node = flat_node(b, raw, root + at, root + queued);
		add_node(b, &node, raw->left < 0 ? raw->leaf : 0, raw->cover);
		for (int side = 0; side < 2 && raw->left >= 0; side++) {
			uint32_t child = (uint32_t)(side == 0 ? raw->left : raw->right);
			if (b->seen[child])
				return builder_refuse(b, "tree %u, node %u: %s", model->tree_count,
				    child, seen_why(b, nodes, at, child));
			if (b->queue_depth[at] == MODEL_DEPTH_MAX)
				return builder_refuse(b, "tree %u: deeper than %u",
				    model->tree_count, MODEL_DEPTH_MAX);
			b->seen[child] = true;
			b->queue_depth[queued] = b->queue_depth[at] + 1;
			b->queue[queued++] = child;
		}
	}
	model->trees =
	    builder_grow(model->trees, &b->tree_cap, model->tree_count, sizeof(*model->trees));
	model->trees[model->tree_count++] =
	    (struct tree){ .root = root, .end = model->node_count, .group = group };
	return 0;
}

/* ---- finishing ---- */

static int
column_order(const void *a, const void *b)
{
	const struct column *x = a, *y = b;
	if (x->input != y->input)
		return x->input < y->input ? -1 : 1;
	return (x->fill > y->fill) - (x->fill < y->fill);
}

/* Columns in order of input, so that a row is filled in one pass. */
static void
sort_columns(struct builder *b)
{
	struct model *model = b->model;
	if (model->column_count < 2)
		return;
	uint32_t *moved = mem_calloc(model->column_count, sizeof(*moved));
	struct column *old = mem_calloc(model->column_count, sizeof(*old));
	memcpy(old, model->columns, model->column_count * sizeof(*old));
	qsort(model->columns + 1, model->column_count - 1, sizeof(*model->columns), column_order);
	for (uint32_t i = 1; i < model->column_count; i++)
		b->column_of[(size_t)model->columns[i].input * FILL_COUNT +
		    model->columns[i].fill] = i;
	for (uint32_t i = 1; i < model->column_count; i++)
		moved[i] = b->column_of[(size_t)old[i].input * FILL_COUNT + old[i].fill];
	for (uint32_t i = 0; i < model->node_count; i++) {
		struct node *node = &model->nodes[i];
		node->column = (node->column & ~NODE_COLUMN) | moved[node->column & NODE_COLUMN];
	}
	for (uint32_t i = 0; model->kind == KIND_LIGHTGBM_TREES && i < model->term_count; i++)
		model->terms[i].input = moved[model->terms[i].input];
	free(old);
	free(moved);
}

static int
name_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
check_names(struct builder *b)
{
	struct model *model = b->model;
	const char **names = mem_calloc(model->input_count + 1u, sizeof(*names));
	int r = 0;
	for (uint32_t i = 0; i < model->input_count; i++)
		names[i] = model->inputs[i].name;
	qsort(names, model->input_count, sizeof(*names), name_order);
	for (uint32_t i = 1; r == 0 && i < model->input_count; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			r = builder_refuse(b, "two inputs are called \"%s\"", names[i]);
	free(names);
	return r;
}

int
builder_done(struct builder *b, int result, struct model **ret_model)
{
	struct model *model = b->model;
	if (result == 0)
		result = check_names(b);
	if (result == 0) {
		sort_columns(b);
		if (model->node_count > 0)
			model_expect(model, b->covers);
		if (model->leaf_count == 0) {
			free(model->leaf_of);
			model->leaf_of = NULL;
		}
		if (!model_settle(model))
			result = builder_refuse(b, "the model contradicts itself");
	}
	free(b->column_of);
	free(b->covers);
	free(b->queue);
	free(b->queue_depth);
	free(b->seen);
	if (result == 0)
		*ret_model = model;
	else
		model_free(model);
	return result;
}
