/* SPDX-License-Identifier: Apache-2.0
 *
 * test_publish_want.c - stores that ask for chunks: who gets which, and that nobody takes the others' share.
 */
#include "publish_rig.h"

#include "hq/publish_artifact.h"
#include "hq/publish_want.h"

static struct artifact_file shared = { .bytes = 40 * RELEASE_CHUNK + 1 }, own = { .bytes = 100 };
static struct grant grants[] = { { "", &shared }, { "0417", &own } };
static const struct plan plan = { .grants = grants, .grant_count = 2 };
static struct wants wants;

/* "@" in the request is the shared bundle's hash. */
static bool
ask_at(int64_t now_ms, const char *store, const char *request)
{
	char topic[100];
	struct buf text = { 0 };
	bool taken;

	snprintf(topic, sizeof(topic), TOPIC_HQ "store/%s/want", store);
	buf_adds(&text, "");
	for (const char *at = request; *at != '\0'; at++)
		if (*at == '@')
			buf_adds(&text, shared.hash);
		else
			buf_addc(&text, *at);
	taken = wants_take(&wants, &plan, topic, text.len > 0 ? text.data : "", text.len, now_ms);
	buf_done(&text);
	return taken;
}

static bool
ask(const char *store, const char *request)
{
	return ask_at(0, store, request);
}

/* All that is sent until nothing is due: "0417:0 0418:5 …" */
static const char *
sent(int64_t now_ms)
{
	static char words[65536];
	char store[TRUST_NAME_SIZE];
	const struct artifact_file *artifact;
	size_t at = 0;
	int64_t n;

	words[0] = '\0';
	while (wants_next(&wants, now_ms, store, &artifact, &n))
		at += (size_t)snprintf(words + at, sizeof(words) - at, "%s%s:%d", at > 0 ? " " : "",
		    store, (int)n);
	return words;
}

static void
a_store_gets_what_it_asked_for_up_to_the_end(void **state)
{
	(void)state;
	assert_true(ask("0417", "{\"hash\":\"@\",\"from\":38,\"count\":32}"));
	assert_string_equal(sent(0), "0417:38 0417:39 0417:40");
	assert_string_equal(sent(0), "");
}

static void
stores_take_turns_and_a_new_request_replaces_the_old_one(void **state)
{
	(void)state;
	assert_true(ask("0417", "{\"hash\":\"@\",\"from\":0,\"count\":2}"));
	assert_true(ask("0418", "{\"hash\":\"@\",\"from\":5,\"count\":2}"));
	assert_true(ask("0418", "{\"hash\":\"@\",\"from\":7,\"count\":3}"));
	assert_string_equal(sent(0), "0417:0 0418:7 0417:1 0418:8 0418:9");
}

static void
what_is_no_request_or_not_for_them_is_not_answered(void **state)
{
	static const char *const requests[] = { "", "nonsense", "[]", "{}",
		"{\"hash\":\"@\",\"from\":0}", "{\"hash\":\"@\",\"from\":0,\"count\":0}",
		"{\"hash\":\"@\",\"from\":0,\"count\":33}",
		"{\"hash\":\"@\",\"from\":-1,\"count\":1}",
		"{\"hash\":\"@\",\"from\":41,\"count\":1}",
		"{\"hash\":\"@\",\"from\":0.5,\"count\":1}",
		"{\"hash\":\"@\",\"from\":9223372036854775807,\"count\":1}",
		"{\"hash\":\"@\",\"from\":0,\"count\":1,\"more\":1}",
		"{\"hash\":\"@\",\"hash\":\"@\",\"from\":0,\"count\":1}",
		("{\"hash\":\"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\","
		 "\"from\":0,\"count\":1}"),
		"{\"hash\":\"../../etc/passwd\",\"from\":0,\"count\":1}" };
	char request[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		assert_false(ask("0417", requests[i]));
		assert_int_equal(wants.refused, i + 1);
	}
	snprintf(request, sizeof(request), "{\"hash\":\"%s\",\"from\":0,\"count\":1}", own.hash);
	assert_false(ask("0418", request));
	assert_true(ask("0417", request));
	assert_false(wants_take(&wants, &plan, TOPIC_HQ "store/a b/want", request, strlen(request),
	    0));
	assert_false(wants_take(&wants, &plan, TOPIC_HQ "store/0417/up/want", request,
	    strlen(request), 0));
}

static void
one_store_cannot_take_more_than_its_share(void **state)
{
	int chunks = 0;

	(void)state;
	for (int i = 0; i < 10; i++) {
		ask("0417", "{\"hash\":\"@\",\"from\":0,\"count\":32}");
		for (const char *at = sent(0); (at = strstr(at, "0417:")) != NULL; at++)
			chunks++;
	}
	assert_int_equal(chunks, WANT_STORE_BURST);
	assert_true(ask("0418", "{\"hash\":\"@\",\"from\":0,\"count\":1}"));
	assert_string_equal(sent(0), "0418:0");
	ask("0417", "{\"hash\":\"@\",\"from\":0,\"count\":32}");
	assert_string_equal(sent(1000 / WANT_STORE_S + 1), "0417:0");
}

static void
all_together_keep_the_rate(void **state)
{
	char store[TRUST_NAME_SIZE];
	const struct artifact_file *artifact;
	int64_t n;

	(void)state;
	wants_done(&wants);
	wants_init(&wants, 64, 0); /* KiB a second */
	assert_true(ask("0417", "{\"hash\":\"@\",\"from\":0,\"count\":32}"));
	assert_true(wants_next(&wants, 0, store, &artifact, &n));
	wants_sent(&wants, 65536);
	assert_false(wants_next(&wants, 500, store, &artifact, &n));
	assert_true(wants_next(&wants, 1000, store, &artifact, &n));
}

static void
more_stores_than_there_is_room_for_wait_for_a_row(void **state)
{
	char store[16];

	(void)state;
	for (int i = 0; i < WANTS_STORES_MAX; i++) {
		snprintf(store, sizeof(store), "s%d", i);
		assert_true(ask(store, "{\"hash\":\"@\",\"from\":0,\"count\":1}"));
	}
	assert_false(ask("one-more", "{\"hash\":\"@\",\"from\":0,\"count\":1}"));
	while (sent(0)[0] != '\0')
		;
	assert_true(ask("one-more", "{\"hash\":\"@\",\"from\":0,\"count\":1}"));
	assert_int_equal(wants.count, WANTS_STORES_MAX);
}

static int
begin(void **state)
{
	(void)state;
	memset(shared.hash, 'a', 64);
	memset(own.hash, 'b', 64);
	wants_init(&wants, 0, 0);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	wants_done(&wants);
	return 0;
}

static void
a_chunk_is_one_frame_of_exactly_its_bytes(void **state)
{
	struct hq *hq;
	void *opened;
	struct release release = rig_release(1);
	struct buf chunk = { 0 }, plain = { 0 };
	struct err err = { 0 };

	(void)state;
	hq_open(&opened);
	hq = opened;
	hq_add_artifact(hq, &release, BUNDLE_POLICY, RELEASE_CHUNK + 9, 'x');
	assert_int_equal(artifact_chunks(RELEASE_CHUNK + 9), 2);
	assert_int_equal(artifact_chunk(&hq->goods.artifacts[0], 0, &chunk, &err), 0);
	assert_int_equal(chunk_unpack(chunk.data, chunk.len, &plain), 0);
	assert_int_equal(plain.len, RELEASE_CHUNK);
	assert_int_equal(artifact_chunk(&hq->goods.artifacts[0], 1, &chunk, &err), 0);
	assert_int_equal(chunk_unpack(chunk.data, chunk.len, &plain), 0);
	assert_int_equal(plain.len, 9);
	assert_int_equal(chunk_unpack(chunk.data, chunk.len - 1, &plain), AISLE_E_INVALID);
	/* Another file took its place. */
	hq->goods.artifacts[0].bytes++;
	assert_int_equal(artifact_chunk(&hq->goods.artifacts[0], 1, &chunk, &err), AISLE_E_REFUSED);
	buf_done(&chunk);
	buf_done(&plain);
	hq_close(&opened);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_store_gets_what_it_asked_for_up_to_the_end),
		TEST(stores_take_turns_and_a_new_request_replaces_the_old_one),
		TEST(what_is_no_request_or_not_for_them_is_not_answered),
		TEST(one_store_cannot_take_more_than_its_share),
		TEST(all_together_keep_the_rate),
		TEST(more_stores_than_there_is_room_for_wait_for_a_row),
		cmocka_unit_test(a_chunk_is_one_frame_of_exactly_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
