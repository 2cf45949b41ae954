/* SPDX-License-Identifier: Apache-2.0
 *
 * session.h - events to visits and baskets. Pure.
 */
#ifndef AISLE_SESSION_SESSION_H
#define AISLE_SESSION_SESSION_H

#include "aisle/event.h"
#include "nouns/visit.h"

#define CARD_WAIT_MS (120 * S_MS) /* a card without basket joins the next one within this */

/* The visits in memory: all that are not over, and those the spine loaded for one turn. */
struct sessions;
struct sessions *sessions_new(void);
void sessions_free(struct sessions *sessions); /* frees the visits too */
/* takes ownership; replaces one of the same id */
void sessions_add(struct sessions *sessions, struct visit *visit);
void sessions_remove(struct sessions *sessions, struct visit *visit); /* frees it */
struct visit *sessions_by_id(const struct sessions *sessions, const struct id *id);
/* A till's word at a time: the newest basket of that number, at that terminal then, that began not
 * after it, else the oldest; NULL. A card that waits for its basket is none yet. */
struct visit *sessions_basket(const struct sessions *sessions, const char *terminal,
    const char *number, int64_t at_ms);
/* Where no terminal speaks: the newest of that number at a station; NULL. */
struct visit *sessions_number_at(const struct sessions *sessions, const char *station,
    const char *number);
/* The newest visit of that number that want says yes to, wherever it is; NULL. */
struct visit *sessions_of_number(const struct sessions *sessions, const char *number,
    bool (*want)(const void *ctx, const struct visit *visit), const void *ctx);
/* The newest of that number, wherever it is; NULL. */
struct visit *sessions_by_basket(const struct sessions *sessions, const char *basket);
/* The visit in front of the associate: the newest WAITING, OPEN or TENDER one at a station;
 * NULL. */
struct visit *sessions_at_station(const struct sessions *sessions, const char *station);
/* same, by terminal */
struct visit *sessions_at_terminal(const struct sessions *sessions, const char *terminal);
/* The newest visit at a station that want says yes to; NULL. */
struct visit *sessions_newest(const struct sessions *sessions, const char *station,
    bool (*want)(const struct visit *visit));
/* The newest WAITING, OPEN, SUSPENDED or TENDER visit of a subject; NULL. */
struct visit *sessions_by_subject(const struct sessions *sessions, const struct id *subject);
/* After basket or station of a visit was changed by other than session_apply. */
void sessions_touch(struct sessions *sessions, const struct visit *visit);
size_t sessions_count(const struct sessions *sessions);
/* Every visit, ascending by id. fn may not add or remove. */
void sessions_each(const struct sessions *sessions, void (*fn)(void *ctx, struct visit *visit),
    void *ctx);

enum session_effect {
	/* a basket (visit) began, or a WAITING one got its basket */
	EFFECT_OPENED = 1 << 0,
	EFFECT_LINES = 1 << 1,	    /* lines changed in an open basket */
	EFFECT_IDENTIFIED = 1 << 2, /* visit->subject was set by this event */
	/* another subject was there before: withdraw its guidance */
	EFFECT_REPLACED = 1 << 3,
	EFFECT_SUSPENDED = 1 << 4,
	EFFECT_RESUMED = 1 << 5,
	EFFECT_TENDER = 1 << 6,
	EFFECT_DECLINED = 1 << 7,
	EFFECT_CLOSED = 1 << 8,
	EFFECT_CANCELLED = 1 << 9,
	/* recalled at another terminal: old_station holds the former */
	EFFECT_MOVED = 1 << 10,
	EFFECT_LATE_LINES = 1 << 11, /* lines after closed: history only, no trigger */
	EFFECT_LEFT = 1 << 12,	     /* customer.left, or a WAITING card replaced by another */
	/* understood, changes nothing (void of nothing after cancelled, close of closed …) */
	EFFECT_IGNORED = 1 << 13,
	EFFECT_AGAIN = 1 << 14,	   /* with OPENED: the number was another basket's before */
	EFFECT_RECALL = 1 << 15,   /* a recall that found no suspended sale: it may still come */
	EFFECT_TRAINING = 1 << 16, /* it turned out to be no sale */
};
/* A visit that changed beside the one that the event is about. */
struct session_also {
	struct visit *visit;
	/* IDENTIFIED, REPLACED, LATE_LINES; of one that the event's turned out to be two of, OPENED,
	 * AGAIN, and what it had come to */
	unsigned effects;
	struct id former; /* with REPLACED */
};
#define SESSION_ALSO_MAX 4
struct session_result {
	/* REJECT_BAD_VALUE (too many lines); else REJECT_NONE */
	enum reject reject;
	char detail[160];
	struct visit *visit; /* the visit it is about; NULL: about none */
	/* a visit that ended, or became part of visit: remove it after use; NULL */
	struct visit *gone;
	struct session_also also[SESSION_ALSO_MAX];
	size_t also_count;
	char old_station[NAME_SIZE];
	struct id former; /* with EFFECT_REPLACED: whose visit it was */
	unsigned effects;
};
/* Applies one event. station: the event's station, resolved ([stations], data.station). visit_id:
 * the id a new visit gets. Events that are not about a visit give visit NULL and effects 0.
 * Baskets of its number that are not in memory: the spine loads and adds them before the call, back
 * to the one that began not after its time. */
void session_apply(struct sessions *sessions, const struct event *event, const char *station,
    const struct id *visit_id, struct session_result *ret);
/* A WAITING visit whose card found no basket in CARD_WAIT_MS: is it due at now? */
bool session_wait_over(const struct visit *visit, int64_t now_ms);

#endif
