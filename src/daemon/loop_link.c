/* SPDX-License-Identifier: Apache-2.0
 *
 * loop_link.c - the daemon's side of the link process: started with nothing of ours, fed, and
 * started again.
 *
 * DESIGN
 *   The link is a unit of its own that is called at a socket, or a child. Either way there is a
 *   stream to it, a new one for each process.
 *
 *   What is subscribed to is kept here: a link that is started again is told anew. It says that
 *   it lives every few seconds; one that does not hangs, and is killed.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/beside.h"
#include "core/crash.h"
#include "core/log.h"
#include "core/metrics.h"
#include "sync/link.h"
#include "sync/link_socket.h"

#define LINK_RETRY_MS 2000
#define REFUSED_LINES 20	   /* of the log at once, on what is refused; then one a second */
#define LINK_BUFFER_MAX (1u << 20) /* bytes on their way to the link; more waits on disk */

static void
set_hq_up(struct daemon *daemon, bool up)
{
	if (daemon->hq_up == up)
		return;
	CHECK(daemon->uplink != NULL);
	daemon->hq_up = up;
	uplink_connected(daemon->uplink, up, daemon_mono_ms());
	metrics_set(METRIC_HQ_UP, up);
	log_info("headquarters %s", up ? "connected" : "away");
	daemon_publish_status(daemon, "online");
	mqtt_release(daemon->mqtt);
	if (up)
		daemon_fetch_up(daemon);
}

/* A process that is dead counts as one of the unit's few until it is waited for; one that lives
 * on bears the name at headquarters' broker that the next one needs. */
static bool
is_buried(struct daemon *daemon)
{
	if (daemon->link_pid > 0 && waitpid(daemon->link_pid, NULL, WNOHANG) == 0)
		return false;
	daemon->link_pid = -1;
	return true;
}

static void
set_hq_down(struct daemon *daemon, const char *why)
{
	snprintf(daemon->hq_why, sizeof(daemon->hq_why), "%.*s", (int)sizeof(daemon->hq_why) - 1,
	    why);
	set_hq_up(daemon, false);
}

static void
link_gone(struct daemon *daemon)
{
	if (daemon->link != NULL)
		bufferevent_free(daemon->link);
	daemon->link = NULL;
	/* It may hang, or not be ours any more: it is not asked. */
	if (daemon->link_pid > 0)
		kill(daemon->link_pid, SIGKILL);
	daemon->link_retry_ms = daemon_mono_ms() + LINK_RETRY_MS;
	set_hq_up(daemon, false);
}

static void
tell_link(struct daemon *daemon, enum frame_type type, const char *topic, const void *payload,
    size_t len)
{
	struct buf frame = { 0 };

	frame_write(&frame, type, topic, payload, len);
	bufferevent_write(daemon->link, frame.data, frame.len);
	buf_done(&frame);
}

/* ---- what is heard ---- */

static void
take_ack(struct daemon *daemon, const char *topic, const void *payload, size_t len)
{
	struct input input = { .kind = INPUT_HQ_ACK, .now_ms = daemon_now_ms(daemon) };

	if (uplink_ack(daemon->uplink, topic, payload, len, &input.lane, &input.number) != 0) {
		daemon_hq_refused(daemon,
		    "an acknowledgement of headquarters is of no records that were sent topic=%s",
		    LOG_VALUE(topic));
		return;
	}
	if (daemon_queue(daemon, &input))
		daemon_soon(daemon);
}

void
daemon_hq_hear(struct daemon *daemon, const char *words, bool own, hq_fn take)
{
	CHECK(daemon->hq_way_count < ARRAY_LEN(daemon->hq_ways));
	daemon->hq_ways[daemon->hq_way_count++] =
	    (struct hq_way){ .words = words, .own = own, .take = take };
}

void
daemon_hq_refused(struct daemon *daemon, const char *format, ...)
{
	int64_t now_ms = daemon_mono_ms();
	char text[sizeof(((struct err *)NULL)->text) + 128];
	va_list args;

	if (daemon->hq_lines_ms < now_ms)
		daemon->hq_lines_ms = now_ms;
	if (daemon->hq_lines_ms + S_MS > now_ms + REFUSED_LINES * S_MS)
		return;
	daemon->hq_lines_ms += S_MS;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_error("%s", text);
}

static void
from_hq(struct daemon *daemon, const char *topic, const void *payload, size_t len)
{
	static const char all[] = "aisle/v1/hq/";
	char own[sizeof("aisle/v1/hq/store//") + NAME_SIZE];
	size_t own_len =
	    (size_t)snprintf(own, sizeof(own), "aisle/v1/hq/store/%s/", daemon->conf.store_id);

	for (size_t i = 0; i < daemon->hq_way_count; i++) {
		const struct hq_way *way = &daemon->hq_ways[i];
		const char *before = way->own ? own : all;
		size_t before_len = way->own ? own_len : sizeof(all) - 1;

		if (strncmp(topic, before, before_len) == 0 &&
		    strncmp(topic + before_len, way->words, strlen(way->words)) == 0) {
			way->take(daemon, topic, payload, len);
			return;
		}
	}
	log_debug("headquarters sent what nobody waits for topic=%s", LOG_VALUE(topic));
}

static size_t
find_filter(const struct daemon *daemon, const char *topic)
{
	size_t i = 0;

	while (i < daemon->hq_filter_count && strcmp(daemon->hq_filters[i], topic) != 0)
		i++;
	return i;
}

void
daemon_hq_subscribe(struct daemon *daemon, const char *topic)
{
	size_t i = find_filter(daemon, topic);

	CHECK(i < HQ_FILTERS_MAX && strlen(topic) < 256);
	if (i == daemon->hq_filter_count)
		daemon->hq_filters[daemon->hq_filter_count++] = mem_strdup(topic);
	if (daemon->link != NULL)
		tell_link(daemon, FRAME_SUBSCRIBE, topic, NULL, 0);
}

void
daemon_hq_unsubscribe(struct daemon *daemon, const char *topic)
{
	size_t i = find_filter(daemon, topic);

	if (i == daemon->hq_filter_count)
		return;
	if (daemon->link != NULL)
		tell_link(daemon, FRAME_UNSUBSCRIBE, topic, NULL, 0);
	free(daemon->hq_filters[i]);
	daemon->hq_filters[i] = daemon->hq_filters[--daemon->hq_filter_count];
}

bool
daemon_hq_publish(struct daemon *daemon, const char *topic, const void *payload, size_t len)
{
	if (!daemon->hq_up || daemon->link == NULL ||
	    evbuffer_get_length(bufferevent_get_output(daemon->link)) >= LINK_BUFFER_MAX)
		return false;
	tell_link(daemon, FRAME_PUBLISH, topic, payload, len);
	return true;
}

static void
subscribe_acks(struct daemon *daemon)
{
	char topic[128];

	snprintf(topic, sizeof(topic), "aisle/v1/hq/store/%s/ack/+", daemon->conf.store_id);
	daemon_hq_subscribe(daemon, topic);
}

/* ---- is it alive? ---- */

/* Whatever it says shows that it lives; FRAME_ALIVE says also for how long it may now be silent. Of a process
 * that is not trusted: no number, or a large one, gives it the longest. */
static void
hear_link(struct daemon *daemon, enum frame_type type, const char *topic)
{
	int64_t now = daemon_mono_ms();
	long s = type == FRAME_ALIVE ? strtol(topic, NULL, 10) : LINK_SILENCE_S;

	if (s <= 0 || s > LINK_SILENCE_MAX_S)
		s = LINK_SILENCE_MAX_S;
	if (type == FRAME_ALIVE || daemon->link_alive_ms < now + s * S_MS)
		daemon->link_alive_ms = now + s * S_MS;
}

void
daemon_link_look(struct daemon *daemon)
{
	if (daemon->link == NULL || daemon_mono_ms() < daemon->link_alive_ms)
		return;
	log_error("the link process hangs; another is started");
	link_gone(daemon);
}

static void
on_link_read(struct bufferevent *bev, void *ctx)
{
	struct daemon *daemon = ctx;
	struct evbuffer *in = bufferevent_get_input(bev);
	enum frame_type type;
	char topic[256];
	const void *payload;
	size_t len;
	int64_t took;

	for (;;) {
		size_t have = evbuffer_get_length(in);

		took = frame_read(evbuffer_pullup(in, -1), have, &type, topic, &payload, &len);
		if (took == 0)
			return;
		if (took < 0) {
			log_error("the link sent a broken frame; it is started again");
			link_gone(daemon);
			return;
		}
		hear_link(daemon, type, topic);
		if (type == FRAME_UP)
			set_hq_up(daemon, true);
		else if (type == FRAME_DOWN)
			set_hq_down(daemon, topic);
		else if (type == FRAME_PUBLISH)
			from_hq(daemon, topic, payload, len);
		evbuffer_drain(in, (size_t)took);
		daemon_link_pump(daemon);
	}
}

static void
on_link_event(struct bufferevent *bev, short what, void *ctx)
{
	(void)bev;
	(void)what;
	log_warning("the link process is gone; it is started again");
	link_gone(ctx);
}

static void
exec_link(const struct daemon *daemon, int fd)
{
	char number[16];
	char *argv[] = { (char *)"aisled", (char *)"--link", number, (char *)"--config",
		(char *)daemon->conf_path, NULL };
	sigset_t none;

	/* A fresh image: nothing of the daemon's memory, none of its files but the socket.
	 * Libraries open some without close-on-exec, so all are closed here; the crash mark first,
	 * it is no business of the link's. */
	crash_close();
	beside_close_others(fd, -1);
	snprintf(number, sizeof(number), "%d", fd);
	fcntl(fd, F_SETFD, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv("/proc/self/exe", argv);
	_exit(127);
}

/* A child, and a stream to it; negative: there is none. */
static int
fork_link(struct daemon *daemon)
{
	int fds[2];

	CHECK(daemon->link_pid < 0);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
		log_error("no socket pair for the link: %s", strerror(errno));
		return -1;
	}
	daemon->link_pid = fork();
	if (daemon->link_pid == 0)
		exec_link(daemon, fds[1]);
	close(fds[1]);
	if (daemon->link_pid > 0)
		return fds[0];
	log_error("the link cannot be started: %s", strerror(errno));
	close(fds[0]);
	return -1;
}

/* Said once: it is tried again each two seconds. */
static int
call_unit(struct daemon *daemon, const char *path)
{
	struct err err = { 0 };
	int fd = link_call(path, &err);

	if (fd < 0 && strncmp(daemon->hq_why, err.text, sizeof(daemon->hq_why) - 1) != 0)
		log_error("%s", err.text);
	if (fd < 0)
		set_hq_down(daemon, err.text);
	return fd;
}

static void
begin(struct daemon *daemon)
{
	const char *unit = getenv(LINK_SOCKET_ENV);
	int fd = unit != NULL ? call_unit(daemon, unit) : fork_link(daemon);

	CHECK(daemon->link == NULL);
	if (fd < 0) {
		daemon->link_retry_ms = daemon_mono_ms() + LINK_RETRY_MS;
		return;
	}
	evutil_make_socket_nonblocking(fd);
	daemon->link = bufferevent_socket_new(daemon->base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(daemon->link, on_link_read, NULL, on_link_event, daemon);
	bufferevent_enable(daemon->link, EV_READ | EV_WRITE);
	daemon->link_alive_ms = daemon_mono_ms() + LINK_SILENCE_MAX_S * S_MS;
	for (size_t i = 0; i < daemon->hq_filter_count; i++)
		tell_link(daemon, FRAME_SUBSCRIBE, daemon->hq_filters[i], NULL, 0);
}

int
daemon_link_start(struct daemon *daemon, struct err *err)
{
	(void)err;
	if (daemon->conf.hq_host == NULL)
		return 0;
	signal(SIGCHLD, SIG_DFL);
	daemon->uplink = uplink_new(engine_store(daemon->engine), daemon->conf.store_id,
	    (uint64_t)daemon_now_ms(daemon));
	daemon_hq_hear(daemon, "ack/", true, take_ack);
	subscribe_acks(daemon);
	begin(daemon);
	return 0;
}

void
daemon_link_reopened(struct daemon *daemon)
{
	if (daemon->uplink == NULL)
		return;
	uplink_free(daemon->uplink);
	daemon->uplink = uplink_new(engine_store(daemon->engine), daemon->conf.store_id,
	    (uint64_t)daemon_now_ms(daemon));
	uplink_connected(daemon->uplink, daemon->hq_up, daemon_mono_ms());
}

void
daemon_link_stop(struct daemon *daemon)
{
	if (daemon->link != NULL)
		bufferevent_free(daemon->link);
	daemon->link = NULL;
	if (daemon->link_pid > 0)
		kill(daemon->link_pid, SIGTERM);
	for (int i = 0; i < 100 && !is_buried(daemon); i++)
		usleep(10000);
	if (daemon->link_pid > 0) {
		kill(daemon->link_pid, SIGKILL);
		(void)waitpid(daemon->link_pid, NULL, 0);
	}
	daemon->link_pid = -1;
	while (daemon->hq_filter_count > 0)
		free(daemon->hq_filters[--daemon->hq_filter_count]);
	uplink_free(daemon->uplink);
	daemon->uplink = NULL;
	buf_done(&daemon->health.told);
}

void
daemon_link_pump(struct daemon *daemon)
{
	struct buf topic = { 0 }, payload = { 0 };

	if (daemon->uplink == NULL || daemon->stopping)
		return;
	if (daemon->link == NULL) {
		if (is_buried(daemon) && daemon_mono_ms() >= daemon->link_retry_ms)
			begin(daemon);
		return;
	}
	while (daemon->hq_up &&
	    evbuffer_get_length(bufferevent_get_output(daemon->link)) < LINK_BUFFER_MAX &&
	    uplink_next(daemon->uplink, daemon_mono_ms(), &topic, &payload)) {
		tell_link(daemon, FRAME_PUBLISH, topic.data, payload.data, payload.len);
		buf_clear(&topic);
		buf_clear(&payload);
	}
	buf_done(&topic);
	buf_done(&payload);
}
