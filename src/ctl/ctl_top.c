/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_top.c - aislectl top: the running store on one screen, each second.
 *
 * DESIGN
 *   The daemon tells counters; what happened in a second is the difference of two looks, how
 *   long turns took that of the newest and the oldest of the last minute.
 *
 *   A store that starts anew is waited for: what was seen stays, below what is wrong, and the
 *   figures begin anew with it.
 *
 *   The terminal is as it was when this leaves, however it is told to: a signal, Ctrl-C too, only
 *   ends the wait for a key or for an answer.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/top_view.h"
#include "daemon/control.h"

#define CTRL_D 4

static volatile sig_atomic_t told_to_leave;

static void
on_signal(int signal_number)
{
	(void)signal_number;
	told_to_leave = 1;
}

static int
ask(struct ctl *ctl, json_t **ret_look)
{
	json_t *request = json_pack("{s:s}", "command", "top");
	int rc = ctl_ask(ctl, request, NULL, ret_look);

	json_decref(request);
	return rc;
}

/* ---- once ---- */

static int
once(struct ctl *ctl)
{
	struct top_view view = { 0 };
	struct buf out = { 0 };
	json_t *look;
	int rc = EX_OK;

	for (int i = 0; i < 2 && rc == EX_OK; i++) {
		if (i > 0)
			nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
		rc = ask(ctl, &look);
		if (rc == EX_OK)
			top_view_add(&view, look);
	}
	if (rc == EX_OK && ctl->json) {
		top_view_json(&view, &out);
		puts(out.data);
	} else if (rc == EX_OK) {
		top_view_text(&view, NULL, 100, 1000, &out);
		fputs(out.data, stdout);
	}
	buf_done(&out);
	top_view_done(&view);
	return rc;
}

/* ---- live ---- */

static void
say(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* away: what is wrong since the last look; NULL: nothing. */
static void
draw(const struct top_view *view, const struct err *away)
{
	struct winsize size = { 0 };
	struct buf text = { 0 }, out = { 0 };

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	top_view_text(view, away != NULL ? away->text : NULL, size.ws_col > 0 ? size.ws_col : 80,
	    size.ws_row > 1 ? size.ws_row - 1 : 24, &text);
	buf_adds(&out, "\033[H");
	for (const char *at = text.data; *at != '\0';) {
		size_t len = strcspn(at, "\n");

		buf_add(&out, at, len);
		buf_adds(&out, "\033[K\r\n");
		at += len + (at[len] == '\n');
	}
	buf_adds(&out, "\033[J");
	say(out.data, out.len);
	buf_done(&text);
	buf_done(&out);
}

/* Waits until the next second; true: leave. */
static bool
is_left(void)
{
	struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };
	struct timespec now, until;
	char key;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	for (;;) {
		int64_t left_ms;

		clock_gettime(CLOCK_MONOTONIC, &now);
		left_ms =
		    (until.tv_sec - now.tv_sec) * 1000 + (until.tv_nsec - now.tv_nsec) / 1000000;
		if (told_to_leave)
			return true;
		if (left_ms <= 0)
			return false;
		if (poll(&keys, 1, (int)left_ms) <= 0)
			continue;
		if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q' || key == CTRL_D)
			return true;
	}
}

/* Until somebody leaves. Is the store away then, *ret_err says so. look: the first one, taken over. */
static int
watch(const char *socket_path, json_t *look, struct err *ret_err)
{
	json_t *request = json_pack("{s:s}", "command", "top");
	struct top_view view = { 0 };
	int rc = 0;

	top_view_add(&view, look);
	draw(&view, NULL);
	while (!is_left()) {
		bool was_away = rc != 0;

		rc = control_ask(socket_path, request, NULL, &look, ret_err);
		if (rc == 0 && was_away)
			top_view_done(&view);
		if (rc == 0)
			top_view_add(&view, look);
		draw(&view, rc != 0 ? ret_err : NULL);
	}
	top_view_done(&view);
	json_decref(request);
	return rc;
}

static int
live(const char *socket_path, json_t *look)
{
	const struct sigaction leave = { .sa_handler = on_signal };
	struct termios was, keys;
	struct err err = { 0 };
	int rc;

	if (tcgetattr(STDIN_FILENO, &was) != 0) {
		json_decref(look);
		return ctl_fail(EX_IOERR, "the terminal: %s", strerror(errno));
	}
	sigaction(SIGTERM, &leave, NULL);
	sigaction(SIGHUP, &leave, NULL);
	sigaction(SIGINT, &leave, NULL);
	keys = was;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	keys.c_cc[VSUSP] = keys.c_cc[VQUIT] = _POSIX_VDISABLE;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &keys);
	say("\033[?1049h\033[?25l", 14);
	rc = watch(socket_path, look, &err);
	say("\033[?25h\033[?1049l", 14);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	return rc == 0 ? EX_OK : ctl_fail(EX_UNAVAILABLE, "%s", err.text);
}

int
ctl_top(struct ctl *ctl)
{
	bool is_once = ctl_flag(ctl, "--once");
	struct conf *conf;
	json_t *look = NULL;
	int rc = ctl_words(ctl, 0, 0);

	if (rc != EX_OK)
		return rc;
	if (is_once || ctl->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return once(ctl);
	rc = ask(ctl, &look); /* what is wrong is said before the screen is taken */
	if (rc != EX_OK)
		return rc;
	conf = mem_alloc(sizeof(*conf));
	rc = ctl_conf(ctl, true, conf);
	if (rc == EX_OK)
		rc = live(conf->state_control, look);
	else
		json_decref(look);
	conf_done(conf);
	free(conf);
	return rc;
}
