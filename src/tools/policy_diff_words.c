/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_diff_words.c - one member of a policy, as people say it: money, depths, rules, caps.
 */
#include "tools/policy_diff_internal.h"

#include <string.h>

#include "core/currency.h"
#include "tools/rule_words.h"

static bool
is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void
say_money(const struct diff_words *words, double minor, struct buf *out)
{
	double unit = 1;

	for (int i = 0; i < words->currency_digits; i++)
		unit *= 10;
	buf_addf(out, "%.*f %s", words->currency_digits, minor / unit, words->currency);
}

static void
say_depth(const struct diff_words *words, const json_t *json, struct buf *out)
{
	const char *type = words->offer_type;

	if (json_is_array(json)) {
		const json_t *step;
		size_t i;

		json_array_foreach(json, i, step) {
			buf_adds(out, i > 0 ? ", " : "");
			say_depth(words, step, out);
		}
	} else if (strcmp(type, "amount") == 0 || strcmp(type, "fixed-price") == 0) {
		say_money(words, json_number_value(json), out);
	} else {
		buf_addf(out, "%g%s", json_number_value(json),
		    strcmp(type, "percent") == 0	 ? " %"
			: strcmp(type, "points") == 0	 ? " points"
			: strcmp(type, "free-item") == 0 ? " free"
							 : "");
	}
}

static const char *
text_of(const json_t *json, const char *name, const char *absent)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text != NULL ? text : absent;
}

static void
say_cap(const json_t *cap, struct buf *out)
{
	const char *scope = text_of(cap, "scope", ""), *per = text_of(cap, "per", "customer");

	buf_addf(out, "at most %lld %s to a customer",
	    (long long)json_integer_value(json_object_get(cap, "max")),
	    text_of(cap, "outcome", "shown"));
	if (strcmp(per, "customer") != 0)
		buf_addf(out, " of one %s", per);
	else if (strcmp(scope, "all") == 0)
		buf_adds(out, " of everything");
	else if (scope[0] != '\0')
		buf_addf(out, " of one %s", scope);
	if (json_object_get(cap, "gaps") != NULL)
		buf_addf(out, " in %g of the own purchase gaps",
		    json_number_value(json_object_get(cap, "gaps")));
	else
		buf_addf(out, " in %s", text_of(cap, "within", "?"));
	if (strcmp(text_of(cap, "clock", "rolling"), "business-day") == 0)
		buf_adds(out, ", by business day");
}

static void
say_suppression(const json_t *rule, struct buf *out)
{
	const json_t *after = json_object_get(rule, "after");

	buf_addf(out, "after %lld %s in %s the %s is silent for %s",
	    (long long)json_integer_value(json_object_get(after, "count")),
	    text_of(after, "outcome", "?"), text_of(after, "within", "?"),
	    text_of(rule, "scope", "action"), text_of(rule, "for", "?"));
}

static void
say_treatment(const json_t *treatment, struct buf *out)
{
	buf_addf(out, "\"%s\"", text_of(treatment, "headline", ""));
	if (text_of(treatment, "say", NULL) != NULL)
		buf_addf(out, ", said as \"%s\"", text_of(treatment, "say", ""));
}

/* Not more than is read: the policy has the rest. */
static void
cut(struct buf *out, size_t from)
{
	size_t at = from + POLICY_DIFF_TEXT_BYTES;

	if (out->len <= at)
		return;
	while (at > from && ((unsigned char)out->data[at] & 0xc0) == 0x80)
		at--;
	out->len = at;
	out->data[at] = '\0';
	buf_adds(out, "…");
}

static bool
is_salt(const char *text)
{
	return text != NULL && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static void
say_list(const json_t *list, struct buf *out)
{
	const json_t *element;
	size_t i;

	json_array_foreach(list, i, element) {
		buf_adds(out, i > 0 ? ", " : "");
		if (json_is_string(element))
			buf_adds(out, json_string_value(element));
		else
			json_canonical(element, out);
	}
}

void
diff_say(const struct diff_words *words, const char *member, const json_t *json, struct buf *out)
{
	static const char *const rules[] = { "eligible", "applicable", "suitable", "propensity",
		"context", "lever" },
				 *const money[] = { "margin", "interrupt", "max", "typical",
					 "min_basket", "min_worth", "margin_floor", "money",
					 "from" };
	size_t before = out->len;

	if (strcmp(member, "caps") == 0 && json_is_object(json))
		say_cap(json, out);
	else if (strcmp(member, "suppress") == 0 && json_is_object(json))
		say_suppression(json, out);
	else if (strcmp(member, "treatments") == 0 && json_is_object(json))
		say_treatment(json, out);
	else if ((strcmp(member, "depth") == 0 || strcmp(member, "ladder") == 0) &&
	    words->offer_type != NULL)
		say_depth(words, json, out);
	else if (is_one_of(member, money, ARRAY_LEN(money)) && json_is_number(json))
		say_money(words, json_number_value(json), out);
	else if (is_one_of(member, rules, ARRAY_LEN(rules)) || strcmp(member, "margin") == 0 ||
	    strcmp(member, "interrupt") == 0)
		rule_words(json, out);
	else if (is_salt(json_string_value(json)))
		buf_addf(out, "%.8s… (everybody is drawn anew)", json_string_value(json));
	else if (json_is_array(json))
		say_list(json, out);
	else if (json_is_object(json))
		json_canonical(json, out);
	else
		rule_words(json, out);
	cut(out, before);
}

const char *
diff_label(const char *path)
{
	static const char *const labels[][2] = {
		{ "eligible", "who may get it" },
		{ "applicable", "when it fits" },
		{ "suitable", "whom it suits" },
		{ "propensity", "chance" },
		{ "incremental", "part due to showing" },
		{ "offer.depth", "depth" },
		{ "offer.ladder", "depths" },
		{ "offer.max", "saves at most" },
		{ "offer.include", "goods" },
		{ "offer.exclude", "goods left out" },
		{ "budget.money", "budget" },
		{ "budget.units", "budget, pieces" },
		{ "budget.per", "budget per" },
		{ "caps", "cap" },
		{ "suppress", "silence" },
		{ "on", "after" },
		{ "valid.stores", "stores" },
		{ "control.share", "control group" },
	};

	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		if (strcmp(path, labels[i][0]) == 0)
			return labels[i][1];
	return path;
}
