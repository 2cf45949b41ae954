/* SPDX-License-Identifier: Apache-2.0
 *
 * room.c - how long the state keeps what: a few rows go at a time, between two turns.
 *
 * What waits for headquarters is not touched here: it leaves by its
 * acknowledgement, and under [state] max_mib as store/store_uplink.c says.
 */
#include "spine/spine.h"

#include "core/when.h"

#define PRUNE_ROWS 200
#define SEEN_MS (4 * D_MS)
#define VISIT_MS (4 * D_MS) /* and longer where a card's outcome is waited for longer */

/* A visit is kept as long as an outcome of one of its cards may still come, and as its decisions:
 * so long goods that come back are taken off it. */
static int64_t
visit_ms(const struct engine *engine)
{
	const struct policy *policy = engine->policy;
	int64_t longest = VISIT_MS, retain_ms = engine->conf->retain_ms;
	int64_t decision_ms = (int64_t)engine->conf->decision_days * D_MS;

	if (decision_ms > longest)
		longest = decision_ms;
	for (size_t i = 0; policy != NULL && i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];
		int64_t until = action->has_offer ? action->offer.until_ms : 0;
		int64_t wait =
		    (action->goal_within_ms > until ? action->goal_within_ms : until) + D_MS;

		if (wait > longest)
			longest = wait;
	}
	return longest < retain_ms || retain_ms < VISIT_MS ? longest : retain_ms;
}

static int
prune(struct engine *engine, int64_t now_ms)
{
	struct store *store = engine->store;
	int64_t decision_ms = (int64_t)engine->conf->decision_days * D_MS;
	int rc, pruned = 0;

	if (!engine->options.recorded)
		pruned = store_recording_prune(store, now_ms - decision_ms, PRUNE_ROWS);
	/* Before anything else is given up for want of room. */
	if (pruned < 0 || pruned == PRUNE_ROWS)
		return pruned;
	pruned = store_prune(store, now_ms, SEEN_MS, visit_ms(engine), decision_ms, PRUNE_ROWS);
	rc = pruned < 0
	    ? pruned
	    : store_log_prune(store, STORE_LOG_OUTCOME, now_ms - decision_ms, PRUNE_ROWS);
	if (rc >= 0)
		rc = store_log_prune(store, STORE_LOG_SUBJECT, now_ms - engine->conf->retain_ms,
		    PRUNE_ROWS);
	if (rc >= 0)
		rc = store_dead_prune(store,
		    now_ms - (int64_t)engine->conf->dead_letter_days * D_MS, PRUNE_ROWS);
	return rc < 0 ? rc : pruned;
}

int
room_make(struct engine *engine, int64_t now_ms)
{
	int pruned, rc = store_begin(engine->store);

	if (rc != 0)
		return rc;
	pruned = prune(engine, now_ms);
	rc = pruned < 0 ? pruned : store_commit(engine->store);
	if (rc == 0)
		return pruned;
	store_rollback(engine->store);
	return rc;
}
