/* SPDX-License-Identifier: Apache-2.0
 *
 * test_identify.c - cards that join, wait, replace and leave.
 */
#include "session_fixture.h"

#include "nouns/visit.h"
#include "session/session_call.h"

static void
assert_person(const struct visit *visit, char who)
{
	struct id id = person(who);

	assert_true(visit->has_subject);
	assert_memory_equal(&visit->subject, &id, sizeof(id));
}

static void
a_card_joins_the_open_basket_at_its_station(void **state)
{
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1");

	assert_ptr_equal(card(l, "7", 'a', NULL), visit);
	assert_int_equal(l->r.effects, EFFECT_IDENTIFIED);
	assert_person(visit, 'a');
	assert_int_equal(visit->identified_ms, l->now_ms);
	assert_null(l->r.gone);
	/* Also while they pay. */
	till(l, "8", EV_BASKET_TENDER_STARTED, "B2");
	visit = card(l, "8", 'b', NULL);
	assert_string_equal(visit->basket, "B2");
	assert_person(visit, 'b');
}

static void
the_same_card_again_replaces_nobody(void **state)
{
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1");

	card(l, "7", 'a', NULL);
	assert_ptr_equal(card(l, "7", 'a', NULL), visit);
	assert_int_equal(l->r.effects, EFFECT_IDENTIFIED);
}

static void
a_second_card_replaces_the_first(void **state)
{
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1");

	card(l, "7", 'a', NULL);
	visit->language = strdup("de");
	assert_ptr_equal(card(l, "7", 'b', NULL), visit);
	assert_int_equal(l->r.effects, EFFECT_IDENTIFIED | EFFECT_REPLACED);
	assert_person(visit, 'b');
	assert_null(visit->language);
}

/* A return or a balance named them, not a card in front of this till. */
static void
a_visit_that_no_card_began_waits_for_nobodys_basket(void **state)
{
	struct lane *l = *state;
	struct visit *waiting = card(l, "7", 'a', NULL), *visit;

	waiting->identified_ms = 0;
	visit = till(l, "7", EV_BASKET_OPENED, "B1");
	assert_ptr_not_equal(visit, waiting);
	assert_false(visit->has_subject);
	assert_int_equal(waiting->state, VISIT_WAITING);
}

static void
a_card_without_basket_waits_for_the_next_one(void **state)
{
	struct lane *l = *state;
	struct visit *waiting = card(l, "7", 'a', NULL);

	assert_int_equal(l->r.effects, EFFECT_IDENTIFIED);
	assert_int_equal(waiting->state, VISIT_WAITING);
	assert_null(waiting->basket);
	assert_string_equal(waiting->terminal, "");
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B1"), waiting);
	assert_int_equal(l->r.effects, EFFECT_OPENED);
	assert_int_equal(waiting->state, VISIT_OPEN);
	assert_string_equal(waiting->terminal, "7");
	assert_ptr_equal(sessions_by_basket(l->sessions, "B1"), waiting);
	assert_person(waiting, 'a');
}

static void
at_another_station_it_goes_on_waiting(void **state)
{
	struct lane *l = *state;
	struct visit *waiting = card(l, "7", 'a', NULL), *visit;

	visit = till(l, "8", EV_BASKET_OPENED, "B1");
	assert_ptr_not_equal(visit, waiting);
	assert_false(visit->has_subject);
	assert_int_equal(waiting->state, VISIT_WAITING);
}

static void
a_card_waits_120_seconds_and_no_longer(void **state)
{
	struct lane *l = *state;
	struct visit *waiting = card(l, "7", 'a', NULL), *visit;
	int64_t scanned_ms = l->now_ms;

	assert_false(session_wait_over(waiting, scanned_ms + 119999));
	assert_true(session_wait_over(waiting, scanned_ms + 120000));
	l->now_ms = scanned_ms + 119999 - S_MS;
	visit = scan(l, "7", "B1", 1, 100);
	assert_ptr_equal(visit, waiting);
	assert_int_equal(l->r.effects, EFFECT_OPENED | EFFECT_LINES);
	assert_false(session_wait_over(visit, scanned_ms + 500000));

	waiting = card(l, "9", 'b', NULL);
	l->now_ms += 120000 - S_MS;
	visit = scan(l, "9", "B2", 1, 100);
	assert_ptr_not_equal(visit, waiting);
	assert_false(visit->has_subject);
}

static void
another_card_where_one_waits_sends_the_first_away(void **state)
{
	struct lane *l = *state;
	struct visit *first = card(l, "7", 'a', NULL), *second;

	second = card(l, "7", 'b', NULL);
	assert_ptr_not_equal(second, first);
	assert_ptr_equal(l->r.gone, first);
	/* It is decided for, like the first. */
	assert_int_equal(l->r.effects, EFFECT_IDENTIFIED);
	drop_gone(l);
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B1"), second);
	assert_person(second, 'b');
}

static void
the_same_card_again_waits_anew(void **state)
{
	struct lane *l = *state;
	struct visit *first = card(l, "7", 'a', NULL);

	l->now_ms += 100 * S_MS;
	assert_ptr_equal(card(l, "7", 'a', NULL), first);
	assert_int_equal(l->r.effects, EFFECT_IDENTIFIED);
	assert_null(l->r.gone);
	l->now_ms += 100 * S_MS;
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B1"), first);
}

/* As a till says it: the number is one of its own. */
static struct visit *
till_card(struct lane *l, const char *terminal, char who, const char *basket)
{
	struct event event = { .type = EV_CUSTOMER_IDENTIFIED,
		.channel = CHANNEL_POS,
		.origin = terminal,
		.has_subject = true,
		.subject = person(who),
		.basket = basket,
		.station = terminal };

	return lane_apply(l, &event, terminal);
}

static void
a_card_that_names_its_basket_means_the_one_at_its_station_or_till(void **state)
{
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1");
	struct visit *other = till(l, "9", EV_BASKET_OPENED, "B1");

	assert_ptr_equal(card(l, "7", 'a', "B1"), visit);
	assert_int_equal(l->r.effects, EFFECT_IDENTIFIED);
	assert_false(other->has_subject);
	assert_ptr_equal(till_card(l, "9", 'b', "B1"), other);
	assert_person(visit, 'a');
	/* Suspended too. */
	till(l, "9", EV_BASKET_SUSPENDED, "B1");
	assert_ptr_equal(card(l, "9", 'c', "B1"), other);
	assert_person(other, 'c');
}

static void
a_card_that_names_an_unknown_basket_waits_for_that_one(void **state)
{
	struct lane *l = *state;
	struct visit *waiting = card(l, "7", 'a', "B1"), *other;

	assert_int_equal(waiting->state, VISIT_WAITING);
	assert_string_equal(waiting->basket, "B1");
	other = till(l, "7", EV_BASKET_OPENED, "B2");
	assert_ptr_not_equal(other, waiting);
	assert_false(other->has_subject);
	assert_ptr_not_equal(till(l, "9", EV_BASKET_OPENED, "B1"), waiting);
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B1"), waiting);
	assert_int_equal(l->r.effects, EFFECT_OPENED);
	assert_string_equal(waiting->terminal, "7");
	/* One that its till has said waits for that till. */
	waiting = till_card(l, "6", 'b', "B1");
	other = till(l, "5", EV_BASKET_OPENED, "B1");
	assert_ptr_not_equal(other, waiting);
	assert_ptr_equal(scan(l, "6", "B1", 1, 100), waiting);
}

static void
a_card_that_is_read_while_a_known_customer_pays_is_the_next_ones(void **state)
{
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1"), *next;

	card(l, "7", 'a', "B1");
	till(l, "7", EV_BASKET_TENDER_STARTED, "B1");
	assert_ptr_equal(card(l, "7", 'a', NULL), visit);
	next = card(l, "7", 'b', NULL);
	assert_ptr_not_equal(next, visit);
	assert_person(visit, 'a');
	pay(l, "7", "B1", 1);
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B2"), next);
	assert_person(next, 'b');
}

/* The till's word came after the card, which had joined the basket of whoever paid. */
static void
a_card_that_turns_out_to_be_the_next_customers_is_set_free(void **state)
{
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1"), *next;

	card(l, "7", 'a', NULL);
	assert_ptr_equal(card(l, "7", 'b', NULL), visit);
	l->at_ms = l->now_ms - 1;
	till(l, "7", EV_BASKET_TENDER_STARTED, "B1");
	assert_int_equal(l->r.effects, EFFECT_TENDER | EFFECT_REPLACED | EFFECT_IDENTIFIED);
	assert_person(visit, 'a');
	next = l->r.also[0].visit;
	assert_int_equal(next->state, VISIT_WAITING);
	assert_person(next, 'b');
	l->at_ms = 0;
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B2"), next);
}

/* A till hands over an hour; the reader has been there all the time. */
static void
a_card_is_not_of_a_basket_that_ended_long_before_it(void **state)
{
	struct lane *l = *state;
	struct visit *visit, *next;
	int64_t past_ms = l->now_ms - H_MS;

	l->at_ms = past_ms;
	visit = till(l, "7", EV_BASKET_OPENED, "B1");
	l->at_ms = 0;
	assert_ptr_equal(card(l, "7", 'a', NULL), visit);
	l->at_ms = past_ms + MIN_MS;
	pay(l, "7", "B1", 499);
	assert_false(visit->has_subject);
	next = l->r.also[0].visit;
	assert_person(next, 'a');
	l->at_ms = past_ms + 2 * MIN_MS;
	assert_ptr_not_equal(till(l, "7", EV_BASKET_OPENED, "B2"), next);
	l->at_ms = 0;
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B3"), next);
}

/* The reader's word was late: the sale was over, and a stranger stands there. */
static void
a_late_card_is_of_the_basket_that_was_open_when_it_was_read(void **state)
{
	struct lane *l = *state;
	struct visit *first, *second;

	l->at_ms = T0 + 1000;
	first = till(l, "7", EV_BASKET_OPENED, "B1");
	l->at_ms = T0 + 10000;
	pay(l, "7", "B1", 100);
	l->at_ms = T0 + 12000;
	second = till(l, "7", EV_BASKET_OPENED, "B2");
	l->at_ms = T0 + 9999;
	assert_ptr_equal(card(l, "7", 'a', NULL), first);
	assert_int_equal(l->r.effects, EFFECT_IDENTIFIED | EFFECT_LATE_LINES);
	assert_person(first, 'a');
	assert_false(second->has_subject);
	/* Between the two it is the next one's. */
	l->at_ms = T0 + 10000;
	assert_ptr_equal(card(l, "7", 'b', NULL), second);
	assert_person(first, 'a');
	assert_person(second, 'b');
}

static void
a_late_card_of_when_a_known_customer_paid_is_the_next_baskets(void **state)
{
	struct lane *l = *state;
	struct visit *first, *second;

	l->at_ms = T0 + 1000;
	first = card(l, "7", 'a', NULL);
	till(l, "7", EV_BASKET_OPENED, "B1");
	l->at_ms = T0 + 8000;
	till(l, "7", EV_BASKET_TENDER_STARTED, "B1");
	l->at_ms = T0 + 10000;
	pay(l, "7", "B1", 100);
	l->at_ms = T0 + 12000;
	second = till(l, "7", EV_BASKET_OPENED, "B2");
	l->at_ms = T0 + 9000;
	assert_ptr_equal(card(l, "7", 'b', NULL), second);
	assert_person(first, 'a');
	l->at_ms = T0 + 7999;
	assert_ptr_equal(card(l, "7", 'c', NULL), first);
	assert_int_equal(l->r.effects, EFFECT_IDENTIFIED | EFFECT_REPLACED | EFFECT_LATE_LINES);
	assert_person(first, 'c');
}

/* In whatever order the close and the two cards come. */
static void
a_card_that_was_read_after_the_close_is_not_of_that_sale(void **state)
{
	static const char orders[][4] = { "abx", "axb", "bax", "bxa", "xab", "xba" };
	struct lane *l = *state;

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		char name[] = { (char)('1' + (int)i), '\0' };
		struct visit *first, *second;

		l->at_ms = T0 + 1000;
		first = till(l, name, EV_BASKET_OPENED, "B1");
		for (const char *what = orders[i]; *what != '\0'; what++) {
			l->at_ms = T0 + (*what == 'a' ? 2000 : *what == 'b' ? 13000 : 10000);
			if (*what == 'x')
				pay(l, name, "B1", 100);
			else
				card(l, name, *what, *what == 'a' ? "B1" : NULL);
		}
		assert_person(first, 'a');
		l->at_ms = T0 + 12000;
		second = till(l, name, EV_BASKET_OPENED, "B2");
		assert_person(second, 'b');
	}
}

static void
of_two_cards_that_name_a_basket_the_later_read_has_it_in_whatever_order_they_come(void **state)
{
	static const char orders[][5] = { "abcx", "bacx", "abxc", "baxc", "axbc", "bxac", "xabc",
		"xbac", "cxba", "cabx", "xcab", "xcba", "acxb", "bcxa" };
	struct lane *l = *state;

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		char name[] = { (char)('a' + (int)i), '\0' };
		struct visit *visit;

		l->at_ms = T0 + 1000;
		visit = till(l, name, EV_BASKET_OPENED, "B1");
		for (const char *what = orders[i]; *what != '\0'; what++) {
			/* c is read after the close: what is somebody's is not theirs */
			l->at_ms = T0 +
			    (*what == 'a'	   ? 2000
				    : *what == 'b' ? 5000
				    : *what == 'c' ? 15000
						   : 10000);
			if (*what == 'x')
				pay(l, name, "B1", 100);
			else
				card(l, name, *what, "B1");
		}
		assert_person(visit, 'b');
	}
}

/* Its basket is heard of after another one had it. */
static void
a_card_leaves_the_basket_of_another_when_its_own_is_heard_of(void **state)
{
	struct lane *l = *state;
	struct visit *later, *own;

	l->at_ms = T0 + 2000;
	card(l, "7", 'a', NULL);
	l->at_ms = T0 + 12000;
	later = till(l, "7", EV_BASKET_OPENED, "B2");
	assert_person(later, 'a');
	l->at_ms = T0 + 1000;
	own = till(l, "7", EV_BASKET_OPENED, "B1");
	assert_person(own, 'a');
	assert_false(later->has_subject);
	assert_ptr_equal(l->r.also[0].visit, later);
	assert_int_equal(l->r.also[0].effects, EFFECT_REPLACED);
}

static void
the_newest_card_wins_by_its_time(void **state)
{
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1"), *waiting;

	l->at_ms = T0 + 20;
	card(l, "7", 'b', NULL);
	l->at_ms = T0 + 10;
	card(l, "7", 'a', NULL);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_person(visit, 'b');
	l->at_ms = T0 + 20;
	waiting = card(l, "8", 'b', NULL);
	l->at_ms = T0 + 10;
	card(l, "8", 'a', NULL);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_person(waiting, 'b');
}

/* Card and basket lay in two queues. */
static void
a_card_whose_wait_is_over_still_is_of_the_basket_that_began_next(void **state)
{
	struct lane *l = *state;
	struct visit *first, *second, *visit;

	l->at_ms = T0;
	first = card(l, "7", 'a', NULL);
	l->at_ms = T0 + 50;
	second = card(l, "7", 'b', NULL);
	assert_true(first->missed);
	first->state = VISIT_CANCELLED;
	/* After the second was read the first one takes nothing any more. */
	l->at_ms = T0 + 60;
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B2"), second);
	l->at_ms = T0 + 70;
	assert_false(till(l, "7", EV_BASKET_OPENED, "B3")->has_subject);
	l->at_ms = T0 + 40;
	visit = till(l, "7", EV_BASKET_OPENED, "B1");
	assert_ptr_not_equal(visit, first);
	assert_person(visit, 'a');
	assert_false(first->missed);
}

static void
named_cards_of_a_row_of_self_checkouts_do_not_send_each_other_away(void **state)
{
	struct lane *l = *state;
	struct visit *one = card(l, "sco", 'a', "B1"), *two = card(l, "sco", 'b', "B2"), *three;

	assert_ptr_not_equal(one, two);
	assert_null(l->r.gone);
	three = card(l, "sco", 'c', "B1");
	assert_ptr_equal(l->r.gone, one);
	assert_null(one->basket);
	drop_gone(l);
	assert_ptr_equal(sessions_by_basket(l->sessions, "B1"), three);
	assert_ptr_equal(sessions_by_basket(l->sessions, "B2"), two);
}

static void
a_card_scanned_first_and_named_later_is_one_visit(void **state)
{
	struct lane *l = *state;
	struct visit *waiting = card(l, "7", 'a', NULL), *visit;

	assert_ptr_equal(card(l, "7", 'a', "B1"), waiting);
	assert_string_equal(waiting->basket, "B1");
	assert_ptr_equal(sessions_by_basket(l->sessions, "B1"), waiting);
	assert_int_equal(sessions_count(l->sessions), 1);
	/* Also when the basket is there already. */
	visit = till(l, "8", EV_BASKET_OPENED, "B2");
	till(l, "8", EV_BASKET_SUSPENDED, "B2");
	waiting = card(l, "8", 'b', NULL);
	assert_ptr_equal(card(l, "8", 'b', "B2"), visit);
	assert_ptr_equal(l->r.gone, waiting);
}

static void
a_card_after_the_close_is_for_the_history_alone(void **state)
{
	struct lane *l = *state;
	struct visit *visit = pay(l, "7", "B1", 499);

	assert_ptr_equal(card(l, "7", 'a', "B1"), visit);
	assert_int_equal(l->r.effects, EFFECT_IDENTIFIED | EFFECT_LATE_LINES);
	assert_person(visit, 'a');
	card(l, "7", 'b', "B1");
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_person(visit, 'a');
	till(l, "7", EV_BASKET_CANCELLED, "B2");
	visit = card(l, "7", 'b', "B2");
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_false(visit->has_subject);
}

static void
a_recalled_basket_takes_the_card_that_waits_unless_it_has_its_own(void **state)
{
	struct lane *l = *state;
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1"), *waiting;

	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	waiting = card(l, "9", 'a', NULL);
	assert_ptr_equal(till(l, "9", EV_BASKET_RESUMED, "B1"), visit);
	assert_int_equal(l->r.effects, EFFECT_MOVED | EFFECT_RESUMED | EFFECT_IDENTIFIED);
	assert_ptr_equal(l->r.gone, waiting);
	assert_person(visit, 'a');
	drop_gone(l);

	till(l, "9", EV_BASKET_SUSPENDED, "B1");
	waiting = card(l, "9", 'b', NULL);
	till(l, "9", EV_BASKET_RESUMED, "B1");
	assert_int_equal(l->r.effects, EFFECT_RESUMED);
	assert_null(l->r.gone);
	assert_person(visit, 'a');
	assert_int_equal(waiting->state, VISIT_WAITING);
}

static void
a_customer_who_leaves_keeps_their_basket(void **state)
{
	struct lane *l = *state;
	struct id a = person('a');
	struct event left = { .type = EV_CUSTOMER_LEFT,
		.origin = "reader",
		.station = "7",
		.has_subject = true,
		.subject = a };
	struct visit *visit;

	assert_null(lane_apply(l, &left, "7"));
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	till(l, "7", EV_BASKET_OPENED, "B1");
	visit = card(l, "7", 'a', NULL);
	assert_null(lane_apply(l, &left, "8"));
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_ptr_equal(lane_apply(l, &left, "7"), visit);
	assert_int_equal(l->r.effects, EFFECT_LEFT);
	assert_true(visit->has_subject);
	assert_null(l->r.gone);
}

static void
a_card_that_leaves_while_it_waits_is_gone(void **state)
{
	struct lane *l = *state;
	struct event left = { .type = EV_CUSTOMER_LEFT, .origin = "reader", .station = "7" };
	struct visit *waiting = card(l, "7", 'a', NULL);

	assert_null(lane_apply(l, &left, "7"));
	assert_int_equal(l->r.effects, EFFECT_LEFT);
	assert_ptr_equal(l->r.gone, waiting);
}

static void
a_merged_card_takes_its_visit_along(void **state)
{
	struct lane *l = *state;
	struct event merged = { .type = EV_CUSTOMER_MERGED,
		.origin = "reader",
		.has_subject = true,
		.subject = person('a'),
		.into = person('b') };
	struct visit *visit;

	till(l, "7", EV_BASKET_OPENED, "B1");
	visit = card(l, "7", 'a', NULL);
	assert_ptr_equal(lane_apply(l, &merged, "7"), visit);
	assert_int_equal(l->r.effects, EFFECT_IDENTIFIED);
	assert_person(visit, 'b');
	assert_null(lane_apply(l, &merged, "7"));
	assert_int_equal(l->r.effects, 0);
}

/* Also where they were only for a while, and in what was agreed with them. */
static void
a_merged_card_is_another_wherever_it_has_been(void **state)
{
	struct lane *l = *state;
	struct event merged = { .type = EV_CUSTOMER_MERGED,
		.origin = "reader",
		.has_subject = true,
		.subject = person('a'),
		.into = person('z') };
	struct visit *visit, *over, *other;
	struct id a = person('a'), b = person('b'), z = person('z');

	over = till(l, "8", EV_BASKET_OPENED, "B0");
	card(l, "8", 'a', NULL);
	pay(l, "8", "B0", 1);
	other = till(l, "9", EV_BASKET_OPENED, "B2");
	visit = till(l, "7", EV_BASKET_OPENED, "B1");
	visit->cards = calloc(2, sizeof(*visit->cards));
	visit->card_count = 2;
	visit->cards[0].former = a;
	visit->cards[1].former = b;
	card(l, "7", 'a', NULL);
	card(l, "7", 'b', NULL);
	card(l, "7", 'c', NULL);
	assert_int_equal(visit->read_count, 2);
	visit->dirty = over->dirty = other->dirty = false;
	assert_null(lane_apply(l, &merged, "7"));
	assert_int_equal(l->r.effects, 0);
	assert_true(id_equal(&visit->reads[0].subject, &z));
	assert_true(id_equal(&visit->reads[1].subject, &b));
	assert_true(id_equal(&visit->cards[0].former, &z));
	assert_true(id_equal(&visit->cards[1].former, &b));
	assert_person(visit, 'c');
	/* A sale that is over goes along, and is none to speak to. */
	assert_person(over, 'z');
	assert_true(visit->dirty && over->dirty && !other->dirty);
	assert_int_equal(visit->last_ms, l->now_ms);
	/* What is agreed alone is a change too. */
	visit->read_count = 0;
	visit->dirty = false;
	merged.subject = z;
	assert_null(lane_apply(l, &merged, "7"));
	assert_true(visit->dirty);
	/* Of several of theirs the newest is spoken to. */
	merged.subject = person('c');
	merged.into = person('y');
	card(l, "9", 'c', NULL);
	assert_ptr_equal(lane_apply(l, &merged, "7"), visit);
	assert_person(visit, 'y');
	assert_person(other, 'y');
	assert_int_equal(l->r.effects, EFFECT_IDENTIFIED);
}

static void
what_is_said_about_a_customer_finds_them_in_the_store(void **state)
{
	static const enum event_type types[] = { EV_CONSENT_CHANGED, EV_CARE_CASE_OPENED,
		EV_CARE_CASE_CLOSED, EV_LOYALTY_BALANCE, EV_WALLET_CHANGED, EV_SURVEY_ANSWERED };
	static const enum event_type others[] = { EV_STOCK_CHANGED, EV_SENSOR_READING,
		EV_CONTACT_RECORDED, EV_GUIDANCE_SHOWN, EV_GUIDANCE_DECIDED };
	struct lane *l = *state;
	struct event event = { .origin = "hq", .has_subject = true, .subject = person('a') };
	struct visit *visit;

	till(l, "7", EV_BASKET_OPENED, "B1");
	visit = card(l, "7", 'a', NULL);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		event.type = types[i];
		assert_ptr_equal(lane_apply(l, &event, "hq"), visit);
		assert_int_equal(l->r.effects, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		event.type = others[i];
		assert_null(lane_apply(l, &event, "hq"));
		assert_int_equal(l->r.effects, 0);
	}
	pay(l, "7", "B1", 1);
	event.type = EV_CONSENT_CHANGED;
	assert_null(lane_apply(l, &event, "hq"));
}

/* Another customer's basket stands there; theirs is the card that waits beside it. */
static void
a_card_that_waits_beside_a_basket_is_gone_when_it_joins_that(void **state)
{
	struct lane *l = *state;
	struct visit *visit, *waiting;

	visit = till(l, "7", EV_BASKET_OPENED, "B1");
	card(l, "7", 'b', NULL);
	till(l, "7", EV_BASKET_SUSPENDED, "B1");
	waiting = card(l, "7", 'a', NULL);
	assert_ptr_not_equal(waiting, visit);
	till(l, "7", EV_BASKET_RESUMED, "B1");
	assert_int_equal(waiting->state, VISIT_WAITING);
	assert_ptr_equal(card(l, "7", 'a', NULL), visit);
	assert_ptr_equal(l->r.gone, waiting);
	assert_person(visit, 'a');
}

static void
a_sensor_is_about_the_visit_at_its_station_if_it_has_one(void **state)
{
	struct lane *l = *state;
	struct event event = {
		.type = EV_SENSOR_READING, .channel = CHANNEL_POS, .origin = "7", .kind = "queue"
	};
	struct visit *visit = till(l, "7", EV_BASKET_OPENED, "B1");

	assert_null(lane_apply(l, &event, "7"));
	event.station = "7";
	assert_ptr_equal(lane_apply(l, &event, "7"), visit);
	event.station = "8";
	assert_null(lane_apply(l, &event, "8"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, lane_init, lane_done)

/* ---- of several cards ---- */

struct read_card {
	int at; /* second; 0: none */
	bool missed;
	int ended; /* when another card was read there; 0: none was */
};

static void
of_several_cards_a_basket_takes_the_newest_before_it_else_the_first_after_it(void **state)
{
	static const struct {
		struct read_card a, b;
		char who; /* of a basket that begins at second 1000; 0: nobody */
	} cases[] = {
		{ { 990, true, 0 }, { 995, false, 0 }, 'b' },
		{ { 995, true, 0 }, { 990, false, 0 }, 'a' },
		{ { 995, true, 0 }, { 995, false, 0 }, 'b' },
		{ { 990, true, 0 }, { 1005, false, 0 }, 'a' },
		{ { 1005, true, 0 }, { 990, false, 0 }, 'b' },
		{ { 1005, true, 0 }, { 1010, false, 0 }, 'a' },
		{ { 1010, true, 0 }, { 1005, false, 0 }, 'b' },
		{ { 1005, true, 0 }, { 1005, false, 0 }, 'a' },
		{ { 1000, true, 0 }, { 1001, false, 0 }, 'a' },
		{ { 1001, true, 0 }, { 1000, false, 0 }, 'b' },
		{ { 990, true, 999 }, { 0 }, 0 },
		{ { 990, true, 1000 }, { 0 }, 0 },
		{ { 990, true, 1001 }, { 0 }, 'a' },
		{ { 881, false, 0 }, { 0 }, 'a' },
		{ { 880, false, 0 }, { 0 }, 0 },
		{ { 1119, false, 0 }, { 0 }, 'a' },
		{ { 1120, false, 0 }, { 0 }, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct lane *l;
		struct visit *visit;

		lane_done(state);
		lane_init(state);
		l = *state;
		for (int n = 0; n < 2; n++) {
			struct read_card read = n == 0 ? cases[i].a : cases[i].b;
			struct id id = id_of(500 + (unsigned)n);

			if (read.at == 0)
				continue;
			visit = visit_new(&id);
			visit_set_text(visit->station, "7");
			visit->state = read.missed ? VISIT_CANCELLED : VISIT_WAITING;
			visit->missed = read.missed;
			visit->has_subject = true;
			visit->subject = person(n == 0 ? 'a' : 'b');
			visit->card_at_ms = visit->identified_ms = T0 + read.at * S_MS;
			visit->ended_at_ms = read.ended != 0 ? T0 + read.ended * S_MS : 0;
			sessions_add(l->sessions, visit);
		}
		l->at_ms = T0 + 1000 * S_MS;
		visit = till(l, "7", EV_BASKET_OPENED, "B1");
		if (visit->has_subject != (cases[i].who != 0))
			fail_msg("case %zu", i);
		if (cases[i].who != 0)
			assert_person(visit, cases[i].who);
	}
}

static void
a_recalled_basket_takes_no_card_of_two_minutes_ago(void **state)
{
	for (int late = 0; late < 2; late++) {
		struct lane *l;
		struct visit *visit;

		lane_done(state);
		lane_init(state);
		l = *state;
		visit = till(l, "7", EV_BASKET_OPENED, "B1");
		till(l, "7", EV_BASKET_SUSPENDED, "B1");
		l->at_ms = l->now_ms + S_MS;
		card(l, "7", 'a', NULL);
		l->at_ms += CARD_WAIT_MS - 1 + late;
		till(l, "7", EV_BASKET_RESUMED, "B1");
		assert_int_equal(visit->has_subject, !late);
		assert_int_equal(l->r.gone != NULL, !late);
	}
}

/* Nothing else was heard of it: as if the close had come before the card. */
static void
a_close_that_begins_its_basket_takes_the_card_that_was_read_by_then(void **state)
{
	struct lane *l = *state;
	struct visit *visit, *waiting;

	l->at_ms = T0 + 20 * S_MS;
	card(l, "7", 'a', NULL);
	visit = pay(l, "7", "B1", 100);
	assert_int_equal(visit->state, VISIT_CLOSED);
	assert_person(visit, 'a');
	assert_int_equal(l->r.also_count, 0);
	l->at_ms = T0 + 20 * S_MS + 1;
	waiting = card(l, "8", 'a', NULL);
	l->at_ms = T0 + 20 * S_MS;
	visit = pay(l, "8", "B1", 100);
	assert_false(visit->has_subject);
	assert_int_equal(waiting->state, VISIT_WAITING);
}

static void
a_card_that_names_the_basket_in_hand_leaves_another_that_waits(void **state)
{
	for (int other = 0; other < 2; other++) {
		struct lane *l;
		struct visit *visit, *waiting;

		lane_done(state);
		lane_init(state);
		l = *state;
		visit = till(l, "7", EV_BASKET_OPENED, "B1");
		till(l, "7", EV_BASKET_SUSPENDED, "B1");
		waiting = card(l, "7", other ? 'b' : 'a', NULL);
		assert_ptr_equal(card(l, "7", 'a', "B1"), visit);
		assert_ptr_equal(l->r.gone, other ? NULL : waiting);
		assert_person(visit, 'a');
	}
}

static struct visit *
card_at_till(struct lane *l, const char *terminal, char who, const char *basket)
{
	struct event event = { .type = EV_CUSTOMER_IDENTIFIED,
		.channel = CHANNEL_POS,
		.origin = terminal,
		.has_subject = true,
		.subject = person(who),
		.basket = basket,
		.station = terminal };

	return lane_apply(l, &event, terminal);
}

/* Where a card waits for any basket, one that names its own: of the same customer, another's, an older one. */
static void
a_card_that_names_a_basket_meets_one_that_waits_for_any(void **state)
{
	struct lane *l = *state;
	struct visit *waiting, *named;

	waiting = card_at_till(l, "7", 'a', NULL);
	assert_string_equal(waiting->terminal, "");
	assert_ptr_equal(card_at_till(l, "7", 'a', "B1"), waiting);
	assert_string_equal(waiting->basket, "B1");
	assert_string_equal(waiting->terminal, "7");
	assert_true(waiting->card_named);
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B1"), waiting);

	waiting = card_at_till(l, "8", 'a', NULL);
	named = card_at_till(l, "8", 'b', "B2");
	assert_ptr_not_equal(named, waiting);
	assert_ptr_equal(l->r.gone, waiting);
	assert_true(waiting->missed);
	assert_string_equal(named->basket, "B2");
	assert_string_equal(named->terminal, "8");
	drop_gone(l);

	waiting = card(l, "9", 'a', NULL);
	l->at_ms = waiting->card_at_ms - 1;
	named = card(l, "9", 'b', "B3");
	/* As if it had come in time, and a had joined its basket. */
	assert_ptr_equal(named, waiting);
	assert_int_equal(l->r.effects, EFFECT_IGNORED);
	assert_null(l->r.gone);
	assert_string_equal(waiting->basket, "B3");
	assert_string_equal(waiting->terminal, "");
	assert_person(waiting, 'a');
	waiting = card(l, "6", 'a', NULL);
	l->at_ms = waiting->card_at_ms;
	card(l, "6", 'b', "B4");
	assert_ptr_equal(l->r.gone, waiting);
}

static void
a_card_that_was_read_two_minutes_before_the_basket_began_is_not_of_it(void **state)
{
	for (int early = 0; early < 2; early++) {
		struct lane *l;
		struct visit *visit;

		lane_done(state);
		lane_init(state);
		l = *state;
		visit = till(l, "7", EV_BASKET_OPENED, "B1");
		l->at_ms = visit->began_at_ms - CARD_WAIT_MS + 1 - early;
		assert_int_equal(card(l, "7", 'a', NULL) == visit, !early);
		assert_int_equal(visit->has_subject, !early);
	}
}

/* Two cards of one station that wait for baskets of their own, by till or by station. */
static void
a_card_waits_for_its_number_at_its_till_or_at_its_station(void **state)
{
	struct lane *l = *state;
	struct visit *visit = card_at_till(l, "7", 'a', "B1");

	assert_ptr_not_equal(till(l, "8", EV_BASKET_OPENED, "B1"), visit);
	assert_ptr_equal(till(l, "7", EV_BASKET_OPENED, "B1"), visit);
	visit = card(l, "5", 'b', "B2");
	assert_ptr_not_equal(till(l, "6", EV_BASKET_OPENED, "B2"), visit);
	assert_ptr_equal(till(l, "5", EV_BASKET_OPENED, "B2"), visit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_card_joins_the_open_basket_at_its_station),
		T(the_same_card_again_replaces_nobody),
		T(a_second_card_replaces_the_first),
		T(a_visit_that_no_card_began_waits_for_nobodys_basket),
		T(a_card_without_basket_waits_for_the_next_one),
		T(at_another_station_it_goes_on_waiting),
		T(a_card_waits_120_seconds_and_no_longer),
		T(another_card_where_one_waits_sends_the_first_away),
		T(the_same_card_again_waits_anew),
		T(a_card_that_names_its_basket_means_the_one_at_its_station_or_till),
		T(a_card_that_is_read_while_a_known_customer_pays_is_the_next_ones),
		T(a_card_that_turns_out_to_be_the_next_customers_is_set_free),
		T(a_card_is_not_of_a_basket_that_ended_long_before_it),
		T(a_late_card_is_of_the_basket_that_was_open_when_it_was_read),
		T(a_late_card_of_when_a_known_customer_paid_is_the_next_baskets),
		T(a_card_that_was_read_after_the_close_is_not_of_that_sale),
		T(of_two_cards_that_name_a_basket_the_later_read_has_it_in_whatever_order_they_come),
		T(a_card_leaves_the_basket_of_another_when_its_own_is_heard_of),
		T(the_newest_card_wins_by_its_time),
		T(a_card_whose_wait_is_over_still_is_of_the_basket_that_began_next),
		T(a_card_that_names_an_unknown_basket_waits_for_that_one),
		T(named_cards_of_a_row_of_self_checkouts_do_not_send_each_other_away),
		T(a_card_scanned_first_and_named_later_is_one_visit),
		T(a_card_after_the_close_is_for_the_history_alone),
		T(a_recalled_basket_takes_the_card_that_waits_unless_it_has_its_own),
		T(a_customer_who_leaves_keeps_their_basket),
		T(a_card_that_leaves_while_it_waits_is_gone),
		T(a_merged_card_takes_its_visit_along),
		T(a_merged_card_is_another_wherever_it_has_been),
		T(what_is_said_about_a_customer_finds_them_in_the_store),
		T(a_card_that_waits_beside_a_basket_is_gone_when_it_joins_that),
		T(of_several_cards_a_basket_takes_the_newest_before_it_else_the_first_after_it),
		T(a_recalled_basket_takes_no_card_of_two_minutes_ago),
		T(a_close_that_begins_its_basket_takes_the_card_that_was_read_by_then),
		T(a_card_that_names_the_basket_in_hand_leaves_another_that_waits),
		T(a_card_that_names_a_basket_meets_one_that_waits_for_any),
		T(a_card_that_was_read_two_minutes_before_the_basket_began_is_not_of_it),
		T(a_card_waits_for_its_number_at_its_till_or_at_its_station),
		T(a_sensor_is_about_the_visit_at_its_station_if_it_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
