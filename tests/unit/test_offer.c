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

/* Whatever a category begins with, and however long it is: its line is not overlooked. */
static void
no_beginning_of_a_category_is_overlooked(void **state)
{
	struct offer offer = percent_off_coffee();

	(void)state;
	for (int len = 2; len <= 10; len++) {
		for (int i = 0; i < 400; i++) {
			struct visit visit = { 0 };
			char path[16];

			snprintf(path, sizeof(path), "%03d%.*s", i, len, "categories");
			path[len] = '\0';
			offer.include.category = path;
			offer_settle(&offer);
			add_line(arena, &visit, path, 1000, 1000);
			if (value_on(&offer, 10, &visit).worth_minor != 100)
				fail_msg("%s", path);
		}
	}
}

static void
a_line_counts_from_one_minor_unit_to_the_largest_amount(void **state)
{
	static const struct {
		int64_t amount;
		bool qualifies, in_total;
	} cases[] = {
		{ 0, false, true },
		{ 1, true, true },
		{ MONEY_MAX, true, true },
		{ MONEY_MAX + 1, false, false },
		{ -MONEY_MAX, false, true },
		{ -MONEY_MAX - 1, false, false },
	};
	struct offer offer = percent_off_coffee();

	(void)state;
	offer.max_minor = -1;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct visit visit = { 0 };
		struct offer_value value;

		add_line(arena, &visit, "grocery/coffee", 1000, cases[i].amount);
		value = value_on(&offer, 100, &visit);
		assert_int_equal(value.qualifies_now, cases[i].qualifies);
		assert_int_equal(value.worth_minor, cases[i].qualifies ? cases[i].amount : 450);
		assert_int_equal(basis_total(basis_make(arena, NULL, 0, &visit)),
		    cases[i].in_total ? cases[i].amount : 0);
		visit.lines[0].voided = true;
		assert_int_equal(basis_total(basis_make(arena, NULL, 0, &visit)), 0);
	}
}

static void
more_than_the_whole_is_not_taken_off(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };

	(void)state;
	offer.max_minor = -1;
	assert_int_equal(value_on(&offer, 99, &visit).worth_minor, 446);
	assert_int_equal(value_on(&offer, 101, &visit).worth_minor, 450);
	offer.type = OFFER_FIXED_PRICE;
	assert_int_equal(value_on(&offer, 449, &visit).worth_minor, 1);
	assert_int_equal(value_on(&offer, 450, &visit).worth_minor, 0);
	assert_int_equal(value_on(&offer, 451, &visit).worth_minor, 0);
	offer.type = OFFER_FREE_ITEM; /* without a most: what it usually is */
	assert_int_equal(value_on(&offer, 1, &visit).worth_minor, 450);
	offer.max_minor = 0;
	assert_int_equal(value_on(&offer, 1, &visit).worth_minor, 0);
	offer = (struct offer){ .type = OFFER_POINTS, .typical_minor = 1, .max_minor = -1 };
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, 1);
}

static void
a_price_is_of_a_unit_however_little_or_much_was_bought(void **state)
{
	static const struct {
		int64_t qty_milli, amount, price, saved;
	} cases[] = {
		{ 0, 500, 399, 101 }, /* no quantity is one */
		{ 0, 50000, 39900, 10100 }, { 1, 500, 399, 500 }, { 1000, 399, 399, 0 },
		{ 1000, 400, 399, 1 },
		{ 1000, MONEY_MAX, MONEY_MAX / 1000, MONEY_MAX - MONEY_MAX / 1000 },
		{ 1000, MONEY_MAX, MONEY_MAX / 1000 + 1, 0 }, /* too much to be multiplied */
	};
	struct offer offer = percent_off_coffee();

	(void)state;
	offer.type = OFFER_FIXED_PRICE;
	offer.max_minor = -1;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct visit visit = { 0 };

		add_line(arena, &visit, "grocery/coffee", cases[i].qty_milli, cases[i].amount);
		assert_int_equal(value_on(&offer, cases[i].price, &visit).worth_minor,
		    cases[i].saved);
	}
}

static void
a_free_unit_is_priced_by_the_whole_quantity_and_goods_by_weight_are_one(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };
	struct line *line;

	(void)state;
	offer.type = OFFER_FREE_ITEM;
	offer.max_minor = 10000;
	line = add_line(arena, &visit, "grocery/coffee", 1001, 1001);
	assert_int_equal(value_on(&offer, 1, &visit).worth_minor, 1000);
	line->qty_milli = 999; /* less than one is one */
	assert_int_equal(value_on(&offer, 1, &visit).worth_minor, 1001);
	line->qty_milli = 2500; /* 400.4 each, two of them whole */
	assert_int_equal(value_on(&offer, 1, &visit).worth_minor, 400);
	assert_int_equal(value_on(&offer, 2, &visit).worth_minor, 800);
	assert_int_equal(value_on(&offer, 3, &visit).worth_minor, 800);
	assert_int_equal(value_on(&offer, 0, &visit).worth_minor, 400); /* not said: one */
	/* Of three of one price each is given once, of those that do not qualify none. */
	line->qty_milli = 1000;
	line->amount_minor = 1;
	add_line(arena, &visit, "grocery/coffee", 1000, 1);
	add_line(arena, &visit, "tea", 1000, 1);
	add_line(arena, &visit, "grocery/coffee", 1000, 1);
	for (int64_t units = 1; units < 5; units++)
		assert_int_equal(value_on(&offer, units, &visit).worth_minor,
		    units < 3 ? units : 3);
}

static void
coupons_leave_less_to_save_on_their_goods_and_in_the_basket(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };
	struct line *coupon;

	(void)state;
	offer.max_minor = -1;
	offer.exclude.set = true;
	offer.exclude.brand = "house";
	add_line(arena, &visit, "grocery/coffee", 1000, 500);
	add_line(arena, &visit, "tea", 1000, 300);
	coupon = add_line(arena, &visit, "grocery/coffee", 1000, -1);
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, 499);
	coupon->amount_minor = -499;
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, 1);
	coupon->amount_minor = -500;
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, 0);
	coupon->amount_minor = -501;
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, 0);
	/* On other goods, or on what is excluded: the basket alone bounds it. */
	coupon->brand = arena_strdup(arena, "house");
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, 299);
	coupon->brand = NULL;
	coupon->category = arena_strdup(arena, "tea");
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, 299);
	coupon->amount_minor = -300;
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, 500);
	coupon->voided = true;
	coupon->amount_minor = -700;
	assert_int_equal(value_on(&offer, 100, &visit).worth_minor, 500);
}

/* A policy with an offer on coffee, one on tea, and points; and a basket with an accepted card. */
static struct action taking_actions[3];
static const struct policy taking_policy = { .actions = taking_actions, .action_count = 3 };

static struct card *
accepted(struct visit *visit, const char *action, int64_t worth)
{
	struct card *card = add_card(arena, visit, action, "g", (uint8_t)(visit->card_count + 1));

	taking_actions[0] =
	    (struct action){ .id = "coffee-off", .has_offer = true, .offer = percent_off_coffee() };
	taking_actions[1] =
	    (struct action){ .id = "points", .has_offer = true, .offer.type = OFFER_POINTS };
	taking_actions[2] =
	    (struct action){ .id = "tea-off", .has_offer = true, .offer = percent_off_coffee() };
	taking_actions[2].offer.include.category = "tea";
	card->answer = ANSWER_ACCEPT;
	card->state = CARD_ASKED;
	card->depth = 10;
	card->worth_minor = worth;
	card->token = id_of((uint8_t)(100 + visit->card_count));
	return card;
}

static int64_t
worth_beside(const struct visit *visit, int64_t *ret_taken)
{
	struct offer offer = percent_off_coffee();
	struct offer_value value;

	offer.max_minor = -1;
	value = offer_value(&offer, 100, basis_make(arena, &taking_policy, 0, visit));
	*ret_taken = value.taken_minor;
	return value.worth_minor;
}

static void
what_was_accepted_leaves_less_to_save_on_the_goods_that_it_takes_from(void **state)
{
	struct visit visit = { 0 };
	struct card *card = accepted(&visit, "coffee-off", 60);
	int64_t taken;

	(void)state;
	add_line(arena, &visit, "grocery/coffee", 1000, 500);
	add_line(arena, &visit, "tea", 1000, 40);
	assert_int_equal(worth_beside(&visit, &taken), 440);
	assert_int_equal(taken, 60);
	/* From other goods: in the basket it is off all the same. */
	card->action = arena_strdup(arena, "tea-off");
	assert_int_equal(worth_beside(&visit, &taken), 480);
	assert_int_equal(taken, 0);
	/* Of an older policy nobody knows from which: from these. */
	card->action = arena_strdup(arena, "forgotten");
	assert_int_equal(worth_beside(&visit, &taken), 440);
	assert_int_equal(taken, 60);
	card->worth_minor = 501; /* no more than they cost */
	assert_int_equal(worth_beside(&visit, &taken), 0);
	assert_int_equal(taken, 500);
	/* Points are not taken off. */
	card->action = arena_strdup(arena, "points");
	assert_int_equal(worth_beside(&visit, &taken), 500);
	/* Two of them, together. */
	card->action = arena_strdup(arena, "coffee-off");
	card->worth_minor = 60;
	accepted(&visit, "coffee-off", 7);
	assert_int_equal(worth_beside(&visit, &taken), 433);
	assert_int_equal(taken, 67);
}

static void
only_what_still_stands_and_was_asked_of_the_till_is_taken(void **state)
{
	struct visit visit = { 0 };
	struct card *card = accepted(&visit, "coffee-off", 60);
	struct card with = *card;
	struct line *line;
	char token[ID_TEXT_SIZE];
	int64_t taken;

	(void)state;
	line = add_line(arena, &visit, "grocery/coffee", 1000, 500);
	card->depth = 0;
	assert_int_equal(worth_beside(&visit, &taken), 500);
	*card = with;
	card->depth = 1;
	assert_int_equal(worth_beside(&visit, &taken), 440);
	*card = with;
	card->elsewhere = true; /* paid with in another basket */
	assert_int_equal(worth_beside(&visit, &taken), 500);
	*card = with;
	card->token = (struct id){ 0 };
	assert_int_equal(worth_beside(&visit, &taken), 500);
	*card = with;
	card->answer = ANSWER_DISMISS;
	assert_int_equal(worth_beside(&visit, &taken), 500);
	*card = with;
	card->state = CARD_GONE;
	assert_int_equal(worth_beside(&visit, &taken), 500);
	*card = with;
	/* What the till has put into the lines already. */
	id_text(&card->token, token);
	for (int64_t part = 58; part <= 62; part++) {
		line->own = arena_printf(arena, "%s=%d", token, (int)part);
		assert_int_equal(worth_beside(&visit, &taken), part < 60 ? 440 + part : 500);
		assert_int_equal(taken, part < 60 ? 60 - part : 0);
	}
}

static void
the_most_is_what_an_offer_can_take_off_suppliers_share_included(void **state)
{
	struct offer offer = percent_off_coffee();
	struct visit visit = { 0 };
	struct line *line = add_line(arena, &visit, "grocery/coffee", 1000, 500);
	const struct basis *basis = basis_make(arena, NULL, 0, &visit);

	(void)state;
	offer.funded = 1;
	assert_int_equal(offer_most(&offer, 10, basis), 300);
	offer.max_minor = 0;
	assert_int_equal(offer_most(&offer, 10, basis), 0);
	offer.max_minor = -1;
	assert_int_equal(offer_most(&offer, 10, basis), 45);
	offer.type = OFFER_AMOUNT;
	assert_int_equal(offer_most(&offer, 70, basis), 70);
	offer.max_minor = 70;
	assert_int_equal(offer_most(&offer, 69, basis), 69);
	assert_int_equal(offer_most(&offer, 71, basis), 70);
	offer.type = OFFER_FIXED_PRICE;
	assert_int_equal(offer_most(&offer, 1, basis), 70);
	/* Without a most of its own: what the goods cost before any discount. */
	offer.max_minor = -1;
	assert_int_equal(offer_most(&offer, 100, basis), 500);
	line->discount_minor = 1;
	assert_int_equal(offer_most(&offer, 100, basis), 501);
	line->discount_minor = -1; /* a till's other sign */
	assert_int_equal(offer_most(&offer, 100, basis), 501);
	line->amount_minor = 0;
	line->discount_minor = 351;
	assert_int_equal(offer_most(&offer, 100, basis), 351);
	line->discount_minor = 349; /* usually it takes off 350 */
	assert_int_equal(offer_most(&offer, 100, basis), 350);
	line->amount_minor = -600; /* a coupon costs nothing */
	line->discount_minor = 100;
	assert_int_equal(offer_most(&offer, 450, basis), 0);
	line->amount_minor = -99;
	assert_int_equal(offer_most(&offer, 450, basis), 1);
	line->amount_minor = 500;
	line->category = arena_strdup(arena, "tea");
	assert_int_equal(offer_most(&offer, 450, basis), 0);
}

static void
an_offer_saves_from_one_minor_unit_and_from_its_own_least_on_goods_that_are_there(void **state)
{
	struct offer offer = { .min_worth_minor = 50 };
	struct offer_value value = { .worth_minor = 0 };

	(void)state;
	assert_false(offer_saves(&offer, &value));
	value.worth_minor = 1;
	assert_true(offer_saves(&offer, &value));
	value.qualifies_now = true;
	value.worth_minor = 49;
	assert_false(offer_saves(&offer, &value));
	value.worth_minor = 50;
	assert_true(offer_saves(&offer, &value));
}

static void
all_depths_of_a_ladder_are_tried_and_of_tiers_the_last_that_is_reached(void **state)
{
	int64_t ladder[LADDER_MAX], depths[DEPTHS_MAX];
	struct tier tiers[] = { { 0, 1 }, { 2000, 5 }, { 4000, 10 } };
	struct offer offer = {
		.type = OFFER_PERCENT, .ladder = ladder, .ladder_count = LADDER_MAX
	};
	struct card card = { .depth = 3 };

	(void)state;
	for (size_t i = 0; i < LADDER_MAX; i++)
		ladder[i] = (int64_t)i + 1;
	assert_int_equal(offer_depths(&offer, NULL, 0, depths), LADDER_MAX);
	assert_memory_equal(depths, ladder, sizeof(ladder));
	card.depth = 0; /* a card from before it had an offer */
	assert_int_equal(offer_depths(&offer, &card, 0, depths), LADDER_MAX);
	card.depth = 3;
	offer.ladder_count = 2;
	assert_int_equal(offer_depths(&offer, &card, 0, depths), 1);
	assert_int_equal(depths[0], 3);
	offer.ladder_count = 1; /* no choice was made: the policy's own */
	assert_int_equal(offer_depths(&offer, &card, 0, depths), 1);
	assert_int_equal(depths[0], 1);
	offer.tiers = tiers;
	offer.tier_count = 3;
	assert_int_equal(offer_depths(&offer, NULL, 0, depths), 1);
	assert_int_equal(depths[0], 1);
	assert_int_equal(offer_depths(&offer, NULL, 3999, depths), 1);
	assert_int_equal(depths[0], 5);
	assert_int_equal(offer_depths(&offer, NULL, 4000, depths), 1);
	assert_int_equal(depths[0], 10);
	assert_int_equal(offer_depths(&offer, NULL, -1, depths), 1); /* none is reached */
	assert_int_equal(depths[0], 1);
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
		cmocka_unit_test(no_beginning_of_a_category_is_overlooked),
		cmocka_unit_test(a_line_counts_from_one_minor_unit_to_the_largest_amount),
		cmocka_unit_test(more_than_the_whole_is_not_taken_off),
		cmocka_unit_test(a_price_is_of_a_unit_however_little_or_much_was_bought),
		cmocka_unit_test(
		    a_free_unit_is_priced_by_the_whole_quantity_and_goods_by_weight_are_one),
		cmocka_unit_test(coupons_leave_less_to_save_on_their_goods_and_in_the_basket),
		cmocka_unit_test(
		    what_was_accepted_leaves_less_to_save_on_the_goods_that_it_takes_from),
		cmocka_unit_test(only_what_still_stands_and_was_asked_of_the_till_is_taken),
		cmocka_unit_test(the_most_is_what_an_offer_can_take_off_suppliers_share_included),
		cmocka_unit_test(
		    an_offer_saves_from_one_minor_unit_and_from_its_own_least_on_goods_that_are_there),
		cmocka_unit_test(
		    all_depths_of_a_ladder_are_tried_and_of_tiers_the_last_that_is_reached),
	};

	return cmocka_run_group_tests_name("offer", tests, setup, teardown);
}
