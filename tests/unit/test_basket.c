/* SPDX-License-Identifier: Apache-2.0
 *
 * test_basket.c - what a till says about a basket, in whatever order it comes.
 */
#include "session_fixture.h"

static void
opening_a_basket_begins_a_visit(void **state)
{
	struct lane *l = *state;
	struct event opened = { .type = EV_BASKET_OPENED,
		.channel = CHANNEL_POS,
		.origin = "7",
		.basket = "B1",
		.associate = "a1" };
	struct visit *visit = lane_apply(l, &opened, "lane7");

	assert_non_null(visit);
	assert_int_equal(l->r.effects, EFFECT_OPENED);
	assert_int_equal(visit->state, VISIT_OPEN);
	assert_string_equal(visit->station, "lane7");
	assert_string_equal(visit->terminal, "7");
	assert_string_equal(visit->basket, "B1");
	assert_string_equal(visit->associate, "a1");
	assert_true(visit->opened);
	assert_true(visit->dirty);
	assert_int_equal(visit->opened_ms, l->now_ms);
	assert_ptr_equal(sessions_by_basket(l->sessions, "B1"), visit);
	assert_ptr_equal(sessions_at_station(l->sessions, "lane7"), visit);
	assert_ptr_equal(sessions_at_terminal(l->sessions, "7"), visit);
	assert_null(sessions_at_station(l->sessions, "7"));
}

static void
a_line_before_opened_opens_the_basket(void **state)
{
	struct lane *l = *state;
	struct visit *visit = scan(l, "7", "B1", 1, 499);

	assert_int_equal(l->r.effects, EFFECT_OPENED | EFFECT_LINES);
	assert_false(visit->opened);
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B1"), visit);
	assert_int_equal(l->r.effects, 0);
	assert_true(visit->opened);
	till(l, "7", EV_BASKET_OPENED, "B1");
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_int_equal(visit->line_count, 1);
}

static void
a_new_event_for_a_line_replaces_it(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	scan(l, "7", "B1", 1, 499);
	scan(l, "7", "B1", 2, 100);
	visit = scan(l, "7", "B1", 1, 250);
	assert_int_equal(l->r.effects, EFFECT_LINES);
	assert_int_equal(visit->line_count, 2);
	assert_int_equal(live_total(visit), 350);
	assert_int_equal(visit_line(visit, 1)->added_ms, l->now_ms);
}

static void
a_void_of_all_but_some_leaves_those_alone(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	scan(l, "7", "B1", 1, 100);
	scan(l, "7", "B1", 2, 20);
	visit = scan(l, "7", "B1", 3, 3);
	unscan_rest(l, "7", "B1", 2);
	assert_int_equal(l->r.effects, EFFECT_LINES);
	assert_int_equal(live_total(visit), 20);
	assert_int_equal(visit->voids, 1);
	unscan_rest(l, "7", "B1", 2);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_int_equal(visit->voids, 1);
	unscan_rest(l, "7", "B1", -1);
	assert_int_equal(live_total(visit), 0);
	/* and what is scanned after it counts */
	scan(l, "7", "B1", 4, 4);
	scan(l, "7", "B1", 1, 1);
	assert_int_equal(live_total(visit), 5);
}

/* What happened last wins, in each order in which three events can come: a line at 1 s, all but that
 * line void at 2 s, or all but another. */
static void
a_void_of_all_but_some_holds_for_lines_that_come_late(void **state)
{
	struct lane *l = *state;
	int64_t t0 = l->now_ms + H_MS;
	struct visit *visit;

	visit = scan(l, "7", "B1", 9, 100);
	l->at_ms = t0 + 2 * S_MS;
	unscan_rest(l, "7", "B1", 2);
	assert_int_equal(live_total(visit), 0);
	l->at_ms = t0 + 1 * S_MS;
	scan(l, "7", "B1", 1, 1);
	assert_int_equal(live_total(visit), 0); /* it was not named, and is older */
	scan(l, "7", "B1", 2, 20);
	assert_int_equal(live_total(visit), 20); /* it was named */
	l->at_ms = t0 + 2 * S_MS;
	scan(l, "7", "B1", 3, 300);
	assert_int_equal(live_total(visit), 320); /* of the same time, and came last */
	l->at_ms = t0;
	unscan_rest(l, "7", "B1", -1);
	assert_int_equal(live_total(visit), 320); /* an older one changes nothing */
	l->at_ms = t0 + 3 * S_MS;
	unscan_rest(l, "7", "B1", 3);
	assert_int_equal(live_total(visit), 300);
	l->at_ms = t0 + 2 * S_MS + 1;
	scan(l, "7", "B1", 2, 20);
	assert_int_equal(live_total(visit), 300);
}

/* Each holds for the lines that it does not name, in whichever order they come. */
static void
of_two_voids_of_all_but_some_each_holds(void **state)
{
	static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
		{ 2, 0, 1 }, { 2, 1, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct lane *l;

		lane_done(state);
		lane_init(state);
		l = *state;
		for (int k = 0; k < 3; k++) {
			switch (orders[i][k]) {
			case 0:
				l->at_ms = T0 + 3;
				scan(l, "7", "B1", 2, 20);
				break;
			case 1:
				l->at_ms = T0 + 5;
				unscan_rest(l, "7", "B1", 1);
				break;
			case 2:
				l->at_ms = T0 + 10;
				unscan_rest(l, "7", "B1", 2);
				break;
			}
		}
		assert_int_equal(live_total(l->r.visit), 0);
		l->at_ms = T0 + 7;
		scan(l, "7", "B1", 2, 7);
		scan(l, "7", "B1", 1, 100);
		assert_int_equal(live_total(l->r.visit), 7);
	}
}

static void
a_void_of_an_article_takes_its_newest_line(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	scan(l, "7", "B1", 1, 100);
	visit = scan(l, "7", "B1", 2, 20);
	unscan_article(l, "7", "B1", 0);
	assert_int_equal(live_total(visit), 100);
	unscan_article(l, "7", "B1", 1000);
	assert_int_equal(live_total(visit), 0);
	assert_int_equal(visit->voids, 2);
	unscan_article(l, "7", "B1", 0);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	/* One of the quantity before a newer one. */
	scan(l, "7", "B1", 3, 3);
	scan(l, "7", "B1", 4, 40);
	visit_line(visit, 4)->qty_milli = 2000;
	unscan_article(l, "7", "B1", 1000);
	assert_int_equal(live_total(visit), 40);
	/* None of a line that was scanned after it: it was about the third, the one above about the fourth. */
	l->at_ms = visit_line(visit, 4)->time_ms - 1;
	unscan_article(l, "7", "B1", 0);
	assert_int_equal(live_total(visit), 0);
	assert_int_equal(visit_line(visit, 3)->taken_ms, l->at_ms);
}

static void
article_at(struct lane *l, int64_t ms)
{
	l->at_ms = T0 + ms;
	unscan_article(l, "7", "B1", 1000);
}

static struct visit *
line_at(struct lane *l, int64_t ms, int64_t line, int64_t amount)
{
	l->at_ms = T0 + ms;
	return scan(l, "7", "B1", line, amount);
}

/* A line that has that quantity only since then is not the one that was meant, one that had it is. */
static void
a_void_of_an_article_looks_for_the_quantity_of_its_time(void **state)
{
	struct lane *l = *state;
	struct event two = { .type = EV_BASKET_ITEM_ADDED,
		.channel = CHANNEL_POS,
		.origin = "7",
		.basket = "B1",
		.item = { .line = 1,
		    .item = "05012345678900",
		    .category = "grocery/coffee",
		    .qty_milli = 2000,
		    .amount_minor = 200 } };

	line_at(l, 5, 1, 100);
	line_at(l, 8, 2, 20);
	l->at_ms = T0 + 10;
	unscan_article(l, "7", "B1", 2000);
	assert_int_equal(live_total(l->r.visit), 100);
	l->at_ms = T0 + 12;
	lane_apply(l, &two, "7");
	assert_int_equal(live_total(l->r.visit), 200);
	/* And an older version that comes late had it. */
	l->at_ms = T0 + 3;
	lane_apply(l, &two, "7");
	assert_int_equal(live_total(l->r.visit), 220);
}

/* As in the order in which it happened, whatever comes first. */
static void
a_void_of_an_article_that_comes_before_its_line_takes_it(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	article_at(l, 10);
	visit = l->r.visit;
	assert_int_equal(l->r.effects & EFFECT_LINES, 0);
	line_at(l, 11, 1, 100); /* after it */
	assert_int_equal(live_total(visit), 100);
	line_at(l, 5, 2, 20);
	assert_int_equal(live_total(visit), 100);
	assert_int_equal(l->r.effects & EFFECT_LINES, 0);
	/* The newest by then was another one. */
	line_at(l, 10, 3, 3);
	assert_int_equal(live_total(visit), 120);
	assert_int_equal(l->r.effects & EFFECT_LINES, EFFECT_LINES);
	/* And that was void before. */
	l->at_ms = T0 + 10;
	unscan(l, "7", "B1", 3);
	assert_int_equal(live_total(visit), 100);
	assert_int_equal(visit->voids, 1);
}

static void
a_line_that_is_newer_than_the_void_that_took_it_counts(void **state)
{
	static const int orders[][4] = { { 0, 1, 2, 3 }, { 2, 0, 3, 1 }, { 3, 2, 1, 0 },
		{ 1, 3, 0, 2 }, { 3, 0, 2, 1 }, { 0, 2, 1, 3 } };

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct lane *l;

		lane_done(state);
		lane_init(state);
		l = *state;
		for (int k = 0; k < 4; k++) {
			switch (orders[i][k]) {
			case 0: line_at(l, 1, 1, 100); break;
			case 1: line_at(l, 2, 2, 20); break;
			case 2: article_at(l, 3); break;
			case 3: line_at(l, 4, 2, 7); break;
			}
		}
		assert_int_equal(live_total(l->r.visit), 107);
	}
}

static void
each_void_of_an_article_takes_a_line_of_its_own(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	article_at(l, 10);
	article_at(l, 10);
	visit = line_at(l, 1, 1, 100);
	line_at(l, 2, 2, 20);
	line_at(l, 3, 3, 3);
	assert_int_equal(live_total(visit), 100);
	article_at(l, 9);
	assert_int_equal(live_total(visit), 0);
	article_at(l, 9);
	line_at(l, 4, 4, 7);
	assert_int_equal(live_total(visit), 0);
	line_at(l, 4, 5, 8);
	assert_int_equal(live_total(visit), 100);
	for (int i = 0; i < 2 * VISIT_ARTICLE_VOIDS_MAX; i++)
		article_at(l, 20 + i);
	assert_int_equal(visit->article_void_count, VISIT_ARTICLE_VOIDS_MAX);
	assert_int_equal(live_total(visit), 0);
}

static void
a_void_takes_the_line_out_and_counts_once(void **state)
{
	struct lane *l = *state;
	struct visit *visit = scan(l, "7", "B1", 1, 499);

	unscan(l, "7", "B1", 1);
	assert_int_equal(l->r.effects, EFFECT_LINES);
	assert_int_equal(visit->voids, 1);
	assert_int_equal(live_total(visit), 0);
	unscan(l, "7", "B1", 1);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_int_equal(visit->voids, 1);
}

static void
a_void_before_its_line_cancels_what_happened_before_it(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	l->at_ms = T0 + 5;
	visit = unscan(l, "7", "B1", 4);
	assert_int_equal(l->r.effects, EFFECT_OPENED | EFFECT_LINES);
	assert_int_equal(visit->voids, 1);
	l->at_ms = T0 + 4;
	scan(l, "7", "B1", 4, 499);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_int_equal(live_total(visit), 0);
	assert_int_equal(visit->voids, 1);
	/* The same till scans it again. */
	l->at_ms = T0 + 6;
	scan(l, "7", "B1", 4, 300);
	assert_int_equal(l->r.effects, EFFECT_LINES);
	assert_int_equal(live_total(visit), 300);
	/* A copy of the first comes once more. */
	l->at_ms = T0 + 4;
	scan(l, "7", "B1", 4, 499);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_int_equal(live_total(visit), 300);
}

static void
of_one_time_what_came_last_wins_but_a_void_before_all_cancels_the_next(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	l->at_ms = T0;
	visit = scan(l, "7", "B1", 1, 100);
	unscan(l, "7", "B1", 1);
	assert_int_equal(live_total(visit), 0);
	scan(l, "7", "B1", 1, 200);
	assert_int_equal(live_total(visit), 200);
	unscan(l, "7", "B1", 2);
	scan(l, "7", "B1", 2, 10);
	assert_int_equal(live_total(visit), 200);
	scan(l, "7", "B1", 2, 20);
	assert_int_equal(live_total(visit), 220);
	unscan(l, "7", "B1", 2);
	assert_int_equal(live_total(visit), 200);
}

static void
an_older_version_changes_nothing(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	l->at_ms = T0 + 2;
	visit = scan(l, "7", "B1", 1, 300);
	l->at_ms = T0 + 1;
	scan(l, "7", "B1", 1, 100);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_int_equal(live_total(visit), 300);
	unscan(l, "7", "B1", 1);
	assert_int_equal(live_total(visit), 300);
}

static struct visit *
recall(struct lane *l, const char *terminal, enum event_type type, const char *from)
{
	struct event event = { .type = type,
		.channel = CHANNEL_POS,
		.origin = terminal,
		.basket = "B1",
		.from = from };

	return lane_apply(l, &event, terminal);
}

static void
a_sale_that_is_suspended_and_recalled_moves_to_the_other_till(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	for (int named = 0; named < 2; named++) {
		visit = till(l, named ? "5" : "7", EV_BASKET_OPENED, "B1");
		till(l, visit->terminal, EV_BASKET_SUSPENDED, "B1");
		assert_int_equal(l->r.effects, EFFECT_SUSPENDED);
		assert_null(sessions_at_station(l->sessions, visit->terminal));
		if (named)
			assert_ptr_equal(recall(l, "6", EV_BASKET_OPENED, "5"), visit);
		else
			assert_ptr_equal(recall(l, "9", EV_BASKET_RESUMED, NULL), visit);
		assert_int_equal(l->r.effects, EFFECT_MOVED | EFFECT_RESUMED);
		assert_string_equal(l->r.old_station, named ? "5" : "7");
		assert_string_equal(visit->station, named ? "6" : "9");
		assert_string_equal(visit->terminal, named ? "6" : "9");
		assert_ptr_equal(sessions_at_station(l->sessions, visit->terminal), visit);
	}
	/* What the first till says now is about a new basket of its own. */
	assert_ptr_not_equal(scan(l, "7", "B1", 1, 100), visit);
	assert_int_equal(l->r.effects, EFFECT_OPENED | EFFECT_LINES);
	assert_ptr_equal(scan(l, "6", "B1", 1, 100), visit);
}

static void
what_the_first_till_said_before_the_recall_is_still_of_the_sale(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	l->at_ms = T0 + 1;
	visit = till(l, "7", EV_BASKET_OPENED, "B1");
	l->at_ms = T0 + 3;
	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	l->at_ms = T0 + 4;
	recall(l, "9", EV_BASKET_RESUMED, NULL);
	l->at_ms = T0 + 2;
	assert_ptr_equal(scan(l, "7", "B1", 1, 100), visit);
	l->at_ms = T0 + 4;
	assert_ptr_not_equal(scan(l, "7", "B1", 1, 100), visit);
}

static void
a_recall_from_a_till_that_suspended_nothing_begins_a_basket(void **state)
{
	struct lane *l = *state;
	struct visit *other = till(l, "7", EV_BASKET_OPENED, "B1"), *visit;

	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	visit = recall(l, "9", EV_BASKET_OPENED, "8");
	assert_ptr_not_equal(visit, other);
	assert_int_equal(l->r.effects, EFFECT_OPENED | EFFECT_RECALL);
	assert_int_equal(other->state, VISIT_SUSPENDED);
}

static void
resumed_and_lines_bring_a_suspended_basket_back(void **state)
{
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1");

	till(l, "7", EV_BASKET_RESUMED, "B1");
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	till(l, "7", EV_BASKET_RESUMED, "B1");
	assert_int_equal(l->r.effects, EFFECT_RESUMED);
	assert_int_equal(visit->state, VISIT_OPEN);
	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	scan(l, "7", "B1", 1, 100);
	assert_int_equal(l->r.effects, EFFECT_RESUMED | EFFECT_LINES);
	assert_int_equal(visit->state, VISIT_OPEN);
}

/* The till is at it again, but nothing was added: a suspension of before it is older, one of after it is not. */
static void
a_void_brings_a_suspended_basket_back_too(void **state)
{
	struct lane *l = *state;
	struct visit *visit = scan(l, "7", "B1", 1, 100);

	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	assert_int_equal(visit->state, VISIT_SUSPENDED);
	unscan(l, "7", "B1", 1);
	assert_int_equal(visit->state, VISIT_OPEN);
	assert_int_equal(l->r.effects, EFFECT_LINES | EFFECT_RESUMED);
	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	assert_int_equal(visit->state, VISIT_SUSPENDED);
	assert_int_equal(l->r.effects, EFFECT_SUSPENDED);
	/* One that happened before it was suspended resumes nothing. */
	l->at_ms = visit->state_at_ms - 1;
	unscan(l, "7", "B1", 2);
	assert_int_equal(visit->state, VISIT_SUSPENDED);
	assert_int_equal(l->r.effects & EFFECT_RESUMED, 0);
}

/* A line that is named and comes after all: of an article, of a shop's own number, and one whose void was said. */
static void
a_line_that_stays_is_known_by_its_number_until_it_comes(void **state)
{
	struct lane *l = *state;
	struct visit *visit = scan(l, "7", "B1", 1, 100);

	unscan(l, "7", "B1", 3);
	visit_line(visit, 1)->item[0] = '\0';
	visit_line(visit, 1)->sku = mem_strdup("own");
	unscan_rest(l, "7", "B1", 1);
	assert_int_equal(live_total(visit), 100);
	assert_int_equal(visit->line_count, 2);
	unscan_rest(l, "7", "B1", 3);
	assert_true(visit_line(visit, 3)->void_said);
	unscan_rest(l, "7", "B1", 2);
	assert_int_equal(visit->line_count, 3);
	/* It is void by the one before alone. */
	assert_true(visit_line(visit, 2)->voided);
	assert_int_equal(visit_line(visit, 2)->void_ms, l->now_ms - S_MS);
	l->at_ms = l->now_ms - 1;
	scan(l, "7", "B1", 2, 20);
	assert_int_equal(live_total(visit), 20);
	/* A full basket has no room for one. */
	l->at_ms = 0;
	for (int i = 4; i <= VISIT_LINES_MAX; i++)
		scan(l, "7", "B1", i, 1);
	unscan_rest(l, "7", "B1", 9999);
	assert_int_equal(visit->line_count, VISIT_LINES_MAX);
	assert_int_equal(live_total(visit), 0);
}

static void
the_same_number_at_two_tills_is_two_baskets(void **state)
{
	static const enum event_type types[] = { EV_BASKET_OPENED, EV_BASKET_ITEM_ADDED,
		EV_BASKET_ITEM_VOIDED, EV_BASKET_RESUMED, EV_BASKET_SUSPENDED,
		EV_BASKET_TENDER_STARTED, EV_BASKET_PAYMENT_DECLINED, EV_BASKET_CANCELLED,
		EV_BASKET_CLOSED };
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1");

	visit->dirty = false;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		char other[4];

		snprintf(other, sizeof(other), "8%zu", i);
		assert_ptr_not_equal(till(l, other, types[i], "B1"), visit);
		assert_int_equal(l->r.reject, REJECT_NONE);
		assert_true(l->r.effects & EFFECT_OPENED);
	}
	assert_int_equal(visit->state, VISIT_OPEN);
	assert_int_equal(visit->line_count, 0);
	assert_false(visit->dirty);
	assert_int_equal(sessions_count(l->sessions), 1 + ARRAY_LEN(types));
}

static void
tender_starts_once_and_a_new_line_goes_back_to_open(void **state)
{
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1");

	till(l, "7", EV_BASKET_TENDER_STARTED, "B1");
	assert_int_equal(l->r.effects, EFFECT_TENDER);
	till(l, "7", EV_BASKET_TENDER_STARTED, "B1");
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	unscan(l, "7", "B1", 9);
	assert_int_equal(visit->state, VISIT_TENDER);
	scan(l, "7", "B1", 1, 100);
	assert_int_equal(visit->state, VISIT_OPEN);
	till(l, "7", EV_BASKET_TENDER_STARTED, "B1");
	assert_int_equal(l->r.effects, EFFECT_TENDER);
	till(l, "7", EV_BASKET_PAYMENT_DECLINED, "B1");
	assert_int_equal(l->r.effects, EFFECT_DECLINED);
	assert_int_equal(visit->declines, 1);
	assert_int_equal(visit->state, VISIT_TENDER);
}

static void
the_till_closes_with_its_own_total(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	scan(l, "7", "B1", 1, 499);
	visit = pay(l, "7", "B1", 450);
	assert_int_equal(l->r.effects, EFFECT_CLOSED);
	assert_int_equal(visit->state, VISIT_CLOSED);
	assert_int_equal(visit->total_minor, 450);
	assert_int_equal(visit->closed_ms, l->now_ms);
	assert_null(sessions_at_station(l->sessions, "7"));
	pay(l, "7", "B1", 999);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_int_equal(visit->total_minor, 450);
}

static void
lines_after_closed_are_for_the_history_alone(void **state)
{
	struct lane *l = *state;
	struct visit *visit = pay(l, "7", "B1", 499);

	assert_int_equal(l->r.effects, EFFECT_OPENED | EFFECT_CLOSED);
	scan(l, "7", "B1", 1, 499);
	assert_int_equal(l->r.effects, EFFECT_LATE_LINES);
	assert_int_equal(visit->state, VISIT_CLOSED);
	assert_int_equal(live_total(visit), 499);
	unscan(l, "7", "B1", 1);
	assert_int_equal(l->r.effects, EFFECT_LATE_LINES);
	assert_int_equal(visit->voids, 0);
}

static void
after_cancelled_nothing_changes(void **state)
{
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_CANCELLED, "B1");

	assert_int_equal(l->r.effects, EFFECT_OPENED | EFFECT_CANCELLED);
	scan(l, "7", "B1", 1, 499);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	unscan(l, "7", "B1", 2);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	pay(l, "7", "B1", 499);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	l->at_ms = visit->began_at_ms - 1;
	till(l, "7", EV_BASKET_OPENED, "B1");
	assert_int_equal(l->r.effects, 0);
	till(l, "7", EV_BASKET_OPENED, "B1");
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_int_equal(visit->state, VISIT_CANCELLED);
	assert_int_equal(visit->line_count, 0);
	assert_string_equal(visit->terminal, "7");
}

static void
cancelled_wins_over_closed_in_either_order(void **state)
{
	struct lane *l = *state;
	struct visit *visit = pay(l, "7", "B1", 499);

	till(l, "7", EV_BASKET_CANCELLED, "B1");
	assert_int_equal(l->r.effects, EFFECT_CANCELLED);
	assert_int_equal(visit->state, VISIT_CANCELLED);
	till(l, "7", EV_BASKET_CANCELLED, "B1");
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
}

static void
a_number_that_is_opened_after_its_close_is_a_new_basket(void **state)
{
	struct lane *l = *state;
	struct visit *first, *second;

	l->at_ms = T0 + 10;
	first = till(l, "7", EV_BASKET_OPENED, "B1");
	l->at_ms = T0 + 20;
	pay(l, "7", "B1", 499);
	l->at_ms = T0 + 19;
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B1"), first);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	l->at_ms = T0 + 20;
	second = till(l, "7", EV_BASKET_OPENED, "B1");
	assert_ptr_not_equal(second, first);
	assert_int_equal(l->r.effects, EFFECT_OPENED | EFFECT_AGAIN);
	assert_memory_equal(&second->before, &first->id, sizeof(first->id));
	/* What is late is of the first. */
	l->at_ms = T0 + 15;
	assert_ptr_equal(scan(l, "7", "B1", 1, 100), first);
	assert_int_equal(l->r.effects, EFFECT_LATE_LINES);
	l->at_ms = T0 + 5;
	assert_ptr_equal(scan(l, "7", "B1", 2, 100), first);
	l->at_ms = T0 + 21;
	assert_ptr_equal(scan(l, "7", "B1", 1, 300), second);
	assert_int_equal(live_total(first), 200);
	l->at_ms = T0 + 15;
	till(l, "7", EV_BASKET_CANCELLED, "B1");
	assert_int_equal(first->state, VISIT_CANCELLED);
	assert_int_equal(second->state, VISIT_OPEN);
}

static void
the_last_line_after_a_close_comes_five_minutes_after_it(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	l->at_ms = T0;
	visit = pay(l, "7", "B1", 499);
	l->at_ms = T0 + 5 * MIN_MS;
	scan(l, "7", "B1", 1, 400);
	assert_int_equal(l->r.effects, EFFECT_LATE_LINES);
	l->at_ms++;
	scan(l, "7", "B1", 2, 99);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	unscan(l, "7", "B1", 1);
	assert_int_equal(live_total(visit), 400);
	/* Before the close was heard of it looked like one of its own. */
	l->at_ms = T0 + 5 * MIN_MS + 1;
	visit = scan(l, "8", "B1", 1, 400);
	l->at_ms = T0;
	pay(l, "8", "B1", 0);
	assert_int_equal(live_total(visit), 0);
}

static void
training_is_known_also_when_opened_comes_late(void **state)
{
	struct lane *l = *state;
	struct event opened = {
		.type = EV_BASKET_OPENED, .origin = "7", .basket = "B1", .training = true
	};
	struct visit *visit = scan(l, "7", "B1", 1, 499);

	assert_false(visit->training);
	lane_apply(l, &opened, "7");
	assert_true(visit->training);
}

static void
the_last_line_that_fits_is_kept_and_the_next_refused(void **state)
{
	struct lane *l = *state;
	struct visit *visit = NULL;

	for (int i = 1; i <= VISIT_LINES_MAX; i++)
		visit = scan(l, "7", "B1", i, 1);
	assert_int_equal(l->r.reject, REJECT_NONE);
	assert_int_equal(visit->line_count, VISIT_LINES_MAX);
	scan(l, "7", "B1", VISIT_LINES_MAX + 1, 1);
	assert_int_equal(l->r.reject, REJECT_BAD_VALUE);
	assert_non_null(strstr(l->r.detail, "/data/line"));
	assert_int_equal(visit->line_count, VISIT_LINES_MAX);
	scan(l, "7", "B1", 5, 7);
	assert_int_equal(l->r.reject, REJECT_NONE);
	assert_int_equal(visit_line(visit, 5)->amount_minor, 7);
}

/* opened, 4 lines, a void of line 2, closed: every order of the seven ends alike. */
static void
step(struct lane *l, int which)
{
	l->at_ms = T0 + which;
	switch (which) {
	case 0: till(l, "7", EV_BASKET_OPENED, "B1"); break;
	case 5: unscan(l, "7", "B1", 2); break;
	case 6: pay(l, "7", "B1", 1300); break;
	default: scan(l, "7", "B1", which, which * 100); break;
	}
}

static void
permute(int *order, int at, unsigned *count)
{
	if (at == 7) {
		void *state;
		struct lane *l;
		struct visit *visit;

		lane_init(&state);
		l = state;
		for (int i = 0; i < 7; i++)
			step(l, order[i]);
		visit = sessions_by_basket(l->sessions, "B1");
		assert_int_equal(visit->state, VISIT_CLOSED);
		assert_int_equal(live_total(visit), 800);
		assert_int_equal(visit->total_minor, 1300);
		assert_int_equal(sessions_count(l->sessions), 1);
		lane_done(&state);
		++*count;
		return;
	}
	for (int i = at; i < 7; i++) {
		int keep = order[at];

		order[at] = order[i];
		order[i] = keep;
		permute(order, at + 1, count);
		order[i] = order[at];
		order[at] = keep;
	}
}

static void
every_order_of_a_sale_ends_in_the_same_basket(void **state)
{
	int order[7] = { 0, 1, 2, 3, 4, 5, 6 };
	unsigned count = 0;

	(void)state;
	permute(order, 0, &count);
	assert_int_equal(count, 5040);
}

static void
two_baskets_of_one_station_the_newer_is_in_front(void **state)
{
	struct lane *l = *state;
	struct event first = { .type = EV_BASKET_OPENED, .origin = "7", .basket = "B1" };
	struct event second = { .type = EV_BASKET_OPENED, .origin = "8", .basket = "B2" };
	struct visit *one = lane_apply(l, &first, "sco");
	struct visit *two = lane_apply(l, &second, "sco");

	assert_ptr_equal(sessions_at_station(l->sessions, "sco"), two);
	assert_ptr_equal(sessions_at_terminal(l->sessions, "7"), one);
	pay(l, "8", "B2", 1);
	assert_ptr_equal(sessions_at_station(l->sessions, "sco"), one);
}

static void
a_return_is_trouble_of_the_visit_at_its_station(void **state)
{
	struct lane *l = *state;
	struct event ret = { .type = EV_RETURN_COMPLETED, .origin = "7", .ret = "R1" };
	struct visit *visit;

	assert_null(lane_apply(l, &ret, "7"));
	assert_int_equal(l->r.effects, 0);
	visit = till(l, "7", EV_BASKET_OPENED, "B1");
	assert_ptr_equal(lane_apply(l, &ret, "7"), visit);
	assert_int_equal(visit->returns, 1);
	assert_int_equal(visit->last_ms, l->now_ms);
	ret.basket = "long ago";
	assert_ptr_equal(lane_apply(l, &ret, "7"), visit);
	assert_int_equal(visit->returns, 2);
}

static void
a_suspension_or_resumption_that_is_older_than_the_state_changes_nothing(void **state)
{
	struct lane *l = *state;
	struct visit *visit;

	l->at_ms = T0 + 1;
	visit = till(l, "7", EV_BASKET_OPENED, "B1");
	l->at_ms = T0 + 10;
	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	l->at_ms = T0 + 9;
	till(l, "7", EV_BASKET_RESUMED, "B1");
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_int_equal(visit->state, VISIT_SUSPENDED);
	l->at_ms = T0 + 10;
	till(l, "7", EV_BASKET_RESUMED, "B1");
	assert_int_equal(visit->state, VISIT_OPEN);
	/* Heard while it is open, it keeps out a suspension of before it. */
	l->at_ms = T0 + 20;
	till(l, "7", EV_BASKET_RESUMED, "B1");
	assert_int_equal(visit->state_at_ms, T0 + 20);
	l->at_ms = T0 + 15;
	till(l, "7", EV_BASKET_RESUMED, "B1");
	assert_int_equal(visit->state_at_ms, T0 + 20);
	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_int_equal(visit->state, VISIT_OPEN);
	l->at_ms = T0 + 20;
	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	assert_int_equal(visit->state, VISIT_SUSPENDED);
}

/* Opened again, though it was heard of: what `opened` says is learned once, and again with a recall. */
static void
opened_is_learned_once_unless_the_basket_was_suspended(void **state)
{
	struct lane *l = *state;
	struct event opened = { .type = EV_BASKET_OPENED,
		.channel = CHANNEL_POS,
		.origin = "7",
		.basket = "B1",
		.associate = "a" };
	struct visit *visit;

	l->at_ms = T0 + 1;
	visit = lane_apply(l, &opened, "7");
	assert_string_equal(visit->associate, "a");
	opened.associate = "b";
	opened.training = true;
	lane_apply(l, &opened, "7");
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_string_equal(visit->associate, "a");
	assert_false(visit->training);
	l->at_ms = T0 + 5;
	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	l->at_ms = T0 + 4;
	lane_apply(l, &opened, "7");
	assert_int_equal(visit->state, VISIT_SUSPENDED);
	assert_string_equal(visit->associate, "a");
	l->at_ms = T0 + 5;
	lane_apply(l, &opened, "7");
	assert_int_equal(visit->state, VISIT_OPEN);
	assert_int_equal(visit->state_at_ms, T0 + 5);
	assert_int_equal(l->r.effects, EFFECT_RESUMED | EFFECT_TRAINING);
	assert_string_equal(visit->associate, "b");
	assert_true(visit->training);
	/* It stays training, and is not told again. */
	l->at_ms = T0 + 6;
	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	opened.associate = NULL;
	opened.training = false;
	l->at_ms = T0 + 7;
	lane_apply(l, &opened, "7");
	assert_int_equal(l->r.effects, EFFECT_RESUMED);
	assert_true(visit->training);
	assert_string_equal(visit->associate, "b");
}

/* A kiosk's card that names its basket waits for it at its till. */
static void
a_basket_that_a_card_waited_for_at_another_station_is_where_its_till_is(void **state)
{
	struct lane *l = *state;
	struct event identified = { .type = EV_CUSTOMER_IDENTIFIED,
		.channel = CHANNEL_POS,
		.origin = "7",
		.has_subject = true,
		.subject = person('a'),
		.basket = "B1",
		.station = "kiosk" };
	struct visit *waiting = lane_apply(l, &identified, "kiosk");

	assert_int_equal(waiting->state, VISIT_WAITING);
	assert_ptr_not_equal(till(l, "8", EV_BASKET_OPENED, "B1"), waiting);
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B1"), waiting);
	assert_int_equal(l->r.effects, EFFECT_OPENED | EFFECT_MOVED);
	assert_string_equal(l->r.old_station, "kiosk");
	assert_string_equal(waiting->station, "7");
	assert_ptr_equal(sessions_at_station(l->sessions, "7"), waiting);
	assert_null(sessions_at_station(l->sessions, "kiosk"));
}

/* Three sales of one number; the middle one is heard of last. */
static void
a_number_given_again_that_is_heard_of_late_stands_between_the_others(void **state)
{
	struct lane *l = *state;
	struct visit *first, *second, *third;

	l->at_ms = T0 + 1;
	first = till(l, "7", EV_BASKET_OPENED, "B1");
	l->at_ms = T0 + 100;
	pay(l, "7", "B1", 0);
	l->at_ms = T0 + 300;
	third = till(l, "7", EV_BASKET_OPENED, "B1");
	assert_int_equal(l->r.effects, EFFECT_OPENED | EFFECT_AGAIN);
	assert_true(id_equal(&third->before, &first->id));
	assert_int_equal(l->r.also_count, 0);
	l->at_ms = T0 + 200;
	second = till(l, "7", EV_BASKET_OPENED, "B1");
	assert_ptr_not_equal(second, first);
	assert_ptr_not_equal(second, third);
	assert_true(id_equal(&second->before, &first->id));
	assert_true(id_equal(&third->before, &second->id));
	assert_ptr_equal(l->r.also[0].visit, third);
	assert_int_equal(l->r.also[0].effects, 0);
	/* Each time is whose it is; before all of them it is the oldest's. */
	assert_ptr_equal(sessions_basket(l->sessions, "7", "B1", T0 + 199), first);
	assert_ptr_equal(sessions_basket(l->sessions, "7", "B1", T0 + 200), second);
	assert_ptr_equal(sessions_basket(l->sessions, "7", "B1", T0 + 300), third);
	assert_ptr_equal(sessions_basket(l->sessions, "7", "B1", T0), first);
	assert_null(sessions_basket(l->sessions, "8", "B1", T0 + 300));
	assert_null(sessions_basket(l->sessions, "7", "B2", T0 + 300));
}

/* The instant of its end is the last of a number that was opened, and none of one that was not. */
static void
a_number_is_given_again_from_the_end_of_its_basket_on(void **state)
{
	for (int opened = 0; opened < 2; opened++) {
		for (int late = -1; late <= 1; late++) {
			struct lane *l;
			struct visit *first, *next;

			lane_done(state);
			lane_init(state);
			l = *state;
			l->at_ms = T0 + 1;
			first = opened ? till(l, "7", EV_BASKET_OPENED, "B1")
				       : scan(l, "7", "B1", 1, 100);
			l->at_ms = T0 + 100;
			pay(l, "7", "B1", 100);
			l->at_ms = T0 + 100 + late;
			next = till(l, "7", EV_BASKET_OPENED, "B1");
			assert_int_equal(next != first, late > 0 || (late == 0 && opened));
		}
	}
}

static void
who_stands_in_front_is_open_pays_or_waits(void **state)
{
	static const bool in_front[] = {
		[VISIT_WAITING] = true,
		[VISIT_OPEN] = true,
		[VISIT_SUSPENDED] = false,
		[VISIT_TENDER] = true,
		[VISIT_CLOSED] = false,
		[VISIT_CANCELLED] = false,
	};
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1");

	for (int s = VISIT_WAITING; s <= VISIT_CANCELLED; s++) {
		visit->state = (enum visit_state)s;
		assert_ptr_equal(sessions_at_station(l->sessions, "7"), in_front[s] ? visit : NULL);
		assert_ptr_equal(sessions_at_terminal(l->sessions, "7"),
		    in_front[s] ? visit : NULL);
		assert_null(sessions_at_station(l->sessions, "8"));
		assert_null(sessions_at_terminal(l->sessions, "8"));
	}
}

static void
of_two_the_later_opened_is_the_newer_and_of_one_instant_the_larger_id(void **state)
{
	struct lane *l = *state;
	struct visit *one = till(l, "7", EV_BASKET_OPENED, "B1"),
		     *two = till(l, "7", EV_BASKET_OPENED, "B2");

	for (int i = 0; i < 3; i++) {
		struct visit *newer = i == 2 ? one : two;

		one->opened_ms = two->opened_ms + i - 1;
		one->began_at_ms = two->began_at_ms;
		assert_ptr_equal(sessions_at_station(l->sessions, "7"), newer);
		assert_ptr_equal(sessions_at_terminal(l->sessions, "7"), newer);
		one->has_subject = two->has_subject = true;
		one->subject = two->subject = person('a');
		assert_ptr_equal(sessions_by_subject(l->sessions, &one->subject), newer);
	}
	two->subject = person('b');
	assert_ptr_equal(sessions_by_subject(l->sessions, &two->subject), two);
	two->state = VISIT_CLOSED;
	assert_null(sessions_by_subject(l->sessions, &two->subject));
	two->state = VISIT_OPEN;
	two->has_subject = false;
	assert_null(sessions_by_subject(l->sessions, &two->subject));
}

static void
the_table_keeps_visits_by_id_whatever_the_order(void **state)
{
	struct lane *l = *state;
	char basket[16];

	for (unsigned i = 0; i < 200; i++) {
		struct id id = id_of((i * 73) % 200 + 1000);
		struct visit *visit = visit_new(&id);

		snprintf(basket, sizeof(basket), "B%u", i);
		visit->basket = strdup(basket);
		visit->state = VISIT_OPEN;
		sessions_add(l->sessions, visit);
	}
	assert_int_equal(sessions_count(l->sessions), 200);
	for (unsigned i = 0; i < 200; i++) {
		struct id id = id_of((i * 73) % 200 + 1000);
		struct visit *visit = sessions_by_id(l->sessions, &id);

		snprintf(basket, sizeof(basket), "B%u", i);
		assert_ptr_equal(sessions_by_basket(l->sessions, basket), visit);
		if (i % 2 == 0)
			sessions_remove(l->sessions, visit);
	}
	assert_int_equal(sessions_count(l->sessions), 100);
	assert_null(sessions_by_basket(l->sessions, "B0"));
	assert_non_null(sessions_by_basket(l->sessions, "B1"));
	/* The same id again replaces. */
	struct id again = id_of(73 + 1000);
	struct visit *other = visit_new(&again);
	sessions_add(l->sessions, other);
	assert_int_equal(sessions_count(l->sessions), 100);
	assert_ptr_equal(sessions_by_id(l->sessions, &again), other);
}

#define T(f) cmocka_unit_test_setup_teardown(f, lane_init, lane_done)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(opening_a_basket_begins_a_visit),
		T(a_line_before_opened_opens_the_basket),
		T(a_new_event_for_a_line_replaces_it),
		T(a_void_takes_the_line_out_and_counts_once),
		T(a_void_of_all_but_some_leaves_those_alone),
		T(a_void_of_all_but_some_holds_for_lines_that_come_late),
		T(of_two_voids_of_all_but_some_each_holds),
		T(a_void_of_an_article_takes_its_newest_line),
		T(a_void_of_an_article_looks_for_the_quantity_of_its_time),
		T(a_void_of_an_article_that_comes_before_its_line_takes_it),
		T(a_line_that_is_newer_than_the_void_that_took_it_counts),
		T(each_void_of_an_article_takes_a_line_of_its_own),
		T(a_void_before_its_line_cancels_what_happened_before_it),
		T(of_one_time_what_came_last_wins_but_a_void_before_all_cancels_the_next),
		T(an_older_version_changes_nothing),
		T(a_sale_that_is_suspended_and_recalled_moves_to_the_other_till),
		T(what_the_first_till_said_before_the_recall_is_still_of_the_sale),
		T(a_recall_from_a_till_that_suspended_nothing_begins_a_basket),
		T(resumed_and_lines_bring_a_suspended_basket_back),
		T(a_void_brings_a_suspended_basket_back_too),
		T(a_line_that_stays_is_known_by_its_number_until_it_comes),
		T(the_same_number_at_two_tills_is_two_baskets),
		T(tender_starts_once_and_a_new_line_goes_back_to_open),
		T(the_till_closes_with_its_own_total),
		T(lines_after_closed_are_for_the_history_alone),
		T(after_cancelled_nothing_changes),
		T(cancelled_wins_over_closed_in_either_order),
		T(a_number_that_is_opened_after_its_close_is_a_new_basket),
		T(the_last_line_after_a_close_comes_five_minutes_after_it),
		T(training_is_known_also_when_opened_comes_late),
		T(the_last_line_that_fits_is_kept_and_the_next_refused),
		cmocka_unit_test(every_order_of_a_sale_ends_in_the_same_basket),
		T(two_baskets_of_one_station_the_newer_is_in_front),
		T(a_return_is_trouble_of_the_visit_at_its_station),
		T(a_suspension_or_resumption_that_is_older_than_the_state_changes_nothing),
		T(opened_is_learned_once_unless_the_basket_was_suspended),
		T(a_basket_that_a_card_waited_for_at_another_station_is_where_its_till_is),
		T(a_number_given_again_that_is_heard_of_late_stands_between_the_others),
		T(a_number_is_given_again_from_the_end_of_its_basket_on),
		T(who_stands_in_front_is_open_pays_or_waits),
		T(of_two_the_later_opened_is_the_newer_and_of_one_instant_the_larger_id),
		T(the_table_keeps_visits_by_id_whatever_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
