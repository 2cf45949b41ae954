/* SPDX-License-Identifier: Apache-2.0
 *
 * exam.c - a model's exam: rows of inputs with the margin that its trainer got.
 *
 * DESIGN
 *   A model that was read wrongly scores well enough to go unnoticed. So whoever
 *   trained it ships rows with their margins, and a store accepts the model only if
 *   its own code gets the same ones, to the bit unless a tolerance is stated.
 *
 *   The file: comma-separated, first line the names of the inputs (the model's own
 *   or the features') and "margin"; an empty cell is a missing value. No quotes.
 *   Columns are found by name alone: their order means nothing.
 *
 *   It is taken three times: when the author checks or builds, when somebody asks
 *   (bundle examine), and on each gateway before the policy counts, because only
 *   that shows that this machine gets the trainer's bits.
 */
#include "sync/bundle_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "score/model.h"

#define EXAM_ROWS_MAX 100000
#define EXAM_COLUMNS_MAX 65536
#define COLUMN_MARGIN (-1)

struct exam {
	const struct policy *policy;
	const struct policy_model *model;
	const char *file;
	char *text, *next; /* a copy, cut into cells as it is read */
	int *columns;	   /* input of each column, or COLUMN_MARGIN */
	size_t column_count;
	struct value *inputs;
	double margin;
	int line;
};

static int
exam_error(const struct exam *exam, struct err *err, const char *what)
{
	return err_at(err, AISLE_E_REFUSED, exam->file, exam->line > 0 ? exam->line : 1, 1, "%s",
	    what);
}

/* The next line, without its end; NULL: no more. */
static char *
next_line(struct exam *exam)
{
	char *line = exam->next, *end;

	if (line == NULL || *line == '\0')
		return NULL;
	end = strchr(line, '\n');
	exam->next = end != NULL ? end + 1 : NULL;
	if (end == NULL)
		end = line + strlen(line);
	else
		*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	exam->line++;
	return line;
}

static int
find_input(const struct exam *exam, const char *name)
{
	for (size_t i = 0; i < exam->model->input_count; i++)
		if (strcmp(model_input(exam->model->model, i), name) == 0)
			return (int)i;
	for (size_t i = 0; i < exam->model->input_count; i++)
		if (strcmp(exam->policy->features[exam->model->inputs[i]].name, name) == 0)
			return (int)i;
	return -2;
}

static int
read_header(struct exam *exam, struct err *err)
{
	char *line = next_line(exam), *cell;
	bool *seen = mem_calloc(exam->model->input_count + 1, sizeof(*seen));
	int status = 0;

	exam->columns = mem_calloc(exam->model->input_count + 1, sizeof(*exam->columns));
	while (status == 0 && (cell = strsep(&line, ",")) != NULL) {
		int input = strcmp(cell, "margin") == 0 ? COLUMN_MARGIN : find_input(exam, cell);
		size_t at = input == COLUMN_MARGIN ? exam->model->input_count : (size_t)input;

		if (input == -2 || seen[at])
			status = err_at(err, AISLE_E_REFUSED, exam->file, 1, 1,
			    "column \"%.64s\" is unknown or there "
			    "twice, expected each input of the model once, and margin",
			    cell);
		else {
			seen[at] = true;
			exam->columns[exam->column_count++] = input;
		}
	}
	if (status == 0 && exam->column_count != exam->model->input_count + 1)
		status = exam_error(exam, err,
		    "a column is missing, expected each input of the model, and margin");
	free(seen);
	return status;
}

static bool
read_double(const char *cell, double *ret)
{
	char *end;

	if (strcmp(cell, "true") == 0 || strcmp(cell, "false") == 0) {
		*ret = cell[0] == 't';
		return true;
	}
	if (cell[0] == '\0' || strspn(cell, "+-.0123456789eE") != strlen(cell))
		return false;
	*ret = strtod(cell, &end);
	return *end == '\0' && isfinite(*ret);
}

static int
read_cell(struct exam *exam, int input, char *cell, struct err *err)
{
	double number;

	if (input != COLUMN_MARGIN && cell[0] == '\0') {
		exam->inputs[input] = value_missing();
		return 0;
	}
	if (input != COLUMN_MARGIN && model_input_is_string(exam->model->model, (size_t)input)) {
		exam->inputs[input] = value_string(cell);
		return 0;
	}
	if (!read_double(cell, &number))
		return err_at(err, AISLE_E_REFUSED, exam->file, exam->line, 1,
		    "row %d: \"%.40s\" is not a number, expected one in decimal digits",
		    exam->line - 1, cell);
	if (input == COLUMN_MARGIN)
		exam->margin = number;
	else
		exam->inputs[input] = value_number(number);
	return 0;
}

/* 1: a row was read; 0: no more. */
static int
read_row(struct exam *exam, struct err *err)
{
	char *line = next_line(exam), *cell;
	size_t column = 0;

	if (line == NULL)
		return 0;
	if (exam->line > EXAM_ROWS_MAX)
		return exam_error(exam, err, "too many rows, expected at most 100000");
	while ((cell = strsep(&line, ",")) != NULL) {
		if (column == exam->column_count)
			return exam_error(exam, err,
			    "too many cells, expected as many as the header has");
		if (read_cell(exam, exam->columns[column++], cell, err) != 0)
			return err->code;
	}
	return column == exam->column_count
	    ? 1
	    : exam_error(exam, err, "too few cells, expected as many as the header has");
}

static void
exam_done(struct exam *exam)
{
	free(exam->text);
	free(exam->columns);
	free(exam->inputs);
}

static json_t *
model_source(const struct policy *policy, size_t index)
{
	return json_array_get(json_object_get(json_object_get(policy->source, "models"), "models"),
	    index);
}

/* AISLE_E_NONE: the model has no exam. */
static int
exam_open(struct exam *exam, const struct policy *policy, const struct policy_parts *parts,
    size_t index, struct err *err)
{
	const char *file = json_string_value(json_object_get(model_source(policy, index), "exam"));

	*exam = (struct exam){ .policy = policy, .model = &policy->models[index] };
	for (size_t i = 0; file != NULL && i < parts->count; i++) {
		const struct policy_part *part = &parts->part[i];

		if (strncmp(part->name, "models/", 7) != 0 || strcmp(part->name + 7, file) != 0)
			continue;
		exam->file = part->name;
		if (part->len == 0 || memchr(part->bytes, '\0', part->len) != NULL)
			return exam_error(exam, err, "not a text, expected comma-separated rows");
		exam->text = mem_alloc(part->len + 1);
		memcpy(exam->text, part->bytes, part->len);
		exam->text[part->len] = '\0';
		exam->next = exam->text;
		exam->inputs = mem_calloc(exam->model->input_count + 1, sizeof(*exam->inputs));
		return read_header(exam, err);
	}
	return AISLE_E_NONE;
}

/* ---- margins ---- */

static bool
margin_agrees(const struct exam *exam, double got, double tolerance)
{
	double difference;

	/* A float32 sum is printed with nine digits: equal as floats is equal bits. */
	if (model_is_float32(exam->model->model)) {
		if ((float)got == (float)exam->margin)
			return true;
	} else if (got == exam->margin)
		return true;
	difference = got > exam->margin ? got - exam->margin : exam->margin - got;
	return tolerance > 0 && difference <= tolerance;
}

static int
margin_differs(const struct exam *exam, double got, double tolerance, struct err *err)
{
	int digits = model_is_float32(exam->model->model) ? 9 : 17;

	return err_at(err, AISLE_E_REFUSED, exam->file, exam->line, 1,
	    "row %d: model \"%.64s\" gives margin %.*g, expected %.*g within %.9g", exam->line - 1,
	    exam->model->name, digits, got, digits, exam->margin, tolerance);
}

static int
examine_model(struct exam *exam, double tolerance, struct err *err)
{
	int status, rows = 0;

	while ((status = read_row(exam, err)) == 1) {
		double got;

		rows++;
		model_margin(exam->model->model, exam->inputs, &got);
		if (!margin_agrees(exam, got, tolerance))
			return margin_differs(exam, got, tolerance, err);
	}
	if (status == 0 && rows == 0)
		return exam_error(exam, err, "the exam has no rows, expected at least one");
	return status;
}

int
exam_margins(const struct policy *policy, const struct policy_parts *parts, struct buf *report,
    struct err *err)
{
	for (size_t i = 0; i < policy->model_count; i++) {
		double tolerance =
		    json_number_value(json_object_get(model_source(policy, i), "exam_tolerance"));
		struct exam exam;
		int status = exam_open(&exam, policy, parts, i, err);

		if (status == 0)
			status = examine_model(&exam, tolerance, err);
		if (status == 0)
			buf_addf(report, "model %s: %d exam rows agree\n", policy->models[i].name,
			    exam.line - 1);
		else if (status == AISLE_E_NONE)
			buf_addf(report, "model %s: warning: no exam\n", policy->models[i].name);
		exam_done(&exam);
		if (status != 0 && status != AISLE_E_NONE)
			return AISLE_E_REFUSED;
	}
	return 0;
}

/* ---- ladders ---- */

static int
depth_input(const struct policy *policy, const struct policy_model *model)
{
	for (size_t i = 0; i < model->input_count; i++) {
		const struct feature *feature = &policy->features[model->inputs[i]];

		if (feature->source == FEATURE_ACTION && feature->field == ACTION_DEPTH)
			return (int)i;
	}
	return -1;
}

/* The action's file, at its ladder. */
static void
ladder_mistake(const struct policy *policy, const struct policy_parts *parts,
    const struct action *action, const char *text, struct buf *report)
{
	const char *file =
	    json_string_value(json_object_get(json_object_get(policy->source, "files"),
		action->id));
	int line = 1, column = 1;

	for (size_t i = 0; i < parts->count; i++)
		if (strcmp(parts->part[i].name, file) == 0 &&
		    !json_locate(parts->part[i].bytes, parts->part[i].len, "/offer/ladder", &line,
			&column))
			line = column = 1;
	buf_addf(report, "%s:%d:%d: %s\n", file, line, column, text);
}

/* AISLE_E_REFUSED with err filled where a deeper offer is less likely to be taken. */
static int
climb(struct exam *exam, const struct action *action, int input, struct err *err)
{
	int status;

	while ((status = read_row(exam, err)) == 1) {
		double before = 0;

		for (size_t i = 0; i < action->offer.ladder_count; i++) {
			double p;

			exam->inputs[input] = value_number((double)action->offer.ladder[i]);
			p = model_score(exam->model->model, exam->inputs);
			if (i > 0 && p < before)
				return err_set(err, AISLE_E_REFUSED,
				    "p1 falls from %.6g to %.6g at depth %lld on row %d of %s, "
				    "expected it never to fall with depth",
				    before, p, (long long)action->offer.ladder[i], exam->line - 1,
				    exam->file);
			before = p;
		}
	}
	return status;
}

static int
check_ladder(const struct policy *policy, const struct policy_parts *parts,
    const struct action *action, size_t model, struct buf *report)
{
	int input = depth_input(policy, &policy->models[model]), status;
	struct err err = { 0 };
	struct exam exam;

	if (input < 0)
		return 0; /* p1 does not depend on the depth */
	status = exam_open(&exam, policy, parts, model, &err);
	if (status == 0)
		status = climb(&exam, action, input, &err);
	exam_done(&exam);
	if (status == 0)
		return 0;
	ladder_mistake(policy, parts, action,
	    status == AISLE_E_NONE ? "a ladder over a model without exam, expected rows that show "
				     "p1 never to fall with depth"
				   : err.text,
	    report);
	return AISLE_E_REFUSED;
}

int
exam_ladders(const struct policy *policy, const struct policy_parts *parts, struct buf *report)
{
	int status = 0;

	for (size_t i = 0; i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];

		if (!action->has_offer || action->offer.ladder_count < 2 || action->mandatory)
			continue;
		if (action->has_uplift &&
		    check_ladder(policy, parts, action, action->uplift_treated, report) != 0)
			status = AISLE_E_REFUSED;
		if (!action->has_uplift && action->propensity.kind == EXPR_MODEL &&
		    check_ladder(policy, parts, action, action->propensity.index, report) != 0)
			status = AISLE_E_REFUSED;
	}
	return status;
}

/* What a mistake of the policy is to an author, this is too; agreement needs no words. */
int
exam_author(const struct policy *policy, const struct policy_parts *parts, struct buf *report)
{
	struct buf agreed = { 0 };
	struct err err = { 0 };
	int status = exam_margins(policy, parts, &agreed, &err);

	buf_done(&agreed);
	if (status == 0)
		return exam_ladders(policy, parts, report);
	buf_addf(report, "%s:%d:%d: %s\n", err.file, err.line, err.column, err.text);
	return AISLE_E_REFUSED;
}
