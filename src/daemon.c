/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon.c - the loop of aisled: collect what is ready, run a turn, let the outputs out.
 */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "core/crash.h"
#include "core/id.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/notify.h"
#include "core/when.h"
#include "ingest/rate.h"
#include "sync/bundle.h"

#define OWN_INPUTS 1024		/* answers, acknowledgements, clock: beside a turn's events */
#define PUBLISH_WINDOW 1000	/* publishes that the broker has not acknowledged, in memory */
#define WAL_BYTES (7 << 20)	/* checkpointed at the latest then; the file is cut to 8 MiB */
#define PRUNE_ROWS 200		/* a tick */
#define SEEN_MS (4 * D_MS)
#define VISIT_MS (4 * D_MS)	/* and longer where a card's outcome is waited for longer */

/* ---- clocks ---- */

int64_t
daemon_now_ms(struct daemon *daemon)
{
	struct timespec now;

	(void)daemon;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
daemon_mono_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t
mono_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- status ---- */

void
daemon_status_json(struct daemon *daemon, const char *state, struct buf *out)
{
	const struct policy *policy = daemon->engine != NULL ? daemon->engine->policy : NULL;
	char at[WHEN_TEXT_SIZE];

	when_text(daemon_now_ms(daemon), at);
	buf_addf(out, "{\"state\":\"%s\",\"session\":%lld,\"at\":\"%s\",\"policy\":", state, (long long)daemon->session, at);
	if (policy != NULL) {
		buf_adds(out, "{\"name\":");
		buf_json_str(out, policy->name);
		buf_addf(out, ",\"version\":%lld,\"hash\":\"%s\"}", (long long)policy->version, policy->hash);
	} else {
		buf_adds(out, "null");
	}
	buf_addf(out, ",\"time\":\"%s\",\"hq\":\"%s\"}",
	    daemon->engine != NULL && daemon->engine->time_uncertain ? "uncertain" : "certain",
	    daemon->conf.hq_host == NULL ? "none" : daemon->hq_up ? "connected" : "away");
}

void
daemon_publish_status(struct daemon *daemon, const char *state)
{
	struct buf json = { 0 };

	daemon_status_json(daemon, state, &json);
	mqtt_publish(daemon->mqtt, 0, daemon->status_topic, true, json.data, json.len);
	if (daemon->http != NULL)
		http_stream(daemon->http, NULL, store_outbox_last(daemon->engine->store), "status", json.data, json.len);
	buf_done(&json);
}

/* ---- inputs ---- */

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

bool
daemon_queue(struct daemon *daemon, const struct input *input)
{
	struct input *copy;

	/* A message was taken from the broker and will be acknowledged with the turn's others: it always has a place.
	 * How many there can be is bounded by has_room and by the events of one mapping. */
	if (daemon->input_count == daemon->input_max) {
		if (input->kind == INPUT_ANSWER)
			return false;
		daemon->input_max *= 2;
		daemon->inputs = mem_realloc(daemon->inputs, daemon->input_max * sizeof(*daemon->inputs));
		metrics_add(METRIC_LIMIT_OTHER, 1);
	}
	if (daemon->input_count == 0)
		daemon->first_us = mono_us();
	copy = &daemon->inputs[daemon->input_count++];
	*copy = *input;
	copy->pin = arena_strdup(daemon->input_arena, input->pin);
	copy->topic = arena_strdup(daemon->input_arena, input->topic);
	copy->text = arena_strdup(daemon->input_arena, input->text);
	copy->guidance = arena_strdup(daemon->input_arena, input->guidance);
	copy->prompt = arena_strdup(daemon->input_arena, input->prompt);
	if (input->payload != NULL)
		copy->payload = arena_strndup(daemon->input_arena, input->payload, input->len);
	if (input->answer != NULL)
		copy->answer = json_incref(input->answer);
	copy_attributes(daemon, copy);
	return true;
}

static void
clear_inputs(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->input_count; i++) {
		json_decref(daemon->inputs[i].answer);
		if (daemon->inputs[i].pin != NULL)
			explicit_bzero(daemon->inputs[i].pin, strlen(daemon->inputs[i].pin));
	}
	daemon->input_count = 0;
	arena_reset(daemon->input_arena);
}

/* ---- outputs ---- */

/* MQTT's topic carries both kinds, so there a withdrawal is told by its member "withdraw"; a stream's event has
 * its type beside it, and its data is {"guidance","reason"}. */
static void
stream_withdrawal(struct daemon *daemon, const struct output *output)
{
	static const char head[] = "{\"withdraw\":";
	struct buf json = { 0 };

	CHECK(output->len > sizeof(head) && memcmp(output->payload, head, sizeof(head) - 1) == 0);
	buf_adds(&json, "{\"guidance\":");
	buf_add(&json, output->payload + sizeof(head) - 1, output->len - (sizeof(head) - 1));
	http_stream(daemon->http, output->station, output->id, "withdraw", json.data, json.len);
	buf_done(&json);
}

static void
stream(struct daemon *daemon, const struct output *output)
{
	if (daemon->http == NULL)
		return;
	if (output->kind == OUTPUT_GUIDANCE)
		http_stream(daemon->http, output->station, output->id, "guidance", output->payload, output->len);
	else if (output->kind == OUTPUT_WITHDRAW)
		stream_withdrawal(daemon, output);
}

static int
publish_row(void *ctx, int64_t id, const char *topic, bool retain, const void *payload, size_t len)
{
	struct daemon *daemon = ctx;

	if (mqtt_in_flight(daemon->mqtt) >= PUBLISH_WINDOW ||
	    !mqtt_publish(daemon->mqtt, id, topic, retain, payload, len))
		return 1;
	daemon->published = id;
	return 0;
}

/* What the outbox holds beyond what the library was given. */
static void
publish_backlog(struct daemon *daemon)
{
	if (!mqtt_connected(daemon->mqtt) || daemon->published >= store_outbox_last(daemon->engine->store))
		return;
	if (store_outbox_each(daemon->engine->store, daemon->published, publish_row, daemon) < 0)
		log_error("the outbox cannot be read");
}

static void
let_out(struct daemon *daemon)
{
	struct engine *engine = daemon->engine;

	for (size_t i = 0; i < engine->output_count; i++) {
		const struct output *output = &engine->outputs[i];

		/* Straight from memory while nothing older waits. */
		if (daemon->published == output->id - 1)
			(void)publish_row(daemon, output->id, output->topic, false, output->payload, output->len);
		stream(daemon, output);
	}
	publish_backlog(daemon);
}

static void
reply_all(struct daemon *daemon, const struct reply *instead)
{
	for (size_t i = 0; i < daemon->input_count; i++) {
		struct input *input = &daemon->inputs[i];

		if (input->reply != NULL)
			input->reply(input->reply_ctx, instead != NULL ? instead : &input->result);
		input->reply = NULL;
		if (instead == NULL && input->kind == INPUT_HQ_ACK && daemon->uplink != NULL) {
			uplink_acked(daemon->uplink, input->lane, input->number);
			metrics_set(METRIC_UPLINK_ACKED, input->now_ms / 1000);
		}
	}
}

/* ---- the turn ---- */

static void
arm_clock(struct daemon *daemon)
{
	char id[128];
	int64_t due_ms, wait_ms;
	struct timeval wait;

	if (store_timer_first(daemon->engine->store, &due_ms, id) != 0)
		return;
	wait_ms = due_ms - daemon_now_ms(daemon);
	if (wait_ms < 0)
		wait_ms = 0;
	if (wait_ms > H_MS)
		wait_ms = H_MS;
	wait = (struct timeval){ .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };
	event_add(daemon->clock_event, &wait);
}

static void
queue_delivered(struct daemon *daemon)
{
	size_t taken = 0;

	while (taken < daemon->delivered_count && daemon->input_count < daemon->input_max) {
		struct input input = { .kind = INPUT_DELIVERED, .now_ms = daemon_now_ms(daemon),
			.number = daemon->delivered[taken] };

		daemon_queue(daemon, &input);
		taken++;
	}
	if (taken == 0)
		return;
	memmove(daemon->delivered, daemon->delivered + taken, (daemon->delivered_count - taken) * sizeof(int64_t));
	daemon->delivered_count -= taken;
}

/* Nothing of this turn is on disk: nothing may leave, and nothing is acknowledged. */
static void
turn_failed(struct daemon *daemon, int rc)
{
	static const struct reply unavailable = { .status = 503, .detail = "the store cannot write its state right now" };
	struct err err = { 0 };

	log_error("a turn could not be committed rc=%d inputs=%zu", rc, daemon->input_count);
	reply_all(daemon, &unavailable);
	clear_inputs(daemon);
	mqtt_drop(daemon->mqtt);
	/* Full, perhaps: what may go, goes with the next tick. */
	daemon->worked = true;
	if (engine_reopen(daemon->engine, &err) != 0) {
		log_error("the state cannot be opened again: %s", err.text);
		daemon->exit_code = EX_IOERR;
		event_base_loopbreak(daemon->base);
		return;
	}
	daemon_link_reopened(daemon);
}

void
daemon_turn(struct daemon *daemon)
{
	int rc;

	event_del(daemon->turn_event);
	queue_delivered(daemon);
	if (daemon->input_count == 0)
		return;
	rc = turn_run(daemon->engine, daemon->inputs, daemon->input_count);
	if (rc != 0) {
		turn_failed(daemon, rc);
		return;
	}
	metrics_observe(mono_us() - daemon->first_us);
	daemon->turned = daemon->worked = true;
	let_out(daemon);
	reply_all(daemon, NULL);
	clear_inputs(daemon);
	mqtt_release(daemon->mqtt);
	daemon_link_pump(daemon);
	/* A store that is never idle for a second: what was decided is out, nobody waits for this turn any more. */
	if (store_wal_bytes(daemon->engine->store) > WAL_BYTES)
		store_checkpoint(daemon->engine->store);
	arm_clock(daemon);
}

static void
on_turn(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	daemon_turn(ctx);
}

void
daemon_soon(struct daemon *daemon)
{
	struct timeval now = { 0 };

	event_add(daemon->turn_event, &now);
}

static void
on_clock(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;
	struct input input = { .kind = INPUT_CLOCK, .now_ms = daemon_now_ms(daemon) };

	(void)fd;
	(void)what;
	if (daemon_queue(daemon, &input))
		daemon_turn(daemon);
}

/* ---- the broker ---- */

static void
mapped_message(struct daemon *daemon, const struct mapping *mapping, const char *topic, const void *payload, size_t len)
{
	struct input input = { .now_ms = daemon_now_ms(daemon), .topic = topic };
	struct err err = { 0 };
	struct buf text = { 0 };
	char terminal[33];
	json_t *events = mapping_apply(mapping, topic, payload, len, terminal, &err), *event;
	size_t i;

	if (events == NULL) {
		input.kind = INPUT_UNMAPPED;
		input.text = err.text;
		input.payload = payload;
		input.len = len;
		daemon_queue(daemon, &input);
		return;
	}
	json_array_foreach(events, i, event) {
		buf_clear(&text);
		json_write(event, &text);
		input.kind = INPUT_MAPPED;
		input.text = terminal;
		input.payload = text.data;
		input.len = text.len;
		daemon_queue(daemon, &input);
	}
	json_decref(events);
	buf_done(&text);
}

static void
on_message(void *ctx, const char *topic, const void *payload, size_t len, const struct binary_attributes *attributes)
{
	struct daemon *daemon = ctx;
	struct input input = { .kind = INPUT_MESSAGE, .now_ms = daemon_now_ms(daemon), .topic = topic,
		.payload = payload != NULL ? payload : "", .len = len, .attributes = attributes };

	for (size_t i = 0; i < daemon->mapping_count; i++) {
		if (mapping_matches(daemon->mappings[i], topic)) {
			mapped_message(daemon, daemon->mappings[i], topic, input.payload, len);
			return;
		}
	}
	daemon_queue(daemon, &input);
}

static bool
has_room(void *ctx)
{
	const struct daemon *daemon = ctx;

	return daemon->input_count < (size_t)daemon->conf.turn_events;
}

static bool
is_pending(void *ctx)
{
	const struct daemon *daemon = ctx;

	return daemon->input_count > 0;
}

static void
on_ready(void *ctx)
{
	struct daemon *daemon = ctx;
	struct timeval linger = { .tv_sec = daemon->conf.linger_ms / 1000, .tv_usec = daemon->conf.linger_ms % 1000 * 1000 };

	if (daemon->input_count == 0)
		return;
	if (daemon->conf.linger_ms > 0 && has_room(daemon)) {
		if (!event_pending(daemon->turn_event, EV_TIMEOUT, NULL))
			event_add(daemon->turn_event, &linger);
		return;
	}
	daemon_turn(daemon);
}

static void
on_connected(void *ctx)
{
	struct daemon *daemon = ctx;

	log_info("connected to the store's broker");
	daemon->published = 0;
	daemon_publish_status(daemon, "online");
	publish_backlog(daemon);
	notify_status("serving, broker connected");
}

static void
on_disconnected(void *ctx)
{
	struct daemon *daemon = ctx;

	daemon->published = INT64_MAX;
	notify_status("serving, broker away");
}

static void
on_delivered(void *ctx, int64_t outbox_id)
{
	struct daemon *daemon = ctx;

	if (daemon->delivered_count == daemon->delivered_capacity) {
		daemon->delivered_capacity = daemon->delivered_capacity == 0 ? 256 : 2 * daemon->delivered_capacity;
		daemon->delivered = mem_realloc(daemon->delivered, daemon->delivered_capacity * sizeof(int64_t));
	}
	daemon->delivered[daemon->delivered_count++] = outbox_id;
}

static const struct mqtt_host mqtt_host_template = {
	.message = on_message, .room = has_room, .ready = on_ready, .pending = is_pending,
	.connected = on_connected, .disconnected = on_disconnected, .delivered = on_delivered,
};

/* ---- once a second ---- */

/* A visit is kept as long as an outcome of one of its cards may still come. */
static int64_t
visit_ms(const struct daemon *daemon)
{
	const struct policy *policy = daemon->engine->policy;
	int64_t longest = VISIT_MS;

	for (size_t i = 0; policy != NULL && i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];
		int64_t until = action->has_offer ? action->offer.until_ms : 0;
		int64_t wait = (action->goal_within_ms > until ? action->goal_within_ms : until) + D_MS;

		if (wait > longest)
			longest = wait;
	}
	return longest < daemon->conf.retain_ms || daemon->conf.retain_ms < VISIT_MS ? longest : daemon->conf.retain_ms;
}

static int
prune(struct daemon *daemon, struct store *store)
{
	int64_t now_ms = daemon_now_ms(daemon), decision_ms = (int64_t)daemon->conf.decision_days * D_MS;
	int pruned = store_prune(store, now_ms, SEEN_MS, visit_ms(daemon), decision_ms, PRUNE_ROWS), rc;

	rc = pruned < 0 ? pruned : store_log_prune(store, STORE_LOG_OUTCOME, now_ms - decision_ms, PRUNE_ROWS);
	if (rc >= 0)
		rc = store_log_prune(store, STORE_LOG_SUBJECT, now_ms - daemon->conf.retain_ms, PRUNE_ROWS);
	return rc < 0 ? rc : pruned;
}

/* A few rows, also in a second with turns: a store that is busy all day must not fill its file. */
static void
tidy(struct daemon *daemon)
{
	struct store *store = daemon->engine->store;

	if (daemon->worked) {
		int pruned = 0;

		if (store_begin(store) == 0) {
			pruned = prune(daemon, store);
			if (pruned < 0 || store_commit(store) != 0)
				store_rollback(store);
		}
		if (pruned <= 0)
			daemon->worked = false;
	}
	if (!daemon->turned && store_wal_bytes(store) > 0)
		store_checkpoint(store);
}

static void
on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;

	(void)fd;
	(void)what;
	publish_backlog(daemon);
	daemon_link_pump(daemon);
	metrics_set(METRIC_UPLINK_QUEUED, store_uplink_count(daemon->engine->store));
	metrics_set(METRIC_VISITS, (int64_t)sessions_count(daemon->engine->sessions));
	metrics_set(METRIC_DAMAGED, store_damaged(daemon->engine->store));
	if (!daemon->turned && daemon->delivered_count > 0)
		daemon_turn(daemon);
	else if (daemon->input_count == 0)
		tidy(daemon);
	daemon->turned = false;
	notify_alive();
}

/* ---- signals ---- */

static void
on_term(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;

	(void)fd;
	(void)what;
	if (daemon->stopping)
		_exit(EX_OK);
	daemon->stopping = true;
	notify_stopping();
	daemon_turn(daemon);
	daemon_publish_status(daemon, "offline");
	event_base_loopbreak(daemon->base);
}

/* What was copied out of the configuration at the start. */
static void
take_over(struct daemon *daemon)
{
	enum log_level level;

	if (log_level_parse(daemon->conf.log_level, &level))
		log_set_level(level);
	rate_set(daemon->engine->rates, daemon->conf.terminal_rate);
}

static void
on_hup(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;
	struct buf report = { 0 };
	struct conf *next = mem_alloc(sizeof(*next));

	(void)fd;
	(void)what;
	notify_reloading();
	if (conf_load(next, daemon->conf_path, &report) != 0) {
		log_error("the configuration was not re-read: %s", report.data);
		conf_done(next);
	} else {
		conf_reload(&daemon->conf, next, &report);
		take_over(daemon);
		log_notice("the configuration was re-read%s%s", report.len > 0 ? "; needs a restart: " : "",
		    report.len > 0 ? report.data : "");
	}
	free(next);
	buf_done(&report);
	notify_ready();
}

/* ---- start ---- */

static int
read_pepper(const struct conf *conf, uint8_t pepper[static 32], bool *ret_has, struct err *err)
{
	char text[128] = "";
	FILE *file;

	*ret_has = false;
	if (conf->pepper_file == NULL)
		return 0;
	file = fopen(conf->pepper_file, "re");
	if (file == NULL)
		return err_set(err, AISLE_E_CONFIG, "[privacy] pepper_file %s: %s", conf->pepper_file, strerror(errno));
	if (fgets(text, sizeof(text), file) == NULL)
		text[0] = '\0';
	fclose(file);
	text[strcspn(text, "\r\n \t")] = '\0';
	*ret_has = hash_unhex(pepper, 32, text);
	explicit_bzero(text, sizeof(text));
	if (!*ret_has)
		return err_set(err, AISLE_E_CONFIG, "[privacy] pepper_file %s: expected 64 hex digits", conf->pepper_file);
	return 0;
}

static int
make_dirs(const struct conf *conf, struct err *err)
{
	char path[512];

	(void)mkdir(conf->state_dir, 0700);
	snprintf(path, sizeof(path), "%s/bundles", conf->state_dir);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	return 0;
}

static void
take_crash_mark(struct daemon *daemon)
{
	struct crash mark;

	if (crash_take(daemon->conf.state_dir, &mark) != 0)
		return;
	daemon->poison = mem_alloc(sizeof(mark));
	*daemon->poison = mark;
	log_error("the last run died of a bug; its input will be set aside what=\"%s\" source=%s id=%s", mark.what,
	    mark.source, mark.id);
}

static int
next_session(struct daemon *daemon, struct err *err)
{
	struct store *store = daemon->engine->store;
	struct buf buf = { 0 };
	int rc;

	if (store_meta_get(store, "session", &buf) == 0) {
		struct rd rd = rd_init(buf.data, buf.len);

		daemon->session = rd_i64(&rd);
	}
	daemon->session++;
	buf_clear(&buf);
	buf_i64(&buf, daemon->session);
	rc = store_begin(store);
	if (rc == 0)
		rc = store_meta_set(store, "session", buf.data, buf.len);
	if (rc == 0)
		rc = store_commit(store);
	buf_done(&buf);
	return rc == 0 ? 0 : err_set(err, rc, "the state cannot be written");
}

static int
profile_of(void *ctx, const struct id *subject, struct buf *out)
{
	return profiles_get(ctx, subject, out);
}

static int
open_engine(struct daemon *daemon, struct err *err)
{
	struct engine_options options = { .conf = &daemon->conf, .state_dir = daemon->conf.state_dir, .sealed = true };
	uint8_t pepper[32];
	bool has_pepper;
	int rc = read_pepper(&daemon->conf, pepper, &has_pepper, err);

	if (rc == 0)
		rc = make_dirs(&daemon->conf, err);
	if (rc != 0)
		return rc;
	options.pepper = has_pepper ? pepper : NULL;
	rc = engine_open(&options, &daemon->engine, err);
	explicit_bzero(pepper, sizeof(pepper));
	if (rc != 0)
		return rc;
	take_crash_mark(daemon);
	daemon->engine->poison = daemon->poison;
	rc = crash_open(daemon->conf.state_dir, err);
	if (rc == 0)
		rc = profiles_open(daemon->conf.state_dir, daemon->engine->keys, &daemon->profiles, err);
	if (rc != 0)
		return rc;
	daemon->engine->profile_get = profile_of;
	daemon->engine->profile_ctx = daemon->profiles;
	rc = next_session(daemon, err);
	return rc != 0 ? rc : daemon_load_bundle(daemon, err);
}

static int
load_mappings(struct daemon *daemon, struct err *err)
{
	for (size_t i = 0; i < daemon->conf.mapping_count; i++) {
		int rc = mapping_load(daemon->conf.mappings[i].name, daemon->conf.mappings[i].value,
		    &daemon->mappings[daemon->mapping_count], err);

		if (rc != 0)
			return rc;
		mapping_set_currency(daemon->mappings[i], daemon->conf.currency);
		daemon->mapping_count++;
	}
	return 0;
}

static int
open_broker(struct daemon *daemon, struct err *err)
{
	static const char *const tails[] = { "pos/+/event", "loyalty/+/event", "care/event", "tablet/+/hello",
		"tablet/+/event" };
	struct buf will = { 0 };
	struct mqtt_options options = { .conf = &daemon->conf, .host = &daemon->mqtt_host,
		.status_topic = daemon->status_topic, .will = daemon->will, .topics = daemon->topics };

	daemon->mqtt_host = mqtt_host_template;
	daemon->mqtt_host.ctx = daemon;
	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		snprintf(daemon->filters[i], sizeof(daemon->filters[i]), "%s/%s", daemon->engine->topic_root, tails[i]);
		daemon->topics[options.topic_count++] = daemon->filters[i];
	}
	for (size_t i = 0; i < daemon->mapping_count; i++)
		daemon->topics[options.topic_count++] = mapping_topic(daemon->mappings[i]);
	snprintf(daemon->status_topic, sizeof(daemon->status_topic), "%s/status", daemon->engine->topic_root);
	daemon_status_json(daemon, "offline", &will);
	snprintf(daemon->will, sizeof(daemon->will), "%s", will.data);
	buf_done(&will);
	return mqtt_new(daemon->base, &options, &daemon->mqtt, err);
}

static void
add_events(struct daemon *daemon)
{
	struct timeval second = { .tv_sec = 1 };

	daemon->turn_event = evtimer_new(daemon->base, on_turn, daemon);
	daemon->clock_event = evtimer_new(daemon->base, on_clock, daemon);
	daemon->tick_event = event_new(daemon->base, -1, EV_PERSIST, on_tick, daemon);
	daemon->term_event = evsignal_new(daemon->base, SIGTERM, on_term, daemon);
	daemon->int_event = evsignal_new(daemon->base, SIGINT, on_term, daemon);
	daemon->hup_event = evsignal_new(daemon->base, SIGHUP, on_hup, daemon);
	event_add(daemon->tick_event, &second);
	event_add(daemon->term_event, NULL);
	event_add(daemon->int_event, NULL);
	event_add(daemon->hup_event, NULL);
	daemon->input_max = (size_t)daemon->conf.turn_events + OWN_INPUTS;
	daemon->inputs = mem_calloc(daemon->input_max, sizeof(*daemon->inputs));
	daemon->input_arena = arena_new();
}

static int
set_up(struct daemon *daemon, struct err *err)
{
	enum log_level level;
	int rc;

	if (log_level_parse(daemon->conf.log_level, &level))
		log_set_level(level);
	signal(SIGPIPE, SIG_IGN);
	umask(0027);
	rc = open_engine(daemon, err);
	if (rc != 0)
		return rc;
	daemon->base = event_base_new();
	add_events(daemon);
	daemon->http_host = daemon_http_host;
	daemon->http_host.ctx = daemon;
	rc = load_mappings(daemon, err);
	if (rc == 0)
		rc = open_broker(daemon, err);
	if (rc == 0)
		rc = http_new(daemon->base, &daemon->conf, &daemon->http_host, &daemon->http, err);
	if (rc == 0)
		rc = control_new(daemon->base, daemon->conf.state_control, daemon->conf.state_dir, daemon_control, daemon,
		    &daemon->control, err);
	return rc;
}

static void
tear_down(struct daemon *daemon)
{
	daemon_link_stop(daemon);
	control_free(daemon->control);
	http_free(daemon->http);
	if (daemon->mqtt != NULL)
		mqtt_leave(daemon->mqtt);
	mqtt_free(daemon->mqtt);
	for (size_t i = 0; i < daemon->mapping_count; i++)
		mapping_free(daemon->mappings[i]);
	uplink_free(daemon->uplink);
	if (daemon->engine != NULL && daemon->engine->store != NULL)
		store_checkpoint(daemon->engine->store);
	profiles_close(daemon->profiles);
	engine_close(daemon->engine);
	crash_close();
	if (daemon->input_arena != NULL)
		clear_inputs(daemon);
	free(daemon->inputs);
	arena_free(daemon->input_arena);
	free(daemon->delivered);
	free(daemon->poison);
	if (daemon->base != NULL) {
		struct event *events[] = { daemon->turn_event, daemon->clock_event, daemon->tick_event,
			daemon->term_event, daemon->int_event, daemon->hup_event, daemon->install_event };

		for (size_t i = 0; i < ARRAY_LEN(events); i++) {
			if (events[i] != NULL)
				event_free(events[i]);
		}
		event_base_free(daemon->base);
	}
	conf_done(&daemon->conf);
}

static int
exit_code_of(int rc)
{
	if (rc == AISLE_E_REFUSED)
		return EX_DATAERR;	/* a newer aisled's state: starting again does not help */
	return rc == AISLE_E_CONFIG ? EX_CONFIG : rc == AISLE_E_IO || rc == AISLE_E_FULL ? EX_IOERR : EX_SOFTWARE;
}

int
daemon_run(const char *conf_path)
{
	struct daemon *daemon = mem_calloc(1, sizeof(*daemon));
	struct buf report = { 0 };
	struct err err = { 0 };
	int rc;

	daemon->conf_path = conf_path;
	daemon->link_pid = -1;
	if (conf_load(&daemon->conf, conf_path, &report) != 0) {
		fputs(report.data, stderr);
		buf_done(&report);
		conf_done(&daemon->conf);
		free(daemon);
		return EX_CONFIG;
	}
	buf_done(&report);
	rc = set_up(daemon, &err);
	if (rc != 0) {
		log_error("%s", err.text);
		daemon->exit_code = exit_code_of(rc);
	} else {
		daemon_link_start(daemon);
		/* Cards that the policy in force does not know, perhaps for want of one, go. */
		daemon_queue(daemon, &(struct input){ .kind = INPUT_POLICY, .now_ms = daemon_now_ms(daemon) });
		daemon_turn(daemon);
		mqtt_start(daemon->mqtt);
		arm_clock(daemon);
		log_notice("aisled serves store=%s http=%s policy=%s", daemon->conf.store_id,
		    http_address(daemon->http, 0) != NULL ? http_address(daemon->http, 0) : "none",
		    daemon->engine->policy != NULL ? daemon->engine->policy->name : "none");
		notify_ready();
		metrics_set(METRIC_START, daemon_now_ms(daemon) / 1000);
		event_base_dispatch(daemon->base);
	}
	rc = daemon->exit_code;
	tear_down(daemon);
	free(daemon);
	return rc;
}
