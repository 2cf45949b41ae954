/* SPDX-License-Identifier: Apache-2.0
 *
 * features.c - the feature vector of one decision, computed lazily.
 *
 * DESIGN
 *   A slot is computed when it is first read and then remembered, so that what
 *   was read is what is known. What depends on the candidate is remembered
 *   apart, for the candidate at hand; another one starts a new round, and an
 *   old round's values are stale at once.
 *
 * INVARIANTS
 *   A value has its feature's type or is missing; a number is finite. So a
 *   rule or a model never meets what its author did not declare.
 */
#include "aisle/features.h"

#include <jansson.h>
#include <string.h>

#include "core/arena.h"
#include "core/when.h"
#include "nouns/marks.h"
#include "score/features_parts.h"
#include "score/model.h"

/* Of a slot that depends on the candidate. */
struct memo {
	uint32_t round; /* that it was computed in; 0: never */
	struct value value;
};

struct model_memo {
	uint32_t round;
	bool busy;
	struct value value;
	struct value *inputs; /* scratch, made when first needed */
};

struct features {
	struct arena *arena;
	const struct sources *sources;
	struct value *known; /* per slot: FEATURE_UNREAD until it was read */
	struct memo *rounds; /* per slot; made when first needed */
	struct model_memo *models;
	struct local *local;
	struct history *history;
	struct ahead *ahead; /* NULL: nobody is expected */
	bool has_time;
	struct local_time time;
	bool has_candidate;
	struct candidate_context candidate; /* of this round */
	uint32_t round;
};

#define ROUND_ANY 1	      /* of what depends on no candidate */
#define ROUND_BUSY UINT32_MAX /* being computed */
#define FEATURE_BUSY ((enum value_tag)(FEATURE_UNREAD + 1))

struct features *
features_new(struct arena *arena, const struct sources *sources)
{
	struct features *features = arena_alloc(arena, sizeof(*features));
	const struct policy *policy = sources->policy;

	features->arena = arena;
	features->sources = sources;
	features->round = ROUND_ANY;
	features->known = arena_room(arena, (policy->feature_count + 1) * sizeof(*features->known));
	for (size_t i = 0; i < policy->feature_count; i++)
		features->known[i].tag = FEATURE_UNREAD;
	features->models = arena_alloc(arena, policy->model_count * sizeof(*features->models));
	return features;
}

static bool
same_candidate(const struct candidate_context *a, const struct candidate_context *b)
{
	return a->action == b->action && a->depth == b->depth && a->worth_minor == b->worth_minor &&
	    a->margin_minor == b->margin_minor && a->has_line_margin == b->has_line_margin &&
	    a->line_margin_minor == b->line_margin_minor;
}

/* The round of this candidate: of the last one when it is the same. */
static uint32_t
round_of(struct features *features, const struct candidate_context *candidate)
{
	if (!features->has_candidate || !same_candidate(&features->candidate, candidate)) {
		features->has_candidate = true;
		features->candidate = *candidate;
		features->round++;
	}
	return features->round;
}

/* ---- the sources ---- */

static struct value
profile_value(const struct subject *subject, const char *name)
{
	/* The balance of the till is newer than HQ's attributes of last night. */
	if (strcmp(name, "tier") == 0 && subject->tier[0] != '\0')
		return value_string(subject->tier);
	if (strcmp(name, "points") == 0 && subject->has_points)
		return value_number((double)subject->points);
	for (size_t i = 0; i < subject->attribute_count; i++) {
		const struct attribute *attribute = &subject->attributes[i];

		if (strcmp(attribute->name, name) != 0)
			continue;
		if (attribute->tag == VALUE_STRING)
			return value_string(attribute->str);
		if (attribute->tag == VALUE_BOOL)
			return value_bool(attribute->number != 0);
		return value_number(attribute->number);
	}
	if (strcmp(name, "language") == 0 && subject->language != NULL)
		return value_string(subject->language);
	if (strcmp(name, "household") == 0 && subject->household != NULL)
		return value_string(subject->household);
	if (strcmp(name, "staff") == 0 && subject->has_profile)
		return value_bool(subject->staff);
	return value_missing();
}

static struct value
time_value(struct features *features, const struct feature *feature)
{
	if (!features->has_time) {
		features->time = zone_local(features->sources->zone, features->sources->now_ms);
		features->has_time = true;
	}
	switch ((enum time_field)feature->field) {
	case TIME_HOUR: return value_number(features->time.hour);
	case TIME_WEEKDAY: return value_number(features->time.weekday);
	case TIME_MINUTE: return value_number(features->time.minute);
	case TIME_DAY_OF_YEAR: return value_number(features->time.day_of_year);
	case TIME_DAYS_TO:
		return value_number((double)feature->days_to - (double)features->time.days);
	}
	return value_missing();
}

/* What an event says of goods that are marked is said to nobody. */
static bool
about_marked(const struct marks *marks, const struct event *event)
{
	if (item_mark(marks, &event->item) != MARK_NONE)
		return true;
	for (size_t i = 0; i < event->item_count; i++)
		if (item_mark(marks, &event->items[i]) != MARK_NONE)
			return true;
	return false;
}

static struct value
event_value(const struct sources *sources, const char *name)
{
	const struct event *event = sources->event;
	struct marks marks = marks_of(sources->policy, sources->marks_off);
	const json_t *json = event == NULL ? NULL : json_object_get(event->data, name);

	if (json == NULL || about_marked(&marks, event))
		return value_missing();
	/* The till's total has them in it. */
	if (event->type == EV_BASKET_CLOSED && strcmp(name, "total") == 0)
		return value_number((double)features_total(sources, false));
	if (json_is_number(json))
		return value_number(json_number_value(json));
	if (json_is_boolean(json))
		return value_bool(json_is_true(json));
	if (json_is_string(json))
		return value_string(json_string_value(json));
	return value_missing();
}

static struct value
text_or_missing(const char *text)
{
	return text == NULL ? value_missing() : value_string(text);
}

static struct value
action_value(const struct candidate_context *candidate, enum action_field field)
{
	if (candidate == NULL)
		return value_missing();
	switch (field) {
	case ACTION_DEPTH:
		return candidate->action->has_offer ? value_number((double)candidate->depth)
						    : value_missing();
	case ACTION_WORTH:
		return candidate->action->has_offer ? value_number(candidate->worth_minor)
						    : value_missing();
	case ACTION_MARGIN: return value_number(candidate->margin_minor);
	case ACTION_LINE_MARGIN:
		return candidate->has_line_margin ? value_number(candidate->line_margin_minor)
						  : value_missing();
	case ACTION_GROUP: return text_or_missing(candidate->action->group);
	case ACTION_ISSUE: return text_or_missing(candidate->action->issue);
	case ACTION_ITEM:
		return text_or_missing(candidate->item != NULL ? candidate->item->text : NULL);
	case ACTION_CHANCE:
		return candidate->item != NULL ? value_number(candidate->item->chance)
					       : value_missing();
	}
	return value_missing();
}

static struct value
customer_value(struct features *features, const struct feature *feature,
    const struct candidate_context *candidate)
{
	const struct sources *sources = features->sources;

	if (sources->subject == NULL)
		return value_missing();
	switch (feature->source) {
	case FEATURE_PROFILE: return profile_value(sources->subject, feature->field_name);
	case FEATURE_LOCAL:
		if (features->local == NULL)
			features->local = local_new(features->arena, sources);
		return local_value(features->local, feature);
	case FEATURE_INCIDENTS: return incidents_value(sources, feature);
	case FEATURE_WALLET:
	case FEATURE_CONTACTS:
	case FEATURE_JOURNEYS: return told_value(sources, feature);
	default:
		if (features->history == NULL)
			features->history = history_new(features->arena, sources);
		return history_value(features->history, feature, candidate);
	}
}

static struct value
compute(struct features *features, const struct feature *feature,
    const struct candidate_context *candidate)
{
	const struct sources *sources = features->sources;

	switch (feature->source) {
	case FEATURE_PROFILE:
	case FEATURE_LOCAL:
	case FEATURE_INCIDENTS:
	case FEATURE_WALLET:
	case FEATURE_CONTACTS:
	case FEATURE_JOURNEYS:
	case FEATURE_HISTORY: return customer_value(features, feature, candidate);
	case FEATURE_BASKET: return basket_value(sources, feature);
	case FEATURE_VISIT: return visit_value(sources, (enum visit_field)feature->field);
	case FEATURE_STORE: return store_value(sources, (enum store_field)feature->field);
	case FEATURE_TIME: return time_value(features, feature);
	case FEATURE_EVENT: return event_value(sources, feature->field_name);
	case FEATURE_ACTION: return action_value(candidate, (enum action_field)feature->field);
	case FEATURE_MODEL: return features_model(features, feature->model, candidate);
	}
	return value_missing();
}

/* ---- reading ---- */

static bool
is_finite(double number)
{
	return number - number == 0;
}

static bool
declared(const struct feature *feature, const struct value *value)
{
	if (value->tag != feature->type)
		return false;
	return value->tag != VALUE_NUMBER || is_finite(value->number);
}

struct value
features_action(const struct feature *feature, const struct candidate_context *candidate)
{
	struct value value = action_value(candidate, (enum action_field)feature->field);

	return declared(feature, &value) ? value : feature->dflt;
}

static struct value
fresh_value(struct features *features, const struct feature *feature,
    const struct candidate_context *candidate)
{
	struct value value = compute(features, feature, candidate);

	return declared(feature, &value) ? value : feature->dflt;
}

static struct value
candidate_value(struct features *features, unsigned slot, const struct candidate_context *candidate)
{
	const struct feature *feature = &features->sources->policy->features[slot];
	struct memo *memo;
	uint32_t round;

	if (candidate == NULL)
		return feature->dflt;
	if (features->rounds == NULL)
		features->rounds = arena_alloc(features->arena,
		    features->sources->policy->feature_count * sizeof(*features->rounds));
	round = round_of(features, candidate);
	memo = &features->rounds[slot];
	if (memo->round == round)
		return memo->value;
	/* A feature over itself: policy_compile refuses it. */
	CHECK(memo->round != ROUND_BUSY);
	memo->round = ROUND_BUSY;
	memo->value = fresh_value(features, feature, candidate);
	memo->round = round;
	return memo->value;
}

struct value
features_get(struct features *features, unsigned slot, const struct candidate_context *candidate)
{
	const struct policy *policy = features->sources->policy;
	struct value *known = &features->known[slot];

	CHECK(slot < policy->feature_count);
	if (known->tag <= VALUE_JSON)
		return *known;
	if (policy->features[slot].per_action)
		return candidate_value(features, slot, candidate);
	CHECK(known->tag != FEATURE_BUSY);
	known->tag = FEATURE_BUSY;
	*known = fresh_value(features, &policy->features[slot], candidate);
	return *known;
}

const struct value *
features_known(const struct features *features)
{
	return features->known;
}

void
features_expect(struct features *features, const struct expected *expected, size_t count)
{
	if (features->ahead == NULL)
		features->ahead = ahead_new(features->arena, features, features->sources);
	ahead_expect(features->ahead, expected, count);
}

static struct value
score_value(double score)
{
	return is_finite(score) ? value_number(score) : value_missing();
}

static struct value
score(struct features *features, const struct policy_model *model, struct model_memo *memo,
    const struct candidate_context *candidate)
{
	if (model->model == NULL || model_class_count(model->model) != 1)
		return value_missing();
	if (memo->inputs == NULL)
		memo->inputs =
		    arena_alloc(features->arena, model->input_count * sizeof(*memo->inputs));
	for (size_t i = 0; i < model->input_count; i++)
		memo->inputs[i] = features_get(features, model->inputs[i], candidate);
	return score_value(model_score(model->model, memo->inputs));
}

struct value
features_model(struct features *features, unsigned index, const struct candidate_context *candidate)
{
	const struct policy_model *model;
	struct model_memo *memo;
	uint32_t round;
	double ahead;

	CHECK(index < features->sources->policy->model_count);
	model = &features->sources->policy->models[index];
	memo = &features->models[index];
	if (model->per_action && candidate == NULL)
		return value_missing();
	if (candidate != NULL && candidate->expected > 0 && features->ahead != NULL &&
	    ahead_score(features->ahead, index, candidate, &ahead))
		return score_value(ahead);
	round = model->per_action ? round_of(features, candidate) : ROUND_ANY;
	if (memo->round == round)
		return memo->value;
	CHECK(!memo->busy);
	memo->busy = true;
	memo->value = score(features, model, memo, candidate);
	memo->busy = false;
	memo->round = round;
	return memo->value;
}

bool
features_was_read(const struct features *features, unsigned slot)
{
	CHECK(slot < features->sources->policy->feature_count);
	return features->known[slot].tag != FEATURE_UNREAD;
}
