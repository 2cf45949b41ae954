/* SPDX-License-Identifier: Apache-2.0
 *
 * test_subject_merge.c - cards that are one person: any order, any repeat, the same result.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "profile/subject_rows.h"
#include "nouns/contact.h"
#include "random_fixture.h"
#include "session/session.h"

static struct id
small_id(struct dice *dice, uint64_t n)
{
	struct id id = { { 0 } };

	id.b[0] = 1;
	id.b[15] = (uint8_t)dice_below(dice, n);
	return id;
}

/* Few ids, times and texts, so that both sides often know the same key. */
static void
add_purchase(struct dice *dice, struct subject *subject)
{
	static const char *const categories[] = { "a", "a/b", "c" };
	struct purchase purchase = { .visit = small_id(dice, 6),
		.at_ms = (int64_t)dice_below(dice, 4) + 1,
		.total_minor = (int64_t)dice_below(dice, 3) + 1 };
	struct buf row = { 0 };
	struct purchase_line line = { .category = categories[dice_below(dice, 3)],
		.item = "i",
		.qty_milli = 1000,
		.amount_minor = 1,
		.mark = (enum mark)dice_below(dice, 2) };

	purchase.lines = &line;
	purchase.line_count = dice_below(dice, 2);
	purchase_encode(&purchase, &row);
	assert_int_equal(subject_add_log(subject, SUBJECT_LOG_PURCHASE, row.data, row.len), 0);
	buf_done(&row);
}

static void
add_contact(struct dice *dice, struct subject *subject)
{
	static const char *const actions[] = { "x", "y", NULL };
	struct contact row = { .prompt = small_id(dice, 5),
		.decision = small_id(dice, 2),
		.outcome = (enum outcome)dice_below(dice, 3),
		.at_ms = (int64_t)dice_below(dice, 4),
		.withheld = dice_below(dice, 2) == 1,
		.placement = (int)dice_below(dice, 2),
		.action = (char *)(uintptr_t)actions[dice_below(dice, 3)] };

	contacts_add(&subject->contacts, &row);
}

static void
add_small_rows(struct dice *dice, struct subject *subject)
{
	char name[8];

	snprintf(name, sizeof(name), "c%d", (int)dice_below(dice, 4));
	if (subject_case(subject, name) == NULL) {
		struct care_case *kase = subject_add_case(subject, name);

		kase->severity = (int)dice_below(dice, 3) + 1;
		kase->opened_ms = (int64_t)dice_below(dice, 3);
		kase->closed_ms = (int64_t)dice_below(dice, 3);
		kase->topic[0] = (char)('a' + (int)dice_below(dice, 2));
		kase->at_ms = (int64_t)dice_below(dice, 3);
	}
	if (subject_wallet(subject, name) == NULL) {
		struct wallet_entry *entry = subject_add_wallet(subject, name);

		entry->until_ms = (int64_t)dice_below(dice, 3);
		entry->worth_minor = (int64_t)dice_below(dice, 3);
		entry->state[0] = (char)('a' + (int)dice_below(dice, 2));
		entry->at_ms = (int64_t)dice_below(dice, 3);
	}
	subject_add_incident(subject, (enum incident_kind)dice_below(dice, 2),
	    (int64_t)dice_below(dice, 5));
}

static struct subject *
random_subject(struct dice *dice, uint8_t name)
{
	struct id id = { { name } };
	struct subject *subject = subject_new(&id);

	for (uint64_t i = dice_below(dice, 5); i > 0; i--) {
		add_purchase(dice, subject);
		add_contact(dice, subject);
		add_small_rows(dice, subject);
	}
	for (int i = 0; i < CONSENT_COUNT; i++)
		subject->consent[i] = (struct consent){ (enum consent_state)dice_below(dice, 3),
			(int64_t)dice_below(dice, 3), (int64_t)dice_below(dice, 3) + 1, 0 };
	subject->enrolled_ms = (int64_t)dice_below(dice, 3);
	subject->last_visit_ms = (int64_t)dice_below(dice, 3);
	subject->has_points = dice_below(dice, 2) == 1;
	subject->points = subject->has_points ? (int64_t)dice_below(dice, 3) : 0;
	subject->points_at_ms = subject->has_points ? (int64_t)dice_below(dice, 3) : 0;
	subject->points_expire_ms = subject->has_points ? (int64_t)dice_below(dice, 3) : 0;
	subject->baskets_day_ms = (int64_t)dice_below(dice, 3);
	subject->baskets = (int)dice_below(dice, 3);
	subject->tier_at_ms = (int64_t)dice_below(dice, 3);
	subject->known = dice_below(dice, 2) == 1;
	subject->tier[0] = (char)('a' + (int)dice_below(dice, 2));
	if (dice_below(dice, 12) == 0)
		subject->forgotten = true;
	return subject;
}

/* Everything that is saved, as bytes. */
static struct buf
all_of(const struct subject *subject)
{
	struct buf out = { 0 };

	subject_encode(subject, &out);
	for (size_t i = 0; i < subject->purchase_count; i++)
		purchase_encode(&subject->purchases[i], &out);
	for (size_t i = 0; i < subject->contacts.count; i++)
		contact_encode(&subject->contacts.rows[i], &out);
	return out;
}

static struct subject *
copy_of(uint64_t seed, uint8_t name)
{
	struct dice dice = { seed * 16 + name };

	return random_subject(&dice, name);
}

/* into takes a, b and c in this order, with repeats. */
static struct buf
merged(uint64_t seed, const char *order)
{
	struct subject *into = copy_of(seed, 9), *from;
	struct buf out;

	for (; *order != '\0'; order++) {
		from = copy_of(seed, (uint8_t)(*order - 'a'));
		subject_merge(into, from);
		subject_free(from);
	}
	out = all_of(into);
	subject_free(into);
	return out;
}

static void
any_order_and_any_repeat_give_the_same(void **state)
{
	static const char *const orders[] = { "acb", "bac", "bca", "cab", "cba", "aabbcc",
		"cbabca" };

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct buf first = merged(seed, "abc");

		for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
			struct buf other = merged(seed, orders[i]);

			if (first.len != other.len ||
			    memcmp(first.data, other.data, first.len) != 0)
				fail_msg("seed %d order %s", (int)seed, orders[i]);
			buf_done(&other);
		}
		buf_done(&first);
	}
}

/* a into b, then b into the third, is a and b into the third. */
static void
a_chain_of_merges_gives_the_same(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct subject *a = copy_of(seed, 0), *b = copy_of(seed, 1),
			       *into = copy_of(seed, 9);
		struct buf chain, direct = merged(seed, "ab");

		subject_merge(b, a);
		subject_merge(into, b);
		chain = all_of(into);
		assert_int_equal(chain.len, direct.len);
		assert_memory_equal(chain.data, direct.data, chain.len);
		buf_done(&chain);
		buf_done(&direct);
		subject_free(a);
		subject_free(b);
		subject_free(into);
	}
}

static void
what_happened_to_one_prompt_again_later_stays_and_is_there_once(void **state)
{
	struct id one = { { 1 } }, two = { { 2 } };
	struct subject *into = subject_new(&one), *from = subject_new(&two);
	static const enum outcome told[] = { OUTCOME_REDEEMED, OUTCOME_REVERSED, OUTCOME_REDEEMED };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(told); i++) {
		struct contact row = {
			.prompt = { { 7 } }, .outcome = told[i], .at_ms = (int64_t)i + 1
		};

		contacts_add(&from->contacts, &row);
	}
	for (int i = 0; i < 2; i++) {
		subject_merge(into, from);
		assert_int_equal(into->contacts.count, ARRAY_LEN(told));
	}
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		assert_int_equal(into->contacts.rows[i].outcome, told[i]);
	subject_free(into);
	subject_free(from);
}

static void
denied_wins_and_is_saved_also_when_only_a_profile_said_it(void **state)
{
	static const char denied[] = "{\"consent\":{\"personalise\":\"denied\"}}";
	struct id one = { { 1 } }, two = { { 2 } };
	struct subject *into = subject_new(&one), *from = subject_new(&two), *back;
	struct buf row = { 0 };

	(void)state;
	into->consent[CONSENT_PERSONALISE] = (struct consent){ CONSENT_GRANTED, 0, 500, 0 };
	assert_int_equal(subject_apply_profile(from, denied, strlen(denied)), 0);
	subject_merge(into, from);
	assert_false(consent_granted(into, CONSENT_PERSONALISE, 1000));
	subject_encode(into, &row);
	back = subject_new(&one);
	assert_int_equal(subject_decode(back, row.data, row.len), 0);
	assert_int_equal(back->consent[CONSENT_PERSONALISE].state, CONSENT_DENIED);
	assert_true(into->mixed);
	buf_done(&row);
	subject_free(back);
	subject_free(into);
	subject_free(from);
}

static void
erasure_wins_over_everything(void **state)
{
	struct subject *into = copy_of(5, 9), *from = copy_of(5, 1);

	(void)state;
	into->forgotten = false;
	from->forgotten = true;
	subject_merge(into, from);
	assert_true(into->forgotten);
	assert_int_equal(into->purchase_count, 0);
	assert_int_equal(into->contacts.count, 0);
	assert_int_equal(into->case_count, 0);
	assert_int_equal(into->tier[0], 0);
	subject_free(into);
	subject_free(from);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_and_any_repeat_give_the_same),
		cmocka_unit_test(a_chain_of_merges_gives_the_same),
		cmocka_unit_test(what_happened_to_one_prompt_again_later_stays_and_is_there_once),
		cmocka_unit_test(denied_wins_and_is_saved_also_when_only_a_profile_said_it),
		cmocka_unit_test(erasure_wins_over_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
