/* SPDX-License-Identifier: Apache-2.0
 *
 * uplink.h - the store's records to HQ: lanes in order, batches of zstd'd JSON lines, HQ's own
 * acknowledgement.
 *
 * One batch a lane is in flight; it is sent again after 30 s, doubling to 10 minutes, with jitter,
 * and within seconds of another connection, until HQ says {"epoch","upto"}. Nothing is deleted
 * before that.
 */
#ifndef AISLE_SYNC_UPLINK_H
#define AISLE_SYNC_UPLINK_H

#include "core/buf.h"
#include "store/store.h"

#define UPLINK_BATCH_ROWS 256
/* before compression; one row may exceed it alone, up to 4 MiB that pack into 1 MiB */
#define UPLINK_BATCH_BYTES (256u << 10)

struct uplink;
/* store borrowed. seed: of the jitter. decision_body: writes the body of a decision record whose
 * row holds only an id. */
struct uplink *uplink_new(struct store *store, const char *store_id, uint64_t seed);
void uplink_free(struct uplink *uplink);
void uplink_connected(struct uplink *uplink, bool connected, int64_t mono_ms);
/* The next message due, or false: topic "aisle/v1/hq/store/{store}/up/{lane}" and zstd bytes. Call
 * after each commit, ack and second. mono_ms: monotonic. */
bool uplink_next(struct uplink *uplink, int64_t mono_ms, struct buf *ret_topic,
    struct buf *ret_payload);
/* A message from HQ. 0 with lane and upto to be applied by store_uplink_ack in the next turn;
 * AISLE_E_INVALID (counted): another epoch, beyond what was sent, not JSON. */
int uplink_ack(struct uplink *uplink, const char *topic, const void *payload, size_t len,
    enum lane *ret_lane, int64_t *ret_upto);
/* after that turn's commit */
void uplink_acked(struct uplink *uplink, enum lane lane, int64_t upto);

#endif
