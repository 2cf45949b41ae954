/* SPDX-License-Identifier: Apache-2.0
 *
 * test_sse.c - server-sent events: snapshot, resume, slow readers, ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http_rig.h"

#define assert_has(buf, text) assert_non_null(strstr((buf).data, text))
#define assert_lacks(buf, text) assert_null(strstr((buf).data, text))

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

/* A stream whose answer was read up to want. */
static int
stream_open(struct rig *rig, const char *path, const char *headers, struct buf *out,
    const char *want)
{
	char request[1024];
	int fd = rig_connect(rig);

	buf_clear(out);
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" HOST "%s\r\n", path, headers);
	rig_send(rig, fd, request, strlen(request));
	rig_read(rig, fd, out, want);
	return fd;
}

static void
emit(struct rig *rig, const char *station, int64_t id, const char *json)
{
	http_stream(rig->http, station, id, "guidance", json, strlen(json));
	rig_pump(rig, 2);
}

static void
hang_up(struct rig *rig, int fd)
{
	close(fd);
	rig_pump(rig, 5);
}

static void
a_new_stream_begins_with_status_and_each_open_guidance(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	int fd;

	rig->open = "[{\"guidance\":\"G1\",\"confidence\":0.62},{\"guidance\":\"G2\"}]";
	emit(rig, "7", 41, "{\"guidance\":\"G1\"}");
	fd = stream_open(rig, "/v1/stations/7/stream", AUTH, &out, "G2");
	assert_int_equal(strncmp(out.data, "HTTP/1.1 200", 12), 0);
	assert_has(out, "Content-Type: text/event-stream");
	assert_has(out, "Cache-Control: no-store");
	assert_has(out, "retry: 2000\n\n");
	assert_has(out,
	    "event: status\nid: 41\ndata: {\"state\":\"online\"}\n\n"
	    "event: guidance\nid: 41\ndata: {\"guidance\":\"G1\",\"confidence\":0.62");
	assert_has(out, "event: guidance\nid: 41\ndata: {\"guidance\":\"G2\"}\n\n");
	assert_int_equal(http_streams(rig->http), 1);
	hang_up(rig, fd);
	assert_int_equal(http_streams(rig->http), 0);
	buf_done(&out);
}

static void
events_go_to_their_station_and_status_to_all(void **state)
{
	struct rig *rig = *state;
	struct buf seven = { 0 }, eight = { 0 };
	int fd7 = stream_open(rig, "/v1/stations/7/stream", AUTH7, &seven, "online");
	int fd8 = stream_open(rig, "/v1/stations/8/stream", AUTH, &eight, "online");

	emit(rig, "7", 10, "{\"guidance\":\"for seven\"}");
	http_stream(rig->http, NULL, 99, "status", "{\"state\":\"changed\"}", 19);
	emit(rig, "8", 11, "{\"guidance\":\"for eight\"}");
	http_stream(rig->http, "8", 12, "withdraw", "{\"guidance\":\"x\",\n\"reason\":\"tender\"}",
	    35);
	rig_read(rig, fd7, &seven, "changed");
	rig_read(rig, fd8, &eight, "tender");
	assert_has(seven, "event: guidance\nid: 10\ndata: {\"guidance\":\"for seven\"}\n\n");
	assert_has(seven, "event: status\ndata: {\"state\":\"changed\"}\n\n");
	assert_lacks(seven, "eight");
	assert_lacks(eight, "for seven");
	assert_has(eight,
	    "event: withdraw\nid: 12\ndata: {\"guidance\":\"x\",\ndata: "
	    "\"reason\":\"tender\"}\n\n");
	hang_up(rig, fd7);
	hang_up(rig, fd8);
	buf_done(&seven);
	buf_done(&eight);
}

static void
a_station_that_nobody_has_heard_of_yet_streams_too(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	int fd = stream_open(rig, "/v1/stations/nowhere/stream", AUTH, &out, "online");

	emit(rig, "nowhere", 3, "{\"guidance\":\"first\"}");
	rig_read(rig, fd, &out, "first");
	assert_has(out, "first");
	hang_up(rig, fd);
	assert_int_equal(rig_get(rig, "/v1/stations/no%20where/stream", AUTH, NULL), 404);
	assert_int_equal(rig_get(rig, "/v1/stations/123456789012345678901234567890123/stream", AUTH,
			     NULL),
	    404);
	buf_done(&out);
}

#define FIRST "01KASG0VSCW2RDB1C3XHNYVMP5"
#define SECOND "01KASG0VSCW2RDB1C3XHNYVMP6"

static void
what_was_replaced_or_withdrawn_is_not_told_again(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	size_t before;
	int fd;

	rig->open = "[]";
	emit(rig, "7", 1, "{\"guidance\":\"" FIRST "\",\"line\":\"Anna\"}");
	emit(rig, "8", 2, "{\"guidance\":\"" SECOND "\",\"line\":\"Ben\"}");
	before = rig->http->ring.bytes;
	emit(rig, "7", 3, "{\"guidance\":\"" FIRST "\",\"line\":\"Anne\"}");
	assert_int_equal(rig->http->ring.bytes, before);
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=0", AUTH, &out, "Anne");
	assert_lacks(out, "Anna");
	assert_has(out, "id: 3\n");
	hang_up(rig, fd);
	http_stream(rig->http, "7", 4, "withdraw",
	    "{\"guidance\":\"" FIRST "\",\"reason\":\"customer\"}", 61);
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=0", AUTH, &out, "reason");
	assert_lacks(out, "Anne");
	assert_has(out, "id: 4\n");
	hang_up(rig, fd);
	fd = stream_open(rig, "/v1/stations/8/stream?last_event_id=0", AUTH, &out, "Ben");
	hang_up(rig, fd);
	assert_int_equal(http_counts(rig->http)->streams_resumed, 3);
	buf_done(&out);
}

static void
a_tablet_that_slept_gets_what_it_missed_and_nothing_twice(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	int fd;

	rig->open = "[{\"guidance\":\"snapshot\"}]";
	for (int i = 1; i <= 5; i++) {
		char json[32];
		snprintf(json, sizeof(json), "{\"guidance\":\"g%d\"}", i);
		emit(rig, i == 4 ? "8" : "7", i * 10, json);
	}
	fd = stream_open(rig, "/v1/stations/7/stream", AUTH "Last-Event-ID: 20\r\n", &out, "g5");
	assert_lacks(out, "snapshot");
	assert_lacks(out, "g2");
	assert_has(out, "id: 30\ndata: {\"guidance\":\"g3\"}");
	assert_lacks(out, "g4");
	assert_has(out, "id: 50\ndata: {\"guidance\":\"g5\"}");
	hang_up(rig, fd);
	fd = stream_open(rig, "/v1/stations/7/stream?x=1&last_event_id=30", AUTH, &out, "g5");
	assert_lacks(out, "snapshot");
	assert_lacks(out, "g3");
	hang_up(rig, fd);
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=10",
	    AUTH "Last-Event-ID: 50\r\n", &out, "retry: 2000\n\n");
	assert_lacks(out, "g3"); /* the header is newer than the address */
	emit(rig, "7", 60, "{\"guidance\":\"g6\"}");
	rig_read(rig, fd, &out, "g6");
	assert_lacks(out, "snapshot");
	assert_has(out, "g6");
	hang_up(rig, fd);
	assert_int_equal(http_counts(rig->http)->streams_resumed, 3);
	buf_done(&out);
}

static void
a_tablet_that_missed_more_than_a_stream_may_hold_begins_anew(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	char json[1024];
	int fd;

	rig->conf.stream_kib = 16;
	rig->open = "[{\"guidance\":\"snapshot\"}]";
	memset(json, 'x', sizeof(json) - 1);
	json[sizeof(json) - 1] = '\0';
	for (int i = 1; i <= 16; i++)
		emit(rig, "7", i, json);
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=1", AUTH, &out, "id: 16\n");
	assert_lacks(out, "snapshot");
	assert_has(out, "id: 2\n");
	hang_up(rig, fd);
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=0", AUTH, &out, "snapshot");
	assert_has(out, "id: 16\ndata: {\"guidance\":\"snapshot\"}");
	assert_lacks(out, "xxxx");
	hang_up(rig, fd);
	assert_int_equal(http_counts(rig->http)->streams_resumed, 1);
	buf_done(&out);
}

static void
what_was_missed_may_fill_a_stream_to_its_last_byte(void **state)
{
	enum { FITS = 1024 - sizeof("retry: 2000\n\nevent: guidance\nid: 2\ndata: \n\n") + 1 };
	struct rig *rig = *state;
	struct buf out = { 0 };
	char json[FITS + 2];
	int fd;

	rig->conf.stream_kib = 1;
	rig->open = "[{\"guidance\":\"snapshot\"}]";
	emit(rig, "7", 1, "{}");
	memset(json, 'x', sizeof(json));
	json[FITS] = '\0';
	emit(rig, "7", 2, json);
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=1", AUTH, &out, "id: 2\n");
	assert_lacks(out, "snapshot");
	hang_up(rig, fd);
	json[FITS] = 'x';
	json[FITS + 1] = '\0';
	emit(rig, "7", 3, json);
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=2", AUTH, &out, "snapshot");
	assert_lacks(out, "xxxx");
	hang_up(rig, fd);
	assert_int_equal(http_counts(rig->http)->streams_resumed, 1);
	buf_done(&out);
}

static void
the_first_event_of_all_may_be_what_was_missed(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	struct sse_ring ring;
	int fd;

	ring_init(&ring, -1);
	assert_false(ring_covers(&ring, 0));
	assert_false(ring_covers(&ring, -1));
	ring_add(&ring, "7", 1, "guidance", "{}", 2);
	assert_false(ring_covers(&ring, -1));
	assert_true(ring_covers(&ring, 0));
	assert_true(ring_covers(&ring, 1));
	assert_false(ring_covers(&ring, 2));
	ring_done(&ring);
	rig->open = "[{\"guidance\":\"snapshot\"}]";
	emit(rig, "7", 1, "{\"first\":true}");
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=0", AUTH, &out, "first");
	assert_lacks(out, "snapshot");
	hang_up(rig, fd);
	/* Nothing is no number, and not the nought of before the first. */
	fd = stream_open(rig, "/v1/stations/7/stream?last_event_id=", AUTH, &out, "snapshot");
	assert_lacks(out, "first");
	hang_up(rig, fd);
	fd = stream_open(rig, "/v1/stations/7/stream", AUTH "Last-Event-ID:\r\n", &out, "snapshot");
	assert_lacks(out, "first");
	hang_up(rig, fd);
	buf_done(&out);
}

static bool
begins_anew(struct rig *rig, const char *id)
{
	char path[128];
	struct buf out = { 0 };
	int fd;
	bool anew;

	rig->open = "[{\"guidance\":\"snapshot\"}]";
	snprintf(path, sizeof(path), "/v1/stations/7/stream?last_event_id=%s", id);
	fd = stream_open(rig, path, AUTH, &out, "}\n\n");
	rig_read(rig, fd, &out, "snapshot");
	anew = strstr(out.data, "snapshot") != NULL && strstr(out.data, "status") != NULL;
	hang_up(rig, fd);
	buf_done(&out);
	return anew;
}

static void
where_the_ids_begin_again_nobody_goes_on_from_an_old_one(void **state)
{
	struct rig *rig = *state;

	for (int i = 1; i <= 3; i++)
		emit(rig, "7", i * 10, "{}");
	assert_false(begins_anew(rig, "20"));
	rig->last_id = 1;
	http_begin_anew(rig->http);
	emit(rig, "7", 2, "{}");
	assert_true(begins_anew(rig, "20"));
	assert_true(begins_anew(rig, "30"));
	assert_false(begins_anew(rig, "1"));
}

static void
an_id_that_is_too_old_or_unknown_begins_anew(void **state)
{
	struct rig *rig = *state;

	assert_true(begins_anew(rig, "5")); /* nothing is known yet */
	emit(rig, "7", 10, "{}");
	assert_false(begins_anew(rig, "9")); /* all since then is here */
	assert_true(begins_anew(rig, "8"));
	assert_false(begins_anew(rig, "10"));
	assert_true(begins_anew(rig, "11")); /* of a state that is gone */
	assert_true(begins_anew(rig, "x"));
	assert_true(begins_anew(rig, "-1"));
	assert_true(begins_anew(rig, ""));
	assert_true(begins_anew(rig, "99999999999999999999"));
	for (int i = 11; i < 10 + SSE_RING_EVENTS; i++)
		emit(rig, "7", i, "{}");
	assert_false(begins_anew(rig, "9")); /* the ring is just full */
	emit(rig, "8", 10 + SSE_RING_EVENTS, "{}");
	assert_true(begins_anew(rig, "9"));
	assert_false(begins_anew(rig, "10"));
}

static void
the_ring_is_bounded_in_bytes_too(void **state)
{
	struct rig *rig = *state;
	static char big[SSE_RING_BYTES / 4 + 1];

	memset(big, 'a', sizeof(big) - 1);
	for (int i = 1; i <= 5; i++)
		emit(rig, "7", i, big);
	assert_int_equal(rig->http->ring.bytes, SSE_RING_BYTES);
	assert_int_equal(rig->http->ring.base, 1);
	assert_int_equal(rig->http->ring.count, 4);
	emit(rig, "7", 6, "{}");
	assert_int_equal(rig->http->ring.base, 2);
}

static void
a_stream_goes_on_across_a_restart_if_nothing_was_missed(void **state)
{
	struct rig *rig = *state;

	http_free(rig->http);
	rig->last_id = 100;
	rig_start(rig);
	assert_false(begins_anew(rig, "100"));
	assert_true(begins_anew(rig, "99"));
	assert_true(begins_anew(rig, "101"));
	emit(rig, "7", 99, "{}"); /* sent again, as it was not acknowledged */
	assert_false(begins_anew(rig, "100"));
	assert_true(begins_anew(rig, "99"));
	emit(rig, "7", 101, "{}");
	assert_false(begins_anew(rig, "100"));
	assert_false(begins_anew(rig, "101"));
}

static void
a_reader_that_never_reads_is_cut_and_the_others_see_nothing_of_it(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 }, good = { 0 };
	int slow = stream_open(rig, "/v1/stations/7/stream", AUTH, &out, "online");
	int fine = stream_open(rig, "/v1/stations/7/stream", AUTH7, &good, "online");
	int sent = 0;
	char json[8192], mark[32];
	struct stream *stream;

	memset(json, 'x', sizeof(json) - 1);
	while (http_streams(rig->http) == 2 && sent < 4000) {
		snprintf(mark, sizeof(mark), "<%d>", ++sent);
		memcpy(json, mark, strlen(mark));
		json[sizeof(json) - 1] = '\0';
		emit(rig, "7", sent, json);
		TAILQ_FOREACH(stream, &rig->http->streams, next)
		assert_true(evbuffer_get_length(bufferevent_get_output(stream->client->bev)) <=
		    64 * 1024 + 64);
		rig_read(rig, fine, &good, mark);
		buf_clear(&good);
	}
	assert_int_equal(http_streams(rig->http), 1);
	assert_int_equal(http_counts(rig->http)->streams_cut, 1);
	emit(rig, "7", sent + 1, "{\"guidance\":\"after\"}");
	rig_read(rig, fine, &good, "after");
	assert_has(good, "after");
	hang_up(rig, slow);
	hang_up(rig, fine);
	assert_int_equal(rig->http->client_count, 0);
	buf_done(&out);
	buf_done(&good);
}

static void
an_event_larger_than_the_bound_cuts_and_the_bound_itself_does_not(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 }, json = { 0 };
	size_t overhead = strlen("event: guidance\nid: 1\ndata: \n\n");
	int fd;

	rig->conf.stream_kib = 16;
	fd = stream_open(rig, "/v1/stations/7/stream", AUTH, &out, "online");
	while (json.len < 16 * 1024 - overhead)
		buf_addc(&json, 'x');
	emit(rig, "7", 1, json.data);
	assert_int_equal(http_streams(rig->http), 1);
	rig_read(rig, fd, &out, "x\n\n");
	buf_addc(&json, 'x');
	emit(rig, "7", 2, json.data);
	assert_int_equal(http_streams(rig->http), 0);
	close(fd);
	buf_done(&json);
	rig->open = "[\"0123456789\"]";
	rig->conf.stream_kib = 0;
	assert_int_equal(rig_get(rig, "/v1/stations/7/stream", AUTH, NULL), 503);
	buf_done(&out);
}

static void
a_stream_may_begin_with_as_much_as_it_may_hold(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 }, open = { 0 };
	size_t overhead = strlen("retry: 2000\n\nevent: status\ndata: {\"state\":\"online\"}\n\n"
				 "event: guidance\ndata: {\"g\":\"\"}\n\n");
	int fd;

	rig->conf.stream_kib = 1;
	buf_adds(&open, "[{\"g\":\"");
	for (size_t n = overhead; n < 1024; n++)
		buf_addc(&open, 'x');
	buf_adds(&open, "\"}]");
	rig->open = open.data;
	fd = stream_open(rig, "/v1/stations/7/stream", AUTH, &out, "x\"}\n\n");
	assert_int_equal(http_streams(rig->http), 1);
	close(fd);
	rig_pump(rig, 3);
	open.len -= 3;
	buf_adds(&open, "x\"}]");
	rig->open = open.data;
	assert_int_equal(rig_get(rig, "/v1/stations/7/stream", AUTH, NULL), 503);
	assert_int_equal(http_streams(rig->http), 0);
	buf_done(&open);
	buf_done(&out);
}

static void
a_tablet_has_eight_streams_and_the_ninth_cuts_the_first(void **state)
{
	struct rig *rig = *state;
	int fds[SSE_STREAMS_PER_TABLET + 1];
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = stream_open(rig, "/v1/stations/7/stream", AUTH, &out, "online");
	assert_int_equal(http_streams(rig->http), SSE_STREAMS_PER_TABLET);
	assert_true(rig_read(rig, fds[0], &out, "never"));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		hang_up(rig, fds[i]);
	assert_int_equal(http_streams(rig->http), 0);
	buf_done(&out);
}

static void
the_257th_stream_is_told_to_wait(void **state)
{
	struct rig *rig = *state;
	static int fds[SSE_STREAMS_MAX];
	struct buf out = { 0 };
	char token[44], hash[65], headers[128];
	struct http_tablet tablet = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		snprintf(token, sizeof(token), "%.40s%03d", TOKEN,
		    (int)(i / SSE_STREAMS_PER_TABLET));
		snprintf(headers, sizeof(headers), "Authorization: Bearer %s\r\n", token);
		if (i % SSE_STREAMS_PER_TABLET == 0) {
			snprintf(tablet.name, sizeof(tablet.name), "t%d",
			    (int)(i / SSE_STREAMS_PER_TABLET));
			http_token_hash(token, hash);
			rig->tablet_count = 2; /* one slot is enough: a stream was let in already */
			rig_tablet_put(rig, hash, &tablet);
		}
		fds[i] = stream_open(rig, "/v1/stations/7/stream", headers, &out, "online");
	}
	assert_int_equal(http_streams(rig->http), SSE_STREAMS_MAX);
	assert_int_equal(rig_get(rig, "/v1/stations/7/stream", AUTH, &out), 503);
	assert_has(out, "Retry-After");
	hang_up(rig, fds[0]);
	fds[0] = stream_open(rig, "/v1/stations/7/stream", AUTH, &out, "online");
	assert_int_equal(http_streams(rig->http), SSE_STREAMS_MAX);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	rig_pump(rig, 20);
	assert_int_equal(http_streams(rig->http), 0);
	buf_done(&out);
}

static void
a_quiet_stream_gets_a_comment_every_15_seconds(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	int fd = stream_open(rig, "/v1/stations/7/stream", AUTH, &out, "online");

	buf_clear(&out);
	http_client_sweep(rig->http, TAILQ_FIRST(&rig->http->streams)->beat_ms + 14999);
	rig_pump(rig, 3);
	http_client_sweep(rig->http, TAILQ_FIRST(&rig->http->streams)->beat_ms + 15000);
	rig_read(rig, fd, &out, ": \n\n");
	assert_string_equal(out.data, "4\r\n: \n\n\r\n");
	assert_int_equal(http_streams(rig->http), 1); /* and no deadline ends it */
	http_client_sweep(rig->http, http_mono_ms() + 3600 * S_MS);
	rig_pump(rig, 3);
	assert_int_equal(http_streams(rig->http), 1);
	hang_up(rig, fd);
	buf_done(&out);
}

static void
who_talks_on_a_stream_is_cut(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	int fd = stream_open(rig, "/v1/stations/7/stream", AUTH, &out, "online");
	static char noise[1 << 20];

	rig_send(rig, fd, noise, sizeof(noise));
	assert_true(rig->http->input_total <= 8192);
	http_client_sweep(rig->http, http_mono_ms());
	rig_pump(rig, 3);
	assert_int_equal(http_streams(rig->http), 0);
	assert_int_equal(rig->http->input_total, 0);
	close(fd);
	buf_done(&out);
}

static void
a_revoked_tablet_is_cut_and_others_stay(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	int front = stream_open(rig, "/v1/stations/7/stream", AUTH, &out, "online");
	int seven = stream_open(rig, "/v1/stations/7/stream", AUTH7, &out, "online");

	http_revoke(rig->http, "seven");
	assert_true(rig_read(rig, seven, &out, "never"));
	assert_int_equal(http_streams(rig->http), 1);
	http_revoke(rig->http, "nobody");
	rig_pump(rig, 3);
	assert_int_equal(http_streams(rig->http), 1);
	close(front);
	close(seven);
	buf_done(&out);
}

static void
an_http_1_0_reader_gets_the_same_without_chunks(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	int fd = rig_connect(rig);
	static const char request[] = "GET /v1/stations/7/stream HTTP/1.0\r\n" HOST AUTH "\r\n";

	rig_send(rig, fd, request, strlen(request));
	rig_read(rig, fd, &out, "online");
	assert_lacks(out, "chunked");
	emit(rig, "7", 1, "{\"guidance\":\"g\"}");
	rig_read(rig, fd, &out, "\"g\"");
	assert_has(out, "event: guidance\nid: 1\n");
	hang_up(rig, fd);
	assert_int_equal(http_streams(rig->http), 0);
	buf_done(&out);
}

static void
the_daemon_ends_with_streams_open(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	int a = stream_open(rig, "/v1/stations/7/stream", AUTH, &out, "online");
	int b = stream_open(rig, "/v1/stations/8/stream", AUTH, &out, "online");
	int idle = rig_connect(rig);

	emit(rig, "7", 1, "{}");
	http_free(rig->http);
	rig_start(rig);
	assert_int_equal(http_streams(rig->http), 0);
	close(a);
	close(b);
	close(idle);
	buf_done(&out);
}

static void
a_hundred_tablets_that_come_and_go_leave_nothing_behind(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	for (int i = 0; i < 100; i++) {
		int fd = stream_open(rig, "/v1/stations/7/stream", AUTH, &out,
		    i % 2 ? "online" : "HTTP");
		emit(rig, "7", i + 1, "{\"guidance\":\"g\"}");
		if (i % 3 == 0)
			shutdown(fd, SHUT_RDWR);
		close(fd);
		if (i % 5 == 0)
			rig_pump(rig, 3);
	}
	rig_pump(rig, 10);
	assert_int_equal(http_streams(rig->http), 0);
	assert_int_equal(rig->http->client_count, 0);
	buf_done(&out);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_stream_begins_with_status_and_each_open_guidance),
		T(events_go_to_their_station_and_status_to_all),
		T(a_station_that_nobody_has_heard_of_yet_streams_too),
		T(what_was_replaced_or_withdrawn_is_not_told_again),
		T(a_tablet_that_slept_gets_what_it_missed_and_nothing_twice),
		T(a_tablet_that_missed_more_than_a_stream_may_hold_begins_anew),
		T(what_was_missed_may_fill_a_stream_to_its_last_byte),
		T(the_first_event_of_all_may_be_what_was_missed),
		T(where_the_ids_begin_again_nobody_goes_on_from_an_old_one),
		T(an_id_that_is_too_old_or_unknown_begins_anew),
		T(the_ring_is_bounded_in_bytes_too),
		T(a_stream_goes_on_across_a_restart_if_nothing_was_missed),
		T(a_reader_that_never_reads_is_cut_and_the_others_see_nothing_of_it),
		T(an_event_larger_than_the_bound_cuts_and_the_bound_itself_does_not),
		T(a_stream_may_begin_with_as_much_as_it_may_hold),
		T(a_tablet_has_eight_streams_and_the_ninth_cuts_the_first),
		T(the_257th_stream_is_told_to_wait),
		T(a_quiet_stream_gets_a_comment_every_15_seconds),
		T(who_talks_on_a_stream_is_cut),
		T(a_revoked_tablet_is_cut_and_others_stay),
		T(an_http_1_0_reader_gets_the_same_without_chunks),
		T(the_daemon_ends_with_streams_open),
		T(a_hundred_tablets_that_come_and_go_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
