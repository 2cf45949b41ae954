/* SPDX-License-Identifier: Apache-2.0
 *
 * csv.c - comma-separated values, strictly.
 *
 * DESIGN
 *   RFC 4180 to the letter, but for line ends, which may be LF alone. A quote
 *   inside of an unquoted field, text behind a closing quote and a zero byte are
 *   mistakes with a place: a file that is read differently than it was written
 *   would score the wrong customer.
 */
#include "core/csv.h"

#include <stdlib.h>
#include <string.h>

void
csv_init(struct csv *csv, const char *text, size_t len, const char *name)
{
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	*csv = (struct csv){ .at = text, .end = text + len, .name = name };
}

void
csv_done(struct csv *csv)
{
	buf_done(&csv->text);
	free(csv->cells);
	csv->cells = NULL;
	csv->count = csv->cap = 0;
}

const char *
csv_field(const struct csv *csv, size_t i)
{
	CHECK(i < csv->count);
	return csv->text.data + csv->cells[i].start;
}

int
csv_column(const struct csv *csv, size_t i)
{
	CHECK(i < csv->count);
	return csv->cells[i].column;
}

/* A quoted field, at behind the opening quote. lines counts the line ends inside of it. */
static const char *
read_quoted(struct csv *csv, const char *at, int *lines)
{
	while (at < csv->end) {
		if (*at == '"' && (at + 1 == csv->end || at[1] != '"'))
			return NULL;
		if (*at == '"')
			at++;
		else if (*at == '\0')
			return "zero byte";
		*lines += *at == '\n';
		buf_addc(&csv->text, *at++);
		csv->at = at;
		if (csv->text.len > CSV_ROW_BYTES_MAX)
			return "row too long, expected at most 4 MiB";
	}
	return "quoted field without end";
}

static const char *
read_plain(struct csv *csv)
{
	const char *at = csv->at;
	for (; at < csv->end && *at != ',' && *at != '\n' &&
	     !(*at == '\r' && at + 1 < csv->end && at[1] == '\n');
	     at++) {
		csv->at = at;
		if (*at == '"')
			return "quote inside of a field, expected the whole field in quotes";
		if (*at == '\0')
			return "zero byte";
		buf_addc(&csv->text, *at);
		if (csv->text.len > CSV_ROW_BYTES_MAX)
			return "row too long, expected at most 4 MiB";
	}
	csv->at = at;
	return NULL;
}

static const char *
read_field(struct csv *csv, const char *row, int *lines)
{
	const char *mistake;
	if (csv->count == CSV_FIELDS_MAX)
		return "too many fields, expected at most 65536";
	csv->cells = mem_grow(csv->cells, csv->count, &csv->cap, sizeof(*csv->cells));
	csv->cells[csv->count++] =
	    (struct csv_cell){ csv->text.len, *lines > 1 ? 0 : (int)(csv->at - row) + 1 };
	if (csv->at < csv->end && *csv->at == '"') {
		csv->at++;
		mistake = read_quoted(csv, csv->at, lines);
		csv->at++; /* the closing quote */
	} else {
		mistake = read_plain(csv);
	}
	buf_addc(&csv->text, '\0');
	return mistake;
}

int
csv_read(struct csv *csv, struct err *err)
{
	int lines = 1;
	const char *start = csv->at;
	if (csv->at >= csv->end)
		return 0;
	buf_clear(&csv->text);
	csv->count = 0;
	csv->line += 1;

	const char *mistake = read_field(csv, start, &lines);
	while (mistake == NULL && csv->at < csv->end && *csv->at == ',') {
		csv->at++;
		mistake = read_field(csv, start, &lines);
	}
	if (mistake == NULL && csv->at < csv->end) {
		if (*csv->at == '\r')
			csv->at++;
		if (csv->at < csv->end && *csv->at == '\n')
			csv->at++;
		else
			mistake =
			    "text behind a closing quote, expected a comma or the end of the line";
	}
	if (mistake != NULL) {
		int r = err_at(err, AISLE_E_INVALID, csv->name, csv->line,
		    lines > 1 ? 0 : (int)(csv->at - start) + 1, "%s", mistake);
		csv->at = csv->end;
		return r;
	}
	csv->line += lines - 1; /* now the row's last line; the next row adds one */
	return 1;
}

void
csv_add(struct buf *out, const char *text)
{
	buf_addc(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_addc(out, '"');
		buf_addc(out, *text);
	}
	buf_addc(out, '"');
}
