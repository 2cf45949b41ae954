/* SPDX-License-Identifier: Apache-2.0
 *
 * test_model_explain.c - contributions: what they are, and that they add up to the unit.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "model_forest.h"
#include "tools/model_tool.h"

static int64_t
in_units(double x)
{
	return (int64_t)(x * MODEL_UNITS);
}

/* Base and parts give the margin, and the base is the same for every row. */
static void
expect_sum(const struct model *model, const struct value *row, int64_t *bases)
{
	int64_t parts[FOREST_INPUTS], base;
	double margins[3];
	model_margin(model, row, margins);
	for (size_t k = 0; k < model_class_count(model); k++) {
		assert_int_equal(model_explain(model, row, k, parts, &base), 0);
		int64_t sum = base;
		for (size_t i = 0; i < model_input_count(model); i++)
			sum += parts[i];
		assert_true(sum == in_units(margins[k]));
		assert_true(bases[k] == 0 || bases[k] == base);
		bases[k] = base;
	}
}

static void
parts_of_any_forest_add_up_exactly(void **state)
{
	(void)state;
	static const struct {
		int trees, depth, inputs, classes;
		bool float32;
	} shapes[] = {
		{ 64, 6, 30, 1, true },
		{ 64, 6, 30, 1, false },
		{ 30, -30, 12, 3, true },
		{ 30, 4, 12, 3, false },
		{ 1, 0, 2, 1, true },
		{ 5, 0, 2, 1, true },
	};
	struct value row[FOREST_INPUTS];
	for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
		forest_seed = 400 + s;
		struct forest *f = forest_new(shapes[s].trees, shapes[s].depth, shapes[s].inputs,
		    shapes[s].classes, shapes[s].float32);
		int64_t bases[3] = { 0 };
		for (int i = 0; i < 500; i++) {
			for (int k = 0; k < f->inputs; k++)
				row[k] = forest_value(f, k);
			expect_sum(f->model, row, bases);
		}
		forest_free(f);
	}
}

/* a <= 1: (b <= 2: 1 | 5) | 3, with 30 and 10 rows below b and 60 on the right: expected are
 * (30 * 1 + 10 * 5) / 40 = 2 at b and (40 * 2 + 60 * 3) / 100 = 2.6 at the root. */
static struct model *
small_tree(bool covers)
{
	struct raw_node nodes[] = {
		{ .left = 1, .right = 2, .input = 0, .value = 1, .cover = 100 },
		{ .left = 3, .right = 4, .input = 1, .value = 2, .cover = 40 },
		{ .left = -1, .value = 3, .cover = 60 },
		{ .left = -1, .value = 1, .cover = 30 },
		{ .left = -1, .value = 5, .cover = 10 },
	};
	struct builder b;
	struct err err = { 0 };
	struct model *model = NULL;
	builder_init(&b, KIND_LIGHTGBM_TREES, "m", &err);
	assert_int_equal(builder_add_input(&b, "a") + builder_add_input(&b, "b") +
		builder_add_input(&b, "c") + builder_set_classes(&b, 1),
	    0);
	for (size_t i = 0; !covers && i < ARRAY_LEN(nodes); i++)
		nodes[i].cover = 0;
	assert_int_equal(builder_done(&b, builder_add_tree(&b, nodes, ARRAY_LEN(nodes), 0), &model),
	    0);
	return model;
}

static void
a_split_gives_its_input_what_the_expectation_changes_by(void **state)
{
	(void)state;
	static const struct {
		bool covers;
		double a, b, base, part_a, part_b;
	} cases[] = {
		{ true, 1, 3, (double)2.6f, 2 - (double)2.6f, 3 },
		{ true, 1, 2, (double)2.6f, 2 - (double)2.6f, -1 },
		{ true, 1.5, 2, (double)2.6f, 3 - (double)2.6f, 0 },
		{ false, 1, 3, 3, 0, 2 }, /* both sides count the same */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct model *model = small_tree(cases[i].covers);
		struct value row[] = { value_number(cases[i].a), value_number(cases[i].b),
			value_number(7) };
		int64_t parts[3], base;
		assert_int_equal(model_explain(model, row, 0, parts, &base), 0);
		assert_true(base == in_units(cases[i].base));
		assert_true(llabs(parts[0] - in_units(cases[i].part_a)) <= 1);
		assert_true(llabs(parts[1] - in_units(cases[i].part_b)) <= 1);
		assert_true(parts[2] == 0);
		model_free(model);
	}
}

static void
a_linear_model_is_explained_against_a_row_without_anything(void **state)
{
	(void)state;
	static const char text[] =
	    "{\"format\":\"aisle-linear\",\"link\":\"logit\",\"bias\":-1.25,\"weights\":{"
	    "\"spend\":0.5,\"tier=gold\":2,\"tier=none\":8,\"day=6\":16},"
	    "\"missing\":{\"spend\":4,\"tier\":\"none\"}}";
	struct model *model = NULL;
	struct err err = { 0 };
	assert_int_equal(model_import(text, strlen(text), "m", &model, &err), 0);
	struct value row[] = { value_number(2), value_string("gold"), value_number(6) };
	int64_t parts[3], base;
	assert_int_equal(model_explain(model, row, 0, parts, &base), 0);
	assert_true(base == in_units(-1.25 + 2 + 8)); /* spend as 4, tier none, no day */
	assert_true(parts[0] == in_units(-1));
	assert_true(parts[1] == in_units(2 - 8));
	assert_true(parts[2] == in_units(16));
	model_free(model);
}

static void
what_is_too_large_is_not_explained(void **state)
{
	(void)state;
	static const char text[] = "{\"format\":\"aisle-linear\",\"weights\":{\"x\":1}}";
	static const struct {
		double x;
		int result;
	} cases[] = {
		{ 1073741823, 0 },
		{ 1073741824, AISLE_E_FULL },
		{ -1073741823, 0 },
		{ -1073741824, AISLE_E_FULL },
		{ 1e300, AISLE_E_FULL },
		{ (double)INFINITY, AISLE_E_FULL },
	};
	struct model *model = NULL;
	struct err err = { 0 };
	assert_int_equal(model_import(text, strlen(text), "m", &model, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct value row = value_number(cases[i].x);
		int64_t part, base;
		assert_int_equal(model_explain(model, &row, 0, &part, &base), cases[i].result);
		if (cases[i].result == 0)
			assert_true(part == in_units(cases[i].x));
	}
	model_free(model);
}

static void
the_flat_form_keeps_what_is_expected(void **state)
{
	(void)state;
	struct value row[FOREST_INPUTS];
	forest_seed = 31;
	struct forest *f = forest_new(40, 5, 9, 1, true);
	struct model *again = NULL;
	struct buf bytes = { 0 };
	struct err err = { 0 };
	model_save(f->model, &bytes);
	assert_int_equal(model_load(bytes.data, bytes.len, "m", &again, &err), 0);
	for (int i = 0; i < 50; i++) {
		int64_t a[9], b[9], base_a, base_b;
		for (int k = 0; k < f->inputs; k++)
			row[k] = forest_value(f, k);
		assert_int_equal(model_explain(f->model, row, 0, a, &base_a), 0);
		assert_int_equal(model_explain(again, row, 0, b, &base_b), 0);
		assert_true(base_a == base_b);
		assert_memory_equal(a, b, sizeof(a));
	}
	again->expected[3] = INFINITY;
	buf_clear(&bytes);
	model_save(again, &bytes);
	model_free(again);
	assert_int_equal(model_load(bytes.data, bytes.len, "m", &again, &err), AISLE_E_INVALID);
	buf_done(&bytes);
	forest_free(f);
}

static void
the_tool_prints_a_line_for_each_row(void **state)
{
	(void)state;
	static const char model[] =
	    "{\"format\":\"aisle-linear\",\"bias\":1,\"weights\":{\"a\":0.5,"
	    "\"b, \\\"c\\\"\":2}}";
	static const char rows[] = "a,\"b, \"\"c\"\"\"\n4,1\n,-0.25\n";
	char model_path[] = "/tmp/aisle-model-XXXXXX", rows_path[] = "/tmp/aisle-rows-XXXXXX";
	char *out = NULL;
	size_t len;
	struct err err = { 0 };
	FILE *m = fdopen(mkstemp(model_path), "wb"), *r = fdopen(mkstemp(rows_path), "wb");
	fputs(model, m);
	fputs(rows, r);
	fclose(m);
	fclose(r);
	FILE *to = open_memstream(&out, &len);
	int result = model_tool_explain(model_path, MODEL_TREES_UNSAID, rows_path, to, &err);
	fclose(to);
	remove(model_path);
	remove(rows_path);
	assert_int_equal(result, 0);
	assert_string_equal(out, "margin,base,a,\"b, \"\"c\"\"\"\n5,1,2,2\n0.5,1,0,-0.5\n");
	free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_any_forest_add_up_exactly),
		cmocka_unit_test(a_split_gives_its_input_what_the_expectation_changes_by),
		cmocka_unit_test(a_linear_model_is_explained_against_a_row_without_anything),
		cmocka_unit_test(what_is_too_large_is_not_explained),
		cmocka_unit_test(the_tool_prints_a_line_for_each_row),
		cmocka_unit_test(the_flat_form_keeps_what_is_expected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
