/* SPDX-License-Identifier: Apache-2.0
 *
 * link_socket.c - how aisled and a link that is a unit of its own come to their stream.
 *
 * DESIGN
 *   The service manager listens and starts the link when aisled calls; the link takes one call and
 *   leaves with it. So each stream has a process of its own, as where aisled starts the link, and
 *   everything behind this file is the same for both.
 *
 *   Who may call is the mode of the socket's file. Both sides ask the kernel besides who the other
 *   one is. In a user namespace of its own (PrivateUsers=) the link sees all users but root as one:
 *   there the mode alone decides.
 */
#include "sync/link_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/log.h"

#define CALL_WAIT_MS 10000 /* whoever starts the link by hand sees it leave */

static bool
user_of(int fd, uid_t *ret)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	*ret = peer.uid;
	return true;
}

int
link_call(const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uid_t user = 0;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, AISLE_E_CONFIG,
		    LINK_SOCKET_ENV "=%s: expected at most %zu characters", path,
		    sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		err_set(err, AISLE_E_IO, "the link's unit does not answer at %s: %s", path,
		    strerror(errno));
	else if (!user_of(fd, &user) || (user != 0 && user != geteuid()))
		err_set(err, AISLE_E_REFUSED, "user %u listens at %s, expected root or user %u",
		    (unsigned)user, path, (unsigned)geteuid());
	else
		return fd;
	if (fd >= 0)
		close(fd);
	return err->code;
}

/* To whom the socket's file belongs. */
static bool
owner_of(int listener, uid_t *ret)
{
	struct sockaddr_un address = { 0 };
	socklen_t len = sizeof(address) - 1;
	struct stat file;

	if (getsockname(listener, (struct sockaddr *)&address, &len) != 0 ||
	    address.sun_family != AF_UNIX || stat(address.sun_path, &file) != 0)
		return false;
	*ret = file.st_uid;
	return true;
}

static bool
may_call(int listener, int call)
{
	uid_t user = 0, owner = 0;

	if (!user_of(call, &user) || !owner_of(listener, &owner))
		return false;
	if (user == owner || user == 0)
		return true;
	log_error("link: a call of user %u was refused, expected user %u", (unsigned)user,
	    (unsigned)owner);
	return false;
}

int
link_answer(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	socklen_t len = sizeof(int);
	int listens = 0, call;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0 || !listens)
		return fd;
	while (poll(&wait, 1, CALL_WAIT_MS) > 0) {
		call = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (call >= 0 && may_call(fd, call)) {
			close(fd);
			return call;
		}
		if (call >= 0)
			close(call);
		else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			break;
	}
	log_error("link: aisled does not call");
	return -1;
}
