/* SPDX-License-Identifier: Apache-2.0
 *
 * receipt.c - what a sender is told of its events, and operators of what could not be used.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "core/log.h"
#include "core/metrics.h"

/* ---- what cannot be used ---- */

void
dead_letter_write(struct engine *engine, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len, bool keep, int64_t count)
{
	struct buf buf = { 0 };
	struct json_writer *w = JSON_OBJECT(&buf);
	uint8_t digest[16];
	char hex[33], detail[sizeof(rejected->detail) + 32];

	snprintf(detail, sizeof(detail), count > 1 ? "%s (%lld times)" : "%s", rejected->detail,
	    (long long)count);
	hash_bytes(digest, sizeof(digest), payload, len, NULL, 0);
	hash_hex(hex, digest, sizeof(digest));
	engine_check(engine,
	    store_dead_add(engine->store, engine->now_ms, topic, reject_name(rejected->reason),
		detail, payload, keep ? len : 0));
	json_add_when(w, "at", engine->now_ms);
	json_add_str(w, "topic", topic);
	json_add_str(w, "reason", reject_name(rejected->reason));
	json_add_str(w, "detail", rejected->detail);
	json_add_int(w, "size", (int64_t)len);
	json_add_str(w, "digest", hex);
	if (count > 1)
		json_add_int(w, "count", count);
	json_end(w);
	engine_output(engine, OUTPUT_DEAD_LETTER, NULL, "dead-letter", NULL, buf.data, buf.len);
	buf_done(&buf);
	log_notice("input set aside reason=%s topic=%s count=%lld detail=%s",
	    reject_name(rejected->reason), LOG_VALUE(topic), (long long)count,
	    LOG_VALUE(rejected->detail));
}

void
dead_letter(struct engine *engine, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len, bool keep)
{
	metrics_rejected(rejected->reason);
	if (!letter_left_out(engine, topic, rejected, payload, len, keep))
		dead_letter_write(engine, topic, rejected, payload, len, keep, 1);
}

/* A PIN is never stored: a message that carries one leaves its reason, size and digest, not its
 * text. */
void
dead_letter_of(struct engine *engine, enum channel channel, const char *topic,
    const struct rejected *rejected, const void *payload, size_t len)
{
	static const char secret[] = "\"pin\"";
	bool keep =
	    channel != CHANNEL_TABLET || memmem(payload, len, secret, sizeof(secret) - 1) == NULL;

	dead_letter(engine, topic, rejected, payload, len, keep);
}

void
refuse_message(struct engine *engine, const struct route *route, const char *topic,
    const struct rejected *rejected, const void *payload, size_t len)
{
	dead_letter_of(engine, route->channel, topic, rejected, payload, len);
	if (rejected->receipt && rejected->source[0] != '\0')
		receipt_add(engine, route->channel, route->origin, rejected->source, rejected->id,
		    engine->now_ms, reject_name(rejected->reason));
}

/* ---- receipts ---- */

#define RECEIPT_IDS_MAX 256 /* of 300 bytes at most */

static const char *
receipt_topic(struct engine *engine, enum channel channel, const char *origin)
{
	switch (channel) {
	case CHANNEL_POS: return arena_printf(engine->arena, "pos/%s/receipt", origin);
	case CHANNEL_LOYALTY: return arena_printf(engine->arena, "loyalty/%s/receipt", origin);
	case CHANNEL_CARE: return "care/receipt";
	case CHANNEL_TABLET: break;
	}
	return NULL;
}

void
receipt_add(struct engine *engine, enum channel channel, const char *origin, const char *source,
    const char *id, int64_t at_ms, const char *reason)
{
	const char *topic = receipt_topic(engine, channel, origin);

	if (topic == NULL)
		return;
	if (engine->receipt_count == engine->receipt_capacity) {
		engine->receipt_capacity =
		    engine->receipt_capacity == 0 ? 64 : 2 * engine->receipt_capacity;
		engine->receipts = mem_realloc(engine->receipts,
		    engine->receipt_capacity * sizeof(*engine->receipts));
	}
	engine->receipts[engine->receipt_count++] = (struct receipt_row){
		.topic = topic,
		.source = arena_strdup(engine->arena, source),
		.id = arena_strdup(engine->arena, id),
		.at_ms = at_ms,
		.reason = reason,
	};
}

/* One receipt message a sender and turn, or as many as fit into what a broker takes. */
static void
receipts_send_to(struct engine *engine, const char *topic)
{
	struct buf json = { 0 }, at_list = { 0 }, refused_list = { 0 };
	struct json_writer *w = JSON_OBJECT(&json), *at = JSON_WRITER(&at_list),
			   *refused = JSON_WRITER(&refused_list);
	int count = 0;

	json_add_list(w, "ids");
	json_add_list(at, NULL);
	json_add_list(refused, NULL);
	for (size_t i = 0; i < engine->receipt_count; i++) {
		struct receipt_row *row = &engine->receipts[i];
		struct json_writer *list = row->reason != NULL ? refused : w;

		if (row->topic == NULL || strcmp(row->topic, topic) != 0)
			continue;
		json_add_list(list, NULL);
		json_add_str(list, NULL, row->source);
		json_add_str(list, NULL, row->id);
		if (row->reason != NULL)
			json_add_str(list, NULL, row->reason);
		else
			json_add_when(at, NULL, row->at_ms);
		json_end(list);
		row->topic = NULL;
		if (++count == RECEIPT_IDS_MAX)
			break;
	}
	json_end(w);
	json_end(at);
	json_end(refused);
	json_add_raw(w, "at", at_list.data, at_list.len);
	if (refused_list.len > strlen("[]"))
		json_add_raw(w, "refused", refused_list.data, refused_list.len);
	json_end(w);
	metrics_add(METRIC_RECEIPTS, 1);
	engine_output(engine, OUTPUT_RECEIPT, NULL, topic, NULL, json.data, json.len);
	buf_done(&json);
	buf_done(&at_list);
	buf_done(&refused_list);
}

void
receipts_send(struct engine *engine)
{
	for (size_t i = 0; i < engine->receipt_count; i++) {
		if (engine->receipts[i].topic != NULL)
			receipts_send_to(engine, engine->receipts[i].topic);
	}
	engine->receipt_count = 0;
}
