/* SPDX-License-Identifier: Apache-2.0
 *
 * test_features_decl.c - the text after "from": what it means, and where it is wrong.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "aisle/subject.h"
#include "score/features_decl.h"

static struct arena *arena;

static int
init(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
done(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct feature
parse(const char *from)
{
	struct feature feature = { 0 };
	struct err err = { 0 };

	if (feature_parse_from(arena, from, &feature, &err) != 0)
		fail_msg("%s: %d: %s", from, err.column, err.text);
	return feature;
}

static void
local_sums_have_a_key_and_decay(void **state)
{
	struct feature f = parse("local.sum(category=grocery/coffee, half_life=30d)");

	(void)state;
	assert_int_equal(f.source, FEATURE_LOCAL);
	assert_int_equal(f.fn, FN_SUM);
	assert_int_equal(f.key, KEY_CATEGORY);
	assert_string_equal(f.key_value, "grocery/coffee");
	assert_int_equal(f.half_life_ms, 30 * D_MS);
	assert_int_equal(f.within_ms, 0);
	assert_true(f.personal);
	assert_false(f.per_action);
	assert_int_equal(feature_natural_type(&f), VALUE_NUMBER);
	f = parse("local.recency()");
	assert_int_equal(f.fn, FN_RECENCY);
	assert_int_equal(f.key, KEY_NONE);
	f = parse("local.visits(within=90d)");
	assert_int_equal(f.within_ms, 90 * D_MS);
	f = parse("local.has( brand = acme ,within=7d )");
	assert_string_equal(f.key_value, "acme");
	assert_int_equal(f.key, KEY_BRAND);
	assert_int_equal(feature_natural_type(&f), VALUE_BOOL);
}

static void
an_item_is_the_gtin_that_lines_carry_else_a_sku(void **state)
{
	(void)state;
	assert_string_equal(parse("local.qty(item=5012345678900)").key_value, "05012345678900");
	assert_string_equal(parse("basket.qty(item=05012345678900)").key_value, "05012345678900");
	assert_string_equal(parse("basket.qty(item=5012345678901)").key_value, "5012345678901");
	assert_string_equal(parse("basket.qty(item=96385074)").key_value, "00000096385074");
	assert_string_equal(parse("basket.qty(item=bread-7)").key_value, "bread-7");
}

static void
incidents_basket_and_history_are_read(void **state)
{
	struct feature f = parse("local.incidents(kind=decline, within=30d)");

	(void)state;
	assert_int_equal(f.source, FEATURE_INCIDENTS);
	assert_int_equal(f.incident, INCIDENT_DECLINE);
	assert_int_equal(parse("local.incidents()").incident, -1);
	assert_int_equal(parse("basket.total()").source, FEATURE_BASKET);
	assert_false(parse("basket.total()").personal);
	f = parse("history.count(group=coffee, outcome=dismissed, within=30d)");
	assert_int_equal(f.source, FEATURE_HISTORY);
	assert_int_equal(f.scope, SCOPE_GROUP);
	assert_string_equal(f.scope_value, "coffee");
	assert_int_equal(f.outcome, OUTCOME_DISMISSED);
	assert_int_equal(f.within_ms, 30 * D_MS);
	assert_false(f.per_action);
	assert_true(f.personal);
	f = parse("history.recency(action=self, outcome=shown, within=1d)");
	assert_int_equal(f.scope, SCOPE_SELF);
	assert_true(f.per_action);
	f = parse("history.count(all, outcome=overridden:insensitive)");
	assert_int_equal(f.scope, SCOPE_ALL);
	assert_string_equal(f.outcome_reason, "insensitive");
}

static void
fields_and_names_are_read(void **state)
{
	struct feature f;

	(void)state;
	assert_int_equal(parse("visit.known").field, VISIT_KNOWN);
	assert_int_equal(parse("visit.prompts").field, VISIT_PROMPTS);
	assert_int_equal(parse("store.queue").field, STORE_QUEUE);
	assert_int_equal(parse("time.day_of_year").field, TIME_DAY_OF_YEAR);
	f = parse("time.days_to(1970-02-01)");
	assert_int_equal(f.field, TIME_DAYS_TO);
	assert_int_equal(f.days_to, 31);
	f = parse("action.group");
	assert_true(f.per_action);
	assert_int_equal(feature_natural_type(&f), VALUE_STRING);
	f = parse("profile.tier");
	assert_string_equal(f.field_name, "tier");
	assert_true(f.personal);
	assert_int_equal(feature_natural_type(&f), VALUE_MISSING);
	assert_string_equal(parse("event.kind").field_name, "kind");
	f = parse("model.churn");
	assert_string_equal(f.field_name, "churn");
	assert_false(f.personal);
	f = parse("visit.waiting");
	assert_int_equal(feature_natural_type(&f), VALUE_BOOL);
	f = parse("store.id");
	assert_int_equal(feature_natural_type(&f), VALUE_STRING);
	f = parse("wallet.days_left");
	assert_int_equal(f.source, FEATURE_WALLET);
	assert_int_equal(f.field, WALLET_DAYS_LEFT);
	assert_true(f.personal);
	f = parse("contacts.count(channel=mail, within=7d)");
	assert_int_equal(f.source, FEATURE_CONTACTS);
	assert_string_equal(f.key_value, "mail");
	assert_int_equal(f.within_ms, 7 * D_MS);
	assert_true(f.personal);
	assert_null(parse("contacts.count(within=7d)").key_value);
	f = parse("journeys.count");
	assert_int_equal(f.source, FEATURE_JOURNEYS);
	assert_true(f.personal);
	assert_int_equal(feature_natural_type(&f), VALUE_NUMBER);
}

static void
a_mistake_is_named_with_its_column(void **state)
{
	static const struct {
		const char *from;
		int column;
	} bad[] = {
		{ "", 1 },
		{ "tier", 1 },
		{ "profil.tier", 1 },
		{ "profile", 1 },
		{ "profile.", 9 },
		{ "profile.a b", 10 },
		{ "local.", 7 },
		{ "local.sum", 7 + 3 },
		{ "local.summ()", 7 },
		{ "local.sum(", 11 },
		{ "local.sum(category)", 11 },
		{ "local.sum(category=)", 20 },
		{ "local.sum(category=a/)", 20 },
		{ "local.sum(category=/a)", 20 },
		{ "local.sum(category=a//b)", 20 },
		{ "local.sum(categorie=a)", 11 },
		{ "local.sum(category=a", 21 },
		{ "local.sum(category=a)x", 22 },
		{ "local.sum(category=a, brand=b)", 23 },
		{ "local.sum(category=a, category=b)", 23 },
		{ "local.sum(category=a,)", 22 },
		{ "local.sum(,category=a)", 11 },
		{ "local.sum(half_life=30)", 21 },
		{ "local.sum(half_life=0d)", 21 },
		{ "local.sum(within=-1d)", 18 },
		{ "local.sum(within=x)", 18 },
		{ "local.sum(half_life=1d, within=1d)", 11 },
		{ "local.recency(half_life=1d)", 15 },
		{ "local.incidents(kind=returns)", 22 },
		{ "local.incidents(category=a)", 17 },
		{ "basket.sum(within=7d)", 12 },
		{ "history.count(outcome=shown)", 28 },
		{ "history.count(all)", 18 },
		{ "history.count(all, outcome=show)", 28 },
		{ "history.count(action, outcome=shown)", 15 },
		{ "history.count(all=1, outcome=shown)", 15 },
		{ "history.sum(all, outcome=shown)", 9 },
		{ "history.count(group=a, issue=b, outcome=shown)", 24 },
		{ "visit.age", 7 },
		{ "visit.", 7 },
		{ "store.name", 7 },
		{ "time.days_to", 6 },
		{ "time.days_to()", 14 },
		{ "time.days_to(2026-02-30)", 14 },
		{ "time.days_to(2026-12-24, 1)", 14 },
		{ "action.id", 8 },
		{ "time.second", 6 },
		{ "wallet.value", 8 },
		{ "wallet.count()", 8 },
		{ "journeys.sum", 10 },
		{ "contacts.sum(within=7d)", 10 },
		{ "contacts.count", 15 },
		{ "contacts.count()", 16 },
		{ "contacts.count(channel=mail)", 28 },
		{ "contacts.count(channel, within=7d)", 16 },
		{ "contacts.count(within=0d)", 23 },
		{ "contacts.count(within=7d, action=a)", 27 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct feature feature = { .name = "n", .fn = FN_GAP };
		struct err err = { 0 };

		if (feature_parse_from(arena, bad[i].from, &feature, &err) != AISLE_E_INVALID)
			fail_msg("%s was read", bad[i].from);
		if (err.column != bad[i].column || err.text[0] == '\0')
			fail_msg("%s: column %d, %s", bad[i].from, err.column, err.text);
		assert_non_null(strstr(err.text, "expected"));
		assert_int_equal(feature.fn, FN_GAP);
	}
}

static void
name_type_and_default_stay_the_callers(void **state)
{
	struct feature feature = {
		.name = "n", .type = VALUE_STRING, .dflt = value_string("none"), .model = 7
	};
	struct err err = { 0 };

	(void)state;
	assert_int_equal(feature_parse_from(arena, "profile.tier", &feature, &err), 0);
	assert_string_equal(feature.name, "n");
	assert_int_equal(feature.type, VALUE_STRING);
	assert_string_equal(feature.dflt.str, "none");
}

#define T(f) cmocka_unit_test_setup_teardown(f, init, done)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(local_sums_have_a_key_and_decay),
		T(an_item_is_the_gtin_that_lines_carry_else_a_sku),
		T(incidents_basket_and_history_are_read),
		T(fields_and_names_are_read),
		T(a_mistake_is_named_with_its_column),
		T(name_type_and_default_stay_the_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
