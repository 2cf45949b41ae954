/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_answer.c - what is answered: files, what the store cannot say, taps of every shape, streams' beginnings.
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
again(struct rig *rig)
{
	http_free(rig->http);
	rig_start(rig);
}

/* ---- files ---- */

static void
every_file_has_its_type_and_a_mark_of_its_own(void **state)
{
	static const struct {
		const char *path, *type;
	} files[] = {
		{ "/", "text/html; charset=utf-8" },
		{ "/manager", "text/html; charset=utf-8" },
		{ "/app.js", "text/javascript; charset=utf-8" },
		{ "/answers.js", "text/javascript; charset=utf-8" },
		{ "/deck.js", "text/javascript; charset=utf-8" },
		{ "/outbox.js", "text/javascript; charset=utf-8" },
		{ "/worker.js", "text/javascript; charset=utf-8" },
		{ "/stream.js", "text/javascript; charset=utf-8" },
		{ "/cards.js", "text/javascript; charset=utf-8" },
		{ "/sheets.js", "text/javascript; charset=utf-8" },
		{ "/barcode.js", "text/javascript; charset=utf-8" },
		{ "/words.js", "text/javascript; charset=utf-8" },
		{ "/sign-in.js", "text/javascript; charset=utf-8" },
		{ "/manager.js", "text/javascript; charset=utf-8" },
		{ "/style.css", "text/css; charset=utf-8" },
		{ "/manifest.webmanifest", "application/manifest+json" },
		{ "/icon.svg", "image/svg+xml" },
	};
	static const char *const policy[] = { "Content-Security-Policy: default-src 'self'; ",
		"Referrer-Policy: no-referrer\r\n", "Cross-Origin-Opener-Policy: same-origin\r\n",
		"Cross-Origin-Resource-Policy: same-origin\r\n", "X-Frame-Options: DENY\r\n",
		"Cache-Control: no-cache\r\n", "X-Content-Type-Options: nosniff\r\n" };
	struct rig *rig = *state;
	char line[64], header[700], marks[ARRAY_LEN(files)][35];
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		assert_int_equal(rig_get(rig, files[i].path, AUTH, &out), 200);
		snprintf(line, sizeof(line), "Content-Type: %s\r\n", files[i].type);
		assert_has(out, line);
		for (size_t k = 0; k < ARRAY_LEN(policy); k++)
			assert_has(out, policy[k]);
		snprintf(marks[i], sizeof(marks[i]), "%.34s", strstr(out.data, "ETag: ") + 6);
		assert_int_equal(strspn(marks[i] + 1, "0123456789abcdef"), 32);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(marks[i], marks[k]);
		snprintf(header, sizeof(header), AUTH "If-None-Match: %s\r\n", marks[i]);
		assert_int_equal(rig_get(rig, files[i].path, header, &out), 304);
		assert_lacks(out, "Content-Length");
		assert_has(out, marks[i]);
		assert_has(out, "X-Frame-Options: DENY\r\n");
	}
	buf_done(&out);
}

static void
who_is_not_signed_in_gets_the_form_and_not_the_managers_page(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	rig_no_operator(rig);
	assert_int_equal(rig_get(rig, "/manager", AUTH, &out), 200);
	assert_has(out, "Content-Type: text/html; charset=utf-8");
	assert_has(out, "X-Frame-Options: DENY\r\n");
	assert_has(out, "/sign-in.js");
	assert_lacks(out, "/manager.js");
	buf_done(&out);
}

/* ---- what the store says, or cannot ---- */

static int
none(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_adds(out, "half of");
	return AISLE_E_IO;
}

static int
no_metrics(void *ctx, bool openmetrics, struct buf *out)
{
	(void)openmetrics;
	return none(ctx, out);
}

static int
nameless(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_adds(out, "{\"stations\":[{\"open\":1},{\"station\":70},{\"station\":\"7\"}]}");
	return 0;
}

static void
without_stations_the_list_is_empty(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	rig->host.stations = none;
	again(rig);
	assert_int_equal(rig_get(rig, "/v1/stations", AUTH, &out), 200);
	assert_has(out, "\r\n\r\n{\"stations\":[]}");
	assert_int_equal(rig_get(rig, "/v1/stations", AUTH7, &out), 200);
	assert_has(out, "\r\n\r\n{\"stations\":[]}");
	rig->host.stations = nameless;
	again(rig);
	assert_int_equal(rig_get(rig, "/v1/stations", AUTH7, &out), 200);
	assert_has(out,
	    "\r\n\r\n{\"stations\":[{\"station\":\"7\"},{\"station\":\"70\",\"open\":0,\"heard\":"
	    "false}]}");
	assert_has(out, "Content-Type: application/json\r\n");
	assert_has(out, "Cache-Control: no-store\r\n");
	buf_done(&out);
}

static int
odd_decision(void *ctx, const char *id, struct buf *out)
{
	(void)ctx;
	buf_adds(out, strcmp(id, "cut") == 0 ? "{\"station\":\"7\"" : "{\"station\":7}");
	return 0;
}

static void
a_decision_that_does_not_name_its_station_is_nobodys(void **state)
{
	struct rig *rig = *state;

	rig->host.decision = odd_decision;
	again(rig);
	assert_int_equal(rig_get(rig, "/v1/decisions/cut", AUTH, NULL), 404);
	assert_int_equal(rig_get(rig, "/v1/decisions/odd", AUTH, NULL), 403);
}

static void
a_station_that_cannot_be_one_is_not_here(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	assert_int_equal(rig_get(rig, "/v1/stations/a%20b", AUTH, &out), 404);
	assert_has(out, "\"detail\":\"no such station\"");
	assert_int_equal(rig_get(rig, "/v1/stations/a%20b/stream", AUTH, &out), 404);
	assert_has(out, "\"detail\":\"no such station\"");
	assert_int_equal(rig_get(rig, "/v1/stations/a%20b", AUTH7, NULL), 404);
	buf_done(&out);
}

static void
metrics_that_cannot_be_made_are_503_and_life_is_one_word(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	assert_int_equal(rig_get(rig, "/livez", "", &out), 200);
	assert_has(out, "Content-Type: application/health+json\r\n");
	assert_has(out, "\r\n\r\n{\"status\":\"pass\"}\n");
	assert_int_equal(rig_get(rig, "/metrics", "", &out), 200);
	assert_has(out, "aisle_up 1\n");
	assert_int_equal(rig_get(rig, "/metrics",
			     "Accept: text/html, application/openmetrics-text\r\n", &out),
	    200);
	assert_has(out, "# EOF\n");
	rig->host.metrics = no_metrics;
	again(rig);
	assert_int_equal(rig_get(rig, "/metrics", "", &out), 503);
	assert_lacks(out, "half of");
	buf_done(&out);
}

static void
a_status_has_its_title_or_its_kind(void **state)
{
	static const struct {
		int status;
		const char *title;
	} titles[] = {
		{ 200, "OK" },
		{ 299, "OK" },
		{ 399, "OK" },
		{ 402, "Refused" },
		{ 423, "Locked" },
		{ 499, "Refused" },
		{ 502, "Failed" },
		{ 599, "Failed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		assert_string_equal(http_status_title(titles[i].status), titles[i].title);
}

/* ---- taps ---- */

static void
an_answer_says_what_the_turn_said(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	rig->result = (struct reply){ .status = 200 };
	assert_int_equal(rig_post(rig, SHOWN, AUTH, "{}", &out), 200);
	assert_has(out, "\r\n\r\n{}");
	rig->result = (struct reply){ .status = 399, .body = "{\"a\":1}" };
	assert_int_equal(rig_post(rig, SHOWN, AUTH, "{}", &out), 399);
	assert_has(out, "Content-Type: application/json\r\n");
	assert_has(out, "\r\n\r\n{\"a\":1}");
	assert_int_equal(http_counts(rig->http)->refused, 0);
	rig->result = (struct reply){ .status = 400, .body = "{\"a\":1}" };
	assert_int_equal(rig_post(rig, SHOWN, AUTH, "{}", &out), 400);
	assert_has(out,
	    "\r\n\r\n{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400}\n");
	assert_int_equal(http_counts(rig->http)->refused, 1);
	buf_done(&out);
}

static void
a_body_that_cannot_be_read_is_told_where(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	assert_int_equal(rig_post(rig, SHOWN, AUTH, "{\n  \"shown\": yes}", &out), 400);
	assert_has(out, "\"detail\":\"body: ");
	assert_has(out, "(line 2, column 1");
	assert_int_equal(rig_post(rig, SHOWN, AUTH, "", &out), 400);
	assert_has(out, "\"detail\":\"body: a JSON object is expected");
	assert_int_equal(rig_post(rig, SHOWN, AUTH, "[]", &out), 400);
	assert_has(out, "\"detail\":\"body: a JSON object is expected\"");
	buf_done(&out);
}

/* The answer to a decision that is `more` beside an acceptance; fill stands for so many letters. */
static int
decide_with(struct rig *rig, const char *before, int fill, const char *after)
{
	struct buf body = { 0 };
	int status;

	buf_addf(&body, "{\"decision\":\"accept\",%s", before);
	while (fill-- > 0)
		buf_addc(&body, 'm');
	buf_addf(&body, "%s}", after);
	status = rig_post(rig, DECISION, AUTH, body.data, NULL);
	buf_done(&body);
	return status;
}

static void
what_a_decision_holds_has_its_bounds(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(decide_with(rig, "\"manager\":\"", 128, "\",\"pin\":\"1\""), 200);
	assert_int_equal(decide_with(rig, "\"manager\":\"", 129, "\",\"pin\":\"1\""), 400);
	assert_int_equal(decide_with(rig, "\"manager\":\"", 0, "\",\"pin\":\"1\""), 400);
	assert_int_equal(decide_with(rig, "\"manager\":7", 0, ",\"pin\":\"1\""), 400);
	assert_int_equal(decide_with(rig, "\"manager\":\"m\",\"pin\":\"", 1, "\""), 200);
	assert_int_equal(decide_with(rig, "\"manager\":\"m\",\"pin\":\"", 64, "\""), 200);
	assert_int_equal(decide_with(rig, "\"manager\":\"m\",\"pin\":\"", 65, "\""), 400);
	assert_int_equal(decide_with(rig, "\"note\":\"", 0, "\""), 200);
	assert_int_equal(rig_post(rig, DECISION, AUTH,
			     "{\"decision\":\"override\",\"instead\":{\"action\":\"tea\",\"depth\":"
			     "0}}",
			     NULL),
	    200);
	assert_int_equal(rig_post(rig, DECISION, AUTH,
			     "{\"decision\":\"override\",\"instead\":{\"action\":\"tea\"}}", NULL),
	    200);
	assert_int_equal(rig->submitted, 6);
	assert_int_equal(http_counts(rig->http)->unknown_members, 0);
	assert_int_equal(rig_post(rig, SHOWN, AUTH, "{\"shown\":true,\"decision\":1,\"x\":2}",
			     NULL),
	    200);
	assert_int_equal(http_counts(rig->http)->unknown_members, 2);
}

/* ---- streams ---- */

static int
stream_open(struct rig *rig, const char *path, struct buf *out, const char *want)
{
	char request[256];
	int fd = rig_connect(rig);

	buf_clear(out);
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" HOST AUTH "\r\n", path);
	rig_send(rig, fd, request, strlen(request));
	rig_read(rig, fd, out, want);
	return fd;
}

static void
a_status_is_as_it_is_now_also_for_who_resumes(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	int fd;

	http_stream(rig->http, NULL, 0, "status", "{\"state\":\"of before\"}", 21);
	http_stream(rig->http, NULL, 1, "withdraw", "{\"to\":\"all\"}", 12);
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=0", &out, "online");
	assert_int_equal(http_counts(rig->http)->streams_resumed, 1);
	assert_has(out, "event: withdraw\nid: 1\ndata: {\"to\":\"all\"}\n\n");
	assert_has(out, "event: status\ndata: {\"state\":\"online\"}\n\n");
	assert_lacks(out, "of before");
	close(fd);
	rig_pump(rig, 3);
	again(rig);
	http_stream(rig->http, NULL, 1, "withdraw", "{\"to\":\"all\"}", 12);
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=0", &out, "to\":\"all");
	rig_read(rig, fd, &out, "never");
	assert_lacks(out, "online"); /* nothing was said of it since */
	close(fd);
	buf_done(&out);
}

static void
without_a_store_that_remembers_its_ids_a_stream_begins_anew(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	int fd;

	rig->host.last_id = NULL;
	rig->last_id = 100;
	again(rig);
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=100", &out, "online");
	assert_has(out, "online");
	assert_lacks(out, "id: ");
	close(fd);
	rig_pump(rig, 3);
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=0", &out, "online");
	assert_has(out, "online");
	assert_int_equal(http_counts(rig->http)->streams_resumed, 0);
	close(fd);
	buf_done(&out);
}

static void
little_hides_in_the_kernel(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	int fd = stream_open(rig, "/v1/stations/7/stream", &out, "online"), size = 0;
	socklen_t len = sizeof(size);
	const struct http_client *client = TAILQ_FIRST(&rig->http->streams)->client;

	assert_int_equal(getsockopt(bufferevent_getfd(client->bev), SOL_SOCKET, SO_SNDBUF, &size,
			     &len),
	    0);
	assert_int_equal(size, 2 * 32768); /* Linux doubles it */
	close(fd);
	buf_done(&out);
}

static void
of_all_streams_together_the_slowest_is_cut(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	static char big[1 << 20];
	int slow, slower, bystander;
	struct stream *stream;
	size_t total;

	memset(big, 'x', sizeof(big) - 1);
	rig->conf.stream_kib = 16384;
	slow = stream_open(rig, "/v1/stations/7/stream", &out, "online");
	slower = stream_open(rig, "/v1/stations/8/stream", &out, "online");
	bystander = stream_open(rig, "/v1/stations/9/stream", &out, "online");
	http_stream(rig->http, "8", 1, "guidance", big, sizeof(big) - 1);
	for (int i = 2; http_streams(rig->http) == 3 && i < 40; i++) {
		http_stream(rig->http, NULL, i, "guidance", big, sizeof(big) - 1);
		total = 0;
		TAILQ_FOREACH(stream, &rig->http->streams, next)
		if (!stream->client->doomed)
			total += evbuffer_get_length(bufferevent_get_output(stream->client->bev));
		assert_true(total <= SSE_TOTAL_MAX);
		rig_pump(rig, 3);
		buf_clear(&out);
		rig_read(rig, bystander, &out, "xxx\n\n");
	}
	assert_int_equal(http_counts(rig->http)->streams_cut, 1);
	assert_int_equal(http_streams(rig->http), 2);
	TAILQ_FOREACH(stream, &rig->http->streams, next)
	assert_string_not_equal(stream->station, "8");
	close(slow);
	close(slower);
	close(bystander);
	buf_done(&out);
}

static int
picture(struct rig *rig, char letter, int count, const char *headers, struct buf *out)
{
	char path[100] = "/v1/images/";

	memset(path + strlen(path), letter, (size_t)count);
	return rig_get(rig, path, headers, out);
}

static void
an_image_is_served_by_the_digits_of_its_bytes_and_once(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	char tag[256] = AUTH "If-None-Match: \"", *digits = tag + strlen(tag);

	assert_int_equal(picture(rig, 'a', 64, "", NULL), 401);
	assert_int_equal(picture(rig, 'a', 64, AUTH, &out), 200);
	assert_has(out, "Content-Type: image/jpeg\r\n");
	assert_has(out, "Content-Length: 11\r\n");
	assert_has(out, "ETag: \"aaaa");
	assert_has(out, "Cache-Control: private, max-age=31536000, immutable\r\n");
	assert_has(out, "Content-Security-Policy: default-src 'none'; sandbox\r\n");
	assert_has(out, "Cross-Origin-Resource-Policy: same-origin\r\n");
	assert_has(out, "\r\n\r\n\xff\xd8\xff\xc0");
	/* Known already, to the letter. */
	memset(digits, 'a', 64);
	strcpy(digits + 64, "\"\r\n");
	assert_int_equal(picture(rig, 'a', 64, tag, &out), 304);
	assert_has(out, "ETag: \"aaaa");
	assert_null(strstr(out.data, "\xff\xd8"));
	digits[63] = 'b';
	assert_int_equal(picture(rig, 'a', 64, tag, &out), 200);
	assert_has(out, "\xff\xd8");
	assert_int_equal(rig->pictures_asked, 3);
	assert_int_equal(picture(rig, 'b', 64, AUTH, &out), 404);
	assert_int_equal(picture(rig, 'c', 64, AUTH, NULL), 404);
	assert_has(out, "no such image");
	assert_int_equal(rig->pictures_asked, 5);
	/* What is no such name is not looked for. */
	assert_int_equal(picture(rig, 'a', 63, AUTH, NULL), 404);
	assert_int_equal(picture(rig, 'a', 65, AUTH, NULL), 404);
	assert_int_equal(picture(rig, 'A', 64, AUTH, NULL), 404);
	assert_int_equal(picture(rig, 'g', 64, AUTH, NULL), 404);
	assert_int_equal(rig->pictures_asked, 5);
	buf_done(&out);
}

static void
each_file_is_loaded_from_here_alone_and_framed_by_nobody(void **state)
{
	static const char *const paths[] = { "/", "/app.js" };
	struct rig *rig = *state;
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_int_equal(rig_get(rig, paths[i], "", &out), 200);
		assert_has(out, "Content-Security-Policy: default-src 'self'; base-uri 'none'; ");
		assert_has(out, "Referrer-Policy: no-referrer\r\n");
		assert_has(out, "Cross-Origin-Opener-Policy: same-origin\r\n");
		assert_has(out, "Cross-Origin-Resource-Policy: same-origin\r\n");
		assert_has(out, "X-Frame-Options: DENY\r\n");
		assert_has(out, "X-Content-Type-Options: nosniff\r\n");
		assert_has(out, "Cache-Control: no-cache\r\n");
		assert_null(strstr(out.data, "Cache-Control: no-store"));
	}
	assert_int_equal(rig_get(rig, "/v1/stations", AUTH, &out), 200);
	assert_has(out, "Cache-Control: no-store\r\n");
	assert_has(out, "X-Content-Type-Options: nosniff\r\n");
	assert_has(out, "Content-Type: application/json\r\n");
	buf_done(&out);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(every_file_has_its_type_and_a_mark_of_its_own),
		T(who_is_not_signed_in_gets_the_form_and_not_the_managers_page),
		T(without_stations_the_list_is_empty),
		T(a_decision_that_does_not_name_its_station_is_nobodys),
		T(a_station_that_cannot_be_one_is_not_here),
		T(metrics_that_cannot_be_made_are_503_and_life_is_one_word),
		T(a_status_has_its_title_or_its_kind),
		T(an_answer_says_what_the_turn_said),
		T(a_body_that_cannot_be_read_is_told_where),
		T(what_a_decision_holds_has_its_bounds),
		T(a_status_is_as_it_is_now_also_for_who_resumes),
		T(without_a_store_that_remembers_its_ids_a_stream_begins_anew),
		T(little_hides_in_the_kernel),
		T(of_all_streams_together_the_slowest_is_cut),
		T(an_image_is_served_by_the_digits_of_its_bytes_and_once),
		T(each_file_is_loaded_from_here_alone_and_framed_by_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
