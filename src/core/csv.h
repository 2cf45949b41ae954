/* SPDX-License-Identifier: Apache-2.0
 *
 * csv.h - comma-separated values over bytes in memory, strictly (RFC 4180).
 */
#ifndef AISLE_CORE_CSV_H
#define AISLE_CORE_CSV_H

#include "aisle/base.h"
#include "core/buf.h"

#define CSV_FIELDS_MAX 65536
#define CSV_ROW_BYTES_MAX (4u << 20)

/* text is borrowed. A byte order mark at its start is passed over; lines end in LF or CRLF. */
struct csv {
	const char *at, *end;
	const char *name; /* of the file, for errors */
	int line;	  /* of the row read last, from 1 */
	struct buf text;  /* the fields of that row, each with its zero byte */
	struct csv_cell {
		size_t start; /* in text */
		int column; /* of its first byte in the file, from 1; 0: a line ends before it in its row */
	} * cells;
	size_t cap;
	size_t count; /* its fields */
};
void csv_init(struct csv *csv, const char *text, size_t len, const char *name);
void csv_done(struct csv *csv);
/* 1: a row was read; 0: none is left; AISLE_E_INVALID: err says where. An empty line is a row of
 * one empty field. */
int csv_read(struct csv *csv, struct err *err) AISLE_MUST_CHECK;
/* until the next csv_read; i < count */
const char *csv_field(const struct csv *csv, size_t i);
int csv_column(const struct csv *csv, size_t i); /* for errors; 0: not known */
/* A field in quotes, to out. */
void csv_add(struct buf *out, const char *text);

#endif
