/* SPDX-License-Identifier: Apache-2.0
 *
 * test_recording.c - what a store was told, written down and replayed: the same decisions, cards and records.
 */
#include "spine_story.h"

#include "spine/recording.h"

#define CARD_ANNA "2900000000017"
#define CARD_BEN "2900000000024"
#define CARD_CLEO "2900000000031"
#define PIN "471108"

static const uint8_t pepper[32] = { 7 };
static struct buf made; /* each decision, of the store or of the replay */
static char *notes;	/* of the replay: what was set aside, or is to be known */

static void
keep_decision(void *ctx, const char *json, size_t len)
{
	note_decision(ctx, json, len);
	buf_add(&made, json, len);
	buf_addc(&made, '\n');
}

static int
set_up_live(void **state)
{
	struct err err = { 0 };

	set_up_on_disk(state);
	engine_close(engine);
	buf_clear(&made);
	options.recorded = false;
	options.sealed = true;
	options.pepper = pepper;
	options.on_decision = keep_decision;
	/* Another folder: this one has a state that was not live. */
	char command[64];
	snprintf(command, sizeof(command), "rm -r %s", state_dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	assert_int_equal(manager_add(engine->store, "eve", PIN, now_ms), 0);
	return 0;
}

static int
tear_down_live(void **state)
{
	buf_done(&made);
	free(notes);
	notes = NULL;
	return tear_down(state);
}

/* ---- all that a store made ---- */

static int
add_output(void *ctx, int64_t id, const char *topic, bool retain, const void *payload, size_t len)
{
	(void)id;
	(void)retain;
	if (strstr(topic, "/receipt") == NULL && strstr(topic, "dead-letter") == NULL)
		buf_addf(ctx, "%s %.*s\n", topic, (int)len, (const char *)payload);
	return 0;
}

static int
add_record(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	buf_addf(ctx, "%lld %s %lld %.*s\n", (long long)seq, type, (long long)at_ms, (int)len,
	    (const char *)body);
	return 0;
}

static char *
all_made(void)
{
	struct buf text = { 0 };

	buf_add(&text, made.data, made.len);
	assert_int_equal(store_outbox_each(engine->store, 0, add_output, &text), 0);
	for (int lane = 0; lane < LANE_COUNT; lane++)
		assert_int_equal(store_uplink_each(engine->store, (enum lane)lane, 0, 100000,
				     add_record, &text),
		    0);
	buf_addc(&text, '\0');
	return buf_steal(&text);
}

/* ---- the file ---- */

static char *
recording(int64_t from_ms, int64_t to_ms, struct recording_piece *piece)
{
	struct buf text = { 0 };
	int64_t upto = store_recording_last(engine->store);

	*piece = (struct recording_piece){ 0 };
	do {
		piece->more = false;
		assert_int_equal(query_recording(engine, from_ms, to_ms, upto, NULL, piece, &text),
		    0);
	} while (piece->more);
	query_recording_end(engine, engine->now_ms, upto, &text);
	buf_addc(&text, '\0');
	return buf_steal(&text);
}

static size_t
times(const char *text, const char *what)
{
	size_t found = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		found++;
	return found;
}

static void
take_line(const char *text, size_t len)
{
	struct input input = { .kind = INPUT_RECORDED, .payload = text, .len = len };
	struct buf said = { 0 };

	assert_int_equal(turn_run(engine, &input, 1), 0);
	if (input.result.detail == NULL)
		return;
	buf_addf(&said, "%s%d %s\n", notes != NULL ? notes : "", input.result.status,
	    input.result.detail);
	free(notes);
	notes = buf_steal(&said);
}

/* From an empty state, in memory. */
static void
replay(const char *file)
{
	struct err err = { 0 };

	engine_close(engine);
	buf_clear(&made);
	options.recorded = true;
	options.sealed = false;
	options.state_dir = NULL;
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	in_force();
	for (const char *at = file, *end; (end = strchr(at, '\n')) != NULL; at = end + 1)
		take_line(at, (size_t)(end - at));
}

/* The lines of two texts that differ, as they are. */
static void
assert_same_text(const char *expected, const char *found)
{
	while (*expected != '\0' && strcspn(expected, "\n") == strcspn(found, "\n") &&
	    strncmp(expected, found, strcspn(expected, "\n")) == 0) {
		expected += strcspn(expected, "\n") + 1;
		found += strcspn(found, "\n") + 1;
	}
	if (*expected != '\0' || *found != '\0')
		fail_msg("expected\n%.*s\nfound\n%.*s", (int)strcspn(expected, "\n"), expected,
		    (int)strcspn(found, "\n"), found);
}

/* What the store made, and what the replay of its recording makes. */
static void
assert_replays(size_t least_decisions)
{
	struct recording_piece piece;
	char *file = recording(INT64_MIN, INT64_MAX, &piece), *first = all_made(), *second;

	assert_true(times(made.data, "\n") >= least_decisions);
	assert_int_equal(piece.holes, 0);
	assert_null(strstr(file, CARD_ANNA));
	assert_null(strstr(file, CARD_BEN));
	assert_null(strstr(file, PIN));
	replay(file);
	assert_string_equal(notes != NULL ? notes : "", "");
	second = all_made();
	assert_same_text(first, second);
	free(file);
	free(first);
	free(second);
}

/* ---- the store ---- */

static void
a_policy_of_everything(void)
{
	a_policy("{'levers':{'group:g':{'value':1,'min':0.5,'max':2}},'interrupt':9,'placements':{'"
		 "tablet':{'slots':5}}}");
	an_action("offer", "{" OFFER_OF("") ",'group':'o'}");
	an_action("yes", "{'group':'m','gate':'manager','margin':900}");
	an_action("advice", "{'margin':500}");
	an_action("other", "{'group':'h','margin':300}");
	an_action("known", "{'group':'k','margin':1000,'personal':true}");
	in_force();
}

static void
enrol(const char *card)
{
	for (int i = 0; i < 2; i++)
		tell("loyalty/r1/event", "consent.changed",
		    "{'card':'%s','purpose':'%s','state':'granted'}", card,
		    i == 0 ? "personalise" : "profile");
}

static void
show_card(const char *card, const char *basket)
{
	tell("pos/7/event", "customer.identified", "{'card':'%s','basket':'%s','station':'7'}",
	    card, basket);
}

static void
order(enum input_kind kind, const char *name, double value, bool flag, int64_t until_ms)
{
	struct input input = { .kind = kind,
		.text = name,
		.value = value,
		.flag = flag,
		.until_ms = until_ms,
		.manager = "eve" };

	turn(&input);
	assert_int_equal(input.result.status, 200);
}

static void
native_answer(const char *prompt, const char *json)
{
	tell("tablet/t9/event", "guidance.decided",
	    "{'guidance':'%s','prompt':'%s','tablet':'t9',%s}", guidance_on_screen(), prompt, json);
}

static void
a_morning(void)
{
	know_tablet("t9", "7");
	enrol(CARD_ANNA);
	now_ms += 1000;
	open_basket("b1");
	show_card(CARD_ANNA, "b1");
	scan("b1", "c", 1000);
	assert_int_equal(show("known", true), 200);
	assert_int_equal(answer("known", "accept"), 200);
	now_ms += 1500;
	scan("b1", "d/e", 700);
	assert_int_equal(answer_with("yes", "{'decision':'accept','manager':'eve'}", "1"), 403);
	assert_int_equal(answer_with("yes", "{'decision':'accept','manager':'eve'}", PIN), 200);
	now_ms += 10;
	close_basket("b1", 1700);
	wait_for(3 * MIN_MS); /* cards that nobody answered */
	open_basket("b2");
	tell("pos/7/event", "sensor.reading", "{'kind':'queue','station':'7','value':4}");
	scan("b2", "c", 2000);
	assert_int_equal(answer("offer", "accept"), 200);
	tell("pos/7/event", "offer.applied", "{'basket':'b2','token':'%s','amount':40}", token);
	assert_int_equal(answer("advice", "snooze"), 200);
	order(INPUT_LEVER, "group:g", 2, true, now_ms + H_MS);
	wait_for(6 * MIN_MS); /* the snooze is over */
	scan("b2", "c", 10);
	order(INPUT_STOP, "other", 0, true, now_ms + 10 * MIN_MS);
	scan("b2", "c", 20);
	assert_string_equal(fate_in_record("other"), "stopped");
	tell("pos/7/event", "offer.redeemed", "{'basket':'b2','token':'%s','amount':40}", token);
	close_basket("b2", 1990);
	wait_for(20 * MIN_MS); /* the stop is over */
	enrol(CARD_BEN);
	open_basket("b3");
	show_card(CARD_BEN, "b3");
	scan("b3", "c", 300);
	assert_string_equal(fate_in_record("other"), "offered");
	native_answer(prompt_of("known"), "'decision':'dismiss','reason':'not-relevant'");
	now_ms += 700;
	scan("b3", "c", 301);
	native_answer(prompt_of("yes"),
	    "'decision':'accept','approval':{'manager':'eve','pin':'" PIN "'}");
	assert_int_equal(answer_with("offer",
			     "{'decision':'override','reason':'other','manager':'eve','instead':{'"
			     "action':"
			     "'offer','depth':40}}",
			     PIN),
	    200);
	tell("pos/7/event", "basket.item-voided", "{'basket':'b3','line':%d}", count);
	tell("pos/7/event", "basket.tender-started", "{'basket':'b3'}");
	assert_int_equal(answer("advice", "accept"), 410); /* too late is on record, too */
	close_basket("b3", 300);
	tell("pos/7/event", "return.completed",
	    "{'return':'r1','basket':'b1','card':'" CARD_ANNA
	    "','items':[{'sku':'s5','category':'d/"
	    "e','qty':1,'amount':700}],'total':700,'currency':'EUR'}");
	tell("pos/7/event", "return.completed",
	    "{'return':'r2','items':[{'sku':'x','category':'c','qty':1,'amount':70}],'total':70,'"
	    "currency':'EUR'"
	    "}");
	tell("loyalty/r1/event", "customer.merged",
	    "{'card':'" CARD_BEN "','into':'" CARD_ANNA "'}");
	open_basket("b4");
	show_card(CARD_BEN, "b4");
	scan("b4", "c", 5);
	order(INPUT_STOP, "offer", 0, true, 0);
	order(INPUT_STOP, "offer", 0, false, 0);
	wait_for(13 * H_MS); /* b4 is over, and so is its customer's wait */
}

static void
a_day_replays_to_the_same_decisions_cards_and_records(void **state)
{
	(void)state;
	a_policy_of_everything();
	a_morning();
	if (dead_letters() != 0)
		fail_msg("%s", why_dead);
	assert_replays(8);
}

static void
after_a_restart_and_a_turn_that_was_undone_it_is_still_the_whole_day(void **state)
{
	struct err err = { 0 };

	(void)state;
	a_policy_of_everything();
	open_basket("b1");
	scan("b1", "c", 100);
	restart();
	scan("b1", "c", 101);
	assert_int_equal(engine_reopen(engine, &err), 0);
	scan("b1", "c", 102);
	assert_replays(3);
}

/* A tablet that did not hear of it asks again. */
static void
an_answer_that_is_said_again_is_written_down_once(void **state)
{
	int64_t last;

	(void)state;
	only("advice", "{'expires':'1h'}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("advice", "accept"), 200);
	last = store_recording_last(engine->store);
	assert_int_equal(answer("advice", "accept"), 200);
	assert_int_equal(store_recording_last(engine->store), last);
}

/* A second answer to a card that came again has the name of the first. */
static void
an_answer_after_a_snooze_is_replayed_as_the_answer_it_was(void **state)
{
	(void)state;
	only("advice", "{'expires':'1h'}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("advice", "snooze"), 200);
	wait_for(6 * MIN_MS);
	assert_int_equal(answer("advice", "accept"), 200);
	assert_replays(1);
}

static void
a_manager_who_was_signed_in_answers_in_the_replay_as_well(void **state)
{
	struct input input = { .kind = INPUT_ANSWER, .manager = "eve" };

	(void)state;
	only("yes", "{'gate':'manager'}");
	open_basket("b");
	scan("b", "c", 100);
	input.guidance = guidance_on_screen();
	input.prompt = prompt_of("yes");
	input.answer = json_of("{'decision':'accept','note':'as agreed'}");
	turn(&input);
	assert_int_equal(input.result.status, 200);
	json_decref(input.answer);
	assert_replays(1);
}

static void
time_that_was_uncertain_is_uncertain_in_the_replay(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("offer", "{" OFFER_OF("") "}");
	in_force();
	engine_set_time_uncertain(engine, true);
	open_basket("b");
	late_ms = H_MS; /* stale, if one knew what time it is */
	scan("b", "c", 100);
	assert_true(decisions > 0);
	engine_set_time_uncertain(engine, false);
	scan("b", "c", 100);
	late_ms = 0;
	assert_replays(1);
	assert_false(engine->time_uncertain);
}

/* ---- what is not in it ---- */

static void
what_was_refused_or_came_twice_is_not_written_down(void **state)
{
	struct recording_piece piece;
	char *file;

	(void)state;
	a_policy_of_everything();
	open_basket("b");
	for (int i = 0; i < 3; i++)
		tell_named("pos/7/event", "twice", "basket.item-added",
		    "{'basket':'b','line':1,'sku':'s','category':'c','qty':1,'amount':1,'currency':"
		    "'EUR'}");
	tell("pos/7/event", "basket.item-added", "{'basket':'b'}");
	assert_int_equal(answer_prompt("01K00000000000000000000000", "01K00000000000000000000000",
			     "{'decision':'accept'}", NULL, false)
			     .status,
	    404);
	file = recording(INT64_MIN, INT64_MAX, &piece);
	assert_int_equal(piece.inputs, 2);
	assert_int_equal(times(file, "aisle.basket.item-added"), 1);
	free(file);
}

static void
a_card_number_under_a_name_of_the_tills_own_is_left_out(void **state)
{
	struct recording_piece piece;
	char *file;

	(void)state;
	only("advice", "{}");
	tell("pos/7/event", "basket.opened",
	    "{'basket':'b','terminal':'7','cardNumber':'" CARD_ANNA "','lane':'left'}");
	file = recording(INT64_MIN, INT64_MAX, &piece);
	assert_null(strstr(file, CARD_ANNA));
	assert_null(strstr(file, "cardNumber"));
	assert_non_null(strstr(file, "\"lane\":\"left\""));
	free(file);
}

static void
forget(const char *card)
{
	struct id subject = subject_of_card(pepper, card, strlen(card));
	struct input leave = { .kind = INPUT_LEAVE, .subject = subject };
	struct input gone = { .kind = INPUT_FORGET, .subject = subject };

	turn(&leave);
	assert_int_equal(keys_destroy(engine->keys, &subject), 0);
	turn(&gone);
}

static void
assert_no_trace(const char *file, const char *card)
{
	struct id subject = subject_of_card(pepper, card, strlen(card));
	char text[SUBJECT_TEXT_SIZE];

	subject_text(&subject, text);
	assert_null(strstr(file, card));
	assert_null(strstr(file, text));
}

static void
of_who_is_forgotten_there_is_a_hole_and_the_others_are_replayed(void **state)
{
	struct recording_piece piece;
	char *file;

	(void)state;
	a_policy_of_everything();
	enrol(CARD_ANNA);
	enrol(CARD_BEN);
	open_basket("b1");
	show_card(CARD_ANNA, "b1");
	scan("b1", "secret/goods", 100);
	close_basket("b1", 100);
	open_basket("b2");
	show_card(CARD_BEN, "b2");
	scan("b2", "c", 100);
	forget(CARD_ANNA);
	file = recording(INT64_MIN, INT64_MAX, &piece);
	assert_no_trace(file, CARD_ANNA);
	assert_null(strstr(file, "secret/goods"));
	assert_int_equal(piece.holes, 5); /* two consents, the card, a line, the end of it */
	assert_int_equal(times(file, RECORDING_TYPE "hole"), 2);
	replay(file);
	assert_int_equal(times(notes, "203 a hole: "), 2);
	assert_non_null(strstr(notes, "203 a hole: 2 inputs until 2026-"));
	assert_null(strstr(notes, "400 "));
	assert_non_null(visit_of("b2"));
	free(file);
}

static void
what_is_about_a_customer_is_told_by_any_of_their_cards_and_nothing_else(void **state)
{
	struct id anna = subject_of_card(pepper, CARD_ANNA, strlen(CARD_ANNA));
	struct recording_piece piece = { 0 };
	struct buf text = { 0 };

	(void)state;
	a_policy_of_everything();
	enrol(CARD_ANNA);
	enrol(CARD_BEN);
	open_basket("b1");
	show_card(CARD_ANNA, "b1");
	scan("b1", "annas/goods", 100);
	assert_int_equal(answer_with("yes", "{'decision':'accept','manager':'eve'}", PIN), 200);
	close_basket("b1", 100);
	open_basket("b2");
	show_card(CARD_BEN, "b2");
	scan("b2", "bens/goods", 100);
	tell("loyalty/r1/event", "customer.merged",
	    "{'card':'" CARD_ANNA "','into':'" CARD_CLEO "'}");
	assert_int_equal(query_recording(engine, INT64_MIN, INT64_MAX,
			     store_recording_last(engine->store), &anna, &piece, &text),
	    0);
	buf_addc(&text, '\0');
	assert_int_equal(piece.inputs,
	    6); /* two consents, the card, a line, the end of it, the merge */
	assert_non_null(strstr(text.data, "annas/goods"));
	assert_null(strstr(text.data, "bens/goods"));
	assert_null(strstr(text.data, RECORDING_TYPE));
	assert_null(strstr(text.data, "\"eve\""));
	buf_done(&text);
}

static void
what_comes_of_a_forgotten_card_later_is_a_hole_too(void **state)
{
	struct recording_piece piece;
	char *file;

	(void)state;
	only("advice", "{}");
	enrol(CARD_ANNA);
	forget(CARD_ANNA);
	open_basket("b1");
	show_card(CARD_ANNA, "b1");
	file = recording(INT64_MIN, INT64_MAX, &piece);
	assert_no_trace(file, CARD_ANNA);
	assert_int_equal(piece.holes, 3);
	free(file);
}

/* Both customers' names stand in it. */
static void
a_merge_is_gone_with_either_of_its_two(void **state)
{
	struct recording_piece piece;
	char *file;

	(void)state;
	only("advice", "{}");
	tell("loyalty/r1/event", "customer.merged",
	    "{'card':'" CARD_ANNA "','into':'" CARD_BEN "'}");
	tell("loyalty/r1/event", "customer.merged",
	    "{'card':'" CARD_CLEO "','into':'" CARD_BEN "'}");
	file = recording(INT64_MIN, INT64_MAX, &piece);
	assert_int_equal(times(file, "\"into\":"), 2);
	free(file);
	forget(CARD_CLEO);
	file = recording(INT64_MIN, INT64_MAX, &piece);
	assert_no_trace(file, CARD_CLEO);
	assert_int_equal(times(file, "\"into\":"), 1);
	free(file);
	forget(CARD_BEN);
	file = recording(INT64_MIN, INT64_MAX, &piece);
	assert_no_trace(file, CARD_BEN);
	assert_no_trace(file, CARD_ANNA);
	assert_int_equal(piece.holes, 3); /* Cleo's: both halves of it */
	free(file);
}

/* ---- how much of it ---- */

static void
a_span_of_time_is_cut_out_and_long_ones_come_in_pieces(void **state)
{
	struct recording_piece piece;
	char *file;

	(void)state;
	only("advice", "{}");
	for (int i = 0; i < 700; i++) {
		now_ms = T0 + i * S_MS;
		tell("pos/7/event", "sensor.reading", "{'kind':'queue','station':'7','value':%d}",
		    i);
	}
	file = recording(INT64_MIN, INT64_MAX, &piece);
	assert_int_equal(piece.inputs, 700);
	assert_int_equal(times(file, "sensor.reading"), 700);
	assert_int_equal(times(file, RECORDING_TYPE "began"), 1);
	assert_int_equal(times(file, RECORDING_TYPE "context"), 1);
	assert_int_equal(times(file, RECORDING_TYPE "ended"), 1);
	free(file);
	file = recording(T0 + 10 * S_MS, T0 + 19 * S_MS, &piece);
	assert_int_equal(piece.inputs, 10);
	assert_int_equal(times(file, RECORDING_TYPE "began"), 0);
	free(file);
}

static void
after_a_while_without_a_recording_it_says_that_there_is_a_gap(void **state)
{
	struct recording_piece piece;
	char *file;

	(void)state;
	only("advice", "{}");
	open_basket("b1");
	conf.recording_mib = 0;
	restart();
	open_basket("b2");
	conf.recording_mib = 64;
	restart();
	open_basket("b3");
	restart();
	open_basket("b4");
	file = recording(INT64_MIN, INT64_MAX, &piece);
	assert_int_equal(piece.inputs, 3);
	assert_int_equal(times(file, "\"gap\":true"), 1);
	replay(file);
	assert_non_null(strstr(notes, "203 before this nothing was recorded for a while"));
	free(file);
}

static void
a_line_that_no_store_writes_is_refused(void **state)
{
	static const char *const lines[] = {
		"{'type':'aisle.recording.stop','time':'2026-11-21T10:00:00Z','data':{'action':'a'}"
		"}",
		"{'type':'aisle.recording.stop','time':'2026-11-21T10:00:00Z','data':{'stopped':"
		"true}}",
		"{'type':'aisle.recording.stop','time':'2026-11-21T10:00:00Z','data':{'action':'"
		"a\\tb',"
		"'stopped':true}}",
		"{'type':'aisle.recording.lever','time':'2026-11-21T10:00:00Z','data':{'name':'a','"
		"value':1}}",
		"{'type':'aisle.recording.hole','time':'2026-11-21T10:00:00Z','data':{}}",
		"{'type':'aisle.recording.nothing','time':'2026-11-21T10:00:00Z','data':{}}",
		"{'type':'aisle.recording.ended','data':{}}",
		"{'type':'aisle.recording.ended','time':7,'data':{}}",
	};

	(void)state;
	only("advice", "{}");
	replay("");
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		free(notes);
		notes = NULL;
		take_line(quoted(lines[i]), strlen(lines[i]));
		assert_non_null(notes);
		assert_memory_equal(notes, "400 ", 4);
	}
	assert_int_equal(engine->stopped_count, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up_live, tear_down_live)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_day_replays_to_the_same_decisions_cards_and_records),
		T(after_a_restart_and_a_turn_that_was_undone_it_is_still_the_whole_day),
		T(an_answer_that_is_said_again_is_written_down_once),
		T(an_answer_after_a_snooze_is_replayed_as_the_answer_it_was),
		T(a_manager_who_was_signed_in_answers_in_the_replay_as_well),
		T(time_that_was_uncertain_is_uncertain_in_the_replay),
		T(what_was_refused_or_came_twice_is_not_written_down),
		T(a_card_number_under_a_name_of_the_tills_own_is_left_out),
		T(of_who_is_forgotten_there_is_a_hole_and_the_others_are_replayed),
		T(what_is_about_a_customer_is_told_by_any_of_their_cards_and_nothing_else),
		T(what_comes_of_a_forgotten_card_later_is_a_hole_too),
		T(a_merge_is_gone_with_either_of_its_two),
		T(a_span_of_time_is_cut_out_and_long_ones_come_in_pieces),
		T(after_a_while_without_a_recording_it_says_that_there_is_a_gap),
		T(a_line_that_no_store_writes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
