/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog_fill.c - what a catalog says of the goods of an event, where its sender says nothing.
 */
#include "nouns/catalog.h"

#include <string.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/unicode.h"
#include "nouns/match.h"

/* By what names the article, else by what else is known of it: a GTIN, or the sku that stood beside
 * one. */
static bool
find(const struct catalog *catalog, struct arena *arena, const struct event_item *item,
    json_t *data, struct catalog_article *ret)
{
	const char *said = json_string_value(json_object_get(data, "sku"));

	return catalog_find(catalog, item->sku, ret) || catalog_find(catalog, item->item, ret) ||
	    (said != NULL && catalog_find(catalog, unicode_nfc(arena, said), ret));
}

/* For whoever asks for members of the event. */
static void
tell(json_t *data, const char *name, json_t *value)
{
	CHECK(value != NULL && json_object_set_new(data, name, value) == 0);
}

static void
fill_margin(const struct catalog_article *found, struct event_item *item, json_t *data)
{
	if (item->has_margin)
		return;
	item->has_margin = catalog_margin(found, item->qty_milli, item->amount_minor,
	    item->discount_minor, &item->margin_minor);
	if (item->has_margin)
		tell(data, "margin", json_integer(item->margin_minor));
}

bool
catalog_fill(const struct catalog *catalog, struct arena *arena, struct event_item *item,
    struct json_t *data, bool is_line)
{
	struct catalog_article found;

	if (!find(catalog, arena, item, data, &found))
		return false;
	if (found.category != NULL && category_is_none(item->category)) {
		item->category = found.category;
		tell(data, "category", json_string(found.category));
	}
	if (found.brand != NULL && item->brand == NULL) {
		item->brand = found.brand;
		tell(data, "brand", json_string(found.brand));
	}
	if (found.name != NULL && item->name == NULL) {
		item->name = found.name;
		tell(data, "name", json_string(found.name));
	}
	item->mark = found.mark;
	if (is_line)
		fill_margin(&found, item, data);
	return true;
}
