/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_retained.c - what a broker retains as a list of orders, before headquarters add to it: orders that they signed once, in
 * any order and as often as it likes, between any bytes. Each three bytes are an order (what, number, until when); behind a
 * zero byte the rest is put into the list as it stands.
 *
 * What must hold: the list that comes in its place is one, with each order that belongs there once, ascending; made of itself it is itself.
 */
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "fuzz.h"
#include "fuzz_root.h"
#include "hq/publish_lists.h"

#define TARGETS 2
#define MOST 40

/* Signing takes longer than all else: each is signed once. */
static const struct buf *
signed_order(uint8_t what, uint8_t number, uint8_t until)
{
	static const char *const targets[TARGETS] = { "0417", "all" };
	static struct buf made[TARGETS][4][16][2];
	static const enum order_type types[4] = { ORDER_STOP, ORDER_LIFT, ORDER_STOP,
		ORDER_REVOKE };
	struct buf *text = &made[what % TARGETS][what / TARGETS % 4][number % 16][until % 2];
	struct order order = { .sequence = 1 + number % 16 * 8 + what / TARGETS % 4 * 2 + until % 2,
		.issued_ms = NOW_MS - D_MS,
		.expires_ms = until % 2 == 0 ? NOW_MS + D_MS : NOW_MS - S_MS,
		.type = types[what / TARGETS % 4] };
	struct signed_text envelope;
	struct buf manifest = { 0 };
	struct minisig sig;

	if (text->len > 0)
		return text;
	snprintf(order.target, sizeof(order.target), "%s", targets[what % TARGETS]);
	snprintf(order.object, sizeof(order.object), "%s",
	    what / TARGETS % 4 == 2 ? "milk" : "tea");
	order_write(&order, &manifest);
	signed_init(&envelope, manifest.data, manifest.len);
	minisign_sign(secret, manifest.data, manifest.len, "c", &sig);
	CHECK(signed_add(&envelope, &sig, NULL) == 0);
	signed_write(&envelope, text);
	signed_done(&envelope);
	buf_done(&manifest);
	return text;
}

static void
retain(const uint8_t *data, size_t size, struct buf *list)
{
	size_t count = 0, at = 0;

	for (; at + 2 < size && data[at] != 0 && count < MOST; at += 3, count++) {
		const struct buf *order = signed_order(data[at], data[at + 1], data[at + 2]);

		order_list_add(list, order->data, order->len);
	}
	if (at < size && data[at] == 0) {
		size_t place = list->len > 0 ? list->len - 1 : 0;

		/* Before the bracket that ends it. */
		list->len = place;
		buf_add(list, data + at + 1, size - at - 1);
		buf_addc(list, ']');
	}
}

struct last {
	const char *topic;
	int64_t sequence;
	char target[sizeof(((struct order *)0)->target)];
};

static void
look_at_one(void *ctx, const char *text, size_t len, size_t at)
{
	struct last *last = ctx;
	char topic[PUBLISH_TOPIC_SIZE];
	struct order order;

	CHECK(order_open(&root, text, len, "list", NOW_MS, &order, NULL, NULL) == 0);
	CHECK(at == 0 || strcmp(last->target, order.target) != 0 ||
	    last->sequence < order.sequence);
	topic_orders(topic, &order);
	CHECK(strcmp(topic, last->topic) == 0);
	last->sequence = order.sequence;
	memcpy(last->target, order.target, sizeof(order.target));
}

static void
merge(const char *topic, const struct buf *list, struct buf *out)
{
	struct goods goods = { 0 };
	struct left_out left = { 0 };
	struct buf notes = { 0 };
	struct err err = { 0 };
	struct last last = { .topic = topic };
	size_t count = 0;

	CHECK(orders_merge(&root, &goods, topic, list->data != NULL ? list->data : "", list->len,
		  NOW_MS, out, &count, &notes, &left, &err) == 0);
	CHECK(order_list_each(out->data, out->len, ORDERS_CHAIN_MAX, "list", look_at_one, &last,
		  NULL, NULL) == 0);
	buf_done(&notes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const topics[] = { TOPIC_STOP, TOPIC_HQ "store/0417/order" };
	struct buf list = { 0 };

	set_up();
	retain(data, size, &list);
	for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
		struct buf once = { 0 }, twice = { 0 };

		merge(topics[i], &list, &once);
		merge(topics[i], &once, &twice);
		CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
		buf_done(&once);
		buf_done(&twice);
	}
	buf_done(&list);
	return 0;
}
