/* SPDX-License-Identifier: Apache-2.0
 *
 * session_call.h - one call of session_apply, for the files that handle an event.
 */
#ifndef AISLE_SESSION_SESSION_CALL_H
#define AISLE_SESSION_SESSION_CALL_H

#include "session/session.h"

struct call {
	struct sessions *sessions;
	const struct event *event;
	const char *station;
	const struct id *visit_id;
	struct session_result *ret;
};

/* call.c */
/* A new visit at the event's station, in state WAITING, in the table. */
struct visit *call_new_visit(const struct call *call);
/* It changes with the event's own visit. */
struct session_also *call_also(const struct call *call, struct visit *visit);
void call_touch(const struct call *call, struct visit *visit); /* dirty, last_ms */
/* The basket that an event names: of a till at that till, by its time; else the newest of that number
 * at its station. NULL: none, or no number. */
struct visit *call_basket(const struct call *call);
void visit_set_text(char *to, const char *from); /* station or terminal, cut at NAME_SIZE */

/* lines.c: a version, a void of a line. true: what counts has changed. */
bool line_add(struct line *line, const struct event *event);
bool line_is_known(const struct line *line); /* by more than its number */
bool line_void(struct line *line, int64_t at_ms);
/* Of all lines but some: what was added before that time does not count, whenever it comes. */
bool line_void_rest(struct line *line, int64_t at_ms);
/* Versions and voids become those of another basket; of two versions the newer. */
void lines_take(struct visit *into, struct visit *from);

/* articles.c. Around each change of lines: voids by article are taken back, and asked again. true: what
 * counts is another than it was; changed, where there are none. */
uint64_t articles_lift(struct visit *visit, const struct event *event);
bool articles_settle(struct visit *visit, uint64_t mark, bool changed);
void articles_void(struct visit *visit, const struct event *event); /* one more; in between */
/* Those since then become another basket's; in between, for both. */
void articles_take(struct visit *into, struct visit *from, int64_t since_ms);

/* parts.c. Something of that time is about to be said of a line: what it was is kept if that was in an
 * earlier part of a basket that was opened more than once. What it was when that part was the newest
 * one, to be told the same; NULL: nothing else, the line is what is meant. */
struct line *parts_old(struct visit *visit, const struct line *line, int64_t at_ms);
/* What was said of the lines of former since that time becomes rest's; true: there was any. */
bool parts_take(struct visit *rest, struct visit *former, int64_t at_ms);

/* again.c. The event is an `opened` of this visit. */
void again_note(const struct call *call, struct visit *visit);
/* The number is given again: it was opened after its basket had ended. */
bool again_is(const struct event *event, const struct visit *visit);
/* next has begun so: what was taken for the former's, and happened since, is its. */
void again_begun(const struct call *call, struct visit *former, struct visit *next);
/* The first `opened` after that time, but the one that began it; NULL. */
const struct opening *again_after(const struct visit *visit, int64_t at_ms);
/* It is two, since there was an end before that. The effects on the one that it began. */
struct session_also *again_part(const struct call *call, struct visit *former,
    const struct opening *opening);

void basket_apply(const struct call *call); /* aisle.basket.* */

/* recall.c. May this event bring a sale here that is suspended elsewhere? */
bool recall_is(const struct event *event);
/* own: what was begun here for it already; NULL: nothing. The sale, if it is there, else NULL. */
struct visit *recall_take(const struct call *call, struct visit *own);
/* It is over, and another till has one of its number that may have been suspended. */
bool recall_may_come(const struct call *call, const struct visit *own);
/* There was none yet: visit, which stands for it, waits for the word that it was suspended. */
void recall_wait(const struct call *call, struct visit *visit);
/* A sale was suspended; was it recalled elsewhere before that was heard? */
void recall_late(const struct call *call, struct visit *sale);

/* whose.c. One more card gave way to the customer's. */
void whose_note(struct visit *visit, const struct card_read *card);
/* Does a card of that time win over the customer's? After the end the first does that came at all. */
bool whose_is_newer(const struct visit *visit, int64_t at_ms);
/* The effects on the visit; of REPLACED whose it was. */
unsigned whose_take(struct visit *visit, const struct card_read *card, int64_t now_ms,
    struct id *ret_former);
/* It is theirs again whose card was the last by that time. The effects, as above; 0: it is the same. */
unsigned whose_give_back(struct visit *visit, int64_t by_ms, struct id *ret_former);
/* The basket that the event's card, which names none, is of; NULL: it waits. */
struct visit *whose_basket(const struct call *call);

void identify_apply(const struct call *call);  /* aisle.customer.identified */
void identify_left(const struct call *call);   /* aisle.customer.left */
void identify_merged(const struct call *call); /* aisle.customer.merged */
/* Its customer is this one, whose card was read at that time. */
void identify_as(const struct call *call, struct visit *visit, const struct id *subject,
    int64_t at_ms, bool named);
/* A basket is about to begin: the visit of the card that waits for it; NULL. */
struct visit *identify_waiting(const struct call *call);
/* It is being paid, it is over: a card that was read later, and named no basket, is of another one. */
void identify_paying(const struct call *call, struct visit *visit);
void identify_ended(const struct call *call, struct visit *visit);
/* A basket came (back) to a station: an anonymous one takes the card that waits there. */
void identify_absorb(const struct call *call, struct visit *visit);

#endif
