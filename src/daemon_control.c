/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon_control.c - what aislectl asks of the running store; bundles and profiles taken over.
 */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "decide/policy_load.h"
#include "profile/sealer.h"
#include "sync/bundle.h"

#define DEAD_ROWS_MAX 10000
#define INSTALL_ROWS 200	/* profile rows a slice, between turns */

static const char *
text_of(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

/* ---- bundles ---- */

static void
bundle_path(const struct daemon *daemon, const char *hash, char out[static 512])
{
	snprintf(out, 512, "%s/bundles/%s", daemon->conf.state_dir, hash);
}

/* Opens, compiles and examines; then it is the policy. */
static int
activate(struct daemon *daemon, const char *path, bool persist, struct err *err)
{
	struct bundle *bundle = NULL;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	int rc = bundle_open(path, "policy", &bundle, err);

	if (rc == 0 && (rc = bundle_policy(bundle, &policy, &report)) != 0)
		err_set(err, AISLE_E_REFUSED, "%.300s", report.data);
	if (rc == 0) {
		rc = bundle_examine(bundle, &report, err);
	}
	if (rc == 0)
		rc = engine_set_bundle(daemon->engine, bundle, policy, persist, err);
	buf_done(&report);
	if (rc != 0) {
		policy_free(policy);
		bundle_close(bundle);
	}
	/* Compiling needs several times the room of what is kept; a small gateway wants it back. */
	malloc_trim(0);
	return rc;
}

static int
activate_named(struct daemon *daemon, const char *meta, struct err *err)
{
	struct buf hash = { 0 };
	char path[512];
	int rc = store_meta_get(daemon->engine->store, meta, &hash);

	if (rc == 0) {
		buf_addc(&hash, '\0');
		bundle_path(daemon, hash.data, path);
		rc = activate(daemon, path, false, err);
	}
	buf_done(&hash);
	return rc;
}

int
daemon_load_bundle(struct daemon *daemon, struct err *err)
{
	struct err why = { 0 };
	int rc = activate_named(daemon, "bundle", &why);

	(void)err;
	if (rc == 0 || rc == AISLE_E_NONE)
		return 0;
	log_error("the current bundle cannot be used, going back to the last good one: %s", why.text);
	metrics_add(METRIC_BUNDLES_ROLLED_BACK, 1);
	memset(&why, 0, sizeof(why));
	if (activate_named(daemon, "bundle_last_good", &why) != 0)
		log_error("no bundle can be used; the store keeps baskets and decides nothing: %s", why.text);
	return 0;
}

static int
sync_folder(const struct daemon *daemon)
{
	char path[512];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/bundles", daemon->conf.state_dir);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		close(fd);
	return rc;
}

static void
install_bundle(struct daemon *daemon, struct control_request *request, const char *body_path)
{
	struct bundle *bundle = NULL;
	struct err err = { 0 };
	char path[512];
	struct buf json = { 0 };

	if (body_path == NULL) {
		control_fail(request, EX_USAGE, "no bundle was sent");
		return;
	}
	if (daemon->conf.hq_root != NULL) {
		metrics_add(METRIC_BUNDLES_REFUSED, 1);
		control_fail(request, EX_NOPERM,
		    "[hq] root is set: only a bundle bound by a signed release is accepted, and this daemon has none for it");
		return;
	}
	if (bundle_open(body_path, "policy", &bundle, &err) == 0) {
		bundle_path(daemon, bundle_hash(bundle), path);
		bundle_close(bundle);
		if (rename(body_path, path) != 0 || sync_folder(daemon) != 0)
			err_set(&err, AISLE_E_IO, "%s: %s", path, strerror(errno));
		else
			(void)activate(daemon, path, true, &err);
	}
	if (err.code != 0) {
		metrics_add(METRIC_BUNDLES_REFUSED, 1);
		log_error("a bundle was refused: %s", err.text);
		control_fail(request, err.code == AISLE_E_IO ? EX_IOERR : EX_NOPERM, err.text);
		return;
	}
	metrics_add(METRIC_BUNDLES_INSTALLED, 1);
	metrics_set(METRIC_POLICY_ACTIVE, daemon_now_ms(daemon) / 1000);
	log_notice("policy active name=%s version=%lld hash=%s", daemon->engine->policy->name,
	    (long long)daemon->engine->policy->version, daemon->engine->policy->hash);
	daemon_queue(daemon, &(struct input){ .kind = INPUT_POLICY, .now_ms = daemon_now_ms(daemon) });
	daemon_turn(daemon);
	daemon_publish_status(daemon, "online");
	mqtt_release(daemon->mqtt);
	buf_addf(&json, "{\"policy\":{\"name\":\"%s\",\"version\":%lld,\"hash\":\"%s\"}}", daemon->engine->policy->name,
	    (long long)daemon->engine->policy->version, daemon->engine->policy->hash);
	control_reply(request, json.data);
	buf_done(&json);
}

/* ---- profiles, in slices between turns ---- */

static void
on_install_slice(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;
	struct timeval now = { 0 };
	struct err err = { 0 };
	char json[64];
	int rc = profiles_install_step(daemon->profiles, INSTALL_ROWS, &err);

	(void)fd;
	(void)what;
	if (rc == 0) {
		event_add(daemon->install_event, &now);
		return;
	}
	if (rc < 0) {
		control_fail(daemon->install, err.code == AISLE_E_IO ? EX_IOERR : EX_NOPERM, err.text);
	} else {
		engine_drop_subjects(daemon->engine);
		snprintf(json, sizeof(json), "{\"profiles\":%lld}", (long long)profiles_count(daemon->profiles));
		control_reply(daemon->install, json);
	}
	daemon->install = NULL;
}

static void
install_profiles(struct daemon *daemon, struct control_request *request, const char *body_path)
{
	struct timeval now = { 0 };
	struct err err = { 0 };

	if (body_path == NULL) {
		control_fail(request, EX_USAGE, "no profiles file was sent");
		return;
	}
	if (daemon->install != NULL) {
		control_fail(request, EX_UNAVAILABLE, "another profiles file is being installed");
		return;
	}
	if (daemon->conf.hq_root != NULL) {
		control_fail(request, EX_NOPERM, "[hq] root is set: a plain profiles file is not accepted");
		return;
	}
	if (profiles_install_begin(daemon->profiles, body_path, daemon->conf.store_id, &err) != 0) {
		control_fail(request, EX_NOPERM, err.text);
		return;
	}
	daemon->install = request;
	if (daemon->install_event == NULL)
		daemon->install_event = evtimer_new(daemon->base, on_install_slice, daemon);
	event_add(daemon->install_event, &now);
}

/* ---- status ---- */

static void
status(struct daemon *daemon, struct control_request *request)
{
	const struct policy *policy = daemon->engine->policy;
	struct buf out = { 0 };
	const char *address;

	buf_addf(&out, "{\"state\":\"%s\",\"version\":\"" AISLE_VERSION "\",\"store\":\"%s\",\"http\":[", "online",
	    daemon->conf.store_id);
	for (size_t i = 0; (address = http_address(daemon->http, i)) != NULL; i++)
		buf_addf(&out, "%s\"%s\"", i == 0 ? "" : ",", address);
	buf_addf(&out, "],\"mqtt\":{\"connected\":%s},\"hq\":{\"connected\":%s,\"queued\":%lld},",
	    mqtt_connected(daemon->mqtt) ? "true" : "false", daemon->hq_up ? "true" : "false",
	    (long long)store_uplink_count(daemon->engine->store));
	if (policy != NULL)
		buf_addf(&out, "\"policy\":{\"name\":\"%s\",\"version\":%lld,\"hash\":\"%s\"},", policy->name,
		    (long long)policy->version, policy->hash);
	else
		buf_adds(&out, "\"policy\":null,");
	buf_addf(&out, "\"time\":\"%s\",\"profiles\":%lld,\"visits\":%zu,\"streams\":%zu,\"decisions\":%lld,"
	    "\"turns\":%lld,\"stopped\":[", daemon->engine->time_uncertain ? "uncertain" : "certain",
	    (long long)profiles_count(daemon->profiles), sessions_count(daemon->engine->sessions),
	    http_streams(daemon->http), (long long)metrics_get(METRIC_DECISIONS), (long long)metrics_get(METRIC_TURNS));
	for (size_t i = 0; i < daemon->engine->stopped_count; i++) {
		buf_adds(&out, i == 0 ? "" : ",");
		buf_json_str(&out, daemon->engine->stopped[i]);
	}
	buf_adds(&out, "]}");
	control_reply(request, out.data);
	buf_done(&out);
}

/* ---- customers ---- */

/* The card number comes in the body of the request, never in an argument; it is hashed and gone. */
static bool
subject_from(struct daemon *daemon, const json_t *json, struct id *ret_subject)
{
	const char *card = text_of(json, "card"), *subject = text_of(json, "subject");

	if (subject != NULL)
		return subject_parse(subject, ret_subject);
	if (card == NULL || card[0] == '\0')
		return false;
	*ret_subject = subject_of_card(keys_pepper(daemon->engine->keys), card, strlen(card));
	return true;
}

static void
customer_show(struct daemon *daemon, struct control_request *request, const json_t *json)
{
	struct buf out = { 0 };
	struct id subject;

	if (!subject_from(daemon, json, &subject)) {
		control_fail(request, EX_DATAERR, "expected a card number, or a subject of 32 lower-case hex digits");
		return;
	}
	buf_adds(&out, "{\"customer\":");
	if (query_customer(daemon->engine, &subject, &out) != 0) {
		control_fail(request, EX_NOINPUT, "this customer was forgotten");
	} else {
		buf_addc(&out, '}');
		control_reply(request, out.data);
	}
	buf_done(&out);
}

static void
on_forgotten(void *ctx, const struct reply *reply)
{
	struct control_request *request = ctx;

	if (reply->status >= 400)
		control_fail(request, EX_IOERR, reply->detail);
	else
		control_reply(request, "{\"forgotten\":true}");
}

static void
customer_forget(struct daemon *daemon, struct control_request *request, const json_t *json)
{
	struct input input = { .kind = INPUT_FORGET, .now_ms = daemon_now_ms(daemon), .reply = on_forgotten,
		.reply_ctx = request };

	if (!subject_from(daemon, json, &input.subject)) {
		control_fail(request, EX_DATAERR, "expected a card number, or a subject of 32 lower-case hex digits");
		return;
	}
	/* The key first: whatever happens next, nothing about them can be read any more. */
	if (keys_destroy(daemon->engine->keys, &input.subject) != 0) {
		control_fail(request, EX_IOERR, "the customer's key could not be destroyed");
		return;
	}
	sealer_drop(&daemon->engine->sealer, &input.subject);
	if (profiles_forget(daemon->profiles, &input.subject) != 0)
		log_warning("a profile row of a forgotten customer stays until the next profiles file; its key is gone");
	daemon_queue(daemon, &input);
	daemon_turn(daemon);
}

/* ---- the rest ---- */

static void
on_stopped(void *ctx, const struct reply *reply)
{
	struct control_request *request = ctx;

	if (reply->status >= 400)
		control_fail(request, EX_IOERR, reply->detail);
	else
		control_reply(request, "{}");
}

static void
stop_action(struct daemon *daemon, struct control_request *request, const json_t *json)
{
	const char *action = text_of(json, "action");
	struct input input = { .kind = INPUT_STOP, .now_ms = daemon_now_ms(daemon), .text = action,
		.flag = !json_is_true(json_object_get(json, "lift")), .reply = on_stopped, .reply_ctx = request };

	if (action == NULL || action[0] == '\0' || strlen(action) > 128) {
		control_fail(request, EX_DATAERR, "expected an action's id");
		return;
	}
	daemon_queue(daemon, &input);
	daemon_turn(daemon);
}

static void
why(struct daemon *daemon, struct control_request *request, const json_t *json)
{
	struct buf out = { 0 };

	buf_adds(&out, "{\"decision\":");
	if (text_of(json, "decision") == NULL || query_decision(daemon->engine, text_of(json, "decision"), &out) != 0) {
		control_fail(request, EX_NOINPUT, "no such decision on record here");
	} else {
		buf_addc(&out, '}');
		control_reply(request, out.data);
	}
	buf_done(&out);
}

static void
dead_letters(struct daemon *daemon, struct control_request *request, const json_t *json)
{
	struct buf out = { 0 };
	int64_t rows = 20;

	(void)json_int(json_object_get(json, "rows"), &rows);
	if (query_dead_letters(daemon->engine, rows < 1 ? 20 : rows > DEAD_ROWS_MAX ? DEAD_ROWS_MAX : (int)rows, &out) != 0)
		control_fail(request, EX_IOERR, "the dead letters cannot be read");
	else
		control_reply(request, out.data);
	buf_done(&out);
}

static void
tablet_pair(struct daemon *daemon, struct control_request *request, const json_t *json)
{
	const char *stations = text_of(json, "stations");
	char code[7], at[WHEN_TEXT_SIZE], out[96];
	int64_t expires_ms;

	http_pair(daemon->http, stations != NULL ? stations : "", code, &expires_ms);
	when_text(expires_ms, at);
	snprintf(out, sizeof(out), "{\"code\":\"%s\",\"expires\":\"%s\"}", code, at);
	control_reply(request, out);
}

struct tablet_walk {
	struct buf *out;
	const char *name;
	struct id found[64];
	size_t count;
};

static int
walk_tablet(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms, const void *body, size_t len)
{
	struct tablet_walk *walk = ctx;
	struct rd rd = rd_init(body, len);
	char *name = rd_str(&rd), *stations = rd_str(&rd), at[WHEN_TEXT_SIZE];

	(void)subject;
	when_text(at_ms, at);
	if (name != NULL && walk->out != NULL) {
		buf_adds(walk->out, walk->count++ == 0 ? "{\"name\":" : ",{\"name\":");
		buf_json_str(walk->out, name);
		buf_adds(walk->out, ",\"stations\":");
		buf_json_str(walk->out, stations);
		buf_addf(walk->out, ",\"paired\":\"%s\"}", at);
	} else if (name != NULL && walk->name != NULL && strcmp(name, walk->name) == 0 &&
	    walk->count < ARRAY_LEN(walk->found)) {
		walk->found[walk->count++] = *key;
	}
	free(name);
	free(stations);
	return 0;
}

static void
tablet_list(struct daemon *daemon, struct control_request *request)
{
	struct buf out = { 0 };
	struct tablet_walk walk = { .out = &out };

	buf_adds(&out, "{\"tablets\":[");
	if (store_each(daemon->engine->store, STORE_TABLET, 0, walk_tablet, &walk) != 0) {
		control_fail(request, EX_IOERR, "the tablets cannot be read");
	} else {
		buf_adds(&out, "]}");
		control_reply(request, out.data);
	}
	buf_done(&out);
}

static void
tablet_revoke(struct daemon *daemon, struct control_request *request, const json_t *json)
{
	struct store *store = daemon->engine->store;
	struct tablet_walk walk = { .name = text_of(json, "name") };
	int rc = store_each(store, STORE_TABLET, 0, walk_tablet, &walk);

	if (walk.name == NULL || walk.count == 0) {
		control_fail(request, EX_NOINPUT, "no tablet of that name");
		return;
	}
	if (rc == 0)
		rc = store_begin(store);
	for (size_t i = 0; i < walk.count && rc == 0; i++)
		rc = store_delete(store, STORE_TABLET, &walk.found[i]);
	if (rc == 0)
		rc = store_commit(store);
	if (rc != 0) {
		store_rollback(store);
		control_fail(request, EX_IOERR, "the tablet could not be revoked");
		return;
	}
	http_revoke(daemon->http, walk.name);
	control_reply(request, "{}");
}

/* ---- managers ---- */

static bool
is_printable(const char *text, size_t min, size_t max)
{
	size_t len = text != NULL ? strlen(text) : 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	}
	return len >= min && len <= max;
}

static void
manager_change(struct daemon *daemon, struct control_request *request, const json_t *json, bool add)
{
	const char *manager = text_of(json, "manager"), *pin = text_of(json, "pin");
	int rc;

	if (!is_printable(manager, 1, 128)) {
		control_fail(request, EX_DATAERR, "expected a manager's id of 1 to 128 printable ASCII characters");
		return;
	}
	if (add && !is_printable(pin, 4, 64)) {
		control_fail(request, EX_DATAERR, "expected a PIN of 4 to 64 printable ASCII characters");
		return;
	}
	rc = add ? manager_add(daemon->engine->store, manager, pin, daemon_now_ms(daemon))
	    : manager_remove(daemon->engine->store, manager);
	if (pin != NULL)
		explicit_bzero((void *)(uintptr_t)pin, strlen(pin));
	if (rc == AISLE_E_NONE)
		control_fail(request, EX_NOINPUT, "no manager of that id");
	else if (rc != 0)
		control_fail(request, EX_IOERR, "the state cannot be written");
	else
		control_reply(request, "{}");
}

void
daemon_control(void *ctx, struct control_request *request, const json_t *json, const char *body_path)
{
	struct daemon *daemon = ctx;
	const char *command = text_of(json, "command");

	if (command == NULL)
		control_fail(request, EX_USAGE, "no command");
	else if (strcmp(command, "status") == 0)
		status(daemon, request);
	else if (strcmp(command, "bundle-install") == 0)
		install_bundle(daemon, request, body_path);
	else if (strcmp(command, "profiles-install") == 0)
		install_profiles(daemon, request, body_path);
	else if (strcmp(command, "customer-show") == 0)
		customer_show(daemon, request, json);
	else if (strcmp(command, "customer-forget") == 0)
		customer_forget(daemon, request, json);
	else if (strcmp(command, "stop") == 0)
		stop_action(daemon, request, json);
	else if (strcmp(command, "why") == 0)
		why(daemon, request, json);
	else if (strcmp(command, "deadletter") == 0)
		dead_letters(daemon, request, json);
	else if (strcmp(command, "tablet-pair") == 0)
		tablet_pair(daemon, request, json);
	else if (strcmp(command, "tablet-list") == 0)
		tablet_list(daemon, request);
	else if (strcmp(command, "tablet-revoke") == 0)
		tablet_revoke(daemon, request, json);
	else if (strcmp(command, "manager-add") == 0 || strcmp(command, "manager-remove") == 0)
		manager_change(daemon, request, json, strcmp(command, "manager-add") == 0);
	else
		control_fail(request, EX_USAGE, "this daemon does not know that command");
}
