/* SPDX-License-Identifier: Apache-2.0
 *
 * model_flat.c - the flat form of a model: saved, loaded, and never trusted.
 *
 * LAYOUT (little-endian, u32 unless said; text as length varint and bytes; "things · each" is their
 * count first) "aislemod" · version 3 · kind u8 · link u8 · link_a f64 · divisor f64 classes · base
 * f64 each inputs · each: name, is_string u8, log1p u8, missing f64, missing text, categories · each: text (if it is_string) or f64
 * columns · each: input, fill
 * (without the first) nodes · each: value f64, column, left, expected f32 trees · each: root, end, group sets ·
 * each: first, count;  words · each leaves · each: constant f64, first, count;  per node: leaf
 * (only if there are leaves) terms · each: weight f64, level text or none, level as number f64,
 * input, group
 *
 * INVARIANTS
 *   What model_settle accepts can be scored with any row without reading outside
 *   of an array or going round: the importers' models pass through it as well.
 */
#include <stdlib.h>
#include <string.h>

#include "score/model_impl.h"

#define MAGIC "aislemod"
#define FORMAT_VERSION 3u /* 1 had no expected values, 2 no dictionaries and no logarithms */

static bool
is_finite(double x)
{
	return x - x == 0;
}

/* ---- soundness ---- */

static bool
node_sound(const struct model *model, const struct tree *tree, uint32_t i)
{
	const struct node *node = &model->nodes[i];
	uint32_t column = node->column & NODE_COLUMN;
	/* Keys and sums of a float32 model hold no more than a float. */
	if (node->value != node->value ||
	    (model->float32 && (double)(float)node->value != node->value) ||
	    !is_finite((double)model->expected[i]))
		return false;
	if (node->column == 0)
		return is_finite(node->value) && node->left == i &&
		    (model->leaf_of == NULL || model->leaf_of[i] <= model->leaf_count);
	if (column == 0 || column >= model->column_count || node->left <= i ||
	    node->left >= tree->end - 1)
		return false;
	if ((node->column & NODE_CATEGORICAL) == 0)
		return (node->column & NODE_DEFAULT_LEFT) == 0;
	return model->columns[column].fill == FILL_RAW && node->value >= 0 &&
	    node->value < model->set_count && (double)(uint32_t)node->value == node->value;
}

/* Also sets the depth: children come later, so one pass downwards is enough. */
static bool
tree_sound(const struct model *model, struct tree *tree, uint16_t *depths)
{
	if (tree->root >= tree->end || tree->end > model->node_count ||
	    tree->group >= model->class_count)
		return false;
	memset(depths + tree->root, 0, (tree->end - tree->root) * sizeof(*depths));
	tree->depth = 0;
	for (uint32_t i = tree->root; i < tree->end; i++) {
		if (!node_sound(model, tree, i))
			return false;
		const struct node *node = &model->nodes[i];
		if (node->column == 0)
			continue;
		uint16_t below = (uint16_t)(depths[i] + 1);
		if (below > MODEL_DEPTH_MAX)
			return false;
		for (uint32_t child = node->left; child <= node->left + 1; child++)
			if (depths[child] < below)
				depths[child] = below;
		if (below > tree->depth)
			tree->depth = below;
	}
	return true;
}

static bool
trees_sound(struct model *model)
{
	uint16_t *depths = mem_calloc(model->node_count + 1u, sizeof(*depths));
	bool sound = true;
	uint32_t end = 0;
	for (uint32_t i = 0; sound && i < model->tree_count; i++) {
		/* Side by side, or ten thousand trees could claim the same four million nodes. */
		sound = model->trees[i].root == end && tree_sound(model, &model->trees[i], depths);
		end = model->trees[i].end;
	}
	free(depths);
	return sound && end == model->node_count;
}

static bool
sets_sound(const struct model *model)
{
	for (uint32_t i = 0; i < model->set_count; i++) {
		const struct set *set = &model->sets[i];
		if (set->first > model->word_count || set->count > model->word_count - set->first)
			return false;
		for (uint32_t k = 1; model->kind == KIND_XGBOOST_TREES && k < set->count; k++)
			if (model->words[set->first + k] <= model->words[set->first + k - 1])
				return false;
	}
	return true;
}

static bool
terms_sound(const struct model *model)
{
	bool of_leaves = model->kind == KIND_LIGHTGBM_TREES;
	for (uint32_t i = 0; i < model->term_count; i++) {
		const struct term *term = &model->terms[i];
		if (!is_finite(term->weight) || term->group >= model->class_count ||
		    term->input >= (of_leaves ? model->column_count : model->input_count))
			return false;
		if (of_leaves ? term->level != NULL || term->input == 0 ||
			    model->columns[term->input].fill != FILL_RAW
			      : (term->level != NULL) != model->inputs[term->input].is_string)
			return false;
	}
	for (uint32_t i = 0; i < model->leaf_count; i++) {
		const struct leaf_model *leaf = &model->leaves[i];
		if (!is_finite(leaf->constant) || leaf->first > model->term_count ||
		    leaf->count > model->term_count - leaf->first)
			return false;
	}
	return true;
}

static bool
inputs_sound(const struct model *model, bool trees)
{
	for (uint32_t i = 0; i < model->input_count; i++) {
		const struct input *input = &model->inputs[i];
		if (input->name == NULL || input->name[0] == '\0' ||
		    strlen(input->name) > MODEL_NAME_MAX)
			return false;
		if (input->missing == input->missing &&
		    (!is_finite(input->missing) || input->is_string))
			return false;
		if (input->log1p && (input->is_string || model->kind != KIND_LINEAR))
			return false;
		if (input->dictionary != NULL
			? !trees || input->is_string != dictionary_is_text(input->dictionary)
			: trees && input->is_string)
			return false;
	}
	for (uint32_t i = 1; i < model->column_count; i++)
		if (model->columns[i].input >= model->input_count ||
		    model->columns[i].fill >= FILL_COUNT)
			return false;
	for (uint32_t i = 0; i < model->class_count; i++)
		if (!is_finite(model->base[i]))
			return false;
	return true;
}

bool
model_settle(struct model *model)
{
	bool trees = model->kind == KIND_XGBOOST_TREES || model->kind == KIND_LIGHTGBM_TREES;
	if (model->class_count == 0 || !is_finite(model->link_a) || !is_finite(model->divisor) ||
	    model->divisor < 1)
		return false;
	if (trees ? model->tree_count == 0 && model->kind == KIND_LIGHTGBM_TREES
		  : model->tree_count > 0 || model->column_count > 1)
		return false;
	if (model->leaf_count > 0 && model->kind != KIND_LIGHTGBM_TREES)
		return false;
	if (!inputs_sound(model, trees) || !sets_sound(model) || !terms_sound(model) ||
	    !trees_sound(model))
		return false;

	for (uint32_t i = 1; i < model->column_count; i++)
		model->inputs[model->columns[i].input].used = true;
	for (uint32_t i = 0; !trees && i < model->term_count; i++)
		model->inputs[model->terms[i].input].used = true;
	free(model->row);
	model->row = mem_calloc(model->column_count + 1u, sizeof(*model->row));
	bool coded = false;
	for (uint32_t i = 0; i < model->input_count; i++)
		coded |= model->inputs[i].dictionary != NULL;
	free(model->coded);
	model->coded = coded ? mem_calloc(model->input_count + 1u, sizeof(*model->coded)) : NULL;
	model_plant_groves(model);
	return true;
}

/* ---- saving ---- */

static void
save_trees(const struct model *model, struct buf *out)
{
	buf_u32(out, model->column_count > 0 ? model->column_count - 1 : 0);
	for (uint32_t i = 1; i < model->column_count; i++) {
		buf_u32(out, model->columns[i].input);
		buf_u32(out, model->columns[i].fill);
	}
	buf_u32(out, model->node_count);
	for (uint32_t i = 0; i < model->node_count; i++) {
		buf_f64(out, model->nodes[i].value);
		buf_u32(out, model->nodes[i].column);
		buf_u32(out, model->nodes[i].left);
		uint32_t bits;
		memcpy(&bits, &model->expected[i], sizeof(bits));
		buf_u32(out, bits);
	}
	buf_u32(out, model->tree_count);
	for (uint32_t i = 0; i < model->tree_count; i++) {
		buf_u32(out, model->trees[i].root);
		buf_u32(out, model->trees[i].end);
		buf_u32(out, model->trees[i].group);
	}
	buf_u32(out, model->set_count);
	for (uint32_t i = 0; i < model->set_count; i++) {
		buf_u32(out, model->sets[i].first);
		buf_u32(out, model->sets[i].count);
	}
	buf_u32(out, model->word_count);
	for (uint32_t i = 0; i < model->word_count; i++)
		buf_u32(out, model->words[i]);
	buf_u32(out, model->leaf_count);
	for (uint32_t i = 0; i < model->leaf_count; i++) {
		buf_f64(out, model->leaves[i].constant);
		buf_u32(out, model->leaves[i].first);
		buf_u32(out, model->leaves[i].count);
	}
	for (uint32_t i = 0; model->leaf_count > 0 && i < model->node_count; i++)
		buf_u32(out, model->leaf_of[i]);
}

void
model_save(const struct model *model, struct buf *out)
{
	buf_add(out, MAGIC, strlen(MAGIC));
	buf_u32(out, FORMAT_VERSION);
	buf_u8(out, (uint8_t)model->kind);
	buf_u8(out, (uint8_t)model->link);
	buf_f64(out, model->link_a);
	buf_f64(out, model->divisor);
	buf_u32(out, model->class_count);
	for (uint32_t i = 0; i < model->class_count; i++)
		buf_f64(out, model->base[i]);
	buf_u32(out, model->input_count);
	for (uint32_t i = 0; i < model->input_count; i++) {
		buf_str(out, model->inputs[i].name);
		buf_u8(out, model->inputs[i].is_string);
		buf_u8(out, model->inputs[i].log1p);
		buf_f64(out, model->inputs[i].missing);
		buf_str(out, model->inputs[i].missing_text);
		dictionary_save(model->inputs[i].dictionary, out);
	}
	save_trees(model, out);
	buf_u32(out, model->term_count);
	for (uint32_t i = 0; i < model->term_count; i++) {
		buf_f64(out, model->terms[i].weight);
		buf_str(out, model->terms[i].level);
		buf_f64(out, model->terms[i].level_number);
		buf_u32(out, model->terms[i].input);
		buf_u32(out, model->terms[i].group);
	}
}

/* ---- loading ---- */

/* A count of things of which each takes at least `size` bytes: never more than the rest can hold.
 */
static uint32_t
read_count(struct rd *rd, uint32_t max, size_t size)
{
	uint32_t count = rd_u32(rd);
	if (count > max || count > (size_t)(rd->end - rd->at) / size)
		rd->ok = false;
	return rd->ok ? count : 0;
}

static void
load_inputs(struct model *model, struct rd *rd)
{
	uint32_t count = read_count(rd, MODEL_INPUTS_MAX, 16);
	model->inputs = mem_calloc(count + 1u, sizeof(*model->inputs));
	for (; model->input_count < count; model->input_count++) {
		struct input *input = &model->inputs[model->input_count];
		input->name = rd_str(rd);
		input->is_string = rd_u8(rd) != 0;
		input->log1p = rd_u8(rd) != 0;
		input->missing = rd_f64(rd);
		input->missing_text = rd_str(rd);
		input->dictionary = dictionary_load(rd, input->is_string);
	}
}

static void
load_nodes(struct model *model, struct rd *rd)
{
	uint32_t count = read_count(rd, MODEL_INPUTS_MAX * FILL_COUNT, 8);
	model->column_count = count + 1;
	model->columns = mem_calloc(count + 1u, sizeof(*model->columns));
	for (uint32_t i = 1; i <= count; i++) {
		model->columns[i].input = rd_u32(rd);
		model->columns[i].fill = rd_u32(rd);
	}
	model->node_count = read_count(rd, MODEL_NODES_MAX, 20);
	model->nodes = mem_calloc(model->node_count + 1u, sizeof(*model->nodes));
	model->expected = mem_calloc(model->node_count + 1u, sizeof(*model->expected));
	for (uint32_t i = 0; i < model->node_count; i++) {
		model->nodes[i].value = rd_f64(rd);
		model->nodes[i].column = rd_u32(rd);
		model->nodes[i].left = rd_u32(rd);
		uint32_t bits = rd_u32(rd);
		memcpy(&model->expected[i], &bits, sizeof(bits));
	}
	model->tree_count = read_count(rd, MODEL_TREES_MAX, 12);
	model->trees = mem_calloc(model->tree_count + 1u, sizeof(*model->trees));
	for (uint32_t i = 0; i < model->tree_count; i++) {
		model->trees[i].root = rd_u32(rd);
		model->trees[i].end = rd_u32(rd);
		model->trees[i].group = rd_u32(rd);
	}
}

static void
load_tables(struct model *model, struct rd *rd)
{
	model->set_count = read_count(rd, MODEL_NODES_MAX, 8);
	model->sets = mem_calloc(model->set_count + 1u, sizeof(*model->sets));
	for (uint32_t i = 0; i < model->set_count; i++) {
		model->sets[i].first = rd_u32(rd);
		model->sets[i].count = rd_u32(rd);
	}
	model->word_count = read_count(rd, MODEL_BYTES_MAX, 4);
	model->words = mem_calloc(model->word_count + 1u, sizeof(*model->words));
	for (uint32_t i = 0; i < model->word_count; i++)
		model->words[i] = rd_u32(rd);
	model->leaf_count = read_count(rd, MODEL_NODES_MAX, 20);
	model->leaves = mem_calloc(model->leaf_count + 1u, sizeof(*model->leaves));
	for (uint32_t i = 0; i < model->leaf_count; i++) {
		model->leaves[i].constant = rd_f64(rd);
		model->leaves[i].first = rd_u32(rd);
		model->leaves[i].count = rd_u32(rd);
	}
	if (model->leaf_count == 0)
		return;
	model->leaf_of = mem_calloc(model->node_count + 1u, sizeof(*model->leaf_of));
	for (uint32_t i = 0; i < model->node_count; i++)
		model->leaf_of[i] = rd_u32(rd);
}

static void
load_terms(struct model *model, struct rd *rd)
{
	uint32_t count = read_count(rd, MODEL_TERMS_MAX, 25);
	model->terms = mem_calloc(count + 1u, sizeof(*model->terms));
	for (; model->term_count < count; model->term_count++) {
		struct term *term = &model->terms[model->term_count];
		term->weight = rd_f64(rd);
		term->level = rd_str(rd);
		term->level_number = rd_f64(rd);
		term->input = rd_u32(rd);
		term->group = rd_u32(rd);
	}
}

bool
model_is_flat(const void *bytes, size_t len)
{
	return len >= strlen(MAGIC) && memcmp(bytes, MAGIC, strlen(MAGIC)) == 0;
}

int
model_load(const void *bytes, size_t len, const char *name, struct model **ret_model,
    struct err *err)
{
	if (!model_is_flat(bytes, len))
		return err_at(err, AISLE_E_INVALID, name, 0, 0,
		    "not a model, expected the flat form of model import");
	struct rd rd = rd_init((const uint8_t *)bytes + strlen(MAGIC), len - strlen(MAGIC));
	uint32_t version = rd_u32(&rd);
	if (rd.ok && version != FORMAT_VERSION)
		return err_at(err, AISLE_E_INVALID, name, 0, 0, "model of format %u, expected %u",
		    version, FORMAT_VERSION);

	struct model *model = mem_zero(sizeof(*model));
	unsigned kind = rd_u8(&rd), link = rd_u8(&rd);
	model->kind = kind;
	model->link = link;
	model->float32 = kind == KIND_XGBOOST_TREES || kind == KIND_XGBOOST_LINEAR;
	model->link_a = rd_f64(&rd);
	model->divisor = rd_f64(&rd);
	model->class_count = read_count(&rd, MODEL_CLASSES_MAX, 8);
	model->base = mem_calloc(model->class_count + 1u, sizeof(double));
	for (uint32_t i = 0; i < model->class_count; i++)
		model->base[i] = rd_f64(&rd);
	load_inputs(model, &rd);
	load_nodes(model, &rd);
	load_tables(model, &rd);
	load_terms(model, &rd);
	if (!rd_done(&rd) || kind >= KIND_COUNT || link >= LINK_COUNT || !model_settle(model)) {
		model_free(model);
		return err_at(err, AISLE_E_INVALID, name, 0, 0, "damaged model");
	}
	*ret_model = model;
	return 0;
}
