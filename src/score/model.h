/* SPDX-License-Identifier: Apache-2.0
 *
 * model.h - a model: read from what HQ trains, stored flat, scored row by row. Pure.
 */
#ifndef AISLE_SCORE_MODEL_H
#define AISLE_SCORE_MODEL_H

#include "aisle/value.h"
#include "core/buf.h"

struct model;

/* From XGBoost JSON or UBJSON, LightGBM text or linear JSON (recognised by content). err names
 * what cannot be honoured. Bounded: 64 MiB, 2^22 nodes, 10,000 trees, depth 512, 65,535 features. */
int model_import(const void *bytes, size_t len, const char *name, struct model **ret_model,
    struct err *err) AISLE_MUST_CHECK;
/* The same where it is said which trees count of a file whose training stopped early (XGBoost keeps
 * those behind the best): unsaid is a mistake for such a file, and the best one for any other. */
enum model_trees { MODEL_TREES_UNSAID, MODEL_TREES_ALL, MODEL_TREES_BEST };
int model_import_trees(const void *bytes, size_t len, const char *name, enum model_trees trees,
    struct model **ret_model, struct err *err) AISLE_MUST_CHECK;
/* The flat form: little-endian, position-independent, checked in full by model_load. */
void model_save(const struct model *model, struct buf *out);
int model_load(const void *bytes, size_t len, const char *name, struct model **ret_model,
    struct err *err) AISLE_MUST_CHECK;
bool model_is_flat(const void *bytes, size_t len); /* by its first bytes */
void model_free(struct model *model);

size_t model_input_count(const struct model *model);
/* its name; linear one-hot "tier=gold" is input "tier" */
const char *model_input(const struct model *model, size_t i);
/* a category by its text; one-hot: also bools and numbers are compared as text */
bool model_input_is_string(const struct model *model, size_t i);
/* The categories that the file names, in the order of their codes; 0: none. Texts are the model's. */
size_t model_category_count(const struct model *model, size_t i);
struct value model_category(const struct model *model, size_t i, size_t code);
/* false: no tree or weight reads it */
bool model_input_is_used(const struct model *model, size_t i);
size_t model_class_count(const struct model *model);
/* values after the link: 1 where it names the class (multi:softmax) */
size_t model_output_count(const struct model *model);
size_t model_tree_count(const struct model *model);
size_t model_node_count(const struct model *model);
bool model_is_float32(const struct model *model);    /* sums in float32 (XGBoost), else in double */
const char *model_format(const struct model *model); /* "xgboost", "lightgbm", "aisle-linear" */
const char *model_link_name(const struct model *model); /* "identity", "logistic", … */

/* Margins of one row (model_class_count values): inputs in the model's order, VALUE_MISSING = missing
 * (so are NaN, null and a value of the wrong kind). No allocation; the row is built inside the model,
 * so one model scores one row at a time. */
void model_margin(const struct model *model, const struct value *inputs, double *ret_margins);
/* The link over margins, in place (logistic, softmax, exp …): float32 where the sums are. argmax leaves the
 * class in margins[0]. */
void model_link(const struct model *model, double *margins);

/* ---- one context, many candidates ----
 *
 * The rows of a decision share all inputs but a few (what the action is, how deep, what it is worth).
 * Tell once which, begin with each decision, then ask for its candidates, the more in one call the
 * better: the bits are those of model_margin. The model is borrowed; no allocation after _new. */
struct model_context;
/* varies: one an input */
struct model_context *model_context_new(const struct model *model, const bool *varies);
void model_context_free(struct model_context *context);
size_t model_context_varying(const struct model_context *context); /* how many inputs vary */
/* All inputs in the model's order; those that vary are not read. Copied, texts borrowed until the next. */
void model_context_begin(struct model_context *context, const struct value *inputs);
/* rows: for each candidate its inputs that vary, in the model's order. ret: model_class_count each. */
void model_context_margins(struct model_context *context, const struct value *rows, size_t count,
    double *ret_margins);
/* as model_score */
void model_context_scores(struct model_context *context, const struct value *rows, size_t count,
    double *ret_scores);
/* The best path of the machine is chosen by _new; another one for tests and figures. false: not here. */
enum model_path { MODEL_PATH_PLAIN, MODEL_PATH_VECTOR, MODEL_PATH_SSE42, MODEL_PATH_COUNT };
bool model_context_use(struct model_context *context, enum model_path path);

/* What each input did to the margin of a class, against what the model expects of a row it knows
 * nothing of: fixed point, MODEL_UNITS to 1. ret_base (the same for every row) and the parts (one an
 * input) sum exactly to the margin of model_margin, cut to a whole number of units. The formula and
 * its source: model_explain.c. AISLE_E_FULL: a number is too large for it (2^30), nothing to show. */
#define MODEL_UNITS 4294967296.0
int model_explain(const struct model *model, const struct value *inputs, size_t class,
    int64_t *ret_parts, int64_t *ret_base) AISLE_MUST_CHECK;

/* Calibration on top: p of a margin. */
struct calibration {
	enum { CALIBRATION_NONE, CALIBRATION_PLATT, CALIBRATION_ISOTONIC } kind;
	double a, b; /* platt: 1/(1+exp(-(a·margin+b))) */
	const double *margins,
	    *ps; /* isotonic: linear between, flat outside; margins rise, ps do not fall */
	size_t count;
};
/* Not part of the saved form: the policy gives it. AISLE_E_INVALID: not finite, not ascending, outside
 * [0, 1], or a model of several classes. */
int model_set_calibration(struct model *model, const struct calibration *calibration)
    AISLE_MUST_CHECK; /* copied */
/* Score of a model of one class (a bug for any other): calibrated, else linked. */
double model_score(const struct model *model, const struct value *inputs);
/* the same of a margin that is known */
double model_score_of(const struct model *model, double margin);

#endif
