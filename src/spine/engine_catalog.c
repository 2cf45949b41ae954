/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_catalog.c - the catalog in force, and what it says of the goods of an event.
 *
 * DESIGN
 *   An article is looked up when its line is taken, and what is found is kept with the line: a
 *   catalog of later changes no basket, and a replay with the same catalog gives the same bytes.
 *   What the till says wins; a mark only adds.
 */
#include "spine/spine.h"

#include <string.h>

#include "core/metrics.h"
#include "core/unicode.h"
#include "nouns/catalog.h"
#include "nouns/match.h"

int
engine_set_catalog(struct engine *engine, struct catalog *catalog, bool persist, struct err *err)
{
	const char *hash = catalog != NULL ? catalog_is(catalog)->hash : "";
	int rc = persist ? store_begin(engine->store) : 0;

	/* As of bundles: the one in force was good, and is no way back from itself. */
	if (persist && rc == 0 && engine->catalog != NULL &&
	    strcmp(catalog_is(engine->catalog)->hash, hash) != 0)
		rc = store_meta_set(engine->store, "catalog_last_good",
		    catalog_is(engine->catalog)->hash, 64);
	if (persist && rc == 0)
		rc = store_meta_set(engine->store, "catalog", hash, strlen(hash));
	if (persist && rc == 0)
		rc = store_commit(engine->store);
	if (rc != 0) {
		store_rollback(engine->store);
		return err_set(err, rc, "the new catalog could not be recorded in the state");
	}
	catalog_free(engine->catalog);
	engine->catalog = catalog;
	return 0;
}

const struct catalog *
engine_catalog(const struct engine *engine)
{
	return engine->catalog;
}

/* ---- the goods of an event ---- */

/* By what names the article, else by what else is known of it: a GTIN, or the sku that stood beside
 * one. */
static bool
find(struct engine *engine, const struct event_item *item, json_t *data,
    struct catalog_article *ret)
{
	const char *said = json_string_value(json_object_get(data, "sku"));

	return catalog_find(engine->catalog, item->sku, ret) ||
	    catalog_find(engine->catalog, item->item, ret) ||
	    (said != NULL && catalog_find(engine->catalog, unicode_nfc(engine->arena, said), ret));
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

static void
fill(struct engine *engine, struct event_item *item, json_t *data, bool is_line)
{
	struct catalog_article found;

	if (!find(engine, item, data, &found)) {
		metrics_add(METRIC_CATALOG_UNKNOWN, 1);
		return;
	}
	metrics_add(METRIC_CATALOG_FOUND, 1);
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
}

void
goods_look_up(struct engine *engine, struct event *event)
{
	json_t *items = json_object_get(event->data, "items");

	if (engine->catalog == NULL)
		return;
	if (event->type == EV_BASKET_ITEM_ADDED)
		fill(engine, &event->item, event->data, true);
	if (event->type != EV_RETURN_COMPLETED)
		return;
	for (size_t i = 0; i < event->item_count; i++)
		fill(engine, &event->items[i], json_array_get(items, i), false);
}
