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
#include "core/mask.h"
#include "core/metrics.h"
#include "ingest/envelope.h"
#include "nouns/gtin.h"

/* ---- what cannot be used ---- */

/* Who a message is about that could not be used, by the cards and subjects that it names. */
struct about {
	const struct engine *engine;
	struct id subject;
	int count; /* different ones */
};

static void
note_person(void *ctx, const char *value, size_t len, bool is_subject)
{
	struct about *about = ctx;
	char text[SUBJECT_TEXT_SIZE];
	struct id id;

	if (is_subject) {
		if (len != sizeof(text) - 1)
			return;
		memcpy(text, value, len);
		text[len] = '\0';
		if (!subject_parse(text, &id))
			return;
	} else {
		id = subject_of_card(keys_pepper(about->engine->keys), value, len);
	}
	if (about->count == 0 || !id_equal(&id, &about->subject))
		about->count++;
	about->subject = id;
}

static bool
is_article(const char *value)
{
	char gtin[15];

	return gtin_normalise(value, gtin);
}

static char *
masked_text(struct engine *engine, const char *text)
{
	char *copy = arena_strdup(engine->arena, text);

	mask_text(copy, strlen(copy));
	return copy;
}

/* What was expected of a member is in our words, "/data/card: expected a string"; what cannot be read, or
 * what a rule could not, is told with a piece of it. */
const char *
rejected_says(struct engine *engine, const struct rejected *rejected)
{
	char *copy;

	if (rejected->reason != REJECT_BAD_SHAPE && rejected->reason != REJECT_BAD_VALUE)
		return masked_text(engine, rejected->detail);
	copy = arena_strdup(engine->arena, rejected->detail);
	mask_numbers(copy, strlen(copy));
	return copy;
}

/* No more of a payload is kept than a message may have. Where it is cut a card number may be, and what
 * is left of it would not be known as one: so much before it goes as well. */
#define CUT_MARGIN 256

static void
mask_letter(const struct mask *mask, const void *payload, size_t len, struct buf *out)
{
	if (len <= EVENT_BYTES_MAX) {
		mask_payload(mask, payload, len, out);
		return;
	}
	mask_payload(mask, payload, EVENT_BYTES_MAX, out);
	out->len -= out->len < CUT_MARGIN ? out->len : CUT_MARGIN;
}

/* What is kept, told and logged of it has neither card number nor PIN, nor a digest of one: four
 * digits between known bytes are soon found. The letter of one customer is sealed under their key and
 * goes with it; of one that names several only the reason is kept. */
void
dead_letter_write(struct engine *engine, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len, int64_t count)
{
	struct about about = { .engine = engine };
	const struct mask mask = { .found = note_person, .is_article = is_article, .ctx = &about };
	struct buf buf = { 0 }, kept = { 0 };
	struct json_writer *w = JSON_OBJECT(&buf);
	uint8_t digest[16];
	const char *says = rejected_says(engine, rejected);
	char hex[33], detail[sizeof(rejected->detail) + 32];

	topic = masked_text(engine, topic);
	snprintf(detail, sizeof(detail), count > 1 ? "%s (%lld times)" : "%s", says,
	    (long long)count);
	mask_letter(&mask, payload, len, &kept);
	hash_bytes(digest, sizeof(digest), kept.data, kept.len, NULL, 0);
	hash_hex(hex, digest, sizeof(digest));
	engine_check(engine,
	    store_dead_add(engine->store, engine->now_ms, topic, reject_name(rejected->reason),
		detail, about.count == 1 ? &about.subject : NULL, kept.data,
		about.count <= 1 ? kept.len : 0));
	json_add_when(w, "at", engine->now_ms);
	json_add_str(w, "topic", topic);
	json_add_str(w, "reason", reject_name(rejected->reason));
	json_add_str(w, "detail", says);
	json_add_int(w, "size", (int64_t)len);
	json_add_str(w, "digest", hex);
	if (count > 1)
		json_add_int(w, "count", count);
	json_end(w);
	engine_output(engine, OUTPUT_DEAD_LETTER, NULL, "dead-letter", NULL, buf.data, buf.len);
	buf_done(&buf);
	buf_wipe(&kept);
	/* Who runs a file tells of its refusals at the end, each kind once. */
	if (!engine->options.recorded)
		log_notice("input set aside reason=%s topic=%s count=%lld detail=%s",
		    reject_name(rejected->reason), LOG_VALUE(topic), (long long)count,
		    LOG_VALUE(says));
}

void
dead_letter(struct engine *engine, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len)
{
	metrics_rejected(rejected->reason);
	topic = masked_text(engine, topic);
	if (!letter_left_out(engine, topic, rejected, payload, len))
		dead_letter_write(engine, topic, rejected, payload, len, 1);
}

void
refuse_message(struct engine *engine, const struct route *route, const char *topic,
    const struct rejected *rejected, const void *payload, size_t len)
{
	dead_letter(engine, topic, rejected, payload, len);
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
	engine->receipts = mem_grow(engine->receipts, engine->receipt_count,
	    &engine->receipt_capacity, sizeof(*engine->receipts));
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
