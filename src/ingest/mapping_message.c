/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_message.c - a till's payload as the rules of a mapping see it.
 */
#include <stdlib.h>
#include <string.h>

#include "ingest/fields.h"
#include "ingest/mapping_internal.h"
#include "ingest/xml.h"

static json_t *
topic_segments(const char *topic)
{
	json_t *array = json_array();

	for (;;) {
		size_t len = strcspn(topic, "/");

		json_array_append_new(array, json_stringn(topic, len));
		if (topic[len] == '\0')
			return array;
		topic += len + 1;
	}
}

/* Not the readers' own words where they may quote the payload. */
static json_t *
read_tree(const struct mapping *mapping, const void *payload, size_t len, struct err *err)
{
	struct err inner = { 0 };
	json_t *tree, *list;

	if (mapping->xml) {
		tree = xml_read(payload, len, &inner);
		if (tree == NULL)
			RULE_ERR(err, "not XML as it is read here, at line %d, column %d: %s",
			    inner.line, inner.column, inner.text);
		return tree;
	}
	tree = json_read(payload, len, "payload", &inner);
	if (tree == NULL)
		RULE_ERR(err, "not strict JSON at line %d, column %d", inner.line, inner.column);
	if (tree == NULL || json_is_object(tree))
		return tree;
	if (json_is_array(tree)) {
		list = json_pack("{s:o}", "_list", tree);
		return list;
	}
	wipe_json_string(tree);
	json_decref(tree);
	RULE_ERR(err, "/: expected an object or a list");
	return NULL;
}

/* ---- texts that hold JSON ---- */

static json_t *
step(json_t *at, const char *name, size_t len)
{
	char key[257];
	size_t index = 0;

	if (len >= sizeof(key))
		return NULL;
	memcpy(key, name, len);
	key[len] = '\0';
	if (json_is_object(at))
		return json_object_get(at, key);
	if (!json_is_array(at) || len == 0 || len > 6 || strspn(key, "0123456789") != len)
		return NULL;
	for (size_t i = 0; i < len; i++)
		index = index * 10 + (size_t)(key[i] - '0');
	return json_array_get(at, index);
}

/* The value at a path, and what it stands in and by which name. NULL: it is not there. */
static json_t *
find(json_t *tree, const char *path, json_t **ret_parent, const char **ret_name)
{
	json_t *at = tree, *parent = NULL;

	for (;;) {
		size_t len = strcspn(path, ".");

		parent = at;
		at = step(at, path, len);
		*ret_parent = parent;
		*ret_name = path;
		if (at == NULL || path[len] == '\0')
			return at;
		path += len + 1;
	}
}

/* A text that holds JSON: the value takes its place. *ret_value: borrowed; NULL: no such text. */
static int
parse_text(json_t *tree, const char *path, json_t **ret_value, struct err *err)
{
	struct err inner = { 0 };
	json_t *parent, *text, *value;
	const char *name;

	*ret_value = NULL;
	text = find(tree, path, &parent, &name);
	if (!json_is_string(text))
		return 0;
	value = json_read(json_string_value(text), json_string_length(text), "payload", &inner);
	if (value == NULL)
		return RULE_ERR(err, "%s: not strict JSON at line %d, column %d of the text", path,
		    inner.line, inner.column);
	json_incref(text);
	if (json_is_object(parent))
		json_object_set_new(parent, name, value);
	else
		json_array_set_new(parent, (size_t)atoi(name), value);
	wipe_json_string(text);
	json_decref(text);
	*ret_value = json_incref(value);
	return 0;
}

/* The members of an object in a text stand beside the message's own in data, where they win. */
static int
parse_texts(const struct mapping *mapping, struct mapping_view *view, struct err *err)
{
	/* Ours as well: a text that holds a text is read twice, and what was read first leaves the message. */
	json_t *values[MAPPING_PARSE_MAX];
	size_t count = 0;

	while (count < mapping->parse_count &&
	    parse_text(view->around.whole, mapping->parse[count], &values[count], err) == 0)
		count++;
	if (count == mapping->parse_count)
		view->data = json_copy(view->around.whole);
	for (size_t i = 0; i < count; i++) {
		if (view->data != NULL && json_is_object(values[i]))
			json_object_update(view->data, values[i]);
		json_decref(values[i]);
	}
	return count == mapping->parse_count ? 0 : AISLE_E_INVALID;
}

/* ---- all of it ---- */

int
message_read(const struct mapping *mapping, const char *topic, const void *payload, size_t len,
    struct mapping_view *ret_view, struct err *err)
{
	struct mapping_view view = { .around = { .index = -1 } };
	int rc = 0;

	if (len > EVENT_BYTES_MAX)
		return RULE_ERR(err, "%zu bytes, expected at most %d", len, EVENT_BYTES_MAX);
	view.around.whole = read_tree(mapping, payload, len, err);
	if (view.around.whole == NULL)
		return err->code;
	json_object_set_new(view.around.whole, "_topic", topic_segments(topic));
	view.around.named = json_object();
	if (mapping->parse_count > 0)
		rc = parse_texts(mapping, &view, err);
	else
		view.data = json_incref(view.around.whole);
	if (rc != 0)
		message_done(&view);
	else
		*ret_view = view;
	return rc;
}

/* A card number may stand anywhere in a bare payload: all its texts go. Depth is that of the
 * readers, once more for each text in a text. */
static void
wipe_strings(json_t *json)
{
	const char *name;
	json_t *member;
	size_t i;

	wipe_json_string(json);
	json_object_foreach(json, name, member)
		wipe_strings(member);
	json_array_foreach(json, i, member)
		wipe_strings(member);
}

void
message_done(struct mapping_view *view)
{
	const char *name;
	json_t *value;

	/* Texts that rules made; what else they have is the message's. */
	json_object_foreach(view->around.named, name, value)
		wipe_json_string(value);
	wipe_strings(view->around.whole);
	wipe_strings(view->data);
	json_decref(view->around.named);
	json_decref(view->data);
	json_decref(view->around.whole);
}
