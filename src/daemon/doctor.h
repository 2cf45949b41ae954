/* SPDX-License-Identifier: Apache-2.0
 *
 * doctor.h - what is wrong with a store, and its mend: one object {"check","state","says","mend"?} each.
 */
#ifndef AISLE_DAEMON_DOCTOR_H
#define AISLE_DAEMON_DOCTOR_H

#include "core/conf.h"
#include "core/json_write.h"

enum health { HEALTH_OK, HEALTH_WARN, HEALTH_BAD };

/* One finding into the list that is being written. mend: told where it is not well; NULL: none. */
void doctor_say(struct json_writer *w, const char *check, enum health health, const char *mend,
    const char *format, ...) AISLE_PRINTF(5, 6);

/* doctor_files.c: what can be seen without the daemon: configuration, permissions of files that hold secrets, the
 * ends of certificates. conf_path is read; now_ms: UTC. */
void doctor_files(const char *conf_path, int64_t now_ms, struct json_writer *w);

#endif
