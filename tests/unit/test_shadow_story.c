/* SPDX-License-Identifier: Apache-2.0
 *
 * test_shadow_story.c - a sale that was closed, as the events of its till.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "daemon/shadow.h"
#include "ingest/envelope.h"

#define BEGIN_MS INT64_C(1700000000000)

static struct visit *
a_sale(int64_t opened_ms)
{
	static const struct id id = { { 1 } };
	struct visit *visit = visit_new(&id);
	struct line *line;

	visit->state = VISIT_CLOSED;
	strcpy(visit->station, "7");
	strcpy(visit->terminal, "7");
	visit->basket = mem_strdup("b1");
	visit->opened_ms = opened_ms;
	visit->closed_ms = opened_ms + 60000;
	visit->total_minor = 300;
	for (int n = 1; n <= 3; n++) {
		line = visit_add_line(visit, n);
		line->added_ms = opened_ms + n * 10000;
		line->qty_milli = 1500;
		line->amount_minor = 100 * n;
		free(line->category);
		line->category = mem_strdup("grocery/tea");
		line->sku = mem_strdup("tea");
	}
	return visit;
}

/* What the till would have sent, as its events are read. */
static struct event *
event_of(struct arena *arena, const struct shadow_event *line)
{
	static const uint8_t pepper[32] = "pepper";
	struct envelope_rules rules = {
		.pepper = pepper, .currency = "EUR", .clock_off = true, .recorded = true
	};
	struct rejected rejected = { 0 };
	struct event *event = NULL;
	struct route route;
	unsigned unknown = 0;
	int64_t now_ms;

	if (envelope_parse_recorded(arena, &rules, line->line, line->len, &route, &now_ms, &event,
		&rejected, &unknown) != 0)
		fail_msg("%s: %s", line->line, rejected.detail);
	assert_int_equal(unknown, 0);
	assert_int_equal(now_ms, line->at_ms);
	return event;
}

static void
a_sale_is_told_as_its_till_would_and_without_what_was_voided(void **state)
{
	static const enum event_type types[] = { EV_BASKET_OPENED, EV_CUSTOMER_IDENTIFIED,
		EV_BASKET_ITEM_ADDED, EV_BASKET_ITEM_ADDED, EV_BASKET_TENDER_STARTED,
		EV_BASKET_CLOSED };
	struct visit *visit = a_sale(BEGIN_MS);
	struct shadow_story story = { 0 };
	struct arena *arena = arena_new();
	struct event *event;

	(void)state;
	visit->lines[1].voided = true;
	visit->has_subject = true;
	visit->subject.b[0] = 9;
	visit->identified_ms = BEGIN_MS - 5; /* the card lay there before */
	visit->paying_at_ms = BEGIN_MS + 50000;
	shadow_story_add(&story, visit, 0, "0042", "EUR");
	shadow_story_sort(&story);
	assert_int_equal(story.count, ARRAY_LEN(types));
	for (size_t i = 0; i < story.count; i++) {
		event = event_of(arena, &story.events[i]);
		assert_int_equal(event->type, types[i]);
		if (event->type == EV_CUSTOMER_IDENTIFIED)
			assert_true(id_equal(&event->subject, &visit->subject));
		if (event->type == EV_BASKET_ITEM_ADDED) {
			assert_string_equal(event->item.category, "grocery/tea");
			assert_int_equal(event->item.qty_milli, 1500);
		}
		event_done(event);
	}
	shadow_story_done(&story);
	arena_free(arena);
	visit_free(visit);
}

static void
sales_that_overlap_are_told_in_the_order_of_their_events(void **state)
{
	struct visit *one = a_sale(BEGIN_MS), *other = a_sale(BEGIN_MS + 15000);
	struct shadow_story story = { 0 };

	(void)state;
	shadow_story_add(&story, other, 1, "0042", "EUR");
	shadow_story_add(&story, one, 0, "0042", "EUR");
	shadow_story_sort(&story);
	assert_int_equal(story.count, 10);
	for (size_t i = 1; i < story.count; i++)
		assert_true(story.events[i - 1].at_ms <= story.events[i].at_ms);
	assert_int_equal(story.events[0].visit, 0);
	assert_int_equal(story.events[2].visit, 1); /* opened, between lines of the first */
	shadow_story_done(&story);
	visit_free(one);
	visit_free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sale_is_told_as_its_till_would_and_without_what_was_voided),
		cmocka_unit_test(sales_that_overlap_are_told_in_the_order_of_their_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
