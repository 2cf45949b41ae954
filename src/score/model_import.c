/* SPDX-License-Identifier: Apache-2.0
 *
 * model_import.c - which format a model file has.
 */
#include <stdlib.h>
#include <string.h>

#include "score/model_impl.h"

/* Behind the bracket stands the length of a key, or "$" or "#" or a no-op; in JSON never. */
static bool
is_ubjson(const char *text)
{
	return text[0] == '{' && text[1] != '\0' && strchr("iUIlL$#N", text[1]) != NULL;
}

/* text: followed by a zero byte. */
static int
import(const char *text, size_t len, const char *name, enum model_trees trees,
    struct model **ret_model, struct err *err)
{
	const char *start = text + strspn(text, " \t\r\n");
	if (is_ubjson(text))
		return model_import_xgboost(text, len, true, name, trees, ret_model, err);
	if (*start == '{' && strstr(start, "\"learner\"") != NULL &&
	    strstr(start, "\"aisle-linear\"") == NULL)
		return model_import_xgboost(text, len, false, name, trees, ret_model, err);
	if (trees == MODEL_TREES_BEST)
		return err_at(err, AISLE_E_INVALID, name, 0, 0,
		    "the best trees are asked for, but only XGBoost's files say which: LightGBM "
		    "saves "
		    "no others, and a linear model has none");
	if (strncmp(start, "tree\n", 5) == 0 || strncmp(start, "tree\r\n", 6) == 0)
		return model_import_lightgbm(text, len, name, ret_model, err);
	if (*start == '{' && strstr(start, "\"aisle-linear\"") != NULL)
		return model_import_linear(text, len, name, ret_model, err);
	return err_at(err, AISLE_E_INVALID, name, 0, 0,
	    "expected XGBoost JSON or UBJSON, LightGBM text or aisle-linear JSON");
}

int
model_import(const void *bytes, size_t len, const char *name, struct model **ret_model,
    struct err *err)
{
	return model_import_trees(bytes, len, name, MODEL_TREES_UNSAID, ret_model, err);
}

int
model_import_trees(const void *bytes, size_t len, const char *name, enum model_trees trees,
    struct model **ret_model, struct err *err)
{
	if (len > MODEL_BYTES_MAX)
		return err_at(err, AISLE_E_FULL, name, 0, 0, "larger than 64 MiB");
	char *text = mem_alloc(len + 1);
	if (len > 0)
		memcpy(text, bytes, len);
	text[len] = '\0';
	int r = import(text, len, name, trees, ret_model, err);
	free(text);
	return r;
}
