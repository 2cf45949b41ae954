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

/* Words by their first letter. They stay in their order above, in which tills are told of them. */
static const uint8_t by_letter[] = { 8, 9, 14, 23, 10, 15, 19, 1, 2, 27, 28, 3, 18, 26, 29, 13, 21,
	22, 24, 12, 17, 20, 25, 0, 5, 6, 4, 30, 11, 16, 7 };
_Static_assert(sizeof(by_letter) == ARRAY_LEN(words), "each word has its place");

/* By the first letter, which second ones there are, and which of by_letter: each line of each basket is asked again in
 * each decision, and few begin so. "\xc3" begins an ä. */
static const struct {
	const char *seconds;
	uint8_t from, count;
} begins['z' - 'a' + 1] = {
	['a' - 'a'] = { "lr", 0, 4 },
	['b' - 'a'] = { "eia", 4, 3 },
	['c' - 'a'] = { "io", 7, 4 },
	['e' - 'a'] = { "-", 11, 1 },
	['i' - 'a'] = { "n", 12, 3 },
	['l' - 'a'] = { "i", 15, 1 },
	['m' - 'a'] = { "e", 16, 2 },
	['p' - 'a'] = { "r", 18, 1 },
	['s' - 'a'] = { "pc\xc3", 19, 4 },
	['t' - 'a'] = { "oa", 23, 3 },
	['v' - 'a'] = { "ae", 26, 2 },
	['w' - 'a'] = { "ie", 28, 2 },
	['z' - 'a'] = { "i", 30, 1 },
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
is_known(uint32_t off, const char *step)
{
	unsigned letter = (unsigned char)folded(*step) - 'a';
	size_t len;

	if (letter >= ARRAY_LEN(begins) || begins[letter].count == 0 || step[1] == '\0' ||
	    strchr(begins[letter].seconds, folded(step[1])) == NULL)
		return false;
	len = strcspn(step, "/");
	for (int i = 0; i < begins[letter].count; i++) {
		const struct word *word = &words[by_letter[begins[letter].from + i]];

		if ((off & 1u << word->group) == 0 && is_step(step, len, word->text))
			return true;
	}
	return false;
}

enum mark
mark_of(const struct marks *marks, const char *category)
{
	enum mark mark = MARK_NONE;

	if (category == NULL)
		return MARK_NONE;
	for (const char *step = category;;) {
		if (is_known(marks->off, step))
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
