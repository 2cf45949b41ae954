/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping.h - bare till JSON to CloudEvents, by a file of JsonLogic.
 *
 * The rules read the payload (an object) with one member added: "_topic", the topic's segments.
 */
#ifndef AISLE_INGEST_MAPPING_H
#define AISLE_INGEST_MAPPING_H

#include "aisle/event.h"
#include "core/json.h"

struct mapping;
/* file: {"topic","terminal":N,"events":[{"when","type","id","time","data":{…}}],"money"}. terminal:
 * a segment of the topic, from 1, or JsonLogic; when, time may be absent; "money":"decimal" may
 * come with "rounding":"half-up". err names the file and the place of the first mistake. */
int mapping_load(const char *name, const char *path, struct mapping **ret_mapping, struct err *err)
    AISLE_MUST_CHECK;
void mapping_free(struct mapping *mapping);
/* The store's: says how many decimals money of an event without "currency" has. Without it: two. */
void mapping_set_currency(struct mapping *mapping, const char *code);
const char *mapping_topic(const struct mapping *mapping); /* a filter with + */
bool mapping_matches(const struct mapping *mapping, const char *topic);
/* Events that a bare payload becomes: an array (new reference) of structured CloudEvents, each to
 * be given to envelope_parse with *ret_terminal. NULL with err filled: not JSON, no terminal, a
 * rule failed. An empty array: nothing of interest. Times: RFC 3339 text, or a number of s, ms, µs
 * or ns, guessed by magnitude and range-checked. */
json_t *mapping_apply(const struct mapping *mapping, const char *topic, const void *payload,
    size_t len, char ret_terminal[static 33], struct err *err);

#endif
