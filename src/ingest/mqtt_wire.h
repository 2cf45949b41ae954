/* SPDX-License-Identifier: Apache-2.0
 *
 * mqtt_wire.h - the bytes between libmosquitto and the store's broker: read at once, looked at, written at once.
 */
#ifndef AISLE_INGEST_MQTT_WIRE_H
#define AISLE_INGEST_MQTT_WIRE_H

#include <sys/types.h>

#include "aisle/base.h"

/* From now on the library's read() and write() of this socket, which is non-blocking and carries plain MQTT, come by
 * here. false: nobody stands before the C library's (aisled_wire.c), the library reads and writes by itself. */
bool mqtt_wire_open(int fd);
/* The same of a socket that carries it in TLS: the library's SSL_read() comes by here; what it writes leaves as it did. */
bool mqtt_wire_open_tls(int fd);
void mqtt_wire_close(void);
int mqtt_wire_fd(void); /* -1: none is open */

/* The socket is readable: before the first read of a round. */
void mqtt_wire_awake(void);
/* Is there more of this round? When not, one more read is answered with EAGAIN, without asking the kernel. */
bool mqtt_wire_more(void);
/* Read from the kernel, and not taken yet. */
size_t mqtt_wire_unread(void);
/* Is there any of it, or more in TLS? Nothing will say that it is readable. */
bool mqtt_wire_left(void);

/* What the library wrote leaves; 0 also when the socket takes no more for now. */
int mqtt_wire_flush(void) AISLE_MUST_CHECK;
size_t mqtt_wire_unsent(void);

/* What the broker sent that no broker sends (a literal), on this connection or the one that was closed; NULL: nothing. */
const char *mqtt_wire_refused(void);

/* As read() and write(). EPROTO: something was refused, and nothing is handed out any more. */
ssize_t mqtt_wire_read(void *at, size_t size);
ssize_t mqtt_wire_write(const void *bytes, size_t size);

/* aisled_wire.c stands before the library's SSL_read(), for the connection whose socket is mqtt_wire_tls_fd(). */
void mqtt_wire_has_tls(void);
int mqtt_wire_tls_fd(void); /* -1: none is open */
/* As SSL_read(), which real is; ssl is handed to it. What is refused is an error that the connection says nothing of. */
typedef int (*mqtt_wire_tls_fn)(void *ssl, void *at, int size);
int mqtt_wire_tls_read(mqtt_wire_tls_fn real, void *ssl, void *at, int size);

#endif
