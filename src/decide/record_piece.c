/* SPDX-License-Identifier: Apache-2.0
 *
 * record_piece.c - numbers and texts of a record that are not known from an earlier one.
 */
#include "decide/record_piece.h"

char *
put_new_number(struct number_text *known, uint64_t bits, double value, char *at)
{
	size_t len;

	if (!__builtin_isfinite(value))
		return PUT(at, "null");
	len = double_text(value, at);
	if (known != NULL && len <= sizeof(known->text)) {
		known->bits = bits;
		known->len = (uint8_t)len;
		memcpy(known->text, at, len);
	}
	return at + len;
}

/* It may be long: with PIECE_ROOM behind it again. */
char *
put_new_text(const struct record_writer *w, const char *text, struct quoted_text *known, char *at)
{
	size_t before, len;

	w->out->len = before = (size_t)(at - w->out->data);
	buf_json_str(w->out, text);
	len = w->out->len - before;
	buf_reserve(w->out, PIECE_ROOM);
	if (known != NULL && len <= QUOTED_MAX) {
		known->text = text;
		known->len = (uint16_t)len;
		memcpy(known->quoted, w->out->data + before, len);
	}
	return w->out->data + w->out->len;
}
