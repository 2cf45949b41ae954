/* SPDX-License-Identifier: Apache-2.0
 *
 * event_key.h - what names an event once.
 */
#ifndef AISLE_NOUNS_EVENT_KEY_H
#define AISLE_NOUNS_EVENT_KEY_H

#include "aisle/event.h"

const char *event_channel_name(enum channel channel); /* "pos", as in a topic */
/* Its sender, source and id, hashed. */
struct id event_key(const struct event *event);

#endif
