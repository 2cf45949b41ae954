/* SPDX-License-Identifier: Apache-2.0
 *
 * stops.c - the list of stopped actions, in the order of their ids, each with its end if it has one.
 *
 * A line of the list is "ACTION" or "ACTION<tab>UNTIL" in ms.
 */
#include "spine/spine.h"

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
put(struct engine *engine, size_t at, const char *action, int64_t until_ms)
{
	size_t behind = engine->stopped_count - at;

	engine->stopped =
	    mem_realloc(engine->stopped, (engine->stopped_count + 1) * sizeof(*engine->stopped));
	engine->stopped_until_ms = mem_realloc(engine->stopped_until_ms,
	    (engine->stopped_count + 1) * sizeof(*engine->stopped_until_ms));
	memmove(engine->stopped + at + 1, engine->stopped + at, behind * sizeof(*engine->stopped));
	memmove(engine->stopped_until_ms + at + 1, engine->stopped_until_ms + at,
	    behind * sizeof(*engine->stopped_until_ms));
	engine->stopped[at] = mem_strdup(action);
	engine->stopped_until_ms[at] = until_ms;
	engine->stopped_count++;
}

static void
take(struct engine *engine, size_t at)
{
	size_t behind = engine->stopped_count - at - 1;

	free(engine->stopped[at]);
	memmove(engine->stopped + at, engine->stopped + at + 1, behind * sizeof(*engine->stopped));
	memmove(engine->stopped_until_ms + at, engine->stopped_until_ms + at + 1,
	    behind * sizeof(*engine->stopped_until_ms));
	engine->stopped_count--;
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
		for (at = buf.data; (line = strsep(&at, "\n")) != NULL;) {
			char *action = strsep(&line, "\t");

			if (action[0] != '\0')
				put(engine, engine->stopped_count, action,
				    line != NULL ? strtoll(line, NULL, 10) : 0);
		}
	}
	buf_done(&buf);
}

void
stops_drop(struct engine *engine)
{
	for (size_t i = 0; i < engine->stopped_count; i++)
		free(engine->stopped[i]);
	free(engine->stopped);
	free(engine->stopped_until_ms);
	engine->stopped = NULL;
	engine->stopped_until_ms = NULL;
	engine->stopped_count = 0;
}

static void
save(struct engine *engine)
{
	struct buf list = { 0 };

	buf_adds(&list, "");
	for (size_t i = 0; i < engine->stopped_count; i++) {
		buf_adds(&list, engine->stopped[i]);
		if (engine->stopped_until_ms[i] != 0)
			buf_addf(&list, "\t%lld", (long long)engine->stopped_until_ms[i]);
		buf_addc(&list, '\n');
	}
	engine_check(engine, store_meta_set(engine->store, STOPPED, list.data, list.len));
	engine_check(engine, store_meta_set(engine->store, STOPPED_COPY, list.data, list.len));
	buf_done(&list);
}

void
order_record(struct engine *engine, const char *order, const char *name, const double *value,
    int64_t until_ms, const char *manager)
{
	char key[SUBJECT_TEXT_SIZE] = "";
	struct buf json = { 0 };
	struct json_writer *w = JSON_OBJECT(&json);

	if (manager != NULL)
		person_key(engine, "manager", manager, key);
	json_add_when(w, "at", engine->now_ms);
	json_add_str(w, "order", order);
	json_add_str(w, "name", name);
	if (value != NULL)
		json_add_double(w, "value", *value);
	if (until_ms != 0)
		json_add_when(w, "until", until_ms);
	if (manager != NULL)
		json_add_str(w, "manager", key);
	json_end(w);
	if (engine->uplink == UPLINK_RECORDS)
		engine_uplink(engine, LANE_DECISION, "order", NULL, &json);
	log_info("an order in this store order=%s name=%s manager=%s", order, LOG_VALUE(name),
	    manager != NULL ? key : "-");
	buf_done(&json);
}

void
order_stop(struct engine *engine, const struct input *input)
{
	bool listed =
	    action_listed((const char *const *)engine->stopped, engine->stopped_count, input->text);
	size_t at = 0;

	while (at < engine->stopped_count && strcmp(engine->stopped[at], input->text) < 0)
		at++;
	if (input->flag && !listed)
		put(engine, at, input->text, input->until_ms);
	else if (input->flag)
		engine->stopped_until_ms[at] = input->until_ms;
	else if (listed)
		take(engine, at);
	if (input->flag && input->until_ms != 0)
		timer_add(engine, "stop", &no_object, input->until_ms);
	save(engine);
	order_record(engine, input->flag ? "stop" : "lift", input->text, NULL, input->until_ms,
	    input->manager);
}

void
stops_due(struct engine *engine)
{
	size_t before = engine->stopped_count;

	for (size_t i = before; i > 0; i--) {
		int64_t until_ms = engine->stopped_until_ms[i - 1];

		if (until_ms == 0 || until_ms > engine->now_ms)
			continue;
		order_record(engine, "ended", engine->stopped[i - 1], NULL, until_ms, NULL);
		take(engine, i - 1);
	}
	if (engine->stopped_count != before)
		save(engine);
}

void
stops_restore(struct engine *engine)
{
	for (size_t i = 0; i < engine->stopped_count; i++)
		if (engine->stopped_until_ms[i] != 0)
			timer_add(engine, "stop", &no_object, engine->stopped_until_ms[i]);
}
