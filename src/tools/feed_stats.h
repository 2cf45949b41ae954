/* SPDX-License-Identifier: Apache-2.0
 *
 * feed_stats.h - what a feed check counts. Private to feed check.
 */
#ifndef AISLE_TOOLS_FEED_STATS_H
#define AISLE_TOOLS_FEED_STATS_H

#include "ingest/envelope.h"

struct feed_map;

struct feed_reject {
	int64_t count;
	int64_t first_line;
	char detail[200];
};

struct feed_stats {
	const char *store; /* NULL: any */
	int64_t lines;	   /* not blank */
	int64_t events;	   /* accepted, doubles too */
	struct feed_reject rejects[REJECT_COUNT];
	int64_t rejected, unknown_members;
	int64_t doubles, conflicts, conflict_line;
	int64_t now_ms;	   /* when the file is read */
	int64_t future;	   /* events without recordedtime, more than 300 s later than that */
	int64_t recorded;  /* events with recordedtime */
	int64_t off_clock; /* of them, more than 5 s ahead or 60 s behind */
	int64_t ahead_ms, behind_ms; /* the most */
	int64_t out_of_order;
	int64_t other_store;
	int64_t items, without_category, with_margin, bad_gtins, restricted, late_lines;
	/* counted at the end, over baskets that are no training */
	int64_t again, again_line; /* baskets of a number that their till had given before */
	int64_t baskets, closed, cancelled, open, identified, tendered, unopened, wrong_totals;
	int64_t training;
	/* more names than the tables hold: counts are too low from there on */
	bool full;
	struct feed_map *seen, *baskets_by_id, *numbers, *suspended, *lines_by_id, *stations,
	    *sources, *tokens;
};

void feed_stats_init(struct feed_stats *stats, const char *store);
void feed_stats_done(struct feed_stats *stats);
/* One line of the file: accepted (event) or refused (event NULL). has_recordedtime: the line says
 * when it arrived. */
void feed_stats_add(struct feed_stats *stats, int64_t line, const struct event *event,
    const struct rejected *rejected, bool has_recordedtime);
void feed_stats_end(struct feed_stats *stats);

#endif
