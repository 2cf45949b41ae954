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

static void
passed(struct track *track)
{
	track->policy_passed = true;
	release_go_on_examining(track);
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
		passed(track);
	else
		release_refuse(track, REFUSED_SHADOW, says.data);
	buf_done(&says);
}

/* ---- the exam ---- */

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
	if ((why == REFUSED_SCHEMA ||
		(hash[0] != '\0' && strcmp(hash, bundle_of(track)->hash) != 0)) &&
	    release_fetch_anew(track, BUNDLE_POLICY))
		return;
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
	if (engine_policy(track->daemon->engine) == NULL)
		passed(track);
	else
		track->shadow =
		    shadow_start(track->daemon, track->path[BUNDLE_POLICY], on_shadow, track);
}

static void
examine(struct track *track)
{
	struct daemon *daemon = track->daemon;
	struct err err = { 0 };

	if (bundle_job_start(track->path[BUNDLE_POLICY], keys_data(engine_keys(daemon->engine)),
		daemon->conf.exam_ms, &track->job, &err) != 0) {
		release_hold(track, REFUSED_IO, err.text);
		return;
	}
	track->event = event_new(daemon->base, track->job.fd, EV_READ, on_examined, track);
	event_add(track->event,
	    &(struct timeval){ .tv_sec = (time_t)(daemon->conf.exam_ms / S_MS) + 1 });
}

/* ---- all of it ---- */

/* What is in force already has passed. */
static bool
has_policy_to_examine(const struct track *track)
{
	const struct policy *policy = engine_policy(track->daemon->engine);

	return bundle_of(track)->named && !track->policy_passed &&
	    (policy == NULL || strcmp(policy->hash, bundle_of(track)->hash) != 0);
}

static bool
has_catalog_to_examine(const struct track *track)
{
	const struct release_bundle *bundle = &track->release.bundles[BUNDLE_CATALOG];
	const struct catalog *catalog = engine_catalog(track->daemon->engine);

	return bundle->named && track->catalog == NULL &&
	    (catalog == NULL || strcmp(catalog_is(catalog)->hash, bundle->hash) != 0);
}

void
release_go_on_examining(struct track *track)
{
	if (has_policy_to_examine(track))
		examine(track);
	else if (has_catalog_to_examine(track))
		release_examine_catalog(track);
	else
		release_switch(track);
}

void
release_examine(struct track *track)
{
	track->policy_passed = false;
	release_take_step(track, RELEASE_BEGUN);
	if (track->release.bundles[BUNDLE_PROFILES].named)
		release_take_profiles(track); /* alone: release_topic() has seen to it */
	else
		release_go_on_examining(track);
}
