/* SPDX-License-Identifier: Apache-2.0
 *
 * staff.c - cards of those who work here: counted, not served, not learned from.
 *
 * Headquarters says whose they are. A card that is in more baskets of a
 * business day than one person has is treated as one: somebody lends it to
 * whoever has none. Its next day begins anew.
 */
#include "spine/spine.h"

#include "core/id.h"
#include "core/log.h"
#include "core/metrics.h"

static bool
is_lent(const struct engine *engine, const struct subject *subject)
{
	return subject->baskets > engine->conf->baskets_a_day &&
	    subject->baskets_day_ms == engine_day_start(engine, engine->now_ms);
}

bool
staff_visit(struct engine *engine, const struct visit *visit)
{
	const struct subject *subject;

	if (!visit->has_subject)
		return false;
	subject = engine_subject(engine, &visit->subject);
	return subject->staff || is_lent(engine, subject);
}

void
staff_count(struct engine *engine, struct visit *visit)
{
	int64_t day_ms = engine_day_start(engine, engine->now_ms);
	char text[SUBJECT_TEXT_SIZE];
	struct subject *subject;

	if (!visit->has_subject || visit->basket == NULL || visit->training ||
	    id_equal(&visit->counted, &visit->subject))
		return;
	visit->counted = visit->subject;
	subject = engine_subject(engine, &visit->subject);
	if (subject->forgotten)
		return;
	if (subject->baskets_day_ms != day_ms)
		subject->baskets = 0;
	subject->baskets_day_ms = day_ms;
	subject->baskets++;
	subject->dirty = true;
	if (subject->staff) {
		metrics_add(METRIC_STAFF_LISTED, 1);
	} else if (is_lent(engine, subject)) {
		metrics_add(METRIC_STAFF_LENT, 1);
		subject_text(&subject->id, text);
		log_notice("a card is in more baskets today than one person has subject=%s "
			   "baskets=%d",
		    text, subject->baskets);
	}
}
