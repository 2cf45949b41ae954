/* SPDX-License-Identifier: Apache-2.0
 *
 * tablets.c - tablets are paired, listed and revoked; managers and their PINs.
 *
 * A token is looked for in a list in memory first: whoever guesses costs a hash and no look at the
 * disk, however many of them there are.
 */
#include "daemon/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "core/conf_table.h"
#include "core/id.h"
#include "core/near.h"

/* ---- tablets ---- */

static struct id
key_of(const char *token_hash)
{
	const char *parts[] = { "tablet", token_hash };

	return hash_parts(parts, 2);
}

struct tablet_walk {
	struct json_writer *out; /* NULL: those of this name */
	const char *name;
	struct near near; /* for a name that none has */
	struct id found[64];
	size_t count;
};

static int
walk_tablet(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	struct tablet_walk *walk = ctx;
	struct rd rd = rd_init(body, len);
	char *name = rd_str(&rd), *stations = rd_str(&rd);

	(void)subject;
	if (name != NULL && walk->out != NULL) {
		json_add_object(walk->out, NULL);
		json_add_str(walk->out, "name", name);
		json_add_str(walk->out, "stations", stations);
		json_add_when(walk->out, "paired", at_ms);
		json_end(walk->out);
	} else if (name != NULL && walk->name != NULL && strcmp(name, walk->name) == 0 &&
	    walk->count < ARRAY_LEN(walk->found)) {
		walk->found[walk->count++] = *key;
	} else if (name != NULL && walk->name != NULL) {
		near_offer(&walk->near, name);
	}
	free(name);
	free(stations);
	return 0;
}

void
daemon_tablet_pair(struct daemon *daemon, struct control_request *request)
{
	const char *stations = control_text(request, "stations");
	struct buf out = { 0 };
	struct json_writer *w = JSON_WRITER(&out);
	char code[7];
	int64_t expires_ms;

	if (!http_pair(daemon->http, stations != NULL ? stations : "", code, &expires_ms)) {
		control_fail(request, EX_DATAERR,
		    "expected stations like 7,8: each of 1 to 32 letters, digits, - and _, and at "
		    "most 1023 characters together");
		return;
	}
	json_add_object(w, NULL);
	json_add_str(w, "code", code);
	json_add_when(w, "expires", expires_ms);
	json_end(w);
	control_reply(request, out.data);
	buf_done(&out);
}

void
daemon_tablet_add(struct daemon *daemon, struct control_request *request)
{
	const char *name = control_text(request, "name");
	const char *stations = control_text(request, "stations");

	if (name == NULL || !conf_is_id(name) || !http_is_scope(stations != NULL ? stations : "")) {
		control_fail(request, EX_DATAERR,
		    "expected a name and stations like 7,8: each of 1 to 32 letters, digits, - and "
		    "_, and at most 1023 characters together");
		return;
	}
	if (native_add(engine_store(daemon->engine), name, stations != NULL ? stations : "",
		daemon_now_ms(daemon)) != 0)
		control_fail(request, EX_IOERR, "the state cannot be written");
	else
		control_reply(request, NULL);
}

void
daemon_tablet_list(struct daemon *daemon, struct control_request *request)
{
	struct buf out = { 0 };
	struct json_writer *w = JSON_WRITER(&out);
	struct tablet_walk walk = { .out = w };

	json_add_object(w, NULL);
	json_add_list(w, "tablets");
	if (store_each(engine_store(daemon->engine), STORE_TABLET, 0, walk_tablet, &walk) != 0) {
		control_fail(request, EX_IOERR, "the tablets cannot be read");
	} else {
		json_end(w);
		json_end(w);
		control_reply(request, out.data);
	}
	buf_done(&out);
}

/* Every token of that name, a walk's worth at a time; which names are near it. */
static int
revoke(struct store *store, const char *name, size_t *ret_count, struct buf *near)
{
	struct tablet_walk walk = { .name = name, .near = near_to(name) };
	int rc;

	*ret_count = 0;
	do {
		walk.count = 0;
		rc = store_each(store, STORE_TABLET, 0, walk_tablet, &walk);
		if (rc == 0)
			rc = store_begin(store);
		for (size_t i = 0; i < walk.count && rc == 0; i++)
			rc = store_delete(store, STORE_TABLET, &walk.found[i]);
		if (rc == 0)
			rc = store_commit(store);
		if (rc != 0)
			store_rollback(store);
		*ret_count += walk.count;
	} while (rc == 0 && walk.count == ARRAY_LEN(walk.found));
	near_say(&walk.near, near);
	return rc;
}

int
daemon_revoke(struct daemon *daemon, const char *name, size_t *ret_count, struct buf *near)
{
	int rc = revoke(engine_store(daemon->engine), name, ret_count, near);

	if (rc == 0 && *ret_count > 0) {
		daemon_tablets_changed(daemon);
		http_revoke(daemon->http, name);
	}
	return rc;
}

void
daemon_tablet_revoke(struct daemon *daemon, struct control_request *request)
{
	const char *name = control_text(request, "name");
	struct buf none = { 0 };
	size_t count = 0;
	int rc;

	buf_adds(&none, "no tablet of that name");
	rc = name != NULL ? daemon_revoke(daemon, name, &count, &none) : 0;
	if (rc != 0)
		control_fail(request, EX_IOERR, "the tablet could not be revoked");
	else if (count == 0)
		control_fail(request, EX_NOINPUT, none.data);
	else
		control_reply(request, NULL);
	buf_done(&none);
}

int
daemon_tablet_put(void *ctx, const char *token_hash, const struct http_tablet *tablet)
{
	struct daemon *daemon = ctx;
	struct store *store = engine_store(daemon->engine);
	struct buf body = { 0 };
	struct id key = key_of(token_hash);
	int rc;

	buf_str(&body, tablet->name);
	buf_str(&body, tablet->stations);
	rc = store_begin(store);
	if (rc == 0)
		rc = store_put(store, STORE_TABLET, &key, NULL, daemon_now_ms(daemon), 0, body.data,
		    body.len);
	if (rc == 0)
		rc = store_commit(store);
	if (rc != 0)
		store_rollback(store);
	buf_done(&body);
	daemon_tablets_changed(daemon);
	return rc;
}

void
daemon_tablets_changed(struct daemon *daemon)
{
	free(daemon->tokens);
	daemon->tokens = NULL;
	daemon->token_count = 0;
	daemon->tokens_known = false;
}

static int
note_token(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	struct daemon *daemon = ctx;

	(void)subject;
	(void)at_ms;
	(void)body;
	(void)len;
	/* Doubled when a power of two is full. */
	if ((daemon->token_count & (daemon->token_count - 1)) == 0)
		daemon->tokens = mem_realloc(daemon->tokens,
		    2 * (daemon->token_count + 1) * sizeof(*daemon->tokens));
	daemon->tokens[daemon->token_count++] = *key;
	return 0;
}

/* false: it is none of ours. */
static bool
token_known(struct daemon *daemon, const struct id *key)
{
	if (!daemon->tokens_known) {
		daemon_tablets_changed(daemon);
		if (store_each(engine_store(daemon->engine), STORE_TABLET, 0, note_token, daemon) !=
		    0)
			return true; /* the store will say */
		daemon->tokens_known = true;
	}
	for (size_t i = 0; i < daemon->token_count; i++) {
		if (id_equal(&daemon->tokens[i], key))
			return true;
	}
	return false;
}

int
daemon_tablet_get(void *ctx, const char *token_hash, struct http_tablet *ret)
{
	struct daemon *daemon = ctx;
	struct buf body = { 0 };
	struct id key = key_of(token_hash);
	int rc;

	if (!token_known(daemon, &key))
		return AISLE_E_NONE;
	rc = store_get(engine_store(daemon->engine), STORE_TABLET, &key, &body, NULL);
	if (rc == 0) {
		struct rd rd = rd_init(body.data, body.len);
		char *name = rd_str(&rd), *stations = rd_str(&rd);

		if (rd_done(&rd) && name != NULL && stations != NULL) {
			snprintf(ret->name, sizeof(ret->name), "%s", name);
			snprintf(ret->stations, sizeof(ret->stations), "%s", stations);
		} else {
			rc = AISLE_E_NONE;
		}
		free(name);
		free(stations);
	}
	buf_done(&body);
	return rc;
}

/* ---- managers ---- */

bool
daemon_is_printable(const char *text, size_t min, size_t max)
{
	size_t len = text != NULL ? strlen(text) : 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	}
	return len >= min && len <= max;
}

static void
manager_change(struct daemon *daemon, struct control_request *request, bool add)
{
	const char *manager = control_text(request, "manager"), *pin = control_text(request, "pin");
	int rc;

	if (!daemon_is_printable(manager, 1, 128)) {
		control_fail(request, EX_DATAERR,
		    "expected a manager's id of 1 to 128 printable ASCII characters");
		return;
	}
	if (add && !daemon_is_printable(pin, 4, 64)) {
		control_fail(request, EX_DATAERR,
		    "expected a PIN of 4 to 64 printable ASCII characters");
		return;
	}
	rc = add ? manager_add(engine_store(daemon->engine), manager, pin, daemon_now_ms(daemon))
		 : manager_remove(engine_store(daemon->engine), manager);
	if (pin != NULL)
		explicit_bzero((void *)(uintptr_t)pin, strlen(pin));
	if (rc == AISLE_E_NONE)
		control_fail(request, EX_NOINPUT, "no manager of that id");
	else if (rc != 0)
		control_fail(request, EX_IOERR, "the state cannot be written");
	else {
		http_manager_end(daemon->http, manager); /* who has another PIN signs in with it */
		control_reply(request, NULL);
	}
}

void
daemon_manager_add(struct daemon *daemon, struct control_request *request)
{
	manager_change(daemon, request, true);
}

void
daemon_manager_remove(struct daemon *daemon, struct control_request *request)
{
	manager_change(daemon, request, false);
}

static int
add_manager(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	struct rd rd = rd_init(body, len);
	char *id = rd_str(&rd);

	(void)key;
	(void)subject;
	if (id != NULL) {
		json_add_object(ctx, NULL);
		json_add_str(ctx, "manager", id);
		json_add_when(ctx, "since", at_ms);
		json_end(ctx);
	}
	free(id);
	return 0;
}

void
daemon_manager_list(struct daemon *daemon, struct control_request *request)
{
	struct buf out = { 0 };
	struct json_writer *w = JSON_OBJECT(&out);

	json_add_list(w, "managers");
	if (store_each(engine_store(daemon->engine), STORE_TABLET, TABLET_FLAG_MANAGER, add_manager,
		w) != 0)
		control_fail(request, EX_IOERR, "the managers cannot be read");
	else {
		json_end_all(w);
		control_reply(request, out.data);
	}
	buf_done(&out);
}
