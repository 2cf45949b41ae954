/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_words.h - a rule (JsonLogic) as a sentence, for people who compare policies.
 */
#ifndef AISLE_TOOLS_RULE_WORDS_H
#define AISLE_TOOLS_RULE_WORDS_H

#include "core/json.h"

/* "coffee_visits >= 2 and tier is one of gold, silver"; what has no words stands as JSON. */
void rule_words(const json_t *rule, struct buf *out);

#endif
