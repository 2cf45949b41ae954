/* SPDX-License-Identifier: Apache-2.0
 *
 * report_page.c - lift as one HTML file: sentences, tables, and a plot of each interval by week.
 *
 * DESIGN
 *   No script and nothing from anywhere: it opens from a stick, prints, and is
 *   the same in ten years. A plot shows the interval at each look and the
 *   planned effect as its height beside zero; the difference itself is drawn
 *   only where it is told.
 */
#include "tools/report_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/when.h"

#define WIDTH 640.0
#define HEIGHT 240.0
#define LEFT 60.0
#define RIGHT 14.0
#define TOP 12.0
#define BOTTOM 34.0

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<title>What it brought</title>\n<style>\n"
    ":root{--ink:#1b1f24;--paper:#fff;--soft:#5d6670;--line:#d4d9de;--band:#9cc3e6;--mark:#0b5394;"
    "--plan:#b45309}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--paper:#15181b;--soft:#a5adb5;"
    "--line:#3b4249;--band:#274b6b;--mark:#8ec5f5;--plan:#f0b060}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:44rem;margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin:2.2rem 0 "
    ".3rem}h3{font-size:1rem;margin:1.2rem 0 0}.says{font-size:1.1rem}\n"
    "table{border-collapse:collapse;width:100%;margin:.8rem 0}"
    "th,td{text-align:right;padding:.25rem .5rem;border-bottom:1px solid var(--line)}"
    "td{white-space:nowrap}"
    "th:first-child,td:first-child{text-align:left;white-space:normal}\n"
    "svg{width:100%;height:auto;margin:.4rem 0}svg text{font-size:12px;fill:var(--soft)}"
    ".band{fill:var(--band)}.mark{stroke:var(--mark);fill:none;stroke-width:2}"
    ".zero{stroke:var(--ink)}.plan{stroke:var(--plan);stroke-dasharray:5 4}\n"
    ".small{color:var(--soft);font-size:.88rem}\n"
    "@media print{body{margin:0}h2{break-after:avoid}svg,table{break-inside:avoid}}\n"
    "</style>\n</head>\n<body>\n<h1>What it brought</h1>\n";

static const char foot[] =
    "<h2>What this rests on</h2>\n<p class=\"small\">Each customer is one row, in the arm that a "
    "keyed hash gives; who stayed away counts 0. What a customer brought in the eight weeks before "
    "is "
    "taken into account, the same way for all arms. Before the planned end the interval is wide "
    "enough "
    "to be looked at each week; at the end a narrower one is looked at once. A difference is told "
    "only "
    "where its interval is narrower than the planned effect to either "
    "side.</p>\n</body>\n</html>\n";

void
page_text(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '<': buf_adds(out, "&lt;"); break;
		case '>': buf_adds(out, "&gt;"); break;
		case '&': buf_adds(out, "&amp;"); break;
		case '"': buf_adds(out, "&quot;"); break;
		default: buf_addc(out, *text);
		}
}

void
page_money(struct buf *out, const struct lift_money *money, double minor)
{
	char text[40];

	lift_money_text(money, minor, text);
	page_text(out, text);
}

/* ---- the plot ---- */

struct scale {
	double low, high; /* money */
	double weeks;
};

static double
x_of(const struct scale *scale, double week)
{
	return LEFT +
	    (WIDTH - LEFT - RIGHT) * (week - 1) / (scale->weeks > 1 ? scale->weeks - 1 : 1);
}

static double
y_of(const struct scale *scale, double money)
{
	double at = (scale->high - money) / (scale->high - scale->low);

	at = at < 0 ? 0 : at > 1 ? 1 : at;
	return TOP + (HEIGHT - TOP - BOTTOM) * at;
}

/* The first looks are wide as a barn: what is beyond thrice the last is cut off. */
static struct scale
scale_of(const struct lift_comparison *comparison)
{
	const struct lift_look *last = &comparison->looks[comparison->look_count - 1];
	double room = 3 * (last->high - last->low) / 2 + fabs(last->per_week);
	struct scale scale = { -room, room, comparison->plan.weeks };

	if (scale.high < comparison->plan.effect * 1.2)
		scale.high = comparison->plan.effect * 1.2;
	if (scale.low > -comparison->plan.effect * 0.4)
		scale.low = -comparison->plan.effect * 0.4;
	return scale;
}

static void
add_level(struct buf *out, const struct scale *scale, const struct lift_money *money, double level,
    const char *class)
{
	double y = y_of(scale, level);
	char text[40];

	buf_addf(out, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", class,
	    LEFT, WIDTH - RIGHT, y, y);
	buf_addf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 6, y + 4);
	lift_money_text(money, level, text);
	text[strcspn(text, " ")] = '\0';
	buf_adds(out, text);
	buf_adds(out, "</text>");
}

static void
add_band(struct buf *out, const struct scale *scale, const struct lift_comparison *comparison)
{
	size_t count = comparison->look_count;

	if (count == 1) {
		const struct lift_look *one = &comparison->looks[0];

		buf_addf(out,
		    "<rect class=\"band\" x=\"%.1f\" y=\"%.1f\" width=\"6\" height=\"%.1f\"/>",
		    x_of(scale, one->week) - 3, y_of(scale, one->high),
		    y_of(scale, one->low) - y_of(scale, one->high));
		return;
	}
	buf_adds(out, "<polygon class=\"band\" points=\"");
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%.1f,%.1f ", x_of(scale, comparison->looks[i].week),
		    y_of(scale, comparison->looks[i].high));
	for (size_t i = count; i-- > 0;)
		buf_addf(out, "%.1f,%.1f ", x_of(scale, comparison->looks[i].week),
		    y_of(scale, comparison->looks[i].low));
	buf_adds(out, "\"/>");
	if (comparison->silence != LIFT_TOLD)
		return;
	buf_adds(out, "<polyline class=\"mark\" points=\"");
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%.1f,%.1f ", x_of(scale, comparison->looks[i].week),
		    y_of(scale, comparison->looks[i].per_week));
	buf_adds(out, "\"/>");
}

static void
add_plot(struct buf *out, const struct lift_comparison *comparison, const struct lift_money *money)
{
	struct scale scale = scale_of(comparison);
	int step = comparison->plan.weeks > 26 ? 8 : comparison->plan.weeks > 12 ? 4 : 1;

	buf_addf(out,
	    "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"Interval of the difference "
	    "per customer and week, at the end of each week\">",
	    WIDTH, HEIGHT);
	add_band(out, &scale, comparison);
	add_level(out, &scale, money, 0, "zero");
	add_level(out, &scale, money, comparison->plan.effect, "plan");
	for (int week = 1; week <= comparison->plan.weeks; week += step)
		buf_addf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%d</text>",
		    x_of(&scale, week), HEIGHT - 16, week);
	buf_addf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">week</text></svg>\n",
	    WIDTH - RIGHT, HEIGHT - 2);
}

/* ---- the rest ---- */

static void
add_arms(struct buf *out, const struct lift_comparison *comparison, const struct lift_money *money)
{
	const char *what = comparison->margin ? "margin" : "takings";

	buf_addf(out,
	    "<table><tr><th>arm</th><th>customers</th><th>%s each since the start</th><th>in the "
	    "%d "
	    "weeks before</th></tr>",
	    what, SALES_WEEKS_BEFORE);
	for (int i = 1; i >= 0; i--) {
		const struct lift_arm *arm = &comparison->arms[i];

		buf_adds(out, "<tr><td>");
		page_text(out, arm->name);
		buf_addf(out, "</td><td>%.0f</td><td>", arm->customers);
		page_money(out, money, arm->per_customer);
		buf_adds(out, "</td><td>");
		page_money(out, money, arm->before);
		buf_adds(out, "</td></tr>");
	}
	buf_adds(out, "</table>\n");
}

static void
add_small(struct buf *out, const struct lift_comparison *comparison, const struct lift_money *money)
{
	static const char *const caps[LIFT_CAPS] = { NULL, "99.9", "99" };
	const struct lift_look *look =
	    comparison->look_count > 0 ? &comparison->looks[comparison->look_count - 1] : NULL;

	buf_addf(out, "<p class=\"small\">%zu store%s. ", comparison->stores,
	    comparison->stores == 1 ? "" : "s");
	if (comparison->has_bayes)
		buf_addf(out,
		    "Sizes of the arms against those declared: ln B %.2f, alarm from %.2f. ",
		    comparison->log_bayes, LIFT_MISMATCH);
	else
		buf_adds(out,
		    "Whether the arms are of the declared sizes is not known (--bundle). ");
	if (look != NULL && comparison->cap > 0) {
		buf_adds(out, "A customer's week counts at most ");
		page_money(out, money, comparison->cap_minor);
		buf_addf(out, " (the %s %% quantile of the weeks before), which cuts %.1f %%. ",
		    caps[comparison->cap], 100 * comparison->cut);
	} else if (look != NULL) {
		buf_adds(out, "No amount was capped. ");
	}
	if (look != NULL)
		buf_addf(out, "Confidence %.3g %%. ", 100 * (1 - comparison->plan.alpha));
	if (comparison->silence == LIFT_TOLD && look != NULL &&
	    look->other_low < look->other_high) {
		buf_adds(out, "For other stores like these: between ");
		page_money(out, money, look->other_low);
		buf_adds(out, " and ");
		page_money(out, money, look->other_high);
		buf_adds(out, ". ");
	}
	buf_addf(out,
	    "Left out: %lld customers of two cards, %lld who were in two arms, %lld in none; %lld "
	    "visits of strangers.</p>\n",
	    comparison->mixed, comparison->two_arms, comparison->no_arm, comparison->strangers);
}

static void
add_comparison(struct buf *out, const struct lift_comparison *comparison,
    const struct lift_money *money)
{
	struct buf sentence = { 0 };
	char start[WHEN_TEXT_SIZE];

	when_text(comparison->plan.start_ms, start);
	buf_adds(out, "<h2>");
	page_text(out, comparison->plan.experiment);
	if (comparison->plan.ring != NULL) {
		buf_adds(out, ", ring ");
		page_text(out, comparison->plan.ring);
	}
	buf_addf(out, "</h2>\n<p class=\"small\">From %.10s, %d weeks planned; planned effect ",
	    start, comparison->plan.weeks);
	page_money(out, money, comparison->plan.effect);
	buf_adds(out, " per customer and week.</p>\n<p class=\"says\">");
	lift_sentence(comparison, money, &sentence);
	page_text(out, sentence.data);
	buf_adds(out, "</p>\n");
	buf_done(&sentence);
	if (comparison->look_count > 0)
		add_plot(out, comparison, money);
	if (comparison->arms[0].customers > 0)
		add_arms(out, comparison, money);
	add_small(out, comparison, money);
}

/* ---- what was promised ---- */

static void
add_calibrated(struct buf *out, const struct calibrated *one)
{
	double half = promised_half(&one->ratio);

	buf_adds(out, "<tr><td>");
	page_text(out, one->of);
	buf_addf(out, "</td><td>%.0f</td><td>%.1f</td><td>%.0f</td><td>", one->cards, one->promised,
	    one->came);
	if (half > 0)
		buf_addf(out, "%.2f (%.2f to %.2f)", one->ratio.value, one->ratio.value - half,
		    one->ratio.value + half);
	else
		buf_adds(out, "under 100 customers");
	buf_adds(out, "</td></tr>\n");
}

static void
add_promised(struct buf *out, const struct promised *promised, const struct lift_money *money)
{
	buf_adds(out, "<h2>Promised, and what came</h2>\n");
	if (promised->decisions > 0) {
		buf_addf(out,
		    "<p>Of %.0f decisions for %.0f customers, each whose draw could have gone "
		    "otherwise: shown cards promised ",
		    promised->decisions, promised->customers);
		page_money(out, money, promised->gain.promised.value);
		buf_adds(out, " of gain a decision and brought ");
		page_interval(out, &promised->gain.realised, PROMISED_ALPHA, money);
		buf_adds(out, ". The difference is ");
		page_interval(out, &promised->gain.difference, PROMISED_ALPHA, money);
		buf_adds(out, ".</p>\n");
	} else {
		buf_adds(out,
		    "<p>No decision's draw could have gone otherwise: what would have come without "
		    "the cards is not known.</p>\n");
	}
	buf_adds(out,
	    "<table><tr><th>cards drawn and shown</th><th>cards</th><th>outcomes promised</th>"
	    "<th>came</th><th>came of promised</th></tr>\n");
	for (size_t i = 0; i < promised->calibrated_count; i++)
		add_calibrated(out, &promised->calibrated[i]);
	buf_addf(out,
	    "</table>\n<p class=\"small\">Of this bundle's decisions only; %lld records of others, "
	    "and %lld decisions that could not have gone otherwise, are left out. A chance is "
	    "right "
	    "where 1 lies in the interval.</p>\n",
	    promised->others, promised->certain);
}

void
report_page(const struct report *report, struct buf *out)
{
	const struct lift_report *lift = &report->lift;
	char last[WHEN_TEXT_SIZE];

	buf_adds(out, head);
	when_text(lift->last_ms, last);
	if (lift->last_ms > 0)
		buf_addf(out, "<p class=\"small\">Sales until %.10s %.5s UTC.</p>\n", last,
		    last + 11);
	for (size_t i = 0; i < lift->count; i++)
		add_comparison(out, &lift->comparisons[i], &report->money);
	if (lift->count == 0)
		buf_adds(out, "<p>There is nothing to compare.</p>\n");
	page_figures(out, &report->figures, &report->money);
	if (report->has_promised) {
		add_promised(out, &report->promised, &report->money);
		page_earned(out, &report->promised, &report->money);
	}
	if (report->drifting.now_ms > 0)
		page_drifting(out, &report->drifting);
	if (report->notes.len > 0) {
		buf_adds(out,
		    "<h2>Not told</h2>\n<p class=\"small\" style=\"white-space:pre-line\">");
		page_text(out, report->notes.data);
		buf_adds(out, "</p>\n");
	}
	buf_adds(out, foot);
}
