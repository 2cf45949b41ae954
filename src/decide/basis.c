/* SPDX-License-Identifier: Apache-2.0
 *
 * basis.c - a basket as offers are valued on it: which lines there are to save on, and what has been
 * taken off them.
 *
 * DESIGN
 *   Goods that are marked (nouns/marks.h) are not there at all. Made once for all
 *   the offers of a decision; most of them are for a category of which no line
 *   is, which the beginnings of the lines' categories tell without a look at them.
 */
#include "decide/basis.h"

#include <string.h>

#include "core/id.h"
#include "core/of_two.h"
#include "core/text_prefix.h"
#include "nouns/marks.h"
#include "nouns/match.h"
#include "nouns/visit.h"
#include "policy/policy_load.h"

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

static void
look_at_lines(struct basis *basis, struct arena *arena, const struct marks *marks)
{
	const struct visit *visit = basis->visit;

	basis->touchable = arena_room(arena, visit->line_count);
	basis->begins.of = arena_room(arena, visit->line_count * sizeof(*basis->begins.of));
	for (size_t i = 0; i < visit->line_count; i++) {
		const struct line *line = &visit->lines[i];
		uint64_t begin = text_prefix(line->category);

		basis->touchable[i] = !line->voided && line->amount_minor >= -MONEY_MAX &&
		    line->amount_minor <= MONEY_MAX && line_mark(marks, line) == MARK_NONE;
		if (basis->touchable[i]) {
			basis->total_minor += line->amount_minor;
			basis->has_coupons |= line->amount_minor < 0;
		}
		basis->begins.of[i] = begin;
		for (unsigned place = 0; place < 8; place++) {
			unsigned bit = seen_bit(begin & UINT64_MAX >> (56 - 8 * place));

			basis->begins.seen[place][bit / 64] |= UINT64_C(1) << bit % 64;
		}
	}
}

static void
add_taking(struct basis *basis, const struct offer *offer, int64_t minor)
{
	basis->takings[basis->taking_count++] = (struct taking){ offer, minor };
	basis->taken_minor += minor;
}

/* What a line says that tokens of other visits took off in it. */
static int64_t
own_of_others(const struct visit *visit, const struct line *line)
{
	const char *at = line->own;
	int64_t minor = 0, part;
	struct id token;

	while (own_next(&at, &token, &part)) {
		bool here = false;

		for (size_t i = 0; i < visit->card_count && !here; i++)
			here = id_equal(&visit->cards[i].token, &token);
		minor += here ? 0 : part;
	}
	return minor;
}

/* What tokens of other visits took off the basket, as far as no line says it. */
static int64_t
taken_elsewhere(const struct visit *visit)
{
	int64_t minor = visit->elsewhere_minor;

	for (size_t i = 0; i < visit->line_count && minor > 0; i++) {
		const struct line *line = &visit->lines[i];

		minor -= line->voided ? 0 : own_of_others(visit, line);
	}
	return larger_of(minor, 0);
}

/* Accepted offers take what they said, whether the till has put it into its lines yet or not. */
static void
look_at_cards(struct basis *basis, struct arena *arena, const struct policy *policy)
{
	const struct visit *visit = basis->visit;
	int64_t minor = taken_elsewhere(visit);

	basis->takings = arena_room(arena, (visit->card_count + 1) * sizeof(*basis->takings));
	if (minor > 0)
		add_taking(basis, NULL, minor);
	for (size_t i = 0; i < visit->card_count; i++) {
		const struct card *card = &visit->cards[i];
		const struct action *action;

		/* Without a token the till was not asked yet. */
		if (card->depth == 0 || card->elsewhere || id_is_zero(&card->token) ||
		    !card_kept(card))
			continue;
		action = policy != NULL ? policy_action(policy, card->action) : NULL;
		if (action != NULL && action->offer.type == OFFER_POINTS)
			continue;
		minor = card->worth_minor - visit_taken_off(visit, &card->token);
		if (minor <= 0)
			continue;
		add_taking(basis, action != NULL && action->has_offer ? &action->offer : NULL,
		    minor);
	}
}

const struct basis *
basis_make(struct arena *arena, const struct policy *policy, uint32_t marks_off,
    const struct visit *visit)
{
	struct basis *basis = arena_alloc(arena, sizeof(*basis));
	struct marks marks = marks_of(policy, marks_off);

	basis->visit = visit;
	look_at_lines(basis, arena, &marks);
	look_at_cards(basis, arena, policy);
	return basis;
}

int64_t
basis_total(const struct basis *basis)
{
	return basis->total_minor;
}

/* May any line qualify, as far as the lines can say? */
static bool
lines_have(const struct basis *basis, const struct offer *offer)
{
	unsigned bit = seen_bit(offer->aim);

	return (basis->begins.seen[mask_place(offer->aim_mask)][bit / 64] >> bit % 64 & 1) != 0;
}

bool
basis_concerns(const struct basis *basis, const struct offer *offer, size_t i)
{
	return basis->touchable[i] && match_offer(offer, &basis->visit->lines[i]);
}

bool
basis_qualifies(const struct basis *basis, const struct offer *offer, size_t i)
{
	return basis->visit->lines[i].amount_minor > 0 && basis_concerns(basis, offer, i);
}

size_t
basis_next(const struct basis *basis, const struct offer *offer, size_t i)
{
	size_t count = basis->visit->line_count;
	uint64_t aim = offer->aim, mask = offer->aim_mask;

	if (mask == 0) {
		while (i < count && !basis_qualifies(basis, offer, i))
			i++;
		return i;
	}
	if (!lines_have(basis, offer))
		return count;
	/* A line whose category begins otherwise does not qualify. */
	while (i < count &&
	    (((basis->begins.of[i] ^ aim) & mask) != 0 || !basis_qualifies(basis, offer, i)))
		i++;
	return i;
}
