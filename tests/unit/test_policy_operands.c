/* SPDX-License-Identifier: Apache-2.0
 *
 * test_policy_operands.c - rules whose operands can never be right are refused where they stand; their neighbours
 * that can be are not.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "policy_fixture.h"

#define OVERDUE "{\"var\":\"coffee_overdue\"}"
#define TIER "{\"var\":\"tier\"}"
#define FLAG "{\"!\":" OVERDUE "}"

struct rule_row {
	const char *claim, *rule;
	const char
	    *at; /* the first text of the rule where the mistake stands; NULL: the rule is good */
	const char *text; /* what is said of it */
};

/* clang-format off */
static const struct rule_row rows[] = {
	{ "a comparison never looks at its third operand", "{\">\":[3," OVERDUE ",3]}", "3]}", "\">\" never looks at operand 3, expected 2" },
	{ "equality never looks at its third operand", "{\"===\":[" OVERDUE ",1,2]}", "2]}", "\"===\" never looks at operand 3" },
	{ "between has three operands", "{\"<\":[1," OVERDUE ",3]}", NULL, NULL },
	{ "between has no fourth", "{\"<\":[1," OVERDUE ",3,4]}", "4]}", "\"<\" never looks at operand 4, expected at most 3" },
	{ "a difference never looks at its third operand", "{\"-\":[1,2,3]}", "3]}", "\"-\" never looks at operand 3, expected at most 2" },
	{ "a sign has one", "{\"<\":[{\"-\":[" OVERDUE "]},0]}", NULL, NULL },
	{ "a comparison of one operand says nothing", "{\">\":[" OVERDUE "]}", "\">\"", "\">\" of 1 operands says nothing, expected 2" },
	{ "so does one without a list", "{\">\":" OVERDUE "}", "\">\"", "\">\" of 1 operands says nothing" },
	{ "a division of one operand says nothing", "{\"/\":[1]}", "\"/\"", "\"/\" of 1 operands says nothing, expected 2" },
	{ "a remainder of one operand says nothing", "{\"%\":[1]}", "\"%\"", "\"%\" of 1 operands says nothing" },
	{ "a division by 0 gives nothing", "{\"/\":[" OVERDUE ",0]}", "0]}", "a division by 0 gives nothing" },
	{ "one by a feature may", "{\">\":[{\"/\":[1," OVERDUE "]},2]}", NULL, NULL },
	{ "an and of nothing says nothing", "{\"and\":[]}", "\"and\"", "\"and\" of 0 operands says nothing, expected at least 1" },
	{ "an or of nothing says nothing", "{\"or\":[]}", "\"or\"", "\"or\" of 0 operands says nothing" },
	{ "an and of one is that one", "{\"and\":[{\">\":[" OVERDUE ",1]}]}", NULL, NULL },
	{ "an if without a value says nothing", "{\"if\":[" OVERDUE "]}", "\"if\"", "\"if\" of 1 operands says nothing, expected at least 2" },
	{ "a not has one operand", "{\"!\":[" OVERDUE "," OVERDUE "]}", "{\"var\":\"coffee_overdue\"}]", "\"!\" never looks at operand 2, expected 1" },
	{ "in has two operands", "{\"in\":[" TIER "]}", "\"in\"", "\"in\" of 1 operands says nothing" },
	{ "values beside each other are no list of them", "{\"in\":[" TIER ",\"gold\",\"silver\"]}", "\"silver\"", "\"in\" never looks at operand 3" },
	{ "var has a default and nothing else", "{\">\":[{\"var\":[\"coffee_overdue\",0,1]},0]}", "1]}", "\"var\" never looks at operand 3" },
	{ "a sum of truth gives nothing", "{\"+\":[true]}", "true", "\"+\" of true or false gives nothing, expected a number" },
	{ "so does one of a comparison", "{\">\":[{\"+\":[" FLAG ",1]},1]}", "{\"!\"", "\"+\" of true or false gives nothing" },
	{ "a product with a text gives nothing", "{\">\":[{\"*\":[" TIER ",2]},1]}", "{\"var\":\"tier\"}", "\"*\" of a text gives nothing, expected a number" },
	{ "a difference with a text gives nothing", "{\"-\":[" OVERDUE ",\"x\"]}", "\"x\"", "\"-\" of a text gives nothing" },
	{ "the greatest of texts is nothing", "{\">\":[{\"max\":[" TIER ",2]},1]}", "{\"var\":\"tier\"}", "\"max\" of a text gives nothing" },
	{ "a truth counts as 1 in a difference", "{\">\":[{\"-\":[1," FLAG "]},0]}", NULL, NULL },
	{ "a number is never a text", "{\"==\":[" OVERDUE ",\"high\"]}", "\"high\"", "\"==\" of a number and a text always has the same answer" },
	{ "a text is never above a number", "{\">\":[" TIER ",5]}", "5]}", "\">\" of a text and a number always has the same answer" },
	{ "a number is always another than a text", "{\"!=\":[" OVERDUE ",\"high\"]}", "\"high\"", "\"!=\" of a number and a text" },
	{ "a truth is never a text", "{\"==\":[" FLAG ",\"true\"]}", "\"true\"", "\"==\" of true or false and a text" },
	{ "a truth is 1", "{\"==\":[" FLAG ",1]}", NULL, NULL },
	{ "a truth is not the same as 1", "{\"===\":[" FLAG ",1]}", "1]}", "\"===\" of true or false and a number" },
	{ "a text may be above a text", "{\">\":[" TIER ",\"a\"]}", NULL, NULL },
	{ "nothing is a list", "{\"==\":[{\"missing\":[\"tier\"]},[]]}", "[]]", "\"==\" of a list and a list always has the same answer" },
	{ "between of a text and numbers is false", "{\"<\":[1," TIER ",3]}", "{\"var\":\"tier\"}", "\"<\" of a number and a text" },
	{ "no number is in a text", "{\"in\":[" OVERDUE ",\"abc\"]}", "\"abc\"", "a number is never \"in\" a text, expected a list" },
	{ "a text may be in a text", "{\"in\":[" TIER ",\"gold silver\"]}", NULL, NULL },
	{ "nothing is in a number", "{\"in\":[1," OVERDUE "]}", "{\"var\"", "nothing is ever \"in\" a number, expected a list or a text" },
	{ "a number is no text of a list", "{\"in\":[" OVERDUE ",[1,\"2\"]]}", "\"2\"", "a number is never this element, a text, expected the same type" },
	{ "a text is no number of a list", "{\"in\":[" TIER ",[\"gold\",7]]}", "7]", "a text is never this element, a number" },
	{ "what may be of two types is left alone", "{\"==\":[{\"if\":[" FLAG ",1,\"x\"]},\"x\"]}", NULL, NULL },
	{ "so is what has a default of another type", "{\"==\":[{\"var\":[\"coffee_overdue\",\"none\"]},\"none\"]}", NULL, NULL },
	{ "so are the elements of a list", "{\"some\":[[1,2],{\"==\":[{\"var\":\"\"},\"x\"]}]}", NULL, NULL },
	{ "a comparison with null is one of presence", "{\"==\":[" OVERDUE ",null]}", NULL, NULL },
};
/* clang-format on */

static void
is_said_at_its_place(void **state)
{
	const struct rule_row *row = *state;
	struct fixture fixture;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	const char *before = "\"applicable\":", *found;
	char to[500], place[100];
	int line = 1, column = 1, status;

	fixture_init(&fixture);
	snprintf(to, sizeof(to), "%s%s", before, row->rule);
	assert_int_equal(fixture_replace(&fixture, "actions/coffee-off.json",
			     "\"applicable\":{\"and\":[{\">\":[{\"var\":\"coffee_overdue\"},1]},"
			     "{\"==\":[{\"var\":\"basket_coffee\"},0]}]}",
			     to),
	    0);
	status = policy_compile(&fixture.parts, &policy, &report);
	if (row->at == NULL) {
		if (status != 0)
			fail_msg("expected no mistake\ngot: %s", report.data);
		policy_free(policy);
	} else {
		found = strstr(strstr(fixture.changed, before) + strlen(before), row->rule);
		found = strstr(found, row->at);
		/* The last of what is there twice: an operand that is too many. */
		if (row->at[strlen(row->at) - 1] == ']')
			while (strstr(found + 1, row->at) != NULL &&
			    strstr(found + 1, row->at) < strstr(fixture.changed, "\"suitable\""))
				found = strstr(found + 1, row->at);
		for (const char *p = fixture.changed; p < found; p++) {
			column = *p == '\n' ? 1 : column + 1;
			line += *p == '\n';
		}
		snprintf(place, sizeof(place), "actions/coffee-off.json:%d:%d: ", line, column);
		assert_int_not_equal(status, 0);
		found = strstr(report.data, place);
		if (found == NULL ||
		    strncmp(found + strlen(place), row->text, strlen(row->text)) != 0)
			fail_msg("expected %s%s\ngot: %s", place, row->text, report.data);
		/* Of a bundle that a store has: what was built may be served. */
		buf_clear(&report);
		fixture.parts.built = true;
		if (policy_compile(&fixture.parts, &policy, &report) == 0)
			policy_free(policy);
		assert_true(report.len == 0 || strstr(report.data, place) == NULL);
	}
	buf_done(&report);
	fixture_done(&fixture);
}

int
main(void)
{
	static struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].claim, is_said_at_its_place, NULL, NULL,
			(void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
