/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_text.c - treatments: the wordings of an action, cut at their {{values}}.
 */
#include "decide/policy_internal.h"

#include <string.h>

#define TREATMENTS_MAX 256
#define WHY_MAX 3
#define STEPS_MAX 12
#define TEXT_BYTES_MAX 4000

static const struct member treatment_members[] = {
    {"treatment", T_STRING | T_REQUIRED},
    {"language", T_STRING | T_REQUIRED},
    {"headline", T_STRING | T_REQUIRED},
    {"say", T_STRING | T_NULL},
    {"body", T_STRING | T_NULL},
    {"why", T_ARRAY},
    {"steps", T_ARRAY},
    {"image", T_STRING | T_NULL},
    {"disclosure", T_STRING | T_NULL},
    {"placement", T_STRING},
    {"origin", T_STRING},
    {"approved_by", T_STRING | T_NULL},
};

/* What a text is read for: whose it is and where it will be seen. */
struct wording {
	const struct action *action;
	const char *language;
	bool on_customer; /* may stand on the customer's own screen */
};

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

	json_array_foreach(list, i, word) if (json_string_length(word) > 0 &&
					      has_word(text, json_string_value(word))) mistake(c,
	    at, "the word \"%.64s\" is forbidden, expected another", json_string_value(word));
}

static void
check_bytes(struct compile *c, const struct at *at, const char *text)
{
	if (strlen(text) > TEXT_BYTES_MAX)
		mistake(
		    c, at, "text of %zu bytes, expected at most %d", strlen(text), TEXT_BYTES_MAX);
	for (const char *p = text; *p != '\0'; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\n') || *p == 0x7f) {
			mistake(
			    c, at, "text has a control character, expected none but line feeds");
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

static void
read_variable(struct compile *c, const struct at *at, const struct wording *wording,
    const char *name, struct template_part *part)
{
	const struct feature *feature;
	int slot;

	part->has_value = true;
	if (strcmp(name, "depth") == 0 || strcmp(name, "worth") == 0) {
		part->var = name[0] == 'd' ? TEMPLATE_DEPTH : TEMPLATE_WORTH;
		if (!wording->action->has_offer)
			mistake(
			    c, at, "{{%s}} in an action without offer, expected a feature", name);
		return;
	}
	part->var = TEMPLATE_FEATURE;
	slot = name_map_get(&c->features, name);
	if (slot < 0) {
		mistake(c, at,
		    "{{%.64s}} is no feature, expected one of features.json, depth or worth", name);
		return;
	}
	part->feature = (unsigned)slot;
	feature = &c->policy->features[slot];
	if (part->filter != FILTER_NONE && feature->type != VALUE_NUMBER)
		mistake(
		    c, at, "{{%.64s}} is not a number, expected no filter round or money", name);
	if (wording->on_customer && feature->personal)
		mistake(c, at,
		    "{{%.64s}} comes from the customer's history, expected none of it on the "
		    "customer's screen",
		    name);
	if (!wording->action->personal && wording->action->mandatory && feature->personal)
		mistake(c, at,
		    "{{%.64s}} is personal, expected a mandatory action without consent to read "
		    "none",
		    name);
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

static void
template_read(
    struct compile *c, const struct at *at, const struct wording *wording, struct template *ret)
{
	char *text = arena_strdup(c->arena, json_string_value(at->json)), *open;

	*ret = (struct template){0};
	if (text == NULL)
		return;
	check_bytes(c, at, text);
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

/* ---- treatments ---- */

static bool
fits(const struct treatment *treatment, const struct placement_rules *rules)
{
	return (rules->headline_max == 0 || treatment->headline.chars <= (size_t)rules->headline_max) &&
	       (rules->body_max == 0 || treatment->body.chars <= (size_t)rules->body_max) &&
	       (rules->say_max == 0 || treatment->say.chars <= (size_t)rules->say_max);
}

static void
check_fit(struct compile *c, const struct at *at, const struct action *action,
    const struct treatment *treatment)
{
	struct at headline = at_member(at, "headline");
	const char *no = NULL;
	bool yes = false;

	for (size_t i = 0; i < PLACE_COUNT; i++) {
		if ((action->placements & 1u << i) == 0 ||
		    (treatment->placement >= 0 && treatment->placement != (int)i))
			continue;
		if (fits(treatment, &c->policy->places[i]))
			yes = true;
		else
			no = placement_names[i];
	}
	if (no != NULL && !yes)
		mistake(c, &headline,
		    "the text does not fit, expected headline, body and say within the maxima of "
		    "%s",
		    no);
	else if (no != NULL)
		warning(c, &headline, "the text does not fit %s, expected another treatment for it",
		    no);
}

static void
read_list(struct compile *c, const struct at *at, const struct wording *wording, size_t max,
    struct template **ret, size_t *ret_count)
{
	size_t count = json_array_size(at->json);

	if (count > max) {
		mistake(c, at, "%zu texts, expected at most %zu", count, max);
		count = max;
	}
	*ret = arena_alloc(c->arena, count * sizeof(**ret));
	*ret_count = count;
	for (size_t i = 0; i < count; i++) {
		struct at here = at_index(at, i);

		if (!json_is_string(here.json))
			mistake(c, &here, "not a text, expected a string");
		else
			template_read(c, &here, wording, &(*ret)[i]);
	}
}

static void
read_image(struct compile *c, const struct at *at, struct treatment *treatment)
{
	struct at here = at_member(at, "image"), disclosure = at_member(at, "disclosure");

	treatment->image = keep(c, json_string_value(here.json));
	if (treatment->image != NULL &&
	    (!id_valid(treatment->image) || strchr(treatment->image, ':') != NULL ||
		treatment->image[0] == '/' || strstr(treatment->image, "..") != NULL))
		mistake(c, &here,
		    "\"%.64s\" is not an image, expected the name of a file below images/",
		    treatment->image);
	treatment->disclosure = keep(c, json_string_value(disclosure.json));
	if (treatment->disclosure != NULL)
		check_bytes(c, &disclosure, treatment->disclosure);
}

static void
read_language(struct compile *c, const struct at *at, struct treatment *treatment)
{
	struct at here = at_member(at, "language");

	treatment->language = json_is_string(here.json) ? keep(c, json_string_value(here.json)) : "";
	for (size_t i = 0; i < c->policy->language_count; i++)
		if (strcmp(c->policy->languages[i], treatment->language) == 0)
			return;
	if (json_is_string(here.json))
		mistake(c, &here,
		    "language \"%.40s\" is not in \"languages\", expected one of them",
		    treatment->language);
}

static void
read_treatment(struct compile *c, const struct at *at, const struct action *action,
    struct treatment *treatment)
{
	struct at headline = at_member(at, "headline"), say = at_member(at, "say"),
		  body = at_member(at, "body");
	struct at why = at_member(at, "why"), steps = at_member(at, "steps"),
		  place = at_member(at, "placement");
	struct wording wording = {.action = action};

	treatment->name = treatment->language = "";
	treatment->placement = -1;
	if (!READ_MEMBERS(c, at, treatment_members))
		return;
	if (read_id(c, at, "treatment") != NULL)
		treatment->name = read_string(c, at, "treatment");
	read_language(c, at, treatment);
	treatment->placement = read_choice(c, at, "placement", placement_names, PLACE_COUNT);
	if (treatment->placement >= 0 && (action->placements & 1u << treatment->placement) == 0)
		mistake(
		    c, &place, "the action is not placed there, expected one of its placements");
	wording.language = treatment->language;
	wording.on_customer = (action->placements & 1u << PLACE_CUSTOMER) != 0 &&
			      (treatment->placement < 0 || treatment->placement == PLACE_CUSTOMER);
	template_read(c, &headline, &wording, &treatment->headline);
	if (json_is_string(headline.json) && json_string_length(headline.json) == 0)
		mistake(c, &headline, "\"headline\" is empty, expected a text");
	template_read(c, &say, &wording, &treatment->say);
	template_read(c, &body, &wording, &treatment->body);
	read_list(c, &why, &wording, WHY_MAX, &treatment->why, &treatment->why_count);
	read_list(c, &steps, &wording, STEPS_MAX, &treatment->steps, &treatment->step_count);
	read_image(c, at, treatment);
	check_fit(c, at, action, treatment);
}

void
treatments_read(struct compile *c, const struct at *at, struct action *action)
{
	size_t count = json_array_size(at->json);
	bool first = false;

	if (!json_is_array(at->json))
		return;
	if (count < 1 || count > TREATMENTS_MAX) {
		mistake(c, at, "%zu treatments, expected 1 to %d", count, TREATMENTS_MAX);
		return;
	}
	action->treatments = arena_alloc(c->arena, count * sizeof(*action->treatments));
	action->treatment_count = count;
	for (size_t i = 0; i < count; i++) {
		struct treatment *treatment = &action->treatments[i];
		struct at here = at_index(at, i);

		read_treatment(c, &here, action, treatment);
		first |= c->policy->language_count > 0 &&
			 strcmp(treatment->language, c->policy->languages[0]) == 0;
		for (size_t j = 0; j < i; j++)
			if (strcmp(action->treatments[j].name, treatment->name) == 0 &&
			    strcmp(action->treatments[j].language, treatment->language) == 0 &&
			    action->treatments[j].placement == treatment->placement)
				mistake(c, &here,
				    "treatment \"%.64s\" is there twice in a language, expected it "
				    "once",
				    treatment->name);
	}
	if (!first)
		warning(c, at,
		    "no treatment in the first language, expected one for customers whose language "
		    "is unknown");
}
