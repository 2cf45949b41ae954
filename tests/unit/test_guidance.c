/* SPDX-License-Identifier: Apache-2.0
 *
 * test_guidance.c - the Guidance, Withdraw and Command payloads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/json.h"
#include "deliver/guidance.h"

#include "decide_fixture.h"

#define NOW INT64_C(1795255200000)

static struct arena *arena;
static struct visit visit;
static struct subject subject;
static struct policy policy;
static struct buf out;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new();
	visit = (struct visit){ .id = id_of(7), .guidance = id_of(1) };
	strcpy(visit.station, "7");
	strcpy(visit.terminal, "3");
	visit.basket = arena_strdup(arena, "B\"1");
	subject = (struct subject){ .known = true };
	policy = (struct policy){ .name = "spring", .version = 12 };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_done(&out);
	arena_free(arena);
	return 0;
}

static struct card *
card(uint8_t prompt)
{
	struct card *one = add_card(arena, &visit, "coffee-off", "coffee", prompt);

	one->json = arena_strdup(arena,
	    "{\"prompt\":\"P\",\"why\":[],\"offer\":{\"type\":\"percent\",\"worth\":45,\"depth\":"
	    "10}}");
	one->expires_ms = NOW + 120 * S_MS;
	one->worth_minor = 50;
	return one;
}

static const char *
guidance(const struct subject *who)
{
	struct id decision = id_of(2);

	buf_clear(&out);
	guidance_json(&visit, &policy, &decision, who, NOW, JSON_WRITER(&out));
	return out.data;
}

/* The broker refuses what is larger, and the tablet would never hear of any of it. */
static void
a_guidance_fits_into_a_message_and_what_is_open_is_in_it(void **state)
{
	char long_text[7000];
	json_t *json;
	size_t open = 0, index;
	const json_t *prompt;

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	for (int i = 0; i < 40; i++) {
		struct card *one = card((uint8_t)(i + 1));

		one->json = arena_printf(arena, "{\"prompt\":\"P%d\",\"body\":\"%.*s\"}", i,
		    (int)sizeof(long_text), long_text);
		if (i % 3 != 0)
			one->state = CARD_ANSWERED;
	}
	json = json_loads(guidance(&subject), 0, NULL);
	assert_in_range(out.len, 100 << 10, 128 << 10);
	json_array_foreach(json_object_get(json, "prompts"), index, prompt)
		open += strcmp(json_string_value(json_object_get(prompt, "state")), "open") == 0;
	assert_int_equal(open, 14);
	/* Of the others the newest. */
	assert_int_equal(index, 17);
	prompt = json_array_get(json_object_get(json, "prompts"), 16);
	assert_string_equal(json_string_value(json_object_get(prompt, "prompt")), "P39");
	json_decref(json);
}

static void
a_guidance_is_written_to_the_byte(void **state)
{
	(void)state;
	card(1);
	subject.line = arena_strdup(arena, "Gold \u00b7 6th visit this month");
	assert_string_equal(guidance(&subject),
	    "{\"guidance\":\"01000000000000000000000001\",\"decision\":"
	    "\"01000000000000000000000002\",\"station\":\"7\","
	    "\"basket\":\"B\\\"1\",\"at\":\"2026-11-21T10:00:00.000Z\",\"expires\":\"2026-11-21T10:"
	    "02:00.000Z\","
	    "\"policy\":{\"name\":\"spring\",\"version\":12},"
	    "\"customer\":{\"known\":true,\"line\":\"Gold \u00b7 6th visit this month\"},"
	    "\"prompts\":[{\"prompt\":\"P\",\"why\":[],\"offer\":{\"type\":\"percent\",\"worth\":"
	    "45,\"depth\":10},"
	    "\"state\":\"open\",\"choices\":[\"accept\",\"dismiss\",\"snooze\",\"override\"],"
	    "\"expires\":\"2026-11-21T10:02:00.000Z\"}]}");
}

static void
choices_follow_gate_and_state(void **state)
{
	static const struct {
		int gate;
		enum card_state state;
		const char *text;
	} cases[] = {
		{ GATE_NONE, CARD_OPEN, "\"state\":\"open\",\"choices\":[\"accept\",\"dismiss\"]" },
		{ GATE_MANAGER, CARD_OPEN,
		    "\"choices\":[\"accept\",\"dismiss\",\"snooze\",\"override\"]" },
		{ GATE_CUSTOMER, CARD_OPEN, "\"choices\":[\"accept\",\"dismiss\"]" },
		{ GATE_AUTO, CARD_OPEN, "\"state\":\"open\",\"choices\":[]" },
		{ GATE_ASSOCIATE, CARD_ANSWERED, "\"state\":\"answered\",\"choices\":[]" },
		{ GATE_ASSOCIATE, CARD_ASKED, "\"state\":\"asked\",\"choices\":[]" },
		{ GATE_ASSOCIATE, CARD_APPLIED,
		    "\"state\":\"applied\",\"amount\":50,\"choices\":[]" },
		{ GATE_ASSOCIATE, CARD_REFUSED, "\"state\":\"refused\",\"choices\":[]" },
	};
	struct card *one = card(1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		one->gate = cases[i].gate;
		one->state = cases[i].state;
		assert_non_null(strstr(guidance(&subject), cases[i].text));
	}
	one->state = CARD_OPEN;
	one->gate = GATE_ASSOCIATE;
	one->json = arena_strdup(arena, "{\"headline\":\"\\\"mandatory\\\":true,\"}");
	assert_non_null(strstr(guidance(&subject), "\"choices\":[\"accept\",\"dismiss\","));
	one->json = arena_strdup(arena, "{\"mandatory\":true,\"headline\":\"h\"}");
	assert_non_null(strstr(guidance(&subject), "\"choices\":[\"accept\"]"));
	one->expires_ms = NOW;
	assert_non_null(strstr(guidance(&subject), "\"choices\":[]"));
}

static void
gone_withheld_and_other_placements_are_not_on_the_tablet(void **state)
{
	struct card *one = card(1);

	(void)state;
	assert_true(guidance_wanted(&visit, NULL));
	one->state = CARD_GONE;
	assert_false(guidance_wanted(&visit, NULL));
	one->state = CARD_OPEN;
	one->withheld = true;
	assert_false(guidance_wanted(&visit, NULL));
	assert_non_null(strstr(guidance(NULL), "\"prompts\":[]"));
	one->withheld = false;
	one->placement = PLACE_RECEIPT;
	assert_false(guidance_wanted(&visit, NULL));
	one->placement = PLACE_TILL;
	assert_false(guidance_wanted(&visit, NULL));
	one->placement = PLACE_LATER;
	assert_false(guidance_wanted(&visit, NULL));
}

static void
a_customer_line_alone_is_worth_sending(void **state)
{
	(void)state;
	assert_false(guidance_wanted(&visit, &subject));
	subject.line = arena_strdup(arena, "");
	assert_false(guidance_wanted(&visit, &subject));
	subject.line = arena_strdup(arena, "Gold");
	assert_true(guidance_wanted(&visit, &subject));
	assert_false(guidance_wanted(&visit, NULL));
	assert_non_null(strstr(guidance(&subject),
	    "\"customer\":{\"known\":true,\"line\":\"Gold\"}"));
	assert_non_null(strstr(guidance(NULL), "\"customer\":{\"known\":false}"));
}

static void
a_customers_own_screen_has_no_line(void **state)
{
	struct card *one = card(1);

	(void)state;
	subject.line = arena_strdup(arena, "Gold");
	one->placement = PLACE_CUSTOMER;
	assert_null(strstr(guidance(&subject), "Gold"));
	assert_non_null(strstr(guidance(&subject), "\"prompt\":\"P\""));
}

static void
a_withdrawal_names_its_reason(void **state)
{
	struct id id = id_of(1);

	(void)state;
	withdraw_json(&id, "tender", &out);
	assert_string_equal(out.data,
	    "{\"withdraw\":\"01000000000000000000000001\",\"reason\":\"tender\"}");
}

static struct marks marks;

static void
a_command_carries_the_offer_of_the_card_and_its_worth(void **state)
{
	struct card *one = card(3);
	struct id command = id_of(4);

	(void)state;
	one->token = id_of(5);
	marks.off = UINT32_MAX;
	command_json(COMMAND_APPLY_OFFER, &command, &visit, one, &marks, NULL, NOW, &out);
	assert_string_equal(out.data,
	    "{\"command\":\"01000000000000000000000004\",\"type\":\"apply-offer\",\"terminal\":"
	    "\"3\",\"basket\":\"B\\\"1\","
	    "\"prompt\":\"01000000000000000000000003\",\"offer\":{\"type\":\"percent\",\"worth\":"
	    "50,\"depth\":10,\"exclude\":[]},"
	    "\"token\":\"01000000000000000000000005\",\"expires\":\"2026-11-21T10:00:00.000Z\"}");
	buf_clear(&out);
	command_json(COMMAND_PRINT_MESSAGE, &command, &visit, one, &marks, "Hello", NOW, &out);
	assert_string_equal(out.data,
	    "{\"command\":\"01000000000000000000000004\",\"type\":\"print-message\",\"terminal\":"
	    "\"3\",\"basket\":\"B\\\"1\","
	    "\"prompt\":\"01000000000000000000000003\",\"text\":\"Hello\",\"expires\":\"2026-11-"
	    "21T10:00:00.000Z\"}");
	buf_clear(&out);
	command_json(COMMAND_CLEAR_MESSAGE, &command, &visit, NULL, &marks, NULL, NOW, &out);
	assert_null(strstr(out.data, "prompt"));
	assert_non_null(strstr(out.data, "\"type\":\"clear-message\""));
}

/* As many that are answered as fill it to the byte, and a byte more. */
static void
of_answered_cards_so_many_are_shown_as_fit_to_the_byte(void **state)
{
	enum { CARDS = 16, EACH = ((124 << 10) - 4096) / CARDS - 128 };
	char text[EACH];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < CARDS; i++) {
		struct card *one = card((uint8_t)(i + 1));

		one->json = arena_printf(arena, "{\"prompt\":\"P%02d\",\"body\":\"%.*s\"}", i,
		    EACH - (int)strlen("{\"prompt\":\"P00\",\"body\":\"\"}"), text);
		one->state = CARD_ANSWERED;
	}
	card(99)->state = CARD_GONE; /* it takes no room */
	assert_non_null(strstr(guidance(&subject), "P00"));
	visit.cards[7].json = arena_printf(arena, "{\"prompt\":\"P07\",\"body\":\"%.*s\"}",
	    EACH + 1 - (int)strlen("{\"prompt\":\"P00\",\"body\":\"\"}"), text);
	assert_null(strstr(guidance(&subject), "P00"));
	assert_non_null(strstr(guidance(&subject), "P01"));
	visit.cards[0].state = CARD_OPEN; /* open, it is there, and another goes */
	assert_non_null(strstr(guidance(&subject), "P00"));
	assert_null(strstr(guidance(&subject), "P01"));
	assert_non_null(strstr(guidance(&subject), "P02"));
}

static void
it_is_shown_until_the_last_open_card_ends_or_for_an_hour(void **state)
{
	struct card *one = card(1), *two;

	(void)state;
	one->expires_ms = NOW + 5 * S_MS;
	two = card(2);
	one = &visit.cards[0];
	two->expires_ms = NOW + 7 * S_MS;
	assert_non_null(strstr(guidance(&subject),
	    "\"expires\":\"2026-11-21T10:00:07.000Z\",\"policy\""));
	two->state = CARD_ANSWERED;
	assert_non_null(strstr(guidance(&subject),
	    "\"expires\":\"2026-11-21T10:00:05.000Z\",\"policy\""));
	two->state = CARD_OPEN;
	two->withheld = true;
	assert_non_null(strstr(guidance(&subject),
	    "\"expires\":\"2026-11-21T10:00:05.000Z\",\"policy\""));
	one->expires_ms = 0; /* it has no end of its own */
	assert_non_null(strstr(guidance(&subject),
	    "\"expires\":\"2026-11-21T11:00:00.000Z\",\"policy\""));
	assert_non_null(strstr(guidance(&subject),
	    "\"choices\":[\"accept\",\"dismiss\",\"snooze\",\"override\"]}]}"));
	one->expires_ms = NOW + 1;
	assert_non_null(strstr(guidance(&subject),
	    "[\"accept\",\"dismiss\",\"snooze\",\"override\"],"
	    "\"expires\":\"2026-11-21T10:00:00.001Z\"}]}"));
	one->expires_ms = 1; /* long ago */
	assert_non_null(strstr(guidance(&subject),
	    "\"expires\":\"1970-01-01T00:00:00.001Z\",\"policy\""));
}

static void
silence_is_said_of_a_refusal_and_an_amount_of_what_was_applied(void **state)
{
	struct card *one = card(1);

	(void)state;
	one->silent = true;
	assert_null(strstr(guidance(&subject), "silent"));
	one->state = CARD_REFUSED;
	assert_non_null(strstr(guidance(&subject),
	    "\"state\":\"refused\",\"silent\":true,\"choices\":[]}"));
	one->silent = false;
	assert_null(strstr(guidance(&subject), "silent"));
	one->state = CARD_APPLIED;
	one->silent = true;
	assert_non_null(strstr(guidance(&subject),
	    "\"state\":\"applied\",\"amount\":50,\"choices\":[]}"));
	one->state = CARD_ANSWERED;
	assert_null(strstr(guidance(&subject), "amount"));
}

static void
what_nobody_knows_is_not_said(void **state)
{
	struct id decision = id_of(2);

	(void)state;
	visit.basket = NULL;
	subject.known = false;
	guidance_json(&visit, NULL, &decision, &subject, NOW, JSON_WRITER(&out));
	assert_string_equal(out.data,
	    "{\"guidance\":\"01000000000000000000000001\",\"decision\":"
	    "\"01000000000000000000000002\",\"station\":\"7\",\"at\":\"2026-11-21T10:00:00.000Z\","
	    "\"expires\":\"2026-11-21T11:00:00.000Z\",\"customer\":{\"known\":false},\"prompts\":[]"
	    "}");
	/* A card without an object of its own is not there. */
	card(1)->json = NULL;
	assert_false(guidance_wanted(&visit, NULL));
	assert_non_null(strstr(guidance(NULL), "\"prompts\":[]"));
}

static const char *
exclude_of(const char *offer, const struct marks *which)
{
	struct card one = { .json = arena_printf(arena, "{\"offer\":%s}", offer),
		.worth_minor = 1 };
	struct id command = id_of(4);
	const char *at;

	buf_clear(&out);
	command_json(COMMAND_APPLY_OFFER, &command, &visit, &one, which, NULL, NOW, &out);
	at = strstr(out.data, "\"exclude\":");
	return at != NULL ? at : out.data;
}

#define assert_begins(text, with) assert_int_equal(strncmp(text, with, strlen(with)), 0)

static void
a_till_is_told_which_marked_goods_the_offer_may_not_touch(void **state)
{
	struct marked list[] = { { "food/baby", MARK_NO_PROMOTION }, { "wine", MARK_SENSITIVE } };
	const struct marks own = { .list = list, .count = 2, .off = UINT32_MAX };
	const struct marks words = { .off = 0 };
	struct buf many = { 0 };

	(void)state;
	assert_begins(exclude_of("{\"include\":{\"category\":\"food\"}}", &own),
	    "\"exclude\":[{\"category\":\"food/baby\"}]}");
	assert_begins(
	    exclude_of("{\"include\":[{\"category\":\"food\"},{\"category\":\"wine/red\"}]}", &own),
	    "\"exclude\":[{\"category\":\"food/baby\"},{\"category\":\"wine\"}]}");
	assert_begins(exclude_of("{\"include\":[{\"category\":\"tea\"},{\"category\":\"wine\"}]}",
			  &own),
	    "\"exclude\":[{\"category\":\"wine\"}]}");
	assert_begins(exclude_of("{\"include\":{\"category\":\"tea\"},\"exclude\":[{\"brand\":"
				 "\"x\"}]}",
			  &own),
	    "\"exclude\":[{\"brand\":\"x\"}],\"worth\":1}");
	/* A brand or an item may be anywhere, and nothing named is everything. */
	assert_begins(exclude_of("{\"include\":{\"brand\":\"x\"},\"exclude\":[{\"item\":\"1\"}]}",
			  &own),
	    "\"exclude\":[{\"item\":\"1\"},{\"category\":\"food/baby\"},{\"category\":\"wine\"}],");
	assert_begins(exclude_of("{\"include\":{\"item\":\"1\"}}", &own),
	    "\"exclude\":[{\"category\":\"food/baby\"},{\"category\":\"wine\"}]}");
	assert_begins(exclude_of("{}", &own),
	    "\"exclude\":[{\"category\":\"food/baby\"},{\"category\":\"wine\"}]}");
	assert_non_null(strstr(exclude_of("{}", &words), "\"anywhere\":true}"));
	/* The last of as many as an offer may name. */
	buf_adds(&many, "{\"include\":[");
	for (int i = 0; i < 63; i++)
		buf_addf(&many, "{\"category\":\"tea%d\"},", i);
	buf_adds(&many, "{\"category\":\"wine\"}]}");
	assert_begins(exclude_of(many.data, &own), "\"exclude\":[{\"category\":\"wine\"}]}");
	buf_clear(&many); /* and no more than that are looked at */
	buf_adds(&many, "{\"include\":[");
	for (int i = 0; i < 64; i++)
		buf_addf(&many, "{\"category\":\"tea%d\"},", i);
	buf_adds(&many, "{\"category\":\"wine\"}]}");
	assert_begins(exclude_of(many.data, &own), "\"exclude\":[]}");
	buf_done(&many);
}

static void
only_what_is_asked_of_an_offer_carries_it(void **state)
{
	static const enum command_type types[] = { COMMAND_APPLY_OFFER, COMMAND_WITHDRAW_OFFER,
		COMMAND_SHOW_MESSAGE, COMMAND_CLEAR_MESSAGE, COMMAND_PRINT_MESSAGE };
	static const char *const names[] = { "apply-offer", "withdraw-offer", "show-message",
		"clear-message", "print-message" };
	struct card *one = card(3);
	struct id command = id_of(4);

	(void)state;
	one->token = id_of(5);
	marks.off = UINT32_MAX;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		buf_clear(&out);
		command_json(types[i], &command, &visit, one, &marks, NULL, NOW, &out);
		assert_non_null(strstr(out.data, names[i]));
		assert_int_equal(strstr(out.data, "\"offer\":{") != NULL, i < 2);
		assert_int_equal(strstr(out.data, "\"token\":") != NULL, i < 2);
		assert_non_null(strstr(out.data, "\"prompt\":\"01000000000000000000000003\""));
		assert_null(strstr(out.data, "text"));
	}
	one->json = NULL; /* nothing to say of it */
	one->token = (struct id){ 0 };
	buf_clear(&out);
	command_json(COMMAND_APPLY_OFFER, &command, &visit, one, &marks, NULL, NOW, &out);
	assert_null(strstr(out.data, "\"offer\":{"));
	assert_null(strstr(out.data, "token"));
	one->json = arena_strdup(arena, "{\"prompt\":\"P\"}");
	buf_clear(&out);
	command_json(COMMAND_APPLY_OFFER, &command, &visit, one, &marks, NULL, NOW, &out);
	assert_null(strstr(out.data, "\"offer\":{"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_guidance_is_written_to_the_byte),
		T(a_guidance_fits_into_a_message_and_what_is_open_is_in_it),
		T(choices_follow_gate_and_state),
		T(gone_withheld_and_other_placements_are_not_on_the_tablet),
		T(a_customer_line_alone_is_worth_sending),
		T(a_customers_own_screen_has_no_line),
		T(a_withdrawal_names_its_reason),
		T(a_command_carries_the_offer_of_the_card_and_its_worth),
		T(of_answered_cards_so_many_are_shown_as_fit_to_the_byte),
		T(it_is_shown_until_the_last_open_card_ends_or_for_an_hour),
		T(silence_is_said_of_a_refusal_and_an_amount_of_what_was_applied),
		T(what_nobody_knows_is_not_said),
		T(a_till_is_told_which_marked_goods_the_offer_may_not_touch),
		T(only_what_is_asked_of_an_offer_carries_it),
#undef T
	};

	return cmocka_run_group_tests_name("guidance", tests, NULL, NULL);
}
