/* SPDX-License-Identifier: Apache-2.0
 *
 * preview.c - the cards of a policy as they will look in the store, in one HTML file.
 *
 * DESIGN
 *   It looks as on the tablet because it is the tablet's page: its markup, its styles and the
 *   scripts that build a card (deliver/page), in a frame of the size of each device. What the
 *   policy says travels as JSON in which no "<" is left, and becomes text, never markup; the file
 *   may load nothing from anywhere.
 *
 *   A value is its feature's default, else its template's, else the feature's name in ‹ ›. An
 *   offer is worth what the store would say before any of its goods is scanned.
 *
 *   How long a feature's value is nobody knows here, so a text with one is marked by the room
 *   that is left for it, and only one without is measured whole.
 */
#include "tools/preview.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "aisle/placement.h"
#include "core/arena.h"
#include "core/json.h"
#include "core/json_write.h"
#include "decide/run.h"
#include "deliver/guidance.h"
#include "deliver/http.h"
#include "nouns/picture.h"

#define NEAR_PERCENT 85	    /* of a limit, from where on a text is marked */
#define ROOM_FOR_A_VALUE 16 /* characters: with less left for each value it is marked as well */

struct sample {
	const struct policy *policy;
	const struct action *action;
	const struct treatment *treatment;
	const struct basis *basis; /* an empty one */
	int64_t depth, worth_minor;
};

/* ---- sample values ---- */

static void
take_depth(struct sample *s, int64_t depth)
{
	s->depth = depth;
	s->worth_minor = offer_value(&s->action->offer, depth, s->basis).worth_minor;
}

static struct value
sample_value(const struct sample *s, const struct template_part *part)
{
	switch (part->var) {
	case TEMPLATE_DEPTH: return value_number((double)s->depth);
	case TEMPLATE_WORTH: return value_number((double)s->worth_minor);
	case TEMPLATE_ITEM: return value_missing();
	case TEMPLATE_FEATURE: break;
	}
	return s->policy->features[part->feature].dflt;
}

static void
add_value(const struct sample *s, const struct template_part *part, struct buf *out)
{
	struct value value = sample_value(s, part);

	if (words_value(&value, part->filter, s->policy, s->treatment->language, out))
		return;
	if (part->dflt != NULL)
		buf_adds(out, part->dflt);
	else
		buf_addf(out, "‹%s›",
		    part->var == TEMPLATE_ITEM ? "item" : s->policy->features[part->feature].name);
}

/* features: also the values that a customer brings. */
static void
render(const struct sample *s, const struct template *text, bool features, struct buf *out)
{
	buf_clear(out);
	buf_adds(out, "");
	for (size_t i = 0; i < text->count; i++) {
		const struct template_part *part = &text->parts[i];

		if (part->text != NULL)
			buf_adds(out, part->text);
		if (part->has_value && (features || part->var != TEMPLATE_FEATURE))
			add_value(s, part, out);
	}
}

/* ---- a card ---- */

static void
add_text(const struct sample *s, const char *name, const struct template *text,
    struct json_writer *w)
{
	struct buf words = { 0 };

	render(s, text, true, &words);
	if (words.len > 0)
		json_add_str(w, name, words.data);
	buf_done(&words);
}

static void
add_texts(const struct sample *s, const char *name, const struct template *texts, size_t count,
    struct json_writer *w)
{
	json_add_list(w, name);
	for (size_t i = 0; i < count; i++)
		add_text(s, NULL, &texts[i], w);
	json_end(w);
}

static void
add_prompt(const struct sample *s, struct json_writer *w)
{
	const struct treatment *t = s->treatment;

	json_add_object(w, "prompt");
	json_add_str(w, "kind", NAME_OF(kind_names, s->action->kind));
	json_add_bool(w, "mandatory", s->action->mandatory);
	json_add_str(w, "gate", NAME_OF(gate_names, s->action->gate));
	guidance_choices(s->action->gate, s->action->mandatory, w);
	json_add_str(w, "language", t->language);
	add_text(s, "headline", &t->headline, w);
	add_text(s, "say", &t->say, w);
	add_text(s, "body", &t->body, w);
	add_texts(s, "why", t->why, t->why_count, w);
	add_texts(s, "steps", t->steps, t->step_count, w);
	if (t->image != NULL)
		json_add_str(w, "image", t->image);
	if (t->disclosure != NULL)
		json_add_str(w, "disclosure", t->disclosure);
	if (s->action->has_offer)
		offer_json(s->policy, &s->action->offer, s->depth, s->worth_minor,
		    offer_estimates(&s->action->offer, s->basis), w);
	json_end(w);
}

/* ---- limits ---- */

/* Of the depths that it may have, the longest. */
static size_t
chars_at_most(const struct sample *s, const struct template *text)
{
	const struct offer *offer = &s->action->offer;
	struct sample each = *s;
	struct buf words = { 0 };
	size_t most, count = s->action->has_offer ? offer->ladder_count + offer->tier_count : 0;

	render(&each, text, false, &words);
	most = utf8_count(words.data);
	for (size_t i = 0; i < count; i++) {
		size_t chars;

		take_depth(&each,
		    i < offer->ladder_count ? offer->ladder[i]
					    : offer->tiers[i - offer->ladder_count].depth);
		render(&each, text, false, &words);
		chars = utf8_count(words.data);
		most = chars > most ? chars : most;
	}
	buf_done(&words);
	return most;
}

/* "‹name›, ‹tier›" */
static size_t
name_values(const struct sample *s, const struct template *text, struct buf *out)
{
	size_t count = 0;

	for (size_t i = 0; i < text->count; i++)
		if (text->parts[i].has_value && text->parts[i].var == TEMPLATE_FEATURE)
			buf_addf(out, "%s‹%s›", count++ > 0 ? ", " : "",
			    s->policy->features[text->parts[i].feature].name);
	return count;
}

static void
mark(const struct sample *s, const char *name, const struct template *text, const char *place,
    int max, struct json_writer *w)
{
	struct buf names = { 0 }, says = { 0 };
	size_t chars = chars_at_most(s, text), values = name_values(s, text, &names);
	size_t left = max > 0 && chars < (size_t)max ? (size_t)max - chars : 0;

	buf_addf(&says, "%s: %zu of at most %d characters on %s", name, chars, max, place);
	if (max > 0 && chars > (size_t)max) {
		buf_adds(&says, ": it is not shown there");
		json_add_str(w, NULL, says.data);
	} else if (max > 0 && values > 0 && left < ROOM_FOR_A_VALUE * values) {
		buf_addf(&says, " without %s; where that has more than %zu it is not shown",
		    names.data, left);
		json_add_str(w, NULL, says.data);
	} else if (max > 0 && values == 0 && chars * 100 >= (size_t)max * NEAR_PERCENT) {
		json_add_str(w, NULL, says.data);
	}
	buf_done(&names);
	buf_done(&says);
}

static bool
is_at(const struct sample *s, int place)
{
	return s->treatment->placement < 0 ? (s->action->placements >> place & 1) != 0
					   : s->treatment->placement == place;
}

static void
add_marks(const struct sample *s, struct json_writer *w)
{
	const struct treatment *t = s->treatment;

	json_add_list(w, "marks");
	for (int place = 0; place < PLACE_COUNT; place++) {
		const struct placement_rules *rules = &s->policy->places[place];

		if (!is_at(s, place))
			continue;
		mark(s, "headline", &t->headline, placement_names[place], rules->headline_max, w);
		mark(s, "say", &t->say, placement_names[place], rules->say_max, w);
		mark(s, "body", &t->body, placement_names[place], rules->body_max, w);
	}
	json_end(w);
}

/* ---- where ---- */

static bool
fits_at(const struct sample *s, int place)
{
	const struct placement_rules *rules = &s->policy->places[place];
	const struct template *const texts[] = { &s->treatment->headline, &s->treatment->say,
		&s->treatment->body };
	const int most[] = { rules->headline_max, rules->say_max, rules->body_max };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (most[i] > 0 && chars_at_most(s, texts[i]) > (size_t)most[i])
			return false;
	return true;
}

/* screen: it is a card there; message: the till is given its headline. */
static void
add_places(const struct sample *s, struct json_writer *w)
{
	json_add_list(w, "places");
	for (int place = 0; place < PLACE_COUNT; place++) {
		const struct placement_traits *traits = &placement_table[place];

		if (!is_at(s, place))
			continue;
		json_add_object(w, NULL);
		json_add_str(w, "place", placement_names[place]);
		json_add_bool(w, "fits", fits_at(s, place));
		json_add_bool(w, "screen", traits->on_screen);
		json_add_bool(w, "customer", traits->faces_customer);
		json_add_bool(w, "message", traits->show != COMMAND_NONE);
		json_end(w);
	}
	json_end(w);
}

static void
add_depths(const struct offer *offer, struct json_writer *w)
{
	json_add_list(w, "depths");
	for (size_t i = 0; i < offer->ladder_count; i++)
		json_add_int(w, NULL, offer->ladder[i]);
	for (size_t i = 0; i < offer->tier_count; i++)
		json_add_int(w, NULL, offer->tiers[i].depth);
	json_end(w);
}

static void
add_card(const struct sample *of, const struct treatment *treatment, struct json_writer *w)
{
	struct sample s = *of;

	s.treatment = treatment;
	if (s.action->has_offer && s.action->offer.ladder_count > 0)
		take_depth(&s, s.action->offer.ladder[0]);
	json_add_object(w, NULL);
	json_add_str(w, "action", s.action->id);
	json_add_str(w, "treatment", treatment->name);
	json_add_str(w, "language", treatment->language);
	if (s.action->has_offer)
		add_depths(&s.action->offer, w);
	add_places(&s, w);
	add_prompt(&s, w);
	add_marks(&s, w);
	json_end(w);
}

static void
add_cards(const struct policy *policy, struct json_writer *w)
{
	struct arena *arena = arena_new();
	const struct visit visit = { 0 };
	struct sample s = { .policy = policy, .basis = basis_make(arena, policy, 0, &visit) };

	json_add_list(w, "cards");
	for (size_t i = 0; i < policy->action_count; i++) {
		s.action = &policy->actions[i];
		for (size_t j = 0; j < s.action->treatment_count; j++)
			add_card(&s, &s.action->treatments[j], w);
	}
	json_end(w);
	arena_free(arena);
}

/* ---- images ---- */

static void
add_picture(const struct policy_picture *picture, const struct policy_part *part,
    struct json_writer *w)
{
	struct picture_head head;
	struct buf data = { 0 };
	size_t size = sodium_base64_ENCODED_LEN(part->len, sodium_base64_VARIANT_ORIGINAL);

	if (!picture_read(part->bytes, part->len, &head))
		return;
	buf_addf(&data, "data:%s;base64,", head.type);
	buf_reserve(&data, size);
	sodium_bin2base64(data.data + data.len, size, part->bytes, part->len,
	    sodium_base64_VARIANT_ORIGINAL);
	json_add_str(w, picture->path, data.data);
	buf_done(&data);
}

static void
add_pictures(const struct policy *policy, const struct policy_parts *parts, struct json_writer *w)
{
	json_add_object(w, "images");
	for (size_t i = 0; i < policy->picture_count; i++)
		for (size_t j = 0; j < parts->count; j++)
			if (strcmp(parts->part[j].name, policy->pictures[i].name) == 0)
				add_picture(&policy->pictures[i], &parts->part[j], w);
	json_end(w);
}

/* ---- the page ---- */

/* What is in the body of the tablet's page. */
static void
add_body(struct json_writer *w)
{
	struct buf page = { 0 };
	char *begin, *end;

	http_page_text("", &page);
	begin = strstr(page.data, "<body>");
	end = strstr(page.data, "</body>");
	CHECK(begin != NULL && end != NULL);
	*end = '\0';
	json_add_str(w, "body", begin + strlen("<body>"));
	buf_done(&page);
}

/* In a script element "<" could end it: in JSON it stands in strings only. */
static void
add_data(const struct policy *policy, const struct policy_parts *parts, struct buf *out)
{
	struct buf json = { 0 };
	struct json_writer *w = JSON_OBJECT(&json);

	json_add_str(w, "name", policy->name);
	json_add_int(w, "version", policy->version);
	json_add_list(w, "languages");
	for (size_t i = 0; i < policy->language_count; i++)
		json_add_str(w, NULL, policy->languages[i]);
	json_end(w);
	add_body(w);
	add_pictures(policy, parts, w);
	add_cards(policy, w);
	json_end_all(w);
	for (size_t i = 0; i < json.len; i++) {
		if (json.data[i] == '<')
			buf_adds(out, "\\u003c");
		else
			buf_addc(out, json.data[i]);
	}
	buf_done(&json);
}

/* The page's modules as one script: without their imports, and what they export is there. */
static void
add_module(const char *name, struct buf *out)
{
	struct buf text = { 0 };

	http_page_text(name, &text);
	for (const char *at = text.data; *at != '\0';) {
		size_t len = strcspn(at, "\n");

		if (strncmp(at, "export ", 7) == 0)
			buf_add(out, at + 7, len - 7);
		else if (strncmp(at, "import ", 7) != 0)
			buf_add(out, at, len);
		buf_addc(out, '\n');
		at += len + (at[len] == '\n');
	}
	buf_done(&text);
}

void
preview_page(const struct policy *policy, const struct policy_parts *parts, struct buf *out)
{
	static const char *const modules[] = { "words.js", "barcode.js", "cards.js", "deck.js" };

	buf_adds(out,
	    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:\">\n"
	    "<title>Cards of a policy</title>\n<style id=\"style\" media=\"not all\">\n");
	http_page_text("style.css", out);
	buf_adds(out, "</style>\n<style>\n");
	http_page_text("preview.css", out);
	buf_adds(out,
	    "</style>\n</head>\n<body>\n<header><h1></h1><p></p><form></form></header>\n"
	    "<main></main>\n<script type=\"application/json\" id=\"data\">");
	add_data(policy, parts, out);
	buf_adds(out, "</script>\n<script type=\"module\">\n");
	for (size_t i = 0; i < ARRAY_LEN(modules); i++)
		add_module(modules[i], out);
	http_page_text("preview.js", out);
	buf_adds(out, "</script>\n</body>\n</html>\n");
}
