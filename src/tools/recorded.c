/* SPDX-License-Identifier: Apache-2.0
 *
 * recorded.c - the daemon's engine over a file of recorded events.
 *
 * DESIGN
 *   The very engine of the daemon, over a state in memory (or in a folder that
 *   the next call, or aisled, goes on from), with nothing queued for
 *   receivers. How the file is cut into turns changes no decision.
 */
#include "tools/recorded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "profile/profiles.h"
#include "sync/bundle.h"
#include "sync/catalog.h"
#include "tools/recorded_after.h"

struct recorded {
	struct conf *conf;
	struct engine *engine;
	struct profiles_bundle *profile_rows;
	struct input *inputs; /* of the turn being filled */
	size_t count, turn;
	int64_t total, refused, other; /* refused: wholly; other: of kinds that have no place */
	struct recorded_after after;
	const char *store;		      /* the conf's; NULL: any will do */
	int64_t elsewhere, elsewhere_line;    /* events of other stores, and the first of them */
	int64_t newest_ms, older, older_line; /* events that come too late, and the first of them */
	struct refusal {
		char says[240];
		int64_t count, line;
		bool note; /* nothing was refused: it is to be known */
	} kinds[RECORDED_KINDS];
	size_t kind_count;
};

static int
profile_of(void *ctx, const struct id *subject, struct buf *out)
{
	return profiles_bundle_get(ctx, subject, out);
}

static int
open_profiles(struct recorded *recorded, const char *path, struct err *err)
{
	int rc = profiles_bundle_open(path, &recorded->profile_rows, err);

	if (rc != 0)
		return rc;
	engine_set_profiles(recorded->engine, profile_of, recorded->profile_rows);
	return 0;
}

int
recorded_open(const struct recorded_options *options, struct recorded **ret, struct err *err)
{
	struct recorded *recorded;
	struct engine_options engine = { .conf = options->conf,
		.state_dir = options->state,
		.no_outlets = true,
		.recorded = true,
		/* In memory there is mostly nobody who could ask, and a file may hold a million. */
		.forget_decisions =
		    options->state == NULL && options->after == NULL && !options->keep_decisions,
		.sealed = options->state != NULL,
		.pepper = options->pepper,
		.on_decision = options->on_decision,
		.on_record = options->on_record,
		.on_record_ctx = options->ctx,
		.on_undone = options->on_undone,
		.on_decision_ctx = options->ctx };
	int rc;

	if (options->state != NULL && mkdir(options->state, 0700) != 0 && errno != EEXIST)
		return err_set(err, AISLE_E_IO, "%s: %s", options->state, strerror(errno));
	options->conf->terminal_rate = 0;
	recorded = mem_zero(sizeof(*recorded));
	rc = recorded_after_open(&recorded->after, options->after, err);
	if (options->after != NULL) {
		engine.state_dir = recorded->after.copy.dir;
		engine.sealed = true;
	}
	recorded->conf = options->conf;
	recorded->store = options->store_named ? options->conf->store_id : NULL;
	recorded->turn = (size_t)(options->turn != 0 ? options->turn : RECORDED_TURN);
	recorded->inputs = mem_calloc(recorded->turn, sizeof(*recorded->inputs));
	if (rc == 0)
		rc = engine_open(&engine, &recorded->engine, err);
	if (rc == 0)
		rc = recorded_after_look(&recorded->after, engine_store(recorded->engine), err);
	if (rc == 0 && options->profiles != NULL)
		rc = open_profiles(recorded, options->profiles, err);
	if (rc != 0) {
		recorded_close(recorded);
		return rc;
	}
	*ret = recorded;
	return 0;
}

void
recorded_close(struct recorded *recorded)
{
	if (recorded == NULL)
		return;
	for (size_t i = 0; i < recorded->count; i++)
		free((char *)recorded->inputs[i].payload);
	engine_close(recorded->engine);
	profiles_bundle_close(recorded->profile_rows);
	recorded_after_close(&recorded->after);
	free(recorded->inputs);
	free(recorded);
}

void
recorded_in_force(const struct recorded *recorded, struct buf *ret_bundle, struct buf *ret_catalog)
{
	struct store *store = engine_store(recorded->engine);

	recorded_after_path(&recorded->after, store, "bundle", "bundles", ret_bundle);
	recorded_after_path(&recorded->after, store, "catalog", "catalogs", ret_catalog);
}

struct engine *
recorded_engine(struct recorded *recorded)
{
	return recorded->engine;
}

int
recorded_bundle(struct recorded *recorded, const char *path, bool policy_currency,
    struct buf *report, struct err *err)
{
	struct bundle *bundle = NULL;
	struct policy *policy = NULL;
	int rc = bundle_open(path, "policy", &bundle, err);

	if (rc != 0)
		return rc;
	rc = bundle_policy(bundle, &policy, report);
	if (rc != 0) {
		bundle_close(bundle);
		return err_set(err, rc, "%s: its policy has mistakes", path);
	}
	if (policy_currency) {
		free(recorded->conf->currency);
		recorded->conf->currency = mem_strdup(policy->currency);
	}
	rc = engine_set_bundle(recorded->engine, bundle, policy, false, err);
	if (rc != 0) {
		policy_free(policy);
		bundle_close(bundle);
	}
	return rc;
}

const struct policy *
recorded_policy(const struct recorded *recorded)
{
	return engine_policy(recorded->engine);
}

void
recorded_show_draws(struct recorded *recorded, struct policy *other, draws_fn fn, void *ctx)
{
	engine_show_draws(recorded->engine, other, fn, ctx);
}

int
recorded_catalog(struct recorded *recorded, const char *path, struct err *err)
{
	struct catalog *catalog = NULL;
	int rc = catalog_load(path, recorded->conf->country, &catalog, err);

	if (rc == 0)
		rc = engine_set_catalog(recorded->engine, catalog, false, err);
	return rc;
}

/* ---- what is refused ---- */

static void
note_refused(struct recorded *recorded, const struct input *input)
{
	struct refusal *kind = recorded->kinds, *end = kind + recorded->kind_count;
	char says[sizeof(kind->says)];

	recorded->refused += input->result.status == 400;
	snprintf(says, sizeof(says), "%s", input->result.detail);
	while (kind < end && strcmp(kind->says, says) != 0)
		kind++;
	if (kind == recorded->kinds + RECORDED_KINDS) {
		recorded->other++;
		return;
	}
	if (kind == end) {
		memcpy(kind->says, says, sizeof(says));
		kind->line = input->number;
		kind->note = input->result.status == 203;
		recorded->kind_count++;
	}
	kind->count++;
}

/* Two files one behind the other are no recording: the clock stands still in all of the second. */
static void
note_order(struct recorded *recorded, const struct input *input)
{
	if (input->now_ms > recorded->newest_ms)
		recorded->newest_ms = input->now_ms;
	else if (input->now_ms != 0 && recorded->newest_ms - input->now_ms > RECORDED_LATE_MS &&
	    recorded->older++ == 0)
		recorded->older_line = input->number;
}

void
recorded_refusals(const struct recorded *recorded, struct buf *out)
{
	for (size_t i = 0; i < recorded->kind_count; i++) {
		const struct refusal *kind = &recorded->kinds[i];

		if (kind->note)
			buf_addf(out, "line %lld: %s\n", (long long)kind->line, kind->says);
		else
			buf_addf(out, "%lld set aside, first in line %lld: %s\n",
			    (long long)kind->count, (long long)kind->line, kind->says);
	}
	if (recorded->elsewhere > 0)
		buf_addf(out,
		    "%lld events are of another store than %s, first in line %lld; they were taken "
		    "for its own\n",
		    (long long)recorded->elsewhere, recorded->store,
		    (long long)recorded->elsewhere_line);
	if (recorded->older > 0)
		buf_addf(out,
		    "%lld events are more than an hour older than one before them, first in line "
		    "%lld; the clock does not go back, expected a file in order of time\n",
		    (long long)recorded->older, (long long)recorded->older_line);
	if (recorded->other > 0)
		buf_addf(out, "%lld more set aside for other reasons\n",
		    (long long)recorded->other);
}

/* ---- the file ---- */

static int
flush(struct recorded *recorded, struct err *err)
{
	int rc = recorded->count == 0
	    ? 0
	    : turn_run(recorded->engine, recorded->inputs, recorded->count);

	/* The daemon would set the guilty one aside; here its decisions are told already. */
	if (turn_own_fault(rc))
		err_set(err, rc,
		    "of events %lld to %lld one leads to more than a row may hold, expected less; "
		    "--turn 1 says which",
		    (long long)recorded->total + 1,
		    (long long)recorded->total + (long long)recorded->count);
	for (size_t i = 0; i < recorded->count; i++) {
		if (rc == 0)
			note_order(recorded, &recorded->inputs[i]);
		if (rc == 0 && recorded->inputs[i].result.detail != NULL)
			note_refused(recorded, &recorded->inputs[i]);
		free((char *)recorded->inputs[i].payload);
	}
	recorded->total += (int64_t)recorded->count;
	recorded->count = 0;
	return rc == 0 ? 0 : err_set(err, AISLE_E_IO, "the state cannot be written");
}

/* By the path that sources have, as feed check does. */
static bool
of_another_store(const struct recorded *recorded, const char *line)
{
	static const char key[] = "\"source\"", path[] = "\"/store/";
	const char *at = recorded->store != NULL ? strstr(line, key) : NULL;
	size_t len;

	if (at == NULL)
		return false;
	at += strlen(key);
	at += strspn(at, " \t:");
	if (strncmp(at, path, strlen(path)) != 0)
		return false;
	at += strlen(path);
	len = strlen(recorded->store);
	return strncmp(at, recorded->store, len) != 0 || (at[len] != '/' && at[len] != '"');
}

static void
take_line(struct recorded *recorded, const char *line, size_t len, int64_t number)
{
	char *copy = mem_alloc(len + 1);

	if (of_another_store(recorded, line) && recorded->elsewhere++ == 0)
		recorded->elsewhere_line = number;
	memcpy(copy, line, len);
	copy[len] = '\0';
	recorded->inputs[recorded->count++] =
	    (struct input){ .kind = INPUT_RECORDED, .payload = copy, .len = len, .number = number };
}

int
recorded_tell(struct recorded *recorded, const char *line, size_t len, struct err *err)
{
	take_line(recorded, line, len, recorded->total + 1);
	return flush(recorded, err);
}

int
recorded_line(FILE *events, char line[static RECORDED_LINE_MAX + 1], size_t *ret_len)
{
	size_t len = 0;
	int c;

	while ((c = getc_unlocked(events)) != EOF && c != '\n') {
		if (len == RECORDED_LINE_MAX)
			return AISLE_E_INVALID;
		line[len++] = (char)c;
	}
	if (c == EOF && len == 0)
		return 0;
	while (len > 0 && line[len - 1] == '\r')
		len--;
	line[len] = '\0';
	*ret_len = len;
	return 1;
}

int
recorded_start(FILE *events, struct err *err)
{
	int c = getc_unlocked(events);

	/* gzip, zstd, xz, lz4 */
	if (c == 0x1f || c == 0x28 || c == 0xfd || c == 0x04)
		return err_set(err, AISLE_E_INVALID,
		    "compressed events; unpack them first (gunzip -k FILE)");
	if (c == 0xfe || c == 0xff)
		return err_set(err, AISLE_E_INVALID, "UTF-16 text; save the events as UTF-8");
	if (c != 0xef)
		(void)ungetc(c, events);
	else if (getc_unlocked(events) != 0xbb || getc_unlocked(events) != 0xbf)
		return err_set(err, AISLE_E_INVALID,
		    "not text in UTF-8, expected one CloudEvent a line");
	return 0;
}

int
recorded_feed(struct recorded *recorded, FILE *events, void (*progress)(void *ctx, int64_t count),
    void *ctx, struct err *err)
{
	char *line = mem_alloc(RECORDED_LINE_MAX + 1);
	size_t len;
	int rc = recorded_start(events, err), got;

	for (int64_t n = 1; rc == 0 && (got = recorded_line(events, line, &len)) != 0; n++) {
		if (got < 0)
			rc = err_set(err, AISLE_E_INVALID,
			    "line %lld is longer than %u bytes, expected one CloudEvent a line",
			    (long long)n, RECORDED_LINE_MAX);
		if (got < 0 || len == 0)
			continue;
		got = recorded_after_takes(&recorded->after, line, len, n, err);
		if (got < 0)
			rc = got;
		if (got <= 0)
			continue;
		take_line(recorded, line, len, n);
		if (recorded->count < recorded->turn)
			continue;
		rc = flush(recorded, err);
		if (progress != NULL)
			progress(ctx, recorded->total);
	}
	if (rc == 0)
		rc = flush(recorded, err);
	if (rc == 0 && ferror(events))
		rc = err_set(err, AISLE_E_IO, "the events cannot be read");
	if (rc == 0 && recorded->total == 0 && recorded->after.dir != NULL)
		rc = err_set(err, AISLE_E_INVALID,
		    "%s was told all of it already, expected a copy of the state from before",
		    recorded->after.dir);
	if (rc == 0 && recorded->total == 0)
		rc = err_set(err, AISLE_E_INVALID, "no events, expected one CloudEvent a line");
	if (rc == 0 && recorded->refused > 0 && recorded->refused == recorded->total)
		rc = err_set(err, AISLE_E_INVALID,
		    "all of the %lld events are refused, expected some that can be used "
		    "(feed check says what is wrong with a file)",
		    (long long)recorded->total);
	free(line);
	return rc;
}

int
recorded_end_day(struct recorded *recorded, struct err *err)
{
	struct input input = { .kind = INPUT_CLOCK, .now_ms = engine_day_end(recorded->engine) };

	return turn_run(recorded->engine, &input, 1) == 0
	    ? 0
	    : err_set(err, AISLE_E_IO, "the state cannot be written");
}

int64_t
recorded_unsettled(struct recorded *recorded)
{
	return engine_unsettled(recorded->engine);
}

const char *
recorded_lane(enum lane lane)
{
	return NAME_OF(lane_names, lane);
}

int64_t
recorded_count(const struct recorded *recorded)
{
	return recorded->total;
}
