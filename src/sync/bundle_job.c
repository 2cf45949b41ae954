/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_job.c - a bundle compiled and examined in a child process.
 *
 * DESIGN
 *   A big policy takes a good part of a second and several times its memory: both are
 *   the child's, and the turns go on. The child is a fork and nothing is executed; it
 *   touches no socket and no database of the parent's, seals nothing, answers through a pipe, and
 *   leaves without running what the parent registered for its end.
 *
 * LIMITS
 *   A bundle may be made to take forever, or all memory. The child may have so much more of it
 *   than its parent has, and where the system as a whole has none left it is the child that goes;
 *   the time is the parent's to watch, since a child could switch its own alarm off.
 */
#include "sync/bundle_image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "core/crash.h"

struct answer {
	struct err err;
	char hash[65];
};

static int64_t
mono_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * S_MS + now.tv_nsec / 1000000;
}

static void
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	close(fd);
}

static uint64_t
address_bytes(void)
{
	unsigned long long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file != NULL && fscanf(file, "%llu", &pages) != 1)
		pages = 0;
	if (file != NULL)
		fclose(file);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* false: the system does not let us. */
static bool
bound_memory(void)
{
	uint64_t have = address_bytes();
	rlim_t most = (rlim_t)(have + BUNDLE_JOB_BYTES);
	struct rlimit limit;

	write_text("/proc/self/oom_score_adj", "1000");
	if (have == 0 || getrlimit(RLIMIT_AS, &limit) != 0)
		return false;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max <= most)
		return true;
	limit.rlim_cur = limit.rlim_max = most;
	return setrlimit(RLIMIT_AS, &limit) == 0;
}

static void __attribute__((noreturn))
run(const char *path, const uint8_t key[static 32], int fd, pid_t parent)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP };
	struct answer answer = { 0 };

	/* Nobody waits for an orphan's image, and a mistake met here was in no input of a turn. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	crash_close();
	/* The loop's handlers would tell the parent of a signal a second time. */
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		signal(ends[i], SIG_DFL);
	_Static_assert(sizeof(answer) <= PIPE_BUF, "the answer is one write");
	if (!bound_memory())
		err_set(&answer.err, AISLE_E_IO, "the compiler's memory cannot be bounded: %s",
		    strerror(errno));
	else if (bundle_image_make(path, key, answer.hash, &answer.err) != 0 &&
	    answer.err.code == 0)
		err_set(&answer.err, AISLE_E_IO, "the bundle could not be compiled");
	_exit(write(fd, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 1);
}

int
bundle_job_start(const char *path, const uint8_t key[static 32], int64_t max_ms,
    struct bundle_job *ret_job, struct err *err)
{
	int ends[2];
	pid_t pid, parent = getpid();

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(err, AISLE_E_NONE, "no pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		run(path, key, ends[1], parent);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_set(err, AISLE_E_NONE, "no process: %s", strerror(errno));
	}
	*ret_job = (struct bundle_job){
		.pid = pid, .fd = ends[0], .end_ms = mono_ms() + max_ms, .max_ms = max_ms
	};
	return 0;
}

/* How it ended, as of waitpid(). */
static int
reap(struct bundle_job *job)
{
	int status = 0;

	close(job->fd);
	while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
		;
	*job = (struct bundle_job){ .pid = -1, .fd = -1 };
	return status;
}

/* false: not within its time. */
static bool
wait_for_answer(const struct bundle_job *job)
{
	struct pollfd wait = { .fd = job->fd, .events = POLLIN };
	int64_t left_ms;

	while ((left_ms = job->end_ms - mono_ms()) > 0) {
		if (poll(&wait, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX) > 0)
			return true;
	}
	return false;
}

int
bundle_job_finish(struct bundle_job *job, char ret_hash[static 65], struct err *err)
{
	int64_t max_ms = job->max_ms;
	struct answer answer;
	ssize_t n;
	int status;

	CHECK(job->pid > 0 && job->fd >= 0);
	if (!wait_for_answer(job)) {
		bundle_job_stop(job);
		return err_set(err, AISLE_E_FULL,
		    "compiling and examining it took longer than %lld s",
		    (long long)(max_ms / S_MS));
	}
	do
		n = read(job->fd, &answer, sizeof(answer));
	while (n < 0 && errno == EINTR);
	status = reap(job);
	if (n != (ssize_t)sizeof(answer) && WIFEXITED(status) && WEXITSTATUS(status) == EX_OSERR)
		return err_set(err, AISLE_E_FULL,
		    "compiling and examining it needs more than %u MiB of memory",
		    BUNDLE_JOB_BYTES >> 20);
	if (n != (ssize_t)sizeof(answer))
		return err_set(err, AISLE_E_IO, "the bundle's compiler died");
	memcpy(ret_hash, answer.hash, sizeof(answer.hash));
	*err = answer.err;
	return answer.err.code;
}

void
bundle_job_stop(struct bundle_job *job)
{
	CHECK(job->pid > 0 && job->fd >= 0);
	kill(job->pid, SIGKILL);
	(void)reap(job);
}
