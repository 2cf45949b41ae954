/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_rule.c - a rule tried on data: as JsonLogic has it, or as a store does.
 *
 * Operands that say nothing are told either way; a store would not take the rule, so
 * as it does it there is no answer.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/ctl.h"
#include "logic/logic.h"
#include "policy/policy_load.h"

#define JSON_FILE_MAX (16u << 20)
#define NAMES_MAX 1024

/* The features that a rule names, in the order in which it does. */
struct names {
	json_t *data;
	json_t *value[NAMES_MAX];
	const char *name[NAMES_MAX];
	size_t count;
};

/* What lies below at its dots, as without --strict; NULL: nothing. */
static json_t *
value_of(json_t *data, const char *name)
{
	json_t *value;
	char part[256];

	for (value = data; value != NULL && *name != '\0';) {
		size_t len = strcspn(name, ".");

		if (len >= sizeof(part))
			return NULL;
		snprintf(part, sizeof(part), "%.*s", (int)len, name);
		value = json_object_get(value, part);
		name += name[len] == '.' ? len + 1 : len;
	}
	return value;
}

static int
slot_of(void *ctx, const char *name)
{
	struct names *names = ctx;

	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->name[i], name) == 0)
			return (int)i;
	if (names->count == NAMES_MAX)
		return -1;
	names->name[names->count] = name;
	names->value[names->count] = value_of(names->data, name);
	return (int)names->count++;
}

/* What is not there, and null, is missing; a feature is a number, a text or a truth. */
static struct value
slot_value(void *ctx, unsigned slot)
{
	const json_t *value = ((const struct names *)ctx)->value[slot];

	if (json_is_number(value))
		return value_number(json_number_value(value));
	if (json_is_string(value))
		return value_string(json_string_value(value));
	if (json_is_boolean(value))
		return value_bool(json_is_true(value));
	return value_missing();
}

static int
refused(const struct policy_part *file, const struct err *err)
{
	struct buf report = { 0 };

	policy_rule_refused(file, err, &report);
	fputs(report.data, stderr);
	buf_done(&report);
	return EX_DATAERR;
}

/* Would a store know what the rule says? A sysexits code. */
static int
strict_eval(const struct policy_part *file, const json_t *rule, json_t *data, bool *ret_unknown)
{
	struct names names = { .data = data };
	struct arena *arena = arena_new();
	struct logic *logic = NULL;
	struct err err = { 0 };
	struct value value;
	unsigned slot;
	int rc = EX_OK;

	if (logic_compile(rule, slot_of, &names, &logic, &err) != 0)
		rc = refused(file, &err);
	else
		*ret_unknown =
		    logic_run(logic, slot_value, &names, arena, &value, &slot) == LOGIC_UNKNOWN;
	logic_free(logic);
	arena_free(arena);
	return rc;
}

static int
plain_eval(const struct policy_part *file, const json_t *rule, json_t *data)
{
	struct logic *logic = NULL;
	struct err err = { 0 };
	struct buf out = { 0 };
	json_t *result = NULL;
	int rc = EX_OK;

	if (logic_compile(rule, NULL, NULL, &logic, &err) != 0) {
		rc = refused(file, &err);
	} else if (logic_run_json(logic, data, &result) != LOGIC_OK) {
		rc = ctl_fail(EX_DATAERR, "%s: the rule takes more than %d steps", file->name,
		    LOGIC_STEPS_MAX);
	} else {
		json_write(result, &out);
		puts(out.data);
	}
	buf_done(&out);
	logic_free(logic);
	json_decref(result);
	return rc;
}

/* false: there are mistakes, and they count. */
static bool
operands_good(const struct policy_part *file, json_t *rule, json_t *data, bool strict)
{
	struct buf report = { 0 };
	int mistakes = policy_rule_mistakes(file, rule, data, &report);

	if (mistakes > 0)
		fputs(report.data, stderr);
	buf_done(&report);
	return mistakes == 0 || !strict;
}

int
ctl_rule_eval(struct ctl *ctl)
{
	bool strict = ctl_flag(ctl, "--strict"), unknown = false;
	json_t *rule, *data = NULL;
	struct buf text = { 0 };
	struct policy_part file;
	struct err err = { 0 };
	int rc = ctl_words(ctl, 2, 2);

	if (rc != EX_OK)
		return rc;
	rule = json_read_kept(ctl->argv[0], JSON_FILE_MAX, &text, &err);
	file = (struct policy_part){ ctl->argv[0], text.data, text.len };
	if (rule != NULL)
		data = json_read_file(ctl->argv[1], JSON_FILE_MAX, &err);
	if (data == NULL)
		rc = ctl_fail_err(&err);
	else if (!operands_good(&file, rule, data, strict))
		rc = EX_DATAERR;
	else if (strict)
		rc = strict_eval(&file, rule, data, &unknown);
	if (rc == EX_OK && unknown)
		puts("unknown");
	else if (rc == EX_OK)
		rc = plain_eval(&file, rule, data);
	json_decref(rule);
	json_decref(data);
	buf_done(&text);
	return rc;
}
