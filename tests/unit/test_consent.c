/* SPDX-License-Identifier: Apache-2.0
 *
 * test_consent.c - which word about consent counts: of events, of headquarters, of two cards.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "profile/subject_rows.h"

#define T INT64_C(1795255200000)

static void
a_word_counts_by_what_it_says_and_when_it_was_said(void **state)
{
	static const struct {
		struct consent before;
		bool granted;
		int64_t at_ms, until_ms;
		bool counts;
		struct consent after;
	} cases[] = {
		{ { CONSENT_UNKNOWN, 0, 0, 0 }, true, T, 0, true, { CONSENT_GRANTED, 0, T, 0 } },
		{ { CONSENT_UNKNOWN, 0, 0, 0 }, false, T, T + 9, true,
		    { CONSENT_DENIED, 0, T, 0 } },
		{ { CONSENT_DENIED, 0, T, T }, true, T - 1, 0, false, { CONSENT_DENIED, 0, T, 0 } },
		{ { CONSENT_DENIED, 0, T, T }, true, T, T + 9, true,
		    { CONSENT_GRANTED, T + 9, T, 0 } },
		{ { CONSENT_GRANTED, T + 9, T, 0 }, false, T - 5, 0, true,
		    { CONSENT_DENIED, 0, T, 0 } },
		{ { CONSENT_GRANTED, T + 9, T, 0 }, true, T + 1, T + 5, true,
		    { CONSENT_GRANTED, T + 5, T + 1, 0 } },
		/* An event without a time is one, and no profile's word. */
		{ { CONSENT_UNKNOWN, 0, 0, 0 }, true, 0, 0, true, { CONSENT_GRANTED, 0, 1, 0 } },
		{ { CONSENT_UNKNOWN, 0, 0, 0 }, true, 1, 0, true, { CONSENT_GRANTED, 0, 1, 0 } },
		{ { CONSENT_UNKNOWN, 0, 0, 0 }, true, 2, 0, true, { CONSENT_GRANTED, 0, 2, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct subject subject = { .consent[CONSENT_PROFILE] = cases[i].before };
		const struct consent *now = &subject.consent[CONSENT_PROFILE];
		struct event event = { .type = EV_CONSENT_CHANGED,
			.purpose = CONSENT_PROFILE,
			.granted = cases[i].granted,
			.time_ms = cases[i].at_ms,
			.until_ms = cases[i].until_ms };

		if (consent_change(&subject, &event) != cases[i].counts ||
		    now->state != cases[i].after.state ||
		    now->until_ms != cases[i].after.until_ms || now->at_ms != cases[i].after.at_ms)
			fail_msg("case %zu", i);
	}
}

/* Which grants count is asked of the denials alone: not when something else was said, nor in which
 * order it came. */
static void
a_grant_counts_unless_it_was_given_before_the_last_denial(void **state)
{
	static const struct {
		struct said {
			char what; /* + or - */
			int64_t at_ms;
		} said[5];
		enum consent_state ends;
	} cases[] = {
		{ { { '+', 35 }, { '-', 32 } }, CONSENT_DENIED },
		{ { { '+', 35 }, { '-', 32 }, { '+', 33 } }, CONSENT_GRANTED },
		{ { { '+', 35 }, { '-', 32 }, { '+', 32 } }, CONSENT_GRANTED },
		{ { { '+', 35 }, { '-', 32 }, { '+', 31 } }, CONSENT_DENIED },
		{ { { '-', 40 }, { '+', 45 }, { '-', 32 }, { '+', 39 } }, CONSENT_DENIED },
		{ { { '-', 40 }, { '+', 45 }, { '-', 32 }, { '+', 40 } }, CONSENT_GRANTED },
		{ { { '-', 40 }, { '-', 30 }, { '+', 35 } }, CONSENT_DENIED },
		{ { { '-', 20 }, { '+', 20 } }, CONSENT_GRANTED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct subject subject = { 0 };

		for (const struct said *said = cases[i].said; said->what != 0; said++) {
			struct event event = { .type = EV_CONSENT_CHANGED,
				.granted = said->what == '+',
				.time_ms = said->at_ms };

			consent_change(&subject, &event);
		}
		if (subject.consent[0].state != cases[i].ends)
			fail_msg("case %zu", i);
	}
}

static void
headquarters_word_counts_where_no_event_has_said_anything_or_is_later(void **state)
{
	struct subject subject = { 0 };
	struct consent *consent = &subject.consent[CONSENT_CONTACT];

	(void)state;
	consent_from_profile(&subject, CONSENT_CONTACT, CONSENT_GRANTED, 0);
	assert_int_equal(consent->state, CONSENT_GRANTED);
	assert_int_equal(consent->at_ms, 0);
	consent_from_profile(&subject, CONSENT_CONTACT, CONSENT_DENIED, 0);
	assert_int_equal(consent->state, CONSENT_DENIED);
	for (int64_t ms = T - 1; ms <= T + 1; ms++) {
		*consent = (struct consent){ CONSENT_DENIED, 0, T, 0 };
		consent_from_profile(&subject, CONSENT_CONTACT, CONSENT_GRANTED, ms);
		assert_int_equal(consent->state, ms > T ? CONSENT_GRANTED : CONSENT_DENIED);
		assert_int_equal(consent->at_ms, ms > T ? 0 : T);
	}
	*consent = (struct consent){ CONSENT_GRANTED, T, 1, 0 };
	consent_from_profile(&subject, CONSENT_CONTACT, CONSENT_DENIED, 1);
	assert_int_equal(consent->state, CONSENT_GRANTED);
	consent_from_profile(&subject, CONSENT_CONTACT, CONSENT_GRANTED, 2);
	assert_int_equal(consent->until_ms, 0);
}

static void
of_two_cards_the_stricter_word_stays(void **state)
{
	static const struct {
		struct consent a, b, both;
	} cases[] = {
		{ { CONSENT_UNKNOWN, 0, 0, 0 }, { CONSENT_GRANTED, T, 5, 0 },
		    { CONSENT_GRANTED, T, 5, 0 } },
		{ { CONSENT_GRANTED, T, 9, 0 }, { CONSENT_DENIED, 0, 5, 0 },
		    { CONSENT_DENIED, 0, 5, 0 } },
		{ { CONSENT_UNKNOWN, 0, 0, 0 }, { CONSENT_DENIED, 0, 5, 0 },
		    { CONSENT_DENIED, 0, 5, 0 } },
		{ { CONSENT_GRANTED, T, 9, 0 }, { CONSENT_GRANTED, T - 1, 5, 0 },
		    { CONSENT_GRANTED, T - 1, 9, 0 } },
		{ { CONSENT_GRANTED, 0, 5, 0 }, { CONSENT_GRANTED, T, 9, 0 },
		    { CONSENT_GRANTED, T, 9, 0 } },
		{ { CONSENT_GRANTED, 0, 5, 0 }, { CONSENT_GRANTED, 0, 5, 0 },
		    { CONSENT_GRANTED, 0, 5, 0 } },
		{ { CONSENT_GRANTED, 1, 5, 0 }, { CONSENT_GRANTED, T, 5, 0 },
		    { CONSENT_GRANTED, 1, 5, 0 } },
		{ { CONSENT_DENIED, 0, 7, 0 }, { CONSENT_DENIED, 0, 6, 0 },
		    { CONSENT_DENIED, 0, 7, 0 } },
		/* What a profile alone denied is to be kept from now on. */
		{ { CONSENT_GRANTED, 0, 9, 0 }, { CONSENT_DENIED, 0, 0, 0 },
		    { CONSENT_DENIED, 0, 1, 0 } },
		{ { CONSENT_DENIED, 0, 0, 0 }, { CONSENT_DENIED, 0, 0, 0 },
		    { CONSENT_DENIED, 0, 1, 0 } },
		{ { CONSENT_GRANTED, 0, 0, 0 }, { CONSENT_UNKNOWN, 0, 0, 0 },
		    { CONSENT_GRANTED, 0, 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct consent ab = consent_merge(&cases[i].a, &cases[i].b);
		struct consent ba = consent_merge(&cases[i].b, &cases[i].a);

		if (ab.state != cases[i].both.state || ab.until_ms != cases[i].both.until_ms ||
		    ab.at_ms != cases[i].both.at_ms || ba.state != ab.state ||
		    ba.until_ms != ab.until_ms || ba.at_ms != ab.at_ms)
			fail_msg("case %zu", i);
	}
}

/* A grant that was said before the last denial of either card counts for neither. */
static void
the_last_denial_is_known_whatever_was_said_since(void **state)
{
	struct subject subject = { 0 };
	struct consent *consent = &subject.consent[CONSENT_PROFILE];
	struct event event = { .type = EV_CONSENT_CHANGED, .purpose = CONSENT_PROFILE };
	static const int64_t at[] = { 40, 30, 41 }, denied[] = { 40, 40, 41 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		event.granted = false;
		event.time_ms = at[i];
		assert_true(consent_change(&subject, &event));
		assert_int_equal(consent->denied_ms, denied[i]);
		event.granted = true;
		event.time_ms = 50;
		assert_true(consent_change(&subject, &event));
		assert_int_equal(consent->denied_ms, denied[i]);
	}
	for (int64_t other = 40; other <= 42; other++) {
		struct consent its = { .state = CONSENT_GRANTED, .at_ms = 60, .denied_ms = other };
		struct consent none = { .denied_ms = other };

		assert_int_equal(consent_merge(consent, &its).denied_ms, other > 41 ? other : 41);
		assert_int_equal(consent_merge(&its, consent).denied_ms, other > 41 ? other : 41);
		assert_int_equal(consent_merge(consent, &none).denied_ms, other > 41 ? other : 41);
	}
}

/* Of one time the later to come, an older grant never. */
static void
an_older_grant_changes_no_grant(void **state)
{
	struct subject subject = { .consent[CONSENT_CONTACT] = { CONSENT_GRANTED, 9, 20, 0 } };
	struct event event = { .purpose = CONSENT_CONTACT, .granted = true, .until_ms = 7 };

	(void)state;
	event.time_ms = 19;
	assert_false(consent_change(&subject, &event));
	assert_int_equal(subject.consent[CONSENT_CONTACT].until_ms, 9);
	event.time_ms = 20;
	assert_true(consent_change(&subject, &event));
	assert_int_equal(subject.consent[CONSENT_CONTACT].until_ms, 7);
	/* Of an unknown state it is the first word, however old. */
	subject.consent[CONSENT_CONTACT] = (struct consent){ CONSENT_UNKNOWN, 0, 20, 0 };
	event.time_ms = 5;
	assert_true(consent_change(&subject, &event));
	assert_int_equal(subject.consent[CONSENT_CONTACT].state, CONSENT_GRANTED);
	assert_int_equal(subject.consent[CONSENT_CONTACT].at_ms, 20);
}

static void
nobody_who_is_forgotten_has_granted_anything(void **state)
{
	struct subject subject = { .consent[CONSENT_PROFILE] = { CONSENT_GRANTED, 1, T, 0 } };

	(void)state;
	assert_true(consent_granted(&subject, CONSENT_PROFILE, 0));
	assert_false(consent_granted(&subject, CONSENT_PROFILE, 1));
	subject.consent[CONSENT_PROFILE].until_ms = 0;
	assert_true(consent_granted(&subject, CONSENT_PROFILE, T));
	subject.consent[CONSENT_PROFILE].state = CONSENT_DENIED;
	assert_false(consent_granted(&subject, CONSENT_PROFILE, T));
	subject.consent[CONSENT_PROFILE].state = CONSENT_GRANTED;
	subject.forgotten = true;
	assert_false(consent_granted(&subject, CONSENT_PROFILE, T));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_counts_by_what_it_says_and_when_it_was_said),
		cmocka_unit_test(a_grant_counts_unless_it_was_given_before_the_last_denial),
		cmocka_unit_test(
		    headquarters_word_counts_where_no_event_has_said_anything_or_is_later),
		cmocka_unit_test(of_two_cards_the_stricter_word_stays),
		cmocka_unit_test(the_last_denial_is_known_whatever_was_said_since),
		cmocka_unit_test(an_older_grant_changes_no_grant),
		cmocka_unit_test(nobody_who_is_forgotten_has_granted_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
