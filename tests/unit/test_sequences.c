/* SPDX-License-Identifier: Apache-2.0
 *
 * test_sequences.c - sales of two tills in whatever order their events come: each ends as it would
 * have in the order that it happened in.
 *
 * A day is made of sales whose numbers come again; some are suspended at one till and go on at the
 * other. The events of a sale are said in a random order, some twice, and some lines, cards, which may not
 * say of which sale they are, and ends not before the next sale is on its way; only the `opened` or the recall
 * of a number that a till gives again comes before what it begins. What each sale must be at its end is worked out from its events sorted by
 * time, without the code under test.
 */
#include "random_fixture.h"
#include "session_fixture.h"

#define SALES_MAX 12
#define EVENTS_MAX 24
#define LINES 4

struct told {
	enum event_type type;
	const char *terminal, *from;
	int64_t at_ms, line, amount;
	char who;
	bool unnamed; /* the card does not say of which basket */
};

struct sale {
	const char *number, *end; /* where it ends */
	struct told told[EVENTS_MAX];
	size_t count, late; /* late: so many of them, the last ones, come during the next sale */
	int64_t began_ms, ended_ms;
	bool moved; /* from one till to the other */
};

struct day {
	struct dice dice;
	struct lane *lane;
	struct sale sales[SALES_MAX];
	size_t count;
	int64_t at_ms;
};

static struct told *
happens(struct day *day, struct sale *sale, enum event_type type, const char *terminal)
{
	struct told *told = &sale->told[sale->count++];

	assert_true(sale->count <= EVENTS_MAX);
	day->at_ms += 1 + (int64_t)dice_below(&day->dice, 5);
	*told = (struct told){ .type = type, .terminal = terminal, .at_ms = day->at_ms };
	return told;
}

static void
make_lines(struct day *day, struct sale *sale, const char *terminal)
{
	for (size_t i = dice_below(&day->dice, 5); i > 0; i--) {
		bool added = dice_below(&day->dice, 4) > 0;
		struct told *told = happens(day, sale,
		    added ? EV_BASKET_ITEM_ADDED : EV_BASKET_ITEM_VOIDED, terminal);

		told->line = 1 + (int64_t)dice_below(&day->dice, LINES);
		told->amount = 1 + (int64_t)dice_below(&day->dice, 1000);
	}
}

static void
make_card(struct day *day, struct sale *sale, const char *terminal)
{
	struct told *told;

	if (dice_below(&day->dice, 2) == 0)
		return;
	told = happens(day, sale, EV_CUSTOMER_IDENTIFIED, terminal);
	told->who = (char)('a' + (int)dice_below(&day->dice, 3));
	told->unnamed = dice_below(&day->dice, 2) == 0;
}

static void
make_sale(struct day *day)
{
	static const char *const numbers[] = { "1", "2" }, *const tills[] = { "7", "8" };
	struct sale *sale = &day->sales[day->count++];
	const char *here = tills[dice_below(&day->dice, 2)], *there;

	*sale = (struct sale){ .number = numbers[dice_below(&day->dice, 2)], .end = here };
	sale->began_ms = happens(day, sale, EV_BASKET_OPENED, here)->at_ms;
	make_lines(day, sale, here);
	make_card(day, sale, here);
	make_card(day, sale, here);
	if (dice_below(&day->dice, 3) == 0) {
		happens(day, sale, EV_BASKET_SUSPENDED, here);
		there = tills[dice_below(&day->dice, 2)];
		if (there != here && dice_below(&day->dice, 2) == 0)
			happens(day, sale, EV_BASKET_OPENED, there)->from = here;
		else
			happens(day, sale, EV_BASKET_RESUMED, there);
		sale->moved = there != here;
		sale->end = here = there;
	}
	make_lines(day, sale, here);
	if (dice_below(&day->dice, 2) == 0)
		happens(day, sale, EV_BASKET_TENDER_STARTED, here);
	happens(day, sale, dice_below(&day->dice, 6) == 0 ? EV_BASKET_CANCELLED : EV_BASKET_CLOSED,
	    here);
	sale->ended_ms = day->at_ms;
}

static void
tell(struct day *day, const struct sale *sale, const struct told *told)
{
	struct event event = { .type = told->type,
		.channel = CHANNEL_POS,
		.origin = told->terminal,
		.basket = told->unnamed ? NULL : sale->number,
		.from = told->from,
		.has_subject = told->who != 0,
		.subject = person(told->who),
		.item = { .line = told->line,
		    .item = "05012345678900",
		    .category = "c",
		    .qty_milli = 1000,
		    .amount_minor = told->amount } };

	day->lane->at_ms = told->at_ms;
	lane_apply(day->lane, &event, told->terminal);
	assert_int_equal(day->lane->r.reject, REJECT_NONE);
	drop_gone(day->lane);
}

/* Any till may have seen this number before. */
static bool
is_again(const struct day *day, const struct sale *sale)
{
	for (const struct sale *before = day->sales; before < sale; before++) {
		if (strcmp(before->number, sale->number) == 0)
			return true;
	}
	return false;
}

static bool
is_begin(const struct told *told)
{
	return told->type == EV_BASKET_OPENED && told->from == NULL;
}

static bool
is_recall(const struct told *told)
{
	return told->type == EV_BASKET_RESUMED || told->from != NULL;
}

static void
bring_forward(struct sale *sale, bool (*is)(const struct told *told), size_t to)
{
	for (size_t i = 0; i < sale->count; i++) {
		struct told keep = sale->told[i];

		if (!is(&keep))
			continue;
		memmove(sale->told + to + 1, sale->told + to, (i - to) * sizeof(keep));
		sale->told[to] = keep;
		return;
	}
}

/* A till that recalls a sale has none of that number open: its end is not late. */
static bool
may_be_late(const struct day *day, const struct sale *sale, enum event_type type)
{
	bool is_end = type == EV_BASKET_CLOSED || type == EV_BASKET_CANCELLED;

	if (is_end && sale + 1 < day->sales + day->count)
		return !sale[1].moved;
	return is_end || type == EV_BASKET_ITEM_ADDED || type == EV_BASKET_ITEM_VOIDED ||
	    type == EV_CUSTOMER_IDENTIFIED;
}

static void
shuffle(struct day *day, struct sale *sale)
{
	for (size_t i = sale->count; i > 1; i--) {
		size_t k = dice_below(&day->dice, i);
		struct told keep = sale->told[i - 1];

		sale->told[i - 1] = sale->told[k];
		sale->told[k] = keep;
	}
	if (is_again(day, sale)) {
		bring_forward(sale, is_recall, 0);
		bring_forward(sale, is_begin, 0);
	}
	/* The last ones may wait for the next sale. */
	while (sale->late < sale->count && dice_below(&day->dice, 3) == 0 &&
	    may_be_late(day, sale, sale->told[sale->count - 1 - sale->late].type))
		sale->late++;
}

/* ---- what it must be ---- */

static int
by_time(const void *a_pointer, const void *b_pointer)
{
	const struct told *a = a_pointer, *b = b_pointer;

	return a->at_ms < b->at_ms ? -1 : a->at_ms > b->at_ms;
}

struct must {
	int64_t total;
	char who;
	bool cancelled;
};

static struct must
work_out(const struct sale *sale)
{
	struct told sorted[EVENTS_MAX];
	int64_t lines[LINES + 1] = { 0 };
	struct must must = { 0 };

	memcpy(sorted, sale->told, sizeof(sorted));
	qsort(sorted, sale->count, sizeof(sorted[0]), by_time);
	for (size_t i = 0; i < sale->count; i++) {
		if (sorted[i].type == EV_BASKET_ITEM_ADDED)
			lines[sorted[i].line] = sorted[i].amount;
		if (sorted[i].type == EV_BASKET_ITEM_VOIDED)
			lines[sorted[i].line] = 0;
		if (sorted[i].type == EV_CUSTOMER_IDENTIFIED)
			must.who = sorted[i].who;
		must.cancelled |= sorted[i].type == EV_BASKET_CANCELLED;
	}
	for (int i = 1; i <= LINES; i++)
		must.total += lines[i];
	return must;
}

static void
assert_sale(const struct day *day, const struct sale *sale)
{
	struct must must = work_out(sale);
	const struct visit *visit =
	    sessions_basket(day->lane->sessions, sale->end, sale->number, sale->ended_ms);
	struct id id = person(must.who);

	assert_non_null(visit);
	assert_int_equal(visit->began_at_ms, sale->began_ms);
	assert_int_equal(visit->state, must.cancelled ? VISIT_CANCELLED : VISIT_CLOSED);
	assert_string_equal(visit->terminal, sale->end);
	if (must.cancelled)
		return;
	assert_int_equal(live_total(visit), must.total);
	assert_int_equal(visit->has_subject, must.who != 0);
	if (must.who != 0)
		assert_memory_equal(&visit->subject, &id, sizeof(id));
}

static void
live_through(struct day *day)
{
	for (size_t s = 0; s < day->count; s++) {
		struct sale *sale = &day->sales[s], *before = s > 0 ? sale - 1 : NULL;
		size_t meanwhile;

		shuffle(day, sale);
		meanwhile = dice_below(&day->dice, sale->count - sale->late);
		/* The number is free for the next one when its sale has ended: a till counts on. */
		for (size_t i = 0; i < sale->count - sale->late; i++) {
			tell(day, sale, &sale->told[i]);
			if (dice_below(&day->dice, 8) == 0)
				tell(day, sale, &sale->told[i]);
			if (i == meanwhile && before != NULL) {
				for (size_t k = before->count - before->late; k < before->count;
				     k++)
					tell(day, before, &before->told[k]);
				assert_sale(day, before);
			}
		}
	}
}

static void
every_order_of_a_days_events_ends_in_the_same_sales(void **state)
{
	int days = getenv("DAYS") != NULL ? atoi(getenv("DAYS")) : 3000;

	(void)state;
	for (int d = 0; d < days; d++) {
		struct day day = { .dice = { (uint64_t)d + 1 }, .at_ms = T0 };
		void *lane;

		lane_init(&lane);
		day.lane = lane;
		while (day.count < SALES_MAX)
			make_sale(&day);
		live_through(&day);
		lane_done(&lane);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order_of_a_days_events_ends_in_the_same_sales),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
