/* SPDX-License-Identifier: Apache-2.0
 *
 * recording_marks.c - lines of a recording that are no events, read again: orders, what was in force, holes.
 */
#include "spine/recording.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/when.h"
#include "ingest/fields.h"
#include "nouns/catalog.h"
#include "spine/spine.h"

#define LEVER_NAME_MAX 140
#define QUOTED "\"" RECORDING_TYPE

static const char *
text(struct engine *engine, const json_t *object, const char *name)
{
	const char *found = json_string_value(json_object_get(object, name));

	return found != NULL ? arena_strdup(engine->arena, found) : NULL;
}

static int64_t
when(const json_t *object, const char *name)
{
	const char *found = json_string_value(json_object_get(object, name));
	int64_t ms = 0;

	return found != NULL && when_parse(found, &ms) ? ms : 0;
}

/* ---- orders ---- */

static bool
read_stop(struct engine *engine, const json_t *data, struct input *order)
{
	int64_t hq = ORDER_HERE;

	(void)json_int(json_object_get(data, "hq"), &hq);
	*order = (struct input){ .kind = INPUT_STOP,
		.text = text(engine, data, "action"),
		.flag = json_is_true(json_object_get(data, "stopped")),
		.until_ms = when(data, "until"),
		.from = (enum order_from)(hq & ORDER_FROM_HQ),
		.manager = text(engine, data, "manager") };
	return order->text != NULL && ascii_len(order->text, 1, ID_MAX) > 0 &&
	    json_is_boolean(json_object_get(data, "stopped"));
}

static bool
read_lever(struct engine *engine, const json_t *data, struct input *order)
{
	*order = (struct input){ .kind = INPUT_LEVER,
		.text = text(engine, data, "name"),
		.value = json_number_value(json_object_get(data, "value")),
		.until_ms = when(data, "until"),
		.manager = text(engine, data, "manager") };
	return order->text != NULL && ascii_len(order->text, 1, LEVER_NAME_MAX) > 0 &&
	    json_is_number(json_object_get(data, "value")) && order->until_ms != 0;
}

/* ---- what was in force ---- */

static const char *
other_than(struct engine *engine, const char *what, const char *then, const char *now)
{
	if (strcmp(then != NULL ? then : "", now != NULL ? now : "") == 0)
		return NULL;
	return arena_printf(engine->arena,
	    "from here on %s%.16s was in force in the store, here %s%.16s is",
	    then != NULL ? what : "no such ", then != NULL ? then : what,
	    now != NULL ? what : "no ", now != NULL ? now : what);
}

static bool
read_context(struct engine *engine, const json_t *data, struct recording_mark *ret)
{
	const char *policy =
	    engine->policy != NULL && engine->policy->hash[0] != '\0' ? engine->policy->hash : NULL;
	const char *catalog = engine->catalog != NULL ? catalog_is(engine->catalog)->hash : NULL;

	ret->is_context = true;
	ret->uncertain = json_is_true(json_object_get(data, "uncertain"));
	ret->note = other_than(engine, "policy ", text(engine, data, "policy"), policy);
	if (ret->note == NULL)
		ret->note = other_than(engine, "catalog ", text(engine, data, "catalog"), catalog);
	if (json_is_true(json_object_get(data, "gap")))
		ret->note =
		    "before this nothing was recorded for a while ([state] recording_mib was 0)";
	return true;
}

static bool
read_hole(struct engine *engine, const json_t *data, struct recording_mark *ret)
{
	int64_t inputs = 0;
	const char *until = text(engine, data, "until");

	if (json_int(json_object_get(data, "inputs"), &inputs) && until != NULL)
		ret->note = arena_printf(engine->arena,
		    "a hole: %lld inputs until %s are gone, of customers who were forgotten or of "
		    "damaged rows",
		    (long long)inputs, until);
	return ret->note != NULL;
}

static bool
read_mark(struct engine *engine, const char *type, const json_t *data, struct recording_mark *ret)
{
	if (strcmp(type, "stop") == 0)
		return read_stop(engine, data, &ret->order);
	if (strcmp(type, "lever") == 0)
		return read_lever(engine, data, &ret->order);
	if (strcmp(type, "context") == 0)
		return read_context(engine, data, ret);
	if (strcmp(type, "hole") == 0)
		return read_hole(engine, data, ret);
	if (strcmp(type, "began") == 0)
		engine->recording.known = true;
	else if (strcmp(type, "ended") != 0)
		return false;
	/* Into an empty state, of a store that was not. */
	else if (!engine->recording.known && engine->options.state_dir == NULL)
		ret->note =
		    "the begin of the store's state is not in this file, and what it knew by "
		    "then is not known here; expected --after a copy of that state";
	return true;
}

/* New reference; NULL: it is an event, or nothing. */
static json_t *
read_line(const char *line, size_t len)
{
	const char *type;
	json_t *root;

	if (memmem(line, len, QUOTED, strlen(QUOTED)) == NULL)
		return NULL;
	root = json_read(line, len, "line", NULL);
	type = json_string_value(json_object_get(root, "type"));
	if (type != NULL && strncmp(type, RECORDING_TYPE, strlen(RECORDING_TYPE)) == 0)
		return root;
	json_decref(root);
	return NULL;
}

bool
recording_is_mark(const char *line, size_t len)
{
	json_t *root = read_line(line, len);

	json_decref(root);
	return root != NULL;
}

bool
recording_mark(struct engine *engine, const struct input *line, struct recording_mark *ret)
{
	json_t *root = read_line(line->payload, line->len);
	const char *type = json_string_value(json_object_get(root, "type")),
		   *at = json_string_value(json_object_get(root, "time"));

	*ret = (struct recording_mark){ .order = { .kind = INPUT_CLOCK } };
	if (root == NULL)
		return false;
	if (at == NULL || !when_parse(at, &ret->now_ms) ||
	    !read_mark(engine, type + strlen(RECORDING_TYPE), json_object_get(root, "data"), ret)) {
		ret->now_ms = -1;
		ret->note = "/type, /time, /data: expected a line that aislectl recording writes";
	}
	json_decref(root);
	return true;
}
