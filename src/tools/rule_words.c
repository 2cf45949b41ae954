/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_words.c - a rule (JsonLogic) as a sentence.
 *
 * DESIGN
 *   Only what can be said without doubt has words: comparisons, and, or, not, lists, sums. All else stands as the JSON
 *   that the author wrote, for a rule that was told wrongly is worse than one that was not told.
 */
#include "tools/rule_words.h"

#include <string.h>

/* How closely an operator binds what it joins: the looser one in a closer one goes into brackets. */
enum binds { LOOSE, BY_OR, BY_AND, BY_TEST, BY_SUM, CLOSE };

static const struct infix {
	const char *operator, * word;
	enum binds binds;
	size_t min, max; /* operands */
} infixes[] = {
	{ "and", " and ", BY_AND, 1, 64 },
	{ "or", " or ", BY_OR, 1, 64 },
	{ "==", " is ", BY_TEST, 2, 2 },
	{ "===", " is ", BY_TEST, 2, 2 },
	{ "!=", " is not ", BY_TEST, 2, 2 },
	{ "!==", " is not ", BY_TEST, 2, 2 },
	{ "<", " < ", BY_TEST, 2, 3 },
	{ "<=", " <= ", BY_TEST, 2, 3 },
	{ ">", " > ", BY_TEST, 2, 2 },
	{ ">=", " >= ", BY_TEST, 2, 2 },
	{ "+", " + ", BY_SUM, 2, 64 },
	{ "-", " - ", BY_SUM, 2, 2 },
	{ "*", " × ", BY_SUM, 2, 64 },
	{ "/", " / ", BY_SUM, 2, 2 },
};

static void say(const json_t *rule, enum binds around, struct buf *out);

static void
say_plain(const json_t *json, struct buf *out)
{
	if (json_is_string(json))
		buf_adds(out, json_string_value(json));
	else if (json_is_real(json))
		buf_addf(out, "%.9g", json_real_value(json));
	else if (json != NULL)
		json_canonical(json, out);
	else
		buf_adds(out, "nothing");
}

static void
say_list(const json_t *list, const char *between, enum binds binds, struct buf *out)
{
	const json_t *element;
	size_t i;

	json_array_foreach(list, i, element) {
		if (i > 0)
			buf_adds(out, between);
		say(element, binds, out);
	}
}

/* "x", or ["x", what it is where it is missing] */
static bool
say_var(const json_t *of, struct buf *out)
{
	const json_t *name = json_is_array(of) ? json_array_get(of, 0) : of;

	if (!json_is_string(name))
		return false;
	buf_adds(out, json_string_value(name));
	if (json_array_size(of) == 2) {
		buf_adds(out, " (missing: ");
		say_plain(json_array_get(of, 1), out);
		buf_adds(out, ")");
	}
	return true;
}

static bool
say_in(const json_t *of, struct buf *out)
{
	if (json_array_size(of) != 2)
		return false;
	say(json_array_get(of, 0), BY_TEST, out);
	if (json_is_array(json_array_get(of, 1))) {
		buf_adds(out, " is one of ");
		say_list(json_array_get(of, 1), ", ", BY_TEST, out);
	} else {
		buf_adds(out, " is in ");
		say(json_array_get(of, 1), BY_TEST, out);
	}
	return true;
}

static bool
say_if(const json_t *of, enum binds around, struct buf *out)
{
	size_t count = json_array_size(of);

	if (count < 3 || count % 2 == 0)
		return false;
	if (around != LOOSE)
		buf_adds(out, "(");
	for (size_t i = 0; i + 1 < count; i += 2) {
		buf_adds(out, i == 0 ? "if " : " else if ");
		say(json_array_get(of, i), LOOSE, out);
		buf_adds(out, " then ");
		say(json_array_get(of, i + 1), BY_OR, out);
	}
	buf_adds(out, " else ");
	say(json_array_get(of, count - 1), BY_OR, out);
	if (around != LOOSE)
		buf_adds(out, ")");
	return true;
}

static bool
say_missing(const json_t *of, struct buf *out)
{
	if (!json_is_string(of) && json_array_size(of) == 0)
		return false;
	if (json_is_array(of))
		say_list(of, ", ", BY_TEST, out);
	else
		say_plain(of, out);
	buf_adds(out, json_array_size(of) > 1 ? " are missing" : " is missing");
	return true;
}

static bool
say_infix(const char *operator, const json_t * of, enum binds around, struct buf *out)
{
	size_t count = json_array_size(of);

	for (size_t i = 0; i < ARRAY_LEN(infixes); i++) {
		const struct infix *infix = &infixes[i];
		bool brackets = count > 1 && infix->binds <= around;

		if (strcmp(infix->operator, operator) != 0 || count < infix->min ||
		    count > infix->max)
			continue;
		if (brackets)
			buf_adds(out, "(");
		say_list(of, infix->word, count > 1 ? infix->binds : around, out);
		if (brackets)
			buf_adds(out, ")");
		return true;
	}
	return false;
}

static bool
say_operator(const char *operator, const json_t * of, enum binds around, struct buf *out)
{
	if (strcmp(operator, "var") == 0)
		return say_var(of, out);
	if (strcmp(operator, "model") == 0 && json_is_string(of)) {
		buf_addf(out, "model %s", json_string_value(of));
		return true;
	}
	if (strcmp(operator, "!") == 0) {
		buf_adds(out, "not (");
		say(json_is_array(of) ? json_array_get(of, 0) : of, LOOSE, out);
		buf_adds(out, ")");
		return true;
	}
	if (strcmp(operator, "in") == 0)
		return say_in(of, out);
	if (strcmp(operator, "if") == 0)
		return say_if(of, around, out);
	if (strcmp(operator, "missing") == 0)
		return say_missing(of, out);
	return say_infix(operator, of, around, out);
}

static void
say(const json_t *rule, enum binds around, struct buf *out)
{
	void *first = json_object_iter((json_t *)rule);
	size_t before = out->len;

	if (!json_is_object(rule)) {
		say_plain(rule, out);
		return;
	}
	if (json_object_size(rule) == 1 &&
	    say_operator(json_object_iter_key(first), json_object_iter_value(first), around, out))
		return;
	if (json_is_true(json_object_get(rule, "lines"))) {
		buf_adds(out, "as the till states it, else ");
		say(json_object_get(rule, "else"), BY_SUM, out);
		return;
	}
	CHECK(out->len == before);
	json_canonical(rule, out);
}

void
rule_words(const json_t *rule, struct buf *out)
{
	say(rule, LOOSE, out);
}
