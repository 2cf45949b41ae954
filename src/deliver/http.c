/* SPDX-License-Identifier: Apache-2.0
 *
 * http.c - HTTP for tablets and operators: start, end, and the table of paths.
 *
 * DESIGN
 *   evhttp reads and writes; every decision about a request is ours, in this
 *   order: is it HTTP as we read it (http_request.c), is there such a path and
 *   method, may this one ask (http_access.c), and then the path's handler.
 */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/random.h"
#include "deliver/http_private.h"

/* DECISION: a tablet, a manager or an operator; FIGURES: a manager or an operator. */
enum access { ANYONE, TABLET, DECISION, FIGURES, MANAGER, OPERATOR };

#define GET EVHTTP_REQ_GET
#define POST EVHTTP_REQ_POST
#define DELETE EVHTTP_REQ_DELETE

/* "*" in a path is one segment, whatever it is. */
static const struct route {
	const char *path;
	enum evhttp_cmd_type method;
	enum access access;
	http_handler handler;
} routes[] = {
	{ "", GET, ANYONE, http_get_file },
	{ "app.js", GET, ANYONE, http_get_file },
	{ "answers.js", GET, ANYONE, http_get_file },
	{ "deck.js", GET, ANYONE, http_get_file },
	{ "stream.js", GET, ANYONE, http_get_file },
	{ "outbox.js", GET, ANYONE, http_get_file },
	{ "worker.js", GET, ANYONE, http_get_file },
	{ "cards.js", GET, ANYONE, http_get_file },
	{ "sheets.js", GET, ANYONE, http_get_file },
	{ "barcode.js", GET, ANYONE, http_get_file },
	{ "words.js", GET, ANYONE, http_get_file },
	{ "style.css", GET, ANYONE, http_get_file },
	{ "manifest.webmanifest", GET, ANYONE, http_get_file },
	{ "icon.svg", GET, ANYONE, http_get_file },
	{ "manager.js", GET, ANYONE, http_get_file },
	{ "manager-words.js", GET, ANYONE, http_get_file },
	{ "manager-day.js", GET, ANYONE, http_get_file },
	{ "manager-floor.js", GET, ANYONE, http_get_file },
	{ "manager.css", GET, ANYONE, http_get_file },
	{ "sign-in.js", GET, ANYONE, http_get_file },
	{ "manager", GET, ANYONE, http_get_manager },
	{ "v1/pair", POST, ANYONE, http_post_pair },
	{ "v1/manager/session", POST, ANYONE, http_post_session },
	{ "v1/manager/session", DELETE, MANAGER, http_delete_session },
	{ "v1/manager/stop", POST, MANAGER, http_post_order },
	{ "v1/manager/lift", POST, MANAGER, http_post_order },
	{ "v1/manager/lever", POST, MANAGER, http_post_order },
	{ "v1/manager/answer", POST, MANAGER, http_post_manager_answer },
	{ "v1/stations", GET, TABLET, http_get_stations },
	{ "v1/stations/*", GET, TABLET, http_get_station },
	{ "v1/stations/*/stream", GET, TABLET, http_get_stream },
	{ "v1/guidance/*/prompts/*/shown", POST, TABLET, http_post_shown },
	{ "v1/guidance/*/prompts/*/decision", POST, TABLET, http_post_decision },
	{ "v1/decisions/*", GET, DECISION, http_get_decision },
	{ "v1/images/*", GET, TABLET, http_get_picture },
	{ "v1/report", GET, FIGURES, http_get_report },
	{ "metrics", GET, OPERATOR, http_get_metrics },
	{ "livez", GET, OPERATOR, http_get_livez },
	{ "readyz", GET, OPERATOR, http_get_readyz },
};

static bool
path_matches(const char *path, const struct http_call *call)
{
	for (size_t i = 0; i < call->segment_count; i++) {
		size_t len = strcspn(path, "/");
		bool any = len == 1 && *path == '*';

		if (len == 0 ||
		    (!any &&
			(strlen(call->segments[i]) != len ||
			    memcmp(call->segments[i], path, len) != 0)))
			return false;
		path += path[len] == '/' ? len + 1 : len;
	}
	return *path == '\0';
}

static const char *
method_name(const struct route *route)
{
	return route->method == POST		? "POST"
	    : route->method == DELETE		? "DELETE"
	    : route->handler == http_get_stream ? "GET"
						: "GET, HEAD";
}

/* NULL, and what is allowed there; "" where there is no such path. */
static const struct route *
find_route(const struct http_call *call, enum evhttp_cmd_type method, char allowed[static 32])
{
	allowed[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const struct route *route = &routes[i];
		size_t len = strlen(allowed);

		if (!path_matches(route->path, call))
			continue;
		if (method == route->method ||
		    (call->head && route->method == GET && route->handler != http_get_stream))
			return route;
		snprintf(allowed + len, 32 - len, "%s%s", len > 0 ? ", " : "", method_name(route));
	}
	return NULL;
}

static bool
refuse_stranger(struct http_call *call, const char *challenge, const char *says)
{
	call->http->counts.unauthorized++;
	http_add_header(call, "WWW-Authenticate", challenge);
	http_problem(call, 401, "%s", says);
	return false;
}

static bool
may(struct http_call *call, enum access access)
{
	bool is_operator = http_is_operator(call->http, call->client);
	/* What a tablet's page asks in the same browser is no use of the session. */
	bool manager = (access == DECISION || access == FIGURES || access == MANAGER) &&
	    http_manager_signed_in(call);

	switch (access) {
	case ANYONE: return true;
	case DECISION:
		if (manager)
			return true;
		/* A token that is shown says for which stations. */
		/* fall through */
	case TABLET:
		if (http_authenticate(call) || (is_operator && access == DECISION))
			return true;
		return refuse_stranger(call, "Bearer realm=\"aisle\"",
		    "no valid token: pair this tablet first");
	case FIGURES:
		if (is_operator)
			return true;
		/* fall through */
	case MANAGER:
		return manager ||
		    refuse_stranger(call, "Cookie realm=\"aisle\"",
			"a manager signs in first, at /manager");
	case OPERATOR:
		if (!is_operator)
			http_problem(call, 403, "only from the addresses in [http] operators");
		return is_operator;
	}
	return false;
}

static void
dispatch(struct http_call *call)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(call->request);
	const struct route *route;
	char allowed[32];

	call->head = method == EVHTTP_REQ_HEAD;
	route = find_route(call, method, allowed);
	if (route == NULL && allowed[0] == '\0')
		http_problem(call, 404, "nothing is here");
	else if (route == NULL) {
		http_add_header(call, "Allow", allowed);
		http_problem(call, 405, "%s is expected here",
		    strncmp(allowed, "GET", 3) == 0 ? "GET" : allowed);
	} else if (may(call, route->access))
		route->handler(call);
}

/* evhttp has read a request. */
static void
on_request(struct evhttp_request *request, void *ctx)
{
	struct http *http = ctx;
	struct http_client *client = http_client_of(http, evhttp_request_get_connection(request));
	struct http_call call = { .http = http, .client = client, .request = request, .query = "" };
	const char *detail;
	int status;

	if (client == NULL) { /* never adopted: see http_client_accept */
		evhttp_send_error(request, 503, NULL);
		return;
	}
	http->counts.requests++;
	http_client_take(client, request);
	status = http_request_read(&call, &detail);
	if (status == 0) {
		dispatch(&call);
		return;
	}
	if (status != 404) {
		http->counts.malformed++;
		http_add_header(&call, "Connection", "close");
	}
	http_problem(&call, status, "%s", detail);
}

static void
add_name(struct http *http, const char *name, const char *tail)
{
	char *out = http->host_names[http->host_name_count++];

	snprintf(out, sizeof(http->host_names[0]), "%s%s", name, tail);
}

/* What we may be called: localhost, and the machine's name with and without its domain. */
static void
own_names(struct http *http)
{
	char name[200] = "";

	add_name(http, "localhost", "");
	if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0')
		return;
	add_name(http, name, "");
	name[strcspn(name, ".")] = '\0';
	add_name(http, name, "");
	add_name(http, name, ".local");
}

static int
start(struct http *http, struct err *err)
{
	int rc;

	http->evhttp = evhttp_new(http->base);
	if (http->evhttp == NULL || http_client_init(http) != 0)
		return err_set(err, AISLE_E_IO, "http: out of memory");
	evhttp_set_max_headers_size(http->evhttp, HTTP_HEAD_MAX);
	evhttp_set_max_body_size(http->evhttp, HTTP_BODY_MAX);
	/* All of them, so that a wrong one gets our 405 and not libevent's page. */
	evhttp_set_allowed_methods(http->evhttp, 0xffff);
	/* What is too large is read to its end within bounds, else the refusal would be lost with
	 * the connection. */
	evhttp_set_flags(http->evhttp, EVHTTP_SERVER_LINGERING_CLOSE);
	evhttp_set_default_content_type(http->evhttp, NULL);
	evhttp_set_bevcb(http->evhttp, http_client_accept, http);
	evhttp_set_gencb(http->evhttp, on_request, http);
	if ((rc = http_access_init(http, err)) != 0 || (rc = http_tls_init(http, err)) != 0)
		return rc;
	return http_listen(http, err);
}

int
http_new(struct event_base *base, const struct conf *conf, const struct http_host *host,
    struct http **ret, struct err *err)
{
	struct http *http;
	int rc;

	if (random_begin(err) != 0)
		return AISLE_E_IO;
	/* A tablet that leaves in the middle of an answer must not end the process: neither
	 * libevent's writev nor OpenSSL's write asks for no signal. */
	signal(SIGPIPE, SIG_IGN);
	http = mem_zero(sizeof(*http));
	http->base = base;
	http->conf = conf;
	http->host = host;
	TAILQ_INIT(&http->streams);
	TAILQ_INIT(&http->clients);
	TAILQ_INIT(&http->arrivals);
	ring_init(&http->ring, host->last_id != NULL ? host->last_id(host->ctx) : -1);
	http_pair_init(http);
	http_page_init(http);
	own_names(http);
	if ((rc = start(http, err)) != 0) {
		http_free(http);
		return rc;
	}
	*ret = http;
	return 0;
}

void
http_free(struct http *http)
{
	if (http == NULL)
		return;
	if (http->evhttp != NULL)
		evhttp_free(http->evhttp); /* closes each connection: http_client.c's gone */
	http_client_done(http);
	http_tls_done(http);
	ring_done(&http->ring);
	http_page_done(http);
	/* Codes and sessions are in it. */
	sodium_memzero(http, sizeof(*http));
	free(http);
}

const char *
http_address(const struct http *http, size_t i)
{
	return i < http->listener_count ? http->listeners[i].address : NULL;
}

const struct http_counts *
http_counts(const struct http *http)
{
	return &http->counts;
}
