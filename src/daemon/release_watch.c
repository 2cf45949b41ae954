/* SPDX-License-Identifier: Apache-2.0
 *
 * release_watch.c - a policy on probation: what is counted of it beside what was counted of the one
 * before it, and the way back.
 *
 * What is counted of the cards is the business day's, from the state; of turns and errors what this
 * process has seen.
 */
#include "daemon/release.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/metrics.h"

/* ---- counted ---- */

/* Of the turns beyond those that begin counts. */
static double
p99_ms(const struct guard_sums *begin, int64_t turns)
{
	int64_t us, count, below = 0, want = turns - turns / 100;

	for (size_t i = 0; turns > 0 && metrics_bucket(i, &us, &count); i++) {
		below += count - begin->buckets[i];
		if (below >= want)
			return us == INT64_MAX ? 1e9 : (double)us / 1000;
	}
	return 0;
}

static void
add_cards(struct daemon *daemon, struct guard_sums *sums)
{
	struct buf text = { 0 };
	json_t *json;

	query_sums(daemon->engine, daemon_now_ms(daemon), &text);
	json = json_loadb(text.data, text.len, 0, NULL);
	sums->prompts = json_integer_value(json_object_get(json, "prompts"));
	sums->dismissed = json_integer_value(json_object_get(json, "dismissed"));
	sums->redeemed_minor = json_integer_value(json_object_get(json, "redeemed_minor"));
	json_decref(json);
	buf_done(&text);
}

void
release_watch_begin(struct track *track, struct guard_sums *ret_sums)
{
	static const struct guard_sums none = { 0 };
	struct guard_sums sums = { 0 };
	int64_t us, count;

	add_cards(track->daemon, &sums);
	sums.errors = metrics_get(METRIC_SET_ASIDE);
	for (size_t i = 0; metrics_bucket(i, &us, &count); i++) {
		CHECK(i < GUARD_BUCKETS_MAX);
		sums.buckets[i] = count;
		sums.turns += count;
	}
	sums.p99_ms = p99_ms(&none, sums.turns);
	*ret_sums = sums;
}

/* A business day has begun since: its sums are all of this policy. */
static int64_t
since(int64_t begin, int64_t now)
{
	return now >= begin ? now - begin : now;
}

static void
count(struct track *track, struct guard_sums *ret)
{
	struct guard_sums now;

	release_watch_begin(track, &now);
	*ret = (struct guard_sums){ .prompts = since(track->at.prompts, now.prompts),
		.dismissed = since(track->at.dismissed, now.dismissed),
		.redeemed_minor = since(track->at.redeemed_minor, now.redeemed_minor),
		.turns = now.turns - track->at.turns,
		.errors = track->errors + now.errors - track->at.errors };
	ret->p99_ms = p99_ms(&track->at, ret->turns);
}

/* ---- each second ---- */

bool
release_watched_long_enough(const struct track *track)
{
	return daemon_now_ms(track->daemon) >=
	    track->switched_ms + track->bounds.probation_s * S_MS;
}

void
release_watch(struct track *track)
{
	struct guard_sums sums;
	struct buf says = { 0 };

	if (!track->watched)
		return;
	count(track, &sums);
	if (!guard_within(&track->bounds, &track->before, &sums, &says)) {
		if (daemon_mono_ms() >= track->back_ms)
			release_go_back(track, says.data);
	} else if (release_watched_long_enough(track)) {
		release_watch_end(track);
		daemon_retire(track->daemon, track->back.hash);
	}
	buf_done(&says);
}

void
release_watch_end(struct track *track)
{
	track->watched = false;
	if (track->state == RELEASE_PROBATION)
		release_take_step(track, RELEASE_KEPT);
	else
		release_keep(track);
}

/* ---- after a restart ---- */

void
release_watch_again(struct track *track)
{
	const struct policy *policy = engine_policy(track->daemon->engine);

	/* The start has met a file that cannot be used, and went back by itself. */
	if (policy == NULL || strcmp(policy->hash, track->watched_policy) != 0) {
		release_say(track, REFUSED_IO, "its file cannot be used any more");
		release_take_step(track, RELEASE_BACK);
		release_watch_end(track);
		return;
	}
	if (track->daemon->poison != NULL) {
		track->errors++;
		release_keep(track);
	}
	release_watch_begin(track, &track->at);
}
