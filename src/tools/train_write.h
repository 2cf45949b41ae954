/* SPDX-License-Identifier: Apache-2.0
 *
 * train_write.h - what was learned, as the files of a policy's folder.
 */
#ifndef AISLE_TOOLS_TRAIN_WRITE_H
#define AISLE_TOOLS_TRAIN_WRITE_H

#include "tools/train_pairs.h"
#include "tools/train_tables.h"
#include "tools/train_target.h"

#define TRAIN_RULES 10 /* pairs that become rules */
#define TRAIN_LIFT_MIN 1.5

struct train_result {
	const struct train_baskets *baskets;
	const struct train_features *features;
	const struct train_rows *rows;
	const struct train_pairs *pairs;
	const struct train_tables *tables;
	struct train_target *targets;
	size_t target_count;
	const json_t *base_features, *base_models; /* of the policy it joins; NULL: none */
	int64_t events;
};
void train_write_features(const struct train_result *result, struct buf *out); /* features.json */
/* models/models.json */
void train_write_models(const struct train_result *result, struct buf *out);
void train_write_linear(const struct train_result *result, const struct train_target *target,
    struct buf *out);
/* Rows of the inputs' deciles, and one with nothing known: nobody's own row leaves the store.
 * Margins are those of the engine's own code over `linear`. */
int train_write_exam(const struct train_result *result, const struct train_target *target,
    const struct buf *linear, struct buf *out, struct err *err) AISLE_MUST_CHECK;
/* copurchase/pairs.csv */
void train_write_pairs(const struct train_result *result, struct buf *out);
/* copurchase/rules.json */
void train_write_rules(const struct train_result *result, struct buf *out);
/* Is the pair one for a rule: common, strong, and as strong later? */
bool train_pair_is_rule(const struct train_result *result, const struct train_pair *pair);

#endif
