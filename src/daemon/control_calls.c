/* SPDX-License-Identifier: Apache-2.0
 *
 * control_calls.c - what aislectl asks of the running store.
 */
#include "daemon/daemon.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "core/conf_table.h"
#include "core/id.h"
#include "core/json.h"
#include "core/metrics.h"
#include "decide/decide.h"
#include "policy/policy_load.h"

#define DEAD_ROWS 20
#define DEAD_ROWS_MAX 10000

/* ---- status ---- */

static void
status(struct daemon *daemon, struct control_request *request)
{
	struct buf out = { 0 };
	struct json_writer *w = JSON_OBJECT(&out);
	const char *address, *const *stopped;
	size_t stopped_count;

	json_add_str(w, "state", "online");
	json_add_str(w, "version", AISLE_VERSION);
	json_add_str(w, "store", daemon->conf.store_id);
	json_add_list(w, "http");
	for (size_t i = 0; (address = http_address(daemon->http, i)) != NULL; i++)
		json_add_str(w, NULL, address);
	json_end(w);
	json_add_object(w, "mqtt");
	json_add_bool(w, "connected", mqtt_connected(daemon->mqtt));
	json_end(w);
	json_add_object(w, "hq");
	json_add_str(w, "state", daemon_hq_text(daemon));
	json_add_bool(w, "connected", daemon->hq_up);
	json_add_int(w, "queued", store_uplink_count(engine_store(daemon->engine)));
	if (daemon->conf.hq_host != NULL)
		daemon_fetch_json(daemon, w);
	json_end(w);
	daemon_policy_json(daemon, w);
	daemon_catalog_json(daemon, w);
	daemon_release_report(daemon, w);
	if (daemon_root(daemon) != NULL)
		json_add_int(w, "root", daemon_root(daemon)->version);
	else
		json_add_null(w, "root");
	json_add_str(w, "disk", daemon_disk_text(daemon));
	daemon_room_json(daemon, w);
	json_add_str(w, "time", daemon->steady.uncertain ? "uncertain" : "certain");
	json_add_int(w, "profiles", profiles_count(daemon->profiles));
	json_add_int(w, "profiles_version", profiles_version(daemon->profiles));
	json_add_int(w, "visits", (int64_t)engine_visit_count(daemon->engine));
	json_add_int(w, "streams", (int64_t)http_streams(daemon->http));
	json_add_int(w, "decisions", metrics_get(METRIC_DECISIONS));
	json_add_int(w, "turns", metrics_get(METRIC_TURNS));
	json_add_list(w, "stopped");
	stopped = engine_stopped(daemon->engine, &stopped_count);
	for (size_t i = 0; i < stopped_count; i++)
		json_add_str(w, NULL, stopped[i]);
	json_end(w);
	refusal_write(w, "refused");
	json_end_all(w);
	control_reply(request, out.data);
	buf_done(&out);
}

/* What was found, as the one member of the reply. */
static void
reply_with(struct control_request *request, const char *name, const char *json)
{
	struct buf out = { 0 };
	struct json_writer *w = JSON_OBJECT(&out);

	json_add_raw(w, name, json, strlen(json));
	json_end(w);
	control_reply(request, out.data);
	buf_done(&out);
}

/* What the policy in force has that an order can name. */
static void
names(struct daemon *daemon, struct control_request *request)
{
	const struct policy *policy = engine_policy(daemon->engine);
	struct buf out = { 0 };
	struct json_writer *w = JSON_OBJECT(&out);

	json_add_list(w, "actions");
	for (size_t i = 0; policy != NULL && i < policy->action_count; i++)
		json_add_str(w, NULL, policy->actions[i].id);
	json_end(w);
	json_add_list(w, "levers");
	for (size_t i = 0; policy != NULL && i < policy->lever_count; i++)
		if (policy->levers[i].bounded)
			json_add_str(w, NULL, policy->levers[i].target);
	json_end_all(w);
	control_reply(request, out.data);
	buf_done(&out);
}

/* ---- customers ---- */

/* The card number comes in the body of the request, never in an argument; it is hashed and gone. */
static bool
subject_from(struct daemon *daemon, const struct control_request *request, struct id *ret_subject)
{
	const char *card = control_text(request, "card"),
		   *subject = control_text(request, "subject");

	if (subject != NULL)
		return subject_parse(subject, ret_subject);
	if (card == NULL || card[0] == '\0')
		return false;
	*ret_subject =
	    subject_of_card(keys_pepper(engine_keys(daemon->engine)), card, strlen(card));
	return true;
}

static void
customer_show(struct daemon *daemon, struct control_request *request)
{
	struct buf out = { 0 };
	struct id subject;

	if (!subject_from(daemon, request, &subject)) {
		control_fail(request, EX_DATAERR,
		    "expected a card number, or a subject of 32 lower-case hex digits");
		return;
	}
	if (query_customer(daemon->engine, &subject, &out) != 0)
		control_fail(request, EX_NOINPUT, "this customer was forgotten");
	else
		reply_with(request, "customer", out.data);
	buf_done(&out);
}

static void
on_forgotten(void *ctx, const struct reply *reply)
{
	struct control_request *request = ctx;

	if (reply->status >= 400)
		control_fail(request, EX_IOERR, reply->detail);
	else
		reply_with(request, "forgotten", "true");
}

static void
customer_forget(struct daemon *daemon, struct control_request *request)
{
	struct id subject;

	if (!subject_from(daemon, request, &subject))
		control_fail(request, EX_DATAERR,
		    "expected a card number, or a subject of 32 lower-case hex digits");
	else
		daemon_forget(daemon, &subject, on_forgotten, request);
}

/* ---- actions ---- */

static void
why_not(struct daemon *daemon, struct control_request *request)
{
	struct input clock = { .kind = INPUT_CLOCK, .now_ms = daemon_now_ms(daemon) };
	const char *action = control_text(request, "action"),
		   *station = control_text(request, "station");
	struct buf out = { 0 }, says = { 0 };
	struct id subject;

	if (!subject_from(daemon, request, &subject) || action == NULL ||
	    (station != NULL && !conf_is_id(station))) {
		control_fail(request, EX_DATAERR,
		    "expected an action's id, a card number on stdin, and a station of 1 to 32 "
		    "letters, "
		    "digits, - and _");
		return;
	}
	daemon_queue(daemon, &clock); /* it is asked of now */
	daemon_turn(daemon);
	if (!daemon_has_action(daemon, action, &says))
		control_fail(request, EX_NOINPUT, says.data);
	else {
		if (query_why_not(daemon->engine, &subject, station != NULL ? station : "1", action,
			&out) == 0)
			control_reply(request, out.data);
		else /* an arm of an experiment may leave it out */
			control_fail(request, EX_NOINPUT,
			    "this customer's policy has no such action");
	}
	buf_done(&says);
	buf_done(&out);
}

static void
why(struct daemon *daemon, struct control_request *request)
{
	struct buf out = { 0 };

	if (control_text(request, "decision") == NULL ||
	    query_decision(daemon->engine, control_text(request, "decision"), &out) != 0)
		control_fail(request, EX_NOINPUT, "no such decision on record here");
	else
		reply_with(request, "decision", out.data);
	buf_done(&out);
}

static void
dead_letters(struct daemon *daemon, struct control_request *request)
{
	struct buf out = { 0 };
	int64_t rows = DEAD_ROWS;

	(void)json_int(json_object_get(control_json(request), "rows"), &rows);
	if (rows < 1)
		rows = DEAD_ROWS;
	if (rows > DEAD_ROWS_MAX)
		rows = DEAD_ROWS_MAX;
	if (query_dead_letters(daemon->engine, (int)rows, &out) != 0)
		control_fail(request, EX_IOERR, "the dead letters cannot be read");
	else
		control_reply(request, out.data);
	buf_done(&out);
}

/* Where headquarters signs, only what it signed. */
static bool
is_signed_for(struct daemon *daemon, struct control_request *request)
{
	if (daemon->releases == NULL || control_body(request) == NULL)
		return false;
	daemon_hand_bundle(daemon, request);
	return true;
}

static void
bundle_install(struct daemon *daemon, struct control_request *request)
{
	if (!is_signed_for(daemon, request))
		daemon_stage(daemon, request);
}

static void
profiles_install(struct daemon *daemon, struct control_request *request)
{
	if (!is_signed_for(daemon, request))
		daemon_install_profiles(daemon, request);
}

static void
catalog_install(struct daemon *daemon, struct control_request *request)
{
	if (!is_signed_for(daemon, request))
		daemon_install_catalog(daemon, request);
}

static const struct {
	const char *name;
	void (*run)(struct daemon *daemon, struct control_request *request);
} commands[] = {
	{ "status", status },
	{ "names", names },
	{ "top", daemon_top },
	{ "doctor", daemon_doctor },
	{ "recording", daemon_recording },
	{ "bundle-install", bundle_install },
	{ "catalog-install", catalog_install },
	{ "release-offer", daemon_hand_release },
	{ "root-offer", daemon_hand_root },
	{ "profiles-install", profiles_install },
	{ "enroll", daemon_enroll },
	{ "customer-show", customer_show },
	{ "customer-forget", customer_forget },
	{ "stop", daemon_order_stop },
	{ "lever-set", daemon_order_lever },
	{ "why", why },
	{ "why-not", why_not },
	{ "deadletter", dead_letters },
	{ "tablet-pair", daemon_tablet_pair },
	{ "tablet-add", daemon_tablet_add },
	{ "tablet-list", daemon_tablet_list },
	{ "tablet-revoke", daemon_tablet_revoke },
	{ "manager-add", daemon_manager_add },
	{ "manager-remove", daemon_manager_remove },
	{ "manager-list", daemon_manager_list },
};

void
daemon_control(void *ctx, struct control_request *request)
{
	const char *command = control_text(request, "command");

	if (command == NULL) {
		control_fail(request, EX_USAGE, "no command");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(command, commands[i].name) == 0) {
			commands[i].run(ctx, request);
			return;
		}
	}
	control_fail(request, EX_USAGE, "this daemon does not know that command");
}
