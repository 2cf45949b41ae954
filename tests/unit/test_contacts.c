/* SPDX-License-Identifier: Apache-2.0
 *
 * test_contacts.c - rows of what was said, names of what came of it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "session/session.h"
#include "nouns/contact.h"

static struct contact
row_at(int64_t at_ms, uint8_t prompt)
{
	struct contact row = { .at_ms = at_ms, .outcome = OUTCOME_DECIDED };

	row.prompt.b[0] = prompt;
	row.action = (char *)(uintptr_t) "a";
	return row;
}

static void
rows_ascend_by_time_then_by_arrival(void **state)
{
	static const int64_t times[] = { 5, 3, 5, 9, 3, 1 };
	static const uint8_t order[] = { 5, 1, 4, 0, 2, 3 };
	struct contacts contacts = { 0 };

	(void)state;
	for (uint8_t i = 0; i < 6; i++) {
		struct contact row = row_at(times[i], i);

		contacts_add(&contacts, &row);
	}
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(contacts.rows[i].prompt.b[0], order[i]);
	contacts_done(&contacts);
	assert_int_equal(contacts.count, 0);
}

static void
a_row_is_copied(void **state)
{
	char action[] = "coffee-off";
	struct contacts contacts = { 0 };
	struct contact row = { .action = action };

	(void)state;
	contacts_add(&contacts, &row);
	action[0] = 'X';
	assert_string_equal(contacts.rows[0].action, "coffee-off");
	/* Also one of its own. */
	for (int i = 0; i < 20; i++)
		contacts_add(&contacts, &contacts.rows[0]);
	assert_int_equal(contacts.count, 21);
	contacts_done(&contacts);
}

static void
at_the_bound_the_oldest_goes(void **state)
{
	struct contacts contacts = { 0 };
	struct contact row;

	(void)state;
	for (int i = 0; i < VISIT_CONTACTS_MAX; i++) {
		row = row_at(100 + i, 0);
		contacts_add(&contacts, &row);
	}
	assert_int_equal(contacts.rows[0].at_ms, 100);
	row = row_at(5000 + VISIT_CONTACTS_MAX, 0);
	contacts_add(&contacts, &row);
	assert_int_equal(contacts.count, VISIT_CONTACTS_MAX);
	assert_int_equal(contacts.rows[0].at_ms, 101);
	row = row_at(50, 0);
	contacts_add(&contacts, &row);
	assert_int_equal(contacts.count, VISIT_CONTACTS_MAX);
	assert_int_equal(contacts.rows[0].at_ms, 101);
	contacts_done(&contacts);
}

static void
every_outcome_has_a_name_that_leads_back(void **state)
{
	const char *reason = "x";

	(void)state;
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		assert_int_equal(outcome_by_name(outcome_name((enum outcome)i), &reason), i);
		assert_null(reason);
	}
	assert_string_equal(outcome_name(OUTCOME_CASE_CLOSED), "case-closed");
}

static void
only_an_override_has_a_reason_and_only_a_known_one(void **state)
{
	static const char *const bad[] = { "", "show", "shownn", "shown:x",
		"overridden:", "overridden:insensitiv", "overridden:insensitive:x", "SHOWN", ":",
		"case_closed" };
	const char *reason = NULL;

	(void)state;
	assert_int_equal(outcome_by_name("overridden:insensitive", &reason), OUTCOME_OVERRIDDEN);
	assert_string_equal(reason, "insensitive");
	assert_int_equal(outcome_by_name("overridden", &reason), OUTCOME_OVERRIDDEN);
	assert_null(reason);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(outcome_by_name(bad[i], &reason), OUTCOME_COUNT);
}

static void
a_row_comes_back_from_its_bytes_or_not_at_all(void **state)
{
	struct contact row = row_at(INT64_C(1790000000000), 3), back = { 0 };
	struct buf bytes = { 0 };
	struct rd rd;

	(void)state;
	row.outcome = OUTCOME_OVERRIDDEN;
	row.withheld = true;
	row.placement = 4;
	row.group = (char *)(uintptr_t) "coffee";
	row.issue = (char *)(uintptr_t) "";
	row.reason = (char *)(uintptr_t) "too-busy";
	contact_encode(&row, &bytes);
	rd = rd_init(bytes.data, bytes.len);
	assert_true(contact_decode(&rd, &back));
	assert_true(rd_done(&rd));
	assert_int_equal(back.outcome, OUTCOME_OVERRIDDEN);
	assert_int_equal(back.at_ms, row.at_ms);
	assert_true(back.withheld);
	assert_int_equal(back.placement, 4);
	assert_string_equal(back.action, "a");
	assert_string_equal(back.group, "coffee");
	assert_string_equal(back.issue, "");
	assert_string_equal(back.reason, "too-busy");
	contact_done(&back);
	for (size_t len = 0; len < bytes.len; len++) {
		rd = rd_init(bytes.data, len);
		assert_false(contact_decode(&rd, &back));
	}
	buf_done(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_ascend_by_time_then_by_arrival),
		cmocka_unit_test(a_row_is_copied),
		cmocka_unit_test(at_the_bound_the_oldest_goes),
		cmocka_unit_test(every_outcome_has_a_name_that_leads_back),
		cmocka_unit_test(only_an_override_has_a_reason_and_only_a_known_one),
		cmocka_unit_test(a_row_comes_back_from_its_bytes_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
