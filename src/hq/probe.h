/* SPDX-License-Identifier: Apache-2.0
 *
 * probe.h - does an address answer? Asked without waiting for it.
 */
#ifndef AISLE_HQ_PROBE_H
#define AISLE_HQ_PROBE_H

#include "aisle/base.h"

/* A socket that is being connected, or -1. Resolving the name may block. */
int probe_begin(const char *host, int port);
/* 1: it answers, 0: not yet, -1: it does not. Not for -1. */
int probe_answer(int fd);

#endif
