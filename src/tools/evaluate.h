/* SPDX-License-Identifier: Apache-2.0
 *
 * evaluate.h - what another policy would have earned at the draws of this one.
 */
#ifndef AISLE_TOOLS_EVALUATE_H
#define AISLE_TOOLS_EVALUATE_H

#include "aisle/policy.h"
#include "hq/drawn.h"
#include "learn/off_policy.h"

struct decision;

struct evaluate_missed {
	const char *action; /* with its depth, where it has one */
	double share;	    /* of the candidate's draws */
};
struct evaluation {
	struct ope candidate, logged;
	struct clustered difference;
	double decisions;
	/* draws that are left out, each for one reason */
	long long uncounted; /* not a visit's first one in its place */
	long long second;    /* of a placement's further slots */
	long long withheld;
	long long open;	   /* what came of some of its actions is not told yet */
	long long unknown; /* no such decision in these events */
	long long taken;   /* the candidate draws nothing there: its slot is taken */
	long long
	    untold; /* draws with actions whose outcome no till tells: they count as nothing */
	struct evaluate_missed *missed; /* what was never drawn, the most first */
	size_t missed_count;
};

struct evaluate;
struct evaluate *evaluate_new(void);
void evaluate_free(struct evaluate *evaluate); /* NULL is fine */
/* A draws_fn: what the candidate does where the log has drawn; ctx: struct evaluate. */
void evaluate_draw(void *ctx, const struct decision *made, const struct decision *other);
/* The log's rows, settled; logged: the policy that drew. Once. */
void evaluate_settle(struct evaluate *evaluate, const struct drawn_list *list,
    const struct policy *logged, struct evaluation *ret);
void evaluation_done(struct evaluation *evaluation);

/* How far off value may be: half its interval of 95 %; 0: none. */
double evaluation_half(const struct clustered *value);
/* candidate, logged: their names. */
void evaluation_json(const struct evaluation *evaluation, const struct policy *candidate,
    const struct policy *logged, struct buf *out);
void evaluation_text(const struct evaluation *evaluation, const struct policy *candidate,
    const struct policy *logged, struct buf *out);
/* Why there is no figure, and what would have to be otherwise; of OPE_SOUND nothing. */
void evaluation_refusal(const struct evaluation *evaluation, struct buf *out);

#endif
