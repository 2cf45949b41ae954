/* SPDX-License-Identifier: Apache-2.0
 *
 * test_aside.c - an input whose turn no row can hold: it is set aside, and nobody waits for it.
 */
#include "core/metrics.h"
#include "ingest/rate.h"
#include "spine_rig.h"
#include "store/store_internal.h"

#define BATCH 3
#define ADVICE \
	",\"kind\":\"recommend\",\"propensity\":0.5,\"incremental\":1,\"margin\":100," \
	"\"outcome\":{\"is\":\"bought\",\"within\":\"0d\",\"item\":{\"category\":\"m\"}}," \
	"\"gate\":\"associate\",\"expires\":\"5s\""

static int
set_up(void **state)
{
	(void)state;
	rig_open(NULL);
	rig_part("features.json", "{\"features\":[]}");
	rig_part("contact.json", "{\"caps\":[],\"suppress\":[]}");
	rig_policy_begin("{\"tablet\":{\"slots\":1,\"headline_max\":40}}", "");
	rig_action("milk", ADVICE);
	rig_policy_set();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_close();
	return 0;
}

/* The basket of till 7, on disk, whose row has so many bytes left. */
static void
basket_with_left(const char *basket, size_t left, bool with_card)
{
	struct visit *visit;
	struct buf row = { 0 };
	size_t pad;

	assert_int_equal(rig_send("pos/7/event", "basket.opened",
			     "{\"basket\":\"%s\",\"terminal\":\"7\"}", basket),
	    0);
	visit = sessions_by_basket(rig.engine->sessions, basket);
	assert_int_equal(store_begin(rig.engine->store), 0);
	if (with_card) {
		struct card *card = visit_add_card(visit);
		char text[ID_TEXT_SIZE];

		card->prompt = (struct id){ { 1 } };
		card->action = mem_strdup("milk");
		card->group = mem_strdup("g");
		card->issue = mem_strdup("i");
		card->treatment = mem_strdup("plain");
		card->json = mem_strdup("{\"a\":1}");
		card->slot = 1;
		card->expires_ms = rig.now_ms + 5 * S_MS;
		id_text(&card->prompt, text);
		engine_ref(rig.engine, "prompt", text, visit);
		timer_add(rig.engine, "card", &card->prompt, card->expires_ms);
	}
	visit->associate = mem_strdup("");
	visit_encode(visit, &row);
	pad = STORE_BODY_MAX - row.len - left;
	free(visit->associate);
	visit->associate = mem_alloc(pad + 1);
	memset(visit->associate, 'a', pad);
	visit->associate[pad] = '\0';
	engine_touch(rig.engine, visit);
	engine_save(rig.engine);
	assert_int_equal(rig.engine->failed, 0);
	assert_int_equal(store_commit(rig.engine->store), 0);
	buf_done(&row);
}

/* ---- a batch ---- */

static struct {
	struct input inputs[BATCH];
	char *texts[BATCH];
	size_t count;
	int turned, receipts, refused;
} batch;

__attribute__((format(printf, 3, 4))) static void
add(const char *id, const char *type, const char *format, ...)
{
	char at[WHEN_TEXT_SIZE], data[512];
	va_list args;

	va_start(args, format);
	vsnprintf(data, sizeof(data), format, args);
	va_end(args);
	when_text(rig.now_ms, at);
	assert_true(asprintf(&batch.texts[batch.count],
			"{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"%s\",\"receipt\":true,"
			"\"type\":\"aisle.%s\",\"time\":\"%s\",\"data\":%s}",
			id, type, at, data) > 0);
	batch.inputs[batch.count] = (struct input){ .kind = INPUT_MESSAGE,
		.now_ms = rig.now_ms,
		.topic = "aisle/v1/0042/pos/7/event",
		.payload = batch.texts[batch.count],
		.len = strlen(batch.texts[batch.count]) };
	batch.count++;
}

static void
on_turned(void *ctx, struct input *input)
{
	size_t count;
	const struct output *outputs = engine_outputs(rig.engine, &count);

	(void)ctx;
	(void)input;
	batch.turned++;
	for (size_t i = 0; i < count; i++) {
		if (outputs[i].kind != OUTPUT_RECEIPT)
			continue;
		batch.receipts++;
		batch.refused += strstr(outputs[i].payload, "bad-value") != NULL;
	}
}

/* As the daemon takes what came in one moment. */
static void
take_batch(void)
{
	int rc = turn_run(rig.engine, batch.inputs, batch.count);

	assert_true(turn_own_fault(rc));
	assert_int_equal(turn_each(rig.engine, batch.inputs, batch.count, on_turned, NULL), 0);
	for (size_t i = 0; i < batch.count; i++)
		free(batch.texts[i]);
	batch.count = 0;
}

static void
begin_batch(void)
{
	memset(&batch, 0, sizeof(batch));
}

/* ---- dead letters ---- */

static struct {
	int count;
	char topic[128], reason[32], detail[400];
} dead;

static int
take_dead(void *ctx, int64_t n, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const void *payload, size_t len)
{
	(void)ctx;
	(void)n;
	(void)at_ms;
	(void)payload;
	(void)len;
	if (dead.count++ > 0)
		return 0; /* newest first */
	snprintf(dead.topic, sizeof(dead.topic), "%s", topic);
	snprintf(dead.reason, sizeof(dead.reason), "%s", reason);
	snprintf(dead.detail, sizeof(dead.detail), "%s", detail);
	return 0;
}

static int
dead_letters(void)
{
	memset(&dead, 0, sizeof(dead));
	assert_int_equal(store_dead_each(rig.engine->store, -1, take_dead, NULL), 0);
	return dead.count;
}

/* ---- the tests ---- */

static void
scan_between_two_others(void)
{
	begin_batch();
	add("e1", "basket.opened", "{\"basket\":\"b1\",\"terminal\":\"7\"}");
	add("e2", "basket.item-added",
	    "{\"basket\":\"full\",\"line\":1,\"sku\":\"s\",\"category\":\"c\",\"qty\":1,"
	    "\"amount\":100,\"currency\":\"EUR\"}");
	add("e3", "basket.opened", "{\"basket\":\"b3\",\"terminal\":\"7\"}");
	take_batch();
}

static void
who_cannot_be_written_is_set_aside_and_its_neighbours_are_served(void **state)
{
	int64_t aside = metrics_get(METRIC_SET_ASIDE);

	(void)state;
	basket_with_left("full", 8, false);
	scan_between_two_others();
	assert_int_equal(batch.turned, 3);
	assert_int_equal(batch.receipts, 3);
	assert_int_equal(batch.refused, 1);
	assert_non_null(sessions_by_basket(rig.engine->sessions, "b1"));
	assert_non_null(sessions_by_basket(rig.engine->sessions, "b3"));
	assert_int_equal(sessions_by_basket(rig.engine->sessions, "full")->line_count, 0);
	assert_int_equal(dead_letters(), 1);
	assert_string_equal(dead.reason, "bad-value");
	assert_string_equal(dead.topic, "aisle/v1/0042/pos/7/event");
	assert_non_null(strstr(dead.detail, "could not be written"));
	assert_int_equal(metrics_get(METRIC_SET_ASIDE) - aside, 1);
}

static void
the_same_batch_again_ends_the_same_way(void **state)
{
	(void)state;
	basket_with_left("full", 8, false);
	scan_between_two_others();
	scan_between_two_others();
	assert_int_equal(batch.turned, 3);
	assert_int_equal(batch.receipts, 3);
	assert_int_equal(batch.refused, 1);
	assert_int_equal(dead_letters(), 2);
}

static void
who_was_within_the_rate_still_is_when_each_is_tried_alone(void **state)
{
	(void)state;
	basket_with_left("full", 8, false);
	rig.now_ms += MIN_MS;
	rate_set(rig.engine->rates, 3);
	scan_between_two_others();
	assert_int_equal(dead_letters(), 1);
	assert_string_equal(dead.reason, "bad-value");
}

/* A card expires, and what is noted of it finds no room in the row. */
static void
a_timer_that_cannot_be_written_is_dropped_and_the_message_after_it_is_served(void **state)
{
	int64_t due_ms;
	char id[128];

	(void)state;
	basket_with_left("full", 8, true);
	rig.now_ms += MIN_MS;
	begin_batch();
	add("e1", "basket.opened", "{\"basket\":\"b1\",\"terminal\":\"7\"}");
	take_batch();
	assert_int_equal(batch.turned, 2);
	assert_int_equal(batch.refused, 0);
	assert_non_null(sessions_by_basket(rig.engine->sessions, "b1"));
	assert_int_equal(dead_letters(), 1);
	assert_string_equal(dead.topic, "timer");
	assert_string_equal(dead.reason, "bad-value");
	/* The basket's own is left, and the hour's. */
	assert_int_equal(store_timer_first(rig.engine->store, &due_ms, id), 0);
	assert_true(due_ms > rig.now_ms);
}

/* The turn that would set it aside fails for its neighbour's sake, again and again. */
static void
a_damaged_timer_beside_one_that_cannot_be_written_goes_with_it(void **state)
{
	int64_t due_ms;
	char id[128];

	(void)state;
	basket_with_left("full", 8, true);
	assert_int_equal(store_begin(rig.engine->store), 0);
	assert_int_equal(store_timer_add(rig.engine->store, rig.now_ms + 1, "card/a/1"), 0);
	assert_int_equal(store_commit(rig.engine->store), 0);
	assert_int_equal(sqlite3_exec(rig.engine->store->db,
			     "UPDATE timer SET sum = sum + 1 WHERE id = 'card/a/1'", NULL, NULL,
			     NULL),
	    SQLITE_OK);
	rig.engine->store->timer_known = false;
	rig.now_ms += MIN_MS;
	begin_batch();
	add("e1", "basket.opened", "{\"basket\":\"b1\",\"terminal\":\"7\"}");
	take_batch();
	assert_int_equal(batch.refused, 0);
	assert_non_null(sessions_by_basket(rig.engine->sessions, "b1"));
	assert_int_equal(dead_letters(), 1);
	assert_string_equal(dead.topic, "timer");
	assert_int_equal(store_timer_first(rig.engine->store, &due_ms, id), 0);
	assert_true(due_ms > rig.now_ms);
}

/* One basket's row is full: the recall reaches the others' screens. */
static void
a_stop_that_one_row_cannot_hold_takes_the_other_cards_away(void **state)
{
	struct input stop = { .kind = INPUT_STOP, .text = "milk", .flag = true };
	struct visit *other;

	(void)state;
	basket_with_left("full", 8, true);
	assert_int_equal(rig_send("pos/8/event", "basket.opened",
			     "{\"basket\":\"b\",\"terminal\":\"8\"}"),
	    0);
	assert_int_equal(rig_send("pos/8/event", "basket.item-added",
			     "{\"basket\":\"b\",\"line\":1,\"sku\":\"s\",\"category\":\"c\","
			     "\"qty\":1,\"amount\":100,\"currency\":\"EUR\"}"),
	    0);
	assert_int_equal(rig_sent(OUTPUT_GUIDANCE), 1);
	stop.now_ms = rig.now_ms;
	assert_true(turn_own_fault(turn_run(rig.engine, &stop, 1)));
	assert_int_equal(turn_each(rig.engine, &stop, 1, on_turned, NULL), 0);
	assert_int_equal(stop.result.status, 500);
	assert_int_equal(rig_sent(OUTPUT_WITHDRAW), 1);
	assert_true(order_is_stopped(rig.engine, "milk"));
	other = sessions_by_basket(rig.engine->sessions, "b");
	assert_int_equal(other->cards[0].state, CARD_GONE);
}

static void
an_answer_that_cannot_be_written_is_refused(void **state)
{
	char text[ID_TEXT_SIZE];
	struct input answer = { .kind = INPUT_ANSWER, .text = "t1", .prompt = text };

	(void)state;
	basket_with_left("full", 8, true);
	id_text(&(struct id){ { 1 } }, text);
	answer.guidance = "00000000000000000000000000";
	answer.now_ms = rig.now_ms;
	answer.answer = json_pack("{s:s}", "decision", "dismiss");
	assert_true(turn_own_fault(turn_run(rig.engine, &answer, 1)));
	assert_int_equal(turn_each(rig.engine, &answer, 1, on_turned, NULL), 0);
	assert_int_equal(answer.result.status, 500);
	json_decref(answer.answer);
}

/* Whose fault it is not: the disk's is everybody's, and waiting helps. */
static void
a_full_or_broken_disk_sets_nobody_aside(void **state)
{
	(void)state;
	assert_false(turn_own_fault(0));
	assert_false(turn_own_fault(AISLE_E_IO));
	assert_false(turn_own_fault(AISLE_E_FULL));
	assert_false(turn_own_fault(AISLE_E_DAMAGED));
	assert_true(turn_own_fault(AISLE_E_TOO_BIG));
}

/* For the scenario: a state folder with such a basket, for a daemon to go on from. */
static int
fill(const char *dir, const char *now_ms)
{
	rig_open(dir);
	rig.now_ms = atoll(now_ms) - MIN_MS;
	basket_with_left("full", 8, false);
	rig_close();
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--fill") == 0)
		return fill(argv[2], argv[3]);
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(who_cannot_be_written_is_set_aside_and_its_neighbours_are_served),
		T(the_same_batch_again_ends_the_same_way),
		T(who_was_within_the_rate_still_is_when_each_is_tried_alone),
		T(a_timer_that_cannot_be_written_is_dropped_and_the_message_after_it_is_served),
		T(a_damaged_timer_beside_one_that_cannot_be_written_goes_with_it),
		T(a_stop_that_one_row_cannot_hold_takes_the_other_cards_away),
		T(an_answer_that_cannot_be_written_is_refused),
		T(a_full_or_broken_disk_sets_nobody_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
