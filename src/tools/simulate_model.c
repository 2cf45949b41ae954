/* SPDX-License-Identifier: Apache-2.0
 *
 * simulate_model.c - customers whose truth is stated: what a card does to them, and how weary they are.
 *
 * DESIGN
 *   On the logit scale a customer likes an action more or less than the middle, with the card and
 *   without it alike; each card that they saw of late takes something off what a further one does.
 *   What is not stated of an action comes as its policy promises, or so much less of it: λ of the
 *   difference between with and without, about their middle.
 */
#include "tools/simulate.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/fmath.h"
#include "core/json.h"
#include "core/when.h"

#define MODEL_BYTES_MAX (1u << 20)
#define ACTIONS_MAX 2000
#define CHANCE_MIN 1e-6

static double
logit(double p)
{
	p = p < CHANCE_MIN ? CHANCE_MIN : p > 1 - CHANCE_MIN ? 1 - CHANCE_MIN : p;
	return fmath_log(p / (1 - p));
}

static double
chance_at(double x)
{
	return 1 / (1 + fmath_exp(-x));
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct simulate_action *)a)->name,
	    ((const struct simulate_action *)b)->name);
}

void
simulate_truth(const struct simulate_model *model, const char *action, double taste, double tired,
    double *p1, double *p0, double *margin)
{
	struct simulate_action want = { .name = (char *)(uintptr_t)action };
	const struct simulate_action *stated = model->action_count > 0
	    ? bsearch(&want, model->actions, model->action_count, sizeof(want), by_name)
	    : NULL;
	double with = logit(stated != NULL ? stated->p1 : *p1),
	       without = logit(stated != NULL ? stated->p0 : *p0);

	if (stated != NULL && stated->margin >= 0)
		*margin = stated->margin;
	if (stated == NULL && (model->lambda < 1 || model->lambda > 1)) {
		double middle = (with + without) / 2, half = model->lambda * (with - without) / 2;

		with = middle + half;
		without = middle - half;
	}
	with += model->spread * taste - model->weariness * tired;
	without += model->spread * taste;
	*p1 = chance_at(with);
	*p0 = chance_at(without);
}

/* ---- reading ---- */

static int
number_in(const json_t *json, const char *name, double low, double high, bool needed, double *ret,
    struct err *err)
{
	const json_t *number = json_object_get(json, name);

	if (number == NULL && !needed)
		return 0;
	if (!json_is_number(number) || json_number_value(number) < low ||
	    json_number_value(number) > high)
		return err_set(err, AISLE_E_INVALID, "\"%s\", expected a number from %g to %g",
		    name, low, high);
	*ret = json_number_value(number);
	return 0;
}

/* What is misspelt is not silently nothing. */
static int
only(const json_t *json, const char *const *names, size_t count, const char *of, struct err *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(json))
		return err_set(err, AISLE_E_INVALID, "\"%s\", expected an object", of);
	json_object_foreach((json_t *)(uintptr_t)json, key, value) {
		size_t i = 0;

		while (i < count && strcmp(names[i], key) != 0)
			i++;
		if (i == count)
			return err_set(err, AISLE_E_INVALID,
			    "\"%.64s\" of \"%.64s\" is unknown, expected one that "
			    "docs/measuring.md "
			    "has",
			    key, of);
	}
	return 0;
}

static int
read_action(const char *name, const json_t *json, struct simulate_action *action, struct err *err)
{
	static const char *const names[] = { "p1", "p0", "margin" };
	int rc = only(json, names, ARRAY_LEN(names), name, err);

	*action = (struct simulate_action){ .margin = -1 };
	if (rc == 0)
		rc = number_in(json, "p1", 0, 1, true, &action->p1, err);
	if (rc == 0)
		rc = number_in(json, "p0", 0, 1, true, &action->p0, err);
	if (rc == 0)
		rc = number_in(json, "margin", 0, 1e12, false, &action->margin, err);
	if (rc == 0)
		action->name = mem_strdup(name);
	return rc;
}

static int
read_actions(const json_t *json, struct simulate_model *model, struct err *err)
{
	const char *key;
	json_t *value;

	if (json == NULL)
		return 0;
	if (!json_is_object(json) || json_object_size(json) > ACTIONS_MAX)
		return err_set(err, AISLE_E_INVALID,
		    "\"actions\", expected an object of at most %d", ACTIONS_MAX);
	model->actions = mem_calloc(json_object_size(json) + 1, sizeof(*model->actions));
	json_object_foreach((json_t *)(uintptr_t)json, key, value) {
		int rc = read_action(key, value, &model->actions[model->action_count], err);

		if (rc != 0)
			return rc;
		model->action_count++;
	}
	if (model->action_count > 1)
		qsort(model->actions, model->action_count, sizeof(*model->actions), by_name);
	return 0;
}

static int
read_weariness(const json_t *json, struct simulate_model *model, struct err *err)
{
	static const char *const names[] = { "card", "half_life" };
	const char *text = json_string_value(json_object_get(json, "half_life"));
	int64_t ms = 0;
	int rc = json == NULL ? 0 : only(json, names, ARRAY_LEN(names), "weariness", err);

	if (json == NULL || rc != 0)
		return rc;
	rc = number_in(json, "card", 0, 10, true, &model->weariness, err);
	if (rc == 0 && (text == NULL || !when_duration(text, &ms) || ms <= 0))
		rc = err_set(err, AISLE_E_INVALID,
		    "\"half_life\", expected a duration such as \"7d\"");
	if (rc == 0)
		model->half_life_ms = (double)ms;
	return rc;
}

static int
read_model(const json_t *json, struct simulate_model *model, struct err *err)
{
	static const char *const names[] = { "actions", "others", "spread", "weariness",
		"dismiss" };
	static const char *const others[] = { "lambda" };
	const json_t *other = json_object_get(json, "others");
	int rc = only(json, names, ARRAY_LEN(names), "model", err);

	if (rc == 0 && other != NULL)
		rc = only(other, others, ARRAY_LEN(others), "others", err);
	if (rc == 0 && other != NULL)
		rc = number_in(other, "lambda", 0, 2, true, &model->lambda, err);
	if (rc == 0)
		rc = read_actions(json_object_get(json, "actions"), model, err);
	if (rc == 0)
		rc = number_in(json, "spread", 0, 5, false, &model->spread, err);
	if (rc == 0)
		rc = read_weariness(json_object_get(json, "weariness"), model, err);
	if (rc == 0)
		rc = number_in(json, "dismiss", 0, 1, false, &model->dismiss, err);
	return rc;
}

int
simulate_model_read(const char *path, struct simulate_model *ret, struct err *err)
{
	struct buf text = { 0 };
	json_t *json;
	int rc;

	*ret = (struct simulate_model){ .lambda = 1, .half_life_ms = 7.0 * D_MS };
	if (path == NULL)
		return 0;
	rc = file_read(path, MODEL_BYTES_MAX, &text, err);
	json = rc == 0 ? json_read(text.data, text.len, path, err) : NULL;
	if (rc == 0 && json == NULL)
		rc = AISLE_E_INVALID;
	if (rc == 0) {
		struct err why = { 0 };

		rc = read_model(json, ret, &why);
		if (rc != 0)
			rc = err_set(err, rc, "%s: %s", path, why.text);
	}
	json_decref(json);
	buf_done(&text);
	return rc;
}

void
simulate_model_done(struct simulate_model *model)
{
	for (size_t i = 0; i < model->action_count; i++)
		free(model->actions[i].name);
	free(model->actions);
	*model = (struct simulate_model){ 0 };
}
