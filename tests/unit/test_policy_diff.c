/* SPDX-License-Identifier: Apache-2.0
 *
 * test_policy_diff.c - what a policy means after another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "policy_fixture.h"
#include "tools/policy_diff.h"

/* The good policy beside the same with one text replaced by another, in one file; what is told, as text. */
static char *
told(const char *file, const char *from, const char *to)
{
	struct fixture a, b;
	struct policy *was = NULL, *now = NULL;
	struct buf report = { 0 }, out = { 0 };
	json_t *changes;

	fixture_init(&a);
	fixture_init(&b);
	if (file != NULL && to == NULL)
		fixture_remove(&b, file);
	else if (file != NULL && from == NULL)
		fixture_set(&b, file, to);
	else if (file != NULL)
		assert_int_equal(fixture_replace(&b, file, from, to), 0);
	assert_int_equal(policy_compile(&a.parts, &was, &report), 0);
	if (policy_compile(&b.parts, &now, &report) != 0)
		fail_msg("%s", report.data);
	changes = policy_diff(was, &a.parts, now, &b.parts);
	json_write(changes, &out);
	json_decref(changes);
	policy_free(was);
	policy_free(now);
	buf_done(&report);
	fixture_done(&a);
	fixture_done(&b);
	return buf_steal(&out);
}

static void
expect(const char *file, const char *from, const char *to, const char *wanted)
{
	char *text = told(file, from, to);

	if (strstr(text, wanted) == NULL)
		fail_msg("%s in place of %s: told %s, expected %s", to, from, text, wanted);
	free(text);
}

static void
the_same_policy_has_no_difference(void **state)
{
	char *text = told(NULL, NULL, NULL);

	(void)state;
	assert_string_equal(text, "[]");
	free(text);
}

/* clang-format off */
static void
each_member_is_told_in_its_words(void **state)
{
	static const struct {
		const char *file, *from, *to, *wanted;
	} rows[] = {
		{ "actions/coffee-off.json", "\"depth\":10", "\"depth\":15", "{\"what\":\"depth\",\"was\":\"10 %\",\"now\":\"15 %\"}" },
		{ "actions/coffee-off.json", "\"money\":20000", "\"money\":30050", "{\"what\":\"budget\",\"was\":\"200.00 EUR\",\"now\":\"300.50 EUR\"}" },
		{ "actions/coffee-off.json", "\"gate\":\"associate\"", "\"gate\":\"manager\"", "{\"what\":\"gate\",\"was\":\"associate\",\"now\":\"manager\"}" },
		{ "actions/coffee-off.json", "\"silver\"", "\"none\"", "{\"what\":\"who may get it\",\"was\":\"tier is one of gold, silver\",\"now\":\"tier is one of gold, none\"}" },
		{ "actions/coffee-off.json", "\"max\":1,\"within\":\"7d\"", "\"max\":2,\"within\":\"7d\"", "{\"what\":\"cap\",\"now\":\"at most 2 shown to a customer in 7d\"}" },
		{ "actions/coffee-off.json", "Usually buys coffee by now", "Buys coffee", "{\"what\":\"plain (en).why\",\"was\":\"Usually buys coffee by now\"}" },
		{ "actions/coffee-off.json", "\"mon\",", "", "{\"what\":\"valid.days\",\"was\":\"mon\"}" },
		{ "actions/coffee-off.json", "\"margin\":180", "\"margin\":{\"lines\":true,\"else\":90}", "{\"what\":\"margin\",\"was\":\"1.80 EUR\",\"now\":\"as the till states it, else 90\"}" },
		{ "contact.json", "\"for\":\"30d\"", "\"for\":\"60d\"", "after 2 dismissed in 30d the group is silent for 60d" },
		{ "contact.json", "\"max\":3", "\"max\":4", "at most 4 shown to a customer of everything in 1d, by business day" },
		{ "policy.json", "\"interrupt\":3", "\"interrupt\":4", "{\"what\":\"interrupt\",\"was\":\"0.03 EUR\",\"now\":\"0.04 EUR\"}" },
		{ "policy.json", "\"share\":0.05", "\"share\":0.1", "{\"what\":\"control group\",\"was\":\"0.05\",\"now\":\"0.1\"}" },
		{ "policy.json", "\"control\":\"01234567", "\"control\":\"11234567", "\"now\":\"11234567… (everybody is drawn anew)\"" },
		{ "policy.json", "[\"en\",\"de\"]", "[\"de\",\"en\"]", "{\"what\":\"languages\",\"was\":\"en, de\",\"now\":\"de, en\"}" },
		{ "features.json", "half_life=30d", "half_life=60d", "{\"of\":\"feature\",\"name\":\"coffee_spend\",\"is\":\"changed\"" },
		{ "features.json", "\"default\":\"none\"", "\"default\":\"gold\"", "{\"what\":\"read by\",\"now\":\"coffee-off\"}" },
		{ "models/churn.exam.csv", ",4,-0.5\n", "", "{\"of\":\"model\",\"name\":\"churn\",\"is\":\"changed\",\"lines\":[{\"what\":\"exam\",\"now\":\"1 other rows\"}]}" },
		{ "experiments.json", "\"share\":0.5", "\"share\":0.25", "{\"of\":\"experiment\",\"name\":\"wording\",\"is\":\"changed\",\"lines\":[{\"what\":\"share\",\"was\":\"0.5\",\"now\":\"0.25\"}]}" },
		{ "actions/help.json", NULL, NULL, "{\"of\":\"card\",\"name\":\"help\",\"is\":\"went\",\"says\":\"May I help with the scanning?\",\"lines\":[]}" },
		{ "shrink.json", "\"lambda\":0.5", "\"lambda\":0.25", "{\"of\":\"shrink\"" },
		{ "zones.json", "CET-1CEST", "CET-1CES", "{\"of\":\"zones\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(rows[i].file, rows[i].from, rows[i].to, rows[i].wanted);
}

static void
a_card_that_came_says_what_it_is(void **state)
{
	static const char other[] =
	    "{\"action\":\"tea\",\"kind\":\"inform\",\"issue\":\"grow\",\"group\":\"tea\",\"personal\":false,"
	    "\"on\":[\"aisle.basket.item-added\"],\"propensity\":0.5,\"incremental\":1,\"margin\":5,\"outcome\":{\"is\":\"none\"},"
	    "\"placements\":[\"tablet\"],\"gate\":\"none\",\"expires\":\"90s\","
	    "\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Tea is new\"}]}";

	(void)state;
	expect("actions/tea.json", NULL, other, "{\"of\":\"card\",\"name\":\"tea\",\"is\":\"came\",\"says\":\"Tea is new\"");
	expect("actions/tea.json", NULL, other, "{\"what\":\"gate\",\"now\":\"none\"}");
}
/* clang-format on */

static void
a_long_text_is_cut_at_a_whole_character(void **state)
{
	struct buf body = { 0 };
	char *text;

	(void)state;
	buf_adds(&body, "{{coffee_overdue|round|default:");
	for (int i = 0; i < POLICY_DIFF_TEXT_BYTES; i++)
		buf_adds(&body, "ü");
	text = told("actions/coffee-off.json", "{{coffee_overdue|round|default:", body.data);
	assert_non_null(strstr(text, "ü…\"}"));
	assert_true(strlen(text) < 2 * POLICY_DIFF_TEXT_BYTES + 300);
	free(text);
	buf_done(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_policy_has_no_difference),
		cmocka_unit_test(each_member_is_told_in_its_words),
		cmocka_unit_test(a_card_that_came_says_what_it_is),
		cmocka_unit_test(a_long_text_is_cut_at_a_whole_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
