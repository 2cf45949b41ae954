/* SPDX-License-Identifier: Apache-2.0
 *
 * contact.h - what was said to a customer and what came of it: the rows that
 * every cap, suppression and history.* feature is computed from.
 */
#ifndef AISLE_CONTACT_H
#define AISLE_CONTACT_H

#include "aisle/base.h"

/* X(constant, wire name); OVERRIDDEN is followed by :REASON on the wire */
/* clang-format off */
#define OUTCOMES(X) \
	X(DECIDED, "decided") X(SHOWN, "shown") X(ACCEPTED, "accepted") X(DISMISSED, "dismissed") \
	X(SNOOZED, "snoozed") X(OVERRIDDEN, "overridden") X(LATE, "late") X(NOT_SHOWN, "not-shown") \
	X(APPLIED, "applied") X(REFUSED, "refused") X(REDEEMED, "redeemed") X(REVERSED, "reversed") \
	X(BOUGHT, "bought") X(RETURNED, "returned") X(CASE_CLOSED, "case-closed") X(GOAL, "goal") X(EXPIRED, "expired") \
	X(WITHDRAWN, "withdrawn")
/* clang-format on */
enum outcome {
#define X(constant, name) OUTCOME_##constant,
	OUTCOMES(X)
#undef X
	    OUTCOME_COUNT
};
const char *outcome_name(enum outcome outcome);
/* "overridden:insensitive" sets *ret_reason to "insensitive" (borrowed), else NULL. OUTCOME_COUNT:
 * unknown. */
enum outcome outcome_by_name(const char *name, const char **ret_reason);

/* What a person may give as the reason of a no; NULL behind the last. */
#define ANSWER_REASONS 7
extern const char *const answer_reasons[ANSWER_REASONS + 1];

/* What a row says of what was taken of its prompt before. */
enum contact_ends {
	ENDS_NOTHING,
	ENDS_TAKEN, /* refused, wholly reversed, its sale cancelled: it was no use */
	/* from at_ms on, which may be to come, its token can be used no more, and was not; no
	 * outcome of its own */
	ENDS_UNUSED,
};

/* One outcome of one prompt. Append-only. DECIDED is written when a card is
 * chosen, also when it is withheld, so that caps are alike in both groups.
 * A count of "shown" is the prompts with DECIDED and without NOT_SHOWN, plus
 * HQ's own contacts: a sent card counts as shown until the tablet says it was not. A count of
 * "bought" or "redeemed" is the prompts without RETURNED: what came back was not bought; what
 * was accepted, applied or redeemed and taken back was no use (contact_index.c). */
struct contact {
	struct id prompt, decision;
	enum outcome outcome;
	int64_t at_ms;
	bool withheld;
	bool told; /* HQ's profile says so: not written, it comes with the next one again */
	enum contact_ends ends;
	int placement;
	char *action, *group, *issue; /* owned by struct contacts */
	char *reason;		      /* of an override or refusal; of HQ's own its channel; NULL */
};

#define VISIT_CONTACTS_MAX 4096
struct contacts {
	struct contact *rows; /* ascending by at_ms, then order of arrival */
	size_t count, capacity;
};

#endif
