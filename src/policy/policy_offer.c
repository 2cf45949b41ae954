/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_offer.c - an action's offer and its budget: what it gives and what it may cost.
 */
#include "policy/policy_internal.h"

#include <inttypes.h>

/* clang-format off */
static const struct member offer_members[] = {
    {"type", T_STRING | T_REQUIRED},
    {"depth", T_INT},
    {"ladder", T_ARRAY},
    {"tiers", T_ARRAY},
    {"typical", T_INT},
    {"max", T_INT},
    {"funded", T_NUMBER},
    {"funder", T_STRING},
    {"apply", T_STRING},
    {"include", T_OBJECT | T_ARRAY},
    {"exclude", T_OBJECT | T_ARRAY},
    {"min_basket", T_INT},
    {"min_worth", T_INT},
    {"stack", T_STRING},
    {"margin_floor", T_INT},
    {"until", T_STRING},
    {"code", T_STRING},
};
/* clang-format on */

static int64_t
depth_max(enum offer_type type)
{
	return type == OFFER_PERCENT ? 100 : type == OFFER_FREE_ITEM ? 1000 : MONEY_MAX;
}

static bool
depth_check(struct compile *c, const struct at *at, enum offer_type type, int64_t *ret)
{
	if (json_int(at->json, ret) && *ret >= 1 && *ret <= depth_max(type))
		return true;
	mistake(c, at, "not a depth, expected a whole number from 1 to %" PRId64, depth_max(type));
	return false;
}

static void
read_ladder(struct compile *c, const struct at *at, struct offer *offer)
{
	struct at depth = at_member(at, "depth"), ladder = at_member(at, "ladder");
	size_t count = json_array_size(ladder.json);

	if ((depth.json == NULL) == (ladder.json == NULL)) {
		mistake(c, at,
		    "the offer has no depth or two, expected either \"depth\" or \"ladder\"");
		return;
	}
	if (depth.json != NULL) {
		offer->ladder = arena_alloc(c->arena, sizeof(*offer->ladder));
		offer->ladder_count = json_is_integer(depth.json) &&
		    depth_check(c, &depth, offer->type, offer->ladder);
		return;
	}
	if (count < 1 || count > LADDER_MAX) {
		mistake(c, &ladder, "%zu depths, expected 1 to %d", count, LADDER_MAX);
		return;
	}
	offer->ladder = arena_alloc(c->arena, count * sizeof(*offer->ladder));
	for (size_t i = 0; i < count; i++) {
		struct at here = at_index(&ladder, i);

		if (!depth_check(c, &here, offer->type, &offer->ladder[i]))
			return;
		if (i > 0 && offer->ladder[i] <= offer->ladder[i - 1])
			mistake(c, &here, "depth does not rise, expected a ladder in rising order");
	}
	offer->ladder_count = count;
}

static void
read_tiers(struct compile *c, const struct at *at, struct offer *offer)
{
	static const struct member members[] = { { "from", T_INT | T_REQUIRED },
		{ "depth", T_INT | T_REQUIRED } };
	struct at tiers = at_member(at, "tiers"), ladder = at_member(at, "ladder");
	size_t count = json_array_size(tiers.json);

	if (tiers.json == NULL)
		return;
	if (ladder.json != NULL)
		mistake(c, &tiers,
		    "tiers and a ladder both choose the depth, expected one of them");
	if (count < 1 || count > TIERS_MAX) {
		mistake(c, &tiers, "%zu tiers, expected 1 to %d", count, TIERS_MAX);
		return;
	}
	offer->tiers = arena_alloc(c->arena, count * sizeof(*offer->tiers));
	for (size_t i = 0; i < count; i++) {
		struct at here = at_index(&tiers, i), depth = at_member(&here, "depth");

		if (!READ_MEMBERS(c, &here, members))
			return;
		offer->tiers[i].from_minor = read_int(c, &here, "from", 0, MONEY_MAX, 0);
		if (json_is_integer(depth.json) &&
		    !depth_check(c, &depth, offer->type, &offer->tiers[i].depth))
			return;
		if (i > 0 && offer->tiers[i].from_minor <= offer->tiers[i - 1].from_minor)
			mistake(c, &here, "\"from\" does not rise, expected tiers in rising order");
	}
	offer->tier_count = count;
}

/* Without these the worth, or the most that it can cost, is not known. */
static void
check_known_cost(struct compile *c, const struct at *at, const struct offer *offer)
{
	bool typical = json_object_get(at->json, "typical") != NULL;

	if ((offer->type == OFFER_PERCENT || offer->type == OFFER_FIXED_PRICE) && !typical)
		mistake(c, at,
		    "\"typical\" is missing, expected the minor units of goods that usually "
		    "qualify");
	if (offer->type == OFFER_PERCENT && offer->max_minor < 0)
		mistake(c, at,
		    "a percent offer has no \"max\", expected the most that it may save in minor "
		    "units");
	if (offer->type == OFFER_FREE_ITEM && offer->max_minor < 0)
		mistake(c, at,
		    "\"max\" is missing, expected the most that the free item is worth in minor "
		    "units");
	if (offer->funded > 0 && offer->funder == NULL)
		warning(c, at, "a share is funded by nobody, expected \"funder\"");
}

void
offer_read(struct compile *c, const struct at *at, struct action *action)
{
	struct offer *offer = &action->offer;
	struct at code = at_member(at, "code");
	int type, apply;

	if (!json_is_object(at->json) || !READ_MEMBERS(c, at, offer_members))
		return;
	action->has_offer = true;
	type = read_choice(c, at, "type", offer_type_names, ARRAY_LEN(offer_type_names));
	offer->type = type >= 0 ? (enum offer_type)type : OFFER_AMOUNT;
	apply = read_choice(c, at, "apply", offer_apply_names, ARRAY_LEN(offer_apply_names));
	offer->apply = apply >= 0 ? (enum offer_apply)apply : APPLY_TILL_CODE;
	read_ladder(c, at, offer);
	read_tiers(c, at, offer);
	offer->typical_minor = read_int(c, at, "typical", 1, MONEY_MAX, 0);
	offer->max_minor = read_int(c, at, "max", 1, MONEY_MAX, -1);
	offer->funded = read_number(c, at, "funded", 0, 1, 0);
	offer->funder = read_id(c, at, "funder");
	read_match(c, at, "include", &offer->include);
	read_match(c, at, "exclude", &offer->exclude);
	offer->min_basket_minor = read_int(c, at, "min_basket", 0, MONEY_MAX, 0);
	offer->min_worth_minor = read_int(c, at, "min_worth", 1, MONEY_MAX, 1);
	offer->stack = read_id(c, at, "stack");
	offer->margin_floor_minor =
	    read_int(c, at, "margin_floor", -MONEY_MAX, MONEY_MAX, INT64_MIN);
	offer->until_ms = read_duration(c, at, "until", 0, DURATION_MAX, 0);
	offer->code = read_id(c, at, "code");
	if (code.json != NULL && offer->apply != APPLY_BARCODE)
		mistake(c, &code, "\"code\" is a coupon's, expected \"apply\":\"barcode\" with it");
	check_known_cost(c, at, offer);
}

void
budget_read(struct compile *c, const struct at *at, struct action *action)
{
	static const struct member members[] = {
		{ "money", T_INT },
		{ "units", T_INT },
		{ "per", T_STRING | T_REQUIRED },
	};
	struct budget *budget = &action->budget;
	struct at money = at_member(at, "money");
	int per;

	*budget = (struct budget){ .money_minor = -1, .units = -1 };
	if (!json_is_object(at->json) || !READ_MEMBERS(c, at, members))
		return;
	per = read_choice(c, at, "per", budget_names, ARRAY_LEN(budget_names));
	budget->per = per == 1 ? BUDGET_CAMPAIGN : BUDGET_STORE_DAY;
	budget->money_minor = read_int(c, at, "money", 0, MONEY_MAX, -1);
	budget->units = read_int(c, at, "units", 0, INT64_C(1000000000), -1);
	if (money.json == NULL && json_object_get(at->json, "units") == NULL)
		mistake(c, at, "the budget has no limit, expected \"money\" or \"units\"");
	if (money.json == NULL)
		return;
	if (!action->has_offer)
		mistake(c, &money, "an action without offer costs no money, expected \"units\"");
	else if (action->offer.type == OFFER_FIXED_PRICE && action->offer.max_minor < 0)
		mistake(c, &money,
		    "the fixed price may save any amount, expected \"max\" in an offer with a "
		    "money budget");
}
