/* SPDX-License-Identifier: Apache-2.0
 *
 * sse.c - one stream of server-sent events for each tablet that shows a station.
 *
 * DESIGN
 *   A stream is a reply that never ends. What a slow reader has not taken
 *   stays in its output buffer up to [limits] stream_kib; beyond that the
 *   stream is cut, and the tablet comes back and begins anew. Waiting for it
 *   would cost the others; dropping single events would show it a lie.
 *
 *   The kernel's own buffer is kept small too, else megabytes could hide there.
 *
 * INVARIANTS
 *   http->streams is the one list of them. A stream leaves it in sse_gone, when
 *   its connection ends, and nowhere else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/json.h"
#include "deliver/http_private.h"

#define KERNEL_BUFFER 32768 /* doubled by Linux */
#define RETRY "retry: 2000\n\n"

/* "event: guidance", "id: 7", "data: …" and the empty line. id <= 0: none. */
static void
frame(struct buf *out, int64_t id, const char *event, const char *json, size_t len)
{
	const char *at = json, *end = json + len;

	buf_addf(out, "event: %s\n", event);
	if (id > 0)
		buf_addf(out, "id: %lld\n", (long long)id);
	do {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		buf_adds(out, "data: ");
		buf_add(out, at, (size_t)((stop != NULL ? stop : end) - at));
		buf_addc(out, '\n');
		at = stop != NULL ? stop + 1 : end;
	} while (at < end);
	buf_addc(out, '\n');
}

/* How much may wait in one stream. */
static size_t
stream_bytes(const struct http *http)
{
	return (size_t)http->conf->stream_kib * 1024;
}

static size_t
waiting(const struct stream *stream)
{
	return evbuffer_get_length(bufferevent_get_output(stream->client->bev));
}

static void
cut(struct stream *stream)
{
	stream->client->http->counts.streams_cut++;
	http_client_cut(stream->client);
}

/* All together hold at most SSE_TOTAL_MAX: whoever is furthest behind goes. */
static void
bound_total(struct http *http)
{
	struct stream *stream, *worst;
	size_t total;

	do {
		total = 0;
		worst = NULL;
		TAILQ_FOREACH(stream, &http->streams, next)
		{
			if (stream->client->doomed)
				continue;
			total += waiting(stream);
			if (worst == NULL || waiting(stream) > waiting(worst))
				worst = stream;
		}
		if (total > SSE_TOTAL_MAX)
			cut(worst);
	} while (total > SSE_TOTAL_MAX);
}

static void
put(struct stream *stream, const struct buf *text)
{
	struct evbuffer *chunk = evbuffer_new();

	if (chunk == NULL) {
		cut(stream);
		return;
	}
	evbuffer_add(chunk, text->data, text->len);
	evhttp_send_reply_chunk(stream->client->request, chunk);
	evbuffer_free(chunk);
	stream->beat_ms = http_mono_ms();
}

static void
send_text(struct stream *stream, const struct buf *text)
{
	if (stream->client->doomed || text->len == 0)
		return;
	if (waiting(stream) + text->len > stream_bytes(stream->client->http))
		cut(stream);
	else
		put(stream, text);
}

void
http_stream(struct http *http, const char *station, int64_t id, const char *event, const char *json,
    size_t len)
{
	struct stream *stream;
	struct buf text = { 0 };

	/* A status is how things are, not something that happened: it has no place among the
	 * ids. */
	if (strcmp(event, "status") == 0)
		id = 0;
	if (id > 0)
		ring_add(&http->ring, station, id, event, json, len);
	else
		http->status_without_id = true;
	if (TAILQ_EMPTY(&http->streams))
		return;
	frame(&text, id, event, json, len);
	TAILQ_FOREACH(stream, &http->streams, next)
	if (station == NULL || strcmp(stream->station, station) == 0)
		send_text(stream, &text);
	bound_total(http);
	buf_done(&text);
}

static void
add_status(const struct http *http, int64_t id, struct buf *out)
{
	struct buf json = { 0 };

	if (http->host->status(http->host->ctx, &json) == 0)
		frame(out, id, "status", json.data, json.len);
	buf_done(&json);
}

/* What a stream begins with: status, and one guidance for each that is open. They carry
 * the newest id: whoever has read them has everything up to it. */
static void
add_snapshot(const struct http *http, const char *station, struct buf *out)
{
	struct buf text = { 0 }, one = { 0 };
	json_t *root = NULL, *item;
	struct err err = { 0 };
	size_t i;

	add_status(http, http->ring.last, out);
	if (http->host->station(http->host->ctx, station, &text) == 0 && text.len > 0)
		root = json_read(text.data, text.len, "station", &err);
	json_array_foreach(json_object_get(root, "open"), i, item) {
		buf_clear(&one);
		json_write(item, &one);
		frame(out, http->ring.last, "guidance", one.data, one.len);
	}
	json_decref(root);
	buf_done(&one);
	buf_done(&text);
}

static void
add_missed(const struct http *http, const char *station, int64_t after, struct buf *out)
{
	const struct ring_event *event;

	for (size_t i = 0; (event = ring_at(&http->ring, i)) != NULL; i++)
		if (event->id > after && event->json != NULL &&
		    (event->station[0] == '\0' || strcmp(event->station, station) == 0))
			frame(out, event->id, event->event, event->json, event->len);
	if (http->status_without_id)
		add_status(http, 0, out);
}

/* The last id that the tablet has seen; false: it names none. */
static bool
last_seen(const struct http_call *call, int64_t *ret)
{
	const char *header = http_header(call, "Last-Event-ID");
	char text[24] = "";

	if (header != NULL)
		snprintf(text, sizeof(text), "%s", header);
	else if (!http_query(call->query, "last_event_id", text, sizeof(text)))
		return false;
	if (text[0] == '\0' || strlen(text) > 18 || strspn(text, "0123456789") != strlen(text))
		return false;
	*ret = strtoll(text, NULL, 10);
	return true;
}

/* What the tablet missed. Where that is not known any more, or is more than a stream may hold,
 * how things are now: the same refusal would meet it each time that it came back. */
static void
add_beginning(const struct http_call *call, const char *station, struct buf *out)
{
	struct http *http = call->http;
	int64_t seen;

	if (last_seen(call, &seen) && ring_covers(&http->ring, seen)) {
		buf_adds(out, RETRY);
		add_missed(http, station, seen, out);
		if (out->len <= stream_bytes(http)) {
			http->counts.streams_resumed++;
			return;
		}
		buf_clear(out);
	}
	buf_adds(out, RETRY);
	add_snapshot(http, station, out);
}

/* A tablet has a few streams at most; those of tabs that it forgot go first. */
static void
bound_tablet(struct http *http, const char *tablet)
{
	struct stream *stream, *oldest = NULL;
	size_t count = 0;

	TAILQ_FOREACH(stream, &http->streams, next)
	{
		if (stream->client->doomed || strcmp(stream->tablet, tablet) != 0)
			continue;
		if (oldest == NULL)
			oldest = stream;
		count++;
	}
	if (count >= SSE_STREAMS_PER_TABLET)
		cut(oldest);
}

static struct stream *
stream_new(struct http_call *call, const char *station)
{
	struct http *http = call->http;
	struct stream *stream = mem_zero(sizeof(*stream));
	int size = KERNEL_BUFFER;

	stream->client = call->client;
	snprintf(stream->station, sizeof(stream->station), "%.32s", station);
	snprintf(stream->tablet, sizeof(stream->tablet), "%.32s", call->tablet.name);
	TAILQ_INSERT_TAIL(&http->streams, stream, next);
	http->stream_count++;
	call->client->stream = stream;
	call->client->state = CLIENT_STREAM;
	setsockopt(bufferevent_getfd(call->client->bev), SOL_SOCKET, SO_SNDBUF, &size,
	    sizeof(size));
	bufferevent_setwatermark(call->client->bev, EV_READ, 0, 4096);
	return stream;
}

static void
begin(struct http_call *call, const char *station, const struct buf *text)
{
	struct stream *stream = stream_new(call, station);

	http_add_header(call, "Content-Type", "text/event-stream");
	http_add_header(call, "Cache-Control", "no-store");
	http_add_header(call, "X-Content-Type-Options", "nosniff");
	http_add_header(call, "X-Accel-Buffering", "no");
	evhttp_send_reply_start(call->request, 200, "OK");
	put(stream, text); /* it fits: the head that waits before it is no part of what it holds */
}

void
http_get_stream(struct http_call *call)
{
	struct http *http = call->http;
	const char *station = call->segments[2];
	struct buf text = { 0 };

	if (!http_name_ok(station)) {
		http_problem(call, 404, "no such station");
		return;
	}
	if (!http_scope_has(&call->tablet, station)) {
		http_problem(call, 403, "this tablet is not paired with station %s", station);
		return;
	}
	bound_tablet(http, call->tablet.name);
	if (http->stream_count >= SSE_STREAMS_MAX) {
		http_add_header(call, "Retry-After", "10");
		http_problem(call, 503, "%d streams are open, and no more are served",
		    SSE_STREAMS_MAX);
		return;
	}
	add_beginning(call, station, &text);
	if (text.len > stream_bytes(http))
		http_problem(call, 503,
		    "more is open at station %s than [limits] stream_kib lets through", station);
	else
		begin(call, station, &text);
	buf_done(&text);
}

void
sse_gone(struct http_client *client)
{
	struct stream *stream = client->stream;

	if (stream == NULL)
		return;
	client->stream = NULL;
	TAILQ_REMOVE(&client->http->streams, stream, next);
	client->http->stream_count--;
	free(stream);
}

/* A comment now and then: a proxy keeps the line, and a tablet that is gone is noticed. */
void
sse_beat(struct http *http, int64_t mono_ms)
{
	struct stream *stream;
	struct buf text = { 0 };

	buf_adds(&text, ": \n\n");
	TAILQ_FOREACH(stream, &http->streams, next)
	if (mono_ms - stream->beat_ms >= SSE_HEARTBEAT_MS)
		send_text(stream, &text);
	buf_done(&text);
}

void
http_revoke(struct http *http, const char *name)
{
	struct stream *stream;

	TAILQ_FOREACH(stream, &http->streams, next)
	if (strcmp(stream->tablet, name) == 0)
		http_client_cut(stream->client);
}

void
http_begin_anew(struct http *http)
{
	ring_done(&http->ring);
	ring_init(&http->ring,
	    http->host->last_id != NULL ? http->host->last_id(http->host->ctx) : -1);
}

size_t
http_streams(const struct http *http)
{
	return http->stream_count;
}

void
http_each_tablet(const struct http *http, void (*fn)(void *ctx, const char *tablet), void *ctx)
{
	const struct stream *stream;

	TAILQ_FOREACH(stream, &http->streams, next)
	fn(ctx, stream->tablet);
}
