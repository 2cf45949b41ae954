/* SPDX-License-Identifier: Apache-2.0
 *
 * spine_story.h - a store in memory, told one thing after the other; what it says to whom as a line of text.
 *
 * JSON in here has ' for ". tell() is one turn, as is each of the other verbs; said() is what left with the last of them.
 */
#ifndef AISLE_TESTS_SPINE_STORY_H
#define AISLE_TESTS_SPINE_STORY_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "core/log.h"
#include "decide_fixture.h"
#include "profile/subject_io.h"
#include "spine/spine.h"

#define T0 INT64_C(1795255200000) /* 2026-11-21T10:00:00Z, a Saturday */
#define ANNA "00000000000000000000000000000001"
#define BEN "00000000000000000000000000000002"
#define SALT "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct conf conf;
static struct engine_options options;
static struct engine *engine;
static int64_t now_ms;
static int count;	/* of the messages so far: their ids */
static int64_t late_ms; /* so long before now what is told happened */
static struct arena *texts;
static struct fixture_policy parts;
static struct buf line, record; /* what was said; the last decision */
static int decisions;
static char why_dead[256];	 /* the detail of the last dead letter */
static json_t *screen;		 /* the last guidance */
static char token[ID_TEXT_SIZE]; /* of the last command that had one */
static int64_t heard_upto[LANE_COUNT];
static char heard_last[2048]; /* the last record, whole */
static bool hear_sales;	      /* each closed basket has a record, which few stories are about */
static bool hear_settled;     /* and so has each shortlist */
static char state_dir[32];

/* ---- begin, end ---- */

FIXTURE void
note_decision(void *ctx, const char *json, size_t len)
{
	(void)ctx;
	buf_clear(&record);
	buf_add(&record, json, len);
	buf_addc(&record, '\0');
	decisions++;
}

FIXTURE int
set_up(void **state)
{
	struct err err = { 0 };

	(void)state;
	log_set_level(LOG_ERROR);
	conf_init(&conf);
	conf.store_id = mem_strdup("0042");
	conf.terminal_rate = 0;
	conf.baskets_a_day = 1000000; /* of a few customers, all on one day */
	conf.day_cut_minute = 0;
	conf.hq_host = mem_strdup("hq");
	options = (struct engine_options){
		.conf = &conf, .on_decision = note_decision, .recorded = true
	};
	now_ms = T0;
	late_ms = 0;
	count = decisions = 0;
	texts = arena_new();
	memset(heard_upto, 0, sizeof(heard_upto));
	memset(&parts, 0, sizeof(parts));
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	return 0;
}

/* A state that outlives the engine. */
FIXTURE int
set_up_on_disk(void **state)
{
	struct err err = { 0 };

	set_up(state);
	engine_close(engine);
	snprintf(state_dir, sizeof(state_dir), "/tmp/aisle-spine-XXXXXX");
	assert_non_null(mkdtemp(state_dir));
	options.state_dir = state_dir;
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	return 0;
}

FIXTURE int
tear_down(void **state)
{
	(void)state;
	engine_close(engine);
	engine = NULL;
	conf_done(&conf);
	arena_free(texts);
	buf_done(&line);
	buf_done(&record);
	json_decref(screen);
	screen = NULL;
	token[0] = '\0';
	if (state_dir[0] != '\0') {
		char command[64];

		snprintf(command, sizeof(command), "rm -r %s", state_dir);
		assert_int_equal(system(command), 0);
		state_dir[0] = '\0';
	}
	return 0;
}

/* Killed and started again: what is not on disk is gone. The policy is another object. */
FIXTURE void
restart(void)
{
	struct err err = { 0 };
	struct policy *policy = engine->policy != NULL ? compile_parts(&parts) : NULL;

	engine_close(engine);
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	if (policy != NULL)
		assert_int_equal(engine_set_bundle(engine, NULL, policy, false, &err), 0);
}

FIXTURE char *
quoted(const char *text)
{
	char *copy = arena_strdup(texts, text);

	for (char *c = copy; *c != '\0'; c++) {
		if (*c == '\'')
			*c = '"';
	}
	return copy;
}

/* ---- the policy ---- */

FIXTURE json_t *
json_of(const char *text)
{
	struct err err = { 0 };
	char *json = quoted(text);
	json_t *read = json_read(json, strlen(json), "test", &err);

	if (read == NULL)
		fprintf(stderr, "%s\n%s\n", err.text, json);
	assert_non_null(read);
	return read;
}

FIXTURE void
add_patched_part(const char *name, const char *base, const char *patch)
{
	json_t *target = json_of(base), *change = json_of(patch);
	json_t *merged = json_merge_patch(target, change);
	struct buf text = { 0 };

	json_write(merged, &text);
	add_part(texts, &parts, name, text.data);
	buf_done(&text);
	json_decref(merged);
	json_decref(change);
	json_decref(target);
}

/* Anyone may be shown two cards; nothing is left to chance. */
FIXTURE void
a_policy(const char *patch)
{
	add_patched_part("policy.json",
	    "{'name':'t','version':1,'currency':'EUR','languages':['en','de'],'salts':{'id':'" SALT
	    "','control':'" SALT "','explore':'" SALT
	    "'},'placements':{'tablet':{'slots':2,'headline_max':40},'till':{'slots':1},"
	    "'customer':{'slots':1},'receipt':{'slots':1},'later':{'slots':1}},'explore':'greedy'}",
	    patch);
	add_part(texts, &parts, "zones.json",
	    quoted("{'Europe/Berlin':'CET-1CEST,M3.5.0,M10.5.0/3','UTC':'UTC0'}"));
	add_part(texts, &parts, "features.json",
	    quoted("{'features':[{'name':'tier','type':'string','from':'profile.tier'},"
		   "{'name':'total','type':'number','from':'basket.total()'},"
		   "{'name':'queue','type':'number','from':'store.queue'},"
		   "{'name':'spent','type':'number','from':'local.sum()'},"
		   "{'name':'x','type':'number','from':'event.x'}]}"));
}

/* Advice at each line, for 120 s, with no end of it. */
FIXTURE void
an_action(const char *id, const char *patch)
{
	char *base = arena_printf(texts,
	    "{'action':'%s','kind':'service','issue':'i','group':'g','on':['aisle.basket.item-"
	    "added'],"
	    "'placements':['tablet'],'gate':'associate','expires':'120s','personal':false,'"
	    "propensity':0.5,"
	    "'incremental':0.5,'margin':200,'outcome':{'is':'none'},"
	    "'treatments':[{'treatment':'plain','language':'en','headline':'Do %s'},"
	    "{'treatment':'plain','language':'de','headline':'Tu %s'}]}",
	    id, id, id);

	add_patched_part(arena_printf(texts, "actions/%s.json", id), base, patch);
}

#define OFFER_OF(more) \
	"'kind':'offer','outcome':{'is':'redeemed','within':'0d'},'propensity':0.5," \
	"'offer':{'type':'amount','depth':40,'max':40,'apply':'till-code','until':'0d'" more "}"

FIXTURE void
in_force(void)
{
	struct err err = { 0 };
	int rc = engine_set_bundle(engine, NULL, compile_parts(&parts), false, &err);

	if (rc != 0)
		fprintf(stderr, "%s\n", err.text);
	assert_int_equal(rc, 0);
}

/* A policy of one action. */
FIXTURE void
only(const char *id, const char *patch)
{
	a_policy("{}");
	an_action(id, patch);
	in_force();
}

/* ---- what was said ---- */

FIXTURE const char *
text_of(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text != NULL ? text : "";
}

FIXTURE void
say_guidance(const json_t *json)
{
	const json_t *prompt;
	size_t i;

	buf_addf(&line, "guidance %s:", text_of(json, "station"));
	json_array_foreach(json_object_get(json, "prompts"), i, prompt) {
		const char *state = text_of(prompt, "state");

		buf_addf(&line, " %s", text_of(prompt, "action"));
		if (strcmp(state, "open") != 0)
			buf_addf(&line, "(%s)", state);
	}
}

FIXTURE void
say_output(const struct output *output)
{
	json_t *json = json_loadb(output->payload, output->len, 0, NULL);

	assert_true(json != NULL || output->kind == OUTPUT_HELLO);
	if (line.len > 0)
		buf_adds(&line, "; ");
	switch (output->kind) {
	case OUTPUT_GUIDANCE:
		say_guidance(json);
		json_decref(screen);
		screen = json_incref(json);
		break;
	case OUTPUT_WITHDRAW:
		buf_addf(&line, "withdraw %s %s", output->station, text_of(json, "reason"));
		break;
	case OUTPUT_COMMAND:
		buf_addf(&line, "till %s %s", text_of(json, "terminal"), text_of(json, "type"));
		if (json_object_get(json, "text") != NULL)
			buf_addf(&line, " '%s'", text_of(json, "text"));
		if (json_object_get(json, "token") != NULL)
			snprintf(token, sizeof(token), "%s", text_of(json, "token"));
		break;
	case OUTPUT_RECEIPT: buf_adds(&line, "receipt"); break;
	case OUTPUT_DEAD_LETTER:
		buf_addf(&line, "dead %s", text_of(json, "reason"));
		snprintf(why_dead, sizeof(why_dead), "%s", text_of(json, "detail"));
		break;
	case OUTPUT_HELLO: buf_addf(&line, "hello %s %s", output->topic, output->station); break;
	}
	json_decref(json);
}

/* The turn of one input. */
FIXTURE void
turn(struct input *input)
{
	input->now_ms = now_ms;
	assert_int_equal(turn_run(engine, input, 1), 0);
	buf_clear(&line);
	for (size_t i = 0; i < engine->output_count; i++)
		say_output(&engine->outputs[i]);
	buf_adds(&line, "");
}

FIXTURE const char *
said(void)
{
	return line.len > 0 ? line.data : "";
}
#define assert_said(text) assert_string_equal(said(), text)

/* ---- what is told ---- */

FIXTURE void
tell_named(const char *topic, const char *id, const char *type, const char *data)
{
	char at_text[WHEN_TEXT_SIZE], full[128];
	struct buf text = { 0 };
	struct input input = { .kind = INPUT_MESSAGE, .topic = full };

	snprintf(full, sizeof(full), "aisle/v1/0042/%s", topic);
	when_text(now_ms - late_ms, at_text);
	buf_addf(&text,
	    "{\"specversion\":\"1.0\",\"source\":\"/"
	    "s\",\"id\":\"%s\",\"type\":\"aisle.%s\",\"time\":\"%s\",\"data\":%s}",
	    id, type, at_text, quoted(data));
	input.payload = text.data;
	input.len = text.len;
	turn(&input);
	buf_done(&text);
}

__attribute__((format(printf, 3, 4))) FIXTURE void
tell(const char *topic, const char *type, const char *format, ...)
{
	char id[24], data[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(data, sizeof(data), format, args);
	va_end(args);
	snprintf(id, sizeof(id), "m%d", ++count);
	tell_named(topic, id, type, data);
}

/* At till 7. */
FIXTURE void
open_basket(const char *basket)
{
	tell("pos/7/event", "basket.opened", "{'basket':'%s','terminal':'7'}", basket);
}

FIXTURE void
scan(const char *basket, const char *category, int amount)
{
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'%s','line':%d,'sku':'s%d','category':'%s','qty':1,'amount':%d,'currency':'"
	    "EUR'}",
	    basket, count + 1, count + 1, category, amount);
}

FIXTURE void
identify(const char *subject)
{
	tell("pos/7/event", "customer.identified", "{'subject':'%s','station':'7'}", subject);
}

/* A tablet that speaks over the broker. */
FIXTURE void
know_tablet(const char *name, const char *stations)
{
	assert_int_equal(native_add(engine->store, name, stations, now_ms), 0);
}

FIXTURE void
grant(const char *subject, const char *purpose)
{
	tell("loyalty/r1/event", "consent.changed",
	    "{'subject':'%s','purpose':'%s','state':'granted'}", subject, purpose);
}

FIXTURE void
close_basket(const char *basket, int total)
{
	tell("pos/7/event", "basket.closed", "{'basket':'%s','total':%d,'currency':'EUR'}", basket,
	    total);
}

/* The next sale of the number is cancelled, before the close of this one is heard of. */
FIXTURE void
close_after_the_next_is_cancelled(const char *basket, int total)
{
	now_ms += 2;
	open_basket(basket);
	tell("pos/7/event", "basket.cancelled", "{'basket':'%s'}", basket);
	late_ms = 1;
	close_basket(basket, total);
	late_ms = 0;
}

/* Time goes on, and what is due by then is done. */
FIXTURE void
wait_for(int64_t ms)
{
	struct input input = { .kind = INPUT_CLOCK };

	now_ms += ms;
	turn(&input);
}

/* ---- the tablet ---- */

/* The prompt of an action on the last screen. */
FIXTURE const char *
prompt_of(const char *action)
{
	const json_t *prompt;
	size_t i;

	json_array_foreach(json_object_get(screen, "prompts"), i, prompt) {
		if (strcmp(text_of(prompt, "action"), action) == 0)
			return arena_strdup(texts, text_of(prompt, "prompt"));
	}
	return "";
}

FIXTURE const char *
guidance_on_screen(void)
{
	return arena_strdup(texts, text_of(screen, "guidance"));
}

FIXTURE struct reply
answer_prompt(const char *guidance, const char *prompt, const char *json, const char *pin,
    bool is_shown)
{
	struct input input = { .kind = INPUT_ANSWER,
		.text = "t1",
		.guidance = guidance,
		.prompt = prompt,
		.pin = (char *)(uintptr_t)pin,
		.is_shown = is_shown,
		.answer = json_of(json) };

	turn(&input);
	json_decref(input.answer);
	return input.result;
}

FIXTURE int
answer_with(const char *action, const char *json, const char *pin)
{
	return answer_prompt(guidance_on_screen(), prompt_of(action), json, pin, false).status;
}

FIXTURE int
answer(const char *action, const char *decision)
{
	return answer_with(action, arena_printf(texts, "{'decision':'%s'}", decision), NULL);
}

FIXTURE int
show(const char *action, bool shown)
{
	return answer_prompt(guidance_on_screen(), prompt_of(action),
	    shown ? "{'shown':true}" : "{'shown':false}", NULL, true)
	    .status;
}

/* ---- the report ---- */

FIXTURE json_t *
report(void)
{
	struct buf out = { 0 };
	json_t *json;

	assert_int_equal(query_report(engine, now_ms, &out), 0);
	json = json_loadb(out.data, out.len, 0, NULL);
	buf_done(&out);
	assert_non_null(json);
	return json;
}

/* A member of it, as text. */
FIXTURE const char *
member(const char *name)
{
	json_t *json = report();
	struct buf out = { 0 };
	const char *text = "none";

	if (json_object_get(json, name) != NULL) {
		json_write(json_object_get(json, name), &out);
		text = arena_strdup(texts, out.data);
	}
	buf_done(&out);
	json_decref(json);
	return text;
}

/* ---- what headquarters hears ---- */

struct hearing {
	struct buf text;
	int64_t upto;
};

FIXTURE int
hear(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	struct hearing *hearing = ctx;
	struct buf *out = &hearing->text;
	json_t *json = json_loadb(body, len, 0, NULL);
	int64_t amount;

	(void)at_ms;
	assert_non_null(json);
	hearing->upto = seq;
	if ((strcmp(type, "sale") == 0 && !hear_sales) ||
	    (strcmp(type, "settled") == 0 && !hear_settled)) {
		json_decref(json);
		return 0;
	}
	snprintf(heard_last, sizeof(heard_last), "%.*s", (int)len, (const char *)body);
	buf_adds(out, out->len > 0 ? "; " : "");
	buf_adds(out, strcmp(type, "outcome") == 0 ? text_of(json, "outcome") : type);
	if (json_int(json_object_get(json, "amount"), &amount))
		buf_addf(out, " %lld", (long long)amount);
	if (json_object_get(json, "reason") != NULL)
		buf_addf(out, " (%s)", text_of(json, "reason"));
	json_decref(json);
	return 0;
}

/* New records of a lane. */
FIXTURE const char *
heard(enum lane lane)
{
	struct hearing hearing = { .upto = heard_upto[lane] };
	const char *text;

	assert_int_equal(store_uplink_each(engine->store, lane, heard_upto[lane], 1000, hear,
			     &hearing),
	    0);
	heard_upto[lane] = hearing.upto;
	text = arena_strdup(texts, hearing.text.len > 0 ? hearing.text.data : "");
	buf_done(&hearing.text);
	return text;
}
#define assert_heard(lane, text) assert_string_equal(heard(lane), text)

/* ---- what is kept ---- */

FIXTURE struct id
subject_of(const char *text)
{
	struct id id;

	assert_true(subject_parse(text, &id));
	return id;
}

FIXTURE struct subject *
customer(const char *text)
{
	struct id id = subject_of(text);

	return engine_subject(engine, &id);
}

FIXTURE struct visit *
visit_of(const char *basket)
{
	return sessions_by_basket(engine->sessions, basket);
}

FIXTURE int
count_dead(void *ctx, int64_t n, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const void *payload, size_t len)
{
	(void)n;
	(void)at_ms;
	(void)topic;
	(void)reason;
	(void)detail;
	(void)payload;
	(void)len;
	++*(int *)ctx;
	return 0;
}

FIXTURE int
dead_letters(void)
{
	int dead = 0;

	assert_int_equal(store_dead_each(engine->store, -1, count_dead, &dead), 0);
	return dead;
}

/* The fate of an action in the last decision. */
FIXTURE const char *
fate_in_record(const char *action)
{
	json_t *json = json_loads(record.data, 0, NULL), *candidate;
	const char *fate = "none";
	size_t i;

	json_array_foreach(json_object_get(json, "candidates"), i, candidate) {
		if (strcmp(text_of(candidate, "action"), action) == 0)
			fate = arena_strdup(texts, text_of(candidate, "fate"));
	}
	json_decref(json);
	return fate;
}

#define SPINE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define SPINE_TEST_ON_DISK(f) cmocka_unit_test_setup_teardown(f, set_up_on_disk, tear_down)

#endif
