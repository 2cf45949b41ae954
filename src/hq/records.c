/* SPDX-License-Identifier: Apache-2.0
 *
 * records.c - HQ's table `record`, by the name of where it lies.
 */
#include "hq/records.h"

#include <string.h>

#include "hq/records_internal.h"

int
records_open(const char *into, struct records **ret_records, struct err *err)
{
	static const char sqlite[] = "sqlite:";
	if (strncmp(into, sqlite, sizeof(sqlite) - 1) == 0 && into[sizeof(sqlite) - 1] != '\0')
		return records_sqlite(into + sizeof(sqlite) - 1, ret_records, err);
	return err_set(err, AISLE_E_INVALID, "cannot write into %s, expected sqlite:FILE", into);
}

void
records_close(struct records *records)
{
	if (records != NULL)
		records->kind->close(records);
}

int
records_write(struct records *records, const struct batch *const *batches, size_t count)
{
	return records->kind->write(records, batches, count);
}

const char *
records_error(const struct records *records)
{
	return records->kind->error(records);
}
