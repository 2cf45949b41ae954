/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_install.c - the next set is made by a child process, and takes the place of the current one.
 *
 * DESIGN
 *   Unpacking, sealing and syncing 200,000 rows is the child's; the parent waits for a word on a
 *   socket, opens the new file, and serves from it: a few reads, however many rows there are. The
 *   child is a fork and nothing is executed: it has the keys in memory that it seals with, and
 *   nothing of them goes anywhere. It touches no socket and no database of the parent's.
 *
 *	child			parent
 *	MADE			nobody was forgotten meanwhile: GO; else their subjects
 *	MADE again		likewise
 *	PLACED			it serves from the new set: GO
 *	takes the old files away, cut down piece by piece: to unlink 50 MB at once takes the kernel long
 *	ends			reaped
 *
 *   Who is forgotten after GO and before PLACED is taken out by the parent, in the new set.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "core/beside.h"
#include "core/crash.h"
#include "core/id.h"
#include "core/log.h"
#include "profile/profiles_internal.h"
#include "profile/vault.h"

#define CUT_BYTES (4 << 20) /* of an old file, at a time */
#define GONE_MAX 64	    /* subjects in a message */

struct word {
	bool placed, gap;
	struct err err;
};

/* To the child. count 0: GO. */
struct order {
	uint32_t count;
	struct id gone[GONE_MAX];
};

struct profiles_install {
	pid_t pid;
	int fd;
	bool swapped; /* the new set serves */
	struct id *gone;
	size_t gone_count, gone_capacity, gone_told;
};

/* ---- the child ---- */

struct child {
	const struct profiles *profiles;
	struct profiles_install_what what;
	struct profiles_make make;
	int fd;
};

static void
say(const struct child *child, const struct word *word)
{
	if (send(child->fd, word, sizeof(*word), MSG_NOSIGNAL) != (ssize_t)sizeof(*word))
		_exit(1);
}

/* The parent has said GO, or who was forgotten, or is gone. */
static void
hear(const struct child *child, struct order *order)
{
	ssize_t n;

	do
		n = recv(child->fd, order, sizeof(*order), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*order) || order->count > GONE_MAX)
		_exit(1);
}

static void
cut_away(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	while (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > CUT_BYTES &&
	    ftruncate(fd, st.st_size - CUT_BYTES) == 0)
		(void)fdatasync(fd);
	if (fd >= 0)
		close(fd);
	unlink(path);
}

static void
make_and_place(struct child *child)
{
	struct word word = { 0 };
	struct order order;

	word.err.code = profiles_make(&child->make, &word.err);
	word.gap = child->make.gap;
	for (;;) {
		say(child, &word);
		if (word.err.code != 0)
			return;
		hear(child, &order);
		if (order.count == 0)
			break;
		word.err.code =
		    profiles_make_forget(child->profiles, order.gone, order.count, &word.err);
	}
	word.err.code = profiles_make_place(child->profiles, &word.err);
	word.placed = word.err.code == 0;
	say(child, &word);
	if (!word.placed)
		return;
	hear(child, &order);
	profiles_remove_below(child->profiles->dir, profiles_next(child->profiles), cut_away);
	if (child->what.take)
		cut_away(child->what.bundle);
}

static void __attribute__((noreturn)) run(struct child *child, pid_t parent)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	crash_close();
	/* The parent's end, or it would never end for the child; and the lock of the state, which it would hold after a
	 * kill. */
	beside_close_others(child->fd, child->profiles->words);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		signal(ends[i], SIG_DFL);
	vault_forked();
	(void)!nice(10); /* the turns come first */
	make_and_place(child);
	_exit(0);
}

/* ---- the parent ---- */

void
profiles_tidy(struct profiles *profiles)
{
	if (profiles->ended > 0 && waitpid(profiles->ended, NULL, WNOHANG) != 0)
		profiles->ended = 0;
}

/* One that has ended by itself is not waited for: giving back what it had takes the kernel a while. */
static void
reap(struct profiles *profiles, const struct profiles_install *install)
{
	close(install->fd);
	if (install->swapped) {
		profiles_tidy(profiles);
		profiles->ended = install->pid;
		return;
	}
	kill(install->pid, SIGKILL);
	while (waitpid(install->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* What it made does not serve, and will not. */
static void
remove_made(const struct profiles *profiles)
{
	static const char *const tails[] = { ".db", ".keys", ".db.tmp", ".db.tmp-journal",
		".keys.tmp" };

	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		char path[4096];

		profiles_path(profiles->dir, profiles_next(profiles), tails[i], path, sizeof(path));
		unlink(path);
	}
}

static void
finish(struct profiles *profiles)
{
	struct profiles_install *install = profiles->install;

	reap(profiles, install);
	if (!install->swapped)
		remove_made(profiles);
	free(install->gone);
	free(install);
	profiles->install = NULL;
}

void
profiles_install_drop(struct profiles *profiles)
{
	if (profiles->install == NULL)
		return;
	kill(profiles->install->pid, SIGKILL);
	finish(profiles);
}

static int
add_forgotten(void *ctx, const struct id *subject)
{
	struct profiles_install *install = ctx;

	install->gone = mem_grow(install->gone, install->gone_count, &install->gone_capacity,
	    sizeof(*install->gone));
	install->gone[install->gone_count++] = *subject;
	return 0;
}

static int
start(struct profiles *profiles, const struct profiles_install_what *what,
    struct profiles_install *install, struct err *err)
{
	struct child child = { .profiles = profiles, .what = *what };
	pid_t parent = getpid();
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return err_set(err, AISLE_E_IO, "no socket: %s", strerror(errno));
	child.make = (struct profiles_make){ .current = profiles,
		.what = &child.what,
		.forgotten = install->gone,
		.forgotten_count = install->gone_count };
	child.fd = ends[1];
	install->pid = fork();
	if (install->pid == 0)
		run(&child, parent);
	close(ends[1]);
	if (install->pid < 0) {
		close(ends[0]);
		return err_set(err, AISLE_E_IO, "no process: %s", strerror(errno));
	}
	install->fd = ends[0];
	return 0;
}

int
profiles_install_begin(struct profiles *profiles, const struct profiles_install_what *what,
    struct err *err)
{
	struct profiles_install *install;
	int rc;

	profiles_install_drop(profiles);
	profiles->gap = false;
	install = mem_zero(sizeof(*install));
	/* In the order of their subjects. */
	rc = keys_forgotten_each(profiles->keys, add_forgotten, install);
	if (rc != 0)
		err_set(err, rc, "profiles: who was forgotten cannot be read");
	else
		rc = start(profiles, what, install, err);
	if (rc != 0) {
		free(install->gone);
		free(install);
		return rc;
	}
	install->gone_count = 0; /* from now on: meanwhile */
	profiles->install = install;
	return 0;
}

int
profiles_install_fd(const struct profiles *profiles)
{
	CHECK(profiles->install != NULL);
	return profiles->install->fd;
}

pid_t
profiles_install_pid(const struct profiles *profiles)
{
	CHECK(profiles->install != NULL);
	return profiles->install->pid;
}

/* The next of those who were forgotten meanwhile, or GO. */
static void
tell(struct profiles_install *install)
{
	struct order order = { 0 };

	while (install->gone_told < install->gone_count && order.count < GONE_MAX)
		order.gone[order.count++] = install->gone[install->gone_told++];
	/* A child that is gone is met at the next word that it does not say. */
	(void)!send(install->fd, &order, sizeof(order), MSG_NOSIGNAL);
}

static int
swap(struct profiles *profiles, struct err *err)
{
	struct profiles_install *install = profiles->install;
	int rc = profiles_use(profiles, profiles_next(profiles), err);

	if (rc != 0)
		return rc;
	install->swapped = true;
	profiles->trouble[0] = '\0';
	for (size_t i = install->gone_told; i < install->gone_count; i++) {
		if (profiles_forget(profiles, &install->gone[i]) != 0)
			log_warning("profiles: a forgotten row stays: its word cannot be written");
	}
	install->gone_told = install->gone_count;
	tell(install);
	return 0;
}

int
profiles_install_step(struct profiles *profiles, bool *ret_swapped, struct err *err)
{
	struct profiles_install *install = profiles->install;
	struct word word = { 0 };
	ssize_t n;
	int rc = 0;

	CHECK(install != NULL);
	*ret_swapped = false;
	do
		n = recv(install->fd, &word, sizeof(word), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(word)) {
		/* Once it serves, what is left of the old set goes at the next start. */
		rc =
		    install->swapped ? 1 : err_set(err, AISLE_E_IO, "the profiles' installer died");
	} else if (word.err.code != 0) {
		profiles->gap = word.gap;
		*err = word.err;
		rc = word.err.code;
	} else if (word.placed) {
		rc = swap(profiles, err);
		*ret_swapped = rc == 0;
	} else
		tell(install);
	if (rc != 0)
		finish(profiles);
	return rc;
}

bool
profiles_gap(const struct profiles *profiles)
{
	return profiles->gap;
}

void
profiles_install_forget(struct profiles *profiles, const struct id *subject)
{
	if (profiles->install != NULL && !profiles->install->swapped)
		(void)add_forgotten(profiles->install, subject);
}
