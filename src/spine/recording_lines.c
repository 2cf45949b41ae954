/* SPDX-License-Identifier: Apache-2.0
 *
 * recording_lines.c - rows of the recording as lines of a file.
 *
 * Read-only, a bounded piece at a time, for who asks over the control socket. Rows that nobody can read any more are
 * told as one hole, as long as they follow each other.
 */
#include "spine/recording.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "nouns/event_key.h"
#include "spine/spine.h"

#define PIECE_ROWS 128 /* two milliseconds */
#define PIECE_BYTES (256u << 10)

/* A row that was read; texts owned. */
struct row {
	enum recording_kind kind;
	int64_t n, at_ms;
	char *type, *origin, *source, *id, *data; /* of an event */
	int64_t after_ms, until_ms;
	enum channel channel;
	char *name, *other, *manager; /* of an order or a context: action; catalog, value */
	uint8_t flag, from;
};

struct lines {
	struct engine *engine;
	struct recording_piece *piece;
	struct buf *out;
	const struct subject *of; /* what is theirs alone; NULL: all */
	int64_t upto;
	struct row merge; /* whose other half comes next; n 0: none does */
	int64_t holes, hole_n, hole_ms, hole_until_ms;
};

static void
row_done(struct row *row)
{
	free(row->type);
	free(row->origin);
	free(row->source);
	free(row->id);
	free(row->data);
	free(row->name);
	free(row->other);
	free(row->manager);
	*row = (struct row){ 0 };
}

static void
read_fields(struct row *row, struct rd *rd)
{
	switch (row->kind) {
	case RECORDING_CONTEXT:
		row->name = rd_str(rd);
		row->other = rd_str(rd);
		row->flag = rd_u8(rd);
		break;
	case RECORDING_EVENT:
	case RECORDING_ANSWER:
	case RECORDING_MANAGER_ANSWER:
		row->type = rd_str(rd);
		row->channel = (enum channel)rd_u8(rd);
		row->origin = rd_str(rd);
		row->source = rd_str(rd);
		row->id = rd_str(rd);
		row->after_ms = rd_i64(rd);
		row->data = rd_str(rd);
		break;
	case RECORDING_INTO: row->name = rd_str(rd); break;
	case RECORDING_STOP:
		row->name = rd_str(rd);
		row->flag = rd_u8(rd);
		row->until_ms = rd_i64(rd);
		row->from = rd_u8(rd);
		row->manager = rd_str(rd);
		break;
	case RECORDING_LEVER:
		row->name = rd_str(rd);
		row->other = rd_str(rd);
		row->until_ms = rd_i64(rd);
		row->manager = rd_str(rd);
		break;
	default: break;
	}
}

/* false: it is none that we write. */
static bool
row_read(struct row *row, int64_t n, int64_t at_ms, const void *body, size_t len)
{
	struct rd rd = rd_init(body, len);
	uint8_t kind = rd_u8(&rd);
	bool is_event =
	    kind == RECORDING_EVENT || kind == RECORDING_ANSWER || kind == RECORDING_MANAGER_ANSWER;

	*row = (struct row){ .kind = (enum recording_kind)kind, .n = n, .at_ms = at_ms };
	read_fields(row, &rd);
	if (kind < RECORDING_KINDS && rd_done(&rd) && row->channel <= CHANNEL_TABLET &&
	    (is_event ? row->type != NULL && row->origin != NULL && row->source != NULL &&
			row->id != NULL && row->data != NULL
		      : kind == RECORDING_BEGAN || row->name != NULL))
		return true;
	row_done(row);
	return false;
}

/* ---- lines ---- */

static struct json_writer *
line_begin(struct json_writer *w, int64_t n)
{
	json_begin(w);
	json_add_int(w, "number", n);
	json_add_str(w, "specversion", "1.0");
	return w;
}

static void
line_end(struct json_writer *w)
{
	json_end_all(w);
	buf_addc(w->out, '\n');
}

/* A line of a type of ours, with its data open. */
static struct json_writer *
mark_begin(const struct lines *lines, struct json_writer *w, const char *type, int64_t n,
    int64_t at_ms)
{
	char epoch[17];

	store_epoch(lines->engine->store, epoch);
	line_begin(w, n);
	json_addf(w, "type", RECORDING_TYPE "%s", type);
	json_addf(w, "source", "/store/%s/recording", lines->engine->conf->store_id);
	json_addf(w, "id", "%s/%lld", epoch, (long long)n);
	json_add_when(w, "time", at_ms);
	json_add_object(w, "data");
	return w;
}

static void
tell_hole(struct lines *lines)
{
	struct json_writer *w = JSON_WRITER(lines->out);

	if (lines->holes == 0)
		return;
	mark_begin(lines, w, "hole", lines->hole_n, lines->hole_ms);
	json_add_int(w, "inputs", lines->holes);
	json_add_when(w, "until", lines->hole_until_ms);
	line_end(w);
	lines->holes = 0;
}

static void
note_hole(struct lines *lines, int64_t n, int64_t at_ms)
{
	if (lines->holes++ == 0)
		lines->hole_ms = at_ms;
	lines->hole_n = n;
	lines->hole_until_ms = at_ms;
	lines->piece->holes++;
}

static void
tell_event(struct lines *lines, const struct row *row, const char *into)
{
	struct json_writer *w = line_begin(JSON_WRITER(lines->out), row->n);

	json_addf(w, "type", "aisle.%s", row->type);
	json_add_str(w, "source", row->source);
	json_add_str(w, "id", row->id);
	json_add_when(w, "time", row->at_ms + row->after_ms);
	json_add_when(w, "recordedtime", row->at_ms);
	if (row->channel == CHANNEL_CARE)
		json_add_str(w, "topic", "care/event");
	else
		json_addf(w, "topic", "%s/%s/event", event_channel_name(row->channel), row->origin);
	if (row->kind != RECORDING_EVENT)
		json_add_str(w, "answered",
		    row->kind == RECORDING_MANAGER_ANSWER ? "manager" : "tablet");
	json_add_object(w, "data");
	json_add_members(w, row->data, strlen(row->data));
	if (into != NULL)
		json_add_str(w, "into", into);
	line_end(w);
	lines->piece->inputs++;
}

static void
tell_context(struct lines *lines, const struct row *row)
{
	struct json_writer *w = JSON_WRITER(lines->out);

	mark_begin(lines, w, "context", row->n, row->at_ms);
	json_opt_str(w, "policy", row->name);
	json_opt_str(w, "catalog", row->other);
	json_add_bool(w, "uncertain", (row->flag & RECORDING_UNCERTAIN) != 0);
	if (row->flag & RECORDING_GAP)
		json_add_bool(w, "gap", true);
	line_end(w);
}

static void
tell_order(struct lines *lines, const struct row *row)
{
	struct json_writer *w = JSON_WRITER(lines->out);
	bool stop = row->kind == RECORDING_STOP;

	mark_begin(lines, w, stop ? "stop" : "lever", row->n, row->at_ms);
	json_add_str(w, stop ? "action" : "name", row->name);
	if (stop) {
		json_add_bool(w, "stopped", row->flag != 0);
		if (row->from != ORDER_HERE)
			json_add_int(w, "hq", row->from);
	} else {
		json_add_raw(w, "value", row->other, strlen(row->other));
	}
	json_opt_when(w, "until", row->until_ms);
	json_opt_str(w, "manager", row->manager);
	line_end(w);
	lines->piece->inputs++;
}

static void
tell_began(struct lines *lines, const struct row *row)
{
	struct json_writer *w = JSON_WRITER(lines->out);

	mark_begin(lines, w, "began", row->n, row->at_ms);
	line_end(w);
	lines->piece->began = true;
}

static void
tell(struct lines *lines, const struct row *row)
{
	tell_hole(lines);
	switch (row->kind) {
	case RECORDING_BEGAN: tell_began(lines, row); break;
	case RECORDING_CONTEXT: tell_context(lines, row); break;
	case RECORDING_EVENT:
	case RECORDING_ANSWER:
	case RECORDING_MANAGER_ANSWER: tell_event(lines, row, NULL); break;
	case RECORDING_STOP:
	case RECORDING_LEVER: tell_order(lines, row); break;
	default: break;
	}
}

/* ---- the rows ---- */

/* What follows the first half of a merge: of one half alone nothing is told, for it names somebody. */
static void
other_half(struct lines *lines, const struct row *row)
{
	if (lines->merge.n == 0)
		return;
	if (row != NULL && row->kind == RECORDING_INTO) {
		tell_hole(lines);
		tell_event(lines, &lines->merge, row->name);
	} else {
		note_hole(lines, lines->merge.n, lines->merge.at_ms);
	}
	row_done(&lines->merge);
}

/* By any of their cards. */
static bool
is_theirs(const struct subject *of, const struct id *subject)
{
	bool theirs = id_equal(&of->id, subject);

	for (size_t i = 0; i < of->merged_count && !theirs; i++)
		theirs = id_equal(&of->merged[i], subject);
	return theirs;
}

static int
take_row(void *ctx, int64_t n, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	struct lines *lines = ctx;
	struct row row = { 0 };

	if (n > lines->upto || lines->out->len > PIECE_BYTES) {
		lines->piece->more = n <= lines->upto;
		return 1;
	}
	lines->piece->last = n;
	if (lines->of != NULL && lines->merge.n == 0 &&
	    (body == NULL || !is_theirs(lines->of, subject)))
		return 0;
	if (body == NULL || !row_read(&row, n, at_ms, body, len)) {
		bool half = lines->merge.n != 0;

		other_half(lines, NULL);
		if (!half)
			note_hole(lines, n, at_ms);
		return 0;
	}
	other_half(lines, &row);
	if (row.kind == RECORDING_EVENT && strcmp(row.type, "customer.merged") == 0) {
		lines->merge = row;
		return 0;
	}
	/* What people here said to their cards the customer is told without their names (query.c). */
	if (row.kind != RECORDING_INTO && !(lines->of != NULL && row.channel == CHANNEL_TABLET))
		tell(lines, &row);
	row_done(&row);
	return 0;
}

int
query_recording(struct engine *engine, int64_t from_ms, int64_t to_ms, int64_t upto,
    const struct id *of, struct recording_piece *piece, struct buf *out)
{
	struct lines lines = { .engine = engine,
		.piece = piece,
		.out = out,
		.of = of != NULL ? engine_person(engine, of) : NULL,
		.upto = upto };
	int64_t after = piece->last;
	int rc = store_recording_each(engine->store, after, from_ms, to_ms, PIECE_ROWS, take_row,
	    &lines);

	piece->more = piece->more || (rc == 0 && piece->last > after && piece->last < upto);
	/* Its other half is in the next piece: it is read again there. */
	if (lines.merge.n > 0 && piece->more)
		piece->last = lines.merge.n - 1;
	else
		other_half(&lines, NULL);
	row_done(&lines.merge);
	tell_hole(&lines);
	return rc;
}

void
query_recording_end(struct engine *engine, int64_t at_ms, int64_t n, struct buf *out)
{
	struct lines lines = { .engine = engine, .out = out };
	struct json_writer *w = JSON_WRITER(out);

	mark_begin(&lines, w, "ended", n, at_ms);
	line_end(w);
}
