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
#include "nouns/catalog.h"

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
	engine_bar(engine);
	return 0;
}

const struct catalog *
engine_catalog(const struct engine *engine)
{
	return engine->catalog;
}

/* ---- the goods of an event ---- */

static void
fill(struct engine *engine, struct event_item *item, json_t *data, bool is_line)
{
	bool found = catalog_fill(engine->catalog, engine->arena, item, data, is_line);

	metrics_add(found ? METRIC_CATALOG_FOUND : METRIC_CATALOG_UNKNOWN, 1);
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
