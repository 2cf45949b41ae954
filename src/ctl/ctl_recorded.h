/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_recorded.h - the options that every command over recorded events takes.
 */
#ifndef AISLE_CTL_CTL_RECORDED_H
#define AISLE_CTL_CTL_RECORDED_H

#include <stdio.h>

#include "ctl/ctl.h"
#include "tools/recorded.h"

struct ctl_recorded {
	const char *bundle, *catalog, *profiles, *pepper, *store, *events;
	const char *state, *after;	/* set by the command that takes them */
	char *own_bundle, *own_catalog; /* of the state that it goes on after */
	int turn;
	bool store_named; /* by --store, or by the configuration */
	struct conf *conf;
	struct recorded *recorded;
	FILE *in;
};

/* On stderr, once a second has gone by. */
struct ctl_progress {
	int64_t start_s, last_s; /* last shown; 0: not yet */
};
struct ctl_progress ctl_progress_start(void);
void ctl_progress_show(void *ctx, int64_t events); /* ctx: a struct ctl_progress */
void ctl_progress_end(const struct ctl_progress *progress);

/* Takes --bundle, --catalog, --profiles, --pepper, --store, --events and --turn out of argv. */
int ctl_recorded_options(struct ctl *ctl, struct ctl_recorded *from);
/* Reads the configuration alone. */
int ctl_recorded_conf(struct ctl *ctl, struct ctl_recorded *from);
/* The same, and opens engine, bundle, profiles and the events; options has the command's
 * own callbacks. All return a sysexits code, after saying what is wrong; close in any case. */
int ctl_recorded_open(struct ctl *ctl, struct ctl_recorded *from, struct recorded_options *options);
/* Where the result goes: path, or stdout for NULL. Never over the events themselves. */
int ctl_recorded_output(const struct ctl_recorded *from, const char *path, FILE **ret_to);
/* progress: on stderr, if it is a terminal and a second has gone by. */
int ctl_recorded_run(struct ctl_recorded *from, bool progress);
void ctl_recorded_close(struct ctl_recorded *from);

#endif
