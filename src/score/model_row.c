/* SPDX-License-Identifier: Apache-2.0
 *
 * model_row.c - the row that trees compare: columns from inputs, as numbers and as keys.
 *
 * DESIGN
 *   The columns of an input follow each other, so it is read once. A column differs
 *   from its neighbour in what stands for a missing value (enum fill). No branch
 *   where it can be helped: rows miss values at random, and a row of 48 inputs should
 *   cost less than ten trees.
 */
#include "score/model_key.h"

void
model_fill_row(const struct model *model, const struct value *inputs)
{
	double x = 0;
	uint32_t last = UINT32_MAX;
	inputs = model_coded(model, inputs);
	model->row[0] = -__builtin_inf();
	for (uint32_t i = 1; i < model->column_count; i++) {
		const struct column *column = &model->columns[i];
		if (column->input != last) {
			last = column->input;
			x = model_number(model, &inputs[last]);
		}
		model->row[i] = model_filled((enum fill)column->fill, x);
	}
}

/* Each input twice, missing to the right and to the left, as the builder makes them for XGBoost. */
static void
fill_keys_paired(const struct model *model, const struct value *inputs, uint32_t *keys)
{
	const struct column *columns = model->columns;
	for (uint32_t i = 1, count = model->column_count; i < count; i += 2) {
		uint32_t key = key_value(&inputs[columns[i].input]);
		keys[i] = key;
		keys[i + 1] = key == UINT32_MAX ? 0 : key;
	}
}

static void
fill_keys_float(const struct model *model, const struct value *inputs, uint32_t *keys)
{
	for (uint32_t i = 1; i < model->column_count; i++) {
		const struct column *column = &model->columns[i];
		double x = model_number(model, &inputs[column->input]);
		keys[i] = key_float((float)model_filled((enum fill)column->fill, x));
	}
}

static void
fill_keys_double(const struct model *model, const struct value *inputs, uint64_t *keys)
{
	const struct column *columns = model->columns;
	for (uint32_t i = 1, count = model->column_count; i < count; i++)
		keys[i] = key_value_wide((enum fill)columns[i].fill, &inputs[columns[i].input]);
}

void
model_fill_keys(const struct model *model, const struct value *inputs)
{
	inputs = model_coded(model, inputs);
	if (model->wide_keys)
		fill_keys_double(model, inputs, model->key_row);
	else if (model->paired)
		fill_keys_paired(model, inputs, model->key_row);
	else
		fill_keys_float(model, inputs, model->key_row);
}
