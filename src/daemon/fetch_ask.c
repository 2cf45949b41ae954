/* SPDX-License-Identifier: Apache-2.0
 *
 * fetch_ask.c - what is asked for of an artifact: so many chunks at a time, at a pace, and again when they do not come.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "daemon/loop_fetch.h"

#define WANT_MAX 32
#define AGAIN_FIRST_MS (30 * S_MS)
#define AGAIN_LAST_MS (10 * MIN_MS)

static void
chunk_topic(const struct daemon *daemon, const struct fetch *fetch, int number,
    char out[static 256])
{
	if (fetch->artifact.own)
		snprintf(out, 256, "aisle/v1/hq/store/%s/chunk/%s/+", daemon->conf.store_id,
		    fetch->artifact.hash);
	else
		snprintf(out, 256, "aisle/v1/hq/artifact/%s/%d", fetch->artifact.hash, number);
}

/* So many that a second of the rate is under way, one at least. */
static int
window(const struct fetch *fetch, int max)
{
	int64_t rate = fetch->terms.rate_kib_s * 1024, most = rate / fetch->artifact.chunk;

	if (rate <= 0 || most > max)
		return max;
	return most < 1 ? 1 : (int)most;
}

/* Until it is asked for again: half of the back-off for certain, the other half by chance. */
static void
expect(struct fetch *fetch)
{
	int64_t half;

	if (fetch->backoff_ms < AGAIN_FIRST_MS)
		fetch->backoff_ms = AGAIN_FIRST_MS;
	half = fetch->backoff_ms / 2;
	fetch->again_ms = daemon_mono_ms() + half + randombytes_uniform((uint32_t)half + 1);
}

static void
expect_longer(struct fetch *fetch)
{
	expect(fetch);
	fetch->backoff_ms =
	    fetch->backoff_ms * 2 < AGAIN_LAST_MS ? fetch->backoff_ms * 2 : AGAIN_LAST_MS;
}

static bool
is_asked(const struct fetch *fetch, int number)
{
	for (size_t i = 0; i < fetch->asked_count; i++)
		if (fetch->asked[i] == number)
			return true;
	return false;
}

static void
ask_retained(struct daemon *daemon, struct fetch *fetch)
{
	int most = window(fetch, FETCH_WINDOW);
	char topic[256];

	for (int n = transfer_missing(fetch->transfer, 0);
	     n >= 0 && fetch->asked_count < (size_t)most;
	     n = transfer_missing(fetch->transfer, n + 1)) {
		if (is_asked(fetch, n))
			continue;
		chunk_topic(daemon, fetch, n, topic);
		daemon_hq_subscribe(daemon, topic);
		fetch->asked[fetch->asked_count++] = n;
	}
}

/* The first that are missing in a row. */
static void
ask_own(struct daemon *daemon, struct fetch *fetch)
{
	int most = window(fetch, WANT_MAX), from = transfer_missing(fetch->transfer, 0), count = 1;
	char topic[256];
	struct buf want = { 0 };
	struct json_writer *w = JSON_OBJECT(&want);

	CHECK(from >= 0);
	if (!fetch->listens) {
		chunk_topic(daemon, fetch, 0, topic);
		daemon_hq_subscribe(daemon, topic);
		fetch->listens = true;
	}
	while (count < most && transfer_missing(fetch->transfer, from + count) == from + count)
		count++;
	json_add_str(w, "hash", fetch->artifact.hash);
	json_add_int(w, "from", from);
	json_add_int(w, "count", count);
	json_end(w);
	snprintf(topic, sizeof(topic), "aisle/v1/hq/store/%s/want", daemon->conf.store_id);
	if (daemon_hq_publish(daemon, topic, want.data, want.len)) {
		fetch->want_from = from;
		fetch->want_count = count;
	}
	buf_done(&want);
}

/* Is any of the chunks that were wanted still missing? */
static bool
want_open(const struct fetch *fetch)
{
	int next = fetch->want_count > 0 ? transfer_missing(fetch->transfer, fetch->want_from) : -1;

	return next >= 0 && next < fetch->want_from + fetch->want_count;
}

static void
ask_again(struct daemon *daemon, struct fetch *fetch)
{
	char topic[256];

	expect_longer(fetch);
	fetch_forget_want(fetch);
	for (size_t i = 0; i < fetch->asked_count; i++) {
		chunk_topic(daemon, fetch, fetch->asked[i], topic);
		daemon_hq_subscribe(daemon, topic);
	}
}

void
fetch_ask(struct daemon *daemon, struct fetch *fetch)
{
	int64_t now = daemon_mono_ms();

	if (now < fetch->pace_ms)
		return;
	if (!fetch_asks(fetch))
		expect(fetch);
	else if (now >= fetch->again_ms)
		ask_again(daemon, fetch);
	if (!fetch->artifact.own)
		ask_retained(daemon, fetch);
	else if (!want_open(fetch))
		ask_own(daemon, fetch);
}

void
fetch_forget_want(struct fetch *fetch)
{
	fetch->want_count = 0;
}

bool
fetch_asks(const struct fetch *fetch)
{
	return fetch->asked_count > 0 || fetch->want_count > 0;
}

static void
leave(struct daemon *daemon, struct fetch *fetch, size_t i)
{
	char topic[256];

	chunk_topic(daemon, fetch, fetch->asked[i], topic);
	daemon_hq_unsubscribe(daemon, topic);
	fetch->asked[i] = fetch->asked[--fetch->asked_count];
}

void
fetch_ask_nothing(struct daemon *daemon, struct fetch *fetch)
{
	char topic[256];

	while (fetch->asked_count > 0)
		leave(daemon, fetch, fetch->asked_count - 1);
	if (fetch->listens) {
		chunk_topic(daemon, fetch, 0, topic);
		daemon_hq_unsubscribe(daemon, topic);
	}
	fetch->listens = false;
	fetch_forget_want(fetch);
}

void
fetch_ask_later(struct daemon *daemon, struct fetch *fetch)
{
	fetch_ask_nothing(daemon, fetch);
	expect_longer(fetch);
	fetch->pace_ms = fetch->again_ms;
	fetch->bad = 0;
}

void
fetch_answered(struct daemon *daemon, struct fetch *fetch, int number, bool is_new, size_t len)
{
	int64_t now = daemon_mono_ms();

	for (size_t i = 0; i < fetch->asked_count; i++) {
		if (fetch->asked[i] == number) {
			leave(daemon, fetch, i);
			break;
		}
	}
	if (!is_new)
		return;
	/* Not at once to the shortest: over a slow line that would ask again for what is on its way. */
	fetch->backoff_ms =
	    fetch->backoff_ms / 2 > AGAIN_FIRST_MS ? fetch->backoff_ms / 2 : AGAIN_FIRST_MS;
	expect(fetch);
	if (fetch->terms.rate_kib_s <= 0)
		return;
	if (fetch->pace_ms < now)
		fetch->pace_ms = now;
	fetch->pace_ms += (int64_t)len * 1000 / (fetch->terms.rate_kib_s * 1024);
}
