/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_model.c - one row through 100 and 500 trees of depth 6 over 48 features.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "score/model.h"

#define FEATURES 48
#define DEPTH 6
#define ROWS 256
#define ROUNDS 7

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
make(int trees)
{
	static const char *const arrays[] = { "left_children", "right_children", "split_indices",
		"split_conditions", "default_left" };
	struct buf text = { 0 };
	buf_addf(&text,
	    "{\"version\":[1,7,4],\"learner\":{\"learner_model_param\":{\"base_score\":\"0.5\","
	    "\"num_class\":\"0\","
	    "\"num_feature\":\"%d\"},\"objective\":{\"name\":\"binary:logistic\"},\"gradient_"
	    "booster\":{\"name\":\"gbtree\","
	    "\"model\":{\"tree_info\":[",
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
	struct model *model = NULL;
	struct err err = { 0 };
	if (model_import(text.data, text.len, "bench", &model, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(70);
	}
	buf_done(&text);
	return model;
}

int
main(void)
{
	static struct value rows[ROWS][FEATURES];
	for (int i = 0; i < ROWS; i++)
		for (int k = 0; k < FEATURES; k++)
			rows[i][k] = uniform() < 0.1 ? value_missing() : value_number(uniform());
	for (int trees = 100; trees <= 500; trees += 400) {
		struct model *model = make(trees);
		double best = 1e18, sum = 0;
		for (int round = 0; round < ROUNDS; round++) {
			double start = now_ns(), margin;
			for (int i = 0; i < 20 * ROWS; i++) {
				model_margin(model, rows[i % ROWS], &margin);
				sum += margin;
			}
			double ns = (now_ns() - start) / (20 * ROWS);
			best = ns < best ? ns : best;
		}
		printf("one row, %3d trees of depth %d over %d features   %8.0f ns (%.3f)\n", trees,
		    DEPTH, FEATURES, best, sum);
		model_free(model);
	}
	return 0;
}
