/* SPDX-License-Identifier: Apache-2.0
 *
 * feature_rows.h - training rows: at each event that could start a decision, the feature vector
 * that deciding would have had at that moment.
 */
#ifndef AISLE_TOOLS_FEATURE_ROWS_H
#define AISLE_TOOLS_FEATURE_ROWS_H

#include "aisle/event.h"
#include "aisle/value.h"
#include "core/buf.h"

struct engine;
struct visit;

/* Everything is borrowed until the callback returns. */
struct feature_row {
	int64_t at_ms; /* the engine's time, as in a decision's "at" */
	enum event_type type;
	const char *event; /* its id */
	struct id visit_id;
	bool has_subject; /* only with consent to personalise and to keep a profile */
	struct id subject;
	const char *basket;	    /* NULL: none yet */
	const struct value *values; /* in order of feature name */
	size_t count;
	const struct visit *visit; /* as it is at this moment */
	uint32_t marks_off;	   /* as sources have it */
};
typedef void (*feature_row_fn)(void *ctx, const struct feature_row *row);

/* Answers and what the till says of an offer end a prompt; they start nothing. */
#define FEATURE_ROWS_NEVER \
	(1u << EV_OFFER_APPLIED | 1u << EV_OFFER_REFUSED | 1u << EV_OFFER_REDEEMED | \
	    1u << EV_OFFER_REVERSED | 1u << EV_GUIDANCE_SHOWN | 1u << EV_GUIDANCE_DECIDED)

/* "aisle.basket.closed,aisle.basket.opened" to a bit per type. false: ret_wrong is the first that
 * never starts a decision, or is no type (borrowed, up to its comma). */
bool feature_rows_types(const char *list, uint32_t *ret_types, const char **ret_wrong);

struct feature_rows;
/* From now on each row goes to each(). engine has a policy, which stays in force. types 0: those
 * that some action of the policy names. */
struct feature_rows *feature_rows_open(struct engine *engine, uint32_t types, feature_row_fn each,
    void *ctx);
void feature_rows_close(struct feature_rows *rows); /* before the engine; NULL is fine */
size_t feature_rows_count(const struct feature_rows *rows);
const char *feature_rows_name(const struct feature_rows *rows, size_t i);

/* Appends a line: the names, a row. Missing is empty; a text is always quoted, so that it differs
 * from missing; a number is the shortest text that reads back as itself. */
void feature_rows_csv_head(const struct feature_rows *rows, struct buf *out);
void feature_row_csv(const struct feature_row *row, struct buf *out);

#endif
