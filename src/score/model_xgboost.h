/* SPDX-License-Identifier: Apache-2.0
 *
 * model_xgboost.h - what is read from an XGBoost file, before it is a model.
 */
#ifndef AISLE_SCORE_MODEL_XGBOOST_H
#define AISLE_SCORE_MODEL_XGBOOST_H

#include "score/model_impl.h"
#include "score/model_json.h"

#define PARAM_MAX 64
#define BASE_SCORE_MAX (MODEL_CLASSES_MAX * 20) /* since 3.1 one for each class */

/* What a file says, as far as it matters. Arrays of one tree are used again for the next. */
struct xgb {
	struct jsonr r;
	const struct jsonr_form *form;
	struct builder b;
	char objective[64], booster[16], base_score[BASE_SCORE_MAX];
	bool has_learner, has_model, has_weight_drop;
	double num_class, num_target, num_feature, num_trees; /* num_trees < 0: not said */
	double num_parallel, best; /* trees of one step; the best iteration, < 0: none */
	enum model_trees which;
	bool trees_only;		  /* the pass that reads them */
	uint32_t tree_limit, trees_seen;  /* the others are skipped; those of the file */
	struct dictionary **dictionaries; /* by feature; NULL: none. */
	uint32_t dictionary_count, category_total;
	size_t dictionary_cap;
	struct numbers iteration, version, tree_info, weight_drop, weights;
	struct numbers left, right, index, condition, default_left, split_type, cover;
	struct numbers category, category_node, category_first, category_size;
	double tree_id, num_nodes; /* of one tree; < 0: not said */
	struct raw_node *raw;
	size_t raw_cap;
	uint32_t *words;
	size_t word_cap;
};

enum base_link { BASE_IDENTITY, BASE_LOGIT, BASE_LOG };

/* The file into x: first all but the trees, then, when the features are known, the trees. */
int xgboost_read(struct xgb *x, const char *text, size_t len, bool trees_only);
int xgboost_build_tree(struct xgb *x); /* from the arrays of one tree */
/* base_score into the model; needs the version. */
int xgboost_base(struct xgb *x, enum base_link link);
float xgboost_logf(float x); /* the C library's; x positive and finite */

#endif
