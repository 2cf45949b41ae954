/* SPDX-License-Identifier: Apache-2.0
 *
 * test_library.c - include/aisle/engine.h does what it says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "aisle/engine.h"
#include "spine/spine.h"
#include "store/store_internal.h"
#include "sync/bundle.h"
#include "sync/catalog.h"

#define T0 INT64_C(1795255200000) /* 2026-11-21T10:00:00Z */
#define SALT "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char dir[64], hint[80], tip[80]; /* the bundles of a policy with this one action */

/* ---- two policies ---- */

static void
write_file(const char *folder, const char *name, const char *text)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
build(const char *action, const char *currency, char *ret_path, size_t size)
{
	char folder[100], text[1000];
	struct buf report = { 0 };
	struct err err = { 0 };

	snprintf(folder, sizeof(folder), "%s/%s", dir, action);
	mkdir(folder, 0700);
	snprintf(text, sizeof(text),
	    "{\"name\":\"%s\",\"version\":1,\"currency\":\"%s\",\"languages\":[\"en\"],"
	    "\"salts\":{\"id\":\"" SALT "\",\"control\":\"" SALT "\",\"explore\":\"" SALT "\"},"
	    "\"placements\":{\"tablet\":{\"slots\":1,\"headline_max\":40}},"
	    "\"explore\":\"greedy\",\"interrupt\":3}",
	    action, currency);
	write_file(folder, "policy.json", text);
	write_file(folder, "features.json", "{\"features\":[]}");
	snprintf(text, sizeof(text), "%s/actions", folder);
	mkdir(text, 0700);
	snprintf(text, sizeof(text),
	    "{\"action\":\"%s\",\"group\":\"a\",\"kind\":\"inform\",\"issue\":\"grow\","
	    "\"on\":[\"aisle.basket.item-added\"],\"propensity\":0.5,\"incremental\":1,"
	    "\"margin\":200,\"personal\":false,\"outcome\":{\"is\":\"none\"},"
	    "\"placements\":[\"tablet\"],\"gate\":\"associate\",\"expires\":\"120s\","
	    "\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Look\"}]}",
	    action);
	write_file(folder, "actions/a.json", text);
	snprintf(ret_path, size, "%s/%s.bundle", dir, action);
	if (bundle_build(folder, ret_path, &report, &err) != 0)
		fail_msg("%s\n%s", err.text, report.data);
	buf_done(&report);
}

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/aisle-library-XXXXXX");
	assert_non_null(mkdtemp(dir));
	build("hint", "USD", hint, sizeof(hint));
	build("tip", "USD", tip, sizeof(tip));
	return 0;
}

static int
tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* ---- a store ---- */

#define OPENED \
	"{\"specversion\":\"1.0\",\"source\":\"/" \
	"s\",\"id\":\"1\",\"type\":\"aisle.basket.opened\"," \
	"\"topic\":\"pos/7/event\",\"time\":\"2026-11-21T10:00:00Z\"," \
	"\"data\":{\"basket\":\"b\",\"terminal\":\"7\"}}"
#define ADDED \
	"{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"2\",\"type\":" \
	"\"aisle.basket.item-added\",\"topic\":\"pos/7/event\"," \
	"\"time\":\"2026-11-21T10:00:01Z\",\"data\":{\"basket\":\"b\",\"line\":1,\"sku\":\"s\"," \
	"\"category\":\"c\",\"qty\":1,\"amount\":10,\"currency\":\"USD\"}}"

static struct aisle_engine *
open_store(const struct aisle_options *options)
{
	struct aisle_engine *engine;

	if (aisle_open(options, &engine) != 0)
		fail_msg("%s", aisle_error(engine));
	if (aisle_set_bundle(engine, hint) != 0)
		fail_msg("%s", aisle_error(engine));
	return engine;
}

static void
feed(struct aisle_engine *engine, const char *events)
{
	if (aisle_feed(engine, events, strlen(events)) != 0)
		fail_msg("%s", aisle_error(engine));
}

/* The next output, which must be of this kind. */
static struct aisle_output
next(struct aisle_engine *engine, enum aisle_kind kind)
{
	struct aisle_output output = { 0 };

	assert_true(aisle_next(engine, &output));
	if (output.kind != kind)
		fail_msg("%d, expected %d: %s", (int)output.kind, (int)kind, output.json);
	assert_int_equal(strlen(output.json), output.len);
	assert_int_equal(output.json[0], '{');
	return output;
}

static void
no_more(struct aisle_engine *engine)
{
	struct aisle_output output;

	assert_false(aisle_next(engine, &output));
}

static void
says(const struct aisle_engine *engine, const char *what)
{
	if (strstr(aisle_error(engine), what) == NULL)
		fail_msg("\"%s\", expected \"%s\"", aisle_error(engine), what);
}

/* ---- what it makes ---- */

static void
a_decision_comes_before_what_follows_from_it_and_each_thing_once(void **state)
{
	struct aisle_options options = { .store = "0042" };
	struct aisle_engine *engine = open_store(&options);
	struct aisle_output output;

	(void)state;
	no_more(engine);
	feed(engine, OPENED "\r\n\n" ADDED);
	(void)next(engine, AISLE_DECISION);
	output = next(engine, AISLE_GUIDANCE);
	assert_string_equal(output.topic, "aisle/v1/0042/guidance/7");
	assert_string_equal(output.station, "7");
	no_more(engine);
	/* Nothing of it comes a second time with a call that makes nothing. */
	feed(engine, "");
	no_more(engine);
	feed(engine, ADDED);
	no_more(engine);
	aisle_close(engine);
}

static void
lines_are_cut_into_calls_as_one_likes(void **state)
{
	struct aisle_options options = { .store = "0042" };
	struct aisle_engine *one = open_store(&options), *other = open_store(&options);
	struct aisle_output output;

	(void)state;
	feed(one, OPENED "\n" ADDED "\n");
	feed(other, OPENED "\n");
	no_more(other);
	feed(other, ADDED);
	output = next(one, AISLE_DECISION);
	assert_string_equal(output.json, next(other, AISLE_DECISION).json);
	aisle_close(one);
	aisle_close(other);
}

static void
what_is_no_event_is_a_dead_letter_and_no_error(void **state)
{
	struct aisle_options options = { .store = "0042" };
	struct aisle_engine *engine = open_store(&options);

	(void)state;
	feed(engine, "no event\n" OPENED "\n" ADDED "\n");
	assert_non_null(strstr(next(engine, AISLE_DEAD_LETTER).json, "not-json"));
	(void)next(engine, AISLE_DECISION);
	aisle_close(engine);
}

static void
a_card_expires_when_time_passes(void **state)
{
	struct aisle_options options = { .store = "0042" };
	struct aisle_engine *engine = open_store(&options);

	(void)state;
	feed(engine, OPENED "\n" ADDED);
	assert_int_equal(aisle_advance(engine, T0 + 100000), 0);
	no_more(engine);
	assert_int_equal(aisle_advance(engine, T0 + 122000), 0);
	assert_non_null(strstr(next(engine, AISLE_WITHDRAW).json, "expired"));
	assert_int_equal(aisle_advance(engine, T0), 0);
	no_more(engine);
	aisle_close(engine);
}

static void
what_a_later_policy_does_not_know_is_withdrawn(void **state)
{
	struct aisle_options options = { .store = "0042" };
	struct aisle_engine *engine = open_store(&options);

	(void)state;
	feed(engine, OPENED "\n" ADDED);
	assert_int_equal(aisle_set_bundle(engine, tip), 0);
	(void)next(engine, AISLE_WITHDRAW);
	no_more(engine);
	aisle_close(engine);
}

/* ---- questions ---- */

/* The id of the decision that is the next output. */
static void
decision_id(struct aisle_engine *engine, char ret_id[static 27])
{
	const char *at = strstr(next(engine, AISLE_DECISION).json, "\"decision\":\"");

	assert_non_null(at);
	snprintf(ret_id, 27, "%s", at + 12);
}

static void
questions_are_answered_and_change_nothing(void **state)
{
	struct aisle_options options = { .store = "0042" };
	struct aisle_engine *engine = open_store(&options);
	const char *json;
	char id[27];
	size_t len;

	(void)state;
	feed(engine, OPENED "\n" ADDED);
	decision_id(engine, id);
	assert_int_equal(aisle_query(engine, AISLE_QUERY_DECISION, id, &json, &len), 0);
	assert_int_equal(strlen(json), len);
	assert_non_null(strstr(json, "\"outcomes\":["));
	assert_int_equal(aisle_query(engine, AISLE_QUERY_STATION, "7", &json, &len), 0);
	assert_non_null(strstr(json, "Look"));
	assert_int_equal(aisle_query(engine, AISLE_QUERY_STATIONS, NULL, &json, &len), 0);
	assert_string_equal(json, "{\"stations\":[{\"station\":\"7\",\"open\":1}]}");
	assert_int_equal(aisle_query(engine, AISLE_QUERY_REPORT, NULL, &json, &len), 0);
	assert_non_null(strstr(json, "\"hint\""));
	id[25] = id[25] == '0' ? '1' : '0';
	assert_int_equal(aisle_query(engine, AISLE_QUERY_DECISION, id, &json, &len), AISLE_E_NONE);
	assert_int_equal(aisle_query(engine, AISLE_QUERY_STATION, NULL, &json, &len),
	    AISLE_E_INVALID);
	assert_int_equal(aisle_query(engine, (enum aisle_query)99, "x", &json, &len),
	    AISLE_E_INVALID);
	/* What the feed made is still to be had. */
	(void)next(engine, AISLE_GUIDANCE);
	aisle_close(engine);
}

static void
decisions_that_are_not_kept_cannot_be_asked_for(void **state)
{
	struct aisle_options options = { .store = "0042", .forget_decisions = true };
	struct aisle_engine *engine = open_store(&options);
	const char *json;
	char id[27];
	size_t len;

	(void)state;
	feed(engine, OPENED "\n" ADDED);
	decision_id(engine, id);
	assert_int_equal(aisle_query(engine, AISLE_QUERY_DECISION, id, &json, &len), AISLE_E_NONE);
	aisle_close(engine);
}

/* ---- a folder ---- */

static void
a_folder_is_gone_on_from_by_one_at_a_time(void **state)
{
	char folder[80];
	struct aisle_options options = { .store = "0042", .state = folder };
	struct aisle_engine *engine, *second;
	const char *json;
	char id[27];
	size_t len;

	(void)state;
	snprintf(folder, sizeof(folder), "%s/state", dir);
	engine = open_store(&options);
	feed(engine, OPENED "\n" ADDED);
	decision_id(engine, id);
	assert_int_equal(aisle_open(&options, &second), AISLE_E_IO);
	says(second, "in use");
	aisle_close(second);
	aisle_close(engine);
	engine = open_store(&options);
	assert_int_equal(aisle_query(engine, AISLE_QUERY_DECISION, id, &json, &len), 0);
	feed(engine, ADDED);
	no_more(engine);
	aisle_close(engine);
}

static void
what_could_not_be_written_did_not_happen_and_may_be_fed_again(void **state)
{
	char folder[80];
	struct aisle_options options = { .store = "0042", .state = folder };
	struct aisle_engine *engine;
	struct rlimit old, none = { 0 };

	(void)state;
	snprintf(folder, sizeof(folder), "%s/full", dir);
	engine = open_store(&options);
	feed(engine, OPENED);
	/* The disk takes nothing more. */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_true(aisle_feed(engine, ADDED, strlen(ADDED)) < 0);
	says(engine, "cannot be written");
	no_more(engine);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	feed(engine, ADDED);
	(void)next(engine, AISLE_DECISION);
	aisle_close(engine);
}

/* The row of basket b, in a folder, is filled up to so many bytes. */
static void
leave_room(const char *folder, size_t left)
{
	struct conf conf;
	struct engine_options options = { .conf = &conf, .state_dir = folder, .sealed = true };
	struct engine *engine;
	struct visit *visit;
	struct buf row = { 0 };
	struct err err = { 0 };

	conf_init(&conf);
	free(conf.store_id);
	conf.store_id = mem_strdup("0");
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	assert_int_equal(store_begin(engine->store), 0);
	visit = sessions_by_basket(engine->sessions, "b");
	assert_non_null(visit);
	visit_encode(visit, &row);
	free(visit->associate);
	visit->associate = mem_calloc(1, STORE_BODY_MAX - row.len - left);
	memset(visit->associate, 'a', STORE_BODY_MAX - row.len - left - 1);
	engine_touch(engine, visit);
	engine_save(engine);
	assert_int_equal(engine->failed, 0);
	assert_int_equal(store_commit(engine->store), 0);
	engine_close(engine);
	conf_done(&conf);
	buf_done(&row);
}

static void
what_no_row_can_hold_is_set_aside_and_its_neighbours_are_applied(void **state)
{
	static const char others[] =
	    "{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"%d\",\"type\":"
	    "\"aisle.basket.item-added\",\"topic\":\"pos/8/event\","
	    "\"time\":\"2026-11-21T10:00:01Z\",\"data\":{\"basket\":\"c%d\",\"line\":1,"
	    "\"sku\":\"s\",\"category\":\"c\",\"qty\":1,\"amount\":10,\"currency\":\"USD\"}}\n";
	char folder[100], events[2000], *at = events;
	struct aisle_options options = { .state = folder };
	struct aisle_engine *engine;
	struct aisle_output output;

	(void)state;
	snprintf(folder, sizeof(folder), "%s/large", dir);
	engine = open_store(&options);
	feed(engine, OPENED);
	aisle_close(engine);
	leave_room(folder, 8);
	engine = open_store(&options);
	at += sprintf(at, others, 3, 3);
	at += sprintf(at, "%s\n", ADDED);
	sprintf(at, others, 4, 4);
	feed(engine, events);
	(void)next(engine, AISLE_DECISION);
	(void)next(engine, AISLE_GUIDANCE);
	output = next(engine, AISLE_DEAD_LETTER);
	assert_non_null(strstr(output.json, "could not be written"));
	(void)next(engine, AISLE_DECISION);
	(void)next(engine, AISLE_GUIDANCE);
	no_more(engine);
	/* It goes on. */
	feed(engine, events);
	(void)next(engine, AISLE_DEAD_LETTER);
	no_more(engine);
	aisle_close(engine);
}

/* ---- what is wrong ---- */

static void
an_open_that_fails_says_why_and_is_closed(void **state)
{
	char path[100];
	struct aisle_options options = { .store = "a/b" };
	struct aisle_engine *engine;

	(void)state;
	assert_int_equal(aisle_open(&options, &engine), AISLE_E_CONFIG);
	says(engine, "store: expected");
	assert_int_equal(aisle_feed(engine, OPENED, strlen(OPENED)), AISLE_E_IO);
	assert_int_equal(aisle_set_bundle(engine, hint), AISLE_E_IO);
	assert_int_equal(aisle_advance(engine, T0), AISLE_E_IO);
	no_more(engine);
	aisle_close(engine);

	snprintf(path, sizeof(path), "%s/aisled.conf", dir);
	write_file(dir, "aisled.conf", "[store]\nzone = /x\nid = 0042\n");
	options = (struct aisle_options){ .config = path };
	assert_int_equal(aisle_open(&options, &engine), AISLE_E_CONFIG);
	says(engine, "aisled.conf:2: bad value for zone");
	assert_true(aisle_error(engine)[strlen(aisle_error(engine)) - 1] != '\n');
	aisle_close(engine);

	options = (struct aisle_options){ .profiles = "/nowhere" };
	assert_int_equal(aisle_open(&options, &engine), AISLE_E_IO);
	says(engine, "/nowhere");
	aisle_close(engine);
	aisle_close(NULL);
}

static void
a_pepper_file_is_read_and_refused_by_name(void **state)
{
	char path[100], text[200];
	struct aisle_options options = { .config = path };
	struct aisle_engine *engine;

	(void)state;
	snprintf(path, sizeof(path), "%s/pepper.conf", dir);
	snprintf(text, sizeof(text), "[store]\nid = 0042\n[privacy]\npepper_file = %s/pepper\n",
	    dir);
	write_file(dir, "pepper.conf", text);
	write_file(dir, "pepper", "not hex\n");
	assert_int_equal(aisle_open(&options, &engine), AISLE_E_CONFIG);
	says(engine, "expected 64 hex digits");
	aisle_close(engine);
	write_file(dir, "pepper", SALT "\n");
	assert_int_equal(aisle_open(&options, &engine), 0);
	aisle_close(engine);
}

static void
what_an_event_does_not_say_of_an_article_a_catalog_does(void **state)
{
	static const char bare[] =
	    "{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"3\",\"type\":"
	    "\"aisle.basket.item-added\",\"topic\":\"pos/7/event\","
	    "\"time\":\"2026-11-21T10:00:01Z\",\"data\":{\"basket\":\"b\",\"line\":1,"
	    "\"sku\":\"s\",\"qty\":1,\"amount\":10,\"currency\":\"USD\"}}";
	struct aisle_options options = { .store = "0042" };
	struct aisle_engine *engine = open_store(&options);
	char table[100], file[100];
	struct catalog_built built;
	struct buf report = { 0 };
	struct err err = { 0 };

	(void)state;
	snprintf(table, sizeof(table), "%s/t.csv", dir);
	snprintf(file, sizeof(file), "%s/t.catalog", dir);
	write_file(dir, "t.csv", "sku,category\ns,c\n");
	assert_int_equal(catalog_build(&(struct catalog_build){ .table = table,
					   .name = "t",
					   .version = 1,
					   .output = file },
			     &built, &report, &err),
	    0);
	assert_int_equal(aisle_set_catalog(engine, "/nowhere"), AISLE_E_NONE);
	says(engine, "/nowhere");
	assert_int_equal(aisle_set_catalog(engine, hint), AISLE_E_INVALID);
	assert_int_equal(aisle_set_catalog(engine, file), 0);
	feed(engine, OPENED "\n");
	feed(engine, bare);
	(void)next(engine, AISLE_DECISION);
	assert_int_equal(aisle_set_catalog(engine, NULL), 0);
	aisle_close(engine);
	buf_done(&report);
}

static void
a_bundle_that_cannot_be_used_leaves_the_one_in_force(void **state)
{
	struct aisle_options options = { .store = "0042" };
	struct aisle_engine *engine = open_store(&options);
	char other[80];

	(void)state;
	assert_true(aisle_set_bundle(engine, "/nowhere") < 0);
	says(engine, "/nowhere");
	/* Its currency is the first policy's, from then on. */
	build("euro", "EUR", other, sizeof(other));
	assert_int_equal(aisle_set_bundle(engine, other), AISLE_E_REFUSED);
	says(engine, "currency is EUR");
	feed(engine, OPENED "\n" ADDED);
	assert_non_null(strstr(next(engine, AISLE_DECISION).json, "\"hint\""));
	aisle_close(engine);
}

static void
a_line_without_end_is_refused_and_nothing_of_its_call_applied(void **state)
{
	struct aisle_options options = { .store = "0042" };
	struct aisle_engine *engine = open_store(&options);
	struct buf text = { 0 };

	(void)state;
	buf_adds(&text, OPENED "\n" ADDED "\n");
	while (text.len < (2u << 20))
		buf_adds(&text, "{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{");
	assert_int_equal(aisle_feed(engine, text.data, text.len), AISLE_E_INVALID);
	says(engine, "longer than 1 MiB");
	no_more(engine);
	feed(engine, OPENED "\n" ADDED);
	(void)next(engine, AISLE_DECISION);
	buf_done(&text);
	aisle_close(engine);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_decision_comes_before_what_follows_from_it_and_each_thing_once),
		cmocka_unit_test(lines_are_cut_into_calls_as_one_likes),
		cmocka_unit_test(what_is_no_event_is_a_dead_letter_and_no_error),
		cmocka_unit_test(a_card_expires_when_time_passes),
		cmocka_unit_test(what_a_later_policy_does_not_know_is_withdrawn),
		cmocka_unit_test(questions_are_answered_and_change_nothing),
		cmocka_unit_test(decisions_that_are_not_kept_cannot_be_asked_for),
		cmocka_unit_test(a_folder_is_gone_on_from_by_one_at_a_time),
		cmocka_unit_test(what_could_not_be_written_did_not_happen_and_may_be_fed_again),
		cmocka_unit_test(what_no_row_can_hold_is_set_aside_and_its_neighbours_are_applied),
		cmocka_unit_test(an_open_that_fails_says_why_and_is_closed),
		cmocka_unit_test(a_pepper_file_is_read_and_refused_by_name),
		cmocka_unit_test(what_an_event_does_not_say_of_an_article_a_catalog_does),
		cmocka_unit_test(a_bundle_that_cannot_be_used_leaves_the_one_in_force),
		cmocka_unit_test(a_line_without_end_is_refused_and_nothing_of_its_call_applied),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
