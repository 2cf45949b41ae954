/* SPDX-License-Identifier: Apache-2.0
 *
 * buf.h - a growing byte buffer, and JSON written into one.
 */
#ifndef AISLE_CORE_BUF_H
#define AISLE_CORE_BUF_H

#include "aisle/base.h"

/* Always NUL-terminated once anything was added. Zero-initialised is empty. */
struct buf {
	char *data;
	size_t len, cap;
};

void buf_done(struct buf *buf);	 /* frees; the buffer is empty again */
void buf_clear(struct buf *buf); /* keeps the memory */
void buf_wipe(struct buf *buf);	 /* overwrites, then frees: for secrets */
void buf_reserve(struct buf *buf, size_t more);
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_addc(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...) AISLE_PRINTF(2, 3);
char *buf_steal(struct buf *buf); /* the caller frees; "" when empty */

/* Inline, so that the length of a literal is known when it is compiled. */
static inline void
buf_adds(struct buf *buf, const char *s)
{
	buf_add(buf, s, __builtin_strlen(s));
}

/* JSON text. Strings are escaped (RFC 8259, UTF-8 kept as it is). */
void buf_json_str(struct buf *buf, const char *s); /* "quoted"; NULL writes null */
void buf_json_int(struct buf *buf, int64_t n);
void buf_json_double(struct buf *buf, double d); /* %.17g; not finite: null. -0 as 0 */

/* Binary, little-endian, for rows on disk. The reader below is bounds-checked:
 * after the first short read every further read gives 0 and rd_ok is false. */
void buf_u8(struct buf *buf, uint8_t v);
void buf_u32(struct buf *buf, uint32_t v);
void buf_i64(struct buf *buf, int64_t v); /* zig-zag varint */
void buf_f64(struct buf *buf, double v);
void buf_id(struct buf *buf, const struct id *id);
/* length varint + bytes; NULL is kept apart from "" */
void buf_str(struct buf *buf, const char *s);

struct rd {
	const uint8_t *at, *end;
	bool ok;
};
struct rd rd_init(const void *bytes, size_t len);
uint8_t rd_u8(struct rd *rd);
uint32_t rd_u32(struct rd *rd);
int64_t rd_i64(struct rd *rd);
double rd_f64(struct rd *rd);
struct id rd_id(struct rd *rd);
char *rd_str(struct rd *rd);	   /* allocated; NULL for NULL */
bool rd_done(const struct rd *rd); /* ok and everything was read */

#endif
