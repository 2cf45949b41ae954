/* SPDX-License-Identifier: Apache-2.0
 *
 * subject.c - what an event says about a customer.
 *
 * What happened last wins, by the times of the events. A care case may be closed
 * before it was heard of: it is then known by its id and its close alone, and
 * stays closed when its opening comes.
 */
#include "profile/subject_io.h"

#include <stdio.h>
#include <string.h>

#include "aisle/policy.h"
#include "core/id.h"
#include "profile/subject_rows.h"
#include "nouns/contact.h"
#include "nouns/event_key.h"

/* A word that is older than what is known changes nothing but what nobody said since. */
static bool
case_opened(struct subject *subject, const struct event *event)
{
	struct care_case *kase = subject_case(subject, event->kase);
	bool first = kase == NULL || kase->opened_ms == 0, newer;

	if (kase == NULL)
		kase = subject_add_case(subject, event->kase);
	newer = event->time_ms >= kase->at_ms;
	if (!first && !newer)
		return false;
	if (first)
		subject_add_incident(subject, INCIDENT_COMPLAINT, event->now_ms);
	/* One that was closed before it was heard of stays so, also if both are of one time. */
	if (newer && !(first && event->time_ms == kase->at_ms))
		kase->closed_ms = 0;
	if (newer)
		kase->at_ms = event->time_ms;
	snprintf(kase->topic, sizeof(kase->topic), "%s", event->topic == NULL ? "" : event->topic);
	kase->severity = event->severity;
	kase->opened_ms = event->now_ms;
	return true;
}

static bool
case_closed(struct subject *subject, const struct event *event)
{
	struct care_case *kase = subject_case(subject, event->kase);

	if (kase == NULL)
		kase = subject_add_case(subject, event->kase);
	if (event->time_ms < kase->at_ms)
		return false;
	kase->at_ms = event->time_ms;
	if (kase->closed_ms != 0)
		return false;
	kase->closed_ms = event->now_ms;
	return true;
}

static bool
balance(struct subject *subject, const struct event *event)
{
	bool points = !subject->has_points || event->time_ms >= subject->points_at_ms;
	/* A tier that does not fit is no tier that a rule could name. */
	bool tier = event->tier != NULL && strlen(event->tier) < sizeof(subject->tier) &&
	    event->time_ms >= subject->tier_at_ms;

	if (points) {
		subject->has_points = true;
		subject->points = event->points;
		subject->points_expire_ms = event->until_ms;
		subject->points_at_ms = event->time_ms;
	}
	if (tier) {
		snprintf(subject->tier, sizeof(subject->tier), "%s", event->tier);
		subject->tier_at_ms = event->time_ms;
	}
	return points || tier;
}

static bool
wallet_changed(struct subject *subject, const struct event *event)
{
	struct wallet_entry *entry = subject_wallet(subject, event->offer);

	if (entry == NULL)
		entry = subject_add_wallet(subject, event->offer);
	if (event->time_ms < entry->at_ms)
		return false;
	entry->at_ms = event->time_ms;
	entry->worth_minor = event->worth_minor;
	entry->until_ms = event->until_ms;
	snprintf(entry->state, sizeof(entry->state), "%s",
	    event->state == NULL ? "" : event->state);
	return true;
}

static bool
enrolled(struct subject *subject, const struct event *event)
{
	if (subject->enrolled_ms != 0)
		return false;
	subject->enrolled_ms = event->now_ms;
	snprintf(subject->enrolled_at, sizeof(subject->enrolled_at), "%s", event->station);
	return true;
}

/* Its prompt is made from the event's name, so that the same event twice is one contact. */
bool
subject_contact_row(const struct event *event, struct contact *ret_row)
{
	if (event->type != EV_CONTACT_RECORDED)
		return false;
	*ret_row = (struct contact){
		.prompt = event_key(event),
		.outcome = OUTCOME_SHOWN,
		.at_ms = event->at_ms,
		.placement = PLACE_LATER,
		/* contacts_add copies them. */
		.action = (char *)(uintptr_t)event->contact_action,
		.reason = (char *)(uintptr_t)event->contact_channel,
	};
	return true;
}

static bool
contacts_have(const struct contacts *contacts, const struct contact *row)
{
	for (size_t i = contacts->count; i > 0; i--) {
		const struct contact *known = &contacts->rows[i - 1];

		if (known->outcome == row->outcome && id_equal(&known->prompt, &row->prompt))
			return true;
	}
	return false;
}

static bool
contact_recorded(struct subject *subject, const struct event *event)
{
	struct contact row;

	if (!subject_contact_row(event, &row) || contacts_have(&subject->contacts, &row))
		return false;
	told_gives_way(subject, &row);
	contacts_add(&subject->contacts, &row);
	return true;
}

static bool
returned(struct subject *subject, const struct event *event)
{
	subject_add_incident(subject, INCIDENT_RETURN, event->now_ms);
	return true;
}

static bool
surveyed(struct subject *subject, const struct event *event)
{
	if (event->kind == NULL || strcmp(event->kind, "complaint") != 0)
		return false;
	subject_add_incident(subject, INCIDENT_COMPLAINT, event->now_ms);
	return true;
}

static bool
untouched(struct subject *subject, const struct event *event)
{
	(void)subject;
	(void)event;
	return false;
}

bool
subject_apply(struct subject *subject, const struct event *event)
{
	/* clang-format off */
	static bool (*const appliers[EV_COUNT])(struct subject *, const struct event *) = {
#define X(constant, name, from, fields, visit, customer, way) [EV_##constant] = customer,
		EVENT_TYPES(X)
#undef X
	};
	/* clang-format on */

	CHECK((unsigned)event->type < EV_COUNT);
	if (subject->forgotten)
		return false;
	if (!appliers[event->type](subject, event))
		return false;
	subject->known = true;
	subject->dirty = true;
	return true;
}
