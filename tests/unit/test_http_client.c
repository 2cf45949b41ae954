/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_client.c - one connection: its deadlines, its bounds to the byte, and who makes place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/tcp.h>

#include "http_rig.h"

#define GET_LIVEZ "GET /livez HTTP/1.1\r\n" HOST "\r\n"
#define GET_STATION "GET /v1/stations/7 HTTP/1.1\r\n" HOST AUTH "\r\n"
#define TAP \
	"POST /v1/guidance/G7/prompts/P1/shown HTTP/1.1\r\n" HOST AUTH "Content-Length: 2\r\n\r\n" \
	"{}"
#define MUCH (24 << 20) /* more than any socket buffer takes */

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

static struct http_client *
newest(struct rig *rig)
{
	return TAILQ_LAST(&rig->http->clients, client_list);
}

static int
option(const struct http_client *client, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(bufferevent_getfd(client->bev), level, name, &value, &len), 0);
	return value;
}

static void
a_tablet_that_fell_asleep_is_noticed_within_a_minute(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig);

	assert_int_not_equal(option(newest(rig), IPPROTO_TCP, TCP_NODELAY), 0);
	assert_int_not_equal(option(newest(rig), SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_int_equal(option(newest(rig), IPPROTO_TCP, TCP_KEEPIDLE), 30);
	assert_int_equal(option(newest(rig), IPPROTO_TCP, TCP_KEEPINTVL), 10);
	assert_int_equal(option(newest(rig), IPPROTO_TCP, TCP_KEEPCNT), 3);
	assert_int_equal(option(newest(rig), IPPROTO_TCP, TCP_USER_TIMEOUT), 30000);
	close(fd);
}

static void
deadlines_are_looked_at_each_second(void **state)
{
	struct rig *rig = *state;
	struct timeval due, now;
	int64_t ms;

	assert_true(event_pending(rig->http->second, EV_TIMEOUT, &due));
	evutil_gettimeofday(&now, NULL); /* not the loop's: that stood still while it was made */
	ms = (due.tv_sec - now.tv_sec) * 1000 + (due.tv_usec - now.tv_usec) / 1000;
	assert_true(ms < 2000); /* the two clocks differ a little */
	assert_true(event_get_events(rig->http->second) & EV_PERSIST);
}

static void
a_silent_connection_has_fifteen_seconds_and_counts_once(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig);
	int64_t since_ms = newest(rig)->since_ms;

	assert_true(since_ms > 0 && since_ms <= http_mono_ms());
	http_client_sweep(rig->http, since_ms + 14999);
	rig_pump(rig, 3);
	assert_int_equal(rig->http->client_count, 1);
	http_client_sweep(rig->http, since_ms + 15000);
	http_client_sweep(rig->http, since_ms + 16000); /* before it could go */
	rig_pump(rig, 3);
	assert_int_equal(rig->http->client_count, 0);
	assert_int_equal(http_counts(rig->http)->slow, 1);
	close(fd);
}

static void
make_a_long_answer(struct rig *rig)
{
	char *open = mem_alloc(MUCH + 5);

	memset(open, ' ', MUCH + 4);
	open[0] = '[';
	memcpy(open + MUCH, "\"\"]", 4);
	rig->open = open;
}

/* Whoever does not read its answer has 30 s from `since`, which is later than `after`. */
static void
has_thirty_seconds(struct rig *rig, int64_t after_ms)
{
	int64_t since_ms = newest(rig)->since_ms;

	assert_true(since_ms >= after_ms);
	assert_int_equal(newest(rig)->state, CLIENT_ANSWERING);
	http_client_sweep(rig->http, since_ms + 29999);
	rig_pump(rig, 3);
	assert_int_equal(rig->http->client_count, 1);
	http_client_sweep(rig->http, since_ms + 30000);
	rig_pump(rig, 3);
	assert_int_equal(rig->http->client_count, 0);
	assert_int_equal(http_counts(rig->http)->slow, 1);
}

static void
an_answer_is_taken_within_thirty_seconds_of_its_request(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig);
	int64_t before_ms = http_mono_ms();

	make_a_long_answer(rig);
	newest(rig)->since_ms -= H_MS; /* the connection is old */
	rig_send(rig, fd, GET_STATION, strlen(GET_STATION));
	rig_pump(rig, 5);
	has_thirty_seconds(rig, before_ms);
	close(fd);
	free((char *)(uintptr_t)rig->open);
}

static void
a_taps_thirty_seconds_begin_when_its_turn_is_over(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig);
	int64_t before_ms = http_mono_ms();

	make_a_long_answer(rig);
	rig->hold = true;
	rig_send(rig, fd, TAP, strlen(TAP));
	rig_pump(rig, 5);
	assert_int_equal(rig->submitted, 1);
	newest(rig)->since_ms -= H_MS;
	rig->result.body = rig->open;
	rig->reply(rig->reply_ctx, &rig->result);
	rig_pump(rig, 5);
	has_thirty_seconds(rig, before_ms);
	close(fd);
	free((char *)(uintptr_t)rig->open);
}

static void
after_an_answer_a_connection_is_as_new(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig);
	int64_t before_ms = http_mono_ms();
	struct buf out = { 0 };

	newest(rig)->since_ms -= H_MS;
	rig_send(rig, fd, GET_LIVEZ, strlen(GET_LIVEZ));
	rig_read(rig, fd, &out, "pass");
	rig_pump(rig, 3);
	assert_int_equal(newest(rig)->state, CLIENT_READING);
	assert_null(newest(rig)->request);
	assert_true(newest(rig)->since_ms >= before_ms);
	assert_int_equal(newest(rig)->reads, 0);
	assert_int_equal(newest(rig)->taken, 0);
	close(fd);
	buf_done(&out);
}

/* Is a connection cut by one more line, when its counts stand at the bound less what the line adds and `more`? */
static bool
cut_by_a_line(struct rig *rig, int reads_more, int taken_more, int total_more)
{
	int fd = rig_connect(rig);
	struct http_client *client = newest(rig);
	int64_t malformed = http_counts(rig->http)->malformed;
	int reads;
	size_t taken, added = 0;
	bool is_cut;

	rig_send(rig, fd, "GET /livez HTTP/1.1\r\n", strlen("GET /livez HTTP/1.1\r\n"));
	rig_pump(rig, 3);
	reads = client->reads;
	taken = client->taken;
	rig_send(rig, fd, "X-One: 1\r\n", 10);
	rig_pump(rig, 3);
	assert_int_equal(client->taken - taken, 10);
	reads = client->reads - reads;
	if (reads_more != 0)
		client->reads = HTTP_READS_MAX - reads + reads_more - 1;
	if (taken_more != 0)
		client->taken = HTTP_TAKEN_MAX - 10 + (size_t)taken_more - 1;
	if (total_more != 0) {
		added = HTTP_INPUT_TOTAL_MAX - 10 + (size_t)total_more - 1;
		rig->http->input_total += added;
	}
	rig_send(rig, fd, "X-Two: 2\r\n", 10);
	rig_pump(rig, 3);
	rig->http->input_total -= added;
	assert_int_equal(rig->http->input_total, 0);
	is_cut = rig->http->client_count == 0;
	assert_int_equal(http_counts(rig->http)->malformed - malformed, is_cut);
	close(fd);
	rig_pump(rig, 3);
	assert_int_equal(rig->http->client_count, 0);
	return is_cut;
}

static void
a_request_has_so_many_pieces_and_bytes_and_all_of_them_so_many(void **state)
{
	struct rig *rig = *state;

	assert_false(cut_by_a_line(rig, 1, 0, 0));
	assert_true(cut_by_a_line(rig, 2, 0, 0));
	assert_false(cut_by_a_line(rig, 0, 1, 0));
	assert_true(cut_by_a_line(rig, 0, 2, 0));
	assert_false(cut_by_a_line(rig, 0, 0, 1));
	assert_true(cut_by_a_line(rig, 0, 0, 2));
}

static void
a_large_piece_is_no_small_one(void **state)
{
	struct rig *rig = *state;
	struct buf line = { 0 };
	int fd = rig_connect(rig), before;

	rig_send(rig, fd, "GET /livez HTTP/1.1\r\n", strlen("GET /livez HTTP/1.1\r\n"));
	rig_pump(rig, 3);
	assert_true(newest(rig)->reads > 0);
	for (size_t len = 511; len <= 512; len++) {
		buf_clear(&line);
		buf_adds(&line, "X: ");
		while (line.len < len)
			buf_addc(&line, 'x');
		buf_adds(&line, "\r\n");
		before = newest(rig)->reads;
		rig_send(rig, fd, line.data, line.len);
		rig_pump(rig, 3);
		/* evhttp takes the line, then its end, which is small */
		assert_int_equal(newest(rig)->reads - before, len == 511 ? 2 : 1);
	}
	close(fd);
	buf_done(&line);
}

static void
when_all_are_served_the_newest_makes_place(void **state)
{
	struct rig *rig = *state;
	static int fds[HTTP_CONNECTIONS_MAX];
	struct http_client *client;
	struct buf out = { 0 };
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = rig_connect(rig);
	assert_int_equal(rig->http->client_count, HTTP_CONNECTIONS_MAX);
	assert_int_equal(http_counts(rig->http)->evicted, 0);
	/* One in the middle has been silent for longest. */
	client = TAILQ_NEXT(TAILQ_NEXT(TAILQ_FIRST(&rig->http->clients), next), next);
	client->since_ms -= 5000; /* by more than connecting takes on a busy machine */
	fd = rig_connect(rig);
	assert_true(rig_read(rig, fds[2], &out, NULL));
	close(fds[2]);
	fds[2] = fd;
	assert_int_equal(http_counts(rig->http)->evicted, 1);
	TAILQ_FOREACH(client, &rig->http->clients, next)
	client->state = CLIENT_STREAM;
	fd = rig_connect(rig); /* reads nothing yet, so it is the one that is silent */
	assert_true(rig_read(rig, fd, &out, NULL));
	assert_int_equal(http_counts(rig->http)->evicted, 2);
	assert_int_equal(rig->http->client_count, HTTP_CONNECTIONS_MAX);
	TAILQ_FOREACH(client, &rig->http->clients, next)
	client->state = CLIENT_READING;
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	rig_pump(rig, 10);
	assert_int_equal(rig->http->client_count, 0);
	buf_done(&out);
}

static void
a_refusal_of_libevents_is_a_problem_of_ours_to_the_byte(void **state)
{
	static const struct {
		const char *request, *answer;
	} cases[] = {
		{ "rubbish\r\n\r\n",
		    "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n"
		    "Content-Length: 107\r\nX-Content-Type-Options: nosniff\r\nConnection: close"
		    "\r\n\r\n{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
		    "\"detail\":\"not a request that is understood here\"}\n" },
		{ "POST /v1/pair HTTP/1.1\r\n" HOST "Content-Length: 70000\r\n\r\n",
		    "\"title\":\"Content Too Large\",\"status\":413,\"detail\":\"head or body too "
		    "large\"}\n" },
		{ "POST /v1/pair HTTP/1.1\r\n" HOST "Expect: tea\r\nContent-Length: 2\r\n\r\n",
		    "\"title\":\"Expectation Failed\",\"status\":417," },
	};
	static const char body[70000];
	struct rig *rig = *state;
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int fd = rig_connect(rig);

		buf_clear(&out);
		rig_send(rig, fd, cases[i].request, strlen(cases[i].request));
		if (strstr(cases[i].request, "70000") != NULL)
			rig_send(rig, fd, body, sizeof(body));
		rig_read(rig, fd, &out, "}\n");
		if (strstr(out.data, cases[i].answer) == NULL)
			fail_msg("%s", out.data);
		assert_int_equal(http_counts(rig->http)->malformed, i + 1);
		assert_int_equal(http_counts(rig->http)->refused, i + 1);
		assert_int_equal(http_counts(rig->http)->requests, 0);
		close(fd);
		rig_pump(rig, 5);
	}
	assert_int_equal(rig->http->client_count, 0);
	buf_done(&out);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_tablet_that_fell_asleep_is_noticed_within_a_minute),
		T(deadlines_are_looked_at_each_second),
		T(a_silent_connection_has_fifteen_seconds_and_counts_once),
		T(an_answer_is_taken_within_thirty_seconds_of_its_request),
		T(a_taps_thirty_seconds_begin_when_its_turn_is_over),
		T(after_an_answer_a_connection_is_as_new),
		T(a_request_has_so_many_pieces_and_bytes_and_all_of_them_so_many),
		T(a_large_piece_is_no_small_one),
		T(when_all_are_served_the_newest_makes_place),
		T(a_refusal_of_libevents_is_a_problem_of_ours_to_the_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
