/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog_table.h - a table of articles as headquarters write it, to the rows of nouns/catalog.h.
 */
#ifndef AISLE_SYNC_CATALOG_TABLE_H
#define AISLE_SYNC_CATALOG_TABLE_H

#include "core/arena.h"
#include "core/csv.h"
#include "nouns/catalog.h"

struct catalog_table {
	struct arena *arena; /* of what the rows point to */
	struct catalog_row *rows;
	int *lines;	     /* of each row in the file */
	const char **images; /* the file that each names; NULL: none */
	int *image_columns;
	size_t count, row_room, line_room, image_room, column_room;
	struct buf *report;
	size_t mistakes;
	const char *name; /* of the file, for the report */
};
/* Every mistake in table->report; how many there are is in table->mistakes. */
void catalog_table_read(struct catalog_table *table, const char *text, size_t len);
void catalog_table_done(struct catalog_table *table);
/* A line of the report; of very many mistakes the first. */
void catalog_mistake(struct catalog_table *table, int line, int column, const char *format, ...)
    AISLE_PRINTF(4, 5);

#endif
