/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c - the business day so far, for the manager: GET /v1/report.
 *
 * DESIGN
 *   From the sums in memory (today.c, hold.c), which the state has too: a
 *   restart loses none. No customer and no associate is in it, and nothing that
 *   a store alone cannot know: whether prompts sell more is for headquarters.
 *
 *   An action is told by its headline as well as by its id, with … for what is
 *   filled in only when it is shown.
 */
#include "spine/spine.h"

#include <string.h>

#include "core/when.h"
#include "policy/policy_load.h"

static void
add_number(struct buf *out, const char *name, int64_t number)
{
	buf_addf(out, ",\"%s\":%lld", name, (long long)number);
}

static void
add_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, ",\"%s\":", name);
	buf_json_str(out, text);
}

/* ---- an action by its words ---- */

static void
add_headline(const struct action *action, const struct template *headline, struct buf *out)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < headline->count; i++) {
		const struct template_part *part = &headline->parts[i];
		bool depth = part->var == TEMPLATE_DEPTH && part->filter == FILTER_NONE &&
		    action->has_offer && action->offer.ladder_count == 1;

		buf_adds(&text, part->text);
		if (part->has_value && depth)
			buf_addf(&text, "%lld", (long long)action->offer.ladder[0]);
		else if (part->has_value)
			buf_adds(&text, "…");
	}
	buf_json_str(out, text.len > 0 ? text.data : "");
	buf_done(&text);
}

static bool
is_first_of_language(const struct action *action, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(action->treatments[i].language, action->treatments[n].language) == 0)
			return false;
	}
	return true;
}

/* {"en":"10 % off any coffee","de":"10 % auf Kaffee"} */
static void
add_headlines(const struct action *action, struct buf *out)
{
	bool first = true;

	if (action == NULL)
		return;
	buf_adds(out, ",\"headline\":{");
	for (size_t i = 0; i < action->treatment_count; i++) {
		if (!is_first_of_language(action, i))
			continue;
		if (!first)
			buf_addc(out, ',');
		first = false;
		buf_json_str(out, action->treatments[i].language);
		buf_addc(out, ':');
		add_headline(action, &action->treatments[i].headline, out);
	}
	buf_addc(out, '}');
}

static const struct action *
known(const struct engine *engine, const char *action)
{
	return engine->policy != NULL ? policy_action(engine->policy, action) : NULL;
}

/* ---- money ---- */

static void
add_budget(const struct engine *engine, const struct action *action, struct buf *out)
{
	struct budget_use used;
	bool day;

	if (action == NULL || action->budget.per == BUDGET_NONE)
		return;
	used = hold_today(engine, action->id);
	day = action->budget.per == BUDGET_STORE_DAY;
	buf_addf(out, ",\"budget\":{\"per\":\"%s\"", day ? "store-day" : "campaign");
	if (action->budget.money_minor >= 0) {
		add_number(out, "money", action->budget.money_minor);
		add_number(out, "money_used", day ? used.day_money_minor : used.all_money_minor);
	}
	if (action->budget.units >= 0) {
		add_number(out, "units", action->budget.units);
		add_number(out, "units_used", day ? used.day_units : used.all_units);
	}
	buf_addc(out, '}');
}

static bool
has_day_money(const struct action *action)
{
	return action != NULL && action->budget.per == BUDGET_STORE_DAY &&
	    action->budget.money_minor >= 0;
}

/* All budgets of money for a day, together; also of actions that nobody was shown yet. */
static void
add_day_budget(const struct engine *engine, int64_t day_ms, struct buf *out)
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
	buf_addf(out, ",\"day_budget\":{\"money\":%lld,\"money_used\":%lld}", (long long)money,
	    (long long)used);
}

static void
add_spent(const struct engine *engine, int64_t day_ms, struct buf *out)
{
	const char *before = "";

	buf_adds(out, ",\"spent\":[");
	for (size_t i = 0; i < engine->budget_count; i++) {
		const struct budget_use b = budget_on(&engine->budgets[i], day_ms);

		if (b.action[0] == '\0')
			continue;
		buf_addf(out, "%s{\"action\":", before);
		before = ",";
		buf_json_str(out, b.action);
		add_number(out, "held_or_spent", b.day_money_minor);
		add_number(out, "units", b.day_units);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

/* ---- by hour, by action ---- */

/* From the first hour with something to the last, so that a quiet one between is seen. */
static void
add_hours(const struct engine *engine, const struct tally *day, struct buf *out)
{
	int from = 0, until = TODAY_HOURS;
	int first = zone_local(engine->zone, day->start_ms).hour;

	while (from < until && day->hours[from].shown == 0 && day->hours[from].accepted == 0)
		from++;
	while (until > from && day->hours[until - 1].shown == 0 &&
	    day->hours[until - 1].accepted == 0)
		until--;
	buf_adds(out, ",\"hours\":[");
	for (int i = from; i < until; i++)
		buf_addf(out, "%s{\"hour\":%d,\"shown\":%lld,\"accepted\":%lld}",
		    i == from ? "" : ",", (first + i) % 24, (long long)day->hours[i].shown,
		    (long long)day->hours[i].accepted);
	buf_addc(out, ']');
}

static void
add_figures(const struct tally_action *row, struct buf *out)
{
	static const enum outcome told[] = { OUTCOME_SHOWN, OUTCOME_ACCEPTED, OUTCOME_DISMISSED,
		OUTCOME_SNOOZED, OUTCOME_OVERRIDDEN, OUTCOME_NOT_SHOWN, OUTCOME_REDEEMED };

	buf_addf(out, "\"prompts\":%lld", (long long)row->outcomes[OUTCOME_DECIDED]);
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		add_number(out, outcome_name(told[i]), row->outcomes[told[i]]);
	add_number(out, "unanswered", row->unanswered);
	if (row->outcomes[OUTCOME_REDEEMED] != 0 || row->redeemed_minor != 0)
		add_number(out, "redeemed_minor", row->redeemed_minor);
}

static void
add_actions(const struct engine *engine, const struct tally *day, struct buf *out)
{
	buf_adds(out, ",\"actions\":[");
	for (size_t i = 0; i < day->action_count && i < TODAY_ACTIONS_MAX; i++) {
		const struct action *action = known(engine, day->actions[i].action);

		buf_adds(out, i == 0 ? "{\"action\":" : ",{\"action\":");
		buf_json_str(out, day->actions[i].action);
		buf_addc(out, ',');
		add_figures(&day->actions[i], out);
		add_headlines(action, out);
		add_budget(engine, action, out);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
	if (day->action_count > TODAY_ACTIONS_MAX) {
		buf_adds(out, ",\"others\":{");
		add_figures(&day->actions[TODAY_ACTIONS_MAX], out);
		buf_addc(out, '}');
	}
}

/* ---- the report ---- */

static void
add_sums(const struct tally *day, struct buf *out)
{
	int64_t unanswered = 0, redeemed_minor = 0;

	add_number(out, "decisions", day->decisions);
	add_number(out, "prompts", day->outcomes[OUTCOME_DECIDED]);
	add_number(out, "withheld", day->withheld);
	for (int o = OUTCOME_SHOWN; o < OUTCOME_COUNT; o++)
		add_number(out, outcome_name((enum outcome)o), day->outcomes[o]);
	for (size_t i = 0; i < day->action_count; i++) {
		unanswered += day->actions[i].unanswered;
		redeemed_minor += day->actions[i].redeemed_minor;
	}
	add_number(out, "unanswered", unanswered);
	add_number(out, "redeemed_minor", redeemed_minor);
}

/* What does not run though it could. */
static void
add_stopped(const struct engine *engine, struct buf *out)
{
	buf_adds(out, ",\"stopped\":[");
	for (size_t i = 0; i < engine->stopped_count; i++) {
		buf_adds(out, i == 0 ? "{\"action\":" : ",{\"action\":");
		buf_json_str(out, engine->stopped[i]);
		add_headlines(known(engine, engine->stopped[i]), out);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

int
query_report(struct engine *engine, int64_t now_ms, struct buf *out)
{
	static const struct tally nothing;
	const struct policy *policy = engine->policy;
	int64_t day_ms =
	    engine_day_start(engine, now_ms > engine->now_ms ? now_ms : engine->now_ms);
	const struct tally *day = engine->today.start_ms == day_ms ? &engine->today : &nothing;
	char text[WHEN_TEXT_SIZE];

	when_text(now_ms, text);
	buf_addf(out, "{\"at\":\"%s\"", text);
	when_text(day_ms, text);
	add_text(out, "day", text);
	add_text(out, "zone", engine->zone_name);
	add_text(out, "currency", policy != NULL ? policy->currency : engine->conf->currency);
	add_sums(day, out);
	add_spent(engine, day_ms, out);
	add_day_budget(engine, day_ms, out);
	add_hours(engine, day, out);
	add_actions(engine, day, out);
	add_stopped(engine, out);
	if (policy != NULL) {
		buf_adds(out, ",\"policy\":{\"name\":");
		buf_json_str(out, policy->name);
		add_number(out, "version", policy->version);
		buf_addc(out, '}');
	} else {
		buf_adds(out, ",\"policy\":null");
	}
	add_text(out, "time", engine->time_uncertain ? "uncertain" : "certain");
	buf_addc(out, '}');
	return 0;
}
