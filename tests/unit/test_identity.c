/* SPDX-License-Identifier: Apache-2.0
 *
 * test_identity.c - whose event, whose basket, whose card: several tills, readers and desks through
 * the whole engine.
 */
#include "core/metrics.h"
#include "spine_story.h"

#define CARL "00000000000000000000000000000003"

/* What is over by now comes from the disk either way: to an engine that has just begun, and to one that saw it go. */
static bool awake;

static void
restart_or_go_on(void)
{
	if (!awake)
		restart();
}

static int
set_up_awake(void **state)
{
	awake = true;
	return set_up_on_disk(state);
}

static int
tear_down_awake(void **state)
{
	awake = false;
	return tear_down(state);
}

#define BOTH(f) \
	SPINE_TEST_ON_DISK(f), cmocka_unit_test_setup_teardown(f, set_up_awake, tear_down_awake)

/* ---- senders ---- */

static void
an_event_is_its_senders_and_no_other_till_can_claim_it(void **state)
{
	struct visit *seven, *eight;

	(void)state;
	only("a", "{}");
	tell_named("pos/7/event", "one", "basket.opened", "{'basket':'b','terminal':'7'}");
	/* In the same millisecond, word for word. */
	tell_named("pos/8/event", "one", "basket.opened", "{'basket':'b','terminal':'7'}");
	assert_int_equal(sessions_count(engine->sessions), 2);
	seven = sessions_at_terminal(engine->sessions, "7");
	eight = sessions_at_terminal(engine->sessions, "8");
	assert_non_null(seven);
	assert_non_null(eight);
	assert_false(id_equal(&seven->id, &eight->id));
	/* Of one sender it is a double; with another body it is refused. */
	tell_named("pos/7/event", "one", "basket.opened", "{'basket':'b','terminal':'7'}");
	assert_said("");
	tell_named("pos/7/event", "one", "basket.opened", "{'basket':'c','terminal':'7'}");
	assert_said("dead bad-value");
	tell_named("loyalty/7/event", "one", "customer.identified",
	    "{'subject':'" ANNA "','station':'7'}");
	assert_true(seven->has_subject);
	assert_int_equal(sessions_count(engine->sessions), 2);
}

/* ---- cards at a station ---- */

/* The till named a basket with the card, and nothing else was heard of it: the next card is of that basket, too. */
static void
a_card_that_names_a_basket_is_of_the_basket_in_hand(void **state)
{
	struct visit *visit;

	(void)state;
	only("a", "{'on':['aisle.customer.identified']}");
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" ANNA "','basket':'b','station':'7'}");
	tell("pos/7/event", "customer.identified", "{'subject':'" BEN "','station':'7'}");
	assert_int_equal(sessions_count(engine->sessions), 1);
	open_basket("b");
	visit = visit_of("b");
	assert_true(id_equal(&visit->subject, &customer(BEN)->id));
}

/* A card is read, then the till names another with its next basket: one customer stands there, not two. */
static void
a_card_with_a_basket_takes_the_place_of_one_that_waits(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified']}");
	tell("loyalty/7/event", "customer.identified", "{'subject':'" ANNA "','station':'7'}");
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" BEN "','basket':'b','station':'7'}");
	assert_said("withdraw 7 customer; guidance 7: a");
	open_basket("b");
	assert_int_equal(sessions_count(engine->sessions), 1);
	assert_true(id_equal(&visit_of("b")->subject, &customer(BEN)->id));
}

static void
each_card_at_a_station_without_a_basket_is_decided_for(void **state)
{
	char card[SUBJECT_TEXT_SIZE];

	(void)state;
	only("a", "{'on':['aisle.customer.identified']}");
	for (int i = 0; i < 60; i++) {
		snprintf(card, sizeof(card), "2%031d", i);
		tell("loyalty/kiosk/event", "customer.identified",
		    "{'subject':'%s','station':'k%d'}", card, i % 8);
		assert_int_equal(decisions, i + 1);
	}
	assert_int_equal(sessions_count(engine->sessions), 8);
	/* The newest takes the basket. */
	tell("pos/k3/event", "basket.opened", "{'basket':'b','terminal':'k3'}");
	snprintf(card, sizeof(card), "2%031d", 59);
	assert_true(id_equal(&visit_of("b")->subject, &customer(card)->id));
}

static void
a_card_that_named_its_basket_is_its_customer_however_late_that_comes(void **state)
{
	(void)state;
	only("a", "{}");
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" ANNA "','station':'7','basket':'b'}");
	tell("loyalty/8/event", "customer.identified",
	    "{'subject':'" BEN "','station':'8','basket':'c'}");
	now_ms += H_MS;
	scan("b", "c", 100);
	tell("pos/8/event", "basket.opened", "{'basket':'c','terminal':'8'}");
	assert_int_equal(visit_of("b")->line_count, 1);
	assert_true(id_equal(&visit_of("b")->subject, &customer(ANNA)->id));
	assert_true(id_equal(&visit_of("c")->subject, &customer(BEN)->id));
}

/* The till was away for five minutes, the reader was not. */
static void
a_sale_that_is_heard_of_late_has_the_card_that_was_read_before_it(void **state)
{
	(void)state;
	only("a", "{}");
	grant(ANNA, "profile");
	grant(BEN, "profile");
	tell("loyalty/7/event", "customer.identified", "{'subject':'" ANNA "','station':'7'}");
	now_ms += 100 * S_MS;
	tell("loyalty/7/event", "customer.identified", "{'subject':'" BEN "','station':'7'}");
	now_ms += 200 * S_MS;
	restart_or_go_on();
	for (int i = 0; i < 2; i++) {
		late_ms = i == 0 ? 290 * S_MS : 190 * S_MS;
		open_basket(i == 0 ? "b1" : "b2");
		scan(i == 0 ? "b1" : "b2", "c", 100);
		close_basket(i == 0 ? "b1" : "b2", 100);
	}
	late_ms = 0;
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(BEN)->purchase_count, 1);
}

/* The reader's word comes when its sale is over and a stranger stands there: nobody is shown to the
 * stranger, and the sale is hers whose card it was, in the history and at headquarters. */
static void
a_late_card_takes_its_own_sale_and_not_the_strangers(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified','aisle.basket.item-added']}");
	grant(ANNA, "profile");
	grant(BEN, "profile");
	open_basket("b0");
	now_ms += 2 * S_MS;
	scan("b0", "c", 100);
	now_ms += 8 * S_MS;
	close_basket("b0", 100);
	now_ms += S_MS;
	open_basket("b1");
	now_ms += 2 * S_MS;
	scan("b1", "c", 900);
	late_ms = 12 * S_MS;
	tell("loyalty/7/event", "customer.identified", "{'subject':'" ANNA "','station':'7'}");
	assert_said("");
	late_ms = 0;
	assert_false(visit_of("b1")->has_subject);
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].total_minor, 100);
	/* Of two cards the later read has it, whichever came first. */
	late_ms = 11 * S_MS;
	tell("loyalty/7/event", "customer.identified", "{'subject':'" BEN "','station':'7'}");
	late_ms = 0;
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	assert_int_equal(customer(BEN)->purchase_count, 1);
	restart_or_go_on();
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	assert_int_equal(customer(BEN)->purchase_count, 1);
	now_ms += S_MS;
	close_basket("b1", 900);
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	assert_int_equal(customer(BEN)->purchase_count, 1);
}

/* That Ben was paying by then is heard of when the next sale is over, too. */
static void
a_card_read_while_another_paid_is_of_the_next_sale_also_when_that_is_closed(void **state)
{
	(void)state;
	only("a", "{}");
	grant(ANNA, "profile");
	grant(BEN, "profile");
	open_basket("b1");
	scan("b1", "c", 100);
	tell("loyalty/7/event", "customer.identified", "{'subject':'" BEN "','station':'7'}");
	now_ms += 10 * S_MS;
	tell("loyalty/7/event", "customer.identified", "{'subject':'" ANNA "','station':'7'}");
	now_ms += 5 * S_MS;
	open_basket("b2");
	scan("b2", "c", 900);
	now_ms += 5 * S_MS;
	close_basket("b2", 900);
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	late_ms = 15 * S_MS;
	tell("pos/7/event", "basket.tender-started", "{'basket':'b1'}");
	late_ms = 0;
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].total_minor, 900);
	restart_or_go_on();
	close_basket("b1", 100);
	assert_int_equal(customer(BEN)->purchase_count, 1);
	assert_int_equal(customer(BEN)->purchases[0].total_minor, 100);
	assert_int_equal(customer(ANNA)->purchase_count, 1);
}

/* It was put aside before the card was read, and goes on at another till. */
static void
a_card_is_not_of_a_sale_that_was_suspended_there(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b1");
	tell("pos/7/event", "basket.suspended", "{'basket':'b1'}");
	now_ms += 10 * S_MS;
	open_basket("b2");
	now_ms += 10 * S_MS;
	tell("pos/7/event", "basket.suspended", "{'basket':'b2'}");
	now_ms += S_MS;
	tell("pos/7/event", "basket.resumed", "{'basket':'b1','terminal':'7'}");
	now_ms += 5 * S_MS;
	tell("pos/8/event", "basket.resumed", "{'basket':'b2','terminal':'8'}");
	late_ms = 3 * S_MS;
	tell("loyalty/7/event", "customer.identified", "{'subject':'" ANNA "','station':'7'}");
	assert_true(visit_of("b1")->has_subject);
	assert_false(visit_of("b2")->has_subject);
	late_ms = 10 * S_MS; /* then b2 was open */
	tell("loyalty/7/event", "customer.identified", "{'subject':'" BEN "','station':'7'}");
	assert_true(id_equal(&visit_of("b2")->subject, &customer(BEN)->id));
	assert_true(id_equal(&visit_of("b1")->subject, &customer(ANNA)->id));
}

/* The till gives the number again in that millisecond. */
static void
what_was_said_in_the_instant_of_the_close_is_of_the_sale_that_was_closed(void **state)
{
	(void)state;
	only("a", "{}");
	grant(ANNA, "profile");
	open_basket("b");
	now_ms += S_MS;
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" ANNA "','station':'7','basket':'b'}");
	scan("b", "c", 100);
	close_basket("b", 100);
	open_basket("b");
	assert_int_equal(visit_of("b")->line_count, 0);
	assert_false(visit_of("b")->has_subject);
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].total_minor, 100);
}

/* Another was begun and ended while it was put aside; the card comes a moment after the close. */
static void
a_card_read_just_before_the_close_is_of_the_sale_that_was_put_aside(void **state)
{
	(void)state;
	only("a", "{}");
	grant(ANNA, "profile");
	open_basket("b1");
	scan("b1", "c", 100);
	tell("pos/7/event", "basket.suspended", "{'basket':'b1'}");
	now_ms += 10 * S_MS;
	open_basket("b2");
	now_ms += S_MS;
	close_basket("b2", 0);
	now_ms += S_MS;
	tell("pos/7/event", "basket.resumed", "{'basket':'b1','terminal':'7'}");
	now_ms += S_MS;
	close_basket("b1", 100);
	restart_or_go_on();
	late_ms = 1;
	tell("loyalty/7/event", "customer.identified", "{'subject':'" ANNA "','station':'7'}");
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].total_minor, 100);
}

/* The sale came here behind one that began later, here, and stands elsewhere by now. */
static void
a_late_card_finds_a_sale_that_was_recalled_here_behind_one_that_left(void **state)
{
	(void)state;
	only("a", "{}");
	grant(ANNA, "profile");
	open_basket("b2");
	tell("pos/7/event", "basket.suspended", "{'basket':'b2'}");
	now_ms += S_MS;
	tell("pos/8/event", "basket.suspended", "{'basket':'b1'}");
	now_ms += S_MS;
	tell("pos/7/event", "basket.resumed", "{'basket':'b1','terminal':'7'}");
	now_ms += S_MS;
	tell("pos/8/event", "basket.resumed", "{'basket':'b2','terminal':'8'}");
	now_ms += 10 * S_MS;
	tell("pos/8/event", "basket.item-added",
	    "{'basket':'b2','line':1,'sku':'s','category':'c','qty':1,'amount':100,'currency':'EUR'"
	    "}");
	tell("pos/8/event", "basket.closed", "{'basket':'b2','total':100,'currency':'EUR'}");
	now_ms += S_MS;
	tell("pos/8/event", "basket.opened", "{'basket':'b3','terminal':'8'}");
	restart_or_go_on();
	late_ms = 5 * S_MS;
	tell("loyalty/8/event", "customer.identified", "{'subject':'" ANNA "','station':'8'}");
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].total_minor, 100);
	assert_false(visit_of("b3")->has_subject);
}

/* The middle one of three is heard of last: each card is of the sale that stood there. */
static void
of_sales_told_in_another_order_each_has_the_card_that_was_read_in_it(void **state)
{
	static const int order[] = { 1, 3, 2 };

	(void)state;
	only("a", "{}");
	grant(ANNA, "profile");
	grant(BEN, "profile");
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		const char *basket = arena_printf(texts, "b%d", order[i]);

		/* b1 at 100 to 90 s ago, b2 at 80 to 70, b3 at 60 to 50 */
		late_ms = (120 - 20 * order[i]) * S_MS;
		open_basket(basket);
		scan(basket, "c", 100 * order[i]);
		late_ms -= 10 * S_MS;
		close_basket(basket, 100 * order[i]);
		restart_or_go_on();
		assert_int_equal(sessions_count(engine->sessions), 0);
	}
	late_ms = 95 * S_MS;
	tell("loyalty/7/event", "customer.identified", "{'subject':'" BEN "','station':'7'}");
	restart_or_go_on();
	late_ms = 75 * S_MS;
	tell("loyalty/7/event", "customer.identified", "{'subject':'" ANNA "','station':'7'}");
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].total_minor, 200);
	assert_int_equal(customer(BEN)->purchase_count, 1);
	assert_int_equal(customer(BEN)->purchases[0].total_minor, 100);
}

static void
at_till(const char *till, const char *type, const char *basket)
{
	now_ms += S_MS;
	if (strcmp(type, "basket.closed") == 0)
		tell(till, type, "{'basket':'%s','total':0,'currency':'EUR'}", basket);
	else
		tell(till, type, "{'basket':'%s','terminal':'7'}", basket);
}

/* One sale was parked there while another was paid, one came from another till since: what is over is
 * found by when it was, not by when it began. */
static void
a_late_card_finds_its_sale_behind_others_that_began_before_it(void **state)
{
	(void)state;
	only("a", "{}");
	grant(ANNA, "profile");
	grant(BEN, "profile");
	at_till("pos/7/event", "basket.opened", "parked");
	scan("parked", "c", 100);
	at_till("pos/7/event", "basket.suspended", "parked");
	at_till("pos/8/event", "basket.opened", "moved");
	at_till("pos/7/event", "basket.opened", "between");
	scan("between", "c", 900);
	at_till("pos/7/event", "basket.closed", "between");
	at_till("pos/7/event", "basket.resumed", "parked");
	at_till("pos/7/event", "basket.closed", "parked");
	at_till("pos/8/event", "basket.suspended", "moved");
	at_till("pos/7/event", "basket.resumed", "moved");
	assert_int_equal(sessions_count(engine->sessions), 1);
	now_ms += S_MS;
	late_ms = 3500; /* just before "parked" was closed */
	tell("loyalty/7/event", "customer.identified", "{'subject':'" ANNA "','station':'7'}");
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	late_ms = 5500;
	tell("loyalty/7/event", "customer.identified", "{'subject':'" BEN "','station':'7'}");
	late_ms = 0;
	assert_int_equal(customer(BEN)->purchase_count, 1);
	assert_false(visit_of("moved")->has_subject);
}

/* Both tills have been restarted in between; the customer has gone from one to the other. */
static void
a_recalled_sale_is_found_whatever_was_heard_first_and_after_a_restart(void **state)
{
	(void)state;
	only("a", "{}");
	grant(ANNA, "profile");
	late_ms = 10 * S_MS;
	open_basket("b");
	identify(ANNA);
	late_ms = 8 * S_MS;
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'c','qty':1,'amount':5,'currency':'EUR'}");
	restart_or_go_on();
	late_ms = 4 * S_MS;
	tell("pos/8/event", "basket.resumed", "{'basket':'b'}");
	late_ms = 3 * S_MS;
	tell("pos/8/event", "basket.item-added",
	    "{'basket':'b','line':2,'sku':'t','category':'c','qty':1,'amount':7,'currency':'EUR'}");
	late_ms = 2 * S_MS;
	tell("pos/8/event", "basket.closed", "{'basket':'b','total':12,'currency':'EUR'}");
	restart_or_go_on();
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	late_ms = 5 * S_MS;
	tell("pos/7/event", "basket.suspended", "{'basket':'b'}");
	late_ms = 0;
	restart_or_go_on();
	assert_int_equal(sessions_count(engine->sessions), 0);
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].line_count, 2);
	assert_int_equal(customer(ANNA)->purchases[0].total_minor, 12);
}

static void
a_sale_that_nobody_recalls_ends_after_72_hours_as_cancelled(void **state)
{
	struct id id;

	(void)state;
	only("a", "{}");
	open_basket("b");
	id = visit_of("b")->id;
	tell("pos/7/event", "basket.suspended", "{'basket':'b'}");
	wait_for(72 * H_MS - 1);
	assert_int_equal(visit_of("b")->state, VISIT_SUSPENDED);
	wait_for(1);
	assert_null(visit_of("b"));
	assert_int_equal(engine_visit(engine, &id)->state, VISIT_CANCELLED);
}

/* ---- cards of one person ---- */

static void
merge(const char *from, const char *into)
{
	tell("loyalty/desk/event", "customer.merged", "{'subject':'%s','into':'%s'}", from, into);
}

static void
sold(const char *basket, const char *subject, int amount)
{
	open_basket(basket);
	identify(subject);
	scan(basket, "c", amount);
	close_basket(basket, amount);
}

static void
a_merged_card_is_the_other_one_for_good_in_whatever_order_it_was_said(void **state)
{
	static const char *const cards[3] = { ANNA, BEN, CARL };
	static const int orders[2][2][2] = { { { 0, 1 }, { 1, 2 } }, { { 1, 2 }, { 0, 1 } } };

	for (int i = 0; i < 2; i++) {
		if (i > 0) {
			tear_down(state);
			set_up_on_disk(state);
		}
		only("a", "{}");
		for (int c = 0; c < 3; c++) {
			grant(cards[c], "profile");
			sold(cards[c] + 20, cards[c], 100);
		}
		for (int m = 0; m < 2; m++)
			merge(cards[orders[i][m][0]], cards[orders[i][m][1]]);
		merge(CARL, ANNA); /* they are one already */
		if (i > 0)
			restart_or_go_on();
		for (int c = 0; c < 3; c++) {
			struct id id = subject_of(cards[c]);
			struct subject *person = engine_person(engine, &id);
			struct id carl = subject_of(CARL);

			assert_true(id_equal(&person->id, &carl));
			assert_int_equal(person->purchase_count, 3 + c);
			sold("next", cards[c], 50);
			now_ms += S_MS;
		}
		assert_int_equal(customer(ANNA)->purchase_count, 0);
		assert_int_equal(customer(CARL)->merged_count, 2);
	}
}

/* The row of the sale was theirs who is another card now. */
static void
what_is_late_for_a_sale_of_a_merged_card_is_of_the_person(void **state)
{
	(void)state;
	only("a", "{}");
	grant(ANNA, "profile");
	sold("b", ANNA, 100);
	merge(ANNA, BEN);
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':99,'sku':'s','category':'c','qty':1,'amount':5,'currency':'EUR'"
	    "}");
	assert_int_equal(customer(BEN)->purchase_count, 1);
	assert_int_equal(customer(BEN)->purchases[0].line_count, 2);
	assert_int_equal(customer(ANNA)->purchase_count, 0);
}

static void
caps_come_along_and_count_for_both_cards(void **state)
{
	(void)state;
	only("a",
	    "{'on':['aisle.customer.identified'],"
	    "'caps':[{'per':'customer','outcome':'shown','max':1,'within':'7d'}]}");
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7: a");
	close_basket("b", 0);
	merge(ANNA, BEN);
	for (int i = 0; i < 2; i++) {
		open_basket("c");
		identify(i == 0 ? ANNA : BEN);
		assert_said("");
		close_basket("c", 0);
		now_ms += S_MS;
	}
}

static void
a_person_has_so_many_cards_and_no_more(void **state)
{
	char card[SUBJECT_TEXT_SIZE];

	(void)state;
	for (int i = 1; i <= SUBJECT_MERGED_MAX; i++) {
		snprintf(card, sizeof(card), "1%031d", i);
		merge(card, ANNA);
		assert_said("");
	}
	merge(BEN, ANNA);
	assert_said("dead bad-value");
	assert_int_equal(customer(ANNA)->merged_count, SUBJECT_MERGED_MAX);
	merge(card, ANNA); /* it is one of them */
	assert_said("");
}

/* ---- who may say so ---- */

#define MERGED "{'subject':'" ANNA "','into':'" BEN "'}"
#define CONSENT(state) "{'subject':'" ANNA "','purpose':'personalise','state':'" state "'}"

static void
only_care_and_the_desks_merge_customers(void **state)
{
	(void)state;
	free(conf.loyalty_desks);
	conf.loyalty_desks = mem_strdup("service, desk-2");
	open_basket("b");
	identify(ANNA);
	tell("pos/7/event", "customer.merged", MERGED);
	assert_said("dead not-yours");
	tell("loyalty/desk/event", "customer.merged", MERGED);
	assert_said("dead not-yours");
	assert_false(customer(BEN)->mixed);
	tell("loyalty/desk-2/event", "customer.merged", MERGED);
	assert_said("");
	assert_true(customer(BEN)->mixed);
	tell("care/event", "customer.merged", "{'subject':'" BEN "','into':'" CARL "'}");
	assert_true(customer(CARL)->mixed);
}

/* The till enrols, then notes what they agree to, then reads the new card. */
static void
who_enrols_at_a_till_is_there_for_ten_minutes(void **state)
{
	(void)state;
	free(conf.loyalty_desks);
	conf.loyalty_desks = mem_strdup("service");
	open_basket("b");
	tell("pos/7/event", "consent.changed", CONSENT("granted"));
	assert_said("dead not-yours");
	tell("pos/7/event", "customer.enrolled", "{'subject':'" ANNA "','station':'7'}");
	tell("pos/8/event", "consent.changed", CONSENT("granted"));
	assert_said("dead not-yours");
	tell("pos/7/event", "consent.changed", CONSENT("granted"));
	assert_said("");
	assert_true(consent_granted(customer(ANNA), CONSENT_PERSONALISE, now_ms));
	now_ms += 10 * MIN_MS - 1;
	tell("pos/7/event", "consent.changed", CONSENT("granted"));
	assert_said("");
	now_ms++;
	tell("pos/7/event", "consent.changed", CONSENT("granted"));
	assert_said("dead not-yours");
	/* Once only: a card that is somebody's is not enrolled to grant for them. */
	tell("pos/7/event", "customer.enrolled", "{'subject':'" ANNA "','station':'7'}");
	tell("pos/7/event", "consent.changed", CONSENT("granted"));
	assert_said("dead not-yours");
}

static void
a_grant_is_of_who_stands_there_and_a_denial_of_anybody(void **state)
{
	static const char *const elsewhere[] = { "pos/8/event", "loyalty/r1/event" };

	(void)state;
	free(conf.loyalty_desks);
	conf.loyalty_desks = mem_strdup("service");
	open_basket("b");
	identify(ANNA);
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		tell(elsewhere[i], "consent.changed", CONSENT("granted"));
		assert_said("dead not-yours");
		assert_false(consent_granted(customer(ANNA), CONSENT_PERSONALISE, now_ms));
	}
	tell("pos/7/event", "consent.changed", CONSENT("granted"));
	assert_true(consent_granted(customer(ANNA), CONSENT_PERSONALISE, now_ms));
	now_ms++;
	tell("pos/8/event", "consent.changed", CONSENT("denied"));
	assert_false(consent_granted(customer(ANNA), CONSENT_PERSONALISE, now_ms));
	close_basket("b", 0);
	tell("pos/7/event", "consent.changed", CONSENT("granted"));
	assert_said("dead not-yours");
	/* A reader that their card was just read at; a desk for anybody. */
	tell("loyalty/r1/event", "customer.identified", "{'subject':'" ANNA "','station':'r1'}");
	tell("loyalty/r1/event", "consent.changed", CONSENT("granted"));
	assert_true(consent_granted(customer(ANNA), CONSENT_PERSONALISE, now_ms));
	tell("loyalty/service/event", "consent.changed",
	    "{'subject':'" BEN "','purpose':'profile','state':'granted'}");
	assert_true(consent_granted(customer(BEN), CONSENT_PROFILE, now_ms));
}

/* ---- tablets over the broker ---- */

static void
a_tablet_answers_when_it_is_known_and_for_its_own_stations(void **state)
{
	const char *guidance, *prompt;

	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	guidance = guidance_on_screen();
	prompt = prompt_of("a");
	know_tablet("of-8", "8,77");
	know_tablet("of-7", "77,7");
	for (int i = 0; i < 2; i++) {
		tell(i == 0 ? "tablet/nobody/event" : "tablet/of-8/event", "guidance.decided",
		    "{'guidance':'%s','prompt':'%s','tablet':'of-7','decision':'accept'}", guidance,
		    prompt);
		assert_said("dead not-yours");
	}
	tell("tablet/nobody/event", "guidance.shown",
	    "{'guidance':'%s','prompt':'%s','tablet':'of-7'}", guidance, prompt);
	assert_said("dead not-yours");
	assert_int_equal(visit_of("b")->cards[0].answer, ANSWER_NONE);
	tell("tablet/of-7/event", "guidance.decided",
	    "{'guidance':'%s','prompt':'%s','tablet':'of-7','decision':'accept'}", guidance,
	    prompt);
	assert_said("guidance 7: a(answered)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(a_card_that_names_a_basket_is_of_the_basket_in_hand),
		SPINE_TEST(a_card_with_a_basket_takes_the_place_of_one_that_waits),
		SPINE_TEST(an_event_is_its_senders_and_no_other_till_can_claim_it),
		SPINE_TEST(each_card_at_a_station_without_a_basket_is_decided_for),
		SPINE_TEST(a_card_that_named_its_basket_is_its_customer_however_late_that_comes),
		BOTH(a_sale_that_is_heard_of_late_has_the_card_that_was_read_before_it),
		BOTH(a_late_card_takes_its_own_sale_and_not_the_strangers),
		BOTH(a_late_card_finds_its_sale_behind_others_that_began_before_it),
		BOTH(a_card_read_while_another_paid_is_of_the_next_sale_also_when_that_is_closed),
		BOTH(a_card_read_just_before_the_close_is_of_the_sale_that_was_put_aside),
		BOTH(a_late_card_finds_a_sale_that_was_recalled_here_behind_one_that_left),
		SPINE_TEST(a_card_is_not_of_a_sale_that_was_suspended_there),
		SPINE_TEST(
		    what_was_said_in_the_instant_of_the_close_is_of_the_sale_that_was_closed),
		BOTH(of_sales_told_in_another_order_each_has_the_card_that_was_read_in_it),
		BOTH(a_recalled_sale_is_found_whatever_was_heard_first_and_after_a_restart),
		SPINE_TEST(a_sale_that_nobody_recalls_ends_after_72_hours_as_cancelled),
		BOTH(a_merged_card_is_the_other_one_for_good_in_whatever_order_it_was_said),
		SPINE_TEST(what_is_late_for_a_sale_of_a_merged_card_is_of_the_person),
		SPINE_TEST(caps_come_along_and_count_for_both_cards),
		SPINE_TEST(a_person_has_so_many_cards_and_no_more),
		SPINE_TEST(only_care_and_the_desks_merge_customers),
		SPINE_TEST(who_enrols_at_a_till_is_there_for_ten_minutes),
		SPINE_TEST(a_grant_is_of_who_stands_there_and_a_denial_of_anybody),
		SPINE_TEST(a_tablet_answers_when_it_is_known_and_for_its_own_stations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
