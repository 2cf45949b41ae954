/* SPDX-License-Identifier: Apache-2.0
 *
 * test_publish_folder.c - a folder with mistakes in it: what is right goes, and stops first of all.
 */
#include "publish_rig.h"

#include "core/json.h"

static void
expect_left_out(struct hq *hq, const char *steps, const char *said)
{
	hq->goods.folder = true;
	expect(hq, steps);
	if (strstr(hq->plan.wrong.first.text, said) == NULL || strstr(hq->notes.data, said) == NULL)
		fail_msg("said %s, expected %s", hq->plan.wrong.first.text, said);
}

static void
in_a_folder_a_wrong_bundle_holds_back_its_release_alone(void **state)
{
	struct hq *hq = *state;
	struct release other = rig_release(3);

	a_release(hq, 7, 'a');
	strcpy(other.channel, "pilot");
	hq_add_artifact(hq, &other, BUNDLE_POLICY, 100, 'b');
	hq_add_release(hq, &other, "pilot.json");
	an_order(hq, "all", 1, "cheese");
	hq->goods.artifacts[0].bytes--;
	expect_left_out(hq, "root/1 stop +bb release/pilot", "bytes, but the release says");
	hq->goods.artifacts[0].bytes++;
	strcpy(hq->goods.artifacts[0].kind, "catalog");
	expect_left_out(hq, "root/1 stop +bb release/pilot", "is of kind catalog");
	strcpy(hq->goods.artifacts[0].kind, "policy");
	strcpy(hq->goods.artifacts[0].version, "4");
	expect_left_out(hq, "root/1 stop +bb release/pilot", "is version 4");
	strcpy(hq->goods.artifacts[0].version, "3");
	assert_int_equal(remove(hq->goods.artifacts[0].path), 0);
	expect_left_out(hq, "root/1 stop +bb release/pilot", "is not the file that it was");
	hq->goods.releases[0].release.bundles[BUNDLE_POLICY].hash[0] = 'f';
	memset(hq->goods.artifacts[0].hash, 'f', 64);
	expect_left_out(hq, "root/1 stop +bb release/pilot", "neither given nor on the broker");
}

static void
in_a_folder_what_is_on_the_broker_stays_in_force_beside_a_wrong_one(void **state)
{
	struct hq *hq = *state;

	a_release(hq, 7, 'a');
	expect(hq, "root/1 +aa release/stable");
	hq_take_all(hq);
	hq_forget_goods(hq);
	a_release(hq, 8, 'b');
	hq->goods.artifacts[0].bytes--;
	expect_left_out(hq, "", "bytes, but the release says");
	hq_forget_goods(hq);
	a_release(hq, 7, 'b'); /* a sequence that another one has */
	an_order(hq, "all", 1, "cheese");
	expect_left_out(hq, "stop", "is another release's");
}

static void
in_a_folder_what_is_too_much_keeps_no_stop_from_going(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	an_order(hq, "all", 1, "cheese");
	for (int i = 0; i < 5; i++) {
		struct release release = rig_release(7);
		char first[PUBLISH_TOPIC_SIZE];

		snprintf(release.channel, sizeof(release.channel), "c%d", i);
		release.bundles[BUNDLE_POLICY].bytes = PUBLISH_RETAINED_MAX + (i == 4);
		memset(release.bundles[BUNDLE_POLICY].hash, 'a' + i, 64);
		topic_chunk(first, release.bundles[BUNDLE_POLICY].hash, 0);
		kept_put(&hq->kept, first, "", 0);
		hq_add_release(hq, &release, "release.json");
	}
	expect_left_out(hq, "root/1 stop", "expected at most 16 MiB");
	assert_non_null(strstr(hq->notes.data, "MiB would be retained in all"));
}

static void
in_a_folder_a_wrong_root_ends_the_chain_and_no_more(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	hq_add_root(hq, 2, 0, -1);
	hq_add_root(hq, 4, 0, 1);
	an_order(hq, "all", 1, "cheese");
	expect_left_out(hq, "root/1 stop", "threshold");
	assert_non_null(strstr(hq->notes.data, "root 4 follows on nothing"));
	assert_int_equal(hq->plan.root_version, 1);
	hq_forget_goods(hq);
	/* Of two of the same version the one that is right. */
	hq_add_root(hq, 1, 0, 1);
	hq_add_root(hq, 2, 0, -1);
	hq_add_root(hq, 2, 0, 1);
	an_order(hq, "all", 1, "cheese");
	expect_left_out(hq, "root/1 root/2 stop", "threshold");
}

static void
in_a_folder_an_order_with_a_used_sequence_keeps_no_other_from_being_sent(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	an_order(hq, "all", 1, "cheese");
	an_order(hq, "all", 1, "milk");
	an_order(hq, "all", 2, "beer");
	an_order(hq, "0417", 1, "beer");
	expect_left_out(hq, "root/1 stop store/0417/order", "is another order's");
	assert_int_equal(hq->plan.wrong.count, 1);
	hq_take_all(hq);
	assert_int_equal(listed(hq, TOPIC_STOP), 2);
}

static void
in_a_folder_a_stop_below_what_stores_have_seen_is_a_mistake_unless_it_was_superseded(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	an_order(hq, "all", 3, "beer");
	expect(hq, "root/1 stop");
	hq_take_all(hq);
	hq->goods.folder = true;
	an_order(hq, "all", 1, "beer");
	expect(hq, "");
	assert_int_equal(hq->plan.wrong.count, 0);
	an_order(hq, "all", 2, "milk"); /* it waited for a signature */
	an_order(hq, "all", 4, "cheese");
	expect_left_out(hq, "stop", "sequence 2 for all, but stores have seen 3");
	hq_take_all(hq);
	assert_int_equal(listed(hq, TOPIC_STOP), 2);
}

static void
in_a_folder_an_order_that_does_not_verify_is_counted_and_one_that_is_over_is_not(void **state)
{
	struct hq *hq = *state;
	struct order over = rig_order("all", 1);

	hq_add_root(hq, 1, 0, 1);
	over.expires_ms = NOW_MS - 1;
	over.issued_ms = NOW_MS - 2;
	hq_add_order(hq, &over);
	an_order(hq, "all", 2, "cheese");
	hq->goods.folder = true;
	expect(hq, "root/1 stop");
	assert_int_equal(hq->plan.wrong.count, 0);
	an_order(hq, "0417", 1, "milk");
	memcpy(strstr(hq->goods.orders[2].file.text, "signatures\":[\"") + 80, "AAAA", 4);
	expect_left_out(hq, "root/1 stop", "order");
	assert_int_equal(hq->plan.wrong.count, 1);
}

static void
in_a_folder_a_release_that_does_not_verify_is_a_mistake_unless_a_later_one_is_there(void **state)
{
	struct hq *hq = *state;
	struct release old = rig_release(6);

	hq_add_root(hq, 1, 0, 1);
	hq_add_artifact(hq, &old, BUNDLE_POLICY, 100, 'b');
	hq_add_release(hq, &old, "old.json");
	memcpy(strstr(hq->goods.releases[0].file.text, "signatures\":[\"") + 80, "AAAA", 4);
	expect_left_out(hq, "root/1", "old.json");
	a_release(hq, 7, 'a');
	hq->goods.folder = true;
	expect(hq, "root/1 +aa release/stable");
	assert_int_equal(hq->plan.wrong.count, 0);
	assert_non_null(strstr(hq->notes.data, "old.json"));
}

static void
the_action(struct hq *hq, const char *topic, size_t at, const char *expected)
{
	const struct kept_text *text = kept_get(&hq->kept, topic);
	json_t *list = text != NULL ? json_loads(text->bytes, 0, NULL) : NULL;
	struct buf one = { 0 };
	struct signed_text envelope;
	struct order order;

	json_write(json_array_get(list, at), &one);
	assert_int_equal(signed_read(one.data, one.len, "list", &envelope, NULL, &hq->err), 0);
	assert_int_equal(order_parse(envelope.manifest, envelope.len, "list", &order, NULL,
			     &hq->err),
	    0);
	assert_string_equal(order.object, expected);
	signed_done(&envelope);
	buf_done(&one);
	json_decref(list);
}

static void
in_a_folder_of_a_stores_list_that_is_too_long_those_wait_that_it_takes_last(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	for (int i = 0; i <= ORDERS_STORE_MAX; i++) {
		char action[16];

		snprintf(action, sizeof(action), "a%d", i);
		an_order(hq, "0417", i + 1, action);
	}
	an_order(hq, "all", 1, "cheese");
	expect_left_out(hq, "root/1 stop store/0417/order", "33 orders, expected at most 32");
	hq_take_all(hq);
	assert_int_equal(listed(hq, TOPIC_HQ "store/0417/order"), 32);
	the_action(hq, TOPIC_HQ "store/0417/order", 31, "a31");
}

static void
in_a_folder_of_the_chains_list_that_is_too_long_a_new_stop_is_never_left_out(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	for (int i = 0; i < ORDERS_CHAIN_MAX + 2; i++) {
		struct order order = rig_order("all", i + 1);

		snprintf(order.object, sizeof(order.object), "a%d", i);
		order.issued_ms -= 1000 - i;
		if (i == 7)
			order.type = ORDER_LIFT;
		hq_add_order(hq, &order);
	}
	expect_left_out(hq, "root/1 stop", "258 orders, expected at most 256");
	hq_take_all(hq);
	assert_int_equal(listed(hq, TOPIC_STOP), 256);
	the_action(hq, TOPIC_STOP, 0, "a1"); /* a0 is the oldest stop, a7 a lift */
	the_action(hq, TOPIC_STOP, 6, "a8");
	the_action(hq, TOPIC_STOP, 255, "a257");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, hq_open, hq_close)
	const struct CMUnitTest tests[] = {
		TEST(in_a_folder_a_wrong_bundle_holds_back_its_release_alone),
		TEST(in_a_folder_what_is_on_the_broker_stays_in_force_beside_a_wrong_one),
		TEST(in_a_folder_what_is_too_much_keeps_no_stop_from_going),
		TEST(in_a_folder_a_wrong_root_ends_the_chain_and_no_more),
		TEST(in_a_folder_an_order_with_a_used_sequence_keeps_no_other_from_being_sent),
		TEST(
		    in_a_folder_a_stop_below_what_stores_have_seen_is_a_mistake_unless_it_was_superseded),
		TEST(
		    in_a_folder_an_order_that_does_not_verify_is_counted_and_one_that_is_over_is_not),
		TEST(
		    in_a_folder_a_release_that_does_not_verify_is_a_mistake_unless_a_later_one_is_there),
		TEST(in_a_folder_of_a_stores_list_that_is_too_long_those_wait_that_it_takes_last),
		TEST(in_a_folder_of_the_chains_list_that_is_too_long_a_new_stop_is_never_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
