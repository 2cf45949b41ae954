/* SPDX-License-Identifier: Apache-2.0
 *
 * report_parts.c - the page's tables: what happened in each arm; what cards earned.
 */
#include "tools/report_internal.h"

#include <math.h>

#include "core/when.h"

void
page_interval(struct buf *out, const struct clustered *value, double alpha,
    const struct lift_money *money)
{
	double half = promised_half_at(value, alpha);

	page_money(out, money, value->value);
	if (!(half > 0)) {
		buf_adds(out, ", too few customers for an interval");
		return;
	}
	buf_adds(out, " (");
	page_money(out, money, value->value - half);
	buf_adds(out, " to ");
	page_money(out, money, value->value + half);
	buf_addc(out, ')');
}

/* ---- what cards earned ---- */

static void
add_earned(struct buf *out, const struct earned *one, const struct lift_money *money)
{
	buf_adds(out, "<tr><td>");
	page_text(out, one->of);
	buf_addf(out, "</td><td>%.0f</td><td>%.0f</td><td>%.0f</td><td>", one->decisions,
	    one->shown, one->redeemed);
	page_money(out, money, one->amount);
	buf_adds(out, "</td><td>");
	page_money(out, money, one->gain.promised.value);
	buf_adds(out, "</td><td>");
	page_interval(out, &one->gain.realised, one->alpha, money);
	buf_adds(out, "</td></tr>\n");
}

void
page_earned(struct buf *out, const struct promised *promised, const struct lift_money *money)
{
	static const char *const titles[EARNED_BY_COUNT] = { "By action", "By group",
		"By who pays for it", "By ring of stores" };

	for (size_t i = 0; i < promised->earned_count; i++) {
		const struct earned *one = &promised->earned[i];
		bool first = i == 0 || promised->earned[i - 1].by != one->by,
		     last =
			 i + 1 == promised->earned_count || promised->earned[i + 1].by != one->by;

		if (first)
			buf_addf(out,
			    "<h2>%s</h2>\n<table><tr><th></th><th>decisions</th><th>shown</th>"
			    "<th>redeemed</th><th>taken off</th><th>gain promised a decision</th>"
			    "<th>and brought</th></tr>\n",
			    titles[one->by]);
		add_earned(out, one, money);
		if (last)
			buf_adds(out, "</table>\n");
	}
	if (promised->earned_count > 0)
		buf_adds(out,
		    "<p class=\"small\">Decisions are those that had such a card on their "
		    "shortlist. What it brought is told by the draw, of those who saw it and those "
		    "who might have: no arm leaves out one action alone. All intervals of a table "
		    "hold together nineteen times in twenty.</p>\n");
}

/* ---- what happened ---- */

static void
add_value(struct buf *out, const struct figure_kind *kind, double value,
    const struct lift_money *money)
{
	if (kind->money)
		page_money(out, money, value);
	else
		buf_addf(out, fabs(value) < 100 ? "%.3g" : "%.0f", value);
}

static void
add_figure(struct buf *out, const struct figures *figures, size_t cut, enum figure figure,
    const struct lift_money *money)
{
	const struct figure_kind *kind = &figure_kinds[figure];
	const struct clustered *told = &figures->cuts[cut].told[figure];
	double half = figures_half(told), difference, se;

	buf_adds(out, "<tr><td>");
	page_text(out, kind->words);
	if (figure == FIGURE_SATISFACTION) {
		buf_adds(out, " (");
		page_text(out, figures->kind);
		buf_addc(out, ')');
	}
	buf_adds(out, "</td><td>");
	add_value(out, kind, told->value, money);
	buf_adds(out, "</td><td>");
	if (half > 0) {
		add_value(out, kind, told->value - half, money);
		buf_adds(out, " to ");
		add_value(out, kind, told->value + half, money);
	} else {
		buf_adds(out, "too few customers");
	}
	buf_adds(out, "</td><td>");
	if (figures_difference(figures, cut, figure, &difference, &se, &half)) {
		buf_adds(out, fabs(difference) > half ? "<b>" : "");
		add_value(out, kind, difference - half, money);
		buf_adds(out, " to ");
		add_value(out, kind, difference + half, money);
		buf_adds(out, fabs(difference) > half ? "</b>" : "");
	}
	buf_adds(out, "</td></tr>\n");
}

static void
add_cut(struct buf *out, const struct figures *figures, size_t c, const struct lift_money *money)
{
	const struct figures_cut *cut = &figures->cuts[c];

	buf_adds(out, "<h3>");
	page_text(out, cut->by);
	buf_adds(out, ": ");
	page_text(out, cut->of);
	buf_addf(out, "</h3>\n<table><tr><th>of %.0f visits</th><th></th><th>between</th><th>",
	    cut->sums[SUM_VISITS]);
	if (cut->against >= 0) {
		buf_adds(out, "more than “");
		page_text(out, figures->cuts[cut->against].of);
		buf_adds(out, "”");
	}
	buf_adds(out, "</th></tr>\n");
	for (int f = 0; f < FIGURE_COUNT; f++)
		if (cut->has[f])
			add_figure(out, figures, c, (enum figure)f, money);
	buf_adds(out, "</table>\n");
}

void
page_figures(struct buf *out, const struct figures *figures, const struct lift_money *money)
{
	buf_adds(out, "<h2>What happened</h2>\n");
	for (size_t c = 0; c < figures->cut_count; c++)
		if (figures->cuts[c].sums[SUM_VISITS] > 0)
			add_cut(out, figures, c, money);
	buf_adds(out,
	    "<p class=\"small\">Of visits that were paid. Each interval holds nineteen times in "
	    "twenty by itself: of twenty differences one stands out by chance. Those without 0 "
	    "are bold. Cards belong to the arm of their visit; who is in the control group sees "
	    "none.</p>\n");
}

/* ---- drift ---- */

static void
add_drift(struct buf *out, const struct drifting_series *one)
{
	buf_adds(out, "<tr><td>");
	page_text(out, one->of);
	buf_addf(out, "</td><td>%lld</td><td>%lld</td><td>%.3f</td><td>%s</td></tr>\n",
	    (long long)one->base, (long long)one->now, one->drift.corrected,
	    drift_verdict_names[one->drift.verdict]);
}

void
page_drifting(struct buf *out, const struct drifting *drifting)
{
	char week[WHEN_TEXT_SIZE];
	size_t few = 0, alike = 0;

	when_text(drifting->now_ms, week);
	buf_addf(out,
	    "<h2>Are they still the customers that the models know?</h2>\n<table><tr><th>the week "
	    "from %.10s</th><th>before</th><th>now</th><th>index</th><th></th></tr>\n",
	    week);
	for (size_t i = 0; i < drifting->series_count; i++) {
		const struct drifting_series *one = &drifting->series[i];

		few += one->bins > 0 && one->drift.verdict == DRIFT_TOO_FEW;
		alike += one->bins > 0 && one->drift.verdict == DRIFT_NONE;
		if (one->drift.verdict == DRIFT_WATCH || one->drift.verdict == DRIFT_ALARM)
			add_drift(out, one);
	}
	buf_addf(out,
	    "</table>\n<p class=\"small\">Against the bundle’s first %d weeks. %zu features and "
	    "scores are as they were, of %zu too few customers say anything. The index is of "
	    "population stability, without what so few show by chance.</p>\n",
	    DRIFTING_BASE_WEEKS, alike, few);
}
