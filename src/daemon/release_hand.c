/* SPDX-License-Identifier: Apache-2.0
 *
 * release_hand.c - a release that somebody carries in: aislectl bundle install, with [hq] root set.
 *
 * DESIGN
 *   What is handed in goes the way of what is fetched: the next roots and the release's envelope
 *   first, then a bundle, which is hashed before it is opened, and counts only where a release
 *   that was accepted names it. A child process hashes it: a turn may not wait for so long.
 */
#include "daemon/release.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/id.h"
#include "core/log.h"
#include "trust/envelope.h"
#include "trust/refusal.h"

#include <sodium.h>

/* ---- its hash, in the child ---- */

struct hashed {
	char hash[65];
	int64_t bytes;
};

static void
hash_file(void *ctx, void *answer)
{
	const char *path = ctx;
	struct hashed *hashed = answer;
	crypto_generichash_state state;
	uint8_t bytes[65536], hash[32];
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0) {
		crypto_generichash_update(&state, bytes, (size_t)n);
		hashed->bytes += n;
	}
	crypto_generichash_final(&state, hash, sizeof(hash));
	if (n == 0)
		hash_hex(hashed->hash, hash, sizeof(hash));
}

/* ---- what becomes of it ---- */

static struct track *
track_of(struct daemon *daemon, const struct hashed *hashed, int *ret_kind)
{
	for (size_t i = 0; i < ARRAY_LEN(daemon->releases->tracks); i++) {
		struct track *track = &daemon->releases->tracks[i];

		for (int kind = 0; track->state != RELEASE_NONE && kind < BUNDLE_KINDS; kind++) {
			const struct release_bundle *bundle = &track->release.bundles[kind];

			*ret_kind = kind;
			if (bundle->named && strcmp(bundle->hash, hashed->hash) == 0)
				return track;
		}
	}
	return NULL;
}

/* It may be one of several: then it stays until the others are here, and whoever handed it in is told so. */
static void
take(struct track *track, int kind, struct control_request *request)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/trust/" RELEASE_HANDED "%d", track->daemon->conf.state_dir,
	    kind);
	if (track->request != NULL) {
		control_fail(request, EX_UNAVAILABLE, "another bundle of this release is awaited");
		return;
	}
	if (rename(control_body(request), path) != 0) {
		control_fail(request, EX_IOERR, strerror(errno));
		return;
	}
	track->request = request;
	release_hand(track, kind, path);
	if (track->request != NULL && track->state == RELEASE_FETCHING)
		release_answer(track, NULL);
}

static void
hand(struct daemon *daemon, struct control_request *request, const struct hashed *hashed)
{
	char says[400];
	struct err err = { 0 };
	int kind;
	struct track *track = track_of(daemon, hashed, &kind);

	if (track != NULL && track->release.bundles[kind].bytes != hashed->bytes) {
		(void)refusal_say(REFUSED_WRONG_SIZE, NULL, &err,
		    "the bundle has %lld bytes, expected %lld as its release says",
		    (long long)hashed->bytes, (long long)track->release.bundles[kind].bytes);
		control_fail(request, EX_NOPERM, err.text);
	} else if (track == NULL) {
		control_fail(request, EX_NOPERM,
		    "[hq] root is set, and no signed release that this store has taken names this "
		    "bundle, expected one beside it (FILE.release)");
	} else if (track->state == RELEASE_FETCHING || track->state == RELEASE_WAITING) {
		take(track, kind, request);
	} else if (track->state == RELEASE_GOOD || track->state == RELEASE_PROBATION) {
		track->request = request;
		release_answer(track, NULL);
	} else {
		snprintf(says, sizeof(says), "the release of this bundle is %s%s%s",
		    release_state_name(track->state), track->detail[0] != '\0' ? ": " : "",
		    track->detail);
		control_fail(request, EX_NOPERM, says);
	}
}

/* ---- handed in ---- */

struct handing {
	struct daemon *daemon;
	struct control_request *request;
	struct beside job;
	struct event *event;
};

static void
on_hashed(evutil_socket_t fd, short what, void *ctx)
{
	struct handing *handing = ctx;
	struct daemon *daemon = handing->daemon;
	struct control_request *request = handing->request;
	struct hashed hashed = { 0 };
	struct err err = { 0 };
	int rc = beside_finish(&handing->job, &hashed, sizeof(hashed), "hashing it", &err);

	(void)fd;
	(void)what;
	event_free(handing->event);
	free(handing);
	daemon->handing = NULL;
	if (rc != 0 || hashed.hash[0] == '\0')
		control_fail(request, EX_IOERR, rc != 0 ? err.text : "the bundle cannot be read");
	else
		hand(daemon, request, &hashed);
}

void
daemon_hand_bundle(struct daemon *daemon, struct control_request *request)
{
	struct handing *handing;
	struct err err = { 0 };
	int64_t max_ms = daemon->conf.exam_ms;

	CHECK(daemon->releases != NULL && control_body(request) != NULL);
	if (daemon->handing != NULL) {
		control_fail(request, EX_UNAVAILABLE, "another bundle is being installed");
		return;
	}
	handing = mem_zero(sizeof(*handing));
	handing->daemon = daemon;
	handing->request = request;
	if (beside_start(hash_file, (void *)(uintptr_t)control_body(request), sizeof(struct hashed),
		max_ms, &handing->job, &err) != 0) {
		free(handing);
		control_fail(request, EX_OSERR, err.text);
		return;
	}
	handing->event = event_new(daemon->base, handing->job.fd, EV_READ, on_hashed, handing);
	event_add(handing->event, &(struct timeval){ .tv_sec = (time_t)(max_ms / S_MS) + 1 });
	daemon->handing = handing;
}

void
daemon_hand_stop(struct daemon *daemon)
{
	if (daemon->handing == NULL)
		return;
	beside_stop(&daemon->handing->job);
	event_free(daemon->handing->event);
	free(daemon->handing);
	daemon->handing = NULL;
}

/* ---- envelopes ---- */

/* NULL: the request is answered. */
static char *
read_envelope(struct control_request *request, size_t *ret_len)
{
	const char *path = control_body(request);
	char *text = mem_alloc(SIGNED_BYTES_MAX + 1);
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd >= 0 ? read(fd, text, SIGNED_BYTES_MAX + 1) : -1;

	if (fd >= 0)
		close(fd);
	if (n > 0 && n <= (ssize_t)SIGNED_BYTES_MAX) {
		*ret_len = (size_t)n;
		return text;
	}
	free(text);
	control_fail(request, EX_DATAERR, "expected an envelope of at most 256 KiB");
	return NULL;
}

static bool
is_trusting(struct daemon *daemon, struct control_request *request)
{
	if (daemon->releases != NULL)
		return true;
	control_fail(request, EX_USAGE, "[hq] root is not set: nothing signed is asked for");
	return false;
}

void
daemon_hand_release(struct daemon *daemon, struct control_request *request)
{
	bool own = json_is_true(json_object_get(control_json(request), "own")), is_new;
	enum refusal why = REFUSED_NONE;
	struct err err = { 0 };
	size_t len;
	char *text;

	if (!is_trusting(daemon, request) || (text = read_envelope(request, &len)) == NULL)
		return;
	if (!daemon_trusts(daemon))
		control_fail(request, EX_NOPERM,
		    "a newer root was in force here: it is needed first");
	else if (release_offer(&daemon->releases->tracks[own], text, len, &is_new, &why, &err) !=
	    0) {
		log_error("a release was refused why=%s: %s", refusal_name(why),
		    refusal_reason(why, err.text));
		control_fail(request, EX_NOPERM, err.text);
	} else {
		control_reply(request, NULL);
	}
	free(text);
}

void
daemon_hand_root(struct daemon *daemon, struct control_request *request)
{
	struct err err = { 0 };
	char topic[64];
	size_t len;
	char *text;

	if (!is_trusting(daemon, request) || (text = read_envelope(request, &len)) == NULL)
		return;
	snprintf(topic, sizeof(topic), "aisle/v1/hq/root/%lld",
	    (long long)daemon_root(daemon)->version + 1);
	if (daemon_root_offer(daemon, topic, text, len, &err) != 0)
		control_fail(request, EX_NOPERM, err.text);
	else
		control_reply(request, NULL);
	free(text);
}
