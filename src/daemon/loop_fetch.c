/* SPDX-License-Identifier: Apache-2.0
 *
 * loop_fetch.c - artifacts of headquarters come in, chunk by chunk, beside the turns.
 *
 * DESIGN
 *   What all stores get is retained at the broker: a few chunk topics are subscribed to at a time,
 *   and each is left when it has come. (Rejected: one wildcard. A broker drops most of a large
 *   artifact on the way to a client that is slower than its memory.) What one store gets is asked
 *   for, and answered on topics that keep nothing.
 *
 *   All is at QoS 0: what does not come is asked for again, later each time. While headquarters is
 *   away nothing is lost, and nothing is asked. A chunk that is refused is as if it had not come; a
 *   broker can delay a release, and no more.
 *
 *   The loop does a slice at a time; whoever wanted the artifact is told from the loop, never from
 *   within daemon_fetch().
 */
#include "daemon/loop_fetch.h"

#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/zone_file.h"
#include "sync/when_fetched.h"
#include "trust/refusal.h"

#define FETCHES_MAX 8
#define BAD_MAX 8 /* chunks in a row: then it rests */

struct fetching {
	struct fetch *fetches[FETCHES_MAX]; /* in the order in which they were wanted */
	size_t count;
	struct event *event;
	struct zone *zone; /* where no policy brings the store's; NULL: UTC */
	bool hq_up;	   /* when it was last looked */
};

static void
look_in(struct daemon *daemon, int64_t ms)
{
	struct timeval wait = { .tv_sec = ms / S_MS, .tv_usec = ms % S_MS * 1000 };

	event_add(daemon->fetching->event, &wait);
}

static struct fetch *
find(const struct daemon *daemon, const char *hash)
{
	const struct fetching *fetching = daemon->fetching;

	for (size_t i = 0; fetching != NULL && i < fetching->count; i++)
		if (strcmp(fetching->fetches[i]->artifact.hash, hash) == 0)
			return fetching->fetches[i];
	return NULL;
}

static void
folder_of(const struct daemon *daemon, char out[static 512])
{
	snprintf(out, 512, "%s/transfer", daemon->conf.state_dir);
}

/* ---- it is opened, and ends ---- */

static bool
has_room(const struct daemon *daemon, const struct fetch *next, int64_t *ret_bytes)
{
	const struct fetching *fetching = daemon->fetching;
	size_t open = 1;

	*ret_bytes = next->artifact.bytes;
	for (size_t i = 0; i < fetching->count; i++) {
		if (fetching->fetches[i]->transfer == NULL)
			continue;
		open++;
		*ret_bytes += fetching->fetches[i]->artifact.bytes;
	}
	return open == 1 || (open <= TRANSFER_FILES_MAX && *ret_bytes <= TRANSFER_FOLDER_BYTES_MAX);
}

static void
give_up(struct fetch *fetch, enum refusal refusal, const struct err *err)
{
	fetch->refused = refusal;
	fetch->err = *err;
}

static void
open_transfer(struct daemon *daemon, struct fetch *fetch)
{
	const struct fetching *fetching = daemon->fetching;
	const char *keep[FETCHES_MAX];
	size_t keep_count = 0;
	enum refusal refusal = REFUSED_NONE;
	struct err err = { 0 };
	char dir[512];
	int64_t bytes;

	if (!has_room(daemon, fetch, &bytes))
		return;
	for (size_t i = 0; i < fetching->count; i++)
		if (fetching->fetches[i]->transfer != NULL || fetching->fetches[i] == fetch)
			keep[keep_count++] = fetching->fetches[i]->artifact.hash;
	folder_of(daemon, dir);
	transfer_sweep(dir, keep, keep_count, bytes);
	if (transfer_open(dir, fetch->artifact.hash, fetch->artifact.bytes, fetch->artifact.chunk,
		daemon_now_ms(daemon), &fetch->transfer, &refusal, &err) != 0) {
		give_up(fetch, refusal, &err);
		return;
	}
	fetch->offset_s =
	    fetch_offset_s(&fetch->terms, daemon->conf.store_id, fetch->artifact.hash);
	fetch->working = true;
}

/* Out of the table; what came of it stays on disk, or goes. */
static void
drop(struct daemon *daemon, struct fetch *fetch, bool remove)
{
	struct fetching *fetching = daemon->fetching;
	size_t i = 0;

	while (fetching->fetches[i] != fetch)
		i++;
	memmove(&fetching->fetches[i], &fetching->fetches[i + 1],
	    (--fetching->count - i) * sizeof(fetch));
	fetch_ask_nothing(daemon, fetch);
	if (remove)
		transfer_remove(fetch->transfer);
	else
		transfer_close(fetch->transfer);
	free(fetch);
}

static void
tell_refused(struct daemon *daemon, struct fetch *fetch)
{
	struct fetch told = *fetch;

	log_error("an artifact of headquarters was refused hash=%s reason=%s: %s",
	    told.artifact.hash, refusal_name(told.refused), told.err.text);
	drop(daemon, fetch, true);
	told.done(told.ctx, NULL, told.refused, &told.err);
}

static void
tell_whole(struct daemon *daemon, struct fetch *fetch)
{
	static const struct err none;

	(void)daemon;
	fetch->told = true;
	log_notice("an artifact of headquarters is here hash=%s bytes=%lld", fetch->artifact.hash,
	    (long long)fetch->artifact.bytes);
	fetch->done(fetch->ctx, transfer_path(fetch->transfer), REFUSED_NONE, &none);
}

/* ---- the loop ---- */

static void
work(struct daemon *daemon, struct fetch *fetch)
{
	enum refusal refusal = REFUSED_NONE;
	struct err err = { 0 };
	int rc = transfer_step(fetch->transfer, &refusal, &err);

	if (rc < 0) {
		give_up(fetch, refusal, &err);
		return;
	}
	fetch->working = rc == TRANSFER_WORKS;
	fetch->whole = rc == TRANSFER_WHOLE;
	if (rc == TRANSFER_AGAIN) {
		log_warning("an artifact of headquarters comes again from its start: %s", err.text);
		fetch_ask_nothing(daemon, fetch);
		if (fetch->begun_again++ > 0)
			fetch_ask_later(daemon, fetch);
	}
}

static bool
is_allowed(struct daemon *daemon, const struct fetch *fetch)
{
	const struct zone *zone = engine_zone(daemon->engine);

	return fetch_allowed(&fetch->terms, zone != NULL ? zone : daemon->fetching->zone,
	    fetch->offset_s, transfer_since_ms(fetch->transfer), daemon_now_ms(daemon));
}

/* One thing of one of them. true: there is more to do at once. */
static bool
look_at(struct daemon *daemon, struct fetch *fetch)
{
	if (fetch->transfer == NULL && fetch->refused == REFUSED_NONE)
		open_transfer(daemon, fetch);
	else if (fetch->working)
		work(daemon, fetch);
	if (fetch->refused != REFUSED_NONE) {
		tell_refused(daemon, fetch);
		return true;
	}
	if (fetch->whole && !fetch->told) {
		tell_whole(daemon, fetch);
		return true;
	}
	if (fetch->transfer == NULL || fetch->working || fetch->whole)
		return fetch->working;
	if (!is_allowed(daemon, fetch))
		fetch_ask_nothing(daemon, fetch);
	else if (daemon->hq_up)
		fetch_ask(daemon, fetch);
	return false;
}

static void
look(struct daemon *daemon)
{
	struct fetching *fetching = daemon->fetching;
	int64_t wait_ms = S_MS;

	/* Whoever is told may want others, or no more of these: the table is then another. */
	for (size_t i = 0; i < fetching->count; i++) {
		struct fetch *fetch = fetching->fetches[i];

		if (look_at(daemon, fetch)) {
			look_in(daemon, 0);
			return;
		}
		if (fetch->pace_ms > daemon_mono_ms() &&
		    fetch->pace_ms - daemon_mono_ms() < wait_ms)
			wait_ms = fetch->pace_ms - daemon_mono_ms();
	}
	if (fetching->count > 0)
		look_in(daemon, wait_ms);
}

static void
on_look(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	look(ctx);
}

/* What was asked for may have gone with the connection: what is retained comes with the subscriptions, which the
 * link makes again. */
void
daemon_fetch_up(struct daemon *daemon)
{
	struct fetching *fetching = daemon->fetching;

	for (size_t i = 0; fetching != NULL && i < fetching->count; i++)
		if (fetching->fetches[i]->artifact.own)
			fetch_forget_want(fetching->fetches[i]);
	if (fetching != NULL && fetching->count > 0)
		look_in(daemon, 0);
}

/* ---- a chunk ---- */

/* ".../{hash}/{n}": n without leading zeros. */
static bool
read_topic(const char *topic, char ret_hash[static 65], int64_t *ret_number)
{
	const char *slash = strrchr(topic, '/');
	size_t digits = slash != NULL ? strspn(slash + 1, "0123456789") : 0;

	if (digits < 1 || digits > 6 || slash[1 + digits] != '\0' ||
	    (slash[1] == '0' && digits > 1) || slash - topic < 65 || slash[-65] != '/')
		return false;
	memcpy(ret_hash, slash - 64, 64);
	ret_hash[64] = '\0';
	*ret_number = strtol(slash + 1, NULL, 10);
	return true;
}

static void
take_bad(struct daemon *daemon, struct fetch *fetch, enum refusal refusal, const struct err *err)
{
	if (refusal == REFUSED_DISK_FULL || refusal == REFUSED_IO) {
		give_up(fetch, refusal, err);
		look_in(daemon, 0);
		return;
	}
	fetch->why = refusal;
	if (fetch->bad++ == 0)
		log_warning("a chunk of headquarters was refused hash=%s: %s", fetch->artifact.hash,
		    err->text);
	if (fetch->bad >= BAD_MAX)
		fetch_ask_later(daemon, fetch);
}

static void
take_chunk(struct daemon *daemon, const char *topic, const void *payload, size_t len)
{
	struct fetch *fetch;
	char hash[65];
	int64_t number;
	enum refusal refusal = REFUSED_NONE;
	struct err err = { 0 };
	bool is_new;

	/* An empty one says that what was retained is gone. */
	if (len == 0 || !read_topic(topic, hash, &number))
		return;
	fetch = find(daemon, hash);
	if (fetch == NULL || fetch->transfer == NULL || fetch->refused != REFUSED_NONE)
		return;
	/* What comes after it was left: it is late, or a flood of false ones. */
	if (fetch->asked_count == 0 && !fetch->listens)
		return;
	if (transfer_chunk(fetch->transfer, number, payload, len, &is_new, &refusal, &err) != 0) {
		take_bad(daemon, fetch, refusal, &err);
		return;
	}
	fetch_answered(daemon, fetch, (int)number, is_new, len);
	if (!is_new)
		return;
	fetch->bad = 0;
	fetch->why = REFUSED_NONE;
	fetch->working = transfer_missing(fetch->transfer, 0) < 0;
	look_in(daemon, 0);
}

/* ---- what others call ---- */

void
daemon_fetch(struct daemon *daemon, const struct artifact *artifact,
    const struct fetch_terms *terms, fetch_fn done, void *ctx)
{
	struct fetching *fetching = daemon->fetching;
	struct fetch *fetch = find(daemon, artifact->hash);
	struct err err = { 0 };
	enum refusal refusal = REFUSED_NONE;

	if (fetch == NULL && fetching->count == FETCHES_MAX) {
		(void)refusal_say(REFUSED_FULL, &refusal, &err, "more artifacts at a time than %d",
		    FETCHES_MAX);
		done(ctx, NULL, refusal, &err);
		return;
	}
	if (fetch == NULL) {
		fetch = mem_zero(sizeof(*fetch));
		fetch->artifact = *artifact;
		fetching->fetches[fetching->count++] = fetch;
	}
	if (terms != NULL)
		fetch->terms = *terms;
	else
		fetch->terms = (struct fetch_terms){ 0 };
	fetch->offset_s = fetch_offset_s(&fetch->terms, daemon->conf.store_id, artifact->hash);
	fetch->done = done;
	fetch->ctx = ctx;
	fetch->told = false;
	look_in(daemon, 0);
}

void
daemon_fetch_stop(struct daemon *daemon, const char *hash)
{
	struct fetch *fetch = find(daemon, hash);

	if (fetch == NULL)
		return;
	drop(daemon, fetch, fetch->told);
	look_in(daemon, 0);
}

void
daemon_fetch_json(const struct daemon *daemon, struct json_writer *w)
{
	const struct fetching *fetching = daemon->fetching;

	json_add_list(w, "fetches");
	for (size_t i = 0; fetching != NULL && i < fetching->count; i++) {
		const struct fetch *fetch = fetching->fetches[i];

		json_add_object(w, NULL);
		json_add_str(w, "hash", fetch->artifact.hash);
		json_add_int(w, "bytes", fetch->artifact.bytes);
		json_add_int(w, "have",
		    fetch->transfer != NULL ? transfer_have_bytes(fetch->transfer) : 0);
		json_add_str(w, "state",
		    fetch->whole	    ? "whole"
			: fetch->working    ? "checking"
			: fetch_asks(fetch) ? "fetching"
					    : "waiting");
		if (fetch->why != REFUSED_NONE)
			json_add_str(w, "why", refusal_name(fetch->why));
		json_end(w);
	}
	json_end(w);
}

int
daemon_fetch_init(struct daemon *daemon, struct err *err)
{
	struct fetching *fetching = mem_zero(sizeof(*fetching));

	(void)err;
	fetching->event = event_new(daemon->base, -1, 0, on_look, daemon);
	fetching->zone = zone_by_name(daemon->conf.zone);
	daemon->fetching = fetching;
	daemon_hq_hear(daemon, "artifact/", false, take_chunk);
	daemon_hq_hear(daemon, "chunk/", true, take_chunk);
	return 0;
}

/* Nobody is told; what came stays for the next start. */
void
daemon_fetch_done(struct daemon *daemon)
{
	struct fetching *fetching = daemon->fetching;

	while (fetching->count > 0)
		drop(daemon, fetching->fetches[fetching->count - 1], false);
	event_free(fetching->event);
	zone_free(fetching->zone);
	free(fetching);
	daemon->fetching = NULL;
}
