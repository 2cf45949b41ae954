/* SPDX-License-Identifier: Apache-2.0
 *
 * recording.c - what the store was told, for aislectl recording: a piece a call, so that the loop goes on in between.
 */
#include "daemon/daemon.h"

#include <sysexits.h>

#include "core/id.h"
#include "core/json.h"
#include "core/when.h"

struct span {
	int64_t from_ms, to_ms, upto;
};

/* A time of the request; false: it is none. */
static bool
read_time(const struct control_request *request, const char *name, int64_t *ms)
{
	const char *text = control_text(request, name);

	return text == NULL || when_parse(text, ms);
}

/* The first call says how far the others go: what comes meanwhile is not in it. */
static bool
read_span(struct daemon *daemon, struct control_request *request, struct span *span)
{
	struct input clock = { .kind = INPUT_CLOCK, .now_ms = daemon_now_ms(daemon) };

	*span = (struct span){ .from_ms = INT64_MIN, .to_ms = INT64_MAX };
	if (!read_time(request, "from", &span->from_ms) ||
	    !read_time(request, "to", &span->to_ms)) {
		control_fail(request, EX_DATAERR,
		    "from, to: a time is expected, as 2026-11-21T08:00:00Z");
		return false;
	}
	if (!json_int(json_object_get(control_json(request), "upto"), &span->upto)) {
		daemon_queue(daemon, &clock); /* what is due by now has happened */
		daemon_turn(daemon);
		span->upto = store_recording_last(engine_store(daemon->engine));
	}
	if (span->to_ms > engine_now(daemon->engine))
		span->to_ms = engine_now(daemon->engine);
	return true;
}

static void
tell(struct control_request *request, const struct span *span, const struct recording_piece *piece,
    const struct buf *lines)
{
	struct buf out = { 0 };
	char to[WHEN_TEXT_SIZE];
	struct json_writer *w = JSON_OBJECT(&out);

	when_text(span->to_ms, to);
	json_add_str(w, "lines", lines->len > 0 ? lines->data : "");
	json_add_int(w, "last", piece->last);
	json_add_int(w, "upto", span->upto);
	json_add_str(w, "to", to);
	json_add_int(w, "inputs", piece->inputs);
	json_add_int(w, "holes", piece->holes);
	json_add_bool(w, "more", piece->more);
	json_add_bool(w, "began", piece->began);
	json_end(w);
	control_reply(request, out.data);
	buf_wipe(&out);
}

void
daemon_recording(struct daemon *daemon, struct control_request *request)
{
	struct recording_piece piece = { 0 };
	struct buf lines = { 0 };
	struct span span;

	const char *whose = control_text(request, "subject");
	struct id subject;

	if (!read_span(daemon, request, &span))
		return;
	if (whose != NULL && !subject_parse(whose, &subject)) {
		control_fail(request, EX_DATAERR, "subject: 32 lower-case hex digits are expected");
		return;
	}
	if (span.upto == 0 && whose == NULL) {
		control_fail(request, EX_NOINPUT,
		    daemon->conf.recording_mib == 0
			? "nothing is recorded here: [state] recording_mib is 0"
			: "nothing was recorded yet");
		return;
	}
	(void)json_int(json_object_get(control_json(request), "after"), &piece.last);
	if (query_recording(daemon->engine, span.from_ms, span.to_ms, span.upto,
		whose != NULL ? &subject : NULL, &piece, &lines) != 0)
		control_fail(request, EX_IOERR, "the recording cannot be read");
	else {
		if (!piece.more && whose == NULL)
			query_recording_end(daemon->engine, span.to_ms, span.upto, &lines);
		buf_addc(&lines, '\0');
		tell(request, &span, &piece, &lines);
	}
	buf_wipe(&lines);
}
