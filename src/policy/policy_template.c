/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_template.c - one text of an author: checked, and cut at its {{values}}.
 */
#include "policy/policy_internal.h"

#include <string.h>

#define TEXT_BYTES_MAX 4000

static bool
is_word_byte(unsigned char b)
{
	return (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') ||
	    b == '_' || b >= 0x80;
}

/* Whole words, ASCII letters without case; other letters must match as they are. */
static bool
has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; *p != '\0'; p++)
		if (strncasecmp(p, word, len) == 0 &&
		    (p == text || !is_word_byte((unsigned char)p[-1])) &&
		    !is_word_byte((unsigned char)p[len]))
			return true;
	return false;
}

static void
check_words(struct compile *c, const struct at *at, const char *language, const char *text)
{
	json_t *all =
	    json_object_get(json_object_get(c->policy->source, "policy"), "forbidden_words");
	json_t *list = json_object_get(all, language), *word;
	size_t i;

	json_array_foreach(list, i, word)
		if (json_string_length(word) > 0 && has_word(text, json_string_value(word)))
			mistake(c, at, "the word \"%.64s\" is forbidden, expected another",
			    json_string_value(word));
}

void
text_check(struct compile *c, const struct at *at, const char *text)
{
	if (strlen(text) > TEXT_BYTES_MAX)
		mistake(c, at, "text of %zu bytes, expected at most %d", strlen(text),
		    TEXT_BYTES_MAX);
	for (const char *p = text; *p != '\0'; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\n') || *p == 0x7f) {
			mistake(c, at,
			    "text has a control character, expected none but line feeds");
			return;
		}
	}
}

/* ---- {{name|filter|default:TEXT}} ---- */

static void
read_filters(struct compile *c, const struct at *at, char *filters, struct template_part *part)
{
	bool last;

	for (char *p = filters; p != NULL; p = last ? NULL : p) {
		char *bar = strchr(p, '|');

		if (strncmp(p, "default:", 8) == 0) {
			part->dflt = p + 8; /* to the end, bars included */
			return;
		}
		last = bar == NULL;
		if (!last)
			*bar = '\0';
		if (part->filter != FILTER_NONE)
			mistake(c, at,
			    "filter \"%.32s\" after another, expected one of round and money", p);
		else if (strcmp(p, "round") == 0)
			part->filter = FILTER_ROUND;
		else if (strcmp(p, "money") == 0)
			part->filter = FILTER_MONEY;
		else
			mistake(c, at,
			    "filter \"%.32s\" is unknown, expected round, money or default:TEXT",
			    p);
		if (!last)
			p = bar + 1;
	}
}

bool
feature_awkward(const struct feature *feature)
{
	if (feature->source == FEATURE_VISIT)
		return feature->field == VISIT_VOIDS || feature->field == VISIT_DECLINES ||
		    feature->field == VISIT_RETURNS;
	if (feature->source == FEATURE_PROFILE && feature->field_name != NULL)
		return strcmp(feature->field_name, "likely_to_call") == 0;
	return feature->source == FEATURE_INCIDENTS || feature->source == FEATURE_JOURNEYS;
}

static void
check_variable(struct compile *c, const struct at *at, const struct wording *wording,
    const char *name, const struct feature *feature)
{
	const struct action *action = wording->action;

	if (wording->on_customer && feature->personal)
		mistake(c, at,
		    "{{%.64s}} comes from the customer's history, expected none of it on the "
		    "customer's screen",
		    name);
	if (action != NULL && !action->personal && action->mandatory && feature->personal)
		mistake(c, at,
		    "{{%.64s}} is personal, expected a mandatory action without consent to read "
		    "none",
		    name);
	if (feature->compliance && (action == NULL || !action->mandatory))
		mistake(c, at,
		    "{{%.64s}} is for compliance, expected it in rules and texts of mandatory "
		    "actions only",
		    name);
	if (action == NULL && feature != &c->policy->features[wording->feature] &&
	    feature_awkward(feature))
		mistake(c, at, "{{%.64s}} is of what went wrong, expected none of it in a reason",
		    name);
}

static void
read_variable(struct compile *c, const struct at *at, const struct wording *wording,
    const char *name, struct template_part *part)
{
	const struct action *action = wording->action;
	const struct feature *feature;
	int slot;

	part->has_value = true;
	if (strcmp(name, "depth") == 0 || strcmp(name, "worth") == 0) {
		part->var = name[0] == 'd' ? TEMPLATE_DEPTH : TEMPLATE_WORTH;
		if (action == NULL || !action->has_offer)
			mistake(c, at, "{{%s}} in %s, expected a feature", name,
			    action == NULL ? "a feature's reason" : "an action without offer");
		return;
	}
	if (strcmp(name, "item") == 0 && action != NULL && action->family != FAMILY_NONE) {
		part->var = TEMPLATE_ITEM;
		if (wording->on_customer && action->personal)
			mistake(c, at,
			    "{{item}} of an action that knows the customer, expected none of it on "
			    "the customer's screen");
		return;
	}
	part->var = TEMPLATE_FEATURE;
	slot = action == NULL && strcmp(name, "value") == 0 ? (int)wording->feature
							    : name_map_get(&c->features, name);
	if (slot < 0) {
		mistake(c, at,
		    "{{%.64s}} is no feature, expected one of features.json, depth or worth", name);
		return;
	}
	part->feature = (unsigned)slot;
	feature = &c->policy->features[slot];
	if (part->filter != FILTER_NONE && feature->type != VALUE_NUMBER)
		mistake(c, at, "{{%.64s}} is not a number, expected no filter round or money",
		    name);
	check_variable(c, at, wording, name, feature);
}

static char *
trim(char *text)
{
	size_t len;

	while (*text == ' ')
		text++;
	len = strlen(text);
	while (len > 0 && text[len - 1] == ' ')
		text[--len] = '\0';
	return text;
}

static void
read_value(struct compile *c, const struct at *at, const struct wording *wording, char *inside,
    struct template_part *part)
{
	char *bar = strchr(inside, '|');

	if (bar != NULL) {
		*bar = '\0';
		read_filters(c, at, bar + 1, part);
	}
	read_variable(c, at, wording, trim(inside), part);
}

static size_t
count_opens(const char *text)
{
	size_t count = 0;

	for (const char *p = text; (p = strstr(p, "{{")) != NULL; p += 2)
		count++;
	return count;
}

/* Characters that every rendering has: the literal ones. */
static uint32_t
literal_length(const struct template *text)
{
	uint32_t length = 0;

	for (size_t i = 0; i < text->count; i++)
		for (const char *p = text->parts[i].text; *p != '\0'; p++)
			length += ((unsigned char)*p & 0xc0) != 0x80;
	return length;
}

void
template_read(struct compile *c, const struct at *at, const struct wording *wording,
    struct template *ret)
{
	char *text = arena_strdup(c->arena, json_string_value(at->json)), *open;

	*ret = (struct template){ 0 };
	if (text == NULL)
		return;
	text_check(c, at, text);
	check_words(c, at, wording->language, text);
	ret->parts = arena_alloc(c->arena, (count_opens(text) + 1) * sizeof(*ret->parts));
	while ((open = strstr(text, "{{")) != NULL) {
		struct template_part *part = &ret->parts[ret->count];
		char *close = strstr(open + 2, "}}");

		if (close == NULL) {
			mistake(c, at, "{{ is not closed, expected }}");
			break;
		}
		*open = *close = '\0';
		part->text = text;
		read_value(c, at, wording, open + 2, part);
		ret->count++;
		text = close + 2;
	}
	ret->parts[ret->count++].text = text;
	ret->chars = literal_length(ret);
}
