/* SPDX-License-Identifier: Apache-2.0
 *
 * test_intake.c - one input after the other: known twice or not, answered with a receipt or a dead letter; timers before
 * what comes at the same time.
 */
#include "core/crash.h"
#include "core/metrics.h"
#include "spine_story.h"

#define OPENED "{'basket':'b','terminal':'7'}"

static void
tell_whole(const char *topic, const char *text)
{
	struct input input = {
		.kind = INPUT_MESSAGE, .topic = topic, .payload = quoted(text), .len = strlen(text)
	};

	turn(&input);
}

static const json_t *
json_in(const struct output *output)
{
	static json_t *json;

	json_decref(json);
	json = output == NULL ? NULL : json_loadb(output->payload, output->len, 0, NULL);
	return json;
}

/* ---- once ---- */

static void
an_event_that_comes_again_counts_once(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	for (int i = 0; i < 2; i++)
		tell_named("pos/7/event", "same", "basket.item-added",
		    "{'basket':'b','line':1,'sku':'s','category':'c','qty':1,'amount':100,'"
		    "currency':'EUR'}");
	assert_said("");
	assert_int_equal(decisions, 1);
	assert_int_equal(dead_letters(), 0);
}

static void
another_event_of_the_same_name_is_refused(void **state)
{
	(void)state;
	tell_named("pos/7/event", "same", "basket.opened", OPENED);
	tell_named("pos/7/event", "same", "basket.opened", "{'basket':'c','terminal':'7'}");
	assert_said("dead bad-value");
	assert_null(visit_of("c"));
}

static void
what_was_refused_may_come_again_and_be_right(void **state)
{
	static const char text[] =
	    "{'specversion':'1.0','source':'/s','id':'x','type':'aisle.basket.item-voided',"
	    "'time':'2026-11-21T10:00:00Z','data':{'basket':'b','line':-1}}";

	(void)state;
	for (int i = 0; i < 2; i++) {
		tell_whole("aisle/v1/0042/pos/7/event", text);
		assert_said("dead bad-value");
	}
	tell_named("pos/7/event", "x", "basket.opened", OPENED);
	assert_said("");
	assert_non_null(visit_of("b"));
}

/* ---- receipts ---- */

static void
tell_with_receipt(const char *channel, const char *id, const char *basket)
{
	char topic[64];

	snprintf(topic, sizeof(topic), "aisle/v1/0042/%s/event", channel);
	tell_whole(topic,
	    arena_printf(texts,
		"{'specversion':'1.0','source':'/"
		"s','id':'%s','type':'aisle.basket.opened','receipt':true,"
		"'time':'2026-11-21T10:00:00Z','data':{'basket':'%s','terminal':'7'}}",
		id, basket));
}

static void
a_till_that_asks_gets_a_receipt_of_when_its_event_was_first_taken(void **state)
{
	const json_t *json;

	(void)state;
	for (int i = 0; i < 2; i++) {
		tell_with_receipt("pos/7", "r1", "b");
		assert_said("receipt");
		json = json_in(&engine->outputs[0]);
		assert_string_equal(json_string_value(json_array_get(json_object_get(json, "at"),
					0)),
		    "2026-11-21T10:00:00.000Z");
		assert_string_equal(json_string_value(json_array_get(
					json_array_get(json_object_get(json, "ids"), 0), 1)),
		    "r1");
		assert_null(json_object_get(json, "refused"));
		assert_string_equal(engine->outputs[0].topic, "aisle/v1/0042/pos/7/receipt");
		now_ms += 100;
	}
	/* Another body under that name. */
	tell_with_receipt("pos/7", "r1", "c");
	assert_said("dead bad-value; receipt");
	json = json_in(&engine->outputs[1]);
	assert_int_equal(json_array_size(json_object_get(json, "ids")), 0);
	assert_string_equal(json_string_value(json_array_get(json_array_get(json_object_get(json,
										"refused"),
								 0),
				2)),
	    "bad-value");
	json_in(NULL);
}

static void
one_receipt_is_for_all_events_of_a_till_in_a_turn(void **state)
{
	static const char *const topics[] = { "aisle/v1/0042/pos/7/event",
		"aisle/v1/0042/pos/8/event", "aisle/v1/0042/pos/7/event" };
	struct input inputs[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		char *text = quoted(arena_printf(texts,
		    "{'specversion':'1.0','source':'/"
		    "s','id':'n%d','type':'aisle.basket.opened','receipt':true,"
		    "'time':'2026-11-21T10:00:00Z','data':{'basket':'b%d','terminal':'%s'}}",
		    i, i, i == 1 ? "8" : "7"));

		inputs[i] = (struct input){ .kind = INPUT_MESSAGE,
			.now_ms = now_ms,
			.topic = topics[i],
			.payload = text,
			.len = strlen(text) };
	}
	assert_int_equal(turn_run(engine, inputs, 3), 0);
	assert_int_equal(engine->output_count, 2);
	assert_string_equal(engine->outputs[0].topic, "aisle/v1/0042/pos/7/receipt");
	assert_int_equal(json_array_size(json_object_get(json_in(&engine->outputs[0]), "ids")), 2);
	assert_int_equal(json_array_size(json_object_get(json_in(&engine->outputs[0]), "at")), 2);
	assert_string_equal(engine->outputs[1].topic, "aisle/v1/0042/pos/8/receipt");
	assert_int_equal(json_array_size(json_object_get(json_in(&engine->outputs[1]), "ids")), 1);
	json_in(NULL);
}

static void
who_does_not_ask_gets_no_receipt(void **state)
{
	(void)state;
	tell_named("pos/7/event", "x", "basket.opened", OPENED);
	assert_said("");
	tell_named("pos/7/event", "x", "basket.opened", OPENED);
	assert_said("");
	tell_named("pos/7/event", "x", "basket.opened", "{'basket':'c','terminal':'7'}");
	assert_said("dead bad-value");
}

/* ---- what cannot be used ---- */

static int
keep_payload(void *ctx, int64_t n, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const void *payload, size_t len)
{
	struct buf *out = ctx;

	(void)n;
	(void)at_ms;
	buf_addf(out, "%s %s %s [", topic, reason, detail);
	buf_add(out, payload, len);
	buf_adds(out, "]");
	return 1;
}

static const char *
last_letter(void)
{
	struct buf out = { 0 };
	const char *text;

	assert_int_equal(store_dead_each(engine->store, 1, keep_payload, &out), 0);
	text = arena_strdup(texts, out.len > 0 ? out.data : "");
	buf_done(&out);
	return text;
}

static void
a_message_that_is_no_json_is_kept_as_it_came(void **state)
{
	(void)state;
	tell_whole("aisle/v1/0042/pos/7/event", "not json");
	assert_said("dead not-json");
	assert_non_null(strstr(last_letter(), "aisle/v1/0042/pos/7/event not-json"));
	assert_non_null(strstr(last_letter(), "[not json]"));
}

static void
what_could_not_be_used_is_kept_without_card_numbers_and_pins(void **state)
{
	static const char *const wrong[] = {
		"{\"type\":\"x\",\"data\":{\"card\":4929123456789012}}",
		"{\"data\":{\"card\":\"4929123456789012\",\"appro",
		"{\"data\":{\"body\":\"{\\\"pin\\\":\\\"8642\\\"}\"}}",
		"the card 4929 1234 5678 9012 with the PIN 8642",
		"<sale><pin>8642</pin></sale>",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		tell_whole("aisle/v1/0042/pos/7/event", wrong[i]);
		assert_null(strstr(last_letter(), "4929"));
		assert_null(strstr(last_letter(), "8642"));
		assert_non_null(strstr(last_letter(), "****"));
	}
	tell_whole("aisle/v1/0042/pos/4929123456789012/event", "not json");
	assert_non_null(strstr(last_letter(), "aisle/v1/0042/pos/****************/event"));
}

static int
letter_size(void *ctx, int64_t n, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const void *payload, size_t len)
{
	(void)n;
	(void)at_ms;
	(void)topic;
	(void)reason;
	(void)detail;
	assert_null(memmem(payload, len, "4929", 4));
	*(size_t *)ctx = len;
	return 0;
}

/* Wherever the cut is in a card number of four groups. */
static void
no_more_of_a_letter_is_kept_than_a_message_may_have(void **state)
{
	static const char card[] = "4929 1234 5678 9012";
	char *text = mem_alloc(EVENT_BYTES_MAX + 1000);
	struct input input = { .kind = INPUT_MESSAGE,
		.topic = "aisle/v1/0042/pos/7/event",
		.payload = text,
		.len = EVENT_BYTES_MAX + 1000 };

	(void)state;
	for (size_t i = 0; i <= strlen(card); i++) {
		size_t len = 0;

		memset(text, '.', EVENT_BYTES_MAX + 1000);
		memcpy(text + EVENT_BYTES_MAX - i, card, strlen(card));
		turn(&input);
		assert_said("dead too-big");
		assert_int_equal(store_dead_each(engine->store, 1, letter_size, &len), 0);
		assert_true(len > EVENT_BYTES_MAX - 1000 && len <= EVENT_BYTES_MAX);
	}
	free(text);
}

/* Four digits between known bytes are soon found by trying. */
static void
the_digest_of_a_dead_letter_is_that_of_what_is_kept(void **state)
{
	const char *first;

	(void)state;
	tell_whole("aisle/v1/0042/pos/7/event", "{'pin':'8642'");
	first = arena_strdup(texts,
	    json_string_value(json_object_get(json_in(&engine->outputs[0]), "digest")));
	tell_whole("aisle/v1/0042/pos/7/event", "{'pin':'1234'");
	assert_string_equal(json_string_value(json_object_get(json_in(&engine->outputs[0]),
				"digest")),
	    first);
}

static void
a_dead_letter_of_a_customer_goes_when_they_are_forgotten(void **state)
{
	struct input forget = { .kind = INPUT_FORGET };
	int before;

	(void)state;
	tell_whole("aisle/v1/0042/pos/7/event", "{\"data\":{\"card\":\"A-17\",\"x\":1}");
	tell_whole("aisle/v1/0042/pos/7/event", "{\"data\":{\"card\":\"A-18\",\"x\":1}");
	/* One that names two is kept without its text. */
	tell_whole("aisle/v1/0042/pos/7/event", "{\"data\":{\"card\":\"A-17\",\"into\":\"A-18\"}");
	assert_non_null(strstr(last_letter(), "[]"));
	before = dead_letters();
	forget.subject = subject_of_card(keys_pepper(engine->keys), "A-17", 4);
	turn(&forget);
	assert_int_equal(dead_letters(), before - 1);
}

static void
a_message_of_another_store_is_none_of_ours(void **state)
{
	(void)state;
	tell_whole("aisle/v1/0043/pos/7/event", "not json");
	assert_said("");
	assert_int_equal(dead_letters(), 0);
}

static void
a_pin_is_never_kept_wherever_it_comes(void **state)
{
	(void)state;
	tell_whole("aisle/v1/0042/tablet/t1/event", "{'pin':'4711'}");
	assert_int_equal(dead_letters(), 1);
	assert_null(strstr(last_letter(), "4711"));
	tell_whole("aisle/v1/0042/pos/7/event", "{'pin':'4711'}");
	assert_null(strstr(last_letter(), "4711"));
	tell_whole("aisle/v1/0042/tablet/t1/event", "{'plan':'4711'}");
	assert_non_null(strstr(last_letter(), "4711"));
}

static void
what_a_mapping_could_not_read_says_why(void **state)
{
	struct input input = { .kind = INPUT_UNMAPPED,
		.topic = "till/x",
		.payload = "abc",
		.len = 3,
		.text = "/Lines: expected a list" };

	(void)state;
	turn(&input);
	assert_said("dead bad-shape");
	assert_string_equal(last_letter(), "till/x bad-shape /Lines: expected a list [abc]");
}

static void
what_was_expected_of_a_card_is_said_and_what_a_text_says_of_one_is_not(void **state)
{
	struct input input = { .kind = INPUT_MESSAGE,
		.topic = "aisle/v1/0042/pos/7/event",
		.payload = "{\"card\":4711x}",
		.len = 14 };

	(void)state;
	tell("pos/7/event", "customer.identified", "{'card':5,'station':'7'}");
	assert_said("dead bad-shape");
	assert_non_null(strstr(last_letter(), " bad-shape /data/card: expected a string ["));
	tell("pos/7/event", "customer.merged", "{'card':'1','into':'1'}");
	assert_said("dead bad-value");
	assert_non_null(strstr(last_letter(),
	    " bad-value /data/into: expected another customer than card ["));
	turn(&input);
	assert_said("dead not-json");
	assert_null(strstr(last_letter(), "4711"));
}

static void
what_a_mapping_made_is_of_the_till_that_it_names(void **state)
{
	char *text =
	    quoted("{'specversion':'1.0','source':'/s','id':'x','type':'aisle.basket.opened',"
		   "'time':'2026-11-21T10:00:00Z','data':{'basket':'b','terminal':'7'}}");
	struct input input = { .kind = INPUT_MAPPED,
		.topic = "till/x",
		.payload = text,
		.len = strlen(text),
		.text = "7" };

	(void)state;
	turn(&input);
	assert_string_equal(visit_of("b")->terminal, "7");
}

static void
a_recorded_line_brings_its_own_time_and_place(void **state)
{
	char *text = quoted("{'specversion':'1.0','source':'/"
			    "s','id':'x','type':'aisle.basket.opened','topic':'pos/7/event',"
			    "'time':'2026-11-21T11:00:00Z','data':{'basket':'b','terminal':'7'}}");
	struct input input = { .kind = INPUT_RECORDED, .payload = text, .len = strlen(text) };

	(void)state;
	turn(&input);
	assert_int_equal(engine->now_ms, T0 + H_MS);
	assert_int_equal(visit_of("b")->opened_ms, T0 + H_MS);
	assert_int_equal(dead_letters(), 0);
	input.payload = "{}";
	input.len = 2;
	turn(&input);
	assert_int_equal(dead_letters(), 1);
	assert_int_equal(engine->now_ms, T0 + H_MS);
}

/* What is taken with a remark, and what is not taken at all. */
static void
a_recorded_line_is_answered_with_what_became_of_it(void **state)
{
	struct input input = { .kind = INPUT_RECORDED };

	(void)state;
	only("o", "{" OFFER_OF("") "}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("o", "accept"), 200);
	input.payload = quoted(arena_printf(texts,
	    "{'specversion':'1.0','source':'/s','id':'x','type':'aisle.offer.redeemed','topic':"
	    "'pos/7/event','time':'2026-11-21T10:00:01Z',"
	    "'data':{'basket':'b','token':'%s','amount':5000}}",
	    token));
	input.len = strlen(input.payload);
	turn(&input);
	assert_int_equal(input.result.status, 200);
	assert_non_null(strstr(input.result.detail, "more than the offer can save"));
	input.payload = "{}";
	input.len = 2;
	turn(&input);
	assert_int_equal(input.result.status, 400);
}

/* ---- time ---- */

static void
time_never_runs_back(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	now_ms = T0 + S_MS;
	scan("b", "c", 100);
	now_ms = T0;
	open_basket("c");
	assert_int_equal(visit_of("c")->opened_ms, T0 + S_MS);
	assert_int_equal(engine->now_ms, T0 + S_MS);
}

static void
timers_are_applied_at_their_own_time_in_their_order(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", "{'expires':'60s'}");
	an_action("k", "{'group':'h','expires':'30s'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	heard(LANE_DECISION);
	now_ms += H_MS;
	open_basket("c");
	assert_said("guidance 7: a; withdraw 7 expired");
	assert_heard(LANE_DECISION, "expired (expired); expired (expired)");
	assert_non_null(strstr(heard_last, "\"at\":\"2026-11-21T10:01:00.000Z\""));
}

/* ---- a tablet that comes back ---- */

static void
a_tablet_that_says_hello_asks_once_for_each_station_and_nothing_is_queued(void **state)
{
	int64_t last = store_outbox_last(engine->store);

	(void)state;
	know_tablet("t1", "");
	tell_whole("aisle/v1/0042/tablet/t1/hello", "{'stations':['7']}");
	assert_said("hello t1 7");
	tell_whole("aisle/v1/0042/tablet/t1/hello", "{'stations':['8','7','8','7','8',7]}");
	assert_said("hello t1 8; hello t1 7");
	assert_int_equal(store_outbox_last(engine->store), last);
	tell_whole("aisle/v1/0042/tablet/t1/hello", "{'stations':'7'}");
	assert_said("dead bad-shape");
	tell_whole("aisle/v1/0042/tablet/t1/hello", "{");
	assert_said("dead not-json");
	/* Nobody knows this one, and that one is another's. */
	tell_whole("aisle/v1/0042/tablet/t2/hello", "{'stations':['7']}");
	assert_said("dead not-yours");
	know_tablet("t2", "8");
	tell_whole("aisle/v1/0042/tablet/t2/hello", "{'stations':['7','8']}");
	assert_said("hello t2 8; dead not-yours");
}

/* It is asked again and again by a tablet that cannot hear: not more often than any other message. */
/* Of 65 stations the last is left out, and so is a name that no station can have. */
static void
a_hello_names_64_stations_at_most_each_by_a_name_that_fits(void **state)
{
	struct buf list = { 0 };
	char name[NAME_SIZE + 2];

	(void)state;
	know_tablet("t1", "");
	for (int i = 0; i < 65; i++)
		buf_addf(&list, "%s'%d'", i > 0 ? "," : "", i);
	tell_whole("aisle/v1/0042/tablet/t1/hello",
	    arena_printf(texts, "{'stations':[%s]}", list.data));
	assert_int_equal(engine->output_count, 64);
	assert_non_null(strstr(said(), "hello t1 63"));
	assert_null(strstr(said(), "hello t1 64"));
	buf_done(&list);
	for (size_t len = NAME_SIZE - 2; len <= NAME_SIZE; len++) {
		memset(name, 'x', len);
		name[len] = '\0';
		tell_whole("aisle/v1/0042/tablet/t1/hello",
		    arena_printf(texts, "{'stations':['%s','7']}", name));
		assert_int_equal(engine->output_count, len < NAME_SIZE ? 2 : 1);
	}
}

static void
hello_is_heard_as_often_as_any_other_message(void **state)
{
	const char *topic = "aisle/v1/0042/tablet/t1/hello";

	(void)state;
	know_tablet("t1", "7,8");
	engine_set_terminal_rate(engine, 2);
	for (int i = 0; i < 2; i++) {
		tell_whole(topic, "{'stations':['8','7']}");
		assert_said("hello t1 8; hello t1 7");
	}
	tell_whole(topic, "{'stations':['8','7']}");
	assert_said("dead rate");
	now_ms += S_MS;
	tell_whole(topic, "{'stations':['7']}");
	assert_said("hello t1 7");
}

/* Paired for some and made known for others. */
static void
a_tablet_that_is_known_twice_has_the_stations_of_both(void **state)
{
	struct buf body = { 0 };
	const struct id other = { { 7 } };

	(void)state;
	know_tablet("t1", "7");
	buf_str(&body, "t1");
	buf_str(&body, "8,9");
	assert_int_equal(store_begin(engine->store), 0);
	assert_int_equal(store_put(engine->store, STORE_TABLET, &other, NULL, now_ms, 0, body.data,
			     body.len),
	    0);
	assert_int_equal(store_commit(engine->store), 0);
	buf_done(&body);
	tell_whole("aisle/v1/0042/tablet/t1/hello", "{'stations':['9','7','8']}");
	assert_said("hello t1 9; hello t1 7; hello t1 8");
	tell_whole("aisle/v1/0042/tablet/t1/hello", "{'stations':['9','']}");
	assert_said("hello t1 9; dead not-yours");
}

static void
a_tablets_own_messages_are_answers_too(void **state)
{
	const char *guidance, *prompt;

	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	guidance = guidance_on_screen();
	prompt = prompt_of("a");
	heard(LANE_DECISION);
	know_tablet("t1", "");
	tell("tablet/t1/event", "guidance.shown",
	    "{'guidance':'%s','prompt':'%s','tablet':'t1','shown':true}", guidance, prompt);
	tell("tablet/t1/event", "guidance.decided",
	    "{'guidance':'%s','prompt':'%s','tablet':'t1','decision':'dismiss'}", guidance, prompt);
	assert_said("guidance 7: a(answered)");
	assert_heard(LANE_DECISION, "shown; dismissed");
	tell("tablet/t1/event", "guidance.decided",
	    "{'guidance':'%s','prompt':'%s','tablet':'t1','decision':'accept'}", guidance, prompt);
	assert_said("dead bad-value");
	tell("tablet/t1/event", "guidance.shown",
	    "{'guidance':'%s','prompt':'%s','tablet':'t1','shown':true}", prompt, guidance);
	assert_said("dead bad-value");
}

/* Late is not wrong: no dead letter for it. */
static void
an_answer_that_is_too_late_is_no_dead_letter(void **state)
{
	const char *guidance, *prompt;

	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	guidance = guidance_on_screen();
	prompt = prompt_of("a");
	now_ms += H_MS;
	know_tablet("t1", "");
	tell("tablet/t1/event", "guidance.decided",
	    "{'guidance':'%s','prompt':'%s','tablet':'t1','decision':'accept'}", guidance, prompt);
	assert_int_equal(dead_letters(), 0);
}

/* ---- what the last run died of ---- */

static void
an_event_that_killed_the_last_run_is_set_aside_and_its_neighbours_are_not(void **state)
{
	struct crash crash = { .source = "/s", .id = "bad", .what = "signal 11" };

	(void)state;
	engine->poison = &crash;
	tell_named("pos/7/event", "bad", "basket.opened", OPENED);
	assert_said("dead bad-value");
	assert_null(visit_of("b"));
	tell_named("pos/7/event", "good", "basket.opened", OPENED);
	assert_non_null(visit_of("b"));
}

/* What cannot be read has no id: it is known by its bytes. */
static void
a_text_that_killed_the_last_run_is_set_aside_unread_and_the_next_is_read(void **state)
{
	struct crash crash = { .source = "7", .what = "signal 11" };
	uint8_t digest[16];

	(void)state;
	hash_bytes(digest, sizeof(digest), "{", 1, keys_pepper(engine->keys), 32);
	hash_hex(crash.id, digest, sizeof(digest));
	engine->poison = &crash;
	tell_whole("aisle/v1/0042/pos/7/event", "{");
	assert_said("dead bad-value");
	assert_non_null(strstr(why_dead, "stopped the daemon before"));
	tell_whole("aisle/v1/0042/pos/7/event", "{{");
	assert_said("dead not-json");
}

static void
a_timer_that_killed_the_last_run_is_dropped(void **state)
{
	struct crash crash = { .source = "timer", .what = "signal 11" };
	char prompt[ID_TEXT_SIZE];

	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	id_text(&visit_of("b")->cards[0].prompt, prompt);
	snprintf(crash.id, sizeof(crash.id), "card/%s/%lld", prompt, (long long)(T0 + 120 * S_MS));
	engine->poison = &crash;
	wait_for(H_MS);
	assert_said("");
	assert_int_equal(visit_of("b")->cards[0].state, CARD_OPEN);
	engine->poison = NULL;
	wait_for(H_MS);
	assert_said("");
}

/* ---- acknowledged ---- */

static int
count_outbox(void *ctx, int64_t id, const char *topic, bool retain, const void *payload, size_t len)
{
	(void)id;
	(void)topic;
	(void)retain;
	(void)payload;
	(void)len;
	++*(int *)ctx;
	return 0;
}

static int
waiting(void)
{
	int rows = 0;

	assert_int_equal(store_outbox_each(engine->store, 0, count_outbox, &rows), 0);
	return rows;
}

static void
what_was_sent_waits_until_it_is_acknowledged(void **state)
{
	struct input input = { .kind = INPUT_DELIVERED };

	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(waiting(), 1);
	input.number = engine->outputs[0].id;
	turn(&input);
	assert_int_equal(waiting(), 0);
	turn(&input);
	assert_int_equal(waiting(), 0);
}

static void
what_headquarters_holds_is_not_sent_again(void **state)
{
	struct input input = { .kind = INPUT_HQ_ACK, .lane = LANE_CONSENT, .number = 1 };

	(void)state;
	grant(ANNA, "contact");
	grant(BEN, "contact");
	assert_heard(LANE_CONSENT, "consent; consent");
	turn(&input);
	assert_int_equal(store_uplink_count(engine->store), 1);
	heard_upto[LANE_CONSENT] = 0;
	assert_heard(LANE_CONSENT, "consent");
	assert_non_null(strstr(heard_last, BEN));
}

/* ---- counted ---- */

static void
what_was_done_is_counted(void **state)
{
	static const enum metric counters[] = { METRIC_TURNS, METRIC_TIMERS, METRIC_DECISIONS,
		METRIC_PROMPTS_SENT, METRIC_WITHDRAWALS, METRIC_ANSWERS_ACCEPT,
		METRIC_ANSWERS_DISMISS, METRIC_UNKNOWN_MEMBERS, METRIC_BAD_GTINS, METRIC_RECEIPTS,
		METRIC_SET_ASIDE, METRIC_PROMPTS_WITHHELD, METRIC_COMMITS_FAILED };
	static const int64_t counts[] = { 6, 2, 1, 2, 1, 1, 1, 2, 1, 0, 0, 0, 0 };
	int64_t before[ARRAY_LEN(counters)];

	(void)state;
	a_policy("{}");
	an_action("a", "{'expires':'60s'}");
	an_action("k", "{'group':'h'}");
	in_force();
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		before[i] = metrics_get(counters[i]);
	tell("pos/7/event", "basket.opened",
	    "{'basket':'b','terminal':'7','colour':'red','size':1}");
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'gtin':'4006381333932','sku':'s','category':'c','qty':1,'"
	    "amount':100,'currency':'EUR'}");
	assert_int_equal(answer("a", "accept"), 200);
	assert_int_equal(answer("k", "dismiss"), 200);
	close_basket("b", 100);
	wait_for(12 * H_MS);
	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		if (metrics_get(counters[i]) - before[i] != counts[i])
			fail_msg("counter %zu: %lld", i,
			    (long long)(metrics_get(counters[i]) - before[i]));
	}
}

static void
a_replay_queues_nothing_for_anybody(void **state)
{
	struct err err = { 0 };

	(void)state;
	engine_close(engine);
	options.no_outlets = true;
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	only("a", "{}");
	grant(ANNA, "contact");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(decisions, 1);
	assert_int_equal(waiting(), 0);
	assert_int_equal(store_uplink_count(engine->store), 0);
}

/* ---- two senders that say the same in one millisecond ---- */

static const char *
source_of(const char *origin, const char *source, const char *id)
{
	struct event event = {
		.channel = CHANNEL_POS, .origin = origin, .source = source, .id = id
	};

	return seen_source(engine, &event);
}

static void
the_second_sender_of_one_name_in_a_millisecond_has_ids_of_its_own(void **state)
{
	char id[16];

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_string_equal(source_of("7", "/s", "1"), "/s");
		assert_string_equal(source_of("8", "/s", "1"), "pos/8 /s");
		assert_string_equal(source_of("9", "/s", "1"), "pos/9 /s");
		assert_string_equal(source_of("8", "/s", "2"), "/s");
		assert_string_equal(source_of("7", "/t", "1"), "/t");
	}
	engine->now_ms++;
	assert_string_equal(source_of("8", "/s", "1"), "/s");
	assert_string_equal(source_of("7", "/s", "1"), "pos/7 /s");
	/* The newest 256 of a millisecond are known. */
	engine->now_ms++;
	for (int i = 0; i < 256; i++) {
		snprintf(id, sizeof(id), "%d", i);
		assert_string_equal(source_of("7", "/s", id), "/s");
	}
	assert_string_equal(source_of("8", "/s", "0"), "pos/8 /s");
	assert_string_equal(source_of("8", "/s", "255"), "pos/8 /s");
	assert_string_equal(source_of("7", "/s", "256"), "/s");
	assert_string_equal(source_of("8", "/s", "256"), "pos/8 /s");
	assert_string_equal(source_of("8", "/s", "1"), "pos/8 /s");
	assert_string_equal(source_of("8", "/s", "0"), "/s");
}

/* ---- what ids derive from ---- */

/* The guidance that is left when a new policy does not know one of two cards. */
static const char *
swept(enum input_kind kind, bool timer)
{
	struct input input = { .kind = kind, .flag = true, .text = "k" };

	tear_down(NULL);
	set_up(NULL);
	a_policy("{}");
	an_action("a", "{'expires':'3600s'}");
	an_action("k", "{'group':'h','expires':'3600s'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	memset(&parts, 0, sizeof(parts));
	only("a", "{'expires':'3600s'}");
	if (timer) {
		assert_int_equal(store_begin(engine->store), 0);
		assert_int_equal(store_timer_add(engine->store, now_ms, "idle/x/1"), 0);
		assert_int_equal(store_commit(engine->store), 0);
	}
	turn(&input);
	assert_said("guidance 7: a");
	assert_string_equal(engine->source, "order");
	assert_string_equal(engine->id, kind == INPUT_STOP ? "stop/k" : "");
	return guidance_on_screen();
}

static void
what_an_order_makes_has_the_same_ids_whatever_was_due_before_it(void **state)
{
	static char with[ID_TEXT_SIZE], without[ID_TEXT_SIZE];

	(void)state;
	for (int i = 0; i < 2; i++) {
		enum input_kind kind = i == 0 ? INPUT_POLICY : INPUT_STOP;

		snprintf(without, sizeof(without), "%s", swept(kind, false));
		snprintf(with, sizeof(with), "%s", swept(kind, true));
		assert_string_equal(with, without);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(what_an_order_makes_has_the_same_ids_whatever_was_due_before_it),
		SPINE_TEST(the_second_sender_of_one_name_in_a_millisecond_has_ids_of_its_own),
		SPINE_TEST(an_event_that_comes_again_counts_once),
		SPINE_TEST(another_event_of_the_same_name_is_refused),
		SPINE_TEST(what_was_refused_may_come_again_and_be_right),
		SPINE_TEST(a_till_that_asks_gets_a_receipt_of_when_its_event_was_first_taken),
		SPINE_TEST(one_receipt_is_for_all_events_of_a_till_in_a_turn),
		SPINE_TEST(who_does_not_ask_gets_no_receipt),
		SPINE_TEST(a_message_that_is_no_json_is_kept_as_it_came),
		SPINE_TEST(what_could_not_be_used_is_kept_without_card_numbers_and_pins),
		SPINE_TEST(no_more_of_a_letter_is_kept_than_a_message_may_have),
		SPINE_TEST(the_digest_of_a_dead_letter_is_that_of_what_is_kept),
		SPINE_TEST(a_dead_letter_of_a_customer_goes_when_they_are_forgotten),
		SPINE_TEST(a_message_of_another_store_is_none_of_ours),
		SPINE_TEST(a_pin_is_never_kept_wherever_it_comes),
		SPINE_TEST(what_a_mapping_could_not_read_says_why),
		SPINE_TEST(what_was_expected_of_a_card_is_said_and_what_a_text_says_of_one_is_not),
		SPINE_TEST(what_was_expected_of_a_card_is_said_and_what_a_text_says_of_one_is_not),
		SPINE_TEST(what_a_mapping_made_is_of_the_till_that_it_names),
		SPINE_TEST(a_recorded_line_brings_its_own_time_and_place),
		SPINE_TEST(a_recorded_line_is_answered_with_what_became_of_it),
		SPINE_TEST(time_never_runs_back),
		SPINE_TEST(timers_are_applied_at_their_own_time_in_their_order),
		SPINE_TEST(
		    a_tablet_that_says_hello_asks_once_for_each_station_and_nothing_is_queued),
		SPINE_TEST(a_hello_names_64_stations_at_most_each_by_a_name_that_fits),
		SPINE_TEST(hello_is_heard_as_often_as_any_other_message),
		SPINE_TEST(a_tablet_that_is_known_twice_has_the_stations_of_both),
		SPINE_TEST(a_tablets_own_messages_are_answers_too),
		SPINE_TEST(an_answer_that_is_too_late_is_no_dead_letter),
		SPINE_TEST(
		    an_event_that_killed_the_last_run_is_set_aside_and_its_neighbours_are_not),
		SPINE_TEST(
		    a_text_that_killed_the_last_run_is_set_aside_unread_and_the_next_is_read),
		SPINE_TEST(a_timer_that_killed_the_last_run_is_dropped),
		SPINE_TEST(what_was_sent_waits_until_it_is_acknowledged),
		SPINE_TEST(what_headquarters_holds_is_not_sent_again),
		SPINE_TEST(what_was_done_is_counted),
		SPINE_TEST(a_replay_queues_nothing_for_anybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
