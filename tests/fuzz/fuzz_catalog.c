/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_catalog.c - any bytes as a table of articles: refused with a reason, or every code in it finds
 * an article whose texts end; and any bytes as the table that headquarters write.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nouns/catalog.h"
#include "nouns/catalog_layout.h"
#include "sync/catalog_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(const struct catalog *catalog, const char *code)
{
	struct catalog_article found;
	int64_t margin;

	if (!catalog_find(catalog, code, &found))
		return;
	CHECK(found.name == NULL || strlen(found.name) <= CATALOG_TEXT_MAX);
	CHECK(found.category == NULL || strlen(found.category) <= CATALOG_TEXT_MAX);
	CHECK(found.brand == NULL || strlen(found.brand) <= CATALOG_TEXT_MAX);
	CHECK(found.mark <= MARK_SENSITIVE);
	CHECK(found.picture == NULL || found.picture[0] <= 255);
	if (catalog_margin(&found, 1234, -MONEY_MAX, MONEY_MAX, &margin))
		CHECK(margin <= MONEY_MAX && margin >= -MONEY_MAX);
}

static void
look_at_all(const uint8_t *data, const struct catalog *catalog)
{
	char code[32];

	/* Its codes stand first; the GTINs among them can be written down again. */
	for (size_t i = 0; i < catalog_codes(catalog) && i < 64; i++) {
		const uint8_t *at = data + CATALOG_HEAD + 8 * i;

		snprintf(code, sizeof(code), "%014llu",
		    (unsigned long long)catalog_u32(at) |
			(unsigned long long)catalog_u32(at + 4) << 32);
		look(catalog, code);
	}
	look(catalog, "C-1");
	look(catalog, "");
}

static void
as_table(const uint8_t *data, size_t size)
{
	struct buf report = { 0 }, packed = { 0 };
	struct catalog_table table = { .report = &report, .name = "fuzz", .arena = arena_new() };
	struct catalog_clash clash;
	struct catalog *catalog;
	struct err err = { 0 };

	catalog_table_read(&table, (const char *)data, size);
	CHECK((table.mistakes > 0) == (report.len > 0));
	if (table.mistakes == 0 &&
	    catalog_pack(table.rows, table.count, &packed, &clash, &err) == 0) {
		CHECK(catalog_open(packed.data, packed.len, "DE", NULL, &catalog, &err) == 0);
		for (size_t i = 0; i < table.count; i++) {
			if (table.rows[i].sku != NULL)
				look(catalog, table.rows[i].sku);
		}
		catalog_free(catalog);
	}
	catalog_table_done(&table);
	arena_free(table.arena);
	buf_done(&report);
	buf_done(&packed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog *catalog;
	struct err err = { 0 };

	if (catalog_open(data, size, "DE", NULL, &catalog, &err) == 0) {
		look_at_all(data, catalog);
		catalog_free(catalog);
	} else {
		CHECK(err.code == AISLE_E_DAMAGED && err.text[0] != '\0');
	}
	as_table(data, size);
	return 0;
}
