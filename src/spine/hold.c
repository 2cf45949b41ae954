/* SPDX-License-Identifier: Apache-2.0
 *
 * hold.c - what an action's budget has given: held by cards that were sent, spent by offers that
 * were redeemed.
 *
 * A card holds the most that it can cost until it is redeemed, lapses or is
 * refused. The day's figures are of one business day and count as nothing on
 * the next; those of the campaign run on.
 *
 * What is freed leaves the day that it was counted in: the unit and what is
 * held that of held_ms, what was spent that of spent_ms. If that day is over,
 * nothing of today is freed. The part of a redemption that is taken back frees
 * its part of the money; the unit is free when all of it came back.
 *
 * On disk, budgets stand on racks of a few, so that a turn writes those that
 * it changed and not each that there ever was. "budgets/N": of budgets
 * N × RACK … each its action, day_ms, and the four figures; one that is
 * not there went with its page, a row of them is the end.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy_load.h"

#define RACK 8
#define GAP \
	16 /* racks in a row that are not there: it was the last. One alone went with its page */
#define RACKS_MAX 65536 /* more actions than there will ever be */

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

/* Of the campaign always, of the day only if what changes was counted in it. */
static void
count(struct engine *engine, const char *action, int64_t since_ms, int64_t money_minor, int units)
{
	int64_t day_ms = engine_day_start(engine, engine->now_ms);
	struct engine_budget *budget = take(engine, action, day_ms);

	if (since_ms >= day_ms) {
		budget->day_money_minor += money_minor;
		budget->day_units += units;
	}
	budget->all_money_minor += money_minor;
	budget->all_units += units;
}

static const struct action *
action_of(const struct engine *engine, const struct card *card)
{
	return engine->policy != NULL ? policy_action(engine->policy, card->action) : NULL;
}

/* What the till took off, less the supplier's part. */
static int64_t
our_part(const struct engine *engine, const struct card *card, int64_t amount_minor)
{
	const struct action *action = action_of(engine, card);
	double funded = action != NULL && action->has_offer ? action->offer.funded : 0;

	return (int64_t)((double)amount_minor * (1 - funded) + 0.5);
}

/* ---- the life of a hold ---- */

static void
hold(struct engine *engine, struct card *card, int64_t money_minor)
{
	card->held_ms = engine->now_ms;
	card->spent_ms = 0;
	card->hold_minor = money_minor;
	count(engine, card->action, card->held_ms, money_minor, 1);
}

void
hold_take(struct engine *engine, struct card *card)
{
	const struct action *action = action_of(engine, card);

	if (card->withheld)
		return;
	/* What costs nothing and has no budget is not counted: nobody would ask for it. */
	if (card->depth == 0 && (action == NULL || action->budget.per == BUDGET_NONE)) {
		card->hold_minor = -1;
		return;
	}
	hold(engine, card, card->hold_minor);
}

void
hold_change(struct engine *engine, struct card *card, int64_t hold_minor)
{
	if (card->withheld) {
		card->hold_minor = hold_minor;
		return;
	}
	if (card->hold_minor < 0 || card->hold_minor == hold_minor)
		return;
	count(engine, card->action, card->held_ms, hold_minor - card->hold_minor, 0);
	card->hold_minor = hold_minor;
}

void
hold_release(struct engine *engine, struct card *card)
{
	if (card->withheld || card->hold_minor < 0)
		return;
	count(engine, card->action, card->spent_ms != 0 ? card->spent_ms : card->held_ms,
	    -card->hold_minor, 0);
	count(engine, card->action, card->held_ms, 0, -1);
	card->hold_minor = -1;
}

void
hold_again(struct engine *engine, struct card *card, int64_t amount_minor)
{
	if (!card->withheld && card->hold_minor < 0)
		hold(engine, card, our_part(engine, card, amount_minor));
}

void
hold_spend(struct engine *engine, struct card *card, int64_t amount_minor)
{
	hold_again(engine, card, 0);
	/* The money goes today, whenever it was held. */
	count(engine, card->action, card->held_ms, -card->hold_minor, 0);
	card->hold_minor = our_part(engine, card, amount_minor);
	card->spent_ms = engine->now_ms;
	count(engine, card->action, card->spent_ms, card->hold_minor, 0);
	card->redeemed = true;
	card->redeemed_minor = amount_minor;
}

void
hold_return(struct engine *engine, struct card *card, int64_t amount_minor)
{
	int64_t left_minor = card->redeemed_minor - amount_minor, kept_minor;

	CHECK(card->redeemed && amount_minor >= 0 && left_minor >= 0);
	if (left_minor == 0) {
		hold_release(engine, card);
		card->redeemed = false;
	} else {
		kept_minor = (int64_t)((double)card->hold_minor * (double)left_minor /
			(double)card->redeemed_minor +
		    0.5);
		count(engine, card->action, card->spent_ms, kept_minor - card->hold_minor, 0);
		card->hold_minor = kept_minor;
	}
	card->redeemed_minor = left_minor;
	/* The goods that it lay on had come back: that is now said by the till, too. */
	card->returned_minor =
	    card->returned_minor > amount_minor ? card->returned_minor - amount_minor : 0;
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
read_rack(struct engine *engine, struct rd *rd)
{
	for (int i = 0; i < RACK && rd->ok && rd->at < rd->end; i++) {
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

int
hold_load(struct engine *engine)
{
	struct buf buf = { 0 };
	char name[32];
	int missing = 0, rc = 0;

	for (size_t rack = 0; rack < RACKS_MAX && missing < GAP; rack++) {
		struct rd rd;

		buf_clear(&buf);
		snprintf(name, sizeof(name), "budgets/%zu", rack);
		rc = store_meta_get(engine->store, name, &buf);
		missing = rc == AISLE_E_NONE ? missing + 1 : 0;
		if (rc == AISLE_E_NONE)
			continue;
		if (rc != 0 && rc != AISLE_E_DAMAGED)
			break;
		/* What cannot be read keeps its places: no action is named "". */
		while (engine->budget_count < rack * RACK)
			add(engine, &(struct engine_budget){ .action = mem_strdup("") });
		rd = rd_init(buf.data, rc == 0 ? buf.len : 0);
		read_rack(engine, &rd);
	}
	buf_done(&buf);
	return rc == AISLE_E_NONE || rc == AISLE_E_DAMAGED ? 0 : rc;
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
save_rack(struct engine *engine, size_t rack, struct buf *buf)
{
	char name[32];

	buf_clear(buf);
	for (size_t i = rack * RACK; i < (rack + 1) * RACK && i < engine->budget_count; i++) {
		struct engine_budget *b = &engine->budgets[i];

		buf_str(buf, b->action);
		buf_i64(buf, b->day_ms);
		buf_i64(buf, b->day_money_minor);
		buf_i64(buf, b->day_units);
		buf_i64(buf, b->all_money_minor);
		buf_i64(buf, b->all_units);
		b->dirty = false;
	}
	snprintf(name, sizeof(name), "budgets/%zu", rack);
	engine_check(engine, store_meta_set(engine->store, name, buf->data, buf->len));
}

void
hold_save(struct engine *engine, struct buf *buf)
{
	if (!engine->budgets_dirty)
		return;
	/* Saving a rack cleans all that stand on it. */
	for (size_t i = 0; i < engine->budget_count; i++) {
		if (engine->budgets[i].dirty)
			save_rack(engine, i / RACK, buf);
	}
	engine->budgets_dirty = false;
}
