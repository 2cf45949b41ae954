/* SPDX-License-Identifier: Apache-2.0
 *
 * headline.c - an action by its words: its headline in each language, with … for what is filled in only
 * when it is shown.
 */
#include "spine/spine.h"

#include <string.h>

#include "core/json_write.h"
#include "policy/policy_load.h"

static void
add_headline(const struct action *action, const char *language, const struct template *headline,
    struct json_writer *w)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < headline->count; i++) {
		const struct template_part *part = &headline->parts[i];
		bool depth = part->var == TEMPLATE_DEPTH && part->filter == FILTER_NONE &&
		    action->has_offer && action->offer.ladder_count == 1;

		buf_adds(&text, part->text);
		if (part->has_value && depth)
			buf_addf(&text, "%lld", (long long)action->offer.ladder[0]);
		else if (part->has_value)
			buf_adds(&text, "…");
	}
	json_add_str(w, language, text.len > 0 ? text.data : "");
	buf_done(&text);
}

static bool
is_first_of_language(const struct action *action, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(action->treatments[i].language, action->treatments[n].language) == 0)
			return false;
	}
	return true;
}

void
headline_add(const struct engine *engine, const char *id, struct json_writer *w)
{
	const struct action *action =
	    engine->policy != NULL ? policy_action(engine->policy, id) : NULL;

	if (action == NULL)
		return;
	json_add_object(w, "headline");
	for (size_t i = 0; i < action->treatment_count; i++) {
		const struct treatment *treatment = &action->treatments[i];

		if (is_first_of_language(action, i))
			add_headline(action, treatment->language, &treatment->headline, w);
	}
	json_end(w);
}
