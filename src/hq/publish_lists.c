/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_lists.c - lists of orders: merged, compacted, kept within their bounds.
 *
 * DESIGN
 *   A store is often away when an order is given, and hears a list as a whole when it is back. So the list holds
 *   all that a store may not have heard yet. Of two orders about the same thing only the later one says
 *   how it is to be; a lift stays as long as a stop would, for somebody may have taken the stop.
 */
#include "hq/publish_lists.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct order order;
	char *text;
	size_t len;
	bool given; /* by a file, else from the broker */
};
struct entries {
	struct entry *entry;
	size_t count, room;
	const struct root *root;
	const struct goods *goods;
	bool own; /* one store's list */
	int64_t now_ms;
};

static void
entries_done(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free(entries->entry[i].text);
	free(entries->entry);
}

static void
add(struct entries *entries, const struct order *order, const char *text, size_t len, bool given)
{
	struct entry *entry;

	entries->entry =
	    mem_grow(entries->entry, entries->count, &entries->room, sizeof(*entries->entry));
	entry = &entries->entry[entries->count++];
	*entry = (struct entry){ .order = *order, .len = len, .given = given };
	entry->text = mem_alloc(len + 1);
	memcpy(entry->text, text, len);
	entry->text[len] = '\0';
}

/* The store has it, and said so. */
static bool
is_taken(const struct entries *entries, const struct order *order)
{
	return entries->own && order->sequence <= goods_taken(entries->goods, order->target);
}

/* What is not HQ's any more, or over, or was taken, is nobody's business to keep. */
static void
take_retained(void *ctx, const char *text, size_t len, size_t at)
{
	struct entries *entries = ctx;
	struct order order;

	(void)at;
	if (order_open(entries->root, text, len, "retained", entries->now_ms, &order, NULL, NULL) ==
		0 &&
	    order_in_time(&order, entries->now_ms, NULL, NULL) == 0 && !is_taken(entries, &order))
		add(entries, &order, text, len, false);
}

/* About the same thing? Stop and lift are. */
static bool
same_matter(const struct order *a, const struct order *b)
{
	bool stops = a->type == ORDER_STOP || a->type == ORDER_LIFT;

	if (strcmp(a->target, b->target) != 0)
		return false;
	if (stops)
		return (b->type == ORDER_STOP || b->type == ORDER_LIFT) &&
		    strcmp(a->object, b->object) == 0;
	return a->type == b->type && strcmp(a->object, b->object) == 0 &&
	    memcmp(&a->subject, &b->subject, sizeof(a->subject)) == 0;
}

static bool
same_bytes(const struct order *a, const struct order *b)
{
	return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

/* Against what stores may have seen: a list from the broker. */
static int
check_sequence(const struct entries *entries, const struct goods_order *given, bool folder,
    bool *ret_there, struct err *err)
{
	const struct order *order = &given->order;
	int64_t highest = 0;

	*ret_there = false;
	for (size_t i = 0; i < entries->count; i++) {
		const struct order *other = &entries->entry[i].order;

		if (strcmp(other->target, order->target) != 0)
			continue;
		if (same_bytes(other, order)) {
			*ret_there = true;
			return 0;
		}
		if (other->sequence == order->sequence)
			return err_set(err, AISLE_E_REFUSED,
			    "%s: sequence %" PRId64
			    " for %s is another order's, expected one above",
			    given->file.path, order->sequence, order->target);
		if (!entries->entry[i].given && other->sequence > highest)
			highest = other->sequence;
	}
	if (!folder && order->sequence < highest)
		return err_set(err, AISLE_E_REFUSED,
		    "%s: sequence %" PRId64 " for %s, but stores have seen %" PRId64
		    ", expected one above",
		    given->file.path, order->sequence, order->target, highest);
	return 0;
}

static int
take_given(struct entries *entries, const struct goods *goods, const char *topic, struct buf *notes,
    struct err *err)
{
	for (size_t i = 0; i < goods->order_count; i++) {
		const struct goods_order *given = &goods->orders[i];
		char mine[PUBLISH_TOPIC_SIZE];
		struct order order;
		struct err why = { 0 };
		bool there;
		int rc;

		topic_orders(mine, &given->order);
		if (strcmp(mine, topic) != 0)
			continue;
		if (goods->folder &&
		    (is_taken(entries, &given->order) ||
			order_in_time(&given->order, entries->now_ms, NULL, NULL) != 0))
			continue; /* its history */
		rc = order_open(entries->root, given->file.text, given->file.len, given->file.path,
		    entries->now_ms, &order, NULL, &why);
		if (rc == 0)
			rc = order_in_time(&order, entries->now_ms, NULL, &why);
		if (rc != 0 && goods->folder) {
			buf_addf(notes, "%s: %s\n", given->file.path, why.text);
			continue;
		}
		if (rc != 0)
			return err_set(err, rc, "%s: %s", given->file.path, why.text);
		rc = check_sequence(entries, given, goods->folder, &there, &why);
		if (rc != 0 && goods->folder) {
			buf_addf(notes, "%s\n", why.text);
			continue;
		}
		if (rc != 0)
			return err_set(err, rc, "%s", why.text);
		if (!there)
			add(entries, &order, given->file.text, given->file.len, true);
	}
	return 0;
}

static int
by_sequence(const void *a, const void *b)
{
	const struct order *x = &((const struct entry *)a)->order,
			   *y = &((const struct entry *)b)->order;
	int target = strcmp(x->target, y->target);

	if (target != 0)
		return target;
	return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static bool
is_superseded(const struct entries *entries, size_t at)
{
	for (size_t i = 0; i < entries->count; i++)
		if (i != at && same_matter(&entries->entry[i].order, &entries->entry[at].order) &&
		    entries->entry[i].order.sequence > entries->entry[at].order.sequence)
			return true;
	return false;
}

static void
write_list(const struct entries *entries, struct buf *out, size_t *ret_count)
{
	*ret_count = 0;
	buf_adds(out, "[");
	for (size_t i = 0; i < entries->count; i++) {
		if (is_superseded(entries, i))
			continue;
		if ((*ret_count)++ > 0)
			buf_adds(out, ",");
		buf_add(out, entries->entry[i].text, entries->entry[i].len);
	}
	buf_adds(out, "]");
}

int
orders_merge(const struct root *root, const struct goods *goods, const char *topic,
    const char *retained, size_t retained_len, int64_t now_ms, struct buf *out, size_t *ret_count,
    struct buf *notes, struct err *err)
{
	struct entries entries = { .root = root, .goods = goods, .now_ms = now_ms };
	size_t most = strcmp(topic, TOPIC_STOP) == 0 ? ORDERS_CHAIN_MAX : ORDERS_STORE_MAX;
	int rc;

	entries.own = strcmp(topic, TOPIC_STOP) != 0;
	/* A list that is none is somebody else's: ours takes its place. */
	if (order_list_each(retained, retained_len, most, topic, take_retained, &entries, NULL,
		NULL) != 0)
		entries.count = 0;
	rc = take_given(&entries, goods, topic, notes, err);
	if (rc == 0) {
		if (entries.count > 1)
			qsort(entries.entry, entries.count, sizeof(*entries.entry), by_sequence);
		buf_clear(out);
		write_list(&entries, out, ret_count);
		if (*ret_count > most)
			rc = err_set(err, AISLE_E_FULL,
			    "%s: %zu orders, expected at most %zu: let older ones expire, or stop "
			    "\"*\"",
			    topic, *ret_count, most);
	}
	entries_done(&entries);
	return rc;
}
