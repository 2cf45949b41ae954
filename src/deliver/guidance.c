/* SPDX-License-Identifier: Apache-2.0
 *
 * guidance.c - what one station's tablet shows of a visit now.
 *
 * DESIGN
 *   A card carries its prompt object as text, written when it was chosen; what
 *   changes with time (state, choices, its own expiry) is set in here. So a
 *   kept prompt keeps its words, whatever the basket does.
 *
 *   A Guidance goes on show until the last of its open cards expires; without
 *   an open one, for IDLE_MS: it is sent again, or withdrawn, with the visit.
 *   Cards of the `customer` placement go to the screen at the same station;
 *   where one is shown, the customer line is not.
 */
#include "deliver/guidance.h"

#include <string.h>

#include "core/id.h"
#include "core/when.h"

#define IDLE_MS H_MS

static bool
card_on_screen(const struct card *card)
{
	return card->state != CARD_GONE && !card->withheld && card->json != NULL &&
	    (card->placement == PLACE_TABLET || card->placement == PLACE_CUSTOMER);
}

const char *
card_state_text(const struct card *card)
{
	static const char *const texts[] = {
		[CARD_OPEN] = "open",
		[CARD_ANSWERED] = "answered",
		[CARD_ASKED] = "asked",
		[CARD_APPLIED] = "applied",
		[CARD_REFUSED] = "refused",
		[CARD_GONE] = "answered", /* never on screen */
	};

	return texts[card->state];
}

const char *
customer_line(const struct subject *subject)
{
	return subject != NULL && subject->line != NULL && *subject->line != '\0' ? subject->line
										  : NULL;
}

static bool
faces_customer(const struct visit *visit)
{
	for (size_t i = 0; i < visit->card_count; i++)
		if (card_on_screen(&visit->cards[i]) && visit->cards[i].placement == PLACE_CUSTOMER)
			return true;
	return false;
}

bool
guidance_wanted(const struct visit *visit, const struct subject *subject)
{
	for (size_t i = 0; i < visit->card_count; i++)
		if (card_on_screen(&visit->cards[i]))
			return true;
	return customer_line(subject) != NULL;
}

static const char *
card_choices(const struct card *card, int64_t now_ms)
{
	static const char *const by_gate[GATE_COUNT] = {
		[GATE_NONE] = "[\"accept\",\"dismiss\"]",
		[GATE_ASSOCIATE] = "[\"accept\",\"dismiss\",\"snooze\",\"override\"]",
		[GATE_MANAGER] = "[\"accept\",\"dismiss\",\"snooze\",\"override\"]",
		[GATE_CUSTOMER] = "[\"accept\",\"dismiss\"]",
		[GATE_AUTO] = "[]",
	};

	if (card->state != CARD_OPEN || (card->expires_ms != 0 && now_ms >= card->expires_ms))
		return "[]";
	CHECK(card->gate >= 0 && card->gate < GATE_COUNT);
	return by_gate[card->gate];
}

/* The stored object without its closing brace, then what changes. */
static void
add_prompt(const struct card *card, int64_t now_ms, struct buf *out)
{
	size_t len = strlen(card->json);
	char expires[WHEN_TEXT_SIZE];

	CHECK(len > 2 && card->json[len - 1] == '}');
	buf_add(out, card->json, len - 1);
	buf_addf(out, ",\"state\":\"%s\",\"choices\":%s", card_state_text(card),
	    card_choices(card, now_ms));
	if (card->state == CARD_OPEN && card->expires_ms != 0) {
		when_text(card->expires_ms, expires);
		buf_addf(out, ",\"expires\":\"%s\"", expires);
	}
	buf_addc(out, '}');
}

static int64_t
guidance_expires(const struct visit *visit, int64_t now_ms)
{
	int64_t latest = 0;

	for (size_t i = 0; i < visit->card_count; i++) {
		const struct card *card = &visit->cards[i];

		if (card_on_screen(card) && card->state == CARD_OPEN && card->expires_ms > latest)
			latest = card->expires_ms;
	}
	return latest > 0 ? latest : now_ms + IDLE_MS;
}

static void
add_time(struct buf *out, const char *name, int64_t ms)
{
	char text[WHEN_TEXT_SIZE];

	when_text(ms, text);
	buf_addf(out, ",\"%s\":\"%s\"", name, text);
}

void
guidance_json(const struct visit *visit, const struct policy *policy, const struct id *decision,
    const struct subject *subject, int64_t now_ms, struct buf *out)
{
	const char *line = faces_customer(visit) ? NULL : customer_line(subject);
	char guidance_text[ID_TEXT_SIZE], decision_text[ID_TEXT_SIZE];
	bool first = true;

	id_text(&visit->guidance, guidance_text);
	id_text(decision, decision_text);
	buf_addf(out, "{\"guidance\":\"%s\",\"decision\":\"%s\",\"station\":", guidance_text,
	    decision_text);
	buf_json_str(out, visit->station);
	if (visit->basket != NULL) {
		buf_adds(out, ",\"basket\":");
		buf_json_str(out, visit->basket);
	}
	add_time(out, "at", now_ms);
	add_time(out, "expires", guidance_expires(visit, now_ms));
	if (policy != NULL) {
		buf_adds(out, ",\"policy\":{\"name\":");
		buf_json_str(out, policy->name);
		buf_addf(out, ",\"version\":%lld}", (long long)policy->version);
	}
	buf_addf(out, ",\"customer\":{\"known\":%s",
	    subject != NULL && subject->known ? "true" : "false");
	if (line != NULL) {
		buf_adds(out, ",\"line\":");
		buf_json_str(out, line);
	}
	buf_adds(out, "},\"prompts\":[");
	for (size_t i = 0; i < visit->card_count; i++) {
		if (!card_on_screen(&visit->cards[i]))
			continue;
		buf_adds(out, first ? "" : ",");
		add_prompt(&visit->cards[i], now_ms, out);
		first = false;
	}
	buf_adds(out, "]}");
}

void
withdraw_json(const struct id *guidance, const char *reason, struct buf *out)
{
	char text[ID_TEXT_SIZE];

	id_text(guidance, text);
	buf_addf(out, "{\"withdraw\":\"%s\",\"reason\":", text);
	buf_json_str(out, reason);
	buf_addc(out, '}');
}
