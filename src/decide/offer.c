/* SPDX-License-Identifier: Apache-2.0
 *
 * offer.c - what an offer saves the customer on this basket, and costs us.
 *
 * DESIGN
 *   Worth is the saving over the lines that qualify now, rounded half up to
 *   the minor unit on each line; while none does, the saving on `typical`.
 *     percent       depth % of each qualifying line
 *     amount        depth minor units off, at most what the qualifying lines cost
 *     fixed-price   each unit of a qualifying line at depth minor units
 *     free-item     the cheapest `depth` units (none stated: one) that qualify; else max
 *     points        `typical` where it is stated, else one minor unit a point
 *   Never over max. Integers throughout; only cost, which is a factor of the
 *   gain and never booked, is a double.
 *
 * LIMITS
 *   Amounts are at most 10^12 minor units a line (envelope.c), so that
 *   amount × depth and max × 10^6 stay inside 64 bits.
 */
#include "decide/run.h"

#include <string.h>

#include "nouns/match.h"

#define SHARE_UNIT INT64_C(1000000)

int64_t
basket_total(const struct visit *visit)
{
	int64_t total = 0;

	for (size_t i = 0; i < visit->line_count; i++)
		if (!visit->lines[i].voided)
			total += visit->lines[i].amount_minor;
	return total;
}

/* ---- what the beginnings of the lines' categories say ---- */

/* Of each length of a beginning, a bit for each beginning of that length that one of the lines has
 * (or shares its bit with one). */
#define SEEN_BITS 256u
struct basket_lines {
	uint64_t *begins; /* of each line's category */
	uint64_t seen[8][SEEN_BITS / 64];
};

static unsigned
seen_bit(uint64_t begin)
{
	return (unsigned)(begin * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

/* Of a mask of the first 1 to 8 bytes, the place in seen. */
static unsigned
mask_place(uint64_t mask)
{
	return 7u - ((unsigned)__builtin_clzll(mask) >> 3);
}

const struct basket_lines *
offer_lines(struct arena *arena, const struct visit *visit)
{
	struct basket_lines *lines = arena_alloc(arena, sizeof(*lines));

	lines->begins = arena_room(arena, (visit->line_count + 1) * sizeof(*lines->begins));
	for (size_t i = 0; i < visit->line_count; i++) {
		uint64_t begin = text_prefix(visit->lines[i].category);

		lines->begins[i] = begin;
		for (unsigned place = 0; place < 8; place++) {
			unsigned bit = seen_bit(begin & UINT64_MAX >> (56 - 8 * place));

			lines->seen[place][bit / 64] |= UINT64_C(1) << bit % 64;
		}
	}
	return lines;
}

/* May any line qualify, as far as the lines can say? */
static bool
lines_have(const struct basket_lines *lines, const struct offer *offer)
{
	unsigned bit = seen_bit(offer->aim);

	return (lines->seen[mask_place(offer->aim_mask)][bit / 64] >> bit % 64 & 1) != 0;
}

static bool
line_matches(const struct line *line, const struct match *match)
{
	return match_goods(match, line->category, line->brand, line_item(line));
}

static bool
line_qualifies(const struct offer *offer, const struct line *line)
{
	if (line->voided || line->amount_minor <= 0 || line->amount_minor > MONEY_MAX)
		return false;
	if (offer->include.set && !line_matches(line, &offer->include))
		return false;
	return !offer->exclude.set || !line_matches(line, &offer->exclude);
}

/* Half up, for numerators that are not negative. */
static int64_t
div_half_up(int64_t a, int64_t b)
{
	return a / b + (a % b >= b - a % b ? 1 : 0);
}

static int64_t
percent_of(int64_t amount_minor, int64_t depth)
{
	return div_half_up(amount_minor * (depth > 100 ? 100 : depth), 100);
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
free_units(const struct offer *offer, int64_t units, const struct visit *visit)
{
	int64_t saving = 0, last_price = -1;
	size_t last = 0;

	while (units > 0) {
		int64_t best_price = INT64_MAX, whole;
		size_t best = 0;

		for (size_t i = 0; i < visit->line_count; i++) {
			int64_t price;

			if (!line_qualifies(offer, &visit->lines[i]))
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

/* The first line from i on that qualifies; none: line_count. */
static size_t
next_line(const struct offer *offer, const struct visit *visit, const struct basket_lines *lines,
    size_t i)
{
	size_t count = visit->line_count;
	uint64_t aim = offer->aim, mask = offer->aim_mask;

	if (lines == NULL || mask == 0) {
		while (i < count && !line_qualifies(offer, &visit->lines[i]))
			i++;
		return i;
	}
	if (i == 0 && !lines_have(lines, offer))
		return count;
	/* A line whose category begins otherwise does not qualify. */
	while (i < count &&
	    (((lines->begins[i] ^ aim) & mask) != 0 || !line_qualifies(offer, &visit->lines[i])))
		i++;
	return i;
}

/* Saving over the lines that qualify. *ret_qualifying: what they cost; 0: none does. */
static int64_t
saving_now(const struct offer *offer, int64_t depth, const struct visit *visit,
    const struct basket_lines *lines, int64_t *ret_qualifying)
{
	int64_t saving = 0, qualifying = 0;

	for (size_t i = next_line(offer, visit, lines, 0); i < visit->line_count;
	     i = next_line(offer, visit, lines, i + 1)) {
		const struct line *line = &visit->lines[i];

		qualifying += line->amount_minor;
		if (offer->type == OFFER_PERCENT)
			saving += percent_of(line->amount_minor, depth);
		else if (offer->type == OFFER_FIXED_PRICE)
			saving += over_price(line, depth);
	}
	if (offer->type == OFFER_AMOUNT)
		saving = depth < qualifying ? depth : qualifying;
	else if (offer->type == OFFER_FREE_ITEM && qualifying > 0)
		saving = free_units(offer, depth > 0 ? depth : 1, visit);
	*ret_qualifying = qualifying;
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
	case OFFER_FREE_ITEM:
		return offer->max_minor >= 0 ? offer->max_minor : offer->typical_minor;
	}
	return 0;
}

/* Our share in millionths, rounded, so that a hold is a whole amount: rounded up. */
static int64_t
our_share_up(int64_t minor, double funded)
{
	int64_t ours = SHARE_UNIT - (int64_t)(funded * (double)SHARE_UNIT + 0.5);
	int64_t product = (minor > MONEY_MAX ? MONEY_MAX : minor) * ours;

	return product / SHARE_UNIT + (product % SHARE_UNIT != 0);
}

struct offer_value
offer_value(const struct offer *offer, int64_t depth, const struct visit *visit)
{
	return offer_value_on(offer, depth, visit, NULL);
}

struct offer_value
offer_value_on(const struct offer *offer, int64_t depth, const struct visit *visit,
    const struct basket_lines *lines)
{
	struct offer_value value = { 0 };
	int64_t typical, most;
	int64_t qualifying;
	int64_t now;

	CHECK(offer != NULL && visit != NULL && depth >= 0);
	typical = saving_typical(offer, depth);
	now = saving_now(offer, depth, visit, lines, &qualifying);
	value.qualifies_now = qualifying > 0;
	value.worth_minor = value.qualifies_now && offer->type != OFFER_POINTS ? now : typical;
	if (offer->max_minor >= 0 && value.worth_minor > offer->max_minor)
		value.worth_minor = offer->max_minor;
	value.cost_minor = (1.0 - offer->funded) * (double)value.worth_minor;

	/* The most: an amount can never save more than its depth, the others up to max. */
	most = offer->max_minor;
	if (most < 0 || (offer->type == OFFER_AMOUNT && depth < most))
		most = typical > value.worth_minor ? typical : value.worth_minor;
	value.hold_minor = our_share_up(most, offer->funded);
	return value;
}

size_t
offer_depths(const struct offer *offer, const struct card *own, int64_t basket_minor,
    int64_t depths[static DEPTHS_MAX])
{
	size_t count = 0;

	/* A shown depth stays: the associate has said it aloud. */
	if (own != NULL && own->depth != 0) {
		depths[0] = own->depth;
		return 1;
	}
	if (offer->tier_count > 0) {
		int64_t from = INT64_MIN;

		for (size_t i = 0; i < offer->tier_count; i++) {
			if (offer->tiers[i].from_minor > basket_minor ||
			    offer->tiers[i].from_minor < from)
				continue;
			from = offer->tiers[i].from_minor;
			depths[0] = offer->tiers[i].depth;
			count = 1;
		}
		if (count > 0)
			return count;
	}
	for (; count < offer->ladder_count && count < DEPTHS_MAX; count++)
		depths[count] = offer->ladder[count];
	return count;
}
