/* SPDX-License-Identifier: Apache-2.0
 *
 * test_release.c - a release is taken when HQ signed it, it is for us, new and in time; each no is its own and counted.
 */
#include "trust_rig.h"

static const struct trust_self self = { .store = "0417", .channel = "stable" };

static int
take(struct rig *rig, const struct buf *text, const struct trust_self *who, bool own,
    int64_t now_ms, bool *ret_new)
{
	struct release release;
	int rc = release_accept(&rig->root, &rig->seen, who, own, text->data, text->len, "topic",
	    now_ms, &release, ret_new, &rig->refusal, &rig->err);

	if (rc == 0 && *ret_new) {
		char counter[SEQUENCES_NAME_SIZE];

		release_counter(&release, own, counter);
		sequences_take(&rig->seen, counter, release.sequence, release.digest, false);
	}
	if (rc == 0)
		release_done(&release);
	return rc;
}

static void
what_hq_signed_is_taken_once(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(7);
	struct buf text = rig_signed_release(rig, &release, 0, 1);
	bool is_new;

	assert_int_equal(take(rig, &text, &self, false, NOW_MS, &is_new), 0);
	assert_true(is_new);
	assert_int_equal(take(rig, &text, &self, false, NOW_MS, &is_new), 0);
	assert_false(is_new);
	buf_done(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_hq_signed_is_taken_once, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
