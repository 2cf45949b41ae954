/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_job.c - a bundle compiled and examined in a child process.
 *
 * DESIGN
 *   A big policy takes a good part of a second and several times its memory: both are
 *   the child's, and the turns go on. The child is a fork and nothing is executed; it
 *   touches no socket and no database of the parent's, seals nothing, answers through a pipe, and
 *   leaves without running what the parent registered for its end.
 */
#include "sync/bundle_image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crash.h"

struct answer {
	struct err err;
	char hash[65];
};

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
	if (bundle_image_make(path, key, answer.hash, &answer.err) != 0 && answer.err.code == 0)
		err_set(&answer.err, AISLE_E_IO, "the bundle could not be compiled");
	_exit(write(fd, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 1);
}

int
bundle_job_start(const char *path, const uint8_t key[static 32], struct bundle_job *ret_job,
    struct err *err)
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
	*ret_job = (struct bundle_job){ .pid = pid, .fd = ends[0] };
	return 0;
}

static void
reap(struct bundle_job *job)
{
	close(job->fd);
	while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*job = (struct bundle_job){ .pid = -1, .fd = -1 };
}

int
bundle_job_finish(struct bundle_job *job, char ret_hash[static 65], struct err *err)
{
	struct answer answer;
	ssize_t n;

	CHECK(job->pid > 0 && job->fd >= 0);
	do
		n = read(job->fd, &answer, sizeof(answer));
	while (n < 0 && errno == EINTR);
	reap(job);
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
	reap(job);
}
