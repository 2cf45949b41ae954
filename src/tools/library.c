/* SPDX-License-Identifier: Apache-2.0
 *
 * library.c - include/aisle/engine.h over the daemon's engine.
 *
 * DESIGN
 *   What replay runs, with what a call made kept until the next one. Decisions
 *   come by a call while a turn runs; each remembers how much was listed before
 *   it, so that aisle_next() gives all in the order in which it was made. What
 *   an undone turn told is taken back; a committed one's outputs are copied,
 *   for a call may need several turns (spine/aside.c).
 */
#include "aisle/engine.h"

#include <stdlib.h>
#include <string.h>

#include "core/conf_table.h"
#include "core/log.h"
#include "profile/keys.h"
#include "tools/recorded.h"

#ifndef AISLE_VERSION
#define AISLE_VERSION "0"
#endif

struct made {
	size_t at, len; /* in decisions */
	size_t before;	/* outputs that were listed when it was made */
};

struct aisle_engine {
	struct conf conf;
	bool has_currency; /* of its configuration, or of its first policy */
	bool on_disk;
	struct recorded *recorded;
	struct engine *engine;	  /* of recorded; NULL: not open, or lost */
	struct buf error, answer; /* what aisle_error() and aisle_query() gave */
	struct buf lines;	  /* of a feed, cut at their ends */
	struct input *inputs;
	size_t input_capacity;

	/* of the last call that made something */
	struct buf decisions; /* their text, a zero byte after each */
	struct made *made;
	size_t made_count, made_capacity, made_next;
	struct arena *arena; /* of outputs */
	struct aisle_output *outputs;
	size_t output_count, output_capacity, output_next;
	struct {
		size_t made, bytes;
	} committed; /* so much of it */
};

const char *
aisle_version(void)
{
	return AISLE_VERSION;
}

/* ---- errors ---- */

const char *
aisle_error(const struct aisle_engine *engine)
{
	return engine->error.len > 0 ? engine->error.data : "";
}

static int
fail(struct aisle_engine *engine, int rc, const char *text)
{
	buf_clear(&engine->error);
	buf_adds(&engine->error, text);
	return rc;
}

static int
fail_err(struct aisle_engine *engine, int rc, const struct err *err)
{
	char text[640];

	err_format(err, text, sizeof(text));
	return fail(engine, rc, text);
}

/* The mistakes of a file, a line each, below what was said. */
static void
add_report(struct aisle_engine *engine, const struct buf *report)
{
	size_t len = report->len;

	while (len > 0 && report->data[len - 1] == '\n')
		len--;
	if (engine->error.len > 0 && len > 0)
		buf_addc(&engine->error, '\n');
	if (len > 0)
		buf_add(&engine->error, report->data, len);
}

/* ---- what a call makes ---- */

static void
forget_made(struct aisle_engine *engine)
{
	buf_clear(&engine->decisions);
	engine->made_count = engine->made_next = 0;
	engine->output_count = engine->output_next = 0;
	engine->committed.made = engine->committed.bytes = 0;
	arena_reset(engine->arena);
}

/* The turn that told of them will not be committed. */
static void
on_undone(void *ctx)
{
	struct aisle_engine *engine = ctx;

	engine->made_count = engine->committed.made;
	engine->decisions.len = engine->committed.bytes;
}

static void
on_decision(void *ctx, const char *json, size_t len)
{
	struct aisle_engine *engine = ctx;
	size_t before;

	(void)engine_outputs(engine->engine, &before);
	engine->made = mem_grow(engine->made, engine->made_count, &engine->made_capacity,
	    sizeof(*engine->made));
	engine->made[engine->made_count++] =
	    (struct made){ engine->decisions.len, len, engine->output_count + before };
	buf_add(&engine->decisions, json, len);
	buf_addc(&engine->decisions, '\0');
}

static void
keep_output(struct aisle_engine *engine, const struct output *output)
{
	static const enum aisle_kind kinds[] = {
		[OUTPUT_GUIDANCE] = AISLE_GUIDANCE,
		[OUTPUT_WITHDRAW] = AISLE_WITHDRAW,
		[OUTPUT_COMMAND] = AISLE_COMMAND,
		[OUTPUT_RECEIPT] = AISLE_RECEIPT,
		[OUTPUT_DEAD_LETTER] = AISLE_DEAD_LETTER,
	};

	engine->outputs = mem_grow(engine->outputs, engine->output_count, &engine->output_capacity,
	    sizeof(*engine->outputs));
	engine->outputs[engine->output_count++] = (struct aisle_output){
		.kind = kinds[output->kind],
		.json = arena_strndup(engine->arena, output->payload, output->len),
		.len = output->len,
		.topic = arena_strdup(engine->arena, output->topic),
		.station = arena_strdup(engine->arena, output->station),
	};
}

/* After each commit. */
static void
on_turned(void *ctx, struct input *input)
{
	struct aisle_engine *engine = ctx;
	size_t count;
	const struct output *outputs = engine_outputs(engine->engine, &count);

	(void)input;
	for (size_t i = 0; i < count; i++)
		keep_output(engine, &outputs[i]);
	engine->committed.made = engine->made_count;
	engine->committed.bytes = engine->decisions.len;
}

bool
aisle_next(struct aisle_engine *engine, struct aisle_output *ret_output)
{
	if (engine->made_next < engine->made_count &&
	    engine->made[engine->made_next].before <= engine->output_next) {
		const struct made *made = &engine->made[engine->made_next++];

		*ret_output = (struct aisle_output){ .kind = AISLE_DECISION,
			.json = engine->decisions.data + made->at,
			.len = made->len };
		return true;
	}
	if (engine->output_next == engine->output_count)
		return false;
	*ret_output = engine->outputs[engine->output_next++];
	return true;
}

/* ---- open and close ---- */

static int
read_conf(struct aisle_engine *engine, const struct aisle_options *options)
{
	struct buf report = { 0 };
	int rc = 0;

	if (options->config == NULL)
		conf_init(&engine->conf);
	else if (conf_load(&engine->conf, options->config, &report) != 0)
		rc = fail(engine, AISLE_E_CONFIG, "");
	add_report(engine, &report);
	buf_done(&report);
	if (rc == 0 && options->store != NULL &&
	    (!conf_is_id(options->store) || strcmp(options->store, "hq") == 0))
		rc = fail(engine, AISLE_E_CONFIG,
		    "store: expected 1-32 of A-Z a-z 0-9 _ -, and not hq");
	if (options->store != NULL || engine->conf.store_id == NULL) {
		free(engine->conf.store_id);
		engine->conf.store_id = mem_strdup(options->store != NULL ? options->store : "0");
	}
	engine->has_currency = options->config != NULL;
	return rc;
}

static int
open_recorded(struct aisle_engine *engine, const struct aisle_options *options)
{
	uint8_t pepper[32];
	struct err err = { 0 };
	struct recorded_options how = { .conf = &engine->conf,
		.profiles = options->profiles,
		.state = options->state,
		.pepper = options->pepper,
		.keep_decisions = !options->forget_decisions,
		.on_decision = on_decision,
		.on_undone = on_undone,
		.ctx = engine };
	int rc = 0;

	if (how.pepper == NULL && engine->conf.pepper_file != NULL) {
		rc = keys_read_pepper(engine->conf.pepper_file, pepper, &err);
		how.pepper = pepper;
	}
	if (rc == 0)
		rc = recorded_open(&how, &engine->recorded, &err);
	explicit_bzero(pepper, sizeof(pepper));
	if (rc != 0)
		return fail_err(engine, rc, &err);
	engine->engine = recorded_engine(engine->recorded);
	return 0;
}

int
aisle_open(const struct aisle_options *options, struct aisle_engine **ret_engine)
{
	struct aisle_engine *engine = mem_zero(sizeof(*engine));
	int rc;

	*ret_engine = engine;
	engine->arena = arena_new();
	/* What its caller must know of it is given back. */
	log_set_level(LOG_ERROR);
	engine->on_disk = options->state != NULL;
	rc = read_conf(engine, options);
	return rc != 0 ? rc : open_recorded(engine, options);
}

void
aisle_close(struct aisle_engine *engine)
{
	if (engine == NULL)
		return;
	recorded_close(engine->recorded);
	conf_done(&engine->conf);
	buf_done(&engine->error);
	buf_done(&engine->answer);
	buf_done(&engine->lines);
	buf_done(&engine->decisions);
	free(engine->inputs);
	free(engine->made);
	free(engine->outputs);
	arena_free(engine->arena);
	free(engine);
}

/* ---- a turn ---- */

static int
not_open(struct aisle_engine *engine)
{
	return engine->engine != NULL
	    ? 0
	    : fail(engine, AISLE_E_IO, "this store is not open, or was lost");
}

/* As the daemon takes them: what no turn can hold is set aside by itself. What the disk could not take is not there
 * any more: from a folder it is read again. */
static int
run(struct aisle_engine *engine, struct input *inputs, size_t count)
{
	struct err err = { 0 };
	int rc = turn_run(engine->engine, inputs, count);

	if (rc == 0)
		on_turned(engine, NULL);
	else if (turn_own_fault(rc))
		rc = turn_each(engine->engine, inputs, count, on_turned, engine);
	if (rc == 0)
		return 0;
	if (!engine->on_disk || engine_reopen(engine->engine, &err) != 0)
		engine->engine = NULL;
	return fail(engine, rc, "the state cannot be written");
}

int
aisle_set_catalog(struct aisle_engine *engine, const char *path)
{
	struct err err = { 0 };
	int rc = not_open(engine);

	if (rc != 0)
		return rc;
	rc = path != NULL ? recorded_catalog(engine->recorded, path, &err)
			  : engine_set_catalog(engine->engine, NULL, false, &err);
	return rc != 0 ? fail_err(engine, rc, &err) : 0;
}

int
aisle_set_bundle(struct aisle_engine *engine, const char *path)
{
	struct buf report = { 0 };
	struct err err = { 0 };
	struct input input = { .kind = INPUT_POLICY };
	int rc = not_open(engine);

	if (rc != 0)
		return rc;
	forget_made(engine);
	rc = recorded_bundle(engine->recorded, path, !engine->has_currency, &report, &err);
	if (rc != 0) {
		(void)fail_err(engine, rc, &err);
		add_report(engine, &report);
	}
	buf_done(&report);
	if (rc != 0)
		return rc;
	engine->has_currency = true;
	input.now_ms = engine_now(engine->engine);
	/* Cards that it does not know go, also those of the last process in this folder. */
	return engine_visit_count(engine->engine) == 0 ? 0 : run(engine, &input, 1);
}

static void
add_line(struct aisle_engine *engine, size_t *count, const char *line, size_t len)
{
	engine->inputs =
	    mem_grow(engine->inputs, *count, &engine->input_capacity, sizeof(*engine->inputs));
	engine->inputs[(*count)++] =
	    (struct input){ .kind = INPUT_RECORDED, .payload = line, .len = len };
}

/* Cuts them at their ends, into inputs. AISLE_E_INVALID: one is too long. */
static int
cut(struct aisle_engine *engine, size_t *ret_count)
{
	char *line = engine->lines.data, *end = line + engine->lines.len, *newline;

	for (*ret_count = 0; line < end; line = newline + 1) {
		size_t len;

		newline = memchr(line, '\n', (size_t)(end - line));
		if (newline == NULL)
			newline = end;
		len = (size_t)(newline - line);
		if (len > RECORDED_LINE_MAX)
			return AISLE_E_INVALID;
		while (len > 0 && line[len - 1] == '\r')
			len--;
		line[len] = '\0';
		if (len > 0)
			add_line(engine, ret_count, line, len);
	}
	return 0;
}

int
aisle_feed(struct aisle_engine *engine, const char *events, size_t len)
{
	size_t count;
	int rc = not_open(engine);

	if (rc != 0)
		return rc;
	forget_made(engine);
	buf_clear(&engine->lines);
	buf_add(&engine->lines, events, len);
	if (cut(engine, &count) != 0)
		return fail(engine, AISLE_E_INVALID,
		    "a line is longer than 1 MiB, expected one CloudEvent a line");
	return run(engine, engine->inputs, count);
}

int
aisle_advance(struct aisle_engine *engine, int64_t now_ms)
{
	struct input input = { .kind = INPUT_CLOCK, .now_ms = now_ms };
	int rc = not_open(engine);

	if (rc != 0)
		return rc;
	forget_made(engine);
	rc = run(engine, &input, 1);
	if (rc != 0)
		return rc;
	/* Between two turns, as the daemon does it when it is idle. */
	do {
		rc = room_make(engine->engine, engine_now(engine->engine));
	} while (rc > 0);
	if (rc < 0)
		return fail(engine, AISLE_E_IO, "the state cannot be written");
	if (engine->on_disk)
		store_checkpoint(engine_store(engine->engine));
	return 0;
}

/* ---- questions ---- */

int
aisle_query(struct aisle_engine *engine, enum aisle_query query, const char *name,
    const char **ret_json, size_t *ret_len)
{
	struct buf *out = &engine->answer;
	int rc = not_open(engine);

	if (rc != 0)
		return rc;
	buf_clear(out);
	if (name == NULL && (query == AISLE_QUERY_DECISION || query == AISLE_QUERY_STATION))
		return fail(engine, AISLE_E_INVALID, "expected a name");
	switch (query) {
	case AISLE_QUERY_DECISION: rc = query_decision(engine->engine, name, out); break;
	case AISLE_QUERY_STATIONS: rc = query_stations(engine->engine, out); break;
	case AISLE_QUERY_STATION: rc = query_station(engine->engine, name, out); break;
	case AISLE_QUERY_REPORT:
		rc = query_report(engine->engine, engine_now(engine->engine), out);
		break;
	default: return fail(engine, AISLE_E_INVALID, "there is no such query");
	}
	if (rc != 0)
		return fail(engine, rc, "there is no such thing");
	*ret_json = out->data;
	*ret_len = out->len;
	return 0;
}
