/* SPDX-License-Identifier: Apache-2.0
 *
 * start.c - aisled starts and stops: two lists side by side.
 *
 * DESIGN
 *   Steps are started from the first to the last and stopped from the last to the first. Where one
 *   cannot be started, those before it are stopped; it has cleaned up after itself.
 */
#include "daemon/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/crash.h"
#include "core/log.h"

struct step {
	const char *name;
	int (*start)(struct daemon *daemon, struct err *err);
	void (*stop)(struct daemon *daemon); /* NULL: nothing is left of it */
};

static int
set_up_process(struct daemon *daemon, struct err *err)
{
	(void)err;
	daemon_take_configuration(daemon);
	signal(SIGPIPE, SIG_IGN);
	umask(0027);
	return 0;
}

static int
start_watch(struct daemon *daemon, struct err *err)
{
	return watch_init(&daemon->watch, err);
}

static void
stop_watch(struct daemon *daemon)
{
	watch_done(&daemon->watch);
}

static int
start_base(struct daemon *daemon, struct err *err)
{
	(void)err;
	daemon->base = event_base_new();
	CHECK(daemon->base != NULL);
	return 0;
}

static void
stop_base(struct daemon *daemon)
{
	event_base_free(daemon->base);
}

static int
start_mappings(struct daemon *daemon, struct err *err)
{
	struct buf report = { 0 };
	int rc = daemon_mappings_load(&daemon->conf, &daemon->conf, &daemon->mappings, &report);

	if (rc != 0)
		err_set(err, AISLE_E_CONFIG, "[mappings] %.*s", (int)strcspn(report.data, "\n"),
		    report.data);
	/* What the one line above has no room for. */
	const char *end = rc != 0 ? strchr(report.data, '\n') : NULL;
	if (end != NULL && end[1] != '\0')
		log_error("[mappings] %s", report.data);
	buf_done(&report);
	return rc;
}

static void
stop_mappings(struct daemon *daemon)
{
	daemon_mappings_free(&daemon->mappings);
}

static int
start_broker(struct daemon *daemon, struct err *err)
{
	int rc = daemon_open_broker(daemon, err);

	if (rc == 0)
		daemon_listen(daemon);
	return rc;
}

static void
stop_broker(struct daemon *daemon)
{
	mqtt_leave(daemon->mqtt);
	mqtt_free(daemon->mqtt);
	buf_done(&daemon->will);
}

static int
start_http(struct daemon *daemon, struct err *err)
{
	daemon->http_host = daemon_http_host;
	daemon->http_host.ctx = daemon;
	return http_new(daemon->base, &daemon->conf, &daemon->http_host, &daemon->http, err);
}

static void
stop_http(struct daemon *daemon)
{
	http_free(daemon->http);
}

static int
start_control(struct daemon *daemon, struct err *err)
{
	return control_new(daemon->base, daemon->conf.state_control, daemon->conf.state_dir,
	    daemon_control, daemon, &daemon->control, err);
}

static void
stop_control(struct daemon *daemon)
{
	control_free(daemon->control);
}

static int
start_nothing(struct daemon *daemon, struct err *err)
{
	(void)daemon;
	(void)err;
	return 0;
}

static void
stop_installations(struct daemon *daemon)
{
	daemon_install_profiles_stop(daemon);
	daemon_stage_stop(daemon);
	daemon_catalog_stop(daemon);
	daemon_hand_stop(daemon);
}

static const struct step steps[] = {
	{ "process", set_up_process, NULL },
	{ "self-check", start_watch, stop_watch },
	{ "folders", daemon_make_folders, NULL },
	{ "engine", daemon_open_engine, daemon_close_engine },
	{ "crash-mark", daemon_open_crash_mark, daemon_close_crash_mark },
	{ "profiles", daemon_open_profiles, daemon_close_profiles },
	{ "session", daemon_next_session, NULL },
	{ "policy", daemon_activate_named, NULL },
	{ "catalog", daemon_catalog_start, NULL },
	{ "loop", start_base, stop_base },
	{ "turns", daemon_turn_init, daemon_turn_done },
	{ "signals", daemon_add_events, daemon_remove_events },
	{ "mappings", start_mappings, stop_mappings },
	{ "broker", start_broker, stop_broker },
	{ "http", start_http, stop_http },
	{ "control", start_control, stop_control },
	{ "fetches", daemon_fetch_init, daemon_fetch_done },
	{ "trust", daemon_trusted_start, daemon_trusted_stop },
	{ "orders", daemon_orders_start, NULL },
	{ "release", daemon_release_start, daemon_release_stop },
	/* what is under way tells those above how it ended */
	{ "installations", start_nothing, stop_installations },
	{ "link", daemon_link_start, daemon_link_stop },
};

int
daemon_start(struct daemon *daemon)
{
	while (daemon->started < ARRAY_LEN(steps)) {
		const struct step *step = &steps[daemon->started];
		struct err err = { 0 };
		char text[sizeof(err.file) + sizeof(err.text) + 32];
		int rc = step->start(daemon, &err);

		if (rc != 0) {
			err_format(&err, text, sizeof(text));
			log_error("%s step=%s", text, step->name);
			daemon_stop(daemon);
			return rc;
		}
		daemon->started++;
	}
	(void)daemon_now_ms(daemon);
	daemon->begun_mono_ms = daemon->steady.mono_ms;
	daemon->begun_bytes = daemon_state_bytes(daemon);
	return 0;
}

void
daemon_stop(struct daemon *daemon)
{
	while (daemon->started > 0) {
		const struct step *step = &steps[--daemon->started];

		if (step->stop != NULL)
			step->stop(daemon);
	}
}
