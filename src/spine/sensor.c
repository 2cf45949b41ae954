/* SPDX-License-Identifier: Apache-2.0
 *
 * sensor.c - how long the queue at a station is, as its sensor last said.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct queue_reading *
find(struct engine *engine, const char *station)
{
	for (size_t i = 0; i < engine->queue_count; i++) {
		if (strcmp(engine->queues[i].station, station) == 0)
			return &engine->queues[i];
	}
	return NULL;
}

void
sensor_note(struct engine *engine, const char *station, double value)
{
	struct queue_reading *reading = find(engine, station);

	if (reading == NULL) {
		if (engine->queue_count == QUEUE_STATIONS_MAX)
			return;
		reading = &engine->queues[engine->queue_count++];
		snprintf(reading->station, sizeof(reading->station), "%s", station);
	}
	reading->value = value;
	engine->queues_dirty = true;
}

bool
sensor_read(struct engine *engine, const char *station, double *ret_value)
{
	const struct queue_reading *reading = find(engine, station);

	if (reading == NULL)
		return false;
	*ret_value = reading->value;
	return true;
}

void
sensor_load(struct engine *engine)
{
	struct buf buf = { 0 };

	if (store_meta_get(engine->store, "queues", &buf) == 0) {
		struct rd rd = rd_init(buf.data, buf.len);
		uint32_t count = rd_u32(&rd);

		for (uint32_t i = 0; i < count && i < QUEUE_STATIONS_MAX; i++) {
			char *station = rd_str(&rd);
			double value = rd_f64(&rd);

			if (rd.ok && station != NULL)
				sensor_note(engine, station, value);
			free(station);
		}
	}
	engine->queues_dirty = false;
	buf_done(&buf);
}

void
sensor_save(struct engine *engine, struct buf *buf)
{
	if (!engine->queues_dirty)
		return;
	buf_clear(buf);
	buf_u32(buf, (uint32_t)engine->queue_count);
	for (size_t i = 0; i < engine->queue_count; i++) {
		buf_str(buf, engine->queues[i].station);
		buf_f64(buf, engine->queues[i].value);
	}
	engine_check(engine, store_meta_set(engine->store, "queues", buf->data, buf->len));
	engine->queues_dirty = false;
}
