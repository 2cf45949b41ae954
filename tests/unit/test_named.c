/* SPDX-License-Identifier: Apache-2.0
 *
 * test_named.c - an action that a person names, at each gate: for whom it is closed, and what is said of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "decide/run.h"

#include "decide_scene.h"

static struct scene s;
static struct card *replaced;
static const char *stop_list[] = { "a" };
static struct budget_use all_used = { .action = "a", .all_units = 1 };

static int
teardown(void **state)
{
	(void)state;
	scene_end(&s);
	return 0;
}

static void
stop(void)
{
	s.input.store.stopped = stop_list;
	s.input.store.stopped_count = 1;
}

static void
be_unknown(void)
{
	s.input.known = false;
}

static void
show_later_without_consent(void)
{
	replaced->placement = PLACE_LATER;
	s.input.contact_consent = false;
}

static void
complain(void)
{
	s.subject.cases[0].severity = 2;
	s.subject.case_count = 1;
}

static void
use_all(void)
{
	s.input.store.uses = &all_used;
	s.input.store.use_count = 1;
}

static void
be_in_control(void)
{
	s.input.control = true;
}

static void
pay(void)
{
	s.visit.state = VISIT_TENDER;
}

static void
suspend(void)
{
	s.visit.state = VISIT_SUSPENDED;
}

static void
take_another_of_its_stack(void)
{
	struct card *card = add_card(s.arena, &s.visit, "b", "g", 2);

	card->answer = ANSWER_ACCEPT;
	card->state = CARD_ANSWERED;
}

static void
answer(enum card_answer answer)
{
	struct card *card = add_card(s.arena, &s.visit, "a", "g", 2);

	card->answer = answer;
	card->state = CARD_GONE;
}

static void
accept_it(void)
{
	answer(ANSWER_ACCEPT);
}

static void
dismiss_it(void)
{
	answer(ANSWER_DISMISS);
}

static void
override_it(void)
{
	answer(ANSWER_OVERRIDE);
}

static void
have_it_open(void)
{
	add_card(s.arena, &s.visit, "a", "g", 2);
}

static void
fill_the_visit(void)
{
	for (uint8_t i = 1; i < VISIT_CARDS_LIVE_MAX - VISIT_CARDS_RESERVED; i++)
		add_card(s.arena, &s.visit, "b", "g", (uint8_t)(1 + i));
}

/* Who gets it all the same, where one gate is closed. */
enum who { NOBODY, A_MANAGER, AN_ASSOCIATE = 2, BOTH = 3 };
static const struct gate_case {
	const char *gate, *clause; /* as the record and as why-not name them; "": none */
	const char *patch;	   /* of the action a */
	void (*before)(void);
	enum who may;
	bool not_asked; /* of what nobody is there yet to answer */
} cases[] = {
	{ "stopped", "stop", "{}", stop, NOBODY, false },
	{ "validity", "valid.from", "{\"valid\":{\"from\":\"2030-01-01T00:00:00Z\"}}", NULL, NOBODY,
	    false },
	{ "consent", "personalise", "{\"personal\":true}", be_unknown, NOBODY, false },
	{ "consent", "contact", "{\"placements\":[\"later\",\"tablet\"]}",
	    show_later_without_consent, NOBODY, true },
	{ "care", "care", OFFER("}"), complain, NOBODY, false },
	{ "eligibility", "{\"==\":[{\"var\":\"x\"},2]}",
	    "{\"eligible\":{\"==\":[{\"var\":\"x\"},2]}}", NULL, A_MANAGER, false },
	{ "applicability", "{\"==\":[{\"var\":\"x\"},2]}",
	    "{\"applicable\":{\"==\":[{\"var\":\"x\"},2]}}", NULL, A_MANAGER, false },
	{ "suitability", "{\"==\":[{\"var\":\"x\"},2]}",
	    "{\"suitable\":{\"==\":[{\"var\":\"x\"},2]}}", NULL, A_MANAGER, false },
	{ "missing", "{\"==\":[{\"var\":\"word\"},\"y\"]}",
	    "{\"eligible\":{\"==\":[{\"var\":\"word\"},\"y\"]}}", NULL, BOTH, false },
	{ "applicability", "offer.min_basket", OFFER(",\"min_basket\":1}"), NULL, NOBODY, false },
	{ "no-treatment", "",
	    "{\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":"
	    "\"{{word}}\"}]}",
	    NULL, NOBODY, false },
	{ "contact", "visit: accepted", "{}", accept_it, NOBODY, false },
	{ "contact", "visit: dismissed", "{}", dismiss_it, A_MANAGER, false },
	{ "contact", "visit: overridden", "{}", override_it, A_MANAGER, false },
	{ "contact", "visit: open", "{}", have_it_open, NOBODY, false },
	{ "budget", "budget.units", OFFER("},\"budget\":{\"per\":\"campaign\",\"units\":1}"),
	    use_all, NOBODY, false },
	{ "stacking", "s", OFFER(",\"stack\":\"s\"}"), take_another_of_its_stack, NOBODY, false },
	{ "lane", "lane.state", "{}", pay, NOBODY, true },
	{ "lane", "lane.state", "{}", suspend, NOBODY, false },
	{ "lane", "placement", "{\"placements\":[\"receipt\"]}", NULL, NOBODY, true },
	{ "no-room", "", "{}", fill_the_visit, NOBODY, false },
	{ "withheld", "control", OFFER("}"), be_in_control, NOBODY, false },
	{ "not-worth-it", "gain", "{\"margin\":0}", NULL, A_MANAGER, true /* see below */ },
	{ "missing", "margin", "{\"margin\":{\"var\":\"likely_to_call\"}}", NULL, BOTH, false },
};

static void
set_the_scene(const struct gate_case *c)
{
	scene_begin(&s,
	    "{\"care\":{\"severity\":2},\"placements\":{"
	    "\"later\":{\"slots\":1,\"headline_max\":40},\"receipt\":{\"slots\":1,\"headline_max\":"
	    "40}}}");
	add_action(&s, "a", c->patch);
	add_action(&s, "b", OFFER(",\"stack\":\"s\"}"));
	replaced = add_card(s.arena, &s.visit, "other", "g", 1);
	if (c->before != NULL)
		c->before();
	replaced = &s.visit.cards[0];
	scene_decide(&s);
}

static struct door
name_it(enum door_way way, struct decision *decision)
{
	struct door door = { .way = way,
		.action = policy_action(s.policy, "a"),
		.replaces = way == DOOR_ASKED ? NULL : replaced,
		.place = PLACE_TABLET };

	decide_named(s.arena, &s.input, &door, decision);
	return door;
}

/* A gate that cannot be asked is one of these two. */
static enum fate
gate_of(const struct gate_case *c)
{
	int gate = 0;

	while (strcmp(fate_names[gate], c->gate) != 0)
		gate++;
	return gate != FATE_MISSING	       ? (enum fate)gate
	    : strcmp(c->clause, "margin") == 0 ? FATE_NOT_WORTH_IT
					       : FATE_ELIGIBILITY;
}

#define same_text(a, b) (strcmp((a) != NULL ? (a) : "", b) == 0)

static void
check_whose(const struct gate_case *c, enum door_way way, bool may)
{
	struct decision decision;
	struct door door = name_it(way, &decision);
	const struct candidate *candidate = &decision.candidates[0];
	unsigned over = way == DOOR_MANAGER ? 1u << gate_of(c) : 0;

	if (may) {
		if (candidate->fate != FATE_OFFERED || candidate->clause != NULL ||
		    decision.slot_count != 1 || door.over != over)
			fail_msg("%s, way %d: %s, over %x", c->clause, way,
			    fate_names[candidate->fate], door.over);
	} else if (strcmp(fate_names[candidate->fate], c->gate) != 0 ||
	    !same_text(candidate->clause, c->clause) || decision.slot_count != 0) {
		fail_msg("%s, way %d: %s %s", c->clause, way, fate_names[candidate->fate],
		    candidate->clause);
	}
}

static void
each_gate_is_closed_for_those_who_may_not_pass_over_it(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (i > 0)
			teardown(state);
		set_the_scene(&cases[i]);
		check_whose(&cases[i], DOOR_MANAGER, (cases[i].may & A_MANAGER) != 0);
		check_whose(&cases[i], DOOR_LISTED, (cases[i].may & AN_ASSOCIATE) != 0);
	}
}

static void
who_asks_is_told_the_one_gate_that_is_closed(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct gate_case *c = &cases[i];
		struct decision decision;
		struct door door;

		if (i > 0)
			teardown(state);
		set_the_scene(c);
		if (c->not_asked)
			continue;
		door = name_it(DOOR_ASKED, &decision);
		if (door.closed_count != 1 ||
		    strcmp(fate_names[door.closed[0].gate], c->gate) != 0 ||
		    !same_text(door.closed[0].clause, c->clause))
			fail_msg("%s: %zu, %s %s", c->clause, door.closed_count,
			    fate_names[door.closed[0].gate], door.closed[0].clause);
		assert_int_equal(decision.slot_count, 0);
		assert_int_equal(door.over, 0);
	}
}

static void
what_was_passed_over_before_is_forgotten_when_it_is_asked_again(void **state)
{
	struct decision decision;
	struct door door;

	(void)state;
	set_the_scene(&(struct gate_case){ .patch = "{\"margin\":0}" });
	door = name_it(DOOR_MANAGER, &decision);
	assert_int_equal(door.over, 1u << FATE_NOT_WORTH_IT);
	door.action = policy_action(s.policy, "b");
	decide_named(s.arena, &s.input, &door, &decision);
	assert_int_equal(door.over, 1u << FATE_NOT_DRAWN);
	door.way = DOOR_ASKED;
	door.action = policy_action(s.policy, "a");
	for (int times = 0; times < 2; times++) {
		decide_named(s.arena, &s.input, &door, &decision);
		assert_int_equal(door.closed_count, 2);
		assert_int_equal(door.closed[0].gate, FATE_NOT_WORTH_IT);
		assert_string_equal(door.closed[0].clause, "gain");
		assert_int_equal(door.closed[1].gate, FATE_OUTRANKED);
		assert_int_equal(door.over, 0);
	}
}

static void
what_is_not_worth_an_interruption_is_told_to_who_asks(void **state)
{
	static const struct {
		const char *interrupt, *patch;
		bool told;
	} prices[] = {
		{ "{\"interrupt\":49}", "{}", false },
		{ "{\"interrupt\":50}", "{}", true }, /* what is worth as much is not worth more */
		{ "{\"interrupt\":50}", "{\"mandatory\":true,\"kind\":\"alert\"}", false },
		{ "{\"interrupt\":50}", "{\"margin\":{\"var\":\"likely_to_call\"}}", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(prices); i++) {
		struct decision decision;
		struct door door;
		bool told = false;

		if (i > 0)
			teardown(state);
		scene_begin(&s, prices[i].interrupt);
		add_action(&s, "a", prices[i].patch);
		scene_decide(&s);
		door = name_it(DOOR_ASKED, &decision);
		for (size_t g = 0; g < door.closed_count; g++)
			told = told || door.closed[g].gate == FATE_OUTRANKED;
		if (told != prices[i].told)
			fail_msg("case %zu", i);
	}
}

/* With the words of its own depth, in the place of the card that it is chosen instead of. */
static void
the_depth_that_is_named_is_the_one_that_is_given(void **state)
{
	static const struct {
		int64_t named;
		enum fate fate;
		int64_t depth, worth_minor;
	} depths[] = {
		{ 0, FATE_OFFERED, 10, 45 }, /* the best of them */
		{ 5, FATE_OFFERED, 5, 23 },
		{ 10, FATE_OFFERED, 10, 45 },
		{ 20, FATE_OFFERED, 20, 90 },
		{ 7, FATE_APPLICABILITY, 0, 0 },
		{ 21, FATE_APPLICABILITY, 0, 0 },
	};

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    "{" OFFER_MEMBERS ",\"treatments\":[{\"treatment\":\"five\",\"language\":\"en\","
	    "\"headline\":\"Of forty letters this is the figure: {{d}}!!\"},{\"treatment\":"
	    "\"other\",\"language\":\"en\",\"headline\":\"Any\"}],"
	    "\"propensity\":{\"+\":[0.4,{\"if\":[{\"==\":[{\"var\":\"d\"},10]},0.3,0]}]},"
	    "\"offer\":{\"type\":\"percent\",\"ladder\":[5,10,20],\"typical\":450,\"max\":300,"
	    "\"apply\":\"till-code\",\"until\":\"0d\"}}");
	replaced = add_card(s.arena, &s.visit, "other", "g", 1);
	replaced->slot = 3;
	scene_decide(&s);
	for (size_t n = 0; n < 2 * ARRAY_LEN(depths); n++) {
		size_t i = n / 2;
		struct decision decision;
		struct door door = { .way = n % 2 == 0 ? DOOR_LISTED : DOOR_MANAGER,
			.action = policy_action(s.policy, "a"),
			.depth = depths[i].named,
			.replaces = replaced };

		decide_named(s.arena, &s.input, &door, &decision);
		assert_int_equal(decision.candidates[0].fate, depths[i].fate);
		if (depths[i].fate != FATE_OFFERED) {
			assert_string_equal(decision.candidates[0].clause, "offer.depth");
			continue;
		}
		assert_int_equal(decision.candidates[0].depth, depths[i].depth);
		assert_int_equal(decision.candidates[0].worth_minor, depths[i].worth_minor);
		assert_string_equal(decision.slots[0].treatment->name,
		    depths[i].depth == 5 ? "five" : "other");
		assert_int_equal(decision.slots[0].slot, 3);
		assert_int_equal(decision.slots[0].placement, PLACE_TABLET);
		assert_true(decision.slots[0].by_person && decision.slots[0].card < 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
		T(each_gate_is_closed_for_those_who_may_not_pass_over_it),
		T(who_asks_is_told_the_one_gate_that_is_closed),
		T(what_was_passed_over_before_is_forgotten_when_it_is_asked_again),
		T(what_is_not_worth_an_interruption_is_told_to_who_asks),
		T(the_depth_that_is_named_is_the_one_that_is_given),
#undef T
	};

	return cmocka_run_group_tests_name("named", tests, NULL, NULL);
}
