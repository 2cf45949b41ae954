/* SPDX-License-Identifier: Apache-2.0
 *
 * buf.c - a growing byte buffer, JSON text into one, and the binary rows on disk.
 *
 * Binary layout: u8 and u32 as they are, little-endian; i64 zig-zag, then
 * seven bits a byte, lowest first, the top bit meaning "more"; f64 the eight
 * bytes of the IEEE number, little-endian; id 16 bytes; str the varint of 0
 * for NULL, else of length + 1, then the bytes.
 */
#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/double_text.h"

#define FIRST_BYTES 64

void
buf_done(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}

void
buf_clear(struct buf *buf)
{
	buf->len = 0;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

void
buf_wipe(struct buf *buf)
{
	if (buf->data != NULL)
		sodium_memzero(buf->data, buf->cap);
	buf_done(buf);
}

static void __attribute__((noinline)) grow(struct buf *buf, size_t more)
{
	CHECK(more < SIZE_MAX / 4 && buf->len < SIZE_MAX / 4);
	size_t need = buf->len + more + 1;
	size_t cap = buf->cap > 0 ? buf->cap : FIRST_BYTES;
	while (cap < need)
		cap += cap / 2 + FIRST_BYTES;
	buf->data = mem_realloc(buf->data, cap);
	buf->cap = cap;
}

/* Room for more bytes and the zero behind them. Every byte of every record comes by here. */
static inline void
room(struct buf *buf, size_t more)
{
	if (__builtin_expect(buf->cap - buf->len <= more, 0))
		grow(buf, more);
}

void
buf_reserve(struct buf *buf, size_t more)
{
	room(buf, more);
}

void
buf_add(struct buf *buf, const void *bytes, size_t len)
{
	room(buf, len);
	if (len > 0)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buf_addc(struct buf *buf, char c)
{
	room(buf, 1);
	buf->data[buf->len++] = c;
	buf->data[buf->len] = '\0';
}

void
buf_addf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	/* Most of what is printed is short: try what is there before measuring. */
	buf_reserve(buf, FIRST_BYTES);
	int len = vsnprintf(buf->data + buf->len, buf->cap - buf->len, format, args);
	va_end(args);
	CHECK(len >= 0);
	if ((size_t)len >= buf->cap - buf->len) {
		buf_reserve(buf, (size_t)len);
		vsnprintf(buf->data + buf->len, buf->cap - buf->len, format, again);
	}
	va_end(again);
	buf->len += (size_t)len;
}

char *
buf_steal(struct buf *buf)
{
	char *data = buf->data != NULL ? buf->data : mem_strdup("");
	*buf = (struct buf){ 0 };
	return data;
}

static void
add_escape(struct buf *buf, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	switch (c) {
	case '"': buf_adds(buf, "\\\""); return;
	case '\\': buf_adds(buf, "\\\\"); return;
	case '\b': buf_adds(buf, "\\b"); return;
	case '\f': buf_adds(buf, "\\f"); return;
	case '\n': buf_adds(buf, "\\n"); return;
	case '\r': buf_adds(buf, "\\r"); return;
	case '\t': buf_adds(buf, "\\t"); return;
	}
	const char text[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
	buf_add(buf, text, sizeof(text));
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

/* From the first byte of s + len on, which has to be escaped. */
static void
add_escaped(struct buf *buf, const char *s, size_t len)
{
	const char *from = s;
	for (s += len; *s != '\0'; s++) {
		if (is_plain((unsigned char)*s))
			continue;
		buf_add(buf, from, (size_t)(s - from));
		add_escape(buf, (unsigned char)*s);
		from = s + 1;
	}
	buf_add(buf, from, (size_t)(s - from));
}

/* How many bytes of s, of len, come before the first that has to be escaped. Eight at a time: the
 * usual tricks tell whether any byte is below 0x20, a quote or a backslash; the last few, and the
 * place, byte by byte. */
static size_t
plain_bytes(const char *s, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	size_t at = 0;
	for (; at + 8 <= len; at += 8) {
		uint64_t eight, quote, backslash;
		memcpy(&eight, s + at, 8);
		quote = eight ^ ones * '"';
		backslash = eight ^ ones * '\\';
		if ((((eight - ones * 0x20) & ~eight) | ((quote - ones) & ~quote) |
			((backslash - ones) & ~backslash)) &
		    tops)
			break;
	}
	while (at < len && is_plain((unsigned char)s[at]))
		at++;
	return at;
}

void
buf_json_str(struct buf *buf, const char *s)
{
	if (s == NULL) {
		buf_adds(buf, "null");
		return;
	}
	size_t len = strlen(s), plain = plain_bytes(s, len);
	room(buf, len + 2);
	buf->data[buf->len++] = '"';
	if (plain == len) {
		memcpy(buf->data + buf->len, s, len);
		buf->len += len;
	} else {
		add_escaped(buf, s, plain);
	}
	buf_addc(buf, '"');
}

void
buf_json_int(struct buf *buf, int64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);
	uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (n < 0)
		digits[--at] = '-';
	buf_add(buf, digits + at, sizeof(digits) - at);
}

void
buf_json_double(struct buf *buf, double d)
{
	if (!__builtin_isfinite(d))
		buf_adds(buf, "null");
	else if (d == 0)
		buf_addc(buf, '0');
	else {
		room(buf, DOUBLE_TEXT_SIZE);
		buf->len += double_text(d, buf->data + buf->len);
	}
}

void
buf_u8(struct buf *buf, uint8_t v)
{
	buf_addc(buf, (char)v);
}

void
buf_u32(struct buf *buf, uint32_t v)
{
	const uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
		(uint8_t)(v >> 24) };
	buf_add(buf, bytes, sizeof(bytes));
}

#define VARINT_BYTES 10

/* Where there is room for it; returns what is behind it. */
static inline char *
put_varint(char *at, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*at++ = (char)(v | 0x80);
	*at++ = (char)v;
	return at;
}

/* at: behind the last byte, for which there was room. */
static inline void
end_at(struct buf *buf, char *at)
{
	*at = '\0';
	buf->len = (size_t)(at - buf->data);
}

void
buf_i64(struct buf *buf, int64_t v)
{
	room(buf, VARINT_BYTES);
	end_at(buf, put_varint(buf->data + buf->len, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0)));
}

void
buf_f64(struct buf *buf, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	uint8_t bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(bits >> 8 * i);
	buf_add(buf, bytes, sizeof(bytes));
}

void
buf_id(struct buf *buf, const struct id *id)
{
	buf_add(buf, id->b, sizeof(id->b));
}

void
buf_str(struct buf *buf, const char *s)
{
	size_t len = s != NULL ? strlen(s) : 0;
	room(buf, VARINT_BYTES + len);
	char *at = put_varint(buf->data + buf->len, s != NULL ? (uint64_t)len + 1 : 0);
	if (len > 0)
		memcpy(at, s, len);
	end_at(buf, at + len);
}

struct rd
rd_init(const void *bytes, size_t len)
{
	static const uint8_t nothing[1];
	const uint8_t *at = bytes != NULL ? bytes : nothing;
	return (struct rd){ .at = at, .end = at + (bytes != NULL ? len : 0), .ok = true };
}

/* The next len bytes, or NULL for a short read: nothing can be read after one. */
static const uint8_t *
take(struct rd *rd, size_t len)
{
	if (!rd->ok || (size_t)(rd->end - rd->at) < len) {
		rd->ok = false;
		return NULL;
	}
	const uint8_t *at = rd->at;
	rd->at += len;
	return at;
}

uint8_t
rd_u8(struct rd *rd)
{
	const uint8_t *at = take(rd, 1);
	return at != NULL ? at[0] : 0;
}

uint32_t
rd_u32(struct rd *rd)
{
	const uint8_t *at = take(rd, 4);
	if (at == NULL)
		return 0;
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	    (uint32_t)at[3] << 24;
}

static uint64_t
rd_varint(struct rd *rd)
{
	/* Most numbers are one byte. */
	if (rd->ok && rd->at < rd->end && *rd->at < 0x80)
		return *rd->at++;
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = rd_u8(rd);
		if (!rd->ok || (shift == 63 && byte > 1))
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return v;
	}
	rd->ok = false;
	return 0;
}

int64_t
rd_i64(struct rd *rd)
{
	uint64_t v = rd_varint(rd);
	return (int64_t)(v >> 1 ^ ((v & 1) != 0 ? UINT64_MAX : 0));
}

double
rd_f64(struct rd *rd)
{
	uint64_t bits = rd_u32(rd);
	bits |= (uint64_t)rd_u32(rd) << 32;
	double v = 0;
	if (rd->ok)
		memcpy(&v, &bits, sizeof(v));
	return v;
}

struct id
rd_id(struct rd *rd)
{
	struct id id = { { 0 } };
	const uint8_t *at = take(rd, sizeof(id.b));
	if (at != NULL)
		memcpy(id.b, at, sizeof(id.b));
	return id;
}

char *
rd_str(struct rd *rd)
{
	uint64_t size = rd_varint(rd);
	if (!rd->ok || size == 0)
		return NULL;
	/* Bounded by what is left before anything is allocated. */
	if (size - 1 > (uint64_t)(rd->end - rd->at) ||
	    memchr(rd->at, 0, (size_t)(size - 1)) != NULL) {
		rd->ok = false;
		return NULL;
	}
	size_t len = (size_t)(size - 1);
	const uint8_t *bytes = take(rd, len);
	CHECK(bytes != NULL);
	char *s = mem_alloc(len + 1);
	memcpy(s, bytes, len);
	s[len] = '\0';
	return s;
}

bool
rd_done(const struct rd *rd)
{
	return rd->ok && rd->at == rd->end;
}
