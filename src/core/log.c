/* SPDX-License-Identifier: Apache-2.0
 *
 * log.c - one line each on stderr, in one write, so that lines of two processes never mix.
 */
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/mask.h"

#define LINE_BYTES_MAX 2048

static enum log_level level_max = LOG_INFO;
static const struct {
	const char *name;
	enum log_level level;
} level_names[] = {
	{ "error", LOG_ERROR },
	{ "warning", LOG_WARNING },
	{ "notice", LOG_NOTICE },
	{ "info", LOG_INFO },
	{ "debug", LOG_DEBUG },
};

void
log_set_level(enum log_level level)
{
	level_max = level;
}

bool
log_level_parse(const char *name, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strcmp(name, level_names[i].name) == 0) {
			*ret = level_names[i].level;
			return true;
		}
	}
	return false;
}

void
log_msg(enum log_level level, const char *format, ...)
{
	if (level > level_max)
		return;
	char line[LINE_BYTES_MAX];
	size_t at = 0;
	if (!isatty(STDERR_FILENO))
		at = (size_t)snprintf(line, sizeof(line), "<%d>", (int)level);

	va_list args;
	va_start(args, format);
	int len = vsnprintf(line + at, sizeof(line) - at, format, args);
	va_end(args);
	if (len < 0)
		return;
	size_t end = at + (size_t)len;
	if (end > sizeof(line) - 2)
		end = sizeof(line) - 2;
	/* What a till sent may be quoted here: it must not forge a line of its own. */
	for (; at < end; at++) {
		if ((unsigned char)line[at] < 0x20 || line[at] == 0x7f)
			line[at] = ' ';
	}
	mask_text(line, end);
	line[end++] = '\n';
	ssize_t written = write(STDERR_FILENO, line, end);
	(void)written; /* where would one complain? */
}

/* What a reader of fields takes for one value without quotes. */
static bool
is_plain(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("\"\\=", *c) != NULL)
			return false;
	}
	return *text != '\0';
}

const char *
log_value(const char *text, char out[static LOG_VALUE_SIZE])
{
	if (is_plain(text))
		return text;
	size_t at = 0;
	out[at++] = '"';
	for (; *text != '\0' && at < LOG_VALUE_SIZE - 3; text++) {
		if (*text == '"' || *text == '\\')
			out[at++] = '\\';
		out[at++] = *text;
	}
	out[at++] = '"';
	out[at] = '\0';
	return out;
}
