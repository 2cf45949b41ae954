/* SPDX-License-Identifier: Apache-2.0
 *
 * guidance.c - what one station's tablet shows of a visit now.
 *
 * DESIGN
 *   A card carries its prompt object as text, written when it was chosen; what
 *   changes with time (state, choices, its own expiry) is set in here. So a
 *   kept prompt keeps its words, until its worth is another (spine/follow.c).
 *
 *   A Guidance goes on show until the last of its open cards expires; without
 *   an open one, for IDLE_MS: it is sent again, or withdrawn, with the visit.
 *   What the broker does not take in one message nobody would see: cards that
 *   are open always fit (decide/prompt.c bounds each), of those that are
 *   answered the newest as far as there is room.
 *
 *   Cards of the `customer` placement go to the screen at the same station;
 *   where one is shown, the customer line is not.
 */
#include "deliver/guidance.h"

#include <string.h>

#include "nouns/visit.h"

#define IDLE_MS H_MS
/* The broker takes 128 KiB, with its topic. */
#define GUIDANCE_BYTES_MAX (124u << 10)
#define HEAD_BYTES 4096	    /* what is said beside the cards */
#define CARD_MORE_BYTES 128 /* state, choices, expiry */

bool
card_on_screen(const struct card *card)
{
	CHECK((unsigned)card->placement < PLACE_COUNT);
	return card->state != CARD_GONE && !card->withheld && card->json != NULL &&
	    placement_table[card->placement].on_screen;
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

	return NAME_OF(texts, card->state);
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
		if (card_on_screen(&visit->cards[i]) &&
		    placement_table[visit->cards[i].placement].faces_customer)
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

void
guidance_choices(enum gate gate, bool mandatory, struct json_writer *w)
{
	static const char *const by_gate[GATE_COUNT][4] = {
		[GATE_NONE] = { "accept", "dismiss" },
		[GATE_ASSOCIATE] = { "accept", "dismiss", "snooze", "override" },
		[GATE_MANAGER] = { "accept", "dismiss", "snooze", "override" },
		[GATE_CUSTOMER] = { "accept", "dismiss" },
	};

	/* What is mandatory is accepted, and not put off. */
	size_t count = mandatory ? 1 : ARRAY_LEN(by_gate[0]);

	CHECK(gate < GATE_COUNT);
	json_add_list(w, "choices");
	for (size_t i = 0; i < count && by_gate[gate][i] != NULL; i++)
		json_add_str(w, NULL, by_gate[gate][i]);
	json_end(w);
}

static void
add_choices(const struct card *card, int64_t now_ms, struct json_writer *w)
{
	if (card->state == CARD_OPEN && (card->expires_ms == 0 || now_ms < card->expires_ms)) {
		CHECK(card->gate >= 0);
		guidance_choices((enum gate)card->gate, card_mandatory(card), w);
	} else {
		json_add_list(w, "choices");
		json_end(w);
	}
}

/* The stored object, then what changes. */
static void
add_prompt(const struct card *card, int64_t now_ms, struct json_writer *w)
{
	json_add_object(w, NULL);
	json_add_members(w, card->json, strlen(card->json));
	json_add_str(w, "state", card_state_text(card));
	if (card->state == CARD_REFUSED && card->silent)
		json_add_bool(w, "silent", true);
	if (card->state == CARD_APPLIED)
		json_add_int(w, "amount", card->worth_minor);
	add_choices(card, now_ms, w);
	if (card->state == CARD_OPEN)
		json_opt_when(w, "expires", card->expires_ms);
	json_end(w);
}

static size_t
bytes_of(const struct card *card)
{
	return card_on_screen(card) ? strlen(card->json) + CARD_MORE_BYTES : 0;
}

/* From which card on those that are answered have room. */
static size_t
first_answered(const struct visit *visit)
{
	size_t bytes = HEAD_BYTES, i;

	for (i = 0; i < visit->card_count; i++)
		if (visit->cards[i].state == CARD_OPEN)
			bytes += bytes_of(&visit->cards[i]);
	for (i = visit->card_count; i > 0; i--) {
		const struct card *card = &visit->cards[i - 1];

		if (card->state == CARD_OPEN)
			continue;
		bytes += bytes_of(card);
		if (bytes > GUIDANCE_BYTES_MAX)
			break;
	}
	return i;
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

void
guidance_json(const struct visit *visit, const struct policy *policy, const struct id *decision,
    const struct subject *subject, int64_t now_ms, struct json_writer *w)
{
	const char *line = faces_customer(visit) ? NULL : customer_line(subject);
	size_t first;

	json_add_object(w, NULL);
	json_add_id(w, "guidance", &visit->guidance);
	json_add_id(w, "decision", decision);
	json_add_str(w, "station", visit->station);
	if (visit->basket != NULL)
		json_add_str(w, "basket", visit->basket);
	json_add_when(w, "at", now_ms);
	json_add_when(w, "expires", guidance_expires(visit, now_ms));
	if (policy != NULL) {
		json_add_object(w, "policy");
		json_add_str(w, "name", policy->name);
		json_add_int(w, "version", policy->version);
		json_end(w);
	}
	json_add_object(w, "customer");
	json_add_bool(w, "known", subject != NULL && subject->known);
	if (line != NULL)
		json_add_str(w, "line", line);
	json_end(w);
	json_add_list(w, "prompts");
	first = first_answered(visit);
	for (size_t i = 0; i < visit->card_count; i++)
		if (card_on_screen(&visit->cards[i]) &&
		    (visit->cards[i].state == CARD_OPEN || i >= first))
			add_prompt(&visit->cards[i], now_ms, w);
	json_end(w);
	json_end(w);
}

void
withdraw_json(const struct id *guidance, const char *reason, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_id(w, "withdraw", guidance);
	json_add_str(w, "reason", reason);
	json_end(w);
}
