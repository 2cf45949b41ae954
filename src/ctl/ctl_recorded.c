/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_recorded.c - the options that every command over recorded events takes.
 */
#include "ctl/ctl_recorded.h"

#include "ctl/ctl_sign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define TURN_MAX 65536

int
ctl_recorded_options(struct ctl *ctl, struct ctl_recorded *from)
{
	const char *turn = ctl_option(ctl, "--turn");
	int64_t events = RECORDED_TURN;

	from->bundle = ctl_option(ctl, "--bundle");
	from->catalog = ctl_option(ctl, "--catalog");
	from->profiles = ctl_option(ctl, "--profiles");
	from->pepper = ctl_option(ctl, "--pepper");
	from->store = ctl_option(ctl, "--store");
	from->events = ctl_option(ctl, "--events");
	if (turn != NULL && ctl_number("--turn", turn, 1, TURN_MAX, &events) != EX_OK)
		return EX_USAGE;
	from->turn = (int)events;
	return EX_OK;
}

int
ctl_recorded_conf(struct ctl *ctl, struct ctl_recorded *from)
{
	int rc;

	from->conf = mem_alloc(sizeof(*from->conf));
	rc = ctl_conf(ctl, false, from->conf);
	from->store_named = rc == EX_OK && (from->store != NULL || from->conf->store_id != NULL);
	if (rc == EX_OK && (from->store != NULL || from->conf->store_id == NULL)) {
		free(from->conf->store_id);
		from->conf->store_id = mem_strdup(from->store != NULL ? from->store : "0");
	}
	return rc;
}

static int
open_engine(struct ctl *ctl, struct ctl_recorded *from, struct recorded_options *options)
{
	struct err err = { 0 };
	uint8_t pepper[32] = { 0 };
	bool has_pepper = false;
	int rc = ctl_pepper(ctl, from->pepper != NULL ? from->pepper : from->conf->pepper_file,
	    pepper, &has_pepper);

	if (rc != EX_OK)
		return rc;
	options->conf = from->conf;
	options->profiles = from->profiles;
	options->state = from->state;
	options->after = from->after;
	options->turn = from->turn;
	options->store_named = from->store_named;
	options->pepper = has_pepper ? pepper : NULL;
	if (recorded_open(options, &from->recorded, &err) != 0)
		rc = ctl_fail_err(&err);
	options->pepper = NULL;
	explicit_bzero(pepper, sizeof(pepper));
	return rc;
}

/* What the state had in force, unless the command says another. */
static void
take_in_force(struct ctl_recorded *from)
{
	struct buf bundle = { 0 }, catalog = { 0 };

	recorded_in_force(from->recorded, &bundle, &catalog);
	from->own_bundle = buf_steal(&bundle);
	from->own_catalog = buf_steal(&catalog);
	if (from->bundle == NULL && from->own_bundle[0] != '\0')
		from->bundle = from->own_bundle;
	if (from->catalog == NULL && from->own_catalog[0] != '\0')
		from->catalog = from->own_catalog;
}

int
ctl_recorded_open(struct ctl *ctl, struct ctl_recorded *from, struct recorded_options *options)
{
	struct buf report = { 0 };
	struct err err = { 0 };
	int rc = ctl_recorded_conf(ctl, from);

	if (rc == EX_OK)
		rc = open_engine(ctl, from, options);
	if (rc == EX_OK && from->after != NULL)
		take_in_force(from);
	/* Without a configuration the store speaks the policy's currency. */
	if (rc == EX_OK && from->bundle != NULL &&
	    recorded_bundle(from->recorded, from->bundle, !ctl->conf_given, &report, &err) != 0) {
		if (report.len > 0)
			fputs(report.data, stderr);
		rc = report.len > 0 ? EX_DATAERR : ctl_fail_err(&err);
	}
	if (rc == EX_OK && from->catalog != NULL &&
	    recorded_catalog(from->recorded, from->catalog, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK) {
		from->in = strcmp(from->events, "-") == 0 ? stdin : fopen(from->events, "re");
		if (from->in == NULL)
			rc = ctl_fail(EX_NOINPUT, "%s: %s", from->events, strerror(errno));
	}
	buf_done(&report);
	return rc;
}

int
ctl_recorded_output(const struct ctl_recorded *from, const char *path, FILE **ret_to)
{
	struct stat in, out;

	if (path != NULL && fstat(fileno(from->in), &in) == 0 && stat(path, &out) == 0 &&
	    S_ISREG(in.st_mode) && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
		return ctl_fail(EX_USAGE, "%s: these are the events, expected another file", path);
	*ret_to = path != NULL ? fopen(path, "we") : stdout;
	return *ret_to != NULL ? EX_OK : ctl_fail(EX_IOERR, "%s: %s", path, strerror(errno));
}

/* ---- progress ---- */

static int64_t
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

struct ctl_progress
ctl_progress_start(void)
{
	return (struct ctl_progress){ .start_s = seconds() };
}

void
ctl_progress_show(void *ctx, int64_t events)
{
	struct ctl_progress *progress = ctx;
	int64_t now_s = seconds();

	if (now_s - progress->start_s <= 1 || now_s == progress->last_s)
		return;
	progress->last_s = now_s;
	fprintf(stderr, "\r%lld events", (long long)events);
}

void
ctl_progress_end(const struct ctl_progress *progress)
{
	if (progress->last_s != 0)
		fputs("\r\033[K", stderr);
}

int
ctl_recorded_run(struct ctl_recorded *from, bool progress)
{
	struct ctl_progress shown = ctl_progress_start();
	struct buf refused = { 0 };
	struct err err = { 0 };
	bool show = progress && isatty(STDERR_FILENO);
	int rc =
	    recorded_feed(from->recorded, from->in, show ? ctl_progress_show : NULL, &shown, &err);

	ctl_progress_end(&shown);
	recorded_refusals(from->recorded, &refused);
	if (refused.len > 0)
		fputs(refused.data, stderr);
	buf_done(&refused);
	return rc == 0 ? EX_OK : ctl_fail_err(&err);
}

void
ctl_recorded_close(struct ctl_recorded *from)
{
	if (from->in != NULL && from->in != stdin)
		fclose(from->in);
	recorded_close(from->recorded);
	if (from->conf != NULL)
		conf_done(from->conf);
	free(from->conf);
	free(from->own_bundle);
	free(from->own_catalog);
}
