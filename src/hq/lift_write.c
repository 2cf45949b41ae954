/* SPDX-License-Identifier: Apache-2.0
 *
 * lift_write.c - what may be said of each experiment: in a sentence, as JSON, as CSV.
 */
#include "hq/lift_report.h"

#include <math.h>
#include <stdio.h>

#include "core/csv.h"
#include "core/when.h"

static const char *const cap_names[LIFT_CAPS] = { "none", "99.9 %", "99 %" };

void
lift_money_text(const struct lift_money *money, double minor, char out[static 40])
{
	double scale = 1;
	int digits = money->currency[0] != '\0' ? money->digits : 1;

	for (int i = 0; i < money->digits && money->currency[0] != '\0'; i++)
		scale *= 10;
	/* −0.00 is 0.00 */
	if (fabs(minor / scale) < 0.5 / (scale > 1 ? scale : 10))
		minor = 0;
	snprintf(out, 40, "%.*f %s", digits, minor / scale,
	    money->currency[0] != '\0' ? money->currency : "minor units");
}

static const struct lift_look *
last_look(const struct lift_comparison *comparison)
{
	return comparison->look_count > 0 ? &comparison->looks[comparison->look_count - 1] : NULL;
}

/* ---- a sentence ---- */

static void
say_told(const struct lift_comparison *comparison, const struct lift_money *money, struct buf *out)
{
	const struct lift_look *look = last_look(comparison);
	char lift[40], low[40], high[40];

	CHECK(look != NULL);
	lift_money_text(money, look->per_week, lift);
	lift_money_text(money, look->low, low);
	lift_money_text(money, look->high, high);
	buf_addf(out, "“%s” against “%s”: %s of %s per customer and week, between %s and %s. ",
	    comparison->arms[1].name, comparison->arms[0].name, lift,
	    comparison->margin ? "margin" : "takings", low, high);
	if (look->low <= 0 && look->high >= 0)
		buf_adds(out, "No difference at all is within that, too. ");
	if (!look->fixed)
		buf_addf(out, "This is week %d of %d; the interval holds at every look.",
		    look->week, comparison->plan.weeks);
	else
		buf_addf(out, "All %d weeks are over; this interval is for one look.",
		    comparison->plan.weeks);
}

static void
say_cannot(const struct lift_comparison *comparison, const struct lift_money *money,
    struct buf *out)
{
	const struct lift_look *look = last_look(comparison);
	char effect[40], smallest[40];

	CHECK(look != NULL);
	lift_money_text(money, comparison->plan.effect, effect);
	buf_addf(out, "%s cannot tell%s: the interval is wider than the planned effect of %s. ",
	    comparison->stores == 1 ? "This store alone" : "These stores alone",
	    look->fixed ? "" : " yet", effect);
	if (!(comparison->smallest > 0)) {
		buf_adds(out, "After four weeks this page says what it would take.");
		return;
	}
	lift_money_text(money, comparison->smallest, smallest);
	buf_addf(out, "By the end of %d weeks so many customers show %s three times in four",
	    comparison->plan.weeks, smallest);
	if (comparison->times <= 1) {
		buf_adds(out, ", which is enough for the planned effect.");
		return;
	}
	buf_addf(out, "; the planned effect takes %.0f times as many%s", comparison->times,
	    comparison->weeks_needed > 0 ? "" : ", for no number of weeks is enough here.");
	if (comparison->weeks_needed > 0)
		buf_addf(out, ", or %.0f weeks.", comparison->weeks_needed);
}

void
lift_sentence(const struct lift_comparison *comparison, const struct lift_money *money,
    struct buf *out)
{
	switch (comparison->silence) {
	case LIFT_TOLD: say_told(comparison, money, out); break;
	case LIFT_CANNOT_TELL: say_cannot(comparison, money, out); break;
	case LIFT_NO_EFFECT:
		buf_adds(out,
		    "No planned effect is declared: without one nothing says how narrow an "
		    "interval must be.");
		break;
	case LIFT_NO_WEEK: buf_adds(out, "The first week is not over."); break;
	case LIFT_FEW:
		buf_addf(out,
		    "An arm has under %d customers, or all of them are alike: no interval.",
		    LIFT_CUSTOMERS_MIN);
		break;
	case LIFT_TAIL:
		buf_adds(out,
		    "A few customers decide the difference even where a week counts at most its "
		    "99 % quantile: no interval.");
		break;
	case LIFT_SHARES:
		buf_adds(out,
		    "The arms are not of the sizes that were drawn: something lets customers of "
		    "one arm be missed. No lift until that is found.");
		break;
	default: CHECK(false);
	}
}

/* ---- JSON ---- */

static void
write_look(struct json_writer *w, const struct lift_look *look)
{
	json_add_object(w, NULL);
	json_add_int(w, "week", look->week);
	json_add_double(w, "difference", look->diff);
	json_add_double(w, "se", look->se);
	json_add_double(w, "df", look->df);
	json_add_double(w, "per_week", look->per_week);
	json_add_double(w, "low", look->low);
	json_add_double(w, "high", look->high);
	if (look->other_low < look->other_high) {
		json_add_double(w, "other_stores_low", look->other_low);
		json_add_double(w, "other_stores_high", look->other_high);
	}
	json_add_int(w, "strata", (int64_t)look->strata);
	json_add_str(w, "interval", look->fixed ? "fixed" : "sequence");
	json_end(w);
}

static void
write_arms(struct json_writer *w, const struct lift_comparison *comparison)
{
	json_add_list(w, "arms");
	for (int i = 0; i < 2; i++) {
		const struct lift_arm *arm = &comparison->arms[i];

		json_add_object(w, NULL);
		json_add_str(w, "arm", arm->name);
		json_add_double(w, "customers", arm->customers);
		json_add_double(w, "per_customer", arm->per_customer);
		json_add_double(w, "per_customer_before", arm->before);
		json_end(w);
	}
	json_end(w);
}

static void
write_comparison(struct json_writer *w, const struct lift_comparison *comparison,
    const struct lift_money *money)
{
	struct buf sentence = { 0 };

	lift_sentence(comparison, money, &sentence);
	json_add_object(w, NULL);
	json_add_str(w, "experiment", comparison->plan.experiment);
	if (comparison->plan.ring != NULL)
		json_add_str(w, "ring", comparison->plan.ring);
	json_add_str(w, "says", lift_silence_names[comparison->silence]);
	json_add_str(w, "sentence", sentence.data);
	json_add_str(w, "of", comparison->margin ? "margin" : "takings");
	json_add_when(w, "start", comparison->plan.start_ms);
	json_add_int(w, "weeks_planned", comparison->plan.weeks);
	json_add_double(w, "effect_planned", comparison->plan.effect);
	json_add_double(w, "alpha", comparison->plan.alpha);
	write_arms(w, comparison);
	json_add_int(w, "stores", (int64_t)comparison->stores);
	json_add_object(w, "left_out");
	json_add_int(w, "two_cards_one_person", comparison->mixed);
	json_add_int(w, "in_two_arms", comparison->two_arms);
	json_add_int(w, "in_no_arm", comparison->no_arm);
	json_add_int(w, "visits_of_strangers", comparison->strangers);
	json_end(w);
	if (comparison->has_bayes)
		json_add_double(w, "sample_ratio_ln_b", comparison->log_bayes);
	json_add_str(w, "cap", cap_names[comparison->cap]);
	json_add_double(w, "cap_minor", comparison->cap_minor);
	json_add_double(w, "cap_cuts", comparison->cut);
	json_add_double(w, "skew", comparison->skew);
	json_add_double(w, "theta", comparison->theta);
	json_add_double(w, "smallest_effect", comparison->smallest);
	json_add_double(w, "times_these_stores", comparison->times);
	json_add_double(w, "weeks_needed", comparison->weeks_needed);
	json_add_list(w, "looks");
	for (size_t i = 0; i < comparison->look_count; i++)
		write_look(w, &comparison->looks[i]);
	json_end(w);
	json_end(w);
	buf_done(&sentence);
}

void
lift_report_json(const struct lift_report *report, const struct lift_money *money,
    struct json_writer *w)
{
	json_add_str(w, "currency", money->currency);
	json_add_int(w, "sales", report->sales);
	json_add_int(w, "unread", report->unread);
	json_opt_when(w, "last_sale", report->last_ms);
	json_add_list(w, "comparisons");
	for (size_t i = 0; i < report->count; i++)
		write_comparison(w, &report->comparisons[i], money);
	json_end(w);
}

/* ---- CSV ---- */

static void
cell(struct buf *out, const char *text)
{
	csv_add(out, text);
	buf_addc(out, ',');
}

void
lift_report_csv(const struct lift_report *report, struct buf *out)
{
	buf_adds(out,
	    "experiment,arm,against,of,says,week,weeks_planned,effect_planned,customers,"
	    "customers_against,difference,se,df,per_week,low,high,interval,alpha,cap,cap_cuts,"
	    "ring\r\n");
	for (size_t i = 0; i < report->count; i++) {
		const struct lift_comparison *comparison = &report->comparisons[i];

		for (size_t l = 0; l < comparison->look_count; l++) {
			const struct lift_look *look = &comparison->looks[l];

			cell(out, comparison->plan.experiment);
			cell(out, comparison->arms[1].name);
			cell(out, comparison->arms[0].name);
			buf_addf(out, "%s,%s,%d,%d,%.17g,%.0f,%.0f,",
			    comparison->margin ? "margin" : "takings",
			    lift_silence_names[comparison->silence], look->week,
			    comparison->plan.weeks, comparison->plan.effect,
			    comparison->arms[1].customers, comparison->arms[0].customers);
			buf_addf(out, "%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%s,%.17g,%s,%.17g,",
			    look->diff, look->se, look->df, look->per_week, look->low, look->high,
			    look->fixed ? "fixed" : "sequence", comparison->plan.alpha,
			    cap_names[comparison->cap], comparison->cut);
			csv_add(out, comparison->plan.ring != NULL ? comparison->plan.ring : "");
			buf_adds(out, "\r\n");
		}
	}
}
