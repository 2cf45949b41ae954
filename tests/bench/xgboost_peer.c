/* SPDX-License-Identifier: Apache-2.0
 *
 * xgboost_peer.c - the library that trained a model, timed at what bench_model times.
 *
 *   xgboost_peer MODEL.json INPUTS ROWS CANDIDATES COUNT...
 *
 * ROWS and CANDIDATES hold the model's INPUTS inputs as little-endian floats, row by row, NaN for
 * missing. Called from C, one thread, as an engine would: XGBoosterPredictFromDense on one row in
 * place; on many candidates the same and a DMatrix made for them, whichever is faster. Prints
 * "one NS", "batch COUNT NS" a row, then "row" and "candidate" margins. Leaves with 77 where
 * libxgboost.so.0 is not installed.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LEAST_NS 30e6
#define LEAST_ROUNDS 15
#define ONE_ROUNDS 30
#define ROWS 64

typedef uint64_t ulong64;
static int (*booster_create)(const void *const *matrices, ulong64 count, void **ret);
static int (*booster_load)(void *booster, const char *path);
static int (*booster_set)(void *booster, const char *name, const char *value);
static int (*predict_dense)(void *booster, const char *values, const char *config, void *meta,
    const ulong64 **ret_shape, ulong64 *ret_dim, const float **ret_result);
static int (*predict_matrix)(void *booster, void *matrix, const char *config,
    const ulong64 **ret_shape, ulong64 *ret_dim, const float **ret_result);
static int (*matrix_create)(const float *data, ulong64 rows, ulong64 columns, float missing,
    void **ret);
static int (*matrix_free)(void *matrix);
static const char *(*last_error)(void);

static void *booster;
static size_t inputs;

static void
must(int result)
{
	if (result != 0) {
		fprintf(stderr, "%s\n", last_error());
		exit(70);
	}
}

static void
find(void *library, const char *name, void *ret_function)
{
	void *symbol = dlsym(library, name);
	if (symbol == NULL) {
		fprintf(stderr, "no %s\n", name);
		exit(77);
	}
	memcpy(ret_function, &symbol, sizeof(symbol));
}

static void
open_library(void)
{
	void *library = dlopen("libxgboost.so.0", RTLD_NOW);
	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(77);
	}
	find(library, "XGBoosterCreate", &booster_create);
	find(library, "XGBoosterLoadModel", &booster_load);
	find(library, "XGBoosterSetParam", &booster_set);
	find(library, "XGBoosterPredictFromDense", &predict_dense);
	find(library, "XGBoosterPredictFromDMatrix", &predict_matrix);
	find(library, "XGDMatrixCreateFromMat", &matrix_create);
	find(library, "XGDMatrixFree", &matrix_free);
	find(library, "XGBGetLastError", &last_error);
}

static double
clock_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- one call ---- */

static const float *
in_place(const float *rows, size_t count)
{
	static const char config[] =
	    "{\"type\":1,\"training\":false,\"iteration_begin\":0,"
	    "\"iteration_end\":0,\"strict_shape\":false,\"cache_id\":0,\"missing\":NaN}";
	char values[200];
	const ulong64 *shape;
	ulong64 dim;
	const float *result;
	snprintf(values, sizeof(values),
	    "{\"data\":[%ju,true],\"shape\":[%zu,%zu],\"typestr\":\"<f4\",\"version\":3}",
	    (uintmax_t)(uintptr_t)rows, count, inputs);
	must(predict_dense(booster, values, config, NULL, &shape, &dim, &result));
	return result;
}

static float
through_matrix(const float *rows, size_t count)
{
	static const char config[] = "{\"type\":1,\"training\":false,\"iteration_begin\":0,"
				     "\"iteration_end\":0,\"strict_shape\":false}";
	const ulong64 *shape;
	ulong64 dim;
	const float *result;
	void *matrix;
	must(matrix_create(rows, count, inputs, __builtin_nanf(""), &matrix));
	must(predict_matrix(booster, matrix, config, &shape, &dim, &result));
	float first = result[0];
	must(matrix_free(matrix));
	return first;
}

/* ---- figures ---- */

/* Each row's fastest, and their mean: a call takes long enough to be timed alone, and a whole round
 * of them would be disturbed each time where others are at work. */
static double
time_one(const float *rows, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		double best = 1e18, at = clock_ns(CLOCK_MONOTONIC);
		for (int round = 0; round < ONE_ROUNDS; round++) {
			in_place(&rows[i * inputs], 1);
			double end = clock_ns(CLOCK_MONOTONIC);
			best = end - at < best ? end - at : best;
			at = end;
		}
		sum += best;
	}
	return sum / (double)count;
}

/* Its processor time: a batch is long enough to be interrupted, and must not be charged for it. */
static double
time_batch(const float *rows, size_t count)
{
	double best = 1e18;
	for (int way = 0; way < 2; way++) {
		double start = clock_ns(CLOCK_PROCESS_CPUTIME_ID), at = start;
		for (int round = 0; round < LEAST_ROUNDS || at - start < LEAST_NS; round++) {
			if (way == 0)
				in_place(rows, count);
			else
				through_matrix(rows, count);
			double end = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
			best = end - at < best ? end - at : best;
			at = end;
		}
	}
	return best / (double)count;
}

static float *
read_floats(const char *path, size_t *ret_count)
{
	FILE *in = fopen(path, "rb");
	if (in == NULL) {
		perror(path);
		exit(66);
	}
	fseek(in, 0, SEEK_END);
	size_t bytes = (size_t)ftell(in);
	rewind(in);
	float *floats = malloc(bytes);
	if (floats == NULL || fread(floats, 1, bytes, in) != bytes)
		exit(66);
	fclose(in);
	*ret_count = bytes / sizeof(float);
	return floats;
}

static void
print_margins(const char *what, const float *rows, size_t count)
{
	const float *margins = in_place(rows, count);
	for (size_t i = 0; i < count; i++)
		printf("%s %.9g\n", what, (double)margins[i]);
}

int
main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: xgboost_peer MODEL.json INPUTS ROWS CANDIDATES COUNT...\n");
		return 64;
	}
	open_library();
	inputs = strtoul(argv[2], NULL, 10);
	size_t row_count, candidate_count;
	float *rows = read_floats(argv[3], &row_count);
	float *candidates = read_floats(argv[4], &candidate_count);
	row_count /= inputs;
	candidate_count /= inputs;
	must(booster_create(NULL, 0, &booster));
	must(booster_load(booster, argv[1]));
	must(booster_set(booster, "nthread", "1"));
	printf("one %.1f\n", time_one(rows, row_count < ROWS ? row_count : ROWS));
	size_t most = 0;
	for (int k = 5; k < argc; k++) {
		size_t count = strtoul(argv[k], NULL, 10);
		count = count < candidate_count ? count : candidate_count;
		most = count > most ? count : most;
		printf("batch %zu %.1f\n", count, time_batch(candidates, count));
	}
	print_margins("candidate", candidates, most);
	print_margins("row", rows, row_count);
	return 0;
}
