/* SPDX-License-Identifier: Apache-2.0
 *
 * figures_write.c - figures of arms and rings told: as JSON, as CSV; and what differs between two arms.
 */
#include "hq/figures.h"

#include <math.h>

#include "hq/figure_csv.h"
#include "learn/distribution.h"

double
figures_half(const struct clustered *value)
{
	return value->df + 1 >= FIGURES_CUSTOMERS_MIN
	    ? student_quantile(FIGURES_ALPHA, value->df) * value->se
	    : 0;
}

bool
figures_difference(const struct figures *figures, size_t cut, enum figure figure,
    double *ret_difference, double *ret_se, double *ret_half)
{
	const struct figures_cut *mine = &figures->cuts[cut], *other;
	const struct clustered *a, *b;
	double va, vb;

	if (mine->against < 0)
		return false;
	other = &figures->cuts[mine->against];
	a = &mine->told[figure];
	b = &other->told[figure];
	if (!mine->has[figure] || !other->has[figure] || !(figures_half(a) > 0) ||
	    !(figures_half(b) > 0))
		return false;
	va = a->se * a->se;
	vb = b->se * b->se;
	*ret_difference = a->value - b->value;
	*ret_se = sqrt(va + vb);
	/* Welch's degrees of freedom */
	*ret_half = *ret_se *
	    student_quantile(FIGURES_ALPHA,
		(va + vb) * (va + vb) / (va * va / a->df + vb * vb / b->df));
	return true;
}

static void
write_interval(struct json_writer *w, double value, double se, double half)
{
	json_add_double(w, "is", value);
	json_add_double(w, "se", se);
	if (half > 0) {
		json_add_double(w, "low", value - half);
		json_add_double(w, "high", value + half);
	}
}

static void
write_figure(const struct figures *figures, size_t c, enum figure figure, struct json_writer *w)
{
	const struct clustered *told = &figures->cuts[c].told[figure];
	double difference, se, half;

	json_add_object(w, figure_kinds[figure].name);
	write_interval(w, told->value, told->se, figures_half(told));
	if (figures_difference(figures, c, figure, &difference, &se, &half)) {
		json_add_object(w, "difference");
		write_interval(w, difference, se, half);
		json_end(w);
	}
	json_end(w);
}

void
figures_json(const struct figures *figures, struct json_writer *w)
{
	json_add_list(w, "figures");
	for (size_t c = 0; c < figures->cut_count; c++) {
		const struct figures_cut *cut = &figures->cuts[c];

		json_add_object(w, NULL);
		json_add_str(w, "by", cut->by);
		json_add_str(w, "of", cut->of);
		if (cut->against >= 0)
			json_add_str(w, "against", figures->cuts[cut->against].of);
		json_add_when(w, "since", cut->since_ms);
		json_add_double(w, "visits", cut->sums[SUM_VISITS]);
		json_add_double(w, "customers", cut->n);
		if (cut->has[FIGURE_SATISFACTION])
			json_add_str(w, "survey", figures->kind);
		for (int f = 0; f < FIGURE_COUNT; f++)
			if (cut->has[f])
				write_figure(figures, c, (enum figure)f, w);
		json_end(w);
	}
	json_end(w);
}

void
figures_csv(const struct figures *figures, struct buf *out)
{
	for (size_t c = 0; c < figures->cut_count; c++) {
		const struct figures_cut *cut = &figures->cuts[c];

		figure_csv(out, cut->by, cut->of, "visits", cut->sums[SUM_VISITS]);
		figure_csv(out, cut->by, cut->of, "customers", cut->n);
		for (int f = 0; f < FIGURE_COUNT; f++)
			if (cut->has[f])
				figure_csv_value(out, cut->by, cut->of, figure_kinds[f].name,
				    cut->told[f].value, cut->told[f].se,
				    figures_half(&cut->told[f]));
	}
}
