/* SPDX-License-Identifier: Apache-2.0
 *
 * consent.c - what a customer allows: no record is a no.
 *
 * DESIGN
 *   A denial counts whenever it comes. A grant counts unless it was given
 *   before the last denial, whatever was granted in between: clocks of tills differ by minutes and queues
 *   by days, and of two wrong answers silence is the safe one. Rejected:
 *   ordering both by the sender's clock; a till that is a day behind could
 *   then not withdraw what was granted this morning.
 *
 *   What an event said wins over HQ's profile, which carries no time of its
 *   own; unless the row has "at" (RFC 3339) and that is later.
 */
#include "profile/subject_io.h"

#include <string.h>

#include "core/of_two.h"
#include "profile/subject_rows.h"

bool
consent_granted(const struct subject *subject, enum consent_purpose purpose, int64_t now_ms)
{
	const struct consent *consent = &subject->consent[purpose];

	if (subject->forgotten || consent->state != CONSENT_GRANTED)
		return false;
	return consent->until_ms == 0 || now_ms < consent->until_ms;
}

bool
consent_change(struct subject *subject, const struct event *event)
{
	struct consent *consent = &subject->consent[event->purpose];
	struct consent was = *consent;
	/* 0 means "from the profile". */
	int64_t at_ms = event->time_ms > 0 ? event->time_ms : 1;

	if (event->granted &&
	    (at_ms < was.denied_ms || (was.state == CONSENT_GRANTED && at_ms < was.at_ms)))
		return false;
	consent->state = event->granted ? CONSENT_GRANTED : CONSENT_DENIED;
	consent->until_ms = event->granted ? event->until_ms : 0;
	consent->at_ms = larger_of(at_ms, was.at_ms);
	if (!event->granted)
		consent->denied_ms = larger_of(at_ms, was.denied_ms);
	return true;
}

void
consent_from_profile(struct subject *subject, enum consent_purpose purpose,
    enum consent_state state, int64_t profile_ms)
{
	struct consent *consent = &subject->consent[purpose];

	if (consent->at_ms != 0 && profile_ms <= consent->at_ms)
		return;
	/* Not saved (at_ms 0): it is HQ's to say anew with the next profile. */
	*consent = (struct consent){ .state = state };
}

/* An end of 0 is no end: later than any other. */
static int64_t
sooner(int64_t a_ms, int64_t b_ms)
{
	if (a_ms == 0 || b_ms == 0)
		return a_ms == 0 ? b_ms : a_ms;
	return smaller_of(a_ms, b_ms);
}

/* Denied over granted over unknown; of two grants the narrower. A denial that only the
 * profile of the other card knew is an event from now on (at_ms over 0): it must be saved. */
struct consent
consent_merge(const struct consent *a, const struct consent *b)
{
	struct consent merged = a->state >= b->state ? *a : *b;

	if (a->state == b->state) {
		merged.until_ms = sooner(a->until_ms, b->until_ms);
		merged.at_ms = larger_of(a->at_ms, b->at_ms);
	}
	merged.denied_ms = larger_of(a->denied_ms, b->denied_ms);
	if (merged.state == CONSENT_DENIED && merged.at_ms == 0)
		merged.at_ms = 1;
	return merged;
}
