/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_sensitive.c - the categories that no rule, feature or text may use.
 */
#include "policy/policy_internal.h"

#include <string.h>

#include "nouns/match.h"

/* Is this category at or below a declared sensitive one ("category=beer")? */
bool
sensitive_category(const struct policy *policy, const char *category)
{
	json_t *list = json_object_get(json_object_get(policy->source, "policy"), "sensitive");
	size_t i;
	json_t *entry;

	json_array_foreach(list, i, entry) {
		const char *text = json_string_value(entry);

		if (text != NULL && strncmp(text, "category=", 9) == 0 &&
		    category_within(category, text + 9))
			return true;
	}
	return false;
}
