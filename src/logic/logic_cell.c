/* SPDX-License-Identifier: Apache-2.0
 *
 * logic_cell.c - cells as JavaScript coerces and compares them, and where they live.
 *
 * LIMITS
 *   Text is UTF-8; where JavaScript counts or orders UTF-16 units, so does this.
 *   What recurses here walks lists that programs made (at most LOGIC_DEPTH_MAX
 *   levels, cell_list) and JSON (at most JSON_DEPTH_MAX levels, json_read).
 */
#include "logic/logic_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EXACT_INT (INT64_C(1) << 53)

struct arena *
run_arena(struct logic_run *run)
{
	if (run->arena == NULL) {
		run->arena = arena_new();
		run->own = true;
	}
	return run->arena;
}

struct cell
cell_of_json(json_t *json)
{
	switch (json == NULL ? JSON_NULL : json_typeof(json)) {
	case JSON_TRUE: return cell_bool(true);
	case JSON_FALSE: return cell_bool(false);
	case JSON_STRING:
		return (struct cell){ .tag = CELL_STRING, .str = json_string_value(json) };
	case JSON_REAL: return cell_number(json_real_value(json));
	case JSON_INTEGER: {
		int64_t n = json_integer_value(json);
		if (n > EXACT_INT || n < -EXACT_INT)
			return (struct cell){ .tag = CELL_BIG, .big = n };
		return cell_number((double)n);
	}
	case JSON_ARRAY:
	case JSON_OBJECT: return (struct cell){ .tag = CELL_JSON, .json = json };
	default: return (struct cell){ .tag = CELL_NULL };
	}
}

struct cell
cell_of_value(const struct value *value)
{
	switch (value->tag) {
	case VALUE_BOOL: return cell_bool(value->truth);
	case VALUE_NUMBER: return cell_number(value->number);
	case VALUE_STRING: return (struct cell){ .tag = CELL_STRING, .str = value->str };
	case VALUE_JSON: return cell_of_json(value->json);
	default: return (struct cell){ .tag = CELL_NULL };
	}
}

bool
cell_is_list(const struct cell *cell)
{
	return cell->tag == CELL_LIST || (cell->tag == CELL_JSON && json_is_array(cell->json));
}

size_t
cell_count(const struct cell *list)
{
	return list->tag == CELL_LIST ? list->count : json_array_size(list->json);
}

struct cell
cell_at(const struct cell *list, size_t i)
{
	return list->tag == CELL_LIST ? list->list[i] : cell_of_json(json_array_get(list->json, i));
}

enum logic_result
cell_list(struct logic_run *run, const struct cell *items, size_t count, struct cell *ret)
{
	if (!run_charge(run, count))
		return LOGIC_LIMIT;
	int depth = 0;
	for (size_t i = 0; i < count; i++)
		if (items[i].tag >= CELL_LIST && items[i].depth > depth)
			depth = items[i].depth;
	if (depth >= LOGIC_DEPTH_MAX)
		return LOGIC_LIMIT;

	struct cell *list = arena_alloc(run_arena(run), (count > 0 ? count : 1) * sizeof(*list));
	for (size_t i = 0; i < count; i++)
		list[i] = items[i];
	*ret = (struct cell){ .tag = CELL_LIST,
		.depth = (uint8_t)(depth + 1),
		.count = (uint32_t)count,
		.list = list };
	return LOGIC_OK;
}

/* "0", "17": an index as JavaScript spells it; SIZE_MAX for any other name. */
static size_t
index_of_name(const char *name)
{
	if (name[0] == '0' && name[1] == '\0')
		return 0;
	if (name[0] < '1' || name[0] > '9' || strlen(name) > 9)
		return SIZE_MAX;
	size_t index = 0;
	for (; *name >= '0' && *name <= '9'; name++)
		index = index * 10 + (size_t)(*name - '0');
	return *name == '\0' ? index : SIZE_MAX;
}

/* UTF-16 units of s. */
static size_t
text_units(const char *s)
{
	size_t units = 0;
	for (; *s != '\0'; s++)
		units += ((unsigned char)*s & 0xc0) != 0x80 ? 1 + ((unsigned char)*s >= 0xf0) : 0;
	return units;
}

static struct cell
text_property(struct logic_run *run, const char *s, const char *name)
{
	if (!run_charge(run, strlen(s) / LOGIC_TEXT_STEP))
		return (struct cell){ .tag = CELL_UNDEFINED };
	if (strcmp(name, "length") == 0)
		return cell_number((double)text_units(s));
	size_t index = index_of_name(name);
	if (index >= text_units(s))
		return (struct cell){ .tag = CELL_UNDEFINED };
	struct cell args[3] = { { .tag = CELL_STRING, .str = s }, cell_number((double)index),
		cell_number(1) },
		    unit;
	return logic_call(run, FN_SUBSTR, args, 3, NULL, &unit) == LOGIC_OK
	    ? unit
	    : (struct cell){ .tag = CELL_UNDEFINED };
}

struct cell
cell_property(struct logic_run *run, const struct cell *cell, const char *name)
{
	if (cell->tag == CELL_JSON && json_is_object(cell->json)) {
		json_t *member = json_object_get(cell->json, name);
		return member != NULL ? cell_of_json(member)
				      : (struct cell){ .tag = CELL_UNDEFINED };
	}
	if (cell_is_list(cell)) {
		size_t index = index_of_name(name);
		if (index < cell_count(cell))
			return cell_at(cell, index);
		if (strcmp(name, "length") == 0)
			return cell_number((double)cell_count(cell));
	} else if (cell->tag == CELL_MADE) {
		for (size_t i = cell->count; i >= 2; i -= 2)
			if (strcmp(cell->list[i - 2].str, name) == 0)
				return cell->list[i - 1];
	} else if (cell->tag == CELL_PAIR) {
		if (strcmp(name, "current") == 0)
			return cell->list[0];
		if (strcmp(name, "accumulator") == 0)
			return cell->list[1];
	} else if (cell->tag == CELL_STRING) {
		return text_property(run, cell->str, name);
	}
	return (struct cell){ .tag = CELL_UNDEFINED };
}

bool
cell_truthy(const struct cell *cell)
{
	switch (cell->tag) {
	case CELL_BOOL: return cell->truth;
	case CELL_NUMBER: return cell->number == cell->number && cell->number != 0;
	case CELL_STRING: return cell->str[0] != '\0';
	case CELL_JSON: return !json_is_array(cell->json) || json_array_size(cell->json) > 0;
	case CELL_LIST: return cell->count > 0;
	case CELL_BIG:
	case CELL_MADE:
	case CELL_PAIR: return true;
	default: return false;
	}
}

struct cell
cell_element_text(struct logic_run *run, const struct cell *cell)
{
	if (run->around == NULL || cell->tag != CELL_JSON)
		return (struct cell){ .tag = CELL_NULL };
	return cell_property(run, cell, "#text");
}

void
cell_add_text(struct logic_run *run, const struct cell *cell, bool join, struct buf *out)
{
	char number[NUMBER_TEXT_SIZE];
	size_t before = out->len;

	if (!run_charge(run, 1))
		return;
	switch (cell->tag) {
	case CELL_UNDEFINED:
	case CELL_NULL:
		buf_adds(out, join ? "" : cell->tag == CELL_NULL ? "null" : "undefined");
		break;
	case CELL_BOOL: buf_adds(out, cell->truth ? "true" : "false"); break;
	case CELL_NUMBER:
		number_text(cell->number, number);
		buf_adds(out, number);
		break;
	case CELL_BIG: buf_addf(out, "%" PRId64, cell->big); break;
	case CELL_STRING:
		if (run_charge(run, strlen(cell->str) / LOGIC_TEXT_STEP))
			buf_adds(out, cell->str);
		return;
	default:
		if (!cell_is_list(cell)) {
			struct cell text = cell_element_text(run, cell);

			buf_adds(out, text.tag == CELL_STRING ? text.str : "[object Object]");
			break;
		}
		for (size_t i = 0; i < cell_count(cell) && run->steps >= 0; i++) {
			struct cell item = cell_at(cell, i);
			if (i > 0)
				buf_addc(out, ',');
			cell_add_text(run, &item, true, out);
		}
		return;
	}
	run_charge(run, (out->len - before) / LOGIC_TEXT_STEP);
}

const char *
cell_to_text(struct logic_run *run, const struct cell *cell)
{
	if (cell->tag == CELL_STRING)
		return cell->str;
	struct buf text = { 0 };
	cell_add_text(run, cell, false, &text);
	const char *copy = arena_strndup(run_arena(run), text.len > 0 ? text.data : "", text.len);
	buf_done(&text);
	return copy;
}

double
cell_to_number(struct logic_run *run, const struct cell *cell)
{
	switch (cell->tag) {
	case CELL_UNDEFINED: return __builtin_nan("");
	case CELL_NULL: return 0;
	case CELL_BOOL: return cell->truth;
	case CELL_NUMBER: return cell->number;
	case CELL_BIG: return (double)cell->big;
	default: return number_of_text(cell_to_text(run, cell));
	}
}

double
cell_to_float(struct logic_run *run, const struct cell *cell)
{
	if (cell->tag == CELL_NUMBER)
		return cell->number == 0 ? 0 : cell->number; /* "-0" is never written */
	if (cell->tag == CELL_BIG)
		return (double)cell->big;
	return number_parse_float(cell_to_text(run, cell));
}

static bool
is_number(const struct cell *cell)
{
	return cell->tag == CELL_NUMBER || cell->tag == CELL_BIG;
}

static double
number_in(const struct cell *cell)
{
	return cell->tag == CELL_BIG ? (double)cell->big : cell->number;
}

static bool
is_object(const struct cell *cell)
{
	return cell->tag >= CELL_JSON;
}

bool
cell_same(const struct cell *a, const struct cell *b)
{
	if (a->tag == CELL_BIG && b->tag == CELL_BIG)
		return a->big == b->big;
	if (is_number(a) && is_number(b))
		return number_in(a) == number_in(b);
	if (a->tag != b->tag)
		return false;
	switch (a->tag) {
	case CELL_BOOL: return a->truth == b->truth;
	case CELL_STRING: return strcmp(a->str, b->str) == 0;
	case CELL_JSON: return a->json == b->json;
	case CELL_LIST:
	case CELL_MADE:
	case CELL_PAIR: return a->list == b->list;
	default: return true;
	}
}

bool
cell_equal(struct logic_run *run, const struct cell *a, const struct cell *b)
{
	bool a_none = a->tag == CELL_NULL || a->tag == CELL_UNDEFINED;
	bool b_none = b->tag == CELL_NULL || b->tag == CELL_UNDEFINED;
	if (a_none || b_none)
		return a_none && b_none;
	if (a->tag == b->tag || (is_object(a) && is_object(b)))
		return cell_same(a, b);
	/* An object against a text is compared as text; anything else as numbers,
	 * and the number of an object is that of its text. */
	if ((is_object(a) && b->tag == CELL_STRING) || (is_object(b) && a->tag == CELL_STRING))
		return strcmp(cell_to_text(run, a), cell_to_text(run, b)) == 0;
	return cell_to_number(run, a) == cell_to_number(run, b);
}

/* Order of UTF-16 units: characters beyond the basic plane begin with a
 * surrogate (D800-DFFF) and so come before U+E000, in UTF-8 after it. */
static int
text_compare(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	int x = (unsigned char)*a, y = (unsigned char)*b;
	if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0))
		return x >= 0xf0 ? -1 : 1;
	return x - y;
}

static bool
relation(enum logic_fn fn, double x, double y)
{
	switch (fn) {
	case FN_LT: return x < y;
	case FN_LE: return x <= y;
	case FN_GT: return x > y;
	default: return x >= y;
	}
}

bool
cell_compare(struct logic_run *run, enum logic_fn fn, const struct cell *a, const struct cell *b)
{
	switch (fn) {
	case FN_EQ: return cell_equal(run, a, b);
	case FN_NE: return !cell_equal(run, a, b);
	case FN_SAME: return cell_same(a, b);
	case FN_NOT_SAME: return !cell_same(a, b);
	default: break;
	}
	bool a_text = a->tag == CELL_STRING || is_object(a),
	     b_text = b->tag == CELL_STRING || is_object(b);
	if (a_text && b_text)
		return relation(fn, text_compare(cell_to_text(run, a), cell_to_text(run, b)), 0);
	return relation(fn, cell_to_number(run, a), cell_to_number(run, b));
}
