/* SPDX-License-Identifier: Apache-2.0
 *
 * model_xgboost.h - what is read from an XGBoost file, before it is a model.
 */
#ifndef AISLE_SCORE_MODEL_XGBOOST_H
#define AISLE_SCORE_MODEL_XGBOOST_H

#include "score/model_impl.h"
#include "score/model_json.h"

#define TEXT_MAX 200

/* What a file says, as far as it matters. Arrays of one tree are used again for the next. */
struct xgb {
	struct jsonr r;
	struct builder b;
	char objective[64], booster[16], base_score[TEXT_MAX];
	bool has_learner, has_model, has_dictionary;
	double num_class, num_target, num_feature;
	struct numbers version, tree_info, weight_drop, weights;
	struct numbers left, right, index, condition, default_left, split_type;
	struct numbers category, category_node, category_first, category_size;
	struct raw_node *raw;
	size_t raw_cap;
	uint32_t *words;
	size_t word_cap;
};

int xgboost_build_tree(struct xgb *x);	/* from the arrays of one tree */

#endif
