/* SPDX-License-Identifier: Apache-2.0
 *
 * test_model_categories.c - names of categories in model files: looked up, or refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "model_forms.h"
#include "ubjson_of.h"

/* The same scores in the flat form, where the rows share all but one input, and in UBJSON. */
static void
expect_same_elsewhere(const char *text, const struct model *model, const struct value *values,
    size_t count)
{
	struct model *again = NULL, *binary = NULL;
	struct err err = { 0 };
	struct buf flat = { 0 }, other = { 0 }, file = { 0 };
	struct value rows[ROWS];
	double margins[ROWS];
	bool varies = true;
	assert_true(count <= ROWS);
	model_save(model, &flat);
	assert_int_equal(model_load(flat.data, flat.len, "flat", &again, &err), 0);
	for (size_t i = 0; i < ROWS; i++)
		rows[i] = values[i < count ? i : 0];
	struct model_context *context = model_context_new(again, &varies);
	model_context_begin(context, rows);
	model_context_margins(context, rows, ROWS, margins);
	for (size_t i = 0; i < ROWS; i++) {
		assert_true(margins[i] == margin(model, &rows[i]));
		assert_true(margins[i] == margin(again, &rows[i]));
	}
	model_context_free(context);
	model_free(again);
	if (ubjson_of(text, UBJSON_COUNTED | UBJSON_TYPED, &file)) {
		assert_int_equal(model_import(file.data, file.len, "ubj", &binary, &err), 0);
		model_save(binary, &other);
		assert_int_equal(other.len, flat.len);
		assert_memory_equal(other.data, flat.data, flat.len);
		model_free(binary);
	}
	buf_done(&flat);
	buf_done(&other);
	buf_done(&file);
}

/* ---- XGBoost: names of categories ---- */

/* One input; category 1 goes right (10), any other left (1), what is missing left too, but in the
 * second tree right (200). */
#define CATEGORY_TREE(id, default_left, left, right) \
	"{\"id\":" id ",\"left_children\":[1,-1,-1],\"right_children\":[2,-1,-1]," \
	"\"split_indices\":[0,0,0],\"split_conditions\":[NaN," left "," right "]," \
	"\"default_left\":[" default_left ",0,0],\"split_type\":[1,0,0],\"categories\":[1]," \
	"\"categories_nodes\":[0],\"categories_segments\":[0],\"categories_sizes\":[1]}"
#define CATEGORIES(enc) \
	"{\"version\":[3,1,0],\"learner\":{\"feature_names\":[\"tier\"],\"feature_types\":[\"c\"]" \
	"," \
	"\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{\"cats\":{\"enc\":[" enc "]," \
	"\"feature_segments\":[0,3],\"sorted_idx\":[0,1,2]},\"tree_info\":[0,0],\"trees\":" \
	"[" CATEGORY_TREE("0", "1", "1", "10") "," CATEGORY_TREE("1", "0", "100", \
	    "200") "]}}," \
		   "\"objective\":{\"name\":\"reg:squarederror\"},\"learner_model_param\":{" \
		   "\"base_score\":\"[0E0]\",\"num_class\":\"0\",\"num_feature\":\"1\"}}}"
/* silver, gold, bronzé: in no order of their own */
#define NAMES \
	"{\"offsets\":[0,6,10,17],\"values\":[115,105,108,118,101,114,103,111,108,100," \
	"98,114,111,110,122,-61,-87]}"

static void
xgboost_looks_a_category_up_by_its_name(void **state)
{
	(void)state;
	const struct value values[] = { value_string("silver"), value_string("gold"),
		value_string("bronz\xc3\xa9"), value_string("platinum"), value_string("gol"),
		value_string(""), value_missing(), value_number(1), value_bool(true) };
	const double want[] = { 101, 210, 101, 201, 201, 201, 201, 201, 201 };
	struct model *model = import(CATEGORIES(NAMES), MODEL_TREES_UNSAID);
	assert_true(model_input_is_string(model, 0));
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		assert_true(margin(model, &values[i]) == want[i]);
	expect_same_elsewhere(CATEGORIES(NAMES), model, values, ARRAY_LEN(values));
	int64_t part, base;
	assert_int_equal(model_explain(model, &values[1], 0, &part, &base), 0);
	assert_true(part + base == (int64_t)(210 * MODEL_UNITS));
	model_free(model);
}

static void
xgboost_looks_a_category_up_by_its_number(void **state)
{
	(void)state;
	const struct value values[] = { value_number(7), value_number(-11), value_number(1),
		value_number(7.5), value_string("-11"), value_missing(), value_bool(true),
		value_number(__builtin_nan("")) };
	const double want[] = { 101, 210, 101, 201, 201, 201, 101, 201 };
	static const char text[] = CATEGORIES("{\"type\":12,\"values\":[7,-11,1]}");
	struct model *model = import(text, MODEL_TREES_UNSAID);
	assert_false(model_input_is_string(model, 0));
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		assert_true(margin(model, &values[i]) == want[i]);
	expect_same_elsewhere(text, model, values, ARRAY_LEN(values));
	model_free(model);
}

static void
xgboost_without_names_reads_codes(void **state)
{
	(void)state;
	static const char *const none[] = { CATEGORIES(""),
		CATEGORIES("{\"offsets\":[],\"values\":[]}"),
		CATEGORIES("{\"offsets\":[0],\"values\":[]}"),
		CATEGORIES("{\"type\":9,\"values\":[]}"),
		CATEGORIES("{\"offsets\":[],\"values\":[]},{\"offsets\":[],\"values\":[]}") };
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		struct model *model = import(none[i], MODEL_TREES_UNSAID);
		struct value code = value_number(1), other = value_number(2);
		assert_false(model_input_is_string(model, 0));
		assert_true(margin(model, &code) == 210 && margin(model, &other) == 101);
		model_free(model);
	}
}

static void
names_that_are_none_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ CATEGORIES(NAMES "," NAMES), "categories of 2 features, expected of 1" },
		{ CATEGORIES("{\"offsets\":[0,2,1],\"values\":[97,98]}"),
		    "outside of their array" },
		{ CATEGORIES("{\"offsets\":[0,3],\"values\":[97,98]}"), "outside of their array" },
		{ CATEGORIES("{\"offsets\":[-1,1],\"values\":[97,98]}"), "outside of their array" },
		{ CATEGORIES("{\"offsets\":[0,0.5],\"values\":[97,98]}"),
		    "outside of their array" },
		{ CATEGORIES("{\"offsets\":[0,1],\"values\":[0]}"), "name that is no text" },
		{ CATEGORIES("{\"offsets\":[0,1],\"values\":[256]}"), "name that is no text" },
		{ CATEGORIES("{\"offsets\":[0,1],\"values\":[NaN]}"), "name that is no text" },
		{ CATEGORIES("{\"offsets\":[0,1,2],\"values\":[97,97]}"),
		    "input \"tier\" has a category that is there twice" },
		{ CATEGORIES("{\"type\":9,\"values\":[5,5]}"), "there twice" },
		{ CATEGORIES("{\"type\":9,\"values\":[NaN]}"), "not a finite number" },
		{ CATEGORIES("{\"values\":[1],\"values\":[2]}"), "\"values\" is there twice" },
		{ CATEGORIES("[]"), "expected an object" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_refused(cases[i].text, MODEL_TREES_UNSAID, cases[i].why);
}

/* ---- LightGBM: pandas_categorical ---- */

/* Input a by category: 0 and 2 left (1), any other and what is missing right (10); input b below
 * and above 0.5: 100 and 200, missing is 0. */
#define FRAME(infos, parameter, pandas) \
	"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\n" \
	"objective=regression\nfeature_names=a b\n" infos \
	"\nTree=0\nnum_leaves=2\nnum_cat=1\nsplit_feature=0\nthreshold=0\ndecision_type=1\n" \
	"left_child=-1\nright_child=-2\nleaf_value=1 10\ncat_boundaries=0 1\ncat_threshold=5\n\n" \
	"Tree=1\nnum_leaves=2\nnum_cat=0\nsplit_feature=1\nthreshold=0.5\ndecision_type=2\n" \
	"left_child=-1\nright_child=-2\nleaf_value=100 200\n\nend of trees\n\n" \
	"parameters:\n[boosting: gbdt]\n" parameter \
	"end of parameters\n\npandas_categorical:" pandas "\n"
#define INFOS(a, b) "feature_infos=" a " " b "\n"

static double
margin_of(const struct model *model, struct value a, struct value b)
{
	struct value inputs[] = { a, b };
	return margin(model, inputs);
}

static void
lightgbm_looks_a_category_up_by_its_name(void **state)
{
	(void)state;
	struct model *model =
	    import(FRAME(INFOS("0:1:2", "[0:9.5]"), "", "[[\"gold\", \"bronz\\u00e9\", \"\"]]"),
		MODEL_TREES_UNSAID);
	const struct value a[] = { value_string("gold"), value_string("bronz\xc3\xa9"),
		value_string(""), value_string("silver"), value_missing(), value_number(0) };
	const double want[] = { 201, 210, 201, 210, 210, 210 };
	assert_true(model_input_is_string(model, 0) && !model_input_is_string(model, 1));
	for (size_t i = 0; i < ARRAY_LEN(a); i++)
		assert_true(margin_of(model, a[i], value_number(1)) == want[i]);
	/* The same where many share their context: with the category, or the number, varying. */
	for (int which = 0; which < 2; which++) {
		struct value context_inputs[] = { a[0], value_number(0) }, rows[ROWS];
		bool varies[] = { which == 0, which == 1 };
		double margins[ROWS];
		struct model_context *context = model_context_new(model, varies);
		for (size_t i = 0; i < ROWS; i++)
			rows[i] = which == 0 ? a[i % ARRAY_LEN(a)] : value_number((double)i / 8);
		model_context_begin(context, context_inputs);
		model_context_margins(context, rows, ROWS, margins);
		for (size_t i = 0; i < ROWS; i++)
			assert_true(margins[i] ==
			    (which == 0 ? margin_of(model, rows[i], value_number(0))
					: margin_of(model, a[0], rows[i])));
		model_context_free(context);
	}
	model_free(model);
}

static void
lightgbm_keeps_numbers_as_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *pandas;
		double left, right, unknown;
	} cases[] = {
		{ FRAME(INFOS("0:1:2", "[0:9.5]"), "", "[[0, 1, 2]]"), 2, 1, 3 },
		{ FRAME(INFOS("0:1:2", "[0:9.5]"), "", "[[30, 10, 20]]"), 20, 10, 0 },
		{ FRAME(INFOS("0:1:2", "[0:9.5]"), "", "[[0.5, -1, 1e3]]"), 0.5, -1, 1 },
		{ FRAME(INFOS("0:1", "[0:9.5]"), "", "[[false, true]]"), 0, 1, 2 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct model *model = import(cases[i].pandas, MODEL_TREES_UNSAID);
		assert_false(model_input_is_string(model, 0));
		assert_true(margin_of(model, value_number(cases[i].left), value_missing()) == 101);
		assert_true(margin_of(model, value_number(cases[i].right), value_missing()) == 110);
		assert_true(margin_of(model, value_number(cases[i].unknown), value_missing()) ==
		    110);
		model_free(model);
	}
	struct model *model = import(cases[3].pandas, MODEL_TREES_UNSAID);
	assert_true(margin_of(model, value_bool(false), value_missing()) == 101);
	model_free(model);
}

static void
columns_without_categories_have_no_names(void **state)
{
	(void)state;
	static const char *const none[] = { FRAME("", "", "null"), FRAME("", "", "[]"),
		FRAME("", "", "[[]]"), FRAME("", "", "[[],[]]"),
		FRAME(INFOS("0:1:2", "none"), "", "[[], [], []]") };
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		struct model *model = import(none[i], MODEL_TREES_UNSAID);
		assert_false(model_input_is_string(model, 0));
		assert_true(margin_of(model, value_number(2), value_missing()) == 101);
		model_free(model);
	}
}

static void
which_columns_had_categories_is_seen_in_the_file(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool a, b;
	} cases[] = {
		/* the split alone */
		{ FRAME("", "", "[[\"x\",\"y\",\"z\"]]"), true, false },
		{ FRAME(INFOS("[0:2]", "[0:2]"), "", "[[\"x\",\"y\",\"z\"]]"), true, false },
		/* and by feature_infos, or the parameter */
		{ FRAME(INFOS("0:1:2", "-1:1:0"), "", "[[\"x\",\"y\",\"z\"],[\"p\",\"q\"]]"), true,
		    true },
		{ FRAME("", "[categorical_feature: 0,1]\n", "[[\"x\",\"y\",\"z\"],[\"p\",\"q\"]]"),
		    true, true },
		/* a constant one, and an ordered one */
		{ FRAME(INFOS("0:1:2", "none"), "[categorical_feature: 0]\n",
		      "[[\"x\",\"y\",\"z\"],[\"p\"]]"),
		    true, true },
		{ FRAME(INFOS("0:1:2", "[0:1]"), "[categorical_feature: 0]\n",
		      "[[\"x\",\"y\",\"z\"],[\"p\",\"q\"]]"),
		    true, true },
		{ FRAME(INFOS("0:1:2", "[0:1]"), "", "[[\"x\",\"y\",\"z\"],[0,1]]"), true, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct model *model = import(cases[i].text, MODEL_TREES_UNSAID);
		assert_int_equal(model_input_is_string(model, 0), cases[i].a);
		assert_int_equal(model_input_is_string(model, 1), cases[i].b);
		model_free(model);
	}
	/* Ordered categories are compared by their codes. */
	struct model *model = import(cases[5].text, MODEL_TREES_UNSAID);
	assert_true(margin_of(model, value_string("x"), value_string("p")) == 101);
	assert_true(margin_of(model, value_string("x"), value_string("q")) == 201);
	assert_true(margin_of(model, value_string("x"), value_string("r")) == 101);
	model_free(model);
}

static void
columns_that_the_file_does_not_tell_apart_are_refused(void **state)
{
	(void)state;
	static const char unclear[] = "the file does not say of which";
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ FRAME(INFOS("0:1:2", "[0.5:1]"), "", "[[\"x\",\"y\",\"z\"],[\"p\",\"q\"]]"),
		    unclear },
		{ FRAME(INFOS("0:1:2", "[0:2]"), "", "[[\"x\",\"y\",\"z\"],[\"p\",\"q\"]]"),
		    unclear },
		{ FRAME(INFOS("0:1:2", "[-1:1]"), "", "[[\"x\",\"y\",\"z\"],[\"p\",\"q\"]]"),
		    unclear },
		{ FRAME(INFOS("0:1:2", "[0:1]"), "", "[[\"x\",\"y\"]]"), unclear },
		{ FRAME(INFOS("0:1:2", "0:1"), "", "[[\"x\",\"y\",\"z\"]]"), unclear },
		{ FRAME(INFOS("0:1:2", "0:1"), "", "[[\"x\"],[\"y\"],[\"z\"]]"), unclear },
		{ FRAME("", "", "[[\"x\",1]]"), "input \"a\" has texts and numbers" },
		{ FRAME("", "", "[[\"x\",\"x\"]]"), "a category that is there twice" },
		{ FRAME("", "", "[[NaN]]"), "not a finite number" },
		{ FRAME("", "", "[[null]]"), "pandas_categorical: expected a number" },
		{ FRAME("", "", "[\"x\"]"), "pandas_categorical: expected an array" },
		{ FRAME("", "", "{\"a\":[]}"), "pandas_categorical: expected an array" },
		{ FRAME("", "", "[[\"x\"]"), "pandas_categorical: expected a comma" },
		{ FRAME("", "", "[[]] []"), "pandas_categorical: bytes behind the end" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_refused(cases[i].text, MODEL_TREES_UNSAID, cases[i].why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xgboost_looks_a_category_up_by_its_name),
		cmocka_unit_test(xgboost_looks_a_category_up_by_its_number),
		cmocka_unit_test(xgboost_without_names_reads_codes),
		cmocka_unit_test(names_that_are_none_are_refused),
		cmocka_unit_test(lightgbm_looks_a_category_up_by_its_name),
		cmocka_unit_test(lightgbm_keeps_numbers_as_numbers),
		cmocka_unit_test(columns_without_categories_have_no_names),
		cmocka_unit_test(which_columns_had_categories_is_seen_in_the_file),
		cmocka_unit_test(columns_that_the_file_does_not_tell_apart_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
