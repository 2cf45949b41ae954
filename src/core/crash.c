/* SPDX-License-Identifier: Apache-2.0
 *
 * crash.c - the mark that a bug leaves behind.
 *
 * DESIGN
 *   The file exists, has its size and is open before anything can go wrong, so
 *   that a dying process needs one pwrite and one fsync: no allocation, no
 *   open, no disk space. What is being worked on is copied in memory per
 *   input and reaches the disk only in a crash.
 *
 *   A signal that another process sent is not our bug and leaves no mark,
 *   except SIGABRT: so the service manager ends a daemon that hangs, and an
 *   input that hangs it must not be tried for ever.
 *
 * INVARIANTS
 *   The last byte of every field is zero at all times, so a signal in the
 *   middle of a copy finds strings.
 *
 * Byte layout: magic 8, what 400, source 1024, id 512; magic all zero: no mark.
 */
#include "core/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct mark {
	char magic[8];
	char what[400];
	char source[CRASH_SOURCE_SIZE], id[CRASH_ID_SIZE];
};

static const char magic[8] = "AISLEX1";
static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
static struct mark current;
static int mark_fd = -1;
static volatile sig_atomic_t written;
/* Of its own: a stack that ran over is one of the bugs. */
static _Alignas(16) char signal_stack[32 << 10];

static void
copy_field(char *to, size_t size, const char *from)
{
	size_t len = from != NULL ? strnlen(from, size - 1) : 0;
	if (len > 0)
		memcpy(to, from, len);
	to[len] = '\0';
}

void
crash_input(const char *source, const char *id)
{
	copy_field(current.source, sizeof(current.source), source);
	copy_field(current.id, sizeof(current.id), id);
}

void
crash_write(const char *what)
{
	if (mark_fd < 0 || written)
		return;
	written = 1;
	memcpy(current.magic, magic, sizeof(magic));
	copy_field(current.what, sizeof(current.what), what);
	if (pwrite(mark_fd, &current, sizeof(current), 0) == (ssize_t)sizeof(current))
		fsync(mark_fd);
}

static void
on_fatal(int number, siginfo_t *info, void *context)
{
	(void)context;
	int saved = errno;
	bool from_outside = info->si_code <= 0 && info->si_pid != getpid();
	if (number == SIGABRT || !from_outside) {
		char what[] = "signal 00";
		what[7] = (char)('0' + number / 10);
		what[8] = (char)('0' + number % 10);
		crash_write(what);
	}
	errno = saved;
	/* SA_RESETHAND: the default action now ends the process, with a core if wanted. */
	raise(number);
}

static int
mark_path(const char *dir, char *path, size_t size)
{
	int len = snprintf(path, size, "%s/crash", dir);
	return len > 0 && (size_t)len < size ? 0 : AISLE_E_IO;
}

int
crash_open(const char *dir, struct err *err)
{
	char path[4096];
	if (mark_path(dir, path, sizeof(path)) != 0)
		return err_set(err, AISLE_E_IO, "%s: path too long", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	static const struct mark none;
	if (pwrite(fd, &none, sizeof(none), 0) != (ssize_t)sizeof(none) || fsync(fd) != 0) {
		err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
		close(fd);
		return AISLE_E_IO;
	}
	crash_close();
	mark_fd = fd;
	written = 0;
	memset(&current, 0, sizeof(current));

	stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };
	sigaltstack(&stack, NULL);
	struct sigaction action = { .sa_sigaction = on_fatal,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER };
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		sigaction(fatal[i], &action, NULL);
	return 0;
}

void
crash_close(void)
{
	if (mark_fd < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		signal(fatal[i], SIG_DFL);
	close(mark_fd);
	mark_fd = -1;
}

int
crash_take(const char *dir, struct crash *ret_crash)
{
	char path[4096];
	if (mark_path(dir, path, sizeof(path)) != 0)
		return AISLE_E_IO;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? AISLE_E_NONE : AISLE_E_IO;
	static const struct mark none;
	struct mark mark;
	int rc = AISLE_E_NONE;
	ssize_t got = pread(fd, &mark, sizeof(mark), 0);
	if (got < 0) {
		rc = AISLE_E_IO;
	} else if (got == (ssize_t)sizeof(mark) && memcmp(mark.magic, magic, sizeof(magic)) == 0) {
		copy_field(ret_crash->what, sizeof(ret_crash->what), mark.what);
		mark.source[sizeof(mark.source) - 1] = mark.id[sizeof(mark.id) - 1] = '\0';
		copy_field(ret_crash->source, sizeof(ret_crash->source), mark.source);
		copy_field(ret_crash->id, sizeof(ret_crash->id), mark.id);
		bool cleared =
		    pwrite(fd, &none, sizeof(none), 0) == (ssize_t)sizeof(none) && fsync(fd) == 0;
		rc = cleared ? 0 : AISLE_E_IO;
	}
	close(fd);
	return rc;
}

bool
crash_is(const struct crash *crash, const char *source, const char *id)
{
	return (crash->source[0] != '\0' || crash->id[0] != '\0') &&
	    strncmp(crash->source, source, CRASH_SOURCE_SIZE - 1) == 0 &&
	    strncmp(crash->id, id, CRASH_ID_SIZE - 1) == 0;
}
