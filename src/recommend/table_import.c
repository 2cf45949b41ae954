/* SPDX-License-Identifier: Apache-2.0
 *
 * table_import.c - a list of pairs that somebody else made, as a table.
 */
#include "recommend/table_import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/csv.h"
#include "nouns/match.h"
#include "recommend/table_layout.h"

#define PAIRS_MAX (TABLE_ITEMS_MAX * 40)

enum column { COLUMN_ITEM, COLUMN_OTHER, COLUMN_SCORE, COLUMN_NAME, COLUMNS };
static const char *const column_names[COLUMNS] = { "item", "other", "score", "name" };

struct pair {
	const char *item, *other;
	double score;
	uint32_t row, with;
};
struct word {
	const char *text, *name;
};

struct list {
	struct arena *arena;
	struct csv csv;
	int field_of[COLUMNS]; /* -1: not there */
	struct pair *pairs;
	size_t count, capacity;
	struct word *words;
	size_t word_count, word_capacity;
	double most;
};

static int
wrong(const struct list *list, enum column column, struct err *err, const char *what)
{
	int field = list->field_of[column];

	return err_at(err, AISLE_E_INVALID, list->csv.name, list->csv.line,
	    field >= 0 && (size_t)field < list->csv.count ? csv_column(&list->csv, (size_t)field)
							  : 1,
	    "%s: %s", NAME_OF(column_names, column), what);
}

static int
read_columns(struct list *list, struct err *err)
{
	for (int c = 0; c < COLUMNS; c++) {
		list->field_of[c] = -1;
		for (size_t i = 0; i < list->csv.count; i++)
			if (strcmp(csv_field(&list->csv, i), column_names[c]) == 0)
				list->field_of[c] = (int)i;
		if (list->field_of[c] < 0 && c != COLUMN_NAME)
			return wrong(list, (enum column)c, err, "no such column, expected one");
	}
	return 0;
}

static const char *
cell(const struct list *list, enum column column)
{
	int field = list->field_of[column];

	return field >= 0 && (size_t)field < list->csv.count ? csv_field(&list->csv, (size_t)field)
							     : "";
}

static void
add_word(struct list *list, const char *text, const char *name)
{
	list->words =
	    mem_grow(list->words, list->word_count, &list->word_capacity, sizeof(*list->words));
	list->words[list->word_count++] = (struct word){ text, name };
}

static int
read_pair(struct list *list, struct err *err)
{
	const char *name = cell(list, COLUMN_NAME), *score = cell(list, COLUMN_SCORE);
	struct pair pair = { .item = item_name(list->arena, cell(list, COLUMN_ITEM)),
		.other = item_name(list->arena, cell(list, COLUMN_OTHER)) };
	char *end;

	if (pair.item[0] == '\0' || table_text_wrong(pair.item, strlen(pair.item)) != NULL)
		return wrong(list, COLUMN_ITEM, err, "expected 1 to 256 bytes of text");
	if (pair.other[0] == '\0' || table_text_wrong(pair.other, strlen(pair.other)) != NULL)
		return wrong(list, COLUMN_OTHER, err, "expected 1 to 256 bytes of text");
	if (strcmp(pair.item, pair.other) == 0)
		return wrong(list, COLUMN_OTHER, err, "expected another than the item");
	if (table_text_wrong(name, strlen(name)) != NULL)
		return wrong(list, COLUMN_NAME, err, "expected at most 256 bytes of text");
	pair.score = strtod(score, &end);
	if (end == score || *end != '\0' || !(pair.score > 0 && pair.score < 1e9))
		return wrong(list, COLUMN_SCORE, err, "expected a number above 0");
	if (list->count == PAIRS_MAX)
		return wrong(list, COLUMN_ITEM, err, "too many pairs, expected fewer");
	list->pairs = mem_grow(list->pairs, list->count, &list->capacity, sizeof(*list->pairs));
	pair.item = arena_strdup(list->arena, pair.item);
	pair.other = arena_strdup(list->arena, pair.other);
	list->pairs[list->count++] = pair;
	if (pair.score > list->most)
		list->most = pair.score;
	add_word(list, pair.item, NULL);
	add_word(list, pair.other, name[0] != '\0' ? arena_strdup(list->arena, name) : NULL);
	return 0;
}

static int
read_pairs(struct list *list, struct err *err)
{
	int rc = csv_read(&list->csv, err);

	if (rc == 0)
		rc = err_at(err, AISLE_E_INVALID, list->csv.name, 1, 1,
		    "an empty file, expected the columns item, other, score");
	if (rc == 1)
		rc = read_columns(list, err);
	while (rc == 0 && (rc = csv_read(&list->csv, err)) == 1) {
		bool empty = list->csv.count == 1 && csv_field(&list->csv, 0)[0] == '\0';

		rc = empty ? 0 : read_pair(list, err);
	}
	return rc;
}

/* ---- to a table ---- */

/* Of equal texts one with a name first. */
static int
compare_words(const void *a, const void *b)
{
	const struct word *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	if (order != 0 || (x->name == NULL) == (y->name == NULL))
		return order != 0 || x->name == NULL ? order : strcmp(x->name, y->name);
	return x->name == NULL ? 1 : -1;
}

static void
keep_each_once(struct list *list)
{
	size_t kept = 0;

	if (list->word_count > 1)
		qsort(list->words, list->word_count, sizeof(*list->words), compare_words);
	for (size_t i = 0; i < list->word_count; i++)
		if (kept == 0 || strcmp(list->words[kept - 1].text, list->words[i].text) != 0)
			list->words[kept++] = list->words[i];
	list->word_count = kept;
}

static uint32_t
number_of(const struct list *list, const char *text)
{
	size_t low = 0, high = list->word_count;

	while (low + 1 < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(list->words[middle].text, text) <= 0)
			low = middle;
		else
			high = middle;
	}
	return (uint32_t)low;
}

static int
compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	if (x->score > y->score || x->score < y->score)
		return x->score > y->score ? -1 : 1;
	return x->with < y->with ? -1 : x->with > y->with;
}

static bool
is_in_row(const struct table_cell *cells, uint32_t from, uint32_t to, uint32_t item)
{
	for (; from < to; from++)
		if (cells[from].item == item)
			return true;
	return false;
}

static int
compare_cells(const void *a, const void *b)
{
	const struct table_cell *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

static void
fill(const struct list *list, uint32_t *first, struct table_cell *cells)
{
	uint32_t at = 0;
	size_t p = 0;

	for (uint32_t row = 0; row < list->word_count; row++) {
		uint32_t from = at;

		for (; p < list->count && list->pairs[p].row == row; p++) {
			double weight = floor(list->pairs[p].score / list->most * 65535 + 0.5);

			if (weight >= 1 && at - from < TABLE_ROW_MAX &&
			    !is_in_row(cells, from, at, list->pairs[p].with))
				cells[at++] = (struct table_cell){ (uint16_t)list->pairs[p].with,
					(uint16_t)weight };
		}
		qsort(cells + from, at - from, sizeof(*cells), compare_cells);
		first[row + 1] = at;
	}
}

static int
make(struct list *list, enum table_kind kind, struct buf *out, struct err *err)
{
	/* A score of at most 1 is the chance. */
	const struct table_step steps[] = { { 0, 0 },
		{ INT64_C(65535) << 32,
		    (uint32_t)((list->most < 1 ? list->most : 1) * TABLE_SURE) } };
	struct table_row *rows;
	struct table_cell *cells;
	uint32_t *first;
	struct table_parts parts = { .kind = kind,
		.power = 1,
		.decay = TABLE_SURE,
		.row_count = (uint32_t)list->word_count,
		.steps = steps };
	int rc;

	if (list->word_count > TABLE_ITEMS_MAX)
		return err_at(err, AISLE_E_FULL, list->csv.name, 1, 1,
		    "%zu items, expected at most %d", list->word_count, TABLE_ITEMS_MAX);
	parts.rows = rows = mem_calloc(list->word_count + 1, sizeof(*rows));
	parts.cells = cells = mem_calloc(list->count + 1, sizeof(*cells));
	parts.first = first = mem_calloc(list->word_count + 1, sizeof(*first));
	for (size_t i = 0; i < list->word_count; i++)
		rows[i] = (struct table_row){ .text = list->words[i].text,
			.name = list->words[i].name,
			.factor = TABLE_UNIT };
	for (int i = 0; i < TABLE_RHYTHM; i++)
		parts.rhythm[i] = TABLE_UNIT;
	for (size_t i = 0; i < list->count; i++) {
		list->pairs[i].row = number_of(list, list->pairs[i].item);
		list->pairs[i].with = number_of(list, list->pairs[i].other);
	}
	if (list->count > 1)
		qsort(list->pairs, list->count, sizeof(*list->pairs), compare_pairs);
	fill(list, first, cells);
	parts.step_count = list->most <= 1 && list->count > 0 ? ARRAY_LEN(steps) : 0;
	rc = table_pack(&parts, out, err);
	free(rows);
	free(cells);
	free(first);
	return rc;
}

int
table_import(const char *text, size_t len, const char *file, enum table_kind kind, struct buf *out,
    struct err *err)
{
	struct list list = { .arena = arena_new() };
	int rc;

	CHECK(kind == TABLE_ARTICLES || kind == TABLE_SUBSTITUTES);
	csv_init(&list.csv, text, len, file);
	rc = read_pairs(&list, err);
	if (rc == 0) {
		keep_each_once(&list);
		rc = make(&list, kind, out, err);
	}
	csv_done(&list.csv);
	free(list.pairs);
	free(list.words);
	arena_free(list.arena);
	return rc;
}
