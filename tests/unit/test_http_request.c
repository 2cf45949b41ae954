/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_request.c - which requests are read: to the character and to the byte; who asks; and pairing, code by code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>

#include "http_rig.h"

#define NOT_HERE "\"detail\":\"nothing is here\""
#define NO_DECISION "\"detail\":\"no such decision"

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

/* Does the path name a decision, known or not? */
static bool
is_decision(struct rig *rig, const char *segment)
{
	struct buf path = { 0 }, out = { 0 };
	bool is;

	buf_addf(&path, "/v1/decisions/%s", segment);
	assert_int_equal(rig_get(rig, path.data, AUTH, &out), 404);
	is = strstr(out.data, NO_DECISION) != NULL;
	assert_true(is || strstr(out.data, NOT_HERE) != NULL);
	buf_done(&path);
	buf_done(&out);
	return is;
}

static void
a_segment_is_printable_ascii_however_it_is_written(void **state)
{
	struct rig *rig = *state;
	char text[140];

	assert_true(is_decision(rig, "%20"));
	assert_true(is_decision(rig, "%7e"));
	assert_true(is_decision(rig, "%7E"));
	assert_true(is_decision(rig, "a%4a%4A%4f%4F%40%49"));
	assert_false(is_decision(rig, "%1f"));
	assert_false(is_decision(rig, "%7f"));
	assert_false(is_decision(rig, "%80"));
	assert_false(is_decision(rig, "%4"));
	assert_false(is_decision(rig, "%4g"));
	assert_false(is_decision(rig, "%g4"));
	assert_false(is_decision(rig, "%4G"));
	assert_false(is_decision(rig, "%4:"));
	assert_false(is_decision(rig, "%4/"));
	assert_false(is_decision(rig, "%4%60"));
	assert_false(is_decision(rig, "%4@"));
	assert_false(is_decision(rig, "%2e"));
	assert_false(is_decision(rig, "%2e%2E"));
	assert_true(is_decision(rig, "%2e%2E%2e"));
	memset(text, 'a', sizeof(text));
	text[128] = '\0';
	assert_true(is_decision(rig, text));
	text[128] = 'a';
	text[129] = '\0';
	assert_false(is_decision(rig, text));
	assert_int_equal(rig_get(rig, "/app.j%73", "", NULL), 200);
	assert_int_equal(rig_get(rig, "/app.j%53", "", NULL), 404);
	assert_int_equal(rig_get(rig, "/v1/guidance/G7/prompts/P1/decision", AUTH, NULL), 405);
	assert_int_equal(rig_get(rig, "/v1/guidance/G7/prompts/P1/decision/", AUTH, NULL), 404);
	assert_int_equal(rig_get(rig, "/v1/guidance/G7/prompts/P1/decision/x", AUTH, NULL), 404);
	assert_int_equal(rig_get(rig, "/1/2/3/4/5/6/7/8/9", AUTH, NULL), 404);
}

static int
status_of_length(struct rig *rig, size_t len)
{
	struct buf path = { 0 };
	int status;

	buf_adds(&path, "/app.js?");
	while (path.len < len)
		buf_addc(&path, 'x');
	status = rig_get(rig, path.data, "", NULL);
	buf_done(&path);
	return status;
}

static void
a_path_has_its_length_and_letters(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(status_of_length(rig, 2048), 200);
	assert_int_equal(status_of_length(rig, 2049), 414);
	assert_int_equal(rig_get(rig, "/app.js?a!~", "", NULL), 200);
	assert_int_equal(rig_get(rig, "/app.js?\x7f", "", NULL), 400);
	assert_int_equal(rig_get(rig, "/app.js?\x1f", "", NULL), 400);
	assert_int_equal(rig_get(rig, "/app.js?\xc3\xa4", "", NULL), 400);
}

static void
a_value_is_taken_from_the_query_by_its_whole_name(void **state)
{
	char out[5];

	(void)state;
	assert_true(http_query("id=7", "id", out, sizeof(out)));
	assert_string_equal(out, "7");
	assert_true(http_query("aid=1&ida=2&id=&id=3", "id", out, sizeof(out)));
	assert_string_equal(out, "");
	assert_true(http_query("x=1&id=1234", "id", out, sizeof(out)));
	assert_string_equal(out, "1234");
	assert_false(http_query("x=1&id=12345", "id", out, sizeof(out)));
	assert_false(http_query("", "id", out, sizeof(out)));
	assert_false(http_query("id", "id", out, sizeof(out)));
	assert_false(http_query("id&x", "id", out, sizeof(out)));
	assert_false(http_query("&&idx=1&", "id", out, sizeof(out)));
	assert_true(http_query("&&id=1&", "id", out, sizeof(out)));
	assert_string_equal(out, "1");
}

static void
a_header_has_a_name_and_numbers_have_a_length(void **state)
{
	struct rig *rig = *state;
	char line[32];

	for (const char *c = "!#$%&'*+-.^_`|~09azAZ"; *c != '\0'; c++) {
		snprintf(line, sizeof(line), "%c: x\r\n", *c);
		assert_int_equal(rig_get(rig, "/app.js", line, NULL), 200);
	}
	for (const char *c = "\"(),/;<=>?@[\\]{}"; *c != '\0'; c++) {
		snprintf(line, sizeof(line), "X%c: x\r\n", *c);
		assert_int_equal(rig_get(rig, "/app.js", line, NULL), 400);
	}
	assert_int_equal(rig_get(rig, "/app.js", "Content-Length: 0\r\n", NULL), 200);
	assert_int_equal(rig_get(rig, "/app.js", "Content-Length: 00\r\n", NULL), 400);
	assert_int_equal(rig_ask(rig,
			     "GET /app.js HTTP/1.1\r\n" HOST
			     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			     NULL),
	    400);
	assert_int_equal(rig_ask(rig,
			     "POST /v1/guidance/G7/prompts/P1/shown HTTP/1.1\r\n" HOST AUTH
			     "Content-Length: 000000000000002\r\n\r\n{}",
			     NULL),
	    200);
	assert_int_equal(rig_ask(rig,
			     "POST /v1/guidance/G7/prompts/P1/shown HTTP/1.1\r\n" HOST AUTH
			     "Content-Length: 0000000000000002\r\n\r\n{}",
			     NULL),
	    400);
	assert_int_equal(rig_ask(rig,
			     "POST /v1/guidance/G7/prompts/P1/shown HTTP/1.0\r\n" HOST AUTH
			     "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
			     NULL),
	    400);
	assert_int_equal(rig->submitted, 1);
}

static void
a_host_is_allowed_by_its_whole_name(void **state)
{
	struct rig *rig = *state;
	char name[300];

	assert_true(http_host_allowed(rig->http, "localhost"));
	assert_true(http_host_allowed(rig->http, "localhost:8080"));
	assert_true(http_host_allowed(rig->http, "[::1]"));
	assert_true(http_host_allowed(rig->http, "[fe80::1]:1"));
	assert_false(http_host_allowed(rig->http, "localhost:"));
	assert_false(http_host_allowed(rig->http, "localhos"));
	assert_false(http_host_allowed(rig->http, "[::1]8080"));
	assert_false(http_host_allowed(rig->http, "[]"));
	assert_true(http_host_allowed(rig->http,
	    "localhost")); /* and what is left of it does not help */
	assert_false(http_host_allowed(rig->http, "[localhost"));
	assert_false(http_host_allowed(rig->http, "[::1"));
	assert_false(http_host_allowed(rig->http, "local host"));
	assert_false(http_host_allowed(rig->http, "localhost:80x"));
	assert_false(http_host_allowed(rig->http, ":8080"));
	assert_false(http_host_allowed(rig->http, "store.example"));
	for (size_t len = 254; len < 258; len++) {
		memset(name, 'a', len);
		name[len] = '\0';
		assert_false(http_host_allowed(rig->http, name));
	}
}

/* Where we may give ourselves a name. */
static void
a_gateway_is_called_by_its_whole_name_and_by_its_first_part(void **state)
{
	struct rig *rig = *state;
	char before[65] = "";

	if (unshare(CLONE_NEWUTS) != 0)
		skip();
	assert_int_equal(gethostname(before, sizeof(before) - 1), 0);
	assert_int_equal(sethostname("till-gw.store.example", 21), 0);
	http_free(rig->http);
	rig_start(rig);
	assert_true(http_host_allowed(rig->http, "till-gw.store.example"));
	assert_true(http_host_allowed(rig->http, "till-gw"));
	assert_true(http_host_allowed(rig->http, "Till-GW.local:80"));
	assert_false(http_host_allowed(rig->http, "till-gw.store"));
	assert_false(http_host_allowed(rig->http, "till-gw.store.example.local"));
	assert_int_equal(sethostname("s", 1), 0);
	http_free(rig->http);
	rig_start(rig);
	assert_true(http_host_allowed(rig->http, "s"));
	assert_false(http_host_allowed(rig->http, "till-gw"));
	assert_int_equal(sethostname("", 0), 0);
	http_free(rig->http);
	rig_start(rig);
	assert_true(http_host_allowed(rig->http, "localhost"));
	assert_false(http_host_allowed(rig->http, ".local"));
	assert_int_equal(sethostname(before, strlen(before)), 0);
}

static void
what_is_not_here_does_not_end_the_connection_and_counts_as_refused(void **state)
{
	static const char requests[] = "GET /v1//x HTTP/1.1\r\n" HOST "\r\n"
				       "GET /nothing HTTP/1.1\r\n" HOST "\r\n"
				       "GET /livez HTTP/1.1\r\n" HOST "\r\n";
	struct rig *rig = *state;
	struct buf out = { 0 };
	int fd = rig_connect(rig);

	rig_send(rig, fd, requests, strlen(requests));
	assert_false(rig_read(rig, fd, &out, "pass"));
	assert_has(out, "pass");
	assert_lacks(out, "Connection: close");
	assert_int_equal(http_counts(rig->http)->requests, 3);
	assert_int_equal(http_counts(rig->http)->refused, 2);
	assert_int_equal(http_counts(rig->http)->malformed, 0);
	close(fd);
	rig->ready = false;
	assert_int_equal(rig_get(rig, "/readyz", "", NULL), 503);
	assert_int_equal(http_counts(rig->http)->refused, 3);
	rig->result.status = 409;
	assert_int_equal(rig_post(rig, "/v1/guidance/G7/prompts/P1/shown", AUTH, "{}", NULL), 409);
	assert_int_equal(http_counts(rig->http)->refused, 4);
	assert_int_equal(rig_ask(rig, "GET / HTTP/1.2\r\n" HOST "\r\n", NULL), 505);
	assert_int_equal(http_counts(rig->http)->refused, 5);
	assert_int_equal(http_counts(rig->http)->malformed, 1);
	buf_done(&out);
}

static void
what_is_allowed_instead_is_said(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	rig_ask(rig, "HEAD /v1/stations/7/stream HTTP/1.1\r\n" HOST AUTH "\r\n", &out);
	assert_has(out, "Allow: GET\r\n");
	rig_post(rig, "/v1/stations", AUTH, "{}", &out);
	assert_has(out, "Allow: GET, HEAD\r\n");
	assert_has(out, "\"detail\":\"GET is expected here\"");
	rig_get(rig, "/v1/pair", "", &out);
	assert_has(out, "Allow: POST\r\n");
	assert_has(out, "\"detail\":\"POST is expected here\"");
	assert_int_equal(rig_ask(rig, "HEAD /v1/pair HTTP/1.1\r\n" HOST "\r\n", NULL), 405);
	buf_done(&out);
}

/* ---- who asks ---- */

static void
a_bearer_is_one_to_the_letter_and_a_cookie_that_is_too_long_is_none(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_get(rig, "/v1/stations", "Authorization: Bearer_" TOKEN "\r\n", NULL),
	    401);
	assert_int_equal(rig_get(rig, "/v1/stations", "Authorization: Bearer\r\n", NULL), 401);
	assert_int_equal(rig_get(rig, "/v1/stations", "Authorization: Bearer AAAA\r\n", NULL), 401);
	assert_int_equal(rig_get(rig, "/v1/stations", "Cookie: aisle_token\r\n", NULL), 401);
	assert_int_equal(rig_get(rig, "/v1/stations",
			     "Cookie: aisle_token=" TOKEN "AA; aisle_token=" TOKEN "\r\n", NULL),
	    200);
	assert_int_equal(rig_get(rig, "/v1/stations",
			     "Cookie: aisle_token=" TOKEN "A; aisle_token=" TOKEN "\r\n", NULL),
	    401);
	assert_int_equal(rig_get(rig, "/v1/stations", "Cookie: ;; ;aisle_token=" TOKEN "\r\n",
			     NULL),
	    200);
}

static int
new_with_operators(struct rig *rig, const char *operators)
{
	struct conf conf = rig->conf;
	struct http *http = NULL;
	struct err err = { 0 };
	int rc;

	conf.http_operators = mem_strdup(operators);
	rc = http_new(rig->base, &conf, &rig->host, &http, &err);
	http_free(http);
	free(conf.http_operators);
	return rc;
}

static void
operators_are_so_many_networks_and_no_more(void **state)
{
	struct rig *rig = *state;
	struct buf list = { 0 };
	char word[80];

	for (int i = 0; i < CONF_OPERATORS_MAX; i++)
		buf_addf(&list, "%s10.%d.0.0/16", i > 0 ? "," : "", i);
	assert_int_equal(new_with_operators(rig, list.data), 0);
	buf_adds(&list, ",10.99.0.0/16");
	assert_int_equal(new_with_operators(rig, list.data), AISLE_E_CONFIG);
	for (size_t len = 62; len < 67; len++) {
		snprintf(word, sizeof(word), "%0*d", (int)len, 1);
		assert_int_equal(new_with_operators(rig, word), AISLE_E_CONFIG);
	}
	assert_int_equal(new_with_operators(rig, "fe80::1%eth0 10.0.0.0/0 10.0.0.0/32 ::/0 ::/128"),
	    0);
	buf_done(&list);
}

/* ---- pairing ---- */

static int
pair_with(struct rig *rig, const char *code, struct buf *out)
{
	char body[64];

	snprintf(body, sizeof(body), "{\"code\":\"%s\",\"name\":\"a\"}", code);
	rig->tablet_count = 2;
	return rig_post(rig, "/v1/pair", "", body, out);
}

static void
guess_wrong(struct rig *rig, int times)
{
	/* No open code has seven digits or none; of those with six this one is not open. */
	char code[7] = "000000";

	for (size_t i = 0; i < PAIR_CODES_MAX; i++)
		if (strcmp(rig->http->codes[i].code, code) == 0) {
			code[5]++;
			i = (size_t)-1;
		}
	while (times-- > 0)
		assert_int_equal(pair_with(rig, code, NULL), 403);
}

static void
a_scope_is_a_list_of_names_that_fits(void **state)
{
	static const struct {
		const char *stations;
		bool is;
	} scopes[] = {
		{ "", true },
		{ "7", true },
		{ "7,8", true },
		{ "7,", false },
		{ ",7", false },
		{ ",", false },
		{ "7,,8", false },
		{ "7 8", false },
		{ "7, 8", false },
		{ "12345678901234567890123456789012,1", true },
		{ "123456789012345678901234567890123,1", false },
		{ "1,123456789012345678901234567890123", false },
	};
	struct rig *rig = *state;
	char code[7], longest[1025];
	int64_t expires_ms;

	for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
		if (http_pair(rig->http, scopes[i].stations, code, &expires_ms) != scopes[i].is)
			fail_msg("\"%s\"", scopes[i].stations);
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 == 0 ? '7' : ',';
	longest[1023] = '\0';
	assert_true(http_pair(rig->http, longest, code, &expires_ms));
	assert_int_equal(pair_with(rig, code, NULL), 200);
	assert_string_equal(rig->tablets[2].tablet.stations, longest);
	longest[1023] = '7';
	longest[1024] = '\0';
	assert_false(http_pair(rig->http, longest, code, &expires_ms));
}

static void
spent_codes_make_place_before_open_ones_though_the_clock_went_back(void **state)
{
	struct rig *rig = *state;
	char codes[PAIR_CODES_MAX][7], spent[7];
	int64_t expires_ms;

	rig->now_ms += MIN_MS;
	http_pair(rig->http, "", spent, &expires_ms);
	guess_wrong(rig, PAIR_TRIES);
	rig->now_ms -= MIN_MS;
	for (int i = 0; i < PAIR_CODES_MAX; i++) {
		http_pair(rig->http, "", codes[i], &expires_ms);
		rig->now_ms += S_MS;
	}
	for (int i = 0; i < PAIR_CODES_MAX; i++)
		assert_int_equal(pair_with(rig, codes[i], NULL), 200);
}

/* Where all are open, the one that ends first, wherever it stands. */
static void
of_one_code_too_many_the_one_that_ends_first_makes_place(void **state)
{
	struct rig *rig = *state;

	for (int first = 0; first < PAIR_CODES_MAX; first += PAIR_CODES_MAX - 1) {
		char codes[PAIR_CODES_MAX + 1][7];
		int64_t expires_ms;

		for (int i = 0; i <= PAIR_CODES_MAX; i++) {
			rig->now_ms += i == first ? -10 : i == first + 1 ? 11 : 1;
			http_pair(rig->http, "", codes[i], &expires_ms);
			assert_int_equal(expires_ms, rig->now_ms + PAIR_LIFE_MS);
		}
		for (int i = 0; i <= PAIR_CODES_MAX; i++)
			assert_int_equal(pair_with(rig, codes[i], NULL), i == first ? 403 : 200);
		rig->now_ms += PAIR_LIFE_MS;
		rig->tablet_count = 2;
	}
}

/* How many wrong guesses are heard before one is told to wait. */
static int
guesses_left(struct rig *rig)
{
	struct buf out = { 0 };
	int n = 0;

	while (pair_with(rig, "999999", &out) == 403 && n < 100)
		n++;
	assert_has(out, "Retry-After: 3\r\n");
	buf_done(&out);
	return n;
}

static void
one_more_guess_every_three_seconds_and_never_more_than_twenty(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(guesses_left(rig), PAIR_FAILURES_MAX);
	rig->now_ms += PAIR_REFILL_MS + 1000;
	assert_int_equal(guesses_left(rig), 1);
	rig->now_ms += PAIR_REFILL_MS - 1001;
	assert_int_equal(guesses_left(rig), 0);
	rig->now_ms += 1; /* what was left over of the first wait counts */
	assert_int_equal(guesses_left(rig), 1);
	rig->now_ms += 7 * PAIR_REFILL_MS;
	assert_int_equal(guesses_left(rig), 7);
	rig->now_ms += (PAIR_FAILURES_MAX - 1) * PAIR_REFILL_MS;
	assert_int_equal(guesses_left(rig), PAIR_FAILURES_MAX - 1);
	rig->now_ms += PAIR_FAILURES_MAX * PAIR_REFILL_MS;
	guess_wrong(rig, 5);
	rig->now_ms += 10 * PAIR_REFILL_MS;
	assert_int_equal(guesses_left(rig), PAIR_FAILURES_MAX);
	rig->now_ms -= 1; /* a clock that went back: as at the start */
	assert_int_equal(guesses_left(rig), 0);
	rig->now_ms -= PAIR_REFILL_MS;
	assert_int_equal(guesses_left(rig), PAIR_FAILURES_MAX);
}

static void
wrong_guesses_count_against_every_open_code(void **state)
{
	struct rig *rig = *state;
	char first[7], second[7];
	int64_t expires_ms;

	http_pair(rig->http, "", first, &expires_ms);
	guess_wrong(rig, 3);
	http_pair(rig->http, "", second, &expires_ms);
	guess_wrong(rig, 2);
	assert_int_equal(pair_with(rig, first, NULL), 403); /* and is the third for the second */
	assert_int_equal(pair_with(rig, second, NULL), 200);
	assert_int_equal(http_counts(rig->http)->pair_failed, 6);
}

static int
livez_of(struct rig *rig, const char *operators)
{
	http_free(rig->http);
	free(rig->conf.http_operators);
	rig->conf.http_operators = mem_strdup(operators);
	rig_start(rig);
	return rig_get(rig, "/livez", "", NULL);
}

static void
an_ipv4_address_is_one_of_ipv6_too_and_a_network_may_be_everything(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(livez_of(rig, "::ffff:127.0.0.1/128"), 200);
	assert_int_equal(livez_of(rig, "::ffff:127.0.0.0/104"), 200);
	assert_int_equal(livez_of(rig, "::ffff:126.0.0.0/104"), 403);
	assert_int_equal(livez_of(rig, "::127.0.0.1/128"), 403);
	assert_int_equal(livez_of(rig, "0.0.0.0/0"), 200);
	assert_int_equal(livez_of(rig, "::/0"), 200);
	assert_int_equal(livez_of(rig, "128.0.0.0/1"), 403);
	assert_int_equal(livez_of(rig, "0.0.0.0/1"), 200);
	assert_int_equal(livez_of(rig, "::1"), 403);
	assert_int_equal(livez_of(rig, "127.0.0.1"), 200);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_segment_is_printable_ascii_however_it_is_written),
		T(a_path_has_its_length_and_letters),
		T(a_value_is_taken_from_the_query_by_its_whole_name),
		T(a_header_has_a_name_and_numbers_have_a_length),
		T(a_host_is_allowed_by_its_whole_name),
		T(a_gateway_is_called_by_its_whole_name_and_by_its_first_part),
		T(what_is_not_here_does_not_end_the_connection_and_counts_as_refused),
		T(what_is_allowed_instead_is_said),
		T(a_bearer_is_one_to_the_letter_and_a_cookie_that_is_too_long_is_none),
		T(operators_are_so_many_networks_and_no_more),
		T(an_ipv4_address_is_one_of_ipv6_too_and_a_network_may_be_everything),
		T(a_scope_is_a_list_of_names_that_fits),
		T(spent_codes_make_place_before_open_ones_though_the_clock_went_back),
		T(of_one_code_too_many_the_one_that_ends_first_makes_place),
		T(one_more_guess_every_three_seconds_and_never_more_than_twenty),
		T(wrong_guesses_count_against_every_open_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
