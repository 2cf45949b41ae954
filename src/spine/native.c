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

/* Separated by commas. */
static bool
covers(const char *stations, const char *station)
{
	size_t len = strlen(station);

	for (const char *at = stations; at != NULL; at = strchr(at, ',')) {
		if (*at == ',')
			at++;
		if (strncmp(at, station, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return false;
}

struct native_walk {
	const char *name;
	struct native *ret;
};

/* A name may have been paired and made known as well: it has the stations of both. */
static int
look_at_tablet(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	struct native_walk *walk = ctx;
	struct native *native = walk->ret;
	struct rd rd = rd_init(body, len);
	char *name = rd_str(&rd), *stations = rd_str(&rd);

	(void)key;
	(void)subject;
	(void)at_ms;
	if (name != NULL && stations != NULL && rd_done(&rd) && strcmp(name, walk->name) == 0) {
		native->all = native->all || stations[0] == '\0';
		buf_add(&native->stations, ",", native->known ? 1 : 0);
		buf_add(&native->stations, stations, strlen(stations));
		native->known = true;
	}
	free(name);
	free(stations);
	return native->all ? 1 : 0;
}

void
native_read(struct engine *engine, const char *name, struct native *ret)
{
	struct native_walk walk = { .name = name, .ret = ret };

	/* What is read from a file was heard before. */
	*ret = (struct native){ .known = !engine->live, .all = !engine->live };
	if (!engine->live)
		return;
	engine_check(engine, store_each(engine->store, STORE_TABLET, 0, look_at_tablet, &walk));
	buf_addc(&ret->stations, '\0');
}

bool
native_covers(const struct native *native, const char *station)
{
	return native->all || (native->known && covers(native->stations.data, station));
}

void
native_done(struct native *native)
{
	buf_done(&native->stations);
}

bool
native_may(struct engine *engine, const char *name, const char *station)
{
	struct native native;
	bool may;

	native_read(engine, name, &native);
	may = station != NULL ? native_covers(&native, station) : native.known;
	native_done(&native);
	return may;
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
