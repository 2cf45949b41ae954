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
#include "hq/fleet.h"
#include "hq/publish_round.h"
#include "hq/publish_want.h"
#include "hq/publish_wire.h"

#define LOOK_MS 2000	       /* whether the folder changed */
#define TAKEN_MS (10 * MIN_MS) /* whether stores have taken their orders */
#define SERVED_UNDER_WAY 12

struct publisher {
	const struct publish_options *options;
	struct wire wire;
	struct goods *goods;
	struct plan plan;
	struct wants wants;
	struct round round;
	const volatile sig_atomic_t *stop;
	int64_t looked_ms, round_ms;
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

/* ---- a round ---- */

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

/* Of a folder what is wrong in it. */
static size_t
left_out(const struct publisher *p)
{
	return p->goods->left.count + p->plan.wrong.count;
}

static int
say_left_out(const struct publisher *p, struct err *err)
{
	const struct err *first =
	    p->goods->left.count > 0 ? &p->goods->left.first : &p->plan.wrong.first;

	return err_set(err, AISLE_E_REFUSED, "%s: %zu left out, the first: %s", url(p), left_out(p),
	    first->text);
}

static void
tell(const struct publisher *p)
{
	size_t releases = 0;

	for (size_t i = 0; i < p->goods->release_count; i++)
		releases++;
	printf("%s: root %" PRId64 ", %zu releases, %zu orders, %zu bundles given; %" PRId64
	       " texts and %" PRId64 " chunks sent, %" PRId64 " chunks were there; %.2f of %" PRId64
	       " MiB retained",
	    url(p), p->plan.root_version, releases, p->goods->order_count, p->goods->artifact_count,
	    p->round.texts, p->round.chunks, p->round.chunks_there,
	    (double)p->plan.retained / (1 << 20), PLAN_RETAINED_MAX >> 20);
	if (left_out(p) > 0)
		printf("; %zu left out", left_out(p));
	putchar('\n');
	fflush(stdout);
}

/* Without it lists are longer, and that is all. */
static void
read_taken(struct publisher *p)
{
	struct err err = { 0 };

	p->round_ms = wan_now_ms();
	if (p->options->from != NULL &&
	    fleet_taken(p->options->from, now_ms(), p->goods, &err) != 0)
		log_info("publish: which orders were taken is not known error=%s",
		    LOG_VALUE(err.text));
}

static bool
is_due(struct publisher *p)
{
	if (p->options->dir == NULL || wan_now_ms() - p->looked_ms < LOOK_MS)
		return false;
	p->looked_ms = wan_now_ms();
	return true;
}

static bool
has_new_orders(void *ctx)
{
	struct publisher *p = ctx;

	return is_due(p) && goods_orders_stamp(p->options->dir) != p->goods->orders_stamp;
}

/* The folder's files anew. A mistake in it leaves what was. */
static bool
read_again(struct publisher *p)
{
	uint64_t stamp = goods_stamp(p->options->dir), orders = goods_orders_stamp(p->options->dir);
	struct goods goods = { 0 };
	struct err err = { 0 };

	if (goods_read(p->options, p->goods, &goods, &err) != 0) {
		log_error("publish: the folder is not taken error=%s", LOG_VALUE(err.text));
		p->goods->stamp = stamp;
		p->goods->orders_stamp = orders;
		return false;
	}
	wants_clear(&p->wants);
	plan_done(&p->plan);
	goods_done(p->goods);
	*p->goods = goods;
	return true;
}

static int
take_round(struct publisher *p, struct err *err)
{
	const struct round_urgent urgent = { has_new_orders, p };
	struct kept kept = { 0 };
	struct plan plan = { 0 };
	int rc;

	read_taken(p);
	rc = look(p, &plan, &kept, true, err);
	if (rc == 0) {
		wants_clear(&p->wants);
		plan_done(&p->plan);
		p->plan = plan;
		rc = round_take(&p->wire, &p->round, &p->plan, p->goods->folder, &kept,
		    p->options->serve ? &urgent : NULL, p->stop, err);
	}
	if (rc == 0 && !*p->stop && (p->round.texts > 0 || !p->options->serve))
		rc = look_again(p, err);
	if (rc == 0 && *p->stop && !p->options->serve)
		rc = err_set(err, AISLE_E_IO, "%s: stopped before all was sent", url(p));
	if (rc == 0)
		tell(p);
	if (rc == 0 && left_out(p) > 0)
		rc = say_left_out(p, err);
	kept_done(&kept);
	return rc;
}

/* Orders that come in the middle of it begin it anew: a stop waits for no bundle that is under way. */
static int
do_round(struct publisher *p, struct err *err)
{
	int rc;

	while ((rc = take_round(p, err)) == ROUND_AGAIN)
		(void)read_again(p);
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

/* The folder's files anew, where one came, went or changed. */
static bool
has_changed(struct publisher *p)
{
	return is_due(p) && goods_stamp(p->options->dir) != p->goods->stamp && read_again(p);
}

/* What is refused is said and not sent; the broker keeps what it has. */
static int
round_again(struct publisher *p)
{
	struct err err = { 0 };
	int rc = do_round(p, &err);

	if (rc != 0)
		log_error("publish: not all of it is sent broker=%s error=%s", LOG_VALUE(url(p)),
		    LOG_VALUE(err.text));
	return rc == AISLE_E_IO ? rc : 0;
}

static int
serve_connected(struct publisher *p, struct err *err)
{
	int rc = 0;

	while (rc == 0 && !*p->stop) {
		bool sent = false;

		bool again = p->options->from != NULL && wan_now_ms() - p->round_ms > TAKEN_MS;

		if (has_changed(p) || again)
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

		/* Before a release is there: the stores ask as soon as they see it. */
		if (rc == 0)
			rc = wire_listen(&p->wire, TOPIC_HQ "store/+/want", &lost);
		if (rc == 0) {
			(void)has_changed(p); /* while nobody answered */
			rc = do_round(p, &lost);
			if (rc != 0 && rc != AISLE_E_IO && first && p->options->dir == NULL)
				return err_set(err, rc, "%s", lost.text);
			if (rc != 0 && rc != AISLE_E_IO)
				log_error("publish: not all of it is sent broker=%s error=%s",
				    LOG_VALUE(url(p)), LOG_VALUE(lost.text));
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
