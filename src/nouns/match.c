/* SPDX-License-Identifier: Apache-2.0
 *
 * match.c - goods by category, brand and item.
 */
#include "nouns/match.h"

#include <string.h>
#include <strings.h>

#include "core/arena.h"
#include "core/unicode.h"
#include "nouns/gtin.h"

const char *
item_name(struct arena *arena, const char *text)
{
	char gtin[15];

	if (strlen(text) == 14 || !gtin_normalise(text, gtin))
		return unicode_nfc(arena, text);
	return arena_strdup(arena, gtin);
}

bool
item_is(const char *item, const char *wanted)
{
	size_t len = strlen(item), wanted_len = strlen(wanted);
	char gtin[15];

	if (len == wanted_len)
		return memcmp(item, wanted, len) == 0;
	/* The shorter may be the longer without its zeros. */
	return len < wanted_len
	    ? wanted_len == 14 && gtin_normalise(item, gtin) && strcmp(gtin, wanted) == 0
	    : len == 14 && gtin_normalise(wanted, gtin) && strcmp(gtin, item) == 0;
}

int
item_compare(const char *a, const char *b)
{
	char a_gtin[15], b_gtin[15];

	if (strlen(a) != 14 && gtin_normalise(a, a_gtin))
		a = a_gtin;
	if (strlen(b) != 14 && gtin_normalise(b, b_gtin))
		b = b_gtin;
	return strcmp(a, b);
}

const char *
article_of(const char *gtin, const char *sku)
{
	return sku != NULL ? sku : gtin[0] != '\0' ? gtin : NULL;
}

const char *
line_item(const struct line *line)
{
	return article_of(line->item, line->sku);
}

static bool
matches_all(const struct match *match, const char *category, const char *brand, const char *item)
{
	if (match->category != NULL &&
	    (category == NULL || !category_within(category, match->category)))
		return false;
	if (match->brand != NULL && (brand == NULL || strcmp(brand, match->brand) != 0))
		return false;
	return match->item == NULL || (item != NULL && item_is(item, match->item));
}

bool
match_goods(const struct match *match, const char *category, const char *brand, const char *item)
{
	for (; match != NULL && match->set; match = match->next)
		if (matches_all(match, category, brand, item))
			return true;
	return false;
}

bool
category_is_none(const char *category)
{
	static const char *const none[] = { "", "unknown", "uncategorised", "uncategorized", "none",
		"other", "misc" };

	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (strcasecmp(category, none[i]) == 0)
			return true;
	return false;
}

bool
match_line(const struct match *match, const struct line *line)
{
	return match_goods(match, line->category, line->brand, line_item(line));
}

bool
match_offer(const struct offer *offer, const struct line *line)
{
	return (!offer->include.set || match_line(&offer->include, line)) &&
	    !(offer->exclude.set && match_line(&offer->exclude, line));
}
