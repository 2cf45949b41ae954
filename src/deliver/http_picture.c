/* SPDX-License-Identifier: Apache-2.0
 *
 * http_picture.c - images that cards show.
 *
 * An image is named by its bytes: whoever has it never needs to ask again.
 */
#include <stdio.h>
#include <string.h>

#include "deliver/http_private.h"
#include "nouns/picture.h"

static bool
is_hash(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

void
http_get_picture(struct http_call *call)
{
	const struct http_host *host = call->http->host;
	const char *hash = call->segments[2], *known = http_header(call, "If-None-Match");
	struct picture_head head;
	struct buf bytes = { 0 };
	char tag[68];

	if (!is_hash(hash) || host->picture(host->ctx, hash, &bytes) != 0 ||
	    !picture_read(bytes.data, bytes.len, &head)) {
		buf_done(&bytes);
		http_problem(call, 404,
		    "no such image in the policy in force, nor on an open card");
		return;
	}
	snprintf(tag, sizeof(tag), "\"%.64s\"", hash);
	http_add_header(call, "ETag", tag);
	http_add_header(call, "Cache-Control", "private, max-age=31536000, immutable");
	http_add_header(call, "Content-Security-Policy", "default-src 'none'; sandbox");
	http_add_header(call, "Cross-Origin-Resource-Policy", "same-origin");
	if (known != NULL && strcmp(known, tag) == 0)
		buf_clear(&bytes);
	http_reply(call, known != NULL && bytes.len == 0 ? 304 : 200, head.type, &bytes);
}
