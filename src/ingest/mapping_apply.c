/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_apply.c - one bare till message through a mapping.
 *
 * DESIGN
 *   The result is plain CloudEvents that go through envelope_parse like any
 *   other: a mapping can say less than a till that speaks the contract, never
 *   more. It keeps nothing between messages, so a replay of its events needs
 *   no mapping.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/fields.h"
#include "ingest/mapping_internal.h"

struct applying {
	const struct mapping *mapping;
	struct mapping_view message;
	char *terminal; /* "" until the first event */
	struct made made[MAPPING_MADE_MAX];
	size_t count;
	struct err *err;
};

/* What a result is to JsonLogic: [] is false, {} and "0" are true. */
static bool
truthy(const json_t *value)
{
	if (json_is_array(value))
		return json_array_size(value) > 0;
	if (json_is_string(value))
		return json_string_length(value) > 0;
	if (json_is_number(value))
		return json_number_value(value) != 0.0;
	return json_is_true(value) || json_is_object(value);
}

/* false: the rule needs too many steps; err says which. New reference. */
static bool
run(const struct logic *rule, const struct mapping_view *view, json_t **ret, size_t n,
    const char *what, struct err *err)
{
	*ret = NULL;
	if (logic_run_around(rule, view->data, &view->around, ret) == LOGIC_OK &&
	    mapping_bounded(*ret))
		return true;
	json_decref(*ret);
	*ret = NULL;
	RULE_ERR(err, "/events/%zu/%.64s: the rule needs too many steps", n, what);
	return false;
}

/* Is the result true? It may be a whole list, asked for each of its elements: it is not walked. false: too many
 * steps. */
static bool
holds(const struct logic *rule, const struct mapping_view *view, bool *ret_holds)
{
	json_t *value = NULL;
	bool ok = logic_run_around(rule, view->data, &view->around, &value) == LOGIC_OK;

	*ret_holds = ok && truthy(value);
	json_decref(value);
	return ok;
}

/* Each "let" may use those before it. */
static int
work_out(struct applying *a)
{
	json_t *named = a->message.around.named, *value = NULL;

	for (size_t i = 0; i < a->mapping->let_count; i++) {
		const struct mapping_field *let = &a->mapping->lets[i];

		if (logic_run_around(let->rule, a->message.data, &a->message.around, &value) !=
			LOGIC_OK ||
		    !mapping_bounded(value)) {
			json_decref(value);
			return RULE_ERR(a->err, "/let/%.64s: the rule needs too many steps",
			    let->name);
		}
		json_object_set_new(named, let->name, value);
		value = NULL;
	}
	return 0;
}

/* ---- the terminal ---- */

static bool
is_terminal(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 32 &&
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static int
find_terminal(struct applying *a)
{
	json_t *value = NULL;
	bool ok;

	if (a->mapping->segment > 0)
		value =
		    json_incref(json_array_get(json_object_get(a->message.around.whole, "_topic"),
			(size_t)a->mapping->segment - 1));
	else if (logic_run_around(a->mapping->terminal_rule, a->message.data, &a->message.around,
		     &value) != LOGIC_OK)
		value = NULL;
	ok = value != NULL && mapping_text(value, a->terminal, 33) && is_terminal(a->terminal);
	json_decref(value);
	return ok ? 0 : RULE_ERR(a->err, "/terminal: expected 1-32 of A-Z a-z 0-9 _ -");
}

/* ---- one event ---- */

static bool
has_currency(enum event_type type)
{
	return type == EV_BASKET_ITEM_ADDED || type == EV_BASKET_CLOSED ||
	    type == EV_RETURN_COMPLETED;
}

/* Members whose rule gives null are left out: that is how a till says that it has none. */
static json_t *
build_data(struct applying *a, const struct mapping_event *event, size_t n,
    const struct mapping_view *view)
{
	json_t *data = json_object(), *value;
	const char *member;
	char what[80];

	for (size_t i = 0; i < event->field_count; i++) {
		snprintf(what, sizeof(what), "data/%.64s", event->fields[i].name);
		if (!run(event->fields[i].rule, view, &value, n, what, a->err)) {
			json_decref(data);
			return NULL;
		}
		if (!json_is_null(value))
			json_object_set_new(data, event->fields[i].name, mapping_integers(value));
		json_decref(value);
	}
	mapping_lines(data);
	if (a->mapping->currency != NULL && has_currency(event->type) &&
	    json_object_get(data, "currency") == NULL)
		json_object_set_new(data, "currency", json_string(a->mapping->currency));
	if (a->mapping->decimal && !mapping_money(a->mapping, data, &member)) {
		RULE_ERR(a->err,
		    "/events/%zu/data/%s: expected a decimal amount of the currency's decimals", n,
		    member);
		json_decref(data);
		return NULL;
	}
	return data;
}

static int
set_time(struct applying *a, const struct mapping_event *event, size_t n,
    const struct mapping_view *view, json_t *out)
{
	json_t *value, *time;

	if (event->time == NULL)
		return 0;
	if (!run(event->time, view, &value, n, "time", a->err))
		return AISLE_E_INVALID;
	time = json_is_null(value) ? json_null() : mapping_time(a->mapping, value);
	json_decref(value);
	if (time == NULL)
		return RULE_ERR(a->err,
		    "/events/%zu/time: expected RFC 3339, or s, ms, us or ns between 2000 and 2100",
		    n);
	if (!json_is_null(time))
		json_object_set_new(out, "time", time);
	return 0;
}

static int
set_id(struct applying *a, const struct mapping_event *event, size_t n,
    const struct mapping_view *view, json_t *out)
{
	json_t *value;
	char id[129];
	bool ok;

	if (!run(event->id, view, &value, n, "id", a->err))
		return AISLE_E_INVALID;
	ok = mapping_text(value, id, sizeof(id));
	json_decref(value);
	if (!ok)
		return RULE_ERR(a->err, "/events/%zu/id: expected 1-128 characters", n);
	json_object_set_new(out, "id", json_string(id));
	return 0;
}

/* New reference; NULL: err says why. */
static json_t *
build_event(struct applying *a, size_t n, const struct mapping_view *view)
{
	const struct mapping_event *event = &a->mapping->events[n];
	json_t *out, *data = NULL;

	if (a->terminal[0] == '\0' && find_terminal(a) != 0)
		return NULL;
	out = json_object();
	json_object_set_new(out, "specversion", json_string("1.0"));
	json_object_set_new(out, "source",
	    json_sprintf("/mapping/%s/%s", a->mapping->name, a->terminal));
	json_object_set_new(out, "type", json_string(event_type_name(event->type)));
	if (set_id(a, event, n, view, out) == 0 && set_time(a, event, n, view, out) == 0)
		data = build_data(a, event, n, view);
	if (data == NULL) {
		json_decref(out);
		return NULL;
	}
	json_object_set_new(out, "data", data);
	return out;
}

/* ---- the rules, over the message or each of a list ---- */

static int
make(struct applying *a, size_t n, const struct mapping_view *view, bool marker)
{
	const struct mapping_event *event = &a->mapping->events[n];
	bool wanted = true;
	json_t *made;

	if (event->when != NULL && !holds(event->when, view, &wanted))
		return RULE_ERR(a->err, "/events/%zu/when: the rule needs too many steps", n);
	if (!wanted)
		return 0;
	if (a->count == MAPPING_MADE_MAX)
		return RULE_ERR(a->err, "/events/%zu: expected at most %d events of one message", n,
		    MAPPING_MADE_MAX);
	made = build_event(a, n, view);
	if (made == NULL)
		return AISLE_E_INVALID;
	a->made[a->count++] =
	    (struct made){ .event = made, .snapshot = event->snapshot, .marker = marker };
	return 0;
}

/* A list says all that it has; what is there and no list is a list of one. NULL: not there. */
static json_t *
list_of(json_t *value)
{
	if (json_is_array(value))
		return json_incref(value);
	if (json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0))
		return NULL;
	return json_pack("[O]", value);
}

static int
make_each(struct applying *a, size_t n)
{
	const struct mapping_event *event = &a->mapping->events[n];
	struct mapping_view view = a->message;
	size_t before = a->count;
	json_t *value, *list;
	int rc = 0;

	if (!run(event->each, &a->message, &value, n, "each", a->err))
		return AISLE_E_INVALID;
	list = list_of(value);
	json_decref(value);
	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
		view.data = json_array_get(list, i);
		view.around.index = (int64_t)i;
		rc = make(a, n, &view, false);
	}
	/* All lines went: an element with nothing in it stands for them. */
	if (rc == 0 && list != NULL && event->snapshot && a->count == before) {
		view.data = json_object();
		view.around.index = -1;
		rc = make(a, n, &view, true);
		json_decref(view.data);
	}
	json_decref(list);
	return rc;
}

static int
make_all(struct applying *a)
{
	int rc = 0;

	for (size_t n = 0; rc == 0 && n < a->mapping->event_count; n++)
		rc = a->mapping->events[n].each != NULL ? make_each(a, n)
							: make(a, n, &a->message, false);
	return rc;
}

static bool
ignores(const struct applying *a)
{
	bool ignored = false;

	return a->mapping->ignore != NULL && holds(a->mapping->ignore, &a->message, &ignored) &&
	    ignored;
}

/* New reference; NULL: err says why. */
static json_t *
result_of(struct applying *a, int rc)
{
	if (rc != 0)
		return NULL;
	if (a->count > 0)
		return mapping_settle(a->made, a->count);
	if (ignores(a))
		return json_array();
	err_set(a->err, AISLE_E_NONE, "no rule of the mapping %s takes it", a->mapping->name);
	return NULL;
}

/* ---- from outside ---- */

bool
mapping_matches(const struct mapping *mapping, const char *topic)
{
	const char *filter = mapping->topic;

	if (strncmp(topic, MAPPING_NEVER, strlen(MAPPING_NEVER)) == 0)
		return false;
	for (;;) {
		size_t want = strcspn(filter, "/"), have = strcspn(topic, "/");

		if (strcmp(filter, "#") == 0)
			return true;
		if (!(want == 1 && filter[0] == '+') &&
		    (want != have || memcmp(filter, topic, want) != 0))
			return false;
		filter += want;
		topic += have;
		if (*filter == '\0' || *topic == '\0')
			return *filter == *topic;
		filter++;
		topic++;
	}
}

json_t *
mapping_apply(const struct mapping *mapping, const char *topic, const void *payload, size_t len,
    char ret_terminal[static 33], struct err *err)
{
	struct applying *a;
	json_t *events;

	ret_terminal[0] = '\0';
	a = mem_zero(sizeof(*a));
	a->mapping = mapping;
	a->terminal = ret_terminal;
	a->err = err;
	if (message_read(mapping, topic, payload, len, &a->message, err) != 0) {
		free(a);
		return NULL;
	}
	events = result_of(a, work_out(a) != 0 ? AISLE_E_INVALID : make_all(a));
	for (size_t i = 0; i < a->count; i++)
		json_decref(a->made[i].event);
	message_done(&a->message);
	free(a);
	return events;
}
