/* SPDX-License-Identifier: Apache-2.0
 *
 * decide_forest.h - features and a random model for a scene: inputs f0, f1, …, of which the last
 * eight differ from action to action.
 */
#ifndef AISLE_TESTS_DECIDE_FOREST_H
#define AISLE_TESTS_DECIDE_FOREST_H

#include "decide_scene.h"

#define FOREST_OWN 8

/* What the inputs at the end read; spread: where their splits lie. */
static const struct {
	const char *from;
	double spread;
} forest_own[FOREST_OWN] = {
	{ "action.depth", 20 },
	{ "action.worth", 200 },
	{ "action.margin", 400 },
	{ "history.count(action=self,outcome=shown,within=30d)", 2 },
	{ "history.count(action=self,outcome=dismissed,within=30d)", 2 },
	{ "history.count(action=self,outcome=shown,within=1d)", 2 },
	{ "history.count(action=self,outcome=accepted)", 1 },
	{ "history.recency(action=self,outcome=shown)", 2 },
};

FIXTURE double
forest_uniform(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (double)(*seed >> 8) / 16777216.0;
}

/* features.json: those of the scene, then f0, f1, …: the shared ones are event.f0, … */
FIXTURE const char *
forest_features(struct arena *arena, int inputs)
{
	struct buf out = { 0 };
	const char *text;

	buf_adds(&out,
	    "{\"features\":[{\"name\":\"x\",\"type\":\"number\",\"from\":\"event.x\"},"
	    "{\"name\":\"total\",\"type\":\"number\",\"from\":\"basket.total()\"}");
	for (int i = 0; i < inputs; i++) {
		int own = i - (inputs - FOREST_OWN);

		buf_addf(&out, ",{\"name\":\"f%d\",\"type\":\"number\",\"from\":\"", i);
		if (own >= 0)
			buf_adds(&out, forest_own[own].from);
		else
			buf_addf(&out, "event.f%d", i);
		buf_adds(&out, "\"}");
	}
	buf_adds(&out, "]}");
	text = arena_strndup(arena, out.data, out.len);
	buf_done(&out);
	return text;
}

/* {"x":X,"f0":…}, from 0 to 1. */
FIXTURE const char *
forest_event(struct arena *arena, int inputs, int x, uint32_t seed)
{
	struct buf out = { 0 };
	const char *text;

	buf_addf(&out, "{\"x\":%d", x);
	for (int i = 0; i < inputs - FOREST_OWN; i++)
		buf_addf(&out, ",\"f%d\":%.6f", i, forest_uniform(&seed));
	buf_adds(&out, "}");
	text = arena_strndup(arena, out.data, out.len);
	buf_done(&out);
	return text;
}

FIXTURE void
forest_array(struct buf *out, const char *name, int depth, int inputs, int kind, uint32_t *seed)
{
	int inner = (1 << depth) - 1;

	buf_addf(out, "\"%s\":[", name);
	for (int i = 0; i < 2 * inner + 1; i++) {
		int own = (int)seed[1 + i] - (inputs - FOREST_OWN);

		buf_adds(out, i > 0 ? "," : "");
		if (kind <= 1)
			buf_addf(out, "%d", i >= inner ? -1 : 2 * i + 1 + kind);
		else if (kind == 2)
			buf_addf(out, "%u", i >= inner ? 0 : seed[1 + i]);
		else if (kind == 3 && i >= inner)
			buf_addf(out, "%.6f", forest_uniform(seed) / 10 - 0.05);
		else if (kind == 3)
			buf_addf(out, "%.6f",
			    forest_uniform(seed) * (own >= 0 ? forest_own[own].spread : 1));
		else
			buf_addf(out, "%d", forest_uniform(seed) < 0.5);
	}
	buf_adds(out, "],");
}

/* A model over f0, f1, … as XGBoost writes it. */
FIXTURE const char *
forest_model(struct arena *arena, int trees, int depth, int inputs, uint32_t start)
{
	static const char *const arrays[] = { "left_children", "right_children", "split_indices",
		"split_conditions", "default_left" };
	uint32_t *seed = arena_alloc(arena, (size_t)(2 << depth) * sizeof(*seed));
	struct buf out = { 0 };
	const char *text;

	*seed = start;
	buf_addf(&out,
	    "{\"version\":[1,7,4],\"learner\":{\"learner_model_param\":{\"base_score\":\"0.5\","
	    "\"num_class\":\"0\",\"num_feature\":\"%d\"},\"objective\":{\"name\":\"binary:"
	    "logistic\"},"
	    "\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{\"tree_info\":[",
	    inputs);
	for (int t = 0; t < trees; t++)
		buf_adds(&out, t > 0 ? ",0" : "0");
	buf_adds(&out, "],\"trees\":[");
	for (int t = 0; t < trees; t++) {
		for (int i = 0; i < (1 << depth) - 1; i++) /* what each node splits on */
			seed[1 + i] = (uint32_t)(forest_uniform(seed) * inputs);
		buf_adds(&out, t > 0 ? ",{" : "{");
		for (int k = 0; k < 5; k++)
			forest_array(&out, arrays[k], depth, inputs, k, seed);
		buf_addf(&out, "\"id\":%d}", t);
	}
	buf_adds(&out, "]}}}}");
	text = arena_strndup(arena, out.data, out.len);
	buf_done(&out);
	return text;
}

#endif
