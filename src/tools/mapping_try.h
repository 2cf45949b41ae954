/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_try.h - what a mapping makes of a message, without a store.
 */
#ifndef AISLE_TOOLS_MAPPING_TRY_H
#define AISLE_TOOLS_MAPPING_TRY_H

#include "core/buf.h"

struct mapping_try {
	const char *mapping, *payload; /* files; payload NULL: stdin */
	const char *topic;	       /* NULL: the mapping's, with 1 for each + */
	const char *currency, *zone;   /* the store's */
	bool json;
};

/* Appends to out the events, one a line, or with json one object; to report what is wrong with the
 * mapping, the message or an event, a line each, as strict as the daemon. 0: all of it would be
 * taken; AISLE_E_INVALID: not; AISLE_E_IO. */
int mapping_try(const struct mapping_try *options, struct buf *out, struct buf *report);

#endif
