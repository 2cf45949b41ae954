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
#include "decide/memo.h"
#include "decide/record_piece.h"

/* member is the text up to its value, as ",\"p1\":": these run a hundred times a record, so they
 * are inline and the length of a literal is known when it is compiled. */
static inline void
add_string(struct buf *out, const char *member, const char *value)
{
	buf_adds(out, member);
	buf_json_str(out, value);
}

static inline void
add_int(struct buf *out, const char *member, int64_t value)
{
	buf_adds(out, member);
	buf_json_int(out, value);
}

static inline void
add_double(const struct record_writer *w, const char *member, double value)
{
	char text[DOUBLE_TEXT_SIZE];

	buf_adds(w->out, member);
	buf_add(w->out, text, (size_t)(put_double(w, value, text) - text));
}

static void
add_id(struct buf *out, const char *member, const struct id *id)
{
	char text[ID_TEXT_SIZE];

	id_text(id, text);
	buf_adds(out, member);
	buf_add(out, text, ID_TEXT_SIZE - 1);
}

/* Bytes that JSON writes for the character that begins here, of so many bytes in the text. */
static size_t
json_bytes(const char *at, size_t *ret_len)
{
	unsigned char c = (unsigned char)*at;
	size_t len = 1;

	*ret_len = 1;
	if (c < 0x20)
		return 6;
	if (c == '"' || c == '\\')
		return 2;
	while (((unsigned char)at[len] & 0xc0) == 0x80)
		len++;
	*ret_len = len;
	return len;
}

/* A till may send 64 KiB in one member, and a thousand features may read it. */
static void
add_text_of_feature(struct buf *out, const char *text)
{
	char cut[FEATURE_BYTES_MAX + sizeof("…")];
	size_t at = 0, bytes = 0, len;

	while (text[at] != '\0' && bytes <= FEATURE_BYTES_MAX) {
		bytes += json_bytes(text + at, &len);
		at += len;
	}
	if (bytes <= FEATURE_BYTES_MAX) {
		buf_json_str(out, text);
		return;
	}
	at -= len;
	memcpy(cut, text, at);
	memcpy(cut + at, "…", sizeof("…"));
	buf_json_str(out, cut);
}

/* What is no number. */
static void
add_value(struct buf *out, const struct value *value)
{
	switch (value->tag) {
	case VALUE_BOOL: buf_adds(out, value->truth ? "true" : "false"); break;
	case VALUE_STRING: add_text_of_feature(out, value->str); break;
	default: buf_adds(out, "null"); break;
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
	add_string(out,
	    ",\"id\":", context->trigger != NULL ? context->trigger->id : context->timer_id);
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
	if (policy->explore_share > 0) {
		buf_adds(out, ",\"cost_max\":");
		buf_json_double(out, decision->input->day_cost_max);
	}
}

static void
add_features(const struct record_writer *w)
{
	const struct decision *decision = w->decision;
	const struct policy *policy = decision->input->sources.policy;
	const struct value *known = features_known(decision->features);
	bool first = true;

	buf_adds(w->out, ",\"features\":{");
	for (size_t i = 0; i < policy->feature_count; i++) {
		char *at;

		if (known[i].tag == FEATURE_UNREAD)
			continue;
		at = piece_begin(w);
		if (!first)
			*at++ = ',';
		at = put_text(w, policy->features[i].name, true, at);
		*at++ = ':';
		if (known[i].tag == VALUE_NUMBER)
			at = put_double(w, known[i].number, at);
		piece_end(w, at);
		if (known[i].tag != VALUE_NUMBER)
			add_value(w->out, &known[i]);
		first = false;
	}
	buf_addc(w->out, '}');
}

static char *
put_depth(int64_t depth, char *at)
{
	char digits[20];
	size_t n = 0;

	for (uint64_t rest = (uint64_t)depth; n == 0 || rest > 0; rest /= 10)
		digits[n++] = (char)('0' + rest % 10);
	while (n > 0)
		*at++ = digits[--n];
	return at;
}

static char *
put_factors(const struct record_writer *w, const struct candidate *candidate, char *at)
{
	at = put_double(w, candidate->p1, PUT(at, ",\"p1\":"));
	at = put_double(w, candidate->p0, PUT(at, ",\"p0\":"));
	if (candidate->learned1 != 0) {
		at = put_depth(candidate->learned1, PUT(at, ",\"learned\":["));
		*at++ = ',';
		at = put_depth(candidate->learned0, at);
		*at++ = ']';
	}
	at = put_double(w, candidate->margin, PUT(at, ",\"margin\":"));
	if (candidate->has_line_margin)
		at = put_double(w, (double)candidate->line_margin_minor,
		    PUT(at, ",\"line_margin\":"));
	at = put_double(w, candidate->cost, PUT(at, ",\"cost\":"));
	at = put_double(w, candidate->gain, PUT(at, ",\"gain\":"));
	at = put_double(w, candidate->context, PUT(at, ",\"context\":"));
	at = put_double(w, candidate->lever, PUT(at, ",\"lever\":"));
	return put_double(w, candidate->priority, PUT(at, ",\"priority\":"));
}

static void
add_candidate(const struct record_writer *w, const struct candidate *candidate, bool first)
{
	static const struct {
		const char *text; /* ,"fate":"offered" */
		size_t len;
	} fates[FATE_COUNT] = {
#define X(constant, name) { ",\"fate\":\"" name "\"", sizeof(",\"fate\":\"" name "\"") - 1 },
		FATES(X)
#undef X
	};
	char *at = piece_begin(w);

	if (!first)
		*at++ = ',';
	at = put_text(w, candidate->action->id, true, PUT(at, "{\"action\":"));
	if (candidate->action->has_offer && candidate->depth > 0)
		at = put_depth(candidate->depth, PUT(at, ",\"depth\":"));
	if (candidate->item != NULL) {
		at = put_text(w, candidate->item->text, false, PUT(at, ",\"item\":"));
		at = put_double(w, candidate->item->chance, PUT(at, ",\"chance\":"));
	}
	memcpy(at, fates[candidate->fate].text, fates[candidate->fate].len);
	at += fates[candidate->fate].len;
	/* What contact policy says is written for this decision; all others are the policy's
	 * own. */
	if (candidate->clause != NULL)
		at = put_text(w, candidate->clause, candidate->fate != FATE_CONTACT,
		    PUT(at, ",\"clause\":"));
	if (candidate->scored)
		at = put_factors(w, candidate, at);
	*at++ = '}';
	piece_end(w, at);
}

static bool
was_near(const struct candidate *candidate)
{
	return candidate->fate == FATE_OFFERED || candidate->fate == FATE_WITHHELD ||
	    candidate->fate == FATE_NOT_DRAWN;
}

static bool
was_chosen(const struct candidate *candidate)
{
	return candidate->fate == FATE_OFFERED || candidate->fate == FATE_WITHHELD;
}

/* Above the bound: what was chosen or drawn for, then what was scored, as far as there is room. */
static void
add_candidates(const struct record_writer *w)
{
	const struct decision *decision = w->decision;
	struct buf *out = w->out;
	bool all = decision->candidate_count <= CANDIDATES_RECORDED_MAX;
	size_t room = CANDIDATES_RECORDED_MAX, begin = out->len;
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
		if (out->len - begin > CANDIDATE_BYTES_MAX && !was_chosen(candidate))
			continue;
		add_candidate(w, candidate, first);
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
		int n = contact_counter(c->decision->input, c->decision->contact, action,
		    slot->placement, &caps[i]);

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
	struct counters c = { .decision = decision, .first = true, .out = out };

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
}

/* ---- slots ---- */

static const char *
candidate_name(const struct decision *decision, int candidate)
{
	return candidate == NOTHING ? NOTHING_NAME : decision->candidates[candidate].action->id;
}

static void
add_shortlist(const struct record_writer *w, const struct slot *slot)
{
	struct buf *out = w->out;

	buf_adds(out, ",\"shortlist\":[");
	for (size_t i = 0; i < slot->shortlist_count; i++) {
		const struct shortlisted *one = &slot->shortlist[i];
		char *at = piece_begin(w);

		if (i > 0)
			*at++ = ',';
		at = put_text(w, candidate_name(w->decision, one->candidate), true,
		    PUT(at, "{\"action\":"));
		at = put_double(w, one->priority, PUT(at, ",\"priority\":"));
		at = put_double(w, one->p, PUT(at, ",\"p\":"));
		*at++ = '}';
		piece_end(w, at);
	}
	buf_addc(out, ']');
}

static void
add_slot(const struct record_writer *w, const struct slot *slot, const struct id *prompt)
{
	const struct decision *decision = w->decision;
	struct buf *out = w->out;
	const struct card *card =
	    slot->kept ? &decision->input->sources.visit->cards[slot->card] : NULL;
	int64_t depth = card != NULL	 ? card->depth
	    : slot->candidate != NOTHING ? decision->candidates[slot->candidate].depth
					 : 0;
	const char *treatment = card != NULL ? card->treatment
	    : slot->treatment != NULL	     ? slot->treatment->name
					     : NULL;

	buf_addc(out, '{');
	if (prompt != NULL && !id_is_zero(prompt)) {
		add_id(out, "\"prompt\":\"", prompt);
		buf_adds(out, "\",");
	}
	add_string(out, "\"placement\":", NAME_OF(placement_names, slot->placement));
	add_int(out, ",\"slot\":", slot->slot);
	add_string(out, ",\"action\":",
	    card != NULL ? card->action : candidate_name(decision, slot->candidate));
	if (depth != 0)
		add_int(out, ",\"depth\":", depth);
	add_string(out, ",\"treatment\":", treatment);
	if (slot->has_p)
		add_double(w, ",\"p_log\":", slot->p_log);
	else
		buf_adds(out, ",\"p_log\":null");
	if (slot->has_marginal)
		add_double(w, ",\"p_marginal\":", slot->p_marginal);
	if (!slot->kept && slot->treatment != NULL)
		add_double(w, ",\"treatment_p_log\":", slot->treatment_p);
	if (slot->kept)
		buf_adds(out, ",\"kept\":true");
	add_shortlist(w, slot);
	buf_addc(out, '}');
}

void
decision_json(const struct decision *decision, const struct decision_context *context,
    struct buf *out)
{
	const struct record_writer w = { decision, decision->input->draws, out };

	add_head(decision, context, out);
	add_features(&w);
	add_candidates(&w);
	add_counters(decision, out);
	buf_adds(out, ",\"slots\":[");
	for (size_t i = 0; i < decision->slot_count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		add_slot(&w, &decision->slots[i],
		    context->prompts != NULL ? &context->prompts[i] : NULL);
	}
	buf_adds(out, "]}");
}
