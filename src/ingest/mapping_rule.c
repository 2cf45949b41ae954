/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_rule.c - a rule of a mapping, or objects and lists with rules in them, as one program.
 *
 * DESIGN
 *   An object is a rule if it has one member and that is an operator; else it is an object whose
 *   members are rules. It becomes the operator "object", so that the whole is one program over the
 *   message. Each rule is compiled by itself before, for the place in the file of what is wrong.
 */
#include <stdio.h>
#include <string.h>

#include "ingest/mapping_internal.h"

#define POINTER_SIZE 512

struct walk {
	mapping_wrong_fn wrong;
	void *ctx;
	bool failed;
};

static void
wrong_at(struct walk *walk, const char *pointer, const char *text)
{
	walk->failed = true;
	walk->wrong(walk->ctx, pointer, text);
}

/* The members that an entry of a list in an event may have: alone in an object they are no
 * operator's misspelt name. */
static bool
is_member(const char *name)
{
	static const char *const members[] = { "ref", "type", "amount", "gtin", "sku", "category",
		"qty", "name", "brand", "symbology" };

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (strcmp(members[i], name) == 0)
			return true;
	return false;
}

static bool
is_rule(const json_t *json)
{
	const char *name;

	if (!json_is_object(json) || json_object_size(json) != 1)
		return false;
	name = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)json));
	return logic_is_operator(name) || !is_member(name);
}

/* The compiler's "/and/1: text" behind the pointer. */
static void
wrong_inside(struct walk *walk, const char *pointer, const char *text)
{
	char place[POINTER_SIZE];
	size_t len = text[0] == '/' ? strcspn(text, ":") : 0;

	while (len > 1 && text[len] == ':' && text[len + 1] != ' ')
		len += 1 + strcspn(text + len + 1, ":"); /* "?:" is an operator */
	if (len <= 1) {
		wrong_at(walk, pointer, text[0] == '/' ? text + 3 : text);
		return;
	}
	snprintf(place, sizeof(place), "%.250s%.*s", pointer, len > 250 ? 250 : (int)len, text);
	wrong_at(walk, place, text[len] == ':' ? text + len + 2 : text);
}

static void
check_rule(struct walk *walk, const json_t *rule, const char *pointer)
{
	struct logic *logic = NULL;
	struct err err = { 0 };

	if (logic_compile_mapping(rule, &logic, &err) != 0)
		wrong_inside(walk, pointer, err.text);
	logic_free(logic);
}

static json_t *as_rule(struct walk *walk, json_t *json, const char *pointer, int depth);

static json_t *
object_rule(struct walk *walk, json_t *json, const char *pointer, int depth)
{
	json_t *args = json_array(), *value;
	char place[POINTER_SIZE];
	const char *name;

	json_object_foreach(json, name, value) {
		snprintf(place, sizeof(place), "%.400s/%.64s", pointer, name);
		json_array_append_new(args, json_string(name));
		json_array_append_new(args, as_rule(walk, value, place, depth + 1));
	}
	return json_pack("{s:o}", "object", args);
}

static json_t *
list_rule(struct walk *walk, json_t *json, const char *pointer, int depth)
{
	json_t *list = json_array(), *value;
	char place[POINTER_SIZE];
	size_t i;

	json_array_foreach(json, i, value) {
		snprintf(place, sizeof(place), "%.400s/%zu", pointer, i);
		json_array_append_new(list, as_rule(walk, value, place, depth + 1));
	}
	return list;
}

/* New reference. */
static json_t *
as_rule(struct walk *walk, json_t *json, const char *pointer, int depth)
{
	if (depth > LOGIC_DEPTH_MAX / 2) {
		wrong_at(walk, pointer, "nested too deep, expected at most 24 levels");
		return json_null();
	}
	if (json_is_array(json))
		return list_rule(walk, json, pointer, depth);
	if (json_is_object(json) && !is_rule(json))
		return object_rule(walk, json, pointer, depth);
	check_rule(walk, json, pointer);
	return json_incref(json);
}

struct logic *
mapping_rule(const json_t *rule, const char *pointer, mapping_wrong_fn wrong, void *ctx)
{
	struct walk walk = { .wrong = wrong, .ctx = ctx };
	json_t *whole = as_rule(&walk, (json_t *)(uintptr_t)rule, pointer, 0);
	struct logic *logic = NULL;
	struct err err = { 0 };

	if (!walk.failed && logic_compile_mapping(whole, &logic, &err) != 0)
		wrong_at(&walk, pointer, err.text);
	json_decref(whole);
	return logic;
}
