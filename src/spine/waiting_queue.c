/* SPDX-License-Identifier: Apache-2.0
 *
 * waiting_queue.c - the queues of the waiting room: rows on disk, their ends in memory.
 *
 * DESIGN
 *   A row holds those that came in a turn, a line each, up to ROW_EVENTS: alike
 *   as they are they pack to a fifth, and a row each was most of what a flood
 *   wrote. One about a customer has its own row, under their key. Of the row
 *   that is being taken the rest is written again with the turn.
 *
 *   In memory are only the queues' ends. Two stations whose names have the
 *   same 22 bits share a queue, which is right, only not fair.
 */
#include "spine/waiting_queue.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"

#define QUEUE_BITS 40 /* numbers in a queue; store.h */

#define ROW_EVENTS 32
#define ROW_BYTES (16 << 10)

/* ---- queues ---- */

int64_t
waiting_key(const char *name)
{
	uint8_t hash[4];

	hash_bytes(hash, sizeof(hash), name, strlen(name), "waiting", strlen("waiting"));
	return 1 + ((hash[0] & 0x3f) << 16 | hash[1] << 8 | hash[2]);
}

/* Where key is, or would be. */
static size_t
place_of(const struct waiting *waiting, int64_t key)
{
	size_t i = 0;

	while (i < waiting->count && waiting->queues[i].key < key)
		i++;
	return i;
}

struct waiting_queue *
waiting_queue_find(const struct waiting *waiting, int64_t key)
{
	size_t i = place_of(waiting, key);

	return i < waiting->count && waiting->queues[i].key == key ? &waiting->queues[i] : NULL;
}

struct waiting_queue *
waiting_queue_make(struct waiting *waiting, int64_t key)
{
	struct waiting_queue *queue = waiting_queue_find(waiting, key);
	size_t i = place_of(waiting, key);

	if (queue != NULL)
		return queue;
	waiting->queues =
	    mem_grow(waiting->queues, waiting->count, &waiting->capacity, sizeof(*queue));
	queue = &waiting->queues[i];
	memmove(queue + 1, queue, (waiting->count++ - i) * sizeof(*queue));
	*queue = (struct waiting_queue){ .key = key, .first = 1, .next = 1 };
	return queue;
}

void
waiting_queue_end(struct waiting *waiting, struct waiting_queue *queue)
{
	if (queue->first < queue->next || queue->tail.events > 0)
		return;
	waiting->bytes -= queue->bytes;
	buf_done(&queue->head.text);
	buf_done(&queue->tail.text);
	memmove(queue, queue + 1,
	    (size_t)(waiting->queues + --waiting->count - queue) * sizeof(*queue));
}

static int64_t
row_id(const struct waiting_queue *queue, int64_t n)
{
	return queue->key << QUEUE_BITS | n;
}

static int64_t
number_of(int64_t id)
{
	return id & ((INT64_C(1) << QUEUE_BITS) - 1);
}

static void
count_row(void *ctx, int64_t id, int64_t bytes, int64_t events)
{
	struct waiting *waiting = ctx;
	struct waiting_queue *queue = waiting_queue_make(waiting, id >> QUEUE_BITS);
	int64_t n = number_of(id);
	bool none = queue->first == queue->next;

	if (none || n < queue->first)
		queue->first = n;
	if (none || n >= queue->next)
		queue->next = n + 1;
	queue->events += events;
	queue->bytes += bytes;
	waiting->bytes += bytes;
}

int
waiting_load(struct engine *engine)
{
	return store_waiting_each(engine->store, count_row, &engine->waiting);
}

void
waiting_drop(struct engine *engine)
{
	for (size_t i = 0; i < engine->waiting.count; i++) {
		buf_done(&engine->waiting.queues[i].head.text);
		buf_done(&engine->waiting.queues[i].tail.text);
	}
	free(engine->waiting.queues);
	engine->waiting = (struct waiting){ 0 };
}

bool
waiting_has(const struct engine *engine, const char *name)
{
	return engine->waiting.count > 0 &&
	    waiting_queue_find(&engine->waiting, waiting_key(name)) != NULL;
}

int64_t
waiting_count(const struct engine *engine)
{
	int64_t count = 0;

	for (size_t i = 0; i < engine->waiting.count; i++)
		count += engine->waiting.queues[i].events;
	return count;
}

int64_t
waiting_bytes(const struct engine *engine)
{
	return engine->waiting.bytes;
}

/* ---- rows ---- */

static void
write_row(struct engine *engine, const struct waiting_queue *queue, int64_t n,
    const struct id *subject, const struct lines *lines)
{
	engine_check(engine,
	    store_waiting_add(engine->store, row_id(queue, n), subject, lines->events,
		lines->text.data + lines->at, lines->text.len - lines->at));
}

static void
drop_row(struct engine *engine, const struct waiting_queue *queue, int64_t n)
{
	engine_check(engine, store_waiting_drop(engine->store, row_id(queue, n)));
}

static void
count(struct waiting *waiting, struct waiting_queue *queue, int64_t events, int64_t bytes)
{
	queue->events += events;
	queue->bytes += bytes;
	waiting->bytes += bytes;
}

/* The oldest row, or the newest behind the head; the queue's end is put to it. false: there is none,
 * or it does not open and is dropped. A number may be damaged, and the next one far away: none is
 * tried. */
static bool
read_row(struct engine *engine, struct waiting_queue *queue, bool newest, struct lines *lines)
{
	struct store_waiting row;
	int64_t first = queue->first + (queue->head_read ? 1 : 0), n;
	int rc;

	lines->at = 0;
	buf_clear(&lines->text);
	rc = store_waiting_get(engine->store, row_id(queue, first), row_id(queue, queue->next - 1),
	    newest, &row, &lines->text);
	lines->events = row.events;
	if (rc != 0 && rc != AISLE_E_NONE && rc != AISLE_E_DAMAGED) {
		engine_check(engine, rc);
		return false;
	}
	n = row.id != 0 ? number_of(row.id) : newest ? first - 1 : queue->next;
	if (newest)
		queue->next = n + 1;
	else
		queue->first = n;
	if (rc == 0 || row.id == 0)
		return rc == 0;
	drop_row(engine, queue, n);
	count(&engine->waiting, queue, -row.events, -row.bytes);
	if (newest)
		queue->next--;
	else
		queue->first++;
	return false;
}

static void
write_tail(struct engine *engine, struct waiting_queue *queue)
{
	if (queue->tail.events > 0)
		write_row(engine, queue, queue->next++, NULL, &queue->tail);
	queue->tail.events = 0;
	buf_clear(&queue->tail.text);
}

static void
head_over(struct waiting_queue *queue)
{
	if (queue->head.events > 0)
		return;
	queue->head_read = queue->head_gone = false;
	queue->first++;
}

/* What is left of it is written with the turn. */
static void
head_taken(struct engine *engine, struct waiting_queue *queue)
{
	if (!queue->head_gone)
		drop_row(engine, queue, queue->first);
	queue->head_gone = true;
}

static bool
read_head(struct engine *engine, struct waiting_queue *queue)
{
	while (!queue->head_read && engine->failed == 0) {
		if (queue->first == queue->next)
			write_tail(engine, queue);
		if (queue->first == queue->next)
			return false;
		queue->head_read = read_row(engine, queue, false, &queue->head);
	}
	return engine->failed == 0;
}

/* The oldest event. */
static bool
take_oldest(struct engine *engine, struct waiting_queue *queue, struct buf *out)
{
	struct lines *head = &queue->head;
	const char *line, *end;

	if (!read_head(engine, queue))
		return false;
	head_taken(engine, queue);
	line = head->text.data + head->at;
	end = memchr(line, '\n', head->text.len - head->at);
	CHECK(end != NULL);
	buf_add(out, line, (size_t)(end - line));
	head->at += (size_t)(end + 1 - line);
	head->events--;
	count(&engine->waiting, queue, -1, -(int64_t)(end + 1 - line));
	head_over(queue);
	return true;
}

static void
cut_last(struct lines *lines, struct buf *out)
{
	size_t end = lines->text.len - 1, at = end;

	while (at > lines->at && lines->text.data[at - 1] != '\n')
		at--;
	buf_add(out, lines->text.data + at, end - at);
	lines->text.len = at;
	lines->events--;
}

/* The newest event. */
bool
waiting_take_newest(struct engine *engine, struct waiting_queue *queue, struct buf *out)
{
	struct lines row = { .events = 0 };

	if (queue->tail.events > 0) {
		cut_last(&queue->tail, out);
	} else if (queue->head_read && queue->first == queue->next - 1) {
		head_taken(engine, queue);
		cut_last(&queue->head, out);
		head_over(queue);
	} else {
		bool read = read_row(engine, queue, true, &row);

		if (read) {
			drop_row(engine, queue, queue->next - 1);
			cut_last(&row, out);
		}
		if (read && row.events > 0)
			write_row(engine, queue, queue->next - 1, NULL, &row);
		else if (read)
			queue->next--;
		buf_done(&row.text);
		if (!read)
			return false;
	}
	count(&engine->waiting, queue, -1, -(int64_t)(out->len + 1));
	return engine->failed == 0;
}

void
waiting_add_line(struct engine *engine, struct waiting_queue *queue, const struct id *subject,
    const struct buf *text)
{
	struct lines *tail = &queue->tail;

	if (subject != NULL || tail->events == ROW_EVENTS || tail->text.len + text->len > ROW_BYTES)
		write_tail(engine, queue);
	buf_add(&tail->text, text->data, text->len);
	tail->events++;
	count(&engine->waiting, queue, 1, (int64_t)text->len);
	if (subject == NULL)
		return;
	write_row(engine, queue, queue->next++, subject, tail);
	tail->events = 0;
	buf_clear(&tail->text);
}

void
waiting_save(struct engine *engine)
{
	for (size_t i = 0; i < engine->waiting.count; i++) {
		struct waiting_queue *queue = &engine->waiting.queues[i];

		if (queue->head_gone)
			write_row(engine, queue, queue->first, NULL, &queue->head);
		queue->head_gone = false;
		write_tail(engine, queue);
	}
}

bool
waiting_take(struct engine *engine, struct buf *out)
{
	struct waiting *waiting = &engine->waiting;
	bool taken = false;

	while (!taken && waiting->count > 0 && engine->failed == 0) {
		size_t i = place_of(waiting, waiting->turn + 1);
		struct waiting_queue *queue = &waiting->queues[i < waiting->count ? i : 0];

		waiting->turn = queue->key;
		taken = take_oldest(engine, queue, out);
		waiting_queue_end(waiting, queue);
	}
	return taken;
}
