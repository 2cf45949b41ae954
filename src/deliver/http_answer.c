/* SPDX-License-Identifier: Apache-2.0
 *
 * http_answer.c - an associate's tap: its shape is checked here, its meaning by the engine.
 *
 * DESIGN
 *   The reply is given after the turn that the tap is part of is on disk. Until
 *   then struct answer waits on the connection; whichever ends first, turn or
 *   connection, frees it.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aisle/contact.h"
#include "core/json.h"
#include "core/when.h"
#include "deliver/http_private.h"

#define NOTE_MAX 500 /* characters */
#define SECRET_MAX 64

static const char *const decisions[] = { "accept", "dismiss", "snooze", "override" };
static const char *const members[] = { "decision", "reason", "instead", "note", "until", "manager",
	"pin" };

static bool
is_one_of(const char *s, const char *const *list, size_t count)
{
	for (size_t i = 0; s != NULL && i < count; i++)
		if (strcmp(s, list[i]) == 0)
			return true;
	return false;
}

struct json_t *
http_body(struct http_call *call)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(call->request);
	size_t len = evbuffer_get_length(in);
	unsigned char *bytes = evbuffer_pullup(in, -1);
	struct err err = { 0 };
	json_t *body = len > 0 ? json_read((const char *)bytes, len, "body", &err) : NULL;

	if (body == NULL)
		http_problem(call, 400, "body: %s (line %d, column %d)",
		    len > 0 ? err.text : "a JSON object is expected", err.line, err.column);
	else if (!json_is_object(body)) {
		json_decref(body);
		body = NULL;
		http_problem(call, 400, "body: a JSON object is expected");
	}
	if (bytes != NULL)
		sodium_memzero(bytes, len); /* a PIN or a code may be in it */
	return body;
}

static size_t
characters(const char *utf8)
{
	size_t n = 0;

	for (; *utf8 != '\0'; utf8++)
		n += ((unsigned char)*utf8 & 0xc0) != 0x80;
	return n;
}

static const char *
check_instead(const json_t *instead)
{
	const char *action = json_string_value(json_object_get(instead, "action"));
	const json_t *depth = json_object_get(instead, "depth");
	int64_t n;

	if (instead == NULL)
		return NULL;
	if (action == NULL || !http_id_ok(action))
		return "instead: {\"action\", \"depth\"?} is expected";
	if (depth != NULL && (!json_int(depth, &n) || n < 0))
		return "instead.depth: a whole number is expected";
	return NULL;
}

const char *
http_check_approval(const struct json_t *body)
{
	const json_t *manager = json_object_get(body, "manager");
	const json_t *pin = json_object_get(body, "pin");

	if ((manager == NULL) != (pin == NULL))
		return "manager and pin belong together";
	if (manager == NULL)
		return NULL;
	if (!json_is_string(manager) || !http_id_ok(json_string_value(manager)))
		return "manager: an id is expected";
	if (!json_is_string(pin) || json_string_length(pin) == 0 ||
	    json_string_length(pin) > SECRET_MAX)
		return "pin: a string is expected";
	return NULL;
}

/* NULL, or what is wrong. */
static const char *
check_decision(const json_t *body)
{
	const json_t *reason = json_object_get(body, "reason");
	const json_t *note = json_object_get(body, "note");
	const json_t *until = json_object_get(body, "until");
	const char *problem;
	int64_t ms;

	if (!is_one_of(json_string_value(json_object_get(body, "decision")), decisions,
		ARRAY_LEN(decisions)))
		return "decision: accept, dismiss, snooze or override is expected";
	if (reason != NULL && !is_one_of(json_string_value(reason), answer_reasons, ANSWER_REASONS))
		return "reason: not-relevant, customer-declined, out-of-stock, wrong-person, "
		       "insensitive, too-busy "
		       "or other is expected";
	if (note != NULL &&
	    (!json_is_string(note) || characters(json_string_value(note)) > NOTE_MAX))
		return "note: at most 500 characters are expected";
	if (until != NULL && (!json_is_string(until) || !when_parse(json_string_value(until), &ms)))
		return "until: a time like 2026-11-21T10:15:00.123Z is expected";
	if ((problem = check_instead(json_object_get(body, "instead"))) != NULL)
		return problem;
	return http_check_approval(body);
}

static const char *
check_shown(const json_t *body)
{
	const json_t *shown = json_object_get(body, "shown");

	return shown != NULL && !json_is_boolean(shown) ? "shown: true or false is expected" : NULL;
}

static void
count_unknown(struct http *http, json_t *body, bool decision)
{
	const char *key;
	json_t *value;

	json_object_foreach(body, key, value)
		if (decision ? !is_one_of(key, members, ARRAY_LEN(members))
			     : strcmp(key, "shown") != 0)
			http->counts.unknown_members++;
}

static void
answer_free(struct answer *answer)
{
	free(answer->manager);
	free(answer);
}

/* The turn is over. */
void
http_answer_reply(void *ctx, const struct reply *result)
{
	struct answer *answer = ctx;
	struct http_client *client = answer->client;
	struct buf body = { 0 };
	bool failed = result->status >= 400;

	CHECK(client != NULL && !answer->replied);
	answer->replied = true;
	client->answer = NULL;
	client->since_ms = http_mono_ms();
	if (failed)
		http_problem_text(result->status, result->detail, result->clause, &body);
	else
		buf_adds(&body, result->body != NULL ? result->body : "{}");
	client->http->counts.refused += failed;
	if (!failed && answer->manager != NULL)
		answer->signed_in(client, answer->manager);
	http_send(client->request, result->status, failed ? "application/problem+json" : NULL,
	    &body, false);
	if (!answer->submitting)
		answer_free(answer);
}

void
http_answer_gone(struct http_client *client)
{
	struct answer *answer = client->answer;
	struct http_host const *host = client->http->host;

	if (answer == NULL)
		return;
	client->answer = NULL;
	host->cancel(host->ctx, answer);
	answer_free(answer);
}

/* While a turn is awaited the tablet may leave: notice it. No bytes may be read as a request
 * (http_client.c). */
static void
watch_connection(struct http_client *client)
{
	bufferevent_data_cb write_cb;
	bufferevent_event_cb event_cb;
	void *ctx;

	bufferevent_getcb(client->bev, NULL, &write_cb, &event_cb, &ctx);
	bufferevent_setcb(client->bev, NULL, write_cb, event_cb, ctx);
	bufferevent_enable(client->bev, EV_READ);
}

struct answer *
http_answer_new(struct http_call *call)
{
	struct answer *answer = mem_zero(sizeof(*answer));

	answer->client = call->client;
	answer->submitting = true;
	call->client->answer = answer;
	return answer;
}

void
http_answer_submitted(struct answer *answer)
{
	answer->submitting = false;
	if (answer->replied)
		answer_free(answer);
	else
		watch_connection(answer->client);
}

static void
submit(struct http_call *call, const char *guidance, const char *prompt, const char *kind,
    json_t *body)
{
	const struct http_host *host = call->http->host;
	struct answer *answer = http_answer_new(call);
	bool manager = call->manager[0] != '\0';

	host->submit(host->ctx, manager ? NULL : call->tablet.name, manager ? call->manager : NULL,
	    guidance, prompt, kind, body, http_answer_reply, answer);
	http_answer_submitted(answer);
}

void
http_wipe_pin(struct json_t *body)
{
	const json_t *pin = json_object_get(body, "pin");

	if (json_is_string(pin)) /* in place: the value dies with the body */
		sodium_memzero((void *)(uintptr_t)json_string_value(pin), json_string_length(pin));
}

static void
post(struct http_call *call, const char *kind, bool decision)
{
	const struct http_host *host = call->http->host;
	json_t *body = http_body(call);
	const char *problem;
	char station[33] = "";

	if (body == NULL)
		return;
	problem = decision ? check_decision(body) : check_shown(body);
	if (problem != NULL)
		http_problem(call, 400, "%s", problem);
	else if (host->guidance_station(host->ctx, call->segments[2], station) != 0)
		http_problem(call, 404, "no such guidance");
	else if (!http_scope_has(&call->tablet, station))
		http_problem(call, 403, "this tablet is not paired with station %s", station);
	else {
		count_unknown(call->http, body, decision);
		submit(call, call->segments[2], call->segments[4], kind, body);
	}
	http_wipe_pin(body);
	json_decref(body);
}

void
http_post_shown(struct http_call *call)
{
	post(call, "shown", false);
}

void
http_post_decision(struct http_call *call)
{
	post(call, "decision", true);
}

/* The session stands for the PIN. */
void
http_post_manager_answer(struct http_call *call)
{
	json_t *body = http_body(call);
	const char *guidance = json_string_value(json_object_get(body, "guidance"));
	const char *prompt = json_string_value(json_object_get(body, "prompt"));
	const char *problem;

	if (body == NULL)
		return;
	problem = check_decision(body);
	if (guidance == NULL || !http_id_ok(guidance) || prompt == NULL || !http_id_ok(prompt))
		problem = "guidance and prompt: their ids are expected";
	if (problem != NULL)
		http_problem(call, 400, "%s", problem);
	else
		submit(call, guidance, prompt, "decision", body);
	http_wipe_pin(body);
	json_decref(body);
}
