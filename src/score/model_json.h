/* SPDX-License-Identifier: Apache-2.0
 *
 * model_json.h - JSON of model files, read as it passes by, with NaN and Infinity; or the same as
 * UBJSON.
 */
#ifndef AISLE_SCORE_MODEL_JSON_H
#define AISLE_SCORE_MODEL_JSON_H

#include "core/buf.h"

#define JSONR_LEVELS 80u /* open at once in UBJSON: what is skipped, and what is around it */

struct jsonr_form;

/* After the first mistake every call gives false, 0 or nothing, and err is filled. */
struct jsonr {
	const struct jsonr_form *form;
	const char *text, *at, *end;
	const char *name;
	struct err *err;
	bool failed;
	struct buf word; /* the string or key read last */
	char last;	 /* JSON: last structural character: { [ , or anything else */
	/* UBJSON: the containers that are open */
	struct jsonr_level {
		char bracket, type; /* of its numbers; 0: each says its own */
		bool counted;
		uint64_t left; /* items to come, if counted */
	} levels[JSONR_LEVELS];
	uint32_t depth;
};
struct numbers {
	double *at;
	size_t count, cap;
};

/* The two ways in which files are written. */
struct jsonr_form {
	char (*kind)(struct jsonr *r); /* what comes: { [ " or, for any other, 0 */
	bool (*enter)(struct jsonr *r, char bracket);
	bool (*another)(struct jsonr *r, char bracket); /* an item, or false behind the last */
	bool (*key)(struct jsonr *r);			/* of the member that comes */
	bool (*string)(struct jsonr *r);
	double (*number)(struct jsonr *r, bool float32);
	bool (*null)(struct jsonr *r); /* whether one was there */
	void (*where)(const struct jsonr *r, int *ret_line, int *ret_column);
};
extern const struct jsonr_form jsonr_text, jsonr_binary;

/* text must be followed by a zero byte. */
void jsonr_init(struct jsonr *r, const struct jsonr_form *form, const char *text, size_t len,
    const char *name, struct err *err);
void jsonr_done(struct jsonr *r);
bool jsonr_fail(struct jsonr *r, const char *what); /* always false */
bool jsonr_enter(struct jsonr *r, char bracket);    /* { or [ */
bool jsonr_key(struct jsonr *r); /* the next key into r->word, or false behind } */
bool jsonr_is(const struct jsonr *r, const char *key);
/* Which of the names the key is, or -1. One that *seen has already is a mistake: a file that says a
 * thing twice means one of them, and nobody can tell which. */
int jsonr_pick(struct jsonr *r, const char *const *names, size_t count, uint32_t *seen);
bool jsonr_item(struct jsonr *r);   /* whether an item follows, or false behind ] */
bool jsonr_string(struct jsonr *r); /* into r->word */
/* also true, false, NaN, Infinity; float32: rounded once */
double jsonr_number(struct jsonr *r, bool float32);
/* an array; ret is cleared first */
void jsonr_numbers(struct jsonr *r, bool float32, size_t max, struct numbers *ret);
void jsonr_skip(struct jsonr *r);
void jsonr_end(struct jsonr *r); /* nothing may follow */

#endif
