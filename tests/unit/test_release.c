/* SPDX-License-Identifier: Apache-2.0
 *
 * test_release.c - a release is taken when HQ signed it, it is for us, new and in time; each no is its own, counted, and
 * changes nothing.
 */
#include "trust_rig.h"

#include <stdio.h>

static const struct trust_self self = { .store = "0417", .channel = "stable" };

static int
accept_text(struct rig *rig, const void *text, size_t len, const struct trust_self *who, bool own,
    int64_t now_ms, bool *ret_new)
{
	struct release release;
	int rc = release_accept(&rig->root, &rig->seen, who, own, text, len, "topic", now_ms,
	    &release, ret_new, &rig->refusal, &rig->err);

	if (rc == 0 && *ret_new) {
		char counter[SEQUENCES_NAME_SIZE];

		release_counter(&release, own, counter);
		sequences_take(&rig->seen, counter, release.sequence, release.digest, false);
	}
	if (rc == 0)
		release_done(&release);
	return rc;
}

static int
take(struct rig *rig, const struct release *release, bool *ret_new)
{
	struct buf text = rig_signed_release(rig, release, 0, 1);
	int rc = accept_text(rig, text.data, text.len, &self, false, NOW_MS, ret_new);

	buf_done(&text);
	return rc;
}

/* Refused with this reason, counted once, and what was seen is as it was. */
static void
refused_text(struct rig *rig, const struct buf *text, const struct trust_self *who, bool own,
    int64_t now_ms, const char *reason)
{
	int64_t before = refusal_count(refusal_by_name(reason));
	struct buf seen = { 0 }, after = { 0 };
	bool is_new = true;

	rig_clear(rig);
	sequences_encode(&rig->seen, &seen);
	int rc = accept_text(rig, text->data, text->len, who, own, now_ms, &is_new);

	sequences_encode(&rig->seen, &after);
	assert_int_equal(rc, AISLE_E_REFUSED);
	assert_string_equal(refusal_name(rig->refusal), reason);
	assert_int_equal(refusal_count(rig->refusal), before + 1);
	assert_memory_equal(rig->err.text, reason, strlen(reason));
	assert_int_equal(seen.len, after.len);
	assert_memory_equal(seen.data, after.data, seen.len);
	buf_done(&seen);
	buf_done(&after);
}

static void
refused(struct rig *rig, const struct release *release, const char *reason)
{
	struct buf text = rig_signed_release(rig, release, 0, 1);

	refused_text(rig, &text, &self, false, NOW_MS, reason);
	buf_done(&text);
}

static void
what_hq_signed_is_taken_once(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(7);
	bool is_new;

	assert_int_equal(take(rig, &release, &is_new), 0);
	assert_true(is_new);
	assert_int_equal(take(rig, &release, &is_new), 0);
	assert_false(is_new);
	release.sequence = 8;
	assert_int_equal(take(rig, &release, &is_new), 0);
	assert_true(is_new);
	assert_int_equal(sequences_last(&rig->seen, "release:stable"), 8);
}

static void
what_is_said_comes_out_as_it_went_in(void **state)
{
	struct release release = rig_release(9), read;
	struct buf manifest = { 0 };
	char(*stores)[TRUST_NAME_SIZE] = mem_calloc(2, sizeof(*stores));
	(void)state;

	strcpy(stores[0], "0417");
	strcpy(stores[1], "a_b-C");
	release.stores = stores;
	release.store_count = 2;
	release.has_percent = true;
	release.percent = 12.5;
	memcpy(release.salt, "saltsalt", 8);
	strcpy(release.rings[0], "early");
	release.ring_count = 1;
	release.bounds.latency_ms = 50;
	release.bounds.agreement = 0.9;
	release.fetch = (struct fetch_terms){
		.from_min = 22 * 60, .to_min = 6 * 60 + 5, .jitter_s = 600, .rate_kib_s = 128
	};
	release_write(&release, &manifest);
	assert_int_equal(release_parse(manifest.data, manifest.len, "r", &read, NULL, NULL), 0);
	assert_int_equal(read.store_count, 2);
	assert_memory_equal(read.stores, release.stores, 2 * sizeof(*stores));
	assert_true(read.has_percent && read.percent == 12.5);
	assert_memory_equal(read.salt, "saltsalt", 8);
	assert_int_equal(read.ring_count, 1);
	assert_string_equal(read.rings[0], "early");
	assert_memory_equal(&read.bounds, &release.bounds, sizeof(read.bounds));
	assert_memory_equal(&read.fetch, &release.fetch, sizeof(read.fetch));
	assert_memory_equal(&read.bundles, &release.bundles, sizeof(read.bundles));
	assert_int_equal(read.issued_ms, release.issued_ms);
	assert_int_equal(read.expires_ms, release.expires_ms);
	release_done(&read);
	release_done(&release);
	buf_done(&manifest);
}

static void
without_enough_valid_signatures_of_keys_in_force_nothing_is_taken(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(7);
	struct buf none = rig_signed_release(rig, &release, -1, -1),
		   one = rig_signed_release(rig, &release, 0, -1);
	struct buf twice = rig_signed_release(rig, &release, 1, 1),
		   other = rig_signed_release(rig, &release, 0, 2);

	refused_text(rig, &none, &self, false, NOW_MS, "unsigned");
	refused_text(rig, &one, &self, false, NOW_MS, "threshold");
	refused_text(rig, &twice, &self, false, NOW_MS, "threshold");
	/* An order's key is none of a release, even beside one that is. */
	refused_text(rig, &other, &self, false, NOW_MS, "wrong-key");
	buf_done(&none);
	buf_done(&one);
	buf_done(&twice);
	buf_done(&other);
}

/* signed_add() puts one of a key in the place of the other; a forger would not. */
static void
a_key_that_signs_twice_counts_once(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(7);
	struct buf manifest = { 0 }, text = { 0 };
	struct minisig both[2];

	release_write(&release, &manifest);
	minisign_sign(rig->secrets[0], manifest.data, manifest.len, "once", &both[0]);
	minisign_sign(rig->secrets[0], manifest.data, manifest.len, "twice", &both[1]);
	struct signed_text envelope = {
		.manifest = manifest.data, .len = manifest.len, .signatures = both, .count = 2
	};

	signed_write(&envelope, &text);
	refused_text(rig, &text, &self, false, NOW_MS, "threshold");
	assert_non_null(strstr(rig->err.text, "with 1 release key, expected 2"));
	buf_done(&manifest);
	buf_done(&text);
}

static void
a_signature_of_other_bytes_is_bad(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(7);
	struct buf manifest = { 0 }, text = { 0 };
	struct signed_text envelope;

	release_write(&release, &manifest);
	signed_init(&envelope, manifest.data, manifest.len);
	rig_sign(&envelope, rig->secrets[0]);
	rig_sign(&envelope, rig->secrets[1]);
	envelope.manifest[strlen("{\"release\":1,\"channel\":\"s")] ^= 1;
	signed_write(&envelope, &text);
	refused_text(rig, &text, &self, false, NOW_MS, "bad-signature");
	signed_done(&envelope);
	buf_done(&manifest);
	buf_done(&text);
}

static void
of_a_signed_release_no_bit_can_be_changed_and_no_byte_be_missing(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(7);
	struct buf text = rig_signed_release(rig, &release, 0, 1);
	bool is_new;

	for (size_t i = 0; i < text.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			text.data[i] ^= (char)(1 << bit);
			if (accept_text(rig, text.data, text.len, &self, false, NOW_MS, &is_new) !=
			    AISLE_E_REFUSED)
				fail_msg("byte %zu, bit %d", i, bit);
			text.data[i] ^= (char)(1 << bit);
		}
	}
	/* Of the last line feed alone it makes no difference. */
	for (size_t len = 0; len < text.len - 1; len++)
		if (accept_text(rig, text.data, len, &self, false, NOW_MS, &is_new) !=
		    AISLE_E_REFUSED)
			fail_msg("cut to %zu", len);
	assert_int_equal(rig->seen.count, 0);
	assert_int_equal(accept_text(rig, text.data, text.len - 1, &self, false, NOW_MS, &is_new),
	    0);
	buf_done(&text);
}

static void
an_older_sequence_the_same_with_another_content_and_one_far_ahead_are_refused(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(7);
	bool is_new;

	assert_int_equal(take(rig, &release, &is_new), 0);
	release.expires_ms++;
	refused(rig, &release, "sequence-same");
	release.sequence = 6;
	refused(rig, &release, "sequence-older");
	release.sequence = 7 + SEQUENCES_AHEAD_MAX + 1;
	refused(rig, &release, "fast-forward");
	release.sequence = 7 + SEQUENCES_AHEAD_MAX;
	assert_int_equal(take(rig, &release, &is_new), 0);
}

static void
an_expired_release_is_not_installed_and_one_that_was_is_no_matter(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(7);
	struct buf text = rig_signed_release(rig, &release, 0, 1);
	bool is_new;

	refused_text(rig, &text, &self, false, release.expires_ms, "expired");
	assert_int_equal(accept_text(rig, text.data, text.len, &self, false, release.expires_ms - 1,
			     &is_new),
	    0);
	assert_int_equal(accept_text(rig, text.data, text.len, &self, false, release.expires_ms,
			     &is_new),
	    0);
	assert_false(is_new);
	buf_done(&text);
}

static void
under_an_expired_root_nothing_is_taken(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(7);

	release.expires_ms = rig->root.expires_ms + D_MS;
	struct buf text = rig_signed_release(rig, &release, 0, 1);
	bool is_new;

	refused_text(rig, &text, &self, false, rig->root.expires_ms, "root-expired");
	assert_int_equal(accept_text(rig, text.data, text.len, &self, false,
			     rig->root.expires_ms - 1, &is_new),
	    0);
	buf_done(&text);
}

static void
it_is_for_us_by_channel_store_ring_and_percentage(void **state)
{
	struct rig *rig = *state;
	struct trust_self early = { .store = "0417", .channel = "stable", .ring = "early" };
	struct release release = rig_release(7);
	bool is_new;

	strcpy(release.channel, "beta");
	refused(rig, &release, "other-channel");
	strcpy(release.channel, "stable");
	release.stores = mem_calloc(1, sizeof(*release.stores));
	release.store_count = 1;
	strcpy(release.stores[0], "0418");
	refused(rig, &release, "not-for-us");
	strcpy(release.stores[0], "0417");
	strcpy(release.rings[0], "early");
	release.ring_count = 1;
	/* Who is in no ring takes what names none. */
	refused(rig, &release, "not-for-us");
	strcpy(release.rings[0], "late");
	struct buf text = rig_signed_release(rig, &release, 0, 1);

	refused_text(rig, &text, &early, false, NOW_MS, "not-for-us");
	buf_done(&text);
	strcpy(release.rings[1], "early");
	release.ring_count = 2;
	text = rig_signed_release(rig, &release, 0, 1);
	assert_int_equal(accept_text(rig, text.data, text.len, &early, false, NOW_MS, &is_new), 0);
	buf_done(&text);
	release.ring_count = 0;
	release.sequence++;
	text = rig_signed_release(rig, &release, 0, 1);
	assert_int_equal(accept_text(rig, text.data, text.len, &early, false, NOW_MS, &is_new), 0);
	buf_done(&text);
	release_done(&release);
}

/* python3: int.from_bytes(hashlib.blake2b(b"0417", key=b"saltsalt", digest_size=32).digest()[:8], "little") >> 11 */
#define SHARE_0417 (3387003736349161.0 * 0x1p-53)

static void
a_percentage_is_the_same_stores_and_more_of_them(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(7);
	int at_20 = 0, at_50 = 0;
	bool is_new;

	release.has_percent = true;
	memcpy(release.salt, "saltsalt", 8);
	assert_true(release_share(release.salt, "0417") == SHARE_0417);
	release.percent = 100 * SHARE_0417;
	refused(rig, &release, "not-for-us");
	release.percent = 100 * SHARE_0417 + 1e-9;
	assert_int_equal(take(rig, &release, &is_new), 0);
	for (int i = 0; i < 10000; i++) {
		char store[16];

		snprintf(store, sizeof(store), "%04d", i);
		at_20 += release_share(release.salt, store) < 0.2;
		at_50 += release_share(release.salt, store) < 0.5;
	}
	/* Four standard deviations. */
	assert_in_range(at_20, 1840, 2160);
	assert_in_range(at_50, 4800, 5200);
	release.percent = 0;
	release.sequence++;
	refused(rig, &release, "not-for-us");
	release.percent = 100;
	assert_int_equal(take(rig, &release, &is_new), 0);
}

static void
profiles_come_on_a_stores_own_topic_and_nothing_else_does(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(7);
	bool is_new;

	struct buf text = rig_signed_release(rig, &release, 0, 1);

	refused_text(rig, &text, &self, true, NOW_MS, "other-store");
	buf_done(&text);
	release.stores = mem_calloc(2, sizeof(*release.stores));
	release.store_count = 1;
	strcpy(release.stores[0], "0417");
	text = rig_signed_release(rig, &release, 0, 1);
	refused_text(rig, &text, &self, true, NOW_MS, "wrong-kind");
	buf_done(&text);
	release.bundles[BUNDLE_PROFILES] = release.bundles[BUNDLE_POLICY];
	release.bundles[BUNDLE_POLICY].named = false;
	refused(rig, &release, "wrong-kind");
	text = rig_signed_release(rig, &release, 0, 1);
	assert_int_equal(accept_text(rig, text.data, text.len, &self, true, NOW_MS, &is_new), 0);
	assert_int_equal(sequences_last(&rig->seen, "own:stable"), 7);
	buf_done(&text);
	/* Another store's, or ours beside another's. */
	strcpy(release.stores[1], "0418");
	release.store_count = 2;
	release.sequence++;
	text = rig_signed_release(rig, &release, 0, 1);
	refused_text(rig, &text, &self, true, NOW_MS, "other-store");
	buf_done(&text);
	release_done(&release);
}

/* ---- the manifest ---- */

#define HEAD \
	"{\"release\":1,\"channel\":\"stable\",\"sequence\":7,\"issued\":\"2026-11-01T00:00:" \
	"00Z\",\"expires\":\"2027-11-01T00:00:00Z\""
#define HASH "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""
#define BUNDLE \
	"{\"kind\":\"policy\",\"name\":\"n\",\"version\":\"1\",\"bytes\":9,\"hash\":" HASH \
	",\"chunk\":65536}"
#define TAIL ",\"bundles\":[" BUNDLE "]}"

static void
signed_by_hq_but_no_manifest(struct rig *rig, const char *manifest, const char *reason)
{
	struct buf text, bytes = { 0 };

	buf_adds(&bytes, manifest);
	text = rig_envelope(rig, &bytes, 0, 1);
	refused_text(rig, &text, &self, false, NOW_MS, reason);
	buf_done(&text);
	buf_done(&bytes);
}

static void
a_manifest_that_is_not_wholly_understood_is_not_half_done(void **state)
{
	static const char *const wrong[] = {
		"",
		"[]",
		"null",
		"{}",
		HEAD "}",
		HEAD ",\"sequence\":8" TAIL, /* twice */
		HEAD ",\"more\":1" TAIL,
		HEAD TAIL " x",
		HEAD ",\"stores\":[]" TAIL,
		HEAD ",\"stores\":[\"a b\"]" TAIL,
		HEAD ",\"stores\":[\"\"]" TAIL,
		HEAD ",\"stores\":[7]" TAIL,
		HEAD ",\"rings\":\"early\"" TAIL,
		HEAD ",\"percent\":5" TAIL,
		HEAD ",\"salt\":\"0000000000000000\"" TAIL,
		HEAD ",\"percent\":101,\"salt\":\"0000000000000000\"" TAIL,
		HEAD ",\"percent\":5,\"salt\":\"000000000000000G\"" TAIL,
		HEAD ",\"percent\":5,\"salt\":\"00000000000000AA\"" TAIL,
		HEAD ",\"bounds\":{\"agreement\":1.5}" TAIL,
		HEAD ",\"bounds\":{\"latency_ms\":1.5}" TAIL,
		HEAD ",\"bounds\":{\"luck\":1}" TAIL,
		HEAD ",\"bounds\":[]" TAIL,
		HEAD ",\"fetch\":{\"hours\":\"22:00-24:00\"}" TAIL,
		HEAD ",\"fetch\":{\"hours\":\"22:00-6:00\"}" TAIL,
		HEAD ",\"fetch\":{\"hours\":\" 2:00-06:00\"}" TAIL,
		HEAD ",\"fetch\":{\"jitter_s\":-1}" TAIL,
		HEAD ",\"fetch\":{\"rate_kib_s\":0}" TAIL,
		HEAD ",\"bundles\":[]}",
		HEAD ",\"bundles\":[" BUNDLE "," BUNDLE "]}",
		HEAD ",\"bundles\":[{\"kind\":\"policy\"}]}",
		HEAD ",\"bundles\":[{\"kind\":\"firmware\",\"name\":\"n\",\"version\":\"1\","
		     "\"bytes\":9,\"hash\":" HASH ",\"chunk\":65536}]}",
		HEAD ",\"bundles\":[{\"kind\":\"policy\",\"name\":\"n\",\"version\":\"1\","
		     "\"bytes\":268435457,\"hash\":" HASH ",\"chunk\":65536}]}",
		HEAD ",\"bundles\":[{\"kind\":\"policy\",\"name\":\"n\",\"version\":\"1\","
		     "\"bytes\":9,\"hash\":" HASH ",\"chunk\":65537}]}",
		HEAD ",\"bundles\":[{\"kind\":\"policy\",\"name\":\"n\",\"version\":\"1\","
		     "\"bytes\":9,\"hash\":\"aa\",\"chunk\":65536}]}",
		"{\"release\":2,\"channel\":\"stable\",\"sequence\":7,\"issued\":\"2026-11-01T00:"
		"00:00Z\",\"expires\":\"2027-11-01T00:00:00Z\"" TAIL,
		"{\"release\":1,\"channel\":\"stable\",\"sequence\":0,\"issued\":\"2026-11-01T00:"
		"00:00Z\",\"expires\":\"2027-11-01T00:00:00Z\"" TAIL,
		"{\"release\":1,\"channel\":\"stable\",\"sequence\":7,\"issued\":\"2027-11-01T00:"
		"00:00Z\",\"expires\":\"2027-11-01T00:00:00Z\"" TAIL,
		"{\"release\":1,\"channel\":\"stable\",\"sequence\":7,\"issued\":\"today\","
		"\"expires\":\"2027-11-01T00:00:00Z\"" TAIL,
	};
	struct rig *rig = *state;
	struct buf text, bytes = { 0 };
	bool is_new;

	buf_adds(&bytes, HEAD TAIL);
	text = rig_envelope(rig, &bytes, 0, 1);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		signed_by_hq_but_no_manifest(rig, wrong[i], "malformed");
	assert_int_equal(accept_text(rig, text.data, text.len, &self, false, NOW_MS, &is_new), 0);
	buf_done(&text);
	buf_done(&bytes);
}

static void
no_other_kind_passes_for_a_release(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("0417", 7);
	struct buf root = { 0 }, text, bytes = { 0 };

	root_write(&rig->root, &root);
	text = rig_envelope(rig, &root, 0, 1);
	refused_text(rig, &text, &self, false, NOW_MS, "wrong-kind");
	buf_done(&text);
	order_write(&order, &bytes);
	text = rig_envelope(rig, &bytes, 0, 1);
	refused_text(rig, &text, &self, false, NOW_MS, "wrong-kind");
	buf_done(&text);
	buf_done(&root);
	buf_done(&bytes);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, rig_open, rig_close)
	const struct CMUnitTest tests[] = {
		T(what_hq_signed_is_taken_once),
		T(what_is_said_comes_out_as_it_went_in),
		T(without_enough_valid_signatures_of_keys_in_force_nothing_is_taken),
		T(a_key_that_signs_twice_counts_once),
		T(a_signature_of_other_bytes_is_bad),
		T(of_a_signed_release_no_bit_can_be_changed_and_no_byte_be_missing),
		T(an_older_sequence_the_same_with_another_content_and_one_far_ahead_are_refused),
		T(an_expired_release_is_not_installed_and_one_that_was_is_no_matter),
		T(under_an_expired_root_nothing_is_taken),
		T(it_is_for_us_by_channel_store_ring_and_percentage),
		T(a_percentage_is_the_same_stores_and_more_of_them),
		T(profiles_come_on_a_stores_own_topic_and_nothing_else_does),
		T(a_manifest_that_is_not_wholly_understood_is_not_half_done),
		T(no_other_kind_passes_for_a_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
