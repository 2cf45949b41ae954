/* SPDX-License-Identifier: Apache-2.0
 *
 * test_columns.c - random decisions, each also made the slow way: the same to the last bit.
 *
 * The slow way (columns_slow.h, columns_gates.h, columns_draw.h) shares no code with the engine. 20,000
 * run each time; `make decisions` runs DECISIONS of them, 100,000 if it says nothing. SEED begins
 * elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "columns_dice.h"
#include "columns_draw.h"
#include "core/json.h"

#define A_POLICY 25 /* decisions of one policy */

struct world {
	struct arena *arena;
	struct dice dice;
	struct w_policy policy;
	struct policy *compiled;
	/* of one decision */
	struct arena *turn;
	struct w_moment moment;
	struct visit visit;
	struct subject subject;
	struct purchase purchases[3];
	struct attribute call;
	struct event event;
	const char *stopped[1];
	struct budget_use uses[2];
	struct decide_input input;
	struct decision decision;
	struct s_decision slow;
	uint64_t seed;
};

static uint64_t failed_seed;

static void
dice_customer(struct world *w)
{
	struct dice *dice = &w->dice;
	struct subject *subject = &w->subject;

	*subject = (struct subject){ .id = id_of(9), .known = true };
	if (one_in(dice, 2))
		snprintf(subject->tier, sizeof(subject->tier), "%s",
		    one_in(dice, 2) ? "red" : "green");
	w->call = (struct attribute){ .name = arena_strdup(w->turn, "call"),
		.tag = VALUE_NUMBER,
		.number = dice_quarter(dice, 1) };
	subject->attributes = &w->call;
	subject->attribute_count = one_in(dice, 2);
	if (one_in(dice, 4)) {
		subject->case_count = 1;
		subject->cases[0].severity = 1 + (int)dice_below(dice, 3);
		subject->cases[0].closed_ms = one_in(dice, 4) ? W_NOW - H_MS : 0;
	}
	subject->purchases = w->purchases;
	subject->purchase_count = dice_below(dice, 4);
	for (size_t i = 0; i < subject->purchase_count; i++)
		w->purchases[i] =
		    (struct purchase){ .at_ms = W_NOW - (int64_t)(40 - 10 * i) * D_MS };
	dice_rows(dice, w->turn, &subject->contacts, &w->policy, w->input.sources.now_ms);
}

static void
dice_store(struct world *w)
{
	struct dice *dice = &w->dice;
	struct decide_input *input = &w->input;

	if (one_in(dice, 5)) {
		w->stopped[0] = one_in(dice, 6)
		    ? "*"
		    : w->policy.action[dice_below(dice, (uint64_t)w->policy.actions)].id;
		input->store.stopped = w->stopped;
		input->store.stopped_count = 1;
	}
	input->store.time_uncertain = one_in(dice, 10);
	input->store.day_start_ms = input->sources.now_ms - 6 * H_MS;
	input->store.uses = w->uses;
	input->store.use_count = 2;
	for (int i = 0; i < 2; i++)
		w->uses[i] = (struct budget_use){ w->policy.action[i % w->policy.actions].id,
			(int64_t)dice_below(dice, 600), (int64_t)dice_below(dice, 4),
			(int64_t)dice_below(dice, 1200), (int64_t)dice_below(dice, 6) };
	if (w->policy.actions == 1)
		input->store.use_count = 1;
	input->sources.store = "0042";
	input->sources.has_queue = one_in(dice, 3);
	input->sources.queue = (double)dice_below(dice, 7);
	input->contact_consent = !one_in(dice, 3);
	input->staff = one_in(dice, 20);
	input->control = one_in(dice, 8);
	input->arm_withholds = one_in(dice, 10);
	input->day_cost_max = one_in(dice, 4) ? 0 : 0.01 * (double)(1 + dice_below(dice, 400));
}

static json_t *
event_json(const struct w_moment *moment)
{
	json_t *data = json_object();

	for (int i = R_X0; i <= R_X3; i++)
		if (moment->has[i])
			json_object_set_new(data, w_features[i][0], json_real(moment->x[i]));
	if (moment->has[R_WORD])
		json_object_set_new(data, "word", json_string(moment->word));
	return data;
}

static void
dice_moment(struct world *w)
{
	static const enum visit_state states[] = { VISIT_OPEN, VISIT_OPEN, VISIT_OPEN, VISIT_TENDER,
		VISIT_WAITING, VISIT_SUSPENDED };
	struct dice *dice = &w->dice;

	w->input = (struct decide_input){ .decision = id_of(42), .known = !one_in(dice, 3) };
	w->input.sources = (struct sources){ .policy = w->compiled,
		.visit = &w->visit,
		.subject = &w->subject,
		.event = &w->event,
		.now_ms = W_NOW + (int64_t)dice_below(dice, 7) * 30 * MIN_MS };
	dice_event(dice, &w->moment);
	w->visit =
	    (struct visit){ .id = id_of((uint8_t)dice_next(dice)), .state = PICK(dice, states) };
	w->visit.id.b[3] = (uint8_t)dice_next(dice);
	w->visit.language = one_in(dice, 3) ? arena_strdup(w->turn, "de-AT") : NULL;
	dice_lines(dice, w->turn, &w->visit);
	dice_cards(dice, w->turn, &w->visit, &w->policy, w->input.sources.now_ms);
	dice_customer(w);
	w->input.sources.contacts = one_in(dice, 30) ? NULL : &w->subject.contacts;
	w->input.care = one_in(dice, 8) ? NULL : &w->subject;
	dice_store(w);
	w->event = (struct event){ .type = EV_BASKET_ITEM_ADDED,
		.source = "s",
		.id = "e",
		.now_ms = w->input.sources.now_ms,
		.data = event_json(&w->moment) };
}

/* ---- the same? ---- */

#define SAME(a, b, what, i) \
	do { \
		if ((a) != (b)) \
			fail_msg("seed %llu: %s of %d is %.17g, expected %.17g", \
			    (unsigned long long)failed_seed, what, (int)(i), (double)(a), \
			    (double)(b)); \
	} while (0)

static void
same_bits(double a, double b, const char *what, int i)
{
	if (memcmp(&a, &b, sizeof(a)) != 0)
		fail_msg("seed %llu: %s of %d is %.17g, expected %.17g",
		    (unsigned long long)failed_seed, what, i, a, b);
}

static void
same_text(const char *a, const char *b, const char *what, int i)
{
	if (strcmp(a != NULL ? a : "", b != NULL ? b : "") != 0)
		fail_msg("seed %llu: %s of %d is \"%s\", expected \"%s\"",
		    (unsigned long long)failed_seed, what, i, a != NULL ? a : "",
		    b != NULL ? b : "");
}

static void
same_candidate(const struct candidate *got, const struct s_candidate *want, int i)
{
	same_text(got->action->id, want->action->id, "action", i);
	same_text(fate_names[got->fate], fate_names[want->fate], "fate", i);
	if (strlen(want->clause) <= CLAUSE_BYTES_MAX) /* a longer one is cut in records */
		same_text(got->clause, want->clause, "clause", i);
	SAME(got->scored, want->scored, "scored", i);
	if (!want->scored)
		return;
	SAME(got->depth, want->best.depth, "depth", i);
	SAME(got->worth_minor, want->best.worth, "worth", i);
	SAME(got->hold_minor, want->best.hold, "hold", i);
	SAME(got->has_line_margin, want->best.has_line_margin, "has_line_margin", i);
	SAME(got->line_margin_minor, want->best.line_margin, "line_margin", i);
	same_bits(got->p1, want->p1, "p1", i);
	same_bits(got->p0, want->p0, "p0", i);
	same_bits(got->margin, want->margin, "margin", i);
	same_bits(got->cost, want->best.cost, "cost", i);
	same_bits(got->gain, want->gain, "gain", i);
	same_bits(got->context, want->context, "context", i);
	same_bits(got->lever, want->lever, "lever", i);
	same_bits(got->priority, want->priority, "priority", i);
}

static void
same_slot(const struct slot *got, const struct s_slot *want, int i)
{
	SAME(got->placement, want->place, "placement", i);
	SAME(got->slot, want->number, "slot", i);
	SAME(got->candidate, want->candidate, "slot's candidate", i);
	SAME(got->card, want->card, "slot's card", i);
	SAME(got->kept, want->kept, "kept", i);
	SAME(got->has_p, want->has_p, "has_p", i);
	SAME(got->has_marginal, want->has_marginal, "has_marginal", i);
	same_text(got->treatment != NULL ? got->treatment->name : NULL, want->treatment,
	    "treatment", i);
	if (want->has_p)
		same_bits(got->p_log, want->p, "p_log", i);
	if (want->has_marginal)
		same_bits(got->p_marginal, want->marginal, "p_marginal", i);
	if (want->candidate >= 0 && !want->kept)
		same_bits(got->treatment_p, want->treatment_p, "treatment_p", i);
	SAME(got->shortlist_count, (size_t)want->count, "shortlist_count", i);
	for (int k = 0; k < want->count; k++) {
		SAME(got->shortlist[k].candidate, want->list[k].candidate, "listed", k);
		same_bits(got->shortlist[k].priority, want->list[k].priority, "listed priority", k);
		same_bits(got->shortlist[k].p, want->list[k].p, "listed p", k);
	}
}

static void
same_decision(const struct world *w)
{
	const struct decision *got = &w->decision;
	const struct s_decision *want = &w->slow;
	unsigned fates[FATE_COUNT] = { 0 };

	SAME(got->candidate_count, (size_t)want->run.count, "candidates", 0);
	for (int i = 0; i < want->run.count; i++) {
		same_candidate(&got->candidates[i], &want->run.candidate[i], i);
		fates[want->run.candidate[i].fate]++;
	}
	for (int i = 0; i < FATE_COUNT; i++)
		SAME(got->fates[i], fates[i], "fates", i);
	SAME(got->slot_count, (size_t)want->slots, "slots", 0);
	for (int i = 0; i < want->slots; i++)
		same_slot(&got->slots[i], &want->slot[i], i);
	for (unsigned i = 0; i < R_DEPTH; i++)
		SAME(features_was_read(got->features, i), want->run.read[i], "read", i);
	same_text(got->cause, s_cause(&want->run), "cause", 0);
}

static void
decide_both(struct world *w, struct draw_cache *draws, unsigned *fates)
{
	w->turn = arena_new();
	dice_moment(w);
	if (one_in(&w->dice, 2))
		w->input.draws = draws;
	decide(w->turn, &w->input, &w->decision);
	s_decide(&w->slow, &w->policy, &w->moment, &w->input);
	same_decision(w);
	for (int i = 0; i < FATE_COUNT; i++)
		fates[i] += w->decision.fates[i];
	json_decref(w->event.data);
	arena_free(w->turn);
}

static unsigned long
of_environment(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

/* What was there at all: a fate that no decision came to has not been tried. */
static void
a_decision_is_what_the_slow_way_makes_of_it(void **state)
{
	unsigned long count = of_environment("DECISIONS", 20000), seed = of_environment("SEED", 1);
	struct draw_cache *draws = draw_cache_new();
	unsigned fates[FATE_COUNT] = { 0 };

	(void)state;
	for (unsigned long n = 0; n < count; seed++) {
		struct world *w = mem_zero(sizeof(*w));

		failed_seed = seed;
		w->arena = arena_new();
		w->dice.state = seed;
		dice_policy(&w->dice, w->arena, &w->policy);
		w->compiled = w_compile(w->arena, &w->policy);
		if (w->policy.barred)
			policy_bar(w->compiled, 0, NULL);
		for (int i = 0; i < A_POLICY && n < count; i++, n++)
			decide_both(w, draws, fates);
		draw_cache_empty(draws);
		policy_free(w->compiled);
		arena_free(w->arena);
		free(w);
	}
	for (int i = 0; i < FATE_COUNT && count >= 20000; i++)
		if (i != FATE_NO_ROOM) /* of a visit with a hundred cards: test_gate_edges.c */
			assert_true(fates[i] > 0);
	draw_cache_free(draws);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_decision_is_what_the_slow_way_makes_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
