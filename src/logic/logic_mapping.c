/* SPDX-License-Identifier: Apache-2.0
 *
 * logic_mapping.c - what mappings have besides JsonLogic: numbers as people write them, rounding,
 * replacing, objects.
 */
#include "logic/logic_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 30 /* of a number, on both sides of its point */
#define ROUND_DIGITS_MAX 9

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "1 234,50", "1'234.50" with its blanks (also no-break and thin ones) and apostrophes: how many
 * bytes of such a separator begin here. */
static size_t
group_mark(const char *s)
{
	static const char *const marks[] = { " ", "'", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89",
		"\xe2\x80\x99" };

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (strncmp(s, marks[i], strlen(marks[i])) == 0)
			return strlen(marks[i]);
	return 0;
}

static const char *
minus(const char *s)
{
	return *s == '-' ? s + 1 : strncmp(s, "\xe2\x88\x92", 3) == 0 ? s + 3 : NULL;
}

/* A minus, also the typographic one, that begins the text, or stands right before or behind the
 * digits; the one of "A-B 7" does not. */
static bool
is_negative(const char *s, const char *first, const char *end)
{
	const char *before = s, *at;

	while (*s == ' ')
		s++;
	for (at = s; at < first; at++)
		if (*at != ' ' && ((unsigned char)*at & 0xc0) != 0x80)
			before = at;
	return (s < first && (minus(s) != NULL || minus(before) != NULL)) || minus(end) != NULL;
}

/* Where digits begin, with the point of ".50"; the one of "Rs.500" and "S/.20" ends a word. */
static const char *
first_of(const char *s)
{
	const char *first = s;
	bool after_word;

	while (*first != '\0' && !is_digit(*first))
		first++;
	after_word = first > s + 1 &&
	    ((first[-2] >= 'a' && first[-2] <= 'z') || (first[-2] >= 'A' && first[-2] <= 'Z') ||
		first[-2] == '/');
	return *first != '\0' && first > s && (first[-1] == ',' || first[-1] == '.') && !after_word
	    ? first - 1
	    : first;
}

/* The last of , and .; one that is there twice groups digits. NULL: there is none. */
static const char *
point_of(const char *first, const char *end)
{
	const char *point = NULL;

	for (const char *at = first; at < end; at++)
		if (*at == ',' || *at == '.')
			point = at;
	return point != NULL && memchr(first, *point, (size_t)(point - first)) != NULL ? NULL
										       : point;
}

/* The number in a text: "1,99", "EUR 1.99", "1.234,50-". */
static bool
number_in_text(const char *s, double *ret)
{
	const char *first = first_of(s), *end = first, *point;
	char plain[DIGITS_MAX + 4], *to = plain;

	for (const char *at = first; *at != '\0'; at++)
		if (is_digit(*at))
			end = at + 1;
	if (*first == '\0')
		return false;
	point = point_of(first, end);
	if (is_negative(s, first, end))
		*to++ = '-';
	for (const char *at = first; at < end; at++) {
		if (to >= plain + DIGITS_MAX + 2)
			return false;
		if (is_digit(*at))
			*to++ = *at;
		else if (at == point)
			*to++ = '.';
		else if (*at == ',' || *at == '.')
			continue;
		else if (group_mark(at) > 0)
			at += group_mark(at) - 1;
		else
			return false;
	}
	*to = '\0';
	*ret = strtod(plain, NULL);
	return true;
}

static struct cell
fn_number(struct logic_run *run, const struct cell *cell)
{
	double number;

	if (cell->tag == CELL_NUMBER || cell->tag == CELL_BIG)
		return *cell;
	if (cell->tag == CELL_JSON) {
		struct cell text = cell_element_text(run, cell);
		return text.tag == CELL_STRING ? fn_number(run, &text)
					       : (struct cell){ .tag = CELL_NULL };
	}
	if (cell->tag != CELL_STRING || !run_charge(run, strlen(cell->str) / LOGIC_TEXT_STEP) ||
	    !number_in_text(cell->str, &number))
		return (struct cell){ .tag = CELL_NULL };
	return cell_number(number);
}

/* Half away from zero, of the decimal that the double stands for: 1.005 to two digits is 1.01. */
static struct cell
fn_round(struct logic_run *run, const struct cell *x, const struct cell *digits)
{
	double number = cell_to_number(run, x), scale = 1, shifted;
	double places = digits->tag == CELL_UNDEFINED ? 0 : cell_to_number(run, digits);
	char text[40];

	if (x->tag == CELL_NULL || x->tag == CELL_UNDEFINED || !(fabs(number) < 1e15) ||
	    !(places >= 0 && places <= ROUND_DIGITS_MAX))
		return *x;
	for (int i = 0; i < (int)places; i++)
		scale *= 10;
	snprintf(text, sizeof(text), "%.15g", number * scale);
	shifted = strtod(text, NULL);
	if (!(fabs(shifted) < 1e15))
		return *x;
	return cell_number(copysign(floor(fabs(shifted) + 0.5), shifted) / scale);
}

static enum logic_result
fn_replace(struct logic_run *run, const struct cell *args, size_t count, struct cell *ret)
{
	const char *text, *from, *to, *next;
	struct buf out = { 0 };

	if (count < 3 || args[0].tag == CELL_NULL || args[0].tag == CELL_UNDEFINED) {
		*ret = count > 0 ? args[0] : (struct cell){ .tag = CELL_NULL };
		return LOGIC_OK;
	}
	text = cell_to_text(run, &args[0]);
	from = cell_to_text(run, &args[1]);
	to = cell_to_text(run, &args[2]);
	for (; from[0] != '\0' && (next = strstr(text, from)) != NULL; text = next + strlen(from)) {
		if (!run_charge(run, 1 + (strlen(to) + (size_t)(next - text)) / LOGIC_TEXT_STEP)) {
			buf_done(&out);
			return LOGIC_LIMIT;
		}
		buf_add(&out, text, (size_t)(next - text));
		buf_adds(&out, to);
	}
	buf_adds(&out, text);
	*ret = (struct cell){ .tag = CELL_STRING,
		.str = arena_strndup(run_arena(run), out.len > 0 ? out.data : "", out.len) };
	buf_done(&out);
	return LOGIC_OK;
}

static enum logic_result
fn_object(struct logic_run *run, const struct cell *args, size_t count, struct cell *ret)
{
	struct cell list;
	enum logic_result result = cell_list(run, args, count - count % 2, &list);

	if (result != LOGIC_OK)
		return result;
	for (size_t i = 0; i < list.count; i += 2) {
		struct cell *name = (struct cell *)(uintptr_t)&list.list[i];

		*name = (struct cell){ .tag = CELL_STRING, .str = cell_to_text(run, name) };
	}
	list.tag = CELL_MADE;
	*ret = list;
	return LOGIC_OK;
}

enum logic_result
logic_call_mapping(struct logic_run *run, enum logic_fn fn, const struct cell *args, size_t count,
    struct cell *ret)
{
	struct cell none = { .tag = CELL_UNDEFINED };

	switch (fn) {
	case FN_NUMBER: *ret = fn_number(run, count > 0 ? &args[0] : &none); return LOGIC_OK;
	case FN_ROUND:
		*ret = fn_round(run, count > 0 ? &args[0] : &none, count > 1 ? &args[1] : &none);
		return LOGIC_OK;
	case FN_REPLACE: return fn_replace(run, args, count, ret);
	default: CHECK(fn == FN_OBJECT); return fn_object(run, args, count, ret);
	}
}
