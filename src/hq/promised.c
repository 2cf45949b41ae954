/* SPDX-License-Identifier: Apache-2.0
 *
 * promised.c - what cards were expected to bring, and what they brought.
 *
 * DESIGN
 *   Of a counted decision all actions of its shortlist are told, shown or not.
 *   What shown ones brought is put against what those like them brought that
 *   were not shown, each weighed by the chance that it was: customers of the
 *   control group are a part of the latter. Where nothing could have gone
 *   otherwise nothing is said.
 *
 *   A chance is calibrated if of cards that promised ten a hundred ten came. Of
 *   drawn cards, because the best of many is the one that flatters.
 */
#include "hq/promised.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "learn/distribution.h"

#define CERTAIN 0.999999
#define ALPHA PROMISED_ALPHA

void
promised_done(struct promised *promised)
{
	for (size_t i = 0; i < promised->action_count; i++)
		free(promised->actions[i]);
	for (size_t i = 0; i < promised->store_count; i++)
		free(promised->stores[i]);
	free(promised->actions);
	free(promised->stores);
	free(promised->rows);
	free(promised->calibrated);
	free(promised->earned);
	*promised = (struct promised){ 0 };
}

/* ---- reading ---- */

static uint32_t
action_of(struct promised *promised, const char *name)
{
	size_t i = 0;

	while (i < promised->action_count && strcmp(promised->actions[i], name) != 0)
		i++;
	if (i == PROMISED_ACTIONS_MAX) {
		promised->full = true;
		return 0;
	}
	if (i == promised->action_count) {
		promised->actions = mem_grow(promised->actions, promised->action_count,
		    &promised->action_capacity, sizeof(*promised->actions));
		promised->actions[promised->action_count++] = mem_strdup(name);
	}
	return (uint32_t)i;
}

/* Records come store by store. */
static uint32_t
store_of(struct promised *promised, const char *name)
{
	size_t last = promised->store_count;

	if (last > 0 && strcmp(promised->stores[last - 1], name) == 0)
		return (uint32_t)last - 1;
	promised->stores =
	    mem_grow(promised->stores, last, &promised->store_capacity, sizeof(*promised->stores));
	promised->stores[promised->store_count++] = mem_strdup(name);
	return (uint32_t)last;
}

static bool
number_at(const json_t *row, const char *name, double low, double high, double *ret)
{
	const json_t *number = json_object_get(row, name);

	if (!json_is_number(number))
		return false;
	*ret = json_number_value(number);
	return *ret >= low && *ret <= high;
}

/* of: what the record says of all its rows. */
static void
take_row(struct promised *promised, const struct promised_row *of, const char *const list[3],
    const json_t *json)
{
	const char *action = json_string_value(json_object_get(json, "action"));
	const char *parts[] = { list[0], list[1], list[2], action };
	double most = (double)MONEY_MAX;
	struct promised_row row = *of;
	int64_t y;

	if (action != NULL && json_object_get(json, "p1") == NULL)
		return; /* nothing */
	if (action == NULL || !number_at(json, "p", 0, 1, &row.p) ||
	    !number_at(json, "p1", 0, 1, &row.p1) || !number_at(json, "p0", 0, 1, &row.p0) ||
	    !number_at(json, "margin", -most, most, &row.margin) ||
	    !number_at(json, "cost", -most, most, &row.cost)) {
		promised->unread++;
		return;
	}
	if (promised->row_count == PROMISED_MAX) {
		promised->full = true;
		return;
	}
	row.key = hash_parts(parts, 4);
	row.action = action_of(promised, action);
	row.order = (uint32_t)promised->row_count;
	row.drawn = json_is_true(json_object_get(json, "drawn"));
	row.shown = json_is_true(json_object_get(json, "shown"));
	row.withheld = json_is_true(json_object_get(json, "withheld"));
	row.told = json_int(json_object_get(json, "y"), &y);
	row.y = row.told && y == 1;
	if (!number_at(json, "amount", 0, most, &row.amount))
		row.amount = 0;
	promised->rows = mem_grow(promised->rows, promised->row_count, &promised->row_capacity,
	    sizeof(*promised->rows));
	promised->rows[promised->row_count++] = row;
}

static void
take(struct promised *promised, const char *store, const json_t *body)
{
	const char *visit = json_string_value(json_object_get(body, "visit")),
		   *placement = json_string_value(json_object_get(body, "placement")),
		   *bundle = json_string_value(json_object_get(body, "bundle")),
		   *subject = json_string_value(json_object_get(body, "subject"));
	struct promised_row of = { .known = subject != NULL };
	const char *parts[3] = { visit, placement, NULL };
	struct id visit_key;
	char slot[4];
	int64_t number;
	json_t *row;
	size_t i;

	if (visit == NULL || placement == NULL || bundle == NULL ||
	    !json_int(json_object_get(body, "slot"), &number) || number < 1 ||
	    number > PROMISED_SLOTS || !json_int(json_object_get(body, "rev"), &of.rev)) {
		promised->unread++;
		return;
	}
	if (strcmp(bundle, promised->bundle) != 0) {
		promised->others++;
		return;
	}
	snprintf(slot, sizeof(slot), "%d", (int)number);
	parts[2] = slot;
	of.slot = (uint8_t)number;
	of.list = hash_parts(parts, 3);
	of.counted = json_is_true(json_object_get(body, "counted"));
	visit_key = hash_parts(&visit, 1);
	memcpy(&of.visit, visit_key.b, sizeof(of.visit));
	of.store = store_of(promised, store);
	of.customer = subject != NULL ? hash_parts(&subject, 1) : visit_key;
	json_array_foreach(json_object_get(body, "rows"), i, row)
		take_row(promised, &of, parts, row);
}

void
promised_take(void *ctx, const struct record *record)
{
	struct promised *promised = ctx;
	struct err err = { 0 };
	json_t *body = json_read(record->body, strlen(record->body), "settled", &err);

	if (json_is_object(body))
		take(promised, record->store, body);
	else
		promised->unread++;
	json_decref(body);
}

/* ---- the last word of each ---- */

static int
by_key(const void *a_pointer, const void *b_pointer)
{
	const struct promised_row *a = a_pointer, *b = b_pointer;
	int order = id_compare(&a->key, &b->key);

	if (order == 0)
		order = (a->rev > b->rev) - (a->rev < b->rev);
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

/* By customer, then by shortlist. */
static int
by_customer(const void *a_pointer, const void *b_pointer)
{
	const struct promised_row *a = a_pointer, *b = b_pointer;
	int order = id_compare(&a->customer, &b->customer);

	if (order == 0)
		order = id_compare(&a->list, &b->list);
	return order != 0 ? order : id_compare(&a->key, &b->key);
}

static void
keep_last(struct promised *promised, promised_fn chances, void *ctx)
{
	size_t kept = 0;

	if (promised->row_count > 1)
		qsort(promised->rows, promised->row_count, sizeof(*promised->rows), by_key);
	for (size_t i = 0; i < promised->row_count; i++) {
		struct promised_row *row = &promised->rows[i];

		if (i + 1 < promised->row_count && id_equal(&row->key, &row[1].key))
			continue;
		if (row->told && chances(ctx, promised->actions[row->action], &row->p1, &row->p0))
			promised->rows[kept++] = *row;
	}
	promised->row_count = kept;
	if (kept > 1)
		qsort(promised->rows, kept, sizeof(*promised->rows), by_customer);
}

size_t
promised_customer_end(const struct promised *promised, size_t at)
{
	size_t end = at + 1;

	while (end < promised->row_count &&
	    id_equal(&promised->rows[end].customer, &promised->rows[at].customer))
		end++;
	return end;
}

size_t
promised_list_end(const struct promised *promised, size_t at)
{
	size_t end = at + 1;

	while (end < promised->row_count &&
	    id_equal(&promised->rows[end].customer, &promised->rows[at].customer) &&
	    id_equal(&promised->rows[end].list, &promised->rows[at].list))
		end++;
	return end;
}

/* ---- realised ---- */

double
promised_control(const struct promised *promised, size_t at)
{
	return promised->rows[at].known ? promised->control : 0;
}

bool
promised_certain(const struct promised *promised, size_t at, size_t end)
{
	double control = promised_control(promised, at);

	for (; at < end; at++)
		if (promised->rows[at].p * (1 - control) > CERTAIN)
			return true;
	return false;
}

struct shown_card
promised_card(const struct promised_row *row)
{
	return (struct shown_card){ row->p, row->p0, row->margin, row->cost,
		row->p1 * (row->margin - row->cost) - row->p0 * row->margin, row->shown, row->y };
}

/* One counted shortlist, [at, end). false: its draw could not go otherwise. */
static bool
add_list(const struct promised *promised, size_t at, size_t end, struct realised_customer *customer)
{
	struct shown_card cards[PROMISED_CARDS_MAX];
	size_t count = 0;

	if (promised_certain(promised, at, end))
		return false;
	for (size_t i = at; i < end && count < PROMISED_CARDS_MAX; i++)
		cards[count++] = promised_card(&promised->rows[i]);
	realised_add(customer, cards, count, promised_control(promised, at));
	return true;
}

static void
realise(struct promised *promised)
{
	struct realised_customer *customers = mem_calloc(promised->row_count, sizeof(*customers));
	size_t count = 0;

	for (size_t at = 0, end; at < promised->row_count; at = end) {
		struct realised_customer *customer = &customers[count];

		end = promised_customer_end(promised, at);
		for (size_t list = at, next; list < end; list = next) {
			next = promised_list_end(promised, list);
			if (promised->rows[list].counted &&
			    !add_list(promised, list, next, customer))
				promised->certain++;
		}
		promised->decisions += customer->n;
		count += customer->n > 0;
	}
	realised_conclude(customers, count, &promised->gain);
	promised->customers = (double)count;
	free(customers);
}

/* ---- calibrated ---- */

typedef bool (*belongs_fn)(const struct promised_row *row, unsigned which);

static bool
is_any(const struct promised_row *row, unsigned which)
{
	(void)row;
	(void)which;
	return true;
}

static bool
is_slot(const struct promised_row *row, unsigned which)
{
	return row->slot == which;
}

static bool
is_action(const struct promised_row *row, unsigned which)
{
	return row->action == which;
}

static bool
is_tenth(const struct promised_row *row, unsigned which)
{
	return (unsigned)(row->p1 < 1 ? row->p1 * 10 : 9) == which;
}

static void
calibrate(struct promised *promised, const char *of, belongs_fn belongs, unsigned which)
{
	double *sums = mem_calloc(promised->row_count, 2 * sizeof(double));
	struct calibrated one = { 0 };
	size_t customers = 0;

	for (size_t at = 0, end; at < promised->row_count; at = end) {
		double y = 0, p = 0, cards = 0;

		end = promised_customer_end(promised, at);
		for (size_t i = at; i < end; i++) {
			const struct promised_row *row = &promised->rows[i];

			if (!row->drawn || !row->shown || row->withheld || !belongs(row, which))
				continue;
			cards++;
			y += row->y;
			p += row->p1;
		}
		if (!(cards > 0))
			continue;
		one.cards += cards;
		one.came += y;
		one.promised += p;
		sums[2 * customers] = y;
		sums[2 * customers++ + 1] = p;
	}
	if (customers > 0) {
		snprintf(one.of, sizeof(one.of), "%s", of);
		one.customers = (double)customers;
		one.ratio = clustered(sums, sums + 1, customers, 2);
		promised->calibrated[promised->calibrated_count++] = one;
	}
	free(sums);
}

void
promised_settle(struct promised *promised, promised_fn chances, promised_part_fn part, void *ctx)
{
	bool slots[PROMISED_SLOTS + 1] = { false };
	char name[40];

	keep_last(promised, chances, ctx);
	realise(promised);
	earned_settle(promised, part, ctx);
	for (size_t i = 0; i < promised->row_count; i++)
		slots[promised->rows[i].slot] = true;
	promised->calibrated =
	    mem_calloc(promised->action_count + PROMISED_SLOTS + 12, sizeof(*promised->calibrated));
	calibrate(promised, "all cards", is_any, 0);
	for (unsigned slot = 1; slot <= PROMISED_SLOTS; slot++) {
		snprintf(name, sizeof(name), "slot %u", slot);
		if (slots[slot])
			calibrate(promised, name, is_slot, slot);
	}
	for (unsigned tenth = 0; tenth < 10; tenth++) {
		snprintf(name, sizeof(name), "chance %.1f to %.1f", tenth / 10.0,
		    (tenth + 1) / 10.0);
		calibrate(promised, name, is_tenth, tenth);
	}
	for (unsigned action = 0; action < promised->action_count; action++)
		calibrate(promised, promised->actions[action], is_action, action);
}

/* ---- telling ---- */

double
promised_half_at(const struct clustered *value, double alpha)
{
	return value->df + 1 >= PROMISED_CUSTOMERS_MIN
	    ? student_quantile(alpha, value->df) * value->se
	    : 0;
}

double
promised_half(const struct clustered *value)
{
	return promised_half_at(value, ALPHA);
}

void
promised_write_value(struct json_writer *w, const char *name, const struct clustered *value,
    double alpha)
{
	double half = promised_half_at(value, alpha);

	json_add_object(w, name);
	json_add_double(w, "is", value->value);
	json_add_double(w, "se", value->se);
	if (half > 0) {
		json_add_double(w, "low", value->value - half);
		json_add_double(w, "high", value->value + half);
	}
	json_end(w);
}

void
promised_json(const struct promised *promised, struct json_writer *w)
{
	json_add_object(w, "promised");
	json_add_str(w, "bundle", promised->bundle);
	json_add_double(w, "decisions", promised->decisions);
	json_add_double(w, "customers", promised->customers);
	json_add_int(w, "left_out_certain", promised->certain);
	json_add_int(w, "records_of_other_bundles", promised->others);
	json_add_int(w, "unread", promised->unread);
	promised_write_value(w, "promised_per_decision", &promised->gain.promised, ALPHA);
	promised_write_value(w, "realised_per_decision", &promised->gain.realised, ALPHA);
	promised_write_value(w, "realised_less_promised", &promised->gain.difference, ALPHA);
	earned_json(promised, w);
	json_add_list(w, "calibration");
	for (size_t i = 0; i < promised->calibrated_count; i++) {
		const struct calibrated *one = &promised->calibrated[i];

		json_add_object(w, NULL);
		json_add_str(w, "of", one->of);
		json_add_double(w, "cards", one->cards);
		json_add_double(w, "customers", one->customers);
		json_add_double(w, "promised", one->promised);
		json_add_double(w, "came", one->came);
		promised_write_value(w, "came_of_promised", &one->ratio, ALPHA);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}
