/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_plan_steps.c - the steps of a plan, as they are written down.
 */
#include "hq/publish_plan_internal.h"

#include <stdio.h>
#include <string.h>

void
plan_note(struct planning *p, const char *what, const char *why)
{
	buf_addf(p->notes, "%s: %s\n", what, why);
}

int
plan_mistake(struct planning *p, const struct err *why)
{
	if (!p->goods->folder)
		return err_set(p->err, why->code, "%s", why->text);
	buf_addf(p->notes, "%s\n", why->text);
	left_out_add(&p->plan->wrong, why);
	return 0;
}

struct step *
plan_step(struct planning *p, enum step_kind kind)
{
	struct plan *plan = p->plan;

	plan->steps = mem_grow(plan->steps, plan->count, &plan->room, sizeof(*plan->steps));
	plan->steps[plan->count] = (struct step){ .kind = kind };
	return &plan->steps[plan->count++];
}

/* Unless it is there already. */
void
plan_text(struct planning *p, const char *topic, const char *text, size_t len)
{
	const struct kept_text *there = kept_get(p->kept, topic);
	struct step *step;

	p->plan->retained += (int64_t)(len + strlen(topic));
	if (there != NULL && there->len == len && memcmp(there->bytes, text, len) == 0)
		return;
	step = plan_step(p, STEP_TEXT);
	snprintf(step->topic, sizeof(step->topic), "%s", topic);
	step->payload = mem_alloc(len + 1);
	memcpy(step->payload, text, len);
	step->payload[len] = '\0';
	step->len = len;
}
