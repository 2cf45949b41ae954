/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_check.c - names in a mapping that nothing has: members of an event, and what begins with $.
 *
 * DESIGN
 *   Both would be silence: a member that no event has is left aside, a name that no "let" has is
 *   null. A till's own members cannot be known.
 */
#include <stdio.h>
#include <string.h>

#include "core/near.h"
#include "ingest/fields.h"
#include "ingest/mapping_internal.h"

static void
wrong_name(const char *pointer, const char *what, struct near *near, mapping_wrong_fn wrong,
    void *ctx)
{
	struct buf text = { 0 };

	buf_adds(&text, what);
	near_say(near, &text);
	wrong(ctx, pointer, text.data);
	buf_done(&text);
}

void
mapping_check_data(enum event_type type, const json_t *data, const char *pointer,
    mapping_wrong_fn wrong, void *ctx)
{
	const char *name;
	json_t *rule;
	char place[600], text[160];

	json_object_foreach((json_t *)(uintptr_t)data, name, rule) {
		struct near near = near_to(name);

		/* "currency" tells the decimals of the amounts beside it, whoever takes it. */
		if (event_member_known(type, name, &near) || strcmp(name, "currency") == 0)
			continue;
		snprintf(place, sizeof(place), "%.400s/%.64s", pointer, name);
		snprintf(text, sizeof(text), "no member of %s", event_type_name(type));
		wrong_name(place, text, &near, wrong, ctx);
	}
	for (size_t i = 0; (name = event_member_needed(type, i)) != NULL; i++) {
		if (json_object_get(data, name) != NULL)
			continue;
		snprintf(text, sizeof(text), "expected \"%s\", which %s needs", name,
		    event_type_name(type));
		wrong(ctx, pointer, text);
	}
}

static void
check_path(const struct mapping *mapping, const char *path, const char *pointer,
    mapping_wrong_fn wrong, void *ctx)
{
	size_t len = strcspn(path, ".");
	struct near near;
	char name[80];

	if (path[0] != '$' || len == 1 || (len == 2 && path[1] == 'i'))
		return;
	snprintf(name, sizeof(name), "%.*s", (int)len - 1, path + 1);
	near = near_to(name);
	for (size_t i = 0; i < mapping->let_count; i++) {
		const char *known = mapping->lets[i].name;

		if (strlen(known) == len - 1 && strncmp(known, path + 1, len - 1) == 0)
			return;
		near_offer(&near, mapping->lets[i].name);
	}
	wrong_name(pointer, "a name that no \"let\" has given by then", &near, wrong, ctx);
}

/* Depth is that of the file, bounded when it was read. */
void
mapping_check_names(const struct mapping *mapping, const json_t *rule, const char *pointer,
    mapping_wrong_fn wrong, void *ctx)
{
	json_t *var = json_object_get(rule, "var"), *value;
	const char *name,
	    *path = json_string_value(json_is_array(var) ? json_array_get(var, 0) : var);
	size_t i;

	if (path != NULL && json_object_size(rule) == 1)
		check_path(mapping, path, pointer, wrong, ctx);
	json_object_foreach((json_t *)(uintptr_t)rule, name, value)
		mapping_check_names(mapping, value, pointer, wrong, ctx);
	json_array_foreach((json_t *)(uintptr_t)rule, i, value)
		mapping_check_names(mapping, value, pointer, wrong, ctx);
}
