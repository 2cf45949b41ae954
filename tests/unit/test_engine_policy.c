/* SPDX-License-Identifier: Apache-2.0
 *
 * test_engine_policy.c - the policy in force, and what the arms of its experiments make of it.
 */
#include "spine_bundle.h"

#define EXPERIMENTS 7 /* of two arms each: more policies than are kept */
#define VARIANTS_KEPT 64

/* Arm "b" of each doubles the lever of one action. */
static void
experiments_of_a_lever_each(void)
{
	struct buf text = { 0 };

	a_policy("{}");
	buf_adds(&text, "{'experiments':[");
	for (int i = 0; i < EXPERIMENTS; i++) {
		const char *id = arena_printf(texts, "o%d", i);

		an_action(id, "{'lever':1}");
		buf_addf(&text,
		    "%s{'experiment':'e%d','unit':'customer','salt':'%02x%s','share':1,"
		    "'arms':{'a':{'weight':1},'b':{'weight':1,'patch':{'actions':{'o%d':{'lever':2}"
		    "}}}},"
		    "'guardrails':[]}",
		    i > 0 ? "," : "", i, (unsigned)i, &SALT[2], i);
	}
	buf_adds(&text, "]}");
	add_part(texts, &parts, "experiments.json", quoted(text.data));
	buf_done(&text);
	in_force_from_a_file();
}

/* Each candidate's lever is that of the customer's arms; the arms as a word. */
static const char *
arms_of_decision(void)
{
	json_t *json = json_of(record.data), *candidate;
	char *word = arena_strdup(texts, "");
	size_t i;

	json_array_foreach(json_object_get(json, "candidates"), i, candidate) {
		const char *action = text_of(candidate, "action");
		const char *arm =
		    text_of(json_object_get(json, "arms"), arena_printf(texts, "e%s", action + 1));

		assert_true(json_number_value(json_object_get(candidate, "lever")) ==
		    (strcmp(arm, "b") == 0 ? 2 : 1));
		word = arena_printf(texts, "%s%s", word, arm);
	}
	assert_int_equal(i, EXPERIMENTS);
	json_decref(json);
	return word;
}

static const char *
arms_of(int customer)
{
	char subject[40], basket[16];

	snprintf(subject, sizeof(subject), "%032d", customer + 1);
	snprintf(basket, sizeof(basket), "b%d", customer);
	now_ms += S_MS;
	grant(subject, "personalise");
	open_basket(basket);
	tell("pos/7/event", "customer.identified", "{'subject':'%s','basket':'%s','station':'7'}",
	    subject, basket);
	scan(basket, "c", 100);
	return arms_of_decision();
}

static void
more_customers_than_policies_are_kept_have_each_that_of_their_arms(void **state)
{
	const char *first[200];
	int different = 0;

	(void)state;
	experiments_of_a_lever_each();
	for (int i = 0; i < 200; i++) {
		first[i] = arms_of(i);
		different += i > 0 && strcmp(first[i], first[0]) != 0;
		assert_true(engine->variant_count <= VARIANTS_KEPT);
	}
	assert_true(different > 150);
	assert_int_equal(engine->variant_count, VARIANTS_KEPT);
	for (int i = 0; i < 200; i++) {
		scan(arena_printf(texts, "b%d", i), "c", 100);
		assert_string_equal(arms_of_decision(), first[i]);
	}
	folder_gone();
}

/* Two of the same arms are one policy; nobody's is the plain one. */
static void
customers_of_the_same_arms_share_a_policy(void **state)
{
	size_t before;

	(void)state;
	experiments_of_a_lever_each();
	arms_of(0);
	before = engine->variant_count;
	for (int i = 0; i < 20; i++)
		scan("b0", "c", 100);
	assert_int_equal(engine->variant_count, before);
	engine_drop_policy(engine);
	assert_int_equal(engine->variant_count, 0);
	assert_null(engine->policy);
	assert_null(engine->bundle);
	folder_gone();
}

static void
a_bundle_that_is_not_the_stores_is_refused_and_the_one_in_force_stays(void **state)
{
	struct policy *other;
	struct err err = { 0 }, of_zone = { 0 };

	(void)state;
	only("a", "{}");
	other = compile_parts(&parts);
	free(conf.currency);
	conf.currency = mem_strdup("SEK");
	assert_int_equal(engine_set_bundle(engine, NULL, other, true, &err), AISLE_E_REFUSED);
	assert_non_null(strstr(err.text, "currency is EUR, the store's is SEK"));
	free(conf.currency);
	conf.currency = mem_strdup("EUR");
	free(conf.zone);
	conf.zone = mem_strdup("Asia/Tokyo");
	assert_int_equal(engine_set_bundle(engine, NULL, other, true, &of_zone), AISLE_E_REFUSED);
	assert_non_null(strstr(of_zone.text, "no rules for the store's zone Asia/Tokyo"));
	policy_free(other);
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
}

static const char *
meta(const char *name)
{
	struct buf buf = { 0 };
	const char *text = "";

	if (store_meta_get(engine->store, name, &buf) == 0)
		text = arena_strdup(texts, buf.data);
	buf_done(&buf);
	return text;
}

static void
installed(const char *hash)
{
	struct policy *policy = compile_parts(&parts);
	struct err err = { 0 };

	snprintf(policy->hash, sizeof(policy->hash), "%s", hash);
	assert_int_equal(engine_set_bundle(engine, NULL, policy, true, &err), 0);
}

/* What is installed twice is no way back from itself. */
static void
the_last_good_one_is_the_other_that_was_in_force(void **state)
{
	char a[65], b[65];

	(void)state;
	snprintf(a, sizeof(a), "%064d", 1);
	snprintf(b, sizeof(b), "%064d", 2);
	a_policy("{}");
	an_action("a", "{}");
	installed(a);
	assert_string_equal(meta("bundle"), a);
	assert_string_equal(meta("bundle_last_good"), "");
	installed(a);
	assert_string_equal(meta("bundle_last_good"), "");
	installed(b);
	assert_string_equal(meta("bundle"), b);
	assert_string_equal(meta("bundle_last_good"), a);
	installed(b);
	assert_string_equal(meta("bundle_last_good"), a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(more_customers_than_policies_are_kept_have_each_that_of_their_arms),
		SPINE_TEST(customers_of_the_same_arms_share_a_policy),
		SPINE_TEST(a_bundle_that_is_not_the_stores_is_refused_and_the_one_in_force_stays),
		SPINE_TEST(the_last_good_one_is_the_other_that_was_in_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
