/* SPDX-License-Identifier: Apache-2.0
 *
 * features_visit.c - visit.NAME and store.NAME: what can be read off as it is.
 */
#include "score/features_parts.h"

static double
prompts_sent(const struct visit *visit)
{
	double count = 0;

	for (size_t i = 0; i < visit->card_count; i++)
		count += !visit->cards[i].withheld;
	return count;
}

struct value
visit_value(const struct sources *sources, enum visit_field field)
{
	const struct visit *visit = sources->visit;

	if (field == VISIT_KNOWN)
		return value_bool(sources->subject != NULL);
	if (visit == NULL)
		return value_missing();
	switch (field) {
	case VISIT_KNOWN: break;
	case VISIT_AGE_S:
		return value_number((double)(sources->now_ms - visit->opened_ms) / 1000.0);
	case VISIT_VOIDS: return value_number(visit->voids);
	case VISIT_DECLINES: return value_number(visit->declines);
	case VISIT_RETURNS: return value_number(visit->returns);
	case VISIT_WAIT: return value_bool(visit->state == VISIT_WAITING);
	case VISIT_PROMPTS: return value_number(prompts_sent(visit));
	case VISIT_CARD: return value_bool(visit->has_subject);
	case VISIT_OWED: return value_number((double)sources->owed_minor);
	}
	return value_missing();
}

struct value
store_value(const struct sources *sources, enum store_field field)
{
	if (field == STORE_ID)
		return sources->store == NULL ? value_missing() : value_string(sources->store);
	return sources->has_queue ? value_number(sources->queue) : value_missing();
}
