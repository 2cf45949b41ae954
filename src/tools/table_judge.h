/* SPDX-License-Identifier: Apache-2.0
 *
 * table_judge.h - how good is a table on baskets that it was not counted from? Pure.
 */
#ifndef AISLE_TOOLS_TABLE_JUDGE_H
#define AISLE_TOOLS_TABLE_JUDGE_H

#include "recommend/table.h"
#include "tools/table_count.h"
#include "tools/table_data.h"

/* A figure for each question, in the same order for each that is asked. NaN: not asked. */
struct table_marks {
	double *list;
	size_t count;
};
void table_marks_done(struct table_marks *marks);
double table_marks_mean(const struct table_marks *marks);
/* How far a is above b on average, in standard errors of that. */
double table_marks_above(const struct table_marks *a, const struct table_marks *b);

#define TABLE_HIDDEN_MAX 6
/* Open basket: of each basket from..to of two and more known items one is hidden and the others are
 * scanned, with one after the other, six at most. The mark is the mean of 1 / its rank among all
 * that is not scanned. part: whose numbers the table has. */
void table_judge_open(const struct table *table, const struct table_part *part, size_t from,
    size_t to, struct table_marks *ret);
/* Those that are hidden, as places in uses; begins by lot. Returns how many. */
size_t table_judge_hidden(size_t basket, size_t count, size_t hidden[static TABLE_HIDDEN_MAX]);

/* Of a customer's next basket: 1 if the first of the list is in it (or 0); and how well the first five are
 * ordered (normalised discounted gain). Of baskets from..to at most max, evenly. */
struct table_next {
	struct table_marks first, order;
};
void table_judge_next(const struct table *table, const struct table_part *part, size_t from,
    size_t to, size_t max, struct table_next *ret);

/* What was said with which score, and whether it came. */
struct table_said {
	int64_t score;
	bool came;
};
/* Baskets from..to, half of each scanned: the first picks of the table. */
void table_say_open(const struct table *table, const struct table_part *part, size_t from,
    size_t to, struct table_said **ret, size_t *ret_count);
void table_say_next(const struct table *table, const struct table_part *part, size_t from,
    size_t to, size_t max, struct table_said **ret, size_t *ret_count);
/* Steps of rising score and chance (pooled adjacent violators). Of fewer than 200 said: none. */
void table_calibrate(struct table_made *made, struct table_said *said, size_t count);

/* The visits of each customer, in order of time. */
struct table_visits {
	uint32_t *list; /* baskets, by customer and time */
	size_t count;
	uint32_t *
	    before; /* per basket of data: how many of his precede it in list; UINT32_MAX: nobody's */
	uint32_t *place; /* per basket of data: where in list */
};
void table_visits_make(struct table_visits *visits, const struct table_data *data);
void table_visits_done(struct table_visits *visits);
/* The customer's habits at the moment of that basket. Returns how many. */
size_t table_habits(struct arena *arena, const struct table *table, const struct table_part *part,
    const struct table_visits *visits, size_t basket, struct table_own *ret);

/* ---- table_train_substitutes.c ---- */

/* Rows of what is taken instead. alike: false is plain counting, the type's most bought. */
void table_made_instead(struct table_made *made, const struct table_part *part, bool alike);
/* A customer's next of a type, another than his last: order is 1 / its rank among the twenty. */
void table_judge_instead(const struct table *table, const struct table_part *part, size_t from,
    size_t to, struct table_next *ret);

/* ---- table_patience.c ---- */

struct table_needless {
	size_t said, needless;
};
/* Reminders of what the customer would have bought anyway, over baskets from..to. */
struct table_needless table_needless(const struct table *table, const struct table_part *part,
    size_t from, size_t to, double patience);
/* How long to wait, and what came of it. */
uint16_t table_patience(const struct table *table, const struct table_part *part, size_t from,
    size_t to, struct table_needless *ret);

#endif
