/* SPDX-License-Identifier: Apache-2.0
 *
 * experiment.c - who is in the control group, and in which arm of which experiment.
 *
 * DESIGN
 *   Keyed hashes with a salt for each purpose: no table of assignments, the
 *   same answer in every store and after every restart. A unit's text is
 *     customer     32 hex digits of the subject (anonymous: in no arm)
 *     visit        the visit's ULID
 *     station-day  station 0 start of the business day in ms, decimal
 *     store        the store's id
 */
#include "decide/run.h"

#include <stdio.h>

#include "core/id.h"

struct unit_text {
	const char *parts[3]; /* experiment, then the unit */
	size_t count;
};

bool
control_group(const struct policy *policy, const struct id *subject)
{
	char text[SUBJECT_TEXT_SIZE];
	const char *parts[] = { text };

	if (subject == NULL || !(policy->control_share > 0))
		return false;
	subject_text(subject, text);
	return chance(policy->salt_control, "control", parts, 1) < policy->control_share;
}

static const struct arm *
arm_at(const struct experiment *experiment, double u)
{
	double total = 0, sum = 0;

	for (size_t i = 0; i < experiment->arm_count; i++)
		total = total + experiment->arms[i].weight;
	for (size_t i = 0; i < experiment->arm_count; i++) {
		sum = sum + experiment->arms[i].weight;
		if (u * total < sum)
			return &experiment->arms[i];
	}
	/* u × total rounded up to the sum */
	return experiment->arm_count > 0 ? &experiment->arms[experiment->arm_count - 1] : NULL;
}

/* NULL: this unit is not in. */
static const struct arm *
assign(const struct experiment *experiment, const struct unit_text *unit)
{
	if (unit->count == 0)
		return NULL;
	if (!(chance(experiment->salt, "share", unit->parts, unit->count) < experiment->share))
		return NULL;
	return arm_at(experiment, chance(experiment->salt, "arm", unit->parts, unit->count));
}

size_t
experiments_assign(struct arena *arena, const struct policy *policy, const struct id *subject,
    const struct id *visit, const char *station, const char *store, int64_t day_start_ms,
    struct arm_choice **ret_arms, bool *ret_withholds)
{
	struct arm_choice *arms = arena_alloc(arena, policy->experiment_count * sizeof(*arms));
	char subject_hex[SUBJECT_TEXT_SIZE], visit_ulid[ID_TEXT_SIZE], day[24];
	size_t count = 0;
	bool withholds = false;

	if (subject != NULL)
		subject_text(subject, subject_hex);
	id_text(visit, visit_ulid);
	snprintf(day, sizeof(day), "%lld", (long long)day_start_ms);
	for (size_t i = 0; i < policy->experiment_count; i++) {
		const struct experiment *experiment = &policy->experiments[i];
		const struct unit_text units[] = {
			[UNIT_CUSTOMER] = { { experiment->name, subject_hex },
			    subject != NULL ? 2 : 0 },
			[UNIT_VISIT] = { { experiment->name, visit_ulid }, 2 },
			[UNIT_STATION_DAY] = { { experiment->name, station, day }, 3 },
			[UNIT_STORE] = { { experiment->name, store }, 2 },
		};
		const struct arm *arm = assign(experiment, &units[experiment->unit]);

		if (arm == NULL)
			continue;
		arms[count++] = (struct arm_choice){ experiment->name, arm->name };
		withholds = withholds || arm->withhold;
	}
	*ret_arms = arms;
	*ret_withholds = withholds;
	return count;
}
