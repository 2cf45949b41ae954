/* SPDX-License-Identifier: Apache-2.0
 *
 * queue.c - inputs wait here for their turn.
 */
#include "daemon/daemon.h"

#include <string.h>

#include "core/metrics.h"

static void
copy_attributes(struct daemon *daemon, struct input *input)
{
	struct binary_attributes *copy;

	if (input->attributes == NULL)
		return;
	copy = arena_alloc(daemon->input_arena, sizeof(*copy));
	*copy = *input->attributes;
	for (size_t i = 0; i < copy->count; i++) {
		copy->pair[i].name = arena_strdup(daemon->input_arena, copy->pair[i].name);
		copy->pair[i].value = arena_strdup(daemon->input_arena, copy->pair[i].value);
	}
	input->attributes = copy;
}

void
daemon_clear_inputs(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->input_count; i++) {
		json_decref(daemon->inputs[i].answer);
		if (daemon->inputs[i].pin != NULL)
			explicit_bzero(daemon->inputs[i].pin, strlen(daemon->inputs[i].pin));
	}
	daemon->input_count = 0;
	arena_reset(daemon->input_arena);
}

bool
daemon_queue(struct daemon *daemon, const struct input *input)
{
	struct input *copy;

	/* A message was taken from the broker and will be acknowledged with the turn's others: it
	 * always has a place.
	 * How many there can be is bounded by has_room and by the events of one mapping. */
	if (daemon->input_count == daemon->input_max) {
		if (input->kind == INPUT_ANSWER || input->kind == INPUT_SIGN_IN)
			return false;
		daemon->input_max *= 2;
		daemon->inputs =
		    mem_realloc(daemon->inputs, daemon->input_max * sizeof(*daemon->inputs));
		metrics_add(METRIC_LIMIT_OTHER, 1);
	}
	if (daemon->input_count == 0)
		daemon->first_us = daemon_mono_us();
	copy = &daemon->inputs[daemon->input_count++];
	*copy = *input;
	copy->pin = arena_strdup(daemon->input_arena, input->pin);
	copy->topic = arena_strdup(daemon->input_arena, input->topic);
	copy->text = arena_strdup(daemon->input_arena, input->text);
	copy->manager = arena_strdup(daemon->input_arena, input->manager);
	copy->guidance = arena_strdup(daemon->input_arena, input->guidance);
	copy->prompt = arena_strdup(daemon->input_arena, input->prompt);
	if (input->payload != NULL)
		copy->payload = arena_strndup(daemon->input_arena, input->payload, input->len);
	if (input->answer != NULL)
		copy->answer = json_incref(input->answer);
	copy_attributes(daemon, copy);
	return true;
}

void
daemon_soon(struct daemon *daemon)
{
	struct timeval now = { 0 };

	event_add(daemon->turn_event, &now);
}
