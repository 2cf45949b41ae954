/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_logic.c - what a rule costs: five clauses, and 2,000 different rules.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "logic/logic.h"

#define RULES 2000
#define ROUNDS 7

static struct value slots[8];

static int
resolve(void *ctx, const char *name)
{
	static const char *const names[] = { "a", "b", "c", "d", "tier" };
	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static struct value
slot(void *ctx, unsigned n)
{
	(void)ctx;
	return slots[n];
}

static double
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct logic *
compile(const char *text)
{
	struct err err = { 0 };
	struct logic *logic = NULL;
	json_t *json = json_read(text, strlen(text), "bench", &err);
	if (json == NULL || logic_compile(json, resolve, NULL, &logic, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(70);
	}
	json_decref(json);
	return logic;
}

/* The best of some rounds, in ns a rule. */
static double
measure(struct logic **rules, size_t count, size_t repeats, struct arena *arena, size_t *ret_yes)
{
	/* As a decision reads them: each is known after its first reader. */
	const struct logic_slots read = { slots, slot, NULL };
	double best = 1e18;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now_ns();
		size_t yes = 0;
		for (size_t r = 0; r < repeats; r++) {
			for (size_t i = 0; i < count; i++) {
				struct value value;
				if (logic_run_over(rules[i], &read, arena, &value, NULL) ==
				    LOGIC_OK)
					yes += logic_truthy(&value);
			}
		}
		double ns = (now_ns() - start) / (double)(repeats * count);
		best = ns < best ? ns : best;
		*ret_yes = yes;
	}
	return best;
}

int
main(void)
{
	static struct logic *rules[RULES];
	struct arena *arena = arena_new();
	size_t yes;
	slots[0] = value_number(5);
	slots[1] = value_number(0);
	slots[2] = value_number(2);
	slots[3] = value_bool(false);
	slots[4] = value_string("silver");

	struct logic *five =
	    compile("{\"and\":[{\">\":[{\"var\":\"a\"},1]},{\"in\":[{\"var\":\"tier\"},[\"gold\","
		    "\"silver\"]]},"
		    "{\"==\":[{\"var\":\"b\"},0]},{\"<\":[{\"var\":\"c\"},7]},{\"!\":{\"var\":"
		    "\"d\"}}]}");
	printf("five clauses, all true      %8.1f ns\n", measure(&five, 1, 200000, arena, &yes));
	for (int i = 0; i < RULES; i++) {
		char text[400];
		snprintf(text, sizeof(text),
		    "{\"and\":[{\">\":[{\"var\":\"a\"},%d]},{\"in\":[{\"var\":\"tier\"},[\"gold\","
		    "\"silver%s\"]]},"
		    "{\"==\":[{\"var\":\"b\"},%d]},{\"<\":[{\"var\":\"c\"},%d]},{\"!\":{\"var\":"
		    "\"d\"}}]}",
		    i % 7, i % 5 == 0 ? "x" : "", i % 11 == 0, i % 9);
		rules[i] = compile(text);
	}
	double each = measure(rules, RULES, 200, arena, &yes);
	printf("2,000 different rules       %8.1f us (%.1f ns each, %zu true)\n",
	    each * RULES / 1000, each, yes / 200);
	for (int i = 0; i < RULES; i++)
		logic_free(rules[i]);
	logic_free(five);
	arena_free(arena);
	return 0;
}
