/* SPDX-License-Identifier: Apache-2.0
 *
 * offer.c - what an offer saves the customer on this basket, and costs us.
 *
 * DESIGN
 *   Worth is the saving over the lines that qualify now, rounded half up to
 *   the minor unit on each line; while none does, the saving on `typical`.
 *     percent       depth % of each qualifying line
 *     amount        depth minor units off
 *     fixed-price   each unit of a qualifying line at depth minor units
 *     free-item     the cheapest `depth` units (none stated: one) that qualify; else max
 *     points        `typical` where it is stated, else one minor unit a point
 *   Never over max, nor over what there is to save: what the qualifying lines
 *   cost less the coupons on them, and what the basket costs, both less what
 *   offers that were accepted in it, or paid with, take. Integers throughout; only
 *   cost, which is a factor of the gain and never booked, is a double.
 *
 * LIMITS
 *   Amounts are at most 10^12 minor units a line (envelope.c), so that
 *   amount × depth and max × 10^6 stay inside 64 bits.
 */
#include "core/of_two.h"
#include "decide/basis.h"
#include "nouns/visit.h"

#define SHARE_UNIT INT64_C(1000000)

/* Half up, for numerators that are not negative. */
static int64_t
div_half_up(int64_t a, int64_t b)
{
	return a / b + (a % b >= b - a % b ? 1 : 0);
}

static int64_t
percent_of(int64_t amount_minor, int64_t depth)
{
	return div_half_up(amount_minor * smaller_of(depth, 100), 100);
}

static int64_t
over_price(const struct line *line, int64_t price_minor)
{
	int64_t qty_milli = line->qty_milli > 0 ? line->qty_milli : 1000;
	int64_t at_price;

	if (price_minor > MONEY_MAX / qty_milli)
		return 0;
	at_price = div_half_up(price_minor * qty_milli, 1000);
	return line->amount_minor > at_price ? line->amount_minor - at_price : 0;
}

static int64_t
unit_price(const struct line *line)
{
	return line->qty_milli > 1000 ? div_half_up(line->amount_minor * 1000, line->qty_milli)
				      : line->amount_minor;
}

/* The cheapest units, line by line: each round takes the cheapest line after
 * the last one taken, by (price, place), until the units are given. */
static int64_t
free_units(const struct offer *offer, int64_t units, const struct basis *basis)
{
	const struct visit *visit = basis->visit;
	int64_t saving = 0, last_price = -1;
	size_t last = 0;

	while (units > 0) {
		int64_t best_price = INT64_MAX, whole;
		size_t best = 0;

		for (size_t i = 0; i < visit->line_count; i++) {
			int64_t price;

			if (!basis_qualifies(basis, offer, i))
				continue;
			price = unit_price(&visit->lines[i]);
			if (price < last_price || (price == last_price && i <= last))
				continue;
			if (price < best_price) {
				best_price = price;
				best = i;
			}
		}
		if (best_price == INT64_MAX)
			break;
		whole =
		    visit->lines[best].qty_milli > 1000 ? visit->lines[best].qty_milli / 1000 : 1;
		if (whole > units)
			whole = units;
		saving += whole * best_price;
		units -= whole;
		last_price = best_price;
		last = best;
	}
	return saving;
}

/* What the offer would save on the lines that qualify. */
static int64_t
saving_now(const struct offer *offer, int64_t depth, const struct basis *basis,
    const struct offer_lines *lines)
{
	int64_t saving = 0;

	if (offer->type == OFFER_AMOUNT)
		return depth;
	if (offer->type == OFFER_FREE_ITEM)
		return free_units(offer, depth > 0 ? depth : 1, basis);
	for (size_t i = 0; i < lines->count; i++) {
		const struct line *line = &basis->visit->lines[lines->line[i]];

		if (offer->type == OFFER_PERCENT)
			saving += percent_of(line->amount_minor, depth);
		else if (offer->type == OFFER_FIXED_PRICE)
			saving += over_price(line, depth);
	}
	return saving;
}

static int64_t
saving_typical(const struct offer *offer, int64_t depth)
{
	switch (offer->type) {
	case OFFER_PERCENT: return percent_of(offer->typical_minor, depth);
	case OFFER_AMOUNT: return depth;
	case OFFER_FIXED_PRICE:
		return offer->typical_minor > depth ? offer->typical_minor - depth : 0;
	case OFFER_POINTS: return offer->typical_minor > 0 ? offer->typical_minor : depth;
	case OFFER_FREE_ITEM: break;
	}
	return offer->max_minor >= 0 ? offer->max_minor : offer->typical_minor;
}

/* Our share in millionths, rounded, so that a hold is a whole amount: rounded up. */
static int64_t
our_share_up(int64_t minor, double funded)
{
	if (!(funded > 0))
		return smaller_of(minor, MONEY_MAX);
	int64_t ours = SHARE_UNIT - (int64_t)(funded * (double)SHARE_UNIT + 0.5);
	int64_t product = smaller_of(minor, MONEY_MAX) * ours;

	return product / SHARE_UNIT + (product % SHARE_UNIT != 0);
}

/* What is left to save on the goods and in the basket, where discounts, coupons and accepted
 * offers have been. */
static int64_t
room_for(const struct basis *basis, const struct offer_lines *lines)
{
	int64_t goods = lines->qualifying_minor + lines->coupons_minor - lines->taken_minor;
	int64_t all = basis->total_minor - basis->taken_minor;

	return larger_of(smaller_of(goods, all), 0);
}

struct offer_value
offer_value_on(const struct offer *offer, int64_t depth, const struct basis *basis,
    const struct offer_lines *lines)
{
	struct offer_value value = { 0 };
	int64_t typical, most;

	CHECK(depth >= 0);
	typical = saving_typical(offer, depth);
	value.worth_minor = typical;
	if (lines->count > 0) {
		value.qualifies_now = true;
		value.line_margin_minor = lines->margin_minor;
		value.has_line_margin = lines->margins;
		value.taken_minor = lines->taken_minor;
		if (offer->type != OFFER_POINTS)
			value.worth_minor = smaller_of(saving_now(offer, depth, basis, lines),
			    room_for(basis, lines));
	}
	if (offer->max_minor >= 0)
		value.worth_minor = smaller_of(value.worth_minor, offer->max_minor);
	value.cost_minor = (1.0 - offer->funded) * (double)value.worth_minor;

	/* The most: an amount can never save more than its depth, the others up to max. */
	most = offer->max_minor;
	if (most < 0 || (offer->type == OFFER_AMOUNT && depth < most))
		most = larger_of(typical, value.worth_minor);
	value.hold_minor = our_share_up(most, offer->funded);
	return value;
}

struct offer_value
offer_value(const struct offer *offer, int64_t depth, const struct basis *basis)
{
	uint16_t room[VISIT_LINES_MAX];
	struct offer_lines lines;

	CHECK(offer != NULL && basis->visit->line_count <= ARRAY_LEN(room));
	offer_lines_find(offer, basis, room, &lines);
	return offer_value_on(offer, depth, basis, &lines);
}

bool
offer_estimates(const struct offer *offer, const struct basis *basis)
{
	return (offer->type == OFFER_PERCENT || offer->type == OFFER_FIXED_PRICE ||
		   offer->type == OFFER_FREE_ITEM) &&
	    basis_next(basis, offer, 0) == basis->visit->line_count;
}

/* A fixed price may take off all but a little: what its goods cost before any discount. */
static int64_t
goods_cost(const struct offer *offer, const struct basis *basis)
{
	int64_t cost = 0;

	for (size_t i = 0; i < basis->visit->line_count; i++) {
		int64_t minor = line_before_discounts(&basis->visit->lines[i]);

		if (minor > 0 && basis_concerns(basis, offer, i))
			cost += minor;
	}
	return cost;
}

int64_t
offer_most(const struct offer *offer, int64_t depth, const struct basis *basis)
{
	int64_t most = saving_typical(offer, depth), cost;

	if (offer->max_minor >= 0)
		return offer->type == OFFER_AMOUNT && depth < offer->max_minor ? depth
									       : offer->max_minor;
	if (offer->type != OFFER_FIXED_PRICE)
		return most;
	cost = goods_cost(offer, basis);
	return larger_of(cost, most);
}

bool
offer_saves(const struct offer *offer, const struct offer_value *value)
{
	return value->worth_minor >= 1 &&
	    (!value->qualifies_now || value->worth_minor >= offer->min_worth_minor);
}

size_t
offer_depths(const struct offer *offer, const struct card *own, int64_t basket_minor,
    int64_t depths[static DEPTHS_MAX])
{
	size_t count = 0;

	/* A depth of a ladder that was shown stays: the associate has said it aloud. */
	if (own != NULL && own->depth != 0 && offer->ladder_count > 1) {
		depths[0] = own->depth;
		return 1;
	}
	for (size_t i = 0; i < offer->tier_count; i++) { /* they rise */
		if (offer->tiers[i].from_minor > basket_minor)
			break;
		depths[0] = offer->tiers[i].depth;
		count = 1;
	}
	if (count > 0)
		return count;
	CHECK(offer->ladder_count <= DEPTHS_MAX);
	for (; count < offer->ladder_count; count++)
		depths[count] = offer->ladder[count];
	return count;
}
