/* SPDX-License-Identifier: Apache-2.0
 *
 * test_engine.c - the state in memory is a cache of what is on disk: killed and started again, the store goes on where it
 * was; and what a policy must fit.
 */
#include "core/metrics.h"
#include "nouns/shortlists.h"
#include "store/store_internal.h"
#include "sync/bundle.h"
#include "spine_story.h"

/* ---- started again ---- */

static void
an_open_card_is_there_after_a_restart_and_expires_when_it_would_have(void **state)
{
	const char *guidance, *prompt;

	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	guidance = guidance_on_screen();
	prompt = prompt_of("a");
	assert_int_equal(answer_prompt(guidance, prompt, "{}", NULL, true).status, 200);
	restart();
	assert_int_equal(sessions_count(engine->sessions), 1);
	assert_int_equal(visit_of("b")->line_count, 1);
	assert_int_equal(answer_prompt(guidance, prompt, "{'shown':false}", NULL, true).status,
	    409);
	scan("b", "c", 100);
	assert_said("");
	wait_for(120 * S_MS - 1);
	assert_said("");
	wait_for(1);
	assert_said("withdraw 7 expired");
}

/* A question between two turns may meet a row that does not open; it is for the turn to say so, once, and to go on
 * without it. */
static void
what_a_question_could_not_read_is_not_what_the_next_turn_knows(void **state)
{
	struct id anna = subject_of(ANNA);
	struct buf out = { 0 };
	struct err err = { 0 };
	int64_t damaged;

	(void)state;
	engine_close(engine);
	options.sealed = true;
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	grant(ANNA, "profile");
	engine_drop_subjects(engine);
	damaged = store_damaged(engine->store);
	assert_int_equal(store_settle(engine->store), 0);
	assert_int_equal(sqlite3_exec(engine->store->db,
			     "UPDATE subject SET body = CAST(substr(body, 1, length(body) - 1) || "
			     "x'a5' AS BLOB)",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(query_customer(engine, &anna, &out), 0);
	assert_int_equal(store_damaged(engine->store), damaged);
	identify(ANNA);
	assert_int_equal(store_damaged(engine->store), damaged + 1);
	assert_false(consent_granted(customer(ANNA), CONSENT_PROFILE, now_ms));
	grant(ANNA, "profile");
	assert_true(consent_granted(customer(ANNA), CONSENT_PROFILE, now_ms));
	assert_int_equal(store_damaged(engine->store), damaged + 1);
	buf_done(&out);
}

static void
what_is_over_leaves_memory_and_is_found_when_it_is_spoken_of(void **state)
{
	const char *guidance, *prompt;

	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	guidance = guidance_on_screen();
	prompt = prompt_of("a");
	close_basket("b", 100);
	assert_int_equal(sessions_count(engine->sessions), 0);
	restart();
	assert_int_equal(sessions_count(engine->sessions), 0);
	assert_int_equal(answer_prompt(guidance, prompt, "{}", NULL, true).status, 200);
	assert_int_equal(sessions_count(engine->sessions), 0);
	assert_int_equal(answer_prompt(guidance, prompt, "{}", NULL, true).status, 200);
	assert_int_equal(answer_prompt(guidance, prompt, "{'shown':false}", NULL, true).status,
	    409);
	/* The number opened again is another basket; what is late is of the first. */
	open_basket("b");
	assert_non_null(visit_of("b"));
	assert_int_equal(visit_of("b")->card_count, 0);
	assert_int_equal(metrics_get(METRIC_BASKETS_AGAIN), 1);
}

static void
the_figures_of_the_store_outlive_it(void **state)
{
	double queue = 0;

	(void)state;
	a_policy("{}");
	an_action("o", "{" OFFER_OF("") ",'budget':{'per':'campaign','money':1000,'units':9}}");
	in_force();
	tell("pos/7/event", "sensor.reading", "{'kind':'queue','station':'7','value':3.5}");
	tell("pos/7/event", "sensor.reading", "{'kind':'queue','station':'8','value':2}");
	tell("pos/7/event", "sensor.reading", "{'kind':'queue','station':'7','value':4.5}");
	now_ms += 7;
	open_basket("b");
	scan("b", "c", 100);
	restart();
	assert_true(sensor_read(engine, "7", &queue));
	assert_true(queue == 4.5);
	assert_true(sensor_read(engine, "8", &queue));
	assert_true(queue == 2);
	assert_false(sensor_read(engine, "9", &queue));
	assert_int_equal(hold_today(engine, "o").all_money_minor, 40);
	assert_int_equal(engine->today.decisions, 1);
	assert_int_equal(engine->now_ms, T0 + 7);
}

static void
what_is_known_of_a_customer_outlives_the_store(void **state)
{
	(void)state;
	grant(ANNA, "profile");
	tell("loyalty/r1/event", "customer.enrolled", "{'subject':'" ANNA "','station':'7'}");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	close_basket("b", 100);
	restart();
	assert_true(consent_granted(customer(ANNA), CONSENT_PROFILE, now_ms));
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(BEN)->purchase_count, 0);
}

static void
who_has_not_been_here_for_long_leaves_memory_and_comes_back_whole(void **state)
{
	(void)state;
	grant(ANNA, "profile");
	for (int i = 0; i < 300; i++)
		grant(arena_printf(texts, "%032x", 1000 + i), "profile");
	assert_true(engine->subject_count <= SUBJECTS_CACHED);
	assert_true(consent_granted(customer(ANNA), CONSENT_PROFILE, now_ms));
	for (int i = 0; i < 300; i++) {
		const char *name = arena_printf(texts, "%032x", 1000 + i);

		assert_true(consent_granted(customer(name), CONSENT_PROFILE, now_ms));
	}
}

/* Headquarters acknowledges what it never got: the turn fails, and what else was in it. */
/* As if the lines held so much; the next one is looked at. */
static void
long_basket(const char *till, const char *basket, size_t bytes)
{
	now_ms++;
	tell(arena_printf(texts, "pos/%s/event", till), "basket.opened",
	    "{'basket':'%s','terminal':'%s'}", basket, till);
	visit_of(basket)->line_bytes = bytes - 1;
	tell(arena_printf(texts, "pos/%s/event", till), "basket.item-added",
	    "{'basket':'%s','line':1,'sku':'s','category':'c','qty':1,'amount':1,"
	    "'currency':'EUR'}",
	    basket);
}

static bool
is_open(const char *basket)
{
	const struct visit *visit = visit_of(basket);

	return visit != NULL && !visit_over(visit);
}

static void
open_baskets_are_bounded_by_what_their_lines_hold(void **state)
{
	int64_t before = metrics_get(METRIC_LIMIT_VISITS);

	(void)state;
	long_basket("8", "theirs", 1 << 20);
	for (int i = 0; i < 4; i++)
		long_basket("7", (char[]){ 'a', (char)('0' + i), '\0' }, 2097152 - 4096);
	assert_int_equal(metrics_get(METRIC_LIMIT_VISITS) - before, 0);
	long_basket("7", "more", 1 << 20);
	assert_int_equal(metrics_get(METRIC_LIMIT_VISITS) - before, 1);
	assert_false(is_open("a0"));
	assert_true(is_open("a1") && is_open("more") && is_open("theirs"));
	/* 8 MiB each of four more tills: one that holds the most gives one up. */
	for (int i = 0; i < 4; i++)
		long_basket((char[]){ (char)('1' + i), '\0' },
		    (char[]){ 't', (char)('0' + i), '\0' }, (8 << 20) - 4096);
	assert_int_equal(metrics_get(METRIC_LIMIT_VISITS) - before, 2);
	assert_false(is_open("t0"));
	assert_true(is_open("t1") && is_open("t3") && is_open("theirs"));
}

/* Each scan of the one line is a decision, and each decision another prompt. */
static void
open_baskets_are_bounded_by_what_their_prompts_hold(void **state)
{
	int64_t before = metrics_get(METRIC_LIMIT_VISITS);
	struct visit *visit;

	(void)state;
	only("a", "{'expires':'1s'}");
	long_basket("8", "theirs", 4096);
	long_basket("7", "long", (8 << 20) - 16384);
	now_ms++;
	open_basket("b");
	for (int i = 0; i < 20 && is_open("long"); i++) {
		now_ms += 1000;
		tell("pos/7/event", "basket.item-added",
		    "{'basket':'b','line':1,'sku':'s%d','category':'c','qty':1,'amount':1,"
		    "'currency':'EUR'}",
		    i);
	}
	visit = visit_of("b");
	assert_false(is_open("long"));
	assert_in_range(visit->card_count, 4, 16);
	assert_true(visit->line_bytes < 4096);
	assert_true(is_open("b") && is_open("theirs"));
	assert_int_equal(metrics_get(METRIC_LIMIT_VISITS) - before, 1);
}

static void
what_lines_hold_is_counted_the_same_after_a_restart(void **state)
{
	size_t bytes, empty;

	(void)state;
	open_basket("b");
	empty = visit_of("b")->line_bytes;
	for (int i = 0; i < 3; i++)
		scan("b", i == 0 ? "a/long/category" : "c", 100);
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'c','brand':'b','name':'another','qty':1,"
	    "'amount':1,'currency':'EUR'}");
	tell("pos/7/event", "basket.item-voided", "{'basket':'b','line':9}");
	bytes = visit_of("b")->line_bytes;
	assert_int_equal(empty, 0);
	assert_true(bytes > 4 * sizeof(struct line));
	restart();
	assert_int_equal(visit_of("b")->line_bytes, bytes);
}

/* The other till's basket is older still, and none of its business. */
static void
a_till_has_1024_baskets_and_the_one_it_spoke_of_longest_ago_gives_way(void **state)
{
	int64_t before = metrics_get(METRIC_LIMIT_VISITS);
	char basket[16];

	(void)state;
	tell("pos/8/event", "basket.opened", "{'basket':'theirs','terminal':'8'}");
	for (int i = 0; i < 1024; i++) {
		now_ms++;
		snprintf(basket, sizeof(basket), "b%d", i);
		open_basket(basket);
	}
	now_ms++;
	scan("b0", "c", 100);
	assert_int_equal(metrics_get(METRIC_LIMIT_VISITS) - before, 0);
	assert_int_equal(visit_of("b1")->state, VISIT_OPEN);
	now_ms++;
	open_basket("one too many");
	assert_int_equal(metrics_get(METRIC_LIMIT_VISITS) - before, 1);
	assert_int_equal(visit_of("b0")->state, VISIT_OPEN);
	assert_true(visit_of("b1") == NULL || visit_over(visit_of("b1")));
	assert_int_equal(visit_of("b2")->state, VISIT_OPEN);
	assert_int_equal(visit_of("one too many")->state, VISIT_OPEN);
	assert_int_equal(visit_of("theirs")->state, VISIT_OPEN);
	now_ms++;
	open_basket("and another");
	assert_int_equal(metrics_get(METRIC_LIMIT_VISITS) - before, 2);
	assert_true(visit_of("b2") == NULL || visit_over(visit_of("b2")));
	tell("pos/8/event", "basket.opened", "{'basket':'theirs too','terminal':'8'}");
	assert_int_equal(metrics_get(METRIC_LIMIT_VISITS) - before, 2);
}

static void
what_a_turn_took_is_given_back_by_the_next(void **state)
{
	size_t once;

	(void)state;
	open_basket("b");
	scan("b", "c", 100);
	once = arena_used(engine->arena);
	for (int i = 0; i < 50; i++)
		scan("b", "c", 100);
	assert_true(arena_used(engine->arena) < 4 * once);
}

static void
a_turn_that_fails_has_not_happened(void **state)
{
	char *text =
	    quoted("{'specversion':'1.0','source':'/s','id':'x','type':'aisle.basket.opened',"
		   "'time':'2026-11-21T10:00:00Z','data':{'basket':'c','terminal':'8'}}");
	struct input inputs[] = {
		{ .kind = INPUT_MESSAGE,
		    .now_ms = T0 + S_MS,
		    .topic = "aisle/v1/0042/pos/8/event",
		    .payload = text,
		    .len = strlen(text) },
		{ .kind = INPUT_HQ_ACK, .now_ms = T0 + S_MS, .lane = LANE_MONEY, .number = 99 },
		{ .kind = INPUT_CLOCK, .now_ms = T0 + 2 * S_MS },
	};
	struct err err = { 0 };

	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(turn_run(engine, inputs, ARRAY_LEN(inputs)), AISLE_E_REFUSED);
	assert_int_equal(engine_reopen(engine, &err), 0);
	assert_int_equal(engine->now_ms, T0);
	assert_non_null(visit_of("b"));
	assert_null(visit_of("c"));
	assert_int_equal(turn_run(engine, inputs, 1), 0);
	assert_non_null(visit_of("c"));
}

static void
a_store_whose_sync_failed_takes_nothing_until_it_is_opened_again(void **state)
{
	struct input input = { .kind = INPUT_CLOCK, .now_ms = T0 + S_MS };
	struct err err = { 0 };

	(void)state;
	open_basket("b");
	engine->store->broken = true;
	assert_int_equal(turn_run(engine, &input, 1), AISLE_E_IO);
	assert_int_equal(room_make(engine, T0), AISLE_E_IO);
	assert_int_equal(manager_add(engine->store, "eve", "4711", T0), AISLE_E_IO);
	assert_int_equal(engine_reopen(engine, &err), 0);
	assert_int_equal(turn_run(engine, &input, 1), 0);
	assert_true(room_make(engine, T0) >= 0);
	assert_non_null(visit_of("b"));
	assert_int_equal(manager_check(engine, "t1", "eve", "4711"), MANAGER_NO);
}

static void
ids_of_what_is_sent_rise_over_a_kill(void **state)
{
	int64_t before;

	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	before = engine->outputs[0].id;
	restart();
	scan("b", "c", 100);
	wait_for(120 * S_MS);
	assert_said("withdraw 7 expired");
	assert_true(engine->outputs[0].id > before);
}

/* ---- a policy that does not fit ---- */

static void
a_policy_of_another_currency_or_without_the_stores_zone_is_refused(void **state)
{
	struct err err = { 0 };
	struct policy *policy;

	(void)state;
	a_policy("{'currency':'USD'}");
	an_action("a", "{}");
	policy = compile_parts(&parts);
	assert_int_equal(engine_set_bundle(engine, NULL, policy, true, &err), AISLE_E_REFUSED);
	assert_non_null(strstr(err.text, "currency is USD"));
	policy_free(policy);
	memset(&parts, 0, sizeof(parts));
	a_policy("{}");
	an_action("a", "{}");
	free(conf.zone);
	conf.zone = mem_strdup("America/New_York");
	policy = compile_parts(&parts);
	memset(&err, 0, sizeof(err));
	assert_int_equal(engine_set_bundle(engine, NULL, policy, true, &err), AISLE_E_REFUSED);
	assert_non_null(strstr(err.text, "America/New_York"));
	policy_free(policy);
	assert_null(engine->policy);
}

static const char *
meta(const char *name)
{
	struct buf buf = { 0 };
	const char *text;

	if (store_meta_get(engine->store, name, &buf) != 0)
		return "none";
	text = arena_strndup(texts, buf.data, buf.len);
	buf_done(&buf);
	return text;
}

static void
install(int version)
{
	struct err err = { 0 };
	struct policy *policy;

	memset(&parts, 0, sizeof(parts));
	a_policy(arena_printf(texts, "{'version':%d}", version));
	an_action("a", "{}");
	policy = compile_parts(&parts);
	memset(policy->hash, 'a' + version, 64);
	assert_int_equal(engine_set_bundle(engine, NULL, policy, true, &err), 0);
}

static void
the_policy_in_force_is_remembered_and_the_one_before_it(void **state)
{
	(void)state;
	assert_string_equal(meta("bundle"), "none");
	install(1);
	assert_int_equal(meta("bundle")[0], 'b');
	assert_string_equal(meta("bundle_last_good"), "none");
	install(2);
	assert_int_equal(meta("bundle")[0], 'c');
	assert_int_equal(meta("bundle_last_good")[0], 'b');
	install(2); /* a second time: no way back from itself */
	assert_int_equal(meta("bundle_last_good")[0], 'b');
	assert_int_equal(strlen(meta("bundle")), 64);
	assert_int_equal(strlen(meta("bundle_last_good")), 64);
}

/* ---- how long what is kept ---- */

static int
decisions_kept(void)
{
	char id[ID_TEXT_SIZE];
	struct buf out = { 0 };
	json_t *json = json_loads(record.data, 0, NULL);
	int rc;

	snprintf(id, sizeof(id), "%s", text_of(json, "decision"));
	json_decref(json);
	rc = query_decision(engine, id, &out);
	buf_done(&out);
	return rc == 0;
}

static void
decisions_and_histories_are_kept_for_as_long_as_is_configured(void **state)
{
	(void)state;
	conf.decision_days = 30;
	conf.retain_ms = 60 * D_MS;
	only("a", "{}");
	grant(ANNA, "profile");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_int_equal(show("a", true), 200);
	close_basket("b", 100);
	assert_true(room_make(engine, T0 + 30 * D_MS) >= 0);
	assert_true(decisions_kept());
	while (room_make(engine, T0 + 30 * D_MS + 1) > 0)
		;
	assert_false(decisions_kept());
	assert_true(room_make(engine, T0 + 60 * D_MS) >= 0);
	engine_drop_subjects(engine);
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	for (int i = 0; i < 10; i++)
		assert_true(room_make(engine, T0 + 60 * D_MS + 1) >= 0);
	engine_drop_subjects(engine);
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	assert_int_equal(customer(ANNA)->contacts.count, 0);
}

static void
a_visit_is_kept_while_an_outcome_of_it_may_come(void **state)
{
	static const struct {
		const char *action;
		int64_t days;
	} kept[] = {
		{ "{}", 4 },
		{ "{'kind':'recommend','outcome':{'is':'bought','within':'2d','item':{'category':'"
		  "z'}}}",
		    4 },
		{ "{'kind':'recommend','outcome':{'is':'bought','within':'7d','item':{'category':'"
		  "z'}}}",
		    8 },
		{ "{'kind':'offer','outcome':{'is':'redeemed','within':'9d'},'offer':{'type':'"
		  "amount','depth':40,'max':40,"
		  "'apply':'till-code','until':'9d'}}",
		    10 },
	};

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		const char *guidance, *prompt;

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		conf.decision_days = 1;
		only("a", kept[i].action);
		open_basket("b");
		scan("b", "c", 100);
		guidance = guidance_on_screen();
		prompt = prompt_of("a");
		close_basket("b", 100);
		for (int n = 0; n < 10; n++)
			assert_true(room_make(engine, T0 + kept[i].days * D_MS) >= 0);
		assert_int_equal(answer_prompt(guidance, prompt, "{}", NULL, true).status, 200);
		for (int n = 0; n < 10; n++)
			assert_true(room_make(engine, T0 + kept[i].days * D_MS + 1) >= 0);
		assert_int_equal(answer_prompt(guidance, prompt, "{}", NULL, true).status, 404);
	}
}

/* ---- rows that cannot be read ---- */

static void
put_row(enum store_table table, const struct id *id, const struct id *subject, const void *bytes,
    size_t len)
{
	assert_int_equal(store_begin(engine->store), 0);
	assert_int_equal(store_put(engine->store, table, id, subject, now_ms, 1, bytes, len), 0);
	assert_int_equal(store_commit(engine->store), 0);
}

static void
a_return_that_waits(void)
{
	tell("pos/7/event", "return.completed",
	    "{'return':'r','basket':'unheard','items':[{'sku':'s','category':'c','qty':1,'amount':"
	    "5},"
	    "{'sku':'t','category':'d','qty':2,'amount':7}],'total':12,'currency':'EUR'}");
	assert_int_equal(engine->stray_count, 1);
}

static void
a_row_that_cannot_be_read_is_left_out_and_the_others_are_there(void **state)
{
	struct id id = { { 5 } }, anna = subject_of(ANNA);
	int rc;

	(void)state;
	open_basket("b");
	grant(ANNA, "profile");
	identify(ANNA);
	scan("b", "c", 100);
	close_basket("b", 100);
	open_basket("d");
	a_return_that_waits();
	put_row(STORE_VISIT, &id, NULL, "x", 1);
	put_row(STORE_RETURN, &id, NULL, "x", 1);
	assert_int_equal(store_begin(engine->store), 0);
	rc = store_log_add(engine->store, STORE_LOG_SUBJECT, &anna, &anna, SUBJECT_LOG_PURCHASE,
	    now_ms, "x", 1);
	assert_int_equal(rc, 0);
	assert_int_equal(store_commit(engine->store), 0);
	restart();
	assert_int_equal(sessions_count(engine->sessions), 1);
	assert_non_null(visit_of("d"));
	assert_int_equal(engine->stray_count, 1);
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_null(engine_visit(engine, &id));
	/* Their own row, too: what the log has is still theirs. */
	put_row(STORE_SUBJECT, &anna, &anna, "x", 1);
	restart();
	assert_false(consent_granted(customer(ANNA), CONSENT_PROFILE, now_ms));
	assert_int_equal(customer(ANNA)->purchase_count, 1);
}

static void
of_a_return_that_waits_no_row_is_read_that_is_not_whole(void **state)
{
	struct buf row = { 0 }, cut = { 0 };
	struct id id;

	(void)state;
	a_return_that_waits();
	id = engine->strays[0]->id;
	assert_int_equal(store_get(engine->store, STORE_RETURN, &id, &row, NULL), 0);
	for (size_t len = 0; len <= row.len + 1; len++) {
		buf_clear(&cut);
		buf_add(&cut, row.data, len < row.len ? len : row.len);
		if (len > row.len)
			buf_addc(&cut, 'x');
		put_row(STORE_RETURN, &id, NULL, len == 0 ? "" : cut.data, cut.len);
		strays_drop(engine);
		assert_int_equal(strays_load(engine), 0);
		assert_int_equal(engine->stray_count, len == row.len);
	}
	buf_clear(&cut);
	buf_add(&cut, row.data, row.len);
	cut.data[0]++; /* its version */
	put_row(STORE_RETURN, &id, NULL, cut.data, cut.len);
	strays_drop(engine);
	assert_int_equal(strays_load(engine), 0);
	assert_int_equal(engine->stray_count, 0);
	buf_done(&row);
	buf_done(&cut);
}

/* ---- headquarters' profiles ---- */

static const char *profile_says[2]; /* of Anna, of Ben; NULL: it has none */

static int
profile_of(void *ctx, const struct id *subject, struct buf *out)
{
	struct id anna = subject_of(ANNA);
	const char *says = profile_says[id_equal(subject, &anna) ? 0 : 1];

	(void)ctx;
	if (says == NULL)
		return AISLE_E_NONE;
	buf_adds(out, quoted(says));
	return 0;
}

/* Of two cards that are one customer; what they said themselves stands. */
static void
what_headquarters_says_of_a_card_that_was_merged_counts_for_the_other(void **state)
{
	static const struct {
		const char *anna, *ben;
		bool said, granted;
	} cases[] = {
		{ "{}", "{'consent':{'personalise':'granted'}}", false, true },
		{ NULL, "{'consent':{'personalise':'granted'}}", false, true },
		{ "{'consent':{'personalise':'granted'}}", NULL, false, true },
		{ "{'consent':{'personalise':'granted'}}", "{'consent':{'personalise':'denied'}}",
		    false, false },
		{ "{'consent':{'personalise':'denied'}}", "{'consent':{'personalise':'granted'}}",
		    false, false },
		{ "{}", "{'consent':{'personalise':'denied'}}", true, true },
		{ "no profile", "{'consent':{'personalise':'granted'}}", false, true },
		{ NULL, NULL, false, false },
	};

	(void)state;
	engine_set_profiles(engine, profile_of, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		profile_says[0] = profile_says[1] = NULL;
		tear_down(NULL);
		set_up(NULL);
		engine_set_profiles(engine, profile_of, NULL);
		if (cases[i].said)
			grant(ANNA, "personalise");
		tell("care/event", "customer.merged", "{'subject':'" BEN "','into':'" ANNA "'}");
		profile_says[0] = cases[i].anna;
		profile_says[1] = cases[i].ben;
		engine_drop_subjects(engine);
		if (consent_granted(customer(ANNA), CONSENT_PERSONALISE, now_ms) !=
		    cases[i].granted)
			fail_msg("case %zu", i);
	}
}

static void
one_till_alone_is_bounded_by_what_its_lines_hold(void **state)
{
	int64_t before = metrics_get(METRIC_LIMIT_VISITS);

	(void)state;
	for (int i = 0; i < 4; i++)
		long_basket("7", (char[]){ 'a', (char)('0' + i), '\0' }, 2097152 - 4096);
	assert_int_equal(metrics_get(METRIC_LIMIT_VISITS) - before, 0);
	long_basket("7", "more", 1 << 20);
	assert_int_equal(metrics_get(METRIC_LIMIT_VISITS) - before, 1);
	assert_false(is_open("a0"));
	assert_true(is_open("a1") && is_open("more"));
}

struct fresh_count {
	size_t bytes, visits;
};

static void
count_afresh(void *ctx, struct visit *visit)
{
	struct fresh_count *fresh = ctx;

	if (visit_over(visit) || visit->basket == NULL)
		return;
	fresh->visits++;
	for (size_t i = 0; i < visit->line_count; i++)
		fresh->bytes += line_bytes(&visit->lines[i]);
	for (size_t i = 0; i < visit->old_count; i++)
		fresh->bytes += line_bytes(&visit->olds[i]);
	for (size_t i = 0; i < visit->card_count; i++)
		fresh->bytes +=
		    1024 + (visit->cards[i].json != NULL ? strlen(visit->cards[i].json) : 0);
	fresh->bytes += 192 * visit_listings(visit);
}

/* Of all, and of the slots together. */
static void
assert_held_as_counted_afresh(int step, struct fresh_count *ret)
{
	size_t slots = 0;

	*ret = (struct fresh_count){ 0 };
	sessions_each(engine->sessions, count_afresh, ret);
	for (size_t i = 0; i < HELD_SLOTS; i++)
		slots += engine->held_slots[i];
	if (engine->held_bytes != ret->bytes || slots != ret->bytes)
		fail_msg("step %d: %zu of all, %zu of the slots, counted %zu", step,
		    engine->held_bytes, slots, ret->bytes);
}

/* A till's word about one of nine baskets, a card, an answer. */
static void
any_word(unsigned dice)
{
	static const char *const words[] = { "opened", "suspended", "resumed", "tender-started",
		"payment-declined", "cancelled", "closed", "item-voided" };
	int till = 1 + (int)(dice >> 4) % 3, basket = (int)(dice >> 8) % 9;
	const char *topic = arena_printf(texts, "pos/%d/event", till);
	const char *word = words[(dice >> 12) % ARRAY_LEN(words)];
	const char *who = (dice >> 16) % 2 == 0 ? ANNA : BEN;

	switch (dice % 8) {
	case 0:
		tell(topic, "customer.identified", "{'subject':'%s','station':'%d'}", who, till);
		break;
	case 1:
		tell(topic, arena_printf(texts, "basket.%s", word),
		    strcmp(word, "closed") == 0
			? "{'basket':'b%d','terminal':'%d','total':100,'currency':'EUR'}"
			: "{'basket':'b%d','terminal':'%d','line':1}",
		    basket, till);
		break;
	case 2:
		tell(topic, "basket.opened", "{'basket':'b%d','terminal':'%d','from':'%d'}", basket,
		    till, 1 + till % 3);
		break;
	case 3: /* one that may be heard of only now, or never */
		tell(topic, "customer.identified", "{'subject':'%s','station':'%d','basket':'n%d'}",
		    who, till, basket);
		break;
	default:
		tell(topic, "basket.item-added",
		    "{'basket':'b%d','line':%u,'sku':'s%u','category':'c','qty':1,'amount':100,"
		    "'currency':'EUR'}",
		    basket, 1 + (dice >> 20) % 5, dice);
	}
}

static void
what_open_baskets_hold_is_known_as_if_it_were_counted_afresh(void **state)
{
	struct fresh_count fresh = { 0 };
	unsigned seed = 20261129;
	size_t most = 0;

	(void)state;
	a_policy("{}");
	an_action("a",
	    "{'expires':'1s','on':['aisle.basket.item-added','aisle.customer.identified']}");
	an_action("o", "{" OFFER_OF("") "}");
	in_force();
	for (int step = 0; step < 600; step++) {
		seed = seed * 1664525u + 1013904223u;
		now_ms += 700;
		any_word(seed >> 3);
		if (step % 50 == 49)
			restart();
		assert_held_as_counted_afresh(step, &fresh);
		if (fresh.visits > most)
			most = fresh.visits;
	}
	assert_true(most > 6);
	wait_for(D_MS);
	wait_for(D_MS);
	assert_held_as_counted_afresh(-1, &fresh);
	assert_int_equal(fresh.visits, 0);
	assert_int_equal(engine->held_bytes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(one_till_alone_is_bounded_by_what_its_lines_hold),
		SPINE_TEST_ON_DISK(a_row_that_cannot_be_read_is_left_out_and_the_others_are_there),
		SPINE_TEST(of_a_return_that_waits_no_row_is_read_that_is_not_whole),
		SPINE_TEST(what_headquarters_says_of_a_card_that_was_merged_counts_for_the_other),
		SPINE_TEST_ON_DISK(
		    an_open_card_is_there_after_a_restart_and_expires_when_it_would_have),
		SPINE_TEST_ON_DISK(what_a_question_could_not_read_is_not_what_the_next_turn_knows),
		SPINE_TEST_ON_DISK(what_is_over_leaves_memory_and_is_found_when_it_is_spoken_of),
		SPINE_TEST_ON_DISK(the_figures_of_the_store_outlive_it),
		SPINE_TEST_ON_DISK(what_is_known_of_a_customer_outlives_the_store),
		SPINE_TEST(who_has_not_been_here_for_long_leaves_memory_and_comes_back_whole),
		SPINE_TEST(open_baskets_are_bounded_by_what_their_lines_hold),
		SPINE_TEST(open_baskets_are_bounded_by_what_their_prompts_hold),
		SPINE_TEST_ON_DISK(what_lines_hold_is_counted_the_same_after_a_restart),
		SPINE_TEST(a_till_has_1024_baskets_and_the_one_it_spoke_of_longest_ago_gives_way),
		SPINE_TEST_ON_DISK(what_a_turn_took_is_given_back_by_the_next),
		SPINE_TEST_ON_DISK(a_turn_that_fails_has_not_happened),
		SPINE_TEST_ON_DISK(
		    a_store_whose_sync_failed_takes_nothing_until_it_is_opened_again),
		SPINE_TEST_ON_DISK(ids_of_what_is_sent_rise_over_a_kill),
		SPINE_TEST(a_policy_of_another_currency_or_without_the_stores_zone_is_refused),
		SPINE_TEST(the_policy_in_force_is_remembered_and_the_one_before_it),
		SPINE_TEST(decisions_and_histories_are_kept_for_as_long_as_is_configured),
		SPINE_TEST(a_visit_is_kept_while_an_outcome_of_it_may_come),
		SPINE_TEST_ON_DISK(what_open_baskets_hold_is_known_as_if_it_were_counted_afresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
