/* SPDX-License-Identifier: Apache-2.0
 *
 * returns.c - goods come back: which sale were they of, and what follows for it.
 *
 * DESIGN
 *   A return is noted at its sale, which is a visit that is kept, and what the
 *   customer keeps of it is worked out anew (nouns/net.h); of a sale that has
 *   left the state only the purchase is reduced. What finds no sale waits, and
 *   asks again whenever a sale is closed or changes: the order of arrival does
 *   not matter.
 *
 * INVARIANTS
 *   A return's number counts once. Nothing is taken of a sale twice. A return that names a number is
 *   of one sale: what that lacks waits for its late lines, and is taken of no other.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "nouns/match.h"
#include "nouns/marks.h"
#include "nouns/net.h"
#include "profile/subject_io.h"

/* A sale that is named is not later than its return, but for clocks that differ. */
#define SKEW_MS (5 * MIN_MS)

/* ---- which sale ---- */

static bool
is_sale_for(const struct stray *stray, const struct visit *visit)
{
	return visit->state == VISIT_CLOSED && !visit->training &&
	    visit->sold_ms <= stray->time_ms + SKEW_MS &&
	    (stray->terminal == NULL || strcmp(stray->terminal, visit->terminal) == 0);
}

/* What is left of each sale that was looked at, worked out once: many returns may ask the same. */
struct stock {
	const struct visit *visit;
	struct net_goods *goods;
	size_t count;
};

struct stocks {
	struct stock *stocks;
	size_t count;
};

static struct stock *
stock_of(struct stocks *of, const struct visit *visit)
{
	struct net_line *net;
	struct stock *stock;

	for (size_t i = 0; i < of->count; i++) {
		if (of->stocks[i].visit == visit)
			return &of->stocks[i];
	}
	of->stocks = mem_realloc(of->stocks, (of->count + 1) * sizeof(*of->stocks));
	stock = &of->stocks[of->count++];
	net = net_lines(visit);
	stock->visit = visit;
	stock->goods = net_goods(visit, net, &stock->count);
	free(net);
	return stock;
}

static void
stocks_done(struct stocks *of)
{
	for (size_t i = 0; i < of->count; i++)
		free(of->stocks[i].goods);
	free(of->stocks);
}

/* What of each article is still to be found; to be freed. */
static struct net_goods *
wanted(const struct stray *stray, size_t *ret_count)
{
	struct net_goods *goods = mem_calloc(stray->item_count + 1, sizeof(*goods));
	size_t count = 0;

	for (size_t i = 0; i < stray->item_count; i++) {
		if (stray->items[i].qty_milli > 0)
			goods[count++] =
			    (struct net_goods){ stray->items[i].item, stray->items[i].qty_milli };
	}
	*ret_count = net_unite(goods, count);
	return goods;
}

enum has_goods { HAS_NONE, HAS_SOME, HAS_ALL };

static enum has_goods
has_goods(const struct net_goods *want, size_t count, const struct stock *stock)
{
	enum has_goods all = HAS_ALL, any = HAS_NONE;
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		int order = -1;

		while (at < stock->count &&
		    (order = item_compare(stock->goods[at].item, want[i].item)) < 0)
			at++;
		if (at == stock->count || order != 0 ||
		    stock->goods[at].qty_milli < want[i].qty_milli)
			all = HAS_SOME;
		if (at < stock->count && order == 0 && stock->goods[at].qty_milli > 0)
			any = HAS_SOME;
	}
	return any == HAS_NONE ? HAS_NONE : all;
}

static bool
came_back_of(const struct visit *visit, const struct id *ret)
{
	for (size_t i = 0; i < visit->back_count; i++) {
		if (id_equal(&visit->backs[i].ret, ret))
			return true;
	}
	return false;
}

/* Of the sales of a number: that of which some came back with this return already; else that of the time
 * the return names; else the newest that has all goods, else the newest that has some. */
struct search {
	const struct stray *stray;
	const struct net_goods *want;
	size_t want_count;
	struct stocks *stocks;
	struct visit *best;
	enum has_goods has;
};

static int64_t
distance(int64_t a_ms, int64_t b_ms)
{
	return a_ms < b_ms ? b_ms - a_ms : a_ms - b_ms;
}

static void
look_at_sale(struct search *search, struct visit *visit)
{
	const struct stray *stray = search->stray;
	enum has_goods has = HAS_NONE;
	bool better;

	if (!is_sale_for(stray, visit))
		return;
	if (stray->sold_ms == 0)
		has = has_goods(search->want, search->want_count, stock_of(search->stocks, visit));
	if (stray->sold_ms != 0)
		better = search->best == NULL ||
		    distance(visit->sold_ms, stray->sold_ms) <
			distance(search->best->sold_ms, stray->sold_ms);
	else
		better = has != HAS_NONE &&
		    (search->best == NULL || has > search->has ||
			(has == search->has && visit->sold_ms > search->best->sold_ms));
	if (!better)
		return;
	search->best = visit;
	search->has = has;
}

static struct visit *
find_sale(struct engine *engine, const struct stray *stray, struct stocks *stocks)
{
	struct search search = { .stray = stray, .stocks = stocks };
	struct net_goods *want = wanted(stray, &search.want_count);
	const char *terminal = stray->terminal;
	struct visit *visit = terminal != NULL
	    ? engine_basket_newest(engine, terminal, stray->basket)
	    : engine_number_newest(engine, stray->basket);

	search.want = want;
	for (int i = 0; i < ENGINE_BASKETS_MAX && visit != NULL; i++) {
		if (came_back_of(visit, &stray->ret)) {
			search.best = is_sale_for(stray, visit) ? visit : NULL;
			break;
		}
		look_at_sale(&search, visit);
		visit = terminal != NULL ? engine_basket_before(engine, visit, terminal)
					 : engine_number_before(engine, visit);
	}
	free(want);
	return search.best;
}

/* ---- taken off ---- */

static void
found(struct stray_item *item, int64_t qty_milli)
{
	item->amount_minor -= net_share(item->amount_minor, qty_milli, item->qty_milli);
	item->qty_milli -= qty_milli;
}

static bool
may_be_told(struct engine *engine, const struct stray *stray)
{
	struct marks marks = engine_marks(engine);

	for (size_t i = 0; i < stray->item_count; i++) {
		if (goods_mark(&marks, stray->items[i].category, stray->items[i].mark) !=
		    MARK_SENSITIVE)
			return true;
	}
	return false;
}

/* Without a card it is an incident of who bought it; of a card's customer it was one at once. */
static void
note_incident(struct engine *engine, struct stray *stray, const struct visit *visit)
{
	if (stray->has_subject || stray->noted || !may_be_told(engine, stray))
		return;
	visit_note_incident(engine, visit, INCIDENT_RETURN);
	stray->noted = true;
}

/* What the sale has of it. true: something. */
static bool
take_of_sale(struct engine *engine, struct stray *stray, struct visit *visit, struct stocks *stocks)
{
	struct stock *stock = stock_of(stocks, visit);
	struct net_line *net = NULL;
	size_t before = visit->back_count;

	for (size_t i = 0; i < stray->item_count; i++) {
		struct stray_item *item = &stray->items[i];
		struct net_goods *left = net_goods_of(stock->goods, stock->count, item->item);
		int64_t left_milli = left != NULL ? left->qty_milli : 0, qty_milli;

		qty_milli = item->qty_milli < left_milli ? item->qty_milli : left_milli;
		if (qty_milli <= 0)
			continue;
		if (net == NULL)
			net = net_lines(visit);
		if (!visit_add_back(visit, &stray->ret, item->item, qty_milli,
			net_share(item->amount_minor, qty_milli, item->qty_milli)))
			break;
		left->qty_milli -= qty_milli;
		found(item, qty_milli);
	}
	if (visit->back_count > before) {
		engine_touch(engine, visit);
		note_incident(engine, stray, visit);
		visit_write_purchase(engine, visit);
		returned_of_sale(engine, visit, net);
		sale_changed(engine, visit);
	}
	free(net);
	return visit->back_count > before;
}

static bool
has_item(const struct purchase *purchase, const struct stray *stray)
{
	for (size_t i = 0; i < stray->item_count; i++) {
		for (size_t l = 0; stray->items[i].qty_milli > 0 && l < purchase->line_count; l++) {
			if (item_is(purchase->lines[l].item, stray->items[i].item))
				return true;
		}
	}
	return false;
}

/* Its visit is not kept any more. */
static void
take_of_purchase(struct engine *engine, struct stray *stray, struct subject *subject, size_t index)
{
	struct id visit = subject->purchases[index].visit;
	int64_t at_ms = subject->purchases[index].at_ms;
	struct buf row = { 0 };

	for (size_t i = 0; i < stray->item_count; i++) {
		struct stray_item *item = &stray->items[i];
		int64_t qty_milli;

		buf_clear(&row);
		if (item->qty_milli == 0)
			continue;
		qty_milli = subject_take_goods(subject, index, item->item, item->qty_milli, &row);
		if (qty_milli == 0)
			continue;
		if (!stray_item_marked(engine, item))
			stray->unsold_minor +=
			    net_share(item->amount_minor, qty_milli, item->qty_milli);
		found(item, qty_milli);
		subject_replace_purchase(engine, subject, at_ms, &row);
		CHECK(id_equal(&subject->purchases[index].visit, &visit));
	}
	buf_done(&row);
}

/* The customer's newest purchases that have them. */
static bool
take_of_history(struct engine *engine, struct stray *stray, struct stocks *stocks)
{
	struct subject *subject = engine_subject(engine, &stray->subject);
	bool any = false;

	for (size_t i = subject->purchase_count; i > 0 && !stray_is_home(stray); i--) {
		const struct purchase *purchase = &subject->purchases[i - 1];
		struct visit *visit;

		/* What is bought in exchange a minute later is not what came back. */
		if (purchase->sold_ms > stray->time_ms || !has_item(purchase, stray))
			continue;
		any = true;
		visit = engine_visit(engine, &purchase->visit);
		if (visit != NULL && visit->state == VISIT_CLOSED) {
			visit->subject = subject->id; /* whose card it may have become since */
			take_of_sale(engine, stray, visit, stocks);
		} else {
			take_of_purchase(engine, stray, subject, i - 1);
		}
	}
	return any;
}

static bool
take(struct engine *engine, struct stray *stray, struct stocks *stocks)
{
	struct visit *visit;

	if (stray->basket == NULL)
		return stray->has_subject && take_of_history(engine, stray, stocks);
	visit = find_sale(engine, stray, stocks);
	return visit != NULL && take_of_sale(engine, stray, visit, stocks);
}

/* ---- a return, and what waits for its sale ---- */

bool
returns_is_new(struct engine *engine, const struct event *event)
{
	return !engine_ref_known(engine, "return", event->ret);
}

void
returns_take(struct engine *engine, const struct event *event, const char *station)
{
	struct id ret = engine_ref_note(engine, "return", event->ret);
	struct stray *stray = stray_new(engine, event, station, &ret);
	struct stocks stocks = { 0 };

	take(engine, stray, &stocks);
	stocks_done(&stocks);
	sale_of_return(engine, stray);
	if (stray_is_home(stray) || (stray->basket == NULL && !stray->has_subject))
		stray_free(stray);
	else
		stray_keep(engine, stray);
}

static bool
may_be_of(const struct stray *stray, const char *basket, const struct id *subject)
{
	if (stray->basket != NULL)
		return basket != NULL && strcmp(stray->basket, basket) == 0;
	return subject != NULL && id_equal(&stray->subject, subject);
}

/* Those that wait for a basket of this number, or for what this customer bought. */
static void
ask(struct engine *engine, const char *basket, const struct id *subject)
{
	struct stocks stocks = { 0 };

	for (size_t i = 0; i < engine->stray_count;) {
		struct stray *stray = engine->strays[i];

		if (!may_be_of(stray, basket, subject) || !take(engine, stray, &stocks)) {
			i++;
			continue;
		}
		sale_of_return(engine, stray);
		if (stray_is_home(stray)) {
			stray_drop(engine, stray);
		} else {
			stray_save(engine, stray);
			i++;
		}
	}
	stocks_done(&stocks);
}

void
returns_ask(struct engine *engine, struct visit *visit)
{
	ask(engine, visit->basket, visit->has_subject ? &visit->subject : NULL);
}

void
returns_merged(struct engine *engine, const struct id *from, const struct id *into)
{
	if (strays_merged(engine, from, into))
		ask(engine, NULL, into);
}

/* Its sale is too long ago to be known by its number: the card says as much. */
void
returns_due(struct engine *engine, const char *text)
{
	struct stocks stocks = { 0 };
	struct stray *stray;
	struct id id;

	if (!id_parse(text, &id) || (stray = stray_find(engine, &id)) == NULL)
		return;
	if (stray->basket != NULL && stray->has_subject)
		(void)take_of_history(engine, stray, &stocks);
	stocks_done(&stocks);
	sale_of_return(engine, stray);
	stray_drop(engine, stray);
}
