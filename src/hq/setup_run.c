/* SPDX-License-Identifier: Apache-2.0
 *
 * setup_run.c - one command that keeps headquarters running: the broker, the collector, the publisher.
 *
 * DESIGN
 *   Each is a process of its own, as it would be under any other supervisor. One that ends is started again, later and later;
 *   all end with this one, however that ends, and there is one of a folder. The broker is told when its users or their rights are others.
 */
#include "hq/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/log.h"
#include "sync/wan.h"

#define LOOK_MS 200
#define AGAIN_FIRST_MS 1000
#define AGAIN_LAST_MS 30000
#define WELL_MS 60000 /* who lived so long begins anew */
#define LEAVE_MS 10000
#define WORDS_MAX 16

struct child {
	const char *name;
	char *words[WORDS_MAX];
	pid_t pid; /* 0: not running */
	int64_t started_ms, again_ms, pause_ms;
};
enum { BROKER, COLLECT, PUBLISH, CHILDREN };

static volatile sig_atomic_t stopping;

static void
on_stop(int number)
{
	(void)number;
	stopping = 1;
}

static void
start(struct child *child)
{
	pid_t parent = getpid();

	CHECK(child->words[0] != NULL);
	child->started_ms = wan_now_ms();
	child->pid = fork();
	if (child->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent) /* it ended before that */
			_exit(0);
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_IGN); /* of a terminal: we stop them, in their order */
		execvp(child->words[0], child->words);
		fprintf(stderr, "%s: %s\n", child->words[0], strerror(errno));
		_exit(127);
	}
	if (child->pid < 0)
		child->pid = 0;
	else
		log_info("hq: started name=%s pid=%d", child->name, (int)child->pid);
}

static void
ended(struct child *child, int status)
{
	int64_t now = wan_now_ms();

	child->pause_ms = now - child->started_ms > WELL_MS || child->pause_ms == 0
	    ? AGAIN_FIRST_MS
	    : child->pause_ms * 2;
	if (child->pause_ms > AGAIN_LAST_MS)
		child->pause_ms = AGAIN_LAST_MS;
	child->pid = 0;
	child->again_ms = now + child->pause_ms;
	log_warning("hq: ended name=%s status=%d again_s=%d", child->name,
	    WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
	    (int)(child->pause_ms / 1000));
}

static void
look_after(struct child *children)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < CHILDREN; i++)
			if (children[i].pid == pid)
				ended(&children[i], status);
	for (int i = 0; i < CHILDREN; i++)
		if (children[i].pid == 0 && wan_now_ms() >= children[i].again_ms)
			start(&children[i]);
}

/* Another value when the users or their rights are others. */
static int64_t
users_stamp(const struct setup *setup)
{
	static const char *const names[] = { "broker/passwd", "broker/acl" };
	int64_t stamp = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[SETUP_PATH_SIZE];
		struct stat st;

		setup_path(setup, names[i], path);
		if (stat(path, &st) == 0)
			stamp += (int64_t)st.st_mtim.tv_sec * 1000003 + st.st_mtim.tv_nsec +
			    (int64_t)st.st_size;
	}
	return stamp;
}

static void
wait_for_child(struct child *child)
{
	int64_t end = wan_now_ms() + LEAVE_MS;
	int status;

	if (child->pid == 0)
		return;
	kill(child->pid, SIGTERM);
	while (waitpid(child->pid, &status, WNOHANG) == 0) {
		if (wan_now_ms() > end)
			kill(child->pid, SIGKILL);
		usleep(20000);
	}
	child->pid = 0;
}

static void
add(struct child *child, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		CHECK(i < WORDS_MAX - 1);
		child->words[i] = mem_strdup(words[i]);
	}
}

static void
describe(const struct setup *setup, const char *program, struct child *children)
{
	char conf[SETUP_PATH_SIZE], into[SETUP_PATH_SIZE + 16], collector[SETUP_PATH_SIZE],
	    publisher[SETUP_PATH_SIZE], url[64];

	setup_path(setup, "broker/mosquitto.conf", conf);
	setup_path(setup, "records.db", collector);
	snprintf(into, sizeof(into), "sqlite:%s", collector);
	setup_path(setup, "broker/collector.password", collector);
	setup_path(setup, "broker/publisher.password", publisher);
	snprintf(url, sizeof(url), "mqtt://127.0.0.1:%d", setup->local_port);
	children[BROKER].name = "broker";
	add(&children[BROKER], (const char *[]){ "mosquitto", "-c", conf, NULL });
	children[COLLECT].name = "collect";
	add(&children[COLLECT],
	    (const char *[]){ program, "collect", "--into", into, "--broker", url, "--user",
		"collector", "--password-file", collector, NULL });
	children[PUBLISH].name = "publish";
	add(&children[PUBLISH],
	    (const char *[]){ program, "publish", "--dir", setup->dir, "--from", into, "--serve",
		"--broker", url, "--user", "publisher", "--password-file", publisher, NULL });
}

static void
run(const struct setup *setup, struct child *children)
{
	int64_t stamp = users_stamp(setup);

	/* The others find a broker that listens, most of the time. */
	start(&children[BROKER]);
	usleep(300000);
	while (!stopping) {
		int64_t now = users_stamp(setup);

		look_after(children);
		if (now != stamp && children[BROKER].pid > 0) {
			stamp = now;
			kill(children[BROKER].pid, SIGHUP);
			log_info("hq: the broker reads its users again");
		}
		usleep(LOOK_MS * 1000);
	}
	/* Who writes first, the broker last. */
	for (int i = CHILDREN - 1; i >= 0; i--)
		wait_for_child(&children[i]);
}

/* Two would fight for the broker's ports. Ends with this process, however that ends. */
static int
take_folder(const struct setup *setup, int *ret_fd, struct err *err)
{
	char path[SETUP_PATH_SIZE];

	setup_path(setup, "hq.json", path);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd >= 0 && flock(*ret_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK
	    ? err_set(err, AISLE_E_REFUSED, "%s: is run already", setup->dir)
	    : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
}

int
setup_run(const struct setup *setup, const char *program, struct err *err)
{
	struct sigaction stop = { .sa_handler = on_stop }, old_term, old_int;
	struct child children[CHILDREN] = { 0 };
	const char *path = getenv("PATH");
	struct buf wider = { 0 };
	int lock = -1, rc = take_folder(setup, &lock, err);

	if (rc != 0) {
		if (lock >= 0)
			close(lock);
		return rc;
	}
	/* Where Debian has mosquitto, and a user's PATH does not. */
	buf_addf(&wider, "%s%s/usr/sbin:/sbin", path != NULL ? path : "", path != NULL ? ":" : "");
	setenv("PATH", wider.data, 1);
	buf_done(&wider);
	describe(setup, program, children);
	/* Records are about people, also where the folder was made by somebody else. */
	umask(077);
	stopping = 0;
	sigaction(SIGTERM, &stop, &old_term);
	sigaction(SIGINT, &stop, &old_int);
	run(setup, children);
	sigaction(SIGTERM, &old_term, NULL);
	sigaction(SIGINT, &old_int, NULL);
	for (int i = 0; i < CHILDREN; i++)
		for (int j = 0; j < WORDS_MAX; j++)
			free(children[i].words[j]);
	close(lock);
	return 0;
}
