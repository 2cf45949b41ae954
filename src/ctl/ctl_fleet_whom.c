/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_fleet_whom.c - what an order is about and whom it is for: does headquarters' folder know of it?
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "core/near.h"
#include "ctl/ctl_fleet.h"
#include "policy/policy_load.h"
#include "sync/bundle.h"

/* ---- for whom ---- */

struct audience {
	const char *store, *ring; /* NULL: all */
	size_t stores, found;
};

static void
count_store(void *ctx, const char *store, const char *channel, const char *ring)
{
	struct audience *audience = ctx;

	(void)channel;
	audience->stores++;
	if (audience->store != NULL ? strcmp(store, audience->store) == 0
				    : strcmp(ring, audience->ring) == 0)
		audience->found++;
}

void
ctl_warn_of_nobody(const char *dir, const char *store, const char *ring)
{
	struct audience audience = { .store = store, .ring = ring };

	if (dir == NULL || (store == NULL && ring == NULL))
		return;
	ctl_stores(dir, count_store, &audience);
	if (audience.stores > 0 && audience.found == 0)
		fprintf(stderr, "aislectl: warning: none of the %zu stores in %s/stores is %s%s\n",
		    audience.stores, dir, store != NULL ? "" : "in ring ",
		    store != NULL ? store : ring);
}

/* ---- about what ---- */

/* false: it is no action of that policy; what is like it is offered. */
static bool
policy_has(const char *path, const char *action, struct near *near)
{
	struct bundle *bundle = NULL;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	bool has = false;

	/* One that nobody can open is run by nobody. */
	if (bundle_open(path, "policy", &bundle, NULL) == 0 &&
	    bundle_policy(bundle, &policy, &report) == 0) {
		has = policy_action(policy, action) != NULL;
		for (size_t i = 0; i < policy->action_count; i++)
			near_offer(near, policy->actions[i].id);
	}
	policy_free(policy);
	bundle_close(bundle);
	buf_done(&report);
	return has;
}

int
ctl_known_action(const struct goods *goods, const char *dir, const char *action)
{
	struct near near = near_to(action);
	struct buf says = { 0 };
	bool known = strcmp(action, "*") == 0;
	size_t policies = 0;

	for (size_t i = 0; i < goods->order_count && !known; i++)
		known = goods->orders[i].order.type == ORDER_STOP &&
		    strcmp(goods->orders[i].order.object, action) == 0;
	for (size_t i = 0; i < goods->artifact_count && !known; i++)
		if (strcmp(goods->artifacts[i].kind, "policy") == 0) {
			known = policy_has(goods->artifacts[i].path, action, &near);
			policies++;
		}
	near_say(&near, &says);
	int rc = known || policies == 0
	    ? EX_OK
	    : ctl_fail(EX_NOINPUT, "\"%s\" is no action of any policy in %s/artifacts%s", action,
		  dir, says.len > 0 ? says.data : "");

	buf_done(&says);
	return rc;
}
