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
	bool gone;  /* is not in the list */
};
struct entries {
	struct entry *entry;
	size_t count, room;
	const struct root *root;
	const struct goods *goods;
	const char *topic;
	bool own; /* one store's list */
	int64_t now_ms;
	struct buf *notes;
	struct left_out *left;
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

static bool
same_bytes(const struct order *a, const struct order *b)
{
	return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

/* Once, and on its own topic: others would use up the places of those that are to come. */
static bool
has_a_place(const struct entries *entries, const struct order *order)
{
	char mine[PUBLISH_TOPIC_SIZE];

	for (size_t i = 0; i < entries->count; i++)
		if (same_bytes(&entries->entry[i].order, order))
			return false;
	topic_orders(mine, order);
	return strcmp(mine, entries->topic) == 0;
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
	    order_in_time(&order, entries->now_ms, NULL, NULL) == 0 && !is_taken(entries, &order) &&
	    has_a_place(entries, &order))
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

/* Against what stores may have seen: a list from the broker. */
static int
check_sequence(const struct entries *entries, const struct goods_order *given, bool *ret_there,
    struct err *err)
{
	const struct order *order = &given->order;
	/* Of a folder what a store took before has left its list, and what was superseded any list. */
	bool history = entries->goods->folder && entries->own;
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
		history = history ||
		    (entries->goods->folder && other->sequence > order->sequence &&
			same_matter(other, order));
	}
	if (!history && order->sequence < highest)
		return err_set(err, AISLE_E_REFUSED,
		    "%s: sequence %" PRId64 " for %s, but stores have seen %" PRId64
		    ", expected one above",
		    given->file.path, order->sequence, order->target, highest);
	return 0;
}

/* Of files that were named the end of it all; in a folder said, counted, and left out. */
static int
mistake(const struct entries *entries, const struct err *why, struct err *err)
{
	if (!entries->goods->folder)
		return err_set(err, why->code, "%s", why->text);
	buf_addf(entries->notes, "%s\n", why->text);
	left_out_add(entries->left, why);
	return 0;
}

/* What is over, or was taken, is a folder's history. */
static bool
is_history(const struct entries *entries, const struct order *order)
{
	return entries->goods->folder &&
	    (is_taken(entries, order) || order_in_time(order, entries->now_ms, NULL, NULL) != 0);
}

static int
take_one(struct entries *entries, const struct goods_order *given, struct err *err)
{
	struct err why = { 0 }, named = { 0 };
	struct order order;
	bool there = false;
	int rc = order_open(entries->root, given->file.text, given->file.len, given->file.path,
	    entries->now_ms, &order, NULL, &why);

	if (rc == 0)
		rc = order_in_time(&order, entries->now_ms, NULL, &why);
	if (rc != 0)
		err_set(&named, rc, "%s: %s", given->file.path, why.text);
	else
		rc = check_sequence(entries, given, &there, &named);
	if (rc != 0)
		return mistake(entries, &named, err);
	if (!there)
		add(entries, &order, given->file.text, given->file.len, true);
	return 0;
}

static int
take_given(struct entries *entries, const char *topic, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < entries->goods->order_count; i++) {
		const struct goods_order *given = &entries->goods->orders[i];
		char mine[PUBLISH_TOPIC_SIZE];

		topic_orders(mine, &given->order);
		if (strcmp(mine, topic) == 0 && !is_history(entries, &given->order))
			rc = take_one(entries, given, err);
	}
	return rc;
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

/* Does a go before b, when one of them has to? A store takes none below one that it took: those at the end can wait until
 * it did. The chain's list has nobody who says so: an old lift is missed least, and a stop of today the most. */
static bool
goes_first(const struct entries *entries, const struct order *a, const struct order *b)
{
	bool lifts = a->type == ORDER_LIFT;

	if (entries->own)
		return a->sequence > b->sequence;
	if (lifts != (b->type == ORDER_LIFT))
		return lifts;
	return a->issued_ms < b->issued_ms;
}

static void
leave_one_out(struct entries *entries)
{
	struct entry *first = NULL;

	for (size_t i = 0; i < entries->count; i++) {
		struct entry *entry = &entries->entry[i];

		if (!entry->gone &&
		    (first == NULL || goes_first(entries, &entry->order, &first->order)))
			first = entry;
	}
	if (first != NULL)
		first->gone = true;
}

static int
keep_bound(struct entries *entries, const char *topic, size_t count, struct err *err)
{
	size_t most = entries->own ? ORDERS_STORE_MAX : ORDERS_CHAIN_MAX;
	struct err why = { 0 };

	if (count <= most)
		return 0;
	err_set(&why, AISLE_E_FULL,
	    "%s: %zu orders, expected at most %zu: let older ones expire, or stop \"*\"", topic,
	    count, most);
	for (; count > most; count--)
		leave_one_out(entries);
	return mistake(entries, &why, err);
}

static size_t
drop_superseded(struct entries *entries)
{
	size_t count = 0;

	for (size_t i = 0; i < entries->count; i++) {
		entries->entry[i].gone = is_superseded(entries, i);
		count += !entries->entry[i].gone;
	}
	return count;
}

static void
write_list(const struct entries *entries, struct buf *out, size_t *ret_count)
{
	*ret_count = 0;
	buf_clear(out);
	buf_adds(out, "[");
	for (size_t i = 0; i < entries->count; i++) {
		if (entries->entry[i].gone)
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
    struct buf *notes, struct left_out *left, struct err *err)
{
	struct entries entries = { .root = root,
		.goods = goods,
		.topic = topic,
		.own = strcmp(topic, TOPIC_STOP) != 0,
		.now_ms = now_ms,
		.notes = notes,
		.left = left };
	int rc;

	/* A list that is none is somebody else's: ours takes its place. */
	if (order_list_each(retained, retained_len,
		entries.own ? ORDERS_STORE_MAX : ORDERS_CHAIN_MAX, topic, take_retained, &entries,
		NULL, NULL) != 0)
		entries.count = 0;
	rc = take_given(&entries, topic, err);
	if (rc == 0 && entries.count > 1)
		qsort(entries.entry, entries.count, sizeof(*entries.entry), by_sequence);
	if (rc == 0)
		rc = keep_bound(&entries, topic, drop_superseded(&entries), err);
	if (rc == 0)
		write_list(&entries, out, ret_count);
	entries_done(&entries);
	return rc;
}
