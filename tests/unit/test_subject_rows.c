/* SPDX-License-Identifier: Apache-2.0
 *
 * test_subject_rows.c - a customer's cases, wallet, incidents and profile, to their bounds; and the row of them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "aisle/value.h"
#include "nouns/contact.h"
#include "profile/subject_rows.h"

#define T INT64_C(1795255200000)

static struct subject *subject;

static int
set_up(void **state)
{
	struct id id = { { 9 } };

	(void)state;
	subject = subject_new(&id);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	subject_free(subject);
	return 0;
}

/* ---- what an event says ---- */

static bool
case_event(enum event_type type, int64_t time_ms, int64_t now_ms, int severity)
{
	struct event event = { .type = type,
		.kase = "c",
		.topic = severity == 2 ? "late" : NULL,
		.severity = severity,
		.time_ms = time_ms,
		.now_ms = now_ms };

	return subject_apply(subject, &event);
}

static void
of_a_case_the_later_word_counts_and_of_one_time_the_one_that_came_last(void **state)
{
	const struct care_case *kase = &subject->cases[0];

	(void)state;
	assert_true(case_event(EV_CARE_CASE_OPENED, T, T + 100, 2));
	assert_int_equal(kase->opened_ms, T + 100);
	assert_string_equal(kase->topic, "late");
	assert_int_equal(kase->at_ms, T);
	assert_int_equal(subject->incident_count, 1);
	assert_int_equal(subject->incidents[0].at_ms, T + 100);
	assert_false(case_event(EV_CARE_CASE_OPENED, T - 1, T + 101, 3));
	assert_int_equal(kase->severity, 2);
	assert_true(case_event(EV_CARE_CASE_OPENED, T, T + 102, 1)); /* again, of the same time */
	assert_int_equal(kase->severity, 1);
	assert_string_equal(kase->topic, "");
	assert_int_equal(kase->opened_ms, T + 102);
	assert_int_equal(subject->incident_count, 1); /* one complaint */
	assert_false(case_event(EV_CARE_CASE_CLOSED, T - 1, T + 103, 0));
	assert_int_equal(kase->closed_ms, 0);
	assert_true(case_event(EV_CARE_CASE_CLOSED, T, T + 104, 0));
	assert_int_equal(kase->closed_ms, T + 104);
	assert_false(case_event(EV_CARE_CASE_CLOSED, T + 5, T + 105, 0)); /* closed already */
	assert_int_equal(kase->closed_ms, T + 104);
	assert_int_equal(kase->at_ms, T + 5);
	assert_false(case_event(EV_CARE_CASE_OPENED, T + 4, T + 106, 3));
	assert_true(case_event(EV_CARE_CASE_OPENED, T + 5, T + 107, 3));
	assert_int_equal(kase->closed_ms, 0);
}

static void
a_case_that_was_closed_before_it_was_heard_of_stays_closed(void **state)
{
	for (int64_t opened = T - 1; opened <= T + 1; opened++) {
		tear_down(state);
		set_up(state);
		assert_true(case_event(EV_CARE_CASE_CLOSED, T, T + 100, 0));
		assert_int_equal(subject->incident_count, 0);
		assert_true(case_event(EV_CARE_CASE_OPENED, opened, T + 101, 2));
		assert_int_equal(subject->cases[0].closed_ms, opened > T ? 0 : T + 100);
		assert_int_equal(subject->cases[0].at_ms, opened > T ? T + 1 : T);
		assert_int_equal(subject->cases[0].opened_ms, T + 101);
		assert_int_equal(subject->incident_count, 1);
	}
}

static bool
balance_event(int64_t time_ms, int64_t points, const char *tier)
{
	struct event event = { .type = EV_LOYALTY_BALANCE,
		.points = points,
		.tier = tier,
		.until_ms = T + points,
		.time_ms = time_ms };

	return subject_apply(subject, &event);
}

static void
points_and_tier_are_of_the_latest_word_about_each(void **state)
{
	static const char fits[] = "12345678901234567890123456789012";
	static const char long_tier[] = "123456789012345678901234567890123";

	(void)state;
	assert_true(balance_event(0, 0, NULL));
	assert_true(subject->has_points);
	assert_true(balance_event(T, 10, "a"));
	assert_false(balance_event(T - 1, 20, "b"));
	assert_int_equal(subject->points, 10);
	assert_int_equal(subject->points_expire_ms, T + 10);
	assert_string_equal(subject->tier, "a");
	assert_true(balance_event(T, 30, "c")); /* of one time what came last */
	assert_int_equal(subject->points, 30);
	assert_string_equal(subject->tier, "c");
	assert_true(balance_event(T + 5, 40, NULL));
	assert_int_equal(subject->points_at_ms, T + 5);
	assert_int_equal(subject->tier_at_ms, T);
	assert_true(balance_event(T + 1, 50, "d")); /* late for the points */
	assert_int_equal(subject->points, 40);
	assert_string_equal(subject->tier, "d");
	assert_true(balance_event(T + 6, 60, long_tier));
	assert_string_equal(subject->tier, "d");
	assert_true(balance_event(T + 6, 60, fits));
	assert_string_equal(subject->tier, fits);
}

static bool
wallet_event(int64_t time_ms, int64_t worth, const char *wallet_state)
{
	struct event event = { .type = EV_WALLET_CHANGED,
		.offer = "o",
		.worth_minor = worth,
		.until_ms = T + worth,
		.state = wallet_state,
		.time_ms = time_ms };

	return subject_apply(subject, &event);
}

static void
an_offer_in_the_wallet_is_as_it_was_said_last(void **state)
{
	(void)state;
	assert_true(wallet_event(T, 5, "open"));
	assert_false(wallet_event(T - 1, 6, "used"));
	assert_int_equal(subject->wallet[0].worth_minor, 5);
	assert_true(wallet_event(T, 7, NULL));
	assert_int_equal(subject->wallet[0].worth_minor, 7);
	assert_int_equal(subject->wallet[0].until_ms, T + 7);
	assert_int_equal(subject->wallet[0].at_ms, T);
	assert_string_equal(subject->wallet[0].state, "");
	assert_int_equal(subject->wallet_count, 1);
}

/* ---- bounds ---- */

static void
of_too_many_incidents_the_oldest_go(void **state)
{
	(void)state;
	for (int i = 0; i < SUBJECT_INCIDENTS_MAX; i++)
		subject_add_incident(subject, INCIDENT_RETURN, T + 2 * (i ^ 1));
	for (int i = 1; i < SUBJECT_INCIDENTS_MAX; i++)
		assert_true(subject->incidents[i - 1].at_ms < subject->incidents[i].at_ms);
	subject->dirty = false;
	subject_add_incident(subject, INCIDENT_VOID, T - 1); /* it would be the oldest itself */
	assert_int_equal(subject->incidents[0].kind, INCIDENT_RETURN);
	assert_false(subject->dirty);
	subject_add_incident(subject, INCIDENT_VOID, T);
	assert_true(subject->dirty);
	assert_int_equal(subject->incident_count, SUBJECT_INCIDENTS_MAX);
	assert_int_equal(subject->incidents[0].kind, INCIDENT_VOID);
	subject_add_incident(subject, INCIDENT_DECLINE, T + 3);
	assert_int_equal(subject->incidents[0].at_ms, T + 2);
	assert_int_equal(subject->incidents[1].at_ms, T + 3);
	assert_int_equal(subject->incidents[1].kind, INCIDENT_DECLINE);
	/* Of one time in the order that they come. */
	subject_add_incident(subject, INCIDENT_COMPLAINT, T + 3);
	assert_int_equal(subject->incidents[0].kind, INCIDENT_DECLINE);
	assert_int_equal(subject->incidents[1].kind, INCIDENT_COMPLAINT);
}

static void
of_cases_and_offers_that_are_equal_the_first_goes(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < SUBJECT_CASES_MAX + 2; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		subject_add_case(subject, name)->opened_ms = T;
	}
	assert_null(subject_case(subject, "c1"));
	assert_string_equal(subject->cases[0].id, "c2");
	assert_string_equal(subject->cases[SUBJECT_CASES_MAX - 1].id, "c33");
	for (int i = 0; i < SUBJECT_WALLET_MAX + 2; i++) {
		snprintf(name, sizeof(name), "o%d", i);
		subject_add_wallet(subject, name)->until_ms = T;
	}
	assert_string_equal(subject->wallet[0].offer, "o2");
	assert_string_equal(subject->wallet[SUBJECT_WALLET_MAX - 1].offer, "o65");
}

static void
what_is_older_than_a_time_is_forgotten_and_nothing_else(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct contact row = { .prompt = { { (uint8_t)i } }, .at_ms = T + i };

		subject_add_incident(subject, INCIDENT_RETURN, T + i);
		contacts_add(&subject->contacts, &row);
	}
	subject_expire(subject, T);
	assert_int_equal(subject->incident_count, 3);
	assert_int_equal(subject->contacts.count, 3);
	subject_expire(subject, T + 2);
	assert_int_equal(subject->incident_count, 1);
	assert_int_equal(subject->incidents[0].at_ms, T + 2);
	assert_int_equal(subject->contacts.count, 1);
	subject_expire(subject, T + 3);
	assert_int_equal(subject->incident_count, 0);
}

static void
names_that_are_too_long_are_cut(void **state)
{
	static char name[200];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(strlen(subject_add_case(subject, name)->id), 128);
	assert_int_equal(strlen(subject_add_wallet(subject, name)->offer), 128);
	assert_null(subject_case(subject, "x"));
	assert_null(subject_wallet(subject, "x"));
}

/* ---- the row ---- */

static void
a_row_as_full_as_it_can_be_comes_back(void **state)
{
	struct buf row = { 0 }, again = { 0 };
	struct id id = { { 9 } };
	struct subject *back = subject_new(&id);
	char name[16];

	(void)state;
	for (int i = 0; i < SUBJECT_CASES_MAX; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		subject_add_case(subject, name)->severity = 3;
	}
	for (int i = 0; i < SUBJECT_WALLET_MAX; i++) {
		snprintf(name, sizeof(name), "o%d", i);
		subject_add_wallet(subject, name)->worth_minor = i;
	}
	for (int i = 0; i < SUBJECT_INCIDENTS_MAX; i++)
		subject_add_incident(subject, INCIDENT_COMPLAINT, T + i);
	for (int i = 0; i < SUBJECT_MERGED_MAX; i++)
		subject->merged[subject->merged_count++] = (struct id){ { (uint8_t)(i + 1) } };
	for (int i = 0; i < SUBJECT_SEEN_MAX; i++)
		subject->seen[subject->seen_count++] = (struct id){ { (uint8_t)(i + 7) } };
	for (int i = 0; i < CONSENT_COUNT; i++)
		subject->consent[i] =
		    (struct consent){ i == 0 ? CONSENT_GRANTED : CONSENT_DENIED, T + i, T - i, 0 };
	subject->baskets = 7;
	subject->merged_into = (struct id){ { 4 } };
	subject_encode(subject, &row);
	assert_int_equal(subject_decode(back, row.data, row.len), 0);
	assert_int_equal(back->case_count, SUBJECT_CASES_MAX);
	assert_int_equal(back->wallet_count, SUBJECT_WALLET_MAX);
	assert_int_equal(back->incident_count, SUBJECT_INCIDENTS_MAX);
	assert_int_equal(back->merged_count, SUBJECT_MERGED_MAX);
	for (int i = 0; i < CONSENT_COUNT; i++)
		assert_memory_equal(&back->consent[i], &subject->consent[i],
		    sizeof(back->consent[i]));
	assert_string_equal(back->cases[SUBJECT_CASES_MAX - 1].id, "c31");
	assert_int_equal(back->merged[SUBJECT_MERGED_MAX - 1].b[0], SUBJECT_MERGED_MAX);
	assert_int_equal(back->seen_count, SUBJECT_SEEN_MAX);
	assert_int_equal(back->seen[SUBJECT_SEEN_MAX - 1].b[0], SUBJECT_SEEN_MAX + 6);
	subject_encode(back, &again);
	assert_int_equal(again.len, row.len);
	assert_memory_equal(again.data, row.data, row.len);
	buf_addc(&row, '\0'); /* a byte too many */
	assert_int_equal(subject_decode(back, row.data, row.len), AISLE_E_DAMAGED);
	row.len--;
	row.data[0]++; /* another version */
	assert_int_equal(subject_decode(back, row.data, row.len), AISLE_E_DAMAGED);
	buf_done(&row);
	buf_done(&again);
	subject_free(back);
}

/* Of before it said which experiments a customer was counted in: nobody's consent is lost with another daemon. */
static void
a_row_of_the_version_before_is_read(void **state)
{
	struct subject *back = subject_new(&subject->id);
	struct buf row = { 0 };

	(void)state;
	subject->points = 77;
	subject->consent[0] = (struct consent){ CONSENT_GRANTED, 0, T, 0 };
	subject_encode(subject, &row);
	row.len--; /* how many: none */
	row.data[0] = 3;
	back->seen_count = 2;
	assert_int_equal(subject_decode(back, row.data, row.len), 0);
	assert_int_equal(back->points, 77);
	assert_int_equal(back->consent[0].state, CONSENT_GRANTED);
	assert_int_equal(back->seen_count, 0);
	row.data[0] = 2;
	assert_int_equal(subject_decode(back, row.data, row.len), AISLE_E_DAMAGED);
	row.data[0] = 4;
	assert_int_equal(subject_decode(back, row.data, row.len), AISLE_E_DAMAGED);
	buf_done(&row);
	subject_free(back);
}

/* A row with so many of each, all of them empty, and a consent in this state. */
static int
decodes(const int64_t counts[static 5], uint8_t consent)
{
	struct buf row = { 0 };
	int result;

	buf_u8(&row, 4);
	codec_write(subject_fields, subject_field_count, subject, &row);
	for (int i = 0; i < CONSENT_COUNT; i++) {
		buf_u8(&row, consent);
		buf_i64(&row, 0);
		buf_i64(&row, 1);
		buf_i64(&row, 1);
	}
	for (int i = 0; i < 5; i++)
		buf_i64(&row, counts[i]);
	result = subject_decode(subject, row.data, row.len);
	buf_done(&row);
	return result;
}

static void
a_row_that_says_too_many_is_damaged(void **state)
{
	static const int64_t none[5] = { 0 },
			     bad[] = { -1, 1, SUBJECT_CASES_MAX + 1, SUBJECT_WALLET_MAX + 1,
				     SUBJECT_INCIDENTS_MAX + 1, SUBJECT_MERGED_MAX + 1, INT64_MAX };

	(void)state;
	assert_int_equal(decodes(none, CONSENT_DENIED), 0);
	assert_int_equal(decodes(none, CONSENT_DENIED + 1), AISLE_E_DAMAGED);
	for (int i = 0; i < 5; i++)
		for (size_t b = 0; b < ARRAY_LEN(bad); b++) {
			int64_t counts[5] = { 0 };

			counts[i] = bad[b];
			assert_int_equal(decodes(counts, CONSENT_GRANTED), AISLE_E_DAMAGED);
		}
}

/* ---- headquarters' profile ---- */

static int
profile(const char *json)
{
	return subject_apply_profile(subject, json, strlen(json));
}

static void
each_member_of_a_profile_is_taken_by_its_kind(void **state)
{
	static const struct {
		const char *json;
		bool good;
	} cases[] = { { "{}", true }, { "null", false }, { "{\"staff\":true}", true },
		{ "{\"staff\":1}", false }, { "{\"staff\":null}", false }, { "{\"at\":1}", false },
		{ "{\"at\":\"2026-11-21T10:00:00Z\"}", true }, { "{\"at\":\"2026-11-21\"}", false },
		{ "{\"consent\":{}}", true }, { "{\"consent\":[]}", false },
		{ "{\"consent\":{\"contact\":\"denied\"}}", true },
		{ "{\"consent\":{\"contact\":true}}", false },
		{ "{\"consent\":{\"personalise\":\"maybe\"}}", false },
		{ "{\"consent\":{\"else\":\"maybe\"}}", true }, { "{\"attributes\":\"\"}", false },
		{ "{\"attributes\":{\"a\":[]}}", false },
		{ "{\"attributes\":{\"a\":1.5,\"b\":false,\"c\":\"\",\"d\":2}}", true },
		{ "{\"line\":7}", false }, { "{\"line\":\"\"}", true },
		{ "{\"language\":[]}", false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (profile(cases[i].json) != (cases[i].good ? 0 : AISLE_E_INVALID))
			fail_msg("%s", cases[i].json);
}

static void
attributes_are_what_they_are_and_go_with_the_next_profile(void **state)
{
	static const char all[] =
	    "{\"staff\":true,\"language\":\"de\",\"line\":\"Gold\",\"attributes\":"
	    "{\"f\":false,\"n\":1.5,\"s\":\"x\",\"t\":true}}";

	(void)state;
	assert_int_equal(profile(all), 0);
	assert_true(subject->staff && subject->known && subject->has_profile);
	assert_int_equal(subject->attribute_count, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct attribute *attribute = &subject->attributes[i];

		switch (attribute->name[0]) {
		case 's':
			assert_int_equal(attribute->tag, VALUE_STRING);
			assert_string_equal(attribute->str, "x");
			break;
		case 'n':
			assert_int_equal(attribute->tag, VALUE_NUMBER);
			assert_true(attribute->number == 1.5);
			break;
		default:
			assert_int_equal(attribute->tag, VALUE_BOOL);
			assert_true(attribute->number == (attribute->name[0] == 't' ? 1 : 0));
		}
	}
	subject->forgotten = true;
	assert_int_equal(profile(all), 0);
	assert_false(subject->staff || subject->has_profile);
	assert_null(subject->language);
	assert_null(subject->line);
	assert_int_equal(subject->attribute_count, 0);
	assert_null(subject->attributes);
	subject_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(of_a_case_the_later_word_counts_and_of_one_time_the_one_that_came_last),
		TEST(a_case_that_was_closed_before_it_was_heard_of_stays_closed),
		TEST(points_and_tier_are_of_the_latest_word_about_each),
		TEST(an_offer_in_the_wallet_is_as_it_was_said_last),
		TEST(of_too_many_incidents_the_oldest_go),
		TEST(of_cases_and_offers_that_are_equal_the_first_goes),
		TEST(what_is_older_than_a_time_is_forgotten_and_nothing_else),
		TEST(names_that_are_too_long_are_cut),
		TEST(a_row_as_full_as_it_can_be_comes_back),
		TEST(a_row_of_the_version_before_is_read),
		TEST(a_row_that_says_too_many_is_damaged),
		TEST(each_member_of_a_profile_is_taken_by_its_kind),
		TEST(attributes_are_what_they_are_and_go_with_the_next_profile),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
