/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_lint_gates.c - tests of eligible, applicable and suitable that never hold, always hold, or contradict each
 * other.
 */
#include "policy/policy_lint.h"

#include <string.h>

static struct facts
no_facts(const struct compile *c, const struct action *action, bool surely)
{
	return (struct facts){ .policy = c->policy, .action = action, .surely = surely };
}

/* An or whose part is dead is no mistake of the whole. */
static void
lint_alternatives(struct compile *c, const struct at *at, const struct facts *before)
{
	struct at list = at_member(at, "or");

	for (size_t i = 0; i < json_array_size(list.json); i++) {
		struct at here = at_index(&list, i);
		struct facts alone = no_facts(c, before->action, false);

		if (!possible(&alone, here.json, true))
			warning(c, &here,
			    "this alternative never holds, expected one that can or none");
	}
}

/* One test that must hold beside all others. false: the action is dead. */
static bool
lint_test(struct compile *c, const struct at *at, struct facts *facts)
{
	struct facts alone = no_facts(c, facts->action, false),
		     surely = no_facts(c, facts->action, true);

	if (!possible(&alone, at->json, true)) {
		warning(c, at,
		    "this never holds, so the action is dead, expected a test that can be true");
		return false;
	}
	if (!possible(facts, at->json, true)) {
		warning(c, at,
		    "this contradicts what stands before it, so the action is dead, expected tests "
		    "that can hold together");
		return false;
	}
	if (!possible(&surely, at->json, false))
		warning(c, at, "this always holds, expected a test that can be false or none");
	else
		lint_alternatives(c, at, facts);
	return true;
}

static bool
lint_tests(struct compile *c, const struct at *at, struct facts *facts)
{
	struct at list = at_member(at, "and");

	if (!json_is_array(list.json))
		return lint_test(c, at, facts);
	for (size_t i = 0; i < json_array_size(list.json); i++) {
		struct at here = at_index(&list, i);

		if (!lint_tests(c, &here, facts))
			return false;
	}
	return true;
}

void
lint_gates(struct compile *c, const struct at *at, const struct action *action)
{
	static const char *const gates[] = { "eligible", "applicable", "suitable" };
	struct facts facts = no_facts(c, action, false);

	for (size_t i = 0; i < ARRAY_LEN(gates); i++) {
		struct at here = at_member(at, gates[i]);

		if (here.json == NULL || json_is_true(here.json) || json_is_null(here.json))
			continue;
		if (!lint_tests(c, &here, &facts))
			return;
	}
}
