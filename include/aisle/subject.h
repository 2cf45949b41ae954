/* SPDX-License-Identifier: Apache-2.0
 *
 * subject.h - a customer as the store knows them: consent, what they bought,
 * what was said to them. Sealed on disk under the subject's own key.
 *
 * DESIGN
 *   Purchases are kept as closed baskets, not as running sums: a new policy's
 *   features are right from its first decision, a half-life needs no state,
 *   late lines and merges are a union of rows, and an export is complete.
 *   Rejected: one decayed sum per declared feature; it starts from zero with
 *   each new feature and cannot be merged or explained.
 *
 * LIMITS
 *   HISTORY_BASKETS_MAX newest baskets, HISTORY_LINES_MAX lines, and
 *   [privacy] retain; contacts VISIT_CONTACTS_MAX. Oldest go first.
 */
#ifndef AISLE_SUBJECT_H
#define AISLE_SUBJECT_H

#include "aisle/base.h"
#include "aisle/contact.h"
#include "aisle/event.h"

#define HISTORY_BASKETS_MAX 1024
#define HISTORY_LINES_MAX 16384
#define SUBJECT_CASES_MAX 32
#define SUBJECT_WALLET_MAX 64
#define SUBJECT_INCIDENTS_MAX 256
#define SUBJECT_TOLD_MAX 256 /* contacts that a profile tells of */
#define SUBJECT_TOLD_MS (30 * D_MS)
#define SUBJECT_JOURNEYS_MAX 32
#define SUBJECT_SEEN_MAX 32   /* experiments that they were counted in */
#define SUBJECT_MERGED_MAX 32 /* cards beside its own that were merged into one */

/* unknown is a no */
/* What is merged keeps the last of these. */
enum consent_state { CONSENT_UNKNOWN, CONSENT_GRANTED, CONSENT_DENIED };

struct consent {
	enum consent_state state;
	int64_t until_ms;  /* 0: no end */
	int64_t at_ms;	   /* of the newest event; 0: from the profile */
	int64_t denied_ms; /* of the last denial; 0: none */
};

struct purchase_line {
	/* interned in the history; brand NULL: none; item: GTIN-14 or sku */
	const char *category, *brand, *item;
	int64_t qty_milli, amount_minor;
	enum mark mark; /* of the article itself; never MARK_SENSITIVE */
};

struct purchase {
	struct id visit;
	int64_t at_ms;	 /* basket.closed arrived */
	int64_t sold_ms; /* the time of the close, as the till says it */
	int64_t total_minor;
	int64_t back_milli; /* how much of it came back, which lines and total are without */
	struct purchase_line *lines;
	size_t line_count;
	bool taken_back; /* of a row: the sale was none after all */
};

enum incident_kind { INCIDENT_RETURN, INCIDENT_DECLINE, INCIDENT_VOID, INCIDENT_COMPLAINT };
struct incident {
	enum incident_kind kind;
	int64_t at_ms;
};

struct care_case {
	char id[129];
	char topic[129];
	int severity; /* 1-3 */
	int64_t opened_ms;
	int64_t closed_ms; /* 0: open */
	int64_t at_ms;	   /* time of the event that opened or closed it last */
};

struct wallet_entry {
	char offer[129];
	int64_t worth_minor, until_ms;
	int64_t at_ms; /* time of the event that said so */
	char state[33];
};

/* A care journey that HQ has begun with the customer. */
struct journey {
	char name[129];
	int64_t until_ms; /* 0: no end */
};

/* One attribute of HQ's profile. */
struct attribute {
	char *name;
	int tag; /* enum value_tag: NUMBER, BOOL, STRING */
	double number;
	char *str;
};

struct subject {
	struct id id;
	bool known;	/* a profile, an enrolment or a visit is on record */
	bool forgotten; /* tombstone: nothing may be kept or read */
	bool mixed;	/* merged: left out of experiment read-outs */
	/* baskets that its card was in, of the business day that begins then */
	int64_t baskets_day_ms;
	int baskets;
	/* The card whose person this is now; zero: its own. Nothing else is kept of such a one. */
	struct id merged_into;
	struct id merged[SUBJECT_MERGED_MAX]; /* whose person this is too, ascending */
	size_t merged_count;
	struct id
	    seen[SUBJECT_SEEN_MAX]; /* experiments that they were counted in, by name and salt */
	size_t seen_count;
	struct consent consent[CONSENT_COUNT];
	int64_t enrolled_ms, last_visit_ms;
	char enrolled_at[33]; /* the station */
	int64_t points, points_expire_ms;
	int64_t points_at_ms, tier_at_ms; /* times of the events that said so */
	bool has_points;
	char tier[33];
	struct care_case cases[SUBJECT_CASES_MAX];
	size_t case_count;
	struct wallet_entry wallet[SUBJECT_WALLET_MAX];
	size_t wallet_count;
	struct incident incidents[SUBJECT_INCIDENTS_MAX]; /* ascending by at_ms */
	size_t incident_count;
	struct purchase *purchases; /* ascending by (at_ms, visit) */
	size_t purchase_count;
	struct contacts contacts;
	/* HQ's part, from the profile bundle; read-only here */
	bool has_profile;
	bool staff;
	char *language, *line; /* NULL: none */
	char *household;       /* whom they live with, as HQ names it; NULL: not known */
	struct wallet_entry
	    *offers; /* HQ's wallet; what the store heard of an offer since comes first */
	size_t offer_count;
	struct journey *journeys;
	size_t journey_count;
	size_t told_count; /* rows of contacts that are the profile's */
	struct attribute *attributes;
	size_t attribute_count;
	/* not saved */
	bool dirty;   /* the header row must be written */
	void *intern; /* strings of purchases */
};

#endif
