/* SPDX-License-Identifier: Apache-2.0
 *
 * xml.h - XML of a till as a JSON tree.
 *
 * The root element is the one member of an object. An element with nothing but text is that text,
 * trimmed; one with attributes or elements is an object: attributes as "@name", its text as
 * "#text", elements of one name that come again as a list. Prefixes of names are dropped, comments
 * and processing instructions too.
 */
#ifndef AISLE_INGEST_XML_H
#define AISLE_INGEST_XML_H

#include "core/json.h"

#define XML_DEPTH_MAX (JSON_DEPTH_MAX - 8)

/* New reference; NULL with err filled (line and column): not well-formed, a DTD or an entity of its
 * own (neither is read), too deep, an encoding other than UTF-8, UTF-16, ISO-8859-1 and ASCII. */
json_t *xml_read(const char *text, size_t len, struct err *err);

#endif
