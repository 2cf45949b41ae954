/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet_page.c - the fleet as one HTML file: its data as JSON in which no "<" is left, and the script that makes text
 * of it. The file may load nothing from anywhere.
 */
#include "tools/fleet_page.h"

#include "deliver/http.h"

void
fleet_page(const struct buf *json, struct buf *out)
{
	buf_adds(out,
	    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	    "script-src 'unsafe-inline'; style-src 'unsafe-inline'\">\n"
	    "<title>Fleet</title>\n<style>\n");
	http_page_text("style.css", out);
	http_page_text("fleet.css", out);
	buf_adds(out,
	    "</style>\n</head>\n<body class=\"fleet\">\n<main></main>\n"
	    "<script type=\"application/json\" id=\"data\">");
	for (size_t i = 0; i < json->len; i++)
		if (json->data[i] == '<')
			buf_adds(out, "\\u003c");
		else
			buf_addc(out, json->data[i]);
	buf_adds(out, "</script>\n<script type=\"module\">\n");
	http_page_text("fleet.js", out);
	buf_adds(out, "</script>\n</body>\n</html>\n");
}
