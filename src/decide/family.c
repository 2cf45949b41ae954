/* SPDX-License-Identifier: Apache-2.0
 *
 * family.c - one action that stands for many: which article, or category, it is about here and now.
 *
 * DESIGN
 *   basket: what goes with what is scanned, the likeliest first; of a known customer joined with what
 *   is his own. own: what he usually buys. substitute: instead of what he usually buys, or was shown
 *   and is not there. Of each the likeliest that may be said: not in the basket, not marked, there to
 *   be had, not refused in this visit. Tables are asked once a decision.
 *
 *   An open card stays with what it named: it is gated again by whether that may still be said.
 *   Reminders wait as long as the table says, in lines of what this customer usually has.
 */
#include "decide/run.h"

#include <string.h>

#include "nouns/catalog.h"
#include "nouns/marks.h"
#include "nouns/match.h"
#include "nouns/visit.h"
#include "policy/policy_tables.h"

#define PICKS_MAX 16 /* of the open basket that own habits may put in another order */

/* What the tables said, once for all families of a decision. */
struct families {
	struct table_scores *basket; /* NULL: nothing is scanned that the table has */
	struct table_own own[TABLE_OWN_MAX];
	size_t own_count;
	double lines, usual; /* different items now, and as a rule */
	bool has_basket, has_own;
};

static const struct table *
table_of(const struct run *run, enum family family)
{
	const struct policy_table *table = run->policy->tables[family];

	return table != NULL ? table->table : NULL;
}

/* ---- what a line is called in a table ---- */

static int32_t
item_of(const struct table *table, const char *category, const char *article)
{
	int level = table_level(table);
	size_t len;

	if (level == 0)
		return article != NULL ? table_find(table, article, strlen(article)) : -1;
	len = category != NULL ? table_category_len(category, level) : 0;
	return len > 0 ? table_find(table, category, len) : -1;
}

static bool
is_of(const char *text, int level, const char *category, const char *article)
{
	if (level == 0)
		return article != NULL && strcmp(article, text) == 0;
	return category != NULL && category_within(category, text);
}

/* ---- asked once ---- */

static void
ask_basket(struct run *run, struct families *families)
{
	const struct table *table = table_of(run, FAMILY_BASKET);
	struct marks marks = marks_of(run->policy, run->sources->marks_off);
	uint32_t scanned[TABLE_SCANNED_MAX];
	size_t count = 0;

	families->has_basket = true;
	for (size_t i = 0; i < run->visit->line_count && count < TABLE_SCANNED_MAX; i++) {
		const struct line *line = &run->visit->lines[i];
		int32_t item;

		if (line->voided || line_mark(&marks, line) != MARK_NONE)
			continue;
		item = item_of(table, line->category, line_item(line));
		if (item >= 0)
			scanned[count++] = (uint32_t)item;
	}
	if (count > 0)
		families->basket = table_scores_new(run->arena, table, scanned, count);
}

/* Those that the table has, each once; returns how many. */
static size_t
items_of(const struct table *table, const struct marks *marks, const struct purchase *purchase,
    uint32_t *items)
{
	size_t count = 0;

	for (size_t l = 0; l < purchase->line_count; l++) {
		const struct purchase_line *line = &purchase->lines[l];
		int32_t item = goods_mark(marks, line->category, line->mark) == MARK_NONE
		    ? item_of(table, line->category, line->item)
		    : -1;
		size_t at = 0;

		while (item >= 0 && at < count && items[at] != (uint32_t)item)
			at++;
		if (item >= 0 && at == count)
			items[count++] = (uint32_t)item;
	}
	return count;
}

/* Different items of the basket that the table has. */
static size_t
items_now(const struct run *run, const struct table *table)
{
	uint32_t items[TABLE_SCANNED_MAX];
	size_t count = 0;

	for (size_t i = 0; i < run->visit->line_count && count < TABLE_SCANNED_MAX; i++) {
		const struct line *line = &run->visit->lines[i];
		int32_t item = line->voided ? -1 : item_of(table, line->category, line_item(line));
		size_t at = 0;

		while (item >= 0 && at < count && items[at] != (uint32_t)item)
			at++;
		if (item >= 0 && at == count)
			items[count++] = (uint32_t)item;
	}
	return count;
}

static void
ask_own(struct run *run, struct families *families)
{
	const struct table *table = table_of(run, FAMILY_OWN);
	const struct subject *subject = run->sources->subject;
	struct marks marks = marks_of(run->policy, run->sources->marks_off);
	struct table_visit *visits;
	size_t all = 0, count, first;

	families->has_own = true;
	if (table == NULL || subject == NULL || subject->purchase_count == 0)
		return;
	count =
	    subject->purchase_count < TABLE_VISITS_MAX ? subject->purchase_count : TABLE_VISITS_MAX;
	first = subject->purchase_count - count;
	visits = arena_room(run->arena, count * sizeof(*visits));
	for (size_t i = 0; i < count; i++) {
		const struct purchase *purchase = &subject->purchases[first + i];
		uint32_t *items =
		    arena_room(run->arena, (purchase->line_count + 1) * sizeof(*items));

		visits[i].at_ms = purchase->at_ms;
		visits[i].items = items;
		visits[i].count = items_of(table, &marks, purchase, items);
		all += visits[i].count;
	}
	families->own_count =
	    table_own(run->arena, table, visits, count, run->now_ms, families->own);
	families->usual = (double)all / (double)count;
	families->lines = (double)items_now(run, table);
}

static struct families *
families_of(struct run *run)
{
	if (run->families == NULL)
		run->families = arena_alloc(run->arena, sizeof(*run->families));
	return run->families;
}

/* ---- may it be said? ---- */

struct asking {
	const struct run *run;
	const struct table *table;
};

bool
stock_is_out(const struct decide_input *input, const char *article)
{
	size_t low = 0, high = input->out_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(input->out[middle], article);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool
is_in_basket(const struct run *run, const char *text, int level)
{
	for (size_t i = 0; i < run->visit->line_count; i++) {
		const struct line *line = &run->visit->lines[i];

		if (!line->voided && is_of(text, level, line->category, line_item(line)))
			return true;
	}
	return false;
}

static bool
is_marked(const struct run *run, const char *text, int level)
{
	struct marks marks = marks_of(run->policy, run->sources->marks_off);
	struct catalog_article article;

	if (level > 0)
		return mark_of(&marks, text) != MARK_NONE;
	return run->input->catalog != NULL && catalog_find(run->input->catalog, text, &article) &&
	    goods_mark(&marks, article.category != NULL ? article.category : "", article.mark) !=
	    MARK_NONE;
}

/* In this visit, by the person who stands there. */
static bool
was_refused(const struct run *run, const char *text)
{
	for (size_t i = 0; run->answered && i < run->visit->card_count; i++) {
		const struct card *card = &run->visit->cards[i];

		CHECK(card != NULL);
		if ((card->answer == ANSWER_DISMISS || card->answer == ANSWER_OVERRIDE) &&
		    !card_of_former(run->visit, card) && card->item != NULL &&
		    strcmp(card->item, text) == 0)
			return true;
	}
	return false;
}

static bool
may_say(const struct run *run, const char *text, int level)
{
	return !is_in_basket(run, text, level) && !is_marked(run, text, level) &&
	    !(level == 0 && stock_is_out(run->input, text)) && !was_refused(run, text);
}

static bool
may_say_item(const void *ctx, uint32_t item)
{
	const struct asking *asking = ctx;

	return may_say(asking->run, table_text(asking->table, item), table_level(asking->table));
}

/* ---- the likeliest of each family ---- */

struct found {
	const struct table *table; /* NULL: nothing */
	uint32_t item;
	double chance;
};

static void
take(struct found *found, const struct table *table, uint32_t item, double chance)
{
	if (found->table == NULL || chance > found->chance)
		*found = (struct found){ table, item, chance };
}

/* Of the customer's own habits the one with this text: its chance, 0: none. */
static double
own_chance(const struct run *run, const struct families *families, const char *text)
{
	const struct table *own = table_of(run, FAMILY_OWN);

	for (size_t i = 0; i < families->own_count; i++)
		if (strcmp(table_text(own, families->own[i].item), text) == 0)
			return families->own[i].chance;
	return 0;
}

static void
find_basket(struct run *run, const struct action *action, const char *kept, struct found *found)
{
	struct families *families = families_of(run);
	struct asking asking = { run, table_of(run, FAMILY_BASKET) };
	struct table_pick picks[PICKS_MAX];
	size_t count;

	if (!families->has_basket)
		ask_basket(run, families);
	if (families->basket == NULL)
		return;
	if (action->personal && !families->has_own)
		ask_own(run, families);
	count = table_top(families->basket, true, may_say_item, &asking, picks, PICKS_MAX);
	for (size_t i = 0; i < count; i++) {
		const char *text = table_text(asking.table, picks[i].item);

		if (kept == NULL || strcmp(kept, text) == 0)
			take(found, asking.table, picks[i].item,
			    table_joined(action->personal ? own_chance(run, families, text) : 0,
				picks[i].chance));
	}
}

static bool
is_early(const struct run *run, const struct action *action, const struct families *families,
    const struct table_own *own)
{
	int patience = table_patience_of(table_of(run, FAMILY_OWN));

	if (action->kind != KIND_REMIND || run->visit->state == VISIT_TENDER)
		return false;
	return patience == 0 ||
	    table_waits(own, families->lines, families->usual, patience / 100.0);
}

/* NULL, or why not. */
static const char *
find_own(struct run *run, const struct action *action, const char *kept, struct found *found)
{
	const struct table *table = table_of(run, FAMILY_OWN);
	struct families *families = families_of(run);

	if (!families->has_own)
		ask_own(run, families);
	for (size_t i = 0; i < families->own_count; i++) {
		const struct table_own *own = &families->own[i];
		const char *text = table_text(table, own->item);

		if (own->visits < TABLE_OWN_VISITS_MIN || own->chance < TABLE_OWN_CHANCE_MIN ||
		    (kept != NULL && strcmp(kept, text) != 0) ||
		    !may_say(run, text, table_level(table)))
			continue;
		if (kept == NULL && is_early(run, action, families, own))
			return "outcome.item: too early";
		take(found, table, own->item, own->chance);
		return NULL;
	}
	return NULL;
}

static void
instead_of(struct run *run, const char *article, const char *kept, struct found *found)
{
	struct asking asking = { run, table_of(run, FAMILY_SUBSTITUTE) };
	int32_t item = table_find(asking.table, article, strlen(article));
	struct table_pick picks[TABLE_ROW_MAX];
	uint32_t base = (uint32_t)item;
	size_t count;

	if (item < 0 || is_in_basket(run, article, 0))
		return;
	count = table_top(table_scores_new(run->arena, asking.table, &base, 1), true, may_say_item,
	    &asking, picks, TABLE_ROW_MAX);
	for (size_t i = 0; i < count; i++)
		if (kept == NULL || strcmp(kept, table_text(asking.table, picks[i].item)) == 0)
			take(found, asking.table, picks[i].item, picks[i].chance);
}

static void
find_substitute(struct run *run, const char *kept, struct found *found)
{
	const struct table *own = table_of(run, FAMILY_OWN);
	struct families *families = families_of(run);

	if (!families->has_own)
		ask_own(run, families);
	for (size_t i = 0; own != NULL && table_level(own) == 0 && i < families->own_count; i++) {
		const char *text = table_text(own, families->own[i].item);

		if (families->own[i].visits >= TABLE_OWN_VISITS_MIN &&
		    stock_is_out(run->input, text))
			instead_of(run, text, kept, found);
	}
	for (size_t i = 0; run->answered && i < run->visit->card_count; i++) {
		const struct card *card = &run->visit->cards[i];

		CHECK(card != NULL);
		if (card->answer != ANSWER_NONE && !card_of_former(run->visit, card) &&
		    card->item != NULL && !card->item_is_category &&
		    stock_is_out(run->input, card->item))
			instead_of(run, card->item, kept, found);
	}
}

/* ---- what it is called ---- */

/* "grocery/frozen-pizza": "frozen pizza" */
static const char *
last_step(struct arena *arena, const char *category)
{
	const char *slash = strrchr(category, '/');
	char *name = arena_strdup(arena, slash != NULL ? slash + 1 : category);

	for (char *p = name; *p != '\0'; p++)
		if (*p == '-')
			*p = ' ';
	return name;
}

static const char *
called(struct run *run, const struct found *found, const char *text)
{
	const char *name = table_name(found->table, found->item);
	struct catalog_article article;

	if (table_level(found->table) > 0)
		return name != NULL ? name : last_step(run->arena, text);
	if (run->input->catalog != NULL && catalog_find(run->input->catalog, text, &article) &&
	    article.name != NULL)
		return arena_strdup(run->arena, article.name);
	for (int f = FAMILY_BASKET; name == NULL && f < FAMILY_COUNT; f++) {
		const struct table *other = table_of(run, (enum family)f);
		int32_t item = other != NULL ? table_find(other, text, strlen(text)) : -1;

		if (item >= 0)
			name = table_name(other, (uint32_t)item);
	}
	return name;
}

const char *
family_find(struct run *run, size_t i)
{
	struct candidate *candidate = &run->decision->candidates[i];
	const struct action *action = candidate->action;
	int open = run->trials[i].own;
	const struct card *own = open < 0 ? NULL : &run->visit->cards[open];
	struct found found = { 0 };
	const char *text = NULL, *why = NULL;
	struct family_item *item;

	candidate->item = NULL;
	if (own != NULL)
		text = own->item != NULL ? own->item : "";
	switch (action->family) {
	case FAMILY_BASKET: find_basket(run, action, text, &found); break;
	case FAMILY_OWN: why = find_own(run, action, text, &found); break;
	case FAMILY_SUBSTITUTE: find_substitute(run, text, &found); break;
	default: break;
	}
	if (found.table == NULL)
		return why != NULL ? why : "outcome.item";
	item = arena_alloc(run->arena, sizeof(*item));
	item->text = arena_strdup(run->arena, table_text(found.table, found.item));
	item->is_category = table_level(found.table) > 0;
	item->name = called(run, &found, item->text);
	item->chance = found.chance;
	candidate->item = item;
	return NULL;
}
