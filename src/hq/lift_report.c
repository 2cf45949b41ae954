/* SPDX-License-Identifier: Apache-2.0
 *
 * lift_report.c - from customers and their weeks to what may be said of each experiment.
 *
 * DESIGN
 *   A customer counts from the first week in which he was seen, from eight
 *   weeks before the start on, also where he stayed away after it. Each week
 *   that is over is a look of its own, as if made then: who was seen by then,
 *   what was spent by then. A store is a stratum, the one in which a customer
 *   was seen first: what came later may be the arm's doing.
 *
 *   Nothing is told unless the interval is narrower than the effect that was
 *   planned for: an interval that holds everything is no finding.
 */
#include "hq/lift_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const lift_silence_names[LIFT_SILENCE_COUNT] = {
#define X(constant, name) [LIFT_##constant] = name,
	LIFT_SILENCES(X)
#undef X
};

/* ---- who is in ---- */

struct of_plan {
	const struct lift_plan *plan;
	const struct sales *sales;
	lift_assign_fn assign;
	void *ctx;
	int experiment; /* of sales; -1: none there */
};

/* Index in the plan's arms; -1: none. */
static int
arm_on_record(const struct of_plan *of, const struct sales_customer *customer, bool *ret_two)
{
	uint8_t seen;

	if (of->plan->experiment == NULL) {
		*ret_two = customer->control == SALES_MANY;
		return customer->control == 2 ? 0 : customer->control == 1 ? 1 : -1;
	}
	seen = of->experiment >= 0 ? customer->arms[of->experiment] : 0;
	*ret_two = seen == SALES_MANY;
	if (seen == 0 || seen == SALES_MANY)
		return -1;
	for (size_t i = 0; i < of->plan->arm_count; i++)
		if (strcmp(of->plan->arms[i],
			of->sales->experiments[of->experiment].arms[seen - 1]) == 0)
			return (int)i;
	return -1;
}

static bool
is_in_ring(const struct of_plan *of, const struct sales_customer *customer)
{
	return of->plan->stores == NULL || of->plan->stores[customer->store];
}

static int
arm_of(const struct of_plan *of, const struct sales_customer *customer,
    struct lift_comparison *ret_counts)
{
	bool two = false;
	int arm;

	if (!is_in_ring(of, customer))
		return -1;
	if (customer->mixed) {
		ret_counts->mixed++;
		return -1;
	}
	arm = arm_on_record(of, customer, &two);
	if (arm < 0 && !two && of->assign != NULL)
		arm = of->assign(of->ctx, of->plan, &customer->subject);
	ret_counts->two_arms += two;
	ret_counts->no_arm += arm < 0 && !two;
	return arm;
}

/* ---- all of it ---- */

/* Of those who bought since the start, for each arm of the plan. */
static void
judge_shares(struct lift_work *work, const struct of_plan *of)
{
	struct lift_comparison *comparison = work->comparison;
	int64_t n[SALES_ARMS_MAX] = { 0 };
	const struct sales *sales = work->sales;

	comparison->has_bayes = comparison->plan.shares[0] > 0;
	if (!comparison->has_bayes)
		return;
	for (size_t at = 0, end; at < sales->week_count; at = end) {
		const struct sales_customer *customer =
		    &sales->customers[sales->by_week[at].customer];
		bool two, since = false;
		int arm;

		end = lift_rows_end(sales, at);
		for (size_t i = at; i < end; i++)
			since = since || sales->by_week[i].week >= 0;
		arm = since && !customer->mixed && is_in_ring(of, customer)
		    ? arm_on_record(of, customer, &two)
		    : -1;
		if (arm >= 0)
			n[arm]++;
	}
	comparison->log_bayes =
	    lift_sample_ratio(n, comparison->plan.shares, comparison->plan.arm_count);
}

/* What these customers could tell by the planned end. */
static void
plan_ahead(struct lift_comparison *comparison)
{
	double treated = comparison->arms[1].customers, control = comparison->arms[0].customers, se;
	struct lift_power power;

	if (comparison->look_count < 4 || comparison->plan.weeks < 1)
		return;
	power = lift_power(comparison->looks[0].variance, comparison->looks[3].variance);
	se = lift_power_se(&power, treated, control, comparison->plan.weeks);
	comparison->smallest = lift_smallest_effect(se);
	comparison->times = lift_stores_needed(se, comparison->plan.effect);
	comparison->weeks_needed =
	    lift_weeks_needed(&power, treated, control, comparison->plan.effect);
}

static enum lift_silence
look_each_week(struct lift_work *work)
{
	struct lift_comparison *comparison = work->comparison;
	int weeks = work->sales->weeks < comparison->plan.weeks ? work->sales->weeks
								: comparison->plan.weeks;
	const struct lift_look *last;

	if (weeks < 1)
		return LIFT_NO_WEEK;
	lift_add_up(work, weeks, INFINITY);
	for (int arm = 0; arm < 2; arm++) {
		const struct lift_sums *sums = &work->total[arm];

		comparison->arms[arm].customers = sums->n;
		comparison->arms[arm].per_customer = sums->n > 0 ? sums->y / sums->n : 0;
		comparison->arms[arm].before = sums->n > 0 ? sums->x / sums->n : 0;
	}
	if (work->total[0].n < LIFT_CUSTOMERS_MIN || work->total[1].n < LIFT_CUSTOMERS_MIN)
		return LIFT_FEW;
	if (comparison->has_bayes && comparison->log_bayes >= LIFT_MISMATCH)
		return LIFT_SHARES;
	if (!(comparison->plan.effect > 0))
		return LIFT_NO_EFFECT;
	if (!lift_choose_cap(work, weeks))
		return LIFT_TAIL;
	comparison->looks = mem_calloc((size_t)weeks, sizeof(*comparison->looks));
	for (int week = 1; week <= weeks; week++)
		comparison->look_count +=
		    lift_look_at(work, week, &comparison->looks[comparison->look_count]);
	last = comparison->look_count > 0 ? &comparison->looks[comparison->look_count - 1] : NULL;
	if (last == NULL || last->week != weeks)
		return LIFT_FEW;
	plan_ahead(comparison);
	return (last->high - last->low) / 2 > comparison->plan.effect ? LIFT_CANNOT_TELL
								      : LIFT_TOLD;
}

static void
compare(const struct of_plan *of, int treated, struct lift_comparison *comparison)
{
	const struct sales *sales = of->sales;
	struct lift_work work = { .sales = sales, .comparison = comparison };
	bool *in = mem_calloc(sales->store_count, sizeof(*in));

	work.arm = mem_alloc(sales->customer_count + 1);
	work.stores = mem_calloc(2 * sales->store_count, sizeof(*work.stores));
	work.strata = mem_calloc(2 * sales->store_count + 2, sizeof(*work.strata));
	for (size_t i = 0; i < sales->customer_count; i++) {
		int arm = arm_of(of, &sales->customers[i], comparison);

		work.arm[i] = arm == 0 ? 0 : arm == treated ? 1 : LIFT_NO_ARM;
		if (work.arm[i] != LIFT_NO_ARM && !in[sales->customers[i].store]) {
			in[sales->customers[i].store] = true;
			comparison->stores++;
		}
	}
	judge_shares(&work, of);
	comparison->silence = look_each_week(&work);
	free(in);
	free(work.arm);
	free(work.stores);
	free(work.strata);
}

static void
own_names(struct lift_plan *plan)
{
	plan->experiment = mem_strdup(plan->experiment != NULL ? plan->experiment : LIFT_CONTROL);
	for (size_t i = 0; i < plan->arm_count; i++)
		plan->arms[i] = mem_strdup(plan->arms[i]);
	plan->ring = plan->ring != NULL ? mem_strdup(plan->ring) : NULL;
	plan->stores = NULL;
}

void
lift_report_add(struct lift_report *report, const struct sales *sales, const struct lift_plan *plan,
    lift_assign_fn assign, void *ctx)
{
	struct of_plan of = { plan, sales, assign, ctx, -1 };
	long long strangers = 0;

	for (size_t i = 0; i < sales->experiment_count && plan->experiment != NULL; i++)
		if (strcmp(sales->experiments[i].name, plan->experiment) == 0)
			of.experiment = (int)i;
	for (size_t i = 0; i < sales->visit_count; i++)
		strangers += sales->visits[i].customer == SALES_NONE && sales->visits[i].week >= 0;
	for (size_t arm = 1; arm < plan->arm_count; arm++) {
		struct lift_comparison *comparison;

		report->comparisons = mem_grow(report->comparisons, report->count,
		    &report->capacity, sizeof(*report->comparisons));
		comparison = &report->comparisons[report->count++];
		*comparison = (struct lift_comparison){
			.plan = *plan, .margin = sales->margin, .strangers = strangers
		};
		own_names(&comparison->plan);
		comparison->arms[0].name = comparison->plan.arms[0];
		comparison->arms[1].name = comparison->plan.arms[arm];
		compare(&of, (int)arm, comparison);
	}
	report->sales = (long long)sales->visit_count;
	report->unread += sales->unread;
	if (sales->last_ms > report->last_ms)
		report->last_ms = sales->last_ms;
}

void
lift_report_done(struct lift_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		struct lift_comparison *comparison = &report->comparisons[i];

		free((char *)(uintptr_t)comparison->plan.experiment);
		for (size_t a = 0; a < comparison->plan.arm_count; a++)
			free((char *)(uintptr_t)comparison->plan.arms[a]);
		free((char *)(uintptr_t)comparison->plan.ring);
		free(comparison->looks);
	}
	free(report->comparisons);
	*report = (struct lift_report){ 0 };
}
