/* SPDX-License-Identifier: Apache-2.0
 *
 * test_offer_goods.c - the most that an offer could save on the goods of a basket, before any discount.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "decide/run.h"
#include "nouns/marks.h"

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

static int64_t
on_one_line(enum offer_type type, int64_t depth, int64_t qty_milli, int64_t amount_minor,
    int64_t discount_minor)
{
	struct offer offer = { .type = type };
	struct marks marks = marks_of(NULL, 0);
	struct visit visit = { 0 };

	add_line(arena, &visit, "tea", qty_milli, amount_minor)->discount_minor = discount_minor;
	return offer_on_goods(&offer, depth, &marks, &visit);
}

static void
each_kind_of_offer_saves_by_what_a_line_cost_before_discounts(void **state)
{
	static const struct {
		enum offer_type type;
		int64_t depth, qty_milli, amount, discount, most;
	} cases[] = {
		{ OFFER_PERCENT, 10, 1000, 100, 0, 10 },
		{ OFFER_PERCENT, 10, 1000, 104, 0, 10 }, /* 10.4 */
		{ OFFER_PERCENT, 10, 1000, 105, 0, 11 }, /* 10.5: up */
		{ OFFER_PERCENT, 10, 1000, 80, 20, 10 },
		{ OFFER_PERCENT, 10, 1000, 80, -20, 10 }, /* tills write it with either sign */
		{ OFFER_PERCENT, 100, 1000, 70, 0, 70 },
		{ OFFER_PERCENT, 101, 1000, 70, 0, 70 }, /* never more than it costs */
		{ OFFER_AMOUNT, 10, 1000, 80, 20, 100 },
		{ OFFER_FREE_ITEM, 1, 2000, 80, 0, 80 },
		{ OFFER_FIXED_PRICE, 30, 1000, 80, 20, 70 },
		{ OFFER_FIXED_PRICE, 30, 2000, 100, 0, 40 }, /* of two units */
		{ OFFER_FIXED_PRICE, 30, 500, 100, 0, 85 },
		{ OFFER_FIXED_PRICE, 30, 0, 100, 0, 70 }, /* no quantity: one */
		{ OFFER_FIXED_PRICE, 100, 1000, 100, 0, 0 },
		{ OFFER_FIXED_PRICE, 101, 1000, 100, 0, 0 },
		{ OFFER_FIXED_PRICE, 99, 1000, 100, 0, 1 },
		/* a price that no line comes to */
		{ OFFER_FIXED_PRICE, MONEY_MAX, 1000, 100, 0, 0 },
		{ OFFER_FIXED_PRICE, INT64_MAX, 2000, 100, 0, 0 },
		/* what costs nothing, or more than anything */
		{ OFFER_AMOUNT, 10, 1000, 0, 0, 0 },
		{ OFFER_AMOUNT, 10, 1000, 1, 0, 1 },
		{ OFFER_AMOUNT, 10, 1000, -5, 5, 0 },
		{ OFFER_AMOUNT, 10, 1000, -5, 6, 1 },
		{ OFFER_AMOUNT, 10, 1000, MONEY_MAX, 0, MONEY_MAX },
		{ OFFER_AMOUNT, 10, 1000, MONEY_MAX, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t most = on_one_line(cases[i].type, cases[i].depth, cases[i].qty_milli,
		    cases[i].amount, cases[i].discount);

		if (most != cases[i].most)
			fail_msg("case %zu: %lld", i, (long long)most);
	}
}

static void
only_the_goods_that_it_is_for_count_and_none_that_are_marked_or_void(void **state)
{
	struct offer offer = { .type = OFFER_AMOUNT };
	struct marks marks = marks_of(NULL, 0);
	struct visit visit = { 0 };

	(void)state;
	add_line(arena, &visit, "tea", 1000, 1);
	add_line(arena, &visit, "tea/green", 1000, 20)->brand = arena_strdup(arena, "house");
	add_line(arena, &visit, "milk", 1000, 300);
	add_line(arena, &visit, "tea", 1000, 4000)->voided = true;
	add_line(arena, &visit, "alcohol/wine", 1000, 50000);
	assert_int_equal(line_mark(&marks, &visit.lines[4]) != MARK_NONE, 1);
	assert_int_equal(offer_on_goods(&offer, 1, &marks, &visit), 321);
	offer.include.set = true;
	offer.include.category = "tea";
	assert_int_equal(offer_on_goods(&offer, 1, &marks, &visit), 21);
	offer.exclude.set = true;
	offer.exclude.brand = "house";
	assert_int_equal(offer_on_goods(&offer, 1, &marks, &visit), 1);
	offer.include.set = false;
	assert_int_equal(offer_on_goods(&offer, 1, &marks, &visit), 301);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(each_kind_of_offer_saves_by_what_a_line_cost_before_discounts),
		T(only_the_goods_that_it_is_for_count_and_none_that_are_marked_or_void),
#undef T
	};

	return cmocka_run_group_tests_name("offer_goods", tests, NULL, NULL);
}
