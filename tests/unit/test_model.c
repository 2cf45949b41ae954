/* SPDX-License-Identifier: Apache-2.0
 *
 * test_model.c - models: margins to the bit, what is refused, the flat form.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/csv.h"
#include "core/fmath.h"
#include "score/model.h"
#include "score/model_xgboost.h"
#include "tools/model_tool.h"

#define FIXTURES "tests/data/lightgbm/"

static struct model *
import(const char *text)
{
	struct model *model = NULL;
	struct err err = { 0 };
	if (model_import(text, strlen(text), "m", &model, &err) < 0)
		fail_msg("%s", err.text);
	return model;
}

static void
expect_refused(const char *text, const char *part)
{
	struct model *model = NULL;
	struct err err = { 0 };
	assert_int_equal(model_import(text, strlen(text), "m", &model, &err), AISLE_E_INVALID);
	assert_null(model);
	if (strstr(err.text, part) == NULL)
		fail_msg("\"%s\", expected \"%s\"", err.text, part);
}

static double
margin(const struct model *model, const struct value *inputs)
{
	double m[8];
	assert_true(model_class_count(model) <= 8);
	model_margin(model, inputs, m);
	return m[0];
}

static char *
read_file(const char *path, size_t *ret_len)
{
	struct buf text = { 0 };
	char chunk[4096];
	FILE *in = fopen(path, "rb");
	if (in == NULL)
		fail_msg("%s is not there; tests run in the project's folder", path);
	for (size_t n; (n = fread(chunk, 1, sizeof(chunk), in)) > 0;)
		buf_add(&text, chunk, n);
	fclose(in);
	*ret_len = text.len;
	return buf_steal(&text);
}

/* ---- LightGBM: the library's own figures ---- */

static void
compare_scores(const char *folder, const char *model, bool is_margin)
{
	char rows[200], wanted[200];
	snprintf(rows, sizeof(rows), FIXTURES "%s/rows.csv", folder);
	snprintf(wanted, sizeof(wanted), FIXTURES "%s/%s.csv", folder, is_margin ? "raw" : "score");

	char *have = NULL;
	size_t have_len = 0, want_len;
	FILE *out = open_memstream(&have, &have_len);
	struct err err = { 0 };
	if (model_tool_score(model, MODEL_TREES_UNSAID, rows, is_margin, out, &err) < 0)
		fail_msg("%s: %s", model, err.text);
	fclose(out);
	char *want = read_file(wanted, &want_len);
	if (is_margin) {
		assert_string_equal(have, want); /* to the last printed bit */
	} else {
		const char *a = have, *b = want;
		while (*b != '\0') {
			char *a_end, *b_end;
			double x = strtod(a, &a_end), y = strtod(b, &b_end);
			double distance = x > y ? x - y : y - x;
			if (!(distance <= 1e-15 * (y < 0 ? -y : y)) && x == x && x != y)
				fail_msg("%s: %.17g, expected %.17g", folder, x, y);
			assert_int_equal(*a_end, *b_end);
			a = a_end + 1;
			b = b_end + 1;
		}
		assert_int_equal(*a, '\0');
	}
	free(have);
	free(want);
}

static void
lightgbm_margins_match_to_the_bit_and_scores_to_print(void **state)
{
	(void)state;
	static const char *const folders[] = { "binary_sigmoid", "categorical", "linear_tree",
		"multiclass", "zero_as_missing", "rf", "no_split", "regression_sqrt", "poisson",
		"cross_entropy_lambda" };
	char flat[] = "/tmp/aisle-model-XXXXXX";
	int fd = mkstemp(flat);
	assert_true(fd >= 0);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		char source[200];
		struct err err = { 0 };
		snprintf(source, sizeof(source), FIXTURES "%s/model.txt", folders[i]);
		assert_int_equal(model_tool_import(source, MODEL_TREES_UNSAID, flat, &err), 0);
		compare_scores(folders[i], source, true);
		compare_scores(folders[i], source, false);
		compare_scores(folders[i], flat, true);
		compare_scores(folders[i], flat, false);
	}
	remove(flat);
}

#define LGB_HEAD \
	"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\n" \
	"objective=regression\nfeature_names=a\n\n"
#define LGB_TREE(decision, threshold) \
	"Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=" threshold \
	"\ndecision_type=" decision "\nleft_child=-1\nright_child=-2\nleaf_value=1 2\n\n"
#define LGB_END "end of trees\n"

static void
lightgbm_sends_missing_and_zero_where_the_split_says(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double missing, zero, tiny, one, minus_one;
	} cases[] = {
		{ LGB_HEAD LGB_TREE("0", "0.5") LGB_END, 1, 1, 1, 2,
		    1 }, /* missing none: NaN is 0 */
		{ LGB_HEAD LGB_TREE("2", "-0.5") LGB_END, 2, 2, 2, 2, 1 },
		{ LGB_HEAD LGB_TREE("4", "0.5") LGB_END, 2, 2, 2, 2, 1 },   /* zero, to the right */
		{ LGB_HEAD LGB_TREE("6", "-0.5") LGB_END, 1, 1, 1, 2, 1 },  /* zero, to the left */
		{ LGB_HEAD LGB_TREE("8", "0.5") LGB_END, 2, 1, 1, 2, 1 },   /* NaN, to the right */
		{ LGB_HEAD LGB_TREE("10", "-0.5") LGB_END, 1, 2, 2, 2, 1 }, /* NaN, to the left */
		{ LGB_HEAD LGB_TREE("8", "inf") LGB_END, 2, 1, 1, 1, 1 }, /* all but the missing */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct model *model = import(cases[i].text);
		struct value v[] = { value_missing(), value_number(__builtin_nan("")),
			value_number(0), value_number(1e-36), value_number(1), value_number(-1) };
		assert_true(margin(model, &v[0]) == cases[i].missing);
		assert_true(margin(model, &v[1]) == cases[i].missing);
		assert_true(margin(model, &v[2]) == cases[i].zero);
		assert_true(margin(model, &v[3]) == cases[i].tiny);
		assert_true(margin(model, &v[4]) == cases[i].one);
		assert_true(margin(model, &v[5]) == cases[i].minus_one);
		model_free(model);
	}
}

static void
lightgbm_goes_left_at_the_threshold(void **state)
{
	(void)state;
	struct model *model = import(LGB_HEAD LGB_TREE("8", "0.10000000000000001") LGB_END);
	struct value at = value_number(0.1), above = value_number(0.10000000000000002);
	assert_true(margin(model, &at) == 1);
	assert_true(margin(model, &above) == 2);
	model_free(model);
}

static void
lightgbm_files_that_cannot_be_honoured_are_refused(void **state)
{
	(void)state;
	expect_refused(LGB_HEAD LGB_TREE("8", "0.5"), "cut off");
	expect_refused(LGB_HEAD LGB_TREE("8", "nan") LGB_END,
	    "threshold that is not a finite number");
	expect_refused(LGB_HEAD LGB_TREE("16", "0.5") LGB_END, "decision_type");
	expect_refused(LGB_HEAD LGB_TREE("9", "0") LGB_END, "categor");
	expect_refused(LGB_HEAD LGB_TREE("8", "0.5 1") LGB_END, "arrays of different lengths");
	expect_refused(LGB_HEAD LGB_TREE("8", "x") LGB_END, "expected numbers");
	expect_refused(LGB_HEAD LGB_END, "0 trees");
	expect_refused(LGB_HEAD "tree_sizes=100 100\n" LGB_END, "0 trees");
	expect_refused("tree\nversion=v5\n", "version v5");
	expect_refused("tree\nversion=v4\nobjective=nonsense\n", "\"nonsense\"");
	expect_refused("tree\nversion=v4\nnum_tree_per_iteration=1\nmax_feature_idx=1\nfeature_"
		       "names=a a\n\n" LGB_TREE("8", "0.5") LGB_END,
	    "two inputs are called \"a\"");
	expect_refused(LGB_HEAD
	    "Tree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 0\nthreshold=1 2\ndecision_type=8 8\n"
	    "left_child=1 0\nright_child=-1 -2\nleaf_value=1 2 3\n\n" LGB_END,
	    "node 0: it is below itself");
	expect_refused(LGB_HEAD
	    "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=1\ndecision_type=8\n"
	    "left_child=-1\nright_child=-3\nleaf_value=1 2\n\n" LGB_END,
	    "child outside");
	expect_refused(LGB_HEAD "Tree=0\nnum_leaves=1\nleaf_value=inf\n\n" LGB_END,
	    "leaf that is not a finite number");
}

/* ---- XGBoost ---- */

#define XGB(objective, base, names, tree, more) \
	"{\"version\":[1,7,4],\"learner\":{\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{" \
	"\"gbtree_model_param\":{\"num_trees\":\"1\"},\"tree_info\":[0],\"trees\":[" tree "]" more \
	"}}," \
	"\"feature_names\":" names ",\"objective\":{\"name\":\"" objective "\"}," \
	"\"learner_model_param\":{\"base_score\":\"" base \
	"\",\"num_class\":\"0\",\"num_feature\":\"2\"}}}"
#define XGB_TREE(condition, default_left, type, categories) \
	"{\"tree_param\":{\"num_nodes\":\"3\",\"size_leaf_vector\":\"0\"},\"left_children\":[1,-" \
	"1,-1]," \
	"\"right_children\":[2,-1,-1],\"split_indices\":[1,0,0],\"split_conditions\":[" condition \
	",-1.5,2.5]," \
	"\"default_left\":[" default_left ",0,0],\"split_type\":[" type ",0,0]," categories \
	"\"unknown\":{\"a\":[{},[1]]}}"
#define XGB_NUMERIC XGB_TREE("1E-1", "1", "0", "")

static double
xgb_second(const struct model *model, struct value second)
{
	struct value inputs[2] = { value_missing(), second };
	return margin(model, inputs);
}

static void
xgboost_compares_and_sums_in_float32(void **state)
{
	(void)state;
	struct model *model =
	    import(XGB("reg:squarederror", "0.25", "[\"a\",\"b\"]", XGB_NUMERIC, ""));
	assert_true(model_is_float32(model));
	assert_string_equal(model_format(model), "xgboost");
	assert_string_equal(model_input(model, 1), "b");
	assert_true(model_input_is_used(model, 1));
	assert_false(model_input_is_used(model, 0));
	/* 0.1 as double is below 0.1f, but as float32 it is the threshold itself: right. */
	assert_true(xgb_second(model, value_number(0.1)) == 2.75);
	assert_true(xgb_second(model, value_number((double)0.099999994f)) == -1.25);
	assert_true(xgb_second(model, value_missing()) == -1.25);
	assert_true(xgb_second(model, value_string("0.5")) ==
	    -1.25); /* text is no number: missing */
	assert_true(xgb_second(model, value_bool(true)) == 2.75);
	model_free(model);

	model = import(XGB("reg:squarederror", "0", "[]", XGB_TREE("0", "false", "0", ""), ""));
	assert_string_equal(model_input(model, 1), "f1");
	assert_true(xgb_second(model, value_number(-0.0)) == 2.5);
	assert_true(xgb_second(model, value_number(-1e-45)) == -1.5);
	assert_true(xgb_second(model, value_missing()) == 2.5);
	model_free(model);
}

static void
xgboost_categories_listed_go_right(void **state)
{
	(void)state;
	struct model *model = import(XGB("reg:squarederror", "0", "[]",
	    XGB_TREE("NaN", "0", "1",
		"\"categories\":[7,3],\"categories_nodes\":[0],\"categories_segments\":[0],"
		"\"categories_sizes\":[2],"),
	    ""));
	const double right[] = { 3, 7, 3.9 }, left[] = { 0, 2, 4, 8, -1, -0.5, 16777216, 1e30 };
	for (size_t i = 0; i < ARRAY_LEN(right); i++)
		assert_true(xgb_second(model, value_number(right[i])) == 2.5);
	for (size_t i = 0; i < ARRAY_LEN(left); i++)
		assert_true(xgb_second(model, value_number(left[i])) == -1.5);
	assert_true(xgb_second(model, value_missing()) == 2.5);
	model_free(model);
}

static void
xgboost_base_score_goes_through_the_link(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double base;
	} cases[] = {
		{ XGB("binary:logistic", "5E-1", "[]", XGB_NUMERIC, ""), 0 },
		{ XGB("binary:logistic", "[5E-1]", "[]", XGB_NUMERIC, ""), 0 },
		{ XGB("binary:logistic", "[2E-1]", "[]", XGB_NUMERIC, ""), (double)-1.38629436f },
		{ XGB("count:poisson", "3", "[]", XGB_NUMERIC, ""), (double)1.09861231f },
		{ XGB("binary:logitraw", "0.5", "[]", XGB_NUMERIC, ""), 0.5 },
		{ XGB("rank:ndcg", "0.5", "[]", XGB_NUMERIC, ""), 0.5 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct model *model = import(cases[i].text);
		float sum = (float)cases[i].base + 2.5f;
		assert_true(xgb_second(model, value_number(9)) == (double)sum);
		model_free(model);
	}
	expect_refused(XGB("binary:logistic", "1", "[]", XGB_NUMERIC, ""), "base_score 1");
	expect_refused(XGB("binary:logistic", "0", "[]", XGB_NUMERIC, ""), "base_score 0");
	expect_refused(XGB("binary:logistic", "1e-40", "[]", XGB_NUMERIC, ""), "base_score 1e-40");
	expect_refused(XGB("reg:squarederror", "1e39", "[]", XGB_NUMERIC, ""),
	    "not a finite number");
	expect_refused(XGB("reg:squarederror", "inf", "[]", XGB_NUMERIC, ""), "base_score inf");
	expect_refused(XGB("reg:squarederror", "0x1", "[]", XGB_NUMERIC, ""), "base_score 0x1");
	expect_refused(XGB("reg:squarederror", "[1", "[]", XGB_NUMERIC, ""), "base_score [1");
	expect_refused(XGB("reg:squarederror", "[]", "[]", XGB_NUMERIC, ""), "base_score []");
	expect_refused(XGB("reg:squarederror", "[1]2", "[]", XGB_NUMERIC, ""), "base_score [1]2");
	expect_refused(XGB("reg:gamma", "-1", "[]", XGB_NUMERIC, ""), "base_score -1");
	expect_refused(XGB("count:poisson", "0", "[]", XGB_NUMERIC, ""), "base_score 0");
	expect_refused(XGB("reg:squarederror", "[1,2]", "[]", XGB_NUMERIC, ""), "base_score [1,2]");
	expect_refused(XGB("reg:squarederror", "x", "[]", XGB_NUMERIC, ""), "base_score x");
}

/* 3.1 writes a mean of 0 or 1 where all labels are the same, and holds it off the edge. */
static void
xgboost_3_1_holds_certainty_off_the_edges(void **state)
{
	(void)state;
	static const struct {
		const char *base;
		float held;
	} cases[] = {
		{ "[0E0]", 1e-6f },
		{ "[1E-7]", 1e-6f },
		{ "[1E0]", 1.0f - 1e-6f },
		{ "[9.9999994E-1]", 1.0f - 1e-6f },
		{ "[2E-6]", 2e-6f },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[2000];
		const char *old = XGB("binary:logistic", "@", "[]", XGB_NUMERIC, "");
		const char *at = strchr(old, '@');
		snprintf(text, sizeof(text), "{\"version\":[3,1%.*s%s%s",
		    (int)(at - strstr(old, ",4]")), strstr(old, ",4]"), cases[i].base, at + 1);
		struct model *model = import(text);
		float sum = -xgboost_logf(1.0f / cases[i].held - 1.0f) + 2.5f;
		assert_true(xgb_second(model, value_number(9)) == (double)sum);
		model_free(model);
	}
	expect_refused("{\"version\":[3,1,0],\"learner\":{\"learner_model_param\":{\"base_score\":"
		       "\"[-1E-9]\"},"
		       "\"objective\":{\"name\":\"reg:logistic\"},\"gradient_booster\":{\"name\":"
		       "\"gbtree\",\"model\":{}}}}",
	    "base_score [-1E-9] is outside");
}

/* Bits of glibc's logf; the first eight are among those that it does not round correctly. */
static void
xgboost_logs_are_the_c_librarys(void **state)
{
	(void)state;
	static const struct {
		float x, log;
	} vectors[] = {
		{ 0x1.12629ep-4f, -0x1.5a038ap+1f },
		{ 0x1.83870ep-2f, -0x1.f180acp-1f },
		{ 0x1.97c8dep-66f, -0x1.6a41dap+5f },
		{ 0x1.e38cd6p+1f, 0x1.544186p+0f },
		{ 0x1.56a26p-1f, -0x1.9b4d06p-2f },
		{ 0x1.549f0ep-1f, -0x1.a155a6p-2f },
		{ 0x1.865692p-5f, -0x1.859e84p+1f },
		{ 0x1.1a9e8ap-1f, -0x1.303e1ep-1f },
		{ 0x1p-149f, -0x1.9d1dap+6f },
		{ 0x1.8p-130f, -0x1.66d08ep+6f },
		{ 0x1p-126f, -0x1.5d58ap+6f },
		{ 1, 0 },
		{ 0x1.fffffep-1f, -0x1p-24f },
		{ 0x1.000002p+0f, 0x1.fffffep-24f },
		{ 0x1.fffffep+127f, 0x1.62e43p+6f },
		{ 3, 0x1.193ea8p+0f },
	};
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		assert_true(xgboost_logf(vectors[i].x) == vectors[i].log);
		float rounded = (float)fmath_log((double)vectors[i].x);
		assert_true((rounded == vectors[i].log) == (i >= 8));
	}
}

static void
xgboost_thresholds_may_be_infinite(void **state)
{
	(void)state;
	static const struct {
		const char *model;
		double missing, least, most; /* margins of nothing, -inf, inf */
	} cases[] = {
		{ XGB("reg:linear", "0", "[]", XGB_TREE("Infinity", "1", "0", ""), ""), -1.5, -1.5,
		    2.5 },
		{ XGB("reg:linear", "0", "[]", XGB_TREE("Infinity", "0", "0", ""), ""), 2.5, -1.5,
		    2.5 },
		{ XGB("reg:linear", "0", "[]", XGB_TREE("-Infinity", "1", "0", ""), ""), -1.5, 2.5,
		    2.5 },
		{ XGB("reg:linear", "0", "[]", XGB_TREE("-Infinity", "0", "0", ""), ""), 2.5, 2.5,
		    2.5 },
		{ XGB("reg:linear", "0", "[]", XGB_TREE("-3.4028235E38", "0", "0", ""), ""), 2.5,
		    -1.5, 2.5 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct model *model = import(cases[i].model);
		assert_true(xgb_second(model, value_missing()) == cases[i].missing);
		assert_true(xgb_second(model, value_number(-__builtin_inf())) == cases[i].least);
		assert_true(xgb_second(model, value_number(__builtin_inf())) == cases[i].most);
		assert_true(xgb_second(model, value_number(0)) == (i < 2 ? -1.5 : 2.5));
		model_free(model);
	}
}

static void
xgboost_links_are_its_own(void **state)
{
	(void)state;
	double m = 0;
	struct model *model = import(XGB("binary:logistic", "0.5", "[]", XGB_NUMERIC, ""));
	model_link(model, &m);
	assert_true(m == 0.5);
	m = -200;
	model_link(model, &m);
	assert_true(m > 0 && m < 1e-30);
	model_free(model);
	model = import(XGB("binary:hinge", "0.5", "[]", XGB_NUMERIC, ""));
	m = 0;
	model_link(model, &m);
	assert_true(m == 0);
	m = 0.001;
	model_link(model, &m);
	assert_true(m == 1);
	model_free(model);
}

static void
xgboost_files_that_cannot_be_honoured_are_refused(void **state)
{
	(void)state;
	expect_refused(XGB("reg:quantile", "0", "[]", XGB_NUMERIC, ""),
	    "objective \"reg:quantile\"");
	expect_refused(XGB("custom", "0", "[]", XGB_NUMERIC, ""), "objective \"custom\"");
	expect_refused(XGB("reg:squarederror", "0", "[\"a\"]", XGB_NUMERIC, ""),
	    "1 feature names for 2");
	expect_refused(XGB("reg:squarederror", "0", "[\"a\",\"a\"]", XGB_NUMERIC, ""),
	    "two inputs are called");
	expect_refused(XGB("reg:squarederror", "0", "[]", XGB_TREE("NaN", "1", "0", ""), ""),
	    "threshold");
	expect_refused(XGB("reg:squarederror", "0", "[]", XGB_TREE("NaN", "1", "1", ""), ""),
	    "without categories");
	expect_refused(XGB("reg:squarederror", "0", "[]", XGB_NUMERIC "," XGB_NUMERIC, ""),
	    "num_trees is 1, but there are 2");
	expect_refused(XGB("reg:squarederror", "0", "[]",
			   "{\"tree_param\":{\"size_leaf_vector\":\"3\"}}", ""),
	    "vector leaves");
	expect_refused(XGB("reg:squarederror", "0", "[]",
			   "{\"left_children\":[1,0,-1],\"right_children\":[2,2,-1],"
			   "\"split_indices\":[0,0,0],\"split_conditions\":[1,1,1],\"default_"
			   "left\":[0,0,0]}",
			   ""),
	    "node 0: it is below itself");
	expect_refused(XGB("reg:squarederror", "0", "[]",
			   "{\"left_children\":[1],\"right_children\":[2],"
			   "\"split_indices\":[0],\"split_conditions\":[1],\"default_left\":[0]}",
			   ""),
	    "child outside");
	expect_refused(XGB("reg:squarederror", "0", "[]",
			   "{\"left_children\":[-1],\"right_children\":[-1],"
			   "\"split_indices\":[0],\"split_conditions\":[Infinity],\"default_left\":"
			   "[0]}",
			   ""),
	    "leaf that is not");
	expect_refused("{\"learner\":{\"gradient_booster\":{\"model\":[}}}", "expected");
	expect_refused("{\"learner\":{}}", "no learner with a model");
	expect_refused("{L\x00", "the file is cut off");
	expect_refused("", "an empty file");
}

static void
unreachable_nodes_are_left_behind(void **state)
{
	(void)state;
	struct model *model = import(XGB("reg:squarederror", "0", "[]",
	    "{\"left_children\":[-1,2,1],\"right_children\":[-1,2,1],"
	    "\"split_indices\":[0,0,0],\"split_conditions\":[4,1,1],\"default_left\":[0,0,0]}",
	    ""));
	assert_int_equal(model_node_count(model), 1);
	assert_true(xgb_second(model, value_missing()) == 4);
	model_free(model);
}

static void
dart_leaves_are_weighted_and_linear_boosters_read(void **state)
{
	(void)state;
	struct model *model = import(
	    "{\"learner\":{\"learner_model_param\":{\"base_score\":\"1\",\"num_class\":\"0\","
	    "\"num_feature\":\"2\"},\"objective\":{\"name\":\"reg:squarederror\"},\"gradient_"
	    "booster\":{\"gbtree\":{\"model\":{"
	    "\"trees\":[" XGB_NUMERIC
	    "],\"tree_info\":[0]},\"name\":\"gbtree\"},\"name\":\"dart\",\"weight_drop\":[5E-1]}},"
	    "\"version\":[2,0,0]}");
	assert_true(xgb_second(model, value_number(9)) == 2.25);
	model_free(model);
	model = import("{\"learner\":{\"learner_model_param\":{\"base_score\":\"1\",\"num_class\":"
		       "\"0\",\"num_feature\":\"2\"},"
		       "\"objective\":{\"name\":\"reg:squarederror\"},\"gradient_booster\":{"
		       "\"name\":\"gblinear\",\"model\":{"
		       "\"weights\":[2,3,0.5]}}},\"version\":[1,0,0]}");
	struct value inputs[2] = { value_number(10), value_number(100) };
	assert_true(margin(model, inputs) == 321.5);
	inputs[0] = value_missing();
	assert_true(margin(model, inputs) == 301.5);
	model_free(model);
}

/* ---- linear ---- */

#define LINEAR \
	"{\"format\":\"aisle-linear\",\"link\":\"logit\",\"bias\":-1.25,\"weights\":{\"spend\":0." \
	"5,\"tier=gold\":2," \
	"\"tier=none\":8,\"day=6\":16},\"missing\":{\"spend\":4,\"tier\":\"none\"}}"

static void
linear_models_sum_weights_levels_and_stand_ins(void **state)
{
	(void)state;
	struct model *model = import(LINEAR);
	assert_int_equal(model_input_count(model), 3);
	assert_string_equal(model_input(model, 1), "tier");
	assert_true(model_input_is_string(model, 1));
	assert_false(model_input_is_string(model, 0));
	assert_false(model_is_float32(model));

	struct value known[] = { value_number(2), value_string("gold"), value_number(6) };
	assert_true(margin(model, known) == -1.25 + 1 + 2 + 16);
	struct value other[] = { value_number(2), value_string("silver"), value_number(5) };
	assert_true(margin(model, other) == -0.25);
	struct value none[] = { value_missing(), value_missing(), value_missing() };
	assert_true(margin(model, none) == -1.25 + 2 + 8);
	assert_true(model_score(model, other) == 1 / (1 + fmath_exp(0.25)));
	model_free(model);
}

/* By the logarithm of 1 more, of less than nothing mirrored; the stand-in as it stands. */
static void
a_linear_model_may_count_by_logarithms(void **state)
{
	(void)state;
	struct model *model =
	    import("{\"format\":\"aisle-linear\",\"bias\":1,\"weights\":{\"spend\":2,\"visits\":4},"
		   "\"log1p\":[\"spend\"],\"missing\":{\"spend\":-3}}");
	struct value rows[][2] = { { value_number(7), value_number(7) },
		{ value_number(-7), value_number(0) }, { value_missing(), value_number(0) },
		{ value_number(0), value_missing() } };
	double expected[] = { 1 + 2 * fmath_log(8) + 28, 1 - 2 * fmath_log(8), 1 - 6, 1 };
	for (int i = 0; i < 4; i++)
		assert_true(margin(model, rows[i]) == expected[i]);

	/* It stays so in an image. */
	struct buf flat = { 0 };
	struct model *again;
	struct err err = { 0 };
	model_save(model, &flat);
	assert_int_equal(model_load(flat.data, flat.len, "again", &again, &err), 0);
	assert_true(margin(again, rows[1]) == expected[1]);
	buf_done(&flat);
	model_free(again);
	model_free(model);
}

static void
linear_models_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	expect_refused("{\"format\":\"aisle-linear\",\"weights\":{\"a\":\"1\"}}",
	    "\"a\" is not a number");
	expect_refused("{\"format\":\"aisle-linear\",\"weights\":{\"a\":1,\"a=x\":1}}",
	    "a weight of its own");
	expect_refused("{\"format\":\"aisle-linear\",\"weights\":{\"=x\":1}}", "input=level");
	expect_refused("{\"format\":\"aisle-linear\",\"weights\":{},\"link\":\"probit\"}",
	    "probit");
	expect_refused("{\"format\":\"aisle-linear\",\"weights\":{},\"biass\":1}",
	    "unknown member \"biass\"");
	expect_refused("{\"format\":\"aisle-linear\",\"weights\":{},\"missing\":{\"a\":1}}",
	    "no weight is for \"a\"");
	expect_refused("{\"format\":\"aisle-linear\"}", "expected \"weights\"");
	expect_refused("{\"format\":\"aisle-linear\",\"weights\":{\"a=x\":1},\"log1p\":[\"a\"]}",
	    "\"a\" is not a number");
	expect_refused("{\"format\":\"aisle-linear\",\"weights\":{\"a\":1},\"log1p\":[\"b\"]}",
	    "no weight is for \"b\"");
	expect_refused("{\"format\":\"aisle-linear\",\"weights\":{\"a\":1},\"log1p\":[1]}",
	    "no weight is for");
	expect_refused("{\"format\":\"aisle-linear\",\"weights\":{\"a\":1},\"log1p\":\"a\"}",
	    "\"log1p\" as a list");
}

/* ---- calibration ---- */

static void
calibration_goes_over_the_margin(void **state)
{
	(void)state;
	struct model *model =
	    import("{\"format\":\"aisle-linear\",\"link\":\"identity\",\"weights\":{\"x\":1}}");
	struct value x = value_number(2);
	struct calibration platt = { .kind = CALIBRATION_PLATT, .a = 1.5, .b = -1 };
	assert_true(model_score(model, &x) == 2);
	assert_int_equal(model_set_calibration(model, &platt), 0);
	assert_true(model_score(model, &x) == 1 / (1 + fmath_exp(-2.0)));

	double margins[] = { 0, 1, 3 }, ps[] = { 0.1, 0.3, 0.3 };
	struct calibration isotonic = {
		.kind = CALIBRATION_ISOTONIC, .margins = margins, .ps = ps, .count = 3
	};
	assert_int_equal(model_set_calibration(model, &isotonic), 0);
	margins[0] = ps[0] = 99; /* it was copied */
	static const double pairs[][2] = { { -9, 0.1 }, { 0, 0.1 }, { 0.5, 0.2 }, { 1, 0.3 },
		{ 2, 0.3 }, { 3, 0.3 }, { 9, 0.3 } };
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		x = value_number(pairs[i][0]);
		double p = model_score(model, &x);
		assert_true(p > pairs[i][1] - 1e-15 && p < pairs[i][1] + 1e-15);
	}
	margins[0] = 1, ps[0] = 0.1;
	assert_int_equal(model_set_calibration(model, &isotonic),
	    AISLE_E_INVALID); /* margins must rise */
	margins[0] = 0, ps[0] = 0.4;
	assert_int_equal(model_set_calibration(model, &isotonic),
	    AISLE_E_INVALID); /* ps may not fall */
	ps[0] = -0.1;
	assert_int_equal(model_set_calibration(model, &isotonic), AISLE_E_INVALID);
	isotonic.count = 0;
	assert_int_equal(model_set_calibration(model, &isotonic), AISLE_E_INVALID);
	platt.a = __builtin_inf();
	assert_int_equal(model_set_calibration(model, &platt), AISLE_E_INVALID);
	model_free(model);
}

static double
calibrated(struct model *model, double margin)
{
	struct value x = value_number(margin);
	return model_score(model, &x);
}

static void
platt_reaches_both_ends_and_no_further(void **state)
{
	(void)state;
	struct model *model =
	    import("{\"format\":\"aisle-linear\",\"link\":\"logit\",\"weights\":{\"x\":1}}");
	struct calibration platt = { .kind = CALIBRATION_PLATT, .a = 1, .b = 0 };
	assert_int_equal(model_set_calibration(model, &platt), 0);
	assert_true(calibrated(model, 0) == 0.5);
	assert_true(calibrated(model, -0.0) == 0.5);
	assert_true(calibrated(model, 36) < 1);
	assert_true(calibrated(model, 37) == 1); /* e^-37 is less than half a unit of 1 */
	assert_true(calibrated(model, -709) > 0);
	assert_true(calibrated(model, -710) == 0);
	assert_true(calibrated(model, 1.7e308) == 1 && calibrated(model, -1.7e308) == 0);
	platt.a = 1.7e308, platt.b = -1.7e308; /* a product beyond double */
	assert_int_equal(model_set_calibration(model, &platt), 0);
	assert_true(calibrated(model, 2) == 1 && calibrated(model, -2) == 0);
	platt.a = 0, platt.b = 0; /* says the same of everybody */
	assert_int_equal(model_set_calibration(model, &platt), 0);
	assert_true(calibrated(model, 1e300) == 0.5);
	platt.a = -1; /* falling: theirs to decide */
	assert_int_equal(model_set_calibration(model, &platt), 0);
	assert_true(calibrated(model, 1) < 0.5);
	platt.b = __builtin_nan("");
	assert_int_equal(model_set_calibration(model, &platt), AISLE_E_INVALID);
	model_free(model);
}

static void
set_isotonic(struct model *model, const double *margins, const double *ps, size_t count)
{
	struct calibration isotonic = {
		.kind = CALIBRATION_ISOTONIC, .margins = margins, .ps = ps, .count = count
	};
	assert_int_equal(model_set_calibration(model, &isotonic), 0);
}

static void
isotonic_is_exact_at_its_points_flat_outside_and_never_falls(void **state)
{
	(void)state;
	struct model *model =
	    import("{\"format\":\"aisle-linear\",\"link\":\"identity\",\"weights\":{\"x\":1}}");
	static const double margins[] = { -1, -0.25, 0, 0.1, 2 }, ps[] = { 0, 0.1, 0.1, 0.7, 1 };
	set_isotonic(model, margins, ps, ARRAY_LEN(ps));
	for (size_t i = 0; i < ARRAY_LEN(ps); i++)
		assert_true(calibrated(model, margins[i]) == ps[i]);
	assert_true(calibrated(model, -1.0000000000000002) == 0);
	assert_true(calibrated(model, -0.9999999999999999) > 0);
	assert_true(calibrated(model, 1.999) < 1);
	assert_true(calibrated(model, 2.0000000000000004) == 1);
	assert_true(calibrated(model, 1.7e308) == 1 && calibrated(model, -1.7e308) == 0);
	assert_true(calibrated(model, -0.125) == 0.1); /* flat between equals */
	for (double x = -1.5, last = 0; x < 2.5; x += 1.0 / 1024) {
		double p = calibrated(model, x);
		assert_true(p >= last && p <= 1);
		last = p;
	}

	/* One point says the same of everybody. */
	set_isotonic(model, margins, ps + 3, 1);
	assert_true(calibrated(model, -5) == 0.7 && calibrated(model, -1) == 0.7 &&
	    calibrated(model, 5) == 0.7);
	/* As far apart as numbers are, and as near. */
	static const double far[] = { -1.7e308, 1.7e308 }, near[] = { 15e-324, 25e-324 },
			    both[] = { 0, 1 };
	set_isotonic(model, far, both, 2);
	assert_true(calibrated(model, 0) == 0.5);
	set_isotonic(model, near, both, 2);
	assert_true(calibrated(model, 20e-324) == 0.5);
	model_free(model);
}

/* ---- the flat form ---- */

static void
flat_models_come_back_the_same(void **state)
{
	(void)state;
	static const char *const sources[] = { LINEAR,
		XGB("binary:logistic", "0.2", "[\"a\",\"b\"]", XGB_NUMERIC, ""),
		LGB_HEAD LGB_TREE("4", "0.5") LGB_END };
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		struct model *model = import(sources[i]), *again = NULL;
		struct buf a = { 0 }, b = { 0 };
		struct err err = { 0 };
		model_save(model, &a);
		assert_int_equal(model_load(a.data, a.len, "m", &again, &err), 0);
		model_save(again, &b);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		assert_string_equal(model_format(model), model_format(again));
		struct value inputs[3] = { value_number(0.3), value_string("gold"),
			value_number(6) };
		assert_true(margin(model, inputs) == margin(again, inputs));
		model_free(model);
		model_free(again);
		buf_done(&a);
		buf_done(&b);
	}
}

/* Loads, and scores if it loads: must not read outside or hang (the sanitizers look). */
static bool
survives(const char *bytes, size_t len)
{
	struct model *model = NULL;
	struct err err = { 0 };
	if (model_load(bytes, len, "m", &model, &err) < 0)
		return false;
	size_t inputs = model_input_count(model), classes = model_class_count(model);
	struct value *row = mem_calloc(inputs + 1, sizeof(*row));
	double *out = mem_calloc(classes, sizeof(*out));
	for (size_t i = 0; i < inputs; i++)
		row[i] = value_number((double)i);
	model_margin(model, row, out);
	model_link(model, out);
	free(row);
	free(out);
	model_free(model);
	return true;
}

static void
every_cut_is_refused_and_every_flipped_byte_survived(void **state)
{
	(void)state;
	static const char *const sources[] = { LINEAR,
		XGB("binary:logistic", "0.2", "[\"a\",\"b\"]",
		    XGB_TREE("NaN", "0", "1",
			"\"categories\":[7,3],\"categories_nodes\":[0],\"categories_segments\":[0],"
			"\"categories_sizes\":[2],"),
		    "") };
	for (size_t k = 0; k < ARRAY_LEN(sources); k++) {
		struct model *model = import(sources[k]);
		struct buf bytes = { 0 };
		model_save(model, &bytes);
		model_free(model);
		for (size_t len = 0; len < bytes.len; len++) {
			char *exact = mem_alloc(len + 1); /* so that reading on is seen */
			memcpy(exact, bytes.data, len);
			assert_false(survives(exact, len));
			free(exact);
		}
		assert_true(survives(bytes.data, bytes.len));
		for (size_t i = 0; i < bytes.len * 8; i++) {
			bytes.data[i / 8] ^= (char)(1 << i % 8);
			survives(bytes.data, bytes.len);
			bytes.data[i / 8] ^= (char)(1 << i % 8);
		}
		buf_done(&bytes);
	}
}

/* ---- the tool ---- */

static int
score_text(const char *model, const char *rows, char **ret_out, struct err *err)
{
	char model_path[] = "/tmp/aisle-model-XXXXXX", rows_path[] = "/tmp/aisle-rows-XXXXXX";
	FILE *m = fdopen(mkstemp(model_path), "wb"), *r = fdopen(mkstemp(rows_path), "wb");
	fputs(model, m);
	fputs(rows, r);
	fclose(m);
	fclose(r);
	size_t len;
	FILE *out = open_memstream(ret_out, &len);
	int result = model_tool_score(model_path, MODEL_TREES_UNSAID, rows_path, true, out, err);
	fclose(out);
	remove(model_path);
	remove(rows_path);
	return result;
}

static void
rows_are_matched_by_name_and_strictly(void **state)
{
	(void)state;
	static const struct {
		const char *rows, *out, *error;
	} cases[] = {
		{ "day,extra,spend,tier\n6,q,2,gold\n,,,\n", "17.75\n8.75\n", NULL },
		{ "spend,tier,day\r\n1e1,\"sil\"\"ver\",6\r\n", "19.75\n", NULL },
		{ "spend,tier\n1,gold\n", "", "no column for the model's input \"day\"" },
		{ "spend,spend,tier,day\n", "", "two columns are called \"spend\"" },
		{ "spend,tier,day\n1,gold\n", "", "2 fields, expected 3" },
		{ "spend,tier,day\n2,gold,6\n1x,gold,6\n", "17.75\n", "\"1x\", expected a number" },
		{ "", "", "empty" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };
		char *out = NULL;
		int r = score_text(LINEAR, cases[i].rows, &out, &err);
		assert_int_equal(r, cases[i].error == NULL ? 0 : AISLE_E_INVALID);
		if (cases[i].error != NULL && strstr(err.text, cases[i].error) == NULL)
			fail_msg("\"%s\", expected \"%s\"", err.text, cases[i].error);
		assert_string_equal(out, cases[i].out);
		free(out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lightgbm_margins_match_to_the_bit_and_scores_to_print),
		cmocka_unit_test(lightgbm_sends_missing_and_zero_where_the_split_says),
		cmocka_unit_test(lightgbm_goes_left_at_the_threshold),
		cmocka_unit_test(lightgbm_files_that_cannot_be_honoured_are_refused),
		cmocka_unit_test(xgboost_compares_and_sums_in_float32),
		cmocka_unit_test(xgboost_categories_listed_go_right),
		cmocka_unit_test(xgboost_base_score_goes_through_the_link),
		cmocka_unit_test(xgboost_3_1_holds_certainty_off_the_edges),
		cmocka_unit_test(xgboost_logs_are_the_c_librarys),
		cmocka_unit_test(xgboost_thresholds_may_be_infinite),
		cmocka_unit_test(xgboost_links_are_its_own),
		cmocka_unit_test(xgboost_files_that_cannot_be_honoured_are_refused),
		cmocka_unit_test(unreachable_nodes_are_left_behind),
		cmocka_unit_test(dart_leaves_are_weighted_and_linear_boosters_read),
		cmocka_unit_test(linear_models_sum_weights_levels_and_stand_ins),
		cmocka_unit_test(a_linear_model_may_count_by_logarithms),
		cmocka_unit_test(linear_models_that_make_no_sense_are_refused),
		cmocka_unit_test(calibration_goes_over_the_margin),
		cmocka_unit_test(platt_reaches_both_ends_and_no_further),
		cmocka_unit_test(isotonic_is_exact_at_its_points_flat_outside_and_never_falls),
		cmocka_unit_test(flat_models_come_back_the_same),
		cmocka_unit_test(every_cut_is_refused_and_every_flipped_byte_survived),
		cmocka_unit_test(rows_are_matched_by_name_and_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
