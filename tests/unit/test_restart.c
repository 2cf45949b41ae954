/* SPDX-License-Identifier: Apache-2.0
 *
 * test_restart.c - days of a store told twice: once in one go, once with starts in between, with rows tidied away and
 * the cache given up. Every decision and everything said is the same, byte for byte; and at no time is there what time
 * has taken: a card past its end, personal without consent, on a screen while they pay, a purchase past its retention.
 *
 * test_restart [SEQUENCES [SEED]]
 */
#include "random_fixture.h"
#include "spine_story.h"

#define EVENTS 200

static int sequences = 60;
static uint64_t first_seed = 1;
static int all_decisions, all_words; /* so that it is seen that something is said */
static struct buf told;		     /* of this run: decisions, and what was said */

static void
tell_decision(void *ctx, const char *json, size_t len)
{
	(void)ctx;
	all_decisions++;
	buf_add(&told, json, len);
	buf_addc(&told, '\n');
}

/* ---- the policy: of everything something that remembers ---- */

static void
a_policy_that_remembers(void)
{
	add_part(texts, &parts, "policy.json",
	    quoted("{'name':'t','version':1,'currency':'EUR','languages':['en','de'],'salts':{'id':"
		   "'" SALT "','control':'" SALT "','explore':'" SALT
		   "'},'placements':{'tablet':{'slots':2},'till':{'slots':1},'customer':{'slots':1}"
		   ","
		   "'receipt':{'slots':1},'later':{'slots':1}},"
		   "'explore':{'unit':100,'gamma':3,'shortlist':8},'interrupt':3,"
		   "'control':{'share':0.2},'quiet':{'queue_over':6},'care':{'severity':2}}"));
	add_part(texts, &parts, "features.json",
	    quoted("{'features':["
		   "{'name':'spent','type':'number','from':'local.sum(half_life=6h)'},"
		   "{'name':'visits','type':'number','from':'local.visits()'},"
		   "{'name':'recency','type':'number','from':'local.recency()'},"
		   "{'name':'returns','type':'number','from':'local.incidents(kind=return, "
		   "within=2d)'},"
		   "{'name':'voided','type':'number','from':'visit.voids'},"
		   "{'name':'seen','type':'number','from':'history.count(action=self, "
		   "outcome=shown, within=1d)'},"
		   "{'name':'no','type':'number','from':'history.count(all, outcome=dismissed, "
		   "within=2d)'},"
		   "{'name':'queue','type':'number','from':'store.queue'},"
		   "{'name':'tier','type':'string','from':'profile.tier','default':'none'},"
		   "{'name':'age','type':'number','from':'visit.age_s'},"
		   "{'name':'total','type':'number','from':'basket.total()'}]}"));
	add_part(texts, &parts, "contact.json",
	    quoted("{'caps':[{'per':'customer','scope':'all','outcome':'shown','max':9,'within':'"
		   "1d',"
		   "'clock':'business-day'}],'suppress':[{'after':{'outcome':'dismissed','count':2,"
		   "'within':'1d'},'scope':'group','for':'1d'}]}"));
	an_action("a",
	    "{'on':['aisle.basket.item-added','aisle.customer.identified'],'personal':true,"
	    "'margin':{'+':[100,{'var':'visits'},{'var':'spent'}]}}");
	an_action("b",
	    "{'group':'h','margin':150,'caps':[{'per':'customer','outcome':'shown','max':2,'within'"
	    ":'4h'}]}");
	an_action("c",
	    "{'placements':['customer'],'gate':'customer','group':'c','personal':false}");
	an_action("l", "{'placements':['later'],'gate':'none','group':'l'}");
	an_action("m",
	    "{'kind':'remind','group':'m','outcome':{'is':'bought','within':'1d','item':{'category'"
	    ":'m'}},"
	    "'applicable':{'<':[{'var':'seen'},3]}}");
	an_action("o",
	    "{'group':'o'," OFFER_OF("") ",'budget':{'per':'store-day','money':200,'units':5},"
					 "'on':['aisle.basket.item-added','aisle.sensor.reading']"
					 "}");
	an_action("p",
	    "{'group':'p'," OFFER_OF(",'stack':'s'") ",'budget':{'per':'campaign','money':400,'"
						     "units':9},"
						     "'applicable':{'or':[{'>':[{'var':'returns'},"
						     "0]},{'>':[{'var':'total'},300]}]}}");
	an_action("r",
	    "{'kind':'alert','mandatory':true,'propensity':null,'incremental':null,'margin':null,"
	    "'outcome':null,'issue':'safety','group':'s','applicable':{'>':[{'var':'voided'},1]}}");
	in_force();
}

/* ---- what happens ---- */

static const char *const who[] = { ANNA, BEN, "00000000000000000000000000000003" };

static const char *
a_time(struct dice *dice)
{
	char *at = arena_alloc(texts, WHEN_TEXT_SIZE);

	when_text(now_ms + (int64_t)dice_below(dice, 8) * H_MS - H_MS, at);
	return at;
}

static void
a_person_answers(struct dice *dice)
{
	static const char *const says[] = { "accept", "accept", "dismiss", "snooze", "override" };
	size_t prompts = json_array_size(json_object_get(screen, "prompts"));
	const char *word = says[dice_below(dice, ARRAY_LEN(says))], *prompt;
	bool shown = dice_below(dice, 3) == 0, yes = dice_below(dice, 4) != 0;
	size_t index = prompts > 0 ? dice_below(dice, prompts) : 0;
	char *json = shown ? arena_printf(texts, "{'shown':%s}", yes ? "true" : "false")
	    : strcmp(word, "snooze") == 0 && yes
	    ? arena_printf(texts, "{'decision':'snooze','until':'%s'}", a_time(dice))
	    : arena_printf(texts, "{'decision':'%s'}", word);

	if (prompts == 0)
		return;
	prompt = text_of(json_array_get(json_object_get(screen, "prompts"), index), "prompt");
	buf_addf(&told, "%d ",
	    answer_prompt(guidance_on_screen(), arena_strdup(texts, prompt), json, NULL, shown)
		.status);
}

static void
a_till_says(struct dice *dice, const char *topic, const char *basket)
{
	static const char *const words[] = { "applied", "redeemed", "redeemed", "reversed" };

	if (token[0] != '\0')
		tell(topic,
		    arena_printf(texts, "offer.%s", words[dice_below(dice, ARRAY_LEN(words))]),
		    "{'basket':'%s','token':'%s','amount':%d}", basket, token,
		    (int)dice_below(dice, 50));
}

static void
a_customer_is_spoken_of(struct dice *dice, const char *subject)
{
	static const char *const purposes[] = { "personalise", "profile", "contact" };

	switch (dice_below(dice, 9)) {
	case 0:
	case 1: grant(subject, purposes[dice_below(dice, 3)]); break;
	case 2:
		tell("loyalty/r1/event", "consent.changed",
		    "{'subject':'%s','purpose':'%s','state':'granted','until':'%s'}", subject,
		    purposes[dice_below(dice, 3)], a_time(dice));
		break;
	case 3:
		tell("loyalty/r1/event", "consent.changed",
		    "{'subject':'%s','purpose':'%s','state':'denied'}", subject,
		    purposes[dice_below(dice, 3)]);
		break;
	case 4:
		tell("care/event", "care.case-opened",
		    "{'subject':'%s','case':'%d','topic':'t','severity':%d}", subject,
		    (int)dice_below(dice, 3), 1 + (int)dice_below(dice, 3));
		break;
	case 5:
		tell("care/event", "care.case-closed",
		    "{'subject':'%s','case':'%d','topic':'t','severity':1}", subject,
		    (int)dice_below(dice, 3));
		break;
	case 6:
		tell("loyalty/r1/event", "loyalty.balance",
		    "{'subject':'%s','points':%d,'tier':'gold'}", subject,
		    (int)dice_below(dice, 900));
		break;
	case 7:
		tell("loyalty/r1/event", "wallet.changed",
		    "{'subject':'%s','offer':'w%d','worth':5,'until':'%s','state':'open'}", subject,
		    (int)dice_below(dice, 3), a_time(dice));
		break;
	default:
		tell("loyalty/r1/event", "customer.left", "{'subject':'%s','station':'7'}",
		    subject);
		break;
	}
}

static void
a_sale_goes_on(struct dice *dice)
{
	const char *till = dice_below(dice, 3) != 0 ? "7" : "8";
	char *topic = arena_printf(texts, "pos/%s/event", till);
	char *basket = arena_printf(texts, "b%s%d", till, count / 25);
	static const char *const states[] = { "suspended", "resumed", "tender-started",
		"payment-declined", "cancelled" };

	switch (dice_below(dice, 12)) {
	case 0:
		tell(topic, "basket.opened", "{'basket':'%s','terminal':'%s'}", basket, till);
		break;
	case 1:
		tell(topic, "basket.item-voided", "{'basket':'%s','line':%d}", basket,
		    1 + (int)dice_below(dice, 5));
		break;
	case 2:
		tell(topic, arena_printf(texts, "basket.%s", states[dice_below(dice, 5)]),
		    "{'basket':'%s'}", basket);
		break;
	case 3:
		tell(topic, "basket.closed", "{'basket':'%s','total':100,'currency':'EUR'}",
		    basket);
		break;
	case 4:
	case 5:
		tell(topic, "customer.identified", "{'subject':'%s','station':'%s'}",
		    who[dice_below(dice, 3)], till);
		break;
	case 6: a_till_says(dice, topic, basket); break;
	case 7:
		tell(topic, "return.completed",
		    "{'return':'r%d','subject':'%s','items':[{'sku':'s1','category':'m','qty':1,"
		    "'amount':50}],'total':50,'currency':'EUR'}",
		    count, who[dice_below(dice, 3)]);
		break;
	default:
		tell(topic, "basket.item-added",
		    "{'basket':'%s','line':%d,'sku':'s%d','category':'%s','qty':1,'amount':%d,"
		    "'currency':'EUR'}",
		    basket, 1 + (int)dice_below(dice, 5), (int)dice_below(dice, 3),
		    dice_below(dice, 3) == 0 ? "m" : "c", 10 + (int)dice_below(dice, 400));
		break;
	}
}

static void
something_happens(struct dice *dice)
{
	struct input order = { .kind = INPUT_STOP, .text = "b", .flag = dice_below(dice, 2) };

	switch (dice_below(dice, 16)) {
	case 0:
	case 1: a_customer_is_spoken_of(dice, who[dice_below(dice, 3)]); break;
	case 2:
	case 3: a_person_answers(dice); break;
	case 4: wait_for((int64_t)dice_below(dice, 400) * S_MS); break;
	case 5: wait_for((int64_t)dice_below(dice, 8) * H_MS); break;
	case 6:
		tell("pos/7/event", "sensor.reading", "{'kind':'queue','station':'7','value':%d}",
		    (int)dice_below(dice, 9));
		break;
	case 7:
		if (dice_below(dice, 4) == 0)
			turn(&order);
		break;
	default: a_sale_goes_on(dice); break;
	}
	all_words += said()[0] != '\0';
	buf_addf(&told, "%d %s\n", count, said());
}

/* ---- what time has taken is not there ---- */

static void
look_at_card(const struct visit *visit, const struct card *card, bool known)
{
	const struct action *action = policy_action(engine->policy, card->action);
	bool till_or_tablet = placement_table[card->placement].stops_paying;

	if (card->state != CARD_OPEN)
		return;
	assert_true(engine->now_ms < card->expires_ms);
	assert_false(visit_over(visit) || visit->training);
	assert_true(visit->state != VISIT_SUSPENDED);
	assert_true(visit->state != VISIT_TENDER || action->mandatory || !till_or_tablet);
	assert_true(!action->personal || known);
	assert_false(order_is_stopped(engine, card->action));
}

static void
look_at_visit(void *ctx, struct visit *visit)
{
	const struct subject *subject =
	    visit->has_subject ? engine_subject(engine, &visit->subject) : NULL;
	bool known =
	    subject != NULL && consent_granted(subject, CONSENT_PERSONALISE, engine->now_ms);

	(void)ctx;
	for (size_t i = 0; i < visit->card_count; i++)
		look_at_card(visit, &visit->cards[i], known);
	for (size_t i = 0; subject != NULL && i < subject->purchase_count; i++)
		assert_true(subject->purchases[i].at_ms >= engine->now_ms - conf.retain_ms);
}

/* ---- told once, told again ---- */

static void
again(struct dice *dice)
{
	switch (dice_below(dice, 8)) {
	case 0:
		if (options.state_dir != NULL)
			restart();
		else
			assert_int_equal(engine_reload(engine), 0);
		break;
	case 1:
		while (room_make(engine, now_ms) > 0)
			;
		break;
	case 2: engine_drop_subjects(engine); break;
	default: break;
	}
}

/* The same from the seed on. */
static char *
story(uint64_t seed, bool interrupted)
{
	struct dice dice = { seed }, other = { ~seed };
	struct buf *out = &told;

	buf_clear(out);
	a_policy_that_remembers();
	for (size_t i = 0; i < 2; i++) {
		grant(who[i], "personalise");
		grant(who[i], "profile");
		grant(who[i], "contact");
	}
	for (int i = 0; i < EVENTS; i++) {
		now_ms += (int64_t)dice_below(&dice, 30) * S_MS;
		something_happens(&dice);
		sessions_each(engine->sessions, look_at_visit, NULL);
		if (interrupted)
			again(&other);
	}
	return buf_steal(out);
}

static void
begin_anew(void **state, bool on_disk)
{
	if (on_disk)
		set_up_on_disk(state);
	else
		set_up(state);
	options.on_decision = tell_decision;
	/* Less than the days that are told. */
	conf.retain_ms = 20 * H_MS;
	engine_close(engine);
	assert_int_equal(engine_open(&options, &engine, &(struct err){ 0 }), 0);
}

static void
tell_twice(void **state, uint64_t seed, bool on_disk)
{
	char *once, *twice;
	size_t at = 0;

	begin_anew(state, on_disk);
	once = story(seed, false);
	tear_down(state);
	begin_anew(state, on_disk);
	twice = story(seed, true);
	tear_down(state);
	while (once[at] != '\0' && once[at] == twice[at])
		at++;
	if (once[at] != twice[at]) {
		while (at > 0 && once[at - 1] != '\n')
			at--;
		fail_msg("seed %llu\n%.*s\n%.*s", (unsigned long long)seed,
		    (int)strcspn(once + at, "\n"), once + at, (int)strcspn(twice + at, "\n"),
		    twice + at);
	}
	free(once);
	free(twice);
}

static void
a_start_in_between_changes_no_decision_and_no_word(void **state)
{
	for (int i = 0; i < sequences; i++)
		tell_twice(state, first_seed + (uint64_t)i, false);
	print_message("%d decisions, %d turns that said something, twice each\n", all_decisions / 2,
	    all_words / 2);
	assert_true(all_decisions / 2 > sequences * 15);
	assert_true(all_words / 2 > sequences * 15);
}

static void
nor_does_one_from_the_disk(void **state)
{
	for (int i = 0; i < sequences / 100 + 1; i++)
		tell_twice(state, first_seed + 1000000 + (uint64_t)i, true);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_in_between_changes_no_decision_and_no_word),
		cmocka_unit_test(nor_does_one_from_the_disk),
	};

	if (argc > 1)
		sequences = atoi(argv[1]);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
