/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_lint_when.c - triggers, placements and times at which an action can never be shown.
 */
#include "policy/policy_lint.h"

#include "core/when.h"

/* No clock is further behind UTC, or before it. */
#define BEHIND_MS (12 * H_MS)
#define BEFORE_MS (14 * H_MS)

/* Does one of its days fall into its time, in any zone? */
static bool
has_day(const struct action *action)
{
	int64_t from = action->valid_from_ms - BEHIND_MS, until;

	if (action->valid_until_ms == INT64_MAX || action->valid_from_ms == 0)
		return true;
	until = action->valid_until_ms + BEFORE_MS - 1;
	if (until - from >= 7 * D_MS)
		return true;
	/* 1970-01-01 was a Thursday: 3, as Monday is 0. */
	for (int64_t day = from / D_MS; day <= until / D_MS; day++)
		if ((action->valid_days & 1u << (day + 3) % 7) != 0)
			return true;
	return false;
}

static void
lint_valid(struct compile *c, const struct at *at, const struct action *action, int64_t now_ms)
{
	struct at valid = at_member(at, "valid"), until = at_member(&valid, "until"),
		  days = at_member(&valid, "days");
	char now[WHEN_TEXT_SIZE];

	when_text(now_ms, now);
	if (action->valid_until_ms <= now_ms)
		warning(c, &until, "it has ended, expected a time after %s", now);
	if (!has_day(action))
		warning(c, &days,
		    "none of these days is between \"from\" and \"until\", expected one that is");
}

/* In which state a visit is once this has happened; -1: in any. */
static int
state_after(unsigned type)
{
	switch (type) {
	case EV_BASKET_OPENED:
	case EV_BASKET_ITEM_ADDED: return VISIT_OPEN;
	case EV_BASKET_SUSPENDED: return VISIT_SUSPENDED;
	case EV_BASKET_TENDER_STARTED: return VISIT_TENDER;
	case EV_BASKET_CANCELLED: return VISIT_CANCELLED;
	case EV_BASKET_CLOSED: return VISIT_CLOSED;
	default: return -1;
	}
}

static bool
shows(const struct compile *c, const struct action *action, unsigned place, int state)
{
	const struct placement_traits *traits = &placement_table[place];

	if ((action->placements & 1u << place) == 0)
		return false;
	if (state < 0)
		return true;
	if (state == VISIT_TENDER && c->policy->quiet_tender && traits->stops_paying &&
	    !action->mandatory)
		return false;
	return (traits->states & 1u << state) != 0;
}

static void
lint_triggers(struct compile *c, const struct at *at, const struct action *action)
{
	struct at on = at_member(at, "on");

	for (size_t i = 0; i < json_array_size(on.json); i++) {
		struct at here = at_index(&on, i);
		enum event_type type = event_type_by_name(json_string_value(here.json));
		bool any = false;

		if (type == EV_NONE) {
			warning(c, &here,
			    "\"timer\" never happens by itself, expected an event type%s",
			    action->on == 0 ? ": nothing triggers this action" : " alone");
			continue;
		}
		for (unsigned place = 0; place < PLACE_COUNT; place++)
			any = any || shows(c, action, place, state_after(type));
		if (!any)
			warning(c, &here,
			    "none of its placements shows anything then, expected another trigger "
			    "or placement");
		for (size_t j = 0; j < i; j++)
			if (json_equal(json_array_get(on.json, j), here.json))
				warning(c, &here, "it is there twice, expected it once");
	}
	if (action->personal && action->on == UINT32_C(1) << EV_BASKET_OPENED)
		warning(c, &on,
		    "only a card that was read before the basket is known by then, expected "
		    "\"aisle.customer.identified\" as well");
}

void
lint_when(struct compile *c, const struct at *at, const struct action *action, int64_t now_ms)
{
	lint_valid(c, at, action, now_ms);
	lint_triggers(c, at, action);
}
