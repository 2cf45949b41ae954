/* SPDX-License-Identifier: Apache-2.0
 *
 * refusal.c - a no is said, named and counted in one place, so that none goes uncounted.
 */
#include "trust/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/metrics.h"

static const char *const names[REFUSED_COUNT] = { "none",
#define X(constant, name) name,
	REFUSALS(X)
#undef X
};

const char *
refusal_name(enum refusal refusal)
{
	return NAME_OF(names, refusal);
}

const char *
refusal_reason(enum refusal refusal, const char *text)
{
	size_t len = strlen(refusal_name(refusal));

	return strncmp(text, refusal_name(refusal), len) == 0 && text[len] == ':' &&
		text[len + 1] == ' '
	    ? text + len + 2
	    : text;
}

enum refusal
refusal_by_name(const char *name)
{
	for (size_t i = 1; i < REFUSED_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return (enum refusal)i;
	return REFUSED_COUNT;
}

int
refusal_say(enum refusal refusal, enum refusal *ret_refusal, struct err *err, const char *format,
    ...)
{
	char text[sizeof(err->text)];
	va_list args;

	CHECK(refusal > REFUSED_NONE && refusal < REFUSED_COUNT);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	metrics_refused(refusal);
	if (ret_refusal != NULL)
		*ret_refusal = refusal;
	return err_set(err, AISLE_E_REFUSED, "%s: %s", names[refusal], text);
}

int64_t
refusal_count(enum refusal refusal)
{
	CHECK(refusal > REFUSED_NONE && refusal < REFUSED_COUNT);
	return metrics_get((enum metric)(METRIC_REFUSED_MALFORMED + (int)refusal - 1));
}

void
refusal_write(struct json_writer *w, const char *name)
{
	json_add_object(w, name);
	for (size_t i = 1; i < REFUSED_COUNT; i++)
		if (refusal_count((enum refusal)i) > 0)
			json_add_int(w, names[i], refusal_count((enum refusal)i));
	json_end(w);
}

bool
refusal_is_foreign(enum refusal refusal)
{
	switch (refusal) {
	case REFUSED_MALFORMED:
	case REFUSED_UNSIGNED:
	case REFUSED_BAD_SIGNATURE:
	case REFUSED_WRONG_KEY:
	case REFUSED_REVOKED_KEY:
	case REFUSED_THRESHOLD:
	case REFUSED_ROOT_GAP:
	case REFUSED_ROOT_OLDER:
	case REFUSED_SEQUENCE_OLDER:
	case REFUSED_SEQUENCE_SAME:
	case REFUSED_FAST_FORWARD:
	case REFUSED_OTHER_STORE:
	case REFUSED_WRONG_KIND:
	case REFUSED_WRONG_SIZE:
	case REFUSED_WRONG_HASH:
	case REFUSED_BAD_CHUNK:
	case REFUSED_BOMB: return true;
	default: return false;
	}
}
