/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog_job.c - a catalog opened and checked in a child process.
 *
 * DESIGN
 *   Reading 16 MiB and hashing every image of it takes longer than a turn may. A fork does it, and
 *   writes the table of articles into memory that it shares with its parent: nothing is read or
 *   copied there, and the pages that no look-up touches cost it nothing. Nobody else can write there,
 *   and when the child has gone nobody can: the parent does not check the bytes once more, which
 *   would take it longer than a turn may.
 *   Rejected: a file beside the bundle, as a policy has; it would have to be sealed, and found stale.
 */
#include "sync/catalog.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/file.h"
#include "sync/bundle.h"

#define WHAT "reading the catalog"

struct work {
	const char *path;
	void *shared;
};

struct answer {
	struct err err;
	struct catalog_is is;
	size_t len;
	bool other_kind;
};

static bool
is_other_kind(const char *path)
{
	struct bundle_look look;
	struct err err = { 0 };

	return bundle_look(path, &look, &err) == 0 && strcmp(look.kind, "catalog") != 0;
}

static void
run(void *ctx, void *answer_bytes)
{
	const struct work *work = ctx;
	struct answer *answer = answer_bytes;
	struct catalog *catalog = NULL;

	file_settle(work->path); /* it is moved to its place next */
	if (catalog_load(work->path, NULL, &catalog, &answer->err) == 0) {
		answer->len = catalog_bytes(catalog);
		answer->is = *catalog_is(catalog);
		memcpy(work->shared, catalog_table(catalog), answer->len);
		return;
	}
	if (answer->err.code == 0)
		err_set(&answer->err, AISLE_E_IO, "the catalog could not be read");
	answer->other_kind = is_other_kind(work->path);
}

int
catalog_job_start(const char *path, int64_t max_ms, struct catalog_job *ret_job, struct err *err)
{
	struct catalog_job job = { 0 };
	struct work work = { .path = path };
	int rc;

	job.shared = work.shared = mmap(NULL, CATALOG_BYTES_MAX, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (job.shared == MAP_FAILED)
		return err_set(err, AISLE_E_IO, "no memory: %s", strerror(errno));
	rc = beside_start(run, &work, sizeof(struct answer), max_ms, &job.beside, err);
	if (rc == 0)
		*ret_job = job;
	else
		munmap(job.shared, CATALOG_BYTES_MAX);
	return rc;
}

static size_t
whole_pages(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (len + page - 1) / page * page;
}

static void
release(const void *bytes, size_t len)
{
	munmap((void *)(uintptr_t)bytes, whole_pages(len));
}

/* What is not of the table goes. */
static int
take_shared(void *shared, const struct answer *answer, const char *country, struct catalog **ret,
    struct err *err)
{
	size_t kept = whole_pages(answer->len);
	int rc;

	if (mprotect(shared, kept, PROT_READ) != 0)
		rc = err_set(err, AISLE_E_IO, "memory: %s", strerror(errno));
	else
		rc = catalog_open_again(shared, answer->len, country, release, ret, err);
	if (rc != 0)
		return rc;
	catalog_name(*ret, &answer->is);
	if (kept < CATALOG_BYTES_MAX)
		munmap((char *)shared + kept, CATALOG_BYTES_MAX - kept);
	return 0;
}

int
catalog_job_finish(struct catalog_job *job, const char *country, struct catalog **ret,
    struct err *err)
{
	struct answer answer;
	int rc = beside_finish(&job->beside, &answer, sizeof(answer), WHAT, err);

	if (rc == 0 && answer.err.code != 0) {
		*err = answer.err;
		rc = err->code;
		job->other_kind = answer.other_kind;
	}
	CHECK(rc != 0 || answer.len <= CATALOG_BYTES_MAX);
	beside_tidy(true); /* while it is there it could write */
	if (rc == 0)
		rc = take_shared(job->shared, &answer, country, ret, err);
	if (rc != 0)
		munmap(job->shared, CATALOG_BYTES_MAX);
	job->shared = NULL;
	return rc;
}

void
catalog_job_stop(struct catalog_job *job)
{
	beside_stop(&job->beside);
	munmap(job->shared, CATALOG_BYTES_MAX);
	job->shared = NULL;
}
