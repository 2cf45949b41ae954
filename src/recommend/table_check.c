/* SPDX-License-Identifier: Apache-2.0
 *
 * table_check.c - is every number of a table where it may be? Asked once, when it is opened.
 */
#include "recommend/table_layout.h"

#include <string.h>

#include <jansson.h>

int
table_damaged(struct err *err, const char *what)
{
	return err_set(err, AISLE_E_DAMAGED, "the table is damaged: %s", what);
}

static bool
is_utf8(const char *text, size_t len)
{
	json_t *valid;

	for (size_t i = 0; i < len; i++) {
		if ((uint8_t)text[i] >= 0x80) {
			valid = json_stringn(text, len);
			json_decref(valid);
			return valid != NULL;
		}
	}
	return true;
}

const char *
table_text_wrong(const char *text, size_t len)
{
	if (len > TABLE_TEXT_MAX)
		return "a text is too long";
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)text[i] < ' ' || text[i] == 0x7f)
			return "a text has control characters";
	return is_utf8(text, len) ? NULL : "a text is not UTF-8";
}

static int
check_texts(const uint8_t *bytes, const struct table_layout *at, struct err *err)
{
	const char *text = (const char *)bytes + at->text_at, *end = text + at->texts;

	if (text[0] != '\0' || end[-1] != '\0')
		return table_damaged(err, "a text has no end");
	while (text < end) {
		size_t len = strlen(text);

		const char *wrong = table_text_wrong(text, len);

		if (wrong != NULL)
			return table_damaged(err, wrong);
		text += len + 1;
	}
	return 0;
}

static bool
is_text(const uint8_t *bytes, const struct table_layout *at, uint32_t text)
{
	return text < at->texts && (text == 0 || bytes[at->text_at + text - 1] == 0);
}

static int
check_rows(const uint8_t *bytes, const struct table_layout *at, struct err *err)
{
	const uint8_t *row = bytes + at->row_at;
	uint32_t before = UINT32_MAX;

	for (uint32_t i = 0; i < at->items; i++, row += TABLE_ROW) {
		uint32_t baskets = table_u32(row + 8);

		if (!is_text(bytes, at, table_u32(row)) || table_u32(row) == 0 ||
		    !is_text(bytes, at, table_u32(row + 4)))
			return table_damaged(err, "an item names a text that is none");
		if (baskets > before || baskets > at->baskets)
			return table_damaged(err, "its items are not in order");
		before = baskets;
	}
	return 0;
}

/* Each key is of its item's text, and each item has one. */
static int
check_keys(const uint8_t *bytes, const struct table_layout *at, struct err *err)
{
	const uint8_t *key = bytes + at->key_at, *of = bytes + at->of_key_at;

	for (uint32_t i = 0; i < at->items; i++) {
		uint32_t item = table_u32(of + 4 * (size_t)i);
		const char *text;

		if (i > 0 && table_u64(key + 8 * (size_t)i) <= table_u64(key + 8 * (size_t)(i - 1)))
			return table_damaged(err, "its keys are not in order");
		if (item >= at->items)
			return table_damaged(err, "a key names an item that is none");
		text = (const char *)bytes + at->text_at +
		    table_u32(bytes + at->row_at + (size_t)TABLE_ROW * item);
		if (table_u64(key + 8 * (size_t)i) != table_key(text, strlen(text)))
			return table_damaged(err, "a key is not its item's");
	}
	return 0;
}

static int
check_row_of_cells(const uint8_t *cell, uint32_t count, uint32_t own, const struct table_layout *at,
    struct err *err)
{
	for (uint32_t i = 0; i < count; i++, cell += TABLE_CELL) {
		uint32_t item = table_u16(cell), weight = table_u16(cell + 2);

		if (item >= at->items || item == own || weight == 0)
			return table_damaged(err, "a neighbour is none");
		if (i > 0 &&
		    (weight > table_u16(cell - 2) ||
			(weight == table_u16(cell - 2) && item <= table_u16(cell - 4))))
			return table_damaged(err, "its neighbours are not in order");
	}
	return 0;
}

static int
check_cells(const uint8_t *bytes, const struct table_layout *at, struct err *err)
{
	const uint8_t *first = bytes + at->first_at;

	if (at->kind != TABLE_ARTICLES && at->kind != TABLE_SUBSTITUTES)
		return 0;
	if (table_u32(first) != 0 || table_u32(first + 4 * (size_t)at->items) != at->cells)
		return table_damaged(err, "its neighbours have no end");
	for (uint32_t i = 0; i < at->items; i++) {
		uint32_t from = table_u32(first + 4 * (size_t)i),
			 to = table_u32(first + 4 * (size_t)i + 4);

		if (to < from || to - from > TABLE_ROW_MAX || to > at->cells)
			return table_damaged(err, "its neighbours have no end");
		if (check_row_of_cells(bytes + at->cell_at + (size_t)TABLE_CELL * from, to - from,
			i, at, err) != 0)
			return err->code;
	}
	return 0;
}

static int
check_steps(const uint8_t *bytes, const struct table_layout *at, struct err *err)
{
	const uint8_t *step = bytes + at->step_at;
	int64_t before = 0;
	uint32_t chance = 0;

	for (uint32_t i = 0; i < at->steps; i++, step += TABLE_STEP) {
		int64_t score = (int64_t)table_u64(step);

		if (score > INT64_C(1) << 60 || score < -(INT64_C(1) << 60) ||
		    (i > 0 && score <= before) || table_u32(step + 8) < chance ||
		    table_u32(step + 8) > TABLE_SURE)
			return table_damaged(err, "its chances are not in order");
		before = score;
		chance = table_u32(step + 8);
	}
	return 0;
}

int
table_check(const uint8_t *bytes, const struct table_layout *at, struct err *err)
{
	int rc = check_texts(bytes, at, err);

	if (rc == 0)
		rc = check_rows(bytes, at, err);
	if (rc == 0)
		rc = check_keys(bytes, at, err);
	if (rc == 0)
		rc = check_cells(bytes, at, err);
	return rc == 0 ? check_steps(bytes, at, err) : rc;
}
