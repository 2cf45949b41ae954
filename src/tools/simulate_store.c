/* SPDX-License-Identifier: Apache-2.0
 *
 * simulate_store.c - recorded days of one store under one policy, and customers who answer its cards.
 *
 * DESIGN
 *   The baskets are those of the recording; what customers do about a card is drawn beside them, by
 *   visit and action, so that under every policy the same customer is as willing. Willing with the
 *   card and not without it is what the card earned; willing either way is only its discount. Who is
 *   willing accepts, the till applies the offer and it is paid with: budgets and limits count it.
 *
 *   An action earns once a visit. What is withheld is shown to nobody, and earns nothing.
 */
#include "tools/simulate_people.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fmath.h"
#include "core/id.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/when.h"
#include "learn/distribution.h"
#include "nouns/visit.h"
#include "tools/recorded.h"

struct opened {
	struct id visit, prompt, guidance, who;
	bool known, withheld, money;
	char action[129], basket[129], terminal[NAME_SIZE];
	double p1, p0, margin, cost, gain;
};
struct pending { /* a token that is in a basket */
	char token[ID_TEXT_SIZE], basket[129], terminal[NAME_SIZE];
	int64_t amount_minor;
};
struct run {
	const struct simulate_job *job;
	struct simulate_outcome *outcome;
	struct recorded *recorded;
	struct engine *engine;
	struct simulate_people people;
	struct opened *opened; /* of this turn */
	size_t opened_count, opened_capacity;
	struct pending *pending;
	size_t pending_count, pending_capacity;
};

static struct simulate_spoken *
spoken_of(const struct run *run, const char *action)
{
	for (size_t i = 0; i < run->outcome->action_count; i++)
		if (strcmp(run->outcome->actions[i].name, action) == 0)
			return &run->outcome->actions[i];
	return NULL;
}

/* ---- looking on ---- */

static void
on_seen(void *ctx, const struct visit *visit)
{
	struct run *run = ctx;

	(void)simulate_person(&run->people, &visit->subject, true);
}

static void
on_opened(void *ctx, const struct visit *visit, const struct card *card,
    const struct candidate *candidate)
{
	struct run *run = ctx;
	struct opened one = { .visit = visit->id,
		.prompt = card->prompt,
		.guidance = visit->guidance,
		.who = visit->has_subject ? visit->subject : visit->id,
		.known = visit->has_subject,
		.withheld = card->withheld,
		.money = candidate->action->goal != GOAL_NONE,
		.p1 = candidate->p1,
		.p0 = candidate->p0,
		.margin = candidate->margin,
		.cost = candidate->cost,
		.gain = candidate->gain };

	snprintf(one.action, sizeof(one.action), "%s", card->action);
	snprintf(one.basket, sizeof(one.basket), "%s", visit->basket != NULL ? visit->basket : "");
	snprintf(one.terminal, sizeof(one.terminal), "%s", visit->terminal);
	run->opened =
	    mem_grow(run->opened, run->opened_count, &run->opened_capacity, sizeof(*run->opened));
	run->opened[run->opened_count++] = one;
}

/* ---- what the till says of offers ---- */

static int
tell_offer(struct run *run, const struct pending *pending, const char *what, struct err *err)
{
	struct buf line = { 0 };
	struct json_writer *w = JSON_OBJECT(&line);
	char at[WHEN_TEXT_SIZE];
	int rc;

	when_text(engine_now(run->engine), at);
	json_add_str(w, "specversion", "1.0");
	json_addf(w, "id", "simulated-%s-%s", pending->token, what);
	json_addf(w, "source", "/store/%s/pos/%s", run->job->store, pending->terminal);
	json_addf(w, "topic", "pos/%s/event", pending->terminal);
	json_addf(w, "type", "aisle.offer.%s", what);
	json_add_str(w, "time", at);
	json_add_object(w, "data");
	json_add_str(w, "basket", pending->basket);
	json_add_str(w, "token", pending->token);
	json_add_int(w, "amount", pending->amount_minor);
	json_end_all(w);
	rc = recorded_tell(run->recorded, line.data, line.len, err);
	buf_done(&line);
	return rc;
}

/* The command that an accepted offer leads to. */
static bool
token_of(const struct run *run, struct pending *ret)
{
	size_t count;
	const struct output *outputs = engine_outputs(run->engine, &count);
	bool found = false;

	for (size_t i = 0; i < count && !found; i++) {
		struct err err = { 0 };
		json_t *json;
		const char *token;

		if (outputs[i].kind != OUTPUT_COMMAND)
			continue;
		json = json_read(outputs[i].payload, outputs[i].len, "command", &err);
		token = json_string_value(json_object_get(json, "token"));
		if (token != NULL &&
		    json_int(json_object_get(json_object_get(json, "offer"), "worth"),
			&ret->amount_minor)) {
			snprintf(ret->token, sizeof(ret->token), "%s", token);
			found = true;
		}
		json_decref(json);
	}
	return found;
}

/* The baskets that this line closes are paid: their offers first. */
static int
pay(struct run *run, const char *line, size_t len, struct err *err)
{
	struct err ignored = { 0 };
	json_t *json;
	const char *basket;
	size_t kept = 0;
	int rc = 0;

	if (memmem(line, len, "aisle.basket.closed", 19) == NULL)
		return 0;
	run->outcome->visits++;
	if (run->pending_count == 0)
		return 0;
	json = json_read(line, len, "event", &ignored);
	basket = json_string_value(json_object_get(json_object_get(json, "data"), "basket"));
	for (size_t i = 0; i < run->pending_count; i++) {
		if (rc != 0 || basket == NULL || strcmp(run->pending[i].basket, basket) != 0)
			run->pending[kept++] = run->pending[i];
		else
			rc = tell_offer(run, &run->pending[i], "redeemed", err);
	}
	run->pending_count = kept;
	json_decref(json);
	return rc;
}

/* ---- an answer ---- */

/* false: it cannot be given any more. */
static bool
answer(struct run *run, const struct opened *one, const char *decision)
{
	char guidance[ID_TEXT_SIZE], prompt[ID_TEXT_SIZE];
	json_t *json = json_pack("{s:s}", "decision", decision);
	struct input input = { .kind = INPUT_ANSWER,
		.now_ms = engine_now(run->engine),
		.text = "simulated",
		.guidance = guidance,
		.prompt = prompt,
		.answer = json };
	bool given;

	CHECK(json != NULL);
	id_text(&one->guidance, guidance);
	id_text(&one->prompt, prompt);
	given = turn_run(run->engine, &input, 1) == 0 && input.result.status == 200;
	json_decref(json);
	return given;
}

static double
normal(double u)
{
	double z;

	u = u < 1e-12 ? 1e-12 : u > 1 - 1e-12 ? 1 - 1e-12 : u;
	z = normal_quantile(u < 0.5 ? 2 * u : 2 * (1 - u));
	return u < 0.5 ? -z : z;
}

/* Of a customer, or visit, and an action: always the same. */
static double
drawn(const struct run *run, const char *what, const struct id *of, const char *action)
{
	char text[ID_TEXT_SIZE];
	const char *parts[2] = { text, action };

	id_text(of, text);
	return chance(run->job->salt, what, parts, 2);
}

static void
grow_weary(const struct run *run, struct simulate_person *person)
{
	int64_t now_ms = engine_now(run->engine);

	if (person->tired > 0)
		person->tired *= fmath_exp2(-(double)(now_ms - person->tired_ms) /
		    run->job->model->half_life_ms);
	person->tired_ms = now_ms;
}

/* What the card earns, into the sums; is its customer willing? */
static bool
earn(struct run *run, struct opened *one, struct simulate_person *person)
{
	const struct simulate_model *model = run->job->model;
	struct simulate_spoken *spoken = spoken_of(run, one->action);
	double taste = model->spread > 0 ? normal(drawn(run, "taste", &one->who, one->action)) : 0;
	double u = drawn(run, "willing", &one->visit, one->action), came;
	bool first = simulate_say(&run->people, &one->visit, one->action);

	person->shown++;
	if (spoken != NULL)
		spoken->shown++;
	simulate_truth(model, one->action, taste, person->tired, &one->p1, &one->p0, &one->margin);
	person->tired++;
	if (!first || !one->money)
		return u < one->p1;
	came = (u < one->p1 ? one->margin - one->cost : 0) - (u < one->p0 ? one->margin : 0);
	person->earned += came;
	person->expected += one->p1 * (one->margin - one->cost) - one->p0 * one->margin;
	person->promised += one->gain;
	person->discount += u < one->p1 ? one->cost : 0;
	if (spoken != NULL) {
		spoken->came += u < one->p1;
		spoken->earned += came;
		spoken->discount += u < one->p1 ? one->cost : 0;
	}
	return u < one->p1;
}

static int
respond(struct run *run, struct opened *one, struct err *err)
{
	struct simulate_person *person;
	struct pending pending;

	if (one->withheld)
		return 0;
	person = simulate_person(&run->people, &one->who, one->known);
	grow_weary(run, person);
	if (!earn(run, one, person)) {
		if (run->job->model->dismiss > 0 &&
		    drawn(run, "dismiss", &one->visit, one->action) < run->job->model->dismiss)
			(void)answer(run, one, "dismiss");
		return 0;
	}
	if (!answer(run, one, "accept") || !token_of(run, &pending))
		return 0;
	memcpy(pending.basket, one->basket, sizeof(pending.basket));
	memcpy(pending.terminal, one->terminal, sizeof(pending.terminal));
	run->pending = mem_grow(run->pending, run->pending_count, &run->pending_capacity,
	    sizeof(*run->pending));
	run->pending[run->pending_count++] = pending;
	return tell_offer(run, &pending, "applied", err);
}

/* An answer may open further cards. */
static int
respond_all(struct run *run, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < run->opened_count; i++) {
		struct opened one = run->opened[i];

		rc = respond(run, &one, err);
	}
	run->opened_count = 0;
	return rc;
}

/* ---- the days ---- */

static void
name_actions(struct run *run)
{
	const struct policy *policy = engine_policy(run->engine);
	struct simulate_outcome *outcome = run->outcome;

	outcome->action_count = policy->action_count;
	outcome->actions = mem_calloc(policy->action_count + 1, sizeof(*outcome->actions));
	for (size_t i = 0; i < policy->action_count; i++)
		snprintf(outcome->actions[i].name, sizeof(outcome->actions[i].name), "%s",
		    policy->actions[i].id);
}

static int
feed(struct run *run, FILE *events, struct err *err)
{
	char *line = mem_alloc(RECORDED_LINE_MAX + 1);
	size_t len;
	int rc = recorded_start(events, err), got = 1;

	while (rc == 0 && (got = recorded_line(events, line, &len)) == 1) {
		if (len == 0)
			continue;
		rc = pay(run, line, len, err);
		if (rc == 0)
			rc = recorded_tell(run->recorded, line, len, err);
		if (rc == 0)
			rc = respond_all(run, err);
		if (run->outcome->first_ms == 0)
			run->outcome->first_ms = engine_now(run->engine);
	}
	if (rc == 0 && got < 0)
		rc = err_set(err, AISLE_E_INVALID,
		    "%s: a line is longer than 1 MiB, expected one CloudEvent a line",
		    run->job->events);
	run->outcome->last_ms = engine_now(run->engine);
	if (rc == 0 && run->outcome->last_ms == 0)
		rc = err_set(err, AISLE_E_INVALID,
		    "%s: no event of this file could be used, expected one CloudEvent a line",
		    run->job->events);
	free(line);
	return rc;
}

/* Each line that begins so is about this file. */
static void
tell_refusals(const struct run *run)
{
	struct buf refused = { 0 };

	recorded_refusals(run->recorded, &refused);
	for (const char *line = refused.data; line != NULL && *line != '\0';) {
		int len = (int)strcspn(line, "\n");

		fprintf(stderr, "%s: %.*s\n", run->job->events, len, line);
		line += len + (line[len] == '\n');
	}
	buf_done(&refused);
}

static int
by_key(const void *a, const void *b)
{
	return id_compare(&((const struct simulate_person *)a)->key,
	    &((const struct simulate_person *)b)->key);
}

static int
open_store(struct run *run, const struct simulate_job *job, struct conf *conf, struct err *err)
{
	struct recorded_options options = {
		.conf = conf, .profiles = job->profiles, .pepper = job->pepper
	};
	struct witness witness = { on_seen, on_opened, run };
	struct buf report = { 0 };
	int rc = recorded_open(&options, &run->recorded, err);

	if (rc == 0)
		rc =
		    recorded_bundle(run->recorded, job->bundle, job->policy_currency, &report, err);
	buf_done(&report);
	if (rc == 0 && job->catalog != NULL)
		rc = recorded_catalog(run->recorded, job->catalog, err);
	if (rc != 0)
		return rc;
	run->engine = recorded_engine(run->recorded);
	engine_show_cards(run->engine, &witness);
	name_actions(run);
	return 0;
}

int
simulate_store(const struct simulate_job *job, struct simulate_outcome *ret, struct err *err)
{
	struct run run = { .job = job, .outcome = ret, .people = { .outcome = ret } };
	struct conf conf = *job->conf;
	FILE *events = fopen(job->events, "re");
	int rc;

	*ret = (struct simulate_outcome){ 0 };
	conf.store_id = mem_strdup(job->store);
	conf.currency = mem_strdup(job->conf->currency);
	if (events == NULL)
		rc = err_set(err, AISLE_E_IO, "%s: %s", job->events, strerror(errno));
	else
		rc = open_store(&run, job, &conf, err);
	if (rc == 0)
		rc = feed(&run, events, err);
	if (rc == 0 && job->says)
		tell_refusals(&run);
	if (rc == 0 && ret->person_count > 1)
		qsort(ret->people, ret->person_count, sizeof(*ret->people), by_key);
	if (events != NULL)
		fclose(events);
	recorded_close(run.recorded);
	free(conf.store_id);
	free(conf.currency);
	simulate_people_done(&run.people);
	free(run.opened);
	free(run.pending);
	return rc;
}
