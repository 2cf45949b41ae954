/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c - the business day so far, for the manager: GET /v1/report.
 *
 * DESIGN
 *   From the sums in memory (today.c, hold.c), which the state has too: a
 *   restart loses none. No customer and no associate is in it, and nothing that
 *   a store alone cannot know: whether prompts sell more is for headquarters.
 */
#include "spine/spine.h"

#include <string.h>

#include "core/json_write.h"
#include "core/when.h"
#include "policy/policy_load.h"

static const struct action *
known(const struct engine *engine, const char *action)
{
	return engine->policy != NULL ? policy_action(engine->policy, action) : NULL;
}

/* ---- money ---- */

static void
add_budget(const struct engine *engine, const struct action *action, struct json_writer *w)
{
	struct budget_use used;
	bool day;

	if (action == NULL || action->budget.per == BUDGET_NONE)
		return;
	used = hold_today(engine, action->id);
	day = action->budget.per == BUDGET_STORE_DAY;
	json_add_object(w, "budget");
	json_add_str(w, "per", day ? "store-day" : "campaign");
	if (action->budget.money_minor >= 0) {
		json_add_int(w, "money", action->budget.money_minor);
		json_add_int(w, "money_used", day ? used.day_money_minor : used.all_money_minor);
	}
	if (action->budget.units >= 0) {
		json_add_int(w, "units", action->budget.units);
		json_add_int(w, "units_used", day ? used.day_units : used.all_units);
	}
	json_end(w);
}

static bool
has_day_money(const struct action *action)
{
	return action != NULL && action->budget.per == BUDGET_STORE_DAY &&
	    action->budget.money_minor >= 0;
}

/* All budgets of money for a day, together; also of actions that nobody was shown yet. */
static void
add_day_budget(const struct engine *engine, int64_t day_ms, struct json_writer *w)
{
	int64_t money = 0, used = 0;
	size_t count = 0;

	for (size_t i = 0; engine->policy != NULL && i < engine->policy->action_count; i++) {
		if (has_day_money(&engine->policy->actions[i])) {
			money += engine->policy->actions[i].budget.money_minor;
			count++;
		}
	}
	if (count == 0)
		return;
	for (size_t i = 0; i < engine->budget_count; i++) {
		if (has_day_money(known(engine, engine->budgets[i].action)))
			used += budget_on(&engine->budgets[i], day_ms).day_money_minor;
	}
	json_add_object(w, "day_budget");
	json_add_int(w, "money", money);
	json_add_int(w, "money_used", used);
	json_end(w);
}

static void
add_spent(const struct engine *engine, int64_t day_ms, struct json_writer *w)
{
	json_add_list(w, "spent");
	for (size_t i = 0; i < engine->budget_count; i++) {
		const struct budget_use b = budget_on(&engine->budgets[i], day_ms);

		if (b.action[0] == '\0')
			continue;
		json_add_object(w, NULL);
		json_add_str(w, "action", b.action);
		json_add_int(w, "held_or_spent", b.day_money_minor);
		json_add_int(w, "units", b.day_units);
		json_end(w);
	}
	json_end(w);
}

/* ---- by hour, by action ---- */

/* From the first hour with something to the last, so that a quiet one between is seen. */
static void
add_hours(const struct engine *engine, const struct tally *day, struct json_writer *w)
{
	int from = 0, until = TODAY_HOURS;
	int first = zone_local(engine->zone, day->start_ms).hour;

	while (from < until && day->hours[from].shown == 0 && day->hours[from].accepted == 0)
		from++;
	while (until > from && day->hours[until - 1].shown == 0 &&
	    day->hours[until - 1].accepted == 0)
		until--;
	json_add_list(w, "hours");
	for (int i = from; i < until; i++) {
		json_add_object(w, NULL);
		json_add_int(w, "hour", (first + i) % 24);
		json_add_int(w, "shown", day->hours[i].shown);
		json_add_int(w, "accepted", day->hours[i].accepted);
		json_end(w);
	}
	json_end(w);
}

/* Why people said no, of those who gave a reason. */
static void
add_reasons(const struct tally_action *row, struct json_writer *w)
{
	bool any = false;

	for (size_t i = 0; i < ANSWER_REASONS; i++) {
		if (row->reasons[i] == 0)
			continue;
		if (!any)
			json_add_object(w, "reasons");
		any = true;
		json_add_int(w, answer_reasons[i], row->reasons[i]);
	}
	if (any)
		json_end(w);
}

static void
add_figures(const struct tally_action *row, struct json_writer *w)
{
	static const enum outcome told[] = { OUTCOME_SHOWN, OUTCOME_ACCEPTED, OUTCOME_DISMISSED,
		OUTCOME_SNOOZED, OUTCOME_OVERRIDDEN, OUTCOME_NOT_SHOWN, OUTCOME_REDEEMED };

	json_add_int(w, "prompts", row->outcomes[OUTCOME_DECIDED]);
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		json_add_int(w, outcome_name(told[i]), row->outcomes[told[i]]);
	json_add_int(w, "unanswered", row->unanswered);
	if (row->outcomes[OUTCOME_REDEEMED] != 0 || row->redeemed_minor != 0)
		json_add_int(w, "redeemed_minor", row->redeemed_minor);
	add_reasons(row, w);
}

static void
add_actions(const struct engine *engine, const struct tally *day, struct json_writer *w)
{
	json_add_list(w, "actions");
	for (size_t i = 0; i < day->action_count && i < TODAY_ACTIONS_MAX; i++) {
		const struct action *action = known(engine, day->actions[i].action);

		json_add_object(w, NULL);
		json_add_str(w, "action", day->actions[i].action);
		add_figures(&day->actions[i], w);
		headline_add(engine, day->actions[i].action, w);
		add_budget(engine, action, w);
		json_end(w);
	}
	json_end(w);
	if (day->action_count > TODAY_ACTIONS_MAX) {
		json_add_object(w, "others");
		add_figures(&day->actions[TODAY_ACTIONS_MAX], w);
		json_end(w);
	}
}

/* ---- the report ---- */

static void
add_sums(const struct tally *day, struct json_writer *w)
{
	int64_t unanswered = 0, redeemed_minor = 0;

	json_add_int(w, "decisions", day->decisions);
	json_add_int(w, "prompts", day->outcomes[OUTCOME_DECIDED]);
	json_add_int(w, "withheld", day->withheld);
	for (int o = OUTCOME_SHOWN; o < OUTCOME_COUNT; o++)
		json_add_int(w, outcome_name((enum outcome)o), day->outcomes[o]);
	for (size_t i = 0; i < day->action_count; i++) {
		unanswered += day->actions[i].unanswered;
		redeemed_minor += day->actions[i].redeemed_minor;
	}
	json_add_int(w, "unanswered", unanswered);
	json_add_int(w, "redeemed_minor", redeemed_minor);
}

/* Who of this store, and since when. */
static void
add_stopper(struct engine *engine, const struct stop *stop, struct json_writer *w)
{
	char *name = stop->by[0] != '\0' ? manager_by_key(engine, stop->by) : NULL;

	json_add_str(w, "by", stop->by[0] != '\0' ? "manager" : "operator");
	if (name != NULL)
		json_add_str(w, "manager_name", name);
	free(name);
	if (stop->since_ms != 0)
		json_add_when(w, "since", stop->since_ms);
	if (stop->until_ms != 0)
		json_add_when(w, "until", stop->until_ms);
}

/* What does not run though it could. */
static void
add_stopped(struct engine *engine, struct json_writer *w)
{
	json_add_list(w, "stopped");
	for (size_t i = 0; i < engine->stopped_count; i++) {
		const struct stop *stop = &engine->stops[i];

		json_add_object(w, NULL);
		json_add_str(w, "action", engine->stopped[i]);
		headline_add(engine, engine->stopped[i], w);
		if (stop->hq != 0) {
			json_add_str(w, "by", "headquarters");
			json_add_when(w, "since", stop->hq_since_ms);
		} else {
			add_stopper(engine, stop, w);
		}
		json_end(w);
	}
	json_end(w);
}

/* Those that a manager may move, and until when one is moved. */
static void
add_levers(const struct engine *engine, struct json_writer *w)
{
	const struct policy *policy = engine->policy;

	json_add_list(w, "levers");
	for (size_t i = 0; policy != NULL && i < policy->lever_count; i++) {
		const struct lever *lever = &policy->levers[i];

		if (!lever->bounded)
			continue;
		json_add_object(w, NULL);
		json_add_str(w, "name", lever->target);
		json_add_double(w, "value", lever->value);
		json_add_double(w, "own", lever->own);
		json_add_double(w, "min", lever->min);
		json_add_double(w, "max", lever->max);
		if (lever_until(engine, lever->target) != 0)
			json_add_when(w, "until", lever_until(engine, lever->target));
		json_end(w);
	}
	json_end(w);
}

static const struct tally *
day_at(const struct engine *engine, int64_t now_ms, int64_t *ret_day_ms)
{
	static const struct tally nothing;

	*ret_day_ms = engine_day_start(engine, now_ms > engine->now_ms ? now_ms : engine->now_ms);
	return engine->today.start_ms == *ret_day_ms ? &engine->today : &nothing;
}

static const char *
currency_of(const struct engine *engine)
{
	return engine->policy != NULL ? engine->policy->currency : engine->conf->currency;
}

void
query_sums(struct engine *engine, int64_t now_ms, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);
	int64_t day_ms;
	const struct tally *day = day_at(engine, now_ms, &day_ms);

	json_add_str(w, "currency", currency_of(engine));
	add_sums(day, w);
	json_end(w);
}

int
query_report(struct engine *engine, int64_t now_ms, struct buf *out)
{
	const struct policy *policy = engine->policy;
	int64_t day_ms;
	const struct tally *day = day_at(engine, now_ms, &day_ms);
	struct json_writer *w = JSON_OBJECT(out);

	json_add_when(w, "at", now_ms);
	json_add_when(w, "day", day_ms);
	json_add_str(w, "zone", engine->zone_name);
	json_add_str(w, "currency", currency_of(engine));
	add_sums(day, w);
	add_spent(engine, day_ms, w);
	add_day_budget(engine, day_ms, w);
	add_hours(engine, day, w);
	add_actions(engine, day, w);
	days_report(engine, day_ms, now_ms, w);
	promise_report(engine, day_ms, w);
	approvals_report(engine, w);
	recent_report(engine, w);
	heard_report(engine, day_ms, now_ms, w);
	add_stopped(engine, w);
	add_levers(engine, w);
	if (policy != NULL) {
		json_add_object(w, "policy");
		json_add_str(w, "name", policy->name);
		json_add_int(w, "version", policy->version);
		json_end(w);
	} else {
		json_add_null(w, "policy");
	}
	json_add_str(w, "time", engine->time_uncertain ? "uncertain" : "certain");
	json_end(w);
	return 0;
}
