/* SPDX-License-Identifier: Apache-2.0
 *
 * test_follow.c - what is said of an offer is what it saves on the basket of this moment.
 *
 * Random baskets of random offers, each step held against a reckoning of its own. `test_follow
 * 20000` tries so many.
 */
#include "spine_story.h"

#include <inttypes.h>

#include "nouns/visit.h"
#include "random_fixture.h"

static int rounds = 150;

/* ---- a reckoning of its own ---- */

struct deal {
	const char *type, *category; /* NULL: any */
	int64_t depth, max, min_worth, tier_from, tier_depth;
};

struct goods {
	const char *category;
	int64_t qty, amount;
	bool there;
};

struct sale {
	struct deal deals[2];
	struct goods goods[12];
	int count;
	int64_t asked[2]; /* of each deal once it is accepted: what is off the basket for it; -1 */
};

static bool
is_of(const struct deal *deal, const struct goods *goods)
{
	return goods->there &&
	    (deal->category == NULL || strcmp(deal->category, goods->category) == 0);
}

static int64_t
total_of(const struct sale *sale)
{
	int64_t total = 0;

	for (int i = 0; i < sale->count; i++)
		total += sale->goods[i].there ? sale->goods[i].amount : 0;
	return total;
}

static int64_t
depth_now(const struct sale *sale, const struct deal *deal)
{
	return deal->tier_from > 0 && total_of(sale) >= deal->tier_from ? deal->tier_depth
									: deal->depth;
}

static int64_t
on_line(const struct deal *deal, int64_t depth, const struct goods *goods)
{
	if (strcmp(deal->type, "percent") == 0)
		return (goods->amount * depth + 50) / 100;
	if (strcmp(deal->type, "fixed-price") == 0)
		return goods->amount > depth * goods->qty ? goods->amount - depth * goods->qty : 0;
	return 0;
}

/* -1: no goods are there that qualify. */
static int64_t
saves_now(const struct sale *sale, int d)
{
	const struct deal *deal = &sale->deals[d], *other = &sale->deals[1 - d];
	int64_t depth = depth_now(sale, deal), saving = 0, goods = 0, left, shared = 0;
	bool any = false;

	for (int i = 0; i < sale->count; i++) {
		if (!is_of(deal, &sale->goods[i]))
			continue;
		goods += sale->goods[i].amount;
		if (sale->goods[i].amount <= 0)
			continue;
		any = true;
		saving += on_line(deal, depth, &sale->goods[i]);
		shared += is_of(other, &sale->goods[i]) ? sale->goods[i].amount : 0;
	}
	if (strcmp(deal->type, "amount") == 0)
		saving = depth;
	left = total_of(sale);
	if (sale->asked[1 - d] >= 0) {
		left -= sale->asked[1 - d];
		goods -= shared < sale->asked[1 - d] ? shared : sale->asked[1 - d];
	}
	saving = saving < goods ? saving : goods;
	saving = saving < left ? saving : left;
	saving = saving > 0 ? saving : 0;
	return !any ? -1 : saving < deal->max ? saving : deal->max;
}

/* ---- the same as the store has it ---- */

static const char *const names[2] = { "d0", "d1" };

static struct card *
card_of(struct visit *visit, int d)
{
	for (size_t i = visit->card_count; i > 0; i--)
		if (strcmp(visit->cards[i - 1].action, names[d]) == 0)
			return &visit->cards[i - 1];
	return NULL;
}

static int64_t
worth_said(const json_t *prompt)
{
	int64_t in_words = -1, depth = -1;
	int64_t worth =
	    json_integer_value(json_object_get(json_object_get(prompt, "offer"), "worth"));

	assert_int_equal(sscanf(text_of(prompt, "headline"), "%" SCNd64 " at %" SCNd64, &in_words,
			     &depth),
	    2);
	assert_int_equal(in_words, worth);
	assert_int_equal(depth,
	    json_integer_value(json_object_get(json_object_get(prompt, "offer"), "depth")));
	return worth;
}

/* What stands on the tablet: -1: no open card. */
static int64_t
on_tablet(const struct visit *visit, int d)
{
	const json_t *prompt;
	size_t i;

	if (id_is_zero(&visit->guidance))
		return -1;
	json_array_foreach(json_object_get(screen, "prompts"), i, prompt)
		if (strcmp(text_of(prompt, "action"), names[d]) == 0 &&
		    strcmp(text_of(prompt, "state"), "open") == 0)
			return worth_said(prompt);
	return -1;
}

static void
assert_all_says_what_it_saves(const struct sale *sale, int seed)
{
	struct visit *visit = visit_of("b");

	for (int d = 0; d < 2; d++) {
		struct card *card = card_of(visit, d);
		int64_t saves = saves_now(sale, d), said_now = on_tablet(visit, d);

		if (card == NULL || card->state != CARD_OPEN) {
			assert_int_equal(said_now, -1);
			continue;
		}
		if (said_now != card->worth_minor || (saves >= 0 && said_now != saves) ||
		    said_now < 1 || (saves >= 0 && saves < sale->deals[d].min_worth))
			fail_msg("seed %d: offer %d says %" PRId64 ", the card %" PRId64
				 ", it saves %" PRId64,
			    seed, d, said_now, card->worth_minor, saves);
	}
}

/* ---- what happens ---- */

static void
scan_line(struct sale *sale, struct dice *dice, int at)
{
	static const char *const categories[] = { "tea", "bread" };
	struct goods *goods = &sale->goods[at];

	goods->category = categories[dice_below(dice, 2)];
	goods->qty = 1 + (int64_t)dice_below(dice, 3);
	goods->amount = (int64_t)dice_below(dice, 900) - (dice_below(dice, 5) == 0 ? 900 : 0);
	goods->there = true;
	now_ms += 700;
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':%d,'sku':'s%d','category':'%s','qty':%" PRId64
	    ",'amount':%" PRId64 ",'currency':'EUR'}",
	    at + 1, at, goods->category, goods->qty, goods->amount);
}

static void
void_line(struct sale *sale, int at)
{
	sale->goods[at].there = false;
	now_ms += 700;
	tell("pos/7/event", "basket.item-voided", "{'basket':'b','line':%d}", at + 1);
}

static void
till_said(const char *word, int64_t amount)
{
	tell("pos/7/event", arena_printf(texts, "offer.%s", word),
	    "{'basket':'b','token':'%s','amount':%" PRId64 "}", token, amount);
}

/* What it was asked for, or what its own rules come to; paid at once, and perhaps taken back in part. */
static void
till_takes_off(struct sale *sale, struct dice *dice, int d)
{
	const struct deal *deal = &sale->deals[d];
	int64_t depth = depth_now(sale, deal);
	int64_t most = strcmp(deal->type, "amount") == 0 && depth < deal->max ? depth : deal->max;
	int64_t amount = (int64_t)dice_below(dice, (uint64_t)most + 1);
	int way = (int)dice_below(dice, 5);

	if (way < 2) {
		till_said("applied", sale->asked[d]);
		return;
	}
	sale->asked[d] = amount;
	till_said(way == 2 ? "applied" : "redeemed", amount);
	if (way < 4 || amount < 2)
		return;
	sale->asked[d] = 1 + (int64_t)dice_below(dice, (uint64_t)amount - 1);
	till_said("reversed", amount - sale->asked[d]);
}

static void
accept_deal(struct sale *sale, struct dice *dice, int d, int seed)
{
	struct visit *visit = visit_of("b");
	int64_t said_before = on_tablet(visit, d), left = total_of(sale);
	const char *asked;

	if (said_before < 0 || saves_now(sale, d) < 0)
		return;
	now_ms += 700;
	assert_int_equal(answer(names[d], "accept"), 200);
	asked = strstr(said(), "till 7 apply-offer");
	assert_non_null(asked);
	visit = visit_of("b");
	sale->asked[d] = card_of(visit, d)->worth_minor;
	/* The tablet's sentence, the till's command. */
	assert_int_equal(sale->asked[d], said_before);
	left -= sale->asked[1 - d] >= 0 ? sale->asked[1 - d] : 0;
	if (left < sale->asked[d])
		fail_msg("seed %d: of %" PRId64 " that are left it takes %" PRId64, seed, left,
		    sale->asked[d]);
	till_takes_off(sale, dice, d);
}

static void
random_deal(struct dice *dice, struct deal *deal, struct buf *out)
{
	static const char *const types[] = { "percent", "amount", "fixed-price" };
	static const char *const categories[] = { "tea", "bread", NULL };

	*deal = (struct deal){ .type = types[dice_below(dice, 3)],
		.category = categories[dice_below(dice, 3)],
		.depth = 1 + (int64_t)dice_below(dice, 90),
		.max = 50 + (int64_t)dice_below(dice, 900),
		.min_worth = 1 + (int64_t)dice_below(dice, 3) * 20 };
	buf_clear(out);
	buf_addf(out,
	    "'type':'%s','depth':%" PRId64 ",'typical':200,'max':%" PRId64 ",'min_worth':%" PRId64,
	    deal->type, deal->depth, deal->max, deal->min_worth);
	if (deal->category != NULL)
		buf_addf(out, ",'include':{'category':'%s'}", deal->category);
	if (dice_below(dice, 3) == 0) {
		deal->tier_from = 500;
		deal->tier_depth = 1 + (int64_t)dice_below(dice, 90);
		buf_addf(out, ",'tiers':[{'from':500,'depth':%" PRId64 "}]", deal->tier_depth);
	}
}

static void
begin_sale(struct sale *sale, struct dice *dice)
{
	struct buf offer = { 0 };

	*sale = (struct sale){ .asked = { -1, -1 } };
	a_policy("{'interrupt':1}");
	for (int d = 0; d < 2; d++) {
		random_deal(dice, &sale->deals[d], &offer);
		an_action(names[d],
		    arena_printf(texts,
			"{'group':'%s','kind':'offer','on':['aisle.basket.item-added'],"
			"'expires':'1h','propensity':0.9,'incremental':1,'margin':100000,"
			"'outcome':{'is':'redeemed','within':'0d'},'offer':{%s},"
			"'treatments':[{'treatment':'p','language':'en','headline':'{{worth}} at "
			"{{depth}}'}]}",
			names[d], offer.data));
	}
	buf_done(&offer);
	in_force();
	open_basket("b");
}

static void
what_is_said_of_an_offer_is_what_it_saves_at_every_step(void **state)
{
	int accepted = 0, open = 0;

	for (int seed = 1; seed <= rounds; seed++) {
		struct dice dice = { .state = (uint64_t)seed };
		struct sale sale;

		begin_sale(&sale, &dice);
		for (int step = 0; step < 16; step++) {
			int pick = (int)dice_below(&dice, 10);

			if (sale.count < 12 && (pick < 5 || sale.count == 0))
				scan_line(&sale, &dice, sale.count++);
			else if (pick < 7)
				void_line(&sale, (int)dice_below(&dice, (uint64_t)sale.count));
			else if (pick == 7 && sale.goods[sale.count - 1].there)
				scan_line(&sale, &dice, sale.count - 1);
			else
				accept_deal(&sale, &dice, (int)dice_below(&dice, 2), seed);
			assert_all_says_what_it_saves(&sale, seed);
			open += on_tablet(visit_of("b"), 0) >= 0;
		}
		accepted += (sale.asked[0] >= 0) + (sale.asked[1] >= 0);
		tear_down(state);
		set_up(state);
	}
	/* It was about something. */
	assert_true(accepted > rounds / 2 && open > 3 * rounds);
}

/* ---- one by one ---- */

#define TEA(offer, more) \
	"{'kind':'offer','outcome':{'is':'redeemed','within':'0d'},'propensity':0.9,'incremental'" \
	":" \
	"1,'margin':100000,'offer':{" offer ",'include':{'category':'tea'}}" more "}"

static int64_t
worth_of(const char *action)
{
	const json_t *prompt;
	size_t i;

	json_array_foreach(json_object_get(screen, "prompts"), i, prompt)
		if (strcmp(text_of(prompt, "action"), action) == 0)
			return json_integer_value(json_object_get(json_object_get(prompt, "offer"),
			    "worth"));
	return -1;
}

static void
a_prompt_keeps_its_id_when_its_worth_changes(void **state)
{
	char *prompt, *guidance;

	(void)state;
	only("o", TEA("'type':'percent','depth':10,'typical':100,'max':900", ""));
	open_basket("b");
	scan("b", "tea", 500);
	assert_said("guidance 7: o");
	assert_int_equal(worth_of("o"), 50);
	prompt = arena_strdup(texts, prompt_of("o"));
	guidance = arena_strdup(texts, guidance_on_screen());
	scan("b", "tea", 300);
	assert_said("guidance 7: o");
	assert_int_equal(worth_of("o"), 80);
	assert_string_equal(prompt_of("o"), prompt);
	assert_string_equal(guidance_on_screen(), guidance);
	/* What changes nothing is not said again. */
	scan("b", "bread", 300);
	assert_said("");
}

static const json_t *
offer_of(const char *action)
{
	const json_t *prompt;
	size_t i;

	json_array_foreach(json_object_get(screen, "prompts"), i, prompt)
		if (strcmp(text_of(prompt, "action"), action) == 0)
			return json_object_get(prompt, "offer");
	return NULL;
}

static void
a_worth_of_goods_that_are_not_there_is_said_to_be_an_estimate_until_they_are(void **state)
{
	(void)state;
	only("o", TEA("'type':'percent','depth':10,'typical':500,'max':900", ""));
	open_basket("b");
	scan("b", "bread", 300);
	assert_int_equal(worth_of("o"), 50);
	assert_true(json_is_true(json_object_get(offer_of("o"), "estimate")));
	/* It is worth just as much, and now that is so. */
	scan("b", "tea", 500);
	assert_said("guidance 7: o");
	assert_int_equal(worth_of("o"), 50);
	assert_null(json_object_get(offer_of("o"), "estimate"));
	scan("b", "bread", 300);
	assert_said("");
}

static void
an_amount_off_is_no_estimate(void **state)
{
	(void)state;
	only("o", TEA("'type':'amount','depth':50", ""));
	open_basket("b");
	scan("b", "bread", 300);
	assert_int_equal(worth_of("o"), 50);
	assert_null(json_object_get(offer_of("o"), "estimate"));
}

static void
what_the_till_has_put_into_its_line_is_not_taken_twice(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", TEA("'type':'amount','depth':400", ""));
	an_action("b", TEA("'type':'amount','depth':450", ",'group':'h'"));
	in_force();
	open_basket("b");
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'tea','qty':1,'amount':1000,'currency':"
	    "'EUR'}");
	assert_int_equal(worth_of("b"), 450);
	(void)answer("a", "accept");
	/* 1000 less the 400 that the till is asked for. */
	assert_int_equal(worth_of("b"), 450);
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'tea','qty':1,'amount':700,'currency':"
	    "'EUR'}");
	assert_int_equal(worth_of("b"), 300);
	/* Now the 700 have the 400 in them. */
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'tea','qty':1,'amount':700,'currency':"
	    "'EUR','discounts':[{'ref':'%s','amount':400}]}",
	    token);
	assert_int_equal(worth_of("b"), 450);
}

/* Nothing was applied before, and the till took off what it thought right. */
static void
what_was_paid_with_at_once_is_not_there_for_the_others(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", TEA("'type':'amount','depth':400", ""));
	an_action("b", TEA("'type':'amount','depth':450", ",'group':'h'"));
	in_force();
	open_basket("b");
	scan("b", "tea", 600);
	(void)answer("a", "accept");
	assert_int_equal(worth_of("b"), 200);
	till_said("redeemed", 390);
	assert_int_equal(worth_of("b"), 210);
	/* The customer's receipt and the tablet say the same. */
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(screen,
									       "prompts"),
								0),
			     "amount")),
	    390);
	till_said("reversed", 90);
	assert_int_equal(worth_of("b"), 300);
	till_said("reversed", 300);
	assert_int_equal(worth_of("b"), 450);
}

/* A coupon of last time, in the basket of this time. */
static void
what_a_token_of_an_earlier_basket_takes_off_is_not_there_either(void **state)
{
	const char *kept;

	(void)state;
	a_policy("{}");
	an_action("a",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'2d'},'margin':9000,'offer':{'"
	    "type':'amount','depth':400,'apply':'barcode','code':'1','until':'2d'}}");
	an_action("b", TEA("'type':'amount','depth':450", ",'group':'h'"));
	in_force();
	open_basket("a");
	scan("a", "x", 500);
	assert_int_equal(answer("a", "accept"), 200);
	id_text(&visit_of("a")->cards[1].token, token);
	kept = arena_strdup(texts, token);
	close_basket("a", 500);
	now_ms += 1000;
	open_basket("b");
	scan("b", "tea", 600);
	assert_int_equal(worth_of("b"), 450);
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':400}", kept);
	assert_int_equal(worth_of("b"), 200);
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':900,'sku':'s','category':'tea','qty':1,'amount':100,'currency':"
	    "'EUR','discounts':[{'ref':'%s','amount':300}]}",
	    kept);
	assert_int_equal(worth_of("b"), 450); /* 700, and 100 to come */
	tell("pos/7/event", "offer.reversed", "{'basket':'b','token':'%s','amount':390}", kept);
	assert_int_equal(worth_of("b"), 450);
}

/* The next policy asks for more, and the card is on the screen. */
static void
what_saves_less_than_it_has_to_cannot_be_taken(void **state)
{
	static const struct {
		int min_worth, status;
	} pairs[] = { { 50, 200 }, { 51, 409 } };

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct reply reply;

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		only("o", TEA("'type':'percent','depth':10,'typical':100,'max':900", ""));
		open_basket("b");
		scan("b", "tea", 500);
		assert_int_equal(worth_of("o"), 50);
		memset(&parts, 0, sizeof(parts));
		only("o",
		    arena_printf(texts,
			TEA("'type':'percent','depth':10,'typical':100,'max':900,'min_worth':%d",
			    ""),
			pairs[i].min_worth));
		heard(LANE_DECISION);
		for (int again = 0; again < 2; again++) {
			reply = answer_prompt(guidance_on_screen(), prompt_of("o"),
			    "{'decision':'accept'}", NULL, false);
			assert_int_equal(reply.status, pairs[i].status);
			if (reply.status == 409)
				assert_string_equal(reply.clause, "offer.min_worth");
		}
		assert_heard(LANE_DECISION,
		    pairs[i].status == 200 ? "accepted" : "withdrawn (gate)");
		assert_int_equal(hold_today(engine, "o").all_units, pairs[i].status == 200);
	}
}

static void
an_offer_that_came_to_nothing_leaves(void **state)
{
	(void)state;
	only("o", TEA("'type':'fixed-price','depth':200,'typical':300", ""));
	open_basket("b");
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'tea','qty':1,'amount':260,'currency':"
	    "'EUR'}");
	assert_int_equal(worth_of("o"), 60);
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'tea','qty':1,'amount':200,'currency':"
	    "'EUR'}");
	assert_said("withdraw 7 gate");
	assert_string_equal(fate_in_record("o"), "not-worth-it");
}

static void
a_card_of_the_control_group_follows_and_nobody_is_told(void **state)
{
	(void)state;
	a_policy("{'control':{'share':1}}");
	an_action("o",
	    TEA("'type':'percent','depth':10,'typical':100,'max':900", ",'personal':true"));
	in_force();
	grant(ANNA, "personalise");
	open_basket("b");
	identify(ANNA);
	scan("b", "tea", 500);
	assert_int_equal(visit_of("b")->cards[0].worth_minor, 50);
	scan("b", "tea", 300);
	assert_int_equal(visit_of("b")->cards[0].worth_minor, 80);
	assert_said("");
}

int
main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(what_is_said_of_an_offer_is_what_it_saves_at_every_step),
		T(a_prompt_keeps_its_id_when_its_worth_changes),
		T(a_worth_of_goods_that_are_not_there_is_said_to_be_an_estimate_until_they_are),
		T(an_amount_off_is_no_estimate),
		T(what_the_till_has_put_into_its_line_is_not_taken_twice),
		T(what_was_paid_with_at_once_is_not_there_for_the_others),
		T(what_a_token_of_an_earlier_basket_takes_off_is_not_there_either),
		T(what_saves_less_than_it_has_to_cannot_be_taken),
		T(an_offer_that_came_to_nothing_leaves),
		T(a_card_of_the_control_group_follows_and_nobody_is_told),
	};

	if (argc > 1)
		rounds = atoi(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
