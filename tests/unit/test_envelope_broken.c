/* SPDX-License-Identifier: Apache-2.0
 *
 * test_envelope_broken.c - many broken messages, each refused for its own reason.
 *
 * DESIGN
 *   Most are made from the samples: each member in turn is taken out, given
 *   each wrong JSON type, and given values just out of range. The rest is
 *   written by hand. With --print [STORE] the corpus goes to stdout, a line
 *   each {"topic","payload_base64","reason"}, with times around now, for tests
 *   over MQTT.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include <sodium.h>

#include "event_samples.h"

struct broken {
	char *name; /* what is wrong, for a failed assertion */
	const char *tail;
	char *payload;
	size_t len;
	enum reject reason;
};

static struct broken *corpus;
static size_t corpus_count;
static int64_t now_ms = SAMPLE_NOW_MS;

static void
add_bytes(const char *name, const char *detail, const char *tail, const char *payload, size_t len,
    enum reject reason)
{
	struct broken *broken;
	struct buf text = { 0 };

	corpus = realloc(corpus, (corpus_count + 1) * sizeof(*corpus));
	broken = &corpus[corpus_count++];
	buf_addf(&text, "%s %s", name, detail);
	*broken =
	    (struct broken){ .name = buf_steal(&text), .tail = tail, .len = len, .reason = reason };
	broken->payload = malloc(len + 1);
	memcpy(broken->payload, payload, len);
	broken->payload[len] = '\0';
}

static void
add_tree(const char *name, const char *detail, const char *tail, json_t *tree, enum reject reason)
{
	char *text = json_dumps(tree, JSON_COMPACT);

	assert_non_null(text);
	add_bytes(name, detail, tail, text, strlen(text), reason);
	free(text);
	json_decref(tree);
}

/* The sample of a type, the value at a path below data ("items/0/qty") replaced; text NULL: taken
 * out. */
static void
add_mutated(const char *type, const char *path, const char *text, enum reject reason)
{
	const struct sample *sample = sample_of(type);
	json_t *tree = sample_tree(sample, now_ms), *at = json_object_get(tree, "data");
	struct err err = { 0 };
	struct buf name = { 0 };
	char step[64];

	for (; strchr(path, '/') != NULL; path += strlen(step) + 1) {
		snprintf(step, sizeof(step), "%.*s", (int)strcspn(path, "/"), path);
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(step))
				       : json_object_get(at, step);
	}
	assert_non_null(at);
	if (text == NULL)
		assert_int_equal(json_object_del(at, path), 0);
	else if (json_is_array(at))
		json_array_set_new(at, (size_t)atoi(path),
		    json_read(text, strlen(text), "value", &err));
	else
		assert_int_equal(json_object_set_new(at, path,
				     json_read(text, strlen(text), "value", &err)),
		    0);
	buf_addf(&name, "%s %s", path, text != NULL ? text : "taken out");
	add_tree(type, name.data, sample->tail, tree, reason);
	buf_done(&name);
}

/* Members: path, kind (s string, n number, t text or a number, i integer, b bool, a array, o object), required?, and
 * what is of the right type and cannot be used, as JSON texts between bars. */
struct member {
	const char *type, *path;
	char kind;
	bool required;
	const char *bad;
};

#define TOO_LONG_129 \
	"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaa\""
#define TOO_LONG_257 \
	"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaa\""
#define BAD_ID "\"\"|" TOO_LONG_129 "|\"\\u00e4\"|\"a\\tb\"|\"\\u007f\""
#define BAD_NAME "\"\"|\"a b\"|\"a/b\"|\"a.b\"|\"+\"|\"abcdefghijklmnopqrstuvwxyz0123456\""
#define BAD_MONEY "1000000000001|-1000000000001|9223372036854775807"
#define BAD_TIME \
	"\"\"|\"tomorrow\"|\"2026-11-21\"|\"2026-11-21T10:00:00\"|\"2026-13-01T00:00:00Z\"|" \
	"\"1795257000\""
#define BAD_CURRENCY "\"USD\"|\"eur\"|\"EURO\"|\"\"|\"XTS\""
#define BAD_QTY "0|0.0|-1|-0.0001|1000000.001|1000001|1e300"
#define BAD_NUMBER "1000000000001|-1e13|1e300"
#define BAD_CATEGORY "\"\"|\"/a\"|\"a/\"|\"a//b\"|\"/\"|\"a\\nb\"|" TOO_LONG_257

/* clang-format off */
static const struct member members[] = {
	{ "aisle.basket.opened", "basket", 's', true, BAD_ID },
	{ "aisle.basket.opened", "terminal", 's', true, BAD_NAME },
	{ "aisle.basket.opened", "station", 's', false, BAD_NAME },
	{ "aisle.basket.opened", "associate", 's', false, BAD_ID },
	{ "aisle.basket.opened", "training", 'b', false, NULL },
	{ "aisle.basket.item-added", "basket", 's', true, BAD_ID },
	{ "aisle.basket.item-added", "line", 'i', true, "-1|9007199254740992" },
	{ "aisle.basket.item-added", "gtin", 't', true, NULL },
	{ "aisle.basket.item-added", "category", 's', true, BAD_CATEGORY },
	{ "aisle.basket.item-added", "qty", 'n', true, BAD_QTY },
	{ "aisle.basket.item-added", "amount", 'i', true, BAD_MONEY },
	{ "aisle.basket.item-added", "currency", 's', true, BAD_CURRENCY },
	{ "aisle.basket.item-added", "margin", 'i', false, BAD_MONEY },
	{ "aisle.basket.item-added", "discounts", 'a', false, NULL },
	{ "aisle.basket.item-added", "discounts/0", 'o', false, NULL },
	{ "aisle.basket.item-added", "discounts/0/amount", 'i', true, BAD_MONEY },
	{ "aisle.basket.item-voided", "basket", 's', true, BAD_ID },
	{ "aisle.basket.item-voided", "line", 'i', true, "-1" },
	{ "aisle.basket.suspended", "basket", 's', true, BAD_ID },
	{ "aisle.basket.suspended", "terminal", 's', false, BAD_NAME },
	{ "aisle.basket.resumed", "basket", 's', true, BAD_ID },
	{ "aisle.basket.tender-started", "basket", 's', true, BAD_ID },
	{ "aisle.basket.payment-declined", "basket", 's', true, BAD_ID },
	{ "aisle.basket.cancelled", "basket", 's', true, BAD_ID },
	{ "aisle.basket.closed", "basket", 's', true, BAD_ID },
	{ "aisle.basket.closed", "total", 'i', true, BAD_MONEY },
	{ "aisle.basket.closed", "currency", 's', true, BAD_CURRENCY },
	{ "aisle.basket.closed", "tenders", 'a', false, NULL },
	{ "aisle.basket.closed", "tenders/0", 'o', false, NULL },
	{ "aisle.basket.closed", "tenders/0/amount", 'i', true, BAD_MONEY },
	{ "aisle.return.completed", "return", 's', true, BAD_ID },
	{ "aisle.return.completed", "basket", 's', false, BAD_ID },
	{ "aisle.return.completed", "card", 's', false, BAD_ID },
	{ "aisle.return.completed", "items", 'a', true, "[]" },
	{ "aisle.return.completed", "items/0", 'o', false, NULL },
	{ "aisle.return.completed", "items/0/gtin", 't', true, NULL },
	{ "aisle.return.completed", "items/0/category", 's', true, BAD_CATEGORY },
	{ "aisle.return.completed", "items/0/qty", 'n', true, BAD_QTY },
	{ "aisle.return.completed", "items/0/amount", 'i', true, BAD_MONEY },
	{ "aisle.return.completed", "total", 'i', true, BAD_MONEY },
	{ "aisle.return.completed", "currency", 's', true, BAD_CURRENCY },
	{ "aisle.customer.identified", "card", 's', true, BAD_ID },
	{ "aisle.customer.identified", "basket", 's', false, BAD_ID },
	{ "aisle.customer.identified", "station", 's', true, BAD_NAME },
	{ "aisle.customer.enrolled", "card", 's', false, BAD_ID },
	{ "aisle.customer.enrolled", "station", 's', true, BAD_NAME },
	{ "aisle.customer.left", "station", 's', true, BAD_NAME },
	{ "aisle.customer.merged", "card", 's', true, BAD_ID },
	{ "aisle.customer.merged", "into", 's', true, BAD_ID "|\"" SECRET "\"" },
	{ "aisle.consent.changed", "card", 's', true, BAD_ID },
	{ "aisle.consent.changed", "purpose", 's', true, "\"\"|\"marketing\"|\"Personalise\"" },
	{ "aisle.consent.changed", "state", 's', true, "\"\"|\"yes\"|\"Granted\"" },
	{ "aisle.consent.changed", "until", 's', false, BAD_TIME },
	{ "aisle.care.case-opened", "card", 's', true, BAD_ID },
	{ "aisle.care.case-opened", "case", 's', true, BAD_ID },
	{ "aisle.care.case-opened", "topic", 's', true, "\"\"|" TOO_LONG_129 },
	{ "aisle.care.case-opened", "severity", 'i', true, "0|4|-1" },
	{ "aisle.care.case-closed", "case", 's', true, BAD_ID },
	{ "aisle.loyalty.balance", "card", 's', true, BAD_ID },
	{ "aisle.loyalty.balance", "points", 'i', true, BAD_MONEY },
	{ "aisle.loyalty.balance", "tier", 's', false, "\"123456789012345678901234567890123\"" },
	{ "aisle.loyalty.balance", "expires", 's', false, BAD_TIME },
	{ "aisle.wallet.changed", "card", 's', true, BAD_ID },
	{ "aisle.wallet.changed", "offer", 's', true, BAD_ID },
	{ "aisle.wallet.changed", "worth", 'i', true, BAD_MONEY },
	{ "aisle.wallet.changed", "until", 's', true, BAD_TIME },
	{ "aisle.wallet.changed", "state", 's', true, BAD_ID },
	{ "aisle.contact.recorded", "card", 's', true, BAD_ID },
	{ "aisle.contact.recorded", "channel", 's', true, BAD_ID },
	{ "aisle.contact.recorded", "action", 's', false, BAD_ID },
	{ "aisle.contact.recorded", "at", 's', true, BAD_TIME },
	{ "aisle.stock.changed", "gtin", 't', true, NULL },
	{ "aisle.stock.changed", "state", 's', true, "\"\"|\"none\"|\"IN\"" },
	{ "aisle.stock.changed", "qty", 'n', false, "-0.001|1000000.001" },
	{ "aisle.sensor.reading", "kind", 's', true, "\"\"|\"camera\"|\"Queue\"" },
	{ "aisle.sensor.reading", "station", 's', false, BAD_NAME },
	{ "aisle.sensor.reading", "value", 'n', true, BAD_NUMBER },
	{ "aisle.survey.answered", "card", 's', false, BAD_ID },
	{ "aisle.survey.answered", "basket", 's', false, BAD_ID },
	{ "aisle.survey.answered", "kind", 's', true, BAD_ID },
	{ "aisle.survey.answered", "score", 'n', true, BAD_NUMBER },
	{ "aisle.offer.applied", "basket", 's', true, BAD_ID },
	{ "aisle.offer.applied", "token", 's', true, BAD_ID },
	{ "aisle.offer.applied", "amount", 'i', true, BAD_MONEY "|-1" },
	{ "aisle.offer.refused", "token", 's', true, BAD_ID },
	{ "aisle.offer.refused", "reason", 's', true, "\"\"|" TOO_LONG_257 },
	{ "aisle.offer.redeemed", "amount", 'i', true, BAD_MONEY "|-1" },
	{ "aisle.offer.reversed", "amount", 'i', true, BAD_MONEY "|-1" },
	{ "aisle.guidance.shown", "guidance", 's', true, BAD_ID },
	{ "aisle.guidance.shown", "prompt", 's', true, BAD_ID },
	{ "aisle.guidance.shown", "tablet", 's', true, BAD_NAME },
	{ "aisle.guidance.shown", "shown", 'b', false, NULL },
	{ "aisle.guidance.decided", "guidance", 's', true, BAD_ID },
	{ "aisle.guidance.decided", "prompt", 's', true, BAD_ID },
	{ "aisle.guidance.decided", "decision", 's', true, "\"\"|\"accepted\"|\"later\"" },
	{ "aisle.guidance.decided", "reason", 's', false, "\"\"|\"bored\"" },
	{ "aisle.guidance.decided", "instead", 'o', false, NULL },
	{ "aisle.guidance.decided", "instead/action", 's', true, BAD_ID },
	{ "aisle.guidance.decided", "instead/depth", 'i', false, "-1|1000000000001" },
	{ "aisle.guidance.decided", "until", 's', false, BAD_TIME },
	{ "aisle.guidance.decided", "associate", 's', false, BAD_ID },
	{ "aisle.guidance.decided", "approval", 'o', false, NULL },
	{ "aisle.guidance.decided", "approval/manager", 's', true, BAD_ID },
	{ "aisle.guidance.decided", "approval/pin", 's', true, "\"\"|\"\\u00e4\"|" TOO_LONG_129 },
};
/* clang-format on */

static void
add_wrong_types(const struct member *member)
{
	static const struct {
		char kinds;
		const char *text;
	} others[] = {
		{ 's', "\"7\"" },
		{ 'n', "7" },
		{ 'r', "7.5" },
		{ 'r', "7.0" },
		{ 'b', "true" },
		{ 'a', "[]" },
		{ 'o', "{}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		char kind = others[i].kinds;

		if (kind == member->kind || (member->kind == 't' && strchr("snr", kind) != NULL) ||
		    (member->kind == 'n' && kind == 'r') || (member->kind == 'i' && kind == 'n'))
			continue;
		add_mutated(member->type, member->path, others[i].text, REJECT_BAD_SHAPE);
	}
}

static void
add_members(void)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct member *member = &members[i];
		char *list, *text, *rest;

		add_wrong_types(member);
		if (member->required) {
			add_mutated(member->type, member->path, NULL, REJECT_BAD_SHAPE);
			add_mutated(member->type, member->path, "null", REJECT_BAD_SHAPE);
		}
		if (member->bad == NULL)
			continue;
		list = rest = mem_strdup(member->bad);
		while ((text = strsep(&rest, "|")) != NULL)
			add_mutated(member->type, member->path, text, REJECT_BAD_VALUE);
		free(list);
	}
}

/* One attribute of the envelope replaced; text NULL: taken out. */
static void
add_envelope(const char *name, const char *text, enum reject reason)
{
	const struct sample *sample = sample_of("aisle.basket.item-added");
	json_t *tree = sample_tree(sample, now_ms);
	struct err err = { 0 };

	if (text == NULL)
		json_object_del(tree, name);
	else
		json_object_set_new(tree, name, json_read(text, strlen(text), "value", &err));
	add_tree(name, text != NULL ? text : "taken out", sample->tail, tree, reason);
}

static void
add_envelopes(void)
{
	static const char *const wrong_types[] = { "7", "true", "[]", "{}", "null", "\"\"" };
	static const char *const required[] = { "specversion", "id", "source", "type" };
	static const char *const times[] = { "7", "1795257000123", "true", "[]", "\"\"", "\"now\"",
		"\"2026-11-21T10:30:00\"", "\"2026-11-21 10:30\"", "\"2026-02-30T00:00:00Z\"",
		"\"21.11.2026 10:30:00\"", "\"2026-11-21T24:30:00Z\"" };
	static const char *const data[] = { "7", "true", "[]", "\"{}\"", "null", "{}" };

	for (size_t i = 0; i < ARRAY_LEN(required); i++) {
		add_envelope(required[i], NULL, REJECT_BAD_ENVELOPE);
		for (size_t j = 0; j < ARRAY_LEN(wrong_types); j++)
			add_envelope(required[i], wrong_types[j], REJECT_BAD_ENVELOPE);
	}
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		add_envelope("time", times[i], REJECT_BAD_ENVELOPE);
	add_envelope("specversion", "\"0.3\"", REJECT_BAD_ENVELOPE);
	add_envelope("specversion", "\"1.1\"", REJECT_BAD_ENVELOPE);
	add_envelope("specversion", "1.0", REJECT_BAD_ENVELOPE);
	add_envelope("id", TOO_LONG_129, REJECT_BAD_ENVELOPE);
	add_envelope("id", "\"\\u00e9\"", REJECT_BAD_ENVELOPE);
	add_envelope("source", TOO_LONG_129, REJECT_BAD_ENVELOPE);
	add_envelope("source", "\"a\\nb\"", REJECT_BAD_ENVELOPE);
	add_envelope("datacontenttype", "\"application/xml\"", REJECT_BAD_ENVELOPE);
	add_envelope("datacontenttype", "7", REJECT_BAD_ENVELOPE);
	add_envelope("data_base64", "\"e30=\"", REJECT_BAD_ENVELOPE);
	add_envelope("receipt", "\"true\"", REJECT_BAD_ENVELOPE);
	add_envelope("receipt", "1", REJECT_BAD_ENVELOPE);
	for (size_t i = 0; i < ARRAY_LEN(data); i++)
		add_envelope("data", data[i], REJECT_BAD_SHAPE);
	add_envelope("data", NULL, REJECT_BAD_SHAPE);
	add_envelope("type", "\"aisle.basket.exploded\"", REJECT_UNKNOWN_TYPE);
	add_envelope("type", "\"aisle.basket\"", REJECT_UNKNOWN_TYPE);
	add_envelope("type", "\"AISLE.BASKET.OPENED\"", REJECT_UNKNOWN_TYPE);
	add_envelope("type", "\"com.example.sale\"", REJECT_UNKNOWN_TYPE);
	/* both names of a customer, or of none */
	add_mutated("aisle.customer.identified", "subject", "\"0123456789abcdef0123456789abcdef\"",
	    REJECT_BAD_SHAPE);
	add_mutated("aisle.basket.item-added", "sku", "true", REJECT_BAD_SHAPE);
	add_mutated("aisle.basket.item-added", "sku", "[]", REJECT_BAD_SHAPE);
}

static void
add_subject(const char *text, enum reject reason)
{
	const struct sample *sample = sample_of("aisle.customer.identified");
	json_t *tree = sample_tree(sample, now_ms), *data = json_object_get(tree, "data");
	struct err err = { 0 };

	json_object_del(data, "card");
	json_object_set_new(data, "subject", json_read(text, strlen(text), "value", &err));
	add_tree("subject", text, sample->tail, tree, reason);
}

static void
add_many(const char *type, const char *array, size_t count)
{
	const struct sample *sample = sample_of(type);
	json_t *tree = sample_tree(sample, now_ms);
	json_t *list = json_object_get(json_object_get(tree, "data"), array);

	while (json_array_size(list) < count)
		json_array_append(list, json_array_get(list, 0));
	add_tree(type, "too many entries", sample->tail, tree, REJECT_BAD_VALUE);
}

static void
add_senders(void)
{
	static const char *const types[] = { "aisle.basket.opened", "aisle.basket.closed",
		"aisle.offer.redeemed" };
	static const char *const elsewhere[] = { "loyalty/r1/event", "care/event",
		"tablet/t1/event" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		for (size_t j = 0; j < ARRAY_LEN(elsewhere); j++)
			add_tree(types[i], elsewhere[j], elsewhere[j],
			    sample_tree(sample_of(types[i]), now_ms), REJECT_NOT_YOURS);
	}
	add_tree("care", "from a till", "pos/7/event",
	    sample_tree(sample_of("aisle.care.case-opened"), now_ms), REJECT_NOT_YOURS);
	add_tree("care", "from a reader", "loyalty/r1/event",
	    sample_tree(sample_of("aisle.care.case-closed"), now_ms), REJECT_NOT_YOURS);
	add_tree("answer", "from a till", "pos/7/event",
	    sample_tree(sample_of("aisle.guidance.decided"), now_ms), REJECT_NOT_YOURS);
	add_tree("answer", "from a reader", "loyalty/r1/event",
	    sample_tree(sample_of("aisle.guidance.shown"), now_ms), REJECT_NOT_YOURS);
	add_tree("card", "from a tablet", "tablet/t1/event",
	    sample_tree(sample_of("aisle.customer.identified"), now_ms), REJECT_NOT_YOURS);
	add_tree("clock", "a day ahead", "pos/7/event",
	    sample_tree(sample_of("aisle.basket.opened"), now_ms + D_MS), REJECT_CLOCK);
	add_tree("clock", "four days behind", "pos/7/event",
	    sample_tree(sample_of("aisle.basket.opened"), now_ms - 4 * D_MS), REJECT_CLOCK);
	add_tree("clock", "1970", "pos/7/event", sample_tree(sample_of("aisle.basket.closed"), 0),
	    REJECT_CLOCK);
	add_tree("clock", "2038", "pos/7/event",
	    sample_tree(sample_of("aisle.basket.closed"), INT64_C(2147483648000)), REJECT_CLOCK);
}

/* A good event as text with one place of it replaced. */
static void
add_text(const char *name, const char *find, const char *put, size_t put_len, enum reject reason)
{
	const struct sample *sample = sample_of("aisle.basket.item-added");
	json_t *tree = sample_tree(sample, now_ms);
	char *text = json_dumps(tree, JSON_COMPACT), *at = strstr(text, find);
	struct buf out = { 0 };

	assert_non_null(at);
	buf_add(&out, text, (size_t)(at - text));
	buf_add(&out, put, put_len);
	buf_adds(&out, at + strlen(find));
	add_bytes(name, find, sample->tail, out.data, out.len, reason);
	buf_done(&out);
	free(text);
	json_decref(tree);
}

static void
add_damage(void)
{
	static const struct {
		const char *find, *put;
	} texts[] = {
		{ "\"acme\"", "\"\xff\"" },
		{ "\"acme\"", "\"\xc3\"" },
		{ "\"acme\"", "\"\xc0\xaf\"" },
		{ "\"acme\"", "\"\xed\xa0\x80\"" },
		{ "\"acme\"", "\"\xf4\x90\x80\x80\"" },
		{ "\"acme\"", "\"\\ud800\"" },
		{ "\"acme\"", "\"\\udc00\"" },
		{ "\"acme\"", "\"\\ud800\\u0041\"" },
		{ "\"acme\"", "\"\\u0000\"" },
		{ "\"acme\"", "\"\\x41\"" },
		{ "\"acme\"", "\"a\nb\"" },
		{ "\"acme\"", "'acme'" },
		{ "\"acme\"", "acme" },
		{ "\"acme\"", "\"acme" },
		{ "\"acme\"", "\"acme\\\"" },
		{ ":499,", ":NaN," },
		{ ":499,", ":Infinity," },
		{ ":499,", ":-Infinity," },
		{ ":499,", ":0499," },
		{ ":499,", ":+499," },
		{ ":499,", ":4.," },
		{ ":499,", ":.5," },
		{ ":499,", ":0x1f3," },
		{ ":499,", ":1e999," },
		{ ":499,", ":99999999999999999999," },
		{ ":499,", ":," },
		{ ":499,", "499," },
		{ ":499,", ":499,," },
		{ ":499,", ":499 1," },
		{ ":499,", ":True," },
		{ ":499,", ":undefined," },
		{ ":499,", ":499,\"amount\":499," },
		{ "\"id\":", "\"id\":\"a\",\"id\":" },
		{ "\"basket\":", "\"basket\":\"a\",\"basket\":" },
		{ "\"data\":", "\"data\":{},\"data\":" },
		{ "{\"specversion\"", "\xef\xbb\xbf{\"specversion\"" },
		{ "{\"specversion\"", "[{\"specversion\"" },
		{ "{\"specversion\"", "\"specversion\"" },
		{ "{\"specversion\"", "{,\"specversion\"" },
		{ "{\"specversion\"", "// a\n{\"specversion\"" },
		{ "{\"specversion\"", "/**/{\"specversion\"" },
		{ "{\"specversion\"", "{}{\"specversion\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		add_text("damage", texts[i].find, texts[i].put, strlen(texts[i].put),
		    REJECT_NOT_JSON);
	add_text("NUL in a string", "acme", "a\0me", 4, REJECT_NOT_JSON);
	add_text("NUL in front", "{\"specversion\"", "\0{\"specversion\"", 15, REJECT_NOT_JSON);
	add_bytes("empty", "", "pos/7/event", "", 0, REJECT_NOT_JSON);
	add_bytes("space", "", "pos/7/event", "  \n", 3, REJECT_NOT_JSON);
	add_bytes("scalar", "7", "pos/7/event", "7", 1, REJECT_BAD_ENVELOPE);
	add_bytes("scalar", "null", "pos/7/event", "null", 4, REJECT_BAD_ENVELOPE);
	add_bytes("array", "[]", "pos/7/event", "[]", 2, REJECT_BAD_ENVELOPE);
	add_bytes("empty object", "{}", "pos/7/event", "{}", 2, REJECT_BAD_ENVELOPE);
	add_bytes("XML", "", "pos/7/event", "<POSLog/>", 9, REJECT_NOT_JSON);
	add_bytes("form", "", "pos/7/event", "payload=%7B%7D", 14, REJECT_NOT_JSON);
}

/* Cut anywhere it is no JSON; with more behind it, neither. */
static void
add_cuts(void)
{
	static const char *const trails[] = { "}", "]", ",", "x", "{}", "\"", "7", "\\" };
	const struct sample *sample = sample_of("aisle.basket.item-added");
	json_t *tree = sample_tree(sample, now_ms);
	char *text = json_dumps(tree, JSON_COMPACT);
	size_t len = strlen(text);
	struct buf more = { 0 };

	for (size_t cut = 1; cut < len; cut += len / 40)
		add_bytes("cut", "short", sample->tail, text, cut, REJECT_NOT_JSON);
	add_bytes("cut", "by one byte", sample->tail, text, len - 1, REJECT_NOT_JSON);
	for (size_t i = 0; i < ARRAY_LEN(trails); i++) {
		buf_clear(&more);
		buf_addf(&more, "%s%s", text, trails[i]);
		add_bytes("trailing", trails[i], sample->tail, more.data, more.len,
		    REJECT_NOT_JSON);
	}
	buf_clear(&more);
	buf_add(&more, text, len + 1);
	add_bytes("trailing", "NUL", sample->tail, more.data, more.len, REJECT_NOT_JSON);
	buf_done(&more);
	free(text);
	json_decref(tree);
}

static void
add_giants(void)
{
	char *big = malloc(200000);
	struct buf deep = { 0 };

	memset(big, ' ', 200000);
	add_bytes("giant", "65537 spaces", "pos/7/event", big, 65537, REJECT_TOO_BIG);
	memset(big, '[', 200000);
	add_bytes("giant", "110000 brackets", "pos/7/event", big, 110000, REJECT_TOO_BIG);
	add_bytes("deep", "65536 brackets", "pos/7/event", big, 65536, REJECT_NOT_JSON);
	buf_add(&deep, big, 65);
	memset(big, ']', 65);
	buf_add(&deep, big, 65);
	add_bytes("deep", "65 levels", "pos/7/event", deep.data, deep.len, REJECT_NOT_JSON);
	add_bytes("deep", "64 levels", "pos/7/event", deep.data + 1, 128, REJECT_BAD_ENVELOPE);
	buf_done(&deep);
	free(big);
}

static void
build(void)
{
	add_members();
	add_envelopes();
	add_subject("\"0123456789ABCDEF0123456789ABCDEF\"", REJECT_BAD_VALUE);
	add_subject("\"0123456789abcdef0123456789abcde\"", REJECT_BAD_VALUE);
	add_subject("\"\"", REJECT_BAD_VALUE);
	add_subject("7", REJECT_BAD_SHAPE);
	add_many("aisle.basket.item-added", "discounts", EVENT_DISCOUNTS_MAX + 1);
	add_many("aisle.basket.closed", "tenders", EVENT_DISCOUNTS_MAX + 1);
	add_many("aisle.return.completed", "items", EVENT_ITEMS_MAX + 1);
	add_senders();
	add_damage();
	add_cuts();
	add_giants();
}

static void
demolish(void)
{
	for (size_t i = 0; i < corpus_count; i++) {
		free(corpus[i].name);
		free(corpus[i].payload);
	}
	free(corpus);
}

static void
each_broken_message_is_refused_for_its_own_reason(void **state)
{
	static const uint8_t pepper[32] = { 1 };
	struct envelope_rules rules = { .pepper = pepper,
		.currency = "EUR",
		.clock_past_ms = 3 * D_MS,
		.clock_ahead_ms = 300 * S_MS };
	struct arena *arena = arena_new();
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < corpus_count; i++) {
		struct broken *broken = &corpus[i];
		struct rejected rejected;
		struct event *event;
		struct route route;
		unsigned unknown = 0;
		int rc;

		assert_int_equal(route_parse_tail(broken->tail, &route), 0);
		rc = envelope_parse(arena, &rules, &route, NULL, broken->payload, broken->len,
		    now_ms, &event, &rejected, &unknown);
		if (rc != AISLE_E_REFUSED || event != NULL || rejected.reason != broken->reason ||
		    rejected.detail[0] == '\0' || strstr(rejected.detail, SECRET) != NULL) {
			print_error("%s: expected %s, got %s (%s)\n", broken->name,
			    reject_name(broken->reason), reject_name(rejected.reason),
			    rejected.detail);
			wrong++;
		}
		event_done(event);
		arena_reset(arena);
	}
	assert_int_equal(wrong, 0);
	arena_free(arena);
}

static void
the_corpus_is_large_and_has_each_reason_of_the_envelope(void **state)
{
	size_t counts[REJECT_COUNT] = { 0 };

	(void)state;
	for (size_t i = 0; i < corpus_count; i++)
		counts[corpus[i].reason]++;
	assert_true(corpus_count >= 300);
	for (int reason = REJECT_NONE + 1; reason < REJECT_RATE; reason++)
		assert_true(counts[reason] > 0);
	print_message("%zu broken messages\n", corpus_count);
}

static void
print_corpus(const char *store)
{
	for (size_t i = 0; i < corpus_count; i++) {
		const struct broken *broken = &corpus[i];
		size_t size =
		    sodium_base64_encoded_len(broken->len, sodium_base64_VARIANT_ORIGINAL);
		char *base64 = mem_alloc(size);
		struct buf line = { 0 };

		sodium_bin2base64(base64, size, (const unsigned char *)broken->payload, broken->len,
		    sodium_base64_VARIANT_ORIGINAL);
		buf_addf(&line,
		    "{\"topic\":\"aisle/v1/%s/"
		    "%s\",\"payload_base64\":\"%s\",\"reason\":\"%s\",\"name\":",
		    store, broken->tail, base64, reject_name(broken->reason));
		buf_json_str(&line, broken->name);
		printf("%s}\n", line.data);
		buf_done(&line);
		free(base64);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_broken_message_is_refused_for_its_own_reason),
		cmocka_unit_test(the_corpus_is_large_and_has_each_reason_of_the_envelope),
	};
	int failed = 0;

	if (argc > 1 && strcmp(argv[1], "--print") == 0) {
		now_ms = (int64_t)time(NULL) * S_MS;
		build();
		print_corpus(argc > 2 ? argv[2] : "0042");
	} else {
		build();
		failed = cmocka_run_group_tests(tests, NULL, NULL);
	}
	demolish();
	return failed;
}
