/* SPDX-License-Identifier: Apache-2.0
 *
 * train_card.h - CARD.md: what was learned from what, how good it is, and what it is not; and the
 * calibration of each model as a picture.
 */
#ifndef AISLE_TOOLS_TRAIN_CARD_H
#define AISLE_TOOLS_TRAIN_CARD_H

#include "tools/train_write.h"

void train_card_write(const struct train_result *result, struct buf *out);
/* Predicted against observed, held-out part, a dot a bin. */
void train_card_picture(const struct train_target *target, struct buf *out);
/* One line a model, for who waits at the terminal. */
void train_card_summary(const struct train_result *result, struct buf *out);

#endif
