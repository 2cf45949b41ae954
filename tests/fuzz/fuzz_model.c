/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_model.c - any bytes as a model: refused, or scored, saved, and loaded the same.
 */
#include <stdlib.h>
#include <string.h>

#include "score/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
score(const struct model *model)
{
	size_t count = model_input_count(model);
	struct value *row = mem_calloc(count + 1, sizeof(*row));
	double *out = mem_calloc(model_class_count(model), sizeof(*out));
	for (size_t i = 0; i < count; i++)
		row[i] = i % 3 == 0 ? value_missing() :
			 i % 3 == 1 ? value_string("gold") :
				      value_number((double)i * 1e9);
	model_margin(model, row, out);
	model_link(model, out);
	free(row);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model *model = NULL, *again = NULL;
	struct err err = { 0 };
	struct buf first = { 0 }, second = { 0 };
	if (model_load(data, size, "fuzz", &model, &err) < 0) {
		err = (struct err){ 0 };
		if (model_import(data, size, "fuzz", &model, &err) < 0)
			return 0;
	}
	score(model);
	model_save(model, &first);
	err = (struct err){ 0 };
	CHECK(model_load(first.data, first.len, "again", &again, &err) == 0);
	score(again);
	model_save(again, &second);
	CHECK(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
	buf_done(&first);
	buf_done(&second);
	model_free(model);
	model_free(again);
	return 0;
}
