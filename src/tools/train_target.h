/* SPDX-License-Identifier: Apache-2.0
 *
 * train_target.h - one question, its rows by date, and the model that answers it.
 */
#ifndef AISLE_TOOLS_TRAIN_TARGET_H
#define AISLE_TOOLS_TRAIN_TARGET_H

#include "tools/train_calibrate.h"
#include "tools/train_measure.h"
#include "tools/train_rows.h"

#define TRAIN_LAPSE_DAYS 40
#define TRAIN_CLOSE_MS (12 * H_MS) /* a basket that takes longer answers nothing */
/* Fewer, and nothing is trained; in the validation and the held-out part a third of it. */
#define TRAIN_YES_MIN 30       /* rows of either kind in the training part */
#define TRAIN_CUSTOMERS_MIN 10 /* in the held-out part: of fewer no error can be told */
#define TRAIN_PARTS 3	       /* learn, validate, held out: 60, 20, 20 of a hundred of the time */

#define TRAIN_REDEEM_MAX 16 /* actions that get a model of their redemption */
#define TRAIN_TARGETS_MAX (1 + TRAIN_TOP + TRAIN_REDEEM_MAX)

struct train_span {
	int64_t from_ms, to_ms; /* of the rows' moments; what came of them is known window later */
};
/* Cuts first..last into the three parts, each followed by a gap of window in which no row may lie:
 * so no part has rows whose answer lies in a later one. The first tenth of the learning part, up to
 * 30 days, is left out: there everybody looks new, because the recording has just begun. false: no
 * time is left. */
bool train_split(int64_t first_ms, int64_t last_ms, int64_t window_ms,
    struct train_span spans[static TRAIN_PARTS]);

enum train_question { ASK_LAPSE, ASK_CATEGORY, ASK_REDEEMED };

struct train_part {
	struct train_span span;
	struct fit_rows rows; /* owns x and y */
	int32_t *who;	      /* whose row */
	size_t yes;
};

struct train_target {
	enum train_question question;
	int category;		/* in features->top */
	int32_t action;		/* in rows->actions */
	char *name;		/* of the model: "lapse_40d" */
	char *meaning;		/* "buys grocery/coffee in this basket" */
	const char *population; /* in words; models.json has it, too */
	int64_t window_ms;
	int inputs[FIT_COLUMNS_MAX]; /* features */
	size_t input_count;
	struct train_part parts[TRAIN_PARTS];

	bool trained; /* there was enough to learn from: what follows is filled */
	bool ships;   /* measure_beats() the base rate on the held-out part */
	char why_not[240];
	double ridge, chosen_loss; /* and its log loss on the validation part, uncalibrated */
	struct fit fit;		   /* weights as they are written: nine digits */
	struct calibration calibration;
	double base_rate; /* of the training part */
	struct one_rule rule;
	struct measure of_model, of_base, of_rule; /* on the held-out part */
	double gain, gain_error; /* of log loss against the base rate there, and its standard error
				    over customers */
};
/* Gathers, learns, calibrates, measures. */
void train_target_run(struct train_target *target, const struct train_rows *rows);
void train_target_done(struct train_target *target);
double train_target_chance(const struct train_target *target, const double *x);

#endif
