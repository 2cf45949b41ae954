/* SPDX-License-Identifier: Apache-2.0
 *
 * report_rings.c - which ring a store is in, as its health said last.
 */
#include "tools/report_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hq/reading.h"

static int
by_store(const void *a, const void *b)
{
	return strcmp(((const struct fleet_store *)a)->store,
	    ((const struct fleet_store *)b)->store);
}

/* As stores said by the time of the last sale. */
int
report_rings(struct report_work *run, struct err *err)
{
	int rc;

	if (run->has_rings || reading_lines(run->options->from))
		return 0;
	run->has_rings = true;
	run->fleet.now_ms = run->sales.last_ms;
	rc = fleet_read(run->options->from, &run->fleet, err);
	if (rc == 0 && run->fleet.count > 1)
		qsort(run->fleet.stores, run->fleet.count, sizeof(*run->fleet.stores), by_store);
	return rc;
}

/* NULL: in none, or none is known. */
const char *
report_ring(const void *ctx, const char *store)
{
	const struct report_work *run = ctx;
	struct fleet_store key = { 0 };
	const struct fleet_store *found;

	snprintf(key.store, sizeof(key.store), "%s", store);
	found = run->fleet.count > 0 ? bsearch(&key, run->fleet.stores, run->fleet.count,
					   sizeof(*run->fleet.stores), by_store)
				     : NULL;
	return found != NULL && found->ring[0] != '\0' ? found->ring : NULL;
}
