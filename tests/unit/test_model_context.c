/* SPDX-License-Identifier: Apache-2.0
 *
 * test_model_context.c - the same bits from every way to score: a row, a grove, candidates in
 * columns, on every path that the machine has.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "model_forest.h"

#define ROWS 120

struct shape {
	int trees, depth, inputs, classes;
	bool float32;
	enum grove_kind kind; /* of the first grove */
};

/* clang-format off */
static const struct shape shapes[] = {
	{ 1, 0, 2, 1, true, GROVE_HEAP },	/* a single leaf */
	{ 7, 1, 5, 1, true, GROVE_HEAP },
	{ 9, 6, 12, 1, true, GROVE_HEAP },
	{ 64, 6, 30, 1, true, GROVE_HEAP },
	{ 33, 5, 299, 1, true, GROVE_HEAP },	/* columns of two bytes */
	{ 30, 4, 12, 3, true, GROVE_HEAP },
	{ 20, -40, 12, 1, true, GROVE_NODES },
	{ 20, -40, 12, 3, false, GROVE_NODES },
	{ 64, 6, 30, 1, false, GROVE_HEAP },
	{ 25, 5, 299, 1, false, GROVE_HEAP },
	{ 30, 4, 12, 3, false, GROVE_HEAP },
	{ 20, 7, 3, 1, false, GROVE_HEAP },
};
/* clang-format on */

static struct forest *
planted(const struct shape *shape)
{
	struct forest *f =
	    forest_new(shape->trees, shape->depth, shape->inputs, shape->classes, shape->float32);
	assert_int_equal(f->model->groves[0].kind, shape->kind);
	return f;
}

static void
expect_bits(double have, double want, const char *what, size_t i)
{
	if (memcmp(&have, &want, sizeof(have)) != 0)
		fail_msg("%s, row %zu: %.17g, expected %.17g", what, i, have, want);
}

static void
a_row_has_the_bits_of_a_plain_walk(void **state)
{
	(void)state;
	struct value row[FOREST_INPUTS];
	for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
		forest_seed = s + 1;
		struct forest *f = planted(&shapes[s]);
		for (size_t i = 0; i < 10 * ROWS; i++) {
			double have[3], want[3];
			for (int k = 0; k < f->inputs; k++)
				row[k] = forest_value(f, k);
			model_margin(f->model, row, have);
			forest_margins(f, row, want);
			for (int k = 0; k < f->classes; k++)
				expect_bits(have[k], want[k], "a row", i);
		}
		forest_free(f);
	}
}

/* Every third input, or none, or all of them. */
static void
choose_varying(bool *varies, int inputs, int which)
{
	for (int i = 0; i < inputs; i++)
		varies[i] = which == 2 || (which == 1 && i % (inputs > 100 ? 9 : 3) == 0);
}

static void
compare_candidates(struct forest *f, struct model_context *context, const bool *varies,
    size_t count)
{
	static struct value rows[ROWS * FOREST_INPUTS];
	struct value row[FOREST_INPUTS];
	double have[ROWS * 3], want[3];
	size_t varying = model_context_varying(context);
	for (int k = 0; k < f->inputs; k++)
		row[k] = forest_value(f, k);
	model_context_begin(context, row);
	for (size_t i = 0; i < count; i++)
		for (int k = 0, at = 0; k < f->inputs; k++)
			if (varies[k])
				rows[i * varying + (size_t)at++] = forest_value(f, k);
	model_context_margins(context, rows, count, have);
	for (size_t i = 0; i < count; i++) {
		for (int k = 0, at = 0; k < f->inputs; k++)
			if (varies[k])
				row[k] = rows[i * varying + (size_t)at++];
		forest_margins(f, row, want);
		for (size_t k = 0, classes = (size_t)f->classes; k < classes; k++)
			expect_bits(have[i * classes + k], want[k], "a candidate", i);
	}
}

static void
candidates_have_the_bits_of_a_plain_walk_on_every_path(void **state)
{
	(void)state;
	static const size_t counts[] = { 0, 1, 3, 4, 5, 11, 12, 13, 15, 16, 17, 31, 33, ROWS };
	bool varies[FOREST_INPUTS];
	int paths = 0;
	for (int path = 0; path < MODEL_PATH_COUNT; path++) {
		for (size_t s = 0; s < 3 * ARRAY_LEN(shapes); s++) {
			forest_seed = 77 + s;
			struct forest *f = planted(&shapes[s / 3]);
			choose_varying(varies, f->inputs, (int)(s % 3));
			struct model_context *context = model_context_new(f->model, varies);
			if (model_context_use(context, (enum model_path)path)) {
				for (size_t k = 0; k < ARRAY_LEN(counts); k++)
					compare_candidates(f, context, varies, counts[k]);
				paths += s == 0;
			}
			model_context_free(context);
			forest_free(f);
		}
	}
	print_message("%d paths\n", paths);
	assert_true(paths >= 1);
#if defined(__SSE2__) || defined(__aarch64__)
	assert_true(paths >= 2);
#endif
}

/* Whatever was asked before must leave no trace: other contexts, more and fewer candidates. */
static void
a_context_can_be_begun_again(void **state)
{
	(void)state;
	bool varies[FOREST_INPUTS];
	forest_seed = 5;
	struct forest *f = planted(&shapes[3]);
	choose_varying(varies, f->inputs, 1);
	struct model_context *context = model_context_new(f->model, varies);
	for (int i = 0; i < 200; i++)
		compare_candidates(f, context, varies, forest_random(ROWS));
	model_context_free(context);
	forest_free(f);
}

static void
scores_go_through_link_and_calibration(void **state)
{
	(void)state;
	bool varies[FOREST_INPUTS] = { true, true };
	struct calibration platt = { .kind = CALIBRATION_PLATT, .a = 0.7, .b = 0.1 };
	struct value row[FOREST_INPUTS], rows[20 * 2];
	double scores[20];
	forest_seed = 9;
	struct forest *f = planted(&shapes[2]);
	f->model->link = LINK_LOGISTIC;
	for (int k = 0; k < f->inputs; k++)
		row[k] = forest_value(f, k);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rows[i] = forest_value(f, i % 2);
	struct model_context *context = model_context_new(f->model, varies);
	for (int round = 0; round < 2; round++) {
		model_context_begin(context, row);
		model_context_scores(context, rows, 20, scores);
		for (size_t i = 0; i < 20; i++) {
			row[0] = rows[2 * i];
			row[1] = rows[2 * i + 1];
			expect_bits(scores[i], model_score(f->model, row), "a score", i);
		}
		assert_int_equal(model_set_calibration(f->model, &platt), 0);
	}
	model_context_free(context);
	forest_free(f);
}

/* Categories, linear leaves: nothing that varies there can be a column, but all must be right. */
static void
trees_of_other_kinds_fall_back_to_rows(void **state)
{
	(void)state;
	static const uint32_t word[] = { 0x2a };
	struct raw_node nodes[] = {
		{ .left = 1, .right = 2, .input = 0, .value = 0.5 },
		{ .left = 3, .right = 4, .input = 1, .categorical = true },
		{ .left = -1, .value = 4, .leaf = 1 },
		{ .left = -1, .value = 1 },
		{ .left = -1, .value = 2 },
	};
	struct builder b;
	struct err err = { 0 };
	struct model *model = NULL;
	uint32_t leaf;
	builder_init(&b, KIND_LIGHTGBM_TREES, "m", &err);
	assert_int_equal(builder_add_input(&b, "a") + builder_add_input(&b, "b") +
		builder_add_input(&b, "c") + builder_set_classes(&b, 1),
	    0);
	nodes[1].set = builder_add_set(&b, word, 1);
	assert_int_equal(builder_add_leaf(&b, 8, &leaf), 0);
	struct term term = { .weight = 0.5, .input = builder_column(&b, 2, FILL_RAW) };
	assert_int_equal(builder_add_term(&b, &term), 0);
	b.model->leaves[0].count = 1;
	assert_int_equal(builder_done(&b, builder_add_tree(&b, nodes, 5, 0), &model), 0);
	assert_int_equal(model->groves[0].kind, GROVE_GENERAL);
	for (unsigned which = 0; which < 8; which++) {
		bool varies[] = { (which & 1) != 0, (which & 2) != 0, (which & 4) != 0 };
		struct model_context *context = model_context_new(model, varies);
		struct value row[] = { value_number(0), value_number(3), value_number(10) };
		struct value rows[16 * 3];
		double margins[16], want;
		size_t varying = model_context_varying(context), at = 0;
		for (size_t i = 0; i < 16; i++)
			for (size_t k = 0; k < 3; k++)
				if (varies[k])
					rows[at++] = value_number((double)(i * (k + 1) % 7) / 2);
		model_context_begin(context, row);
		model_context_margins(context, rows, 16, margins);
		for (size_t i = 0; i < 16; i++) {
			at = i * varying;
			for (size_t k = 0; k < 3; k++)
				if (varies[k])
					row[k] = rows[at++];
			bool listed = row[1].number < 6 && (0x2a >> (int)row[1].number & 1) != 0;
			want = row[0].number <= 0.5 ? (listed ? 1 : 2) : 8 + 0.5 * row[2].number;
			expect_bits(margins[i], want, "a candidate", i);
		}
		model_context_free(context);
	}
	model_free(model);
}

/* A hostile file may say what no trainer would: a threshold that is no float among floats. */
static void
a_float_model_with_numbers_that_are_no_floats_is_refused(void **state)
{
	(void)state;
	forest_seed = 3;
	struct forest *f = planted(&shapes[2]);
	struct model *again = NULL;
	struct buf bytes = { 0 };
	struct err err = { 0 };
	model_save(f->model, &bytes);
	assert_int_equal(model_load(bytes.data, bytes.len, "m", &again, &err), 0);
	model_free(again);
	f->model->nodes[0].value = 0.1;
	buf_clear(&bytes);
	model_save(f->model, &bytes);
	assert_int_equal(model_load(bytes.data, bytes.len, "m", &again, &err), AISLE_E_INVALID);
	buf_done(&bytes);
	forest_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_has_the_bits_of_a_plain_walk),
		cmocka_unit_test(candidates_have_the_bits_of_a_plain_walk_on_every_path),
		cmocka_unit_test(a_context_can_be_begun_again),
		cmocka_unit_test(scores_go_through_link_and_calibration),
		cmocka_unit_test(trees_of_other_kinds_fall_back_to_rows),
		cmocka_unit_test(a_float_model_with_numbers_that_are_no_floats_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
