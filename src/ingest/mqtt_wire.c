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
 *   In TLS the library asks SSL_read(), and only that leads here: what is read is plain, whatever protects it.
 *
 *   On the way each packet is looked at (mqtt_packet.c), and goes on whole: the library (2.0.11)
 *   ends the process for a property that it does not know, and makes room for whatever length is claimed.
 *
 * INVARIANTS
 *   Only whole packets that a broker may send are handed out.
 *   What was handed out to its end, or sent, is zero: card numbers and PINs stand in it.
 */
#include "ingest/mqtt_wire.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ingest/mqtt_packet.h"

#define IN_BYTES MQTT_PACKET_BYTES_MAX
#define OUT_BYTES (32 << 10)

static int socket_fd = -1; /* by itself: what begins as zero takes no room in the file */

static int tls_fd = -1; /* of a connection in TLS; then there is no socket_fd */
static bool has_tls;

static struct {
	bool probed;
	bool drained;		       /* the kernel had no more when it was asked last */
	bool greeted;		       /* see mqtt_packet_check() */
	const char *refused;	       /* what no broker sends; kept until another connection */
	size_t in_at, in_good, in_len; /* handed out, looked at, read */
	size_t out_at, out_len;
	unsigned char in[IN_BYTES], out[OUT_BYTES];
} wire;

/* ---- its life ---- */

void
mqtt_wire_close(void)
{
	explicit_bzero(wire.in, wire.in_len);
	explicit_bzero(wire.out + wire.out_at, wire.out_len - wire.out_at);
	socket_fd = tls_fd = -1;
	wire.drained = wire.greeted = false;
	wire.in_at = wire.in_good = wire.in_len = wire.out_at = wire.out_len = 0;
}

/* A child's file of the same number is a file. */
static void
in_child(void)
{
	socket_fd = tls_fd = -1;
}

static bool
begin(void)
{
	static bool known;

	if (!known && pthread_atfork(NULL, NULL, in_child) != 0)
		return false;
	known = true;
	mqtt_wire_close();
	wire.refused = NULL;
	return true;
}

bool
mqtt_wire_open(int fd)
{
	char none;

	if (!begin())
		return false;
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

void
mqtt_wire_has_tls(void)
{
	has_tls = true;
}

bool
mqtt_wire_open_tls(int fd)
{
	if (!has_tls || !begin())
		return false;
	tls_fd = fd;
	return true;
}

int
mqtt_wire_tls_fd(void)
{
	return tls_fd;
}

/* ---- what comes ---- */

const char *
mqtt_wire_refused(void)
{
	return wire.refused;
}

/* Whole packets at the end of what was read. false: one that no broker sends. */
static bool
look(void)
{
	int64_t took;

	while ((took = mqtt_packet_check(wire.in + wire.in_good, wire.in_len - wire.in_good,
		    &wire.greeted, &wire.refused)) > 0)
		wire.in_good += (size_t)took;
	return took == 0;
}

/* Nothing of what was read is handed out any more. */
static bool
look_or_drop(void)
{
	if (look())
		return true;
	explicit_bzero(wire.in, wire.in_len);
	wire.in_good = wire.in_len = 0;
	errno = EPROTO;
	return false;
}

/* What was handed out makes room for the rest of a packet. */
static void
move_up(void)
{
	size_t rest = wire.in_len - wire.in_at;

	if (wire.in_at == 0)
		return;
	memmove(wire.in, wire.in + wire.in_at, rest);
	/* Behind it stands what it was, once more. */
	explicit_bzero(wire.in + rest, wire.in_len - rest);
	wire.in_good -= wire.in_at;
	wire.in_at = 0;
	wire.in_len = rest;
}

void
mqtt_wire_awake(void)
{
	wire.drained = false;
}

size_t
mqtt_wire_unread(void)
{
	return wire.in_good - wire.in_at;
}

bool
mqtt_wire_more(void)
{
	return mqtt_wire_unread() > 0 || !wire.drained;
}

bool
mqtt_wire_left(void)
{
	/* Of a record that is decrypted the socket knows nothing more. */
	return mqtt_wire_unread() > 0 || (tls_fd >= 0 && !wire.drained);
}

/* 1: there is something to hand out; else what read() returns. */
static ssize_t
fill(void)
{
	ssize_t got;

	if (wire.refused != NULL) {
		errno = EPROTO;
		return -1;
	}
	if (wire.drained) {
		errno = EAGAIN;
		return -1;
	}
	move_up();
	got = recv(socket_fd, wire.in + wire.in_len, IN_BYTES - wire.in_len, 0);
	wire.drained = got < (ssize_t)(IN_BYTES - wire.in_len);
	if (got <= 0)
		return got;
	wire.in_len += (size_t)got;
	if (!look_or_drop())
		return -1;
	if (mqtt_wire_unread() > 0)
		return 1;
	errno = EAGAIN;
	return -1;
}

static size_t
hand_out(void *at, size_t size)
{
	if (size > mqtt_wire_unread())
		size = mqtt_wire_unread();
	memcpy(at, wire.in + wire.in_at, size);
	wire.in_at += size;
	if (wire.in_at == wire.in_len) {
		explicit_bzero(wire.in, wire.in_len);
		wire.in_at = wire.in_good = wire.in_len = 0;
	}
	return size;
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
	return (ssize_t)hand_out(at, size);
}

int
mqtt_wire_tls_read(mqtt_wire_tls_fn real, void *ssl, void *at, int size)
{
	/* Until a packet is whole: what the connection says of its last read is the answer to who asks it for the error. */
	while (mqtt_wire_unread() == 0 && wire.refused == NULL) {
		move_up();
		int got = real(ssl, wire.in + wire.in_len, (int)(IN_BYTES - wire.in_len));

		wire.drained = got <= 0;
		if (got <= 0)
			return got;
		wire.in_len += (size_t)got;
		if (!look_or_drop())
			return -1;
	}
	if (wire.refused != NULL || size <= 0)
		return -1;
	errno = 0;
	return (int)hand_out(at, (size_t)size);
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
