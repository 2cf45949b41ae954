/* SPDX-License-Identifier: Apache-2.0
 *
 * merged_write.c - what stores learned together: a line an action, and as JSON; and whose weeks were left out.
 */
#include "hq/merged.h"

#include <string.h>
#include <time.h>

#include "core/json_write.h"

static const struct {
	unsigned odd;
	const char *name;
} whys[] = {
	{ ODD_MORE_YES_THAN_ROWS, "more-outcomes-than-rows" },
	{ ODD_MORE_EXPECTED_THAN_ROWS, "more-expected-than-rows" },
	{ ODD_RATIO, "ratio-out-of-bounds" },
	{ ODD_SIZE, "twenty-times-the-usual" },
	{ ODD_UNLIKE, "unlike-the-others" },
	{ ODD_DOMINANT, "over-a-quarter" },
};
static const char *const kappa_names[LEARNER_KAPPAS] = {
	[LEARNER_HQ_ALONE] = "none", [LEARNER_80] = "80", [LEARNER_20] = "20"
};
static const char *const arm_names[2] = { "U", "T" };

static void
monday_text(int32_t week, char out[static 24])
{
	struct tm day;
	time_t time = ((time_t)week * 7 - 3) * 86400;

	gmtime_r(&time, &day);
	strftime(out, 24, "%Y-%m-%d", &day);
}

/* ---- JSON ---- */

static void
write_odd(const struct merged *merged, const struct merged_week *week, int arm,
    struct json_writer *w)
{
	char monday[24];

	monday_text(week->week, monday);
	json_add_object(w, NULL);
	json_add_str(w, "store", merged->stores[week->store]);
	json_add_str(w, "week", monday);
	json_add_str(w, "arm", arm_names[arm]);
	json_add_bool(w, "left_out", week->out);
	json_add_double(w, "z", week->arms[arm].z);
	json_add_list(w, "why");
	for (size_t i = 0; i < ARRAY_LEN(whys); i++)
		if (week->arms[arm].odd & whys[i].odd)
			json_add_str(w, NULL, whys[i].name);
	json_end(w);
	json_end(w);
}

static void
write_cell(const struct cells *cells, const struct cell *cell, struct json_writer *w)
{
	json_add_object(w, NULL);
	json_add_str(w, "action", cell->action);
	json_add_str(w, "segment", cell->segment);
	json_add_str(w, "arm", arm_names[cell->treated]);
	json_add_int(w, "n", cell->sum.n);
	json_add_int(w, "y_q16", cell->sum.y);
	json_add_int(w, "p_q16", cell->sum.p);
	json_add_int(w, "ratio_q16", cell->ratio[cells->kappa]);
	json_add_int(w, "ratio_80_q16", cell->ratio[LEARNER_80]);
	json_add_int(w, "ratio_20_q16", cell->ratio[LEARNER_20]);
	json_end(w);
}

void
merged_json(const struct merged *merged, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);
	const struct cells *cells = &merged->cells;
	char monday[24];

	json_add_str(w, "bundle", merged->bundle);
	json_add_int(w, "stores", (int64_t)merged->store_count);
	json_add_int(w, "weeks", (int64_t)merged->by_week_count);
	monday_text(merged->first, monday);
	json_add_str(w, "first_week", monday);
	json_add_str(w, "kappa", kappa_names[cells->kappa]);
	json_add_int(w, "score_80", cells->scores[LEARNER_80]);
	json_add_int(w, "score_20", cells->scores[LEARNER_20]);
	json_add_list(w, "cells");
	for (size_t i = 0; i < cells->count; i++)
		write_cell(cells, &cells->list[i], w);
	json_end(w);
	json_add_list(w, "odd");
	for (size_t i = 0; i < merged->week_count; i++)
		for (int arm = 0; arm < 2; arm++)
			if (merged->weeks[i].arms[arm].odd != 0)
				write_odd(merged, &merged->weeks[i], arm, w);
	json_end(w);
	json_add_int(w, "of_other_bundles", merged->others);
	json_add_int(w, "unread", merged->unread);
	json_end_all(w);
	buf_addc(out, '\n');
}

/* ---- in words ---- */

static void
say_arm(const struct cell *cell, struct buf *out)
{
	double n = (double)cell->sum.n, y = (double)cell->sum.y / (double)Q16_ONE,
	       p = (double)cell->sum.p / (double)Q16_ONE;

	buf_addf(out, "%s %.0f rows, %.1f outcomes of %.1f expected",
	    cell->treated ? "shown" : "not shown", n, y, p);
	if (cell->segment[0] != '\0')
		buf_addf(out, " (%s)", cell->segment);
}

void
merged_text(const struct merged *merged, struct buf *out)
{
	const struct cells *cells = &merged->cells;
	size_t left_out = 0;

	for (size_t i = 0; i < cells->count; i++) {
		bool same = i > 0 && strcmp(cells->list[i - 1].action, cells->list[i].action) == 0;

		if (!same)
			buf_addf(out, "%s%s: ", i > 0 ? "\n" : "", cells->list[i].action);
		buf_adds(out, same ? "; " : "");
		say_arm(&cells->list[i], out);
	}
	for (size_t i = 0; i < merged->week_count; i++)
		left_out += merged->weeks[i].out;
	buf_addf(out,
	    "%s%zu stores, %zu weeks of stores, %zu left out; what these say of headquarters' "
	    "chances: %s\n",
	    cells->count > 0 ? "\n" : "", merged->store_count, merged->week_count, left_out,
	    cells->kappa == LEARNER_HQ_ALONE ? "nothing that the past bears out"
					     : "as the ratios have it");
}
