/* SPDX-License-Identifier: Apache-2.0
 *
 * http_read.c - what can be read: stations, decisions, the day's figures, health.
 */
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/json_write.h"
#include "deliver/http_private.h"

static bool
is_listed(const json_t *list, const char *station)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *name = json_object_get(json_array_get(list, i), "station");

		if (json_is_string(name) && strcmp(json_string_value(name), station) == 0)
			return true;
	}
	return false;
}

/* A tablet may be hung up before its till says its first word. */
static void
add_unheard(const struct http_tablet *tablet, json_t *list)
{
	char names[sizeof(tablet->stations)], *rest = names, *name;

	snprintf(names, sizeof(names), "%s", tablet->stations);
	while ((name = strsep(&rest, ",")) != NULL)
		if (!is_listed(list, name))
			json_array_append_new(list,
			    json_pack("{s:s, s:i, s:b}", "station", name, "open", 0, "heard", 0));
}

/* The stations that this tablet was paired with, and no other. */
static void
keep_scope(const struct http_tablet *tablet, struct buf *text)
{
	struct err err = { 0 };
	json_t *root = json_read(text->data, text->len, "stations", &err);
	json_t *list = json_object_get(root, "stations");
	const char *station;

	for (size_t i = json_array_size(list); i-- > 0;) {
		station = json_string_value(json_object_get(json_array_get(list, i), "station"));
		if (station == NULL || !http_scope_has(tablet, station))
			json_array_remove(list, i);
	}
	add_unheard(tablet, list);
	buf_clear(text);
	json_write(root, text);
	json_decref(root);
}

void
http_get_stations(struct http_call *call)
{
	const struct http_host *host = call->http->host;
	struct buf text = { 0 };
	struct json_writer *w = JSON_WRITER(&text);

	if (host->stations(host->ctx, &text) != 0) {
		buf_clear(&text);
		json_add_object(w, NULL);
		json_add_list(w, "stations");
		json_end(w);
		json_end(w);
	} else if (call->tablet.stations[0] != '\0') {
		keep_scope(&call->tablet, &text);
	}
	http_reply(call, 200, NULL, &text);
}

void
http_get_station(struct http_call *call)
{
	const struct http_host *host = call->http->host;
	const char *station = call->segments[2];
	struct buf text = { 0 };

	if (!http_name_ok(station))
		http_problem(call, 404, "no such station");
	else if (!http_scope_has(&call->tablet, station))
		http_problem(call, 403, "this tablet is not paired with station %s", station);
	else if (host->station(host->ctx, station, &text) != 0)
		http_problem(call, 404, "no such station");
	else
		http_reply(call, 200, NULL, &text);
	buf_done(&text);
}

/* What the models saw, and what they said of it: for operators alone. */
static void
leave_out_models(json_t *decision)
{
	json_t *candidate;
	size_t i;

	json_object_del(decision, "features");
	json_object_del(decision, "counters");
	json_object_del(decision, "contributions");
	json_array_foreach(json_object_get(decision, "candidates"), i, candidate) {
		json_object_del(candidate, "p1");
		json_object_del(candidate, "p0");
		json_object_del(candidate, "learned");
	}
}

void
http_get_decision(struct http_call *call)
{
	const struct http_host *host = call->http->host;
	const char *station;
	struct buf text = { 0 };
	struct err err = { 0 };
	json_t *decision = NULL;

	if (host->decision(host->ctx, call->segments[2], &text) != 0 ||
	    (decision = json_read(text.data, text.len, "decision", &err)) == NULL)
		http_problem(call, 404,
		    "no such decision, or it is older than [privacy] decision_days");
	else if (call->manager[0] == '\0' &&
	    ((station = json_string_value(json_object_get(decision, "station"))) == NULL ||
		!http_scope_has(&call->tablet, station)))
		http_problem(call, 403, "this tablet is not paired with that station");
	else {
		if (!http_is_operator(call->http, call->client)) {
			leave_out_models(decision);
			buf_clear(&text);
			json_write(decision, &text);
		}
		http_reply(call, 200, NULL, &text);
	}
	json_decref(decision);
	buf_done(&text);
}

void
http_get_report(struct http_call *call)
{
	const struct http_host *host = call->http->host;
	struct buf text = { 0 };

	if (host->report(host->ctx, &text) != 0)
		http_problem(call, 503, "there is no report just now");
	else {
		/* The page shows a manager what they may order. */
		if (call->manager[0] != '\0')
			http_add_header(call, "Aisle-Manager", call->manager);
		http_reply(call, 200, NULL, &text);
	}
	buf_done(&text);
}

void
http_get_metrics(struct http_call *call)
{
	const struct http_host *host = call->http->host;
	const char *accept = http_header(call, "Accept");
	bool openmetrics = accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
	struct buf text = { 0 };

	if (host->metrics(host->ctx, openmetrics, &text) != 0)
		http_problem(call, 503, "there are no metrics just now");
	else
		http_reply(call, 200,
		    openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
				: "text/plain; version=0.0.4; charset=utf-8",
		    &text);
	buf_done(&text);
}

void
http_get_livez(struct http_call *call)
{
	struct buf text = { 0 };
	struct json_writer *w = JSON_OBJECT(&text);

	/* That the loop turns is what the answer itself says. */
	json_add_str(w, "status", "pass");
	json_end(w);
	buf_addc(&text, '\n');
	http_reply(call, 200, "application/health+json", &text);
}

void
http_get_readyz(struct http_call *call)
{
	const struct http_host *host = call->http->host;
	struct buf text = { 0 };
	bool ready = host->ready(host->ctx, &text);

	if (!ready)
		call->http->counts.refused++;
	http_reply(call, ready ? 200 : 503, "application/health+json", &text);
}
