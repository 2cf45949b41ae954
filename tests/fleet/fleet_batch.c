/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet_batch.c - a batch of decisions as a store sends it, the same each time.
 */
#include "fleet.h"

#include <stdio.h>
#include <zstd.h>

#include "core/id.h"
#include "core/json_write.h"

const char fleet_epoch[] = "f1ee7f1ee7f1ee70";

static void
candidates(struct json_writer *w, uint32_t *seed)
{
	static const char *const fates[] = { "eligibility", "contact", "not-worth-it", "outranked",
		"applicability" };
	json_add_list(w, "candidates");
	for (int i = 0; i < 4; i++) {
		*seed = *seed * 1664525u + 1013904223u;
		json_add_object(w, NULL);
		json_addf(w, "action", "action-%u", *seed >> 27);
		json_add_str(w, "fate", fates[(*seed >> 20) % 5]);
		json_add_double(w, "p1", (double)(*seed >> 8) / (1 << 24));
		json_end(w);
	}
	json_end(w);
}

static void
decision(struct json_writer *w, int store, int n, int bytes)
{
	static const uint8_t key[32];
	char source[64], at[64], subject[33];
	uint32_t seed = (uint32_t)store * 2654435761u + (uint32_t)n;
	uint8_t who[16];
	snprintf(source, sizeof(source), "/store/%04d/pos/%d", store, n % 12);
	snprintf(at, sizeof(at), "%d", n);
	struct id id = id_derive(key, fleet_wall_ms() - 1000 * n, source, at, "decision");
	hash_bytes(who, sizeof(who), source, sizeof(source), NULL, 0);
	hash_hex(subject, who, sizeof(who));
	json_add_object(w, "body");
	json_add_id(w, "decision", &id);
	json_addf(w, "station", "%d", n % 12);
	json_addf(w, "basket", "%d-20261130-%06d", n % 12, n);
	json_add_str(w, "subject", subject);
	json_add_object(w, "trigger");
	json_add_str(w, "source", source);
	json_addf(w, "id", "e-%d", n);
	json_add_str(w, "type", "aisle.basket.item-added");
	json_end(w);
	json_add_null(w, "withheld");
	candidates(w, &seed);
	json_add_list(w, "slots");
	json_end(w);
	size_t len = w->out->len;
	json_addf(w, "more", "%*s", bytes > 0 ? bytes : 1, "x");
	CHECK(w->out->len > len);
	json_end(w);
}

void
fleet_batch(int store, int records, int bytes, struct buf *ret_payload)
{
	struct buf lines = { 0 };
	int64_t at_ms = fleet_wall_ms() / D_MS * D_MS; /* the same when it is sent again */
	for (int n = 1; n <= records; n++) {
		struct json_writer *w = JSON_OBJECT(&lines);
		json_add_str(w, "epoch", fleet_epoch);
		json_add_int(w, "seq", n);
		json_add_str(w, "type", "decision");
		json_add_when(w, "at", at_ms + n);
		decision(w, store, n, bytes);
		json_end_all(w);
		buf_addc(&lines, '\n');
	}
	size_t most = ZSTD_compressBound(lines.len);
	buf_reserve(ret_payload, most);
	size_t len = ZSTD_compress(ret_payload->data, most, lines.data, lines.len, 3);
	CHECK(!ZSTD_isError(len));
	ret_payload->len = len;
	buf_done(&lines);
}
