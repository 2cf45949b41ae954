/* SPDX-License-Identifier: Apache-2.0
 *
 * hq_orders.c - what headquarters orders this store, its ring, or all: signed, numbered, in time.
 *
 * DESIGN
 *   Orders come as retained lists, again with each connection. Each is carried out, and then its
 *   sequence is taken: killed in between, it is carried out once more, which changes nothing. One
 *   that this store cannot carry out now (its disk is full) ends the list, and is asked for again.
 */
#include "daemon/daemon.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "trust/order.h"

#define ASK_AGAIN_MS MIN_MS
/* meta */
#define RING "hq-ring"	       /* the one that the list of stops was heard for */
#define SNAPSHOT "hq-snapshot" /* "wanted": no delta of profiles will do */

static int
keep_meta(struct daemon *daemon, const char *name, const char *value)
{
	struct store *store = engine_store(daemon->engine);
	int rc = store_begin(store);

	if (rc == 0)
		rc = store_meta_set(store, name, value, strlen(value));
	if (rc == 0)
		rc = store_commit(store);
	if (rc != 0)
		store_rollback(store);
	return rc;
}

static bool
meta_is(struct daemon *daemon, const char *name, const char *value)
{
	struct buf kept = { 0 };
	int rc = store_meta_get(engine_store(daemon->engine), name, &kept);
	bool same = (rc == 0 || value[0] == '\0') && kept.len == strlen(value) &&
	    (kept.len == 0 || memcmp(kept.data, value, kept.len) == 0);

	buf_done(&kept);
	return same;
}

bool
daemon_wants_snapshot(struct daemon *daemon)
{
	return meta_is(daemon, SNAPSHOT, "wanted");
}

int
daemon_has_snapshot(struct daemon *daemon)
{
	return daemon_wants_snapshot(daemon) ? keep_meta(daemon, SNAPSHOT, "") : 0;
}

static void
own_topic(const struct daemon *daemon, char out[static 96])
{
	snprintf(out, 96, "aisle/v1/hq/store/%s/order", daemon->conf.store_id);
}

/* ---- carried out; false: not now ---- */

static void
on_done(void *ctx, const struct reply *reply)
{
	*(int *)ctx = reply->status;
}

static enum order_from
who_for(const struct order *order)
{
	if (strcmp(order->target, "all") == 0)
		return ORDER_TO_ALL;
	return strchr(order->target, ':') != NULL ? ORDER_TO_RING : ORDER_TO_STORE;
}

static bool
stop_or_lift(struct daemon *daemon, const struct order *order)
{
	int status = 0;

	daemon_queue(daemon,
	    &(struct input){ .kind = INPUT_STOP,
		.now_ms = daemon_now_ms(daemon),
		.text = order->object,
		.flag = order->type == ORDER_STOP,
		.from = who_for(order),
		.reply = on_done,
		.reply_ctx = &status });
	daemon_turn(daemon);
	/* 500: it counts, though a card that is open cannot be taken away. */
	return status == 200 || status == 500;
}

static bool
erase(struct daemon *daemon, const struct order *order)
{
	int status = 500; /* until there is an answer */

	daemon_forget(daemon, &order->subject, on_done, &status);
	return status < 400;
}

static bool
revoke_tablet(struct daemon *daemon, const struct order *order)
{
	struct buf near = { 0 };
	size_t count = 0;
	int rc = daemon_revoke(daemon, order->object, &count, &near);

	if (rc == 0 && count == 0)
		log_warning("headquarters revokes a tablet that this store does not have name=%s%s",
		    LOG_VALUE(order->object), near.len > 0 ? near.data : "");
	buf_done(&near);
	return rc == 0;
}

static bool
ask_for_snapshot(struct daemon *daemon, const struct order *order)
{
	(void)order;
	return keep_meta(daemon, SNAPSHOT, "wanted") == 0;
}

static bool (*const carry_out[ORDER_TYPE_COUNT])(struct daemon *, const struct order *) = {
	[ORDER_ERASE] = erase,
	[ORDER_SNAPSHOT] = ask_for_snapshot,
	[ORDER_REVOKE] = revoke_tablet,
	[ORDER_STOP] = stop_or_lift,
	[ORDER_LIFT] = stop_or_lift,
};

/* ---- a list of them ---- */

struct list {
	struct daemon *daemon;
	const char *topic;
	bool own, later; /* later: one could not be carried out */
};

static void
take_order(void *ctx, const char *text, size_t len, size_t at)
{
	struct list *list = ctx;
	struct daemon *daemon = list->daemon;
	struct trust_self self = daemon_trust_self(daemon);
	char counter[SEQUENCES_NAME_SIZE], name[128];
	struct order order;
	struct err err = { 0 };
	bool is_new = false;

	if (list->later)
		return;
	snprintf(name, sizeof(name), "%s[%zu]", list->topic, at);
	if (order_accept(daemon_root(daemon), daemon_seen(daemon), &self, list->own, text, len,
		name, daemon_now_ms(daemon), &order, &is_new, NULL, &err) != 0) {
		daemon_hq_refused(daemon, "an order of headquarters was refused: %s", err.text);
		return;
	}
	if (!is_new)
		return;
	order_counter(&order, counter);
	list->later = !carry_out[order.type](daemon, &order);
	if (!list->later) {
		sequences_take(daemon_seen(daemon), counter, order.sequence, order.digest, true);
		if (daemon_seen_save(daemon) != 0)
			log_warning("the order's sequence is not on record yet: carried out once "
				    "more after a restart");
	}
	if (list->later)
		log_error("an order of headquarters cannot be carried out now, and is asked for "
			  "again type=%s sequence=%lld",
		    order_type_name(order.type), (long long)order.sequence);
	else
		log_notice("an order of headquarters was carried out type=%s for=%s sequence=%lld "
			   "key=%s",
		    order_type_name(order.type), order.target, (long long)order.sequence,
		    order.signer);
}

static void
take_orders(struct daemon *daemon, const char *topic, const void *payload, size_t len)
{
	struct list list = { .daemon = daemon, .topic = topic };
	struct err err = { 0 };
	char own[96];

	if (!daemon_trusts(daemon))
		return;
	own_topic(daemon, own);
	list.own = strcmp(topic, own) == 0;
	if (!list.own && strcmp(topic, "aisle/v1/hq/stop") != 0)
		return;
	if (order_list_each(payload, len, list.own ? ORDERS_STORE_MAX : ORDERS_CHAIN_MAX, topic,
		take_order, &list, NULL, &err) != 0)
		daemon_hq_refused(daemon, "a list of orders was refused: %s", err.text);
	/* The other list has no say in it: both are asked for again. */
	if (list.later)
		daemon->orders_again_ms = daemon_mono_ms() + ASK_AGAIN_MS;
}

static void
ask(struct daemon *daemon)
{
	char own[96];

	own_topic(daemon, own);
	daemon_hq_subscribe(daemon, own);
	daemon_hq_subscribe(daemon, "aisle/v1/hq/stop");
}

void
daemon_orders_look(struct daemon *daemon)
{
	if (daemon->orders_again_ms == 0 || daemon_mono_ms() < daemon->orders_again_ms)
		return;
	daemon->orders_again_ms = 0;
	ask(daemon);
}

/* ---- another ring ---- */

static const char *
stopped_for_ring(const struct daemon *daemon)
{
	size_t count;
	const char *const *stopped = engine_stopped(daemon->engine, &count);

	for (size_t i = 0; i < count; i++)
		if ((engine_stop(daemon->engine, i)->hq & ORDER_TO_RING) != 0)
			return stopped[i];
	return NULL;
}

static void
lift_ring(struct daemon *daemon)
{
	struct input input = {
		.kind = INPUT_STOP, .now_ms = daemon_now_ms(daemon), .from = ORDER_TO_RING
	};

	while ((input.text = stopped_for_ring(daemon)) != NULL) {
		daemon_queue(daemon, &input);
		daemon_turn(daemon);
		if (daemon->turn != 0)
			return;
	}
}

/* What a ring is told ends for a store that is moved to another one, by its configuration. */
static void
look_at_ring(struct daemon *daemon)
{
	const char *ring = daemon->conf.hq_ring != NULL ? daemon->conf.hq_ring : "";

	if (meta_is(daemon, RING, ring))
		return;
	lift_ring(daemon);
	if (keep_meta(daemon, RING, ring) != 0)
		log_warning("the ring of this store is not on record yet");
}

int
daemon_orders_start(struct daemon *daemon, struct err *err)
{
	(void)err;
	if (daemon_root(daemon) == NULL)
		return 0;
	daemon_hq_hear(daemon, "order", true, take_orders);
	daemon_hq_hear(daemon, "stop", false, take_orders);
	look_at_ring(daemon);
	ask(daemon);
	return 0;
}

/* ---- what it is known by ---- */

static int64_t
last_of(struct daemon *daemon, const char *prefix, const char *name)
{
	struct order order = { 0 };
	char counter[SEQUENCES_NAME_SIZE];

	snprintf(order.target, sizeof(order.target), "%s%s", prefix, name);
	order_counter(&order, counter);
	return sequences_last(daemon_seen(daemon), counter);
}

void
daemon_orders_json(struct daemon *daemon, struct json_writer *w)
{
	size_t count;
	const char *const *stopped = engine_stopped(daemon->engine, &count);

	json_add_int(w, "orders", last_of(daemon, "", daemon->conf.store_id));
	json_add_object(w, "stops");
	json_add_int(w, "all", last_of(daemon, "", "all"));
	if (daemon->conf.hq_ring != NULL)
		json_add_int(w, "ring", last_of(daemon, "ring:", daemon->conf.hq_ring));
	json_add_list(w, "actions");
	for (size_t i = 0; i < count; i++)
		if (engine_stop(daemon->engine, i)->hq != 0)
			json_add_str(w, NULL, stopped[i]);
	json_end(w);
	json_end(w);
}
