/* SPDX-License-Identifier: Apache-2.0
 *
 * test_envelope.c - right events become what they say, to the edge of what is right.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/id.h"
#include "event_samples.h"
#include "random_fixture.h"

static const uint8_t pepper[32] = { 1, 2, 3 };
static struct envelope_rules rules;
static struct arena *arena;
static struct event *event;
static struct rejected rejected;
static unsigned unknown;

static int
setup(void **state)
{
	(void)state;
	rules = (struct envelope_rules){ .pepper = pepper,
		.currency = "EUR",
		.clock_past_ms = 3 * D_MS,
		.clock_ahead_ms = 300 * S_MS };
	arena = arena_new();
	event = NULL;
	unknown = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	event_done(event);
	arena_free(arena);
	return 0;
}

static int
parse_text(const char *tail, const char *text, size_t len)
{
	struct route route;

	event_done(event);
	assert_int_equal(route_parse_tail(tail, &route), 0);
	return envelope_parse(arena, &rules, &route, NULL, text, len, SAMPLE_NOW_MS, &event,
	    &rejected, &unknown);
}

static int
parse_tree(const char *tail, json_t *tree)
{
	char *text = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY);
	int rc = parse_text(tail, text, strlen(text));

	free(text);
	return rc;
}

/* The sample of a type with one member of its data replaced (value NULL: taken out). */
static int
parse_with(const char *type, const char *member, const char *value)
{
	const struct sample *sample = sample_of(type);
	json_t *tree = sample_tree(sample, SAMPLE_NOW_MS);
	json_t *data = json_object_get(tree, "data");
	struct err err = { 0 };
	int rc;

	if (value == NULL)
		json_object_del(data, member);
	else
		json_object_set_new(data, member, json_read(value, strlen(value), "value", &err));
	rc = parse_tree(sample->tail, tree);
	json_decref(tree);
	return rc;
}

static int
parse_sample(const char *type)
{
	return parse_with(type, "no-such-member", NULL);
}

/* Written out they would be masked like the number of a card. */
static void
a_bound_is_said_in_words_that_are_not_masked(void **state)
{
	(void)state;
	assert_int_not_equal(parse_with("aisle.offer.applied", "amount", "-1"), 0);
	assert_non_null(strstr(rejected.detail, "expected 0 to 10^12"));
	assert_int_not_equal(parse_with("aisle.basket.item-added", "amount", "-1000000000001"), 0);
	assert_non_null(strstr(rejected.detail, "expected -10^12 to 10^12"));
	assert_int_not_equal(parse_with("aisle.basket.item-added", "line", "-1"), 0);
	assert_non_null(strstr(rejected.detail, "expected 0 to 2^53 - 1"));
	assert_int_not_equal(parse_with("aisle.loyalty.balance", "points", "1e300"), 0);
	assert_null(strstr(rejected.detail, "**"));
}

#define VOIDED "aisle.basket.item-voided"

static int
parse_void(const char *data)
{
	json_t *tree = sample_tree(sample_of(VOIDED), SAMPLE_NOW_MS);
	struct err err = { 0 };
	int rc;

	json_object_set_new(tree, "data", json_read(data, strlen(data), "data", &err));
	unknown = 0;
	rc = parse_tree("pos/7/event", tree);
	json_decref(tree);
	return rc;
}

static void
a_void_names_a_line_or_those_that_stay_or_an_article(void **state)
{
	char many[16 * EVENT_EXCEPT_MAX];
	size_t len = 0;

	(void)state;
	assert_int_equal(parse_void("{\"basket\":\"b\",\"line\":4}"), 0);
	assert_int_equal(event->void_of, VOID_LINE);
	assert_int_equal(event->item.line, 4);
	assert_int_equal(parse_void("{\"basket\":\"b\",\"except\":[3,9007199254740991]}"), 0);
	assert_int_equal(event->void_of, VOID_REST);
	assert_int_equal(event->except_count, 2);
	assert_int_equal(event->except[1], INT64_C(9007199254740991));
	assert_int_equal(parse_void("{\"basket\":\"b\",\"except\":[]}"), 0);
	assert_int_equal(event->except_count, 0);
	assert_int_equal(parse_void("{\"basket\":\"b\",\"gtin\":\"4006381333931\",\"qty\":2}"), 0);
	assert_int_equal(event->void_of, VOID_ARTICLE);
	assert_string_equal(event->item.item, "04006381333931");
	assert_int_equal(event->item.qty_milli, 2000);
	assert_int_equal(parse_void("{\"basket\":\"b\",\"sku\":\"s\"}"), 0);
	assert_string_equal(event->item.sku, "s");
	assert_int_equal(unknown, 0);
	assert_int_not_equal(parse_void("{\"basket\":\"b\"}"), 0);
	assert_string_equal(rejected.detail,
	    "/data/line: expected this member, or except, gtin or sku");
	assert_int_not_equal(parse_void("{\"basket\":\"b\",\"except\":[1,-1]}"), 0);
	assert_non_null(strstr(rejected.detail, "/data/except/1: expected a line"));
	assert_int_not_equal(parse_void("{\"basket\":\"b\",\"except\":4}"), 0);
	assert_int_equal(rejected.reason, REJECT_BAD_SHAPE);

	len = (size_t)sprintf(many, "{\"basket\":\"b\",\"except\":[0");
	for (int i = 1; i < EVENT_EXCEPT_MAX; i++)
		len += (size_t)sprintf(many + len, ",%d", i);
	memcpy(many + len, "]}", 3);
	assert_int_equal(parse_void(many), 0);
	assert_int_equal(event->except_count, EVENT_EXCEPT_MAX);
	memcpy(many + len, ",0]}", 5);
	assert_int_not_equal(parse_void(many), 0);
	assert_int_equal(rejected.reason, REJECT_BAD_VALUE);
}

static void
every_type_has_a_right_event(void **state)
{
	bool seen[EV_COUNT] = { false };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		assert_int_equal(parse_sample(samples[i].type), 0);
		assert_int_equal(rejected.reason, REJECT_NONE);
		assert_string_equal(event_type_name(event->type), samples[i].type);
		assert_string_equal(event->id, "e1");
		assert_string_equal(event->source, "/store/0042/pos/7");
		assert_int_equal(event->time_ms, SAMPLE_NOW_MS);
		assert_int_equal(event->now_ms, SAMPLE_NOW_MS);
		seen[event->type] = true;
	}
	for (int i = 0; i < EV_COUNT; i++)
		assert_true(seen[i]);
	assert_int_equal(unknown, 0);
}

static void
a_line_says_all_that_the_till_knows(void **state)
{
	(void)state;
	assert_int_equal(parse_sample("aisle.basket.item-added"), 0);
	assert_string_equal(event->basket, "b1");
	assert_string_equal(event->origin, "7");
	assert_int_equal(event->channel, CHANNEL_POS);
	assert_int_equal(event->item.line, 4);
	assert_string_equal(event->item.item, "04006381333931");
	assert_null(event->item.sku);
	assert_false(event->item.restricted);
	assert_string_equal(event->item.category, "grocery/coffee");
	assert_string_equal(event->item.brand, "acme");
	assert_string_equal(event->item.name, "Coffee 500 g");
	assert_int_equal(event->item.qty_milli, 1500);
	assert_int_equal(event->item.amount_minor, 499);
	assert_string_equal(event->currency, "EUR");
	assert_true(event->item.has_margin);
	assert_int_equal(event->item.margin_minor, 120);
	assert_int_equal(event->item.discount_minor, 50);
	assert_int_equal(parse_with("aisle.basket.item-added", "margin", NULL), 0);
	assert_false(event->item.has_margin);
}

static void
other_types_say_theirs(void **state)
{
	(void)state;
	assert_int_equal(parse_with("aisle.basket.opened", "training", "true"), 0);
	assert_true(event->training);
	assert_string_equal(event->terminal, "7");
	assert_string_equal(event->station, "s7");
	assert_string_equal(event->associate, "a-1");
	assert_int_equal(parse_sample("aisle.basket.closed"), 0);
	assert_int_equal(event->total_minor, 499);
	assert_int_equal(parse_sample("aisle.return.completed"), 0);
	assert_string_equal(event->ret, "r1");
	assert_int_equal(event->item_count, 1);
	assert_string_equal(event->items[0].item, "04006381333931");
	assert_int_equal(event->items[0].qty_milli, 1000);
	assert_int_equal(parse_sample("aisle.consent.changed"), 0);
	assert_int_equal(event->purpose, CONSENT_PERSONALISE);
	assert_true(event->granted);
	assert_null(event->state);
	assert_int_equal(event->until_ms, INT64_C(1798761600000));
	assert_int_equal(parse_with("aisle.consent.changed", "state", "\"denied\""), 0);
	assert_false(event->granted);
	assert_int_equal(parse_with("aisle.consent.changed", "purpose", "\"contact\""), 0);
	assert_int_equal(event->purpose, CONSENT_CONTACT);
	assert_int_equal(parse_sample("aisle.care.case-opened"), 0);
	assert_string_equal(event->origin, "care");
	assert_string_equal(event->kase, "c1");
	assert_string_equal(event->topic, "billing");
	assert_int_equal(event->severity, 2);
	assert_int_equal(parse_sample("aisle.loyalty.balance"), 0);
	assert_int_equal(event->points, 1200);
	assert_string_equal(event->tier, "gold");
	assert_int_equal(parse_sample("aisle.wallet.changed"), 0);
	assert_int_equal(event->worth_minor, 200);
	assert_string_equal(event->state, "open");
	assert_int_equal(parse_sample("aisle.contact.recorded"), 0);
	assert_string_equal(event->contact_channel, "mail");
	assert_int_equal(event->at_ms, INT64_C(1795161600000));
	assert_int_equal(parse_sample("aisle.stock.changed"), 0);
	assert_int_equal(event->item.qty_milli, 3000);
	assert_string_equal(event->state, "low");
	assert_int_equal(parse_with("aisle.sensor.reading", "value", "-1.5"), 0);
	assert_true(event->value == -1.5);
	assert_int_equal(parse_sample("aisle.offer.refused"), 0);
	assert_string_equal(event->reason, "no coffee");
	assert_string_equal(event->token, "t1");
}

static void
an_answer_from_a_tablet_says_who_and_why(void **state)
{
	(void)state;
	assert_int_equal(parse_sample("aisle.guidance.decided"), 0);
	assert_string_equal(event->tablet, "t1");
	assert_string_equal(event->guidance, "g1");
	assert_string_equal(event->prompt, "p1");
	assert_string_equal(event->decision, "override");
	assert_string_equal(event->reason, "insensitive");
	assert_string_equal(event->instead_action, "a2");
	assert_int_equal(event->instead_depth, 10);
	assert_string_equal(event->note, "asked for it");
	assert_string_equal(event->manager, "m1");
	assert_string_equal(event->pin, SECRET);
	assert_int_equal(parse_sample("aisle.guidance.shown"), 0);
	assert_true(event->shown);
	assert_int_equal(parse_with("aisle.guidance.shown", "shown", "false"), 0);
	assert_false(event->shown);
	assert_int_equal(parse_with("aisle.guidance.shown", "shown", NULL), 0);
	assert_true(event->shown);
	/* what it calls itself does not count: the topic does */
	assert_int_equal(parse_with("aisle.guidance.shown", "tablet", "\"other\""), 0);
	assert_string_equal(event->tablet, "t1");
}

static void
values_at_the_edge_are_taken(void **state)
{
	static const struct {
		const char *type, *member, *value;
	} edges[] = {
		{ "aisle.basket.item-added", "amount", "1000000000000" },
		{ "aisle.basket.item-added", "amount", "-1000000000000" },
		{ "aisle.basket.item-added", "amount", "0" },
		{ "aisle.basket.item-added", "qty", "0.001" },
		{ "aisle.basket.item-added", "qty", "1000000" },
		{ "aisle.basket.item-added", "qty", "999999.999" },
		{ "aisle.basket.item-added", "qty", "1e3" },
		{ "aisle.basket.item-added", "line", "0" },
		{ "aisle.basket.item-added", "line", "9007199254740991" },
		{ "aisle.basket.item-added", "category", "\"a\"" },
		{ "aisle.basket.item-added", "category", "\"Getr\\u00e4nke/Kaffee & Tee\"" },
		{ "aisle.basket.item-added", "discounts", "[]" },
		{ "aisle.basket.item-added", "brand", "\"\"" },
		{ "aisle.basket.item-added", "brand", "null" },
		{ "aisle.basket.item-added", "margin", "-30" },
		{ "aisle.stock.changed", "qty", "0" },
		{ "aisle.care.case-opened", "severity", "1" },
		{ "aisle.care.case-opened", "severity", "3" },
		{ "aisle.customer.identified", "card", "\" \"" },
		{ "aisle.loyalty.balance", "tier", "\"12345678901234567890123456789012\"" },
		{ "aisle.basket.closed", "tenders", "[]" },
		{ "aisle.customer.identified", "station", "\"ABCDEFGHIJKLMNOPQRSTUVWXYZ_-0123\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
		assert_int_equal(parse_with(edges[i].type, edges[i].member, edges[i].value), 0);
		assert_int_equal(rejected.reason, REJECT_NONE);
	}
	assert_int_equal(unknown, 0);
}

static void
quantities_are_exact_thousandths(void **state)
{
	char text[32];

	(void)state;
	for (int milli = 1; milli < 20000; milli += 7) {
		snprintf(text, sizeof(text), "%d.%03d", milli / 1000, milli % 1000);
		assert_int_equal(parse_with("aisle.basket.item-added", "qty", text), 0);
		assert_int_equal(event->item.qty_milli, milli);
	}
}

static void
a_bad_gtin_becomes_a_sku_and_is_counted(void **state)
{
	static const struct {
		const char *gtin, *sku;
	} bad[] = {
		{ "\"4006381333932\"", "4006381333932" },
		{ "\"apples\"", "apples" },
		{ "\"12 34\"", "1234" },
		{ "\"\"", "unknown" },
		{ "\"\\u0007 \"", "unknown" },
		{ "\"k\\u00e4se\"", "k\xc3\xa4se" },
		{ "4006381333932", "4006381333932" },
		{ "-7", "-7" },
		{ "0.5", "0.5" },
		{ "\"00000000000000\"", "00000000000000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(parse_with("aisle.basket.item-added", "gtin", bad[i].gtin), 0);
		assert_string_equal(event->item.item, "");
		assert_string_equal(event->item.sku, bad[i].sku);
		assert_int_equal(rejected.bad_gtins, 1);
	}
	assert_int_equal(parse_sample("aisle.basket.item-added"), 0);
	assert_int_equal(rejected.bad_gtins, 0);
	assert_int_equal(parse_with("aisle.basket.item-added", "gtin", "\"2012345678903\""), 0);
	assert_true(event->item.restricted);
}

/* Thousands of marks: of a number the first characters are a name, a sku of that length is none. */
static void
a_name_without_end_is_cut_or_refused_before_it_is_composed(void **state)
{
	json_t *tree = sample_tree(sample_of("aisle.basket.item-added"), SAMPLE_NOW_MS);
	json_t *data = json_object_get(tree, "data");
	char text[60001] = "";

	(void)state;
	for (size_t i = 0; i + 4 < sizeof(text); i += 4)
		memcpy(text + i, "\xcc\x81\xcc\x96", 4);
	json_object_set_new(data, "gtin", json_string(text));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_int_equal(strlen(event->item.sku), 256);
	assert_memory_equal(event->item.sku, "\xcc\x96\xcc\x96", 4);
	memset(text, 'a', 2000);
	json_object_set_new(data, "gtin", json_string(text));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_int_equal(strlen(event->item.sku), 256);
	text[1200] = '\0';
	json_object_set_new(data, "sku", json_string(text));
	assert_true(parse_tree("pos/7/event", tree) < 0);
	assert_int_equal(rejected.reason, REJECT_BAD_VALUE);
	/* Where nobody asks for it, it is in nobody's way. */
	json_object_set_new(data, "gtin", json_string("4006381333931"));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_null(event->item.sku);
	json_decref(tree);
}

static void
a_code_of_the_shop_is_named_by_the_sku_beside_it(void **state)
{
	json_t *tree = sample_tree(sample_of("aisle.basket.item-added"), SAMPLE_NOW_MS);
	json_t *data = json_object_get(tree, "data");

	(void)state;
	json_object_set_new(data, "gtin", json_string("2012345678903"));
	json_object_set_new(data, "sku", json_string(" ka\xcc\x88se-1 "));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_string_equal(event->item.item, "02012345678903");
	assert_string_equal(event->item.sku, "k\xc3\xa4se-1");
	assert_true(event->item.restricted);
	json_object_set_new(data, "sku", json_integer(4711));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_string_equal(event->item.sku, "4711");
	struct id digest = event->digest;

	json_object_set_new(data, "sku", json_string("4711"));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_true(id_equal(&event->digest, &digest));
	/* One that says nothing is none; of one that is too long there is a number still. */
	json_object_set_new(data, "sku", json_string(" \t"));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_null(event->item.sku);
	json_object_set_new(data, "gtin", json_integer(42100005264));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_string_equal(event->item.item, "00042100005264");
	json_object_set_new(data, "gtin", json_string("04252614"));
	json_object_set_new(data, "symbology", json_string("UPC-E"));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_string_equal(event->item.item, "00042100005264");
	json_object_set_new(data, "symbology", json_string("qr"));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_string_equal(event->item.sku, "04252614");
	assert_int_equal(unknown, 0);
	json_decref(tree);
}

static void
a_code_gives_batch_date_and_what_the_data_leaves_out(void **state)
{
	json_t *tree = sample_tree(sample_of("aisle.basket.item-added"), SAMPLE_NOW_MS);
	json_t *data = json_object_get(tree, "data");
	static const char code[] = "(01)04006381333931(10)A1(17)270200(3103)001284(3922)000257";

	(void)state;
	json_object_set_new(data, "gtin", json_string(code));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_string_equal(event->item.item, "04006381333931");
	assert_string_equal(event->item.batch, "A1");
	assert_int_equal(event->item.best_before, 20877); /* 2027-02-28 */
	assert_int_equal(event->item.qty_milli, 1500);
	assert_int_equal(event->item.amount_minor, 499);
	json_object_del(data, "qty");
	json_object_del(data, "amount");
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_int_equal(event->item.qty_milli, 1284);
	assert_int_equal(event->item.amount_minor, 257);
	/* 2.5705 are not whole cents */
	json_object_set_new(data, "gtin",
	    json_string("(01)04006381333931(3103)001284(3924)025705"));
	assert_int_equal(parse_tree("pos/7/event", tree), AISLE_E_REFUSED);
	json_object_set_new(data, "gtin",
	    json_string("(01)04006381333931(3103)001284(3924)025700"));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_int_equal(event->item.amount_minor, 257);
	json_object_set_new(data, "gtin",
	    json_string("(01)04006381333931(3103)001284(3920)000257"));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_int_equal(event->item.amount_minor, 25700);
	json_decref(tree);
}

static void
a_sku_stands_for_goods_without_gtin(void **state)
{
	json_t *tree = sample_tree(sample_of("aisle.basket.item-added"), SAMPLE_NOW_MS);
	json_t *data = json_object_get(tree, "data");

	(void)state;
	json_object_set_new(data, "sku", json_string("loose-apples"));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_string_equal(event->item.item, "04006381333931");
	assert_null(event->item.sku);
	json_object_set_new(data, "gtin", json_string("123"));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_string_equal(event->item.sku, "loose-apples");
	assert_int_equal(rejected.bad_gtins, 1);
	json_object_del(data, "gtin");
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_string_equal(event->item.sku, "loose-apples");
	assert_int_equal(rejected.bad_gtins, 0);
	json_decref(tree);
}

static void
a_card_is_hashed_and_forgotten(void **state)
{
	struct id subject = subject_of_card(pepper, SECRET, strlen(SECRET));
	char hex[SUBJECT_TEXT_SIZE];

	(void)state;
	subject_text(&subject, hex);
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct buf text = { 0 };

		assert_int_equal(parse_sample(samples[i].type), 0);
		json_canonical(event->data, &text);
		assert_null(strstr(text.data, SECRET));
		assert_null(json_object_get(event->data, "card"));
		assert_int_equal(event->has_subject, strstr(samples[i].data, "\"card\":") != NULL);
		if (event->has_subject) {
			assert_true(id_equal(&event->subject, &subject));
			assert_string_equal(json_string_value(json_object_get(event->data,
						"subject")),
			    hex);
		}
		buf_done(&text);
	}
	assert_int_equal(parse_sample("aisle.customer.merged"), 0);
	subject = subject_of_card(pepper, SECRET "2", strlen(SECRET "2"));
	assert_true(id_equal(&event->into, &subject));
}

static void
a_subject_may_come_instead_of_a_card(void **state)
{
	struct id digest, subject = subject_of_card(pepper, SECRET, strlen(SECRET));
	json_t *tree = sample_tree(sample_of("aisle.customer.identified"), SAMPLE_NOW_MS);
	json_t *data = json_object_get(tree, "data");
	char hex[SUBJECT_TEXT_SIZE];

	(void)state;
	subject_text(&subject, hex);
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	digest = event->digest;
	json_object_del(data, "card");
	json_object_set_new(data, "subject", json_string(hex));
	assert_int_equal(parse_tree("pos/7/event", tree), 0);
	assert_true(id_equal(&event->subject, &subject));
	assert_true(id_equal(&event->digest, &digest));
	json_decref(tree);
}

/* Each type with a card, once with the subject in its place. */
static void
only_a_recording_has_subjects_in_place_of_other_cards(void **state)
{
	struct id subject = subject_of_card(pepper, SECRET, strlen(SECRET));
	char hex[SUBJECT_TEXT_SIZE];

	(void)state;
	subject_text(&subject, hex);
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		json_t *tree = sample_tree(&samples[i], SAMPLE_NOW_MS);
		json_t *data = json_object_get(tree, "data");
		bool person = strcmp(samples[i].type, "aisle.customer.identified") == 0;

		if (json_object_get(data, "card") == NULL) {
			json_decref(tree);
			continue;
		}
		json_object_del(data, "card");
		json_object_set_new(data, "subject", json_string(hex));
		if (json_object_get(data, "into") != NULL)
			json_object_set_new(data, "into",
			    json_string("0f0e0d0c0b0a09080706050403020100"));
		rules.recorded = true;
		assert_int_equal(parse_tree(samples[i].tail, tree), 0);
		assert_true(event->has_subject && id_equal(&event->subject, &subject));
		assert_int_equal(unknown, 0);
		rules.recorded = false;
		if (parse_tree(samples[i].tail, tree) == 0) {
			assert_int_equal(event->has_subject, person);
			assert_int_equal(json_object_get(event->data, "subject") != NULL, person);
		} else {
			assert_int_equal(rejected.reason, REJECT_BAD_SHAPE);
			assert_string_equal(rejected.detail, "/data/card: expected this member");
		}
		assert_int_equal(unknown, !person);
		unknown = 0;
		json_decref(tree);
	}
}

static void
a_subject_beside_a_card_is_nothing_on_the_wire(void **state)
{
	struct id subject = subject_of_card(pepper, SECRET, strlen(SECRET));

	(void)state;
	assert_int_equal(parse_with("aisle.consent.changed", "subject",
			     "\"0f0e0d0c0b0a09080706050403020100\""),
	    0);
	assert_int_equal(unknown, 1);
	assert_true(id_equal(&event->subject, &subject));
	rules.recorded = true;
	assert_int_not_equal(parse_with("aisle.consent.changed", "subject",
				 "\"0f0e0d0c0b0a09080706050403020100\""),
	    0);
	assert_string_equal(rejected.detail, "/data/card: expected card or subject, not both");
}

static void
approved_is_of_recordings_and_nothing_on_the_wire(void **state)
{
	(void)state;
	assert_int_equal(parse_with("aisle.guidance.decided", "approved", "true"), 0);
	assert_int_equal(unknown, 1);
	assert_false(event->approved);
	assert_null(json_object_get(event->data, "approved"));
	assert_int_equal(parse_with("aisle.guidance.decided", "approved", "17"), 0);
	assert_int_equal(unknown, 2);
	rules.recorded = true;
	assert_int_equal(parse_with("aisle.guidance.decided", "approved", "true"), 0);
	assert_true(event->approved);
	assert_int_equal(parse_with("aisle.guidance.decided", "approved", "false"), 0);
	assert_false(event->approved);
	assert_int_equal(parse_with("aisle.guidance.decided", "approved", "\"true\""),
	    AISLE_E_REFUSED);
	assert_string_equal(rejected.detail, "/data/approved: expected true or false");
	assert_int_equal(unknown, 2);
}

static void
an_optional_card_may_be_missing(void **state)
{
	(void)state;
	assert_int_equal(parse_with("aisle.survey.answered", "card", NULL), 0);
	assert_false(event->has_subject);
	assert_int_equal(parse_with("aisle.customer.left", "card", "null"), 0);
	assert_false(event->has_subject);
}

static void
the_digest_is_of_type_time_and_data_only(void **state)
{
	const char *reordered =
	    "{\"data\":{\"line\":4, \"basket\":\"b1\"},\"id\":\"e9\",\"source\":\"s\","
	    "\"type\":\"aisle.basket.item-voided\",\"specversion\":\"1.0\",\"time\":\"2026-11-"
	    "21T10:30:00.123Z\"}";
	const struct sample *sample = sample_of("aisle.basket.item-voided");
	json_t *tree = sample_tree(sample, SAMPLE_NOW_MS);
	struct id digest;

	(void)state;
	assert_int_equal(parse_tree(sample->tail, tree), 0);
	digest = event->digest;
	json_object_set_new(tree, "id", json_string("e2"));
	json_object_set_new(tree, "receipt", json_true());
	json_object_set_new(tree, "traceparent", json_string("00-ab-cd-01"));
	assert_int_equal(parse_tree(sample->tail, tree), 0);
	assert_true(id_equal(&event->digest, &digest));
	assert_true(event->receipt);
	assert_int_equal(parse_text(sample->tail, reordered, strlen(reordered)), 0);
	assert_true(id_equal(&event->digest, &digest));
	json_object_set_new(json_object_get(tree, "data"), "line", json_integer(5));
	assert_int_equal(parse_tree(sample->tail, tree), 0);
	assert_false(id_equal(&event->digest, &digest));
	json_decref(tree);
	tree = sample_tree(sample, SAMPLE_NOW_MS + 1);
	assert_int_equal(parse_tree(sample->tail, tree), 0);
	assert_false(id_equal(&event->digest, &digest));
	json_decref(tree);
}

static void
digest_of(const char *member, const char *value, struct id *ret)
{
	assert_int_equal(parse_with("aisle.loyalty.balance", member, value), 0);
	*ret = event->digest;
}

static void
the_same_meaning_in_another_writing_has_the_same_digest(void **state)
{
	static const char *const same[][2] = {
		{ "expires", "\"2027-01-01T00:00:00.000Z\"" },
		{ "expires", "\"2027-01-01T00:00:00+00:00\"" },
		{ "expires", "\"2027-01-01t01:00:00.0+01:00\"" },
		{ "expires", "\"2027-01-01T00:00:00.0004z\"" },
		{ "ours", "null" },
		{ "tier", "\"g\\u006fld\"" },
	};
	static const char *const other[][2] = {
		{ "expires", "\"2027-01-01T00:00:00-00:30\"" },
		{ "expires", "null" },
		{ "tier", "\"Gold\"" },
		{ "points", "1201" },
		{ "ours", "{}" },
	};
	struct id digest, again;

	(void)state;
	digest_of("no-such-member", NULL, &digest);
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		digest_of(same[i][0], same[i][1], &again);
		assert_true(id_equal(&again, &digest));
	}
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		digest_of(other[i][0], other[i][1], &again);
		assert_false(id_equal(&again, &digest));
	}
}

/* Which members, in which order, with how much white space, beside which attributes: nothing. */
static void
any_writing_of_an_event_is_that_event(void **state)
{
	static const char *const members[] = { "\"basket\":\"b1\"", "\"line\":4",
		"\"x\":{\"a\":[1,null],\"b\":null}", "\"terminal\":null" };
	static const char *const attributes[] = { "\"specversion\":\"1.0\"", "\"id\":\"e1\"",
		"\"source\":\"s\"", "\"type\":\"aisle.basket.item-voided\"",
		"\"time\":\"2026-11-21T10:30:00+00:00\"", "\"partitionkey\":\"p\"",
		"\"dataschema\":null" };
	static const char *const spaces[] = { "", " ", "\n\t", "  " };
	struct dice dice = { 5 };
	struct id digest;
	char text[600];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint64_t first = dice_next(&dice);
		int len = sprintf(text, "{");

		for (size_t i = 0; i <= ARRAY_LEN(attributes); i++) {
			size_t at = (i + first) % (ARRAY_LEN(attributes) + 1);

			len += sprintf(text + len, "%s%s", i > 0 ? "," : "",
			    spaces[dice_below(&dice, 4)]);
			if (at < ARRAY_LEN(attributes)) {
				len += sprintf(text + len, "%s", attributes[at]);
				continue;
			}
			len += sprintf(text + len, "\"data\":{");
			for (size_t m = 0; m < ARRAY_LEN(members); m++)
				len += sprintf(text + len, "%s%s%s", m > 0 ? "," : "",
				    spaces[dice_below(&dice, 4)],
				    members[(m + first / 64) % ARRAY_LEN(members)]);
			len += sprintf(text + len, "}");
		}
		len += sprintf(text + len, "}");
		assert_int_equal(parse_text("pos/7/event", text, (size_t)len), 0);
		if (round == 0)
			digest = event->digest;
		assert_true(id_equal(&event->digest, &digest));
	}
}

static void
a_decoration_never_costs_a_line(void **state)
{
	static const char *const odd[] = { "7", "7.5", "true", "[]", "{}", "\"\"", "null" };
	char text[800];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		assert_int_equal(parse_with("aisle.basket.item-added", "name", odd[i]), 0);
		assert_null(event->item.name);
		assert_int_equal(parse_with("aisle.basket.item-added", "brand", odd[i]), 0);
		assert_null(event->item.brand);
	}
	/* 86 characters of 3 bytes are 258: the last one does not fit. */
	for (int over = 0; over < 4; over++) {
		int len = sprintf(text, "\"%.*s", over, "abc");

		for (int i = 0; i < 86; i++)
			len += sprintf(text + len, "\xe0\xb8\x81");
		sprintf(text + len, "\"");
		assert_int_equal(parse_with("aisle.basket.item-added", "name", text), 0);
		assert_int_equal(strlen(event->item.name), over + 3 * ((256 - over) / 3));
		assert_memory_equal(event->item.name, text + 1, strlen(event->item.name));
	}
	sprintf(text,
	    "[{\"ref\":\"K\xc3\xbc"
	    "chenrabatt %0150d\",\"amount\":50},{\"ref\":4711,\"amount\":7}]",
	    1);
	assert_int_equal(parse_with("aisle.basket.item-added", "discounts", text), 0);
	assert_int_equal(event->item.discount_minor, 57);
	assert_int_equal(parse_with("aisle.basket.closed", "tenders",
			     "[{\"type\":\"Gutschein f\xc3\xbcr Kunden\",\"amount\":499}]"),
	    0);
}

static void
card_numbers_and_pins_in_texts_are_masked_on_arrival(void **state)
{
	(void)state;
	assert_int_equal(parse_with("aisle.basket.item-added", "name",
			     "\"Voucher 4929123456789012\""),
	    0);
	assert_string_equal(event->item.name, "Voucher ****************");
	assert_string_equal(json_string_value(json_object_get(event->data, "name")),
	    "Voucher ****************");
	assert_int_equal(parse_with("aisle.offer.refused", "reason", "\"PIN 8642 is wrong\""), 0);
	assert_string_equal(event->reason, "PIN **** is wrong");
	assert_int_equal(parse_with("aisle.guidance.decided", "note",
			     "\"card 4929 1234 5678 9012\""),
	    0);
	assert_string_equal(event->note, "card **** **** **** ****");
	/* What an event is known by stays. */
	assert_int_equal(parse_with("aisle.basket.item-added", "basket", "\"4929123456789012\""),
	    0);
	assert_string_equal(event->basket, "4929123456789012");
	assert_int_equal(parse_with("aisle.basket.item-added", "gtin", "\"4006381333931\""), 0);
	assert_string_equal(event->item.item, "04006381333931");
}

static void
category_and_brand_are_taken_as_they_compare(void **state)
{
	static const char *const categories[] = { "\"x/tabak\"", "\"X/Tabak\"", "\"x/tabak \"",
		"\"x / TABAK\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(categories); i++) {
		assert_int_equal(parse_with("aisle.basket.item-added", "category", categories[i]),
		    0);
		assert_string_equal(event->item.category, "x/tabak");
	}
	assert_int_equal(parse_with("aisle.basket.item-added", "brand", "\" KA\\u0308SE \""), 0);
	assert_string_equal(event->item.brand, "k\xc3\xa4se");
	assert_int_equal(parse_with("aisle.basket.item-added", "brand", "\"  \""), 0);
	assert_null(event->item.brand);
	assert_int_equal(parse_with("aisle.basket.item-added", "name", "\"Caf\xc3\xa9 Gold\""), 0);
	assert_string_equal(event->item.name, "Caf\xc3\xa9 Gold");
}

static void
a_quantity_is_rounded_to_three_decimals(void **state)
{
	static const struct {
		const char *text;
		int64_t milli;
	} quantities[] = { { "0.30000000000000004", 300 }, { "1.2845", 1285 }, { "1.2844", 1284 },
		{ "2.9999999", 3000 }, { "0.0004", 1 }, { "1e-9", 1 }, { "1", 1000 },
		{ "1000000.0004", 1000000000 }, { "0.001", 1 } };
	struct id digest;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(quantities); i++) {
		assert_int_equal(parse_with("aisle.basket.item-added", "qty", quantities[i].text),
		    0);
		assert_int_equal(event->item.qty_milli, quantities[i].milli);
	}
	assert_int_equal(parse_with("aisle.basket.item-added", "qty", "1.2"), 0);
	digest = event->digest;
	assert_int_equal(parse_with("aisle.basket.item-added", "qty", "1.2000000000000002"), 0);
	assert_true(id_equal(&event->digest, &digest));
}

static int
parse_at(int64_t time_ms)
{
	const struct sample *sample = sample_of("aisle.basket.opened");
	json_t *tree = sample_tree(sample, time_ms);
	int rc = parse_tree(sample->tail, tree);

	json_decref(tree);
	return rc;
}

static void
the_clock_bounds_are_inclusive(void **state)
{
	(void)state;
	assert_int_equal(parse_at(SAMPLE_NOW_MS - 3 * D_MS), 0);
	assert_int_equal(parse_at(SAMPLE_NOW_MS - 3 * D_MS - 1), AISLE_E_REFUSED);
	assert_int_equal(rejected.reason, REJECT_CLOCK);
	assert_string_equal(rejected.id, "e1");
	assert_int_equal(parse_at(SAMPLE_NOW_MS + 300 * S_MS), 0);
	assert_int_equal(parse_at(SAMPLE_NOW_MS + 300 * S_MS + 1), AISLE_E_REFUSED);
	assert_int_equal(rejected.reason, REJECT_CLOCK);
	rules.clock_off = true;
	assert_int_equal(parse_at(0), 0);
	assert_int_equal(event->time_ms, 0);
}

static void
an_event_without_time_happened_on_arrival(void **state)
{
	const struct sample *sample = sample_of("aisle.basket.opened");
	json_t *tree = sample_tree(sample, 0);

	(void)state;
	json_object_del(tree, "time");
	assert_int_equal(parse_tree(sample->tail, tree), 0);
	assert_int_equal(event->time_ms, SAMPLE_NOW_MS);
	json_object_set_new(tree, "time", json_null());
	assert_int_equal(parse_tree(sample->tail, tree), 0);
	json_decref(tree);
}

static void
unknown_members_are_counted_wherever_they_are(void **state)
{
	const struct sample *sample = sample_of("aisle.basket.item-added");
	json_t *tree = sample_tree(sample, SAMPLE_NOW_MS);
	json_t *data = json_object_get(tree, "data");

	(void)state;
	json_object_set_new(tree, "traceparent", json_string("legal extension"));
	assert_int_equal(parse_tree(sample->tail, tree), 0);
	assert_int_equal(unknown, 0);
	json_object_set_new(data, "colour", json_string("red"));
	json_object_set_new(json_array_get(json_object_get(data, "discounts"), 0), "why",
	    json_true());
	json_object_set_new(data, "shape", json_null());
	json_object_set_new(tree, "dataContentType", json_string("x"));
	assert_int_equal(parse_tree(sample->tail, tree), 0);
	assert_int_equal(unknown, 3);
	json_decref(tree);
}

static void
binary_mode_is_the_same_event(void **state)
{
	const struct sample *sample = sample_of("aisle.customer.identified");
	struct binary_attributes attributes = { 7,
		{ { "specversion", "1.0" }, { "id", "e1" }, { "source", "/store/0042/pos/7" },
		    { "type", sample->type }, { "time", "2026-11-21T10:30:00.123Z" },
		    { "datacontenttype", "application/json; charset=utf-8" },
		    { "receipt", "true" } } };
	struct route route;
	struct id digest;

	(void)state;
	assert_int_equal(parse_sample(sample->type), 0);
	digest = event->digest;
	event_done(event);
	assert_int_equal(route_parse_tail(sample->tail, &route), 0);
	assert_int_equal(envelope_parse(arena, &rules, &route, &attributes, sample->data,
			     strlen(sample->data), SAMPLE_NOW_MS, &event, &rejected, &unknown),
	    0);
	assert_true(id_equal(&event->digest, &digest));
	assert_true(event->receipt);
	event_done(event);
	assert_int_equal(envelope_parse(arena, &rules, &route, &attributes, "{", 1, SAMPLE_NOW_MS,
			     &event, &rejected, &unknown),
	    AISLE_E_REFUSED);
	assert_int_equal(rejected.reason, REJECT_NOT_JSON);
	attributes.pair[6].value = "yes";
	assert_int_equal(envelope_parse(arena, &rules, &route, &attributes, sample->data,
			     strlen(sample->data), SAMPLE_NOW_MS, &event, &rejected, &unknown),
	    AISLE_E_REFUSED);
	assert_int_equal(rejected.reason, REJECT_BAD_ENVELOPE);
	attributes.pair[6].name = "id";
	assert_int_equal(envelope_parse(arena, &rules, &route, &attributes, sample->data,
			     strlen(sample->data), SAMPLE_NOW_MS, &event, &rejected, &unknown),
	    AISLE_E_REFUSED);
	assert_int_equal(rejected.reason, REJECT_BAD_ENVELOPE);
	attributes.count = 4;
	attributes.pair[3].name = "data";
	assert_int_equal(envelope_parse(arena, &rules, &route, &attributes, sample->data,
			     strlen(sample->data), SAMPLE_NOW_MS, &event, &rejected, &unknown),
	    AISLE_E_REFUSED);
	assert_int_equal(rejected.reason, REJECT_BAD_ENVELOPE);
}

static void
size_is_bounded_to_the_byte(void **state)
{
	const struct sample *sample = sample_of("aisle.basket.opened");
	json_t *tree = sample_tree(sample, SAMPLE_NOW_MS);
	char *text = json_dumps(tree, 0), *big = malloc(EVENT_BYTES_MAX + 1);

	(void)state;
	memset(big, ' ', EVENT_BYTES_MAX + 1);
	memcpy(big, text, strlen(text));
	assert_int_equal(parse_text(sample->tail, big, EVENT_BYTES_MAX), 0);
	assert_int_equal(parse_text(sample->tail, big, EVENT_BYTES_MAX + 1), AISLE_E_REFUSED);
	assert_int_equal(rejected.reason, REJECT_TOO_BIG);
	free(big);
	free(text);
	json_decref(tree);
}

static void
a_recorded_line_says_where_and_when(void **state)
{
	static const char *const lines[] = {
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/store/1/pos/"
		"9\",\"type\":\"aisle.basket.cancelled\","
		"\"time\":\"2026-11-21T10:00:00Z\",\"recordedtime\":\"2026-11-21T10:00:02.5Z\","
		"\"topic\":\"pos/7/event\","
		"\"data\":{\"basket\":\"b\"}}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/store/1/pos/"
		"9\",\"type\":\"aisle.basket.cancelled\","
		"\"time\":\"2026-11-21T10:00:00Z\",\"data\":{\"basket\":\"b\"}}",
	};
	struct route route;
	int64_t now_ms;

	(void)state;
	assert_int_equal(envelope_parse_recorded(arena, &rules, lines[0], strlen(lines[0]), &route,
			     &now_ms, &event, &rejected, &unknown),
	    0);
	assert_string_equal(route.origin, "7");
	assert_int_equal(now_ms, INT64_C(1795255202500));
	assert_int_equal(event->now_ms, now_ms);
	assert_int_equal(event->time_ms, now_ms - 2500);
	event_done(event);
	assert_int_equal(envelope_parse_recorded(arena, &rules, lines[1], strlen(lines[1]), &route,
			     &now_ms, &event, &rejected, &unknown),
	    0);
	assert_string_equal(route.origin, "9");
	assert_int_equal(event->time_ms, event->now_ms);
}

static void
a_refused_recorded_line_still_says_where_and_when(void **state)
{
	const char *line = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/store/1/pos/"
			   "9\",\"type\":\"nonsense\","
			   "\"time\":\"2026-11-21T10:00:00Z\",\"data\":{\"basket\":\"b\"}}";
	static const char *const lost[] = {
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/store/1/till/"
		"9\",\"time\":\"2026-11-21T10:00:00Z\"}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/store/1/pos/9\"}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/store/1/pos/"
		"9\",\"recordedtime\":\"yesterday\"}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/store/1/pos/"
		"9\",\"topic\":\"tablet/a/hello\","
		"\"time\":\"2026-11-21T10:00:00Z\"}",
		"{\"topic\":7,\"source\":\"/store/1/pos/9\",\"time\":\"2026-11-21T10:00:00Z\"}",
		"[]",
		"7",
	};
	struct route route;
	int64_t now_ms;

	(void)state;
	assert_int_equal(envelope_parse_recorded(arena, &rules, line, strlen(line), &route, &now_ms,
			     &event, &rejected, &unknown),
	    AISLE_E_REFUSED);
	assert_int_equal(rejected.reason, REJECT_UNKNOWN_TYPE);
	assert_string_equal(route.origin, "9");
	assert_int_equal(now_ms, INT64_C(1795255200000));
	for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
		assert_int_equal(envelope_parse_recorded(arena, &rules, lost[i], strlen(lost[i]),
				     &route, &now_ms, &event, &rejected, &unknown),
		    AISLE_E_REFUSED);
		assert_int_equal(rejected.reason, REJECT_BAD_ENVELOPE);
	}
	assert_int_equal(envelope_parse_recorded(arena, &rules, "{", 1, &route, &now_ms, &event,
			     &rejected, &unknown),
	    AISLE_E_REFUSED);
	assert_int_equal(rejected.reason, REJECT_NOT_JSON);
	assert_int_equal(now_ms, 0);
}

static void
names_of_types_and_reasons_are_the_contract(void **state)
{
	(void)state;
	for (int i = 0; i < EV_COUNT; i++)
		assert_int_equal(event_type_by_name(event_type_name((enum event_type)i)), i);
	assert_int_equal(event_type_by_name("aisle.basket"), EV_NONE);
	assert_int_equal(event_type_by_name(""), EV_NONE);
	assert_string_equal(reject_name(REJECT_TOO_BIG), "too-big");
	assert_string_equal(reject_name(REJECT_NOT_YOURS), "not-yours");
	assert_string_equal(reject_name(REJECT_RATE), "rate");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_type_has_a_right_event),
		TEST(a_void_names_a_line_or_those_that_stay_or_an_article),
		TEST(a_bound_is_said_in_words_that_are_not_masked),
		TEST(a_line_says_all_that_the_till_knows),
		TEST(other_types_say_theirs),
		TEST(an_answer_from_a_tablet_says_who_and_why),
		TEST(values_at_the_edge_are_taken),
		TEST(quantities_are_exact_thousandths),
		TEST(a_bad_gtin_becomes_a_sku_and_is_counted),
		TEST(a_name_without_end_is_cut_or_refused_before_it_is_composed),
		TEST(a_code_of_the_shop_is_named_by_the_sku_beside_it),
		TEST(a_code_gives_batch_date_and_what_the_data_leaves_out),
		TEST(a_sku_stands_for_goods_without_gtin),
		TEST(a_card_is_hashed_and_forgotten),
		TEST(a_subject_may_come_instead_of_a_card),
		TEST(only_a_recording_has_subjects_in_place_of_other_cards),
		TEST(a_subject_beside_a_card_is_nothing_on_the_wire),
		TEST(approved_is_of_recordings_and_nothing_on_the_wire),
		TEST(an_optional_card_may_be_missing),
		TEST(the_digest_is_of_type_time_and_data_only),
		TEST(the_same_meaning_in_another_writing_has_the_same_digest),
		TEST(any_writing_of_an_event_is_that_event),
		TEST(a_decoration_never_costs_a_line),
		TEST(card_numbers_and_pins_in_texts_are_masked_on_arrival),
		TEST(category_and_brand_are_taken_as_they_compare),
		TEST(a_quantity_is_rounded_to_three_decimals),
		TEST(the_clock_bounds_are_inclusive),
		TEST(an_event_without_time_happened_on_arrival),
		TEST(unknown_members_are_counted_wherever_they_are),
		TEST(binary_mode_is_the_same_event),
		TEST(size_is_bounded_to_the_byte),
		TEST(a_recorded_line_says_where_and_when),
		TEST(a_refused_recorded_line_still_says_where_and_when),
		TEST(names_of_types_and_reasons_are_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
