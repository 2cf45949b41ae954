/* SPDX-License-Identifier: Apache-2.0
 *
 * json_fast.h - the plain part of JSON, read in a third of the time; private to json.c and its
 * tests.
 */
#ifndef AISLE_CORE_JSON_FAST_H
#define AISLE_CORE_JSON_FAST_H

#include <jansson.h>

#include "aisle/base.h"

/* The tree that json_loadb(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY) gives, of at most depth_max
 * levels (new reference). NULL: the text is wrong or merely unusual; only jansson can tell. */
json_t *json_fast(const char *text, size_t len, int depth_max);

#endif
