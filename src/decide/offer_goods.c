/* SPDX-License-Identifier: Apache-2.0
 *
 * offer_goods.c - what an offer could save at most on the goods that are in the basket, before any discount.
 */
#include <string.h>

#include "core/of_two.h"
#include "decide/decide.h"
#include "nouns/marks.h"
#include "nouns/match.h"
#include "nouns/visit.h"

static int64_t
on_line(const struct offer *offer, int64_t depth, const struct line *line)
{
	int64_t cost = line_before_discounts(line), price;

	if (offer->type == OFFER_PERCENT)
		return (cost * smaller_of(depth, 100) + 50) / 100;
	if (offer->type != OFFER_FIXED_PRICE)
		return cost;
	if (line->qty_milli > 0 && depth > MONEY_MAX / line->qty_milli)
		return 0;
	price = line->qty_milli > 0 ? depth * line->qty_milli / 1000 : depth;
	return larger_of(cost - price, 0);
}

int64_t
offer_on_goods(const struct offer *offer, int64_t depth, const struct marks *marks,
    const struct visit *visit)
{
	int64_t minor = 0;

	for (size_t i = 0; i < visit->line_count; i++) {
		const struct line *line = &visit->lines[i];
		int64_t cost = line_before_discounts(line);

		if (line->voided || cost <= 0 || cost > MONEY_MAX ||
		    line_mark(marks, line) != MARK_NONE || !match_offer(offer, line))
			continue;
		minor += on_line(offer, depth, line);
	}
	return minor;
}
