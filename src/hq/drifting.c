/* SPDX-License-Identifier: Apache-2.0
 *
 * drifting.c - have what models read, and what they say, become other than they were?
 *
 * DESIGN
 *   The rows that a model was made of stay with whoever made it: what it is held
 *   against are the first four weeks of the bundle that has it. Bins are their
 *   deciles, of texts each value; what is missing is a bin of its own. Now is
 *   the last week that is over. A customer is one row a week, the first of it:
 *   many decisions of one visit are no many customers.
 *
 *   Scores are in what settled, of every store. Features only where stores send
 *   them ([privacy] uplink_features).
 */
#include "hq/drifting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/when.h"
#include "hq/figure_csv.h"

#define WEEK_MS (7 * D_MS)
#define DECILES 10

const char *const drift_verdict_names[] = { [DRIFT_NONE] = "none",
	[DRIFT_TOO_FEW] = "too-few-customers",
	[DRIFT_WATCH] = "watch",
	[DRIFT_ALARM] = "alarm" };

enum tag { TAG_MISSING, TAG_NUMBER, TAG_TEXT };
struct drifting_value {
	uint32_t series;
	int16_t week; /* once the first is known */
	uint8_t tag;
	uint64_t customer;
	int64_t at_ms;
	union {
		double number;
		uint64_t text; /* its hash */
	};
};

void
drifting_done(struct drifting *drifting)
{
	free(drifting->values);
	free(drifting->series);
	*drifting = (struct drifting){ 0 };
}

/* ---- reading ---- */

static uint64_t
hash_of(const char *text)
{
	struct id id = hash_parts(&text, 1);
	uint64_t hash;

	memcpy(&hash, id.b, sizeof(hash));
	return hash;
}

/* prefix and name together; -1: too many. */
static int
series_of(struct drifting *drifting, const char *prefix, const char *name)
{
	char of[sizeof(drifting->series->of)];
	size_t i = 0;

	snprintf(of, sizeof(of), "%s%s", prefix, name);
	while (i < drifting->series_count && strcmp(drifting->series[i].of, of) != 0)
		i++;
	if (i == DRIFTING_SERIES_MAX)
		return -1;
	if (i == drifting->series_count) {
		drifting->series = mem_grow(drifting->series, drifting->series_count,
		    &drifting->series_capacity, sizeof(*drifting->series));
		drifting->series[drifting->series_count] = (struct drifting_series){ 0 };
		memcpy(drifting->series[drifting->series_count++].of, of, sizeof(of));
	}
	return (int)i;
}

static void
add_value(struct drifting *drifting, const char *prefix, const char *name,
    const struct drifting_value *of, const json_t *json)
{
	int series = series_of(drifting, prefix, name);
	struct drifting_value value = *of;

	if (series < 0 || drifting->value_count == DRIFTING_MAX) {
		drifting->full = true;
		return;
	}
	value.series = (uint32_t)series;
	if (json_is_number(json)) {
		value.tag = TAG_NUMBER;
		value.number = json_number_value(json);
	} else if (json_is_string(json) || json_is_boolean(json)) {
		value.tag = TAG_TEXT;
		value.text = hash_of(json_is_string(json) ? json_string_value(json)
			: json_is_true(json)		  ? "true"
							  : "false");
	}
	drifting->values = mem_grow(drifting->values, drifting->value_count,
	    &drifting->value_capacity, sizeof(*drifting->values));
	drifting->values[drifting->value_count++] = value;
}

/* Whose a record is and when; stranger: what stands for a customer where none is known. false: no such
 * record. */
static bool
begin(struct drifting *drifting, const json_t *body, const char *stranger,
    struct drifting_value *ret_value)
{
	const char *at = json_string_value(json_object_get(body, "at"));
	const char *subject = json_string_value(json_object_get(body, "subject"));

	if (at == NULL || stranger == NULL || !when_parse(at, &ret_value->at_ms)) {
		drifting->unread++;
		return false;
	}
	ret_value->customer = hash_of(subject != NULL ? subject : stranger);
	if (drifting->first_ms == 0 || ret_value->at_ms < drifting->first_ms)
		drifting->first_ms = ret_value->at_ms;
	if (ret_value->at_ms > drifting->last_ms)
		drifting->last_ms = ret_value->at_ms;
	return true;
}

static bool
is_ours(const struct drifting *drifting, const char *hash)
{
	return hash != NULL && strcmp(hash, drifting->bundle) == 0;
}

void
drifting_take_decision(void *ctx, const struct record *record)
{
	struct drifting *drifting = ctx;
	struct drifting_value value = { 0 };
	struct err err = { 0 };
	json_t *body = json_read(record->body, strlen(record->body), "decision", &err), *json;
	const json_t *policy = json_object_get(body, "policy");
	const char *name;

	if (is_ours(drifting, json_string_value(json_object_get(policy, "hash"))) &&
	    begin(drifting, body, json_string_value(json_object_get(body, "decision")), &value))
		json_object_foreach(json_object_get(body, "features"), name, json)
			add_value(drifting, "", name, &value, json);
	json_decref(body);
}

void
drifting_take_settled(void *ctx, const struct record *record)
{
	struct drifting *drifting = ctx;
	struct drifting_value value = { 0 };
	struct err err = { 0 };
	json_t *body = json_read(record->body, strlen(record->body), "settled", &err), *row;
	size_t i;

	if (is_ours(drifting, json_string_value(json_object_get(body, "bundle"))) &&
	    begin(drifting, body, json_string_value(json_object_get(body, "visit")), &value)) {
		json_array_foreach(json_object_get(body, "rows"), i, row) {
			const char *action = json_string_value(json_object_get(row, "action"));
			const json_t *p1 = json_object_get(row, "p1");

			if (action != NULL && json_is_number(p1))
				add_value(drifting, "p1 of ", action, &value, p1);
		}
	}
	json_decref(body);
}

/* ---- a row a customer and week ---- */

static int
week_of(const struct drifting *drifting, int64_t at_ms)
{
	int64_t week = (at_ms - drifting->first_ms) / WEEK_MS;

	return week > INT16_MAX ? INT16_MAX : (int)week;
}

/* Of a customer's week the first comes first. */
static int
by_customer(const void *a_pointer, const void *b_pointer)
{
	const struct drifting_value *a = a_pointer, *b = b_pointer;

	if (a->series != b->series)
		return a->series < b->series ? -1 : 1;
	if (a->week != b->week)
		return a->week < b->week ? -1 : 1;
	if (a->customer != b->customer)
		return a->customer < b->customer ? -1 : 1;
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	/* Two at one time: one of them, whoever was read first. */
	if (a->tag != b->tag)
		return a->tag < b->tag ? -1 : 1;
	if (a->tag == TAG_NUMBER)
		return (a->number > b->number) - (a->number < b->number);
	return (a->text > b->text) - (a->text < b->text);
}

static void
keep_first(struct drifting *drifting)
{
	size_t kept = 0;

	for (size_t i = 0; i < drifting->value_count; i++)
		drifting->values[i].week = (int16_t)week_of(drifting, drifting->values[i].at_ms);
	if (drifting->value_count > 1)
		qsort(drifting->values, drifting->value_count, sizeof(*drifting->values),
		    by_customer);
	for (size_t i = 0; i < drifting->value_count; i++) {
		const struct drifting_value *value = &drifting->values[i],
					    *last = kept > 0 ? &drifting->values[kept - 1] : NULL;

		if (last == NULL || last->series != value->series ||
		    last->customer != value->customer || last->week != value->week)
			drifting->values[kept++] = *value;
	}
	drifting->value_count = kept;
}

/* ---- bins ---- */

struct bins {
	double edges[DECILES]; /* a number is in the bin of as many edges as it is not below */
	size_t edge_count;
	uint64_t texts[DRIFT_BINS_MAX - DECILES - 2];
	size_t text_count;
	bool missing;
};

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
add_text(struct bins *bins, uint64_t text)
{
	size_t i = 0;

	while (i < bins->text_count && bins->texts[i] != text)
		i++;
	if (i == bins->text_count && i < ARRAY_LEN(bins->texts))
		bins->texts[bins->text_count++] = text;
}

static struct bins
bins_of(const struct drifting_value *base, size_t count)
{
	double *numbers = mem_calloc(count, sizeof(*numbers));
	struct bins bins = { 0 };
	size_t there = 0;

	for (size_t i = 0; i < count; i++) {
		if (base[i].tag == TAG_NUMBER)
			numbers[there++] = base[i].number;
		else if (base[i].tag == TAG_TEXT)
			add_text(&bins, base[i].text);
		bins.missing = bins.missing || base[i].tag == TAG_MISSING;
	}
	if (there > 0)
		qsort(numbers, there, sizeof(*numbers), ascending);
	/* Equal deciles are one, and none is the least there is: nothing could be below it. */
	for (size_t k = 1; k < DECILES && there > 0; k++) {
		double edge = numbers[there * k / DECILES];

		if (edge > numbers[0] &&
		    (bins.edge_count == 0 || edge > bins.edges[bins.edge_count - 1]))
			bins.edges[bins.edge_count++] = edge;
	}
	free(numbers);
	return bins;
}

/* Missing, numbers, texts, and texts that there were none of. */
static size_t
bin_of(const struct bins *bins, const struct drifting_value *value)
{
	size_t bin = 0, texts = 2 + bins->edge_count;

	if (value->tag == TAG_MISSING)
		return 0;
	if (value->tag == TAG_NUMBER) {
		while (bin < bins->edge_count && value->number >= bins->edges[bin])
			bin++;
		return 1 + bin;
	}
	while (bin < bins->text_count && bins->texts[bin] != value->text)
		bin++;
	return texts + bin;
}

static void
judge(struct drifting_series *series, const struct drifting_value *base, size_t base_count,
    const struct drifting_value *now, size_t now_count)
{
	int64_t counts[2][DRIFT_BINS_MAX] = { 0 };
	struct bins bins = bins_of(base, base_count);

	for (size_t i = 0; i < base_count; i++)
		counts[0][bin_of(&bins, &base[i])]++;
	for (size_t i = 0; i < now_count; i++)
		counts[1][bin_of(&bins, &now[i])]++;
	series->base = (int64_t)base_count;
	series->now = (int64_t)now_count;
	for (size_t i = 0; i < DRIFT_BINS_MAX; i++) {
		if (counts[0][i] + counts[1][i] == 0)
			continue;
		counts[0][series->bins] = counts[0][i];
		counts[1][series->bins++] = counts[1][i];
	}
	if (series->bins < 2) {
		series->bins = 0;
		return;
	}
	series->drift = drift_of(counts[0], counts[1], series->bins);
	if (base_count < DRIFT_CUSTOMERS_MIN)
		series->drift.verdict = DRIFT_TOO_FEW;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct drifting_series *)a)->of,
	    ((const struct drifting_series *)b)->of);
}

/* From `from` on, behind the values of the series of `at` before that week. */
static size_t
weeks_end(const struct drifting *drifting, size_t at, size_t from, int week)
{
	while (from < drifting->value_count &&
	    drifting->values[from].series == drifting->values[at].series &&
	    drifting->values[from].week < week)
		from++;
	return from;
}

void
drifting_settle(struct drifting *drifting)
{
	int now = drifting->first_ms > 0 ? week_of(drifting, drifting->last_ms) - 1 : -1;

	if (now < DRIFTING_BASE_WEEKS)
		return;
	drifting->now_ms = drifting->first_ms + now * WEEK_MS;
	keep_first(drifting);
	for (size_t at = 0, end; at < drifting->value_count; at = end) {
		const struct drifting_value *values = drifting->values;
		size_t base = weeks_end(drifting, at, at, DRIFTING_BASE_WEEKS),
		       from = weeks_end(drifting, at, base, now);

		end = weeks_end(drifting, at, from, now + 1);
		judge(&drifting->series[values[at].series], &values[at], base - at, &values[from],
		    end - from);
		end = weeks_end(drifting, at, end, INT16_MAX + 1);
	}
	if (drifting->series_count > 1)
		qsort(drifting->series, drifting->series_count, sizeof(*drifting->series), by_name);
}

/* ---- telling ---- */

void
drifting_json(const struct drifting *drifting, struct json_writer *w)
{
	json_add_object(w, "drift");
	json_add_when(w, "base", drifting->first_ms);
	json_add_int(w, "base_weeks", DRIFTING_BASE_WEEKS);
	json_add_when(w, "week", drifting->now_ms);
	json_add_int(w, "unread", drifting->unread);
	json_add_list(w, "of");
	for (size_t i = 0; i < drifting->series_count; i++) {
		const struct drifting_series *one = &drifting->series[i];

		if (one->bins == 0)
			continue;
		json_add_object(w, NULL);
		json_add_str(w, "of", one->of);
		json_add_str(w, "says", drift_verdict_names[one->drift.verdict]);
		json_add_int(w, "base", one->base);
		json_add_int(w, "now", one->now);
		json_add_int(w, "bins", (int64_t)one->bins);
		json_add_double(w, "psi", one->drift.psi);
		json_add_double(w, "corrected", one->drift.corrected);
		json_add_double(w, "statistic", one->drift.statistic);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

void
drifting_csv(const struct drifting *drifting, struct buf *out)
{
	for (size_t i = 0; i < drifting->series_count; i++) {
		const struct drifting_series *one = &drifting->series[i];

		if (one->bins == 0)
			continue;
		figure_csv(out, "drift", one->of, "customers", (double)one->now);
		figure_csv(out, "drift", one->of, "psi", one->drift.psi);
		figure_csv(out, "drift", one->of, "corrected", one->drift.corrected);
	}
}
