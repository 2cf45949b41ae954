/* SPDX-License-Identifier: Apache-2.0
 *
 * test_match.c - what a policy means by a category, a brand, an item.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/arena.h"
#include "nouns/match.h"

static void
a_category_is_itself_and_all_below_it(void **state)
{
	(void)state;
	assert_true(category_within("grocery/coffee", "grocery/coffee"));
	assert_true(category_within("grocery/coffee/beans", "grocery/coffee"));
	assert_false(category_within("grocery/coffees", "grocery/coffee"));
	assert_false(category_within("grocery", "grocery/coffee"));
	assert_false(category_within("", "grocery"));
}

static void
a_gtin_is_the_same_item_with_and_without_its_leading_zeros(void **state)
{
	(void)state;
	assert_true(item_is("04006381333931", "4006381333931"));
	assert_true(item_is("4006381333931", "04006381333931"));
	assert_true(item_is("00036000291452", "036000291452")); /* 12 digits */
	assert_true(item_is("00000096385074", "96385074"));	/* 8 digits */
	assert_false(item_is("04006381333931", "4006381333932"));
	assert_false(item_is("04006381333932", "4006381333932")); /* no GTIN: a sku */
	assert_false(item_is("0A-1", "A-1"));
	assert_true(item_is("A-1", "A-1"));
	assert_false(item_is("4006381333931", "006381333931"));
}

static void
a_line_is_named_by_its_gtin_or_beside_a_code_of_the_shop_by_its_sku(void **state)
{
	struct line gtin = { .item = "04006381333931" }, sku = { .sku = (char *)"A-1" };
	struct line weighed = { .item = "02012345002005", .restricted = true }, void_of = { 0 };

	(void)state;
	assert_string_equal(line_item(&gtin), "04006381333931");
	assert_string_equal(line_item(&sku), "A-1");
	assert_string_equal(line_item(&weighed), "02012345002005");
	weighed.sku = (char *)"apples";
	assert_string_equal(line_item(&weighed), "apples");
	assert_null(line_item(&void_of));
}

static void
an_item_has_one_name(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(item_name(arena, "4006381333931"), "04006381333931");
	assert_string_equal(item_name(arena, "96385074"), "00000096385074");
	assert_string_equal(item_name(arena, "04006381333931"), "04006381333931");
	assert_string_equal(item_name(arena, "4006381333932"), "4006381333932");
	assert_string_equal(item_name(arena, "00000000"), "00000000");
	assert_string_equal(item_name(arena, "a sku"), "a sku");
	assert_string_equal(item_name(arena, "42100005264"), "00042100005264");
	assert_string_equal(item_name(arena, " ka\xcc\x88se-1"), "k\xc3\xa4se-1");
	arena_free(arena);
}

static void
one_object_is_an_intersection(void **state)
{
	struct match match = { .set = true, .category = "dairy", .brand = "Alp", .item = "A-1" };

	(void)state;
	assert_true(match_goods(&match, "dairy/milk", "Alp", "A-1"));
	assert_false(match_goods(&match, "dairy/milk", "Alp", "A-2"));
	assert_false(match_goods(&match, "dairy/milk", "Berg", "A-1"));
	assert_false(match_goods(&match, "bakery", "Alp", "A-1"));
	assert_false(match_goods(&match, "dairy/milk", NULL, NULL));
	assert_false(match_goods(&match, NULL, NULL, NULL));
	assert_false(match_goods(&(struct match){ 0 }, "dairy", "Alp", "A-1"));
}

static void
a_list_of_objects_is_their_union(void **state)
{
	struct match second = { .set = true, .item = "A-1" };
	struct match first = { .set = true, .category = "dairy", .brand = "Alp", .next = &second };

	(void)state;
	assert_true(match_goods(&first, "dairy", "Alp", "B-2"));
	assert_true(match_goods(&first, "bakery", NULL, "A-1"));
	assert_false(match_goods(&first, "bakery", "Alp", "B-2"));
	assert_false(match_goods(&first, "dairy", NULL, "B-2"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_category_is_itself_and_all_below_it),
		cmocka_unit_test(a_gtin_is_the_same_item_with_and_without_its_leading_zeros),
		cmocka_unit_test(
		    a_line_is_named_by_its_gtin_or_beside_a_code_of_the_shop_by_its_sku),
		cmocka_unit_test(an_item_has_one_name),
		cmocka_unit_test(one_object_is_an_intersection),
		cmocka_unit_test(a_list_of_objects_is_their_union),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
