/* SPDX-License-Identifier: Apache-2.0
 *
 * records.c - HQ's table `record`, by the name of where it lies.
 */
#include "hq/records.h"

#include <string.h>

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

int
records_erase(struct records *records, const struct erasures *erasures, long long *ret_new,
    long long *ret_records)
{
	*ret_new = *ret_records = 0;
	return erasures->count > 0 ? records->kind->erase(records, erasures, ret_new, ret_records)
				   : 0;
}

int
records_of(struct records *records, const char *subject, record_fn each, void *ctx)
{
	return records->kind->of(records, subject, each, ctx);
}

const char *
records_error(struct records *records)
{
	return records->kind->error(records);
}
