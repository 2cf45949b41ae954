/* SPDX-License-Identifier: Apache-2.0
 *
 * visit.c - one customer's time at a station: its memory, lines and cards.
 */
#include "nouns/visit.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "nouns/contact.h"
#include "nouns/shortlists.h"
#include "nouns/visit_fields.h"

/* Room for one more in an array that only its own count describes: it grows
 * when the count is a power of two. */
static void *
grow(void *array, size_t count, size_t size)
{
	if (count == 0)
		return mem_realloc(array, 8 * size);
	if (count >= 8 && (count & (count - 1)) == 0)
		return mem_realloc(array, 2 * count * size);
	return array;
}

struct visit *
visit_new(const struct id *id)
{
	struct visit *visit = mem_zero(sizeof(*visit));

	visit->id = *id;
	return visit;
}

void
visit_free(struct visit *visit)
{
	if (visit == NULL)
		return;
	for (size_t i = 0; i < visit->line_count; i++)
		codec_done(line_fields, line_field_count, &visit->lines[i]);
	for (size_t i = 0; i < visit->back_count; i++)
		codec_done(back_fields, back_field_count, &visit->backs[i]);
	for (size_t i = 0; i < visit->card_count; i++)
		codec_done(card_fields, card_field_count, &visit->cards[i]);
	for (size_t i = 0; i < visit->old_count; i++)
		codec_done(line_fields, line_field_count, &visit->olds[i]);
	free(visit->lines);
	free(visit->olds);
	while (visit->article_void_count > 0)
		visit_drop_article_void(visit, visit->article_void_count - 1);
	free(visit->article_voids);
	free(visit->backs);
	free(visit->cards);
	contacts_done(&visit->contacts);
	visit_drop_shortlists(visit, true);
	codec_done(visit_fields, visit_field_count, visit);
	free(visit);
}

bool
visit_over(const struct visit *visit)
{
	return visit->state == VISIT_CLOSED || visit->state == VISIT_CANCELLED;
}

bool
visit_at(const struct visit *visit, const char *terminal, int64_t at_ms)
{
	return strcmp(visit->terminal, terminal) == 0 ||
	    (strcmp(visit->from, terminal) == 0 && at_ms < visit->left_at_ms);
}

/* From the end: a till mostly speaks of the line it has just scanned. */
struct line *
visit_line(const struct visit *visit, int64_t number)
{
	for (size_t i = visit->line_count; i > 0; i--) {
		if (visit->lines[i - 1].line == number)
			return &visit->lines[i - 1];
	}
	return NULL;
}

struct line *
visit_add_line(struct visit *visit, int64_t number)
{
	struct line *line;

	if (visit->line_count == VISIT_LINES_MAX)
		return NULL;
	visit->lines = grow(visit->lines, visit->line_count, sizeof(*visit->lines));
	line = &visit->lines[visit->line_count++];
	*line = (struct line){ .line = number, .category = mem_strdup("") };
	visit->line_bytes += line_bytes(line);
	return line;
}

static struct line
copy_of(const struct line *line)
{
	struct line copy = *line;

	codec_own(line_fields, line_field_count, &copy);
	return copy;
}

struct line *
visit_add_old(struct visit *visit, int64_t number, const struct line *line)
{
	struct line *old;

	if (visit->old_count == VISIT_LINES_MAX)
		return NULL;
	visit->olds = grow(visit->olds, visit->old_count, sizeof(*visit->olds));
	old = &visit->olds[visit->old_count++];
	*old = line != NULL ? copy_of(line)
			    : (struct line){ .line = number, .category = mem_strdup("") };
	visit->line_bytes += line_bytes(old);
	return old;
}

/* Those behind it move up. */
static void
drop_line(struct visit *visit, struct line *lines, size_t *count, size_t index)
{
	CHECK(index < *count);
	visit->line_bytes -= line_bytes(&lines[index]);
	codec_done(line_fields, line_field_count, &lines[index]);
	--*count;
	memmove(&lines[index], &lines[index + 1], (*count - index) * sizeof(*lines));
}

void
visit_drop_line(struct visit *visit, size_t index)
{
	drop_line(visit, visit->lines, &visit->line_count, index);
}

void
visit_drop_old(struct visit *visit, size_t index)
{
	drop_line(visit, visit->olds, &visit->old_count, index);
}

int64_t
discount_off(int64_t discount_minor)
{
	return discount_minor < 0 ? -discount_minor : discount_minor;
}

int64_t
line_before_discounts(const struct line *line)
{
	return line->amount_minor + discount_off(line->discount_minor);
}

static size_t
text_bytes(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

size_t
line_bytes(const struct line *line)
{
	return sizeof(*line) + text_bytes(line->sku) + text_bytes(line->category) +
	    text_bytes(line->brand) + text_bytes(line->name) + text_bytes(line->batch) +
	    text_bytes(line->own);
}

void
visit_count_lines(struct visit *visit)
{
	visit->line_bytes = 0;
	for (size_t i = 0; i < visit->line_count; i++)
		visit->line_bytes += line_bytes(&visit->lines[i]);
	for (size_t i = 0; i < visit->old_count; i++)
		visit->line_bytes += line_bytes(&visit->olds[i]);
}

struct article_void *
visit_add_article_void(struct visit *visit, const char *article, int64_t qty_milli, int64_t at_ms)
{
	size_t at = visit->article_void_count;

	CHECK(at < VISIT_ARTICLE_VOIDS_MAX);
	visit->article_voids = grow(visit->article_voids, at, sizeof(*visit->article_voids));
	for (; at > 0 && visit->article_voids[at - 1].at_ms > at_ms; at--)
		visit->article_voids[at] = visit->article_voids[at - 1];
	visit->article_voids[at] =
	    (struct article_void){ mem_strdup(article), qty_milli, at_ms, 0, false };
	visit->article_void_count++;
	return &visit->article_voids[at];
}

void
visit_drop_article_void(struct visit *visit, size_t index)
{
	CHECK(index < visit->article_void_count);
	codec_done(article_void_fields, article_void_field_count, &visit->article_voids[index]);
	visit->article_void_count--;
	memmove(&visit->article_voids[index], &visit->article_voids[index + 1],
	    (visit->article_void_count - index) * sizeof(*visit->article_voids));
}

bool
visit_add_back(struct visit *visit, const struct id *ret, const char *item, int64_t qty_milli,
    int64_t amount_minor)
{
	if (visit->back_count == VISIT_BACKS_MAX)
		return false;
	visit->backs = grow(visit->backs, visit->back_count, sizeof(*visit->backs));
	visit->backs[visit->back_count++] =
	    (struct back){ *ret, mem_strdup(item), qty_milli, amount_minor };
	return true;
}

struct card *
visit_add_card(struct visit *visit)
{
	struct card *card;

	if (visit->card_count == VISIT_CARDS_MAX)
		return NULL;
	visit->cards = grow(visit->cards, visit->card_count, sizeof(*visit->cards));
	card = &visit->cards[visit->card_count++];
	*card = (struct card){ 0 };
	return card;
}

void
visit_drop_card(struct visit *visit, size_t index)
{
	CHECK(index < visit->card_count);
	codec_done(card_fields, card_field_count, &visit->cards[index]);
	visit->card_count--;
	memmove(&visit->cards[index], &visit->cards[index + 1],
	    (visit->card_count - index) * sizeof(*visit->cards));
}

struct card *
visit_take_card(struct visit *visit, struct visit *from, size_t index)
{
	struct card card = from->cards[index], *at = visit_add_card(visit);

	if (at == NULL)
		return NULL;
	from->cards[index] = (struct card){ 0 };
	visit_drop_card(from, index);
	for (; at > visit->cards && at[-1].sent_ms > card.sent_ms; at--)
		*at = at[-1];
	*at = card;
	return at;
}

size_t
visit_card_room(const struct visit *visit)
{
	size_t room = VISIT_CARDS_MAX - visit->card_count, live = 0;

	for (size_t i = 0; i < visit->card_count; i++)
		live += visit->cards[i].state != CARD_GONE;
	if (live >= VISIT_CARDS_LIVE_MAX)
		return 0;
	return room < VISIT_CARDS_LIVE_MAX - live ? room : VISIT_CARDS_LIVE_MAX - live;
}

struct card *
visit_card(struct visit *visit, const struct id *prompt)
{
	for (size_t i = 0; i < visit->card_count; i++) {
		if (id_equal(&visit->cards[i].prompt, prompt))
			return &visit->cards[i];
	}
	return NULL;
}

struct card *
visit_card_by_token(struct visit *visit, const struct id *token)
{
	if (id_is_zero(token))
		return NULL;
	for (size_t i = 0; i < visit->card_count; i++) {
		if (id_equal(&visit->cards[i].token, token))
			return &visit->cards[i];
	}
	return NULL;
}

/* In the place of a former customer who is forgotten; no card gives this id. */
static const struct id nobody = { { 'n', 'o', 'b', 'o', 'd', 'y' } };

bool
visit_forget_former(struct visit *visit, const struct id *former)
{
	bool changed = false;
	size_t gone = 0;

	for (size_t i = 0; i < visit->read_count; i++) {
		if (id_equal(&visit->reads[i].subject, former))
			gone = i + 1;
	}
	visit->read_count -= gone;
	memmove(visit->reads, visit->reads + gone, visit->read_count * sizeof(*visit->reads));
	for (size_t i = 0; i < visit->card_count; i++) {
		if (!id_equal(&visit->cards[i].former, former))
			continue;
		visit->cards[i].former = nobody;
		changed = true;
	}
	return changed || gone > 0;
}

const struct id *
card_customer(const struct visit *visit, const struct card *card)
{
	if (id_equal(&card->former, &nobody))
		return NULL;
	if (!id_is_zero(&card->former))
		return &card->former;
	return visit->has_subject ? &visit->subject : NULL;
}

bool
card_of_former(const struct visit *visit, const struct card *card)
{
	return !id_is_zero(&card->former) &&
	    !(visit->has_subject && id_equal(&card->former, &visit->subject));
}

bool
card_kept(const struct card *card)
{
	return card->answer == ANSWER_ACCEPT && !card->late &&
	    (card->state == CARD_ANSWERED || card->state == CARD_ASKED ||
		card->state == CARD_APPLIED);
}

/* Few cards have the word in them at all. */
bool
card_mandatory(const struct card *card)
{
	json_t *shown = card->json != NULL && strstr(card->json, "mandatory") != NULL
	    ? json_loads(card->json, 0, NULL)
	    : NULL;
	bool mandatory = json_is_true(json_object_get(shown, "mandatory"));

	json_decref(shown);
	return mandatory;
}

bool
own_next(const char **at, struct id *ret_token, int64_t *ret_minor)
{
	while (*at != NULL && strlen(*at) >= ID_TEXT_SIZE) {
		const char *minor = *at + ID_TEXT_SIZE - 1;
		char text[ID_TEXT_SIZE];
		bool ours;

		memcpy(text, *at, ID_TEXT_SIZE - 1);
		text[ID_TEXT_SIZE - 1] = '\0';
		ours = *minor == '=' && id_parse(text, ret_token);
		*at = strchr(minor, ' ');
		if (*at != NULL)
			(*at)++;
		if (!ours)
			continue;
		*ret_minor = strtoll(minor + 1, NULL, 10);
		return true;
	}
	return false;
}

int64_t
visit_taken_off(const struct visit *visit, const struct id *token)
{
	int64_t minor = 0, part;
	struct id of;

	for (size_t i = 0; i < visit->line_count; i++) {
		const char *at = visit->lines[i].voided ? NULL : visit->lines[i].own;

		while (own_next(&at, &of, &part))
			minor += id_equal(&of, token) ? part : 0;
	}
	return minor;
}
