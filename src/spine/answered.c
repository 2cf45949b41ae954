/* SPDX-License-Identifier: Apache-2.0
 *
 * answered.c - a person's answer that came over HTTP, or that was recorded of one: the same event as a native tablet's.
 */
#include "spine/recording.h"

#include "core/json.h"
#include "spine/spine.h"

/* An answer over HTTP, of a tablet or of a manager who is signed in. */
static void
decide_answer(struct engine *engine, struct event *event, bool by_manager, struct reply *reply)
{
	event_about(engine, engine_visit_by_ref(engine, "prompt", event->prompt));
	if (by_manager) {
		event->tablet = NULL;
		event->approved = true;
	}
	if (event->type == EV_GUIDANCE_SHOWN)
		answer_shown(engine, event, reply);
	else
		answer_decided(engine, event, reply);
}

/* As it was answered: another answer to the same card is no forgery of the first. */
void
answer_recorded(struct engine *engine, struct event *event, bool by_manager)
{
	struct reply reply = { 0 };

	engine->source = event->source;
	engine->id = event->id;
	event->now_ms = event->time_ms = engine->now_ms;
	decide_answer(engine, event, by_manager, &reply);
	event_done(event);
}

/* What the same answer would have as its data if it came as an event. */
static json_t *
answer_data(const struct input *input)
{
	json_t *data = input->answer != NULL ? json_copy(input->answer) : json_object();
	json_t *manager = json_object_get(data, "manager");

	if (input->manager == NULL)
		json_object_set_new(data, "tablet", json_string(input->text));
	json_object_set_new(data, "guidance", json_string(input->guidance));
	json_object_set_new(data, "prompt", json_string(input->prompt));
	if (manager != NULL && input->pin != NULL && input->manager == NULL) {
		json_t *approval = json_object();

		json_object_set(approval, "manager", manager);
		json_object_set_new(approval, "pin", json_string(input->pin));
		json_object_set_new(data, "approval", approval);
	}
	return data;
}

void
answer_input(struct engine *engine, struct input *input)
{
	struct envelope_rules rules = intake_rules(engine);
	struct event *event = arena_alloc(engine->arena, sizeof(*event));
	struct rejected rejected = { 0 };
	json_t *data;
	int rc;

	event->type = input->is_shown ? EV_GUIDANCE_SHOWN : EV_GUIDANCE_DECIDED;
	event->channel = CHANNEL_TABLET;
	event->origin = input->manager != NULL ? "manager" : input->text;
	event->source = arena_printf(engine->arena, "tablet/%s", event->origin);
	event->id = arena_printf(engine->arena, "%s/%s", input->prompt,
	    input->is_shown ? "shown" : "decision");
	event->now_ms = event->time_ms = engine->now_ms;
	engine->source = event->source;
	engine->id = event->id;
	if (intake_is_poison(engine, event->source, event->id)) {
		input->result = (struct reply){ .status = 500,
			.detail = engine->aside
			    ? "this answer cannot be written and is set aside"
			    : "this answer stopped the daemon before and is set aside" };
		return;
	}
	if (input->manager == NULL)
		heard_of(engine, CHANNEL_TABLET, input->text, engine->now_ms);
	data = answer_data(input);
	rc = envelope_parse_data(engine->arena, &rules, data, event, &rejected);
	if (input->manager != NULL)
		event->manager = input->manager;
	if (rc != 0)
		input->result = (struct reply){ .status = 400,
			.detail = arena_strdup(engine->arena, rejected.detail) };
	else
		decide_answer(engine, event, input->manager != NULL, &input->result);
	/* Taken, or too late, which is an outcome as well; not what a tablet says again. */
	if (input->result.changed)
		recording_answer(engine, event, &engine->about, input->manager != NULL);
	event_done(event);
	json_decref(data);
}
