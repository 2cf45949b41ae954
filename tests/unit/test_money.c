/* SPDX-License-Identifier: Apache-2.0
 *
 * test_money.c - what budgets, the day and the hour say of money, whatever tills and associates do
 * in which order: against a model that knows cards, days and nothing else.
 *
 * One card is one row of the model. What it holds follows from what became of it; every sum is made
 * anew from all rows, after every step.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/id.h"
#include "core/log.h"
#include "core/when.h"
#include "policy/policy_load.h"
#include "random_fixture.h"
#include "spine/spine.h"

#define DAY0 INT64_C(1795219200000) /* 2026-11-21T00:00:00Z */
#define BASKETS 6
#define ROWS 4096
#define SALT "1111111111111111111111111111111111111111111111111111111111111111"

static struct conf conf;
static struct engine *engine;
static struct policy *policy;
static int64_t now_ms;
static int sent;   /* messages so far: their ids */
static int newest; /* basket */

/* ---- the policy ---- */

#define OFFER(id, group, issue, offer, within, budget) \
	"{\"action\":\"" id "\",\"kind\":\"offer\",\"issue\":\"" issue "\",\"group\":\"" group \
	"\",\"on\":[\"aisle.basket.opened\",\"aisle.basket.item-added\"],\"personal\":false," \
	"\"propensity\":0.5,\"incremental\":1,\"margin\":3000," \
	"\"outcome\":{\"is\":\"redeemed\",\"within\":\"" within "\"},\"offer\":{" offer "}," \
	"\"budget\":{" budget "},\"placements\":[\"tablet\"],\"gate\":\"associate\"," \
	"\"expires\":\"120s\",\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\"," \
	"\"headline\":\"x\"}]}"

static const char *const parts[][2] = {
	{ "policy.json",
	    "{\"name\":\"t\",\"version\":1,\"currency\":\"EUR\",\"languages\":[\"en\"],"
	    "\"salts\":{\"id\":\"" SALT "\",\"control\":\"" SALT "\",\"explore\":\"" SALT "\"},"
	    "\"placements\":{\"tablet\":{\"slots\":4}},\"explore\":\"greedy\",\"interrupt\":3,"
	    "\"control\":{\"share\":0}}" },
	{ "features.json", "{\"features\":[]}" },
	{ "contact.json", "{\"caps\":[],\"suppress\":[]}" },
	{ "actions/coffee.json",
	    OFFER("coffee", "c", "grow",
		"\"type\":\"amount\",\"depth\":50,\"max\":50,\"include\":{\"category\":\"coffee\"},"
		"\"until\":\"0d\",\"apply\":\"till-code\"",
		"0d", "\"money\":900,\"per\":\"store-day\"") },
	{ "actions/milk.json",
	    OFFER("milk", "m", "keep",
		"\"type\":\"amount\",\"depth\":30,\"max\":30,\"include\":{\"category\":\"milk\"},"
		"\"funded\":0.25,\"funder\":\"dairy\",\"until\":\"0d\",\"apply\":\"till-code\"",
		"0d", "\"units\":9,\"per\":\"store-day\"") },
	{ "actions/tea.json",
	    OFFER("tea", "t", "grow",
		"\"type\":\"amount\",\"depth\":70,\"max\":70,\"include\":{\"category\":\"tea\"},"
		"\"funded\":0.5,\"funder\":\"leaf\",\"until\":\"2d\",\"apply\":\"barcode\","
		"\"code\":\"x1\"",
		"2d", "\"money\":90000,\"per\":\"campaign\"") },
	{ "actions/cake.json",
	    OFFER("cake", "k", "grow",
		"\"type\":\"amount\",\"depth\":40,\"max\":40,\"include\":{\"category\":\"cake\"},"
		"\"until\":\"0d\",\"apply\":\"barcode\",\"code\":\"x2\"",
		"0d", "\"money\":5000,\"per\":\"campaign\"") },
};
static const char *const names[] = { "coffee", "milk", "tea", "cake" };
enum { TEA = 2 }; /* lives on */
static const double funded[] = { 0, 0.25, 0.5, 0 };
static const int64_t most[] = { 50, 30, 70, 40 };

static void
compile_policy(void)
{
	struct policy_part part[ARRAY_LEN(parts)];
	struct policy_parts all = { .part = part, .count = ARRAY_LEN(parts) };
	struct buf report = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		part[i] = (struct policy_part){ parts[i][0], parts[i][1], strlen(parts[i][1]) };
	if (policy_compile(&all, &policy, &report) != 0)
		fail_msg("%s", report.data);
	buf_done(&report);
}

static int
set_up(void **state)
{
	struct engine_options options = { .conf = &conf };
	struct err err = { 0 };

	(void)state;
	log_set_level(LOG_ERROR);
	conf_init(&conf);
	conf.store_id = mem_strdup("0042");
	conf.hq_host = mem_strdup("hq");
	conf.uplink_aggregates = true;
	conf.terminal_rate = 0;
	conf.day_cut_minute = 0;
	now_ms = DAY0 + 8 * H_MS;
	sent = 0;
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	compile_policy();
	assert_int_equal(engine_set_bundle(engine, NULL, policy, false, &err), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	engine_close(engine);
	conf_done(&conf);
	return 0;
}

/* ---- what is said ---- */

/* true: taken; false: it went to the dead letters. */
__attribute__((format(printf, 2, 3))) static bool
say(const char *type, const char *format, ...)
{
	char at[WHEN_TEXT_SIZE], data[512];
	struct buf text = { 0 };
	struct input input = {
		.kind = INPUT_MESSAGE, .now_ms = now_ms, .topic = "aisle/v1/0042/pos/7/event"
	};
	bool taken = true;
	va_list args;

	va_start(args, format);
	vsnprintf(data, sizeof(data), format, args);
	va_end(args);
	when_text(now_ms, at);
	buf_addf(&text,
	    "{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"m%d\",\"type\":\"aisle.%s\","
	    "\"time\":\"%s\",\"data\":%s}",
	    ++sent, type, at, data);
	input.payload = text.data;
	input.len = text.len;
	assert_int_equal(turn_run(engine, &input, 1), 0);
	for (size_t i = 0; i < engine->output_count; i++)
		taken = taken && engine->outputs[i].kind != OUTPUT_DEAD_LETTER;
	buf_done(&text);
	return taken;
}

static void
let_time_pass(int64_t ms)
{
	struct input clock = { .kind = INPUT_CLOCK };

	now_ms += ms;
	clock.now_ms = now_ms;
	assert_int_equal(turn_run(engine, &clock, 1), 0);
}

/* ---- the model ---- */

struct row {
	struct id visit, prompt;
	int action; /* into names */
	int basket; /* number of its own */
	bool counts;
	int64_t money, unit_day, money_day; /* of what counts */
	int64_t paid;			    /* and not taken back */
	int64_t said;			    /* of it, as the till said */
	bool redeemed, voided, elsewhere, spent;
	char paid_in[24]; /* basket, where that is not its own */
	int64_t lives_until;
};
struct paid {
	int action;
	int64_t at_ms, minor; /* < 0: taken back */
};
static struct row rows[ROWS];
static struct paid paids[ROWS];
static size_t row_count, paid_count;

static int64_t
day_of(int64_t ms)
{
	return ms - ms % D_MS;
}

static int64_t
ours(int action, int64_t minor)
{
	return (int64_t)((double)minor * (1 - funded[action]) + 0.5);
}

static struct row *
row_of(const struct id *prompt)
{
	for (size_t i = 0; i < row_count; i++) {
		if (id_equal(&rows[i].prompt, prompt))
			return &rows[i];
	}
	return NULL;
}

static void
note(int action, int64_t minor)
{
	assert_true(paid_count < ROWS);
	paids[paid_count++] = (struct paid){ action, now_ms, minor };
}

/* What a card in this state, unpaid, still keeps of its budget. */
static bool
keeps(const struct visit *visit, const struct card *card, const struct row *row)
{
	bool accepted = card->answer == ANSWER_ACCEPT &&
	    (card->state == CARD_ANSWERED || card->state == CARD_ASKED ||
		card->state == CARD_APPLIED);

	if (visit_over(visit))
		return accepted && row->action == TEA && now_ms < row->lives_until && row->counts;
	return card->state == CARD_OPEN || accepted || card->state == CARD_APPLIED;
}

static void
look_at_card(const struct visit *visit, const struct card *card, int basket)
{
	struct row *row = row_of(&card->prompt);

	if (row == NULL) {
		assert_true(row_count < ROWS);
		row = &rows[row_count++];
		*row = (struct row){ .visit = visit->id, .prompt = card->prompt, .basket = basket };
		while (strcmp(names[row->action], card->action) != 0)
			row->action++;
		row->counts = true;
		row->money = ours(row->action, most[row->action]);
		row->unit_day = row->money_day = day_of(now_ms);
		row->lives_until = now_ms + 2 * D_MS;
	}
	if (card->until_ms != 0)
		row->lives_until = card->until_ms;
	if (row->counts && !row->redeemed && !keeps(visit, card, row))
		row->counts = false;
}

/* Visits are looked at from the disk, too: those that are over have left the memory. */
static void
look_at_all(void)
{
	assert_int_equal(store_begin(engine->store), 0);
	for (int b = 0; b <= newest; b++) {
		char name[16];
		struct visit *visit;

		snprintf(name, sizeof(name), "b%d", b);
		visit = engine_basket_newest(engine, "7", name);
		for (size_t i = 0; visit != NULL && i < visit->card_count; i++)
			look_at_card(visit, &visit->cards[i], b);
	}
	engine_save(engine);
	assert_int_equal(store_commit(engine->store), 0);
}

static void
check_budget(int action)
{
	struct budget_use use = hold_today(engine, names[action]);
	int64_t day_money = 0, day_units = 0, all_money = 0, all_units = 0;

	for (size_t i = 0; i < row_count; i++) {
		const struct row *row = &rows[i];

		if (row->action != action || !row->counts)
			continue;
		all_money += row->money;
		all_units++;
		day_money += row->money_day == day_of(now_ms) ? row->money : 0;
		day_units += row->unit_day == day_of(now_ms);
	}
	assert_int_equal(use.all_money_minor, all_money);
	assert_int_equal(use.all_units, all_units);
	assert_int_equal(use.day_money_minor, day_money);
	assert_int_equal(use.day_units, day_units);
}

static const struct tally_action *
tally_of(const struct tally_action *list, size_t count, int action)
{
	static const struct tally_action none;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].action, names[action]) == 0)
			return &list[i];
	}
	return &none;
}

static void
check_sums(int action)
{
	bool is_today = engine->today.start_ms == day_of(now_ms);
	const struct tally_action *day = tally_of(engine->today.actions,
				      is_today ? engine->today.action_count : 0, action),
				  *hour = tally_of(engine->hour, engine->hour_count, action);
	int64_t net = 0, hour_redeemed = 0, hour_reversed = 0, reversals = 0;

	for (size_t i = 0; i < paid_count; i++) {
		const struct paid *p = &paids[i];

		if (p->action != action)
			continue;
		if (p->at_ms >= day_of(now_ms)) {
			net += p->minor;
			reversals += p->minor < 0;
		}
		if (engine->hour_ms == 0 || p->at_ms < engine->hour_ms)
			continue;
		hour_redeemed += p->minor > 0 ? p->minor : 0;
		hour_reversed -= p->minor < 0 ? p->minor : 0;
	}
	assert_int_equal(day->redeemed_minor, net);
	assert_int_equal(day->outcomes[OUTCOME_REVERSED], reversals);
	assert_int_equal(hour->redeemed_minor, hour_redeemed);
	assert_int_equal(hour->reversed_minor, hour_reversed);
}

static void
check_all(void)
{
	look_at_all();
	for (int action = 0; action < (int)ARRAY_LEN(names); action++) {
		check_budget(action);
		check_sums(action);
	}
}

/* ---- steps ---- */

/* The most that the offer can save is believed, and no more. */
static int64_t
believed(const struct row *row, int64_t amount)
{
	return amount < most[row->action] ? amount : most[row->action];
}

/* paid_over: the sale that was paid with it is over; here: the till may use the token in this
 * basket. Returns whether it is taken. */
static bool
model_says(struct row *row, const char *word, int64_t amount, bool here, bool elsewhere,
    bool applied, bool paid_over)
{
	int64_t back;

	if (strcmp(word, "reversed") == 0) {
		if ((!row->redeemed && !row->voided && !applied) ||
		    ((row->redeemed || row->voided) && amount > row->said))
			return false;
		if (row->voided || amount == 0)
			return true;
		if (!row->redeemed) {
			row->counts = false;
			return true;
		}
		back = amount < row->paid ? amount : row->paid;
		row->money =
		    (int64_t)((double)row->money * (double)(row->paid - back) / (double)row->paid +
			0.5);
		row->redeemed = row->counts = back < row->paid;
		row->spent = !row->redeemed && paid_over;
		note(row->action, -back);
		row->paid -= back;
		row->said -= amount;
		return true;
	}
	if (!here || row->spent || (row->redeemed && strcmp(word, "applied") != 0))
		return false;
	if (strcmp(word, "redeemed") == 0) {
		if (!row->counts)
			row->unit_day = day_of(now_ms);
		row->counts = row->redeemed = true;
		row->elsewhere = elsewhere;
		row->paid = believed(row, amount);
		row->said = amount;
		row->money = ours(row->action, row->paid);
		row->money_day = day_of(now_ms);
		note(row->action, row->paid);
	}
	return true;
}

/* Before the till's word reaches the engine: an offer that was given up is held again. */
static void
model_applied(struct row *row, int64_t amount)
{
	if (row->counts)
		return;
	row->counts = true;
	row->money = ours(row->action, believed(row, amount));
	row->unit_day = row->money_day = day_of(now_ms);
}

static bool
has_token(const struct card *card)
{
	return !id_is_zero(&card->token);
}

static bool
is_open(const struct card *card)
{
	return card->state == CARD_OPEN && !id_is_zero(&card->guidance);
}

static struct card *
any_card(struct dice *dice, const struct visit *visit, bool (*wanted)(const struct card *card))
{
	size_t count = visit != NULL ? visit->card_count : 0;
	size_t first = count > 0 ? dice_below(dice, count) : 0;

	for (size_t i = 0; i < count; i++) {
		struct card *card = &visit->cards[(first + i) % count];

		if (wanted(card))
			return card;
	}
	return NULL;
}

/* A later basket of the till, for a coupon that lives on. */
static void
later_basket(char name[static 24], bool close)
{
	static int later;

	if (!close)
		snprintf(name, 24, "l%d", ++later);
	if (close)
		say("basket.closed", "{\"basket\":\"%s\",\"total\":1,\"currency\":\"EUR\"}", name);
	else
		say("basket.opened", "{\"basket\":\"%s\",\"terminal\":\"7\"}", name);
}

/* What the model asks of the engine before the till speaks. */
struct scene {
	bool over, closed, gone, applied;
	int64_t ended_ms, until_ms;
	char token[ID_TEXT_SIZE];
	struct row *row;
};

static bool
set_scene(struct dice *dice, const char *name, struct scene *scene)
{
	struct visit *visit;
	struct card *card;

	assert_int_equal(store_begin(engine->store), 0);
	visit = engine_basket_newest(engine, "7", name);
	card = any_card(dice, visit, has_token);
	if (card != NULL) {
		scene->over = visit_over(visit);
		scene->closed = visit->state == VISIT_CLOSED;
		scene->gone = card->state == CARD_GONE;
		scene->applied = card->state == CARD_APPLIED && !scene->over;
		scene->ended_ms = visit->ended_at_ms;
		scene->until_ms = card->until_ms;
		id_text(&card->token, scene->token);
		scene->row = row_of(&card->prompt);
	}
	engine_save(engine);
	assert_int_equal(store_commit(engine->store), 0);
	return card != NULL;
}

static void
say_of_offer(struct dice *dice, int basket)
{
	static const char *const words[] = { "applied", "refused", "redeemed", "redeemed",
		"reversed", "reversed" };
	const char *word = words[(int)dice_below(dice, ARRAY_LEN(words))];
	int64_t amount = 1 + (int64_t)dice_below(dice, 60);
	char name[24], type[24];
	struct scene scene;
	bool reversal = strcmp(word, "reversed") == 0, elsewhere, here, expected;
	struct row *row;

	snprintf(name, sizeof(name), "b%d", basket);
	if (!set_scene(dice, name, &scene))
		return;
	row = scene.row;
	elsewhere = !reversal && dice_below(dice, 4) == 0;
	/* What lives on is paid with in a later basket, too. */
	here = elsewhere ? scene.over && !scene.gone && now_ms <= scene.until_ms
			 : !scene.over || (scene.closed && now_ms <= scene.ended_ms + 5 * MIN_MS);
	if (elsewhere)
		later_basket(name, false);
	if (reversal && row->elsewhere)
		snprintf(name, sizeof(name), "%s", row->paid_in);
	if (reversal && dice_below(dice, 2) == 0)
		amount = row->said;
	expected = model_says(row, word, amount, here, elsewhere, scene.applied,
	    row->elsewhere || scene.over);
	if (expected && strcmp(word, "redeemed") == 0)
		snprintf(row->paid_in, sizeof(row->paid_in), "%s", name);
	if (expected && strcmp(word, "applied") == 0 && !scene.over)
		model_applied(row, amount);
	if (strcmp(word, "refused") == 0) {
		assert_int_equal(say("offer.refused",
				     "{\"basket\":\"%s\",\"token\":\"%s\",\"reason\":\"no\"}", name,
				     scene.token),
		    expected);
	} else {
		snprintf(type, sizeof(type), "offer.%s", word);
		/* What is not believed is said to nobody but the dead letters. */
		expected = expected && (reversal || amount <= most[row->action]);
		assert_int_equal(say(type, "{\"basket\":\"%s\",\"token\":\"%s\",\"amount\":%lld}",
				     name, scene.token, (long long)amount),
		    expected);
	}
	if (elsewhere)
		later_basket(name, true);
}

/* Once, also where the basket was given up: what the till says of an offer afterwards is another
 * matter. */
static void
cancel(int basket)
{
	char name[16];
	const struct visit *visit;
	bool again;

	snprintf(name, sizeof(name), "b%d", basket);
	assert_int_equal(store_begin(engine->store), 0);
	visit = engine_basket_newest(engine, "7", name);
	again = visit != NULL && visit->state == VISIT_CANCELLED;
	engine_save(engine);
	assert_int_equal(store_commit(engine->store), 0);
	for (size_t i = 0; i < row_count; i++) {
		struct row *row = &rows[i];

		if (again || row->basket != basket || !row->redeemed || row->elsewhere)
			continue;
		row->redeemed = row->counts = false;
		row->voided = row->spent = true;
		note(row->action, -row->paid);
	}
	say("basket.cancelled", "{\"basket\":\"b%d\"}", basket);
}

static void
answer(struct dice *dice, int basket)
{
	static const char *const texts[] = { "accept", "accept", "accept", "dismiss", "snooze",
		"override" };
	char name[16], guidance[ID_TEXT_SIZE], prompt[ID_TEXT_SIZE];
	struct err err = { 0 };
	struct buf text = { 0 };
	struct visit *visit;
	struct card *card;
	struct input input = { .kind = INPUT_ANSWER, .now_ms = now_ms, .text = "t1" };

	snprintf(name, sizeof(name), "b%d", basket);
	visit = sessions_by_basket(engine->sessions, name);
	card = any_card(dice, visit, is_open);
	if (card == NULL)
		return;
	id_text(&card->guidance, guidance);
	id_text(&card->prompt, prompt);
	buf_addf(&text, "{\"decision\":\"%s\"%s}", texts[(int)dice_below(dice, ARRAY_LEN(texts))],
	    dice_below(dice, 2) == 0 ? ",\"instead\":{\"action\":\"coffee\"}" : "");
	input.guidance = guidance;
	input.prompt = prompt;
	input.answer = json_read(text.data, text.len, "answer", &err);
	assert_non_null(input.answer);
	assert_int_equal(turn_run(engine, &input, 1), 0);
	json_decref(input.answer);
	buf_done(&text);
}

/* As after a failed commit or a start: the sums come from the state. */
static void
read_again(void)
{
	hold_drop(engine);
	hold_load(engine);
	tally_drop(engine);
	tally_load(engine);
}

static void
pass_long(struct dice *dice)
{
	bool night = dice_below(dice, 3) == 0;

	let_time_pass((int64_t)dice_below(dice, night ? 14 * H_MS : 200 * S_MS));
}

static void
take_step(struct dice *dice)
{
	int basket = newest > BASKETS ? newest - (int)dice_below(dice, BASKETS)
				      : (int)dice_below(dice, (uint64_t)newest + 1);
	unsigned face = (unsigned)dice_below(dice, 24);

	if (face == 0)
		say("basket.opened", "{\"basket\":\"b%d\",\"terminal\":\"7\"}", ++newest);
	else if (face <= 2)
		say("basket.item-added",
		    "{\"basket\":\"b%d\",\"line\":%d,\"sku\":\"s\",\"category\":\"%s\",\"qty\":1,"
		    "\"amount\":%d,\"currency\":\"EUR\"}",
		    basket, sent, names[dice_below(dice, ARRAY_LEN(names))],
		    20 + (int)dice_below(dice, 300));
	else if (face == 3 && dice_below(dice, 2) == 0)
		say("basket.closed", "{\"basket\":\"b%d\",\"total\":100,\"currency\":\"EUR\"}",
		    basket);
	else if (face == 4 && dice_below(dice, 4) == 0)
		cancel(basket);
	else if (face == 5)
		let_time_pass((int64_t)dice_below(dice, 8000));
	else if (face == 6 && dice_below(dice, 2) == 0)
		pass_long(dice);
	else if (face == 7)
		read_again();
	else if (face <= 14)
		answer(dice, basket);
	else
		say_of_offer(dice, basket);
}

/* ---- by name ---- */

static struct card *
card_of(const char *basket, const char *action, char token[static ID_TEXT_SIZE])
{
	struct visit *visit = sessions_by_basket(engine->sessions, basket);

	for (size_t i = 0; visit != NULL && i < visit->card_count; i++) {
		if (strcmp(visit->cards[i].action, action) == 0) {
			id_text(&visit->cards[i].token, token);
			return &visit->cards[i];
		}
	}
	fail_msg("no card of %s", action);
	return NULL;
}

/* An offer of 50 that was accepted in a new basket: its token. */
static void
accepted(const char *basket, const char *action, char token[static ID_TEXT_SIZE])
{
	char guidance[ID_TEXT_SIZE], prompt[ID_TEXT_SIZE];
	struct input input = { .kind = INPUT_ANSWER, .now_ms = now_ms, .text = "t1" };
	struct card *card;

	assert_true(say("basket.opened", "{\"basket\":\"%s\",\"terminal\":\"7\"}", basket));
	card = card_of(basket, action, token);
	id_text(&card->guidance, guidance);
	id_text(&card->prompt, prompt);
	input.guidance = guidance;
	input.prompt = prompt;
	input.answer = json_read("{\"decision\":\"accept\"}", 21, "answer", &(struct err){ 0 });
	assert_int_equal(turn_run(engine, &input, 1), 0);
	assert_int_equal(input.result.status, 200);
	json_decref(input.answer);
	(void)card_of(basket, action, token);
}

static bool
till(const char *word, const char *token, int amount)
{
	char type[24];

	snprintf(type, sizeof(type), "offer.%s", word);
	return say(type, "{\"basket\":\"b\",\"token\":\"%s\",\"amount\":%d}", token, amount);
}

static void
close_basket(void)
{
	assert_true(say("basket.closed", "{\"basket\":\"b\",\"total\":100,\"currency\":\"EUR\"}"));
}

static void
assert_use(const char *action, int64_t day_money, int64_t day_units, int64_t all_money,
    int64_t all_units)
{
	struct budget_use use = hold_today(engine, action);

	assert_int_equal(use.day_money_minor, day_money);
	assert_int_equal(use.day_units, day_units);
	assert_int_equal(use.all_money_minor, all_money);
	assert_int_equal(use.all_units, all_units);
}

static int64_t
given_today(void)
{
	return tally_of(engine->today.actions, engine->today.action_count, 0)->redeemed_minor;
}

static void
what_was_never_paid_with_cannot_be_reversed_and_the_till_is_waited_for_still(void **state)
{
	char token[ID_TEXT_SIZE];

	(void)state;
	accepted("b", "coffee", token);
	assert_false(till("reversed", token, 50));
	assert_false(till("reversed", token, 0));
	assert_int_equal(given_today(), 0);
	assert_int_equal(engine->today.outcomes[OUTCOME_REVERSED], 0);
	assert_use("coffee", 50, 1, 50, 1);
	let_time_pass(5000); /* no word: the hold is free */
	assert_use("coffee", 0, 0, 0, 0);
}

static void
a_part_that_is_taken_back_frees_its_part_and_no_more_than_was_paid_comes_back(void **state)
{
	char token[ID_TEXT_SIZE];

	(void)state;
	accepted("b", "coffee", token);
	assert_true(till("redeemed", token, 50));
	assert_false(till("reversed", token, 51));
	assert_true(till("reversed", token, 20));
	assert_use("coffee", 30, 1, 30, 1);
	assert_int_equal(given_today(), 30);
	assert_false(till("redeemed", token, 50));
	assert_true(till("reversed", token, 20));
	assert_false(till("reversed", token, 11));
	assert_use("coffee", 10, 1, 10, 1);
	assert_true(till("reversed", token, 10));
	assert_use("coffee", 0, 0, 0, 0);
	assert_int_equal(given_today(), 0);
	assert_false(till("reversed", token, 10));
}

static void
of_the_suppliers_part_none_is_freed(void **state)
{
	char token[ID_TEXT_SIZE];

	(void)state;
	accepted("b", "tea", token);
	assert_true(till("redeemed", token, 61));
	assert_use("tea", 31, 1, 31, 1);
	assert_true(till("reversed", token, 20));
	assert_use("tea", 21, 1, 21, 1);
	assert_true(till("reversed", token, 41));
	assert_use("tea", 0, 0, 0, 0);
}

static void
money_that_comes_back_on_a_later_day_frees_the_campaign_and_nothing_of_today(void **state)
{
	char token[ID_TEXT_SIZE], other[ID_TEXT_SIZE];

	(void)state;
	accepted("b", "coffee", token);
	assert_true(till("redeemed", token, 50));
	close_basket();
	let_time_pass(D_MS);
	accepted("c", "coffee", other);
	assert_use("coffee", 50, 1, 100, 2);
	assert_true(till("reversed", token, 20));
	assert_use("coffee", 50, 1, 80, 2);
	assert_true(till("reversed", token, 30));
	assert_use("coffee", 50, 1, 50, 1);
	/* The manager's day and headquarters' hour are those in which it came back. */
	assert_int_equal(given_today(), -50);
	assert_int_equal(engine->today.outcomes[OUTCOME_REVERSED], 2);
	assert_int_equal(tally_of(engine->hour, engine->hour_count, 0)->reversed_minor, 50);
	assert_int_equal(tally_of(engine->hour, engine->hour_count, 0)->redeemed_minor, 0);
}

static void
held_yesterday_paid_and_reversed_today_leaves_nothing_in_today(void **state)
{
	char token[ID_TEXT_SIZE];

	(void)state;
	accepted("b", "tea", token);
	let_time_pass(D_MS);
	assert_use("tea", 0, 0, 35, 1);
	/* The sale of yesterday was never closed; a coupon lives on. */
	assert_false(till("redeemed", token, 60));
	assert_true(say("basket.opened", "{\"basket\":\"c\",\"terminal\":\"7\"}"));
	assert_true(say("offer.redeemed", "{\"basket\":\"c\",\"token\":\"%s\",\"amount\":60}",
	    token));
	assert_use("tea", 30 + 35, 1, 30 + 35, 2); /* c has a card of its own */
	assert_false(till("reversed", token, 60));
	assert_true(say("offer.reversed", "{\"basket\":\"c\",\"token\":\"%s\",\"amount\":60}",
	    token));
	assert_use("tea", 35, 1, 35, 1);
}

static void
a_sale_that_is_cancelled_gives_back_and_its_till_may_say_so_once_more(void **state)
{
	char token[ID_TEXT_SIZE];

	(void)state;
	accepted("b", "coffee", token);
	assert_true(till("redeemed", token, 50));
	close_basket();
	assert_use("coffee", 50, 1, 50, 1);
	assert_true(say("basket.cancelled", "{\"basket\":\"b\"}"));
	assert_use("coffee", 0, 0, 0, 0);
	assert_int_equal(given_today(), 0);
	assert_int_equal(engine->today.outcomes[OUTCOME_REVERSED], 1);
	/* However often it is said. */
	for (int i = 0; i < 3; i++) {
		assert_true(till("reversed", token, 50));
		assert_use("coffee", 0, 0, 0, 0);
		assert_int_equal(given_today(), 0);
		assert_int_equal(engine->today.outcomes[OUTCOME_REVERSED], 1);
	}
	assert_false(till("reversed", token, 51));
}

static void
an_offer_that_is_applied_after_it_was_given_up_is_held_until_the_close(void **state)
{
	char token[ID_TEXT_SIZE];

	(void)state;
	accepted("b", "coffee", token);
	let_time_pass(6000);
	assert_use("coffee", 0, 0, 0, 0);
	assert_true(till("applied", token, 45));
	assert_use("coffee", 45, 1, 45, 1);
	close_basket();
	assert_use("coffee", 0, 0, 0, 0);
}

static void
an_accepted_barcode_of_a_basket_that_ends_any_way_holds_no_budget(void **state)
{
	char token[ID_TEXT_SIZE];

	(void)state;
	accepted("b", "cake", token);
	assert_use("cake", 40, 1, 40, 1);
	assert_true(say("basket.cancelled", "{\"basket\":\"b\"}"));
	assert_use("cake", 0, 0, 0, 0);
	accepted("c", "cake", token);
	let_time_pass(IDLE_MS);
	assert_use("cake", 0, 0, 0, 0);
}

static void
what_a_removed_action_held_is_free_when_the_basket_closes(void **state)
{
	char token[ID_TEXT_SIZE];
	const struct action *all = policy->actions;
	size_t count = policy->action_count;

	(void)state;
	accepted("b", "coffee", token);
	assert_true(till("applied", token, 50));
	policy->actions = policy->actions + count;
	policy->action_count = 0;
	close_basket();
	policy->actions = (struct action *)(uintptr_t)all;
	policy->action_count = count;
	assert_use("coffee", 0, 0, 0, 0);
}

static int
take_record(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	struct buf *out = ctx;

	(void)seq;
	(void)type;
	(void)at_ms;
	buf_clear(out);
	buf_add(out, body, len);
	return 0;
}

static void
the_hour_in_which_money_comes_back_carries_it_and_none_that_went_up_changes(void **state)
{
	char token[ID_TEXT_SIZE];
	struct buf record = { 0 };

	(void)state;
	accepted("b", "coffee", token);
	assert_true(till("redeemed", token, 50));
	close_basket();
	let_time_pass(H_MS);
	assert_int_equal(store_uplink_each(engine->store, LANE_TELEMETRY, 0, 10, take_record,
			     &record),
	    0);
	assert_non_null(strstr(record.data, "\"redeemed_amount\":50}"));
	assert_true(till("reversed", token, 20));
	read_again();
	let_time_pass(H_MS);
	assert_int_equal(store_uplink_each(engine->store, LANE_TELEMETRY, 0, 10, take_record,
			     &record),
	    0);
	assert_non_null(strstr(record.data,
	    "\"reversed\":1,\"redeemed_amount\":0,\"reversed_amount\":20}"));
	buf_done(&record);
}

/* ---- in any order ---- */

static void
every_sum_is_that_of_the_cards_whatever_happens_in_which_order(void **state)
{
	const char *given = getenv("SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261121;

	size_t cards = 0, payments = 0;

	for (int run = 0; run < 8; run++, seed++) {
		struct dice dice = { .state = seed };
		newest = 0;
		print_message("seed %llu\n", (unsigned long long)seed);
		row_count = paid_count = 0;
		for (int step = 0; step < 1000; step++) {
			take_step(&dice);
			check_all();
		}
		cards += row_count;
		payments += paid_count;
		tear_down(state);
		set_up(state);
	}
	assert_true(cards > 240 && payments > 240);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(what_was_never_paid_with_cannot_be_reversed_and_the_till_is_waited_for_still),
		T(a_part_that_is_taken_back_frees_its_part_and_no_more_than_was_paid_comes_back),
		T(of_the_suppliers_part_none_is_freed),
		T(money_that_comes_back_on_a_later_day_frees_the_campaign_and_nothing_of_today),
		T(held_yesterday_paid_and_reversed_today_leaves_nothing_in_today),
		T(a_sale_that_is_cancelled_gives_back_and_its_till_may_say_so_once_more),
		T(an_offer_that_is_applied_after_it_was_given_up_is_held_until_the_close),
		T(an_accepted_barcode_of_a_basket_that_ends_any_way_holds_no_budget),
		T(what_a_removed_action_held_is_free_when_the_basket_closes),
		T(the_hour_in_which_money_comes_back_carries_it_and_none_that_went_up_changes),
		T(every_sum_is_that_of_the_cards_whatever_happens_in_which_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
