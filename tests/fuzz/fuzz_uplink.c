/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_uplink.c - any bytes as headquarters' acknowledgement, of each lane and of topics that are none.
 *
 * What must hold: no crash; it is taken or counted as refused; what is taken is of this epoch, and never more than was
 * sent.
 */
#include <stdio.h>
#include <string.h>

#include "core/metrics.h"
#include "sync/uplink.h"

#define SENT 3 /* rows of the lane money; of consent one waits that was not sent */

static struct store *store;
static struct uplink *uplink;
static char epoch[17];

static void
add(enum lane lane)
{
	CHECK(store_begin(store) == 0);
	CHECK(store_uplink_add(store, lane, "outcome", 1000, NULL, "{}", 2) == 0);
	CHECK(store_commit(store) == 0);
}

static void
set_up(void)
{
	struct store_options options = { .dir = NULL };
	struct buf topic = { 0 }, payload = { 0 };
	struct err err = { 0 };

	if (store != NULL)
		return;
	CHECK(store_open(&options, &store, &err) == 0);
	store_epoch(store, epoch);
	uplink = uplink_new(store, "0042", 7);
	uplink_connected(uplink, true, 0);
	for (int i = 0; i < SENT; i++)
		add(LANE_MONEY);
	CHECK(uplink_next(uplink, 0, &topic, &payload));
	add(LANE_CONSENT);
	buf_done(&topic);
	buf_done(&payload);
}

static void
take(const char *topic, const void *payload, size_t len)
{
	enum lane lane = LANE_COUNT;
	int64_t upto = -1, counted = metrics_get(METRIC_UPLINK_REFUSED);
	int rc = uplink_ack(uplink, topic, payload, len, &lane, &upto);

	CHECK(rc == 0 || rc == AISLE_E_INVALID);
	CHECK(metrics_get(METRIC_UPLINK_REFUSED) == counted + (rc != 0));
	if (rc != 0) {
		CHECK(lane == LANE_COUNT && upto == -1);
		return;
	}
	CHECK(lane == LANE_MONEY && upto >= 1 && upto <= SENT);
	CHECK(store_uplink_count(store) == SENT + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const lanes[] = { "consent", "money", "decision", "telemetry", "", "+" };
	char topic[256], text[64];
	size_t len;

	set_up();
	for (size_t i = 0; i < ARRAY_LEN(lanes); i++) {
		snprintf(topic, sizeof(topic), "aisle/v1/hq/store/0042/ack/%s", lanes[i]);
		take(topic, data, size);
	}
	/* As a topic, with a payload that fits. */
	len = size < sizeof(topic) - 1 ? size : sizeof(topic) - 1;
	memcpy(topic, data, len);
	topic[len] = '\0';
	snprintf(text, sizeof(text), "{\"epoch\":\"%s\",\"upto\":%d}", epoch, SENT);
	take(topic, text, strlen(text));
	/* This epoch is random: behind it what is left to say. */
	struct buf told = { 0 };

	buf_addf(&told, "{\"epoch\":\"%s\",\"upto\":", epoch);
	buf_add(&told, data, size);
	take("aisle/v1/hq/store/0042/ack/money", told.data, told.len);
	buf_done(&told);
	return 0;
}
