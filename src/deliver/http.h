/* SPDX-License-Identifier: Apache-2.0
 *
 * http.h - HTTP for tablets and operators over libevent: paths, tokens, server-sent events, the
 * page.
 *
 * Everything that reads or changes the store goes through struct http_host,
 * which the daemon (and a test) provides.
 */
#ifndef AISLE_DELIVER_HTTP_H
#define AISLE_DELIVER_HTTP_H

#include <event2/event.h>

#include "aisle/reply.h"
#include "core/buf.h"
#include "core/conf.h"

struct json_t;
struct http;

struct http_tablet {
	char name[33];
	char stations[1024]; /* comma-separated; "" = all */
};

struct http_host {
	void *ctx;
	int64_t (*now_ms)(void *ctx);
	/* Appends a JSON object to out; 0 or AISLE_E_NONE. */
	int (*stations)(void *ctx, struct buf *out);
	/* {"station","open":[Guidance,…]} */
	int (*station)(void *ctx, const char *station, struct buf *out);
	int (*decision)(void *ctx, const char *id, struct buf *out);
	/* The bytes of the image with this hash (64 lower-case hex digits). */
	int (*picture)(void *ctx, const char *hash, struct buf *out);
	int (*report)(void *ctx, struct buf *out);
	int (*status)(void *ctx, struct buf *out); /* Status payload */
	int (*metrics)(void *ctx, bool openmetrics, struct buf *out);
	/* application/health+json */
	bool (*ready)(void *ctx, struct buf *out_json);
	/* Which station shows this guidance? AISLE_E_NONE: unknown. For the scope check before
	 * submit. */
	int (*guidance_station)(void *ctx, const char *guidance, char ret_station[static 33]);
	/* A tap. kind "shown" or "decision"; body borrowed. reply is called once, later, unless
	 * cancelled. Of a tablet, or of a manager who is signed in: the other one is NULL. */
	void (*submit)(void *ctx, const char *tablet, const char *manager, const char *guidance,
	    const char *prompt, const char *kind, struct json_t *body, reply_fn reply,
	    void *reply_ctx);
	/* A manager's PIN is looked at; source: where it comes from, which wrong ones lock. 200, 401, 423;
	 * strings borrowed. */
	void (*sign_in)(void *ctx, const char *source, const char *manager, const char *pin,
	    reply_fn reply, void *reply_ctx);
	/* What a manager orders: "stop", "lift", "lever"; body borrowed. */
	void (*order)(void *ctx, const char *manager, const char *order, const struct json_t *body,
	    reply_fn reply, void *reply_ctx);
	void (*cancel)(void *ctx, void *reply_ctx); /* its connection is gone */
	/* Tablets: token hashes (BLAKE2b-256 hex) live in the store. */
	/* durable on return */
	int (*tablet_put)(void *ctx, const char *token_hash, const struct http_tablet *tablet);
	int (*tablet_get)(void *ctx, const char *token_hash, struct http_tablet *ret);
	/* Highest outbox id ever given, asked once by http_new: streams then resume across a
	 * restart. May be NULL. */
	int64_t (*last_id)(void *ctx);
};

/* Could [http] of conf be served on this machine? Certificate, key and addresses, without listening. */
int http_check(const struct conf *conf, struct err *err) AISLE_MUST_CHECK;

/* Listens on conf->http_listen. conf and host are borrowed for the life of http. */
int http_new(struct event_base *base, const struct conf *conf, const struct http_host *host,
    struct http **ret, struct err *err) AISLE_MUST_CHECK;
void http_free(struct http *http);
/* "127.0.0.1:43127" of listener i; NULL past the last. */
const char *http_address(const struct http *http, size_t i);
/* After commit: to all streams of a station. id: outbox id, rises; event: "guidance", "withdraw",
 * "status" (station NULL: all). */
void http_stream(struct http *http, const char *station, int64_t id, const char *event,
    const char *json, size_t len);
/* The ids begin again: who has seen some of those of before begins anew. */
void http_begin_anew(struct http *http);
/* A pairing code for these stations ("7,8"; "" = all): 6 digits, 5 minutes, 5 tries. False: that is
 * no list of stations, or a longer one than is kept of a tablet. */
/* Stations as "7,8", or "" for all. */
bool http_is_scope(const char *stations);
bool http_pair(struct http *http, const char *stations, char ret_code[static 7],
    int64_t *ret_expires_ms);
/* cut its streams; the host has deleted the row */
void http_revoke(struct http *http, const char *name);
/* The sessions of a manager end: they left, or have another PIN. */
void http_manager_end(struct http *http, const char *manager);
size_t http_streams(const struct http *http);
/* The tablets whose page is open: once for each of their streams. */
void http_each_tablet(const struct http *http, void (*fn)(void *ctx, const char *tablet),
    void *ctx);

/* X(member, help): what happened since the start, for the metrics. */
/* clang-format off */
#define HTTP_COUNTS(X) \
	X(connections, "connections accepted") X(requests, "requests read in full") \
	X(refused, "answered with 4xx or 5xx") X(unauthorized, "no token, or not one of ours") \
	X(malformed, "not HTTP as we read it: syntax, smuggling, sizes, Host, Origin") \
	X(evicted, "connections cut to make room for another") \
	X(slow, "connections cut at their deadline") \
	X(streams_cut, "streams cut because their reader did not keep up") \
	X(streams_resumed, "streams that went on after Last-Event-ID") \
	X(pair_failed, "pairing codes that did not match") \
	X(unknown_members, "unknown members in answers")
/* clang-format on */
struct http_counts {
#define X(member, help) int64_t member;
	HTTP_COUNTS(X)
#undef X
};
const struct http_counts *http_counts(const struct http *http);

/* page.c: a file of the page by its name (of policy preview and fleet, too), appended. */
void http_page_text(const char *name, struct buf *out);

#endif
