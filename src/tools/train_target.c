/* SPDX-License-Identifier: Apache-2.0
 *
 * train_target.c - one question, its rows by date, and the model that answers it.
 *
 * DESIGN
 *   Split by date, never at random: the store will ask about tomorrow. The
 *   ridge and the calibration are chosen on the middle part; the last part is
 *   looked at once, and what is looked at is what is written: the weights are
 *   rounded before they are measured.
 *
 *   A model that is not better than the base rate there, by two standard errors
 *   of the difference and a hundredth of the base rate's log loss, is not
 *   shipped, nor one that does not gain that hundredth on the middle part. A
 *   number that says nothing is worse than none, because rules would trust it.
 *   All are asked: a dozen models a shop are a dozen chances for two standard
 *   errors by luck, and under the strongest ridge a model is the base rate, give
 *   or take, and may still win by 0.00003 ± 0.00001.
 */
#include "tools/train_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fmath.h"

#define WARM_UP_MAX_MS (30 * D_MS)

static const double ridges[] = { 1, 3, 10, 30, 100, 300, 1000, 3000 };

bool
train_split(int64_t first_ms, int64_t last_ms, int64_t window_ms,
    struct train_span spans[static TRAIN_PARTS])
{
	int64_t rest = last_ms - first_ms - TRAIN_PARTS * window_ms;

	if (rest < TRAIN_PARTS * H_MS)
		return false;
	spans[0].to_ms = first_ms + rest / 5 * 3;
	spans[0].from_ms =
	    first_ms + (rest / 50 * 3 < WARM_UP_MAX_MS ? rest / 50 * 3 : WARM_UP_MAX_MS);
	spans[1].from_ms = spans[0].to_ms + window_ms;
	spans[1].to_ms = spans[1].from_ms + rest / 5;
	spans[2] = (struct train_span){ spans[1].to_ms + window_ms, last_ms - window_ms };
	return true;
}

/* ---- rows ---- */

/* What came of a row; -1: it is not one of this question's. */
static int
answer_of(const struct train_target *target, const struct train_rows *rows, size_t i)
{
	const struct train_basket *basket = &rows->baskets->list[rows->list[i].basket];
	int64_t at_ms = rows->list[i].at_ms;
	int held;

	if (target->question == ASK_LAPSE)
		return basket->next_ms == INT64_MAX || basket->next_ms > at_ms + target->window_ms;
	held = train_feature_find(rows->features, ROLE_HELD, target->category);
	/* What lies in the basket already is no question any more. */
	if (basket->at_ms > at_ms + target->window_ms ||
	    rows->x[i * rows->features->count + (size_t)held] > 0)
		return -1;
	return train_basket_has(rows->baskets, rows->list[i].basket,
	    rows->features->top[target->category]);
}

static void
add_row(const struct train_target *target, struct train_part *part, size_t *room, const double *x,
    int y, int32_t who)
{
	size_t columns = target->input_count;

	if (part->rows.rows == *room) {
		*room = *room == 0 ? 256 : 2 * *room;
		part->rows.x =
		    mem_realloc((double *)part->rows.x, *room * columns * sizeof(double));
		part->rows.y = mem_realloc((uint8_t *)part->rows.y, *room);
		part->who = mem_realloc(part->who, *room * sizeof(*part->who));
	}
	for (size_t k = 0; k < columns; k++)
		((double *)part->rows.x)[part->rows.rows * columns + k] = x[target->inputs[k]];
	part->who[part->rows.rows] = who;
	((uint8_t *)part->rows.y)[part->rows.rows++] = (uint8_t)y;
	part->yes += (size_t)y;
}

static void
place(struct train_target *target, size_t room[static TRAIN_PARTS], int64_t at_ms, const double *x,
    int y, int32_t who)
{
	for (int k = 0; k < TRAIN_PARTS && y >= 0; k++) {
		if (at_ms >= target->parts[k].span.from_ms && at_ms < target->parts[k].span.to_ms)
			add_row(target, &target->parts[k], &room[k], x, y, who);
	}
}

static bool
gather(struct train_target *target, const struct train_rows *rows)
{
	const struct train_baskets *baskets = rows->baskets;
	struct train_span spans[TRAIN_PARTS];
	size_t room[TRAIN_PARTS] = { 0 }, columns = rows->features->count;

	if (baskets->count == 0 ||
	    !train_split(baskets->list[0].at_ms, baskets->list[baskets->count - 1].at_ms,
		target->window_ms, spans)) {
		snprintf(target->why_not, sizeof(target->why_not),
		    "the events span too short a time: expected well over %lld days, better twice "
		    "that",
		    (long long)(TRAIN_PARTS * target->window_ms / D_MS + 1));
		return false;
	}
	for (int k = 0; k < TRAIN_PARTS; k++) {
		target->parts[k].span = spans[k];
		target->parts[k].rows.columns = target->input_count;
		target->parts[k].rows.log1p = true;
	}
	for (size_t i = 0; target->question != ASK_REDEEMED && i < rows->count; i++)
		place(target, room, rows->list[i].at_ms, rows->x + i * columns,
		    answer_of(target, rows, i), baskets->list[rows->list[i].basket].customer);
	for (size_t i = 0; target->question == ASK_REDEEMED && i < rows->card_count; i++) {
		if (rows->cards[i].action == target->action)
			place(target, room, rows->cards[i].at_ms, rows->card_x + i * columns,
			    rows->cards[i].redeemed, rows->cards[i].customer);
	}
	return true;
}

/* Rows of one customer are alike: how far off a figure may be is told from how customers differ. */
static size_t
customers_of(const struct train_part *part, size_t people)
{
	bool *seen = mem_calloc(people + 1, sizeof(*seen));
	size_t count = 0;

	for (size_t i = 0; i < part->rows.rows; i++) {
		count += !seen[part->who[i]];
		seen[part->who[i]] = true;
	}
	free(seen);
	return count;
}

static bool
enough_customers(struct train_target *target, size_t people)
{
	size_t count = customers_of(&target->parts[2], people);

	if (count >= TRAIN_CUSTOMERS_MIN)
		return true;
	snprintf(target->why_not, sizeof(target->why_not),
	    "too few to judge by: %zu customers in the held-out part, expected %d", count,
	    TRAIN_CUSTOMERS_MIN);
	return false;
}

static bool
enough(struct train_target *target)
{
	static const char *const names[TRAIN_PARTS] = { "training", "validation", "held-out" };

	for (int k = 0; k < TRAIN_PARTS; k++) {
		size_t need = k == 0 ? TRAIN_YES_MIN : TRAIN_YES_MIN / 3;
		size_t yes = target->parts[k].yes, no = target->parts[k].rows.rows - yes;

		if (yes >= need && no >= need)
			continue;
		snprintf(target->why_not, sizeof(target->why_not),
		    "too little to learn from: %zu rows of yes and %zu of no in the %s part, "
		    "expected %zu of each",
		    yes, no, names[k], need);
		return false;
	}
	return true;
}

/* ---- learning ---- */

/* Nine digits: what stands in the file is what is measured. */
static double
rounded(double x)
{
	char text[40];

	snprintf(text, sizeof(text), "%.9g", x);
	return strtod(text, NULL);
}

static void
round_fit(struct fit *fit)
{
	fit->bias = rounded(fit->bias);
	for (size_t k = 0; k < fit->columns; k++) {
		fit->weight[k] = rounded(fit->weight[k]);
		fit->missing[k] = rounded(fit->missing[k]);
	}
}

static double *
margins_of(const struct fit *fit, const struct fit_rows *rows)
{
	double *margins = mem_alloc((rows->rows + 1) * sizeof(*margins));

	for (size_t i = 0; i < rows->rows; i++)
		margins[i] = fit_margin(fit, rows->x + i * rows->columns);
	return margins;
}

static double
loss_on(const struct fit *fit, const struct fit_rows *rows)
{
	double *p = margins_of(fit, rows);
	struct measure measure;

	for (size_t i = 0; i < rows->rows; i++)
		p[i] = fit_chance(p[i]);
	measure_chances(p, rows->y, rows->rows, &measure);
	free(p);
	return measure.log_loss;
}

static void
learn(struct train_target *target)
{
	struct fit fit;
	double best = 0;

	for (size_t r = 0; r < ARRAY_LEN(ridges); r++) {
		double loss;

		fit_logistic(&target->parts[0].rows, ridges[r], &fit);
		round_fit(&fit);
		loss = loss_on(&fit, &target->parts[1].rows);
		/* Of equals the stronger ridge: the smaller weights. */
		if (r > 0 && loss > best)
			continue;
		best = target->chosen_loss = loss;
		target->fit = fit;
		target->ridge = ridges[r];
	}
}

static void
round_calibration(struct calibration *calibration)
{
	double *ms = (double *)calibration->margins, *ps = (double *)calibration->ps;
	size_t kept = 0;

	calibration->a = rounded(calibration->a);
	calibration->b = rounded(calibration->b);
	for (size_t i = 0; calibration->kind == CALIBRATION_ISOTONIC && i < calibration->count;
	     i++) {
		double m = rounded(ms[i]);

		if (kept > 0 && !(m > ms[kept - 1]))
			continue;
		ms[kept] = m;
		ps[kept++] = rounded(ps[i]);
	}
	if (calibration->kind == CALIBRATION_ISOTONIC)
		calibration->count = kept;
}

static void
calibrate(struct train_target *target)
{
	const struct fit_rows *rows = &target->parts[1].rows;
	double *margins = margins_of(&target->fit, rows);

	calibrate_choose(margins, rows->y, rows->rows, &target->calibration);
	round_calibration(&target->calibration);
	free(margins);
}

double
train_target_chance(const struct train_target *target, const double *x)
{
	return calibrate_chance(&target->calibration, fit_margin(&target->fit, x));
}

static bool
reads_something(const struct fit *fit)
{
	for (size_t k = 0; k < fit->columns; k++) {
		if (fit->weight[k] != 0)
			return true;
	}
	return false;
}

/* Of the held-out part. */
static void
measure_all(struct train_target *target, size_t people)
{
	const struct fit_rows *held = &target->parts[2].rows;
	double *p = mem_alloc((held->rows + 1) * sizeof(*p)),
	       *base = mem_alloc((held->rows + 1) * sizeof(*base));

	target->base_rate = (double)target->parts[0].yes / (double)target->parts[0].rows.rows;
	one_rule_find(&target->parts[0].rows, &target->rule);
	for (size_t i = 0; i < held->rows; i++) {
		p[i] = one_rule_chance(&target->rule, held->x + i * held->columns);
		base[i] = target->base_rate;
	}
	measure_chances(p, held->y, held->rows, &target->of_rule);
	measure_chances(base, held->y, held->rows, &target->of_base);
	for (size_t i = 0; i < held->rows; i++)
		p[i] = train_target_chance(target, held->x + i * held->columns);
	measure_chances(p, held->y, held->rows, &target->of_model);
	measure_gain(p, base, held->y, target->parts[2].who, held->rows, people, &target->gain,
	    &target->gain_error);
	free(p);
	free(base);
}

/* Asked first of the part that the ridge was chosen on: who is no better there, though chosen for it, is
 * better on the held-out part by luck. */
static bool
good_when_chosen(const struct train_target *target)
{
	const struct train_part *part = &target->parts[1];
	double rows = (double)part->rows.rows, yes = (double)part->yes;
	struct measure base = { .log_loss = -(yes * fmath_log(target->base_rate) +
						(rows - yes) * fmath_log(1 - target->base_rate)) /
		    rows };

	return measure_beats(&base, base.log_loss - target->chosen_loss, 0);
}

static void
judge(struct train_target *target)
{
	if (!good_when_chosen(target)) {
		snprintf(target->why_not, sizeof(target->why_not),
		    "not clearly better than the base rate on the validation part, which it was "
		    "chosen on");
		return;
	}
	target->ships = reads_something(&target->fit) &&
	    measure_beats(&target->of_base, target->gain, target->gain_error);
	if (!target->ships)
		snprintf(target->why_not, sizeof(target->why_not),
		    "not clearly better than the base rate on the held-out part: log loss %.4f "
		    "against %.4f, gain %.4f ± %.4f",
		    target->of_model.log_loss, target->of_base.log_loss, target->gain,
		    target->gain_error);
}

void
train_target_run(struct train_target *target, const struct train_rows *rows)
{
	size_t people = rows->baskets->customers.count;

	if (!gather(target, rows) || !enough(target) || !enough_customers(target, people))
		return;
	target->trained = true;
	learn(target);
	calibrate(target);
	measure_all(target, people);
	judge(target);
}

void
train_target_done(struct train_target *target)
{
	for (int k = 0; k < TRAIN_PARTS; k++) {
		free((double *)target->parts[k].rows.x);
		free((uint8_t *)target->parts[k].rows.y);
		free(target->parts[k].who);
	}
	calibrate_done(&target->calibration);
	free(target->name);
	free(target->meaning);
	*target = (struct train_target){ 0 };
}
