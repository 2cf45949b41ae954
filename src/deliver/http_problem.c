/* SPDX-License-Identifier: Apache-2.0
 *
 * http_problem.c - replies: JSON, files, and problems by RFC 9457.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_write.h"
#include "deliver/http_private.h"

/* X(status, title): every status that is sent from here */
/* clang-format off */
#define STATUSES(X) \
	X(200, "OK") X(304, "Not Modified") X(400, "Bad Request") X(401, "Unauthorized") \
	X(403, "Forbidden") X(404, "Not Found") X(405, "Method Not Allowed") \
	X(409, "Conflict") X(410, "Gone") X(413, "Content Too Large") \
	X(414, "URI Too Long") X(417, "Expectation Failed") \
	X(421, "Misdirected Request") X(423, "Locked") X(429, "Too Many Requests") \
	X(500, "Internal Server Error") X(501, "Not Implemented") \
	X(503, "Service Unavailable") X(505, "HTTP Version Not Supported")
/* clang-format on */

const char *
http_status_title(int status)
{
	switch (status) {
#define X(code, title) \
	case code: return title;
		STATUSES(X)
#undef X
	default: return status < 400 ? "OK" : status < 500 ? "Refused" : "Failed";
	}
}

void
http_add_header(struct http_call *call, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(call->request), name, value);
}

void
http_send(struct evhttp_request *request, int status, const char *type, struct buf *body, bool head)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct evbuffer *out = NULL;
	char length[24];

	evhttp_add_header(headers, "Content-Type", type != NULL ? type : "application/json");
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	if (evhttp_find_header(headers, "Cache-Control") == NULL)
		evhttp_add_header(headers, "Cache-Control", "no-store");
	if (status != 304) {
		snprintf(length, sizeof(length), "%zu", body->len);
		evhttp_add_header(headers, "Content-Length", length);
	}
	if (!head && body->len > 0 && (out = evbuffer_new()) != NULL)
		evbuffer_add(out, body->data, body->len);
	buf_done(body);
	evhttp_send_reply(request, status, http_status_title(status), out);
	if (out != NULL)
		evbuffer_free(out);
}

void
http_reply(struct http_call *call, int status, const char *type, struct buf *body)
{
	http_send(call->request, status, type, body, call->head);
}

void
http_problem_text(int status, const char *detail, const char *clause, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_str(w, "type", "about:blank");
	json_add_str(w, "title", http_status_title(status));
	json_add_int(w, "status", status);
	if (detail != NULL)
		json_add_str(w, "detail", detail);
	json_opt_str(w, "clause", clause);
	json_end(w);
	buf_addc(out, '\n');
}

void
http_problem(struct http_call *call, int status, const char *format, ...)
{
	char detail[400];
	struct buf body = { 0 };
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	http_problem_text(status, detail, NULL, &body);
	call->http->counts.refused++;
	http_reply(call, status, "application/problem+json", &body);
}
