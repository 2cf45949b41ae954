/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_catalog.c - an article of 50,000, and the loop's part of taking a catalog over.
 *
 * Prints medians over rounds, in processor time: what finds an article of chance, by sku and by GTIN;
 * what is opened of a table that was checked, and checked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nouns/catalog.h"

#define ARTICLES 50000
#define ROUNDS 21
#define FINDS 100000

static int64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
gtin_of(unsigned n, char out[static 14])
{
	int sum = 0;

	snprintf(out, 14, "40%010u", n * 17 + 5);
	for (int i = 0; i < 12; i++)
		sum += (out[i] - '0') * (i % 2 == 0 ? 1 : 3);
	out[12] = (char)('0' + (10 - sum % 10) % 10);
	out[13] = '\0';
}

static char skus[ARTICLES][8], gtins[ARTICLES][14], names[ARTICLES][48], categories[400][32],
    brands[1500][16];

static struct buf
table(void)
{
	static struct catalog_row rows[ARTICLES];
	static const char *gtin[ARTICLES];
	struct catalog_clash clash;
	struct buf out = { 0 };
	struct err err = { 0 };

	for (unsigned i = 0; i < 400; i++)
		snprintf(categories[i], sizeof(categories[i]), "grocery/group-%u/sub-%u", i % 40,
		    i);
	for (unsigned i = 0; i < 1500; i++)
		snprintf(brands[i], sizeof(brands[i]), "brand-%u", i);
	for (unsigned i = 0; i < ARTICLES; i++) {
		snprintf(skus[i], sizeof(skus[i]), "A%06u", i);
		snprintf(names[i], sizeof(names[i]), "Article number %u of the chain 500 g", i);
		gtin_of(i, gtins[i]);
		gtin[i] = gtins[i];
		rows[i] = (struct catalog_row){ .sku = skus[i],
			.gtins = &gtin[i],
			.gtin_count = 1,
			.category = categories[i % 400],
			.brand = brands[i % 1500],
			.name = names[i],
			.margin_kind = CATALOG_MARGIN_SHARE,
			.margin = 25000 };
	}
	if (catalog_pack(rows, ARTICLES, &out, &clash, &err) != 0)
		abort();
	return out;
}

static double
find(const struct catalog *catalog, bool by_gtin)
{
	struct catalog_article found;
	int64_t begun = cpu_ns();

	for (unsigned i = 0; i < FINDS; i++) {
		unsigned n = i * 7919 % ARTICLES;

		if (!catalog_find(catalog, by_gtin ? gtins[n] : skus[n], &found))
			abort();
	}
	return (double)(cpu_ns() - begun) / FINDS;
}

int
main(void)
{
	static const char *const says[] = { "find by sku", "find by GTIN", "open what was checked",
		"check and open" };
	struct buf bytes = table();
	int64_t ns[ARRAY_LEN(says)][ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		struct catalog *catalog, *again;
		struct err err = { 0 };
		int64_t begun = cpu_ns();

		if (catalog_open(bytes.data, bytes.len, "DE", NULL, &catalog, &err) != 0)
			abort();
		ns[3][round] = cpu_ns() - begun;
		begun = cpu_ns();
		if (catalog_open_again(bytes.data, bytes.len, "DE", NULL, &again, &err) != 0)
			abort();
		ns[2][round] = cpu_ns() - begun;
		ns[0][round] = (int64_t)find(catalog, false);
		ns[1][round] = (int64_t)find(catalog, true);
		catalog_free(again);
		catalog_free(catalog);
	}
	printf("%d articles, %zu codes, %zu bytes\n", ARTICLES, (size_t)2 * ARTICLES, bytes.len);
	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		qsort(ns[i], ROUNDS, sizeof(ns[i][0]), compare);
		printf("%-24s %9lld ns\n", says[i], (long long)ns[i][ROUNDS / 2]);
	}
	buf_done(&bytes);
	return 0;
}
