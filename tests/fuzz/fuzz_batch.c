/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_batch.c - any bytes as a message of a store to headquarters: as it comes, and as the lines that were packed into
 * one; and as the health that stores tell. The first byte chooses.
 *
 * What must hold: taken or refused as a whole, with a reason; rows rise, and no more is acknowledged than came; each body
 * is JSON again, and names nobody who was forgotten once they are taken out of it; a fleet can be shown whatever its
 * stores say.
 */
#include <zstd.h>

#include "aisle/lane.h"
#include "fuzz.h"
#include "hq/batch.h"
#include "hq/erasure.h"
#include "hq/fleet.h"
#include "fuzz_tokens.h"

#define NOW_MS INT64_C(1795257000123)

/* Of a record that names who was forgotten nothing is left that says so. */
static void
forget(const struct batch_row *row)
{
	static const char *const gone[] = { "\"00112233445566778899aabbccddeeff\"",
		"\"ffeeddccbbaa99887766554433221100\"" };
	char subject[33];
	struct erasures erasures = { 0 };
	struct buf rest = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
		snprintf(subject, sizeof(subject), "%s", gone[i] + 1);
		erasures_add(&erasures, subject, NOW_MS);
	}
	enum erased erased = erasures_apply(&erasures, row->type, row->at_ms, row->body, &rest);

	for (size_t i = 0; i < ARRAY_LEN(gone) && erased != ERASED_ROW; i++)
		CHECK(row->at_ms > NOW_MS ||
		    strstr(erased == ERASED_BODY ? rest.data : row->body, gone[i]) == NULL);
	CHECK((erased == ERASED_BODY) == (rest.len > 0));
	erasures_done(&erasures);
	buf_done(&rest);
}

static void
look_at(const struct batch *batch)
{
	struct err err = { 0 };
	int64_t before = 0;

	CHECK(batch->count >= 1 && batch->count <= BATCH_ROWS_MAX);
	CHECK(strcmp(batch->store, "0417") == 0 && strlen(batch->epoch) == 16);
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_row *row = &batch->rows[i];
		json_t *body = json_read(row->body, strlen(row->body), "body", &err);

		CHECK(row->seq > before && row->type[0] != '\0' && body != NULL);
		before = row->seq;
		forget(row);
		json_decref(body);
	}
	CHECK(batch->upto >= batch->rows[0].seq && batch->upto <= before);
}

static void
as_message(const char *topic, const void *payload, size_t len)
{
	struct err err = { 0 };
	struct batch batch;
	int rc = batch_read(topic, payload, len, &batch, &err);

	CHECK(rc == 0 || (rc == AISLE_E_INVALID && err.text[0] != '\0'));
	if (rc != 0)
		return;
	look_at(&batch);
	batch_done(&batch);
}

static void
as_lines(const char *topic, const uint8_t *data, size_t size)
{
	static ZSTD_CCtx *context;
	struct buf packed = { 0 };

	if (context == NULL)
		context = ZSTD_createCCtx();
	buf_reserve(&packed, ZSTD_compressBound(size));
	size_t len = ZSTD_compressCCtx(context, packed.data, packed.cap, data, size, 1);

	CHECK(!ZSTD_isError(len));
	as_message(topic, packed.data, len);
	buf_done(&packed);
}

static void
as_health(const uint8_t *data, size_t size)
{
	struct fleet fleet = { .now_ms = NOW_MS, .silent_ms = FLEET_SILENT_MS };
	struct buf body = { 0 }, json = { 0 }, text = { 0 };
	struct err err = { 0 };
	json_t *read;

	buf_add(&body, data, size);
	buf_addc(&body, '\0');
	fleet_add(&fleet, "0417", "2026-11-21T10:15:00.123Z", body.data);
	fleet_add(&fleet, "0418", body.data, "{}");
	fleet_expect(&fleet, "0419", "stable", "early");
	fleet_settle(&fleet, NULL);
	CHECK(fleet.count == 3);
	struct json_writer *w = JSON_WRITER(&json);

	fleet_json(&fleet, w);
	json_end_all(w);
	read = json_read(json.data, json.len, "fleet", &err);
	CHECK(json_is_object(read));
	fleet_text(&fleet, &text);
	json_decref(read);
	fleet_done(&fleet);
	buf_done(&body);
	buf_done(&json);
	buf_done(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char topic[64], store[33], lane[16];

	if (size < 1)
		return 0;
	snprintf(topic, sizeof(topic), "aisle/v1/hq/store/0417/up/%s",
	    lane_names[data[0] / 4 % LANE_COUNT]);
	switch (data[0] % 4) {
	case 0: as_message(topic, data + 1, size - 1); break;
	case 1: as_health(data + 1, size - 1); break;
	default: as_lines(topic, data + 1, size - 1); break;
	}
	if (size < sizeof(topic)) {
		memcpy(topic, data + 1, size - 1);
		topic[size - 1] = '\0';
		if (batch_topic(topic, store, lane))
			CHECK(store[0] != '\0' && lane[0] != '\0');
	}
	return 0;
}
