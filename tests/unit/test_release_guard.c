/* SPDX-License-Identifier: Apache-2.0
 *
 * test_release_guard.c - the bounds of a release: the last figure within, and the first beyond.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/release_guard.h"

static const struct release_bounds bounds = { .agreement = 0.5,
	.discount = 1.5,
	.pressure = 1.5,
	.cards = 1.5,
	.latency_ms = 100,
	.probation_s = 3600,
	.dismissals = 1.5,
	.errors = 2 };
static const struct guard_sums usual = {
	.prompts = 100, .dismissed = 20, .redeemed_minor = 10000, .turns = 1000, .p99_ms = 10
};

static bool
within(struct guard_sums before, struct guard_sums since)
{
	struct buf says = { 0 };
	bool is = guard_within(&bounds, &before, &since, &says);

	assert_int_equal(is, says.len == 0);
	buf_done(&says);
	return is;
}

#define SINCE(member, value) \
	({ \
		struct guard_sums sums_ = usual; \
		sums_.member = value; \
		sums_; \
	})

static void
each_guard_has_its_bound(void **state)
{
	(void)state;
	assert_true(within(usual, usual));
	assert_true(within(usual, SINCE(dismissed, 30)));
	assert_false(within(usual, SINCE(dismissed, 31)));
	assert_true(within(usual, SINCE(redeemed_minor, 15000)));
	assert_false(within(usual, SINCE(redeemed_minor, 15001)));
	assert_true(within(usual, SINCE(errors, 2)));
	assert_false(within(usual, SINCE(errors, 3)));
	assert_true(within(usual, SINCE(p99_ms, 100)));
	assert_false(within(usual, SINCE(p99_ms, 101)));
}

static void
a_store_that_was_slow_before_is_not_the_policys_fault(void **state)
{
	struct guard_sums slow = usual;

	(void)state;
	slow.p99_ms = 60;
	assert_true(within(slow, SINCE(p99_ms, 120)));
	assert_false(within(slow, SINCE(p99_ms, 121)));
}

static void
of_too_few_nothing_is_said(void **state)
{
	struct guard_sums few = usual, all = usual;

	(void)state;
	few.prompts = GUARD_PROMPTS_MIN - 1;
	all.dismissed = 100;
	assert_true(within(few, all));
	few = all;
	few.prompts = few.dismissed = GUARD_PROMPTS_MIN - 1;
	assert_true(within(usual, few));
	few.prompts = few.dismissed = GUARD_PROMPTS_MIN;
	assert_false(within(usual, few));
	/* errors need no company */
	few = (struct guard_sums){ .errors = 3 };
	assert_false(within((struct guard_sums){ 0 }, few));
}

static void
a_discount_where_there_was_none_has_no_ratio(void **state)
{
	struct guard_sums none = usual;

	(void)state;
	none.redeemed_minor = 0;
	assert_true(within(none, usual));
}

/* ---- a shadow replay ---- */

static const struct shadow_report same = { .visits = 50,
	.events = 500,
	.decisions = 200,
	.same = 200,
	.now = { .decisions = 200, .cards = 100, .pressure = 40, .discount = 1000, .p99_ms = 1 },
	.next = { .decisions = 200, .cards = 100, .pressure = 40, .discount = 1000, .p99_ms = 1 } };

static bool
shadow_within(struct shadow_report report)
{
	struct buf says = { 0 };
	bool is = guard_shadow(&bounds, &report, &says);

	buf_done(&says);
	return is;
}

#define REPORT(member, value) \
	({ \
		struct shadow_report report_ = same; \
		report_.member = value; \
		report_; \
	})

static void
each_figure_of_a_shadow_replay_has_its_bound(void **state)
{
	(void)state;
	assert_true(shadow_within(same));
	assert_true(shadow_within(REPORT(same, 100)));
	assert_false(shadow_within(REPORT(same, 99)));
	assert_true(shadow_within(REPORT(next.cards, 150)));
	assert_false(shadow_within(REPORT(next.cards, 151)));
	assert_true(shadow_within(REPORT(next.pressure, 60)));
	assert_false(shadow_within(REPORT(next.pressure, 61)));
	assert_true(shadow_within(REPORT(next.discount, 1500)));
	assert_false(shadow_within(REPORT(next.discount, 1501)));
	assert_true(shadow_within(REPORT(next.p99_ms, 100)));
	assert_false(shadow_within(REPORT(next.p99_ms, 101)));
}

static void
with_too_few_decisions_it_says_so_and_passes(void **state)
{
	struct shadow_report few = same;
	struct buf says = { 0 };

	(void)state;
	few.same = 0;
	assert_false(shadow_within(few));
	few.now.decisions = SHADOW_DECISIONS_MIN - 1;
	assert_true(guard_shadow(&bounds, &few, &says));
	assert_string_equal(says.data, "too few decisions to compare: 99, expected 100");
	buf_done(&says);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_guard_has_its_bound),
		cmocka_unit_test(a_store_that_was_slow_before_is_not_the_policys_fault),
		cmocka_unit_test(of_too_few_nothing_is_said),
		cmocka_unit_test(a_discount_where_there_was_none_has_no_ratio),
		cmocka_unit_test(each_figure_of_a_shadow_replay_has_its_bound),
		cmocka_unit_test(with_too_few_decisions_it_says_so_and_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
