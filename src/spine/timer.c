/* SPDX-License-Identifier: Apache-2.0
 *
 * timer.c - the rows of what is due: "KIND/OBJECT-ID/DUE-MS".
 *
 * A timer is an input like any other; due.c applies it.
 */
#include "spine/spine.h"

#include <stdio.h>

#include "core/id.h"

static const char *
row_name(const char *kind, const struct id *object, int64_t due_ms, char out[static 128])
{
	char text[ID_TEXT_SIZE];

	id_text(object, text);
	snprintf(out, 128, "%s/%s/%lld", kind, text, (long long)due_ms);
	return out;
}

void
timer_add(struct engine *engine, const char *kind, const struct id *object, int64_t due_ms)
{
	char name[128];

	engine_check(engine,
	    store_timer_add(engine->store, due_ms, row_name(kind, object, due_ms, name)));
}

void
timer_cancel(struct engine *engine, const char *kind, const struct id *object, int64_t due_ms)
{
	char name[128];

	engine_check(engine,
	    store_timer_delete(engine->store, due_ms, row_name(kind, object, due_ms, name)));
}
