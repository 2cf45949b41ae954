/* SPDX-License-Identifier: Apache-2.0
 *
 * codec.c - fields of a struct to bytes and back, from one table.
 */
#include "nouns/codec.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Tables say ENUM for int and for enum members alike. */
enum any { ANY };
_Static_assert(sizeof(enum any) == sizeof(int), "an enum is read and written as an int");

static void *
at(const struct field *field, void *object)
{
	return (char *)object + field->offset;
}

static void
field_write(const struct field *field, const void *p, struct buf *out)
{
	int n;
	int64_t wide;
	double real;
	const char *str;

	switch (field->kind) {
	case FIELD_BOOL: buf_u8(out, *(const bool *)p ? 1 : 0); break;
	case FIELD_ENUM:
	case FIELD_INT:
		memcpy(&n, p, sizeof(n));
		buf_i64(out, n);
		break;
	case FIELD_I64:
		memcpy(&wide, p, sizeof(wide));
		buf_i64(out, wide);
		break;
	case FIELD_F64:
		memcpy(&real, p, sizeof(real));
		buf_f64(out, real);
		break;
	case FIELD_ID: buf_id(out, p); break;
	case FIELD_STR:
		memcpy(&str, p, sizeof(str));
		buf_str(out, str);
		break;
	case FIELD_TEXT: buf_str(out, p); break;
	}
}

static bool
read_int(struct rd *rd, int64_t limit, void *p)
{
	int64_t wide = rd_i64(rd);
	int n = (int)wide;

	if (!rd->ok || wide < 0 || wide >= limit)
		return false;
	memcpy(p, &n, sizeof(n));
	return true;
}

static bool
read_text(struct rd *rd, size_t size, char *p)
{
	char *str = rd_str(rd);
	bool fits = str != NULL && strlen(str) < size;

	if (fits)
		memcpy(p, str, strlen(str) + 1);
	free(str);
	return fits;
}

static bool
field_read(const struct field *field, void *p, struct rd *rd)
{
	uint8_t byte;
	int64_t wide;
	double real;
	struct id id;
	char *str;

	switch (field->kind) {
	case FIELD_BOOL:
		byte = rd_u8(rd);
		*(bool *)p = byte == 1;
		return byte <= 1;
	case FIELD_ENUM: return read_int(rd, field->limit, p);
	case FIELD_INT: return read_int(rd, (int64_t)INT_MAX + 1, p);
	case FIELD_I64:
		wide = rd_i64(rd);
		memcpy(p, &wide, sizeof(wide));
		return true;
	case FIELD_F64:
		real = rd_f64(rd);
		memcpy(p, &real, sizeof(real));
		return true;
	case FIELD_ID:
		id = rd_id(rd);
		memcpy(p, &id, sizeof(id));
		return true;
	case FIELD_STR:
		str = rd_str(rd);
		memcpy(p, &str, sizeof(str));
		return true;
	case FIELD_TEXT: return read_text(rd, (size_t)field->limit, p);
	}
	return false;
}

void
codec_write(const struct field *fields, size_t count, const void *object, struct buf *out)
{
	for (size_t i = 0; i < count; i++)
		field_write(&fields[i], (const char *)object + fields[i].offset, out);
}

bool
codec_read(const struct field *fields, size_t count, void *object, struct rd *rd)
{
	for (size_t i = 0; i < count; i++) {
		if (!field_read(&fields[i], at(&fields[i], object), rd) || !rd->ok)
			return false;
	}
	return true;
}

void
codec_own(const struct field *fields, size_t count, void *object)
{
	char *str;

	for (size_t i = 0; i < count; i++) {
		if (fields[i].kind != FIELD_STR)
			continue;
		memcpy(&str, at(&fields[i], object), sizeof(str));
		str = str == NULL ? NULL : mem_strdup(str);
		memcpy(at(&fields[i], object), &str, sizeof(str));
	}
}

void
codec_done(const struct field *fields, size_t count, void *object)
{
	char *str;

	for (size_t i = 0; i < count; i++) {
		if (fields[i].kind != FIELD_STR)
			continue;
		memcpy(&str, at(&fields[i], object), sizeof(str));
		free(str);
		str = NULL;
		memcpy(at(&fields[i], object), &str, sizeof(str));
	}
}
