/* SPDX-License-Identifier: Apache-2.0
 *
 * net.c - what of a basket's lines stays when the goods that came back are taken off.
 */
#include "nouns/net.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "nouns/match.h"

int64_t
net_share(int64_t whole, int64_t part, int64_t of)
{
	double share;

	if (part >= of)
		return whole;
	share = (double)whole * (double)part / (double)of;
	return (int64_t)(share < 0 ? share - 0.5 : share + 0.5);
}

/* ---- in an order that does not depend on who came first ---- */

static int
compare_backs(const void *a_pointer, const void *b_pointer)
{
	const struct back *a = *(const struct back *const *)a_pointer,
			  *b = *(const struct back *const *)b_pointer;
	int order = item_compare(a->item, b->item);

	if (order != 0)
		return order;
	if (a->qty_milli != b->qty_milli)
		return a->qty_milli < b->qty_milli ? -1 : 1;
	if (a->amount_minor != b->amount_minor)
		return a->amount_minor < b->amount_minor ? -1 : 1;
	return id_compare(&a->ret, &b->ret);
}

static int
compare_lines(const void *a_pointer, const void *b_pointer)
{
	const struct line *a = *(const struct line *const *)a_pointer,
			  *b = *(const struct line *const *)b_pointer;
	int order = item_compare(line_item(a), line_item(b));

	if (order != 0)
		return order;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* How well must a line be what came back? */
enum likeness { SAME_AMOUNT, SAME_QUANTITY, SAME_ARTICLE, LIKENESSES };

struct taking {
	const struct visit *visit;
	const struct line **lines; /* by article, and of one ascending by number */
	size_t line_count;
	const struct back **backs;
	int64_t *open_milli; /* of each of backs, what has found no line yet */
	int64_t *left_milli; /* of each line of the visit */
};

static bool
is_like(const struct taking *taking, const struct line *line, const struct back *back,
    enum likeness likeness)
{
	size_t i = (size_t)(line - taking->visit->lines);

	if (taking->left_milli[i] == 0)
		return false;
	if (likeness == SAME_ARTICLE)
		return true;
	return taking->left_milli[i] == line->qty_milli && line->qty_milli == back->qty_milli &&
	    (likeness == SAME_QUANTITY || line->amount_minor == back->amount_minor);
}

/* Where the article's lines begin, or would. */
static size_t
lines_of(const struct taking *taking, const char *item)
{
	size_t low = 0, high = taking->line_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (item_compare(line_item(taking->lines[middle]), item) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
take_back(struct taking *taking, const struct back *back, int64_t *open_milli,
    enum likeness likeness)
{
	size_t l = *open_milli > 0 ? lines_of(taking, back->item) : taking->line_count;

	for (; l<taking->line_count && * open_milli> 0; l++) {
		const struct line *line = taking->lines[l];
		int64_t *left_milli = &taking->left_milli[line - taking->visit->lines];
		int64_t part_milli;

		if (item_compare(line_item(line), back->item) != 0)
			return;
		if (!is_like(taking, line, back, likeness))
			continue;
		part_milli = *open_milli < *left_milli ? *open_milli : *left_milli;
		*open_milli -= part_milli;
		*left_milli -= part_milli;
	}
}

static void
take_all(const struct visit *visit, int64_t *left_milli)
{
	struct taking taking = { .visit = visit, .left_milli = left_milli };

	taking.lines = mem_calloc(visit->line_count + 1, sizeof(*taking.lines));
	taking.backs = mem_calloc(visit->back_count, sizeof(*taking.backs));
	taking.open_milli = mem_calloc(visit->back_count, sizeof(*taking.open_milli));
	for (size_t i = 0; i < visit->line_count; i++) {
		if (left_milli[i] > 0 && line_item(&visit->lines[i]) != NULL)
			taking.lines[taking.line_count++] = &visit->lines[i];
	}
	for (size_t i = 0; i < visit->back_count; i++)
		taking.backs[i] = &visit->backs[i];
	qsort(taking.lines, taking.line_count, sizeof(*taking.lines), compare_lines);
	qsort(taking.backs, visit->back_count, sizeof(*taking.backs), compare_backs);
	for (size_t i = 0; i < visit->back_count; i++)
		taking.open_milli[i] = taking.backs[i]->qty_milli;
	for (int likeness = SAME_AMOUNT; likeness < LIKENESSES; likeness++) {
		for (size_t i = 0; i < visit->back_count; i++)
			take_back(&taking, taking.backs[i], &taking.open_milli[i],
			    (enum likeness)likeness);
	}
	free(taking.lines);
	free(taking.backs);
	free(taking.open_milli);
}

struct net_line *
net_lines(const struct visit *visit)
{
	struct net_line *net = mem_calloc(visit->line_count + 1, sizeof(*net));
	int64_t *left_milli = mem_calloc(visit->line_count + 1, sizeof(*left_milli));

	for (size_t i = 0; i < visit->line_count; i++)
		left_milli[i] = visit->lines[i].voided ? 0 : visit->lines[i].qty_milli;
	if (visit->back_count > 0)
		take_all(visit, left_milli);
	for (size_t i = 0; i < visit->line_count; i++) {
		const struct line *line = &visit->lines[i];
		int64_t part = left_milli[i], of = line->qty_milli;

		if (part == 0)
			continue;
		net[i] = (struct net_line){ part, net_share(line->amount_minor, part, of),
			net_share(line->margin_minor, part, of),
			net_share(line->discount_minor, part, of) };
	}
	free(left_milli);
	return net;
}

/* ---- by article ---- */

static int
compare_goods(const void *a_pointer, const void *b_pointer)
{
	const struct net_goods *a = a_pointer, *b = b_pointer;

	return item_compare(a->item, b->item);
}

size_t
net_unite(struct net_goods *goods, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(goods, count, sizeof(*goods), compare_goods);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && compare_goods(&goods[kept - 1], &goods[i]) == 0)
			goods[kept - 1].qty_milli += goods[i].qty_milli;
		else
			goods[kept++] = goods[i];
	}
	return kept;
}

struct net_goods *
net_goods(const struct visit *visit, const struct net_line *net, size_t *ret_count)
{
	struct net_goods *goods = mem_calloc(visit->line_count + 1, sizeof(*goods));
	size_t count = 0;

	for (size_t i = 0; i < visit->line_count; i++) {
		const char *item = line_item(&visit->lines[i]);

		if (net[i].qty_milli > 0 && item != NULL)
			goods[count++] = (struct net_goods){ item, net[i].qty_milli };
	}
	*ret_count = net_unite(goods, count);
	return goods;
}

struct net_goods *
net_goods_of(struct net_goods *goods, size_t count, const char *item)
{
	struct net_goods key = { .item = item };

	return count > 0 ? bsearch(&key, goods, count, sizeof(*goods), compare_goods) : NULL;
}
