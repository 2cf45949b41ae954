/* SPDX-License-Identifier: Apache-2.0
 *
 * features_expected.c - scores of many candidates at once, for features_expect().
 *
 * DESIGN
 *   The first that asks a model has it score all that wait for it; the others find theirs.
 *   What candidates share of its inputs is read once a decision, through features_get(): it
 *   was read, as if each had asked alone.
 *
 *   Of a customer's history most candidates have no row. What a feature over the
 *   candidate's own rows is without any is asked of the first such, and is the same for all.
 *
 * LIMITS
 *   VALUES_MAX values of candidates at a time, or those of one.
 */
#include "score/features_parts.h"

#include <string.h>

#include "score/model.h"

#define VALUES_MAX 8192
#define ROWS_BITS_LOG2 9

/* An input that differs from candidate to candidate. */
struct input {
	const struct feature *feature;
	unsigned slot;
	bool own_rows; /* a history of the candidate's own rows */
};

struct inputs {
	struct input *list;
	size_t count;
	bool own_rows;	    /* of any */
	struct value *none; /* of a candidate without a row: those alone; NULL: not known yet */
};

/* Of a model. Its own room: while rows are filled another model may be asked. */
struct scores {
	bool begun;   /* its context, with the inputs of this decision */
	uint32_t lot; /* that the scores are of; 0: none yet */
	struct inputs inputs;
	size_t room, rows_max; /* expected; those of them that go into rows at a time */
	struct value *rows;
	uint32_t *places;
	double *found; /* of rows */
	double *of;    /* by place; of those alone that wait for the model */
};

struct ahead {
	struct arena *arena;
	struct features *features;
	const struct sources *sources;
	const struct expected *expected;
	size_t count;
	uint32_t lot;
	struct scores *scores;			   /* by model */
	bool has_rows;				   /* the bits are filled */
	uint64_t rows[(1 << ROWS_BITS_LOG2) / 64]; /* a bit for each action with a row */
};

struct ahead *
ahead_new(struct arena *arena, struct features *features, const struct sources *sources)
{
	struct ahead *ahead = arena_alloc(arena, sizeof(*ahead));

	ahead->arena = arena;
	ahead->features = features;
	ahead->sources = sources;
	ahead->scores = arena_alloc(arena, sources->policy->model_count * sizeof(*ahead->scores));
	return ahead;
}

void
ahead_expect(struct ahead *ahead, const struct expected *expected, size_t count)
{
	ahead->expected = expected;
	ahead->count = count;
	ahead->lot++;
}

/* ---- own rows ---- */

/* Ids that end alike or begin alike are told apart, most of them. */
static size_t
bit_of(const char *id)
{
	size_t len = strlen(id), part = len < 8 ? len : 8;
	uint64_t head = 0, tail = 0;

	memcpy(&head, id, part);
	memcpy(&tail, id + len - part, part);
	return (size_t)(((head ^ tail << 1) * UINT64_C(0x9e3779b97f4a7c15)) >>
	    (64 - ROWS_BITS_LOG2));
}

static void
find_rows(struct ahead *ahead)
{
	const struct subject *subject = ahead->sources->subject;

	ahead->has_rows = true;
	for (size_t i = 0; subject != NULL && i < subject->contacts.count; i++) {
		const char *action = subject->contacts.rows[i].action;
		size_t bit = action != NULL ? bit_of(action) : 0;

		ahead->rows[bit / 64] |= UINT64_C(1) << bit % 64;
	}
}

static bool
may_have_rows(struct ahead *ahead, const struct action *action)
{
	size_t bit = bit_of(action->id);

	return (ahead->rows[bit / 64] >> bit % 64 & 1) != 0;
}

/* ---- inputs ---- */

static struct inputs
find_inputs(struct ahead *ahead, const struct policy_model *model)
{
	struct inputs inputs = { .list = arena_alloc(ahead->arena,
				     (model_context_varying(model->context) + 1) *
					 sizeof(*inputs.list)) };

	for (size_t i = 0; i < model->input_count; i++) {
		const struct feature *feature = &ahead->sources->policy->features[model->inputs[i]];
		struct input *input = &inputs.list[inputs.count];

		if (!feature->per_action)
			continue;
		input->feature = feature;
		input->slot = model->inputs[i];
		input->own_rows = feature->source == FEATURE_HISTORY;
		inputs.own_rows = inputs.own_rows || input->own_rows;
		inputs.count++;
	}
	return inputs;
}

static struct value *
values_of_none(struct ahead *ahead, const struct inputs *inputs,
    const struct candidate_context *about)
{
	struct value *none = arena_alloc(ahead->arena, inputs->count * sizeof(*none));

	for (size_t i = 0; i < inputs->count; i++)
		if (inputs->list[i].own_rows)
			none[i] = features_get(ahead->features, inputs->list[i].slot, about);
	return none;
}

static void
fill_row(struct ahead *ahead, struct inputs *inputs, const struct candidate_context *about,
    struct value *row)
{
	bool none = inputs->own_rows && !may_have_rows(ahead, about->action);

	if (none && inputs->none == NULL)
		inputs->none = values_of_none(ahead, inputs, about);
	if (none)
		memcpy(row, inputs->none, inputs->count * sizeof(*row));
	for (size_t i = 0; i < inputs->count; i++) {
		const struct input *input = &inputs->list[i];

		if (input->own_rows && none)
			continue;
		row[i] = input->feature->source == FEATURE_ACTION
		    ? features_action(input->feature, about)
		    : features_get(ahead->features, input->slot, about);
	}
}

/* ---- scores ---- */

static void
begin(struct ahead *ahead, const struct policy_model *model, struct scores *scores)
{
	struct value *inputs =
	    arena_alloc(ahead->arena, (model->input_count + 1) * sizeof(*inputs));

	for (size_t i = 0; i < model->input_count; i++) {
		if (!ahead->sources->policy->features[model->inputs[i]].per_action)
			inputs[i] = features_get(ahead->features, model->inputs[i], NULL);
	}
	model_context_begin(model->context, inputs);
	scores->inputs = find_inputs(ahead, model);
	if (scores->inputs.own_rows && !ahead->has_rows)
		find_rows(ahead);
	scores->begun = true;
}

static void
make_room(struct ahead *ahead, struct scores *scores)
{
	size_t max = VALUES_MAX / (scores->inputs.count + 1);

	scores->room = ahead->count;
	scores->rows_max = max < 1 ? 1 : max < ahead->count ? max : ahead->count;
	max = scores->rows_max;
	scores->of = arena_room(ahead->arena, scores->room * sizeof(*scores->of));
	scores->found = arena_room(ahead->arena, max * sizeof(*scores->found));
	scores->places = arena_room(ahead->arena, max * sizeof(*scores->places));
	scores->rows =
	    arena_room(ahead->arena, (max * scores->inputs.count + 1) * sizeof(*scores->rows));
}

/* The next that wait for the model: their inputs into rows, their places. */
static size_t
fill_rows(struct ahead *ahead, uint64_t model, struct scores *scores, size_t *at)
{
	size_t count = 0;

	for (; *at < ahead->count && count < scores->rows_max; ++*at) {
		const struct expected *expected = &ahead->expected[*at];

		if ((expected->models & model) == 0)
			continue;
		fill_row(ahead, &scores->inputs, &expected->about,
		    scores->rows + count * scores->inputs.count);
		scores->places[count++] = (uint32_t)*at;
	}
	return count;
}

static void
score_all(struct ahead *ahead, unsigned index, struct scores *scores)
{
	const struct policy_model *model = &ahead->sources->policy->models[index];
	size_t at = 0, count;

	if (scores->room < ahead->count)
		make_room(ahead, scores);
	while ((count = fill_rows(ahead, UINT64_C(1) << index, scores, &at)) > 0) {
		model_context_scores(model->context, scores->rows, count, scores->found);
		for (size_t i = 0; i < count; i++)
			scores->of[scores->places[i]] = scores->found[i];
	}
	scores->lot = ahead->lot;
}

bool
ahead_score(struct ahead *ahead, unsigned index, const struct candidate_context *about, double *ret)
{
	const struct policy_model *model = &ahead->sources->policy->models[index];
	struct scores *scores = &ahead->scores[index];
	size_t place = (size_t)about->expected - 1;

	if (about->expected == 0 || place >= ahead->count || model->context == NULL ||
	    (ahead->expected[place].models >> index & 1) == 0)
		return false;
	if (!scores->begun)
		begin(ahead, model, scores);
	if (scores->lot != ahead->lot)
		score_all(ahead, index, scores);
	*ret = scores->of[place];
	return true;
}
