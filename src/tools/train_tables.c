/* SPDX-License-Identifier: Apache-2.0
 *
 * train_tables.c - baskets of the recorded events, to tables of what goes with what.
 *
 * DESIGN
 *   Beside train_baskets.c and from the same visits: marked goods are not taken, who did not agree is
 *   nobody, and what goes together is counted from strangers too. By article where nine lines in ten
 *   have a name that a card can say, else by category. */
#include "tools/train_tables.h"

#include <stdlib.h>
#include <string.h>

#include "aisle/visit.h"
#include "nouns/marks.h"
#include "nouns/match.h"
#include "nouns/net.h"

#define LINES_MAX 1024

void
train_tables_init(struct train_tables *tables)
{
	*tables = (struct train_tables){ .types.max = TABLE_DATA_ITEMS_MAX,
		.brands.max = TABLE_DATA_ITEMS_MAX };
	table_data_init(&tables->articles);
	table_data_init(&tables->groups);
}

void
train_tables_done(struct train_tables *tables)
{
	table_data_done(&tables->articles);
	table_data_done(&tables->groups);
	train_index_done(&tables->types);
	train_index_done(&tables->brands);
	free(tables->spent);
	free(tables->pieces);
	for (int f = 0; f < FAMILY_COUNT; f++)
		table_trained_done(&tables->made[f]);
	train_tables_init(tables);
}

static uint32_t
number(struct train_index *index, const char *text)
{
	return text == NULL || text[0] == '\0'
	    ? 0
	    : (uint32_t)(train_index_add(index, text, strlen(text)) + 1);
}

static void
know(struct train_tables *tables, uint32_t item, const struct line *line, int64_t qty_milli,
    int64_t amount_minor)
{
	struct table_good *good = &tables->articles.goods[item];

	if (item >= tables->priced) {
		size_t room = (tables->articles.items.count + 1) * 2;

		tables->spent = mem_realloc(tables->spent, room * sizeof(*tables->spent));
		tables->pieces = mem_realloc(tables->pieces, room * sizeof(*tables->pieces));
		for (; tables->priced < room; tables->priced++)
			tables->spent[tables->priced] = tables->pieces[tables->priced] = 0;
	}
	good->type =
	    number(&tables->types, category_is_none(line->category) ? NULL : line->category);
	good->brand = number(&tables->brands, line->brand);
	if (good->name == NULL && line->name != NULL && strlen(line->name) <= TABLE_TEXT_MAX)
		good->name = mem_strdup(line->name);
	if (qty_milli > 0 && amount_minor > 0) {
		tables->spent[item] += (double)amount_minor;
		tables->pieces[item] += (double)qty_milli / 1000;
	}
}

/* Does a marked category lie below it? */
static bool
holds_marked(const struct marks *marks, const char *path, size_t len)
{
	for (size_t i = 0; i < marks->count; i++)
		if (strncmp(marks->list[i].category, path, len) == 0 &&
		    marks->list[i].category[len] == '/')
			return true;
	return false;
}

struct lists {
	uint32_t articles[LINES_MAX], groups[LINES_MAX];
	size_t article_count, group_count;
};

/* What is in the basket, without what is marked. */
static void
list_goods(struct train_tables *tables, const struct visit *visit, const struct marks *marks,
    bool learn, struct lists *ret)
{
	struct net_line *net = net_lines(visit);

	ret->article_count = ret->group_count = 0;
	for (size_t i = 0; i < visit->line_count && i < LINES_MAX; i++) {
		const struct line *line = &visit->lines[i];
		const char *article = line_item(line);
		size_t len;
		int32_t item;

		if (net[i].qty_milli == 0 || line->category == NULL ||
		    line_mark(marks, line) != MARK_NONE)
			continue;
		if (article != NULL && article[0] != '\0' && strlen(article) <= TABLE_TEXT_MAX &&
		    (item = table_data_item(&tables->articles, article, strlen(article))) >= 0) {
			ret->articles[ret->article_count++] = (uint32_t)item;
			if (learn)
				know(tables, (uint32_t)item, line, net[i].qty_milli,
				    net[i].amount_minor);
			tables->lines += learn;
			tables->named += learn && line->name != NULL;
		}
		len = table_category_len(line->category, TRAIN_LEVEL);
		if (len == 0 || len > TABLE_TEXT_MAX || category_is_none(line->category) ||
		    holds_marked(marks, line->category, len))
			continue;
		item = table_data_item(&tables->groups, line->category, len);
		if (item >= 0)
			ret->groups[ret->group_count++] = (uint32_t)item;
	}
	free(net);
}

void
train_tables_take(struct train_tables *tables, const struct train_baskets *baskets,
    const struct feature_row *row)
{
	struct marks marks = marks_of(baskets->policy, row->marks_off);
	const struct train_basket *basket = &baskets->list[baskets->count - 1];
	struct lists lists;

	list_goods(tables, row->visit, &marks, true, &lists);
	table_data_add(&tables->articles, basket->at_ms, basket->customer, lists.articles,
	    lists.article_count);
	table_data_add(&tables->groups, basket->at_ms, basket->customer, lists.groups,
	    lists.group_count);
}

void
train_tables_returned(struct train_tables *tables, size_t basket, const struct visit *visit,
    const struct marks *marks)
{
	struct lists lists = { 0 };

	if (basket >= tables->articles.count || basket >= tables->groups.count)
		return;
	if (visit->state != VISIT_CANCELLED)
		list_goods(tables, visit, marks, false, &lists);
	table_data_keep(&tables->articles, basket, lists.articles, lists.article_count);
	table_data_keep(&tables->groups, basket, lists.groups, lists.group_count);
}

/* ---- made ---- */

static void
forget_who_did_not_agree(struct table_data *data, const bool *agreed)
{
	for (size_t b = 0; b < data->count; b++)
		if (data->list[b].customer >= 0 && !agreed[data->list[b].customer])
			data->list[b].customer = -1;
}

void
train_tables_make(struct train_tables *tables, const bool *agreed)
{
	struct table_data *articles = &tables->articles, *data;

	forget_who_did_not_agree(articles, agreed);
	forget_who_did_not_agree(&tables->groups, agreed);
	for (size_t i = 0; i < articles->items.count && i < tables->priced; i++)
		articles->goods[i].price =
		    tables->pieces[i] > 0 ? tables->spent[i] / tables->pieces[i] : 0;
	tables->level =
	    tables->lines > 0 && tables->named >= tables->lines / 10 * 9 ? 0 : TRAIN_LEVEL;
	data = tables->level == 0 ? articles : &tables->groups;
	table_train_basket(data, 0, data->count, tables->level, &tables->made[FAMILY_BASKET]);
	table_train_own(data, 0, data->count, tables->level, &tables->made[FAMILY_OWN]);
	table_train_substitutes(articles, 0, articles->count, 0, &tables->made[FAMILY_SUBSTITUTE]);
}

bool
train_tables_any(const struct train_tables *tables)
{
	for (int f = FAMILY_BASKET; f < FAMILY_COUNT; f++)
		if (tables->made[f].bytes.len > 0 && !tables->made[f].counts_alone)
			return true;
	return false;
}

void
train_tables_summary(const struct train_tables *tables, struct buf *out)
{
	for (int f = FAMILY_BASKET; f < FAMILY_COUNT; f++)
		buf_addf(out, "table %s: %s%s\n", NAME_OF(family_names, f),
		    tables->made[f].bytes.len > 0 ? "" : "left out, ", tables->made[f].said);
}

void
train_tables_card(const struct train_tables *tables, struct buf *out)
{
	buf_addf(out,
	    "\n## Tables\n\n"
	    "What goes with what, counted from all baskets, strangers' too; settings were chosen "
	    "on\n"
	    "the last sixth of them. `basket` and `own` are by %s.\n\n| table | |\n|---|---|\n",
	    tables->level == 0 ? "article" : "category, two steps");
	for (int f = FAMILY_BASKET; f < FAMILY_COUNT; f++)
		buf_addf(out, "| `%s` | %s%s |\n", NAME_OF(family_names, f),
		    tables->made[f].bytes.len > 0 ? "" : "left out: ", tables->made[f].said);
}
