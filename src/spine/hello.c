/* SPDX-License-Identifier: Apache-2.0
 *
 * hello.c - a native tablet says which stations it shows, and is to be told what is open there.
 *
 * The answer changes nothing and need not outlive us: a tablet that did not
 * get one says hello again. So the turn only lists who asked, and the edge
 * answers when it can, once however often it was asked.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"

#define HELLO_STATIONS_MAX 64

static bool
named_before(json_t *stations, size_t count, const char *station)
{
	for (size_t i = 0; i < count; i++) {
		const char *other = json_string_value(json_array_get(stations, i));

		if (other != NULL && strcmp(other, station) == 0)
			return true;
	}
	return false;
}

void
hello(struct engine *engine, const struct route *route, const struct input *input)
{
	struct rejected rejected = { 0 };
	struct err err = { 0 };
	json_t *json = json_read(input->payload, input->len, "hello", &err);
	json_t *stations = json_object_get(json, "stations"), *station;
	struct native native;
	size_t i;

	native_read(engine, route->origin, &native);
	if (native.known)
		heard_of(engine, CHANNEL_TABLET, route->origin, engine->now_ms);
	if (!json_is_array(stations)) {
		rejected.reason = json == NULL ? REJECT_NOT_JSON : REJECT_BAD_SHAPE;
		snprintf(rejected.detail, sizeof(rejected.detail),
		    "/stations: expected an array of stations");
		dead_letter(engine, input->topic, &rejected, input->payload, input->len);
	}
	json_array_foreach(stations, i, station) {
		const char *name = json_string_value(station);

		if (i == HELLO_STATIONS_MAX)
			break;
		if (name == NULL || strlen(name) >= NAME_SIZE || named_before(stations, i, name))
			continue;
		if (native_covers(&native, name))
			engine_ask(engine, route->origin, name);
		else
			rejected.reason = REJECT_NOT_YOURS;
	}
	if (rejected.reason == REJECT_NOT_YOURS) {
		snprintf(rejected.detail, sizeof(rejected.detail),
		    "/stations: expected a tablet that is paired or added, and its own stations");
		dead_letter(engine, input->topic, &rejected, input->payload, input->len);
	}
	native_done(&native);
	json_decref(json);
}
