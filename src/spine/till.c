/* SPDX-License-Identifier: Apache-2.0
 *
 * till.c - what the till says of an offer: applied, refused, redeemed, reversed; and what a sale
 * that is cancelled takes back.
 *
 * INVARIANTS
 *   A token is made once, for one basket, and used once, by the till whose basket
 *   it is; only one that lives on is good in a later basket. The till's amount is
 *   the truth, up to the most that the offer can save. A reversal may come from
 *   any till; no more is taken back than was redeemed.
 */
#include "spine/spine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/log.h"
#include "core/metrics.h"
#include "nouns/marks.h"
#include "policy/policy_load.h"

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

	if (visit != NULL && id_parse(event->token, &token))
		card = visit_card_by_token(visit, &token);
	if (card == NULL)
		refuse(rejected, REJECT_BAD_VALUE, "/data/token: no such token was given out");
	*ret_visit = visit;
	return card;
}

/* ---- whose word it is ---- */

/* Nothing was heard of the basket but a card that named it, and what was offered then. */
static bool
only_named(const struct visit *home, const struct event *event)
{
	return home->state == VISIT_WAITING && home->basket != NULL &&
	    strcmp(home->basket, event->basket) == 0 && strcmp(home->terminal, event->origin) == 0;
}

/* The basket of this till that it speaks of, open or closed a moment ago; NULL: it has none. */
static struct visit *
own_basket(struct engine *engine, struct visit *home, const struct event *event,
    struct rejected *rejected)
{
	struct visit *visit = engine_basket(engine, event->origin, event->basket, event->time_ms);

	if (visit == NULL && only_named(home, event))
		return home;
	if (visit == NULL || visit->state == VISIT_CANCELLED) {
		refuse(rejected, REJECT_NOT_YOURS,
		    "/data/basket: expected a basket that is open at this till");
		return NULL;
	}
	if (visit->state == VISIT_CLOSED && event->time_ms > visit->ended_at_ms + LATE_WORD_MS) {
		refuse(rejected, REJECT_NOT_YOURS,
		    "/data/basket: was closed more than five minutes before");
		return NULL;
	}
	if (visit->training) {
		refuse(rejected, REJECT_BAD_VALUE,
		    "/data/basket: is for training, where no offer is used");
		return NULL;
	}
	return visit;
}

/* A token is good in its own basket; one that lives on in a later one, too. */
static bool
good_in(const struct visit *home, const struct card *card, const struct visit *basket,
    const struct event *event)
{
	return basket == home ||
	    (visit_over(home) && card->state != CARD_GONE && event->time_ms <= card->until_ms);
}

/* It is used once: what was paid with it is spent, and after its sale no reversal brings it back. */
static bool
may_use(const struct card *card, const struct event *event, struct rejected *rejected)
{
	if (card->spent)
		return refuse(rejected, REJECT_BAD_VALUE,
		    "/data/token: was used, and taken back after the sale");
	if (card->redeemed && event->type != EV_OFFER_APPLIED)
		return refuse(rejected, REJECT_BAD_VALUE, "/data/token: was redeemed before");
	return true;
}

/* Whatever till says it, it is of the basket that was paid with it. */
static bool
may_reverse(const struct visit *home, const struct card *card, const struct event *event,
    struct rejected *rejected)
{
	bool applied = card->state == CARD_APPLIED && !visit_over(home);
	const char *basket = card->paid_basket != NULL ? card->paid_basket : home->basket;

	if (!card->redeemed && !card->voided && !applied)
		return refuse(rejected, REJECT_BAD_VALUE,
		    "/data/token: nothing of it is redeemed, expected a token that was paid with");
	if (basket == NULL || strcmp(basket, event->basket) != 0)
		return refuse(rejected, REJECT_NOT_YOURS,
		    "/data/basket: expected the basket that was paid with this token");
	if ((card->redeemed || card->voided) && event->amount_minor > card->said_minor)
		return refuse(rejected, REJECT_BAD_VALUE,
		    "/data/amount: expected at most what was redeemed and not yet reversed");
	return true;
}

/* ---- how much of it can be true ---- */

static int64_t
most_of(struct engine *engine, const struct card *card, const struct visit *basket)
{
	const struct action *action =
	    engine->policy != NULL ? policy_action(engine->policy, card->action) : NULL;
	int64_t now;

	if (action == NULL || !action->has_offer || action->offer.type != OFFER_FIXED_PRICE ||
	    action->offer.max_minor >= 0)
		return card->most_minor;
	/* Without a max it hangs on the goods, of which there may be more by now. */
	arena_reset(engine->scratch);
	now = offer_most(&action->offer, card->depth,
	    basis_make(engine->scratch, engine->policy, marks_off_in(engine->conf->country),
		basket));
	return now > card->most_minor ? now : card->most_minor;
}

/* A slip of a unit must not spend everybody's budget: it is booked at the most that can be. */
static int64_t
believed(struct engine *engine, const struct card *card, const struct visit *basket,
    const struct event *event, struct rejected *rejected)
{
	int64_t most = most_of(engine, card, basket);

	if (event->amount_minor <= most)
		return event->amount_minor;
	rejected->taken = true;
	rejected->reason = REJECT_BAD_VALUE;
	snprintf(rejected->detail, sizeof(rejected->detail),
	    "/data/amount: %" PRId64 " is more than the offer can save; taken as %" PRId64,
	    event->amount_minor, most);
	metrics_add(METRIC_OVER_THE_MOST, 1);
	log_warning("a till's amount is more than the offer can save terminal=%s action=%s",
	    LOG_VALUE(event->origin), LOG_VALUE(card->action));
	return most;
}

/* ---- the four words ---- */

static void
applied(struct engine *engine, struct visit *visit, struct card *card, int64_t amount_minor)
{
	/* After it was given up: held until the basket's close. */
	if (!visit_over(visit))
		hold_again(engine, card, amount_minor);
	card->state = CARD_APPLIED;
	card->silent = card->denied = false;
	card->worth_minor = amount_minor;
	outcome_record(engine, visit, card, OUTCOME_APPLIED, NULL, true, amount_minor);
	/* Unless it is paid with in the minutes that are left. */
	if (visit_over(visit) && !card_lives_on(engine, card))
		outcome_unused(engine, visit, card);
}

static void
refused(struct engine *engine, struct visit *visit, struct card *card, const char *reason)
{
	card->state = CARD_REFUSED;
	card->denied = true;
	card->silent = false;
	outcome_record(engine, visit, card, OUTCOME_REFUSED, reason, false, 0);
	hold_release(engine, card);
}

static void
redeemed(struct engine *engine, struct visit *visit, struct card *card, struct visit *basket,
    int64_t said_minor, int64_t amount_minor)
{
	card->state = CARD_APPLIED;
	card->voided = card->silent = card->denied = false;
	card->worth_minor = amount_minor;
	card->elsewhere = basket != visit;
	card->said_minor = said_minor;
	card->paid_in = basket->id;
	free(card->paid_basket);
	card->paid_basket = mem_strdup(basket->basket);
	/* What its sale takes back when it is cancelled. */
	if (card->elsewhere)
		engine_ref_paid(engine, basket, visit);
	hold_spend(engine, card, amount_minor);
	outcome_record(engine, visit, card, OUTCOME_REDEEMED, NULL, true, amount_minor);
	sale_redeemed(engine, visit, card, amount_minor);
}

static bool
is_sale_over(struct engine *engine, const struct card *card)
{
	const struct visit *sale = engine_visit(engine, &card->paid_in);

	return sale == NULL || visit_over(sale);
}

static void
reversed(struct engine *engine, struct visit *visit, struct card *card, int64_t said_minor)
{
	int64_t amount_minor =
	    said_minor < card->redeemed_minor ? said_minor : card->redeemed_minor;

	/* The cancelled sale gave it back before its till said so; nothing at all came back. */
	if (card->voided || said_minor == 0)
		return;
	/* Taken off the sale again before it was paid: it was refused after all. */
	if (!card->redeemed) {
		refused(engine, visit, card, "reversed");
		return;
	}
	card->said_minor -= said_minor;
	outcome_record(engine, visit, card, OUTCOME_REVERSED, NULL, true, amount_minor);
	hold_return(engine, card, amount_minor);
	sale_redeemed(engine, visit, card, -amount_minor);
	if (card->redeemed) {
		card->worth_minor = card->redeemed_minor;
		return;
	}
	card->state = CARD_REFUSED; /* it is on no screen as given */
	card->denied = true;
	card->spent = is_sale_over(engine, card);
}

static void
use(struct engine *engine, struct visit *visit, struct card *card, struct visit *basket,
    const struct event *event, struct rejected *rejected)
{
	int64_t amount_minor;

	timer_cancel(engine, "ask", &card->prompt, card->asked_ms + ASK_MS);
	if (event->type == EV_OFFER_REFUSED) {
		refused(engine, visit, card, event->reason);
		return;
	}
	amount_minor = believed(engine, card, basket, event, rejected);
	if (event->type == EV_OFFER_APPLIED)
		applied(engine, visit, card, amount_minor);
	else
		redeemed(engine, visit, card, basket, event->amount_minor, amount_minor);
}

/* The basket that it was paid with in. */
static struct visit *
sale_of(struct engine *engine, struct visit *home, const struct card *card)
{
	struct visit *sale = card->elsewhere ? engine_visit(engine, &card->paid_in) : NULL;

	return sale != NULL ? sale : home;
}

struct visit *
till_offer(struct engine *engine, const struct event *event, struct rejected *rejected)
{
	struct visit *visit, *basket;
	struct card *card = find_offer(engine, event, &visit, rejected);

	if (card == NULL)
		return NULL;
	if (event->type == EV_OFFER_REVERSED) {
		if (!may_reverse(visit, card, event, rejected))
			return NULL;
		basket = sale_of(engine, visit, card);
		reversed(engine, visit, card, event->amount_minor);
	} else {
		if ((basket = own_basket(engine, visit, event, rejected)) == NULL)
			return NULL;
		if (!good_in(visit, card, basket, event)) {
			refuse(rejected, REJECT_NOT_YOURS,
			    "/data/token: belongs to another basket");
			return NULL;
		}
		if (!may_use(card, event, rejected))
			return NULL;
		use(engine, visit, card, basket, event, rejected);
	}
	engine_touch(engine, visit);
	if (!id_is_zero(&visit->guidance))
		visit_guide(engine, visit, NULL, WITHDRAW_REPLACED);
	return basket;
}

/* ---- the end of a sale ---- */

/* What was paid with in the sale, of the cards of this visit. */
static void
void_of(struct engine *engine, struct visit *visit, const struct visit *sale)
{
	int64_t amount_minor;

	for (size_t i = 0; i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];

		if (!card->redeemed || !id_equal(&card->paid_in, &sale->id))
			continue;
		amount_minor = card->redeemed_minor;
		outcome_record(engine, visit, card, OUTCOME_REVERSED, NULL, true, amount_minor);
		hold_return(engine, card, amount_minor);
		if (card->elsewhere)
			sale_redeemed(engine, visit, card, -amount_minor);
		card->worth_minor = amount_minor; /* in case the sale was another */
		card->voided = card->spent = true;
		engine_touch(engine, visit);
	}
}

/* What was taken back of this sale, of the cards of this visit, is paid again. */
static void
unvoid_of(struct engine *engine, struct visit *visit, const struct visit *sale)
{
	for (size_t i = 0; i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];

		if (!card->voided || !id_equal(&card->paid_in, &sale->id))
			continue;
		card->voided = card->spent = false;
		hold_spend(engine, card, card->worth_minor);
		outcome_record(engine, visit, card, OUTCOME_REDEEMED, NULL, true,
		    card->redeemed_minor);
		if (card->elsewhere)
			sale_redeemed(engine, visit, card, card->redeemed_minor);
		engine_touch(engine, visit);
	}
}

/* Of the sale's own cards, and of those that were paid with in it. */
static void
each_home(struct engine *engine, struct visit *sale,
    void (*of)(struct engine *, struct visit *, const struct visit *))
{
	of(engine, sale, sale);
	for (int n = 1; n <= sale->paid_tokens; n++) {
		struct visit *home = engine_paid_home(engine, &sale->id, n);

		if (home != NULL)
			of(engine, home, sale);
	}
}

void
till_void(struct engine *engine, struct visit *visit)
{
	each_home(engine, visit, void_of);
}

void
till_unvoid(struct engine *engine, struct visit *visit)
{
	each_home(engine, visit, unvoid_of);
}

void
till_silent(struct engine *engine, struct visit *visit)
{
	for (size_t i = 0; i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];
		const struct action *action =
		    engine->policy != NULL ? policy_action(engine->policy, card->action) : NULL;

		if (action != NULL && action->has_offer && action->offer.apply != APPLY_TILL_CODE &&
		    card_taken(card) && card->state != CARD_APPLIED && !card->redeemed &&
		    !card_lives_on(engine, card))
			card_silent(engine, visit, card);
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
