/* SPDX-License-Identifier: Apache-2.0
 *
 * test_again.c - a number that its till gives again before the end of its former basket is heard of:
 * one basket until then, and two from then on, each with what is its own.
 */
#include "session_fixture.h"

#include "core/buf.h"
#include "nouns/visit.h"

static struct visit *
at(struct lane *l, int64_t ms, enum event_type type)
{
	l->at_ms = T0 + ms;
	return till(l, "7", type, "B1");
}

static struct visit *
scan_at(struct lane *l, int64_t ms, int64_t line, int64_t amount)
{
	l->at_ms = T0 + ms;
	return scan(l, "7", "B1", line, amount);
}

static void
unscan_at(struct lane *l, int64_t ms, int64_t line)
{
	l->at_ms = T0 + ms;
	unscan(l, "7", "B1", line);
}

static struct visit *
card_at(struct lane *l, int64_t ms, char who, const char *basket)
{
	l->at_ms = T0 + ms;
	return card(l, "7", who, basket);
}

/* The basket that the till speaks of at that time. */
static struct visit *
of(struct lane *l, int64_t ms)
{
	return sessions_basket(l->sessions, "7", "B1", T0 + ms);
}

static void
assert_whose(const struct visit *visit, char who)
{
	struct id id = person(who);

	assert_int_equal(visit->has_subject, who != 0);
	if (who != 0)
		assert_memory_equal(&visit->subject, &id, sizeof(id));
}

/* What was stored and read again goes on alike. */
static struct visit *
stored(struct lane *l, struct visit *visit)
{
	struct buf bytes = { 0 };
	struct visit *copy;

	visit_encode(visit, &bytes);
	assert_int_equal(visit_decode(bytes.data, bytes.len, &copy), 0);
	sessions_add(l->sessions, copy);
	buf_done(&bytes);
	return copy;
}

static void
until_an_end_is_heard_of_it_is_one_basket(void **state)
{
	struct lane *l = *state;
	struct visit *visit = at(l, 1, EV_BASKET_OPENED);

	scan_at(l, 2, 1, 100);
	assert_ptr_equal(at(l, 10, EV_BASKET_OPENED), visit);
	assert_ptr_equal(scan_at(l, 11, 2, 30), visit);
	assert_int_equal(live_total(visit), 130);
	assert_ptr_equal(at(l, 20, EV_BASKET_CLOSED), visit);
	assert_int_equal(live_total(visit), 130);
	assert_int_equal(sessions_count(l->sessions), 1);
}

static void
a_close_from_before_the_number_was_given_again_is_of_the_sale_before(void **state)
{
	for (int late = -1; late <= 1; late++) {
		struct lane *l;
		struct visit *former, *rest;

		lane_done(state);
		lane_init(state);
		l = *state;
		former = at(l, 1, EV_BASKET_OPENED);
		scan_at(l, 2, 1, 100);
		at(l, 10, EV_BASKET_OPENED);
		scan_at(l, 11, 2, 30);
		at(l, 10 + late, EV_BASKET_CLOSED);
		rest = of(l, 11);
		assert_int_equal(former->state, VISIT_CLOSED);
		if (late >= 0) {
			assert_ptr_equal(rest, former);
			continue;
		}
		assert_ptr_equal(l->r.visit, former);
		assert_int_equal(l->r.effects, EFFECT_CLOSED);
		assert_int_equal(l->r.also_count, 1);
		assert_ptr_equal(l->r.also[0].visit, rest);
		assert_int_equal(l->r.also[0].effects, EFFECT_OPENED | EFFECT_AGAIN);
		assert_int_equal(live_total(former), 100);
		assert_int_equal(live_total(rest), 30);
		assert_int_equal(rest->state, VISIT_OPEN);
		assert_true(rest->opened);
		assert_int_equal(rest->began_at_ms, T0 + 10);
		assert_true(id_equal(&rest->before, &former->id));
		at(l, 20, EV_BASKET_CLOSED);
		assert_int_equal(rest->state, VISIT_CLOSED);
		assert_int_equal(live_total(former), 100);
	}
}

static void
a_line_number_of_both_sales_is_a_line_of_each(void **state)
{
	struct lane *l = *state;
	struct visit *former = at(l, 1, EV_BASKET_OPENED), *rest;

	scan_at(l, 2, 1, 100);
	scan_at(l, 3, 2, 200);
	scan_at(l, 4, 3, 400);
	unscan_at(l, 5, 3);
	at(l, 10, EV_BASKET_OPENED);
	scan_at(l, 11, 1, 10);
	unscan_at(l, 12, 2);
	scan_at(l, 13, 3, 40);
	former = stored(l, former);
	/* Late ones of the sale before. */
	scan_at(l, 6, 1, 101);
	scan_at(l, 7, 4, 800);
	scan_at(l, 14, 4, 80);
	unscan_at(l, 8, 4);
	assert_int_equal(live_total(former), 10 + 40 + 80);
	at(l, 9, EV_BASKET_CLOSED);
	rest = of(l, 11);
	assert_ptr_not_equal(rest, former);
	assert_int_equal(live_total(former), 101 + 200);
	assert_int_equal(live_total(rest), 10 + 40 + 80);
	/* A version from before the void is void in the second, too. */
	scan_at(l, 11, 2, 5);
	assert_int_equal(live_total(rest), 10 + 40 + 80);
	scan_at(l, 12, 2, 20);
	assert_int_equal(live_total(rest), 10 + 40 + 80);
	scan_at(l, 13, 2, 20);
	assert_int_equal(live_total(rest), 10 + 20 + 40 + 80);
	assert_int_equal(former->old_count, 0);
	assert_int_equal(rest->old_count, 0);
}

static void
all_lines_but_some_are_void_in_the_sale_that_said_so(void **state)
{
	for (int second = 0; second < 2; second++) {
		struct lane *l;
		struct visit *former;

		lane_done(state);
		lane_init(state);
		l = *state;
		former = at(l, 1, EV_BASKET_OPENED);
		scan_at(l, 2, 1, 100);
		scan_at(l, 2, 2, 200);
		at(l, 10, EV_BASKET_OPENED);
		scan_at(l, 11, 1, 10);
		scan_at(l, 11, 2, 20);
		l->at_ms = T0 + (second ? 12 : 3);
		unscan_rest(l, "7", "B1", 1);
		at(l, 9, EV_BASKET_CLOSED);
		assert_int_equal(live_total(former), second ? 300 : 100);
		assert_int_equal(live_total(of(l, 11)), second ? 10 : 30);
	}
}

/* The line that it took has the number of one of the next sale. */
static void
a_void_by_article_holds_in_its_own_sale(void **state)
{
	struct lane *l = *state;
	struct visit *former = at(l, 1, EV_BASKET_OPENED);

	scan_at(l, 2, 1, 100);
	scan_at(l, 2, 2, 200);
	l->at_ms = T0 + 3;
	unscan_article(l, "7", "B1", 0);
	at(l, 10, EV_BASKET_OPENED);
	scan_at(l, 11, 2, 20);
	scan_at(l, 12, 3, 30);
	l->at_ms = T0 + 13;
	unscan_article(l, "7", "B1", 0);
	assert_int_equal(live_total(stored(l, former)), 120);
	at(l, 9, EV_BASKET_CLOSED);
	assert_int_equal(live_total(of(l, 9)), 100);
	assert_int_equal(live_total(of(l, 11)), 20);
}

static void
a_close_that_was_heard_before_is_of_the_newer_one(void **state)
{
	struct lane *l = *state;
	struct visit *former = at(l, 1, EV_BASKET_OPENED), *rest;

	scan_at(l, 2, 1, 100);
	at(l, 10, EV_BASKET_OPENED);
	scan_at(l, 11, 1, 10);
	at(l, 20, EV_BASKET_CLOSED);
	assert_int_equal(former->state, VISIT_CLOSED);
	at(l, 3, EV_BASKET_CANCELLED);
	rest = of(l, 11);
	assert_ptr_not_equal(rest, former);
	assert_int_equal(l->r.effects, EFFECT_CANCELLED);
	assert_int_equal(l->r.also[0].effects, EFFECT_OPENED | EFFECT_AGAIN | EFFECT_CLOSED);
	assert_int_equal(former->state, VISIT_CANCELLED);
	assert_int_equal(former->ended_at_ms, T0 + 3);
	assert_int_equal(rest->state, VISIT_CLOSED);
	assert_int_equal(rest->ended_at_ms, T0 + 20);
	assert_int_equal(rest->sold_ms, T0 + 20);
	assert_int_equal(live_total(rest), 10);
}

/* Its first `opened` is the last that is heard. */
static void
an_opened_that_comes_after_all_parts_what_is_two(void **state)
{
	struct lane *l = *state;
	struct visit *former = scan_at(l, 2, 1, 100), *rest;

	at(l, 10, EV_BASKET_OPENED);
	scan_at(l, 11, 2, 10);
	at(l, 3, EV_BASKET_CLOSED);
	assert_ptr_equal(of(l, 11), former);
	at(l, 1, EV_BASKET_OPENED);
	rest = of(l, 11);
	assert_ptr_not_equal(rest, former);
	assert_int_equal(live_total(former), 100);
	assert_int_equal(live_total(rest), 10);
	assert_int_equal(rest->state, VISIT_OPEN);
}

static void
each_of_three_sales_ends_with_its_own_close_whichever_comes_first(void **state)
{
	static const int orders[][3] = { { 8, 18, 28 }, { 8, 28, 18 }, { 18, 8, 28 }, { 18, 28, 8 },
		{ 28, 8, 18 }, { 28, 18, 8 } };

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct lane *l;

		lane_done(state);
		lane_init(state);
		l = *state;
		for (int n = 0; n < 3; n++) {
			at(l, 10 * n + 1, EV_BASKET_OPENED);
			scan_at(l, 10 * n + 2, 1, 1 + n);
			scan_at(l, 10 * n + 3, 2 + n, 10 << n);
		}
		for (int n = 0; n < 3; n++)
			at(l, orders[i][n], EV_BASKET_CLOSED);
		assert_int_equal(sessions_count(l->sessions), 3);
		for (int n = 0; n < 3; n++) {
			struct visit *visit = of(l, 10 * n + 3);

			assert_int_equal(visit->state, VISIT_CLOSED);
			assert_int_equal(visit->began_at_ms, T0 + 10 * n + 1);
			assert_int_equal(visit->ended_at_ms, T0 + 10 * n + 8);
			assert_int_equal(live_total(visit), 1 + n + (10 << n));
		}
		assert_true(id_equal(&of(l, 29)->before, &of(l, 19)->id));
		assert_true(id_equal(&of(l, 19)->before, &of(l, 9)->id));
	}
}

static void
each_customer_has_the_sale_that_was_open_when_the_card_was_read(void **state)
{
	struct lane *l = *state;
	struct visit *former = at(l, 1, EV_BASKET_OPENED), *rest;

	card_at(l, 2, 'a', NULL);
	at(l, 3, EV_BASKET_TENDER_STARTED);
	at(l, 10, EV_BASKET_OPENED);
	assert_int_equal(former->state, VISIT_OPEN);
	card_at(l, 11, 'b', NULL);
	assert_whose(former, 'b');
	at(l, 4, EV_BASKET_CLOSED);
	rest = of(l, 11);
	assert_ptr_not_equal(rest, former);
	assert_whose(former, 'a');
	assert_whose(rest, 'b');
	assert_int_equal(l->r.effects, EFFECT_CLOSED | EFFECT_REPLACED | EFFECT_IDENTIFIED);
	assert_int_equal(l->r.also[0].effects, EFFECT_OPENED | EFFECT_AGAIN | EFFECT_IDENTIFIED);
}

static void
a_card_of_the_sale_before_is_not_the_next_ones(void **state)
{
	struct lane *l = *state;
	struct visit *former = at(l, 1, EV_BASKET_OPENED), *rest;
	struct id a = person('a');

	card_at(l, 2, 'a', NULL);
	at(l, 10, EV_BASKET_OPENED);
	scan_at(l, 11, 1, 10);
	at(l, 3, EV_BASKET_CLOSED);
	rest = of(l, 11);
	assert_whose(former, 'a');
	assert_whose(rest, 0);
	assert_int_equal(l->r.also[0].effects, EFFECT_OPENED | EFFECT_AGAIN | EFFECT_REPLACED);
	assert_memory_equal(&l->r.also[0].former, &a, sizeof(a));
}

/* A line of the new sale, which came before its `opened`, and looked like a late one of the old. */
static void
a_line_before_the_opened_that_gives_a_number_again_is_of_the_new_sale(void **state)
{
	struct lane *l = *state;
	struct visit *former = at(l, 1, EV_BASKET_OPENED), *next;

	scan_at(l, 2, 1, 100);
	at(l, 3, EV_BASKET_CLOSED);
	assert_ptr_equal(scan_at(l, 11, 2, 30), former);
	card_at(l, 12, 'b', "B1");
	assert_int_equal(live_total(former), 130);
	next = at(l, 10, EV_BASKET_OPENED);
	assert_ptr_not_equal(next, former);
	assert_int_equal(live_total(former), 100);
	assert_int_equal(live_total(next), 30);
	assert_whose(former, 0);
	assert_whose(next, 'b');
	assert_int_equal(l->r.also_count, 1);
	assert_ptr_equal(l->r.also[0].visit, former);
	assert_int_equal(l->r.also[0].effects, EFFECT_LATE_LINES | EFFECT_REPLACED);
}

/* Without an end between them, a till that says `opened` often says nothing. */
static void
of_many_the_newest_are_known(void **state)
{
	struct lane *l = *state;
	struct visit *former = at(l, 1, EV_BASKET_OPENED);

	for (int i = 0; i < 3 * VISIT_OPENS_MAX; i++) {
		assert_ptr_equal(at(l, 10 + i, EV_BASKET_OPENED), former);
		at(l, 10 + i, EV_BASKET_OPENED);
	}
	assert_int_equal(former->open_count, VISIT_OPENS_MAX);
	at(l, 5, EV_BASKET_CLOSED);
	assert_int_equal(former->state, VISIT_CLOSED);
	assert_int_equal(of(l, 1000)->began_at_ms,
	    T0 + 10 + 3 * VISIT_OPENS_MAX - (VISIT_OPENS_MAX - 1));
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, lane_init, lane_done)
	const struct CMUnitTest tests[] = {
		T(until_an_end_is_heard_of_it_is_one_basket),
		T(a_close_from_before_the_number_was_given_again_is_of_the_sale_before),
		T(a_line_number_of_both_sales_is_a_line_of_each),
		T(all_lines_but_some_are_void_in_the_sale_that_said_so),
		T(a_void_by_article_holds_in_its_own_sale),
		T(a_close_that_was_heard_before_is_of_the_newer_one),
		T(an_opened_that_comes_after_all_parts_what_is_two),
		T(each_of_three_sales_ends_with_its_own_close_whichever_comes_first),
		T(each_customer_has_the_sale_that_was_open_when_the_card_was_read),
		T(a_card_of_the_sale_before_is_not_the_next_ones),
		T(a_line_before_the_opened_that_gives_a_number_again_is_of_the_new_sale),
		T(of_many_the_newest_are_known),
	};
#undef T
	return cmocka_run_group_tests(tests, NULL, NULL);
}
