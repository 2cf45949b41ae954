/* SPDX-License-Identifier: Apache-2.0
 *
 * test_table_train.c - tables counted from baskets: by hand, and what they find or leave alone.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recommend/table_layout.h"
#include "tools/table_judge.h"
#include "tools/table_train.h"

static uint32_t
item(struct table_data *data, const char *text)
{
	return (uint32_t)table_data_item(data, text, strlen(text));
}

static void
add(struct table_data *data, const char *items)
{
	uint32_t list[16];
	size_t count = 0;

	for (; *items != '\0'; items++) {
		char text[2] = { *items, '\0' };

		list[count++] = item(data, text);
	}
	table_data_add(data, (int64_t)data->count * D_MS, -1, list, count);
}

/* Numbers of times 1024 as the table has them. */
static void
test_every_pair_of_groups_by_hand(void **state)
{
	struct table_data data;
	struct table_part part;
	struct table_made made;

	(void)state;
	table_data_init(&data);
	add(&data, "ab");
	add(&data, "ba");
	add(&data, "aca"); /* a double counts once */
	add(&data, "a");   /* of one item: says nothing */
	table_part_make(&part, &data, 0, data.count, 512);
	table_made_init(&made, &part, TABLE_GROUPS, 1);
	table_made_pairs(&made, &part);
	/* D_ab = 2, D_ac = 1; m_a = 3, m_b = 2, m_c = 1; q = 3/6, 2/6, 1/6 */
	assert_string_equal(made.rows[0].text, "a");
	assert_int_equal(made.rows[0].baskets, 4);
	assert_int_equal(made.rows[1].ln_share, -1125); /* ln 1/3 */
	assert_int_equal(made.rows[2].ln_share, -1835); /* ln 1/6 */
	assert_int_equal(made.pairs[0 * 3 + 1], 415);	/* ln (2 + 1)/(3·2/6 + 1) */
	assert_int_equal(made.pairs[1 * 3 + 0], 415);	/* ln (2 + 1)/(2·3/6 + 1) */
	assert_int_equal(made.pairs[0 * 3 + 2], 295);	/* ln (1 + 1)/(3·1/6 + 1) */
	assert_int_equal(made.pairs[1 * 3 + 2], 0);	/* never together */
	table_made_done(&made);
	table_part_done(&part);
	table_data_done(&data);
}

static void
test_neighbours_by_hand_and_none_of_what_two_baskets_hold(void **state)
{
	struct table_data data;
	struct table_part part;
	struct table_pairs pairs;
	struct table_made made;

	(void)state;
	table_data_init(&data);
	for (int i = 0; i < 4; i++)
		add(&data, "ab");
	for (int i = 0; i < 3; i++)
		add(&data, "abc");
	add(&data, "ad");
	add(&data, "ad");
	table_part_make(&part, &data, 0, data.count, 100);
	table_pairs_make(&pairs, &part);
	table_made_init(&made, &part, TABLE_ARTICLES, 0);
	table_made_neighbours(&made, &part, &pairs, &(struct table_how){ 1, 2, false });
	/* a (9): b 7·7/9/9 = .605, c 3·3/5/9 = .2; b (7): a 7·7/9/7 = .778, c .257; c (3): a, b .6 */
	assert_int_equal(made.parts.power, 2);
	assert_int_equal(made.first[1], 2);
	assert_int_equal(made.cells[0].item, 1);
	assert_int_equal(made.cells[0].weight, 50972); /* 65535·.605/.778 */
	assert_int_equal(made.cells[1].item, 2);
	assert_int_equal(made.cells[2].item, 0);
	assert_int_equal(made.cells[2].weight, 65535);
	/* c: equal ones by number */
	assert_int_equal(made.first[3] - made.first[2], 2);
	assert_int_equal(made.cells[4].item, 0);
	assert_int_equal(made.cells[5].item, 1);
	/* d: twice with a is chance */
	assert_int_equal(made.first[4] - made.first[3], 0);
	table_pairs_done(&pairs);
	table_made_done(&made);
	table_part_done(&part);
	table_data_done(&data);
}

/* ---- what it finds ---- */

static uint64_t seed;

static uint32_t
chance(uint32_t of)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % of;
}

/* Forty items; goes: i comes with i + 1 in half of the baskets. */
static void
fill(struct table_data *data, size_t baskets, bool goes)
{
	seed = 1;
	table_data_init(data);
	for (size_t b = 0; b < baskets; b++) {
		uint32_t list[6];
		size_t count = 0;

		for (int i = 0; i < 3; i++) {
			char text[8];
			uint32_t a = chance(20) * 2;

			snprintf(text, sizeof(text), "i%u", a);
			list[count++] = item(data, text);
			snprintf(text, sizeof(text), "i%u",
			    goes && chance(2) == 0 ? a + 1 : chance(40));
			list[count++] = item(data, text);
		}
		table_data_add(data, (int64_t)b * H_MS, (int32_t)(b % 50), list, count);
	}
}

static void
test_what_goes_together_is_found_and_where_nothing_does_it_is_plain_counting(void **state)
{
	(void)state;
	for (int goes = 0; goes < 2; goes++) {
		struct table_data data;
		struct table_trained trained;
		struct table *table;
		struct err err = { 0 };

		fill(&data, 3000, goes == 1);
		table_train_basket(&data, 0, data.count, 0, &trained);
		assert_true(trained.bytes.len > 0);
		assert_int_equal(table_open(trained.bytes.data, trained.bytes.len, &table, &err),
		    0);
		assert_int_equal(trained.counts_alone, goes == 0);
		if (goes == 1) {
			struct arena *arena = arena_new();
			uint32_t scanned = (uint32_t)table_find(table, "i6", 2);
			struct table_pick pick;

			assert_true(trained.won > 1.3 * trained.plain);
			assert_int_equal(table_top(table_scores_new(arena, table, &scanned, 1),
					     true, NULL, NULL, &pick, 1),
			    1);
			assert_string_equal(table_text(table, pick.item), "i7");
			/* It comes in half of them, and was scanned already in half of those. */
			assert_in_range((int)(pick.chance * 100), 20, 60);
			arena_free(arena);
		} else {
			assert_int_equal(table_cells(table), 0);
			assert_non_null(strstr(trained.said, "plain counting"));
		}
		table_free(table);
		table_trained_done(&trained);
		table_data_done(&data);
	}
}

static void
test_the_same_baskets_make_the_same_bytes(void **state)
{
	struct table_trained trained[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct table_data data;

		fill(&data, 1500, true);
		table_train_basket(&data, 0, data.count, 0, &trained[i]);
		table_data_done(&data);
	}
	assert_int_equal(trained[0].bytes.len, trained[1].bytes.len);
	assert_memory_equal(trained[0].bytes.data, trained[1].bytes.data, trained[0].bytes.len);
	/* On each processor. */
	assert_int_equal(table_key(trained[0].bytes.data, trained[0].bytes.len),
	    UINT64_C(0x2bfd77761a458693));
	table_trained_done(&trained[0]);
	table_trained_done(&trained[1]);
}

static void
test_of_few_baskets_there_is_no_table_and_it_is_said(void **state)
{
	struct table_data data;
	struct table_trained trained;

	(void)state;
	fill(&data, 100, true);
	table_train_basket(&data, 0, data.count, 0, &trained);
	assert_int_equal(trained.bytes.len, 0);
	assert_non_null(strstr(trained.said, "fewer than 200 baskets"));
	table_trained_done(&trained);
	table_train_own(&data, 0, data.count, 0, &trained);
	assert_int_equal(trained.bytes.len, 0);
	table_trained_done(&trained);
	table_train_substitutes(&data, 0, data.count, 0, &trained);
	assert_int_equal(trained.bytes.len, 0);
	table_trained_done(&trained);
	table_data_done(&data);
}

/* Customer c buys item c each time, and something else. */
static void
test_own_items_come_with_a_chance_that_is_theirs(void **state)
{
	struct table_data data;
	struct table_trained trained;
	struct table *table;
	struct table_visits visits;
	struct table_part part;
	struct table_own own[TABLE_OWN_MAX];
	struct arena *arena = arena_new();
	struct err err = { 0 };

	(void)state;
	seed = 3;
	table_data_init(&data);
	for (size_t b = 0; b < 4000; b++) {
		uint32_t list[2], customer = (uint32_t)(b % 40);
		char text[8];

		snprintf(text, sizeof(text), "c%u", customer);
		list[0] = item(&data, text);
		snprintf(text, sizeof(text), "o%u", chance(30));
		list[1] = item(&data, text);
		table_data_add(&data, (int64_t)b * H_MS, (int32_t)customer, list, 2);
	}
	table_train_own(&data, 0, data.count, 0, &trained);
	assert_int_equal(table_open(trained.bytes.data, trained.bytes.len, &table, &err), 0);
	assert_int_equal(table_kind(table), TABLE_OWN);
	table_part_make(&part, &data, 0, data.count, TABLE_ITEMS_MAX);
	table_visits_make(&visits, &data);
	assert_true(table_habits(arena, table, &part, &visits, 3999, own) > 1);
	assert_string_equal(table_text(table, own[0].item), "c39");
	assert_true(own[0].chance > 0.9);
	table_visits_done(&visits);
	table_part_done(&part);
	table_free(table);
	table_trained_done(&trained);
	table_data_done(&data);
	arena_free(arena);
}

/* Two types; whoever had the first of one takes the second next. */
static void
test_a_substitute_is_of_the_type_and_what_was_taken_instead(void **state)
{
	struct table_data data;
	struct table_trained trained;
	struct table *table;
	struct table_pick picks[TABLE_ROW_MAX];
	struct arena *arena = arena_new();
	struct err err = { 0 };
	uint32_t had;
	size_t count;

	(void)state;
	table_data_init(&data);
	for (uint32_t i = 0; i < 8; i++) {
		char text[16];
		uint32_t number;

		snprintf(text, sizeof(text), "t%u-%u", i / 4, i % 4);
		number = item(&data, text);
		data.goods[number].type = 1 + i / 4;
	}
	seed = 5;
	for (size_t b = 0; b < 3000; b++) {
		uint32_t type = chance(2) * 4,
			 one = type + (uint32_t)(b / 60 % 2) * (chance(5) > 0),
			 list[1] = { chance(10) == 0 ? type + 3 : one };

		table_data_add(&data, (int64_t)b * H_MS, (int32_t)(b % 60), list, 1);
	}
	table_train_substitutes(&data, 0, data.count, 0, &trained);
	assert_int_equal(table_open(trained.bytes.data, trained.bytes.len, &table, &err), 0);
	assert_int_equal(table_kind(table), TABLE_SUBSTITUTES);
	had = (uint32_t)table_find(table, "t1-0", 4);
	count = table_top(table_scores_new(arena, table, &had, 1), true, NULL, NULL, picks,
	    TABLE_ROW_MAX);
	assert_in_range(count, 2, 3);
	assert_string_equal(table_text(table, picks[0].item), "t1-1");
	for (size_t i = 0; i < count; i++)
		assert_int_equal(strncmp(table_text(table, picks[i].item), "t1-", 3), 0);
	table_free(table);
	table_trained_done(&trained);
	table_data_done(&data);
	arena_free(arena);
}

static void
test_chances_rise_with_the_score_and_few_of_them_are_none(void **state)
{
	static struct table_said said[2000];
	struct table_made made = { 0 };

	(void)state;
	seed = 7;
	for (size_t i = 0; i < ARRAY_LEN(said); i++)
		said[i] = (struct table_said){ (int64_t)(i % 100), chance(100) < i % 100 };
	table_calibrate(&made, said, ARRAY_LEN(said));
	assert_in_range(made.parts.step_count, 10, TABLE_STEPS_MAX);
	for (uint32_t i = 1; i < made.parts.step_count; i++) {
		assert_true(made.steps[i].score > made.steps[i - 1].score);
		assert_true(made.steps[i].chance >= made.steps[i - 1].chance);
	}
	assert_in_range(made.steps[0].chance, 0, 65536 / 10);
	assert_in_range(made.steps[made.parts.step_count - 1].chance, 65536 / 10 * 9, 65536);
	table_calibrate(&made, said, 199);
	assert_int_equal(made.parts.step_count, 0);
	table_made_done(&made);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_pair_of_groups_by_hand),
		cmocka_unit_test(test_neighbours_by_hand_and_none_of_what_two_baskets_hold),
		cmocka_unit_test(
		    test_what_goes_together_is_found_and_where_nothing_does_it_is_plain_counting),
		cmocka_unit_test(test_the_same_baskets_make_the_same_bytes),
		cmocka_unit_test(test_of_few_baskets_there_is_no_table_and_it_is_said),
		cmocka_unit_test(test_own_items_come_with_a_chance_that_is_theirs),
		cmocka_unit_test(test_a_substitute_is_of_the_type_and_what_was_taken_instead),
		cmocka_unit_test(test_chances_rise_with_the_score_and_few_of_them_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
