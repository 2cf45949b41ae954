/* SPDX-License-Identifier: Apache-2.0
 *
 * mask_digits.c - runs of digits that may be the number of a card.
 */
#include "core/mask_digits.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define RUN_MIN 12
#define GROUPS_MAX 10
#define HASH_MAX 64

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The subject of a customer, a digest: 32, 40 or 64 hex digits with a letter among them. */
static bool
in_a_hash(const char *text, const char *end, const char *at)
{
	const char *from = at, *to = at;
	bool letter = false;

	while (from > text && at - from <= HASH_MAX &&
	    (is_digit(from[-1]) || (from[-1] >= 'a' && from[-1] <= 'f')))
		from--;
	for (; to < end && to - at <= HASH_MAX && (is_digit(*to) || (*to >= 'a' && *to <= 'f'));
	     to++)
		letter = letter || !is_digit(*to);
	for (const char *p = from; p < at; p++)
		letter = letter || !is_digit(*p);
	return letter && (to - from == 32 || to - from == 40 || to - from == 64);
}

/* Digits in three groups and more: all of one length but for the last, or 4-6-5 as some cards have
 * it. Two are the day and the number of a basket. */
static bool
grouped_like_a_card(const size_t *group, size_t count)
{
	if (count == 3 && group[0] == 4 && group[1] == 6 && (group[2] == 4 || group[2] == 5))
		return true;
	for (size_t i = 1; i + 1 < count; i++) {
		if (group[i] != group[0])
			return false;
	}
	return count >= 3 && group[0] >= 2 && group[0] <= 6 && group[count - 1] <= group[0] + 3;
}

static size_t
separator(const char *at, const char *end)
{
	if (at < end && (*at == ' ' || *at == '-'))
		return 1;
	return end - at >= 2 && at[0] == '\xc2' && at[1] == '\xa0' ? 2 : 0; /* no-break space */
}

char *
mask_digits(const char *text, const char *end, char *at)
{
	size_t group[GROUPS_MAX], count = 0, total = 0, first;
	char *p = at, *first_end = at;

	while (count < GROUPS_MAX) {
		char *from = p;
		size_t skip;

		while (p < end && is_digit(*p))
			p++;
		group[count++] = (size_t)(p - from);
		total += (size_t)(p - from);
		if (count == 1)
			first_end = p;
		skip = separator(p, end);
		if (skip == 0 || p + skip >= end || !is_digit(p[skip]) || *p != *first_end)
			break;
		p += skip;
	}
	first = group[0];
	if (first >= RUN_MIN) {
		if (!in_a_hash(text, end, at))
			memset(at, '*', (size_t)(first_end - at));
		return first_end;
	}
	if (total >= RUN_MIN && grouped_like_a_card(group, count)) {
		for (char *q = at; q < p; q++) {
			if (is_digit(*q))
				*q = '*';
		}
		return p;
	}
	return first_end;
}
