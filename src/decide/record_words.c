/* SPDX-License-Identifier: Apache-2.0
 *
 * record_words.c - what the records of all decisions of a policy have in common, for whoever packs them.
 *
 * The members as record.c writes them: first all features and rules; last, where what packs looks first, how a record reads
 * mostly, each action closed at its first rule. Nothing depends on it but how small a record gets.
 */
#include "decide/decide.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "aisle/policy.h"
#include "logic/logic.h"

#define BYTES_MAX (60u << 10)

static void
add_features(const struct policy *policy, const bool *read, struct buf *out)
{
	buf_adds(out, ",\"withheld\":null,\"semantics\":");
	buf_json_int(out, DECISION_SEMANTICS);
	buf_adds(out, ",\"features\":{");
	for (size_t i = 0; i < policy->feature_count; i++) {
		if (read != NULL && !read[i])
			continue;
		buf_json_str(out, policy->features[i].name);
		buf_adds(out, ":0,");
	}
}

static void
add_closed(const struct action *action, enum fate fate, const char *clause, struct buf *out)
{
	if (out->len > BYTES_MAX)
		return;
	buf_adds(out, "{\"action\":");
	buf_json_str(out, action->id);
	buf_adds(out, ",\"fate\":");
	buf_json_str(out, fate_names[fate]);
	buf_adds(out, ",\"clause\":");
	buf_json_str(out, clause);
	buf_adds(out, "},");
}

/* The event that most actions name. */
static uint32_t
main_trigger(const struct policy *policy)
{
	size_t most = 0;
	uint32_t found = 0;

	for (int type = 0; type < EV_COUNT; type++) {
		size_t count = 0;

		for (size_t i = 0; i < policy->action_count; i++)
			count += policy->actions[i].on >> type & 1;
		if (count > most)
			found = UINT32_C(1) << type;
		most = count > most ? count : most;
	}
	return found;
}

/* Where an action is mostly closed. clause CLAUSE_TRUE: nowhere, or before its rules. */
static enum fate
first_closed(const struct action *action, bool stranger, uint32_t *ret_clause)
{
	*ret_clause = CLAUSE_TRUE;
	if (action->personal && stranger)
		return FATE_CONSENT;
	*ret_clause = action->eligible;
	if (*ret_clause != CLAUSE_TRUE)
		return FATE_ELIGIBILITY;
	*ret_clause = action->applicable;
	if (*ret_clause != CLAUSE_TRUE)
		return FATE_APPLICABILITY;
	*ret_clause = action->suitable;
	return FATE_SUITABILITY;
}

static void
note_read(void *ctx, unsigned slot)
{
	((bool *)ctx)[slot] = true;
}

static void
add_usual(const struct policy *policy, bool stranger, struct buf *out)
{
	uint32_t trigger = main_trigger(policy), clause;
	bool *read = mem_zero(policy->feature_count + 1);

	for (size_t i = 0; i < policy->action_count; i++) {
		(void)first_closed(&policy->actions[i], stranger, &clause);
		if ((policy->actions[i].on & trigger) != 0 && clause != CLAUSE_TRUE)
			logic_slots(policy->clauses[clause].program, note_read, read);
	}
	buf_adds(out, "},\"policy\":{\"name\":");
	buf_json_str(out, policy->name);
	buf_adds(out, ",\"version\":");
	buf_json_int(out, policy->version);
	buf_adds(out, ",\"hash\":");
	buf_json_str(out, policy->hash);
	buf_adds(out, "},\"arms\":{}");
	add_features(policy, read, out);
	out->len--;
	buf_adds(out, "},\"candidates\":[");
	for (size_t i = 0; i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];
		enum fate fate = first_closed(action, stranger, &clause);

		if ((action->on & trigger) == 0)
			continue;
		if (fate == FATE_CONSENT)
			add_closed(action, fate, "personalise", out);
		else if (clause != CLAUSE_TRUE)
			add_closed(action, fate, policy->clauses[clause].brief, out);
	}
	out->len--;
	buf_adds(out, "],\"fates\":{");
	free(read);
}

static void
add_rules(const struct policy *policy, enum fate fate, size_t member, struct buf *out)
{
	for (size_t i = 0; i < policy->action_count; i++) {
		uint32_t clause;

		memcpy(&clause, (const char *)&policy->actions[i] + member, sizeof(clause));
		if (clause != CLAUSE_TRUE)
			add_closed(&policy->actions[i], fate, policy->clauses[clause].brief, out);
	}
}

void
record_words(const struct policy *policy, struct buf *out)
{
	add_features(policy, NULL, out);
	add_rules(policy, FATE_SUITABILITY, offsetof(struct action, suitable), out);
	add_rules(policy, FATE_ELIGIBILITY, offsetof(struct action, eligible), out);
	add_rules(policy, FATE_APPLICABILITY, offsetof(struct action, applicable), out);
	add_usual(policy, true, out);
	add_usual(policy, false, out);
}
