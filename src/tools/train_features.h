/* SPDX-License-Identifier: Apache-2.0
 *
 * train_features.h - the features that the trainer declares, and features.json with them.
 */
#ifndef AISLE_TOOLS_TRAIN_FEATURES_H
#define AISLE_TOOLS_TRAIN_FEATURES_H

#include "core/json.h"
#include "tools/train_baskets.h"

#define TRAIN_TOP 12 /* categories that get models of their own */
#define TRAIN_FEATURES_MAX 128

enum train_role {
	ROLE_OFTEN,    /* how often the customer comes: every model may read it */
	ROLE_CUSTOMER, /* of the habit with the shop: models that ask about no category */
	ROLE_CATEGORY, /* of the habit with one category */
	ROLE_BASKET,   /* of the basket as a whole: models of what is said in it */
	ROLE_HELD,     /* is the category in the basket already? no model's input */
};
struct train_feature {
	char *name, *from, *words;
	enum train_role role;
	int category; /* of the top; -1 */
};
struct train_features {
	struct train_feature list[TRAIN_FEATURES_MAX];
	size_t count;
	/* categories of the baskets, by how many customers' baskets have them; where nobody is
	 * known, anybody's */
	uint16_t top[TRAIN_TOP];
	size_t top_count;
	char *slug[TRAIN_TOP]; /* "grocery-coffee": names of features and models */
};
/* From baskets that closed before until_ms. base: features.json of the policy it joins (NULL:
 * none); what it declares alike goes by its name there. */
void train_features_make(struct train_features *features, const struct train_baskets *baskets,
    int64_t until_ms, const json_t *base);
void train_features_done(struct train_features *features);
/* features.json: base's, then those of ours that are wanted and not there, then a line for each of
 * models
 * ("p_NAME" from model.NAME). wanted NULL: all of ours. */
void train_features_json(const struct train_features *features, const json_t *base,
    const bool *wanted, const char *const *models, size_t model_count, struct buf *out);
/* the first; -1 */
int train_feature_find(const struct train_features *features, enum train_role role, int category);

#endif
