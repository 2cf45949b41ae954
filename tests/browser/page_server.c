/* SPDX-License-Identifier: Apache-2.0
 *
 * page_server.c - the HTTP server with a store that is played from stdin, for page.mjs.
 *
 * DESIGN
 *   The page is tested against the real server, and against nothing else: what
 *   the engine would say is a line of the script. Commands, one a line:
 *     stations 7,8          the stations there are
 *     tablet TOKEN 7,8      a paired tablet (its token survives our restarts)
 *     pair 7                prints "code 123456"
 *     open JSON             the array of open Guidance that a new stream begins with
 *     send STATION EVENT JSON
 *     status JSON           the Status from now on
 *     report JSON           the report from now on
 *     decision JSON         each decision from now on; none: there is none
 *     stranger              browsers are no operators from now on
 *     reply STATUS DETAIL   how taps are answered from now on
 *   Each tap is printed: "tap KIND GUIDANCE PROMPT JSON", of a manager "MANAGER KIND GUIDANCE PROMPT JSON".
 */
#include <event2/bufferevent.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/json.h"
#include "deliver/http_private.h"

#define TABLETS_MAX 32

static struct {
	struct event_base *base;
	struct http *http;
	char stations[256];
	char *open, *status, *report, *decision;
	int reply_status;
	char reply_detail[200];
	struct {
		char hash[65];
		struct http_tablet tablet;
	} tablets[TABLETS_MAX];
	size_t tablet_count;
	int64_t last_id;
} play;

static int64_t
now_ms(void *ctx)
{
	struct timeval tv;

	(void)ctx;
	gettimeofday(&tv, NULL);
	return (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000;
}

static int
stations(void *ctx, struct buf *out)
{
	char list[256], *save = NULL, separator = '[';

	(void)ctx;
	snprintf(list, sizeof(list), "%s", play.stations);
	buf_adds(out, "{\"stations\":");
	for (char *s = strtok_r(list, ",", &save); s != NULL; s = strtok_r(NULL, ",", &save)) {
		buf_addf(out, "%c{\"station\":\"%s\",\"open\":0}", separator, s);
		separator = ',';
	}
	buf_adds(out, separator == '[' ? "[]}" : "]}");
	return 0;
}

static int
station(void *ctx, const char *name, struct buf *out)
{
	(void)ctx;
	buf_addf(out, "{\"station\":\"%s\",\"open\":%s}", name, play.open);
	return 0;
}

static int
decision(void *ctx, const char *id, struct buf *out)
{
	(void)ctx;
	(void)id;
	buf_adds(out, play.decision);
	return play.decision[0] != '\0' ? 0 : AISLE_E_NONE;
}

static int
picture(void *ctx, const char *hash, struct buf *out)
{
	(void)ctx;
	(void)hash;
	(void)out;
	return AISLE_E_NONE;
}

static int
report(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_adds(out, play.report);
	return 0;
}

static int
status(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_adds(out, play.status);
	return 0;
}

static int
metrics(void *ctx, bool openmetrics, struct buf *out)
{
	(void)ctx;
	(void)openmetrics;
	buf_adds(out, "# EOF\n");
	return 0;
}

static bool
ready(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_adds(out, "{\"status\":\"pass\"}");
	return true;
}

static int
guidance_station(void *ctx, const char *guidance, char ret_station[static 33])
{
	(void)ctx;
	(void)guidance;
	snprintf(ret_station, 33, "7");
	return 0;
}

static void
submit(void *ctx, const char *tablet, const char *manager, const char *guidance, const char *prompt,
    const char *kind, struct json_t *body, reply_fn reply, void *reply_ctx)
{
	struct reply answer = { .status = strcmp(kind, "shown") == 0 ? 200 : play.reply_status,
		.body = "{}",
		.detail = play.reply_detail };
	struct buf text = { 0 };

	(void)ctx;
	(void)tablet;
	json_write(body, &text);
	printf("%s %s %s %s %s\n", manager != NULL ? manager : "tap", kind, guidance, prompt,
	    text.data);
	buf_done(&text);
	reply(reply_ctx, &answer);
}

/* PIN 4321 is right. */
static void
sign_in(void *ctx, const char *source, const char *manager, const char *pin, reply_fn reply,
    void *reply_ctx)
{
	struct reply result = { .status = strcmp(pin, "4321") == 0 ? 200 : 401, .detail = "no" };

	(void)ctx;
	(void)source;
	printf("sign-in %s\n", manager);
	reply(reply_ctx, &result);
}

static void
order(void *ctx, const char *manager, const char *name, const struct json_t *body, reply_fn reply,
    void *reply_ctx)
{
	struct reply result = { .status = play.reply_status, .detail = "no" };
	struct buf text = { 0 };

	(void)ctx;
	json_write(body, &text);
	printf("order %s %s %s\n", manager, name, text.data);
	buf_done(&text);
	reply(reply_ctx, &result);
}

static void
cancel(void *ctx, void *reply_ctx)
{
	(void)ctx;
	(void)reply_ctx;
}

static int
tablet_put(void *ctx, const char *hash, const struct http_tablet *tablet)
{
	(void)ctx;
	if (play.tablet_count == TABLETS_MAX)
		return AISLE_E_FULL;
	snprintf(play.tablets[play.tablet_count].hash, 65, "%s", hash);
	play.tablets[play.tablet_count++].tablet = *tablet;
	return 0;
}

static int
tablet_get(void *ctx, const char *hash, struct http_tablet *ret)
{
	(void)ctx;
	for (size_t i = 0; i < play.tablet_count; i++)
		if (strcmp(play.tablets[i].hash, hash) == 0) {
			*ret = play.tablets[i].tablet;
			return 0;
		}
	return AISLE_E_NONE;
}

static void
replace(char **text, const char *by)
{
	free(*text);
	*text = mem_strdup(by);
}

static void
command(char *line)
{
	char *word = strsep(&line, " "), *rest = line != NULL ? line : word + strlen(word);

	if (strcmp(word, "stations") == 0)
		snprintf(play.stations, sizeof(play.stations), "%s", rest);
	else if (strcmp(word, "open") == 0)
		replace(&play.open, rest);
	else if (strcmp(word, "status") == 0)
		replace(&play.status, rest);
	else if (strcmp(word, "stranger") == 0) /* from here on a browser is no operator */
		play.http->operator_count = 0;
	else if (strcmp(word, "decision") == 0)
		replace(&play.decision, rest);
	else if (strcmp(word, "report") == 0)
		replace(&play.report, rest);
	else if (strcmp(word, "reply") == 0) {
		play.reply_status = atoi(strsep(&rest, " "));
		snprintf(play.reply_detail, sizeof(play.reply_detail), "%s",
		    rest != NULL ? rest : "");
	} else if (strcmp(word, "pair") == 0) {
		char code[7];
		int64_t expires_ms;
		http_pair(play.http, rest, code, &expires_ms);
		printf("code %s\n", code);
	} else if (strcmp(word, "tablet") == 0) {
		struct http_tablet tablet = { .name = "test" };
		char hash[65], *token = strsep(&rest, " ");
		snprintf(tablet.stations, sizeof(tablet.stations), "%s", rest != NULL ? rest : "");
		http_token_hash(token, hash);
		tablet_put(NULL, hash, &tablet);
	} else if (strcmp(word, "send") == 0) {
		char *to = strsep(&rest, " "), *event = strsep(&rest, " ");
		http_stream(play.http, strcmp(to, "*") == 0 ? NULL : to, ++play.last_id, event,
		    rest, strlen(rest));
	}
}

static void
read_commands(struct bufferevent *bev, void *ctx)
{
	char *line;

	(void)ctx;
	while ((line = evbuffer_readln(bufferevent_get_input(bev), NULL, EVBUFFER_EOL_LF)) !=
	    NULL) {
		command(line);
		free(line);
	}
}

static void
ended(struct bufferevent *bev, short what, void *ctx)
{
	(void)bev;
	(void)what;
	(void)ctx;
	event_base_loopbreak(play.base);
}

int
main(int argc, char **argv)
{
	static const struct http_host host = { NULL, now_ms, stations, station, decision, picture,
		report, status, metrics, ready, guidance_station, submit, sign_in, order, cancel,
		tablet_put, tablet_get, NULL };
	static struct conf conf;
	static char operators[] = "127.0.0.1/32";
	char listen[64];
	struct err err = { 0 };
	struct bufferevent *commands;

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(listen, sizeof(listen), "127.0.0.1:%s", argc > 1 ? argv[1] : "0");
	conf.http_listen = listen;
	conf.stream_kib = 64;
	conf.http_operators = operators;
	play.base = event_base_new();
	play.reply_status = 200;
	play.last_id = now_ms(NULL); /* rises over restarts */
	snprintf(play.stations, sizeof(play.stations), "7");
	replace(&play.open, "[]");
	replace(&play.report, "{}");
	replace(&play.decision, "");
	replace(&play.status, "{\"state\":\"online\",\"time\":\"certain\",\"hq\":\"connected\"}");
	if (http_new(play.base, &conf, &host, &play.http, &err) != 0) {
		fprintf(stderr, "page_server: %s\n", err.text);
		return 1;
	}
	commands = bufferevent_socket_new(play.base, STDIN_FILENO, 0);
	bufferevent_setcb(commands, read_commands, NULL, ended, NULL);
	bufferevent_enable(commands, EV_READ);
	printf("listening %s\n", http_address(play.http, 0));
	event_base_dispatch(play.base);
	bufferevent_free(commands);
	http_free(play.http);
	event_base_free(play.base);
	free(play.open);
	free(play.status);
	free(play.report);
	free(play.decision);
	return 0;
}
