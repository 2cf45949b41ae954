/* SPDX-License-Identifier: Apache-2.0
 *
 * release_track.c - a release takes a step, and whoever asks is told.
 */
#include "daemon/release.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/log.h"
#include "core/metrics.h"
#include "sync/bundle_image.h"

#define AGAIN_MS (10 * MIN_MS)

void
release_stop_examining(struct track *track)
{
	if (track->job.pid > 0)
		beside_stop(&track->job);
	if (track->catalog_job.beside.pid > 0)
		catalog_job_stop(&track->catalog_job);
	track->catalog_job.beside.pid = -1;
	catalog_free(track->catalog);
	track->catalog = NULL;
	if (track->event != NULL)
		event_free(track->event);
	track->event = NULL;
	shadow_stop(track->shadow);
	track->shadow = NULL;
}

void
release_answer(struct track *track, const char *why_not)
{
	struct control_request *request = track->request;
	struct buf json = { 0 };
	struct json_writer *w = JSON_OBJECT(&json);

	track->request = NULL;
	if (request == NULL) {
		buf_done(&json);
		return;
	}
	if (why_not != NULL) {
		control_fail(request, EX_NOPERM, why_not);
	} else if (track->own) {
		json_add_int(w, "profiles", profiles_count(track->daemon->profiles));
		json_add_int(w, "version", profiles_version(track->daemon->profiles));
		json_end(w);
		control_reply(request, json.data);
	} else {
		daemon_policy_json(track->daemon, w);
		daemon_catalog_json(track->daemon, w);
		json_end(w);
		control_reply(request, json.data);
	}
	buf_done(&json);
}

/* ---- what is said ---- */

void
release_say(struct track *track, enum refusal why, const char *detail)
{
	track->why = why;
	snprintf(track->detail, sizeof(track->detail), "%.*s", (int)sizeof(track->detail) - 1,
	    detail);
}

static bool
is_in_place(const struct track *track, int kind)
{
	char place[512];

	if (kind == BUNDLE_CATALOG)
		daemon_catalog_path(track->daemon, track->release.bundles[kind].hash, place);
	else
		daemon_bundle_path(track->daemon, track->release.bundles[kind].hash, "", place);
	return strcmp(track->path[kind], place) == 0;
}

void
release_give_back(struct track *track, int kind)
{
	if (track->fetched[kind])
		daemon_fetch_stop(track->daemon, track->release.bundles[kind].hash);
	track->fetched[kind] = false;
	track->path[kind][0] = '\0';
}

void
release_drop_files(struct track *track)
{
	char image[520];

	for (int kind = 0; kind < BUNDLE_KINDS; kind++) {
		if (track->path[kind][0] != '\0' && !is_in_place(track, kind)) {
			snprintf(image, sizeof(image), "%s" BUNDLE_IMAGE_TAIL, track->path[kind]);
			unlink(image);
			if (!track->fetched[kind])
				unlink(track->path[kind]); /* handed in */
		}
		release_give_back(track, kind);
	}
}

void
release_keep(struct track *track)
{
	if (release_record_save(track) != 0)
		log_warning("where a release stands cannot be kept");
}

void
release_take_step(struct track *track, enum release_event event)
{
	enum release_state before = track->state;

	track->state = release_step(before, event);
	if (track->state == before)
		return;
	log_info("release %s channel=%s sequence=%lld%s", release_state_name(track->state),
	    track->release.channel, (long long)track->release.sequence,
	    track->own ? " own=yes" : "");
	if (!release_is_running(track->state))
		release_keep(track);
}

void
release_refuse(struct track *track, enum refusal why, const char *detail)
{
	metrics_refused(why);
	release_fail(track, why, detail);
}

void
release_fail(struct track *track, enum refusal why, const char *detail)
{
	release_stop_examining(track);
	release_say(track, why, detail);
	metrics_add(METRIC_BUNDLES_REFUSED, 1);
	log_error("a release was refused channel=%s sequence=%lld why=%s: %s",
	    track->release.channel, (long long)track->release.sequence, refusal_name(why), detail);
	release_drop_files(track);
	release_take_step(track, RELEASE_FAILED);
	release_answer(track, track->detail);
}

void
release_hold(struct track *track, enum refusal why, const char *detail)
{
	release_stop_examining(track);
	release_say(track, why, detail);
	log_warning("a release waits channel=%s sequence=%lld why=%s: %s", track->release.channel,
	    (long long)track->release.sequence, refusal_name(why), detail);
	track->again_ms = daemon_mono_ms() + AGAIN_MS;
	release_take_step(track, RELEASE_HELD);
	release_answer(track, track->detail);
}

bool
release_fetch_anew(struct track *track, int kind)
{
	if (track->fetched[kind] || !is_in_place(track, kind))
		return false;
	unlink(track->path[kind]);
	track->path[kind][0] = '\0';
	release_hold(track, REFUSED_WRONG_HASH,
	    "what lay here of an older release is damaged, and comes anew");
	track->again_ms = 0;
	return true;
}
