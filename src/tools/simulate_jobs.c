/* SPDX-License-Identifier: Apache-2.0
 *
 * simulate_jobs.c - stores under policies, as many at a time as there are processes for.
 *
 * DESIGN
 *   A child for each store and policy, which writes what it found into a file of memory. They are put
 *   together in the order in which they were given, so that sums do not hang on who was first.
 */
#include "tools/simulate.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/id.h"

void
simulate_outcome_done(struct simulate_outcome *outcome)
{
	free(outcome->people);
	free(outcome->actions);
	*outcome = (struct simulate_outcome){ 0 };
}

/* ---- a child's words ---- */

int
simulate_outcome_write(const struct simulate_outcome *outcome, FILE *to)
{
	struct simulate_outcome head = *outcome;

	head.people = NULL;
	head.actions = NULL;
	if (fwrite(&head, sizeof(head), 1, to) != 1 ||
	    fwrite(outcome->people, sizeof(*outcome->people), outcome->person_count, to) !=
		outcome->person_count ||
	    fwrite(outcome->actions, sizeof(*outcome->actions), outcome->action_count, to) !=
		outcome->action_count ||
	    fflush(to) != 0)
		return AISLE_E_IO;
	return 0;
}

int
simulate_outcome_read(struct simulate_outcome *outcome, FILE *from)
{
	rewind(from);
	if (fread(outcome, sizeof(*outcome), 1, from) != 1) {
		*outcome = (struct simulate_outcome){ 0 };
		return AISLE_E_IO;
	}
	outcome->people = mem_calloc(outcome->person_count + 1, sizeof(*outcome->people));
	outcome->actions = mem_calloc(outcome->action_count + 1, sizeof(*outcome->actions));
	outcome->person_capacity = outcome->person_count + 1;
	if (fread(outcome->people, sizeof(*outcome->people), outcome->person_count, from) !=
		outcome->person_count ||
	    fread(outcome->actions, sizeof(*outcome->actions), outcome->action_count, from) !=
		outcome->action_count)
		return AISLE_E_IO;
	return 0;
}

/* ---- stores together ---- */

static void
add_person(struct simulate_person *to, const struct simulate_person *from)
{
	to->shown += from->shown;
	to->earned += from->earned;
	to->expected += from->expected;
	to->promised += from->promised;
	to->discount += from->discount;
}

/* Both ascend; who is in both is one. */
static void
add_people(struct simulate_outcome *into, const struct simulate_outcome *from)
{
	size_t count = into->person_count + from->person_count, a = 0, b = 0, n = 0;
	struct simulate_person *all = mem_calloc(count + 1, sizeof(*all));

	while (a < into->person_count || b < from->person_count) {
		int order = a == into->person_count ? 1
		    : b == from->person_count
		    ? -1
		    : id_compare(&into->people[a].key, &from->people[b].key);

		if (order <= 0)
			all[n] = into->people[a++];
		else
			all[n] = from->people[b++];
		if (order == 0)
			add_person(&all[n], &from->people[b++]);
		n++;
	}
	free(into->people);
	into->people = all;
	into->person_count = n;
	into->person_capacity = count + 1;
}

void
simulate_outcome_add(struct simulate_outcome *into, struct simulate_outcome *from)
{
	if (into->actions == NULL) {
		*into = *from;
		*from = (struct simulate_outcome){ 0 };
		return;
	}
	CHECK(into->action_count == from->action_count);
	add_people(into, from);
	for (size_t i = 0; i < into->action_count; i++) {
		into->actions[i].shown += from->actions[i].shown;
		into->actions[i].came += from->actions[i].came;
		into->actions[i].earned += from->actions[i].earned;
		into->actions[i].discount += from->actions[i].discount;
	}
	into->visits += from->visits;
	if (from->first_ms < into->first_ms)
		into->first_ms = from->first_ms;
	if (from->last_ms > into->last_ms)
		into->last_ms = from->last_ms;
	simulate_outcome_done(from);
}

/* ---- processes ---- */

struct child {
	pid_t pid;
	size_t job;
	int fd;
};

_Noreturn static void
run_child(const struct simulate_job *job, int fd)
{
	struct simulate_outcome outcome = { 0 };
	struct err err = { 0 };
	char text[640] = "its figures cannot be written";
	FILE *file = fdopen(fd, "w");
	int rc = file != NULL ? simulate_store(job, &outcome, &err) : AISLE_E_IO;

	if (rc == 0)
		rc = simulate_outcome_write(&outcome, file);
	if (err.text[0] != '\0')
		err_format(&err, text, sizeof(text));
	if (rc != 0)
		fprintf(stderr, "store %s under %s: %s\n", job->store, job->bundle, text);
	_exit(rc == 0 ? 0 : 1);
}

static int
begin(const struct simulate_job *job, size_t index, struct child *child, struct err *err)
{
	*child = (struct child){ -1, index, memfd_create("simulated", MFD_CLOEXEC) };
	fflush(NULL);
	if (child->fd >= 0)
		child->pid = fork();
	if (child->pid == 0) {
		/* Nobody would hear it any more. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		run_child(job, child->fd);
	}
	if (child->pid > 0)
		return 0;
	err_set(err, AISLE_E_IO, "no process for a store: %s", strerror(errno));
	if (child->fd >= 0)
		close(child->fd);
	return AISLE_E_IO;
}

/* What it said; false: nothing whole. */
static bool
hear(const struct child *child, struct simulate_outcome *into)
{
	FILE *file = fdopen(child->fd, "r");
	bool heard = file != NULL && simulate_outcome_read(into, file) == 0;

	if (file != NULL)
		fclose(file);
	else
		close(child->fd);
	return heard;
}

/* The next one that ends; its place among the children. */
static size_t
wait_one(const struct child *children, size_t running, bool *ret_fine)
{
	for (;;) {
		int status = 0;
		pid_t pid = waitpid(-1, &status, 0);

		for (size_t i = 0; i < running; i++) {
			if (children[i].pid == pid) {
				*ret_fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;
				return i;
			}
		}
		CHECK(pid > 0 || errno == EINTR);
	}
}

int
simulate_jobs(const struct simulate_job *jobs, size_t count, int at_once,
    struct simulate_outcome *into, void (*progress)(size_t done, size_t count), struct err *err)
{
	struct child *children = mem_calloc((size_t)at_once, sizeof(*children));
	size_t next = 0, running = 0, done = 0;
	int rc = 0;

	while (running > 0 || (rc == 0 && next < count)) {
		size_t i;
		bool fine = false;

		while (rc == 0 && next < count && running < (size_t)at_once) {
			rc = begin(&jobs[next], next, &children[running], err);
			running += rc == 0;
			next += rc == 0;
		}
		if (running == 0)
			break;
		i = wait_one(children, running, &fine);
		fine = hear(&children[i], &into[children[i].job]) && fine;
		if (!fine && rc == 0)
			rc = err_set(err, AISLE_E_INVALID, "store %s under %s came to nothing",
			    jobs[children[i].job].store, jobs[children[i].job].bundle);
		children[i] = children[--running];
		if (progress != NULL)
			progress(++done, count);
	}
	free(children);
	return rc;
}
