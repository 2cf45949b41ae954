/* SPDX-License-Identifier: Apache-2.0
 *
 * export_log.h - draws and what came of them, in the forms that others' tools read.
 */
#ifndef AISLE_TOOLS_EXPORT_LOG_H
#define AISLE_TOOLS_EXPORT_LOG_H

#include <stdio.h>

#include "hq/drawn.h"

enum export_format { EXPORT_DSJSON, EXPORT_OBP_CSV, EXPORT_CSV, EXPORT_FORMATS };
extern const char *const export_names[EXPORT_FORMATS];

/* A settled list to out. csv: each action of each draw. dsjson and obp-csv: draws that count, were
 * not withheld and are told whole; how many others there are comes back. */
long long export_log(const struct drawn_list *list, enum export_format format, FILE *out);

#endif
