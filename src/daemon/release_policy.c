/* SPDX-License-Identifier: Apache-2.0
 *
 * release_policy.c - from a bundle that was fetched to the policy in force: compiled and examined in
 * a child process, tried on the store's own last sales in another, switched in one step.
 */
#include "daemon/release.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/metrics.h"
#include "sync/bundle_image.h"

static const struct release_bundle *
bundle_of(const struct track *track)
{
	return &track->release.bundles[BUNDLE_POLICY];
}

/* ---- the switch ---- */

/* The state as it will be once it is in force, which is written with the switch. */
static void
prepare(struct track *track, struct track *ret_next)
{
	const struct policy *policy = engine_policy(track->daemon->engine);
	struct track *next = ret_next;
	bool watched;

	*next = *track;
	if (next->back.hash[0] == '\0' && policy != NULL) {
		snprintf(next->back.name, sizeof(next->back.name), "%s", policy->name);
		memcpy(next->back.hash, policy->hash, sizeof(next->back.hash));
		next->back.version = policy->version;
	}
	watched = next->back.hash[0] != '\0' && track->release.bounds.probation_s > 0;
	next->state = release_step(track->state, watched ? RELEASE_SWITCHED : RELEASE_KEPT);
	next->switched_ms = daemon_now_ms(track->daemon);
	next->errors = 0;
	next->why = REFUSED_NONE;
	next->detail[0] = '\0';
	release_watch_begin(track, &next->before);
}

static int
put_in_force(struct track *track, struct track *next, struct err *err)
{
	struct switch_note note = { 0 };
	struct buf record = { 0 };
	char path[512];
	int rc = daemon_move_in(track->daemon, track->path[BUNDLE_POLICY], bundle_of(track)->hash,
	    path, err);

	if (rc != 0)
		return rc;
	snprintf(track->path[BUNDLE_POLICY], sizeof(track->path[BUNDLE_POLICY]), "%s", path);
	release_record_write(next, &record);
	release_record_names(next, note.names);
	note.value = record.data;
	note.len = record.len;
	note.last_good = next->back.hash[0] != '\0' ? next->back.hash : NULL;
	rc = daemon_switch(track->daemon, path, track->has_image ? NULL : &track->no_image, &note,
	    err);
	buf_done(&record);
	return rc;
}

void
release_switch(struct track *track)
{
	const struct policy *policy = engine_policy(track->daemon->engine);
	char was[65] = "";
	struct track next;
	struct err err = { 0 };

	if (release_in_time(&track->release, daemon_now_ms(track->daemon), NULL, &err) != 0) {
		release_fail(track, REFUSED_EXPIRED, err.text);
		return;
	}
	if (policy != NULL)
		memcpy(was, policy->hash, sizeof(was));
	prepare(track, &next);
	if (put_in_force(track, &next, &err) != 0) {
		if (err.code == AISLE_E_IO || err.code == AISLE_E_FULL)
			release_hold(track, REFUSED_IO, err.text);
		else
			release_refuse(track, REFUSED_POLICY, err.text);
		return;
	}
	*track = next;
	release_drop_files(track);
	release_watch_begin(track, &track->at);
	metrics_add(METRIC_BUNDLES_INSTALLED, 1);
	log_notice("release %s channel=%s sequence=%lld", release_state_name(track->state),
	    track->release.channel, (long long)track->release.sequence);
	daemon_policy_switched(track->daemon);
	release_answer(track, NULL);
	if (track->state == RELEASE_GOOD || strcmp(was, track->back.hash) != 0)
		daemon_retire(track->daemon, was);
}

/* ---- the shadow replay ---- */

static void
on_shadow(void *ctx, const struct shadow_report *report, const struct err *err)
{
	struct track *track = ctx;
	struct buf says = { 0 };
	bool within = true;

	track->shadow = NULL;
	if (report != NULL)
		within = guard_shadow(&track->release.bounds, report, &says);
	else if (err->code == AISLE_E_REFUSED)
		within = false;
	buf_adds(&says, report != NULL ? "" : err->text);
	if (report != NULL && within && says.len == 0)
		buf_addf(&says,
		    "%lld sales: the same top card in %.3g %% of %lld decisions, %lld cards "
		    "instead "
		    "of %lld",
		    (long long)report->visits,
		    100.0 * (double)report->same / (double)report->decisions,
		    (long long)report->decisions, (long long)report->next.cards,
		    (long long)report->now.cards);
	snprintf(track->shadow_says, sizeof(track->shadow_says), "%s", says.data);
	log_notice("shadow replay channel=%s sequence=%lld: %s", track->release.channel,
	    (long long)track->release.sequence, says.data);
	if (within)
		release_switch(track);
	else
		release_refuse(track, REFUSED_SHADOW, says.data);
	buf_done(&says);
}

/* ---- the exam ---- */

static void
passed(struct track *track)
{
	if (engine_policy(track->daemon->engine) == NULL) {
		release_switch(track);
		return;
	}
	track->shadow = shadow_start(track->daemon, track->path[BUNDLE_POLICY], on_shadow, track);
}

static void
on_examined(evutil_socket_t fd, short what, void *ctx)
{
	struct track *track = ctx;
	struct err err = { 0 };
	enum refusal why;
	char hash[65] = "";
	int rc = bundle_job_finish(&track->job, hash, &why, &err);

	(void)fd;
	(void)what;
	event_free(track->event);
	track->event = NULL;
	if (rc != 0 && rc != AISLE_E_NONE) {
		/* What its compiler dies of, it dies of again. */
		release_refuse(track, why == REFUSED_IO ? REFUSED_EXAM : why, err.text);
		return;
	}
	if (strcmp(hash, bundle_of(track)->hash) != 0) {
		release_refuse(track, REFUSED_WRONG_HASH,
		    "the file has not the hash that the release names");
		return;
	}
	track->has_image = rc == 0;
	track->no_image = err;
	passed(track);
}

void
release_examine(struct track *track)
{
	struct daemon *daemon = track->daemon;
	struct err err = { 0 };

	if (track->release.bundles[BUNDLE_CATALOG].named ||
	    track->release.bundles[BUNDLE_PROFILES].named) {
		release_refuse(track, REFUSED_WRONG_KIND,
		    "this version takes bundles of the kind policy over the air, no others yet");
		return;
	}
	if (bundle_job_start(track->path[BUNDLE_POLICY], keys_data(engine_keys(daemon->engine)),
		daemon->conf.exam_ms, &track->job, &err) != 0) {
		release_hold(track, REFUSED_IO, err.text);
		return;
	}
	release_take_step(track, RELEASE_BEGUN);
	track->event = event_new(daemon->base, track->job.fd, EV_READ, on_examined, track);
	event_add(track->event,
	    &(struct timeval){ .tv_sec = (time_t)(daemon->conf.exam_ms / S_MS) + 1 });
}
