/* SPDX-License-Identifier: Apache-2.0
 *
 * sale.c - what headquarters hears of every sale, whether or not anything was said in it: what lift
 * is computed from.
 *
 * DESIGN
 *   One record at the close, and one with the whole new figures after each
 *   change: a late line, what the till says of an offer, goods that come back,
 *   a cancellation. The one with the highest sequence counts, so that a sum
 *   over sales needs no history. Arms and control are those of the close; a
 *   later policy does not move a sale into another arm.
 *
 *   The record stands under no customer's key: erasing one takes the member
 *   "subject" off what still waits (sale_forget) and leaves the figures.
 *
 * INVARIANTS
 *   Goods that are marked, by law or by the policy, are in no figure.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "decide/decide.h"
#include "nouns/marks.h"
#include "nouns/net.h"
#include "nouns/visit.h"
#include "profile/subject_io.h"

struct figures {
	int64_t gross_minor, discount_minor, margin_minor, returned_minor;
	int lines;
	bool has_margin;
};

/* ---- what it came to ---- */

/* What lines say that a token took off in them. */
struct own_part {
	struct id token;
	int64_t minor;
};

struct own_parts {
	struct own_part *parts;
	size_t count, capacity;
};

static void
add_part(struct own_parts *own, const struct id *token, int64_t minor)
{
	own->parts = mem_grow(own->parts, own->count, &own->capacity, sizeof(*own->parts));
	own->parts[own->count++] = (struct own_part){ *token, minor };
}

/* Of a line's discounts "TOKEN=MINOR", with blanks between, what stands for the goods that stay. */
static void
add_own(struct own_parts *own, const struct line *line, const struct net_line *net)
{
	const char *at = line->own;
	struct id token;
	int64_t minor;

	while (own_next(&at, &token, &minor))
		add_part(own, &token, net_share(minor, net->qty_milli, line->qty_milli));
}

static int
by_token(const void *a_pointer, const void *b_pointer)
{
	const struct own_part *a = a_pointer, *b = b_pointer;

	return id_compare(&a->token, &b->token);
}

/* One for each token. */
static void
unite(struct own_parts *own)
{
	size_t kept = 0;

	if (own->count > 1)
		qsort(own->parts, own->count, sizeof(*own->parts), by_token);
	for (size_t i = 0; i < own->count; i++) {
		if (kept > 0 && by_token(&own->parts[kept - 1], &own->parts[i]) == 0)
			own->parts[kept - 1].minor += own->parts[i].minor;
		else
			own->parts[kept++] = own->parts[i];
	}
	own->count = kept;
}

/* What this card took off, and no line says so. */
static int64_t
beside_card(const struct card *card, const struct own_parts *own)
{
	struct own_part key = { .token = card->token };
	const struct own_part *part = own->count > 0
	    ? bsearch(&key, own->parts, own->count, sizeof(*own->parts), by_token)
	    : NULL;
	int64_t minor = card->redeemed_minor - card->returned_minor;

	if (part != NULL)
		minor -= part->minor;
	return minor > 0 ? minor : 0;
}

/* What lines say of a token of another basket that is redeemed in this one. */
static int64_t
in_lines_elsewhere(struct engine *engine, const struct visit *visit, const struct own_part *part)
{
	char text[ID_TEXT_SIZE];
	struct visit *home;
	const struct card *card;
	int64_t most;

	id_text(&part->token, text);
	home = engine_visit_by_ref(engine, "token", text);
	card = home != NULL ? visit_card_by_token(home, &part->token) : NULL;
	if (card == NULL || !card->redeemed || !card->elsewhere ||
	    !id_equal(&card->paid_in, &visit->id))
		return 0;
	most = card->redeemed_minor - card->returned_minor;
	return part->minor < most ? part->minor : most;
}

/* What redeemed offers took off, and no line says so: card by card, for the till may write one
 * into its lines and another not. */
static int64_t
beside_lines(struct engine *engine, const struct visit *visit, const struct own_parts *own)
{
	int64_t minor = visit->elsewhere_minor;

	for (size_t i = 0; i < own->count && minor > 0; i++)
		minor -= in_lines_elsewhere(engine, visit, &own->parts[i]);
	minor = minor > 0 ? minor : 0;
	for (size_t i = 0; i < visit->card_count; i++) {
		const struct card *card = &visit->cards[i];

		if (card->redeemed && !card->elsewhere)
			minor += beside_card(card, own);
	}
	return minor;
}

static void
add_line(const struct line *line, const struct net_line *net, struct figures *figures)
{
	figures->returned_minor += line->amount_minor - net->amount_minor;
	if (net->qty_milli == 0)
		return;
	figures->lines++;
	figures->gross_minor += net->amount_minor + discount_off(net->discount_minor);
	figures->discount_minor += discount_off(net->discount_minor);
	figures->margin_minor += net->margin_minor;
	figures->has_margin = figures->has_margin && line->has_margin;
}

static struct figures
figures_of(struct engine *engine, const struct visit *visit)
{
	struct figures figures = { .has_margin = true };
	struct net_line *net = net_lines(visit);
	struct marks marks = engine_marks(engine);
	struct own_parts own = { 0 };
	int64_t beside_minor;
	bool sold = visit->state == VISIT_CLOSED && !visit->training;

	for (size_t i = 0; i < visit->line_count && sold; i++) {
		const struct line *line = &visit->lines[i];

		if (line->voided || line_mark(&marks, line) != MARK_NONE)
			continue;
		add_line(line, &net[i], &figures);
		add_own(&own, line, &net[i]);
	}
	free(net);
	unite(&own);
	beside_minor = beside_lines(engine, visit, &own);
	free(own.parts);
	figures.discount_minor += beside_minor;
	figures.margin_minor -= beside_minor;
	return figures;
}

bool
stray_item_marked(const struct engine *engine, const struct stray_item *item)
{
	struct marks marks = engine_marks(engine);

	return goods_mark(&marks, item->category, item->mark) != MARK_NONE;
}

/* ---- whose it is ---- */

static const char *
arms_text(struct engine *engine, const struct id *subject, const struct id *visit,
    const char *station)
{
	struct buf text = { 0 };
	struct json_writer *w = JSON_OBJECT(&text);
	struct arm_choice *arms = NULL;
	size_t count = 0;
	bool withholds;
	const char *copy;

	arena_reset(engine->scratch);
	if (engine->policy != NULL)
		count = experiments_assign(engine->scratch, engine->policy, subject, visit, station,
		    engine->conf->store_id, engine_day_start(engine, engine->now_ms), &arms,
		    &withholds);
	for (size_t i = 0; i < count; i++)
		json_add_str(w, arms[i].experiment, arms[i].arm);
	json_end(w);
	copy = arena_strdup(engine->arena, text.data);
	buf_done(&text);
	return copy;
}

static bool
in_control(const struct engine *engine, const struct id *subject)
{
	return engine->policy != NULL && control_group(engine->policy, subject);
}

static const struct id *
known_id(struct engine *engine, bool has_subject, const struct id *id)
{
	return has_subject && !keys_forgotten(engine->keys, id) ? id : NULL;
}

/* ---- the record ---- */

/* As it stands in a record: sale_forget looks for these bytes, and a comma. */
static void
add_subject(struct json_writer *w, const struct subject *subject)
{
	char text[SUBJECT_TEXT_SIZE];

	if (subject == NULL)
		return;
	subject_text(&subject->id, text);
	json_add_str(w, "subject", text);
}

static void
add_figures(struct json_writer *w, const struct figures *figures)
{
	json_add_int(w, "gross", figures->gross_minor);
	json_add_int(w, "discount", figures->discount_minor);
	if (figures->has_margin)
		json_add_int(w, "margin", figures->margin_minor);
	if (figures->returned_minor != 0)
		json_add_int(w, "returned", figures->returned_minor);
	json_add_int(w, "lines", figures->lines);
}

static int
shown(const struct visit *visit)
{
	int count = 0;

	for (size_t i = 0; i < visit->card_count; i++)
		count += visit->cards[i].shown;
	return count;
}

/* What a person took to answer a card, at most this: longer is another matter. */
#define ANSWER_S_MAX 60
/* From the first word of a basket to its close; what takes longer stood aside. */
#define SERVED_S_MAX 3600

/* So long it took to serve, by the till's own clock. Told at once by a till that sends a sale whole, or recalled from
 * elsewhere: 0, it says nothing. */
static int64_t
served_s(const struct visit *visit)
{
	int64_t ms = visit->ended_at_ms - visit->began_at_ms;

	if (visit->began_at_ms == 0 || visit->from[0] != '\0' || ms <= 0 ||
	    ms > SERVED_S_MAX * S_MS)
		return 0;
	return (ms + S_MS / 2) / S_MS;
}

static int64_t
answer_ms(const struct card *card)
{
	int64_t ms = card->shown_ms > 0 ? card->answered_ms - card->shown_ms : 0;

	return ms < 0 ? 0 : ms > ANSWER_S_MAX * S_MS ? ANSWER_S_MAX * S_MS : ms;
}

/* What people said to its cards. */
static void
add_answers(struct json_writer *w, const struct visit *visit)
{
	int accepted = 0, dismissed = 0, overridden = 0, answered = 0;
	int64_t ms = 0;

	for (size_t i = 0; i < visit->card_count; i++) {
		const struct card *card = &visit->cards[i];

		if (card->withheld || card->answer == ANSWER_NONE)
			continue;
		answered++;
		accepted += card->answer == ANSWER_ACCEPT;
		dismissed += card->answer == ANSWER_DISMISS;
		overridden += card->answer == ANSWER_OVERRIDE;
		ms += answer_ms(card);
	}
	if (answered == 0)
		return;
	json_add_object(w, "answers");
	json_add_int(w, "answered", answered);
	json_add_int(w, "accepted", accepted);
	json_add_int(w, "dismissed", dismissed);
	json_add_int(w, "overridden", overridden);
	json_add_int(w, "ms", ms);
	json_end(w);
}

static void
send(struct engine *engine, struct buf *json)
{
	engine_uplink(engine, LANE_MONEY, "sale", NULL, json);
	buf_done(json);
}

/* As of the close. */
static void
take_arms(struct engine *engine, struct visit *visit)
{
	const struct id *id = known_id(engine, visit->has_subject, &visit->subject);

	if (visit->arms != NULL)
		return;
	visit->arms = mem_strdup(arms_text(engine, id, &visit->id, visit->station));
	visit->control = in_control(engine, id);
	assigned_note(engine, visit);
	engine_touch(engine, visit);
}

void
sale_changed(struct engine *engine, struct visit *visit)
{
	struct buf json = { 0 };
	struct json_writer *w;
	struct figures figures;
	const struct subject *subject;

	settle_changed(engine, visit);
	/* Of one that turns out to be training what was told is taken back. */
	if (engine->uplink != UPLINK_RECORDS || visit->closed_ms == 0 || !visit_over(visit) ||
	    (visit->training && visit->arms == NULL))
		return;
	take_arms(engine, visit);
	figures = figures_of(engine, visit);
	subject = engine_remembered(engine, visit->has_subject ? &visit->subject : NULL);
	w = JSON_OBJECT(&json);
	json_add_id(w, "visit", &visit->id);
	json_add_str(w, "basket", visit->basket);
	json_add_when(w, "at", visit->closed_ms);
	add_subject(w, subject);
	json_add_str(w, "station", visit->station);
	add_figures(w, &figures);
	json_add_raw(w, "arms", visit->arms, strlen(visit->arms));
	json_add_bool(w, "control", visit->control);
	json_add_int(w, "shown", shown(visit));
	add_answers(w, visit);
	if (served_s(visit) > 0)
		json_add_int(w, "seconds", served_s(visit));
	if (subject != NULL && subject->mixed)
		json_add_bool(w, "mixed", true);
	json_end(w);
	send(engine, &json);
}

void
sale_redeemed(struct engine *engine, struct visit *visit, const struct card *card,
    int64_t amount_minor)
{
	struct visit *other;

	if (card->elsewhere && (other = engine_visit(engine, &card->paid_in)) != NULL) {
		other->elsewhere_minor += amount_minor;
		if (other->elsewhere_minor < 0)
			other->elsewhere_minor = 0;
		engine_touch(engine, other);
		sale_changed(engine, other);
	}
	sale_changed(engine, visit);
}

void
sale_of_return(struct engine *engine, struct stray *stray)
{
	const struct id *id = known_id(engine, stray->has_subject, &stray->subject);
	const struct subject *subject = engine_remembered(engine, id);
	struct figures figures = { .has_margin = true, .returned_minor = stray->unsold_minor };
	struct buf json = { 0 };
	struct json_writer *w;
	const char *arms;

	for (size_t i = 0; i < stray->item_count; i++) {
		if (!stray_item_marked(engine, &stray->items[i]))
			figures.returned_minor += stray->items[i].amount_minor;
	}
	if (engine->uplink != UPLINK_RECORDS || figures.returned_minor == stray->sent_minor)
		return;
	stray->sent_minor = figures.returned_minor;
	figures.gross_minor = -figures.returned_minor;
	arms = arms_text(engine, id, &stray->id, stray->station);
	w = JSON_OBJECT(&json);
	json_add_str(w, "visit", stray->number);
	json_add_str(w, "basket", stray->basket != NULL ? stray->basket : "");
	json_add_when(w, "at", stray->at_ms);
	add_subject(w, subject);
	json_add_str(w, "station", stray->station);
	add_figures(w, &figures);
	json_add_raw(w, "arms", arms, strlen(arms));
	json_add_bool(w, "control", in_control(engine, id));
	json_add_int(w, "shown", 0);
	if (subject != NULL && subject->mixed)
		json_add_bool(w, "mixed", true);
	json_end(w);
	send(engine, &json);
}

/* ---- forgetting ---- */

/* Takes the member off; true: it was there. */
static bool
without_subject(void *ctx, const char *body, size_t len, struct buf *out)
{
	const struct buf *member = ctx;
	const char *at = memmem(body, len, member->data, member->len);

	if (at == NULL)
		return false;
	buf_add(out, body, (size_t)(at - body));
	at += member->len;
	buf_add(out, at, (size_t)(body + len - at));
	return true;
}

void
sale_forget(struct engine *engine, const struct id *subject)
{
	struct buf begin = { 0 }, member = { 0 };
	struct json_writer *w;
	char text[SUBJECT_TEXT_SIZE];

	if (engine->uplink != UPLINK_RECORDS)
		return;
	subject_text(subject, text);
	w = JSON_OBJECT(&begin);
	json_add_str(w, "subject", text);
	/* Without the brace before it, and with the comma behind it. */
	buf_add(&member, begin.data + 1, begin.len - 1);
	buf_addc(&member, ',');
	engine_check(engine,
	    store_uplink_rewrite(engine->store, LANE_MONEY, "sale", without_subject, &member));
	engine_check(engine,
	    store_uplink_rewrite(engine->store, LANE_MONEY, "care", without_subject, &member));
	buf_wipe(&begin);
	buf_wipe(&member);
}
