/* SPDX-License-Identifier: Apache-2.0
 *
 * codec.h - fields of a struct to bytes and back, from one table.
 *
 * DESIGN
 *   Writing, reading, copying and freeing walk the same table, so a field that
 *   is saved is also loaded, and a string that is loaded is also freed.
 *   Rejected: a pair of hand-written functions a struct; they drift.
 */
#ifndef AISLE_NOUNS_CODEC_H
#define AISLE_NOUNS_CODEC_H

#include "aisle/base.h"
#include "core/buf.h"

enum field_kind {
	FIELD_BOOL,
	FIELD_ENUM, /* an int or enum of 0 … limit - 1 */
	FIELD_INT,  /* an int, 0 … INT_MAX */
	FIELD_I64,
	FIELD_F64,
	FIELD_ID,
	FIELD_STR,  /* char *, owned; NULL is kept apart from "" */
	FIELD_TEXT, /* char[limit], NUL-terminated */
};

struct field {
	enum field_kind kind;
	size_t offset;
	int64_t limit;
};

/* clang-format off */
#define FIELD(type, kind, member) { FIELD_##kind, offsetof(type, member), 0 }
#define FIELD_TO(type, member, limit) { FIELD_ENUM, offsetof(type, member), limit }
#define FIELD_CHARS(type, member) \
	{ FIELD_TEXT, offsetof(type, member), (int64_t)sizeof(((type *)0)->member) }
/* clang-format on */

void codec_write(const struct field *fields, size_t count, const void *object, struct buf *out);
/* Into a zeroed object. false: cut short or out of range; what was read so far is in the
 * object, for codec_done. */
bool codec_read(const struct field *fields, size_t count, void *object, struct rd *rd);
/* Turns the borrowed strings of a shallow copy into owned ones. */
void codec_own(const struct field *fields, size_t count, void *object);
void codec_done(const struct field *fields, size_t count, void *object);

#endif
