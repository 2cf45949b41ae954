/* SPDX-License-Identifier: Apache-2.0
 *
 * model_tool.c - aislectl model import, inspect, score.
 */
#include "tools/model_tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/csv.h"
#include "core/file.h"
#include "core/json_write.h"

#define FLAT_BYTES_MAX (256u << 20)
#define ROWS_BYTES_MAX ((size_t)1 << 30)

/* ---- files ---- */

static int
read_stream(FILE *in, size_t max, const char *name, struct buf *ret, struct err *err)
{
	char chunk[65536];
	size_t n;
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0) {
		if (ret->len + n > max)
			return err_at(err, AISLE_E_INVALID, name, 0, 0,
			    "too large, expected at most %zu MiB", max >> 20);
		buf_add(ret, chunk, n);
	}
	if (ferror(in))
		return err_at(err, AISLE_E_IO, name, 0, 0, "%s", strerror(errno));
	return 0;
}

static int
read_file(const char *path, size_t max, struct buf *ret, struct err *err)
{
	FILE *in = fopen(path, "rbe");
	if (in == NULL)
		return err_at(err, errno == ENOENT ? AISLE_E_NONE : AISLE_E_IO, path, 0, 0, "%s",
		    strerror(errno));
	int r = read_stream(in, max, path, ret, err);
	fclose(in);
	return r;
}

/* Flat or a source. */
static int
read_model(const char *path, enum model_trees trees, struct model **ret_model, struct err *err)
{
	struct buf bytes = { 0 };
	int r = read_file(path, FLAT_BYTES_MAX, &bytes, err);
	bool flat = r == 0 && model_is_flat(bytes.data, bytes.len);
	if (flat && trees != MODEL_TREES_UNSAID)
		r = err_at(err, AISLE_E_INVALID, path, 0, 0,
		    "the file is imported already, expected no --trees for it");
	else if (flat)
		r = model_load(bytes.data, bytes.len, path, ret_model, err);
	else if (r == 0)
		r = model_import_trees(bytes.len > 0 ? bytes.data : "", bytes.len, path, trees,
		    ret_model, err);
	buf_done(&bytes);
	return r;
}

/* ---- import ---- */

int
model_tool_import(const char *file, enum model_trees trees, const char *out, struct err *err)
{
	struct model *model = NULL;
	int r = read_model(file, trees, &model, err);
	if (r < 0)
		return r;
	struct buf bytes = { 0 };
	model_save(model, &bytes);
	r = file_write(out, bytes.data, bytes.len, 0644, false, err);
	buf_done(&bytes);
	model_free(model);
	return r;
}

/* ---- inspect ---- */

static void
inspect_categories(const struct model *model, size_t input, struct json_writer *w)
{
	size_t count = model_category_count(model, input);
	if (count == 0)
		return;
	json_add_list(w, "categories");
	for (size_t k = 0; k < count; k++) {
		struct value category = model_category(model, input, k);
		if (category.tag == VALUE_STRING)
			json_add_str(w, NULL, category.str);
		else
			json_add_double(w, NULL, category.number);
	}
	json_end(w);
}

static void
inspect_json(const struct model *model, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_str(w, "format", model_format(model));
	json_add_str(w, "link", model_link_name(model));
	json_add_bool(w, "float32", model_is_float32(model));
	json_add_int(w, "classes", (int64_t)model_class_count(model));
	json_add_int(w, "outputs", (int64_t)model_output_count(model));
	json_add_int(w, "trees", (int64_t)model_tree_count(model));
	json_add_int(w, "nodes", (int64_t)model_node_count(model));
	json_add_list(w, "inputs");
	for (size_t i = 0; i < model_input_count(model); i++) {
		json_add_object(w, NULL);
		json_add_str(w, "name", model_input(model, i));
		json_add_str(w, "type", model_input_is_string(model, i) ? "string" : "number");
		json_add_bool(w, "used", model_input_is_used(model, i));
		inspect_categories(model, i, w);
		json_end(w);
	}
	json_end_all(w);
	buf_addc(out, '\n');
}

static void
inspect_text(const struct model *model, struct buf *out)
{
	buf_addf(out, "format   %s, sums in %s\n", model_format(model),
	    model_is_float32(model) ? "float32" : "double");
	buf_addf(out, "link     %s\n", model_link_name(model));
	buf_addf(out, "classes  %zu\n", model_class_count(model));
	buf_addf(out, "trees    %zu with %zu nodes\n", model_tree_count(model),
	    model_node_count(model));
	buf_addf(out, "inputs   %zu\n", model_input_count(model));
	for (size_t i = 0; i < model_input_count(model); i++) {
		buf_addf(out, "  %s%s%s", model_input(model, i),
		    model_input_is_string(model, i) ? " (string)" : "",
		    model_input_is_used(model, i) ? "" : " (not used)");
		if (model_category_count(model, i) > 0)
			buf_addf(out, " of %zu categories", model_category_count(model, i));
		buf_addc(out, '\n');
	}
}

int
model_tool_inspect(const char *file, enum model_trees trees, bool json, struct buf *out,
    struct err *err)
{
	struct model *model = NULL;
	int r = read_model(file, trees, &model, err);
	if (r < 0)
		return r;
	if (json)
		inspect_json(model, out);
	else
		inspect_text(model, out);
	model_free(model);
	return 0;
}

/* ---- score ---- */

struct scoring {
	const struct model *model;
	struct csv csv;
	size_t *field_of; /* of each input; SIZE_MAX: the header lacks it */
	size_t header_count;
	struct value *inputs;
	double *margins;
	int64_t *parts;
	enum { SHOW_SCORE, SHOW_MARGIN, SHOW_PARTS } show;
};

static int
read_header(struct scoring *s, struct err *err)
{
	int r = csv_read(&s->csv, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_at(err, AISLE_E_INVALID, s->csv.name, 1, 1,
		    "empty, expected a header of input names");
	s->header_count = s->csv.count;
	for (size_t i = 0; i < model_input_count(s->model); i++) {
		s->field_of[i] = SIZE_MAX;
		for (size_t k = 0; k < s->csv.count; k++) {
			if (strcmp(csv_field(&s->csv, k), model_input(s->model, i)) != 0)
				continue;
			if (s->field_of[i] != SIZE_MAX)
				return err_at(err, AISLE_E_INVALID, s->csv.name, 1, 1,
				    "two columns are called \"%s\"", model_input(s->model, i));
			s->field_of[i] = k;
		}
		if (s->field_of[i] == SIZE_MAX && model_input_is_used(s->model, i))
			return err_at(err, AISLE_E_INVALID, s->csv.name, 1, 1,
			    "no column for the model's input \"%s\"", model_input(s->model, i));
	}
	return 0;
}

static int
read_input(struct scoring *s, size_t i, struct err *err)
{
	s->inputs[i] = value_missing();
	if (s->field_of[i] == SIZE_MAX)
		return 0;
	const char *text = csv_field(&s->csv, s->field_of[i]);
	if (*text == '\0')
		return 0;
	if (model_input_is_string(s->model, i)) {
		s->inputs[i] = value_string(text);
		return 0;
	}
	char *end;
	double number = strtod(text, &end);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		number = *text == 't';
	else if (end == text || *end != '\0' || strpbrk(text, "xX \t") != NULL)
		return err_at(err, AISLE_E_INVALID, s->csv.name, s->csv.line, 0,
		    "column %zu (%s): \"%.40s\", expected a number or nothing", s->field_of[i] + 1,
		    model_input(s->model, i), text);
	s->inputs[i] = value_number(number);
	return 0;
}

static void
print_number(FILE *out, double x, int digits)
{
	if (x != x) /* of infinite inputs; without the sign that printf would show */
		fputs("nan", out);
	else
		fprintf(out, "%.*g", digits, x);
}

static void
print_scores(struct scoring *s, FILE *out)
{
	bool margin = s->show == SHOW_MARGIN;
	model_margin(s->model, s->inputs, s->margins);
	if (!margin)
		model_link(s->model, s->margins);
	size_t count = margin ? model_class_count(s->model) : model_output_count(s->model);
	for (size_t k = 0; k < count; k++) {
		if (k > 0)
			fputc(',', out);
		print_number(out, s->margins[k], model_is_float32(s->model) ? 9 : 17);
	}
	fputc('\n', out);
}

/* "a, b" and the like are quoted, so that the table can be read back. */
static void
print_parts_header(struct scoring *s, FILE *out)
{
	fputs(model_class_count(s->model) > 1 ? "class,margin,base" : "margin,base", out);
	for (size_t i = 0; i < model_input_count(s->model); i++) {
		const char *name = model_input(s->model, i);
		bool quoted = strpbrk(name, "\",") != NULL;
		fputc(',', out);
		if (quoted)
			fputc('"', out);
		for (const char *at = name; *at != '\0'; at++) {
			fputc(*at, out);
			if (*at == '"')
				fputc('"', out);
		}
		if (quoted)
			fputc('"', out);
	}
	fputc('\n', out);
}

/* A line for each class. */
static int
print_parts(struct scoring *s, FILE *out, struct err *err)
{
	for (size_t k = 0; k < model_class_count(s->model); k++) {
		int64_t sum;
		if (model_explain(s->model, s->inputs, k, s->parts, &sum) < 0)
			return err_at(err, AISLE_E_INVALID, s->csv.name, s->csv.line, 0,
			    "contributions too large, expected less than 2^30");
		int64_t base = sum;
		for (size_t i = 0; i < model_input_count(s->model); i++)
			sum += s->parts[i];
		if (model_class_count(s->model) > 1)
			fprintf(out, "%zu,", k);
		print_number(out, (double)sum / MODEL_UNITS, 10);
		fputc(',', out);
		print_number(out, (double)base / MODEL_UNITS, 10);
		for (size_t i = 0; i < model_input_count(s->model); i++) {
			fputc(',', out);
			print_number(out, (double)s->parts[i] / MODEL_UNITS, 10);
		}
		fputc('\n', out);
	}
	return 0;
}

static int
score_row(struct scoring *s, FILE *out, struct err *err)
{
	if (s->csv.count != s->header_count)
		return err_at(err, AISLE_E_INVALID, s->csv.name, s->csv.line, 0,
		    "%zu fields, expected %zu as in the header", s->csv.count, s->header_count);
	for (size_t i = 0; i < model_input_count(s->model); i++)
		if (read_input(s, i, err) < 0)
			return AISLE_E_INVALID;
	if (s->show == SHOW_PARTS)
		return print_parts(s, out, err);
	print_scores(s, out);
	return 0;
}

static int
score_rows(struct scoring *s, FILE *out, struct err *err)
{
	int r = read_header(s, err);
	if (r < 0)
		return r;
	if (s->show == SHOW_PARTS)
		print_parts_header(s, out);
	while ((r = csv_read(&s->csv, err)) > 0)
		if ((r = score_row(s, out, err)) < 0)
			return r;
	if (r == 0 && fflush(out) != 0)
		r = err_set(err, AISLE_E_IO, "writing scores: %s", strerror(errno));
	return r;
}

static int
run(struct scoring *s, const char *path, enum model_trees trees, const char *rows_csv, FILE *out,
    struct err *err)
{
	struct model *model = NULL;
	struct buf rows = { 0 };
	int r = read_model(path, trees, &model, err);
	if (r == 0)
		r = rows_csv != NULL ? read_file(rows_csv, ROWS_BYTES_MAX, &rows, err)
				     : read_stream(stdin, ROWS_BYTES_MAX, "stdin", &rows, err);
	if (r == 0) {
		s->model = model;
		s->field_of = mem_calloc(model_input_count(model) + 1, sizeof(*s->field_of));
		s->inputs = mem_calloc(model_input_count(model) + 1, sizeof(*s->inputs));
		s->parts = mem_calloc(model_input_count(model) + 1, sizeof(*s->parts));
		s->margins = mem_calloc(model_class_count(model), sizeof(*s->margins));
		csv_init(&s->csv, rows.len > 0 ? rows.data : "", rows.len,
		    rows_csv != NULL ? rows_csv : "stdin");
		r = score_rows(s, out, err);
		csv_done(&s->csv);
		free(s->field_of);
		free(s->inputs);
		free(s->parts);
		free(s->margins);
	}
	model_free(model);
	buf_done(&rows);
	return r;
}

int
model_tool_score(const char *path, enum model_trees trees, const char *rows_csv, bool margin,
    FILE *out, struct err *err)
{
	struct scoring s = { .show = margin ? SHOW_MARGIN : SHOW_SCORE };
	return run(&s, path, trees, rows_csv, out, err);
}

int
model_tool_explain(const char *path, enum model_trees trees, const char *rows_csv, FILE *out,
    struct err *err)
{
	struct scoring s = { .show = SHOW_PARTS };
	return run(&s, path, trees, rows_csv, out, err);
}
