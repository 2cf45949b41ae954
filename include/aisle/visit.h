/* SPDX-License-Identifier: Apache-2.0
 *
 * visit.h - one customer's time at a station: basket, cards, what went wrong.
 *
 * DESIGN
 *   A visit holds at most one basket. A basket opened without a card is an
 *   anonymous visit that a later scan joins; a card without a basket is a
 *   visit that waits for one. Everything the engine remembers of a visit is
 *   in this struct, so that saving and loading it is the whole of persistence.
 *
 * TIME
 *   What happened last wins: members in *_at_ms are times of events, as their
 *   senders say; the others are the engine's own, by arrival.
 *
 * OWNERSHIP
 *   A visit owns its strings and arrays (visit_free). Bounds: VISIT_LINES_MAX
 *   lines, VISIT_CARDS_MAX cards, VISIT_CONTACTS_MAX contacts,
 *   VISIT_LISTINGS_MAX listings.
 *
 * PLACES
 *   A card that is gone keeps its place only while something may still come of
 *   it (spine/places.c). VISIT_CARDS_RESERVED places, as many as one decision
 *   can fill, are for mandatory cards. An action that finds no place has the
 *   fate no-room, before the draw: nothing is offered that cannot be shown.
 */
#ifndef AISLE_VISIT_H
#define AISLE_VISIT_H

#include "aisle/base.h"
#include "aisle/contact.h"
#include "aisle/event.h"

#define VISIT_LINES_MAX 2000
#define VISIT_CARDS_MAX 512
#define VISIT_CARDS_LIVE_MAX 128 /* of them those that are not gone */
#define VISIT_CARDS_RESERVED 40	 /* of both for mandatory ones */
#define NAME_SIZE 33		 /* store, station, terminal, tablet: 32 characters */

enum visit_state {
	VISIT_WAITING, /* a card and no basket yet */
	VISIT_OPEN,
	VISIT_SUSPENDED,
	VISIT_TENDER,
	VISIT_CLOSED,
	VISIT_CANCELLED,
};

struct line {
	int64_t line;
	int64_t added_ms;		   /* arrival of the event that set it */
	int64_t time_ms;		   /* when that happened, as the till says */
	int64_t first_ms, first_qty_milli; /* of its oldest version */
	int64_t void_ms;		   /* of the last void, with void_said */
	int64_t taken_ms;		   /* of the void by article that took it; 0: none */
	bool void_said;
	bool void_first; /* it came before any version, and cancels the next one of its own time */
	int64_t qty_milli, amount_minor, margin_minor, discount_minor;
	bool has_margin, restricted;
	bool void_own;	 /* with taken_ms: is it void besides */
	bool voided;	 /* does not count; also a void that came before its line */
	char item[20];	 /* GTIN-14, or "" */
	int best_before; /* days since 1970; 0: none */
	/* NULL: none; category never NULL. A line with a sku is named by it: see line_item() */
	char *sku, *category, *brand, *name, *batch;
	enum mark mark; /* of the article itself, as the catalog of its moment had it */
	char *own;	/* discounts of ours in it, "TOKEN=MINOR" with blanks between; NULL: none */
};

/* A void that names an article: which line that is hangs on all that is known of the basket's lines. */
struct article_void {
	char *article; /* as line_item() */
	int64_t qty_milli, at_ms;
	int64_t line; /* that it took; with used */
	bool used;    /* for good: there is a newer version of it since */
};
#define VISIT_ARTICLE_VOIDS_MAX 64

/* Goods of the basket that came back: what of its lines they were is worked out anew with each look
 * (nouns/net.h), so that it does not matter what was heard of first. */
struct back {
	struct id ret; /* the return's number, hashed */
	char *item;    /* as line_item() */
	int64_t qty_milli, amount_minor;
};
#define VISIT_BACKS_MAX 1024

enum card_state {
	CARD_OPEN,
	/* dismissed, snoozed, overridden, or accepted with nothing to ask of the till */
	CARD_ANSWERED,
	CARD_ASKED, /* accepted, the till has been asked */
	CARD_APPLIED,
	CARD_REFUSED,
	CARD_GONE, /* expired or withdrawn */
};

enum card_answer { ANSWER_NONE, ANSWER_ACCEPT, ANSWER_DISMISS, ANSWER_SNOOZE, ANSWER_OVERRIDE };

/* One prompt: an action chosen for one slot. */
struct card {
	struct id prompt, decision, guidance;
	struct id
	    former; /* whose it was, when another customer has come since; zero: the visit's */
	char *action, *group, *issue, *treatment;
	char *item; /* what an action of a family named; NULL: its action's own goods */
	bool item_is_category;
	int placement, slot;		 /* enum placement; slot from 1 */
	int kind, gate;			 /* enum kind, enum gate */
	int64_t depth;			 /* 0: no offer */
	int64_t worth_minor, hold_minor; /* hold: what budgets count; < 0: nothing */
	/* what the till took off with it and may still take back; see hold.c */
	int64_t redeemed_minor, held_ms, spent_ms;
	int64_t promised_minor; /* what the till was asked for, as the customer was told */
	int64_t most_minor;	/* it can take off; what a till says beyond that is not believed */
	int64_t said_minor;	/* as the till said redeemed_minor */
	struct id paid_in;	/* the visit that it was paid with in; zero: in none yet */
	char *paid_basket;	/* and the number of its basket */
	int64_t returned_minor; /* of redeemed_minor, what lay on goods that came back */
	enum card_state state;
	enum card_answer answer;
	bool withheld;	/* recorded, not to be seen */
	bool concealed; /* withheld since its customer is known; a stranger had seen it */
	bool shown;	/* the tablet said so */
	bool redeemed;	/* paid with, and not all taken back */
	bool elsewhere; /* paid with in another basket than the visit's own */
	bool voided;	/* its sale was cancelled after it was paid, which took the money back */
	bool denied;	/* the till has refused it, and said nothing else since */
	bool silent;	/* refused: by saying nothing. Until the till speaks after all */
	bool bought;	/* the close of its basket has said so */
	bool late;	/* accepted after tender: nothing was sent */
	bool spent;	/* taken back after its sale: the token is good no more */
	int64_t sent_ms, shown_ms, answered_ms;
	int64_t expires_ms;
	int64_t outcome_due_ms; /* end of the outcome's window; 0: at the basket's close */
	int64_t snooze_until_ms;
	bool overdue; /* that has come, and there was nobody to show it to */
	/* canonical JSON of the answer: the same again is 200, another 409 */
	char *answer_body;
	/* of the limit that was reached when it was to be taken: the same answer gets it again; NULL */
	char *closed_by;
	struct id answer_decision; /* unused without one */
	struct id token, command;  /* zero: none */
	int64_t until_ms;	   /* the token lives beyond its basket, until then; 0: not */
	int64_t asked_ms;
	/* the prompt object as it is sent, without "state" and "choices" */
	char *json;
	double confidence; /* p1 */
};

/* An `opened`. Of several the later ones may turn out to have given the number again. */
#define VISIT_OPENS_MAX 4
struct opening {
	int64_t at_ms, heard_ms; /* as the till says; arrival */
	bool training;
};

/* A card that gave way to the one that is the customer's. */
#define VISIT_READS_MAX 4
struct card_read {
	struct id subject;
	int64_t at_ms;
	bool named;
};

/* An action on a drawn shortlist: with what chance, what was expected of it, and what came of it. */
struct listing {
	char *action, *treatment; /* treatment NULL: it was not drawn */
	int64_t depth;		  /* 0: no offer */
	double p, p1, p0, margin, cost;
	bool drawn, withheld;
	int64_t due_ms;	 /* end of its outcome's window; 0: with the visit */
	int64_t told_ms; /* headquarters heard of it first; 0: not yet */
	/* as headquarters heard of it last */
	int rev;
	bool shown, other, bought;
	int64_t amount_minor;
};

/* A slot that was drawn, with those of its actions that the visit had not listed there before. */
struct shortlist {
	struct id decision, bundle[2]; /* bundle: the policy's hash, zero: it has none */
	struct id visit; /* that headquarters knows it by: its first one, once it was told */
	int placement, slot;
	int64_t at_ms;
	double cost_max, p_nothing;
	bool counted;		  /* the first one there with a card on it: all of it is here */
	bool nothing;		  /* was drawn */
	struct listing *listings; /* in the order of the shortlist */
	size_t listing_count;
};
#define SHORTLIST_LISTINGS_MAX 64
#define VISIT_LISTINGS_MAX 512 /* of all shortlists of a visit */

struct visit {
	struct id id;
	enum visit_state state;
	char station[NAME_SIZE];
	char terminal[NAME_SIZE]; /* "" while WAITING */
	char *basket;		  /* NULL while WAITING */
	char *associate;	  /* NULL: unknown */
	bool training;
	bool opened; /* basket.opened was seen */
	bool has_subject;
	bool in_history; /* its purchase was written to the subject's history */
	struct id subject;
	struct id counted; /* whose basket of the day it was counted as; zero: nobody's */
	char *language;	   /* of the profile, once known; NULL: the policy's first */
	int64_t opened_ms, last_ms, closed_ms, identified_ms;
	/* Times of events; 0: none yet. */
	int64_t began_at_ms; /* of its first event */
	int64_t state_at_ms; /* of what brought it into its state */
	int64_t ended_at_ms; /* of its close or cancellation */
	int64_t
	    rest_at_ms; /* of the last void of all lines but some: lines that are older are void */
	int64_t card_at_ms; /* when its customer's card was read */
	bool card_named;    /* with the number of the basket */
	bool missed; /* a card that found no basket while it waited, and still may by its time */
	int64_t paying_at_ms; /* since then it is, or was at its end, being paid; 0: it is not */
	/* Whose it was, by the times of the cards, ascending: theirs again should the newer card turn
	 * out to be another basket's. */
	struct card_read reads[VISIT_READS_MAX];
	size_t read_count;
	/* The basket that began before it at its station, and where it was recalled from; zero: none. */
	struct id along, along_from;
	struct id
	    beside; /* the card that was read before it, with no basket, at its station; zero: none */
	/* The sale was recalled: where it was suspended, and until when that till's word was about it. */
	char from[NAME_SIZE], from_station[NAME_SIZE];
	int64_t left_at_ms;
	int64_t parked_at_ms; /* since when it was suspended there */
	/* A recall that has found no suspended sale yet; by whom "" is anybody. */
	char recall_from[NAME_SIZE];
	int64_t recall_at_ms;
	/* The basket of the same number before it, at its terminal, and where it was recalled from; zero: none. */
	struct id before, before_from;
	struct id alike;     /* and the one before it in the store, wherever that was */
	int64_t total_minor; /* as the till closed it */
	int voids, declines, returns;
	int decisions;	    /* taken so far */
	int paid_tokens;    /* of other baskets, that were paid with in this one */
	struct line *lines; /* ascending by (added order); one per line number */
	size_t line_count;
	/* Of its numbers what gave way since it was opened once more: a line's of the sale before, should
	 * it be two. */
	struct line *olds;
	size_t old_count;
	struct article_void *article_voids; /* ascending by time */
	size_t article_void_count;
	struct opening opens[VISIT_OPENS_MAX]; /* ascending; the first, and the newest others */
	size_t open_count;
	int64_t sold_ms; /* the time of its close, as the till says it; 0: not closed */
	struct back *backs;
	size_t back_count;
	struct id guidance; /* current Guidance of this basket; zero: none was sent */
	int64_t guidance_at_ms;
	struct card *cards; /* in order of creation */
	size_t card_count;
	struct shortlist *shortlists; /* ascending by time; each has listings */
	size_t shortlist_count;
	int64_t drew; /* a bit for each of its places where a card was drawn for, from a share */
	/* for headquarters, as of the close: a JSON object; NULL: nothing was sent */
	char *arms;
	bool control;
	int64_t elsewhere_minor; /* paid with tokens of other visits */
	/* of an anonymous visit; joined to the subject's on identification */
	struct contacts contacts;
	/* not saved */
	bool dirty;
	size_t line_bytes; /* of its lines and their texts, in memory */
	/* what the engine's sums have of it, and in which slot of them */
	size_t weighed_bytes, weighed_slot;
};

/* How many more cards fit; the last VISIT_CARDS_RESERVED are not for ordinary ones. */
size_t visit_card_room(const struct visit *visit);

#endif
