/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping.h - bare till JSON or XML to CloudEvents, by a file of JsonLogic.
 *
 * The rules read the payload (an object) with one member added: "_topic", the topic's segments.
 */
#ifndef AISLE_INGEST_MAPPING_H
#define AISLE_INGEST_MAPPING_H

#include "aisle/event.h"
#include "core/json.h"

#define MAPPING_MADE_MAX 2048 /* events of one message */

struct mapping;
/* docs/integrating-a-till.md, "Mappings", says what stands in the file. report: every mistake, one
 * "file:line:column: place: what was expected" a line. 0, or AISLE_E_*. */
int mapping_load(const char *name, const char *path, struct mapping **ret_mapping,
    struct buf *report) AISLE_MUST_CHECK;
void mapping_free(struct mapping *mapping);
/* The store's: currency is that of events without one (else none, and two decimals), zone what
 * "zone":"store" is (else UTC). */
void mapping_set_store(struct mapping *mapping, const char *currency, const char *zone);
const char *mapping_topic(const struct mapping *mapping); /* a filter with + */
bool mapping_matches(const struct mapping *mapping, const char *topic);
/* Events that a bare payload becomes: an array (new reference) of structured CloudEvents, each to
 * be given to envelope_parse with *ret_terminal. NULL with err filled: AISLE_E_NONE, no rule takes
 * it; AISLE_E_INVALID, it cannot be read, has no terminal, or a rule failed. An empty array: the
 * mapping says "ignore". */
json_t *mapping_apply(const struct mapping *mapping, const char *topic, const void *payload,
    size_t len, char ret_terminal[static 33], struct err *err);

#endif
