/* SPDX-License-Identifier: Apache-2.0
 *
 * box.c - the engine behind a pipe: box BUNDLE, a JSON object a line in, a JSON object a line out.
 *
 *   {"do":"open","disk"?:true,"currency"?:…}   a new store, the policy in force
 *   {"do":"message","at":MS,"topic":"pos/7/event","event":{…}}
 *   {"do":"answer","at":MS,"tablet":"t1","guidance":"…","prompt":"…","answer":{…},"shown"?:true}
 *   {"do":"clock","at":MS}                     time passes
 *   {"do":"restart"}                           killed and started again; of an open with "disk"
 *   {"do":"look","stations":["7"],"subjects":["…"]}
 *
 * What a line did comes back as {"said":[{"topic","body"}],"reply"?:{"status","detail"}}, what it asked as
 * {"stations":{…},"subjects":{…},"report":{…},"up":[records for headquarters since the last look]}; a line that does something may
 * have the members of a look as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/id.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/log.h"
#include "spine/engine.h"
#include "sync/bundle.h"

static const uint8_t pepper[32];

static struct {
	const char *bundle;
	struct conf conf;
	struct engine *engine;
	char dir[64];
	struct buf answer;
	int64_t upto[LANE_COUNT];
} box;

static void
die(const char *what, const struct err *err)
{
	fprintf(stderr, "box: %s: %s\n", what, err != NULL ? err->text : "");
	exit(70);
}

/* ---- a store ---- */

static void
start(void)
{
	struct engine_options options = { .conf = &box.conf,
		.state_dir = box.dir[0] != '\0' ? box.dir : NULL,
		.sealed = box.dir[0] != '\0',
		.pepper = pepper };
	struct bundle *bundle;
	struct policy *policy;
	struct buf report = { 0 };
	struct err err = { 0 };

	if (engine_open(&options, &box.engine, &err) != 0 ||
	    bundle_open(box.bundle, "policy", &bundle, &err) != 0)
		die("open", &err);
	if (bundle_policy(bundle, &policy, &report) != 0 ||
	    engine_set_bundle(box.engine, bundle, policy, false, &err) != 0)
		die(report.data, &err);
	buf_done(&report);
}

static void
stop(void)
{
	engine_close(box.engine);
	box.engine = NULL;
}

static void
clear(void)
{
	char command[96];

	if (box.engine != NULL)
		stop();
	if (box.dir[0] != '\0') {
		snprintf(command, sizeof(command), "rm -r %s", box.dir);
		if (system(command) != 0)
			die(command, NULL);
		box.dir[0] = '\0';
	}
	conf_done(&box.conf);
}

static const char *
text(const json_t *line, const char *name)
{
	return json_string_value(json_object_get(line, name));
}

static void
open_store(const json_t *line)
{
	const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	clear();
	conf_init(&box.conf);
	box.conf.store_id = mem_strdup("0042");
	box.conf.hq_host = mem_strdup("hq");
	if (text(line, "currency") != NULL) {
		free(box.conf.currency);
		box.conf.currency = mem_strdup(text(line, "currency"));
	}
	box.conf.day_cut_minute = 0;
	memset(box.upto, 0, sizeof(box.upto));
	if (json_is_true(json_object_get(line, "disk"))) {
		snprintf(box.dir, sizeof(box.dir), "%s/aisle-box-XXXXXX", memory);
		if (mkdtemp(box.dir) == NULL)
			die(box.dir, NULL);
	}
	start();
}

/* ---- what it is told ---- */

static void
take(struct input *input, const json_t *line, struct json_writer *w)
{
	size_t count;

	input->now_ms = json_integer_value(json_object_get(line, "at"));
	if (turn_run(box.engine, input, 1) != 0)
		die("the turn failed", NULL);
	const struct output *output = engine_outputs(box.engine, &count);

	json_add_list(w, "said");
	for (size_t i = 0; i < count; i++) {
		json_add_object(w, NULL);
		json_add_str(w, "topic", output[i].topic);
		json_add_raw(w, "body", output[i].payload, output[i].len);
		json_end(w);
	}
	json_end(w);
	if (input->result.status != 0) {
		json_add_object(w, "reply");
		json_add_int(w, "status", input->result.status);
		json_add_str(w, "detail", input->result.detail);
		json_end(w);
	}
}

static void
message(const json_t *line, struct json_writer *w)
{
	struct input input = { .kind = INPUT_MESSAGE };
	char topic[128];
	char *payload = json_dumps(json_object_get(line, "event"), JSON_COMPACT);

	snprintf(topic, sizeof(topic), "aisle/v1/0042/%s", text(line, "topic"));
	input.topic = topic;
	input.payload = payload;
	input.len = strlen(payload);
	take(&input, line, w);
	free(payload);
}

static void
answer(const json_t *line, struct json_writer *w)
{
	struct input input = { .kind = INPUT_ANSWER,
		.text = text(line, "tablet"),
		.guidance = text(line, "guidance"),
		.prompt = text(line, "prompt"),
		.is_shown = json_is_true(json_object_get(line, "shown")),
		.answer = json_incref(json_object_get(line, "answer")) };

	take(&input, line, w);
	json_decref(input.answer);
}

/* ---- what it is asked ---- */

struct hearing {
	struct json_writer *w;
	int64_t upto;
};

static int
hear(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	struct hearing *hearing = ctx;

	json_add_object(hearing->w, NULL);
	json_add_str(hearing->w, "type", type);
	json_add_when(hearing->w, "at", at_ms);
	json_add_raw(hearing->w, "body", body, len);
	json_end(hearing->w);
	hearing->upto = seq;
	return 0;
}

static void
look_up(struct json_writer *w)
{
	json_add_list(w, "up");
	for (int lane = 0; lane < LANE_COUNT; lane++) {
		struct hearing hearing = { .w = w, .upto = box.upto[lane] };

		if (store_uplink_each(engine_store(box.engine), (enum lane)lane, box.upto[lane],
			1000, hear, &hearing) != 0)
			die("the uplink cannot be read", NULL);
		box.upto[lane] = hearing.upto;
	}
	json_end(w);
}

static void
look(const json_t *line, struct json_writer *w)
{
	const json_t *name;
	struct id subject;
	size_t i;

	json_add_object(w, "stations");
	json_array_foreach(json_object_get(line, "stations"), i, name) {
		buf_clear(&box.answer);
		if (query_station(box.engine, json_string_value(name), &box.answer) == 0)
			json_add_raw(w, json_string_value(name), box.answer.data, box.answer.len);
	}
	json_end(w);
	json_add_object(w, "subjects");
	json_array_foreach(json_object_get(line, "subjects"), i, name) {
		buf_clear(&box.answer);
		if (subject_parse(json_string_value(name), &subject) &&
		    query_customer(box.engine, &subject, &box.answer) == 0)
			json_add_raw(w, json_string_value(name), box.answer.data, box.answer.len);
	}
	json_end(w);
	buf_clear(&box.answer);
	if (query_report(box.engine, engine_now(box.engine), &box.answer) == 0)
		json_add_raw(w, "report", box.answer.data, box.answer.len);
	look_up(w);
}

static void
do_line(const char *what, const json_t *line, struct json_writer *w)
{
	struct input clock = { .kind = INPUT_CLOCK };

	if (strcmp(what, "open") == 0) {
		open_store(line);
	} else if (strcmp(what, "message") == 0) {
		message(line, w);
	} else if (strcmp(what, "answer") == 0) {
		answer(line, w);
	} else if (strcmp(what, "clock") == 0) {
		take(&clock, line, w);
	} else if (strcmp(what, "restart") == 0) {
		stop();
		start();
	} else if (strcmp(what, "look") != 0) {
		die(what, NULL);
	}
	if (json_object_get(line, "stations") != NULL)
		look(line, w);
}

int
main(int argc, char **argv)
{
	struct buf out = { 0 };
	struct err err = { 0 };
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (argc != 2) {
		fprintf(stderr, "usage: box BUNDLE\n");
		return 64;
	}
	box.bundle = argv[1];
	log_set_level(LOG_ERROR);
	conf_init(&box.conf);
	while ((len = getline(&line, &size, stdin)) > 0) {
		json_t *json = json_read(line, (size_t)len, "stdin", &err);

		if (json == NULL || text(json, "do") == NULL)
			die("a line", &err);
		buf_clear(&out);
		struct json_writer *w = JSON_OBJECT(&out);
		do_line(text(json, "do"), json, w);
		json_end_all(w);
		buf_addc(&out, '\n');
		fwrite(out.data, 1, out.len, stdout);
		fflush(stdout);
		json_decref(json);
	}
	clear();
	free(line);
	buf_done(&out);
	buf_done(&box.answer);
	return 0;
}
