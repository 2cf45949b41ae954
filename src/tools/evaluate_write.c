/* SPDX-License-Identifier: Apache-2.0
 *
 * evaluate_write.c - the value of a policy that was never in force, as text and as JSON.
 */
#include "tools/evaluate.h"

#include <math.h>
#include <stdio.h>

#include "core/json_write.h"
#include "learn/distribution.h"

#define ALPHA 0.05
#define MISSED_TOLD 5

double
evaluation_half(const struct clustered *value)
{
	return value->df + 1 >= OPE_CUSTOMERS_MIN ? student_quantile(ALPHA, value->df) * value->se
						  : 0;
}

static const char *const refusals[] = {
	[OPE_SOUND] = NULL,
	[OPE_UNCOVERED] = "uncovered",
	[OPE_FEW_CUSTOMERS] = "few-customers",
	[OPE_FEW_ROWS] = "few-draws",
	[OPE_WEIGHTS_OFF] = "weights-off",
};

/* ---- JSON ---- */

/* low, high: what is added to the ends of its interval; interval: it has one. */
static void
add_value(struct json_writer *w, const char *name, const struct clustered *value, bool interval,
    double low, double high)
{
	double half = evaluation_half(value);

	json_add_object(w, name);
	json_add_double(w, "is", value->value);
	if (interval && half > 0) {
		json_add_double(w, "se", value->se);
		json_add_double(w, "low", value->value - half + low);
		json_add_double(w, "high", value->value + half + high);
	}
	json_end(w);
}

static void
add_policy(struct json_writer *w, const char *name, const struct policy *policy)
{
	json_add_object(w, name);
	json_add_str(w, "name", policy->name);
	json_add_int(w, "version", policy->version);
	json_add_str(w, "hash", policy->hash);
	json_end(w);
}

static void
add_left_out(struct json_writer *w, const struct evaluation *evaluation)
{
	json_add_object(w, "left_out");
	json_add_int(w, "not_first_of_a_visit", evaluation->uncounted);
	json_add_int(w, "further_slots", evaluation->second);
	json_add_int(w, "withheld", evaluation->withheld);
	json_add_int(w, "not_told_yet", evaluation->open);
	json_add_int(w, "not_in_these_events", evaluation->unknown);
	json_add_int(w, "slot_taken", evaluation->taken);
	json_end(w);
}

void
evaluation_json(const struct evaluation *evaluation, const struct policy *candidate,
    const struct policy *logged, struct buf *out)
{
	const struct ope *ope = &evaluation->candidate;
	struct json_writer *w = JSON_OBJECT(out);

	add_policy(w, "candidate", candidate);
	add_policy(w, "logged", logged);
	json_add_double(w, "decisions", evaluation->decisions);
	json_add_int(w, "customers", (int64_t)ope->customers);
	json_add_double(w, "covered", ope->covered);
	json_add_double(w, "n_eff", ope->n_eff);
	json_add_double(w, "mean_weight", ope->weight.value);
	if (refusals[ope->refusal] != NULL) {
		json_add_str(w, "refused",
		    evaluation->decisions > 0 ? refusals[ope->refusal] : "no-draws");
	} else {
		add_value(w, "value", &ope->dr, true, ope->low, ope->high);
		add_value(w, "logged_value", &evaluation->logged.dr, true, 0, 0);
		add_value(w, "earned", &evaluation->logged.ips, true, 0, 0);
		add_value(w, "difference", &evaluation->difference, true, ope->low, ope->high);
		add_value(w, "snips", &ope->snips, true, 0, 0);
		add_value(w, "ips", &ope->ips, ope->n_eff >= OPE_IPS_ROWS_MIN, 0, 0);
		add_value(w, "clipped", &ope->clipped, false, 0, 0);
		add_value(w, "direct", &ope->direct, false, 0, 0);
	}
	json_add_list(w, "never_drawn");
	for (size_t i = 0; i < evaluation->missed_count; i++) {
		json_add_object(w, NULL);
		json_add_str(w, "action", evaluation->missed[i].action);
		json_add_double(w, "share", evaluation->missed[i].share);
		json_end(w);
	}
	json_end(w);
	json_add_int(w, "with_untold_outcomes", evaluation->untold);
	add_left_out(w, evaluation);
	json_end_all(w);
	buf_addc(out, '\n');
}

/* ---- text ---- */

static void
say_value(struct buf *out, const char *what, const struct clustered *value, double low, double high)
{
	double half = evaluation_half(value);

	buf_addf(out, "  %-28s %9.3f   between %.3f and %.3f\n", what, value->value,
	    value->value - half + low, value->value + half + high);
}

static void
say_missed(const struct evaluation *evaluation, struct buf *out)
{
	for (size_t i = 0; i < evaluation->missed_count && i < MISSED_TOLD; i++)
		buf_addf(out, "%s %s (%.1f %%)", i > 0 ? "," : "", evaluation->missed[i].action,
		    100 * evaluation->missed[i].share);
}

static void
say_left_out(const struct evaluation *evaluation, struct buf *out)
{
	const struct {
		const char *what;
		long long count;
	} left[] = {
		{ "not a visit's first draw there", evaluation->uncounted },
		{ "of further slots", evaluation->second },
		{ "withheld", evaluation->withheld },
		{ "not told yet", evaluation->open },
		{ "of decisions that these events do not make", evaluation->unknown },
		{ "where the candidate's slot is taken", evaluation->taken },
	};
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(left); i++) {
		if (left[i].count == 0)
			continue;
		buf_addf(out, "%s%lld %s", any ? ", " : "draws left out: ", left[i].count,
		    left[i].what);
		any = true;
	}
	buf_adds(out, any ? "\n" : "");
	if (evaluation->untold > 0)
		buf_addf(out,
		    "%lld draws have actions whose outcome no till tells: they count as nothing\n",
		    evaluation->untold);
}

void
evaluation_text(const struct evaluation *evaluation, const struct policy *candidate,
    const struct policy *logged, struct buf *out)
{
	const struct ope *ope = &evaluation->candidate;
	char name[130];

	buf_addf(out, "%.0f draws of %zu customers under %s %lld; minor units a draw:\n",
	    evaluation->decisions, ope->customers, logged->name, (long long)logged->version);
	if (ope->refusal == OPE_SOUND) {
		snprintf(name, sizeof(name), "%.100s %lld", logged->name,
		    (long long)logged->version);
		say_value(out, name, &evaluation->logged.dr, 0, 0);
		snprintf(name, sizeof(name), "%.100s %lld", candidate->name,
		    (long long)candidate->version);
		say_value(out, name, &ope->dr, ope->low, ope->high);
		say_value(out, "difference", &evaluation->difference, ope->low, ope->high);
	}
	buf_addf(out, "  covered %.1f %%, worth %.0f draws of its own, mean weight %.3f\n",
	    100 * ope->covered, ope->n_eff, ope->weight.value);
	if (ope->refusal == OPE_SOUND && evaluation->missed_count > 0) {
		buf_adds(out, "  wider by what was never drawn:");
		say_missed(evaluation, out);
		buf_adds(out, "\n");
	}
	say_left_out(evaluation, out);
}

void
evaluation_refusal(const struct evaluation *evaluation, struct buf *out)
{
	const struct ope *ope = &evaluation->candidate;

	switch (ope->refusal) {
	case OPE_SOUND: break;
	case OPE_UNCOVERED:
		if (!(evaluation->decisions > 0)) {
			buf_adds(out, "no draw counts, expected some");
			break;
		}
		buf_addf(out,
		    "only %.1f %% of what the candidate would do was ever drawn, expected %.0f; "
		    "never drawn:",
		    100 * ope->covered, 100 * OPE_COVERED_MIN);
		say_missed(evaluation, out);
		break;
	case OPE_FEW_CUSTOMERS:
		buf_addf(out, "%zu customers, expected %d", ope->customers, OPE_CUSTOMERS_MIN);
		break;
	case OPE_FEW_ROWS:
		buf_addf(out,
		    "the log amounts to %.0f draws of the candidate's, expected %d: more days, or "
		    "more exploring",
		    ope->n_eff, OPE_ROWS_MIN);
		break;
	case OPE_WEIGHTS_OFF:
		buf_addf(out,
		    "the mean weight is %.3f ± %.3f, expected 1: the chances on record are not "
		    "those "
		    "that were drawn by",
		    ope->weight.value, ope->weight.se);
		break;
	}
}
