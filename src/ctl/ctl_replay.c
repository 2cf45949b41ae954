/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_replay.c - the engine over recorded events: replay and decide.
 *
 * DESIGN
 *   The very engine of the daemon, over a state in memory (or, with --state, in
 *   a folder that the next call, or aisled, goes on from), with nothing queued
 *   for receivers. Without a bundle the store only learns: --state then makes a
 *   store that knows its customers from recorded history. The output is each decision record, one a line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "ctl/ctl.h"
#include "decide/policy_load.h"
#include "engine.h"
#include "profile/profiles.h"
#include "sync/bundle.h"

#define TURN_DEFAULT 256

struct replay {
	const char *bundle, *profiles, *pepper, *store, *events, *out, *state;
	int turn;
	FILE *to;
	bool last_only;
	struct buf last;
	struct conf *conf;
	struct engine *engine;
	struct profiles_bundle *profile_rows;
};

static void
on_decision(void *ctx, const char *json, size_t len)
{
	struct replay *replay = ctx;

	if (replay->last_only) {
		buf_clear(&replay->last);
		buf_add(&replay->last, json, len);
		return;
	}
	fwrite(json, 1, len, replay->to);
	fputc('\n', replay->to);
}

static int
profile_of(void *ctx, const struct id *subject, struct buf *out)
{
	return profiles_bundle_get(ctx, subject, out);
}

static int
set_policy(struct ctl *ctl, struct replay *replay)
{
	struct bundle *bundle = NULL;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	struct err err = { 0 };

	if (bundle_open(replay->bundle, "policy", &bundle, &err) != 0)
		return ctl_fail_err(&err);
	if (bundle_policy(bundle, &policy, &report) != 0) {
		fputs(report.data, stderr);
		buf_done(&report);
		bundle_close(bundle);
		return EX_DATAERR;
	}
	buf_done(&report);
	/* Without a configuration the store speaks the policy's currency. */
	if (!ctl->conf_given) {
		free(replay->conf->currency);
		replay->conf->currency = mem_strdup(policy->currency);
	}
	if (engine_set_bundle(replay->engine, bundle, policy, false, &err) != 0)
		return ctl_fail_err(&err);
	return EX_OK;
}

static int
set_up(struct ctl *ctl, struct replay *replay)
{
	struct engine_options options = { .conf = replay->conf, .state_dir = replay->state, .dry = true,
		.sealed = replay->state != NULL, .on_decision = on_decision, .on_decision_ctx = replay };
	struct err err = { 0 };
	uint8_t pepper[32] = { 0 };
	bool has_pepper = false;
	int rc = ctl_pepper(ctl, replay->pepper != NULL ? replay->pepper : replay->conf->pepper_file, pepper, &has_pepper);

	if (rc != EX_OK)
		return rc;
	options.pepper = has_pepper ? pepper : NULL;
	if (replay->state != NULL && mkdir(replay->state, 0700) != 0 && errno != EEXIST)
		return ctl_fail(EX_CANTCREAT, "%s: %s", replay->state, strerror(errno));
	if (engine_open(&options, &replay->engine, &err) != 0)
		return ctl_fail_err(&err);
	replay->engine->options.pepper = NULL;
	explicit_bzero(pepper, sizeof(pepper));
	if (replay->bundle != NULL && (rc = set_policy(ctl, replay)) != EX_OK)
		return rc;
	if (replay->profiles != NULL) {
		if (profiles_bundle_open(replay->profiles, &replay->profile_rows, &err) != 0)
			return ctl_fail_err(&err);
		replay->engine->profile_get = profile_of;
		replay->engine->profile_ctx = replay->profile_rows;
	}
	return EX_OK;
}

static int
flush(struct replay *replay, struct input *inputs, size_t *count)
{
	int rc = *count == 0 ? 0 : turn_run(replay->engine, inputs, *count);

	for (size_t i = 0; i < *count; i++)
		free((char *)inputs[i].payload);
	*count = 0;
	return rc == 0 ? EX_OK : ctl_fail(EX_IOERR, "the state cannot be written");
}

static int
feed(struct replay *replay, FILE *events)
{
	struct input *inputs = mem_calloc((size_t)replay->turn, sizeof(*inputs));
	size_t count = 0, capacity = 0;
	char *line = NULL;
	ssize_t len;
	int rc = EX_OK;

	while (rc == EX_OK && (len = getline(&line, &capacity, events)) > 0) {
		while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			len--;
		if (len == 0)
			continue;
		inputs[count++] = (struct input){ .kind = INPUT_RECORDED, .payload = memcpy(mem_alloc((size_t)len + 1), line,
		    (size_t)len), .len = (size_t)len };
		((char *)inputs[count - 1].payload)[len] = '\0';
		if (count == (size_t)replay->turn)
			rc = flush(replay, inputs, &count);
	}
	if (rc == EX_OK)
		rc = flush(replay, inputs, &count);
	free(line);
	free(inputs);
	return rc;
}

static int
run(struct ctl *ctl, struct replay *replay)
{
	FILE *events = NULL;
	int rc;

	replay->conf = mem_alloc(sizeof(*replay->conf));
	rc = ctl_conf(ctl, false, replay->conf);
	if (rc == EX_OK && (replay->store != NULL || replay->conf->store_id == NULL)) {
		free(replay->conf->store_id);
		replay->conf->store_id = mem_strdup(replay->store != NULL ? replay->store : "0");
	}
	/* A recorded file is not a flood. */
	replay->conf->terminal_rate = 0;
	if (rc == EX_OK)
		rc = set_up(ctl, replay);
	if (rc == EX_OK) {
		events = strcmp(replay->events, "-") == 0 ? stdin : fopen(replay->events, "re");
		if (events == NULL)
			rc = ctl_fail(EX_NOINPUT, "%s: %s", replay->events, strerror(errno));
	}
	if (rc == EX_OK) {
		replay->to = replay->out != NULL ? fopen(replay->out, "we") : stdout;
		if (replay->to == NULL)
			rc = ctl_fail(EX_CANTCREAT, "%s: %s", replay->out, strerror(errno));
	}
	if (rc == EX_OK)
		rc = feed(replay, events);
	if (rc == EX_OK && replay->last_only) {
		if (replay->last.len == 0)
			rc = ctl_fail(EX_DATAERR, "no event of this file starts a decision under this policy");
		else
			fprintf(replay->to, "%s\n", replay->last.data);
	}
	if (replay->to != NULL && (fflush(replay->to) != 0 || ferror(replay->to)))
		rc = ctl_fail(EX_IOERR, "the decisions cannot be written");
	if (replay->out != NULL && replay->to != NULL)
		fclose(replay->to);
	if (events != NULL && events != stdin)
		fclose(events);
	engine_close(replay->engine);
	profiles_bundle_close(replay->profile_rows);
	buf_done(&replay->last);
	conf_done(replay->conf);
	free(replay->conf);
	return rc;
}

static int
options(struct ctl *ctl, struct replay *replay)
{
	const char *turn = ctl_option(ctl, "--turn");

	replay->bundle = ctl_option(ctl, "--bundle");
	replay->profiles = ctl_option(ctl, "--profiles");
	replay->pepper = ctl_option(ctl, "--pepper");
	replay->store = ctl_option(ctl, "--store");
	replay->events = ctl_option(ctl, "--events");
	replay->out = ctl_option(ctl, "--out");
	replay->state = ctl_option(ctl, "--state");
	replay->turn = turn != NULL ? atoi(turn) : TURN_DEFAULT;
	if (replay->turn < 1 || replay->turn > 65536)
		return ctl_fail(EX_USAGE, "--turn: expected 1 to 65536 events a turn");
	if ((replay->bundle == NULL && replay->state == NULL) || replay->events == NULL)
		return ctl_usage(ctl);
	return ctl_words(ctl, 0, 0);
}

int
ctl_replay(struct ctl *ctl)
{
	struct replay replay = { 0 };
	int rc = options(ctl, &replay);

	return rc == EX_OK ? run(ctl, &replay) : rc;
}

int
ctl_decide(struct ctl *ctl)
{
	struct replay replay = { .last_only = true };
	int rc = options(ctl, &replay);

	return rc == EX_OK ? run(ctl, &replay) : rc;
}
