/* SPDX-License-Identifier: Apache-2.0
 *
 * loop_profiles.c - profiles are taken over: a child process makes the new set, the loop swaps it in between two turns.
 */
#include "daemon/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "core/id.h"
#include "core/log.h"
#include "core/when.h"

struct profiles_taking {
	struct event *event; /* the child has said something */
	profiles_fn done;
	void *ctx;
};

static void
end_taking(struct daemon *daemon, int rc, const struct err *err)
{
	struct profiles_taking taking = *daemon->taking;

	event_free(taking.event);
	free(daemon->taking);
	daemon->taking = NULL;
	taking.done(taking.ctx, rc, err);
}

static void
on_word(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;
	struct err err = { 0 };
	bool swapped;
	int rc;

	(void)fd;
	(void)what;
	CHECK(daemon->taking != NULL);
	rc = profiles_install_step(daemon->profiles, &swapped, &err);
	if (swapped) {
		/* What is known of them is read anew. */
		engine_drop_subjects(daemon->engine);
		if (profiles_is_snapshot(daemon->profiles) && daemon_has_snapshot(daemon) != 0)
			log_warning("that the snapshot came that headquarters ordered is not on "
				    "record yet");
		log_notice("profiles active version=%lld rows=%lld",
		    (long long)profiles_version(daemon->profiles),
		    (long long)profiles_count(daemon->profiles));
	}
	if (rc != 0)
		end_taking(daemon, rc < 0 ? rc : 0, &err);
}

void
daemon_profiles_take(struct daemon *daemon, const char *path, profiles_fn done, void *ctx)
{
	struct profiles_install_what what = { .bundle = path,
		.store = daemon->conf.store_id,
		.sealed = daemon->conf.hq_root != NULL,
		.whole = daemon_wants_snapshot(daemon),
		.take = true };
	struct err err = { 0 };

	if (daemon->taking != NULL)
		err_set(&err, AISLE_E_FULL, "another profiles file is being installed");
	else if (profiles_install_begin(daemon->profiles, &what, &err) == 0) {
		daemon->taking = mem_zero(sizeof(*daemon->taking));
		daemon->taking->done = done;
		daemon->taking->ctx = ctx;
		daemon->taking->event = event_new(daemon->base,
		    profiles_install_fd(daemon->profiles), EV_READ | EV_PERSIST, on_word, daemon);
		event_add(daemon->taking->event, NULL);
		return;
	}
	done(ctx, err.code, &err);
}

/* ---- over the control socket ---- */

/* Where the file lay while it was sent is nothing to whoever sent it. */
static const char *
without_path(const struct control_request *request, const char *text)
{
	const char *path = control_body(request);
	size_t len = path == NULL ? 0 : strlen(path);

	return path != NULL && strncmp(text, path, len) == 0 && strncmp(text + len, ": ", 2) == 0
	    ? text + len + 2
	    : text;
}

struct asked {
	struct daemon *daemon;
	struct control_request *request;
};

static void
answer(void *ctx, int rc, const struct err *err)
{
	struct asked asked = *(struct asked *)ctx;
	struct buf json = { 0 };
	struct json_writer *w;

	free(ctx);
	if (rc != 0) {
		control_fail(asked.request,
		    rc == AISLE_E_IO	     ? EX_IOERR
			: rc == AISLE_E_FULL ? EX_UNAVAILABLE
					     : EX_NOPERM,
		    without_path(asked.request, err->text));
		return;
	}
	w = JSON_OBJECT(&json);
	json_add_int(w, "profiles", profiles_count(asked.daemon->profiles));
	json_add_int(w, "version", profiles_version(asked.daemon->profiles));
	json_end(w);
	control_reply(asked.request, json.data);
	buf_done(&json);
}

void
daemon_install_profiles(struct daemon *daemon, struct control_request *request)
{
	struct asked *asked;

	if (control_body(request) == NULL) {
		control_fail(request, EX_USAGE, "no profiles file was sent");
		return;
	}
	asked = mem_alloc(sizeof(*asked));
	*asked = (struct asked){ daemon, request };
	daemon_profiles_take(daemon, control_body(request), answer, asked);
}

/* Headquarters encrypts to the public half; the other never leaves keys.db. */
void
daemon_enroll(struct daemon *daemon, struct control_request *request)
{
	uint8_t public[32];
	char hex[65], at[WHEN_TEXT_SIZE];
	struct buf json = { 0 };
	struct json_writer *w;

	if (keys_make_device(engine_keys(daemon->engine), public) != 0) {
		control_fail(request, EX_IOERR, "the store's key could not be written to keys.db");
		return;
	}
	hash_hex(hex, public, sizeof(public));
	when_text(daemon_now_ms(daemon), at);
	w = JSON_OBJECT(&json);
	json_add_str(w, "store", daemon->conf.store_id);
	json_add_str(w, "key", hex);
	json_add_str(w, "at", at);
	json_end(w);
	control_reply(request, json.data);
	buf_done(&json);
}

void
daemon_install_profiles_stop(struct daemon *daemon)
{
	static const struct err stopped = { .code = AISLE_E_IO, .text = "the daemon stops" };

	if (daemon->taking != NULL)
		end_taking(daemon, AISLE_E_IO, &stopped);
}
