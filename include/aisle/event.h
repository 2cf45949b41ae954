/* SPDX-License-Identifier: Apache-2.0
 *
 * event.h - one thing that happened in the store, as the engine reads it.
 *
 * Types, names and fields are the contract of docs/integrating-a-till.md.
 */
#ifndef AISLE_EVENT_H
#define AISLE_EVENT_H

#include "aisle/base.h"

struct json_t;

/* All that an event's type decides on its way, in the order of the way:
 * X(constant, wire name, where it may come from, its fields (ingest/event_fields.c), what it does to a visit
 * (session/session.c) and to a customer (profile/subject.c), who takes it (spine/event.c)) */
/* clang-format off */
#define EVENT_TYPES(X) \
	X(BASKET_OPENED, "aisle.basket.opened", FROM_POS, opened, basket_apply, untouched, STAGES) \
	X(BASKET_ITEM_ADDED, "aisle.basket.item-added", FROM_POS, added, basket_apply, untouched, STAGES) \
	X(BASKET_ITEM_VOIDED, "aisle.basket.item-voided", FROM_POS, voided, basket_apply, untouched, STAGES) \
	X(BASKET_SUSPENDED, "aisle.basket.suspended", FROM_POS, basket, basket_apply, untouched, STAGES) \
	X(BASKET_RESUMED, "aisle.basket.resumed", FROM_POS, basket, basket_apply, untouched, STAGES) \
	X(BASKET_TENDER_STARTED, "aisle.basket.tender-started", FROM_POS, basket, basket_apply, untouched, STAGES) \
	X(BASKET_PAYMENT_DECLINED, "aisle.basket.payment-declined", FROM_POS, basket, basket_apply, untouched, STAGES) \
	X(BASKET_CANCELLED, "aisle.basket.cancelled", FROM_POS, basket, basket_apply, untouched, STAGES) \
	X(BASKET_CLOSED, "aisle.basket.closed", FROM_POS, closed, basket_apply, untouched, STAGES) \
	X(RETURN_COMPLETED, "aisle.return.completed", FROM_ANY, return, apply_return, returned, STAGES) \
	X(CUSTOMER_IDENTIFIED, "aisle.customer.identified", FROM_ANY, identified, identify_apply, untouched, STAGES) \
	X(CUSTOMER_ENROLLED, "aisle.customer.enrolled", FROM_ANY, customer, apply_station, enrolled, STAGES) \
	X(CUSTOMER_LEFT, "aisle.customer.left", FROM_ANY, customer, identify_left, untouched, STAGES) \
	X(CUSTOMER_MERGED, "aisle.customer.merged", FROM_ANY, merged, identify_merged, untouched, STAGES) \
	X(CONSENT_CHANGED, "aisle.consent.changed", FROM_ANY, consent, apply_subject, consent_change, STAGES) \
	X(CARE_CASE_OPENED, "aisle.care.case-opened", FROM_CARE, care, apply_subject, case_opened, STAGES) \
	X(CARE_CASE_CLOSED, "aisle.care.case-closed", FROM_CARE, care, apply_subject, case_closed, STAGES) \
	X(LOYALTY_BALANCE, "aisle.loyalty.balance", FROM_ANY, balance, apply_subject, balance, STAGES) \
	X(WALLET_CHANGED, "aisle.wallet.changed", FROM_ANY, wallet, apply_subject, wallet_changed, STAGES) \
	X(CONTACT_RECORDED, "aisle.contact.recorded", FROM_ANY, contact, apply_nothing, contact_recorded, STAGES) \
	X(STOCK_CHANGED, "aisle.stock.changed", FROM_ANY, stock, apply_nothing, untouched, STAGES) \
	X(SENSOR_READING, "aisle.sensor.reading", FROM_ANY, sensor, apply_sensor, untouched, STAGES) \
	X(SURVEY_ANSWERED, "aisle.survey.answered", FROM_ANY, survey, apply_subject, surveyed, STAGES) \
	X(OFFER_APPLIED, "aisle.offer.applied", FROM_POS, offer, apply_nothing, untouched, OFFER) \
	X(OFFER_REFUSED, "aisle.offer.refused", FROM_POS, refused, apply_nothing, untouched, OFFER) \
	X(OFFER_REDEEMED, "aisle.offer.redeemed", FROM_POS, offer, apply_nothing, untouched, OFFER) \
	X(OFFER_REVERSED, "aisle.offer.reversed", FROM_POS, offer, apply_nothing, untouched, OFFER) \
	X(GUIDANCE_SHOWN, "aisle.guidance.shown", FROM_TABLET, shown, apply_nothing, untouched, ANSWER) \
	X(GUIDANCE_DECIDED, "aisle.guidance.decided", FROM_TABLET, decided, apply_nothing, untouched, ANSWER)
/* clang-format on */

enum event_from { FROM_ANY, FROM_POS, FROM_CARE, FROM_TABLET };
/* the stages in turn, a person's answer to a card, the till's word on an offer */
enum event_way { WAY_STAGES, WAY_ANSWER, WAY_OFFER };

enum event_type {
#define X(constant, ...) EV_##constant,
	EVENT_TYPES(X)
#undef X
	    EV_COUNT
};
#define EV_NONE EV_COUNT
_Static_assert(EV_COUNT <= 32, "what a policy acts on is a bit per type in 32");

/* The channel a message came in on: segment 4 of aisle/v1/{store}/{channel}/… */
enum channel { CHANNEL_POS, CHANNEL_LOYALTY, CHANNEL_CARE, CHANNEL_TABLET };

/* Why an input went to the dead letter. X(constant, wire name) */
/* clang-format off */
#define REJECT_REASONS(X) \
	X(TOO_BIG, "too-big") X(NOT_JSON, "not-json") X(BAD_ENVELOPE, "bad-envelope") \
	X(UNKNOWN_TYPE, "unknown-type") X(BAD_SHAPE, "bad-shape") X(BAD_VALUE, "bad-value") \
	X(CLOCK, "clock") X(NOT_YOURS, "not-yours") X(RATE, "rate") X(NO_RULE, "no-rule")
/* clang-format on */
enum reject {
	REJECT_NONE,
#define X(constant, name) REJECT_##constant,
	REJECT_REASONS(X)
#undef X
	    REJECT_COUNT
};
const char *reject_name(enum reject reject);	   /* "too-big" … */
const char *event_type_name(enum event_type type); /* "aisle.basket.opened" … */
enum event_way event_way(enum event_type type);
enum event_type event_type_by_name(const char *name); /* EV_NONE: unknown */

/* Goods that nothing touches (nouns/marks.h). Ascending by strength. */
enum mark {
	MARK_NONE,
	MARK_NO_PROMOTION, /* kept in the history, and that is all */
	MARK_SENSITIVE,	   /* not even that */
};

/* A line or a returned item. Strings are borrowed from the event. */
struct event_item {
	int64_t line;	      /* basket line number; 0 in a return */
	char item[20];	      /* 14 digits "0501…", or "" when sku is used */
	const char *sku;      /* NULL when item is a GTIN, unless that is restricted */
	bool restricted;      /* GTIN of restricted circulation (prefix 02, 20-29) */
	const char *batch;    /* as the code has it; NULL: none */
	int32_t best_before;  /* days since 1970; 0: none */
	const char *category; /* slash path, "" if absent (returns) */
	const char *brand;    /* NULL: none */
	const char *name;     /* NULL: none */
	int64_t qty_milli;    /* thousandths */
	int64_t amount_minor; /* the whole line, after discounts */
	bool has_margin;
	int64_t margin_minor;	/* the whole line */
	int64_t discount_minor; /* sum of discounts[] */
	const char *own;	/* of them those whose ref may be a token, as in struct line */
	enum mark mark;		/* of the article itself, by the catalog */
};

enum consent_purpose { CONSENT_PERSONALISE, CONSENT_PROFILE, CONSENT_CONTACT, CONSENT_COUNT };

#define TOKEN_MAX 128

/* What an item-voided is about: a line, all lines but those it names, the newest line of an article. */
enum event_void { VOID_LINE, VOID_REST, VOID_ARTICLE };

/* Every member that a type does not have is NULL or 0. Lives in the arena it
 * was parsed into; all strings are NUL-terminated and valid UTF-8. */
struct event {
	enum event_type type;
	enum channel channel;
	const char *origin;	 /* terminal, reader or tablet: a topic segment; "care" */
	const char *source, *id; /* CloudEvents: together the event's name */
	int64_t time_ms;	 /* when it happened, as the sender says */
	int64_t now_ms;		 /* when it arrived: the engine's only clock */
	bool receipt;		 /* sender asks for a receipt */
	/* BLAKE2b-128 of type, time and data, canonical: the same id with another digest is
	 * bad-value */
	struct id digest;
	struct json_t *data; /* the data object, for event.NAME features; card removed */

	const char *basket, *terminal, *station, *associate;
	const char *from; /* opened, resumed: the terminal where the sale was suspended */
	bool training;
	bool has_subject;
	struct id subject; /* of card or subject; the card number is gone by now */
	struct id into;	   /* customer.merged */
	/* item-added, item-voided (line, or the article), stock.changed (item) */
	struct event_item item;
	enum event_void void_of; /* item-voided */
	const int64_t *except;	 /* of VOID_REST: these lines stay */
	size_t except_count;
	struct event_item *items; /* return.completed */
	size_t item_count;
	const char *currency;
	int64_t total_minor;  /* closed, return */
	int64_t amount_minor; /* offer.* */
	const char *ret;      /* return id */
	int64_t sold_ms;      /* return: when the goods were sold; 0: not said */
	enum consent_purpose purpose;
	bool granted;
	int64_t until_ms; /* consent, wallet, snooze; 0: no end */
	const char *kase; /* care case id */
	const char *topic;
	int severity;
	int64_t points;
	const char *tier;
	const char *offer;
	int64_t worth_minor;
	const char *state; /* wallet.changed, stock.changed */
	const char *contact_channel, *contact_action;
	int64_t at_ms;	  /* contact.recorded */
	const char *kind; /* sensor, survey */
	double value;	  /* sensor value, survey score */
	const char *token;
	const char *reason; /* offer.refused, guidance.decided */
	const char *guidance, *prompt, *tablet;
	bool shown;
	const char *decision; /* accept, dismiss, snooze, override */
	const char *instead_action;
	const char *note;
	int64_t instead_depth;
	bool approved;		   /* by a manager, as a recording says */
	const char *manager, *pin; /* checked, never stored; pin is wiped after the check */
};

#endif
