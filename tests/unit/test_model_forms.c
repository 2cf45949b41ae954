/* SPDX-License-Identifier: Apache-2.0
 *
 * test_model_forms.c - where training stopped early; files of LightGBM's version 2.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "model_forms.h"

/* ---- XGBoost: early stopping ---- */

#define LEAF(id, value) \
	"{\"id\":" id ",\"left_children\":[-1],\"right_children\":[-1],\"split_indices\":[0]," \
	"\"split_conditions\":[" value "],\"default_left\":[0]}"
/* Leaves of 1, 2, 4, 8 and 16: a sum says which of them count. */
#define STOPPED(attributes, model, booster, param, info) \
	"{\"version\":[2,1,0],\"learner\":{\"attributes\":{" attributes "}," \
	"\"gradient_booster\":{\"name\":\"" booster "\",\"model\":{" model "\"tree_info\":[" info \
	"],\"trees\":[" LEAF("0", "1") "," LEAF("1", "2") "," LEAF("2", "4") "," LEAF("3", \
	    "8") "," LEAF("4", "16") "," LEAF("5", \
	    "32") "]}},\"objective\":{\"name\":" \
		  "\"reg:squarederror\"},\"learner_model_param\":{\"base_score\":\"0\"," param \
		  "\"num_feature\":\"1\"}}}"
#define STOPPED_AT(best) STOPPED("\"best_iteration\":\"" best "\"", "", "gbtree", "", "0,0,0,0,0,0")
#define PARALLEL(best) \
	STOPPED("\"best_iteration\":\"" best "\"", \
	    "\"gbtree_model_param\":{\"num_parallel_tree\":\"2\",\"num_trees\":\"6\"},", "gbtree", \
	    "", "0,0,0,0,0,0")
#define STEPS(best) \
	STOPPED("\"best_iteration\":\"" best "\"", "\"iteration_indptr\":[0,3,4,6],", "gbtree", \
	    "", "0,0,0,0,0,0")
#define CLASSES(best) \
	STOPPED("\"best_iteration\":\"" best "\"", "", "gbtree", "\"num_target\":\"3\",", \
	    "0,1,2,0,1,2")

static void
of_a_file_that_stopped_early_the_best_or_all_trees_count(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double best, all;
		bool must_say;
	} cases[] = {
		{ STOPPED_AT("0"), 1, 63, true },
		{ STOPPED_AT("4"), 31, 63, true },
		{ STOPPED_AT("5"), 63, 63, false }, /* as 1.x notes for every training */
		{ STOPPED_AT("900"), 63, 63, false },
		{ PARALLEL("0"), 3, 63, true },
		{ PARALLEL("1"), 15, 63, true },
		{ PARALLEL("2"), 63, 63, false },
		{ STEPS("0"), 7, 63, true },
		{ STEPS("1"), 15, 63, true },
		{ STEPS("2"), 63, 63, false },
		{ STEPS("3"), 63, 63, false },
		{ CLASSES("0"), 1, 9, true },
		{ CLASSES("1"), 9, 9, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct value input = value_missing();
		struct model *best = import(cases[i].text, MODEL_TREES_BEST),
			     *all = import(cases[i].text, MODEL_TREES_ALL);
		assert_true(margin(best, &input) == cases[i].best);
		assert_true(margin(all, &input) == cases[i].all);
		model_free(best);
		model_free(all);
		if (cases[i].must_say)
			expect_refused(cases[i].text, MODEL_TREES_UNSAID,
			    "expected \"best\" or \"all\" as \"trees\" in models.json");
		else
			model_free(import(cases[i].text, MODEL_TREES_UNSAID));
	}
	expect_refused(STOPPED_AT("2"), MODEL_TREES_UNSAID,
	    "iteration 2 was the best and 3 of 6 trees come behind it");
}

static void
the_best_trees_of_a_file_that_names_none_are_refused(void **state)
{
	(void)state;
	expect_refused(STOPPED("", "", "gbtree", "", "0,0,0,0,0,0"), MODEL_TREES_BEST,
	    "the file names no best iteration");
	expect_refused("{\"format\":\"aisle-linear\",\"weights\":{\"a\":1}}", MODEL_TREES_BEST,
	    "only XGBoost's files say which");
	expect_refused("tree\nversion=v4\n", MODEL_TREES_BEST, "only XGBoost's files say which");
	expect_refused(STOPPED_AT("-1"), MODEL_TREES_ALL, "expected a count as text");
	expect_refused(STOPPED_AT("1.5"), MODEL_TREES_ALL, "expected a count as text");
	expect_refused(STOPPED("\"best_iteration\":\"1\",\"best_iteration\":\"2\"", "", "gbtree",
			   "", "0,0,0,0,0,0"),
	    MODEL_TREES_ALL, "\"best_iteration\" is there twice");
	/* Trees that do not count are counted all the same. */
	expect_refused(STOPPED("\"best_iteration\":\"0\"",
			   "\"gbtree_model_param\":{\"num_trees\":\"5\"},", "gbtree", "",
			   "0,0,0,0,0,0"),
	    MODEL_TREES_BEST, "num_trees is 5, but there are 6");
	expect_refused(STOPPED("\"best_iteration\":\"0\"", "", "gbtree", "", "0,0,0,0,0"),
	    MODEL_TREES_BEST, "tree_info names 5 trees of 6");
}

/* ---- LightGBM: version 2 ---- */

#define OLD(version, objective, more) \
	"tree\nversion=" version "\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\n" \
	"objective=" objective "\n" more "feature_names=a\n\n"
#define OLD_TREE \
	"Tree=0\nnum_leaves=2\nsplit_feature=0\nthreshold=0.5\nleft_child=-1\n" \
	"right_child=-2\nleaf_value=1 2\nshrinkage=1\n\n" /* 107 bytes */
#define OLD_END "\nfeature importances:\na=1\n"

static void
version_2_is_whole_without_saying_so_where_something_shows_it(void **state)
{
	(void)state;
	static const char *const good[] = { OLD("v2", "regression", "") OLD_TREE OLD_END,
		OLD("v2", "regression", "") OLD_TREE OLD_END "\npandas_categorical:null\n",
		OLD("v2", "regression", "tree_sizes=107\n") OLD_TREE OLD_END,
		OLD("v2", "regression", "tree_sizes=107\n") OLD_TREE,
		OLD("v2", "regression", "tree_sizes=107\n") OLD_TREE "\n",
		OLD("v2", "regression", "") OLD_TREE "end of trees\n" };
	assert_int_equal(strlen(OLD_TREE), 107);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct value low = value_number(0), high = value_number(1);
		struct model *model = import(good[i], MODEL_TREES_UNSAID);
		assert_true(margin(model, &low) == 1 && margin(model, &high) == 2);
		model_free(model);
	}
	expect_refused(OLD("v2", "regression", "") OLD_TREE, MODEL_TREES_UNSAID, "cut off");
	expect_refused(OLD("v2", "regression", "tree_sizes=108\n") OLD_TREE, MODEL_TREES_UNSAID,
	    "cut off");
	expect_refused(OLD("v2", "regression", "tree_sizes=104\n") OLD_TREE, MODEL_TREES_UNSAID,
	    "cut off");
	expect_refused(OLD("v2", "regression", "tree_sizes=50 57\n") OLD_TREE OLD_END,
	    MODEL_TREES_UNSAID, "1 trees, expected 2 as tree_sizes says");
	expect_refused(OLD("v3", "regression", "") OLD_TREE OLD_END, MODEL_TREES_UNSAID, "cut off");
	expect_refused(OLD("v3", "regression", "tree_sizes=107\n") OLD_TREE, MODEL_TREES_UNSAID,
	    "cut off");
}

static void
a_random_forest_of_version_2_is_refused_where_its_leaves_may_mean_two_things(void **state)
{
	(void)state;
	static const char why[] = "train it anew with 2.3 or later";
	expect_refused(OLD("v2", "binary sigmoid:1", "average_output\n") OLD_TREE "end of trees\n",
	    MODEL_TREES_UNSAID, why);
	expect_refused(OLD("v2", "poisson", "average_output\n") OLD_TREE OLD_END,
	    MODEL_TREES_UNSAID, why);
	expect_refused(OLD("v2", "regression sqrt", "average_output\n") OLD_TREE OLD_END,
	    MODEL_TREES_UNSAID, why);
	model_free(import(OLD("v2", "regression", "average_output\n") OLD_TREE OLD_END,
	    MODEL_TREES_UNSAID));
	model_free(import(OLD("v3", "binary sigmoid:1", "average_output\n") OLD_TREE
	    "end of trees\n",
	    MODEL_TREES_UNSAID));
	model_free(import(OLD("v2", "binary sigmoid:1", "") OLD_TREE OLD_END, MODEL_TREES_UNSAID));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_file_that_stopped_early_the_best_or_all_trees_count),
		cmocka_unit_test(the_best_trees_of_a_file_that_names_none_are_refused),
		cmocka_unit_test(version_2_is_whole_without_saying_so_where_something_shows_it),
		cmocka_unit_test(
		    a_random_forest_of_version_2_is_refused_where_its_leaves_may_mean_two_things),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
