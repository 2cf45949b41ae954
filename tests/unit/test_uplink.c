/* SPDX-License-Identifier: Apache-2.0
 *
 * test_uplink.c - lanes, batches, acknowledgements, back-off; frames of the link; batches as HQ reads them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "core/metrics.h"
#include "hq/batch.h"
#include "sync/link.h"
#include "sync/uplink.h"
#include "sync/wan.h"

static struct store *store;
static struct uplink *uplink;
static struct buf topic, payload;
static char epoch[17];

static int
open_all(void **state)
{
	(void)state;
	struct store_options options = { .dir = NULL };
	struct err err = { 0 };
	if (store_open(&options, &store, &err) != 0)
		return 1;
	store_epoch(store, epoch);
	uplink = uplink_new(store, "0042", 7);
	metrics_reset();
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	uplink_free(uplink);
	store_close(store);
	buf_done(&topic);
	buf_done(&payload);
	return 0;
}

static void
add(enum lane lane, const char *type, const char *body)
{
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_uplink_add(store, lane, type, INT64_C(1795256100123), NULL, body,
			     strlen(body)),
	    0);
	assert_int_equal(store_commit(store), 0);
}

static struct batch
next_batch(int64_t now)
{
	struct batch batch = { .count = 0 };
	struct err err = { 0 };
	assert_true(uplink_next(uplink, now, &topic, &payload));
	if (batch_read(topic.data, payload.data, payload.len, &batch, &err) != 0)
		fail_msg("line %d: %s", err.line, err.text);
	assert_string_equal(batch.store, "0042");
	assert_string_equal(batch.epoch, epoch);
	return batch;
}

/* The batch's lane and its first and last sequence. */
static void
sends(int64_t now, const char *lane, int64_t first, int64_t last)
{
	struct batch batch = next_batch(now);
	assert_string_equal(batch.lane, lane);
	assert_int_equal(batch.rows[0].seq, first);
	assert_int_equal(batch.upto, last);
	batch_done(&batch);
}

static int
ack(const char *lane, const char *of_epoch, int64_t upto)
{
	char name[100], text[100];
	enum lane ret_lane;
	int64_t ret_upto;
	snprintf(name, sizeof(name), "aisle/v1/hq/store/0042/ack/%s", lane);
	int len = snprintf(text, sizeof(text), "{\"epoch\":\"%s\",\"upto\":%lld}", of_epoch,
	    (long long)upto);
	int rc = uplink_ack(uplink, name, text, (size_t)len, &ret_lane, &ret_upto);
	if (rc == 0) {
		assert_string_equal(lane_names[ret_lane], lane);
		assert_int_equal(ret_upto, upto);
		assert_int_equal(store_begin(store), 0);
		assert_int_equal(store_uplink_ack(store, ret_lane, ret_upto), 0);
		assert_int_equal(store_commit(store), 0);
		uplink_acked(uplink, ret_lane, ret_upto);
	}
	return rc;
}

static void
nothing_goes_before_the_connection(void **state)
{
	(void)state;
	add(LANE_MONEY, "outcome", "{\"x\":1}");
	assert_false(uplink_next(uplink, 0, &topic, &payload));
	uplink_connected(uplink, true, 0);
	sends(0, "money", 1, 1);
	uplink_connected(uplink, false, 1000000);
	assert_false(uplink_next(uplink, 1000000, &topic, &payload));
}

static void
what_was_on_its_way_goes_again_soon_after_a_reconnect(void **state)
{
	(void)state;
	int64_t now = 1000;
	uplink_connected(uplink, true, now);
	add(LANE_MONEY, "outcome", "{}");
	/* As long as it can wait: ten minutes. */
	for (int i = 0; i < 12; i++)
		while (!uplink_next(uplink, now, &topic, &payload))
			now += 100;
	uplink_connected(uplink, false, now);
	uplink_connected(uplink, true, now);
	add(LANE_CONSENT, "consent", "{}");
	sends(now, "consent", 1, 1); /* what was never sent goes at once */
	assert_false(uplink_next(uplink, now + 999, &topic, &payload));
	sends(now + 5000, "money", 1, 1);
}

static void
a_record_arrives_as_it_was_written(void **state)
{
	(void)state;
	uplink_connected(uplink, true, 0);
	add(LANE_DECISION, "decision",
	    "{\"id\":\"01K\",\n\"p\":0.10000000000000001,\"t\":\"é\\n\"}");
	add(LANE_DECISION, "learner", "5");
	assert_true(uplink_next(uplink, 0, &topic, &payload));
	assert_string_equal(topic.data, "aisle/v1/hq/store/0042/up/decision");
	struct buf lines = { 0 };
	char expected[400];
	assert_int_equal(batch_unzip(payload.data, payload.len, 10000, &lines), 0);
	snprintf(expected, sizeof(expected),
	    "{\"epoch\":\"%s\",\"seq\":1,\"type\":\"decision\",\"at\":\"2026-11-21T10:15:00.123Z\","
	    "\"body\":"
	    "{\"id\":\"01K\", \"p\":0.10000000000000001,\"t\":\"é\\n\"}}\n"
	    "{\"epoch\":\"%s\",\"seq\":2,\"type\":\"learner\",\"at\":\"2026-11-21T10:15:00.123Z\","
	    "\"body\":5}\n",
	    epoch, epoch);
	assert_string_equal(lines.data, expected);
	buf_done(&lines);
}

static void
lanes_go_in_their_order_one_batch_each(void **state)
{
	(void)state;
	uplink_connected(uplink, true, 0);
	add(LANE_TELEMETRY, "health", "{}");
	add(LANE_DECISION, "decision", "{}");
	add(LANE_MONEY, "outcome", "{}");
	add(LANE_CONSENT, "consent", "{}");
	sends(0, "consent", 1, 1);
	sends(0, "money", 1, 1);
	add(LANE_CONSENT, "consent", "{}");
	sends(0, "decision", 1, 1);
	sends(0, "telemetry", 1, 1);
	assert_false(uplink_next(uplink, 0, &topic, &payload));
	assert_int_equal(ack("consent", epoch, 1), 0);
	sends(0, "consent", 2, 2);
}

static void
a_batch_holds_256_rows(void **state)
{
	(void)state;
	uplink_connected(uplink, true, 0);
	for (int i = 0; i < UPLINK_BATCH_ROWS + 1; i++)
		add(LANE_TELEMETRY, "health", "{\"n\":1}");
	sends(0, "telemetry", 1, UPLINK_BATCH_ROWS);
	assert_int_equal(ack("telemetry", epoch, UPLINK_BATCH_ROWS), 0);
	sends(0, "telemetry", UPLINK_BATCH_ROWS + 1, UPLINK_BATCH_ROWS + 1);
	assert_int_equal(ack("telemetry", epoch, UPLINK_BATCH_ROWS + 1), 0);
	assert_int_equal(store_uplink_count(store), 0);
	assert_false(uplink_next(uplink, 0, &topic, &payload));
}

static char *
big_body(size_t len)
{
	char *body = malloc(len + 1);
	memset(body, 'x', len);
	body[0] = body[len - 1] = '"';
	body[len] = '\0';
	return body;
}

static void
a_batch_holds_256_kib_and_a_big_row_goes_alone(void **state)
{
	(void)state;
	uplink_connected(uplink, true, 0);
	char *half = big_body(100u << 10), *large = big_body(1000u << 10),
	     *huge = big_body((4u << 20) + 1), *wide = big_body(4u << 20),
	     *noise = big_body(1900u << 10);
	uint64_t x = 1;

	/* Six bits a byte: what zstd makes of it is larger than a frame. */
	for (size_t i = 1; i < (1900u << 10) - 1; i++) {
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		noise[i] =
		    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[x >> 58];
	}
	for (int i = 0; i < 3; i++)
		add(LANE_DECISION, "decision", half);
	add(LANE_DECISION, "decision", large);
	add(LANE_DECISION, "decision", wide);
	add(LANE_DECISION, "decision", huge);
	add(LANE_DECISION, "decision", noise);
	sends(0, "decision", 1, 2);
	assert_int_equal(ack("decision", epoch, 2), 0);
	sends(0, "decision", 3, 3);
	assert_int_equal(ack("decision", epoch, 3), 0);
	sends(0, "decision", 4, 4);
	assert_true(payload.len <= FRAME_BYTES_MAX - 1024);
	assert_int_equal(ack("decision", epoch, 4), 0);
	/* As large as a decision may be, and HQ's batch holds it. */
	sends(0, "decision", 5, 5);
	assert_true(payload.len <= FRAME_BYTES_MAX - 1024);
	assert_int_equal(ack("decision", epoch, 5), 0);
	/* What no frame can hold does not hold up the lane. */
	struct batch batch = next_batch(0);
	assert_string_equal(batch.rows[0].type, "gap");
	assert_string_equal(batch.rows[0].body, "{\"lane\":\"decision\",\"from\":6,\"to\":6}");
	batch_done(&batch);
	assert_int_equal(ack("decision", epoch, 6), 0);
	batch = next_batch(0);
	assert_true(payload.len <= FRAME_BYTES_MAX - 1024);
	assert_string_equal(batch.rows[0].type, "gap");
	batch_done(&batch);
	free(wide);
	free(noise);
	free(half);
	free(large);
	free(huge);
}

static void
a_batch_goes_again_after_a_growing_time(void **state)
{
	(void)state;
	uplink_connected(uplink, true, 0);
	add(LANE_MONEY, "outcome", "{}");
	sends(0, "money", 1, 1);
	int64_t now = 0, gaps[12];
	for (int i = 0; i < 12; i++) {
		int64_t start = now;
		while (!uplink_next(uplink, now, &topic, &payload))
			now += 10;
		gaps[i] = now - start;
	}
	assert_in_range(gaps[0], 15000, 30000);
	assert_in_range(gaps[1], 30000, 60000);
	for (int i = 8; i < 12; i++)
		assert_in_range(gaps[i], 300000, 600000);
	/* An acknowledgement makes it quick again. */
	add(LANE_MONEY, "outcome", "{}");
	assert_int_equal(ack("money", epoch, 1), 0);
	sends(now, "money", 2, 2);
	assert_false(uplink_next(uplink, now + 14999, &topic, &payload));
	assert_true(uplink_next(uplink, now + 30001, &topic, &payload));
	assert_int_equal(metrics_get(METRIC_UPLINK_SENT), 15);
}

static void
two_stores_do_not_wait_alike(void **state)
{
	(void)state;
	struct uplink *other = uplink_new(store, "0042", 8);
	struct buf t = { 0 }, p = { 0 };
	int64_t a = 0, b = 0;
	add(LANE_MONEY, "outcome", "{}");
	uplink_connected(uplink, true, 0);
	uplink_connected(other, true, 0);
	for (int i = 0; i < 4; i++) {
		while (!uplink_next(uplink, a, &topic, &payload))
			a++;
		while (!uplink_next(other, b, &t, &p))
			b++;
	}
	assert_true(a != b);
	uplink_free(other);
	buf_done(&t);
	buf_done(&p);
}

static void
acknowledgements_that_do_not_fit_are_refused_and_counted(void **state)
{
	(void)state;
	uplink_connected(uplink, true, 0);
	add(LANE_MONEY, "outcome", "{}");
	add(LANE_MONEY, "outcome", "{}");
	assert_int_equal(ack("money", epoch, 1), AISLE_E_INVALID); /* never sent */
	sends(0, "money", 1, 2);
	assert_int_equal(ack("money", epoch, 3), AISLE_E_INVALID);
	assert_int_equal(ack("money", epoch, 0), AISLE_E_INVALID);
	assert_int_equal(ack("money", epoch, -1), AISLE_E_INVALID);
	assert_int_equal(ack("money", "ffffffffffffffff", 2), AISLE_E_INVALID);
	assert_int_equal(ack("decision", epoch, 1), AISLE_E_INVALID);
	assert_int_equal(ack("other", epoch, 1), AISLE_E_INVALID);
	enum lane lane;
	int64_t upto;
	static const char *const bad[] = { "", "{}", "nope", "[]", "{\"epoch\":5,\"upto\":1}",
		"{\"upto\":1}" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(uplink_ack(uplink, "aisle/v1/hq/store/0042/ack/money", bad[i],
				     strlen(bad[i]), &lane, &upto),
		    AISLE_E_INVALID);
	char text[100];
	int len = snprintf(text, sizeof(text), "{\"epoch\":\"%s\",\"upto\":2.0}", epoch);
	assert_int_equal(uplink_ack(uplink, "aisle/v1/hq/store/0042/ack/money", text, (size_t)len,
			     &lane, &upto),
	    AISLE_E_INVALID);
	len = snprintf(text, sizeof(text), "{\"epoch\":\"%s\",\"upto\":2}", epoch);
	assert_int_equal(uplink_ack(uplink, "aisle/v1/hq/store/0043/ack/money", text, (size_t)len,
			     &lane, &upto),
	    AISLE_E_INVALID);
	assert_int_equal(metrics_get(METRIC_UPLINK_REFUSED), 15);
	assert_int_equal(store_uplink_count(store), 2);
	/* In part, then the rest, then a double. */
	assert_int_equal(ack("money", epoch, 1), 0);
	sends(0, "money", 2, 2);
	assert_int_equal(ack("money", epoch, 2), 0);
	assert_int_equal(ack("money", epoch, 1), 0);
	assert_int_equal(store_uplink_count(store), 0);
}

static void
a_record_that_hq_never_takes_becomes_a_gap(void **state)
{
	(void)state;
	uplink_connected(uplink, true, 0);
	add(LANE_CONSENT, "consent", "{}");
	add(LANE_CONSENT, "consent", "not json");
	int64_t now = 0;
	struct err err = { 0 };
	struct batch batch;
	for (int i = 0; i < 3; i++) {
		while (!uplink_next(uplink, now, &topic, &payload))
			now += 100;
		assert_int_equal(batch_read(topic.data, payload.data, payload.len, &batch, &err),
		    AISLE_E_INVALID);
	}
	while (!uplink_next(uplink, now, &topic, &payload))
		now += 100;
	assert_int_equal(batch_read(topic.data, payload.data, payload.len, &batch, &err), 0);
	assert_int_equal(batch.upto, 2);
	assert_string_equal(batch.rows[0].type, "consent");
	assert_string_equal(batch.rows[1].type, "gap");
	batch_done(&batch);
}

static void
frames_come_back_whole_and_never_in_part(void **state)
{
	(void)state;
	struct buf out = { 0 };
	char name[256];
	enum frame_type type;
	const void *body;
	size_t len;
	frame_write(&out, FRAME_PUBLISH, "a/b", "x\0y", 3);
	int64_t first = (int64_t)out.len;
	frame_write(&out, FRAME_UP, NULL, NULL, 0);
	for (size_t cut = 0; cut < (size_t)first; cut++) {
		char *copy = malloc(cut + 1);
		memcpy(copy, out.data, cut);
		assert_int_equal(frame_read(copy, cut, &type, name, &body, &len), 0);
		free(copy);
	}
	assert_int_equal(frame_read(out.data, out.len, &type, name, &body, &len), first);
	assert_int_equal(type, FRAME_PUBLISH);
	assert_string_equal(name, "a/b");
	assert_int_equal(len, 3);
	assert_memory_equal(body, "x\0y", 3);
	assert_int_equal(frame_read(out.data + first, out.len - (size_t)first, &type, name, &body,
			     &len),
	    7);
	assert_int_equal(type, FRAME_UP);
	assert_int_equal(len, 0);
	buf_done(&out);
}

static void
broken_frames_are_refused_early(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
		{ "\0\0\0\0", 4 }, { "\2\0\0\0", 4 }, { "\x01\x04\x10\0", 4 },
		{ "\xff\xff\xff\xff", 4 }, { "\3\0\0\0\0\0\0", 7 },
		{ "\3\0\0\0\7\0\0", 7 },			   /* types 0 and 7 */
		{ "\4\0\0\0\1\2\0a", 8 }, { "\3\0\0\0\1\0\1", 7 }, /* topic longer than the frame */
		{ "\5\0\0\0\1\2\0a\0", 9 },			   /* a zero in the topic */
	};
	char name[256];
	enum frame_type type;
	const void *body;
	size_t len;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(frame_read(bad[i].bytes, bad[i].len, &type, name, &body, &len) < 0);
	/* The largest that may be: waits for its bytes. */
	assert_int_equal(frame_read("\0\x04\x10\0", 4, &type, name, &body, &len), 0);
}

static void
compressed(const char *text, size_t len, struct buf *out)
{
	buf_clear(out);
	buf_reserve(out, ZSTD_compressBound(len));
	out->len = ZSTD_compress(out->data, ZSTD_compressBound(len), text, len, 1);
}

#define LINE(seq, type, body) \
	"{\"epoch\":\"00112233445566aa\",\"seq\":" seq ",\"type\":\"" type \
	"\",\"at\":\"2026-11-21T10:15:00Z\",\"body\":" body "}\n"

static int
reads(const char *text, int64_t *ret_upto)
{
	struct buf zipped = { 0 };
	struct batch batch = { .count = 0 };
	struct err err = { 0 };
	compressed(text, strlen(text), &zipped);
	int rc = batch_read("aisle/v1/hq/store/s/up/money", zipped.data, zipped.len, &batch, &err);
	buf_done(&zipped);
	assert_int_equal(rc, err.code);
	if (rc == 0 && ret_upto != NULL)
		*ret_upto = batch.upto;
	batch_done(&batch);
	return rc;
}

static void
a_batch_is_acknowledged_up_to_its_first_hole(void **state)
{
	(void)state;
	int64_t upto = 0;
	assert_int_equal(reads(LINE("7", "outcome", "{}") LINE("8", "outcome", "{}"), &upto), 0);
	assert_int_equal(upto, 8);
	assert_int_equal(reads(LINE("7", "outcome", "{}") LINE("9", "outcome", "{}")
				   LINE("10", "outcome", "{}"),
			     &upto),
	    0);
	assert_int_equal(upto, 7);
	assert_int_equal(reads(LINE("7", "outcome", "{}")
				   LINE("9", "gap", "{\"lane\":\"money\",\"from\":8,\"to\":9}")
				       LINE("10", "outcome", "{}"),
			     &upto),
	    0);
	assert_int_equal(upto, 10);
	assert_int_equal(reads(LINE("7", "outcome", "{}")
				   LINE("9", "gap", "{\"lane\":\"money\",\"from\":9,\"to\":9}"),
			     &upto),
	    0);
	assert_int_equal(upto, 7);
	/* A gap that claims more than its own number fills nothing. */
	assert_int_equal(reads(LINE("7", "outcome", "{}")
				   LINE("9", "gap", "{\"lane\":\"money\",\"from\":8,\"to\":99}"),
			     &upto),
	    0);
	assert_int_equal(upto, 7);
}

static void
a_batch_with_one_bad_line_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"\n",
		"x\n",
		"{}\n",
		"[]\n",
		LINE("0", "t", "1"),
		LINE("-1", "t", "1"),
		LINE("1.0", "t", "1"),
		LINE("1", "t", "1") LINE("1", "t", "1"),
		LINE("2", "t", "1") LINE("1", "t", "1"),
		LINE("1", "", "1"),
		LINE("1", "a b", "1"),
		LINE("1", "t", ""),
		LINE("1", "t", "1") "\n",
		LINE("1", "t", "1") "{",
		"{\"epoch\":\"00112233445566AA\",\"seq\":1,\"type\":\"t\",\"at\":\"2026-11-21T10:"
		"15:00Z\",\"body\":1}",
		"{\"epoch\":\"00112233445566aa\",\"seq\":1,\"type\":\"t\",\"at\":\"yesterday\","
		"\"body\":1}",
		"{\"epoch\":\"00112233445566aa\",\"seq\":1,\"type\":\"t\",\"at\":\"2026-11-21T10:"
		"15:00Z\"}",
		LINE("1", "t", "1") "{\"epoch\":\"ff112233445566aa\",\"seq\":2,\"type\":\"t\","
				    "\"at\":\"2026-11-21T10:15:00Z\",\"body\":1}",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (reads(bad[i], NULL) != AISLE_E_INVALID)
			fail_msg("read: %s", bad[i]);
	}
	assert_int_equal(reads(LINE("1", "t", "null"), NULL), 0);
}

static void
what_is_not_bounded_zstd_is_refused(void **state)
{
	(void)state;
	struct buf zipped = { 0 }, out = { 0 };
	char *zeros = calloc(1, BATCH_BYTES_MAX + 1);
	compressed(zeros, BATCH_BYTES_MAX, &zipped);
	assert_int_equal(batch_unzip(zipped.data, zipped.len, BATCH_BYTES_MAX, &out), 0);
	assert_int_equal(out.len, BATCH_BYTES_MAX);
	buf_clear(&out);
	compressed(zeros, BATCH_BYTES_MAX + 1, &zipped);
	assert_true(zipped.len < 2000);
	assert_int_equal(batch_unzip(zipped.data, zipped.len, BATCH_BYTES_MAX, &out),
	    AISLE_E_INVALID);
	assert_true(out.len <= BATCH_BYTES_MAX);
	compressed("hello", 5, &zipped);
	for (size_t cut = 0; cut < zipped.len; cut++) {
		buf_clear(&out);
		assert_int_equal(batch_unzip(zipped.data, cut, 100, &out), AISLE_E_INVALID);
	}
	buf_clear(&out);
	buf_addc(&zipped, 'x');
	assert_int_equal(batch_unzip(zipped.data, zipped.len, 100, &out), AISLE_E_INVALID);
	buf_clear(&out);
	assert_int_equal(batch_unzip("not zstd at all", 15, 100, &out), AISLE_E_INVALID);
	free(zeros);
	buf_done(&zipped);
	buf_done(&out);
}

static void
only_a_store_s_own_topics_are_read(void **state)
{
	(void)state;
	char name[33], lane[16];
	assert_true(batch_topic("aisle/v1/hq/store/0042/up/consent", name, lane));
	assert_string_equal(name, "0042");
	assert_string_equal(lane, "consent");
	assert_true(batch_topic("aisle/v1/hq/store/12345678901234567890123456789012/up/telemetry",
	    name, lane));
	static const char *const bad[] = { "aisle/v1/hq/store/hq/up/money",
		"aisle/v1/hq/store//up/money", "aisle/v1/hq/store/a b/up/money",
		"aisle/v1/hq/store/a/up/gold", "aisle/v1/hq/store/a/up/money/x",
		"aisle/v1/hq/store/123456789012345678901234567890123/up/money",
		"aisle/v1/hq/store/a/ack/money", "", "aisle/v1/hq/store/a\xc3\xa9/up/money",
		"aisle/v1/hq/store/../up/money" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(batch_topic(bad[i], name, lane));
}

static void
broker_addresses_are_read(void **state)
{
	(void)state;
	struct wan wan = { .host = NULL };
	char host[WAN_HOST_SIZE];
	assert_true(wan_url("mqtt://hq.example", &wan, host) && wan.port == 1883 && !wan.tls);
	assert_string_equal(wan.host, "hq.example");
	assert_true(wan_url("mqtts://hq.example", &wan, host) && wan.port == 8883 && wan.tls);
	assert_true(wan_url("mqtt://[::1]:2000/", &wan, host) && wan.port == 2000);
	assert_string_equal(wan.host, "::1");
	static const char *const bad[] = { "hq.example", "http://x", "mqtt://", "mqtt://:1883",
		"mqtt://x:0", "mqtt://x:65536", "mqtt://x:", "mqtt://x:1y", "mqtt://[::1",
		"mqtt://x/y", "mqtt://x:-1" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(wan_url(bad[i], &wan, host));
	struct wan_backoff backoff = { 0 };
	int64_t last = 0;
	for (int i = 0; i < 10; i++)
		last = wan_backoff_next(&backoff);
	assert_in_range(last, 15000, 60000);
}

#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(nothing_goes_before_the_connection),
		WITH_STORE(what_was_on_its_way_goes_again_soon_after_a_reconnect),
		WITH_STORE(a_record_arrives_as_it_was_written),
		WITH_STORE(lanes_go_in_their_order_one_batch_each),
		WITH_STORE(a_batch_holds_256_rows),
		WITH_STORE(a_batch_holds_256_kib_and_a_big_row_goes_alone),
		WITH_STORE(a_batch_goes_again_after_a_growing_time),
		WITH_STORE(two_stores_do_not_wait_alike),
		WITH_STORE(acknowledgements_that_do_not_fit_are_refused_and_counted),
		WITH_STORE(a_record_that_hq_never_takes_becomes_a_gap),
		cmocka_unit_test(frames_come_back_whole_and_never_in_part),
		cmocka_unit_test(broken_frames_are_refused_early),
		cmocka_unit_test(a_batch_is_acknowledged_up_to_its_first_hole),
		cmocka_unit_test(a_batch_with_one_bad_line_is_refused),
		cmocka_unit_test(what_is_not_bounded_zstd_is_refused),
		cmocka_unit_test(only_a_store_s_own_topics_are_read),
		cmocka_unit_test(broker_addresses_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
