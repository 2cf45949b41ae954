/* SPDX-License-Identifier: Apache-2.0
 *
 * model_import.c - which format a model file has; what else people take for a model, by name.
 *
 * DESIGN
 *   By content, for names lie. What is not read here is told apart by its first bytes as far as
 *   it can be met where models are kept, so that the sentence says what to do.
 */
#include <stdlib.h>
#include <string.h>

#include "score/model_impl.h"

#define SAVE "save the model with save_model(\"m.json\") or \"m.ubj\""
#define DUMP "XGBoost's dump, which lacks base_score and the objective; " SAVE
#define DUMPS 4 /* that may stand in a list or a text: as many beginnings, the first ones */
#define PICKLE \
	"a Python pickle (or joblib): a program, not a model; load it where it was made and " SAVE \
	", LightGBM's with save_model(\"m.txt\"), scikit-learn's with " \
	"models/export/aisle_export.py"
#define PACKED "a compressed file; unpack it first (what joblib compressed is a pickle: " SAVE ")"
#define BINARY "XGBoost's old binary; load it with an XGBoost from 1.0 to 3.0 and " SAVE
#define BEGINS(bytes, what) \
	{ \
		bytes, sizeof(bytes) - 1, what \
	}

static const struct {
	const char *bytes;
	size_t len;
	const char *what;
} beginnings[] = {
	BEGINS("booster[", DUMP),
	BEGINS("0:[", DUMP),
	BEGINS("0:leaf=", DUMP),
	BEGINS("digraph", "a picture of trees (Graphviz's dot), not a model; " SAVE),
	BEGINS("binf", BINARY),
	BEGINS("bs64", BINARY),
	BEGINS("\x80\x02", PICKLE),
	BEGINS("\x80\x03", PICKLE),
	BEGINS("\x80\x04", PICKLE),
	BEGINS("\x80\x05", PICKLE),
	BEGINS("ccopy_reg\n", PICKLE),
	BEGINS("\x1f\x8b", PACKED),
	BEGINS("BZh", PACKED),
	BEGINS("\xfd"
	       "7zXZ",
	    PACKED),
	BEGINS("\x28\xb5\x2f\xfd", PACKED),
	BEGINS("\x04\x22\x4d\x18", PACKED),
	BEGINS("\x78\x01", PACKED),
	BEGINS("\x78\x5e", PACKED),
	BEGINS("\x78\x9c", PACKED),
	BEGINS("\x78\xda", PACKED),
	BEGINS("PK\x03\x04", "a zip archive; unpack it and take the model out of it"),
	BEGINS("version https://git-lfs",
	    "a Git LFS pointer, not the file that it stands for; fetch that with git lfs pull"),
	BEGINS("\xef\xbb\xbf",
	    "a byte-order mark before the text; save the file as UTF-8 without one"),
	BEGINS("\xff\xfe", "UTF-16 text; save the file as UTF-8 (PowerShell's > writes UTF-16)"),
	BEGINS("\xfe\xff", "UTF-16 text; save the file as UTF-8 (PowerShell's > writes UTF-16)"),
	BEGINS("CBM1", "CatBoost's binary, which is not read; train with XGBoost or LightGBM"),
	BEGINS("<?xml", "XML, as PMML is, which is not read; " SAVE),
	BEGINS("<PMML", "PMML, which is not read; " SAVE),
	BEGINS("<",
	    "an HTML page, not the file that was asked for; it may ask to sign in: open it in "
	    "a browser"),
};

static bool
contains(const char *text, size_t len, const char *what, size_t what_len)
{
	return memmem(text, len, what, what_len) != NULL;
}

/* Before 1.0 nothing stood before the parameters; the booster's name comes soon, behind its length
 * of eight bytes. */
static bool
is_old_binary(const char *text, size_t len)
{
	static const char names[][17] = { "\6\0\0\0\0\0\0\0gbtree", "\4\0\0\0\0\0\0\0dart",
		"\10\0\0\0\0\0\0\0gblinear" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (contains(text, len < 1024 ? len : 1024, names[i], 8 + (size_t)names[i][0]))
			return true;
	return false;
}

/* Of the first `count` beginnings the one that it has; NULL: none. */
static const char *
begins_as(const char *start, const char *end, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if ((size_t)(end - start) >= beginnings[i].len &&
		    memcmp(start, beginnings[i].bytes, beginnings[i].len) == 0)
			return beginnings[i].what;
	return NULL;
}

/* Behind the brackets and quotes, JSON's or Python's, that a list of texts begins with. */
static const char *
unwrapped(const char *at)
{
	for (;;) {
		at += strspn(at, " \t\r\n[\"'");
		if (at[0] != '\\' || at[1] == '\0')
			return at;
		at += 2; /* "\n" and "\"" of a text in a text */
	}
}

/* Of a file that somebody wrote out as one JSON or Python text, or a list of them. */
static const char *
what_is_inside(const char *start, const char *end)
{
	const char *inside = unwrapped(start);
	const char *what = begins_as(inside, end, DUMPS);
	bool text = *start == '"' || *start == '\'';
	if (what != NULL || inside == start)
		return what;
	if (strstr(inside, "nodeid") != NULL)
		return DUMP;
	if (text && (*inside == '{' || strncmp(inside, "tree\\n", 6) == 0))
		return "a file as a text in quotes; write the text itself, "
		       "or " SAVE ", LightGBM's with save_model(\"m.txt\")";
	return NULL;
}

/* Of what is no model that is read here, what it is. */
static const char *
what_it_is(const char *text, size_t len)
{
	const char *start = text + strspn(text, " \t\r\n");
	size_t begin = len < 4096 ? len : 4096;
	if (start == text + len)
		return "an empty file; it was not written whole, or is another file's place";
	const char *what = begins_as(start, text + len, ARRAY_LEN(beginnings));
	if (what == NULL)
		what = what_is_inside(start, text + len);
	if (what != NULL)
		return what;
	if (is_old_binary(text, len))
		return BINARY;
	if (text[0] == '\x08' && contains(text, begin, "onnx", 4))
		return "ONNX, which is not read; save the model with the library that trained it";
	if (*start == '{' && strstr(start, "nodeid") != NULL)
		return DUMP;
	if (*start == '{' && strstr(start, "\"tree_structure\"") != NULL)
		return "LightGBM's dump_model(); save the model with save_model(\"m.txt\")";
	if (*start == '{' && strstr(start, "\"oblivious_trees\"") != NULL)
		return "CatBoost's JSON, which is not read; models/export/aisle_export.py makes a "
		       "file of it that is";
	return NULL;
}

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
	bool lightgbm = strncmp(start, "tree\n", 5) == 0 || strncmp(start, "tree\r\n", 6) == 0;
	bool linear = *start == '{' && strstr(start, "\"aisle-linear\"") != NULL;
	if (is_ubjson(text))
		return model_import_xgboost(text, len, true, name, trees, ret_model, err);
	if (*start == '{' && !linear && strstr(start, "\"learner\"") != NULL)
		return model_import_xgboost(text, len, false, name, trees, ret_model, err);
	if ((lightgbm || linear) && trees == MODEL_TREES_BEST)
		return err_at(err, AISLE_E_INVALID, name, 0, 0,
		    "the best trees are asked for, but only XGBoost's files say which: LightGBM "
		    "saves "
		    "no others, and a linear model has none");
	if (lightgbm)
		return model_import_lightgbm(text, len, name, ret_model, err);
	if (linear)
		return model_import_linear(text, len, name, ret_model, err);
	const char *what = what_it_is(text, len);
	return err_at(err, AISLE_E_INVALID, name, 0, 0, "%s%s", what != NULL ? what : "expected ",
	    what != NULL ? "" : "XGBoost JSON or UBJSON, LightGBM text or aisle-linear JSON");
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
