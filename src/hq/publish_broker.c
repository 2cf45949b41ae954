/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_broker.c - one broker is made to hold what it should, and served.
 *
 * DESIGN
 *   A round: what the broker retains is read, a plan is made of what is missing, its steps are taken, each
 *   acknowledged before the next; then all is read once more, for a broker acknowledges also what it throws away
 *   because of its rights. A broker that lost its memory, a folder that changed, a connection that was lost: another round.
 */
#include "hq/publish_broker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "hq/publish_artifact.h"
#include "hq/publish_want.h"
#include "hq/publish_wire.h"

#define PROGRESS_MS 1000
#define LOOK_MS 2000 /* whether the folder changed */
#define SERVED_UNDER_WAY 12

struct round {
	int64_t texts, chunks, chunks_there; /* sent, sent, found whole */
	int64_t bytes, bytes_all, began_ms, told_ms;
};
struct publisher {
	const struct publish_options *options;
	struct wire wire;
	struct goods *goods;
	struct plan plan;
	struct wants wants;
	struct round round;
	const volatile sig_atomic_t *stop;
	uint64_t stamp;
	int64_t looked_ms;
};

static const char *const filters[] = { TOPIC_HQ "root/+", TOPIC_HQ "release/+",
	TOPIC_HQ "store/+/release", TOPIC_STOP, TOPIC_HQ "store/+/order", TOPIC_HQ "artifact/+/0" };

static int64_t
now_ms(void)
{
	return (int64_t)time(NULL) * S_MS;
}

static const char *
url(const struct publisher *p)
{
	return p->wire.url;
}

/* ---- progress ---- */

static void
tell_progress(struct publisher *p, bool last)
{
	struct round *round = &p->round;
	int64_t now = wan_now_ms(), took = now - round->began_ms;
	double left;

	if (round->bytes_all < (256 << 10) || (!last && now - round->told_ms < PROGRESS_MS))
		return;
	round->told_ms = now;
	left = round->bytes > 0
	    ? (double)took * (double)(round->bytes_all - round->bytes) / (double)round->bytes / 1000
	    : 0;
	fprintf(stderr, "%s: %.1f of %.1f MiB, %.0f s left\n", url(p),
	    (double)round->bytes / (1 << 20), (double)round->bytes_all / (1 << 20), left);
}

/* ---- chunks ---- */

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
first_missing(struct publisher *p, const struct step *step, int64_t from, int64_t *ret_n,
    struct err *err)
{
	int64_t chunks = artifact_chunks(step->bytes), n = from;
	struct buf plain = { 0 };
	bool same = true;
	int rc = 0;

	while (rc == 0 && same && n < chunks) {
		int count = chunks - n < WIRE_CHUNKS ? (int)(chunks - n) : WIRE_CHUNKS, got;

		rc = wire_chunks(&p->wire, step->hash, n, count, &got, err);
		for (int i = 0; rc == 0 && same && i < count; i++) {
			same = (got & 1 << i) != 0 &&
			    same_chunk(step->artifact, n, &p->wire.chunks[i], &plain);
			n += same ? 1 : 0;
		}
	}
	buf_done(&plain);
	*ret_n = n;
	return rc;
}

static int
send_artifact(struct publisher *p, const struct step *step, bool begun, struct err *err)
{
	int64_t chunks = artifact_chunks(step->bytes), missing = 0;
	struct buf chunk = { 0 };
	int rc = begun ? first_missing(p, step, 0, &missing, err) : 0;

	p->round.chunks_there += missing;
	p->round.bytes += missing * PUBLISH_CHUNK;
	for (int64_t n = missing; rc == 0 && n < chunks; n++) {
		char topic[PUBLISH_TOPIC_SIZE];

		rc = artifact_chunk(step->artifact, n, &chunk, err);
		topic_chunk(topic, step->hash, n);
		if (rc == 0)
			rc = wire_put(&p->wire, topic, chunk.data, chunk.len, true, err);
		p->round.chunks++;
		p->round.bytes += PUBLISH_CHUNK;
		tell_progress(p, n + 1 == chunks);
	}
	/* What a broker throws away it acknowledges, too. */
	if (rc == 0 && missing < chunks)
		rc = wire_settle(&p->wire, err);
	if (rc == 0 && missing < chunks) {
		rc = first_missing(p, step, chunks - 1, &missing, err);
		if (rc == 0 && missing < chunks)
			rc = err_set(err, AISLE_E_REFUSED,
			    "%s: acknowledges chunks and does not keep them, expected the right to "
			    "publish them",
			    url(p));
	}
	buf_done(&chunk);
	return rc;
}

/* No file was given: what the broker has must be all of it. */
static int
check_artifact(struct publisher *p, const struct step *step, struct err *err)
{
	int64_t chunks = artifact_chunks(step->bytes), bytes = 0;
	struct artifact_hash *hash = artifact_hash_new();
	struct buf plain = { 0 };
	bool whole = true;
	char hex[65];
	int rc = 0;

	for (int64_t n = 0; rc == 0 && whole && n < chunks; n += WIRE_CHUNKS) {
		int count = chunks - n < WIRE_CHUNKS ? (int)(chunks - n) : WIRE_CHUNKS, got;

		rc = wire_chunks(&p->wire, step->hash, n, count, &got, err);
		for (int i = 0; rc == 0 && whole && i < count; i++) {
			whole = (got & 1 << i) != 0 &&
			    chunk_unpack(p->wire.chunks[i].data, p->wire.chunks[i].len, &plain) ==
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
		    url(p), step->hash);
	p->round.chunks_there += chunks;
	return rc;
}

/* From the last to the first: while the first is there somebody knows that there may be more. */
static int
forget_artifact(struct publisher *p, const struct step *step, struct err *err)
{
	int rc = 0;

	for (int64_t n = artifact_chunks(step->bytes) - 1; rc == 0 && n >= 0; n--) {
		char topic[PUBLISH_TOPIC_SIZE];

		topic_chunk(topic, step->hash, n);
		if (n == 0)
			rc = wire_settle(&p->wire, err);
		if (rc == 0)
			rc = wire_put(&p->wire, topic, NULL, 0, true, err);
	}
	return rc;
}

/* ---- a round ---- */

static int
take_step(struct publisher *p, const struct step *step, const struct kept *kept, struct err *err)
{
	char first[PUBLISH_TOPIC_SIZE];

	switch (step->kind) {
	case STEP_TEXT:
		p->round.texts++;
		return wire_put(&p->wire, step->topic, step->payload, step->len, true, err);
	case STEP_ARTIFACT:
		topic_chunk(first, step->hash, 0);
		return send_artifact(p, step, kept_get(kept, first) != NULL, err);
	case STEP_CHECK: break; /* was looked at before */
	case STEP_FORGET: return forget_artifact(p, step, err);
	}
	return 0;
}

/* Anything whose bundle is not there stops the round before its release: a step is settled before the next begins. */
static int
take_steps(struct publisher *p, const struct kept *kept, struct err *err)
{
	int rc = 0;

	p->round = (struct round){ .began_ms = wan_now_ms() };
	for (size_t i = 0; i < p->plan.count; i++)
		if (p->plan.steps[i].kind == STEP_ARTIFACT)
			p->round.bytes_all += p->plan.steps[i].bytes;
	/* What stops the round is found before anything is sent. */
	for (size_t i = 0; rc == 0 && i < p->plan.count && !*p->stop; i++)
		if (p->plan.steps[i].kind == STEP_CHECK)
			rc = check_artifact(p, &p->plan.steps[i], err);
	for (size_t i = 0; rc == 0 && i < p->plan.count && !*p->stop; i++) {
		rc = take_step(p, &p->plan.steps[i], kept, err);
		if (rc == 0)
			rc = wire_settle(&p->wire, err);
	}
	return rc;
}

static int
look(struct publisher *p, struct plan *plan, struct kept *kept, bool loud, struct err *err)
{
	struct buf notes = { 0 };
	int rc = wire_read(&p->wire, filters, ARRAY_LEN(filters), kept, err);

	if (rc == 0)
		rc = plan_make(p->goods, kept, now_ms(), plan, &notes, err);
	if (loud && notes.len > 0)
		fprintf(stderr, "%s", notes.data);
	buf_done(&notes);
	return rc;
}

/* What was acknowledged is there? */
static int
look_again(struct publisher *p, struct err *err)
{
	struct kept kept = { 0 };
	struct plan plan = { 0 };
	int rc = look(p, &plan, &kept, false, err);

	for (size_t i = 0; rc == 0 && i < plan.count; i++)
		if (plan.steps[i].kind == STEP_TEXT)
			rc = err_set(err, AISLE_E_REFUSED,
			    "%s: acknowledges %s and does not keep it, expected the right to "
			    "publish there",
			    url(p), plan.steps[i].topic);
	plan_done(&plan);
	kept_done(&kept);
	return rc;
}

static void
tell(const struct publisher *p)
{
	size_t releases = 0;

	for (size_t i = 0; i < p->goods->release_count; i++)
		releases++;
	printf("%s: root %" PRId64 ", %zu releases, %zu orders, %zu bundles given; %" PRId64
	       " texts and %" PRId64 " chunks sent, %" PRId64 " chunks were there; %.2f of %" PRId64
	       " MiB retained\n",
	    url(p), p->plan.root_version, releases, p->goods->order_count, p->goods->artifact_count,
	    p->round.texts, p->round.chunks, p->round.chunks_there,
	    (double)p->plan.retained / (1 << 20), PLAN_RETAINED_MAX >> 20);
	fflush(stdout);
}

static int
do_round(struct publisher *p, struct err *err)
{
	struct kept kept = { 0 };
	struct plan plan = { 0 };
	int rc = look(p, &plan, &kept, true, err);

	if (rc == 0) {
		wants_clear(&p->wants);
		plan_done(&p->plan);
		p->plan = plan;
		rc = take_steps(p, &kept, err);
	}
	if (rc == 0 && !*p->stop && (p->round.texts > 0 || !p->options->serve))
		rc = look_again(p, err);
	if (rc == 0)
		tell(p);
	kept_done(&kept);
	return rc;
}

/* ---- served ---- */

static void
on_want(void *ctx, const char *topic, const void *payload, size_t len)
{
	struct publisher *p = ctx;

	if (!wants_take(&p->wants, &p->plan, topic, payload, len, wan_now_ms()) &&
	    (p->wants.refused & (p->wants.refused - 1)) == 0) /* the 1st, 2nd, 4th, 8th … */
		log_warning("publish: a request is not answered topic=%s refused=%lld",
		    LOG_VALUE(topic), (long long)p->wants.refused);
}

/* One chunk, if one is due. *ret_sent false: none is. */
static int
answer(struct publisher *p, bool *ret_sent, struct err *err)
{
	const struct artifact_file *artifact;
	char store[TRUST_NAME_SIZE], topic[PUBLISH_TOPIC_SIZE];
	struct buf chunk = { 0 };
	int64_t n;
	int rc;

	*ret_sent = p->wire.waiting < SERVED_UNDER_WAY &&
	    wants_next(&p->wants, wan_now_ms(), store, &artifact, &n);
	if (!*ret_sent)
		return 0;
	if (artifact_chunk(artifact, n, &chunk, err) != 0) {
		log_warning("publish: %s", err->text);
		*err = (struct err){ 0 };
		buf_done(&chunk);
		return 0;
	}
	snprintf(topic, sizeof(topic), TOPIC_HQ "store/%s/chunk/%s/%" PRId64, store, artifact->hash,
	    n);
	rc = wire_put(&p->wire, topic, chunk.data, chunk.len, false, err);
	wants_sent(&p->wants, chunk.len);
	buf_done(&chunk);
	return rc;
}

/* The folder's files anew, where one came, went or changed. A mistake in it leaves what was. */
static bool
has_changed(struct publisher *p)
{
	struct goods goods = { 0 };
	struct err err = { 0 };
	uint64_t stamp;

	if (p->options->dir == NULL || wan_now_ms() - p->looked_ms < LOOK_MS)
		return false;
	p->looked_ms = wan_now_ms();
	stamp = goods_stamp(p->options->dir);
	if (stamp == p->stamp)
		return false;
	p->stamp = stamp;
	if (goods_read(p->options, &goods, &err) != 0) {
		log_error("publish: the folder is not taken error=%s", LOG_VALUE(err.text));
		return false;
	}
	wants_clear(&p->wants);
	plan_done(&p->plan);
	goods_done(p->goods);
	*p->goods = goods;
	return true;
}

/* What is refused is said and not sent; the broker keeps what it has. */
static int
round_again(struct publisher *p)
{
	struct err err = { 0 };
	int rc = do_round(p, &err);

	if (rc != 0)
		log_error("publish: not sent broker=%s error=%s", LOG_VALUE(url(p)),
		    LOG_VALUE(err.text));
	return rc == AISLE_E_IO ? rc : 0;
}

static int
serve_connected(struct publisher *p, struct err *err)
{
	int rc = wire_listen(&p->wire, TOPIC_HQ "store/+/want", err);

	while (rc == 0 && !*p->stop) {
		bool sent = false;

		if (has_changed(p))
			rc = round_again(p);
		if (rc == 0)
			rc = answer(p, &sent, err);
		if (rc == 0)
			rc = wire_pump(&p->wire, sent ? 0 : 50);
	}
	return rc;
}

static void
wait_a_moment(const struct publisher *p, int64_t ms)
{
	int64_t end = wan_now_ms() + ms;

	while (!*p->stop && wan_now_ms() < end)
		usleep(50000);
}

static int
serve(struct publisher *p, struct err *err)
{
	struct wan_backoff backoff = { 0 };
	bool first = true;

	p->wire.want = on_want;
	p->wire.want_ctx = p;
	while (!*p->stop) {
		struct err lost = { 0 };
		int rc = wire_connect(&p->wire, &lost);

		if (rc == 0) {
			rc = do_round(p, &lost);
			if (rc != 0 && rc != AISLE_E_IO && first)
				return err_set(err, rc, "%s", lost.text);
			if (rc != 0 && rc != AISLE_E_IO)
				log_error("publish: not sent broker=%s error=%s", LOG_VALUE(url(p)),
				    LOG_VALUE(lost.text));
			first = false;
			if (rc == 0 || rc != AISLE_E_IO) {
				backoff.ms = 0;
				log_info("publish: serving broker=%s", LOG_VALUE(url(p)));
				rc = serve_connected(p, &lost);
			}
		}
		if (rc != 0 && !*p->stop) {
			log_warning("publish: no connection broker=%s error=%s", LOG_VALUE(url(p)),
			    LOG_VALUE(lost.text));
			wait_a_moment(p, wan_backoff_next(&backoff));
		}
	}
	return 0;
}

int
publish_broker(const struct publish_options *options, size_t broker, struct goods *goods,
    const volatile sig_atomic_t *stop, struct err *err)
{
	struct publisher *p = mem_zero(sizeof(*p));
	int rc;

	p->options = options;
	p->goods = goods;
	p->stop = stop;
	p->stamp = goods_stamp(options->dir);
	wants_init(&p->wants, options->rate_kib_s, wan_now_ms());
	rc = wire_new(&p->wire, &options->broker, broker, err);
	if (rc == 0 && options->serve) {
		rc = serve(p, err);
	} else if (rc == 0) {
		rc = wire_connect(&p->wire, err);
		if (rc == 0)
			rc = do_round(p, err);
	}
	wire_leave(&p->wire);
	wire_free(&p->wire);
	wants_done(&p->wants);
	plan_done(&p->plan);
	free(p);
	return rc;
}
