/* SPDX-License-Identifier: Apache-2.0
 *
 * model_tool.h - aislectl model import, inspect, score.
 */
#ifndef AISLE_TOOLS_MODEL_TOOL_H
#define AISLE_TOOLS_MODEL_TOOL_H

#include <stdio.h>

#include "core/buf.h"
#include "score/model.h"

/* From any source to the flat form, written whole or not at all. trees: of a file whose training
 * stopped early, here and below. */
int model_tool_import(const char *file, enum model_trees trees, const char *out, struct err *err)
    AISLE_MUST_CHECK;
/* What a model is, for people or as JSON. file: flat or a source. */
int model_tool_inspect(const char *file, enum model_trees trees, bool json, struct buf *out,
    struct err *err) AISLE_MUST_CHECK;
/* One line a row: margins or linked scores, classes comma-separated, %.9g where the model sums in
 * float32, else %.17g. rows_csv NULL: stdin. The header names the inputs; columns that the model
 * does not know are passed over, an input that it reads and the header lacks is an error.
 * AISLE_E_INVALID with file, line, column for bad rows; rows before it are printed. */
int model_tool_score(const char *model, enum model_trees trees, const char *rows_csv, bool margin,
    FILE *out, struct err *err) AISLE_MUST_CHECK;
/* What each input did to each row: a header, then margin, base and a part for each input, which sum
 * to the margin (%.10g; the class first where there are several). Rows as above. */
int model_tool_explain(const char *model, enum model_trees trees, const char *rows_csv, FILE *out,
    struct err *err) AISLE_MUST_CHECK;

#endif
