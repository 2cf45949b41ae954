/* SPDX-License-Identifier: Apache-2.0
 *
 * page.c - the tablet page and the manager's page: plain files, embedded compressed (page_data.S).
 *
 * DESIGN
 *   A fixed table: a path is in it or is not, so there is nothing to traverse.
 *   The policy lets the page load from this gateway only, run no inline code
 *   and be framed by nobody.
 *
 *   A file is unpacked when it is asked for, which is once a tablet and release: sent
 *   as it lies here it would be of no use to who does not read zstd.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "core/id.h"
#include "deliver/http_private.h"

#define FILE_BYTES_MAX (1u << 20)

/* X(symbol, path, type) */
/* clang-format off */
#define FILES(X) \
	X(index_html, "", "text/html; charset=utf-8") \
	X(manager_html, "manager", "text/html; charset=utf-8") \
	X(app_js, "app.js", "text/javascript; charset=utf-8") \
	X(answers_js, "answers.js", "text/javascript; charset=utf-8") \
	X(deck_js, "deck.js", "text/javascript; charset=utf-8") \
	X(stream_js, "stream.js", "text/javascript; charset=utf-8") \
	X(outbox_js, "outbox.js", "text/javascript; charset=utf-8") \
	X(worker_js, "worker.js", "text/javascript; charset=utf-8") \
	X(cards_js, "cards.js", "text/javascript; charset=utf-8") \
	X(sheets_js, "sheets.js", "text/javascript; charset=utf-8") \
	X(barcode_js, "barcode.js", "text/javascript; charset=utf-8") \
	X(words_js, "words.js", "text/javascript; charset=utf-8") \
	X(sign_in_html, "sign-in", "text/html; charset=utf-8") \
	X(sign_in_js, "sign-in.js", "text/javascript; charset=utf-8") \
	X(manager_js, "manager.js", "text/javascript; charset=utf-8") \
	X(manager_words_js, "manager-words.js", "text/javascript; charset=utf-8") \
	X(manager_day_js, "manager-day.js", "text/javascript; charset=utf-8") \
	X(manager_floor_js, "manager-floor.js", "text/javascript; charset=utf-8") \
	X(manager_css, "manager.css", "text/css; charset=utf-8") \
	X(style_css, "style.css", "text/css; charset=utf-8") \
	X(manifest, "manifest.webmanifest", "application/manifest+json") \
	X(icon_svg, "icon.svg", "image/svg+xml")
/* clang-format on */

#define X(symbol, path, type) extern const char page_##symbol[], page_##symbol##_end[];
FILES(X)
#undef X

/* Of aislectl policy preview and fleet; no gateway serves them. */
extern const char page_preview_js[], page_preview_js_end[];
extern const char page_preview_css[], page_preview_css_end[];
extern const char page_fleet_js[], page_fleet_js_end[];
extern const char page_fleet_css[], page_fleet_css_end[];

#define CONTENT_POLICY \
	"default-src 'self'; base-uri 'none'; form-action 'self'; " \
	"frame-ancestors 'none'; object-src 'none'"

void
http_page_init(struct http *http)
{
	const struct page_file files[] = {
#define X(symbol, name, mime) \
	{ .path = name, \
		.type = mime, \
		.data = page_##symbol, \
		.len = (size_t)(page_##symbol##_end - page_##symbol) },
		FILES(X)
#undef X
	};

	http->files = mem_alloc(sizeof(files));
	memcpy(http->files, files, sizeof(files));
	http->file_count = ARRAY_LEN(files);
	for (size_t i = 0; i < http->file_count; i++) {
		struct page_file *file = &http->files[i];
		uint8_t hash[16];
		char hex[33];

		hash_bytes(hash, sizeof(hash), file->data, file->len, NULL, 0);
		hash_hex(hex, hash, sizeof(hash));
		snprintf(file->etag, sizeof(file->etag), "\"%s\"", hex);
	}
}

void
http_page_done(struct http *http)
{
	free(http->files);
}

static const struct page_file *
find_file(const struct http *http, const char *path)
{
	const struct page_file *file = NULL;

	for (size_t i = 0; i < http->file_count; i++)
		if (strcmp(http->files[i].path, path) == 0)
			file = &http->files[i];
	CHECK(file != NULL); /* the table of paths and this one agree */
	return file;
}

static void
unpack_bytes(const char *data, size_t size, struct buf *out)
{
	size_t len = (size_t)ZSTD_getFrameContentSize(data, size);

	CHECK(len > 0 && len < FILE_BYTES_MAX); /* else the build has gone wrong */
	buf_reserve(out, len + 1);
	CHECK(ZSTD_decompress(out->data + out->len, len, data, size) == len);
	out->len += len;
	out->data[out->len] = '\0';
}

static void
unpack(const struct page_file *file, struct buf *out)
{
	unpack_bytes(file->data, file->len, out);
}

void
http_page_text(const char *name, struct buf *out)
{
	static const struct {
		const char *name, *data, *end;
	} all[] = {
#define X(symbol, path, type) { path, page_##symbol, page_##symbol##_end },
		FILES(X)
#undef X
		    { "preview.js", page_preview_js, page_preview_js_end },
		{ "preview.css", page_preview_css, page_preview_css_end },
		{ "fleet.js", page_fleet_js, page_fleet_js_end },
		{ "fleet.css", page_fleet_css, page_fleet_css_end },
	};
	size_t i = 0;

	while (i < ARRAY_LEN(all) && strcmp(all[i].name, name) != 0)
		i++;
	CHECK(i < ARRAY_LEN(all));
	unpack_bytes(all[i].data, (size_t)(all[i].end - all[i].data), out);
}

static void
add_policy(struct http_call *call)
{
	http_add_header(call, "Content-Security-Policy", CONTENT_POLICY);
	http_add_header(call, "Referrer-Policy", "no-referrer");
	http_add_header(call, "Cross-Origin-Opener-Policy", "same-origin");
	http_add_header(call, "Cross-Origin-Resource-Policy", "same-origin");
	http_add_header(call, "X-Frame-Options", "DENY");
}

static void
send_file(struct http_call *call, const char *path)
{
	const char *known = http_header(call, "If-None-Match");
	const struct page_file *file = find_file(call->http, path);
	struct buf body = { 0 };

	http_add_header(call, "ETag", file->etag);
	http_add_header(call, "Cache-Control", "no-cache");
	add_policy(call);
	if (known != NULL && strcmp(known, file->etag) == 0) {
		http_reply(call, 304, file->type, &body);
		return;
	}
	unpack(file, &body);
	http_reply(call, 200, file->type, &body);
}

void
http_get_file(struct http_call *call)
{
	send_file(call, call->segment_count == 0 ? "" : call->segments[0]);
}

void
http_get_manager(struct http_call *call)
{
	bool may = http_manager_signed_in(call) || http_is_operator(call->http, call->client);
	/* Who reads from an operator's address signs in to order. */
	bool form = strcmp(call->query, "sign-in") == 0;

	send_file(call, may && !form ? "manager" : "sign-in");
}
