/* SPDX-License-Identifier: Apache-2.0
 *
 * spine.h - what the files of the spine call of each other. turn.c is where to start.
 */
#ifndef AISLE_SPINE_H
#define AISLE_SPINE_H

#include "engine.h"

/* turn.c: an event through the stages */
void turn_event(struct engine *engine, const struct event *event, struct rejected *rejected);

/* intake.c: an input, after the timers that were due before it */
void turn_input(struct engine *engine, struct input *input);

/* receipt.c */
void dead_letter(struct engine *engine, const char *topic, const struct rejected *rejected, const void *payload, size_t len,
    bool keep);
void dead_letter_of(struct engine *engine, enum channel channel, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len);
void receipt_add(struct engine *engine, const char *terminal, const char *source, const char *id, int64_t at_ms, const char *reason);
void receipts_send(struct engine *engine);

/* customer.c */
struct subject_visits {
	const struct id *subject;
	struct visit *visits[64];	/* theirs, of those in memory, oldest first */
	size_t count;
};
void subject_visits_find(struct engine *engine, struct subject_visits *visits);
void customer_withdraw(struct engine *engine, const struct id *subject, enum withdraw_reason reason);
void customer_event(struct engine *engine, const struct event *event);

/* effects.c */
void visit_disown(struct visit *visit);
bool visit_join_subject(struct engine *engine, struct visit *visit);
/* former: the subject that the visit had before this event */
void visit_effects(struct engine *engine, const struct event *event, struct session_result *result, const struct id *former);

/* order.c */
void order_stop(struct engine *engine, const struct input *input);
void order_forget(struct engine *engine, const struct input *input);
/* Withdraws cards whose action is stopped (WITHDRAW_STOPPED), or that the policy in force does not know. */
void order_sweep(struct engine *engine, enum withdraw_reason reason);

#endif
