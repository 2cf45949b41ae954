/* SPDX-License-Identifier: Apache-2.0
 *
 * model_grove.c - the trees of a model as heaps of eight, for scoring one row.
 *
 * DESIGN
 *   Eight trees that follow each other share one heap with eight roots: from slot i the
 *   way is to slot 2 i, or 2 i + 1 if the row's key is larger. No pointer is followed,
 *   nothing but the key decides, and the eight walks wait for memory together.
 *
 *   Measured on a Zen 4 (gcc 12 -O2, 96 · 512 trees of depth 6 over 48 features, 97
 *   columns, one row, filling it included, best of several runs on a busy machine):
 *     nodes of 16 bytes, doubles, eight walks at once     840 · 4,570 ns
 *     nodes of 8 bytes, keys                              750 · 4,300
 *     a heap a tree, one walk · four · eight at once    1,020 · 640 · 450 · 2,280
 *     slots of key and column together                    630 · 3,260
 *     eight trees in one heap (this)                      450 · 2,300
 *     the same with columns of 16 bits                    520 · 2,640
 *     AVX2 gathers over eight trees                     1,230 · 6,020
 *     bit masks of leaves (QuickScorer)                 3,540 · 16,080
 *   Gathers are no faster than loads here, and masks visit half of all splits where a
 *   walk visits six of a tree's 63. A heap for each tree is as fast but needs an
 *   address a walk; this one has a single base and any depth. In the whole of
 *   model_margin (100 · 500 trees): 600 · 2,590 ns, with the next grove prefetched
 *   560 · 2,400, and with index and comparison added in one instruction 490 · 2,100.
 *
 * INVARIANTS
 *   Slots and leaves of all groves are at most two for a node each, but for the last grove.
 */
#include <stdlib.h>

#include "score/model_key.h"

#define DEPTH_MAX 8u /* of deeper trees a heap would be mostly padding */
#define COLUMNS_MAX 65536u
#define NONE UINT32_MAX

static enum grove_kind
kind_of(const struct model *model, const struct grove *grove)
{
	size_t nodes = 0;
	for (uint32_t t = grove->first; t < grove->first + grove->count; t++) {
		const struct tree *tree = &model->trees[t];
		nodes += tree->end - tree->root;
		for (uint32_t i = tree->root; i < tree->end; i++)
			if ((model->nodes[i].column & NODE_CATEGORICAL) != 0 ||
			    (model->leaf_of != NULL && model->leaf_of[i] != 0))
				return GROVE_GENERAL;
	}
	/* At most four slots for a split; the last grove is judged by the trees that it has. */
	bool fits = grove->depth <= DEPTH_MAX && model->column_count <= COLUMNS_MAX &&
	    ((size_t)grove->count << grove->depth) <= 2 * nodes;
	return fits ? GROVE_HEAP : GROVE_NODES;
}

static void
set_slot(struct model *model, size_t i, const struct node *node)
{
	double value = node != NULL ? node->value : __builtin_inf();
	uint32_t column = node != NULL ? node->column : 0;
	if (model->wide_keys)
		((uint64_t *)model->keys)[i] = key_double(value);
	else
		((uint32_t *)model->keys)[i] = key_float((float)value);
	if (model->wide_columns)
		((uint16_t *)model->key_columns)[i] = (uint16_t)column;
	else
		((uint8_t *)model->key_columns)[i] = (uint8_t)column;
}

static void
set_leaf(struct model *model, size_t i, double value)
{
	if (model->float32)
		((float *)model->slot_leaves)[i] = (float)value;
	else
		((double *)model->slot_leaves)[i] = value;
}

/* Level by level; node_of: for each slot what stands there. */
static void
plant(struct model *model, const struct grove *grove, uint32_t *node_of)
{
	size_t bottom = (size_t)GROVE_TREES << grove->depth;
	for (uint32_t k = 0; k < GROVE_TREES; k++)
		node_of[GROVE_TREES + k] =
		    k < grove->count ? model->trees[grove->first + k].root : NONE;
	for (size_t i = GROVE_TREES; i < bottom; i++) {
		const struct node *node = node_of[i] != NONE ? &model->nodes[node_of[i]] : NULL;
		bool split = node != NULL && node->column != 0;
		set_slot(model, grove->at + i, split ? node : NULL);
		node_of[2 * i] = split ? node->left : node_of[i];
		node_of[2 * i + 1] = split ? node->left + 1 : NONE;
	}
	for (size_t i = 0; i < bottom; i++) {
		uint32_t node = node_of[bottom + i];
		set_leaf(model, grove->at + i, node != NONE ? model->nodes[node].value : 0);
	}
}

static void
survey(struct model *model)
{
	model->reads_row = model->reads_keys = false;
	model->slot_count = 0;
	for (uint32_t i = 0; i < model->grove_count; i++) {
		struct grove *grove = &model->groves[i];
		*grove = (struct grove){ .first = i * GROVE_TREES, .count = GROVE_TREES };
		if (model->tree_count - grove->first < GROVE_TREES)
			grove->count = model->tree_count - grove->first;
		for (uint32_t t = grove->first; t < grove->first + grove->count; t++)
			if (model->trees[t].depth > grove->depth)
				grove->depth = model->trees[t].depth;
		grove->kind = kind_of(model, grove);
		if (grove->kind == GROVE_HEAP) {
			grove->at = model->slot_count;
			model->slot_count += (size_t)GROVE_TREES << grove->depth;
		}
		*(grove->kind == GROVE_HEAP ? &model->reads_keys : &model->reads_row) = true;
	}
}

static bool
is_paired(const struct model *model)
{
	bool paired = model->float32 && model->column_count % 2 == 1;
	for (uint32_t i = 1; paired && i < model->column_count; i += 2)
		paired = model->columns[i].input == model->columns[i + 1].input &&
		    model->columns[i].fill == FILL_RAW && model->columns[i + 1].fill == FILL_LEFT;
	return paired;
}

/* Whole lines of the cache, so that a tree's slots lie on as few as they can. */
static void *
lines(size_t count, size_t size)
{
	size_t bytes = (count * size + 63) / 64 * 64;
	void *at = aligned_alloc(64, bytes + 64);
	CHECK(at != NULL);
	return memset(at, 0, bytes + 64);
}

void
model_plant_groves(struct model *model)
{
	static const size_t room = (size_t)2 * GROVE_TREES << DEPTH_MAX;
	model->wide_keys = !model->float32;
	model->paired = is_paired(model);
	model->wide_columns = model->column_count > 256;
	model->grove_count = (model->tree_count + GROVE_TREES - 1) / GROVE_TREES;
	model->groves = mem_calloc(model->grove_count + 1u, sizeof(*model->groves));
	survey(model);
	size_t count = model->slot_count;
	model->keys = lines(count, model->wide_keys ? sizeof(uint64_t) : sizeof(uint32_t));
	model->key_columns = lines(count, model->wide_columns ? sizeof(uint16_t) : sizeof(uint8_t));
	model->slot_leaves = lines(count, model->float32 ? sizeof(float) : sizeof(double));
	model->key_row = lines(model->column_count + 1u, sizeof(uint64_t));
	uint32_t *node_of = mem_calloc(room, sizeof(*node_of));
	for (uint32_t i = 0; i < model->grove_count; i++)
		if (model->groves[i].kind == GROVE_HEAP)
			plant(model, &model->groves[i], node_of);
	free(node_of);
}
