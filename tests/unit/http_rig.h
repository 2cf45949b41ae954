/* SPDX-License-Identifier: Apache-2.0
 *
 * http_rig.h - an HTTP server with a host made of strings, and clients that are bare sockets on the
 * same loop.
 */
#ifndef AISLE_TESTS_HTTP_RIG_H
#define AISLE_TESTS_HTTP_RIG_H

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/json.h"
#include "deliver/http_private.h"

#define TOKEN "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"  /* tablet "front", all stations */
#define TOKEN7 "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB" /* tablet "seven", station 7 */
#define AUTH "Authorization: Bearer " TOKEN "\r\n"
#define AUTH7 "Authorization: Bearer " TOKEN7 "\r\n"
#define HOST "Host: 127.0.0.1\r\n"
#define TABLETS_MAX 16

struct rig {
	struct event_base *base;
	struct http *http;
	struct http_host host;
	struct conf conf;
	uint16_t port;
	int64_t now_ms;
	/* what the store would know */
	struct {
		char hash[65];
		struct http_tablet tablet;
	} tablets[TABLETS_MAX];
	size_t tablet_count;
	int put_result;
	const char *open; /* the "open" array of every station */
	int64_t last_id;
	bool ready;
	int pictures_asked;
	/* what was submitted */
	bool hold; /* answers wait for rig_answer */
	reply_fn reply;
	void *reply_ctx;
	struct reply result;
	int submitted, cancelled;
	char source[64], manager[129]; /* who signed in last */
	char kind[16], tablet[33], guidance[129], prompt[129];
	struct buf body;
};

static inline int64_t
rig_now(void *ctx)
{
	return ((struct rig *)ctx)->now_ms;
}

static inline int
rig_stations(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_adds(out,
	    "{\"stations\":[{\"station\":\"7\",\"open\":1},{\"station\":\"8\",\"open\":0}]}");
	return 0;
}

static inline int
rig_station(void *ctx, const char *station, struct buf *out)
{
	buf_addf(out, "{\"station\":\"%s\",\"open\":%s}", station, ((struct rig *)ctx)->open);
	return strcmp(station, "nowhere") == 0 ? AISLE_E_NONE : 0;
}

static inline int
rig_decision(void *ctx, const char *id, struct buf *out)
{
	(void)ctx;
	if (strcmp(id, "D7") != 0 && strcmp(id, "D 8/") != 0)
		return AISLE_E_NONE;
	buf_addf(out, "{\"decision\":\"%s\",\"station\":\"%c\"}", id,
	    strcmp(id, "D7") == 0 ? '7' : '8');
	return 0;
}

/* Sixty-four of a letter: a is a small JPEG, b is no image, of others there is none. */
static inline int
rig_picture(void *ctx, const char *hash, struct buf *out)
{
	((struct rig *)ctx)->pictures_asked++;
	if (hash[0] != 'a' && hash[0] != 'b')
		return AISLE_E_NONE;
	buf_adds(out,
	    hash[0] == 'a' ? "\xff\xd8\xff\xc0\x01\x01\x08\x01\x01\x01\x02" : "no image at all");
	return 0;
}

static inline int
rig_report(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_adds(out, "{\"shown\":3}");
	return 0;
}

static inline int
rig_status(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_adds(out, "{\"state\":\"online\"}");
	return 0;
}

static inline int
rig_metrics(void *ctx, bool openmetrics, struct buf *out)
{
	(void)ctx;
	buf_adds(out, openmetrics ? "# EOF\n" : "aisle_up 1\n");
	return 0;
}

static inline bool
rig_ready(void *ctx, struct buf *out)
{
	buf_adds(out, "{\"status\":\"pass\"}");
	return ((struct rig *)ctx)->ready;
}

static inline int
rig_guidance_station(void *ctx, const char *guidance, char ret_station[static 33])
{
	(void)ctx;
	if (strcmp(guidance, "G7") != 0 && strcmp(guidance, "G8") != 0)
		return AISLE_E_NONE;
	snprintf(ret_station, 33, "%s", guidance + 1);
	return 0;
}

static inline void
rig_submit(void *ctx, const char *tablet, const char *manager, const char *guidance,
    const char *prompt, const char *kind, struct json_t *body, reply_fn reply, void *reply_ctx)
{
	struct rig *rig = ctx;

	rig->submitted++;
	snprintf(rig->kind, sizeof(rig->kind), "%s", kind);
	snprintf(rig->tablet, sizeof(rig->tablet), "%s", tablet != NULL ? tablet : "");
	snprintf(rig->manager, sizeof(rig->manager), "%s", manager != NULL ? manager : "");
	snprintf(rig->guidance, sizeof(rig->guidance), "%s", guidance);
	snprintf(rig->prompt, sizeof(rig->prompt), "%s", prompt);
	buf_clear(&rig->body);
	json_write(body, &rig->body);
	rig->reply = reply;
	rig->reply_ctx = reply_ctx;
	if (!rig->hold)
		reply(reply_ctx, &rig->result);
}

/* PIN 4711 is right, 0000 locks. */
static inline void
rig_sign_in(void *ctx, const char *source, const char *manager, const char *pin, reply_fn reply,
    void *reply_ctx)
{
	struct rig *rig = ctx;
	struct reply result = { .status = strcmp(pin, "4711") == 0 ? 200
		    : strcmp(pin, "0000") == 0			   ? 423
								   : 401,
		.body = "{}",
		.detail = "no" };

	snprintf(rig->source, sizeof(rig->source), "%s", source);
	snprintf(rig->manager, sizeof(rig->manager), "%s", manager);
	rig->reply = reply;
	rig->reply_ctx = reply_ctx;
	if (!rig->hold)
		reply(reply_ctx, &result);
}

static inline void
rig_order(void *ctx, const char *manager, const char *order, const struct json_t *body,
    reply_fn reply, void *reply_ctx)
{
	struct rig *rig = ctx;

	snprintf(rig->manager, sizeof(rig->manager), "%s", manager);
	snprintf(rig->kind, sizeof(rig->kind), "%s", order);
	buf_clear(&rig->body);
	json_write(body, &rig->body);
	rig->submitted++;
	reply(reply_ctx, &rig->result);
}

static inline void
rig_cancel(void *ctx, void *reply_ctx)
{
	struct rig *rig = ctx;

	rig->cancelled += reply_ctx == rig->reply_ctx;
	rig->reply = NULL;
}

static inline int
rig_tablet_put(void *ctx, const char *hash, const struct http_tablet *tablet)
{
	struct rig *rig = ctx;

	if (rig->put_result != 0)
		return rig->put_result;
	snprintf(rig->tablets[rig->tablet_count].hash, 65, "%s", hash);
	rig->tablets[rig->tablet_count++].tablet = *tablet;
	return 0;
}

static inline int
rig_tablet_get(void *ctx, const char *hash, struct http_tablet *ret)
{
	struct rig *rig = ctx;

	for (size_t i = 0; i < rig->tablet_count; i++)
		if (strcmp(rig->tablets[i].hash, hash) == 0) {
			*ret = rig->tablets[i].tablet;
			return 0;
		}
	return AISLE_E_NONE;
}

static inline int64_t
rig_last_id(void *ctx)
{
	return ((struct rig *)ctx)->last_id;
}

static inline void
rig_start(struct rig *rig)
{
	struct err err = { 0 };

	if (http_new(rig->base, &rig->conf, &rig->host, &rig->http, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	rig->port = (uint16_t)atoi(strrchr(http_address(rig->http, 0), ':') + 1);
}

static inline struct rig *
rig_new(void)
{
	struct rig *rig = mem_calloc(1, sizeof(*rig));
	struct http_tablet all = { .name = "front" },
			   seven = { .name = "seven", .stations = "70,7" };
	char hash[65];

	rig->base = event_base_new();
	rig->now_ms = 1000000;
	rig->open = "[]";
	rig->ready = true;
	rig->last_id = -1;
	rig->result = (struct reply){ .status = 200, .body = "{\"ok\":true}" };
	rig->host = (struct http_host){ rig, rig_now, rig_stations, rig_station, rig_decision,
		rig_picture, rig_report, rig_status, rig_metrics, rig_ready, rig_guidance_station,
		rig_submit, rig_sign_in, rig_order, rig_cancel, rig_tablet_put, rig_tablet_get,
		rig_last_id };
	rig->conf.http_listen = mem_strdup("127.0.0.1:0");
	rig->conf.http_operators = mem_strdup("127.0.0.1/32 ::1/128");
	rig->conf.stream_kib = 64;
	http_token_hash(TOKEN, hash);
	rig_tablet_put(rig, hash, &all);
	http_token_hash(TOKEN7, hash);
	rig_tablet_put(rig, hash, &seven);
	rig_start(rig);
	return rig;
}

static inline void
rig_free(struct rig *rig)
{
	http_free(rig->http);
	event_base_free(rig->base);
	free(rig->conf.http_listen);
	free(rig->conf.http_operators);
	buf_done(&rig->body);
	free(rig);
}

/* From here on whoever asks is no operator. */
static inline void
rig_no_operator(struct rig *rig)
{
	http_free(rig->http);
	free(rig->conf.http_operators);
	rig->conf.http_operators = mem_strdup("10.0.0.0/8");
	rig_start(rig);
}

static inline void
rig_pump(struct rig *rig, int rounds)
{
	while (rounds-- > 0)
		event_base_loop(rig->base, EVLOOP_NONBLOCK);
}

static inline int
rig_connect(struct rig *rig)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(rig->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0)
		abort();
	rig_pump(rig, 3);
	return fd;
}

/* Sends all of it, as far as the other side lets us. */
static inline void
rig_send(struct rig *rig, int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	int idle = 0;

	while (len > 0 && idle < 300) {
		ssize_t n = send(fd, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			at += n;
			len -= (size_t)n;
			idle = 0;
		} else if (n < 0 && errno != EAGAIN)
			return;
		else if (++idle > 100)
			poll(NULL, 0, 1);
		rig_pump(rig, 2);
	}
}

/* Is a whole answer in text? */
static inline bool
answer_complete(const char *text)
{
	const char *body = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "Content-Length: ");

	if (body == NULL)
		return false;
	if (strncmp(text, "HTTP/1.1 304", 12) == 0)
		return true;
	return length != NULL && length < body && strlen(body + 4) >= (size_t)atol(length + 16);
}

/* Reads until `want` appears (NULL: a whole answer), the end, or nothing more comes. True: it
 * ended. */
static inline bool
rig_read(struct rig *rig, int fd, struct buf *out, const char *want)
{
	char chunk[65536];
	int idle = 0;

	buf_adds(out, "");
	while (idle < 150) {
		ssize_t n;
		rig_pump(rig, 2);
		n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return true;
		if (n > 0) {
			buf_add(out, chunk, (size_t)n);
			idle = 0;
		} else if (++idle > 50)
			poll(NULL, 0, 1);
		if (out->data != NULL &&
		    (want != NULL ? strstr(out->data, want) != NULL : answer_complete(out->data)))
			return false;
	}
	return false;
}

/* One request on a connection of its own. Its status; the answer in *out. */
static inline int
rig_ask(struct rig *rig, const char *request, struct buf *out)
{
	int fd = rig_connect(rig);
	struct buf own = { 0 };
	struct buf *to = out != NULL ? out : &own;
	int status;

	buf_clear(to);
	rig_send(rig, fd, request, strlen(request));
	rig_read(rig, fd, to, NULL);
	close(fd);
	rig_pump(rig, 3);
	status = to->data != NULL && strncmp(to->data, "HTTP/1.", 7) == 0 ? atoi(to->data + 9) : 0;
	buf_done(&own);
	return status;
}

static inline int
rig_get(struct rig *rig, const char *path, const char *headers, struct buf *out)
{
	char request[4096];

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" HOST "%s\r\n", path, headers);
	return rig_ask(rig, request, out);
}

static inline int
rig_post(struct rig *rig, const char *path, const char *headers, const char *body, struct buf *out)
{
	struct buf request = { 0 };
	int status;

	buf_addf(&request, "POST %s HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n%s", path,
	    headers, strlen(body), body);
	status = rig_ask(rig, request.data, out);
	buf_done(&request);
	return status;
}

#endif
