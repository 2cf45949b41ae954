/* SPDX-License-Identifier: Apache-2.0
 *
 * model_lightgbm.h - what is read from a LightGBM file, before it is a model.
 */
#ifndef AISLE_SCORE_MODEL_LIGHTGBM_H
#define AISLE_SCORE_MODEL_LIGHTGBM_H

#include "score/model_impl.h"
#include "score/model_json.h"

struct lgb {
	struct builder b;
	char *at, *end; /* of a copy with zero bytes for line ends */
	int line;
	uint32_t features, classes, per_iteration, expected_trees;
	bool averages;
	unsigned version;
	const char *infos; /* feature_infos as it stands there, or NULL */
	const char *first; /* the line of the first tree */
	size_t sizes;	   /* of all trees in bytes, if tree_sizes says it */
	bool *categorical; /* by feature: as a parameter says, or a split */
	uint32_t seen;	   /* keys of the header, then of the tree */
	/* one tree */
	uint32_t leaves, cats, linear;
	struct numbers feature, threshold, decision, left, right, leaf, cat_first, cat_word;
	struct numbers leaf_const, leaf_features, leaf_feature, leaf_coeff, leaf_count, inner_count;
	struct raw_node *raw;
	size_t raw_cap;
	uint32_t *words;
	bool *taken; /* bit maps that a split has */
};

/* Of a tree, in the order of lgb_tree_line()'s keys. */
#define LGB_ARRAYS(l) \
	{ \
		&(l)->feature, &(l)->threshold, &(l)->decision, &(l)->left, &(l)->right, \
		    &(l)->leaf, &(l)->cat_first, &(l)->cat_word, &(l)->leaf_const, \
		    &(l)->leaf_features, &(l)->leaf_feature, &(l)->leaf_coeff, &(l)->leaf_count, \
		    &(l)->inner_count \
	}

int lgb_refuse(const struct lgb *l, const char *what); /* always AISLE_E_INVALID, at this line */
/* The value if line is "key=value" with one of the keys, else NULL. Twice is a mistake: *ret_status. */
char *lgb_pick(struct lgb *l, char *line, const char *const *keys, size_t count, size_t *ret_key,
    int *ret_status);
/* Numbers with blanks between. */
int lgb_numbers(struct lgb *l, const char *text, struct numbers *ret);
int lgb_count(struct lgb *l, const char *text, uint32_t max, uint32_t *ret);

void lgb_begin_tree(struct lgb *l);
int lgb_tree_line(struct lgb *l, char *line);
int lgb_finish_tree(struct lgb *l); /* into the builder */

int lgb_pandas(struct lgb *l, const char *text); /* names of categories into the builder */
void lgb_categorical_parameter(struct lgb *l, const char *line); /* if it is that */

#endif
