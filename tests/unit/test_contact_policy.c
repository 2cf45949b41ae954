/* SPDX-License-Identifier: Apache-2.0
 *
 * test_contact_policy.c - caps and suppressions at their edges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "decide/contact_index.h"

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

/* ---- counts, row by row ---- */

static int
counted(enum outcome outcome)
{
	struct cap all = { .scope = SCOPE_ALL, .outcome = outcome, .max = 1, .within_ms = D_MS };
	struct contact_index index = contact_index_make(arena, &contacts);

	return contact_counter(&input, &index, &coffee, PLACE_TABLET, &all);
}

#define ACC OUTCOME_ACCEPTED
#define APP OUTCOME_APPLIED
#define RED OUTCOME_REDEEMED
#define BOU OUTCOME_BOUGHT
#define REV OUTCOME_REVERSED
#define RET OUTCOME_RETURNED
#define REF OUTCOME_REFUSED
#define TAKEN (100 * ENDS_TAKEN)
#define UNUSED (100 * ENDS_UNUSED)

static void
what_was_taken_counts_once_until_it_is_taken_back(void **state)
{
	static const struct {
		int rows[8]; /* 0 ends them, so that DECIDED comes first */
		int accepted, applied, redeemed, bought;
	} cases[] = {
		{ { ACC, APP, RED }, 1, 1, 1, 0 },
		{ { ACC, APP, APP }, 1, 1, 0, 0 },
		{ { ACC, APP, APP, RED }, 1, 1, 1, 0 },
		{ { ACC, APP, RED, RED }, 1, 1, 1, 0 },
		{ { ACC, APP, RED, APP }, 1, 1, 1, 0 },
		{ { ACC, (int)REF + (int)TAKEN }, 0, 0, 0, 0 },
		{ { ACC, APP, (int)REF + (int)TAKEN, APP }, 1, 1, 0, 0 },
		{ { ACC, APP, RED, REV }, 1, 1, 1, 0 }, /* in part */
		{ { ACC, APP, RED, (int)REV + (int)TAKEN }, 0, 0, 0, 0 },
		{ { ACC, APP, RED, (int)REV + (int)TAKEN, RED }, 1, 1, 1, 0 },
		{ { ACC, APP, RED, (int)REV + (int)TAKEN, RED, (int)REV + (int)TAKEN }, 0, 0, 0,
		    0 },
		{ { ACC, APP, RED, BOU, (int)REV + (int)TAKEN }, 0, 0, 0, 1 },
		{ { ACC, APP, RED, BOU, RET }, 0, 0, 0, 0 },
		{ { ACC, APP, RED, BOU, RET, BOU }, 0, 0, 0, 1 },
		{ { ACC, (int)APP + (int)UNUSED }, 1, 0, 0, 0 }, /* no outcome of its own */
		{ { BOU, BOU }, 0, 0, 0, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		contacts = (struct contacts){ 0 };
		row(OUTCOME_DECIDED, 1000, &coffee, 1);
		row(OUTCOME_ACCEPTED, 999, &tea,
		    2); /* another card, that no row of the first touches */
		for (int r = 0; cases[i].rows[r] != 0; r++) {
			row((enum outcome)(cases[i].rows[r] % 100), 900 - r, &coffee, 1);
			contacts.rows[2 + r].ends = (enum contact_ends)(cases[i].rows[r] / 100);
		}
		if (counted(OUTCOME_ACCEPTED) != cases[i].accepted + 1 ||
		    counted(OUTCOME_APPLIED) != cases[i].applied ||
		    counted(OUTCOME_REDEEMED) != cases[i].redeemed ||
		    counted(OUTCOME_BOUGHT) != cases[i].bought || counted(OUTCOME_SHOWN) != 1)
			fail_msg("case %zu", i);
	}
}

/* A prompt is of one decision; should its rows say it twice, the later one is meant. */
static void
rows_before_a_card_was_decided_are_not_of_it(void **state)
{
	(void)state;
	row(OUTCOME_DECIDED, 1000, &coffee, 1);
	row(OUTCOME_APPLIED, 900, &coffee, 1);
	row(OUTCOME_BOUGHT, 890, &coffee, 1);
	row(OUTCOME_DECIDED, 800, &coffee, 1);
	row(OUTCOME_APPLIED, 700, &coffee, 1);
	assert_int_equal(counted(OUTCOME_APPLIED), 2);
	row(OUTCOME_NOT_SHOWN, 600, &coffee, 1);
	assert_int_equal(counted(OUTCOME_SHOWN), 1);
	row(OUTCOME_RETURNED, 500, &coffee, 1);
	assert_int_equal(counted(OUTCOME_APPLIED), 1);
	assert_int_equal(counted(OUTCOME_BOUGHT), 1);
}

static void
a_placement_that_a_row_cannot_have_is_none(void **state)
{
	struct cap at_receipt = { .scope = SCOPE_PLACEMENT,
		.scope_value = "receipt",
		.outcome = OUTCOME_SHOWN,
		.max = 1,
		.within_ms = D_MS };

	(void)state;
	cap(&at_receipt);
	row(OUTCOME_DECIDED, 1000, &coffee, 1);
	contacts.rows[0].placement = -1;
	assert_true(may(&coffee));
	contacts.rows[0].placement = PLACE_COUNT;
	assert_true(may(&coffee));
	contacts.rows[0].placement = PLACE_RECEIPT;
	assert_false(may(&coffee));
}

static void
a_day_and_a_moment_are_two_business_days(void **state)
{
	struct zone *utc = zone_new("UTC0");
	struct cap days[2] = { { .scope = SCOPE_ALL,
				   .outcome = OUTCOME_SHOWN,
				   .max = 1,
				   .within_ms = D_MS,
				   .clock = CLOCK_BUSINESS_DAY },
		{ .scope = SCOPE_ALL,
		    .outcome = OUTCOME_SHOWN,
		    .max = 2,
		    .within_ms = 3 * D_MS,
		    .clock = CLOCK_BUSINESS_DAY } };

	(void)state;
	input.sources.zone = utc;
	policy.caps = days;
	policy.cap_count = 2;
	row(OUTCOME_DECIDED, 30 * H_MS, &coffee, 1); /* yesterday, at the cut */
	assert_true(may(&coffee));
	days[0].within_ms++;
	assert_false(may(&coffee));
	contacts.rows[0].at_ms--;
	assert_true(may(&coffee));
	/* Two windows of different length, each by its own. */
	days[0].max = 2;
	row(OUTCOME_DECIDED, 54 * H_MS, &tea, 2);
	contacts.rows[1] = contacts.rows[0];
	contacts.rows[0].at_ms = NOW - 54 * H_MS;
	assert_string_equal(contact_check(arena, &input, &coffee, PLACE_TABLET),
	    "contact.caps[1]: shown 2 of 2");
	contacts.rows[0].at_ms--;
	assert_true(may(&coffee));
	zone_free(utc);
}

static void
a_gap_that_is_no_number_of_days_lets_every_row_count(void **state)
{
	struct cap all = { .scope = SCOPE_ALL,
		.outcome = OUTCOME_SHOWN,
		.max = 1,
		.clock = CLOCK_OWN_GAP,
		.gap_times = 0 };
	struct purchase purchases[2] = { { .at_ms = NOW - 20 * D_MS },
		{ .at_ms = NOW - 18 * D_MS } };

	(void)state;
	cap(&all);
	subject.purchases = purchases;
	subject.purchase_count = 2;
	row(OUTCOME_DECIDED, 0, &coffee, 1);
	assert_true(may(&coffee)); /* no time at all */
	all.gap_times = 1e-9;
	assert_true(may(&coffee));
	all.gap_times = 1;
	contacts.rows[0].at_ms = NOW - 2 * D_MS;
	assert_true(may(&coffee));
	contacts.rows[0].at_ms++;
	assert_false(may(&coffee));
	contacts.rows[0].at_ms = 0;
	assert_true(may(&coffee));
	all.gap_times = 1e9; /* beyond what a time can say */
	assert_false(may(&coffee));
	all.gap_times = -1;
	assert_false(may(&coffee));
}

/* ---- anything, against counting by hand ---- */

static uint32_t seed = 1;

static unsigned
dice(unsigned sides)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % sides;
}

enum { ACTIONS = 4, WINNERS = 3 };
static struct action actions[ACTIONS];
static bool by_hand_taking;
static const struct id *by_hand_own;
static size_t by_hand_winners[WINNERS], by_hand_winner_count;

/* Which rows count as what was taken or bought, from the first to the last. */
static void
counts_by_hand(bool *counts)
{
	for (size_t i = 0; i < contacts.count; i++) {
		const struct contact *row = &contacts.rows[i];
		bool back = row->ends == ENDS_TAKEN || row->outcome == OUTCOME_RETURNED;
		bool again = row->outcome == OUTCOME_APPLIED || row->outcome == OUTCOME_REDEEMED;
		bool last_applied = row->outcome == OUTCOME_REDEEMED;

		counts[i] = row->ends == ENDS_NOTHING &&
		    (row->outcome == OUTCOME_ACCEPTED || again || row->outcome == OUTCOME_BOUGHT ||
			row->outcome == OUTCOME_DECIDED ||
			(row->outcome == OUTCOME_SHOWN && id_is_zero(&row->decision)));
		for (size_t j = i; j-- > 0 && row->ends != ENDS_UNUSED;) {
			const struct contact *was = &contacts.rows[j];

			if (!id_equal(&was->prompt, &row->prompt))
				continue;
			if (row->outcome == OUTCOME_NOT_SHOWN && !back &&
			    was->outcome == OUTCOME_DECIDED)
				counts[j] = false;
			if (back && was->outcome != OUTCOME_DECIDED && !contact_outside(was) &&
			    (was->outcome != OUTCOME_BOUGHT || row->outcome == OUTCOME_RETURNED))
				counts[j] = false;
			if (back || !again)
				continue;
			if (was->outcome == OUTCOME_ACCEPTED)
				counts[j] = true;
			if (was->outcome == OUTCOME_APPLIED) {
				counts[j] = last_applied;
				last_applied = false;
			}
			if (was->outcome == OUTCOME_REDEEMED && row->outcome == OUTCOME_REDEEMED)
				counts[j] = false;
		}
	}
}

static bool
scoped_by_hand(enum contact_scope scope, const char *value, const struct action *asks,
    const char *action, const char *group, const char *issue, int placement)
{
	switch (scope) {
	case SCOPE_ALL: return true;
	case SCOPE_SELF: return strcmp(action, asks->id) == 0;
	case SCOPE_ACTION: return strcmp(action, value != NULL ? value : asks->id) == 0;
	case SCOPE_GROUP: return strcmp(group, value != NULL ? value : asks->group) == 0;
	case SCOPE_ISSUE: return strcmp(issue, value != NULL ? value : asks->issue) == 0;
	case SCOPE_PLACEMENT: return placement == (value != NULL ? PLACE_RECEIPT : PLACE_TABLET);
	}
	return false;
}

/* Does row i count, of this outcome and in this scope? */
static bool
row_by_hand(size_t i, const bool *counts, enum outcome outcome, const char *reason,
    enum contact_scope scope, const char *value, const struct action *asks)
{
	const struct contact *row = &contacts.rows[i];
	bool yes;

	if (outcome == OUTCOME_SHOWN)
		yes = counts[i] && (row->outcome == OUTCOME_DECIDED || contact_outside(row));
	else
		yes = row->outcome == outcome && row->ends != ENDS_UNUSED &&
		    (reason == NULL || (row->reason != NULL && strcmp(row->reason, reason) == 0)) &&
		    (counts[i] || !(contact_is_use(outcome) || outcome == OUTCOME_BOUGHT));
	if (by_hand_taking && row->outcome == OUTCOME_ACCEPTED && counts[i] &&
	    (outcome == OUTCOME_APPLIED || outcome == OUTCOME_REDEEMED)) {
		bool paid = false;

		yes = true; /* unless it was used, or can be used no more */
		for (size_t j = i + 1; j < contacts.count; j++)
			if (id_equal(&contacts.rows[j].prompt, &row->prompt)) {
				if (contacts.rows[j].ends == ENDS_UNUSED)
					yes = yes && paid;
				else if (contact_is_use(contacts.rows[j].outcome))
					yes = counts[j];
				if (contacts.rows[j].outcome == OUTCOME_REDEEMED)
					paid = counts[j];
			}
		for (size_t j = i + 1; j < contacts.count; j++)
			if (id_equal(&contacts.rows[j].prompt, &row->prompt) &&
			    contacts.rows[j].outcome == outcome && counts[j])
				yes = false;
	}
	if (by_hand_own != NULL && id_equal(by_hand_own, &row->prompt))
		return false;
	return yes &&
	    scoped_by_hand(scope, value, asks, row->action, row->group, row->issue, row->placement);
}

static int
winners_by_hand(enum outcome outcome, enum contact_scope scope, const char *value,
    const struct action *asks)
{
	int count = 0;

	if (outcome != OUTCOME_SHOWN && outcome != OUTCOME_DECIDED)
		return 0;
	for (size_t w = 0; w < by_hand_winner_count; w++) {
		const struct action *won = &actions[by_hand_winners[w]];

		count += scoped_by_hand(scope, value, asks, won->id, won->group, won->issue,
		    PLACE_TABLET);
	}
	return count;
}

static int64_t
window_by_hand(const struct cap *cap)
{
	const struct purchase *purchases = subject.purchases;

	if (cap->clock == CLOCK_BUSINESS_DAY)
		return input.store.day_start_ms - (cap->within_ms / D_MS - 1) * D_MS;
	if (cap->clock == CLOCK_ROLLING)
		return NOW - cap->within_ms + 1;
	return NOW - (int64_t)(cap->gap_times * (double)(purchases[1].at_ms - purchases[0].at_ms)) +
	    1;
}

static const char *
caps_by_hand(const struct cap *caps, size_t count, const char *where, const bool *counts,
    const struct action *asks)
{
	for (size_t c = 0; c < count; c++) {
		const struct cap *one = &caps[c];
		int n = winners_by_hand(one->outcome, one->scope, one->scope_value, asks);

		if (by_hand_taking && !contact_is_use(one->outcome))
			continue;
		for (size_t i = 0; i < contacts.count; i++)
			n += contacts.rows[i].at_ms >= window_by_hand(one) &&
			    row_by_hand(i, counts, one->outcome, one->outcome_reason, one->scope,
				one->scope_value, asks);
		if (n >= one->max)
			return arena_printf(arena, "%s[%zu]: %s%s%s %d of %d", where, c,
			    outcome_name(one->outcome), one->outcome_reason != NULL ? ":" : "",
			    one->outcome_reason != NULL ? one->outcome_reason : "", n, one->max);
	}
	return NULL;
}

static bool
suppressed_by_hand(const struct suppression *rule, const bool *counts, const struct action *asks)
{
	int here = winners_by_hand(rule->outcome, rule->scope, NULL, asks), n = here;

	for (size_t i = 0; i < contacts.count; i++)
		n += contacts.rows[i].at_ms > NOW - rule->within_ms &&
		    row_by_hand(i, counts, rule->outcome, rule->outcome_reason, rule->scope, NULL,
			asks);
	if (here > 0 && n >= rule->count)
		return true;
	for (size_t last = 0; last < contacts.count; last++) {
		if (contacts.rows[last].at_ms <= NOW - rule->for_ms ||
		    !row_by_hand(last, counts, rule->outcome, rule->outcome_reason, rule->scope,
			NULL, asks))
			continue;
		n = 0;
		for (size_t i = 0; i <= last; i++)
			n += contacts.rows[i].at_ms > contacts.rows[last].at_ms - rule->within_ms &&
			    row_by_hand(i, counts, rule->outcome, rule->outcome_reason, rule->scope,
				NULL, asks);
		if (n >= rule->count)
			return true;
	}
	return false;
}

static const char *
clause_by_hand(const struct action *asks)
{
	bool *counts = arena_alloc(arena, contacts.count + 1);
	const char *clause;

	counts_by_hand(counts);
	clause = caps_by_hand(asks->caps, asks->cap_count, "caps", counts, asks);
	if (clause == NULL)
		clause = caps_by_hand(policy.caps, policy.cap_count, "contact.caps", counts, asks);
	for (size_t i = 0; clause == NULL && i < policy.suppression_count; i++) {
		const struct suppression *rule = &policy.suppressions[i];

		if (by_hand_taking && !contact_is_use(rule->outcome))
			continue;
		if (suppressed_by_hand(rule, counts, asks))
			clause = arena_printf(arena, "contact.suppress[%zu]: %s%s%s", i,
			    outcome_name(rule->outcome), rule->outcome_reason != NULL ? ":" : "",
			    rule->outcome_reason != NULL ? rule->outcome_reason : "");
	}
	return clause;
}

static enum outcome
any_outcome(void)
{
	static const enum outcome some[] = { OUTCOME_SHOWN, OUTCOME_SHOWN, OUTCOME_DECIDED,
		OUTCOME_ACCEPTED, OUTCOME_APPLIED, OUTCOME_REDEEMED, OUTCOME_BOUGHT,
		OUTCOME_DISMISSED, OUTCOME_OVERRIDDEN };

	return some[dice(ARRAY_LEN(some))];
}

static void
any_caps(struct cap *caps, size_t *ret_count)
{
	static const int64_t within[] = { 10, 100, 10 * H_MS, 10 * D_MS };

	*ret_count = dice(3);
	for (size_t i = 0; i < *ret_count; i++) {
		enum contact_scope scope = (enum contact_scope)dice(SCOPE_PLACEMENT + 1);

		caps[i] = (struct cap){ .scope = scope,
			.outcome = any_outcome(),
			.max = (int)dice(5),
			.within_ms = within[dice(ARRAY_LEN(within))],
			.clock = (enum cap_clock)dice(3),
			.gap_times = dice(2) == 0 ? 0.5 : 2 };
		if (caps[i].clock == CLOCK_BUSINESS_DAY)
			caps[i].within_ms = (1 + dice(3)) * D_MS;
		if (scope > SCOPE_SELF && dice(2) == 0)
			caps[i].scope_value = scope == SCOPE_PLACEMENT ? "receipt"
			    : scope == SCOPE_ACTION		       ? actions[1].id
			    : scope == SCOPE_GROUP		       ? actions[1].group
								       : actions[1].issue;
		if (caps[i].outcome == OUTCOME_OVERRIDDEN && dice(2) == 0)
			caps[i].outcome_reason = "too-busy";
	}
}

static void
any_rows(void)
{
	static const int64_t ages[] = { 54 * H_MS + 1, 54 * H_MS, 30 * H_MS + 1, 30 * H_MS,
		24 * H_MS, 12 * H_MS, 10 * H_MS, 6 * H_MS + 1, 6 * H_MS, 6 * H_MS - 1, 200, 110,
		101, 100, 99, 20, 11, 10, 9, 1, 0 };
	size_t count = dice(12), age = 0;
	bool decided[7] = { false };

	contacts = (struct contacts){ 0 };
	for (size_t i = 0; i < count; i++, age += dice(4)) {
		unsigned prompt = 1 + dice(6);
		enum outcome outcome = !decided[prompt] ? OUTCOME_DECIDED
		    : dice(6) == 0			? OUTCOME_NOT_SHOWN
		    : dice(6) == 0			? OUTCOME_RETURNED
		    : dice(6) == 0			? OUTCOME_REVERSED
							: any_outcome();
		struct contact *last;

		if (age >= ARRAY_LEN(ages))
			break;
		if (decided[prompt] && outcome == OUTCOME_DECIDED) /* a card is decided once */
			outcome = OUTCOME_EXPIRED;
		row(outcome, ages[age], &actions[prompt % ACTIONS], (uint8_t)prompt);
		last = &contacts.rows[contacts.count - 1];
		decided[prompt] = true;
		if (outcome == OUTCOME_OVERRIDDEN && dice(2) == 0)
			last->reason = arena_strdup(arena, dice(2) == 0 ? "too-busy" : "other");
		if (outcome == OUTCOME_REVERSED && dice(2) == 0)
			last->ends = ENDS_TAKEN;
		if (outcome == OUTCOME_SHOWN && dice(6) == 0)
			last->ends = ENDS_UNUSED;
		if (dice(8) == 0)
			last->placement = PLACE_RECEIPT;
	}
	if (dice(4) == 0) { /* one of headquarters' */
		row(OUTCOME_SHOWN, 0, &actions[dice(ACTIONS)], 9);
		contacts.rows[contacts.count - 1].decision = (struct id){ 0 };
	}
}

static void
any_policy(struct cap own[ACTIONS][2], struct cap *caps, struct suppression *rules)
{
	for (size_t i = 0; i < ACTIONS; i++) {
		any_caps(own[i], &actions[i].cap_count);
		actions[i].caps = own[i];
	}
	any_caps(caps, &policy.cap_count);
	policy.caps = caps;
	policy.suppressions = rules;
	policy.suppression_count = dice(3);
	for (size_t i = 0; i < policy.suppression_count; i++)
		rules[i] = (struct suppression){ .outcome = any_outcome(),
			.count = 1 + (int)dice(3),
			.within_ms = dice(2) == 0 ? 10 : 10 * H_MS,
			.for_ms = dice(2) == 0 ? 100 : 24 * H_MS,
			.scope = (enum contact_scope)dice(SCOPE_PLACEMENT + 1) };
}

static void
assert_clause(const char *clause, const char *wanted, uint32_t round)
{
	if ((clause == NULL) != (wanted == NULL) || (clause != NULL && strcmp(clause, wanted) != 0))
		fail_msg("round %u: %s, expected %s", round, clause != NULL ? clause : "none",
		    wanted != NULL ? wanted : "none");
}

/* Slot by slot: who has passed is asked again for each winner, and the next wins of those that pass. */
static void
decide_by_hand(uint32_t round)
{
	struct candidate candidates[ACTIONS];
	struct trial trials[ACTIONS];
	struct decision decision = { .candidates = candidates, .candidate_count = ACTIONS };
	struct run run = { .arena = arena,
		.input = &input,
		.policy = &policy,
		.visit = &visit,
		.sources = &input.sources,
		.now_ms = NOW,
		.decision = &decision,
		.trials = trials,
		.contact = contact_index_make(arena, &contacts) };
	bool passes[ACTIONS];

	by_hand_winner_count = 0;
	for (size_t i = 0; i < ACTIONS; i++) {
		candidates[i] = (struct candidate){ .action = &actions[i] };
		trials[i] = (struct trial){ .own = -1 };
	}
	for (size_t i = 0; i < ACTIONS; i++) {
		const char *clause = contact_gate(&run, i, PLACE_TABLET, false);

		assert_clause(clause, clause_by_hand(&actions[i]), round);
		passes[i] = clause == NULL;
	}
	for (size_t w = 0; w < WINNERS; w++) {
		size_t won = 0;

		while (won < ACTIONS && !passes[won])
			won++;
		if (won == ACTIONS)
			return;
		passes[won] = false;
		trials[won].chosen = true;
		run.winners[run.winner_count++] =
		    (struct winner){ .candidate = (int)won, .placement = PLACE_TABLET };
		run.fresh++;
		by_hand_winners[by_hand_winner_count++] = won;
		for (size_t i = 0; i < ACTIONS; i++) {
			const char *clause;

			if (!passes[i])
				continue;
			clause = contact_gate(&run, i, PLACE_TABLET, true);
			assert_clause(clause, clause_by_hand(&actions[i]), round);
			passes[i] = clause == NULL;
		}
		for (size_t i = 0; i < ACTIONS; i++) /* those of the next placement */
			if (!trials[i].chosen)
				assert_clause(contact_gate(&run, i, PLACE_TABLET, false),
				    clause_by_hand(&actions[i]), round);
	}
}

static void
caps_and_suppressions_are_what_counting_by_hand_gives(void **state)
{
	static const struct action some[ACTIONS] = {
		{ .id = "promotion-coffee", .group = "hot", .issue = "grow" },
		{ .id = "promotion-tea", .group = "hot", .issue = "keep" },
		{ .id = "bread", .group = "baked", .issue = "grow" },
		{ .id = "cake", .group = "baked", .issue = "" },
	};
	struct zone *utc = zone_new("UTC0");
	struct purchase purchases[2] = { { .at_ms = NOW - 40 * H_MS },
		{ .at_ms = NOW - 20 * H_MS } };
	struct cap own[ACTIONS][2], caps[2];
	struct suppression rules[2];
	struct card card = { .placement = PLACE_TABLET };

	(void)state;
	memcpy(actions, some, sizeof(actions));
	for (size_t i = 0; i < ACTIONS; i++) {
		actions[i].keys[BY_ACTION] = text_prefix(actions[i].id);
		actions[i].keys[BY_GROUP] = text_prefix(actions[i].group);
		actions[i].keys[BY_ISSUE] = text_prefix(actions[i].issue);
	}
	input.sources.zone = utc;
	subject.purchases = purchases;
	subject.purchase_count = 2;
	for (uint32_t round = 0; round < 20000; round++) {
		any_policy(own, caps, rules);
		any_rows();
		decide_by_hand(round);
		by_hand_winner_count = 0;
		by_hand_taking = true;
		card.prompt = id_of((uint8_t)(1 + dice(6)));
		by_hand_own = &card.prompt;
		for (size_t i = 0; i < ACTIONS; i++)
			assert_clause(contact_take_check(arena, &input, &actions[i], &card),
			    clause_by_hand(&actions[i]), round);
		by_hand_own = NULL;
		by_hand_taking = false;
		arena_reset(arena);
	}
	zone_free(utc);
}

/* Rows are looked for by the first letters of what they are about: whatever those are, none is overlooked. */
static void
no_name_is_overlooked(void **state)
{
	static struct cap caps[1];
	static const enum contact_scope scopes[] = { SCOPE_SELF, SCOPE_GROUP, SCOPE_ISSUE };

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(scopes); k++) {
		caps[0] = (struct cap){
			.scope = scopes[k], .outcome = OUTCOME_SHOWN, .max = 1, .within_ms = D_MS
		};
		cap(caps);
		for (int i = 0; i < 700; i++) {
			char name[16];
			struct action action = { .id = name, .group = name, .issue = name };

			snprintf(name, sizeof(name), "%03d-name", i);
			contacts = (struct contacts){ 0 };
			row(OUTCOME_DECIDED, H_MS, &action, 1);
			if (contact_check(arena, &input, &action, PLACE_TABLET) == NULL)
				fail_msg("scope %zu, %s", k, name);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(no_rows_are_zero),
		T(no_name_is_overlooked),
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
		T(what_was_taken_counts_once_until_it_is_taken_back),
		T(rows_before_a_card_was_decided_are_not_of_it),
		T(a_placement_that_a_row_cannot_have_is_none),
		T(a_day_and_a_moment_are_two_business_days),
		T(a_gap_that_is_no_number_of_days_lets_every_row_count),
		T(caps_and_suppressions_are_what_counting_by_hand_gives),
#undef T
	};

	return cmocka_run_group_tests_name("contact_policy", tests, NULL, NULL);
}
