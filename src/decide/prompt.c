/* SPDX-License-Identifier: Apache-2.0
 *
 * prompt.c - a drawn slot as the prompt object that a tablet shows.
 *
 * The members "state" and "choices" change with the answer and are added by
 * guidance.c. Alternatives are what the associate may do instead: up to two
 * shortlisted actions that were not chosen, then smaller depths of the same
 * offer; never something that a gate has closed.
 */
#include "decide/run.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/json_write.h"
#include "nouns/catalog.h"
#include "nouns/marks.h"
#include "nouns/picture.h"

#define ALTERNATIVES_MAX 2
/* Of a card; its texts have CARD_TEXT_BYTES_MAX of them. Reasons of the model and alternatives take what is left. */
#define CARD_BYTES_MAX 7168
#define CARD_TAIL_BYTES 1024 /* confidence, gate, offer without its goods */

struct writer {
	const struct decision *decision;
	const struct policy *policy;
	const struct slot *slot;
	const struct candidate *candidate;
	const struct treatment *treatment;
	struct candidate_context about;
	struct buf text;
	struct json_writer *json;
};

static const char *
render(struct writer *w, const struct template *text)
{
	buf_clear(&w->text);
	/* The gate has rendered it: every value is there. */
	CHECK(words_render(w->decision->features, w->policy, text, &w->about,
	    w->treatment->language, &w->text));
	return w->text.len > 0 ? w->text.data : "";
}

static void
add_text(struct writer *w, const char *name, const struct template *text)
{
	const char *rendered = render(w, text);

	if (*rendered != '\0')
		json_add_str(w->json, name, rendered);
}

static bool
has_room(const struct writer *w, const char *text)
{
	return w->json->out->len + 6 * strlen(text) + CARD_TAIL_BYTES <= CARD_BYTES_MAX;
}

/* more: behind them, written out already. */
static void
add_texts(struct writer *w, const char *name, const struct template *texts, size_t count,
    const char *const *more, size_t more_count)
{
	json_add_list(w->json, name);
	for (size_t i = 0; i < count; i++)
		add_text(w, NULL, &texts[i]);
	for (size_t i = 0; i < more_count && has_room(w, more[i]); i++)
		json_add_str(w->json, NULL, more[i]);
	json_end(w->json);
}

/* ---- alternatives ---- */

static void
add_named(struct writer *w, int *count, const struct candidate_context *about)
{
	if ((*count)++ == 0)
		json_add_list(w->json, "alternatives");
	json_add_object(w->json, NULL);
	json_add_str(w->json, "action", about->action->id);
	if (about->action->has_offer)
		json_add_int(w->json, "depth", about->depth);
	json_add_str(w->json, "headline", w->text.data);
	if (about->action->gate == GATE_MANAGER)
		json_add_str(w->json, "gate", NAME_OF(gate_names, about->action->gate));
	json_end(w->json);
}

static void
add_alternative(struct writer *w, int *count, const struct candidate_context *about)
{
	const struct treatment **list = mem_calloc(about->action->treatment_count, sizeof(*list));

	if (words_fitting(w->decision->features, w->decision->input, w->slot->placement, about,
		&w->text, list) > 0) {
		buf_clear(&w->text);
		CHECK(words_render(w->decision->features, w->policy, &list[0]->headline, about,
		    list[0]->language, &w->text));
		buf_adds(&w->text, "");
		if (has_room(w, w->text.data))
			add_named(w, count, about);
	}
	free(list);
}

static void
add_other_actions(struct writer *w, int *count)
{
	for (size_t i = 0; i < w->slot->shortlist_count && *count < ALTERNATIVES_MAX; i++) {
		int index = w->slot->shortlist[i].candidate;
		const struct candidate *other;
		struct candidate_context about;

		if (index == NOTHING)
			continue;
		other = &w->decision->candidates[index];
		if (other->fate != FATE_NOT_DRAWN && other->fate != FATE_OUTRANKED)
			continue;
		/* Who is not to be sent it is not to be offered it either. */
		if (decision_withholds(w->decision, other->action))
			continue;
		about = words_about(other);
		add_alternative(w, count, &about);
	}
}

/* Smaller depths only: their hold is within what the budget gate has passed. */
static void
add_other_depths(struct writer *w, int *count)
{
	const struct offer *offer = &w->candidate->action->offer;

	if (!w->candidate->action->has_offer || offer->tier_count > 0)
		return;
	for (size_t d = offer->ladder_count; d-- > 0 && *count < ALTERNATIVES_MAX;) {
		struct offer_value value;
		struct candidate_context about = w->about;

		if (offer->ladder[d] >= w->candidate->depth)
			continue;
		value = offer_value(offer, offer->ladder[d], w->decision->basis);
		if (value.hold_minor > w->candidate->hold_minor || !offer_saves(offer, &value))
			continue;
		about.depth = offer->ladder[d];
		about.worth_minor = (double)value.worth_minor;
		add_alternative(w, count, &about);
	}
}

static void
add_alternatives(struct writer *w)
{
	int count = 0;

	add_other_actions(w, &count);
	add_other_depths(w, &count);
	if (count > 0)
		json_end(w->json);
}

/* ---- the image ---- */

/* Of the policy; or of an article, if the catalog has one. Of goods that nothing touches only what must be shown has
 * an image. */
static void
add_image(struct writer *w, const struct action *action)
{
	const struct catalog *catalog = w->decision->input->catalog;
	struct marks marks = marks_of(w->policy, w->decision->input->sources.marks_off);
	char path[sizeof(PICTURE_PATH) + 64] = PICTURE_PATH;
	struct catalog_article article;
	const char *of = w->treatment->image_of;

	json_opt_str(w->json, "image", w->treatment->image);
	if (w->treatment->image_of_item && w->about.item != NULL && !w->about.item->is_category)
		of = w->about.item->text;
	if (of == NULL || catalog == NULL || !catalog_find(catalog, of, &article) ||
	    article.picture == NULL)
		return;
	if (!action->mandatory &&
	    goods_mark(&marks, article.category != NULL ? article.category : "", article.mark) !=
		MARK_NONE)
		return;
	hash_hex(path + strlen(PICTURE_PATH), article.picture, 32);
	json_add_str(w->json, "image", path);
}

static void
add_item(const struct family_item *item, struct json_writer *w)
{
	json_add_object(w, "item");
	json_add_str(w, item->is_category ? "category" : "item", item->text);
	json_end(w);
}

/* ---- the offer ---- */

static void
add_goods(struct json_writer *w, const char *name, const struct match *match)
{
	json_add_object(w, name);
	json_opt_str(w, "category", match->category);
	json_opt_str(w, "brand", match->brand);
	json_opt_str(w, "item", match->item);
	json_end(w);
}

static void
add_list(struct json_writer *w, const char *name, const struct match *match)
{
	json_add_list(w, name);
	for (; match != NULL && match->set; match = match->next)
		add_goods(w, NULL, match);
	json_end(w);
}

void
offer_json(const struct policy *policy, const struct offer *offer, int64_t depth,
    int64_t worth_minor, bool estimate, struct json_writer *w)
{
	json_add_object(w, "offer");
	json_add_str(w, "type", NAME_OF(offer_type_names, offer->type));
	json_add_int(w, "worth", worth_minor);
	if (estimate)
		json_add_bool(w, "estimate", true);
	json_add_int(w, "depth", depth);
	json_add_str(w, "currency", policy->currency);
	json_add_str(w, "apply", NAME_OF(offer_apply_names, offer->apply));
	if (offer->code != NULL)
		json_add_str(w, "code", offer->code);
	if (offer->include.next != NULL)
		add_list(w, "include", &offer->include);
	else if (offer->include.set)
		add_goods(w, "include", &offer->include);
	add_list(w, "exclude", &offer->exclude);
	if (offer->min_basket_minor > 0)
		json_add_int(w, "min_basket", offer->min_basket_minor);
	if (offer->max_minor >= 0)
		json_add_int(w, "max", offer->max_minor);
	json_end(w);
}

void
prompt_json(const struct decision *decision, const struct slot *slot, const struct id *prompt,
    struct buf *out)
{
	struct json_writer *json = JSON_WRITER(out);
	struct writer w = { .decision = decision, .slot = slot, .json = json };
	const struct action *action;

	CHECK(slot->candidate != NOTHING && slot->treatment != NULL && !slot->kept);
	w.policy = decision->input->sources.policy;
	w.candidate = &decision->candidates[slot->candidate];
	w.treatment = slot->treatment;
	w.about = words_about(w.candidate);
	action = w.candidate->action;

	json_add_object(json, NULL);
	json_add_id(json, "prompt", prompt);
	json_add_str(json, "action", action->id);
	json_add_str(json, "treatment", w.treatment->name);
	json_add_str(json, "kind", NAME_OF(kind_names, action->kind));
	if (w.about.item != NULL)
		add_item(w.about.item, json);
	if (slot->placement != PLACE_TABLET)
		json_add_str(json, "placement", NAME_OF(placement_names, slot->placement));
	if (action->mandatory)
		json_add_bool(json, "mandatory", true);
	json_add_str(json, "language", w.treatment->language);
	json_add_str(json, "headline", render(&w, &w.treatment->headline));
	add_text(&w, "say", &w.treatment->say);
	add_text(&w, "body", &w.treatment->body);
	if (w.treatment->step_count > 0)
		add_texts(&w, "steps", w.treatment->steps, w.treatment->step_count, NULL, 0);
	add_image(&w, action);
	add_texts(&w, "why", w.treatment->why,
	    placement_table[slot->placement].faces_customer ? 0 : w.treatment->why_count,
	    slot->reasons, slot->reason_count);
	json_add_double(json, "confidence", w.candidate->scored ? w.candidate->p1 : 1.0);
	json_add_str(json, "gate", NAME_OF(gate_names, action->gate));
	if (slot->by_person)
		json_add_str(json, "by", "person");
	else if (!placement_table[slot->placement].faces_customer)
		add_alternatives(&w);
	if (action->has_offer)
		offer_json(w.policy, &action->offer, w.candidate->depth, w.candidate->worth_minor,
		    offer_estimates(&action->offer, decision->basis), json);
	if (w.treatment->disclosure != NULL)
		json_add_str(json, "disclosure", w.treatment->disclosure);
	json_end(json);
	buf_done(&w.text);
}

/* ---- again ---- */

/* Its own treatment where that still fits, else the first that does; NULL: none. */
static const struct treatment *
treatment_again(const struct decision *decision, const struct card *card,
    const struct candidate_context *about)
{
	const struct treatment **list = mem_calloc(about->action->treatment_count, sizeof(*list));
	const struct treatment *found = NULL;
	struct buf scratch = { 0 };
	size_t count = words_fitting(decision->features, decision->input,
	    (enum placement)card->placement, about, &scratch, list);

	for (size_t i = 0; i < count; i++)
		if (found == NULL || strcmp(list[i]->name, card->treatment) == 0)
			found = list[i];
	buf_done(&scratch);
	free(list);
	return found;
}

/* Lines of why that the treatment has now; behind as many stood the reasons. */
static size_t
why_lines(const struct decision *decision, const struct treatment *treatment,
    const struct candidate_context *about)
{
	struct buf text = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < treatment->why_count; i++) {
		buf_clear(&text);
		CHECK(words_render(decision->features, decision->input->sources.policy,
		    &treatment->why[i], about, treatment->language, &text));
		count += text.len > 0;
	}
	buf_done(&text);
	return count;
}

bool
prompt_again(const struct decision *decision, int candidate, const struct card *card,
    struct buf *out)
{
	struct candidate_context about = words_about(&decision->candidates[candidate]);
	struct slot slot = { .placement = (enum placement)card->placement,
		.slot = card->slot,
		.candidate = candidate,
		.treatment = treatment_again(decision, card, &about),
		.card = NO_CARD };
	json_t *before;
	const json_t *why;

	if (slot.treatment == NULL)
		return false;
	before = json_loads(card->json, 0, NULL);
	why = json_object_get(before, "why");
	for (size_t i = 0; i < decision->slot_count; i++) {
		const struct slot *drawn = &decision->slots[i];

		if (drawn->card >= 0 && !drawn->kept && drawn->candidate == candidate) {
			slot.shortlist = drawn->shortlist;
			slot.shortlist_count = drawn->shortlist_count;
		}
	}
	if (!placement_table[slot.placement].faces_customer)
		for (size_t i = why_lines(decision, slot.treatment, &about);
		     i < json_array_size(why) && slot.reason_count < WHY_MAX; i++)
			slot.reasons[slot.reason_count++] =
			    json_string_value(json_array_get(why, i));
	prompt_json(decision, &slot, &card->prompt, out);
	json_decref(before);
	return true;
}
