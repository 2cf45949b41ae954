/* SPDX-License-Identifier: Apache-2.0
 *
 * test_mqtt_wire.c - the broker's socket: many packets a read, one write a turn, and nothing that no broker sends.
 */
#include "aisled_wire.c" /* as in aisled: read() and write() of this program are its own */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "ingest/mqtt_packet.h"

static int ours, brokers;

static void
join(int type)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, pair), 0);
	ours = pair[0];
	brokers = pair[1];
	assert_true(mqtt_wire_open(ours));
}

/* The broker has said hello, and that was read. */
static void
greet(void)
{
	unsigned char got[8];

	assert_int_equal(send(brokers, "\x20\x03\0\0\0", 5, 0), 5);
	mqtt_wire_awake();
	assert_int_equal(read(ours, got, sizeof(got)), 5);
}

static void
part(void)
{
	close(ours);
	close(brokers);
}

/* A PUBLISH of that many bytes in all. */
static size_t
put_message(unsigned char *at, size_t size)
{
	memset(at, 'x', size);
	at[0] = 0x32;
	at[1] = (unsigned char)(0x80 | ((size - 3) & 0x7f));
	at[2] = (unsigned char)((size - 3) >> 7);
	memcpy(at + 3, "\0\1t\0\1\0", 6); /* topic, identifier, no properties */
	return size;
}

static void
send_bytes(const void *bytes, size_t len)
{
	assert_int_equal(send(brokers, bytes, len, 0), len);
}

static void
what_is_there_is_read_at_once_and_handed_out_in_pieces(void **state)
{
	unsigned char sent[2000], got[2000];
	size_t len = 0;

	(void)state;
	join(SOCK_STREAM);
	greet();
	for (int i = 0; i < 4; i++)
		len += put_message(sent + len, 500);
	send_bytes(sent, len);
	mqtt_wire_awake();
	assert_int_equal(read(ours, got, 1), 1);
	assert_int_equal(mqtt_wire_unread(), len - 1);
	/* The kernel has none of it any more. */
	assert_int_equal(recv(ours, got + 1, 1, 0), -1);
	for (size_t at = 1; at < len; at++)
		assert_int_equal(read(ours, got + at, 1), 1);
	assert_memory_equal(got, sent, len);
	/* And is not asked again before it says that there is more. */
	send_bytes(sent, 500);
	assert_false(mqtt_wire_more());
	assert_int_equal(read(ours, got, 1), -1);
	assert_int_equal(errno, EAGAIN);
	mqtt_wire_awake();
	assert_int_equal(read(ours, got, sizeof(got)), 500);
	part();
}

static void
a_turn_s_packets_are_one_write_and_only_when_they_may_leave(void **state)
{
	unsigned char got[64];

	(void)state;
	/* Each write is a message of its own on such a socket. */
	join(SOCK_SEQPACKET);
	for (int i = 0; i < 3; i++)
		assert_int_equal(write(ours, "\x40\x02\x00\x01", 4), 4);
	assert_int_equal(write(ours, "guidance", 8), 8);
	assert_int_equal(recv(brokers, got, sizeof(got), 0), -1);
	assert_int_equal(mqtt_wire_unsent(), 20);
	assert_int_equal(mqtt_wire_flush(), 0);
	assert_int_equal(recv(brokers, got, sizeof(got), 0), 20);
	assert_memory_equal(got + 12, "guidance", 8);
	assert_int_equal(mqtt_wire_unsent(), 0);
	part();
}

static void
what_the_broker_does_not_take_yet_waits_and_is_not_lost(void **state)
{
	static unsigned char sent[1 << 20], got[1 << 20];
	size_t written = 0, read_back = 0;

	(void)state;
	join(SOCK_STREAM);
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (unsigned char)(i * 2654435761u >> 11);
	while (read_back < sizeof(sent)) {
		ssize_t took = written < sizeof(sent)
		    ? write(ours, sent + written,
			  sizeof(sent) - written > 5000 ? 5000 : sizeof(sent) - written)
		    : 0;
		ssize_t came;

		assert_true(took >= 0 || errno == EAGAIN);
		written += took > 0 ? (size_t)took : 0;
		if (took > 0 && written < sizeof(sent))
			continue;
		assert_int_equal(mqtt_wire_flush(), 0);
		came = recv(brokers, got + read_back, 70000, 0);
		read_back += came > 0 ? (size_t)came : 0;
	}
	assert_int_equal(written, sizeof(sent));
	assert_memory_equal(got, sent, sizeof(sent));
	part();
}

static void
refused(const void *bytes, size_t len, size_t step)
{
	unsigned char got[64];

	join(SOCK_STREAM);
	for (size_t at = 0; at < len; at += step) {
		send_bytes((const char *)bytes + at, len - at < step ? len - at : step);
		mqtt_wire_awake();
		errno = 0;
		while (read(ours, got, sizeof(got)) > 0)
			;
	}
	assert_int_equal(errno, EPROTO);
	mqtt_wire_awake();
	assert_int_equal(read(ours, got, sizeof(got)), -1);
	assert_int_equal(errno, EPROTO);
	part();
}

static void
what_no_broker_sends_is_not_handed_out_wherever_it_is_cut(void **state)
{
	(void)state;
	for (size_t step = 1; step < 9; step++) {
		refused("\x20\x03\0\0\0\x36\x02\0\0", 9, step);
		refused("\x20\x03\0\0\0\x30\x80\x80\x80\x80\x01", 11, step);
		refused("\x20\x03\0\0\0\x32\x8d\x80\x08", 9, step);
		refused("\x32\x06\0\1t\0\1\0", 8, step); /* before its hello */
		refused("\x20\x05\0\0\x02\x7f\0", 7, step);
	}
}

/* As a slow broker sends it: nothing of it is handed out before its last byte is there. */
static void
the_largest_packet_is_handed_out_once_it_is_whole(void **state)
{
	static unsigned char sent[MQTT_PACKET_BYTES_TOLD], got[MQTT_PACKET_BYTES_TOLD];
	size_t body = sizeof(sent) - 4, at = 0, read_back = 0;

	(void)state;
	join(SOCK_STREAM);
	greet();
	memset(sent, 'x', sizeof(sent));
	sent[0] = 0x32;
	for (int i = 0; i < 3; i++)
		sent[1 + i] = (unsigned char)((body >> 7 * i & 0x7f) | (i < 2 ? 0x80 : 0));
	memcpy(sent + 4, "\0\1t\0\1\0", 6);
	while (at < sizeof(sent)) {
		size_t step = sizeof(sent) - at > 5000 ? 5000 : sizeof(sent) - at;

		assert_int_equal(read(ours, got, sizeof(got)), -1);
		assert_int_equal(errno, EAGAIN);
		send_bytes(sent + at, step);
		at += step;
		mqtt_wire_awake();
	}
	while (read_back < sizeof(got)) {
		ssize_t took = read(ours, got + read_back, sizeof(got) - read_back);

		assert_true(took > 0);
		read_back += (size_t)took;
	}
	assert_memory_equal(got, sent, sizeof(sent));
	part();
}

static void
other_files_are_as_they_were(void **state)
{
	int pipes[2], status;
	char got[8];
	pid_t child;

	(void)state;
	join(SOCK_STREAM);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], "plain", 5), 5);
	assert_int_equal(read(pipes[0], got, sizeof(got)), 5);
	/* In a child the socket's number is a file's. */
	child = fork();
	if (child == 0) {
		dup2(pipes[1], ours);
		_exit(mqtt_wire_fd() == -1 && write(ours, "child", 5) == 5 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(read(pipes[0], got, sizeof(got)), 5);
	assert_memory_equal(got, "child", 5);
	/* And when the library has closed it, the next file may have its number. */
	close(ours);
	assert_int_equal(mqtt_wire_fd(), -1);
	close(brokers);
	close(pipes[0]);
	close(pipes[1]);
}

/* ---- TLS ---- */

/* What a connection has decrypted: a piece for each call, then what SSL_read() says of none. */
static struct {
	const unsigned char *bytes;
	size_t len, piece;
	int asked, none;
} tls;

static int
decrypted(void *ssl, void *at, int size)
{
	size_t len = tls.len < tls.piece ? tls.len : tls.piece;

	assert_ptr_equal(ssl, &tls);
	tls.asked++;
	if (len > (size_t)size)
		len = (size_t)size;
	if (len == 0)
		return tls.none;
	memcpy(at, tls.bytes, len);
	tls.bytes += len;
	tls.len -= len;
	return (int)len;
}

static void
begin_tls(const void *bytes, size_t len, size_t piece)
{
	assert_true(mqtt_wire_open_tls(ours));
	assert_int_equal(mqtt_wire_fd(), -1);
	assert_int_equal(mqtt_wire_tls_fd(), ours);
	tls.bytes = bytes;
	tls.len = len;
	tls.piece = piece;
	tls.asked = 0;
	tls.none = -1;
	mqtt_wire_awake();
}

/* However the records are cut: none is handed out before it is whole, and what the library asks the connection of, when there is
 * nothing, was said by the connection. */
static void
in_tls_whole_packets_are_handed_out_and_what_no_broker_sends_is_not(void **state)
{
	static const unsigned char good[] = "\x20\x03\0\0\0\xd0\0\x40\x02\0\x07";
	static const unsigned char bad[] = "\x20\x03\0\0\0\x36\x06\0\x01\x61\0\x01\x78\xd0\0";
	unsigned char got[64];

	(void)state;
	join(SOCK_STREAM);
	for (size_t piece = 1; piece <= 11; piece++) {
		size_t len = 0;
		int rc;

		begin_tls(good, 11, piece);
		/* The library reads a head, then its rest. */
		while ((rc = mqtt_wire_tls_read(decrypted, &tls, got + len, 2)) > 0)
			len += (size_t)rc;
		assert_int_equal(rc, -1);
		assert_int_equal(len, 11);
		assert_memory_equal(got, good, 11);
		assert_null(mqtt_wire_refused());
		assert_false(mqtt_wire_more());
		assert_false(mqtt_wire_left());
		/* Half of the next one is nothing yet. */
		tls.bytes = good + 5;
		tls.len = 1;
		mqtt_wire_awake();
		assert_int_equal(mqtt_wire_tls_read(decrypted, &tls, got, 2), -1);
		assert_int_equal(mqtt_wire_unread(), 0);
		tls.bytes = good + 6;
		tls.len = 1;
		assert_int_equal(mqtt_wire_tls_read(decrypted, &tls, got, 2), 2);
		assert_true(mqtt_wire_left());
		/* The broker hangs up. */
		tls.none = 0;
		assert_int_equal(mqtt_wire_tls_read(decrypted, &tls, got, 2), 0);

		begin_tls(bad, 15, piece);
		len = 0;
		while ((rc = mqtt_wire_tls_read(decrypted, &tls, got, sizeof(got))) > 0)
			len += (size_t)rc;
		assert_true(rc < 0 && len <= 5);
		assert_string_equal(mqtt_wire_refused(), "a message of QoS 3");
		int asked = tls.asked;
		assert_true(mqtt_wire_tls_read(decrypted, &tls, got, sizeof(got)) < 0);
		assert_int_equal(tls.asked, asked);
	}
	part();
	assert_int_equal(mqtt_wire_tls_fd(), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    in_tls_whole_packets_are_handed_out_and_what_no_broker_sends_is_not),
		cmocka_unit_test(what_is_there_is_read_at_once_and_handed_out_in_pieces),
		cmocka_unit_test(a_turn_s_packets_are_one_write_and_only_when_they_may_leave),
		cmocka_unit_test(what_the_broker_does_not_take_yet_waits_and_is_not_lost),
		cmocka_unit_test(what_no_broker_sends_is_not_handed_out_wherever_it_is_cut),
		cmocka_unit_test(the_largest_packet_is_handed_out_once_it_is_whole),
		cmocka_unit_test(other_files_are_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
