/* SPDX-License-Identifier: Apache-2.0
 *
 * columns_dice.h - random policies and moments for test_columns.c, full of what lies at an edge: equal
 * clauses and such that differ in their number, missing values, equal priorities, caps that are just reached.
 */
#ifndef AISLE_TESTS_COLUMNS_DICE_H
#define AISLE_TESTS_COLUMNS_DICE_H

#include "columns_world.h"
#include "random_fixture.h"

#define W_NOW INT64_C(1795255200000) /* 2026-11-21T10:00:00Z, a Saturday */
#define PICK(dice, list) ((list)[dice_below((dice), ARRAY_LEN(list))])

static const char *const w_words[] = { "red", "green", "blue", "" };
static const char *const w_groups[] = { "g0", "g1", "grocery-long-0", "grocery-long-1" };
static const char *const w_issues[] = { "grow", "retain", "serve" };
static const char *const w_categories[] = { "c0", "c0/sub", "c1", "c10", "c1/a/b", "grocery/coffee",
	"grocery/coffee/beans", "grocery/cocoa", "beer", "c5/x", "" };

static inline bool
one_in(struct dice *dice, unsigned n)
{
	return dice_below(dice, n) == 0;
}

static inline double
dice_quarter(struct dice *dice, int most)
{
	return (double)dice_below(dice, (uint64_t)(4 * most + 1)) / 4;
}

/* ---- rules and numbers ---- */

static inline enum w_read
dice_read(struct dice *dice, bool mandatory)
{
	static const enum w_read plain[] = { R_X0, R_X0, R_X1, R_X2, R_X3, R_TOTAL };
	static const enum w_read all[] = { R_X0, R_X0, R_X0, R_X1, R_X2, R_X3, R_TOTAL, R_TOTAL,
		R_DEPTH, R_WORTH, R_MARGIN, R_SEEN };

	return mandatory ? PICK(dice, plain) : PICK(dice, all);
}

static inline double
dice_bar(struct dice *dice, enum w_read read)
{
	switch (read) {
	case R_TOTAL: return (double)dice_below(dice, 12) * 250;
	case R_MARGIN: return (double)dice_below(dice, 5) * 50;
	case R_WORTH: return (double)dice_below(dice, 6) * 20;
	case R_SEEN: return (double)dice_below(dice, 4);
	default: return dice_quarter(dice, 8);
	}
}

static inline const struct w_rule *
dice_rule(struct dice *dice, struct arena *arena, bool mandatory, int depth)
{
	static const enum w_read texts[] = { R_WORD, R_TIER, R_GROUP };
	struct w_rule *rule = arena_alloc(arena, sizeof(*rule));
	unsigned kind = (unsigned)dice_below(dice, depth > 0 ? 10 : 7);

	if (kind >= 7) {
		rule->op = kind == 7 ? W_AND : kind == 8 ? W_OR : W_NOT;
		rule->count = rule->op == W_NOT ? 1 : 2 + (int)dice_below(dice, 2);
		for (int i = 0; i < rule->count; i++)
			rule->part[i] = dice_rule(dice, arena, mandatory, depth - 1);
	} else if (kind >= 5) {
		rule->op = kind == 5 ? W_IS : W_IN;
		rule->read = mandatory ? R_WORD : PICK(dice, texts);
		rule->count = rule->op == W_IS ? 1 : 1 + (int)dice_below(dice, 3);
		for (int i = 0; i < rule->count; i++)
			rule->text[i] = rule->read == R_GROUP ? w_groups[i] : w_words[i];
	} else {
		rule->op = (enum w_op)(W_LESS + dice_below(dice, 4));
		rule->read = dice_read(dice, mandatory);
		rule->turned = one_in(dice, 4);
		rule->number = dice_bar(dice, rule->read);
	}
	return rule;
}

static inline const struct w_rule *
dice_gate(struct dice *dice, struct arena *arena, bool mandatory)
{
	return one_in(dice, 3) ? NULL : dice_rule(dice, arena, mandatory, 2);
}

/* of_margin: what may not read the margin, for it is the margin. */
static inline struct w_number
dice_number(struct dice *dice, struct arena *arena, double size, bool of_margin, bool models)
{
	struct w_number number = { .number = size * (1 + (double)dice_below(dice, 8)) / 4 };
	unsigned kind = (unsigned)dice_below(dice, 10);

	do
		number.read = dice_read(dice, false);
	while (of_margin && number.read == R_MARGIN);
	number.form = kind < 5 ? W_CONSTANT
	    : kind == 5	       ? W_TIMES
	    : kind == 6	       ? W_OVER
	    : kind == 7	       ? W_READ
	    : kind == 8	       ? W_MODEL
			       : W_CONSTANT;
	number.model = (int)dice_below(dice, 2);
	if (number.form == W_MODEL && (!models || of_margin))
		number.form = W_CONSTANT;
	if (!of_margin && one_in(dice, 12)) {
		number.form = W_RULE;
		number.rule = dice_rule(dice, arena, false, 0);
	}
	return number;
}

/* ---- an action ---- */

static inline struct w_goods
dice_goods(struct dice *dice)
{
	struct w_goods goods = { 0 };

	if (!one_in(dice, 5))
		goods.category = w_categories[dice_below(dice, ARRAY_LEN(w_categories) - 2)];
	if (goods.category == NULL || one_in(dice, 5))
		goods.brand = one_in(dice, 2) ? "house" : "acme";
	return goods;
}

static inline void
dice_offer(struct dice *dice, struct w_offer *offer, bool models)
{
	offer->type = (enum offer_type)dice_below(dice, 5);
	offer->depths = !models && one_in(dice, 3) ? 3 : 1;
	for (int i = 0; i < 3; i++)
		offer->depth[i] = (i > 0 ? offer->depth[i - 1] : 0) +
		    (offer->type == OFFER_FREE_ITEM ? 1 : 5 + (int64_t)dice_below(dice, 10));
	if (offer->depths == 1 && one_in(dice, 4)) {
		offer->tiers = 2;
		for (int i = 0; i < 2; i++) {
			offer->tier_from[i] = 500 * (i + 1) + 250 * (int64_t)dice_below(dice, 2);
			offer->tier_depth[i] = offer->depth[0] + i + 1;
		}
	}
	offer->max = -1;
	if (offer->type == OFFER_PERCENT || offer->type == OFFER_FREE_ITEM || one_in(dice, 3))
		offer->max = 20 + (int64_t)dice_below(dice, 300);
	if (offer->type == OFFER_PERCENT || offer->type == OFFER_FIXED_PRICE || one_in(dice, 2))
		offer->typical = 100 + (int64_t)dice_below(dice, 10) * 50;
	offer->funded = one_in(dice, 3) ? 0.125 * (double)(1 + dice_below(dice, 8)) : 0;
	offer->includes = one_in(dice, 6) ? 0 : one_in(dice, 6) ? 2 : 1;
	for (int i = 0; i < offer->includes; i++)
		offer->include[i] = dice_goods(dice);
	offer->excludes = one_in(dice, 5);
	offer->exclude = dice_goods(dice);
	offer->min_basket = one_in(dice, 4) ? 500 * (1 + (int64_t)dice_below(dice, 3)) : 0;
	offer->min_worth = one_in(dice, 4) ? 5 + (int64_t)dice_below(dice, 40) : 1;
	offer->floor = one_in(dice, 4) ? (int64_t)dice_below(dice, 150) : INT64_MIN;
	offer->stack = one_in(dice, 3) ? "s" : NULL;
}

static inline struct w_cap
dice_cap(struct dice *dice, bool own)
{
	static const enum outcome outcomes[] = { OUTCOME_SHOWN, OUTCOME_SHOWN, OUTCOME_DECIDED,
		OUTCOME_DISMISSED, OUTCOME_OVERRIDDEN, OUTCOME_BOUGHT, OUTCOME_ACCEPTED };
	static const char *const scopes[] = { "all", "action", "group", "issue", "placement" };
	struct w_cap cap = { .outcome = PICK(dice, outcomes), .scope = PICK(dice, scopes) };

	if (own && one_in(dice, 2))
		cap.scope = NULL;
	if (cap.outcome == OUTCOME_OVERRIDDEN && one_in(dice, 2))
		cap.reason = "too-busy";
	if (cap.scope != NULL && strcmp(cap.scope, "all") != 0 && one_in(dice, 3))
		cap.value = cap.scope[0] == 'g' ? w_groups[dice_below(dice, 2)]
		    : cap.scope[0] == 'i'	? w_issues[0]
		    : cap.scope[0] == 'a'	? "a002"
						: "tablet";
	cap.max = (int)dice_below(dice, 8) == 0 ? 0 : 1 + (int)dice_below(dice, 6);
	cap.hours = PICK(dice, ((const int64_t[]){ 1, 24, 168, 720 }));
	if (one_in(dice, 5) && cap.hours >= 24)
		cap.business = true;
	else if (one_in(dice, 6))
		cap.gaps = 0.5;
	return cap;
}

static inline struct w_text
dice_words(struct dice *dice, bool mandatory, bool offer)
{
	static const char *const before[] = { "Hello ", "A longer text that comes near the bound ",
		"" };
	struct w_text text = { .before = PICK(dice, before), .behind = "!" };

	text.has_value = one_in(dice, 2);
	text.depth = offer && one_in(dice, 2);
	text.read = mandatory || !one_in(dice, 3) ? (one_in(dice, 3) ? R_WORD : R_X0)
						  : (one_in(dice, 2) ? R_TIER : R_SEEN);
	text.round = text.has_value && !text.depth && text.read == R_X0 && one_in(dice, 2);
	text.dflt = one_in(dice, 3) ? "you" : NULL;
	return text;
}

static inline void
dice_action(struct dice *dice, struct arena *arena, struct w_action *action, bool models)
{
	static const enum kind offers[] = { KIND_OFFER, KIND_RETAIN };
	static const enum kind others[] = { KIND_SERVICE, KIND_INFORM, KIND_RECOMMEND,
		KIND_RECOMMEND };
	static const unsigned places[] = { 1u << PLACE_TABLET, 1u << PLACE_TABLET,
		1u << PLACE_RECEIPT, 1u << PLACE_TABLET | 1u << PLACE_RECEIPT,
		1u << PLACE_TILL | 1u << PLACE_TABLET, 1u << PLACE_TABLET | 1u << PLACE_LATER };

	action->group = PICK(dice, w_groups);
	action->issue = PICK(dice, w_issues);
	action->mandatory = one_in(dice, 12);
	action->has_offer = !action->mandatory && one_in(dice, 2);
	action->kind = action->mandatory ? KIND_ALERT
	    : action->has_offer		 ? PICK(dice, offers)
					 : PICK(dice, others);
	action->personal = !action->mandatory && one_in(dice, 4);
	action->named = !one_in(dice, 8);
	action->eligible = dice_gate(dice, arena, action->mandatory);
	action->applicable = dice_gate(dice, arena, action->mandatory);
	action->suitable = dice_gate(dice, arena, action->mandatory);
	action->propensity = dice_number(dice, arena, 0.25, false, models);
	action->context = one_in(dice, 3) ? dice_number(dice, arena, 2, false, models)
					  : (struct w_number){ .number = 1 };
	action->lever = one_in(dice, 3) ? dice_number(dice, arena, 2, false, models)
					: (struct w_number){ .number = 1 };
	action->margin = dice_number(dice, arena, 400, true, models);
	action->uplift = models && one_in(dice, 6);
	if (action->kind == KIND_SERVICE ||
	    action->kind == KIND_INFORM) { /* nothing comes of them */
		action->propensity.form = W_CONSTANT;
		action->uplift = false;
	}
	action->incremental = 0.125 * (double)dice_below(dice, 9);
	action->shrunk = one_in(dice, 3);
	for (int i = 0; i < 6; i++)
		action->shrink[i] = 0.125 * (double)dice_below(dice, 9);
	action->shrink[3] = 0.25 + 0.125 * (double)dice_below(dice, 9);
	action->shrink[0] -= 1;
	if (action->has_offer)
		dice_offer(dice, &action->offer, models);
	action->places = PICK(dice, places);
	action->caps = action->mandatory ? 0 : (int)dice_below(dice, 3);
	for (int i = 0; i < action->caps; i++)
		action->cap[i] = dice_cap(dice, true);
	action->money = action->units = -1;
	if (action->has_offer && action->offer.max >= 0 && one_in(dice, 3)) {
		action->per = one_in(dice, 2) ? BUDGET_STORE_DAY : BUDGET_CAMPAIGN;
		action->units = one_in(dice, 2) ? (int64_t)dice_below(dice, 5) : -1;
		action->money =
		    action->units < 0 || one_in(dice, 2) ? (int64_t)dice_below(dice, 1000) : -1;
	}
	action->until_ms = INT64_MAX;
	action->days = 0x7f;
	action->minute_until = 1440;
	if (one_in(dice, 6))
		action->from_ms = W_NOW - H_MS + (int64_t)dice_below(dice, 3) * H_MS;
	if (one_in(dice, 6))
		action->until_ms = W_NOW + (int64_t)dice_below(dice, 3) * H_MS;
	if (action->until_ms <= action->from_ms)
		action->until_ms = INT64_MAX;
	if (one_in(dice, 6))
		action->days = 1 + (unsigned)dice_below(dice, 0x7f);
	if (one_in(dice, 6)) {
		action->minute_from = 60 * (8 + (int)dice_below(dice, 4));
		action->minute_until = action->minute_from + 60;
	}
	action->store = one_in(dice, 10) ? (one_in(dice, 2) ? "0042" : "0043") : NULL;
	action->treatments = 1 + (int)dice_below(dice, 3);
	for (int i = 0; i < action->treatments; i++) {
		struct w_treatment *treatment = &action->treatment[i];
		static const char *const names[] = { "t0", "t1", "t2" };

		treatment->name = names[i];
		treatment->language = one_in(dice, 4) ? "de" : "en";
		treatment->place = -1;
		treatment->headline = dice_words(dice, action->mandatory, action->has_offer);
		treatment->has_say = one_in(dice, 3);
		treatment->say = dice_words(dice, action->mandatory, action->has_offer);
		treatment->has_why = one_in(dice, 4);
		treatment->why = dice_words(dice, action->mandatory, action->has_offer);
	}
}

/* ---- a policy ---- */

static inline void
dice_policy(struct dice *dice, struct arena *arena, struct w_policy *policy)
{
	static const char *const targets[] = { "issue:grow", "group:g0", "action:a001",
		"group:g1" };
	bool models = one_in(dice, 2);

	*policy = (struct w_policy){ .actions = 1 +
		    (int)dice_below(dice, one_in(dice, 4) ? W_ACTIONS : 12) };
	for (int place = 0; place < PLACE_COUNT; place++) {
		policy->present[place] = place == PLACE_TABLET || !one_in(dice, 3);
		policy->slots[place] = 1 + (int)dice_below(dice, place == PLACE_TABLET ? 3 : 2);
	}
	for (int i = 0; i < policy->actions; i++) {
		struct w_action *action = &policy->action[i];

		/* Alike but for its name: equal priorities. */
		if (i > 0 && one_in(dice, 6))
			*action = policy->action[i - 1];
		else
			dice_action(dice, arena, action, models);
		snprintf(action->id, sizeof(action->id), "a%03d", i);
		for (int place = 0; place < PLACE_COUNT; place++)
			if (!policy->present[place])
				action->places &= ~(1u << place);
		if (action->places == 0)
			action->places = 1u << PLACE_TABLET;
	}
	policy->caps = (int)dice_below(dice, 4);
	for (int i = 0; i < policy->caps; i++)
		policy->cap[i] = dice_cap(dice, false);
	policy->suppressions = (int)dice_below(dice, 3);
	for (int i = 0; i < policy->suppressions; i++)
		policy->suppression[i] = (struct w_suppression){
			PICK(dice, ((const char *const[]){ "all", "action", "group", "issue" })),
			PICK(dice,
			    ((const enum outcome[]){ OUTCOME_DISMISSED, OUTCOME_SHOWN,
				OUTCOME_DECIDED, OUTCOME_OVERRIDDEN })),
			1 + (int)dice_below(dice, 3),
			PICK(dice, ((const int64_t[]){ 1, 24, 48, 168 })),
			PICK(dice, ((const int64_t[]){ 1, 24, 48, 168 }))
		};
	policy->barred = one_in(dice, 2);
	policy->headline_max = one_in(dice, 2) ? 44 : 200;
	policy->greedy = one_in(dice, 4);
	policy->unit = one_in(dice, 2) ? 100 : 10;
	policy->cost_max = 1 + (double)dice_below(dice, 50);
	policy->gamma = one_in(dice, 4) ? dice_quarter(dice, 20) : -1;
	policy->share = one_in(dice, 3) ? 0.01 * (double)(1 + dice_below(dice, 5)) : 0;
	policy->shortlist = 1 + (int)dice_below(dice, 10);
	policy->interrupt = (struct w_number){ .form = one_in(dice, 4) ? W_READ : W_CONSTANT,
		.number = dice_quarter(dice, 20),
		.read = R_X1 };
	policy->care_severity = one_in(dice, 3) ? 2 : 0;
	policy->care_likely = one_in(dice, 4) ? 0.5 : -1;
	policy->queue_over = one_in(dice, 3) ? 4 : -1;
	policy->levers = (int)dice_below(dice, 4);
	for (int i = 0; i < policy->levers; i++) {
		policy->target[i] = targets[i];
		policy->factor[i] = 0.3 + 0.7 * (double)dice_below(dice, 4);
	}
}

/* ---- a moment ---- */

static inline void
dice_lines(struct dice *dice, struct arena *arena, struct visit *visit)
{
	size_t count = dice_below(dice, 8);

	for (size_t i = 0; i < count; i++) {
		static const int64_t quantities[] = { 1000, 1000, 2000, 3500, 0, 450 };
		int64_t amount = one_in(dice, 8) ? -50 * (1 + (int64_t)dice_below(dice, 4))
						 : 10 * (int64_t)dice_below(dice, 90);
		struct line *line = add_line(arena, visit, PICK(dice, w_categories),
		    PICK(dice, quantities), amount);

		line->brand = one_in(dice, 3)
		    ? arena_strdup(arena, one_in(dice, 2) ? "house" : "acme")
		    : NULL;
		line->voided = one_in(dice, 8);
		line->has_margin = !one_in(dice, 3);
		line->margin_minor = amount / 4;
	}
	visit->elsewhere_minor = one_in(dice, 8) ? 40 : 0;
}

static inline void
dice_cards(struct dice *dice, struct arena *arena, struct visit *visit,
    const struct w_policy *policy, int64_t now_ms)
{
	size_t count = dice_below(dice, 5);

	for (size_t i = 0; i < count; i++) {
		const struct w_action *action =
		    &policy->action[dice_below(dice, (uint64_t)policy->actions)];
		struct card *card = add_card(arena, visit, one_in(dice, 10) ? "gone" : action->id,
		    action->group, (uint8_t)(100 + i));

		card->issue = arena_strdup(arena, action->issue);
		card->placement = one_in(dice, 4) ? PLACE_RECEIPT : PLACE_TABLET;
		card->slot = 1 + (int)dice_below(dice, 2);
		card->treatment = arena_strdup(arena, one_in(dice, 2) ? "t0" : "t1");
		card->expires_ms = one_in(dice, 8) ? now_ms : now_ms + 60000;
		card->sent_ms = now_ms - (one_in(dice, 3) ? 20 : 1) * H_MS;
		card->withheld = one_in(dice, 6);
		card->depth = action->has_offer ? action->offer.depth[0] : 0;
		card->worth_minor = action->has_offer ? 30 : 0;
		card->hold_minor = action->has_offer ? 30 : 0;
		switch (dice_below(dice, 4)) {
		case 0:
			card->state =
			    one_in(dice, 2) && action->has_offer ? CARD_ASKED : CARD_ANSWERED;
			card->answer = ANSWER_ACCEPT;
			card->token =
			    one_in(dice, 3) ? (struct id){ 0 } : id_of((uint8_t)(150 + i));
			break;
		case 1:
			card->state = one_in(dice, 3) ? CARD_GONE : CARD_ANSWERED;
			card->answer = one_in(dice, 2) ? ANSWER_DISMISS : ANSWER_SNOOZE;
			card->snooze_until_ms = card->answer == ANSWER_SNOOZE
			    ? now_ms + (one_in(dice, 2) ? 0 : 60000)
			    : 0;
			break;
		case 2: card->state = one_in(dice, 3) ? CARD_GONE : CARD_OPEN; break;
		default: break;
		}
	}
}

/* What became of each prompt, in order; some are the cards' own. */
static inline void
dice_rows(struct dice *dice, struct arena *arena, struct contacts *rows,
    const struct w_policy *policy, int64_t now_ms)
{
	size_t count = dice_below(dice, 2) == 0 ? 0 : dice_below(dice, 12);
	int64_t at_ms = now_ms - (int64_t)dice_below(dice, 40) * 24 * H_MS;

	for (size_t i = 0; i < count; i++) {
		const struct w_action *action =
		    &policy->action[dice_below(dice, (uint64_t)policy->actions)];
		static const enum outcome then[] = { OUTCOME_DECIDED, OUTCOME_NOT_SHOWN,
			OUTCOME_DISMISSED, OUTCOME_OVERRIDDEN, OUTCOME_ACCEPTED, OUTCOME_BOUGHT,
			OUTCOME_RETURNED };
		uint8_t prompt = (uint8_t)(one_in(dice, 4) ? 100 + dice_below(dice, 4) : 1 + i);
		enum outcome what = PICK(dice, then);
		struct contact *row;

		/* A card's own may have been said before. */
		for (size_t r = 0; r < rows->count; r++)
			if (id_equal(&rows->rows[r].prompt, &(struct id){ 0 }) ||
			    rows->rows[r].prompt.b[15] == prompt)
				prompt = (uint8_t)(1 + i);
		at_ms += PICK(dice, ((const int64_t[]){ 0, 1, 24, 48, 72 })) * H_MS;
		at_ms = at_ms > now_ms ? now_ms : at_ms;
		row = add_row(arena, rows, OUTCOME_DECIDED, at_ms, action->id, action->group,
		    action->issue, prompt);
		row->placement = one_in(dice, 4) ? PLACE_RECEIPT : PLACE_TABLET;
		if (one_in(dice, 8)) { /* HQ's own */
			row->outcome = OUTCOME_SHOWN;
			row->decision = (struct id){ 0 };
			continue;
		}
		if (what == OUTCOME_DECIDED)
			continue;
		if (what == OUTCOME_RETURNED)
			add_row(arena, rows, OUTCOME_BOUGHT, at_ms, action->id, action->group,
			    action->issue, prompt);
		row = add_row(arena, rows, what, at_ms, action->id, action->group, action->issue,
		    prompt);
		row->reason = what == OUTCOME_OVERRIDDEN && one_in(dice, 2)
		    ? arena_strdup(arena, "too-busy")
		    : NULL;
	}
}

static inline void
dice_event(struct dice *dice, struct w_moment *moment)
{
	for (int i = R_X0; i <= R_WORD; i++)
		moment->has[i] = !one_in(dice, 6);
	for (int i = 0; i < 4; i++)
		moment->x[i] = dice_quarter(dice, 8);
	moment->word = PICK(dice, w_words);
}

#endif
