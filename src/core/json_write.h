/* SPDX-License-Identifier: Apache-2.0
 *
 * json_write.h - JSON text into a buffer, with its commas, quotes and escapes in their places.
 */
#ifndef AISLE_CORE_JSON_WRITE_H
#define AISLE_CORE_JSON_WRITE_H

#include <jansson.h>

#include "aisle/base.h"
#include "core/buf.h"

#define JSON_WRITE_DEPTH_MAX 16

/* One text. The buffer is the caller's and may hold something else before it. */
struct json_writer {
	struct buf *out;
	uint32_t objects; /* bit n: at depth n an object is open, else a list */
	int depth;
	bool comma;	   /* due before what comes next */
	const char *space; /* behind that comma; NULL: none */
};

/* A writer that lives as long as the block it is made in; JSON_OBJECT has the text's object open. */
#define JSON_WRITER(buf) (&(struct json_writer){ .out = (buf) })
#define JSON_OBJECT(buf) json_begin(JSON_WRITER(buf))
struct json_writer *json_begin(struct json_writer *w);

/* name: of the member that it becomes; NULL: an element of a list, or the whole text. */
void json_add_object(struct json_writer *w, const char *name);
void json_add_list(struct json_writer *w, const char *name);
void json_end(struct json_writer *w); /* of the object or list opened last */
void json_end_all(struct json_writer *w);
void json_add_str(struct json_writer *w, const char *name, const char *text); /* NULL: null */
void json_add_int(struct json_writer *w, const char *name, int64_t number);
void json_add_double(struct json_writer *w, const char *name, double number); /* %.17g */
void json_add_fixed(struct json_writer *w, const char *name, double number, int decimals);
void json_add_bool(struct json_writer *w, const char *name, bool truth);
void json_add_null(struct json_writer *w, const char *name);
void json_add_id(struct json_writer *w, const char *name, const struct id *id);
void json_add_when(struct json_writer *w, const char *name, int64_t ms);
void json_add_tree(struct json_writer *w, const char *name, const json_t *json);
void json_add_canonical(struct json_writer *w, const char *name, const json_t *json);
/* A string made by printf. */
void json_addf(struct json_writer *w, const char *name, const char *format, ...) AISLE_PRINTF(3, 4);
/* What is JSON already: from here, or a body that was stored; nothing: null. */
void json_add_raw(struct json_writer *w, const char *name, const void *json, size_t len);
/* The members of a finished object; of what is none, none. */
void json_add_members(struct json_writer *w, const char *json, size_t len);
/* White space before what comes next: for files that people read. */
void json_space(struct json_writer *w, const char *space);

/* Nothing where there is nothing: NULL or "", the zero id, the time 0. */
void json_opt_str(struct json_writer *w, const char *name, const char *text);
void json_opt_id(struct json_writer *w, const char *name, const struct id *id);
void json_opt_when(struct json_writer *w, const char *name, int64_t ms);

#endif
