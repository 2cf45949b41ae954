/* SPDX-License-Identifier: Apache-2.0
 *
 * marks.c - goods that no offer, sum or training row touches, by what they are.
 *
 * The product's list is careful, not complete: a store whose tree has other
 * words marks them in its policy. docs/authoring-a-policy.md has the words.
 */
#include "nouns/marks.h"

#include <string.h>

#include "nouns/match.h"

enum group { TOBACCO, ALCOHOL, FORMULA, MEDICINES, PREGNANCY, INTIMATE };

/* Small letters; one hyphen stands for blank and underscore, too. */
static const struct word {
	const char *text;
	enum group group;
} words[] = {
	{ "tobacco", TOBACCO },
	{ "cigarettes", TOBACCO },
	{ "cigars", TOBACCO },
	{ "e-cigarettes", TOBACCO },
	{ "vaping", TOBACCO },
	{ "tabak", TOBACCO },
	{ "tabakwaren", TOBACCO },
	{ "zigaretten", TOBACCO },
	{ "alcohol", ALCOHOL },
	{ "alcoholic-drinks", ALCOHOL },
	{ "beer", ALCOHOL },
	{ "wine", ALCOHOL },
	{ "spirits", ALCOHOL },
	{ "liquor", ALCOHOL },
	{ "alkohol", ALCOHOL },
	{ "bier", ALCOHOL },
	{ "wein", ALCOHOL },
	{ "spirituosen", ALCOHOL },
	{ "infant-formula", FORMULA },
	{ "baby-formula", FORMULA },
	{ "säuglingsnahrung", FORMULA },
	{ "medicines", MEDICINES },
	{ "medicine", MEDICINES },
	{ "arzneimittel", MEDICINES },
	{ "pregnancy", PREGNANCY },
	{ "schwangerschaft", PREGNANCY },
	{ "intimate-care", INTIMATE },
	{ "contraception", INTIMATE },
	{ "condoms", INTIMATE },
	{ "intimpflege", INTIMATE },
	{ "verhütung", INTIMATE },
};

/* Their second letters, by the first: each line of each basket is asked again in each decision, and few begin so.
 * "\xc3" begins an ä. */
static const char *const seconds['z' - 'a' + 1] = {
	['a' - 'a'] = "lr",
	['b' - 'a'] = "aei",
	['c' - 'a'] = "io",
	['e' - 'a'] = "-",
	['i' - 'a'] = "n",
	['l' - 'a'] = "i",
	['m' - 'a'] = "e",
	['p' - 'a'] = "r",
	['s' - 'a'] = "pc\xc3",
	['t' - 'a'] = "ao",
	['v' - 'a'] = "ae",
	['w' - 'a'] = "ei",
	['z' - 'a'] = "i",
};

/* Where beer, wine and spirits may be cheaper with a card; everywhere else they are marked. */
static const struct {
	const char *country;
	uint32_t off;
} countries[] = {
	{ "AT", 1u << ALCOHOL },
	{ "DE", 1u << ALCOHOL },
	{ "IT", 1u << ALCOHOL },
};

uint32_t
marks_off_in(const char *country)
{
	for (size_t i = 0; country != NULL && i < ARRAY_LEN(countries); i++)
		if (strcmp(countries[i].country, country) == 0)
			return countries[i].off;
	return 0;
}

struct marks
marks_of(const struct policy *policy, uint32_t off)
{
	struct marks marks = { .off = off };

	if (policy != NULL) {
		marks.list = policy->marks;
		marks.count = policy->mark_count;
	}
	return marks;
}

static char
folded(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '_' || c == ' ' ? '-' : c;
}

static bool
is_step(const char *step, size_t len, const char *word)
{
	for (size_t i = 0; i < len; i++)
		if (word[i] == '\0' || folded(step[i]) != word[i])
			return false;
	return word[len] == '\0';
}

static bool
may_be_known(const char *step)
{
	unsigned letter = (unsigned char)folded(*step) - 'a';

	return letter < ARRAY_LEN(seconds) && seconds[letter] != NULL && step[1] != '\0' &&
	    strchr(seconds[letter], folded(step[1])) != NULL;
}

static bool
is_known(uint32_t off, const char *step)
{
	size_t len = strcspn(step, "/");

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if ((off & 1u << words[i].group) == 0 && folded(*step) == words[i].text[0] &&
		    is_step(step, len, words[i].text))
			return true;
	return false;
}

enum mark
mark_of(const struct marks *marks, const char *category)
{
	enum mark mark = MARK_NONE;

	if (category == NULL)
		return MARK_NONE;
	for (const char *step = category;;) {
		if (may_be_known(step) && is_known(marks->off, step))
			return MARK_SENSITIVE;
		step = strchr(step, '/');
		if (step == NULL)
			break;
		step++;
	}
	/* Of two marks the stronger. */
	for (size_t i = 0; i < marks->count; i++)
		if (marks->list[i].mark > mark &&
		    category_within(category, marks->list[i].category))
			mark = marks->list[i].mark;
	return mark;
}

int64_t
marks_total(const struct marks *marks, const struct visit *visit)
{
	int64_t total = 0;

	for (size_t i = 0; i < visit->line_count; i++)
		if (!visit->lines[i].voided && line_mark(marks, &visit->lines[i]) == MARK_NONE)
			total += visit->lines[i].amount_minor;
	return total;
}

/* Can goods of this object be of that category? What says nothing of the category: of any. */
static bool
may_be(const struct match *goods, const char *category, bool anywhere)
{
	if (goods->category == NULL || anywhere)
		return true;
	return category_within(category, goods->category) ||
	    category_within(goods->category, category);
}

static bool
may_meet(const struct match *match, const char *category, bool anywhere)
{
	if (match == NULL || !match->set)
		return true;
	for (; match != NULL; match = match->next)
		if (may_be(match, category, anywhere))
			return true;
	return false;
}

void
marks_meet(const struct marks *marks, const struct match *match, mark_fn each, void *ctx)
{
	for (size_t i = 0; i < marks->count; i++)
		if (may_meet(match, marks->list[i].category, false))
			each(ctx, marks->list[i].category, false);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if ((marks->off & 1u << words[i].group) == 0)
			each(ctx, words[i].text, true);
}
