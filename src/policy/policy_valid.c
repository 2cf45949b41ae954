/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_valid.c - when and where an action holds: dates, days, hours, stores.
 */
#include "policy/policy_internal.h"

#include <string.h>

/* "08:00" to minutes; "24:00" is the day's end. */
static bool
read_minute(const char *text, int *ret)
{
	int hour, minute;

	if (text == NULL || strlen(text) != 5 || strspn(text, "0123456789") != 2 ||
	    text[2] != ':' || strspn(text + 3, "0123456789") != 2)
		return false;
	hour = (text[0] - '0') * 10 + text[1] - '0';
	minute = (text[3] - '0') * 10 + text[4] - '0';
	*ret = hour * 60 + minute;
	return minute < 60 && *ret <= 1440;
}

static void
read_hours(struct compile *c, const struct at *at, struct action *action)
{
	int from, until;

	if (at->json == NULL)
		return;
	if (json_array_size(at->json) != 2 ||
	    !read_minute(json_string_value(json_array_get(at->json, 0)), &from) ||
	    !read_minute(json_string_value(json_array_get(at->json, 1)), &until) || from >= until) {
		mistake(c, at,
		    "not hours of a day, expected [\"08:00\",\"21:00\"], the second later");
		return;
	}
	action->valid_minute_from = from;
	action->valid_minute_until = until;
}

static void
read_stores(struct compile *c, const struct at *at, struct action *action)
{
	size_t count = json_array_size(at->json);

	if (at->json == NULL)
		return;
	if (count == 0)
		mistake(c, at, "no store, expected at least one or no list");
	action->stores = arena_alloc(c->arena, (count + 1) * sizeof(*action->stores));
	for (size_t i = 0; i < count; i++) {
		struct at here = at_index(at, i);
		const char *store = json_string_value(here.json);

		if (store == NULL || !id_valid(store) || strlen(store) > 32)
			mistake(c, &here, "not a store, expected its id");
		else
			action->stores[action->store_count++] = keep(c, store);
	}
}

void
valid_read(struct compile *c, const struct at *at, struct action *action)
{
	static const struct member members[] = {
		{ "from", T_STRING },
		{ "until", T_STRING },
		{ "days", T_ARRAY },
		{ "hours", T_ARRAY },
		{ "stores", T_ARRAY },
	};
	struct at days = at_member(at, "days"), hours = at_member(at, "hours"),
		  stores = at_member(at, "stores");

	action->valid_until_ms = INT64_MAX;
	action->valid_days = 0x7f;
	action->valid_minute_until = 1440;
	if (!json_is_object(at->json) || !READ_MEMBERS(c, at, members))
		return;
	action->valid_from_ms = read_time(c, at, "from", 0);
	action->valid_until_ms = read_time(c, at, "until", INT64_MAX);
	if (action->valid_from_ms >= action->valid_until_ms)
		mistake(c, at, "\"until\" is not after \"from\", expected a later time");
	read_hours(c, &hours, action);
	read_stores(c, &stores, action);
	if (!json_is_array(days.json))
		return;
	action->valid_days = 0;
	for (size_t i = 0; i < json_array_size(days.json); i++) {
		struct at here = at_index(&days, i);
		int day = choice(c, &here, day_names, 7);

		if (day >= 0)
			action->valid_days |= (uint8_t)(1u << day);
	}
	if (json_array_size(days.json) == 0)
		mistake(c, &days, "no day, expected at least one or no list");
}
