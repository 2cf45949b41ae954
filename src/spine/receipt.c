/* SPDX-License-Identifier: Apache-2.0
 *
 * receipt.c - what a till is told of its events, and operators of what could not be used.
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
dead_letter(struct engine *engine, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len, bool keep)
{
	struct buf buf = { 0 };
	struct json_writer *w = JSON_OBJECT(&buf);
	uint8_t digest[16];
	char hex[33];

	metrics_rejected(rejected->reason);
	hash_bytes(digest, sizeof(digest), payload, len, NULL, 0);
	hash_hex(hex, digest, sizeof(digest));
	engine_check(engine,
	    store_dead_add(engine->store, engine->now_ms, topic, reject_name(rejected->reason),
		rejected->detail, payload, keep ? len : 0));
	json_add_when(w, "at", engine->now_ms);
	json_add_str(w, "topic", topic);
	json_add_str(w, "reason", reject_name(rejected->reason));
	json_add_str(w, "detail", rejected->detail);
	json_add_int(w, "size", (int64_t)len);
	json_add_str(w, "digest", hex);
	json_end(w);
	engine_output(engine, OUTPUT_DEAD_LETTER, NULL, "dead-letter", NULL, buf.data, buf.len);
	buf_done(&buf);
	log_notice("input set aside reason=%s topic=%s detail=%s", reject_name(rejected->reason),
	    LOG_VALUE(topic), LOG_VALUE(rejected->detail));
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

/* ---- receipts ---- */

void
receipt_add(struct engine *engine, const char *terminal, const char *source, const char *id,
    int64_t at_ms, const char *reason)
{
	if (engine->receipt_count == engine->receipt_capacity) {
		engine->receipt_capacity =
		    engine->receipt_capacity == 0 ? 64 : 2 * engine->receipt_capacity;
		engine->receipts = mem_realloc(engine->receipts,
		    engine->receipt_capacity * sizeof(*engine->receipts));
	}
	engine->receipts[engine->receipt_count++] = (struct receipt_row){
		.terminal = arena_strdup(engine->arena, terminal),
		.source = arena_strdup(engine->arena, source),
		.id = arena_strdup(engine->arena, id),
		.at_ms = at_ms,
		.reason = reason,
	};
}

/* One receipt message a terminal and turn. */
static void
receipts_send_to(struct engine *engine, const char *terminal)
{
	struct buf json = { 0 }, at_list = { 0 }, refused_list = { 0 };
	struct json_writer *w = JSON_OBJECT(&json), *at = JSON_WRITER(&at_list),
			   *refused = JSON_WRITER(&refused_list);

	json_add_list(w, "ids");
	json_add_list(at, NULL);
	json_add_list(refused, NULL);
	for (size_t i = 0; i < engine->receipt_count; i++) {
		struct receipt_row *row = &engine->receipts[i];
		struct json_writer *list = row->reason != NULL ? refused : w;

		if (row->terminal == NULL || strcmp(row->terminal, terminal) != 0)
			continue;
		json_add_list(list, NULL);
		json_add_str(list, NULL, row->source);
		json_add_str(list, NULL, row->id);
		if (row->reason != NULL)
			json_add_str(list, NULL, row->reason);
		else
			json_add_when(at, NULL, row->at_ms);
		json_end(list);
		if (row->terminal != terminal)
			row->terminal = NULL;
	}
	json_end(w);
	json_end(at);
	json_end(refused);
	json_add_raw(w, "at", at_list.data, at_list.len);
	if (refused_list.len > strlen("[]"))
		json_add_raw(w, "refused", refused_list.data, refused_list.len);
	json_end(w);
	metrics_add(METRIC_RECEIPTS, 1);
	engine_output(engine, OUTPUT_RECEIPT, NULL,
	    arena_printf(engine->arena, "pos/%s/receipt", terminal), NULL, json.data, json.len);
	buf_done(&json);
	buf_done(&at_list);
	buf_done(&refused_list);
}

void
receipts_send(struct engine *engine)
{
	for (size_t i = 0; i < engine->receipt_count; i++) {
		if (engine->receipts[i].terminal != NULL)
			receipts_send_to(engine, engine->receipts[i].terminal);
	}
	engine->receipt_count = 0;
}
