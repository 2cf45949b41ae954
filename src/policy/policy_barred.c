/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_barred.c - actions about goods that nothing touches, all of them: in this country, by this catalog.
 *
 * An offer on a marked article saves nothing, ever: none of its lines qualifies. Where none was scanned yet its worth would be
 * that of typical goods, and a card would promote what must not be. What must be shown is never barred.
 */
#include "nouns/catalog.h"
#include "nouns/marks.h"
#include "policy/policy_load.h"

static bool
is_marked(const struct marks *marks, const struct catalog *catalog, const struct match *goods)
{
	struct catalog_article article;

	if (goods->category != NULL && mark_of(marks, goods->category) != MARK_NONE)
		return true;
	return goods->item != NULL && catalog != NULL &&
	    catalog_find(catalog, goods->item, &article) &&
	    goods_mark(marks, article.category != NULL ? article.category : "", article.mark) !=
	    MARK_NONE;
}

/* Is there nothing among them that is not? */
static bool
all_marked(const struct marks *marks, const struct catalog *catalog, const struct match *goods)
{
	if (!goods->set)
		return false;
	for (; goods != NULL; goods = goods->next) {
		if (!is_marked(marks, catalog, goods))
			return false;
	}
	return true;
}

void
policy_bar(struct policy *policy, uint32_t marks_off, const struct catalog *catalog)
{
	struct marks marks = marks_of(policy, marks_off);

	for (size_t i = 0; i < policy->action_count; i++) {
		struct action *action = &policy->actions[i];

		action->barred = !action->mandatory &&
		    ((action->has_offer && all_marked(&marks, catalog, &action->offer.include)) ||
			all_marked(&marks, catalog, &action->goal_item));
		policy->columns.barred[i / 64] &= ~(UINT64_C(1) << i % 64);
		policy->columns.barred[i / 64] |= (uint64_t)action->barred << i % 64;
	}
}
