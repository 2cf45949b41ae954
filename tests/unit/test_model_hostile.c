/* SPDX-License-Identifier: Apache-2.0
 *
 * test_model_hostile.c - model files that lie, each refused in its own words, within bounds of
 * memory and time.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "score/model.h"
#include "ubjson_of.h"

#define MIB (1u << 20)
#define MEMORY_MAX (1024u * MIB) /* for files of up to 64 MiB */
#define CPU_S_MAX 60		 /* emulated and with sanitizers as well; without a bound: hours */

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0 /* AddressSanitizer reserves terabytes */
#endif

/* ---- files ---- */

#define XGB(trees) XGB_WITH("\"2\"", "\"trees\":[" trees "],\"tree_info\":[0]")
#define XGB_WITH(num_feature, model) \
	"{\"version\":[1,7,4],\"learner\":{\"gradient_booster\":{\"name\":\"gbtree\",\"model\":" \
	"{" model "}},\"objective\":{\"name\":\"reg:squarederror\"},\"learner_model_param\":{" \
	"\"base_score\":\"5E-1\",\"num_class\":\"0\",\"num_feature\":" num_feature "}}}"
#define TREE(left, right, index, condition, more) \
	"{\"left_children\":[" left "],\"right_children\":[" right "],\"split_indices\":[" index \
	"],\"split_conditions\":[" condition "],\"default_left\":[0,0,0]" more "}"
#define LEAVES(condition, more) TREE("1,-1,-1", "2,-1,-1", "0,0,0", condition, more)
#define CATEGORIES(list, nodes, segments, sizes) \
	LEAVES("NaN,1,2", \
	    ",\"split_type\":[1,0,0],\"categories\":[" list "],\"categories_nodes\":[" nodes \
	    "],\"categories_segments\":[" segments "],\"categories_sizes\":[" sizes "]")
#define GOOD LEAVES("1,2,3", "")

#define LGB(tree) LGB_HEAD tree "\n\nend of trees\n"
#define LGB_HEAD \
	"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\n" \
	"objective=regression\nfeature_names=a\n\nTree=0\n"
#define LGB_TREE(leaves, left, right, more) \
	LGB("num_leaves=" leaves "\nnum_cat=0\nsplit_feature=0 0\nthreshold=1 2\n" \
	    "decision_type=8 8\nleft_child=" left "\nright_child=" right \
	    "\nleaf_value=1 2 3" more)
#define LGB_CATEGORIES(threshold, boundaries, words) \
	LGB("num_leaves=3\nnum_cat=2\nsplit_feature=0 0\nthreshold=" threshold "\n" \
	    "decision_type=1 1\nleft_child=1 -1\nright_child=-3 -2\nleaf_value=1 2 3\n" \
	    "cat_boundaries=" boundaries "\ncat_threshold=" words)

#define LINEAR(members) "{\"format\":\"aisle-linear\"," members "}"

static const struct {
	const char *text, *why;
} small[] = {
	/* shape of a tree */
	{ XGB(TREE("0,-1,-1", "2,-1,-1", "0,0,0", "1,2,3", "")), "node 0: it is its own child" },
	{ XGB(TREE("1,2,-1", "2,1,-1", "0,0,0", "1,2,3", "")), "node 2: two ways lead to it" },
	{ XGB(TREE("1,0,-1", "2,0,-1", "0,0,0", "1,2,3", "")), "node 0: it is below itself" },
	{ XGB(TREE("1,-1,-1", "1,-1,-1", "0,0,0", "1,2,3", "")), "node 1: two ways lead to it" },
	{ XGB(TREE("1,-1,-1", "3,-1,-1", "0,0,0", "1,2,3", "")), "node 0: child outside" },
	{ XGB(TREE("1,-1,-1", "-1,-1,-1", "0,0,0", "1,2,3", "")), "node 0: child outside" },
	{ XGB(TREE("-2,-1,-1", "2,-1,-1", "0,0,0", "1,2,3", "")), "node 0: child outside" },
	{ XGB(TREE("1.5,-1,-1", "2,-1,-1", "0,0,0", "1,2,3", "")), "node 0: child outside" },
	{ XGB(TREE("1,-1,-1", "2147483648,-1,-1", "0,0,0", "1,2,3", "")), "node 0: child outside" },
	{ XGB(TREE("1,-1,-1", "2,-1,-1", "2,0,0", "1,2,3", "")), "feature outside of num_feature" },
	{ XGB(TREE("1,-1,-1", "2,-1,-1", "-1,0,0", "1,2,3", "")),
	    "feature outside of num_feature" },
	/* numbers */
	{ XGB(LEAVES("1,NaN,3", "")), "node 1: leaf that is not a finite number" },
	{ XGB(LEAVES("1,2,-Infinity", "")), "node 2: leaf that is not a finite number" },
	{ XGB(LEAVES("NaN,2,3", "")), "node 0: threshold that is not a finite number" },
	{ XGB(LEAVES("1e999,2,3", "")), "number beyond double" },
	{ XGB(LEAVES("1,-1e39,3", "")), "number beyond float32" },
	{ XGB(TREE("1e999,-1,-1", "2,-1,-1", "0,0,0", "1,2,3", "")), "number beyond double" },
	{ XGB(LEAVES("1,0x1,3", "")), "expected a comma" },
	{ XGB(LEAVES("1,--1,3", "")), "expected a number" },
	{ XGB(LEAVES("1,nan,3", "")), "expected a number" },
	{ XGB(LEAVES("1,\"2\",3", "")), "expected a number" },
	/* counts that are not true */
	{ XGB(LEAVES("1,2,3", ",\"tree_param\":{\"num_nodes\":\"2147483648\"}")),
	    "num_nodes is 2147483648, but there are 3" },
	{ XGB(LEAVES("1,2,3", ",\"tree_param\":{\"num_nodes\":\"-1\"}")),
	    "expected a count as text" },
	{ XGB(LEAVES("1,2,3", ",\"tree_param\":{\"num_nodes\":\"1e99\"}")),
	    "expected a count as text" },
	{ XGB(LEAVES("1,2,3", ",\"id\":7")), "tree 0 has the id 7" },
	{ XGB_WITH("\"2\"",
	      "\"gbtree_model_param\":{\"num_trees\":\"10000000000\"},\"trees\":[" GOOD
	      "],\"tree_info\":[0]"),
	    "num_trees is 10000000000, but there are 1" },
	{ XGB_WITH("\"10000000000\"", "\"trees\":[]"), "too many features" },
	{ XGB_WITH("\"2\"", "\"trees\":[" GOOD "],\"tree_info\":[0,0]"),
	    "tree_info names 2 trees of 1" },
	{ XGB_WITH("\"2\"", "\"trees\":[" GOOD "],\"tree_info\":[1]"), "tree 0: class outside" },
	{ XGB_WITH("\"2\"", "\"trees\":[" GOOD "],\"tree_info\":[-1]"), "tree 0: class outside" },
	{ XGB_WITH("\"2\"", "\"trees\":[" GOOD "],\"tree_info\":[0],\"weight_drop\":[1,1]"),
	    "weight_drop has 2 weights for 1 trees" },
	{ XGB("{}"), "tree 0: no nodes" },
	{ XGB(TREE("", "", "", "", "")), "tree 0: no nodes" },
	{ XGB(LEAVES("1,2", "")), "tree 0: arrays of different lengths" },
	{ XGB(LEAVES("1,2,3", ",\"split_type\":[0]")), "tree 0: arrays of different lengths" },
	/* categories */
	{ XGB(CATEGORIES("-1", "0", "0", "1")), "category -1, expected 0 to 16777215" },
	{ XGB(CATEGORIES("16777216", "0", "0", "1")), "category 1.67772e+07" },
	{ XGB(CATEGORIES("1.5", "0", "0", "1")), "category 1.5" },
	{ XGB(CATEGORIES("NaN", "0", "0", "1")), "category nan" },
	{ XGB(CATEGORIES("1", "0", "0", "10000000000")),
	    "10000000000 categories, but there are 1" },
	{ XGB(CATEGORIES("1", "0", "1", "1")), "categories outside of their array" },
	{ XGB(CATEGORIES("1", "0", "0", "-1")), "categories outside of their array" },
	{ XGB(CATEGORIES("1", "0", "-1", "1")), "categories outside of their array" },
	{ XGB(CATEGORIES("1", "3", "0", "1")), "categories outside of their array" },
	{ XGB(CATEGORIES("1,2", "0,0", "0,1", "1,1")), "node 0: categories twice" },
	{ XGB(CATEGORIES("1,2", "0,1", "0,0", "2,2")), "4 categories, but there are 2" },
	{ XGB(CATEGORIES("1", "0", "0,0", "1")), "arrays of categories of different lengths" },
	{ XGB(LEAVES("NaN,1,2", ",\"split_type\":[1,0,0]")),
	    "categorical split without categories" },
	/* said twice */
	{ XGB(LEAVES("1,2,3", ",\"left_children\":[1,-1,-1]")),
	    "\"left_children\" is there twice" },
	{ XGB_WITH("\"2\"", "\"trees\":[" GOOD "],\"trees\":[" GOOD "]"),
	    "\"trees\" is there twice" },
	{ XGB_WITH("\"2\",\"num_feature\":\"1\"", "\"trees\":[]"),
	    "\"num_feature\" is there twice" },
	{ XGB_WITH("\"2\"", "\"weight_drop\":[1],\"weight_drop\":[1]"),
	    "\"weight_drop\" is there twice" },
	{ "{\"learner\":{},\"learner\":{}}", "\"learner\" is there twice" },
	{ "{\"learner\":{\"gradient_booster\":{\"name\":\"dart\",\"weight_drop\":[1],\"gbtree\":{"
	  "\"model\":{\"weight_drop\":[1]}}}}}",
	    "\"weight_drop\" is there twice" },
	{ "{\"learner\":{\"gradient_booster\":{\"model\":{},\"gbtree\":{\"model\":{}}}}}",
	    "\"model\" is there twice" },
	/* text */
	{ "{\"learner\":{\"\\ud800\":1}}", "half a surrogate pair" },
	{ "{\"learner\":{\"a\\q\":1}}", "escape that is none" },
	{ "{\"learner\":{\"a\\u0000\":1}}", "escape that is none" },
	{ "{\"learner\":{\"a", "string without end" },
	{ "{\"learner\":{\"a\n\":1}}", "control character" },
	{ "{\"learner\":{}} {}", "bytes behind the end" },
	{ "{\"learner\":{},}", "expected a string" },
	{ "[\"learner\"]", "expected XGBoost JSON" },

	{ LGB_TREE("3", "0 -1", "-3 -2", ""), "node 0: it is its own child" },
	{ LGB_TREE("3", "1 0", "-1 -2", ""), "node 0: it is below itself" },
	{ LGB_TREE("3", "1 -1", "1 -2", ""), "node 1: two ways lead to it" },
	{ LGB_TREE("3", "1 -1", "-4 -2", ""), "child outside of the tree" },
	{ LGB_TREE("3", "1 -1", "2 -2", ""), "child outside of the tree" },
	{ LGB_TREE("3", "1 -1", "-3.5 -2", ""), "child outside of the tree" },
	{ LGB_TREE("2147483648", "1 -1", "-3 -2", ""), "expected a count in range" },
	{ LGB_TREE("-3", "1 -1", "-3 -2", ""), "expected a count in range" },
	{ LGB_TREE("0", "1 -1", "-3 -2", ""), "tree without num_leaves" },
	{ LGB_TREE("4", "1 -1", "-3 -2", ""), "arrays of different lengths" },
	{ LGB_TREE("3", "1 -1", "-3 -2", "\nthreshold=1 2"), "threshold is there twice" },
	{ LGB_TREE("3", "1 -1", "-3 -2",
	      "\nis_linear=1\nleaf_const=1 2 3\nnum_features=1000000000 0 0\n"
	      "leaf_features=0\nleaf_coeff=1"),
	    "linear leaves of different lengths" },
	{ LGB_TREE("3", "1 -1", "-3 -2",
	      "\nis_linear=1\nleaf_const=1 inf 3\nnum_features=0 0 0\n"
	      "leaf_features=\nleaf_coeff="),
	    "leaf that is not a finite number" },
	{ LGB("num_leaves=1\nleaf_value=1e999"), "expected numbers" },
	{ LGB("num_leaves=1\nleaf_value=0x1"), "expected numbers" },
	{ LGB("num_leaves=1\nleaf_value=nan"), "leaf that is not a finite number" },
	{ LGB("num_leaves=1\nleaf_value="), "arrays of different lengths" },
	{ LGB_CATEGORIES("0 0", "0 1 2", "1 1"), "two splits share their categories" },
	{ LGB_CATEGORIES("0 2", "0 1 2", "1 1"), "categorical split without categories" },
	{ LGB_CATEGORIES("0 -1", "0 1 2", "1 1"), "categorical split without categories" },
	{ LGB_CATEGORIES("0 1", "0 1 10000000000", "1 1"), "categories outside of their array" },
	{ LGB_CATEGORIES("0 1", "0 2 1", "1 1"), "categories outside of their array" },
	{ LGB_CATEGORIES("0 1", "0 1", "1 1"), "cat_boundaries of another length" },
	{ LGB_CATEGORIES("0 1", "0 1 2", "1 4294967296"), "cat_threshold that is no bit map" },
	{ LGB_CATEGORIES("0 1", "0 1 2", "1 -1"), "cat_threshold that is no bit map" },
	{ "tree\nversion=v4\nmax_feature_idx=10000000000\n", "expected a count in range" },
	{ "tree\nversion=v4\nnum_class=1\nmax_feature_idx=0\nfeature_names=a b\n\nend of trees\n",
	    "2 feature names for 1 features" },
	{ "tree\nversion=v4\nversion=v4\n", "version is there twice" },
	{ "tree\nnum_class=1\nmax_feature_idx=0\nfeature_names=a\n\nend of trees\n",
	    "without version" },
	{ LGB("num_leaves=1\nleaf_value=1") "\npandas_categorical:[[\"gold\", \"none\"]]\n",
	    "pandas_categorical" },
	{ LGB("num_leaves=1\nleaf_value=1") "\nparameters:\n[boosting: gbdt]\n",
	    "end of parameters" },

	{ LINEAR("\"weights\":{\"a\":1e999}"), "overflow" },
	{ LINEAR("\"weights\":{\"a\":NaN}"), "NaN" },
	{ LINEAR("\"weights\":{\"a\":1,\"a\":2}"), "duplicate" },
	{ LINEAR("\"weights\":{\"a\":1},\"missing\":{\"a\":1e999}"), "overflow" },
	{ LINEAR("\"weights\":{\"a\":true}"), "\"a\" is not a number" },
	{ LINEAR("\"weights\":[1]"), "expected \"weights\"" },
	{ "{\"format\":\"linear\",\"aisle-linear\":1,\"weights\":{}}", "format is not" },
};

static void
each_lie_is_refused_in_its_own_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(small); i++) {
		struct model *model = NULL;
		struct err err = { 0 };
		if (model_import(small[i].text, strlen(small[i].text), "m", &model, &err) == 0)
			fail_msg("accepted, expected \"%s\"", small[i].why);
		assert_null(model);
		if (strstr(err.text, small[i].why) == NULL)
			fail_msg("\"%s\", expected \"%s\"", err.text, small[i].why);
	}
}

/* Those that are not of JSON's own writing. */
static void
each_lie_is_refused_in_ubjson_too(void **state)
{
	(void)state;
	size_t tried = 0;
	for (size_t i = 0; i < ARRAY_LEN(small); i++)
		for (unsigned style = 0; style < UBJSON_STYLES; style++) {
			struct model *model = NULL;
			struct err err = { 0 };
			struct buf file = { 0 };
			if (strstr(small[i].text, "learner") != NULL &&
			    strstr(small[i].why, "beyond double") == NULL &&
			    strstr(small[i].why, "expected a string") == NULL &&
			    ubjson_of(small[i].text, style, &file)) {
				tried++;
				if (model_import(file.data, file.len, "m", &model, &err) == 0)
					fail_msg("accepted, expected \"%s\"", small[i].why);
				if (strstr(err.text, small[i].why) == NULL)
					fail_msg("\"%s\", expected \"%s\", style %u", err.text,
					    small[i].why, style);
			}
			buf_done(&file);
		}
	assert_true(tried >= 45 * UBJSON_STYLES);
}

#define UBJ(text, why) \
	{ \
		text, sizeof(text) - 1, why \
	}

static const struct {
	const char *bytes;
	size_t len;
	const char *why;
} binary[] = {
	UBJ("{", "expected XGBoost JSON"),
	UBJ("{i", "byte 2: the file is cut off in a number"),
	UBJ("{L\0\0\0", "byte 2: the file is cut off in a number"),
	UBJ("{i\x07learner", "the file is cut off"),
	UBJ("{i\x07learn", "the file is cut off, it is shorter than a length in it"),
	UBJ("{i\xff", "length below 0"),
	UBJ("{I\x80\0", "length below 0"),
	UBJ("{l\xff\xff\xff\xff", "length below 0"),
	UBJ("{L\x80\0\0\0\0\0\0\0", "length below 0"),
	UBJ("{L\x7f\xff\xff\xff\xff\xff\xff\xff", "shorter than a length"),
	UBJ("{U\xff", "shorter than a length"),
	UBJ("{#d\0\0\0\0", "expected a length"),
	UBJ("{#D\0\0\0\0\0\0\0\0", "expected a length"),
	UBJ("{#L\x10\0\0\0\0\0\0\0", "shorter than a length"),
	UBJ("{#i\xff", "length below 0"),
	UBJ("{$", "expected a length"),
	UBJ("{$i#i\x01i\x01"
	    "b",
	    "the file is cut off in a number"),
	UBJ("{$i#i\x01i\x01"
	    "b\x05",
	    "no learner with a model"),
	UBJ("{$Z#i\x05", "array of one type that is no number"),
	UBJ("{i\x01"
	    "a[$Z#L\x10\0\0\0\0\0\0\0}",
	    "array of one type that is no number"),
	UBJ("{i\x01"
	    "a[$N#i\x01}",
	    "array of one type that is no number"),
	UBJ("{i\x01"
	    "a[$[#i\x01]}",
	    "array of one type that is no number"),
	UBJ("{i\x01"
	    "a[$S#i\x01i\x01"
	    "b}",
	    "array of one type that is no number"),
	UBJ("{i\x01"
	    "a[$ii\x01",
	    "array of one type without a count"),
	UBJ("{i\x01"
	    "a[$d#L\x10\0\0\0\0\0\0\0}",
	    "shorter than a length"),
	UBJ("{i\x01"
	    "a[$d#i\x02\0\0\0\0\0\0\0",
	    "shorter than a length"),
	UBJ("{i\x01"
	    "a[#i\x02i\x01}",
	    "expected a number"),
	UBJ("{i\x01"
	    "a[i\x01}",
	    "expected a number"),
	UBJ("{i\x01"
	    "a]",
	    "expected a number"),
	UBJ("{i\x01"
	    "aHi\x03"
	    "1.5}",
	    "high-precision number"),
	UBJ("{i\x01"
	    "aq}",
	    "expected a number"),
	UBJ("{i\x01"
	    "aSi\x01\0}",
	    "zero byte in a text"),
	UBJ("{i\x01\0Z}", "zero byte in a text"),
	UBJ("{i\x01"
	    "aSH}",
	    "expected a length"),
	UBJ("{i\x01"
	    "aC",
	    "the file is cut off in a text"),
	UBJ("{NNi\x01"
	    "aNNCxN}",
	    "no learner with a model"),
	UBJ("{i\x01"
	    "aZ}N",
	    "bytes behind the end"),
	UBJ("{i\x07learner{}i\x07learner{}}", "\"learner\" is there twice"),
	UBJ("{i\x07learneri\x01}", "expected an object"),
};

static void
each_lie_of_ubjson_is_refused_in_its_own_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(binary); i++) {
		struct model *model = NULL;
		struct err err = { 0 };
		char *exact = malloc(binary[i].len); /* so that reading on is seen */
		memcpy(exact, binary[i].bytes, binary[i].len);
		if (model_import(exact, binary[i].len, "m", &model, &err) == 0)
			fail_msg("%zu accepted, expected \"%s\"", i, binary[i].why);
		assert_null(model);
		if (strstr(err.text, binary[i].why) == NULL)
			fail_msg("%zu: \"%s\", expected \"%s\"", i, err.text, binary[i].why);
		free(exact);
	}
}

/* Whole, and no byte less. */
static void
in_ubjson_a_model_is_the_same_and_cut_at_any_byte_none(void **state)
{
	(void)state;
	static const char *const files[] = { XGB(GOOD), XGB(CATEGORIES("1", "0", "0", "1")),
		XGB(LEAVES("Infinity,2.1,-3.5e30",
		    ",\"sum_hessian\":[3.3,1.1,2.2],\"new\":[true,null,{\"a\":[-1,300,70000,1e10]}"
		    "]")) };
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct model *model = NULL;
		struct err err = { 0 };
		struct buf want = { 0 };
		assert_int_equal(model_import(files[i], strlen(files[i]), "m", &model, &err), 0);
		model_save(model, &want);
		model_free(model);
		for (unsigned style = 0; style < UBJSON_STYLES; style++) {
			struct buf file = { 0 }, have = { 0 };
			assert_true(ubjson_of(files[i], style, &file));
			if (model_import(file.data, file.len, "m", &model, &err) < 0)
				fail_msg("%zu, style %u: %s", i, style, err.text);
			model_save(model, &have);
			model_free(model);
			assert_int_equal(have.len, want.len);
			assert_memory_equal(have.data, want.data, want.len);
			for (size_t len = 0; len < file.len; len++) {
				char *exact = malloc(len + 1);
				memcpy(exact, file.data, len);
				err = (struct err){ 0 };
				model = NULL;
				assert_true(model_import(exact, len, "m", &model, &err) < 0);
				assert_true(err.text[0] != '\0');
				free(exact);
			}
			buf_done(&file);
			buf_done(&have);
		}
		buf_done(&want);
	}
}

static void
what_the_lies_are_made_of_is_accepted(void **state)
{
	(void)state;
	static const char *const good[] = { XGB(GOOD), XGB(CATEGORIES("1", "0", "0", "1")),
		XGB(LEAVES("Infinity,2,3", ",\"tree_param\":{\"num_nodes\":\"3\"},\"id\":0")),
		XGB_WITH("\"2\"",
		    "\"gbtree_model_param\":{\"num_trees\":\"0\"},\"trees\":[],\"tree_info\":[]"),
		LGB_TREE("3", "1 -1", "-3 -2", ""), LGB_CATEGORIES("0 1", "0 1 2", "1 1"),
		LGB_CATEGORIES("1 0", "0 1 2", "1 1"),
		LGB_TREE("3", "1 -1", "-3 -2",
		    "\nis_linear=1\nleaf_const=1 2 3\nnum_features=0 1 0\n"
		    "leaf_features=  0 \nleaf_coeff=  1.5 "),
		LGB("num_leaves=1\nleaf_value=1") "\nparameters:\n[a: b]\nend of parameters\n"
						  "\npandas_categorical:[]\n",
		LGB("num_leaves=1\nleaf_value=1") "pandas_categorical:null\n",
		"tree\nversion=v2\nnum_class=1\nmax_feature_idx=0\nfeature_names=a\n\nTree=0\nnum_"
		"leaves=2\n"
		"split_feature=0\nthreshold=0.5\nleft_child=-1\nright_child=-2\nleaf_value=1 "
		"2\n\nend of trees\n",
		LINEAR("\"weights\":{\"a\":1},\"missing\":{\"a\":1}") };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct model *model = NULL;
		struct err err = { 0 };
		if (model_import(good[i], strlen(good[i]), "m", &model, &err) < 0)
			fail_msg("%zu: %s", i, err.text);
		model_free(model);
	}
}

static void
a_file_cut_at_any_byte_is_refused(void **state)
{
	(void)state;
	static const char *const files[] = { XGB(CATEGORIES("1", "0", "0", "1")),
		LGB_CATEGORIES("0 1", "0 1 2", "1 1"), LINEAR("\"weights\":{\"a\":1}") };
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		/* The line end behind "end of trees" may be missing. */
		size_t whole = strlen(files[i]) - (files[i][0] == 't');
		for (size_t len = 0; len < whole; len++) {
			struct model *model = NULL;
			struct err err = { 0 };
			char *exact = malloc(len + 1); /* so that reading on is seen */
			memcpy(exact, files[i], len);
			if (model_import(exact, len, "m", &model, &err) == 0)
				fail_msg("file %zu cut to %zu bytes is accepted", i, len);
			assert_true(err.text[0] != '\0');
			free(exact);
		}
	}
}

/* ---- large files ---- */

static void
repeat(struct buf *out, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_adds(out, text);
}

static void
many(struct buf *out, const char *key, size_t count, const char *item)
{
	buf_addf(out, "\"%s\":[%s", key, item);
	for (size_t i = 1; i < count; i++) {
		buf_addc(out, ',');
		buf_adds(out, item);
	}
	buf_adds(out, "],");
}

#define OPEN \
	"{\"version\":[1,7,4],\"learner\":{\"learner_model_param\":{\"num_feature\":\"2\"}," \
	"\"objective\":{\"name\":\"reg:squarederror\"},\"gradient_booster\":{\"name\":\"gbtree\"," \
	"\"model\":{\"trees\":[{"
#define SHUT "\"id\":0}],\"tree_info\":[0]}}}}"

static void
deep_tree(struct buf *out)
{
	size_t nodes =
	    2 * 500 * 1000 + 1; /* a spine: node i has the leaf i + 1 and the node i + 2 */
	buf_adds(out, OPEN "\"left_children\":[");
	for (size_t i = 0; i < nodes; i++)
		buf_addf(out, "%s%d", i > 0 ? "," : "",
		    i % 2 == 0 && i + 2 < nodes ? (int)i + 1 : -1);
	buf_adds(out, "],\"right_children\":[");
	for (size_t i = 0; i < nodes; i++)
		buf_addf(out, "%s%d", i > 0 ? "," : "",
		    i % 2 == 0 && i + 2 < nodes ? (int)i + 2 : -1);
	buf_adds(out, "],");
	many(out, "split_indices", nodes, "0");
	many(out, "split_conditions", nodes, "0");
	many(out, "default_left", nodes, "0");
	buf_adds(out, SHUT);
}

static void
all_arrays_full(struct buf *out)
{
	static const char *const keys[] = { "left_children", "right_children", "split_indices",
		"split_conditions", "default_left", "split_type", "categories" };
	buf_adds(out, OPEN);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		many(out, keys[i], 1u << 22, i == 5 ? "0" : "1");
	buf_adds(out, SHUT);
}

static void
array_too_long(struct buf *out)
{
	buf_adds(out, OPEN);
	many(out, "left_children", (1u << 22) + 1, "1");
	buf_adds(out, SHUT);
}

static void
nested_unknown(struct buf *out)
{
	buf_adds(out, "{\"learner\":");
	repeat(out, "{\"a\":[", 5000000);
}

static void
nested_known(struct buf *out)
{
	buf_adds(out, OPEN "\"left_children\":");
	repeat(out, "[", 30000000);
}

static void
nested_linear(struct buf *out)
{
	buf_adds(out, "{\"format\":\"aisle-linear\",\"weights\":");
	repeat(out, "{\"a\":", 1000000);
}

static void
nested_ubjson(struct buf *out)
{
	buf_adds(out, "{i\x07learner");
	repeat(out,
	    "{i\x01"
	    "a[",
	    10000000);
}

static void
long_ubjson_array(struct buf *out)
{
	buf_adds(out, "{i\x07learner{i\x10gradient_booster{i\x05model{i\x09tree_info[$i#l");
	buf_add(out, "\x03\0\0\0", 4);
	repeat(out, "0123456789abcdef", 3u << 20);
	buf_adds(out, "}}}}");
}

static void
too_many_trees(struct buf *out)
{
	buf_adds(out, OPEN);
	repeat(out,
	    "\"left_children\":[-1],\"right_children\":[-1],\"split_indices\":[0],"
	    "\"split_conditions\":[1],\"default_left\":[0]},{",
	    10001);
	buf_adds(out, SHUT);
}

static void
too_many_names(struct buf *out)
{
	buf_adds(out, "{\"learner\":{\"feature_names\":[\"x\"");
	for (int i = 0; i < 65535; i++)
		buf_addf(out, ",\"%d\"", i);
	buf_adds(out, "]}}");
}

static void
many_linear_inputs(struct buf *out)
{
	buf_adds(out, "{\"format\":\"aisle-linear\",\"weights\":{\"x\":1");
	for (int i = 0; i < 400000; i++)
		buf_addf(out, ",\"%d=%d\":1", i % 65534, i);
	buf_adds(out, "},\"missing\":{\"nothing\":1}}");
}

static void
long_string(struct buf *out)
{
	buf_adds(out, "{\"learner\":{\"");
	repeat(out, "0123456789abcdef", 63u * MIB / 16);
}

static void
long_number(struct buf *out)
{
	buf_adds(out, OPEN "\"left_children\":[");
	repeat(out, "0", 60u * MIB);
}

static void
too_large(struct buf *out)
{
	repeat(out, "                ", 64u * MIB / 16);
	buf_addc(out, ' ');
}

static void
linear_too_large(struct buf *out)
{
	buf_adds(out, "{\"format\":\"aisle-linear\",\"weights\":{");
	repeat(out, "                ", MIB);
}

static void
lightgbm_array_too_long(struct buf *out)
{
	buf_adds(out, LGB_HEAD "num_leaves=2\nleaf_value=");
	repeat(out, "1 ", (1u << 22) + 1);
}

static void
many_names(struct buf *out)
{
	buf_adds(out, "{\"learner\":{\"gradient_booster\":{\"model\":{\"cats\":{\"enc\":[");
	for (int i = 0; i < 30; i++) {
		buf_adds(out, i > 0 ? ",{" : "{");
		many(out, "offsets", 1000000, "0");
		buf_adds(out, "\"values\":[]}");
	}
	buf_adds(out, "]}}}}}");
}

static void
many_frame_names(struct buf *out)
{
	buf_adds(out, LGB("num_leaves=1\nleaf_value=1") "pandas_categorical:[[0]");
	repeat(out, ",[1]", 10u << 20);
	buf_adds(out, "]\n");
}

/* In a process of its own that may take so much memory and time; its words come back in text. */
static void
import_bounded(void (*make)(struct buf *), char *text, size_t size)
{
	int ends[2], status;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit memory = { MEMORY_MAX, MEMORY_MAX }, time = { CPU_S_MAX, CPU_S_MAX };
		struct buf file = { 0 };
		struct model *model = NULL;
		struct err err = { 0 };
		make(&file);
		setrlimit(RLIMIT_CPU, &time);
		if (!SANITIZED)
			setrlimit(RLIMIT_AS, &memory);
		int r = model_import(file.data, file.len, "m", &model, &err);
		if (write(ends[1], err.text, strlen(err.text)) < 0)
			_exit(2);
		_exit(r < 0 && model == NULL ? 0 : 1);
	}
	close(ends[1]);
	ssize_t len = read(ends[0], text, size - 1);
	text[len > 0 ? len : 0] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
large_files_are_refused_within_a_gibibyte(void **state)
{
	(void)state;
	static const struct {
		void (*make)(struct buf *);
		const char *why;
	} large[] = {
		{ deep_tree, "deeper than 512" },
		{ all_arrays_full, "node 1: two ways lead to it" },
		{ array_too_long, "array too long" },
		{ nested_unknown, "nested too deep" },
		{ nested_known, "nested too deep" },
		{ nested_linear, "deep" },
		{ nested_ubjson, "nested too deep" },
		{ long_ubjson_array, "array too long" },
		{ too_many_trees, "too many trees" },
		{ too_many_names, "too many inputs" },
		{ many_linear_inputs, "no weight is for \"nothing\"" },
		{ long_string, "string without end" },
		{ long_number, "number without end" },
		{ too_large, "larger than 64 MiB" },
		{ linear_too_large, "larger than 16 MiB" },
		{ lightgbm_array_too_long, "array too long" },
		{ many_names, "too many categories" },
		{ many_frame_names, "too many categories" },
	};
	for (size_t i = 0; i < ARRAY_LEN(large); i++) {
		char text[500];
		import_bounded(large[i].make, text, sizeof(text));
		if (strstr(text, large[i].why) == NULL)
			fail_msg("\"%s\", expected \"%s\"", text, large[i].why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_lie_is_refused_in_its_own_words),
		cmocka_unit_test(each_lie_is_refused_in_ubjson_too),
		cmocka_unit_test(each_lie_of_ubjson_is_refused_in_its_own_words),
		cmocka_unit_test(in_ubjson_a_model_is_the_same_and_cut_at_any_byte_none),
		cmocka_unit_test(what_the_lies_are_made_of_is_accepted),
		cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
		cmocka_unit_test(large_files_are_refused_within_a_gibibyte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
