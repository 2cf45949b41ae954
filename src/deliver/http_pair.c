/* SPDX-License-Identifier: Apache-2.0
 *
 * http_pair.c - from a code that someone reads out to a token that the tablet keeps.
 *
 * DESIGN
 *   A code is six digits, so it is worth something only because it dies: after
 *   five minutes, after one use, after five wrong guesses. Nobody can say which
 *   code a wrong guess was meant for, so it counts against all that are open;
 *   a guesser has at most 5 × 8 chances in a million until someone asks
 *   for a new code, and all failures together are limited beside that.
 *
 * LIMITS
 *   Someone on the LAN can spoil open codes by guessing. That costs a new code,
 *   and shows in the counter pair_failed.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/json_write.h"
#include "deliver/http_private.h"

void
http_pair_init(struct http *http)
{
	http->pair_failures_left = PAIR_FAILURES_MAX;
	http->pair_refilled_ms = http->host->now_ms(http->host->ctx);
}

static bool
is_open(const struct pair_code *code, int64_t now_ms)
{
	return code->code[0] != '\0' && code->tries > 0 && now_ms < code->expires_ms;
}

static void
forget_dead(struct http *http, int64_t now_ms)
{
	for (size_t i = 0; i < PAIR_CODES_MAX; i++)
		if (!is_open(&http->codes[i], now_ms))
			sodium_memzero(&http->codes[i], sizeof(http->codes[i]));
}

/* The open code with these digits. Looks at all of them, always. */
static struct pair_code *
find_code(struct http *http, const char digits[static 7])
{
	struct pair_code *found = NULL;

	for (size_t i = 0; i < PAIR_CODES_MAX; i++)
		if (sodium_memcmp(http->codes[i].code, digits, 7) == 0)
			found = &http->codes[i];
	return found;
}

/* "7,8", or "" for all. What a station cannot be called must not stand for one, nor half a name
 * at the end of a list that is too long. */
bool
http_is_scope(const char *stations)
{
	char name[33];

	if (strlen(stations) >= sizeof(((struct pair_code *)0)->stations))
		return false;
	for (const char *at = stations; *stations != '\0';) {
		size_t len = strcspn(at, ",");

		if (len >= sizeof(name))
			return false;
		memcpy(name, at, len);
		name[len] = '\0';
		if (!http_name_ok(name))
			return false;
		if (at[len] == '\0')
			break;
		at += len + 1;
	}
	return true;
}

bool
http_pair(struct http *http, const char *stations, char ret_code[static 7], int64_t *ret_expires_ms)
{
	int64_t now_ms = http->host->now_ms(http->host->ctx);
	struct pair_code *slot = &http->codes[0];

	if (!http_is_scope(stations))
		return false;
	forget_dead(http, now_ms);
	for (size_t i = 0; i < PAIR_CODES_MAX; i++) {
		if (http->codes[i].code[0] == '\0') {
			slot = &http->codes[i];
			break;
		}
		if (http->codes[i].expires_ms < slot->expires_ms)
			slot = &http->codes[i];
	}
	do
		snprintf(ret_code, 7, "%06u", (unsigned)randombytes_uniform(1000000));
	while (find_code(http, ret_code) != NULL);
	snprintf(slot->code, sizeof(slot->code), "%s", ret_code);
	snprintf(slot->stations, sizeof(slot->stations), "%s", stations);
	slot->tries = PAIR_TRIES;
	slot->expires_ms = now_ms + PAIR_LIFE_MS;
	*ret_expires_ms = slot->expires_ms;
	return true;
}

/* False: too many failures of late. */
static bool
may_try(struct http *http, int64_t now_ms)
{
	int64_t refills = (now_ms - http->pair_refilled_ms) / PAIR_REFILL_MS;

	if (refills < 0 || refills >= PAIR_FAILURES_MAX) {
		http->pair_failures_left = PAIR_FAILURES_MAX;
		http->pair_refilled_ms = now_ms;
	} else {
		http->pair_failures_left += (int)refills;
		if (http->pair_failures_left > PAIR_FAILURES_MAX)
			http->pair_failures_left = PAIR_FAILURES_MAX;
		http->pair_refilled_ms += refills * PAIR_REFILL_MS;
	}
	return http->pair_failures_left > 0;
}

static void
wrong_guess(struct http *http)
{
	http->counts.pair_failed++;
	http->pair_failures_left--;
	for (size_t i = 0; i < PAIR_CODES_MAX; i++)
		if (http->codes[i].code[0] != '\0')
			http->codes[i].tries--;
}

static void
send_token(struct http_call *call, const char *token, const char *name)
{
	char cookie[256];
	struct buf body = { 0 };
	struct json_writer *w = JSON_OBJECT(&body);

	snprintf(cookie, sizeof(cookie),
	    "aisle_token=%s; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict%s", token,
	    call->http->tls != NULL ? "; Secure" : "");
	http_add_header(call, "Set-Cookie", cookie);
	sodium_memzero(cookie, sizeof(cookie));
	json_add_str(w, "token", token);
	json_add_str(w, "name", name);
	json_end(w);
	http_reply(call, 200, NULL, &body);
}

/* The right code: a token, its hash on disk, and only then the code is used up. */
static void
pair(struct http_call *call, struct pair_code *code, const char *name)
{
	const struct http_host *host = call->http->host;
	struct http_tablet tablet = { 0 };
	char token[TOKEN_TEXT_LEN + 1], hash[65];
	int rc;

	http_token_new(token);
	http_token_hash(token, hash);
	snprintf(tablet.name, sizeof(tablet.name), "%s", name);
	snprintf(tablet.stations, sizeof(tablet.stations), "%s", code->stations);
	rc = host->tablet_put(host->ctx, hash, &tablet);
	if (rc == 0) {
		sodium_memzero(code, sizeof(*code));
		send_token(call, token, name);
	} else if (rc == AISLE_E_REFUSED)
		http_problem(call, 409, "another tablet has the name %s", name);
	else
		http_problem(call, 503, "the store cannot write just now");
	sodium_memzero(token, sizeof(token));
}

void
http_post_pair(struct http_call *call)
{
	struct http *http = call->http;
	int64_t now_ms = http->host->now_ms(http->host->ctx);
	json_t *body = http_body(call);
	const char *digits, *name;
	struct pair_code *code;

	if (body == NULL)
		return;
	digits = json_string_value(json_object_get(body, "code"));
	name = json_string_value(json_object_get(body, "name"));
	if (digits == NULL || strlen(digits) != 6 || strspn(digits, "0123456789") != 6)
		http_problem(call, 400, "code: six digits are expected");
	else if (name == NULL || !http_name_ok(name))
		http_problem(call, 400, "name: 1 to 32 letters, digits, - and _ are expected");
	else if (!may_try(http, now_ms)) {
		http_add_header(call, "Retry-After", "3");
		http_problem(call, 429, "too many wrong codes: wait a moment");
	} else {
		forget_dead(http, now_ms);
		if ((code = find_code(http, digits)) != NULL)
			pair(call, code, name);
		else {
			wrong_guess(http);
			http_problem(call, 403,
			    "this code is wrong, used or too old: ask for a new one");
		}
	}
	json_decref(body);
}
