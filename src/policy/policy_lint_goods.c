/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_lint_goods.c - goods that a policy names and no till has sold.
 *
 * A store has no list of its categories: what its tills say is what there is. So nothing is found
 * here unless a recording of them was given, and an article is not asked for: one may be new.
 */
#include "policy/policy_lint.h"

#include <stdlib.h>
#include <string.h>

#include "core/near.h"
#include "policy/policy_load.h"

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
is_known(const struct policy_names *names, const char *name)
{
	return bsearch(&name, names->name, names->count, sizeof(*names->name), by_text) != NULL;
}

static void
lint_name(struct compile *c, const struct at *at, const struct policy_names *names,
    const char *what, const char *name)
{
	struct near near = near_to(name);
	struct buf meant = { 0 };

	if (name == NULL || is_known(names, name))
		return;
	for (size_t i = 0; i < names->count; i++)
		near_offer(&near, names->name[i]);
	near_say(&near, &meant);
	warning(c, at,
	    "no line of the recording is of %s \"%.100s\"%s, expected one that the tills send",
	    what, name, meant.len > 0 ? meant.data : "");
	buf_done(&meant);
}

static void
lint_match(struct compile *c, const struct at *up, const char *key, const struct match *match,
    const struct policy_goods *goods)
{
	struct at list = at_member(up, key);

	for (size_t i = 0; match != NULL && match->set; match = match->next, i++) {
		struct at one = json_is_array(list.json) ? at_index(&list, i) : list;
		struct at category = at_member(&one, "category"), brand = at_member(&one, "brand");

		lint_name(c, &category, &goods->categories, "category", match->category);
		lint_name(c, &brand, &goods->brands, "brand", match->brand);
	}
}

static void
lint_feature(struct compile *c, const struct at *at, const struct feature *feature,
    const struct policy_goods *goods)
{
	struct at from = at_member(at, "from");

	if (feature->source != FEATURE_LOCAL && feature->source != FEATURE_BASKET)
		return;
	if (feature->key == KEY_CATEGORY)
		lint_name(c, &from, &goods->categories, "category", feature->key_value);
	else if (feature->key == KEY_BRAND)
		lint_name(c, &from, &goods->brands, "brand", feature->key_value);
}

void
lint_goods_of_action(struct compile *c, const struct at *at, const struct action *action,
    const struct policy_goods *goods)
{
	struct at offer = at_member(at, "offer"), outcome = at_member(at, "outcome");

	if (action->has_offer) {
		lint_match(c, &offer, "include", &action->offer.include, goods);
		lint_match(c, &offer, "exclude", &action->offer.exclude, goods);
	}
	lint_match(c, &outcome, "item", &action->goal_item, goods);
}

void
lint_goods_of_features(struct compile *c, const struct policy_goods *goods)
{
	struct at root = at_root("features.json", json_object_get(c->policy->source, "features"));
	struct at list = at_member(&root, "features");
	const json_t *one;
	size_t i;

	json_array_foreach(list.json, i, one) {
		struct at here = at_index(&list, i);
		int slot =
		    policy_feature(c->policy, json_string_value(json_object_get(one, "name")));

		if (slot >= 0)
			lint_feature(c, &here, &c->policy->features[slot], goods);
	}
}
