/* SPDX-License-Identifier: Apache-2.0
 *
 * stops.c - the list of stopped actions, in the order of their ids: since when, by whom, and until when.
 *
 * The store and headquarters stop apart, and so do headquarters' orders to all, to a ring and to one
 * store: each lifts what it stopped, and an action is silent as long as one of them says so.
 *
 * A line of the list is "ACTION<tab>UNTIL<tab>SINCE<tab>BY<tab>HQ<tab>HQ-SINCE<tab>HERE", times in ms, HQ as the bits
 * of enum order_from, HERE 1 if the store did; or its beginning.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "core/log.h"
#include "decide/decide.h"

/* Twice, under names that are not neighbours in the file. */
#define STOPPED "stopped"
#define STOPPED_COPY "copy/stopped"

static const struct id no_object; /* its timers are of the list */

bool
order_is_stopped(const struct engine *engine, const char *action)
{
	return action_stopped((const char *const *)engine->stopped, engine->stopped_count, action);
}

static void
put(struct engine *engine, size_t at, const char *action)
{
	size_t behind = engine->stopped_count - at;

	engine->stopped =
	    mem_realloc(engine->stopped, (engine->stopped_count + 1) * sizeof(*engine->stopped));
	engine->stops =
	    mem_realloc(engine->stops, (engine->stopped_count + 1) * sizeof(*engine->stops));
	memmove(engine->stopped + at + 1, engine->stopped + at, behind * sizeof(*engine->stopped));
	memmove(engine->stops + at + 1, engine->stops + at, behind * sizeof(*engine->stops));
	engine->stopped[at] = mem_strdup(action);
	engine->stops[at] = (struct stop){ 0 };
	engine->stopped_count++;
}

static void
take(struct engine *engine, size_t at)
{
	size_t behind = engine->stopped_count - at - 1;

	free(engine->stopped[at]);
	memmove(engine->stopped + at, engine->stopped + at + 1, behind * sizeof(*engine->stopped));
	memmove(engine->stops + at, engine->stops + at + 1, behind * sizeof(*engine->stops));
	engine->stopped_count--;
}

static int64_t
read_int(char **line)
{
	char *text = strsep(line, "\t");

	return text != NULL ? strtoll(text, NULL, 10) : 0;
}

static void
read_line(struct engine *engine, char *line)
{
	char *action = strsep(&line, "\t"), *by, *here;
	struct stop *stop;

	if (action[0] == '\0')
		return;
	put(engine, engine->stopped_count, action);
	stop = &engine->stops[engine->stopped_count - 1];
	stop->until_ms = read_int(&line);
	stop->since_ms = read_int(&line);
	by = strsep(&line, "\t");
	snprintf(stop->by, sizeof(stop->by), "%s", by != NULL ? by : "");
	stop->hq = (unsigned)read_int(&line) & ORDER_FROM_HQ;
	stop->hq_since_ms = read_int(&line);
	/* A line of before it was said has no since either, or nobody else's word. */
	here = strsep(&line, "\t");
	stop->here = here != NULL ? here[0] == '1' : stop->hq == 0 || stop->since_ms != 0;
}

void
stops_load(struct engine *engine)
{
	struct buf buf = { 0 };
	char *at, *line;
	int rc = store_meta_get(engine->store, STOPPED, &buf);

	/* Forgotten, it would put a recalled article back on the screens. */
	if (rc != 0) {
		buf_clear(&buf);
		rc = store_meta_get(engine->store, STOPPED_COPY, &buf);
		if (rc == 0)
			log_error("the list of stopped actions was lost, its copy holds");
	}
	if (rc == 0 && buf.len > 0) {
		for (at = buf.data; (line = strsep(&at, "\n")) != NULL;)
			read_line(engine, line);
	}
	buf_done(&buf);
}

void
stops_drop(struct engine *engine)
{
	for (size_t i = 0; i < engine->stopped_count; i++)
		free(engine->stopped[i]);
	free(engine->stopped);
	free(engine->stops);
	engine->stopped = NULL;
	engine->stops = NULL;
	engine->stopped_count = 0;
}

static void
save(struct engine *engine)
{
	struct buf list = { 0 };

	buf_adds(&list, "");
	for (size_t i = 0; i < engine->stopped_count; i++) {
		const struct stop *stop = &engine->stops[i];

		buf_addf(&list, "%s\t%lld\t%lld\t%s\t%u\t%lld\t%d\n", engine->stopped[i],
		    (long long)stop->until_ms, (long long)stop->since_ms, stop->by, stop->hq,
		    (long long)stop->hq_since_ms, stop->here);
	}
	engine_check(engine, store_meta_set(engine->store, STOPPED, list.data, list.len));
	engine_check(engine, store_meta_set(engine->store, STOPPED_COPY, list.data, list.len));
	buf_done(&list);
}

void
order_record(struct engine *engine, const char *order, const char *name, const double *value,
    int64_t until_ms, const struct input *of)
{
	char key[SUBJECT_TEXT_SIZE] = "";
	struct buf json = { 0 };
	struct json_writer *w = JSON_OBJECT(&json);

	if (of->manager != NULL)
		person_key(engine, "manager", of->manager, key);
	json_add_when(w, "at", engine->now_ms);
	json_add_str(w, "order", order);
	json_add_str(w, "name", name);
	if (value != NULL)
		json_add_double(w, "value", *value);
	if (until_ms != 0)
		json_add_when(w, "until", until_ms);
	if (of->manager != NULL)
		json_add_str(w, "manager", key);
	if (of->from != ORDER_HERE)
		json_add_bool(w, "hq", true);
	json_end(w);
	if (engine->uplink == UPLINK_RECORDS)
		engine_uplink(engine, LANE_DECISION, "order", NULL, &json);
	if (!engine->options.recorded)
		log_info("an order in this store order=%s name=%s by=%s", order, LOG_VALUE(name),
		    of->from != ORDER_HERE    ? "headquarters"
			: of->manager != NULL ? key
					      : "-");
	buf_done(&json);
}

static bool
is_empty(const struct stop *stop)
{
	return !stop->here && stop->hq == 0;
}

static void
order_of_hq(struct engine *engine, struct stop *stop, const struct input *input)
{
	if (input->flag && stop->hq == 0)
		stop->hq_since_ms = engine->now_ms;
	if (input->flag)
		stop->hq |= input->from;
	else
		stop->hq &= ~(unsigned)input->from;
	if (stop->hq == 0)
		stop->hq_since_ms = 0;
}

static void
order_of_here(struct engine *engine, struct stop *stop, const struct input *input)
{
	stop->here = input->flag;
	stop->until_ms = input->flag ? input->until_ms : 0;
	stop->since_ms = input->flag ? engine->now_ms : 0;
	stop->by[0] = '\0';
	if (input->flag && input->manager != NULL)
		person_key(engine, "manager", input->manager, stop->by);
	if (stop->until_ms != 0)
		timer_add(engine, "stop", &no_object, stop->until_ms);
}

void
order_stop(struct engine *engine, const struct input *input)
{
	bool listed =
	    action_listed((const char *const *)engine->stopped, engine->stopped_count, input->text);
	size_t at = 0;

	while (at < engine->stopped_count && strcmp(engine->stopped[at], input->text) < 0)
		at++;
	if (!listed && input->flag)
		put(engine, at, input->text);
	if (listed || input->flag) {
		(input->from == ORDER_HERE ? order_of_here : order_of_hq)(engine,
		    &engine->stops[at], input);
		if (is_empty(&engine->stops[at]))
			take(engine, at);
	}
	save(engine);
	order_record(engine, input->flag ? "stop" : "lift", input->text, NULL, input->until_ms,
	    input);
}

void
stops_due(struct engine *engine)
{
	bool ended = false;

	for (size_t i = engine->stopped_count; i > 0; i--) {
		struct stop *stop = &engine->stops[i - 1];

		if (stop->until_ms == 0 || stop->until_ms > engine->now_ms)
			continue;
		order_record(engine, "ended", engine->stopped[i - 1], NULL, stop->until_ms,
		    &(struct input){ 0 });
		*stop = (struct stop){ .hq = stop->hq, .hq_since_ms = stop->hq_since_ms };
		if (is_empty(stop))
			take(engine, i - 1);
		ended = true;
	}
	if (ended)
		save(engine);
}

void
stops_restore(struct engine *engine)
{
	for (size_t i = 0; i < engine->stopped_count; i++)
		if (engine->stops[i].until_ms != 0)
			timer_add(engine, "stop", &no_object, engine->stops[i].until_ms);
}
