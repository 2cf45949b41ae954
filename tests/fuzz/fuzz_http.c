/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_http.c - any bytes as what a connection brings: heads, bodies, several requests. The first byte chooses: in how
 * many pieces, and whether taps are answered at once, later, or when their tablet has gone. @S becomes the session of a
 * manager who signed in, @P a code to pair with.
 *
 * What must hold: what comes back begins as an answer, and none says that something went wrong in here; when the
 * connection has gone nothing of it is left, and whoever waits for a tap is told.
 */
#include <signal.h>

#include "../unit/http_rig.h"
#include "fuzz.h"

#define WAITS 8	     /* taps wait for their turn */
#define NEVER 16     /* and are not answered before the tablet has gone */
#define STREAMING 32 /* an event goes out to streams */

static struct rig *rig;

static void
session(char out[static 64])
{
	struct buf answer = { 0 };
	const char *at;
	int len = 0;

	CHECK(rig_post(rig, "/v1/manager/session", "", "{\"manager\":\"m-1\",\"pin\":\"4711\"}",
		  &answer) == 200);
	at = strstr(answer.data, "aisle_manager=");
	CHECK(at != NULL && sscanf(at, "%63[^;]%n", out, &len) == 1 && len > 20);
	buf_done(&answer);
}

/* The marks replaced, once each. */
static void
fill_in(const uint8_t *data, size_t size, struct buf *out)
{
	char word[64];
	int64_t expires_ms;

	for (size_t i = 0; i < size; i++) {
		bool mark = data[i] == '@' && i + 1 < size && out->len < 4096;

		if (mark && data[i + 1] == 'S') {
			session(word);
			buf_adds(out, word);
			i++;
		} else if (mark && data[i + 1] == 'P' &&
		    http_pair(rig->http, "7,8", word, &expires_ms)) {
			buf_adds(out, word);
			i++;
		} else {
			buf_addc(out, (char)data[i]);
		}
	}
}

static void
set_up(void)
{
	if (rig != NULL)
		return;
	signal(SIGPIPE, SIG_IGN); /* as the daemon */
	rig = rig_new();
	rig->open = "[{\"guidance\":\"G7\"}]";
}

static void
send_pieces(int fd, const struct buf *bytes, size_t pieces)
{
	size_t piece = bytes->len / pieces + 1;

	for (size_t at = 0; at < bytes->len; at += piece) {
		size_t len = bytes->len - at < piece ? bytes->len - at : piece;

		if (send(fd, bytes->data + at, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return;
		rig_pump(rig, 3);
	}
}

static void
check_answer(int fd)
{
	char text[4096];
	ssize_t len = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	int status = 0;

	if (len <= 0)
		return;
	text[len] = '\0';
	CHECK(sscanf(text, "HTTP/1.%*1[01] %d ", &status) == 1);
	CHECK(status >= 100 && status <= 599 && status != 500);
}

/* With a reset: so many ends in their order would use up the ports. */
static void
leave(int fd)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	for (int i = 0; i < 100 && rig->http->client_count > 0; i++)
		rig_pump(rig, 1);
	CHECK(rig->http->client_count == 0 && rig->http->input_total == 0);
	CHECK(rig->http->stream_count == 0);
	CHECK(!rig->hold || rig->reply == NULL); /* it was told */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char card[] = "{\"guidance\":\"G7\"}";
	static int64_t id;
	struct buf bytes = { 0 };

	set_up();
	if (size < 1)
		return 0;
	rig->tablet_count = 2;
	rig->hold = false;
	fill_in(data + 1, size - 1, &bytes);
	rig->hold = (data[0] & WAITS) != 0;
	rig->reply = NULL;
	int fd = rig_connect(rig);

	send_pieces(fd, &bytes, 1 + (data[0] & 7));
	if (data[0] & STREAMING)
		http_stream(rig->http, "7", ++id, "guidance", card, strlen(card));
	if (rig->hold && rig->reply != NULL && !(data[0] & NEVER)) {
		reply_fn reply = rig->reply;

		rig->reply = NULL;
		reply(rig->reply_ctx, &rig->result);
	}
	rig_pump(rig, 3);
	check_answer(fd);
	leave(fd);
	rig->now_ms += S_MS;
	buf_done(&bytes);
	return 0;
}
