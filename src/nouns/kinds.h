/* SPDX-License-Identifier: Apache-2.0
 *
 * kinds.h - words of the policy language that are in no enum of the headers; the others are there.
 */
#ifndef AISLE_NOUNS_KINDS_H
#define AISLE_NOUNS_KINDS_H

extern const char *const day_names[7];
extern const char *const budget_names[2];
extern const char *const unit_names[4];
extern const char *const goal_names[5];

#endif
