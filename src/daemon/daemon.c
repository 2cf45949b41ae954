/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon.c - aisled loops, ticks once a second, and reloads.
 */
#include "daemon/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/beside.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/notify.h"
#include "ingest/rate.h"

#define WALK_ROWS 64	/* of the profiles, likewise */
#define SCRUB_PAGES 256 /* of state.db, looked at in an idle second */
#define KEYS_SCRUB_PAGES 64
#define MEND_MS (60 * S_MS)
#define DELIVERED_MAX 256

/* The status says so, once. */
static void
tell_time(struct daemon *daemon)
{
	(void)daemon_now_ms(daemon);
	if (daemon->told_uncertain == daemon->steady.uncertain)
		return;
	daemon->told_uncertain = daemon->steady.uncertain;
	log_warning("the store's time is %s",
	    daemon->told_uncertain ? "uncertain: the clock jumped" : "certain");
	daemon_publish_status(daemon, "online");
	mqtt_release(daemon->mqtt);
}

/* ---- once a second ---- */

/* A few rows, also in a second with turns: a store that is busy all day must not fill its file. */
static void
tidy(struct daemon *daemon)
{
	struct store *store = engine_store(daemon->engine);

	daemon_tell_session(daemon);
	if (daemon->worked && room_make(daemon->engine, daemon_now_ms(daemon)) <= 0)
		daemon->worked = false;
	if (daemon->turned)
		return;
	if (store_checkpoint_due(store, daemon_mono_ms() - daemon->turned_ms))
		store_checkpoint(store);
	else if (store_wal_bytes(store) == 0)
		store_scrub(store, SCRUB_PAGES);
	keys_scrub(engine_keys(daemon->engine), KEYS_SCRUB_PAGES);
	profiles_walk(daemon->profiles, WALK_ROWS);
}

/* What the broker has by now leaves the outbox with the next turn, or with one of its own before a checkpoint, or when it
 * is much: until then it would be published once more after a kill, which its receivers know by its id. */
static bool
delivered_is_due(const struct daemon *daemon)
{
	return daemon->delivered_count >= DELIVERED_MAX ||
	    (daemon->delivered_count > 0 &&
		store_checkpoint_due(engine_store(daemon->engine),
		    daemon_mono_ms() - daemon->turned_ms));
}

/* A damaged page was met by whoever: a turn that failed of it opened the store again, others did not. Where it
 * cannot be mended, it is not tried each second. */
static void
mend(struct daemon *daemon)
{
	int64_t mono_ms = daemon_mono_ms();

	if (!engine_suspect(daemon->engine) || mono_ms < daemon->mend_ms)
		return;
	daemon_reopen(daemon);
	daemon->mend_ms = mono_ms + MEND_MS;
}

/* Said once, not every second. */
static void
feed_watchdog(struct daemon *daemon)
{
	const char *unsound = watch_look(&daemon->watch, daemon->engine, daemon->turn);

	if (unsound == NULL)
		notify_alive();
	else if (daemon->unsound == NULL)
		log_error("the watchdog is not fed: %s", unsound);
	daemon->unsound = unsound;
}

static void
on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;

	(void)fd;
	(void)what;
	tell_time(daemon);
	daemon_publish_backlog(daemon);
	daemon_hello_answer(daemon);
	if (daemon_mono_ms() >= daemon->hear_ms)
		daemon_hear_tablets(daemon);
	daemon_alike_tell(daemon);
	profiles_tidy(daemon->profiles);
	beside_tidy(false);
	daemon_orders_look(daemon);
	daemon_release_look(daemon);
	daemon_health(daemon);
	daemon_link_look(daemon);
	daemon_link_pump(daemon);
	metrics_set(METRIC_UPLINK_QUEUED, store_uplink_count(engine_store(daemon->engine)));
	metrics_set(METRIC_VISITS, (int64_t)engine_visit_count(daemon->engine));
	metrics_set(METRIC_DAMAGED, store_damaged(engine_store(daemon->engine)));
	metrics_set(METRIC_WAITING, waiting_count(daemon->engine));
	metrics_set(METRIC_WAITING_BYTES, waiting_bytes(daemon->engine));
	if (letters_wait(daemon->engine))
		daemon_turn_of_nothing(daemon);
	else if (!daemon->turned && (delivered_is_due(daemon) || waiting_count(daemon->engine) > 0))
		daemon_turn(daemon);
	else if (daemon->input_count == 0)
		tidy(daemon);
	if (daemon->input_count == 0)
		mend(daemon);
	/* Perhaps nobody sends an event that would show that the disk is there again. */
	if (daemon->turn != 0 && daemon->turn != AISLE_E_FULL && daemon->input_count == 0)
		daemon_turn_of_nothing(daemon);
	daemon->turned = false;
	feed_watchdog(daemon);
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
	if (letters_wait(daemon->engine))
		daemon_queue(daemon,
		    &(struct input){
			.kind = INPUT_CLOCK, .now_ms = daemon_now_ms(daemon), .flag = true });
	daemon_turn(daemon);
	daemon_publish_status(daemon, "offline");
	event_base_loopbreak(daemon->base);
}

void
daemon_take_configuration(struct daemon *daemon)
{
	enum log_level level;

	if (log_level_parse(daemon->conf.log_level, &level))
		log_set_level(level);
	if (daemon->engine != NULL)
		engine_set_terminal_rate(daemon->engine, daemon->conf.terminal_rate);
}

static void
on_hup(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;
	struct buf report = { 0 };
	struct mappings mappings;
	struct conf *next = mem_alloc(sizeof(*next));

	(void)fd;
	(void)what;
	notify_reloading();
	if (conf_load(next, daemon->conf_path, &report) != 0) {
		log_error("the configuration was not re-read: %s", report.data);
		conf_done(next);
	} else if (daemon_mappings_load(next, &daemon->conf, &mappings, &report) != 0) {
		log_error("the configuration was not re-read: %s", report.data);
		conf_done(next);
	} else {
		conf_reload(&daemon->conf, next, &report);
		daemon_take_configuration(daemon);
		daemon_mappings_free(&daemon->mappings);
		daemon->mappings = mappings;
		daemon_listen(daemon);
		log_notice("the configuration was re-read%s%s",
		    report.len > 0 ? "; needs a restart: " : "", report.len > 0 ? report.data : "");
	}
	free(next);
	buf_done(&report);
	notify_ready();
}

/* ---- its life ---- */

int
daemon_add_events(struct daemon *daemon, struct err *err)
{
	struct timeval second = { .tv_sec = 1 };

	(void)err;
	daemon->tick_event = event_new(daemon->base, -1, EV_PERSIST, on_tick, daemon);
	daemon->term_event = evsignal_new(daemon->base, SIGTERM, on_term, daemon);
	daemon->int_event = evsignal_new(daemon->base, SIGINT, on_term, daemon);
	daemon->hup_event = evsignal_new(daemon->base, SIGHUP, on_hup, daemon);
	event_add(daemon->tick_event, &second);
	event_add(daemon->term_event, NULL);
	event_add(daemon->int_event, NULL);
	event_add(daemon->hup_event, NULL);
	return 0;
}

void
daemon_remove_events(struct daemon *daemon)
{
	event_free(daemon->hup_event);
	event_free(daemon->int_event);
	event_free(daemon->term_event);
	event_free(daemon->tick_event);
}

static int
exit_code_of(int rc)
{
	if (rc == AISLE_E_REFUSED)
		return EX_DATAERR; /* a newer aisled's state: starting again does not help */
	if (rc == AISLE_E_CONFIG)
		return EX_CONFIG;
	return rc == AISLE_E_IO || rc == AISLE_E_FULL ? EX_IOERR : EX_SOFTWARE;
}

static void
serve(struct daemon *daemon)
{
	const char *address = http_address(daemon->http, 0);
	const struct policy *policy = engine_policy(daemon->engine);

	/* Cards that the policy in force does not know, perhaps for want of one, go. */
	daemon_queue(daemon,
	    &(struct input){ .kind = INPUT_POLICY, .now_ms = daemon_now_ms(daemon) });
	daemon_turn(daemon);
	mqtt_start(daemon->mqtt);
	daemon_arm_clock(daemon);
	log_notice("aisled serves store=%s http=%s policy=%s", daemon->conf.store_id,
	    address != NULL ? address : "none", policy != NULL ? policy->name : "none");
	notify_ready();
	metrics_set(METRIC_START, daemon_now_ms(daemon) / 1000);
	event_base_dispatch(daemon->base);
}

int
daemon_run(const char *conf_path)
{
	struct daemon *daemon = mem_zero(sizeof(*daemon));
	struct buf report = { 0 };
	int code;

	daemon->conf_path = conf_path;
	daemon->link_pid = -1;
	if (conf_load(&daemon->conf, conf_path, &report) != 0) {
		fputs(report.data, stderr);
		code = EX_CONFIG;
	} else {
		int rc = daemon_start(daemon);

		if (rc == 0)
			serve(daemon);
		code = rc == 0 ? daemon->exit_code : exit_code_of(rc);
		daemon_stop(daemon);
	}
	buf_done(&report);
	conf_done(&daemon->conf);
	daemon_tablets_changed(daemon);
	free(daemon);
	return code;
}
