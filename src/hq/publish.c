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
#include <sys/wait.h>
#include <unistd.h>

#include "core/log.h"
#include "core/random.h"
#include "hq/publish_broker.h"

#define AGAIN_S 5 /* one that died is started again */

static volatile sig_atomic_t stopping;

static void
on_stop(int number)
{
	(void)number;
	stopping = 1;
}

/* One broker, in a process that ends with it: 0, or the error's class. */
static void
run_child(const struct publish_options *options, size_t broker, struct goods *goods)
{
	struct err err = { 0 };
	char text[640];
	int rc;

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

static pid_t
start_child(const struct publish_options *options, size_t broker, struct goods *goods)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		run_child(options, broker, goods);
	return pid;
}

static void
stop_all(const pid_t *children, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (children[i] > 0)
			kill(children[i], SIGTERM);
}

/* What a child ended with; one that serves and died for no reason of its own is to be started again. */
static int
ended_with(int status, bool serve, bool *ret_again)
{
	int code = WIFEXITED(status) ? -WEXITSTATUS(status) : AISLE_E_IO;

	*ret_again = serve && !stopping && (!WIFEXITED(status) || code == AISLE_E_IO);
	return code;
}

static int
wait_for_all(const struct publish_options *options, struct goods *goods, pid_t *children)
{
	size_t left = options->broker.count;
	bool told = false;
	int rc = 0;

	while (left > 0) {
		int status, code;
		bool again;
		pid_t pid = waitpid(-1, &status, 0);

		if (stopping && !told) {
			told = true;
			stop_all(children, options->broker.count);
		}
		if (pid < 0)
			continue; /* a signal */
		code = ended_with(status, options->serve, &again);
		for (size_t i = 0; i < options->broker.count; i++) {
			if (children[i] != pid)
				continue;
			children[i] = 0;
			if (again) {
				log_warning("publish: started again broker=%s",
				    LOG_VALUE(options->broker.urls[i]));
				sleep(AGAIN_S);
				children[i] = start_child(options, i, goods);
				continue;
			}
			left--;
			rc = rc == 0 ? code : rc;
		}
		/* What one refuses all would. */
		if (options->serve && code != 0 && !again && !told) {
			told = true;
			stop_all(children, options->broker.count);
		}
	}
	return rc;
}

static int
run_all(const struct publish_options *options, struct goods *goods, struct err *err)
{
	pid_t children[BROKERS_MAX] = { 0 };
	int rc;

	for (size_t i = 0; i < options->broker.count; i++) {
		children[i] = start_child(options, i, goods);
		if (children[i] < 0) {
			stop_all(children, i);
			return err_set(err, AISLE_E_IO, "cannot start a process: %s",
			    strerror(errno));
		}
	}
	rc = wait_for_all(options, goods, children);
	return rc == 0 ? 0 : err_set(err, rc, "not every broker has all of it");
}

int
publish_run(const struct publish_options *options, struct err *err)
{
	struct sigaction stop = { .sa_handler = on_stop }, old_term, old_int;
	struct goods goods = { 0 };
	int rc = random_begin(err);

	if (rc == 0)
		rc = goods_read(options, &goods, err);
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
