/* SPDX-License-Identifier: Apache-2.0
 *
 * session_fixture.h - a lane in a few lines: events of a till, one after the other.
 */
#ifndef AISLE_TESTS_SESSION_FIXTURE_H
#define AISLE_TESTS_SESSION_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/id.h"
#include "session/session.h"

#define T0 (INT64_C(20000) * D_MS)

struct lane {
	struct sessions *sessions;
	struct session_result r;
	int64_t now_ms;
	int64_t at_ms;	 /* of the next events; 0: they happen as they come */
	unsigned events; /* each makes its own visit id */
};

static inline struct id
id_of(unsigned n)
{
	struct id id = { { 0 } };

	id.b[0] = 1;
	id.b[14] = (uint8_t)(n >> 8);
	id.b[15] = (uint8_t)n;
	return id;
}

static inline struct id
person(char name)
{
	struct id id;

	memset(id.b, name, sizeof(id.b));
	return id;
}

static inline int
lane_init(void **state)
{
	struct lane *lane = calloc(1, sizeof(*lane));

	lane->sessions = sessions_new();
	lane->now_ms = T0;
	*state = lane;
	return 0;
}

static inline int
lane_done(void **state)
{
	struct lane *lane = *state;

	sessions_free(lane->sessions);
	free(lane);
	return 0;
}

/* One event a second, unless the test moves the clock itself. */
static inline struct visit *
lane_apply(struct lane *lane, struct event *event, const char *station)
{
	struct id id = id_of(++lane->events);

	lane->now_ms += S_MS;
	event->now_ms = lane->now_ms;
	event->time_ms = lane->at_ms != 0 ? lane->at_ms : lane->now_ms;
	session_apply(lane->sessions, event, station, &id, &lane->r);
	return lane->r.visit;
}

/* What a till says about a basket; its station has its own name. */
static inline struct visit *
till(struct lane *lane, const char *terminal, enum event_type type, const char *basket)
{
	struct event event = {
		.type = type, .channel = CHANNEL_POS, .origin = terminal, .basket = basket
	};

	return lane_apply(lane, &event, terminal);
}

static inline struct visit *
scan(struct lane *lane, const char *terminal, const char *basket, int64_t line, int64_t amount)
{
	struct event event = { .type = EV_BASKET_ITEM_ADDED,
		.channel = CHANNEL_POS,
		.origin = terminal,
		.basket = basket,
		.item = { .line = line,
		    .item = "05012345678900",
		    .category = "grocery/coffee",
		    .brand = "acme",
		    .qty_milli = 1000,
		    .amount_minor = amount } };

	return lane_apply(lane, &event, terminal);
}

static inline struct visit *
unscan(struct lane *lane, const char *terminal, const char *basket, int64_t line)
{
	struct event event = { .type = EV_BASKET_ITEM_VOIDED,
		.channel = CHANNEL_POS,
		.origin = terminal,
		.basket = basket,
		.item = { .line = line } };

	return lane_apply(lane, &event, terminal);
}

/* Of all lines but one, or but none (except below 0). */
static inline struct visit *
unscan_rest(struct lane *lane, const char *terminal, const char *basket, int64_t except)
{
	struct event event = { .type = EV_BASKET_ITEM_VOIDED,
		.channel = CHANNEL_POS,
		.origin = terminal,
		.basket = basket,
		.void_of = VOID_REST,
		.except = &except,
		.except_count = except >= 0 };

	return lane_apply(lane, &event, terminal);
}

/* The newest line of the article of scan(). */
static inline struct visit *
unscan_article(struct lane *lane, const char *terminal, const char *basket, int64_t qty_milli)
{
	struct event event = { .type = EV_BASKET_ITEM_VOIDED,
		.channel = CHANNEL_POS,
		.origin = terminal,
		.basket = basket,
		.void_of = VOID_ARTICLE,
		.item = { .item = "05012345678900", .qty_milli = qty_milli } };

	return lane_apply(lane, &event, terminal);
}

static inline struct visit *
pay(struct lane *lane, const char *terminal, const char *basket, int64_t total)
{
	struct event event = { .type = EV_BASKET_CLOSED,
		.channel = CHANNEL_POS,
		.origin = terminal,
		.basket = basket,
		.total_minor = total };

	return lane_apply(lane, &event, terminal);
}

/* A loyalty card at a station; basket NULL: it names none. */
static inline struct visit *
card(struct lane *lane, const char *station, char who, const char *basket)
{
	struct event event = { .type = EV_CUSTOMER_IDENTIFIED,
		.channel = CHANNEL_LOYALTY,
		.origin = "reader",
		.has_subject = true,
		.subject = person(who),
		.basket = basket,
		.station = station };

	return lane_apply(lane, &event, station);
}

static inline void
drop_gone(struct lane *lane)
{
	if (lane->r.gone != NULL)
		sessions_remove(lane->sessions, lane->r.gone);
	lane->r.gone = NULL;
}

static inline int64_t
live_total(const struct visit *visit)
{
	int64_t total = 0;

	for (size_t i = 0; i < visit->line_count; i++)
		total += visit->lines[i].voided ? 0 : visit->lines[i].amount_minor;
	return total;
}

#endif
