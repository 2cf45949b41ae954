/* SPDX-License-Identifier: Apache-2.0
 *
 * source.c - a broker by its url, and HQ's own acknowledgement to a store.
 */
#include "hq/source.h"

#include <stdio.h>
#include <string.h>

#include "core/json_write.h"

void
source_ack(const struct batch *batch, char separator, char topic[static 100], struct buf *payload)
{
	struct json_writer *w = JSON_OBJECT(payload);
	json_add_str(w, "epoch", batch->epoch);
	json_add_int(w, "upto", batch->upto);
	json_end(w);
	snprintf(topic, 100, "aisle%cv1%chq%cstore%c%s%cack%c%s", separator, separator, separator,
	    separator, batch->store, separator, separator, batch->lane);
}

int
source_open(const struct broker_options *broker, const char *url, const char *name,
    struct source **ret_source, struct err *err)
{
	return strncmp(url, "nats://", 7) == 0 ? source_nats(broker, url, name, ret_source, err)
					       : source_mqtt(broker, url, name, ret_source, err);
}
