/* SPDX-License-Identifier: Apache-2.0
 *
 * test_taking.c - limits on what is taken: asked when a person takes it, at whatever till, and net of what came back.
 */
#include "random_fixture.h"
#include "spine_story.h"

#define CAP(outcome) "'caps':[{'per':'customer','outcome':'" outcome "','max':1,'within':'7d'}]"
#define COUPON \
	"'kind':'offer','outcome':{'is':'redeemed','within':'0d'},'propensity':0.5,'offer':{" \
	"'type':'amount','depth':40,'max':40,'apply':'barcode','code':'1','until':'0d'}"

static const char *guidance, *prompt; /* of the card that was opened last */

/* Anna's basket at a till; its card, which is open. */
static void
anna_at(const char *till, const char *basket, const char *action)
{
	char topic[32];

	json_decref(screen);
	screen = NULL;
	snprintf(topic, sizeof(topic), "pos/%s/event", till);
	tell(topic, "basket.opened", "{'basket':'%s','terminal':'%s'}", basket, till);
	tell(topic, "customer.identified", "{'subject':'" ANNA "','station':'%s'}", till);
	tell(topic, "basket.item-added",
	    "{'basket':'%s','line':1,'sku':'s','category':'c','qty':1,'amount':500,'currency':'EUR'"
	    "}",
	    basket);
	guidance = guidance_on_screen();
	prompt = prompt_of(action);
}

static struct reply
take(void)
{
	return answer_prompt(guidance, prompt, "{'decision':'accept'}", NULL, false);
}

static void
of_basket(const char *till, const char *type, const char *basket, const char *more)
{
	char topic[32];

	snprintf(topic, sizeof(topic), "pos/%s/event", till);
	tell(topic, type, "{'basket':'%s'%s}", basket, more);
}

static void
of_token(const char *till, const char *type, const char *basket, const char *of, const char *more)
{
	of_basket(till, type, basket, arena_printf(texts, ",'token':'%s'%s", of, more));
}

static const char *
last_token(void)
{
	return arena_strdup(texts, token);
}

static void
a_limit_holds_where_two_tills_have_the_card_at_once(void **state)
{
	const char *first_guidance, *first_prompt;
	struct reply reply;

	(void)state;
	only("o", "{" OFFER_OF("") "," CAP("accepted") "}");
	anna_at("7", "b", "o");
	first_guidance = guidance;
	first_prompt = prompt;
	anna_at("8", "c", "o");
	assert_string_not_equal(prompt, "");
	heard(LANE_DECISION);
	assert_int_equal(take().status, 200);
	assert_int_equal(hold_today(engine, "o").all_units, 2);
	guidance = first_guidance;
	prompt = first_prompt;
	reply = take();
	assert_int_equal(reply.status, 409);
	assert_string_equal(reply.clause, "caps[0]: accepted 1 of 1");
	assert_said("withdraw 7 gate");
	assert_heard(LANE_DECISION, "accepted; withdrawn (gate)");
	assert_non_null(strstr(heard_last, "\"tablet\":\"t1\""));
	assert_int_equal(hold_today(engine, "o").all_units, 1);
	/* The same again for the same answer; another one is too late. */
	reply = take();
	assert_int_equal(reply.status, 409);
	assert_string_equal(reply.clause, "caps[0]: accepted 1 of 1");
	assert_said("");
	assert_heard(LANE_DECISION, "");
	assert_int_equal(answer_prompt(guidance, prompt, "{'decision':'dismiss'}", NULL, false)
			     .status,
	    410);
}

static void
through_the_broker_a_limit_is_no_mistake_of_the_tablet(void **state)
{
	const char *first_guidance, *first_prompt;

	(void)state;
	only("o", "{" OFFER_OF("") "," CAP("accepted") "}");
	know_tablet("t9", "");
	anna_at("7", "b", "o");
	first_guidance = guidance;
	first_prompt = prompt;
	anna_at("8", "c", "o");
	assert_int_equal(take().status, 200);
	tell("tablet/t9/event", "guidance.decided",
	    "{'guidance':'%s','prompt':'%s','tablet':'t9','decision':'accept'}", first_guidance,
	    first_prompt);
	assert_said("withdraw 7 gate");
	assert_int_equal(dead_letters(), 0);
}

/* Neither till has said that it redeemed anything. */
static void
what_is_accepted_and_may_still_be_used_counts_as_used_for_who_takes_another(void **state)
{
	static const char *const limits[] = { CAP("applied"), CAP("redeemed") };

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const char *first_guidance, *first_prompt;

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		only("o", arena_printf(texts, "{%s,%s}", OFFER_OF(""), limits[i]));
		anna_at("7", "b", "o");
		first_guidance = guidance;
		first_prompt = prompt;
		anna_at("8", "c", "o");
		assert_int_equal(take().status, 200);
		guidance = first_guidance;
		prompt = first_prompt;
		assert_int_equal(take().status, 409);
	}
}

static void
what_was_not_used_by_the_close_is_used_no_more(void **state)
{
	(void)state;
	only("o", "{" OFFER_OF("") "," CAP("redeemed") "}");
	anna_at("7", "b", "o");
	assert_int_equal(take().status, 200);
	of_token("7", "offer.applied", "b", last_token(), ",'amount':40");
	of_basket("7", "basket.closed", "b", ",'total':500,'currency':'EUR'");
	/* Its till may still say that it was paid with. */
	now_ms += 5 * MIN_MS;
	anna_at("7", "c", "o");
	assert_int_equal(take().status, 409);
	of_basket("7", "basket.cancelled", "c", "");
	now_ms += 1;
	anna_at("7", "d", "o");
	assert_int_equal(take().status, 200);
}

/* It is held no longer than its till may still redeem it. */
static void
what_is_applied_after_the_close_and_not_paid_with_was_no_use(void **state)
{
	const char *of;

	(void)state;
	only("o", "{" OFFER_OF("") "," CAP("redeemed") "}");
	anna_at("7", "b", "o");
	assert_int_equal(take().status, 200);
	of = last_token();
	of_basket("7", "basket.closed", "b", ",'total':500,'currency':'EUR'");
	wait_for(6000); /* silent, and so refused */
	anna_at("8", "c", "o");
	of_token("7", "offer.applied", "b", of, ",'amount':40");
	assert_int_equal(take().status, 409);
	now_ms += 5 * MIN_MS;
	anna_at("9", "d", "o");
	assert_int_equal(take().status, 200);
}

static void
what_is_paid_with_after_the_close_was_a_use_all_along(void **state)
{
	const char *of;

	(void)state;
	only("o", "{" OFFER_OF("") "," CAP("redeemed") "}");
	anna_at("7", "b", "o");
	assert_int_equal(take().status, 200);
	of = last_token();
	of_basket("7", "basket.closed", "b", ",'total':500,'currency':'EUR'");
	anna_at("8", "c", "o");
	of_token("7", "offer.redeemed", "b", of, ",'amount':40");
	assert_int_equal(take().status, 409);
	now_ms += D_MS;
	anna_at("9", "d", "o");
	assert_string_equal(prompt, "");
}

/* Its till said no "applied", and what it said it did after the close, while the end of the use lay ahead. */
static void
what_is_paid_with_after_the_close_is_used_for_a_limit_on_what_is_applied_as_well(void **state)
{
	const char *of;

	(void)state;
	only("o", "{" OFFER_OF("") "," CAP("applied") "}");
	anna_at("7", "b", "o");
	assert_int_equal(take().status, 200);
	of = last_token();
	of_basket("7", "basket.closed", "b", ",'total':500,'currency':'EUR'");
	now_ms += MIN_MS;
	of_token("7", "offer.redeemed", "b", of, ",'amount':40");
	now_ms += 10 * MIN_MS;
	anna_at("8", "c", "o");
	assert_int_equal(take().status, 409);
	/* It was taken back in the end, and so it was none. */
	of_token("7", "offer.reversed", "b", of, ",'amount':40");
	anna_at("9", "d", "o");
	assert_int_equal(take().status, 200);
}

static void
a_word_said_twice_is_one_use(void **state)
{
	const char *of;

	(void)state;
	only("o",
	    "{" OFFER_OF("") ",'caps':[{'per':'customer','outcome':'applied','max':2,"
			     "'within':'7d'}]}");
	anna_at("7", "b", "o");
	assert_int_equal(take().status, 200);
	of = last_token();
	of_token("7", "offer.applied", "b", of, ",'amount':40");
	of_token("7", "offer.applied", "b", of, ",'amount':35");
	of_token("7", "offer.redeemed", "b", of, ",'amount':35");
	of_basket("7", "basket.closed", "b", ",'total':500,'currency':'EUR'");
	anna_at("7", "c", "o");
	assert_string_not_equal(prompt, "");
	assert_int_equal(take().status, 200);
}

/* ---- what came back ---- */

/* How the first use ends, and whether there is a second one then. */
static void
refused(const char *of)
{
	of_token("7", "offer.refused", "b", of, ",'reason':'no'");
}
static void
silent(const char *of)
{
	(void)of;
	wait_for(5 * S_MS);
}
static void
silent_and_applied_after_all(const char *of)
{
	wait_for(5 * S_MS);
	of_token("7", "offer.applied", "b", of, ",'amount':40");
}
static void
redeemed_and_reversed(const char *of)
{
	of_token("7", "offer.redeemed", "b", of, ",'amount':40");
	of_token("7", "offer.reversed", "b", of, ",'amount':40");
}
static void
redeemed_and_reversed_in_part(const char *of)
{
	of_token("7", "offer.redeemed", "b", of, ",'amount':40");
	of_token("7", "offer.reversed", "b", of, ",'amount':39");
}
static void
reversed_in_parts(const char *of)
{
	redeemed_and_reversed_in_part(of);
	of_token("7", "offer.reversed", "b", of, ",'amount':1");
}
static void
cancelled(const char *of)
{
	(void)of;
	of_basket("7", "basket.cancelled", "b", "");
}
static void
redeemed_and_cancelled(const char *of)
{
	of_token("7", "offer.redeemed", "b", of, ",'amount':40");
	of_basket("7", "basket.closed", "b", ",'total':460,'currency':'EUR'");
	of_basket("7", "basket.cancelled", "b", "");
}
static void
nothing(const char *of)
{
	(void)of;
}

static void
what_came_back_was_no_use(void **state)
{
	static const struct {
		void (*ends)(const char *of);
		bool free;
	} ways[] = {
		{ nothing, false },
		{ refused, true },
		{ silent, true },
		{ silent_and_applied_after_all, false },
		{ redeemed_and_reversed, true },
		{ redeemed_and_reversed_in_part, false },
		{ reversed_in_parts, true },
		{ cancelled, true },
		{ redeemed_and_cancelled, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		only("o", "{" OFFER_OF("") "," CAP("accepted") "}");
		anna_at("7", "b", "o");
		assert_int_equal(take().status, 200);
		ways[i].ends(last_token());
		anna_at("8", "c", "o");
		if ((prompt[0] != '\0') != ways[i].free)
			fail_msg("way %zu", i);
		if (ways[i].free)
			assert_int_equal(take().status, 200);
	}
}

static void
a_coupon_of_a_cancelled_sale_was_no_use(void **state)
{
	(void)state;
	only("o", "{" COUPON "," CAP("accepted") "}");
	anna_at("7", "b", "o");
	assert_int_equal(take().status, 200);
	heard(LANE_DECISION);
	of_basket("7", "basket.cancelled", "b", "");
	assert_said("withdraw 7 cancelled");
	assert_heard(LANE_DECISION, "withdrawn (cancelled)");
	anna_at("8", "c", "o");
	assert_int_equal(take().status, 200);
}

static void
a_limit_is_one_customers_whatever_number_their_card_had(void **state)
{
	(void)state;
	only("o", "{" OFFER_OF("") "," CAP("accepted") "}");
	tell("pos/8/event", "basket.opened", "{'basket':'c','terminal':'8'}");
	tell("pos/8/event", "customer.identified", "{'subject':'" BEN "','station':'8'}");
	tell("pos/8/event", "basket.item-added",
	    "{'basket':'c','line':1,'sku':'s','category':'c','qty':1,'amount':500,'currency':'EUR'"
	    "}");
	guidance = guidance_on_screen();
	prompt = prompt_of("o");
	assert_int_equal(take().status, 200);
	anna_at("7", "b", "o");
	assert_string_not_equal(prompt, "");
	tell("care/event", "customer.merged", "{'subject':'" BEN "','into':'" ANNA "'}");
	assert_int_equal(take().status, 409);
}

/* ---- in any order ---- */

enum { ACCEPTED, APPLIED, REDEEMED, BACK };
static struct use {
	int customer, action, till, basket;
	int state;
	bool applied, heard, over, spent;
	int64_t asked_ms, ended_ms; /* ended: of its basket; 0: open */
	char token[ID_TEXT_SIZE];
} uses[4096];
static size_t use_count;
static const char *const limited[] = { "accepted", "applied", "redeemed" };
#define CUSTOMERS 2
#define TILLS 3
static int baskets[TILLS], at_till[TILLS]; /* number of the open one, 0: none; who is there */

/* Uses that the limit of this action counts for who takes one more. */
static int
model_count(int customer, int action)
{
	int n = 0;

	for (size_t i = 0; i < use_count; i++) {
		const struct use *use = &uses[i];

		if (use->customer != customer || use->action != action || use->state == BACK)
			continue;
		n += use->state == REDEEMED || action == 0 || (action == 1 && use->applied) ||
		    use->ended_ms == 0 || now_ms <= use->ended_ms + 5 * MIN_MS;
	}
	return n;
}

static void
end_basket(int till, bool cancel)
{
	char name[16];

	snprintf(name, sizeof(name), "b%d", baskets[till]);
	of_basket(till == 0 ? "1"
		: till == 1 ? "2"
			    : "3",
	    cancel ? "basket.cancelled" : "basket.closed", name,
	    cancel ? "" : ",'total':500,'currency':'EUR'");
	for (size_t i = 0; i < use_count; i++) {
		struct use *use = &uses[i];

		if (use->till != till || use->basket != baskets[till])
			continue;
		use->ended_ms = now_ms;
		use->over = cancel;
		if (cancel)
			use->state = BACK;
	}
	baskets[till] = 0;
}

static void
take_a_card(struct dice *dice, int till)
{
	char name[16], text[ID_TEXT_SIZE], of[ID_TEXT_SIZE];
	int action = (int)dice_below(dice, 3), count_before, max = 2;
	struct visit *visit;
	struct reply reply;

	snprintf(name, sizeof(name), "b%d", baskets[till]);
	visit = visit_of(name);
	for (size_t i = 0; visit != NULL && i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];

		if (card->state != CARD_OPEN || strcmp(card->action, limited[action]) != 0)
			continue;
		id_text(&card->prompt, text);
		id_text(&card->guidance, of);
		count_before = model_count(at_till[till], action);
		token[0] = '\0';
		reply = answer_prompt(of, text, "{'decision':'accept'}", NULL, false);
		if (reply.status != (count_before < max ? 200 : 409)) {
			for (size_t u = 0; u < use_count; u++)
				print_message("customer %d %s state %d applied %d\n",
				    uses[u].customer, limited[uses[u].action], uses[u].state,
				    uses[u].applied);
			fail_msg("customer %d takes %s: %d", at_till[till], limited[action],
			    reply.status);
		}
		if (reply.status != 200)
			return;
		assert_true(use_count < ARRAY_LEN(uses));
		uses[use_count] =
		    (struct use){ at_till[till], action, till, baskets[till], .asked_ms = now_ms };
		snprintf(uses[use_count++].token, ID_TEXT_SIZE, "%s", token);
		return;
	}
}

/* Of the basket that it has open, or has closed in the last minutes. */
static bool
may_speak_of(const struct use *use, int till)
{
	return use->till == till && !use->over && !use->spent &&
	    (use->ended_ms == 0 || now_ms <= use->ended_ms + 5 * MIN_MS);
}

static void
till_speaks(struct dice *dice, int till)
{
	struct use *use = NULL;
	char name[16], number[2] = { (char)('1' + till), '\0' };
	size_t first = use_count > 0 ? dice_below(dice, use_count) : 0;

	for (size_t i = 0; i < use_count && use == NULL; i++) {
		if (may_speak_of(&uses[(first + i) % use_count], till))
			use = &uses[(first + i) % use_count];
	}
	if (use == NULL)
		return;
	snprintf(name, sizeof(name), "b%d", use->basket);
	use->heard = true;
	if (use->state == REDEEMED) {
		of_token(number, "offer.reversed", name, use->token, ",'amount':40");
		use->state = BACK;
		use->spent = use->ended_ms != 0;
	} else if (dice_below(dice, 4) == 0) {
		of_token(number, "offer.refused", name, use->token, ",'reason':'no'");
		use->state = BACK;
	} else if (use->state == ACCEPTED || dice_below(dice, 3) == 0) {
		of_token(number, "offer.applied", name, use->token, ",'amount':40");
		use->state = APPLIED;
		use->applied = true;
	} else {
		of_token(number, "offer.redeemed", name, use->token, ",'amount':40");
		use->state = REDEEMED;
	}
	if (strstr(said(), "dead") != NULL)
		fail_msg("%s: use of %s in state %d", said(), limited[use->action], use->state);
}

/* A till that is silent for five seconds has refused, until it speaks. */
static void
let_time_pass(int64_t ms)
{
	wait_for(ms);
	for (size_t i = 0; i < use_count; i++) {
		struct use *use = &uses[i];

		if (use->state == ACCEPTED && !use->heard && now_ms >= use->asked_ms + 5 * S_MS)
			use->state = BACK;
	}
}

static void
begin_basket(struct dice *dice, int till)
{
	char number[2] = { (char)('1' + till), '\0' }, topic[32], name[16];

	snprintf(topic, sizeof(topic), "pos/%s/event", number);
	snprintf(name, sizeof(name), "b%d", ++count);
	baskets[till] = count;
	at_till[till] = (int)dice_below(dice, CUSTOMERS);
	tell(topic, "basket.opened", "{'basket':'%s','terminal':'%s'}", name, number);
	tell(topic, "customer.identified", "{'subject':'%s','station':'%s'}",
	    at_till[till] == 0 ? ANNA : BEN, number);
	tell(topic, "basket.item-added",
	    "{'basket':'%s','line':1,'sku':'s','category':'c','qty':1,'amount':500,'currency':'EUR'"
	    "}",
	    name);
}

static void
no_order_of_takings_gets_past_a_limit(void **state)
{
	const char *given = getenv("SEED"), *steps_given = getenv("STEPS");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261129;
	int steps = steps_given != NULL ? atoi(steps_given) : 1500;

	for (int run = 0; run < 4; run++, seed++) {
		struct dice dice = { .state = seed };

		print_message("seed %llu\n", (unsigned long long)seed);
		use_count = 0;
		memset(baskets, 0, sizeof(baskets));
		a_policy("{'placements':{'tablet':{'slots':3,'headline_max':40}}}");
		for (size_t i = 0; i < ARRAY_LEN(limited); i++)
			an_action(limited[i],
			    arena_printf(texts,
				"{" OFFER_OF("") ",'caps':[{'per':'customer','scope':'action',"
						 "'outcome':'%s','max':2,'within':'7d'}]}",
				limited[i]));
		in_force();
		for (int step = 0; step < steps; step++) {
			int till = (int)dice_below(&dice, TILLS);

			let_time_pass(dice_below(&dice, 20) == 0
				? (int64_t)dice_below(&dice, 6 * MIN_MS)
				: 10 + (int64_t)dice_below(&dice, 400));
			/* The week is over: all limits begin anew. */
			if (step % 300 == 299) {
				wait_for(8 * D_MS);
				use_count = 0;
				memset(baskets, 0, sizeof(baskets));
			}
			if (baskets[till] == 0)
				begin_basket(&dice, till);
			else if (dice_below(&dice, 12) == 0)
				end_basket(till, dice_below(&dice, 3) == 0);
			else if (dice_below(&dice, 3) == 0)
				take_a_card(&dice, till);
			else
				till_speaks(&dice, till);
		}
		tear_down(state);
		set_up(state);
	}
}

/* The till was silent, the offer was withdrawn, and then it says that it took it off after all. */
static void
what_is_applied_after_the_silence_may_be_redeemed_and_counts_as_used(void **state)
{
	(void)state;
	only("o", "{" OFFER_OF("") "," CAP("redeemed") "}");
	anna_at("7", "b", "o");
	assert_int_equal(take().status, 200);
	wait_for(6000);
	of_token("7", "offer.applied", "b", last_token(), ",'amount':40");
	anna_at("8", "c", "o");
	assert_int_equal(take().status, 409);
}

/* A part came back, then the rest with the whole sale. */
static void
what_comes_back_in_parts_was_no_use_when_all_of_it_is_back(void **state)
{
	const char *of;

	(void)state;
	only("o", "{" OFFER_OF("") "," CAP("accepted") "}");
	anna_at("7", "b", "o");
	assert_int_equal(take().status, 200);
	of = last_token();
	of_token("7", "offer.redeemed", "b", of, ",'amount':40");
	of_token("7", "offer.reversed", "b", of, ",'amount':10");
	of_basket("7", "basket.cancelled", "b", "");
	anna_at("8", "c", "o");
	assert_string_not_equal(prompt, "");
	tell("care/event", "customer.merged", "{'subject':'" BEN "','into':'" ANNA "'}");
	anna_at("9", "d", "o");
	assert_string_not_equal(prompt, "");
}

/* Silent, applied after all, and refused in the end: no use, whichever card of theirs says so. */
static void
what_is_refused_in_the_end_was_no_use_after_a_merge_either(void **state)
{
	const char *of;

	(void)state;
	only("o", "{" OFFER_OF("") "," CAP("redeemed") "}");
	anna_at("7", "b", "o");
	assert_int_equal(take().status, 200);
	of = last_token();
	wait_for(6000);
	of_token("7", "offer.applied", "b", of, ",'amount':40");
	now_ms += 1000;
	of_token("7", "offer.refused", "b", of, ",'reason':'no'");
	now_ms += 1000;
	tell("care/event", "customer.merged", "{'subject':'" BEN "','into':'" ANNA "'}");
	anna_at("8", "c", "o");
	assert_int_equal(take().status, 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(what_is_refused_in_the_end_was_no_use_after_a_merge_either),
		SPINE_TEST(what_comes_back_in_parts_was_no_use_when_all_of_it_is_back),
		SPINE_TEST(what_is_applied_after_the_silence_may_be_redeemed_and_counts_as_used),
		SPINE_TEST(a_limit_holds_where_two_tills_have_the_card_at_once),
		SPINE_TEST(through_the_broker_a_limit_is_no_mistake_of_the_tablet),
		SPINE_TEST(
		    what_is_accepted_and_may_still_be_used_counts_as_used_for_who_takes_another),
		SPINE_TEST(what_was_not_used_by_the_close_is_used_no_more),
		SPINE_TEST(what_is_applied_after_the_close_and_not_paid_with_was_no_use),
		SPINE_TEST(what_is_paid_with_after_the_close_was_a_use_all_along),
		SPINE_TEST(
		    what_is_paid_with_after_the_close_is_used_for_a_limit_on_what_is_applied_as_well),
		SPINE_TEST(a_word_said_twice_is_one_use),
		SPINE_TEST(what_came_back_was_no_use),
		SPINE_TEST(a_coupon_of_a_cancelled_sale_was_no_use),
		SPINE_TEST(a_limit_is_one_customers_whatever_number_their_card_had),
		SPINE_TEST(no_order_of_takings_gets_past_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
