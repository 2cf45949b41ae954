/* SPDX-License-Identifier: Apache-2.0
 *
 * release.c - headquarters' releases: heard, verified, fetched, and handed on to be examined; what
 * is said of them.
 *
 * DESIGN
 *   A release that is accepted is on disk before its sequence counts as taken: killed in between, it
 *   is accepted once more. From then on each step is a row of release_step.c; whatever was under way
 *   when the process ended is begun again from the files that are here.
 *
 * INVARIANTS
 *   Nothing of a release is opened before its signatures, its hash and its size were compared.
 *   The store serves what it served until the transaction that switches, whatever goes wrong.
 */
#include "daemon/release.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "core/log.h"
#include "core/metrics.h"
#include "sync/bundle_image.h"

#define ASK_FIRST_MS S_MS
#define ASK_LAST_MS (10 * MIN_MS)

static void go_on(struct track *track);

/* ---- fetched ---- */

static bool
is_here(struct track *track, int kind, char out[static 512])
{
	const struct release_bundle *bundle = &track->release.bundles[kind];
	struct stat st;

	if (kind == BUNDLE_CATALOG)
		daemon_catalog_path(track->daemon, bundle->hash, out);
	else
		daemon_bundle_path(track->daemon, bundle->hash, "", out);
	return stat(out, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == bundle->bytes;
}

static void
on_fetched(void *ctx, const char *path, enum refusal why, const struct err *err)
{
	struct track *track = ctx;
	int kind = track->fetching;

	CHECK(kind < BUNDLE_KINDS && track->state == RELEASE_FETCHING);
	track->fetching = BUNDLE_KINDS;
	if (path != NULL) {
		snprintf(track->path[kind], sizeof(track->path[kind]), "%s", path);
		track->fetched[kind] = true;
		go_on(track);
	} else if (why == REFUSED_DISK_FULL || why == REFUSED_IO) {
		release_hold(track, why, err->text);
	} else {
		release_fail(track, why, err->text);
	}
}

static void
fetch(struct track *track, int kind)
{
	const struct release_bundle *bundle = &track->release.bundles[kind];
	struct artifact artifact = {
		.bytes = bundle->bytes, .chunk = bundle->chunk, .own = track->own
	};

	memcpy(artifact.hash, bundle->hash, sizeof(artifact.hash));
	track->fetching = kind;
	daemon_fetch(track->daemon, &artifact, &track->release.fetch, on_fetched, track);
}

/* In its place, or where it came to before a hold. */
static bool
find_file(struct track *track, int kind)
{
	char place[512];

	if (is_here(track, kind, place))
		memcpy(track->path[kind], place, sizeof(place));
	return track->path[kind][0] != '\0' && access(track->path[kind], R_OK) == 0;
}

/* What is in force already needs no step. */
static bool
is_in_force(const struct track *track)
{
	const struct policy *policy = engine_policy(track->daemon->engine);
	const struct catalog *catalog = engine_catalog(track->daemon->engine);
	const struct release_bundle *bundles = track->release.bundles;

	return (!bundles[BUNDLE_PROFILES].named || release_has_profiles(track)) &&
	    (!bundles[BUNDLE_POLICY].named ||
		(policy != NULL && strcmp(policy->hash, bundles[BUNDLE_POLICY].hash) == 0)) &&
	    (!bundles[BUNDLE_CATALOG].named ||
		(catalog != NULL &&
		    strcmp(catalog_is(catalog)->hash, bundles[BUNDLE_CATALOG].hash) == 0));
}

static void
go_on(struct track *track)
{
	if (track->state != RELEASE_FETCHING || track->fetching != BUNDLE_KINDS)
		return;
	if (is_in_force(track)) {
		/* What is watched is watched on, within the bounds that were said last. */
		track->watched_sequence = track->release.sequence;
		track->bounds = track->release.bounds;
		release_take_step(track, track->watched ? RELEASE_SWITCHED : RELEASE_KEPT);
		release_answer(track, NULL);
		return;
	}
	for (int kind = 0; kind < BUNDLE_KINDS; kind++) {
		if (!track->release.bundles[kind].named || find_file(track, kind))
			continue;
		release_give_back(track, kind);
		fetch(track, kind);
		return;
	}
	release_take_step(track, RELEASE_FETCHED);
	release_examine(track);
}

void
release_hand(struct track *track, int kind, const char *path)
{
	if (track->state == RELEASE_WAITING)
		release_take_step(track, RELEASE_AGAIN);
	if (track->fetching == kind) {
		daemon_fetch_stop(track->daemon, track->release.bundles[kind].hash);
		track->fetching = BUNDLE_KINDS;
	}
	release_give_back(track, kind);
	snprintf(track->path[kind], sizeof(track->path[kind]), "%s", path);
	go_on(track);
}

/* ---- heard ---- */

/* What was under way for the release before it; what is on probation stays in force, and watched. */
static void
stop_track(struct track *track)
{
	release_stop_examining(track);
	if (track->fetching != BUNDLE_KINDS)
		daemon_fetch_stop(track->daemon, track->release.bundles[track->fetching].hash);
	track->fetching = BUNDLE_KINDS;
	release_drop_files(track);
	release_answer(track, "another release came");
}

/* Taken in memory only if it is on disk: what was not kept is offered again. */
static int
take_sequence(struct track *track, const struct release *release)
{
	struct sequences *seen = daemon_seen(track->daemon);
	char counter[SEQUENCES_NAME_SIZE];
	struct buf before = { 0 };
	int rc;

	sequences_encode(seen, &before);
	release_counter(release, track->own, counter);
	sequences_take(seen, counter, release->sequence, release->digest, false);
	rc = daemon_seen_save(track->daemon);
	if (rc != 0) {
		sequences_done(seen);
		CHECK(sequences_decode(before.data, before.len, seen) == 0);
	}
	buf_done(&before);
	return rc;
}

static int
keep(struct track *track, const struct release *release, const void *text, size_t len,
    struct err *err)
{
	struct track next = *track;
	char path[512];
	int rc = release_text_save(track, release->digest, text, len, err);

	if (rc != 0)
		return rc;
	next.release = *release;
	next.state = RELEASE_FETCHING;
	next.why = REFUSED_NONE;
	next.detail[0] = '\0';
	rc = release_record_save(&next);
	if (rc == 0)
		rc = take_sequence(track, release);
	if (rc == 0 && memcmp(track->release.digest, release->digest, 32) != 0) {
		release_text_path(track, track->release.digest, path);
		unlink(path);
	}
	return rc == 0 ? 0 : err_set(err, rc, "the state cannot be written");
}

static void
begin(struct track *track, const struct release *release)
{
	stop_track(track);
	track->ask_ms = track->ask_wait_ms = 0;
	release_done(&track->release);
	track->release = *release;
	release_say(track, REFUSED_NONE, "");
	track->shadow_says[0] = '\0';
	log_notice("release accepted channel=%s sequence=%lld%s", release->channel,
	    (long long)release->sequence, track->own ? " own=yes" : "");
	release_take_step(track, RELEASE_ACCEPTED);
	go_on(track);
}

/* What the store cannot keep now is asked for again; of the rest it is told once. */
static void
refused(struct track *track, const uint8_t hash[static 32], enum refusal why, const struct err *err)
{
	if (why == REFUSED_DISK_FULL || why == REFUSED_IO) {
		track->ask_wait_ms = track->ask_wait_ms * 2 < ASK_LAST_MS
		    ? track->ask_wait_ms * 2 + ASK_FIRST_MS
		    : ASK_LAST_MS;
		track->ask_ms = daemon_mono_ms() + track->ask_wait_ms;
	} else {
		memcpy(track->refused, hash, sizeof(track->refused));
		track->refused_root = daemon_root(track->daemon)->version;
	}
	if (!release_is_running(track->state))
		release_say(track, why, refusal_reason(why, err->text));
	if (why == REFUSED_NOT_FOR_US)
		log_info("a release is not for this store: %s", err->text);
	else
		daemon_hq_refused(track->daemon, "a release was refused why=%s: %s",
		    refusal_name(why), refusal_reason(why, err->text));
}

int
release_offer(struct track *track, const void *text, size_t len, bool *ret_new,
    enum refusal *ret_why, struct err *err)
{
	struct daemon *daemon = track->daemon;
	struct trust_self self = daemon_trust_self(daemon);
	struct release release;
	int rc = release_accept(daemon_root(daemon), daemon_seen(daemon), &self, track->own, text,
	    len, track->topic, daemon_now_ms(daemon), &release, ret_new, ret_why, err);

	if (rc != 0)
		return rc;
	if (!*ret_new) {
		release_done(&release);
		return 0;
	}
	rc = keep(track, &release, text, len, err);
	if (rc != 0) {
		*ret_why = rc == AISLE_E_FULL ? REFUSED_DISK_FULL : REFUSED_IO;
		release_done(&release);
		return rc;
	}
	begin(track, &release);
	return 0;
}

static void
take_release(struct daemon *daemon, const char *topic, const void *payload, size_t len)
{
	struct track *track = NULL;
	uint8_t hash[32];
	enum refusal why = REFUSED_NONE;
	struct err err = { 0 };
	bool is_new;

	for (size_t i = 0; daemon->releases != NULL && i < ARRAY_LEN(daemon->releases->tracks); i++)
		if (strcmp(daemon->releases->tracks[i].topic, topic) == 0)
			track = &daemon->releases->tracks[i];
	/* Retained and empty: headquarters has none. */
	if (track == NULL || !daemon_trusts(daemon) || len == 0)
		return;
	hash_bytes(hash, sizeof(hash), payload, len, NULL, 0);
	if (memcmp(hash, track->refused, sizeof(hash)) == 0 &&
	    track->refused_root == daemon_root(daemon)->version)
		return;
	if (release_offer(track, payload, len, &is_new, &why, &err) != 0)
		refused(track, hash, why, &err);
}

/* ---- each second ---- */

void
daemon_release_look(struct daemon *daemon)
{
	for (size_t i = 0; daemon->releases != NULL && i < ARRAY_LEN(daemon->releases->tracks);
	     i++) {
		struct track *track = &daemon->releases->tracks[i];

		release_watch(track);
		if (track->state == RELEASE_WAITING && daemon_mono_ms() >= track->again_ms) {
			release_take_step(track, RELEASE_AGAIN);
			go_on(track);
		}
		if (track->ask_ms > 0 && daemon_mono_ms() >= track->ask_ms) {
			track->ask_ms = 0;
			daemon_hq_subscribe(daemon, track->topic);
		}
	}
}

/* ---- start and stop ---- */

/* The envelope that the record names. AISLE_E_NONE: another one, or none. */
static int
read_release(struct track *track, const uint8_t digest[static 32], struct err *err)
{
	struct signed_text envelope;
	uint8_t is[32];
	char path[512];
	int rc;

	release_text_path(track, digest, path);
	rc = signed_read_file(path, &envelope, NULL, err);
	if (rc != 0)
		return rc;
	signed_digest(&envelope, is);
	rc = memcmp(is, digest, sizeof(is)) == 0
	    ? release_parse(envelope.manifest, envelope.len, path, &track->release, NULL, err)
	    : err_set(err, AISLE_E_NONE, "%s: of another release", path);
	signed_done(&envelope);
	return rc;
}

/* A step that was under way is begun again. */
static void
resume(struct track *track)
{
	if (track->watched)
		release_watch_again(track);
	if (!release_is_running(track->state))
		return;
	track->state = release_step(RELEASE_WAITING, RELEASE_AGAIN);
	go_on(track);
}

static void
load(struct track *track)
{
	uint8_t digest[32];
	struct err err = { 0 };
	int rc = release_record_read(track, digest);

	if (rc == AISLE_E_NONE)
		return;
	if (rc == 0)
		rc = read_release(track, digest, &err);
	if (rc != 0) {
		/* Serving goes on; headquarters' next release counts. */
		log_error("the release that was under way cannot be read any more: %s", err.text);
		track->state = RELEASE_NONE;
		return;
	}
	/* The store follows another channel since. */
	if (release_is_running(track->state) &&
	    strcmp(track->release.channel, track->daemon->conf.hq_channel) != 0)
		track->state = RELEASE_NONE;
}

/* Is it the envelope that a record names? */
static bool
is_named(const struct releases *releases, const char *name)
{
	char path[512];

	for (size_t i = 0; i < ARRAY_LEN(releases->tracks); i++) {
		const struct track *track = &releases->tracks[i];

		release_text_path(track, track->release.digest, path);
		if (strcmp(strrchr(path, '/') + 1, name) == 0)
			return true;
	}
	return false;
}

static void
sweep(struct daemon *daemon, const char *folder, const char *part)
{
	struct dirent *entry;
	char path[512];
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", daemon->conf.state_dir, folder);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (strstr(entry->d_name, part) != NULL &&
		    !is_named(daemon->releases, entry->d_name))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir != NULL)
		closedir(dir);
}

/* Of what a kill has ended nobody else looks for it. */
static void
sweep_left(struct daemon *daemon)
{
	sweep(daemon, "transfer", BUNDLE_IMAGE_TAIL); /* of an exam */
	sweep(daemon, "trust", RELEASE_HANDED);
	/* Envelopes of releases that were not taken, or have a successor. */
	sweep(daemon, "trust", "release-");
	/* What file_write() had not renamed yet. */
	sweep(daemon, "trust", ".json.");
	sweep(daemon, "trust", "revoked.");
}

int
daemon_release_start(struct daemon *daemon, struct err *err)
{
	const char *store = daemon->conf.store_id;

	(void)err;
	if (daemon_root(daemon) == NULL)
		return 0;
	daemon->releases = mem_zero(sizeof(*daemon->releases));
	daemon_hq_hear(daemon, "release/", false, take_release);
	daemon_hq_hear(daemon, "release", true, take_release);
	for (size_t i = 0; i < ARRAY_LEN(daemon->releases->tracks); i++) {
		struct track *track = &daemon->releases->tracks[i];

		track->daemon = daemon;
		track->own = i == 1;
		track->fetching = BUNDLE_KINDS;
		track->job.pid = track->catalog_job.beside.pid = -1;
		if (track->own)
			snprintf(track->topic, sizeof(track->topic), "aisle/v1/hq/store/%s/release",
			    store);
		else
			snprintf(track->topic, sizeof(track->topic), "aisle/v1/hq/release/%s",
			    daemon->conf.hq_channel);
		load(track);
	}
	/* Before what is under way goes on. */
	sweep_left(daemon);
	for (size_t i = 0; i < ARRAY_LEN(daemon->releases->tracks); i++) {
		resume(&daemon->releases->tracks[i]);
		daemon_hq_subscribe(daemon, daemon->releases->tracks[i].topic);
	}
	return 0;
}

void
daemon_release_stop(struct daemon *daemon)
{
	if (daemon->releases == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(daemon->releases->tracks); i++) {
		release_stop_examining(&daemon->releases->tracks[i]);
		release_done(&daemon->releases->tracks[i].release);
	}
	free(daemon->releases);
	daemon->releases = NULL;
}
