/* SPDX-License-Identifier: Apache-2.0
 *
 * simulate_page.c - simulated days as one HTML file: margin with its interval, who was spoken to, what never speaks.
 */
#include "tools/simulate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "learn/distribution.h"
#include "tools/report_internal.h"

#define WIDTH 640.0
#define ROW 34.0
#define LEFT 150.0
#define RIGHT 16.0
#define SIDE 320.0
#define STEPS 100
#define NEVER_TOLD 40

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<title>Simulated days</title>\n<style>\n"
    ":root{--ink:#1b1f24;--paper:#fff;--soft:#5d6670;--line:#d4d9de;--band:#9cc3e6;--mark:#0b5394}"
    "\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--paper:#15181b;--soft:#a5adb5;"
    "--line:#3b4249;--band:#274b6b;--mark:#8ec5f5}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:60rem;margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin:2.2rem 0 .3rem}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;margin:.8rem 0}"
    "th,td{text-align:right;padding:.25rem .5rem;border-bottom:1px solid "
    "var(--line)}td{white-space:"
    "nowrap}"
    "th:first-child,td:first-child{text-align:left}\n"
    "svg{max-width:100%;height:auto;margin:.4rem 0}svg text{font-size:12px;fill:var(--soft)}"
    ".band{fill:var(--band)}.mark{stroke:var(--mark);fill:none;stroke-width:2}.zero{stroke:"
    "var(--soft)}\n"
    ".small{color:var(--soft);font-size:.88rem}\n"
    "@media print{body{margin:0}h2{break-after:avoid}svg,table{break-inside:avoid}}\n"
    "</style>\n</head>\n<body>\n<h1>Simulated days</h1>\n";

static const char foot[] =
    "<h2>What this rests on</h2>\n<p class=\"small\">Baskets, customers and times are those of the "
    "recording; each policy saw the same. What customers do about a card is drawn from the chances "
    "that are stated, for the same visit and action alike under every policy. Margin is after "
    "discounts, and more than without any card. Intervals are of customers like these, 95 %. Gini: "
    "0, "
    "all known customers got as many cards; near 1, few got all.</p>\n</body>\n</html>\n";

static double
half_of(const struct clustered *value)
{
	return value->df > 0 ? student_quantile(0.05, value->df) * value->se : 0;
}

static void
add_name(struct buf *out, const struct simulated *policy)
{
	page_text(out, policy->name);
	buf_addf(out, " %lld", (long long)policy->version);
}

static void
add_cell(struct buf *out, const struct simulation *simulation, double minor)
{
	buf_adds(out, "<td>");
	page_money(out, &simulation->money, minor);
	buf_adds(out, "</td>");
}

static void
add_row(struct buf *out, const struct simulation *simulation, const struct simulated *policy,
    bool first)
{
	double n = (double)policy->customers;

	buf_adds(out, "<tr><td>");
	add_name(out, policy);
	buf_adds(out, "</td>");
	add_cell(out, simulation, policy->total);
	buf_adds(out, "<td>");
	if (!first) {
		page_money(out, &simulation->money,
		    n * (policy->difference.value - half_of(&policy->difference)));
		buf_adds(out, " to ");
		page_money(out, &simulation->money,
		    n * (policy->difference.value + half_of(&policy->difference)));
	}
	buf_adds(out, "</td>");
	add_cell(out, simulation, n * policy->promised.value);
	add_cell(out, simulation, policy->discount);
	buf_addf(out,
	    "<td>%.0f</td><td>%.2f</td><td>%.2f</td><td>%.1f %%</td><td>%zu of %zu</td></tr>\n",
	    policy->cards, policy->per_customer, policy->gini, 100 * policy->unserved,
	    policy->silent, policy->outcome.action_count);
}

static void
add_table(struct buf *out, const struct simulation *simulation)
{
	buf_adds(out,
	    "<div class=\"wide\"><table><tr><th>Policy</th><th>Margin after discounts</th><th>less "
	    "the first</th><th>promised</th><th>Discounts</th><th>Cards</th><th>a known "
	    "customer</th><th>Gini</th><th>Unserved</th><th>Never speak</th></tr>\n");
	for (size_t p = 0; p < simulation->policy_count; p++)
		add_row(out, simulation, &simulation->policies[p], p == 0);
	buf_adds(out, "</table></div>\n");
}

/* ---- margins beside each other ---- */

static double
x_of(double value, double low, double high)
{
	return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low);
}

static void
add_margins(struct buf *out, const struct simulation *simulation)
{
	double low = 0, high = 0, height = ROW * (double)simulation->policy_count + 24;

	for (size_t p = 0; p < simulation->policy_count; p++) {
		const struct simulated *policy = &simulation->policies[p];
		double half = (double)policy->customers * half_of(&policy->margin);

		low = fmin(low, policy->total - half);
		high = fmax(high, policy->total + half);
	}
	if (!(high > low))
		high = low + 1;
	buf_addf(out, "<svg viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" role=\"img\">", WIDTH, height,
	    WIDTH);
	buf_addf(out,
	    "<line class=\"zero\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%.1f\"/><text x=\"%.1f\" "
	    "y=\"%.1f\" text-anchor=\"middle\">0</text>",
	    x_of(0, low, high), x_of(0, low, high), height - 18, x_of(0, low, high), height - 4);
	for (size_t p = 0; p < simulation->policy_count; p++) {
		const struct simulated *policy = &simulation->policies[p];
		double half = (double)policy->customers * half_of(&policy->margin);
		double y = ROW * (double)p + 6, from = x_of(policy->total - half, low, high),
		       to = x_of(policy->total + half, low, high);

		buf_addf(out, "<text x=\"0\" y=\"%.1f\">", y + 15);
		add_name(out, policy);
		buf_addf(out,
		    "</text><rect class=\"band\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
		    "height=\"20\"/><line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" "
		    "y2=\"%.1f\"/>",
		    from, y, to - from, x_of(policy->total, low, high),
		    x_of(policy->total, low, high), y, y + 20);
	}
	buf_adds(out, "</svg>\n");
}

/* ---- attention ---- */

static int
by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The share of cards that the least spoken to got, from none of them to all. */
static void
add_lorenz(struct buf *out, const struct simulated *policy)
{
	const struct simulate_outcome *outcome = &policy->outcome;
	double *cards = mem_calloc(outcome->person_count + 1, sizeof(*cards)), sum = 0, upto = 0;
	size_t count = 0, at = 0;

	for (size_t i = 0; i < outcome->person_count; i++) {
		if (outcome->people[i].known) {
			cards[count++] = outcome->people[i].shown;
			sum += outcome->people[i].shown;
		}
	}
	if (count > 1)
		qsort(cards, count, sizeof(*cards), by_number);
	buf_adds(out, "<polyline class=\"mark\" points=\"");
	for (int step = 0; step <= STEPS; step++) {
		size_t want = count * (size_t)step / STEPS;

		while (at < want)
			upto += cards[at++];
		buf_addf(out, "%.1f,%.1f ", SIDE * step / STEPS,
		    SIDE - (sum > 0 ? SIDE * upto / sum : 0));
	}
	buf_adds(out, "\"/>");
	free(cards);
}

static void
add_attention(struct buf *out, const struct simulation *simulation)
{
	buf_adds(out,
	    "<h2>Attention</h2>\n<p class=\"small\">Known customers from the least spoken to "
	    "to the most, and the share of all cards that they got. On the straight line all "
	    "get as many.</p>\n");
	for (size_t p = 0; p < simulation->policy_count; p++) {
		const struct simulated *policy = &simulation->policies[p];

		buf_adds(out, "<h3>");
		add_name(out, policy);
		buf_addf(out,
		    "</h3><svg viewBox=\"-1 -1 %.0f %.0f\" width=\"%.0f\" role=\"img\"><line "
		    "class=\"zero\" x1=\"0\" y1=\"%.0f\" x2=\"%.0f\" y2=\"0\"/>",
		    SIDE + 2, SIDE + 2, SIDE, SIDE, SIDE);
		add_lorenz(out, policy);
		buf_addf(out, "<text x=\"8\" y=\"18\">Gini %.2f</text></svg>\n", policy->gini);
	}
}

/* ---- actions ---- */

static void
add_spoken(struct buf *out, const struct simulation *simulation, const struct simulated *policy)
{
	const struct simulate_outcome *outcome = &policy->outcome;
	size_t never = 0;

	buf_adds(out, "<h2>");
	add_name(out, policy);
	buf_adds(out,
	    "</h2>\n<div class=\"wide\"><table><tr><th>Action</th><th>Cards</th>"
	    "<th>Came</th><th>Margin</th><th>Discounts</th></tr>\n");
	for (size_t i = 0; i < outcome->action_count; i++) {
		const struct simulate_spoken *action = &outcome->actions[i];

		if (!(action->shown > 0))
			continue;
		buf_adds(out, "<tr><td>");
		page_text(out, action->name);
		buf_addf(out, "</td><td>%.0f</td><td>%.0f</td>", action->shown, action->came);
		add_cell(out, simulation, action->earned);
		add_cell(out, simulation, action->discount);
		buf_adds(out, "</tr>\n");
	}
	buf_adds(out, "</table></div>\n");
	if (policy->silent == 0)
		return;
	buf_addf(out, "<p>%zu never speak:", policy->silent);
	for (size_t i = 0; i < outcome->action_count && never < NEVER_TOLD; i++) {
		if (outcome->actions[i].shown > 0)
			continue;
		buf_adds(out, never++ > 0 ? ", " : " ");
		page_text(out, outcome->actions[i].name);
	}
	buf_adds(out, policy->silent > NEVER_TOLD ? ", …</p>\n" : "</p>\n");
}

static void
add_customers(struct buf *out, const struct simulate_model *model)
{
	buf_addf(out,
	    "<h2>The customers</h2>\n<p class=\"small\">%zu actions have chances of their own; of "
	    "others %.2f of the promised difference is so. Tastes differ by %.2f, each card seen "
	    "takes "
	    "%.2f off the next (on the logit scale), half of that in %.1f days; %.0f %% of those "
	    "who do "
	    "not want a card say so.</p>\n",
	    model->action_count, model->lambda, model->spread, model->weariness,
	    model->half_life_ms / (double)D_MS, 100 * model->dismiss);
}

void
simulation_page(const struct simulation *simulation, struct buf *out)
{
	const struct simulated *first = &simulation->policies[0];

	buf_adds(out, head);
	buf_addf(out,
	    "<p>%zu stores, %.0f days, %.0f visits, %zu known customers; seed %lld.</p>\n",
	    simulation->store_count, simulation->days, first->outcome.visits, first->known,
	    (long long)simulation->seed);
	add_table(out, simulation);
	add_margins(out, simulation);
	add_customers(out, &simulation->model);
	add_attention(out, simulation);
	for (size_t p = 0; p < simulation->policy_count; p++)
		add_spoken(out, simulation, &simulation->policies[p]);
	buf_adds(out, foot);
}
