/* SPDX-License-Identifier: Apache-2.0
 *
 * records.c - HQ's table `record`, by the name of where it lies.
 */
#include "hq/records.h"

#include <string.h>
#include <time.h>

#include "hq/pg.h"
#include "hq/records_internal.h"

int
records_open(const char *into, const struct keep *keep, struct records **ret_records,
    struct err *err)
{
	static const char sqlite[] = "sqlite:";
	static const struct keep for_good = { .days = { 0 } };
	keep = keep != NULL ? keep : &for_good;
	if (pg_named(into))
		return records_postgres(into, keep, ret_records, err);
	if (strncmp(into, sqlite, sizeof(sqlite) - 1) == 0 && into[sizeof(sqlite) - 1] != '\0')
		return records_sqlite(into + sizeof(sqlite) - 1, keep, ret_records, err);
	return err_set(err, AISLE_E_INVALID,
	    "cannot write into %s, expected sqlite:FILE or postgres:DSN", into);
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

int
records_tend(struct records *records, bool *ret_more)
{
	*ret_more = false;
	return records->kind->tend(records, ret_more);
}

const char *
records_error(struct records *records)
{
	return records->kind->error(records);
}

int32_t
records_today(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return keep_day((int64_t)now.tv_sec * S_MS);
}
