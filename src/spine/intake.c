/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.c - one input to the stages: read, checked, known twice or not, answered.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crash.h"
#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "ingest/rate.h"
#include "spine/recording.h"

/* ---- an input that a bug dies of, or that no turn can hold ---- */

bool
intake_is_poison(struct engine *engine, const char *source, const char *id)
{
	crash_input(source, id);
	if (!engine->aside && (engine->poison == NULL || !crash_is(engine->poison, source, id)))
		return false;
	metrics_add(METRIC_SET_ASIDE, 1);
	return true;
}

static void
set_aside(const struct engine *engine, struct rejected *rejected)
{
	rejected->reason = REJECT_BAD_VALUE;
	snprintf(rejected->detail, sizeof(rejected->detail), "%s",
	    engine->aside
		? "twice what it leads to could not be written, and not for the disk's sake: it is "
		  "set aside; please report it"
		: "this message stopped the daemon before and is set aside; please report it");
}

/* Until it is read a message has no name of its own but its bytes. Their digest is written to the
 * crash file, so it is keyed: a PIN among known bytes would be found by trying. */
static bool
is_poison_message(struct engine *engine, const struct route *route, const struct input *input)
{
	uint8_t digest[16];
	char hex[2 * sizeof(digest) + 1];

	hash_bytes(digest, sizeof(digest), input->payload, input->len, keys_pepper(engine->keys),
	    32);
	hash_hex(hex, digest, sizeof(digest));
	return intake_is_poison(engine, route->origin, hex);
}

static void
apply_event(struct engine *engine, struct event *event, struct rejected *rejected)
{
	engine->source = seen_source(engine, event);
	engine->id = event->id;
	event->now_ms = engine->now_ms;
	if (intake_is_poison(engine, event->source, event->id)) {
		set_aside(engine, rejected);
	} else if (!seen_before(engine, event, rejected)) {
		customer_resolve(engine, event);
		event_apply(engine, event, rejected);
		if (rejected->reason == REJECT_NONE || rejected->taken) {
			seen_accept(engine, event);
			recording_event(engine, event, &engine->about);
		}
	}
	if (rejected->reason != REJECT_NONE) {
		snprintf(rejected->source, sizeof(rejected->source), "%s", event->source);
		snprintf(rejected->id, sizeof(rejected->id), "%s", event->id);
		rejected->receipt = event->receipt && !rejected->taken;
	}
	crash_input(NULL, NULL);
}

/* ---- inputs ---- */

static void
timer_aside(struct engine *engine, const char *id)
{
	struct rejected rejected = { 0 };

	if (!engine->aside)
		return;
	set_aside(engine, &rejected);
	dead_letter(engine, "timer", &rejected, id, strlen(id));
}

/* max: so many timers at most; 0: all that are due. */
static void
clock_to(struct engine *engine, int64_t now_ms, int64_t max)
{
	char id[128], last_id[128] = "";
	int64_t due_ms, last_ms = 0, count = 0;
	int rc;

	if (now_ms < engine->now_ms)
		now_ms = engine->now_ms;
	while ((rc = store_timer_first(engine->store, &due_ms, id)) == 0 && due_ms <= now_ms &&
	    engine->failed == 0 && (max == 0 || count++ < max)) {
		/* It does not go, and would be due for ever. */
		if (due_ms == last_ms && strcmp(id, last_id) == 0) {
			rc = AISLE_E_IO;
			break;
		}
		last_ms = due_ms;
		memcpy(last_id, id, sizeof(last_id));
		if (due_ms > engine->now_ms)
			engine->now_ms = due_ms;
		engine->source = "timer";
		engine->id = id;
		engine->commands = 0;
		engine_check(engine, store_timer_delete(engine->store, due_ms, id));
		metrics_add(METRIC_TIMERS, 1);
		if (engine->failed == 0 && intake_is_poison(engine, "timer", id))
			timer_aside(engine, id);
		else if (engine->failed == 0)
			due_apply(engine, id);
		crash_input(NULL, NULL);
	}
	engine_check(engine, rc);
	engine->now_ms = now_ms;
}

struct envelope_rules
intake_rules(const struct engine *engine)
{
	return (struct envelope_rules){
		.pepper = keys_pepper(engine->keys),
		.currency = engine->conf->currency,
		.clock_past_ms = engine->conf->clock_past_ms,
		.clock_ahead_ms = engine->conf->clock_ahead_ms,
		.clock_off = engine->time_uncertain,
		.recorded = engine->options.recorded,
		.catalog = engine->catalog != NULL,
	};
}

static void
input_message(struct engine *engine, struct input *input, const struct route *route,
    struct event *event, struct rejected *rejected, unsigned unknown)
{
	if (unknown > 0)
		metrics_add(METRIC_UNKNOWN_MEMBERS, unknown);
	if (rejected->bad_gtins > 0)
		metrics_add(METRIC_BAD_GTINS, rejected->bad_gtins);
	/* Of a tablet that is known only: event.c. */
	if (route->channel != CHANNEL_TABLET && route->origin[0] != '\0')
		heard_of(engine, route->channel, route->origin, engine->now_ms);
	if (event != NULL)
		apply_event(engine, event, rejected);
	if (rejected->reason != REJECT_NONE)
		refuse_message(engine, route, input->topic, rejected, input->payload, input->len);
	if (event != NULL)
		event_done(event);
}

/* Counted once, however many turns it takes to commit it. */
static bool
within_rate(struct engine *engine, const char *name, struct input *input)
{
	if (input->rate == RATE_UNCOUNTED)
		input->rate =
		    rate_allow(engine->rates, name, engine->now_ms) ? RATE_WITHIN : RATE_OVER;
	return input->rate == RATE_WITHIN;
}

/* A person is not as fast as that, and an answer may carry a PIN, which is nowhere kept. */
static void
too_many_answers(struct engine *engine, const struct route *route, struct rejected *rejected)
{
	rejected->reason = REJECT_RATE;
	snprintf(rejected->detail, sizeof(rejected->detail),
	    "more than %d messages a second from %s", engine->conf->terminal_rate, route->origin);
}

/* true: it is none of this turn; it waits, or is lost. */
static bool
has_to_wait(struct engine *engine, struct input *input, const struct route *route, const char *name,
    struct event *event, struct rejected *rejected)
{
	if (route->channel == CHANNEL_TABLET || engine->aside ||
	    (within_rate(engine, name, input) && !waiting_has(engine, name)))
		return false;
	if (!waiting_add(engine, route, name, event))
		waiting_lost(engine, route, input->topic, rejected, input->payload, input->len);
	event_done(event);
	return true;
}

static void
apply_message(struct engine *engine, struct input *input)
{
	struct envelope_rules rules = intake_rules(engine);
	struct rejected rejected = { 0 };
	struct event *event = NULL;
	struct route route = { 0 };
	char name[RATE_NAME_SIZE];
	unsigned unknown = 0;

	if (input->kind == INPUT_MAPPED) {
		route.channel = CHANNEL_POS;
		snprintf(route.origin, sizeof(route.origin), "%s", input->text);
	} else if (route_parse(input->topic, engine->conf->store_id, &route) != 0) {
		return;
	}
	waiting_name(engine, &route, name);
	/* One that cannot be committed is still read, for the name that its receipt needs. */
	if ((!engine->aside || route.hello) && is_poison_message(engine, &route, input)) {
		set_aside(engine, &rejected);
	} else if (route.channel == CHANNEL_TABLET && !within_rate(engine, name, input)) {
		too_many_answers(engine, &route, &rejected);
	} else if (route.hello) {
		hello(engine, &route, input);
		return;
	} else if (envelope_parse(engine->arena, &rules, &route, input->attributes, input->payload,
		       input->len, engine->now_ms, &event, &rejected, &unknown) != 0) {
		event = NULL;
	} else if (has_to_wait(engine, input, &route, name, event, &rejected)) {
		return;
	}
	input_message(engine, input, &route, event, &rejected, unknown);
}

/* One that waited was whole when it came, by the clock of then. */
static void
apply_waited(struct engine *engine, struct input *input)
{
	struct envelope_rules rules = intake_rules(engine);
	struct rejected rejected = { 0 };
	struct event *event = NULL;
	struct route route = { 0 };
	struct buf text = { 0 };
	unsigned unknown = 0;
	const char *topic;
	json_t *root;

	if (!waiting_take(engine, &text))
		return;
	rules.clock_off = rules.recorded = true;
	input->payload = text.data;
	input->len = text.len;
	root = json_read(text.data, text.len, "event", NULL);
	topic = json_string_value(json_object_get(root, "topic"));
	if (topic != NULL && route_parse_tail(topic, &route) == 0) {
		input->topic = arena_printf(engine->arena, "%s/%s", engine->topic_root, topic);
		if (!engine->aside && is_poison_message(engine, &route, input))
			set_aside(engine, &rejected);
		else if (envelope_parse_tree(engine->arena, &rules, &route, root, engine->now_ms,
			     &event, &rejected, &unknown) == 0)
			(void)waiting_digest(root, &event->digest);
		input_message(engine, input, &route, event, &rejected, unknown);
	}
	json_decref(root);
	buf_done(&text);
	input->payload = NULL;
	input->len = 0;
}

/* What ids derive from while it is applied; events and answers name themselves. */
static void
name_order(struct engine *engine, const struct input *input)
{
	char subject[SUBJECT_TEXT_SIZE];

	engine->source = "order";
	engine->id = "";
	if (input->kind == INPUT_STOP)
		engine->id = arena_printf(engine->arena, "%s/%s", input->flag ? "stop" : "lift",
		    input->text);
	if (input->kind == INPUT_LEAVE || input->kind == INPUT_FORGET) {
		subject_text(&input->subject, subject);
		engine->id = arena_printf(engine->arena, "%s/%s",
		    input->kind == INPUT_LEAVE ? "leave" : "forget", subject);
	}
}

/* A stop or a lever. */
static void
apply_order(struct engine *engine, struct input *input)
{
	if (input->kind == INPUT_LEVER) {
		lever_move(engine, input);
		if (input->result.status == 200)
			recording_order(engine, input);
		return;
	}
	input->result = (struct reply){ .status = 200 };
	order_stop(engine, input);
	recording_order(engine, input);
	order_sweep(engine, WITHDRAW_STOPPED);
}

static void
apply_mark(struct engine *engine, struct input *input, struct recording_mark *mark)
{
	bool readable = mark->now_ms >= 0;

	input->now_ms = readable ? mark->now_ms : engine->now_ms;
	clock_to(engine, input->now_ms, 0);
	if (mark->is_context)
		engine->time_uncertain = mark->uncertain;
	if (mark->order.kind != INPUT_CLOCK && readable) {
		name_order(engine, &mark->order);
		apply_order(engine, &mark->order);
	}
	if (mark->note != NULL)
		input->result =
		    (struct reply){ .status = readable ? 203 : 400, .detail = mark->note };
}

static void
apply_recorded(struct engine *engine, struct input *input)
{
	struct recording_mark mark;
	struct envelope_rules rules = intake_rules(engine);
	struct rejected rejected = { 0 };
	struct event *event = NULL;
	struct route route = { 0 };
	unsigned unknown = 0;
	int64_t now_ms = engine->now_ms;

	if (recording_mark(engine, input, &mark)) {
		apply_mark(engine, input, &mark);
		return;
	}
	if (envelope_parse_recorded(engine->arena, &rules, input->payload, input->len, &route,
		&now_ms, &event, &rejected, &unknown) != 0)
		event = NULL;
	input->now_ms = now_ms;
	clock_to(engine, now_ms, 0);
	engine->aside = input->aside;
	input->topic = "recorded";
	if (event != NULL && route.answered != ANSWERED_NOT &&
	    event_way(event->type) == WAY_ANSWER) {
		answer_recorded(engine, event, route.answered == ANSWERED_BY_MANAGER);
		return;
	}
	input_message(engine, input, &route, event, &rejected, unknown);
	if (rejected.reason != REJECT_NONE)
		input->result = (struct reply){ .status = rejected.taken ? 200 : 400,
			.detail = arena_printf(engine->arena, "%s: %s",
			    reject_name(rejected.reason), rejected_says(engine, &rejected)) };
}

static void
apply_unmapped(struct engine *engine, const struct input *input)
{
	struct rejected rejected = { .reason = input->flag ? REJECT_NO_RULE : REJECT_BAD_SHAPE };

	snprintf(rejected.detail, sizeof(rejected.detail), "%s", input->text);
	dead_letter(engine, input->topic, &rejected, input->payload, input->len);
}

static void
tell_health(struct engine *engine, const struct input *input)
{
	struct buf json = { 0 };

	buf_add(&json, input->payload, input->len);
	engine_uplink(engine, LANE_TELEMETRY, "health", NULL, &json);
	buf_done(&json);
}

/* What is no message and no answer has nobody to tell but the log and who waits for it. */
static bool
order_aside(struct engine *engine, struct input *input)
{
	if (input->kind == INPUT_MESSAGE || input->kind == INPUT_MAPPED ||
	    input->kind == INPUT_ANSWER || input->kind == INPUT_CLOCK ||
	    input->kind == INPUT_WAITED)
		return false;
	/* A stop counts from now on, and what can be taken away is, though not every open card. */
	if (input->kind == INPUT_STOP) {
		order_stop(engine, input);
		recording_order(engine, input);
	}
	if (input->kind == INPUT_STOP || input->kind == INPUT_POLICY)
		order_sweep(engine,
		    input->kind == INPUT_STOP ? WITHDRAW_STOPPED : WITHDRAW_REPLACED);
	metrics_add(METRIC_SET_ASIDE, 1);
	log_error("an input cannot be committed and is set aside kind=%d", (int)input->kind);
	input->result = (struct reply){ .status = 500,
		.detail = input->kind == INPUT_STOP
		    ? "it counts from now on; one card that is open already cannot be taken away"
		    : "this cannot be written and is set aside" };
	return input->kind != INPUT_UNMAPPED; /* whose dead letter is all that it writes */
}

void
intake(struct engine *engine, struct input *input)
{
	/* The timers before it are not to blame, unless it is about them. */
	engine->aside = input->aside && input->kind == INPUT_CLOCK;
	if (input->kind != INPUT_RECORDED)
		clock_to(engine, input->now_ms, input->kind == INPUT_CLOCK ? input->number : 0);
	engine->commands = 0;
	engine->about = (struct id){ 0 };
	name_order(engine, input);
	engine->aside = input->aside && input->kind != INPUT_RECORDED;
	engine->live = input->kind == INPUT_MESSAGE || input->kind == INPUT_MAPPED ||
	    input->kind == INPUT_WAITED || input->kind == INPUT_UNMAPPED;
	if (engine->aside && order_aside(engine, input))
		return;
	switch (input->kind) {
	case INPUT_MESSAGE:
	case INPUT_MAPPED: apply_message(engine, input); break;
	case INPUT_RECORDED: apply_recorded(engine, input); break;
	case INPUT_ANSWER: answer_input(engine, input); break;
	case INPUT_SIGN_IN: manager_sign_in(engine, input); break;
	case INPUT_DELIVERED:
		engine_check(engine, store_outbox_delete(engine->store, input->number));
		break;
	case INPUT_HEALTH: tell_health(engine, input); break;
	case INPUT_HQ_ACK:
		engine_check(engine, store_uplink_ack(engine->store, input->lane, input->number));
		break;
	case INPUT_STOP:
	case INPUT_LEVER: apply_order(engine, input); break;
	case INPUT_LEAVE: order_leave(engine, input); break;
	case INPUT_FORGET: order_forget(engine, input); break;
	case INPUT_POLICY: order_sweep(engine, WITHDRAW_REPLACED); break;
	case INPUT_UNMAPPED: apply_unmapped(engine, input); break;
	case INPUT_WAITED: apply_waited(engine, input); break;
	case INPUT_CLOCK: letters_tell(engine, input->flag); break;
	}
	crash_input(NULL, NULL);
}
