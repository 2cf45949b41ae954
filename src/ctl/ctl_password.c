/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_password.c - passwords and secret keys, from where nobody else can read them: never from an argument.
 *
 * Stdin is read a byte at a time, so that what follows the line is left for whoever reads next and no buffer keeps a copy.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "core/file.h"
#include "ctl/ctl_sign.h"

static volatile sig_atomic_t interrupted;

/* From here on there are secrets in memory: what dies leaves no image of it. */
static void
leave_no_core(void)
{
	static const struct rlimit none;

	setrlimit(RLIMIT_CORE, &none);
}

static void
note(int sig)
{
	interrupted = sig;
}

static int
read_line(char out[static CTL_PASSWORD_SIZE])
{
	size_t len = 0;

	for (;;) {
		ssize_t got = read(STDIN_FILENO, out + len, 1);

		if (got < 0 && errno == EINTR && interrupted == 0)
			continue;
		if (got < 0)
			return interrupted != 0 ? EX_IOERR /* whoever typed Ctrl-C knows */
						: ctl_fail(EX_IOERR, "stdin: %s", strerror(errno));
		if (got == 0 && len == 0)
			return ctl_fail(EX_NOINPUT,
			    "expected the password as a line on stdin (an empty line: none)");
		if (got == 0 || out[len] == '\n')
			break;
		if (++len == CTL_PASSWORD_SIZE)
			return ctl_fail(EX_DATAERR,
			    "the line on stdin is too long, expected a password of at most %d "
			    "bytes",
			    CTL_PASSWORD_SIZE - 1);
	}
	if (len > 0 && out[len - 1] == '\r')
		len--;
	out[len] = '\0';
	return strlen(out) == len
	    ? EX_OK
	    : ctl_fail(EX_DATAERR, "a NUL byte on stdin, expected a password");
}

/* Ctrl-C leaves the terminal as it was. */
static int
read_hidden(const char *prompt, char out[static CTL_PASSWORD_SIZE])
{
	struct sigaction action = { .sa_handler = note }, old_int, old_term;
	struct termios was, hidden;

	if (tcgetattr(STDIN_FILENO, &was) != 0)
		return ctl_fail(EX_IOERR, "the terminal: %s", strerror(errno));
	hidden = was;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	interrupted = 0;
	sigaction(SIGINT, &action, &old_int);
	sigaction(SIGTERM, &action, &old_term);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	fprintf(stderr, "%s: ", prompt);
	int rc = read_line(out);

	tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	fputc('\n', stderr);
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGTERM, &old_term, NULL);
	if (interrupted != 0)
		raise(interrupted);
	return rc;
}

int
ctl_password(const char *prompt, char out[static CTL_PASSWORD_SIZE])
{
	leave_no_core();
	int rc = isatty(STDIN_FILENO) ? read_hidden(prompt, out) : read_line(out);

	if (rc != EX_OK)
		sodium_memzero(out, CTL_PASSWORD_SIZE);
	return rc;
}

int
ctl_new_password(const char *prompt, char out[static CTL_PASSWORD_SIZE])
{
	char again[CTL_PASSWORD_SIZE];
	int rc = ctl_password(prompt, out);

	if (rc != EX_OK || out[0] == '\0' || !isatty(STDIN_FILENO))
		return rc;
	rc = ctl_password("again", again);
	if (rc == EX_OK && strcmp(out, again) != 0)
		rc = ctl_fail(EX_DATAERR, "not the same twice");
	sodium_memzero(again, sizeof(again));
	return rc;
}

/* Where a key file's two lines end: behind them, on stdin, its password may stand. */
static size_t
key_end(const struct buf *text)
{
	char *line = memchr(text->data, '\n', text->len);
	size_t at = line != NULL ? (size_t)(line + 1 - text->data) : text->len;

	line = at < text->len ? memchr(text->data + at, '\n', text->len - at) : NULL;
	return line != NULL ? (size_t)(line + 1 - text->data) : text->len;
}

static int
password_of(const char *path, const struct buf *text, size_t end,
    char out[static CTL_PASSWORD_SIZE])
{
	char prompt[200];

	if (end == text->len) {
		snprintf(prompt, sizeof(prompt), "password of %s", path);
		return ctl_password(prompt, out);
	}
	size_t len = strcspn(text->data + end, "\r\n");

	if (len >= CTL_PASSWORD_SIZE)
		return ctl_fail(EX_DATAERR, "the password behind the key is too long");
	memcpy(out, text->data + end, len);
	out[len] = '\0';
	return EX_OK;
}

int
ctl_secret(const char *path, struct minisign_secret **ret_secret)
{
	bool from_stdin = strcmp(path, "-") == 0;
	char password[CTL_PASSWORD_SIZE] = "";
	struct buf text = { 0 };
	struct err err = { 0 };
	int rc = EX_OK;

	leave_no_core();
	if (file_read(path, MINISIGN_FILE_MAX, &text, &err) != 0) {
		rc = ctl_fail_err(&err);
	} else {
		size_t end = from_stdin ? key_end(&text) : text.len;
		bool locked = minisign_protected(text.data, end) == 1;

		if (locked)
			rc = password_of(path, &text, end, password);
		if (rc == EX_OK &&
		    minisign_secret_read(text.data, end, from_stdin ? "stdin" : path,
			locked ? password : NULL, ret_secret, &err) != 0)
			rc = ctl_fail_err(&err);
	}
	sodium_memzero(password, sizeof(password));
	buf_wipe(&text);
	return rc;
}
