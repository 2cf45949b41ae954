/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_table.c - any bytes as a table of what goes together: refused with a reason, or every look-up
 * names items that it has, in order, with chances that are some; and any bytes as somebody's list.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "recommend/table.h"
#include "recommend/table_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
some_items(const struct table *table, uint32_t *items, size_t max)
{
	size_t count = 0;

	for (uint32_t i = 0; i < table_count(table) && count < max; i++) {
		const char *text = table_text(table, i), *name = table_name(table, i);

		CHECK(strlen(text) <= TABLE_TEXT_MAX);
		CHECK(name == NULL || strlen(name) <= TABLE_TEXT_MAX);
		CHECK(table_find(table, text, strlen(text)) == (int32_t)i);
		if (i % 3 == 0)
			items[count++] = i;
	}
	return count;
}

static void
look(struct arena *arena, const struct table *table, const uint32_t *items, size_t count)
{
	struct table_scores *scores = table_scores_new(arena, table, items, count);
	struct table_pick picks[5];
	size_t found = table_top(scores, false, NULL, NULL, picks, 5);

	for (size_t i = 0; i < found; i++) {
		CHECK(picks[i].item < table_count(table) && !table_scanned(scores, picks[i].item));
		CHECK(picks[i].chance >= 0 && picks[i].chance <= 1);
		CHECK(table_score(scores, picks[i].item) == picks[i].score);
		CHECK(i == 0 || picks[i - 1].score >= picks[i].score);
	}
}

static void
look_at_own(struct arena *arena, const struct table *table, const uint32_t *items, size_t count)
{
	struct table_visit visits[] = { { 0, items, count }, { D_MS, items, count / 2 },
		{ 9 * D_MS, items, count } };
	struct table_own own[TABLE_OWN_MAX];
	size_t found = table_own(arena, table, visits, ARRAY_LEN(visits), 12 * D_MS, own);

	for (size_t i = 0; i < found; i++) {
		CHECK(own[i].item < table_count(table) && own[i].visits >= 1);
		CHECK(own[i].score >= 0 && own[i].score <= TABLE_OWN_ONE);
		CHECK(own[i].chance >= 0 && own[i].chance <= 1);
		CHECK(i == 0 || own[i - 1].score >= own[i].score);
	}
}

static void
as_list(const uint8_t *data, size_t size)
{
	struct buf bytes = { 0 };
	struct table *table;
	struct err err = { 0 };

	if (table_import((const char *)data, size, "list.csv", TABLE_ARTICLES, &bytes, &err) == 0) {
		CHECK(table_open(bytes.data, bytes.len, &table, &err) == 0);
		table_free(table);
	} else {
		CHECK(err.text[0] != '\0');
	}
	buf_done(&bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct table *table;
	struct err err = { 0 };
	uint32_t items[64];

	if (table_open(data, size, &table, &err) == 0) {
		struct arena *arena = arena_new();
		size_t count = some_items(table, items, ARRAY_LEN(items));

		if (table_kind(table) == TABLE_OWN)
			look_at_own(arena, table, items, count);
		else
			look(arena, table, items, count);
		table_free(table);
		arena_free(arena);
	} else {
		CHECK(err.code == AISLE_E_DAMAGED && err.text[0] != '\0');
	}
	as_list(data, size);
	return 0;
}
