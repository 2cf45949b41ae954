/* SPDX-License-Identifier: Apache-2.0
 *
 * test_waiting.c - what comes faster than its station's rate waits on disk, in order, and nothing of it is lost; a flood of
 * what cannot be used is told once a second.
 *
 *   test_waiting [COUNT]   so many generated sequences; without it a few hundred
 */
#include "spine_rig.h"

#include <ftw.h>
#include <sqlite3.h>
#include <unistd.h>

#include "core/metrics.h"
#include "random_fixture.h"
#include "store/store_internal.h"

#define CARD "4000123412341234"
#define SUBJECT "00000000000000000000000000000001"

static char dir[64];

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
open_again(int per_second)
{
	struct engine_options options = { .conf = &rig.conf, .state_dir = dir, .sealed = true };
	struct err err = { 0 };

	engine_close(rig.engine);
	rig.conf.terminal_rate = per_second;
	assert_int_equal(engine_open(&options, &rig.engine, &err), 0);
}

static int
set_up(void **state)
{
	(void)state;
	/* A turn each: on a disk they would wait for it. */
	snprintf(dir, sizeof(dir), "%s/waiting-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(dir));
	rig_open(dir);
	open_again(2);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_close();
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}

/* ---- told, and taken ---- */

static struct buf said; /* "7:3 r7:1 …": receipts in their order; refused ones with "!" */

static void
hear(void)
{
	for (size_t i = 0; i < rig.engine->output_count; i++) {
		const struct output *output = &rig.engine->outputs[i];
		json_t *json, *row;
		const char *from = strrchr(output->topic, '/');
		size_t n;

		if (output->kind != OUTPUT_RECEIPT)
			continue;
		while (from[-1] != '/')
			from--;
		json = json_loadb(output->payload, output->len, 0, NULL);
		json_array_foreach(json_object_get(json, "ids"), n, row)
			buf_addf(&said, "%s%.*s:%s", said.len > 0 ? " " : "",
			    (int)strcspn(from, "/"), from,
			    json_string_value(json_array_get(row, 1)));
		json_array_foreach(json_object_get(json, "refused"), n, row)
			buf_addf(&said, "%s%.*s:%s!%s", said.len > 0 ? " " : "",
			    (int)strcspn(from, "/"), from,
			    json_string_value(json_array_get(row, 1)),
			    json_string_value(json_array_get(row, 2)));
		json_decref(json);
	}
}

#define assert_heard(text) \
	do { \
		assert_string_equal(said.len > 0 ? said.data : "", text); \
		buf_done(&said); \
	} while (0)

static void
run(struct input *input)
{
	input->now_ms = rig.now_ms;
	assert_int_equal(turn_run(rig.engine, input, 1), 0);
	hear();
}

__attribute__((format(printf, 4, 5))) static void
say(const char *topic, const char *id, const char *type, const char *format, ...)
{
	char at[WHEN_TEXT_SIZE], full[128], data[2048];
	struct buf text = { 0 };
	struct input input = { .kind = INPUT_MESSAGE, .topic = full };
	va_list args;

	va_start(args, format);
	vsnprintf(data, sizeof(data), format, args);
	va_end(args);
	snprintf(full, sizeof(full), "aisle/v1/0042/%s/event", topic);
	when_text(rig.now_ms, at);
	buf_addf(&text,
	    "{\"specversion\":\"1.0\",\"source\":\"/%s\",\"id\":\"%s\",\"receipt\":true,"
	    "\"type\":\"aisle.%s\",\"time\":\"%s\",\"data\":%s}",
	    topic, id, type, at, data);
	input.payload = text.data;
	input.len = text.len;
	run(&input);
	buf_done(&text);
}

static void
door(const char *topic, const char *id)
{
	say(topic, id, "sensor.reading", "{\"kind\":\"door\",\"value\":1}");
}

static void
take(int count)
{
	for (int i = 0; i < count; i++) {
		struct input input = { .kind = INPUT_WAITED };

		run(&input);
	}
}

static void
tick(void)
{
	struct input input = { .kind = INPUT_CLOCK };

	run(&input);
}

/* ---- order ---- */

static void
what_is_within_the_rate_is_taken_at_once_and_the_rest_in_its_turn(void **state)
{
	(void)state;
	for (int i = 1; i <= 5; i++)
		door("pos/7", (char[]){ (char)('0' + i), '\0' });
	assert_heard("7:1 7:2");
	assert_int_equal(waiting_count(rig.engine), 3);
	/* What comes later comes later, though it would be within the rate by now. */
	rig.now_ms += MIN_MS;
	door("pos/7", "6");
	assert_heard("");
	take(9);
	assert_heard("7:3 7:4 7:5 7:6");
	assert_int_equal(waiting_count(rig.engine), 0);
	assert_int_equal(waiting_bytes(rig.engine), 0);
	door("pos/7", "7");
	assert_heard("7:7");
}

static void
the_tills_and_readers_of_a_station_are_one_queue_and_stations_take_turns(void **state)
{
	(void)state;
	rig.conf.stations[0] = (struct conf_pair){ mem_strdup("r7"), mem_strdup("7"), 1 };
	rig.conf.station_count = 1;
	for (int i = 1; i <= 4; i++) {
		char id[2] = { (char)('0' + i), '\0' };

		door(i == 3 ? "loyalty/r7" : "pos/7", id);
	}
	assert_heard("7:1 7:2");
	for (int i = 1; i <= 5; i++)
		door("pos/8", (char[]){ (char)('0' + i), '\0' });
	door("care", "1");
	assert_heard("8:1 8:2 care:1");
	take(4);
	/* Whose turn is first is no promise. */
	if (strstr(said.data, "8:3") == said.data)
		assert_heard("8:3 r7:3 8:4 7:4");
	else
		assert_heard("r7:3 8:3 7:4 8:4");
	take(4);
	assert_heard("8:5");
}

static void
what_waits_has_its_now_and_its_receipt_from_when_it_is_taken(void **state)
{
	struct buf at = { 0 };

	(void)state;
	for (int i = 1; i <= 3; i++)
		door("pos/7", (char[]){ (char)('0' + i), '\0' });
	rig.now_ms += H_MS;
	take(1);
	for (size_t i = 0; i < rig.engine->output_count; i++)
		buf_add(&at, rig.engine->outputs[i].payload, rig.engine->outputs[i].len);
	assert_non_null(strstr(at.data, "\"at\":[\"2026-11-21T11:00:00.000Z\"]"));
	buf_done(&at);
	buf_done(&said);
	/* Again, after it was taken: it is the same event. */
	rig.now_ms -= H_MS;
	door("pos/7", "3");
	assert_heard("7:3");
	assert_int_equal(metrics_get(METRIC_REJECTED_BAD_VALUE), 0);
}

static void
one_that_waited_longer_than_the_clock_allows_was_in_time_when_it_came(void **state)
{
	(void)state;
	for (int i = 1; i <= 3; i++)
		door("pos/7", (char[]){ (char)('0' + i), '\0' });
	rig.now_ms += 10 * D_MS;
	take(1);
	assert_heard("7:1 7:2 7:3");
}

static void
a_restart_changes_neither_what_waits_nor_its_order(void **state)
{
	(void)state;
	for (int i = 1; i <= 5; i++)
		door("pos/7", (char[]){ (char)('0' + i), '\0' });
	take(1);
	int64_t bytes = waiting_bytes(rig.engine);
	open_again(2);
	assert_int_equal(waiting_count(rig.engine), 2);
	assert_int_equal(waiting_bytes(rig.engine), bytes);
	door("pos/7", "6");
	take(3);
	assert_heard("7:1 7:2 7:3 7:4 7:5 7:6");
}

/* ---- who it is about ---- */

static bool
state_holds(const char *text)
{
	static const char *const names[] = { "state.db", "state.db-wal", "keys.db" };
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		static char bytes[8 << 20];
		char path[128];
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		file = fopen(path, "rb");
		if (file != NULL) {
			size_t len = fread(bytes, 1, sizeof(bytes), file);

			found = found || memmem(bytes, len, text, strlen(text)) != NULL;
			fclose(file);
		}
	}
	return found;
}

/* The text of the first row, as it stands in the store. */
static void
first_waiting(void *ctx, int64_t id, int64_t bytes, int64_t events)
{
	(void)bytes;
	(void)events;
	if (*(int64_t *)ctx == 0)
		*(int64_t *)ctx = id;
}

static void
a_card_number_is_gone_before_its_event_waits(void **state)
{
	struct buf text = { 0 };
	struct store_waiting row;
	int64_t id = 0;

	(void)state;
	door("pos/7", "1");
	door("pos/7", "2");
	say("pos/7", "3", "customer.identified", "{\"card\":\"" CARD "\",\"station\":\"7\"}");
	assert_int_equal(store_waiting_each(rig.engine->store, first_waiting, &id), 0);
	assert_int_equal(store_waiting_get(rig.engine->store, id, id, false, &row, &text), 0);
	assert_null(strstr(text.data, CARD));
	assert_non_null(strstr(text.data, "\"subject\""));
	assert_int_equal(row.bytes, text.len);
	assert_int_equal(row.events, 1);
	buf_done(&text);
	assert_false(state_holds(CARD));
	take(1);
	assert_heard("7:1 7:2 7:3");
	assert_int_equal(sessions_count(rig.engine->sessions), 1);
}

static void
who_is_forgotten_leaves_the_queue_too(void **state)
{
	struct input forget = { .kind = INPUT_FORGET };

	(void)state;
	forget.subject = subject_of_card(keys_pepper(rig.engine->keys), CARD, strlen(CARD));
	door("pos/7", "1");
	door("pos/7", "2");
	say("pos/7", "3", "customer.identified", "{\"card\":\"" CARD "\",\"station\":\"7\"}");
	door("pos/7", "4");
	run(&forget);
	assert_int_equal(keys_destroy(rig.engine->keys, &forget.subject), 0);
	take(2);
	assert_heard("7:1 7:2 7:4");
	assert_int_equal(waiting_count(rig.engine), 0);
	assert_int_equal(waiting_bytes(rig.engine), 0);
}

/* ---- what does not fit, does not open, or cannot be used ---- */

static void
fill(const char *topic, int from, int count)
{
	static char name[2001];

	memset(name, 'x', sizeof(name) - 1);
	for (int i = 0; i < count; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", from + i);
		say(topic, id, "sensor.reading",
		    "{\"kind\":\"door\",\"value\":1,\"more\":\"%.1500s\"}", name);
	}
}

static void
what_does_not_fit_is_the_newest_of_the_longest_queue(void **state)
{
	int64_t rejected = metrics_get(METRIC_REJECTED_RATE);

	(void)state;
	rig.conf.waiting_mib = 1;
	fill("pos/7", 1, 2);
	buf_done(&said);
	for (int i = 3; waiting_bytes(rig.engine) < (1 << 20) - 1800; i++)
		fill("pos/7", i, 1);
	assert_heard("");
	int64_t count = waiting_count(rig.engine);
	fill("pos/7", 5000, 2);
	assert_heard("7:5000!rate 7:5001!rate");
	/* One of a shorter queue costs the longest its newest. */
	fill("pos/8", 1, 3);
	buf_addc(&said, '\0');
	assert_non_null(strstr(said.data, "8:1 8:2"));
	assert_non_null(strstr(said.data, "!rate"));
	assert_null(strstr(said.data, "8:3!"));
	buf_done(&said);
	assert_int_equal(waiting_count(rig.engine), count);
	assert_int_equal(metrics_get(METRIC_REJECTED_RATE) - rejected, 3);
}

static void
a_row_that_does_not_open_is_counted_and_the_others_are_taken(void **state)
{
	struct store *store = rig.engine->store;
	int64_t damaged = store_damaged(store);

	(void)state;
	for (int i = 1; i <= 5; i++)
		door("pos/7", (char[]){ (char)('0' + i), '\0' });
	assert_int_equal(sqlite3_exec(store->db,
			     "UPDATE waiting SET body = zeroblob(length(body)) WHERE id ="
			     " (SELECT id FROM waiting ORDER BY id LIMIT 1 OFFSET 1)",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	open_again(2);
	take(3);
	assert_heard("7:1 7:2 7:3 7:5");
	assert_int_equal(store_damaged(rig.engine->store) - damaged, 1);
	assert_int_equal(waiting_count(rig.engine), 0);
	assert_int_equal(waiting_bytes(rig.engine), 0);
	door("pos/7", "6");
	door("pos/7", "7");
	assert_heard("7:6 7:7");
}

static void
damage_row(int n, const char *set)
{
	char sql[160];

	snprintf(sql, sizeof(sql),
	    "UPDATE waiting SET %s WHERE id = (SELECT id FROM waiting WHERE id BETWEEN 1 << 40 AND"
	    " (1 << 62) - 1 ORDER BY id LIMIT 1 OFFSET %d)",
	    set, n);
	assert_int_equal(sqlite3_exec(rig.engine->store->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* The numbers between are not tried: there are a hundred thousand millions of them. */
static void
a_row_whose_number_is_damaged_is_set_aside_and_the_others_are_taken(void **state)
{
	int64_t damaged = store_damaged(rig.engine->store);

	(void)state;
	for (int i = 1; i <= 9; i++)
		door("pos/7", (char[]){ (char)('0' + i), '\0' });
	damage_row(6, "id = id + (1 << 38)"); /* 9: far behind the others */
	damage_row(4, "id = id + (1 << 44)"); /* 7: in a queue that there is not */
	damage_row(3, "id = -id");	      /* 6: in none at all */
	damage_row(2, "events = 1 << 60");    /* 5 */
	damage_row(1, "bytes = -(1 << 60)");  /* 4 */
	open_again(2);
	assert_true(waiting_count(rig.engine) <= 4);
	assert_true(waiting_bytes(rig.engine) > 0);
	take(2);
	assert_heard("7:1 7:2 7:3 7:8");
	take(1);
	assert_heard("");
	assert_int_equal(store_damaged(rig.engine->store) - damaged, 5);
	assert_int_equal(waiting_count(rig.engine), 0);
	assert_int_equal(waiting_bytes(rig.engine), 0);
}

/* ---- floods are told once a second ---- */

struct letters {
	int rows, told;
};

static int
count_letter(void *ctx, int64_t n, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const void *payload, size_t len)
{
	struct letters *letters = ctx;
	const char *times = strrchr(detail, '(');
	int count = 1;

	(void)n;
	(void)at_ms;
	(void)topic;
	(void)reason;
	(void)payload;
	(void)len;
	if (times != NULL && strstr(times, " times)") != NULL)
		count = atoi(times + 1);
	letters->rows++;
	letters->told += count;
	return 0;
}

static struct letters
letters_now(void)
{
	struct letters letters = { 0 };

	assert_int_equal(store_dead_each(rig.engine->store, -1, count_letter, &letters), 0);
	return letters;
}

static void
bad(const char *topic, const char *text)
{
	struct input input = {
		.kind = INPUT_MESSAGE, .topic = topic, .payload = text, .len = strlen(text)
	};

	run(&input);
}

static void
a_flood_of_bad_messages_is_a_letter_a_second_and_each_is_counted(void **state)
{
	struct letters letters;

	(void)state;
	open_again(30); /* a burst of three */
	for (int i = 0; i < 3000; i++) {
		bad("aisle/v1/0042/pos/7/event", "no json");
		rig.now_ms += i % 1000 == 999 ? S_MS : 0;
	}
	rig.now_ms += S_MS;
	assert_true(letters_wait(rig.engine));
	tick();
	assert_false(letters_wait(rig.engine));
	letters = letters_now();
	assert_int_equal(letters.told, 3000);
	assert_int_equal(letters.rows, 3 + 3);
	/* Another sender, and another reason, are told by themselves. */
	bad("aisle/v1/0042/pos/8/event", "no json");
	bad("aisle/v1/0042/pos/7/event", "[]");
	assert_int_equal(letters_now().rows, letters.rows + 2);
}

/* Of what a mapping listens to, and no till of ours: as long as a broker takes. */
static void
a_topic_of_any_length_is_bounded_like_another(void **state)
{
	enum { LONG = 60000 };
	char *topic = mem_alloc(LONG + 1);
	struct input input = { .kind = INPUT_UNMAPPED,
		.topic = topic,
		.text = "no mapping",
		.payload = "x",
		.len = 1 };
	struct letters letters;

	(void)state;
	open_again(30); /* a burst of three */
	memset(topic, 't', LONG);
	memcpy(topic + 123, "\xc3\xa9", 2); /* a character at the cut */
	topic[LONG] = '\0';
	for (int len = 126; len <= LONG; len = len < 130 ? len + 1 : len * 8) {
		int rows = letters_now().rows, told = letters_now().told;

		memset(topic + 125, 't', LONG - 125);
		topic[len] = '\0';
		for (int i = 0; i < 100; i++)
			run(&input);
		rig.now_ms += S_MS;
		tick();
		letters = letters_now();
		assert_int_equal(letters.rows - rows, 3 + 1);
		assert_int_equal(letters.told - told, 100);
	}
	/* Those that begin alike are others. */
	topic[300] = '\0';
	topic[299] = 'u';
	run(&input);
	assert_int_equal(letters_now().rows, letters.rows + 1);
	free(topic);
}

static void
senders_without_end_are_bounded_and_counted_too(void **state)
{
	(void)state;
	open_again(10); /* a burst of one */
	for (int i = 0; i < 2000; i++) {
		char topic[64];

		snprintf(topic, sizeof(topic), "aisle/v1/0042/pos/t%d/event", i / 2);
		bad(topic, "no json");
	}
	rig.now_ms += S_MS;
	tick();
	assert_int_equal(letters_now().told, 2000);
}

/* 5,000 topics in turn, the first second to fill the table. */
static void
topics_that_are_made_up_as_they_go_share_a_letter_a_second(void **state)
{
	struct letters first = { 0 }, letters;

	(void)state;
	open_again(200); /* a burst of twenty */
	for (int i = 0; i < 40000; i++) {
		char topic[64];

		snprintf(topic, sizeof(topic), "aisle/v1/0042/pos/t%d/event", i % 5000);
		bad(topic, i % 2 == 0 ? "no json" : "[]");
		rig.now_ms += i % 10 == 9;
		if (i == 9999)
			first = letters_now();
	}
	rig.now_ms += S_MS;
	tick();
	letters = letters_now();
	assert_int_equal(letters.told, 40000);
	assert_in_range(first.rows, LETTER_SENDERS, 2 * (LETTER_SENDERS + 20));
	assert_in_range(letters.rows - first.rows, 3, 4 * (2 * LETTER_SENDERS + 2));
}

static void
the_last_turn_holds_nothing_back(void **state)
{
	struct input clock = { .kind = INPUT_CLOCK, .flag = true };

	(void)state;
	for (int i = 0; i < 5; i++)
		bad("aisle/v1/0042/pos/7/event", "no json");
	assert_int_equal(letters_now().told, 1);
	run(&clock);
	assert_int_equal(letters_now().told, 5);
}

/* ---- generated: each station's events are taken once each, in their order, whatever happens ---- */

#define STATIONS 4
#define SEQUENCES 150
#define STEPS 60

static struct {
	int sent[STATIONS], taken[STATIONS];
	int sequences;
} model = { .sequences = SEQUENCES };

/* Each receipt is the next one of its till. */
static void
check(uint64_t seed)
{
	char *at = said.len > 0 ? said.data : "", *end;

	while (*at != '\0') {
		long till = strtol(at, &end, 10), id;

		assert_true(end > at && *end == ':' && till >= 0 && till < STATIONS);
		id = strtol(end + 1, &end, 10);
		if (id != model.taken[till] + 1 || (*end != ' ' && *end != '\0'))
			fail_msg("seed %llu: %s after %d", (unsigned long long)seed, at,
			    model.taken[till]);
		model.taken[till]++;
		at = *end == ' ' ? end + 1 : end;
	}
	buf_done(&said);
}

static void
step(struct dice *dice, uint64_t seed)
{
	char topic[16], id[16];
	int till = (int)dice_below(dice, STATIONS);

	switch (dice_below(dice, 12)) {
	case 0: take((int)dice_below(dice, 6)); break;
	case 1: rig.now_ms += (int64_t)dice_below(dice, 3 * S_MS); break;
	case 2:
		if (dice_below(dice, 8) == 0)
			open_again(2);
		break;
	case 3: { /* a turn that fails: nothing of it happened */
		struct input waited = { .kind = INPUT_WAITED, .now_ms = rig.now_ms };

		assert_int_equal(store_begin(rig.engine->store), 0);
		intake(rig.engine, &waited);
		store_rollback(rig.engine->store);
		assert_int_equal(engine_reload(rig.engine), 0);
		break;
	}
	default:
		snprintf(topic, sizeof(topic), "pos/%d", till);
		for (uint64_t n = dice_below(dice, 4); n > 0; n--) {
			snprintf(id, sizeof(id), "%d", ++model.sent[till]);
			door(topic, id);
		}
	}
	check(seed);
}

static void
each_event_is_taken_once_and_in_order_whatever_happens(void **state)
{
	(void)state;
	for (int sequence = 0; sequence < model.sequences; sequence++) {
		struct dice dice = { .state = (uint64_t)sequence };
		int64_t waits = 0;

		memset(model.sent, 0, sizeof(model.sent));
		memset(model.taken, 0, sizeof(model.taken));
		for (int i = 0; i < STEPS; i++)
			step(&dice, (uint64_t)sequence);
		for (int i = 0; i < STATIONS; i++)
			waits += model.sent[i] - model.taken[i];
		assert_int_equal(waiting_count(rig.engine), waits);
		take((int)waits);
		check((uint64_t)sequence);
		assert_memory_equal(model.sent, model.taken, sizeof(model.sent));
		assert_int_equal(waiting_bytes(rig.engine), 0);
		/* The same names again are other events three days later. */
		tear_down(NULL);
		set_up(NULL);
	}
}

/* ---- generated: many in a turn, and more than there is room for ---- */

#define ROOM (1 << 20)
#define TURNS 14
#define IN_TURN 48
#define PAD_MAX 30000
#define QUEUED_MAX 2048

/* What a station's queue holds, and what has to be heard with this turn. */
struct queued {
	int ids[QUEUED_MAX], count, sent, allowed;
	int64_t sizes[QUEUED_MAX], bytes;
	struct buf taken, refused;
};

static struct {
	struct queued at[STATIONS];
	int order[STATIONS], last; /* by key; place of the one that was taken from last */
	int64_t sizes[STATIONS][2], bytes;
	struct buf texts[IN_TURN];
	struct input inputs[IN_TURN];
	char topics[STATIONS][32];
} room;

static void
note(struct buf *out, int id, const char *what)
{
	buf_addf(out, "%05d%s ", id, what);
}

static void
drop_newest(struct queued *queue)
{
	queue->count--;
	queue->bytes -= queue->sizes[queue->count];
	room.bytes -= queue->sizes[queue->count];
	note(&queue->refused, queue->ids[queue->count], "!rate");
}

static struct queued *
longest(void)
{
	struct queued *best = NULL;

	for (int i = 0; i < STATIONS; i++) {
		struct queued *queue = &room.at[room.order[i]];

		if (queue->count > 0 && (best == NULL || queue->bytes > best->bytes))
			best = queue;
	}
	return best;
}

static void
comes(struct queued *queue, int id, int64_t size)
{
	bool within = queue->allowed-- > 0;

	if (within && queue->count == 0) {
		note(&queue->taken, id, "");
		return;
	}
	while (room.bytes + size > ROOM) {
		struct queued *other = longest();

		if (other == NULL || other->bytes <= queue->bytes + size) {
			note(&queue->refused, id, "!rate");
			return;
		}
		drop_newest(other);
	}
	assert_true(queue->count < QUEUED_MAX);
	queue->ids[queue->count] = id;
	queue->sizes[queue->count++] = size;
	queue->bytes += size;
	room.bytes += size;
}

static void
goes(void)
{
	for (int i = 1; i <= STATIONS; i++) {
		int place = (room.last + i) % STATIONS;
		struct queued *queue = &room.at[room.order[place]];

		if (queue->count == 0)
			continue;
		room.last = place;
		note(&queue->taken, queue->ids[0], "");
		queue->bytes -= queue->sizes[0];
		room.bytes -= queue->sizes[0];
		queue->count--;
		memmove(queue->ids, queue->ids + 1, (size_t)queue->count * sizeof(int));
		memmove(queue->sizes, queue->sizes + 1, (size_t)queue->count * sizeof(int64_t));
		return;
	}
}

/* One about a customer has its own row. The last station is the desk of headquarters. */
static void
make_message(int n, int station, int id, bool personal, int pad)
{
	static char more[PAD_MAX + 1];
	char at[WHEN_TEXT_SIZE], *topic = room.topics[station];
	struct buf *text = &room.texts[n];

	memset(more, 'x', PAD_MAX);
	when_text(rig.now_ms, at);
	if (station == STATIONS - 1)
		snprintf(topic, sizeof(room.topics[0]), "aisle/v1/0042/care/event");
	else
		snprintf(topic, sizeof(room.topics[0]), "aisle/v1/0042/pos/%d/event", station);
	buf_clear(text);
	buf_addf(text,
	    "{\"specversion\":\"1.0\",\"source\":\"/s%d\",\"id\":\"%05d\",\"receipt\":true,"
	    "\"type\":\"aisle.%s\",\"time\":\"%s\",\"data\":{%s,\"more\":\"%.*s\"}}",
	    station, id, personal ? "customer.identified" : "sensor.reading", at,
	    personal ? "\"subject\":\"" SUBJECT "\",\"station\":\"9\""
		     : "\"kind\":\"door\",\"value\":1",
	    pad, more);
	room.inputs[n] = (struct input){ .kind = INPUT_MESSAGE,
		.now_ms = rig.now_ms,
		.topic = topic,
		.payload = text->data,
		.len = text->len };
}

static void
some_input(struct dice *dice, int n, bool undone)
{
	int station = (int)dice_below(dice, STATIONS);
	struct queued *queue = &room.at[station];
	bool personal = station != STATIONS - 1 && dice_below(dice, 5) == 0;
	int pad = (int)dice_below(dice, dice_below(dice, 2) == 0 ? 300 : PAD_MAX);

	if (!undone && dice_below(dice, 5) == 0) {
		room.inputs[n] = (struct input){ .kind = INPUT_WAITED, .now_ms = rig.now_ms };
		goes();
		return;
	}
	make_message(n, station, queue->sent + 1, personal, pad);
	if (undone)
		queue->allowed--;
	else
		comes(queue, ++queue->sent, room.sizes[station][personal] + pad);
}

static void
forget_turn(void)
{
	room.last = STATIONS - 1;
}

/* What was heard of a station, against what had to be. */
static void
compare(uint64_t seed)
{
	struct buf taken = { 0 }, refused = { 0 };
	int64_t count = 0;

	for (int s = 0; s < STATIONS; s++) {
		char from[8];

		snprintf(from, sizeof(from), s == STATIONS - 1 ? "care:" : "%d:", s);
		buf_adds(&taken, "");
		for (char *at = said.data; at != NULL; at = strchr(at, ' ')) {
			at += *at == ' ';
			if (strncmp(at, from, strlen(from)) != 0)
				continue;
			buf_addf(strcspn(at, "!") < strcspn(at, " ") ? &refused : &taken, "%.*s ",
			    (int)(strcspn(at, " ") - strlen(from)), at + strlen(from));
		}
		if (taken.len != room.at[s].taken.len ||
		    (taken.len > 0 && memcmp(taken.data, room.at[s].taken.data, taken.len) != 0))
			fail_msg("seed %d, %s taken\n%s\n%s", (int)seed, from, taken.data,
			    room.at[s].taken.data);
		if (refused.len != room.at[s].refused.len ||
		    (refused.len > 0 &&
			memcmp(refused.data, room.at[s].refused.data, refused.len) != 0))
			fail_msg("seed %d, %s refused\n%s\n%s", (int)seed, from, refused.data,
			    room.at[s].refused.data);
		count += room.at[s].count;
		buf_done(&taken);
		buf_done(&refused);
		buf_done(&room.at[s].taken);
		buf_done(&room.at[s].refused);
	}
	buf_done(&said);
	assert_int_equal(waiting_count(rig.engine), count);
	assert_int_equal(waiting_bytes(rig.engine), room.bytes);
}

/* How long a row's line is without what is added, and whose turn is when. */
static void
learn(void)
{
	for (int s = 0; s < STATIONS; s++) {
		for (int n = 0; n < 4; n++) {
			int64_t before = waiting_bytes(rig.engine);

			make_message(0, s, ++room.at[s].sent, n == 3 && s != STATIONS - 1, 0);
			run(&room.inputs[0]);
			room.sizes[s][n == 3] = waiting_bytes(rig.engine) - before;
		}
	}
	buf_done(&said);
	for (int i = 0; i < STATIONS; i++) {
		take(1);
		room.order[i] = said.data[0] == 'c' ? STATIONS - 1 : said.data[0] - '0';
		buf_done(&said);
	}
	take(STATIONS);
	buf_done(&said);
}

static void
a_turn(struct dice *dice, uint64_t seed)
{
	size_t count = dice_below(dice, IN_TURN);
	bool undone = dice_below(dice, 8) == 0;

	if (dice_below(dice, 8) == 0) {
		open_again(2);
		forget_turn();
		for (int s = 0; s < STATIONS; s++)
			room.at[s].allowed = 2;
	}
	for (size_t i = 0; i < count; i++)
		some_input(dice, (int)i, undone);
	if (!undone) {
		assert_int_equal(turn_run(rig.engine, room.inputs, count), 0);
		hear();
	} else {
		assert_int_equal(store_begin(rig.engine->store), 0);
		for (size_t i = 0; i < count; i++)
			intake(rig.engine, &room.inputs[i]);
		store_rollback(rig.engine->store);
		assert_int_equal(engine_reload(rig.engine), 0);
		forget_turn();
	}
	compare(seed);
}

static void
of_many_in_a_turn_what_does_not_fit_is_refused_and_the_rest_is_taken_in_order(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 12; seed++) {
		struct dice dice = { .state = seed };

		memset(&room, 0, sizeof(room));
		rig.conf.waiting_mib = 1;
		learn();
		forget_turn();
		open_again(2);
		for (int s = 0; s < STATIONS; s++)
			room.at[s].allowed = 2;
		for (int i = 0; i < TURNS; i++)
			a_turn(&dice, seed);
		for (int i = 0; i < IN_TURN; i++)
			buf_done(&room.texts[i]);
		tear_down(NULL);
		set_up(NULL);
	}
}

/* ---- the longest queue is a single row, or the rest of one ---- */

/* So many in one turn, each as long; of them "refused" is heard. */
static void
padded(const char *station, int first, int many, int pad)
{
	static char more[EVENT_BYTES_MAX];
	char at[WHEN_TEXT_SIZE], topic[64];
	struct input inputs[4];
	struct buf texts[4] = { 0 };

	assert_true(many <= 4);
	memset(more, 'x', sizeof(more));
	when_text(rig.now_ms, at);
	snprintf(topic, sizeof(topic), "aisle/v1/0042/pos/%s/event", station);
	for (int i = 0; i < many; i++) {
		buf_addf(&texts[i],
		    "{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"%s-%d\",\"receipt\":true,"
		    "\"type\":\"aisle.sensor.reading\",\"time\":\"%s\",\"data\":{\"kind\":\"door\","
		    "\"value\":1,\"more\":\"%.*s\"}}",
		    station, first + i, at, pad, more);
		inputs[i] = (struct input){ .kind = INPUT_MESSAGE,
			.now_ms = rig.now_ms,
			.topic = topic,
			.payload = texts[i].data,
			.len = texts[i].len };
	}
	assert_int_equal(turn_run(rig.engine, inputs, (size_t)many), 0);
	hear();
	for (int i = 0; i < many; i++)
		buf_done(&texts[i]);
}

/* Stations of one event each, so long, until the next one would not fit; how many. */
static int
fill_with_stations(int pad, char (*names)[8], int most)
{
	for (int i = 0; i < most; i++) {
		int64_t before = waiting_bytes(rig.engine);

		snprintf(names[i], sizeof(names[i]), "t%03d", i);
		padded(names[i], 1, 1, 0);
		padded(names[i], 2, 1, pad);
		if (2 * waiting_bytes(rig.engine) - before > 1 << 20)
			return i + 1;
	}
	fail_msg("%s", "it never fills");
	return 0;
}

/* Sixteen stations of 64,000 bytes, and one more. */
static void
a_queue_as_long_as_what_comes_keeps_it_and_a_longer_one_is_none_after_it_lost_all(void **state)
{
	char names[64][8];
	int many;

	(void)state;
	open_again(1);
	rig.conf.waiting_mib = 1;
	many = fill_with_stations(63000, names, 64);
	buf_done(&said);
	assert_int_equal(many, 16);
	padded("last", 1, 1, 0);
	buf_done(&said);
	padded("last", 2, 1, 63000);
	assert_heard("last:last-2!rate");
	assert_int_equal(waiting_count(rig.engine), 16);
	padded("last", 3, 1, 62999);
	assert_int_equal(waiting_count(rig.engine), 16);
	assert_non_null(strstr(said.data, "-2!rate"));
	assert_null(strstr(said.data, "last"));
	/* Nothing waits of it any more: within its rate it is taken at once. */
	said.data[4] = '\0';
	{
		char loser[8];

		snprintf(loser, sizeof(loser), "%s", said.data);
		buf_done(&said);
		rig.now_ms += S_MS;
		padded(loser, 3, 1, 0);
		assert_non_null(strstr(said.data, "-3"));
		assert_null(strstr(said.data, "!"));
		buf_done(&said);
		padded("last", 4, 1, 0);
		assert_heard("");
	}
}

/* The row of the first station is being taken when there is no room for another's event. */
static void
what_is_lost_may_be_the_rest_of_a_row_that_is_being_taken(void **state)
{
	for (int rest = 1; rest <= 2; rest++) {
		char names[200][8];
		int many;

		open_again(1);
		rig.conf.waiting_mib = 1;
		padded("x", 1, 1, 0);
		padded("x", 2, 1, 0); /* a row of its own */
		padded("x", 3, rest + 1, 13000 / rest);
		take(1 + 1);
		assert_heard("x:x-1 x:x-2 x:x-3");
		assert_int_equal(waiting_count(rig.engine), rest);
		many = fill_with_stations(10000, names, 200);
		buf_done(&said);
		padded("y", 1, 1, 0);
		buf_done(&said);
		padded("y", 2, 1, 12000 / rest);
		if (rest == 1)
			assert_heard("x:x-4!rate");
		else
			assert_heard("x:x-5!rate");
		assert_int_equal(waiting_count(rig.engine), many + 1 + rest - 1);
		if (rest == 2)
			open_again(1);
		assert_int_equal(waiting_count(rig.engine), many + 1 + rest - 1);
		take(many + 2);
		assert_int_equal(waiting_count(rig.engine), 0);
		assert_int_equal(waiting_bytes(rig.engine), 0);
		assert_int_equal(strstr(said.data, "x:x-4") != NULL, rest == 2);
		assert_null(strstr(said.data, "x:x-5"));
		buf_done(&said);
		tear_down(state);
		set_up(state);
	}
}

/* A quarter of the state; in memory there is no such bound. */
static void
what_waits_has_a_quarter_of_the_state_at_most(void **state)
{
	(void)state;
	for (int on_disk = 1; on_disk >= 0; on_disk--) {
		if (!on_disk) {
			tear_down(NULL);
			rig_open(NULL);
			rig.conf.terminal_rate = 2;
			engine_set_terminal_rate(rig.engine, 2);
		}
		rig.conf.state_max_mib = 1;
		for (int i = 0; i < 10; i++)
			padded("7", i, 1, 60000);
		assert_int_equal(waiting_count(rig.engine), on_disk ? 4 : 8);
		buf_done(&said);
	}
	tear_down(NULL);
	set_up(NULL);
}

#define WAITING_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WAITING_TEST(
		    a_queue_as_long_as_what_comes_keeps_it_and_a_longer_one_is_none_after_it_lost_all),
		WAITING_TEST(what_is_lost_may_be_the_rest_of_a_row_that_is_being_taken),
		WAITING_TEST(what_waits_has_a_quarter_of_the_state_at_most),
		WAITING_TEST(what_is_within_the_rate_is_taken_at_once_and_the_rest_in_its_turn),
		WAITING_TEST(
		    the_tills_and_readers_of_a_station_are_one_queue_and_stations_take_turns),
		WAITING_TEST(what_waits_has_its_now_and_its_receipt_from_when_it_is_taken),
		WAITING_TEST(one_that_waited_longer_than_the_clock_allows_was_in_time_when_it_came),
		WAITING_TEST(a_restart_changes_neither_what_waits_nor_its_order),
		WAITING_TEST(a_card_number_is_gone_before_its_event_waits),
		WAITING_TEST(who_is_forgotten_leaves_the_queue_too),
		WAITING_TEST(what_does_not_fit_is_the_newest_of_the_longest_queue),
		WAITING_TEST(a_row_that_does_not_open_is_counted_and_the_others_are_taken),
		WAITING_TEST(a_row_whose_number_is_damaged_is_set_aside_and_the_others_are_taken),
		WAITING_TEST(a_flood_of_bad_messages_is_a_letter_a_second_and_each_is_counted),
		WAITING_TEST(a_topic_of_any_length_is_bounded_like_another),
		WAITING_TEST(senders_without_end_are_bounded_and_counted_too),
		WAITING_TEST(topics_that_are_made_up_as_they_go_share_a_letter_a_second),
		WAITING_TEST(the_last_turn_holds_nothing_back),
		WAITING_TEST(each_event_is_taken_once_and_in_order_whatever_happens),
		WAITING_TEST(
		    of_many_in_a_turn_what_does_not_fit_is_refused_and_the_rest_is_taken_in_order),
	};

	if (argc > 1)
		model.sequences = atoi(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
