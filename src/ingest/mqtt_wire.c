/* SPDX-License-Identifier: Apache-2.0
 *
 * mqtt_wire.c - the broker's socket beneath libmosquitto: one read for many packets, one write for a turn.
 *
 * DESIGN
 *   The library asks the kernel four times for each packet, and gives it each
 *   packet by itself. That was more than all of a relay's work, and each write
 *   woke the broker. It has no hook for it, but it calls read() and write():
 *   aisled has its own (aisled_wire.c), which lead here for this one socket.
 *   What was read at once is handed out piece by piece; what the library
 *   writes is kept until mqtt_wire_flush, after the commit: the PUBACKs of a turn
 *   and its guidance are one write. Rejected: a client of our own, for all that the
 *   library knows of MQTT 5; corking the socket, which a unix socket cannot.
 *
 *   On the way headers are looked at: the library (2.0.11) aborts the process
 *   when a broker sends QoS 3, and makes room for whatever length is claimed.
 *
 * INVARIANTS
 *   Only bytes that were looked at are handed out.
 *   What was handed out or sent is zero: card numbers and PINs stand in it.
 */
#include "ingest/mqtt_wire.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"

#define IN_BYTES (32 << 10)
#define OUT_BYTES (32 << 10)
#define PUBLISH 3
#define LENGTH_BYTES_MAX 4

static int socket_fd = -1; /* by itself: what begins as zero takes no room in the file */

static struct {
	bool probed;
	bool drained; /* the kernel had no more when it was asked last */
	bool refused; /* the broker sent what no broker sends */
	size_t in_at, in_len;
	size_t out_at, out_len;
	/* Of the packet that is being looked at. */
	int header_bytes; /* 0: at its first byte */
	size_t body;	  /* its bytes that come */
	unsigned char in[IN_BYTES], out[OUT_BYTES];
} wire;

/* ---- its life ---- */

void
mqtt_wire_close(void)
{
	explicit_bzero(wire.in + wire.in_at, wire.in_len - wire.in_at);
	explicit_bzero(wire.out + wire.out_at, wire.out_len - wire.out_at);
	socket_fd = -1;
	wire.drained = wire.refused = false;
	wire.in_at = wire.in_len = wire.out_at = wire.out_len = wire.body = 0;
	wire.header_bytes = 0;
}

/* A child's file of the same number is a file. */
static void
in_child(void)
{
	socket_fd = -1;
}

bool
mqtt_wire_open(int fd)
{
	static bool known;
	char none;

	if (!known && pthread_atfork(NULL, NULL, in_child) != 0)
		return false;
	known = true;
	mqtt_wire_close();
	socket_fd = fd;
	wire.probed = false;
	if (read(fd, &none, 0) != 0 || !wire.probed)
		socket_fd = -1;
	return socket_fd >= 0;
}

int
mqtt_wire_fd(void)
{
	return socket_fd;
}

/* ---- what comes ---- */

static bool
refuse(const char *what)
{
	log_error("the broker sent what no broker sends: %s", what);
	wire.refused = true;
	return false;
}

/* One byte of a header: the packet's kind, then its length, seven bits a byte. */
static bool
look_at_header(unsigned char byte)
{
	if (wire.header_bytes == 0) {
		wire.body = 0;
		wire.header_bytes = 1;
		return byte >> 4 != PUBLISH || (byte & 6) != 6 || refuse("a message of QoS 3");
	}
	wire.body |= (size_t)(byte & 0x7f) << 7 * (wire.header_bytes - 1);
	if ((byte & 0x80) == 0)
		wire.header_bytes = 0;
	else if (wire.header_bytes++ == LENGTH_BYTES_MAX)
		return refuse("a packet whose length has no end");
	return wire.body <= MQTT_WIRE_PACKET_MAX || refuse("a packet of more than 128 KiB");
}

static bool
look(const unsigned char *bytes, size_t len)
{
	while (len > 0) {
		size_t skip = wire.header_bytes > 0 ? 0 : wire.body < len ? wire.body : len;

		wire.body -= skip;
		bytes += skip;
		len -= skip;
		if (len > 0 && !look_at_header(*bytes))
			return false;
		if (len > 0) {
			bytes++;
			len--;
		}
	}
	return true;
}

void
mqtt_wire_awake(void)
{
	wire.drained = false;
}

size_t
mqtt_wire_unread(void)
{
	return wire.in_len - wire.in_at;
}

bool
mqtt_wire_more(void)
{
	return mqtt_wire_unread() > 0 || !wire.drained;
}

/* 1: there is something to hand out; else what read() returns. */
static ssize_t
fill(void)
{
	ssize_t got;

	if (wire.refused) {
		errno = EPROTO;
		return -1;
	}
	if (wire.drained) {
		errno = EAGAIN;
		return -1;
	}
	got = recv(socket_fd, wire.in, IN_BYTES, 0);
	wire.drained = got < IN_BYTES;
	if (got <= 0)
		return got;
	wire.in_at = 0;
	wire.in_len = (size_t)got;
	if (look(wire.in, wire.in_len))
		return 1;
	explicit_bzero(wire.in, wire.in_len);
	wire.in_len = 0;
	errno = EPROTO;
	return -1;
}

ssize_t
mqtt_wire_read(void *at, size_t size)
{
	wire.probed = true;
	if (size == 0)
		return 0;
	if (mqtt_wire_unread() == 0) {
		ssize_t rc = fill();

		if (rc <= 0)
			return rc;
	}
	if (size > mqtt_wire_unread())
		size = mqtt_wire_unread();
	memcpy(at, wire.in + wire.in_at, size);
	explicit_bzero(wire.in + wire.in_at, size);
	wire.in_at += size;
	return (ssize_t)size;
}

/* ---- what leaves ---- */

size_t
mqtt_wire_unsent(void)
{
	return wire.out_len - wire.out_at;
}

int
mqtt_wire_flush(void)
{
	while (mqtt_wire_unsent() > 0) {
		ssize_t sent =
		    send(socket_fd, wire.out + wire.out_at, mqtt_wire_unsent(), MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : AISLE_E_IO;
		explicit_bzero(wire.out + wire.out_at, (size_t)sent);
		wire.out_at += (size_t)sent;
	}
	wire.out_at = wire.out_len = 0;
	return 0;
}

/* As much as there is room for, like a socket: the library keeps the rest. */
ssize_t
mqtt_wire_write(const void *bytes, size_t size)
{
	if (size > OUT_BYTES - wire.out_len && mqtt_wire_flush() != 0)
		return -1;
	if (size > OUT_BYTES - wire.out_len)
		size = OUT_BYTES - wire.out_len;
	if (size == 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(wire.out + wire.out_len, bytes, size);
	wire.out_len += size;
	return (ssize_t)size;
}
