/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_tables.h - the tables of a policy: held once, by it and by the policies of its arms.
 */
#ifndef AISLE_POLICY_POLICY_TABLES_H
#define AISLE_POLICY_POLICY_TABLES_H

#include "aisle/policy.h"
#include "recommend/table.h"

struct policy_table {
	unsigned holders;
	void *bytes;
	size_t len;
	struct table *table;
};
/* A copy of bytes, checked: AISLE_E_DAMAGED. */
int policy_table_new(const void *bytes, size_t len, struct policy_table **ret, struct err *err)
    AISLE_MUST_CHECK;
void policy_table_drop(struct policy_table *table); /* one holder less; NULL is fine */
/* Those of with, held by policy too. */
void policy_tables_share(struct policy *policy, const struct policy *with);
/* May a family be taken from such a table? */
bool family_takes(enum family family, enum table_kind kind);
/* What the policy calls an item or a category in this language of its own; NULL: nothing. */
const char *policy_words(const struct policy *policy, const char *item, const char *language);

#endif
