/* SPDX-License-Identifier: Apache-2.0
 *
 * log.h - stderr, one line each: "<N>" priority (journald) when not a terminal,
 * message, logfmt fields. Customers appear only as keyed hashes. Decisions go to the ledger.
 */
#ifndef AISLE_CORE_LOG_H
#define AISLE_CORE_LOG_H

#include "aisle/base.h"

enum log_level {
	LOG_SILENT = 0,
	LOG_ERROR = 3,
	LOG_WARNING = 4,
	LOG_NOTICE = 5,
	LOG_INFO = 6,
	LOG_DEBUG = 7
};
void log_set_level(enum log_level level);
/* error warning notice info debug */
bool log_level_parse(const char *name, enum log_level *ret);
void log_msg(enum log_level level, const char *format, ...) AISLE_PRINTF(2, 3);
/* A field's value that came from outside: as it is, or in quotes and escaped where a reader of
 * fields would stop within it. Cut at LOG_VALUE_SIZE. */
#define LOG_VALUE_SIZE 512
#define LOG_VALUE(text) log_value(text, (char[LOG_VALUE_SIZE]){ 0 })
const char *log_value(const char *text, char out[static LOG_VALUE_SIZE]);
#define log_error(...) log_msg(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_msg(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_msg(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_msg(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)

#endif
