/* SPDX-License-Identifier: Apache-2.0
 *
 * recording.c - what the turns were told, as rows of the store.
 *
 * A row of a visit is sealed for its customer: who is forgotten leaves the recording, too, with what they bought after
 * their card was read. A merge names two, and is two rows.
 */
#include "spine/recording.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/mask.h"
#include "ingest/fields.h"
#include "nouns/catalog.h"
#include "spine/spine.h"

#define GAP "recording/gap" /* in the state's meta: for a while nothing is recorded */

/* ---- what was in force ---- */

static void
add_row(struct engine *engine, const struct id *subject, struct buf *row)
{
	engine_check(engine,
	    store_recording_add(engine->store, engine->now_ms, subject, row->data, row->len));
	buf_wipe(row);
}

void
recording_began(struct engine *engine)
{
	struct buf row = { 0 };

	if (engine->options.recorded)
		return;
	buf_u8(&row, RECORDING_BEGAN);
	add_row(engine, NULL, &row);
}

static bool
was_off(struct engine *engine)
{
	struct buf text = { 0 };
	bool off =
	    store_meta_get(engine->store, GAP, &text) == 0 && text.len == 1 && text.data[0] == '1';

	buf_done(&text);
	return off;
}

static void
note_gap(struct engine *engine, bool off)
{
	if (was_off(engine) != off)
		engine_check(engine, store_meta_set(engine->store, GAP, off ? "1" : "0", 1));
}

/* Before the first row of a process, and whenever it is not what it was. */
static void
context(struct engine *engine)
{
	struct recording_context *said = &engine->recording;
	const char *policy = engine->policy != NULL ? engine->policy->hash : "";
	const char *catalog = engine->catalog != NULL ? catalog_is(engine->catalog)->hash : "";
	struct buf row = { 0 };
	bool gap;

	if (said->known && said->uncertain == engine->time_uncertain &&
	    strcmp(said->policy, policy) == 0 && strcmp(said->catalog, catalog) == 0)
		return;
	gap = !said->known && was_off(engine);
	*said = (struct recording_context){ .known = true, .uncertain = engine->time_uncertain };
	snprintf(said->policy, sizeof(said->policy), "%s", policy);
	snprintf(said->catalog, sizeof(said->catalog), "%s", catalog);
	buf_u8(&row, RECORDING_CONTEXT);
	buf_str(&row, policy);
	buf_str(&row, catalog);
	buf_u8(&row,
	    (uint8_t)((said->uncertain ? RECORDING_UNCERTAIN : 0) | (gap ? RECORDING_GAP : 0)));
	add_row(engine, NULL, &row);
	if (gap)
		note_gap(engine, false);
}

/* Is it to be written down? A replay is told what is written down already. */
static bool
is_on(struct engine *engine)
{
	struct recording_context *said = &engine->recording;

	if (engine->options.recorded || engine->options.state_dir == NULL)
		return false;
	if (engine->conf->recording_mib > 0) {
		context(engine);
		return true;
	}
	if (!said->known)
		note_gap(engine, true);
	said->known = true;
	return false;
}

/* ---- events and answers ---- */

/* A member that is not of the contract stays, for a rule may ask for it; a card number or a PIN under another name goes. */
static bool
hides_a_number(const char *name, const json_t *value)
{
	struct buf text = { 0 }, masked = { 0 };
	struct json_writer *w = JSON_OBJECT(&text);
	bool hides;

	json_add_tree(w, name, value);
	json_end(w);
	buf_add(&masked, text.data, text.len);
	mask_text(masked.data, masked.len);
	hides = memcmp(masked.data, text.data, text.len) != 0;
	buf_wipe(&text);
	buf_done(&masked);
	return hides;
}

static bool
is_left_out(const struct event *event, bool over_http, const char *name, const json_t *value)
{
	if (event->type == EV_CUSTOMER_MERGED && strcmp(name, "into") == 0)
		return true;
	if (strcmp(name, "subject") == 0 || event_member_known(event->type, name, NULL))
		return false;
	return over_http || hides_a_number(name, value);
}

/* What a PIN proved is said instead of it. */
static void
add_approval(struct json_writer *w, const struct event *event)
{
	if (event->manager == NULL)
		return;
	if (json_object_get(event->data, "approval") == NULL) {
		json_add_object(w, "approval");
		json_add_str(w, "manager", event->manager);
		json_end(w);
	}
	json_add_bool(w, "approved", true);
}

static char *
data_of(const struct event *event, bool over_http)
{
	struct buf text = { 0 };
	struct json_writer *w = JSON_OBJECT(&text);
	const char *name;
	json_t *value;

	json_object_foreach(event->data, name, value) {
		if (!is_left_out(event, over_http, name, value))
			json_add_tree(w, name, value);
	}
	if (over_http && json_object_get(event->data, "tablet") == NULL)
		json_add_str(w, "tablet", event->origin);
	if (event->type == EV_GUIDANCE_DECIDED)
		add_approval(w, event);
	json_end(w);
	return buf_steal(&text);
}

static void
add_event(struct engine *engine, enum recording_kind kind, const struct event *event,
    const struct id *about)
{
	struct buf row = { 0 };
	char *data = data_of(event, kind != RECORDING_EVENT);

	buf_u8(&row, (uint8_t)kind);
	buf_str(&row, event_type_name(event->type) + strlen("aisle."));
	buf_u8(&row, (uint8_t)event->channel);
	buf_str(&row, event->origin);
	buf_str(&row, event->source);
	buf_str(&row, event->id);
	buf_i64(&row, event->time_ms - engine->now_ms);
	buf_str(&row, data);
	explicit_bzero(data, strlen(data));
	free(data);
	add_row(engine, event->has_subject ? &event->subject : about, &row);
}

void
recording_event(struct engine *engine, const struct event *event, const struct id *about)
{
	struct buf row = { 0 };

	if (!is_on(engine))
		return;
	add_event(engine, RECORDING_EVENT, event, about);
	if (event->type != EV_CUSTOMER_MERGED)
		return;
	buf_u8(&row, RECORDING_INTO);
	buf_str(&row, json_string_value(json_object_get(event->data, "into")));
	add_row(engine, &event->into, &row);
}

void
recording_answer(struct engine *engine, const struct event *event, const struct id *about,
    bool by_manager)
{
	if (is_on(engine))
		add_event(engine, by_manager ? RECORDING_MANAGER_ANSWER : RECORDING_ANSWER, event,
		    about);
}

/* ---- orders ---- */

void
recording_order(struct engine *engine, const struct input *input)
{
	struct buf row = { 0 };
	char value[40];

	if (!is_on(engine))
		return;
	buf_u8(&row, input->kind == INPUT_STOP ? RECORDING_STOP : RECORDING_LEVER);
	buf_str(&row, input->text);
	if (input->kind == INPUT_STOP) {
		buf_u8(&row, input->flag);
		buf_i64(&row, input->until_ms);
		buf_u8(&row, (uint8_t)input->from);
	} else {
		snprintf(value, sizeof(value), "%.17g", input->value);
		buf_str(&row, value);
		buf_i64(&row, input->until_ms);
	}
	buf_str(&row, input->manager);
	add_row(engine, NULL, &row);
}
