/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_round.c - the steps of a plan, taken on a broker: chunks compared and sent, texts, and what is to go.
 */
#include "hq/publish_round.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hq/publish_artifact.h"

#define PROGRESS_MS 1000

struct work {
	struct wire *wire;
	struct round *round;
	const struct plan *plan;
	const struct round_urgent *urgent;
	const volatile sig_atomic_t *stop;
	bool *failed; /* of each step: its bundle is not to be had */
	bool any_failed;
};

/* ---- progress ---- */

static void
tell_progress(struct work *w, bool last)
{
	struct round *round = w->round;
	int64_t now = wan_now_ms(), took = now - round->began_ms;
	double left;

	if (round->bytes_all < (256 << 10) || (!last && now - round->told_ms < PROGRESS_MS))
		return;
	round->told_ms = now;
	left = round->bytes > 0
	    ? (double)took * (double)(round->bytes_all - round->bytes) / (double)round->bytes / 1000
	    : 0;
	fprintf(stderr, "%s: %.1f of %.1f MiB, %.0f s left\n", w->wire->url,
	    (double)round->bytes / (1 << 20), (double)round->bytes_all / (1 << 20), left);
}

/* ---- chunks ---- */

/* Between two chunks: 0, or what it ends with now. */
static int
look_up(const struct work *w, struct err *err)
{
	if (*w->stop)
		return err_set(err, AISLE_E_IO, "%s: stopped before all was sent", w->wire->url);
	return w->urgent != NULL && w->urgent->is(w->urgent->ctx) ? ROUND_AGAIN : 0;
}

/* Is what the broker has of this chunk the file's? */
static bool
same_chunk(const struct artifact_file *artifact, int64_t n, const struct buf *there,
    struct buf *plain)
{
	static char mine[PUBLISH_CHUNK];
	size_t len;

	return artifact_plain(artifact, n, mine, &len) == 0 &&
	    chunk_unpack(there->data, there->len, plain) == 0 && plain->len == len &&
	    memcmp(plain->data, mine, len) == 0;
}

/* The first chunk that the broker does not have as the file has it. */
static int
first_missing(struct work *w, const struct step *step, int64_t from, int64_t *ret_n,
    struct err *err)
{
	int64_t chunks = artifact_chunks(step->bytes), n = from;
	struct buf plain = { 0 };
	bool same = true;
	int rc = 0;

	while (rc == 0 && same && n < chunks) {
		int count = chunks - n < WIRE_CHUNKS ? (int)(chunks - n) : WIRE_CHUNKS, got = 0;

		rc = look_up(w, err);
		if (rc == 0)
			rc = wire_chunks(w->wire, step->hash, n, count, &got, err);
		for (int i = 0; rc == 0 && same && i < count; i++) {
			same = (got & 1 << i) != 0 &&
			    same_chunk(step->artifact, n, &w->wire->chunks[i], &plain);
			n += same ? 1 : 0;
		}
	}
	buf_done(&plain);
	*ret_n = n;
	return rc;
}

static int
send_artifact(struct work *w, const struct step *step, bool begun, struct err *err)
{
	int64_t chunks = artifact_chunks(step->bytes), missing = 0;
	struct buf chunk = { 0 };
	int rc = begun ? first_missing(w, step, 0, &missing, err) : 0;

	w->round->chunks_there += missing;
	w->round->bytes += missing * PUBLISH_CHUNK;
	for (int64_t n = missing; rc == 0 && n < chunks; n++) {
		char topic[PUBLISH_TOPIC_SIZE];

		rc = look_up(w, err);
		if (rc == 0)
			rc = artifact_chunk(step->artifact, n, &chunk, err);
		topic_chunk(topic, step->hash, n);
		if (rc == 0)
			rc = wire_put(w->wire, topic, chunk.data, chunk.len, true, err);
		w->round->chunks += rc == 0;
		w->round->bytes += PUBLISH_CHUNK;
		tell_progress(w, n + 1 == chunks);
	}
	/* What a broker throws away it acknowledges, too. */
	if (rc == 0 && missing < chunks)
		rc = wire_settle(w->wire, err);
	if (rc == 0 && missing < chunks) {
		rc = first_missing(w, step, chunks - 1, &missing, err);
		if (rc == 0 && missing < chunks)
			rc = err_set(err, AISLE_E_REFUSED,
			    "%s: acknowledges chunks and does not keep them, expected the right to "
			    "publish them",
			    w->wire->url);
	}
	buf_done(&chunk);
	return rc;
}

/* No file was given: what the broker has must be all of it. */
static int
check_artifact(struct work *w, const struct step *step, struct err *err)
{
	int64_t chunks = artifact_chunks(step->bytes), bytes = 0;
	struct artifact_hash *hash = artifact_hash_new();
	struct buf plain = { 0 };
	bool whole = true;
	char hex[65];
	int rc = 0;

	for (int64_t n = 0; rc == 0 && whole && n < chunks; n += WIRE_CHUNKS) {
		int count = chunks - n < WIRE_CHUNKS ? (int)(chunks - n) : WIRE_CHUNKS, got;

		rc = wire_chunks(w->wire, step->hash, n, count, &got, err);
		for (int i = 0; rc == 0 && whole && i < count; i++) {
			whole = (got & 1 << i) != 0 &&
			    chunk_unpack(w->wire->chunks[i].data, w->wire->chunks[i].len, &plain) ==
				0;
			if (whole) {
				artifact_hash_add(hash, plain.data, plain.len);
				bytes += (int64_t)plain.len;
			}
		}
	}
	artifact_hash_end(hash, hex);
	buf_done(&plain);
	if (rc == 0 && (!whole || bytes != step->bytes || strcmp(hex, step->hash) != 0))
		rc = err_set(err, AISLE_E_REFUSED,
		    "%s: bundle %.16s… of a release is neither given nor on the broker: name its "
		    "file, too",
		    w->wire->url, step->hash);
	w->round->chunks_there += chunks;
	return rc;
}

/* From the last to the first: while the first is there somebody knows that there may be more. */
static int
forget_artifact(struct work *w, const struct step *step, struct err *err)
{
	int rc = 0;

	for (int64_t n = artifact_chunks(step->bytes) - 1; rc == 0 && n >= 0; n--) {
		char topic[PUBLISH_TOPIC_SIZE];

		topic_chunk(topic, step->hash, n);
		if (n == 0)
			rc = wire_settle(w->wire, err);
		if (rc == 0)
			rc = wire_put(w->wire, topic, NULL, 0, true, err);
	}
	return rc;
}

/* ---- steps ---- */

static int
take_step(struct work *w, const struct step *step, const struct kept *kept, struct err *err)
{
	char first[PUBLISH_TOPIC_SIZE];

	switch (step->kind) {
	case STEP_TEXT:
		w->round->texts++;
		return wire_put(w->wire, step->topic, step->payload, step->len, true, err);
	case STEP_ARTIFACT:
		topic_chunk(first, step->hash, 0);
		return send_artifact(w, step, kept_get(kept, first) != NULL, err);
	case STEP_CHECK: break; /* was looked at before */
	case STEP_FORGET: return forget_artifact(w, step, err);
	}
	return 0;
}

/* Does it name a bundle that is not to be had? */
static bool
is_held_back(const struct work *w, const struct step *step)
{
	for (size_t i = 0; w->any_failed && i < w->plan->count; i++)
		for (int kind = 0; w->failed[i] && kind < BUNDLE_KINDS; kind++)
			if (strcmp(step->needs[kind], w->plan->steps[i].hash) == 0)
				return true;
	return false;
}

/* Of a folder: a bundle that is not to be had holds back the releases that name it, and nothing else. What the last
 * release named stays, for it may be the one in force. */
static int
take_folder_step(struct work *w, size_t at, const struct kept *kept, struct err *wrong,
    struct err *err)
{
	const struct step *step = &w->plan->steps[at];
	struct err why = { 0 };
	int rc;

	if (is_held_back(w, step) || (step->kind == STEP_FORGET && w->any_failed))
		return 0;
	rc = step->kind == STEP_CHECK ? check_artifact(w, step, &why)
				      : take_step(w, step, kept, &why);
	if (rc == 0)
		return 0;
	if (rc == ROUND_AGAIN)
		return rc;
	if (rc == AISLE_E_IO || step->kind == STEP_TEXT)
		return err_set(err, rc, "%s", why.text);
	w->failed[at] = w->any_failed = true;
	err_set(wrong, rc, "%s", why.text);
	return 0;
}

static int
take_folder(struct work *w, const struct kept *kept, struct err *err)
{
	struct err wrong = { 0 };
	int rc = 0;

	w->failed = mem_calloc(w->plan->count + 1, sizeof(*w->failed));
	for (size_t i = 0; rc == 0 && i < w->plan->count && !*w->stop; i++) {
		rc = take_folder_step(w, i, kept, &wrong, err);
		if (rc == 0)
			rc = wire_settle(w->wire, err);
	}
	free(w->failed);
	return rc == 0 && wrong.code != 0 ? err_set(err, wrong.code, "%s", wrong.text) : rc;
}

static int
take_named(struct work *w, const struct kept *kept, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->plan->count && !*w->stop; i++)
		if (w->plan->steps[i].kind == STEP_CHECK)
			rc = check_artifact(w, &w->plan->steps[i], err);
	for (size_t i = 0; rc == 0 && i < w->plan->count && !*w->stop; i++) {
		rc = take_step(w, &w->plan->steps[i], kept, err);
		if (rc == 0)
			rc = wire_settle(w->wire, err);
	}
	return rc;
}

int
round_take(struct wire *wire, struct round *round, const struct plan *plan, bool folder,
    const struct kept *kept, const struct round_urgent *urgent, const volatile sig_atomic_t *stop,
    struct err *err)
{
	struct work work = {
		.wire = wire, .round = round, .plan = plan, .urgent = urgent, .stop = stop
	};

	*round = (struct round){ .began_ms = wan_now_ms() };
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_ARTIFACT)
			round->bytes_all += plan->steps[i].bytes;
	return folder ? take_folder(&work, kept, err) : take_named(&work, kept, err);
}
