/* SPDX-License-Identifier: Apache-2.0
 *
 * sales.c - sale records of all stores as customers and weeks.
 *
 * DESIGN
 *   A sale is told anew whenever it changes, with its whole figures: of each
 *   visit the last record counts, by its time, which in a store never runs
 *   back, then by sequence: a restored store begins a new epoch. One that lost
 *   its customer since (no consent any more, or forgotten) is a stranger's.
 *
 *   Visits are kept as they are read and sorted once: no table of ten million
 *   ids beside them.
 */
#include "hq/sales.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/when.h"

#define WEEK_MS (7 * D_MS)

void
sales_init(struct sales *sales, int64_t start_ms)
{
	*sales = (struct sales){ .start_ms = start_ms };
}

void
sales_done(struct sales *sales)
{
	for (size_t i = 0; i < sales->experiment_count; i++) {
		free(sales->experiments[i].name);
		for (size_t a = 0; a < sales->experiments[i].arm_count; a++)
			free(sales->experiments[i].arms[a]);
	}
	for (size_t i = 0; i < sales->store_count; i++)
		free(sales->stores[i]);
	free(sales->stores);
	free(sales->customers);
	free(sales->index);
	free(sales->visits);
	free(sales->by_week);
	*sales = (struct sales){ 0 };
}

/* ---- names ---- */

int
sales_experiment(struct sales *sales, const char *name)
{
	size_t i = 0;

	while (i < sales->experiment_count && strcmp(sales->experiments[i].name, name) != 0)
		i++;
	if (i == SALES_EXPERIMENTS_MAX)
		return -1;
	if (i == sales->experiment_count)
		sales->experiments[sales->experiment_count++].name = mem_strdup(name);
	return (int)i;
}

int
sales_arm(struct sales_experiment *experiment, const char *name)
{
	size_t i = 0;

	while (i < experiment->arm_count && strcmp(experiment->arms[i], name) != 0)
		i++;
	if (i == SALES_ARMS_MAX)
		return -1;
	if (i == experiment->arm_count)
		experiment->arms[experiment->arm_count++] = mem_strdup(name);
	return (int)i;
}

/* Records come store by store. */
static uint32_t
store_of(struct sales *sales, const char *name)
{
	size_t last = sales->store_count;

	if (last > 0 && strcmp(sales->stores[last - 1], name) == 0)
		return (uint32_t)last - 1;
	for (size_t i = 0; i < last; i++)
		if (strcmp(sales->stores[i], name) == 0)
			return (uint32_t)i;
	if (last == SALES_STORES_MAX) {
		sales->full = true;
		return (uint32_t)last - 1;
	}
	sales->stores =
	    mem_grow(sales->stores, last, &sales->store_capacity, sizeof(*sales->stores));
	sales->stores[sales->store_count++] = mem_strdup(name);
	return (uint32_t)last;
}

/* ---- customers ---- */

static size_t
slot_of(const struct sales *sales, const struct id *subject)
{
	uint64_t hash;
	size_t at;

	memcpy(&hash, subject->b, sizeof(hash));
	at = (size_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (sales->index_size - 1);
	while (sales->index[at] != SALES_NONE &&
	    !id_equal(&sales->customers[sales->index[at]].subject, subject))
		at = (at + 1) & (sales->index_size - 1);
	return at;
}

static void
index_grow(struct sales *sales)
{
	sales->index_size = sales->index_size > 0 ? sales->index_size * 2 : 1024;
	sales->index = mem_realloc(sales->index, sales->index_size * sizeof(*sales->index));
	memset(sales->index, 0xff, sales->index_size * sizeof(*sales->index));
	for (size_t i = 0; i < sales->customer_count; i++)
		sales->index[slot_of(sales, &sales->customers[i].subject)] = (uint32_t)i;
}

static uint32_t
customer_of(struct sales *sales, const struct id *subject)
{
	size_t at;

	if (sales->customer_count * 2 >= sales->index_size)
		index_grow(sales);
	at = slot_of(sales, subject);
	if (sales->index[at] != SALES_NONE)
		return sales->index[at];
	sales->customers = mem_grow(sales->customers, sales->customer_count,
	    &sales->customer_capacity, sizeof(*sales->customers));
	sales->customers[sales->customer_count] =
	    (struct sales_customer){ .subject = *subject, .first_ms = INT64_MAX };
	sales->index[at] = (uint32_t)sales->customer_count;
	return (uint32_t)sales->customer_count++;
}

static void
saw(uint8_t *seen, uint8_t now)
{
	*seen = *seen == 0 || *seen == now ? now : SALES_MANY;
}

static void
saw_customer(struct sales *sales, struct sales_customer *customer, const json_t *sale,
    uint32_t store, int64_t at_ms)
{
	const json_t *control = json_object_get(sale, "control"), *value;
	json_t *arms = json_object_get(sale, "arms");
	const char *name;

	if (at_ms < customer->first_ms) {
		customer->first_ms = at_ms;
		customer->store = store;
	}
	if (json_is_boolean(control))
		saw(&customer->control, json_is_true(control) ? 2 : 1);
	customer->mixed = customer->mixed || json_is_true(json_object_get(sale, "mixed"));
	json_object_foreach(arms, name, value) {
		int e = json_is_string(value) ? sales_experiment(sales, name) : -1;
		int arm = e >= 0 ? sales_arm(&sales->experiments[e], json_string_value(value)) : -1;

		if (arm >= 0)
			saw(&customer->arms[e], (uint8_t)(arm + 1));
	}
}

/* ---- visits ---- */

static int16_t
week_of(const struct sales *sales, int64_t at_ms)
{
	int64_t after = at_ms - sales->start_ms;

	return (int16_t)(after >= 0 ? after / WEEK_MS : -((-after + WEEK_MS - 1) / WEEK_MS));
}

static void
take(struct sales *sales, const struct record *record, const json_t *sale)
{
	const char *visit = json_string_value(json_object_get(sale, "visit"));
	const char *at = json_string_value(json_object_get(sale, "at"));
	const char *subject = json_string_value(json_object_get(sale, "subject"));
	const char *parts[] = { record->store, visit };
	struct sales_visit row = { .customer = SALES_NONE };
	int64_t at_ms, gross, discount;
	struct id id;

	if (visit == NULL || at == NULL || !when_parse(at, &at_ms) ||
	    !json_int(json_object_get(sale, "gross"), &gross) ||
	    !json_int(json_object_get(sale, "discount"), &discount) ||
	    !when_parse(record->at, &row.at_ms)) {
		sales->unread++;
		return;
	}
	if (at_ms > sales->last_ms)
		sales->last_ms = at_ms;
	if (at_ms < sales->start_ms - SALES_WEEKS_BEFORE * WEEK_MS ||
	    at_ms >= sales->start_ms + SALES_WEEKS_MAX * WEEK_MS)
		return;
	if (sales->visit_count == SALES_MAX) {
		sales->full = true;
		return;
	}
	row.key = hash_parts(parts, 2);
	row.order = (uint32_t)sales->visit_count;
	row.week = week_of(sales, at_ms);
	row.takings_minor = gross - discount;
	row.has_margin = json_int(json_object_get(sale, "margin"), &row.margin_minor);
	if (subject != NULL && subject_parse(subject, &id)) {
		row.customer = customer_of(sales, &id);
		saw_customer(sales, &sales->customers[row.customer], sale,
		    store_of(sales, record->store), at_ms);
	}
	sales->visits = mem_grow(sales->visits, sales->visit_count, &sales->visit_capacity,
	    sizeof(*sales->visits));
	sales->visits[sales->visit_count++] = row;
}

void
sales_take(void *ctx, const struct record *record)
{
	struct sales *sales = ctx;
	struct err err = { 0 };
	json_t *sale = json_read(record->body, strlen(record->body), "sale", &err);

	if (json_is_object(sale))
		take(sales, record, sale);
	else
		sales->unread++;
	json_decref(sale);
}

/* ---- the last word, by week ---- */

/* Of one visit the record that counts comes last. */
static int
by_visit(const void *a_pointer, const void *b_pointer)
{
	const struct sales_visit *a = a_pointer, *b = b_pointer;
	int order = id_compare(&a->key, &b->key);

	if (order == 0)
		order = (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static void
keep_last(struct sales *sales)
{
	size_t kept = 0;

	if (sales->visit_count > 1)
		qsort(sales->visits, sales->visit_count, sizeof(*sales->visits), by_visit);
	for (size_t i = 0; i < sales->visit_count; i++)
		if (i + 1 == sales->visit_count ||
		    !id_equal(&sales->visits[i].key, &sales->visits[i + 1].key))
			sales->visits[kept++] = sales->visits[i];
	sales->visit_count = kept;
}

static int
by_customer_and_week(const void *a_pointer, const void *b_pointer)
{
	const struct sales_week *a = a_pointer, *b = b_pointer;

	if (a->customer != b->customer)
		return a->customer < b->customer ? -1 : 1;
	return (a->week > b->week) - (a->week < b->week);
}

static void
add_weeks(struct sales *sales)
{
	struct sales_week *rows = mem_calloc(sales->visit_count, sizeof(*rows));
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < sales->visit_count; i++) {
		const struct sales_visit *visit = &sales->visits[i];

		if (visit->customer == SALES_NONE || visit->week >= sales->weeks)
			continue;
		rows[count++] = (struct sales_week){ visit->customer, visit->week,
			(double)(sales->margin ? visit->margin_minor : visit->takings_minor) };
	}
	if (count > 1)
		qsort(rows, count, sizeof(*rows), by_customer_and_week);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && by_customer_and_week(&rows[kept - 1], &rows[i]) == 0)
			rows[kept - 1].minor += rows[i].minor;
		else
			rows[kept++] = rows[i];
	}
	sales->by_week = rows;
	sales->week_count = kept;
}

void
sales_settle(struct sales *sales, int weeks_most)
{
	int64_t over = (sales->last_ms - sales->start_ms) / WEEK_MS;

	sales->weeks = over < 0 ? 0 : over > weeks_most ? weeks_most : (int)over;
	keep_last(sales);
	sales->margin = true;
	for (size_t i = 0; i < sales->visit_count && sales->margin; i++)
		sales->margin = sales->visits[i].customer == SALES_NONE ||
		    sales->visits[i].week >= sales->weeks || sales->visits[i].has_margin;
	add_weeks(sales);
}
