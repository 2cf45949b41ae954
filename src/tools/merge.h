/* SPDX-License-Identifier: Apache-2.0
 *
 * merge.h - what stores learned by a bundle, added up from what collect wrote.
 */
#ifndef AISLE_TOOLS_MERGE_H
#define AISLE_TOOLS_MERGE_H

#include "hq/merged.h"

/* from: sqlite:FILE or postgres:DSN. The file's JSON and a line an action come back. AISLE_E_INVALID,
 * AISLE_E_IO. */
int merge_run(const char *from, const char *bundle, struct buf *ret_json, struct buf *ret_text,
    struct err *err) AISLE_MUST_CHECK;

#endif
