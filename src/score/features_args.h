/* SPDX-License-Identifier: Apache-2.0
 *
 * features_args.h - the words and arguments of a "from" text, for features_decl.c.
 */
#ifndef AISLE_SCORE_FEATURES_ARGS_H
#define AISLE_SCORE_FEATURES_ARGS_H

#include "core/arena.h"

#define ARGS_MAX 4
#define WORD_MAX 256

/* One argument: "half_life=30d", or a bare word with value NULL. */
struct arg {
	char *name, *value;
	int column, value_column;
};

struct scan {
	struct arena *arena;
	const char *text;
	size_t at;
	struct err *err;
	struct arg args[ARGS_MAX];
	size_t arg_count;
	unsigned used; /* bit per argument that had a meaning */
};

/* "what, expected …" at a column from 1; returns AISLE_E_INVALID. */
int args_fail(struct scan *scan, int column, const char *what, const char *expected);
int args_here(const struct scan *scan);
/* Up to one of stop, without the spaces at its end; NULL: empty or too long. */
char *args_word(struct scan *scan, const char *stop);
/* "(…)" up to the end of the text, into scan->args. */
int args_read(struct scan *scan);
/* The argument of a name, which is thereby used; NULL: not given. */
struct arg *args_take(struct scan *scan, const char *name);
/* An argument that was not used is one that does not belong. */
int args_no_more(struct scan *scan, const char *expected);
/* Over 0 into *ret_ms; untouched when not given. */
int args_duration(struct scan *scan, const char *name, int64_t *ret_ms);

#endif
