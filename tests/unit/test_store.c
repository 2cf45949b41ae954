/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store.c - what is put comes back, after a restart as well, and nothing else does.
 */
#include "store_fixture.h"

#include "store/store_internal.h"

static void
put(struct fixture *f, enum store_table table, const struct id *key, const struct id *subject,
    int64_t at_ms, int flag, const char *text)
{
	assert_int_equal(store_put(f->store, table, key, subject, at_ms, flag, text, strlen(text)),
	    0);
}

static void
assert_body(struct fixture *f, enum store_table table, const struct id *key, const char *text)
{
	struct buf body = { 0 };
	struct id subject;
	int error = store_get(f->store, table, key, &body, &subject);
	if (text == NULL) {
		assert_int_equal(error, AISLE_E_NONE);
		assert_int_equal(body.len, 0);
	} else {
		assert_int_equal(error, 0);
		assert_string_equal(body.data, text);
	}
	buf_done(&body);
}

/* ---- bodies ---- */

static void
a_body_comes_back_as_it_was_put(void **state)
{
	struct fixture *f = *state;
	struct id subject = id_of(99), key = id_of(1), got;
	struct buf body = { 0 };
	begin(f);
	put(f, STORE_VISIT, &key, &subject, 1000, 1, "first");
	put(f, STORE_VISIT, &key, &subject, 2000, 1, "second");
	commit(f);
	fixture_reopen(f);
	assert_int_equal(store_get(f->store, STORE_VISIT, &key, &body, &got), 0);
	assert_string_equal(body.data, "second");
	assert_true(id_equal(&got, &subject));
	buf_done(&body);
	assert_body(f, STORE_DECISION, &key, NULL);
	assert_false(dir_contains(f->dir, "second", 6));
}

static void
a_get_appends_and_leaves_the_buffer_alone_when_there_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct id key = id_of(1), other = id_of(2);
	struct buf body = { 0 };
	begin(f);
	put(f, STORE_TABLET, &key, NULL, 5, 0, "b");
	commit(f);
	buf_adds(&body, "a");
	assert_int_equal(store_get(f->store, STORE_TABLET, &other, &body, NULL), AISLE_E_NONE);
	assert_string_equal(body.data, "a");
	struct id subject;
	assert_int_equal(store_get(f->store, STORE_TABLET, &key, &body, &subject), 0);
	assert_string_equal(body.data, "ab");
	assert_true(id_is_zero(&subject));
	buf_done(&body);
}

static void
an_empty_body_and_a_big_one_are_kept_and_a_giant_is_refused(void **state)
{
	struct fixture *f = *state;
	struct id key = id_of(1);
	size_t big = 8 << 20;
	char *bytes = calloc(1, big + 1);
	struct buf body = { 0 };
	memset(bytes, 'x', big);
	begin(f);
	assert_int_equal(store_put(f->store, STORE_VISIT, &key, NULL, 1, 0, NULL, 0), 0);
	assert_int_equal(store_get(f->store, STORE_VISIT, &key, &body, NULL), 0);
	assert_int_equal(body.len, 0);
	assert_int_equal(store_put(f->store, STORE_VISIT, &key, NULL, 1, 0, bytes, big), 0);
	assert_int_equal(store_get(f->store, STORE_VISIT, &key, &body, NULL), 0);
	assert_int_equal(body.len, big);
	assert_int_equal(store_put(f->store, STORE_VISIT, &key, NULL, 1, 0, bytes, big + 1),
	    AISLE_E_TOO_BIG);
	store_rollback(f->store);
	buf_done(&body);
	free(bytes);
}

static void
the_subject_and_the_flag_of_a_row_can_change(void **state)
{
	struct fixture *f = *state;
	struct id key = id_of(1), anna = id_of(10), ben = id_of(11), got;
	struct buf body = { 0 };
	begin(f);
	put(f, STORE_VISIT, &key, NULL, 1, 1, "anonymous");
	put(f, STORE_VISIT, &key, &anna, 2, 1, "anna");
	put(f, STORE_VISIT, &key, &ben, 3, 0, "ben");
	commit(f);
	assert_int_equal(store_get(f->store, STORE_VISIT, &key, &body, &got), 0);
	assert_string_equal(body.data, "ben");
	assert_true(id_equal(&got, &ben));
	buf_done(&body);
}

static void
a_deleted_row_is_gone_and_its_neighbour_is_not(void **state)
{
	struct fixture *f = *state;
	struct id a = ulid_of(1000, 1), b = ulid_of(1000, 1);
	b.b[15] = 1; /* the same first 8 bytes: they share a window */
	begin(f);
	put(f, STORE_DECISION, &a, NULL, 1, 0, "a");
	put(f, STORE_DECISION, &b, NULL, 1, 0, "b");
	assert_body(f, STORE_DECISION, &a, "a");
	assert_body(f, STORE_DECISION, &b, "b");
	assert_int_equal(store_delete(f->store, STORE_DECISION, &a), 0);
	assert_int_equal(store_delete(f->store, STORE_DECISION, &a), 0);
	commit(f);
	assert_body(f, STORE_DECISION, &a, NULL);
	assert_body(f, STORE_DECISION, &b, "b");
}

struct keys_seen {
	struct id keys[64];
	size_t count, stop_at;
};

static int
collect(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	struct keys_seen *seen = ctx;
	(void)subject, (void)at_ms, (void)body, (void)len;
	seen->keys[seen->count++] = *key;
	return seen->count == seen->stop_at;
}

static void
rows_are_given_ascending_by_key_even_when_keys_share_a_window(void **state)
{
	struct fixture *f = *state;
	struct keys_seen seen = { .count = 0 };
	begin(f);
	/* Descending, in windows of two and around the sign bit. */
	for (int i = 20; i-- > 0;) {
		struct id key = { { 0 } };
		key.b[0] = (uint8_t)(i * 13);
		key.b[15] = (uint8_t)(i & 1);
		if (i & 1)
			key.b[0] = (uint8_t)((i - 1) * 13);
		put(f, STORE_SUBJECT, &key, NULL, i, 0, "x");
	}
	commit(f);
	fixture_reopen(f);
	assert_int_equal(store_each(f->store, STORE_SUBJECT, -1, collect, &seen), 0);
	assert_int_equal(seen.count, 20);
	for (size_t i = 1; i < seen.count; i++)
		assert_true(id_compare(&seen.keys[i - 1], &seen.keys[i]) < 0);
}

static void
customers_whose_names_were_chosen_alike_are_kept_all_the_same(void **state)
{
	struct fixture *f = *state;
	char text[8];
	begin(f);
	for (uint8_t i = 0; i < 100; i++) {
		struct id subject = { .b = { [15] = i } };
		int len = snprintf(text, sizeof(text), "s%d", i);
		if (i == 0)
			subject.b[15] = 100; /* zero is nobody */
		assert_int_equal(store_put(f->store, STORE_SUBJECT, &subject, &subject, 1, 0, text,
				     (size_t)len),
		    0);
	}
	commit(f);
	for (uint8_t i = 1; i < 100; i++) {
		struct id subject = { .b = { [15] = i } };
		snprintf(text, sizeof(text), "s%d", i);
		assert_body(f, STORE_SUBJECT, &subject, text);
	}
}

static void
a_full_window_says_full(void **state)
{
	struct fixture *f = *state;
	struct id key = { { 7 } };
	begin(f);
	for (int i = 0; i < 1024; i++) {
		key.b[14] = (uint8_t)(i >> 8);
		key.b[15] = (uint8_t)i;
		put(f, STORE_VISIT, &key, NULL, 1, 0, "x");
	}
	key.b[14] = 4;
	key.b[15] = 0;
	assert_int_equal(store_put(f->store, STORE_VISIT, &key, NULL, 1, 0, "x", 1),
	    AISLE_E_TOO_BIG);
	store_rollback(f->store);
}

static void
the_newest_rows_are_given_first_a_few_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct keys_seen seen = { .count = 0 };
	int64_t cursor = INT64_MAX;

	begin(f);
	for (uint32_t i = 0; i < 10; i++) {
		struct id key = ulid_of(1000 + i * 100000, i);

		put(f, STORE_VISIT, &key, NULL, 1, i % 2, "x");
	}
	commit(f);
	assert_int_equal(store_back(f->store, STORE_VISIT, &cursor, 4, collect, &seen), 4);
	assert_int_equal(store_back(f->store, STORE_VISIT, &cursor, 4, collect, &seen), 4);
	assert_int_equal(store_back(f->store, STORE_VISIT, &cursor, 4, collect, &seen), 2);
	assert_int_equal(store_back(f->store, STORE_VISIT, &cursor, 4, collect, &seen), 0);
	assert_int_equal(seen.count, 10);
	for (size_t i = 1; i < seen.count; i++)
		assert_true(id_compare(&seen.keys[i], &seen.keys[i - 1]) < 0);
}

static void
only_rows_with_the_flag_are_given_and_the_caller_may_stop(void **state)
{
	struct fixture *f = *state;
	begin(f);
	for (uint32_t i = 0; i < 10; i++) {
		struct id key = ulid_of(1000 + i, i);
		put(f, STORE_VISIT, &key, NULL, 1, i % 2 == 0, "x");
	}
	commit(f);
	struct keys_seen seen = { .count = 0 };
	assert_int_equal(store_each(f->store, STORE_VISIT, 1, collect, &seen), 0);
	assert_int_equal(seen.count, 5);
	seen = (struct keys_seen){ .count = 0 };
	assert_int_equal(store_each(f->store, STORE_VISIT, 0, collect, &seen), 0);
	assert_int_equal(seen.count, 5);
	seen = (struct keys_seen){ .stop_at = 3 };
	assert_int_equal(store_each(f->store, STORE_VISIT, -1, collect, &seen), 0);
	assert_int_equal(seen.count, 3);
}

/* ---- transactions ---- */

static void
a_rollback_takes_back_rows_and_numbers(void **state)
{
	struct fixture *f = *state;
	struct id key = id_of(1);
	int64_t first, again;
	begin(f);
	assert_int_equal(store_uplink_add(f->store, LANE_MONEY, "outcome", 1, NULL, "{}", 2), 0);
	assert_int_equal(store_outbox_add(f->store, "t", NULL, false, "p", 1, &first), 0);
	commit(f);
	begin(f);
	put(f, STORE_VISIT, &key, NULL, 1, 0, "x");
	assert_int_equal(store_uplink_add(f->store, LANE_MONEY, "outcome", 1, NULL, "{}", 2), 0);
	assert_int_equal(store_uplink_count(f->store), 2);
	store_rollback(f->store);
	assert_body(f, STORE_VISIT, &key, NULL);
	assert_int_equal(store_uplink_count(f->store), 1);
	begin(f);
	assert_int_equal(store_outbox_add(f->store, "t", NULL, false, "p", 1, &again), 0);
	commit(f);
	assert_int_equal(again, first + 1);
}

static void
what_was_not_committed_is_not_there_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct id kept = id_of(1), lost = id_of(2);
	begin(f);
	put(f, STORE_VISIT, &kept, NULL, 1, 0, "kept");
	commit(f);
	begin(f);
	put(f, STORE_VISIT, &lost, NULL, 1, 0, "lost");
	fixture_reopen(f);
	assert_body(f, STORE_VISIT, &kept, "kept");
	assert_body(f, STORE_VISIT, &lost, NULL);
}

static void
a_new_file_has_a_new_epoch_and_a_reopened_one_the_same(void **state)
{
	struct fixture *f = *state;
	char epoch[17], again[17];
	store_epoch(f->store, epoch);
	assert_int_equal(strlen(epoch), 16);
	assert_int_equal(strspn(epoch, "0123456789abcdef"), 16);
	assert_true(store_is_new(f->store));
	fixture_reopen(f);
	assert_false(store_is_new(f->store));
	store_epoch(f->store, again);
	assert_string_equal(epoch, again);
	fixture_close(f);
	char path[128];
	snprintf(path, sizeof(path), "%s/state.db", f->dir);
	assert_int_equal(unlink(path), 0);
	fixture_open(f);
	assert_true(store_is_new(f->store));
	store_epoch(f->store, again);
	assert_string_not_equal(epoch, again);
}

static void
a_checkpoint_empties_the_log_and_an_idle_one_writes_nothing(void **state)
{
	struct fixture *f = *state;
	struct id key = id_of(1);
	begin(f);
	put(f, STORE_VISIT, &key, NULL, 1, 0, "x");
	commit(f);
	assert_true(store_wal_bytes(f->store) > 0);
	store_checkpoint(f->store);
	assert_int_equal(store_wal_bytes(f->store), 0);
	store_checkpoint(f->store);
	assert_int_equal(store_wal_bytes(f->store), 0);
	assert_body(f, STORE_VISIT, &key, "x");
}

static void
a_checkpoint_waits_for_more_than_a_turn_or_a_quiet_half_minute(void **state)
{
	struct fixture *f = *state;
	struct id key = id_of(1);
	char body[4096];

	store_checkpoint(f->store);
	assert_false(store_checkpoint_due(f->store, INT64_MAX));
	begin(f);
	put(f, STORE_VISIT, &key, NULL, 1, 0, "x");
	commit(f);
	assert_false(store_checkpoint_due(f->store, 30 * S_MS - 1));
	assert_true(store_checkpoint_due(f->store, 30 * S_MS));
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	for (int i = 2; store_wal_bytes(f->store) < 1 << 20; i++) {
		assert_false(store_checkpoint_due(f->store, 0));
		key = id_of(i);
		begin(f);
		put(f, STORE_VISIT, &key, NULL, 1, 0, body);
		commit(f);
	}
	assert_true(store_checkpoint_due(f->store, 0));
	store_checkpoint(f->store);
	assert_false(store_checkpoint_due(f->store, 30 * S_MS));
	begin(f);
	put(f, STORE_VISIT, &key, &key, 1, 0, "theirs");
	commit(f);
	assert_false(store_checkpoint_due(f->store, 0));
	/* Somebody who is forgotten still stands in the log. */
	begin(f);
	assert_int_equal(store_forget(f->store, &key), 0);
	commit(f);
	assert_true(store_checkpoint_due(f->store, 0));
}

static void
a_store_in_memory_needs_no_folder_and_nothing_in_it_is_random(void **state)
{
	(void)state;
	const struct store_options options = { .dir = NULL };
	struct store *store;
	struct err err = { 0 };
	struct id key = id_of(1);
	struct buf body = { 0 };
	char epoch[17];
	assert_int_equal(store_open(&options, &store, &err), 0);
	store_epoch(store, epoch);
	assert_string_equal(epoch, "0000000000000000");
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_put(store, STORE_VISIT, &key, &key, 1, 0, "plain", 5), 0);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(store_get(store, STORE_VISIT, &key, &body, NULL), 0);
	assert_string_equal(body.data, "plain");
	buf_done(&body);
	store_checkpoint(store);
	store_close(store);
}

/* ---- meta, log, seen, ref, timer ---- */

static void
meta_values_are_set_replaced_and_missed(void **state)
{
	struct fixture *f = *state;
	struct buf value = { 0 };
	begin(f);
	assert_int_equal(store_meta_get(f->store, "floor", &value), AISLE_E_NONE);
	assert_int_equal(store_meta_set(f->store, "floor", "1", 1), 0);
	assert_int_equal(store_meta_set(f->store, "floor", "22", 2), 0);
	commit(f);
	fixture_reopen(f);
	assert_int_equal(store_meta_get(f->store, "floor", &value), 0);
	assert_string_equal(value.data, "22");
	buf_done(&value);
}

struct log_seen {
	char text[256];
	int64_t last_n;
	bool ordered;
};

static int
collect_log(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	struct log_seen *seen = ctx;
	size_t used = strlen(seen->text);
	seen->ordered = seen->last_n < n;
	seen->last_n = n;
	snprintf(seen->text + used, sizeof(seen->text) - used, "%d@%lld:%.*s ", kind,
	    (long long)at_ms, (int)len, (const char *)body);
	return 0;
}

static void
a_log_is_read_in_the_order_it_was_written_and_by_its_own_key_only(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1), ben = anna;
	struct log_seen seen = { .text = "" };
	ben.b[15] ^= 1; /* the same 40-bit prefix */
	begin(f);
	assert_int_equal(store_log_add(f->store, STORE_LOG_SUBJECT, &anna, &anna, 1, 30, "a", 1),
	    0);
	assert_int_equal(store_log_add(f->store, STORE_LOG_SUBJECT, &ben, &ben, 2, 20, "b", 1), 0);
	assert_int_equal(store_log_add(f->store, STORE_LOG_SUBJECT, &anna, &anna, 2, 10, "c", 1),
	    0);
	commit(f);
	fixture_reopen(f);
	assert_int_equal(store_log_each(f->store, STORE_LOG_SUBJECT, &anna, collect_log, &seen), 0);
	assert_string_equal(seen.text, "1@30:a 2@10:c ");
	assert_true(seen.ordered);
	seen = (struct log_seen){ .text = "" };
	assert_int_equal(store_log_each(f->store, STORE_LOG_SUBJECT, &ben, collect_log, &seen), 0);
	assert_string_equal(seen.text, "2@20:b ");
}

/* A card opened for a stranger who then shows a loyalty card, and whose card is then merged into another. */
static void
each_row_of_a_log_is_read_by_whom_it_was_added_for(void **state)
{
	struct fixture *f = *state;
	struct id decision = ulid_of(1000, 1), anna = id_of(1), ben = id_of(2);
	begin(f);
	assert_int_equal(store_log_add(f->store, STORE_LOG_OUTCOME, &decision, NULL, 1, 10,
			     "stranger", 8),
	    0);
	assert_int_equal(store_log_add(f->store, STORE_LOG_OUTCOME, &decision, &anna, 2, 20, "anna",
			     4),
	    0);
	assert_int_equal(store_log_add(f->store, STORE_LOG_OUTCOME, &decision, &ben, 3, 30, "ben",
			     3),
	    0);
	commit(f);
	for (int i = 0; i < 2; i++) {
		struct log_seen seen = { .text = "" };
		assert_int_equal(store_log_each(f->store, STORE_LOG_OUTCOME, &decision, collect_log,
				     &seen),
		    0);
		assert_string_equal(seen.text, "1@10:stranger 2@20:anna 3@30:ben ");
		assert_int_equal(store_damaged(f->store), 0);
	}
	/* Forgotten, theirs is not there any more, which is no damage. */
	struct log_seen seen = { .text = "" };
	assert_int_equal(keys_destroy(f->keys, &anna), 0);
	assert_int_equal(store_log_each(f->store, STORE_LOG_OUTCOME, &decision, collect_log, &seen),
	    0);
	assert_string_equal(seen.text, "1@10:stranger 3@30:ben ");
	assert_int_equal(store_damaged(f->store), 0);
}

static void
pruning_a_log_takes_what_is_older_and_leaves_what_is_not(void **state)
{
	struct fixture *f = *state;
	struct id key = id_of(1);
	struct log_seen seen = { .text = "" };
	begin(f);
	assert_int_equal(store_log_add(f->store, STORE_LOG_OUTCOME, &key, NULL, 1, 99, "old", 3),
	    0);
	assert_int_equal(store_log_add(f->store, STORE_LOG_OUTCOME, &key, NULL, 1, 100, "new", 3),
	    0);
	assert_int_equal(store_settle(f->store), 0);
	assert_int_equal(store_log_prune(f->store, STORE_LOG_OUTCOME, 100, 10), 0);
	commit(f);
	assert_int_equal(store_log_each(f->store, STORE_LOG_OUTCOME, &key, collect_log, &seen), 0);
	assert_string_equal(seen.text, "1@100:new ");
}

static void
a_seen_event_is_known_with_its_digest_and_its_first_now(void **state)
{
	struct fixture *f = *state;
	struct id name = id_of(1), digest = id_of(2), visit = id_of(3), got;
	int64_t now_ms;
	begin(f);
	assert_int_equal(store_seen_get(f->store, &name, &got, &now_ms), AISLE_E_NONE);
	assert_int_equal(store_seen_put(f->store, &name, &digest, 1234567890123), 0);
	assert_int_equal(store_ref_put(f->store, &name, &visit, 5), 0);
	commit(f);
	fixture_reopen(f);
	assert_int_equal(store_seen_get(f->store, &name, &got, &now_ms), 0);
	assert_true(id_equal(&got, &digest));
	assert_int_equal(now_ms, 1234567890123);
	assert_int_equal(store_ref_get(f->store, &name, &got), 0);
	assert_true(id_equal(&got, &visit));
}

static void
names_that_share_their_first_half_are_kept_apart(void **state)
{
	struct fixture *f = *state;
	struct id name = id_of(1), got;
	int64_t now_ms;
	begin(f);
	for (uint8_t i = 0; i < 8; i++) {
		struct id digest = id_of(i);
		name.b[15] = i;
		assert_int_equal(store_seen_put(f->store, &name, &digest, i), 0);
	}
	commit(f);
	for (uint8_t i = 0; i < 8; i++) {
		struct id digest = id_of(i);
		name.b[15] = i;
		assert_int_equal(store_seen_get(f->store, &name, &got, &now_ms), 0);
		assert_true(id_equal(&got, &digest));
	}
}

static void
a_name_beside_its_place_stays_there_when_the_place_is_free_again(void **state)
{
	struct fixture *f = *state;
	struct id first = id_of(1), second = id_of(1), old = id_of(2), new = id_of(3), got;
	second.b[15] ^= 1;
	begin(f);
	assert_int_equal(store_ref_put(f->store, &first, &old, 1), 0);
	assert_int_equal(store_ref_put(f->store, &second, &old, 100), 0);
	commit(f);
	begin(f);
	assert_int_equal(store_settle(f->store), 0);
	assert_int_equal(store_prune(f->store, 1000, 1000, 950, 1000, 10), 1); /* the first */
	commit(f);
	fixture_reopen(f); /* it is known from the disk that there was a collision */
	begin(f);
	assert_int_equal(store_ref_put(f->store, &second, &new, 200), 0);
	commit(f);
	assert_int_equal(store_ref_get(f->store, &first, &got), AISLE_E_NONE);
	assert_int_equal(store_ref_get(f->store, &second, &got), 0);
	assert_true(id_equal(&got, &new));
	/* And it is there once: with it goes all that is known of it. */
	begin(f);
	assert_int_equal(store_settle(f->store), 0);
	assert_int_equal(store_prune(f->store, 1000, 1000, 750, 1000, 10), 1);
	commit(f);
	assert_int_equal(store_ref_get(f->store, &second, &got), AISLE_E_NONE);
}

static void
assert_first(struct fixture *f, int64_t due_ms, const char *id)
{
	int64_t due;
	char text[128];
	int error = store_timer_first(f->store, &due, text);
	if (id == NULL) {
		assert_int_equal(error, AISLE_E_NONE);
		return;
	}
	assert_int_equal(error, 0);
	assert_int_equal(due, due_ms);
	assert_string_equal(text, id);
}

static void
the_first_timer_is_the_earliest_then_the_smallest_id(void **state)
{
	struct fixture *f = *state;
	assert_first(f, 0, NULL);
	begin(f);
	assert_int_equal(store_timer_add(f->store, 200, "b"), 0);
	assert_first(f, 200, "b");
	assert_int_equal(store_timer_add(f->store, 200, "a"), 0);
	assert_first(f, 200, "a");
	assert_int_equal(store_timer_add(f->store, 200, "a"), 0);
	assert_int_equal(store_timer_add(f->store, 300, "0"), 0);
	assert_first(f, 200, "a");
	commit(f);
	begin(f);
	assert_int_equal(store_timer_add(f->store, 100, "z"), 0);
	assert_first(f, 100, "z");
	store_rollback(f->store);
	assert_first(f, 200, "a");
	fixture_reopen(f);
	begin(f);
	assert_first(f, 200, "a");
	assert_int_equal(store_timer_delete(f->store, 200, "a"), 0);
	assert_first(f, 200, "b");
	assert_int_equal(store_timer_delete(f->store, 200, "b"), 0);
	assert_int_equal(store_timer_delete(f->store, 300, "0"), 0);
	assert_first(f, 0, NULL);
	commit(f);
}

/* As when a store was silent for hours: each is asked for, handled and gone, and some say when they are due again. */
static void
of_many_timers_that_are_due_in_one_turn_each_comes_once_in_its_order(void **state)
{
	struct fixture *f = *state;
	char id[128], name[16];
	int64_t due, last = 0;
	int seen = 0, again = 0;

	begin(f);
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "t%03d", i);
		assert_int_equal(store_timer_add(f->store, 1000 + i / 4, name), 0);
		if (i == 100)
			assert_int_equal(store_settle(f->store), 0);
	}
	commit(f);
	begin(f);
	while (store_timer_first(f->store, &due, id) == 0) {
		assert_true(due >= last);
		last = due;
		seen++;
		assert_int_equal(store_timer_delete(f->store, due, id), 0);
		/* Earlier than all that are left, later, and the one that just went. */
		if (seen % 50 == 0) {
			assert_int_equal(store_timer_add(f->store, due, "a"), 0);
			assert_int_equal(store_timer_add(f->store, 5000 + seen, "z"), 0);
			assert_first(f, due, "a");
			again += 2;
		}
		if (seen == 77) {
			assert_int_equal(store_timer_add(f->store, 7, "long ago"), 0);
			assert_first(f, 7, "long ago");
			assert_int_equal(store_timer_delete(f->store, 7, "long ago"), 0);
		}
		if (again > 30)
			break;
	}
	assert_true(seen >= 400);
	store_rollback(f->store);
	assert_first(f, 1000, "t000");
}

/* ---- pruning ---- */

static void
pruning_is_bounded_and_takes_only_what_is_past_its_time(void **state)
{
	struct fixture *f = *state;
	struct id got, digest = id_of(0);
	int64_t now_ms;
	begin(f);
	for (uint32_t i = 0; i < 100; i++) {
		struct id name = id_of(i), closed = ulid_of(1000 + i, i),
			  open = ulid_of(1000 + i, 1000 + i);
		assert_int_equal(store_seen_put(f->store, &name, &digest, 1000 + i), 0);
		put(f, STORE_VISIT, &closed, NULL, 1000 + i, 0, "closed");
		put(f, STORE_VISIT, &open, NULL, 1000 + i, 1, "open");
		put(f, STORE_DECISION, &closed, NULL, 1000 + i, 0, "d");
		/* Names go with those that were folded beside them. */
		if (i % 10 == 9)
			assert_int_equal(store_settle(f->store), 0);
	}
	commit(f);
	int total = 0, removed;
	do {
		begin(f);
		removed = store_prune(f->store, 2000, 950, 950, 990, 7);
		commit(f);
		assert_in_range(removed, 0, 7);
		total += removed;
	} while (removed > 0);
	assert_int_equal(total, 5 + 50 + 10);
	for (uint32_t i = 0; i < 100; i++) {
		struct id name = id_of(i), closed = ulid_of(1000 + i, i),
			  open = ulid_of(1000 + i, 1000 + i);
		assert_int_equal(store_seen_get(f->store, &name, &got, &now_ms),
		    i < 50 ? AISLE_E_NONE : 0);
		assert_body(f, STORE_VISIT, &closed, i < 50 ? NULL : "closed");
		assert_body(f, STORE_VISIT, &open, "open");
		assert_body(f, STORE_DECISION, &closed, i < 10 ? NULL : "d");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_body_comes_back_as_it_was_put),
		STORE_TEST(a_get_appends_and_leaves_the_buffer_alone_when_there_is_nothing),
		STORE_TEST(an_empty_body_and_a_big_one_are_kept_and_a_giant_is_refused),
		STORE_TEST(the_subject_and_the_flag_of_a_row_can_change),
		STORE_TEST(a_deleted_row_is_gone_and_its_neighbour_is_not),
		STORE_TEST(rows_are_given_ascending_by_key_even_when_keys_share_a_window),
		STORE_TEST(customers_whose_names_were_chosen_alike_are_kept_all_the_same),
		STORE_TEST(a_full_window_says_full),
		STORE_TEST(the_newest_rows_are_given_first_a_few_at_a_time),
		STORE_TEST(only_rows_with_the_flag_are_given_and_the_caller_may_stop),
		STORE_TEST(a_rollback_takes_back_rows_and_numbers),
		STORE_TEST(what_was_not_committed_is_not_there_after_a_restart),
		STORE_TEST(a_new_file_has_a_new_epoch_and_a_reopened_one_the_same),
		STORE_TEST(a_checkpoint_empties_the_log_and_an_idle_one_writes_nothing),
		STORE_TEST(a_checkpoint_waits_for_more_than_a_turn_or_a_quiet_half_minute),
		cmocka_unit_test(a_store_in_memory_needs_no_folder_and_nothing_in_it_is_random),
		STORE_TEST(meta_values_are_set_replaced_and_missed),
		STORE_TEST(a_log_is_read_in_the_order_it_was_written_and_by_its_own_key_only),
		STORE_TEST(each_row_of_a_log_is_read_by_whom_it_was_added_for),
		STORE_TEST(pruning_a_log_takes_what_is_older_and_leaves_what_is_not),
		STORE_TEST(a_seen_event_is_known_with_its_digest_and_its_first_now),
		STORE_TEST(names_that_share_their_first_half_are_kept_apart),
		STORE_TEST(a_name_beside_its_place_stays_there_when_the_place_is_free_again),
		STORE_TEST(the_first_timer_is_the_earliest_then_the_smallest_id),
		STORE_TEST(of_many_timers_that_are_due_in_one_turn_each_comes_once_in_its_order),
		STORE_TEST(pruning_is_bounded_and_takes_only_what_is_past_its_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
