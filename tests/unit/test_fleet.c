/* SPDX-License-Identifier: Apache-2.0
 *
 * test_fleet.c - what each store runs and who is in trouble, from the health that stores told.
 */
#include "publish_rig.h"

#include "core/when.h"
#include "hq/fleet.h"
#include "tools/fleet_page.h"

#define GOOD_POLICY "\"policy\":{\"name\":\"spring\",\"version\":12,\"hash\":\"ab\"}"

static struct fleet fleet;

static void
hear(const char *store, int minutes_ago, const char *body)
{
	char at[WHEN_TEXT_SIZE];

	when_text(NOW_MS - minutes_ago * MIN_MS, at);
	fleet_add(&fleet, store, at, body);
}

/* "0001:good 0002:silent …" */
static const char *
verdicts(const struct goods *goods)
{
	static char words[2000];
	size_t at = 0;

	fleet_settle(&fleet, goods);
	words[0] = '\0';
	for (size_t i = 0; i < fleet.count; i++)
		at += (size_t)snprintf(words + at, sizeof(words) - at, "%s%s:%s", i > 0 ? " " : "",
		    fleet.stores[i].store, verdict_names[fleet.stores[i].verdict]);
	return words;
}

static void
each_store_has_the_worst_verdict_that_is_so_and_trouble_comes_first(void **state)
{
	(void)state;
	hear("g", 5,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":\"good\"}}");
	hear("p", 5,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":\"probation\"}}");
	hear("f", 5,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":\"fetching\"}}");
	hear("b", 5,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":4,\"state\":\"good\"}}");
	hear("n", 5,
	    "{\"policy\":null,\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":"
	    "\"good\"}}");
	hear("s", 181,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":\"good\"}}");
	hear("w", 5,
	    "{" GOOD_POLICY ",\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":"
	    "\"rolled-back\",\"why\":\"probation\"}}");
	hear("r", 5,
	    "{" GOOD_POLICY ",\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":"
	    "\"refused\",\"why\":\"exam\"}}");
	fleet_expect(&fleet, "x", "", "");
	fleet_expect(&fleet, "g", "", "");
	assert_string_equal(verdicts(NULL),
	    "r:refused w:rolled-back s:silent x:silent n:no-policy b:behind f:on-its-way "
	    "p:probation g:good");
	assert_int_equal(fleet.counts[VERDICT_SILENT], 2);
}

static void
what_a_store_refused_while_it_stays_with_the_old_is_a_refusal(void **state)
{
	(void)state;
	hear("a", 5,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":\"good\"}}");
	hear("b", 5,
	    "{" GOOD_POLICY ",\"release\":{\"channel\":\"stable\",\"sequence\":4,\"state\":"
	    "\"good\",\"why\":\"threshold\"}}");
	hear("c", 5,
	    "{" GOOD_POLICY ",\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":"
	    "\"good\",\"why\":\"not-for-us\"}}");
	/* Its profiles. */
	hear("d", 5,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":\"good\"},"
	    "\"own_release\":{\"sequence\":9,\"state\":\"refused\",\"why\":\"wrong-hash\"}}");
	assert_string_equal(verdicts(NULL), "b:refused d:refused a:good c:good");
	assert_string_equal(fleet.stores[1].why, "wrong-hash");
	assert_string_equal(fleet.stores[3].why, "");
}

static void
silence_begins_after_three_hours(void **state)
{
	(void)state;
	hear("a", 180, "{" GOOD_POLICY "}");
	hear("b", 181, "{" GOOD_POLICY "}");
	assert_string_equal(verdicts(NULL), "b:silent a:good");
}

static void
a_store_is_held_against_the_release_that_is_for_it(void **state)
{
	struct hq *hq;
	void *opened;
	struct release all = rig_release(4), early = rig_release(5), other = rig_release(9);

	(void)state;
	hq_open(&opened);
	hq = opened;
	strcpy(early.rings[0], "early");
	early.ring_count = 1;
	strcpy(other.channel, "pilot");
	hq_add_release(hq, &all, "4");
	hq_add_release(hq, &early, "5");
	hq_add_release(hq, &other, "9");
	hear("a", 5,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":4,\"state\":\"good\"}}");
	hear("b", 5,
	    "{" GOOD_POLICY ",\"ring\":\"early\",\"release\":{\"channel\":\"stable\",\"sequence\":"
	    "4,\"state\":\"good\"}}");
	assert_string_equal(verdicts(&hq->goods), "b:behind a:good");
	assert_int_equal(fleet.stores[0].expected, 5);
	hq_close(&opened);
}

static void
nobody_is_behind_a_release_that_is_held(void **state)
{
	struct hq *hq;
	void *opened;
	struct release all = rig_release(4), next = rig_release(5), held = rig_release(6);

	(void)state;
	hq_open(&opened);
	hq = opened;
	all.bundles[BUNDLE_POLICY].hash[0] = all.bundles[BUNDLE_POLICY].hash[0] == 'f' ? 'e' : 'f';
	held.has_percent = true;
	hq_add_release(hq, &all, "4");
	hq_add_release(hq, &next, "5");
	hear("a", 5,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":4,\"state\":\"good\"}}");
	hear("b", 5,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":\"good\"}}");
	assert_string_equal(verdicts(&hq->goods), "a:behind b:good");
	hq_add_release(hq, &held, "6");
	assert_string_equal(verdicts(&hq->goods), "a:good b:good");
	assert_int_equal(fleet.stores[0].expected, 4);
	assert_int_equal(fleet.stores[1].expected, 5);
	hq_close(&opened);
}

static void
what_is_wrong_beside_the_verdict_is_a_mark(void **state)
{
	static const struct {
		const char *member;
		int marks;
	} rows[] = {
		{ "\"queued\":99999", 0 },
		{ "\"queued\":100000", MARK_QUEUE },
		{ "\"store_time\":\"certain\"", 0 },
		{ "\"store_time\":\"uncertain\"", MARK_CLOCK },
		{ "\"damaged\":1", MARK_DAMAGED },
		{ "\"refused\":{\"bad-signature\":2}", MARK_ATTACKED },
		/* A roll-out in steps. */
		{ "\"refused\":{\"not-for-us\":4,\"other-channel\":1}", 0 },
		/* Its own judgement. */
		{ "\"refused\":{\"shadow\":1,\"gap\":2,\"not-for-us\":9}", 0 },
		{ "\"disk\":{\"state_bytes\":89,\"max_bytes\":100,\"free_bytes\":500}", 0 },
		{ "\"disk\":{\"state_bytes\":90,\"max_bytes\":100,\"free_bytes\":500}", MARK_DISK },
		/* Others have filled the disk. */
		{ "\"disk\":{\"state_bytes\":10,\"max_bytes\":100,\"free_bytes\":1}", MARK_DISK },
		{ "\"disk\":{\"state_bytes\":0,\"max_bytes\":100,\"free_bytes\":0}", MARK_DISK },
		/* More than an int has of percent, and less than nothing: a store may say anything. */
		{ "\"disk\":{\"state_bytes\":1000000000000,\"max_bytes\":1}", MARK_DISK },
		{ "\"disk\":{\"state_bytes\":-1000000000000,\"max_bytes\":1}", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char body[300];

		snprintf(body, sizeof(body), "{" GOOD_POLICY ",%s}", rows[i].member);
		hear("a", 1, body);
		fleet_settle(&fleet, NULL);
		if (fleet.stores[0].marks != rows[i].marks)
			fail_msg("%s: %d, expected %d", rows[i].member, fleet.stores[0].marks,
			    rows[i].marks);
		fleet_done(&fleet);
		fleet.now_ms = NOW_MS;
		fleet.silent_ms = FLEET_SILENT_MS;
	}
}

static void
what_a_store_says_neither_steers_a_terminal_nor_becomes_markup(void **state)
{
	struct buf json = { 0 }, text = { 0 }, page = { 0 };
	json_t *read;

	(void)state;
	hear("a", 1,
	    "{\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":\"refused\",\"why\":"
	    "\"x\\u001b[31m\","
	    "\"detail\":\"</script><script>document.title='hit'</script>\"}}");
	hear("b", 1, "nonsense");
	hear("c", 1, "[]");
	assert_string_equal(verdicts(NULL), "a:refused b:no-policy c:no-policy");
	fleet_text(&fleet, &text);
	assert_null(strchr(text.data, '\033'));
	fleet_json(&fleet, JSON_WRITER(&json));
	read = json_loads(json.data, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(read, "stores")), 3);
	json_decref(read);
	fleet_page(&json, &page);
	assert_null(strstr(page.data, "<script>document"));
	assert_non_null(strstr(page.data, "\\u003c/script>"));
	buf_done(&json);
	buf_done(&text);
	buf_done(&page);
}

static void
rings_are_counted_by_who_runs_the_newest(void **state)
{
	struct buf text = { 0 };

	(void)state;
	hear("a", 1,
	    "{" GOOD_POLICY ",\"ring\":\"early\",\"release\":{\"channel\":\"stable\",\"sequence\":"
	    "5,\"state\":\"good\"}}");
	hear("b", 1,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":4,\"state\":\"good\"}}");
	hear("c", 1,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":\"good\"}}");
	hear("d", 1,
	    "{" GOOD_POLICY
	    ",\"release\":{\"channel\":\"stable\",\"sequence\":5,\"state\":\"refused\"}}");
	/* Never heard. */
	fleet_expect(&fleet, "e", "stable", "");
	fleet_settle(&fleet, NULL);
	fleet_text(&fleet, &text);
	assert_non_null(strstr(text.data,
	    "stable: release 5 in 1 of 4 (25 %)\nstable, ring early: release 5 in 1 of 1 (100 "
	    "%)\n"));
	buf_done(&text);
}

static int
begin(void **state)
{
	(void)state;
	fleet = (struct fleet){ .now_ms = NOW_MS, .silent_ms = FLEET_SILENT_MS };
	return 0;
}

static int
end(void **state)
{
	(void)state;
	fleet_done(&fleet);
	return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(each_store_has_the_worst_verdict_that_is_so_and_trouble_comes_first),
		TEST(what_a_store_refused_while_it_stays_with_the_old_is_a_refusal),
		TEST(silence_begins_after_three_hours),
		TEST(a_store_is_held_against_the_release_that_is_for_it),
		TEST(nobody_is_behind_a_release_that_is_held),
		TEST(what_is_wrong_beside_the_verdict_is_a_mark),
		TEST(what_a_store_says_neither_steers_a_terminal_nor_becomes_markup),
		TEST(rings_are_counted_by_who_runs_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
