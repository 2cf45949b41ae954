/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_zones.c - zones.json: the time zones that the build put into the bundle, by name.
 */
#include "policy/policy_internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/when.h"

static int
compare_zones(const void *a, const void *b)
{
	return strcmp(((const struct zone_rule *)a)->name, ((const struct zone_rule *)b)->name);
}

void
zones_read(struct compile *c, const struct at *at)
{
	struct policy *policy = c->policy;
	const char *name;
	json_t *value;

	if (at->json != NULL && !json_is_object(at->json))
		mistake(c, at, "not an object, expected zone names with their POSIX rules");
	policy->zones =
	    arena_alloc(c->arena, (json_object_size(at->json) + 1) * sizeof(*policy->zones));
	json_object_foreach(at->json, name, value) {
		struct at here = at_member(at, name);
		struct zone *zone =
		    json_is_string(value) ? zone_new(json_string_value(value)) : NULL;

		if (zone == NULL)
			mistake(c, &here,
			    "zone \"%.64s\" has no rule that is understood, expected a POSIX TZ "
			    "text",
			    name);
		policy->zones[policy->zone_count++] =
		    (struct zone_rule){ keep(c, name), keep(c, json_string_value(value)) };
		zone_free(zone);
	}
	qsort(policy->zones, policy->zone_count, sizeof(*policy->zones), compare_zones);
}

const char *
policy_zone(const struct policy *policy, const char *name)
{
	struct zone_rule wanted = { .name = name }, *found;

	if (strcmp(name, "UTC") == 0)
		return "UTC0";
	if (policy->zone_count == 0)
		return NULL;
	found = bsearch(&wanted, policy->zones, policy->zone_count, sizeof(wanted), compare_zones);
	return found != NULL ? found->rule : NULL;
}
