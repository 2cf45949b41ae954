/* SPDX-License-Identifier: Apache-2.0
 *
 * test_contact_policy.c - caps and suppressions at their edges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "decide/run.h"

#include "decide_fixture.h"

#define NOW INT64_C(1795255200000)

static struct arena *arena;
static struct policy policy;
static struct contacts contacts;
static struct visit visit;
static struct subject subject;
static struct decide_input input;
static struct action coffee, tea;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new();
	policy = (struct policy){ 0 };
	contacts = (struct contacts){ 0 };
	visit = (struct visit){ 0 };
	subject = (struct subject){ 0 };
	coffee = (struct action){ .id = "coffee-off", .group = "coffee", .issue = "grow" };
	tea = (struct action){ .id = "tea-off", .group = "tea", .issue = "grow" };
	input = (struct decide_input){ .known = true };
	input.sources.policy = &policy;
	input.sources.visit = &visit;
	input.sources.contacts = &contacts;
	input.sources.subject = &subject;
	input.sources.now_ms = NOW;
	input.store.day_start_ms = NOW - 6 * H_MS;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void
row(enum outcome outcome, int64_t age_ms, const struct action *action, uint8_t prompt)
{
	add_row(arena, &contacts, outcome, NOW - age_ms, action->id, action->group, action->issue,
	    prompt);
}

static bool
may(const struct action *action)
{
	return contact_check(arena, &input, action, PLACE_TABLET) == NULL;
}

static void
cap(struct cap *one)
{
	policy.caps = one;
	policy.cap_count = 1;
}

static void
no_rows_are_zero(void **state)
{
	struct cap all = {
		.scope = SCOPE_ALL, .outcome = OUTCOME_SHOWN, .max = 1, .within_ms = D_MS
	};

	(void)state;
	cap(&all);
	assert_true(may(&coffee));
	all.max = 0;
	assert_false(may(&coffee));
}

static void
unreadable_rows_close_the_gate(void **state)
{
	(void)state;
	input.sources.contacts = NULL;
	assert_string_equal(contact_check(arena, &input, &coffee, PLACE_TABLET),
	    "contacts unreadable");
}

static void
the_cap_is_reached_at_max_and_not_before(void **state)
{
	struct cap all = {
		.scope = SCOPE_ALL, .outcome = OUTCOME_SHOWN, .max = 3, .within_ms = D_MS
	};

	(void)state;
	cap(&all);
	row(OUTCOME_DECIDED, 3000, &coffee, 1);
	row(OUTCOME_DECIDED, 2000, &tea, 2);
	assert_true(may(&coffee));
	row(OUTCOME_DECIDED, 1000, &tea, 3);
	assert_string_equal(contact_check(arena, &input, &coffee, PLACE_TABLET),
	    "contact.caps[0]: shown 3 of 3");
}

static void
a_rolling_window_ends_at_its_length(void **state)
{
	struct cap all = {
		.scope = SCOPE_ALL, .outcome = OUTCOME_SHOWN, .max = 1, .within_ms = 7 * D_MS
	};

	(void)state;
	cap(&all);
	row(OUTCOME_DECIDED, 7 * D_MS, &coffee, 1);
	assert_true(may(&coffee));
	contacts.rows[0].at_ms++;
	assert_false(may(&coffee));
}

static void
a_business_day_begins_at_the_stores_cut(void **state)
{
	struct cap all = { .scope = SCOPE_ALL,
		.outcome = OUTCOME_SHOWN,
		.max = 1,
		.within_ms = D_MS,
		.clock = CLOCK_BUSINESS_DAY };

	(void)state;
	cap(&all);
	row(OUTCOME_DECIDED, 6 * H_MS + 1, &coffee, 1);
	assert_true(may(&coffee));
	contacts.rows[0].at_ms++;
	assert_false(may(&coffee));
}

static void
two_business_days_across_the_change_of_clocks(void **state)
{
	struct cap all = { .scope = SCOPE_ALL,
		.outcome = OUTCOME_SHOWN,
		.max = 1,
		.within_ms = 2 * D_MS,
		.clock = CLOCK_BUSINESS_DAY };
	struct zone *berlin = zone_new("CET-1CEST,M3.5.0,M10.5.0/3");

	(void)state;
	/* Clocks go back on 2026-10-25 at 03:00 local: the day of the 24th, cut at 04:00, has 25 hours. */
	input.sources.zone = berlin;
	input.sources.now_ms = at("2026-10-25T10:00:00Z");
	input.store.day_start_ms = zone_day_start(berlin, input.sources.now_ms, 4 * 60);
	assert_int_equal(input.store.day_start_ms, at("2026-10-25T03:00:00Z"));
	cap(&all);
	add_row(arena, &contacts, OUTCOME_DECIDED, at("2026-10-24T01:59:59.999Z"), "coffee-off",
	    "coffee", "grow", 1);
	assert_true(may(&coffee));
	contacts.rows[0].at_ms = at("2026-10-24T02:00:00Z");
	assert_false(may(&coffee));
	/* Clocks go forward on 2027-03-28: the day of the 27th has 23 hours. */
	input.sources.now_ms = at("2027-03-28T10:00:00Z");
	input.store.day_start_ms = zone_day_start(berlin, input.sources.now_ms, 4 * 60);
	assert_int_equal(input.store.day_start_ms, at("2027-03-28T02:00:00Z"));
	contacts.rows[0].at_ms = at("2027-03-27T02:59:59.999Z");
	assert_true(may(&coffee));
	contacts.rows[0].at_ms = at("2027-03-27T03:00:00Z");
	assert_false(may(&coffee));
	zone_free(berlin);
}

static void
a_gap_cap_follows_the_customers_own_rhythm(void **state)
{
	struct cap all = { .scope = SCOPE_ALL,
		.outcome = OUTCOME_SHOWN,
		.max = 1,
		.clock = CLOCK_OWN_GAP,
		.gap_times = 0.5 };
	struct purchase purchases[3] = { { .at_ms = NOW - 20 * D_MS }, { .at_ms = NOW - 18 * D_MS },
		{ .at_ms = NOW - 12 * D_MS } };

	(void)state;
	cap(&all);
	subject.purchases = purchases;
	subject.purchase_count = 3; /* a mean gap of 4 days: half of it is 2 days */
	row(OUTCOME_DECIDED, 2 * D_MS, &coffee, 1);
	assert_true(may(&coffee));
	contacts.rows[0].at_ms++;
	assert_false(may(&coffee));
	/* Without a rhythm every row counts; without consent there is none to read. */
	contacts.rows[0].at_ms = NOW - 300 * D_MS;
	assert_true(may(&coffee));
	input.known = false;
	assert_false(may(&coffee));
	input.known = true;
	subject.purchase_count = 1;
	assert_false(may(&coffee));
}

static void
a_card_counts_as_shown_until_the_tablet_says_it_was_not(void **state)
{
	struct cap all = {
		.scope = SCOPE_ALL, .outcome = OUTCOME_SHOWN, .max = 1, .within_ms = D_MS
	};

	(void)state;
	cap(&all);
	row(OUTCOME_DECIDED, 3000, &coffee, 1);
	assert_false(may(&tea));
	row(OUTCOME_SHOWN, 2900, &coffee, 1); /* the same card, not a second one */
	all.max = 2;
	assert_true(may(&tea));
	row(OUTCOME_DECIDED, 2800, &coffee, 2);
	assert_false(may(&tea));
	row(OUTCOME_NOT_SHOWN, 2700, &coffee, 2);
	assert_true(may(&tea));
}

static void
withheld_cards_and_hqs_own_contacts_count(void **state)
{
	struct cap all = {
		.scope = SCOPE_ALL, .outcome = OUTCOME_SHOWN, .max = 2, .within_ms = D_MS
	};

	(void)state;
	cap(&all);
	row(OUTCOME_DECIDED, 3000, &coffee, 1);
	contacts.rows[0].withheld = true;
	row(OUTCOME_SHOWN, 2000, &coffee, 2);
	memset(&contacts.rows[1].decision, 0, sizeof(struct id));
	assert_false(may(&coffee));
}

static void
scopes_are_the_candidates_own_or_the_named_one(void **state)
{
	struct cap one = {
		.scope = SCOPE_ACTION, .outcome = OUTCOME_SHOWN, .max = 1, .within_ms = D_MS
	};

	(void)state;
	cap(&one);
	row(OUTCOME_DECIDED, 1000, &coffee, 1);
	assert_false(may(&coffee));
	assert_true(may(&tea));
	one.scope = SCOPE_GROUP;
	assert_false(may(&coffee));
	assert_true(may(&tea));
	one.scope_value = "coffee";
	assert_false(may(&tea));
	one.scope = SCOPE_ISSUE;
	one.scope_value = NULL;
	assert_false(may(&tea));
	one.scope = SCOPE_PLACEMENT;
	assert_false(may(&tea));
	assert_null(contact_check(arena, &input, &tea, PLACE_RECEIPT));
	one.scope_value = "receipt";
	assert_true(may(&tea));
	one.scope_value = "tablet";
	assert_non_null(contact_check(arena, &input, &tea, PLACE_RECEIPT));
}

static void
an_actions_own_cap_names_itself(void **state)
{
	struct cap own = {
		.scope = SCOPE_ACTION, .outcome = OUTCOME_DISMISSED, .max = 1, .within_ms = D_MS
	};

	(void)state;
	coffee.caps = &own;
	coffee.cap_count = 1;
	row(OUTCOME_DISMISSED, 1000, &coffee, 1);
	assert_string_equal(contact_check(arena, &input, &coffee, PLACE_TABLET),
	    "caps[0]: dismissed 1 of 1");
	assert_true(may(&tea));
}

static void
its_own_open_card_never_counts_against_it(void **state)
{
	struct cap all = {
		.scope = SCOPE_ALL, .outcome = OUTCOME_SHOWN, .max = 1, .within_ms = D_MS
	};
	struct card *card = add_card(arena, &visit, "coffee-off", "coffee", 1);

	(void)state;
	cap(&all);
	row(OUTCOME_DECIDED, 1000, &coffee, 1);
	assert_true(may(&coffee));
	assert_false(may(&tea));
	card->state = CARD_GONE;
	assert_false(may(&coffee));
	card->state = CARD_OPEN;
	card->expires_ms = NOW;
	assert_false(may(&coffee));
	card->expires_ms = NOW + 1;
	assert_true(may(&coffee));
}

static void
after_n_outcomes_the_group_pauses_and_comes_back(void **state)
{
	struct suppression rule = { .outcome = OUTCOME_DISMISSED,
		.count = 2,
		.within_ms = 30 * D_MS,
		.scope = SCOPE_GROUP,
		.for_ms = 10 * D_MS };

	(void)state;
	policy.suppressions = &rule;
	policy.suppression_count = 1;
	row(OUTCOME_DISMISSED, 40 * D_MS - 2, &coffee, 1);
	assert_true(may(&coffee));
	row(OUTCOME_DISMISSED, 10 * D_MS - 1, &coffee, 2);
	assert_string_equal(contact_check(arena, &input, &coffee, PLACE_TABLET),
	    "contact.suppress[0]: dismissed");
	assert_true(may(&tea));
	contacts.rows[1].at_ms--; /* the pause of 10 d is over */
	assert_true(may(&coffee));
	contacts.rows[1].at_ms++;
	contacts.rows[0].at_ms--; /* 30 d between the two: not within */
	assert_true(may(&coffee));
}

static void
a_suppression_outlasts_its_window(void **state)
{
	struct suppression rule = { .outcome = OUTCOME_OVERRIDDEN,
		.outcome_reason = "insensitive",
		.count = 1,
		.within_ms = D_MS,
		.scope = SCOPE_ISSUE,
		.for_ms = 180 * D_MS };

	(void)state;
	policy.suppressions = &rule;
	policy.suppression_count = 1;
	row(OUTCOME_OVERRIDDEN, 179 * D_MS, &coffee, 1);
	contacts.rows[0].reason = arena_strdup(arena, "too-busy");
	assert_true(may(&tea));
	contacts.rows[0].reason = arena_strdup(arena, "insensitive");
	assert_string_equal(contact_check(arena, &input, &tea, PLACE_TABLET),
	    "contact.suppress[0]: overridden:insensitive");
	contacts.rows[0].at_ms = NOW - 180 * D_MS;
	assert_true(may(&tea));
}

static void
a_suppression_looks_for_its_own_outcome(void **state)
{
	struct suppression rule = { .outcome = OUTCOME_ACCEPTED,
		.count = 2,
		.within_ms = 10,
		.scope = SCOPE_ACTION,
		.for_ms = 100 };

	(void)state;
	policy.suppressions = &rule;
	policy.suppression_count = 1;
	row(OUTCOME_DISMISSED, 1, &coffee, 1);
	row(OUTCOME_DISMISSED, 1, &coffee, 2);
	row(OUTCOME_ACCEPTED, 1, &coffee, 3);
	assert_true(may(&coffee));
	row(OUTCOME_ACCEPTED, 1, &tea, 4);
	assert_true(may(&coffee));
	row(OUTCOME_ACCEPTED, 1, &coffee, 5);
	assert_false(may(&coffee));
	assert_true(may(&tea));
}

/* Their first eight bytes are the same, or there are fewer: only the whole text decides. */
static void
long_names_are_told_apart_by_their_ends(void **state)
{
	static const char *const names[] = { "promotion-coffee", "promotion-coffe", "promotio",
		"promoti", "promotion-tea", "" };
	struct action actions[ARRAY_LEN(names)];
	enum contact_scope scopes[] = { SCOPE_SELF, SCOPE_ACTION, SCOPE_GROUP, SCOPE_ISSUE };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		actions[i] =
		    (struct action){ .id = names[i], .group = names[i], .issue = names[i] };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (i != 4)
			row(OUTCOME_DECIDED, H_MS, &actions[i], (uint8_t)(i + 1));
	for (size_t s = 0; s < ARRAY_LEN(scopes); s++) {
		cap(&(struct cap){
		    .scope = scopes[s], .outcome = OUTCOME_SHOWN, .max = 1, .within_ms = D_MS });
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			assert_int_equal(may(&actions[i]), i == 4);
	}
	/* Some row has the outcome, none of this action; then no row has it. */
	cap(&(struct cap){
	    .scope = SCOPE_SELF, .outcome = OUTCOME_DISMISSED, .max = 1, .within_ms = D_MS });
	assert_true(may(&actions[1]));
	row(OUTCOME_DISMISSED, H_MS / 2, &actions[1], 2);
	assert_true(may(&actions[0]));
	assert_false(may(&actions[1]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(no_rows_are_zero),
		T(unreadable_rows_close_the_gate),
		T(the_cap_is_reached_at_max_and_not_before),
		T(a_rolling_window_ends_at_its_length),
		T(a_business_day_begins_at_the_stores_cut),
		T(two_business_days_across_the_change_of_clocks),
		T(a_gap_cap_follows_the_customers_own_rhythm),
		T(a_card_counts_as_shown_until_the_tablet_says_it_was_not),
		T(withheld_cards_and_hqs_own_contacts_count),
		T(scopes_are_the_candidates_own_or_the_named_one),
		T(an_actions_own_cap_names_itself),
		T(its_own_open_card_never_counts_against_it),
		T(after_n_outcomes_the_group_pauses_and_comes_back),
		T(a_suppression_outlasts_its_window),
		T(a_suppression_looks_for_its_own_outcome),
		T(long_names_are_told_apart_by_their_ends),
#undef T
	};

	return cmocka_run_group_tests_name("contact_policy", tests, NULL, NULL);
}
