/* SPDX-License-Identifier: Apache-2.0
 *
 * offer_lines.c - what lies in a basket for an offer: once for all offers about the same goods.
 */
#include "core/of_two.h"
#include "decide/basis.h"
#include "nouns/visit.h"

/* What coupons took off the very goods; not positive. */
static int64_t
coupons_on(const struct offer *offer, const struct basis *basis)
{
	int64_t minor = 0;

	for (size_t i = 0; basis->has_coupons && i < basis->visit->line_count; i++)
		if (basis->visit->lines[i].amount_minor < 0 && basis_concerns(basis, offer, i))
			minor += basis->visit->lines[i].amount_minor;
	return minor;
}

/* What accepted offers may take of the lines that qualify for this one: all that they take, as far
 * as they share lines. */
static int64_t
taken_of(const struct basis *basis, const struct offer_lines *lines)
{
	int64_t taken = 0;

	for (size_t t = 0; t < basis->taking_count; t++) {
		const struct taking *taking = &basis->takings[t];
		int64_t shared = 0;

		for (size_t i = 0; shared < taking->minor && i < lines->count; i++)
			if (taking->offer == NULL ||
			    basis_qualifies(basis, taking->offer, lines->line[i]))
				shared += basis->visit->lines[lines->line[i]].amount_minor;
		taken += smaller_of(shared, taking->minor);
	}
	return taken;
}

void
offer_lines_find(const struct offer *offer, const struct basis *basis, uint16_t *room,
    struct offer_lines *ret)
{
	size_t count = 0;

	*ret = (struct offer_lines){ .line = room, .margins = true };
	for (size_t i = basis_next(basis, offer, 0); i < basis->visit->line_count;
	     i = basis_next(basis, offer, i + 1)) {
		const struct line *line = &basis->visit->lines[i];

		room[count++] = (uint16_t)i;
		ret->qualifying_minor += line->amount_minor;
		ret->margin_minor += line->margin_minor;
		ret->margins = ret->margins && line->has_margin;
	}
	ret->count = count;
	if (count == 0)
		return;
	ret->coupons_minor = coupons_on(offer, basis);
	ret->taken_minor = taken_of(basis, ret);
}
