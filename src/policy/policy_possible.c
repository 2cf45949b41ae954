/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_possible.c - may a rule ever be true, or false? With facts of features that become narrower on the way.
 *
 * DESIGN
 *   Three values: a rule is true, false, or reads something missing. Only a no is an answer; what is not understood
 *   (arithmetic, lists, a default in place) may come out either way.
 */
#include "policy/policy_lint.h"

#include <string.h>

#include "logic/logic.h"

enum test { TEST_EQ, TEST_NE, TEST_LT, TEST_LE, TEST_GT, TEST_GE, TEST_COUNT };

static const char *
operator_name(const json_t *rule)
{
	return json_is_object(rule) && json_object_size(rule) == 1
	    ? json_object_iter_key(json_object_iter((json_t *)(uintptr_t)rule))
	    : NULL;
}

static size_t
arg_count(const json_t *args)
{
	return json_is_array(args) ? json_array_size(args) : 1;
}

static json_t *
arg(json_t *args, size_t i)
{
	return json_is_array(args) ? json_array_get(args, i) : args;
}

/* The slot of {"var":"name"} without default; -1: it is something else. */
static int
plain_slot(const struct facts *facts, const json_t *rule)
{
	const char *name = operator_name(rule);
	json_t *args =
	    name != NULL && strcmp(name, "var") == 0 ? json_object_get(rule, name) : NULL;

	if (args == NULL || arg_count(args) != 1 || !json_is_string(arg(args, 0)))
		return -1;
	return policy_feature(facts->policy, json_string_value(arg(args, 0)));
}

static bool
truthy(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING: return json_string_length(value) > 0;
	case JSON_INTEGER:
	case JSON_REAL: return json_number_value(value) != 0;
	case JSON_ARRAY: return json_array_size(value) > 0;
	case JSON_TRUE:
	case JSON_OBJECT: return true;
	default: return false;
	}
}

/* Nothing that is looked up: such a rule has one value, always. */
static bool
is_fixed(const json_t *rule)
{
	const char *name = operator_name(rule), *key;
	json_t *value;
	size_t i;

	if (name != NULL && (strcmp(name, "var") == 0 || strncmp(name, "missing", 7) == 0))
		return false;
	json_array_foreach(rule, i, value)
		if (!is_fixed(value))
			return false;
	json_object_foreach((json_t *)(uintptr_t)rule, key, value)
		if (!is_fixed(value))
			return false;
	return true;
}

static bool
fixed_is(json_t *rule, bool want)
{
	struct logic *logic = NULL;
	struct err err = { 0 };
	json_t *result = NULL;
	bool is = true;

	if (logic_compile(rule, NULL, NULL, &logic, &err) != 0)
		return true;
	if (logic_run_json(logic, json_null(), &result) == LOGIC_OK)
		is = truthy(result) == want;
	json_decref(result);
	logic_free(logic);
	return is;
}

/* An operator reads it, so it is there; false: it is known not to be. NULL in *ret_fact: anything goes. */
static bool
read_fact(struct facts *facts, int slot, struct fact **ret_fact)
{
	struct fact *fact = fact_of(facts, (unsigned)slot);

	*ret_fact = NULL;
	if (facts->surely && !feature_always_known(&facts->policy->features[slot]))
		return true;
	if (fact == NULL)
		return true;
	if (fact->absent)
		return false;
	fact->present = true;
	*ret_fact = fact;
	return true;
}

static bool
possible_presence(struct facts *facts, int slot, bool present)
{
	struct fact *fact = fact_of(facts, (unsigned)slot);
	bool always = feature_always_known(&facts->policy->features[slot]);

	if (fact == NULL)
		return present || !always;
	if (present ? fact->absent : fact->present || always)
		return false;
	*(present ? &fact->present : &fact->absent) = true;
	return true;
}

static bool
possible_truth(struct facts *facts, int slot, bool want)
{
	static json_t *nothing[2];
	const struct feature *feature = &facts->policy->features[slot];
	struct fact *fact;
	json_t *value;

	if (!read_fact(facts, slot, &fact))
		return false;
	if (fact == NULL)
		return true;
	if (feature->type == VALUE_BOOL) {
		value = want ? json_true() : json_false();
		return fact_is(fact, &value, 1);
	}
	if (nothing[0] == NULL) {
		nothing[0] = json_integer(0);
		nothing[1] = json_string("");
		CHECK(nothing[0] != NULL && nothing[1] != NULL);
	}
	value = nothing[feature->type == VALUE_STRING];
	return want ? fact_is_not(fact, value) : fact_is(fact, &value, 1);
}

static bool
possible_bound(struct fact *fact, enum test test, const json_t *value)
{
	double bound = json_number_value(value);

	if (!json_is_number(value))
		return true;
	switch (test) {
	case TEST_LT: return fact_below(fact, bound, true);
	case TEST_LE: return fact_below(fact, bound, false);
	case TEST_GT: return fact_above(fact, bound, true);
	default: return fact_above(fact, bound, false);
	}
}

/* A feature beside a constant. */
static bool
possible_test(struct facts *facts, enum test test, int slot, json_t *value)
{
	const struct feature *feature = &facts->policy->features[slot];
	struct fact *fact;

	if (json_is_null(value) && (test == TEST_EQ || test == TEST_NE))
		return possible_presence(facts, slot, test == TEST_NE);
	if (!read_fact(facts, slot, &fact))
		return false;
	if (fact == NULL || json_is_object(value) || json_is_array(value))
		return true;
	if (feature->type == VALUE_BOOL && json_is_number(value))
		value = json_number_value(value) == 1 ? json_true()
		    : json_number_value(value) == 0   ? json_false()
						      : NULL;
	if (value == NULL || (feature->type == VALUE_NUMBER) != json_is_number(value) ||
	    (feature->type == VALUE_BOOL) != json_is_boolean(value))
		return true;
	if (test == TEST_EQ)
		return fact_is(fact, &value, 1);
	if (test == TEST_NE)
		return fact_is_not(fact, value);
	return feature->type == VALUE_BOOL || possible_bound(fact, test, value);
}

static enum test
test_of(const char *name)
{
	static const char *const names[TEST_COUNT] = { "==", "!=", "<", "<=", ">", ">=" };

	for (int i = 0; i < TEST_COUNT; i++)
		if (strcmp(name, names[i]) == 0 ||
		    (i <= TEST_NE && strncmp(name, names[i], 2) == 0 && strcmp(name + 2, "=") == 0))
			return (enum test)i;
	return TEST_COUNT;
}

static bool
possible_pair(struct facts *facts, enum test test, json_t *a, json_t *b, bool want)
{
	static const enum test opposite[TEST_COUNT] = { TEST_NE, TEST_EQ, TEST_GE, TEST_GT, TEST_LE,
		TEST_LT };
	static const enum test mirrored[TEST_COUNT] = { TEST_EQ, TEST_NE, TEST_GT, TEST_GE, TEST_LT,
		TEST_LE };
	int left = plain_slot(facts, a), right = plain_slot(facts, b);

	if (!want)
		test = opposite[test];
	if (left >= 0 && right < 0)
		return possible_test(facts, test, left, b);
	if (right >= 0 && left < 0)
		return possible_test(facts, mirrored[test], right, a);
	return true;
}

static bool
possible_compare(struct facts *facts, enum test test, json_t *args, bool want)
{
	if (json_array_size(args) == 3 && want)
		return possible_pair(facts, test, arg(args, 0), arg(args, 1), true) &&
		    possible_pair(facts, test, arg(args, 1), arg(args, 2), true);
	if (json_array_size(args) != 2)
		return true;
	return possible_pair(facts, test, arg(args, 0), arg(args, 1), want);
}

static bool
possible_in(struct facts *facts, json_t *args, bool want)
{
	int slot = plain_slot(facts, arg(args, 0));
	json_t *list = json_array_get(args, 1), *value;
	json_t *values[64];
	struct fact *fact;
	size_t i, count = json_array_size(list);

	if (slot < 0 || !json_is_array(list) || count > ARRAY_LEN(values))
		return true;
	if (!read_fact(facts, slot, &fact))
		return false;
	json_array_foreach(list, i, value) {
		if (json_is_object(value) || json_is_array(value))
			return true;
		values[i] = value;
	}
	if (fact == NULL)
		return !want || count > 0 || facts->surely;
	if (want)
		return fact_is(fact, values, count);
	for (i = 0; i < count; i++)
		if (!fact_is_not(fact, values[i]))
			return false;
	return true;
}

/* Does it read a feature that may be missing, so that nobody knows what it says? */
static bool
may_be_unknown(const struct facts *facts, json_t *rule)
{
	int slot = plain_slot(facts, rule);
	const char *key;
	json_t *value;
	size_t i;

	if (slot >= 0)
		return !feature_always_known(&facts->policy->features[slot]);
	json_array_foreach(rule, i, value)
		if (may_be_unknown(facts, value))
			return true;
	json_object_foreach(rule, key, value)
		if (may_be_unknown(facts, value))
			return true;
	return false;
}

/* All of them as wanted. Surely, only as far as the first that may be unknown: so is then the whole. */
static bool
possible_all(struct facts *facts, json_t *args, bool want)
{
	for (size_t i = 0; i < arg_count(args); i++) {
		if (!possible(facts, arg(args, i), want))
			return false;
		if (facts->surely && may_be_unknown(facts, arg(args, i)))
			return true;
	}
	return true;
}

/* One of them, which says nothing of the others. */
static bool
possible_any(const struct facts *facts, json_t *args, bool want)
{
	for (size_t i = 0; i < arg_count(args); i++) {
		struct facts copy = *facts;

		if (possible(&copy, arg(args, i), want))
			return true;
	}
	return false;
}

/* {"missing":["a","b"]} is true where one of them is, or is an empty text. */
static bool
possible_missing(struct facts *facts, json_t *args, bool want)
{
	json_t *names = json_is_array(arg(args, 0)) ? arg(args, 0) : args;
	size_t count = arg_count(names);
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(arg(names, i));
		int slot = name != NULL ? policy_feature(facts->policy, name) : -1;
		struct facts copy = *facts;

		if (slot < 0 || (want && facts->policy->features[slot].type == VALUE_STRING))
			return true;
		if (!want && !possible_presence(facts, slot, true))
			return false;
		if (want && possible_presence(count == 1 ? facts : &copy, slot, false))
			any = true;
	}
	return !want || any;
}

bool
possible(struct facts *facts, json_t *rule, bool want)
{
	const char *name = operator_name(rule);
	json_t *args = name != NULL ? json_object_get(rule, name) : NULL;
	int slot = plain_slot(facts, rule);

	if (name == NULL)
		return json_is_array(rule) || truthy(rule) == want;
	if (is_fixed(rule))
		return fixed_is(rule, want);
	if (slot >= 0)
		return possible_truth(facts, slot, want);
	if (strcmp(name, "and") == 0 || strcmp(name, "or") == 0)
		return (strcmp(name, "and") == 0) == want ? possible_all(facts, args, want)
							  : possible_any(facts, args, want);
	if (strcmp(name, "!") == 0 || strcmp(name, "!!") == 0)
		return possible(facts, arg(args, 0), (name[1] == '!') == want);
	if (strcmp(name, "in") == 0)
		return possible_in(facts, args, want);
	if (strcmp(name, "missing") == 0)
		return possible_missing(facts, args, want);
	if (test_of(name) < TEST_COUNT)
		return possible_compare(facts, test_of(name), args, want);
	return true;
}
