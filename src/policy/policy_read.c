/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_read.c - typed members of the policy's objects, each checked where it is read.
 */
#include "policy/policy_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/near.h"
#include "core/unicode.h"
#include "core/when.h"
#include "nouns/match.h"

/* ---- name map ---- */

void
name_map_done(struct name_map *map)
{
	free(map->keys);
	free(map->values);
	*map = (struct name_map){ 0 };
}

/* The slot that holds the name, or the free one where it would go. */
static size_t
name_map_slot(const struct name_map *map, const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	/* FNV-1a: whoever may sign a policy has better ways to slow it down than names that collide. */
	for (const char *p = name; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
	hash ^= hash >> 32;
	for (size_t i = (size_t)hash & (map->capacity - 1);; i = (i + 1) & (map->capacity - 1))
		if (map->keys[i] == NULL || strcmp(map->keys[i], name) == 0)
			return i;
}

int
name_map_get(const struct name_map *map, const char *name)
{
	size_t i;

	if (map->count == 0)
		return -1;
	i = name_map_slot(map, name);
	return map->keys[i] != NULL ? (int)map->values[i] : -1;
}

static void
name_map_grow(struct name_map *map)
{
	struct name_map old = *map;

	map->capacity = old.capacity == 0 ? 64 : old.capacity * 2;
	map->keys = mem_calloc(map->capacity, sizeof(*map->keys));
	map->values = mem_calloc(map->capacity, sizeof(*map->values));
	for (size_t i = 0; i < old.capacity; i++) {
		if (old.keys[i] != NULL) {
			size_t slot = name_map_slot(map, old.keys[i]);

			map->keys[slot] = old.keys[i];
			map->values[slot] = old.values[i];
		}
	}
	free(old.keys);
	free(old.values);
}

bool
name_map_add(struct name_map *map, const char *name, unsigned value)
{
	size_t slot;

	if ((map->count + 1) * 2 > map->capacity)
		name_map_grow(map);
	slot = name_map_slot(map, name);
	if (map->keys[slot] != NULL)
		return false;
	map->keys[slot] = name;
	map->values[slot] = value;
	map->count++;
	return true;
}

/* ---- members ---- */

static unsigned
type_of(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_STRING: return T_STRING;
	case JSON_INTEGER: return T_INT | T_NUMBER;
	case JSON_REAL: return T_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE: return T_BOOL;
	case JSON_OBJECT: return T_OBJECT;
	case JSON_ARRAY: return T_ARRAY;
	case JSON_NULL: return T_NULL;
	}
	return 0;
}

static const char *
type_words(unsigned types)
{
	switch (types & ~(unsigned)(T_NULL | T_REQUIRED)) {
	case T_STRING: return "a string";
	case T_INT: return "a whole number";
	case T_NUMBER: return "a number";
	case T_BOOL: return "true or false";
	case T_OBJECT: return "an object";
	case T_ARRAY: return "a list";
	case T_OBJECT | T_STRING: return "an object or a word";
	case T_OBJECT | T_ARRAY: return "an object or a list";
	case T_EXPR: return "a number, a model or a rule";
	default: return "a rule";
	}
}

static const struct member *
member_find(const struct member *members, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	return NULL;
}

static void
unknown_member(struct compile *c, const struct at *at, const struct member *members, size_t count)
{
	struct buf list = { 0 };
	struct near near = near_to(at->key);

	for (size_t i = 0; i < count; i++) {
		buf_addf(&list, "%s%s", i > 0 ? ", " : "", members[i].name);
		near_offer(&near, members[i].name);
	}
	near_say(&near, &list);
	mistake(c, at, "unknown member \"%.64s\", expected one of %s", at->key, list.data);
	buf_done(&list);
}

bool
read_members(struct compile *c, const struct at *at, const struct member *members, size_t count)
{
	const char *key;
	json_t *value;

	if (!json_is_object(at->json)) {
		mistake(c, at, "not an object, expected one with \"%s\"", members[0].name);
		return false;
	}
	json_object_foreach(at->json, key, value) {
		const struct member *member = member_find(members, count, key);
		struct at here = at_member(at, key);

		if (member == NULL)
			unknown_member(c, &here, members, count);
		else if ((member->types & type_of(value)) == 0)
			mistake(c, &here, "\"%s\" has the wrong type, expected %s", key,
			    type_words(member->types));
	}
	for (size_t i = 0; i < count; i++)
		if ((members[i].types & T_REQUIRED) != 0 &&
		    json_object_get(at->json, members[i].name) == NULL)
			mistake(c, at, "\"%s\" is missing, expected %s", members[i].name,
			    type_words(members[i].types));
	return true;
}

/* ---- values ---- */

bool
id_valid(const char *text)
{
	size_t len = strlen(text);

	if (len < 1 || len > 128)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= 0x20 || text[i] >= 0x7f)
			return false;
	return true;
}

const char *
keep(struct compile *c, const char *text)
{
	const char *copy;
	size_t slot;

	if (text == NULL)
		return NULL;
	if (c->texts.count > 0) {
		slot = name_map_slot(&c->texts, text);
		if (c->texts.keys[slot] != NULL)
			return c->texts.keys[slot];
	}
	copy = arena_strdup(c->arena, text);
	name_map_add(&c->texts, copy, 0);
	return copy;
}

const char *
read_string(struct compile *c, const struct at *at, const char *key)
{
	return keep(c, json_string_value(json_object_get(at->json, key)));
}

const char *
read_id(struct compile *c, const struct at *at, const char *key)
{
	const char *text = json_string_value(json_object_get(at->json, key));

	if (text == NULL || id_valid(text))
		return keep(c, text);
	struct at here = at_member(at, key);
	mistake(c, &here,
	    "\"%s\" is not a name, expected 1-128 printable ASCII characters without spaces", key);
	return NULL;
}

int64_t
read_int(struct compile *c, const struct at *at, const char *key, int64_t min, int64_t max,
    int64_t dflt)
{
	struct at here = at_member(at, key);
	int64_t n;

	if (here.json == NULL || !json_int(here.json, &n))
		return dflt;
	if (n >= min && n <= max)
		return n;
	mistake(c, &here, "\"%s\" is %" PRId64 ", expected %" PRId64 " to %" PRId64, key, n, min,
	    max);
	return dflt;
}

double
read_number(struct compile *c, const struct at *at, const char *key, double min, double max,
    double dflt)
{
	struct at here = at_member(at, key);
	double number;

	if (!json_is_number(here.json))
		return dflt;
	number = json_number_value(here.json);
	if (number >= min && number <= max)
		return number;
	mistake(c, &here, "\"%s\" is %.9g, expected %.9g to %.9g", key, number, min, max);
	return dflt;
}

bool
read_bool(const struct at *at, const char *key, bool dflt)
{
	json_t *json = json_object_get(at->json, key);

	return json_is_boolean(json) ? json_is_true(json) : dflt;
}

int64_t
read_duration(struct compile *c, const struct at *at, const char *key, int64_t min, int64_t max,
    int64_t dflt)
{
	struct at here = at_member(at, key);
	const char *text = json_string_value(here.json);
	int64_t ms;

	if (text == NULL)
		return dflt;
	if (!when_duration(text, &ms)) {
		mistake(c, &here,
		    "\"%.32s\" is not a duration, expected a number and s, m, h or d, as in \"7d\"",
		    text);
		return dflt;
	}
	if (ms >= min && ms <= max)
		return ms;
	mistake(c, &here, "\"%s\" is %.32s, expected %" PRId64 "s to %" PRId64 "d", key, text,
	    (min + S_MS - 1) / S_MS, max / D_MS);
	return dflt;
}

int64_t
read_time(struct compile *c, const struct at *at, const char *key, int64_t dflt)
{
	struct at here = at_member(at, key);
	const char *text = json_string_value(here.json);
	int64_t ms;

	if (text == NULL)
		return dflt;
	if (when_parse(text, &ms))
		return ms;
	mistake(c, &here,
	    "\"%.40s\" is not a time, expected RFC 3339 with a zone, as in 2026-01-01T00:00:00Z",
	    text);
	return dflt;
}

int
choice(struct compile *c, const struct at *at, const char *const *names, size_t count)
{
	const char *text = json_string_value(at->json);
	struct buf list = { 0 };

	for (size_t i = 0; text != NULL && i < count; i++)
		if (strcmp(names[i], text) == 0)
			return (int)i;
	for (size_t i = 0; i < count; i++)
		buf_addf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
	mistake(c, at, "\"%.64s\" is unknown, expected one of %s",
	    text != NULL ? text : "(not a string)", list.data);
	buf_done(&list);
	return -1;
}

int
read_choice(struct compile *c, const struct at *at, const char *key, const char *const *names,
    size_t count)
{
	struct at here = at_member(at, key);

	return json_is_string(here.json) ? choice(c, &here, names, count) : -1;
}

void
read_salt(struct compile *c, const struct at *at, const char *key, uint8_t salt[static 32])
{
	struct at here = at_member(at, key);
	const char *text = json_string_value(here.json);

	if (text != NULL && !hash_unhex(salt, 32, text))
		mistake(c, &here, "\"%s\" is not a salt, expected 64 hex digits", key);
}

/* What is only left out may be marked as well. */
static void
check_marks(struct compile *c, const struct at *at, const char *category)
{
	enum mark mark = policy_mark(c->policy, category);

	if (mark != MARK_NONE)
		mistake(c, at, "category %.128s is declared %s, expected another", category,
		    mark == MARK_SENSITIVE ? "sensitive" : "no_promotion");
}

static void
read_goods(struct compile *c, const struct at *at, struct match *match)
{
	static const struct member members[] = {
		{ "category", T_STRING },
		{ "brand", T_STRING },
		{ "item", T_STRING },
	};
	const char *const *text;

	if (!json_is_object(at->json)) {
		mistake(c, at, "not goods, expected an object with a category, brand or item");
		return;
	}
	if (!READ_MEMBERS(c, at, members))
		return;
	/* As lines carry them. */
	match->category = unicode_path_key(c->arena, read_string(c, at, "category"));
	match->brand = unicode_key(c->arena, read_string(c, at, "brand"));
	match->item = read_string(c, at, "item");
	if (match->item != NULL)
		match->item = item_name(c->arena, match->item);
	match->set = match->category != NULL || match->brand != NULL || match->item != NULL;
	if (!match->set && json_object_size(at->json) == 0)
		mistake(c, at, "names nothing, expected a category, brand or item");
	text = (const char *const[]){ match->category, match->brand, match->item };
	for (int i = 0; i < 3; i++)
		if (text[i] != NULL && text[i][0] == '\0')
			mistake(c, at, "has an empty text, expected a category, brand or item");
}

#define MATCH_MAX 64 /* objects of one list */

/* One object, or a list of them. */
void
read_match(struct compile *c, const struct at *at, const char *key, struct match *match)
{
	struct at here = at_member(at, key);
	size_t count = json_array_size(here.json);
	bool left_out = strcmp(key, "exclude") == 0;

	*match = (struct match){ 0 };
	if (here.json == NULL)
		return;
	if (!json_is_array(here.json)) {
		if (json_is_object(here.json))
			read_goods(c, &here, match);
		if (!left_out)
			check_marks(c, &here, match->category);
		return;
	}
	if (count < 1 || count > MATCH_MAX) {
		mistake(c, &here, "%zu objects, expected 1 to %d", count, MATCH_MAX);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct at one = at_index(&here, i);
		struct match *next = NULL;

		if (i + 1 < count)
			next = arena_alloc(c->arena, sizeof(*next));
		read_goods(c, &one, match);
		if (!left_out)
			check_marks(c, &one, match->category);
		match->next = next;
		match = next;
	}
}

enum outcome
read_outcome(struct compile *c, const struct at *at, const char *key, const char **ret_reason)
{
	struct at here = at_member(at, key);
	const char *text = json_string_value(here.json);
	enum outcome outcome;

	*ret_reason = NULL;
	if (text == NULL)
		return OUTCOME_COUNT;
	outcome = outcome_by_name(text, ret_reason);
	*ret_reason = keep(c, *ret_reason);
	if (outcome == OUTCOME_COUNT)
		mistake(c, &here,
		    "\"%.64s\" is not an outcome, expected shown, accepted, dismissed, redeemed, "
		    "overridden:REASON or another of the list",
		    text);
	return outcome;
}
