/* SPDX-License-Identifier: Apache-2.0
 *
 * beside.c - work in a child process, bounded in time and memory.
 *
 * DESIGN
 *   What takes long or much memory is the child's, and the turns go on, before it on the processor. The child is a
 *   fork and nothing is executed; it has no file, socket or database of the parent's, seals nothing, answers
 *   through a pipe, and leaves without running what the parent registered for its end. A child that is still there
 *   when its parent was killed would else hold the lock of the state, and the next start would leave.
 *
 *   Who has its answer does not wait for its end: giving back 150 MB takes the kernel longer than a turn may.
 *
 * LIMITS
 *   What is given to it may be made to take forever, or all memory. The child may have so much more
 *   of it than its parent has, and where the system as a whole has none left it is the child that
 *   goes; the time is the parent's to watch, since a child could switch its own alarm off.
 */
#include "core/beside.h"

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

#define ENDED_MAX 16

static pid_t ended[ENDED_MAX]; /* they have answered, and are to be waited for; 0: none */

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
	rlim_t most = (rlim_t)(have + BESIDE_BYTES_MAX);
	struct rlimit limit;

	write_text("/proc/self/oom_score_adj", "1000");
	if (have == 0 || getrlimit(RLIMIT_AS, &limit) != 0)
		return false;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max <= most)
		return true;
	limit.rlim_cur = limit.rlim_max = most;
	return setrlimit(RLIMIT_AS, &limit) == 0;
}

static void
close_files(unsigned first, unsigned last)
{
	long max = sysconf(_SC_OPEN_MAX);
	unsigned end = max > 0 && max < 65536 ? (unsigned)max : 65536;

	if (first > last || close_range(first, last, 0) == 0)
		return;
	for (unsigned fd = first; fd <= last && fd < end; fd++)
		close((int)fd);
}

void
beside_close_others(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	low = low > STDERR_FILENO ? low : STDERR_FILENO;
	high = high > STDERR_FILENO ? high : STDERR_FILENO;
	close_files(STDERR_FILENO + 1, (unsigned)low - 1);
	close_files((unsigned)low + 1, (unsigned)high - 1);
	close_files((unsigned)high + 1, ~0u);
}

struct work {
	beside_fn run;
	void *ctx;
	size_t size;
};

static void __attribute__((noreturn)) run_child(const struct work *work, int fd, pid_t parent)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP };
	uint8_t answer[BESIDE_ANSWER_MAX] __attribute__((aligned(16))) = { 0 };

	/* Nobody waits for an orphan's answer, and a mistake met here was in no input of a turn. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	crash_close();
	beside_close_others(fd, -1);
	/* The loop's handlers would tell the parent of a signal a second time. */
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		signal(ends[i], SIG_DFL);
	if (!bound_memory())
		_exit(1);
	(void)!nice(10);
	work->run(work->ctx, answer);
	_exit(write(fd, answer, work->size) == (ssize_t)work->size ? 0 : 1);
}

int
beside_start(beside_fn run, void *ctx, size_t size, int64_t max_ms, struct beside *ret,
    struct err *err)
{
	struct work work = { run, ctx, size };
	int ends[2];
	pid_t pid, parent = getpid();

	_Static_assert(BESIDE_ANSWER_MAX <= PIPE_BUF, "the answer is one write");
	CHECK(size <= BESIDE_ANSWER_MAX);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(err, AISLE_E_NONE, "no pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		run_child(&work, ends[1], parent);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_set(err, AISLE_E_NONE, "no process: %s", strerror(errno));
	}
	*ret = (struct beside){
		.pid = pid, .fd = ends[0], .end_ms = mono_ms() + max_ms, .max_ms = max_ms
	};
	return 0;
}

/* How it ended, as of waitpid(). */
static int
reap(struct beside *beside)
{
	int status = 0;

	close(beside->fd);
	while (waitpid(beside->pid, &status, 0) < 0 && errno == EINTR)
		;
	*beside = (struct beside){ .pid = -1, .fd = -1 };
	return status;
}

void
beside_tidy(bool wait)
{
	for (size_t i = 0; i < ENDED_MAX; i++) {
		pid_t rc = 0;

		while (ended[i] > 0 && (rc = waitpid(ended[i], NULL, wait ? 0 : WNOHANG)) < 0 &&
		    errno == EINTR)
			;
		if (rc != 0)
			ended[i] = 0;
	}
}

/* It has answered, and goes. */
static void
leave(struct beside *beside)
{
	size_t i = 0;

	beside_tidy(false);
	while (i < ENDED_MAX && ended[i] > 0)
		i++;
	if (i == ENDED_MAX) {
		(void)reap(beside);
		return;
	}
	ended[i] = beside->pid;
	close(beside->fd);
	*beside = (struct beside){ .pid = -1, .fd = -1 };
}

/* false: not within its time. */
static bool
wait_for_answer(const struct beside *beside)
{
	struct pollfd wait = { .fd = beside->fd, .events = POLLIN };
	int64_t left_ms;

	while ((left_ms = beside->end_ms - mono_ms()) > 0) {
		if (poll(&wait, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX) > 0)
			return true;
	}
	return false;
}

int
beside_finish(struct beside *beside, void *answer, size_t size, const char *what, struct err *err)
{
	int64_t max_ms = beside->max_ms;
	ssize_t n;
	int status;

	CHECK(beside->pid > 0 && beside->fd >= 0);
	if (!wait_for_answer(beside)) {
		beside_stop(beside);
		return err_set(err, AISLE_E_FULL, "%s took longer than %lld s", what,
		    (long long)(max_ms / S_MS));
	}
	do
		n = read(beside->fd, answer, size);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)size) {
		leave(beside);
		return 0;
	}
	status = reap(beside);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_OSERR)
		return err_set(err, AISLE_E_FULL, "%s needs more than %u MiB of memory", what,
		    BESIDE_BYTES_MAX >> 20);
	return err_set(err, AISLE_E_IO, "%s: its process died", what);
}

void
beside_stop(struct beside *beside)
{
	CHECK(beside->pid > 0 && beside->fd >= 0);
	kill(beside->pid, SIGKILL);
	(void)reap(beside);
}
