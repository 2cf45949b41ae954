/* SPDX-License-Identifier: Apache-2.0
 *
 * test_marks.c - goods that are marked are there for nobody.
 *
 * The property: a basket, and a history, are decided on as if what is marked in them had never
 * been scanned. `test_marks 100000` tries so many random baskets and policies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "deliver/guidance.h"
#include "nouns/marks.h"
#include "nouns/match.h"
#include "profile/subject_io.h"

#include "decide_scene.h"
#include "random_fixture.h"

static int rounds = 2000;

/* ---- what is marked ---- */

static enum mark
by_product(const char *category)
{
	struct marks marks = { .off = 0 };

	return mark_of(&marks, category);
}

static void
a_word_of_the_products_list_marks_a_path_at_any_depth(void **state)
{
	(void)state;
	assert_int_equal(by_product("alcohol"), MARK_SENSITIVE);
	assert_int_equal(by_product("alcohol/spirits/gin"), MARK_SENSITIVE);
	assert_int_equal(by_product("grocery/Infant Formula/stage-1"), MARK_SENSITIVE);
	assert_int_equal(by_product("drugstore/infant_formula"), MARK_SENSITIVE);
	assert_int_equal(by_product("kiosk/TABAK"), MARK_SENSITIVE);
	assert_int_equal(by_product("alcohol-free"), MARK_NONE);
	assert_int_equal(by_product("non-alcohol/x"), MARK_NONE);
	assert_int_equal(by_product("winery"), MARK_NONE);
	assert_int_equal(by_product("grocery/tea"), MARK_NONE);
	assert_int_equal(by_product(""), MARK_NONE);
	assert_int_equal(by_product("//"), MARK_NONE);
	assert_int_equal(by_product(NULL), MARK_NONE);
}

static void
try_word(void *ctx, const char *word, bool anywhere)
{
	char path[80];

	snprintf(path, sizeof(path), "x/%s/y", word);
	assert_true(anywhere);
	assert_int_equal(by_product(path), MARK_SENSITIVE);
	for (char *c = path; *c != '\0'; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c == '-' ? ' ' : *c;
	assert_int_equal(by_product(path), MARK_SENSITIVE);
	++*(int *)ctx;
}

static void
each_word_of_the_products_list_is_known_in_capitals_too(void **state)
{
	struct marks marks = { .off = 0 };
	struct match all = { 0 };
	int count = 0;

	(void)state;
	marks_meet(&marks, &all, try_word, &count);
	assert_int_equal(count, 31);
}

static void
a_country_has_its_own_marks_and_an_unsaid_one_all(void **state)
{
	struct marks germany = { .off = marks_off_in("DE") };

	(void)state;
	assert_int_equal(marks_off_in(NULL), 0);
	assert_int_equal(marks_off_in("XX"), 0);
	assert_int_equal(mark_of(&germany, "drinks/beer"), MARK_NONE);
	assert_int_equal(mark_of(&germany, "kiosk/cigarettes"), MARK_SENSITIVE);
}

static void
of_two_marks_of_the_policy_the_stronger_holds(void **state)
{
	struct marked list[] = { { "services", MARK_SENSITIVE },
		{ "services/lottery", MARK_NO_PROMOTION }, { "games", MARK_NO_PROMOTION } };
	struct marks marks = { .list = list, .count = 3 };

	(void)state;
	assert_int_equal(mark_of(&marks, "services/lottery/scratch"), MARK_SENSITIVE);
	assert_int_equal(mark_of(&marks, "games/cards"), MARK_NO_PROMOTION);
	assert_int_equal(mark_of(&marks, "gamesome"), MARK_NONE);
}

/* ---- random worlds ---- */

static const char *const categories[] = { "grocery", "grocery/tea", "grocery/tea/green",
	"grocery/beer", "grocery/sweets", "grocery/sweets/liqueur", "home", "home/candles",
	"services/lottery", "alcohol/wine", "kiosk/tobacco", "x" };
static const char *const brands[] = { "acme", "house", NULL };
static const char *const marks_of_policies[] = { "grocery/sweets/liqueur", "home", "services",
	"grocery/tea/green", "x" };

static const char *
one_of(struct dice *dice, const char *const *list, size_t count)
{
	return list[dice_below(dice, count)];
}
#define ONE_OF(dice, list) one_of(dice, list, ARRAY_LEN(list))

static void
random_goods(struct dice *dice, struct buf *out)
{
	const char *brand = ONE_OF(dice, brands);

	buf_adds(out, "{");
	if (brand == NULL || dice_below(dice, 2) == 0)
		buf_addf(out, "\"category\":\"%s\"%s", ONE_OF(dice, categories),
		    brand != NULL ? "," : "");
	if (brand != NULL)
		buf_addf(out, "\"brand\":\"%s\"", brand);
	buf_adds(out, "}");
}

/* An offer of any kind on goods that may or may not be marked. */
static void
random_offer(struct dice *dice, struct buf *out)
{
	static const char *const kinds[] = {
		"\"type\":\"percent\",\"depth\":10,\"typical\":450,\"max\":3000",
		"\"type\":\"amount\",\"depth\":70",
		"\"type\":\"amount\",\"depth\":900,\"max\":300",
		"\"type\":\"fixed-price\",\"depth\":99,\"typical\":150",
		"\"type\":\"free-item\",\"depth\":2,\"max\":900",
		"\"type\":\"points\",\"depth\":50",
		("\"type\":\"percent\",\"depth\":5,\"typical\":450,\"max\":3000,\"tiers\":"
		 "[{\"from\":500,\"depth\":7},{\"from\":1500,\"depth\":12}]"),
		"\"type\":\"percent\",\"ladder\":[5,10,20],\"typical\":450,\"max\":3000",
	};

	buf_addf(out, "{%s", ONE_OF(dice, kinds));
	for (int i = 0; i < 2; i++) {
		if (dice_below(dice, 2) == 0)
			continue;
		buf_addf(out, ",\"%s\":[", i == 0 ? "include" : "exclude");
		random_goods(dice, out);
		if (dice_below(dice, 3) == 0) {
			buf_addc(out, ',');
			random_goods(dice, out);
		}
		buf_addc(out, ']');
	}
	if (dice_below(dice, 3) == 0)
		buf_addf(out, ",\"min_basket\":%d", (int)dice_below(dice, 2000));
	if (dice_below(dice, 3) == 0)
		buf_addf(out, ",\"margin_floor\":%d", (int)dice_below(dice, 200) - 50);
	if (dice_below(dice, 3) == 0)
		buf_addf(out, ",\"min_worth\":%d", 1 + (int)dice_below(dice, 100));
	buf_addc(out, '}');
}

/* An include that is declared marked is a mistake of the author: drawn again. */
static bool
names_marked(const char *offer, const char *const *marked, size_t count)
{
	json_t *json = json_text(offer), *include = json_object_get(json, "include"), *goods;
	bool found = false;
	size_t i;

	json_array_foreach(include, i, goods) {
		const char *category = json_string_value(json_object_get(goods, "category"));

		for (size_t m = 0; category != NULL && m < count; m++)
			found = found || category_within(category, marked[m]);
	}
	json_decref(json);
	return found;
}

static void
random_policy(struct scene *s, struct dice *dice)
{
	const char *marked[2];
	size_t count = dice_below(dice, 3);
	struct buf text = { 0 };

	buf_adds(&text, "{\"placements\":{\"tablet\":{\"slots\":3}}");
	for (size_t i = 0; i < count; i++) {
		marked[i] = ONE_OF(dice, marks_of_policies);
		buf_addf(&text, ",\"%s\":[\"category=%s\"]", i == 0 ? "sensitive" : "no_promotion",
		    marked[i]);
	}
	buf_addc(&text, '}');
	scene_begin(s, text.data);
	s->parts.count--; /* its features.json */
	add_part(s->arena, &s->parts, "features.json",
	    "{\"features\":[{\"name\":\"amount\",\"type\":\"number\",\"from\":\"event.amount\","
	    "\"default\":-1},"
	    "{\"name\":\"b_total\",\"type\":\"number\",\"from\":\"basket.total()\"},"
	    "{\"name\":\"b_sum\",\"type\":\"number\",\"from\":\"basket.sum(category=grocery)\"},"
	    "{\"name\":\"b_has\",\"type\":\"bool\",\"from\":\"basket.has(brand=acme)\"},"
	    "{\"name\":\"b_lines\",\"type\":\"number\",\"from\":\"basket.lines()\"},"
	    "{\"name\":\"b_age\",\"type\":\"number\",\"from\":\"basket.recency()\",\"default\":-1},"
	    "{\"name\":\"l_total\",\"type\":\"number\",\"from\":\"local.total(half_life=9d)\"},"
	    "{\"name\":\"l_sum\",\"type\":\"number\",\"from\":\"local.sum(category=grocery)\"},"
	    "{\"name\":\"l_qty\",\"type\":\"number\",\"from\":\"local.qty(brand=acme)\"},"
	    "{\"name\":\"l_age\",\"type\":\"number\",\"from\":\"local.recency(item=s1)\","
	    "\"default\":-1},"
	    "{\"name\":\"l_visits\",\"type\":\"number\",\"from\":\"local.visits()\"},"
	    "{\"name\":\"saves\",\"type\":\"number\",\"from\":\"action.worth\"}]}");
	for (int a = 0; a < 3; a++) {
		struct buf offer = { 0 };

		do {
			buf_clear(&offer);
			random_offer(dice, &offer);
		} while (names_marked(offer.data, marked, count));
		buf_clear(&text);
		/* All features are read, so that the record has them. */
		buf_addf(&text,
		    "{" OFFER_MEMBERS ",\"offer\":%s,\"margin\":%d,\"eligible\":{\">\":[{\"+\":["
		    "{\"var\":\"amount\"},{\"var\":\"b_total\"},{\"var\":\"b_sum\"},"
		    "{\"if\":[{\"var\":\"b_has\"},1,0]},{\"var\":\"b_lines\"},{\"var\":\"b_age\"}]}"
		    ",-99999]},"
		    "\"suitable\":{\">\":[{\"+\":[{\"var\":\"l_total\"},{\"var\":\"l_sum\"},"
		    "{\"var\":\"l_qty\"},{\"var\":\"l_age\"},{\"var\":\"l_visits\"},"
		    "{\"var\":\"saves\"}]},-99999]}}",
		    offer.data, 1000 + (int)dice_below(dice, 2000));
		add_action(s, a == 0 ? "a" : a == 1 ? "b" : "c", text.data);
		buf_done(&offer);
	}
	buf_done(&text);
}

static void
random_lines(struct scene *s, struct dice *dice, struct visit *visit)
{
	size_t count = dice_below(dice, 9);

	for (size_t i = 0; i < count; i++) {
		int64_t amount = (int64_t)dice_below(dice, 1500) - 200;
		struct line *line = add_line(s->arena, visit, ONE_OF(dice, categories),
		    500 * (1 + (int64_t)dice_below(dice, 6)), amount);

		line->brand = arena_strdup(s->arena, ONE_OF(dice, brands));
		line->sku = arena_printf(s->arena, "s%d", (int)dice_below(dice, 3));
		line->added_ms = NOW - (int64_t)dice_below(dice, 100) * S_MS;
		line->voided = dice_below(dice, 6) == 0;
		line->has_margin = dice_below(dice, 2) == 0;
		line->margin_minor = amount / 3;
		/* By the catalog, whatever its category is. */
		if (dice_below(dice, 8) == 0)
			line->mark = dice_below(dice, 2) == 0 ? MARK_SENSITIVE : MARK_NO_PROMOTION;
		visit->total_minor += line->voided ? 0 : amount;
	}
}

/* The same basket as if what is marked had never been scanned. */
static struct visit
without_marked(struct scene *s, const struct marks *marks, const struct visit *from)
{
	struct visit visit = *from;

	visit.lines = arena_alloc(s->arena, (from->line_count + 1) * sizeof(*visit.lines));
	visit.line_count = 0;
	for (size_t i = 0; i < from->line_count; i++) {
		if (line_mark(marks, &from->lines[i]) == MARK_NONE)
			visit.lines[visit.line_count++] = from->lines[i];
		else if (!from->lines[i].voided)
			visit.total_minor -= from->lines[i].amount_minor;
	}
	return visit;
}

static const struct marks nothing_is_marked = { .off = UINT32_MAX };

/* Into the history as one who knows of no marks would have written it. */
static void
bought(struct subject *subject, struct visit *visit, uint8_t n)
{
	struct buf row = { 0 };

	visit->id = id_of((uint8_t)(100 + n));
	visit->state = VISIT_CLOSED;
	subject_add_purchase(subject, visit, &nothing_is_marked, NOW - (n + 1) * D_MS, &row);
	buf_done(&row);
}

static char *
decided(struct scene *s, const struct visit *visit, const struct subject *subject)
{
	static const struct id prompts[64];
	struct decision_context context = {
		.station = "7", .basket = "B1", .trigger = &s->event, .prompts = prompts
	};
	struct buf out = { 0 };

	s->input.sources.visit = visit;
	s->input.sources.subject = subject;
	scene_decide(s);
	decision_json(&s->decision, &context, &out);
	return buf_steal(&out);
}

/* ---- what the till is told ---- */

/* As docs/integrating-a-till.md has it: within the category, or a step of the path anywhere. */
static bool
till_excludes(const json_t *exclude, const char *category, const char *brand)
{
	const json_t *goods;
	size_t i;

	json_array_foreach(exclude, i, goods) {
		const char *text = json_string_value(json_object_get(goods, "category"));
		const char *of = json_string_value(json_object_get(goods, "brand"));
		char step[64], path[128];

		if (json_object_get(goods, "item") != NULL ||
		    (of != NULL && (brand == NULL || strcmp(of, brand) != 0)))
			continue;
		if (text == NULL || category_within(category, text))
			return true;
		snprintf(step, sizeof(step), "/%s/", text);
		snprintf(path, sizeof(path), "/%s/", category);
		if (json_is_true(json_object_get(goods, "anywhere")) && strstr(path, step) != NULL)
			return true;
	}
	return false;
}

static bool
till_includes(const json_t *include, const char *category, const char *brand)
{
	const json_t *goods;
	size_t i;

	if (include == NULL)
		return true;
	if (json_is_object(include)) {
		json_t *one = json_array();
		bool found;

		json_array_append(one, (json_t *)(uintptr_t)include);
		found = till_includes(one, category, brand);
		json_decref(one);
		return found;
	}
	json_array_foreach(include, i, goods) {
		const char *text = json_string_value(json_object_get(goods, "category"));
		const char *of = json_string_value(json_object_get(goods, "brand"));

		if ((text == NULL || category_within(category, text)) &&
		    (of == NULL || (brand != NULL && strcmp(of, brand) == 0)))
			return true;
	}
	return false;
}

static void
assert_till_leaves_marked_goods(struct scene *s, const struct marks *marks)
{
	for (size_t i = 0; i < s->decision.slot_count; i++) {
		const struct slot *slot = &s->decision.slots[i];
		struct id id = id_of(3);
		struct card card = { .prompt = id, .token = id, .worth_minor = 1 };
		struct buf out = { 0 };
		json_t *command, *offer;

		if (slot->candidate < 0)
			continue;
		prompt_json(&s->decision, slot, &id, &out);
		card.json = buf_steal(&out);
		command_json(COMMAND_APPLY_OFFER, &id, &s->visit, &card, marks, NULL, NOW, &out);
		command = json_text(out.data);
		offer = json_object_get(command, "offer");
		assert_true(json_is_array(json_object_get(offer, "exclude")));
		for (size_t c = 0; c < ARRAY_LEN(categories); c++)
			for (size_t b = 0; b < ARRAY_LEN(brands); b++)
				if (mark_of(marks, categories[c]) != MARK_NONE &&
				    till_includes(json_object_get(offer, "include"), categories[c],
					brands[b]))
					assert_true(till_excludes(json_object_get(offer, "exclude"),
					    categories[c], brands[b]));
		json_decref(command);
		free(card.json);
		buf_done(&out);
	}
}

static void
marked_goods_are_as_if_they_had_never_been_scanned(void **state)
{
	static const char *const countries[] = { NULL, "DE", "FR" };
	size_t with_marked = 0, sent = 0;

	(void)state;
	for (int seed = 1; seed <= rounds; seed++) {
		struct dice dice = { .state = (uint64_t)seed };
		struct subject *whole = subject_new(&(struct id){ { 9 } }),
			       *rest = subject_new(&(struct id){ { 9 } });
		char *a, *b;
		struct visit left;
		struct marks marks;
		struct scene s;

		random_policy(&s, &dice);
		s.policy = compile_parts(&s.parts);
		s.input.sources.marks_off = marks_off_in(ONE_OF(&dice, countries));
		marks = marks_of(s.policy, s.input.sources.marks_off);
		for (uint8_t n = 0; n < dice_below(&dice, 4); n++) {
			struct visit past = { 0 };

			random_lines(&s, &dice, &past);
			/* What is left of a total can be below zero by coupons alone: not here. */
			past.total_minor += 5000;
			left = without_marked(&s, &marks, &past);
			bought(whole, &past, n);
			bought(rest, &left, n);
		}
		random_lines(&s, &dice, &s.visit);
		s.event.item.category = "grocery/tea";
		left = without_marked(&s, &marks, &s.visit);
		with_marked += left.line_count < s.visit.line_count;
		a = decided(&s, &s.visit, whole);
		assert_till_leaves_marked_goods(&s, &marks);
		b = decided(&s, &left, rest);
		sent += s.decision.slot_count > 1;
		if (strcmp(a, b) != 0)
			fail_msg("seed %d:\n%s\n%s", seed, a, b);
		free(a);
		free(b);
		subject_free(whole);
		subject_free(rest);
		scene_end(&s);
	}
	/* It was about something. */
	assert_true(with_marked > (size_t)rounds / 4 && sent > (size_t)rounds / 4);
}

/* ---- history ---- */

static void
sensitive_goods_are_not_remembered_and_others_are(void **state)
{
	struct marked list[] = { { "x", MARK_SENSITIVE }, { "y", MARK_NO_PROMOTION } };
	struct marks marks = { .list = list, .count = 2 };
	struct arena *arena = arena_new();
	struct subject *subject = subject_new(&(struct id){ { 9 } });
	struct visit visit = { .state = VISIT_CLOSED, .total_minor = 600 };
	struct buf row = { 0 };

	(void)state;
	add_line(arena, &visit, "x/y", 1000, 100);
	add_line(arena, &visit, "y/z", 1000, 200);
	add_line(arena, &visit, "tea", 1000, 300);
	subject_add_purchase(subject, &visit, &marks, NOW, &row);
	assert_int_equal(subject->purchase_count, 1);
	assert_int_equal(subject->purchases[0].line_count, 2);
	assert_int_equal(subject->purchases[0].total_minor, 500);
	assert_string_equal(subject->purchases[0].lines[0].category, "y/z");
	assert_null(memmem(row.data, row.len, "x/y", 3));
	/* With nothing else in it there was no visit. */
	visit.line_count = 1;
	visit.total_minor = 100;
	buf_clear(&row);
	subject_add_purchase(subject, &visit, &marks, NOW, &row);
	assert_int_equal(subject->purchase_count, 0);
	buf_done(&row);
	subject_free(subject);
	arena_free(arena);
}

static void
what_an_event_says_of_marked_goods_no_rule_reads(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, "{\"sensitive\":[\"category=toys\"]}");
	add_action(&s, "a", "{\"applicable\":{\"==\":[{\"var\":\"word\"},\"gun\"]}}");
	scene_data(&s, "{\"word\":\"gun\"}");
	s.event.item.category = "toys/water";
	scene_decide(&s);
	assert_string_equal(fate_of(&s, "a"), "missing");
	s.event.item.category = "garden";
	scene_decide(&s);
	assert_string_equal(fate_of(&s, "a"), "offered");
	scene_end(&s);
}

static void
a_compliance_feature_sees_them_for_a_mandatory_action(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, "{}");
	s.parts.count--;
	add_part(s.arena, &s.parts, "features.json",
	    "{\"features\":[{\"name\":\"drink\",\"type\":\"number\","
	    "\"from\":\"basket.count(category=alcohol)\",\"compliance\":true},"
	    "{\"name\":\"lines\",\"type\":\"number\",\"from\":\"basket.lines()\"}]}");
	add_action(&s, "age",
	    "{\"mandatory\":true,\"applicable\":{\">\":[{\"var\":\"drink\"},0]},\"propensity\":"
	    "null,\"incremental\":null,\"margin\":null,\"outcome\":null}");
	add_action(&s, "more", "{\"applicable\":{\">\":[{\"var\":\"lines\"},0]}}");
	add_line(s.arena, &s.visit, "alcohol/gin", 1000, 1999);
	scene_decide(&s);
	assert_string_equal(fate_of(&s, "age"), "offered");
	assert_string_equal(fate_of(&s, "more"), "applicability");
	scene_end(&s);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_of_the_products_list_marks_a_path_at_any_depth),
		cmocka_unit_test(each_word_of_the_products_list_is_known_in_capitals_too),
		cmocka_unit_test(a_country_has_its_own_marks_and_an_unsaid_one_all),
		cmocka_unit_test(of_two_marks_of_the_policy_the_stronger_holds),
		cmocka_unit_test(marked_goods_are_as_if_they_had_never_been_scanned),
		cmocka_unit_test(sensitive_goods_are_not_remembered_and_others_are),
		cmocka_unit_test(what_an_event_says_of_marked_goods_no_rule_reads),
		cmocka_unit_test(a_compliance_feature_sees_them_for_a_mandatory_action),
	};

	if (argc > 1)
		rounds = atoi(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
