/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_lint.h - what is allowed in a policy and still senseless: the findings, a noun a file.
 *
 * INVARIANTS
 *   Nothing is said that is not so: where a finding would need to know the store, its customers or its goods, there is
 *   none.
 */
#ifndef AISLE_POLICY_POLICY_LINT_H
#define AISLE_POLICY_POLICY_LINT_H

#include "policy/policy_internal.h"

/* What is known of the features that a chain of tests has read. */
#define FACTS_MAX 16
#define VALUES_MAX 12
struct fact {
	unsigned slot;
	double low, high; /* of a number */
	bool low_open, high_open, whole;
	bool present, absent;
	bool listed; /* it is one of these */
	json_t *values[VALUES_MAX], *nots[VALUES_MAX];
	size_t count, not_count;
};
struct facts {
	const struct policy *policy;
	const struct action *action;
	bool surely; /* what reads a missing feature may go either way */
	size_t count;
	struct fact fact[FACTS_MAX];
};
/* policy_possible.c: may the rule come out as wanted, where these facts hold? false is certain. The facts become
 * narrower by it. */
bool possible(struct facts *facts, json_t *rule, bool want);
/* policy_fact.c */
struct fact *fact_of(struct facts *facts, unsigned slot); /* NULL: no room for another */
bool fact_is(struct fact *fact, json_t *const *values, size_t count);
bool fact_is_not(struct fact *fact, json_t *value);
bool fact_above(struct fact *fact, double bound, bool open);
bool fact_below(struct fact *fact, double bound, bool open);
bool feature_always_known(const struct feature *feature);

void lint_gates(struct compile *c, const struct at *at, const struct action *action);
void lint_value(struct compile *c, const struct at *at, const struct action *action);
void lint_offer(struct compile *c, const struct at *at, const struct action *action);
void lint_when(struct compile *c, const struct at *at, const struct action *action, int64_t now_ms);
void lint_limits(struct compile *c, const struct at *at, const struct action *action);
void lint_words(struct compile *c, const struct at *at, const struct action *action);
/* policy_lint_text.c */
void lint_treatment(struct compile *c, const struct at *at, const struct action *action,
    const struct treatment *treatment);
/* policy_lint_goods.c */
struct policy_goods;
void lint_goods_of_action(struct compile *c, const struct at *at, const struct action *action,
    const struct policy_goods *goods);
void lint_goods_of_features(struct compile *c, const struct policy_goods *goods);
void lint_contact(struct compile *c, const struct at *at);
/* policy_shrink.c */
void lint_shrink(struct compile *c, const struct at *at);
void lint_chances(struct compile *c, const struct at *at, const struct action *action);
/* A constant share of a chance moves all customers alike. true: it was said. */
bool note_constant(struct compile *c, const struct at *at, const struct action *action);
void lint_settings(struct compile *c, const struct at *at);
void note_explore(struct compile *c); /* what a share costs */
void lint_unused(struct compile *c);

#endif
