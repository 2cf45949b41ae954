/* SPDX-License-Identifier: Apache-2.0
 *
 * test_trust_order.c - an order is taken once, by whom it is for, signed by the keys of its kind; lists of them.
 */
#include "trust_rig.h"

#include <stdio.h>

static const struct trust_self self = { .store = "0417", .channel = "stable", .ring = "early" };

static int
accept_text(struct rig *rig, const void *text, size_t len, bool own, int64_t now_ms, bool *ret_new)
{
	char counter[SEQUENCES_NAME_SIZE];
	struct order order;
	int rc = order_accept(&rig->root, &rig->seen, &self, own, text, len, "topic", now_ms,
	    &order, ret_new, &rig->refusal, &rig->err);

	if (rc == 0 && *ret_new) {
		order_counter(&order, counter);
		sequences_take(&rig->seen, counter, order.sequence, order.digest, true);
	}
	return rc;
}

static int
take(struct rig *rig, const struct order *order, bool own, int first, int last, bool *ret_new)
{
	struct buf text = rig_signed_order(rig, order, first, last);
	int rc = accept_text(rig, text.data, text.len, own, NOW_MS, ret_new);

	buf_done(&text);
	return rc;
}

static void
refused_at(struct rig *rig, const struct order *order, bool own, int first, int last,
    int64_t now_ms, const char *reason)
{
	int64_t before = refusal_count(refusal_by_name(reason));
	struct buf text = rig_signed_order(rig, order, first, last), seen = { 0 }, after = { 0 };
	bool is_new;

	rig_clear(rig);
	sequences_encode(&rig->seen, &seen);
	int rc = accept_text(rig, text.data, text.len, own, now_ms, &is_new);

	sequences_encode(&rig->seen, &after);
	assert_int_equal(rc, AISLE_E_REFUSED);
	assert_string_equal(refusal_name(rig->refusal), reason);
	assert_int_equal(refusal_count(rig->refusal), before + 1);
	assert_int_equal(seen.len, after.len);
	assert_memory_equal(seen.data, after.data, seen.len);
	buf_done(&seen);
	buf_done(&after);
	buf_done(&text);
}

static void
refused(struct rig *rig, const struct order *order, bool own, int first, int last,
    const char *reason)
{
	refused_at(rig, order, own, first, last, NOW_MS, reason);
}

static void
an_order_to_this_store_is_carried_out_once(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("0417", 3);
	bool is_new;

	assert_int_equal(take(rig, &order, true, 2, 3, &is_new), 0);
	assert_true(is_new);
	/* The list is retained: it comes again with each connection. */
	assert_int_equal(take(rig, &order, true, 2, 3, &is_new), 0);
	assert_false(is_new);
	struct order next = rig_order("0417", 5);

	assert_int_equal(take(rig, &next, true, 2, 3, &is_new), 0);
	assert_true(is_new);
	assert_int_equal(take(rig, &order, true, 2, 3, &is_new), 0);
	assert_false(is_new);
	/* Also when it has expired since: it was in time then. */
	struct buf text = rig_signed_order(rig, &order, 2, 3);

	assert_int_equal(accept_text(rig, text.data, text.len, true, order.expires_ms, &is_new), 0);
	assert_false(is_new);
	/* Or when its keys have gone: nobody is told each day that an old order is no order any more. */
	rig->root.keys[ROLE_ORDER][0].id[0] ^= 1;
	rig_clear(rig);
	assert_int_equal(accept_text(rig, text.data, text.len, true, NOW_MS, &is_new), 0);
	assert_false(is_new);
	buf_done(&text);
	struct order more = rig_order("0417", 6);

	text = rig_signed_order(rig, &more, 2, 3);
	int64_t before = refusal_count(REFUSED_WRONG_KEY);
	int rc = accept_text(rig, text.data, text.len, true, NOW_MS, &is_new);

	assert_refused(rig, rc, "wrong-key", before);
	buf_done(&text);
}

static void
an_old_number_with_a_new_content_is_no_order(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("0417", 5);
	bool is_new;

	assert_int_equal(take(rig, &order, true, 2, 3, &is_new), 0);
	strcpy(order.object, "wine");
	refused(rig, &order, true, 2, 3, "sequence-same");
	order.sequence = 4;
	refused(rig, &order, true, 2, 3, "sequence-older");
	order.sequence = 5 + SEQUENCES_AHEAD_MAX + 1;
	refused(rig, &order, true, 2, 3, "fast-forward");
	order.sequence = 6;
	refused_at(rig, &order, true, 2, 3, order.expires_ms, "expired");
	refused_at(rig, &order, true, 2, 3, rig->root.expires_ms, "root-expired");
	assert_int_equal(take(rig, &order, true, 2, 3, &is_new), 0);
}

static void
each_type_has_its_keys(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("0417", 5), erase = order;
	bool is_new;

	erase.type = ORDER_ERASE;
	erase.subject.b[15] = 7;
	refused(rig, &order, true, -1, -1, "unsigned");
	refused(rig, &order, true, 2, -1, "threshold");
	refused(rig, &order, true, 2, 2, "threshold");
	refused(rig, &order, true, 0, 1, "wrong-key");
	refused(rig, &order, true, 4, 5, "wrong-key");
	refused(rig, &erase, true, 2, 3, "wrong-key");
	refused(rig, &erase, true, 4, -1, "threshold");
	assert_int_equal(take(rig, &erase, true, 4, 5, &is_new), 0);
}

static void
an_order_for_another_store_is_refused_and_one_for_another_ring_passes_by(void **state)
{
	struct rig *rig = *state;
	struct order other = rig_order("0418", 1), all = rig_order("all", 1),
		     early = rig_order("ring:early", 1);
	struct order late = rig_order("ring:late", 1), ours = rig_order("0417", 1);
	bool is_new;

	refused(rig, &other, true, 2, 3, "other-store");
	refused(rig, &all, true, 2, 3, "other-store");
	refused(rig, &ours, false, 2, 3, "other-store");
	assert_int_equal(take(rig, &late, false, 2, 3, &is_new), 0);
	assert_false(is_new);
	assert_int_equal(rig->seen.count, 0);
	assert_int_equal(take(rig, &all, false, 2, 3, &is_new), 0);
	assert_true(is_new);
	assert_int_equal(take(rig, &early, false, 2, 3, &is_new), 0);
	assert_true(is_new);
	/* Of each target its own numbers. */
	assert_int_equal(rig->seen.count, 2);
	all.sequence = 2;
	all.type = ORDER_SNAPSHOT;
	refused(rig, &all, false, 2, 3, "wrong-kind");
}

static void
every_type_comes_out_as_it_went_in(void **state)
{
	(void)state;
	for (int type = 0; type < ORDER_TYPE_COUNT; type++) {
		struct order order = rig_order("0417", 5), read;
		struct buf manifest = { 0 };

		order.type = (enum order_type)type;
		order.subject.b[3] = type == ORDER_ERASE ? 9 : 0;
		strcpy(order.object,
		    type == ORDER_ERASE || type == ORDER_SNAPSHOT ? ""
			: type == ORDER_REVOKE			  ? "front 1"
								  : "*");
		order_write(&order, &manifest);
		assert_int_equal(order_parse(manifest.data, manifest.len, "o", &read, NULL, NULL),
		    0);
		assert_int_equal(read.type, type);
		assert_string_equal(read.target, "0417");
		assert_string_equal(read.object, order.object);
		assert_memory_equal(&read.subject, &order.subject, sizeof(read.subject));
		assert_int_equal(read.sequence, 5);
		assert_int_equal(read.issued_ms, order.issued_ms);
		assert_int_equal(read.expires_ms, order.expires_ms);
		buf_done(&manifest);
	}
}

static void
of_a_signed_order_no_bit_can_be_changed_and_no_byte_be_missing(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("0417", 5);
	struct buf text = rig_signed_order(rig, &order, 2, 3);
	bool is_new;

	for (size_t i = 0; i < text.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			text.data[i] ^= (char)(1 << bit);
			if (accept_text(rig, text.data, text.len, true, NOW_MS, &is_new) !=
			    AISLE_E_REFUSED)
				fail_msg("byte %zu, bit %d", i, bit);
			text.data[i] ^= (char)(1 << bit);
		}
	}
	for (size_t len = 0; len < text.len - 1; len++)
		if (accept_text(rig, text.data, len, true, NOW_MS, &is_new) != AISLE_E_REFUSED)
			fail_msg("cut to %zu", len);
	assert_int_equal(rig->seen.count, 0);
	assert_int_equal(accept_text(rig, text.data, text.len, true, NOW_MS, &is_new), 0);
	buf_done(&text);
}

#define HEAD \
	"{\"order\":1,\"store\":\"0417\",\"sequence\":7,\"issued\":\"2026-11-01T00:00:00Z\"," \
	"\"expires\":\"2027-11-01T00:00:00Z\""

static void
an_order_has_the_member_of_its_type_and_no_other(void **state)
{
	static const char *const wrong[] = {
		HEAD "}",
		HEAD ",\"type\":\"explode\"}",
		HEAD ",\"type\":\"stop\"}",
		HEAD ",\"type\":\"stop\",\"action\":\"\"}",
		HEAD ",\"type\":\"stop\",\"action\":\"a\",\"tablet\":\"t\"}",
		HEAD ",\"type\":\"stop\",\"action\":\"a\",\"action\":\"b\"}",
		HEAD ",\"type\":\"snapshot\",\"action\":\"a\"}",
		HEAD ",\"type\":\"revoke\",\"action\":\"a\"}",
		HEAD ",\"type\":\"erase\",\"subject\":\"0102\"}",
		HEAD ",\"type\":\"erase\"}",
		"{\"order\":1,\"store\":\"ring:\",\"sequence\":7,\"issued\":\"2026-11-01T00:00:"
		"00Z\",\"expires\":\"2027-11-01T00:00:00Z\",\"type\":\"snapshot\"}",
		"{\"order\":1,\"store\":\"*\",\"sequence\":7,\"issued\":\"2026-11-01T00:00:00Z\","
		"\"expires\":\"2027-11-01T00:00:00Z\",\"type\":\"snapshot\"}",
	};
	struct rig *rig = *state;
	struct order order;

	assert_int_equal(order_parse(HEAD ",\"type\":\"snapshot\"}",
			     strlen(HEAD ",\"type\":\"snapshot\"}"), "o", &order, NULL, NULL),
	    0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		rig_clear(rig);
		assert_int_equal(order_parse(wrong[i], strlen(wrong[i]), "o", &order, &rig->refusal,
				     &rig->err),
		    AISLE_E_REFUSED);
		assert_int_equal(rig->refusal, REFUSED_MALFORMED);
	}
}

static void
no_release_passes_for_an_order(void **state)
{
	struct rig *rig = *state;
	struct release release = rig_release(3);
	struct buf text = rig_signed_release(rig, &release, 2, 3);
	int64_t before = refusal_count(REFUSED_WRONG_KIND);
	bool is_new;
	int rc = accept_text(rig, text.data, text.len, true, NOW_MS, &is_new);

	assert_refused(rig, rc, "wrong-kind", before);
	buf_done(&text);
}

/* ---- lists ---- */

struct heard {
	struct rig *rig;
	size_t count, taken;
};

static void
hear(void *ctx, const char *text, size_t len, size_t at)
{
	struct heard *heard = ctx;
	bool is_new;

	assert_int_equal(at, heard->count++);
	rig_clear(heard->rig);
	if (accept_text(heard->rig, text, len, true, NOW_MS, &is_new) == 0 && is_new)
		heard->taken++;
}

static int
hear_list(struct rig *rig, const struct buf *list, size_t most, struct heard *heard)
{
	*heard = (struct heard){ .rig = rig };
	rig_clear(rig);
	return order_list_each(list->data != NULL ? list->data : "", list->len, most, "topic", hear,
	    heard, &rig->refusal, &rig->err);
}

static void
a_list_is_taken_one_by_one_and_a_bad_one_in_it_stops_no_other(void **state)
{
	struct rig *rig = *state;
	struct buf list = { 0 };
	struct heard heard;

	assert_int_equal(hear_list(rig, &list, 32, &heard), 0);
	assert_int_equal(heard.count, 0);
	for (int i = 1; i <= 32; i++) {
		struct order order = rig_order("0417", i);
		struct buf one = rig_signed_order(rig, &order, 2, i == 7 ? -1 : 3);

		order_list_add(&list, one.data, one.len);
		buf_done(&one);
	}
	assert_int_equal(hear_list(rig, &list, 32, &heard), 0);
	assert_int_equal(heard.count, 32);
	assert_int_equal(heard.taken, 31);
	assert_int_equal(hear_list(rig, &list, 32, &heard), 0);
	assert_int_equal(heard.taken, 0);
	int64_t before = refusal_count(REFUSED_MALFORMED);
	int rc = hear_list(rig, &list, 31, &heard);

	assert_int_equal(heard.count, 0);
	assert_refused(rig, rc, "malformed", before);
	list.data[list.len - 1] = ' ';
	rc = hear_list(rig, &list, 32, &heard);
	assert_int_equal(heard.count, 0);
	assert_refused(rig, rc, "malformed", before + 1);
	buf_done(&list);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, rig_open, rig_close)
	const struct CMUnitTest tests[] = {
		T(an_order_to_this_store_is_carried_out_once),
		T(an_old_number_with_a_new_content_is_no_order),
		T(each_type_has_its_keys),
		T(an_order_for_another_store_is_refused_and_one_for_another_ring_passes_by),
		T(every_type_comes_out_as_it_went_in),
		T(of_a_signed_order_no_bit_can_be_changed_and_no_byte_be_missing),
		T(an_order_has_the_member_of_its_type_and_no_other),
		T(no_release_passes_for_an_order),
		T(a_list_is_taken_one_by_one_and_a_bad_one_in_it_stops_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
