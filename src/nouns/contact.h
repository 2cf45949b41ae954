/* SPDX-License-Identifier: Apache-2.0
 *
 * contact.h - rows of past contacts, of visits and subjects alike.
 */
#ifndef AISLE_NOUNS_CONTACT_H
#define AISLE_NOUNS_CONTACT_H

#include "aisle/contact.h"
#include "core/buf.h"

/* copies; at VISIT_CONTACTS_MAX the oldest goes */
void contacts_add(struct contacts *contacts, const struct contact *row);
void contacts_done(struct contacts *contacts);
void contacts_expire(struct contacts *contacts, int64_t before_ms); /* the older ones go */
/* A contact that HQ made over another channel: SHOWN without a decision. Counts as shown
 * (and decided) beside the prompts with DECIDED and without NOT_SHOWN. */
bool contact_outside(const struct contact *row);
/* Rows that a limit on what was taken counts. */
static inline bool
contact_is_use(enum outcome outcome)
{
	return outcome == OUTCOME_ACCEPTED || outcome == OUTCOME_APPLIED ||
	    outcome == OUTCOME_REDEEMED;
}
/* Rows that a limit on what was shown counts: HQ's own are SHOWN, and of no decision. */
static inline bool
contact_is_shown(const struct contact *row)
{
	return row->outcome == OUTCOME_DECIDED || contact_outside(row);
}
/* For each row, 1: it is a showing, a use or a purchase that stands; uses are counted once a kind
 * and prompt. counts: one for each row. */
void contacts_net(const struct contacts *contacts, uint8_t *counts);
void contact_encode(const struct contact *row, struct buf *out);
bool contact_decode(struct rd *rd, struct contact *ret_row); /* strings allocated */
void contact_done(struct contact *row);

/* Did all that was bought or redeemed with this prompt come back? */
bool contacts_returned(const struct contacts *contacts, const struct id *prompt);

#endif
