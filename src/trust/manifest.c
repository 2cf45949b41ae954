/* SPDX-License-Identifier: Apache-2.0
 *
 * manifest.c - reads a manifest.
 *
 * DESIGN
 *   Kinds do not pass for each other: a manifest says what it is, and a member that its kind does not have makes it
 *   malformed. A member that a later version adds is refused by older stores, so it comes with a new number of the kind:
 *   what a store does not understand it does not do half.
 */
#include "trust/manifest.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "core/when.h"

static const char *const kinds[] = { "root", "release", "order", "device", "request" };

void
manifest_malformed(struct manifest *m, const char *format, ...)
{
	char text[300];
	va_list args;

	if (m->rc != 0)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	m->rc = refusal_say(REFUSED_MALFORMED, m->ret_refusal, m->err, "%s: %s", m->name, text);
}

/* Is name one of the words in members? Of an optional one the word ends in "?". */
static bool
is_member(const char *members, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = members; *at != '\0'; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");

		if (word - (at[word - 1] == '?') == len && memcmp(at, name, len) == 0)
			return true;
		at += word;
	}
	return false;
}

static void
missing(struct manifest *m, const json_t *object, const char *where, const char *members)
{
	for (const char *at = members; *at != '\0'; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");
		char name[32];

		CHECK(word < sizeof(name));
		memcpy(name, at, word);
		name[word] = '\0';
		if (at[word - 1] != '?' && json_object_get(object, name) == NULL)
			manifest_malformed(m, "%s has no member \"%s\"", where, name);
		at += word;
	}
}

void
manifest_members(struct manifest *m, const json_t *object, const char *where, const char *members)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		manifest_malformed(m, "%s is no object", where);
	if (m->rc != 0)
		return;
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
		if (!is_member(members, name))
			manifest_malformed(m, "%s has a member \"%.40s\", expected only: %s", where,
			    name, members);
	missing(m, object, where, members);
}

static void
check_kind(struct manifest *m, const char *kind)
{
	const json_t *number = json_object_get(m->json, kind);

	if (json_is_integer(number) && json_integer_value(number) == 1)
		return;
	if (json_is_integer(number)) {
		manifest_malformed(m, "a %s of version %" JSON_INTEGER_FORMAT ", expected 1", kind,
		    json_integer_value(number));
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (json_is_integer(json_object_get(m->json, kinds[i]))) {
			m->rc = refusal_say(REFUSED_WRONG_KIND, m->ret_refusal, m->err,
			    "%s: of the kind \"%s\", expected \"%s\"", m->name, kinds[i], kind);
			return;
		}
	}
	manifest_malformed(m, "it does not say what it is, expected its member \"%s\" to be 1",
	    kind);
}

void
manifest_read(struct manifest *m, const char *text, size_t len, const char *kind,
    const char *members)
{
	struct err err = { 0 };

	m->rc = 0;
	m->json = json_read(text, len, "manifest", &err);
	if (m->json == NULL) {
		char says[300];

		err_format(&err, says, sizeof(says));
		manifest_malformed(m, "not JSON: %s", says);
	} else if (!json_is_object(m->json)) {
		manifest_malformed(m, "not a JSON object");
	} else {
		check_kind(m, kind);
		manifest_members(m, m->json, kind, members);
	}
}

void
manifest_done(struct manifest *m)
{
	json_decref(m->json);
	m->json = NULL;
}

bool
manifest_has(const json_t *object, const char *member)
{
	return json_object_get(object, member) != NULL;
}

int64_t
manifest_int(struct manifest *m, const json_t *object, const char *member, int64_t least,
    int64_t most)
{
	int64_t number = 0;

	if (m->rc != 0)
		return 0;
	if (json_int(json_object_get(object, member), &number) && number >= least && number <= most)
		return number;
	manifest_malformed(m, "\"%s\" is no integer from %" PRId64 " to %" PRId64, member, least,
	    most);
	return 0;
}

double
manifest_number(struct manifest *m, const json_t *object, const char *member, double least,
    double most)
{
	const json_t *value = json_object_get(object, member);

	if (m->rc != 0)
		return 0;
	if (json_is_number(value) && json_number_value(value) >= least &&
	    json_number_value(value) <= most)
		return json_number_value(value);
	manifest_malformed(m, "\"%s\" is no number from %g to %g", member, least, most);
	return 0;
}

int64_t
manifest_time(struct manifest *m, const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	int64_t ms = 0;

	if (m->rc != 0)
		return 0;
	if (text == NULL || !when_parse(text, &ms) || ms <= 0)
		manifest_malformed(m, "\"%s\" is no time as 2026-11-30T10:00:00Z", member);
	return ms;
}

void
manifest_times(struct manifest *m, int64_t *ret_issued_ms, int64_t *ret_expires_ms)
{
	*ret_issued_ms = manifest_time(m, m->json, "issued");
	*ret_expires_ms = manifest_time(m, m->json, "expires");
	if (m->rc == 0 && *ret_issued_ms >= *ret_expires_ms)
		manifest_malformed(m, "\"expires\" is not after \"issued\"");
}

void
manifest_text(struct manifest *m, const json_t *object, const char *member, char *ret, size_t size)
{
	const char *text = json_string_value(json_object_get(object, member));
	bool good = text != NULL && text[0] != '\0' && strlen(text) < size;

	for (const char *at = text; good && *at != '\0'; at++)
		good = (unsigned char)*at >= 0x20 && *at != 0x7f;
	if (m->rc == 0 && !good)
		manifest_malformed(m, "\"%s\" is no text of 1 to %zu bytes", member, size - 1);
	snprintf(ret, size, "%s", m->rc == 0 ? text : "");
}

void
manifest_name(struct manifest *m, const json_t *value, const char *member, char *ret, size_t size)
{
	const char *text = json_string_value(value);

	if (m->rc == 0 && (text == NULL || !trust_name_ok(text)))
		manifest_malformed(m, "\"%s\" is no name of 1 to 32 letters, digits, - and _",
		    member);
	snprintf(ret, size, "%s", m->rc == 0 ? text : "");
}

void
manifest_hex(struct manifest *m, const json_t *object, const char *member, void *ret, size_t len)
{
	const char *text = json_string_value(json_object_get(object, member));

	memset(ret, 0, len);
	if (m->rc == 0 &&
	    (text == NULL || strspn(text, "0123456789abcdef") != strlen(text) ||
		!hash_unhex(ret, len, text)))
		manifest_malformed(m, "\"%s\" is not %zu lower-case hex digits", member, 2 * len);
}

const json_t *
manifest_list(struct manifest *m, const json_t *object, const char *member, size_t least,
    size_t most)
{
	const json_t *list = json_object_get(object, member);

	if (m->rc != 0)
		return NULL;
	if (json_is_array(list) && json_array_size(list) >= least && json_array_size(list) <= most)
		return list;
	manifest_malformed(m, "\"%s\" is no list of %zu to %zu", member, least, most);
	return NULL;
}

bool
trust_name_ok(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 32 &&
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}
