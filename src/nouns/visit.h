/* SPDX-License-Identifier: Apache-2.0
 *
 * visit.h - a visit's memory, lines and cards; as bytes.
 */
#ifndef AISLE_NOUNS_VISIT_H
#define AISLE_NOUNS_VISIT_H

#include "aisle/visit.h"
#include "core/buf.h"

struct visit *visit_new(const struct id *id);
void visit_free(struct visit *visit);
bool visit_over(const struct visit *visit); /* CLOSED or CANCELLED */
/* Was what this terminal said at that time about it? Of a sale that was recalled, until then, also
 * where it was suspended. */
bool visit_at(const struct visit *visit, const char *terminal, int64_t at_ms);
struct line *visit_line(const struct visit *visit, int64_t number); /* NULL: none */
/* zeroed but category ""; NULL: VISIT_LINES_MAX */
struct line *visit_add_line(struct visit *visit, int64_t number);
/* What a line was, beside what it is; a copy of it, zeroed if it is NULL. NULL: as many as lines may be. */
struct line *visit_add_old(struct visit *visit, int64_t number, const struct line *line);
void visit_drop_line(struct visit *visit, size_t index);
void visit_drop_old(struct visit *visit, size_t index);
/* What a discount took off: tills write it with either sign. */
int64_t discount_off(int64_t discount_minor);
int64_t line_before_discounts(const struct line *line);
/* What a line takes in memory; of all lines together it is counted again (visit->line_bytes) after
 * one was changed. */
size_t line_bytes(const struct line *line);
void visit_count_lines(struct visit *visit);
/* Behind those of its time; article is copied. There must be room. */
struct article_void *visit_add_article_void(struct visit *visit, const char *article,
    int64_t qty_milli, int64_t at_ms);
void visit_drop_article_void(struct visit *visit, size_t index);
/* Goods came back; item is copied. false: VISIT_BACKS_MAX. */
bool visit_add_back(struct visit *visit, const struct id *ret, const char *item, int64_t qty_milli,
    int64_t amount_minor);
/* zeroed; NULL: VISIT_CARDS_MAX reached. Pointers to other cards are stale after it. */
struct card *visit_add_card(struct visit *visit);
/* Those behind it move up: pointers to cards are stale after it. */
void visit_drop_card(struct visit *visit, size_t index);
/* The card of from becomes one of visit, in the order of creation; NULL: VISIT_CARDS_MAX reached. */
struct card *visit_take_card(struct visit *visit, struct visit *from, size_t index);
struct card *visit_card(struct visit *visit, const struct id *prompt);
bool card_kept(const struct card *card); /* accepted, and still standing */
/* Recall, safety, law: as it was shown, whatever the policy says by now. */
bool card_mandatory(const struct card *card);
/* Whose card it is: the visit's customer's, or theirs who stood there before; NULL: a stranger's. */
const struct id *card_customer(const struct visit *visit, const struct card *card);
bool card_of_former(const struct visit *visit, const struct card *card);
/* Whoever is forgotten leaves nothing of theirs in a visit that is another's by now: their cards are
 * nobody's, and theirs and the reads before it are none, or the basket could become the wrong
 * customer's again. true: it changed. */
bool visit_forget_former(struct visit *visit, const struct id *former);
struct card *visit_card_by_token(struct visit *visit, const struct id *token);
/* The next of a line's discounts of ours, from *at on (line->own first); false: no more. */
bool own_next(const char **at, struct id *ret_token, int64_t *ret_minor);
/* What the till says that it has put into the lines for this token. */
int64_t visit_taken_off(const struct visit *visit, const struct id *token);
void visit_encode(const struct visit *visit, struct buf *out); /* versioned bytes */
/* AISLE_E_DAMAGED */
int visit_decode(const void *bytes, size_t len, struct visit **ret_visit) AISLE_MUST_CHECK;

#endif
