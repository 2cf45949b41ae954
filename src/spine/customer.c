/* SPDX-License-Identifier: Apache-2.0
 *
 * customer.c - what an event says about the customer: consent, cases, returns, merges.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "policy/policy_load.h"
#include "profile/subject_io.h"

/* ---- profile: what an event says about the customer ---- */

/* Its own members and no other: what else a sender wrote, an address or a card under another name, is
 * nobody's, and this lane is kept for ever. */
static void
uplink_consent(struct engine *engine, const struct event *event)
{
	static const char *const members[] = { "purpose", "state", "until" };
	struct buf buf = { 0 };
	char text[SUBJECT_TEXT_SIZE];
	json_t *body;

	if (engine->uplink == UPLINK_NONE)
		return;
	body = json_object();
	subject_text(&event->subject, text);
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		json_t *value = json_object_get(event->data, members[i]);

		if (value != NULL)
			json_object_set(body, members[i], value);
	}
	json_object_set_new(body, "subject", json_string(text));
	json_write(body, &buf);
	engine_uplink(engine, LANE_CONSENT, "consent", NULL, &buf);
	json_decref(body);
	buf_done(&buf);
}

/* ---- consent that ends ---- */

static void
end_timer(struct engine *engine, const struct visit *visit, const struct consent *consent)
{
	if (consent->state == CONSENT_GRANTED && consent->until_ms > engine->now_ms)
		timer_add(engine, "consent", &visit->id, consent->until_ms);
}

void
consent_timers(struct engine *engine, const struct visit *visit)
{
	const struct subject *subject = engine_subject(engine, &visit->subject);

	end_timer(engine, visit, &subject->consent[CONSENT_PERSONALISE]);
	end_timer(engine, visit, &subject->consent[CONSENT_CONTACT]);
}

static void
consent_over(struct engine *engine, struct visit *visit, enum consent_purpose purpose)
{
	if (purpose == CONSENT_PERSONALISE)
		visit_withdraw(engine, visit, WITHDRAW_CONSENT);
	for (size_t i = 0; purpose == CONSENT_CONTACT && i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];

		if (card->state == CARD_OPEN && placement_table[card->placement].reaches_out)
			card_withdraw(engine, visit, card, WITHDRAW_CONSENT);
	}
	engine_touch(engine, visit);
}

void
consent_due(struct engine *engine, struct visit *visit)
{
	const struct subject *subject =
	    visit->has_subject ? engine_subject(engine, &visit->subject) : NULL;

	/* One that was renewed or taken back since ends at another time. */
	for (int purpose = 0; subject != NULL && purpose < CONSENT_COUNT; purpose++) {
		const struct consent *consent = &subject->consent[purpose];

		if (consent->state == CONSENT_GRANTED && consent->until_ms == engine->now_ms)
			consent_over(engine, visit, (enum consent_purpose)purpose);
	}
}

static void
consent_changed(struct engine *engine, const struct event *event)
{
	const struct consent *consent =
	    &engine_subject(engine, &event->subject)->consent[event->purpose];
	struct subject_visits w = { .subject = &event->subject };
	bool over;

	/* Granted until a time that has passed is over as well. */
	over = !event->granted ||
	    (consent->state == CONSENT_GRANTED && consent->until_ms != 0 &&
		consent->until_ms <= engine->now_ms);
	subject_visits_find(engine, &w);
	for (size_t i = 0; i < w.count; i++) {
		if (over)
			consent_over(engine, w.visits[i], event->purpose);
		else
			consent_timers(engine, w.visits[i]);
	}
}

/* The same, or what is left of it. */
static bool
has_purchase(const struct subject *subject, const struct purchase *row)
{
	for (size_t i = subject->purchase_count; i > 0; i--) {
		const struct purchase *known = &subject->purchases[i - 1];

		if (!id_equal(&known->visit, &row->visit) || known->at_ms != row->at_ms)
			continue;
		if (known->back_milli != row->back_milli)
			return known->back_milli > row->back_milli;
		return known->line_count == row->line_count &&
		    known->total_minor == row->total_minor;
	}
	return false;
}

/* The first of the rows, which ascend, that is not earlier. */
static size_t
first_at(const struct contacts *contacts, int64_t at_ms)
{
	size_t low = 0, high = contacts->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (contacts->rows[middle].at_ms < at_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
has_contact(const struct contacts *contacts, const struct contact *row)
{
	for (size_t i = first_at(contacts, row->at_ms);
	     i < contacts->count && contacts->rows[i].at_ms == row->at_ms; i++) {
		if (contacts->rows[i].outcome == row->outcome &&
		    id_equal(&contacts->rows[i].prompt, &row->prompt))
			return true;
	}
	return false;
}

/* customer.merged: every row of the one becomes a row of the other, once: two cards that are merged
 * again and again add nothing. */
static void
merge_subjects(struct engine *engine, const struct event *event)
{
	struct subject *from = engine_subject(engine, &event->subject),
		       *into = engine_subject(engine, &event->into);
	struct buf buf = { 0 };

	if (from == into || from->forgotten || into->forgotten)
		return;
	for (size_t i = 0; i < from->purchase_count; i++) {
		if (has_purchase(into, &from->purchases[i]))
			continue;
		buf_clear(&buf);
		purchase_encode(&from->purchases[i], &buf);
		engine_check(engine,
		    store_log_add(engine->store, STORE_LOG_SUBJECT, &into->id, &into->id,
			SUBJECT_LOG_PURCHASE, from->purchases[i].at_ms, buf.data, buf.len));
	}
	for (size_t i = 0; i < from->contacts.count; i++) {
		if (from->contacts.rows[i].told ||
		    has_contact(&into->contacts, &from->contacts.rows[i]))
			continue;
		buf_clear(&buf);
		contact_encode(&from->contacts.rows[i], &buf);
		engine_check(engine,
		    store_log_add(engine->store, STORE_LOG_SUBJECT, &into->id, &into->id,
			SUBJECT_LOG_CONTACT, from->contacts.rows[i].at_ms, buf.data, buf.len));
	}
	subject_merge(into, from);
	into->dirty = true;
	for (size_t i = 0; i < from->merged_count; i++)
		subject_forward(engine_subject(engine, &from->merged[i]), &into->id);
	subject_forward(from, &into->id);
	engine_check(engine, store_log_forget(engine->store, STORE_LOG_SUBJECT, &from->id));
	buf_done(&buf);
}

/* ---- who may say so ---- */

struct presence {
	const struct event *event;
	const char *station;
	bool here;
};

static void
look_for_customer(void *ctx, struct visit *visit)
{
	struct presence *presence = ctx;
	const struct event *event = presence->event;
	const char *terminal = event->channel == CHANNEL_POS ? event->origin : "";

	if (!visit->has_subject || !id_equal(&visit->subject, &event->subject) || visit_over(visit))
		return;
	/* A till is where its baskets are; a card that waits is at a station. */
	if (terminal[0] != '\0' && visit->terminal[0] != '\0'
		? strcmp(visit->terminal, terminal) == 0
		: strcmp(visit->station, presence->station) == 0)
		presence->here = true;
}

#define ENROL_MS (10 * MIN_MS) /* so long who enrolled stands there, to say what they agree to */

static bool
just_enrolled(struct engine *engine, const struct presence *presence)
{
	const struct subject *subject = engine_subject(engine, &presence->event->subject);

	return subject->enrolled_ms != 0 && engine->now_ms - subject->enrolled_ms < ENROL_MS &&
	    strcmp(subject->enrolled_at, presence->station) == 0;
}

bool
customer_may_say(struct engine *engine, const struct event *event, struct rejected *rejected)
{
	bool grant = event->type == EV_CONSENT_CHANGED && event->granted;
	struct presence presence = { .event = event,
		.station = conf_station(engine->conf, event->origin) };

	if (event->type != EV_CUSTOMER_MERGED && !grant)
		return true;
	if (event->channel == CHANNEL_CARE ||
	    (event->channel == CHANNEL_LOYALTY && conf_is_desk(engine->conf, event->origin)))
		return true;
	if (grant)
		sessions_each(engine->sessions, look_for_customer, &presence);
	if (presence.here || (grant && just_enrolled(engine, &presence)))
		return true;
	rejected->reason = REJECT_NOT_YOURS;
	snprintf(rejected->detail, sizeof(rejected->detail), "%s",
	    grant ? "/data/card: only care and the readers of [loyalty] desks grant consent for "
		    "somebody who is not at this till or reader"
		  : "/type: only care and the readers of [loyalty] desks merge customers");
	return false;
}

bool
customer_may_merge(struct engine *engine, const struct event *event, struct rejected *rejected)
{
	if (event->type != EV_CUSTOMER_MERGED || id_equal(&event->subject, &event->into) ||
	    subject_may_merge(engine_subject(engine, &event->into),
		engine_subject(engine, &event->subject)))
		return true;
	rejected->reason = REJECT_BAD_VALUE;
	snprintf(rejected->detail, sizeof(rejected->detail),
	    "/data/into: %d cards were merged into it already, no more are kept",
	    SUBJECT_MERGED_MAX);
	return false;
}

void
customer_resolve(struct engine *engine, struct event *event)
{
	if (!event->has_subject)
		return;
	event->subject = engine_person(engine, &event->subject)->id;
	if (event->type == EV_CUSTOMER_MERGED)
		event->into = engine_person(engine, &event->into)->id;
}

/* Contacts of other channels count like the store's own. */
static void
record_contact(struct engine *engine, struct subject *subject, const struct event *event)
{
	const struct action *action = engine->policy != NULL && event->contact_action != NULL
	    ? policy_action(engine->policy, event->contact_action)
	    : NULL;
	struct contact row;
	struct buf buf = { 0 };

	if (!subject_contact_row(event, &row))
		return;
	/* Of an action of ours it counts for the group and issue too. contacts_add copies them. */
	if (action != NULL) {
		row.group = (char *)(uintptr_t)action->group;
		row.issue = (char *)(uintptr_t)action->issue;
	}
	told_gives_way(subject, &row);
	contacts_add(&subject->contacts, &row);
	contact_encode(&row, &buf);
	engine_check(engine,
	    store_log_add(engine->store, STORE_LOG_SUBJECT, &subject->id, &subject->id,
		SUBJECT_LOG_CONTACT, row.at_ms, buf.data, buf.len));
	buf_done(&buf);
}

void
customer_event(struct engine *engine, const struct event *event)
{
	struct subject *subject = engine_subject(engine, &event->subject);

	if (subject->forgotten)
		return;
	if (event->type == EV_CUSTOMER_MERGED) {
		merge_subjects(engine, event);
		return;
	}
	if (event->type == EV_CONTACT_RECORDED)
		record_contact(engine, subject, event);
	else if (event->type == EV_RETURN_COMPLETED) {
		/* A return is part of what the store knows: only with consent to keep a profile. */
		if (consent_granted(subject, CONSENT_PROFILE, engine->now_ms) &&
		    engine_may_tell(engine, event)) {
			subject_add_incident(subject, INCIDENT_RETURN, engine->now_ms);
			subject->dirty = true;
		}
	} else if (subject_apply(subject, event)) {
		subject->dirty = true;
	}
	if (event->type == EV_CONSENT_CHANGED) {
		uplink_consent(engine, event);
		consent_changed(engine, event);
	}
	if (event->type == EV_CARE_CASE_CLOSED)
		outcome_case_closed(engine, subject);
}
