/* SPDX-License-Identifier: Apache-2.0
 *
 * columns_world.h - a policy and a moment in a store as test_columns.c has them, and the policy as its
 * JSON files.
 *
 * Nothing of src/decide or src/policy is here: columns_slow.h decides on these alone.
 */
#ifndef AISLE_TESTS_COLUMNS_WORLD_H
#define AISLE_TESTS_COLUMNS_WORLD_H

#include "core/buf.h"

#include "decide_fixture.h"

/* The features, in the order of features.json. From R_DEPTH on they depend on the candidate. */
enum w_read {
	R_X0,
	R_X1,
	R_X2,
	R_X3,
	R_WORD,
	R_TIER,
	R_TOTAL,
	R_CALL,
	R_DEPTH,
	R_WORTH,
	R_MARGIN,
	R_SEEN,
	R_GROUP,
	R_COUNT
};
static const char *const w_features[R_COUNT][3] = {
	{ "x0", "number", "event.x0" },
	{ "x1", "number", "event.x1" },
	{ "x2", "number", "event.x2" },
	{ "x3", "number", "event.x3" },
	{ "word", "string", "event.word" },
	{ "tier", "string", "profile.tier" },
	{ "total", "number", "basket.total()" },
	{ "likely_to_call", "number", "profile.call" },
	{ "d", "number", "action.depth" },
	{ "w", "number", "action.worth" },
	{ "m", "number", "action.margin" },
	{ "seen", "number", "history.count(action=self,outcome=shown,within=30d)" },
	{ "g", "string", "action.group" },
};
#define X2_DEFAULT 4.0

enum w_op { W_LESS, W_LESS_EQUAL, W_MORE, W_MORE_EQUAL, W_IS, W_IN, W_AND, W_OR, W_NOT };
struct w_rule {
	enum w_op op;
	enum w_read read;
	bool turned; /* the number first */
	double number;
	const char *text[3];
	const struct w_rule *part[3];
	int count; /* texts or parts */
};

enum w_form { W_CONSTANT, W_READ, W_TIMES, W_OVER, W_RULE, W_MODEL };
struct w_number {
	enum w_form form;
	double number;
	enum w_read read;
	const struct w_rule *rule;
	int model; /* 0: over x1; 1: over x1, d and w */
};

struct w_goods {
	const char *category, *brand; /* both NULL: everything */
};
struct w_offer {
	enum offer_type type;
	int64_t depth[3], tier_from[2], tier_depth[2];
	int depths, tiers;
	int64_t typical, max, min_basket, min_worth, floor; /* max -1, floor INT64_MIN: none */
	double funded;
	struct w_goods include[2], exclude; /* include: any of those */
	int includes;
	bool excludes;
	const char *stack;
};

struct w_cap {
	const char *scope, *value; /* NULL: the candidate's own; of an action: itself */
	enum outcome outcome;
	const char *reason;
	int max;
	int64_t hours;
	double gaps; /* > 0: in place of hours */
	bool business;
};
struct w_suppression {
	const char *scope;
	enum outcome outcome;
	int count;
	int64_t within_h, for_h;
};

struct w_text {
	const char *before; /* then the value, then behind */
	bool has_value;
	bool depth; /* {{depth}}; else read */
	enum w_read read;
	bool round;
	const char *dflt;
	const char *behind;
};
struct w_treatment {
	const char *name, *language;
	int place; /* -1: any */
	struct w_text headline, say, why;
	bool has_say, has_why;
};

struct w_action {
	char id[16];
	const char *group, *issue;
	enum kind kind;
	bool mandatory, personal, has_offer, named;
	const struct w_rule *eligible, *applicable, *suitable;
	struct w_number propensity, context, margin, lever;
	bool uplift; /* model 0 treated, model 1 control */
	bool shrunk;
	double shrink[6]; /* mid, d, a, beta, delta, lambda */
	double incremental;
	struct w_offer offer;
	unsigned places;
	struct w_cap cap[2];
	int caps;
	enum budget_per per;
	int64_t money, units; /* -1: none */
	int64_t from_ms, until_ms;
	unsigned days;
	int minute_from, minute_until;
	const char *store;
	struct w_treatment treatment[3];
	int treatments;
};

#define W_ACTIONS 60
struct w_policy {
	struct w_action action[W_ACTIONS]; /* ascending by id */
	int actions;
	struct w_cap cap[3];
	int caps;
	struct w_suppression suppression[2];
	int suppressions;
	bool present[PLACE_COUNT];
	int slots[PLACE_COUNT], headline_max;
	bool greedy;
	double unit, cost_max, gamma; /* gamma < 0: of cost_max */
	double share;		      /* 0: none; else cost_max is the day's */
	int shortlist;
	struct w_number interrupt;
	int care_severity;     /* 0: none */
	double care_likely;    /* < 0: none */
	double queue_over;     /* < 0: none */
	const char *target[4]; /* "issue:grow" */
	double factor[4];
	int levers;
	bool barred; /* what is about marked goods alone was looked for */
};

/* What the event says; the rest of the moment is in struct decide_input. */
struct w_moment {
	bool has[5]; /* R_X0 … R_WORD */
	double x[4];
	const char *word;
};

/* ---- as JSON ---- */

FIXTURE void
w_write_rule(struct buf *out, const struct w_rule *rule)
{
	static const char *const ops[] = { "<", "<=", ">", ">=", "==", "in", "and", "or", "!" };
	const char *name = w_features[rule->read][0];

	buf_addf(out, "{\"%s\":[", ops[rule->op]);
	if (rule->op >= W_AND) {
		for (int i = 0; i < rule->count; i++) {
			buf_adds(out, i > 0 ? "," : "");
			w_write_rule(out, rule->part[i]);
		}
	} else if (rule->op == W_IN) {
		buf_addf(out, "{\"var\":\"%s\"},[", name);
		for (int i = 0; i < rule->count; i++)
			buf_addf(out, "%s\"%s\"", i > 0 ? "," : "", rule->text[i]);
		buf_addc(out, ']');
	} else if (rule->op == W_IS) {
		buf_addf(out, "{\"var\":\"%s\"},\"%s\"", name, rule->text[0]);
	} else if (rule->turned) {
		buf_addf(out, "%.17g,{\"var\":\"%s\"}", rule->number, name);
	} else {
		buf_addf(out, "{\"var\":\"%s\"},%.17g", name, rule->number);
	}
	buf_adds(out, "]}");
}

FIXTURE void
w_write_member(struct buf *out, const char *member, const struct w_rule *rule)
{
	if (rule == NULL)
		return;
	buf_addf(out, ",\"%s\":", member);
	w_write_rule(out, rule);
}

FIXTURE void
w_write_number(struct buf *out, const char *member, const struct w_number *number)
{
	const char *name = w_features[number->read][0];

	buf_addf(out, ",\"%s\":", member);
	switch (number->form) {
	case W_CONSTANT: buf_addf(out, "%.17g", number->number); break;
	case W_READ: buf_addf(out, "{\"var\":\"%s\"}", name); break;
	case W_TIMES:
		buf_addf(out, "{\"*\":[{\"var\":\"%s\"},%.17g]}", name, number->number);
		break;
	case W_OVER: buf_addf(out, "{\"/\":[%.17g,{\"var\":\"%s\"}]}", number->number, name); break;
	case W_RULE: w_write_rule(out, number->rule); break;
	case W_MODEL: buf_addf(out, "{\"model\":\"m%d\"}", number->model); break;
	}
}

FIXTURE void
w_write_goods(struct buf *out, const struct w_goods *goods)
{
	buf_addc(out, '{');
	if (goods->category != NULL)
		buf_addf(out, "\"category\":\"%s\"", goods->category);
	if (goods->brand != NULL)
		buf_addf(out, "%s\"brand\":\"%s\"", goods->category != NULL ? "," : "",
		    goods->brand);
	buf_addc(out, '}');
}

FIXTURE void
w_write_offer(struct buf *out, const struct w_offer *offer)
{
	static const char *const types[] = { "percent", "amount", "fixed-price", "points",
		"free-item" };

	buf_addf(out, ",\"offer\":{\"type\":\"%s\",\"apply\":\"till-code\",\"until\":\"0d\"",
	    types[offer->type]);
	if (offer->depths > 1) {
		buf_adds(out, ",\"ladder\":[");
		for (int i = 0; i < offer->depths; i++)
			buf_addf(out, "%s%lld", i > 0 ? "," : "", (long long)offer->depth[i]);
		buf_addc(out, ']');
	} else {
		buf_addf(out, ",\"depth\":%lld", (long long)offer->depth[0]);
	}
	for (int i = 0; i < offer->tiers; i++)
		buf_addf(out, "%s{\"from\":%lld,\"depth\":%lld}", i > 0 ? "," : ",\"tiers\":[",
		    (long long)offer->tier_from[i], (long long)offer->tier_depth[i]);
	buf_adds(out, offer->tiers > 0 ? "]" : "");
	if (offer->typical > 0)
		buf_addf(out, ",\"typical\":%lld", (long long)offer->typical);
	if (offer->max >= 0)
		buf_addf(out, ",\"max\":%lld", (long long)offer->max);
	if (offer->funded > 0)
		buf_addf(out, ",\"funded\":%.17g,\"funder\":\"f\"", offer->funded);
	for (int i = 0; i < offer->includes; i++) {
		buf_adds(out,
		    i > 0		      ? ","
			: offer->includes > 1 ? ",\"include\":["
					      : ",\"include\":");
		w_write_goods(out, &offer->include[i]);
	}
	buf_adds(out, offer->includes > 1 ? "]" : "");
	if (offer->excludes) {
		buf_adds(out, ",\"exclude\":");
		w_write_goods(out, &offer->exclude);
	}
	if (offer->min_basket > 0)
		buf_addf(out, ",\"min_basket\":%lld", (long long)offer->min_basket);
	if (offer->min_worth > 1)
		buf_addf(out, ",\"min_worth\":%lld", (long long)offer->min_worth);
	if (offer->floor != INT64_MIN)
		buf_addf(out, ",\"margin_floor\":%lld", (long long)offer->floor);
	if (offer->stack != NULL)
		buf_addf(out, ",\"stack\":\"%s\"", offer->stack);
	buf_addc(out, '}');
}

FIXTURE void
w_write_caps(struct buf *out, const struct w_cap *caps, int count)
{
	for (int i = 0; i < count; i++) {
		const struct w_cap *cap = &caps[i];

		buf_addf(out, "%s{\"outcome\":\"%s%s%s\",\"max\":%d", i > 0 ? "," : "\"caps\":[",
		    outcome_name(cap->outcome), cap->reason != NULL ? ":" : "",
		    cap->reason != NULL ? cap->reason : "", cap->max);
		if (cap->scope != NULL)
			buf_addf(out, ",\"scope\":\"%s%s%s\"", cap->scope,
			    cap->value != NULL ? ":" : "", cap->value != NULL ? cap->value : "");
		if (cap->gaps > 0)
			buf_addf(out, ",\"clock\":\"own-gap\",\"gaps\":%.17g}", cap->gaps);
		else
			buf_addf(out, ",\"within\":\"%lldh\"%s}", (long long)cap->hours,
			    cap->business ? ",\"clock\":\"business-day\"" : "");
	}
	buf_adds(out, count > 0 ? "]" : "");
}

FIXTURE void
w_write_text(struct buf *out, const struct w_text *text)
{
	buf_addf(out, "\"%s", text->before);
	if (text->has_value)
		buf_addf(out, "{{%s%s%s%s}}", text->depth ? "depth" : w_features[text->read][0],
		    text->round ? "|round" : "", text->dflt != NULL ? "|default:" : "",
		    text->dflt != NULL ? text->dflt : "");
	buf_addf(out, "%s\"", text->behind);
}

FIXTURE void
w_write_treatment(struct buf *out, const struct w_treatment *treatment)
{
	buf_addf(out, "{\"treatment\":\"%s\",\"language\":\"%s\",\"headline\":", treatment->name,
	    treatment->language);
	w_write_text(out, &treatment->headline);
	if (treatment->has_say) {
		buf_adds(out, ",\"say\":");
		w_write_text(out, &treatment->say);
	}
	if (treatment->has_why) {
		buf_adds(out, ",\"why\":[");
		w_write_text(out, &treatment->why);
		buf_addc(out, ']');
	}
	if (treatment->place >= 0)
		buf_addf(out, ",\"placement\":\"%s\"", placement_names[treatment->place]);
	buf_addc(out, '}');
}

FIXTURE void
w_write_valid(struct buf *out, const struct w_action *action)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	char at[WHEN_TEXT_SIZE];
	bool first = true;

	buf_adds(out, ",\"valid\":{");
	if (action->from_ms != 0) {
		when_text(action->from_ms, at);
		buf_addf(out, "\"from\":\"%s\",", at);
	}
	if (action->until_ms != INT64_MAX) {
		when_text(action->until_ms, at);
		buf_addf(out, "\"until\":\"%s\",", at);
	}
	buf_adds(out, "\"days\":[");
	for (int i = 0; i < 7; i++)
		if ((action->days >> i & 1) != 0) {
			buf_addf(out, "%s\"%s\"", first ? "" : ",", days[i]);
			first = false;
		}
	buf_addc(out, ']');
	if (action->minute_from != 0 || action->minute_until != 1440)
		buf_addf(out, ",\"hours\":[\"%02d:%02d\",\"%02d:%02d\"]", action->minute_from / 60,
		    action->minute_from % 60, action->minute_until / 60, action->minute_until % 60);
	if (action->store != NULL)
		buf_addf(out, ",\"stores\":[\"%s\"]", action->store);
	buf_addc(out, '}');
}

FIXTURE void
w_write_value(struct buf *out, const struct w_action *action)
{
	if (action->mandatory)
		return;
	if (action->uplift)
		buf_adds(out, ",\"uplift\":{\"treated\":\"m0\",\"control\":\"m1\"}");
	else
		w_write_number(out, "propensity", &action->propensity);
	if (!action->uplift)
		buf_addf(out, ",\"incremental\":%.17g", action->incremental);
	w_write_number(out, "context", &action->context);
	w_write_number(out, "margin", &action->margin);
	w_write_number(out, "lever", &action->lever);
	buf_adds(out,
	    action->has_offer ? ",\"outcome\":{\"is\":\"redeemed\",\"within\":\"0d\"}"
		: action->kind == KIND_RECOMMEND
		? ",\"outcome\":{\"is\":\"bought\",\"within\":\"7d\",\"item\":"
		  "{\"category\":\"c1\"}}"
		: ",\"outcome\":{\"is\":\"none\"}");
}

FIXTURE void
w_write_action(struct buf *out, const struct w_action *action)
{
	bool first = true;

	buf_addf(out,
	    "{\"action\":\"%s\",\"kind\":\"%s\",\"group\":\"%s\",\"issue\":\"%s\",\"on\":[\"aisle."
	    "basket.%s\"],"
	    "\"gate\":\"associate\",\"expires\":\"120s\",\"personal\":%s,\"mandatory\":%s,"
	    "\"placements\":[",
	    action->id, kind_names[action->kind], action->group, action->issue,
	    action->named ? "item-added" : "item-voided", action->personal ? "true" : "false",
	    action->mandatory ? "true" : "false");
	for (int place = 0; place < PLACE_COUNT; place++)
		if ((action->places >> place & 1) != 0) {
			buf_addf(out, "%s\"%s\"", first ? "" : ",", placement_names[place]);
			first = false;
		}
	buf_addc(out, ']');
	w_write_member(out, "eligible", action->eligible);
	w_write_member(out, "applicable", action->applicable);
	w_write_member(out, "suitable", action->suitable);
	w_write_value(out, action);
	if (action->has_offer)
		w_write_offer(out, &action->offer);
	if (action->caps > 0) {
		buf_addc(out, ',');
		w_write_caps(out, action->cap, action->caps);
	}
	if (action->per != BUDGET_NONE) {
		buf_addf(out, ",\"budget\":{\"per\":\"%s\"",
		    action->per == BUDGET_STORE_DAY ? "store-day" : "campaign");
		if (action->money >= 0)
			buf_addf(out, ",\"money\":%lld", (long long)action->money);
		if (action->units >= 0)
			buf_addf(out, ",\"units\":%lld", (long long)action->units);
		buf_addc(out, '}');
	}
	w_write_valid(out, action);
	buf_adds(out, ",\"treatments\":[");
	for (int i = 0; i < action->treatments; i++) {
		buf_adds(out, i > 0 ? "," : "");
		w_write_treatment(out, &action->treatment[i]);
	}
	buf_adds(out, "]}");
}

#define W_SALT "101112131415161718191a1b1c1d1e1f000102030405060708090a0b0c0d0e0f"

FIXTURE void
w_write_settings(struct buf *out, const struct w_policy *policy)
{
	bool first = true;

	buf_adds(out,
	    "{\"name\":\"w\",\"version\":1,\"currency\":\"EUR\",\"languages\":[\"en\",\"de\"],"
	    "\"salts\":{"
	    "\"id\":\"" W_SALT "\",\"control\":\"" W_SALT "\",\"explore\":\"" W_SALT
	    "\"},\"placements\":{");
	for (int place = 0; place < PLACE_COUNT; place++)
		if (policy->present[place]) {
			buf_addf(out, "%s\"%s\":{\"slots\":%d,\"headline_max\":%d}",
			    first ? "" : ",", placement_names[place], policy->slots[place],
			    policy->headline_max);
			first = false;
		}
	buf_adds(out, "}");
	if (policy->greedy)
		buf_adds(out, ",\"explore\":\"greedy\"");
	else if (policy->share > 0)
		buf_addf(out, ",\"explore\":{\"share\":%.17g,\"shortlist\":%d}", policy->share,
		    policy->shortlist);
	else
		buf_addf(out, ",\"explore\":{\"unit\":%.17g,\"shortlist\":%d,\"%s\":%.17g}",
		    policy->unit, policy->shortlist, policy->gamma < 0 ? "cost_max" : "gamma",
		    policy->gamma < 0 ? policy->cost_max : policy->gamma);
	w_write_number(out, "interrupt", &policy->interrupt);
	buf_adds(out, ",\"quiet\":{\"tender\":true");
	if (policy->queue_over >= 0)
		buf_addf(out, ",\"queue_over\":%.17g", policy->queue_over);
	buf_adds(out, "},\"care\":{\"only\":[\"service\",\"retain\"]");
	if (policy->care_severity > 0)
		buf_addf(out, ",\"severity\":%d", policy->care_severity);
	if (policy->care_likely >= 0)
		buf_addf(out, ",\"likely_to_call\":%.17g", policy->care_likely);
	buf_adds(out, "},\"no_promotion\":[\"category=c5\"],\"levers\":{");
	for (int i = 0; i < policy->levers; i++)
		buf_addf(out, "%s\"%s\":%.17g", i > 0 ? "," : "", policy->target[i],
		    policy->factor[i]);
	buf_adds(out, "}}");
}

FIXTURE void
w_write_contact(struct buf *out, const struct w_policy *policy)
{
	buf_addc(out, '{');
	w_write_caps(out, policy->cap, policy->caps);
	for (int i = 0; i < policy->suppressions; i++) {
		const struct w_suppression *rule = &policy->suppression[i];

		buf_addf(out,
		    "%s{\"after\":{\"outcome\":\"%s\",\"count\":%d,\"within\":\"%lldh\"},\"scope\":"
		    "\"%s\","
		    "\"for\":\"%lldh\"}",
		    i > 0		   ? ","
			: policy->caps > 0 ? ",\"suppress\":["
					   : "\"suppress\":[",
		    outcome_name(rule->outcome), rule->count, (long long)rule->within_h,
		    rule->scope, (long long)rule->for_h);
	}
	buf_adds(out, policy->suppressions > 0 ? "]}" : "}");
}

FIXTURE void
w_write_features(struct buf *out)
{
	buf_adds(out, "{\"features\":[");
	for (int i = 0; i < R_COUNT; i++) {
		buf_addf(out, "%s{\"name\":\"%s\",\"type\":\"%s\",\"from\":\"%s\"",
		    i > 0 ? "," : "", w_features[i][0], w_features[i][1], w_features[i][2]);
		if (i == R_X2)
			buf_addf(out, ",\"default\":%.17g", X2_DEFAULT);
		buf_addc(out, '}');
	}
	buf_adds(out, "]}");
}

/* The model of index n: what columns_slow.h computes; its sums are exact in any order. */
static const char *const w_models[2] = {
	"{\"format\":\"aisle-linear\",\"link\":\"identity\",\"bias\":0.25,\"weights\":{\"x1\":0."
	"015625},"
	"\"missing\":{\"x1\":2}}",
	"{\"format\":\"aisle-linear\",\"link\":\"identity\",\"bias\":0.125,\"weights\":{\"x1\":0."
	"0078125,"
	"\"d\":0.015625,\"w\":0.00006103515625},\"missing\":{\"x1\":2,\"d\":0,\"w\":64}}",
};

FIXTURE void
w_write_shrink(struct buf *out, const struct w_policy *policy)
{
	bool first = true;

	buf_adds(out, "{\"shrink\":{");
	for (int i = 0; i < policy->actions; i++) {
		const struct w_action *action = &policy->action[i];
		const double *s = action->shrink;

		if (!action->shrunk)
			continue;
		buf_addf(out,
		    "%s\"%s\":{\"mid\":%.17g,\"d\":%.17g,\"a\":%.17g,\"beta\":%.17g,"
		    "\"delta\":%.17g,\"lambda\":%.17g,\"rows\":0,\"from\":\"settled\"}",
		    first ? "" : ",", action->id, s[0], s[1], s[2], s[3], s[4], s[5]);
		first = false;
	}
	buf_adds(out, "}}");
}

FIXTURE struct policy *
w_compile(struct arena *arena, const struct w_policy *policy)
{
	struct fixture_policy parts = { 0 };
	struct buf text = { 0 };

	w_write_settings(&text, policy);
	add_part(arena, &parts, "policy.json", text.data);
	buf_clear(&text);
	w_write_features(&text);
	add_part(arena, &parts, "features.json", text.data);
	buf_clear(&text);
	w_write_contact(&text, policy);
	add_part(arena, &parts, "contact.json", text.data);
	buf_clear(&text);
	w_write_shrink(&text, policy);
	add_part(arena, &parts, "shrink.json", text.data);
	add_part(arena, &parts, "models/models.json",
	    "{\"models\":[{\"model\":\"m0\",\"file\":\"m0.json\"},{\"model\":\"m1\",\"file\":\"m1."
	    "json\"}]}");
	add_part(arena, &parts, "models/m0.json", w_models[0]);
	add_part(arena, &parts, "models/m1.json", w_models[1]);
	for (int i = 0; i < policy->actions; i++) {
		buf_clear(&text);
		w_write_action(&text, &policy->action[i]);
		add_part(arena, &parts,
		    arena_printf(arena, "actions/%s.json", policy->action[i].id), text.data);
	}
	buf_done(&text);
	return compile_parts(&parts);
}

#endif
