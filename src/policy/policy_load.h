/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_load.h - policy source (a folder's JSON files) to struct policy.
 */
#ifndef AISLE_POLICY_POLICY_LOAD_H
#define AISLE_POLICY_POLICY_LOAD_H

#include "aisle/policy.h"
#include "core/json.h"

/* One file of the folder, by its relative name: "policy.json", "actions/coffee-off.json", "models/churn.json". */
struct policy_part {
	const char *name;
	const void *bytes;
	size_t len;
};
struct policy_parts {
	struct policy_part *part;
	size_t count;
	bool built; /* from a bundle: its models are flat, and no source of one is read */
};
/* All mistakes (up to 100) as "file:line:column: what, and what was expected", one a line, in report.
 * Strict: unknown members are mistakes. warnings go to report too, with the word "warning:". */
int policy_compile(const struct policy_parts *parts, struct policy **ret_policy, struct buf *report)
    AISLE_MUST_CHECK;
/* Names as lines carry them (unicode_key), sorted. */
struct policy_names {
	const char **name;
	size_t count;
};
/* What tills have been heard to sell: categories with those above them, brands. */
struct policy_goods {
	struct policy_names categories, brands;
};
/* What policy_compile() would say of the operands of one rule over the features that data has: how many mistakes, each
 * a line in report. file: the rule's own. */
int policy_rule_mistakes(const struct policy_part *file, struct json_t *rule, struct json_t *data,
    struct buf *report);
/* What logic_compile() said of it, as such a line: with its place. */
void policy_rule_refused(const struct policy_part *file, const struct err *err, struct buf *report);
/* What is dead or senseless in a policy that compiled, as more lines with "warning:"; how many. now_ms: what has ended by
 * then. goods: what there is; NULL: not known, so nothing is said of it. */
int policy_lint(struct policy *policy, const struct policy_parts *parts, int64_t now_ms,
    const struct policy_goods *goods, struct buf *report);
/* What its author should know and is no fault, as more lines with "note:". */
void policy_notes(struct policy *policy, const struct policy_parts *parts, struct buf *report);
/* The same policy with RFC 7396 patches (JSON texts) of experiment arms applied; NULL and err if it does not compile. */
int policy_patched(const struct policy *policy, const struct policy_parts *parts,
    const char *const *patches, size_t count, struct policy **ret_policy, struct err *err)
    AISLE_MUST_CHECK;
/* Says of each action whether all that it is about is marked in this store; again with another catalog (NULL: none).
 * marks_off: of marks_off_in() */
struct catalog;
void policy_bar(struct policy *policy, uint32_t marks_off, const struct catalog *catalog);
/* The part that is the image with this hash; NULL: none. */
const char *policy_picture(const struct policy *policy, const char *hash);
void policy_free(struct policy *policy);
const struct action *policy_action(const struct policy *policy, const char *id); /* NULL: none */
/* own: the action's own lever. With those that the policy sets for it, its issue or its group. */
double lever_of(const struct policy *policy, const struct action *action, double own);
const struct lever *policy_lever(const struct policy *policy, const char *target); /* NULL: none */
/* Moves those that have bounds to where value_of says, which is within them. */
typedef double (*lever_fn)(const void *ctx, const struct lever *lever);
void policy_levers_move(struct policy *policy, lever_fn value_of, const void *ctx);
/* What an offer's lines must begin with: aim and aim_mask. */
void offer_settle(struct offer *offer);
int policy_feature(const struct policy *policy, const char *name); /* slot or -1 */
/* POSIX TZ of "Europe/Berlin"; NULL: not in the bundle. "UTC" always */
const char *policy_zone(const struct policy *policy, const char *name);

#endif
