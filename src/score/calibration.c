/* SPDX-License-Identifier: Apache-2.0
 *
 * calibration.c - from a margin to the chance that HQ measured for it.
 */
#include <float.h>
#include <stdlib.h>

#include "core/fmath.h"
#include "score/model_impl.h"

static bool
is_finite(double x)
{
	return x - x == 0;
}

bool
calibration_valid(const struct calibration *calibration)
{
	switch (calibration->kind) {
	case CALIBRATION_NONE: return true;
	case CALIBRATION_PLATT: return is_finite(calibration->a) && is_finite(calibration->b);
	case CALIBRATION_ISOTONIC: break;
	default: return false;
	}
	for (size_t i = 0; i < calibration->count; i++) {
		double margin = calibration->margins[i], p = calibration->ps[i];
		if (!is_finite(margin) || !(p >= 0 && p <= 1))
			return false;
		if (i > 0 && (margin <= calibration->margins[i - 1] || p < calibration->ps[i - 1]))
			return false;
	}
	return calibration->count > 0;
}

void
calibration_done(struct calibration *calibration)
{
	if (calibration->kind == CALIBRATION_ISOTONIC) {
		free((double *)calibration->margins);
		free((double *)calibration->ps);
	}
	*calibration = (struct calibration){ .kind = CALIBRATION_NONE };
}

/* Linear between the points, flat outside of them. */
static double
isotonic(const struct calibration *calibration, double margin)
{
	const double *margins = calibration->margins, *ps = calibration->ps;
	size_t low = 0, high = calibration->count - 1;
	if (!(margin > margins[low]))
		return ps[low];
	if (margin >= margins[high])
		return ps[high];
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (margins[middle] <= margin)
			low = middle;
		else
			high = middle;
	}
	double part = (margin - margins[low]) / (margins[high] - margins[low]);
	/* The distance of two finite numbers need not be finite; the least numbers have no halves. */
	if (margins[high] - margins[low] > DBL_MAX)
		part = (margin / 2 - margins[low] / 2) / (margins[high] / 2 - margins[low] / 2);
	double p = ps[low] + part * (ps[high] - ps[low]);
	return p < ps[high] ? p : ps[high]; /* rounding may not make a later point fall */
}

double
calibration_apply(const struct calibration *calibration, double margin)
{
	if (calibration->kind == CALIBRATION_PLATT)
		return 1 / (1 + fmath_exp(-(calibration->a * margin + calibration->b)));
	return isotonic(calibration, margin);
}
