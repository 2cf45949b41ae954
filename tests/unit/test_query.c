/* SPDX-License-Identifier: Apache-2.0
 *
 * test_query.c - what can be asked of the running store, and that asking changes nothing.
 */
#include "spine_story.h"

static const char *
text(struct buf *out)
{
	const char *copy;

	buf_addc(out, '\0');
	copy = arena_strdup(texts, out->data);
	buf_done(out);
	return copy;
}

static const char *
stations(void)
{
	struct buf out = { 0 };

	assert_int_equal(query_stations(engine, &out), 0);
	return text(&out);
}

static json_t *
station(const char *name)
{
	struct buf out = { 0 };

	assert_int_equal(query_station(engine, name, &out), 0);
	return json_loads(text(&out), 0, NULL);
}

static void
at_till(const char *till, const char *basket)
{
	char topic[32];

	snprintf(topic, sizeof(topic), "pos/%s/event", till);
	tell(topic, "basket.opened", "{'basket':'%s','terminal':'%s'}", basket, till);
	tell(topic, "basket.item-added",
	    "{'basket':'%s','line':1,'sku':'s','category':'c','qty':1,'amount':100,'currency':'EUR'"
	    "}",
	    basket);
}

static void
each_station_says_how_many_customers_have_something_on_the_screen(void **state)
{
	(void)state;
	only("a", "{'applicable':{'<':[{'var':'total'},150]}}");
	assert_string_equal(stations(), "{\"stations\":[]}");
	at_till("7", "b1");
	at_till("7", "b2");
	tell("pos/8/event", "basket.opened", "{'basket':'b3','terminal':'8'}");
	assert_string_equal(stations(),
	    "{\"stations\":[{\"station\":\"7\",\"open\":2},{\"station\":\"8\",\"open\":0}]}");
	tell("pos/7/event", "basket.cancelled", "{'basket':'b1'}");
	assert_string_equal(stations(),
	    "{\"stations\":[{\"station\":\"7\",\"open\":1},{\"station\":\"8\",\"open\":0}]}");
}

static void
a_station_shows_what_its_tablets_show_and_no_other_stations(void **state)
{
	json_t *json;

	(void)state;
	only("a", "{}");
	at_till("7", "b1");
	at_till("70", "b2");
	at_till("7", "b3");
	json = station("7");
	assert_string_equal(text_of(json, "station"), "7");
	assert_int_equal(json_array_size(json_object_get(json, "open")), 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *shown = json_array_get(json_object_get(json, "open"), i);

		assert_string_equal(text_of(shown, "station"), "7");
		assert_string_equal(text_of(shown, "basket"), i == 0 ? "b1" : "b3");
		assert_int_equal(json_array_size(json_object_get(shown, "prompts")), 1);
	}
	json_decref(json);
	json = station("9");
	assert_int_equal(json_array_size(json_object_get(json, "open")), 0);
	json_decref(json);
}

static void
a_station_names_the_newest_decision_that_still_has_a_card(void **state)
{
	char id[ID_TEXT_SIZE];
	json_t *json;

	(void)state;
	a_policy("{}");
	an_action("a", "{'expires':'60s'}");
	an_action("k", "{'group':'h','eligible':{'>':[{'var':'total'},150]},'expires':'30s'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	scan("b", "c", 100);
	id_text(&visit_of("b")->cards[1].decision, id);
	json = station("7");
	assert_string_equal(text_of(json_array_get(json_object_get(json, "open"), 0), "decision"),
	    id);
	json_decref(json);
	wait_for(30 * S_MS);
	assert_said("guidance 7: a");
	id_text(&visit_of("b")->cards[0].decision, id);
	assert_string_equal(text_of(screen, "decision"), id);
	json = station("7");
	assert_string_equal(text_of(json_array_get(json_object_get(json, "open"), 0), "decision"),
	    id);
	json_decref(json);
}

/* The line of headquarters about a customer: while they agree to it. */
static void
a_customers_line_is_shown_only_with_their_consent(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified']}");
	grant(ANNA, "personalise");
	customer(ANNA)->line = mem_strdup("likes tea");
	open_basket("b");
	identify(ANNA);
	for (int i = 0; i < 2; i++) {
		json_t *json = station("7"),
		       *shown = json_array_get(json_object_get(json, "open"), 0);

		assert_string_equal(text_of(json_object_get(shown, "customer"), "line"),
		    i == 0 ? "likes tea" : "");
		json_decref(json);
		assert_string_equal(text_of(json_object_get(screen, "customer"), "line"),
		    i == 0 ? "likes tea" : "");
		tell("loyalty/r1/event", "consent.changed",
		    "{'subject':'" ANNA "','purpose':'personalise','state':'denied'}");
		identify(ANNA);
	}
}

static void
a_customers_line_alone_is_a_reason_for_a_guidance(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified'],'eligible':{'==':[1,2]}}");
	grant(ANNA, "personalise");
	customer(ANNA)->line = mem_strdup("likes tea");
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7:");
	identify(ANNA);
	assert_said("");
}

static void
a_guidance_is_found_at_its_station(void **state)
{
	char name[NAME_SIZE];

	(void)state;
	only("a", "{}");
	at_till("7", "b");
	assert_int_equal(query_guidance_station(engine, guidance_on_screen(), name), 0);
	assert_string_equal(name, "7");
	assert_int_equal(query_guidance_station(engine, prompt_of("a"), name), AISLE_E_NONE);
}

static void
dead_letters_come_the_newest_first_and_say_all_that_is_known(void **state)
{
	static const uint8_t bytes[] = { 0xff, 0xfe };
	struct input input = { .kind = INPUT_MESSAGE,
		.topic = "aisle/v1/0042/pos/7/event",
		.payload = bytes,
		.len = 2 };
	struct buf out = { 0 };
	const json_t *letter;
	json_t *json;

	(void)state;
	tell("pos/7/event", "basket.opened", "{}");
	turn(&input);
	assert_int_equal(query_dead_letters(engine, -1, &out), 0);
	json = json_loads(text(&out), 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "dead_letters")), 2);
	letter = json_array_get(json_object_get(json, "dead_letters"), 0);
	assert_int_equal(json_integer_value(json_object_get(letter, "n")), 2);
	assert_string_equal(text_of(letter, "reason"), "not-json");
	assert_true(json_is_null(json_object_get(letter, "payload")));
	assert_int_equal(json_integer_value(json_object_get(letter, "size")), 2);
	letter = json_array_get(json_object_get(json, "dead_letters"), 1);
	assert_int_equal(json_integer_value(json_object_get(letter, "n")), 1);
	assert_string_equal(text_of(letter, "reason"), "bad-shape");
	assert_non_null(strstr(text_of(letter, "detail"), "/data"));
	assert_string_equal(text_of(letter, "topic"), "aisle/v1/0042/pos/7/event");
	assert_string_equal(text_of(letter, "at"), "2026-11-21T10:00:00.000Z");
	assert_non_null(strstr(text_of(letter, "payload"), "basket.opened"));
	json_decref(json);
	out = (struct buf){ 0 };
	assert_int_equal(query_dead_letters(engine, 1, &out), 0);
	json = json_loads(text(&out), 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "dead_letters")), 1);
	json_decref(json);
}

static void
a_customer_is_told_what_is_kept_of_them(void **state)
{
	struct id anna = subject_of(ANNA);
	struct buf out = { 0 };
	json_t *json;

	(void)state;
	grant(ANNA, "profile");
	assert_int_equal(query_customer(engine, &anna, &out), 0);
	json = json_loads(text(&out), 0, NULL);
	assert_non_null(json);
	json_decref(json);
	customer(ANNA)->forgotten = true;
	assert_int_equal(query_customer(engine, &anna, &out), AISLE_E_NONE);
	buf_done(&out);
}

static void
a_station_of_the_configuration_is_listed_once_though_nobody_is_there(void **state)
{
	static const char *const pairs[][2] = { { "r7", "7" }, { "r7b", "7" }, { "r9", "9" } };

	(void)state;
	only("a", "{}");
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		conf.stations[i] =
		    (struct conf_pair){ mem_strdup(pairs[i][0]), mem_strdup(pairs[i][1]), 1 };
	conf.station_count = ARRAY_LEN(pairs);
	at_till("8", "b1");
	at_till("9", "b2");
	assert_string_equal(stations(),
	    "{\"stations\":[{\"station\":\"7\",\"open\":0},{\"station\":\"9\",\"open\":1},"
	    "{\"station\":\"8\",\"open\":1}]}");
}

static void
more_stations_than_an_answer_has_room_for_are_left_out(void **state)
{
	size_t listed = 0;

	(void)state;
	for (int i = 0; i < 1030; i++) {
		struct id id = { { 1, (uint8_t)(i >> 8), (uint8_t)i } };
		struct visit *visit = visit_new(&id);

		snprintf(visit->station, sizeof(visit->station), "s%d", i);
		sessions_add(engine->sessions, visit);
	}
	for (const char *at = stations(); (at = strstr(at, "\"open\":0")) != NULL; at++)
		listed++;
	assert_int_equal(listed, 1024);
}

static void
hear_guidance(void *ctx, const char *json, size_t len)
{
	buf_addf(ctx, "%.*s\n", (int)len, json);
}

static void
each_guidance_of_a_station_is_told_as_the_station_shows_it(void **state)
{
	struct buf told = { 0 }, shown = { 0 };
	json_t *json;

	(void)state;
	only("a", "{}");
	at_till("7", "b1");
	at_till("8", "b2");
	at_till("7", "b3");
	query_guidance(engine, "7", hear_guidance, &told);
	json = station("7");
	for (size_t i = 0; i < 2; i++) {
		json_write(json_array_get(json_object_get(json, "open"), i), &shown);
		buf_addc(&shown, '\n');
	}
	json_decref(json);
	assert_string_equal(text(&told), text(&shown));
	query_guidance(engine, "9", hear_guidance, &told);
	assert_int_equal(told.len, 0);
	buf_done(&told);
}

static void
without_a_card_a_guidance_is_of_no_decision(void **state)
{
	char none[ID_TEXT_SIZE];
	json_t *json;

	(void)state;
	only("a", "{'on':['aisle.customer.identified'],'eligible':{'==':[1,2]}}");
	grant(ANNA, "personalise");
	customer(ANNA)->line = mem_strdup("likes tea");
	open_basket("b");
	identify(ANNA);
	id_text(&(struct id){ { 0 } }, none);
	json = station("7");
	assert_string_equal(text_of(json_array_get(json_object_get(json, "open"), 0), "decision"),
	    none);
	json_decref(json);
}

/* Each decision's once, though two of its cards were answered; not what nobody said. */
static void
a_customer_is_told_who_answered_each_card(void **state)
{
	static const struct {
		const char *answer, *outcomes;
	} cases[] = { { "accept", "accepted" }, { "dismiss", "dismissed" }, { "snooze", "snoozed" },
		{ "override", "overridden" } };
	struct id anna = subject_of(ANNA);
	struct buf out = { 0 };
	json_t *json, *answers;

	(void)state;
	a_policy("{}");
	an_action("a", "{'eligible':{'==':[{'var':'total'},100]}}");
	an_action("k", "{'group':'h','eligible':{'==':[{'var':'total'},100]}}");
	in_force();
	grant(ANNA, "profile");
	grant(ANNA, "personalise");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *basket = arena_printf(texts, "b%zu", i);

		open_basket(basket);
		identify(ANNA);
		scan(basket, "c", 100);
		assert_said("guidance 7: a k");
		assert_int_equal(show("a", true), 200);
		assert_int_equal(answer("a", cases[i].answer), 200);
		if (i == 0)
			assert_int_equal(answer("k", "accept"), 200);
		tell("pos/7/event", "basket.cancelled", "{'basket':'%s'}", basket);
		now_ms += D_MS;
	}
	assert_int_equal(query_customer(engine, &anna, &out), 0);
	json = json_loads(text(&out), 0, NULL);
	answers = json_object_get(json, "answers");
	assert_int_equal(json_array_size(answers), ARRAY_LEN(cases) * 2 + 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool found = false;
		const json_t *row;
		size_t n;

		json_array_foreach(answers, n, row) {
			assert_string_equal(text_of(row, "tablet"), "t1");
			found = found || strcmp(text_of(row, "outcome"), cases[i].outcomes) == 0;
		}
		assert_true(found);
	}
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(each_station_says_how_many_customers_have_something_on_the_screen),
		SPINE_TEST(a_station_of_the_configuration_is_listed_once_though_nobody_is_there),
		SPINE_TEST(more_stations_than_an_answer_has_room_for_are_left_out),
		SPINE_TEST(each_guidance_of_a_station_is_told_as_the_station_shows_it),
		SPINE_TEST(without_a_card_a_guidance_is_of_no_decision),
		SPINE_TEST(a_customer_is_told_who_answered_each_card),
		SPINE_TEST(a_station_shows_what_its_tablets_show_and_no_other_stations),
		SPINE_TEST(a_station_names_the_newest_decision_that_still_has_a_card),
		SPINE_TEST(a_customers_line_is_shown_only_with_their_consent),
		SPINE_TEST(a_customers_line_alone_is_a_reason_for_a_guidance),
		SPINE_TEST(a_guidance_is_found_at_its_station),
		SPINE_TEST(dead_letters_come_the_newest_first_and_say_all_that_is_known),
		SPINE_TEST(a_customer_is_told_what_is_kept_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
