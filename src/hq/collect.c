/* SPDX-License-Identifier: Apache-2.0
 *
 * collect.c - the HQ end: batches from all stores into a database.
 *
 * DESIGN
 *   A turn takes batches from every broker, commits them in one transaction, acknowledges
 *   each to its store by the broker that it came by, and only then lets that broker forget it.
 *   Killed at any moment it loses nothing: what was not committed comes again, what comes
 *   twice meets the primary key.
 *
 *   When a commit fails every connection is dropped without a byte written, and none is made
 *   before the database is open anew. Stores then wait, and other collectors go on.
 *
 * LIMITS
 *   hq/turn.h has those of a turn.
 */
#include "hq/collect.h"

#include <mosquitto.h>
#include <signal.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/random.h"
#include "hq/archive.h"
#include "hq/collect_name.h"
#include "hq/erased.h"
#include "hq/records.h"
#include "hq/source.h"
#include "sync/wan.h"

#define WAIT_MS 200
#define ONCE_MS 2000
#define ONCE_CONNECT_MS (1000 * WAN_CONNECT_S)
#define LEAVE_MS 2000
#define TEND_MS 60000

struct collect {
	const struct collect_options *options;
	struct source *sources[BROKERS_MAX];
	size_t source_count;
	struct collect_name name;
	struct records *records;      /* NULL: to be opened anew */
	struct archive *archive;      /* NULL: none */
	struct buf erased;	      /* the file's path; empty: none */
	struct erased_seen forgotten; /* what it says, for the archive */
	struct wan_backoff backoff;
	int64_t open_at_ms, tend_at_ms;
	struct turn turn;
	bool failed; /* a commit, since the start */
	int64_t last_ms;
	long long batches, rows;
};

static volatile sig_atomic_t stopping;

static void
on_stop(int number)
{
	(void)number;
	stopping = 1;
}

/* ---- a turn ---- */

static void
fail(struct collect *collect, const char *what, const char *error)
{
	log_error("collect: %s error=%s", what, LOG_VALUE(error));
	collect->failed = true;
	for (size_t i = 0; i < collect->source_count; i++)
		collect->sources[i]->kind->drop(collect->sources[i], &collect->turn);
	turn_clear(&collect->turn);
}

static void
close_records(struct collect *collect)
{
	records_close(collect->records);
	collect->records = NULL;
	collect->open_at_ms = wan_now_ms() + wan_backoff_next(&collect->backoff);
}

/* One of them is not to be had: which? */
static int
write_each(struct collect *collect)
{
	for (size_t i = 0; i < collect->turn.count; i++) {
		struct taken *taken = &collect->turn.items[i];
		const struct batch *batch = &taken->batch;
		int rc = records_write(collect->records, &batch, 1);
		if (rc == AISLE_E_INVALID) {
			taken->refused = true;
			collect->turn.bad++;
			log_warning("collect: batch refused store=%s lane=%s error=%s refused=%lld",
			    batch->store, batch->lane, LOG_VALUE(records_error(collect->records)),
			    collect->turn.bad);
		} else if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

/* Before the database: what is acknowledged is in both. */
static int
archive_turn(struct collect *collect, struct err *err)
{
	int rc = archive_begin(collect->archive, err);
	if (rc != 0)
		return rc;
	if (collect->erased.len > 0)
		rc = erased_refresh(collect->erased.data, &collect->forgotten, err);
	for (size_t i = 0; i < collect->turn.count && rc == 0; i++) {
		const struct taken *taken = &collect->turn.items[i];
		rc = archive_add(collect->archive, &taken->batch, &taken->raw,
		    &collect->forgotten.erasures, err);
	}
	int ended = archive_end(collect->archive, err);
	return rc != 0 ? rc : ended;
}

static int
write_turn(struct collect *collect)
{
	const struct batch *batches[TURN_ROOM];
	for (size_t i = 0; i < collect->turn.count; i++)
		batches[i] = &collect->turn.items[i].batch;
	int rc = records_write(collect->records, batches, collect->turn.count);
	return rc == AISLE_E_INVALID ? write_each(collect) : rc;
}

static void
end_turn(struct collect *collect)
{
	if (collect->turn.broken) {
		fail(collect, "a turn came to nothing", "a message that did not fit");
		return;
	}
	if (collect->turn.count == 0)
		return;
	struct err err = { 0 };
	if (collect->archive != NULL && archive_turn(collect, &err) != 0) {
		fail(collect, "cannot archive", err.text);
		close_records(collect);
		return;
	}
	if (write_turn(collect) != 0) {
		fail(collect, "cannot store", records_error(collect->records));
		close_records(collect);
		return;
	}
	collect->backoff.ms = 0;
	for (size_t i = 0; i < collect->turn.count; i++) {
		const struct taken *taken = &collect->turn.items[i];
		taken->source->kind->acknowledge(taken->source, taken);
		collect->batches += !taken->refused;
		collect->rows += taken->refused ? 0 : (long long)taken->batch.count;
	}
	collect->last_ms = wan_now_ms();
	turn_clear(&collect->turn);
}

/* What is there goes into the turn. Who has no descriptor to be waited for is given some of the
 * time. */
static void
take(struct collect *collect, int wait_ms)
{
	struct pollfd fds[BROKERS_MAX];
	nfds_t count = 0;
	int blind = 0;
	for (size_t i = 0; i < collect->source_count; i++) {
		struct source *source = collect->sources[i];
		struct pollfd fd = source->kind->wanted(source);
		if (collect->turn.count > 0)
			fd.events &= ~POLLOUT; /* nothing leaves before the commit */
		if (fd.fd >= 0)
			fds[count++] = fd;
		else
			blind += source->state == SOURCE_READY;
	}
	poll(fds, count, blind > 0 ? 0 : wait_ms);
	for (size_t i = 0; i < collect->source_count; i++)
		collect->sources[i]->kind->read(collect->sources[i], &collect->turn,
		    blind > 0 ? wait_ms / blind : 0);
}

/* Between turns: old days go, new ones are made. */
static void
tend(struct collect *collect)
{
	bool more;
	if (wan_now_ms() < collect->tend_at_ms)
		return;
	if (records_tend(collect->records, &more) != 0) {
		fail(collect, "cannot make room", records_error(collect->records));
		close_records(collect);
		return;
	}
	struct err err = { 0 };
	if (collect->archive != NULL && !more &&
	    archive_tend(collect->archive, &collect->options->keep, keep_today(), &err) != 0)
		log_warning("collect: archive, tried again later error=%s", LOG_VALUE(err.text));
	collect->tend_at_ms = more ? 0 : wan_now_ms() + TEND_MS;
}

static void
turn(struct collect *collect)
{
	int64_t now_ms = wan_now_ms();
	for (size_t i = 0; i < collect->source_count; i++)
		collect->sources[i]->kind->tick(collect->sources[i], now_ms);
	take(collect, WAIT_MS);
	while (collect->turn.count > 0 && !collect->turn.broken &&
	    !turn_full(&collect->turn, now_ms = wan_now_ms()))
		take(collect, (int)(collect->turn.began_ms + TURN_MS - now_ms));
	end_turn(collect);
	if (collect->records != NULL)
		tend(collect);
}

/* ---- the run ---- */

/* A database that was put back from a copy forgets again whom it had forgotten. */
static int
forget_again(struct collect *collect, struct err *err)
{
	struct erasures erasures = { .items = NULL };
	long long fresh = 0, records = 0;
	if (collect->erased.len == 0)
		return 0;
	int rc = erased_read(collect->erased.data, &erasures, err);
	if (rc == 0 && records_erase(collect->records, &erasures, &fresh, &records) != 0)
		rc = err_set(err, AISLE_E_IO, "cannot forget again: %s",
		    records_error(collect->records));
	erasures_done(&erasures);
	if (rc == 0 && fresh > 0)
		log_notice("collect: forgotten again customers=%lld records=%lld", fresh, records);
	return rc;
}

static int
open_once(struct collect *collect, struct err *err)
{
	int rc =
	    records_open(collect->options->into, &collect->options->keep, &collect->records, err);
	if (rc == 0) {
		collect->records->live = true;
		rc = forget_again(collect, err);
	}
	if (rc != 0) {
		records_close(collect->records);
		collect->records = NULL;
	}
	return rc;
}

/* true: the database is open. */
static bool
open_records(struct collect *collect)
{
	struct err err = { 0 };
	if (collect->records != NULL)
		return true;
	int64_t wait = collect->open_at_ms - wan_now_ms();
	if (wait > 0) {
		poll(NULL, 0, wait > WAIT_MS ? WAIT_MS : (int)wait);
		return false;
	}
	if (open_once(collect, &err) == 0)
		return true;
	log_error("collect: cannot open the database error=%s", LOG_VALUE(err.text));
	close_records(collect);
	return false;
}

/* Each broker has to be there, and 2 s without a record are the end. */
static int
run_once(struct collect *collect, struct err *err)
{
	int64_t began = wan_now_ms();
	collect->last_ms = INT64_MAX;
	while (!stopping) {
		bool ready = true;
		turn(collect);
		if (collect->failed)
			return err_set(err, AISLE_E_IO, "cannot write into %s",
			    collect->options->into);
		for (size_t i = 0; i < collect->source_count; i++) {
			const struct source *source = collect->sources[i];
			ready = ready && source->state == SOURCE_READY;
			if (source->why != NULL)
				return err_set(err, AISLE_E_IO, "%s: %s", source->url, source->why);
			if (!ready && wan_now_ms() - began > ONCE_CONNECT_MS)
				return err_set(err, AISLE_E_IO, "%s: no answer", source->url);
		}
		if (ready && collect->last_ms == INT64_MAX)
			collect->last_ms = wan_now_ms();
		if (ready && wan_now_ms() - collect->last_ms >= ONCE_MS)
			break;
	}
	return 0;
}

static void
run_forever(struct collect *collect)
{
	while (!stopping) {
		if (open_records(collect))
			turn(collect);
	}
}

/* Our acknowledgements are on their way to the stores before we leave, if the brokers are
 * willing. */
static void
leave(struct collect *collect)
{
	int64_t end = wan_now_ms() + LEAVE_MS;
	bool idle = collect->records == NULL;
	while (!idle && wan_now_ms() < end && collect->records != NULL) {
		idle = true;
		for (size_t i = 0; i < collect->source_count; i++)
			idle = idle && collect->sources[i]->kind->idle(collect->sources[i]);
		if (!idle)
			turn(collect);
	}
}

static int
start(struct collect *collect, struct err *err)
{
	const struct broker_options *broker = &collect->options->broker;
	int rc = collect_name_take(collect->options->into, &collect->name, err);
	for (size_t i = 0; i < broker->count && rc == 0; i++) {
		rc = source_open(broker, broker->urls[i], collect->name.text, &collect->sources[i],
		    err);
		collect->source_count += rc == 0;
	}
	erased_path(collect->options->erased, collect->options->archive, collect->options->into,
	    &collect->erased);
	if (rc == 0 && collect->options->archive != NULL)
		rc = archive_open(collect->options->archive, collect->name.text, &collect->archive,
		    err);
	collect->turn.keep_raw = collect->archive != NULL;
	return rc != 0 ? rc : open_once(collect, err);
}

static void
stop(struct collect *collect)
{
	log_info("collect: leaving batches=%lld rows=%lld refused=%lld", collect->batches,
	    collect->rows, collect->turn.bad);
	for (size_t i = 0; i < collect->source_count; i++)
		collect->sources[i]->kind->free(collect->sources[i]);
	records_close(collect->records);
	archive_close(collect->archive);
	buf_done(&collect->erased);
	erasures_done(&collect->forgotten.erasures);
	collect_name_done(&collect->name);
	turn_clear(&collect->turn);
	free(collect->turn.items);
	free(collect);
}

int
collect_run(const struct collect_options *options, struct err *err)
{
	struct sigaction on = { .sa_handler = on_stop }, old_term, old_int;
	CHECK(options->broker.count >= 1 && options->broker.count <= BROKERS_MAX);
	if (random_begin(err) != 0)
		return AISLE_E_IO;
	struct collect *collect = mem_zero(sizeof(*collect));
	collect->options = options;
	collect->name.lock = -1;
	collect->turn.items = mem_calloc(TURN_ROOM, sizeof(*collect->turn.items));
	stopping = 0;
	sigaction(SIGTERM, &on, &old_term);
	sigaction(SIGINT, &on, &old_int);
	mosquitto_lib_init();

	int rc = start(collect, err);
	if (rc == 0 && options->once)
		rc = run_once(collect, err);
	else if (rc == 0)
		run_forever(collect);
	if (rc == 0)
		leave(collect);
	stop(collect);
	mosquitto_lib_cleanup();
	sigaction(SIGTERM, &old_term, NULL);
	sigaction(SIGINT, &old_int, NULL);
	return rc;
}
