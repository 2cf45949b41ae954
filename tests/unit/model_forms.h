/* SPDX-License-Identifier: Apache-2.0
 *
 * model_forms.h - a model file read, or refused, and scored.
 */
#ifndef AISLE_TESTS_MODEL_FORMS_H
#define AISLE_TESTS_MODEL_FORMS_H

#include <string.h>

#include "score/model.h"

#define ROWS 13 /* fewer than twelve are walked one by one */

static struct model *
import(const char *text, enum model_trees trees)
{
	struct model *model = NULL;
	struct err err = { 0 };
	if (model_import_trees(text, strlen(text), "m", trees, &model, &err) < 0)
		fail_msg("%s", err.text);
	return model;
}

static void
expect_refused(const char *text, enum model_trees trees, const char *part)
{
	struct model *model = NULL;
	struct err err = { 0 };
	assert_int_equal(model_import_trees(text, strlen(text), "m", trees, &model, &err),
	    AISLE_E_INVALID);
	assert_null(model);
	if (strstr(err.text, part) == NULL)
		fail_msg("\"%s\", expected \"%s\"", err.text, part);
}

static double
margin(const struct model *model, const struct value *inputs)
{
	double m[8];
	assert_true(model_class_count(model) <= 8);
	model_margin(model, inputs, m);
	return m[0];
}

#endif
