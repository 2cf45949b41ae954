/* SPDX-License-Identifier: Apache-2.0
 *
 * random_fixture.h - the same random visits and subjects each time: a seed, printed when it fails.
 */
#ifndef AISLE_TESTS_RANDOM_FIXTURE_H
#define AISLE_TESTS_RANDOM_FIXTURE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nouns/codec.h"

struct dice {
	uint64_t state;
};

/* splitmix64 */
static inline uint64_t
dice_next(struct dice *dice)
{
	uint64_t z = (dice->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint64_t
dice_below(struct dice *dice, uint64_t n)
{
	return dice_next(dice) % n;
}

static inline void
dice_text(struct dice *dice, char *out, size_t size)
{
	static const char letters[] = "abc/-\"\\\xc3\xa4 \n";
	size_t len = dice_below(dice, size);

	for (size_t i = 0; i < len; i++)
		out[i] = letters[dice_below(dice, sizeof(letters) - 1)];
	out[len] = '\0';
}

static inline char *
dice_str(struct dice *dice)
{
	char text[40];

	if (dice_below(dice, 4) == 0)
		return NULL;
	dice_text(dice, text, sizeof(text));
	return strdup(text);
}

/* Any value that its table allows in every field of a zeroed object. */
static inline void
dice_fields(struct dice *dice, const struct field *fields, size_t field_count, void *object)
{
	for (size_t i = 0; i < field_count; i++) {
		char *p = (char *)object + fields[i].offset;
		int64_t wide = (int64_t)(dice_next(dice) >> dice_below(dice, 64));
		double real = (double)wide / 7.0;
		char *str;
		int n;

		switch (fields[i].kind) {
		case FIELD_BOOL: *(bool *)p = dice_below(dice, 2) == 1; break;
		case FIELD_ENUM:
			n = (int)dice_below(dice, (uint64_t)fields[i].limit);
			memcpy(p, &n, sizeof(n));
			break;
		case FIELD_INT:
			n = (int)dice_below(dice, INT32_MAX);
			memcpy(p, &n, sizeof(n));
			break;
		case FIELD_I64:
			if (dice_below(dice, 2) == 1)
				wide = -wide;
			memcpy(p, &wide, sizeof(wide));
			break;
		case FIELD_F64: memcpy(p, &real, sizeof(real)); break;
		case FIELD_ID:
			for (int b = 0; b < 16; b++)
				p[b] = (char)dice_next(dice);
			break;
		case FIELD_STR:
			str = dice_str(dice);
			memcpy(p, &str, sizeof(str));
			break;
		case FIELD_TEXT: dice_text(dice, p, (size_t)fields[i].limit); break;
		}
	}
}

#endif
