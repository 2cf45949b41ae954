/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog.h - bundles of kind catalog: built from a table, checked, opened.
 *
 * Parts: "articles", the bytes of nouns/catalog.h; "images/HASH", each the picture whose hash that
 * is and which an article names; nothing else.
 */
#ifndef AISLE_SYNC_CATALOG_H
#define AISLE_SYNC_CATALOG_H

#include "core/beside.h"
#include "nouns/catalog.h"
#include "sync/bundle.h"

#define CATALOG_PICTURE_BYTES_MAX (20u << 10)

struct catalog_build {
	const char *table;  /* CSV */
	const char *images; /* the folder of what its column image names; NULL: none */
	/* a policy's folder: only images of articles that its actions name; NULL: all */
	const char *policy;
	const char *name, *output;
	int64_t version;
};
struct catalog_built {
	size_t articles, pictures, left_out; /* left_out: articles whose image no action shows */
};
/* The same bytes for the same table. Mistakes in report, a line each. */
int catalog_build(const struct catalog_build *what, struct catalog_built *ret, struct buf *report,
    struct err *err) AISLE_MUST_CHECK;

/* The table of a bundle, checked with its images. The bundle must live as long. */
int catalog_of_bundle(const struct bundle *bundle, const char *country, struct catalog **ret,
    struct err *err) AISLE_MUST_CHECK;
/* The file, all of it checked; what is kept is the table alone. */
int catalog_load(const char *path, const char *country, struct catalog **ret, struct err *err)
    AISLE_MUST_CHECK;
/* Is it a bundle of kind catalog, whatever else may be wrong with it? */
bool catalog_is_in(const char *path);

/* ---- catalog_inspect.c ---- */

void catalog_inspect(const struct bundle *bundle, bool json, struct buf *out);
/* What a store in that country finds by each code, a line each. */
int catalog_show(const char *path, const char *country, const char *const *codes, size_t count,
    bool json, struct buf *out, struct err *err) AISLE_MUST_CHECK;

/* ---- catalog_job.c ---- */

/* catalog_load in a child process; the table comes over in shared memory. */
struct catalog_job {
	struct beside beside;
	void *shared;
	bool other_kind; /* of the one that was refused: it is no catalog */
};
/* AISLE_E_NONE, AISLE_E_IO: there is no room for it. */
int catalog_job_start(const char *path, int64_t max_ms, struct catalog_job *ret_job,
    struct err *err) AISLE_MUST_CHECK;
/* Waits for the end. AISLE_E_FULL: it took too long, or too much memory. */
int catalog_job_finish(struct catalog_job *job, const char *country, struct catalog **ret,
    struct err *err) AISLE_MUST_CHECK;
void catalog_job_stop(struct catalog_job *job); /* instead */

#endif
