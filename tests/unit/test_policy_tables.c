/* SPDX-License-Identifier: Apache-2.0
 *
 * test_policy_tables.c - tables of a policy: read from their files, shared with arms, kept in an image.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "policy/policy_image.h"
#include "policy/policy_tables.h"
#include "policy_fixture.h"
#include "recommend/table_import.h"

#define LIST \
	"item,other,score,name\n4006381333931,96385074,0.5,Milk\n4006381333931,S-9,0.25,\n" \
	"S-9,4006381333931,0.1,Coffee\n"

static void
set_bytes(struct fixture *fixture, const char *name, const void *bytes, size_t len)
{
	fixture_set(fixture, name, "");
	*fixture_part(fixture, name) = (struct policy_part){ name, bytes, len };
}

static struct policy *
compiled(struct fixture *fixture)
{
	struct buf report = { 0 };
	struct policy *policy = NULL;

	if (policy_compile(&fixture->parts, &policy, &report) != 0)
		fail_msg("%s", report.data);
	buf_done(&report);
	return policy;
}

static void
refused(const char *name, const void *bytes, size_t len, const char *text)
{
	struct fixture fixture;
	struct policy *policy;
	struct buf report = { 0 };

	fixture_init(&fixture);
	set_bytes(&fixture, name, bytes, len);
	assert_int_equal(policy_compile(&fixture.parts, &policy, &report), AISLE_E_INVALID);
	if (strstr(report.data, text) == NULL)
		fail_msg("%s is not in %s", text, report.data);
	buf_done(&report);
	fixture_done(&fixture);
}

static struct buf
list_as(enum table_kind kind)
{
	struct buf bytes = { 0 };
	struct err err = { 0 };

	if (table_import(LIST, strlen(LIST), "list.csv", kind, &bytes, &err) != 0)
		fail_msg("%s", err.text);
	return bytes;
}

static void
a_list_of_pairs_is_a_table_with_gtins_in_one_writing(void **state)
{
	struct fixture fixture;
	struct policy *policy;
	const struct table *table;

	(void)state;
	fixture_init(&fixture);
	fixture_set(&fixture, "tables/basket.csv", LIST);
	policy = compiled(&fixture);
	assert_null(policy->tables[FAMILY_OWN]);
	table = policy->tables[FAMILY_BASKET]->table;
	assert_int_equal(table_kind(table), TABLE_ARTICLES);
	assert_int_equal(table_count(table), 3);
	assert_int_equal(table_cells(table), 3);
	assert_true(table_find(table, "04006381333931", 14) >= 0);
	assert_string_equal(table_name(table, (uint32_t)table_find(table, "00000096385074", 14)),
	    "Milk");
	policy_free(policy);
	fixture_done(&fixture);
}

static void
a_score_of_at_most_one_is_the_chance(void **state)
{
	struct buf bytes = list_as(TABLE_ARTICLES);
	struct table *table;
	struct table_pick picks[2];
	struct arena *arena = arena_new();
	struct err err = { 0 };
	uint32_t scanned;

	(void)state;
	assert_int_equal(table_open(bytes.data, bytes.len, &table, &err), 0);
	scanned = (uint32_t)table_find(table, "04006381333931", 14);
	assert_int_equal(table_top(table_scores_new(arena, table, &scanned, 1), true, NULL, NULL,
			     picks, 2),
	    2);
	assert_float_equal(picks[0].chance, 0.5, 1e-4);
	assert_float_equal(picks[1].chance, 0.25, 1e-4);
	table_free(table);
	buf_done(&bytes);
	arena_free(arena);
}

static void
what_is_wrong_in_a_list_is_said_with_its_place(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "tables/basket.csv:1:1: an empty file" },
		{ "item,score\n", "other: no such column" },
		{ "item,other,score\na,,1\n", "tables/basket.csv:2:3: other: expected 1 to 256" },
		{ "item,other,score\na,a,1\n", "other: expected another than the item" },
		{ "item,other,score\na,b\n", "tables/basket.csv:2:1: score: expected a number" },
		{ "item,other,score\na\xff,b,1\n", "item: expected 1 to 256 bytes of text" },
		{ "item,other,score\na,b,0\n", "score: expected a number above 0" },
		{ "item,other,score\na,b,nan\n", "score: expected a number above 0" },
		{ "item,other,score\na,b,1x\n", "tables/basket.csv:2:5: score: expected" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		refused("tables/basket.csv", cases[i].text, strlen(cases[i].text), cases[i].says);
}

static void
a_table_stands_under_its_own_name_and_is_whole(void **state)
{
	struct buf bytes = list_as(TABLE_SUBSTITUTES);

	(void)state;
	refused("tables/basket.table", bytes.data, bytes.len,
	    "a table of substitutes, which is none for \"basket\"");
	refused("tables/substitute.table", bytes.data, bytes.len - 1,
	    "the table is damaged: not as long as its parts");
	bytes.data[8] = 77;
	refused("tables/substitute.table", bytes.data, bytes.len,
	    "the table is damaged: of a kind that is none");
	refused("tables/own.csv", LIST, strlen(LIST), "unknown file, expected basket, own");
	refused("tables/baskets.table", "", 0, "unknown file, expected basket, own");
	buf_done(&bytes);
}

static void
words_are_of_the_languages_of_the_policy(void **state)
{
	struct fixture fixture;
	struct policy *policy;

	(void)state;
	fixture_init(&fixture);
	fixture_set(&fixture, "tables/tables.json",
	    "{\"names\":{\"grocery/"
	    "tea\":{\"en\":\"tea\",\"de\":\"Tee\"},\"S-9\":{\"en\":\"jam\"}}}");
	policy = compiled(&fixture);
	assert_string_equal(policy_words(policy, "grocery/tea", "de"), "Tee");
	assert_string_equal(policy_words(policy, "S-9", "en"), "jam");
	assert_null(policy_words(policy, "S-9", "de"));
	assert_null(policy_words(policy, "S-8", "en"));
	policy_free(policy);
	fixture_done(&fixture);
	refused("tables/tables.json", "{\"names\":{\"S-9\":{\"fr\":\"confiture\"}}}",
	    sizeof("{\"names\":{\"S-9\":{\"fr\":\"confiture\"}}}") - 1,
	    "not a word in a language of policy.json");
	refused("tables/tables.json", "{\"names\":{\"S-9\":\"jam\"}}",
	    sizeof("{\"names\":{\"S-9\":\"jam\"}}") - 1, "no words, expected");
	refused("tables/tables.json", "{\"naems\":{}}", sizeof("{\"naems\":{}}") - 1, "naems");
}

static void
an_image_and_an_arm_have_the_same_tables(void **state)
{
	struct fixture fixture;
	struct policy *policy[3], *arm;
	struct buf memory = { 0 }, rest = { 0 };
	struct arena *arena = arena_new();
	const char *patch = "{\"policy\":{\"interrupt\":6}}";
	struct err err = { 0 };
	void *room;

	(void)state;
	fixture_init(&fixture);
	fixture_set(&fixture, "tables/basket.csv", LIST);
	policy[0] = compiled(&fixture);
	policy[1] = compiled(&fixture);
	assert_int_equal(policy_image_write(policy[0], policy[1], &memory, &rest, &err), 0);
	room = arena_room(arena, memory.len);
	memcpy(room, memory.data, memory.len);
	assert_int_equal(policy_image_read(arena, room, memory.len, rest.data, rest.len, &policy[2],
			     &err),
	    0);
	assert_int_equal(policy[2]->tables[FAMILY_BASKET]->len,
	    policy[0]->tables[FAMILY_BASKET]->len);
	assert_memory_equal(policy[2]->tables[FAMILY_BASKET]->bytes,
	    policy[0]->tables[FAMILY_BASKET]->bytes, policy[0]->tables[FAMILY_BASKET]->len);
	assert_int_equal(policy_patched(policy[0], &fixture.parts, &patch, 1, &arm, &err), 0);
	assert_ptr_equal(arm->tables[FAMILY_BASKET], policy[0]->tables[FAMILY_BASKET]);
	policy_free(policy[0]);
	assert_int_equal(table_count(arm->tables[FAMILY_BASKET]->table), 3);
	policy_free(arm);
	policy_free(policy[1]);
	policy_free(policy[2]);
	buf_done(&memory);
	buf_done(&rest);
	fixture_done(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_of_pairs_is_a_table_with_gtins_in_one_writing),
		cmocka_unit_test(a_score_of_at_most_one_is_the_chance),
		cmocka_unit_test(what_is_wrong_in_a_list_is_said_with_its_place),
		cmocka_unit_test(a_table_stands_under_its_own_name_and_is_whole),
		cmocka_unit_test(words_are_of_the_languages_of_the_policy),
		cmocka_unit_test(an_image_and_an_arm_have_the_same_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
