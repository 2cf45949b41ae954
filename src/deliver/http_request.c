/* SPDX-License-Identifier: Apache-2.0
 *
 * http_request.c - is this request one that we read? Framing, path, Host, Origin.
 *
 * DESIGN
 *   evhttp is a lenient reader, and two readers that differ are how requests
 *   are smuggled. Whatever can be read in two ways is refused here, and the
 *   connection closed, so that what follows it is never taken for a request.
 *
 *   Host is checked against DNS rebinding: a page from elsewhere, whose name
 *   was made to point at this gateway, has that name in Host. An address has
 *   no name to rebind; names of ours are localhost, the machine's own and
 *   those in the certificate. Origin is checked because a browser sends
 *   cookies along with other pages' posts.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "deliver/http_private.h"

#define URI_MAX 2048

const char *
http_header(const struct http_call *call, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(call->request), name);
}

static bool
is_token(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr("!#$%&'*+-.^_`|~", *s) == NULL)
			return false;
	return true;
}

static bool
is_digits(const char *s)
{
	return *s != '\0' && strlen(s) <= 15 && strspn(s, "0123456789") == strlen(s);
}

/* One way to say where the body ends, one Host, no other trick in a name or value. */
static const char *
check_headers(const struct http_call *call)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(call->request);
	struct evkeyval *h;
	int lengths = 0, encodings = 0, hosts = 0;

	TAILQ_FOREACH(h, headers, next)
	{
		if (!is_token(h->key))
			return "a header's name is not one";
		for (const char *s = h->value; *s != '\0'; s++)
			if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
				return "a control character in a header";
		if (strcasecmp(h->key, "Content-Length") == 0 &&
		    (lengths++ > 0 || !is_digits(h->value)))
			return "Content-Length is not one number";
		if (strcasecmp(h->key, "Transfer-Encoding") == 0 &&
		    (encodings++ > 0 || strcasecmp(h->value, "chunked") != 0))
			return "Transfer-Encoding is not chunked";
		if (strcasecmp(h->key, "Host") == 0 && hosts++ > 0)
			return "two Host headers";
	}
	if (lengths > 0 && encodings > 0)
		return "both Content-Length and Transfer-Encoding";
	if (encodings > 0 && call->request->minor == 0)
		return "Transfer-Encoding in HTTP/1.0";
	if (hosts == 0)
		return "no Host";
	return NULL;
}

/* Host without its port: "[::1]:8080" → "::1". False: neither name nor address. */
static bool
host_name(const char *header, char *out, size_t size)
{
	const char *end, *port;

	if (*header == '[') {
		header++;
		if ((end = strchr(header, ']')) == NULL)
			return false;
		port = end + 1;
	} else {
		end = header + strcspn(header, ":");
		port = end;
	}
	if (*port != '\0' && (*port != ':' || !is_digits(port + 1)))
		return false;
	if (end == header || (size_t)(end - header) >= size)
		return false;
	memcpy(out, header, (size_t)(end - header));
	out[end - header] = '\0';
	return strspn(out, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:") ==
	    strlen(out);
}

bool
http_host_allowed(const struct http *http, const char *host_header)
{
	char name[256];
	struct in6_addr address;

	if (!host_name(host_header, name, sizeof(name)))
		return false;
	if (inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1)
		return true;
	for (size_t i = 0; i < http->host_name_count; i++)
		if (strcasecmp(name, http->host_names[i]) == 0)
			return true;
	return http_tls_names(http, name);
}

/* A page may post only to where it came from. Programs send no Origin. */
static bool
origin_ok(const struct http_call *call)
{
	const char *origin = http_header(call, "Origin"), *host = http_header(call, "Host");
	const char *scheme = call->http->tls != NULL ? "https://" : "http://";

	if (origin == NULL)
		return true;
	/* A proxy before us that ends TLS shows pages as https. */
	if (strncmp(origin, scheme, strlen(scheme)) != 0)
		scheme = "https://";
	return strncmp(origin, scheme, strlen(scheme)) == 0 &&
	    strcasecmp(origin + strlen(scheme), host) == 0;
}

/* libevent leaves the body of some methods on the wire, where it would be the next request. */
static bool
announces_body(const struct http_call *call)
{
	const char *length = http_header(call, "Content-Length");

	return http_header(call, "Transfer-Encoding") != NULL ||
	    (length != NULL && strcmp(length, "0") != 0);
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
	    : c >= 'a' && c <= 'f'  ? c - 'a' + 10
	    : c >= 'A' && c <= 'F'  ? c - 'A' + 10
				    : -1;
}

/* One segment, decoded: printable ASCII only. The length read, or 0: not one. */
static size_t
decode_segment(const char *from, size_t len, char out[static HTTP_SEGMENT_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)from[i];
		if (c == '%') {
			if (i + 2 >= len || hex(from[i + 1]) < 0 || hex(from[i + 2]) < 0)
				return 0;
			c = hex(from[i + 1]) * 16 + hex(from[i + 2]);
			i += 2;
		}
		if (c < 0x20 || c > 0x7e || n == HTTP_SEGMENT_SIZE - 1)
			return 0;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return n;
}

/* "/v1/stations/7?x" to segments and query; "/" has none. Empty and dot segments name nothing here.
 */
static bool
split_path(struct http_call *call, const char *uri)
{
	const char *at = uri + 1, *end = uri + strcspn(uri, "?");

	call->query = *end == '?' ? end + 1 : "";
	while (at < end) {
		const char *slash = memchr(at, '/', (size_t)(end - at));
		size_t len = (size_t)((slash != NULL ? slash : end) - at);
		char *segment = call->segments[call->segment_count];

		if (decode_segment(at, len, segment) == 0 || strcmp(segment, ".") == 0 ||
		    strcmp(segment, "..") == 0)
			return false;
		call->segment_count++;
		at += len + 1;
		if (slash != NULL && (at == end || call->segment_count == HTTP_SEGMENTS_MAX))
			return false;
	}
	return true;
}

bool
http_query(const char *query, const char *name, char *out, size_t size)
{
	size_t name_len = strlen(name), len;

	for (; *query != '\0'; query += query[len] == '&' ? len + 1 : len) {
		len = strcspn(query, "&");
		if (len <= name_len || strncmp(query, name, name_len) != 0 ||
		    query[name_len] != '=')
			continue;
		if (len - name_len - 1 >= size)
			return false;
		memcpy(out, query + name_len + 1, len - name_len - 1);
		out[len - name_len - 1] = '\0';
		return true;
	}
	return false;
}

static int
no(const char **ret_detail, int status, const char *detail)
{
	*ret_detail = detail;
	return status;
}

int
http_request_read(struct http_call *call, const char **ret_detail)
{
	struct evhttp_request *request = call->request;
	const char *uri = evhttp_request_get_uri(request), *problem;
	size_t body = evbuffer_get_length(evhttp_request_get_input_buffer(request));
	bool posts = evhttp_request_get_command(request) == EVHTTP_REQ_POST;
	bool deletes = evhttp_request_get_command(request) == EVHTTP_REQ_DELETE;

	if (request->major != 1 || (request->minor != 0 && request->minor != 1)) {
		request->major = request->minor = 1; /* libevent answers in what was asked in */
		return no(ret_detail, 505, "HTTP/1.0 and HTTP/1.1 are spoken here");
	}
	if ((problem = check_headers(call)) != NULL)
		return no(ret_detail, 400, problem);
	if (strlen(uri) > URI_MAX)
		return no(ret_detail, 414, "the path is too long");
	if (uri[0] != '/')
		return no(ret_detail, 400, "not a path");
	for (const char *s = uri; *s != '\0'; s++)
		if (*s <= 0x20 || *s > 0x7e || *s == '#')
			return no(ret_detail, 400, "a character that belongs into no path");
	if (!http_host_allowed(call->http, http_header(call, "Host")))
		return no(ret_detail, 421, "Host is not a name of this gateway");
	CHECK(body <= HTTP_BODY_MAX); /* libevent has refused it */
	if (!posts && announces_body(call))
		return no(ret_detail, 400, "a body where none belongs");
	if ((posts || deletes) && !origin_ok(call))
		return no(ret_detail, 403, "Origin is another page");
	if (!split_path(call, uri))
		return no(ret_detail, 404, "nothing is here");
	return 0;
}
