/* SPDX-License-Identifier: Apache-2.0
 *
 * person.h - a customer's rights at HQ: told everything, and forgotten, in a database and in an archive; and a database
 * filled again from an archive.
 */
#ifndef AISLE_HQ_PERSON_H
#define AISLE_HQ_PERSON_H

#include "core/buf.h"

struct person_places {
	const char *into;    /* as records_open() has it; NULL: no database */
	const char *archive; /* a folder; NULL: none */
	const char *erased;  /* NULL: as erased_path() has it */
};
struct person_report {
	long long customers; /* forgotten that were not yet */
	long long records;   /* changed in the database; of fill: read */
	long long archived;  /* changed in the archive */
};
/* Each record about the subject as a line {"store","epoch","lane","seq","type","at","body"}, written to ret_lines. */
int person_export(const struct person_places *places, const char *subject, struct buf *ret_lines,
    struct err *err) AISLE_MUST_CHECK;
/* On record first, in the file of those who were forgotten; then in all places. */
int person_forget(const struct person_places *places, const char *subject,
    struct person_report *ret_report, struct err *err) AISLE_MUST_CHECK;
/* All that the file says, where it was not done yet: after a copy was put back. */
int person_reapply(const struct person_places *places, struct person_report *ret_report,
    struct err *err) AISLE_MUST_CHECK;
/* The database from the archive, without those who were forgotten. */
int person_fill(const struct person_places *places, struct person_report *ret_report,
    struct err *err) AISLE_MUST_CHECK;

#endif
