/* SPDX-License-Identifier: Apache-2.0
 *
 * report_parts.c - the page's tables of what cards earned, one below another for each way of telling them apart.
 */
#include "tools/report_internal.h"

#include <string.h>

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
