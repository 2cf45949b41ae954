/* SPDX-License-Identifier: Apache-2.0
 *
 * hold.c - what an action's budget has given: held by cards that were sent, spent by offers that
 * were redeemed.
 *
 * A card holds the most that it can cost until it is redeemed, lapses or is
 * refused. The day's figures are of one business day and count as nothing on
 * the next; those of the campaign run on.
 *
 * On disk, budgets stand on shelves of a few, so that a turn writes those that
 * it changed and not each that there ever was. "budgets/N": of budgets
 * N × SHELF … each its action, day_ms, and the four figures; the first N that
 * is not there is the end.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy_load.h"

#define SHELF 8
#define SHELVES_MAX 65536 /* more actions than there will ever be */

struct budget_use
budget_on(const struct engine_budget *budget, int64_t day_ms)
{
	struct budget_use use = { .action = budget->action,
		.all_money_minor = budget->all_money_minor,
		.all_units = budget->all_units };

	if (budget->day_ms >= day_ms) {
		use.day_money_minor = budget->day_money_minor;
		use.day_units = budget->day_units;
	}
	return use;
}

static struct engine_budget *
find(const struct engine *engine, const char *action)
{
	for (size_t i = 0; i < engine->budget_count; i++) {
		if (strcmp(engine->budgets[i].action, action) == 0)
			return &engine->budgets[i];
	}
	return NULL;
}

/* The figures of today, to be changed. */
static struct engine_budget *
take(struct engine *engine, const char *action, int64_t day_ms)
{
	struct engine_budget *budget = find(engine, action);

	if (budget == NULL) {
		engine->budgets = mem_realloc(engine->budgets,
		    (engine->budget_count + 1) * sizeof(*engine->budgets));
		budget = &engine->budgets[engine->budget_count++];
		*budget = (struct engine_budget){ .action = mem_strdup(action), .day_ms = day_ms };
	}
	if (budget->day_ms < day_ms) {
		budget->day_ms = day_ms;
		budget->day_money_minor = budget->day_units = 0;
	}
	budget->dirty = engine->budgets_dirty = true;
	return budget;
}

/* What changes with a card: of the campaign always, of the day only if the card was sent in it. */
static void
count(struct engine *engine, const struct card *card, int64_t money_minor, int units)
{
	int64_t day_ms = engine_day_start(engine, engine->now_ms);
	struct engine_budget *budget = take(engine, card->action, day_ms);

	if (card->sent_ms >= day_ms) {
		budget->day_money_minor += money_minor;
		budget->day_units += units;
	}
	budget->all_money_minor += money_minor;
	budget->all_units += units;
}

/* ---- the life of a hold ---- */

void
hold_take(struct engine *engine, struct card *card)
{
	const struct action *action =
	    engine->policy != NULL ? policy_action(engine->policy, card->action) : NULL;

	if (card->withheld)
		return;
	/* What costs nothing and has no budget is not counted: nobody would ask for it. */
	if (card->depth == 0 && (action == NULL || action->budget.per == BUDGET_NONE)) {
		card->hold_minor = -1;
		return;
	}
	count(engine, card, card->hold_minor, 1);
}

void
hold_release(struct engine *engine, struct card *card)
{
	if (card->withheld || card->hold_minor < 0)
		return;
	count(engine, card, -card->hold_minor, -1);
	card->hold_minor = -1;
}

void
hold_spend(struct engine *engine, struct card *card, int64_t amount_minor)
{
	const struct action *action =
	    engine->policy != NULL ? policy_action(engine->policy, card->action) : NULL;
	double funded = action != NULL && action->has_offer ? action->offer.funded : 0;
	int64_t ours = (int64_t)((double)amount_minor * (1 - funded) + 0.5);
	int64_t day_ms = engine_day_start(engine, engine->now_ms);
	int64_t held = card->hold_minor > 0 ? card->hold_minor : 0;

	/* Released before, by the close or the till's silence: it counts again. */
	count(engine, card, ours - held, card->hold_minor < 0);
	/* Held yesterday, but the money goes today. */
	if (card->sent_ms < day_ms)
		take(engine, card->action, day_ms)->day_money_minor += ours;
	card->hold_minor = ours;
}

struct budget_use
hold_today(const struct engine *engine, const char *action)
{
	const struct engine_budget *budget = find(engine, action);

	if (budget == NULL)
		return (struct budget_use){ 0 };
	return budget_on(budget, engine_day_start(engine, engine->now_ms));
}

/* ---- on disk ---- */

static void
add(struct engine *engine, struct engine_budget *budget)
{
	engine->budgets =
	    mem_realloc(engine->budgets, (engine->budget_count + 1) * sizeof(*engine->budgets));
	engine->budgets[engine->budget_count++] = *budget;
}

/* Also of the actions of earlier policies: a campaign may come back. */
static void
read_shelf(struct engine *engine, struct rd *rd)
{
	for (int i = 0; i < SHELF && rd->ok && rd->at < rd->end; i++) {
		struct engine_budget b = { .action = rd_str(rd) };

		b.day_ms = rd_i64(rd);
		b.day_money_minor = rd_i64(rd);
		b.day_units = rd_i64(rd);
		b.all_money_minor = rd_i64(rd);
		b.all_units = rd_i64(rd);
		if (rd->ok && b.action != NULL)
			add(engine, &b);
		else
			free(b.action);
	}
}

void
hold_load(struct engine *engine)
{
	struct buf buf = { 0 };
	char name[32];

	for (size_t shelf = 0; shelf < SHELVES_MAX; shelf++) {
		struct rd rd;
		int rc;

		buf_clear(&buf);
		snprintf(name, sizeof(name), "budgets/%zu", shelf);
		rc = store_meta_get(engine->store, name, &buf);
		if (rc != 0 && rc != AISLE_E_DAMAGED)
			break;
		/* What cannot be read keeps its places: no action is named "". */
		while (engine->budget_count < shelf * SHELF)
			add(engine, &(struct engine_budget){ .action = mem_strdup("") });
		rd = rd_init(buf.data, rc == 0 ? buf.len : 0);
		read_shelf(engine, &rd);
	}
	buf_done(&buf);
}

void
hold_drop(struct engine *engine)
{
	for (size_t i = 0; i < engine->budget_count; i++)
		free(engine->budgets[i].action);
	free(engine->budgets);
	engine->budgets = NULL;
	engine->budget_count = 0;
	engine->budgets_dirty = false;
}

static void
save_shelf(struct engine *engine, size_t shelf, struct buf *buf)
{
	char name[32];

	buf_clear(buf);
	for (size_t i = shelf * SHELF; i < (shelf + 1) * SHELF && i < engine->budget_count; i++) {
		struct engine_budget *b = &engine->budgets[i];

		buf_str(buf, b->action);
		buf_i64(buf, b->day_ms);
		buf_i64(buf, b->day_money_minor);
		buf_i64(buf, b->day_units);
		buf_i64(buf, b->all_money_minor);
		buf_i64(buf, b->all_units);
		b->dirty = false;
	}
	snprintf(name, sizeof(name), "budgets/%zu", shelf);
	engine_check(engine, store_meta_set(engine->store, name, buf->data, buf->len));
}

void
hold_save(struct engine *engine, struct buf *buf)
{
	if (!engine->budgets_dirty)
		return;
	/* Saving a shelf cleans all that stand on it. */
	for (size_t i = 0; i < engine->budget_count; i++) {
		if (engine->budgets[i].dirty)
			save_shelf(engine, i / SHELF, buf);
	}
	engine->budgets_dirty = false;
}
