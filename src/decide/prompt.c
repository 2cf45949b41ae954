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

#include "core/id.h"

#define ALTERNATIVES_MAX 2

struct writer {
	const struct decision *decision;
	const struct policy *policy;
	const struct slot *slot;
	const struct candidate *candidate;
	const struct treatment *treatment;
	struct candidate_context about;
	struct buf text;
	struct buf *out;
};

/* name is the text up to the value, as ",\"say\":": inline, so that its length is known. */
static inline void
add_string(struct buf *out, const char *name, const char *value)
{
	buf_adds(out, name);
	buf_json_str(out, value);
}

static inline void
add_int(struct buf *out, const char *name, int64_t value)
{
	buf_adds(out, name);
	buf_json_int(out, value);
}

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
		add_string(w->out, name, rendered);
}

/* more: behind them, written out already. */
static void
add_texts(struct writer *w, const char *name, const struct template *texts, size_t count,
    const char *const *more, size_t more_count)
{
	bool first = true;

	buf_adds(w->out, name);
	for (size_t i = 0; i < count; i++) {
		const char *rendered = render(w, &texts[i]);

		if (*rendered == '\0')
			continue;
		if (!first)
			buf_addc(w->out, ',');
		buf_json_str(w->out, rendered);
		first = false;
	}
	for (size_t i = 0; i < more_count; i++) {
		if (!first)
			buf_addc(w->out, ',');
		buf_json_str(w->out, more[i]);
		first = false;
	}
	buf_addc(w->out, ']');
}

/* ---- alternatives ---- */

static void
add_alternative(struct writer *w, int *count, const struct candidate_context *about)
{
	const struct treatment **list =
	    mem_calloc(about->action->treatment_count + 1, sizeof(*list));

	if (words_fitting(w->decision->features, w->decision->input, w->slot->placement, about,
		&w->text, list) > 0) {
		buf_adds(w->out, *count == 0 ? ",\"alternatives\":[{\"action\":" : ",{\"action\":");
		buf_json_str(w->out, about->action->id);
		if (about->action->has_offer)
			add_int(w->out, ",\"depth\":", about->depth);
		buf_clear(&w->text);
		CHECK(words_render(w->decision->features, w->policy, &list[0]->headline, about,
		    list[0]->language, &w->text));
		add_string(w->out, ",\"headline\":", w->text.len > 0 ? w->text.data : "");
		buf_addc(w->out, '}');
		(*count)++;
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
		value = offer_value(offer, offer->ladder[d], w->decision->input->sources.visit);
		if (value.hold_minor > w->candidate->hold_minor)
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
		buf_addc(w->out, ']');
}

/* ---- the offer ---- */

static void
add_match(struct buf *out, const char *name, const struct match *match)
{
	const char *const names[] = { "\"category\":", "\"brand\":", "\"item\":" };
	const char *const values[] = { match->category, match->brand, match->item };
	bool first = true;

	if (!match->set)
		return;
	buf_adds(out, name);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (values[i] == NULL)
			continue;
		if (!first)
			buf_addc(out, ',');
		add_string(out, names[i], values[i]);
		first = false;
	}
	buf_addc(out, '}');
}

void
offer_json(const struct policy *policy, const struct offer *offer, int64_t depth,
    int64_t worth_minor, struct buf *out)
{
	add_string(out, "{\"type\":", offer_type_names[offer->type]);
	add_int(out, ",\"worth\":", worth_minor);
	add_int(out, ",\"depth\":", depth);
	add_string(out, ",\"currency\":", policy->currency);
	add_string(out, ",\"apply\":", offer_apply_names[offer->apply]);
	if (offer->code != NULL)
		add_string(out, ",\"code\":", offer->code);
	add_match(out, ",\"include\":{", &offer->include);
	add_match(out, ",\"exclude\":{", &offer->exclude);
	if (offer->min_basket_minor > 0)
		add_int(out, ",\"min_basket\":", offer->min_basket_minor);
	if (offer->max_minor >= 0)
		add_int(out, ",\"max\":", offer->max_minor);
	buf_addc(out, '}');
}

static void
add_offer(struct writer *w)
{
	if (!w->candidate->action->has_offer)
		return;
	buf_adds(w->out, ",\"offer\":");
	offer_json(w->policy, &w->candidate->action->offer, w->candidate->depth,
	    w->candidate->worth_minor, w->out);
}

void
prompt_json(const struct decision *decision, const struct slot *slot, const struct id *prompt,
    struct buf *out)
{
	struct writer w = { .decision = decision, .slot = slot, .out = out };
	const struct action *action;
	char id[ID_TEXT_SIZE];

	CHECK(slot->candidate != NOTHING && slot->treatment != NULL && !slot->kept);
	w.policy = decision->input->sources.policy;
	w.candidate = &decision->candidates[slot->candidate];
	w.treatment = slot->treatment;
	w.about = words_about(w.candidate);
	action = w.candidate->action;

	id_text(prompt, id);
	add_string(out, "{\"prompt\":", id);
	add_string(out, ",\"action\":", action->id);
	add_string(out, ",\"treatment\":", w.treatment->name);
	add_string(out, ",\"kind\":", kind_names[action->kind]);
	if (slot->placement != PLACE_TABLET)
		add_string(out, ",\"placement\":", placement_names[slot->placement]);
	add_string(out, ",\"headline\":", render(&w, &w.treatment->headline));
	add_text(&w, ",\"say\":", &w.treatment->say);
	add_text(&w, ",\"body\":", &w.treatment->body);
	if (w.treatment->step_count > 0)
		add_texts(&w, ",\"steps\":[", w.treatment->steps, w.treatment->step_count, NULL, 0);
	if (w.treatment->image != NULL)
		add_string(out, ",\"image\":", w.treatment->image);
	add_texts(&w, ",\"why\":[", w.treatment->why,
	    slot->placement == PLACE_CUSTOMER ? 0 : w.treatment->why_count, slot->reasons,
	    slot->reason_count);
	buf_adds(out, ",\"confidence\":");
	buf_json_double(out, w.candidate->scored ? w.candidate->p1 : 1.0);
	add_string(out, ",\"gate\":", gate_names[action->gate]);
	if (slot->placement != PLACE_CUSTOMER)
		add_alternatives(&w);
	add_offer(&w);
	if (w.treatment->disclosure != NULL)
		add_string(out, ",\"disclosure\":", w.treatment->disclosure);
	buf_addc(out, '}');
	buf_done(&w.text);
}
