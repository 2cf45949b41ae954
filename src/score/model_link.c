/* SPDX-License-Identifier: Apache-2.0
 *
 * model_link.c - from margins to what the model means: chances, classes, amounts.
 */
#include "core/fmath.h"
#include "score/model_impl.h"

/* XGBoost's own form: 88.7 keeps exp finite, 1e-16 keeps the quotient below 1. */
static float
logistic_float(float x)
{
	float power = -x < 88.7f ? -x : 88.7f;
	return 1.0f / (1.0f + fmath_expf(power) + 1e-16f);
}

static void
softmax(const struct model *model, double *margins)
{
	double largest = margins[0], sum = 0;
	for (uint32_t i = 1; i < model->class_count; i++)
		if (margins[i] > largest)
			largest = margins[i];
	for (uint32_t i = 0; i < model->class_count; i++) {
		double x = margins[i] - largest;
		margins[i] = model->float32 ? (double)fmath_expf((float)x) : fmath_exp(x);
		sum += margins[i];
	}
	for (uint32_t i = 0; i < model->class_count; i++)
		margins[i] =
		    model->float32 ? (double)((float)margins[i] / (float)sum) : margins[i] / sum;
}

static double
argmax(const struct model *model, const double *margins)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < model->class_count; i++)
		if (margins[i] > margins[best])
			best = i;
	return best;
}

/* log(1 + e) without losing a small e: what the rounded sum is too large or small by is divided
 * out. */
static double
log1p_exp(double x)
{
	double e = fmath_exp(x), sum = 1 + e;
	if (sum == 1)
		return e;
	return sum > 1e300 ? x : fmath_log(sum) * (e / (sum - 1));
}

static double
link_one(const struct model *model, double x)
{
	switch (model->link) {
	case LINK_LOGISTIC:
		return model->float32 ? (double)logistic_float((float)x)
				      : 1 / (1 + fmath_exp(-(model->link_a * x)));
	case LINK_EXP: return model->float32 ? (double)fmath_expf((float)x) : fmath_exp(x);
	case LINK_SIGN: return x > 0;
	case LINK_SQUARE: return x < 0 ? -(x * x) : x * x;
	case LINK_LOG1P_EXP: return log1p_exp(x);
	default: return x;
	}
}

void
model_link(const struct model *model, double *margins)
{
	for (uint32_t i = 0; i < model->class_count; i++)
		margins[i] /= model->divisor;
	if (model->link == LINK_SOFTMAX) {
		softmax(model, margins);
	} else if (model->link == LINK_ARGMAX) {
		margins[0] = argmax(model, margins);
	} else {
		for (uint32_t i = 0; i < model->class_count; i++)
			margins[i] = link_one(model, margins[i]);
	}
}

double
model_score_of(const struct model *model, double margin)
{
	CHECK(model->class_count == 1);
	if (model->calibration.kind != CALIBRATION_NONE)
		return calibration_apply(&model->calibration, margin / model->divisor);
	model_link(model, &margin);
	return margin;
}

double
model_score(const struct model *model, const struct value *inputs)
{
	double margin;
	CHECK(model->class_count == 1);
	model_margin(model, inputs, &margin);
	return model_score_of(model, margin);
}
