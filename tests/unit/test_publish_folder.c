/* SPDX-License-Identifier: Apache-2.0
 *
 * test_publish_folder.c - a folder with mistakes in it: what is right goes, and stops first of all.
 */
#include "publish_rig.h"

static void
expect_left_out(struct hq *hq, const char *steps, const char *said)
{
	hq->goods.folder = true;
	expect(hq, steps);
	if (strstr(hq->plan.wrong.text, said) == NULL || strstr(hq->notes.data, said) == NULL)
		fail_msg("said %s, expected %s", hq->plan.wrong.text, said);
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
	hq->goods.folder = true;
	expect(hq, "root/1 stop store/0417/order");
	hq_take_all(hq);
	assert_int_equal(listed(hq, TOPIC_STOP), 2);
	assert_non_null(strstr(hq->notes.data, "is another order's"));
}

static void
in_a_folder_a_list_that_is_too_long_keeps_no_other_from_being_sent(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	for (int i = 0; i <= ORDERS_STORE_MAX; i++) {
		char action[16];

		snprintf(action, sizeof(action), "a%d", i);
		an_order(hq, "0417", i + 1, action);
	}
	an_order(hq, "all", 1, "cheese");
	expect_left_out(hq, "root/1 stop", "33 orders, expected at most 32");
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
		TEST(in_a_folder_a_list_that_is_too_long_keeps_no_other_from_being_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
