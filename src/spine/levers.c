/* SPDX-License-Identifier: Apache-2.0
 *
 * levers.c - levers that a manager moved for a while, within the bounds of the policy.
 *
 * DESIGN
 *   Kept by name beside the policy and put into it: into each policy that comes
 *   into force, and into its arms' variants. One that has no such lever, or
 *   none with bounds, leaves it aside; narrower bounds hold it to their end.
 *
 * A line of the list is "NAME<tab>VALUE<tab>UNTIL" in ms.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/near.h"
#include "core/log.h"
#include "decide/decide.h"
#include "policy/policy_load.h"

#define LEVERS "levers"

static const struct id no_object; /* its timers are of the list */

static struct lever_moved *
find(struct engine *engine, const char *name)
{
	for (size_t i = 0; i < engine->lever_count; i++)
		if (strcmp(engine->levers[i].name, name) == 0)
			return &engine->levers[i];
	return NULL;
}

int64_t
lever_until(const struct engine *engine, const char *name)
{
	for (size_t i = 0; i < engine->lever_count; i++)
		if (strcmp(engine->levers[i].name, name) == 0)
			return engine->levers[i].until_ms;
	return 0;
}

static double
value_of(const void *ctx, const struct lever *lever)
{
	const struct engine *engine = ctx;

	for (size_t i = 0; i < engine->lever_count; i++) {
		double value = engine->levers[i].value;

		if (strcmp(engine->levers[i].name, lever->target) == 0)
			return value < lever->min ? lever->min
			    : value > lever->max  ? lever->max
						  : value;
	}
	return lever->own;
}

void
levers_apply(struct engine *engine, struct policy *policy)
{
	if (policy == NULL)
		return;
	draw_cache_empty(engine->draws);
	policy_levers_move(policy, value_of, engine);
}

static void
apply_to_all(struct engine *engine)
{
	levers_apply(engine, engine->policy);
	for (size_t i = 0; i < engine->variant_count; i++)
		levers_apply(engine, engine->variants[i].policy);
}

void
levers_load(struct engine *engine)
{
	struct buf buf = { 0 };
	char *at, *line;

	if (store_meta_get(engine->store, LEVERS, &buf) == 0 && buf.len > 0) {
		for (at = buf.data; (line = strsep(&at, "\n")) != NULL;) {
			char *name = strsep(&line, "\t"), *value = strsep(&line, "\t");
			struct lever_moved *moved = &engine->levers[engine->lever_count];

			if (value == NULL || line == NULL || engine->lever_count == LEVERS_MAX)
				continue;
			*moved = (struct lever_moved){ .value = strtod(value, NULL),
				.until_ms = strtoll(line, NULL, 10) };
			snprintf(moved->name, sizeof(moved->name), "%s", name);
			engine->lever_count++;
		}
	}
	buf_done(&buf);
	apply_to_all(engine); /* after a turn that was undone */
}

static void
save(struct engine *engine)
{
	struct buf list = { 0 };

	buf_adds(&list, "");
	for (size_t i = 0; i < engine->lever_count; i++)
		buf_addf(&list, "%s\t%.17g\t%lld\n", engine->levers[i].name,
		    engine->levers[i].value, (long long)engine->levers[i].until_ms);
	engine_check(engine, store_meta_set(engine->store, LEVERS, list.data, list.len));
	buf_done(&list);
	apply_to_all(engine);
}

static struct reply
no(int status, const char *detail)
{
	return (struct reply){ .status = status, .detail = detail };
}

static const char *
no_lever(struct engine *engine, const char *name)
{
	const struct policy *policy = engine->policy;
	struct near near = near_to(name);
	struct buf meant = { 0 };
	const char *says;

	for (size_t i = 0; policy != NULL && i < policy->lever_count; i++)
		near_offer(&near, policy->levers[i].target);
	near_say(&near, &meant);
	says = arena_printf(engine->arena, "the policy in force has no such lever%s",
	    meant.len > 0 ? meant.data : "");
	buf_done(&meant);
	return says;
}

/* May it be moved so far? status 0: it may. */
static struct reply
look(struct engine *engine, const struct input *input)
{
	const struct lever *lever =
	    engine->policy != NULL ? policy_lever(engine->policy, input->text) : NULL;

	if (lever == NULL)
		return no(404, no_lever(engine, input->text));
	if (!lever->bounded)
		return no(403, "the policy sets this lever, and no manager moves it");
	if (!(input->value >= lever->min && input->value <= lever->max))
		return no(400,
		    arena_printf(engine->arena, "value: %.9g to %.9g is expected", lever->min,
			lever->max));
	if (input->until_ms <= engine->now_ms)
		return no(400, "until: a time to come is expected");
	if (find(engine, input->text) == NULL && engine->lever_count == LEVERS_MAX)
		return no(409, "too many levers are moved already");
	return (struct reply){ .status = 0 };
}

void
lever_move(struct engine *engine, struct input *input)
{
	struct lever_moved *moved;

	input->result = look(engine, input);
	if (input->result.status != 0)
		return;
	input->result.status = 200;
	moved = find(engine, input->text);
	if (moved == NULL)
		moved = &engine->levers[engine->lever_count++];
	*moved = (struct lever_moved){ .value = input->value, .until_ms = input->until_ms };
	snprintf(moved->name, sizeof(moved->name), "%s", input->text);
	timer_add(engine, "lever", &no_object, input->until_ms);
	save(engine);
	order_record(engine, "lever", input->text, &input->value, input->until_ms, input);
}

void
levers_due(struct engine *engine)
{
	size_t before = engine->lever_count, kept = 0;

	for (size_t i = 0; i < before; i++) {
		struct lever_moved *moved = &engine->levers[i];

		if (moved->until_ms > engine->now_ms)
			engine->levers[kept++] = *moved;
		else
			order_record(engine, "ended", moved->name, NULL, moved->until_ms,
			    &(struct input){ 0 });
	}
	engine->lever_count = kept;
	if (kept != before)
		save(engine);
}

void
levers_restore(struct engine *engine)
{
	for (size_t i = 0; i < engine->lever_count; i++)
		timer_add(engine, "lever", &no_object, engine->levers[i].until_ms);
}
