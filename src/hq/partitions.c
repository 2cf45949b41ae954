/* SPDX-License-Identifier: Apache-2.0
 *
 * partitions.c - the partitions of PostgreSQL's table `record`: one a day, in it one a lane.
 *
 * DESIGN
 *   A day is dropped in an instant, where deleting its rows would take hours. Lanes are kept for
 *   different times, so each day is parted by lane too. The day is that of `at`, never that of
 *   arrival: a batch repeated after midnight would come in twice.
 *
 *   What a wrong clock sent ahead of time lies in the default partition; when its day
 *   comes it is moved, for PostgreSQL makes no partition beside rows that belong into it.
 *
 *   Collectors that make or drop the same day at the same time wait for each other at an
 *   advisory lock.
 */
#include "hq/partitions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/when.h"
#include "hq/settled_view.h"

#define ALONE "SELECT pg_advisory_xact_lock(4709413801);"
#define ALL_LANES ((1u << LANE_COUNT) - 1)

static const char setup[] =
    "BEGIN; " ALONE "CREATE TABLE IF NOT EXISTS record(store text NOT NULL, epoch text NOT NULL,"
    "lane text NOT NULL, seq bigint NOT NULL, type text NOT NULL, at timestamptz NOT NULL,"
    "body jsonb NOT NULL, PRIMARY KEY(store, epoch, lane, seq, at)) PARTITION BY RANGE (at);"
    "CREATE TABLE IF NOT EXISTS record_default PARTITION OF record DEFAULT;"
    "CREATE TABLE IF NOT EXISTS erased(n bigserial PRIMARY KEY, subject text NOT NULL,"
    "at timestamptz NOT NULL);"
    "CREATE TABLE IF NOT EXISTS heard(store text PRIMARY KEY, at timestamptz NOT NULL); COMMIT;";

/* For those who ask, no part of collecting: one who may not make it goes on without. */
static int
make_view(PGconn *pg)
{
	PGresult *there = pg_query(pg, "SELECT to_regclass('settled') IS NOT NULL", 0, NULL);
	struct buf sql = { 0 };
	if (there == NULL)
		return AISLE_E_IO;
	bool made = strcmp(PQgetvalue(there, 0, 0), "t") == 0;
	PQclear(there);
	if (made)
		return 0;
	buf_adds(&sql, "BEGIN; " ALONE);
	buf_adds(&sql, settled_view_postgres);
	buf_adds(&sql, "COMMIT;");
	int rc = pg_run(pg, sql.data) == 0 ? 0 : pg_run(pg, "ROLLBACK");
	buf_done(&sql);
	return rc;
}

int
partitions_setup(PGconn *pg)
{
	PGresult *there = pg_query(pg,
	    "SELECT to_regclass('record_default') IS NOT NULL AND to_regclass('erased') IS NOT "
	    "NULL AND to_regclass('heard') IS NOT NULL",
	    0, NULL);
	if (there == NULL)
		return AISLE_E_IO;
	bool made = strcmp(PQgetvalue(there, 0, 0), "t") == 0;
	PQclear(there);
	/* A collector without the right to make them may use what its keeper made. */
	int rc = made ? 0 : pg_run(pg, setup);
	return rc == 0 ? make_view(pg) : rc;
}

static struct partition *
find(const struct partitions *days, int32_t day)
{
	for (size_t i = days->count; i-- > 0 && days->items[i].day >= day;) {
		if (days->items[i].day == day)
			return &days->items[i];
	}
	return NULL;
}

static struct partition *
add(struct partitions *days, int32_t day)
{
	size_t place = days->count;
	days->items = mem_grow(days->items, days->count, &days->capacity, sizeof(*days->items));
	while (place > 0 && days->items[place - 1].day > day)
		place--;
	memmove(&days->items[place + 1], &days->items[place],
	    (days->count - place) * sizeof(*days->items));
	days->items[place] = (struct partition){ .day = day };
	days->count++;
	return &days->items[place];
}

/* "record_20261130", "record_20261130_money" */
static void
take_name(struct partitions *days, const char *name)
{
	char date[11];
	int32_t day;
	snprintf(date, sizeof(date), "%.4s-%.2s-%.2s", name + 7, name + 11, name + 13);
	if (!when_date(date, &day))
		return;
	struct partition *found = find(days, day);
	if (found == NULL)
		found = add(days, day);
	int lane = name[15] == '_' ? keep_lane(name + 16) : -1;
	if (lane >= 0)
		found->lanes |= (uint8_t)(1u << lane);
}

int
partitions_load(PGconn *pg, struct partitions *days)
{
	PGresult *names = pg_query(pg,
	    "SELECT relname FROM pg_class WHERE relispartition AND relkind IN ('r','p') AND "
	    "relname ~ '^record_[0-9]{8}(_[a-z]+)?$' AND relnamespace = (SELECT relnamespace "
	    "FROM pg_class WHERE oid = 'record'::regclass) ORDER BY 1",
	    0, NULL);
	if (names == NULL)
		return AISLE_E_IO;
	days->count = 0;
	for (int i = 0; i < PQntuples(names); i++)
		take_name(days, PQgetvalue(names, i, 0));
	PQclear(names);
	return 0;
}

static void
date_text(int32_t day, const char *pattern, char out[static 16])
{
	char when[WHEN_TEXT_SIZE];
	when_text((int64_t)day * D_MS, when);
	snprintf(out, 16, "%.4s%s%.2s%s%.2s", when, pattern, when + 5, pattern, when + 8);
}

static void
lane_sql(struct buf *sql, const char *date, int lane)
{
	buf_addf(sql,
	    "CREATE TABLE IF NOT EXISTS record_%s_%s PARTITION OF record_%s FOR VALUES IN ('%s');",
	    date, NAME_OF(lane_names, lane), date, NAME_OF(lane_names, lane));
}

/* Writers into the default partition wait until its rows of that day have moved. */
static void
day_sql(struct buf *sql, int32_t day, const char *date)
{
	char from[16], to[16];
	date_text(day, "-", from);
	date_text(day + 1, "-", to);
	buf_addf(sql,
	    "LOCK TABLE record_default IN SHARE ROW EXCLUSIVE MODE;"
	    "CREATE TABLE record_%s (LIKE record INCLUDING ALL) PARTITION BY LIST (lane);",
	    date);
	for (int lane = 0; lane < LANE_COUNT; lane++)
		lane_sql(sql, date, lane);
	buf_addf(sql,
	    "WITH gone AS (DELETE FROM record_default WHERE at >= '%s' AND at < '%s' RETURNING *) "
	    "INSERT INTO record_%s SELECT * FROM gone;"
	    "ALTER TABLE record ATTACH PARTITION record_%s FOR VALUES FROM ('%s') TO ('%s');",
	    from, to, date, date, from, to);
}

static int
make(PGconn *pg, struct partitions *days, int32_t day, int lane)
{
	struct buf sql = { 0 };
	char date[16];
	int rc = pg_run(pg, "BEGIN; " ALONE);
	if (rc == 0)
		rc = partitions_load(pg, days); /* another may have made it meanwhile */
	if (rc != 0)
		return rc;
	const struct partition *found = find(days, day);
	date_text(day, "", date);
	if (found == NULL)
		day_sql(&sql, day, date);
	else if ((found->lanes & 1u << lane) == 0)
		lane_sql(&sql, date, lane);
	buf_adds(&sql, "COMMIT;");
	rc = pg_run(pg, sql.data);
	buf_done(&sql);
	return rc != 0 ? rc : partitions_load(pg, days);
}

int
partitions_need(PGconn *pg, struct partitions *days, int32_t day, int lane)
{
	const struct partition *found = find(days, day);
	return found != NULL && (found->lanes & 1u << lane) != 0 ? 0 : make(pg, days, day, lane);
}

/* Who reads a long report is not waited for: tried again later. */
static int
drop_day(PGconn *pg, const struct partition *day, unsigned gone)
{
	struct buf sql = { 0 };
	char date[16];
	date_text(day->day, "", date);
	buf_adds(&sql, "BEGIN; SET LOCAL lock_timeout = '2s'; " ALONE);
	if ((day->lanes & ~gone) == 0)
		buf_addf(&sql, "DROP TABLE IF EXISTS record_%s;", date);
	for (int lane = 0; lane < LANE_COUNT && (day->lanes & ~gone) != 0; lane++) {
		if ((gone & 1u << lane) != 0)
			buf_addf(&sql, "DROP TABLE IF EXISTS record_%s_%s;", date,
			    NAME_OF(lane_names, lane));
	}
	buf_adds(&sql, "COMMIT;");
	int rc = pg_run(pg, sql.data);
	buf_done(&sql);
	return rc;
}

static int
drop_default(PGconn *pg, const struct keep *keep, int32_t today)
{
	int rc = 0;
	for (int lane = 0; lane < LANE_COUNT && rc == 0; lane++) {
		struct buf sql = { 0 };
		char from[16];
		if (keep->days[lane] == 0)
			continue;
		date_text(keep_from(keep, lane, today), "-", from);
		buf_addf(&sql, "DELETE FROM record_default WHERE lane = '%s' AND at < '%s'",
		    NAME_OF(lane_names, lane), from);
		rc = pg_run(pg, sql.data);
		buf_done(&sql);
	}
	return rc;
}

int
partitions_drop(PGconn *pg, struct partitions *days, const struct keep *keep, int32_t today)
{
	for (size_t i = 0; i < days->count; i++) {
		const struct partition *day = &days->items[i];
		unsigned gone = 0;
		for (int lane = 0; lane < LANE_COUNT; lane++) {
			if (day->day < keep_from(keep, lane, today))
				gone |= 1u << lane;
		}
		gone &= gone == ALL_LANES ? ALL_LANES : day->lanes;
		int rc = gone != 0 ? drop_day(pg, day, gone) : 0;
		if (rc != 0)
			return rc;
	}
	int rc = drop_default(pg, keep, today);
	return rc != 0 ? rc : partitions_load(pg, days);
}

void
partitions_done(struct partitions *days)
{
	free(days->items);
	*days = (struct partitions){ .items = NULL };
}
