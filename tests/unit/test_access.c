/* SPDX-License-Identifier: Apache-2.0
 *
 * test_access.c - who asks: which stations a tablet has, which addresses are operators'; and what the ring of events keeps.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http_rig.h"

/* ---- stations ---- */

static void
a_station_is_a_whole_name_in_the_list(void **state)
{
	static const struct {
		const char *stations, *station;
		bool has;
	} scopes[] = {
		{ "", "7", true },
		{ "7", "7", true },
		{ "70", "7", false },
		{ "7", "70", false },
		{ "70,7", "7", true },
		{ "70,71", "7", false },
		{ "17,70", "7", false },
		{ "7,70", "7", true },
		{ "7,8,9", "9", true },
		{ "7,8,9", "8", true },
		{ "7,8,9", "7,8", false },
		{ "7,8,9", "", false },
		{ "8", "7", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
		struct http_tablet tablet = { .name = "t" };

		snprintf(tablet.stations, sizeof(tablet.stations), "%s", scopes[i].stations);
		if (http_scope_has(&tablet, scopes[i].station) != scopes[i].has)
			fail_msg("\"%s\" has \"%s\"", scopes[i].stations, scopes[i].station);
	}
}

static void
names_and_ids_have_their_length_and_letters(void **state)
{
	char text[130];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[32] = '\0';
	assert_true(http_name_ok(text));
	text[32] = 'a';
	text[33] = '\0';
	assert_false(http_name_ok(text));
	assert_false(http_name_ok(""));
	assert_true(http_name_ok("a"));
	assert_false(http_name_ok("a b"));
	text[33] = 'a';
	text[128] = '\0';
	assert_true(http_id_ok(text));
	text[128] = 'a';
	text[129] = '\0';
	assert_false(http_id_ok(text));
	assert_false(http_id_ok(""));
	assert_true(http_id_ok(" ~"));
	assert_true(http_id_ok("~"));
	assert_false(http_id_ok("\x1f"));
	assert_false(http_id_ok("\x7f"));
}

/* ---- operators ---- */

static int asked;

static int
count_asked(void *ctx, bool openmetrics, struct buf *out)
{
	asked++;
	return rig_metrics(ctx, openmetrics, out);
}

static void
who_is_refused_makes_the_store_say_nothing(void **state)
{
	struct rig *rig = rig_new();

	(void)state;
	asked = 0;
	rig->host.metrics = count_asked;
	http_free(rig->http);
	rig_start(rig);
	assert_int_equal(rig_get(rig, "/metrics", "", NULL), 200);
	assert_int_equal(asked, 1);
	rig_no_operator(rig);
	assert_int_equal(rig_get(rig, "/metrics", "", NULL), 403);
	assert_int_equal(asked, 1);
	rig_free(rig);
}

static void
the_days_figures_are_for_operators_addresses_and_no_tablet(void **state)
{
	static const char *const paths[] = { "/manager", "/v1/report" };
	struct rig *rig = rig_new();
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_int_equal(rig_get(rig, paths[i], "", NULL), 200);
	assert_int_equal(rig_get(rig, "/v1/stations", "", NULL), 401);
	rig_no_operator(rig);
	/* A tablet does not read the store's figures. */
	assert_int_equal(rig_get(rig, "/v1/report", AUTH, &out), 401);
	assert_non_null(strstr(out.data, "application/problem+json"));
	assert_null(strstr(out.data, "shown"));
	buf_done(&out);
	rig_free(rig);
}

static int
status_for(const char *operators)
{
	struct rig *rig = rig_new();
	int status;

	http_free(rig->http);
	free(rig->conf.http_operators);
	rig->conf.http_operators = operators != NULL ? mem_strdup(operators) : NULL;
	rig_start(rig);
	status = rig_get(rig, "/livez", "", NULL);
	rig_free(rig);
	return status;
}

static void
an_operator_is_in_one_of_the_networks_to_the_bit(void **state)
{
	static const struct {
		const char *operators;
		bool is;
	} networks[] = {
		{ "127.0.0.1", true },
		{ "127.0.0.2", false },
		{ "127.0.0.0/31", true },
		{ "127.0.0.2/31", false },
		{ "127.0.0.2/30", true },
		{ "126.0.0.0/8", false },
		{ "126.0.0.0/7", true },
		{ "0.0.0.0/1", true },
		{ "128.0.0.0/1", false },
		{ "0.0.0.0/0", true },
		{ "10.0.0.0/8, 127.0.0.1", true },
		{ "10.0.0.0/8 192.168.0.0/16", false },
		{ "::1", false },
		{ "::/0", true },
		{ "::ffff:127.0.0.0/104", true },
		{ "::ffff:0.0.0.0/96", true },
		{ NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(networks); i++) {
		int status = status_for(networks[i].operators);

		if ((status == 200) != networks[i].is)
			fail_msg("%s: %d", networks[i].operators, status);
	}
}

static void
what_is_no_network_is_a_mistake_of_the_configuration(void **state)
{
	static const char *const bad[] = { "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0",
		"::/129", "here" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct rig *rig = rig_new();
		struct err err = { 0 };
		struct http *http = NULL;

		free(rig->conf.http_operators);
		rig->conf.http_operators = mem_strdup(bad[i]);
		assert_int_equal(http_new(rig->base, &rig->conf, &rig->host, &http, &err),
		    AISLE_E_CONFIG);
		assert_int_equal(err.code, AISLE_E_CONFIG);
		assert_non_null(strstr(err.text, bad[i]));
		rig_free(rig);
	}
}

/* ---- the ring ---- */

static void
add(struct sse_ring *ring, int64_t id, size_t len)
{
	char *json = mem_calloc(1, len + 1);

	memset(json, 'x', len);
	ring_add(ring, "7", id, "guidance", json, len);
	free(json);
}

static void
the_ring_has_so_many_bytes_and_no_more(void **state)
{
	struct sse_ring ring;

	(void)state;
	ring_init(&ring, -1);
	assert_false(ring_covers(&ring, 0));
	add(&ring, 5, SSE_RING_BYTES);
	assert_int_equal(ring.count, 1);
	assert_true(ring_covers(&ring, 4));
	assert_false(ring_covers(&ring, 3));
	assert_true(ring_covers(&ring, 5));
	assert_false(ring_covers(&ring, 6));
	add(&ring, 6, 1);
	assert_int_equal(ring.count, 1);
	assert_int_equal(ring.bytes, 1);
	assert_false(ring_covers(&ring, 4));
	assert_true(ring_covers(&ring, 5));
	assert_int_equal(ring_at(&ring, 0)->id, 6);
	assert_null(ring_at(&ring, 1));
	add(&ring, 6, 1); /* again: nothing new */
	assert_int_equal(ring.count, 1);
	add(&ring, 7, SSE_RING_BYTES - 1);
	assert_int_equal(ring.count, 2);
	add(&ring, 8, SSE_RING_BYTES + 1); /* fits nowhere: who has it goes on from there */
	assert_int_equal(ring.count, 0);
	assert_false(ring_covers(&ring, 7));
	assert_true(ring_covers(&ring, 8));
	ring_done(&ring);
}

static void
the_ring_has_so_many_events_and_no_more(void **state)
{
	struct sse_ring ring;

	(void)state;
	ring_init(&ring, 10);
	for (int i = 1; i <= SSE_RING_EVENTS; i++)
		add(&ring, 10 + i, 3);
	assert_int_equal(ring.count, SSE_RING_EVENTS);
	assert_true(ring_covers(&ring, 10));
	add(&ring, 11 + SSE_RING_EVENTS, 3);
	assert_int_equal(ring.count, SSE_RING_EVENTS);
	assert_int_equal(ring.bytes, 3 * SSE_RING_EVENTS);
	assert_false(ring_covers(&ring, 10));
	assert_true(ring_covers(&ring, 11));
	assert_int_equal(ring_at(&ring, 0)->id, 12);
	assert_int_equal(ring_at(&ring, SSE_RING_EVENTS - 1)->id, 11 + SSE_RING_EVENTS);
	assert_null(ring_at(&ring, SSE_RING_EVENTS));
	assert_string_equal(ring_at(&ring, 7)->json, "xxx");
	assert_string_equal(ring_at(&ring, 7)->station, "7");
	ring_done(&ring);
}

/* ---- what goes with an answer ---- */

static void
a_stream_is_kept_by_nobody_on_its_way(void **state)
{
	struct rig *rig = rig_new();
	struct buf out = { 0 };
	int fd = rig_connect(rig);
	static const char request[] = "GET /v1/stations/7/stream HTTP/1.1\r\n" HOST AUTH7 "\r\n";

	(void)state;
	rig_send(rig, fd, request, sizeof(request) - 1);
	rig_read(rig, fd, &out, "event: status");
	assert_non_null(strstr(out.data, "\r\nContent-Type: text/event-stream\r\n"));
	assert_non_null(strstr(out.data, "\r\nCache-Control: no-store\r\n"));
	assert_non_null(strstr(out.data, "\r\nX-Content-Type-Options: nosniff\r\n"));
	assert_non_null(strstr(out.data, "\r\nX-Accel-Buffering: no\r\n"));
	close(fd);
	buf_done(&out);
	rig_free(rig);
}

static int
no_report(void *ctx, struct buf *out)
{
	(void)ctx;
	(void)out;
	return AISLE_E_IO;
}

static void
a_report_that_cannot_be_made_is_503(void **state)
{
	struct rig *rig = rig_new();

	(void)state;
	rig->host.report = no_report;
	http_free(rig->http);
	rig_start(rig);
	assert_int_equal(rig_get(rig, "/v1/report", AUTH, NULL), 503);
	rig_free(rig);
}

/* Where a stream goes on, as its first bytes say. */
static bool
goes_on_after(const char *last)
{
	struct rig *rig = rig_new();
	struct buf out = { 0 }, request = { 0 };
	bool anew;
	int fd;

	http_stream(rig->http, "7", 5, "guidance", "{\"g\":5}", 7);
	http_stream(rig->http, "7", 6, "guidance", "{\"g\":6}", 7);
	buf_addf(&request,
	    "GET /v1/stations/7/stream HTTP/1.1\r\n" HOST AUTH "Last-Event-ID: %s\r\n\r\n", last);
	fd = rig_connect(rig);
	rig_send(rig, fd, request.data, request.len);
	rig_read(rig, fd, &out, "event: status");
	rig_read(rig, fd, &out, "no more of it");
	anew = strstr(out.data, "{\"g\":6}") == NULL;
	close(fd);
	buf_done(&out);
	buf_done(&request);
	rig_free(rig);
	return !anew;
}

static void
a_stream_goes_on_after_a_whole_number_only(void **state)
{
	(void)state;
	assert_true(goes_on_after("5"));
	assert_true(goes_on_after("000000000000000005"));
	assert_false(goes_on_after("0000000000000000005"));
	assert_false(goes_on_after("5x"));
	assert_false(goes_on_after("x5"));
	assert_false(goes_on_after("-5"));
	assert_false(goes_on_after("6"));
}

static void
a_header_with_a_control_character_is_refused_and_a_tab_is_not(void **state)
{
	struct rig *rig = rig_new();

	(void)state;
	assert_int_equal(rig_get(rig, "/v1/stations", AUTH "X: a\tb\r\n", NULL), 200);
	assert_int_equal(rig_get(rig, "/v1/stations", AUTH "X: a\x01z\r\n", NULL), 400);
	assert_int_equal(rig_get(rig, "/v1/stations", AUTH "X: a\x1fz\r\n", NULL), 400);
	assert_int_equal(rig_get(rig, "/v1/stations", AUTH "X: a\x7fz\r\n", NULL), 400);
	rig_free(rig);
}

static int
status_of_host(struct rig *rig, const char *host)
{
	struct buf request = { 0 };
	int status;

	buf_addf(&request, "GET /v1/stations HTTP/1.1\r\nHost: %s\r\n" AUTH "\r\n", host);
	status = rig_ask(rig, request.data, NULL);
	buf_done(&request);
	return status;
}

static void
a_host_has_a_name_that_fits(void **state)
{
	struct rig *rig = rig_new();
	char name[300];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[299] = '\0';
	assert_int_equal(status_of_host(rig, "127.0.0.1:80"), 200);
	assert_int_not_equal(status_of_host(rig, ":80"), 200);
	assert_int_not_equal(status_of_host(rig, name), 200);
	rig_free(rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_station_is_a_whole_name_in_the_list),
		cmocka_unit_test(the_days_figures_are_for_operators_addresses_and_no_tablet),
		cmocka_unit_test(names_and_ids_have_their_length_and_letters),
		cmocka_unit_test(who_is_refused_makes_the_store_say_nothing),
		cmocka_unit_test(an_operator_is_in_one_of_the_networks_to_the_bit),
		cmocka_unit_test(what_is_no_network_is_a_mistake_of_the_configuration),
		cmocka_unit_test(the_ring_has_so_many_bytes_and_no_more),
		cmocka_unit_test(the_ring_has_so_many_events_and_no_more),
		cmocka_unit_test(a_report_that_cannot_be_made_is_503),
		cmocka_unit_test(a_stream_goes_on_after_a_whole_number_only),
		cmocka_unit_test(a_header_with_a_control_character_is_refused_and_a_tab_is_not),
		cmocka_unit_test(a_host_has_a_name_that_fits),
		cmocka_unit_test(a_stream_is_kept_by_nobody_on_its_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
