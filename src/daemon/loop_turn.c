/* SPDX-License-Identifier: Apache-2.0
 *
 * loop_turn.c - a turn takes what is queued, and only after its commit the outputs leave.
 */
#include "daemon/daemon.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/log.h"
#include "core/metrics.h"

#define OWN_INPUTS 1024	      /* answers, acknowledgements, clock: beside a turn's events */
#define FAILED_MS (15 * S_MS) /* the broker has tried again meanwhile */
#define WAL_BYTES (7 << 20)   /* checkpointed at the latest then; the file is cut to 8 MiB */

static void
queue_delivered(struct daemon *daemon)
{
	size_t taken = 0;

	while (taken < daemon->delivered_count && daemon->input_count < daemon->input_max) {
		struct input input = { .kind = INPUT_DELIVERED,
			.now_ms = daemon_now_ms(daemon),
			.number = daemon->delivered[taken] };

		daemon_queue(daemon, &input);
		taken++;
	}
	if (taken == 0)
		return;
	memmove(daemon->delivered, daemon->delivered + taken,
	    (daemon->delivered_count - taken) * sizeof(int64_t));
	daemon->delivered_count -= taken;
}

/* ---- what waits ---- */

#define BUSY_INPUTS 16 /* so many at once: the broker has more, perhaps of another station */
#define BUSY_MS 100    /* and for so long after them */
#define WAITED_US_MIN 8000
#define WAITED_US_MAX 20000
#define WAITED_WAL_MAX (1 << 20)
#define WAITED_FLIGHT_MAX 128 /* publishes that what is new may find before it */

/* What those that wait lead to must not keep what is new from being published. */
static int
room_in_flight(const struct daemon *daemon)
{
	size_t in_flight = mqtt_in_flight(daemon->mqtt);

	if (!mqtt_connected(daemon->mqtt))
		return INT_MAX;
	return in_flight < WAITED_FLIGHT_MAX ? WAITED_FLIGHT_MAX - (int)in_flight : 0;
}

/* Events that came too fast are taken when nothing else is ready: while much comes, one a turn, so
 * that there is always some progress. */
static int
queue_waited(struct daemon *daemon)
{
	int64_t waiting = waiting_count(daemon->engine), mono_ms = daemon_mono_ms();
	struct input input = { .kind = INPUT_WAITED, .now_ms = daemon_now_ms(daemon) };
	int max = daemon->waited_max, room = room_in_flight(daemon), count = 0;

	if (daemon->input_count >= BUSY_INPUTS) {
		daemon->busy_ms = mono_ms;
		max = 1;
	} else if (max > BUSY_INPUTS && mono_ms - daemon->busy_ms < BUSY_MS) {
		max = BUSY_INPUTS;
	}
	while (count < max && count < room && count < waiting && daemon_queue(daemon, &input))
		count++;
	return count;
}

/* So many that a till which has something to say does not wait long for the end of their turn: by
 * processor time and by what is written. How long the disk takes for it is no reason to write more often. */
static void
pace_waited(struct daemon *daemon, int count, int64_t took_us, int64_t wrote)
{
	if (count > 1 && (took_us > WAITED_US_MAX || wrote > WAITED_WAL_MAX))
		daemon->waited_max = count / 2;
	else if (count == daemon->waited_max && took_us < WAITED_US_MIN &&
	    wrote < WAITED_WAL_MAX / 2 && daemon->waited_max < daemon->conf.turn_events)
		daemon->waited_max *= 2;
}

/* ---- what leaves ---- */

/* MQTT's topic carries both kinds, so there a withdrawal is told by its member "withdraw"; a
 * stream's event has its type beside it, and its data is {"guidance","reason"}. */
static void
stream_withdrawal(struct daemon *daemon, const struct output *output)
{
	json_t *message = json_loadb(output->payload, output->len, 0, NULL);
	struct buf json = { 0 };
	struct json_writer *w = JSON_OBJECT(&json);

	json_add_str(w, "guidance", json_string_value(json_object_get(message, "withdraw")));
	json_add_str(w, "reason", json_string_value(json_object_get(message, "reason")));
	json_end(w);
	json_decref(message);
	http_stream(daemon->http, output->station, output->id, "withdraw", json.data, json.len);
	buf_done(&json);
}

static void
stream(struct daemon *daemon, const struct output *output)
{
	if (daemon->http == NULL)
		return;
	if (output->kind == OUTPUT_GUIDANCE)
		http_stream(daemon->http, output->station, output->id, "guidance", output->payload,
		    output->len);
	else if (output->kind == OUTPUT_WITHDRAW)
		stream_withdrawal(daemon, output);
}

static void
let_out(struct daemon *daemon)
{
	size_t count;
	const struct output *outputs = engine_outputs(daemon->engine, &count);

	for (size_t i = 0; i < count; i++) {
		const struct output *output = &outputs[i];

		if (output->kind == OUTPUT_HELLO) {
			daemon_hello_ask(daemon, output->topic, output->station);
			continue;
		}
		daemon_publish_output(daemon, output);
		stream(daemon, output);
	}
	daemon_publish_backlog(daemon);
	daemon_hello_answer(daemon);
}

static void
reply_one(struct daemon *daemon, struct input *input, const struct reply *instead)
{
	if (input->reply != NULL)
		input->reply(input->reply_ctx, instead != NULL ? instead : &input->result);
	input->reply = NULL;
	if (instead == NULL && input->kind == INPUT_HQ_ACK && !input->aside &&
	    daemon->uplink != NULL) {
		uplink_acked(daemon->uplink, input->lane, input->number);
		metrics_set(METRIC_UPLINK_ACKED, input->now_ms / 1000);
	}
}

static void
reply_all(struct daemon *daemon, const struct reply *instead)
{
	for (size_t i = 0; i < daemon->input_count; i++)
		reply_one(daemon, &daemon->inputs[i], instead);
}

/* ---- the turn ---- */

/* The store is opened again, which mends what can be mended, and memory read from it anew. */
void
daemon_reopen(struct daemon *daemon)
{
	struct err err = { 0 };
	char before[17], after[17];

	store_epoch(engine_store(daemon->engine), before);
	if (engine_reopen(daemon->engine, &err) == 0) {
		store_epoch(engine_store(daemon->engine), after);
		/* Another epoch, other numbers: what the broker was given is not in this outbox. */
		if (strcmp(before, after) != 0) {
			daemon->delivered_count = 0;
			mqtt_drop(daemon->mqtt);
			if (daemon->http != NULL)
				http_begin_anew(daemon->http);
		}
		daemon_link_reopened(daemon);
		/* The clock does not wait for the next event. */
		daemon->worked = true;
		if (daemon->turn == 0)
			daemon_arm_clock(daemon);
		return;
	}
	/* There is no store to ask any more. Nothing is in memory only: leaving is no more than a kill. */
	log_error("the state cannot be opened again: %s", err.text);
	_exit(EX_IOERR);
}

static bool
is_only_clock(const struct daemon *daemon)
{
	return daemon->input_count == 1 && daemon->inputs[0].kind == INPUT_CLOCK;
}

/* Between two tries of the broker a turn of next to nothing may well fit: it is no sign of room. */
static void
note_disk(struct daemon *daemon)
{
	if (daemon->turn != 0) {
		daemon->failed = daemon->turn;
		daemon->failed_ms = daemon_mono_ms();
	} else if (!is_only_clock(daemon)) {
		daemon->failed = 0;
	}
}

int
daemon_disk(const struct daemon *daemon)
{
	return daemon_mono_ms() - daemon->failed_ms < FAILED_MS ? daemon->failed : 0;
}

const char *
daemon_disk_text(const struct daemon *daemon)
{
	int rc = daemon_disk(daemon);

	return rc == 0 ? "ok" : rc == AISLE_E_FULL ? "full" : "failing";
}

/* Nothing of this turn is on disk: nothing may leave, and nothing is acknowledged. */
static void
turn_failed(struct daemon *daemon, int rc)
{
	static const struct reply unavailable = { .status = 503,
		.detail = "the store cannot write its state right now" };
	bool only_clock = is_only_clock(daemon);

	log_error("a turn could not be committed rc=%d inputs=%zu", rc, daemon->input_count);
	reply_all(daemon, &unavailable);
	daemon_clear_inputs(daemon);
	if (!only_clock)
		mqtt_drop(daemon->mqtt);
	/* Full, perhaps: what may go, goes with the next tick. */
	daemon->worked = true;
	daemon_reopen(daemon);
}

static void
on_turn(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	daemon_turn(ctx);
}

static void
on_clock(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	daemon_turn_of_nothing(ctx);
}

void
daemon_arm_clock(struct daemon *daemon)
{
	char id[128];
	int64_t due_ms, wait_ms;
	struct timeval wait;
	int rc;

	rc = store_timer_first(engine_store(daemon->engine), &due_ms, id);
	/* A damaged one is set aside by the next turn. */
	if (rc == AISLE_E_DAMAGED)
		due_ms = 0;
	else if (rc != 0)
		return;
	wait_ms = due_ms - daemon_now_ms(daemon);
	if (wait_ms < 0)
		wait_ms = 0;
	if (wait_ms > H_MS)
		wait_ms = H_MS;
	wait = (struct timeval){ .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };
	event_add(daemon->clock_event, &wait);
}

int
daemon_turn_init(struct daemon *daemon, struct err *err)
{
	(void)err;
	daemon->turn_event = evtimer_new(daemon->base, on_turn, daemon);
	daemon->clock_event = evtimer_new(daemon->base, on_clock, daemon);
	daemon->input_max = (size_t)daemon->conf.turn_events + OWN_INPUTS;
	daemon->inputs = mem_calloc(daemon->input_max, sizeof(*daemon->inputs));
	daemon->input_arena = arena_new();
	daemon->waited_max = BUSY_INPUTS;
	return 0;
}

void
daemon_turn_done(struct daemon *daemon)
{
	daemon_clear_inputs(daemon);
	free(daemon->inputs);
	arena_free(daemon->input_arena);
	free(daemon->delivered);
	event_free(daemon->turn_event);
	event_free(daemon->clock_event);
}

static void
on_turned(void *ctx, struct input *input)
{
	struct daemon *daemon = ctx;

	let_out(daemon);
	if (input != NULL)
		reply_one(daemon, input, NULL);
}

static int
take_inputs(struct daemon *daemon)
{
	int rc = turn_run(daemon->engine, daemon->inputs, daemon->input_count);

	if (turn_own_fault(rc)) {
		log_error("a turn could not be committed for a reason of its own: each input alone "
			  "rc=%d inputs=%zu",
		    rc, daemon->input_count);
		return turn_each(daemon->engine, daemon->inputs, daemon->input_count, on_turned,
		    daemon);
	}
	if (rc == 0) {
		metrics_observe(daemon_mono_us() - daemon->first_us);
		let_out(daemon);
		reply_all(daemon, NULL);
	}
	return rc;
}

void
daemon_turn(struct daemon *daemon)
{
	int64_t began_us = 0, wal = 0;
	int waited;

	event_del(daemon->turn_event);
	waited = queue_waited(daemon);
	/* The processor's clock is a call of the kernel. */
	if (waited > 0) {
		began_us = daemon_cpu_us();
		wal = store_wal_bytes(engine_store(daemon->engine));
	}
	if (daemon->input_count > 0)
		daemon->turned_ms = daemon_mono_ms();
	queue_delivered(daemon);
	if (daemon->input_count == 0)
		return;
	daemon->turn = take_inputs(daemon);
	note_disk(daemon);
	if (waited > 0)
		pace_waited(daemon, waited, daemon_cpu_us() - began_us,
		    store_wal_bytes(engine_store(daemon->engine)) - wal);
	if (daemon->turn != 0) {
		turn_failed(daemon, daemon->turn);
		return;
	}
	daemon->turned = daemon->worked = true;
	daemon_clear_inputs(daemon);
	mqtt_release(daemon->mqtt);
	daemon_link_pump(daemon);
	/* A store that is never idle for a second: what was decided is out, nobody waits for this
	 * turn any more. */
	if (store_wal_bytes(engine_store(daemon->engine)) > WAL_BYTES)
		store_checkpoint(engine_store(daemon->engine));
	daemon_arm_clock(daemon);
	/* Else when something was delivered. */
	if (waiting_count(daemon->engine) > 0 && room_in_flight(daemon) > 0)
		daemon_soon(daemon);
}

void
daemon_turn_of_nothing(struct daemon *daemon)
{
	struct input input = { .kind = INPUT_CLOCK, .now_ms = daemon_now_ms(daemon) };

	if (daemon_queue(daemon, &input))
		daemon_turn(daemon);
}
