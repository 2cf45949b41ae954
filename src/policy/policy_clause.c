/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_clause.c - rules compiled once, equal rules shared; and expressions over them.
 */
#include "policy/policy_internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "logic/logic.h"

static int
resolve(void *ctx, const char *name)
{
	struct compile *c = ctx;

	return name_map_get(&c->features, name);
}

static void
note_slot(void *ctx, unsigned slot)
{
	struct compile *c = ctx;

	if (c->policy->features[slot].per_action)
		c->clause[c->policy->clause_count].per_action = true;
}

/* The rule's own path, if the compiler gave one, leads to the very operand. */
static void
rule_mistake(struct compile *c, const struct at *at, const struct err *err)
{
	char pointer[sizeof(err->text)];
	const char *colon = strstr(err->text, ": ");

	if (err->text[0] != '/' || colon == NULL) {
		mistake(c, at, "%s", err->text);
		return;
	}
	memcpy(pointer, err->text, (size_t)(colon - err->text));
	pointer[colon - err->text] = '\0';
	mistake_below(c, at, pointer, colon + 2);
}

void
policy_rule_refused(const struct policy_part *file, const struct err *err, struct buf *report)
{
	struct policy_part part = *file;
	struct policy_parts parts = { .part = &part, .count = 1 };
	struct compile c = { .parts = &parts, .report = report };
	struct at at = at_root(file->name, NULL);

	rule_mistake(&c, &at, err);
}

/* Thousands of article numbers in each of a hundred rules would make a record that nothing holds. */
static const char *
brief_of(struct compile *c, const struct at *at, const char *source)
{
	size_t len = strlen(source), cut = CLAUSE_BYTES_MAX;
	uint8_t digest[16];
	char hex[2 * sizeof(digest) + 1];

	if (len <= CLAUSE_BYTES_MAX)
		return source;
	warning(c, at, "a rule of %zu bytes: decisions on record hold its first %d and its hash",
	    len, CLAUSE_BYTES_MAX);
	while (((unsigned char)source[cut] & 0xc0) == 0x80)
		cut--;
	hash_bytes(digest, sizeof(digest), source, len, NULL, 0);
	hash_hex(hex, digest, sizeof(digest));
	return arena_printf(c->arena, "%.*s…%.16s", (int)cut, source, hex);
}

static uint32_t
clause_compile(struct compile *c, const struct at *at, const char *source)
{
	struct policy *policy = c->policy;
	struct err err = { 0 };
	struct clause *clause;

	c->clause =
	    mem_grow(c->clause, policy->clause_count, &c->clause_capacity, sizeof(*c->clause));
	clause = &c->clause[policy->clause_count];
	*clause = (struct clause){ .source = source, .brief = brief_of(c, at, source) };
	if (logic_compile_into(c->arena, at->json, resolve, c, &clause->program, &err) != 0) {
		rule_mistake(c, at, &err);
		return CLAUSE_TRUE;
	}
	/* A policy that is in force is not refused by the release that learned to see it. */
	if (!c->parts->built && !operands_check(c, at))
		return CLAUSE_TRUE;
	logic_slots(clause->program, note_slot, c);
	name_map_add(&c->clauses, source, (unsigned)policy->clause_count);
	return (uint32_t)policy->clause_count++;
}

/* An object of JsonLogic with two members is no operator but a value, and as a gate it would stand
 * open: a rule with a member too many must not be silently no rule. */
static bool
one_operator_each(struct compile *c, const struct at *at)
{
	const char *key;
	json_t *value;
	bool good = true;

	if (json_is_object(at->json) && json_object_size(at->json) != 1) {
		mistake(c, at, "%zu members in one object of a rule, expected one operator",
		    json_object_size(at->json));
		return false;
	}
	for (size_t i = 0; json_is_array(at->json) && i < json_array_size(at->json); i++) {
		struct at here = at_index(at, i);

		good = one_operator_each(c, &here) && good;
	}
	json_object_foreach(at->json, key, value) {
		struct at here = at_member(at, key);

		good = one_operator_each(c, &here) && good;
	}
	return good;
}

uint32_t
clause_read(struct compile *c, const struct at *at)
{
	struct buf source = { 0 };
	uint32_t index;
	int known;

	if (at->json == NULL || json_is_true(at->json))
		return CLAUSE_TRUE;
	if (json_is_null(at->json))
		return CLAUSE_TRUE; /* the member's type is a mistake already reported */
	if (!one_operator_each(c, at))
		return CLAUSE_TRUE;
	json_canonical(at->json, &source);
	known = name_map_get(&c->clauses, source.data);
	index = known >= 0
	    ? (uint32_t)known
	    : clause_compile(c, at, arena_strndup(c->arena, source.data, source.len));
	buf_done(&source);
	return index;
}

struct compliance {
	const struct policy *policy;
	const char *name; /* of a feature that reads marked goods; NULL: none was read */
};

static void
find_compliance(void *ctx, unsigned slot)
{
	struct compliance *found = ctx;

	if (found->policy->features[slot].compliance)
		found->name = found->policy->features[slot].name;
}

void
clause_no_compliance(struct compile *c, const struct at *at, uint32_t clause)
{
	struct compliance found = { .policy = c->policy };

	if (clause == CLAUSE_TRUE)
		return;
	logic_slots(c->clause[clause].program, find_compliance, &found);
	if (found.name != NULL)
		mistake(c, at,
		    "reads \"%.64s\", which is for compliance, expected it in rules and "
		    "texts of mandatory actions only",
		    found.name);
}

static struct expr
model_expr(struct compile *c, const struct at *at, const char *name, double dflt)
{
	int model = name_map_get(&c->models, name);

	if (model < 0) {
		mistake(c, at, "no model \"%.64s\", expected one of models/models.json", name);
		return (struct expr){ .kind = EXPR_CONST, .constant = dflt };
	}
	return (struct expr){ .kind = EXPR_MODEL, .index = (unsigned)model };
}

struct expr
expr_read(struct compile *c, const struct at *at, double min, double max, double dflt)
{
	struct expr expr = { .kind = EXPR_CONST, .constant = dflt };
	struct at model = at_member(at, "model");
	uint32_t clause;

	if (json_is_number(at->json)) {
		expr.constant = json_number_value(at->json);
		if (!(expr.constant >= min && expr.constant <= max)) {
			mistake(c, at, "%.9g is out of range, expected %.9g to %.9g", expr.constant,
			    min, max);
			expr.constant = dflt;
		}
		return expr;
	}
	if (json_is_string(at->json))
		return model_expr(c, at, json_string_value(at->json), dflt);
	if (!json_is_object(at->json))
		return expr;
	if (json_object_size(at->json) == 1 && json_is_string(model.json))
		return model_expr(c, &model, json_string_value(model.json), dflt);
	clause = clause_read(c, at);
	clause_no_compliance(c, at, clause);
	if (clause != CLAUSE_TRUE)
		expr = (struct expr){ .kind = EXPR_CLAUSE, .index = clause };
	return expr;
}

bool
expr_per_action(const struct compile *c, const struct expr *expr)
{
	if (expr->kind == EXPR_CLAUSE)
		return c->clause[expr->index].per_action;
	return expr->kind == EXPR_MODEL && c->policy->models[expr->index].per_action;
}
