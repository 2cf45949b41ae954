/* SPDX-License-Identifier: Apache-2.0
 *
 * test_places.c - the places for cards in a visit: a long basket is served to its end, and what is
 * on record as offered was shown.
 */
#include "core/metrics.h"
#include "spine_rig.h"

#define SCANS 200
#define RECALL_AT 150
#define TWO_SLOTS "{\"tablet\":{\"slots\":2,\"headline_max\":40}}"
#define ADVICE \
	",\"kind\":\"recommend\",\"propensity\":0.5,\"incremental\":1,\"margin\":100," \
	"\"gate\":\"associate\",\"expires\":\"5s\","

static int
set_up(void **state)
{
	(void)state;
	rig_open(NULL);
	rig_part("features.json",
	    "{\"features\":[{\"name\":\"sku\",\"type\":\"string\",\"from\":\"event.sku\"},"
	    "{\"name\":\"recalled\",\"type\":\"number\",\"from\":\"basket.qty(category=recall)\"}]"
	    "}");
	rig_part("contact.json", "{\"caps\":[],\"suppress\":[]}");
	rig_policy_begin(TWO_SLOTS, "");
	rig_action("recall",
	    ",\"kind\":\"alert\",\"mandatory\":true,\"applicable\":{\">\":[{\"var\":\"recalled\"},"
	    "0]},"
	    "\"gate\":\"none\",\"expires\":\"10m\"");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_close();
	return 0;
}

static struct visit *
open_basket(void)
{
	assert_int_equal(rig_send("pos/7/event", "basket.opened",
			     "{\"basket\":\"b\",\"terminal\":\"7\"}"),
	    0);
	return sessions_by_basket(rig.engine->sessions, "b");
}

static void
scan(int line, const char *category)
{
	rig.now_ms += 6 * S_MS;
	assert_int_equal(rig_send("pos/7/event", "basket.item-added",
			     "{\"basket\":\"b\",\"line\":%d,\"sku\":\"s%d\",\"category\":\"%s\","
			     "\"qty\":1,\"amount\":100,\"currency\":\"EUR\"}",
			     line, line, category),
	    0);
}

/* Every slot that the record gives to an action is an open card of the visit, and none else is. */
static size_t
offered_and_shown(const struct visit *visit)
{
	const json_t *slot;
	size_t i, offered = 0, open = 0;

	json_array_foreach(json_object_get(rig.record, "slots"), i, slot) {
		const char *prompt = json_string_value(json_object_get(slot, "prompt"));
		const struct card *card;
		struct id id;

		if (prompt == NULL)
			continue;
		assert_true(id_parse(prompt, &id));
		card = visit_card((struct visit *)(uintptr_t)visit, &id);
		assert_non_null(card);
		assert_int_equal(card->state, CARD_OPEN);
		offered++;
	}
	for (i = 0; i < visit->card_count; i++)
		open += visit->cards[i].state == CARD_OPEN;
	assert_int_equal(open, offered);
	return offered;
}

static void
serve(void)
{
	struct visit *visit = open_basket();

	for (int i = 1; i <= SCANS; i++) {
		scan(i, i == RECALL_AT ? "recall" : "x");
		if (i < RECALL_AT)
			assert_int_equal(offered_and_shown(visit), 2);
		else
			assert_true(offered_and_shown(visit) > 0);
		assert_true(rig_sent(OUTPUT_GUIDANCE) > 0);
		if (i >= RECALL_AT) {
			assert_string_equal(rig_fate("recall"), "offered");
			assert_non_null(rig_prompt("recall"));
		}
		assert_true(visit->card_count <= VISIT_CARDS_MAX);
	}
}

static void
the_same_pair_at_each_of_200_scans_is_shown_each_time_and_the_recall_on_the_150th(void **state)
{
	const struct visit *visit;

	(void)state;
	rig_action("milk",
	    ADVICE "\"outcome\":{\"is\":\"bought\",\"within\":\"0d\","
		   "\"item\":{\"category\":\"m\"}}");
	rig_action("bread",
	    ADVICE "\"outcome\":{\"is\":\"bought\",\"within\":\"0d\","
		   "\"item\":{\"brand\":\"b\"}}");
	rig_policy_set();
	serve();
	visit = sessions_by_basket(rig.engine->sessions, "b");
	assert_true(visit->card_count <= 66);
}

static int64_t
bought(void)
{
	return rig.engine->today.outcomes[OUTCOME_BOUGHT];
}

/* Cards of one goal have left by the close; those that have earned something are still there. */
static void
what_a_card_of_long_ago_has_earned_is_credited_at_the_close(void **state)
{
	(void)state;
	rig_action("milk",
	    ADVICE "\"outcome\":{\"is\":\"bought\",\"within\":\"0d\","
		   "\"item\":{\"category\":\"m\"}}");
	rig_policy_set();
	open_basket();
	for (int i = 1; i <= SCANS; i++)
		scan(i, i % 50 == 10 ? "m" : "x"); /* lines 10, 60, 110 and 160 */
	/* Voided: the card before line 60 earned nothing in the end. */
	assert_int_equal(rig_send("pos/7/event", "basket.item-voided",
			     "{\"basket\":\"b\",\"line\":60}"),
	    0);
	assert_int_equal(bought(), 0);
	assert_int_equal(rig_send("pos/7/event", "basket.closed",
			     "{\"basket\":\"b\",\"total\":20000,\"currency\":\"EUR\"}"),
	    0);
	assert_int_equal(bought(), 3);
}

static int
answer(const char *prompt, const struct id *guidance, const char *decision)
{
	char text[ID_TEXT_SIZE];
	struct input input = { .kind = INPUT_ANSWER,
		.now_ms = rig.now_ms,
		.text = "t1",
		.guidance = text,
		.prompt = prompt };

	id_text(guidance, text);
	input.answer = json_pack("{s:s}", "decision", decision);
	assert_int_equal(turn_run(rig.engine, &input, 1), 0);
	json_decref(input.answer);
	return input.result.status;
}

static void
what_was_dismissed_at_the_first_scan_is_not_asked_again_at_the_200th(void **state)
{
	char prompt[ID_TEXT_SIZE];
	const struct visit *visit;
	struct id guidance;

	(void)state;
	rig_action("milk",
	    ADVICE "\"outcome\":{\"is\":\"bought\",\"within\":\"0d\","
		   "\"item\":{\"category\":\"m\"}}");
	rig_action("bread",
	    ADVICE "\"outcome\":{\"is\":\"bought\",\"within\":\"0d\","
		   "\"item\":{\"brand\":\"b\"}}");
	rig_policy_set();
	visit = open_basket();
	scan(1, "x");
	guidance = visit->guidance;
	assert_int_equal(answer(rig_prompt("milk"), &guidance, "dismiss"), 200);
	snprintf(prompt, sizeof(prompt), "%s", rig_prompt("bread"));
	for (int i = 2; i <= SCANS; i++) {
		scan(i, "x");
		assert_string_equal(rig_fate("milk"), "contact");
		assert_string_equal(rig_fate("bread"), "offered");
	}
	/* The first card for bread has left the visit: it was there, and it is too late for it. */
	assert_int_equal(answer(prompt, &guidance, "accept"), 410);
	assert_int_equal(answer(rig_prompt("bread"), &visit->guidance, "accept"), 200);
}

static void
pairs_with_goals_of_their_own(int scans)
{
	for (int i = 1; i <= scans; i++) {
		for (int j = 0; j < 2; j++) {
			char id[16];

			snprintf(id, sizeof(id), "a%d-%d", i, j);
			rig_action(id,
			    ADVICE "\"applicable\":{\"==\":[{\"var\":\"sku\"},\"s%d\"]},"
				   "\"outcome\":{\"is\":\"bought\",\"within\":\"%s\","
				   "\"item\":{\"category\":\"m%d-%d\"}}",
			    i, j == 0 ? "0d" : "7d", i, j);
		}
	}
}

/* Each may be reached until the basket closes, or for a week: no card may leave. */
static void
another_pair_at_each_of_200_scans_is_shown_each_time_and_the_recall_on_the_150th(void **state)
{
	(void)state;
	pairs_with_goals_of_their_own(SCANS);
	rig_policy_set();
	serve();
}

static void
a_visit_that_is_full_says_no_room_and_still_shows_what_is_mandatory(void **state)
{
	const int fits = (VISIT_CARDS_MAX - VISIT_CARDS_RESERVED) / 2;
	const struct visit *visit;
	int64_t hit = metrics_get(METRIC_LIMIT_CARDS);

	(void)state;
	pairs_with_goals_of_their_own(fits + 50);
	rig_policy_set();
	visit = open_basket();
	for (int i = 1; i <= fits + 50; i++) {
		const char *fate = i <= fits ? "offered" : "no-room";
		const json_t *fates;
		char id[16];

		scan(i, i == fits + 25 ? "recall" : "x");
		snprintf(id, sizeof(id), "a%d-0", i);
		fates = json_object_get(rig.record, "fates");
		assert_int_equal(json_integer_value(json_object_get(fates, fate)), 2);
		assert_int_equal(rig_prompt(id) != NULL, i <= fits);
		assert_true(offered_and_shown(visit) == (i <= fits ? 2 : i >= fits + 25));
		if (i >= fits + 25)
			assert_string_equal(rig_fate("recall"), "offered");
	}
	assert_int_equal(metrics_get(METRIC_LIMIT_CARDS) - hit, 50);
}

/* ---- who leaves, one by one ---- */

#define BOUGHT(within, item) \
	",\"expires\":\"5s\",\"kind\":\"recommend\",\"propensity\":0.5,\"incremental\":1," \
	"\"margin\":100,\"gate\":" \
	"\"associate\",\"outcome\":{\"is\":\"bought\",\"within\":\"" within "\",\"item\":" item \
	"}"

static void
actions_with_goals(void)
{
	rig_action("milk", BOUGHT("0d", "{\"category\":\"m\"}"));
	rig_action("milk-too", BOUGHT("0d", "{\"category\":\"m\"}"));
	rig_action("milk-week", BOUGHT("7d", "{\"category\":\"m\"}"));
	rig_action("brand", BOUGHT("0d", "{\"brand\":\"m\"}"));
	rig_action("article", BOUGHT("0d", "{\"item\":\"m\"}"));
	rig_action("both", BOUGHT("0d", "{\"category\":\"m\",\"brand\":\"m\"}"));
	rig_action("help",
	    ",\"expires\":\"5s\",\"kind\":\"service\",\"propensity\":0.5,\"incremental\":1,"
	    "\"margin\":1,\"gate\":"
	    "\"associate\",\"outcome\":{\"is\":\"none\"}");
	rig_action("case",
	    ",\"expires\":\"5s\",\"kind\":\"service\",\"propensity\":0.5,\"incremental\":1,"
	    "\"margin\":1,\"gate\":"
	    "\"associate\",\"outcome\":{\"is\":\"case-closed\",\"within\":\"0d\"}");
	rig_action("word",
	    ",\"expires\":\"5s\",\"outcome\":{\"is\":\"none\"},\"kind\":\"inform\",\"propensity\":"
	    "0.5,\"incremental\":1,\"margin\":1,"
	    "\"gate\":\"none\"");
	rig_policy_set();
}

static struct card *
gone_card(struct visit *visit, const char *action, int64_t sent_ms)
{
	const struct action *of =
	    rig.engine->policy != NULL ? policy_action(rig.engine->policy, action) : NULL;
	struct card *card = visit_add_card(visit);

	assert_non_null(card);
	card->action = mem_strdup(action);
	card->prompt.b[0] = (uint8_t)visit->card_count;
	card->kind = of != NULL ? (int)of->kind : KIND_INFORM;
	card->state = CARD_GONE;
	card->sent_ms = sent_ms;
	return card;
}

struct place {
	struct visit *visit;
	struct card *first, *last;
};

/* The first of 65 cards, sent a minute ago; the last was sent later, and is of another goal. */
static struct place
places_of(const char *first, const char *last)
{
	struct place place = { .visit = visit_new(&(struct id){ { 9 } }) };

	place.first = gone_card(place.visit, first, rig.now_ms - MIN_MS);
	for (int i = 0; i < 63; i++)
		gone_card(place.visit, "nothing", rig.now_ms - MIN_MS);
	place.last = gone_card(place.visit, last, rig.now_ms - MIN_MS + 1);
	place.first = &place.visit->cards[0];
	return place;
}

static bool
first_stays(struct place place)
{
	bool stays;

	arena_reset(rig.engine->scratch);
	places_clear(rig.engine, place.visit);
	stays = place.visit->card_count > 0 && place.visit->cards[0].prompt.b[0] == 1;
	visit_free(place.visit);
	return stays;
}

static void
a_visit_with_few_cards_keeps_all_of_them(void **state)
{
	struct place place;

	(void)state;
	actions_with_goals();
	place = places_of("nothing", "nothing");
	visit_drop_card(place.visit, 64);
	places_clear(rig.engine, place.visit);
	assert_int_equal(place.visit->card_count, 64);
	gone_card(place.visit, "nothing", rig.now_ms);
	places_clear(rig.engine, place.visit);
	assert_int_equal(place.visit->card_count, 0);
	visit_free(place.visit);
}

static void
a_card_stays_while_it_is_open_has_a_token_or_was_answered(void **state)
{
	(void)state;
	actions_with_goals();
	rig_send("pos/7/event", "basket.opened", "{\"basket\":\"b\",\"terminal\":\"7\"}");
	for (int i = 0; i < 9; i++) {
		struct place place = places_of("word", "nothing");
		struct card *card = place.first;

		switch (i) {
		case 0: break;
		case 1: card->state = CARD_OPEN; break;
		case 2: card->token.b[3] = 1; break;
		case 3: card->closed_by = mem_strdup("customer 1 in 7d"); break;
		case 4: card->answer = ANSWER_DISMISS; break;
		case 5: /* for good */ card->answer = ANSWER_SNOOZE; break;
		case 6:
			card->answer = ANSWER_SNOOZE;
			card->snooze_until_ms = rig.now_ms + 1;
			break;
		case 7:
			card->answer = ANSWER_SNOOZE;
			card->snooze_until_ms = rig.now_ms;
			break;
		case 8: card->outcome_due_ms = rig.now_ms + 1; break;
		}
		assert_int_equal(first_stays(place), i != 0 && i != 7);
	}
}

static void
a_card_stays_until_its_outcome_is_settled(void **state)
{
	struct place place;

	(void)state;
	actions_with_goals();
	rig_send("pos/7/event", "basket.opened", "{\"basket\":\"b\",\"terminal\":\"7\"}");
	place = places_of("word", "nothing");
	place.first->outcome_due_ms = rig.now_ms;
	assert_false(first_stays(place));
	/* Of an action that no policy knows nothing is settled any more. */
	place = places_of("unknown", "nothing");
	place.first->outcome_due_ms = rig.now_ms + 1;
	assert_false(first_stays(place));
	/* Without a policy no action is known. */
	place = places_of("milk", "nothing");
	assert_true(first_stays(place));
	engine_drop_policy(rig.engine);
	place = places_of("milk", "nothing");
	assert_false(first_stays(place));
}

static void
of_cards_with_one_goal_the_last_that_was_shown_stays(void **state)
{
	static const struct {
		const char *first, *last;
		bool stays;
	} cases[] = {
		{ "milk", "nothing", true },
		{ "milk", "milk", false },
		{ "milk", "milk-too", false },
		{ "milk", "milk-week", false },
		{ "milk", "brand", true },
		{ "milk", "article", true },
		{ "milk", "both", true },
		{ "both", "milk", true },
		{ "both", "brand", true },
		{ "brand", "article", true },
		{ "article", "article", false },
		{ "brand", "brand", false },
		{ "both", "both", false },
		{ "milk", "help", true },
		{ "milk", "word", true },
		{ "help", "nothing", true },
		{ "help", "help", false },
		{ "help", "case", true },
		{ "case", "help", true },
		{ "case", "case", false },
		{ "word", "nothing", false },
		{ "word", "milk", false },
	};

	(void)state;
	actions_with_goals();
	rig_send("pos/7/event", "basket.opened", "{\"basket\":\"b\",\"terminal\":\"7\"}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct place place = places_of(cases[i].first, cases[i].last);

		if (first_stays(place) != cases[i].stays)
			fail_msg("%s before %s", cases[i].first, cases[i].last);
		/* One that was not shown, or was sent no later, takes nothing from it. */
		place = places_of(cases[i].first, cases[i].last);
		place.last->shown_ms = rig.now_ms;
		assert_int_equal(first_stays(place), strcmp(cases[i].first, "word") != 0);
		place = places_of(cases[i].first, cases[i].last);
		place.last->shown_ms = rig.now_ms;
		place.last->shown = true;
		assert_int_equal(first_stays(place), cases[i].stays);
		place = places_of(cases[i].first, cases[i].last);
		place.last->sent_ms = place.first->sent_ms;
		assert_int_equal(first_stays(place), strcmp(cases[i].first, "word") != 0);
	}
}

/* It has earned something: its goal was bought between it and the next card. */
static void
a_card_that_has_earned_something_by_the_close_stays(void **state)
{
	(void)state;
	actions_with_goals();
	rig_send("pos/7/event", "basket.opened", "{\"basket\":\"b\",\"terminal\":\"7\"}");
	for (int i = 0; i < 3; i++) {
		struct place place = places_of(i == 2 ? "milk-week" : "milk", "milk-too");
		struct line *line = visit_add_line(place.visit, 1);

		snprintf(line->item, sizeof(line->item), "05012345678900");
		free(line->category);
		line->category = mem_strdup(i == 1 ? "x" : "m");
		line->qty_milli = 1000;
		line->amount_minor = 100;
		line->added_ms = place.first->sent_ms + 1;
		place.last->sent_ms = place.first->sent_ms + 2;
		assert_int_equal(first_stays(place), i == 0);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(the_same_pair_at_each_of_200_scans_is_shown_each_time_and_the_recall_on_the_150th),
		T(a_visit_with_few_cards_keeps_all_of_them),
		T(a_card_stays_while_it_is_open_has_a_token_or_was_answered),
		T(a_card_stays_until_its_outcome_is_settled),
		T(of_cards_with_one_goal_the_last_that_was_shown_stays),
		T(a_card_that_has_earned_something_by_the_close_stays),
		T(what_a_card_of_long_ago_has_earned_is_credited_at_the_close),
		T(what_was_dismissed_at_the_first_scan_is_not_asked_again_at_the_200th),
		T(a_visit_that_is_full_says_no_room_and_still_shows_what_is_mandatory),
		T(another_pair_at_each_of_200_scans_is_shown_each_time_and_the_recall_on_the_150th),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
