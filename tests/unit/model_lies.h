/* SPDX-License-Identifier: Apache-2.0
 *
 * model_lies.h - model files that lie.
 */
#ifndef AISLE_TESTS_MODEL_LIES_H
#define AISLE_TESTS_MODEL_LIES_H

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

/* What is wrong with each, in the words that say it. */
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
	{ XGB_WITH("\"2\"",
	      "\"gbtree_model_param\":{\"num_trees\":\"0\"},\"trees\":[],\"tree_info\":[]"),
	    "no trees: it was saved before training" },
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

#endif
