/* SPDX-License-Identifier: Apache-2.0
 *
 * record_piece.h - pieces of a record written through a pointer: a record holds hundreds.
 *
 * piece_begin() gives PIECE_ROOM bytes, every put_…() returns where it ended, piece_end() keeps
 * what was written. Numbers and the policy's own texts are remembered from record to record.
 */
#ifndef AISLE_DECIDE_RECORD_PIECE_H
#define AISLE_DECIDE_RECORD_PIECE_H

#include <string.h>

#include "core/double_text.h"
#include "decide/memo.h"

/* Two texts that are remembered, nine numbers, their names. */
#define PIECE_ROOM 1024

struct record_writer {
	const struct decision *decision;
	struct draw_cache *memo; /* NULL: none */
	struct buf *out;
};

/* What is not known yet; known NULL: not to be remembered. record_piece.c */
char *put_new_number(struct number_text *known, uint64_t bits, double value, char *at);
char *put_new_text(const struct record_writer *w, const char *text, struct quoted_text *known,
    char *at);

static inline char *
piece_begin(const struct record_writer *w)
{
	buf_reserve(w->out, PIECE_ROOM);
	return w->out->data + w->out->len;
}

static inline void
piece_end(const struct record_writer *w, char *at)
{
	*at = '\0';
	w->out->len = (size_t)(at - w->out->data);
}

#define PUT(at, literal) ((char *)memcpy(at, literal, sizeof(literal) - 1) + sizeof(literal) - 1)

/* What buf_json_double writes. */
static inline char *
put_double(const struct record_writer *w, double value, char *at)
{
	struct number_text *known;
	uint64_t bits;

	if (value >= 0 && value < 10 && (double)(int)value == value) {
		*at = (char)('0' + (int)value);
		return at + 1;
	}
	if (w->memo == NULL)
		return put_new_number(NULL, 0, value, at);
	memcpy(&bits, &value, sizeof(bits));
	known = &w->memo->numbers[known_place(bits)];
	if (known->bits != bits || known->len == 0)
		return put_new_number(known, bits, value, at);
	memcpy(at, known->text, sizeof(known->text));
	return at + known->len;
}

/* A text in quotes. remember: it lives as long as the policy and is always the same. */
static inline char *
put_text(const struct record_writer *w, const char *text, bool remember, char *at)
{
	struct quoted_text *known;

	if (w->memo == NULL || !remember)
		return put_new_text(w, text, NULL, at);
	known = &w->memo->texts[known_place((uintptr_t)text)];
	if (known->text != text)
		return put_new_text(w, text, known, at);
	if (known->len <= 32) /* an id: without a call */
		memcpy(at, known->quoted, 32);
	else
		memcpy(at, known->quoted, QUOTED_MAX);
	return at + known->len;
}

#endif
