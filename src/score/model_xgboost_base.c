/* SPDX-License-Identifier: Apache-2.0
 *
 * model_xgboost_base.c - where the sums of an XGBoost model start: base_score through the link.
 *
 * DESIGN
 *   base_score is a mean, the sum starts at the link of it, worked out in float32:
 *   -logf(1/b - 1) or logf(b). A margin has XGBoost's bits only if this has them,
 *   and logf is not rounded correctly: the C library's is off by one unit for
 *   one float in 5,000, always the same ones. So this is its logf: sixteen intervals
 *   and a polynomial in double, rounded once, which is the same on every machine.
 *   Compared with glibc 2.36's for every positive float: no difference.
 *
 *   A newer C library may round correctly. Then a model whose base_score is one
 *   of those floats starts one unit off, and its exam says so.
 */
#include <stdlib.h>
#include <string.h>

#include "score/model_xgboost.h"

#define LN2 0x1.62e42fefa39efp-1
#define INTERVALS_BEGIN UINT32_C(0x3f330000) /* 0.699…: from here to twice as much */
#define LOGIT_EDGE 1e-6f		     /* XGBoost's kRtEps */

/* 1/c and log(c) of a point c in each interval: the numbers of logf in Arm's Optimized Routines,
 * which the C library has from there (Copyright (c) 2017-2018, Arm Limited; MIT). */
static const struct {
	double inverse, log;
} intervals[16] = {
	{ 0x1.661ec79f8f3bep+0, -0x1.57bf7808caadep-2 },
	{ 0x1.571ed4aaf883dp+0, -0x1.2bef0a7c06ddbp-2 },
	{ 0x1.49539f0f010bp+0, -0x1.01eae7f513a67p-2 },
	{ 0x1.3c995b0b80385p+0, -0x1.b31d8a68224e9p-3 },
	{ 0x1.30d190c8864a5p+0, -0x1.6574f0ac07758p-3 },
	{ 0x1.25e227b0b8eap+0, -0x1.1aa2bc79c81p-3 },
	{ 0x1.1bb4a4a1a343fp+0, -0x1.a4e76ce8c0e5ep-4 },
	{ 0x1.12358f08ae5bap+0, -0x1.1973c5a611cccp-4 },
	{ 0x1.0953f419900a7p+0, -0x1.252f438e10c1ep-5 },
	{ 0x1p+0, 0x0p+0 },
	{ 0x1.e608cfd9a47acp-1, 0x1.aa5aa5df25984p-5 },
	{ 0x1.ca4b31f026aap-1, 0x1.c5e53aa362eb4p-4 },
	{ 0x1.b2036576afce6p-1, 0x1.526e57720db08p-3 },
	{ 0x1.9c2d163a1aa2dp-1, 0x1.bc2860d22477p-3 },
	{ 0x1.886e6037841edp-1, 0x1.1058bc8a07ee1p-2 },
	{ 0x1.767dcf5534862p-1, 0x1.4043057b6ee09p-2 },
};

float
xgboost_logf(float x)
{
	uint32_t bits;
	int32_t exponent = 0;
	CHECK(x > 0 && x - x == 0);
	if (x < 0x1p-126f) {
		x *= 0x1p23f;
		exponent = -23;
	}
	memcpy(&bits, &x, sizeof(bits));
	/* x = 2^exponent z with z in the intervals; the four bits below the exponent say in which. */
	uint32_t above = bits - INTERVALS_BEGIN;
	size_t interval = above >> 19 & 15;
	exponent += (int32_t)(above & UINT32_C(0xff800000)) / (1 << 23);
	bits -= above & UINT32_C(0xff800000);
	memcpy(&x, &bits, sizeof(x));

	double r = (double)x * intervals[interval].inverse - 1;
	double start = intervals[interval].log + exponent * LN2;
	double square = r * r;
	double y = 0x1.5575b0be00b6ap-2 * r - 0x1.ffffef20a4123p-2;
	y = -0x1.00ea348b88334p-2 * square + y;
	return (float)(y * square + (start + r));
}

/* Since 3.1 0 and 1 are chances too (labels that are all the same), and held off the edges. */
static int
logit(const struct xgb *x, float mean, float *ret)
{
	bool holds = x->version.at[0] > 3 || (x->version.at[0] == 3 && x->version.at[1] >= 1);
	if (!(holds ? mean >= 0 && mean <= 1 : mean > 0 && mean < 1))
		return AISLE_E_INVALID;
	if (holds && mean < LOGIT_EDGE)
		mean = LOGIT_EDGE;
	if (holds && mean > 1.0f - LOGIT_EDGE)
		mean = 1.0f - LOGIT_EDGE;
	float odds = 1.0f / mean - 1.0f;
	/* The float before 1 and denormals have odds, but none that XGBoost could sum from. */
	if (!(odds > 0) || odds - odds != 0)
		return AISLE_E_INVALID;
	*ret = -xgboost_logf(odds);
	return 0;
}

static int
margin_of(const struct xgb *x, float mean, enum base_link link, double *ret)
{
	float margin = mean;
	int r = 0;
	if (mean - mean != 0)
		return builder_refuse(&x->b, "base_score %.100s is not a finite number",
		    x->base_score);
	if (link == BASE_LOGIT)
		r = logit(x, mean, &margin);
	else if (link == BASE_LOG && mean > 0)
		margin = xgboost_logf(mean);
	else if (link == BASE_LOG)
		r = AISLE_E_INVALID;
	if (r < 0)
		return builder_refuse(&x->b,
		    "base_score %.100s is outside of the objective's range", x->base_score);
	*ret = (double)margin;
	return 0;
}

static int
no_number(const struct xgb *x)
{
	return builder_refuse(&x->b, "base_score %.100s, expected a number or one for each class",
	    x->base_score);
}

/* "5E-1", since 3.1 "[5E-1]" or one for each output. */
int
xgboost_base(struct xgb *x, enum base_link link)
{
	struct model *model = x->b.model;
	const char *at = x->base_score[0] != '\0' ? x->base_score : "0.5";
	uint32_t count = 0;
	bool list = *at == '[';
	/* Digits only: strtof would take hexadecimal and names as well. */
	if (strspn(at, "[]+-.0123456789eE, ") != strlen(at))
		return no_number(x);
	for (at += list; *at != '\0' && *at != ']'; at += *at == ',') {
		char *end;
		float mean = strtof(at, &end);
		if (end == at || count == model->class_count)
			return no_number(x);
		if (margin_of(x, mean, link, &model->base[count]) < 0)
			return AISLE_E_INVALID;
		count++;
		at = end + strspn(end, " ");
		if (*at != ',' && *at != ']' && *at != '\0')
			return no_number(x);
	}
	if (list != (*at == ']') || (list && at[1] != '\0') ||
	    (count != 1 && count != model->class_count))
		return no_number(x);
	for (uint32_t i = 1; count == 1 && i < model->class_count; i++)
		model->base[i] = model->base[0];
	return 0;
}
