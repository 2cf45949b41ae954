/* SPDX-License-Identifier: Apache-2.0
 *
 * guidance.h - the Guidance, Withdraw and Command payloads. Pure.
 */
#ifndef AISLE_DELIVER_GUIDANCE_H
#define AISLE_DELIVER_GUIDANCE_H

#include "aisle/policy.h"
#include "aisle/subject.h"
#include "aisle/visit.h"
#include "core/json_write.h"
#include "nouns/marks.h"

/* Guidance of a visit as the tablet shows it now: cards on the tablet that are not GONE and not
 * withheld, state and choices from each card. decision: id of the decision that sends it. */
void guidance_json(const struct visit *visit, const struct policy *policy,
    const struct id *decision, const struct subject *subject /* NULL: unknown or no consent */,
    int64_t now_ms, struct json_writer *w);
/* Sent, neither withheld nor gone, and of a placement that a screen has. */
bool card_on_screen(const struct card *card);
/* Has it anything to show? Cards, or a customer line. */
bool guidance_wanted(const struct visit *visit, const struct subject *subject);
/* The member "choices" of an open card: how it may be answered. */
void guidance_choices(enum gate gate, bool mandatory, struct json_writer *w);
/* "open", "answered", "asked", "applied", "refused" */
const char *card_state_text(const struct card *card);
void withdraw_json(const struct id *guidance, const char *reason, struct buf *out);
/* marks: what the offer may not touch, for the till to leave out. */
void command_json(enum command_type type, const struct id *command, const struct visit *visit,
    const struct card *card, const struct marks *marks, const char *text, int64_t expires_ms,
    struct buf *out);
/* "Gold · 6th visit this month" style line from the profile's line; NULL: none. */
const char *customer_line(const struct subject *subject);

#endif
