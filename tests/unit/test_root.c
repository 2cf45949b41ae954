/* SPDX-License-Identifier: Apache-2.0
 *
 * test_root.c - a root is followed by the next one alone, signed by enough keys of both; a key that went is known as gone.
 */
#include "trust_rig.h"

#include <stdio.h>

static int
next_text(struct rig *rig, const struct root *old, const struct buf *text, struct root *ret)
{
	rig_clear(rig);
	return root_next(old, text->data, text->len, "topic", ret, &rig->refusal, &rig->err);
}

/* Refused with this reason, counted once, and what would have been written is as it was. */
static void
refused(struct rig *rig, const struct root *old, const struct buf *text, const char *reason)
{
	int64_t before = refusal_count(refusal_by_name(reason));
	struct root *untouched = mem_alloc(2 * sizeof(*untouched));

	memset(untouched, 0x5a, 2 * sizeof(*untouched));
	assert_int_equal(next_text(rig, old, text, untouched), AISLE_E_REFUSED);
	assert_string_equal(refusal_name(rig->refusal), reason);
	assert_memory_equal(rig->err.text, reason, strlen(reason));
	assert_int_equal(refusal_count(rig->refusal), before + 1);
	assert_memory_equal(&untouched[0], &untouched[1], sizeof(*untouched));
	free(untouched);
}

static void
refused_root(struct rig *rig, const struct root *root, int first, int last, const char *reason)
{
	struct buf text = rig_signed_root(rig, root, first, last);

	refused(rig, &rig->root, &text, reason);
	buf_done(&text);
}

/* The first two are what they were; the rest of them signs, too. */
static struct buf
signed_by(const struct root *root, struct minisign_secret *const *secrets, size_t count)
{
	struct buf manifest = { 0 }, text = { 0 };
	struct signed_text envelope;

	root_write(root, &manifest);
	signed_init(&envelope, manifest.data, manifest.len);
	for (size_t i = 0; i < count; i++)
		rig_sign(&envelope, secrets[i]);
	signed_write(&envelope, &text);
	signed_done(&envelope);
	buf_done(&manifest);
	return text;
}

static void
the_root_that_a_store_is_born_with_is_signed_by_itself(void **state)
{
	struct rig *rig = *state;
	struct root root;

	static const struct {
		int first, last;
		const char *reason;
	} wrong[] = { { -1, -1, "unsigned" }, { 0, -1, "threshold" }, { 0, 0, "threshold" },
		{ 2, 3, "threshold" } };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct buf text = rig_signed_root(rig, &rig->root, wrong[i].first, wrong[i].last);
		int64_t before = refusal_count(refusal_by_name(wrong[i].reason));

		rig_clear(rig);
		int rc =
		    root_open(text.data, text.len, "root.json", &root, &rig->refusal, &rig->err);

		assert_int_equal(rc, AISLE_E_REFUSED);
		assert_string_equal(refusal_name(rig->refusal), wrong[i].reason);
		assert_int_equal(refusal_count(rig->refusal), before + 1);
		buf_done(&text);
	}
}

static void
the_next_version_is_taken_and_no_other(void **state)
{
	struct rig *rig = *state;
	struct root root = rig_root(rig, 2), read;
	struct buf text = rig_signed_root(rig, &root, 0, 1);

	assert_int_equal(next_text(rig, &rig->root, &text, &read), 0);
	assert_int_equal(read.version, 2);
	assert_int_equal(read.revoked_count, 0);
	/* Again, or the one before. */
	refused(rig, &read, &text, "root-older");
	buf_done(&text);
	text = rig_signed_root(rig, &rig->root, 0, 1);
	refused(rig, &read, &text, "root-older");
	buf_done(&text);
	root.version = 3;
	refused_root(rig, &root, 0, 1, "root-gap");
}

static void
it_takes_enough_keys_of_the_old_root_and_of_the_new(void **state)
{
	struct rig *rig = *state;
	struct minisign_secret *fresh[2] = { minisign_generate(), minisign_generate() };
	struct root root = rig_root(rig, 2), read;
	struct buf text;

	minisign_secret_pub(fresh[0], &root.keys[ROLE_RELEASE][0]);
	minisign_secret_pub(fresh[1], &root.keys[ROLE_RELEASE][1]);
	refused_root(rig, &root, -1, -1, "unsigned");
	refused_root(rig, &root, 0, -1, "threshold");
	/* All of the old, none of the new. */
	refused_root(rig, &root, 0, 1, "threshold");
	assert_non_null(strstr(rig->err.text, "new root"));
	/* All of the new, none of the old, or one. */
	text = signed_by(&root, fresh, 2);
	refused(rig, &rig->root, &text, "threshold");
	assert_non_null(strstr(rig->err.text, "old root"));
	buf_done(&text);
	struct minisign_secret *three[] = { fresh[0], fresh[1], rig->secrets[0] };

	text = signed_by(&root, three, 3);
	refused(rig, &rig->root, &text, "threshold");
	buf_done(&text);
	struct minisign_secret *four[] = { fresh[0], fresh[1], rig->secrets[0], rig->secrets[1] };

	text = signed_by(&root, four, 4);
	assert_int_equal(next_text(rig, &rig->root, &text, &read), 0);
	assert_int_equal(read.revoked_count, 2);
	buf_done(&text);
	minisign_secret_free(fresh[0]);
	minisign_secret_free(fresh[1]);
}

/* signed_add() puts one of a key in the place of the other; a forger would not. */
static void
a_key_that_signs_a_root_twice_counts_once(void **state)
{
	struct rig *rig = *state;
	struct root root = rig_root(rig, 2);
	struct buf manifest = { 0 }, text = { 0 };
	struct minisig both[2];

	root_write(&root, &manifest);
	minisign_sign(rig->secrets[0], manifest.data, manifest.len, "once", &both[0]);
	minisign_sign(rig->secrets[0], manifest.data, manifest.len, "twice", &both[1]);
	struct signed_text envelope = {
		.manifest = manifest.data, .len = manifest.len, .signatures = both, .count = 2
	};

	signed_write(&envelope, &text);
	refused(rig, &rig->root, &text, "threshold");
	buf_done(&manifest);
	buf_done(&text);
}

static void
a_strangers_signature_and_one_of_other_bytes_are_refused_beside_enough_good_ones(void **state)
{
	struct rig *rig = *state;
	struct root root = rig_root(rig, 2);
	struct minisign_secret *stranger = minisign_generate();
	struct minisign_secret *three[] = { rig->secrets[0], rig->secrets[1], stranger };
	struct buf text = signed_by(&root, three, 3), manifest = { 0 };
	struct signed_text envelope;

	refused(rig, &rig->root, &text, "wrong-key");
	buf_done(&text);
	root_write(&root, &manifest);
	signed_init(&envelope, manifest.data, manifest.len);
	rig_sign(&envelope, rig->secrets[0]);
	rig_sign(&envelope, rig->secrets[1]);
	envelope.signatures[1].signature[5] ^= 1;
	signed_write(&envelope, &text);
	refused(rig, &rig->root, &text, "bad-signature");
	signed_done(&envelope);
	buf_done(&text);
	buf_done(&manifest);
	minisign_secret_free(stranger);
}

/* Both keys are stolen, and the chain gives them up: what they sign is refused by that name, from then on. */
static void
what_a_revoked_key_signs_is_refused_as_such(void **state)
{
	struct rig *rig = *state;
	struct minisign_secret *fresh = minisign_generate();
	struct root root = rig_root(rig, 2), second, third;
	struct minisign_secret *hands[] = { rig->secrets[0], rig->secrets[1], fresh };

	minisign_secret_pub(fresh, &root.keys[ROLE_RELEASE][1]);
	struct buf text = signed_by(&root, hands, 3);

	assert_int_equal(next_text(rig, &rig->root, &text, &second), 0);
	buf_done(&text);
	root.version = 3;
	struct minisign_secret *both[] = { rig->secrets[0], fresh };

	text = signed_by(&root, both, 2);
	assert_int_equal(next_text(rig, &second, &text, &third), 0);
	/* Still known two roots later. */
	assert_int_equal(third.revoked_count, 1);
	struct release release = rig_release(7), read;
	struct buf bytes = rig_signed_release(rig, &release, 0, 1);
	int64_t before = refusal_count(REFUSED_REVOKED_KEY);

	rig_clear(rig);
	int rc = release_open(&third, bytes.data, bytes.len, "topic", NOW_MS, &read, &rig->refusal,
	    &rig->err);

	assert_refused(rig, rc, "revoked-key", before);
	buf_done(&bytes);
	/* Nor does it sign a root. */
	root.version = 4;
	bytes = signed_by(&root, hands, 3);
	refused(rig, &third, &bytes, "revoked-key");
	buf_done(&bytes);
	/* After a restart: the root kept, and what the one born with makes known. */
	assert_int_equal(root_open(text.data, text.len, "kept", &third, NULL, NULL), 0);
	assert_int_equal(third.revoked_count, 0);
	root_revoke(&third, &rig->root);
	assert_int_equal(third.revoked_count, 1);
	assert_true(minisign_pub_same(&third.revoked[0], &rig->root.keys[ROLE_RELEASE][1]));
	buf_done(&text);
	minisign_secret_free(fresh);
}

static void
a_store_that_slept_through_roots_walks_over_those_that_expired(void **state)
{
	struct rig *rig = *state;
	struct root root = rig_root(rig, 2), second, third;

	root.issued_ms = NOW_MS - 3 * D_MS;
	root.expires_ms = NOW_MS - 2 * D_MS;
	struct buf text = rig_signed_root(rig, &root, 0, 1);

	assert_int_equal(next_text(rig, &rig->root, &text, &second), 0);
	buf_done(&text);
	int64_t before = refusal_count(REFUSED_ROOT_EXPIRED);
	int rc = root_in_force(&second, NOW_MS, &rig->refusal, &rig->err);

	assert_refused(rig, rc, "root-expired", before);
	root = rig_root(rig, 3);
	text = rig_signed_root(rig, &root, 0, 1);
	assert_int_equal(next_text(rig, &second, &text, &third), 0);
	assert_int_equal(root_in_force(&third, NOW_MS, NULL, NULL), 0);
	buf_done(&text);
}

static void
of_a_signed_root_no_bit_can_be_changed(void **state)
{
	struct rig *rig = *state;
	struct root root = rig_root(rig, 2), read;
	struct buf text = rig_signed_root(rig, &root, 0, 1);

	for (size_t i = 0; i < text.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			text.data[i] ^= (char)(1 << bit);
			if (next_text(rig, &rig->root, &text, &read) != AISLE_E_REFUSED)
				fail_msg("byte %zu, bit %d", i, bit);
			text.data[i] ^= (char)(1 << bit);
		}
	}
	assert_int_equal(next_text(rig, &rig->root, &text, &read), 0);
	buf_done(&text);
}

static void
a_role_with_fewer_keys_than_the_threshold_asks_for_all_of_them_and_an_empty_one_takes_nothing(void *
	*state)
{
	struct rig *rig = *state;
	struct root root = rig_root(rig, 1);

	root.key_count[ROLE_ORDER] = 1;
	root.key_count[ROLE_ERASE] = 0;
	assert_int_equal(root_signers(&root, ROLE_RELEASE).threshold, 2);
	assert_int_equal(root_signers(&root, ROLE_ORDER).threshold, 1);
	assert_true(root_signers(&root, ROLE_ERASE).threshold >= 1);
	struct order order = rig_order("0417", 1), read;
	struct buf text = rig_signed_root(rig, &root, 0, 1);
	struct root parsed;

	assert_int_equal(root_open(text.data, text.len, "root", &parsed, NULL, NULL), 0);
	assert_int_equal(parsed.key_count[ROLE_ORDER], 1);
	assert_int_equal(parsed.key_count[ROLE_ERASE], 0);
	buf_done(&text);
	order.type = ORDER_ERASE;
	order.subject.b[0] = 1;
	text = rig_signed_order(rig, &order, 4, 5);
	int64_t before = refusal_count(REFUSED_WRONG_KEY);
	int rc = order_open(&root, text.data, text.len, "topic", NOW_MS, &read, &rig->refusal,
	    &rig->err);

	assert_refused(rig, rc, "wrong-key", before);
	buf_done(&text);
	text = rig_signed_order(rig, &order, -1, -1);
	before = refusal_count(REFUSED_UNSIGNED);
	rc = order_open(&root, text.data, text.len, "topic", NOW_MS, &read, &rig->refusal,
	    &rig->err);
	assert_refused(rig, rc, "unsigned", before);
	buf_done(&text);
}

static void
one_key_under_two_names_is_no_two_keys(void **state)
{
	struct rig *rig = *state;
	struct root root = rig_root(rig, 2);

	root.keys[ROLE_RELEASE][1] = root.keys[ROLE_RELEASE][0];
	root.keys[ROLE_RELEASE][1].id[0] ^= 1;
	refused_root(rig, &root, 0, 1, "malformed");
	root = rig_root(rig, 2);
	memcpy(root.keys[ROLE_RELEASE][1].id, root.keys[ROLE_RELEASE][0].id, 8);
	refused_root(rig, &root, 0, 1, "malformed");
	root = rig_root(rig, 2);
	root.threshold = 3;
	refused_root(rig, &root, 0, 1, "malformed");
	root.threshold = 0;
	refused_root(rig, &root, 0, 1, "malformed");
	root = rig_root(rig, 2);
	root.expires_ms = root.issued_ms;
	refused_root(rig, &root, 0, 1, "malformed");
}

static void
no_other_kind_passes_for_a_root(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(2);
	struct buf text = rig_signed_release(rig, &release, 0, 1);

	refused(rig, &rig->root, &text, "wrong-kind");
	buf_done(&text);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, rig_open, rig_close)
	const struct CMUnitTest tests[] = {
		T(the_root_that_a_store_is_born_with_is_signed_by_itself),
		T(the_next_version_is_taken_and_no_other),
		T(it_takes_enough_keys_of_the_old_root_and_of_the_new),
		T(a_key_that_signs_a_root_twice_counts_once),
		T(a_strangers_signature_and_one_of_other_bytes_are_refused_beside_enough_good_ones),
		T(what_a_revoked_key_signs_is_refused_as_such),
		T(a_store_that_slept_through_roots_walks_over_those_that_expired),
		T(of_a_signed_root_no_bit_can_be_changed),
		T(a_role_with_fewer_keys_than_the_threshold_asks_for_all_of_them_and_an_empty_one_takes_nothing),
		T(one_key_under_two_names_is_no_two_keys),
		T(no_other_kind_passes_for_a_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
