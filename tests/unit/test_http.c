/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http.c - paths, access, pairing, answers and abuse of the HTTP server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http_rig.h"

#define DECISION "/v1/guidance/G7/prompts/P1/decision"
#define SHOWN "/v1/guidance/G7/prompts/P1/shown"

static int
setup(void **state)
{
	*state = rig_new();
	return 0;
}

static int
teardown(void **state)
{
	rig_free(*state);
	return 0;
}

#define assert_has(buf, text) assert_non_null(strstr((buf).data, text))
#define assert_lacks(buf, text) assert_null(strstr((buf).data, text))

static void
the_page_is_for_everyone_and_loads_from_nowhere_else(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	assert_int_equal(rig_get(rig, "/", "", &out), 200);
	assert_has(out, "Content-Type: text/html");
	assert_has(out, "Content-Security-Policy: default-src 'self'");
	assert_has(out, "X-Content-Type-Options: nosniff");
	assert_lacks(out, "Set-Cookie");
	assert_int_equal(rig_get(rig, "/?source=pwa", "", NULL), 200);
	assert_int_equal(rig_get(rig, "/app.js", "", &out), 200);
	assert_has(out, "Content-Type: text/javascript");
	assert_int_equal(rig_get(rig, "/style.css", "", NULL), 200);
	assert_int_equal(rig_get(rig, "/manifest.webmanifest", "", NULL), 200);
	assert_int_equal(rig_get(rig, "/icon.svg", "", NULL), 200);
	buf_done(&out);
}

static void
a_file_that_did_not_change_is_not_sent_again(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	char header[128], *etag;

	rig_get(rig, "/app.js", "", &out);
	etag = strstr(out.data, "ETag: ") + 6;
	snprintf(header, sizeof(header), "If-None-Match: %.*s\r\n", (int)strcspn(etag, "\r"), etag);
	assert_int_equal(rig_get(rig, "/app.js", header, &out), 304);
	assert_int_equal(rig_get(rig, "/app.js", "If-None-Match: \"other\"\r\n", NULL), 200);
	buf_done(&out);
}

static void
head_is_get_without_the_body(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	assert_int_equal(rig_ask(rig, "HEAD / HTTP/1.1\r\n" HOST "\r\n", &out), 200);
	assert_lacks(out, "Content-Length: 0");
	assert_string_equal(strstr(out.data, "\r\n\r\n"), "\r\n\r\n");
	buf_done(&out);
}

static void
every_other_path_wants_a_token(void **state)
{
	struct rig *rig = *state;
	static const char *const paths[] = { "/v1/stations", "/v1/stations/7",
		"/v1/stations/7/stream", "/v1/decisions/D7" };
	struct buf out = { 0 };

	rig_no_operator(rig);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_int_equal(rig_get(rig, paths[i], "", &out), 401);
		assert_has(out, "WWW-Authenticate: Bearer");
		assert_has(out, "Content-Type: application/problem+json");
		assert_has(out, "\"status\":401");
		if (strstr(paths[i], "stream") == NULL)
			assert_int_equal(rig_get(rig, paths[i], AUTH, NULL), 200);
	}
	assert_int_equal(rig_post(rig, DECISION, "", "{\"decision\":\"accept\"}", NULL), 401);
	assert_int_equal(rig_post(rig, SHOWN, "", "{}", NULL), 401);
	assert_int_equal(rig->submitted, 0);
	buf_done(&out);
}

static void
a_tablet_may_choose_each_station_it_was_paired_for_and_no_other(void **state)
{
	struct buf out = { 0 };

	assert_int_equal(rig_get(*state, "/v1/stations", AUTH7, &out), 200);
	assert_has(out,
	    "{\"stations\":[{\"station\":\"7\",\"open\":1},{\"station\":\"70\",\"open\":0,"
	    "\"heard\":false}]}");
	buf_clear(&out);
	assert_int_equal(rig_get(*state, "/v1/stations", AUTH, &out), 200);
	assert_has(out,
	    "{\"stations\":[{\"station\":\"7\",\"open\":1},{\"station\":\"8\",\"open\":0}]}");
	buf_done(&out);
}

static void
a_token_comes_as_bearer_or_cookie_and_the_bearer_wins(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_get(rig, "/v1/stations", "Cookie: a=b; aisle_token=" TOKEN "; c=d\r\n",
			     NULL),
	    200);
	assert_int_equal(rig_get(rig, "/v1/stations", "Cookie: xaisle_token=" TOKEN "\r\n", NULL),
	    401);
	assert_int_equal(rig_get(rig, "/v1/stations", "Cookie: aisle_token=" TOKEN "A\r\n", NULL),
	    401);
	assert_int_equal(rig_get(rig, "/v1/stations", "Cookie: aisle_token=\r\n", NULL), 401);
	assert_int_equal(rig_get(rig, "/v1/stations",
			     "Cookie: aisle_token=" TOKEN "\r\nAuthorization: Bearer x\r\n", NULL),
	    401);
	assert_int_equal(rig_get(rig, "/v1/stations", "Authorization: bearer " TOKEN "\r\n", NULL),
	    200);
	assert_int_equal(rig_get(rig, "/v1/stations", "Authorization: Basic " TOKEN "\r\n", NULL),
	    401);
	assert_int_equal(rig_get(rig, "/v1/stations", "Authorization: Bearer " TOKEN "A\r\n", NULL),
	    401);
	assert_int_equal(rig_get(rig, "/v1/stations?token=" TOKEN, "", NULL), 401);
}

static void
ten_thousand_guessed_tokens_are_all_refused(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig), refused = 0;
	struct buf out = { 0 };

	for (int i = 0; i < 10000; i++) {
		char request[256];
		snprintf(request, sizeof(request),
		    "GET /v1/stations HTTP/1.1\r\n" HOST "Authorization: Bearer %.36s%07d\r\n\r\n",
		    TOKEN, i);
		buf_clear(&out);
		rig_send(rig, fd, request, strlen(request));
		assert_false(rig_read(rig, fd, &out, NULL));
		refused += strncmp(out.data, "HTTP/1.1 401", 12) == 0;
	}
	close(fd);
	assert_int_equal(refused, 10000);
	assert_int_equal(http_counts(rig->http)->unauthorized, 10000);
	assert_int_equal(http_counts(rig->http)->connections, 1);
	buf_done(&out);
}

static void
a_tablet_sees_only_the_stations_it_was_paired_with(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	assert_int_equal(rig_get(rig, "/v1/stations", AUTH7, &out), 200);
	assert_has(out, "\"7\"");
	assert_lacks(out, "\"8\"");
	assert_int_equal(rig_get(rig, "/v1/stations", AUTH, &out), 200);
	assert_has(out, "\"8\"");
	assert_int_equal(rig_get(rig, "/v1/stations/7", AUTH7, NULL), 200);
	assert_int_equal(rig_get(rig, "/v1/stations/8", AUTH7, NULL), 403);
	assert_int_equal(rig_get(rig, "/v1/stations/8/stream", AUTH7, NULL), 403);
	assert_int_equal(rig_get(rig, "/v1/stations/nowhere", AUTH, NULL), 404);
	assert_int_equal(rig_get(rig, "/v1/decisions/D7", AUTH7, NULL), 200);
	assert_int_equal(rig_get(rig, "/v1/decisions/D%208%2f", AUTH7, NULL), 403);
	assert_int_equal(rig_get(rig, "/v1/decisions/D%208%2F", AUTH, &out), 200);
	assert_has(out, "\"D 8/\"");
	assert_int_equal(rig_get(rig, "/v1/decisions/D9", AUTH, NULL), 404);
	assert_int_equal(rig_post(rig, "/v1/guidance/G8/prompts/P1/decision", AUTH7,
			     "{\"decision\":\"accept\"}", NULL),
	    403);
	assert_int_equal(rig->submitted, 0);
	assert_int_equal(rig_post(rig, "/v1/guidance/G9/prompts/P1/decision", AUTH,
			     "{\"decision\":\"accept\"}", NULL),
	    404);
	buf_done(&out);
}

static void
operators_paths_are_for_their_addresses_only(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	assert_int_equal(rig_get(rig, "/livez", "", NULL), 200);
	assert_int_equal(rig_get(rig, "/readyz", "", &out), 200);
	assert_has(out, "application/health+json");
	rig->ready = false;
	assert_int_equal(rig_get(rig, "/readyz", "", NULL), 503);
	assert_int_equal(rig_get(rig, "/metrics", "", &out), 200);
	assert_has(out, "text/plain; version=0.0.4");
	assert_int_equal(rig_get(rig, "/metrics", "Accept: application/openmetrics-text\r\n", &out),
	    200);
	assert_has(out, "application/openmetrics-text; version=1.0.0");
	http_free(rig->http);
	free(rig->conf.http_operators);
	rig->conf.http_operators = mem_strdup("127.0.0.2/31 10.0.0.0/8 fe80::/10");
	rig_start(rig);
	assert_int_equal(rig_get(rig, "/livez", "", NULL), 403);
	assert_int_equal(rig_get(rig, "/metrics", AUTH, NULL), 403);
	http_free(rig->http);
	free(rig->conf.http_operators);
	rig->conf.http_operators = mem_strdup("127.0.0.0/30");
	rig_start(rig);
	assert_int_equal(rig_get(rig, "/livez", "", NULL), 200);
	buf_done(&out);
}

static void
a_wrong_method_is_405_and_an_unknown_path_404(void **state)
{
	struct rig *rig = *state;
	static const char *const methods[] = { "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE",
		"POST" };
	char request[256];
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		snprintf(request, sizeof(request), "%s /v1/stations HTTP/1.1\r\n" HOST AUTH "\r\n",
		    methods[i]);
		assert_int_equal(rig_ask(rig, request, &out), 405);
		assert_has(out, "Allow: GET");
		assert_has(out, "application/problem+json");
	}
	assert_int_equal(rig_get(rig, "/v1/pair", "", &out), 405);
	assert_has(out, "Allow: POST");
	assert_int_equal(rig_ask(rig, "BREW / HTTP/1.1\r\n" HOST "\r\n", &out), 405);
	assert_has(out, "application/problem+json");
	assert_int_equal(rig_ask(rig, "HEAD /v1/stations/7/stream HTTP/1.1\r\n" HOST AUTH "\r\n",
			     NULL),
	    405);
	assert_int_equal(rig_get(rig, "/nothing", "", NULL), 404);
	assert_int_equal(rig_get(rig, "/v1", "", NULL), 404);
	assert_int_equal(rig_get(rig, "/v1/stations/7/stream/x", AUTH, NULL), 404);
	buf_done(&out);
}

static void
no_path_leads_outside_the_table(void **state)
{
	struct rig *rig = *state;
	static const char *const paths[] = { "/../etc/passwd", "/%2e%2e/etc/passwd",
		"/..%2fetc%2fpasswd", "/app.js/../app.js", "//app.js", "/app.js/", "/./app.js",
		"/app.js%00", "/%", "/%4", "/%zz", "/v1//stations", "/app.js%20", "/..\\etc",
		"/v1/stations/..", "/v1/stations/%ff" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_in_range(rig_get(rig, paths[i], AUTH, NULL), 400, 404);
	assert_int_equal(rig_get(rig, "/%61pp.js", "", NULL), 200);
	assert_int_equal(rig_ask(rig, "GET http://evil.example/ HTTP/1.1\r\n" HOST "\r\n", NULL),
	    400);
	assert_int_equal(rig_ask(rig, "GET /a b HTTP/1.1\r\n" HOST "\r\n", NULL), 400);
	assert_int_equal(rig_ask(rig, "GET /#a HTTP/1.1\r\n" HOST "\r\n", NULL), 400);
}

static int
ask_host(struct rig *rig, const char *host)
{
	char request[512];

	snprintf(request, sizeof(request), "GET /app.js HTTP/1.1\r\nHost: %s\r\n\r\n", host);
	return rig_ask(rig, request, NULL);
}

static void
a_rebound_name_is_refused(void **state)
{
	struct rig *rig = *state;
	char name[128] = "", local[160];

	assert_int_equal(ask_host(rig, "127.0.0.1:8080"), 200);
	assert_int_equal(ask_host(rig, "192.168.1.20"), 200);
	assert_int_equal(ask_host(rig, "[::1]:8080"), 200);
	assert_int_equal(ask_host(rig, "LocalHost:1"), 200);
	gethostname(name, sizeof(name) - 1);
	assert_int_equal(ask_host(rig, name), 200);
	snprintf(local, sizeof(local), "%.*s.local", (int)strcspn(name, "."), name);
	assert_int_equal(ask_host(rig, local), 200);
	assert_int_equal(ask_host(rig, "evil.example"), 421);
	assert_int_equal(ask_host(rig, "127.0.0.1.evil.example"), 421);
	assert_int_equal(ask_host(rig, "localhost.evil.example"), 421);
	assert_int_equal(ask_host(rig, "localhost@evil.example"), 421);
	assert_int_equal(ask_host(rig, "localhost:80:80"), 421);
	assert_int_equal(ask_host(rig, "localhost:x"), 421);
	assert_int_equal(ask_host(rig, "[::1"), 421);
	assert_int_equal(ask_host(rig, ""), 421);
	assert_int_equal(rig_ask(rig, "GET / HTTP/1.1\r\n\r\n", NULL), 400);
	assert_int_equal(rig_ask(rig, "GET / HTTP/1.0\r\n\r\n", NULL), 400);
	assert_int_equal(rig_ask(rig, "GET / HTTP/1.1\r\n" HOST "Host: evil.example\r\n\r\n", NULL),
	    400);
}

static void
a_post_from_another_page_is_refused(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_post(rig, DECISION, AUTH "Origin: http://127.0.0.1\r\n",
			     "{\"decision\":\"accept\"}", NULL),
	    200);
	assert_int_equal(rig_post(rig, DECISION, AUTH "Origin: https://127.0.0.1\r\n",
			     "{\"decision\":\"accept\"}", NULL),
	    200);
	assert_int_equal(rig->submitted, 2);
	assert_int_equal(rig_post(rig, DECISION, AUTH "Origin: http://evil.example\r\n",
			     "{\"decision\":\"accept\"}", NULL),
	    403);
	assert_int_equal(rig_post(rig, DECISION, AUTH "Origin: http://127.0.0.1:81\r\n",
			     "{\"decision\":\"accept\"}", NULL),
	    403);
	assert_int_equal(rig_post(rig, DECISION, AUTH "Origin: null\r\n",
			     "{\"decision\":\"accept\"}", NULL),
	    403);
	assert_int_equal(rig->submitted, 2);
}

/* Nothing after a request that could be read in two ways is ever answered. */
static void
smuggled(struct rig *rig, const char *headers, const char *rest)
{
	struct buf request = { 0 }, out = { 0 };
	int fd = rig_connect(rig);

	buf_addf(&request,
	    "POST " SHOWN " HTTP/1.1\r\n" HOST AUTH "%s\r\n%s"
	    "GET /livez HTTP/1.1\r\n" HOST "\r\n",
	    headers, rest);
	rig_send(rig, fd, request.data, request.len);
	assert_true(rig_read(rig, fd, &out, "{\"status\":\"pass\"}"));
	assert_int_equal(strncmp(out.data, "HTTP/1.1 4", 10), 0);
	assert_null(strstr(out.data, "pass"));
	close(fd);
	buf_done(&request);
	buf_done(&out);
}

static void
nothing_can_be_smuggled(void **state)
{
	struct rig *rig = *state;

	smuggled(rig, "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
	    "2\r\n{}\r\n0\r\n\r\n");
	smuggled(rig, "Transfer-Encoding: chunked\r\nContent-Length: 12\r\n",
	    "2\r\n{}\r\n0\r\n\r\n");
	smuggled(rig, "Content-Length: 2\r\nContent-Length: 3\r\n", "{} ");
	smuggled(rig, "Content-Length: 2\r\nContent-Length: 2\r\n", "{}");
	smuggled(rig, "Content-Length: 2, 2\r\n", "{}");
	smuggled(rig, "Content-Length: +2\r\n", "{}");
	smuggled(rig, "Content-Length: -2\r\n", "{}");
	smuggled(rig, "Content-Length: 0x2\r\n", "{}");
	smuggled(rig, "Content-Length: 2x\r\n", "{}");
	smuggled(rig, "Content-Length : 2\r\n", "{}");
	smuggled(rig, "Transfer-Encoding: gzip, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n");
	smuggled(rig, "Transfer-Encoding: xchunked\r\n", "2\r\n{}\r\n0\r\n\r\n");
	smuggled(rig, "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
	    "2\r\n{}\r\n0\r\n\r\n");
	smuggled(rig, "Transfer-Encoding : chunked\r\n", "2\r\n{}\r\n0\r\n\r\n");
	smuggled(rig, "Transfer-Encoding:\r\n gzip\r\n", "2\r\n{}\r\n0\r\n\r\n");
	smuggled(rig, "Bad Name: x\r\nContent-Length: 2\r\n", "{}");
	smuggled(rig, "no colon at all\r\nContent-Length: 2\r\n", "{}");
	assert_int_equal(rig->submitted, 0);
}

static void
a_body_on_a_get_is_not_the_next_request(void **state)
{
	struct rig *rig = *state;
	static const char request[] = "GET /app.js HTTP/1.1\r\n" HOST "Content-Length: 40\r\n\r\n"
				      "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
	static const char head[] = "HEAD /app.js HTTP/1.1\r\n" HOST "Content-Length: 40\r\n\r\n"
				   "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct buf out = { 0 };
	int fd = rig_connect(rig);

	rig_send(rig, fd, request, strlen(request));
	assert_true(rig_read(rig, fd, &out, "pass"));
	assert_int_equal(strncmp(out.data, "HTTP/1.1 400", 12), 0);
	close(fd);
	buf_clear(&out);
	fd = rig_connect(rig);
	rig_send(rig, fd, head, strlen(head));
	assert_true(rig_read(rig, fd, &out, "pass"));
	assert_int_equal(strncmp(out.data, "HTTP/1.1 400", 12), 0);
	close(fd);
	buf_done(&out);
}

static void
requests_in_a_row_on_one_connection_are_answered_in_order(void **state)
{
	struct rig *rig = *state;
	static const char requests[] =
	    "GET /livez HTTP/1.1\r\n" HOST "\r\nGET /v1/stations HTTP/1.1\r\n" HOST AUTH "\r\n"
	    "POST " SHOWN " HTTP/1.1\r\n" HOST AUTH
	    "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
	    "GET /v1/report HTTP/1.1\r\n" HOST AUTH "Connection: close\r\n\r\n";
	struct buf out = { 0 };
	int fd = rig_connect(rig);

	rig_send(rig, fd, requests, strlen(requests));
	assert_true(rig_read(rig, fd, &out, "nothing like it"));
	assert_true(strstr(out.data, "pass") < strstr(out.data, "stations"));
	assert_true(strstr(out.data, "stations") < strstr(out.data, "\"ok\":true"));
	assert_true(strstr(out.data, "\"ok\":true") < strstr(out.data, "\"shown\":3"));
	assert_int_equal(rig->submitted, 1);
	close(fd);
	buf_done(&out);
}

static int
post_of_size(struct rig *rig, size_t size, struct buf *out)
{
	struct buf body = { 0 };
	int status;

	buf_adds(&body, "{\"x\":\"");
	while (body.len < size - 2)
		buf_addc(&body, 'a');
	buf_adds(&body, "\"}");
	status = rig_post(rig, SHOWN, AUTH, body.data, out);
	buf_done(&body);
	return status;
}

static void
a_body_of_64_kib_is_read_and_one_more_is_not(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	assert_int_equal(post_of_size(rig, 65536, NULL), 200);
	assert_int_equal(post_of_size(rig, 65537, &out), 413);
	assert_has(out, "application/problem+json");
	assert_int_equal(post_of_size(rig, 1 << 20, NULL), 413);
	assert_int_equal(rig->submitted, 1);
	assert_int_equal(http_counts(rig->http)->unknown_members, 1);
	buf_done(&out);
}

static int
get_with_header_of(struct rig *rig, size_t size)
{
	struct buf request = { 0 };
	int status;

	buf_adds(&request, "GET /livez HTTP/1.1\r\n" HOST "X: ");
	while (size-- > 0)
		buf_addc(&request, 'a');
	buf_adds(&request, "\r\n\r\n");
	status = rig_ask(rig, request.data, NULL);
	buf_done(&request);
	return status;
}

static void
a_head_of_16_kib_is_read_and_more_is_not(void **state)
{
	struct rig *rig = *state;
	size_t rest = strlen("GET /livez HTTP/1.1"
			     "Host: 127.0.0.1"
			     "X: ");

	assert_int_equal(get_with_header_of(rig, 16384 - rest), 200);
	assert_int_equal(get_with_header_of(rig, 16385 - rest), 400);
}

static void
thousands_of_little_headers_are_cut_off(void **state)
{
	struct rig *rig = *state;
	struct buf request = { 0 }, out = { 0 };
	int fd = rig_connect(rig);

	buf_adds(&request, "GET /livez HTTP/1.1\r\n" HOST);
	for (int i = 0; i < 3000; i++)
		buf_adds(&request, "a:\r\n");
	rig_send(rig, fd, request.data, request.len);
	assert_true(rig_read(rig, fd, &out, NULL));
	assert_int_equal(out.len, 0);
	close(fd);
	buf_done(&request);
	buf_done(&out);
}

static void
hundred_small_headers_are_fine(void **state)
{
	struct rig *rig = *state;
	struct buf headers = { 0 };

	for (int i = 0; i < 100; i++)
		buf_addf(&headers, "X-%d: y\r\n", i);
	assert_int_equal(rig_get(rig, "/livez", headers.data, NULL), 200);
	buf_done(&headers);
}

static void
garbage_is_answered_with_a_problem_and_closed(void **state)
{
	struct rig *rig = *state;
	static const char *const bad[] = { "\r\n\r\n\r\nxx\r\n\r\n", "GET /\r\n\r\n",
		"GET / HTTP/2.0\r\n" HOST "\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET / HTTP/-1.1\r\n" HOST "\r\n", "GET / HTTP/1.7\r\n" HOST "\r\n",
		"GET / HTTP/0.9\r\n" HOST "\r\n", "GET / FTP/1.1\r\n" HOST "\r\n",
		"POST " SHOWN " HTTP/1.1\r\n" HOST AUTH
		"Expect: coffee\r\nContent-Length: 2\r\n\r\n{}",
		"POST " SHOWN " HTTP/1.1\r\n" HOST AUTH "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST " SHOWN " HTTP/1.1\r\n" HOST AUTH
		"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
		"CONNECT evil.example:80 HTTP/1.1\r\n" HOST "\r\n" };
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int fd = rig_connect(rig);
		assert_int_equal(http_counts(rig->http)->malformed, i);
		buf_clear(&out);
		rig_send(rig, fd, bad[i], strlen(bad[i]));
		rig_read(rig, fd, &out, "}\n");
		if (strncmp(out.data, "HTTP/1.1 4", 10) != 0 &&
		    strncmp(out.data, "HTTP/1.1 5", 10) != 0)
			fail_msg("%s answered by %s", bad[i], out.data);
		assert_has(out, "application/problem+json");
		close(fd);
	}
	assert_int_equal(rig->submitted, 0);
	buf_done(&out);
}

static void
who_waits_for_100_continue_gets_it(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	int fd = rig_connect(rig);

	rig_send(rig, fd,
	    "POST " SHOWN " HTTP/1.1\r\n" HOST AUTH
	    "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
	    strlen("POST " SHOWN " HTTP/1.1\r\n" HOST AUTH
		   "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
	rig_read(rig, fd, &out, "\r\n\r\n");
	assert_string_equal(out.data, "HTTP/1.1 100 Continue\r\n\r\n");
	buf_clear(&out);
	rig_send(rig, fd, "{}", 2);
	rig_read(rig, fd, &out, NULL);
	assert_int_equal(strncmp(out.data, "HTTP/1.1 200", 12), 0);
	close(fd);
	buf_done(&out);
}

static void
a_request_that_dribbles_is_cut_at_its_deadline(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig), whole = rig_connect(rig);
	int64_t start_ms = http_mono_ms();
	struct buf out = { 0 };

	rig_send(rig, fd, "GET / HTTP/1.1\r\nHos", 19);
	http_client_sweep(rig->http, start_ms + HTTP_READ_DEADLINE_MS - 1000);
	rig_send(rig, fd, "t", 1);
	assert_int_equal(rig->http->client_count, 2);
	rig_send(rig, whole, "GET /livez HTTP/1.1\r\n" HOST "\r\n",
	    strlen("GET /livez HTTP/1.1\r\n" HOST "\r\n"));
	rig_read(rig, whole, &out, NULL);
	http_client_sweep(rig->http, start_ms + HTTP_READ_DEADLINE_MS + 60000);
	buf_clear(&out);
	assert_true(rig_read(rig, fd, &out, NULL));
	assert_true(rig_read(rig, whole, &out, NULL)); /* idle for as long */
	assert_int_equal(rig->http->client_count, 0);
	assert_int_equal(http_counts(rig->http)->slow, 2);
	close(fd);
	close(whole);
	buf_done(&out);
}

static void
a_full_room_makes_place_by_cutting_who_was_silent_longest(void **state)
{
	struct rig *rig = *state;
	static int fds[HTTP_CONNECTIONS_MAX + 1];
	int tablet = rig_connect(rig);
	struct buf out = { 0 };

	rig_send(rig, tablet, "GET /v1/stations/7/stream HTTP/1.1\r\n" HOST AUTH "\r\n",
	    strlen("GET /v1/stations/7/stream HTTP/1.1\r\n" HOST AUTH "\r\n"));
	rig_read(rig, tablet, &out, "online");
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = rig_connect(rig);
	assert_int_equal(rig->http->client_count, HTTP_CONNECTIONS_MAX);
	assert_int_equal(http_counts(rig->http)->evicted, 2);
	buf_clear(&out);
	assert_true(rig_read(rig, fds[0], &out, NULL));
	assert_int_equal(rig_get(rig, "/livez", "", NULL), 200);
	assert_int_equal(http_streams(rig->http), 1);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	close(tablet);
	rig_pump(rig, 10);
	assert_int_equal(rig->http->client_count, 0);
	assert_int_equal(rig->http->input_total, 0);
	buf_done(&out);
}

static int
pair_with(struct rig *rig, const char *code, const char *name, struct buf *out)
{
	char body[128];

	snprintf(body, sizeof(body), "{\"code\":\"%s\",\"name\":\"%s\"}", code, name);
	return rig_post(rig, "/v1/pair", "", body, out);
}

static const char *
wrong_code(const char *code)
{
	return strcmp(code, "123456") == 0 ? "654321" : "123456";
}

static void
a_code_gives_a_token_once(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	char code[7], auth[128], *token;
	int64_t expires_ms;

	http_pair(rig->http, "7", code, &expires_ms);
	assert_int_equal(strspn(code, "0123456789"), 6);
	assert_int_equal(expires_ms, rig->now_ms + 5 * MIN_MS);
	assert_int_equal(pair_with(rig, code, "till-7", &out), 200);
	assert_has(out, "\"name\":\"till-7\"");
	assert_has(out, "; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict\r\n");
	token = strstr(out.data, "\"token\":\"") + 9;
	assert_int_equal(strcspn(token, "\""), 43);
	snprintf(auth, sizeof(auth), "Authorization: Bearer %.43s\r\n", token);
	assert_null(strstr(rig->tablets[2].hash, token));
	assert_string_equal(rig->tablets[2].tablet.stations, "7");
	assert_int_equal(rig_get(rig, "/v1/stations/7", auth, NULL), 200);
	assert_int_equal(rig_get(rig, "/v1/stations/8", auth, NULL), 403);
	assert_int_equal(pair_with(rig, code, "till-7", NULL), 403);
	buf_done(&out);
}

static void
the_fifth_try_counts_and_the_sixth_does_not(void **state)
{
	struct rig *rig = *state;
	char code[7];
	int64_t expires_ms;

	http_pair(rig->http, "", code, &expires_ms);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pair_with(rig, wrong_code(code), "a", NULL), 403);
	assert_int_equal(pair_with(rig, code, "a", NULL), 200);
	http_pair(rig->http, "", code, &expires_ms);
	for (int i = 0; i < 5; i++)
		assert_int_equal(pair_with(rig, wrong_code(code), "a", NULL), 403);
	assert_int_equal(pair_with(rig, code, "a", NULL), 403);
	assert_int_equal(http_counts(rig->http)->pair_failed, 10);
}

static void
a_code_lives_five_minutes(void **state)
{
	struct rig *rig = *state;
	char code[7];
	int64_t expires_ms;

	http_pair(rig->http, "", code, &expires_ms);
	rig->now_ms = expires_ms - 1;
	assert_int_equal(pair_with(rig, code, "a", NULL), 200);
	http_pair(rig->http, "", code, &expires_ms);
	rig->now_ms = expires_ms;
	assert_int_equal(pair_with(rig, code, "a", NULL), 403);
}

static void
a_code_survives_a_store_that_cannot_write(void **state)
{
	struct rig *rig = *state;
	char code[7];
	int64_t expires_ms;

	http_pair(rig->http, "", code, &expires_ms);
	rig->put_result = AISLE_E_FULL;
	assert_int_equal(pair_with(rig, code, "a", NULL), 503);
	rig->put_result = AISLE_E_REFUSED;
	assert_int_equal(pair_with(rig, code, "a", NULL), 409);
	rig->put_result = 0;
	assert_int_equal(pair_with(rig, code, "a", NULL), 200);
}

static void
eight_codes_are_open_and_the_ninth_replaces_the_first(void **state)
{
	struct rig *rig = *state;
	char codes[9][7];
	int64_t expires_ms;

	for (int i = 0; i < 9; i++) {
		http_pair(rig->http, "", codes[i], &expires_ms);
		rig->now_ms += 1000;
	}
	assert_int_equal(pair_with(rig, codes[0], "a", NULL), 403);
	for (int i = 1; i < 9; i++)
		assert_int_equal(pair_with(rig, codes[i], "a", NULL), 200);
}

static void
twenty_wrong_codes_in_a_burst_stop_all_pairing_for_a_moment(void **state)
{
	struct rig *rig = *state;
	char code[7];
	int64_t expires_ms;

	http_pair(rig->http, "", code, &expires_ms);
	for (int i = 0; i < 20; i++)
		assert_int_equal(pair_with(rig, wrong_code(code), "a", NULL), 403);
	http_pair(rig->http, "", code, &expires_ms);
	assert_int_equal(pair_with(rig, code, "a", NULL), 429);
	rig->now_ms += PAIR_REFILL_MS - 1;
	assert_int_equal(pair_with(rig, code, "a", NULL), 429);
	rig->now_ms += 1;
	assert_int_equal(pair_with(rig, code, "a", NULL), 200);
}

static void
a_pairing_request_of_another_shape_is_400(void **state)
{
	struct rig *rig = *state;
	static const char *const bad[] = { "", "[]", "{", "{}", "{\"code\":123456,\"name\":\"a\"}",
		"{\"code\":\"12345\",\"name\":\"a\"}", "{\"code\":\"1234567\",\"name\":\"a\"}",
		"{\"code\":\"12345x\",\"name\":\"a\"}", "{\"code\":\"123456\"}",
		"{\"code\":\"123456\",\"name\":\"\"}", "{\"code\":\"123456\",\"name\":\"a b\"}",
		"{\"code\":\"123456\",\"name\":\"123456789012345678901234567890123\"}",
		"{\"code\":\"123456\",\"code\":\"123456\",\"name\":\"a\"}",
		"{\"code\":\"123456\",\"name\":\"a\"}x" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(rig_post(rig, "/v1/pair", "", bad[i], NULL), 400);
	assert_int_equal(rig->http->pair_failures_left, PAIR_FAILURES_MAX);
}

static void
a_tap_is_handed_over_as_it_came(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	assert_int_equal(rig_post(rig, "/v1/guidance/G7/prompts/P%2f1/decision", AUTH7,
			     "{\"decision\":\"override\",\"instead\":{\"action\":\"tea\",\"depth\":"
			     "10},\"manager\":\"m1\",\"pin\":\"1234\"}",
			     &out),
	    200);
	assert_has(out, "{\"ok\":true}");
	assert_string_equal(rig->kind, "decision");
	assert_string_equal(rig->tablet, "seven");
	assert_string_equal(rig->guidance, "G7");
	assert_string_equal(rig->prompt, "P/1");
	assert_non_null(strstr(rig->body.data, "\"pin\":\"1234\""));
	assert_int_equal(rig_post(rig, SHOWN, AUTH, "{\"shown\":false}", NULL), 200);
	assert_string_equal(rig->kind, "shown");
	rig->result = (struct reply){ .status = 410, .detail = "expired" };
	assert_int_equal(rig_post(rig, DECISION, AUTH, "{\"decision\":\"accept\"}", &out), 410);
	assert_has(out, "\"title\":\"Gone\"");
	assert_has(out, "\"detail\":\"expired\"");
	assert_has(out, "application/problem+json");
	buf_done(&out);
}

static void
a_decision_of_another_shape_is_400(void **state)
{
	struct rig *rig = *state;
	static const char *const bad[] = { "", "null", "[]", "{}", "{\"decision\":\"yes\"}",
		"{\"decision\":1}", "{\"decision\":\"dismiss\",\"reason\":\"because\"}",
		"{\"decision\":\"dismiss\",\"reason\":7}",
		"{\"decision\":\"snooze\",\"until\":\"tomorrow\"}",
		"{\"decision\":\"snooze\",\"until\":5}",
		"{\"decision\":\"override\",\"instead\":\"tea\"}",
		"{\"decision\":\"override\",\"instead\":{}}",
		"{\"decision\":\"override\",\"instead\":{\"action\":\"\"}}",
		"{\"decision\":\"override\",\"instead\":{\"action\":\"tea\",\"depth\":1.5}}",
		"{\"decision\":\"override\",\"instead\":{\"action\":\"tea\",\"depth\":-1}}",
		"{\"decision\":\"accept\",\"note\":1}",
		"{\"decision\":\"accept\",\"manager\":\"m\"}",
		"{\"decision\":\"accept\",\"pin\":\"1\"}",
		"{\"decision\":\"accept\",\"manager\":\"m\",\"pin\":1}",
		"{\"decision\":\"accept\",\"manager\":\"m\",\"pin\":\"\"}",
		"{\"decision\":\"accept\",\"decision\":\"dismiss\"}",
		"{\"decision\":\"accept\"} {}", "{\"decision\":\"accept\",\"note\":\"\xff\"}" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(rig_post(rig, DECISION, AUTH, bad[i], NULL), 400);
	assert_int_equal(rig_post(rig, SHOWN, AUTH, "{\"shown\":1}", NULL), 400);
	assert_int_equal(rig->submitted, 0);
	assert_int_equal(rig_post(rig, DECISION, AUTH,
			     "{\"decision\":\"snooze\",\"until\":\"2026-11-21T10:15:00.123Z\"}",
			     NULL),
	    200);
	assert_int_equal(rig_post(rig, DECISION, AUTH,
			     "{\"decision\":\"dismiss\",\"reason\":\"too-busy\",\"more\":1}", NULL),
	    200);
	assert_int_equal(http_counts(rig->http)->unknown_members, 1);
}

static void
a_note_has_500_characters_at_most_whatever_their_bytes(void **state)
{
	struct rig *rig = *state;
	struct buf body = { 0 };

	buf_adds(&body, "{\"decision\":\"accept\",\"note\":\"");
	for (int i = 0; i < 500; i++)
		buf_adds(&body, "ü");
	buf_adds(&body, "\"}");
	assert_int_equal(rig_post(rig, DECISION, AUTH, body.data, NULL), 200);
	body.len -= 2;
	buf_adds(&body, "ü\"}");
	assert_int_equal(rig_post(rig, DECISION, AUTH, body.data, NULL), 400);
	buf_done(&body);
}

static void
the_answer_waits_for_the_turn(void **state)
{
	struct rig *rig = *state;
	static const char request[] = "POST " DECISION " HTTP/1.1\r\n" HOST AUTH
				      "Content-Length: 21\r\n\r\n{\"decision\":\"accept\"}";
	struct buf out = { 0 };
	int fd = rig_connect(rig);

	rig->hold = true;
	rig_send(rig, fd, request, strlen(request));
	rig_read(rig, fd, &out, NULL);
	assert_int_equal(out.len, 0);
	assert_int_equal(rig->submitted, 1);
	http_client_sweep(rig->http,
	    http_mono_ms() + 3600 * S_MS); /* a slow disk is not the tablet's fault */
	rig_send(rig, fd, "GET /livez HTTP/1.1\r\n" HOST "\r\n",
	    strlen("GET /livez HTTP/1.1\r\n" HOST "\r\n"));
	rig->reply(rig->reply_ctx, &rig->result);
	rig_read(rig, fd, &out, "pass"); /* and what came meanwhile is answered after it */
	assert_has(out, "{\"ok\":true}");
	assert_int_equal(rig->cancelled, 0);
	close(fd);
	buf_done(&out);
}

static void
who_leaves_before_the_turn_is_cancelled_once(void **state)
{
	struct rig *rig = *state;
	static const char request[] = "POST " DECISION " HTTP/1.1\r\n" HOST AUTH
				      "Content-Length: 21\r\n\r\n{\"decision\":\"accept\"}";
	int fd = rig_connect(rig);

	rig->hold = true;
	rig_send(rig, fd, request, strlen(request));
	rig_pump(rig, 5);
	assert_int_equal(rig->submitted, 1);
	close(fd);
	rig_pump(rig, 5);
	assert_int_equal(rig->cancelled, 1);
	assert_int_equal(rig->http->client_count, 0);
	fd = rig_connect(rig);
	rig_send(rig, fd, request, strlen(request) - 5); /* and in the middle of the request */
	close(fd);
	rig_pump(rig, 5);
	assert_int_equal(rig->submitted, 1);
	fd = rig_connect(rig);
	rig_send(rig, fd, request, strlen(request));
	rig_pump(rig, 5);
	http_free(rig->http); /* and at the daemon's end */
	assert_int_equal(rig->cancelled, 2);
	close(fd);
	rig->hold = false;
	rig_start(rig);
}

static int
new_with(struct rig *rig, const char *listen, bool plain_lan, const char *operators)
{
	struct conf conf = rig->conf;
	struct http *http = NULL;
	struct err err = { 0 };
	int rc;

	conf.http_listen = mem_strdup(listen);
	conf.http_operators = mem_strdup(operators);
	conf.http_plain_lan = plain_lan;
	rc = http_new(rig->base, &conf, &rig->host, &http, &err);
	assert_true(rc == 0 ? err.text[0] == '\0' : err.text[0] != '\0');
	http_free(http);
	free(conf.http_listen);
	free(conf.http_operators);
	return rc;
}

static void
without_a_certificate_only_loopback_is_served_unless_told(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(new_with(rig, "127.0.0.1:0,localhost:0", false, ""), 0);
	assert_int_equal(new_with(rig, "127.9.9.9:0", false, ""), 0);
	assert_int_equal(new_with(rig, "0.0.0.0:0", false, ""), AISLE_E_CONFIG);
	assert_int_equal(new_with(rig, "127.0.0.1:0, 0.0.0.0:0", false, ""), AISLE_E_CONFIG);
	assert_int_equal(new_with(rig, "0.0.0.0:0", true, ""), 0);
	assert_int_equal(new_with(rig, "", false, ""), 0);
	assert_int_equal(new_with(rig, "127.0.0.1", false, ""), AISLE_E_CONFIG);
	assert_int_equal(new_with(rig, "store.example:80", true, ""), AISLE_E_CONFIG);
	assert_int_equal(new_with(rig, "127.0.0.1:99999", false, ""), AISLE_E_CONFIG);
	assert_int_equal(new_with(rig, "127.0.0.1:0", false, "10.0.0.0/33"), AISLE_E_CONFIG);
	assert_int_equal(new_with(rig, "127.0.0.1:0", false, "somewhere"), AISLE_E_CONFIG);
	assert_int_equal(new_with(rig, http_address(rig->http, 0), false, ""), AISLE_E_IO);
	assert_null(http_address(rig->http, 1));
}

static void
half_a_certificate_is_no_certificate(void **state)
{
	struct rig *rig = *state;
	char missing[] = "/nonexistent/key.pem";

	rig->conf.http_cert = missing;
	assert_int_equal(new_with(rig, "0.0.0.0:0", true, ""), AISLE_E_CONFIG);
	rig->conf.http_key = missing;
	assert_int_equal(new_with(rig, "0.0.0.0:0", true, ""), AISLE_E_CONFIG);
	rig->conf.http_cert = rig->conf.http_key = NULL;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* For a page that is made elsewhere: what is served, as text behind other text. */
static void
a_file_of_the_page_can_be_had_as_text(void **state)
{
	static const char *const served[] = { "", "app.js", "style.css", "icon.svg" };
	static const char *const only[] = { "preview.js", "preview.css" };
	struct rig *rig = *state;
	struct buf text = { 0 }, out = { 0 };
	char path[32];

	for (size_t i = 0; i < ARRAY_LEN(served); i++) {
		snprintf(path, sizeof(path), "/%s", served[i]);
		assert_int_equal(rig_get(rig, path, "", &out), 200);
		buf_clear(&text);
		buf_adds(&text, "before ");
		http_page_text(served[i], &text);
		assert_true(text.len > 200);
		assert_int_equal(strlen(text.data), text.len);
		assert_int_equal(strncmp(text.data, "before ", 7), 0);
		assert_string_equal(strstr(out.data, "\r\n\r\n") + 4, text.data + 7);
	}
	for (size_t i = 0; i < ARRAY_LEN(only); i++) {
		snprintf(path, sizeof(path), "/%s", only[i]);
		assert_int_equal(rig_get(rig, path, "", NULL), 404);
		buf_clear(&text);
		http_page_text(only[i], &text);
		assert_true(text.len > 200);
		assert_int_equal(strlen(text.data), text.len);
	}
	buf_done(&text);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_page_is_for_everyone_and_loads_from_nowhere_else),
		T(a_file_of_the_page_can_be_had_as_text),
		T(a_file_that_did_not_change_is_not_sent_again),
		T(head_is_get_without_the_body),
		T(every_other_path_wants_a_token),
		T(a_tablet_may_choose_each_station_it_was_paired_for_and_no_other),
		T(a_token_comes_as_bearer_or_cookie_and_the_bearer_wins),
		T(ten_thousand_guessed_tokens_are_all_refused),
		T(a_tablet_sees_only_the_stations_it_was_paired_with),
		T(operators_paths_are_for_their_addresses_only),
		T(a_wrong_method_is_405_and_an_unknown_path_404),
		T(no_path_leads_outside_the_table),
		T(a_rebound_name_is_refused),
		T(a_post_from_another_page_is_refused),
		T(nothing_can_be_smuggled),
		T(a_body_on_a_get_is_not_the_next_request),
		T(requests_in_a_row_on_one_connection_are_answered_in_order),
		T(a_body_of_64_kib_is_read_and_one_more_is_not),
		T(a_head_of_16_kib_is_read_and_more_is_not),
		T(thousands_of_little_headers_are_cut_off),
		T(hundred_small_headers_are_fine),
		T(garbage_is_answered_with_a_problem_and_closed),
		T(who_waits_for_100_continue_gets_it),
		T(a_request_that_dribbles_is_cut_at_its_deadline),
		T(a_full_room_makes_place_by_cutting_who_was_silent_longest),
		T(a_code_gives_a_token_once),
		T(the_fifth_try_counts_and_the_sixth_does_not),
		T(a_code_lives_five_minutes),
		T(a_code_survives_a_store_that_cannot_write),
		T(eight_codes_are_open_and_the_ninth_replaces_the_first),
		T(twenty_wrong_codes_in_a_burst_stop_all_pairing_for_a_moment),
		T(a_pairing_request_of_another_shape_is_400),
		T(a_tap_is_handed_over_as_it_came),
		T(a_decision_of_another_shape_is_400),
		T(a_note_has_500_characters_at_most_whatever_their_bytes),
		T(the_answer_waits_for_the_turn),
		T(who_leaves_before_the_turn_is_cancelled_once),
		T(without_a_certificate_only_loopback_is_served_unless_told),
		T(half_a_certificate_is_no_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
