/* SPDX-License-Identifier: Apache-2.0
 *
 * notify.h - telling the service manager: ready, reloading, stopping, alive.
 *
 * Without NOTIFY_SOCKET in the environment every call does nothing.
 */
#ifndef AISLE_CORE_NOTIFY_H
#define AISLE_CORE_NOTIFY_H

#include "aisle/base.h"

void notify_ready(void);
void notify_reloading(void); /* notify_ready ends it */
void notify_stopping(void);
void notify_alive(void); /* feeds the watchdog: only after real progress */
void notify_status(const char *format, ...) AISLE_PRINTF(1, 2);
/* How often notify_alive is due: half of what the manager waits; 0: no watchdog for us. */
int64_t notify_interval_ms(void);

#endif
