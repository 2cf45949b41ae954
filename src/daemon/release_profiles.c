/* SPDX-License-Identifier: Apache-2.0
 *
 * release_profiles.c - profiles that were fetched for this store are taken over: loop_profiles.c does
 * it beside the loop. They replace what headquarters said before, so that nothing is on probation.
 */
#include "daemon/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/metrics.h"

/* A newer release may come meanwhile: it is no matter of that one. */
struct taking {
	struct track *track;
	int64_t sequence;
};

static void
on_taken(void *ctx, int rc, const struct err *err)
{
	struct taking taking = *(struct taking *)ctx;
	struct track *track = taking.track;

	free(ctx);
	if (track->state != RELEASE_EXAMINING || track->release.sequence != taking.sequence)
		return;
	if (rc == 0) {
		release_take_step(track, RELEASE_KEPT);
		release_drop_files(track);
		release_answer(track, NULL);
		metrics_add(METRIC_BUNDLES_INSTALLED, 1);
	} else if (rc == AISLE_E_FULL || rc == AISLE_E_IO) {
		release_hold(track, REFUSED_IO, err->text);
	} else {
		release_refuse(track,
		    profiles_gap(track->daemon->profiles) ? REFUSED_GAP : REFUSED_SCHEMA,
		    err->text);
	}
}

bool
release_has_profiles(const struct track *track)
{
	char version[24];

	snprintf(version, sizeof(version), "%lld",
	    (long long)profiles_version(track->daemon->profiles));
	return !daemon_wants_snapshot(track->daemon) &&
	    strcmp(track->release.bundles[BUNDLE_PROFILES].version, version) == 0;
}

void
release_take_profiles(struct track *track)
{
	struct taking *taking;
	struct err err = { 0 };

	if (release_in_time(&track->release, daemon_now_ms(track->daemon), NULL, &err) != 0) {
		release_fail(track, REFUSED_EXPIRED, err.text);
		return;
	}
	taking = mem_alloc(sizeof(*taking));
	*taking = (struct taking){ track, track->release.sequence };
	daemon_profiles_take(track->daemon, track->path[BUNDLE_PROFILES], on_taken, taking);
}
