/* SPDX-License-Identifier: Apache-2.0
 *
 * train_rows.c - the rows that models learn from.
 *
 * DESIGN
 *   One row a visit, at the moment its customer is recognised: that is when
 *   cards about habits are decided, so the model is asked in the store about
 *   the same kind of moment that it learned from. Offers are another matter:
 *   their row is the moment of the decision that made the card, found by its
 *   time, and what came of it is read from the card as the basket closes.
 *
 *   A row is kept until then beside its visit. Of an open visit only rows
 *   that made a card stay, and the newest.
 */
#include "tools/train_rows.h"

#include <stdlib.h>
#include <string.h>

#include "aisle/policy.h"
#include "aisle/visit.h"
#include "core/id.h"

struct train_pending {
	struct id visit;
	int64_t at_ms;
	double *x;
};

uint32_t
train_rows_types(const struct policy *policy, bool offers)
{
	uint32_t types = 1u << EV_CUSTOMER_IDENTIFIED;

	if (!offers)
		return types;
	for (size_t i = 0; i < policy->action_count; i++)
		types |= policy->actions[i].has_offer ? policy->actions[i].on : 0;
	return (types & ~(uint32_t)FEATURE_ROWS_NEVER) | 1u << EV_BASKET_CLOSED;
}

/* Only they have rows: strangers' baskets take nobody's place. */
static size_t
known_baskets(const struct train_baskets *baskets)
{
	size_t count = 0;

	for (size_t i = 0; i < baskets->count; i++)
		count += baskets->list[i].customer >= 0;
	return count;
}

void
train_rows_init(struct train_rows *rows, const struct train_baskets *baskets,
    const struct train_features *features, bool offers)
{
	size_t known = known_baskets(baskets);

	*rows = (struct train_rows){ .baskets = baskets,
		.features = features,
		.offers = offers,
		.actions.max = POLICY_ACTIONS_MAX,
		.share = UINT64_MAX };
	/* A little less than there is room for: which visits are in the share is chance. */
	if (known > TRAIN_ROWS_MAX)
		rows->share = UINT64_MAX / known * (TRAIN_ROWS_MAX / 50 * 49);
	rows->seen = mem_calloc(baskets->count + 1, sizeof(*rows->seen));
	rows->pending = offers ? mem_calloc(TRAIN_PENDING_MAX, sizeof(*rows->pending)) : NULL;
}

void
train_rows_done(struct train_rows *rows)
{
	for (size_t i = 0; i < rows->pending_count; i++)
		free(rows->pending[i].x);
	free(rows->pending);
	free(rows->column);
	free(rows->list);
	free(rows->x);
	free(rows->seen);
	free(rows->cards);
	free(rows->card_x);
	train_index_done(&rows->actions);
	*rows = (struct train_rows){ 0 };
}

void
train_rows_attach(struct train_rows *rows, const struct feature_rows *source)
{
	rows->column = mem_calloc(feature_rows_count(source) + 1, sizeof(*rows->column));
	for (size_t i = 0; i < feature_rows_count(source); i++) {
		rows->column[i] = -1;
		for (size_t k = 0; k < rows->features->count; k++) {
			if (strcmp(feature_rows_name(source, i), rows->features->list[k].name) == 0)
				rows->column[i] = (int)k;
		}
	}
}

static void
copy_values(const struct train_rows *rows, const struct feature_row *row, double *x)
{
	for (size_t k = 0; k < rows->features->count; k++)
		x[k] = __builtin_nan("");
	for (size_t i = 0; i < row->count; i++) {
		if (rows->column[i] >= 0 && row->values[i].tag == VALUE_NUMBER)
			x[rows->column[i]] = row->values[i].number;
	}
}

/* Doubles in size as it fills: count rows are in it. */
static void
make_room(const struct train_rows *rows, void **list, size_t size, double **x, size_t count)
{
	if (count != 0 && (count < 256 || (count & (count - 1)) != 0))
		return;
	*list = mem_realloc(*list, (count < 256 ? 256 : 2 * count) * size);
	*x = mem_realloc(*x, (count < 256 ? 256 : 2 * count) * rows->features->count * sizeof(**x));
}

/* An even share of visits, the same ones each time: the last bytes of an id are a hash. */
static bool
in_share(const struct train_rows *rows, const struct id *visit)
{
	uint64_t number;

	memcpy(&number, visit->b + 8, sizeof(number));
	return __builtin_bswap64(number) <= rows->share;
}

static void
take_identified(struct train_rows *rows, const struct feature_row *row)
{
	int32_t basket =
		    train_index_get(&rows->baskets->visits, &row->visit_id, sizeof(row->visit_id)),
		customer;

	if (basket < 0 || !row->has_subject || rows->seen[basket] ||
	    !in_share(rows, &row->visit_id))
		return;
	customer = train_index_get(&rows->baskets->customers, &row->subject, sizeof(row->subject));
	/* Another card closed the basket, or its owner has changed their mind since. */
	if (customer < 0 || customer != rows->baskets->list[basket].customer ||
	    (rows->agreed != NULL && !rows->agreed[customer]))
		return;
	if (rows->count == TRAIN_ROWS_MAX) {
		rows->full = true;
		return;
	}
	make_room(rows, (void **)&rows->list, sizeof(*rows->list), &rows->x, rows->count);
	copy_values(rows, row, rows->x + rows->count * rows->features->count);
	rows->list[rows->count++] = (struct train_row){ row->at_ms, (uint32_t)basket };
	rows->seen[basket] = true;
}

/* ---- offers ---- */

static bool
made_a_card(const struct visit *visit, int64_t at_ms)
{
	for (size_t i = 0; i < visit->card_count; i++) {
		if (visit->cards[i].sent_ms == at_ms)
			return true;
	}
	return false;
}

static void
drop_pending(struct train_rows *rows, size_t at)
{
	free(rows->pending[at].x);
	rows->pending[at] = rows->pending[--rows->pending_count];
}

static bool
came_back(const struct card *card)
{
	return card->redeemed_minor > 0 && card->returned_minor >= card->redeemed_minor;
}

static void
add_card(struct train_rows *rows, const struct card *card, int32_t customer, const double *x)
{
	if (rows->card_count == TRAIN_CARDS_MAX) {
		rows->full = true;
		return;
	}
	make_room(rows, (void **)&rows->cards, sizeof(*rows->cards), &rows->card_x,
	    rows->card_count);
	memcpy(rows->card_x + rows->card_count * rows->features->count, x,
	    rows->features->count * sizeof(*x));
	rows->cards[rows->card_count++] = (struct train_card){ .prompt = card->prompt,
		.at_ms = card->sent_ms,
		.redeemed = card->redeemed && !came_back(card),
		.customer = customer,
		.action = train_index_add(&rows->actions, card->action, strlen(card->action)) };
}

static void
settle(struct train_rows *rows, const struct feature_row *row)
{
	int32_t customer =
	    train_index_get(&rows->baskets->customers, &row->subject, sizeof(row->subject));

	for (size_t c = 0; c < row->visit->card_count && customer >= 0; c++) {
		const struct card *card = &row->visit->cards[c];

		if (!card->shown || card->withheld || card->depth == 0 ||
		    (rows->agreed != NULL && !rows->agreed[customer]))
			continue;
		for (size_t i = 0; i < rows->pending_count; i++) {
			if (id_equal(&rows->pending[i].visit, &row->visit_id) &&
			    rows->pending[i].at_ms == card->sent_ms) {
				add_card(rows, card, customer, rows->pending[i].x);
				break;
			}
		}
	}
	for (size_t i = rows->pending_count; i-- > 0;) {
		if (id_equal(&rows->pending[i].visit, &row->visit_id))
			drop_pending(rows, i);
	}
}

/* Baskets that never close would stay for ever: the oldest row goes. */
static void
take_pending(struct train_rows *rows, const struct feature_row *row)
{
	double *x = mem_alloc(rows->features->count * sizeof(*x));
	size_t oldest = 0;

	for (size_t i = rows->pending_count; i-- > 0;) {
		const struct train_pending *pending = &rows->pending[i];

		if (id_equal(&pending->visit, &row->visit_id) &&
		    !made_a_card(row->visit, pending->at_ms))
			drop_pending(rows, i);
	}
	for (size_t i = 1; i < rows->pending_count && rows->pending_count == TRAIN_PENDING_MAX;
	     i++) {
		if (rows->pending[i].at_ms < rows->pending[oldest].at_ms)
			oldest = i;
	}
	if (rows->pending_count == TRAIN_PENDING_MAX)
		drop_pending(rows, oldest);
	copy_values(rows, row, x);
	rows->pending[rows->pending_count++] =
	    (struct train_pending){ row->visit_id, row->at_ms, x };
}

void
train_rows_take(void *ctx, const struct feature_row *row)
{
	struct train_rows *rows = ctx;

	if (row->type == EV_CUSTOMER_IDENTIFIED)
		take_identified(rows, row);
	if (!rows->offers || !row->has_subject)
		return;
	if (row->type == EV_BASKET_CLOSED)
		settle(rows, row);
	else
		take_pending(rows, row);
}

void
train_rows_returned(void *ctx, const struct visit *visit, const struct marks *marks)
{
	struct train_rows *rows = ctx;

	(void)marks;
	for (size_t c = 0; c < visit->card_count; c++) {
		const struct card *card = &visit->cards[c];

		/* Cancelled, it is not redeemed any more. */
		if (id_is_zero(&card->token) || (card->redeemed && !came_back(card)))
			continue;
		for (size_t i = rows->card_count; i-- > 0;) {
			if (!id_equal(&rows->cards[i].prompt, &card->prompt))
				continue;
			rows->cards[i].redeemed = false;
			break;
		}
	}
}

/* ---- which offers ---- */

/* The action with most shown offers among those not chosen yet. */
static size_t
most_shown(const uint32_t *shown, const bool *taken, size_t count)
{
	size_t most = count;

	for (size_t a = 0; a < count; a++) {
		if (!taken[a] && (most == count || shown[a] > shown[most]))
			most = a;
	}
	return most;
}

size_t
train_rows_most_shown(const struct train_rows *rows, size_t *chosen, size_t max)
{
	size_t count = rows->actions.count, kept = 0;
	uint32_t *shown = mem_calloc(count + 1, sizeof(*shown));
	bool *taken = mem_calloc(count + 1, sizeof(*taken));

	for (size_t i = 0; i < rows->card_count; i++) {
		if (rows->cards[i].action >= 0)
			shown[rows->cards[i].action]++;
	}
	while (kept < count && kept < max) {
		chosen[kept] = most_shown(shown, taken, count);
		taken[chosen[kept++]] = true;
	}
	free(shown);
	free(taken);
	return kept;
}
