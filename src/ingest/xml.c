/* SPDX-License-Identifier: Apache-2.0
 *
 * xml.c - XML of a till as a JSON tree, read by expat.
 *
 * DESIGN
 *   Whoever sends it is not trusted: a DTD ends the reading, so there are no entities but the five
 *   of the standard, nothing is expanded and nothing is fetched. expat keeps what is written in the
 *   order of what is read, so the size of the payload bounds the tree.
 *
 * LIMITS
 *   The payload's own size; XML_DEPTH_MAX elements in each other.
 */
#include "ingest/xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

struct element {
	json_t *object; /* attributes and elements; NULL: none yet */
	struct buf text;
	char *name;
};

struct reader {
	XML_Parser parser;
	struct element stack[XML_DEPTH_MAX + 1]; /* [0]: what the root element stands in */
	size_t depth;
	const char *refused; /* why */
};

static void
stop(struct reader *reader, const char *why)
{
	if (reader->refused == NULL)
		reader->refused = why;
	XML_StopParser(reader->parser, XML_FALSE);
}

static const char *
local_name(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon != NULL ? colon + 1 : name;
}

static json_t *
members_of(struct element *element)
{
	if (element->object == NULL)
		element->object = json_object();
	return element->object;
}

/* The second of one name makes it a list. */
static void
add_member(json_t *object, const char *name, json_t *value)
{
	json_t *before = json_object_get(object, name);

	if (before == NULL) {
		json_object_set_new(object, name, value);
		return;
	}
	if (!json_is_array(before)) {
		before = json_pack("[O]", before);
		json_object_set_new(object, name, before);
	}
	json_array_append_new(before, value);
}

static void
add_attributes(struct element *element, const char **attributes)
{
	struct buf name = { 0 };

	for (size_t i = 0; attributes[i] != NULL; i += 2) {
		if (strcmp(attributes[i], "xmlns") == 0 || strncmp(attributes[i], "xmlns:", 6) == 0)
			continue;
		buf_clear(&name);
		buf_addf(&name, "@%s", local_name(attributes[i]));
		json_object_set_new(members_of(element), name.data, json_string(attributes[i + 1]));
	}
	buf_done(&name);
}

static void
on_start(void *ctx, const char *name, const char **attributes)
{
	struct reader *reader = ctx;
	struct element *element;

	if (reader->depth == XML_DEPTH_MAX) {
		stop(reader, "expected at most 56 elements in each other");
		return;
	}
	element = &reader->stack[++reader->depth];
	*element = (struct element){ .name = mem_strdup(local_name(name)) };
	add_attributes(element, attributes);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Without the blanks around it; new reference. */
static json_t *
text_of(const struct buf *text)
{
	const char *at = text->data;
	size_t len = text->len;

	for (; len > 0 && is_blank(*at); at++)
		len--;
	while (len > 0 && is_blank(at[len - 1]))
		len--;
	return json_stringn(len > 0 ? at : "", len);
}

/* The element's value, a new reference; it has nothing any more. */
static json_t *
take_value(struct element *element)
{
	json_t *text = text_of(&element->text), *value = element->object;

	if (element->text.len > 0)
		explicit_bzero(element->text.data, element->text.len);
	buf_done(&element->text);
	element->object = NULL;
	if (value == NULL)
		return text;
	if (json_string_length(text) > 0)
		json_object_set(value, "#text", text);
	json_decref(text);
	return value;
}

static void
on_end(void *ctx, const char *name)
{
	struct reader *reader = ctx;
	struct element *element = &reader->stack[reader->depth--];

	(void)name;
	add_member(members_of(element - 1), element->name, take_value(element));
	free(element->name);
	element->name = NULL;
}

static void
on_text(void *ctx, const char *text, int len)
{
	struct reader *reader = ctx;

	buf_add(&reader->stack[reader->depth].text, text, (size_t)len);
}

static void
on_doctype(void *ctx, const char *name, const char *system, const char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	stop(ctx, "expected no DTD");
}

static json_t *
finish(struct reader *reader, bool ok)
{
	json_t *tree = ok ? json_incref(reader->stack[0].object) : NULL;

	for (size_t i = 0; i <= reader->depth; i++) {
		json_decref(reader->stack[i].object);
		if (reader->stack[i].text.len > 0)
			explicit_bzero(reader->stack[i].text.data, reader->stack[i].text.len);
		buf_done(&reader->stack[i].text);
		free(reader->stack[i].name);
	}
	XML_ParserFree(reader->parser);
	return tree;
}

json_t *
xml_read(const char *text, size_t len, struct err *err)
{
	struct reader reader = { .parser = XML_ParserCreate(NULL) };
	bool ok;

	CHECK(reader.parser != NULL);
	XML_SetUserData(reader.parser, &reader);
	XML_SetElementHandler(reader.parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader.parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
	XML_SetParamEntityParsing(reader.parser, XML_PARAM_ENTITY_PARSING_NEVER);
	ok = XML_Parse(reader.parser, text, (int)len, XML_TRUE) == XML_STATUS_OK;
	if (!ok)
		err_at(err, AISLE_E_INVALID, "payload",
		    (int)XML_GetCurrentLineNumber(reader.parser),
		    (int)XML_GetCurrentColumnNumber(reader.parser) + 1, "%s",
		    reader.refused != NULL ? reader.refused
					   : XML_ErrorString(XML_GetErrorCode(reader.parser)));
	return finish(&reader, ok);
}
