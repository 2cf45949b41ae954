/* SPDX-License-Identifier: Apache-2.0
 *
 * test_measure_vectors.c - each formula of measurement beside tests/data/measurement: what is
 * whole numbers to the bit, the rest to 1e-9.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "core/json.h"
#include "learn/drift.h"
#include "learn/exploring.h"
#include "learn/federation.h"
#include "learn/learner.h"
#include "learn/lift.h"
#include "learn/off_policy.h"
#include "learn/shrink.h"

#define VECTORS "tests/data/measurement/vectors.json"
#define MAX 64

static json_t *vectors;

static int
setup(void **state)
{
	struct err err = { 0 };

	(void)state;
	vectors = json_read_file(VECTORS, 1 << 20, &err);
	return vectors == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

/* A member by its path, of names and list places between slashes. */
static json_t *
at(json_t *json, const char *path)
{
	char copy[100], *rest = NULL;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *part = strtok_r(copy, "/", &rest); part != NULL;
	     part = strtok_r(NULL, "/", &rest))
		json = json_is_array(json) ? json_array_get(json, strtoul(part, NULL, 10))
					   : json_object_get(json, part);
	if (json == NULL)
		fail_msg("%s has no %s", VECTORS, path);
	return json;
}

static double
number(json_t *json, const char *path)
{
	return json_number_value(at(json, path));
}

static int64_t
whole(json_t *json, const char *path)
{
	json_t *found = at(json, path);

	assert_true(json_is_integer(found));
	return json_integer_value(found);
}

static size_t
numbers(json_t *json, const char *path, double *ret)
{
	json_t *list = at(json, path), *item;
	size_t i;

	assert_true(json_array_size(list) <= MAX);
	json_array_foreach(list, i, item)
		ret[i] = json_number_value(item);
	return json_array_size(list);
}

static size_t
wholes(json_t *json, const char *path, int64_t *ret)
{
	double read[MAX];
	size_t count = numbers(json, path, read);

	for (size_t i = 0; i < count; i++)
		ret[i] = (int64_t)read[i];
	return count;
}

static void
same(double got, json_t *json, const char *path)
{
	double want = number(json, path);

	if (!(fabs(got - want) <= 1e-9 * fmax(1, fabs(want))))
		fail_msg("%s: %.15g, expected %.15g", path, got, want);
}

/* ---- uplift ---- */

static size_t
shrink_rows(json_t *list, struct shrink_row *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
		rows[i] = (struct shrink_row){ number(row, "p1"), number(row, "p0"),
			whole(row, "w") == 1, whole(row, "y") == 1 };
	return json_array_size(list);
}

static void
an_action_s_rows_give_its_four_numbers_and_their_errors(void **state)
{
	json_t *actions = at(vectors, "uplift_fit/in/actions"), *action;
	size_t i;

	(void)state;
	json_array_foreach(actions, i, action) {
		json_t *want = json_array_get(at(vectors, "uplift_fit/out/fits"), i);
		struct shrink_row rows[MAX];
		struct shrink_fit fit;

		assert_true(shrink_estimate(rows, shrink_rows(action, rows), &fit));
		same(fit.shrink.mid, want, "mid_mean");
		same(fit.shrink.d, want, "d_mean");
		same(fit.shrink.a, want, "a");
		same(fit.shrink.beta, want, "beta");
		same(fit.shrink.delta, want, "delta");
		same(fit.shrink.lambda, want, "lam");
		for (size_t s = 0; s < 4; s++)
			assert_true(fabs(fit.se[s] -
					json_number_value(json_array_get(at(want, "se"), s))) <
			    1e-9);
	}
}

static void
pooled_as_published(const char *which, const char *se_at)
{
	json_t *want = json_object_get(at(vectors, "uplift_fit/out/pooled"), which);
	double values[3], se[3], out[3], expected[3];
	struct pooled pooled;
	char path[60];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "uplift_fit/out/fits/%d/%s", i, which);
		values[i] = number(vectors, path);
		snprintf(path, sizeof(path), "uplift_fit/out/fits/%d/se/%s", i, se_at);
		se[i] = number(vectors, path);
	}
	pooled = shrink_pool(values, se, 3, 0, out);
	same(pooled.between, want, "A");
	same(pooled.mean, want, "mu");
	assert_int_equal(numbers(want, "out", expected), 3);
	for (int i = 0; i < 3; i++)
		assert_true(fabs(out[i] - expected[i]) < 1e-9);
}

static void
actions_hear_each_other(void **state)
{
	json_t *ones = at(vectors, "pool_one"), *one;
	size_t i;

	(void)state;
	pooled_as_published("a", "0");
	pooled_as_published("beta", "1");
	pooled_as_published("delta", "2");
	pooled_as_published("lam", "3");
	json_array_foreach(ones, i, one) {
		double v = number(one, "in/v"), se = number(one, "in/s"), out;
		struct pooled pooled = shrink_pool(&v, &se, 1, number(one, "in/centre"), &out);

		same(pooled.between, one, "out/A");
		same(pooled.mean, one, "out/mu");
		same(out, one, "out/out/0");
	}
}

static void
a_pair_is_shrunk(void **state)
{
	json_t *in = at(vectors, "uplift_apply/in"), *out = at(vectors, "uplift_apply/out");
	struct shrink shrink = { number(in, "shrink/mid_mean"), number(in, "shrink/d_mean"),
		number(in, "shrink/a"), number(in, "shrink/beta"), number(in, "shrink/delta"),
		number(in, "shrink/lam") };
	double p1, p0, margin = number(in, "margin");

	(void)state;
	shrink_apply(&shrink, number(in, "p1"), number(in, "p0"), &p1, &p0);
	same(p1, out, "p1");
	same(p0, out, "p0");
	same(p1 * (margin - number(in, "cost")) - p0 * margin, out, "gain");
}

/* ---- the store's learner ---- */

/* The tree of a vector's cells, and each node's name there. */
struct tree {
	struct learner_node nodes[MAX];
	char names[MAX][60];
	size_t count;
};

static int32_t
tree_node(struct tree *tree, int32_t above, const char *name)
{
	for (size_t i = 0; i < tree->count; i++)
		if (strcmp(tree->names[i], name) == 0)
			return (int32_t)i;
	snprintf(tree->names[tree->count], sizeof(tree->names[0]), "%s", name);
	tree->nodes[tree->count].above = above;
	return (int32_t)tree->count++;
}

static const char *
text(json_t *json, const char *path)
{
	return json_string_value(at(json, path));
}

static void
ratios_go_down_the_chain_to_the_bit(void **state)
{
	json_t *in = at(vectors, "learner_ratio_q16/in"), *out, *cell, *want;
	struct tree tree = { 0 };
	const char *name;
	size_t i, found = 0;

	(void)state;
	assert_int_equal(whole(in, "kappa"), 20);
	json_array_foreach(at(in, "cells"), i, cell) {
		int32_t node = tree_node(&tree, -1, "store");

		char group[60], action[60], arm[60], leaf[80];

		snprintf(group, sizeof(group), "group:%.50s", text(cell, "group"));
		snprintf(action, sizeof(action), "action:%.50s", text(cell, "action"));
		snprintf(arm, sizeof(arm), "arm:%.40s:%.1s", text(cell, "action"),
		    text(cell, "arm"));
		snprintf(leaf, sizeof(leaf), "cell:%.30s:%.1s:%.20s", text(cell, "action"),
		    text(cell, "arm"), text(cell, "segment"));
		node = tree_node(&tree, node, group);
		node = tree_node(&tree, node, action);
		node = tree_node(&tree, node, arm);
		node = tree_node(&tree, node, leaf);
		tree.nodes[node].y = whole(cell, "y") * Q16_ONE;
		tree.nodes[node].p = (int64_t)(number(cell, "sum_p") * (double)Q16_ONE);
	}
	learner_ratios(tree.nodes, tree.count, LEARNER_20, LEARNER_CLIP);
	out = at(vectors, "learner_ratio_q16/out");
	json_object_foreach(out, name, want) {
		int32_t node = tree_node(&tree, -1, name);

		assert_int_equal(tree.nodes[node].ratio, json_integer_value(want));
		found++;
	}
	assert_int_equal(found, tree.count);
}

static void
forgetting_rebasing_and_scoring_are_whole_numbers(void **state)
{
	json_t *score = at(vectors, "learner_score_q16"), *day;
	int64_t y = whole(vectors, "learner_decay_q16/in/y");
	int64_t p = whole(vectors, "learner_decay_q16/in/sum_p"), sum = 0;
	size_t i;

	(void)state;
	for (int64_t week = whole(vectors, "learner_decay_q16/in/weeks"); week > 0; week--) {
		y = learner_decayed(y);
		p = learner_decayed(p);
	}
	assert_int_equal(y, whole(vectors, "learner_decay_q16/out/0"));
	assert_int_equal(p, whole(vectors, "learner_decay_q16/out/1"));
	assert_int_equal(learner_rebased(whole(vectors, "rebase_q16/in/sum_p_q16"),
			     whole(vectors, "rebase_q16/in/rebase_q16")),
	    whole(vectors, "rebase_q16/out"));
	json_array_foreach(at(score, "in"), i, day) {
		int32_t ratio = (int32_t)whole(day, "ratio_q16");

		assert_int_equal(learner_log(ratio),
		    json_integer_value(json_array_get(at(score, "out/ln_q16"), i)));
		sum += learner_score(whole(day, "y") * Q16_ONE,
		    (int64_t)(number(day, "sum_p") * (double)Q16_ONE), ratio);
	}
	assert_int_equal(sum, whole(score, "out/score"));
}

static void
the_past_chooses_kappa(void **state)
{
	static const char *const names[] = { "inf", "80", "20" };
	json_t *one;
	size_t i;

	(void)state;
	json_array_foreach(at(vectors, "kappa_choice"), i, one)
		assert_string_equal(names[learner_choose(whole(one, "in/1"), whole(one, "in/0"))],
		    text(one, "out"));
}

static void
depths_never_fall(void **state)
{
	double p[MAX], weights[MAX], want[MAX];
	size_t count = numbers(vectors, "depth_monotone/in/p1", p);

	(void)state;
	assert_int_equal(numbers(vectors, "depth_monotone/in/weight", weights), count);
	assert_int_equal(numbers(vectors, "depth_monotone/out", want), count);
	learner_monotone(p, weights, count);
	for (size_t i = 0; i < count; i++)
		assert_true(fabs(p[i] - want[i]) < 1e-12);
}

static void
exploring_costs_what_it_states(void **state)
{
	json_t *in = at(vectors, "explore/in"), *out = at(vectors, "explore/out");
	double priorities[MAX], p[MAX], want[MAX], cost;
	size_t count = numbers(in, "priorities", priorities);

	(void)state;
	cost = exploring_weigh(priorities, (int)count, number(in, "cost_max"), p);
	same(cost, out, "expected_cost");
	assert_int_equal(numbers(out, "p", want), count);
	for (size_t i = 0; i < count; i++)
		assert_true(fabs(p[i] - want[i]) < 1e-9);
	in = at(vectors, "explore_cost_max/in");
	same(exploring_cost_max(number(in, "share"), number(in, "b0"), number(in, "sum"),
		 whole(in, "n")),
	    vectors, "explore_cost_max/out");
}

/* ---- lift ---- */

static struct lift_sums
sums_of(json_t *arm)
{
	return (struct lift_sums){ number(arm, "n"), number(arm, "sy"), number(arm, "syy"),
		number(arm, "sx"), number(arm, "sxx"), number(arm, "sxy") };
}

static void
lift_is_welch_s_with_and_without_the_weeks_before(void **state)
{
	struct lift_sums arms[2] = { sums_of(at(vectors, "cuped/in/treated")),
		sums_of(at(vectors, "cuped/in/control")) };
	double theta = lift_theta(arms, 2);
	struct lift lift = lift_between(&arms[0], &arms[1], theta);

	(void)state;
	same(theta, vectors, "cuped/out/theta");
	same(lift.diff, vectors, "cuped/out/diff");
	same(lift.se, vectors, "cuped/out/se");
	same(lift.df, vectors, "cuped/out/df");
	lift = lift_between(&arms[0], &arms[1], 0);
	same(lift.diff, vectors, "fixed/out/diff");
	same(lift.se, vectors, "fixed/out/se");
	same(lift.df, vectors, "fixed/out/df");
}

static void
a_ratio_has_its_error(void **state)
{
	double y[MAX], x[MAX];
	size_t count = numbers(vectors, "ratio_delta/in/y", y);
	struct lift_sums arm = { 0 };
	struct lift_ratio ratio;

	(void)state;
	assert_int_equal(numbers(vectors, "ratio_delta/in/x", x), count);
	for (size_t i = 0; i < count; i++)
		lift_add(&arm, y[i], x[i]);
	ratio = lift_ratio(&arm);
	same(ratio.ratio, vectors, "ratio_delta/out/ratio");
	same(ratio.se, vectors, "ratio_delta/out/se");
}

static void
a_sequence_may_be_looked_at_each_week(void **state)
{
	json_t *in = at(vectors, "sequence/in"), *out = at(vectors, "sequence/out"), *one;
	double alpha = number(in, "alpha");
	struct lift_sequence q = lift_sequence(number(in, "diff_total"), number(in, "se_total"),
	    number(in, "weeks"), number(in, "planned"), alpha);
	size_t i;

	(void)state;
	same(lift_sequence_tuning(alpha), out, "r_star");
	same(q.info, out, "info");
	same(q.info_planned, out, "info_planned");
	same(q.r, out, "r");
	same(lift_sequence_multiplier(q.r, alpha), out, "multiplier");
	same(q.per_week, out, "per_week");
	same(q.half_width, out, "half_width");
	json_array_foreach(at(vectors, "sequence_multiplier"), i, one)
		same(lift_sequence_multiplier(number(one, "in"), 0.05), one, "out");
}

static void
arms_of_another_size_than_was_drawn_are_found(void **state)
{
	json_t *one;
	size_t i;

	(void)state;
	json_array_foreach(at(vectors, "sample_ratio"), i, one) {
		double rho[MAX];
		int64_t n[MAX];
		size_t arms = wholes(one, "in/n", n);

		assert_int_equal(numbers(one, "in/rho", rho), arms);
		assert_int_equal(whole(one, "in/k"), 1000);
		same(lift_sample_ratio(n, rho, arms), one, "out");
	}
}

static void
stores_are_pooled_by_their_customers(void **state)
{
	json_t *in = at(vectors, "pool_stores/in"), *store;
	struct lift_store stores[MAX];
	struct lift_pooled pooled;
	size_t i;

	(void)state;
	json_array_foreach(in, i, store)
		stores[i] = (struct lift_store){ number(store, "n"), number(store, "diff"),
			number(store, "se") };
	pooled = lift_pool(stores, json_array_size(in));
	same(pooled.diff, vectors, "pool_stores/out/diff");
	same(pooled.se_these, vectors, "pool_stores/out/se_these");
	same(pooled.se_other, vectors, "pool_stores/out/se_future");
	assert_true(pooled.df_other == 0); /* three are too few to speak of others */
}

static void
what_it_would_take_is_said(void **state)
{
	json_t *in = at(vectors, "planning/in"), *out = at(vectors, "planning/out");
	struct lift_power power = lift_power(number(in, "var_1_week"), number(in, "var_4_weeks"));
	double treated = number(in, "treated"), control = number(in, "control");
	double planned = number(in, "planned");
	double se = lift_power_se(&power, treated, control, number(in, "weeks"));

	(void)state;
	same(power.between, out, "between");
	same(power.within, out, "within");
	same(se, out, "se_week_mean");
	same(lift_smallest_effect(se), out, "mde");
	same(lift_stores_needed(se, planned), out, "stores");
	assert_true(json_is_null(at(out, "weeks_this_store")));
	assert_true(lift_weeks_needed(&power, treated, control, planned) == 0);
}

/* ---- off-policy evaluation ---- */

static void
add_decision(struct ope_customer *customers, json_t *decision)
{
	double p[MAX], pi[MAX], q[MAX];
	struct ope_choice choices[MAX];
	size_t count = numbers(decision, "p", p);

	numbers(decision, "pi", pi);
	numbers(decision, "q", q);
	for (size_t i = 0; i < count; i++)
		choices[i] = (struct ope_choice){ p[i], pi[i], q[i], 0, 0 };
	if (count == 3) {
		choices[0].margin = number(vectors, "bounds/in/margin/0");
		choices[0].cost = number(vectors, "bounds/in/cost/0");
		choices[1].margin = number(vectors, "bounds/in/margin/1");
		choices[1].cost = number(vectors, "bounds/in/cost/1");
	}
	ope_add(&customers[whole(decision, "customer") - 1], choices, count,
	    (size_t)whole(decision, "a"), number(decision, "r"));
}

static void
a_log_values_another_policy(void **state)
{
	struct ope_customer customers[4] = { 0 };
	json_t *decision, *out = at(vectors, "off_policy/out");
	struct ope ope;
	size_t i;

	(void)state;
	json_array_foreach(at(vectors, "off_policy/in"), i, decision)
		add_decision(customers, decision);
	ope_conclude(customers, 4, &ope);
	same(ope.ips.value, out, "ips/0");
	same(ope.ips.se, out, "ips/1");
	same(ope.clipped.value, out, "clipped/0");
	same(ope.clipped.se, out, "clipped/1");
	same(ope.snips.value, out, "snips/0");
	same(ope.snips.se, out, "snips/1");
	same(ope.direct.value, out, "direct/0");
	same(ope.direct.se, out, "direct/1");
	same(ope.dr.value, out, "dr/0");
	same(ope.dr.se, out, "dr/1");
	same(ope.covered, out, "covered");
	same(ope.weight.value, out, "mean_weight");
	same(ope.weight.se, out, "se_mean_weight");
	same(ope.n_eff, out, "n_eff");
}

static void
what_the_log_never_drew_widens_the_value(void **state)
{
	struct ope_customer customers[3] = { 0 };
	json_t *decision, *out = at(vectors, "bounds/out");
	struct ope ope;
	size_t i;

	(void)state;
	json_array_foreach(at(vectors, "bounds/in/decisions"), i, decision)
		add_decision(customers, decision);
	ope_conclude(customers, 3, &ope);
	same(ope.dr.value, out, "moved/0");
	same(ope.dr.se, out, "moved/1");
	same(ope.dr.value + ope.low, out, "low");
	same(ope.dr.value + ope.high, out, "high");
}

static void
what_shown_cards_brought_stands_beside_what_was_promised(void **state)
{
	json_t *in = at(vectors, "realised_gain/in"), *out = at(vectors, "realised_gain/out");
	struct realised_customer customers[3] = { 0 };
	struct realised realised;
	json_t *decision, *card;
	size_t i, c;

	(void)state;
	json_array_foreach(at(in, "decisions"), i, decision) {
		struct shown_card cards[MAX];

		json_array_foreach(at(decision, "cards"), c, card)
			cards[c] = (struct shown_card){ number(card, "p"), number(card, "p0"),
				number(card, "m"), number(card, "c"), number(card, "gain"),
				whole(card, "shown") == 1, whole(card, "y") == 1 };
		realised_add(&customers[whole(decision, "customer") - 1], cards,
		    json_array_size(at(decision, "cards")), number(in, "control_share"));
	}
	realised_conclude(customers, 3, &realised);
	same(realised.realised.value, out, "realised");
	same(realised.promised.value, out, "predicted");
	same(realised.difference.se, out, "se_difference");
}

/* ---- drift, federation ---- */

static void
drift_is_what_chance_does_not_explain(void **state)
{
	int64_t base[MAX], now[MAX];
	size_t bins = wholes(vectors, "psi/in/base", base);
	struct drift drift;

	(void)state;
	assert_int_equal(wholes(vectors, "psi/in/now", now), bins);
	drift = drift_of(base, now, bins);
	same(drift.psi, vectors, "psi/out/psi");
	same(drift.bias, vectors, "psi/out/bias");
	same(drift.corrected, vectors, "psi/out/corrected");
	same(drift.statistic, vectors, "psi/out/statistic");
}

static void
a_store_unlike_the_others_is_seen(void **state)
{
	double y[MAX], p[MAX], z[MAX], want[MAX];
	size_t count = numbers(vectors, "outlier_stores/in/y", y);
	struct federation_spread spread;

	(void)state;
	assert_int_equal(numbers(vectors, "outlier_stores/in/sum_p", p), count);
	assert_int_equal(numbers(vectors, "outlier_stores/out/z", want), count);
	spread = federation_unlike(y, p, count, z);
	same(spread.median, vectors, "outlier_stores/out/median");
	same(spread.tau2, vectors, "outlier_stores/out/tau2");
	for (size_t i = 0; i < count; i++)
		assert_true(fabs(z[i] - want[i]) < 1e-9 * fmax(1, fabs(want[i])));
}

static void
no_vector_is_left_out(void **state)
{
	(void)state;
	assert_int_equal(json_object_size(vectors), 24);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_action_s_rows_give_its_four_numbers_and_their_errors),
		cmocka_unit_test(actions_hear_each_other),
		cmocka_unit_test(a_pair_is_shrunk),
		cmocka_unit_test(ratios_go_down_the_chain_to_the_bit),
		cmocka_unit_test(forgetting_rebasing_and_scoring_are_whole_numbers),
		cmocka_unit_test(the_past_chooses_kappa),
		cmocka_unit_test(depths_never_fall),
		cmocka_unit_test(exploring_costs_what_it_states),
		cmocka_unit_test(lift_is_welch_s_with_and_without_the_weeks_before),
		cmocka_unit_test(a_ratio_has_its_error),
		cmocka_unit_test(a_sequence_may_be_looked_at_each_week),
		cmocka_unit_test(arms_of_another_size_than_was_drawn_are_found),
		cmocka_unit_test(stores_are_pooled_by_their_customers),
		cmocka_unit_test(what_it_would_take_is_said),
		cmocka_unit_test(a_log_values_another_policy),
		cmocka_unit_test(what_the_log_never_drew_widens_the_value),
		cmocka_unit_test(what_shown_cards_brought_stands_beside_what_was_promised),
		cmocka_unit_test(drift_is_what_chance_does_not_explain),
		cmocka_unit_test(a_store_unlike_the_others_is_seen),
		cmocka_unit_test(no_vector_is_left_out),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
