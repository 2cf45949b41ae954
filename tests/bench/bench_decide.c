/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_decide.c - nanoseconds and allocated bytes of one decision with 10, 100 and 2,000 candidates.
 *
 * Each action has an eligibility and an applicability rule over the visit, a
 * propensity rule, an offer, a cap and one treatment with a value. Twenty
 * basket lines, ten contact rows, two slots, exploration on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "decide/run.h"

#include "../unit/decide_scene.h"

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A scene of its own with n actions. */
static struct policy *
policy_of(struct scene *s, int n)
{
	struct policy_part *part = mem_calloc((size_t)n + 3, sizeof(*part));
	struct policy_parts all = { part, (size_t)n + 3 };
	struct policy *policy = NULL;
	struct buf report = { 0 };

	scene_begin(s, "{\"explore\":{\"unit\":100,\"cost_max\":2,\"shortlist\":8},\"placements\":{\"tablet\":{\"slots\":2}}}");
	add_part(s->arena, &s->parts, "contact.json",
	    "{\"caps\":[{\"per\":\"customer\",\"scope\":\"all\",\"outcome\":\"shown\",\"max\":50,\"within\":\"1d\"}],"
	    "\"suppress\":[{\"after\":{\"outcome\":\"dismissed\",\"count\":2,\"within\":\"30d\"},\"scope\":\"group\",\"for\":\"30d\"}]}");
	for (int i = 0; i < n; i++) {
		s->parts.count = 3;
		add_action(s, arena_printf(s->arena, "a%04d", i), arena_printf(s->arena,
		    "{\"group\":\"g%d\"," OFFER_MEMBERS ",\"eligible\":{\">\":[{\"var\":\"x\"},%d]},"
		    "\"applicable\":{\"<\":[{\"var\":\"total\"},%d]},\"propensity\":{\"/\":[{\"var\":\"x\"},%d]},"
		    "\"caps\":[{\"outcome\":\"shown\",\"max\":1,\"within\":\"7d\"}],"
		    "\"offer\":{\"type\":\"percent\",\"depth\":10,\"typical\":450,\"max\":300,\"apply\":\"till-code\","
		    "\"include\":{\"category\":\"c%d\"}},"
		    "\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"{{depth}} %% off\"}]}",
		    i % 40, i % 100, 100000 + i % 50, 5000 + i, i % 40));
		part[i + 3] = s->parts.part[3];
	}
	for (int i = 0; i < 3; i++)
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
bench(int n, int rounds, const char *data)
{
	struct scene s;
	struct policy *policy = policy_of(&s, n);
	struct arena *turn = arena_new();
	double start;
	size_t used = 0, passed = 0;

	s.policy = policy;
	scene_data(&s, data);
	for (int i = 0; i < 20; i++)
		add_line(s.arena, &s.visit, arena_printf(s.arena, "c%d/sub", i), 1000, 250);
	for (int i = 0; i < 10; i++)
		add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - H_MS, "other", "other", "other", (uint8_t)i);
	s.input.sources.policy = policy;
	start = now_ns();
	for (int i = 0; i < rounds; i++) {
		s.visit.id.b[15] = (uint8_t)i;
		decide(turn, &s.input, &s.decision);
		used = arena_used(turn);
		passed = s.decision.fates[FATE_OFFERED] + s.decision.fates[FATE_NOT_DRAWN] +
		    s.decision.fates[FATE_OUTRANKED];
		arena_reset(turn);
	}
	printf("decide: %5d candidates (%4zu pass): %9.0f ns, %5.0f ns each, %zu KiB of arena\n", n, passed,
	    (now_ns() - start) / rounds, (now_ns() - start) / rounds / n, used / 1024);
	arena_free(turn);
	scene_end(&s);
}

int
main(int argc, char **argv)
{
	/* One size and so many rounds, for a profiler. */
	if (argc == 3) {
		bench(atoi(argv[1]), atoi(argv[2]), "{\"x\":1000}");
		return 0;
	}
	/* all eligible; then one in ten */
	for (int i = 0; i < 2; i++) {
		const char *data = i == 0 ? "{\"x\":1000}" : "{\"x\":10}";

		bench(10, 20000, data);
		bench(100, 5000, data);
		bench(2000, 300, data);
	}
	return 0;
}
