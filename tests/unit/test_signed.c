/* SPDX-License-Identifier: Apache-2.0
 *
 * test_signed.c - an envelope has one spelling; a gateway's key in one; refusals have names and counters.
 */
#include "trust_rig.h"

#include "core/json.h"

static void
refused(struct rig *rig, const char *text, size_t len)
{
	struct signed_text envelope;
	int64_t before = refusal_count(REFUSED_MALFORMED);
	int rc = signed_read(text, len, "topic", &envelope, &rig->refusal, &rig->err);

	if (rc == 0)
		fail_msg("taken: %.*s", (int)len, text);
	assert_refused(rig, rc, "malformed", before);
}

static void
what_is_put_in_comes_out(void **state)
{
	static const char bytes[] = "any\0bytes\xff";
	struct rig *rig = *state;
	struct signed_text envelope, back;
	struct buf text = { 0 };

	signed_init(&envelope, bytes, sizeof(bytes));
	rig_sign(&envelope, rig->secrets[0]);
	rig_sign(&envelope, rig->secrets[1]);
	/* Another signature of a key takes the place of the one before. */
	rig_sign(&envelope, rig->secrets[0]);
	assert_int_equal(envelope.count, 2);
	signed_write(&envelope, &text);
	assert_int_equal(signed_read(text.data, text.len, "topic", &back, &rig->refusal, &rig->err),
	    0);
	assert_int_equal(back.len, sizeof(bytes));
	assert_memory_equal(back.manifest, bytes, sizeof(bytes));
	assert_int_equal(back.count, 2);
	signed_done(&back);
	/* Without the line feed, as a broker may carry it. */
	assert_int_equal(signed_read(text.data, text.len - 1, "topic", &back, &rig->refusal,
			     &rig->err),
	    0);
	signed_done(&back);
	signed_done(&envelope);
	buf_done(&text);
}

static void
the_same_content_in_another_spelling_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"\n",
		"{}",
		"[]",
		"{\"manifest\":\"\"}",
		"{\"signatures\":[]}",
		"{\"manifest\":\"\",\"signatures\":[],\"more\":1}",
		"{\"signatures\":[],\"manifest\":\"\"}",
		"{\"manifest\": \"\",\"signatures\":[]}",
		"{\"manifest\":\"\",\"signatures\":[]} ",
		"{\"manifest\":\"\",\"signatures\":[]}\n\n",
		"{\"manifest\":\"\",\"manifest\":\"\",\"signatures\":[]}",
		"{\"manifest\":\"YQ\",\"signatures\":[]}",
		"{\"manifest\":\"YR==\",\"signatures\":[]}",
		"{\"manifest\":\"Y\\u0051==\",\"signatures\":[]}",
		"{\"manifest\":\"Y!==\",\"signatures\":[]}",
		"{\"manifest\":7,\"signatures\":[]}",
		"{\"manifest\":\"\",\"signatures\":{}}",
		"{\"manifest\":\"\",\"signatures\":[\"\"]}",
		"{\"manifest\":\"\",\"signatures\":[7]}",
	};
	struct rig *rig = *state;
	struct signed_text envelope;
	static const char right[] = "{\"manifest\":\"YQ==\",\"signatures\":[]}";

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		refused(rig, wrong[i], strlen(wrong[i]));
	assert_int_equal(signed_read(right, strlen(right), "t", &envelope, NULL, NULL), 0);
	signed_done(&envelope);
}

static void
sixteen_signatures_and_256_kib_are_the_most(void **state)
{
	struct rig *rig = *state;
	struct signed_text envelope, back;
	struct buf text = { 0 };

	signed_init(&envelope, "x", 1);
	for (int i = 0; i < SIGNED_SIGNATURES_MAX; i++) {
		struct minisign_secret *secret = minisign_generate();

		rig_sign(&envelope, secret);
		minisign_secret_free(secret);
	}
	signed_write(&envelope, &text);
	assert_int_equal(signed_read(text.data, text.len, "t", &back, NULL, NULL), 0);
	struct minisig one_more = back.signatures[0];

	one_more.id[0] ^= 1;
	assert_int_equal(signed_add(&back, &one_more, NULL), AISLE_E_FULL);
	/* Written by who does not count. */
	back.signatures =
	    mem_realloc(back.signatures, (SIGNED_SIGNATURES_MAX + 1) * sizeof(one_more));
	back.signatures[back.count++] = one_more;
	buf_clear(&text);
	signed_write(&back, &text);
	refused(rig, text.data, text.len);
	signed_done(&back);
	signed_done(&envelope);
	char *big = mem_zero(SIGNED_BYTES_MAX);

	signed_init(&envelope, big, (SIGNED_BYTES_MAX - 64) / 4 * 3);
	buf_clear(&text);
	signed_write(&envelope, &text);
	assert_true(text.len <= SIGNED_BYTES_MAX);
	assert_int_equal(signed_read(text.data, text.len, "t", &back, NULL, NULL), 0);
	signed_done(&back);
	signed_done(&envelope);
	signed_init(&envelope, big, SIGNED_BYTES_MAX / 4 * 3);
	buf_clear(&text);
	signed_write(&envelope, &text);
	refused(rig, text.data, text.len);
	signed_done(&envelope);
	buf_done(&text);
	free(big);
}

static void
a_gateways_key_is_asked_for_and_signed_with_an_order_key(void **state)
{
	struct rig *rig = *state;
	struct device device = { .store = "0417", .at_ms = NOW_MS }, read;
	struct buf request = { 0 }, manifest = { 0 }, text;

	memset(device.key, 7, sizeof(device.key));
	device_request_write(&device, &request);
	assert_int_equal(device_request_read(request.data, request.len, "request", &read,
			     &rig->err),
	    0);
	assert_string_equal(read.store, "0417");
	assert_memory_equal(read.key, device.key, sizeof(read.key));
	assert_int_equal(read.at_ms, NOW_MS);
	device_write(&device, &manifest);
	text = rig_envelope(rig, &manifest, 2, 3);
	memset(&read, 0, sizeof(read));
	assert_int_equal(device_open(&rig->root, text.data, text.len, "pub", NOW_MS, &read,
			     &rig->refusal, &rig->err),
	    0);
	assert_string_equal(read.store, "0417");
	assert_memory_equal(read.key, device.key, sizeof(read.key));
	buf_done(&text);
	text = rig_envelope(rig, &manifest, 0, 1);
	int64_t before = refusal_count(REFUSED_WRONG_KEY);
	int rc = device_open(&rig->root, text.data, text.len, "pub", NOW_MS, &read, &rig->refusal,
	    &rig->err);

	assert_refused(rig, rc, "wrong-key", before);
	/* HQ's own file: the signature is not asked. */
	assert_int_equal(device_open(NULL, text.data, text.len, "pub", 0, &read, &rig->refusal,
			     &rig->err),
	    0);
	buf_done(&text);
	/* A request is no device. */
	text = rig_envelope(rig, &request, 2, 3);
	before = refusal_count(REFUSED_WRONG_KIND);
	rc = device_open(&rig->root, text.data, text.len, "pub", NOW_MS, &read, &rig->refusal,
	    &rig->err);
	assert_refused(rig, rc, "wrong-kind", before);
	buf_done(&text);
	request.data[request.len - 1] = ' ';
	assert_int_equal(device_request_read(request.data, request.len, "request", &read,
			     &rig->err),
	    AISLE_E_REFUSED);
	buf_done(&request);
	buf_done(&manifest);
}

static void
every_refusal_has_a_name_a_counter_and_its_place_in_the_metrics(void **state)
{
	struct buf text = { 0 }, json = { 0 };
	struct err err = { 0 };
	enum refusal said = REFUSED_NONE;
	(void)state;

	metrics_reset();
	for (int i = 1; i < REFUSED_COUNT; i++) {
		enum refusal refusal = (enum refusal)i;

		assert_int_equal(refusal_by_name(refusal_name(refusal)), refusal);
		for (int n = 0; n < i; n++)
			assert_int_equal(refusal_say(refusal, &said, NULL, "for number %d", n),
			    AISLE_E_REFUSED);
		assert_int_equal(said, refusal);
		assert_int_equal(refusal_count(refusal), i);
	}
	assert_int_equal(refusal_by_name("weather"), REFUSED_COUNT);
	refusal_say(REFUSED_THRESHOLD, NULL, &err, "%d of %d", 1, 2);
	assert_string_equal(err.text, "threshold: 1 of 2");
	assert_string_equal(refusal_reason(REFUSED_THRESHOLD, err.text), "1 of 2");
	assert_string_equal(refusal_reason(REFUSED_EXPIRED, err.text), "threshold: 1 of 2");
	metrics_write(&text, false);
	assert_non_null(strstr(text.data, "aisle_trust_refused_total{reason=\"malformed\"} 1\n"));
	assert_non_null(strstr(text.data, "aisle_trust_refused_total{reason=\"unsigned\"} 2\n"));
	metrics_reset();
	refusal_say(REFUSED_EXPIRED, NULL, NULL, "x");
	refusal_write(JSON_WRITER(&json), NULL);
	assert_string_equal(json.data, "{\"expired\":1}");
	metrics_reset();
	buf_done(&text);
	buf_done(&json);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, rig_open, rig_close)
	const struct CMUnitTest tests[] = {
		T(what_is_put_in_comes_out),
		T(the_same_content_in_another_spelling_is_refused),
		T(sixteen_signatures_and_256_kib_are_the_most),
		T(a_gateways_key_is_asked_for_and_signed_with_an_order_key),
		T(every_refusal_has_a_name_a_counter_and_its_place_in_the_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
