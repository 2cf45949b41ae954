/* SPDX-License-Identifier: Apache-2.0
 *
 * test_trust_sequences.c - what was taken is known after a restart, and nothing else is.
 */
#include "trust_rig.h"

#include <stdio.h>

static void
digest_of(uint64_t n, uint8_t ret[static 32])
{
	memset(ret, 0, 32);
	memcpy(ret, &n, sizeof(n));
}

static void
take(struct sequences *seen, const char *name, int64_t sequence, bool list)
{
	uint8_t digest[32];
	bool is_new;

	digest_of((uint64_t)sequence, digest);
	assert_int_equal(sequences_check(seen, name, sequence, digest, list, &is_new, NULL, NULL),
	    0);
	assert_true(is_new);
	sequences_take(seen, name, sequence, digest, list);
}

static void
bytes_come_back(void **state)
{
	struct sequences seen = { .root = 3 }, back;
	struct buf bytes = { 0 }, again = { 0 };
	(void)state;

	take(&seen, "release:stable", 7, false);
	for (int i = 1; i <= 300; i++)
		take(&seen, "order:0417", i, true);
	sequences_encode(&seen, &bytes);
	assert_int_equal(sequences_decode(bytes.data, bytes.len, &back), 0);
	assert_int_equal(back.root, 3);
	assert_int_equal(sequences_last(&back, "release:stable"), 7);
	assert_int_equal(sequences_last(&back, "order:0417"), 300);
	assert_int_equal(sequences_last(&back, "order:all"), 0);
	sequences_encode(&back, &again);
	assert_int_equal(bytes.len, again.len);
	assert_memory_equal(bytes.data, again.data, bytes.len);
	sequences_done(&back);
	/* Cut anywhere they are none, and nothing is left behind. */
	for (size_t len = 0; len < bytes.len; len++) {
		assert_int_equal(sequences_decode(bytes.data, len, &back), AISLE_E_DAMAGED);
		assert_int_equal(back.count, 0);
		assert_int_equal(back.root, 0);
	}
	buf_u8(&bytes, 0);
	assert_int_equal(sequences_decode(bytes.data, bytes.len, &back), AISLE_E_DAMAGED);
	sequences_done(&seen);
	buf_done(&bytes);
	buf_done(&again);
}

static void
nothing_seen_is_bytes_too(void **state)
{
	struct sequences seen = { 0 }, back;
	struct buf bytes = { 0 };
	(void)state;

	sequences_encode(&seen, &bytes);
	assert_int_equal(sequences_decode(bytes.data, bytes.len, &back), 0);
	assert_int_equal(back.count, 0);
	buf_done(&bytes);
}

static void
of_a_list_the_newest_256_are_known(void **state)
{
	struct sequences seen = { 0 };
	uint8_t digest[32];
	bool is_new;
	(void)state;

	for (int i = 1; i <= SEQUENCES_RECENT + 1; i++)
		take(&seen, "order:all", i, true);
	digest_of(2, digest);
	assert_int_equal(sequences_check(&seen, "order:all", 2, digest, true, &is_new, NULL, NULL),
	    0);
	assert_false(is_new);
	digest_of(1, digest);
	assert_int_equal(sequences_check(&seen, "order:all", 1, digest, true, &is_new, NULL, NULL),
	    AISLE_E_REFUSED);
	/* A release is no list: of those the last alone. */
	digest_of(2, digest);
	assert_int_equal(sequences_check(&seen, "order:all", 2, digest, false, &is_new, NULL, NULL),
	    AISLE_E_REFUSED);
	sequences_done(&seen);
}

static void
there_are_so_many_counters_and_no_more(void **state)
{
	struct sequences seen = { 0 };
	enum refusal refusal = REFUSED_NONE;
	uint8_t digest[32] = { 0 };
	bool is_new;
	char name[32];
	(void)state;

	for (int i = 0; i < SEQUENCES_MAX; i++) {
		snprintf(name, sizeof(name), "order:ring:r%d", i);
		take(&seen, name, 1, true);
	}
	assert_int_equal(sequences_check(&seen, "order:ring:more", 1, digest, true, &is_new,
			     &refusal, NULL),
	    AISLE_E_REFUSED);
	assert_int_equal(refusal, REFUSED_FULL);
	take(&seen, "order:ring:r0", 2, true);
	sequences_done(&seen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_back),
		cmocka_unit_test(nothing_seen_is_bytes_too),
		cmocka_unit_test(of_a_list_the_newest_256_are_known),
		cmocka_unit_test(there_are_so_many_counters_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
