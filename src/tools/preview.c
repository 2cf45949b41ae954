/* SPDX-License-Identifier: Apache-2.0
 *
 * preview.c - the cards of a policy as a tablet will show them, in one HTML file.
 *
 * DESIGN
 *   It looks as on the tablet because it is the tablet's page: its styles and the scripts that
 *   build a card (deliver/page), in a frame of a phone's and of a tablet's size each. What the
 *   policy says travels as JSON in which no "<" is left, and becomes text, never markup; the file
 *   may load nothing from anywhere.
 *
 *   A value is its feature's default, else its template's, else the feature's name in ‹ ›.
 */
#include "tools/preview.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/json_write.h"
#include "decide/run.h"
#include "deliver/http.h"
#include "nouns/picture.h"

#define NEAR_PERCENT 85 /* of a limit, from where on a text is marked */

struct sample {
	const struct policy *policy;
	const struct action *action;
	const struct treatment *treatment;
	int64_t depth, worth_minor;
};

/* ---- sample values ---- */

static int64_t
worth_of(const struct offer *offer, int64_t depth)
{
	int64_t worth = 0;

	switch (offer->type) {
	case OFFER_PERCENT:
		worth =
		    offer->typical_minor / 100 * depth + offer->typical_minor % 100 * depth / 100;
		break;
	case OFFER_AMOUNT:
	case OFFER_POINTS: worth = depth; break;
	case OFFER_FIXED_PRICE: worth = offer->typical_minor - depth; break;
	case OFFER_FREE_ITEM: worth = offer->typical_minor; break;
	}
	return offer->max_minor >= 0 && worth > offer->max_minor ? offer->max_minor : worth;
}

static void
add_number(const struct sample *s, double number, uint8_t filter, struct buf *out)
{
	if (filter == FILTER_MONEY)
		money_text((int64_t)number, s->policy, s->treatment->language, out);
	else if (filter == FILTER_ROUND)
		buf_addf(out, "%.0f", number);
	else
		buf_addf(out, "%.10g", number);
}

static void
add_value(const struct sample *s, const struct template_part *part, struct buf *out)
{
	const struct feature *feature = &s->policy->features[part->feature];

	if (part->var == TEMPLATE_DEPTH)
		add_number(s, (double)s->depth, part->filter, out);
	else if (part->var == TEMPLATE_WORTH)
		add_number(s, (double)s->worth_minor, part->filter, out);
	else if (feature->dflt.tag == VALUE_NUMBER)
		add_number(s, feature->dflt.number, part->filter, out);
	else if (feature->dflt.tag == VALUE_STRING)
		buf_adds(out, feature->dflt.str);
	else if (feature->dflt.tag == VALUE_BOOL)
		buf_adds(out, feature->dflt.truth ? "true" : "false");
	else if (part->dflt != NULL)
		buf_adds(out, part->dflt);
	else
		buf_addf(out, "‹%s›", feature->name);
}

static void
render(const struct sample *s, const struct template *text, struct buf *out)
{
	buf_clear(out);
	buf_adds(out, "");
	for (size_t i = 0; i < text->count; i++) {
		if (text->parts[i].text != NULL)
			buf_adds(out, text->parts[i].text);
		if (text->parts[i].has_value)
			add_value(s, &text->parts[i], out);
	}
}

/* ---- a card ---- */

static void
add_text(const struct sample *s, const char *name, const struct template *text,
    struct json_writer *w)
{
	struct buf words = { 0 };

	render(s, text, &words);
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
add_offer(const struct sample *s, struct json_writer *w)
{
	const struct offer *offer = &s->action->offer;

	if (!s->action->has_offer)
		return;
	json_add_object(w, "offer");
	json_add_str(w, "type", offer_type_names[offer->type]);
	json_add_str(w, "apply", offer_apply_names[offer->apply]);
	json_add_int(w, "worth", s->worth_minor);
	json_add_str(w, "currency", s->policy->currency);
	if (offer->code != NULL)
		json_add_str(w, "code", offer->code);
	json_end(w);
}

static void
add_prompt(const struct sample *s, struct json_writer *w)
{
	const struct treatment *t = s->treatment;

	json_add_object(w, "prompt");
	json_add_str(w, "kind", kind_names[s->action->kind]);
	json_add_bool(w, "mandatory", s->action->mandatory);
	json_add_str(w, "gate", gate_names[s->action->gate]);
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
	add_offer(s, w);
	json_end(w);
}

/* A text that is near its limit, or over it: in a placement it would not fit. */
static void
mark(const struct sample *s, const char *name, const struct template *text, const char *place,
    int max, struct json_writer *w)
{
	struct buf words = { 0 };
	size_t chars;

	render(s, text, &words);
	chars = utf8_count(words.data);
	if (max > 0 && chars * 100 >= (size_t)max * NEAR_PERCENT) {
		char says[160];

		snprintf(says, sizeof(says), "%s: %zu of at most %d characters on %s%s", name,
		    chars, max, place, chars > (size_t)max ? ": it is not shown there" : "");
		json_add_str(w, NULL, says);
	}
	buf_done(&words);
}

static void
add_marks(const struct sample *s, struct json_writer *w)
{
	const struct treatment *t = s->treatment;

	json_add_list(w, "marks");
	for (int place = 0; place < PLACE_COUNT; place++) {
		const struct placement_rules *rules = &s->policy->places[place];
		bool shown = t->placement < 0 ? (s->action->placements >> place & 1) != 0
					      : t->placement == place;

		if (!shown)
			continue;
		mark(s, "headline", &t->headline, placement_names[place], rules->headline_max, w);
		mark(s, "say", &t->say, placement_names[place], rules->say_max, w);
		mark(s, "body", &t->body, placement_names[place], rules->body_max, w);
	}
	json_end(w);
}

static void
add_depths(const struct action *action, struct json_writer *w)
{
	json_add_list(w, "depths");
	for (size_t i = 0; action->has_offer && i < action->offer.ladder_count; i++)
		json_add_int(w, NULL, action->offer.ladder[i]);
	json_end(w);
}

static void
add_card(const struct policy *policy, const struct action *action,
    const struct treatment *treatment, struct json_writer *w)
{
	struct sample s = { .policy = policy, .action = action, .treatment = treatment };

	if (action->has_offer && action->offer.ladder_count > 0) {
		s.depth = action->offer.ladder[0];
		s.worth_minor = worth_of(&action->offer, s.depth);
	}
	json_add_object(w, NULL);
	json_add_str(w, "action", action->id);
	json_add_str(w, "treatment", treatment->name);
	json_add_str(w, "language", treatment->language);
	add_depths(action, w);
	add_prompt(&s, w);
	add_marks(&s, w);
	json_end(w);
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

/* In a script element "<" could end it: in JSON it stands in strings only. */
static void
add_data(const struct policy *policy, const struct policy_parts *parts, struct buf *out)
{
	struct buf json = { 0 };
	struct json_writer *w = JSON_OBJECT(&json);

	json_add_str(w, "name", policy->name);
	json_add_int(w, "version", policy->version);
	add_pictures(policy, parts, w);
	json_add_list(w, "cards");
	for (size_t i = 0; i < policy->action_count; i++)
		for (size_t j = 0; j < policy->actions[i].treatment_count; j++)
			add_card(policy, &policy->actions[i], &policy->actions[i].treatments[j], w);
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
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:\">\n"
	    "<title>Cards of a policy</title>\n<style id=\"style\" media=\"not all\">\n");
	http_page_text("style.css", out);
	buf_adds(out, "</style>\n<style>\n");
	http_page_text("preview.css", out);
	buf_adds(out,
	    "</style>\n</head>\n<body>\n<main id=\"list\"></main>\n"
	    "<script type=\"application/json\" id=\"data\">");
	add_data(policy, parts, out);
	buf_adds(out, "</script>\n<script type=\"module\">\n");
	for (size_t i = 0; i < ARRAY_LEN(modules); i++)
		add_module(modules[i], out);
	http_page_text("preview.js", out);
	buf_adds(out, "</script>\n</body>\n</html>\n");
}
