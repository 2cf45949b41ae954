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
#define LISTS 150
#define ITEMS 2500
#define WIDE 900
#define TEXTS 300

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

/* Ids of 128 characters, half of them to be escaped; texts that a till sends into many features. */
static void
names_and_texts_as_long_as_they_may_be_stay_within_the_bound(void **state)
{
	struct buf features = { 0 }, caps = { 0 }, note = { 0 };
	char id[129];

	(void)state;
	for (int i = 0; i < TEXTS; i++)
		buf_addf(&features,
		    "%s{\"name\":\"f%0120d\",\"type\":\"string\",\"from\":\"event.note\"}",
		    i > 0 ? "," : "", i);
	rig_part("features.json", "{\"features\":[%s]}", features.data);
	for (int i = 0; i < 64; i++)
		buf_addf(&caps,
		    "%s{\"per\":\"action\",\"outcome\":\"shown\",\"max\":900,\"within\":\"%dd\"}",
		    i > 0 ? "," : "", i + 1);
	rig_part("contact.json", "{\"caps\":[%s],\"suppress\":[]}", caps.data);
	rig_policy_begin("{\"tablet\":{\"slots\":8},\"till\":{\"slots\":8},\"receipt\":{\"slots\":"
			 "8},"
			 "\"customer\":{\"slots\":8}}",
	    "");
	for (int a = 0; a < WIDE; a++) {
		struct buf reads = { 0 };

		for (int i = 0; i < (a == 0 ? TEXTS : 1); i++)
			buf_addf(&reads, "%s{\"!=\":[{\"var\":\"f%0120d\"},\"x\"]}",
			    i > 0 ? "," : "", i);
		snprintf(id, sizeof(id), "a%04d%0123d", a, 0);
		rig_action(id, ADVICE ",\"caps\":[%s],\"applicable\":{\"and\":[%s]}", caps.data,
		    reads.data);
		buf_done(&reads);
	}
	rig_policy_set();
	for (int i = 0; i < 3000; i++)
		buf_adds(&note, "n");
	scan(note.data);
	print_message("%d long names, %d long texts: %zu bytes\n", WIDE, TEXTS, rig.largest);
	assert_true(rig.largest > 64 * 1024);
	assert_true(rig.largest <= DECISION_BYTES_MAX);
	buf_done(&features);
	buf_done(&caps);
	buf_done(&note);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_hundred_and_fifty_lists_of_2500_articles_make_a_small_record),
		T(names_and_texts_as_long_as_they_may_be_stay_within_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
