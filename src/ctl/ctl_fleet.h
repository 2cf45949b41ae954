/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_fleet.h - what headquarters' folder knows of its stores and their actions.
 */
#ifndef AISLE_CTL_CTL_FLEET_H
#define AISLE_CTL_CTL_FLEET_H

#include "ctl/ctl.h"
#include "hq/publish_goods.h"

/* Each of DIR/stores, with the channel and the ring that hq add-store gave it; "": none, or not known. */
typedef void (*store_fn)(void *ctx, const char *store, const char *channel, const char *ring);
void ctl_stores(const char *dir, store_fn each, void *ctx);
/* Says so where the folder's stores have none of that id, or none in that ring. Said, not refused: a gateway may be in a ring
 * that it was not given here, and a stop has to get out. dir, or store and ring, NULL: nothing to say. */
void ctl_warn_of_nobody(const char *dir, const char *store, const char *ring);
/* A misspelt stop stops nothing: 66 unless it is an action of some policy in the folder, or of a stop that was given.
 * Where there is no policy nobody knows. */
int ctl_known_action(const struct goods *goods, const char *dir, const char *action);

#endif
