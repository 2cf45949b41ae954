/* SPDX-License-Identifier: Apache-2.0
 *
 * unicode.c - texts that mean the same, in one writing: NFC, case folding, trimming.
 *
 * DESIGN
 *   A category in another writing (a capital, a decomposed umlaut) may not slip through a list of
 *   what is sensitive. So texts are compared as Unicode's canonical caseless match has it
 *   (D145): decomposed, folded, decomposed; and then composed again, because people read it.
 *
 *   Tables of our own, because a replay must give the same bytes on every gateway, whatever its
 *   libraries: 64 KB of source made by tests/unicode_table.py. Rejected: libunistring, ICU and
 *   utf8proc, whose tables change with the system.
 *
 *   Most texts are ASCII and take none of this way.
 *
 * INVARIANTS
 *   Idempotent: the key of a key is itself.
 */
#include "core/unicode.h"

#include <stdlib.h>
#include <string.h>

struct unicode_pair {
	uint64_t from : 21, first : 21, second : 21; /* code points */
};
struct unicode_class {
	uint32_t first, last;
	uint8_t value;
};
struct unicode_fold {
	uint32_t from, to;
};
struct unicode_folds {
	uint32_t from, first, second, third;
};

#include "core/unicode_table.h"

/* Hangul syllables are computed (Unicode 3.12). */
#define S_BASE 0xac00u
#define L_BASE 0x1100u
#define V_BASE 0x1161u
#define T_BASE 0x11a7u
#define L_COUNT 19u
#define V_COUNT 21u
#define T_COUNT 28u
#define S_COUNT (L_COUNT * V_COUNT * T_COUNT)

#define MARKS_FEW 8 /* of one letter */

#define NOT_UTF8 0x80000000u /* a byte that is kept as it stands */

struct points {
	uint32_t *at;
	size_t count, room;
};

/* A row whose first member is the key; rows ascend by it. */
#define FIND(table, key) \
	bsearch(&(uint32_t){ key }, table, ARRAY_LEN(table), sizeof(*(table)), compare)

static int
compare(const void *a, const void *b)
{
	uint32_t key = *(const uint32_t *)a, row = *(const uint32_t *)b;

	return key < row ? -1 : key > row;
}

static int
compare_pair(const void *a, const void *b)
{
	uint32_t key = *(const uint32_t *)a, row = ((const struct unicode_pair *)b)->from;

	return key < row ? -1 : key > row;
}

static int
compare_class(const void *a, const void *b)
{
	uint32_t key = *(const uint32_t *)a;
	const struct unicode_class *row = b;

	return key < row->first ? -1 : key > row->last;
}

static int
compare_both(const void *a, const void *b)
{
	const struct unicode_pair *key = a, *row = &pairs[*(const uint16_t *)b];

	if (key->first != row->first)
		return key->first < row->first ? -1 : 1;
	return key->second < row->second ? -1 : key->second > row->second;
}

static int
class_of(uint32_t point)
{
	const struct unicode_class *row;

	if (point < classes[0].first)
		return 0;
	row = bsearch(&point, classes, ARRAY_LEN(classes), sizeof(*classes), compare_class);
	return row != NULL ? row->value : 0;
}

/* ---- bytes and code points ---- */

static void
push(struct points *points, uint32_t point)
{
	CHECK(points->count < points->room);
	points->at[points->count++] = point;
}

/* One code point, or one byte of what is none. */
static size_t
take(const unsigned char *text, size_t len, uint32_t *ret)
{
	size_t more = text[0] >= 0xf0 ? 3 : text[0] >= 0xe0 ? 2 : text[0] >= 0xc2 ? 1 : 0;
	uint32_t point = more == 0 ? text[0] : text[0] & (0x3fu >> more);
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };

	*ret = text[0] < 0x80 ? text[0] : NOT_UTF8 | text[0];
	if (more == 0 || more >= len)
		return 1;
	for (size_t i = 1; i <= more; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 1;
		point = point << 6 | (text[i] & 0x3fu);
	}
	if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 1;
	*ret = point;
	return more + 1;
}

static char *
put(char *out, uint32_t point)
{
	if (point < 0x80 || (point & NOT_UTF8) != 0) {
		*out++ = (char)point;
		return out;
	}
	if (point < 0x800) {
		*out++ = (char)(0xc0 | point >> 6);
	} else {
		if (point < 0x10000) {
			*out++ = (char)(0xe0 | point >> 12);
		} else {
			*out++ = (char)(0xf0 | point >> 18);
			*out++ = (char)(0x80 | (point >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (point >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (point & 0x3f));
	return out;
}

/* White space, and what is written but not seen. */
static bool
is_blank(uint32_t point)
{
	return point <= 0x20 || (point >= 0x7f && point <= 0xa0) || point == 0x1680 ||
	    (point >= 0x2000 && point <= 0x200f) || (point >= 0x2028 && point <= 0x202f) ||
	    (point >= 0x205f && point <= 0x206f) || point == 0x3000 || point == 0xfeff;
}

/* ---- decomposed, folded, composed ---- */

static void
decompose_point(struct points *out, uint32_t point)
{
	const struct unicode_pair *pair;
	uint32_t s = point - S_BASE;

	if (point >= S_BASE && s < S_COUNT) {
		push(out, L_BASE + s / (V_COUNT * T_COUNT));
		push(out, V_BASE + s % (V_COUNT * T_COUNT) / T_COUNT);
		if (s % T_COUNT != 0)
			push(out, T_BASE + s % T_COUNT);
		return;
	}
	pair = point < pairs[0].from
	    ? NULL
	    : bsearch(&point, pairs, ARRAY_LEN(pairs), sizeof(*pairs), compare_pair);
	if (pair == NULL) {
		push(out, point);
		return;
	}
	decompose_point(out, pair->first); /* at most three deep */
	if (pair->second != 0)
		push(out, pair->second);
}

/* A few marks, as a letter has them. */
static void
insert_marks(uint32_t *at, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		uint32_t point = at[i];
		int class = class_of(point);
		size_t to = i;

		for (; to > 0 && class_of(at[to - 1]) > class; to--)
			at[to] = at[to - 1];
		at[to] = point;
	}
}

/* A heap of them, as only a mistake or malice has it: counted, in two passes. */
static void
count_marks(uint32_t *at, size_t count, uint32_t *scratch)
{
	size_t place[UINT8_MAX + 2] = { 0 };

	for (size_t i = 0; i < count; i++)
		place[class_of(at[i]) + 1]++;
	for (size_t i = 1; i < ARRAY_LEN(place); i++)
		place[i] += place[i - 1];
	for (size_t i = 0; i < count; i++)
		scratch[place[class_of(at[i])]++] = at[i];
	memcpy(at, scratch, count * sizeof(*at));
}

/* Marks behind a letter ascend by their class; those of one class keep their order. */
static void
order_marks(struct points *points, struct points *scratch)
{
	size_t end;

	for (size_t i = 0; i < points->count; i = end + 1) {
		end = i;
		while (end < points->count && class_of(points->at[end]) != 0)
			end++;
		if (end - i <= MARKS_FEW)
			insert_marks(points->at + i, end - i);
		else
			count_marks(points->at + i, end - i, scratch->at);
	}
}

/* from is used up. */
static void
decompose(struct points *from, struct points *out)
{
	out->count = 0;
	for (size_t i = 0; i < from->count; i++)
		decompose_point(out, from->at[i]);
	order_marks(out, from);
}

static void
fold(const struct points *from, struct points *out)
{
	out->count = 0;
	for (size_t i = 0; i < from->count; i++) {
		const struct unicode_fold *one = FIND(folds, from->at[i]);
		const struct unicode_folds *more =
		    one == NULL ? FIND(long_folds, from->at[i]) : NULL;

		if (more == NULL)
			push(out, one != NULL ? one->to : from->at[i]);
		if (more != NULL) {
			push(out, more->first);
			push(out, more->second);
		}
		if (more != NULL && more->third != 0)
			push(out, more->third);
	}
}

/* What the two are together; 0: they stay two. */
static uint32_t
composed(uint32_t first, uint32_t second)
{
	const struct unicode_pair key = { 0, first, second };
	const uint16_t *both;

	if (first >= L_BASE && first < L_BASE + L_COUNT && second >= V_BASE &&
	    second < V_BASE + V_COUNT)
		return S_BASE + ((first - L_BASE) * V_COUNT + (second - V_BASE)) * T_COUNT;
	if (first >= S_BASE && first < S_BASE + S_COUNT && (first - S_BASE) % T_COUNT == 0 &&
	    second > T_BASE && second < T_BASE + T_COUNT)
		return first + (second - T_BASE);
	both = bsearch(&key, boths, ARRAY_LEN(boths), sizeof(*boths), compare_both);
	return both != NULL ? pairs[*both].from : 0;
}

/* Unicode 3.11, D117: a mark joins the letter before it unless one of its class or above stands
 * between them. */
static void
compose(struct points *points)
{
	size_t starter = SIZE_MAX, count = 0;
	int last = 0;

	for (size_t i = 0; i < points->count; i++) {
		uint32_t point = points->at[i];
		int class = class_of(point);
		bool near =
		    starter != SIZE_MAX && (count == starter + 1 || (last != 0 && last < class));
		uint32_t both = near ? composed(points->at[starter], point) : 0;

		if (both != 0) {
			points->at[starter] = both;
			continue;
		}
		if (class == 0)
			starter = count;
		last = class;
		points->at[count++] = point;
	}
	points->count = count;
}

/* ---- what is asked for ---- */

static const char *
write_points(struct arena *arena, const struct points *points, struct points *scratch, bool path)
{
	char *out = (char *)scratch->at, *end = out, *kept = out;
	bool behind_slash = true;

	for (size_t i = 0; i < points->count; i++) {
		uint32_t point = points->at[i];

		if (path && point == '/') {
			end = kept; /* without the white space before it */
			if (!behind_slash)
				kept = end = put(end, point);
			behind_slash = true;
		} else if (!is_blank(point)) {
			kept = end = put(end, point);
			behind_slash = false;
		} else if (!behind_slash) {
			end = put(end, point);
		}
	}
	if (path && kept > out && kept[-1] == '/')
		kept--;
	return arena_strndup(arena, out, (size_t)(kept - out));
}

/* Is there nothing to do? (A slash at an end or doubled is looked at, whatever it is.) */
static bool
is_plain(const char *text, bool fold_case)
{
	for (const char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at >= 0x7f || (unsigned char)*at <= 0x20 ||
		    (fold_case && *at >= 'A' && *at <= 'Z') ||
		    (*at == '/' && (at == text || at[1] == '/' || at[1] == '\0')))
			return false;
	}
	return true;
}

/* a has its code points, b has the same room. The work is done outside the arena: it is sixteen times
 * the text, and a turn has many texts. */
static const char *
normal_points(struct arena *arena, struct points *a, struct points *b, bool fold_case, bool path)
{
	decompose(a, b);
	if (fold_case) {
		fold(b, a);
		decompose(a, b);
	}
	compose(b);
	return write_points(arena, b, a, path);
}

static const char *
normal(struct arena *arena, const char *text, bool fold_case, bool path)
{
	size_t len = text != NULL ? strlen(text) : 0, room = 4 * len + 16;
	struct points a = { .room = room }, b = { .room = room };
	const char *out;
	uint32_t seen = 0;

	if (text == NULL || is_plain(text, fold_case))
		return text;
	a.at = mem_alloc(room * sizeof(*a.at));
	b.at = mem_alloc(room * sizeof(*b.at));
	for (size_t at = 0; at < len;) {
		uint32_t point;

		at += take((const unsigned char *)text + at, len - at, &point);
		seen |= point;
		push(&a, fold_case && point >= 'A' && point <= 'Z' ? point | 0x20 : point);
	}
	out = seen < 0x80 ? write_points(arena, &a, &b, path)
			  : normal_points(arena, &a, &b, fold_case, path);
	free(a.at);
	free(b.at);
	return out;
}

const char *
unicode_nfc(struct arena *arena, const char *text)
{
	return normal(arena, text, false, false);
}

const char *
unicode_key(struct arena *arena, const char *text)
{
	return normal(arena, text, true, false);
}

const char *
unicode_path_key(struct arena *arena, const char *path)
{
	return normal(arena, path, true, true);
}
