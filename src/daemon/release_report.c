/* SPDX-License-Identifier: Apache-2.0
 *
 * release_report.c - where the releases stand, for status, the doctor and headquarters.
 */
#include "daemon/release.h"

static void
add_track(const struct track *track, struct json_writer *w, const char *name)
{
	json_add_object(w, name);
	json_add_str(w, "channel", track->daemon->conf.hq_channel);
	if (track->state != RELEASE_NONE)
		json_add_int(w, "sequence", track->release.sequence);
	json_add_str(w, "state", release_state_name(track->state));
	if (track->why != REFUSED_NONE) {
		json_add_str(w, "why", refusal_name(track->why));
		json_opt_str(w, "detail", track->detail);
	}
	json_opt_str(w, "shadow", track->shadow_says);
	json_end(w);
}

static void
add_good(struct daemon *daemon, struct json_writer *w)
{
	const struct policy *policy = engine_policy(daemon->engine);
	const struct track *track = daemon->releases != NULL ? &daemon->releases->tracks[0] : NULL;

	if (policy == NULL) {
		json_add_null(w, "good");
		return;
	}
	json_add_object(w, "good");
	if (track != NULL && track->watched) {
		json_add_str(w, "name", track->back.name);
		json_add_int(w, "version", track->back.version);
		json_add_str(w, "hash", track->back.hash);
	} else {
		json_add_str(w, "name", policy->name);
		json_add_int(w, "version", policy->version);
		json_add_str(w, "hash", policy->hash);
	}
	json_end(w);
}

void
daemon_release_report(struct daemon *daemon, struct json_writer *w)
{
	if (daemon->releases != NULL) {
		add_track(&daemon->releases->tracks[0], w, "release");
		if (daemon->releases->tracks[1].state != RELEASE_NONE)
			add_track(&daemon->releases->tracks[1], w, "own_release");
	}
	add_good(daemon, w);
}

bool
daemon_release_says(struct daemon *daemon, char text[static 400])
{
	const struct track *track = daemon->releases != NULL ? &daemon->releases->tracks[0] : NULL;
	bool well;

	if (track == NULL) {
		snprintf(text, 400, "none: [hq] root is not set, bundles are installed by hand");
		return true;
	}
	well = track->why == REFUSED_NONE || track->why == REFUSED_NOT_FOR_US;
	if (track->state == RELEASE_NONE && well)
		snprintf(text, 400, "none yet of channel %s", track->daemon->conf.hq_channel);
	else
		snprintf(text, 400, "%s %lld is %s%s%s%s%s", track->daemon->conf.hq_channel,
		    (long long)track->release.sequence, release_state_name(track->state),
		    well ? "" : "; ", well ? "" : refusal_name(track->why), well ? "" : ": ",
		    well ? "" : track->detail);
	return well;
}
