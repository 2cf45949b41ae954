/* SPDX-License-Identifier: Apache-2.0
 *
 * receipt.c - what a till is told of its events, and operators of what could not be used.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"

/* ---- what cannot be used ---- */

void
dead_letter(struct engine *engine, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len, bool keep)
{
	struct buf buf = { 0 };
	uint8_t digest[16];
	char hex[33], at[WHEN_TEXT_SIZE];

	metrics_rejected(rejected->reason);
	hash_bytes(digest, sizeof(digest), payload, len, NULL, 0);
	hash_hex(hex, digest, sizeof(digest));
	when_text(engine->now_ms, at);
	engine_check(engine,
	    store_dead_add(engine->store, engine->now_ms, topic, reject_name(rejected->reason),
		rejected->detail, payload, keep ? len : 0));
	buf_addf(&buf, "{\"at\":\"%s\",\"topic\":", at);
	buf_json_str(&buf, topic);
	buf_addf(&buf, ",\"reason\":\"%s\",\"detail\":", reject_name(rejected->reason));
	buf_json_str(&buf, rejected->detail);
	buf_addf(&buf, ",\"size\":%zu,\"digest\":\"%s\"}", len, hex);
	engine_output(engine, OUTPUT_DEAD_LETTER, NULL, "dead-letter", NULL, buf.data, buf.len);
	buf_done(&buf);
	log_notice("input set aside reason=%s topic=%s detail=\"%s\"",
	    reject_name(rejected->reason), topic, rejected->detail);
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

static void
receipt_pair(struct buf *buf, const struct receipt_row *row, bool *first)
{
	buf_adds(buf, *first ? "[" : ",[");
	buf_json_str(buf, row->source);
	buf_addc(buf, ',');
	buf_json_str(buf, row->id);
	*first = false;
}

/* One receipt message a terminal and turn. */
static void
receipts_send_to(struct engine *engine, const char *terminal)
{
	struct buf ids = { 0 }, at = { 0 }, refused = { 0 };
	bool first_id = true, first_refused = true;
	char text[WHEN_TEXT_SIZE];

	for (size_t i = 0; i < engine->receipt_count; i++) {
		struct receipt_row *row = &engine->receipts[i];

		if (row->terminal == NULL || strcmp(row->terminal, terminal) != 0)
			continue;
		if (row->reason != NULL) {
			receipt_pair(&refused, row, &first_refused);
			buf_addf(&refused, ",\"%s\"]", row->reason);
		} else {
			when_text(row->at_ms, text);
			buf_addf(&at, "%s\"%s\"", first_id ? "" : ",", text);
			receipt_pair(&ids, row, &first_id);
			buf_addc(&ids, ']');
		}
		if (row->terminal != terminal)
			row->terminal = NULL;
	}
	if (!first_id || !first_refused) {
		char *topic = arena_printf(engine->arena, "pos/%s/receipt", terminal);
		char *json = arena_printf(engine->arena, "{\"ids\":[%s],\"at\":[%s]%s%s%s}",
		    first_id ? "" : ids.data, first_id ? "" : at.data,
		    first_refused ? "" : ",\"refused\":[", first_refused ? "" : refused.data,
		    first_refused ? "" : "]");

		metrics_add(METRIC_RECEIPTS, 1);
		engine_output(engine, OUTPUT_RECEIPT, NULL, topic, NULL, json, strlen(json));
	}
	buf_done(&ids);
	buf_done(&at);
	buf_done(&refused);
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
