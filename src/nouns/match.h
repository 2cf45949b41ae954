/* SPDX-License-Identifier: Apache-2.0
 *
 * match.h - what a policy means by a category, a brand, an item: one meaning for offers, goals,
 * features, sensitive categories and training.
 */
#ifndef AISLE_NOUNS_MATCH_H
#define AISLE_NOUNS_MATCH_H

#include "aisle/policy.h"
#include "aisle/visit.h"

struct arena;

/* The one name of an item: a GTIN of 8, 11, 12 or 13 digits has 14, as lines carry it; everything
 * else is a sku, composed (NFC) and without white space around it. */
const char *item_name(struct arena *arena, const char *text);
/* item: of a line or a purchase. A GTIN with and without its leading zeros is the same item. */
bool item_is(const char *item, const char *wanted);
/* An order of items, by their GTIN where they have one: 0 is the same item. */
int item_compare(const char *a, const char *b);
/* The article: its sku, else its GTIN (""), for a sku stands beside a GTIN only where that is the
 * shop's own code. NULL: neither. */
const char *article_of(const char *gtin, const char *sku);
/* Of a line; NULL: a void that came before its line. */
const char *line_item(const struct line *line);
/* NULL: none. All that one object of the policy names, any object of a list. */
bool match_goods(const struct match *match, const char *category, const char *brand,
    const char *item);
bool match_line(const struct match *match, const struct line *line);
/* Is it of the goods that the offer is for: included, and not excluded? */
bool match_offer(const struct offer *offer, const struct line *line);

/* Does it say nothing of the goods: "", or a word that tills send where they have none? */
bool category_is_none(const char *category);
/* Is it this category, or below it? */
static inline bool
category_within(const char *category, const char *above)
{
	while (*above != '\0' && *category == *above) {
		category++;
		above++;
	}
	return *above == '\0' && (*category == '\0' || *category == '/');
}

#endif
