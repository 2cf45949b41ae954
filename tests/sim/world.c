/* SPDX-License-Identifier: Apache-2.0
 *
 * world.c - the store on the simulated disk: opened, told a step, looked at.
 */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "policy/policy_load.h"
#include "spine/recording.h"

struct conf world_conf;
static char tried[256];

void
trying(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(tried, sizeof(tried), format, args);
	va_end(args);
}

void
wrong(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", tried);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n0 passed, 1 failed\n");
	exit(1);
}

/* ---- the policy ---- */

#define SALT "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define ON \
	"\"on\":[\"aisle.basket.item-added\",\"aisle.customer.identified\"],\"placements\":[" \
	"\"tablet\"],"
#define HEADLINE(text) \
	"\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"" text "\"}]"

/* Advice for anybody, an offer that costs the day's budget, one for who agreed, with a cap. */
static const struct {
	const char *name, *json;
} policy_files[] = {
	{ "policy.json",
	    "{\"name\":\"sim\",\"version\":1,\"currency\":\"EUR\",\"languages\":[\"en\"],\"salts\":"
	    "{\"id\":\"" SALT "\",\"control\":\"" SALT "\",\"explore\":\"" SALT
	    "\"},\"placements\":{\"tablet\":{\"slots\":2,\"headline_max\":60}},\"explore\":"
	    "\"greedy\",\"interrupt\":1}" },
	{ "features.json",
	    "{\"features\":[{\"name\":\"total\",\"type\":\"number\",\"from\":\"basket.total()\"}]"
	    "}" },
	{ "actions/advice.json",
	    "{\"action\":\"advice\",\"kind\":\"service\",\"issue\":\"i\",\"group\":\"a\"," ON
	    "\"gate\":\"associate\",\"expires\":\"60s\",\"personal\":false,\"propensity\":0.5,"
	    "\"incremental\":0.5,"
	    "\"margin\":200,\"outcome\":{\"is\":\"none\"}," HEADLINE("Advice") "}" },
	{ "actions/offer.json",
	    "{\"action\":\"offer\",\"kind\":\"offer\",\"issue\":\"i\",\"group\":\"o\"," ON
	    "\"gate\":\"associate\",\"expires\":\"300s\",\"personal\":false,\"propensity\":0.5,"
	    "\"incremental\":1,"
	    "\"margin\":9000,\"outcome\":{\"is\":\"redeemed\",\"within\":\"0d\"},"
	    "\"offer\":{\"type\":\"amount\",\"depth\":100,\"max\":100,\"apply\":\"till-code\","
	    "\"until\":\"0d\"},"
	    "\"budget\":{\"money\":500,\"per\":\"store-day\"}," HEADLINE("Offer") "}" },
	{ "actions/yours.json",
	    "{\"action\":\"yours\",\"kind\":\"offer\",\"issue\":\"i\",\"group\":\"y\"," ON
	    "\"gate\":\"associate\",\"expires\":\"300s\",\"personal\":true,\"propensity\":0.5,"
	    "\"incremental\":1,"
	    "\"margin\":9500,\"outcome\":{\"is\":\"redeemed\",\"within\":\"0d\"},"
	    "\"offer\":{\"type\":\"amount\",\"depth\":50,\"max\":50,\"apply\":\"till-code\","
	    "\"until\":\"0d\"},"
	    "\"caps\":[{\"per\":\"customer\",\"outcome\":\"accepted\",\"max\":2,\"within\":\"1d\"}]"
	    "," HEADLINE("Yours") "}" },
};

static struct policy *
policy_of_world(void)
{
	struct policy_part part[ARRAY_LEN(policy_files)];
	struct policy_parts parts = { .part = part, .count = ARRAY_LEN(part) };
	struct policy *policy = NULL;
	struct buf report = { 0 };

	for (size_t i = 0; i < parts.count; i++)
		part[i] = (struct policy_part){ policy_files[i].name, policy_files[i].json,
			strlen(policy_files[i].json) };
	if (policy_compile(&parts, &policy, &report) != 0)
		wrong("the policy: %s", report.data);
	buf_done(&report);
	return policy;
}

/* ---- the store ---- */

void
world_begin(void)
{
	disk_install();
	log_set_level((enum log_level)(getenv("AISLE_SIM_LOG") != NULL ? LOG_WARNING : 0));
	conf_init(&world_conf);
	free(world_conf.store_id);
	world_conf.store_id = mem_strdup("0042");
	free(world_conf.hq_host);
	world_conf.hq_host = mem_strdup("hq");
	world_conf.terminal_rate = 0;
	world_conf.baskets_a_day = 1000000;
	world_conf.state_max_mib = 64;
}

int
world_open(const char *folder, struct engine **ret_engine)
{
	static const uint8_t pepper[32];
	struct engine_options options = {
		.conf = &world_conf, .state_dir = folder, .sealed = true, .pepper = pepper
	};
	struct err err = { 0 };
	int rc = engine_open(&options, ret_engine, &err);

	if (rc == 0)
		rc = engine_set_bundle(*ret_engine, NULL, policy_of_world(), false, &err);
	if (rc != 0) {
		log_warning("sim: %s", err.text);
		return rc;
	}
	return 0;
}

struct nth {
	int64_t left, id;
};

static int
find_nth(void *ctx, int64_t id, const char *topic, bool retain, const void *payload, size_t len)
{
	struct nth *nth = ctx;

	(void)topic, (void)retain, (void)payload, (void)len;
	nth->id = id;
	return nth->left-- == 0;
}

struct upto {
	int64_t left, seq;
};

static int
find_upto(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	struct upto *upto = ctx;

	(void)type, (void)at_ms, (void)body, (void)len;
	upto->seq = seq;
	return --upto->left <= 0;
}

/* Numbers of the outbox may jump at a start. */
int
world_find(struct engine *engine, struct step *step)
{
	struct store *store = engine_store(engine);
	int rc = 0;

	for (size_t i = 0; i < step->count && rc >= 0; i++) {
		struct said *said = &step->said[i];
		struct nth nth = { .left = said->number };
		struct upto upto = { .left = said->number };

		if (said->found)
			continue;
		if (said->kind == INPUT_DELIVERED)
			rc = store_outbox_each(store, 0, find_nth, &nth);
		else if (said->kind == INPUT_HQ_ACK)
			rc = store_uplink_each(store, said->lane, 0, (int)said->number, find_upto,
			    &upto);
		/* A callback that stops says more than 0. */
		if (rc >= 0 && said->kind == INPUT_DELIVERED)
			said->number = nth.id;
		if (rc >= 0 && said->kind == INPUT_HQ_ACK)
			said->number = upto.seq;
		said->found = rc >= 0;
	}
	return rc > 0 ? 0 : rc;
}

static void
input_of(const struct said *said, struct input *input)
{
	struct err err = { 0 };

	input->kind = said->kind;
	input->topic = said->topic;
	input->payload = said->payload;
	input->len = said->payload != NULL ? strlen(said->payload) : 0;
	input->lane = said->lane;
	input->number = said->number;
	if (said->kind != INPUT_ANSWER)
		return;
	input->text = "t1";
	input->guidance = said->guidance;
	input->prompt = said->prompt;
	input->is_shown = strcmp(said->answer, "{\"shown\":true}") == 0;
	input->answer = json_read(said->answer, strlen(said->answer), "answer", &err);
}

static int
turn(struct engine *engine, const struct step *step)
{
	struct input inputs[SAID_MAX] = { 0 };
	struct step found = *step;
	int rc = world_find(engine, &found);

	for (size_t i = 0; i < step->count; i++) {
		inputs[i].now_ms = step->now_ms;
		input_of(&found.said[i], &inputs[i]);
	}
	if (rc == 0)
		rc = turn_run(engine, inputs, step->count);
	for (size_t i = 0; i < step->count; i++)
		json_decref(inputs[i].answer);
	return rc;
}

int
world_step(struct engine *engine, const struct step *step)
{
	struct store *store = engine_store(engine);
	int rc;

	switch (step->kind) {
	case STEP_TURN: return turn(engine, step);
	case STEP_ROOM: rc = room_make(engine, step->now_ms); return rc < 0 ? rc : 0;
	case STEP_IDLE:
		if (store_wal_bytes(store) > 0)
			store_checkpoint(store);
		else
			store_scrub(store, 256);
		return 0;
	}
	return 0;
}

/* ---- what is there ---- */

/* What is looked at, for who wants to know what differs. */
static FILE *shown;

struct adding {
	struct digest *digest, row;
	struct store *store;
	struct rows *rows; /* NULL: only the digest of all */
	enum lane lane;
};

static void
add(struct digest *digest, const void *bytes, size_t len)
{
	hash_bytes(digest->bytes, sizeof(digest->bytes), bytes, len, digest->bytes,
	    sizeof(digest->bytes));
}

static void
add_part(struct adding *adding, const void *bytes, size_t len)
{
	for (size_t i = 0; shown != NULL && i < len; i++) {
		int c = ((const uint8_t *)bytes)[i];

		fprintf(shown, c >= ' ' && c < 127 ? "%c" : "\\%02x", c);
	}
	if (shown != NULL)
		fputc('\n', shown);
	add(&adding->row, bytes, len);
}

/* kind: rows of different tables are not taken for each other. */
static int
add_end(struct adding *adding, const char *kind)
{
	struct rows *rows = adding->rows;

	add(&adding->row, kind, strlen(kind));
	add(adding->digest, &adding->row, sizeof(adding->row));
	if (rows != NULL && rows->count < ROWS_MAX)
		memcpy(&rows->of[rows->count++], adding->row.bytes, sizeof(rows->of[0]));
	adding->row = (struct digest){ { 0 } };
	return 0;
}

static int
add_log(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	struct adding *adding = ctx;
	int64_t numbers[] = { kind, at_ms };

	(void)n;
	add_part(adding, numbers, sizeof(numbers));
	add_part(adding, body, len);
	return add_end(adding, "log");
}

static int
add_row(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	struct adding *adding = ctx;

	add_part(adding, key, sizeof(*key));
	add_part(adding, subject, sizeof(*subject));
	add_part(adding, &at_ms, sizeof(at_ms));
	add_part(adding, body, len);
	return add_end(adding, "row");
}

static int
add_outbox(void *ctx, int64_t id, const char *topic, bool retain, const void *payload, size_t len)
{
	struct adding *adding = ctx;

	(void)id, (void)retain;
	add_part(adding, topic, strlen(topic));
	add_part(adding, payload, len);
	return add_end(adding, "outbox");
}

/* A gap record has no row of its own: it stands for those that it covers. */
static void
count_holes(struct rows *rows, int64_t seq, const char *type, const char *body, size_t len)
{
	int64_t from = seq;
	struct err err = { 0 };

	if (strcmp(type, "gap") == 0) {
		json_t *gap = json_read(body, len, "gap", &err);

		json_int(json_object_get(gap, "from"), &from);
		json_decref(gap);
	}
	rows->holes += rows->seq > 0 && from > rows->seq + 1;
	rows->seq = seq;
}

static int
add_uplink(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	struct adding *adding = ctx;
	int64_t numbers[] = { seq, at_ms };

	if (adding->rows != NULL)
		count_holes(adding->rows, seq, type, body, len);
	if (adding->rows != NULL && strcmp(type, "gap") == 0)
		return 0;
	add_part(adding, numbers, sizeof(numbers));
	add_part(adding, type, strlen(type));
	add_part(adding, body, len);
	return add_end(adding, "uplink");
}

static int
add_dead(void *ctx, int64_t n, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const void *payload, size_t len)
{
	struct adding *adding = ctx;

	(void)n, (void)at_ms;
	add_part(adding, topic, strlen(topic));
	add_part(adding, reason, strlen(reason));
	add_part(adding, detail, strlen(detail));
	add_part(adding, payload, len);
	return add_end(adding, "dead");
}

/* What it was told. What was in force is said again after each start. */
static int
add_recorded(void *ctx, int64_t n, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	struct adding *adding = ctx;

	(void)n;
	if (body == NULL || len == 0 || *(const uint8_t *)body < RECORDING_EVENT)
		return 0;
	add_part(adding, subject, sizeof(*subject));
	add_part(adding, &at_ms, sizeof(at_ms));
	add_part(adding, body, len);
	return add_end(adding, "recorded");
}

struct keys_seen {
	struct id ids[STEPS_MAX];
	size_t count;
};

static int
keep_key(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	struct keys_seen *seen = ctx;

	(void)subject, (void)at_ms, (void)body, (void)len;
	if (seen->count < STEPS_MAX)
		seen->ids[seen->count++] = *key;
	return 0;
}

/* Rows of a log, by the keys of the table that they belong to. */
static int
add_logs(struct adding *adding, enum store_table table, enum store_log log)
{
	static struct keys_seen seen;
	int rc;

	seen.count = 0;
	rc = store_each(adding->store, table, -1, keep_key, &seen);
	for (size_t i = 0; i < seen.count && rc == 0; i++)
		rc = store_log_each(adding->store, log, &seen.ids[i], add_log, adding);
	return rc;
}

static int
add_all(struct engine *engine, struct adding *adding)
{
	char timer[128];
	int64_t due_ms = 0;
	int rc = 0;

	adding->store = engine_store(engine);
	for (int table = 0; table < STORE_COUNT && rc == 0; table++)
		rc = store_each(adding->store, (enum store_table)table, -1, add_row, adding);
	if (rc == 0)
		rc = add_logs(adding, STORE_SUBJECT, STORE_LOG_SUBJECT);
	if (rc == 0)
		rc = add_logs(adding, STORE_DECISION, STORE_LOG_OUTCOME);
	if (rc == 0)
		rc = store_outbox_each(adding->store, 0, add_outbox, adding);
	for (int lane = 0; lane < LANE_COUNT && rc == 0; lane++) {
		if (adding->rows != NULL)
			adding->rows->seq = 0;
		rc = store_uplink_each(adding->store, (enum lane)lane, 0, 1 << 20, add_uplink,
		    adding);
	}
	if (rc == 0)
		rc = store_dead_each(adding->store, 1 << 20, add_dead, adding);
	if (rc == 0)
		rc = store_recording_each(adding->store, 0, INT64_MIN, INT64_MAX, INT32_MAX,
		    add_recorded, adding);
	/* Only the first can be asked for, so it is no row among rows. */
	if (rc == 0 && adding->rows == NULL &&
	    store_timer_first(adding->store, &due_ms, timer) == 0) {
		add_part(adding, &due_ms, sizeof(due_ms));
		add_part(adding, timer, strlen(timer));
		add_end(adding, "timer");
	}
	return rc;
}

struct digest
world_digest(struct engine *engine)
{
	struct digest digest = { { 0 } };
	struct adding adding = { .digest = &digest };
	int rc = add_all(engine, &adding);

	add(&digest, &rc, sizeof(rc));
	return digest;
}

int
world_rows(struct engine *engine, struct rows *ret_rows)
{
	struct digest digest = { { 0 } };
	struct adding adding = { .digest = &digest, .rows = ret_rows };

	ret_rows->count = ret_rows->holes = 0;
	return add_all(engine, &adding);
}

static int
compare_rows(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void
rows_join(struct rows *rows, struct rows *more)
{
	size_t before = rows->count, n = 0;

	qsort(rows->of, before, sizeof(rows->of[0]), compare_rows);
	qsort(more->of, more->count, sizeof(more->of[0]), compare_rows);
	for (size_t i = 0; i < more->count; i++) {
		while (n < before && rows->of[n] < more->of[i])
			n++;
		/* A row that is there twice stands for one that is there twice. */
		if (n < before && rows->of[n] == more->of[i]) {
			n++;
			continue;
		}
		CHECK(rows->count < ROWS_MAX);
		rows->of[rows->count++] = more->of[i];
	}
	qsort(rows->of, rows->count, sizeof(rows->of[0]), compare_rows);
}

void
rows_compare(struct rows *should, struct rows *have, size_t *ret_missing, size_t *ret_more)
{
	size_t i = 0, n = 0;

	qsort(should->of, should->count, sizeof(should->of[0]), compare_rows);
	qsort(have->of, have->count, sizeof(have->of[0]), compare_rows);
	*ret_missing = *ret_more = 0;
	while (i < should->count || n < have->count) {
		if (n == have->count || (i < should->count && should->of[i] < have->of[n]))
			++*ret_missing, i++;
		else if (i == should->count || have->of[n] < should->of[i])
			++*ret_more, n++;
		else
			i++, n++;
	}
}

void
world_show(struct engine *engine, const char *path)
{
	shown = fopen(path, "w");
	(void)world_digest(engine);
	if (shown != NULL)
		fclose(shown);
	shown = NULL;
}

bool
digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

long
story_find(const struct story *story, const struct digest *digest, size_t first, size_t last)
{
	for (size_t i = first; i <= last; i++) {
		if (digest_equal(&story->after[i], digest))
			return (long)i;
	}
	return -1;
}
