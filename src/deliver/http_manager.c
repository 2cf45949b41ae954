/* SPDX-License-Identifier: Apache-2.0
 *
 * http_manager.c - a manager signs in with their PIN, and has a session for a while.
 *
 * DESIGN
 *   The PIN is looked at in a turn, since wrong ones are counted in the state.
 *   What it opens is a session here, in memory alone: a restart ends all of
 *   them, and a copy of the state opens none. Its id is 256 random bits in a
 *   cookie that no script reads and no other page sends; only its hash is kept.
 *
 *   The page asks for new figures by itself: such a request says so ("?poll"),
 *   and keeps no session alive that nobody sits before.
 *
 * LIMITS
 *   MANAGER_SESSIONS_MAX at once: where one more begins, the one that was not used
 *   for longest ends.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "deliver/http_private.h"

#define COOKIE "aisle_manager"

static bool
is_open(const struct manager_session *session, int64_t now_ms)
{
	return session->manager[0] != '\0' && now_ms < session->used_ms + MANAGER_IDLE_MS &&
	    now_ms < session->begun_ms + MANAGER_LIFE_MS;
}

static void
hash_of(const char *token, uint8_t ret[static 32])
{
	hash_bytes(ret, 32, token, strlen(token), NULL, 0);
}

/* The session that this request shows, whatever it is for. Looks at all of them, always. */
static struct manager_session *
session_of(struct http_call *call)
{
	struct http *http = call->http;
	int64_t now_ms = http->host->now_ms(http->host->ctx);
	struct manager_session *found = NULL;
	char token[TOKEN_TEXT_LEN + 2];
	uint8_t hash[32];

	http_cookie(call, COOKIE, token, sizeof(token));
	if (!http_token_shaped(token))
		return NULL;
	hash_of(token, hash);
	for (size_t i = 0; i < MANAGER_SESSIONS_MAX; i++) {
		struct manager_session *session = &http->managers[i];

		if (sodium_memcmp(session->hash, hash, sizeof(hash)) == 0 &&
		    is_open(session, now_ms))
			found = session;
	}
	sodium_memzero(token, sizeof(token));
	return found;
}

bool
http_manager_signed_in(struct http_call *call)
{
	struct manager_session *session = session_of(call);

	if (session == NULL)
		return false;
	snprintf(call->manager, sizeof(call->manager), "%s", session->manager);
	if (strcmp(call->query, "poll") != 0)
		session->used_ms = call->http->host->now_ms(call->http->host->ctx);
	return true;
}

/* A free place, else that of the session that was not used for longest. */
static struct manager_session *
place(struct http *http, int64_t now_ms)
{
	struct manager_session *place = &http->managers[0];

	for (size_t i = 0; i < MANAGER_SESSIONS_MAX; i++) {
		struct manager_session *session = &http->managers[i];

		if (!is_open(session, now_ms))
			return session;
		if (session->used_ms < place->used_ms)
			place = session;
	}
	return place;
}

static void
set_cookie(struct http *http, struct evhttp_request *request, const char *token, const char *more)
{
	char cookie[160];

	snprintf(cookie, sizeof(cookie), COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict%s%s", token,
	    http->tls != NULL ? "; Secure" : "", more);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Set-Cookie", cookie);
	sodium_memzero(cookie, sizeof(cookie));
}

static void
begin(struct http_client *client, const char *manager)
{
	struct http *http = client->http;
	int64_t now_ms = http->host->now_ms(http->host->ctx);
	struct manager_session *session = place(http, now_ms);
	char token[TOKEN_TEXT_LEN + 1];

	http_token_new(token);
	*session = (struct manager_session){ .begun_ms = now_ms, .used_ms = now_ms };
	snprintf(session->manager, sizeof(session->manager), "%s", manager);
	hash_of(token, session->hash);
	set_cookie(http, client->request, token, "");
	sodium_memzero(token, sizeof(token));
}

void
http_manager_end(struct http *http, const char *manager)
{
	for (size_t i = 0; i < MANAGER_SESSIONS_MAX; i++)
		if (strcmp(http->managers[i].manager, manager) == 0)
			sodium_memzero(&http->managers[i], sizeof(http->managers[i]));
}

/* Where wrong PINs are counted: the tablet that shows its token, else the address. */
static void
source_of(struct http_call *call, char out[static HTTP_ADDRESS_SIZE])
{
	uint8_t address[16];

	if (http_authenticate(call))
		snprintf(out, HTTP_ADDRESS_SIZE, "%s", call->tablet.name);
	else if (http_address_of(call->client, address))
		http_address_name(address, out);
	else
		snprintf(out, HTTP_ADDRESS_SIZE, "no address");
}

void
http_post_session(struct http_call *call)
{
	const struct http_host *host = call->http->host;
	json_t *body = http_body(call);
	struct answer *answer;
	const char *problem;
	char source[HTTP_ADDRESS_SIZE];

	if (body == NULL)
		return;
	problem = json_object_get(body, "manager") == NULL ? "manager and pin are expected"
							   : http_check_approval(body);
	if (problem != NULL)
		http_problem(call, 400, "%s", problem);
	else {
		source_of(call, source);
		answer = http_answer_new(call);
		answer->signed_in = begin;
		answer->manager = mem_strdup(json_string_value(json_object_get(body, "manager")));
		host->sign_in(host->ctx, source, answer->manager,
		    json_string_value(json_object_get(body, "pin")), http_answer_reply, answer);
		http_answer_submitted(answer);
	}
	http_wipe_pin(body);
	json_decref(body);
}

void
http_delete_session(struct http_call *call)
{
	struct manager_session *session = session_of(call);
	struct buf body = { 0 };

	if (session != NULL)
		sodium_memzero(session, sizeof(*session));
	set_cookie(call->http, call->request, "", "; Max-Age=0");
	buf_adds(&body, "{}");
	http_reply(call, 200, NULL, &body);
}

void
http_post_order(struct http_call *call)
{
	const struct http_host *host = call->http->host;
	json_t *body = http_body(call);
	struct answer *answer;

	if (body == NULL)
		return;
	answer = http_answer_new(call);
	host->order(host->ctx, call->manager, call->segments[2], body, http_answer_reply, answer);
	http_answer_submitted(answer);
	json_decref(body);
}
