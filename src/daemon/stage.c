/* SPDX-License-Identifier: Apache-2.0
 *
 * stage.c - a bundle comes in over the control socket: compiled and examined beside the loop, put
 * in its place, and activated.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/metrics.h"
#include "sync/bundle_image.h"

struct staging {
	struct beside job;
	struct event *done_event;
	struct control_request *request;
	char path[512]; /* where the bundle was received */
};

/* From where it was received to its place, the image first: alone it is of no bundle. */
int
daemon_move_in(struct daemon *daemon, const char *from, const char *hash, char ret_path[static 512],
    struct err *err)
{
	char image_from[512 + 8], image_to[512];

	daemon_bundle_path(daemon, hash, "", ret_path);
	snprintf(image_from, sizeof(image_from), "%s" BUNDLE_IMAGE_TAIL, from);
	daemon_bundle_path(daemon, hash, BUNDLE_IMAGE_TAIL, image_to);
	if (rename(image_from, image_to) != 0 && errno != ENOENT)
		unlink(image_from);
	return file_move(from, ret_path, err);
}

static int
activate(struct daemon *daemon, struct staging *staging, struct err *err)
{
	char hash[65], path[512];
	struct err no_image = { 0 };
	enum refusal why;
	int rc = bundle_job_finish(&staging->job, hash, &why, &no_image);
	bool has_image = rc == 0;

	if (rc != 0 && rc != AISLE_E_NONE) {
		*err = no_image;
		return rc;
	}
	rc = daemon_move_in(daemon, staging->path, hash, path, err);
	return rc != 0 ? rc : daemon_activate(daemon, path, has_image ? NULL : &no_image, err);
}

void
daemon_policy_switched(struct daemon *daemon)
{
	const struct policy *policy = engine_policy(daemon->engine);

	metrics_set(METRIC_POLICY_ACTIVE, daemon_now_ms(daemon) / 1000);
	log_notice("policy active name=%s version=%lld hash=%s", LOG_VALUE(policy->name),
	    (long long)policy->version, policy->hash);
	daemon_queue(daemon,
	    &(struct input){ .kind = INPUT_POLICY, .now_ms = daemon_now_ms(daemon) });
	daemon_turn(daemon);
	daemon_publish_status(daemon, "online");
	mqtt_release(daemon->mqtt);
}

static void
answer_active(struct daemon *daemon, struct control_request *request)
{
	struct buf json = { 0 };
	struct json_writer *w = JSON_OBJECT(&json);

	metrics_add(METRIC_BUNDLES_INSTALLED, 1);
	daemon_policy_switched(daemon);
	daemon_policy_json(daemon, w);
	json_end(w);
	control_reply(request, json.data);
	buf_done(&json);
}

static void
forget_staging(struct daemon *daemon)
{
	event_free(daemon->staging->done_event);
	free(daemon->staging);
	daemon->staging = NULL;
}

static void
on_staged(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;
	struct control_request *request;
	struct err err = { 0 };

	(void)fd;
	(void)what;
	CHECK(daemon->staging != NULL);
	request = daemon->staging->request;
	(void)activate(daemon, daemon->staging, &err);
	forget_staging(daemon);
	if (err.code == 0) {
		answer_active(daemon, request);
		return;
	}
	metrics_add(METRIC_BUNDLES_REFUSED, 1);
	log_error("a bundle was refused: %s", err.text);
	control_fail(request, err.code == AISLE_E_IO ? EX_IOERR : EX_NOPERM, err.text);
}

void
daemon_stage(struct daemon *daemon, struct control_request *request)
{
	const char *body_path = control_body(request);
	struct staging *staging;
	struct err err = { 0 };

	if (body_path == NULL) {
		control_fail(request, EX_USAGE, "no bundle was sent");
		return;
	}
	if (daemon->staging != NULL) {
		control_fail(request, EX_UNAVAILABLE, "another bundle is being installed");
		return;
	}
	staging = mem_zero(sizeof(*staging));
	snprintf(staging->path, sizeof(staging->path), "%s", body_path);
	if (bundle_job_start(body_path, keys_data(engine_keys(daemon->engine)),
		daemon->conf.exam_ms, &staging->job, &err) != 0) {
		free(staging);
		control_fail(request, EX_OSERR, err.text);
		return;
	}
	staging->request = request;
	staging->done_event = event_new(daemon->base, staging->job.fd, EV_READ, on_staged, daemon);
	event_add(staging->done_event,
	    &(struct timeval){ .tv_sec = (time_t)(daemon->conf.exam_ms / S_MS) + 1 });
	daemon->staging = staging;
}

void
daemon_stage_stop(struct daemon *daemon)
{
	if (daemon->staging == NULL)
		return;
	beside_stop(&daemon->staging->job);
	forget_staging(daemon);
}
