/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_model.c - any bytes as a model: refused, or scored, saved, and loaded the same; a decision's
 * candidates together, on every path of the machine, as each row alone.
 */
#include <stdlib.h>
#include <string.h>

#include "score/model.h"

#define ROWS 13 /* fewer than twelve are walked one by one, whatever the path */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct value
cell(size_t row, size_t input)
{
	static const double numbers[] = { 0.5, -0.0, 1e9, -3, 1e-45, 16777216, 7 };
	size_t k = row * 5 + input;
	switch (k % 4) {
	case 0: return value_missing();
	case 1: return value_string(k % 8 == 1 ? "gold" : "6");
	case 2:
		return value_number(k % 16 == 2 ? __builtin_inf()
			: k % 16 == 6		? -__builtin_inf()
						: (double)k);
	default: return value_number(numbers[k % 7]);
	}
}

static void
must_be_same(const double *a, const double *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		CHECK(memcmp(&a[i], &b[i], sizeof(*a)) == 0 || (a[i] != a[i] && b[i] != b[i]));
}

/* ROWS rows of inputs; of those that do not vary (the even ones), each row has the first one's. */
static struct value *
make_rows(size_t inputs)
{
	struct value *rows = mem_calloc(ROWS * inputs + 1, sizeof(*rows));
	for (size_t r = 0; r < ROWS; r++)
		for (size_t i = 0; i < inputs; i++)
			rows[r * inputs + i] = cell(i % 2 == 0 ? 0 : r, i);
	return rows;
}

static void
together(const struct model *model, const struct value *rows, const double *alone)
{
	size_t inputs = model_input_count(model), classes = model_class_count(model), varying = 0;
	bool *varies = mem_calloc(inputs + 1, sizeof(*varies));
	struct value *some = mem_calloc(ROWS * inputs + 1, sizeof(*some));
	double *margins = mem_calloc(ROWS * classes, sizeof(*margins));
	for (size_t i = 0; i < inputs; i++)
		varies[i] = i % 2 == 1;
	for (size_t r = 0; r < ROWS; r++)
		for (size_t i = 1; i < inputs; i += 2)
			some[varying++] = rows[r * inputs + i];
	struct model_context *context = model_context_new(model, varies);
	for (enum model_path path = 0; path < MODEL_PATH_COUNT; path++) {
		if (!model_context_use(context, path))
			continue;
		model_context_begin(context, rows);
		model_context_margins(context, some, ROWS, margins);
		must_be_same(margins, alone, ROWS * classes);
	}
	model_context_free(context);
	free(varies);
	free(some);
	free(margins);
}

/* Margins of all rows, checked against those of the context. */
static double *
score(const struct model *model)
{
	size_t inputs = model_input_count(model), classes = model_class_count(model);
	struct value *rows = make_rows(inputs);
	double *margins = mem_calloc(ROWS * classes, sizeof(*margins));
	double *linked = mem_calloc(classes, sizeof(*linked));
	int64_t *parts = mem_calloc(inputs + 1, sizeof(*parts)), base;
	for (size_t r = 0; r < ROWS; r++) {
		model_margin(model, rows + r * inputs, margins + r * classes);
		memcpy(linked, margins + r * classes, classes * sizeof(*linked));
		model_link(model, linked);
	}
	together(model, rows, margins);
	if (model_explain(model, rows, 0, parts, &base) == 0) {
		for (size_t i = 0; i < inputs; i++)
			base += parts[i];
		CHECK(base == (int64_t)(margins[0] * MODEL_UNITS));
	}
	free(rows);
	free(linked);
	free(parts);
	return margins;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model *model = NULL, *again = NULL;
	struct err err = { 0 };
	struct buf first = { 0 }, second = { 0 };
	if (model_load(data, size, "fuzz", &model, &err) < 0) {
		err = (struct err){ 0 };
		if (model_import(data, size, "fuzz", &model, &err) < 0) {
			CHECK(err.text[0] != '\0');
			return 0;
		}
	}
	double *before = score(model);
	model_save(model, &first);
	err = (struct err){ 0 };
	CHECK(model_load(first.data, first.len, "again", &again, &err) == 0);
	double *after = score(again);
	must_be_same(before, after, ROWS * model_class_count(model));
	model_save(again, &second);
	CHECK(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
	free(before);
	free(after);
	buf_done(&first);
	buf_done(&second);
	model_free(model);
	model_free(again);
	return 0;
}
