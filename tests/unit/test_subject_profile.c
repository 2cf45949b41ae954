/* SPDX-License-Identifier: Apache-2.0
 *
 * test_subject_profile.c - what headquarters says of a customer: which rows are taken, and what they come to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "aisle/event.h"
#include "profile/subject_io.h"
#include "profile/subject_rows.h"

static struct subject *
customer(void)
{
	return subject_new(&(struct id){ { 1 } });
}

static int
take(struct subject *subject, const char *json)
{
	return subject_apply_profile(subject, json, strlen(json));
}

static void
a_row_is_taken_whole_or_not_at_all(void **state)
{
	static const struct {
		const char *row;
		int error;
	} cases[] = {
		{ "{}", 0 },
		{ "{\"language\":\"de\",\"line\":\"x\",\"staff\":true}", 0 },
		{ "{\"staff\":false}", 0 },
		{ "{\"attributes\":{\"a\":1,\"b\":\"x\",\"c\":true}}", 0 },
		{ "{\"consent\":{\"personalise\":\"granted\",\"profile\":\"denied\"}}", 0 },
		{ "{\"consent\":{},\"attributes\":{},\"at\":\"2026-11-21T10:00:00Z\"}", 0 },
		{ "{\"other\":[1]}", 0 }, /* what is not known yet */
		{ "", AISLE_E_INVALID },
		{ "[]", AISLE_E_INVALID },
		{ "1", AISLE_E_INVALID },
		{ "{\"language\":1}", AISLE_E_INVALID },
		{ "{\"language\":null}", AISLE_E_INVALID },
		{ "{\"line\":{}}", AISLE_E_INVALID },
		{ "{\"staff\":1}", AISLE_E_INVALID },
		{ "{\"staff\":\"true\"}", AISLE_E_INVALID },
		{ "{\"at\":5}", AISLE_E_INVALID },
		{ "{\"at\":\"yesterday\"}", AISLE_E_INVALID },
		{ "{\"consent\":[]}", AISLE_E_INVALID },
		{ "{\"consent\":\"granted\"}", AISLE_E_INVALID },
		{ "{\"consent\":{\"personalise\":\"maybe\"}}", AISLE_E_INVALID },
		{ "{\"consent\":{\"contact\":true}}", AISLE_E_INVALID },
		{ "{\"attributes\":[]}", AISLE_E_INVALID },
		{ "{\"attributes\":{\"a\":null}}", AISLE_E_INVALID },
		{ "{\"attributes\":{\"a\":1,\"b\":[]}}", AISLE_E_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct subject *subject = customer();

		assert_int_equal(take(subject, "{\"line\":\"before\"}"), 0);
		if (take(subject, cases[i].row) != cases[i].error)
			fail_msg("%s", cases[i].row);
		/* What cannot be taken leaves what was known. */
		assert_int_equal(subject->line != NULL && strcmp(subject->line, "before") == 0,
		    cases[i].error != 0);
		assert_true(subject->has_profile && subject->known);
		subject_free(subject);
	}
}

static void
a_row_comes_to_what_it_says_and_nothing_of_the_one_before(void **state)
{
	struct subject *subject = customer();

	(void)state;
	assert_int_equal(take(subject,
			     "{\"language\":\"de\",\"line\":\"tea\",\"staff\":true,"
			     "\"attributes\":{\"age\":42.5,\"club\":true,\"new\":false,\"tier\":"
			     "\"gold\"}}"),
	    0);
	assert_string_equal(subject->language, "de");
	assert_string_equal(subject->line, "tea");
	assert_true(subject->staff);
	assert_int_equal(subject->attribute_count, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct attribute *a = &subject->attributes[i];

		if (strcmp(a->name, "age") == 0)
			assert_true(a->tag == VALUE_NUMBER && a->number == 42.5);
		else if (strcmp(a->name, "tier") == 0)
			assert_true(a->tag == VALUE_STRING && strcmp(a->str, "gold") == 0);
		else
			assert_true(a->tag == VALUE_BOOL &&
			    a->number == (strcmp(a->name, "club") == 0));
	}
	assert_int_equal(take(subject, "{}"), 0);
	assert_true(subject->language == NULL && subject->line == NULL && !subject->staff);
	assert_int_equal(subject->attribute_count, 0);
	assert_true(subject->has_profile);
	subject_free(subject);
}

static void
each_consent_is_taken_with_the_time_of_the_row(void **state)
{
	struct subject *subject = customer();

	(void)state;
	subject->consent[CONSENT_CONTACT] =
	    (struct consent){ CONSENT_DENIED, 0, INT64_C(1795255200000), 0 };
	assert_int_equal(take(subject,
			     "{\"consent\":{\"personalise\":\"granted\",\"profile\":\"denied\","
			     "\"contact\":"
			     "\"granted\"},\"at\":\"2026-11-21T10:00:00Z\"}"),
	    0);
	assert_int_equal(subject->consent[CONSENT_PERSONALISE].state, CONSENT_GRANTED);
	assert_int_equal(subject->consent[CONSENT_PROFILE].state, CONSENT_DENIED);
	assert_int_equal(subject->consent[CONSENT_CONTACT].state, CONSENT_DENIED);
	/* A millisecond later than what was said in the store. */
	assert_int_equal(take(subject,
			     "{\"consent\":{\"contact\":\"granted\"},\"at\":"
			     "\"2026-11-21T10:00:00.001Z\"}"),
	    0);
	assert_int_equal(subject->consent[CONSENT_CONTACT].state, CONSENT_GRANTED);
	subject_free(subject);
}

static void
who_is_forgotten_has_no_profile(void **state)
{
	struct subject *subject = customer();

	(void)state;
	subject->forgotten = true;
	assert_int_equal(take(subject,
			     "{\"language\":\"de\",\"staff\":true,\"attributes\":{\"a\":1}}"),
	    0);
	assert_true(!subject->has_profile && !subject->known && subject->language == NULL);
	assert_true(!subject->staff && subject->attribute_count == 0);
	subject_free(subject);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_taken_whole_or_not_at_all),
		cmocka_unit_test(a_row_comes_to_what_it_says_and_nothing_of_the_one_before),
		cmocka_unit_test(each_consent_is_taken_with_the_time_of_the_row),
		cmocka_unit_test(who_is_forgotten_has_no_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
