/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_operands.c - operands of a rule that can never be right: too many, too few, of a type that the operator
 * does not read.
 *
 * DESIGN
 *   JsonLogic answers everything: it leaves out the operand that it does not look at, and a number beside a text is
 *   false, always. In a policy that is a gate which nobody meant. Types are followed from features and constants
 *   upward; what may be of several types is left alone.
 */
#include "policy/policy_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
	IS_NUMBER = 1,
	IS_TEXT = 2,
	IS_BOOL = 4,
	IS_NULL = 8,
	IS_LIST = 16,
	IS_ANY = 31,
};
/* What an operator does with its operands. */
enum reads {
	READS_ANY,
	READS_COMPARED,
	READS_SAME,
	READS_NUMBERS,
	READS_PARSED,
	READS_IN,
	READS_BODY
};

#define MANY 65535
static const struct operand_rule {
	const char *name;
	unsigned min, max;
	enum reads reads;
	unsigned gives; /* types; 0: those of its operands */
} operators[] = {
	{ "==", 2, 2, READS_COMPARED, IS_BOOL },
	{ "!=", 2, 2, READS_COMPARED, IS_BOOL },
	{ "===", 2, 2, READS_SAME, IS_BOOL },
	{ "!==", 2, 2, READS_SAME, IS_BOOL },
	{ ">", 2, 2, READS_COMPARED, IS_BOOL },
	{ ">=", 2, 2, READS_COMPARED, IS_BOOL },
	{ "<", 2, 3, READS_COMPARED, IS_BOOL },
	{ "<=", 2, 3, READS_COMPARED, IS_BOOL },
	{ "!", 1, 1, READS_ANY, IS_BOOL },
	{ "!!", 1, 1, READS_ANY, IS_BOOL },
	{ "and", 1, MANY, READS_ANY, 0 },
	{ "or", 1, MANY, READS_ANY, 0 },
	{ "if", 2, MANY, READS_ANY, IS_ANY },
	{ "?:", 2, MANY, READS_ANY, IS_ANY },
	{ "max", 1, MANY, READS_NUMBERS, IS_NUMBER },
	{ "min", 1, MANY, READS_NUMBERS, IS_NUMBER },
	{ "+", 1, MANY, READS_PARSED, IS_NUMBER },
	{ "*", 1, MANY, READS_PARSED, IS_NUMBER },
	{ "-", 1, 2, READS_NUMBERS, IS_NUMBER },
	{ "/", 2, 2, READS_NUMBERS, IS_NUMBER },
	{ "%", 2, 2, READS_NUMBERS, IS_NUMBER },
	{ "in", 2, 2, READS_IN, IS_BOOL },
	{ "cat", 1, MANY, READS_ANY, IS_TEXT },
	{ "substr", 2, 3, READS_ANY, IS_TEXT },
	{ "var", 1, 2, READS_ANY, IS_ANY },
	{ "missing", 1, MANY, READS_ANY, IS_LIST },
	{ "missing_some", 2, 2, READS_ANY, IS_LIST },
	{ "map", 2, 2, READS_BODY, IS_LIST },
	{ "filter", 2, 2, READS_BODY, IS_LIST },
	{ "all", 2, 2, READS_BODY, IS_BOOL },
	{ "none", 2, 2, READS_BODY, IS_BOOL },
	{ "some", 2, 2, READS_BODY, IS_BOOL },
	{ "reduce", 3, 3, READS_BODY, IS_ANY },
	{ "log", 1, 1, READS_ANY, IS_ANY },
};

static const struct operand_rule *
operator_of(const json_t *rule)
{
	const char *name = json_is_object(rule) && json_object_size(rule) == 1
	    ? json_object_iter_key(json_object_iter((json_t *)(uintptr_t)rule))
	    : NULL;

	for (size_t i = 0; name != NULL && i < ARRAY_LEN(operators); i++)
		if (strcmp(operators[i].name, name) == 0)
			return &operators[i];
	return NULL;
}

/* Where the i-th operand stands: in the operator's list, or in its place. */
static struct at
operand(const struct at *args, size_t i)
{
	return json_is_array(args->json) ? at_index(args, i) : *args;
}

static unsigned
type_of_feature(const struct compile *c, const struct at *args)
{
	struct at name = operand(args, 0);
	int slot = json_is_string(name.json)
	    ? name_map_get(&c->features, json_string_value(name.json))
	    : -1;

	if (slot < 0 || json_array_size(args->json) > 1)
		return IS_ANY;
	switch (c->policy->features[slot].type) {
	case VALUE_NUMBER: return IS_NUMBER;
	case VALUE_STRING: return IS_TEXT;
	case VALUE_BOOL: return IS_BOOL;
	default: return IS_ANY;
	}
}

/* in_body: variables are of the list's element there, and of any type. */
static unsigned
type_of(const struct compile *c, const struct at *at, bool in_body)
{
	const struct operand_rule *op = operator_of(at->json);
	struct at args;

	switch (json_typeof(at->json)) {
	case JSON_STRING: return IS_TEXT;
	case JSON_INTEGER:
	case JSON_REAL: return IS_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE: return IS_BOOL;
	case JSON_NULL: return IS_NULL;
	case JSON_ARRAY: return IS_LIST;
	case JSON_OBJECT: break;
	}
	if (op == NULL)
		return IS_ANY;
	args = at_member(at, op->name);
	if (strcmp(op->name, "var") == 0)
		return in_body ? IS_ANY : type_of_feature(c, &args);
	if (op->gives != 0)
		return op->gives;
	unsigned types = 0;
	for (size_t i = 0; i < json_array_size(args.json); i++) {
		struct at here = at_index(&args, i);

		types |= type_of(c, &here, in_body);
	}
	return types != 0 ? types : IS_ANY;
}

static const char *
type_name(unsigned type)
{
	return type == IS_NUMBER ? "a number"
	    : type == IS_TEXT	 ? "a text"
	    : type == IS_BOOL	 ? "true or false"
	    : type == IS_LIST	 ? "a list"
				 : "nothing";
}

/* Never equal, and neither above nor below the other. True and false are 1 and 0 beside a number, but not the same. */
static bool
never_meet(unsigned a, unsigned b, bool same)
{
	unsigned both = a | b;

	if (a == b)
		return a == IS_LIST;
	return both == (IS_NUMBER | IS_TEXT) || both == (IS_BOOL | IS_TEXT) ||
	    (same && both == (IS_NUMBER | IS_BOOL));
}

static void
check_compared(struct compile *c, const struct at *args, const struct operand_rule *op,
    bool in_body)
{
	for (size_t i = 0; i + 1 < json_array_size(args->json); i++) {
		struct at a = at_index(args, i), b = at_index(args, i + 1);
		unsigned left = type_of(c, &a, in_body), right = type_of(c, &b, in_body);

		if (never_meet(left, right, op->reads == READS_SAME))
			mistake(c, &b,
			    "\"%s\" of %s and %s always has the same answer, expected the same "
			    "type on both sides",
			    op->name, type_name(left), type_name(right));
	}
}

static void
check_numbers(struct compile *c, const struct at *args, const struct operand_rule *op, bool in_body)
{
	unsigned not = op->reads == READS_PARSED ? IS_TEXT | IS_BOOL : IS_TEXT;
	size_t count = json_is_array(args->json) ? json_array_size(args->json) : 1;

	for (size_t i = 0; i < count; i++) {
		struct at here = operand(args, i);
		unsigned type = type_of(c, &here, in_body);

		if ((type & ~not ) == 0)
			mistake(c, &here, "\"%s\" of %s gives nothing, expected a number", op->name,
			    type_name(type));
		else if (i == 1 && (op->name[0] == '/' || op->name[0] == '%') &&
		    json_is_number(here.json) && json_number_value(here.json) == 0)
			mistake(c, &here, "a division by 0 gives nothing, expected another number");
	}
}

/* A list has a value if one of its elements is the same; a text has what it contains. */
static void
check_in(struct compile *c, const struct at *args, bool in_body)
{
	struct at needle = operand(args, 0), hay = operand(args, 1);
	unsigned wanted = type_of(c, &needle, in_body), there = type_of(c, &hay, in_body);

	if ((there & (IS_LIST | IS_TEXT)) == 0)
		mistake(c, &hay, "nothing is ever \"in\" %s, expected a list or a text",
		    type_name(there));
	if (there == IS_TEXT && (wanted & IS_TEXT) == 0)
		mistake(c, &hay, "%s is never \"in\" a text, expected a list of such values",
		    type_name(wanted));
	for (size_t i = 0; i < json_array_size(hay.json); i++) {
		struct at here = at_index(&hay, i);
		unsigned type = type_of(c, &here, in_body);

		if ((type & wanted) == 0)
			mistake(c, &here, "%s is never this element, %s, expected the same type",
			    type_name(wanted), type_name(type));
	}
}

static bool
check_count(struct compile *c, const struct at *args, const struct operand_rule *op)
{
	size_t count = json_is_array(args->json) ? json_array_size(args->json) : 1;

	if (count >= op->min && count <= op->max)
		return true;
	if (count > op->max) {
		struct at first = at_index(args, op->max);

		mistake(c, &first, "\"%s\" never looks at operand %u, expected %s%u", op->name,
		    op->max + 1, op->min < op->max ? "at most " : "", op->max);
	} else {
		mistake(c, args, "\"%s\" of %zu operands says nothing, expected %s%u", op->name,
		    count, op->min < op->max ? "at least " : "", op->min);
	}
	return false;
}

static bool
check(struct compile *c, const struct at *at, bool in_body)
{
	const struct operand_rule *op = operator_of(at->json);
	int before = c->mistakes;
	const char *key;
	json_t *value;

	for (size_t i = 0; i < json_array_size(at->json); i++) {
		struct at here = at_index(at, i);

		check(c, &here, in_body);
	}
	json_object_foreach(at->json, key, value) {
		struct at args = at_member(at, key);

		if (op != NULL && !check_count(c, &args, op))
			break;
		if (op != NULL && (op->reads == READS_COMPARED || op->reads == READS_SAME))
			check_compared(c, &args, op, in_body);
		else if (op != NULL && (op->reads == READS_NUMBERS || op->reads == READS_PARSED))
			check_numbers(c, &args, op, in_body);
		else if (op != NULL && op->reads == READS_IN)
			check_in(c, &args, in_body);
		check(c, &args, in_body || (op != NULL && op->reads == READS_BODY));
	}
	return c->mistakes == before;
}

bool
operands_check(struct compile *c, const struct at *at)
{
	return check(c, at, false);
}

static enum value_tag
tag_of(const json_t *value)
{
	return json_is_number(value) ? VALUE_NUMBER
	    : json_is_string(value)  ? VALUE_STRING
	    : json_is_boolean(value) ? VALUE_BOOL
				     : VALUE_MISSING;
}

int
policy_rule_mistakes(const struct policy_part *file, json_t *rule, json_t *data, struct buf *report)
{
	struct policy_part part = *file;
	struct policy_parts parts = { .part = &part, .count = 1 };
	struct policy policy = { 0 };
	struct compile c = { .parts = &parts, .policy = &policy, .report = report };
	struct at at = at_root(file->name, rule);
	const char *name;
	json_t *value;

	policy.features = mem_calloc(json_object_size(data) + 1, sizeof(*policy.features));
	json_object_foreach(data, name, value) {
		policy.features[policy.feature_count].type = tag_of(value);
		name_map_add(&c.features, name, (unsigned)policy.feature_count++);
	}
	operands_check(&c, &at);
	name_map_done(&c.features);
	free(policy.features);
	return c.mistakes;
}
