/* SPDX-License-Identifier: Apache-2.0
 *
 * http_listen.c - the sockets: from systemd where it passes some, else bound here.
 *
 * DESIGN
 *   Under systemd the daemon has no network of its own; its listening sockets
 *   come as file descriptors from 3 on. Of those we take the ones of TCP: the
 *   link's unix socket may be among them.
 *
 *   Without a certificate what is said can be heard: such a socket must be on
 *   loopback, unless plain_lan says that the owner of the LAN knows.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "deliver/http_private.h"

#define SYSTEMD_FIRST_FD 3
#define BACKLOG 128

static bool
is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;

	if (address->sa_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static void
address_text(evutil_socket_t fd, char *out, size_t size)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} at = { 0 };
	socklen_t len = sizeof(at);
	char host[INET6_ADDRSTRLEN] = "?";

	if (getsockname(fd, &at.any, &len) != 0)
		snprintf(out, size, "?");
	else if (at.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &at.in6.sin6_addr, host, sizeof(host));
		snprintf(out, size, "[%s]:%u", host, ntohs(at.in6.sin6_port));
	} else {
		inet_ntop(AF_INET, &at.in.sin_addr, host, sizeof(host));
		snprintf(out, size, "%s:%u", host, ntohs(at.in.sin_port));
	}
}

static void
accept_failed(struct evconnlistener *listener, void *ctx)
{
	(void)listener;
	(void)ctx;
	log_warning("http: a connection could not be accepted error=\"%s\"",
	    strerror(EVUTIL_SOCKET_ERROR()));
}

static int
add_listener(struct http *http, struct evconnlistener *listener, struct err *err)
{
	struct http_listener *slot = &http->listeners[http->listener_count];

	if (evhttp_bind_listener(http->evhttp, listener) == NULL) {
		evconnlistener_free(listener);
		return err_set(err, AISLE_E_IO, "http: out of memory");
	}
	evconnlistener_set_error_cb(listener, accept_failed);
	slot->listener = listener;
	address_text(evconnlistener_get_fd(listener), slot->address, sizeof(slot->address));
	http->listener_count++;
	return 0;
}

static int
check_plain(const struct http *http, const struct sockaddr *address, const char *name,
    struct err *err)
{
	if (http->tls != NULL || http->conf->http_plain_lan || is_loopback(address))
		return 0;
	return err_set(err, AISLE_E_CONFIG,
	    "[http] listen: %s is not loopback and there is no certificate: "
	    "set cert and key, or plain_lan = yes if the LAN is trusted",
	    name);
}

/* "127.0.0.1:8080", "[::1]:8080", "localhost:0" (libevent's own parser knows no port 0). */
static bool
parse_listen(const char *text, struct sockaddr_storage *ret, int *ret_len)
{
	struct sockaddr_in *in = (void *)ret;
	struct sockaddr_in6 *in6 = (void *)ret;
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	char host[64];
	unsigned port;

	if (len == 0 || len >= sizeof(host) || colon[1] == '\0' || strlen(colon + 1) > 5 ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    (port = (unsigned)atoi(colon + 1)) > 65535)
		return false;
	if (text[0] == '[' && text[len - 1] == ']') {
		snprintf(host, sizeof(host), "%.*s", (int)len - 2, text + 1);
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		*ret_len = sizeof(*in6);
		return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
	}
	snprintf(host, sizeof(host), "%.*s", (int)len, text);
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	*ret_len = sizeof(*in);
	return inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
		   &in->sin_addr) == 1;
}

static bool
is_any(const struct sockaddr_storage *ss)
{
	return ss->ss_family == AF_INET6
	    ? IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)ss)->sin6_addr)
	    : ((const struct sockaddr_in *)ss)->sin_addr.s_addr == htonl(INADDR_ANY);
}

static in_port_t
port_of(const struct sockaddr_storage *ss)
{
	return ss->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)ss)->sin6_port
					 : ((const struct sockaddr_in *)ss)->sin_port;
}

/* The same address, or one of them is every address. Port 0 is always another. */
static bool
collide(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return a->ss_family == b->ss_family && port_of(a) == port_of(b) && port_of(a) != 0 &&
	    (is_any(a) || is_any(b) || memcmp(a, b, sizeof(*a)) == 0);
}

static int
check_twice(struct http *http, const struct sockaddr_storage *ss, const char *name, struct err *err)
{
	for (size_t i = 0; i < http->asked_count; i++)
		if (collide(&http->asked[i], ss))
			return err_set(err, AISLE_E_CONFIG,
			    "[http] listen: %s is listened on by an entry before it, expected each "
			    "address and port once",
			    name);
	if (http->asked_count < CONF_LISTEN_MAX)
		http->asked[http->asked_count++] = *ss;
	return 0;
}

/* An entry of [http] listen that may be listened on. */
static int
read_one(struct http *http, const char *name, struct sockaddr_storage *ret, int *ret_len,
    struct err *err)
{
	if (!parse_listen(name, ret, ret_len))
		return err_set(err, AISLE_E_CONFIG,
		    "[http] listen: \"%s\", expected an address and port like 127.0.0.1:8080 or "
		    "[::]:8443",
		    name);
	return check_twice(http, ret, name, err) != 0
	    ? AISLE_E_CONFIG
	    : check_plain(http, (struct sockaddr *)ret, name, err);
}

static int
bind_one(struct http *http, const char *name, struct err *err)
{
	struct sockaddr_storage ss = { 0 };
	struct evconnlistener *listener;
	int len = 0;

	if (http->listener_count == CONF_LISTEN_MAX)
		return err_set(err, AISLE_E_CONFIG, "[http] listen: more than %d addresses",
		    CONF_LISTEN_MAX);
	if (read_one(http, name, &ss, &len, err) != 0)
		return AISLE_E_CONFIG;
	listener = evconnlistener_new_bind(http->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE |
		(ss.ss_family == AF_INET6 ? LEV_OPT_BIND_IPV6ONLY : 0),
	    BACKLOG, (struct sockaddr *)&ss, len);
	if (listener == NULL)
		return err_set(err, AISLE_E_IO, "http: cannot listen on %s: %s", name,
		    strerror(EVUTIL_SOCKET_ERROR()));
	return add_listener(http, listener, err);
}

/* Is it an address of this machine? With any free port: the one that is meant may be taken by a daemon that runs. */
static int
check_one(struct http *http, const char *name, struct err *err)
{
	struct sockaddr_storage ss = { 0 };
	int len = 0, fd, rc = 0;

	if (read_one(http, name, &ss, &len, err) != 0)
		return AISLE_E_CONFIG;
	if (ss.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&ss)->sin6_port = 0;
	else
		((struct sockaddr_in *)&ss)->sin_port = 0;
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0); /* none: bind says so */
	if (bind(fd, (struct sockaddr *)&ss, (socklen_t)len) != 0)
		rc = err_set(err, AISLE_E_CONFIG,
		    "[http] listen: %s: %s, expected an address of this machine", name,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

static bool
is_tcp_listener(int fd, struct sockaddr_storage *ret_address)
{
	socklen_t len = sizeof(*ret_address), int_len = sizeof(int);
	int listens = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len) == 0 && listens &&
	    getsockname(fd, (struct sockaddr *)ret_address, &len) == 0 &&
	    (ret_address->ss_family == AF_INET || ret_address->ss_family == AF_INET6);
}

static int
adopt_systemd(struct http *http, struct err *err)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int fds = count != NULL ? atoi(count) : 0;

	if (pid == NULL || strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	for (int fd = SYSTEMD_FIRST_FD;
	     fd < SYSTEMD_FIRST_FD + fds && http->listener_count < CONF_LISTEN_MAX; fd++) {
		struct sockaddr_storage ss = { 0 };
		struct evconnlistener *listener;
		char name[64];
		int rc;

		if (!is_tcp_listener(fd, &ss))
			continue;
		address_text(fd, name, sizeof(name));
		if ((rc = check_plain(http, (struct sockaddr *)&ss, name, err)) != 0)
			return rc;
		evutil_make_socket_nonblocking(fd);
		evutil_make_socket_closeonexec(fd);
		/* backlog 0: it listens already */
		listener = evconnlistener_new(http->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE, 0, fd);
		if (listener == NULL)
			return err_set(err, AISLE_E_IO,
			    "http: cannot use the socket that was passed for %s", name);
		if ((rc = add_listener(http, listener, err)) != 0)
			return rc;
	}
	return 0;
}

static int
each_address(struct http *http, int (*one)(struct http *, const char *, struct err *),
    struct err *err)
{
	char *list = mem_strdup(http->conf->http_listen), *save = NULL;
	int rc = 0;

	for (char *word = strtok_r(list, ", \t", &save); word != NULL && rc == 0;
	     word = strtok_r(NULL, ", \t", &save))
		rc = one(http, word, err);
	free(list);
	return rc;
}

int
http_listen(struct http *http, struct err *err)
{
	int rc = adopt_systemd(http, err);

	if (rc != 0 || http->listener_count > 0 || http->conf->http_listen == NULL)
		return rc;
	return each_address(http, bind_one, err);
}

int
http_check(const struct conf *conf, struct err *err)
{
	struct http *http = mem_zero(sizeof(*http));
	int rc;

	http->conf = conf;
	rc = http_tls_init(http, err);
	if (rc == 0 && conf->http_listen != NULL)
		rc = each_address(http, check_one, err);
	http_tls_done(http);
	free(http);
	return rc;
}
