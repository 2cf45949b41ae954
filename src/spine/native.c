/* SPDX-License-Identifier: Apache-2.0
 *
 * native.c - tablets that speak over the broker: which of them may, and for which stations?
 *
 * DESIGN
 *   The broker's access list binds a topic to its client, so the topic's name is
 *   the tablet's. Whether there is such a tablet is the store's to say: it was
 *   paired, or made known, and not revoked since. There are tens of tablets and
 *   a few taps a minute: the rows are walked, nothing is cached that a
 *   revocation would have to find.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/id.h"

/* Separated by commas; "": all of them. */
static bool
covers(const char *stations, const char *station)
{
	size_t len = strlen(station);

	if (stations[0] == '\0')
		return true;
	for (const char *at = stations; at != NULL; at = strchr(at, ',')) {
		if (*at == ',')
			at++;
		if (strncmp(at, station, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return false;
}

struct native_walk {
	const char *name, *station;
	bool may;
};

static int
look_at_tablet(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	struct native_walk *walk = ctx;
	struct rd rd = rd_init(body, len);
	char *name = rd_str(&rd), *stations = rd_str(&rd);

	(void)key;
	(void)subject;
	(void)at_ms;
	if (name != NULL && stations != NULL && rd_done(&rd) && strcmp(name, walk->name) == 0 &&
	    (walk->station == NULL || covers(stations, walk->station)))
		walk->may = true;
	free(name);
	free(stations);
	return walk->may ? 1 : 0;
}

bool
native_may(struct engine *engine, const char *name, const char *station)
{
	struct native_walk walk = { .name = name, .station = station };

	/* What is read from a file was heard before. */
	if (!engine->live)
		return true;
	engine_check(engine, store_each(engine->store, STORE_TABLET, 0, look_at_tablet, &walk));
	return walk.may;
}

int
native_add(struct store *store, const char *name, const char *stations, int64_t now_ms)
{
	struct buf body = { 0 };
	const char *parts[] = { "native", name };
	struct id key = hash_parts(parts, ARRAY_LEN(parts));
	int rc = store_begin(store);

	buf_str(&body, name);
	buf_str(&body, stations);
	if (rc == 0)
		rc = store_put(store, STORE_TABLET, &key, NULL, now_ms, 0, body.data, body.len);
	if (rc == 0)
		rc = store_commit(store);
	if (rc != 0)
		store_rollback(store);
	buf_done(&body);
	return rc;
}
