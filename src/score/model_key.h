/* SPDX-License-Identifier: Apache-2.0
 *
 * model_key.h - numbers of a row as models compare them.
 *
 * DESIGN
 *   Numbers as unsigned integers in the same order: 0 is below all, the largest (NaN)
 *   above all, and -0 is 0. So a comparison costs a cycle, means the same on every
 *   machine, and knows no modes (ARMv7's vectors take denormals for zero).
 */
#ifndef AISLE_SCORE_MODEL_KEY_H
#define AISLE_SCORE_MODEL_KEY_H

#include <string.h>

#include "score/model_impl.h"

static inline uint32_t
key_float(float x)
{
	uint32_t bits;
	x += 0.0f;
	memcpy(&bits, &x, sizeof(bits));
	return (bits ^ (-(bits >> 31) | UINT32_C(1) << 31)) | -(uint32_t)(x != x);
}

static inline uint64_t
key_double(double x)
{
	uint64_t bits;
	x += 0.0;
	memcpy(&bits, &x, sizeof(bits));
	return (bits ^ (-(bits >> 63) | UINT64_C(1) << 63)) | -(uint64_t)(x != x);
}

#define KEY_ZERO (UINT64_C(1) << 63)	/* of the double 0 */
#define MODEL_ZERO_MAX ((double)1e-35f) /* LightGBM's kZeroThreshold: what is this small is zero */

/* Of a float32 model, without a branch but for bools: rows miss values at random. UINT32_MAX
 * where there is no number. -0 may stay: it lies beside 0, and no threshold lies between. */
static inline uint32_t
key_value(const struct value *value)
{
	const uint32_t lowest = key_float(-__builtin_inff()), highest = key_float(__builtin_inff());
	uint32_t bits, key = -(uint32_t)(value->tag != VALUE_NUMBER);
	float x = (float)value->number; /* whatever it is, where the tag says no */
	memcpy(&bits, &x, sizeof(bits));
	key |= bits ^ (-(bits >> 31) | UINT32_C(1) << 31);
	if (__builtin_expect(value->tag == VALUE_BOOL, 0))
		key = key_float(value->truth);
	/* A NaN lies outside, at either end. */
	return key - lowest <= highest - lowest ? key : UINT32_MAX;
}

/* The same of a double model, for a column of this kind. */
static inline uint64_t
key_value_wide(enum fill fill, const struct value *value)
{
	static const uint64_t missing_keys[FILL_COUNT] = { UINT64_MAX, 0, KEY_ZERO, 0, UINT64_MAX };
	static const uint64_t zero_keys[FILL_COUNT] = { KEY_ZERO, KEY_ZERO, KEY_ZERO, 0,
		UINT64_MAX };
	double x = value->number;
	uint64_t bits;
	if (__builtin_expect(value->tag == VALUE_BOOL, 0))
		x = value->truth;
	memcpy(&bits, &x, sizeof(bits));
	bool missing = (value->tag != VALUE_NUMBER && value->tag != VALUE_BOOL) | (x != x);
	bits ^= -(bits >> 63) | KEY_ZERO;
	bits = ((x >= -MODEL_ZERO_MAX) & (x <= MODEL_ZERO_MAX)) != 0 ? zero_keys[fill] : bits;
	return missing ? missing_keys[fill] : bits;
}

/* An input as its origin reads it; NaN: missing. */
static inline double
model_number(const struct model *model, const struct value *value)
{
	double x = __builtin_nan("");
	if (value->tag == VALUE_NUMBER)
		x = value->number;
	else if (value->tag == VALUE_BOOL)
		x = value->truth;
	if (model->float32)
		return (double)(float)x;
	/* So LightGBM's own prediction reads a row. */
	return x >= -MODEL_ZERO_MAX && x <= MODEL_ZERO_MAX ? 0 : x;
}

static inline double
model_filled(enum fill fill, double x)
{
	bool zero = x >= -MODEL_ZERO_MAX && x <= MODEL_ZERO_MAX;
	switch (fill) {
	case FILL_LEFT: return x != x ? -__builtin_inf() : x;
	case FILL_ZERO: return x != x ? 0 : x;
	case FILL_ZERO_LEFT: return x != x || zero ? -__builtin_inf() : x;
	case FILL_ZERO_RIGHT: return x != x || zero ? __builtin_nan("") : x;
	default: return x;
	}
}

#endif
