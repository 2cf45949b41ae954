/* SPDX-License-Identifier: Apache-2.0
 *
 * decide_scene.h - a whole decision from JSON: policy, actions, visit, event.
 */
#ifndef AISLE_TESTS_DECIDE_SCENE_H
#define AISLE_TESTS_DECIDE_SCENE_H

#include "aisle/event.h"
#include "core/json.h"

#include "decide_fixture.h"

#define NOW INT64_C(1795255200000) /* 2026-11-21T10:00:00Z, a Saturday */
#define ADDED "\"on\":[\"aisle.basket.item-added\"]"

struct scene {
	struct arena *arena;
	struct fixture_policy parts;
	struct policy *policy;
	json_t *policy_json;
	struct visit visit;
	struct subject subject;
	struct contacts contacts;
	struct event event;
	struct decide_input input;
	struct decision decision;
	struct buf text;
};

FIXTURE json_t *
json_text(const char *text)
{
	struct err err = { 0 };
	json_t *json = json_read(text, strlen(text), "test", &err);

	if (json == NULL)
		fprintf(stderr, "%s\n%s\n", err.text, text);
	CHECK(json != NULL);
	return json;
}

FIXTURE void
add_patched(struct scene *s, const char *name, const char *base, const char *patch)
{
	json_t *target = json_text(base), *change = json_text(patch);
	json_t *merged = json_merge_patch(target, change);
	struct buf text = { 0 };

	json_write(merged, &text);
	add_part(s->arena, &s->parts, name, text.data);
	buf_done(&text);
	json_decref(merged);
	json_decref(change);
	json_decref(target);
}

#define SALT "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* patch of policy.json */
FIXTURE void
scene_begin(struct scene *s, const char *patch)
{
	*s = (struct scene){ .arena = arena_new() };
	add_patched(s, "policy.json",
	    "{\"name\":\"t\",\"version\":1,\"currency\":\"EUR\",\"languages\":[\"en\",\"de\"],"
	    "\"salts\":{\"id\":\"" SALT "\",\"control\":\"" SALT "\",\"explore\":\"" SALT "\"},"
	    "\"placements\":{\"tablet\":{\"slots\":1,\"headline_max\":40}},\"explore\":\"greedy\"}",
	    patch);
	add_part(s->arena, &s->parts, "features.json",
	    "{\"features\":[{\"name\":\"x\",\"type\":\"number\",\"from\":\"event.x\"},"
	    "{\"name\":\"word\",\"type\":\"string\",\"from\":\"event.word\"},"
	    "{\"name\":\"tier\",\"type\":\"string\",\"from\":\"profile.tier\"},"
	    "{\"name\":\"likely_to_call\",\"type\":\"number\",\"from\":\"profile.call\"},"
	    "{\"name\":\"queue\",\"type\":\"number\",\"from\":\"store.queue\"},"
	    "{\"name\":\"d\",\"type\":\"number\",\"from\":\"action.depth\"},"
	    "{\"name\":\"total\",\"type\":\"number\",\"from\":\"basket.total()\"}]}");
	s->visit.id = id_of(7);
	s->visit.state = VISIT_OPEN;
	strcpy(s->visit.station, "7");
	strcpy(s->visit.terminal, "7");
	s->visit.basket = arena_strdup(s->arena, "B1");
	s->subject.id = id_of(9);
	s->subject.known = true;
	s->event.type = EV_BASKET_ITEM_ADDED;
	s->event.source = "/store/1/pos/7";
	s->event.id = "e1";
	s->event.now_ms = NOW;
	s->event.data = json_text("{\"x\":1}");
	s->input.decision = id_of(42);
	s->input.known = true;
	s->input.contact_consent = true;
	s->input.sources.visit = &s->visit;
	s->input.sources.subject = &s->subject;
	s->input.sources.contacts = &s->contacts;
	s->input.sources.event = &s->event;
	s->input.sources.now_ms = NOW;
	s->input.sources.store = "0042";
	s->input.store.day_start_ms = NOW - 6 * H_MS;
	s->input.care = &s->subject;
}

/* An action worth 50 (p1 0.5, p0 0.25, margin 200) unless the patch says otherwise. */
FIXTURE void
add_action(struct scene *s, const char *id, const char *patch)
{
	char *base = arena_printf(s->arena,
	    "{\"action\":\"%s\",\"kind\":\"service\",\"issue\":\"grow\",\"group\":\"g\"," ADDED
	    ",\"placements\":[\"tablet\"],\"gate\":\"associate\",\"expires\":\"120s\",\"personal\":"
	    "false,"
	    "\"propensity\":0.5,\"incremental\":0.5,\"margin\":200,\"outcome\":{\"is\":\"none\"},"
	    "\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Do "
	    "%s\"}]}",
	    id, id);

	add_patched(s, arena_printf(s->arena, "actions/%s.json", id), base, patch);
}

/* Turns the base action into a percent offer: 10 % on a typical 450, worth 45. */
#define OFFER_MEMBERS "\"kind\":\"offer\",\"outcome\":{\"is\":\"redeemed\",\"within\":\"0d\"}"
#define OFFER(more) \
	"{" OFFER_MEMBERS \
	",\"offer\":{\"type\":\"percent\",\"depth\":10,\"typical\":450,\"max\":300," \
	"\"apply\":\"till-code\",\"until\":\"0d\"" more "}"

FIXTURE void
scene_data(struct scene *s, const char *data)
{
	json_decref(s->event.data);
	s->event.data = json_text(data);
}

FIXTURE void
scene_decide(struct scene *s)
{
	if (s->policy == NULL)
		s->policy = compile_parts(&s->parts);
	s->input.sources.policy = s->policy;
	decide(s->arena, &s->input, &s->decision);
}

FIXTURE void
scene_end(struct scene *s)
{
	policy_free(s->policy);
	json_decref(s->event.data);
	buf_done(&s->text);
	arena_free(s->arena);
}

FIXTURE const struct candidate *
candidate_of(const struct scene *s, const char *id)
{
	for (size_t i = 0; i < s->decision.candidate_count; i++)
		if (strcmp(s->decision.candidates[i].action->id, id) == 0)
			return &s->decision.candidates[i];
	return NULL;
}

FIXTURE const char *
fate_of(const struct scene *s, const char *id)
{
	const struct candidate *candidate = candidate_of(s, id);

	return candidate == NULL ? "no candidate" : fate_names[candidate->fate];
}

FIXTURE const char *
clause_of(const struct scene *s, const char *id)
{
	const struct candidate *candidate = candidate_of(s, id);

	return candidate == NULL || candidate->clause == NULL ? "" : candidate->clause;
}

/* "a nothing | b": the actions of the slots in their order, a bar between placements. */
FIXTURE const char *
slots_of(struct scene *s)
{
	buf_clear(&s->text);
	for (size_t i = 0; i < s->decision.slot_count; i++) {
		const struct slot *slot = &s->decision.slots[i];

		if (i > 0)
			buf_adds(&s->text, slot->placement == slot[-1].placement ? " " : " | ");
		buf_adds(&s->text, slot->kept ? "kept " : "");
		buf_adds(&s->text,
		    slot->kept		      ? s->visit.cards[slot->card].action
			: slot->candidate < 0 ? "nothing"
					      : s->decision.candidates[slot->candidate].action->id);
	}
	return s->text.len > 0 ? s->text.data : "";
}

#endif
