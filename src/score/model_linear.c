/* SPDX-License-Identifier: Apache-2.0
 *
 * model_linear.c - reads our own linear JSON.
 *
 * {"format":"aisle-linear","link":"logit|identity|log","bias":-1.2,
 *  "weights":{"spend":0.01,"tier=gold":0.4},"log1p":["spend"],"missing":{"spend":0}}
 *
 * DESIGN
 *   The sum starts at the bias and goes through the weights in the order of the
 *   file, in double. "tier=gold" counts when the input tier is "gold". An input
 *   that is missing and has no stand-in under "missing" adds nothing. One under
 *   "log1p" counts by the logarithm of 1 more, its stand-in as it stands there.
 */
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "score/model_impl.h"

#define LINEAR_BYTES_MAX (16u << 20) /* as JSON values it takes many times that */

/* ---- linear ---- */

/* A linear file being read. Inputs are found by a map: a search for each weight of a large file would
 * take hours. */
struct linear {
	struct builder b;
	json_t *index_of; /* input name to index */
};

/* Index of an input by name, added when new. */
static int
input_of(struct linear *l, const char *name, bool is_string, uint32_t *ret)
{
	struct model *model = l->b.model;
	const json_t *known = json_object_get(l->index_of, name);
	uint32_t i = known != NULL ? (uint32_t)json_integer_value(known) : model->input_count;
	if (known == NULL) {
		if (builder_add_input(&l->b, name) < 0)
			return AISLE_E_INVALID;
		model->inputs[i].is_string = is_string;
		json_object_set_new(l->index_of, name, json_integer(i));
	}
	if (model->inputs[i].is_string != is_string)
		return builder_refuse(&l->b,
		    "input \"%s\" has a weight of its own and one for a level", name);
	*ret = i;
	return 0;
}

static double
number_or_nan(const char *text)
{
	char *end;
	if (*text != '-' && *text != '.' && (*text < '0' || *text > '9'))
		return __builtin_nan("");
	double number = strtod(text, &end);
	return *end == '\0' ? number : __builtin_nan("");
}

static int
add_weight(struct linear *l, const char *key, const json_t *weight)
{
	struct builder *b = &l->b;
	char name[MODEL_NAME_MAX + 1];
	const char *equals = strchr(key, '=');
	size_t len = equals != NULL ? (size_t)(equals - key) : strlen(key);
	if (!json_is_number(weight))
		return builder_refuse(b, "weights: \"%.60s\" is not a number", key);
	if (len == 0 || len > MODEL_NAME_MAX || (equals != NULL && equals[1] == '\0'))
		return builder_refuse(b,
		    "weights: \"%.60s\", expected \"input\" or \"input=level\"", key);
	memcpy(name, key, len);
	name[len] = '\0';

	struct term term = { .weight = json_number_value(weight),
		.level = equals != NULL ? equals + 1 : NULL };
	term.level_number = term.level != NULL ? number_or_nan(term.level) : __builtin_nan("");
	if (input_of(l, name, term.level != NULL, &term.input) < 0)
		return AISLE_E_INVALID;
	return builder_add_term(b, &term);
}

static int
add_missing(struct linear *l, const char *key, const json_t *value)
{
	struct builder *b = &l->b;
	const json_t *known = json_object_get(l->index_of, key);
	if (known == NULL)
		return builder_refuse(b, "missing: no weight is for \"%.60s\"", key);
	struct input *input = &b->model->inputs[json_integer_value(known)];
	if (input->is_string ? !json_is_string(value) : !json_is_number(value))
		return builder_refuse(b, "missing: \"%s\" is not a %s", key,
		    input->is_string ? "string" : "number");
	if (input->is_string)
		input->missing_text = mem_strdup(json_string_value(value));
	else
		input->missing = json_number_value(value);
	return 0;
}

static int
add_log1p(struct linear *l, const json_t *name)
{
	const char *text = json_string_value(name);
	const json_t *known = text != NULL ? json_object_get(l->index_of, text) : NULL;
	struct input *input;

	if (known == NULL)
		return builder_refuse(&l->b, "log1p: no weight is for \"%.60s\"",
		    text != NULL ? text : "");
	input = &l->b.model->inputs[json_integer_value(known)];
	if (input->is_string)
		return builder_refuse(&l->b, "log1p: \"%.60s\" is not a number", text);
	input->log1p = true;
	return 0;
}

static int
set_link(struct builder *b, const char *link)
{
	if (link == NULL || strcmp(link, "identity") == 0)
		b->model->link = LINK_IDENTITY;
	else if (strcmp(link, "logit") == 0)
		b->model->link = LINK_LOGISTIC;
	else if (strcmp(link, "log") == 0)
		b->model->link = LINK_EXP;
	else
		return builder_refuse(b, "link \"%s\", expected logit, identity or log", link);
	return 0;
}

static int
import_linear(struct linear *l, const json_t *json)
{
	struct builder *b = &l->b;
	const char *key;
	json_t *value;
	const char *format = json_string_value(json_object_get(json, "format"));
	const json_t *weights = json_object_get(json, "weights"),
		     *bias = json_object_get(json, "bias");
	const json_t *missing = json_object_get(json, "missing"),
		     *log1p = json_object_get(json, "log1p"), *link = json_object_get(json, "link");
	size_t i;

	if (format == NULL || strcmp(format, "aisle-linear") != 0)
		return builder_refuse(b, "format is not \"aisle-linear\"");
	if (!json_is_object(weights) || (missing != NULL && !json_is_object(missing)) ||
	    (log1p != NULL && !json_is_array(log1p)) || (bias != NULL && !json_is_number(bias)) ||
	    (link != NULL && !json_is_string(link)))
		return builder_refuse(b,
		    "expected \"weights\" and \"missing\" as objects, \"log1p\" as a list, "
		    "\"bias\" as a number, \"link\" as a string");
	json_object_foreach((json_t *)json, key, value)
		if (strcmp(key, "format") != 0 && strcmp(key, "link") != 0 &&
		    strcmp(key, "bias") != 0 && strcmp(key, "weights") != 0 &&
		    strcmp(key, "missing") != 0 && strcmp(key, "log1p") != 0)
			return builder_refuse(b, "unknown member \"%s\"", key);
	if (set_link(b, json_string_value(link)) < 0 || builder_set_classes(b, 1) < 0)
		return AISLE_E_INVALID;
	b->model->base[0] = json_number_value(bias);
	json_object_foreach((json_t *)weights, key, value)
		if (add_weight(l, key, value) < 0)
			return AISLE_E_INVALID;
	json_array_foreach(log1p, i, value)
		if (add_log1p(l, value) < 0)
			return AISLE_E_INVALID;
	json_object_foreach((json_t *)missing, key, value)
		if (add_missing(l, key, value) < 0)
			return AISLE_E_INVALID;
	return 0;
}

int
model_import_linear(const char *text, size_t len, const char *name, struct model **ret_model,
    struct err *err)
{
	if (len > LINEAR_BYTES_MAX)
		return err_at(err, AISLE_E_FULL, name, 0, 0, "larger than 16 MiB");
	json_t *json = json_read(text, len, name, err);
	if (json == NULL)
		return AISLE_E_INVALID;
	struct linear l = { .index_of = json_object() };
	builder_init(&l.b, KIND_LINEAR, name, err);
	int r = builder_done(&l.b, import_linear(&l, json), ret_model);
	json_decref(l.index_of);
	json_decref(json);
	return r;
}
