/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_text.c - what people are told: the treatments of an action, the reason of a feature.
 */
#include "policy/policy_internal.h"

#include <string.h>

#include "nouns/match.h"

#define TREATMENTS_MAX 256
#define STEPS_MAX 12
#define IMAGE_OF_MAX 256 /* bytes, as of a sku */

/* clang-format off */
static const struct member treatment_members[] = {
    {"treatment", T_STRING | T_REQUIRED},
    {"language", T_STRING | T_REQUIRED},
    {"headline", T_STRING | T_REQUIRED},
    {"say", T_STRING | T_NULL},
    {"body", T_STRING | T_NULL},
    {"why", T_ARRAY},
    {"steps", T_ARRAY},
    {"image", T_STRING | T_NULL | T_OBJECT},
    {"disclosure", T_STRING | T_NULL},
    {"placement", T_STRING},
    {"origin", T_STRING},
    {"approved_by", T_STRING | T_NULL},
};
/* clang-format on */

/* ---- treatments ---- */

static bool
fits(const struct treatment *treatment, const struct placement_rules *rules)
{
	return (rules->headline_max == 0 ||
		   treatment->headline.chars <= (size_t)rules->headline_max) &&
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

static size_t
literal_bytes(const struct template *text, struct buf *scratch)
{
	buf_clear(scratch);
	for (size_t i = 0; i < text->count; i++)
		if (text->parts[i].text != NULL)
			buf_json_str(scratch, text->parts[i].text);
	return scratch->len;
}

/* What can never be sent is said to its author. */
static void
check_bytes(struct compile *c, const struct at *at, struct treatment *treatment)
{
	struct at headline = at_member(at, "headline");
	struct buf scratch = { 0 };
	size_t bytes = literal_bytes(&treatment->headline, &scratch) +
	    literal_bytes(&treatment->say, &scratch) + literal_bytes(&treatment->body, &scratch);

	for (size_t i = 0; i < treatment->why_count; i++)
		bytes += literal_bytes(&treatment->why[i], &scratch);
	for (size_t i = 0; i < treatment->step_count; i++)
		bytes += literal_bytes(&treatment->steps[i], &scratch);
	buf_clear(&scratch);
	if (treatment->disclosure != NULL)
		buf_json_str(&scratch, treatment->disclosure);
	bytes += scratch.len;
	buf_done(&scratch);
	treatment->text_bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
	if (bytes > CARD_TEXT_BYTES_MAX)
		mistake(c, &headline,
		    "the texts of this treatment are %zu bytes, expected at most %d together",
		    bytes, CARD_TEXT_BYTES_MAX);
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

/* Of an article, which the store finds in its catalog. */
static void
read_image_of(struct compile *c, const struct at *at, const struct action *action,
    struct treatment *treatment)
{
	static const struct member members[] = { { "item", T_STRING | T_REQUIRED } };
	static const struct member of_family[] = { { "from", T_STRING | T_REQUIRED } };
	struct at item = at_member(at, "item"), from = at_member(at, "from");
	size_t len = json_string_length(item.json);

	if (from.json != NULL) {
		treatment->image_of_item = action->family != FAMILY_NONE &&
		    json_is_string(from.json) && strcmp(json_string_value(from.json), "table") == 0;
		if (READ_MEMBERS(c, at, of_family) && !treatment->image_of_item)
			mistake(c, &from,
			    "an image from a table, expected \"table\" in an action that takes its "
			    "item from one");
		return;
	}

	if (!READ_MEMBERS(c, at, members) || !json_is_string(item.json))
		return;
	if (len < 1 || len > IMAGE_OF_MAX)
		mistake(c, &item, "%zu bytes, expected the GTIN or sku of an article, 1 to %d", len,
		    IMAGE_OF_MAX);
	treatment->image_of = item_name(c->arena, json_string_value(item.json));
}

static void
read_image(struct compile *c, const struct at *at, const struct action *action,
    struct treatment *treatment)
{
	struct at here = at_member(at, "image"), disclosure = at_member(at, "disclosure");

	treatment->image = picture_named(c, &here);
	if (json_is_object(here.json))
		read_image_of(c, &here, action, treatment);
	treatment->disclosure = keep(c, json_string_value(disclosure.json));
	if (treatment->disclosure != NULL)
		text_check(c, &disclosure, treatment->disclosure);
}

static void
read_language(struct compile *c, const struct at *at, struct treatment *treatment)
{
	struct at here = at_member(at, "language");

	treatment->language =
	    json_is_string(here.json) ? keep(c, json_string_value(here.json)) : "";
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
	struct wording wording = { .action = action };

	treatment->name = treatment->language = "";
	treatment->placement = -1;
	if (!READ_MEMBERS(c, at, treatment_members))
		return;
	if (read_id(c, at, "treatment") != NULL)
		treatment->name = read_string(c, at, "treatment");
	read_language(c, at, treatment);
	treatment->placement = read_choice(c, at, "placement", placement_names, PLACE_COUNT);
	if (treatment->placement >= 0 && (action->placements & 1u << treatment->placement) == 0)
		mistake(c, &place,
		    "the action is not placed there, expected one of its placements");
	wording.language = treatment->language;
	wording.on_customer = (action->placements & PLACES_FACING_CUSTOMER) != 0 &&
	    (treatment->placement < 0 || placement_table[treatment->placement].faces_customer);
	template_read(c, &headline, &wording, &treatment->headline);
	if (json_is_string(headline.json) && json_string_length(headline.json) == 0)
		mistake(c, &headline, "\"headline\" is empty, expected a text");
	template_read(c, &say, &wording, &treatment->say);
	template_read(c, &body, &wording, &treatment->body);
	read_list(c, &why, &wording, WHY_MAX, &treatment->why, &treatment->why_count);
	read_list(c, &steps, &wording, STEPS_MAX, &treatment->steps, &treatment->step_count);
	read_image(c, at, action, treatment);
	check_fit(c, at, action, treatment);
	check_bytes(c, at, treatment);
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

/* ---- reasons ---- */

static void
read_reason(struct compile *c, const struct at *at, const struct wording *wording,
    struct template *reasons)
{
	for (size_t i = 0; i < c->policy->language_count; i++) {
		if (strcmp(c->policy->languages[i], at->key) != 0)
			continue;
		if (!json_is_string(at->json) || json_string_length(at->json) == 0)
			mistake(c, at, "not a text, expected a sentence");
		else
			template_read(c, at, wording, &reasons[i]);
		return;
	}
	mistake(c, at, "language \"%.40s\" is not in \"languages\", expected one of them", at->key);
}

void
reason_read(struct compile *c, const struct at *at, unsigned slot)
{
	struct feature *feature = &c->policy->features[slot];
	struct wording wording = { .feature = slot };
	const char *language;
	json_t *text;

	if (!json_is_object(at->json))
		return;
	if (feature_awkward(feature))
		mistake(c, at, "a reason for \"%.64s\", which is of what went wrong, expected none",
		    feature->name);
	if (json_object_size(at->json) == 0)
		mistake(c, at, "no reason, expected a sentence by language");
	feature->reasons =
	    arena_alloc(c->arena, (c->policy->language_count + 1) * sizeof(*feature->reasons));
	json_object_foreach(at->json, language, text) {
		struct at here = at_member(at, language);

		wording.language = language;
		read_reason(c, &here, &wording, feature->reasons);
	}
}
