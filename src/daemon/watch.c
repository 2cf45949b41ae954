/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.c - is what answers here sound?
 *
 * DESIGN
 *   A daemon that ticks but decides nothing, or decides wrongly, is worse than
 *   one that is gone: the service manager would start that one again. So the
 *   watchdog is fed only after three looks: the last turn reached the disk, the
 *   store answers a question, and a decision whose outcome is known comes out
 *   as it must, by the very code that decides for the tills: compiled rules, a
 *   model's score, gates, gain, the draw.
 *   A full disk is not among them: starting again makes no room, and what can
 *   be done without writing goes on.
 */
#include "daemon/watch.h"

#include <stdio.h>
#include <string.h>

#include "core/when.h"
#include "decide/decide.h"
#include "policy/policy_load.h"

#define SALT "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define NOW INT64_C(1795255200000) /* 2026-11-21T10:00:00Z */
#define ACTION(id, group, applicable, propensity) \
	"{\"action\":\"" id "\",\"group\":\"" group "\",\"kind\":\"recommend\"," \
	"\"applicable\":" applicable ",\"propensity\":" propensity ",\"issue\":\"grow\"," \
	"\"on\":[\"aisle.basket.item-added\"]," \
	"\"incremental\":0.5,\"margin\":200,\"personal\":false," \
	"\"outcome\":{\"is\":\"bought\",\"within\":\"7d\",\"item\":{\"category\":\"grocery\"}}," \
	"\"placements\":[\"tablet\"],\"gate\":\"associate\",\"expires\":\"120s\"," \
	"\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Watch\"}]}"

/* clang-format off */
static const char *const parts[][2] = {
	{ "policy.json",
	    "{\"name\":\"watch\",\"version\":1,\"currency\":\"EUR\",\"languages\":[\"en\"],"
	    "\"salts\":{\"id\":\"" SALT "\",\"control\":\"" SALT "\",\"explore\":\"" SALT "\"},"
	    "\"placements\":{\"tablet\":{\"slots\":1,\"headline_max\":40}},"
	    "\"explore\":{\"unit\":100,\"cost_max\":20,\"shortlist\":8},\"interrupt\":3}" },
	{ "features.json",
	    "{\"features\":["
	    "{\"name\":\"total\",\"type\":\"number\",\"from\":\"basket.total()\"},"
	    "{\"name\":\"coffee\",\"type\":\"number\","
	    "\"from\":\"basket.sum(category=grocery/coffee)\"}]}" },
	{ "models/models.json",
	    "{\"models\":[{\"model\":\"likes\",\"file\":\"likes.json\",\"target\":\"bought\","
	    "\"inputs\":{\"f0\":\"coffee\"},\"window_days\":0,\"population\":\"shown\","
	    "\"calibration\":{\"platt\":[1.5,0.25]},\"exam\":\"exam.csv\"}]}" },
	{ "models/likes.json",
	    "{\"format\":\"aisle-linear\",\"link\":\"logit\",\"bias\":-2,"
	    "\"weights\":{\"f0\":0.005}}" },
	{ "models/exam.csv", "f0,margin\n400,0\n" },
	{ "actions/far.json", ACTION("far", "a", "{\">\":[{\"var\":\"total\"},499]}", "0.9") },
	{ "actions/milk.json", ACTION("milk", "b", "{\">\":[{\"var\":\"coffee\"},0]}",
	    "{\"model\":\"likes\"}") },
	{ "actions/tea.json",
	    ACTION("tea", "c", "{\"and\":[{\"<\":[{\"var\":\"coffee\"},500]},true]}", "0.5") },
};
/* clang-format on */

/* What must come out: the action that is drawn, and how likely the draw was to take it, which hangs
 * on every rule, score and gain. */
static const struct {
	const char *action;
	double p_log;
} known = { "milk", 0x1.6c1933016dc65p-1 };

int
watch_init(struct watch *watch, struct err *err)
{
	struct policy_part part[ARRAY_LEN(parts)];
	struct policy_parts all = { .part = part, .count = ARRAY_LEN(parts) };
	struct buf report = { 0 };
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		part[i] = (struct policy_part){ parts[i][0], parts[i][1], strlen(parts[i][1]) };
	memset(watch, 0, sizeof(*watch));
	rc = policy_compile(&all, &watch->policy, &report);
	if (rc != 0)
		err_set(err, AISLE_E_INVALID, "the self-check does not compile: %.300s",
		    report.data);
	buf_done(&report);
	watch->arena = arena_new();
	watch->line = (struct line){ .line = 1,
		.category = (char *)(uintptr_t) "grocery/coffee",
		.qty_milli = 1000,
		.amount_minor = 499 };
	watch->visit = (struct visit){ .id = { .b = { 1, [15] = 7 } },
		.state = VISIT_OPEN,
		.lines = &watch->line,
		.line_count = 1,
		.basket = (char *)(uintptr_t) "watch" };
	snprintf(watch->visit.station, sizeof(watch->visit.station), "1");
	snprintf(watch->visit.terminal, sizeof(watch->visit.terminal), "1");
	if (rc == 0)
		return 0;
	watch_done(watch);
	return AISLE_E_INVALID;
}

void
watch_done(struct watch *watch)
{
	policy_free(watch->policy);
	arena_free(watch->arena);
	memset(watch, 0, sizeof(*watch));
}

static bool
decides(struct watch *watch)
{
	static const struct contacts nobody;
	struct event event = {
		.type = EV_BASKET_ITEM_ADDED, .source = "/watch", .id = "1", .now_ms = NOW
	};
	struct decide_input input = { .decision = { .b = { 2 } },
		.store = { .day_start_ms = NOW - 6 * H_MS },
		.sources = { .visit = &watch->visit,
		    .contacts = &nobody,
		    .event = &event,
		    .now_ms = NOW,
		    .store = "1" } };
	struct decision decision;
	const struct slot *slot;

	input.sources.policy = watch->policy;
	arena_reset(watch->arena);
	decide(watch->arena, &input, &decision);
	slot = &decision.slots[0];
	return decision.slot_count > 0 && slot->candidate >= 0 &&
	    strcmp(decision.candidates[slot->candidate].action->id, known.action) == 0 &&
	    slot->p_log == known.p_log;
}

static bool
answers(struct engine *engine)
{
	struct buf now = { 0 };
	int rc = store_meta_get(engine_store(engine), "now", &now);

	buf_done(&now);
	return rc == 0 || rc == AISLE_E_NONE || rc == AISLE_E_DAMAGED;
}

const char *
watch_look(struct watch *watch, struct engine *engine, int turn)
{
	if (turn != 0 && turn != AISLE_E_FULL)
		return "the last turn could not be committed";
	if (!answers(engine))
		return "the state cannot be read";
	return decides(watch) ? NULL : "the self-check's decision is not what it must be";
}
