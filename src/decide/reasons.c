/* SPDX-License-Identifier: Apache-2.0
 *
 * reasons.c - what moved the model that chose a card, as sentences of the policy's authors.
 *
 * DESIGN
 *   A feature may carry a sentence, its reason. For a new card whose chance is a model's
 *   score that row is explained (model_explain.c), and the features that spoke for the
 *   action say their sentence, the largest part first, in the lines of "why" that the
 *   treatment leaves free. The model finds which sentence, a person has written it: a
 *   feature without one is never named. Rejected: sentences made up of names and numbers,
 *   which nobody has read before the associate reads them in front of the customer.
 *
 *   What did less than a tenth of all that spoke for the action is no reason: it would be
 *   said of everybody. Parts are integers and ties go by name, so that every machine says
 *   the same.
 *
 *   It is part of deciding, not of writing the prompt: what a sentence reads stands among
 *   the features of the record. A card that stays keeps the words that it was opened with.
 */
#include "decide/run.h"

#include <string.h>

#include "score/model.h"

#define WORTH_A_LINE 10 /* at least so many of these make the whole */

struct telling {
	struct run *run;
	const struct treatment *treatment;
	struct candidate_context about;
	const char *lines[WHY_MAX]; /* the treatment's own, then the model's */
	size_t count;
};

int
action_model(const struct action *action)
{
	if (action->has_uplift)
		return (int)action->uplift_treated;
	return action->propensity.kind == EXPR_MODEL ? (int)action->propensity.index : NOTHING;
}

/* ---- what did how much ---- */

/* Each feature's part of the margin; NULL: a number is too large to be told. */
static int64_t *
feature_parts(struct telling *t, const struct policy_model *model)
{
	struct arena *arena = t->run->arena;
	size_t count = model->input_count;
	struct value *inputs = arena_room(arena, count * sizeof(*inputs));
	int64_t *parts = arena_room(arena, count * sizeof(*parts)), base;
	int64_t *of = arena_alloc(arena, t->run->policy->feature_count * sizeof(*of));

	for (size_t i = 0; i < count; i++)
		inputs[i] = features_get(t->run->features, model->inputs[i], &t->about);
	if (model_explain(model->model, inputs, 0, parts, &base) != 0)
		return NULL;
	for (size_t i = 0; i < count; i++) /* two inputs may read one feature */
		if (__builtin_add_overflow(of[model->inputs[i]], parts[i], &of[model->inputs[i]]))
			return NULL;
	return of;
}

/* The smallest part that is worth a line; 0: nothing spoke for it. */
static int64_t
least_part(const int64_t *of, size_t count)
{
	int64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		if (of[i] > 0 && __builtin_add_overflow(sum, of[i], &sum))
			return 0;
	return sum / WORTH_A_LINE + (sum % WORTH_A_LINE != 0);
}

/* The feature with the largest part that has a reason, of equal ones the first by name; -1. */
static int
strongest(const struct policy *policy, const int64_t *of, int64_t least)
{
	int best = NOTHING;

	for (size_t i = 0; i < policy->feature_count; i++) {
		if (of[i] < least || policy->features[i].reasons == NULL)
			continue;
		if (best < 0 || of[i] > of[best] ||
		    (of[i] == of[best] &&
			strcmp(policy->features[i].name, policy->features[best].name) < 0))
			best = (int)i;
	}
	return best;
}

/* ---- how it is said ---- */

static void
add_line(struct telling *t, const struct buf *text)
{
	if (text->len == 0)
		return;
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->lines[i], text->data) == 0)
			return;
	t->lines[t->count++] = arena_strdup(t->run->arena, text->data);
}

/* false: a value without default is missing. */
static bool
say(struct telling *t, const struct template *text)
{
	struct run *run = t->run;

	buf_clear(&run->scratch);
	if (!words_render(run->features, run->policy, text, &t->about, t->treatment->language,
		&run->scratch))
		return false;
	add_line(t, &run->scratch);
	return true;
}

/* In the card's own language, else in the one that it is a kind of: "de" for "de-AT". */
static const struct template *
in_language(const struct policy *policy, const struct feature *feature, const char *language)
{
	const struct template *found = NULL;

	for (size_t i = 0; i < policy->language_count; i++) {
		if (feature->reasons[i].count == 0)
			continue;
		if (strcmp(policy->languages[i], language) == 0)
			return &feature->reasons[i];
		if (words_speak(policy->languages[i], language))
			found = &feature->reasons[i];
	}
	return found;
}

/* Of a stranger a default may stand for what is not known: good for a score, not for a sentence. */
static void
say_feature(struct telling *t, int slot)
{
	const struct policy *policy = t->run->policy;
	const struct feature *feature = &policy->features[slot];
	const struct template *text = in_language(policy, feature, t->treatment->language);
	struct value value = features_get(t->run->features, (unsigned)slot, &t->about);

	if (text == NULL || value.tag == VALUE_MISSING)
		return;
	if (t->run->sources->subject == NULL && (feature->personal || words_personal(policy, text)))
		return;
	(void)say(t, text);
}

/* ---- one card ---- */

/* A falling calibration turns the model round: what raises its margin speaks against the action. */
static bool
can_tell(const struct policy *policy, const struct policy_model *model)
{
	const struct calibration *calibration = model->calibration;

	if (calibration != NULL && calibration->kind == CALIBRATION_PLATT && calibration->a < 0)
		return false;
	for (size_t i = 0; i < model->input_count; i++)
		if (policy->features[model->inputs[i]].reasons != NULL)
			return true;
	return false;
}

static void
fill_slot(struct telling *t, const struct policy_model *model, struct slot *slot)
{
	const struct policy *policy = t->run->policy;
	int64_t *of = feature_parts(t, model);
	int64_t least = of != NULL ? least_part(of, policy->feature_count) : 0;
	size_t own;
	int next;

	if (least == 0)
		return;
	for (size_t i = 0; i < t->treatment->why_count; i++)
		(void)say(t, &t->treatment->why[i]);
	own = t->count;
	while (t->count < WHY_MAX && (next = strongest(policy, of, least)) >= 0) {
		say_feature(t, next);
		of[next] = 0;
	}
	slot->reason_count = t->count - own;
	memcpy(slot->reasons, t->lines + own, slot->reason_count * sizeof(*slot->reasons));
}

static bool
wants_reasons(const struct run *run, const struct slot *slot)
{
	const struct candidate *candidate;

	if (slot->candidate == NOTHING || slot->card >= 0 ||
	    placement_table[slot->placement].faces_customer)
		return false;
	candidate = &run->decision->candidates[slot->candidate];
	return candidate->fate == FATE_OFFERED && candidate->scored &&
	    slot->treatment->why_count < WHY_MAX;
}

void
reasons_choose(struct run *run)
{
	for (size_t i = 0; i < run->decision->slot_count; i++) {
		struct slot *slot = &run->decision->slots[i];
		struct telling t = { .run = run, .treatment = slot->treatment };
		const struct candidate *candidate;
		int model;

		if (!wants_reasons(run, slot))
			continue;
		candidate = &run->decision->candidates[slot->candidate];
		t.about = words_about(candidate);
		model = action_model(candidate->action);
		if (model >= 0 && can_tell(run->policy, &run->policy->models[model]))
			fill_slot(&t, &run->policy->models[model], slot);
	}
}
