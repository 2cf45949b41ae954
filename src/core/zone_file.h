/* SPDX-License-Identifier: Apache-2.0
 *
 * zone_file.h - time zones by their names, out of this machine's time zone database.
 */
#ifndef AISLE_CORE_ZONE_FILE_H
#define AISLE_CORE_ZONE_FILE_H

#include "core/when.h"

#define ZONEINFO "/usr/share/zoneinfo"
#define ZONE_RULE_SIZE 128

/* The POSIX rule that holds from now on, of such a file's bytes. false: not one, or without a rule. */
bool zone_rule_of_file(const char *bytes, size_t len, char ret_rule[static ZONE_RULE_SIZE]);
/* The same by name. false: no such zone, or none with a rule. */
bool zone_rule_by_name(const char *name, char ret_rule[static ZONE_RULE_SIZE]);
/* To be freed with zone_free; NULL: no such zone, or its rule cannot be used. */
struct zone *zone_by_name(const char *name);

#endif
