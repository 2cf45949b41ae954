/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_control.c - any bytes as what somebody sends to the control socket, in one piece or some. The first byte chooses
 * how: in how many pieces, and whether the answer comes when they have gone.
 *
 * What must hold: no answer, or one line that is an object with "ok"; a body is as long as it was said to be; its file
 * goes with the request, and the place of a client that left is free.
 */
#include <event2/event.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/control.h"
#include "fuzz.h"

static struct event_base *base;
static struct control *control;
static struct control_request *held;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static char last_body[512];
static bool hold;

static void
answer(struct control_request *request)
{
	const char *command = control_text(request, "command");

	if (command != NULL && strcmp(command, "fail") == 0)
		control_fail(request, 65, "as was asked");
	else
		control_reply(request, command != NULL ? "{\"n\":1}" : NULL);
}

static void
asked(void *ctx, struct control_request *request)
{
	const char *body = control_body(request);
	int64_t said = 0;
	struct stat st;

	(void)ctx;
	CHECK(json_is_object(control_json(request)));
	(void)json_int(json_object_get(control_json(request), "body"), &said);
	CHECK((body != NULL) == (said > 0));
	if (body != NULL) {
		CHECK(stat(body, &st) == 0 && st.st_size == said);
		snprintf(last_body, sizeof(last_body), "%s", body);
	}
	if (hold)
		held = request;
	else
		answer(request);
}

static void
set_up(void)
{
	char path[FUZZ_PATH_SIZE], spool[FUZZ_PATH_SIZE];
	struct err err = { 0 };

	if (control != NULL)
		return;
	signal(SIGPIPE, SIG_IGN); /* as the daemon */
	base = event_base_new();
	CHECK(mkdir(fuzz_path("spool", spool), 0700) == 0);
	CHECK(strlen(fuzz_path("control", path)) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	CHECK(control_new(base, path, spool, asked, NULL, &control, &err) == 0);
}

static void
pump(int rounds)
{
	while (rounds-- > 0)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
send_pieces(int fd, const uint8_t *data, size_t size, size_t pieces)
{
	size_t piece = size / pieces + 1;

	for (size_t at = 0; at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;

		if (send(fd, data + at, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return;
		pump(2);
	}
}

static void
check_answer(int fd)
{
	char text[1024];
	ssize_t len = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	struct err err = { 0 };
	json_t *json;

	if (len <= 0)
		return;
	CHECK(text[len - 1] == '\n' && memchr(text, '\n', (size_t)len) == text + len - 1);
	json = json_read(text, (size_t)len, "answer", &err);
	CHECK(json_is_boolean(json_object_get(json, "ok")));
	json_decref(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	set_up();
	if (size < 1)
		return 0;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	hold = (data[0] & 8) != 0;
	last_body[0] = '\0';
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	pump(2);
	send_pieces(fd, data + 1, size - 1, 1 + (data[0] & 7));
	pump(2);
	check_answer(fd);
	close(fd);
	pump(3);
	if (held != NULL)
		answer(held);
	held = NULL;
	pump(2);
	CHECK(last_body[0] == '\0' || access(last_body, F_OK) != 0);
	return 0;
}
