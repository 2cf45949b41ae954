/* SPDX-License-Identifier: Apache-2.0
 *
 * test_table.c - tables of what goes with what: looked up, and refused where they lie.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "recommend/table_layout.h"

static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const struct table_row rows[] = {
	{ "milk", "Milk", 8, 60, 4096, -1024 },
	{ "bread", NULL, 6, 120, 4096, -1536 },
	{ "jam", NULL, 4, 0, 8192, -2048 },
	{ "tea", NULL, 1, 0, 4096, -3072 },
};

static struct table_parts
parts_of(enum table_kind kind)
{
	struct table_parts parts = { .kind = kind,
		.power = 1,
		.baskets = 10,
		.decay = 65536,
		.prior = 2,
		.patience = 100,
		.rows = rows,
		.row_count = ARRAY_LEN(rows) };

	for (int i = 0; i < TABLE_RHYTHM; i++)
		parts.rhythm[i] = TABLE_UNIT;
	return parts;
}

static struct buf
pack(const struct table_parts *parts)
{
	struct buf out = { 0 };
	struct err err = { 0 };

	if (table_pack(parts, &out, &err) != 0)
		fail_msg("%s", err.text);
	return out;
}

static struct table *
open_bytes(const struct buf *bytes)
{
	struct table *table;
	struct err err = { 0 };

	if (table_open(bytes->data, bytes->len, &table, &err) != 0)
		fail_msg("%s", err.text);
	return table;
}

/* milk: bread 60000, jam 30000; bread: milk 65535; jam: bread 20000, milk 20000 */
static const uint32_t first[] = { 0, 2, 3, 5, 5 };
static const struct table_cell cells[] = { { 1, 60000 }, { 2, 30000 }, { 0, 65535 }, { 0, 20000 },
	{ 1, 20000 } };

static struct buf
pack_articles(int power)
{
	struct table_parts parts = parts_of(TABLE_ARTICLES);

	parts.power = power;
	parts.first = first;
	parts.cells = cells;
	return pack(&parts);
}

static bool
may_not_be(const void *ctx, uint32_t item)
{
	return item != *(const uint32_t *)ctx;
}

static void
test_an_item_is_found_by_its_text_and_by_nothing_that_is_nearly_it(void **state)
{
	struct buf bytes = pack_articles(1);
	struct table *table = open_bytes(&bytes);

	(void)state;
	assert_int_equal(table_count(table), 4);
	assert_int_equal(table_find(table, "jam", 3), 2);
	assert_int_equal(table_find(table, "jammed", 3), 2);
	assert_int_equal(table_find(table, "ja", 2), -1);
	assert_int_equal(table_find(table, "jams", 4), -1);
	assert_int_equal(table_find(table, "", 0), -1);
	assert_string_equal(table_text(table, 3), "tea");
	assert_string_equal(table_name(table, 0), "Milk");
	assert_null(table_name(table, 1));
	table_free(table);
	buf_done(&bytes);
}

static void
test_neighbours_add_up_and_what_is_scanned_is_not_said(void **state)
{
	struct buf bytes = pack_articles(1);
	struct table *table = open_bytes(&bytes);
	uint32_t scanned[] = { 2, 0, 2 };
	struct table_scores *scores = table_scores_new(arena, table, scanned, 3);
	struct table_pick picks[4];

	(void)state;
	assert_true(table_scanned(scores, 0) && table_scanned(scores, 2));
	assert_false(table_scanned(scores, 1));
	/* 60000 by milk, 20000 by jam; jam counts once. */
	assert_int_equal(table_score(scores, 1), INT64_C(80000) << 32);
	assert_int_equal(table_top(scores, true, NULL, NULL, picks, 4), 1);
	assert_int_equal(picks[0].item, 1);
	/* Nobody's neighbour comes behind, by how many baskets have it. */
	assert_int_equal(table_top(scores, false, NULL, NULL, picks, 4), 2);
	assert_int_equal(picks[1].item, 3);
	/* Without a calibration a chance is the share of the baskets. */
	assert_float_equal(picks[0].chance, 0.6, 1e-12);
	table_free(table);
	buf_done(&bytes);
}

static void
test_weights_are_raised_on_one_scale_and_a_full_basket_does_not_overflow(void **state)
{
	static const struct {
		int power;
		int64_t score;
	} cases[] = { { 1, INT64_C(65535) << 32 }, { 2, (INT64_C(65535) * 65535) << 16 },
		{ 4, INT64_C(65535) * 65535 * (INT64_C(65535) * 65535 >> 16) } };
	uint32_t scanned = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf bytes = pack_articles(cases[i].power);
		struct table *table = open_bytes(&bytes);
		struct table_scores *scores = table_scores_new(arena, table, &scanned, 1);

		assert_int_equal(table_score(scores, 0), cases[i].score);
		assert_true(cases[i].score < INT64_MAX / TABLE_SCANNED_MAX);
		table_free(table);
		buf_done(&bytes);
	}
}

static void
test_equal_scores_go_to_the_smaller_number_and_what_may_not_be_said_is_passed_over(void **state)
{
	struct buf bytes = pack_articles(1);
	struct table *table = open_bytes(&bytes);
	uint32_t jam = 2, not_milk = 0;
	struct table_scores *scores = table_scores_new(arena, table, &jam, 1);
	struct table_pick pick;

	(void)state;
	assert_int_equal(table_top(scores, true, NULL, NULL, &pick, 1), 1);
	assert_int_equal(pick.item, 0);
	assert_int_equal(table_top(scores, true, may_not_be, &not_milk, &pick, 1), 1);
	assert_int_equal(pick.item, 1);
	assert_int_equal(table_top(scores, true, NULL, NULL, &pick, 0), 0);
	table_free(table);
	buf_done(&bytes);
}

static void
test_groups_score_by_share_and_by_every_pair_over_the_root_of_how_many(void **state)
{
	static const int16_t pairs[16] = {
		0, 512, 100, -200, /* milk */
		512, 0, 0, 0,	   /* bread */
		300, 40, 0, 1000,  /* jam */
		0, 0, 0, 0,	   /* tea */
	};
	struct table_parts parts = parts_of(TABLE_GROUPS);
	struct buf bytes;
	struct table *table;
	uint32_t scanned[] = { 0, 2 };
	struct table_scores *scores;
	struct table_pick picks[2];

	(void)state;
	parts.pairs = pairs;
	bytes = pack(&parts);
	table = open_bytes(&bytes);
	scores = table_scores_new(arena, table, scanned, 1);
	assert_int_equal(table_score(scores, 1), -1536 + 512);
	assert_int_equal(table_score(scores, 3), -3072 - 200);
	scores = table_scores_new(arena, table, scanned, 2);
	/* floor(32768/sqrt 2) = 23170 */
	assert_int_equal(table_score(scores, 1), -1536 + 552 * 23170 / 32768);
	assert_int_equal(table_score(scores, 3), -3072 + 800 * 23170 / 32768);
	assert_int_equal(table_top(scores, true, NULL, NULL, picks, 2), 2);
	assert_int_equal(picks[0].item, 1);
	assert_int_equal(picks[1].item, 3);
	scores = table_scores_new(arena, table, NULL, 0);
	assert_int_equal(table_score(scores, 0), -1024);
	table_free(table);
	buf_done(&bytes);
}

static void
test_a_chance_lies_on_the_line_between_two_steps_and_ends_with_them(void **state)
{
	static const struct table_step steps[] = { { -100, 6553 }, { 100, 32768 }, { 200, 65536 } };
	struct table_parts parts = parts_of(TABLE_OWN);
	struct buf bytes;
	struct table *table;

	(void)state;
	parts.steps = steps;
	parts.step_count = 3;
	bytes = pack(&parts);
	table = open_bytes(&bytes);
	assert_float_equal(table_chance(table, 0, -5000), 6553 / 65536.0, 1e-12);
	assert_float_equal(table_chance(table, 0, 0), (6553 + 32768) / 2.0 / 65536, 1e-12);
	assert_float_equal(table_chance(table, 0, 100), 0.5, 1e-12);
	assert_float_equal(table_chance(table, 0, 150), 0.75, 1e-12);
	assert_float_equal(table_chance(table, 0, 200), 1, 1e-12);
	assert_float_equal(table_chance(table, 0, INT64_MAX), 1, 1e-12);
	table_free(table);
	buf_done(&bytes);
}

/* ---- the customer's own ---- */

static void
test_own_items_by_counts_the_prior_a_factor_and_the_rhythm(void **state)
{
	struct table_parts parts = parts_of(TABLE_OWN);
	static const uint32_t with_milk[] = { 0 }, with_both[] = { 0, 2 };
	/* An hour apart. */
	struct table_visit visits[] = { { 0, with_milk, 1 }, { H_MS, with_both, 2 },
		{ 2 * H_MS, NULL, 0 } };
	struct table_own own[TABLE_OWN_MAX];
	struct buf bytes;
	struct table *table;

	(void)state;
	parts.rhythm[6] = 2048; /* from 1.1 gaps to 1.4 */
	bytes = pack(&parts);
	table = open_bytes(&bytes);
	/* Milk: gap (1·60 + 2·60)/3 = 60 minutes, 72 minutes ago: bin 6. */
	assert_int_equal(table_own(arena, table, visits, 3, H_MS + 72 * MIN_MS, own), 2);
	/* jam: (1 + 2·0.4)/(3 + 2) · factor 2; bought once: no rhythm */
	assert_int_equal(own[0].item, 2);
	assert_int_equal(own[0].score, (int64_t)((1 + 2 * .4) / 5 * 2 * TABLE_OWN_ONE));
	/* milk: (2 + 2·0.8)/(3 + 2), half of it */
	assert_int_equal(own[1].item, 0);
	assert_int_equal(own[1].visits, 2);
	assert_int_equal(own[1].last_ms, H_MS);
	assert_int_equal(own[1].score, (int64_t)((2 + 2 * .8) / 5 * .5 * TABLE_OWN_ONE));
	assert_float_equal(own[1].chance, .36, 1e-5);
	/* Before 1.1 gaps it is whole. */
	assert_int_equal(table_own(arena, table, visits, 3, H_MS + 65 * MIN_MS, own), 2);
	assert_int_equal(own[0].item, 0); /* as likely, and the smaller number */
	assert_float_equal(own[0].chance, .72, 1e-5);
	assert_int_equal(table_own(arena, table, visits, 0, H_MS, own), 0);
	table_free(table);
	buf_done(&bytes);
}

static void
test_older_visits_count_less_by_the_decay(void **state)
{
	struct table_parts parts = parts_of(TABLE_OWN);
	static const uint32_t milk[] = { 0 }, tea[] = { 3 };
	struct table_visit visits[] = { { 0, milk, 1 }, { H_MS, tea, 1 } };
	struct table_own own[TABLE_OWN_MAX];
	struct buf bytes;
	struct table *table;

	(void)state;
	parts.decay = 32768;
	parts.prior = 0;
	bytes = pack(&parts);
	table = open_bytes(&bytes);
	assert_int_equal(table_own(arena, table, visits, 2, 2 * H_MS, own), 2);
	assert_int_equal(own[0].item, 3);
	assert_int_equal(own[0].score, (int64_t)(1 / 1.5 * TABLE_OWN_ONE));
	assert_int_equal(own[1].score, (int64_t)(0.5 / 1.5 * TABLE_OWN_ONE));
	table_free(table);
	buf_done(&bytes);
}

static void
test_of_many_visits_the_newest_256_count(void **state)
{
	struct table_parts parts = parts_of(TABLE_OWN);
	static struct table_visit visits[TABLE_VISITS_MAX + 1];
	static const uint32_t milk[] = { 0 }, tea[] = { 3 };
	struct table_own own[TABLE_OWN_MAX];
	struct buf bytes = pack(&parts);
	struct table *table = open_bytes(&bytes);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(visits); i++)
		visits[i] = (struct table_visit){ (int64_t)i * H_MS, i == 0 ? tea : milk, 1 };
	assert_int_equal(table_own(arena, table, visits, ARRAY_LEN(visits), 999 * H_MS, own), 1);
	assert_int_equal(own[0].visits, TABLE_VISITS_MAX);
	assert_int_equal(table_own(arena, table, visits, TABLE_VISITS_MAX, 999 * H_MS, own), 2);
	table_free(table);
	buf_done(&bytes);
}

static void
test_bins_of_the_rhythm_begin_with_their_bound(void **state)
{
	(void)state;
	assert_int_equal(table_rhythm_bin(0), 0);
	assert_int_equal(table_rhythm_bin(.1499), 0);
	assert_int_equal(table_rhythm_bin(.15), 1);
	assert_int_equal(table_rhythm_bin(4.999), 9);
	assert_int_equal(table_rhythm_bin(5), 10);
	assert_int_equal(table_rhythm_bin(1e9), 10);
}

static void
test_a_strong_habit_waits_for_half_as_many_lines_more(void **state)
{
	struct table_own weak = { .chance = 0.49 }, strong = { .chance = 0.5 };

	(void)state;
	assert_true(table_waits(&weak, 9, 10, 1));
	assert_false(table_waits(&weak, 10, 10, 1));
	assert_true(table_waits(&strong, 14, 10, 1));
	assert_false(table_waits(&strong, 15, 10, 1));
}

static void
test_a_category_goes_as_far_as_the_level(void **state)
{
	(void)state;
	assert_int_equal(table_category_len("grocery/coffee/beans", 1), 7);
	assert_int_equal(table_category_len("grocery/coffee/beans", 2), 14);
	assert_int_equal(table_category_len("grocery/coffee", 2), 14);
	assert_int_equal(table_category_len("grocery", 2), 0);
	assert_int_equal(table_category_len("", 2), 0);
}

/* ---- refused ---- */

static void
test_the_same_parts_make_the_same_bytes_and_a_text_may_stand_once(void **state)
{
	struct buf a = pack_articles(2), b = pack_articles(2), out = { 0 };
	static const struct table_row twice[] = { { "milk", NULL, 2, 0, 4096, 0 },
		{ "milk", NULL, 1, 0, 4096, 0 } };
	struct table_parts parts = parts_of(TABLE_OWN);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	parts.rows = twice;
	parts.row_count = 2;
	assert_int_equal(table_pack(&parts, &out, &err), AISLE_E_INVALID);
	assert_string_equal(err.text, "\"milk\" stands twice in the table");
	buf_done(&a);
	buf_done(&b);
	buf_done(&out);
}

static void
test_whatever_is_cut_off_or_added_is_refused(void **state)
{
	struct buf bytes = pack_articles(2);

	(void)state;
	for (size_t len = 0; len <= bytes.len + 1; len++) {
		char *copy = malloc(len + 1);
		struct table *table;
		struct err err = { 0 };

		memset(copy, 0, len + 1);
		memcpy(copy, bytes.data, len < bytes.len ? len : bytes.len);
		if (len == bytes.len) {
			assert_int_equal(table_open(copy, len, &table, &err), 0);
			table_free(table);
		} else {
			assert_int_equal(table_open(copy, len, &table, &err), AISLE_E_DAMAGED);
		}
		free(copy);
	}
	buf_done(&bytes);
}

static void
use(const struct table *table)
{
	struct table_pick picks[3];
	uint32_t items[TABLE_SCANNED_MAX];
	struct table_visit visit = { 0, items, 1 };
	struct table_own own[TABLE_OWN_MAX];
	size_t count = 0;

	for (uint32_t i = 0; i < table_count(table) && count < TABLE_SCANNED_MAX; i++) {
		assert_true(strlen(table_text(table, i)) <= TABLE_TEXT_MAX);
		items[count++] = i;
	}
	if (table_kind(table) != TABLE_OWN)
		table_top(table_scores_new(arena, table, items, count / 2), false, NULL, NULL,
		    picks, 3);
	else if (count > 0)
		table_own(arena, table, &visit, 1, 5, own);
}

static void
test_each_bit_turned_is_refused_or_is_another_sound_table(void **state)
{
	struct buf bytes = pack_articles(4);

	(void)state;
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		struct table *table;
		struct err err = { 0 };

		bytes.data[bit / 8] ^= (char)(1 << bit % 8);
		if (table_open(bytes.data, bytes.len, &table, &err) == 0) {
			use(table);
			table_free(table);
		} else {
			assert_int_equal(err.code, AISLE_E_DAMAGED);
		}
		bytes.data[bit / 8] ^= (char)(1 << bit % 8);
		arena_reset(arena);
	}
	buf_done(&bytes);
}

static void
refused(struct buf *bytes, size_t at, uint8_t value, const char *why)
{
	char kept = bytes->data[at];
	struct table *table;
	struct err err = { 0 };

	bytes->data[at] = (char)value;
	assert_int_equal(table_open(bytes->data, bytes->len, &table, &err), AISLE_E_DAMAGED);
	assert_string_equal(err.text, why);
	bytes->data[at] = kept;
}

static void
test_each_lie_is_refused_by_its_name(void **state)
{
	struct buf bytes = pack_articles(2);
	struct table *table = open_bytes(&bytes);
	struct table_layout at = table->at;

	(void)state;
	refused(&bytes, 0, 'B', "the table is damaged: not a table of what goes together");
	refused(&bytes, 8, 9, "the table is damaged: of a kind that is none");
	refused(&bytes, 10, 3, "the table is damaged: of a kind that is none");
	refused(&bytes, 14, 1, "the table is damaged: more than there may be");
	refused(&bytes, 35, 1, "the table is damaged: its settings are none");
	refused(&bytes, at.key_at, 0xff, "the table is damaged: a key is not its item's");
	refused(&bytes, at.key_at + 15, 0, "the table is damaged: its keys are not in order");
	refused(&bytes, at.of_key_at, 4, "the table is damaged: a key names an item that is none");
	refused(&bytes, at.row_at, 2, "the table is damaged: an item names a text that is none");
	refused(&bytes, at.row_at + TABLE_ROW + 8, 9,
	    "the table is damaged: its items are not in order");
	refused(&bytes, at.cell_at + 3, 0, "the table is damaged: its neighbours are not in order");
	refused(&bytes, at.first_at, 1, "the table is damaged: its neighbours have no end");
	refused(&bytes, at.cell_at, 0, "the table is damaged: a neighbour is none");
	refused(&bytes, at.cell_at, 4, "the table is damaged: a neighbour is none");
	refused(&bytes, at.text_at + 2, '\n',
	    "the table is damaged: a text has control characters");
	refused(&bytes, at.text_at + 2, 0xff, "the table is damaged: a text is not UTF-8");
	refused(&bytes, bytes.len - 1, 'x', "the table is damaged: a text has no end");
	table_free(table);
	buf_done(&bytes);
}

static void
test_no_item_at_all_is_a_table_too(void **state)
{
	static const uint32_t none[] = { 0 };
	struct table_parts parts = parts_of(TABLE_ARTICLES);
	struct buf bytes;
	struct table *table;
	struct table_pick pick;

	(void)state;
	parts.row_count = 0;
	parts.first = none;
	bytes = pack(&parts);
	table = open_bytes(&bytes);
	assert_int_equal(table_find(table, "milk", 4), -1);
	assert_int_equal(table_top(table_scores_new(arena, table, NULL, 0), false, NULL, NULL,
			     &pick, 1),
	    0);
	table_free(table);
	buf_done(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_an_item_is_found_by_its_text_and_by_nothing_that_is_nearly_it, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_neighbours_add_up_and_what_is_scanned_is_not_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_weights_are_raised_on_one_scale_and_a_full_basket_does_not_overflow,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_equal_scores_go_to_the_smaller_number_and_what_may_not_be_said_is_passed_over,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_groups_score_by_share_and_by_every_pair_over_the_root_of_how_many, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_chance_lies_on_the_line_between_two_steps_and_ends_with_them, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_own_items_by_counts_the_prior_a_factor_and_the_rhythm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_older_visits_count_less_by_the_decay, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_of_many_visits_the_newest_256_count, set_up,
		    tear_down),
		cmocka_unit_test(test_bins_of_the_rhythm_begin_with_their_bound),
		cmocka_unit_test(test_a_strong_habit_waits_for_half_as_many_lines_more),
		cmocka_unit_test(test_a_category_goes_as_far_as_the_level),
		cmocka_unit_test(test_the_same_parts_make_the_same_bytes_and_a_text_may_stand_once),
		cmocka_unit_test(test_whatever_is_cut_off_or_added_is_refused),
		cmocka_unit_test_setup_teardown(
		    test_each_bit_turned_is_refused_or_is_another_sound_table, set_up, tear_down),
		cmocka_unit_test(test_each_lie_is_refused_by_its_name),
		cmocka_unit_test_setup_teardown(test_no_item_at_all_is_a_table_too, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
