/* SPDX-License-Identifier: Apache-2.0
 *
 * collect_name.h - what a collector is called by its brokers.
 */
#ifndef AISLE_HQ_COLLECT_NAME_H
#define AISLE_HQ_COLLECT_NAME_H

#include "aisle/base.h"

struct collect_name {
	char text[24];
	int lock; /* held until collect_name_done() or death */
};
/* The same each time, another for each collector that runs at the same time. */
int collect_name_take(const char *into, struct collect_name *name, struct err *err)
    AISLE_MUST_CHECK;
void collect_name_done(struct collect_name *name);

#endif
