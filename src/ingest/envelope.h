/* SPDX-License-Identifier: Apache-2.0
 *
 * envelope.h - bytes of a message to an event: topic, CloudEvents, types, values.
 *
 * Strict and bounded; pure (time and rate limits are the caller's inputs).
 *
 * Functions that give an event return 0, or AISLE_E_REFUSED with *ret_rejected
 * filled and *ret_event NULL.
 */
#ifndef AISLE_INGEST_ENVELOPE_H
#define AISLE_INGEST_ENVELOPE_H

#include "aisle/event.h"
#include "core/arena.h"

#define EVENT_BYTES_MAX 65536
#define EVENT_DISCOUNTS_MAX 64
#define EVENT_ITEMS_MAX 500
#define EVENT_EXCEPT_MAX 2000 /* lines that a void of all others names */

/* Where a message came in. */
struct route {
	enum channel channel;
	char origin[33]; /* terminal, reader, tablet; "care" */
	bool hello;	 /* tablet/{t}/hello, not an event */
	/* of a recorded line: an answer that came over HTTP, and from whom ("answered") */
	enum { ANSWERED_NOT, ANSWERED_BY_TABLET, ANSWERED_BY_MANAGER } answered;
};
/* topic "aisle/v1/{store}/pos/7/event". 0, or AISLE_E_NONE when it is no input of this store. */
int route_parse(const char *topic, const char *store, struct route *ret_route);
/* below the root: "pos/7/event" */
int route_parse_tail(const char *tail, struct route *ret_route);
/* The last two segments of a CloudEvents source: "/store/0042/pos/7"; ".../care"; "/mapping/NAME/7"
 * is pos/7. */
int route_from_source(const char *source, struct route *ret_route);

struct envelope_rules {
	const uint8_t *pepper; /* 32 bytes */
	/* the store's: another one is bad-value; NULL: any (feed check) */
	const char *currency;
	int64_t clock_past_ms, clock_ahead_ms; /* accepted time: [now - past, now + ahead] */
	bool clock_off;			       /* gateway's own time uncertain: no clock check */
	/* not from a wire: subject may stand for any card, and approved for an approval */
	bool recorded;
	/* Articles are looked up: a category that is not said is none of its mistakes. */
	bool catalog;
};
/* CloudEvents attributes that came as MQTT 5 user properties (binary mode). */
struct binary_attributes {
	size_t count;
	struct {
		const char *name, *value;
	} pair[32];
};

struct rejected {
	enum reject reason; /* REJECT_NONE: accepted */
	/* what, where ("/data/amount"), what was expected; no payload text of a person */
	char detail[200];
	char source[129], id[129]; /* of an envelope that could be read; else "" */
	bool receipt;		   /* it asked for a receipt */
	bool
	    taken; /* accepted all the same, as far as it can be true: the dead letter says what is not */
	unsigned bad_gtins; /* of an accepted event: GTINs that became a sku */
};
/* payload to *ret_event in arena. attributes NULL: structured mode. Unknown members are
 * added to *unknown_members. The card number in the payload is hashed and removed from
 * event->data. */
int envelope_parse(struct arena *arena, const struct envelope_rules *rules,
    const struct route *route, const struct binary_attributes *attributes, const void *payload,
    size_t len, int64_t now_ms, struct event **ret_event, struct rejected *ret_rejected,
    unsigned *unknown_members);
/* The same from a parsed event (of mapping_apply). root is borrowed; its data is changed: the card
 * goes. */
int envelope_parse_tree(struct arena *arena, const struct envelope_rules *rules,
    const struct route *route, struct json_t *root, int64_t now_ms, struct event **ret_event,
    struct rejected *ret_rejected, unsigned *unknown_members);
/* The data of an event whose type, channel and origin are known: an answer that came over HTTP.
 * Its own reference to data; its PIN is wiped there. */
int envelope_parse_data(struct arena *arena, const struct envelope_rules *rules,
    struct json_t *data, struct event *event, struct rejected *ret_rejected);
/* Ends an event: wipes its PIN, releases event->data (its own reference). Before the arena goes.
 * NULL: nothing. */
void event_done(struct event *event);

/* One line of a recorded file (replay, decide, feed check): like a message, its topic from the
 * extension attribute "topic" ("pos/7/event"), else the last two segments of source;
 * now from "recordedtime", else "time". Sets *ret_now_ms and *ret_route even if the event is
 * rejected
 * (0 and all zero where the line does not say). */
int envelope_parse_recorded(struct arena *arena, const struct envelope_rules *rules,
    const char *line, size_t len, struct route *ret_route, int64_t *ret_now_ms,
    struct event **ret_event, struct rejected *ret_rejected, unsigned *unknown_members);

#endif
