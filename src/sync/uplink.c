/* SPDX-License-Identifier: Apache-2.0
 *
 * uplink.c - the store's records to HQ.
 *
 * DESIGN
 *   Each lane is a window of one batch: the oldest rows that HQ has not
 *   acknowledged, sent again until it has. More would be faster over a slow
 *   WAN, but one batch holds up to 256 rows and grows with the backlog by itself,
 *   and one window needs no book-keeping that could be wrong.
 *
 *   Lanes go in their order whenever they are due; a lane that waits for its
 *   acknowledgement does not hold up those behind it, or one bad record of a
 *   consent would keep the money at the store.
 *
 * INVARIANTS
 *   acked <= sent; a batch begins with the row behind acked.
 *   An acknowledgement is believed up to sent and no further.
 */
#include "sync/uplink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "core/json.h"
#include "core/json_write.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"

#define ZSTD_LEVEL 3
#define ROW_BYTES_MAX (4u << 20) /* the largest decision; HQ takes 8 MiB a batch */
#define PACKED_BYTES_MAX ((1u << 20) - (8u << 10)) /* what a frame holds */
#define BACKOFF_FIRST_MS (30 * S_MS)
#define BACKOFF_LAST_MS (10 * MIN_MS)
#define AGAIN_FIRST_MS (1 * S_MS) /* after a reconnect: from … to */
#define AGAIN_LAST_MS (5 * S_MS)
#define SUSPECT_TRIES 3

struct window {
	int64_t acked, sent; /* sequences */
	bool in_flight;
	int tries;	/* of this batch */
	int64_t due_ms; /* when it is sent again; monotonic */
	int64_t backoff_ms;
};

struct uplink {
	struct store *store;
	char *store_id;
	char epoch[17];
	uint64_t random;
	bool connected;
	struct window windows[LANE_COUNT];
	struct buf lines;
};

struct uplink *
uplink_new(struct store *store, const char *store_id, uint64_t seed)
{
	struct uplink *uplink = mem_zero(sizeof(*uplink));
	uplink->store = store;
	uplink->store_id = mem_strdup(store_id);
	uplink->random = seed;
	store_epoch(store, uplink->epoch);
	return uplink;
}

void
uplink_free(struct uplink *uplink)
{
	if (uplink == NULL)
		return;
	free(uplink->store_id);
	buf_done(&uplink->lines);
	free(uplink);
}

/* A step of splitmix64: only spreads stores over time. */
static uint64_t
next_random(struct uplink *uplink)
{
	uint64_t x = uplink->random += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Half of the back-off for certain, the other half by chance. */
static int64_t
next_delay(struct uplink *uplink, struct window *window)
{
	int64_t backoff = window->backoff_ms > 0 ? window->backoff_ms * 2 : BACKOFF_FIRST_MS;
	window->backoff_ms = backoff < BACKOFF_LAST_MS ? backoff : BACKOFF_LAST_MS;
	int64_t half = window->backoff_ms / 2;
	return half + (int64_t)(next_random(uplink) % (uint64_t)half);
}

void
uplink_connected(struct uplink *uplink, bool connected, int64_t mono_ms)
{
	uplink->connected = connected;
	/* The batch, or its acknowledgement, which is at QoS 0 and of a session that is gone, may
	 * be lost with the connection: to wait for the rest of ten minutes would be to wait for
	 * what cannot come. Soon and not at once: a broker that restarts has all its stores back
	 * within seconds, and most of their batches did arrive. */
	for (int lane = 0; connected && lane < LANE_COUNT; lane++)
		uplink->windows[lane].due_ms = mono_ms + AGAIN_FIRST_MS +
		    (int64_t)(next_random(uplink) % (AGAIN_LAST_MS - AGAIN_FIRST_MS));
}

struct batch {
	struct uplink *uplink;
	enum lane lane;
	bool suspect; /* HQ did not take it several times: look at each row */
	size_t row_max;
	int rows;
	int64_t last;
};

static bool
body_ok(const struct batch *batch, const char *body, size_t len)
{
	if (len == 0 || len > batch->row_max)
		return false;
	if (!batch->suspect)
		return true;
	json_t *json = json_read(body, len, "", NULL);
	json_decref(json);
	return json != NULL;
}

static int
add_row(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	struct batch *batch = ctx;
	struct buf *lines = &batch->uplink->lines;
	if (batch->rows > 0 && lines->len + len + 200 > UPLINK_BATCH_BYTES)
		return 1;
	struct json_writer *w = JSON_WRITER(lines);
	bool ok = body_ok(batch, body, len);
	if (!ok && strcmp(type, "gap") != 0)
		log_warning("uplink: record left out lane=%s seq=%lld bytes=%zu",
		    NAME_OF(lane_names, batch->lane), (long long)seq, len);
	json_add_object(w, NULL);
	json_add_str(w, "epoch", batch->uplink->epoch);
	json_add_int(w, "seq", seq);
	json_add_str(w, "type", ok ? type : "gap");
	json_add_when(w, "at", at_ms);
	if (ok) {
		json_add_raw(w, "body", body, len);
		/* A line feed can only be white space between tokens. */
		for (char *c = lines->data + lines->len - len;
		     (c = memchr(c, '\n', (size_t)(lines->data + lines->len - c)));)
			*c = ' ';
	} else {
		json_add_object(w, "body");
		json_add_str(w, "lane", NAME_OF(lane_names, batch->lane));
		json_add_int(w, "from", seq);
		json_add_int(w, "to", seq);
		json_end(w);
	}
	json_end(w);
	buf_addc(lines, '\n');
	batch->rows++;
	batch->last = seq;
	return 0;
}

/* The rows behind acked as lines; the last one's sequence, or 0 for none. */
static int64_t
gather(struct uplink *uplink, enum lane lane, size_t row_max)
{
	const struct window *window = &uplink->windows[lane];
	struct batch batch = { .uplink = uplink,
		.lane = lane,
		.suspect = window->tries >= SUSPECT_TRIES,
		.row_max = row_max };
	buf_clear(&uplink->lines);
	int rc = store_uplink_each(uplink->store, lane, window->acked, UPLINK_BATCH_ROWS, add_row,
	    &batch);
	/* The rows before the one that could not be read are good. */
	return rc >= 0 || batch.rows > 0 ? batch.last : 0;
}

static void
compress(const struct buf *lines, struct buf *out)
{
	buf_clear(out);
	size_t bound = ZSTD_compressBound(lines->len);
	buf_reserve(out, bound);
	size_t size = ZSTD_compress(out->data, bound, lines->data, lines->len, ZSTD_LEVEL);
	CHECK(!ZSTD_isError(size));
	out->len = size;
	out->data[size] = '\0';
}

bool
uplink_next(struct uplink *uplink, int64_t mono_ms, struct buf *ret_topic, struct buf *ret_payload)
{
	if (!uplink->connected || store_uplink_count(uplink->store) == 0)
		return false;
	for (int lane = 0; lane < LANE_COUNT; lane++) {
		struct window *window = &uplink->windows[lane];
		if (window->in_flight && mono_ms < window->due_ms)
			continue;
		int64_t last = gather(uplink, (enum lane)lane, ROW_BYTES_MAX);
		if (last == 0)
			continue;
		compress(&uplink->lines, ret_payload);
		/* One large row, and zstd gained too little: it goes as a gap. */
		if (ret_payload->len > PACKED_BYTES_MAX) {
			last = gather(uplink, (enum lane)lane, PACKED_BYTES_MAX);
			compress(&uplink->lines, ret_payload);
		}
		if (last > window->sent)
			window->sent = last;
		window->in_flight = true;
		window->tries++;
		window->due_ms = mono_ms + next_delay(uplink, window);
		buf_clear(ret_topic);
		buf_addf(ret_topic, "aisle/v1/hq/store/%s/up/%s", uplink->store_id,
		    NAME_OF(lane_names, lane));
		metrics_add(METRIC_UPLINK_SENT, 1);
		return true;
	}
	return false;
}

/* The lane of "aisle/v1/hq/store/{store}/ack/{lane}"; LANE_COUNT: not ours. */
static enum lane
lane_of_topic(const struct uplink *uplink, const char *topic)
{
	int lane = 0;
	for (; lane < LANE_COUNT; lane++) {
		char wanted[128];
		snprintf(wanted, sizeof(wanted), "aisle/v1/hq/store/%s/ack/%s", uplink->store_id,
		    NAME_OF(lane_names, lane));
		if (strcmp(topic, wanted) == 0)
			break;
	}
	return (enum lane)lane;
}

static bool
ack_ok(const struct uplink *uplink, const struct window *window, const void *payload, size_t len,
    int64_t *ret_upto)
{
	json_t *json = len <= 4096 ? json_read(payload, len, "", NULL) : NULL;
	const char *epoch = json_string_value(json_object_get(json, "epoch"));
	int64_t upto = 0;
	bool ok = epoch != NULL && strcmp(epoch, uplink->epoch) == 0 &&
	    json_int(json_object_get(json, "upto"), &upto) && upto >= 1 && upto <= window->sent;
	json_decref(json);
	if (ok)
		*ret_upto = upto;
	return ok;
}

int
uplink_ack(struct uplink *uplink, const char *topic, const void *payload, size_t len,
    enum lane *ret_lane, int64_t *ret_upto)
{
	enum lane lane = lane_of_topic(uplink, topic);
	if (lane == LANE_COUNT || !ack_ok(uplink, &uplink->windows[lane], payload, len, ret_upto)) {
		metrics_add(METRIC_UPLINK_REFUSED, 1);
		return AISLE_E_INVALID;
	}
	*ret_lane = lane;
	return 0;
}

void
uplink_acked(struct uplink *uplink, enum lane lane, int64_t upto)
{
	CHECK((unsigned)lane < LANE_COUNT);
	struct window *window = &uplink->windows[lane];
	if (upto <= window->acked)
		return; /* a double */
	window->acked = upto;
	/* HQ is alive: what is left goes at once. */
	window->in_flight = false;
	window->backoff_ms = 0;
	window->tries = 0;
}
