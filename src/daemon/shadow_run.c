/* SPDX-License-Identifier: Apache-2.0
 *
 * shadow_run.c - the same sales under two policies, each over a store in memory, and what comes of
 * them. In a child process.
 */
#include "daemon/shadow.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/id.h"
#include "core/log.h"
#include "profile/subject_io.h"
#include "sync/bundle.h"
#include "sync/bundle_image.h"

#define TOP_NONE 0 /* no decision was made */
#define TOP_NOTHING 1

/* One policy's replay. */
struct run {
	const struct shadow_input *input;
	struct shadow_tally *tally;
	size_t now;	/* the event that is being told */
	uint64_t *tops; /* by event: the card that was first */
	json_t *seen;	/* prompts that were counted */
};

/* ---- what is decided ---- */

static const json_t *
candidate_of(const json_t *record, const char *action)
{
	const json_t *candidates = json_object_get(record, "candidates");
	const char *name;

	for (size_t i = 0; i < json_array_size(candidates); i++) {
		name = json_string_value(json_object_get(json_array_get(candidates, i), "action"));
		if (name != NULL && strcmp(name, action) == 0)
			return json_array_get(candidates, i);
	}
	return NULL;
}

static double
number_of(const json_t *object, const char *member)
{
	return json_number_value(json_object_get(object, member));
}

static void
count_card(struct run *run, const json_t *record, const json_t *slot)
{
	const char *prompt = json_string_value(json_object_get(slot, "prompt")),
		   *action = json_string_value(json_object_get(slot, "action"));
	const json_t *candidate;

	if (prompt == NULL || action == NULL || json_object_get(run->seen, prompt) != NULL)
		return;
	json_object_set_new(run->seen, prompt, json_true());
	run->tally->cards++;
	candidate = candidate_of(record, action);
	run->tally->discount += number_of(candidate, "p1") * number_of(candidate, "cost");
}

static uint64_t
top_of(const json_t *slots)
{
	const json_t *first = json_array_get(slots, 0);
	const char *action = json_string_value(json_object_get(first, "action"));
	uint64_t hash;

	if (action == NULL || strcmp(action, "nothing") == 0)
		return TOP_NOTHING;
	hash_bytes(&hash, sizeof(hash), action, strlen(action), NULL, 0);
	return hash > TOP_NOTHING ? hash : hash + 2;
}

static void
on_decision(void *ctx, const char *json, size_t len)
{
	struct run *run = ctx;
	json_t *record = json_loadb(json, len, 0, NULL);
	const json_t *slots = json_object_get(record, "slots"),
		     *fates = json_object_get(record, "fates"),
		     *trigger = json_object_get(record, "trigger");
	const char *source = json_string_value(json_object_get(trigger, "source"));

	run->tally->decisions++;
	run->tally->pressure += (int64_t)(number_of(fates, "contact") + number_of(fates, "budget"));
	for (size_t i = 0; i < json_array_size(slots); i++)
		count_card(run, record, json_array_get(slots, i));
	/* A timer that comes due before it belongs to no event. */
	if (source != NULL && strcmp(source, "timer") != 0)
		run->tops[run->now] = top_of(slots);
	json_decref(record);
}

/* ---- who is known ---- */

static int
compare_customers(const void *key, const void *customer)
{
	return id_compare(key, &((const struct shadow_customer *)customer)->id);
}

struct shadow_customer *
shadow_customer(const struct shadow_input *input, const struct id *id)
{
	return input->customer_count == 0 ? NULL
					  : bsearch(id, input->customers, input->customer_count,
						sizeof(*input->customers), compare_customers);
}

static int
profile_of(void *ctx, const struct id *subject, struct buf *out)
{
	const struct shadow_input *input = ctx;
	const struct shadow_customer *customer = shadow_customer(input, subject);

	for (size_t i = 0; customer != NULL && i < customer->row_count; i++) {
		if (customer->rows[i].kind >= 0)
			continue;
		buf_add(out, input->bytes.data + customer->rows[i].at, customer->rows[i].len);
		return 0;
	}
	return AISLE_E_NONE;
}

static int
put_row(struct store *store, const struct shadow_input *input,
    const struct shadow_customer *customer, const struct shadow_row *row)
{
	const char *bytes = input->bytes.data + row->at;

	if (row->kind == 0)
		return store_put(store, STORE_SUBJECT, &customer->id, &customer->id, row->at_ms, 0,
		    bytes, row->len);
	if (row->kind < 0 || row->at_ms >= input->begin_ms)
		return 0;
	return store_log_add(store, STORE_LOG_SUBJECT, &customer->id, &customer->id, row->kind,
	    row->at_ms, bytes, row->len);
}

static int
put_customers(struct store *store, const struct shadow_input *input)
{
	int rc = store_begin(store);

	for (size_t i = 0; rc == 0 && i < input->customer_count; i++) {
		const struct shadow_customer *customer = &input->customers[i];

		for (size_t r = 0; rc == 0 && r < customer->row_count; r++)
			rc = put_row(store, input, customer, &customer->rows[r]);
	}
	return rc == 0 ? store_commit(store) : rc;
}

/* ---- one policy ---- */

static int
set_bundle(struct engine *engine, const struct shadow_input *input, const char *path,
    struct err *err)
{
	struct bundle *bundle = NULL;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	struct err no_image = { 0 };
	int rc = bundle_open(path, "policy", &bundle, err);

	if (rc == 0 && bundle_image_open(path, input->key, &policy, &no_image) != 0 &&
	    bundle_policy(bundle, &policy, &report) != 0)
		rc = err_set(err, AISLE_E_REFUSED, "%.300s", report.data);
	buf_done(&report);
	if (rc == 0)
		rc = engine_set_bundle(engine, bundle, policy, false, err);
	return rc; /* on failure the process ends, and what it holds with it */
}

/* Processor time: what the turns of the store take meanwhile is no matter of either policy. */
static int64_t
spent_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int
by_number(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

	return one < other ? -1 : one > other;
}

static int
tell(struct engine *engine, struct run *run, struct err *err)
{
	const struct shadow_story *story = &run->input->story;
	int64_t *took_us = mem_calloc(story->count + 1, sizeof(*took_us));
	int rc = 0;

	for (run->now = 0; rc == 0 && run->now < story->count; run->now++) {
		const struct shadow_event *event = &story->events[run->now];
		struct input input = { .kind = INPUT_RECORDED,
			.payload = event->line,
			.len = event->len,
			.number = (int64_t)run->now + 1 };
		int64_t begin_us = spent_us();

		rc = turn_run(engine, &input, 1);
		took_us[run->now] = spent_us() - begin_us;
	}
	if (rc != 0)
		err_set(err, rc, "an event of the shadow replay cannot be committed");
	qsort(took_us, story->count, sizeof(*took_us), by_number);
	if (story->count > 0)
		run->tally->p99_ms = (double)took_us[(size_t)(story->count * 99 / 100)] / 1000;
	free(took_us);
	return rc;
}

static int
run_policy(const struct shadow_input *input, const char *path, struct shadow_tally *tally,
    uint64_t *tops, struct err *err)
{
	struct run run = { .input = input, .tally = tally, .tops = tops, .seen = json_object() };
	struct conf conf = *input->conf;
	struct engine_options options = { .conf = &conf,
		.no_outlets = true,
		.recorded = true,
		.forget_decisions = true,
		.on_decision = on_decision,
		.on_decision_ctx = &run };
	struct engine *engine = NULL;
	int rc;

	conf.terminal_rate = 0; /* what is told at once is no flood */
	rc = engine_open(&options, &engine, err);
	if (rc == 0 && put_customers(engine_store(engine), input) != 0)
		rc = err_set(err, AISLE_E_IO, "the customers of the shadow replay cannot be kept");
	if (rc == 0) {
		engine_set_profiles(engine, profile_of, (void *)(uintptr_t)input);
		rc = set_bundle(engine, input, path, err);
	}
	if (rc == 0)
		rc = tell(engine, &run, err);
	if (rc == 0)
		engine_close(engine);
	json_decref(run.seen);
	return rc;
}

/* ---- both ---- */

static void
compare(const struct shadow_input *input, const uint64_t *now, const uint64_t *next,
    struct shadow_report *report)
{
	for (size_t i = 0; i < input->story.count; i++) {
		uint64_t was = now[i] == TOP_NONE ? TOP_NOTHING : now[i],
			 is = next[i] == TOP_NONE ? TOP_NOTHING : next[i];

		if (now[i] == TOP_NONE && next[i] == TOP_NONE)
			continue;
		report->decisions++;
		report->same += was == is;
	}
}

void
shadow_run(void *ctx, void *answer_bytes)
{
	const struct shadow_input *input = ctx;
	struct shadow_answer *answer = answer_bytes;
	uint64_t *now = mem_calloc(input->story.count + 1, sizeof(*now)),
		 *next = mem_calloc(input->story.count + 1, sizeof(*next));
	int rc;

	log_set_level(LOG_ERROR);
	answer->report.events = (int64_t)input->story.count;
	/* The one in force first: what goes wrong with it is no fault of the candidate's. */
	rc = run_policy(input, input->now, &answer->report.now, now, &answer->err);
	if (rc == 0) {
		*input->candidate = true;
		rc = run_policy(input, input->next, &answer->report.next, next, &answer->err);
	}
	if (rc == 0)
		compare(input, now, next, &answer->report);
}
