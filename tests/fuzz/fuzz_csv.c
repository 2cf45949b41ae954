/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_csv.c - any bytes as comma-separated values.
 *
 * What must hold: each row is read or refused with its line; what was read and is written with quotes is read as the
 * same, with the same number of rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_row(const struct csv *csv, struct buf *out)
{
	for (size_t i = 0; i < csv->count; i++) {
		buf_adds(out, i == 0 ? "\"" : ",\"");
		for (const char *at = csv_field(csv, i); *at != '\0'; at++) {
			buf_addc(out, *at);
			if (*at == '"')
				buf_addc(out, '"');
		}
		buf_addc(out, '"');
	}
	buf_addc(out, '\n');
}

/* Rows until the end or the first mistake; out: them, with quotes. */
static size_t
read_all(const char *text, size_t len, struct buf *out, bool *ret_whole)
{
	struct err err = { 0 };
	struct csv csv;
	size_t rows = 0;
	int rc, line = 0;

	csv_init(&csv, text, len, "fuzz");
	while ((rc = csv_read(&csv, &err)) > 0) {
		CHECK(csv.count >= 1 && csv.count <= CSV_FIELDS_MAX && csv.line > line);
		line = csv.line;
		for (size_t i = 0; i < csv.count; i++)
			CHECK(csv_column(&csv, i) >= 0 && (size_t)csv_column(&csv, i) <= len + 1);
		write_row(&csv, out);
		rows++;
	}
	CHECK((rc == 0) == (err.text[0] == '\0') && (rc == 0 || err.line >= 1));
	*ret_whole = rc == 0;
	csv_done(&csv);
	return rows;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of exactly that length: a look behind it is found. */
	char *text = mem_alloc(size > 0 ? size : 1);
	struct buf first = { 0 }, second = { 0 };
	bool whole;
	size_t rows;

	if (size > 0)
		memcpy(text, data, size);
	rows = read_all(text, size, &first, &whole);
	CHECK(read_all(first.data != NULL ? first.data : "", first.len, &second, &whole) == rows);
	CHECK(whole && first.len == second.len);
	CHECK(first.len == 0 || memcmp(first.data, second.data, first.len) == 0);
	buf_done(&first);
	buf_done(&second);
	free(text);
	return 0;
}
