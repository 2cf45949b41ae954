/* SPDX-License-Identifier: Apache-2.0
 *
 * test_recall.c - a sale that is suspended at one till and goes on at another: what is a recall, which sale it finds, and
 * what becomes of what the other till had begun.
 */
#include "core/metrics.h"
#include "session_fixture.h"

/* At a second of the day, about basket B1. */
static struct visit *
at(struct lane *l, int second, const char *terminal, enum event_type type, const char *from)
{
	struct event event = { .type = type,
		.channel = CHANNEL_POS,
		.origin = terminal,
		.basket = "B1",
		.total_minor = 77,
		.from = from };

	l->at_ms = T0 + second * S_MS;
	return lane_apply(l, &event, terminal);
}

static struct visit *
scan_at(struct lane *l, int second, const char *terminal, int64_t line, int64_t amount)
{
	l->at_ms = T0 + second * S_MS;
	return scan(l, terminal, "B1", line, amount);
}

static struct visit *
void_at(struct lane *l, int second, const char *terminal, int64_t line)
{
	l->at_ms = T0 + second * S_MS;
	return unscan(l, terminal, "B1", line);
}

static struct visit *
card_at(struct lane *l, int second, const char *station, char who, const char *basket)
{
	l->at_ms = T0 + second * S_MS;
	return card(l, station, who, basket);
}

/* Another day. */
static struct lane *
anew(void **state)
{
	lane_done(state);
	lane_init(state);
	return *state;
}

/* ---- what is a recall, and of which sale ---- */

static void
a_till_recalls_nothing_from_itself(void **state)
{
	struct lane *l = *state;
	struct visit *visit = at(l, 1, "7", EV_BASKET_OPENED, NULL);

	at(l, 2, "7", EV_BASKET_SUSPENDED, NULL);
	assert_ptr_not_equal(at(l, 3, "9", EV_BASKET_OPENED, "9"), visit);
	assert_int_equal(l->r.effects, EFFECT_OPENED);
	assert_int_equal(l->r.visit->recall_at_ms, 0);
	l = anew(state);
	assert_int_equal(at(l, 3, "9", EV_BASKET_RESUMED, "9")->recall_at_ms, 0);
	assert_int_equal(l->r.effects, EFFECT_OPENED);
	/* Nor is what is opened without a word of another till a recall. */
	assert_int_equal(at(l, 3, "8", EV_BASKET_OPENED, NULL)->recall_at_ms, 0);
	/* Whereas this is one that waits for the word that it was suspended. */
	l = anew(state);
	assert_int_equal(at(l, 3, "9", EV_BASKET_RESUMED, NULL)->recall_at_ms, T0 + 3 * S_MS);
	assert_int_equal(l->r.effects, EFFECT_OPENED | EFFECT_RECALL);
	assert_string_equal(l->r.visit->recall_from, "");
	assert_string_equal(at(l, 4, "8", EV_BASKET_OPENED, "3")->recall_from, "3");
}

static void
a_sale_is_recalled_from_when_it_is_suspended_and_from_the_till_that_is_named(void **state)
{
	static const struct {
		int second;
		const char *from;
		bool moves;
	} cases[] = { { 9, NULL, false }, { 10, NULL, true }, { 11, NULL, true }, { 9, "7", false },
		{ 10, "7", true }, { 10, "8", false } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct lane *l = anew(state);
		struct visit *visit = at(l, 1, "7", EV_BASKET_OPENED, NULL), *found;

		at(l, 10, "7", EV_BASKET_SUSPENDED, NULL);
		found = at(l, cases[i].second, "9", EV_BASKET_RESUMED, cases[i].from);
		assert_int_equal(found == visit, cases[i].moves);
		assert_int_equal(visit->state, cases[i].moves ? VISIT_OPEN : VISIT_SUSPENDED);
		if (cases[i].moves)
			assert_int_equal(visit->state_at_ms, T0 + cases[i].second * S_MS);
	}
}

/* What happened at the till that it left, before it was recalled, changes it no more. */
static void
a_sale_is_open_where_it_was_recalled_from_that_time_on(void **state)
{
	struct lane *l = *state;
	struct visit *sale = at(l, 1, "7", EV_BASKET_OPENED, NULL);

	sale->before = id_of(99);
	sale->along = id_of(98);
	at(l, 10, "7", EV_BASKET_SUSPENDED, NULL);
	assert_ptr_equal(at(l, 12, "9", EV_BASKET_OPENED, "7"), sale);
	assert_int_equal(l->r.effects, EFFECT_MOVED | EFFECT_RESUMED);
	assert_int_equal(sale->state, VISIT_OPEN);
	assert_int_equal(sale->state_at_ms, T0 + 12 * S_MS);
	assert_int_equal(sale->left_at_ms, T0 + 12 * S_MS);
	assert_string_equal(sale->from, "7");
	assert_string_equal(sale->from_station, "7");
	assert_string_equal(sale->terminal, "9");
	assert_string_equal(sale->station, "9");
	assert_string_equal(l->r.old_station, "7");
	assert_true(id_is_zero(&sale->before) && id_is_zero(&sale->along));
	assert_int_equal(sale->before_from.b[15], 99);
	assert_int_equal(sale->along_from.b[15], 98);
	assert_ptr_equal(sessions_at_station(l->sessions, "9"), sale);
	assert_null(sessions_at_station(l->sessions, "7"));
	at(l, 11, "9", EV_BASKET_TENDER_STARTED, NULL);
	assert_int_equal(sale->state, VISIT_OPEN);
}

/* They were paying before the recall was heard of. */
static void
a_part_that_is_being_paid_makes_the_sale_one_that_is(void **state)
{
	struct lane *l = *state;
	struct visit *sale = at(l, 1, "7", EV_BASKET_OPENED, NULL);

	sale->before = id_of(99);
	at(l, 10, "7", EV_BASKET_SUSPENDED, NULL);
	scan_at(l, 12, "9", 2, 40)->before = id_of(97);
	at(l, 14, "9", EV_BASKET_TENDER_STARTED, NULL);
	assert_ptr_equal(at(l, 12, "9", EV_BASKET_RESUMED, NULL), sale);
	assert_int_equal(sale->state, VISIT_TENDER);
	assert_int_equal(sale->state_at_ms, T0 + 14 * S_MS);
	assert_int_equal(sale->paying_at_ms, T0 + 14 * S_MS);
	assert_int_equal(sale->ended_at_ms, 0);
	assert_int_equal(sale->before.b[15], 97);
	assert_int_equal(l->r.effects, EFFECT_MOVED | EFFECT_RESUMED);
}

static void
one_that_is_not_suspended_is_not_recalled(void **state)
{
	struct lane *l = *state;
	struct visit *visit = at(l, 1, "7", EV_BASKET_OPENED, NULL);

	assert_ptr_not_equal(at(l, 3, "9", EV_BASKET_RESUMED, NULL), visit);
	assert_int_equal(visit->state, VISIT_OPEN);
	at(l, 4, "7", EV_BASKET_CLOSED, NULL);
	assert_ptr_not_equal(at(l, 5, "8", EV_BASKET_RESUMED, NULL), visit);
}

/* ---- what the other till had begun ---- */

/* Lines of before the recall was heard of are of the sale; a basket that was opened is not. */
static void
only_what_the_recall_began_becomes_part_of_the_sale(void **state)
{
	for (int i = 0; i < 5; i++) {
		struct lane *l = anew(state);
		struct visit *sale = at(l, 1, "7", EV_BASKET_OPENED, NULL), *own;
		bool part = i == 0 || i == 3;

		scan_at(l, 2, "7", 1, 100);
		at(l, 10, "7", EV_BASKET_SUSPENDED, NULL);
		if (i == 1)
			at(l, 12, "9", EV_BASKET_OPENED, NULL);
		own = scan_at(l, i == 2 ? 11 : 12, "9", 2, 40);
		if (i == 3) {
			scan_at(l, 20, "9", 3, 7);
			at(l, 21, "9", EV_BASKET_CLOSED, NULL);
		}
		if (i == 4)
			at(l, 13, "9", EV_BASKET_SUSPENDED, NULL);
		at(l, 12, "9", EV_BASKET_RESUMED, NULL);
		assert_int_equal(l->r.visit == sale && l->r.gone == own, part);
		if (!part) {
			assert_int_equal(sale->state, VISIT_SUSPENDED);
			assert_int_equal(live_total(sale), 100);
			continue;
		}
		assert_int_equal(live_total(sale), i == 3 ? 147 : 140);
		assert_int_equal(own->line_count, 0);
		assert_int_equal(own->line_bytes, 0);
		assert_true(sale->line_bytes > 0);
		assert_int_equal(sale->state, i == 3 ? VISIT_CLOSED : VISIT_OPEN);
		assert_int_equal(l->r.effects,
		    EFFECT_MOVED | EFFECT_RESUMED | (i == 3 ? EFFECT_CLOSED : 0));
		if (i != 3)
			continue;
		assert_int_equal(sale->ended_at_ms, T0 + 21 * S_MS);
		assert_int_equal(sale->sold_ms, T0 + 21 * S_MS);
		assert_int_equal(sale->total_minor, 77);
		assert_int_equal(sale->closed_ms, own->closed_ms);
		assert_true(sale->closed_ms != 0);
	}
}

static void
a_part_that_was_cancelled_cancels_the_sale(void **state)
{
	struct lane *l = *state;
	struct visit *sale = at(l, 1, "7", EV_BASKET_OPENED, NULL);

	at(l, 10, "7", EV_BASKET_SUSPENDED, NULL);
	scan_at(l, 12, "9", 2, 40);
	at(l, 13, "9", EV_BASKET_CANCELLED, NULL);
	assert_ptr_equal(at(l, 12, "9", EV_BASKET_RESUMED, NULL), sale);
	assert_int_equal(l->r.effects, EFFECT_MOVED | EFFECT_RESUMED | EFFECT_CANCELLED);
	assert_int_equal(sale->state, VISIT_CANCELLED);
}

static void
what_a_part_has_counted_counts_in_the_sale(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct lane *l = anew(state);
		struct visit *sale = at(l, 1, "7", EV_BASKET_OPENED, NULL), *own;

		sale->voids = 1;
		sale->declines = 2;
		sale->returns = 3;
		sale->training = i & 1;
		at(l, 10, "7", EV_BASKET_SUSPENDED, NULL);
		own = scan_at(l, 12, "9", 2, 40);
		own->voids = 10;
		own->declines = 20;
		own->returns = 30;
		own->training = (i & 2) != 0;
		at(l, 12, "9", EV_BASKET_RESUMED, NULL);
		assert_int_equal(sale->voids, 11);
		assert_int_equal(sale->declines, 22);
		assert_int_equal(sale->returns, 33);
		assert_int_equal(sale->training, i != 0);
		assert_int_equal(sale->state_at_ms, T0 + 12 * S_MS);
	}
}

/* Of two cards the newer, as anywhere. */
static void
the_customer_of_a_part_is_the_sales_if_their_card_is_not_older(void **state)
{
	static const struct {
		int sale, part; /* when the cards were read; 0: none was */
		char who;
	} cases[] = { { 0, 13, 'b' }, { 5, 13, 'b' }, { 13, 13, 'b' }, { 14, 13, 'a' },
		{ 5, 0, 'a' } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct lane *l = anew(state);
		struct visit *sale = at(l, 1, "7", EV_BASKET_OPENED, NULL), *own;
		struct id who = person(cases[i].who);

		if (cases[i].sale != 0)
			card_at(l, cases[i].sale, "7", 'a', "B1");
		at(l, 10, "7", EV_BASKET_SUSPENDED, NULL);
		own = scan_at(l, 12, "9", 2, 40);
		if (cases[i].part != 0)
			card_at(l, cases[i].part, "9", 'b', "B1");
		at(l, 12, "9", EV_BASKET_RESUMED, NULL);
		assert_ptr_equal(l->r.gone, own);
		assert_true(sale->has_subject);
		assert_true(id_equal(&sale->subject, &who));
		assert_int_equal((l->r.effects & EFFECT_REPLACED) != 0,
		    cases[i].sale != 0 && cases[i].who == 'b');
		assert_int_equal((l->r.effects & EFFECT_IDENTIFIED) != 0, cases[i].who == 'b');
	}
}

/* A number is given again: what was over here before it is another sale. */
static void
a_sale_that_comes_where_its_number_was_stands_behind_that_one(void **state)
{
	for (int second = 19; second <= 21; second++) {
		struct lane *l = anew(state);
		struct visit *own = at(l, 1, "9", EV_BASKET_OPENED, NULL), *sale;

		at(l, 20, "9", EV_BASKET_CLOSED, NULL);
		sale = at(l, 2, "7", EV_BASKET_OPENED, NULL);
		at(l, 10, "7", EV_BASKET_SUSPENDED, NULL);
		at(l, second, "9", EV_BASKET_OPENED, "7");
		if (second < 20) {
			assert_ptr_equal(l->r.visit, own);
			assert_int_equal(sale->state, VISIT_SUSPENDED);
			continue;
		}
		assert_ptr_equal(l->r.visit, sale);
		assert_true(id_equal(&sale->before, &own->id));
		assert_null(l->r.gone);
	}
}

/* Where it was over, a sale of its number that lives elsewhere may yet be suspended. */
static void
a_recall_where_the_number_is_over_waits_if_another_till_has_it(void **state)
{
	static const struct {
		int second;
		const char *from;
		bool other, again;
	} cases[] = { { 20, NULL, true, true }, { 21, "7", true, true }, { 19, NULL, true, false },
		{ 21, "8", true, false }, { 21, NULL, false, false } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct lane *l = anew(state);
		struct visit *own = at(l, 1, "9", EV_BASKET_OPENED, NULL);

		at(l, 20, "9", EV_BASKET_CLOSED, NULL);
		at(l, 2, "7", EV_BASKET_OPENED, NULL);
		if (!cases[i].other)
			at(l, 3, "7", EV_BASKET_CLOSED, NULL);
		at(l, cases[i].second, "9", EV_BASKET_RESUMED, cases[i].from);
		assert_int_equal(l->r.visit != own, cases[i].again);
		if (cases[i].again)
			assert_int_equal(l->r.visit->recall_at_ms, T0 + cases[i].second * S_MS);
	}
}

/* ---- the recall is heard before the suspension ---- */

static void
the_word_that_it_was_suspended_may_come_after_the_recall(void **state)
{
	static const struct {
		int recalled, suspended;
		const char *from;
		bool moves;
	} cases[] = { { 10, 9, NULL, true }, { 10, 10, NULL, true }, { 10, 11, NULL, false },
		{ 10, 9, "7", true }, { 10, 9, "8", false } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct lane *l = anew(state);
		struct visit *sale = at(l, 1, "7", EV_BASKET_OPENED, NULL), *own;

		scan_at(l, 2, "7", 1, 100);
		own = at(l, cases[i].recalled, "9", EV_BASKET_RESUMED, cases[i].from);
		scan_at(l, 12, "9", 2, 40);
		at(l, cases[i].suspended, "7", EV_BASKET_SUSPENDED, NULL);
		assert_ptr_equal(l->r.visit, sale);
		assert_int_equal(l->r.gone == own, cases[i].moves);
		assert_string_equal(sale->terminal, cases[i].moves ? "9" : "7");
		assert_int_equal(l->r.effects,
		    cases[i].moves ? EFFECT_MOVED | EFFECT_RESUMED : EFFECT_SUSPENDED);
		assert_int_equal(live_total(sale), cases[i].moves ? 140 : 100);
		if (cases[i].moves)
			assert_int_equal(sale->left_at_ms, T0 + cases[i].recalled * S_MS);
	}
}

/* ---- lines of both ---- */

/* One line of the sale (1) and of its part (2): versions and voids, by their times. */
static void
of_a_line_in_both_the_newest_version_counts_unless_a_void_came_after_it(void **state)
{
	enum { NONE = 0 };
	static const struct {
		int version1, void1, version2, void2; /* seconds */
		int64_t total;
	} cases[] = {
		{ 2, NONE, 12, NONE, 20 }, { 13, NONE, 12, NONE, 10 }, { 12, NONE, 12, NONE, 20 },
		{ 2, NONE, NONE, 12, 0 }, { 13, NONE, NONE, 12, 10 }, { 2, 3, 12, NONE, 20 },
		{ 2, 13, 12, NONE, 0 }, { 2, 12, 13, NONE, 20 }, { NONE, 13, 12, NONE, 0 },
		{ NONE, 3, 12, NONE, 20 }, { NONE, NONE, 12, 13, 0 }, { NONE, NONE, 13, 12, 20 },
		{ 14, NONE, 12, 13, 10 }, { 2, NONE, 12, 13, 0 }, { NONE, 3, NONE, 12, 0 },
		{ 2, 14, NONE, 12, 0 }, { 13, 3, NONE, 12, 10 },
		{ 13, NONE, 12, 13, 0 }, /* of one time: it is void where the void was said */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct lane *l = anew(state);
		struct visit *sale = at(l, 1, "7", EV_BASKET_OPENED, NULL);

		scan_at(l, 12, "9", 9, 1000);
		if (cases[i].version2 != NONE)
			scan_at(l, cases[i].version2, "9", 1, 20);
		if (cases[i].void2 != NONE)
			void_at(l, cases[i].void2, "9", 1);
		if (cases[i].version1 != NONE)
			scan_at(l, cases[i].version1, "7", 1, 10);
		if (cases[i].void1 != NONE)
			void_at(l, cases[i].void1, "7", 1);
		sale->state = VISIT_SUSPENDED;
		sale->state_at_ms = T0 + 10 * S_MS;
		assert_ptr_equal(at(l, 12, "9", EV_BASKET_RESUMED, NULL), sale);
		if (live_total(sale) != 1000 + cases[i].total)
			fail_msg("case %zu: %d", i, (int)live_total(sale));
	}
}

static void
what_a_full_sale_has_no_room_for_is_dropped_and_counted(void **state)
{
	struct lane *l = *state;
	struct visit *sale = at(l, 1, "7", EV_BASKET_OPENED, NULL), *own;
	int64_t before = metrics_get(METRIC_LIMIT_LINES);

	for (int i = 1; i < VISIT_LINES_MAX; i++)
		scan_at(l, 2, "7", i, 1);
	at(l, 10, "7", EV_BASKET_SUSPENDED, NULL);
	own = scan_at(l, 12, "9", 5000, 40);
	scan_at(l, 12, "9", 5001, 40);
	void_at(l, 13, "9", 5002);
	assert_int_equal(metrics_get(METRIC_LIMIT_LINES) - before, 0);
	assert_ptr_equal(at(l, 12, "9", EV_BASKET_RESUMED, NULL), sale);
	assert_int_equal(sale->line_count, VISIT_LINES_MAX);
	assert_int_equal(metrics_get(METRIC_LIMIT_LINES) - before, 2);
	assert_int_equal(live_total(sale), VISIT_LINES_MAX - 1 + 40);
	assert_int_equal(own->line_count, 0);
}

#define LANE_TEST(f) cmocka_unit_test_setup_teardown(f, lane_init, lane_done)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LANE_TEST(a_till_recalls_nothing_from_itself),
		LANE_TEST(
		    a_sale_is_recalled_from_when_it_is_suspended_and_from_the_till_that_is_named),
		LANE_TEST(a_sale_is_open_where_it_was_recalled_from_that_time_on),
		LANE_TEST(a_part_that_is_being_paid_makes_the_sale_one_that_is),
		LANE_TEST(one_that_is_not_suspended_is_not_recalled),
		LANE_TEST(only_what_the_recall_began_becomes_part_of_the_sale),
		LANE_TEST(a_part_that_was_cancelled_cancels_the_sale),
		LANE_TEST(what_a_part_has_counted_counts_in_the_sale),
		LANE_TEST(the_customer_of_a_part_is_the_sales_if_their_card_is_not_older),
		LANE_TEST(a_sale_that_comes_where_its_number_was_stands_behind_that_one),
		LANE_TEST(a_recall_where_the_number_is_over_waits_if_another_till_has_it),
		LANE_TEST(the_word_that_it_was_suspended_may_come_after_the_recall),
		LANE_TEST(of_a_line_in_both_the_newest_version_counts_unless_a_void_came_after_it),
		LANE_TEST(what_a_full_sale_has_no_room_for_is_dropped_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
