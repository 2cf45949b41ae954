/* SPDX-License-Identifier: Apache-2.0
 *
 * settled_view.c - the view `settled`: docs/headquarters.md says what its columns mean.
 *
 * Texts, numbers, whole ones and truths (0, 1) of the record's head, then of each of its rows. `at` is a text in SQLite and
 * a timestamptz in PostgreSQL, as in `record`.
 */
#include "hq/settled_view.h"

/* clang-format off */
#define COLUMNS(HEAD_TEXT, HEAD_NUMBER, HEAD_INT, HEAD_TRUTH, HEAD_TIME, TEXT, NUMBER, INT, TRUTH) \
	HEAD_TEXT(decision) "," HEAD_TEXT(visit) "," HEAD_TEXT(placement) "," HEAD_INT(slot) "," HEAD_TEXT(subject) "," \
	HEAD_TIME(at) "," HEAD_TEXT(bundle) "," HEAD_INT(rev) "," HEAD_TRUTH(counted) "," HEAD_NUMBER(cost_max) "," \
	TEXT(action) "," TEXT(segment) "," INT(depth) "," TEXT(treatment) "," NUMBER(p) "," NUMBER(p1) "," NUMBER(p0) "," \
	NUMBER(margin) "," NUMBER(cost) "," TRUTH(drawn) "," TRUTH(shown) "," TRUTH(other) "," TRUTH(withheld) "," \
	INT(y) "," INT(amount)
/* clang-format on */

#define LAST(told) \
	"SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY store, visit, placement, slot, " \
	"action ORDER BY rev DESC) AS nth FROM (" told ") AS told) AS told WHERE nth = 1"

#define OF_HEAD(name) "json_extract(record.body,'$." #name "') AS " #name
#define OF_ROW(name) "json_extract(listed.value,'$." #name "') AS " #name
#define IF_HEAD(name) "coalesce(json_extract(record.body,'$." #name "'),0) AS " #name
#define IF_ROW(name) "coalesce(json_extract(listed.value,'$." #name "'),0) AS " #name

const char settled_view_sqlite[] =
    "CREATE VIEW IF NOT EXISTS settled AS " LAST("SELECT record.store," COLUMNS(OF_HEAD, OF_HEAD,
	OF_HEAD, IF_HEAD, OF_HEAD, OF_ROW, OF_ROW, OF_ROW, IF_ROW) " FROM record, "
								   "json_each(record.body,'$.rows'"
								   ") AS listed WHERE record.type "
								   "= 'settled'") ";";

#define PG_TEXT(from, name) from "->>'" #name "' AS " #name
#define PG_AS(from, name, type) "(" from "->>'" #name "')::" type " AS " #name
#define PG_TRUTH(from, name) "CASE WHEN " from "->>'" #name "' = 'true' THEN 1 ELSE 0 END AS " #name
#define HEAD_TEXT(name) PG_TEXT("record.body", name)
#define HEAD_NUMBER(name) PG_AS("record.body", name, "double precision")
#define HEAD_INT(name) PG_AS("record.body", name, "bigint")
#define HEAD_TIME(name) PG_AS("record.body", name, "timestamptz")
#define HEAD_TRUTH(name) PG_TRUTH("record.body", name)
#define ROW_TEXT(name) PG_TEXT("listed", name)
#define ROW_NUMBER(name) PG_AS("listed", name, "double precision")
#define ROW_INT(name) PG_AS("listed", name, "bigint")
#define ROW_TRUTH(name) PG_TRUTH("listed", name)

const char settled_view_postgres[] =
    "CREATE VIEW settled AS " LAST("SELECT record.store," COLUMNS(HEAD_TEXT, HEAD_NUMBER, HEAD_INT,
	HEAD_TRUTH, HEAD_TIME, ROW_TEXT, ROW_NUMBER, ROW_INT, ROW_TRUTH) " FROM record, "
									 "jsonb_array_elements("
									 "record.body->'rows') AS "
									 "listed WHERE record.type "
									 "= 'settled'") ";";
