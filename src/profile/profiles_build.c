/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_build.c - JSON lines to a transport bundle, at headquarters.
 *
 * Strict: what a store would not understand is found here, with file and line.
 * The same lines give the same bytes: rows are sorted by subject, nothing of
 * the clock or the machine goes in. A card number is hashed and forgotten; no
 * message repeats it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "core/file.h"
#include "core/id.h"
#include "core/json.h"
#include "profile/profiles_internal.h"

#define LINE_MAX_BYTES (64 << 10)
#define ROWS_MAX 8000000
#define BODIES_MAX (256u << 20)

struct build {
	const struct profiles_build *what;
	const char *name; /* for messages */
	struct profiles_line_row *rows;
	size_t count, capacity;
	struct buf bodies;
	int line;
	struct err *err;
};

static int
wrong(struct build *build, const char *text)
{
	return err_at(build->err, AISLE_E_INVALID, build->name, build->line, 0, "%s", text);
}

static int
add_row(struct build *build, const struct id *subject, json_t *line, bool removed)
{
	static const char *const always[] = { "consent", "attributes" };
	if (build->count >= ROWS_MAX || build->bodies.len > BODIES_MAX)
		return wrong(build, "too many profiles for one bundle");
	build->rows = mem_grow(build->rows, build->count, &build->capacity, sizeof(*build->rows));
	json_object_del(line, "card");
	json_object_del(line, "subject");
	for (size_t i = 0; i < ARRAY_LEN(always); i++) {
		if (json_object_get(line, always[i]) == NULL)
			json_object_set_new(line, always[i], json_object());
	}
	size_t at = build->bodies.len;
	if (!removed)
		json_canonical(line, &build->bodies);
	build->rows[build->count++] = (struct profiles_line_row){ .subject = *subject,
		.at = (uint32_t)at,
		.len = removed ? PROFILES_REMOVED : (uint32_t)(build->bodies.len - at),
		.line = build->line };
	return 0;
}

static int
read_line(struct build *build, const char *text, size_t len)
{
	struct err err = { 0 };
	struct id subject;
	bool removed = false;
	json_t *line = json_read(text, len, build->name, &err);
	if (line == NULL)
		return err_at(build->err, AISLE_E_INVALID, build->name, build->line, err.column,
		    "%s", err.text);
	struct profiles_line place = { .name = build->name,
		.line = build->line,
		.pepper = build->what->pepper,
		.delta = build->what->from > 0,
		.err = build->err };
	int error = profiles_line_check(&place, line, &subject, &removed);
	if (error == 0)
		error = add_row(build, &subject, line, removed);
	json_decref(line);
	return error;
}

/* A line without its end into text. 1: there was one, 0: the end, < 0: too long, or the file cannot
 * be read. */
static int
next_line(struct build *build, FILE *file, char *text, size_t *ret_len)
{
	size_t len = 0;
	int c;
	while ((c = getc(file)) != EOF && c != '\n') {
		if (len == LINE_MAX_BYTES)
			return wrong(build, "line too long, expected at most 64 KiB");
		text[len++] = (char)c;
	}
	if (ferror(file))
		return err_set(build->err, AISLE_E_IO, "%s: %s", build->name, strerror(errno));
	if (len > 0 && text[len - 1] == '\r')
		len--;
	*ret_len = len;
	return c != EOF || len > 0;
}

static int
read_input(struct build *build)
{
	bool is_stdin = build->what->input == NULL || strcmp(build->what->input, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(build->what->input, "re");
	if (file == NULL)
		return err_set(build->err, AISLE_E_IO, "%s: %s", build->name, strerror(errno));
	char *text = mem_alloc(LINE_MAX_BYTES);
	size_t len = 0;
	int more;
	do {
		build->line++;
		more = next_line(build, file, text, &len);
		if (more > 0 && len > 0) {
			int error = read_line(build, text, len);
			more = error != 0 ? error : more;
		}
	} while (more > 0);
	sodium_memzero(text, LINE_MAX_BYTES);
	free(text);
	if (!is_stdin)
		fclose(file);
	return more;
}

/* ---- all rows ---- */

/* By subject; the signed order of ids is another, but the same each time. */
static int
compare_rows(const void *a, const void *b)
{
	const struct profiles_line_row *x = a, *y = b;
	int order = profiles_order(&x->subject, &y->subject);
	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static int
sort_rows(struct build *build)
{
	if (build->count > 0)
		qsort(build->rows, build->count, sizeof(*build->rows), compare_rows);
	for (size_t i = 1; i < build->count; i++) {
		const struct profiles_line_row *a = &build->rows[i - 1], *b = &build->rows[i];
		if (id_equal(&a->subject, &b->subject))
			return err_at(build->err, AISLE_E_INVALID, build->name, b->line, 0,
			    "the same customer as on line %d", a->line);
	}
	return 0;
}

int
profiles_build(const struct profiles_build *what, int64_t *ret_rows, struct err *err)
{
	struct build build = { .what = what, .err = err };
	build.name = what->input != NULL && strcmp(what->input, "-") != 0 ? what->input : "stdin";
	char tmp[4200];
	snprintf(tmp, sizeof(tmp), "%s.tmp", what->output);
	int error = file_replaceable(what->output, err);
	if (error == 0)
		error = read_input(&build);
	if (error == 0 && build.count == 0 && what->from == 0 && what->somebody)
		error = err_at(err, AISLE_E_INVALID, build.name, 0, 0,
		    "no customer in it: the store would have none any more, expected one a line");
	if (error == 0)
		error = sort_rows(&build);
	if (error == 0) {
		error = profiles_write(what, build.rows, build.count, build.bodies.data, tmp, err);
		if (error == 0 &&
		    (profiles_sync_path(tmp, 0) != 0 || rename(tmp, what->output) < 0))
			error = err_set(err, AISLE_E_IO, "%s: %s", what->output, strerror(errno));
		if (error != 0)
			unlink(tmp);
	}
	if (error == 0 && ret_rows != NULL)
		*ret_rows = (int64_t)build.count;
	buf_wipe(&build.bodies);
	free(build.rows);
	return error;
}
