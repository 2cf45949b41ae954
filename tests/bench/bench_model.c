/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_model.c - one row, and many rows that share their context, through a model.
 *
 *   bench_model                     random trees of depth 6 over 48 features: 100 and 500
 *   bench_model MODEL ROWS VARYING COUNT...
 *
 * With a model (any format): ROWS holds its inputs as little-endian doubles, row by row, NaN for
 * missing. The first VARYING inputs vary from candidate to candidate, the others stay as in the
 * first row. Prints a line for one row (mean over ROWS) and one for each count of candidates,
 * nanoseconds a row; then the margins, "row", those of ROWS, and "candidate", those of the largest
 * count, for whoever knows what they should be. models.py does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "score/model.h"

#define FEATURES 48
#define VARYING 8
#define DEPTH 6
#define ROWS 256
#define LEAST_NS 30e6 /* spent on a figure, at least */
#define LEAST_ROUNDS 15

static uint32_t seed = 7;

static double
uniform(void)
{
	seed = seed * 1664525u + 1013904223u;
	return (double)(seed >> 8) / 16777216.0;
}

static double
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- a random model ---- */

static void
add_array(struct buf *out, const char *name, int count, int kind)
{
	int inner = (1 << DEPTH) - 1;
	buf_addf(out, "\"%s\":[", name);
	for (int i = 0; i < count; i++) {
		bool leaf = i >= inner;
		buf_adds(out, i > 0 ? "," : "");
		if (kind == 0 || kind == 1)
			buf_addf(out, "%d", leaf ? -1 : 2 * i + 1 + kind);
		else if (kind == 2)
			buf_addf(out, "%d", leaf ? 0 : (int)(uniform() * FEATURES));
		else if (kind == 3)
			buf_addf(out, "%.6f", leaf ? uniform() / 10 - 0.05 : uniform());
		else
			buf_addf(out, "%d", uniform() < 0.5);
	}
	buf_adds(out, "],");
}

static struct model *
import(const void *bytes, size_t len, const char *name)
{
	struct model *model = NULL;
	struct err err = { 0 };
	if (model_import(bytes, len, name, &model, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(70);
	}
	return model;
}

static struct model *
make(int trees)
{
	static const char *const arrays[] = { "left_children", "right_children", "split_indices",
		"split_conditions", "default_left" };
	struct buf text = { 0 };
	buf_addf(&text,
	    "{\"version\":[1,7,4],\"learner\":{\"learner_model_param\":{\"base_score\":\"0.5\","
	    "\"num_class\":\"0\",\"num_feature\":\"%d\"},"
	    "\"objective\":{\"name\":\"binary:logistic\"},"
	    "\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{\"tree_info\":[",
	    FEATURES);
	for (int t = 0; t < trees; t++)
		buf_adds(&text, t > 0 ? ",0" : "0");
	buf_adds(&text, "],\"trees\":[");
	for (int t = 0; t < trees; t++) {
		buf_adds(&text, t > 0 ? ",{" : "{");
		for (int k = 0; k < 5; k++)
			add_array(&text, arrays[k], (2 << DEPTH) - 1, k);
		buf_addf(&text, "\"id\":%d}", t);
	}
	buf_adds(&text, "]}}}}");
	struct model *model = import(text.data, text.len, "bench");
	buf_done(&text);
	return model;
}

/* ---- figures ---- */

/* Nanoseconds a row: the best of many short rounds, because others at work here only add. */
static double
time_one_row(const struct model *model, const struct value *rows, size_t count)
{
	size_t inputs = model_input_count(model);
	double best = 1e18, margin, start = now_ns(), at = start;
	for (int round = 0; round < LEAST_ROUNDS || at - start < LEAST_NS; round++) {
		for (size_t i = 0; i < count; i++)
			model_margin(model, &rows[i * inputs], &margin);
		double end = now_ns();
		best = end - at < best ? end - at : best;
		at = end;
	}
	return best / (double)count;
}

/* The same for a decision: begin, then all its candidates. */
static double
time_decision(struct model_context *context, const struct value *inputs, const struct value *rows,
    size_t count, double *margins)
{
	double best = 1e18, start = now_ns(), at = start;
	for (int round = 0; round < LEAST_ROUNDS || at - start < LEAST_NS; round++) {
		model_context_begin(context, inputs);
		model_context_margins(context, rows, count, margins);
		double end = now_ns();
		best = end - at < best ? end - at : best;
		at = end;
	}
	return best / (double)count;
}

static struct model_context *
first_vary(const struct model *model, size_t varying)
{
	bool *varies = mem_calloc(model_input_count(model) + 1, sizeof(*varies));
	for (size_t i = 0; i < varying && i < model_input_count(model); i++)
		varies[i] = true;
	struct model_context *context = model_context_new(model, varies);
	free(varies);
	return context;
}

static void
random_models(void)
{
	static const char *const paths[] = { "plain C", "vectors", "SSE4.2" };
	static const size_t counts[] = { 10, 100, 2000 };
	static struct value rows[ROWS * FEATURES], candidates[2000 * VARYING];
	static double margins[2000];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rows[i] = uniform() < 0.1 ? value_missing() : value_number(uniform());
	for (size_t i = 0; i < ARRAY_LEN(candidates); i++)
		candidates[i] = uniform() < 0.1 ? value_missing() : value_number(uniform());
	for (int trees = 100; trees <= 500; trees += 400) {
		struct model *model = make(trees);
		struct model_context *context = first_vary(model, VARYING);
		printf("%d trees of depth %d over %d features, one row %31.0f ns\n", trees, DEPTH,
		    FEATURES, time_one_row(model, rows, ROWS));
		for (int path = 0; path < MODEL_PATH_COUNT; path++)
			for (size_t k = 0; k < ARRAY_LEN(counts); k++)
				if (model_context_use(context, (enum model_path)path))
					printf("  %4zu rows of one context, %d features vary, %8s "
					       "%10.0f ns a row\n",
					    counts[k], VARYING, paths[path],
					    time_decision(context, rows, candidates, counts[k],
						margins));
		model_context_free(context);
		model_free(model);
	}
}

/* ---- a given model ---- */

static struct buf
read_file(const char *path)
{
	struct buf bytes = { 0 };
	char chunk[65536];
	FILE *in = fopen(path, "rb");
	if (in == NULL) {
		perror(path);
		exit(66);
	}
	for (size_t n; (n = fread(chunk, 1, sizeof(chunk), in)) > 0;)
		buf_add(&bytes, chunk, n);
	fclose(in);
	return bytes;
}

static void
given_model(char **argv, int argc)
{
	struct buf file = read_file(argv[1]), matrix = read_file(argv[2]);
	struct model *model = import(file.data, file.len, argv[1]);
	struct rd rd = rd_init(matrix.data, matrix.len);
	size_t inputs = model_input_count(model), varying = strtoul(argv[3], NULL, 10);
	size_t count = matrix.len / sizeof(double) / inputs, most = 0;
	struct value *rows = mem_calloc(count * inputs, sizeof(*rows));
	struct value *candidates = mem_calloc(count * varying, sizeof(*candidates));
	double *margins = mem_calloc(count, sizeof(*margins));
	for (size_t i = 0; i < count * inputs; i++) {
		double x = rd_f64(&rd);
		rows[i] = x == x ? value_number(x) : value_missing();
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < varying; k++)
			candidates[i * varying + k] = rows[i * inputs + k];
	printf("one %.1f\n", time_one_row(model, rows, count < ROWS ? count : ROWS));
	struct model_context *context = first_vary(model, varying);
	for (int k = 4; k < argc; k++) {
		size_t n = strtoul(argv[k], NULL, 10);
		n = n < count ? n : count;
		most = n > most ? n : most;
		printf("shared %zu %.1f\n", n,
		    time_decision(context, rows, candidates, n, margins));
	}
	model_context_margins(context, candidates, most, margins);
	for (size_t i = 0; i < most; i++)
		printf("candidate %.17g\n", margins[i]);
	for (size_t i = 0; i < count; i++) {
		model_margin(model, &rows[i * inputs], margins);
		printf("row %.17g\n", margins[0]);
	}
}

int
main(int argc, char **argv)
{
	if (argc >= 5)
		given_model(argv, argc);
	else
		random_models();
	return 0;
}
