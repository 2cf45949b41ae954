/* SPDX-License-Identifier: Apache-2.0
 *
 * test_whose.c - the cards of one basket: which of two wins, which gave way, and whose it is again.
 */
#include "session/session_call.h"
#include "session_fixture.h"

#define NOBODY '\0'

static struct card_read
read_by(char who, int64_t at_ms)
{
	return (struct card_read){ .subject = person(who), .at_ms = at_ms };
}

/* The cards that gave way, "a1 b2". */
static const char *
reads_of(const struct visit *visit)
{
	static char text[128];

	text[0] = '\0';
	for (size_t i = 0; i < visit->read_count; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%c%d", i > 0 ? " " : "",
		    (char)visit->reads[i].subject.b[0], (int)visit->reads[i].at_ms);
	}
	return text;
}

static struct visit *
visit_with(const char *reads)
{
	struct visit *visit = visit_new(&(struct id){ { 1 } });

	for (; *reads != '\0'; reads += 2 + (reads[2] == ' ')) {
		visit->reads[visit->read_count] = read_by(reads[0], reads[1] - '0');
		visit->reads[visit->read_count++].named = reads[1] % 2 != 0;
	}
	return visit;
}

static void
belong_to(struct visit *visit, char who, int64_t at_ms)
{
	visit->has_subject = who != NOBODY;
	visit->subject = who != NOBODY ? person(who) : (struct id){ { 0 } };
	visit->card_at_ms = at_ms;
}

static void
cards_that_gave_way_stand_in_the_order_of_their_times(void **state)
{
	static const struct {
		const char *reads;
		char who;
		int64_t at_ms;
		const char *then;
	} cases[] = {
		{ "", 'x', 5, "x5" },
		{ "a2", 'x', 1, "x1 a2" },
		{ "a2", 'x', 2, "a2 x2" },
		{ "a2", 'x', 3, "a2 x3" },
		{ "a2 b4 c6", 'x', 5, "a2 b4 x5 c6" },
		{ "a2 b4 c6", 'x', 4, "a2 b4 x4 c6" },
		/* of more than four the oldest is forgotten */
		{ "a2 b4 c6 d8", 'x', 1, "a2 b4 c6 d8" },
		{ "a2 b4 c6 d8", 'x', 2, "x2 b4 c6 d8" },
		{ "a2 b4 c6 d8", 'x', 3, "x3 b4 c6 d8" },
		{ "a2 b4 c6 d8", 'x', 7, "b4 c6 x7 d8" },
		{ "a2 b4 c6 d8", 'x', 9, "b4 c6 d8 x9" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct visit *visit = visit_with(cases[i].reads);
		struct card_read card = read_by(cases[i].who, cases[i].at_ms);

		whose_note(visit, &card);
		assert_string_equal(reads_of(visit), cases[i].then);
		visit_free(visit);
	}
}

static void
of_two_cards_the_later_wins_and_after_the_end_who_came_first(void **state)
{
	static const struct {
		enum visit_state state;
		char who;
		int64_t had_at_ms, at_ms;
		bool newer;
	} cases[] = {
		{ VISIT_OPEN, NOBODY, 0, 1, true },
		{ VISIT_CLOSED, NOBODY, 0, 200, true },
		{ VISIT_OPEN, 'a', 50, 49, false },
		{ VISIT_OPEN, 'a', 50, 50, true },
		{ VISIT_OPEN, 'a', 50, 51, true },
		{ VISIT_OPEN, 'a', 150, 149, false }, /* the end of what has none */
		{ VISIT_OPEN, 'a', 150, 150, true },
		/* both were read before the end, at 100 */
		{ VISIT_CLOSED, 'a', 50, 49, false },
		{ VISIT_CLOSED, 'a', 50, 50, true },
		{ VISIT_CLOSED, 'a', 50, 100, true },
		/* one of them was */
		{ VISIT_CLOSED, 'a', 50, 101, false },
		{ VISIT_CLOSED, 'a', 100, 101, false },
		{ VISIT_CLOSED, 'a', 101, 100, true },
		{ VISIT_CANCELLED, 'a', 101, 1, true },
		/* none was */
		{ VISIT_CLOSED, 'a', 105, 101, true },
		{ VISIT_CLOSED, 'a', 105, 105, false },
		{ VISIT_CLOSED, 'a', 105, 106, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct visit *visit = visit_with("");

		visit->state = cases[i].state;
		visit->ended_at_ms = 100;
		belong_to(visit, cases[i].who, cases[i].had_at_ms);
		if (whose_is_newer(visit, cases[i].at_ms) != cases[i].newer)
			fail_msg("case %zu", i);
		visit_free(visit);
	}
}

/* Of one customer's cards in a row the first is kept: since then the basket is theirs. */
static void
who_gives_way_is_noted_once_with_the_first_of_their_cards(void **state)
{
	static const struct {
		const char *reads;
		char had, comes;
		unsigned effects;
		const char *then;
	} cases[] = {
		{ "", NOBODY, 'b', EFFECT_IDENTIFIED, "" },
		{ "", 'a', 'a', EFFECT_IDENTIFIED, "a5" },
		{ "", 'a', 'b', EFFECT_IDENTIFIED | EFFECT_REPLACED, "a5" },
		{ "a1", 'a', 'b', EFFECT_IDENTIFIED | EFFECT_REPLACED, "a1" },
		{ "a1", 'a', 'a', EFFECT_IDENTIFIED, "a1" },
		{ "a1 b2", 'a', 'b', EFFECT_IDENTIFIED | EFFECT_REPLACED, "a1 b2 a5" },
		{ "a1", NOBODY, 'b', EFFECT_IDENTIFIED, "a1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct visit *visit = visit_with(cases[i].reads);
		struct card_read card = read_by(cases[i].comes, 7);
		struct id former = { { 0 } }, had = person(cases[i].had),
			  comes = person(cases[i].comes);
		bool replaced = (cases[i].effects & EFFECT_REPLACED) != 0;

		card.named = true;
		belong_to(visit, cases[i].had, 5);
		visit->language = mem_strdup("de");
		assert_int_equal(whose_take(visit, &card, 70, &former), cases[i].effects);
		assert_string_equal(reads_of(visit), cases[i].then);
		assert_true(visit->has_subject && visit->card_named);
		assert_true(id_equal(&visit->subject, &comes));
		assert_int_equal(visit->card_at_ms, 7);
		assert_int_equal(visit->identified_ms, 70);
		/* What was the former's is not the next one's. */
		assert_int_equal(visit->language == NULL, replaced);
		assert_true(replaced ? id_equal(&former, &had) : id_is_zero(&former));
		visit_free(visit);
	}
}

static void
given_back_it_is_whose_card_was_the_last_by_then(void **state)
{
	static const struct {
		const char *reads;
		int64_t by_ms;
		unsigned effects;
		char owner;
		int64_t at_ms;
		const char *left;
	} cases[] = {
		{ "", 9, EFFECT_REPLACED, NOBODY, 0, "" },
		{ "a4", 3, EFFECT_REPLACED, NOBODY, 0, "" },
		{ "a4", 4, EFFECT_REPLACED | EFFECT_IDENTIFIED, 'a', 4, "" },
		{ "a2 b4", 9, EFFECT_REPLACED | EFFECT_IDENTIFIED, 'b', 4, "a2" },
		{ "a2 b4", 4, EFFECT_REPLACED | EFFECT_IDENTIFIED, 'b', 4, "a2" },
		{ "a2 b5", 4, EFFECT_REPLACED | EFFECT_IDENTIFIED, 'a', 2, "" },
		{ "a2 z5", 5, 0, 'z', 5, "a2" }, /* it was theirs before */
		{ "a2 z5", 4, EFFECT_REPLACED | EFFECT_IDENTIFIED, 'a', 2, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct visit *visit = visit_with(cases[i].reads);
		struct id former = { { 0 } }, z = person('z'), owner = person(cases[i].owner);
		bool someone = cases[i].owner != NOBODY, other = cases[i].effects != 0;

		belong_to(visit, 'z', 8);
		visit->card_named = true;
		visit->language = mem_strdup("de");
		assert_int_equal(whose_give_back(visit, cases[i].by_ms, &former), cases[i].effects);
		assert_string_equal(reads_of(visit), cases[i].left);
		assert_int_equal(visit->has_subject, someone);
		assert_int_equal(visit->card_at_ms, cases[i].at_ms);
		assert_int_equal(visit->card_named, cases[i].at_ms % 2 != 0);
		assert_true(someone ? id_equal(&visit->subject, &owner)
				    : id_is_zero(&visit->subject));
		assert_int_equal(id_equal(&former, &z), other);
		assert_int_equal(visit->language == NULL, other);
		visit_free(visit);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cards_that_gave_way_stand_in_the_order_of_their_times),
		cmocka_unit_test(of_two_cards_the_later_wins_and_after_the_end_who_came_first),
		cmocka_unit_test(who_gives_way_is_noted_once_with_the_first_of_their_cards),
		cmocka_unit_test(given_back_it_is_whose_card_was_the_last_by_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
