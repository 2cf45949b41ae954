/* SPDX-License-Identifier: Apache-2.0
 *
 * loop_profiles.c - profiles are taken over, in slices between turns.
 */
#include "daemon/daemon.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define INSTALL_ROWS 200 /* profile rows a slice, between turns */

/* Where the file lay while it was sent is nothing to whoever sent it. */
static void
refuse(struct control_request *request, int exit_code, const char *text)
{
	const char *path = control_body(request);
	size_t len = strlen(path);

	if (strncmp(text, path, len) == 0 && strncmp(text + len, ": ", 2) == 0)
		text += len + 2;
	control_fail(request, exit_code, text);
}

static void
on_install_slice(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;
	struct timeval now = { 0 };
	struct err err = { 0 };
	struct buf json = { 0 };
	struct json_writer *w = JSON_WRITER(&json);
	int rc;

	(void)fd;
	(void)what;
	CHECK(daemon->install != NULL);
	rc = profiles_install_step(daemon->profiles, INSTALL_ROWS, &err);
	if (rc == 0) {
		event_add(daemon->install_event, &now);
		return;
	}
	if (rc < 0) {
		refuse(daemon->install, err.code == AISLE_E_IO ? EX_IOERR : EX_NOPERM, err.text);
	} else {
		engine_drop_subjects(daemon->engine);
		json_add_object(w, NULL);
		json_add_int(w, "profiles", profiles_count(daemon->profiles));
		json_end(w);
		control_reply(daemon->install, json.data);
		buf_done(&json);
	}
	daemon->install = NULL;
}

void
daemon_install_profiles(struct daemon *daemon, struct control_request *request)
{
	const char *body_path = control_body(request);
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
		control_fail(request, EX_NOPERM,
		    "[hq] root is set: a plain profiles file is not accepted");
		return;
	}
	if (profiles_install_begin(daemon->profiles, body_path, daemon->conf.store_id, &err) != 0) {
		refuse(request, EX_NOPERM, err.text);
		return;
	}
	daemon->install = request;
	if (daemon->install_event == NULL)
		daemon->install_event = evtimer_new(daemon->base, on_install_slice, daemon);
	event_add(daemon->install_event, &now);
}

void
daemon_install_profiles_stop(struct daemon *daemon)
{
	if (daemon->install_event != NULL)
		event_free(daemon->install_event);
	daemon->install_event = NULL;
}
