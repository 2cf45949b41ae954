/* SPDX-License-Identifier: Apache-2.0
 *
 * pg.c - PostgreSQL through libpq.
 */
#include "hq/pg.h"

#include <stdio.h>
#include <string.h>

static const char scheme[] = "postgres:";

bool
pg_named(const char *into)
{
	return strncmp(into, scheme, sizeof(scheme) - 1) == 0;
}

const char *
pg_error(const PGconn *pg, char *out, size_t size)
{
	const char *text = PQerrorMessage(pg);
	size_t len = strlen(text);
	while (len > 0 && text[len - 1] == '\n')
		len--;
	snprintf(out, size, "%.*s", (int)len, text);
	for (char *at = out; (at = strpbrk(at, "\n\t")) != NULL;)
		*at = ' ';
	return out;
}

/* libpq's own form: a URI as it stands, else what is behind the colon. */
static const char *
dsn_of(const char *into)
{
	return strncmp(into, "postgres://", 11) == 0 ? into : into + sizeof(scheme) - 1;
}

static int
check_dsn(const char *into, struct err *err)
{
	char *error = NULL;
	PQconninfoOption *options = PQconninfoParse(dsn_of(into), &error);
	if (options == NULL) {
		/* libpq's sentence may quote what was given. */
		PQfreemem(error);
		return err_set(err, AISLE_E_INVALID,
		    "bad database, expected postgres:host=… dbname=… or "
		    "postgres://USER@HOST/DATABASE");
	}
	bool secret = false;
	for (const PQconninfoOption *at = options; at->keyword != NULL; at++)
		secret = secret || (strstr(at->keyword, "password") != NULL && at->val != NULL);
	PQconninfoFree(options);
	return secret ? err_set(err, AISLE_E_INVALID,
			    "a password in --into is seen by everybody on this machine; expected "
			    "it in the file that passfile= or PGPASSFILE names")
		      : 0;
}

int
pg_open(const char *into, PGconn **ret_pg, struct err *err)
{
	static const char *const names[] = { "connect_timeout", "tcp_user_timeout",
		"application_name", "dbname", NULL };
	const char *const values[] = { "10", "20000", "aislectl", dsn_of(into), NULL };
	int rc = check_dsn(into, err);
	if (rc != 0)
		return rc;
	PGconn *pg = PQconnectdbParams(names, values, 1);
	char text[300];
	if (PQstatus(pg) == CONNECTION_OK &&
	    pg_run(pg,
		"SET synchronous_commit = on; SET TimeZone = 'UTC'; SET lock_timeout = '10s';"
		"SET client_min_messages = error; SET standard_conforming_strings = on;") == 0) {
		*ret_pg = pg;
		return 0;
	}
	err_set(err, AISLE_E_IO, "PostgreSQL: %s", pg_error(pg, text, sizeof(text)));
	PQfinish(pg);
	return AISLE_E_IO;
}

int
pg_verdict(const PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_COPY_IN: return 0;
	default: break;
	}
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	/* 23514 as well: a partition that another collector has dropped meanwhile is no fault of
	 * the row's. */
	return state != NULL && (strncmp(state, "22", 2) == 0 || strcmp(state, "23502") == 0)
	    ? AISLE_E_INVALID
	    : AISLE_E_IO;
}

int
pg_run(PGconn *pg, const char *sql)
{
	PGresult *result = PQexec(pg, sql);
	int rc = pg_verdict(result);
	PQclear(result);
	return rc;
}

PGresult *
pg_query(PGconn *pg, const char *sql, int count, const char *const *values)
{
	PGresult *result = PQexecParams(pg, sql, count, NULL, values, NULL, NULL, 0);
	if (pg_verdict(result) == 0)
		return result;
	PQclear(result);
	return NULL;
}
