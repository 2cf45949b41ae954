/* SPDX-License-Identifier: Apache-2.0
 *
 * model.c - what a model says of itself, and its end.
 */
#include <stdlib.h>
#include <string.h>

#include "score/model_impl.h"

void
model_free(struct model *model)
{
	if (model == NULL)
		return;
	for (uint32_t i = 0; i < model->input_count; i++) {
		free(model->inputs[i].name);
		free(model->inputs[i].missing_text);
		dictionary_free(model->inputs[i].dictionary);
	}
	for (uint32_t i = 0; model->terms != NULL && i < model->term_count; i++)
		free((char *)model->terms[i].level);
	calibration_done(&model->calibration);
	free(model->base);
	free(model->inputs);
	free(model->nodes);
	free(model->trees);
	free(model->columns);
	free(model->sets);
	free(model->words);
	free(model->leaf_of);
	free(model->leaves);
	free(model->terms);
	free(model->expected);
	free(model->groves);
	free(model->keys);
	free(model->key_columns);
	free(model->slot_leaves);
	free(model->row);
	free(model->coded);
	free(model->key_row);
	free(model);
}

size_t
model_input_count(const struct model *model)
{
	return model->input_count;
}

const char *
model_input(const struct model *model, size_t i)
{
	CHECK(i < model->input_count);
	return model->inputs[i].name;
}

bool
model_input_is_string(const struct model *model, size_t i)
{
	CHECK(i < model->input_count);
	return model->inputs[i].is_string;
}

size_t
model_category_count(const struct model *model, size_t i)
{
	CHECK(i < model->input_count);
	return model->inputs[i].dictionary != NULL ? model->inputs[i].dictionary->count : 0;
}

struct value
model_category(const struct model *model, size_t i, size_t code)
{
	CHECK(code < model_category_count(model, i));
	const struct category *category = &model->inputs[i].dictionary->entries[code];
	return category->text != NULL ? value_string(category->text)
				      : value_number(category->number);
}

bool
model_input_is_used(const struct model *model, size_t i)
{
	CHECK(i < model->input_count);
	return model->inputs[i].used;
}

size_t
model_class_count(const struct model *model)
{
	return model->class_count;
}

size_t
model_output_count(const struct model *model)
{
	return model->link == LINK_ARGMAX ? 1 : model->class_count;
}

size_t
model_tree_count(const struct model *model)
{
	return model->tree_count;
}

size_t
model_node_count(const struct model *model)
{
	return model->node_count;
}

bool
model_is_float32(const struct model *model)
{
	return model->float32;
}

const char *
model_format(const struct model *model)
{
	static const char *const names[KIND_COUNT] = { "xgboost", "xgboost", "lightgbm",
		"aisle-linear" };
	return NAME_OF(names, model->kind);
}

const char *
model_link_name(const struct model *model)
{
	static const char *const names[LINK_COUNT] = { "identity", "logistic", "softmax", "argmax",
		"exp", "sign", "square", "log1p-exp" };
	return NAME_OF(names, model->link);
}

int
model_set_calibration(struct model *model, const struct calibration *calibration)
{
	if (!calibration_valid(calibration) || model->class_count != 1)
		return AISLE_E_INVALID;
	struct calibration copy = *calibration;
	copy.margins = copy.ps = NULL;
	if (copy.kind == CALIBRATION_ISOTONIC) {
		size_t bytes = copy.count * sizeof(double);
		copy.margins = memcpy(mem_alloc(bytes), calibration->margins, bytes);
		copy.ps = memcpy(mem_alloc(bytes), calibration->ps, bytes);
	}
	calibration_done(&model->calibration);
	model->calibration = copy;
	return 0;
}
