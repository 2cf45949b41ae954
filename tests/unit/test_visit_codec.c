/* SPDX-License-Identifier: Apache-2.0
 *
 * test_visit_codec.c - a visit comes back from its bytes as it was, or not at all.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/json.h"
#include "nouns/contact.h"
#include "nouns/shortlists.h"
#include "random_fixture.h"
#include "session/session.h"
#include "nouns/visit_fields.h"

/* A card of any kind has its names, a slot, and an object as its text or none. */
static void
make_shown(struct card *card)
{
	char **names[] = { &card->action, &card->group, &card->issue, &card->treatment };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (*names[i] == NULL)
			*names[i] = strdup("");
	}
	card->slot = card->slot == 0 ? 1 : card->slot;
	if (card->json != NULL) {
		free(card->json);
		card->json = strdup("{\"headline\":\"\"}");
	}
}

static void
random_line(struct dice *dice, struct line *line)
{
	free(line->category);
	dice_fields(dice, line_fields, line_field_count, line);
	if (line->category == NULL)
		line->category = strdup("");
}

/* Voids by article stand in the order of their times. */
static void
random_article_void(struct dice *dice, struct visit *visit, int64_t n)
{
	struct article_void *gone = visit_add_article_void(visit, n % 2 ? "s" : "4006381333931",
	    (int64_t)dice_next(dice), n + (int64_t)dice_below(dice, 2));

	gone->line = (int64_t)dice_next(dice);
	gone->used = dice_below(dice, 2) == 0;
}

/* Shortlists stand in the order of their times, and have something on them. */
static void
random_shortlist(struct dice *dice, struct visit *visit)
{
	struct shortlist head = { 0 }, *list;

	dice_fields(dice, shortlist_fields, shortlist_field_count, &head);
	list = visit_add_shortlist(visit, &head);
	for (size_t i = 1 + dice_below(dice, 3); i > 0; i--) {
		struct listing row = { 0 };

		dice_fields(dice, listing_fields, listing_field_count, &row);
		if (row.action == NULL)
			row.action = strdup("");
		shortlist_add(list, &row);
		codec_done(listing_fields, listing_field_count, &row);
	}
}

static struct visit *
random_visit(struct dice *dice)
{
	struct id none = { { 0 } };
	struct visit *visit = visit_new(&none);
	size_t lines = dice_below(dice, 20), cards = dice_below(dice, 10);

	dice_fields(dice, visit_fields, visit_field_count, visit);
	for (size_t i = 0; i < lines; i++)
		random_line(dice, visit_add_line(visit, 0));
	for (size_t i = dice_below(dice, 5); i > 0; i--)
		random_line(dice, visit_add_old(visit, 0, NULL));
	for (size_t i = dice_below(dice, 5); i > 0; i--)
		random_article_void(dice, visit, (int64_t)dice_below(dice, 5));
	visit_count_lines(visit);
	visit->open_count = dice_below(dice, VISIT_OPENS_MAX + 1);
	for (size_t i = 0; i < visit->open_count; i++) {
		visit->opens[i].at_ms = (int64_t)dice_next(dice);
		visit->opens[i].heard_ms = (int64_t)dice_next(dice);
		visit->opens[i].training = dice_below(dice, 2) == 0;
	}
	for (size_t i = 0; i < cards; i++) {
		struct card *card = visit_add_card(visit);

		dice_fields(dice, card_fields, card_field_count, card);
		make_shown(card);
	}
	for (size_t i = dice_below(dice, 6); i > 0; i--) {
		struct id ret = { { (uint8_t)dice_next(dice) } };

		assert_true(visit_add_back(visit, &ret, "4006381333931", (int64_t)i * 1000,
		    (int64_t)dice_below(dice, 500)));
	}
	visit->read_count = dice_below(dice, VISIT_READS_MAX + 1);
	for (size_t i = 0; i < visit->read_count; i++) {
		visit->reads[i].subject.b[2] = (uint8_t)dice_next(dice);
		visit->reads[i].at_ms = (int64_t)dice_next(dice);
		visit->reads[i].named = dice_below(dice, 2) == 0;
	}
	for (size_t i = dice_below(dice, 4); i > 0; i--)
		random_shortlist(dice, visit);
	visit->drew = (int64_t)dice_below(dice, 1 << 20);
	for (size_t i = dice_below(dice, 10); i > 0; i--) {
		struct contact row = { .at_ms = (int64_t)dice_below(dice, 5),
			.outcome = (enum outcome)dice_below(dice, OUTCOME_COUNT),
			.action = (char *)(uintptr_t) "coffee-off",
			.placement = 2 };

		row.prompt.b[3] = (uint8_t)dice_next(dice);
		contacts_add(&visit->contacts, &row);
	}
	return visit;
}

/* The tables name each member once; these lists are by hand, so that a member that was
 * forgotten in a table is missed here. */
#define SAME(member) assert_memory_equal(&a->member, &b->member, sizeof(a->member))
#define SAME_STR(member) \
	do { \
		assert_int_equal(a->member == NULL, b->member == NULL); \
		if (a->member != NULL) \
			assert_string_equal(a->member, b->member); \
	} while (0)

static void
assert_same_line(const struct line *a, const struct line *b)
{
	SAME(line);
	SAME(added_ms);
	SAME(time_ms);
	SAME(first_ms);
	SAME(first_qty_milli);
	SAME(void_ms);
	SAME(taken_ms);
	SAME(void_said);
	SAME(void_first);
	SAME(void_own);
	SAME(qty_milli);
	SAME(amount_minor);
	SAME(margin_minor);
	SAME(discount_minor);
	SAME(has_margin);
	SAME(restricted);
	SAME(voided);
	SAME(best_before);
	assert_string_equal(a->item, b->item);
	SAME_STR(sku);
	SAME_STR(category);
	SAME_STR(brand);
	SAME_STR(name);
	SAME_STR(batch);
	SAME_STR(own);
}

static void
assert_same_listing(const struct listing *a, const struct listing *b)
{
	SAME_STR(action);
	SAME_STR(treatment);
	SAME(depth);
	SAME(p);
	SAME(p1);
	SAME(p0);
	SAME(margin);
	SAME(cost);
	SAME(drawn);
	SAME(withheld);
	SAME(due_ms);
	SAME(told_ms);
	SAME(rev);
	SAME(shown);
	SAME(other);
	SAME(bought);
	SAME(amount_minor);
}

static void
assert_same(const struct visit *a, const struct visit *b)
{
	SAME(id);
	SAME(state);
	SAME(training);
	SAME(opened);
	SAME(has_subject);
	SAME(in_history);
	SAME(subject);
	SAME(opened_ms);
	SAME(last_ms);
	SAME(closed_ms);
	SAME(identified_ms);
	SAME(began_at_ms);
	SAME(state_at_ms);
	SAME(ended_at_ms);
	SAME(card_at_ms);
	SAME(card_named);
	SAME(missed);
	SAME(paying_at_ms);
	SAME(read_count);
	for (size_t i = 0; i < a->read_count; i++) {
		SAME(reads[i].subject);
		SAME(reads[i].at_ms);
		SAME(reads[i].named);
	}
	SAME(along);
	SAME(along_from);
	SAME(beside);
	SAME(left_at_ms);
	SAME(recall_at_ms);
	SAME(before);
	SAME(before_from);
	SAME(alike);
	SAME(total_minor);
	SAME(voids);
	SAME(declines);
	SAME(returns);
	SAME(decisions);
	SAME(guidance);
	SAME(guidance_at_ms);
	SAME(sold_ms);
	SAME(control);
	SAME(elsewhere_minor);
	SAME_STR(arms);
	SAME(back_count);
	SAME(line_count);
	SAME(line_bytes);
	SAME(old_count);
	SAME(article_void_count);
	SAME(open_count);
	SAME(card_count);
	SAME_STR(basket);
	SAME_STR(associate);
	SAME_STR(language);
	assert_string_equal(a->station, b->station);
	assert_string_equal(a->terminal, b->terminal);
	assert_string_equal(a->from, b->from);
	assert_string_equal(a->from_station, b->from_station);
	assert_string_equal(a->recall_from, b->recall_from);
	for (size_t i = 0; i < a->line_count; i++)
		assert_same_line(&a->lines[i], &b->lines[i]);
	for (size_t i = 0; i < a->old_count; i++)
		assert_same_line(&a->olds[i], &b->olds[i]);
	for (size_t i = 0; i < a->article_void_count; i++) {
		SAME_STR(article_voids[i].article);
		SAME(article_voids[i].qty_milli);
		SAME(article_voids[i].at_ms);
		SAME(article_voids[i].line);
		SAME(article_voids[i].used);
	}
	for (size_t i = 0; i < a->open_count; i++) {
		SAME(opens[i].at_ms);
		SAME(opens[i].heard_ms);
		SAME(opens[i].training);
	}
	for (size_t i = 0; i < a->back_count; i++) {
		SAME(backs[i].ret);
		SAME(backs[i].qty_milli);
		SAME(backs[i].amount_minor);
		assert_string_equal(a->backs[i].item, b->backs[i].item);
	}
	for (size_t i = 0; i < a->card_count; i++) {
		SAME(cards[i].prompt);
		SAME(cards[i].decision);
		SAME(cards[i].guidance);
		SAME(cards[i].placement);
		SAME(cards[i].slot);
		SAME(cards[i].kind);
		SAME(cards[i].gate);
		SAME(cards[i].depth);
		SAME(cards[i].worth_minor);
		SAME(cards[i].hold_minor);
		SAME(cards[i].redeemed_minor);
		SAME(cards[i].held_ms);
		SAME(cards[i].spent_ms);
		SAME(cards[i].returned_minor);
		SAME(cards[i].elsewhere);
		SAME(cards[i].voided);
		SAME(cards[i].state);
		SAME(cards[i].answer);
		SAME(cards[i].withheld);
		SAME(cards[i].shown);
		SAME(cards[i].redeemed);
		SAME(cards[i].late);
		SAME(cards[i].sent_ms);
		SAME(cards[i].shown_ms);
		SAME(cards[i].answered_ms);
		SAME(cards[i].expires_ms);
		SAME(cards[i].outcome_due_ms);
		SAME(cards[i].snooze_until_ms);
		SAME(cards[i].overdue);
		SAME(cards[i].answer_decision);
		SAME(cards[i].token);
		SAME(cards[i].command);
		SAME(cards[i].asked_ms);
		SAME(cards[i].confidence);
		SAME_STR(cards[i].action);
		SAME_STR(cards[i].group);
		SAME_STR(cards[i].issue);
		SAME_STR(cards[i].treatment);
		SAME_STR(cards[i].answer_body);
		SAME_STR(cards[i].json);
	}
	SAME(shortlist_count);
	SAME(drew);
	for (size_t i = 0; i < a->shortlist_count; i++) {
		SAME(shortlists[i].decision);
		SAME(shortlists[i].bundle);
		SAME(shortlists[i].visit);
		SAME(shortlists[i].placement);
		SAME(shortlists[i].slot);
		SAME(shortlists[i].at_ms);
		SAME(shortlists[i].cost_max);
		SAME(shortlists[i].p_nothing);
		SAME(shortlists[i].counted);
		SAME(shortlists[i].nothing);
		SAME(shortlists[i].listing_count);
		for (size_t l = 0; l < a->shortlists[i].listing_count; l++)
			assert_same_listing(&a->shortlists[i].listings[l],
			    &b->shortlists[i].listings[l]);
	}
	assert_int_equal(a->contacts.count, b->contacts.count);
	for (size_t i = 0; i < a->contacts.count; i++) {
		SAME(contacts.rows[i].prompt);
		SAME(contacts.rows[i].at_ms);
		SAME(contacts.rows[i].outcome);
		SAME_STR(contacts.rows[i].action);
	}
}

static void
random_visits_come_back_as_they_were(void **state)
{
	struct dice dice = { 42 };

	(void)state;
	for (int i = 0; i < 500; i++) {
		struct visit *visit = random_visit(&dice), *back = NULL;
		struct buf bytes = { 0 }, again = { 0 };

		visit_encode(visit, &bytes);
		assert_int_equal(visit_decode(bytes.data, bytes.len, &back), 0);
		assert_same(visit, back);
		visit_encode(back, &again);
		assert_int_equal(bytes.len, again.len);
		assert_memory_equal(bytes.data, again.data, bytes.len);
		buf_done(&bytes);
		buf_done(&again);
		visit_free(visit);
		visit_free(back);
	}
}

static void
bytes_that_are_cut_anywhere_are_damaged(void **state)
{
	struct dice dice = { 7 };
	struct visit *visit = random_visit(&dice), *back = NULL;
	struct buf bytes = { 0 };
	char *exact;

	(void)state;
	visit_encode(visit, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		/* Exactly so many bytes, so that a read past them is seen. */
		exact = malloc(len + 1);
		memcpy(exact, bytes.data, len);
		assert_int_equal(visit_decode(exact, len, &back), AISLE_E_DAMAGED);
		assert_null(back);
		free(exact);
	}
	buf_addc(&bytes, 0);
	assert_int_equal(visit_decode(bytes.data, bytes.len, &back), AISLE_E_DAMAGED);
	buf_done(&bytes);
	visit_free(visit);
}

/* More listings than a visit may have, or a list without any. */
static void
a_shortlist_beyond_the_bounds_is_damaged(void **state)
{
	static const struct {
		int lists, listings, rc;
	} cases[] = { { 8, 64, 0 }, { 8, 65, AISLE_E_DAMAGED }, { 9, 64, AISLE_E_DAMAGED },
		{ 512, 1, 0 }, { 513, 1, AISLE_E_DAMAGED }, { 1, 0, AISLE_E_DAMAGED } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct visit *visit = visit_new(&(struct id){ 0 }), *back = NULL;
		struct shortlist head = { .slot = 1 }, *list;
		struct listing row = { .action = (char *)(uintptr_t) "a" };
		struct buf bytes = { 0 };

		for (int n = 0; n < cases[i].lists; n++) {
			list = visit_add_shortlist(visit, &head);
			for (int l = 0; l < cases[i].listings; l++)
				shortlist_add(list, &row);
		}
		visit_encode(visit, &bytes);
		assert_int_equal(visit_decode(bytes.data, bytes.len, &back), cases[i].rc);
		visit_free(visit);
		visit_free(back);
		buf_done(&bytes);
	}
}

/* What version 7 wrote: a card ends before what a table named, nothing follows the contacts. */
static void
a_visit_of_the_version_before_shortlists_is_read(void **state)
{
	struct visit *visit = visit_new(&(struct id){ { 1 } }), *back = NULL;
	struct card *card = visit_add_card(visit);
	struct buf bytes = { 0 };

	(void)state;
	card->json = strdup("{\"a\":1}");
	make_shown(card);
	card->denied = card->bought = true;
	visit_encode(visit, &bytes);
	/* No item, and that it is no category; no contacts; no shortlists, nothing drawn. */
	assert_memory_equal(bytes.data + bytes.len - 5, "\0\0\0\0\0", 5);
	bytes.len -= 4;
	bytes.data[0] = 7;
	assert_int_equal(visit_decode(bytes.data, bytes.len, &back), 0);
	assert_int_equal(back->card_count, 1);
	assert_true(back->cards[0].denied && back->cards[0].bought);
	assert_null(back->cards[0].item);
	visit_free(back);
	bytes.data[0] = 6;
	assert_int_equal(visit_decode(bytes.data, bytes.len, &back), AISLE_E_DAMAGED);
	visit_free(visit);
	buf_done(&bytes);
}

static void
a_card_that_nobody_could_show_is_damaged(void **state)
{
	static const char *const texts[] = { "", "}", "{}", "[1]", "{\"a\":1" };
	struct id id = { { 1 } };

	(void)state;
	for (size_t i = 0; i < 6 + ARRAY_LEN(texts); i++) {
		struct visit *visit = visit_new(&id), *back = NULL;
		struct card *card = visit_add_card(visit);
		char **names[] = { &card->action, &card->group, &card->issue, &card->treatment };
		struct buf bytes = { 0 };

		card->json = strdup("{\"a\":1}");
		make_shown(card);
		if (i < 4) {
			free(*names[i]);
			*names[i] = NULL;
		} else if (i == 4) {
			card->slot = 0;
		} else if (i > 5) {
			free(card->json);
			card->json = strdup(texts[i - 6]);
		}
		visit_encode(visit, &bytes);
		/* One of them is whole: the others are refused for what they lack. */
		assert_int_equal(visit_decode(bytes.data, bytes.len, &back),
		    i == 5 ? 0 : AISLE_E_DAMAGED);
		visit_free(back);
		visit_free(visit);
		buf_done(&bytes);
	}
}

static void
flipped_bits_never_crash(void **state)
{
	struct dice dice = { 9 };

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct visit *visit = random_visit(&dice), *back = NULL;
		struct buf bytes = { 0 };

		visit_encode(visit, &bytes);
		bytes.data[dice_below(&dice, bytes.len)] ^= (char)(1 << dice_below(&dice, 8));
		if (visit_decode(bytes.data, bytes.len, &back) == 0)
			visit_free(back);
		buf_done(&bytes);
		visit_free(visit);
	}
}

static void
another_version_is_damaged(void **state)
{
	struct dice dice = { 1 };
	struct visit *visit = random_visit(&dice), *back = NULL;
	struct buf bytes = { 0 };

	(void)state;
	visit_encode(visit, &bytes);
	bytes.data[0]++;
	assert_int_equal(visit_decode(bytes.data, bytes.len, &back), AISLE_E_DAMAGED);
	buf_done(&bytes);
	visit_free(visit);
}

static void
cards_are_found_by_prompt_and_by_token(void **state)
{
	struct id id = { { 1 } }, none = { { 0 } }, p = { { 7 } }, t = { { 8 } };
	struct visit *visit = visit_new(&id);
	struct card *card;

	(void)state;
	for (int i = 0; i < VISIT_CARDS_MAX; i++)
		assert_non_null(visit_add_card(visit));
	assert_null(visit_add_card(visit));
	card = &visit->cards[40];
	card->prompt = p;
	card->token = t;
	assert_ptr_equal(visit_card(visit, &p), card);
	assert_null(visit_card(visit, &t));
	assert_ptr_equal(visit_card_by_token(visit, &t), card);
	/* Cards without a token have the zero one; it finds none. */
	assert_null(visit_card_by_token(visit, &none));
	visit_free(visit);
	visit_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_visits_come_back_as_they_were),
		cmocka_unit_test(bytes_that_are_cut_anywhere_are_damaged),
		cmocka_unit_test(a_shortlist_beyond_the_bounds_is_damaged),
		cmocka_unit_test(a_visit_of_the_version_before_shortlists_is_read),
		cmocka_unit_test(a_card_that_nobody_could_show_is_damaged),
		cmocka_unit_test(flipped_bits_never_crash),
		cmocka_unit_test(another_version_is_damaged),
		cmocka_unit_test(cards_are_found_by_prompt_and_by_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
