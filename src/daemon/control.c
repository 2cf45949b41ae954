/* SPDX-License-Identifier: Apache-2.0
 *
 * control.c - the control socket, both ends.
 */
#include "daemon/control.h"

#include <dirent.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/json_write.h"
#include "core/log.h"
#include "core/metrics.h"

#define BODY_PIECE (256 << 10)

struct control_request {
	struct control *control;
	struct bufferevent *bev;
	json_t *json;
	size_t body_left;
	off_t body_handed; /* to the disk */
	int body_fd;
	char body_path[512];
	bool answered, gone;
	struct control_request *next;
};

struct control {
	struct event_base *base;
	struct evconnlistener *listener;
	char path[108];
	char spool_dir[400];
	control_fn fn;
	void *ctx;
	struct control_request *requests;
	size_t count;
	unsigned serial;
};

/* ---- one client ---- */

static void
request_free(struct control_request *request)
{
	struct control_request **at;

	for (at = &request->control->requests; *at != NULL; at = &(*at)->next) {
		if (*at == request) {
			*at = request->next;
			request->control->count--;
			break;
		}
	}
	if (request->body_fd >= 0)
		close(request->body_fd);
	if (request->body_path[0] != '\0')
		unlink(request->body_path);
	bufferevent_free(request->bev);
	json_decref(request->json);
	free(request);
}

static void
on_event(struct bufferevent *bev, short what, void *ctx)
{
	struct control_request *request = ctx;

	(void)bev;
	(void)what;
	/* A handler may still hold the request: it is freed when it answers. */
	if (request->json != NULL && request->body_left == 0 && !request->answered) {
		request->gone = true;
		bufferevent_disable(request->bev, EV_READ | EV_WRITE);
		return;
	}
	request_free(request);
}

static void
on_flushed(struct bufferevent *bev, void *ctx)
{
	struct control_request *request = ctx;

	(void)bev;
	if (request->answered)
		request_free(request);
}

static void
answer(struct control_request *request, const struct buf *line)
{
	request->answered = true;
	if (request->gone) {
		request_free(request);
		return;
	}
	bufferevent_write(request->bev, line->data, line->len);
}

const json_t *
control_json(const struct control_request *request)
{
	return request->json;
}

const char *
control_text(const struct control_request *request, const char *name)
{
	return json_string_value(json_object_get(request->json, name));
}

const char *
control_body(const struct control_request *request)
{
	return request->body_path[0] != '\0' ? request->body_path : NULL;
}

void
control_reply(struct control_request *request, const char *json)
{
	struct buf line = { 0 };
	struct json_writer *w = JSON_OBJECT(&line);

	json_add_bool(w, "ok", true);
	if (json != NULL)
		json_add_members(w, json, strlen(json));
	json_end(w);
	buf_addc(&line, '\n');
	answer(request, &line);
	buf_done(&line);
}

void
control_fail(struct control_request *request, int exit_code, const char *error)
{
	struct buf line = { 0 };
	struct json_writer *w = JSON_OBJECT(&line);

	json_add_bool(w, "ok", false);
	json_add_int(w, "exit", exit_code);
	json_add_str(w, "error", error);
	json_end(w);
	buf_addc(&line, '\n');
	answer(request, &line);
	buf_done(&line);
}

static bool
open_body(struct control_request *request)
{
	struct control *control = request->control;

	snprintf(request->body_path, sizeof(request->body_path), "%s/incoming-%d-%u",
	    control->spool_dir, (int)getpid(), ++control->serial);
	request->body_fd = open(request->body_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return request->body_fd >= 0;
}

/* true: the request is there. Else more is waited for, or it was answered (and may be gone). */
static bool
read_line(struct control_request *request, struct evbuffer *in)
{
	struct err err = { 0 };
	size_t len;
	char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
	int64_t body = 0;

	if (line == NULL) {
		if (evbuffer_get_length(in) > CONTROL_LINE_MAX)
			control_fail(request, 64, "the request line is too long");
		return false;
	}
	request->json = json_read(line, len, "request", &err);
	explicit_bzero(line, len); /* a PIN or a card number may be in it */
	free(line);
	if (!json_is_object(request->json)) {
		control_fail(request, 64, "the request is not a JSON object");
		return false;
	}
	if (json_int(json_object_get(request->json, "body"), &body) && body > 0) {
		if (body > (int64_t)CONTROL_BODY_MAX || !open_body(request)) {
			control_fail(request, 74, "the body is too large or cannot be stored");
			return false;
		}
		request->body_left = (size_t)body;
	}
	return true;
}

/* What has come goes to the disk piece by piece, and nobody waits for it here: a sync of 60 MB at the end would hold up the
 * turns for as long as the disk takes. Whoever keeps the file syncs it, and finds little left to do. */
static void
hand_to_disk(struct control_request *request)
{
	off_t at = lseek(request->body_fd, 0, SEEK_CUR);

	if (at - request->body_handed < BODY_PIECE)
		return;
	(void)sync_file_range(request->body_fd, request->body_handed, at - request->body_handed,
	    SYNC_FILE_RANGE_WRITE);
	request->body_handed = at;
}

/* true: it is there in full, or there is none. */
static bool
read_body(struct control_request *request, struct evbuffer *in)
{
	while (request->body_left > 0 && evbuffer_get_length(in) > 0) {
		char chunk[16384];
		size_t want =
		    request->body_left < sizeof(chunk) ? request->body_left : sizeof(chunk);
		int got = evbuffer_remove(in, chunk, want);

		if (got <= 0)
			return false;
		if (write(request->body_fd, chunk, (size_t)got) != got) {
			control_fail(request, 74, "the body cannot be stored");
			return false;
		}
		request->body_left -= (size_t)got;
	}
	if (request->body_fd >= 0)
		hand_to_disk(request);
	if (request->body_left > 0 || request->body_fd < 0)
		return request->body_left == 0;
	bool stored = close(request->body_fd) == 0;

	request->body_fd = -1;
	if (!stored)
		control_fail(request, 74, "the body cannot be stored");
	return stored;
}

static void
on_read(struct bufferevent *bev, void *ctx)
{
	struct control_request *request = ctx;
	struct evbuffer *in = bufferevent_get_input(bev);

	if (request->answered) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	if ((request->json == NULL && !read_line(request, in)) || !read_body(request, in))
		return;
	bufferevent_disable(bev, EV_READ);
	request->control->fn(request->control->ctx, request);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int len,
    void *ctx)
{
	static const struct timeval patience = { .tv_sec = 30 };
	struct control *control = ctx;
	struct control_request *request;

	(void)listener;
	(void)address;
	(void)len;
	if (control->count == CONTROL_CLIENTS_MAX) {
		metrics_add(METRIC_LIMIT_CONTROL, 1);
		close(fd);
		return;
	}
	request = mem_zero(sizeof(*request));
	request->control = control;
	request->body_fd = -1;
	request->bev = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
	request->next = control->requests;
	control->requests = request;
	control->count++;
	bufferevent_setcb(request->bev, on_read, on_flushed, on_event, request);
	bufferevent_setwatermark(request->bev, EV_READ, 0, 4 * CONTROL_LINE_MAX);
	/* Who asks nothing, or does not read the answer, would keep a place of the few for ever. A
	 * handler may take its time: nothing is read meanwhile. */
	bufferevent_set_timeouts(request->bev, &patience, &patience);
	bufferevent_enable(request->bev, EV_READ | EV_WRITE);
}

/* ---- the socket ---- */

static int
unix_address(const char *path, struct sockaddr_un *address, struct err *err)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return err_set(err, AISLE_E_CONFIG,
		    "the control socket's path is longer than %zu bytes: %s",
		    sizeof(address->sun_path) - 1, path);
	memcpy(address->sun_path, path, strlen(path));
	return 0;
}

int
control_check(const char *path, struct err *err)
{
	struct sockaddr_un address;
	struct stat st;
	int rc = unix_address(path, &address, err);

	if (rc == 0 && lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return err_set(err, AISLE_E_CONFIG,
		    "[state] control %s: something stands there, expected a socket or nothing",
		    path);
	return rc;
}

/* What a daemon that was killed had half received. */
static void
clear_spool(const char *spool_dir)
{
	DIR *dir = opendir(spool_dir);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, "incoming-", 9) == 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir != NULL)
		closedir(dir);
}

int
control_new(struct event_base *base, const char *path, const char *spool_dir, control_fn fn,
    void *ctx, struct control **ret, struct err *err)
{
	struct control *control;
	struct sockaddr_un address;
	int rc = control_check(path, err), fd;
	mode_t mask;

	if (rc != 0 || (rc = unix_address(path, &address, err)) != 0)
		return rc;
	/* The state folder's lock is ours by now, so a socket that is there was left behind. */
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0117);
	rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (rc != 0 || listen(fd, 16) != 0) {
		close(fd);
		return err_set(err, AISLE_E_IO, "the control socket %s: %s", path, strerror(errno));
	}
	clear_spool(spool_dir);
	control = mem_zero(sizeof(*control));
	control->base = base;
	control->fn = fn;
	control->ctx = ctx;
	snprintf(control->path, sizeof(control->path), "%s", path);
	snprintf(control->spool_dir, sizeof(control->spool_dir), "%s", spool_dir);
	control->listener =
	    evconnlistener_new(base, on_accept, control, LEV_OPT_CLOSE_ON_FREE, 0, fd);
	*ret = control;
	return 0;
}

void
control_free(struct control *control)
{
	if (control == NULL)
		return;
	while (control->requests != NULL)
		/* It takes itself off the list, which the checker does not see.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		request_free(control->requests);
	evconnlistener_free(control->listener);
	unlink(control->path);
	free(control);
}

/* ---- the client's side ---- */

static int
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t put = send(fd, bytes, len, MSG_NOSIGNAL);

		if (put <= 0)
			return -1;
		bytes += put;
		len -= (size_t)put;
	}
	return 0;
}

/* Its length is told before it: a folder, a pipe or a device has none. */
static int
open_file(const char *path, int *ret_fd, off_t *ret_len, struct err *err)
{
	struct stat st;

	*ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*ret_fd < 0 || fstat(*ret_fd, &st) != 0)
		return err_set(err, AISLE_E_NONE, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return err_set(err, AISLE_E_NONE, "%s: %s, expected a file with something in it",
		    path, S_ISREG(st.st_mode) ? "is empty" : "is no regular file");
	*ret_len = st.st_size;
	return 0;
}

/* *ret_left > 0: the file has become shorter, or its stick was taken out; aisled would wait for the rest. */
static int
send_body(int fd, int body_fd, off_t *ret_left)
{
	char chunk[65536];
	ssize_t got;

	while (*ret_left > 0) {
		size_t want = *ret_left < (off_t)sizeof(chunk) ? (size_t)*ret_left : sizeof(chunk);

		if ((got = read(body_fd, chunk, want)) <= 0)
			return 0;
		if (write_all(fd, chunk, (size_t)got) != 0)
			return -1;
		*ret_left -= got;
	}
	return 0;
}

static int
send_request(int fd, const json_t *request, int body_fd, off_t body_len)
{
	json_t *copy = json_copy((json_t *)request);
	struct buf line = { 0 };
	int rc;

	if (body_fd >= 0)
		json_object_set_new(copy, "body", json_integer(body_len));
	json_write(copy, &line);
	buf_addc(&line, '\n');
	rc = write_all(fd, line.data, line.len);
	json_decref(copy);
	buf_done(&line);
	return rc;
}

int
control_ask(const char *path, const json_t *request, const char *body_path, json_t **ret_reply,
    struct err *err)
{
	struct sockaddr_un address;
	off_t body_len = 0;
	struct buf in = { 0 };
	char chunk[65536];
	int fd = -1, body_fd = -1, rc = unix_address(path, &address, err);
	ssize_t got;
	bool sent;

	if (rc != 0)
		return rc;
	if (body_path != NULL && (rc = open_file(body_path, &body_fd, &body_len, err)) != 0)
		goto out;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		rc = err_set(err, AISLE_E_IO, "no answer from aisled at %s: %s", path,
		    strerror(errno));
		goto out;
	}
	/* One that does not listen to the end has said why. */
	sent = send_request(fd, request, body_fd, body_len) == 0;
	if (sent && body_fd >= 0) {
		sent = send_body(fd, body_fd, &body_len) == 0;
		if (sent && body_len > 0) {
			rc = err_set(err, AISLE_E_NONE, "%s: cannot be read to its end", body_path);
			goto out;
		}
	}
	while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_add(&in, chunk, (size_t)got);
		if (chunk[got - 1] == '\n')
			break;
	}
	*ret_reply = in.len > 0 ? json_read(in.data, in.len, "reply", err) : NULL;
	if (*ret_reply == NULL)
		rc = err_set(err, AISLE_E_IO,
		    sent ? "aisled did not answer" : "aisled closed the connection");
out:
	if (fd >= 0)
		close(fd);
	if (body_fd >= 0)
		close(body_fd);
	buf_done(&in);
	return rc;
}
