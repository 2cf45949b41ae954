/* SPDX-License-Identifier: Apache-2.0
 *
 * test_event.c - one event through the stages: whose visit it is decided for, what a tablet's answer is refused for, which
 * promotions are ours.
 */
#include "core/metrics.h"
#include "nouns/visit.h"
#include "spine_story.h"

/* ---- where a decision is made ---- */

static void
what_is_said_of_a_customer_elsewhere_is_decided_where_they_stand(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.enrolled']}");
	open_basket("b");
	identify(ANNA);
	tell("loyalty/r1/event", "customer.enrolled", "{'subject':'" ANNA "','station':'r1'}");
	assert_said("guidance 7: a");
	assert_int_equal(sessions_count(engine->sessions), 1);
	/* Of somebody else it begins a visit there. */
	tell("loyalty/r1/event", "customer.enrolled", "{'subject':'" BEN "','station':'r1'}");
	assert_said("guidance r1: a");
	assert_int_equal(sessions_count(engine->sessions), 2);
}

/* The till that said so is where their basket will be; a reader is none. */
static void
a_customer_at_no_till_waits_at_the_one_that_spoke_of_them(void **state)
{
	struct id ben = subject_of(BEN), anna = subject_of(ANNA);

	(void)state;
	only("a", "{'on':['aisle.customer.enrolled']}");
	tell("pos/8/event", "customer.enrolled", "{'subject':'" ANNA "','station':'8'}");
	assert_said("guidance 8: a");
	assert_string_equal(sessions_by_subject(engine->sessions, &anna)->terminal, "8");
	tell("loyalty/r1/event", "customer.enrolled", "{'subject':'" BEN "','station':'r1'}");
	assert_string_equal(sessions_by_subject(engine->sessions, &ben)->terminal, "");
	assert_int_equal(sessions_by_subject(engine->sessions, &ben)->state, VISIT_WAITING);
	assert_int_equal(sessions_by_subject(engine->sessions, &ben)->opened_ms, now_ms);
	assert_int_equal(sessions_by_subject(engine->sessions, &ben)->last_ms, now_ms);
}

static void
what_happened_long_ago_begins_no_visit_and_shows_nothing(void **state)
{
	int64_t before = metrics_get(METRIC_STALE);

	(void)state;
	a_policy("{}");
	an_action("a", "{'on':['aisle.customer.enrolled','aisle.basket.item-added']}");
	in_force();
	late_ms = conf.stale_ms + 1;
	tell("loyalty/r1/event", "customer.enrolled", "{'subject':'" ANNA "','station':'r1'}");
	assert_said("");
	assert_int_equal(sessions_count(engine->sessions), 0);
	open_basket("b");
	scan("b", "c", 100);
	assert_said("");
	assert_int_equal(metrics_get(METRIC_STALE) - before, 3);
	late_ms = conf.stale_ms;
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	assert_int_equal(metrics_get(METRIC_STALE) - before, 3);
	/* A clock that is uncertain says nothing of how long ago it was. */
	late_ms = conf.stale_ms + 1;
	engine_set_time_uncertain(engine, true);
	tell("loyalty/r1/event", "customer.enrolled", "{'subject':'" ANNA "','station':'r1'}");
	assert_said("guidance r1: a");
	assert_int_equal(metrics_get(METRIC_STALE) - before, 3);
}

static void
nothing_is_decided_for_training_or_a_basket_that_is_over(void **state)
{
	(void)state;
	only("a",
	    "{'on':['aisle.basket.closed','aisle.basket.cancelled','aisle.basket.item-added',"
	    "'aisle.customer.left','aisle.sensor.reading'],'placements':['later'],'gate':'none'}");
	open_basket("b");
	close_basket("b", 100);
	assert_int_equal(decisions, 1);
	scan("b", "c", 100); /* late */
	assert_int_equal(decisions, 1);
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	assert_int_equal(decisions, 1);
	open_basket("d");
	tell("pos/7/event", "sensor.reading", "{'kind':'door','station':'7','value':1}");
	assert_int_equal(decisions, 2);
	identify(ANNA);
	tell("pos/7/event", "customer.left", "{'subject':'" ANNA "','station':'7'}");
	assert_int_equal(decisions, 2);
	visit_of("d")->training = true;
	tell("pos/7/event", "sensor.reading", "{'kind':'door','station':'7','value':1}");
	assert_int_equal(decisions, 2);
}

static void
a_line_too_many_is_refused_with_the_reason_and_decides_nothing(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	for (int i = 0; i < VISIT_LINES_MAX; i++)
		assert_non_null(visit_add_line(visit_of("b"), 10000 + i));
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'c','qty':1,'amount':5,'currency':'EUR'}");
	assert_said("dead bad-value");
	assert_non_null(strstr(why_dead, "/data/line: the basket has"));
	assert_int_equal(decisions, 0);
	assert_int_equal(visit_of("b")->line_count, VISIT_LINES_MAX);
}

static void
only_a_queues_reading_is_a_queue(void **state)
{
	double queue;

	(void)state;
	tell("pos/7/event", "sensor.reading", "{'kind':'door','station':'7','value':4}");
	assert_false(sensor_read(engine, "7", &queue));
	tell("loyalty/9/event", "sensor.reading", "{'kind':'queue','value':4}");
	assert_true(sensor_read(engine, "9", &queue));
	assert_true(queue == 4);
}

/* ---- a tablet's answer over the broker ---- */

static void
tablet_says(const char *action, const char *answer, const char *more)
{
	tell("tablet/t9/event", "guidance.decided",
	    "{'guidance':'%s','prompt':'%s','tablet':'t9','decision':'%s'%s}", guidance_on_screen(),
	    prompt_of(action), answer, more);
}

static void
an_answer_that_cannot_be_taken_is_a_dead_letter_but_for_what_came_too_late(void **state)
{
	char unknown[ID_TEXT_SIZE];

	(void)state;
	a_policy("{'placements':{'tablet':{'slots':3,'headline_max':40}}}");
	an_action("a", "{}");
	an_action("k", "{'group':'h'}");
	an_action("m", "{'group':'i','gate':'manager'}");
	in_force();
	know_tablet("t9", "");
	open_basket("b");
	scan("b", "c", 100);
	tablet_says("a", "accept", "");
	assert_null(strstr(said(), "dead"));
	/* The same again, another one, one of nothing. */
	tablet_says("a", "accept", "");
	assert_said("");
	assert_int_equal(dead_letters(), 0);
	tablet_says("a", "dismiss", "");
	assert_said("dead bad-value");
	tablet_says("m", "accept", "");
	assert_said("dead bad-value");
	id_text(&(struct id){ { 7 } }, unknown);
	tell("tablet/t9/event", "guidance.decided",
	    "{'guidance':'%s','prompt':'%s','tablet':'t9','decision':'accept'}",
	    guidance_on_screen(), unknown);
	assert_said("dead bad-value");
	tell("tablet/t9/event", "guidance.shown",
	    "{'guidance':'%s','prompt':'%s','tablet':'t9','shown':true}", guidance_on_screen(),
	    unknown);
	assert_said("dead bad-value");
	assert_int_equal(dead_letters(), 4);
	/* Too late: the tablet hears of it otherwise. */
	now_ms += 120 * S_MS;
	tablet_says("k", "dismiss", "");
	assert_null(strstr(said(), "dead"));
	assert_int_equal(dead_letters(), 4);
}

static void
an_accept_that_a_limit_closed_is_no_dead_letter(void **state)
{
	const char *guidance, *prompt;

	(void)state;
	a_policy("{}");
	an_action("a", "{'caps':[{'per':'customer','outcome':'accepted','max':1,'within':'7d'}]}");
	in_force();
	grant(ANNA, "personalise");
	know_tablet("t9", "");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	/* Taken elsewhere since. */
	tell("pos/8/event", "basket.opened", "{'basket':'d','terminal':'8'}");
	tell("pos/8/event", "customer.identified", "{'subject':'" ANNA "','station':'8'}");
	guidance = guidance_on_screen();
	prompt = prompt_of("a");
	tell("pos/8/event", "basket.item-added",
	    "{'basket':'d','line':1,'sku':'s','category':'c','qty':1,'amount':100,'currency':'EUR'"
	    "}");
	assert_int_equal(answer("a", "accept"), 200);
	tell("tablet/t9/event", "guidance.decided",
	    "{'guidance':'%s','prompt':'%s','tablet':'t9','decision':'accept'}", guidance, prompt);
	assert_said("withdraw 7 gate");
	assert_int_equal(dead_letters(), 0);
}

static void
a_tablet_answers_for_its_own_stations(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	tablet_says("a", "accept", "");
	assert_said("dead not-yours");
	know_tablet("t9", "8");
	tablet_says("a", "accept", "");
	assert_said("dead not-yours");
	know_tablet("t9", "8,7");
	tablet_says("a", "accept", "");
	assert_null(strstr(said(), "dead"));
}

/* ---- which promotions are ours ---- */

static void
of_a_lines_promotions_those_are_ours_whose_tokens_were_given_out(void **state)
{
	char first[ID_TEXT_SIZE], second[ID_TEXT_SIZE], stranger[ID_TEXT_SIZE];

	(void)state;
	a_policy("{}");
	an_action("o", "{" OFFER_OF("") "}");
	an_action("p", "{'group':'h'," OFFER_OF("") "}");
	in_force();
	id_text(&(struct id){ { 7 } }, stranger);
	open_basket("b");
	scan("b", "c", 1000);
	assert_int_equal(answer("o", "accept"), 200);
	snprintf(first, sizeof(first), "%s", token);
	assert_int_equal(answer("p", "accept"), 200);
	snprintf(second, sizeof(second), "%s", token);
	for (int i = 0; i < 4; i++) {
		const char *order[4][3] = { { first, stranger, second },
			{ stranger, first, second }, { first, second, stranger },
			{ stranger, stranger, stranger } };

		tell("pos/7/event", "basket.item-added",
		    "{'basket':'b','line':%d,'sku':'s','category':'c','qty':1,'amount':100,"
		    "'currency':'EUR','discounts':[{'ref':'%s','amount':3},{'ref':'%s','amount':4},"
		    "{'ref':'%s','amount':5}]}",
		    100 + i, order[i][0], order[i][1], order[i][2]);
		assert_said("");
		{
			const struct line *added = visit_line(visit_of("b"), 100 + i);

			assert_non_null(added);
			if (i == 3)
				assert_null(added->own);
			else
				assert_string_equal(added->own,
				    arena_printf(texts, "%s=%d %s=%d", first, i == 1 ? 4 : 3,
					second, i == 2 ? 4 : 5));
		}
	}
}

static void
queues_of_256_stations_are_known_also_after_a_restart(void **state)
{
	double queue;
	char name[16];

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		tell(arena_printf(texts, "loyalty/%s/event", name), "sensor.reading",
		    "{'kind':'queue','value':%d}", i);
	}
	tell("loyalty/s255/event", "sensor.reading", "{'kind':'queue','value':7}");
	for (int starts = 0; starts < 2; starts++) {
		for (int i = 0; i < 300; i++) {
			snprintf(name, sizeof(name), "s%d", i);
			assert_int_equal(sensor_read(engine, name, &queue), i < 256);
			assert_true(i >= 256 || queue == (i == 255 ? 7 : i));
		}
		restart();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST_ON_DISK(queues_of_256_stations_are_known_also_after_a_restart),
		SPINE_TEST(what_is_said_of_a_customer_elsewhere_is_decided_where_they_stand),
		SPINE_TEST(a_customer_at_no_till_waits_at_the_one_that_spoke_of_them),
		SPINE_TEST(what_happened_long_ago_begins_no_visit_and_shows_nothing),
		SPINE_TEST(nothing_is_decided_for_training_or_a_basket_that_is_over),
		SPINE_TEST(a_line_too_many_is_refused_with_the_reason_and_decides_nothing),
		SPINE_TEST(only_a_queues_reading_is_a_queue),
		SPINE_TEST(
		    an_answer_that_cannot_be_taken_is_a_dead_letter_but_for_what_came_too_late),
		SPINE_TEST(an_accept_that_a_limit_closed_is_no_dead_letter),
		SPINE_TEST(a_tablet_answers_for_its_own_stations),
		SPINE_TEST(of_a_lines_promotions_those_are_ours_whose_tokens_were_given_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
