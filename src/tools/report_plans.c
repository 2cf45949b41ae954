/* SPDX-License-Identifier: Apache-2.0
 *
 * report_plans.c - what a report compares: as the policy declares it, or else as sales name it.
 */
#include "tools/report_internal.h"

#include <stdlib.h>
#include <string.h>

static void
add_plan(struct report_work *run, const char *name, const struct experiment_plan *plan)
{
	struct lift_plan *added = &run->plans[run->plan_count++];

	CHECK(run->plan_count <= PLANS_MAX);
	*added = (struct lift_plan){ .experiment = name, .alpha = LIFT_ALPHA };
	added->start_ms = run->options->start_ms;
	added->weeks = run->options->weeks;
	added->effect = run->options->effect;
	if (plan != NULL && plan->weeks > 0) {
		added->start_ms = plan->start_ms;
		added->weeks = plan->weeks;
		added->effect = plan->effect;
	}
}

void
report_add_control(struct report_work *run)
{
	struct lift_plan *plan;
	double share = run->policy != NULL ? run->policy->control_share : 0;

	if (run->policy != NULL && !(share > 0 && share < 1))
		return;
	add_plan(run, NULL, run->policy != NULL ? &run->policy->control_plan : NULL);
	plan = &run->plans[run->plan_count - 1];
	plan->arms[0] = "control";
	plan->arms[1] = "everybody else";
	plan->arm_count = 2;
	plan->shares[0] = share;
	plan->shares[1] = 1 - share;
}

/* The arm that is the policy as it stands comes first: the others are held against it. */
static void
add_arms(const struct experiment *experiment, struct lift_plan *plan)
{
	double total = 0;
	size_t first = 0;

	for (size_t i = experiment->arm_count; i-- > 0;) {
		total += experiment->arms[i].weight;
		if (experiment->arms[i].patch == NULL && !experiment->arms[i].withhold)
			first = i;
	}
	for (size_t i = 0; i < experiment->arm_count; i++)
		if (experiment->arms[i].withhold)
			first = i;
	for (size_t i = 0; i < experiment->arm_count && i < SALES_ARMS_MAX; i++) {
		size_t at = i == 0 ? first : i <= first ? i - 1 : i;

		plan->arms[i] = experiment->arms[at].name;
		plan->shares[i] = experiment->arms[at].weight / total;
	}
	plan->arm_count = experiment->arm_count;
}

void
report_add_experiments(struct report_work *run)
{
	static const char *const units[] = { [UNIT_CUSTOMER] = "customer",
		[UNIT_VISIT] = "visit",
		[UNIT_STATION_DAY] = "station and day",
		[UNIT_STORE] = "store" };

	for (size_t i = 0; i < run->policy->experiment_count; i++) {
		const struct experiment *experiment = &run->policy->experiments[i];

		if (experiment->unit != UNIT_CUSTOMER) {
			buf_addf(run->notes,
			    "experiment “%s” is drawn by %s: lift is told by customer only\n",
			    experiment->name, NAME_OF(units, experiment->unit));
			continue;
		}
		if (experiment->arm_count < 2)
			continue;
		add_plan(run, experiment->name, &experiment->plan);
		add_arms(experiment, &run->plans[run->plan_count - 1]);
	}
}

static int
by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	bool control = strcmp(*x, "control") == 0;

	/* what is called so is what the others are held against */
	if (control || strcmp(*y, "control") == 0)
		return control ? -1 : 1;
	return strcmp(*x, *y);
}

/* Without a policy: what sales name. Who is drawn anew each visit is in two arms as soon as he comes twice. */
void
report_add_recorded(struct report_work *run)
{
	for (size_t e = 0; e < run->sales.experiment_count; e++) {
		const struct sales_experiment *experiment = &run->sales.experiments[e];
		size_t two = 0, in = 0;
		struct lift_plan *plan;

		for (size_t i = 0; i < run->sales.customer_count; i++) {
			two += run->sales.customers[i].arms[e] == SALES_MANY;
			in += run->sales.customers[i].arms[e] != 0;
		}
		if (two * 100 > in) {
			buf_addf(run->notes,
			    "experiment “%s”: %zu of %zu customers were in two arms, it is not "
			    "drawn by customer\n",
			    experiment->name, two, in);
			continue;
		}
		if (experiment->arm_count < 2)
			continue;
		buf_addf(run->notes,
		    "experiment “%s”: without --bundle, customers who stayed away since the "
		    "start "
		    "are in no arm and are missed\n",
		    experiment->name);
		add_plan(run, experiment->name, NULL);
		plan = &run->plans[run->plan_count - 1];
		plan->arm_count = experiment->arm_count;
		for (size_t i = 0; i < experiment->arm_count; i++)
			plan->arms[i] = experiment->arms[i];
		qsort(plan->arms, plan->arm_count, sizeof(plan->arms[0]), by_name);
	}
}

/* An interval of many is the wider; the control group stands alone. */
void
report_share_alpha(struct report_work *run)
{
	size_t shown = 0;

	for (size_t i = 0; i < run->plan_count; i++)
		if (run->plans[i].experiment != NULL && run->plans[i].weeks > 0)
			shown += run->plans[i].arm_count - 1;
	for (size_t i = 0; i < run->plan_count; i++)
		if (run->plans[i].experiment != NULL && shown > 0)
			run->plans[i].alpha = LIFT_ALPHA / (double)shown;
}
