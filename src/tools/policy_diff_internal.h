/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_diff_internal.h - what the files of the comparison share.
 */
#ifndef AISLE_TOOLS_POLICY_DIFF_INTERNAL_H
#define AISLE_TOOLS_POLICY_DIFF_INTERNAL_H

#include "tools/policy_diff.h"

struct diff_words {
	const char *currency;
	int currency_digits;
	const char *offer_type; /* of the action that is looked at; NULL: none */
};
/* A member's value (of a list: one element, or all), as people say it; at most POLICY_DIFF_TEXT_BYTES. */
void diff_say(const struct diff_words *words, const char *member, const json_t *json,
    struct buf *out);
/* "offer.depth" → "depth"; a path without another name is its own. */
const char *diff_label(const char *path);

#define DIFF_PATH_SIZE 300
struct diff {
	struct diff_words was_words, now_words;
	const json_t *was, *now; /* sources */
	json_t *changes, *lines; /* lines: of the change that is being written */
	size_t left_off;
};
void diff_begin(struct diff *d);
/* Takes the lines over; a change without any, that neither came nor went, is none. */
void diff_end(struct diff *d, const char *of, const char *name, const char *is, const char *says);
void diff_line(struct diff *d, const char *path, const json_t *was, const json_t *now);
void diff_text(struct diff *d, const char *what, const char *was, const char *now);
/* Lines for all that differs; NULL: is not there. */
void diff_compare(struct diff *d, const char *path, const json_t *was, const json_t *now);
bool diff_same(const json_t *a, const json_t *b);
/* The names of members that either has, sorted; the caller frees. */
const char **diff_names(const json_t *was, const json_t *now, size_t *ret_count);

#endif
