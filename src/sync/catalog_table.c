/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog_table.c - a table of articles as headquarters write it, to the rows of nouns/catalog.h.
 *
 * Strict, and all mistakes at once: what a store would not understand is found here, with its line.
 */
#include "sync/catalog_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/country.h"
#include "core/json.h"
#include "core/unicode.h"
#include "nouns/gtin.h"

#define MISTAKES_MAX 100 /* shown */
#define GTINS_MAX 64	 /* of one article */

/* clang-format off */
#define COLUMNS(X) \
	X(SKU, "sku") X(GTIN, "gtin") X(NAME, "name") X(CATEGORY, "category") X(BRAND, "brand") \
	X(MARGIN, "margin") X(MARKS, "marks") X(IMAGE, "image")
/* clang-format on */
enum column {
#define X(constant, name) COLUMN_##constant,
	COLUMNS(X)
#undef X
	    COLUMN_COUNT
};
static const char *const column_names[] = {
#define X(constant, name) name,
	COLUMNS(X)
#undef X
};

struct reading {
	struct catalog_table *table;
	struct csv csv;
	int field_of[COLUMN_COUNT]; /* -1: the table has no such column */
	size_t fields;		    /* of its header */
	int line;		    /* where the row begins */
};

void
catalog_mistake(struct catalog_table *table, int line, int column, const char *format, ...)
{
	struct err err = { 0 };
	char text[400], said[640];
	va_list args;

	table->mistakes++;
	if (table->mistakes == MISTAKES_MAX + 1)
		buf_addf(table->report, "%s: more mistakes are not shown\n", table->name);
	if (table->mistakes > MISTAKES_MAX)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	err_at(&err, AISLE_E_INVALID, table->name, line, column, "%s", text);
	err_format(&err, said, sizeof(said));
	buf_addf(table->report, "%s\n", said);
}

/* ---- one cell ---- */

static void __attribute__((format(printf, 3, 4)))
wrong(struct reading *reading, enum column column, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	catalog_mistake(reading->table, reading->line,
	    csv_column(&reading->csv, (size_t)reading->field_of[column]), "%s: %s",
	    column_names[column], text);
}

/* Composed, without white space around it; NULL: empty, or a mistake that is said. */
static const char *
cell(struct reading *reading, enum column column)
{
	int field = reading->field_of[column];
	const char *text = field >= 0 ? csv_field(&reading->csv, (size_t)field) : "";
	json_t *valid;

	if (text[0] == '\0')
		return NULL;
	valid = json_string(text);
	if (valid == NULL) {
		wrong(reading, column, "not UTF-8, expected a table in UTF-8");
		return NULL;
	}
	json_decref(valid);
	for (const char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f) {
			wrong(reading, column, "a control character, expected text on one line");
			return NULL;
		}
	}
	text = unicode_nfc(reading->table->arena, arena_strdup(reading->table->arena, text));
	return text[0] != '\0' ? text : NULL;
}

static const char *
fitting(struct reading *reading, enum column column, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return NULL;
	if (strlen(text) <= CATALOG_TEXT_MAX)
		return text;
	wrong(reading, column, "%zu bytes, expected at most %d", strlen(text), CATALOG_TEXT_MAX);
	return NULL;
}

static const char *
read_category(struct reading *reading)
{
	const char *text = cell(reading, COLUMN_CATEGORY);

	if (text == NULL)
		return NULL;
	if (text[0] == '/' || text[strlen(text) - 1] == '/' || strstr(text, "//") != NULL) {
		wrong(reading, COLUMN_CATEGORY,
		    "%.64s, expected names joined by single slashes, as grocery/coffee", text);
		return NULL;
	}
	return fitting(reading, COLUMN_CATEGORY, unicode_path_key(reading->table->arena, text));
}

/* The next of the words of a cell, which ends with a zero byte then; NULL: none is left. */
static char *
next_word(char **at)
{
	char *word = *at + strspn(*at, " ");
	size_t len = strcspn(word, " ");

	*at = word + len + (word[len] != '\0');
	word[len] = '\0';
	return len > 0 ? word : NULL;
}

static size_t
count_words(const char *text)
{
	size_t count = 0;

	while (*(text += strspn(text, " ")) != '\0') {
		text += strcspn(text, " ");
		count++;
	}
	return count;
}

static void
read_gtins(struct reading *reading, struct catalog_row *row)
{
	struct arena *arena = reading->table->arena;
	const char *text = cell(reading, COLUMN_GTIN), **gtins;
	char *at, *word, gtin[15];

	if (text == NULL)
		return;
	at = arena_strdup(arena, text);
	if (count_words(at) > GTINS_MAX) {
		wrong(reading, COLUMN_GTIN, "too many, expected at most %d", GTINS_MAX);
		return;
	}
	gtins = arena_alloc(arena, count_words(at) * sizeof(*gtins));
	while ((word = next_word(&at)) != NULL) {
		if (gtin_normalise(word, gtin))
			gtins[row->gtin_count++] = word;
		else
			wrong(reading, COLUMN_GTIN,
			    "%.32s, expected 8, 12, 13 or 14 digits with a right check digit",
			    word);
	}
	row->gtins = gtins;
}

/* "1.250" at three decimals is 1250; false: no such number, or beyond most. */
static bool
read_decimal(const char *text, size_t len, int decimals, int64_t most, int64_t *ret)
{
	bool negative = len > 0 && text[0] == '-', point = false, digit = false;
	int64_t number = 0;

	for (size_t i = negative; i < len; i++) {
		if (text[i] == '.' && !point && decimals > 0 && digit) {
			point = true;
			continue;
		}
		if (text[i] < '0' || text[i] > '9' || (point && decimals-- == 0))
			return false;
		digit = true;
		number = number * 10 + (text[i] - '0');
		if (number > most)
			return false;
	}
	for (; decimals > 0; decimals--)
		number *= 10;
	*ret = negative ? -number : number;
	return digit && number <= most;
}

static void
read_margin(struct reading *reading, struct catalog_row *row)
{
	const char *text = cell(reading, COLUMN_MARGIN);
	size_t len = text != NULL ? strlen(text) : 0;
	int64_t number;

	if (text == NULL)
		return;
	if (text[len - 1] == '%' &&
	    read_decimal(text, len - 1, 3, -(int64_t)CATALOG_SHARE_MIN, &number) &&
	    number <= CATALOG_SHARE_MAX)
		row->margin_kind = CATALOG_MARGIN_SHARE;
	else if (read_decimal(text, len, 0, CATALOG_PIECE_MAX, &number))
		row->margin_kind = CATALOG_MARGIN_PIECE;
	else
		wrong(reading, COLUMN_MARGIN,
		    "%.32s, expected minor units a piece, as 120, or a share of the price, as "
		    "23.5%% (-1000%% to 100%%)",
		    text);
	if (row->margin_kind != CATALOG_MARGIN_NONE)
		row->margin = (int32_t)number;
}

static bool
read_mark(const char *word, struct catalog_mark *ret)
{
	size_t len = strcspn(word, "@");

	*ret = (struct catalog_mark){ 0 };
	if (len == 9 && strncmp(word, "sensitive", len) == 0)
		ret->mark = MARK_SENSITIVE;
	else if (len == 12 && strncmp(word, "no-promotion", len) == 0)
		ret->mark = MARK_NO_PROMOTION;
	else
		return false;
	if (word[len] == '\0')
		return true;
	snprintf(ret->country, sizeof(ret->country), "%s", word + len + 1);
	return strlen(word + len) == 3 && country_is_one(ret->country);
}

static void
read_marks(struct reading *reading, struct catalog_row *row)
{
	struct arena *arena = reading->table->arena;
	const char *text = cell(reading, COLUMN_MARKS);
	struct catalog_mark *marks;
	char *at, *word;

	if (text == NULL)
		return;
	at = arena_strdup(arena, text);
	if (count_words(at) > CATALOG_SET_ENTRIES_MAX) {
		wrong(reading, COLUMN_MARKS, "too many, expected at most %d",
		    CATALOG_SET_ENTRIES_MAX);
		return;
	}
	marks = arena_alloc(arena, count_words(at) * sizeof(*marks));
	row->marks = marks;
	while ((word = next_word(&at)) != NULL) {
		if (read_mark(word, &marks[row->mark_count]))
			row->mark_count++;
		else
			wrong(reading, COLUMN_MARKS,
			    "%.32s, expected sensitive or no-promotion, with a country as "
			    "sensitive@DE",
			    word);
	}
}

static const char *
read_image(struct reading *reading)
{
	const char *text = cell(reading, COLUMN_IMAGE);

	if (text == NULL || (text[0] != '.' && strchr(text, '/') == NULL))
		return text;
	wrong(reading, COLUMN_IMAGE, "%.64s, expected the name of a file in the folder of images",
	    text);
	return NULL;
}

/* ---- rows ---- */

static void
add_row(struct reading *reading)
{
	struct catalog_table *table = reading->table;
	struct catalog_row row = { 0 };
	struct arena *arena = table->arena;
	size_t before = table->mistakes;

	row.sku = fitting(reading, COLUMN_SKU, cell(reading, COLUMN_SKU));
	read_gtins(reading, &row);
	if (row.sku == NULL && row.gtin_count == 0 && table->mistakes == before)
		catalog_mistake(table, reading->line, 1,
		    "no sku and no gtin, expected one of them at least");
	row.name = fitting(reading, COLUMN_NAME, cell(reading, COLUMN_NAME));
	row.category = read_category(reading);
	row.brand = fitting(reading, COLUMN_BRAND, unicode_key(arena, cell(reading, COLUMN_BRAND)));
	read_margin(reading, &row);
	read_marks(reading, &row);
	table->rows = mem_grow(table->rows, table->count, &table->row_room, sizeof(row));
	table->lines = mem_grow(table->lines, table->count, &table->line_room, sizeof(int));
	table->images =
	    mem_grow(table->images, table->count, &table->image_room, sizeof(*table->images));
	table->image_columns =
	    mem_grow(table->image_columns, table->count, &table->column_room, sizeof(int));
	table->rows[table->count] = row;
	table->lines[table->count] = reading->line;
	table->images[table->count] = read_image(reading);
	table->image_columns[table->count] = table->images[table->count] != NULL
	    ? csv_column(&reading->csv, (size_t)reading->field_of[COLUMN_IMAGE])
	    : 0;
	table->count++;
}

/* false: it is no header that rows can be read by. */
static bool
read_header(struct reading *reading)
{
	struct catalog_table *table = reading->table;
	size_t before = table->mistakes;

	reading->fields = reading->csv.count;
	for (int c = 0; c < COLUMN_COUNT; c++)
		reading->field_of[c] = -1;
	for (size_t i = 0; i < reading->fields; i++) {
		const char *name = csv_field(&reading->csv, i);
		int c = 0;

		while (c < COLUMN_COUNT && strcmp(column_names[c], name) != 0)
			c++;
		if (c == COLUMN_COUNT)
			catalog_mistake(table, 1, csv_column(&reading->csv, i),
			    "the column %.32s is not known, expected sku, gtin, name, category, "
			    "brand, margin, marks or image",
			    name);
		else if (reading->field_of[c] >= 0)
			catalog_mistake(table, 1, csv_column(&reading->csv, i),
			    "the column %s is there twice, expected it once", name);
		else
			reading->field_of[c] = (int)i;
	}
	if (reading->field_of[COLUMN_SKU] < 0 && reading->field_of[COLUMN_GTIN] < 0 &&
	    table->mistakes == before)
		catalog_mistake(table, 1, 1, "no column sku or gtin, expected one of them");
	return table->mistakes == before;
}

static void
read_rows(struct reading *reading, struct err *err)
{
	struct csv *csv = &reading->csv;
	int next = csv->line + 1;

	for (; csv_read(csv, err) > 0; next = csv->line + 1) {
		reading->line = next;
		if (csv->count == 1 && csv_field(csv, 0)[0] == '\0')
			continue;
		if (reading->table->count == CATALOG_ARTICLES_MAX) {
			catalog_mistake(reading->table, next, 1,
			    "too many articles, expected at most %d", CATALOG_ARTICLES_MAX);
			return;
		}
		if (csv->count != reading->fields)
			catalog_mistake(reading->table, next, 1,
			    "%zu fields, expected %zu as in the header", csv->count,
			    reading->fields);
		else
			add_row(reading);
	}
}

void
catalog_table_read(struct catalog_table *table, const char *text, size_t len)
{
	struct reading reading = { .table = table };
	struct err err = { 0 };
	int rc;

	csv_init(&reading.csv, text, len, table->name);
	rc = csv_read(&reading.csv, &err);
	if (rc == 0)
		catalog_mistake(table, 1, 1,
		    "no header, expected the names of columns: sku, name, category, …");
	else if (rc > 0 && read_header(&reading))
		read_rows(&reading, &err);
	if (err.code != 0)
		catalog_mistake(table, err.line, err.column, "%s", err.text);
	csv_done(&reading.csv);
}

void
catalog_table_done(struct catalog_table *table)
{
	free(table->rows);
	free(table->lines);
	free(table->images);
	free(table->image_columns);
}
