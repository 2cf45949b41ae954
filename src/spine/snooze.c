/* SPDX-License-Identifier: Apache-2.0
 *
 * snooze.c - a card that was put off comes due while there is nobody to show it to.
 *
 * DESIGN
 *   It is marked, and its timer set anew by the event after which there is
 *   somebody. Rejected: trying again each minute; a sale that goes on would wait
 *   for what has been due.
 */
#include "spine/spine.h"

#include "nouns/visit.h"

bool
snooze_must_wait(const struct engine *engine, const struct visit *visit)
{
	return visit->state == VISIT_SUSPENDED ||
	    (visit->state == VISIT_TENDER && engine->policy->quiet_tender);
}

void
snooze_open(struct engine *engine, const struct visit *visit)
{
	if (engine->policy == NULL || visit_over(visit) || snooze_must_wait(engine, visit))
		return;
	for (size_t i = 0; i < visit->card_count; i++) {
		if (visit->cards[i].overdue)
			timer_add(engine, "snooze", &visit->cards[i].prompt, engine->now_ms);
	}
}
