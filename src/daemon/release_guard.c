/* SPDX-License-Identifier: Apache-2.0
 *
 * release_guard.c - the bounds of a signed release, held against what was counted.
 *
 * A ratio is of a new figure by the old one; where the old one is nothing, or either is of too few,
 * it is not asked.
 */
#include "daemon/release_guard.h"

static bool
beyond(const char *what, double now, double next, double most, struct buf *says)
{
	if (now <= 0 || next <= now * most)
		return false;
	buf_addf(says, "%s went from %.4g to %.4g, expected at most %.4g times as much", what, now,
	    next, most);
	return true;
}

bool
guard_within(const struct release_bounds *bounds, const struct guard_sums *before,
    const struct guard_sums *since, struct buf *says)
{
	if (since->errors > bounds->errors) {
		buf_addf(says, "%lld errors, expected at most %lld", (long long)since->errors,
		    (long long)bounds->errors);
		return false;
	}
	/* Twice what it was: a slow disk was slow before. */
	if (before->turns >= GUARD_TURNS_MIN && since->turns >= GUARD_TURNS_MIN &&
	    since->p99_ms > (double)bounds->latency_ms && since->p99_ms > 2 * before->p99_ms) {
		buf_addf(says, "99 %% of turns took up to %.4g ms, expected at most %lld",
		    since->p99_ms, (long long)bounds->latency_ms);
		return false;
	}
	if (before->prompts < GUARD_PROMPTS_MIN || since->prompts < GUARD_PROMPTS_MIN)
		return true;
	return !beyond("the share of cards dismissed",
		   (double)before->dismissed / (double)before->prompts,
		   (double)since->dismissed / (double)since->prompts, bounds->dismissals, says) &&
	    !beyond("the discount spent a card",
		(double)before->redeemed_minor / (double)before->prompts,
		(double)since->redeemed_minor / (double)since->prompts, bounds->discount, says);
}

bool
guard_shadow(const struct release_bounds *bounds, const struct shadow_report *report,
    struct buf *says)
{
	const struct shadow_tally *now = &report->now, *next = &report->next;
	double agreement;

	if (now->decisions < SHADOW_DECISIONS_MIN) {
		buf_addf(says, "too few decisions to compare: %lld, expected %d",
		    (long long)now->decisions, SHADOW_DECISIONS_MIN);
		return true;
	}
	agreement = (double)report->same / (double)report->decisions;
	if (agreement < bounds->agreement) {
		buf_addf(says,
		    "the same top card in %.3g %% of the decisions, expected at least %.3g %%",
		    100 * agreement, 100 * bounds->agreement);
		return false;
	}
	if (next->p99_ms > (double)bounds->latency_ms && next->p99_ms > 2 * now->p99_ms) {
		buf_addf(says, "99 %% of events took up to %.4g ms, expected at most %lld",
		    next->p99_ms, (long long)bounds->latency_ms);
		return false;
	}
	return !beyond("what offers are expected to cost", now->discount, next->discount,
		   bounds->discount, says) &&
	    !beyond("cards", (double)now->cards, (double)next->cards, bounds->cards, says) &&
	    !beyond("candidates that caps and budgets closed", (double)now->pressure,
		(double)next->pressure, bounds->pressure, says);
}
