/* SPDX-License-Identifier: Apache-2.0
 *
 * story.c - what happens in the store, by chance: sales, cards, consent, taps, tokens, receipts.
 *
 * INVARIANTS, looked at after each step of the store without faults
 *   A prompt on a screen is in a decision that can be read. Nobody is shown what needs their consent without it. The
 *   budget of the day is not passed, but by what a till says to have given in a sale that was over, when others had what
 *   was free. Headquarters' numbers have no hole. Nothing is sent twice as two records.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/when.h"
#include "world.h"

#define T0 INT64_C(1795255200000) /* 2026-11-21T10:00:00Z */
#define TILLS 2
#define CARDS 4
#define PROMPTS 8
#define TOKENS 64
#define BUDGET 500

struct till {
	char basket[16];
	int line, total;
	int card; /* the last one that was read here; -1: none */
	char guidance[32], prompts[PROMPTS][32];
	size_t prompt_count;
};

struct token {
	char token[32], basket[16];
	int till, amount;
	bool applied;
};

struct teller {
	struct story *story;
	struct engine *engine;
	struct chance chance;
	int64_t now_ms;
	int events, baskets;
	struct till tills[TILLS];
	struct token tokens[TOKENS];
	size_t token_count;
	bool agreed[CARDS];
	int64_t heard[LANE_COUNT], late; /* minor: redeemed after its sale was over */
};

static uint64_t
below(struct teller *teller, uint64_t n)
{
	return chance_below(&teller->chance, n);
}

/* ---- saying ---- */

static struct said *
say(struct step *step, enum input_kind kind)
{
	CHECK(step->count < SAID_MAX);
	step->said[step->count] = (struct said){ .kind = kind };
	return &step->said[step->count++];
}

__attribute__((format(printf, 5, 6))) static void
event(struct teller *teller, struct step *step, const char *sender, const char *type,
    const char *format, ...)
{
	char at[WHEN_TEXT_SIZE], data[512];
	struct said *said = say(step, INPUT_MESSAGE);
	struct arena *texts = teller->story->texts;
	va_list args;

	va_start(args, format);
	vsnprintf(data, sizeof(data), format, args);
	va_end(args);
	when_text(teller->now_ms, at);
	said->topic = arena_printf(texts, "aisle/v1/0042/%s/event", sender);
	said->payload = arena_printf(texts,
	    "{\"specversion\":\"1.0\",\"source\":\"/%s\",\"id\":\"e%d\",\"type\":\"aisle.%s\","
	    "\"time\":\"%s\",\"data\":%s}",
	    sender, ++teller->events, type, at, data);
}

static void
till_event(struct teller *teller, struct step *step, int t)
{
	struct till *till = &teller->tills[t];
	char sender[16];
	uint64_t roll = below(teller, 100);

	snprintf(sender, sizeof(sender), "pos/%d", t + 7);
	if (till->basket[0] == '\0') {
		snprintf(till->basket, sizeof(till->basket), "b%d", ++teller->baskets);
		till->line = till->total = 0;
		event(teller, step, sender, "basket.opened",
		    "{\"basket\":\"%s\",\"terminal\":\"%d\"}", till->basket, t + 7);
	} else if (roll < 60) {
		int amount = 50 + (int)below(teller, 900);

		till->total += amount;
		event(teller, step, sender, "basket.item-added",
		    "{\"basket\":\"%s\",\"line\":%d,\"sku\":\"s%d\",\"category\":\"c%d\",\"qty\":1,"
		    "\"amount\":%d,\"currency\":\"EUR\"}",
		    till->basket, ++till->line, (int)below(teller, 20), (int)below(teller, 4),
		    amount);
	} else if (roll < 75) {
		till->card = (int)below(teller, CARDS);
		event(teller, step, sender, "customer.identified",
		    "{\"card\":\"card%d\",\"station\":\"%d\",\"basket\":\"%s\"}", till->card, t + 7,
		    till->basket);
	} else if (roll < 82) {
		event(teller, step, sender, "basket.tender-started", "{\"basket\":\"%s\"}",
		    till->basket);
	} else if (roll < 97) {
		event(teller, step, sender, "basket.closed",
		    "{\"basket\":\"%s\",\"total\":%d,\"currency\":\"EUR\"}", till->basket,
		    till->total);
		till->basket[0] = '\0';
	} else {
		event(teller, step, sender, "basket.cancelled", "{\"basket\":\"%s\"}",
		    till->basket);
		till->basket[0] = '\0';
	}
}

static void
desk(struct teller *teller, struct step *step)
{
	int card = (int)below(teller, CARDS);
	bool agrees = below(teller, 4) > 0;

	/* Withdrawn in one event, given in two: from the first to the last of them nobody is asked. */
	event(teller, step, "care", "consent.changed",
	    "{\"card\":\"card%d\",\"purpose\":\"personalise\",\"state\":\"%s\"}", card,
	    agrees ? "granted" : "denied");
	event(teller, step, "care", "consent.changed",
	    "{\"card\":\"card%d\",\"purpose\":\"profile\",\"state\":\"granted\"}", card);
	teller->agreed[card] = agrees;
}

static bool
tap(struct teller *teller, struct step *step)
{
	static const char *const answers[] = { "{\"shown\":true}", "{\"decision\":\"accept\"}",
		"{\"decision\":\"accept\"}", "{\"decision\":\"dismiss\"}" };
	struct till *till = &teller->tills[below(teller, TILLS)];
	struct said *said;

	if (till->prompt_count == 0)
		return false;
	said = say(step, INPUT_ANSWER);
	said->guidance = arena_strdup(teller->story->texts, till->guidance);
	said->prompt =
	    arena_strdup(teller->story->texts, till->prompts[below(teller, till->prompt_count)]);
	said->answer = answers[below(teller, ARRAY_LEN(answers))];
	return true;
}

static bool
use_token(struct teller *teller, struct step *step)
{
	struct token *token;
	char sender[16];

	if (teller->token_count == 0)
		return false;
	token = &teller->tokens[below(teller, teller->token_count)];
	snprintf(sender, sizeof(sender), "pos/%d", token->till + 7);
	event(teller, step, sender, token->applied ? "offer.redeemed" : "offer.applied",
	    "{\"basket\":\"%s\",\"token\":\"%s\",\"amount\":%d}", token->basket, token->token,
	    token->amount);
	if (token->applied && strcmp(token->basket, teller->tills[token->till].basket) != 0)
		teller->late += token->amount;
	if (token->applied)
		*token = teller->tokens[--teller->token_count];
	else
		token->applied = true;
	return true;
}

/* The broker again, with something that was said before. */
static bool
again(struct teller *teller, struct step *step)
{
	const struct story *story = teller->story;
	const struct step *old;

	if (story->count == 0)
		return false;
	old = &story->steps[below(teller, story->count)];
	if (old->kind != STEP_TURN || old->said[0].kind != INPUT_MESSAGE)
		return false;
	*say(step, INPUT_MESSAGE) = old->said[0];
	return true;
}

static void
receipt(struct teller *teller, struct step *step)
{
	struct said *said;

	if (below(teller, 2) == 0) {
		said = say(step, INPUT_DELIVERED);
		said->number = (int64_t)below(teller, 3);
	} else {
		said = say(step, INPUT_HQ_ACK);
		said->lane = (enum lane)below(teller, LANE_COUNT);
		said->number = 1 + (int64_t)below(teller, 5);
	}
}

static void
one(struct teller *teller, struct step *step)
{
	uint64_t roll = below(teller, 100);

	if (roll < 6 && step->count + 2 <= SAID_MAX)
		desk(teller, step);
	else if (roll < 18 && tap(teller, step))
		return;
	else if (roll < 26 && use_token(teller, step))
		return;
	else if (roll < 30 && again(teller, step))
		return;
	else if (roll < 42)
		receipt(teller, step);
	else
		till_event(teller, step, (int)below(teller, TILLS));
}

static struct step *
invent(struct teller *teller)
{
	struct step *step = &teller->story->steps[teller->story->count];
	uint64_t roll = below(teller, 100);
	size_t count = 1;

	*step = (struct step){ .kind = STEP_TURN };
	teller->now_ms += 1 + (int64_t)below(teller, below(teller, 20) == 0 ? 400000 : 4000);
	step->now_ms = teller->now_ms;
	if (roll < 5) {
		step->kind = STEP_ROOM;
	} else if (roll < 13) {
		step->kind = STEP_IDLE;
	} else {
		if (roll < 35)
			count += below(teller, 3);
		while (step->count < count)
			one(teller, step);
	}
	return step;
}

/* ---- what is seen and looked at ---- */

static const char *
text(const json_t *json, const char *name)
{
	const char *found = json_string_value(json_object_get(json, name));

	return found != NULL ? found : "";
}

static struct till *
till_of(struct teller *teller, const char *station)
{
	return strcmp(station, "8") == 0 ? &teller->tills[1] : &teller->tills[0];
}

static void
see_guidance(struct teller *teller, const json_t *json)
{
	struct till *till = till_of(teller, text(json, "station"));
	struct buf record = { 0 };
	const json_t *prompt;
	size_t i;

	if (query_decision(teller->engine, text(json, "decision"), &record) != 0)
		wrong("a prompt without its record: decision %s", text(json, "decision"));
	snprintf(till->guidance, sizeof(till->guidance), "%s", text(json, "guidance"));
	till->prompt_count = 0;
	json_array_foreach(json_object_get(json, "prompts"), i, prompt) {
		const char *id = text(prompt, "prompt");

		if (strcmp(text(prompt, "state"), "open") != 0)
			continue;
		if (till->prompt_count < PROMPTS)
			snprintf(till->prompts[till->prompt_count++], 32, "%s", id);
	}
	buf_done(&record);
}

static void
see_command(struct teller *teller, const json_t *json)
{
	struct token *token;
	int64_t worth = 0;

	if (strcmp(text(json, "type"), "apply-offer") != 0 || teller->token_count == TOKENS)
		return;
	token = &teller->tokens[teller->token_count++];
	*token = (struct token){ .till = strcmp(text(json, "terminal"), "8") == 0 };
	snprintf(token->token, sizeof(token->token), "%s", text(json, "token"));
	snprintf(token->basket, sizeof(token->basket), "%s", text(json, "basket"));
	if (json_int(json_object_get(json_object_get(json, "offer"), "worth"), &worth))
		token->amount = (int)worth;
}

static void
see_outputs(struct teller *teller, struct step *step)
{
	size_t count;
	const struct output *outputs = engine_outputs(teller->engine, &count);

	for (size_t i = 0; i < count; i++) {
		json_t *json = json_loadb(outputs[i].payload, outputs[i].len, 0, NULL);

		if (json == NULL)
			wrong("an output that is no JSON: %.*s", (int)outputs[i].len,
			    outputs[i].payload);
		step->refused = step->refused || outputs[i].kind == OUTPUT_DEAD_LETTER;
		if (outputs[i].kind == OUTPUT_GUIDANCE)
			see_guidance(teller, json);
		else if (outputs[i].kind == OUTPUT_WITHDRAW)
			till_of(teller, outputs[i].station)->prompt_count = 0;
		else if (outputs[i].kind == OUTPUT_COMMAND)
			see_command(teller, json);
		json_decref(json);
	}
}

/* What is on the screens after the turn. */
static void
look_at_screen(struct teller *teller, int t)
{
	const struct till *till = &teller->tills[t];
	struct buf screen = { 0 };
	const json_t *guidance, *prompt;
	size_t i, n;
	json_t *json;

	if (query_station(teller->engine, t == 0 ? "7" : "8", &screen) != 0)
		return;
	json = json_loadb(screen.data, screen.len, 0, NULL);
	json_array_foreach(json_object_get(json, "open"), i, guidance) {
		json_array_foreach(json_object_get(guidance, "prompts"), n, prompt) {
			if (strcmp(text(prompt, "state"), "open") == 0 &&
			    strcmp(text(prompt, "action"), "yours") == 0 &&
			    (till->card < 0 || !teller->agreed[till->card]))
				wrong("shown without consent: %s at card %d",
				    text(prompt, "prompt"), till->card);
		}
	}
	json_decref(json);
	buf_done(&screen);
}

struct hearing {
	int64_t last;
	enum lane lane;
};

static int
hear(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	struct hearing *hearing = ctx;

	(void)type, (void)at_ms, (void)body, (void)len;
	if (seq != hearing->last + 1)
		wrong("headquarters' numbers have a hole: lane %d, %lld after %lld", hearing->lane,
		    (long long)seq, (long long)hearing->last);
	hearing->last = seq;
	return 0;
}

static void
look(struct teller *teller)
{
	struct buf report = { 0 };
	int64_t used = 0;
	json_t *json;

	for (int lane = 0; lane < LANE_COUNT; lane++) {
		struct hearing hearing = { .last = teller->heard[lane], .lane = (enum lane)lane };

		if (store_uplink_each(engine_store(teller->engine), (enum lane)lane, hearing.last,
			1 << 20, hear, &hearing) != 0)
			wrong("the uplink cannot be read");
		teller->heard[lane] = hearing.last;
	}
	for (int t = 0; t < TILLS; t++)
		look_at_screen(teller, t);
	if (query_report(teller->engine, teller->now_ms, &report) != 0)
		wrong("no report");
	json = json_loadb(report.data, report.len, 0, NULL);
	json_int(json_object_get(json_object_get(json, "day_budget"), "money_used"), &used);
	if (used > BUDGET + teller->late)
		wrong("the budget is passed: %lld", (long long)used);
	json_decref(json);
	buf_done(&report);
}

/* ---- the story ---- */

struct story *
story_new(uint64_t seed, size_t steps, const char *folder)
{
	struct story *story = mem_zero(sizeof(*story));
	struct teller teller = { .story = story, .chance = { seed }, .now_ms = T0 };

	CHECK(steps <= STEPS_MAX);
	for (int t = 0; t < TILLS; t++)
		teller.tills[t].card = -1;
	disk_seed(seed);
	story->texts = arena_new();
	story->trace = trace_begin(folder);
	if (world_open(folder, &teller.engine) != 0)
		wrong("the store does not open");
	story->opened = trace_len(story->trace);
	story->after[0] = world_digest(teller.engine);
	for (size_t i = 0; i < steps; i++) {
		struct step *step = invent(&teller);

		story->began[i] = trace_len(story->trace);
		if (world_step(teller.engine, step) != 0)
			wrong("step %zu fails", i);
		story->ended[i] = trace_len(story->trace);
		story->count++;
		if (step->kind == STEP_TURN)
			see_outputs(&teller, step);
		look(&teller);
		story->after[i + 1] = world_digest(teller.engine);
	}
	if (store_damaged(engine_store(teller.engine)) != 0)
		wrong("damage without a fault");
	trace_end();
	engine_close(teller.engine);
	return story;
}

void
story_free(struct story *story)
{
	trace_free(story->trace);
	arena_free(story->texts);
	free(story);
}
