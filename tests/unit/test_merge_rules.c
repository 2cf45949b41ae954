/* SPDX-License-Identifier: Apache-2.0
 *
 * test_merge_rules.c - of two cards that are one person, which word of each kind stays.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "nouns/contact.h"
#include "profile/subject_rows.h"

static struct subject *
somebody(uint8_t name)
{
	struct id id = { { name } };

	return subject_new(&id);
}

/* Both ways, from copies: change sets what the two cards say, check looks at what they say together. */
static void
both_ways(void (*change)(struct subject *a, struct subject *b),
    void (*check)(const struct subject *))
{
	for (int way = 0; way < 2; way++) {
		struct subject *a = somebody(1), *b = somebody(2);

		change(a, b);
		subject_merge(way == 0 ? a : b, way == 0 ? b : a);
		check(way == 0 ? a : b);
		subject_free(a);
		subject_free(b);
	}
}

static void
two_histories(struct subject *a, struct subject *b)
{
	a->enrolled_ms = 0;
	b->enrolled_ms = 7;
	a->last_visit_ms = 3;
	b->last_visit_ms = 9;
	a->baskets_day_ms = b->baskets_day_ms = 5;
	a->baskets = 2;
	b->baskets = 4;
	a->tier_at_ms = 1;
	b->tier_at_ms = 2;
	strcpy(a->tier, "z");
	strcpy(b->tier, "b");
	b->known = true;
	b->has_points = true;
	b->points = 1;
}

static void
told_together(const struct subject *both)
{
	assert_int_equal(both->enrolled_ms, 7);
	assert_int_equal(both->last_visit_ms, 9);
	assert_int_equal(both->baskets, 4);
	assert_string_equal(both->tier, "b"); /* the later word */
	assert_int_equal(both->tier_at_ms, 2);
	assert_true(both->known && both->mixed && both->dirty);
	assert_true(both->has_points);
	assert_int_equal(both->points, 1);
}

static void
two_days(struct subject *a, struct subject *b)
{
	a->enrolled_ms = 6;
	b->enrolled_ms = 7;
	a->baskets_day_ms = 5;
	b->baskets_day_ms = 6;
	a->baskets = 9;
	b->baskets = 1;
	a->tier_at_ms = b->tier_at_ms = 2;
	strcpy(a->tier, "a");
	strcpy(b->tier, "b");
	a->has_points = b->has_points = true;
	a->points = 50;
	a->points_at_ms = 1;
	a->points_expire_ms = 77;
	b->points = 20;
	b->points_at_ms = 2;
	b->points_expire_ms = 3;
}

static void
the_later_day(const struct subject *both)
{
	assert_int_equal(both->enrolled_ms, 6);
	assert_int_equal(both->baskets, 1);
	assert_int_equal(both->baskets_day_ms, 6);
	assert_string_equal(both->tier, "b"); /* of one time the larger */
	assert_int_equal(both->points, 20);
	assert_int_equal(both->points_at_ms, 2);
	assert_int_equal(both->points_expire_ms, 3);
}

static void
two_balances(struct subject *a, struct subject *b)
{
	a->has_points = b->has_points = true;
	a->points_at_ms = b->points_at_ms = 2;
	a->points = 20;
	b->points = 50;
	a->points_expire_ms = 9;
	b->points_expire_ms = 3;
}

static void
the_larger_balance(const struct subject *both)
{
	assert_int_equal(both->points, 50);
	assert_int_equal(both->points_expire_ms, 3);
}

static void
two_ends(struct subject *a, struct subject *b)
{
	two_balances(a, b);
	a->points = 50;
}

static void
the_later_end(const struct subject *both)
{
	assert_int_equal(both->points, 50);
	assert_int_equal(both->points_expire_ms, 9);
}

static void
two_cases(struct subject *a, struct subject *b)
{
	*subject_add_case(a, "x") = (struct care_case){ "x", "a", 3, 0, 50, 4 };
	*subject_add_case(b, "x") = (struct care_case){ "x", "b", 1, 9, 0, 5 };
	*subject_add_case(a, "w") = (struct care_case){ "w", "b", 1, 8, 6, 5 };
	*subject_add_case(b, "w") = (struct care_case){ "w", "a", 2, 3, 0, 5 };
	*subject_add_case(b, "v") = (struct care_case){ "v", "v", 2, 3, 4, 5 };
}

static void
what_is_known_of_cases(const struct subject *both)
{
	const struct care_case *cases = both->cases;

	assert_int_equal(both->case_count, 3);
	assert_string_equal(cases[0].id, "v");
	assert_int_equal(cases[0].closed_ms, 4);
	assert_int_equal(cases[1].severity, 2);
	assert_int_equal(cases[1].opened_ms, 3);
	assert_int_equal(cases[1].closed_ms, 6); /* of one time: closed */
	assert_string_equal(cases[1].topic, "b");
	assert_int_equal(cases[2].severity, 3);
	assert_int_equal(cases[2].opened_ms, 9);
	assert_int_equal(cases[2].closed_ms, 0); /* the later word: open */
	assert_int_equal(cases[2].at_ms, 5);
	assert_string_equal(cases[2].topic, "b");
}

static void
two_wallets(struct subject *a, struct subject *b)
{
	*subject_add_wallet(a, "x") = (struct wallet_entry){ "x", 90, 90, 4, "z" };
	*subject_add_wallet(b, "x") = (struct wallet_entry){ "x", 10, 20, 5, "a" };
	*subject_add_wallet(a, "w") = (struct wallet_entry){ "w", 10, 20, 5, "b" };
	*subject_add_wallet(b, "w") = (struct wallet_entry){ "w", 30, 15, 5, "a" };
	*subject_add_wallet(b, "v") = (struct wallet_entry){ "v", 1, 2, 3, "s" };
}

static void
what_is_in_both_wallets(const struct subject *both)
{
	const struct wallet_entry *wallet = both->wallet;

	assert_int_equal(both->wallet_count, 3);
	assert_string_equal(wallet[0].offer, "v");
	assert_int_equal(wallet[0].worth_minor, 1);
	assert_int_equal(wallet[1].worth_minor, 30);
	assert_int_equal(wallet[1].until_ms, 20);
	assert_string_equal(wallet[1].state, "b");
	assert_int_equal(wallet[2].worth_minor, 10); /* the later word, whole */
	assert_int_equal(wallet[2].until_ms, 20);
	assert_string_equal(wallet[2].state, "a");
}

static void
of_two_words_the_later_stays_and_of_one_time_the_larger(void **state)
{
	(void)state;
	both_ways(two_histories, told_together);
	both_ways(two_days, the_later_day);
	both_ways(two_balances, the_larger_balance);
	both_ways(two_ends, the_later_end);
	both_ways(two_cases, what_is_known_of_cases);
	both_ways(two_wallets, what_is_in_both_wallets);
}

static void
a_purchase(struct subject *subject, int64_t at_ms, int64_t back_milli, const char *item,
    int64_t total)
{
	struct purchase_line line = {
		.category = "c", .item = item, .qty_milli = 1000, .amount_minor = 1
	};
	struct purchase purchase = { .visit = { { 5 } },
		.at_ms = at_ms,
		.back_milli = back_milli,
		.total_minor = total,
		.lines = &line,
		.line_count = 1 };
	struct buf row = { 0 };

	purchase_encode(&purchase, &row);
	assert_int_equal(subject_add_log(subject, SUBJECT_LOG_PURCHASE, row.data, row.len), 0);
	buf_done(&row);
}

static void
of_one_basket_the_later_close_stays_then_the_one_that_lost_more_then_the_longer(void **state)
{
	static const struct {
		int64_t at_ms, back_milli;
		const char *item;
		int64_t total;
	} rising[] = { { 1, 9, "long", 3 }, { 2, 0, "long", 3 }, { 2, 1, "a", 2 }, { 2, 1, "b", 2 },
		{ 2, 1, "long", 1 } };

	(void)state;
	for (size_t less = 0; less < ARRAY_LEN(rising); less++)
		for (size_t more = less; more < ARRAY_LEN(rising); more++)
			for (int way = 0; way < 2; way++) {
				struct subject *into = somebody(1), *from = somebody(2);
				size_t i = way == 0 ? less : more, o = way == 0 ? more : less;

				a_purchase(into, rising[i].at_ms, rising[i].back_milli,
				    rising[i].item, rising[i].total);
				a_purchase(from, rising[o].at_ms, rising[o].back_milli,
				    rising[o].item, rising[o].total);
				subject_merge(into, from);
				assert_int_equal(into->purchase_count, 1);
				assert_int_equal(into->purchases[0].at_ms, rising[more].at_ms);
				assert_int_equal(into->purchases[0].back_milli,
				    rising[more].back_milli);
				assert_string_equal(into->purchases[0].lines[0].item,
				    rising[more].item);
				subject_free(into);
				subject_free(from);
			}
}

static void
the_newest_rows_and_incidents_of_both_are_kept_each_once(void **state)
{
	struct subject *into = somebody(1), *from = somebody(2);

	(void)state;
	for (int64_t i = 0; i < SUBJECT_INCIDENTS_MAX; i++) {
		subject_add_incident(into, INCIDENT_RETURN, 2 * i);
		subject_add_incident(from, INCIDENT_RETURN, 2 * i + (i < 10 ? 1 : 0));
	}
	subject_add_incident(from, INCIDENT_VOID, 2 * SUBJECT_INCIDENTS_MAX - 2);
	for (uint32_t i = 0; i < VISIT_CONTACTS_MAX; i++) {
		struct contact row = { .prompt = { { 7 } }, .outcome = OUTCOME_SHOWN, .at_ms = i };

		memcpy(row.prompt.b + 4, &i, sizeof(i));
		contacts_add(&into->contacts, &row);
		if (i % 2 == 0) {
			row.prompt.b[1] = i < 10; /* five that the other does not have */
			contacts_add(&from->contacts, &row);
		}
	}
	subject_merge(into, from);
	assert_int_equal(into->incident_count, SUBJECT_INCIDENTS_MAX);
	/* 256 and 10 and 1 less 256 go: the first eleven, 0 0+1 2 3 … */
	assert_int_equal(into->incidents[0].at_ms, 11);
	assert_int_equal(into->incidents[255].kind, INCIDENT_VOID);
	assert_int_equal(into->incidents[254].kind, INCIDENT_RETURN);
	assert_int_equal(into->contacts.count, VISIT_CONTACTS_MAX);
	assert_int_equal(into->contacts.rows[VISIT_CONTACTS_MAX - 1].at_ms, VISIT_CONTACTS_MAX - 1);
	/* Of times 0 to 3 five rows went. */
	assert_int_equal(into->contacts.rows[0].at_ms, 3);
	subject_free(into);
	subject_free(from);
}

static void
cards_are_remembered_in_order_each_once_up_to_their_bound(void **state)
{
	struct subject *into = somebody(100), *from;

	(void)state;
	assert_true(subject_may_merge(into, into));
	for (int i = 0; i < SUBJECT_MERGED_MAX; i++) {
		from = somebody((uint8_t)(i % 2 == 0 ? 50 + i : 150 + i));
		assert_true(subject_may_merge(into, from));
		subject_merge(into, from);
		subject_merge(into, from); /* once more is once */
		subject_free(from);
		assert_int_equal(into->merged_count, i + 1);
	}
	for (int i = 1; i < SUBJECT_MERGED_MAX; i++)
		assert_true(into->merged[i - 1].b[0] < into->merged[i].b[0]);
	from = somebody(1);
	assert_false(subject_may_merge(into, from));
	subject_merge(into, from);
	assert_int_equal(into->merged_count, SUBJECT_MERGED_MAX);
	subject_free(from);
	into->merged_count--;
	from = somebody(1);
	assert_true(subject_may_merge(into, from));
	subject_free(from);
	/* The cards of both; its own is none of them. */
	from = somebody(3);
	into->merged_count = 1;
	into->merged[0] = (struct id){ { 9 } };
	from->merged_count = 2;
	from->merged[0] = (struct id){ { 9 } };
	from->merged[1] = into->id;
	subject_merge(into, from);
	assert_int_equal(into->merged_count, 2);
	assert_int_equal(into->merged[0].b[0], 3);
	assert_int_equal(into->merged[1].b[0], 9);
	subject_free(from);
	subject_free(into);
}

static void
of_two_profiles_the_cards_own_comes_first(void **state)
{
	static const char own[] = "{\"language\":\"de\",\"attributes\":{\"a\":1,\"s\":\"own\"}}";
	static const char other[] = "{\"language\":\"fr\",\"line\":\"Gold\",\"attributes\":{\"a\":"
				    "2,\"b\":true,\"t\":\"other\"}}";
	struct subject *into = somebody(1), *from = somebody(2), *none = somebody(3);

	(void)state;
	assert_int_equal(subject_apply_profile(into, own, strlen(own)), 0);
	subject_merge_profile(into, none); /* nothing is known of that one */
	assert_int_equal(into->attribute_count, 2);
	assert_int_equal(subject_apply_profile(from, other, strlen(other)), 0);
	for (int i = 0; i < 2; i++) {
		subject_merge_profile(into, from);
		assert_string_equal(into->language, "de");
		assert_string_equal(into->line, "Gold");
		assert_int_equal(into->attribute_count, 4);
	}
	subject_merge_profile(none, from);
	assert_true(none->has_profile);
	assert_string_equal(none->language, "fr");
	assert_int_equal(none->attribute_count, 3);
	subject_free(from); /* what was taken over is a copy */
	assert_true(into->attributes[0].number == 1);
	assert_string_equal(into->attributes[1].str, "own");
	for (size_t i = 0; i < into->attribute_count; i++) {
		if (strcmp(into->attributes[i].name, "b") == 0)
			assert_true(into->attributes[i].number == 1 &&
			    into->attributes[i].str == NULL);
		if (strcmp(into->attributes[i].name, "t") == 0)
			assert_string_equal(into->attributes[i].str, "other");
	}
	assert_string_equal(none->line, "Gold");
	subject_free(into);
	subject_free(none);
}

/* Whoever works here does so with each of their cards. */
static void
one_card_of_the_staff_makes_both_the_staffs(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct subject *into = somebody(1), *from = somebody(2);

		assert_int_equal(subject_apply_profile(into,
				     i & 1 ? "{\"staff\":true}" : "{\"staff\":false}",
				     i & 1 ? 14 : 15),
		    0);
		if (i & 2)
			assert_int_equal(subject_apply_profile(from, "{\"staff\":true}", 14), 0);
		subject_merge_profile(into, from);
		assert_int_equal(into->staff, i != 0);
		subject_free(into);
		subject_free(from);
	}
}

static void
of_a_card_that_became_another_only_which_is_kept(void **state)
{
	struct subject *from = somebody(1);
	struct contact row = { .prompt = { { 7 } }, .at_ms = 5 };
	struct id into = { { 77 } }, own = from->id;

	(void)state;
	two_cases(from, from);
	two_wallets(from, from);
	a_purchase(from, 1, 0, "i", 3);
	contacts_add(&from->contacts, &row);
	subject_add_incident(from, INCIDENT_VOID, 1);
	assert_int_equal(subject_apply_profile(from, "{\"attributes\":{\"a\":1}}", 22), 0);
	from->consent[CONSENT_PROFILE].state = CONSENT_GRANTED;
	subject_forward(from, &into);
	assert_memory_equal(&from->merged_into, &into, sizeof(into));
	assert_memory_equal(&from->id, &own, sizeof(own));
	assert_true(from->known && from->mixed && from->dirty);
	assert_int_equal(from->purchase_count + from->contacts.count + from->case_count +
		from->wallet_count + from->incident_count + from->attribute_count,
	    0);
	assert_int_equal(from->consent[CONSENT_PROFILE].state, CONSENT_UNKNOWN);
	subject_free(from);
}

/* Rows that differ in one thing alone are told apart, and the same ones come first each time. */
static void
of_rows_with_one_key_the_same_one_is_kept(void **state)
{
	static char a[] = "a", b[] = "b";
	const struct contact first = { .prompt = { { 7 } }, .decision = { { 1 } }, .at_ms = 5 };
	struct contact others[7];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		others[i] = first;
	others[0].decision.b[0] = 2;
	others[1].withheld = true;
	others[2].placement = 1;
	others[3].action = a;
	others[4].group = a;
	others[5].issue = a;
	others[6].reason = a;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		for (int way = 0; way < 2; way++) {
			struct subject *into = somebody(1), *from = somebody(2);
			const struct contact *kept;

			contacts_add(&into->contacts, way == 0 ? &first : &others[i]);
			contacts_add(&from->contacts, way == 0 ? &others[i] : &first);
			subject_merge(into, from);
			assert_int_equal(into->contacts.count, 1);
			kept = &into->contacts.rows[0];
			assert_int_equal(kept->decision.b[0], 1);
			assert_true(!kept->withheld && kept->placement == 0 &&
			    kept->action == NULL && kept->group == NULL && kept->issue == NULL &&
			    kept->reason == NULL);
			subject_free(into);
			subject_free(from);
		}
	for (int way = 0; way < 2;
	     way++) { /* of two texts the smaller, also where the next says otherwise */
		struct subject *into = somebody(1), *from = somebody(2);
		struct contact x = first, y = first;

		x.group = a;
		x.issue = b;
		y.group = b;
		y.issue = a;
		contacts_add(&into->contacts, way == 0 ? &x : &y);
		contacts_add(&from->contacts, way == 0 ? &y : &x);
		subject_merge(into, from);
		assert_string_equal(into->contacts.rows[0].group, "a");
		subject_free(into);
		subject_free(from);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_words_the_later_stays_and_of_one_time_the_larger),
		cmocka_unit_test(
		    of_one_basket_the_later_close_stays_then_the_one_that_lost_more_then_the_longer),
		cmocka_unit_test(the_newest_rows_and_incidents_of_both_are_kept_each_once),
		cmocka_unit_test(cards_are_remembered_in_order_each_once_up_to_their_bound),
		cmocka_unit_test(of_two_profiles_the_cards_own_comes_first),
		cmocka_unit_test(of_a_card_that_became_another_only_which_is_kept),
		cmocka_unit_test(one_card_of_the_staff_makes_both_the_staffs),
		cmocka_unit_test(of_rows_with_one_key_the_same_one_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
