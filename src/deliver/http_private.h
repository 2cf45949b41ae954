/* SPDX-License-Identifier: Apache-2.0
 *
 * http_private.h - what the files of the HTTP server share. Nobody else includes it.
 *
 *   http.c          new, free, the table of paths
 *   http_listen.c   addresses, sockets from systemd, the loopback rule
 *   http_tls.c      certificate and key
 *   http_client.c   one connection: deadlines, bounds, its end
 *   http_request.c  is this request one we read? path, Host, Origin
 *   http_access.c   who asks: token, station scope, operators
 *   http_pair.c     codes and tokens
 *   http_manager.c  a manager signs in: sessions
 *   http_read.c     GET: stations, decisions, report, health
 *   http_picture.c  GET: images
 *   http_answer.c   POST: shown, decision
 *   http_problem.c  replies
 *   sse.c           streams, sse_ring.c the events they can resume from
 *   page.c          the page's files, embedded
 */
#ifndef AISLE_DELIVER_HTTP_PRIVATE_H
#define AISLE_DELIVER_HTTP_PRIVATE_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <sys/queue.h>

#include "deliver/http.h"

#define HTTP_HEAD_MAX (16 * 1024)
#define HTTP_BODY_MAX (64 * 1024)
#define HTTP_CONNECTIONS_MAX 512
#define HTTP_SMALL 512
/* small pieces taken off the wire for one request: about 128 lines */
#define HTTP_READS_MAX 260
/* bytes of a request that is too large read to its end, so that it hears why */
#define HTTP_TAKEN_MAX (8 << 20)
#define HTTP_INPUT_TOTAL_MAX (4 << 20) /* bytes received and not yet understood, all connections */
#define HTTP_READ_DEADLINE_MS (15 * S_MS)  /* from accept or last answer to a whole request */
#define HTTP_WRITE_DEADLINE_MS (30 * S_MS) /* from a whole request to the end of its answer */
#define HTTP_SEGMENTS_MAX 6
#define HTTP_SEGMENT_SIZE 129

#define SSE_STREAMS_MAX 256
#define SSE_STREAMS_PER_TABLET 8
#define SSE_TOTAL_MAX (4 << 20) /* bytes waiting in all streams */
#define SSE_HEARTBEAT_MS (15 * S_MS)
#define SSE_RING_EVENTS 1024
#define SSE_RING_BYTES (1 << 20)

#define PAIR_CODES_MAX 8
#define PAIR_TRIES 5
#define PAIR_LIFE_MS (5 * MIN_MS)
/* failures in a burst, all codes; one more each PAIR_REFILL_MS */
#define PAIR_FAILURES_MAX 20
#define PAIR_REFILL_MS (3 * S_MS)
#define TOKEN_TEXT_LEN 43 /* 32 bytes, base64url without padding */

#define MANAGER_SESSIONS_MAX 16
#define MANAGER_IDLE_MS (15 * MIN_MS)
#define MANAGER_LIFE_MS (8 * H_MS)
#define MANAGER_SIZE 129

struct stream;

/* A turn is awaited: whichever ends first, turn or connection, frees it. */
struct answer {
	struct http_client *client; /* NULL: its connection is gone */
	bool replied;
	bool submitting; /* the host has not returned yet */
	char *manager;	 /* who signs in; NULL */
	void (*signed_in)(struct http_client *client, const char *manager); /* before the answer */
};

enum client_state {
	CLIENT_READING,	  /* libevent reads a request */
	CLIENT_ANSWERING, /* a request is in our hands, or its answer on the way */
	CLIENT_STREAM,
};

/* One connection. Owned by http->clients until libevent says that it is gone. */
struct http_client {
	TAILQ_ENTRY(http_client) next;
	struct http *http;
	struct bufferevent *bev;
	struct evhttp_connection *connection; /* NULL until adopted */
	struct evhttp_request *request;	      /* in our hands; NULL while READING */
	struct evbuffer_cb_entry *in_cb, *out_cb;
	enum client_state state;
	bool doomed;	       /* to be freed by the next http_client_work */
	bool libevent_wrote;   /* an error page of libevent's waits in the output */
	int64_t since_ms;      /* monotonic: start of this state */
	size_t input;	       /* bytes in its input buffer */
	int reads;	       /* small pieces taken from it for this request */
	size_t taken;	       /* bytes */
	struct answer *answer; /* a tap that waits for its turn; NULL */
	struct stream *stream; /* NULL */
};
TAILQ_HEAD(client_list, http_client);

struct stream {
	TAILQ_ENTRY(stream) next;
	struct http_client *client;
	char station[33];
	char tablet[33];
	int64_t beat_ms; /* monotonic: when something was last sent */
};
TAILQ_HEAD(stream_list, stream);

/* Recent events of all stations, oldest first from head. */
struct ring_event {
	int64_t id;
	char station[33]; /* "" = all */
	char event[16];
	char *json; /* NULL: replaced or withdrawn since */
	size_t len;
};
struct sse_ring {
	struct ring_event *events; /* SSE_RING_EVENTS */
	wchar_t *abouts;	   /* of each, which guidance it is about: sse_ring.c */
	size_t head, count, bytes;
	/* everything after this id is here; -1: nothing is known yet */
	int64_t base;
	int64_t last; /* highest id seen */
};

struct pair_code {
	char code[7]; /* "" = free */
	char stations[1024];
	int64_t expires_ms;
	int tries;
};

struct manager_session {
	uint8_t hash[32];
	char manager[MANAGER_SIZE]; /* "" = free */
	int64_t begun_ms, used_ms;
};

struct cidr {
	uint8_t address[16]; /* IPv4 is mapped: ::ffff:a.b.c.d */
	int bits;
};

struct http_listener {
	struct evconnlistener *listener;
	char address[64];
};

struct page_file {
	const char *path, *type;
	const char *data;
	size_t len;
	char etag[40];
};

struct http {
	struct event_base *base;
	const struct conf *conf;
	const struct http_host *host;
	struct evhttp *evhttp;
	struct ssl_ctx_st *tls; /* NULL: plain */
	struct http_listener listeners[CONF_LISTEN_MAX];
	size_t listener_count;
	struct sockaddr_storage asked[CONF_LISTEN_MAX]; /* the addresses of [http] listen so far */
	size_t asked_count;
	char host_names[4][256]; /* names by which we may be called */
	size_t host_name_count;
	struct cidr operators[CONF_OPERATORS_MAX];
	size_t operator_count;

	struct client_list clients, arrivals; /* arrivals: not adopted yet */
	size_t client_count, input_total;
	/* adopt, mend, free: runs before any connection's next event */
	struct event *work;
	struct event *second;

	struct stream_list streams;
	size_t stream_count;
	struct sse_ring ring;
	bool status_without_id;

	struct pair_code codes[PAIR_CODES_MAX];
	int pair_failures_left;
	int64_t pair_refilled_ms;

	struct manager_session managers[MANAGER_SESSIONS_MAX];

	struct page_file *files;
	size_t file_count;
	struct http_counts counts;
};

/* One request that was read in full. Lives as long as the handler runs. */
struct http_call {
	struct http *http;
	struct http_client *client;
	struct evhttp_request *request;
	bool head;					     /* HEAD: as GET, without the body */
	char segments[HTTP_SEGMENTS_MAX][HTTP_SEGMENT_SIZE]; /* of the path, decoded */
	size_t segment_count;
	const char *query;	    /* raw, "" if none */
	struct http_tablet tablet;  /* who asks; name "" without a token */
	char manager[MANAGER_SIZE]; /* whose session it is, where it was asked for; "" */
};
typedef void (*http_handler)(struct http_call *call);

/* http_client.c */
int http_client_init(struct http *http) AISLE_MUST_CHECK;
void http_client_done(struct http *http);				    /* after evhttp_free */
struct bufferevent *http_client_accept(struct event_base *base, void *ctx); /* evhttp's bevcb */
struct http_client *http_client_of(struct http *http, struct evhttp_connection *connection);
void http_client_take(struct http_client *client, struct evhttp_request *request);
void http_client_cut(struct http_client *client); /* soon, from http_client_work */
/* deadlines and heartbeats; each second */
void http_client_sweep(struct http *http, int64_t mono_ms);
int64_t http_mono_ms(void);

/* http_request.c */
/* 0, or the status of the refusal with *ret_detail. The connection must close after a refusal. */
int http_request_read(struct http_call *call, const char **ret_detail);
bool http_host_allowed(const struct http *http, const char *host_header);
bool http_query(const char *query, const char *name, char *out, size_t size);
const char *http_header(const struct http_call *call, const char *name);

/* http_access.c */
int http_access_init(struct http *http, struct err *err) AISLE_MUST_CHECK;
bool http_is_operator(const struct http *http, const struct http_client *client);
bool http_authenticate(struct http_call *call);
/* IPv4 mapped; false: there is none. */
bool http_address_of(const struct http_client *client, uint8_t ret[static 16]);
/* "address " and hex digits: of IPv6 those of its network, in which one machine has as many
 * addresses as it likes. */
#define HTTP_ADDRESS_SIZE 41
void http_address_name(const uint8_t address[static 16], char ret[static HTTP_ADDRESS_SIZE]);
/* The value of a cookie; "" if absent or longer. */
void http_cookie(const struct http_call *call, const char *name, char *out, size_t size);
bool http_token_shaped(const char *token);
void http_token_new(char ret_token[static TOKEN_TEXT_LEN + 1]); /* 256 random bits */
bool http_scope_has(const struct http_tablet *tablet, const char *station);
bool http_name_ok(const char *name); /* [A-Za-z0-9_-]{1,32} */
bool http_id_ok(const char *id);     /* 1-128 printable ASCII */
void http_token_hash(const char *token, char ret_hex[static 65]);

/* http_problem.c */
/* body is taken (emptied). type NULL: application/json. */
void http_reply(struct http_call *call, int status, const char *type, struct buf *body);
void http_problem(struct http_call *call, int status, const char *format, ...) AISLE_PRINTF(3, 4);
void http_problem_text(int status, const char *detail, const char *clause, struct buf *out);
const char *http_status_title(int status);
void http_add_header(struct http_call *call, const char *name, const char *value);
/* To a request that has no http_call any more. */
void http_send(struct evhttp_request *request, int status, const char *type, struct buf *body,
    bool head);

/* http_listen.c, http_tls.c */
int http_listen(struct http *http, struct err *err) AISLE_MUST_CHECK;
int http_tls_init(struct http *http, struct err *err) AISLE_MUST_CHECK;
void http_tls_done(struct http *http);
struct bufferevent *http_tls_bufferevent(struct http *http);
bool http_tls_names(const struct http *http, const char *host);

/* http_pair.c, http_read.c, http_answer.c, page.c: handlers of the table in http.c */
void http_pair_init(struct http *http);
void http_post_pair(struct http_call *call);
void http_get_stations(struct http_call *call);
void http_get_station(struct http_call *call);
void http_get_stream(struct http_call *call);
void http_get_decision(struct http_call *call);
void http_get_picture(struct http_call *call);
void http_get_report(struct http_call *call);
void http_get_metrics(struct http_call *call);
void http_get_livez(struct http_call *call);
void http_get_readyz(struct http_call *call);
void http_post_shown(struct http_call *call);
void http_post_decision(struct http_call *call);
void http_post_manager_answer(struct http_call *call);
/* For a host that replies with http_answer_reply, once, while it is called or later; then
 * http_answer_submitted(). */
struct answer *http_answer_new(struct http_call *call);
void http_answer_reply(void *answer, const struct reply *result);
void http_answer_submitted(struct answer *answer);
const char *http_check_approval(const struct json_t *body); /* NULL, or what is wrong */
void http_wipe_pin(struct json_t *body);
void http_answer_gone(struct http_client *client); /* its connection is: the host is told */
void http_page_init(struct http *http);
void http_page_done(struct http *http);
void http_get_file(struct http_call *call);
void http_get_manager(struct http_call *call); /* their page, or the form to sign in */

/* http_manager.c */
bool http_manager_signed_in(struct http_call *call); /* fills call->manager */
void http_post_session(struct http_call *call);
void http_delete_session(struct http_call *call);
void http_post_order(struct http_call *call); /* stop, lift, lever */

/* The body as JSON, or NULL after a 400 was sent. */
struct json_t *http_body(struct http_call *call);

/* sse.c, sse_ring.c */
void sse_gone(struct http_client *client); /* its connection is */
void sse_beat(struct http *http, int64_t mono_ms);
void ring_init(struct sse_ring *ring, int64_t last_id);
void ring_done(struct sse_ring *ring);
void ring_add(struct sse_ring *ring, const char *station, int64_t id, const char *event,
    const char *json, size_t len);
bool ring_covers(const struct sse_ring *ring, int64_t id);
/* NULL past the newest */
const struct ring_event *ring_at(const struct sse_ring *ring, size_t i);

#endif
