/* SPDX-License-Identifier: Apache-2.0
 *
 * probe.c - does an address answer? Asked without waiting for it.
 *
 * DESIGN
 *   libmosquitto connects blockingly, up to 15 s for an address that says nothing. A
 *   collector with several brokers asks first, so that one silent broker does not hold
 *   up the others.
 */
#include "hq/probe.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int
probe_begin(const char *host, int port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char service[12];
	int fd = -1;
	snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return -1;
	for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		/* One that refuses at once lets the next be tried; of silent ones the first. */
		if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0 &&
		    probe_answer(fd) < 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd;
}

int
probe_answer(int fd)
{
	struct pollfd wanted = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t size = sizeof(error);
	if (poll(&wanted, 1, 0) <= 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0 ||
	    (wanted.revents & (POLLERR | POLLHUP)) != 0)
		return -1;
	return 1;
}
