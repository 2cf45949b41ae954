/* SPDX-License-Identifier: Apache-2.0
 *
 * train_write.c - what was learned, as the files of a policy's folder.
 */
#include "tools/train_write.h"

#include <stdlib.h>
#include <string.h>

#include "core/json_write.h"
#include "logic/logic_impl.h"
#include "score/model.h"

static void
add_number(struct buf *out, double x)
{
	char text[NUMBER_TEXT_SIZE];

	number_text(x, text);
	buf_adds(out, text);
}

static void
add_member(struct json_writer *w, const char *name, double x)
{
	char text[NUMBER_TEXT_SIZE];

	number_text(x, text);
	json_add_raw(w, name, text, strlen(text));
}

static const char *
input_name(const struct train_result *result, const struct train_target *target, size_t k)
{
	return result->features->list[target->inputs[k]].name;
}

/* ---- features.json ---- */

/* A rule asks whether its two categories are in the basket: those features have to be there. */
static int
held_feature(const struct train_result *result, uint16_t category)
{
	for (size_t c = 0; c < result->features->top_count; c++) {
		if (result->features->top[c] == category)
			return train_feature_find(result->features, ROLE_HELD, (int)c);
	}
	return -1;
}

bool
train_pair_is_rule(const struct train_result *result, const struct train_pair *pair)
{
	return pair->lift >= TRAIN_LIFT_MIN && pair->later_lift >= TRAIN_LIFT_MIN &&
	    held_feature(result, pair->a) >= 0 && held_feature(result, pair->b) >= 0;
}

void
train_write_features(const struct train_result *result, struct buf *out)
{
	bool wanted[TRAIN_FEATURES_MAX] = { false };
	const char *models[TRAIN_TARGETS_MAX];
	size_t model_count = 0, rules = 0;

	for (size_t t = 0; t < result->target_count; t++) {
		const struct train_target *target = &result->targets[t];

		if (!target->ships)
			continue;
		models[model_count++] = target->name;
		for (size_t k = 0; k < target->input_count; k++)
			wanted[target->inputs[k]] |= target->fit.weight[k] != 0;
	}
	for (size_t i = 0; i < result->pairs->count && rules < TRAIN_RULES; i++) {
		const struct train_pair *pair = &result->pairs->list[i];

		if (!train_pair_is_rule(result, pair))
			continue;
		rules++;
		wanted[held_feature(result, pair->a)] = wanted[held_feature(result, pair->b)] =
		    true;
	}
	train_features_json(result->features, result->base_features, wanted, models, model_count,
	    out);
}

/* ---- models ---- */

static void
add_calibration(const struct calibration *calibration, struct json_writer *w)
{
	if (calibration->kind != CALIBRATION_PLATT && calibration->kind != CALIBRATION_ISOTONIC)
		return;
	json_space(w, "\n ");
	json_add_object(w, "calibration");
	if (calibration->kind == CALIBRATION_PLATT) {
		json_add_list(w, "platt");
		add_member(w, NULL, calibration->a);
		add_member(w, NULL, calibration->b);
	} else {
		json_add_list(w, "isotonic");
		for (size_t i = 0; i < calibration->count; i++) {
			json_add_list(w, NULL);
			add_member(w, NULL, calibration->margins[i]);
			add_member(w, NULL, calibration->ps[i]);
			json_end(w);
		}
	}
	json_end(w);
	json_end(w);
}

static bool
is_replaced(const struct train_result *result, const json_t *entry)
{
	const char *name = json_string_value(json_object_get(entry, "model"));

	for (size_t t = 0; t < result->target_count && name != NULL; t++) {
		if (result->targets[t].ships && strcmp(result->targets[t].name, name) == 0)
			return true;
	}
	return false;
}

void
train_write_models(const struct train_result *result, struct buf *out)
{
	json_t *list = json_object_get(result->base_models, "models"), *entry;
	struct json_writer *w = JSON_OBJECT(out);
	size_t i;

	json_add_list(w, "models");
	json_array_foreach(list, i, entry) {
		if (is_replaced(result, entry))
			continue;
		json_space(w, "\n");
		json_add_tree(w, NULL, entry);
	}
	for (i = 0; i < result->target_count; i++) {
		const struct train_target *target = &result->targets[i];

		if (!target->ships)
			continue;
		json_space(w, "\n");
		json_add_object(w, NULL);
		json_add_str(w, "model", target->name);
		json_addf(w, "file", "%s.linear.json", target->name);
		json_add_str(w, "target", target->meaning);
		json_add_int(w, "window_days",
		    target->question == ASK_LAPSE ? target->window_ms / D_MS : 0);
		json_add_str(w, "population", target->population);
		add_calibration(&target->calibration, w);
		json_space(w, "\n ");
		json_addf(w, "exam", "%s.exam.csv", target->name);
		json_add_int(w, "exam_tolerance", 0);
		json_end(w);
	}
	json_end_all(w);
	buf_addc(out, '\n');
}

static void
add_logs(const struct train_result *result, const struct train_target *target,
    struct json_writer *w)
{
	if (!target->fit.log1p)
		return;
	json_space(w, "\n");
	json_add_list(w, "log1p");
	for (size_t k = 0; k < target->fit.columns; k++)
		if (target->fit.weight[k] != 0)
			json_add_str(w, NULL, input_name(result, target, k));
	json_end(w);
}

void
train_write_linear(const struct train_result *result, const struct train_target *target,
    struct buf *out)
{
	const struct fit *fit = &target->fit;
	struct json_writer *w = JSON_OBJECT(out);

	json_add_str(w, "format", "aisle-linear");
	json_add_str(w, "link", "logit");
	add_member(w, "bias", fit->bias);
	add_logs(result, target, w);
	for (int what = 0; what < 2; what++) {
		json_space(w, "\n");
		json_add_object(w, what == 0 ? "weights" : "missing");
		for (size_t k = 0; k < fit->columns; k++) {
			if (fit->weight[k] == 0)
				continue;
			json_space(w, "\n ");
			add_member(w, input_name(result, target, k),
			    what == 0 ? fit->weight[k] : fit->missing[k]);
		}
		json_end(w);
	}
	json_end(w);
	buf_addc(out, '\n');
}

/* ---- the exam ---- */

#define EXAM_STEPS 10

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The deciles of a column, the values that were there; none there: NaN. */
static void
deciles(const struct fit_rows *rows, size_t column, double out[static EXAM_STEPS + 1])
{
	double *there = mem_alloc((rows->rows + 1) * sizeof(*there));
	size_t count = 0;

	for (size_t i = 0; i < rows->rows; i++) {
		double x = rows->x[i * rows->columns + column];

		if (!(x != x))
			there[count++] = x;
	}
	qsort(there, count, sizeof(*there), compare_doubles);
	for (size_t s = 0; s <= EXAM_STEPS; s++)
		out[s] = count > 0 ? there[(count - 1) * s / EXAM_STEPS] : __builtin_nan("");
	free(there);
}

/* Row s has the s-th decile of every second input, and the opposite of the others, so that the
 * inputs do not all rise together; the last row knows nothing. */
static void
exam_row(const struct train_result *result, const struct train_target *target,
    const struct model *model, size_t s, double (*steps)[EXAM_STEPS + 1], struct buf *out)
{
	struct value inputs[FIT_COLUMNS_MAX];
	double margin;

	for (size_t i = 0; i < model_input_count(model); i++) {
		size_t k = 0;

		while (strcmp(input_name(result, target, k), model_input(model, i)) != 0)
			k++;
		inputs[i] = value_missing();
		if (s <= EXAM_STEPS && !(steps[k][0] != steps[k][0]))
			inputs[i] = value_number(steps[k][i % 2 == 0 ? s : EXAM_STEPS - s]);
		if (inputs[i].tag == VALUE_NUMBER)
			add_number(out, inputs[i].number);
		buf_addc(out, ',');
	}
	model_margin(model, inputs, &margin);
	add_number(out, margin);
	buf_addc(out, '\n');
}

int
train_write_exam(const struct train_result *result, const struct train_target *target,
    const struct buf *linear, struct buf *out, struct err *err)
{
	double steps[FIT_COLUMNS_MAX][EXAM_STEPS + 1] = { { 0 } };
	struct model *model;
	int rc = model_import(linear->data, linear->len, target->name, &model, err);

	if (rc != 0)
		return rc;
	for (size_t k = 0; k < target->input_count; k++)
		deciles(&target->parts[0].rows, k, steps[k]);
	for (size_t i = 0; i < model_input_count(model); i++)
		buf_addf(out, "%s,", model_input(model, i));
	buf_adds(out, "margin\n");
	for (size_t s = 0; s <= EXAM_STEPS + 1; s++)
		exam_row(result, target, model, s, steps, out);
	model_free(model);
	return 0;
}

/* ---- co-purchase ---- */

void
train_write_pairs(const struct train_result *result, struct buf *out)
{
	buf_adds(out,
	    "if,then,baskets_if,baskets_then,baskets_both,support,confidence,lift,later_"
	    "both,later_lift\n");
	for (size_t i = 0; i < result->pairs->count; i++) {
		const struct train_pair *pair = &result->pairs->list[i];

		buf_addf(out, "%s,%s,%u,%u,%u,%.6f,%.4f,%.3f,%u,",
		    train_category(result->baskets, pair->a),
		    train_category(result->baskets, pair->b), pair->with_a, pair->with_b,
		    pair->both, pair->support, pair->confidence, pair->lift, pair->later_both);
		if (pair->later_lift > 0)
			buf_addf(out, "%.3f", pair->later_lift);
		buf_addc(out, '\n');
	}
}

/* {">":[{"var":FEATURE},0]} */
static void
add_test(struct json_writer *w, const char *operator, const char * feature)
{
	json_add_object(w, NULL);
	json_add_list(w, operator);
	json_add_object(w, NULL);
	json_add_str(w, "var", feature);
	json_end(w);
	json_add_int(w, NULL, 0);
	json_end(w);
	json_end(w);
}

static void
add_bought(struct json_writer *w, const char *category)
{
	json_add_object(w, "outcome");
	json_add_str(w, "is", "bought");
	json_add_object(w, "item");
	json_add_str(w, "category", category);
	json_end(w);
	json_end(w);
}

void
train_write_rules(const struct train_result *result, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);
	size_t rules = 0;

	json_add_list(w, "rules");
	for (size_t i = 0; i < result->pairs->count && rules < TRAIN_RULES; i++) {
		const struct train_pair *pair = &result->pairs->list[i];

		if (!train_pair_is_rule(result, pair))
			continue;
		rules++;
		json_space(w, "\n");
		json_add_object(w, NULL);
		json_add_str(w, "if", train_category(result->baskets, pair->a));
		json_add_str(w, "then", train_category(result->baskets, pair->b));
		json_add_int(w, "baskets", pair->both);
		json_add_fixed(w, "support", pair->support, 6);
		json_add_fixed(w, "confidence", pair->confidence, 4);
		json_add_fixed(w, "lift", pair->lift, 3);
		json_add_fixed(w, "later_lift", pair->later_lift, 3);
		json_space(w, "\n ");
		json_add_object(w, "applicable");
		json_add_list(w, "and");
		add_test(w, ">", result->features->list[held_feature(result, pair->a)].name);
		add_test(w, "==", result->features->list[held_feature(result, pair->b)].name);
		json_end(w);
		json_end(w);
		add_bought(w, train_category(result->baskets, pair->b));
		json_end(w);
	}
	json_end_all(w);
	buf_addc(out, '\n');
}
