/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_decide.c - nanoseconds and allocated bytes of one decision with 10, 100 and 2,000 candidates.
 *
 * Each action has an eligibility and an applicability rule over the visit, a
 * propensity rule, an offer, a cap and one treatment with a value. Twenty
 * basket lines, ten contact rows, two slots, exploration on. Then with a model for
 * the chance instead of a rule: trees of depth 6 over 48 inputs, eight of them the
 * action's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "decide/run.h"

#include "../unit/decide_forest.h"

#define INPUTS 48
#define OTHER_PARTS 5

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A scene of its own with n actions, and a model of so many trees. */
static struct policy *
policy_of(struct scene *s, int n, int trees)
{
	struct policy_part *part = mem_calloc((size_t)n + OTHER_PARTS, sizeof(*part));
	struct policy_parts all = { .part = part, .count = (size_t)n + OTHER_PARTS };
	struct policy *policy = NULL;
	struct buf report = { 0 };

	scene_begin(s,
	    "{\"explore\":{\"unit\":100,\"cost_max\":2,\"shortlist\":8},\"placements\":{\"tablet\":"
	    "{\"slots\":2}}}");
	add_part(s->arena, &s->parts, "contact.json",
	    "{\"caps\":[{\"per\":\"customer\",\"scope\":\"all\",\"outcome\":\"shown\",\"max\":50,"
	    "\"within\":\"1d\"}],"
	    "\"suppress\":[{\"after\":{\"outcome\":\"dismissed\",\"count\":2,\"within\":\"30d\"},"
	    "\"scope\":\"group\",\"for\":\"30d\"}]}");
	s->parts.part[1].bytes = forest_features(s->arena, INPUTS);
	s->parts.part[1].len = strlen(s->parts.part[1].bytes);
	add_part(s->arena, &s->parts, "models/models.json",
	    "{\"models\":[{\"model\":\"m\",\"file\":\"m.json\"}]}");
	add_part(s->arena, &s->parts, "models/m.json",
	    forest_model(s->arena, trees > 0 ? trees : 1, 6, INPUTS, 7));
	for (int i = 0; i < n; i++) {
		const char *chance = trees > 0
		    ? "\"m\""
		    : arena_printf(s->arena, "{\"/\":[{\"var\":\"x\"},%d]}", 5000 + i);

		s->parts.count = OTHER_PARTS;
		add_action(s, arena_printf(s->arena, "a%04d", i),
		    arena_printf(s->arena,
			"{\"group\":\"g%d\"," OFFER_MEMBERS
			",\"eligible\":{\">\":[{\"var\":\"x\"},%d]},"
			"\"applicable\":{\"<\":[{\"var\":\"total\"},%d]},\"propensity\":%s,"
			"\"incremental\":0.9,"
			"\"caps\":[{\"outcome\":\"shown\",\"max\":1,\"within\":\"7d\"}],"
			"\"offer\":{\"type\":\"percent\",\"depth\":%d,\"typical\":450,\"max\":300,"
			"\"apply\":\"till-code\","
			"\"include\":{\"category\":\"c%d\"}},"
			"\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"{{"
			"depth}} %% off\"}]}",
			i % 40, i % 100, 100000 + i % 50, chance, 3 + i % 15, i % 40));
		part[i + OTHER_PARTS] = s->parts.part[OTHER_PARTS];
	}
	for (int i = 0; i < OTHER_PARTS; i++)
		part[i] = s->parts.part[i];
	if (policy_compile(&all, &policy, &report) != 0) {
		fputs(report.data, stderr);
		exit(1);
	}
	buf_done(&report);
	free(part);
	return policy;
}

static void
bench(int n, int trees, int rounds, int x)
{
	struct scene s;
	struct policy *policy = policy_of(&s, n, trees);
	struct arena *turn = arena_new();
	double start, mean, best = 1e18;
	size_t used = 0, passed = 0;

	s.policy = policy;
	scene_data(&s, forest_event(s.arena, INPUTS, x, 1));
	for (int i = 0; i < 20; i++)
		add_line(s.arena, &s.visit, arena_printf(s.arena, "c%d/sub", i), 1000, 250);
	for (int i = 0; i < 10; i++)
		add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - H_MS, "other", "other",
		    "other", (uint8_t)i);
	for (int i = 0; i < 10; i++)
		add_row(s.arena, &s.subject.contacts, OUTCOME_SHOWN, NOW - 26 * H_MS,
		    arena_printf(s.arena, "a%04d", 7 * i), "g", "i", (uint8_t)(i + 20));
	s.input.sources.policy = policy;
	start = now_ns();
	for (int i = 0; i < rounds; i++) {
		double before = now_ns(), took;

		s.visit.id.b[15] = (uint8_t)i;
		decide(turn, &s.input, &s.decision);
		took = now_ns() - before;
		best = took < best ? took : best;
		used = arena_used(turn);
		passed = s.decision.fates[FATE_OFFERED] + s.decision.fates[FATE_NOT_DRAWN] +
		    s.decision.fates[FATE_OUTRANKED];
		arena_reset(turn);
	}
	mean = (now_ns() - start) / rounds;
	printf("decide: %5d candidates (%4zu pass), %3d trees: %9.0f ns, %5.0f ns each, best %9.0f "
	       "ns, %zu KiB of arena\n",
	    n, passed, trees, mean, mean / n, best, used / 1024);
	arena_free(turn);
	scene_end(&s);
}

int
main(int argc, char **argv)
{
	/* One size and so many rounds, and trees, for a profiler. */
	if (argc >= 3) {
		bench(atoi(argv[1]), argc > 3 ? atoi(argv[3]) : 0, atoi(argv[2]), 1000);
		return 0;
	}
	/* all eligible; then one in ten */
	for (int x = 1000; x >= 10; x -= 990) {
		bench(10, 0, 20000, x);
		bench(100, 0, 5000, x);
		bench(2000, 0, 300, x);
	}
	bench(10, 100, 20000, 1000);
	bench(100, 100, 5000, 1000);
	bench(2000, 100, 300, 1000);
	bench(2000, 500, 300, 1000);
	return 0;
}
