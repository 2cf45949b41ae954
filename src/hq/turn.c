/* SPDX-License-Identifier: Apache-2.0
 *
 * turn.c - what a collector has taken and not committed yet.
 */
#include "hq/turn.h"

#include "core/log.h"
#include "sync/wan.h"

bool
turn_take(struct turn *turn, struct source *source, void *handle, const char *topic,
    const void *payload, size_t len)
{
	struct err err = { 0 };
	CHECK(turn->count < TURN_ROOM);
	struct taken *taken = &turn->items[turn->count];
	*taken = (struct taken){ .source = source, .handle = handle };
	if (batch_read(topic, payload, len, &taken->batch, &err) != 0) {
		turn->bad++;
		log_warning("collect: batch refused topic=%s line=%d error=%s refused=%lld",
		    LOG_VALUE(topic), err.line, LOG_VALUE(err.text), turn->bad);
		return false;
	}
	if (turn->keep_raw)
		buf_add(&taken->raw, payload, len);
	if (turn->count == 0)
		turn->began_ms = wan_now_ms();
	turn->rows += taken->batch.count;
	turn->count++;
	return true;
}

bool
turn_full(const struct turn *turn, int64_t now_ms)
{
	return turn->count > 0 &&
	    (turn->count >= TURN_BATCHES || turn->rows >= TURN_ROWS ||
		now_ms - turn->began_ms >= TURN_MS);
}

void
turn_clear(struct turn *turn)
{
	for (size_t i = 0; i < turn->count; i++) {
		batch_done(&turn->items[i].batch);
		buf_done(&turn->items[i].raw);
	}
	turn->count = turn->rows = 0;
	turn->broken = false;
}
