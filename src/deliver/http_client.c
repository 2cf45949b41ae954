/* SPDX-License-Identifier: Apache-2.0
 *
 * http_client.c - one connection: its deadlines, its bounds and its one end.
 *
 * DESIGN
 *   evhttp of libevent 2.1 has no limit on connections, no deadline for a
 *   whole request and no hook before one is complete. It does let us make
 *   the bufferevent of each connection, and gives that its own connection
 *   object as callback argument. So: http_client_accept makes the bufferevent
 *   and holds a reference; the event `work`, made active at once, runs before
 *   any event of the new socket and finds the connection in it (adopt). From
 *   then on its close callback tells us of its end, however it comes.
 *
 *   Buffer callbacks count what happens between: bytes received and not yet
 *   understood, pieces taken off (evhttp takes a header line in two, and
 *   keeps a hundred bytes for a header of two), and output that evhttp wrote
 *   by itself, its HTML error page, which `work` mends to problem+json.
 *
 * INVARIANTS
 *   Connections are freed in one place, `work`, and by evhttp itself; never
 *   in a callback of their own buffers, where it would pull the floor away.
 *   A request that we hold when its connection ends is either still on the
 *   connection (evhttp frees it) or was detached by it (we free it): see gone.
 *   Reading is enabled while a tap waits for its turn, or a tablet that left
 *   would hold it; but with no read callback: evhttp's own exits the process
 *   when bytes arrive while it writes.
 */
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "deliver/http_private.h"

int64_t
http_mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * S_MS + ts.tv_nsec / 1000000;
}

void
http_client_cut(struct http_client *client)
{
	client->doomed = true;
	event_active(client->http->work, 0, 0);
}

/* The connection is going down, for whatever reason. libevent calls this once. */
static void
gone(struct evhttp_connection *connection, void *ctx)
{
	struct http_client *client = ctx;
	struct http *http = client->http;
	struct evhttp_request *request = client->request;

	(void)connection;
	evbuffer_remove_cb_entry(bufferevent_get_input(client->bev), client->in_cb);
	evbuffer_remove_cb_entry(bufferevent_get_output(client->bev), client->out_cb);
	http->input_total -= client->input;
	sse_gone(client);
	http_answer_gone(client);
	if (request != NULL && evhttp_request_get_connection(request) == NULL)
		evhttp_request_free(request);
	TAILQ_REMOVE(&http->clients, client, next);
	http->client_count--;
	free(client);
}

static void
input_changed(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *ctx)
{
	struct http_client *client = ctx;
	struct http *http = client->http;

	http->input_total -= client->input;
	client->input = evbuffer_get_length(buffer);
	http->input_total += client->input;
	if (client->state != CLIENT_READING || client->doomed)
		return;
	client->taken += info->n_deleted;
	if (info->n_deleted > 0 && info->n_deleted < HTTP_SMALL)
		client->reads++;
	if (client->reads > HTTP_READS_MAX || client->taken > HTTP_TAKEN_MAX ||
	    http->input_total > HTTP_INPUT_TOTAL_MAX) {
		http->counts.malformed++;
		http_client_cut(client);
	}
}

static void
output_changed(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *ctx)
{
	struct http_client *client = ctx;

	(void)buffer;
	if (client->state != CLIENT_READING || info->n_added == 0 || client->libevent_wrote)
		return;
	client->libevent_wrote = true;
	event_active(client->http->work, 0, 0);
}

/* evhttp refused the request by itself: the same in our own words. Its page is
 * still whole in the buffer, because the socket is written to by a later event. */
static void
mend(struct http_client *client)
{
	struct evbuffer *output = bufferevent_get_output(client->bev);
	char line[48] = "";
	int minor, status;
	struct buf body = { 0 };

	client->libevent_wrote = false;
	evbuffer_copyout(output, line, sizeof(line) - 1);
	if (client->state != CLIENT_READING || sscanf(line, "HTTP/%*d.%d %d", &minor, &status) != 2)
		return;
	if (status == 100)
		return;
	if (status < 400 || status > 599)
		status = 400;
	client->state = CLIENT_ANSWERING; /* from here on the output is ours */
	client->since_ms = http_mono_ms();
	client->http->counts.malformed++;
	client->http->counts.refused++;
	http_problem_text(status,
	    status == 413 ? "head or body too large" : "not a request that is understood here",
	    NULL, &body);
	/* A plain bufferevent keeps the front of its output for itself; one over TLS does not. */
	if (client->http->tls == NULL)
		evbuffer_unfreeze(output, 1);
	evbuffer_drain(output, evbuffer_get_length(output));
	if (client->http->tls == NULL)
		evbuffer_freeze(output, 1);
	evbuffer_add_printf(output,
	    "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nContent-Length: %zu\r\n"
	    "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n%s",
	    status, http_status_title(status), body.len, body.data);
	buf_done(&body);
}

static void
socket_options(evutil_socket_t fd)
{
	int on = 1, idle = 30, interval = 10, count = 3, dead_ms = 30000;

	/* Refused for what is no TCP socket, which does no harm. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof(dead_ms));
}

struct bufferevent *
http_client_accept(struct event_base *base, void *ctx)
{
	struct http *http = ctx;
	struct http_client *client;
	struct bufferevent *bev;

	bev = http->tls != NULL ? http_tls_bufferevent(http)
				: bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		return NULL; /* evhttp makes a plain one; it is not adopted, and refused by the
				handler */
	client = mem_zero(sizeof(*client));
	client->http = http;
	client->bev = bev;
	bufferevent_incref(bev);
	TAILQ_INSERT_TAIL(&http->arrivals, client, next);
	event_active(http->work, 0, 0);
	return bev;
}

/* The room is full: who has been silent for longest makes place, but never a tablet's stream. */
static void
make_room(struct http *http)
{
	struct http_client *client, *oldest = NULL;

	if (http->client_count <= HTTP_CONNECTIONS_MAX)
		return;
	TAILQ_FOREACH(client, &http->clients, next)
	if (client->state == CLIENT_READING && !client->doomed &&
	    (oldest == NULL || client->since_ms < oldest->since_ms))
		oldest = client;
	if (oldest == NULL)
		oldest = TAILQ_LAST(&http->clients, client_list);
	http->counts.evicted++;
	evhttp_connection_free(oldest->connection);
}

static void
adopt(struct http *http, struct http_client *client)
{
	bufferevent_data_cb read_cb;
	void *connection;

	TAILQ_REMOVE(&http->arrivals, client, next);
	bufferevent_getcb(client->bev, &read_cb, NULL, NULL, &connection);
	bufferevent_decref(client->bev);
	if (read_cb == NULL) { /* evhttp could not use it: the reference was the last */
		free(client);
		return;
	}
	http->counts.connections++;
	client->connection = connection;
	client->since_ms = http_mono_ms();
	client->in_cb = evbuffer_add_cb(bufferevent_get_input(client->bev), input_changed, client);
	client->out_cb =
	    evbuffer_add_cb(bufferevent_get_output(client->bev), output_changed, client);
	bufferevent_setwatermark(client->bev, EV_READ, 0, HTTP_HEAD_MAX + HTTP_BODY_MAX + 4096);
	evhttp_connection_set_closecb(client->connection, gone, client);
	socket_options(bufferevent_getfd(client->bev));
	TAILQ_INSERT_TAIL(&http->clients, client, next);
	http->client_count++;
	make_room(http);
}

static void
work(evutil_socket_t fd, short what, void *ctx)
{
	struct http *http = ctx;
	struct http_client *client, *following;

	(void)fd;
	(void)what;
	while ((client = TAILQ_FIRST(&http->arrivals)) != NULL)
		/* adopt() takes it off the list, which the checker does not see.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		adopt(http, client);
	for (client = TAILQ_FIRST(&http->clients); client != NULL; client = following) {
		following = TAILQ_NEXT(client, next);
		if (client->doomed)
			evhttp_connection_free(client->connection);
		else if (client->libevent_wrote)
			mend(client);
	}
}

struct http_client *
http_client_of(struct http *http, struct evhttp_connection *connection)
{
	struct http_client *client;

	TAILQ_FOREACH(client, &http->clients, next)
	if (client->connection == connection)
		return client;
	return NULL;
}

static void
answered(struct evhttp_request *request, void *ctx)
{
	struct http_client *client = ctx;

	(void)request;
	client->request = NULL;
	client->state = CLIENT_READING;
	client->since_ms = http_mono_ms();
	client->reads = 0;
	client->taken = 0;
}

void
http_client_take(struct http_client *client, struct evhttp_request *request)
{
	client->request = request;
	client->state = CLIENT_ANSWERING;
	client->since_ms = http_mono_ms();
	evhttp_request_set_on_complete_cb(request, answered, client);
}

void
http_client_sweep(struct http *http, int64_t mono_ms)
{
	struct http_client *client;
	int64_t limit_ms;

	TAILQ_FOREACH(client, &http->clients, next)
	{
		/* A tablet has nothing to say on its stream. */
		if (client->state == CLIENT_STREAM && client->input > 0)
			http_client_cut(client);
		/* A tap waits for its turn as long as the store needs: its end is not ours to
		 * choose. */
		if (client->state == CLIENT_STREAM || client->answer != NULL || client->doomed)
			continue;
		limit_ms = client->state == CLIENT_READING ? HTTP_READ_DEADLINE_MS
							   : HTTP_WRITE_DEADLINE_MS;
		if (mono_ms - client->since_ms < limit_ms)
			continue;
		http->counts.slow++;
		http_client_cut(client);
	}
	sse_beat(http, mono_ms);
}

static void
every_second(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	http_client_sweep(ctx, http_mono_ms());
}

int
http_client_init(struct http *http)
{
	struct timeval second = { .tv_sec = 1 };

	http->work = event_new(http->base, -1, 0, work, http);
	http->second = event_new(http->base, -1, EV_PERSIST, every_second, http);
	if (http->work == NULL || http->second == NULL || event_add(http->second, &second) != 0)
		return AISLE_E_IO;
	return 0;
}

void
http_client_done(struct http *http)
{
	struct http_client *client;

	while ((client = TAILQ_FIRST(&http->arrivals)) != NULL) {
		TAILQ_REMOVE(&http->arrivals, client, next);
		bufferevent_decref(client->bev);
		free(client);
	}
	CHECK(TAILQ_EMPTY(&http->clients));
	if (http->work != NULL)
		event_free(http->work);
	if (http->second != NULL)
		event_free(http->second);
}
