/* SPDX-License-Identifier: Apache-2.0
 *
 * trace.h - what disk.c notes; the paths are whole, and those of no folder that is noted are nothing.
 */
#ifndef AISLE_TESTS_SIM_TRACE_H
#define AISLE_TESTS_SIM_TRACE_H

#include <stddef.h>
#include <stdint.h>

void trace_open(const char *path);
void trace_write(const char *path, const void *bytes, size_t len, int64_t at);
void trace_truncate(const char *path, int64_t size);
void trace_sync(const char *path);
void trace_unlink(const char *path);
void trace_rename(const char *from, const char *to);
void trace_link(const char *from, const char *to);
void trace_sync_names(void);

#endif
