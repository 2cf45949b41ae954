/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_fixture.h - one good policy as texts, and the means to spoil it in one place.
 */
#ifndef AISLE_TESTS_POLICY_FIXTURE_H
#define AISLE_TESTS_POLICY_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "policy/policy_load.h"

#define SALT_A "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"
#define SALT_B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct fixture_part {
	const char *name;
	const char *text;
};

/* clang-format off */
static const struct fixture_part good_parts[] = {
	{ "policy.json",
	    "{\"name\":\"spring\",\"version\":12,\"currency\":\"EUR\",\"languages\":[\"en\",\"de\"],\n"
	    " \"salts\":{\"id\":\"" SALT_A "\",\"control\":\"" SALT_B "\",\"explore\":\"" SALT_A "\"},\n"
	    " \"placements\":{\"tablet\":{\"slots\":2,\"headline_max\":48,\"body_max\":120},\n"
	    "  \"receipt\":{\"slots\":1,\"headline_max\":40},\"customer\":{\"slots\":1},\"later\":{\"slots\":1}},\n"
	    " \"explore\":{\"unit\":100,\"cost_max\":2,\"shortlist\":8},\n"
	    " \"interrupt\":3,\n"
	    " \"control\":{\"share\":0.05},\n"
	    " \"levers\":{\"issue:grow\":1.2,\"action:coffee-off\":0.9,\"group:coffee\":1},\n"
	    " \"quiet\":{\"tender\":true,\"queue_over\":4},\n"
	    " \"care\":{\"severity\":2,\"likely_to_call\":0.6,\"only\":[\"service\",\"retain\"]},\n"
	    " \"sensitive\":[\"profile.health\",\"category=beer\"],\"no_promotion\":[\"category=lottery\"],\n"
	    " \"forbidden_words\":{\"en\":[\"cheap\"]}}\n" },
	{ "features.json",
	    "{\"features\":[\n"
	    " {\"name\":\"tier\",\"type\":\"string\",\"from\":\"profile.tier\",\"default\":\"none\"},\n"
	    " {\"name\":\"coffee_spend\",\"type\":\"number\",\"from\":\"local.sum(category=grocery/coffee, half_life=30d)\"},\n"
	    " {\"name\":\"coffee_overdue\",\"type\":\"number\",\"from\":\"local.overdue(category=grocery/coffee)\"},\n"
	    " {\"name\":\"basket_coffee\",\"type\":\"number\",\"from\":\"basket.sum(category=grocery/coffee)\"},\n"
	    " {\"name\":\"dismissed_coffee\",\"type\":\"number\",\"from\":\"history.count(group=coffee, outcome=dismissed, within=30d)\"},\n"
	    " {\"name\":\"self_shown\",\"type\":\"number\",\"from\":\"history.count(action=self, outcome=shown, within=30d)\"},\n"
	    " {\"name\":\"recency\",\"type\":\"number\",\"from\":\"local.recency()\",\"reason\":{\"de\":\"Zuletzt vor {{value|round}} Tagen da\"}},\n"
	    " {\"name\":\"churn\",\"type\":\"number\",\"from\":\"model.churn\"},\n"
	    " {\"name\":\"depth_now\",\"type\":\"number\",\"from\":\"action.depth\"},\n"
	    " {\"name\":\"voids\",\"type\":\"number\",\"from\":\"visit.voids\"},\n"
	    " {\"name\":\"drinks\",\"type\":\"number\",\"from\":\"basket.count(category=beer)\",\"compliance\":true},\n"
	    " {\"name\":\"hour\",\"type\":\"number\",\"from\":\"time.hour\"}]}\n" },
	{ "models/models.json",
	    "{\"models\":[\n"
	    " {\"model\":\"churn\",\"file\":\"churn.linear.json\",\"inputs\":{\"f0\":\"coffee_spend\",\"f1\":\"recency\"},\n"
	    "  \"calibration\":{\"platt\":[1.02,-0.1]},\"exam\":\"churn.exam.csv\",\"exam_tolerance\":0},\n"
	    " {\"model\":\"coffee\",\"file\":\"coffee.linear.json\",\"inputs\":{\"depth\":\"depth_now\"},\"target\":\"redeemed\",\n"
	    "  \"window_days\":0,\"population\":\"shown\",\"exam\":\"coffee.exam.csv\"}]}\n" },
	{ "models/churn.linear.json",
	    "{\"format\":\"aisle-linear\",\"link\":\"logit\",\"bias\":-1.5,\"weights\":{\"f0\":0.5,\"f1\":0.25},"
	    "\"missing\":{\"f0\":0}}\n" },
	{ "models/churn.exam.csv", "f0,f1,margin\n2,4,0.5\n,4,-0.5\n" },
	{ "models/coffee.linear.json",
	    "{\"format\":\"aisle-linear\",\"link\":\"logit\",\"bias\":-2,\"weights\":{\"tier=gold\":0.5,\"depth\":0.125}}\n" },
	{ "models/coffee.exam.csv", "tier,depth,margin\ngold,8,-0.5\nnone,16,0\n" },
	{ "actions/coffee-off.json",
	    "{\"action\":\"coffee-off\",\"kind\":\"offer\",\"issue\":\"grow\",\"group\":\"coffee\",\n"
	    " \"on\":[\"aisle.customer.identified\",\"aisle.basket.item-added\"],\n"
	    " \"valid\":{\"from\":\"2026-01-01T00:00:00Z\",\"until\":\"2027-01-01T00:00:00Z\",\"days\":[\"mon\",\"sat\"],"
	    "\"hours\":[\"08:00\",\"21:00\"]},\n"
	    " \"eligible\":{\"in\":[{\"var\":\"tier\"},[\"gold\",\"silver\"]]},\n"
	    " \"applicable\":{\"and\":[{\">\":[{\"var\":\"coffee_overdue\"},1]},{\"==\":[{\"var\":\"basket_coffee\"},0]}]},\n"
	    " \"suitable\":true,\n"
	    " \"propensity\":{\"model\":\"coffee\"},\"incremental\":0.3,\n"
	    " \"context\":1,\"margin\":180,\"lever\":1,\n"
	    " \"outcome\":{\"is\":\"redeemed\",\"within\":\"0d\"},\n"
	    " \"offer\":{\"type\":\"percent\",\"depth\":10,\"typical\":450,\"max\":300,\"funded\":0.5,\"funder\":\"acme\","
	    "\"apply\":\"till-code\",\n"
	    "  \"include\":{\"category\":\"grocery/coffee\"},\"exclude\":{\"brand\":\"house\"},\"min_basket\":1000,\n"
	    "  \"stack\":\"category\",\"margin_floor\":50,\"until\":\"0d\"},\n"
	    " \"placements\":[\"tablet\"],\"gate\":\"associate\",\"expires\":\"120s\",\"mandatory\":false,\"personal\":true,\n"
	    " \"caps\":[{\"per\":\"customer\",\"outcome\":\"shown\",\"max\":1,\"within\":\"7d\"}],\n"
	    " \"budget\":{\"money\":20000,\"per\":\"store-day\"},\n"
	    " \"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"{{depth}} % off any coffee today\",\n"
	    "  \"say\":\"Would you like {{depth}} % off your coffee?\",\"body\":\"{{coffee_overdue|round|default:}}\",\n"
	    "  \"why\":[\"Usually buys coffee by now\"],\"steps\":[],\"image\":null,\"disclosure\":null,\n"
	    "  \"origin\":\"human\",\"approved_by\":\"marketing\"}]}\n" },
	{ "actions/recall.json",
	    "{\"action\":\"recall\",\"kind\":\"alert\",\"issue\":\"safety\",\"group\":\"recall\",\n"
	    " \"on\":[\"aisle.basket.item-added\",\"timer\"],\"mandatory\":true,\"personal\":false,\n"
	    " \"applicable\":{\">\":[{\"var\":\"basket_coffee\"},0]},\n"
	    " \"placements\":[\"tablet\"],\"gate\":\"none\",\"expires\":\"10m\",\n"
	    " \"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Recalled: please keep aside\"}]}\n" },
	{ "actions/help.json",
	    "{\"action\":\"help\",\"kind\":\"service\",\"issue\":\"care\",\"group\":\"friction\",\"personal\":false,\n"
	    " \"on\":[\"aisle.basket.item-voided\"],\"applicable\":{\">=\":[{\"var\":\"voids\"},3]},\n"
	    " \"propensity\":0.5,\"incremental\":1,\"margin\":{\"*\":[{\"var\":\"voids\"},20]},\"outcome\":{\"is\":\"none\"},\n"
	    " \"placements\":[\"tablet\"],\"gate\":\"associate\",\"expires\":\"90s\",\n"
	    " \"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"May I help with the scanning?\"}]}\n" },
	{ "actions/milk.json",
	    "{\"action\":\"milk\",\"kind\":\"recommend\",\"issue\":\"grow\",\"group\":\"dairy\",\n"
	    " \"on\":[\"aisle.basket.item-added\"],\"applicable\":{\">\":[{\"var\":\"basket_coffee\"},0]},\n"
	    " \"uplift\":{\"treated\":\"coffee\",\"control\":\"churn\"},\"margin\":60,\n"
	    " \"outcome\":{\"is\":\"bought\",\"within\":\"7d\",\"item\":{\"category\":\"grocery/milk\"}},\n"
	    " \"placements\":[\"tablet\",\"receipt\"],\"gate\":\"associate\",\"expires\":\"120s\",\n"
	    " \"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Milk for the coffee?\"},\n"
	    "  {\"treatment\":\"plain\",\"language\":\"de\",\"headline\":\"Milch zum Kaffee?\"}]}\n" },
	{ "contact.json",
	    "{\"caps\":[{\"per\":\"customer\",\"scope\":\"all\",\"outcome\":\"shown\",\"max\":3,\"within\":\"1d\","
	    "\"clock\":\"business-day\"}],\n"
	    " \"suppress\":[{\"after\":{\"outcome\":\"dismissed\",\"count\":2,\"within\":\"30d\"},\"scope\":\"group\","
	    "\"for\":\"30d\"},\n"
	    "  {\"after\":{\"outcome\":\"overridden:insensitive\",\"count\":1,\"within\":\"1d\"},\"scope\":\"issue\","
	    "\"for\":\"180d\"}]}\n" },
	{ "experiments.json",
	    "{\"experiments\":[{\"experiment\":\"wording\",\"unit\":\"customer\",\"salt\":\"" SALT_B "\",\"share\":0.5,\n"
	    " \"arms\":{\"b\":{\"weight\":1,\"patch\":{\"policy\":{\"interrupt\":6},"
	    "\"actions\":{\"coffee-off\":{\"margin\":150}}}},\"a\":{\"weight\":1},\n"
	    "  \"none\":{\"weight\":0.5,\"withhold\":true}},\"guardrails\":[\"dismiss_rate\"]}]}\n" },
	{ "shrink.json",
	    "{\"shrink\":{\"coffee-off\":{\"mid\":-1,\"d\":0.5,\"a\":0.125,\"beta\":1,\"delta\":0.25,\"lambda\":0.5,"
	    "\"rows\":900,\"from\":\"settled\"}}}\n" },
	{ "zones.json", "{\"Europe/Berlin\":\"CET-1CEST,M3.5.0,M10.5.0/3\",\"UTC\":\"UTC0\"}\n" },
};
/* clang-format on */
#define GOOD_COUNT (sizeof(good_parts) / sizeof(good_parts[0]))

struct fixture {
	struct policy_part part[GOOD_COUNT + 8];
	struct policy_parts parts;
	char *changed; /* owned text of a spoilt part */
};

static inline void
fixture_init(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	for (size_t i = 0; i < GOOD_COUNT; i++)
		fixture->part[i] = (struct policy_part){ good_parts[i].name, good_parts[i].text,
			strlen(good_parts[i].text) };
	fixture->parts = (struct policy_parts){ .part = fixture->part, .count = GOOD_COUNT };
}

static inline void
fixture_done(struct fixture *fixture)
{
	free(fixture->changed);
	fixture->changed = NULL;
}

static inline struct policy_part *
fixture_part(struct fixture *fixture, const char *name)
{
	for (size_t i = 0; i < fixture->parts.count; i++)
		if (strcmp(fixture->part[i].name, name) == 0)
			return &fixture->part[i];
	return NULL;
}

static inline void
fixture_set(struct fixture *fixture, const char *name, const char *text)
{
	struct policy_part *part = fixture_part(fixture, name);

	if (part == NULL)
		part = &fixture->part[fixture->parts.count++];
	*part = (struct policy_part){ name, text, strlen(text) };
}

/* Replaces the first occurrence; "" as from replaces the whole text. */
static inline int
fixture_replace(struct fixture *fixture, const char *name, const char *from, const char *to)
{
	struct policy_part *part = fixture_part(fixture, name);
	const char *text = part->bytes, *at = from[0] != '\0' ? strstr(text, from) : text;
	size_t cut = from[0] != '\0' ? strlen(from) : strlen(text), len;

	if (at == NULL)
		return -1;
	len = strlen(text) - cut + strlen(to);
	free(fixture->changed);
	fixture->changed = malloc(len + 1);
	snprintf(fixture->changed, len + 1, "%.*s%s%s", (int)(at - text), text, to, at + cut);
	part->bytes = fixture->changed;
	part->len = len;
	return 0;
}

static inline void
fixture_remove(struct fixture *fixture, const char *name)
{
	struct policy_part *part = fixture_part(fixture, name);

	*part = fixture->part[--fixture->parts.count];
}

#endif
