/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_lint_text.c - what a text says beside its {{values}}: a name in single braces, a percentage that is not the
 * offer's.
 */
#include "policy/policy_lint.h"

#include <stdlib.h>
#include <string.h>

/* "{depth}" of depth; what is no name of a value is somebody's own words. */
static bool
is_value(const struct policy *policy, const char *name, size_t len)
{
	static const char *const words[] = { "depth", "worth", "value" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i]) == len && memcmp(words[i], name, len) == 0)
			return true;
	for (size_t i = 0; i < policy->feature_count; i++)
		if (strlen(policy->features[i].name) == len &&
		    memcmp(policy->features[i].name, name, len) == 0)
			return true;
	return false;
}

static void
lint_braces(struct compile *c, const struct at *at, const struct template *text)
{
	for (size_t i = 0; i < text->count; i++)
		for (const char *p = strchr(text->parts[i].text, '{'); p != NULL;
		     p = strchr(p + 1, '{')) {
			const char *name = p + 1 + strspn(p + 1, " ");
			size_t len = strcspn(name, " |}");

			if (strchr(name, '}') == NULL || !is_value(c->policy, name, len))
				continue;
			warning(c, at,
			    "{%.*s} is shown as it stands, expected {{%.*s}} for the value",
			    (int)len, name, (int)len, name);
		}
}

/* ---- percentages ---- */

static bool
gives(const struct offer *offer, double depth)
{
	for (size_t i = 0; i < offer->ladder_count; i++)
		if ((double)offer->ladder[i] == depth)
			return true;
	for (size_t i = 0; i < offer->tier_count; i++)
		if ((double)offer->tiers[i].depth == depth)
			return true;
	return false;
}

/* Behind a number: "%", also with a space that does not break before it. */
static bool
is_percent(const char *p)
{
	p += *p == ' '				 ? 1
	    : strncmp(p, "\xc2\xa0", 2) == 0	 ? 2
	    : strncmp(p, "\xe2\x80\xaf", 3) == 0 ? 3
						 : 0;
	return *p == '%';
}

/* The first percentage of the text that is not the offer's; -1: none, or it says the offer's as well. */
static double
other_percentage(const struct template *text, const struct offer *offer)
{
	double other = -1;

	for (size_t i = 0; i < text->count; i++) {
		if (text->parts[i].has_value && text->parts[i].var == TEMPLATE_DEPTH)
			return -1;
		for (const char *p = text->parts[i].text; *p != '\0'; p++) {
			char *end;
			double number;

			if (*p < '0' || *p > '9')
				continue;
			number = strtod(p, &end);
			if (is_percent(end) && gives(offer, number))
				return -1;
			if (is_percent(end) && other < 0)
				other = number;
			p = end - 1;
		}
	}
	return other;
}

static void
lint_percentage(struct compile *c, const struct at *at, const struct template *text,
    const struct offer *offer)
{
	double other = other_percentage(text, offer);

	if (other >= 0)
		warning(c, at,
		    "it says %g %%, which the offer never gives (its depth is %lld), expected "
		    "{{depth}}",
		    other, (long long)offer->ladder[0]);
}

static void
lint_list(struct compile *c, const struct at *at, const struct template *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct at here = at_index(at, i);

		lint_braces(c, &here, &texts[i]);
	}
}

void
lint_treatment(struct compile *c, const struct at *at, const struct action *action,
    const struct treatment *treatment)
{
	struct at headline = at_member(at, "headline"), say = at_member(at, "say"),
		  body = at_member(at, "body"), why = at_member(at, "why"),
		  steps = at_member(at, "steps");

	lint_braces(c, &headline, &treatment->headline);
	lint_braces(c, &say, &treatment->say);
	lint_braces(c, &body, &treatment->body);
	lint_list(c, &why, treatment->why, treatment->why_count);
	lint_list(c, &steps, treatment->steps, treatment->step_count);
	if (!action->has_offer || action->offer.type != OFFER_PERCENT ||
	    action->offer.ladder_count == 0)
		return;
	lint_percentage(c, &headline, &treatment->headline, &action->offer);
	lint_percentage(c, &say, &treatment->say, &action->offer);
}
