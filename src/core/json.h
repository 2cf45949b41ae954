/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h - strict JSON over jansson: duplicate keys, invalid UTF-8, NaN and
 * trailing bytes are errors; depth and size are bounded.
 */
#ifndef AISLE_CORE_JSON_H
#define AISLE_CORE_JSON_H

#include <jansson.h>

#include "aisle/base.h"
#include "core/buf.h"

#define JSON_DEPTH_MAX 64
/* New reference, or NULL with err filled (file = name, line, column). Depth is
 * checked before jansson recurses. text may be NULL if len is 0. */
json_t *json_read(const char *text, size_t len, const char *name, struct err *err);
json_t *json_read_file(const char *path, size_t max_bytes, struct err *err);
/* The same; the text, for json_locate(), is the caller's whatever comes back. */
json_t *json_read_kept(const char *path, size_t max_bytes, struct buf *ret_text, struct err *err);
/* Line and column of the value at a path like "/actions/3/margin" (RFC 6901)
 * in text that json_read accepted; the key's own place for an object member. */
bool json_locate(const char *text, size_t len, const char *pointer, int *ret_line, int *ret_column);
/* Canonical text: keys sorted, no spaces, %.17g, for digests and equality. */
void json_canonical(const json_t *json, struct buf *out);
/* Compact text, keys in their order, doubles %.17g. */
void json_write(const json_t *json, struct buf *out);
/* A number as int64: an integer token only. */
bool json_int(const json_t *json, int64_t *ret);
/* Deep merge by RFC 7396; patch is borrowed; returns a new reference. */
json_t *json_merge_patch(const json_t *target, const json_t *patch);

#endif
