/* SPDX-License-Identifier: Apache-2.0
 *
 * publish.c - a process for each broker, and who waits for them.
 *
 * DESIGN
 *   A broker that hangs, or a name that nobody answers to, blocks whoever talks to it. So each broker has a process of
 *   its own, and the others never notice. The files are read once, before there are several.
 */
#include "hq/publish.h"

#include <errno.h>
#include <mosquitto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/log.h"
#include "core/random.h"
#include "hq/publish_broker.h"
#include "sync/wan.h"

#define AGAIN_MS 5000 /* one that died is started again */
#define LOOK_MS 100

static volatile sig_atomic_t stopping;

static void
on_stop(int number)
{
	(void)number;
	stopping = 1;
}

/* One broker, in a process that ends with it: 0, or the error's class. */
static void
run_child(const struct publish_options *options, size_t broker, struct goods *goods, pid_t parent)
{
	struct err err = { 0 };
	char text[640];
	int rc;

	/* However this one ends, nobody goes on with what it was given. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
	mosquitto_lib_init();
	rc = publish_broker(options, broker, goods, &stopping, &err);
	mosquitto_lib_cleanup();
	if (rc != 0) {
		err_format(&err, text, sizeof(text));
		fprintf(stderr, "%s\n", text);
	}
	fflush(stdout);
	_exit(rc == 0 ? 0 : -rc);
}

struct child {
	pid_t pid;	  /* 0: not running */
	int64_t again_ms; /* when it is started again */
	bool over;	  /* it is not */
};

static void
start(const struct publish_options *options, struct goods *goods, struct child *child,
    size_t broker)
{
	pid_t parent = getpid();

	fflush(stdout);
	child->pid = fork();
	if (child->pid == 0)
		run_child(options, broker, goods, parent);
	if (child->pid > 0)
		return;
	log_error("publish: cannot start a process error=%s", LOG_VALUE(strerror(errno)));
	child->pid = 0;
	child->again_ms = wan_now_ms() + AGAIN_MS;
}

static void
stop_all(const struct child *children, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (children[i].pid > 0)
			kill(children[i].pid, SIGTERM);
}

/* What it ended with. One that serves and died for no reason of its own is to be started again. */
static int
ended(const struct publish_options *options, struct child *child, size_t broker, int status)
{
	int code = WIFEXITED(status) ? -WEXITSTATUS(status) : AISLE_E_IO;

	child->pid = 0;
	child->over = !options->serve || stopping || (WIFEXITED(status) && code != AISLE_E_IO);
	child->again_ms = wan_now_ms() + AGAIN_MS;
	if (!child->over)
		log_warning("publish: started again soon broker=%s",
		    LOG_VALUE(options->broker.urls[broker]));
	return child->over ? code : 0;
}

/* Those that ended since; the first error of one that is over. */
static int
take_ended(const struct publish_options *options, struct child *children)
{
	int status, rc = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < options->broker.count; i++)
			if (children[i].pid == pid) {
				int code = ended(options, &children[i], i, status);

				rc = rc == 0 ? code : rc;
			}
	return rc;
}

static int
wait_for_all(const struct publish_options *options, struct goods *goods, struct child *children)
{
	bool told = false, leaving = false;
	size_t left;
	int rc = 0;

	do {
		int code = take_ended(options, children);

		rc = rc == 0 ? code : rc;
		/* What one refuses all would. */
		leaving = leaving || stopping || (options->serve && code != 0);
		if (leaving && !told)
			stop_all(children, options->broker.count);
		told = leaving;
		left = 0;
		for (size_t i = 0; i < options->broker.count; i++) {
			struct child *child = &children[i];

			if (child->pid == 0 && !child->over && !leaving &&
			    wan_now_ms() >= child->again_ms)
				start(options, goods, child, i);
			left += child->pid > 0 || (!child->over && !leaving);
		}
		if (left > 0)
			usleep(LOOK_MS * 1000);
	} while (left > 0);
	return rc;
}

static int
run_all(const struct publish_options *options, struct goods *goods, struct err *err)
{
	struct child children[BROKERS_MAX] = { 0 };
	int rc = wait_for_all(options, goods, children);

	return rc == 0 ? 0 : err_set(err, rc, "not every broker has all of it");
}

int
publish_run(const struct publish_options *options, struct err *err)
{
	struct sigaction stop = { .sa_handler = on_stop }, old_term, old_int;
	struct goods goods = { 0 };
	int rc = random_begin(err);

	if (rc == 0)
		rc = goods_read(options, NULL, &goods, err);
	if (rc != 0)
		return rc;
	stopping = 0;
	sigaction(SIGTERM, &stop, &old_term);
	sigaction(SIGINT, &stop, &old_int);
	if (options->broker.count == 1) {
		mosquitto_lib_init();
		rc = publish_broker(options, 0, &goods, &stopping, err);
		mosquitto_lib_cleanup();
	} else {
		rc = run_all(options, &goods, err);
	}
	sigaction(SIGTERM, &old_term, NULL);
	sigaction(SIGINT, &old_int, NULL);
	goods_done(&goods);
	return rc;
}
