/* SPDX-License-Identifier: Apache-2.0
 *
 * record.c - a decision as the Decision object of the interfaces: one line, the same bytes each
 * time.
 *
 * Members beyond the contract: "fates" counts every candidate, also those that
 * are left out above CANDIDATES_RECORDED_MAX; a slot says its "placement" and
 * "slot"; "mixed" marks a merged subject. "nothing" stands in slots and
 * shortlists under its name, without prompt and treatment.
 */
#include "decide/run.h"

#include <string.h>

#include "core/id.h"

/* member is the text up to its value, as ",\"p1\":": these run a hundred times a record, so they
 * are inline and the length of a literal is known when it is compiled. */
static inline void
add_string(struct buf *out, const char *member, const char *value)
{
	buf_adds(out, member);
	buf_json_str(out, value);
}

static inline void
add_double(struct buf *out, const char *member, double value)
{
	buf_adds(out, member);
	buf_json_double(out, value);
}

static inline void
add_int(struct buf *out, const char *member, int64_t value)
{
	buf_adds(out, member);
	buf_json_int(out, value);
}

static void
add_id(struct buf *out, const char *member, const struct id *id)
{
	char text[ID_TEXT_SIZE];

	id_text(id, text);
	buf_adds(out, member);
	buf_add(out, text, ID_TEXT_SIZE - 1);
}

static void
add_value(struct buf *out, const struct value *value)
{
	switch (value->tag) {
	case VALUE_BOOL:
		buf_adds(out, value->truth ? "true" : "false");
		break;
	case VALUE_NUMBER:
		buf_json_double(out, value->number);
		break;
	case VALUE_STRING:
		buf_json_str(out, value->str);
		break;
	default:
		buf_adds(out, "null");
		break;
	}
}

static void
add_head(const struct decision *decision, const struct decision_context *context, struct buf *out)
{
	const struct policy *policy = decision->input->sources.policy;
	char at[WHEN_TEXT_SIZE], subject[SUBJECT_TEXT_SIZE];

	add_id(out, "{\"decision\":\"", &decision->id);
	when_text(decision->at_ms, at);
	add_string(out, "\",\"at\":", at);
	add_string(out, ",\"station\":", context->station);
	if (context->basket != NULL)
		add_string(out, ",\"basket\":", context->basket);
	if (context->subject != NULL) {
		subject_text(context->subject, subject);
		add_string(out, ",\"subject\":", subject);
	}
	if (context->mixed)
		buf_adds(out, ",\"mixed\":true");
	buf_adds(out, ",\"trigger\":{\"source\":");
	buf_json_str(out, context->trigger != NULL ? context->trigger->source : "timer");
	add_string(out, ",\"id\":",
	    context->trigger != NULL ? context->trigger->id : context->timer_id);
	add_string(out, ",\"type\":",
	    context->trigger != NULL ? event_type_name(context->trigger->type) : "timer");
	buf_adds(out, "},\"policy\":{\"name\":");
	buf_json_str(out, policy->name);
	add_int(out, ",\"version\":", policy->version);
	add_string(out, ",\"hash\":", policy->hash);
	buf_adds(out, "},\"arms\":{");
	for (size_t i = 0; i < decision->input->arm_count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		buf_json_str(out, decision->input->arms[i].experiment);
		buf_addc(out, ':');
		buf_json_str(out, decision->input->arms[i].arm);
	}
	buf_addc(out, '}');
	add_string(out, ",\"withheld\":", decision->withheld);
	if (decision->cause != NULL)
		add_string(out, ",\"cause\":", decision->cause);
	add_int(out, ",\"semantics\":", DECISION_SEMANTICS);
}

static void
add_features(const struct decision *decision, struct buf *out)
{
	const struct policy *policy = decision->input->sources.policy;
	bool first = true;

	buf_adds(out, ",\"features\":{");
	for (size_t i = 0; i < policy->feature_count; i++) {
		struct value value;

		if (!features_was_read(decision->features, (unsigned)i))
			continue;
		value = features_get(decision->features, (unsigned)i, NULL);
		buf_adds(out, first ? "" : ",");
		buf_json_str(out, policy->features[i].name);
		buf_addc(out, ':');
		add_value(out, &value);
		first = false;
	}
	buf_addc(out, '}');
}

static void
add_candidate(const struct candidate *candidate, struct buf *out)
{
	buf_adds(out, "{\"action\":");
	buf_json_str(out, candidate->action->id);
	if (candidate->action->has_offer && candidate->depth != 0)
		add_int(out, ",\"depth\":", candidate->depth);
	add_string(out, ",\"fate\":", fate_names[candidate->fate]);
	if (candidate->clause != NULL)
		add_string(out, ",\"clause\":", candidate->clause);
	if (candidate->scored) {
		add_double(out, ",\"p1\":", candidate->p1);
		add_double(out, ",\"p0\":", candidate->p0);
		add_double(out, ",\"margin\":", candidate->margin);
		add_double(out, ",\"cost\":", candidate->cost);
		add_double(out, ",\"gain\":", candidate->gain);
		add_double(out, ",\"context\":", candidate->context);
		add_double(out, ",\"lever\":", candidate->lever);
		add_double(out, ",\"priority\":", candidate->priority);
	}
	buf_addc(out, '}');
}

static bool
was_near(const struct candidate *candidate)
{
	return candidate->fate == FATE_OFFERED || candidate->fate == FATE_WITHHELD ||
	    candidate->fate == FATE_NOT_DRAWN;
}

/* Above the bound: what was chosen or drawn for, then what was scored, as far as there is room. */
static void
add_candidates(const struct decision *decision, struct buf *out)
{
	bool all = decision->candidate_count <= CANDIDATES_RECORDED_MAX;
	size_t room = CANDIDATES_RECORDED_MAX;
	bool first = true;

	for (size_t i = 0; i < decision->candidate_count && room > 0; i++)
		room -= was_near(&decision->candidates[i]);
	buf_adds(out, ",\"candidates\":[");
	for (size_t i = 0; i < decision->candidate_count; i++) {
		const struct candidate *candidate = &decision->candidates[i];

		if (!all && !was_near(candidate)) {
			if (!candidate->scored || room == 0)
				continue;
			room--;
		}
		buf_adds(out, first ? "" : ",");
		add_candidate(candidate, out);
		first = false;
	}
	buf_adds(out, "],\"fates\":{");
	first = true;
	for (int fate = 0; fate < FATE_COUNT; fate++) {
		if (decision->fates[fate] == 0)
			continue;
		buf_adds(out, first ? "" : ",");
		add_string(out, "", fate_names[fate]);
		add_int(out, ":", decision->fates[fate]);
		first = false;
	}
	buf_addc(out, '}');
}

/* ---- counters ---- */

struct counters {
	const struct decision *decision;
	struct contact_index index;
	bool first;
	struct buf *out;
};

/* "coffee-off/caps[0]": whose, and which of them; which < 0: there is only one. */
static void
add_counter(struct counters *c, const struct action *action, const char *what, int which, int64_t n)
{
	buf_adds(c->out, c->first ? ",\"counters\":{" : ",");
	/* An id may need escapes, its end is where the name goes on. */
	buf_json_str(c->out, action->id);
	c->out->len--;
	buf_addc(c->out, '/');
	buf_adds(c->out, what);
	if (which >= 0) {
		add_int(c->out, "[", which);
		buf_addc(c->out, ']');
	}
	add_int(c->out, "\":", n);
	c->first = false;
}

static void
add_caps(struct counters *c, const struct slot *slot, const char *where, const struct cap *caps,
    size_t count)
{
	const struct action *action = c->decision->candidates[slot->candidate].action;

	for (size_t i = 0; i < count; i++) {
		int n = contact_counter(
		    c->decision->input, &c->index, action, slot->placement, &caps[i]);

		add_counter(c, action, where, (int)i, n);
	}
}

static void
add_budget(struct counters *c, const struct action *action)
{
	const struct store_state *store = &c->decision->input->store;
	bool day = action->budget.per == BUDGET_STORE_DAY;

	for (size_t u = 0; action->budget.per != BUDGET_NONE && u < store->use_count; u++) {
		const struct budget_use *use = &store->uses[u];

		if (strcmp(use->action, action->id) != 0)
			continue;
		add_counter(c, action, "budget.money", -1,
		    day ? use->day_money_minor : use->all_money_minor);
		add_counter(c, action, "budget.units", -1, day ? use->day_units : use->all_units);
	}
}

/* What the cards of this decision were counted against, before they were added. Of what a
 * gate has closed, the clause says the count. */
static void
add_counters(const struct decision *decision, struct buf *out)
{
	const struct policy *policy = decision->input->sources.policy;
	struct arena *arena = arena_new();
	struct counters c = { .decision = decision, .first = true, .out = out };

	c.index = contact_index_make(arena, decision->input->sources.contacts);
	for (size_t s = 0; s < decision->slot_count; s++) {
		const struct slot *slot = &decision->slots[s];
		const struct action *action;

		if (slot->kept || slot->candidate == NOTHING)
			continue;
		action = decision->candidates[slot->candidate].action;
		if (!action->mandatory) {
			add_caps(&c, slot, "caps", action->caps, action->cap_count);
			add_caps(&c, slot, "contact.caps", policy->caps, policy->cap_count);
		}
		add_budget(&c, action);
	}
	if (!c.first)
		buf_addc(out, '}');
	arena_free(arena);
}

/* ---- slots ---- */

static const char *
candidate_name(const struct decision *decision, int candidate)
{
	return candidate == NOTHING ? NOTHING_NAME : decision->candidates[candidate].action->id;
}

static void
add_shortlist(const struct decision *decision, const struct slot *slot, struct buf *out)
{
	buf_adds(out, ",\"shortlist\":[");
	for (size_t i = 0; i < slot->shortlist_count; i++) {
		buf_adds(out, i > 0 ? ",{\"action\":" : "{\"action\":");
		buf_json_str(out, candidate_name(decision, slot->shortlist[i].candidate));
		add_double(out, ",\"priority\":", slot->shortlist[i].priority);
		add_double(out, ",\"p\":", slot->shortlist[i].p);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

static void
add_slot(const struct decision *decision, const struct slot *slot, const struct id *prompt,
    struct buf *out)
{
	const struct card *card =
	    slot->kept ? &decision->input->sources.visit->cards[slot->card] : NULL;
	int64_t depth = card != NULL ? card->depth
	    : slot->candidate != NOTHING ? decision->candidates[slot->candidate].depth
					 : 0;
	const char *treatment = card != NULL ? card->treatment
	    : slot->treatment != NULL ? slot->treatment->name
				      : NULL;

	buf_addc(out, '{');
	if (prompt != NULL && !id_is_zero(prompt)) {
		add_id(out, "\"prompt\":\"", prompt);
		buf_adds(out, "\",");
	}
	add_string(out, "\"placement\":", placement_names[slot->placement]);
	add_int(out, ",\"slot\":", slot->slot);
	add_string(out, ",\"action\":",
	    card != NULL ? card->action : candidate_name(decision, slot->candidate));
	if (depth != 0)
		add_int(out, ",\"depth\":", depth);
	add_string(out, ",\"treatment\":", treatment);
	if (slot->has_p)
		add_double(out, ",\"p_log\":", slot->p_log);
	else
		buf_adds(out, ",\"p_log\":null");
	if (slot->has_marginal)
		add_double(out, ",\"p_marginal\":", slot->p_marginal);
	if (!slot->kept && slot->treatment != NULL)
		add_double(out, ",\"treatment_p_log\":", slot->treatment_p);
	if (slot->kept)
		buf_adds(out, ",\"kept\":true");
	add_shortlist(decision, slot, out);
	buf_addc(out, '}');
}

void
decision_json(
    const struct decision *decision, const struct decision_context *context, struct buf *out)
{
	add_head(decision, context, out);
	add_features(decision, out);
	add_candidates(decision, out);
	add_counters(decision, out);
	buf_adds(out, ",\"slots\":[");
	for (size_t i = 0; i < decision->slot_count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		add_slot(decision, &decision->slots[i],
		    context->prompts != NULL ? &context->prompts[i] : NULL, out);
	}
	buf_adds(out, "]}");
}
