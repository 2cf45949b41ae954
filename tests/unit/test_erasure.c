/* SPDX-License-Identifier: Apache-2.0
 *
 * test_erasure.c - what becomes of records that name a customer who was forgotten.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hq/erasure.h"

#define ANNA "6f0d3c1f5a8e4b7792d0c8a1e5b3f604"
#define BERT "00000000000000000000000000000001"

static enum erased
apply(const char *type, int64_t at_ms, const char *body, char **ret_text)
{
	struct erasures erasures = { .items = NULL };
	struct buf rest = { 0 };
	erasures_add(&erasures, ANNA, 1000);
	erasures_add(&erasures, "ffffffffffffffffffffffffffffffff", 1000);
	enum erased erased = erasures_apply(&erasures, type, at_ms, body, &rest);
	erasures_done(&erasures);
	*ret_text = buf_steal(&rest);
	return erased;
}

static void
expect(const char *type, const char *body, enum erased erased, const char *rest)
{
	char *text;
	assert_int_equal(apply(type, 1000, body, &text), erased);
	assert_string_equal(text, rest);
	free(text);
}

static void
figures_stay_and_the_person_goes(void **state)
{
	(void)state;
	expect("sale", "{\"visit\":\"V\",\"basket\":\"b\",\"subject\":\"" ANNA "\",\"gross\":4210}",
	    ERASED_BODY, "{\"visit\":\"V\",\"gross\":4210}");
	expect("decision",
	    "{\"decision\":\"D\",\"subject\":\"" ANNA "\",\"trigger\":{\"id\":\"e\"},\"features\":"
	    "{\"x\":1},\"counters\":{\"c\":1},\"slots\":[{\"action\":\"a\"}]}",
	    ERASED_BODY, "{\"decision\":\"D\",\"slots\":[{\"action\":\"a\"}]}");
	expect("settled", "{\"rows\":[{\"who\":\"" ANNA "\",\"y\":1}],\"of\":[\"" ANNA "\",\"x\"]}",
	    ERASED_BODY, "{\"rows\":[{\"y\":1}],\"of\":[\"x\"]}");
}

static void
a_consent_goes_whole(void **state)
{
	(void)state;
	expect("consent", "{\"subject\":\"" ANNA "\",\"purpose\":\"profile\"}", ERASED_ROW, "");
	expect("sale", "{\"" ANNA "\":1}", ERASED_ROW,
	    ""); /* a name cannot be told from a figure */
}

static void
others_and_what_came_later_are_not_touched(void **state)
{
	char *text;
	(void)state;
	expect("sale", "{\"subject\":\"" BERT "\"}", ERASED_NOT, "");
	expect("sale", "{\"subject\":\"" ANNA "0\"}", ERASED_NOT, "");
	expect("sale", "{\"text\":\"of " ANNA "\"}", ERASED_NOT, "");
	assert_int_equal(apply("sale", 1001, "{\"subject\":\"" ANNA "\"}", &text), ERASED_NOT);
	free(text);
}

static void
two_of_them_in_one_record_both_go(void **state)
{
	(void)state;
	expect("merge", "{\"a\":\"ffffffffffffffffffffffffffffffff\",\"b\":\"" ANNA "\",\"n\":1}",
	    ERASED_BODY, "{\"n\":1}");
}

static void
the_later_time_of_a_subject_counts_and_all_are_found(void **state)
{
	struct erasures erasures = { .items = NULL };
	char subject[33];
	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(subject, sizeof(subject), "%032x", i * 7919 % 300);
		erasures_add(&erasures, subject, i);
	}
	erasures_add(&erasures, BERT, 5000);
	erasures_add(&erasures, BERT, 4000);
	assert_int_equal(erasures.count, 300);
	assert_int_equal(erasures_find(&erasures, BERT)->at_ms, 5000);
	for (int i = 0; i < 300; i++) {
		snprintf(subject, sizeof(subject), "%032x", i);
		assert_non_null(erasures_find(&erasures, subject));
	}
	assert_null(erasures_find(&erasures, ANNA));
	erasures_done(&erasures);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_stay_and_the_person_goes),
		cmocka_unit_test(a_consent_goes_whole),
		cmocka_unit_test(others_and_what_came_later_are_not_touched),
		cmocka_unit_test(two_of_them_in_one_record_both_go),
		cmocka_unit_test(the_later_time_of_a_subject_counts_and_all_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
