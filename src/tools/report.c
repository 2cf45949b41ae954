/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c - lift of each experiment over all stores.
 *
 * DESIGN
 *   What an experiment is comes from the policy: its arms, their shares, its
 *   plan. With the policy's salts headquarters draws again whose arm a customer
 *   is who stayed away since the start: an absent customer is a result, too.
 *   Without a policy there are only those whom sales name.
 */
#include "tools/report_internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "decide/decide.h"
#include "hq/figure_csv.h"
#include "hq/reading.h"
#include "learn/shrink.h"
#include "sync/bundle.h"

/* ---- whose arm ---- */

static int
drawn_arm(void *ctx, const struct lift_plan *plan, const struct id *subject)
{
	struct report_work *run = ctx;
	struct arm_choice *arms;
	struct id nobody = { 0 };
	bool withholds;
	size_t count;

	if (plan->experiment == NULL)
		return control_group(run->policy, subject) ? 0 : 1;
	arena_reset(run->scratch);
	count = experiments_assign(run->scratch, run->policy, subject, &nobody, "", "", 0, &arms,
	    &withholds);
	for (size_t i = 0; i < count; i++)
		for (size_t a = 0; a < plan->arm_count; a++)
			if (strcmp(arms[i].experiment, plan->experiment) == 0 &&
			    strcmp(arms[i].arm, plan->arms[a]) == 0)
				return (int)a;
	return -1;
}

/* ---- all of it ---- */

static int
read_policy(struct report_work *run, struct report *ret, struct err *err)
{
	struct bundle *bundle = NULL;
	struct buf said = { 0 };
	int rc = bundle_open(run->options->bundle, "policy", &bundle, err);

	if (rc == 0 && bundle_policy(bundle, &run->policy, &said) != 0)
		rc = err_set(err, AISLE_E_INVALID, "%s: its policy has mistakes",
		    run->options->bundle);
	if (rc == 0)
		snprintf(ret->bundle, sizeof(ret->bundle), "%s", bundle_hash(bundle));
	buf_done(&said);
	bundle_close(bundle);
	if (rc != 0)
		return rc;
	snprintf(ret->money.currency, sizeof(ret->money.currency), "%s", run->policy->currency);
	ret->money.digits = run->policy->currency_digits;
	return 0;
}

static int
read_sales(struct report_work *run, int64_t start_ms, struct err *err)
{
	int rc;

	sales_done(&run->sales);
	sales_init(&run->sales, start_ms);
	rc = reading(run->options->from, "money", "sale", sales_take, &run->sales, err);
	if (rc == 0 && run->sales.full)
		rc = err_set(err, AISLE_E_INVALID,
		    "%s: over %d sales or %d stores in what is looked at, expected fewer",
		    run->options->from, SALES_MAX, SALES_STORES_MAX);
	if (rc == 0)
		sales_settle(&run->sales, SALES_WEEKS_MAX);
	return rc == 0 ? report_rings(run, err) : rc;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The control group again, for each ring of stores where there are several: of the whole each is
 * one of so many. */
static void
add_rings(struct report_work *run, struct lift_report *report, const struct lift_plan *of)
{
	const struct sales *sales = &run->sales;
	const char **rings = mem_calloc(sales->store_count, sizeof(*rings));
	bool *in = mem_calloc(sales->store_count, sizeof(*in));
	size_t count = 0, left = 0;

	for (size_t s = 0; s < sales->store_count; s++) {
		const char *ring = report_ring(run, sales->stores[s]);
		size_t i = 0;

		left += ring == NULL;
		while (ring != NULL && i < count && strcmp(rings[i], ring) != 0)
			i++;
		if (ring != NULL && i == count)
			rings[count++] = ring;
	}
	if (count > 1)
		qsort(rings, count, sizeof(*rings), by_text);
	for (size_t i = 0; i < count && count + left > 1; i++) {
		struct lift_plan plan = *of;

		for (size_t s = 0; s < sales->store_count; s++) {
			const char *ring = report_ring(run, sales->stores[s]);

			in[s] = ring != NULL && strcmp(ring, rings[i]) == 0;
		}
		plan.ring = rings[i];
		plan.stores = in;
		plan.alpha = of->alpha / (double)count;
		lift_report_add(report, sales, &plan, run->policy != NULL ? drawn_arm : NULL, run);
	}
	free(rings);
	free(in);
}

static int
tell(struct report_work *run, struct lift_report *report, struct err *err)
{
	int64_t start_ms = INT64_MIN;

	for (size_t i = 0; i < run->plan_count; i++) {
		const struct lift_plan *plan = &run->plans[i];

		if (plan->weeks == 0) {
			buf_addf(run->notes,
			    "%s%s%s has no plan: when it starts, for how many weeks\n",
			    plan->experiment != NULL ? "experiment “" : "the control group",
			    plan->experiment != NULL ? plan->experiment : "",
			    plan->experiment != NULL ? "”" : "");
			continue;
		}
		if (plan->start_ms != start_ms && run->policy != NULL) {
			int rc = read_sales(run, plan->start_ms, err);

			if (rc != 0)
				return rc;
			start_ms = plan->start_ms;
		}
		lift_report_add(report, &run->sales, plan, run->policy != NULL ? drawn_arm : NULL,
		    run);
		if (plan->experiment == NULL)
			add_rings(run, report, plan);
	}
	return 0;
}

/* ---- what was promised ---- */

static bool
chances_of(void *ctx, const char *id, double *p1, double *p0)
{
	const struct report_work *run = ctx;
	const struct action *action = policy_action(run->policy, id);

	if (action == NULL)
		return false;
	if (action->has_shrink)
		shrink_apply(&action->shrink, *p1, *p0, p1, p0);
	return true;
}

static const char *
part_of(void *ctx, enum earned_by by, const char *name)
{
	const struct report_work *run = ctx;
	const struct action *action = by != EARNED_RING ? policy_action(run->policy, name) : NULL;

	if (by == EARNED_RING)
		return report_ring(run, name);
	if (action == NULL)
		return NULL;
	switch (by) {
	case EARNED_GROUP: return action->group;
	case EARNED_FUNDER: return action->has_offer ? action->offer.funder : NULL;
	default: return action->id;
	}
}

static int
read_promised(struct report_work *run, struct report *ret, struct err *err)
{
	struct promised *promised = &ret->promised;
	int rc;

	promised->bundle = ret->bundle;
	promised->control = run->policy->control_share;
	rc = report_rings(run, err);
	if (rc == 0)
		rc = reading(run->options->from, "decision", "settled", promised_take, promised,
		    err);
	if (rc == 0 && promised->full)
		rc = err_set(err, AISLE_E_INVALID,
		    "%s: over %d rows or %d actions of this bundle have settled, expected fewer",
		    run->options->from, PROMISED_MAX, PROMISED_ACTIONS_MAX);
	if (rc != 0)
		return rc;
	promised_settle(promised, chances_of, part_of, run);
	ret->has_promised = promised->row_count > 0;
	return 0;
}

/* Of so much that it is not told the rest of the report is no worse. */
static int
read_drifting(struct report_work *run, struct report *ret, struct err *err)
{
	struct drifting *drifting = &ret->drifting;
	int rc;

	drifting->bundle = ret->bundle;
	rc = reading(run->options->from, "decision", "settled", drifting_take_settled, drifting,
	    err);
	if (rc == 0)
		rc = reading_having(run->options->from, "decision", "decision", "features",
		    drifting_take_decision, drifting, err);
	if (rc != 0)
		return rc;
	if (drifting->full)
		buf_addf(run->notes,
		    "drift: over %d values or %d features and scores, it is not told\n",
		    DRIFTING_MAX, DRIFTING_SERIES_MAX);
	else
		drifting_settle(drifting);
	return 0;
}

int
report_run(const struct report_options *options, struct report *ret_report, struct err *err)
{
	struct report_work *run = mem_zero(sizeof(*run));
	int rc;

	*ret_report = (struct report){ 0 };
	run->options = options;
	run->notes = &ret_report->notes;
	run->scratch = arena_new();
	rc = options->bundle != NULL ? read_policy(run, ret_report, err)
				     : read_sales(run, options->start_ms, err);
	if (rc == 0) {
		report_add_control(run);
		if (run->policy != NULL)
			report_add_experiments(run);
		else
			report_add_recorded(run);
		report_share_alpha(run);
		rc = tell(run, &ret_report->lift, err);
	}
	if (rc == 0)
		rc = report_figures(run, &ret_report->figures, err);
	if (rc == 0 && run->policy != NULL)
		rc = read_promised(run, ret_report, err);
	if (rc == 0 && run->policy != NULL)
		rc = read_drifting(run, ret_report, err);
	fleet_done(&run->fleet);
	sales_done(&run->sales);
	policy_free(run->policy);
	arena_free(run->scratch);
	free(run);
	return rc;
}

void
report_done(struct report *report)
{
	lift_report_done(&report->lift);
	promised_done(&report->promised);
	figures_done(&report->figures);
	drifting_done(&report->drifting);
	buf_done(&report->notes);
}

void
report_json(const struct report *report, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	lift_report_json(&report->lift, &report->money, w);
	figures_json(&report->figures, w);
	if (report->has_promised)
		promised_json(&report->promised, w);
	if (report->drifting.now_ms > 0)
		drifting_json(&report->drifting, w);
	json_end(w);
}

void
report_csv(const struct report *report, struct buf *out)
{
	figure_csv_head(out);
	figures_csv(&report->figures, out);
	if (report->has_promised)
		earned_csv(&report->promised, out);
	if (report->drifting.now_ms > 0)
		drifting_csv(&report->drifting, out);
}
