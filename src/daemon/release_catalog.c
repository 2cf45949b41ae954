/* SPDX-License-Identifier: Apache-2.0
 *
 * release_catalog.c - a catalog that was fetched, checked in a child process.
 */
#include "daemon/release.h"

#include <string.h>

static bool
is_named(const struct track *track)
{
	return strcmp(catalog_is(track->catalog)->hash,
		   track->release.bundles[BUNDLE_CATALOG].hash) == 0;
}

static void
on_checked(evutil_socket_t fd, short what, void *ctx)
{
	struct track *track = ctx;
	struct err err = { 0 };
	int rc;

	(void)fd;
	(void)what;
	event_free(track->event);
	track->event = NULL;
	rc = catalog_job_finish(&track->catalog_job, track->daemon->conf.country, &track->catalog,
	    &err);
	track->catalog_job.beside.pid = -1;
	if (rc != AISLE_E_FULL && rc != AISLE_E_IO && (rc != 0 || !is_named(track)) &&
	    release_fetch_anew(track, BUNDLE_CATALOG))
		return;
	if (rc != 0)
		release_refuse(track,
		    rc == AISLE_E_FULL			? REFUSED_DEADLINE
			: track->catalog_job.other_kind ? REFUSED_WRONG_KIND
							: REFUSED_SCHEMA,
		    err.text);
	else if (!is_named(track))
		release_refuse(track, REFUSED_WRONG_HASH,
		    "the catalog has not the hash that the release names");
	else
		release_go_on_examining(track);
}

void
release_examine_catalog(struct track *track)
{
	struct daemon *daemon = track->daemon;
	struct err err = { 0 };

	if (catalog_job_start(track->path[BUNDLE_CATALOG], daemon->conf.exam_ms,
		&track->catalog_job, &err) != 0) {
		track->catalog_job.beside.pid = -1;
		release_hold(track, REFUSED_IO, err.text);
		return;
	}
	track->event =
	    event_new(daemon->base, track->catalog_job.beside.fd, EV_READ, on_checked, track);
	event_add(track->event,
	    &(struct timeval){ .tv_sec = (time_t)(daemon->conf.exam_ms / S_MS) + 1 });
}
