/* SPDX-License-Identifier: Apache-2.0
 *
 * test_door.c - the one door: whatever is answered, in any order, by whom and over which wire, no token is given
 * for an action that did not pass, but for the gates that a manager may pass over, which are on record.
 *
 * Each action of the policy is closed by one gate that the test knows of itself: always, or as the basket, the stop
 * list, the budget and what was taken have it. STEPS=100000 runs longer, SEED=N begins elsewhere.
 */
#include "random_fixture.h"
#include "spine_story.h"

enum wall { OPEN, SOFT, HARD, BASKET, STACK, UNITS };
static const struct {
	const char *id;
	enum wall wall;
	const char *gate;  /* soft: as the record names it */
	const char *patch; /* members beside the offer's */
	const char *offer; /* members of the offer beside its depth */
} actions[] = {
	{ "free1", OPEN, NULL, "", "" },
	{ "free2", OPEN, NULL, "", "" },
	{ "vip", SOFT, "eligibility", ",'eligible':false", "" },
	{ "unknown", SOFT, "eligibility", ",'eligible':{'>':[{'var':'spent'},1]}", "" },
	{ "unapt", SOFT, "applicability", ",'applicable':{'<':[{'var':'total'},0]}", "" },
	{ "unfit", SOFT, "suitability", ",'suitable':false", "" },
	{ "capped", SOFT, "contact",
	    ",'caps':[{'per':'customer','outcome':'shown','max':0,'within':'1d'}]", "" },
	{ "poor", SOFT, "not-worth-it", ",'margin':10", "" },
	{ "past", HARD, NULL, ",'valid':{'until':'2020-01-01T00:00:00Z'}", "" },
	{ "away", HARD, NULL, ",'valid':{'stores':['9999']}", "" },
	{ "mine", HARD, NULL, ",'personal':true", "" },
	{ "floor", HARD, NULL, "", ",'margin_floor':161" },
	{ "large", BASKET, NULL, "", ",'min_basket':1000" },
	{ "stack1", STACK, NULL, "", ",'stack':'s'" },
	{ "stack2", STACK, NULL, "", ",'stack':'s'" },
	{ "two", UNITS, NULL, ",'budget':{'per':'campaign','units':2}", "" },
};
#define COUNT ARRAY_LEN(actions)

static bool stopped[COUNT];
static size_t answers, tokens_given, over_given, refused_given;

static size_t
index_of(const char *id)
{
	size_t i = 0;

	while (i < COUNT && strcmp(actions[i].id, id) != 0)
		i++;
	return i;
}

static void
a_walled_policy(void)
{
	assert_int_equal(manager_add(engine->store, "eve", "4711", now_ms), 0);
	a_policy("{}");
	an_action("advice", "{'margin':900}");
	for (size_t i = 0; i < COUNT; i++)
		an_action(actions[i].id,
		    arena_printf(texts,
			"{'kind':'offer','group':'%s','outcome':{'is':'redeemed','within':'0d'},"
			"'offer':{'type':'amount','depth':40,'max':40,'apply':'till-code','until':"
			"'0d'%s}%s}",
			actions[i].id, actions[i].offer, actions[i].patch));
	in_force();
}

/* ---- the model: what is closed for everybody, before the answer ---- */

struct before {
	bool closed[COUNT];
	size_t cards;
};

static int64_t
total_of(const struct visit *visit)
{
	int64_t total = 0;

	for (size_t i = 0; i < visit->line_count; i++)
		total += visit->lines[i].voided ? 0 : visit->lines[i].amount_minor;
	return total;
}

static bool
standing(const struct card *card)
{
	return card->answer == ANSWER_ACCEPT && !card->late &&
	    (card->state == CARD_ASKED || card->state == CARD_APPLIED ||
		card->state == CARD_ANSWERED);
}

/* replaced: the card that is answered. */
static struct before
look(const struct visit *visit, const struct card *replaced)
{
	struct before before = { .cards = visit->card_count };

	for (size_t i = 0; i < COUNT; i++) {
		bool *closed = &before.closed[i];

		*closed = stopped[i] || actions[i].wall == HARD || visit->state != VISIT_OPEN ||
		    (actions[i].wall == BASKET && total_of(visit) < 1000) ||
		    (actions[i].wall == UNITS && hold_today(engine, "two").all_units >= 2 &&
			strcmp(replaced->action, "two") != 0);
		for (size_t c = 0; c < visit->card_count; c++) {
			const struct card *card = &visit->cards[c];
			size_t other = index_of(card->action);

			if (other == i && card != replaced &&
			    (card->state == CARD_OPEN || card->answer == ANSWER_ACCEPT))
				*closed = true;
			if (other < COUNT && actions[i].wall == STACK &&
			    actions[other].wall == STACK && standing(card))
				*closed = true;
		}
	}
	return before;
}

/* ---- one answer ---- */

struct tap {
	char guidance[ID_TEXT_SIZE], prompt[ID_TEXT_SIZE];
	char action[16];     /* of the card */
	const char *instead; /* NULL: none */
	bool listed, approved, reasoned;
};

static bool
lists(const struct card *card, const char *action)
{
	return card->json != NULL &&
	    strstr(card->json, arena_printf(texts, "{\"action\":\"%s\",\"depth\"", action)) != NULL;
}

/* The record of the yes to a card, as who asks why sees it. */
static const char *
record_of(const struct card *card)
{
	char decision[ID_TEXT_SIZE], prompt[ID_TEXT_SIZE];
	const char *begin, *end;
	struct buf out = { 0 };

	id_text(&card->decision, decision);
	id_text(&card->prompt, prompt);
	assert_int_equal(query_decision(engine, decision, &out), 0);
	begin = strstr(out.data,
	    arena_printf(texts, "{\"prompt\":\"%s\",\"outcome\":\"accepted\"", prompt));
	assert_non_null(begin);
	end = strstr(begin + 1, "{\"prompt\"");
	begin = arena_printf(texts, "%.*s", end != NULL ? (int)(end - begin) : 2048, begin);
	buf_done(&out);
	return begin;
}

static void
check_grant(const struct visit *visit, const struct before *before, const struct tap *tap)
{
	for (size_t c = before->cards; c < visit->card_count; c++) {
		const struct card *card = &visit->cards[c];
		size_t i = index_of(card->action);
		const char *said_of;

		assert_true(i < COUNT && tap->instead != NULL);
		assert_string_equal(card->action, tap->instead);
		if (before->closed[i])
			fail_msg("%s was closed and was given instead of %s", card->action,
			    tap->action);
		if (!tap->listed && (!tap->approved || !tap->reasoned))
			fail_msg("%s was given on nobody's word", card->action);
		said_of = record_of(card);
		if (actions[i].wall == SOFT) {
			assert_false(tap->listed);
			if (strstr(said_of,
				arena_printf(texts, "\"over\":[\"%s\"]", actions[i].gate)) == NULL)
				fail_msg("%s: %s", card->action, said_of);
			over_given++;
		}
		if (!tap->listed && strstr(said_of, "\"manager\":") == NULL)
			fail_msg("%s: who gave it is not in %s", card->action, said_of);
		tokens_given++;
	}
}

/* An open one, more often than not. */
static struct card *
any_card(struct dice *dice, struct visit *visit)
{
	struct card *card = NULL;

	for (int tries = 0; tries < 8 && (card == NULL || card->state != CARD_OPEN); tries++)
		card = &visit->cards[dice_below(dice, visit->card_count)];
	return card;
}

static void
answer_something(struct dice *dice, struct visit *visit)
{
	static const char *const words[] = { "override", "override", "override", "accept",
		"dismiss", "snooze" };
	const char *decision = words[dice_below(dice, ARRAY_LEN(words))];
	size_t who = dice_below(dice, 24);
	struct card *card = any_card(dice, visit);
	struct tap tap = { .reasoned = dice_below(dice, 3) != 0 };
	bool over_http = dice_below(dice, 2) == 0, was_open = card->state == CARD_OPEN;
	struct before before = look(visit, card);
	struct id token_before = card->token, prompt = card->prompt;
	struct buf data = { 0 };

	if (strcmp(decision, "override") == 0 && dice_below(dice, 5) != 0)
		tap.instead =
		    dice_below(dice, 12) == 0 ? "nonsense" : actions[dice_below(dice, COUNT)].id;
	id_text(&card->guidance, tap.guidance);
	id_text(&card->prompt, tap.prompt);
	snprintf(tap.action, sizeof(tap.action), "%s", card->action);
	tap.listed = tap.instead != NULL && lists(card, tap.instead);
	tap.approved = who < 16;
	buf_addf(&data, "{'decision':'%s'", decision);
	if (tap.reasoned)
		buf_adds(&data, ",'reason':'other'");
	if (tap.instead != NULL)
		buf_addf(&data, ",'instead':{'action':'%s'%s}", tap.instead,
		    dice_below(dice, 3) == 0 ? ",'depth':40" : "");
	if (over_http) {
		if (who <= 16)
			buf_adds(&data, ",'manager':'eve'");
		buf_adds(&data, "}");
		(void)answer_prompt(tap.guidance, tap.prompt, data.data,
		    who < 16	    ? "4711"
			: who == 16 ? "1"
				    : NULL,
		    false);
	} else {
		buf_addf(&data, ",'guidance':'%s','prompt':'%s','tablet':'t2'", tap.guidance,
		    tap.prompt);
		if (who <= 16)
			buf_addf(&data, ",'approval':{'manager':'eve','pin':'%s'}",
			    who < 16 ? "4711" : "1");
		buf_adds(&data, "}");
		tell("tablet/t2/event", "guidance.decided", "%s", data.data);
	}
	buf_done(&data);
	answers++;
	card = visit_card(visit, &prompt);
	if (card != NULL && !id_equal(&card->token, &token_before)) {
		assert_true(was_open && strcmp(decision, "accept") == 0);
		tokens_given++;
	}
	if (visit->card_count == before.cards)
		refused_given += tap.instead != NULL;
	check_grant(visit, &before, &tap);
}

/* ---- any order ---- */

static void
move_a_stop(struct dice *dice)
{
	size_t i = dice_below(dice, COUNT);
	struct input input = { .kind = INPUT_STOP, .text = actions[i].id, .flag = !stopped[i] };

	if (input.flag && dice_below(dice, 4) != 0)
		return; /* most are lifted soon */
	turn(&input);
	stopped[i] = !stopped[i];
}

static void
no_answer_opens_what_is_closed(void **state)
{
	const char *given = getenv("SEED"), *steps_given = getenv("STEPS");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261129;
	int steps = steps_given != NULL ? atoi(steps_given) : 4000, basket = 0;
	struct dice dice = { .state = seed };
	char name[16] = "";

	print_message("seed %llu\n", (unsigned long long)seed);
	(void)state;
	memset(stopped, 0, sizeof(stopped));
	answers = tokens_given = over_given = refused_given = 0;
	a_walled_policy();
	for (int step = 0; step < steps; step++) {
		struct visit *visit = name[0] != '\0' ? visit_of(name) : NULL;
		unsigned face = (unsigned)dice_below(&dice, 16);

		/* What time frees by now is free before it is looked at. */
		wait_for(1 + (int64_t)dice_below(&dice, 900));
		if (visit == NULL || face == 0) {
			if (visit != NULL)
				close_basket(name, 1);
			snprintf(name, sizeof(name), "b%d", ++basket);
			open_basket(name);
		} else if (face <= 3 || visit->card_count == 0)
			scan(name, "c", 100 + (int)dice_below(&dice, 400));
		else if (face == 4)
			move_a_stop(&dice);
		else if (face == 5)
			tell("pos/7/event",
			    dice_below(&dice, 2) == 0 ? "basket.suspended" : "basket.resumed",
			    "{'basket':'%s'}", name);
		else
			answer_something(&dice, visit);
		if (step % 256 == 255) { /* PINs that were locked for wrong ones are open again */
			wait_for(2 * H_MS);
		}
	}
	print_message("%zu answers, %zu tokens, %zu past a gate, %zu refused\n", answers,
	    tokens_given, over_given, refused_given);
	assert_true(tokens_given > (size_t)steps / 100 && refused_given > (size_t)steps / 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { SPINE_TEST(no_answer_opens_what_is_closed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
