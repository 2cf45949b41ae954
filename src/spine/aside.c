/* SPDX-License-Identifier: Apache-2.0
 *
 * aside.c - a turn that cannot be committed for a reason of its own: who is it, and without them.
 *
 * DESIGN
 *   A full or broken disk refuses every turn, and waiting helps. What an input
 *   would write and no row can hold refuses its own turn for ever, and with it
 *   all that came in the same moment. So each input gets a turn of its own, in
 *   their order. One whose turn fails again is tried once more after the timers
 *   that were due before it, each of them alone; if it is not one of those, the
 *   input is set aside: a dead letter, a receipt that says so, and the next.
 *   A timer that cannot be committed is dropped with its dead letter.
 *   If even that cannot be written, it was not the input: the turn has failed.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"

bool
turn_own_fault(int rc)
{
	return rc != 0 && rc != AISLE_E_IO && rc != AISLE_E_FULL && rc != AISLE_E_DAMAGED;
}

static int
attempt(struct engine *engine, struct input *input)
{
	int rc = turn_run(engine, input, 1), again;

	if (!turn_own_fault(rc))
		return rc;
	again = engine_reload(engine);
	return again != 0 ? again : rc;
}

static int
attempt_aside(struct engine *engine, struct input *input)
{
	input->aside = true;
	return attempt(engine, input);
}

/* The first timer. Between two turns one that is damaged can only be told: it goes with the turn that is next. */
static int
first_timer(struct engine *engine, int64_t *ret_due_ms, char ret_id[static 128])
{
	int rc = store_timer_first(engine->store, ret_due_ms, ret_id);

	if (rc != AISLE_E_DAMAGED)
		return rc;
	*ret_due_ms = engine->now_ms;
	snprintf(ret_id, 128, "damaged");
	return 0;
}

static int
timers_alone(struct engine *engine, int64_t until_ms, turned_fn turned, void *ctx)
{
	char id[128], last_id[128] = "";
	int64_t due_ms;
	int rc;

	while ((rc = first_timer(engine, &due_ms, id)) == 0 && due_ms <= until_ms) {
		/* It does not go, and would be due for ever: its id has the time. */
		if (strcmp(id, last_id) == 0)
			return AISLE_E_IO;
		memcpy(last_id, id, sizeof(last_id));
		struct input clock = { .kind = INPUT_CLOCK, .now_ms = due_ms, .number = 1 };

		rc = attempt(engine, &clock);
		if (turn_own_fault(rc))
			rc = attempt_aside(engine, &clock);
		if (rc != 0)
			return rc;
		turned(ctx, NULL);
	}
	return rc == AISLE_E_NONE ? 0 : rc;
}

static int
take_alone(struct engine *engine, struct input *input, turned_fn turned, void *ctx)
{
	int64_t reached_ms;
	int rc = turn_run(engine, input, 1);

	if (turn_own_fault(rc)) {
		reached_ms = engine->now_ms;
		log_error("an input's own turn could not be committed rc=%d source=%s", rc,
		    LOG_VALUE(engine->source));
		rc = engine_reload(engine);
		if (rc == 0)
			rc = timers_alone(engine, reached_ms, turned, ctx);
		if (rc == 0)
			rc = attempt(engine, input);
		if (turn_own_fault(rc))
			rc = attempt_aside(engine, input);
	}
	if (rc == 0)
		turned(ctx, input);
	return rc;
}

int
turn_each(struct engine *engine, struct input *inputs, size_t count, turned_fn turned, void *ctx)
{
	int rc = engine_reload(engine);

	for (size_t i = 0; i < count && rc == 0; i++)
		rc = take_alone(engine, &inputs[i], turned, ctx);
	return rc;
}
