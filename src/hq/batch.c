/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.c - one message of a store, checked before anything is kept of it.
 *
 * DESIGN
 *   All or nothing: one bad line refuses the batch, for a collector that kept
 *   half of it would have to say which half. The store sends from its lowest
 *   row that is not acknowledged, so the end of a batch without holes is what may be
 *   acknowledged, whoever held the rows before it. A gap record fills its own hole.
 */
#include "hq/batch.h"

#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "aisle/lane.h"
#include "core/json.h"
#include "core/when.h"

#define WINDOW_LOG_MAX 23   /* 8 MiB */
#define BROKEN ((size_t)-1) /* zstd takes it for an error too */

bool
batch_topic(const char *topic, char ret_store[static 33], char ret_lane[static 16])
{
	static const char start[] = "aisle/v1/hq/store/";
	if (strncmp(topic, start, sizeof(start) - 1) != 0)
		return false;
	const char *store = topic + sizeof(start) - 1;
	size_t len =
	    strspn(store, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
	if (len < 1 || len > 32 || strncmp(store + len, "/up/", 4) != 0 ||
	    (len == 2 && memcmp(store, "hq", 2) == 0))
		return false;
	const char *lane = store + len + 4;
	for (int i = 0; i < LANE_COUNT; i++) {
		if (strcmp(lane, lane_names[i]) != 0)
			continue;
		memcpy(ret_store, store, len);
		ret_store[len] = '\0';
		memcpy(ret_lane, lane, strlen(lane) + 1);
		return true;
	}
	return false;
}

int
batch_unzip(const void *bytes, size_t len, size_t max, struct buf *out)
{
	CHECK(out->len == 0);
	ZSTD_DCtx *context = ZSTD_createDCtx();
	CHECK(context != NULL);
	ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	ZSTD_inBuffer in = { bytes, len, 0 };
	size_t hint = len > 0 ? 1 : BROKEN;
	while (hint != 0 && !ZSTD_isError(hint)) {
		char chunk[64u << 10];
		ZSTD_outBuffer piece = { chunk, sizeof(chunk), 0 };
		size_t before = in.pos;
		hint = ZSTD_decompressStream(context, &piece, &in);
		if (ZSTD_isError(hint))
			break;
		bool stuck = in.pos == before && piece.pos == 0 && hint != 0;
		if (stuck || piece.pos > max - out->len)
			hint = BROKEN;
		else
			buf_add(out, chunk, piece.pos);
	}
	ZSTD_freeDCtx(context);
	/* One frame, whole, and nothing behind it. */
	return hint == 0 && in.pos == len ? 0 : AISLE_E_INVALID;
}

static bool
is_epoch(const char *text)
{
	return text != NULL && strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
}

static bool
is_type(const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;
	return len >= 1 && len <= 32 &&
	    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

/* The first sequence that this row stands for: a gap stands for several. */
static int64_t
row_from(const char *type, const json_t *body, int64_t seq)
{
	int64_t from, to;
	if (strcmp(type, "gap") == 0 && json_int(json_object_get(body, "from"), &from) &&
	    json_int(json_object_get(body, "to"), &to) && from >= 1 && from <= seq && to == seq)
		return from;
	return seq;
}

static int
take_row(struct batch *batch, const json_t *line, bool *whole, struct err *err)
{
	const char *epoch = json_string_value(json_object_get(line, "epoch"));
	const char *type = json_string_value(json_object_get(line, "type"));
	const char *at = json_string_value(json_object_get(line, "at"));
	const json_t *body = json_object_get(line, "body");
	int64_t seq, at_ms;
	if (!is_epoch(epoch) || (batch->epoch[0] != '\0' && strcmp(epoch, batch->epoch) != 0))
		return err_set(err, AISLE_E_INVALID,
		    "bad epoch, expected the same 16 hex digits in each line");
	if (!json_int(json_object_get(line, "seq"), &seq) || seq < 1 ||
	    (batch->count > 0 && seq <= batch->rows[batch->count - 1].seq))
		return err_set(err, AISLE_E_INVALID, "bad seq, expected a rising integer from 1");
	if (!is_type(type))
		return err_set(err, AISLE_E_INVALID, "bad type");
	if (at == NULL || !when_parse(at, &at_ms))
		return err_set(err, AISLE_E_INVALID, "bad at, expected an RFC 3339 time");
	if (body == NULL)
		return err_set(err, AISLE_E_INVALID, "no body");
	memcpy(batch->epoch, epoch, sizeof(batch->epoch));
	if (batch->count > 0 && row_from(type, body, seq) > batch->rows[batch->count - 1].seq + 1)
		*whole = false;
	if (*whole)
		batch->upto = seq;
	struct buf text = { 0 };
	json_write(body, &text);
	batch->rows[batch->count++] = (struct batch_row){

		.seq = seq,
		.at_ms = at_ms,
		.type = mem_strdup(type),
		.at = mem_strdup(at),
		.body = buf_steal(&text)
	};
	return 0;
}

static int
take_lines(struct batch *batch, const struct buf *lines, struct err *err)
{
	bool whole = true;
	int number = 0;
	for (const char *at = lines->data, *end = lines->data + lines->len; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop != NULL ? stop : end;
		number++;
		if (batch->count == BATCH_ROWS_MAX)
			return err_set(err, AISLE_E_INVALID, "too many lines, expected at most %d",
			    BATCH_ROWS_MAX);
		if ((batch->count & (batch->count + 1)) == 0) /* room for twice as many */
			batch->rows =
			    mem_realloc(batch->rows, (2 * batch->count + 2) * sizeof(*batch->rows));
		json_t *line = json_read(at, (size_t)(stop - at), "", err);
		int rc = line != NULL ? take_row(batch, line, &whole, err) : AISLE_E_INVALID;
		json_decref(line);
		if (rc != 0) {
			err->line = number;
			return rc;
		}
		at = stop + 1;
	}
	return batch->count > 0 ? 0 : err_set(err, AISLE_E_INVALID, "empty batch");
}

int
batch_read(const char *topic, const void *payload, size_t len, struct batch *ret_batch,
    struct err *err)
{
	struct batch batch = { .count = 0 };
	struct buf lines = { 0 };
	int rc = 0;
	if (!batch_topic(topic, batch.store, batch.lane))
		rc = err_set(err, AISLE_E_INVALID,
		    "bad topic, expected aisle/v1/hq/store/STORE/up/LANE");
	else if (batch_unzip(payload, len, BATCH_BYTES_MAX, &lines) != 0)
		rc = err_set(err, AISLE_E_INVALID, "not zstd of at most %u bytes", BATCH_BYTES_MAX);
	else
		rc = take_lines(&batch, &lines, err);
	buf_done(&lines);
	if (rc != 0)
		batch_done(&batch);
	else
		*ret_batch = batch;
	return rc;
}

void
batch_done(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		free(batch->rows[i].type);
		free(batch->rows[i].at);
		free(batch->rows[i].body);
	}
	free(batch->rows);
	batch->rows = NULL;
	batch->count = 0;
}
