/* SPDX-License-Identifier: Apache-2.0
 *
 * effects.c - what follows when a visit changes: a customer joined, a basket moved, closed,
 * cancelled.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/metrics.h"
#include "nouns/shortlists.h"
#include "nouns/marks.h"
#include "nouns/net.h"
#include "nouns/visit.h"
#include "profile/subject_io.h"

/* ---- session effects ---- */

void
visit_disown(struct visit *visit)
{
	visit->has_subject = false;
	memset(&visit->subject, 0, sizeof(visit->subject));
	free(visit->language);
	visit->language = NULL;
	visit->identified_ms = 0;
}

/* What was said to the stranger was said to this customer. */
static void
join_contacts(struct engine *engine, struct visit *visit, struct subject *subject)
{
	struct buf buf = { 0 };

	for (size_t i = 0; i < visit->contacts.count; i++) {
		contacts_add(&subject->contacts, &visit->contacts.rows[i]);
		buf_clear(&buf);
		contact_encode(&visit->contacts.rows[i], &buf);
		engine_check(engine,
		    store_log_add(engine->store, STORE_LOG_SUBJECT, &subject->id, &subject->id,
			SUBJECT_LOG_CONTACT, visit->contacts.rows[i].at_ms, buf.data, buf.len));
	}
	contacts_done(&visit->contacts);
	buf_done(&buf);
}

/* false: the customer wants to be forgotten; the visit is nobody's. */
bool
visit_join_subject(struct engine *engine, struct visit *visit)
{
	struct subject *subject = engine_subject(engine, &visit->subject);

	free(visit->language);
	visit->language = NULL;
	if (subject->forgotten) {
		visit_disown(visit);
		return false;
	}
	if (consent_granted(subject, CONSENT_PERSONALISE, engine->now_ms) &&
	    subject->language != NULL)
		visit->language = mem_strdup(subject->language);
	join_contacts(engine, visit, subject);
	consent_timers(engine, visit);
	return true;
}

void
visit_write_purchase(struct engine *engine, struct visit *visit)
{
	struct marks marks = engine_marks(engine);
	struct subject *subject;
	struct buf buf = { 0 };
	int64_t at_ms = visit->closed_ms != 0 ? visit->closed_ms : engine->now_ms;

	if (!visit->has_subject || (visit->training && !visit->in_history))
		return;
	subject = engine_subject(engine, &visit->subject);
	if (subject->forgotten || !consent_granted(subject, CONSENT_PROFILE, engine->now_ms) ||
	    staff_visit(engine, visit))
		return;
	subject_add_purchase(subject, visit, &marks, at_ms, &buf);
	/* The row is of the whole basket: one for each late line would fill the state. */
	if (visit->in_history)
		subject_replace_purchase(engine, subject, at_ms, &buf);
	else
		engine_check(engine,
		    store_log_add(engine->store, STORE_LOG_SUBJECT, &subject->id, &subject->id,
			SUBJECT_LOG_PURCHASE, at_ms, buf.data, buf.len));
	visit->in_history = true;
	subject->dirty = true;
	buf_done(&buf);
}

void
visit_note_incident(struct engine *engine, const struct visit *visit, enum incident_kind kind)
{
	struct subject *subject;

	if (!visit->has_subject || visit->training)
		return;
	subject = engine_subject(engine, &visit->subject);
	if (subject->forgotten || !consent_granted(subject, CONSENT_PROFILE, engine->now_ms) ||
	    staff_visit(engine, visit))
		return;
	subject_add_incident(subject, kind, engine->now_ms);
	subject->dirty = true;
}

/* ---- the end of those that nobody ends ---- */

void
visit_give_up(struct engine *engine, struct visit *visit)
{
	visit_withdraw(engine, visit, WITHDRAW_EXPIRED);
	till_lapse(engine, visit);
	visit->state = VISIT_CANCELLED;
	visit->ended_at_ms = visit->state_at_ms;
	engine_touch(engine, visit);
	settle_changed(engine, visit);
}

void
visit_missed(struct engine *engine, struct visit *visit)
{
	visit_withdraw(engine, visit, WITHDRAW_CUSTOMER);
	till_lapse(engine, visit);
	visit->state = VISIT_CANCELLED;
	visit->missed = visit->card_at_ms != 0;
	engine_touch(engine, visit);
	settle_changed(engine, visit);
}

/* false: the card of a forgotten customer waits for nothing; the visit is gone. */
static bool
identified(struct engine *engine, struct visit *visit, const struct event *event)
{
	bool known = visit_join_subject(engine, visit);

	/* Who is merged is one person only behind this. */
	if (known && event->type != EV_CUSTOMER_MERGED)
		assigned_note(engine, visit);
	if (known)
		witness_seen(engine, visit);
	if (known)
		choose_conceal(engine, visit, event);
	if (visit->state != VISIT_WAITING)
		return true;
	if (known) {
		timer_add(engine, "wait", &visit->id, visit->identified_ms + CARD_WAIT_MS);
		engine_ref_card(engine, visit);
		visit_bound_waiting(engine, visit);
		return true;
	}
	engine_remove_visit(engine, visit);
	return false;
}

/* All their visits are another card's now, whichever of them goes on; and so is what was theirs in
 * those of other customers. */
static void
keep_merged(void *engine, struct visit *visit)
{
	if (visit->dirty)
		engine_touch(engine, visit);
}

/* ---- the end of a basket ---- */

static void
closed(struct engine *engine, struct visit *visit)
{
	outcome_close(engine, visit);
	visit_withdraw(engine, visit, WITHDRAW_CLOSED);
	till_silent(engine, visit);
	till_lapse(engine, visit);
	promise_wait(engine, visit);
	visit_write_purchase(engine, visit);
	sale_changed(engine, visit);
	returns_ask(engine, visit);
}

/* It is no sale: cancelled, or a trainee's. What was known of it before is taken back. */
static void
no_sale(struct engine *engine, struct visit *visit, enum withdraw_reason reason)
{
	struct net_line *net = net_lines(visit);

	visit_withdraw(engine, visit, reason);
	till_void(engine, visit);
	till_lapse(engine, visit);
	if (visit->in_history)
		visit_write_purchase(engine, visit);
	if (visit->closed_ms != 0)
		returned_of_sale(engine, visit, net);
	sale_changed(engine, visit);
	free(net);
}

/* What is open on its screen leaves; the rest goes on in the sale. */
static void
part_of_sale(struct engine *engine, struct visit *gone, struct visit *sale)
{
	struct subject *subject;

	visit_withdraw(engine, gone, WITHDRAW_REPLACED);
	united_take(engine, sale, gone);
	if (!sale->has_subject)
		return;
	subject = engine_subject(engine, &sale->subject);
	if (!subject->forgotten)
		join_contacts(engine, sale, subject);
}

static bool
same_customer(const struct visit *a, const struct visit *b)
{
	return a->has_subject && b->has_subject && id_equal(&a->subject, &b->subject);
}

/* A visit that ended, or became part of another. */
static void
part(struct engine *engine, struct visit *gone, struct visit *into)
{
	if (gone->state == VISIT_WAITING) {
		visit_withdraw(engine, gone, WITHDRAW_CUSTOMER);
		if (into != NULL && same_customer(gone, into))
			visit_unite_shortlists(into, gone);
		if (gone->missed)
			visit_missed(engine, gone);
		else
			engine_remove_visit(engine, gone);
		return;
	}
	if (into != NULL)
		part_of_sale(engine, gone, into);
	visit_withdraw(engine, gone, WITHDRAW_CANCELLED);
	till_lapse(engine, gone);
	gone->state = VISIT_CANCELLED;
	if (gone->in_history)
		visit_write_purchase(engine, gone);
	sale_changed(engine, gone);
	if (into != NULL)
		engine_unref_number(engine, gone, into);
	engine_remove_visit(engine, gone);
}

static void
number_effects(struct engine *engine, struct visit *visit, unsigned effects)
{
	if (effects & EFFECT_OPENED) {
		timer_add(engine, "idle", &visit->id, engine->now_ms + IDLE_MS);
		visit_bound_baskets(engine, visit);
		if (visit->basket != NULL)
			engine_ref_number(engine, visit);
	}
	if (effects & (EFFECT_OPENED | EFFECT_MOVED) && visit->basket != NULL)
		engine_ref_basket(engine, visit);
	if (effects & EFFECT_RECALL)
		engine_ref(engine, "recall", visit->basket, visit);
	if (effects & EFFECT_AGAIN)
		metrics_add(METRIC_BASKETS_AGAIN, 1);
}

/* What they answered, took and paid with stays theirs, and is on nobody's screen. What was drawn for them says nothing
 * of who came. */
static void
leave_to_former(struct visit *visit, const struct id *former)
{
	visit_drop_shortlists(visit, false);
	for (size_t i = 0; i < visit->card_count; i++) {
		card_unword(&visit->cards[i]);
		if (id_is_zero(&visit->cards[i].former))
			visit->cards[i].former = *former;
	}
}

/* It was another's purchase. */
static void
leave_history(struct engine *engine, struct visit *visit, const struct id *former)
{
	struct subject *subject = engine_subject(engine, former);
	int64_t at_ms = visit->closed_ms != 0 ? visit->closed_ms : engine->now_ms;
	struct buf buf = { 0 };

	if (!visit->in_history)
		return;
	visit->in_history = false;
	if (subject->forgotten)
		return;
	subject_take_purchase(subject, &visit->id, at_ms, &buf);
	subject_replace_purchase(engine, subject, at_ms, &buf);
	subject->dirty = true;
	buf_done(&buf);
}

/* Of whom it was, and where. */
static void
withdraw_former(struct engine *engine, struct visit *visit, const struct session_result *result)
{
	if (result->effects & EFFECT_MOVED)
		visit_withdraw_of(engine, visit, result->old_station, visit_subject(visit),
		    WITHDRAW_REPLACED);
	if (result->effects & EFFECT_REPLACED) {
		visit_withdraw_of(engine, visit, visit->station, &result->former,
		    WITHDRAW_CUSTOMER);
		leave_to_former(visit, &result->former);
		leave_history(engine, visit, &result->former);
	}
}

static void
end_effects(struct engine *engine, struct visit *visit, unsigned effects)
{
	if (effects & EFFECT_CLOSED)
		closed(engine, visit);
	if (effects & EFFECT_LATE_LINES) {
		visit_write_purchase(engine, visit);
		sale_changed(engine, visit);
		returns_ask(engine, visit);
	}
	if (effects & EFFECT_CANCELLED)
		no_sale(engine, visit, WITHDRAW_CANCELLED);
}

void
visit_cancel(struct engine *engine, struct visit *visit)
{
	visit->state = VISIT_CANCELLED;
	visit->ended_at_ms = visit->state_at_ms;
	engine_touch(engine, visit);
	end_effects(engine, visit, EFFECT_CANCELLED);
}

static void
also_effects(struct engine *engine, const struct event *event, const struct session_also *also)
{
	engine_touch(engine, also->visit);
	if (also->effects & EFFECT_OPENED)
		number_effects(engine, also->visit, also->effects);
	if (also->effects & EFFECT_REPLACED) {
		visit_withdraw_of(engine, also->visit, also->visit->station, &also->former,
		    WITHDRAW_CUSTOMER);
		leave_to_former(also->visit, &also->former);
		leave_history(engine, also->visit, &also->former);
	}
	if (also->effects & EFFECT_IDENTIFIED && !identified(engine, also->visit, event))
		return;
	if (also->effects & EFFECT_SUSPENDED)
		timer_add(engine, "suspended", &also->visit->id, engine->now_ms + SUSPENDED_MS);
	if (also->effects & EFFECT_OPENED)
		staff_count(engine, also->visit);
	if (also->effects & EFFECT_OPENED)
		end_effects(engine, also->visit, also->effects);
	else if (also->effects != 0 && also->visit->state == VISIT_CLOSED)
		end_effects(engine, also->visit, EFFECT_LATE_LINES);
}

/* The event's basket was two: what was said in the second stays there. */
static void
part_cards(struct engine *engine, const struct session_result *result)
{
	for (size_t i = 0; i < result->also_count; i++) {
		if (result->also[i].effects & EFFECT_OPENED)
			united_part(engine, result->also[i].visit, result->visit);
	}
}

/* It is worth what it is worth in its own basket. */
static void
show_parts(struct engine *engine, const struct event *event, const struct session_result *result)
{
	for (size_t i = 0; i < result->also_count; i++) {
		struct visit *visit = result->also[i].visit;

		if (!(result->also[i].effects & EFFECT_OPENED) || visit_over(visit))
			continue;
		(void)choose_open(engine, visit, event);
		visit_guide(engine, visit, NULL, WITHDRAW_GATE);
	}
}

/* Was anything voided that may be known of? */
static bool
may_be_told(struct engine *engine, const struct event *event, const struct visit *visit)
{
	struct marks marks = engine_marks(engine);

	for (size_t i = 0; i < visit->line_count; i++) {
		const struct line *line = &visit->lines[i];

		int64_t void_ms = event->void_of == VOID_ARTICLE ? line->taken_ms : line->void_ms;

		if (line->voided && void_ms == event->time_ms &&
		    (event->void_of != VOID_LINE || line->line == event->item.line) &&
		    line_mark(&marks, line) != MARK_SENSITIVE)
			return true;
	}
	return false;
}

/* That something sensitive was taken out again is nobody's to know, neither of the visit nor of the
 * customer. */
static void
voided(struct engine *engine, const struct event *event, struct visit *visit)
{
	if (may_be_told(engine, event, visit))
		visit_note_incident(engine, visit, INCIDENT_VOID);
	else
		visit->voids--;
}

void
visit_effects(struct engine *engine, const struct event *event, struct session_result *result)
{
	struct visit *visit = result->visit;
	unsigned effects = result->effects;

	part_cards(engine, result);
	/* Before there are cards of another basket among them. */
	if (visit != NULL)
		withdraw_former(engine, visit, result);
	if (result->gone != NULL)
		part(engine, result->gone, visit);
	result->gone = NULL;
	for (size_t i = 0; i < result->also_count; i++)
		also_effects(engine, event, &result->also[i]);
	if (event->type == EV_CUSTOMER_MERGED)
		sessions_each(engine->sessions, keep_merged, engine);
	if (visit == NULL)
		return;
	engine_touch(engine, visit);
	number_effects(engine, visit, effects);
	if (event->type == EV_BASKET_ITEM_ADDED)
		visit_bound_lines(engine, event, visit);
	if (effects & EFFECT_TRAINING)
		no_sale(engine, visit, WITHDRAW_TRAINING);
	if (effects & EFFECT_LEFT && visit->basket != NULL)
		visit_withdraw(engine, visit, WITHDRAW_LEFT);
	if (effects & EFFECT_IDENTIFIED && !identified(engine, visit, event)) {
		result->visit = NULL;
		return;
	}
	staff_count(engine, visit);
	if (effects & EFFECT_DECLINED)
		visit_note_incident(engine, visit, INCIDENT_DECLINE);
	if (event->type == EV_BASKET_ITEM_VOIDED && effects & EFFECT_LINES)
		voided(engine, event, visit);
	if (effects & EFFECT_SUSPENDED) {
		visit_withdraw(engine, visit, WITHDRAW_GATE);
		timer_add(engine, "suspended", &visit->id, engine->now_ms + SUSPENDED_MS);
	}
	/* What was agreed is on the screen again, whether or not something is decided. */
	if (effects & EFFECT_RESUMED && !visit_over(visit))
		visit_guide(engine, visit, NULL, WITHDRAW_GATE);
	if (effects & EFFECT_TENDER && engine->policy != NULL && engine->policy->quiet_tender)
		visit_hush(engine, visit);
	snooze_open(engine, visit);
	end_effects(engine, visit, effects);
	show_parts(engine, event, result);
}
