/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet_page.h - the fleet as one HTML file that needs nothing else.
 */
#ifndef AISLE_TOOLS_FLEET_PAGE_H
#define AISLE_TOOLS_FLEET_PAGE_H

#include "core/buf.h"

/* json: as fleet_json() writes it. */
void fleet_page(const struct buf *json, struct buf *out);

#endif
