/* SPDX-License-Identifier: Apache-2.0
 *
 * release_switch.c - all that a release brings comes into force in one step between two turns, and
 * goes in one.
 *
 * DESIGN
 *   Which policy and which catalog are in force, the last good ones, and where the release stands
 *   are one transaction. Before it the files are in their places; after it memory follows.
 */
#include "daemon/release.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/metrics.h"

#define BACK_AGAIN_MS MIN_MS

/* What is written of a switch. */
struct step {
	struct switch_note note;
	struct buf record;
};

static void
add_row(struct switch_note *note, const char *name, const char *hash)
{
	CHECK(note->row_count < SWITCH_ROWS_MAX);
	note->rows[note->row_count].name = name;
	note->rows[note->row_count].value = hash;
	note->rows[note->row_count++].len = strlen(hash);
}

/* Hashes; "": none. */
static void
add_catalog(struct step *step, const char *catalog, const char *before)
{
	add_row(&step->note, "catalog", catalog);
	if (before[0] != '\0')
		add_row(&step->note, "catalog_last_good", before);
}

/* policy NULL: it stays. */
static int
write_step(struct track *track, const char *policy, const struct err *no_image,
    const struct step *step, struct err *err)
{
	int rc;

	if (policy != NULL)
		return daemon_switch(track->daemon, policy, no_image, &step->note, err);
	rc = engine_note(track->daemon->engine, &step->note);
	return rc == 0 ? 0 : err_set(err, rc, "the state cannot be written");
}

/* The state names it by now: this cannot fail. NULL: none. */
static void
take_catalog(struct track *track, struct catalog *catalog)
{
	struct err err = { 0 };

	CHECK(engine_set_catalog(track->daemon->engine, catalog, false, &err) == 0);
	daemon_catalog_switched(track->daemon);
}

/* ---- into force ---- */

/* As it will be once it is in force. */
static void
prepare(struct track *track, struct track *next)
{
	const struct policy *policy = engine_policy(track->daemon->engine);
	const struct catalog *catalog = engine_catalog(track->daemon->engine);
	bool watched;

	*next = *track;
	/* What is on probation is no way back; what was to be gone back to from there still is. */
	if (!track->watched) {
		next->back.hash[0] = next->back_catalog[0] = '\0';
		next->brings_catalog = false;
	}
	if (next->back.hash[0] == '\0' && policy != NULL) {
		snprintf(next->back.name, sizeof(next->back.name), "%s", policy->name);
		memcpy(next->back.hash, policy->hash, sizeof(next->back.hash));
		next->back.version = policy->version;
	}
	if (track->catalog != NULL && !next->brings_catalog && catalog != NULL)
		memcpy(next->back_catalog, catalog_is(catalog)->hash, sizeof(next->back_catalog));
	next->brings_catalog = next->brings_catalog || track->catalog != NULL;
	watched = next->back.hash[0] != '\0' && track->release.bounds.probation_s > 0;
	next->watched = watched;
	next->watched_sequence = track->release.sequence;
	next->bounds = track->release.bounds;
	if (track->policy_passed)
		memcpy(next->watched_policy, track->release.bundles[BUNDLE_POLICY].hash,
		    sizeof(next->watched_policy));
	else if (policy != NULL)
		memcpy(next->watched_policy, policy->hash, sizeof(next->watched_policy));
	next->state = release_step(track->state, watched ? RELEASE_SWITCHED : RELEASE_KEPT);
	next->switched_ms = daemon_now_ms(track->daemon);
	next->errors = 0;
	next->why = REFUSED_NONE;
	next->detail[0] = '\0';
	release_watch_begin(track, &next->before);
}

static int
move_files(struct track *track, char policy[static 512], struct err *err)
{
	const struct release_bundle *bundles = track->release.bundles;
	char path[512];
	int rc = 0;

	policy[0] = '\0';
	if (track->policy_passed)
		rc = daemon_move_in(track->daemon, track->path[BUNDLE_POLICY],
		    bundles[BUNDLE_POLICY].hash, policy, err);
	if (rc == 0 && policy[0] != '\0')
		memcpy(track->path[BUNDLE_POLICY], policy, 512);
	if (rc != 0 || track->catalog == NULL)
		return rc;
	rc = daemon_catalog_move_in(track->daemon, track->path[BUNDLE_CATALOG],
	    bundles[BUNDLE_CATALOG].hash, path, err);
	if (rc == 0)
		memcpy(track->path[BUNDLE_CATALOG], path, 512);
	return rc;
}

static int
put_in_force(struct track *track, struct track *next, struct err *err)
{
	struct step step = { 0 };
	char policy[512];
	int rc = move_files(track, policy, err);

	if (rc != 0)
		return rc;
	memcpy(next->path, track->path, sizeof(next->path));
	if (next->back.hash[0] != '\0')
		step.note.last_good = next->back.hash;
	if (track->catalog != NULL)
		add_catalog(&step, catalog_is(track->catalog)->hash, next->back_catalog);
	release_record_note(next, &step.note, &step.record);
	rc = write_step(track, policy[0] != '\0' ? policy : NULL,
	    track->has_image ? NULL : &track->no_image, &step, err);
	if (rc == 0 && track->catalog != NULL)
		take_catalog(track, track->catalog);
	buf_done(&step.record);
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
	next.catalog = NULL; /* it is the engine's */
	*track = next;
	release_drop_files(track);
	release_watch_begin(track, &track->at);
	metrics_add(METRIC_BUNDLES_INSTALLED, 1);
	log_notice("release %s channel=%s sequence=%lld", release_state_name(track->state),
	    track->release.channel, (long long)track->release.sequence);
	if (track->policy_passed)
		daemon_policy_switched(track->daemon);
	release_answer(track, NULL);
	if (track->policy_passed &&
	    (track->state == RELEASE_GOOD || strcmp(was, track->back.hash) != 0))
		daemon_retire(track->daemon, was);
}

/* ---- and back ---- */

static int
write_back(struct track *track, struct track *next, bool policy, struct err *err)
{
	struct step step = { .note.last_good = track->back.hash };
	char path[512];
	int rc;

	/* What it goes back to is all that was good. */
	if (track->brings_catalog)
		add_catalog(&step, track->back_catalog, track->back_catalog);
	release_record_note(next, &step.note, &step.record);
	daemon_bundle_path(track->daemon, track->back.hash, "", path);
	rc = write_step(track, policy ? path : NULL, NULL, &step, err);
	buf_done(&step.record);
	return rc;
}

/* The catalog before it, read by a child; the loop waits for it, this once. */
static int
old_catalog(struct track *track, struct catalog **ret, struct err *err)
{
	struct catalog_job job;
	char path[512];
	int rc;

	daemon_catalog_path(track->daemon, track->back_catalog, path);
	rc = catalog_job_start(path, track->daemon->conf.exam_ms, &job, err);
	return rc == 0 ? catalog_job_finish(&job, track->daemon->conf.country, ret, err) : rc;
}

/* What is in the way may pass, a full disk or one that does not answer: until the end of the time on probation it is
 * tried again. */
static void
stay(struct track *track, struct catalog *catalog, const char *says, const struct err *err)
{
	bool again = (err->code == AISLE_E_FULL || err->code == AISLE_E_IO) &&
	    !release_watched_long_enough(track);

	catalog_free(catalog);
	log_error("a release is beyond its bounds (%s), and what was before it cannot be used%s: "
		  "%s",
	    says, again ? " now" : "", err->text);
	release_say(track, REFUSED_PROBATION, says);
	if (again)
		track->back_ms = daemon_mono_ms() + BACK_AGAIN_MS;
	else
		release_watch_end(track);
}

void
release_go_back(struct track *track, const char *says)
{
	const struct policy *policy = engine_policy(track->daemon->engine);
	bool other = strcmp(policy->hash, track->back.hash) != 0;
	struct catalog *catalog = NULL;
	struct track next = *track;
	struct err err = { 0 };
	char was[65], sentence[240] = "";
	int rc = 0;

	next.state = release_step(track->state, RELEASE_BACK);
	next.watched = false;
	if (track->watched_sequence != track->release.sequence)
		snprintf(sentence, sizeof(sentence),
		    "of release %lld: ", (long long)track->watched_sequence);
	snprintf(sentence + strlen(sentence), sizeof(sentence) - strlen(sentence), "%.200s", says);
	release_say(&next, REFUSED_PROBATION, sentence);
	memcpy(was, policy->hash, sizeof(was));
	if (track->back_catalog[0] != '\0')
		rc = old_catalog(track, &catalog, &err);
	if (rc == 0)
		rc = write_back(track, &next, other, &err);
	if (rc != 0) {
		stay(track, catalog, says, &err);
		return;
	}
	if (track->brings_catalog)
		take_catalog(track, catalog);
	*track = next;
	metrics_refused(REFUSED_PROBATION);
	metrics_add(METRIC_BUNDLES_ROLLED_BACK, 1);
	log_error("release rolled-back channel=%s sequence=%lld: %s", track->release.channel,
	    (long long)track->watched_sequence, says);
	if (other) {
		daemon_policy_switched(track->daemon);
		daemon_retire(track->daemon, was);
	}
}
