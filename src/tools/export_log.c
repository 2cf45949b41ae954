/* SPDX-License-Identifier: Apache-2.0
 *
 * export_log.c - draws and what came of them, in the forms that others' tools read.
 *
 * DESIGN
 *   csv is the view `settled` of the database, a row for each action. dsjson is what Vowpal Wabbit
 *   reads with --dsjson: actions in the order of the shortlist's names, the drawn one first in `a` and
 *   `p`, its cost the reward's negative. obp-csv has the columns of the Open Bandit Dataset and the
 *   action's name behind them: item ids are numbers, by name over the whole file.
 *
 *   The reward is evaluate's: what came of every action on the shortlist, less what the drawn one
 *   cost.
 */
#include "tools/export_log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aisle/contact.h"
#include "core/csv.h"
#include "core/id.h"
#include "core/json_write.h"
#include "core/when.h"

const char *const export_names[EXPORT_FORMATS] = { "dsjson", "obp-csv", "csv" };

/* ---- csv ---- */

static void
add_text(struct buf *out, const char *text)
{
	if (text != NULL)
		csv_add(out, text);
}

static void
add_draw(struct buf *out, const struct drawn *draw)
{
	char id[ID_TEXT_SIZE], subject[SUBJECT_TEXT_SIZE] = "", at[WHEN_TEXT_SIZE];

	add_text(out, draw->store);
	id_text(&draw->decision, id);
	buf_addf(out, ",%s", id);
	id_text(&draw->visit, id);
	if (draw->has_subject)
		subject_text(&draw->subject, subject);
	when_text(draw->at_ms, at);
	buf_addf(out, ",%s,%s,%d,%s,%s,%s,%d,%.17g", id, draw->placement, draw->slot, subject, at,
	    draw->bundle, draw->counted, draw->cost_max);
}

static void
write_csv(const struct drawn *draw, FILE *to)
{
	for (size_t i = 0; i < draw->row_count; i++) {
		const struct drawn_row *row = &draw->rows[i];
		struct buf out = { 0 };

		add_draw(&out, draw);
		buf_addc(&out, ',');
		add_text(&out, row->action);
		if (row->nothing) {
			buf_addf(&out, ",,,%.17g,,,,,%d,,,,,\n", row->p, row->drawn);
		} else {
			buf_addc(&out, ',');
			if (row->depth != 0)
				buf_addf(&out, "%lld", (long long)row->depth);
			buf_addc(&out, ',');
			add_text(&out, row->treatment);
			buf_addf(&out, ",%.17g,%.17g,%.17g,%.17g,%.17g,%d,%d,%d,%d,%s,", row->p,
			    row->p1, row->p0, row->margin, row->cost, row->drawn, row->shown,
			    row->other, row->withheld,
			    !row->told	 ? ""
				: row->y ? "1"
					 : "0");
			if (row->amount_minor != 0)
				buf_addf(&out, "%lld", (long long)row->amount_minor);
			buf_addc(&out, '\n');
		}
		fwrite(out.data, 1, out.len, to);
		buf_done(&out);
	}
}

/* ---- one line a draw ---- */

static double
reward_of(const struct drawn *draw)
{
	double reward = 0;

	for (size_t i = 0; i < draw->row_count; i++) {
		const struct drawn_row *row = &draw->rows[i];

		if (row->told && row->y)
			reward += row->margin - (row->drawn ? row->cost : 0);
	}
	return reward;
}

/* The drawn row's index; false: it is no line of those. */
static bool
is_whole(const struct drawn *draw, size_t *ret_drawn)
{
	double sum = 0;
	bool found = false;

	for (size_t i = 0; i < draw->row_count; i++) {
		sum += draw->rows[i].p;
		if (draw->rows[i].withheld)
			return false;
		if (draw->rows[i].drawn) {
			*ret_drawn = i;
			found = true;
		}
	}
	return draw->counted && found && fabs(sum - 1) < 1e-6 && draw->rows[*ret_drawn].p > 0;
}

static void
add_action(struct json_writer *w, const struct drawn_row *row)
{
	json_add_object(w, NULL);
	json_add_object(w, "action");
	json_add_str(w, "name", row->action);
	if (!row->nothing) {
		json_add_double(w, "p1", row->p1);
		json_add_double(w, "p0", row->p0);
		json_add_double(w, "margin", row->margin);
		json_add_double(w, "cost", row->cost);
	}
	if (row->depth != 0)
		json_add_int(w, "depth", row->depth);
	json_end(w);
	json_end(w);
}

/* From 1, the drawn one first. */
static void
add_order(struct json_writer *w, const struct drawn *draw, size_t drawn, bool chances)
{
	json_add_list(w, chances ? "p" : "a");
	for (size_t n = 0; n <= draw->row_count; n++) {
		size_t i = n == 0 ? drawn : n - 1;

		if (n > 0 && i == drawn)
			continue;
		if (chances)
			json_add_double(w, NULL, draw->rows[i].p);
		else
			json_add_int(w, NULL, (int64_t)i + 1);
	}
	json_end(w);
}

static void
write_dsjson(const struct drawn *draw, size_t drawn, FILE *to)
{
	struct buf out = { 0 };
	struct json_writer *w = JSON_OBJECT(&out);
	char id[ID_TEXT_SIZE + 40], at[WHEN_TEXT_SIZE];
	double reward = reward_of(draw);

	id_text(&draw->decision, id);
	snprintf(id + strlen(id), 40, "-%s-%d", draw->placement, draw->slot);
	when_text(draw->at_ms, at);
	json_add_double(w, "_label_cost", reward > 0 || reward < 0 ? -reward : 0);
	json_add_double(w, "_label_probability", draw->rows[drawn].p);
	json_add_int(w, "_label_Action", (int64_t)drawn + 1);
	json_add_int(w, "_labelIndex", (int64_t)drawn);
	json_add_list(w, "o");
	json_add_object(w, NULL);
	json_add_double(w, "v", reward);
	json_add_str(w, "EventId", id);
	json_end(w);
	json_end(w);
	json_add_str(w, "Timestamp", at);
	json_add_str(w, "Version", "1");
	json_add_str(w, "EventId", id);
	add_order(w, draw, drawn, false);
	json_add_object(w, "c");
	json_add_object(w, "place");
	json_add_str(w, "store", draw->store);
	json_add_str(w, "placement", draw->placement);
	json_end(w);
	json_add_list(w, "_multi");
	for (size_t i = 0; i < draw->row_count; i++)
		add_action(w, &draw->rows[i]);
	json_end(w);
	json_end(w);
	add_order(w, draw, drawn, true);
	json_add_object(w, "VWState");
	json_add_str(w, "m", draw->bundle);
	json_end_all(w);
	fprintf(to, "%s\n", out.data);
	buf_done(&out);
}

/* ---- items are numbers ---- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All actions of the list, once each, ascending. */
static size_t
items_of(const struct drawn_list *list, const char ***ret_items)
{
	const char **items = mem_calloc(list->row_count + 1, sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < list->row_count; i++)
		items[i] = list->rows[i].action;
	if (list->row_count > 1)
		qsort(items, list->row_count, sizeof(*items), by_name);
	for (size_t i = 0; i < list->row_count; i++)
		if (count == 0 || strcmp(items[count - 1], items[i]) != 0)
			items[count++] = items[i];
	*ret_items = items;
	return count;
}

static void
write_obp(const struct drawn *draw, size_t drawn, const char **items, size_t count, FILE *to)
{
	const struct drawn_row *row = &draw->rows[drawn];
	const char **item;
	char at[WHEN_TEXT_SIZE];
	struct buf out = { 0 };

	CHECK(items != NULL);
	item = bsearch(&row->action, items, count, sizeof(*items), by_name);
	CHECK(item != NULL);
	when_text(draw->at_ms, at);
	buf_addf(&out, "%s,%td,%d,%d,%.17g,%.17g,", at, item - items, draw->slot,
	    row->told && row->y, row->p, reward_of(draw));
	add_text(&out, draw->placement);
	buf_addc(&out, ',');
	add_text(&out, row->action);
	fprintf(to, "%s\n", out.data);
	buf_done(&out);
}

long long
export_log(const struct drawn_list *list, enum export_format format, FILE *out)
{
	const char **items = NULL;
	size_t count = format == EXPORT_OBP_CSV ? items_of(list, &items) : 0, drawn = 0;
	long long left = 0;

	if (format == EXPORT_CSV)
		fputs("store,decision,visit,placement,slot,subject,at,bundle,counted,cost_max,"
		      "action,"
		      "depth,treatment,p,p1,p0,margin,cost,drawn,shown,other,withheld,y,amount\n",
		    out);
	else if (format == EXPORT_OBP_CSV)
		fputs("timestamp,item_id,position,click,propensity_score,reward,placement,action\n",
		    out);
	for (size_t i = 0; i < list->draw_count; i++) {
		const struct drawn *draw = &list->draws[i];

		if (format == EXPORT_CSV) {
			write_csv(draw, out);
		} else if (!is_whole(draw, &drawn)) {
			left++;
		} else if (format == EXPORT_DSJSON) {
			write_dsjson(draw, drawn, out);
		} else {
			write_obp(draw, drawn, items, count, out);
		}
	}
	free(items);
	return left;
}
