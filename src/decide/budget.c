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
budget_gate(const struct run *run, const struct action *action, const struct card *own,
    int64_t hold_minor)
{
	const struct budget *budget = &action->budget;
	const struct budget_use *use;
	int64_t money = 0, units = 0;

	if (budget->per == BUDGET_NONE)
		return NULL;
	/* A slice of a shared budget ends at a time: without a sure clock it is not spent from. */
	if (budget->per == BUDGET_CAMPAIGN && run->input->store.time_uncertain)
		return "budget: time uncertain";
	use = use_of(&run->input->store, action->id);
	if (use != NULL) {
		money =
		    budget->per == BUDGET_STORE_DAY ? use->day_money_minor : use->all_money_minor;
		units = budget->per == BUDGET_STORE_DAY ? use->day_units : use->all_units;
	}
	if (own != NULL && !own->withheld &&
	    (budget->per == BUDGET_CAMPAIGN || own->sent_ms >= run->input->store.day_start_ms)) {
		money -= own->hold_minor;
		units -= 1;
	}
	if (budget->money_minor >= 0 && money + hold_minor > budget->money_minor)
		return "budget.money";
	if (budget->units >= 0 && units + 1 > budget->units)
		return "budget.units";
	return NULL;
}
