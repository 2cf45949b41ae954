/* SPDX-License-Identifier: Apache-2.0
 *
 * budget.c - does what an action may still spend bear one more card?
 *
 * The table of uses counts holds as spent: a card holds the most it can cost
 * until it is redeemed, lapses or is refused. The action's own open card is in
 * the table already and is taken out again; a withheld one holds nothing.
 */
#include "decide/run.h"

#include <string.h>

static const struct budget_use *
use_of(const struct store_state *store, const char *action)
{
	for (size_t i = 0; i < store->use_count; i++)
		if (strcmp(store->uses[i].action, action) == 0)
			return &store->uses[i];
	return NULL;
}

const char *
budget_clause(const struct budget *budget, const struct budget_use *use, bool time_uncertain,
    int64_t hold_minor)
{
	bool day = budget->per == BUDGET_STORE_DAY;

	if (budget->per == BUDGET_NONE)
		return NULL;
	/* A slice of a shared budget ends at a time: without a sure clock it is not spent from. */
	if (budget->per == BUDGET_CAMPAIGN && time_uncertain)
		return "budget: time uncertain";
	if (budget->money_minor >= 0 &&
	    (day ? use->day_money_minor : use->all_money_minor) + hold_minor > budget->money_minor)
		return "budget.money";
	if (budget->units >= 0 && (day ? use->day_units : use->all_units) + 1 > budget->units)
		return "budget.units";
	return NULL;
}

const char *
budget_gate(const struct run *run, const struct action *action, const struct card *own,
    int64_t hold_minor)
{
	const struct store_state *store = &run->input->store;
	const struct budget_use *found = use_of(store, action->id);
	struct budget_use use = { 0 };

	if (found != NULL)
		use = *found;
	if (own != NULL && !own->withheld && own->hold_minor >= 0) {
		use.all_money_minor -= own->hold_minor;
		use.all_units--;
		if (own->sent_ms >= store->day_start_ms) {
			use.day_money_minor -= own->hold_minor;
			use.day_units--;
		}
	}
	return budget_clause(&action->budget, &use, store->time_uncertain, hold_minor);
}
