/* SPDX-License-Identifier: Apache-2.0
 *
 * till.c - what the till says of an offer: applied, refused, redeemed, reversed; and what a sale
 * that is cancelled takes back.
 *
 * INVARIANTS
 *   A token is made once, for one basket, and used once. The till's amount is
 *   the truth. No more is taken back than was redeemed.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "policy/policy_load.h"

static bool
is_own_basket(const struct visit *visit, const struct event *event)
{
	return visit->basket != NULL && strcmp(visit->basket, event->basket) == 0;
}

static bool
refuse(struct rejected *rejected, enum reject reason, const char *detail)
{
	rejected->reason = reason;
	snprintf(rejected->detail, sizeof(rejected->detail), "%s", detail);
	return false;
}

static struct card *
find_offer(struct engine *engine, const struct event *event, struct visit **ret_visit,
    struct rejected *rejected)
{
	struct visit *visit = engine_visit_by_ref(engine, "token", event->token);
	struct card *card = NULL;
	struct id token;
	bool bound;

	if (visit != NULL && id_parse(event->token, &token))
		card = visit_card_by_token(visit, &token);
	if (card == NULL) {
		refuse(rejected, REJECT_BAD_VALUE, "/data/token: no such token was given out");
		return NULL;
	}
	/* A token is good for its own basket; one that lives on may be redeemed in a later one. */
	bound = visit->state != VISIT_CLOSED && !card->elsewhere;
	if (bound && visit->basket != NULL && !is_own_basket(visit, event)) {
		refuse(rejected, REJECT_NOT_YOURS, "/data/token: belongs to another basket");
		return NULL;
	}
	if (bound && strcmp(visit->terminal, event->origin) != 0) {
		refuse(rejected, REJECT_NOT_YOURS, "the basket belongs to another terminal");
		return NULL;
	}
	*ret_visit = visit;
	return card;
}

/* What was paid with it is spent: only a reversal gives it back, and no more than that. */
static bool
may_say(const struct card *card, const struct event *event, struct rejected *rejected)
{
	if (event->type == EV_OFFER_REVERSED && !card->redeemed && !card->voided)
		return refuse(rejected, REJECT_BAD_VALUE,
		    "/data/token: nothing of it is redeemed, expected a token that was paid with");
	if (event->type == EV_OFFER_REVERSED && event->amount_minor > card->redeemed_minor)
		return refuse(rejected, REJECT_BAD_VALUE,
		    "/data/amount: expected at most what was redeemed and not yet reversed");
	if (card->redeemed && (event->type == EV_OFFER_REDEEMED || event->type == EV_OFFER_REFUSED))
		return refuse(rejected, REJECT_BAD_VALUE, "/data/token: was redeemed before");
	return true;
}

/* ---- the four words ---- */

static void
applied(struct engine *engine, struct visit *visit, struct card *card, int64_t amount_minor)
{
	/* After it was given up: held until the basket's close. */
	if (!visit_over(visit))
		hold_again(engine, card, amount_minor);
	card->state = CARD_APPLIED;
	card->worth_minor = amount_minor;
	outcome_record(engine, visit, card, OUTCOME_APPLIED, NULL, true, amount_minor);
}

static void
refused(struct engine *engine, struct visit *visit, struct card *card, const char *reason)
{
	card->state = CARD_REFUSED;
	outcome_record(engine, visit, card, OUTCOME_REFUSED, reason, false, 0);
	hold_release(engine, card);
}

static void
redeemed(struct engine *engine, struct visit *visit, struct card *card, const struct event *event)
{
	card->state = CARD_APPLIED;
	card->voided = false;
	card->elsewhere = !is_own_basket(visit, event);
	hold_spend(engine, card, event->amount_minor);
	outcome_record(engine, visit, card, OUTCOME_REDEEMED, NULL, true, event->amount_minor);
	sale_redeemed(engine, visit, card, event->origin, event->basket, event->amount_minor);
}

static void
reversed(struct engine *engine, struct visit *visit, struct card *card, int64_t amount_minor)
{
	/* The cancelled sale gave it back before its till said so. */
	if (card->voided) {
		card->redeemed_minor -= amount_minor;
		return;
	}
	outcome_record(engine, visit, card, OUTCOME_REVERSED, NULL, true, amount_minor);
	hold_return(engine, card, amount_minor);
}

struct visit *
till_offer(struct engine *engine, const struct event *event, struct rejected *rejected)
{
	struct visit *visit;
	struct card *card = find_offer(engine, event, &visit, rejected);

	if (card == NULL || !may_say(card, event, rejected))
		return NULL;
	if (card->asked_ms != 0)
		timer_cancel(engine, "ask", &card->prompt, card->asked_ms + ASK_MS);
	engine_touch(engine, visit);
	switch (event->type) {
	case EV_OFFER_APPLIED: applied(engine, visit, card, event->amount_minor); break;
	case EV_OFFER_REFUSED: refused(engine, visit, card, event->reason); break;
	case EV_OFFER_REDEEMED: redeemed(engine, visit, card, event); break;
	default:
		reversed(engine, visit, card, event->amount_minor);
		sale_redeemed(engine, visit, card, event->origin, event->basket,
		    -event->amount_minor);
		break;
	}
	if (!id_is_zero(&visit->guidance))
		visit_guide(engine, visit, NULL, WITHDRAW_REPLACED);
	return visit;
}

/* ---- the end of a sale ---- */

void
till_void(struct engine *engine, struct visit *visit)
{
	for (size_t i = 0; i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];
		int64_t amount_minor = card->redeemed_minor;

		if (!card->redeemed || card->elsewhere)
			continue;
		reversed(engine, visit, card, amount_minor);
		card->voided = true;
		card->redeemed_minor = amount_minor;
	}
}

void
till_lapse_card(struct engine *engine, struct visit *visit, struct card *card)
{
	if (card->depth == 0 || card->redeemed)
		return;
	hold_release(engine, card);
	if (card_taken(card))
		outcome_unused(engine, visit, card);
}

void
till_lapse(struct engine *engine, struct visit *visit)
{
	for (size_t i = 0; i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];

		if (!card_lives_on(engine, card))
			till_lapse_card(engine, visit, card);
	}
}
