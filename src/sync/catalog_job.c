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
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crash.h"

struct answer {
	struct err err;
	struct catalog_is is;
	size_t len;
};

static void __attribute__((noreturn)) run(const char *path, void *shared, int fd, pid_t parent)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP };
	struct answer answer = { 0 };
	struct catalog *catalog = NULL;

	/* As bundle_job.c. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	crash_close();
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		signal(ends[i], SIG_DFL);
	_Static_assert(sizeof(answer) <= PIPE_BUF, "the answer is one write");
	if (catalog_load(path, NULL, &catalog, &answer.err) == 0) {
		answer.len = catalog_bytes(catalog);
		answer.is = *catalog_is(catalog);
		memcpy(shared, catalog_table(catalog), answer.len);
	} else if (answer.err.code == 0) {
		err_set(&answer.err, AISLE_E_IO, "the catalog could not be read");
	}
	_exit(write(fd, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 1);
}

int
catalog_job_start(const char *path, struct catalog_job *ret_job, struct err *err)
{
	int ends[2];
	pid_t pid, parent = getpid();
	void *shared = mmap(NULL, CATALOG_BYTES_MAX, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (shared == MAP_FAILED)
		return err_set(err, AISLE_E_IO, "no memory: %s", strerror(errno));
	if (pipe2(ends, O_CLOEXEC) != 0) {
		munmap(shared, CATALOG_BYTES_MAX);
		return err_set(err, AISLE_E_IO, "no pipe: %s", strerror(errno));
	}
	pid = fork();
	if (pid == 0)
		run(path, shared, ends[1], parent);
	close(ends[1]);
	if (pid < 0) {
		err_set(err, AISLE_E_IO, "no process: %s", strerror(errno));
		close(ends[0]);
		munmap(shared, CATALOG_BYTES_MAX);
		return err->code;
	}
	*ret_job = (struct catalog_job){ .pid = pid, .fd = ends[0], .shared = shared };
	return 0;
}

static void
reap(struct catalog_job *job)
{
	close(job->fd);
	while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
		;
	job->pid = job->fd = -1;
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
	ssize_t n;
	int rc;

	CHECK(job->pid > 0 && job->fd >= 0);
	do
		n = read(job->fd, &answer, sizeof(answer));
	while (n < 0 && errno == EINTR);
	reap(job);
	if (n != (ssize_t)sizeof(answer) || answer.len > CATALOG_BYTES_MAX)
		rc = err_set(err, AISLE_E_IO, "the process that read the catalog died");
	else if (answer.err.code != 0) {
		*err = answer.err;
		rc = err->code;
	} else
		rc = take_shared(job->shared, &answer, country, ret, err);
	if (rc != 0)
		munmap(job->shared, CATALOG_BYTES_MAX);
	job->shared = NULL;
	return rc;
}

void
catalog_job_stop(struct catalog_job *job)
{
	CHECK(job->pid > 0 && job->fd >= 0);
	kill(job->pid, SIGKILL);
	reap(job);
	munmap(job->shared, CATALOG_BYTES_MAX);
	job->shared = NULL;
}
