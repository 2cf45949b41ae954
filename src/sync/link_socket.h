/* SPDX-License-Identifier: Apache-2.0
 *
 * link_socket.h - how aisled and a link that is a unit of its own come to their stream.
 */
#ifndef AISLE_SYNC_LINK_SOCKET_H
#define AISLE_SYNC_LINK_SOCKET_H

#include "aisle/base.h"

/* Where the link's unit listens, as aisled's unit says; not set: aisled starts a link itself. */
#define LINK_SOCKET_ENV "AISLE_LINK"

/* aisled's side: a stream to who listens at path, root (the service manager) or our own user; the
 * caller's. Else negative, with err. */
int link_call(const char *path, struct err *err) AISLE_MUST_CHECK;
/* The link's side: fd itself where it is the stream. Where it is a socket that listens: the first call
 * of the user to whom the socket belongs, or of root; fd is closed then. Negative: nobody called. */
int link_answer(int fd) AISLE_MUST_CHECK;

#endif
