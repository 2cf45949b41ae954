/* SPDX-License-Identifier: Apache-2.0
 *
 * pg.h - PostgreSQL through libpq.
 */
#ifndef AISLE_HQ_PG_H
#define AISLE_HQ_PG_H

#include <libpq-fe.h>

#include "aisle/base.h"

/* Is this a name of a database of ours: "postgres:CONNINFO", "postgres://…", "postgres:"? */
bool pg_named(const char *into);
/* A connection in UTC, each commit on disk when it returns. A password in the name is refused: it
 * would be in the list of processes. 0, AISLE_E_INVALID, AISLE_E_IO; caller PQfinish'es. */
int pg_open(const char *into, PGconn **ret_pg, struct err *err) AISLE_MUST_CHECK;
/* One or several statements, without their rows. 0; AISLE_E_INVALID where what was given is to
 * blame (SQLSTATE 22 and 23), else AISLE_E_IO. */
int pg_run(PGconn *pg, const char *sql) AISLE_MUST_CHECK;
/* One statement with text parameters; NULL: it failed. Caller PQclear's. */
PGresult *pg_query(PGconn *pg, const char *sql, int count, const char *const *values);
int pg_verdict(const PGresult *result); /* as pg_run() has it, of a result */
/* The last error, in one line. */
const char *pg_error(const PGconn *pg, char *out, size_t size);

#endif
