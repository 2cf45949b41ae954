/* SPDX-License-Identifier: Apache-2.0
 *
 * words.c - treatments: which wording fits, with its values filled in, and which is drawn.
 *
 * DESIGN
 *   A wording fits a placement when every value it names is there (or has a
 *   default) and headline, say and body keep the placement's limits, counted
 *   in characters after filling in. Language: the profile's, else the policy's
 *   first; a customer whose language the action does not speak is addressed in
 *   the first too, rather than not at all.
 *
 *   On `customer`, a screen that strangers see, a text that reads the profile,
 *   purchases or past contacts does not fit.
 *
 *   Numbers: whole ones without decimals, others with at most two; `round` to
 *   the nearest whole, half away from zero; `money` from minor units, in the
 *   way of the treatment's language. Nothing here depends on the locale.
 */
#include "decide/run.h"
#include "policy/policy_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t
utf8_count(const char *s)
{
	size_t count = 0;

	for (; *s != '\0'; s++)
		count += ((unsigned char)*s & 0xc0) != 0x80;
	return count;
}

/* ---- values ---- */

/* Languages that write 4.50 and put the sign of the currency first. */
static bool
writes_point(const char *language)
{
	static const char *const point[] = { "en", "zh", "ja", "ko", "th", "he", "ga", "mt" };

	for (size_t i = 0; i < ARRAY_LEN(point); i++)
		if (strncmp(language, point[i], 2) == 0 &&
		    (language[2] == '\0' || language[2] == '-'))
			return true;
	return false;
}

static const char *
currency_sign(const char *currency)
{
	static const char *const signs[][2] = {
		{ "EUR", "€" },
		{ "USD", "$" },
		{ "GBP", "£" },
		{ "JPY", "¥" },
		{ "INR", "₹" },
	};

	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (strcmp(currency, signs[i][0]) == 0)
			return signs[i][1];
	return NULL;
}

static void
add_whole(struct buf *out, uint64_t n)
{
	if (n > INT64_MAX) /* of INT64_MIN, in a currency without decimals */
		buf_addf(out, "%llu", (unsigned long long)n);
	else
		buf_json_int(out, (int64_t)n);
}

void
money_text(int64_t minor, const struct policy *policy, const char *language, struct buf *out)
{
	const char *sign = currency_sign(policy->currency);
	bool point = writes_point(language);
	uint64_t left = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
	uint64_t unit = 1;

	for (int i = 0; i < policy->currency_digits; i++)
		unit *= 10;
	if (minor < 0)
		buf_addc(out, '-');
	if (point && sign != NULL)
		buf_adds(out, sign);
	add_whole(out, left / unit);
	if (policy->currency_digits > 0)
		buf_addc(out, point ? '.' : ',');
	for (uint64_t digit = unit / 10; digit > 0; digit /= 10)
		buf_addc(out, (char)('0' + left / digit % 10));
	if (!point || sign == NULL) {
		buf_addc(out, ' ');
		buf_adds(out, sign != NULL ? sign : policy->currency);
	}
}

static int64_t
nearest(double number)
{
	return number < 0 ? -(int64_t)(0.5 - number) : (int64_t)(number + 0.5);
}

static void
plain_number(double number, const char *language, struct buf *out)
{
	int64_t hundredths = nearest(number * 100);
	uint64_t left = (uint64_t)llabs(hundredths); /* within NUMBER_MAX */

	if (hundredths < 0)
		buf_addc(out, '-');
	add_whole(out, left / 100);
	if (left % 100 == 0)
		return;
	buf_addc(out, writes_point(language) ? '.' : ',');
	buf_addc(out, (char)('0' + left / 10 % 10));
	if (left % 10 != 0)
		buf_addc(out, (char)('0' + left % 10));
}

const char *
family_name(const struct policy *policy, const struct family_item *item, const char *language)
{
	const char *words = policy_words(policy, item->text, language);

	return words != NULL ? words : item->name;
}

static struct value
item_value(const struct policy *policy, const struct candidate_context *about, const char *language)
{
	const char *name = about->item != NULL ? family_name(policy, about->item, language) : NULL;

	return name != NULL ? value_string(name) : value_missing();
}

static struct value
part_value(struct features *features, const struct policy *policy, const struct template_part *part,
    const struct candidate_context *about, const char *language)
{
	switch (part->var) {
	case TEMPLATE_DEPTH: return value_number((double)about->depth);
	case TEMPLATE_WORTH: return value_number(about->worth_minor);
	case TEMPLATE_ITEM: return item_value(policy, about, language);
	case TEMPLATE_FEATURE: break;
	}
	return features_get(features, part->feature, about);
}

static bool
is_writable(double number)
{
	return number > -NUMBER_MAX / 100 && number < NUMBER_MAX / 100;
}

bool
words_value(const struct value *value, enum filter filter, const struct policy *policy,
    const char *language, struct buf *out)
{
	switch (value->tag) {
	case VALUE_STRING: buf_adds(out, value->str); return true;
	case VALUE_BOOL: buf_adds(out, value->truth ? "true" : "false"); return true;
	case VALUE_NUMBER: break;
	default: return false;
	}
	if (!is_writable(value->number))
		return false;
	if (filter == FILTER_MONEY)
		money_text(nearest(value->number), policy, language, out);
	else if (filter == FILTER_ROUND)
		buf_json_int(out, nearest(value->number));
	else
		plain_number(value->number, language, out);
	return true;
}

/* The value of a part, or its default. false: there is neither. */
static bool
write_part(struct features *features, const struct policy *policy, const struct template_part *part,
    const struct candidate_context *about, const char *language, struct buf *out)
{
	struct value value = part_value(features, policy, part, about, language);

	if (words_value(&value, part->filter, policy, language, out))
		return true;
	if (part->dflt == NULL)
		return false;
	buf_adds(out, part->dflt);
	return true;
}

bool
words_render(struct features *features, const struct policy *policy, const struct template *text,
    const struct candidate_context *about, const char *language, struct buf *out)
{
	for (size_t i = 0; i < text->count; i++) {
		const struct template_part *part = &text->parts[i];

		if (part->text != NULL)
			buf_adds(out, part->text);
		if (part->has_value && !write_part(features, policy, part, about, language, out))
			return false;
	}
	return true;
}

/* ---- which fit ---- */

struct fitting {
	struct features *features;
	const struct policy *policy;
	const struct candidate_context *about;
	enum placement place;
	struct buf *scratch;
};

bool
words_personal(const struct policy *policy, const struct template *text)
{
	for (size_t i = 0; i < text->count; i++)
		if (text->parts[i].has_value && text->parts[i].var == TEMPLATE_FEATURE &&
		    policy->features[text->parts[i].feature].personal)
			return true;
	return false;
}

/* Characters that a value never comes to more than; SIZE_MAX: there is nothing to write. */
static size_t
value_chars_max(const struct value *value)
{
	switch (value->tag) {
	case VALUE_STRING: return utf8_count(value->str);
	case VALUE_BOOL: return sizeof("false") - 1;
	case VALUE_NUMBER: return is_writable(value->number) ? NUMBER_CHARS_MAX : SIZE_MAX;
	default: return SIZE_MAX;
	}
}

/* At most so many characters with its values; false: one is missing. */
static bool
text_chars_max(const struct fitting *fit, const struct template *text, const char *language,
    size_t *ret_chars)
{
	size_t chars = text->chars;

	for (size_t i = 0; i < text->count; i++) {
		const struct template_part *part = &text->parts[i];
		struct value value;
		size_t most;

		if (!part->has_value)
			continue;
		value = part_value(fit->features, fit->policy, part, fit->about, language);
		most = value_chars_max(&value);
		if (most == SIZE_MAX && part->dflt == NULL)
			return false;
		chars += most != SIZE_MAX ? most : utf8_count(part->dflt);
	}
	*ret_chars = chars;
	return true;
}

/* Exactly so many. Only the values are written: how long the rest is, is known since the policy
 * was compiled. */
static size_t
text_chars(const struct fitting *fit, const struct template *text, const char *language)
{
	buf_clear(fit->scratch);
	for (size_t i = 0; i < text->count; i++)
		if (text->parts[i].has_value)
			write_part(fit->features, fit->policy, &text->parts[i], fit->about,
			    language, fit->scratch);
	return text->chars + (fit->scratch->len > 0 ? utf8_count(fit->scratch->data) : 0);
}

static bool __attribute__((noinline))
values_fit(const struct fitting *fit, const struct template *text, int max, const char *language)
{
	size_t chars;

	if (placement_table[fit->place].faces_customer && words_personal(fit->policy, text))
		return false;
	if (!text_chars_max(fit, text, language, &chars))
		return false;
	/* Nearly always it fits whatever the values are. */
	return max == 0 || chars <= (size_t)max || text_chars(fit, text, language) <= (size_t)max;
}

/* Inline for the most common: no text, or one without values. */
static inline bool
text_fits(const struct fitting *fit, const struct template *text, int max, const char *language)
{
	if (text->count > 1 || (text->count == 1 && text->parts[0].has_value))
		return values_fit(fit, text, max, language);
	return max == 0 || text->chars <= (size_t)max;
}

/* ---- so many bytes ---- */

static size_t
value_bytes(const struct fitting *fit, const struct template_part *part, const char *language)
{
	struct value value = part_value(fit->features, fit->policy, part, fit->about, language);
	struct buf text = { 0 };
	size_t bytes;

	if (value.tag != VALUE_STRING && part->dflt == NULL)
		return NUMBER_CHARS_MAX;
	write_part(fit->features, fit->policy, part, fit->about, language, &text);
	buf_clear(fit->scratch);
	buf_json_str(fit->scratch, text.len > 0 ? text.data : "");
	bytes = fit->scratch->len;
	buf_done(&text);
	return bytes;
}

static size_t
values_bytes(const struct fitting *fit, const struct template *text, const char *language)
{
	size_t bytes = 0;

	for (size_t i = 0; i < text->count; i++)
		if (text->parts[i].has_value)
			bytes += value_bytes(fit, &text->parts[i], language);
	return bytes;
}

/* Characters of values at most; a missing one has been looked for. */
static size_t
values_chars_max(const struct fitting *fit, const struct template *text, const char *language)
{
	size_t chars = text->chars;

	if (text->count == 0 || (text->count == 1 && !text->parts[0].has_value))
		return 0;
	(void)text_chars_max(fit, text, language, &chars);
	return chars - text->chars;
}

/* A till may have sent what its values are. */
static bool
bytes_fit(const struct fitting *fit, const struct treatment *treatment)
{
	const struct template *const texts[] = { &treatment->headline, &treatment->say,
		&treatment->body };
	size_t bytes = treatment->text_bytes, most = bytes;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		most += JSON_BYTES_OF_BYTE * values_chars_max(fit, texts[i], treatment->language);
	for (size_t i = 0; i < treatment->why_count; i++)
		most += JSON_BYTES_OF_BYTE *
		    values_chars_max(fit, &treatment->why[i], treatment->language);
	for (size_t i = 0; i < treatment->step_count; i++)
		most += JSON_BYTES_OF_BYTE *
		    values_chars_max(fit, &treatment->steps[i], treatment->language);
	if (most <= CARD_TEXT_BYTES_MAX)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		bytes += values_bytes(fit, texts[i], treatment->language);
	for (size_t i = 0; i < treatment->why_count; i++)
		bytes += values_bytes(fit, &treatment->why[i], treatment->language);
	for (size_t i = 0; i < treatment->step_count; i++)
		bytes += values_bytes(fit, &treatment->steps[i], treatment->language);
	return bytes <= CARD_TEXT_BYTES_MAX;
}

static bool
treatment_fits(const struct fitting *fit, const struct treatment *treatment)
{
	const struct placement_rules *rules = &fit->policy->places[fit->place];
	const char *language = treatment->language;

	if (!text_fits(fit, &treatment->headline, rules->headline_max, language) ||
	    !text_fits(fit, &treatment->say, rules->say_max, language) ||
	    !text_fits(fit, &treatment->body, rules->body_max, language))
		return false;
	if (treatment->plain)
		return true;
	/* Reasons are not shown to strangers, so on their screen they need not fit. */
	for (size_t i = 0; !placement_table[fit->place].faces_customer && i < treatment->why_count;
	     i++)
		if (!text_fits(fit, &treatment->why[i], 0, language))
			return false;
	for (size_t i = 0; i < treatment->step_count; i++)
		if (!text_fits(fit, &treatment->steps[i], 0, language))
			return false;
	return bytes_fit(fit, treatment);
}

/* "de" speaks to a customer of "de-AT". */
bool
words_speak(const char *language, const char *wanted)
{
	while (*language != '\0' && *language == *wanted) {
		language++;
		wanted++;
	}
	return *language == '\0' && (*wanted == '\0' || *wanted == '-');
}

static size_t
fitting_in(const struct fitting *fit, const char *language, const struct treatment **list)
{
	const struct action *action = fit->about->action;
	size_t count = 0;

	for (size_t i = 0; i < action->treatment_count; i++) {
		const struct treatment *treatment = &action->treatments[i];

		if (treatment->placement >= 0 && treatment->placement != (int)fit->place)
			continue;
		if (!words_speak(treatment->language, language) || !treatment_fits(fit, treatment))
			continue;
		if (list == NULL)
			return 1;
		list[count++] = treatment;
	}
	return count;
}

size_t
words_fitting(struct features *features, const struct decide_input *input, enum placement place,
    const struct candidate_context *about, struct buf *scratch, const struct treatment **list)
{
	struct fitting fit = { features, input->sources.policy, about, place, scratch };
	size_t count = 0;

	if (input->known && input->sources.visit->language != NULL)
		count = fitting_in(&fit, input->sources.visit->language, list);
	if (count == 0 && fit.policy->language_count > 0)
		count = fitting_in(&fit, fit.policy->languages[0], list);
	return count;
}

/* ---- which is drawn ---- */

struct candidate_context
words_about(const struct candidate *candidate)
{
	return (struct candidate_context){
		.action = candidate->action,
		.depth = candidate->depth,
		.worth_minor = (double)candidate->worth_minor,
		.margin_minor = candidate->scored ? candidate->margin : 0,
		.has_line_margin = candidate->has_line_margin,
		.line_margin_minor = (double)candidate->line_margin_minor,
		.item = candidate->item,
	};
}

/* Uniform, so that of −log(u)/p the smallest is the largest u; of equal ones the earlier. */
void
words_choose(struct run *run, struct slot *slot)
{
	const struct candidate *candidate = &run->decision->candidates[slot->candidate];
	const struct action *action = candidate->action;
	struct candidate_context about = words_about(candidate);
	const struct treatment **list =
	    arena_alloc(run->arena, action->treatment_count * sizeof(*list));
	size_t count =
	    words_fitting(run->features, run->input, slot->placement, &about, &run->scratch, list);
	double best = -1;

	CHECK(count > 0);
	slot->treatment_p = 1.0 / (double)count;
	for (size_t i = 0; i < count; i++) {
		double u;

		/* A card that stays keeps its words. */
		if (slot->card >= 0 && run->visit->cards[slot->card].treatment != NULL &&
		    strcmp(list[i]->name, run->visit->cards[slot->card].treatment) == 0) {
			slot->treatment = list[i];
			return;
		}
		u = count == 1
		    ? 0
		    : explore_u(run, slot->placement, slot->slot, action->id, list[i]->name);
		if (u > best) {
			best = u;
			slot->treatment = list[i];
		}
	}
}
