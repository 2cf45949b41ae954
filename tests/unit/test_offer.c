/* SPDX-License-Identifier: Apache-2.0
 *
 * test_offer.c - what an offer is worth on a basket, to the minor unit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "decide/run.h"
#include "policy/policy_load.h"

#include "decide_fixture.h"

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* On this basket as it is now, with no policy and thus nobody's marks but the product's. */
static struct offer_value
value_on(const struct offer *offer, int64_t depth, const struct visit *visit)
{
	return offer_value(offer, depth, basis_make(arena, NULL, 0, visit));
}

static struct offer
percent_off_coffee(void)
{
	static int64_t ten[] = { 10 };
	struct offer offer = { .type = OFFER_PERCENT,
		.ladder = ten,
		.ladder_count = 1,
		.typical_minor = 450,
		.max_minor = 300,
		.margin_floor_minor = INT64_MIN };

	offer.include.set = true;
	offer.include.category = "grocery/coffee";
	return offer;
}

static void
worth_is_rounded_half_up_on_each_line(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };

	(void)state;
	add_line(arena, &visit, "grocery/coffee", 1000, 499); /* 49.9 */
	assert_int_equal(value_on(&offer, 10, &visit).worth_minor, 50);
	add_line(arena, &visit, "grocery/coffee/beans", 1000, 5); /* 0.5: up */
	assert_int_equal(value_on(&offer, 10, &visit).worth_minor, 51);
	add_line(arena, &visit, "grocery/coffee", 1000, 4); /* 0.4: down */
	assert_int_equal(value_on(&offer, 10, &visit).worth_minor, 51);
}

static void
lines_that_do_not_qualify_save_nothing(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };
	struct line *line;

	(void)state;
	offer.exclude.set = true;
	offer.exclude.brand = "house";
	add_line(arena, &visit, "grocery/coffee", 1000, 100);
	line = add_line(arena, &visit, "grocery/coffee", 1000, 1000);
	line->brand = arena_strdup(arena, "house");
	line = add_line(arena, &visit, "grocery/coffee", 1000, 1000);
	line->voided = true;
	add_line(arena, &visit, "grocery/coffeemakers", 1000, 1000); /* not below grocery/coffee */
	add_line(arena, &visit, "grocery", 1000, 1000);
	assert_int_equal(value_on(&offer, 10, &visit).worth_minor, 10);
	assert_true(value_on(&offer, 10, &visit).qualifies_now);
}

static void
without_a_qualifying_line_the_typical_saving_is_shown(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };

	(void)state;
	assert_int_equal(value_on(&offer, 10, &visit).worth_minor, 45);
	assert_false(value_on(&offer, 10, &visit).qualifies_now);
	offer.type = OFFER_FIXED_PRICE;
	assert_int_equal(value_on(&offer, 399, &visit).worth_minor, 51);
	offer.type = OFFER_AMOUNT;
	assert_int_equal(value_on(&offer, 70, &visit).worth_minor, 70);
	offer.type = OFFER_FREE_ITEM;
	assert_int_equal(value_on(&offer, 1, &visit).worth_minor, 300);
}

static void
worth_is_never_over_max(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };

	(void)state;
	add_line(arena, &visit, "grocery/coffee", 1000, 3000);
	assert_int_equal(value_on(&offer, 10, &visit).worth_minor, 300);
	add_line(arena, &visit, "grocery/coffee", 1000, 10);
	assert_int_equal(value_on(&offer, 10, &visit).worth_minor, 300);
}

static void
the_supplier_pays_a_share_and_the_hold_is_the_most_it_can_cost_us(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };
	struct offer_value value;

	(void)state;
	offer.funded = 0.5;
	value = value_on(&offer, 10, &visit);
	assert_true(value.cost_minor == 22.5);
	assert_int_equal(value.hold_minor, 150);
	offer.funded = 0.7; /* 0.3 x 300 is 90, not 91 for want of a bit */
	assert_int_equal(value_on(&offer, 10, &visit).hold_minor, 90);
	offer.max_minor = 301; /* 90.3: up */
	assert_int_equal(value_on(&offer, 10, &visit).hold_minor, 91);
	offer.funded = 1;
	assert_int_equal(value_on(&offer, 10, &visit).hold_minor, 0);
}

static void
without_a_most_of_its_own_the_hold_is_what_it_saves_here_or_usually(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };

	(void)state;
	offer.max_minor = 0;
	assert_int_equal(value_on(&offer, 10, &visit).hold_minor, 0);
	assert_int_equal(value_on(&offer, 10, &visit).worth_minor, 0);
	offer.max_minor = -1;
	assert_int_equal(value_on(&offer, 10, &visit).hold_minor, 45);
	add_line(arena, &visit, "grocery/coffee", 1000, 440);
	assert_int_equal(value_on(&offer, 10, &visit).worth_minor, 44);
	assert_int_equal(value_on(&offer, 10, &visit).hold_minor, 45);
	add_line(arena, &visit, "grocery/coffee", 1000, 20);
	assert_int_equal(value_on(&offer, 10, &visit).hold_minor, 46);
	offer.type = OFFER_AMOUNT;
	offer.max_minor = 60;
	assert_int_equal(value_on(&offer, 59, &visit).hold_minor, 59);
	assert_int_equal(value_on(&offer, 61, &visit).hold_minor, 60);
}

static void
an_amount_saves_at_most_what_the_lines_cost(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };

	(void)state;
	offer.type = OFFER_AMOUNT;
	offer.max_minor = -1;
	add_line(arena, &visit, "grocery/coffee", 1000, 69);
	assert_int_equal(value_on(&offer, 70, &visit).worth_minor, 69);
	assert_int_equal(value_on(&offer, 70, &visit).hold_minor, 70);
	add_line(arena, &visit, "grocery/coffee", 1000, 2);
	assert_int_equal(value_on(&offer, 70, &visit).worth_minor, 70);
}

static void
a_fixed_price_counts_units(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };

	(void)state;
	offer.type = OFFER_FIXED_PRICE;
	add_line(arena, &visit, "grocery/coffee", 2000, 1000);
	assert_int_equal(value_on(&offer, 399, &visit).worth_minor, 202);
	assert_int_equal(value_on(&offer, 500, &visit).worth_minor, 0);
	assert_int_equal(value_on(&offer, 501, &visit).worth_minor, 0);
	add_line(arena, &visit, "grocery/coffee", 500,
	    250); /* half a kilogram at 399: 199.5, 200 */
	assert_int_equal(value_on(&offer, 399, &visit).worth_minor, 252);
}

static void
the_cheapest_units_are_free(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };

	(void)state;
	offer.type = OFFER_FREE_ITEM;
	offer.max_minor = 10000;
	add_line(arena, &visit, "grocery/coffee", 1000, 500);
	add_line(arena, &visit, "grocery/coffee", 2000, 600);
	add_line(arena, &visit, "grocery/coffee", 1000, 400);
	add_line(arena, &visit, "grocery/coffee", 1000, 400);
	assert_int_equal(value_on(&offer, 1, &visit).worth_minor, 300);
	assert_int_equal(value_on(&offer, 2, &visit).worth_minor, 600);
	assert_int_equal(value_on(&offer, 3, &visit).worth_minor, 1000);
	assert_int_equal(value_on(&offer, 4, &visit).worth_minor, 1400);
	assert_int_equal(value_on(&offer, 5, &visit).worth_minor, 1900);
	assert_int_equal(value_on(&offer, 99, &visit).worth_minor, 1900);
}

static void
points_are_worth_what_is_stated(void **state)
{
	struct offer offer = { .type = OFFER_POINTS, .max_minor = -1, .typical_minor = 80 };
	struct visit visit = { 0 };

	(void)state;
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, 80);
	add_line(arena, &visit, "x", 1000, 10);
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, 80);
	offer.typical_minor = 0;
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, 100);
}

static void
an_item_matches_with_and_without_leading_zeros(void **state)
{
	struct offer offer = { .type = OFFER_PERCENT, .max_minor = 1000, .typical_minor = 1 };
	struct visit visit = { 0 };
	struct line *line = add_line(arena, &visit, "x", 1000, 100);

	(void)state;
	strcpy(line->item, "05012345678900");
	offer.include.set = true;
	offer.include.item = "5012345678900";
	assert_true(value_on(&offer, 10, &visit).qualifies_now);
	offer.include.item = "05012345678900";
	assert_true(value_on(&offer, 10, &visit).qualifies_now);
	offer.include.item = "5012345678901";
	assert_false(value_on(&offer, 10, &visit).qualifies_now);
	line->item[0] = '\0';
	line->sku = arena_strdup(arena, "A-1");
	offer.include.item = "A-1";
	assert_true(value_on(&offer, 10, &visit).qualifies_now);
}

static void
the_depth_is_that_shown_of_a_ladder_else_the_tier_else_all(void **state)
{
	int64_t three[] = { 3 }, rungs[] = { 3, 7, 9 };
	struct tier tiers[] = { { 2000, 5 }, { 4000, 10 } };
	struct offer offer = { .type = OFFER_PERCENT,
		.ladder = three,
		.ladder_count = 1,
		.tiers = tiers,
		.tier_count = 2 };
	struct card card = { .depth = 7 };
	int64_t depths[DEPTHS_MAX];

	(void)state;
	assert_int_equal(offer_depths(&offer, NULL, 1999, depths), 1);
	assert_int_equal(depths[0], 3);
	assert_int_equal(offer_depths(&offer, NULL, 2000, depths), 1);
	assert_int_equal(depths[0], 5);
	assert_int_equal(offer_depths(&offer, NULL, 3999, depths), 1);
	assert_int_equal(depths[0], 5);
	assert_int_equal(offer_depths(&offer, NULL, 4000, depths), 1);
	assert_int_equal(depths[0], 10);
	/* What a basket reached, it may fall below again: tiers follow it, whatever was shown. */
	assert_int_equal(offer_depths(&offer, &card, 4000, depths), 1);
	assert_int_equal(depths[0], 10);
	assert_int_equal(offer_depths(&offer, &card, 1999, depths), 1);
	assert_int_equal(depths[0], 3);
	offer = (struct offer){ .type = OFFER_PERCENT, .ladder = rungs, .ladder_count = 3 };
	assert_int_equal(offer_depths(&offer, NULL, 4000, depths), 3);
	assert_int_equal(offer_depths(&offer, &card, 4000, depths), 1);
	assert_int_equal(depths[0], 7);
	offer.ladder = NULL;
	offer.tiers = tiers;
	offer.tier_count = 2;
	offer.ladder_count = 0;
	assert_int_equal(offer_depths(&offer, NULL, 1999, depths), 0);
}

static void
huge_amounts_do_not_overflow(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };

	(void)state;
	offer.max_minor = INT64_MAX;
	add_line(arena, &visit, "grocery/coffee", INT64_C(1000000000), INT64_C(1000000000000));
	add_line(arena, &visit, "grocery/coffee", 1000, INT64_MAX);
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, INT64_C(1000000000000));
	offer.type = OFFER_FIXED_PRICE;
	assert_int_equal(value_on(&offer, INT64_C(1000000000000), &visit).worth_minor, 0);
	/* A coupon on the coffee: so much less is left to save. */
	add_line(arena, &visit, "grocery/coffee", 1000, -500);
	offer.type = OFFER_PERCENT;
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, INT64_C(999999999500));
}

/* The short look at where categories begin leaves out no line that qualifies, and lets in no other. */
static void
the_short_look_at_the_lines_changes_nothing(void **state)
{
	static const char *const paths[] = { "grocery/coffee", "grocery/coffee/beans",
		"grocery/coffeepot", "grocery", "g", "grocery/c", "coffee", "coffee/x", "grocery/",
		"groceries/coffee", "", "grocerya" };
	struct visit visit = { 0 };
	struct offer offer = percent_off_coffee();

	(void)state;
	offer.max_minor = -1;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		add_line(arena, &visit, paths[i], 1000, 1000 << i);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		for (int with = 0; with < 3; with++) {
			struct offer_value alone, on;

			offer.include.category = paths[i];
			offer.include.brand = with == 1 ? "acme" : NULL;
			offer.include.set = with < 2;
			offer.aim_mask = 0;
			alone = value_on(&offer, 10, &visit);
			offer_settle(&offer);
			on = value_on(&offer, 10, &visit);
			assert_int_equal(alone.worth_minor, on.worth_minor);
			assert_int_equal(alone.hold_minor, on.hold_minor);
			assert_int_equal(alone.qualifies_now, on.qualifies_now);
		}
	}
	offer.include.set = true;
	offer.include.brand = NULL;
	offer.include.category = "grocery/coffee";
	offer_settle(&offer);
	assert_int_equal(value_on(&offer, 10, &visit).worth_minor, 100 + 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worth_is_rounded_half_up_on_each_line),
		cmocka_unit_test(lines_that_do_not_qualify_save_nothing),
		cmocka_unit_test(without_a_qualifying_line_the_typical_saving_is_shown),
		cmocka_unit_test(worth_is_never_over_max),
		cmocka_unit_test(the_supplier_pays_a_share_and_the_hold_is_the_most_it_can_cost_us),
		cmocka_unit_test(
		    without_a_most_of_its_own_the_hold_is_what_it_saves_here_or_usually),
		cmocka_unit_test(an_amount_saves_at_most_what_the_lines_cost),
		cmocka_unit_test(a_fixed_price_counts_units),
		cmocka_unit_test(the_cheapest_units_are_free),
		cmocka_unit_test(points_are_worth_what_is_stated),
		cmocka_unit_test(an_item_matches_with_and_without_leading_zeros),
		cmocka_unit_test(the_depth_is_that_shown_of_a_ladder_else_the_tier_else_all),
		cmocka_unit_test(huge_amounts_do_not_overflow),
		cmocka_unit_test(the_short_look_at_the_lines_changes_nothing),
	};

	return cmocka_run_group_tests_name("offer", tests, setup, teardown);
}
