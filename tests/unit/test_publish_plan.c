/* SPDX-License-Identifier: Apache-2.0
 *
 * test_publish_plan.c - what is done on a broker so that it holds what it should, and what never gets there.
 */
#include "publish_rig.h"

static void
expect_refused(struct hq *hq, const char *said)
{
	assert_int_not_equal(hq_plan(hq), 0);
	if (strstr(hq->err.text, said) == NULL)
		fail_msg("said %s, expected %s", hq->err.text, said);
	assert_int_equal(hq->plan.count, 0);
}

static void
a_release_comes_behind_its_chunks_and_a_stop_before_them(void **state)
{
	struct hq *hq = *state;

	a_release(hq, 7, 'a');
	an_order(hq, "all", 1, "cheese");
	expect(hq, "root/1 stop +aa release/stable");
	hq_take_all(hq);
	expect(hq, "+aa"); /* chunks are compared each time: the broker may have lost some */
}

static void
what_no_release_names_any_more_goes_last(void **state)
{
	struct hq *hq = *state;

	a_release(hq, 7, 'a');
	expect(hq, "root/1 +aa release/stable");
	hq_take_all(hq);
	hq_forget_goods(hq);
	a_release(hq, 8, 'b');
	expect(hq, "+bb release/stable -aa");
}

static void
a_bundle_of_two_channels_stays_while_one_of_them_names_it(void **state)
{
	struct hq *hq = *state;
	struct release other = rig_release(3);

	a_release(hq, 7, 'a');
	strcpy(other.channel, "pilot");
	memset(other.bundles[BUNDLE_POLICY].hash, 'a', 64);
	other.bundles[BUNDLE_POLICY].bytes = 2 * RELEASE_CHUNK + 9;
	hq_add_release(hq, &other, "pilot.json");
	expect(hq, "root/1 +aa release/stable release/pilot");
	hq_take_all(hq);
	hq_forget_goods(hq);
	a_release(hq, 8, 'b');
	expect(hq, "+bb release/stable");
}

static void
a_bundle_that_was_not_given_must_be_on_the_broker(void **state)
{
	struct hq *hq = *state;
	struct release release = rig_release(7);

	hq_add_root(hq, 1, 0, 1);
	hq_add_release(hq, &release, "release.json");
	expect(hq, "root/1 ?aa release/stable");
}

static void
what_does_not_verify_goes_nowhere(void **state)
{
	struct hq *hq = *state;
	struct release release = rig_release(7);
	struct buf text = rig_signed_release(hq->rig, &release, 0, -1);

	a_release(hq, 7, 'a');
	free(hq->goods.releases[0].file.text);
	hq->goods.releases[0].file =
	    (struct goods_text){ hq->goods.releases[0].file.path, NULL, 0 };
	hq->goods.releases[0].file.text = buf_steal(&text);
	hq->goods.releases[0].file.len = strlen(hq->goods.releases[0].file.text);
	expect_refused(hq, "threshold");
	/* In a folder it is left out, and said. */
	hq->goods.folder = true;
	expect(hq, "root/1");
	assert_non_null(strstr(hq->notes.data, "threshold"));
}

static void
without_a_root_nothing_can_be_verified(void **state)
{
	struct hq *hq = *state;
	struct release release = rig_release(7);

	hq_add_release(hq, &release, "release.json");
	expect_refused(hq, "no root was given");
}

static void
a_root_that_follows_on_nothing_is_refused(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	hq_add_root(hq, 3, 0, 1);
	expect_refused(hq, "root 3 follows on nothing, expected root 2 too");
	hq_forget_goods(hq);
	hq_add_root(hq, 1, 0, 1);
	hq_add_root(hq, 2, 0, -1);
	expect_refused(hq, "threshold");
}

static void
the_chain_of_roots_may_lie_on_the_broker(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	hq_add_root(hq, 2, 0, 1);
	expect(hq, "root/1 root/2");
	hq_take_all(hq);
	hq_forget_goods(hq);
	hq_add_root(hq, 3, 0, 1);
	expect(hq, "root/3");
	hq_forget_goods(hq);
	hq_add_root(hq, 4, 0, 1);
	expect(hq, "root/4"); /* 3 did not get there: a chain of our own begins */
	hq_forget_goods(hq);
	/* Signed by its own keys, but by none of those before it. */
	for (int i = 0; i < 2; i++) {
		minisign_secret_free(hq->rig->secrets[i]);
		hq->rig->secrets[i] = minisign_generate();
	}
	hq_add_root(hq, 3, 0, 1);
	expect_refused(hq, "0 of the old root's release keys");
}

static void
a_forged_root_on_the_broker_leads_nowhere(void **state)
{
	struct hq *hq = *state;

	a_release(hq, 7, 'a');
	kept_put(&hq->kept, TOPIC_HQ "root/2", "{}", 2);
	expect(hq, "root/1 +aa release/stable");
	assert_int_equal(hq->plan.root_version, 1);
	assert_non_null(strstr(hq->notes.data, "root/2"));
}

static void
a_root_on_the_broker_under_a_wrong_number_is_believed_no_more_than_it_says(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	kept_put(&hq->kept, TOPIC_HQ "root/5", hq->goods.roots[0].file.text,
	    hq->goods.roots[0].file.len);
	hq_forget_goods(hq);
	expect(hq, "");
	assert_int_equal(hq->plan.root_version, 1);
}

static void
a_sequence_never_goes_back_and_means_one_thing(void **state)
{
	struct hq *hq = *state;

	a_release(hq, 7, 'a');
	expect(hq, "root/1 +aa release/stable");
	hq_take_all(hq);
	hq_forget_goods(hq);
	a_release(hq, 6, 'b');
	expect_refused(hq, "sequence 6 is below 7");
	hq_forget_goods(hq);
	a_release(hq, 7, 'b');
	expect_refused(hq, "sequence 7 of aisle/v1/hq/release/stable is another release's");
}

static void
of_two_releases_of_a_channel_the_higher_one_is_meant(void **state)
{
	struct hq *hq = *state;

	a_release(hq, 8, 'b');
	a_release(hq, 7, 'a');
	expect(hq, "root/1 +bb release/stable");
}

static void
what_has_expired_is_a_mistake_where_it_is_named(void **state)
{
	struct hq *hq = *state;
	struct release release = rig_release(7);

	hq_add_root(hq, 1, 0, 1);
	release.expires_ms = NOW_MS - 1;
	hq_add_release(hq, &release, "release.json");
	expect_refused(hq, "expired");
	hq->goods.folder = true;
	expect(hq, "root/1");
}

static void
a_file_must_be_what_its_release_says(void **state)
{
	struct hq *hq = *state;

	a_release(hq, 7, 'a');
	hq->goods.artifacts[0].bytes--;
	expect_refused(hq, "bytes, but the release says");
	hq->goods.artifacts[0].bytes++;
	strcpy(hq->goods.artifacts[0].kind, "catalog");
	expect_refused(hq, "is of kind catalog, but the release says policy");
	strcpy(hq->goods.artifacts[0].kind, "policy");
	strcpy(hq->goods.artifacts[0].version, "4");
	expect_refused(hq, "is version 4, but the release says 3");
}

static void
what_all_stores_share_is_at_most_16_mib(void **state)
{
	struct hq *hq = *state;
	struct release release = rig_release(7);

	hq_add_root(hq, 1, 0, 1);
	release.bundles[BUNDLE_POLICY].bytes = PUBLISH_RETAINED_MAX + 1;
	hq_add_release(hq, &release, "release.json");
	expect_refused(hq, "expected at most 16 MiB");
}

static void
all_that_is_retained_is_at_most_64_mib(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	for (int i = 0; i < 5; i++) {
		struct release release = rig_release(7);

		snprintf(release.channel, sizeof(release.channel), "c%d", i);
		release.bundles[BUNDLE_POLICY].bytes = PUBLISH_RETAINED_MAX;
		memset(release.bundles[BUNDLE_POLICY].hash, 'a' + i, 64);
		hq_add_release(hq, &release, "release.json");
		if (i == 2)
			expect(hq, "root/1 ?aa ?bb ?cc release/c0 release/c1 release/c2");
	}
	expect_refused(hq, "MiB would be retained in all, expected at most 64");
}

static void
what_one_store_gets_is_granted_to_that_store_and_not_retained(void **state)
{
	struct hq *hq = *state;
	struct release own = rig_release(4);
	char(*stores)[TRUST_NAME_SIZE] = mem_calloc(1, sizeof(*stores));
	char hash[65] = "";

	a_release(hq, 7, 'a');
	own.bundles[BUNDLE_POLICY] = (struct release_bundle){ 0 };
	strcpy(stores[0], "0417");
	own.stores = stores;
	own.store_count = 1;
	hq_add_artifact(hq, &own, BUNDLE_PROFILES, 100, 'c');
	hq_add_release(hq, &own, "own.json");
	expect(hq, "root/1 +aa release/stable store/0417/release");
	memset(hash, 'c', 64);
	assert_non_null(plan_grant(&hq->plan, "0417", hash));
	assert_null(plan_grant(&hq->plan, "0418", hash));
	memset(hash, 'a', 64);
	assert_non_null(plan_grant(&hq->plan, "0418", hash));
	memset(hash, 'b', 64);
	assert_null(plan_grant(&hq->plan, "0417", hash));
	free(stores);
}

/* ---- lists of orders ---- */

static void
of_stops_about_the_same_thing_the_last_one_is_left(void **state)
{
	struct hq *hq = *state;
	struct order lift = rig_order("all", 4);

	hq_add_root(hq, 1, 0, 1);
	an_order(hq, "all", 1, "cheese");
	an_order(hq, "all", 2, "milk");
	an_order(hq, "ring:early", 1, "cheese");
	an_order(hq, "all", 3, "cheese");
	expect(hq, "root/1 stop");
	hq_take_all(hq);
	assert_int_equal(listed(hq, TOPIC_STOP), 3);
	hq_forget_goods(hq);
	hq_add_root(hq, 1, 0, 1);
	lift.type = ORDER_LIFT;
	hq_add_order(hq, &lift);
	expect(hq, "stop");
	hq_take_all(hq);
	assert_int_equal(listed(hq, TOPIC_STOP), 3);
}

static void
an_order_that_has_expired_or_is_forged_leaves_the_list(void **state)
{
	struct hq *hq = *state;
	struct order forged = rig_order("all", 9);
	struct buf list = { 0 }, text = rig_signed_order(hq->rig, &forged, 0, 1); /* release keys */

	buf_addf(&list, "[%.*s]", (int)text.len - 1, text.data);
	kept_put(&hq->kept, TOPIC_STOP, list.data, list.len);
	hq_add_root(hq, 1, 0, 1);
	expect(hq, "root/1 stop");
	hq_take_all(hq);
	assert_int_equal(listed(hq, TOPIC_STOP), 0);
	kept_put(&hq->kept, TOPIC_STOP, "nonsense", 8);
	expect(hq, "stop");
	buf_done(&list);
	buf_done(&text);
}

/* A broker that retains one order many times, or another store's, leaves room for those that are to come. */
static void
an_order_keeps_one_place_and_only_in_its_own_list(void **state)
{
	struct hq *hq = *state;
	struct buf list = { 0 };

	hq_add_root(hq, 1, 0, 1);
	for (int i = 0; i < ORDERS_STORE_MAX; i++) {
		struct order order = rig_order(i % 2 == 0 ? "0417" : "0418", i % 2 == 0 ? 1 : i);
		struct buf text = rig_signed_order(hq->rig, &order, 2, 3);

		order_list_add(&list, text.data, text.len - 1);
		buf_done(&text);
	}
	kept_put(&hq->kept, TOPIC_HQ "store/0417/order", list.data, list.len);
	an_order(hq, "0417", 2, "milk");
	expect(hq, "root/1 store/0417/order");
	hq_take_all(hq);
	assert_int_equal(listed(hq, TOPIC_HQ "store/0417/order"), 2);
	buf_done(&list);
}

static void
an_order_below_what_stores_have_seen_is_refused(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	an_order(hq, "0417", 5, "cheese");
	expect(hq, "root/1 store/0417/order");
	hq_take_all(hq);
	hq_forget_goods(hq);
	hq_add_root(hq, 1, 0, 1);
	an_order(hq, "0417", 4, "milk");
	expect_refused(hq, "stores have seen 5, expected one above");
	hq_forget_goods(hq);
	hq_add_root(hq, 1, 0, 1);
	an_order(hq, "0417", 5, "milk");
	expect_refused(hq, "sequence 5 for 0417 is another order's");
}

static void
an_order_of_a_folder_that_does_not_verify_keeps_no_other_from_being_sent(void **state)
{
	struct hq *hq = *state;
	struct order unsigned_order = rig_order("all", 1);
	struct buf text = rig_signed_order(hq->rig, &unsigned_order, 2, -1); /* one key of two */

	hq_add_root(hq, 1, 0, 1);
	an_order(hq, "all", 1, "cheese");
	an_order(hq, "all", 2, "milk");
	free(hq->goods.orders[0].file.text);
	hq->goods.orders[0].file.len = text.len - 1;
	hq->goods.orders[0].file.text = buf_steal(&text);
	expect_refused(hq, "threshold");
	hq->goods.folder = true;
	expect(hq, "root/1 stop");
	hq_take_all(hq);
	assert_int_equal(listed(hq, TOPIC_STOP), 1);
	assert_non_null(strstr(hq->notes.data, "threshold"));
}

static void
a_list_keeps_its_bound(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	for (int i = 1; i <= ORDERS_STORE_MAX; i++) {
		char action[16];

		snprintf(action, sizeof(action), "a%d", i);
		an_order(hq, "0417", i, action);
	}
	expect(hq, "root/1 store/0417/order");
	an_order(hq, "0417", 99, "one-more");
	expect_refused(hq, "33 orders, expected at most 32");
}

static void
what_a_store_has_taken_leaves_its_list_and_no_other(void **state)
{
	struct hq *hq = *state;

	hq_add_root(hq, 1, 0, 1);
	an_order(hq, "0417", 1, "cheese");
	an_order(hq, "0417", 2, "milk");
	an_order(hq, "0418", 1, "cheese");
	expect(hq, "root/1 store/0417/order store/0418/order");
	hq_take_all(hq);
	hq->goods.folder = true;
	hq->goods.taken = mem_calloc(1, sizeof(*hq->goods.taken));
	hq->goods.taken_count = 1;
	strcpy(hq->goods.taken[0].store, "0417");
	hq->goods.taken[0].sequence = 1;
	expect(hq, "store/0417/order");
	hq_take_all(hq);
	assert_int_equal(listed(hq, TOPIC_HQ "store/0417/order"), 1);
	assert_int_equal(listed(hq, TOPIC_HQ "store/0418/order"), 1);
	/* Restored from a copy, it has taken nothing: all come again. */
	hq->goods.taken[0].sequence = 0;
	expect(hq, "store/0417/order");
	hq_take_all(hq);
	assert_int_equal(listed(hq, TOPIC_HQ "store/0417/order"), 2);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, hq_open, hq_close)
	const struct CMUnitTest tests[] = {
		TEST(a_release_comes_behind_its_chunks_and_a_stop_before_them),
		TEST(what_no_release_names_any_more_goes_last),
		TEST(a_bundle_of_two_channels_stays_while_one_of_them_names_it),
		TEST(a_bundle_that_was_not_given_must_be_on_the_broker),
		TEST(what_does_not_verify_goes_nowhere),
		TEST(without_a_root_nothing_can_be_verified),
		TEST(a_root_that_follows_on_nothing_is_refused),
		TEST(the_chain_of_roots_may_lie_on_the_broker),
		TEST(a_forged_root_on_the_broker_leads_nowhere),
		TEST(a_root_on_the_broker_under_a_wrong_number_is_believed_no_more_than_it_says),
		TEST(a_sequence_never_goes_back_and_means_one_thing),
		TEST(of_two_releases_of_a_channel_the_higher_one_is_meant),
		TEST(what_has_expired_is_a_mistake_where_it_is_named),
		TEST(a_file_must_be_what_its_release_says),
		TEST(what_all_stores_share_is_at_most_16_mib),
		TEST(all_that_is_retained_is_at_most_64_mib),
		TEST(what_one_store_gets_is_granted_to_that_store_and_not_retained),
		TEST(of_stops_about_the_same_thing_the_last_one_is_left),
		TEST(an_order_that_has_expired_or_is_forged_leaves_the_list),
		TEST(an_order_keeps_one_place_and_only_in_its_own_list),
		TEST(an_order_below_what_stores_have_seen_is_refused),
		TEST(an_order_of_a_folder_that_does_not_verify_keeps_no_other_from_being_sent),
		TEST(a_list_keeps_its_bound),
		TEST(what_a_store_has_taken_leaves_its_list_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
