/* SPDX-License-Identifier: Apache-2.0
 *
 * features_args.c - the words and arguments of a "from" text.
 */
#include "score/features_args.h"

#include <string.h>

#include "core/when.h"

int
args_fail(struct scan *scan, int column, const char *what, const char *expected)
{
	return err_at(scan->err, AISLE_E_INVALID, "", 0, column, "%s, expected %s", what, expected);
}

int
args_here(const struct scan *scan)
{
	return (int)scan->at + 1;
}

static void
skip_spaces(struct scan *scan)
{
	scan->at += strspn(scan->text + scan->at, " \t");
}

char *
args_word(struct scan *scan, const char *stop)
{
	const char *from = scan->text + scan->at;
	size_t len = strcspn(from, stop), trimmed = len;

	while (trimmed > 0 && (from[trimmed - 1] == ' ' || from[trimmed - 1] == '\t'))
		trimmed--;
	if (trimmed == 0 || trimmed > WORD_MAX)
		return NULL;
	scan->at += len;
	return arena_strndup(scan->arena, from, trimmed);
}

static int
read_arg(struct scan *scan)
{
	struct arg *arg = &scan->args[scan->arg_count];

	skip_spaces(scan);
	if (scan->arg_count == ARGS_MAX)
		return args_fail(scan, args_here(scan), "too many arguments", "\")\"");
	arg->column = args_here(scan);
	arg->name = args_word(scan, "=,()");
	if (arg->name == NULL)
		return args_fail(scan, arg->column, "an argument is missing", "NAME=VALUE");
	for (size_t i = 0; i < scan->arg_count; i++) {
		if (strcmp(scan->args[i].name, arg->name) == 0)
			return args_fail(scan, arg->column, "the same argument twice", "it once");
	}
	scan->arg_count++;
	if (scan->text[scan->at] != '=')
		return 0;
	scan->at++;
	skip_spaces(scan);
	arg->value_column = args_here(scan);
	arg->value = args_word(scan, "=,()");
	if (arg->value == NULL)
		return args_fail(scan, arg->value_column, "a value is missing", "NAME=VALUE");
	return 0;
}

int
args_read(struct scan *scan)
{
	if (scan->text[scan->at] != '(')
		return args_fail(scan, args_here(scan), "no arguments", "\"(\"");
	scan->at++;
	skip_spaces(scan);
	if (scan->text[scan->at] != ')') {
		for (;;) {
			int rc = read_arg(scan);

			if (rc != 0)
				return rc;
			if (scan->text[scan->at] != ',')
				break;
			scan->at++;
		}
	}
	if (scan->text[scan->at] != ')')
		return args_fail(scan, args_here(scan), "the arguments do not end", "\")\"");
	scan->at++;
	if (scan->text[scan->at] != '\0')
		return args_fail(scan, args_here(scan), "something follows", "the end after \")\"");
	return 0;
}

struct arg *
args_take(struct scan *scan, const char *name)
{
	for (size_t i = 0; i < scan->arg_count; i++) {
		if (strcmp(scan->args[i].name, name) == 0) {
			scan->used |= 1u << i;
			return &scan->args[i];
		}
	}
	return NULL;
}

int
args_no_more(struct scan *scan, const char *expected)
{
	for (size_t i = 0; i < scan->arg_count; i++) {
		if ((scan->used >> i & 1) == 0)
			return args_fail(scan, scan->args[i].column, "unknown argument", expected);
	}
	return 0;
}

int
args_duration(struct scan *scan, const char *name, int64_t *ret_ms)
{
	struct arg *arg = args_take(scan, name);

	if (arg == NULL)
		return 0;
	if (arg->value == NULL || !when_duration(arg->value, ret_ms) || *ret_ms <= 0)
		return args_fail(scan, arg->value == NULL ? arg->column : arg->value_column,
		    "not a duration", "a number over 0 with s, m, h or d, as 30d");
	return 0;
}
