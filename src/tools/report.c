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
#include "tools/report.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "decide/decide.h"
#include "hq/figure_csv.h"
#include "hq/fleet.h"
#include "hq/reading.h"
#include "learn/shrink.h"
#include "sync/bundle.h"

#define PLANS_MAX (SALES_EXPERIMENTS_MAX + 1)

struct run {
	const struct report_options *options;
	struct policy *policy; /* NULL: none */
	struct arena *scratch;
	struct lift_plan plans[PLANS_MAX];
	size_t plan_count;
	struct sales sales;
	struct fleet fleet; /* the rings of stores */
	bool has_rings;
	struct buf *notes;
};

/* ---- what is told ---- */

static void
add_plan(struct run *run, const char *name, const struct experiment_plan *plan)
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

static void
add_control(struct run *run)
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

static void
add_experiments(struct run *run)
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
static void
add_recorded(struct run *run)
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
static void
share_alpha(struct run *run)
{
	size_t shown = 0;

	for (size_t i = 0; i < run->plan_count; i++)
		if (run->plans[i].experiment != NULL && run->plans[i].weeks > 0)
			shown += run->plans[i].arm_count - 1;
	for (size_t i = 0; i < run->plan_count; i++)
		if (run->plans[i].experiment != NULL && shown > 0)
			run->plans[i].alpha = LIFT_ALPHA / (double)shown;
}

/* ---- whose arm ---- */

static int
drawn_arm(void *ctx, const struct lift_plan *plan, const struct id *subject)
{
	struct run *run = ctx;
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

/* ---- rings ---- */

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
by_store(const void *a, const void *b)
{
	return strcmp(((const struct fleet_store *)a)->store,
	    ((const struct fleet_store *)b)->store);
}

/* As stores said by the time of the last sale. */
static int
read_rings(struct run *run, struct err *err)
{
	int rc;

	if (run->has_rings)
		return 0;
	run->has_rings = true;
	run->fleet.now_ms = run->sales.last_ms;
	rc = fleet_read(run->options->from, &run->fleet, err);
	if (rc == 0 && run->fleet.count > 1)
		qsort(run->fleet.stores, run->fleet.count, sizeof(*run->fleet.stores), by_store);
	return rc;
}

/* NULL: in none, or none is known. */
static const char *
ring_of(const struct run *run, const char *store)
{
	struct fleet_store key = { 0 };
	const struct fleet_store *found;

	snprintf(key.store, sizeof(key.store), "%s", store);
	found = run->fleet.count > 0 ? bsearch(&key, run->fleet.stores, run->fleet.count,
					   sizeof(*run->fleet.stores), by_store)
				     : NULL;
	return found != NULL && found->ring[0] != '\0' ? found->ring : NULL;
}

/* ---- all of it ---- */

static int
read_policy(struct run *run, struct report *ret, struct err *err)
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
read_sales(struct run *run, int64_t start_ms, struct err *err)
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
	return rc == 0 ? read_rings(run, err) : rc;
}

/* The control group again, for each ring of stores where there are several: of the whole each is
 * one of so many. */
static void
add_rings(struct run *run, struct lift_report *report, const struct lift_plan *of)
{
	const struct sales *sales = &run->sales;
	const char **rings = mem_calloc(sales->store_count, sizeof(*rings));
	bool *in = mem_calloc(sales->store_count, sizeof(*in));
	size_t count = 0, left = 0;

	for (size_t s = 0; s < sales->store_count; s++) {
		const char *ring = ring_of(run, sales->stores[s]);
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
			const char *ring = ring_of(run, sales->stores[s]);

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
tell(struct run *run, struct lift_report *report, struct err *err)
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
	const struct run *run = ctx;
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
	const struct run *run = ctx;
	const struct action *action = by != EARNED_RING ? policy_action(run->policy, name) : NULL;

	if (by == EARNED_RING)
		return ring_of(run, name);
	if (action == NULL)
		return NULL;
	switch (by) {
	case EARNED_GROUP: return action->group;
	case EARNED_FUNDER: return action->has_offer ? action->offer.funder : NULL;
	default: return action->id;
	}
}

static int
read_promised(struct run *run, struct report *ret, struct err *err)
{
	struct promised *promised = &ret->promised;
	int rc;

	promised->bundle = ret->bundle;
	promised->control = run->policy->control_share;
	rc = read_rings(run, err);
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

int
report_run(const struct report_options *options, struct report *ret_report, struct err *err)
{
	struct run *run = mem_zero(sizeof(*run));
	int rc;

	*ret_report = (struct report){ 0 };
	run->options = options;
	run->notes = &ret_report->notes;
	run->scratch = arena_new();
	rc = options->bundle != NULL ? read_policy(run, ret_report, err)
				     : read_sales(run, options->start_ms, err);
	if (rc == 0) {
		add_control(run);
		if (run->policy != NULL)
			add_experiments(run);
		else
			add_recorded(run);
		share_alpha(run);
		rc = tell(run, &ret_report->lift, err);
	}
	if (rc == 0 && run->policy != NULL)
		rc = read_promised(run, ret_report, err);
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
	buf_done(&report->notes);
}

void
report_json(const struct report *report, struct buf *out)
{
	lift_report_json(&report->lift, &report->money,
	    report->has_promised ? &report->promised : NULL, out);
}

void
report_csv(const struct report *report, struct buf *out)
{
	figure_csv_head(out);
	if (report->has_promised)
		earned_csv(&report->promised, out);
}
