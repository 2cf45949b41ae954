/* SPDX-License-Identifier: Apache-2.0
 *
 * sealer.h - the store's bodies through the vault, under the keys of keys.db.
 */
#ifndef AISLE_PROFILE_SEALER_H
#define AISLE_PROFILE_SEALER_H

#include "store/store.h"
#include "profile/keys.h"

/* keys is borrowed. */
void sealer_init(struct sealer *sealer, struct keys *keys);
void sealer_done(struct sealer *sealer);

#endif
