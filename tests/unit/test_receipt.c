/* SPDX-License-Identifier: Apache-2.0
 *
 * test_receipt.c - what a sender is told of its events, and what is kept of those that could not be used.
 */
#include "core/metrics.h"
#include "spine_story.h"

/* ---- receipts ---- */

#define MANY 300

static struct buf payloads[MANY];
static struct input inputs[MANY];

static void
many_readings(size_t many, const char *topic, bool bad)
{
	char at[WHEN_TEXT_SIZE];

	when_text(now_ms, at);
	for (size_t i = 0; i < many; i++) {
		buf_clear(&payloads[i]);
		buf_addf(&payloads[i],
		    "{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"n%d\",\"receipt\":true,"
		    "\"type\":\"aisle.sensor.reading\",\"time\":\"%s\",\"data\":{\"kind\":\"door\"%"
		    "s}}",
		    ++count, at, bad ? "" : ",\"value\":1");
		inputs[i] = (struct input){ .kind = INPUT_MESSAGE,
			.now_ms = now_ms,
			.topic = topic,
			.payload = payloads[i].data,
			.len = payloads[i].len };
	}
}

/* How many a receipt names: taken, refused, and of when. */
static void
in_receipt(const struct output *output, size_t *taken, size_t *refused)
{
	json_t *json = json_loadb(output->payload, output->len, 0, NULL);

	assert_non_null(json);
	*taken = json_array_size(json_object_get(json, "ids"));
	*refused = json_array_size(json_object_get(json, "refused"));
	assert_int_equal(json_array_size(json_object_get(json, "at")), *taken);
	assert_int_equal(json_object_get(json, "refused") != NULL, *refused > 0);
	json_decref(json);
}

static void
a_turn_sends_each_sender_one_receipt_of_up_to_256_events(void **state)
{
	static const size_t many[] = { 1, 64, 65, 255, 256, 257, 300 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		size_t receipts = 0, all = 0, taken, refused;

		many_readings(many[i], "aisle/v1/0042/pos/7/event", false);
		assert_int_equal(turn_run(engine, inputs, many[i]), 0);
		for (size_t n = 0; n < engine->output_count; n++) {
			if (engine->outputs[n].kind != OUTPUT_RECEIPT)
				continue;
			in_receipt(&engine->outputs[n], &taken, &refused);
			assert_int_equal(refused, 0);
			assert_true(taken <= 256);
			assert_true(receipts > 0 || taken == (many[i] < 256 ? many[i] : 256));
			receipts++;
			all += taken;
		}
		assert_int_equal(all, many[i]);
		assert_int_equal(receipts, (many[i] + 255) / 256);
	}
	for (size_t i = 0; i < MANY; i++)
		buf_done(&payloads[i]);
}

static void
what_is_refused_is_told_with_its_reason_and_each_sender_of_its_own(void **state)
{
	static const char *const topics[] = { "aisle/v1/0042/pos/7/event",
		"aisle/v1/0042/loyalty/r1/event", "aisle/v1/0042/care/event" };
	static const char *const to[] = { "pos/7/receipt", "loyalty/r1/receipt", "care/receipt" };
	size_t taken, refused;

	(void)state;
	for (size_t t = 0; t < ARRAY_LEN(topics); t++) {
		for (int bad = 0; bad < 2; bad++) {
			const struct output *receipt = NULL;

			many_readings(1, topics[t], bad);
			assert_int_equal(turn_run(engine, inputs, 1), 0);
			for (size_t n = 0; n < engine->output_count; n++)
				if (engine->outputs[n].kind == OUTPUT_RECEIPT)
					receipt = &engine->outputs[n];
			assert_non_null(receipt);
			assert_non_null(strstr(receipt->topic, to[t]));
			in_receipt(receipt, &taken, &refused);
			assert_int_equal(taken, !bad);
			assert_int_equal(refused, bad);
			assert_int_equal(memmem(receipt->payload, receipt->len, "bad-shape", 9) !=
				NULL,
			    bad);
		}
	}
	buf_done(&payloads[0]);
}

/* ---- dead letters ---- */

struct kept {
	int rows;
	size_t len;
	char payload[512];
};

static int
look_at_letter(void *ctx, int64_t n, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const void *payload, size_t len)
{
	struct kept *kept = ctx;

	(void)n;
	(void)at_ms;
	(void)topic;
	(void)reason;
	(void)detail;
	if (kept->rows++ == 0) {
		kept->len = len;
		snprintf(kept->payload, sizeof(kept->payload), "%.*s", (int)len,
		    (const char *)payload);
	}
	return 0;
}

/* The newest. */
static struct kept
letter_of(const char *payload)
{
	struct kept kept = { 0 };
	struct input input = { .kind = INPUT_MESSAGE,
		.topic = "aisle/v1/0042/pos/7/event",
		.payload = payload,
		.len = strlen(payload) };

	turn(&input);
	assert_said("dead bad-envelope");
	assert_int_equal(store_dead_each(engine->store, -1, look_at_letter, &kept), 0);
	return kept;
}

static void
an_articles_number_is_kept_and_a_card_number_is_not(void **state)
{
	(void)state;
	assert_non_null(strstr(letter_of("{\"x\":{\"gtin\":\"5012345678900\"}}").payload,
	    "5012345678900"));
	assert_null(strstr(letter_of("{\"x\":{\"gtin\":\"5012345678901\"}}").payload,
	    "5012345678901"));
	assert_null(strstr(letter_of("{\"x\":\"4000123412341234\"}").payload, "4000123412341234"));
}

/* One customer's letter is sealed under their key, of one that names two only the reason is kept. */
static void
a_letter_goes_with_the_customer_it_names_and_one_of_two_has_no_payload(void **state)
{
	struct id anna = subject_of(ANNA), ben = subject_of(BEN);
	struct kept kept = { 0 };

	(void)state;
	assert_int_not_equal(letter_of("{\"subject\":\"" ANNA "\",\"n\":1}").len, 0);
	assert_int_not_equal(letter_of("{\"subject\":\"" ANNA "\",\"a\":{\"subject\":\"" ANNA
				       "\"}}")
				 .len,
	    0);
	assert_int_equal(letter_of("{\"subject\":\"" ANNA "\",\"a\":{\"subject\":\"" BEN "\"}}")
			     .len,
	    0);
	assert_int_equal(
	    letter_of("{\"card\":\"4000123412341234\",\"a\":{\"card\":\"4000123412341235\"}}").len,
	    0);
	assert_int_not_equal(letter_of("{\"subject\":\"too short\"}").len, 0);
	assert_int_not_equal(letter_of("{\"subject\":\"x0000000000000000000000000000001\"}").len,
	    0);
	/* Of whom it was: what was kept of two is nobody's. */
	assert_int_equal(keys_destroy(engine->keys, &ben), 0);
	assert_int_equal(store_dead_each(engine->store, -1, look_at_letter, &kept), 0);
	assert_int_equal(kept.rows, 6);
	assert_int_equal(keys_destroy(engine->keys, &anna), 0);
	assert_int_equal(store_begin(engine->store), 0);
	assert_int_equal(store_forget(engine->store, &anna), 0);
	assert_int_equal(store_commit(engine->store), 0);
	kept.rows = 0;
	assert_int_equal(store_dead_each(engine->store, -1, look_at_letter, &kept), 0);
	assert_int_equal(kept.rows, 4);
}

/* ---- how many are told ---- */

static int
letters_in_all(void)
{
	struct kept kept = { 0 };

	assert_int_equal(store_dead_each(engine->store, -1, look_at_letter, &kept), 0);
	return kept.rows;
}

static void
bad_messages(int many)
{
	for (int i = 0; i < many; i++) {
		struct input input = { .kind = INPUT_MESSAGE,
			.topic = "aisle/v1/0042/pos/7/event",
			.payload = "x",
			.len = 1 };

		turn(&input);
	}
}

/* Who was silent for an hour may have no more told at once than who was for three seconds. */
static void
a_few_letters_are_told_at_once_and_then_one_a_second(void **state)
{
	static const struct {
		int64_t silent_ms;
		int told; /* of ten more, with what had been left out */
	} cases[] = { { 0, 0 }, { 999, 0 }, { S_MS, 1 }, { 2 * S_MS, 2 }, { 3 * S_MS, 3 },
		{ 4 * S_MS, 3 }, { H_MS, 3 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int before;

		tear_down(NULL);
		set_up(NULL);
		conf.terminal_rate = 30; /* three at once */
		bad_messages(10);
		assert_int_equal(letters_in_all(), 3);
		before = letters_in_all();
		now_ms += cases[i].silent_ms;
		bad_messages(10);
		assert_int_equal(letters_in_all() - before, cases[i].told);
	}
	/* At least one. */
	for (int rate = 1; rate <= 20; rate += 19) {
		tear_down(NULL);
		set_up(NULL);
		conf.terminal_rate = rate;
		bad_messages(10);
		assert_int_equal(letters_in_all(), rate == 1 ? 1 : 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(a_turn_sends_each_sender_one_receipt_of_up_to_256_events),
		SPINE_TEST(what_is_refused_is_told_with_its_reason_and_each_sender_of_its_own),
		SPINE_TEST(an_articles_number_is_kept_and_a_card_number_is_not),
		SPINE_TEST(a_letter_goes_with_the_customer_it_names_and_one_of_two_has_no_payload),
		SPINE_TEST(a_few_letters_are_told_at_once_and_then_one_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
