/* SPDX-License-Identifier: Apache-2.0
 *
 * notify.c - systemd's notification datagrams, as sd_notify(3) defines them.
 */
#include "core/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A lost datagram costs a status line; a watchdog fed too rarely says so by itself. */
static void
send_text(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (path == NULL || (path[0] != '/' && path[0] != '@'))
		return;
	size_t len = strlen(path);
	if (len < 2 || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* abstract: the length below has no final NUL */
	socklen_t size =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] == '/'));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	ssize_t sent;
	do
		sent =
		    sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
	while (sent < 0 && errno == EINTR);
	close(fd);
}

void
notify_ready(void)
{
	send_text("READY=1\n");
}

void
notify_reloading(void)
{
	struct timespec now;
	char text[80];
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n", us);
	send_text(text);
}

void
notify_stopping(void)
{
	send_text("STOPPING=1\n");
}

void
notify_alive(void)
{
	send_text("WATCHDOG=1\n");
}

void
notify_status(const char *format, ...)
{
	char text[300] = "STATUS=";
	va_list args;
	va_start(args, format);
	vsnprintf(text + 7, sizeof(text) - 8, format, args);
	va_end(args);
	for (char *at = text; *at != '\0'; at++) {
		if (*at == '\n')
			*at = ' '; /* one assignment a line */
	}
	memcpy(text + strlen(text), "\n", 2);
	send_text(text);
}

static bool
env_number(const char *name, int64_t *ret)
{
	const char *text = getenv(name);
	if (text == NULL || *text < '0' || *text > '9')
		return false;
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return false;
	*ret = value;
	return true;
}

int64_t
notify_interval_ms(void)
{
	int64_t us, pid;
	if (!env_number("WATCHDOG_USEC", &us) || us <= 0)
		return 0;
	/* Meant for another process of the unit: not for us. */
	if (getenv("WATCHDOG_PID") != NULL &&
	    (!env_number("WATCHDOG_PID", &pid) || pid != getpid()))
		return 0;
	return us / 2000 > 0 ? us / 2000 : 1;
}
