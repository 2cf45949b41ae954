/* SPDX-License-Identifier: Apache-2.0
 *
 * test_decide.c - score, draw, keep, withhold: policy and visit in, decision out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "decide/run.h"

#include "decide_scene.h"

static struct scene s;

static int
teardown(void **state)
{
	(void)state;
	scene_end(&s);
	return 0;
}

#define assert_fate(id, fate) assert_string_equal(fate_of(&s, id), fate)
#define EXPLORE(more) "{\"explore\":{\"unit\":100,\"cost_max\":2,\"shortlist\":8}" more "}"

/* ---- score ---- */

static void
gain_is_p1_times_margin_less_cost_less_p0_times_margin(void **state)
{
	const struct candidate *a;

	(void)state;
	scene_begin(&s, "{\"levers\":{\"issue:grow\":1.2,\"action:a\":2}}");
	add_action(&s, "a",
	    OFFER(",\"funded\":0.5,\"funder\":\"acme\"},\"propensity\":0.4,\"incremental\":0.3,"
		  "\"margin\":180,\"context\":1.5,\"lever\":3"));
	scene_decide(&s);
	a = candidate_of(&s, "a");
	assert_true(a->p1 == 0.4);
	assert_true(a->p0 == (1.0 - 0.3) * 0.4);
	assert_int_equal(a->worth_minor, 45);
	assert_true(a->cost == 22.5);
	assert_true(a->gain == 0.4 * (180.0 - 22.5) - (1.0 - 0.3) * 0.4 * 180.0);
	assert_true(a->context == 1.5);
	assert_true(a->lever == 3.0 * 2.0 * 1.2 || a->lever == 3.0 * 1.2 * 2.0);
	assert_true(a->priority == a->gain * a->context * a->lever);
}

static void
factors_may_be_rules_and_a_missing_one_is_missing(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":8}}}");
	add_action(&s, "a", "{\"margin\":{\"*\":[{\"var\":\"x\"},50]}}");
	add_action(&s, "b", "{\"margin\":{\"*\":[{\"var\":\"queue\"},50]}}");
	add_action(&s, "c", "{\"context\":{\"var\":\"queue\"}}");
	add_action(&s, "d", "{\"lever\":{\"/\":[1,{\"-\":[{\"var\":\"x\"},4]}]}}");
	scene_data(&s, "{\"x\":4}");
	scene_decide(&s);
	assert_true(candidate_of(&s, "a")->margin == 200);
	assert_fate("b", "missing");
	assert_string_equal(clause_of(&s, "b"), "margin");
	assert_fate("c", "missing");
	assert_string_equal(clause_of(&s, "c"), "context");
	assert_fate("d", "missing"); /* one divided by nothing is no lever */
	assert_string_equal(clause_of(&s, "d"), "lever");
}

static void
a_gain_of_nothing_is_not_worth_it(void **state)
{
	(void)state;
	scene_begin(&s, "{\"interrupt\":0}");
	add_action(&s, "a", "{\"margin\":0}");
	add_action(&s, "b", "{\"margin\":0.001}");
	scene_decide(&s);
	assert_fate("a", "not-worth-it");
	assert_string_equal(s.decision.candidates[0].clause, "gain");
	assert_fate("b", "offered");
}

static void
a_card_must_be_worth_more_than_the_interruption(void **state)
{
	(void)state;
	scene_begin(&s, "{\"interrupt\":50}");
	add_action(&s, "a", "{}"); /* 50: nothing wins ties */
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "nothing");
	assert_fate("a", "outranked");
	scene_end(&s);
	scene_begin(&s, "{\"interrupt\":{\"+\":[{\"var\":\"x\"},48]}}");
	add_action(&s, "a", "{}");
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "a");
	scene_data(&s, "{}"); /* missing: 3 */
	scene_decide(&s);
	assert_true(s.decision.slots[0].shortlist[1].priority == 3);
}

static void
of_a_ladder_the_depth_with_the_largest_gain_goes_on(void **state)
{
	static const char ladder[] =
	    "{" OFFER_MEMBERS
	    ",\"offer\":{\"type\":\"percent\",\"ladder\":[5,10,20],\"typical\":1000,\"max\":300,"
	    "\"apply\":\"till-code\"},\"margin\":500,\"incremental\":1,"
	    "\"propensity\":{\"if\":[{\"<\":[{\"var\":\"d\"},10]},0.1,{\"<\":[{\"var\":\"d\"},20]},"
	    "0.4,{\"var\":\"x\"}]}}";

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", ladder);
	scene_data(&s, "{\"x\":0.45}");
	scene_decide(&s); /* 45, 160, 135 */
	assert_int_equal(candidate_of(&s, "a")->depth, 10);
	assert_int_equal(candidate_of(&s, "a")->worth_minor, 100);
	assert_true(candidate_of(&s, "a")->p1 == 0.4);
	scene_data(&s, "{\"x\":0.9}");
	scene_decide(&s); /* 270 */
	assert_int_equal(candidate_of(&s, "a")->depth, 20);
	add_card(s.arena, &s.visit, "a", "g", 1)->depth = 5;
	scene_decide(&s); /* a shown depth stays */
	assert_int_equal(candidate_of(&s, "a")->depth, 5);
}

static void
of_equal_gains_the_smaller_depth_goes_on(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	/* 0.4 (500 - 100) = 160 = 0.5333… no: 0.5 (500 - 180) = 160 */
	add_action(&s, "a",
	    "{" OFFER_MEMBERS
	    ",\"offer\":{\"type\":\"amount\",\"ladder\":[100,180],\"apply\":\"lines\"},"
	    "\"margin\":500,\"incremental\":1,\"propensity\":{\"if\":[{\"==\":[{\"var\":\"d\"},100]"
	    "},0.4,0.5]}}");
	scene_decide(&s);
	assert_true(candidate_of(&s, "a")->gain == 160);
	assert_int_equal(candidate_of(&s, "a")->depth, 100);
}

static void
a_budget_that_bears_only_the_small_depth_leaves_it(void **state)
{
	struct budget_use use = { .action = "a" };

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    "{" OFFER_MEMBERS
	    ",\"offer\":{\"type\":\"amount\",\"ladder\":[100,180],\"apply\":\"lines\"},"
	    "\"margin\":500,\"incremental\":1,\"propensity\":{\"if\":[{\"==\":[{\"var\":\"d\"},100]"
	    "},0.4,0.9]},"
	    "\"budget\":{\"money\":1000,\"per\":\"store-day\"}}");
	s.input.store.uses = &use;
	s.input.store.use_count = 1;
	use.day_money_minor = 820;
	scene_decide(&s);
	assert_int_equal(candidate_of(&s, "a")->depth, 180);
	use.day_money_minor = 821;
	scene_decide(&s);
	assert_int_equal(candidate_of(&s, "a")->depth, 100);
	use.day_money_minor = 901;
	scene_decide(&s);
	assert_fate("a", "budget");
}

static void
a_margin_floor_is_kept_after_the_incentive(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":2}}}");
	add_action(&s, "a", OFFER(",\"margin_floor\":155}")); /* 200 - 45 */
	add_action(&s, "b", OFFER(",\"margin_floor\":156}"));
	scene_decide(&s);
	assert_fate("a", "offered");
	assert_fate("b", "not-worth-it");
	assert_string_equal(clause_of(&s, "b"), "offer.margin_floor");
}

static void
an_uplift_pair_gives_both_chances(void **state)
{
	const struct candidate *a;

	(void)state;
	scene_begin(&s, "{}");
	add_part(s.arena, &s.parts, "models/models.json",
	    "{\"models\":[{\"model\":\"with\",\"file\":\"with.linear.json\",\"inputs\":{\"x\":"
	    "\"x\"}},"
	    "{\"model\":\"without\",\"file\":\"without.linear.json\",\"inputs\":{\"x\":\"x\"}}]}");
	add_part(s.arena, &s.parts, "models/with.linear.json",
	    "{\"format\":\"aisle-linear\",\"link\":\"identity\",\"bias\":0.5,\"weights\":{\"x\":0."
	    "125}}");
	add_part(s.arena, &s.parts, "models/without.linear.json",
	    "{\"format\":\"aisle-linear\",\"link\":\"identity\",\"bias\":0.125,\"weights\":{\"x\":"
	    "0.125}}");
	add_action(&s, "a",
	    "{\"propensity\":null,\"incremental\":null,\"kind\":\"recommend\","
	    "\"uplift\":{\"treated\":\"with\",\"control\":\"without\"},"
	    "\"outcome\":{\"is\":\"bought\",\"within\":\"0d\",\"item\":{\"category\":\"x\"}}}");
	scene_decide(&s);
	a = candidate_of(&s, "a");
	assert_true(a->p1 == 0.625);
	assert_true(a->p0 == 0.25);
	assert_true(a->gain == 0.625 * 200 - 0.25 * 200);
	scene_data(&s, "{\"x\":100}"); /* 13 is no chance: 1 */
	scene_decide(&s);
	a = candidate_of(&s, "a");
	assert_true(a->p1 == 1 && a->p0 == 1);
	assert_fate("a", "not-worth-it");
}

/* ---- draw ---- */

/* More than are ranked at a time, many of them equal, and of each stack only one may stand. */
static void
a_long_shortlist_is_in_order_also_without_whom_a_winner_excludes(void **state)
{
	enum { ACTIONS = 54, LISTED = 36 };

	(void)state;
	scene_begin(&s,
	    "{\"explore\":{\"unit\":100,\"cost_max\":2,\"shortlist\":36},\"placements\":{"
	    "\"tablet\":{\"slots\":2}}}");
	for (int i = 0; i < ACTIONS; i++)
		add_action(&s, arena_printf(s.arena, "a%02d", i),
		    arena_printf(s.arena,
			"{" OFFER_MEMBERS ",\"margin\":%d,\"offer\":{\"type\":\"percent\","
			"\"depth\":10,\"typical\":450,\"max\":300,"
			"\"apply\":\"till-code\",\"until\":\"0d\",\"stack\":\"s%d\"}}",
			300 + i * 7 % 13, i % 3));
	scene_decide(&s);
	assert_int_equal(s.decision.slot_count, 2);
	for (size_t n = 0; n < 2; n++) {
		const struct slot *slot = &s.decision.slots[n];
		const char *taken = n == 0
		    ? ""
		    : s.decision.candidates[s.decision.slots[0].candidate].action->offer.stack;
		size_t at = 0;

		assert_int_equal(slot->shortlist_count, LISTED + 1);
		for (double priority = 1e9; at < LISTED;) {
			double next = 0;

			/* Of the largest priority below the last one all that may, in order of id. */
			for (size_t i = 0; i < ACTIONS; i++)
				if (s.decision.candidates[i].priority < priority &&
				    s.decision.candidates[i].priority > next)
					next = s.decision.candidates[i].priority;
			for (size_t i = 0; i < ACTIONS && at < LISTED; i++)
				if (!(s.decision.candidates[i].priority < next) &&
				    !(s.decision.candidates[i].priority > next) &&
				    strcmp(s.decision.candidates[i].action->offer.stack, taken) !=
					0)
					assert_int_equal(slot->shortlist[at++].candidate, i);
			priority = next;
		}
	}
}

/* In whatever order they come: none that belongs to the best is left out where the list is full. */
static void
the_best_of_many_are_the_best_in_whatever_order_they_come(void **state)
{
	enum { ACTIONS = 53, LISTED = 40 };
	static const int steps[] = { 1, 52, 7, 20, 31 };

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(steps); n++) {
		const struct slot *slot;

		if (n > 0)
			scene_end(&s);
		scene_begin(&s, "{\"explore\":{\"unit\":100,\"cost_max\":2,\"shortlist\":40}}");
		for (int i = 0; i < ACTIONS; i++)
			add_action(&s, arena_printf(s.arena, "a%02d", i),
			    arena_printf(s.arena, "{\"margin\":%d}",
				1000 + i * steps[n] % ACTIONS));
		scene_decide(&s);
		slot = &s.decision.slots[0];
		assert_int_equal(slot->shortlist_count, LISTED + 1);
		for (size_t i = 0; i < LISTED; i++)
			assert_true(s.decision.candidates[slot->shortlist[i].candidate].margin ==
			    1000 + ACTIONS - 1 - (double)i);
	}
}

static void
the_shortlist_is_the_best_by_priority_then_id_and_nothing(void **state)
{
	const struct slot *slot;

	(void)state;
	scene_begin(&s, "{\"explore\":{\"unit\":100,\"cost_max\":2,\"shortlist\":3}}");
	add_action(&s, "a", "{\"margin\":100}");
	add_action(&s, "b", "{\"margin\":300}");
	add_action(&s, "c", "{\"margin\":300}");
	add_action(&s, "d", "{\"margin\":200}");
	add_action(&s, "e", "{\"margin\":8}");
	scene_decide(&s);
	slot = &s.decision.slots[0];
	assert_int_equal(slot->shortlist_count, 4);
	assert_string_equal(s.decision.candidates[slot->shortlist[0].candidate].action->id, "b");
	assert_string_equal(s.decision.candidates[slot->shortlist[1].candidate].action->id, "c");
	assert_string_equal(s.decision.candidates[slot->shortlist[2].candidate].action->id, "d");
	assert_int_equal(slot->shortlist[3].candidate, NOTHING);
	assert_true(slot->shortlist[3].priority == 3);
	assert_true(slot->shortlist[2].p ==
	    1.0 / (4.0 + 3.0 * 100 / 2 * (75.0 / 100 - 50.0 / 100)));
	assert_fate("a", "outranked");
	assert_fate("e", "outranked");
	assert_int_equal(s.decision.fates[FATE_OFFERED] + s.decision.fates[FATE_NOT_DRAWN], 3);
}

static void
below_nothing_a_card_is_shown_only_by_exploration(void **state)
{
	int shown = 0;

	(void)state;
	scene_begin(&s, EXPLORE(",\"interrupt\":5"));
	add_action(&s, "a", "{\"margin\":16}"); /* 4 */
	for (uint32_t i = 0; i < 2000; i++) {
		memcpy(&s.visit.id.b[8], &i, sizeof(i));
		scene_decide(&s);
		assert_int_equal(s.decision.slots[0].shortlist[0].candidate, NOTHING);
		shown += s.decision.slots[0].candidate != NOTHING;
		arena_reset(s.arena);
		s.visit.basket = arena_strdup(s.arena, "B1");
	}
	/* p = 1 / (2 + 50 × 0.01) = 0.4, four standard errors */
	assert_in_range(shown, 800 - 88, 800 + 88);
}

/* Each factor is a number; what they make is none that could be weighed. */
static void
a_priority_that_leaves_the_doubles_is_missing_and_the_others_have_a_chance(void **state)
{
	const struct slot *slot;

	(void)state;
	scene_begin(&s, EXPLORE(",\"interrupt\":{\"+\":[1e305,0]}"));
	add_action(&s, "a", "{\"margin\":{\"+\":[1e308,0]},\"context\":1000000,\"lever\":0}");
	add_action(&s, "b", "{\"margin\":{\"+\":[1e308,0]},\"context\":1000000}");
	add_action(&s, "c", "{\"margin\":{\"+\":[1e301,0]}}");
	add_action(&s, "d", "{\"margin\":100}");
	scene_decide(&s);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(s.decision.candidates[i].fate, FATE_MISSING);
		assert_string_equal(s.decision.candidates[i].clause, "priority");
	}
	slot = &s.decision.slots[0];
	assert_int_equal(slot->shortlist_count, 2);
	assert_true(slot->shortlist[1].priority == 3);
	for (size_t i = 0; i < slot->shortlist_count; i++)
		assert_true(slot->shortlist[i].p > 0 && slot->shortlist[i].p < 1);
	assert_true(slot->has_p && slot->p_log > 0);
}

/* Up to a bound that is none of them. */
static void
a_priority_and_the_interruption_are_weighed_up_to_their_bound(void **state)
{
	static const struct {
		const char *margin;
		enum fate fate;
		const char *clause;
	} margins[] = {
		{ "9.9e299", FATE_OFFERED, NULL },
		{ "1e300", FATE_MISSING, "priority" },
		{ "-9.9e299", FATE_NOT_WORTH_IT, "gain" },
		{ "-1e300", FATE_MISSING, "priority" },
	};
	static const struct {
		const char *interrupt;
		double worth;
	} prices[] = { { "9.9e299", 9.9e299 }, { "1e300", INTERRUPT_DEFAULT },
		{ "1e308", INTERRUPT_DEFAULT }, { "-9.9e299", -9.9e299 },
		{ "-1e300", INTERRUPT_DEFAULT } };
	char policy[64];

	for (size_t i = 0; i < ARRAY_LEN(margins); i++) {
		if (i > 0)
			teardown(state);
		scene_begin(&s, "{}");
		add_action(&s, "a",
		    arena_printf(s.arena,
			"{\"propensity\":1,\"incremental\":1,\"margin\":{\"+\":[%s,0]}}",
			margins[i].margin));
		scene_decide(&s);
		assert_int_equal(s.decision.candidates[0].fate, margins[i].fate);
		if (margins[i].clause != NULL)
			assert_string_equal(s.decision.candidates[0].clause, margins[i].clause);
	}
	for (size_t i = 0; i < ARRAY_LEN(prices); i++) {
		const struct slot *slot;

		teardown(state);
		snprintf(policy, sizeof(policy), "{\"interrupt\":{\"+\":[%s,0]}}",
		    prices[i].interrupt);
		scene_begin(&s, policy);
		add_action(&s, "a", "{}");
		scene_decide(&s);
		slot = &s.decision.slots[0];
		for (size_t k = 0; k < slot->shortlist_count; k++)
			if (slot->shortlist[k].candidate == NOTHING)
				assert_true(slot->shortlist[k].priority == prices[i].worth);
	}
}

/* What does not fit on the tablet may fit on the receipt: the smaller price, whose saving has a figure more. */
static void
a_depth_that_fits_in_a_later_placement_alone_is_scored_there(void **state)
{
	(void)state;
	scene_begin(&s,
	    "{\"placements\":{\"tablet\":{\"slots\":1,\"headline_max\":5},\"receipt\":{\"slots\":1,"
	    "\"headline_max\":6}},\"interrupt\":300}");
	add_action(&s, "a",
	    "{" OFFER_MEMBERS ",\"placements\":[\"tablet\",\"receipt\"],"
	    "\"propensity\":{\"if\":[{\"==\":[{\"var\":\"d\"},100]},0.9,0.3]},\"incremental\":1,"
	    "\"margin\":5000,\"offer\":{\"type\":\"fixed-price\",\"ladder\":[100,1900],"
	    "\"typical\":2000,\"max\":2000,\"funded\":1,\"funder\":\"x\",\"apply\":\"till-code\","
	    "\"until\":\"0d\"},\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\","
	    "\"headline\":\"{{worth|money}}\"}]}");
	add_action(&s, "b", "{\"margin\":90000}");
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "b | a");
	assert_int_equal(candidate_of(&s, "a")->depth, 100);
	assert_int_equal(candidate_of(&s, "a")->worth_minor, 1900);
	assert_true(candidate_of(&s, "a")->p1 == 0.9);
}

static void
the_draw_of_a_visit_does_not_change_from_line_to_line(void **state)
{
	char *first;

	(void)state;
	scene_begin(&s, EXPLORE(",\"placements\":{\"tablet\":{\"slots\":2}}"));
	add_action(&s, "a", "{\"margin\":24}");
	add_action(&s, "b", "{\"margin\":23}");
	add_action(&s, "c", "{\"margin\":22}");
	scene_decide(&s);
	first = arena_strdup(s.arena, slots_of(&s));
	for (int64_t i = 1; i <= 50; i++) {
		s.input.sources.now_ms = NOW + i;
		s.input.decision = id_of((uint8_t)i);
		add_line(s.arena, &s.visit, "x", 1000, 100);
		scene_decide(&s);
		assert_string_equal(slots_of(&s), first);
	}
}

static void
the_second_slot_is_drawn_without_the_winner_and_its_marginal_is_exact(void **state)
{
	enum { VISITS = 20000 };
	int second[3] = { 0 };
	double marginal[3] = { -1, -1, -1 };

	(void)state;
	scene_begin(&s, EXPLORE(",\"placements\":{\"tablet\":{\"slots\":2}},\"interrupt\":1"));
	add_action(&s, "a", OFFER(",\"stack\":\"s\"},\"margin\":110,\"lever\":1")); /* 5 */
	add_action(&s, "b", OFFER(",\"stack\":\"s\"},\"margin\":108"));		    /* 4.5 */
	add_action(&s, "c", "{\"margin\":16}");					    /* 4 */
	for (uint32_t i = 0; i < VISITS; i++) {
		memcpy(&s.visit.id.b[8], &i, sizeof(i));
		scene_decide(&s);
		assert_false(s.decision.slots[0].has_marginal);
		if (s.decision.slot_count == 2) {
			const struct slot *slot = &s.decision.slots[1];

			assert_true(slot->has_marginal);
			assert_true(slot->shortlist_count <= 3);
			if (slot->candidate != NOTHING) {
				second[slot->candidate]++;
				/* the same whoever won the first slot */
				if (marginal[slot->candidate] >= 0)
					assert_true(marginal[slot->candidate] == slot->p_marginal);
				marginal[slot->candidate] = slot->p_marginal;
			}
		}
		arena_reset(s.arena);
		s.visit.basket = arena_strdup(s.arena, "B1");
	}
	for (int i = 0; i < 3; i++) {
		double expected = marginal[i] * VISITS, off = second[i] - expected;

		assert_true(off * off <= 16 * expected * (1 - marginal[i]));
	}
}

static void
two_slots_cannot_pass_a_cap_of_one_together(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":2}}}");
	add_part(s.arena, &s.parts, "contact.json",
	    "{\"caps\":[{\"per\":\"customer\",\"scope\":\"all\",\"outcome\":\"shown\",\"max\":1,"
	    "\"within\":\"1d\"}]}");
	add_action(&s, "a", "{}");
	add_action(&s, "b", "{}");
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "a nothing");
	assert_fate("b", "contact");
	/* The next line: a is open, its own row does not count against it, but it does against b. */
	add_card(s.arena, &s.visit, "a", "g", 5);
	add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - 1000, "a", "g", "grow", 5);
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "a nothing");
	assert_int_equal(s.decision.slots[0].card, 0);
	assert_fate("b", "contact");
}

static void
mandatory_actions_fill_the_slots_first_in_order_of_id(void **state)
{
	static const char must[] =
	    "{\"kind\":\"alert\",\"mandatory\":true,\"propensity\":null,\"incremental\":null,"
	    "\"margin\":null,\"outcome\":null}";

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":2}}}");
	add_action(&s, "a", "{\"margin\":100000}");
	add_action(&s, "z2", must);
	add_action(&s, "z1", must);
	add_action(&s, "z3", must);
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "z1 z2");
	assert_fate("a", "outranked");
	assert_fate("z3", "outranked");
}

static void
an_action_is_shown_in_at_most_one_slot(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":2},\"receipt\":{\"slots\":1}}}");
	add_action(&s, "a", "{\"placements\":[\"tablet\",\"receipt\"]}");
	add_action(&s, "b", "{\"placements\":[\"receipt\"]}");
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "a nothing | b");
}

/* ---- keep ---- */

static void
an_accepted_card_keeps_its_slot_and_teaches_nothing(void **state)
{
	struct card *card;

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":2}}}");
	add_action(&s, "a", "{\"eligible\":{\"==\":[{\"var\":\"x\"},99]}}"); /* not gated again */
	add_action(&s, "b", "{}");
	card = add_card(s.arena, &s.visit, "a", "g", 1);
	card->state = CARD_APPLIED;
	card->answer = ANSWER_ACCEPT;
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "kept a b");
	assert_true(s.decision.slots[0].kept && !s.decision.slots[0].has_p);
	assert_int_equal(s.decision.slots[0].card, 0);
	assert_int_equal(s.decision.slots[1].slot, 2);
	card->late = true;
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "b nothing");
}

static void
a_card_that_is_kept_keeps_its_treatment(void **state)
{
	static const char *const names[] = { "t", "u", "v" };
	struct card *card;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    "{\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"A\"},"
	    "{\"treatment\":\"u\",\"language\":\"en\",\"headline\":\"B\"},{\"treatment\":\"v\","
	    "\"language\":\"de\",\"headline\":\"C\"}]}");
	card = add_card(s.arena, &s.visit, "a", "g", 1);
	card->state = CARD_APPLIED;
	card->answer = ANSWER_ACCEPT;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		card->treatment = arena_strdup(s.arena, names[i]);
		scene_decide(&s);
		assert_true(s.decision.slots[0].kept);
		assert_string_equal(s.decision.slots[0].treatment->name, names[i]);
	}
	card->treatment = arena_strdup(s.arena, "of an older policy");
	scene_decide(&s);
	assert_null(s.decision.slots[0].treatment);
}

static void
an_open_card_stays_until_a_better_one_wins(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{}");
	add_action(&s, "b", "{\"margin\":{\"*\":[{\"var\":\"x\"},100]}}");
	add_card(s.arena, &s.visit, "a", "g", 1)->slot = 1;
	scene_data(&s, "{\"x\":1}");
	scene_decide(&s);
	assert_int_equal(s.decision.slots[0].card, 0);
	assert_true(s.decision.slots[0].has_p);
	scene_data(&s, "{\"x\":3}");
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "b");
	assert_int_equal(s.decision.slots[0].card, -1);
}

/* ---- words and withholding ---- */

static void
a_treatment_is_drawn_evenly_and_stays_for_the_visit(void **state)
{
	int first = 0;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    "{\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"A\"},"
	    "{\"treatment\":\"u\",\"language\":\"en\",\"headline\":\"B\"},{\"treatment\":\"v\","
	    "\"language\":\"de\",\"headline\":\"C\"}]}");
	for (uint32_t i = 0; i < 2000; i++) {
		const struct treatment *drawn;

		memcpy(&s.visit.id.b[8], &i, sizeof(i));
		scene_decide(&s);
		drawn = s.decision.slots[0].treatment;
		assert_true(s.decision.slots[0].treatment_p == 0.5);
		first += strcmp(drawn->name, "t") == 0;
		scene_decide(&s);
		assert_ptr_equal(drawn, s.decision.slots[0].treatment);
		arena_reset(s.arena);
		s.visit.basket = arena_strdup(s.arena, "B1");
	}
	assert_in_range(first, 1000 - 90, 1000 + 90);
}

static void
control_gets_the_same_decision_and_some_kinds_withheld(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":3}}}");
	add_action(&s, "a", OFFER("}"));
	add_action(&s, "s", "{}");
	add_action(&s, "m",
	    "{\"kind\":\"alert\",\"mandatory\":true,\"propensity\":null,\"incremental\":null,"
	    "\"margin\":null,\"outcome\":null}");
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "m s a");
	assert_null(s.decision.withheld);
	assert_fate("a", "offered");
	s.input.arm_withholds = true;
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "m s a");
	assert_string_equal(s.decision.withheld, "arm");
	assert_fate("a", "withheld");
	assert_fate("s", "offered");
	assert_fate("m", "offered");
	s.input.control = true;
	scene_decide(&s);
	assert_string_equal(s.decision.withheld, "control");
}

static void
each_withholdable_kind_is_withheld_and_no_other(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":8}}}");
	add_action(&s, "inform", "{\"kind\":\"inform\"}");
	add_action(&s, "recommend",
	    "{\"kind\":\"recommend\",\"outcome\":{\"is\":\"bought\",\"within\":\"0d\",\"item\":{"
	    "\"category\":\"x\"}}}");
	add_action(&s, "remind",
	    "{\"kind\":\"remind\",\"outcome\":{\"is\":\"bought\",\"within\":\"0d\",\"item\":{"
	    "\"category\":\"x\"}}}");
	add_action(&s, "coach",
	    "{\"kind\":\"coach\",\"outcome\":{\"is\":\"goal\",\"within\":\"7d\"}}");
	add_action(&s, "retain",
	    "{\"kind\":\"retain\",\"outcome\":{\"is\":\"redeemed\",\"within\":\"0d\"},"
	    "\"offer\":{\"type\":\"amount\",\"depth\":10,\"apply\":\"till-code\"}}");
	s.input.control = true;
	scene_decide(&s);
	assert_fate("inform", "offered");
	assert_fate("recommend", "withheld");
	assert_fate("remind", "withheld");
	assert_fate("coach", "withheld");
	assert_fate("retain", "withheld");
}

/* ---- whatever comes ---- */

static uint32_t seed = 1;

static unsigned
dice(unsigned sides)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % sides;
}

static void
check_shortlist(const struct slot *slot)
{
	double sum = 0;
	bool nothing = false;

	for (size_t i = 0; i < slot->shortlist_count; i++) {
		assert_true(slot->shortlist[i].p > 0 && slot->shortlist[i].p <= 1);
		sum += slot->shortlist[i].p;
		nothing = nothing || slot->shortlist[i].candidate == NOTHING;
		if (i > 0)
			assert_true(slot->shortlist[i - 1].priority >= slot->shortlist[i].priority);
	}
	assert_true(nothing);
	assert_true(sum > 1 - 1e-12 && sum < 1 + 1e-12);
}

static void
check_invariants(void)
{
	const struct decision *d = &s.decision;
	unsigned fates = 0, chosen = 0;

	for (int f = 0; f < FATE_COUNT; f++)
		fates += d->fates[f];
	assert_int_equal(fates, d->candidate_count);
	for (size_t i = 0; i < d->slot_count; i++) {
		const struct slot *slot = &d->slots[i];

		if (slot->kept) {
			assert_false(slot->has_p);
			continue;
		}
		if (slot->shortlist_count > 0)
			check_shortlist(slot);
		if (slot->has_marginal)
			assert_true(slot->p_marginal > 0 && slot->p_marginal <= 1);
		if (slot->candidate == NOTHING) {
			assert_true(i + 1 == d->slot_count ||
			    d->slots[i + 1].placement != slot->placement);
			continue;
		}
		chosen++;
		assert_true(d->candidates[slot->candidate].fate <= FATE_WITHHELD);
		assert_non_null(slot->treatment);
		for (size_t j = i + 1; j < d->slot_count; j++) {
			const struct action *a = d->candidates[slot->candidate].action, *b;

			assert_true(d->slots[j].candidate != slot->candidate);
			if (d->slots[j].kept || d->slots[j].candidate == NOTHING)
				continue;
			b = d->candidates[d->slots[j].candidate].action;
			if (a->has_offer && b->has_offer && a->offer.stack != NULL &&
			    b->offer.stack != NULL)
				assert_string_not_equal(a->offer.stack, b->offer.stack);
		}
	}
	assert_int_equal(chosen, d->fates[FATE_OFFERED] + d->fates[FATE_WITHHELD]);
}

/* 3,000 visits of random actions, cards and rows: what must hold always holds. */
static void
the_invariants_hold_for_any_visit(void **state)
{
	(void)state;
	scene_begin(&s,
	    EXPLORE(",\"quiet\":{\"tender\":true},\"placements\":{\"tablet\":{\"slots\":3},"
		    "\"receipt\":{\"slots\":2},\"later\":{\"slots\":1}}"));
	add_part(s.arena, &s.parts, "contact.json",
	    "{\"caps\":[{\"per\":\"customer\",\"scope\":\"all\",\"outcome\":\"shown\",\"max\":4,"
	    "\"within\":\"1d\"}],"
	    "\"suppress\":[{\"after\":{\"outcome\":\"dismissed\",\"count\":2,\"within\":\"1d\"},"
	    "\"scope\":\"group\",\"for\":\"1d\"}]}");
	for (unsigned i = 0; i < 24; i++) {
		const char *places = dice(3) == 0 ? "[\"tablet\",\"receipt\"]"
		    : dice(3) == 0		  ? "[\"later\"]"
						  : "[\"tablet\"]";
		char *id = arena_printf(s.arena, "a%02u", i);

		if (dice(8) == 0)
			add_action(&s, id,
			    "{\"kind\":\"alert\",\"mandatory\":true,\"propensity\":null,"
			    "\"incremental\":null,"
			    "\"margin\":null,\"outcome\":null,\"eligible\":{\"==\":[{\"var\":\"x\"}"
			    ",3]}}");
		else if (dice(2) == 0)
			add_action(&s, id,
			    arena_printf(s.arena,
				OFFER(",\"stack\":\"s%u\"},\"margin\":%u,\"placements\":%s"),
				dice(4), 100 + dice(60), places));
		else
			add_action(&s, id,
			    arena_printf(s.arena,
				"{\"group\":\"g%u\",\"margin\":%u,\"placements\":%s}", dice(3),
				dice(60), places));
	}
	for (uint32_t round = 0; round < 3000; round++) {
		s.visit.cards = NULL;
		s.visit.card_count = 0;
		s.contacts = (struct contacts){ 0 };
		s.visit.state = (enum visit_state)dice(6);
		memcpy(&s.visit.id.b[8], &round, sizeof(round));
		for (unsigned c = dice(4); c > 0; c--) {
			struct card *card = add_card(s.arena, &s.visit,
			    arena_printf(s.arena, "a%02u", dice(24)), "g", (uint8_t)c);

			card->state = (enum card_state)dice(6);
			card->answer = card->state == CARD_OPEN ? ANSWER_NONE
								: (enum card_answer)(1 + dice(4));
			card->slot = 1 + (int)dice(3);
			add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - 10 - c, card->action,
			    "g", "grow", (uint8_t)c);
		}
		scene_data(&s, dice(9) == 0 ? "{\"x\":3}" : "{\"x\":1}");
		s.input.control = dice(5) == 0;
		s.input.known = dice(5) != 0;
		s.input.contact_consent = dice(3) != 0;
		scene_decide(&s);
		check_invariants();
		arena_reset(s.arena);
		s.visit.basket = arena_strdup(s.arena, "B1");
	}
}

/* ---- the edges ---- */

static void
no_candidate_gives_a_decision_without_slots(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{}");
	s.event.type = EV_BASKET_OPENED;
	scene_decide(&s);
	assert_int_equal(s.decision.candidate_count, 0);
	assert_int_equal(s.decision.slot_count, 0);
}

static void
a_timer_starts_only_the_actions_that_name_it(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"on\":[\"timer\"]}");
	add_action(&s, "b", "{}");
	s.input.sources.event = NULL;
	scene_decide(&s);
	assert_int_equal(s.decision.candidate_count, 1);
	assert_fate("a", "offered");
	s.input.sources.event = &s.event; /* of a type that nobody knows */
	s.event.type = EV_NONE;
	scene_decide(&s);
	assert_int_equal(s.decision.candidate_count, 0);
}

static void
yes_is_one_and_no_is_nothing_where_a_number_is_asked_for(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"margin\":{\"==\":[{\"var\":\"x\"},1]}}");
	add_action(&s, "b", "{\"margin\":{\"==\":[{\"var\":\"x\"},2]}}");
	scene_decide(&s);
	assert_true(candidate_of(&s, "a")->margin == 1);
	assert_true(candidate_of(&s, "b")->margin == 0);
}

/* ---- which slot ---- */

#define MANDATORY \
	"{\"kind\":\"alert\",\"mandatory\":true,\"propensity\":null,\"incremental\":null," \
	"\"margin\":null,\"outcome\":null}"

static struct card *
kept_in(const char *action, int slot)
{
	struct card *card = add_card(s.arena, &s.visit, action, "g", (uint8_t)(s.visit.card_count));

	card->state = CARD_ASKED;
	card->answer = ANSWER_ACCEPT;
	card->slot = slot;
	return card;
}

static void
of_cards_that_call_a_slot_theirs_the_later_one_moves_on(void **state)
{
	static const int wanted[] = { 1, 1, 0, 9, 8, -1 }, got[] = { 1, 2, 3, 4, 5, 8 };

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":3}}}");
	add_action(&s, "a", "{}");
	kept_in("old", 2);
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "a kept old nothing");
	for (int i = 0; i < 3; i++)
		assert_int_equal(s.decision.slots[i].slot, i + 1);
	s.visit.card_count = 0;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		kept_in("old", wanted[i]);
	scene_decide(&s);
	assert_int_equal(s.decision.slot_count, ARRAY_LEN(got));
	for (size_t i = 0; i < ARRAY_LEN(got); i++) {
		assert_int_equal(s.decision.slots[i].slot, got[i]);
		assert_int_equal(s.decision.slots[i].candidate, NOTHING);
	}
	/* Its action is known where the event names it. */
	s.visit.card_count = 0;
	add_action(&s, "b", "{}");
	kept_in("a", 1);
	scene_decide(&s);
	assert_int_equal(s.decision.slots[0].candidate, 0);
	assert_int_equal(s.decision.slots[0].card, 0);
}

static void
however_many_cards_are_kept_a_mandatory_one_stands_behind_them(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":8}}}");
	for (int i = 0; i < 9; i++)
		add_action(&s, arena_printf(s.arena, "m%d", i), MANDATORY);
	for (int i = 0; i < 25; i++)
		kept_in("old", 1);
	scene_decide(&s);
	assert_int_equal(s.decision.slot_count, 25 + 8);
	for (int i = 0; i < 33; i++)
		assert_int_equal(s.decision.slots[i].slot,
		    i < 20	     ? i + 1
			: i < 20 + 5 ? 20 /* no more numbers for those */
				     : i - 25 + 21);
	assert_fate("m7", "offered");
	assert_fate("m8", "outranked");
}

static void
a_mandatory_card_without_room_leaves_its_place_to_none(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":3}}}");
	for (int i = 1; i <= 3; i++)
		add_action(&s, arena_printf(s.arena, "m%d", i), MANDATORY);
	add_card(s.arena, &s.visit, "m3", "g", 200);
	for (int i = 1; i < VISIT_CARDS_LIVE_MAX - 1; i++)
		add_card(s.arena, &s.visit, "old", "g", (uint8_t)i);
	scene_decide(&s);
	/* One place is left, and m3 has its own. */
	assert_string_equal(slots_of(&s), "m1 m3 nothing");
	assert_fate("m1", "offered");
	assert_fate("m2", "no-room");
	assert_fate("m3", "offered");
	assert_int_equal(s.decision.slots[1].slot, 2);
	assert_int_equal(s.decision.slots[1].card, 0);
	assert_true(s.decision.slots[1].has_p && s.decision.slots[1].p_log == 1.0);
}

static void
an_action_without_a_placement_of_the_policy_has_no_lane(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{}");
	add_action(&s, "b", "{}");
	scene_decide(&s);
	/* The compiler refuses it; should one come through all the same, it is shown nowhere. */
	s.policy->actions[0].placements = 1u << PLACE_RECEIPT;
	scene_decide(&s);
	assert_fate("a", "lane");
	assert_string_equal(candidate_of(&s, "a")->clause, "placement");
	assert_fate("b", "offered");
	assert_null(candidate_of(&s, "b")->clause);
	assert_int_equal(s.decision.fates[FATE_LANE], 1);
	assert_int_equal(s.decision.fates[FATE_OFFERED], 1);
}

static void
what_is_kept_stands_before_nothing_and_nothing_ends_the_draws(void **state)
{
	(void)state;
	scene_begin(&s, "{\"interrupt\":1000,\"placements\":{\"tablet\":{\"slots\":3}}}");
	add_action(&s, "a", "{}");
	add_action(&s, "m", MANDATORY);
	kept_in("old", 3);
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "m kept old nothing");
	assert_int_equal(s.decision.slots[0].slot, 1);
	assert_int_equal(s.decision.slots[1].slot, 3);
	assert_int_equal(s.decision.slots[2].slot, 2);
}

static void
a_fate_is_the_furthest_that_it_came_to_in_any_placement(void **state)
{
	static const struct {
		enum visit_state state;
		const char *slots;
	} cases[] = {
		{ VISIT_WAITING, "tab | nothing" }, /* outranked on the tablet, then no receipt */
		{ VISIT_CLOSED, "nothing | rec" },  /* no tablet, then outranked on the receipt */
	};

	(void)state;
	scene_begin(&s, "{\"placements\":{\"receipt\":{\"slots\":1}}}");
	add_action(&s, "both", "{\"placements\":[\"tablet\",\"receipt\"]}");
	add_action(&s, "tab", "{\"margin\":300}");
	add_action(&s, "rec", "{\"margin\":300,\"placements\":[\"receipt\"]}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		s.visit.state = cases[i].state;
		scene_decide(&s);
		assert_string_equal(slots_of(&s), cases[i].slots);
		assert_fate("both", "outranked");
		assert_string_equal(clause_of(&s, "both"), "");
	}
	assert_fate("tab", "lane");
	assert_string_equal(clause_of(&s, "tab"), "lane.state");
	/* An open card of the tablet that wins the receipt is a new card there. */
	s.visit.state = VISIT_CLOSED;
	add_card(s.arena, &s.visit, "rec", "g", 1);
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "nothing | rec");
	assert_int_equal(s.decision.slots[1].card, -1);
	s.visit.cards[0].placement = PLACE_RECEIPT;
	scene_decide(&s);
	assert_int_equal(s.decision.slots[1].card, 0);
}

static void
a_winner_that_was_open_is_in_the_rows_and_one_that_is_new_is_not(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":4}}}");
	add_part(s.arena, &s.parts, "contact.json",
	    "{\"caps\":[{\"per\":\"customer\",\"scope\":\"all\",\"outcome\":\"shown\",\"max\":3,"
	    "\"within\":\"1d\"}]}");
	add_action(&s, "a", "{\"margin\":500}");
	add_action(&s, "b", "{\"margin\":400}");
	add_action(&s, "c", "{\"margin\":300}");
	add_action(&s, "d", "{\"margin\":200}");
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "a b c nothing");
	assert_false(s.decision.slots[0].has_marginal);
	assert_true(s.decision.slots[1].has_marginal);
	assert_true(s.decision.slots[1].p_marginal == 1);
	assert_false(s.decision.slots[2].has_marginal);
	assert_fate("d", "contact");
	for (uint8_t i = 0; i < 3; i++) { /* each of them open in turn */
		const char *open = i == 0 ? "a" : i == 1 ? "b" : "c";

		s.visit.card_count = 0;
		s.contacts.count = 0;
		add_card(s.arena, &s.visit, open, "g", 5);
		add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - 1000, open, "g", "grow", 5);
		scene_decide(&s);
		assert_string_equal(slots_of(&s), "a b c nothing");
		assert_fate("d", "contact");
	}
}

/* The chance of the second slot, from what each winner of the first leaves: seen in visits where it won. */
static void
the_marginal_is_the_sum_over_every_first_winner(void **state)
{
	enum { VISITS = 400, ALL = 5 };
	double second[ALL][ALL] = { { 0 } };
	bool known[ALL] = { false };
	int checked = 0;

	(void)state;
	scene_begin(&s, EXPLORE(",\"placements\":{\"tablet\":{\"slots\":3}},\"interrupt\":1"));
	add_part(s.arena, &s.parts, "contact.json",
	    "{\"caps\":[{\"per\":\"customer\",\"scope\":\"all\",\"outcome\":\"shown\",\"max\":2,"
	    "\"within\":\"1d\"}]}");
	add_action(&s, "a", "{\"margin\":20}");
	add_action(&s, "b", OFFER(",\"stack\":\"s\"},\"margin\":110"));
	add_action(&s, "c", OFFER(",\"stack\":\"s\"},\"margin\":108"));
	add_action(&s, "d", "{\"margin\":14}");
	scene_decide(&s);
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < VISITS; i++) {
			const struct slot *slots;
			double sum = 0;

			arena_reset(s.arena);
			s.visit.basket = arena_strdup(s.arena, "B1");
			s.visit.cards = NULL;
			s.visit.card_count = 0;
			s.contacts = (struct contacts){ 0 };
			add_card(s.arena, &s.visit, "a", "g", 5);
			add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - 1000, "a", "g", "grow",
			    5);
			memcpy(&s.visit.id.b[8], &i, sizeof(i));
			scene_decide(&s);
			slots = s.decision.slots;
			if (s.decision.slot_count < 2 || slots[0].candidate == NOTHING)
				continue;
			known[slots[0].candidate] = true;
			for (size_t k = 0; k < slots[1].shortlist_count; k++)
				second[slots[0].candidate][1 + slots[1].shortlist[k].candidate] =
				    slots[1].shortlist[k].p;
			if (pass == 0)
				continue;
			for (size_t k = 0; k < slots[0].shortlist_count; k++) {
				int first = slots[0].shortlist[k].candidate;

				if (first == NOTHING || first == slots[1].candidate)
					continue;
				assert_true(known[first]);
				sum +=
				    slots[0].shortlist[k].p * second[first][1 + slots[1].candidate];
			}
			assert_true(slots[1].p_marginal > sum - 1e-12 &&
			    slots[1].p_marginal < sum + 1e-12);
			checked++;
			/* Beside a, which is open, and one that is new there is no place for another. */
			if (s.decision.slot_count == 3)
				assert_int_equal(slots[2].candidate, NOTHING);
		}
	}
	assert_true(checked > VISITS / 2);
}

/* ---- who is a candidate ---- */

static void
candidates_are_in_order_of_action_each_once(void **state)
{
	static const char *const ids[] = { "a", "b", "c", "d", "e", "f" };
	static const char *const open[] = { "d", "b", "c", "f", "gone", "b" };
	static const int own[] = { -1, 1, 2, 0, -1, 3 };

	(void)state;
	scene_begin(&s, "{}");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		add_action(&s, ids[i], i % 2 == 0 ? "{}" : "{\"on\":[\"aisle.basket.opened\"]}");
	for (size_t i = 0; i < ARRAY_LEN(open); i++)
		add_card(s.arena, &s.visit, open[i], "g", (uint8_t)(i + 1))->placement =
		    PLACE_TABLET;
	scene_decide(&s);
	assert_int_equal(s.decision.candidate_count, ARRAY_LEN(ids));
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		assert_string_equal(s.decision.candidates[i].action->id, ids[i]);
	/* Each wins alone: with its own card, of two of one action the first. */
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		const char *const stopped_all[] = { "a", "b", "c", "d", "e", "f" };
		const char *stopped[ARRAY_LEN(ids)];
		size_t count = 0;

		for (size_t k = 0; k < ARRAY_LEN(ids); k++)
			if (k != i)
				stopped[count++] = stopped_all[k];
		s.input.store.stopped = stopped;
		s.input.store.stopped_count = count;
		scene_decide(&s);
		assert_string_equal(slots_of(&s), ids[i]);
		assert_int_equal(s.decision.slots[0].card, own[i]);
	}
}

static void
a_card_that_comes_back_is_the_only_one_that_is_looked_at_beside_open_ones(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":3}}}");
	add_action(&s, "a", "{\"on\":[\"timer\"]}");
	add_action(&s, "b", "{}");
	add_action(&s, "c", "{}");
	scene_decide(&s);
	s.input.sources.event = NULL;
	s.input.returns = &s.policy->actions[1];
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "b nothing");
	assert_int_equal(s.decision.candidate_count, 1);
	add_card(s.arena, &s.visit, "c", "g", 1);
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "b c nothing");
	s.input.returns = &s.policy->actions[0];
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "a c nothing");
}

static void
who_works_here_gets_only_what_is_mandatory_anywhere(void **state)
{
	(void)state;
	scene_begin(&s,
	    "{\"placements\":{\"tablet\":{\"slots\":2},\"receipt\":{\"slots\":1},"
	    "\"later\":{\"slots\":1}}}");
	add_action(&s, "a", "{}");
	add_action(&s, "l", "{\"placements\":[\"later\"]}");
	add_action(&s, "m", MANDATORY);
	add_action(&s, "r", "{\"placements\":[\"receipt\"]}");
	s.input.staff = true;
	scene_decide(&s);
	assert_string_equal(s.decision.cause, "staff");
	assert_string_equal(slots_of(&s), "m");
	assert_fate("a", "lane");
	assert_fate("l", "lane");
	assert_fate("r", "lane");
	assert_string_equal(clause_of(&s, "r"), "staff");
}

static void
each_of_two_quiet_causes_is_said_and_paying_comes_first(void **state)
{
	(void)state;
	scene_begin(&s, "{\"quiet\":{\"tender\":true,\"queue_over\":0}}");
	add_action(&s, "a", "{}");
	s.input.sources.queue = 1; /* nobody has counted it */
	scene_decide(&s);
	assert_null(s.decision.cause);
	s.input.sources.has_queue = true;
	scene_decide(&s);
	assert_string_equal(s.decision.cause, "quiet-queue");
	s.visit.state = VISIT_TENDER;
	scene_decide(&s);
	assert_string_equal(s.decision.cause, "quiet-tender");
	s.visit.state = VISIT_OPEN;
	s.input.sources.queue = 0;
	scene_decide(&s);
	assert_null(s.decision.cause);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
		T(gain_is_p1_times_margin_less_cost_less_p0_times_margin),
		T(factors_may_be_rules_and_a_missing_one_is_missing),
		T(a_gain_of_nothing_is_not_worth_it),
		T(a_card_must_be_worth_more_than_the_interruption),
		T(of_a_ladder_the_depth_with_the_largest_gain_goes_on),
		T(of_equal_gains_the_smaller_depth_goes_on),
		T(a_budget_that_bears_only_the_small_depth_leaves_it),
		T(a_margin_floor_is_kept_after_the_incentive),
		T(an_uplift_pair_gives_both_chances),
		T(the_best_of_many_are_the_best_in_whatever_order_they_come),
		T(the_shortlist_is_the_best_by_priority_then_id_and_nothing),
		T(a_long_shortlist_is_in_order_also_without_whom_a_winner_excludes),
		T(below_nothing_a_card_is_shown_only_by_exploration),
		T(a_priority_that_leaves_the_doubles_is_missing_and_the_others_have_a_chance),
		T(a_priority_and_the_interruption_are_weighed_up_to_their_bound),
		T(a_depth_that_fits_in_a_later_placement_alone_is_scored_there),
		T(the_draw_of_a_visit_does_not_change_from_line_to_line),
		T(the_second_slot_is_drawn_without_the_winner_and_its_marginal_is_exact),
		T(two_slots_cannot_pass_a_cap_of_one_together),
		T(mandatory_actions_fill_the_slots_first_in_order_of_id),
		T(an_action_is_shown_in_at_most_one_slot),
		T(an_accepted_card_keeps_its_slot_and_teaches_nothing),
		T(a_card_that_is_kept_keeps_its_treatment),
		T(an_open_card_stays_until_a_better_one_wins),
		T(a_treatment_is_drawn_evenly_and_stays_for_the_visit),
		T(control_gets_the_same_decision_and_some_kinds_withheld),
		T(each_withholdable_kind_is_withheld_and_no_other),
		T(the_invariants_hold_for_any_visit),
		T(no_candidate_gives_a_decision_without_slots),
		T(a_timer_starts_only_the_actions_that_name_it),
		T(yes_is_one_and_no_is_nothing_where_a_number_is_asked_for),
		T(of_cards_that_call_a_slot_theirs_the_later_one_moves_on),
		T(however_many_cards_are_kept_a_mandatory_one_stands_behind_them),
		T(a_mandatory_card_without_room_leaves_its_place_to_none),
		T(an_action_without_a_placement_of_the_policy_has_no_lane),
		T(what_is_kept_stands_before_nothing_and_nothing_ends_the_draws),
		T(a_fate_is_the_furthest_that_it_came_to_in_any_placement),
		T(a_winner_that_was_open_is_in_the_rows_and_one_that_is_new_is_not),
		T(the_marginal_is_the_sum_over_every_first_winner),
		T(candidates_are_in_order_of_action_each_once),
		T(a_card_that_comes_back_is_the_only_one_that_is_looked_at_beside_open_ones),
		T(who_works_here_gets_only_what_is_mandatory_anywhere),
		T(each_of_two_quiet_causes_is_said_and_paying_comes_first),
#undef T
	};

	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
