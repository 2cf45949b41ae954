/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_features.c - one feature vector: 50 features over a customer of 3,000 lines.
 *
 * Prints medians over rounds: nanoseconds for a whole vector, features_new included.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aisle/features.h"
#include "core/arena.h"
#include "profile/subject_io.h"
#include "score/features_decl.h"
#include "session/session.h"

#define FEATURES 50
#define ROUNDS 201
#define NOW (INT64_C(20000) * D_MS)

static int64_t
mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct subject *
customer(unsigned baskets, unsigned lines)
{
	struct id who = { { 1 } };
	struct subject *subject = subject_new(&who);
	struct purchase_line line[64];
	struct buf row = { 0 };
	char category[64][32], item[64][32];

	for (unsigned i = 0; i < baskets; i++) {
		struct purchase purchase = { .at_ms = NOW - (int64_t)(baskets - i) * D_MS,
			.total_minor = 5000,
			.lines = line,
			.line_count = lines };

		memcpy(purchase.visit.b, &i, sizeof(i));
		for (unsigned j = 0; j < lines; j++) {
			unsigned n = (i * 31 + j * 17) % 240;

			snprintf(category[j], sizeof(category[j]), "dept%u/cat%u", n / 12, n);
			snprintf(item[j], sizeof(item[j]), "%014u", n * 7 + i % 3);
			line[j] = (struct purchase_line){ category[j], NULL, item[j], 1000, 100 + n,
				MARK_NONE };
		}
		buf_clear(&row);
		purchase_encode(&purchase, &row);
		if (subject_add_log(subject, SUBJECT_LOG_PURCHASE, row.data, row.len) != 0)
			abort();
	}
	buf_done(&row);
	return subject;
}

static void
declare(struct arena *arena, struct feature *features)
{
	struct err err = { 0 };
	char from[80];

	for (unsigned i = 0; i < FEATURES; i++) {
		unsigned cat = i * 4, dept = cat / 12;

		switch (i % 5) {
		case 0:
			snprintf(from, sizeof(from),
			    "local.sum(category=dept%u/cat%u, half_life=30d)", dept, cat);
			break;
		case 1:
			snprintf(from, sizeof(from), "local.overdue(category=dept%u/cat%u)", dept,
			    cat);
			break;
		case 2:
			snprintf(from, sizeof(from), "local.visits(category=dept%u, within=90d)",
			    dept);
			break;
		case 3:
			snprintf(from, sizeof(from), "local.recency(category=dept%u/cat%u)", dept,
			    cat);
			break;
		default:
			snprintf(from, sizeof(from), "local.qty(category=dept%u, half_life=7d)",
			    dept);
			break;
		}
		features[i] = (struct feature){ .name = "f", .type = VALUE_NUMBER };
		if (feature_parse_from(arena, from, &features[i], &err) != 0)
			abort();
	}
}

static int
ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
measure(const char *what, const struct sources *sources, struct arena *arena)
{
	int64_t took[ROUNDS];
	double sum = 0;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t from = mono_ns();
		struct features *features;

		arena_reset(arena);
		features = features_new(arena, sources);
		for (unsigned i = 0; i < FEATURES; i++)
			sum += features_get(features, i, NULL).number;
		took[round] = mono_ns() - from;
	}
	qsort(took, ROUNDS, sizeof(took[0]), ascending);
	printf("%-34s %8lld ns a vector, %6.0f ns a feature (sum %.6g)\n", what,
	    (long long)took[ROUNDS / 2], (double)took[ROUNDS / 2] / FEATURES, sum);
}

int
main(void)
{
	struct arena *kept = arena_new(), *turn = arena_new();
	struct feature features[FEATURES];
	struct policy policy = { .features = features, .feature_count = FEATURES };
	struct id id = { { 2 } };
	struct visit *visit = visit_new(&id);
	static const struct {
		unsigned baskets, lines;
		const char *what;
	} sizes[] = {
		{ 0, 0, "50 features, no purchases" },
		{ 30, 10, "50 features, 300 lines" },
		{ 300, 10, "50 features, 3,000 lines" },
		{ 1000, 16, "50 features, 16,000 lines" },
	};

	declare(kept, features);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct subject *subject = customer(sizes[i].baskets, sizes[i].lines);
		struct sources sources = { .policy = &policy,
			.visit = visit,
			.subject = subject,
			.now_ms = NOW,
			.store = "bench" };

		measure(sizes[i].what, &sources, turn);
		subject_free(subject);
	}
	visit_free(visit);
	arena_free(turn);
	arena_free(kept);
	return 0;
}
