/* SPDX-License-Identifier: Apache-2.0
 *
 * report_figures.c - what happened in each arm that is compared, and in each ring of stores.
 */
#include "tools/report_internal.h"

#include <stdlib.h>
#include <string.h>

#include "hq/reading.h"

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
add_arms(struct figures *figures, const struct lift_plan *plan, int64_t start_ms)
{
	bool control = plan->experiment == NULL;
	int first = -1;

	for (size_t i = 0; i < plan->arm_count; i++) {
		int cut = figures_add_cut(figures, control ? FIGURES_CONTROL : FIGURES_ARM,
		    control ? LIFT_CONTROL : plan->experiment, plan->arms[i], start_ms, first);

		first = i == 0 ? cut : first;
	}
}

static void
add_rings(struct figures *figures, const struct report_work *run, int64_t start_ms)
{
	const char **rings = mem_calloc(run->fleet.count, sizeof(*rings));
	size_t count = 0;

	for (size_t i = 0; i < run->fleet.count; i++)
		if (run->fleet.stores[i].ring[0] != '\0')
			rings[count++] = run->fleet.stores[i].ring;
	if (count > 1)
		qsort(rings, count, sizeof(*rings), by_text);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(rings[i - 1], rings[i]) != 0)
			figures_add_cut(figures, FIGURES_RING, "ring", rings[i], start_ms, -1);
	free(rings);
}

/* From the start of a plan, or else from the first record. */
static int64_t
start_of(const struct report_work *run, const struct lift_plan *plan)
{
	return plan->weeks > 0 ? plan->start_ms : run->options->start_ms;
}

int
report_figures(struct report_work *run, struct figures *figures, struct err *err)
{
	const char *from = run->options->from;
	int64_t first_ms = run->options->start_ms;
	int rc = report_rings(run, err);

	for (size_t i = 0; i < run->plan_count; i++) {
		int64_t start_ms = start_of(run, &run->plans[i]);

		first_ms = i == 0 || start_ms < first_ms ? start_ms : first_ms;
	}
	figures->ring = report_ring;
	figures->ctx = run;
	figures_add_cut(figures, FIGURES_ALL, "all", "everybody", first_ms, -1);
	for (size_t i = 0; i < run->plan_count; i++)
		add_arms(figures, &run->plans[i], start_of(run, &run->plans[i]));
	add_rings(figures, run, first_ms);
	if (rc == 0)
		rc = reading(from, "money", "sale", figures_take_sale, figures, err);
	if (rc == 0)
		rc = reading(from, "money", "care", figures_take_care, figures, err);
	figures_settle(figures);
	if (rc == 0 && figures->full)
		rc = err_set(err, AISLE_E_INVALID,
		    "%s: over %d customers, each once for each of their arms, expected fewer", from,
		    FIGURES_ROWS_MAX);
	return rc;
}
