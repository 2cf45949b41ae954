/* SPDX-License-Identifier: Apache-2.0
 *
 * test_told.c - what headquarters' profile tells beside attributes, as the store acts on it: wallet, contacts of other
 * channels, care journeys; with consent and without, of one card and of two.
 */
#include "core/metrics.h"
#include "spine_story.h"

static const char *profile; /* Anna's, with ' for " */
static char more[2048];	    /* Ben's beside consent */

static int
profile_of(void *ctx, const struct id *subject, struct buf *out)
{
	char text[SUBJECT_TEXT_SIZE];

	(void)ctx;
	subject_text(subject, text);
	buf_addf(out,
	    "{\"consent\":{\"personalise\":\"granted\",\"profile\":\"granted\"},\"attributes\":{}%"
	    "s%s}",
	    strcmp(text, ANNA) == 0 ? quoted(profile) : "",
	    strcmp(text, BEN) == 0 ? quoted(more) : "");
	return 0;
}

/* A new profiles file is in force. */
static void
headquarters_says(const char *members)
{
	profile = members;
	engine_drop_subjects(engine);
}

static void
a_store(const char *policy, const char *contact)
{
	a_policy(policy);
	add_part(texts, &parts, "contact.json", quoted(contact));
	add_part(texts, &parts, "features.json",
	    quoted("{'features':[{'name':'offers','type':'number','from':'wallet.count'},"
		   "{'name':'value','type':'number','from':'wallet.worth'},"
		   "{'name':'left','type':'number','from':'wallet.days_left'},"
		   "{'name':'mails','type':'number','from':'contacts.count(channel=mail, "
		   "within=7d)'},"
		   "{'name':'all','type':'number','from':'contacts.count(within=30d)'},"
		   "{'name':'care','type':'number','from':'journeys.count'}]}"));
	/* In the place of the policy's. */
	for (size_t i = 0; i < parts.count; i++) {
		if (strcmp(parts.part[i].name, "features.json") == 0) {
			parts.part[i] = parts.part[--parts.count];
			break;
		}
	}
	/* Reads them all. */
	an_action("look",
	    "{'personal':false,'margin':0,'applicable':{'or':[{'missing':['offers','value','left','"
	    "mails','all','care']},"
	    "{'<':[{'+':[{'var':'offers'},{'var':'value'},{'var':'left'},{'var':'mails'},{'var':'"
	    "all'},"
	    "{'var':'care'}]},-1]},false]}}");
	engine_set_profiles(engine, profile_of, NULL);
	more[0] = '\0';
	profile = "";
}

/* The features of the last decision. */
static const char *
features(void)
{
	json_t *json = json_loads(record.data, 0, NULL);
	struct buf out = { 0 };
	const char *text;

	json_canonical(json_object_get(json, "features"), &out);
	text = arena_strdup(texts, out.data);
	buf_done(&out);
	json_decref(json);
	return text;
}

static void
decide_for(const char *basket, const char *subject)
{
	open_basket(basket);
	tell("pos/7/event", "customer.identified", "{'subject':'%s','basket':'%s','station':'7'}",
	    subject, basket);
	scan(basket, "c", 100);
}

#define assert_features(text) assert_string_equal(features(), quoted(text))

static void
what_it_tells_is_a_feature(void **state)
{
	(void)state;
	a_store("{}", "{}");
	in_force();
	headquarters_says("");
	decide_for("a", ANNA);
	assert_features("{'all':0,'care':0,'left':null,'mails':0,'offers':0,'value':0}");
	headquarters_says(
	    ",'wallet':[{'offer':'o1','worth':150,'until':'2026-11-23T10:00:00Z'},"
	    "{'offer':'o2','worth':50,'until':'2026-11-22T22:00:00Z'},"
	    "{'offer':'old','worth':9,'until':'2026-11-21T10:00:00Z'}],"
	    "'contacts':[{'channel':'mail','action':'x','at':'2026-11-14T10:00:00.001Z'},"
	    "{'channel':'mail','at':'2026-11-14T10:00:00Z'},{'channel':'app','at':'2026-11-20T10:"
	    "00:00Z'},"
	    "{'channel':'app','at':'2026-10-22T10:00:00Z'},"
	    "{'channel':'app','at':'2026-10-22T09:59:59.999Z'}],"
	    "'journeys':[{'journey':'j'},{'journey':'k','until':'2026-11-21T10:00:00Z'},"
	    "{'journey':'l','until':'2026-11-21T10:00:00.001Z'}]");
	decide_for("b", ANNA);
	assert_features("{'all':3,'care':2,'left':1.5,'mails':1,'offers':2,'value':200}");
	/* Of a stranger it is missing. */
	open_basket("c");
	scan("c", "c", 100);
	assert_features("{'all':null,'care':null,'left':null,'mails':null,'offers':null,'value':"
			"null}");
}

static void
household_and_staff_flag_are_features_too(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("look",
	    "{'personal':false,'margin':0,'applicable':{'or':[{'missing':['tier','total']},false]}"
	    "}");
	for (size_t i = 0; i < parts.count; i++) {
		if (strcmp(parts.part[i].name, "features.json") == 0)
			parts.part[i] = parts.part[--parts.count];
	}
	add_part(texts, &parts, "features.json",
	    quoted("{'features':[{'name':'tier','type':'string','from':'profile.household'},"
		   "{'name':'total','type':'bool','from':'profile.staff'}]}"));
	in_force();
	engine_set_profiles(engine, profile_of, NULL);
	more[0] = '\0';
	headquarters_says(",'household':'h9'");
	decide_for("a", ANNA);
	assert_features("{'tier':'h9','total':false}");
	close_basket("a", 100);
	headquarters_says("");
	decide_for("b", ANNA);
	assert_features("{'tier':null,'total':false}");
	open_basket("c");
	scan("c", "c", 100);
	assert_features("{'tier':null,'total':null}");
	close_basket("b", 100);
	/* Who works here is nobody to a rule. */
	headquarters_says(",'household':'h9','staff':true");
	decide_for("d", ANNA);
	assert_true(visit_of("d")->has_subject);
	assert_features("{'tier':null,'total':null}");
}

static void
what_the_store_heard_of_an_offer_comes_before_last_nights_wallet(void **state)
{
	(void)state;
	a_store("{}", "{}");
	in_force();
	headquarters_says(",'wallet':[{'offer':'o1','worth':150,'until':'2026-12-01T10:00:00Z'}]");
	tell("loyalty/r1/event", "wallet.changed",
	    "{'subject':'" ANNA
	    "','offer':'o1','worth':150,'until':'2026-12-01T10:00:00Z','state':'used'}");
	tell("loyalty/r1/event", "wallet.changed",
	    "{'subject':'" ANNA
	    "','offer':'o2','worth':70,'until':'2026-12-01T10:00:00Z','state':'open'}");
	decide_for("a", ANNA);
	assert_features("{'all':0,'care':0,'left':10,'mails':0,'offers':1,'value':70}");
}

static void
contacts_of_other_channels_count_in_caps_as_the_stores_own(void **state)
{
	(void)state;
	a_store("{}",
	    "{'caps':[{'per':'customer','scope':'all','outcome':'shown','max':2,'within':'7d'}]}");
	an_action("a", "{'caps':[{'per':'customer','outcome':'shown','max':1,'within':'3d'}]}");
	in_force();
	headquarters_says(",'contacts':[{'channel':'mail','action':'a','at':'2026-11-18T10:00:00Z'}"
			  "]");
	decide_for("a", ANNA);
	assert_string_equal(fate_in_record("a"), "offered"); /* three days are over */
	close_basket("a", 100);
	headquarters_says(",'contacts':[{'channel':'mail','action':'a','at':'2026-11-18T10:00:00."
			  "001Z'}]");
	decide_for("b", BEN);
	assert_string_equal(fate_in_record("a"), "offered");
	close_basket("b", 100);
	snprintf(more, sizeof(more),
	    ",'contacts':[{'channel':'mail','action':'a','at':'2026-11-18T10:00:00.001Z'}]");
	engine_drop_subjects(engine);
	decide_for("c", BEN);
	assert_string_equal(fate_in_record("a"), "contact");
	/* Two of whatever action fill the chain's cap. */
	snprintf(more, sizeof(more), "%s",
	    ",'contacts':[{'channel':'mail','at':'2026-11-15T10:00:00Z'},{'channel':'app','at':'"
	    "2026-11-15T10:00:00Z'}]");
	engine_drop_subjects(engine);
	decide_for("d", BEN);
	assert_string_equal(fate_in_record("a"), "contact");
}

static void
one_contact_that_was_an_event_and_is_in_the_profile_is_one(void **state)
{
	static const char *const mail =
	    "{'subject':'" ANNA "','channel':'mail','action':'a','at':'2026-11-20T10:00:00Z'}";

	(void)state;
	a_store("{}", "{}");
	in_force();
	tell("care/event", "contact.recorded", mail);
	headquarters_says(",'contacts':[{'channel':'mail','action':'a','at':'2026-11-20T10:00:00Z'}"
			  ","
			  "{'channel':'mail','action':'a','at':'2026-11-20T10:00:00Z'}]");
	decide_for("a", ANNA);
	assert_features("{'all':1,'care':0,'left':null,'mails':1,'offers':0,'value':0}");
	close_basket("a", 100);
	/* In the other order, too; and the same again is nothing. */
	headquarters_says(",'contacts':[{'channel':'app','action':'b','at':'2026-11-20T10:00:00Z'}"
			  "]");
	tell("care/event", "contact.recorded",
	    "{'subject':'" ANNA "','channel':'app','action':'b','at':'2026-11-20T10:00:00Z'}");
	tell("care/event", "contact.recorded", mail);
	decide_for("b", ANNA);
	assert_features("{'all':3,'care':0,'left':null,'mails':2,'offers':0,'value':0}");
	assert_int_equal(customer(ANNA)->told_count, 0); /* both are the store's own now */
	/* What only the profile said goes with it. */
	headquarters_says("");
	decide_for("c", ANNA);
	assert_int_equal(customer(ANNA)->told_count, 0);
	assert_features("{'all':3,'care':0,'left':null,'mails':2,'offers':0,'value':0}");
}

/* However long the profile tells of it. */
static void
what_the_store_heard_itself_is_kept_longer_than_what_the_profile_tells(void **state)
{
	static const char *const mail =
	    "{'subject':'" ANNA "','channel':'mail','action':'a','at':'2026-11-20T10:00:00Z'}";

	(void)state;
	a_store("{}", "{}");
	an_action("a", "{'caps':[{'per':'customer','outcome':'shown','max':1,'within':'60d'}]}");
	in_force();
	headquarters_says(",'contacts':[{'channel':'mail','action':'a','at':'2026-11-20T10:00:00Z'}"
			  "]");
	assert_int_equal(customer(ANNA)->told_count, 1);
	tell("care/event", "contact.recorded", mail);
	for (int i = 0; i < 2; i++) {
		wait_for(SUBJECT_TOLD_MS);
		decide_for(i == 0 ? "a" : "b", ANNA);
		assert_string_equal(fate_in_record("a"), i == 0 ? "contact" : "offered");
		close_basket(i == 0 ? "a" : "b", 100);
		engine_drop_subjects(engine); /* as it comes from disk */
	}
}

static void
a_contact_that_only_the_profile_tells_ends_after_thirty_days(void **state)
{
	(void)state;
	a_store("{}", "{}");
	an_action("a", "{'caps':[{'per':'customer','outcome':'shown','max':1,'within':'60d'}]}");
	in_force();
	headquarters_says(",'contacts':[{'channel':'mail','action':'a','at':'2026-11-21T10:00:00Z'}"
			  "]");
	wait_for(SUBJECT_TOLD_MS - 1000);
	decide_for("a", ANNA);
	assert_string_equal(fate_in_record("a"), "contact");
	close_basket("a", 100);
	wait_for(1001);
	decide_for("b", ANNA);
	assert_string_equal(fate_in_record("a"), "offered");
}

static void
a_running_journey_lets_only_service_and_retain_through_until_it_ends(void **state)
{
	(void)state;
	a_store("{'care':{'severity':2}}", "{}");
	an_action("mine", "{" OFFER_OF("") ",'personal':true}");
	an_action("help", "{}");
	in_force();
	headquarters_says(",'journeys':[{'journey':'claim','until':'2026-11-21T10:00:01Z'}]");
	decide_for("a", ANNA);
	assert_string_equal(fate_in_record("mine"), "care");
	assert_string_equal(fate_in_record("help"), "offered");
	wait_for(999);
	scan("a", "c", 100);
	assert_string_equal(fate_in_record("mine"), "care");
	wait_for(1);
	scan("a", "c", 100);
	assert_string_equal(fate_in_record("mine"), "offered");
}

static void
a_policy_may_leave_journeys_alone(void **state)
{
	(void)state;
	a_store("{'care':{'severity':2,'journeys':false}}", "{}");
	an_action("mine", "{" OFFER_OF("") ",'personal':true}");
	in_force();
	headquarters_says(",'journeys':[{'journey':'claim'}]");
	decide_for("a", ANNA);
	assert_string_equal(fate_in_record("mine"), "offered");
}

static void
a_reminder(const char *patch)
{
	an_action("remind",
	    "{'kind':'remind','personal':true,'wallet':true,'group':'w','outcome':{'is':'bought','"
	    "item':{'category':'c'}}}");
	an_action("mine", "{" OFFER_OF("") ",'personal':true,'group':'m'}");
	an_action("help", patch);
	in_force();
}

static void
of_the_wallet_they_are_reminded_before_a_new_offer(void **state)
{
	(void)state;
	a_store("{}", "{}");
	a_reminder("{}");
	headquarters_says("");
	decide_for("a", ANNA);
	assert_string_equal(fate_in_record("remind"), "applicability");
	assert_string_equal(fate_in_record("mine"), "offered");
	close_basket("a", 100);
	headquarters_says(",'wallet':[{'offer':'o1','worth':150,'until':'2026-12-01T10:00:00Z'}]");
	decide_for("b", ANNA);
	assert_string_equal(fate_in_record("remind"), "offered");
	assert_string_equal(fate_in_record("mine"), "contact");
	assert_non_null(strstr(record.data, "\"fate\":\"contact\",\"clause\":\"wallet\""));
	/* They were. */
	answer("remind", "dismiss");
	scan("b", "c", 100);
	assert_string_equal(fate_in_record("mine"), "offered");
	close_basket("b", 300);
}

static void
a_reminder_that_may_not_be_shown_holds_nothing_up(void **state)
{
	(void)state;
	a_store("{}",
	    "{'caps':[{'per':'customer','scope':'all','outcome':'shown','max':9,'within':'7d'}]}");
	an_action("remind",
	    "{'kind':'remind','personal':true,'wallet':true,'group':'w','outcome':{'is':'bought','"
	    "item':{'category':'c'}},"
	    "'caps':[{'per':'customer','outcome':'shown','max':1,'within':'7d'}]}");
	an_action("mine", "{" OFFER_OF("") ",'personal':true,'group':'m'}");
	in_force();
	headquarters_says(",'wallet':[{'offer':'o1','worth':150,'until':'2026-12-01T10:00:00Z'}],"
			  "'contacts':[{'channel':'mail','action':'remind','at':'2026-11-20T10:00:"
			  "00Z'}]");
	decide_for("a", ANNA);
	assert_string_equal(fate_in_record("remind"), "contact");
	assert_string_equal(fate_in_record("mine"), "offered");
}

#define HAS_ONE ",'wallet':[{'offer':'o1','worth':150,'until':'2026-12-01T10:00:00Z'}]"

/* With this chance it is taken, in a policy where a card must be worth more than 20. */
static const char *
fate_behind_a_reminder(const char *propensity)
{
	a_store("{'interrupt':20}", "{}");
	an_action("remind",
	    arena_printf(texts,
		"{'kind':'remind','personal':true,'wallet':true,'group':'w','propensity':%s,"
		"'outcome':{'is':'bought','item':{'category':'c'}}}",
		propensity));
	an_action("mine", "{" OFFER_OF("") ",'personal':true,'group':'m'}");
	in_force();
	headquarters_says(HAS_ONE);
	decide_for("a", ANNA);
	return fate_in_record("mine");
}

static void
a_reminder_holds_offers_back_from_the_least_that_is_worth_an_interruption(void **state)
{
	(void)state;
	assert_string_equal(fate_behind_a_reminder("0.201"), "contact");
}

static void
a_reminder_that_is_not_worth_an_interruption_holds_nothing_up(void **state)
{
	(void)state;
	assert_string_equal(fate_behind_a_reminder("0.2"), "offered");
	assert_string_equal(fate_in_record("remind"), "outranked");
}

static void
a_reminder_that_brings_nothing_holds_nothing_up(void **state)
{
	(void)state;
	assert_string_equal(fate_behind_a_reminder("0"), "offered");
	assert_string_equal(fate_in_record("remind"), "not-worth-it");
}

/* Which gates are closed for Anna now. */
static const char *
why_not(const char *action)
{
	struct buf out = { 0 }, says = { 0 };
	struct id anna = subject_of(ANNA);
	const json_t *gate;
	const char *copy;
	json_t *json;
	size_t i;

	assert_int_equal(query_why_not(engine, &anna, "7", action, &out), 0);
	json = json_loadb(out.data, out.len, 0, NULL);
	buf_adds(&says, "");
	json_array_foreach(json_object_get(json, "closed"), i, gate)
		buf_addf(&says, "%s %s;", text_of(gate, "gate"), text_of(gate, "clause"));
	copy = arena_strdup(texts, says.data);
	json_decref(json);
	buf_done(&out);
	buf_done(&says);
	return copy;
}

/* The reminder comes with cards that are read, the offer with those and with lines. */
static void
a_reminder_at_the_card(const char *mine_on)
{
	a_store("{}", "{}");
	an_action("remind",
	    "{'kind':'remind','personal':true,'wallet':true,'group':'w','on':['aisle.customer."
	    "identified'],'outcome':{'is':'bought','item':{'category':'c'}}}");
	an_action("mine",
	    arena_printf(texts, "{" OFFER_OF("") ",'personal':true,'group':'m','on':[%s]}",
		mine_on));
	an_action("help", "{}");
	in_force();
	headquarters_says(HAS_ONE);
	open_basket("a");
}

static void
why_not_tells_that_the_wallet_comes_first(void **state)
{
	(void)state;
	a_reminder_at_the_card("'aisle.customer.identified'");
	assert_string_equal(why_not("mine"), "contact wallet;");
	assert_string_equal(why_not("remind"), "");
	headquarters_says("");
	assert_string_equal(why_not("mine"), "");
	assert_string_equal(why_not("remind"), "applicability wallet;");
}

static void
an_offer_that_never_comes_with_the_reminder_does_not_wait_for_it(void **state)
{
	(void)state;
	a_reminder_at_the_card("'aisle.basket.item-added'");
	assert_string_equal(why_not("mine"), "");
}

static void
once_reminded_nothing_waits(void **state)
{
	(void)state;
	a_reminder_at_the_card("'aisle.customer.identified'");
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" ANNA "','basket':'a','station':'7'}");
	assert_string_equal(fate_in_record("remind"), "offered");
	assert_string_equal(why_not("mine"), "");
}

/* The card of advice is open when a coupon comes into Anna's wallet. */
static void
a_coupon_comes_while_help_is_open(const char *policy, const char *mine_on)
{
	a_store(policy, "{}");
	assert_int_equal(manager_add(engine->store, "eve", "4711", now_ms), 0);
	an_action("remind",
	    "{'kind':'remind','personal':true,'wallet':true,'group':'w','on':['aisle.basket.item-"
	    "added','aisle.survey.answered'],'outcome':{'is':'bought','item':{'category':'c'}}}");
	an_action("mine",
	    arena_printf(texts, "{" OFFER_OF("") ",'personal':true,'group':'m','on':['%s']}",
		mine_on));
	an_action("help", "{'margin':900}");
	in_force();
	headquarters_says("");
	decide_for("a", ANNA);
	assert_said("guidance 7: help");
	tell("loyalty/r1/event", "wallet.changed",
	    "{'subject':'" ANNA
	    "','offer':'o2','worth':70,'until':'2026-12-01T10:00:00Z','state':'open'}");
	heard(LANE_DECISION);
}

#define MINE_INSTEAD "'decision':'override','reason':'not-relevant','instead':{'action':'mine'}"

static void
what_a_card_lists_waits_for_the_wallet_too(void **state)
{
	struct reply reply;

	(void)state;
	a_coupon_comes_while_help_is_open("{'placements':{'tablet':{'slots':1,'headline_max':40}}}",
	    "aisle.basket.item-added");
	reply = answer_prompt(guidance_on_screen(), prompt_of("help"), "{" MINE_INSTEAD "}", NULL,
	    false);
	assert_int_equal(reply.status, 409);
	assert_string_equal(reply.clause, "wallet");
}

static void
a_manager_passes_over_the_wallet_and_it_is_on_record(void **state)
{
	json_t *json;

	(void)state;
	a_coupon_comes_while_help_is_open("{}", "aisle.survey.answered");
	assert_int_equal(answer_with("help", "{" MINE_INSTEAD "}", NULL), 403);
	assert_int_equal(answer_with("help", "{'manager':'eve'," MINE_INSTEAD "}", "4711"), 200);
	assert_heard(LANE_DECISION, "overridden:not-relevant; accepted");
	json = json_loads(heard_last, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "over")), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "over"), 0)),
	    "contact");
	json_decref(json);
}

static void
without_consent_nothing_of_it_is_read(void **state)
{
	(void)state;
	a_store("{}", "{}");
	a_reminder("{}");
	headquarters_says(",'wallet':[{'offer':'o1','worth':150,'until':'2026-12-01T10:00:00Z'}]");
	now_ms += 1;
	tell("care/event", "consent.changed",
	    "{'subject':'" ANNA "','purpose':'personalise','state':'denied'}");
	decide_for("a", ANNA);
	assert_string_equal(fate_in_record("remind"), "consent");
	assert_features("{'all':null,'care':null,'left':null,'mails':null,'offers':null,'value':"
			"null}");
}

static void
of_two_cards_both_wallets_and_contacts_count_and_no_row_is_written(void **state)
{
	(void)state;
	a_store("{}", "{}");
	in_force();
	headquarters_says(",'wallet':[{'offer':'o1','worth':150,'until':'2026-12-01T10:00:00Z'}],"
			  "'journeys':[{'journey':'j'}],"
			  "'contacts':[{'channel':'mail','at':'2026-11-20T10:00:00Z'}]");
	snprintf(more, sizeof(more), "%s",
	    ",'wallet':[{'offer':'o1','worth':7,'until':'2026-12-01T10:00:00Z'},"
	    "{'offer':'o2','worth':50,'until':'2026-12-01T10:00:00Z'}],'journeys':[{'journey':'j'}]"
	    ","
	    "'contacts':[{'channel':'mail','at':'2026-11-20T10:00:00Z'},{'channel':'app','at':'"
	    "2026-11-20T10:00:00Z'}]");
	tell("care/event", "customer.merged", "{'subject':'" BEN "','into':'" ANNA "'}");
	for (int i = 0; i < 2; i++) {
		decide_for(i == 0 ? "a" : "b", i == 0 ? ANNA : BEN);
		assert_features("{'all':2,'care':1,'left':10,'mails':1,'offers':2,'value':200}");
		close_basket(i == 0 ? "a" : "b", 100);
		engine_drop_subjects(engine); /* as they come from disk */
	}
	headquarters_says("");
	more[0] = '\0';
	decide_for("c", ANNA);
	assert_features("{'all':0,'care':0,'left':null,'mails':0,'offers':0,'value':0}");
}

/* As a file may have it that no build of ours made. */
static void
what_is_beyond_a_customers_room_is_no_profile_and_is_counted(void **state)
{
	static const struct {
		const char *list, *before, *behind;
		int max;
	} lists[] = {
		{ "wallet", "{'offer':'o", "','worth':1,'until':'2026-12-01T10:00:00Z'}",
		    SUBJECT_WALLET_MAX },
		{ "contacts", "{'channel':'c", "','at':'2026-11-20T10:00:00Z'}", SUBJECT_TOLD_MAX },
		{ "journeys", "{'journey':'j", "'}", SUBJECT_JOURNEYS_MAX },
	};
	struct buf row = { 0 };

	(void)state;
	a_store("{}", "{}");
	in_force();
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (int beyond = 0; beyond < 2; beyond++) {
			int64_t before = metrics_get(METRIC_PROFILES_UNREADABLE);

			buf_clear(&row);
			buf_addf(&row, ",'%s':[", lists[i].list);
			for (int k = 0; k < lists[i].max + beyond; k++) {
				buf_addf(&row, "%s%s%d%s", k > 0 ? "," : "", lists[i].before, k,
				    lists[i].behind);
			}
			buf_adds(&row, "]");
			headquarters_says(row.data);
			assert_int_equal(customer(ANNA)->has_profile, beyond == 0);
			assert_int_equal(metrics_get(METRIC_PROFILES_UNREADABLE), before + beyond);
		}
	}
	buf_done(&row);
}

static void
all_of_it_is_exported(void **state)
{
	struct buf out = { 0 };

	(void)state;
	a_store("{}", "{}");
	in_force();
	headquarters_says(
	    ",'household':'h9','wallet':[{'offer':'o1','worth':150,'until':'2026-12-01T10:00:00Z'}]"
	    ","
	    "'journeys':[{'journey':'j'},{'journey':'k','until':'2026-12-01T10:00:00Z'}],"
	    "'contacts':[{'channel':'mail','action':'a','at':'2026-11-20T10:00:00Z'}]");
	tell("pos/7/event", "customer.identified", "{'subject':'" ANNA "','station':'7'}");
	subject_json(customer(ANNA), &out);
	assert_non_null(strstr(out.data,
	    quoted(
		"'profile':{'attributes':{},'household':'h9','wallet':[{'offer':'o1','worth':150,"
		"'until':'2026-12-01T10:00:00.000Z'}],'journeys':[{'journey':'j'},{'journey':'k',"
		"'until':'2026-12-01T10:00:00.000Z'}]}")));
	assert_non_null(strstr(out.data,
	    quoted("'outcome':'shown','channel':'mail','at':'2026-11-20T10:00:00.000Z','action':'a'"
		   ","
		   "'placement':'later'}]")));
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(what_it_tells_is_a_feature),
		SPINE_TEST(household_and_staff_flag_are_features_too),
		SPINE_TEST(what_the_store_heard_of_an_offer_comes_before_last_nights_wallet),
		SPINE_TEST(contacts_of_other_channels_count_in_caps_as_the_stores_own),
		cmocka_unit_test_setup_teardown(
		    one_contact_that_was_an_event_and_is_in_the_profile_is_one, set_up_on_disk,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    what_the_store_heard_itself_is_kept_longer_than_what_the_profile_tells,
		    set_up_on_disk, tear_down),
		SPINE_TEST(a_contact_that_only_the_profile_tells_ends_after_thirty_days),
		SPINE_TEST(a_running_journey_lets_only_service_and_retain_through_until_it_ends),
		SPINE_TEST(a_policy_may_leave_journeys_alone),
		SPINE_TEST(of_the_wallet_they_are_reminded_before_a_new_offer),
		SPINE_TEST(a_reminder_that_may_not_be_shown_holds_nothing_up),
		SPINE_TEST(
		    a_reminder_holds_offers_back_from_the_least_that_is_worth_an_interruption),
		SPINE_TEST(a_reminder_that_is_not_worth_an_interruption_holds_nothing_up),
		SPINE_TEST(a_reminder_that_brings_nothing_holds_nothing_up),
		SPINE_TEST(why_not_tells_that_the_wallet_comes_first),
		SPINE_TEST(an_offer_that_never_comes_with_the_reminder_does_not_wait_for_it),
		SPINE_TEST(once_reminded_nothing_waits),
		SPINE_TEST(a_manager_passes_over_the_wallet_and_it_is_on_record),
		SPINE_TEST(what_a_card_lists_waits_for_the_wallet_too),
		SPINE_TEST(without_consent_nothing_of_it_is_read),
		cmocka_unit_test_setup_teardown(
		    of_two_cards_both_wallets_and_contacts_count_and_no_row_is_written,
		    set_up_on_disk, tear_down),
		SPINE_TEST(what_is_beyond_a_customers_room_is_no_profile_and_is_counted),
		SPINE_TEST(all_of_it_is_exported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
