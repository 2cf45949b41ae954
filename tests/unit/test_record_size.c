/* SPDX-License-Identifier: Apache-2.0
 *
 * test_record_size.c - a decision on record is bounded, whatever a policy that passes every check
 * holds.
 */
#include "decide/decide.h"
#include "spine_rig.h"

#define ADVICE \
	",\"kind\":\"recommend\",\"propensity\":0.5,\"incremental\":1,\"margin\":100," \
	"\"outcome\":{\"is\":\"bought\",\"within\":\"0d\",\"item\":{\"category\":\"m\"}}," \
	"\"gate\":\"associate\",\"expires\":\"120s\""
#define ADVICE_TO_ALL \
	",\"kind\":\"recommend\",\"propensity\":0.5,\"incremental\":1,\"margin\":100," \
	"\"outcome\":{\"is\":\"bought\",\"within\":\"0d\",\"item\":{\"category\":\"m\"}}," \
	"\"gate\":\"none\",\"expires\":\"120s\""
#define LISTS 150
#define ITEMS 2500
#define WIDE 900
#define TEXTS 1000

static int
set_up(void **state)
{
	(void)state;
	rig_open(NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_close();
	return 0;
}

static void
scan(const char *note)
{
	assert_int_equal(rig_send("pos/7/event", "basket.opened",
			     "{\"basket\":\"b\",\"terminal\":\"7\"}"),
	    0);
	assert_int_equal(rig_send("pos/7/event", "basket.item-added",
			     "{\"basket\":\"b\",\"line\":1,\"sku\":\"s\",\"category\":\"c\","
			     "\"qty\":1,"
			     "\"amount\":100,\"currency\":\"EUR\",\"note\":\"%s\"}",
			     note),
	    0);
}

static void
a_hundred_and_fifty_lists_of_2500_articles_make_a_small_record(void **state)
{
	const json_t *candidate;
	size_t i;

	(void)state;
	rig_part("features.json",
	    "{\"features\":[{\"name\":\"sku\",\"type\":\"string\",\"from\":\"event.sku\"}]}");
	rig_part("contact.json", "{\"caps\":[],\"suppress\":[]}");
	rig_policy_begin("{\"tablet\":{\"slots\":2,\"headline_max\":40}}", "");
	for (int a = 0; a < LISTS; a++) {
		struct buf list = { 0 };
		char id[16];

		for (int k = 0; k < ITEMS; k++)
			buf_addf(&list, "%s\"%014d\"", k > 0 ? "," : "", a * 100000 + k);
		snprintf(id, sizeof(id), "a%d", a);
		rig_action(id, ADVICE ",\"applicable\":{\"in\":[{\"var\":\"sku\"},[%s]]}",
		    list.data);
		buf_done(&list);
	}
	rig_policy_set();
	scan("");
	print_message("150 x 2,500: %zu bytes\n", rig.largest);
	assert_true(rig.largest < LISTS * 512);
	json_array_foreach(json_object_get(rig.record, "candidates"), i, candidate) {
		const char *clause = json_string_value(json_object_get(candidate, "clause"));

		assert_int_equal(strncmp(clause, "{\"in\":[{\"var\":\"sku\"},[\"", 23), 0);
		assert_int_equal(strlen(clause), CLAUSE_BYTES_MAX + strlen("…") + 16);
		assert_int_equal(strspn(clause + CLAUSE_BYTES_MAX + strlen("…"),
				     "0123456789abcdef"),
		    16);
	}
	assert_int_equal(i, LISTS);
}

/* 120 characters, each of them two bytes in JSON, and a number; written as JSON. */
static const char *
quoted_name(char letter, int n, char out[static 256])
{
	char *at = out;

	*at++ = letter;
	for (int i = 0; i < 120; i++)
		at += sprintf(at, "\\\"");
	sprintf(at, "%04d", n);
	return out;
}

/* A feature's has no quotes. */
static const char *
long_name(int n, char out[static 256])
{
	snprintf(out, 256, "f%0127d", n);
	return out;
}

/* Every name as long as it may be and of quotes, every place filled, texts of a till that are six bytes a character. */
static void
names_and_texts_as_long_as_they_may_be_stay_within_the_bound(void **state)
{
	struct buf features = { 0 }, caps = { 0 }, note = { 0 };
	char name[256], file[32];

	(void)state;
	for (int i = 0; i < TEXTS; i++)
		buf_addf(&features,
		    "%s{\"name\":\"%s\",\"type\":\"string\",\"from\":\"event.note\"}",
		    i > 0 ? "," : "", long_name(i, name));
	rig_part("features.json", "{\"features\":[%s]}", features.data);
	for (int i = 0; i < 64; i++)
		buf_addf(&caps,
		    "%s{\"per\":\"action\",\"outcome\":\"shown\",\"max\":900,\"within\":\"%dd\"}",
		    i > 0 ? "," : "", i + 1);
	rig_part("contact.json", "{\"caps\":[%s],\"suppress\":[]}", caps.data);
	rig_part("policy.json",
	    "{\"name\":\"t\",\"version\":1,\"currency\":\"EUR\",\"languages\":[\"en\"],"
	    "\"salts\":{\"id\":\"" SALT "\",\"control\":\"" SALT "\",\"explore\":\"" SALT "\"},"
	    "\"placements\":{\"tablet\":{\"slots\":8},\"till\":{\"slots\":8},\"receipt\":{"
	    "\"slots\":8},"
	    "\"customer\":{\"slots\":8}},"
	    "\"explore\":{\"unit\":100,\"gamma\":1,\"shortlist\":64},\"interrupt\":3}");
	for (int a = 0; a < WIDE; a++) {
		struct buf reads = { 0 };

		for (int i = 0; i < (a == 0 ? TEXTS : 1); i++)
			buf_addf(&reads, "%s{\"!=\":[{\"var\":\"%s\"},\"x\"]}", i > 0 ? "," : "",
			    long_name(i, name));
		snprintf(file, sizeof(file), "actions/%d.json", a);
		rig_part(file,
		    "{\"action\":\"%s\",\"issue\":\"grow\",\"group\":\"g\","
		    "\"on\":[\"aisle.basket.item-added\"],\"personal\":false,"
		    "\"placements\":[\"tablet\",\"till\",\"receipt\",\"customer\"],"
		    "\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":"
		    "\"H\"}],"
		    "\"caps\":[%s],\"applicable\":{\"and\":[%s]}" ADVICE_TO_ALL "}",
		    quoted_name('a', a, name), caps.data, reads.data);
		buf_done(&reads);
	}
	rig_policy_set();
	for (int i = 0; i < 550; i++)
		buf_adds(&note, "\\u0001");
	scan(note.data);
	print_message("%d long names, %d long texts: %zu bytes\n", WIDE, TEXTS, rig.largest);
	assert_true(rig.largest > 1024 * 1024);
	assert_true(rig.largest <= DECISION_BYTES_MAX);
	buf_done(&features);
	buf_done(&caps);
	buf_done(&note);
}

/* What the broker would not take is not offered: nobody would see it. */
static void
words_of_a_till_that_would_outgrow_a_message_fit_no_card(void **state)
{
	struct buf note = { 0 };

	(void)state;
	rig_part("features.json",
	    "{\"features\":[{\"name\":\"note\",\"type\":\"string\",\"from\":\"event.note\"}]}");
	rig_part("contact.json", "{\"caps\":[],\"suppress\":[]}");
	rig_policy_begin("{\"tablet\":{\"slots\":2}}", "");
	rig_action("a", ADVICE);
	json_t *action = json_loads(rig.parts[rig.part_count - 1].bytes, 0, NULL);
	json_t *treatment = json_array_get(json_object_get(action, "treatments"), 0);
	struct buf text = { 0 };

	json_object_set_new(treatment, "body", json_string("{{note}}{{note}}"));
	json_write(action, &text);
	json_decref(action);
	free((void *)(uintptr_t)rig.parts[rig.part_count - 1].bytes);
	rig.parts[rig.part_count - 1].len = text.len;
	rig.parts[rig.part_count - 1].bytes = buf_steal(&text);
	rig_policy_set();
	for (int i = 0; i < CARD_TEXT_BYTES_MAX - 100; i++)
		buf_addc(&note, 'n');
	assert_int_equal(rig_send("pos/7/event", "basket.item-added",
			     "{\"basket\":\"b\",\"line\":1,\"sku\":\"s\",\"category\":\"c\","
			     "\"qty\":1,\"amount\":1,\"currency\":\"EUR\",\"note\":\"%.*s\"}",
			     1900, note.data),
	    0);
	assert_string_equal(rig_fate("a"), "offered");
	assert_int_equal(rig_sent(OUTPUT_GUIDANCE), 1);
	buf_clear(&note);
	for (int i = 0; i < CARD_TEXT_BYTES_MAX / 12; i++)
		buf_adds(&note, "\\u0001");
	assert_int_equal(rig_send("pos/8/event", "basket.item-added",
			     "{\"basket\":\"c\",\"line\":1,\"sku\":\"s\",\"category\":\"c\","
			     "\"qty\":1,\"amount\":1,\"currency\":\"EUR\",\"note\":\"%s\"}",
			     note.data),
	    0);
	assert_string_equal(rig_fate("a"), "no-treatment");
	buf_done(&note);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_hundred_and_fifty_lists_of_2500_articles_make_a_small_record),
		T(words_of_a_till_that_would_outgrow_a_message_fit_no_card),
		T(names_and_texts_as_long_as_they_may_be_stay_within_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
