/* SPDX-License-Identifier: Apache-2.0
 *
 * test_mapping.c - bare till JSON through mapping files, up to the event.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ingest/envelope.h"
#include "ingest/mapping.h"

#define EVENTS(inside) \
	"{\"topic\":\"tills/+/scan\",\"terminal\":2,\"money\":\"decimal\",\"events\":[" inside "]" \
	"}"
#define LINE_DATA \
	"\"basket\":{\"var\":\"b\"},\"line\":{\"var\":\"n\"},\"gtin\":{\"var\":\"ean\"}," \
	"\"category\":\"c\",\"qty\":1," \
	"\"amount\":{\"var\":\"price\"},\"currency\":\"EUR\",\"margin\":{\"var\":\"profit\"}," \
	"\"discounts\":{\"var\":\"off\"}"
#define LINE_EVENT \
	"{\"type\":\"aisle.basket.item-added\",\"id\":{\"var\":\"seq\"},\"time\":{\"var\":\"t\"}," \
	"\"data\":{" LINE_DATA "}}"

static char path[] = "/tmp/aisle-mapping-XXXXXX";
static struct mapping *mapping;
static struct err err;
static struct buf report; /* of the last file that was loaded */
static char terminal[33];

static int
load_text(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	mapping_free(mapping);
	mapping = NULL;
	buf_clear(&report);
	return mapping_load("m", path, &mapping, &report);
}

static json_t *
apply(const char *topic, const char *payload)
{
	memset(&err, 0, sizeof(err));
	return mapping_apply(mapping, topic, payload, strlen(payload), terminal, &err);
}

/* A member of the data of the n-th event that a payload becomes; new reference. */
static json_t *
data_of(const char *payload, const char *member)
{
	json_t *events = apply("tills/7/scan", payload);
	json_t *value;

	assert_non_null(events);
	assert_int_equal(json_array_size(events), 1);
	value = json_incref(json_object_get(json_object_get(json_array_get(events, 0), "data"),
	    member));
	json_decref(events);
	return value;
}

static int
setup(void **state)
{
	(void)state;
	close(mkstemp(path));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mapping_free(mapping);
	buf_done(&report);
	unlink(path);
	return 0;
}

static void
a_bare_line_becomes_an_event(void **state)
{
	json_t *events, *event;

	(void)state;
	assert_int_equal(load_text(EVENTS(LINE_EVENT)), 0);
	assert_string_equal(mapping_topic(mapping), "tills/+/scan");
	events = apply("tills/7/scan",
	    "{\"b\":\"b1\",\"n\":1,\"ean\":\"4006381333931\",\"price\":4.35,\"seq\":\"s-1\","
	    "\"t\":\"2026-11-21T10:00:00Z\"}");
	assert_non_null(events);
	assert_int_equal(json_array_size(events), 1);
	assert_string_equal(terminal, "7");
	event = json_array_get(events, 0);
	assert_string_equal(json_string_value(json_object_get(event, "specversion")), "1.0");
	assert_string_equal(json_string_value(json_object_get(event, "source")), "/mapping/m/7");
	assert_string_equal(json_string_value(json_object_get(event, "id")), "s-1");
	assert_string_equal(json_string_value(json_object_get(event, "type")),
	    "aisle.basket.item-added");
	assert_string_equal(json_string_value(json_object_get(event, "time")),
	    "2026-11-21T10:00:00Z");
	event = json_object_get(event, "data");
	assert_int_equal(json_integer_value(json_object_get(event, "amount")), 435);
	assert_null(json_object_get(event, "margin"));
	assert_null(json_object_get(event, "discounts"));
	json_decref(events);
}

static void
decimal_money_is_exact_wherever_it_stands(void **state)
{
	static const struct {
		const char *price;
		json_int_t minor;
	} prices[] = {
		{ "4.35", 435 },
		{ "0.29", 29 },
		{ "1.1", 110 },
		{ "19.99", 1999 },
		{ "\"4.35\"", 435 },
		{ "7", 700 },
		{ "-2.5", -250 },
		{ "1e2", 10000 },
		{ "\"1000000.01\"", 100000001 },
		{ "0", 0 },
	};
	char payload[200];
	json_t *value;

	(void)state;
	assert_int_equal(load_text(EVENTS(LINE_EVENT)), 0);
	for (size_t i = 0; i < ARRAY_LEN(prices); i++) {
		snprintf(payload, sizeof(payload),
		    "{\"seq\":1,\"price\":%s,\"profit\":%s,\"off\":[{\"ref\":\"r\",\"amount\":%s}]"
		    "}",
		    prices[i].price, prices[i].price, prices[i].price);
		value = data_of(payload, "amount");
		assert_true(json_is_integer(value));
		assert_int_equal(json_integer_value(value), prices[i].minor);
		json_decref(value);
		value = data_of(payload, "margin");
		assert_int_equal(json_integer_value(value), prices[i].minor);
		json_decref(value);
		value = data_of(payload, "discounts");
		assert_int_equal(json_integer_value(json_object_get(json_array_get(value, 0),
				     "amount")),
		    prices[i].minor);
		json_decref(value);
	}
}

static void
excess_decimals_are_refused_and_the_member_is_named(void **state)
{
	static const char *const bad[] = { "4.351", "\"4.351\"", "\"4,35\"", "\"4.35 EUR\"", "1e13",
		"\"\"" };
	char payload[100];

	(void)state;
	assert_int_equal(load_text(EVENTS(LINE_EVENT)), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(payload, sizeof(payload), "{\"seq\":1,\"price\":%s}", bad[i]);
		assert_null(apply("tills/7/scan", payload));
		assert_non_null(strstr(err.text, "/events/0/data/amount"));
	}
	assert_int_equal(load_text("{\"topic\":\"tills/+/"
				   "scan\",\"terminal\":2,\"money\":\"decimal\",\"rounding\":"
				   "\"half-up\","
				   "\"events\":[" LINE_EVENT "]}"),
	    0);
	json_t *value = data_of("{\"seq\":1,\"price\":6.32613}", "amount");
	assert_int_equal(json_integer_value(value), 633);
	json_decref(value);
}

static void
a_currency_has_its_own_decimals(void **state)
{
	json_t *value;

	(void)state;
	assert_int_equal(load_text(EVENTS("{\"type\":\"aisle.offer.applied\",\"id\":{\"var\":\"i\"}"
					  ",\"data\":{\"basket\":"
					  "\"b\","
					  "\"token\":\"t\",\"amount\":{\"var\":\"a\"},\"currency\":"
					  "{\"var\":\"c\"}}}")),
	    0);
	value = data_of("{\"i\":1,\"a\":500,\"c\":\"JPY\"}", "amount");
	assert_int_equal(json_integer_value(value), 500);
	json_decref(value);
	value = data_of("{\"i\":1,\"a\":1.234,\"c\":\"KWD\"}", "amount");
	assert_int_equal(json_integer_value(value), 1234);
	json_decref(value);
	mapping_set_store(mapping, "KWD", "UTC");
	value = data_of("{\"i\":1,\"a\":1.5}", "amount");
	assert_int_equal(json_integer_value(value), 1500);
	json_decref(value);
}

static void
minor_money_stays_as_it_is(void **state)
{
	json_t *value;

	(void)state;
	assert_int_equal(load_text("{\"topic\":\"tills/+/"
				   "scan\",\"terminal\":2,\"events\":[" LINE_EVENT "]}"),
	    0);
	value = data_of("{\"seq\":1,\"price\":435,\"n\":3.0}", "amount");
	assert_true(json_is_integer(value));
	assert_int_equal(json_integer_value(value), 435);
	json_decref(value);
	value = data_of("{\"seq\":1,\"price\":435,\"n\":3.0}", "line");
	assert_true(json_is_integer(value));
	json_decref(value);
	value = data_of("{\"seq\":1,\"price\":4.35}", "amount");
	assert_true(json_is_real(value)); /* for the envelope to refuse */
	json_decref(value);
}

static const char *
time_of(const char *t, char out[static 40])
{
	char payload[100];
	json_t *events;
	const char *text;

	snprintf(payload, sizeof(payload), "{\"seq\":1,\"price\":1,\"t\":%s}", t);
	events = apply("tills/7/scan", payload);
	if (events == NULL)
		return NULL;
	text = json_string_value(json_object_get(json_array_get(events, 0), "time"));
	snprintf(out, 40, "%s", text != NULL ? text : "none");
	json_decref(events);
	return out;
}

static void
times_in_any_unit_are_told_by_their_magnitude(void **state)
{
	char out[40];

	(void)state;
	assert_int_equal(load_text(EVENTS(LINE_EVENT)), 0);
	assert_string_equal(time_of("1795257000", out), "2026-11-21T10:30:00.000Z");
	assert_string_equal(time_of("1795257000.5", out), "2026-11-21T10:30:00.500Z");
	assert_string_equal(time_of("1795257000123", out), "2026-11-21T10:30:00.123Z");
	assert_string_equal(time_of("1795257000123456", out), "2026-11-21T10:30:00.123Z");
	assert_string_equal(time_of("1795257000123456789", out), "2026-11-21T10:30:00.123Z");
	assert_string_equal(time_of("\"2026-11-21T10:30:00+01:00\"", out),
	    "2026-11-21T10:30:00+01:00");
	assert_string_equal(time_of("null", out), "none");
	/* 2000 and 2100 are the bounds of belief */
	assert_string_equal(time_of("946684800", out), "2000-01-01T00:00:00.000Z");
	assert_null(time_of("946684799", out));
	assert_string_equal(time_of("4102444799", out), "2099-12-31T23:59:59.000Z");
	assert_null(time_of("4102444800", out));
	/* the fourteen digits of a well-known example are in no unit at all */
	assert_null(time_of("15736013940000", out));
	assert_null(time_of("0", out));
	assert_null(time_of("-1795257000", out));
	assert_null(time_of("true", out));
}

static void
what_no_rule_takes_is_said(void **state)
{
	json_t *events;

	(void)state;
	assert_int_equal(load_text(EVENTS("{\"when\":{\"==\":[{\"var\":\"k\"},\"scan\"]},\"type\":"
					  "\"aisle.basket.opened\","
					  "\"id\":{\"var\":\"i\"},\"data\":{\"basket\":{\"var\":"
					  "\"b\"},\"terminal\":{\"var\":"
					  "\"_topic.1\"}}}")),
	    0);
	assert_null(apply("tills/7/scan", "{\"k\":\"other\"}"));
	assert_int_equal(err.code, AISLE_E_NONE);
	assert_string_equal(err.text, "no rule of the mapping m takes it");
	events = apply("tills/7/scan", "{\"k\":\"scan\",\"i\":\"1\",\"b\":\"b\"}");
	assert_int_equal(json_array_size(events), 1);
	assert_string_equal(json_string_value(json_object_get(json_object_get(json_array_get(events,
										  0),
								  "data"),
				"terminal")),
	    "7");
	json_decref(events);
}

static void
what_is_no_event_is_refused_without_quoting_it(void **state)
{
	static const char *const payloads[] = { "", "{", "[]", "7", "\"SECRET4711\"",
		"{\"card\":\"SECRET4711\"", "{\"a\":SECRET4711}", "{\"a\":1,\"a\":2}", "{}",
		"{\"seq\":\"\"}", "{\"seq\":null}", "{\"seq\":[\"SECRET4711\"]}", "{\"seq\":true}",
		"{\"seq\":1.5}" };

	(void)state;
	assert_int_equal(load_text(EVENTS(LINE_EVENT)), 0);
	for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
		assert_null(apply("tills/7/scan", payloads[i]));
		assert_int_equal(err.code, AISLE_E_INVALID);
		assert_true(err.text[0] != '\0');
		assert_null(strstr(err.text, "SECRET"));
	}
	assert_null(apply("tills/bad name/scan", "{\"seq\":1,\"price\":1}"));
	assert_non_null(strstr(err.text, "/terminal"));
}

static void
filters_match_segment_by_segment(void **state)
{
	(void)state;
	assert_int_equal(load_text(EVENTS(LINE_EVENT)), 0);
	assert_true(mapping_matches(mapping, "tills/7/scan"));
	assert_true(mapping_matches(mapping, "tills//scan"));
	assert_false(mapping_matches(mapping, "tills/7"));
	assert_false(mapping_matches(mapping, "tills/7/scan/x"));
	assert_false(mapping_matches(mapping, "tills/7/scans"));
	assert_false(mapping_matches(mapping, "till/7/scan"));
	assert_false(mapping_matches(mapping, "tills/7/8/scan"));
	assert_false(mapping_matches(mapping, ""));
	/* What tills that speak our language say is theirs, and what we say is heard by nobody here. */
	assert_int_equal(load_text("{\"topic\":\"+/+/+/+/+/"
				   "event\",\"terminal\":5,\"events\":[" LINE_EVENT "]}"),
	    0);
	assert_true(mapping_matches(mapping, "shop/v1/0042/pos/7/event"));
	assert_false(mapping_matches(mapping, "aisle/v1/0042/pos/7/event"));
}

static void
a_wrong_file_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *where;
	} files[] = {
		{ "[]", "/" },
		{ "{}", "/topic" },
		{ "{\"topic\":\"\",\"terminal\":1,\"events\":[" LINE_EVENT "]}", "/topic" },
		{ "{\"topic\":\"a/#/b\",\"terminal\":1,\"events\":[" LINE_EVENT "]}", "/topic" },
		{ "{\"topic\":\"#\",\"terminal\":1,\"events\":[" LINE_EVENT "]}", "/topic" },
		{ "{\"topic\":\"a/b#\",\"terminal\":1,\"events\":[" LINE_EVENT "]}", "/topic" },
		{ "{\"topic\":\"a/b+\",\"terminal\":1,\"events\":[" LINE_EVENT "]}", "/topic" },
		{ "{\"topic\":\"aisle/v1/+\",\"terminal\":1,\"events\":[" LINE_EVENT "]}",
		    "/topic" },
		{ "{\"topic\":\"+/#\",\"terminal\":1,\"events\":[" LINE_EVENT "]}", "/topic" },
		{ "{\"topic\":\"+/v1/#\",\"terminal\":1,\"events\":[" LINE_EVENT "]}", "/topic" },
		{ "{\"topic\":\"$SYS/+\",\"terminal\":1,\"events\":[" LINE_EVENT "]}", "/topic" },
		{ "{\"topic\":\"a/+\",\"terminal\":0,\"events\":[" LINE_EVENT "]}", "/terminal" },
		{ "{\"topic\":\"a/+\",\"terminal\":3,\"events\":[" LINE_EVENT "]}", "/terminal" },
		{ "{\"topic\":\"a/+\",\"terminal\":\"2\",\"events\":[" LINE_EVENT "]}",
		    "/terminal" },
		{ "{\"topic\":\"a/+\",\"events\":[" LINE_EVENT "]}", "/terminal" },
		{ "{\"topic\":\"a/+\",\"terminal\":2}", "/events" },
		{ "{\"topic\":\"a/+\",\"terminal\":2,\"events\":[]}", "/events" },
		{ "{\"topic\":\"a/+\",\"terminal\":2,\"events\":[7]}", "/events/0" },
		{ "{\"topic\":\"a/+\",\"terminal\":2,\"money\":\"float\",\"events\":[" LINE_EVENT
		  "]}",
		    "/money" },
		{ "{\"topic\":\"a/"
		  "+\",\"terminal\":2,\"rounding\":\"half-up\",\"events\":[" LINE_EVENT "]}",
		    "/rounding" },
		{ "{\"topic\":\"a/+\",\"terminal\":2,\"event\":[],\"events\":[" LINE_EVENT "]}",
		    "/event" },
		{ EVENTS("{\"type\":\"aisle.nothing\",\"id\":1,\"data\":{}}"),
		    "/events/0: expected type" },
		{ EVENTS("{\"type\":\"aisle.guidance.decided\",\"id\":1,\"data\":{}}"),
		    "/events/0: expected type" },
		{ EVENTS("{\"type\":\"aisle.basket.opened\",\"data\":{}}"),
		    "/events/0: expected id" },
		{ EVENTS("{\"type\":\"aisle.basket.opened\",\"id\":1}"),
		    "/events/0: expected data" },
		{ EVENTS(LINE_EVENT
		      ",{\"type\":\"aisle.basket.opened\",\"id\":{\"bang\":1},\"data\":{}}"),
		    "/events/1/id" },
		{ EVENTS("{\"type\":\"aisle.basket.opened\",\"id\":1,\"data\":{\"basket\":{"
			 "\"nope\":1}}}"),
		    "/events/0/data/basket" },
		{ EVENTS("{\"type\":\"aisle.basket.opened\",\"id\":1,\"wen\":1,\"data\":{}}"),
		    "/events/0/wen" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		assert_int_not_equal(load_text(files[i].text), 0);
		assert_int_equal(strncmp(report.data, path, strlen(path)), 0);
		if (strstr(report.data, files[i].where) == NULL)
			fail_msg("%s: not at %s", report.data, files[i].where);
	}
	assert_int_not_equal(load_text("{"), 0);
	assert_non_null(strstr(report.data, ":1:"));
	assert_int_not_equal(mapping_load("m", "/nonexistent/file", &mapping, &report), 0);
}

/* A checkout of the shipped mapping, through the envelope. */
static void
the_shipped_rtsf_mapping_turns_a_checkout_into_events(void **state)
{
	static const char *const steps[][2] = {
		{ "basket-open",
		    "{\"lane_id\":\"1\",\"basket_id\":\"abc\",\"customer_id\":\"joe5\",\"employee_"
		    "id\":\"mary1\","
		    "\"event_time\":1795257000123}" },
		{ "scanned-item",
		    "{\"lane_id\":\"1\",\"basket_id\":\"abc\",\"product_id\":\"00000000571111\","
		    "\"product_id_type\":\"UPC\",\"product_name\":\"Trail "
		    "Mix\",\"quantity\":3.0,\"quantity_unit\":\"EA\","
		    "\"unit_price\":4.35,\"customer_id\":\"joe5\",\"employee_id\":\"mary1\","
		    "\"event_time\":1795257001000}" },
		{ "payment-start",
		    "{\"lane_id\":\"1\",\"basket_id\":\"abc\",\"event_time\":1795257002000}" },
		{ "payment-success",
		    "{\"lane_id\":\"1\",\"basket_id\":\"abc\",\"event_time\":1795257003000}" },
		{ "basket-close",
		    "{\"lane_id\":\"1\",\"basket_id\":\"abc\",\"event_time\":1795257004000,"
		    "\"total\":13.05}" },
	};
	static const enum event_type expected[] = { EV_BASKET_OPENED, EV_CUSTOMER_IDENTIFIED,
		EV_BASKET_ITEM_ADDED, EV_BASKET_TENDER_STARTED, EV_BASKET_CLOSED };
	static const uint8_t pepper[32] = { 1 };
	struct envelope_rules rules = { .pepper = pepper,
		.currency = "USD",
		.clock_past_ms = D_MS,
		.clock_ahead_ms = 300 * S_MS };
	struct arena *arena = arena_new();
	const char *file = getenv("AISLE_RTSF_MAPPING");
	size_t count = 0;

	(void)state;
	mapping_free(mapping);
	mapping = NULL;
	buf_clear(&report);
	if (file == NULL)
		file = "firmware-config/mappings/rtsf.json";
	if (mapping_load("rtsf", file, &mapping, &report) != 0)
		fail_msg("%s", report.data);
	mapping_set_store(mapping, "USD", "UTC");
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		char topic[64];
		json_t *events;

		snprintf(topic, sizeof(topic), "rtsf/device-pos/%s", steps[i][0]);
		events = apply(topic, steps[i][1]);
		if (events == NULL)
			fail_msg("%s", err.text);
		for (size_t j = 0; j < json_array_size(events); j++) {
			struct route route = { .channel = CHANNEL_POS };
			struct rejected rejected;
			struct event *event;
			unsigned unknown = 0;

			snprintf(route.origin, sizeof(route.origin), "%s", terminal);
			if (envelope_parse_tree(arena, &rules, &route, json_array_get(events, j),
				INT64_C(1795257005000), &event, &rejected, &unknown) != 0)
				fail_msg("%s", rejected.detail);
			assert_int_equal(event->type, expected[count++]);
			assert_string_equal(event->source, "/mapping/rtsf/1");
			assert_string_equal(event->origin, "1");
			assert_int_equal(unknown, 0);
			if (event->type == EV_BASKET_ITEM_ADDED) {
				assert_int_equal(event->item.amount_minor, 1305);
				assert_int_equal(event->item.qty_milli, 3000);
				assert_true(event->item.line >= INT64_C(1) << 52);
				assert_string_equal(event->id,
				    "abc/item/1795257001000/00000000571111");
			}
			if (event->type == EV_BASKET_CLOSED)
				assert_int_equal(event->total_minor, 1305);
			if (event->type == EV_CUSTOMER_IDENTIFIED)
				assert_true(event->has_subject);
			event_done(event);
		}
		json_decref(events);
	}
	assert_int_equal(count, ARRAY_LEN(expected));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bare_line_becomes_an_event),
		cmocka_unit_test(decimal_money_is_exact_wherever_it_stands),
		cmocka_unit_test(excess_decimals_are_refused_and_the_member_is_named),
		cmocka_unit_test(a_currency_has_its_own_decimals),
		cmocka_unit_test(minor_money_stays_as_it_is),
		cmocka_unit_test(times_in_any_unit_are_told_by_their_magnitude),
		cmocka_unit_test(what_no_rule_takes_is_said),
		cmocka_unit_test(what_is_no_event_is_refused_without_quoting_it),
		cmocka_unit_test(filters_match_segment_by_segment),
		cmocka_unit_test(a_wrong_file_is_refused_with_its_place),
		cmocka_unit_test(the_shipped_rtsf_mapping_turns_a_checkout_into_events),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
