/* SPDX-License-Identifier: Apache-2.0
 *
 * test_policy_possible.c - what is said of a rule without a customer holds for each: rules at random, customers at
 * random, and the engine's own answer.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "logic/logic.h"
#include "policy/policy_lint.h"
#include "policy_fixture.h"

#define RULES 20000
#define CUSTOMERS 200

/* Two that may be missing, three that are always there. */
static const char *const numbers[] = { "coffee_overdue", "dismissed_coffee", "basket_coffee",
	"voids", "hour" };
static const char *const tiers[] = { "gold", "none", "silver", "" };
static const char *const tests[] = { ">", ">=", "<", "<=", "==", "!=", "===", "!==" };

static uint64_t seed = 20261130;

static unsigned
draw(unsigned below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % below;
}

/* ---- rules ---- */

static const char *
a_number(void)
{
	static const char *const some[] = { "0", "1", "2", "2.5", "5", "-1", "8", "23", "24" };

	return some[draw(ARRAY_LEN(some))];
}

static void
add_number(struct buf *out)
{
	const char *name = numbers[draw(ARRAY_LEN(numbers))];

	switch (draw(9)) {
	case 0: buf_addf(out, "{\"var\":[\"%s\",%s]}", name, a_number()); break;
	case 1: buf_addf(out, "{\"+\":[{\"var\":\"%s\"},1]}", name); break;
	default: buf_addf(out, "{\"var\":\"%s\"}", name); break;
	}
}

static void
add_list(struct buf *out, bool of_numbers)
{
	unsigned count = draw(4);

	buf_addc(out, '[');
	for (unsigned i = 0; i < count; i++)
		buf_addf(out, of_numbers ? "%s%s" : "%s\"%s\"", i > 0 ? "," : "",
		    of_numbers ? a_number() : tiers[draw(ARRAY_LEN(tiers))]);
	buf_addc(out, ']');
}

static void
add_test(struct buf *out)
{
	unsigned form = draw(9);
	const char *name = form % 2 == 0 ? "tier" : numbers[draw(ARRAY_LEN(numbers))];

	if (form < 3) {
		buf_addf(out, "{\"%s\":[", tests[draw(ARRAY_LEN(tests))]);
		add_number(out);
		buf_addf(out, ",%s]}", a_number());
	} else if (form == 3) {
		buf_addf(out, "{\"<=\":[%s,", a_number());
		add_number(out);
		buf_addf(out, ",%s]}", a_number());
	} else if (form == 4) {
		buf_addf(out, "{\"%s\":[{\"var\":\"tier\"},\"%s\"]}", tests[draw(ARRAY_LEN(tests))],
		    tiers[draw(ARRAY_LEN(tiers))]);
	} else if (form == 5) {
		bool of_numbers = draw(2) != 0;

		buf_addf(out, "{\"in\":[{\"var\":\"%s\"},", of_numbers ? name : "tier");
		add_list(out, of_numbers);
		buf_adds(out, "]}");
	} else if (form == 6) {
		buf_addf(out, "{\"missing\":[\"%s\",\"%s\"]}", name,
		    numbers[draw(ARRAY_LEN(numbers))]);
	} else if (form == 7) {
		buf_addf(out, "{\"%s\":[{\"var\":\"%s\"},null]}", tests[4 + draw(4)], name);
	} else {
		buf_addf(out, "{\"var\":\"%s\"}", name);
	}
}

static void
add_rule(struct buf *out, int depth)
{
	static const char *const many[] = { "and", "or", "if" }, *const one[] = { "!", "!!" };
	unsigned form = draw(4), count = form == 2 ? 3 : 1 + draw(3);

	if (depth == 0 || draw(3) == 0) {
		add_test(out);
	} else if (form == 3) {
		buf_addf(out, "{\"%s\":[", one[draw(2)]);
		add_rule(out, depth - 1);
		buf_adds(out, "]}");
	} else {
		buf_addf(out, "{\"%s\":[", many[form]);
		for (unsigned i = 0; i < count; i++) {
			buf_adds(out, i > 0 ? "," : "");
			add_rule(out, depth - 1);
		}
		buf_adds(out, "]}");
	}
}

/* ---- customers ---- */

struct customer {
	const struct policy *policy;
	double number[ARRAY_LEN(numbers)];
	bool missing[ARRAY_LEN(numbers)];
	const char *tier;
};

static void
somebody(struct customer *customer)
{
	static const double overdue[] = { 0, 0.5, 1, 2, 2.5, 3, 5, 8, 23, 24.5 };

	customer->number[0] = overdue[draw(ARRAY_LEN(overdue))];
	for (size_t i = 1; i < ARRAY_LEN(numbers); i++)
		customer->number[i] = draw(draw(2) != 0 ? 4 : i == 4 ? 24 : 26);
	for (size_t i = 0; i < 2; i++)
		customer->missing[i] = draw(3) == 0;
	customer->tier = tiers[draw(ARRAY_LEN(tiers))];
}

static struct value
value_of(void *ctx, unsigned slot)
{
	const struct customer *customer = ctx;
	const char *name = customer->policy->features[slot].name;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (strcmp(name, numbers[i]) == 0)
			return customer->missing[i] ? value_missing()
						    : value_number(customer->number[i]);
	return value_string(customer->tier);
}

static int
slot_of(void *ctx, const char *name)
{
	return policy_feature(((const struct customer *)ctx)->policy, name);
}

static bool
passes(const struct logic *logic, struct customer *customer)
{
	struct arena *arena = arena_new();
	struct value value;
	bool is = logic_run(logic, value_of, customer, arena, &value, NULL) == LOGIC_OK &&
	    logic_truthy(&value);

	arena_free(arena);
	return is;
}

/* One rule: is one of the two said of it, and is it so? */
static bool
look_at_rule(const struct policy *policy, const char *text)
{
	const struct action *action = policy_action(policy, "coffee-off");
	struct facts facts = { .policy = policy, .action = action };
	struct facts surely = { .policy = policy, .action = action, .surely = true };
	struct customer customer = { .policy = policy };
	json_t *rule = json_loads(text, 0, NULL);
	struct logic *logic = NULL;
	struct err err = { 0 };
	bool never, always;

	assert_non_null(rule);
	if (logic_compile(rule, slot_of, &customer, &logic, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	never = !possible(&facts, rule, true);
	always = !possible(&surely, rule, false);
	for (int i = 0; (never || always) && i < CUSTOMERS; i++) {
		somebody(&customer);
		if (passes(logic, &customer) ? never : always)
			fail_msg("%s: %s holds, it is said; %s, hour %g, overdue %g%s", text,
			    never ? "never" : "always", customer.tier, customer.number[4],
			    customer.number[0], customer.missing[0] ? " (missing)" : "");
	}
	logic_free(logic);
	json_decref(rule);
	return never || always;
}

static void
what_never_or_always_holds_does_so_for_each_customer(void **state)
{
	struct fixture fixture;
	struct policy *policy = NULL;
	struct buf report = { 0 }, rule = { 0 };
	int said = 0;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(policy_compile(&fixture.parts, &policy, &report), 0);
	for (int i = 0; i < RULES; i++) {
		buf_clear(&rule);
		add_rule(&rule, 3);
		said += look_at_rule(policy, rule.data);
	}
	assert_true(said > RULES / 20); /* else there was nothing to be wrong about */
	policy_free(policy);
	buf_done(&report);
	buf_done(&rule);
	fixture_done(&fixture);
}

int
main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(what_never_or_always_holds_does_so_for_each_customer),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
