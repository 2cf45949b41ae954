/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_manager.c - a manager signs in, for how long, and what it opens.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http_rig.h"

#define assert_has(out, text) assert_non_null(strstr((out).data, text))
#define assert_lacks(out, text) assert_null(strstr((out).data, text))
#define SESSION "/v1/manager/session"
#define YES "{\"guidance\":\"G7\",\"prompt\":\"P\",\"decision\":\"accept\"}"
#define PIN(manager) "{\"manager\":\"" manager "\",\"pin\":\"4711\"}"

/* The header that shows the session of the answer. */
struct shown {
	char header[128];
};

static struct shown
sign_in(struct rig *rig, const char *body)
{
	struct buf out = { 0 };
	struct shown shown;
	const char *at;

	assert_int_equal(rig_post(rig, SESSION, "", body, &out), 200);
	at = strstr(out.data, "Set-Cookie: aisle_manager=");
	assert_non_null(at);
	snprintf(shown.header, sizeof(shown.header), "Cookie: %.*s\r\n",
	    (int)strcspn(at + 12, ";\r"), at + 12);
	assert_int_equal(strlen(shown.header), strlen("Cookie: aisle_manager=") + 43 + 2);
	buf_done(&out);
	return shown;
}

static int
status_of(struct rig *rig, const char *headers)
{
	return rig_get(rig, "/v1/report", headers, NULL);
}

static int
set_up_away(void **state)
{
	struct rig *rig = rig_new();

	rig_no_operator(rig);
	*state = rig;
	return 0;
}

static int
tear_down(void **state)
{
	rig_free(*state);
	return 0;
}

static void
a_right_pin_opens_the_figures_and_the_page_and_no_tablet_is_needed(void **state)
{
	struct rig *rig = *state;
	struct shown shown = sign_in(rig, PIN("m1"));
	struct buf out = { 0 };

	assert_string_equal(rig->manager, "m1");
	assert_int_equal(rig_get(rig, "/v1/report", shown.header, &out), 200);
	assert_has(out, "\"shown\":3");
	assert_has(out, "Aisle-Manager: m1\r\n");
	assert_int_equal(rig_get(rig, "/manager", shown.header, &out), 200);
	assert_has(out, "/manager.js");
	assert_lacks(out, "/sign-in.js");
	/* and nothing of what a tablet, or an operator, has */
	assert_int_equal(rig_get(rig, "/v1/stations", shown.header, NULL), 401);
	assert_int_equal(rig_get(rig, "/metrics", shown.header, NULL), 403);
	buf_done(&out);
}

static void
the_cookie_is_for_no_script_and_no_other_page(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	assert_int_equal(rig_post(rig, SESSION, "", PIN("m1"), &out), 200);
	assert_has(out, "; Path=/; HttpOnly; SameSite=Strict\r\n");
	assert_lacks(out, "4711");
	assert_int_equal(rig_post(rig, SESSION, "Origin: http://elsewhere\r\n", PIN("m1"), &out),
	    403);
	assert_lacks(out, "Set-Cookie");
	buf_done(&out);
}

static void
a_wrong_pin_opens_nothing_and_a_locked_source_is_told(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	assert_int_equal(rig_post(rig, SESSION, "", "{\"manager\":\"m1\",\"pin\":\"1\"}", &out),
	    401);
	assert_lacks(out, "Set-Cookie");
	assert_int_equal(rig_post(rig, SESSION, "", "{\"manager\":\"m1\",\"pin\":\"0000\"}", &out),
	    423);
	assert_lacks(out, "Set-Cookie");
	assert_string_equal(rig->source, "address 00000000000000000000ffff7f000001");
	/* a tablet is known by its name, wherever it stands */
	assert_int_equal(rig_post(rig, SESSION, AUTH7, "{\"manager\":\"m1\",\"pin\":\"1\"}", NULL),
	    401);
	assert_string_equal(rig->source, "seven");
	buf_done(&out);
}

/* Else whoever has a network has a lock for each of its addresses. */
static void
wrong_pins_of_one_ipv6_network_are_counted_together(void **state)
{
	static const struct {
		uint8_t address[16];
		const char *name;
	} of[] = {
		{ { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8 },
		    "address 20010db8000000070000000000000000" },
		{ { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 7, 1, 2, 0xff, 0xff, 5, 6, 7, 8 },
		    "address 20010db8000000070000000000000000" },
		{ { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 8, 0, 0, 0xff, 0xff, 10, 0, 0, 1 },
		    "address 20010db8000000080000000000000000" },
		{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1 },
		    "address 00000000000000000000ffff0a000001" },
		{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 10, 0, 0, 1 },
		    "address 00000000000000000000000000000000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(of); i++) {
		char name[HTTP_ADDRESS_SIZE];

		http_address_name(of[i].address, name);
		assert_string_equal(name, of[i].name);
	}
}

static void
what_is_no_manager_and_pin_is_400_and_asks_nobody(void **state)
{
	struct rig *rig = *state;
	static const char *const bodies[] = { "", "{}", "[]", "{\"manager\":\"m1\"}",
		"{\"pin\":\"4711\"}", "{\"manager\":1,\"pin\":\"4711\"}",
		"{\"manager\":\"m1\",\"pin\":4711}", "{\"manager\":\"\",\"pin\":\"4711\"}",
		"{\"manager\":\"m1\",\"pin\":\"\"}",
		("{\"manager\":\"m1\",\"pin\":"
		 "\"00000000000000000000000000000000000000000000000000000000000000000\"}") };

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		assert_int_equal(rig_post(rig, SESSION, "", bodies[i], NULL), 400);
	assert_string_equal(rig->manager, "");
}

static void
a_session_that_is_not_used_ends_after_a_quarter_of_an_hour(void **state)
{
	struct rig *rig = *state;
	struct shown shown = sign_in(rig, PIN("m1"));

	for (int i = 0; i < 3; i++) {
		rig->now_ms += MANAGER_IDLE_MS - 1;
		assert_int_equal(status_of(rig, shown.header), 200);
	}
	rig->now_ms += MANAGER_IDLE_MS;
	assert_int_equal(status_of(rig, shown.header), 401);
	rig->now_ms -= MANAGER_IDLE_MS; /* and it is not that alone that it was asked too late */
	assert_int_equal(status_of(rig, shown.header), 200);
}

static void
what_a_page_asks_by_itself_keeps_no_session_alive(void **state)
{
	struct rig *rig = *state;
	struct shown shown = sign_in(rig, PIN("m1"));

	rig->now_ms += MANAGER_IDLE_MS - 1;
	assert_int_equal(rig_get(rig, "/v1/report?poll", shown.header, NULL), 200);
	rig->now_ms += 1;
	assert_int_equal(rig_get(rig, "/v1/report?poll", shown.header, NULL), 401);
}

/* The cookie goes along with everything that a browser asks, and a tablet's page asks all day. */
static void
a_tablets_page_in_the_same_browser_keeps_no_session_alive(void **state)
{
	struct rig *rig = *state;
	struct shown shown = sign_in(rig, PIN("m1"));
	char both[300];

	snprintf(both, sizeof(both), "%s%s", shown.header, AUTH);
	rig->now_ms += MANAGER_IDLE_MS - 1;
	assert_int_equal(rig_get(rig, "/v1/stations", both, NULL), 200);
	assert_int_equal(rig_get(rig, "/metrics", shown.header, NULL), 403);
	rig->now_ms += 1;
	assert_int_equal(status_of(rig, shown.header), 401);
}

static void
a_session_ends_after_eight_hours_however_much_it_is_used(void **state)
{
	struct rig *rig = *state;
	struct shown shown = sign_in(rig, PIN("m1"));

	for (int i = 0; i < 48; i++) {
		rig->now_ms += 10 * MIN_MS - (i == 0);
		assert_int_equal(status_of(rig, shown.header), 200);
	}
	rig->now_ms += 1;
	assert_int_equal(status_of(rig, shown.header), 401);
}

static void
delete_ends_this_session_alone_and_needs_one(void **state)
{
	struct rig *rig = *state;
	struct shown one = sign_in(rig, PIN("m1")), two = sign_in(rig, PIN("m1"));
	struct buf request = { 0 }, out = { 0 };

	assert_int_equal(rig_ask(rig, "DELETE " SESSION " HTTP/1.1\r\n" HOST "\r\n", NULL), 401);
	buf_addf(&request, "DELETE " SESSION " HTTP/1.1\r\n" HOST "Origin: http://x\r\n%s\r\n",
	    one.header);
	assert_int_equal(rig_ask(rig, request.data, NULL), 403);
	assert_int_equal(status_of(rig, one.header), 200);
	buf_clear(&request);
	buf_addf(&request, "DELETE " SESSION " HTTP/1.1\r\n" HOST "%s\r\n", one.header);
	assert_int_equal(rig_ask(rig, request.data, &out), 200);
	assert_has(out, "Set-Cookie: aisle_manager=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
	assert_int_equal(status_of(rig, one.header), 401);
	assert_int_equal(status_of(rig, two.header), 200);
	assert_int_equal(rig_get(rig, SESSION, two.header, &out), 405);
	assert_has(out, "Allow: POST, DELETE\r\n");
	buf_done(&request);
	buf_done(&out);
}

static void
of_one_session_too_many_the_one_unused_for_longest_ends(void **state)
{
	struct rig *rig = *state;
	struct shown shown[MANAGER_SESSIONS_MAX + 1];

	for (size_t i = 0; i < MANAGER_SESSIONS_MAX; i++) {
		rig->now_ms++;
		shown[i] = sign_in(rig, PIN("m1"));
	}
	rig->now_ms++;
	assert_int_equal(status_of(rig, shown[0].header), 200);
	rig->now_ms++;
	shown[MANAGER_SESSIONS_MAX] = sign_in(rig, PIN("m1"));
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		assert_int_equal(status_of(rig, shown[i].header), i == 1 ? 401 : 200);
}

static void
who_leaves_the_list_loses_all_sessions_and_nobody_else_does(void **state)
{
	struct rig *rig = *state;
	struct shown one = sign_in(rig, PIN("m1")), again = sign_in(rig, PIN("m1")),
		     other = sign_in(rig, PIN("m10"));

	http_manager_end(rig->http, "m1");
	assert_int_equal(status_of(rig, one.header), 401);
	assert_int_equal(status_of(rig, again.header), 401);
	assert_int_equal(status_of(rig, other.header), 200);
}

static void
a_made_up_session_is_none(void **state)
{
	struct rig *rig = *state;

	(void)sign_in(rig, PIN("m1"));
	assert_int_equal(status_of(rig, "Cookie: aisle_manager=" TOKEN "\r\n"), 401);
	assert_int_equal(status_of(rig, "Cookie: aisle_manager=\r\n"), 401);
	/* the hash of a free place is zeros, and nothing has that hash; nor is a tablet's token one */
	assert_int_equal(status_of(rig, "Cookie: aisle_token=" TOKEN "\r\n"), 401);
}

static void
a_manager_who_leaves_before_the_answer_has_no_session(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig);
	const char *body = PIN("m1");
	struct buf request = { 0 };

	rig->hold = true;
	buf_addf(&request, "POST " SESSION " HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n%s",
	    strlen(body), body);
	rig_send(rig, fd, request.data, request.len);
	rig_pump(rig, 5);
	assert_non_null(rig->reply);
	close(fd);
	rig_pump(rig, 20);
	assert_int_equal(rig->cancelled, 1);
	assert_string_equal(rig->http->managers[0].manager, "");
	buf_done(&request);
}

static void
a_session_orders_and_a_tablet_or_an_operators_address_does_not(void **state)
{
	static const char *const orders[] = { "stop", "lift", "lever" };
	struct rig *rig = rig_new(); /* at an operator's address */
	struct shown shown = sign_in(rig, PIN("m1"));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/v1/manager/%s", orders[i]);
		assert_int_equal(rig_post(rig, path, "", "{\"action\":\"a\"}", NULL), 401);
		assert_int_equal(rig_post(rig, path, AUTH, "{\"action\":\"a\"}", NULL), 401);
		assert_int_equal(rig->submitted, (int)i);
		assert_int_equal(rig_post(rig, path, shown.header, "[]", NULL), 400);
		assert_int_equal(rig_post(rig, path, shown.header, "{\"action\":\"a\"}", NULL),
		    200);
		assert_string_equal(rig->kind, orders[i]);
		assert_string_equal(rig->manager, "m1");
		assert_string_equal(rig->body.data, "{\"action\":\"a\"}");
	}
	rig_free(rig);
}

static void
a_session_answers_a_card_and_a_tablet_in_the_same_browser_answers_as_itself(void **state)
{
	struct rig *rig = *state;
	struct shown shown = sign_in(rig, PIN("m1"));
	static const char *const wrong[] = { "{\"decision\":\"accept\"}",
		"{\"guidance\":\"G7\",\"decision\":\"accept\"}",
		"{\"guidance\":\"\",\"prompt\":\"P\",\"decision\":\"accept\"}",
		"{\"guidance\":\"G7\",\"prompt\":\"P\",\"decision\":\"yes\"}" };
	char both[256];

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(rig_post(rig, "/v1/manager/answer", shown.header, wrong[i], NULL),
		    400);
	assert_int_equal(rig->submitted, 0);
	assert_int_equal(rig_post(rig, "/v1/manager/answer", AUTH, YES, NULL), 401);
	assert_int_equal(rig_post(rig, "/v1/manager/answer", shown.header, YES, NULL), 200);
	assert_int_equal(rig->submitted, 1);
	assert_string_equal(rig->kind, "decision");
	assert_string_equal(rig->guidance, "G7");
	assert_string_equal(rig->prompt, "P");
	assert_string_equal(rig->manager, "m1");
	assert_string_equal(rig->tablet, "");
	/* the tablet's page, where a manager has signed in beside it */
	snprintf(both, sizeof(both), "%s" AUTH, shown.header);
	assert_int_equal(rig_post(rig, "/v1/guidance/G7/prompts/P/decision", both,
			     "{\"decision\":\"accept\"}", NULL),
	    200);
	assert_string_equal(rig->manager, "");
	assert_string_equal(rig->tablet, "front");
}

/* ---- a decision, by who asks ---- */

static int
whole_decision(void *ctx, const char *id, struct buf *out)
{
	(void)ctx;
	buf_addf(out,
	    "{\"decision\":\"%s\",\"station\":\"8\",\"features\":{\"f\":1},\"candidates\":["
	    "{\"action\":\"a\",\"p1\":0.5,\"p0\":0.25,\"learned\":[65000,66000],\"gain\":7},{"
	    "\"action\":\"b\",\"p1\":0.1}],"
	    "\"counters\":{\"c\":2},\"outcomes\":[],\"contributions\":{\"same\":true}}",
	    id);
	return 0;
}

static void
models_stay_with_operators_and_a_manager_sees_every_station(void **state)
{
	static const char *const left_out[] = { "features", "counters", "p1", "p0", "learned",
		"contributions" };
	struct rig *rig = *state;
	struct shown shown;
	struct buf out = { 0 };

	rig->host.decision = whole_decision;
	shown = sign_in(rig, PIN("m1"));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rig_get(rig, "/v1/decisions/D", i == 0 ? AUTH : shown.header,
				     &out),
		    200);
		for (size_t k = 0; k < ARRAY_LEN(left_out); k++) {
			char name[32];

			snprintf(name, sizeof(name), "\"%s\":", left_out[k]);
			assert_lacks(out, name);
		}
		assert_has(out, "\"action\":\"a\"");
		assert_has(out, "\"gain\":7");
		assert_has(out, "\"outcomes\":[]");
	}
	assert_int_equal(rig_get(rig, "/v1/decisions/D", AUTH7, NULL), 403);
	assert_int_equal(rig_get(rig, "/v1/decisions/D", "", NULL), 401);
	buf_done(&out);
}

static void
an_operators_address_sees_the_whole_decision(void **state)
{
	struct rig *rig = rig_new();
	struct buf out = { 0 };

	(void)state;
	rig->host.decision = whole_decision;
	assert_int_equal(rig_get(rig, "/v1/decisions/D", "", &out), 200);
	assert_has(out, "\"features\":{\"f\":1}");
	assert_has(out, "\"p1\":0.5,\"p0\":0.25");
	assert_has(out, "\"contributions\":");
	buf_done(&out);
	rig_free(rig);
}

int
main(void)
{
#define AWAY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_away, tear_down)
	const struct CMUnitTest tests[] = {
		AWAY_TEST(a_right_pin_opens_the_figures_and_the_page_and_no_tablet_is_needed),
		AWAY_TEST(the_cookie_is_for_no_script_and_no_other_page),
		AWAY_TEST(a_wrong_pin_opens_nothing_and_a_locked_source_is_told),
		cmocka_unit_test(wrong_pins_of_one_ipv6_network_are_counted_together),
		AWAY_TEST(what_is_no_manager_and_pin_is_400_and_asks_nobody),
		AWAY_TEST(a_session_that_is_not_used_ends_after_a_quarter_of_an_hour),
		AWAY_TEST(what_a_page_asks_by_itself_keeps_no_session_alive),
		AWAY_TEST(a_tablets_page_in_the_same_browser_keeps_no_session_alive),
		AWAY_TEST(a_session_ends_after_eight_hours_however_much_it_is_used),
		AWAY_TEST(delete_ends_this_session_alone_and_needs_one),
		AWAY_TEST(of_one_session_too_many_the_one_unused_for_longest_ends),
		AWAY_TEST(who_leaves_the_list_loses_all_sessions_and_nobody_else_does),
		AWAY_TEST(a_made_up_session_is_none),
		AWAY_TEST(a_manager_who_leaves_before_the_answer_has_no_session),
		cmocka_unit_test(a_session_orders_and_a_tablet_or_an_operators_address_does_not),
		AWAY_TEST(
		    a_session_answers_a_card_and_a_tablet_in_the_same_browser_answers_as_itself),
		AWAY_TEST(models_stay_with_operators_and_a_manager_sees_every_station),
		cmocka_unit_test(an_operators_address_sees_the_whole_decision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
